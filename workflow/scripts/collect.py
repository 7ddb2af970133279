from pathlib import Path

from softbio.job import job
from softbio.results.records import collect

with job(snakemake.log[0]):
    collect(list(map(Path, snakemake.input.metrics)), Path(snakemake.output.runs))

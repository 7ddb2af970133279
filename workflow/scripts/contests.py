from pathlib import Path

from softbio.job import job
from softbio.results.records import load
from softbio.statistics.contests import write_statistics

with job(snakemake.log[0]):
    records = load([Path(path).parent for path in snakemake.input.metrics])
    write_statistics(records, Path(snakemake.output.statistics))

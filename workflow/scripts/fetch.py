from pathlib import Path

from softbio.data.fetch import fetch
from softbio.job import job

with job(snakemake.log[0]):
    fetch(snakemake.params.entry, Path(snakemake.output.sources).parent)

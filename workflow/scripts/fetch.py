from pathlib import Path

from softbio.data.fetching.locate import fetch
from softbio.data.registry import spec_from
from softbio.job import job

with job(snakemake.log[0]):
    fetch(spec_from(snakemake.params.entry), Path(snakemake.output.sources).parent)

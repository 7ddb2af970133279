from pathlib import Path

from softbio.data.prepare import prepare
from softbio.job import job

with job(snakemake.log[0]):
    prepare(
        snakemake.params.entry,
        size=int(snakemake.wildcards.size),
        folder=Path(snakemake.output.images).parent,
        raw=Path(snakemake.input.sources).parent,
        workers=snakemake.threads,
    )

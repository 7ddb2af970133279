from pathlib import Path

from softbio.data.prepare import prepare
from softbio.data.registry import spec_from
from softbio.job import job

with job(snakemake.log[0]):
    prepare(
        spec_from(snakemake.params.entry),
        size=int(snakemake.wildcards.size),
        folder=Path(snakemake.output.images).parent,
        raw=Path(snakemake.input.sources).parent,
        workers=snakemake.threads,
        points=snakemake.input.get("points"),
    )

from pathlib import Path

from softbio.data.registry import spec_from
from softbio.job import job
from softbio.privacy.population import gather

with job(snakemake.log[0], threads=snakemake.threads):
    specs = [spec_from(entry) for entry in snakemake.params.entries]
    gather(
        snakemake.wildcards.dataset,
        aligned=[Path(file).parent for file in snakemake.input.aligned[::3]],
        specs={spec.name: spec for spec in specs},
        size=int(snakemake.wildcards.size),
        folder=Path(snakemake.output.images).parent,
    )

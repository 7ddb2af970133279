from pathlib import Path

from softbio.job import job
from softbio.recipe import recipe_from
from softbio.train import train

with job(snakemake.log[0], threads=snakemake.threads):
    train(
        recipe_from(snakemake.params.recipe),
        packed=Path(snakemake.input.images).parent,
        folder=Path(snakemake.output.model).parent,
        device=snakemake.params.device,
    )

from pathlib import Path

from softbio.engine.recipe import recipe_from
from softbio.engine.train import train
from softbio.job import job

with job(snakemake.log[0], threads=snakemake.threads):
    train(
        recipe_from(snakemake.params.recipe),
        packed=Path(snakemake.input.images).parent,
        folder=Path(snakemake.output.model).parent,
        device=snakemake.params.device,
    )

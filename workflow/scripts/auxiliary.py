from pathlib import Path

from softbio.engine.recipe import recipe_from
from softbio.job import job
from softbio.privacy.recipe import AuxiliaryRecipe
from softbio.privacy.training.train_auxiliaries import train_auxiliary

with job(snakemake.log[0], threads=snakemake.threads):
    train_auxiliary(
        recipe_from(snakemake.params.recipe, AuxiliaryRecipe),
        packed=Path(snakemake.input.images).parent,
        parts=Path(snakemake.input.parts),
        folder=Path(snakemake.output.network).parent,
        device=snakemake.params.device,
    )

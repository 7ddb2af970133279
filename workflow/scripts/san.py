from pathlib import Path

from softbio.job import job
from softbio.privacy.recipe import SanRecipe
from softbio.privacy.train_san import train_san
from softbio.recipe import recipe_from

NAMES = ("parts", "prototypes", "classifier", "matcher", "pairs")
given = {name: Path(file) for name, file in snakemake.input.items() if name in NAMES}

with job(snakemake.log[0], threads=snakemake.threads):
    train_san(
        recipe_from(snakemake.params.recipe, SanRecipe),
        packed=Path(snakemake.input.images).parent,
        folder=Path(snakemake.output.network).parent,
        device=snakemake.params.device,
        **given,
    )

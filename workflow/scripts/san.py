from pathlib import Path

from softbio.engine.recipe import recipe_from
from softbio.job import job
from softbio.privacy.recipe import SanRecipe
from softbio.privacy.training.loss_matcher import open_loss_matcher
from softbio.privacy.training.train_san import train_san

NAMES = ("parts", "prototypes", "classifier", "matcher", "pairs", "originals")
given = {name: Path(file) for name, file in snakemake.input.items() if name in NAMES}
receipt, registry = map(snakemake.input.get, ("receipt", "registry"))

with job(snakemake.log[0], threads=snakemake.threads):
    recipe = recipe_from(snakemake.params.recipe, SanRecipe)
    foreign = receipt and open_loss_matcher(recipe.matcher_net, registry, Path(receipt).parent)
    train_san(
        recipe,
        packed=Path(snakemake.input.images).parent,
        folder=Path(snakemake.output.network).parent,
        device=snakemake.params.device,
        before=[Path(file) for file in snakemake.input.get("before", [])],
        **{"matcher": foreign} | given,
    )

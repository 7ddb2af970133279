from pathlib import Path

from softbio.engine.recipe import recipe_from
from softbio.job import job
from softbio.privacy.privacynet_recipe import PrivacyNetRecipe
from softbio.privacy.training.loss_matcher import open_loss_matcher
from softbio.privacy.training.train_privacynet import train_privacynet

given = {n: Path(f) for n, f in snakemake.input.items() if n in ("parts", "matcher", "originals")}
receipt, registry = map(snakemake.input.get, ("receipt", "registry"))

with job(snakemake.log[0], threads=snakemake.threads):
    recipe = recipe_from(snakemake.params.recipe, PrivacyNetRecipe)
    foreign = receipt and open_loss_matcher(recipe.matcher_net, registry, Path(receipt).parent)
    # modes: not a parameter of the rule, for one mode more is no reason to train again
    train_privacynet(
        recipe,
        packed=Path(snakemake.input.images).parent,
        folder=Path(snakemake.output.network).parent,
        device=snakemake.params.device,
        modes=snakemake.config["privacy"].get("protectors", {}).get("privacynet", ()),
        **{"matcher": foreign} | given,
    )

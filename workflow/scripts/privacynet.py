from pathlib import Path

from softbio.job import job
from softbio.privacy.loss_matcher import open_loss_matcher
from softbio.privacy.privacynet_recipe import PrivacyNetRecipe
from softbio.privacy.train_privacynet import train_privacynet
from softbio.recipe import recipe_from

matcher, receipt, registry = map(snakemake.input.get, ("matcher", "receipt", "registry"))
originals = snakemake.input.get("originals")

with job(snakemake.log[0], threads=snakemake.threads):
    recipe = recipe_from(snakemake.params.recipe, PrivacyNetRecipe)
    foreign = receipt and open_loss_matcher(recipe.matcher_net, registry, Path(receipt).parent)
    train_privacynet(
        recipe,
        packed=Path(snakemake.input.images).parent,
        parts=Path(snakemake.input.parts),
        matcher=foreign or Path(matcher),
        folder=Path(snakemake.output.network).parent,
        device=snakemake.params.device,
        originals=originals and Path(originals),
        # not a parameter of the rule: one mode more is no reason to train again
        modes=snakemake.config["privacy"].get("protectors", {}).get("privacynet", ()),
    )

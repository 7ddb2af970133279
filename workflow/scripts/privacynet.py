from pathlib import Path

from softbio.job import job
from softbio.privacy.privacynet_recipe import read_recipe
from softbio.privacy.training.loss_matcher import chosen_matcher
from softbio.privacy.training.train_privacynet import PrivacyNetInputs, train_privacynet

files = {name: Path(f) for name, f in snakemake.input.items() if name in ("parts", "originals")}
files["packed"] = Path(snakemake.input.images).parent
matcher = map(snakemake.input.get, ("matcher", "registry", "receipt"))

with job(snakemake.log[0], threads=snakemake.threads):
    recipe = read_recipe(snakemake.params.recipe)
    # modes: not a parameter of the rule, for one mode more is no reason to train again
    train_privacynet(
        recipe,
        PrivacyNetInputs(matcher=chosen_matcher(recipe.matcher_net, *matcher), **files),
        folder=Path(snakemake.output.network).parent,
        device=snakemake.params.device,
        modes=snakemake.config["privacy"].get("protectors", {}).get("privacynet", ()),
    )

from pathlib import Path

from softbio.engine.recipe import recipe_from
from softbio.job import job
from softbio.privacy.recipe import SanRecipe
from softbio.privacy.training.loss_matcher import chosen_matcher
from softbio.privacy.training.train_san import SanInputs, train_san

NAMES = ("parts", "prototypes", "classifier", "pairs", "originals")
files = {name: Path(file) for name, file in snakemake.input.items() if name in NAMES}
files["packed"] = Path(snakemake.input.images).parent
before = tuple(map(Path, snakemake.input.get("before", [])))
matcher = map(snakemake.input.get, ("matcher", "registry", "receipt"))

with job(snakemake.log[0], threads=snakemake.threads):
    recipe = recipe_from(snakemake.params.recipe, SanRecipe)
    chosen = chosen_matcher(recipe.matcher_net, *matcher)
    inputs = SanInputs(matcher=chosen, before=before, **files)
    train_san(recipe, inputs, Path(snakemake.output.network).parent, snakemake.params.device)

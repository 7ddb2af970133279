"""What a config asks for: the grid of runs and the recipe of each."""

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import Any

from softbio.backbones import BACKBONES
from softbio.errors import UserError, nearest
from softbio.methods import METHODS, get_method
from softbio.privacy.plan import HidingPlan, hiding_plan
from softbio.privacy.privacynet_recipe import privacynet_plan
from softbio.privacy.recipe import plan_from
from softbio.recipe import Recipe, recipe_from
from softbio.schema import validate

# what a split other than the published one adds to the data set's name, in paths and tables
REPAIRED = "-repaired"
PROTOCOLS = {"published": "", "repaired": REPAIRED}
SUFFIXES = {"plain": "", "weighted": "-weighted", "shuffled": "-shuffled"}


@dataclass(frozen=True, order=True)
class Run:
    """One cell of the grid; variant as in `Recipe`. A data set under the repaired split is a data
    set of its own, utkface-repaired."""

    dataset: str
    backbone: str
    method: str
    variant: str
    seed: int

    @property
    def registered(self) -> str:
        """The data set's name in the registry, without its split."""
        return self.dataset.removesuffix(REPAIRED)

    @property
    def folder(self) -> str:
        """Where the run's files lie, below results/{name}/age/."""
        return f"{self.dataset}/{self.backbone}/{self.method}{self.variant}/seed{self.seed}"


@dataclass(frozen=True)
class Benchmark:
    """A checked config.

    name: the folder of its results; title: the report's heading; runs: the grid without doubles,
    in the order of the config; datasets: changes to the registry; training: values of `Recipe`,
    with those of single backbones under "backbones"; privacy: see `privacy.recipe.plan_from`;
    hiding: whom it protects, by what, and who judges.
    """

    name: str
    title: str
    device: str
    runs: tuple[Run, ...]
    datasets: Mapping[str, Any]
    training: Mapping[str, Any]
    privacy: Mapping[str, Any]
    hiding: HidingPlan

    def recipe(self, run: Run) -> Recipe:
        """The recipe of any run, in the grid or not.

        Raises UserError for an unknown method, for weights of one without binary tasks and for
        what `Recipe` refuses.
        """
        if run.method not in METHODS:
            raise UserError(
                f"config: method '{run.method}' is unknown: {nearest(run.method, METHODS)}"
            )
        if run.variant == "-weighted" and not get_method(run.method).takes_importance:
            raise UserError(
                f"config: method '{run.method}' has no binary tasks to weight; "
                "leave it out of the grid's block with variant 'weighted'"
            )
        shared = {key: value for key, value in self.training.items() if key != "backbones"}
        own = self.training.get("backbones", {}).get(run.backbone, {})
        return recipe_from(
            shared
            | own
            | {
                "dataset": run.dataset,
                "backbone": run.backbone,
                "method": run.method,
                "variant": run.variant,
                "seed": run.seed,
            }
        )

    @property
    def used_datasets(self) -> tuple[str, ...]:
        """Data sets of the grid, in its order."""
        return tuple(dict.fromkeys(run.dataset for run in self.runs))


def load_benchmark(config: dict[str, Any], schema: Path, known_datasets: list[str]) -> Benchmark:
    """Check a config, fill in its defaults and expand its grid.

    Raises UserError for an unknown key, data set, method or backbone, and for a grid that asks for
    weights of a method without binary tasks.
    """
    validate(config, schema, "config")
    runs = dict.fromkeys(run for block in config["grid"] for run in _expand(block))
    benchmark = Benchmark(
        config["name"],
        config["title"],
        config["device"],
        tuple(runs),
        config["datasets"],
        config["training"],
        config["privacy"],
        hiding_plan(config["privacy"], known_datasets),
    )
    if not runs and not benchmark.hiding.train:
        raise UserError("config: neither `grid` nor `privacy.train`: nothing would be run")
    if runs and not benchmark.training:
        raise UserError("config: lacks 'training': the recipe of the grid's runs")
    # what it refuses is told at once, not when the first SAN is trained
    plan_from(benchmark.privacy, "any", 0)
    if benchmark.privacy.get("privacynet") or "privacynet" in benchmark.hiding.protectors:
        privacynet_plan(benchmark.privacy, "any", 0)
    for run in benchmark.runs:
        if run.registered not in known_datasets:
            remedy = nearest(run.registered, known_datasets)
            raise UserError(f"config: data set '{run.registered}' is unknown: {remedy}")
        benchmark.recipe(run)
    # a misspelt name under training.backbones would leave its values unused in silence
    named = {run.backbone for run in runs} | config["training"].get("backbones", {}).keys()
    for backbone in sorted(named.difference(BACKBONES)):
        # torch takes seconds to import: only for a name that is not our own
        from softbio.backbones.networks import check_backbone

        check_backbone(backbone)
    return benchmark


def _expand(block: Mapping[str, Any]) -> list[Run]:
    names = ("datasets", "protocols", "backbones", "methods", "variants", "seeds")
    return [
        Run(dataset + PROTOCOLS[protocol], backbone, method, SUFFIXES[variant], seed)
        for dataset, protocol, backbone, method, variant, seed in product(*map(block.get, names))
    ]

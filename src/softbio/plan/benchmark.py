"""What a config asks for: the grid of runs and the recipe of each."""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import asdict, dataclass, replace
from itertools import product
from operator import itemgetter
from pathlib import Path
from typing import Any

from softbio.backbones import BACKBONES
from softbio.data.registry import REPAIRED
from softbio.engine.recipe import Recipe, recipe_from
from softbio.errors import UserError, nearest
from softbio.methods import METHODS, get_method
from softbio.privacy.plan import HidingPlan, hiding_plan, members
from softbio.privacy.plan_recipe import plan_from, privacynet_plan
from softbio.results.run import Run
from softbio.schema import validate

PROTOCOLS = {"published": "", "repaired": REPAIRED}
# subsections of a section `training`; a later one overrides an earlier one
PARTS = ("datasets", "backbones", "methods")
# folders of results/ that no config may write to, and what each holds
RESERVED = {"published": "what follows from the authors' predictions (L0)"}
RESERVED |= {"record": "the results that the repository keeps"}
SUFFIXES = {"plain": "", "weighted": "-weighted", "shuffled": "-shuffled"}


@dataclass(frozen=True)
class Absence:
    """A data set that somebody has to provide.

    text: what is missing and the remedy, in one line; given: a source was named, and is wrong;
    runs: how many runs of the grid need it; hiding: whether the second half does.
    """

    dataset: str
    title: str
    text: str
    given: bool
    runs: int
    hiding: bool

    def __str__(self) -> str:
        """What is lost without it."""
        half = ["the half on hiding gender"] * self.hiding
        runs = [f"{self.runs} run{'s' * (self.runs > 1)}"] * bool(self.runs)
        return " and ".join(runs + half)


@dataclass(frozen=True)
class Benchmark:
    """A checked config.

    name: the folder of its results; title: the report's heading; runs: the grid without repeats,
    in the order of the config; datasets: changes to the registry; training: values of `Recipe`,
    with those of single data sets, backbones and methods under "datasets", "backbones", "methods";
    privacy: see `privacy.plan_recipe`;
    hiding: whom it protects, by what, and who judges; missing: "stop" or "skip", what to do about a
    data set that is not here.
    """

    name: str
    title: str
    device: str
    runs: tuple[Run, ...]
    datasets: Mapping[str, Any]
    training: Mapping[str, Any]
    privacy: Mapping[str, Any]
    hiding: HidingPlan
    missing: str

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
        if run.seed >= 2**32:
            raise UserError(f"config: seed is {run.seed}; it must be in [0, 2^32)")
        values = _training_of(self.training, run) | asdict(run)
        return recipe_from(values, Recipe, "config: training")

    @property
    def used_datasets(self) -> tuple[str, ...]:
        """Data sets of the grid, in its order."""
        return tuple(dict.fromkeys(run.dataset for run in self.runs))

    @property
    def needed(self) -> tuple[str, ...]:
        """Entries of the registry that it reads, for both halves."""
        hidden = members(self.hiding.population) if self.hiding.population else []
        return tuple(dict.fromkeys([*(run.registered for run in self.runs), *hidden]))

    def without(self, names: Collection[str]) -> "Benchmark":
        """The same without what needs one of these data sets. The second half needs both of its
        own."""
        runs = tuple(run for run in self.runs if run.registered not in names)
        whole = not set(names) & {self.hiding.train, self.hiding.test}
        return replace(self, runs=runs, hiding=self.hiding if whole else hiding_plan({}, ()))


def load_benchmark(config: dict[str, Any], schema: Path, known_datasets: list[str]) -> Benchmark:
    """Check a config, fill in its defaults and expand its grid.

    Raises UserError for an unknown key, data set, method or backbone, for a reserved name, and for
    a grid that asks for weights of a method without binary tasks.
    """
    validate(config, schema, "config")
    if (name := config["name"]) in RESERVED:
        raise UserError(
            f"config: name '{name}': results/{name}/ holds {RESERVED[name]}; choose another"
        )
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
        config["missing"],
    )
    if not runs and not benchmark.hiding.train:
        raise UserError("config: neither `grid` nor `privacy.train`: nothing would be run")
    if runs and not benchmark.training:
        raise UserError("config: lacks 'training': the recipe of the grid's runs")
    # a mistake is reported at once, not when the first SAN is trained
    plan_from(benchmark.privacy, "any", 0)
    if benchmark.privacy.get("privacynet") or "privacynet" in benchmark.hiding.protectors:
        privacynet_plan(benchmark.privacy, "any", 0)
    for run in benchmark.runs:
        if run.registered not in known_datasets:
            remedy = nearest(run.registered, known_datasets)
            raise UserError(f"config: data set '{run.registered}' is unknown: {remedy}")
        benchmark.recipe(run)
    _check_backbones({run.backbone for run in runs})
    _check_training(config["training"], known_datasets)
    return benchmark


def _check_backbones(names: Collection[str]) -> None:
    for name in sorted(set(names).difference(BACKBONES)):
        # torch takes seconds to import: only for a name that is not our own
        from softbio.backbones.networks import check_backbone

        check_backbone(name)


def _check_training(section: Mapping[str, Any], known_datasets: Collection[str]) -> None:
    """Raise UserError for an unknown name within a section `training`, whose values would silently
    stay unused."""
    _check_backbones(section.get("backbones", {}))
    for part, known in (("datasets", known_datasets), ("methods", METHODS)):
        for name in section.get(part, {}):
            if name not in known:
                raise UserError(
                    f"config: training.{part}: '{name}' is unknown: {nearest(name, known)}"
                )
    for part in PARTS:
        for inner in section.get(part, {}).values():
            _check_training(inner, known_datasets)


def _training_of(section: Mapping[str, Any], run: Run) -> dict[str, Any]:
    """The values of the section `training` for a run. Those of single data sets, backbones and
    methods override those of all, and deeper ones override both."""
    values: dict[str, Any] = {}
    for _, layer in sorted(_layers(section, run, 0), key=itemgetter(0)):
        values |= layer
    return values


def _layers(
    section: Mapping[str, Any], run: Run, depth: int
) -> Iterator[tuple[int, dict[str, Any]]]:
    yield depth, {key: value for key, value in section.items() if key not in PARTS}
    for part, name in zip(PARTS, (run.registered, run.backbone, run.method), strict=True):
        if name in section.get(part, {}):
            yield from _layers(section[part][name], run, depth + 1)


def _expand(block: Mapping[str, Any]) -> list[Run]:
    names = ("datasets", "protocols", "backbones", "methods", "variants", "seeds")
    return [
        Run(dataset + PROTOCOLS[protocol], backbone, method, SUFFIXES[variant], seed)
        for dataset, protocol, backbone, method, variant, seed in product(*map(block.get, names))
    ]

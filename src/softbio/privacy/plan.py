"""What the second half of a benchmark asks for: whom it protects, by what, and who judges."""

import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from softbio.errors import UserError, nearest
from softbio.evaluators.registry import CANVAS, FRAME, EvaluatorSpec

# by their files, for importing them takes a second
PROTECTORS = sorted(
    path.stem for path in Path(__file__).parent.glob("protectors/[!_]*.py") if path.stem != "base"
)
# What a protector's file may be called: a folder beside `networks` has its name.
PROTECTOR_NAME = r"(?!networks\b)[a-z][a-z0-9_]*"
ORIGINAL = ("none", "original")
BETWEEN = "_to_"
# Sides of the aligned canvas in px. FRAME is its inner 128 of 168 units; the smallest canvas is
# used whose frame has at least the pixels asked for.
CANVASES = (168, 336)


def population_name(train: str, test: str | None) -> str:
    """ "celeba_to_lfw", or the name of the one data set."""
    return train if test in (None, train) else f"{train}{BETWEEN}{test}"


def members(name: str) -> list[str]:
    """Names of the data sets of a population; the training data come first."""
    return name.split(BETWEEN)


def canvas_side(size: int) -> int:
    """Side of the aligned canvas that faces of `size` px are cut from."""
    needed = size * CANVAS.half / FRAME.half
    return next((side for side in CANVASES if side >= needed), CANVASES[-1])


@dataclass(frozen=True)
class Condition:
    """How faces were protected: by a protector in one of its modes, with the networks of a seed."""

    seed: int
    protector: str
    mode: str

    @property
    def folder(self) -> str:
        """Its folder, below that of the population."""
        return f"seed{self.seed}/{self.protector}/{self.mode}"


@dataclass(frozen=True)
class HidingPlan:
    """The second half of a config; empty without `train`.

    train, test: data sets that are learnt from and judged on, test None where they are one;
    protectors: name -> modes; attacked: the same, of those that attackers work on; evaluators:
    names of the registry; comparisons: at most so many of either kind, mated and non-mated;
    diversity: ensembles whose classifiers are compared.
    """

    train: str | None
    test: str | None
    seeds: tuple[int, ...]
    protectors: Mapping[str, tuple[str, ...]]
    attacked: Mapping[str, tuple[str, ...]]
    evaluators: tuple[str, ...]
    comparisons: int
    diversity: tuple[str, ...] = ()

    @property
    def population(self) -> str | None:
        """Its name, in paths."""
        return population_name(self.train, self.test) if self.train else None

    @property
    def compared(self) -> list[str]:
        """Folders, below that of the population, of the comparisons of ensembles' classifiers: on
        the originals and, where the config asks for them, on the average of the ensemble e3 and on
        PrivacyNet's faces, which were trained against none of these classifiers."""
        places = {ORIGINAL, ("ensemble", "average"), ("privacynet", "g")}
        return [
            f"{condition.folder}/diversity/{each}"
            for condition in self.conditions()
            if (condition.protector, condition.mode) in places
            for each in self.diversity
        ]

    def conditions(self, attacked: bool = False) -> list[Condition]:
        """All conditions, or those that attackers work on. Faces that no network protects are made
        for the first seed alone; the originals for each seed, whose networks judge them. Blur,
        pixelation and the like are the same for all seeds. Face mixing is not: the first seed draws
        its mates. The intervals do not cover the choice of mates."""
        if not self.train:
            return []
        chosen = self.attacked if attacked else {ORIGINAL[0]: ORIGINAL[1:]} | dict(self.protectors)
        first, *more = self.seeds
        found = [Condition(first, name, mode) for name in chosen for mode in chosen[name]]
        if more:
            trained = {ORIGINAL[0]} | _with_networks(chosen)
            found += [
                Condition(seed, name, mode)
                for seed in more
                for name in chosen
                for mode in chosen[name]
                if name in trained
            ]
        return found


def _with_networks(names: Iterable[str]) -> set[str]:
    # torch takes seconds to import: only for a benchmark of several seeds
    from softbio.privacy.protectors import get_protector

    return {name for name in names if get_protector(name).needs}


def _needs_matcher(name: str) -> bool:
    """Whether a protector is trained against a matcher: all that need a network are, except those
    that need the auxiliary classifier alone."""
    from softbio.privacy.protectors import get_protector

    return bool(set(get_protector(name).needs) - {"classifier"})


def _once(values: Iterable[Any]) -> tuple[Any, ...]:
    """Without repeats: one condition is one folder."""
    return tuple(dict.fromkeys(values))


def check_evaluators(
    names: Iterable[str], matcher_net: str, specs: Mapping[str, EvaluatorSpec]
) -> None:
    """Raise UserError, before anything is trained, for an evaluator that is not in the registry or
    does not judge faces, and for a matcher in the loss that is not a matcher of the registry."""
    matchers = [name for name, spec in specs.items() if spec.kind == "matcher"]
    judges = [name for name, spec in specs.items() if spec.kind in ("gender", "matcher", "age")]
    for name in names:
        if name not in judges:
            raise UserError(
                f"config: privacy.evaluators: '{name}' judges no face: {nearest(name, judges)}"
                if name in specs
                else f"config: privacy.evaluators: '{name}' is unknown: {nearest(name, judges)}"
            )
    if matcher_net not in ("own", *matchers):
        remedy = nearest(matcher_net, ["own", *matchers])
        raise UserError(f"config: privacy.san.matcher_net: no matcher '{matcher_net}': {remedy}")


def without_subjects(dataset: str) -> str:
    """Why no matcher can be trained, and what to do."""
    return (
        f"config: '{dataset}' has no subject labels (datasets.{dataset}.subjects), so no matcher "
        "can be trained on it; choose one of the registry: privacy: san: matcher_net: dlib_resnet"
    )


def check_subjects(plan: HidingPlan, matcher_net: str, untold: Collection[str]) -> None:
    """Raise UserError, before anything is made, where a protector of the plan is trained against an
    own matcher and the training data have no subjects. untold: data sets without subjects."""
    if plan.train not in untold or matcher_net != "own":
        return
    if any(_needs_matcher(name) for name in plan.protectors):
        raise UserError(without_subjects(plan.train))


def hiding_plan(section: Mapping[str, Any], datasets: Iterable[str]) -> HidingPlan:
    """A config's section `privacy`, checked by the schema.

    Raises UserError for a data set or protector that does not exist, for a protector whose name
    cannot be a folder's, and for an attack on a condition that is not among the protectors.
    """
    plan = HidingPlan(
        section.get("train"),
        section.get("test"),
        _once(section.get("seeds", (0,))),
        {name: _once(modes) for name, modes in section.get("protectors", {}).items()},
        {name: _once(modes) for name, modes in section.get("attacked", {}).items()},
        _once(section.get("evaluators", ())),
        section.get("comparisons", 30_000),
        _once(section.get("diversity", ())),
    )
    known = list(datasets)
    for key in ("train", "test"):
        name = getattr(plan, key)
        if name is not None and name not in known:
            raise UserError(
                f"config: privacy.{key}: data set '{name}' is unknown: {nearest(name, known)}"
            )
        if name is not None and BETWEEN in name:
            raise UserError(
                f"config: privacy.{key}: '{name}' contains '{BETWEEN}', which separates the names "
                "of two data sets in paths; rename the data set"
            )
    _check_protectors(plan)
    if not plan.train and (plan.protectors or plan.test or plan.diversity):
        raise UserError("config: privacy.train is missing: the data set whose faces are protected")
    return plan


def _check_protectors(plan: HidingPlan) -> None:
    for name in [*plan.protectors, *plan.attacked]:
        if name not in PROTECTORS:
            raise UserError(
                f"config: privacy.protectors: '{name}' is unknown: {nearest(name, PROTECTORS)}"
            )
        if not re.fullmatch(PROTECTOR_NAME, name):
            raise UserError(
                f"config: privacy.protectors: no folder can be called '{name}': rename its file; "
                "allowed are lower-case letters, digits and underscores, a letter first, and any "
                "name but 'networks'"
            )
    for name, modes in plan.attacked.items():
        for mode in modes:
            if mode not in plan.protectors.get(name, ()):
                raise UserError(
                    f"config: privacy.attacked: {name} {mode} is not among privacy.protectors"
                )

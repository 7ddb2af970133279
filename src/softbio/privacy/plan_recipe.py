"""The recipes that a config's section `privacy` asks for: of a SAN, of the two networks that it is
trained against, and of a PrivacyNet."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from softbio.engine.recipe import recipe_from
from softbio.errors import UserError
from softbio.privacy.privacynet_recipe import PrivacyNetRecipe, privacynet_recipe
from softbio.privacy.recipe import DEFAULT, AuxiliaryRecipe, SanRecipe, san_recipe, variant_of

# Fields of the recipes that a config cannot set in these sections: they follow from the run, or
# from who may learn from whom.
AUXILIARY = ("kind", "dataset", "seed", "size", "part")
GIVEN = {
    "san": ("dataset", "seed"),
    "gender": AUXILIARY,
    "matcher": AUXILIARY,
    "privacynet": ("dataset", "seed", "size", "matcher_net", "ablation", "attributes"),
}
FOLLOWS = {
    "dataset": "privacy.train and privacy.test",
    "seed": "privacy.seeds",
    "size": "privacy.san.size",
    "kind": "the name of the section",
    "part": "who learns from whom; the auxiliaries learn from the part 'san'",
    "matcher_net": "privacy.san.matcher_net",
    "ablation": "the mode",
    "attributes": "the data",
}
# of the variants of SAN, which one of PrivacyNet goes with each, where a config names none
BESIDE = {"drawn64": "drawn64", "faces64": "faces64", "faces112": "gpu112"}
# five poolings in the auxiliary classifier
SMALLEST = 32


@dataclass(frozen=True)
class Plan:
    """The recipes of one SAN and of the two networks that it is trained against."""

    san: SanRecipe
    gender: AuxiliaryRecipe
    matcher: AuxiliaryRecipe


def plan_from(section: Mapping[str, Any], dataset: str, seed: int) -> Plan:
    """The recipes that a config's section `privacy` asks for.

    section: variant, and under san, gender and matcher what is to be changed of it. Raises
    UserError, naming the key, for what the recipes refuse.
    """
    changes = {kind: _changes(section, kind) for kind in ("san", "gender", "matcher")}
    name = section.get("variant", DEFAULT)
    variant = variant_of(name)
    san = san_recipe(name, dataset, seed, _place("san"), **changes["san"])
    if san.size < SMALLEST:
        raise UserError(f"{_place('san')}: size is {san.size}; it must be at least {SMALLEST}")
    shared = {"dataset": dataset, "seed": seed, "size": san.size}

    def judge(kind: str, own: Mapping[str, Any]) -> AuxiliaryRecipe:
        values = {**own, **changes[kind], **shared, "kind": kind}
        return recipe_from(values, AuxiliaryRecipe, _place(kind))

    return Plan(san, judge("gender", variant.gender), judge("matcher", variant.matcher))


def privacynet_plan(
    section: Mapping[str, Any], dataset: str, seed: int, ablation: str = "full"
) -> PrivacyNetRecipe:
    """The recipe that a config's section `privacy` asks for; faces and matcher are the SAN's.

    Raises UserError, naming the key, for what the recipes refuse.
    """
    san, changes = plan_from(section, dataset, seed).san, _changes(section, "privacynet")
    beside = BESIDE.get(section.get("variant", DEFAULT), "published")
    variant = changes.pop("variant", None) or beside
    shared = {"size": san.size, "matcher_net": san.matcher_net, "ablation": ablation}
    return privacynet_recipe(variant, dataset, seed, _place("privacynet"), **changes | shared)


def _changes(section: Mapping[str, Any], kind: str) -> dict[str, Any]:
    """What the config changes of a recipe; raises UserError for what follows from elsewhere."""
    changes = dict(section.get(kind, {}))
    for name in GIVEN[kind]:
        if name in changes:
            raise UserError(f"{_place(kind)}.{name} cannot be set: it follows from {FOLLOWS[name]}")
    return changes


def _place(kind: str) -> str:
    """What errors call a section."""
    return f"config: privacy.{kind}"

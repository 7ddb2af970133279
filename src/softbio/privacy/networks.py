"""Which networks the second half of a benchmark trains, each once, without importing torch."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from softbio.privacy.family import member_numbers, member_plan, parsed, stage_plan
from softbio.privacy.plan import HidingPlan
from softbio.privacy.plan_recipe import Plan, plan_from, privacynet_plan
from softbio.privacy.privacynet_recipe import PrivacyNetRecipe
from softbio.privacy.privacynet_recipe import parsed as hides
from softbio.privacy.recipe import AuxiliaryRecipe


@dataclass(frozen=True)
class Networks:
    """plans: those of the SANs; auxiliaries: classifiers and matchers that a protector is trained
    against, or whose diversity is measured; privacynets: each recipe, with the own matcher's."""

    plans: tuple[Plan, ...]
    auxiliaries: tuple[AuxiliaryRecipe, ...]
    privacynets: tuple[tuple[PrivacyNetRecipe, AuxiliaryRecipe], ...]

    def __len__(self) -> int:
        return len(self.plans) + len(self.auxiliaries) + len(self.privacynets)


def trained_networks(section: Mapping[str, Any], hiding: HidingPlan) -> Networks:
    """All networks but the project's own evaluators. section: a config's `privacy`, checked."""
    plans, auxiliaries, privacynets = [], [], []
    for seed in hiding.seeds:
        known = section, hiding.population, seed
        single, own = plan_from(*known), list(_plans(section, hiding, seed))
        modes = hiding.protectors.get("privacynet", ())
        ablations = {hides(mode)[1] for mode in modes}
        nets = [(privacynet_plan(*known, each), single.matcher) for each in sorted(ablations)]
        if single.san.matcher_net == "own" and (own or nets):
            auxiliaries.append(single.matcher)
        auxiliaries += [plan.gender for plan in own]
        auxiliaries += [
            member_plan(*known, diversity, member).gender
            for diversity in hiding.diversity
            for member in member_numbers(section)
        ]
        if "gradient_sign" in hiding.protectors:
            auxiliaries.append(single.gender)
        plans += own
        privacynets += nets
    # a series shares its first stage and all classifiers with the ensemble
    once = (tuple(dict.fromkeys(each)) for each in (plans, auxiliaries, privacynets))
    return Networks(*once)


def _plans(section: Mapping[str, Any], hiding: HidingPlan, seed: int) -> Iterator[Plan]:
    """The SANs of a seed: the single one, ensembles' and a series'."""
    known = section, hiding.population, seed
    every = member_numbers(section)
    if "san" in hiding.protectors:
        yield plan_from(*known)
    modes = hiding.protectors.get("ensemble", ())
    for diversity in sorted({parsed(mode)[1] for mode in modes}):
        yield from (member_plan(*known, diversity, member) for member in every)
    if "flowsan" in hiding.protectors:
        yield from (stage_plan(*known, stage) for stage in every)

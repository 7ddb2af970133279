"""The networks of an ensemble and of a series: their names and recipes. They are trained as the
single SAN and its auxiliary classifier are, by other recipes."""

import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from softbio.errors import UserError
from softbio.privacy.plan_recipe import Plan, plan_from

# How the members of an ensemble differ (`resampling`): by initialisation alone, by random faces
# taken twice, by equal numbers of each group. A mode without a suffix means the last.
DIVERSITIES = ("e1", "e2", "e3")
MEMBERS = 5
# between the seeds of two members: large, so that no member shares one with another run's networks
STEP = 100_003


def member_seed(seed: int, member: int) -> int:
    """The seed of a member's networks; the first member has the run's."""
    return (seed + STEP * (member - 1)) % 2**32


def member_numbers(section: Mapping[str, Any]) -> range:
    """The numbers, from 1, of an ensemble's members and of a series' stages. section: a config's
    `privacy`."""
    return range(1, section.get("members", MEMBERS) + 1)


def member_plan(
    section: Mapping[str, Any], dataset: str, seed: int, diversity: str, member: int
) -> Plan:
    """The recipes of a member, from 1, of the ensemble of a diversity; the matcher is the run's.

    section: a config's `privacy`. Raises UserError for a number above its `members`.
    """
    numbers = member_numbers(section)
    if member not in numbers:
        raise UserError(f"member {member}: there are {len(numbers)} members; raise privacy.members")
    groups = section.get("groups", "told")
    plan = plan_from(section, dataset, member_seed(seed, member))
    balanced = {"groups": groups} if diversity == "e3" else {}
    return Plan(
        replace(plan.san, groups=groups),
        replace(plan.gender, diversity=diversity, member=member, **balanced),
        plan_from(section, dataset, seed).matcher,
    )


def stage_plan(section: Mapping[str, Any], dataset: str, seed: int, stage: int) -> Plan:
    """The recipes of a stage, from 1, of a series: a member of the ensemble e3 whose input is the
    output of the stages before it."""
    plan = member_plan(section, dataset, seed, DIVERSITIES[-1], stage)
    return replace(plan, san=replace(plan.san, stage=stage))


def parsed(mode: str) -> tuple[str, str]:
    """What a mode of an ensemble does, and its diversity: "random-e1" is ("random", "e1").

    Raises UserError for any other suffix.
    """
    what, _, diversity = mode.partition("-")
    if diversity not in ("", *DIVERSITIES[:-1]):
        raise UserError(f"mode '{mode}': the suffix must be -e1 or -e2; no suffix means e3")
    return what, diversity or DIVERSITIES[-1]


def member_folder(diversity: str, member: int) -> str:
    """A member's folder below the networks of a seed; it holds gender and san."""
    return f"{diversity}/member{member}"


def classifier_folder(diversity: str, member: int) -> str:
    """The folder of a member's classifier. The first member of e1 shares the single SAN's: their
    recipes are the same."""
    first = (diversity, member) == (DIVERSITIES[0], 1)
    return "gender" if first else f"{member_folder(diversity, member)}/gender"


def judge_folder(san: str) -> str:
    """The folder of the classifier that a SAN is trained against: a member's or stage's own. san:
    the SAN's folder, below the networks of a seed."""
    first, *rest = san.split("/")
    if not rest:
        return classifier_folder(DIVERSITIES[0], 1)
    return classifier_folder(
        first if first in DIVERSITIES else DIVERSITIES[-1], int(re.sub(r"\D", "", rest[0]))
    )


def stage_folder(stage: int) -> str:
    """The folder of a stage's SAN. The first stage is the first member of the ensemble e3: their
    recipes are the same."""
    if stage == 1:
        return f"{member_folder(DIVERSITIES[-1], 1)}/san"
    return f"flowsan/stage{stage}"

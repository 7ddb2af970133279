"""The networks of an ensemble and of a series: what each is called, and by which recipes it comes
to be. All of it is the SAN's and its auxiliary classifier's training, by other recipes."""

import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from softbio.errors import UserError
from softbio.privacy.plan_recipe import Plan, plan_from

# Initialisation alone, random faces twice, and equal numbers of each group: `resampling`. The last
# is what a mode means that names none.
DIVERSITIES = ("e1", "e2", "e3")
MEMBERS = 5
# from seed to seed of the members, so that nobody shares one with the networks of another seed
STEP = 100_003


def member_seed(seed: int, member: int) -> int:
    """Of a member's networks; the first has that of the run."""
    return (seed + STEP * (member - 1)) % 2**32


def member_numbers(section: Mapping[str, Any]) -> range:
    """Of the members of an ensemble, and of the stages of a series. section: a config's
    `privacy`."""
    return range(1, section.get("members", MEMBERS) + 1)


def member_plan(
    section: Mapping[str, Any], dataset: str, seed: int, diversity: str, member: int
) -> Plan:
    """The recipes of a member, from 1, of the ensemble of a diversity; the matcher is the run's.

    section: a config's `privacy`. Raises UserError for a member that it does not have.
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
    """The recipes of a stage, from 1, of a series: a member of the last ensemble that takes what
    those before it gave."""
    plan = member_plan(section, dataset, seed, DIVERSITIES[-1], stage)
    return replace(plan, san=replace(plan.san, stage=stage))


def parsed(mode: str) -> tuple[str, str]:
    """What a mode of an ensemble does, and its diversity: "random-e1" is ("random", "e1").

    Raises UserError for a diversity that there is not.
    """
    what, _, diversity = mode.partition("-")
    if diversity not in ("", *DIVERSITIES[:-1]):
        raise UserError(f"mode '{mode}': behind '-' stands e1 or e2; without it the ensemble is e3")
    return what, diversity or DIVERSITIES[-1]


def member_folder(diversity: str, member: int) -> str:
    """Below the networks of a seed; holds gender and san."""
    return f"{diversity}/member{member}"


def classifier_folder(diversity: str, member: int) -> str:
    """The classifier of a member; that of the first of E1 is the single SAN's, for their recipes
    are the same."""
    first = (diversity, member) == (DIVERSITIES[0], 1)
    return "gender" if first else f"{member_folder(diversity, member)}/gender"


def judge_folder(san: str) -> str:
    """The classifier that the SAN of a folder is trained against: a member's or stage's own."""
    first, *rest = san.split("/")
    if not rest:
        return classifier_folder(DIVERSITIES[0], 1)
    return classifier_folder(
        first if first in DIVERSITIES else DIVERSITIES[-1], int(re.sub(r"\D", "", rest[0]))
    )


def stage_folder(stage: int) -> str:
    """The SAN of a stage; the first is the ensemble's first member, of which it differs in
    nothing."""
    if stage == 1:
        return f"{member_folder(DIVERSITIES[-1], 1)}/san"
    return f"flowsan/stage{stage}"

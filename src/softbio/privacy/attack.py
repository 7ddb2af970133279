"""Mounting every attack on the faces of one condition, and writing what each of them scores."""

import logging
import re
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pandas as pd

from softbio.engine.device import Determinism
from softbio.errors import UserError
from softbio.files import write_json
from softbio.privacy.attacks import get_attack, names
from softbio.privacy.attacks.base import Attack, Evidence, Scored
from softbio.privacy.evidence import SanFiles, gather, male, open_condition
from softbio.privacy.judging.panel import Registered
from softbio.privacy.protected import Protected
from softbio.results.scores import GenderAbout, GenderScores, write_gender

logger = logging.getLogger(__name__)
# behind the name of an image that is scored as it was before protection
CLEAN = "#clean"


def mount(evidence: Evidence) -> Iterator[tuple[Attack, Scored]]:
    """All attacks that can be mounted, and what they score."""
    for attack in map(get_attack, names()):
        if attack.absent(evidence):
            continue
        start = time.monotonic()
        for scored in attack.run(evidence):
            yield attack, scored
        logger.info("%s: %.1f s", attack.title, time.monotonic() - start)


def absent(evidence: Evidence) -> list[dict[str, str]]:
    """The attacks that cannot, and why, for index.json."""
    reasons = ((name, get_attack(name), get_attack(name).absent(evidence)) for name in names())
    return [
        {"name": name, "title": attack.title, "family": attack.family, "reason": reason}
        for name, attack, reason in reasons
        if reason
    ]


def score_file(scored: Scored, test: Protected) -> GenderScores:
    """The scores of the test faces as a score file; an attack that separates protected from clean
    faces is judged on both, the clean ones named by `CLEAN`."""
    frame = test.index[["image", "subject"]].assign(
        label=male(test).astype(np.int8), score=np.asarray(scored.scores, float)
    )
    told = {}
    if scored.clean is not None:
        told = {"positive": "protected", "negative": "clean"}
        clean = frame.assign(image=frame["image"] + CLEAN, label=0, score=scored.clean)
        frame = pd.concat([frame.assign(label=1), clean], ignore_index=True)
    about = GenderAbout(
        evaluator=scored.name,
        title=scored.title,
        threshold=scored.threshold,
        direction="higher",
        seen=False,
        **told,
        **test.about,
    )
    return GenderScores(about, frame)


def check_scored(attack: Attack, scored: Scored, before: Sequence[str], count: int) -> None:
    """Raise UserError for a name that is no file name, or stands in `before`: its scores would
    replace the others'; and for anything but a score for each of `count` test faces."""
    if not isinstance(scored, Scored):
        raise UserError(f"attack '{attack.title}': gives {type(scored)}; it must give Scored")
    where = f"attack '{attack.title}', scores '{scored.name}'"
    if not re.fullmatch(r"[a-z0-9_+]+", scored.name):
        raise UserError(f"{where}: name them by lower-case letters, digits, _ and + alone")
    if scored.name in before:
        raise UserError(f"{where}: there are scores of that name; choose another")
    for scores in (scored.scores, scored.clean):
        if scores is not None and np.shape(scores) != (count,):
            raise UserError(
                f"{where}: shape {np.shape(scores)}; one score is needed for each of {count} faces"
            )


def write_attacks(evidence: Evidence, test: Protected, folder: Path) -> None:
    """A score file of each attack, and index.json: which there are, and which not and why."""
    found = []
    with Determinism():
        for attack, scored in mount(evidence):
            check_scored(attack, scored, [about["name"] for about in found], len(test.index))
            write_gender(folder / f"{scored.name}.parquet", score_file(scored, test))
            text = f"{scored.text}. Known to the attacker: {attack.knows}."
            about = {"name": scored.name, "title": scored.title, "family": attack.family}
            about |= {"text": text, "citation": attack.citation, "knowing": scored.knowing}
            found.append(about)
    write_json(folder / "index.json", {"attacks": found, "absent": absent(evidence)})


@dataclass(frozen=True)
class AttackInputs:
    """What a condition is attacked with.

    condition: folder of the protected faces; original, evaluators, modes, third: as
    `evidence.gather` takes them, but folders of conditions; san: against a SAN.
    """

    condition: Path
    original: Path
    evaluators: Path
    modes: tuple[Path, ...] = ()
    san: SanFiles | None = None
    third: Registered = field(default_factory=Registered)


def attack_condition(
    inputs: AttackInputs, folder: Path, device: str = "auto", dataset: str = ""
) -> None:
    """Attack the test faces of a folder of protected faces with all that can be mounted.

    folder: for the score files; dataset: as `open_protected`. Raises UserError where files do not
    belong together.
    """
    given = open_condition(inputs.condition, dataset)
    evidence = gather(
        given,
        open_condition(inputs.original),
        inputs.evaluators,
        modes=inputs.modes,
        san=inputs.san,
        device=device,
        third=inputs.third,
    )
    write_attacks(evidence, given.test, folder)

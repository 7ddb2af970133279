"""All score files of one population, read and judged once: what tables, figures and claims use."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from softbio.errors import UserError
from softbio.hiding.diversity import Differing, read_differing
from softbio.hiding.population import Population, Training
from softbio.hiding.trained import Trained
from softbio.results.attribute_scores import AttributeScores, read_attribute
from softbio.results.conditions import of_mode, scorer_name
from softbio.results.records import read_json
from softbio.results.scores import (
    KINDS,
    ORIGINAL,
    ComparisonScores,
    read_comparisons,
    read_gender,
)
from softbio.statistics.intervals import Judged, Scores, judge
from softbio.statistics.subjects import RESAMPLES

NONE = "none"
QUALITY = ["image", "subject", "psnr", "ssim"]
# the file stems' last word
GALLERY, ATTACK = "gallery", "attack"


@dataclass(frozen=True)
class Condition:
    """A folder of protected faces, and what its card says of it."""

    folder: Path
    protector: str
    mode: str
    seed: int
    title: str = ""
    citation: str = ""
    knows_gender: bool = False
    in_talk: bool = False

    @property
    def name(self) -> str:
        """As tables print it."""
        protector = ORIGINAL if self.protector == NONE else self.title or self.protector
        return of_mode(protector, self.mode)


@dataclass(frozen=True)
class Absent:
    """An evaluator or attack without scores, and why."""

    name: str
    title: str
    kind: str
    reason: str


@dataclass(frozen=True)
class About:
    """An attack: its printed name, what kind it is of, what it does and who published it; knowing:
    whether it took anything of the protection, or faces that went through it."""

    name: str
    title: str
    family: str
    text: str
    citation: str
    knowing: bool = True


@dataclass(frozen=True)
class Hiding:
    """One population's evidence.

    gender, attributes (age and race), matching (verification) and attacks are judged;
    identification: comparisons with a gallery; quality: a row a protected test image, with columns
    `QUALITY`, protector, mode, seed and condition; attack_names: attack -> what it is; differing:
    classifiers of ensembles; prototypes: the file of those that an ensemble or a series works with;
    trained: the networks behind the conditions. Everything else in the order of `conditions`.
    """

    population: Population
    conditions: tuple[Condition, ...]
    gender: tuple[Judged, ...] = ()
    matching: tuple[Judged, ...] = ()
    identification: tuple[ComparisonScores, ...] = ()
    attacks: tuple[Judged, ...] = ()
    quality: pd.DataFrame = field(default_factory=lambda: pd.DataFrame(columns=QUALITY))
    attack_names: Mapping[str, About] = field(default_factory=dict)
    absent: tuple[Absent, ...] = ()
    trainings: tuple[Training, ...] = ()
    differing: tuple[Differing, ...] = ()
    prototypes: Path | None = None
    attributes: tuple[Judged, ...] = ()
    trained: tuple[Trained, ...] = ()

    @property
    def dataset(self) -> str:
        """The data set that is judged on, by its registered name."""
        for item in (*self.gender, *self.matching, *self.identification):
            return item.about.dataset
        return self.population.name

    @cached_property
    def seeds(self) -> tuple[int, ...]:
        """Of the SANs, or of the conditions where there is none."""
        sans = {c.seed for c in self.conditions if c.protector == "san"}
        return tuple(sorted(sans or {c.seed for c in self.conditions}))

    @cached_property
    def pairs(self) -> str:
        """The pair list that figures and claims use: all pairs, or View 2 without them."""
        found = {item.about.pairs for item in self.matching}
        return "all" if "all" in found or not found else sorted(found)[0]

    @property
    def verification(self) -> list[Judged]:
        """Judged comparisons of that pair list."""
        return [item for item in self.matching if item.about.pairs == self.pairs]

    @property
    def probes(self) -> list[Judged]:
        """Of these the ones with original references: what matching is left after protection."""
        return [item for item in self.verification if item.about.kind in KINDS[:2]]


def read_condition(folder: Path) -> Condition:
    """Of card.json; raises UserError where it is none."""
    card = read_json(folder / "card.json")
    try:
        known = {name: card[name] for name in ("title", "citation", "knows_gender", "in_talk")}
        return Condition(folder, card["protector"], card["mode"], int(card["seed"]), **known)
    except (KeyError, TypeError, ValueError) as error:
        raise UserError(
            f"{folder}/card.json: not that of protected faces ({error}); protect them again"
        ) from None


def distinct(items: Iterable[Any]) -> list[Any]:
    """Score files without those that repeat another of the same scorer and condition to the last
    score: what does not depend on a SAN's seed is scored again beside each SAN."""
    found: dict[tuple, list[Any]] = {}
    for item in items:
        about, rows = item.about, item.frame
        value = "prediction" if isinstance(item, AttributeScores) else "score"
        rest = getattr(about, "kind", ""), getattr(about, "pairs", "")
        key = (scorer_name(about), about.protector, about.mode, about.seen, *rest, len(rows))
        same = found.setdefault(key, [])
        if not any(np.array_equal(each.frame[value], rows[value]) for each in same):
            same.append(item)
    return [item for same in found.values() for item in same]


def _checked(scores: Any, path: Path, condition: Condition) -> Any:
    """The scores; raises UserError where the file is about another condition than its folder."""
    about = scores.about
    place = condition.protector, condition.mode
    expected = (ORIGINAL, "") if condition.protector == NONE else place
    if (about.protector, about.mode) != expected or about.seed not in (None, condition.seed):
        raise UserError(
            f"{path}: scores of {about.protector} {about.mode}, seed {about.seed}, in the folder "
            f"of {condition.protector} {condition.mode}, seed {condition.seed}; score it again"
        )
    return scores


def _files(condition: Condition, pattern: str) -> list[Path]:
    return sorted(condition.folder.glob(pattern))


def _read(conditions: Sequence[Condition], pattern: str, read: Any) -> list[Any]:
    return distinct(
        _checked(read(path), path, condition)
        for condition in conditions
        for path in _files(condition, pattern)
    )


def _quality(conditions: Sequence[Condition]) -> pd.DataFrame:
    parts, columns = [], [*QUALITY, "protector", "mode", "seed", "condition"]
    for condition in conditions:
        for path in _files(condition, "scores/quality.parquet"):
            frame = pd.read_parquet(path)
            if lacking := [name for name in QUALITY if name not in frame]:
                raise UserError(f"{path}: no column '{lacking[0]}'; score the condition again")
            names = {key: getattr(condition, key) for key in ("protector", "mode", "seed")}
            parts.append(frame[QUALITY].assign(**names, condition=condition.name))
    return pd.concat(parts, ignore_index=True) if parts else pd.DataFrame(columns=columns)


def _told(path: Path, key: str) -> list[dict[str, Any]]:
    """A list of index.json; empty where there is none."""
    return read_json(path).get(key, []) if path.is_file() else []


def _absent(conditions: Sequence[Condition], attacked: Sequence[Condition]) -> tuple[Absent, ...]:
    """Evaluators, each once, for what is absent is so in every condition; then attacks."""
    found = {}
    for condition in conditions:
        for entry in _told(condition.folder / "scores/index.json", "absent"):
            name = entry.get("evaluator", "")
            title, reason = entry.get("title") or name, entry.get("reason", "")
            found.setdefault((title, reason), Absent(name, title, entry.get("kind", ""), reason))
    for condition in attacked:
        for entry in _told(condition.folder / "attacks/index.json", "absent"):
            name = entry.get("name") or entry.get("attack", "")
            title = f"{entry.get('title') or name}, {condition.name}"
            reason = entry.get("reason", "")
            found.setdefault((title, reason), Absent(name, title, ATTACK, reason))
    return tuple(found.values())


def _attack_names(conditions: Sequence[Condition]) -> dict[str, About]:
    found = {}
    for condition in conditions:
        for entry in _told(condition.folder / "attacks/index.json", "attacks"):
            keys = ("name", "title", "family", "text", "citation")
            told = (str(entry.get(key, "")) for key in keys)
            item = About(*told, knowing=entry.get("knowing") is not False)
            found.setdefault(item.name, item)
    return found


def subjects_of(items: Sequence[Scores]) -> np.ndarray:
    """All subjects that some score file has: those that are drawn for each, or else a subject that
    a list of pairs or an evaluator has passed over would part its draws from the others'."""
    sides = [
        side.astype(str)
        for item in items
        for side in (item.subjects if isinstance(item, ComparisonScores) else (item.subjects,))
    ]
    return np.unique(np.concatenate(sides)) if sides else np.array([], str)


def _each_once(conditions: Iterable[Condition]) -> tuple[Condition, ...]:
    """Raises UserError where two folders are one condition."""
    known: dict[tuple[str, str, int], Condition] = {}
    for each in conditions:
        key = (each.protector, each.mode, each.seed)
        if key in known:
            raise UserError(
                f"{each.folder}: the same condition as {known[key].folder}; name one of them"
            )
        known[key] = each
    return tuple(known.values())


def load_hiding(
    population: Population,
    conditions: Sequence[Path | str],
    attacked: Sequence[Path | str] = (),
    trainings: Sequence[Training] = (),
    resamples: int = RESAMPLES,
    diversity: Sequence[Path | str] = (),
    prototypes: Path | None = None,
    trained: Sequence[Trained] = (),
) -> Hiding:
    """Read and judge the score files of some conditions' folders: scores/, and attacks/ of those
    that are `attacked`. diversity: as `read_differing`; prototypes and trained: as in
    `Hiding`.

    Raises UserError for a folder without card, for a file that is none of scores or lies in another
    condition's folder, and where two folders are one condition.
    """
    found = _each_once(map(read_condition, map(Path, conditions)))
    folders = set(map(Path, attacked))
    under_attack = [condition for condition in found if condition.folder in folders]
    gender = _read(found, "scores/gender/*.parquet", read_gender)
    attributes = _read(found, "scores/attributes/*.parquet", read_attribute)
    comparisons = _read(found, "scores/match/*.parquet", read_comparisons)
    attacks = _read(under_attack, "attacks/*.parquet", read_gender)
    verification = [item for item in comparisons if item.about.pairs != GALLERY]
    among = subjects_of([*gender, *attributes, *verification, *attacks])

    def judged(items: Iterable[Any]) -> tuple[Judged, ...]:
        return tuple(judge(item, resamples, among) for item in items)

    return Hiding(
        population,
        found,
        gender=judged(gender),
        matching=judged(verification),
        identification=tuple(item for item in comparisons if item.about.pairs == GALLERY),
        attacks=judged(attacks),
        quality=_quality(found),
        attack_names=_attack_names(under_attack),
        absent=_absent(found, under_attack),
        trainings=tuple(trainings),
        differing=read_differing(map(Path, diversity), resamples, among),
        prototypes=prototypes,
        attributes=judged(attributes),
        trained=tuple(trained),
    )

"""What is wrong with a split: images and subjects in two parts, missing ages, disputed labels."""

import json
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from softbio.data.card import of_parts
from softbio.data.packed import load_packed
from softbio.data.packing.fingerprints import BITS, NEAR, near_pairs, read_fingerprints
from softbio.data.repair import Alike, Repaired, repair, write_repaired
from softbio.data.splitlists import PARTS, read_csv
from softbio.data.traits import Ages, rank_count
from softbio.errors import UserError
from softbio.files import write_json

# part, and the part it must share nothing with
PAIRS = [("test", "train"), ("valid", "train"), ("test", "valid")]


@dataclass(frozen=True)
class Overlap:
    """What the images of `part` share with those of `other`.

    images: in `part`; identical: of these, with a pixel-identical image in `other`; similar: with a
    near-duplicate there but nothing identical; subject: with an image of their subject there, of
    `with_subject` whose subject is known. None where the data cannot show it.
    """

    part: str
    other: str
    images: int
    identical: int | None
    similar: int | None
    subject: int | None
    with_subject: int


@dataclass(frozen=True)
class Findings:
    """The audit of one split.

    images: part -> images; missing: part -> ages without an image, empty where the trait is gender;
    disputed: groups of identical images with more than one label, and the images in them (None
    where pixels are unknown); removed: reason -> images that the split leaves out; moved: images in
    another part than the published one.
    """

    images: dict[str, int]
    overlaps: list[Overlap]
    missing: dict[str, list[int]]
    disputed_groups: int | None
    disputed_images: int | None
    removed: dict[str, int] = field(default_factory=dict)
    moved: int = 0


def find(frame: pd.DataFrame, ages: Ages, alike: Alike | None = None) -> Findings:
    """Audit a split.

    frame: a row an image with label (rank), split (rows outside `PARTS` are ignored), subject (None
    where unknown), gender and race; alike: which rows show the same, None where there are only
    lists.
    """
    parts = of_parts(frame, rank_count(ages))
    present = [part for part in PARTS if part in parts["counts"]]
    pairs = [pair for pair in PAIRS if set(pair) <= set(present)]
    disputed = (None, None) if alike is None else _disputed(frame, alike)
    return Findings(
        images=parts["counts"],
        overlaps=[_overlap(frame, *pair, alike) for pair in pairs],
        missing={
            part: [ages[0] + rank for rank in ranks]
            for part, ranks in (parts["missing_ranks"].items() if ages else ())
        },
        disputed_groups=disputed[0],
        disputed_images=disputed[1],
    )


def _overlap(frame: pd.DataFrame, part: str, other: str, alike: Alike | None) -> Overlap:
    here, there = ((frame["split"] == name).to_numpy() for name in (part, other))
    identical = similar = subject = None
    if alike is not None:
        twins = here & np.isin(alike.identical, alike.identical[there])
        near = np.zeros(len(frame), bool)
        for one, two in (alike.near.T, alike.near.T[::-1]):
            near[one[there[two]]] = True
        identical, similar = int(twins.sum()), int((near & here & ~twins).sum())
    known = here & frame["subject"].notna().to_numpy()
    if known.any():
        subject = int(frame["subject"][known].isin(frame["subject"][there].dropna()).sum())
    return Overlap(part, other, int(here.sum()), identical, similar, subject, int(known.sum()))


def _disputed(frame: pd.DataFrame, alike: Alike) -> tuple[int, int]:
    """Groups of identical images under more than one label, and images in them."""
    seen = frame["split"].isin(PARTS).to_numpy()
    by_group = frame["label"][seen].groupby(alike.identical[seen])
    disputed = by_group.nunique() > 1
    return int(disputed.sum()), int(by_group.size()[disputed].sum())


def of_repaired(frame: pd.DataFrame, ages: Ages, alike: Alike, repaired: Repaired) -> Findings:
    """Audit the repaired split of the same images."""
    found = find(frame.assign(split=repaired.part), ages, alike)
    kept = repaired.part != "removed"
    moved = int((repaired.part[kept] != frame["split"].to_numpy()[kept]).sum())
    reasons = pd.Series(repaired.reason[~kept]).str.split(":").str[0].value_counts()
    removed = {reason: int(n) for reason, n in reasons.sort_index().items()}
    return Findings(**vars(found) | {"removed": removed, "moved": moved})


def read_lists(lists: dict[str, Path], ages: tuple[int, int], subject: str | None) -> pd.DataFrame:
    """Split lists of coral-cnn (part -> CSV whose column `age` is the rank) as `find` takes them.

    subject: the column that names the person, None where there is none. Raises UserError for a file
    without the column and for a rank outside the ages.
    """
    frames = []
    for part, path in lists.items():
        frame = _read_list(path, subject)
        outside = ~frame["label"].between(0, ages[1] - ages[0])
        if outside.any():
            rank = frame["label"][outside].iloc[0]
            raise UserError(f"{path}: rank {rank} is outside ages {ages[0]}-{ages[1]}; correct one")
        frames.append(frame.assign(split=part, gender=None, race=None))
    return pd.concat(frames, ignore_index=True)


def _read_list(path: Path, subject: str | None) -> pd.DataFrame:
    frame = read_csv(path, ["age"] if subject is None else ["age", subject])
    if not frame["age"].str.fullmatch(r"\d{1,4}").all():
        raise UserError(f"{path}: column 'age' must hold ranks, whole numbers from 0; correct it")
    people = None if subject is None else frame[subject]
    return pd.DataFrame({"label": frame["age"].astype(int), "subject": people})


def audit_lists(
    lists: dict[str, Path], ages: tuple[int, int], subject: str | None, out: Path
) -> None:
    """Audit split lists without their images; write the findings as JSON."""
    _write(out, {"published": find(read_lists(lists, ages, subject), ages)}, lists=_names(lists))


def audit(packed: Path, repaired: Path, out: Path) -> None:
    """Audit a packed data set, write its repaired split into a folder of its own, audit that too.

    packed: folder of the data set; repaired: folder to write, itself a packed data set; out:
    audit.json with the findings of both. Raises UserError for a folder that is not one, and where
    the images do not suffice for a repaired split.
    """
    data = load_packed(packed)
    identical, hashes = read_fingerprints(packed / "fingerprints.parquet", data.index["image"])
    alike = Alike(identical, near_pairs(hashes))
    better = repair(data.index, alike)
    write_repaired(packed, repaired, data.index, better)
    findings = {
        "published": find(data.index, data.ages, alike),
        "repaired": of_repaired(data.index, data.ages, alike, better),
    }
    rule = f"perceptual hashes that differ in at most {NEAR} of {BITS} bits"
    _write(out, findings, near_duplicate=rule)


def _names(lists: dict[str, Path]) -> dict[str, str]:
    return {part: Path(path).name for part, path in lists.items()}


def _write(out: Path, findings: dict[str, Findings], **about: Any) -> None:
    record = about | {"splits": {name: asdict(found) for name, found in findings.items()}}
    write_json(out, record)


def read_audit(path: Path) -> dict[str, Findings]:
    """Split ("published", "repaired") -> findings, from audit.json; raises UserError."""
    try:
        splits = json.loads(Path(path).read_text())["splits"]
        return {
            name: Findings(**found | {"overlaps": [Overlap(**o) for o in found["overlaps"]]})
            for name, found in splits.items()
        }
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise UserError(f"{path}: not an audit ({error}); delete it and run again") from None

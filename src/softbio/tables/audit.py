"""The audit of the splits: published and repaired side by side."""

from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path

import pandas as pd

from softbio.data.audit import Findings, Overlap, read_audit
from softbio.data.packing.fingerprints import BITS, NEAR
from softbio.data.splitlists import PARTS
from softbio.results.formats import ABSENT
from softbio.results.labels import label
from softbio.tables.layout import Row, Table

NAMES = {"train": "training", "valid": "validation", "test": "test"}
CAPTION = (
    "What the parts of each split share, and what they lack. Pixel-identical: the decoded images, "
    "before any resizing. Near-duplicate: not identical, but perceptual hashes (pHash) that differ "
    f"in at most {NEAR} of {BITS} bits, as those of re-encoded, rescaled or slightly cropped "
    "copies do; mirrored copies are not found. A dash: not known for this data set, or no such "
    "part. Repaired split: one of several identical images is kept, none if their labels differ; "
    "near-duplicates and subjects stay in one part; the parts have the published sizes and are "
    "stratified by label. Select it with protocols: [repaired] in the grid; split.csv of the "
    "packed data set lists the part of each image."
)


def audits(paths: dict[str, Path]) -> Table | None:
    """The table of all data sets; paths: data set -> audit.json."""
    rows, long = [], []
    for dataset, path in paths.items():
        splits = read_audit(path)
        lines = {name: dict(_lines(found, splits)) for name, found in splits.items()}
        for finding in lines["published"]:
            cells = [lines[name].get(finding, ABSENT) for name in ("published", "repaired")]
            rows.append(Row([label(dataset), finding, *cells]))
        long += [_numbers(dataset, name, found) for name, found in splits.items()]
    if not rows:
        return None
    columns = [("", name) for name in ("Data set", "Finding", "Published", "Repaired")]
    frame = pd.DataFrame([number for numbers in long for number in numbers])
    frame = frame.astype({"count": "Int64", "of": "Int64"})
    return Table(
        name="audit",
        title="Split audit",
        caption=CAPTION,
        long=frame,
        columns=columns,
        rows=rows,
        heads=2,
    )


def _lines(found: Findings, splits: dict[str, Findings]) -> Iterator[tuple[str, str]]:
    """(finding, its value as printed), the same findings for each of the splits."""
    parts = [part for part in PARTS if any(part in other.images for other in splits.values())]
    for part in parts:
        yield f"{NAMES[part].capitalize()} images", f"{found.images.get(part, 0):,}"
    for overlap in found.overlaps:
        yield from _shared(overlap)
    count = found.disputed_groups
    yield (
        "Groups of identical images under different labels",
        ABSENT if count is None else f"{count:,} ({found.disputed_images:,} images)",
    )
    for part in parts:
        if part in found.missing:
            ages = ", ".join(map(str, found.missing[part])) or "none"
            yield f"Ages without a {NAMES[part]} image", ages
    reasons = ", ".join(f"{reason} {n:,}" for reason, n in found.removed.items())
    left_out = f"{sum(found.removed.values()):,}"
    yield "Images left out", f"{left_out} ({reasons})" if reasons else left_out
    yield "Images in another part than published", f"{found.moved:,}"


def _shared(overlap: Overlap) -> Iterator[tuple[str, str]]:
    part, other = NAMES[overlap.part].capitalize(), NAMES[overlap.other]
    kinds = {
        f"{part} images with a pixel-identical {other} image": overlap.identical,
        f"{part} images with a near-duplicate {other} image": overlap.similar,
    }
    for finding, count in kinds.items():
        yield finding, _share(count, overlap.images)
    finding = f"{part} images whose subject has a {other} image"
    yield finding, _share(overlap.subject, overlap.with_subject)


def _share(count: int | None, of: int) -> str:
    return ABSENT if count is None else f"{count:,} of {of:,} ({count / max(of, 1):.1%})"


def _numbers(dataset: str, split: str, found: Findings) -> Iterator[dict]:
    """The rows of the CSV: data set, split, finding, part, other part, count, and of how many."""

    def row(finding: str, count: object, part: str = "", other: str = "", of: object = None):
        head = {"dataset": dataset, "split": split, "finding": finding, "part": part}
        return head | {"other": other, "count": count, "of": of}

    for part, n in found.images.items():
        yield row("images", n, part)
    for overlap in map(asdict, found.overlaps):
        place = (overlap["part"], overlap["other"])
        for kind in ("identical", "similar"):
            yield row(kind, overlap[kind], *place, overlap["images"])
        yield row("subject", overlap["subject"], *place, overlap["with_subject"])
    yield row("disputed groups", found.disputed_groups)
    yield row("disputed images", found.disputed_images)
    for part, ages in found.missing.items():
        yield row("missing ages", len(ages), part)
    for reason, n in found.removed.items():
        yield row(f"left out: {reason}", n)
    yield row("moved", found.moved)

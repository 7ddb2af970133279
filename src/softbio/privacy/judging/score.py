"""Scoring one condition: gender, age, race, matching and image quality of its test faces.

Scores, not decisions: `softbio.results.scores` says what stands in the files.
"""

import logging
import shutil
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from softbio.data.pairs import CAP
from softbio.errors import UserError
from softbio.files import atomic, write_json
from softbio.metrics.quality import psnr, ssim
from softbio.privacy import GENDERS
from softbio.privacy.judging.comparisons import (
    GALLERY,
    Limits,
    PairList,
    compared,
    listed_pairs,
    pair_lists,
)
from softbio.privacy.judging.panel import (
    Absent,
    Member,
    Panel,
    PanelInputs,
    open_panel,
    registered,
)
from softbio.privacy.judging.score_attributes import attribute_scores
from softbio.privacy.protected import Protected, open_protected
from softbio.privacy.protectors import get_protector
from softbio.results.attribute_scores import write_attribute
from softbio.results.scores import (
    KINDS,
    ComparisonAbout,
    ComparisonScores,
    GenderAbout,
    GenderScores,
    write_comparisons,
    write_gender,
)

if TYPE_CHECKING:
    # imports PyYAML, which is not on every GPU machine; nor is what locates files, see below
    from softbio.data.registry import DatasetSpec

logger = logging.getLogger(__name__)

SCORES = "scores"
FOLDERS = ("gender", "attributes", "match", "embeddings")


@dataclass(frozen=True)
class ScoreFiles:
    """What is scored, and where its evaluators are.

    protected: images.npy of the condition; original: that of the same faces unprotected, None where
    the condition is that one; networks, own: folders, as `PanelInputs`; index: index.parquet of all
    faces; registry, receipt: of third-party evaluators. sources: sources.json of the tested data
    set, where it has a pair list; left_out: left_out.csv of the population.
    """

    protected: Path
    networks: Path
    own: Path
    index: Path
    original: Path | None = None
    registry: Path | None = None
    receipt: Path | None = None
    sources: Path | None = None
    left_out: Path | None = None


@dataclass(frozen=True)
class ScoreSettings:
    """What is scored: protector: of the condition, by name; spec: of the tested data set;
    evaluators: names of third-party ones; matcher_net, subjects: as `PanelInputs`; comparisons: as
    `Limits`."""

    protector: str
    spec: "DatasetSpec"
    evaluators: tuple[str, ...] = ()
    matcher_net: str = "own"
    subjects: bool = True
    comparisons: int = CAP


def score_condition(
    files: ScoreFiles, settings: ScoreSettings, out: Path, device: str = "auto"
) -> None:
    """Score one condition by all who can judge it, as `score` does. Raises UserError as that, as
    `open_panel` and as `listed_pairs`."""
    from softbio.data.fetching.locate import locate

    spec = settings.spec
    third = registered(settings.evaluators, files.registry, files.receipt)
    judges = PanelInputs(files.networks, files.own, third, settings.matcher_net, settings.subjects)
    panel = open_panel(get_protector(settings.protector), spec.name, judges, device)
    listed = None
    if files.sources is not None:
        pairs = locate(spec, files.sources.parent).lists["pairs"]
        listed = listed_pairs(pairs, files.index, files.left_out, spec.options.get("folds"))
    score(
        files.protected.parent,
        None if files.original is None else files.original.parent,
        panel,
        out,
        limits=Limits(settings.comparisons),
        listed=listed,
        dataset=spec.name,
    )


def score(
    condition: Path,
    original: Path | None,
    panel: Panel,
    out: Path,
    limits: Limits | None = None,
    listed: pd.DataFrame | None = None,
    dataset: str = "",
) -> None:
    """Score the test faces of a condition by all of a panel.

    condition, original: folders of `protect_parts`, original None where the condition is the
    unprotected one; its embeddings are taken from `original`/scores where they are there. listed: a
    pair list with folds, "view2"; dataset: as `open_protected`.

    Writes into `out` gender/{evaluator}.parquet, attributes/{evaluator}.parquet (age and race),
    match/{matcher}.{kind}.{pairs}.parquet, embeddings/{matcher}.npy (float32 (n, D), rows as the
    test rows of the index), quality.parquet (not for the unprotected) and, last, index.json. Raises
    UserError where the folders do not belong together.
    """
    faces = open_protected(condition, dataset=dataset)
    before = None if original is None else open_protected(original, dataset=dataset)
    check_before(faces, before, condition)
    for name in FOLDERS:
        shutil.rmtree(out / name, ignore_errors=True)
    for member in panel.of("gender"):
        write_gender(out / f"gender/{member.name}.parquet", gender_scores(member, faces))
    absent = panel.absent + _attributes(faces, panel, out)
    try:
        lists = pair_lists(faces.index, limits or Limits(), listed)
    except UserError as error:
        lists = {}
        absent += tuple(_silent(member, error) for member in panel.of("matcher"))
    for member in panel.of("matcher") if lists else ():
        match(member, faces, before, original, lists, out)
    if before is not None:
        with atomic(out / "quality.parquet") as part:
            quality(faces, before).to_parquet(part, index=False)
    record = {"absent": [asdict(entry) for entry in absent], "test_images": len(faces.index)}
    write_json(out / "index.json", record)


def _silent(member: Member, error: UserError) -> Absent:
    """An evaluator that has nothing to say of these faces, with the reason."""
    logger.warning("%s does not judge: %s", member.name, error)
    return Absent(member.name, member.title, member.kind, str(error))


def _attributes(faces: Protected, panel: Panel, out: Path) -> tuple[Absent, ...]:
    """Write what readers of age and race say; gives those that cannot, with the reason."""
    absent = []
    for member in panel.of("age", "race"):
        start = time.perf_counter()
        try:
            scores = attribute_scores(member, faces)
        except UserError as error:
            absent.append(_silent(member, error))
            continue
        write_attribute(out / f"attributes/{member.name}.parquet", scores)
        _log(member, len(scores.frame), start)
    return tuple(absent)


def check_before(faces: Protected, before: Protected | None, folder: Path) -> None:
    """Raise UserError unless `before` shows the same faces unprotected, or is None for faces that
    are unprotected themselves."""
    if faces.is_original != (before is None):
        raise UserError(f"{folder}: faces are compared with the unprotected ones; give those too")
    if before is None:
        return
    if not before.is_original or before.seed != faces.seed:
        raise UserError(f"{folder}: the originals are those of another seed or are protected")
    same = before.images.shape == faces.images.shape
    if not same or not before.index["image"].equals(faces.index["image"]):
        raise UserError(f"{folder}: other faces than the originals; protect both again")


def gender_scores(member: Member, faces: Protected) -> GenderScores:
    """What one gender classifier says; images of unknown gender, or without a finite score, are
    left out and counted."""
    start = time.perf_counter()
    values = member.answers(faces.images)
    known = faces.index["gender"].isin(GENDERS).to_numpy() & np.isfinite(values)
    rows = faces.index[known]
    frame = pd.DataFrame(
        {
            "image": rows["image"],
            "subject": rows["subject"],
            "label": (rows["gender"] == GENDERS[1]).astype(int),
            "score": values[known].astype(float),
        }
    )
    about = GenderAbout(
        evaluator=member.name,
        threshold=member.threshold,
        direction="higher",
        seen=member.seen,
        title=member.title,
        failed=int((~known).sum()),
        **faces.about,
    )
    _log(member, len(values), start)
    return GenderScores(about, frame.reset_index(drop=True))


def match(
    member: Member,
    faces: Protected,
    before: Protected | None,
    original: Path | None,
    lists: dict[str, PairList],
    out: Path,
) -> None:
    """Embed the faces, and write embeddings and comparisons of one matcher."""
    start = time.perf_counter()
    embedded = member.answers(faces.images).astype(np.float32)
    with atomic(out / f"embeddings/{member.name}.npy") as part:
        np.save(part, embedded)
    _log(member, len(embedded), start)
    if before is None:
        kinds = {KINDS[0]: (embedded, list(lists))}
    else:
        unprotected = _references(member, before, original)
        others = [name for name in lists if name != GALLERY]
        kinds = {KINDS[1]: (unprotected, list(lists)), KINDS[2]: (embedded, others)}
    images = faces.index["image"].to_numpy(object)
    for kind, (references, names) in kinds.items():
        for name in names:
            todo = lists[name]
            sides = (references, embedded)
            made = compared(member.evaluator, todo.frame, images, *sides, name == GALLERY)
            about = ComparisonAbout(
                matcher=member.name,
                kind=kind,
                measure="similarity",
                pairs=name,
                seen=member.seen,
                title=member.title,
                failed=todo.missing + made[1],
                **faces.about,
            )
            path = out / f"match/{member.name}.{kind}.{name}.parquet"
            write_comparisons(path, ComparisonScores(about, made[0]))


def _references(member: Member, before: Protected, original: Path) -> np.ndarray:
    """Embeddings of the unprotected faces, float32 (n, D): as they were stored, or made again."""
    path = original / SCORES / f"embeddings/{member.name}.npy"
    if not path.exists():
        return member.answers(before.images).astype(np.float32)
    try:
        stored = np.load(path, allow_pickle=False)
        if stored.ndim != 2 or len(stored) != len(before.index):
            raise ValueError(f"shape {stored.shape} for {len(before.index)} faces")
    except (OSError, EOFError, ValueError) as error:
        raise UserError(f"{path}: no embeddings of these faces ({error}); score again") from None
    return stored


def quality(faces: Protected, before: Protected) -> pd.DataFrame:
    """Image, subject, psnr (dB, infinite for equal images) and ssim of each face."""
    # the three channels are equal
    pairs = list(zip(before.images[..., 0], faces.images[..., 0], strict=True))
    frame = faces.index[["image", "subject"]]
    return frame.assign(psnr=[psnr(*pair) for pair in pairs], ssim=[ssim(*pair) for pair in pairs])


def _log(member: Member, count: int, start: float) -> None:
    seconds = time.perf_counter() - start
    logger.info("%s: %d faces in %.1f s", member.name, count, seconds)

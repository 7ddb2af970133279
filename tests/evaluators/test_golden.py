"""Each third-party evaluator on clean real faces, beside what it reached when its recipe was made.

Half an hour on all of LFW's View 2, so never in `make test`: `make evaluators-check` runs it on a
part, and prints the table.
"""

import time
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from softbio.data.alignment.align import align, load_aligned
from softbio.data.fetching.locate import locate
from softbio.data.pairs import read_view2
from softbio.data.readers import read
from softbio.data.registry import load_registry
from softbio.evaluators.fetch import is_ready
from softbio.evaluators.finders import DETECTOR, finders
from softbio.evaluators.interface import open_evaluator
from softbio.evaluators.registry import load_evaluators
from tests.conftest import ROOT, SHARED

SPECS = load_evaluators()
FETCHED = ROOT / "resources/evaluators"
# EER and TMR at 1 % FMR, in %
MATCHERS = {
    "sface": (2.3, 98.5),
    "dlib_resnet": (2.0, 98.5),
    "faceres_descriptor": (1.6, 97.6),
}
# balanced accuracy in % on LFW and CelebA, at the threshold as shipped; 200 faces each
GENDER = {
    "faceres": (100.0, 98.1),
    "dlib_gender": (97.5, 94.5),
    "age_gender": (97.8, 96.1),
    "levi_hassner": (92.3, 89.5),
}
rows: list[str] = []


@pytest.fixture(scope="module", autouse=True)
def table(request):
    """Skips what was not asked for; prints the table at the end."""
    if not any(Path(str(arg)).name == "evaluators" for arg in request.config.args):
        pytest.skip("minutes of work: make evaluators-check")
    if not is_ready(SPECS[DETECTOR], FETCHED):
        pytest.skip("weights are not fetched: snakemake --cores 1 evaluators")
    yield
    print("\n\nevaluator            data    n      measure            found  expected  ms/image")
    print("\n".join(rows))


def ready(name: str):
    if not is_ready(SPECS[name], FETCHED):
        pytest.skip(f"the weights of {name} are not fetched; see receipt.json")
    return open_evaluator(SPECS[name], FETCHED)


def aligned(name: str, sources: dict, keep, folder: Path):
    """The chosen images of a data set, aligned; what `keep` makes of the reader's records."""
    import softbio.data.alignment.align as module

    spec = load_registry(ROOT / "config/datasets.yaml", sources)[name]
    chosen = keep(read(spec, locate(spec, folder / "raw")))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "read", lambda *_: chosen)
        align(spec, folder, folder / "raw", finders(SPECS, FETCHED)["find"])
    return load_aligned(folder)


def one_a_subject(count: int):
    """So many subjects of each gender, an image each."""

    def keep(records):
        frame = records.frame[records.frame["gender"].notna()]
        frame = frame.drop_duplicates("subject").groupby("gender").sample(count, random_state=0)
        return type(records)(frame.reset_index(drop=True))

    return keep


@pytest.fixture(scope="module")
def pairs(request) -> pd.DataFrame:
    """The first pairs of each kind and fold of View 2."""
    frame = read_view2(SHARED / "datasets/lfw/pairs.txt")
    return frame.groupby(["fold", "mated"]).head(request.config.getoption("--pairs"))


@pytest.fixture(scope="module")
def lfw(sources, pairs, tmp_path_factory):
    def keep(records):
        frame = records.frame
        wanted = frame["image"].isin({*pairs["reference"], *pairs["probe"]})
        return type(records)(frame[wanted].reset_index(drop=True))

    return aligned("lfw", sources, keep, tmp_path_factory.mktemp("lfw"))


@pytest.fixture(scope="module", params=["lfw", "celeba"])
def faces(request, sources, tmp_path_factory):
    count = request.config.getoption("--faces")
    folder = tmp_path_factory.mktemp(request.param)
    return request.param, aligned(request.param, sources, one_a_subject(count), folder)


def accuracy_of_folds(scores, mated, fold) -> tuple[float, float]:
    """View 2: the threshold of the other nine folds; mean and standard error over the folds."""
    found = []
    for number in np.unique(fold):
        others, own = fold != number, fold == number
        thresholds = np.unique(scores[others])
        right = [((scores[others] >= t) == mated[others]).mean() for t in thresholds]
        found.append(((scores[own] >= thresholds[np.argmax(right)]) == mated[own]).mean())
    return float(np.mean(found)), float(np.std(found, ddof=1) / len(found) ** 0.5)


def rates(scores, mated) -> tuple[float, float]:
    """EER, and TMR at 1 % FMR."""
    non_mated = np.sort(scores[~mated])
    thresholds = np.unique(scores)
    fmr = 1 - np.searchsorted(non_mated, thresholds) / len(non_mated)
    fnmr = np.searchsorted(np.sort(scores[mated]), thresholds) / mated.sum()
    nearest = np.argmin(abs(fmr - fnmr))
    return (fmr[nearest] + fnmr[nearest]) / 2, 1 - fnmr[fmr <= 0.01].min()


def note(name, data, n, what, found, expected, ms="") -> None:
    rows.append(f"{name:20} {data:7} {n:<6} {what:18} {found:5}  {expected:8}  {ms}")


@pytest.mark.parametrize("name", sorted(MATCHERS))
def test_a_matcher_reaches_its_accuracy_on_lfw(name, lfw, pairs):
    matcher = ready(name)
    place = {image: row for row, image in enumerate(lfw.index["image"])}
    seen = pairs[pairs["reference"].isin(place) & pairs["probe"].isin(place)]
    start = time.perf_counter()
    embedded = matcher.embed(np.asarray(lfw.images))
    ms = f"{1000 * (time.perf_counter() - start) / len(lfw.images):.1f}"
    a, b = (embedded[seen[side].map(place).to_numpy()] for side in ("reference", "probe"))
    scores, mated = matcher.compare(a, b), seen["mated"].to_numpy()
    accuracy, error = accuracy_of_folds(scores, mated, seen["fold"].to_numpy())
    eer, tmr = rates(scores, mated)
    expected = MATCHERS[name]
    n = len(seen)
    note(name, "lfw", n, "10-fold accuracy %", f"{100 * accuracy:.2f}", f"se {100 * error:.2f}", ms)
    note(name, "lfw", n, "EER %", f"{100 * eer:.2f}", f"{expected[0]}")
    note(name, "lfw", n, "TMR at FMR 1 % %", f"{100 * tmr:.2f}", f"{expected[1]}")
    assert 100 * eer < expected[0] + slack(expected[0], mated.sum())
    assert 100 * tmr > expected[1] - slack(expected[1], mated.sum())


def slack(expected: float, n: int) -> float:
    """Three standard errors of the difference of two shares, in %; what is expected was found on
    some hundreds of pairs itself."""
    share = expected / 100
    return 300 * (share * (1 - share) * (1 / n + 1 / 300)) ** 0.5


@pytest.mark.parametrize("name", sorted(GENDER))
def test_a_gender_classifier_reaches_its_balanced_accuracy(name, faces):
    data, found = faces
    classifier = ready(name)
    male = (found.index["gender"] == "male").to_numpy()
    start = time.perf_counter()
    scores = classifier.scores(np.asarray(found.images))
    ms = f"{1000 * (time.perf_counter() - start) / len(male):.1f}"
    right = (scores > classifier.spec.output.threshold) == male
    share = 100 * (right[male].mean() + right[~male].mean()) / 2
    expected = GENDER[name][data == "celeba"]
    note(name, data, len(male), "balanced accuracy", f"{share:.1f}", f"{expected}", ms)
    # the expectation is one of 200 faces, +-3.5, drawn otherwise; and so, or less, is what is found
    assert share > expected - 6

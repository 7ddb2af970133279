"""From predictions to statistics: alignment of images, the family of tests, the file."""

import statistics
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from softbio.errors import UserError
from softbio.results.evaluate import evaluate_file
from softbio.results.predictions import About, write_predictions
from softbio.results.records import Records, load
from softbio.statistics.contests import (
    Errors,
    Statistics,
    absolute_errors,
    compare,
    corrected,
    pairs_of,
    read_statistics,
    write_statistics,
)
from softbio.statistics.means import Interval, holm

N = 60


def write(root: Path, method: str, seed: int, change=None) -> Path:
    """The run folder of a made-up method; `change` spoils its predictions."""
    rng = np.random.default_rng([len(method), seed])
    labels = np.arange(N) % 10
    frame = pd.DataFrame(
        {
            "image": [f"{i}.png" for i in range(N)], "selection": "last", "label": labels,
            "prediction": np.clip(labels + rng.integers(-3, 4, N), 0, 9),
            "probabilities": [[]] * N, "gender": None, "race": None,
            "subject": [f"s{i // 3}" for i in range(N)],
        }
    )  # fmt: skip
    folder = root / "faces/small8" / method / f"seed{seed}"
    folder.mkdir(parents=True)
    about = About("faces", "small8", method, "", seed, "point", (20, 29))
    write_predictions(folder / "predictions.parquet", about, change(frame) if change else frame)
    evaluate_file(folder / "predictions.parquet", folder / "metrics.json")
    return folder


def records(root: Path, change=None) -> Records:
    """Two methods by two seeds; `change` befalls the last one."""
    runs = [("coral", 0), ("coral", 1), ("orcnn", 0)]
    folders = [write(root, *run) for run in runs]
    return load([*folders, write(root, "orcnn", 1, change)])


def test_one_image_of_an_unknown_subject_leaves_the_others_theirs(tmp_path):
    def lacking(frame: pd.DataFrame) -> pd.DataFrame:
        return frame.assign(subject=frame["subject"].where(frame["image"] != "0.png", None))

    runs = [("coral", 0), ("orcnn", 0)]
    found = compare(load([write(tmp_path, *run, lacking) for run in runs]))
    # nineteen subjects of three images, one of two, and an image that is its own
    assert found.pairs[0].units == N // 3 + 1
    assert found.pairs[0].by_subject


def test_images_in_another_order_change_nothing(tmp_path):
    plain = compare(records(tmp_path / "a"))
    turned = compare(records(tmp_path / "b", lambda frame: frame.sample(frac=1, random_state=1)))
    assert plain == turned
    assert len(plain.pairs) == 1
    assert plain.pairs[0].units == N // 3  # subjects


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda frame: frame.iloc[1:], "59 test images, .* has 60"),
        (lambda frame: frame.assign(image=frame["image"] + "x"), "are not the 60 of the other"),
        (lambda frame: frame.assign(label=frame["label"].to_numpy()[::-1]), "its labels are not"),
        (lambda frame: pd.concat([frame, frame]), "is there twice"),
    ],
)
def test_predictions_of_other_images_are_named(tmp_path, change, message):
    with pytest.raises(UserError, match=f"orcnn/seed1.*{message}"):
        compare(records(tmp_path, change))


def test_a_subject_that_is_not_known_makes_each_image_its_own(tmp_path):
    found = records(tmp_path, None)
    runs = {"coral": found.select("faces", "small8")[:1]}
    errors = absolute_errors(found, runs, "last")
    assert len(errors.clusters(errors.by_method["coral"][0]).sums) == N // 3
    assert len(replace(errors, subjects=None).clusters(np.ones(N)).sums) == N


def test_the_family_is_the_whole_report():
    rng = np.random.default_rng(2)
    errors = Errors({name: rng.gamma(2, 2, (3, 40)) for name in "abcd"}, None)
    pairs = list(pairs_of(errors, dataset="d", backbone="b", selection="last"))
    assert len(pairs) == 6
    adjusted = [pair.p_holm for pair in corrected(pairs)]
    np.testing.assert_allclose(adjusted, holm([pair.p for pair in pairs]))


def test_a_pair_is_the_first_method_less_the_second():
    """By hand: means of 2 and 4 years, each the same for both seeds."""
    errors = Errors({"a": np.array([[1.0, 3] * 20] * 2), "b": np.array([[4.0, 4] * 20] * 2)}, None)
    (pair,) = pairs_of(errors, dataset="d", backbone="b", selection="last")
    assert (pair.a, pair.b, pair.seeds_a, pair.seeds_b, pair.units) == ("a", "b", 2, 2, 40)
    assert pair.images.estimate == pair.seeds.estimate == -2
    assert pair.relative == -0.5
    # differences of -3 and -1: a mean of -2 over an SD of 1 (n), of which 40 images make n - 1
    assert pair.effect == pytest.approx(-2 / np.sqrt(40 / 39))


def test_pairs_are_found_by_their_contest():
    rng = np.random.default_rng(2)
    errors = Errors({name: rng.gamma(2, 2, (2, 10)) for name in "ab"}, None)
    places = [("d", "b", "last"), ("d", "b", "best"), ("d", "c", "last"), ("e", "b", "last")]
    keys = [dict(zip(("dataset", "backbone", "selection"), place, strict=True)) for place in places]
    found = Statistics(pairs=tuple(pair for key in keys for pair in pairs_of(errors, **key)))
    for place, pair in zip(places, found.pairs, strict=True):
        assert found.between(*place) == [pair]


def test_a_single_seed_decides_nothing():
    rng = np.random.default_rng(2)
    errors = Errors({"a": rng.gamma(2, 2, (1, 40)), "b": 5 + rng.gamma(2, 2, (3, 40))}, None)
    pair = next(pairs_of(errors, dataset="d", backbone="b", selection="last"))
    assert pair.images.excludes_zero
    assert pair.total is None
    assert pair.separated is None


def test_the_file_reads_back_as_it_was(tmp_path):
    found = records(tmp_path / "runs")
    write_statistics(found, tmp_path / "statistics.json")
    assert read_statistics(tmp_path / "statistics.json") == compare(found)
    (tmp_path / "statistics.json").write_text('{"pairs": [{"a": 1}], "uncertainties": []}')
    with pytest.raises(UserError, match=r"statistics.json: not a statistics file"):
        read_statistics(tmp_path / "statistics.json")


def test_separated_asks_both_for_the_interval_and_for_the_corrected_test():
    errors = Errors({name: np.ones((2, 4)) for name in "ab"}, None)
    (pair,) = pairs_of(errors, dataset="d", backbone="b", selection="last")

    def separated(low: float, high: float, p: float, p_holm: float) -> bool:
        return replace(pair, total=Interval(-2.0, low, high), p=p, p_holm=p_holm).separated

    assert separated(-3, -1, 0.001, 0.049)
    assert not separated(-3, -1, 0.001, 0.051)
    assert not separated(-5, 1, 0.001, 0.001)


def test_the_spread_over_seeds_is_that_of_their_mean_errors(tmp_path):
    found = compare(records(tmp_path))
    frames = [pd.read_parquet(path) for path in sorted(tmp_path.rglob("predictions.parquet"))[:2]]
    means = [float((frame["prediction"] - frame["label"]).abs().mean()) for frame in frames]
    (coral,) = (each for each in found.uncertainties if each.method == "coral")
    assert (coral.seeds, coral.units) == (2, N // 3)
    assert coral.seed_sd == pytest.approx(statistics.stdev(means))
    assert coral.images.estimate == pytest.approx(statistics.mean(means))

"""The measured effects are differences of means over the same seeds."""

import numpy as np
import pytest

from softbio.published.numbers import read_published
from softbio.report.ladder import L0, rungs
from softbio.results.predictions import read_predictions
from softbio.results.records import Records, load
from softbio.statistics.effects import effects
from tests.conftest import ROOT
from tests.report import synthetic


@pytest.fixture
def found(made) -> dict[str, dict[str, float]]:
    return {e.choice: e.years for e in effects(made.records) if "width 32" in e.place}


def mean(made, **equal) -> float:
    keys = {"selection": "last", "decoding": "published", "variant": "", "metric": "mae"} | equal
    frame = made.records.runs.query("backbone == 'small32'")
    for column, value in keys.items():
        frame = frame[frame[column] == value]
    return frame["value"].mean()


def test_selection_decoding_and_weights(made, found):
    last = mean(made, method="orcnn")
    changes = {
        "Best validation epoch instead of the last": {"selection": "best"},
        "Expected value instead of the published decoding": {"decoding": "expected"},
        "Task importance weights": {"variant": "-weighted"},
    }
    assert set(found) == set(changes)
    for choice, change in changes.items():
        expected = mean(made, method="orcnn", **change) - last
        assert found[choice]["orcnn"] == pytest.approx(expected)
    assert "ce" not in found["Task importance weights"]


def test_other_seeds_are_not_compared(made, tmp_path):
    """A weighted run that lacks a seed has no twin to be compared with."""
    runs = [f for f in made.results.runs if "small32" in f.parts or "control" in f.parts]
    kept = [f for f in runs if not ("orcnn-weighted" in f.parts and f.name == "seed2")]
    found = {e.choice: e.years for e in effects(load(kept))}
    assert set(found["Task importance weights"]) == {"coral"}


@pytest.fixture(scope="module")
def repaired(tmp_path_factory) -> tuple[Records, dict[str, list[float]]]:
    """Runs of one method on a published split and on its repaired one, which has other errors; and
    those errors, taken of their predictions, by data set and seed."""
    runs, errors = [], {}
    for number, name in enumerate(("faces", "faces-repaired")):
        images = synthetic._images(np.random.default_rng(20 + number))
        place = {"dataset": name, "backbone": "small32", "method": "coral", "variant": ""}
        for seed in range(3):
            root = tmp_path_factory.mktemp(f"{name}{seed}")
            runs.append(synthetic._train(root, images, {**place, "seed": seed}))
            frame = read_predictions(runs[-1] / "predictions.parquet")[1]
            last = frame[frame["selection"] == "last"]
            error = (last["prediction"] - last["label"]).abs().mean()
            errors.setdefault(name, []).append(error)
    return load(runs), errors


def test_a_repaired_split_is_minus_its_published_twin(repaired):
    records, errors = repaired
    before, after = (np.mean(errors[name]) for name in ("faces", "faces-repaired"))
    assert abs(after - before) > 0.02
    found = {effect.choice: effect.years for effect in effects(records)}
    change = found["Repaired split, whose test images differ"]
    assert change == {"coral": pytest.approx(after - before)}


def test_the_ladder_tells_the_published_split_first(repaired):
    records, errors = repaired
    told = [f"{np.mean(v):.2f} ± {np.std(v, ddof=1):.2f}" for v in errors.values()]
    assert told[0] != told[1]
    _, _, third = rungs(records, read_published(ROOT / "config/published.csv"), L0())
    assert f": CORAL-CNN {told[0]} to {told[1]}. Their test images differ" in third.text


def test_the_page_says_them(page):
    text = page.read_text()
    assert "Best validation epoch instead of the last (Drawn faces, Small CNN, width 32)" in text

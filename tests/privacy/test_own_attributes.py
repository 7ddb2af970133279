"""Readers of age and race: they learn what is told, say why where nothing is, and are scored."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import balanced_accuracy_score

from softbio.errors import UserError
from softbio.evaluators.crop import FRAME
from softbio.evaluators.interface import AgeEstimator, ClassReader
from softbio.evaluators.own import own_spec
from softbio.privacy.judging.own_attributes import READERS, open_reader, train_reader
from softbio.privacy.judging.panel import Absent, Member, Panel
from softbio.privacy.judging.score import score
from softbio.privacy.judging.score_attributes import attribute_scores
from softbio.privacy.parts import PARTS
from softbio.privacy.protected import Protected

SIDE = 32


def faces(count: int) -> tuple[np.ndarray, pd.DataFrame]:
    """Noise that is brighter with age, striped across or down by race."""
    random, number = np.random.default_rng(2), np.arange(count)
    age, race = 20 + 20 * (number % 3), number // 3 % 2
    wave = 40 * np.sin(np.arange(SIDE) * np.pi / 3)
    waves = np.where(race[:, None, None] == 1, wave[None, :, None], wave[None, None, :])
    grey = 2.5 * age[:, None, None] + waves + random.normal(0, 10, (count, SIDE, SIDE))
    images = np.repeat(grey.clip(0, 255).astype(np.uint8)[..., None], 3, axis=3)
    names = [f"{each:04d}" for each in number]
    index = pd.DataFrame({"image": names, "subject": names, "label": 0, "split": "train"})
    index["gender"] = np.array(["female", "male"])[number // 6 % 2]
    return images, index.assign(age=age, race=np.array(["A", "B"])[race])


def written(folder: Path, index: pd.DataFrame, images: np.ndarray) -> tuple[Path, Path]:
    """A packed data set, and its parts: most of it is for the evaluators."""
    (folder / "packed").mkdir()
    np.save(folder / "packed/images.npy", images)
    index.to_parquet(folder / "packed/index.parquet")
    (folder / "packed/card.json").write_text('{"ages": [0, 0]}')
    number = np.arange(len(index))
    part = np.where(
        number < len(index) - 36, PARTS[1], np.array(PARTS)[np.array([0, 2, 3])[number // 12 % 3]]
    )
    columns = index[["image", "subject", "gender"]]
    columns.assign(part=part).to_csv(folder / "parts.csv", index=False)
    return folder / "packed", folder / "parts.csv"


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    folder = tmp_path_factory.mktemp("readers")
    images, index = faces(132)
    files = written(folder, index, images)
    for name in READERS:
        train_reader(name, *files, folder / name, "cpu", size=SIDE, epochs=8)
    return folder


def test_they_learn_ages_and_races(trained):
    images, index = faces(60)
    years = open_reader(trained / "own_coral", "own_coral")._answers(images, FRAME)
    means = [years[(index["age"] == age).to_numpy()].mean() for age in (20, 40, 60)]
    assert means == sorted(means)
    assert means[2] - means[0] > 10
    assert (years.min(), years.max()) >= (20, 20)
    assert years.max() <= 60
    reader = open_reader(trained / "own_race", "own_race")
    assert reader.values == ("A", "B")
    told = (index["race"] == "B").astype(int)
    assert balanced_accuracy_score(told, reader._answers(images, FRAME)) > 0.8


def test_coral_is_this_pipelines(trained):
    recipe = json.loads((trained / "own_coral/run.json").read_text())["recipe"]
    assert (recipe["method"], recipe["bias"]) == ("coral", "descending")
    assert not (trained / "own_coral/packed").exists()


def test_where_nothing_is_told_nothing_is_trained(tmp_path):
    images, index = faces(60)
    files = written(tmp_path, index.assign(race=None, age=np.nan), images)
    for name, what in (("own_coral", "age groups"), ("own_race", "races")):
        train_reader(name, *files, tmp_path / name, "cpu")
        assert [path.name for path in (tmp_path / name).iterdir()] == ["told.json"]
        with pytest.raises(UserError, match=f"learn from do not show two {what}, each with 20"):
            open_reader(tmp_path / name, name)
    with pytest.raises(UserError, match="no reader was trained"):
        open_reader(tmp_path / "nowhere", "own_race")


def member(kind: str, answers: np.ndarray) -> Member:
    """Who says what is given, whatever it sees."""
    spec = own_spec("fake", "Fake", SIDE, 255, kind)
    readers = {"age": lambda: AgeEstimator(spec, None),
               "race": lambda: ClassReader(spec, None, ("A", "B"))}  # fmt: skip

    class Told(Member):
        def answers(self, faces):
            return answers

    return Told("fake", "Fake", kind, readers[kind]())


def protected(index: pd.DataFrame, images: np.ndarray) -> Protected:
    return Protected("none", "original", 0, "", "faces", images, index)


def test_scores_are_what_is_told_and_predicted():
    images, index = faces(120)
    index.loc[:2, "age"] = np.nan
    answers = np.arange(120, dtype=np.float32)
    answers[5] = np.nan
    found = attribute_scores(member("age", answers), protected(index, images))
    assert found.about.failed == 4
    kept = [row for row in range(120) if row > 2 and row != 5]
    assert found.frame["prediction"].tolist() == kept
    assert found.frame["label"].tolist() == index["age"][kept].tolist()


def test_races_that_a_reader_does_not_know_are_left_out():
    images, index = faces(120)
    index.loc[:29, "race"] = "C"
    found = attribute_scores(member("race", np.zeros(120)), protected(index, images))
    assert (found.about.failed, found.about.values) == (30, ("A", "B"))
    index["race"] = np.where(np.arange(120) % 2, "C", "A")
    with pytest.raises(UserError, match="knows fewer than two races"):
        attribute_scores(member("race", np.zeros(120)), protected(index, images))


def test_who_has_nothing_to_say_is_absent_with_the_reason(tmp_path):
    images, index = faces(60)
    written(tmp_path, index.assign(race=None, part="test"), images)
    card = {"ages": [0, 0], "protector": "none", "mode": "original", "seed": 0, "title": ""}
    (tmp_path / "packed/card.json").write_text(json.dumps(card))
    gone = Absent("gone", "Gone", "gender", "not there")
    panel = Panel((member("age", np.full(60, 30.0)), member("race", np.zeros(60))), (gone,))
    score(tmp_path / "packed", None, panel, tmp_path / "out", dataset="faces")
    assert [path.name for path in (tmp_path / "out/attributes").iterdir()] == ["fake.parquet"]
    absent = json.loads((tmp_path / "out/index.json").read_text())["absent"]
    assert [entry["reason"] for entry in absent] == [
        "not there",
        "the test faces do not show two races, each with 20 faces or more",
    ]

"""Reading gender: numbers against scikit-learn and closed forms, published beside ours."""

import json
from dataclasses import asdict
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import accuracy_score, balanced_accuracy_score, roc_auc_score

from softbio.engine.recipe import Recipe
from softbio.errors import UserError
from softbio.published.numbers import read_published
from softbio.reading.judge import UNLABELLED, judge, judge_file, wilson
from softbio.reading.load import load_readings
from softbio.reading.notebook import RECIPE, TESTED, deviations, printed
from softbio.results.evaluate import evaluate
from softbio.results.predictions import About, read_predictions, write_predictions
from softbio.results.run import Run
from softbio.tables.reading import accuracy, groups, subjects
from tests.conftest import ROOT

ABOUT = About("celeba", "resnet101", "ce", "", 1, "class", None, "CE-CNN", True)
PUBLISHED = read_published(ROOT / "config/published.csv")


def predictions(n: int = 120, seed: int = 0, spread: float = 0.25) -> pd.DataFrame:
    """Two selections of n images of 30 subjects, with some age groups untold."""
    rng = np.random.default_rng(seed)
    subject = rng.integers(0, 30, n)
    label = subject % 2
    frames = []
    for selection in ("last", "best"):
        male = np.clip(0.3 + 0.4 * label + rng.normal(0, spread, n), 0.001, 0.999)
        male = male.astype(np.float32)
        frames.append(
            pd.DataFrame(
                {
                    "image": [f"{i}.jpg" for i in range(n)],
                    "selection": selection,
                    "label": label,
                    "prediction": (male > 0.5).astype(int),
                    "probabilities": list(np.stack([1 - male, male], axis=1)),
                    "gender": np.where(label == 1, "male", "female"),
                    "race": None,
                    "subject": subject.astype(str),
                    "age_group": np.where(np.arange(n) % 5 == 0, None, "young"),
                }
            )
        )
    return pd.concat(frames, ignore_index=True)


def table(frame: pd.DataFrame) -> pd.DataFrame:
    numbers = pd.DataFrame([asdict(number) for number in judge(ABOUT, frame)])
    return numbers.set_index(["selection", "by", "group", "metric"]).sort_index()


@pytest.mark.parametrize("seed", range(3))
def test_numbers_are_scikit_learns(seed):
    frame = predictions(seed=seed)
    found = table(frame)["value"]
    for selection, part in frame.groupby("selection"):
        label, decided = part["label"], part["prediction"]
        male = np.stack(part["probabilities"].to_list())[:, 1]
        of = found[selection]["all", ""]
        assert of["accuracy"] == pytest.approx(accuracy_score(label, decided))
        assert of["balanced_accuracy"] == pytest.approx(balanced_accuracy_score(label, decided))
        assert of["auc"] == pytest.approx(roc_auc_score(label, male))
        for gender, of_gender in part.groupby("gender"):
            expected = accuracy_score(of_gender["label"], of_gender["prediction"])
            assert found[selection, "gender", gender, "accuracy"] == pytest.approx(expected)
        right = (label == decided).groupby(part["subject"])
        assert found[selection, "subject", "", "accuracy"] == pytest.approx(right.mean().mean())
        assert found[selection, "subject", "", "with_error"] == (~right.all()).mean()


def test_every_image_is_in_one_age_group_and_untold_ones_are_named():
    found = table(predictions())
    counts = found.xs("age_group", level="by").xs("last", level="selection")["n"]
    names = counts.index.get_level_values("group")
    assert dict(zip(names, counts, strict=True)) == {"young": 96, UNLABELLED: 24}
    assert "race" not in found.index.get_level_values("by")


@given(n=st.integers(1, 3000), share=st.floats(0, 1))
def test_wilsons_limits_solve_his_equation(n, share):
    """Wilson 1927: both limits p satisfy |x/n - p| = z sqrt(p (1 - p) / n)."""
    hits, z = round(share * n), 1.959963984540054
    low, high = wilson(hits, n)
    assert 0 <= low <= hits / n <= high <= 1
    for p in (low, high):
        assert abs(hits / n - p) == pytest.approx(z * np.sqrt(p * (1 - p) / n), abs=1e-9)


def test_images_of_one_person_are_no_independent_evidence():
    """Where people are always decided alike, an interval over them is wider than over images."""
    frame = predictions(600)
    wrong = frame["subject"].astype(int) % 5 == 0
    label = frame["label"].to_numpy()
    male = np.where(wrong, 1 - label, label) * 0.8 + 0.1
    frame["probabilities"] = list(np.stack([1 - male, male], axis=1).astype(np.float32))
    row = table(frame).loc["last", "all", "", "accuracy"]
    over, around = row["high"] - row["low"], row["wilson_high"] - row["wilson_low"]
    assert over > 2 * around
    assert row["low"] < row["value"] < row["high"]


def test_decisions_at_one_half_go_to_the_first_class_as_argmax_does():
    frame = predictions()
    frame["probabilities"] = [np.array([0.5, 0.5], np.float32)] * len(frame)
    share = (frame["label"] == 0).mean()
    assert table(frame).loc[("last", "all", "", "accuracy"), "value"] == pytest.approx(share)


def test_thresholds_are_read_as_classes_are():
    """P(y > 0) of an ordinal method is P(male)."""
    frame = predictions()
    ordinal = frame.assign(probabilities=[p[1:] for p in frame["probabilities"]])
    about = About(*("celeba", "resnet101", "coral", "", 1), "exceedance", None)
    found = pd.DataFrame([asdict(number) for number in judge(about, ordinal)])
    expected = pd.DataFrame([asdict(number) for number in judge(ABOUT, frame)])
    pd.testing.assert_frame_equal(found, expected)


@pytest.mark.parametrize(
    ("about", "change", "message"),
    [
        ({"ages": (20, 60)}, lambda f: f, "of ages, not of gender"),
        ({"kind": "point"}, lambda f: f, "method 'ce' gives no probability of a gender"),
        ({}, lambda f: f.iloc[:0], "no test image"),
        ({}, lambda f: pd.concat([f, f.iloc[:1]]), "there twice"),
        ({}, lambda f: f[f["label"] == 1], "test on images of both genders"),
    ],
)
def test_what_can_not_be_judged_is_one_line(about, change, message):
    with pytest.raises(UserError, match=message) as caught:
        judge(About(**(asdict(ABOUT) | about)), change(predictions()))
    assert "\n" not in str(caught.value)


def test_gender_is_not_judged_in_years():
    with pytest.raises(UserError, match="of gender"):
        evaluate(ABOUT, predictions())


def test_predictions_of_gender_are_kept_as_they_are(tmp_path):
    path = tmp_path / "predictions.parquet"
    write_predictions(path, ABOUT, predictions())
    about, frame = read_predictions(path)
    assert about == ABOUT
    assert (about.ages, about.k) == (None, 2)
    assert frame["age_group"].notna().sum() == 2 * 96


def recipe_with(**changes) -> Recipe:
    """The published recipe but for these fields."""
    names = {"dataset": "celeba", "backbone": "resnet101", "method": "ce", "variant": "", "seed": 1}
    return Recipe(**(RECIPE | names | changes))


def write_run(root: Path, **changes) -> Path:
    """The folder of a run of that recipe."""
    recipe = recipe_with(**changes)
    run = Run(recipe.dataset, recipe.backbone, recipe.method, "", recipe.seed)
    folder = root / run.folder
    folder.mkdir(parents=True)
    frame = predictions(spread=0.1)
    about = About(*asdict(run).values(), "class", None, "CE-CNN", in_talk=True)
    write_predictions(folder / "predictions.parquet", about, frame)
    judge_file(folder / "predictions.parquet", folder / "metrics.json")
    record = {"recipe": asdict(recipe), "n_train": 162_770, "n_test": TESTED}
    (folder / "run.json").write_text(json.dumps(record))
    return folder


@pytest.mark.parametrize(
    ("changes", "n_train", "expected"),
    [
        ({}, 162_770, []),
        ({"backbone": "resnet34"}, 162_770, []),
        ({"dataset": "celeba-repaired"}, 162_770, ["split"]),
        ({"backbone": "small16", "epochs": 3}, 162_770, ["backbone", "epochs"]),
        ({"method": "coral"}, 162_770, ["method"]),
        ({"size": 64, "crop": 64}, 162_770, ["size", "crop"]),
        ({}, 7_000, ["batches an epoch"]),
        ({"batch": 256}, 162_770, ["batch"]),
        ({"variant": "-shuffled"}, 162_770, ["control"]),
    ],
)
def test_a_run_is_held_against_the_published_recipe(changes, n_train, expected):
    record = {"recipe": asdict(recipe_with(**changes)), "n_train": n_train, "n_test": TESTED}
    assert [each.field for each in deviations(record)] == expected


def test_another_test_part_is_another_recipe():
    """Fewer images would widen the interval and so make agreement more likely."""
    record = {"recipe": asdict(recipe_with()), "n_train": 162_770, "n_test": 500}
    (found,) = deviations(record)
    assert (found.field, found.published, found.ours) == ("test images", "19,962", "500")


@pytest.mark.parametrize(("cut", "fields"), [("centre", []), (None, []), ("none", ["packed"])])
def test_another_crop_of_the_photographs_is_another_recipe(cut, fields):
    """None: run.json of a version that did not write it."""
    record = {"recipe": asdict(recipe_with()), "n_train": 162_770, "n_test": TESTED, "cut": cut}
    assert [each.field for each in deviations(record)] == fields


def test_the_published_number_is_that_of_the_talk():
    found = printed(PUBLISHED)["resnet101"]
    assert (found.value, found.as_printed, found.source) == (97.52, "97.52%", "Raschka 2019")


def test_the_table_sets_ours_beside_the_published_number(tmp_path):
    folders = [write_run(tmp_path), write_run(tmp_path, backbone="small16", epochs=3)]
    readings = load_readings(folders[::-1])
    made = accuracy(readings, printed(PUBLISHED))
    rows = [row.cells for row in made.rows]
    assert [(row[1].split(",")[0], row[2]) for row in rows] == [
        (name, selection)
        for name in ("Small CNN", "ResNet-101")
        for selection in ("last epoch", "best validation epoch")
    ]
    for row in rows:
        assert row[-3] == "97.52"
        difference = float(row[-2].split()[0].replace("−", "-"))
        assert float(row[3]) - 97.52 == pytest.approx(difference, abs=0.011)
    ours = readings[1].interval("last", "accuracy")
    inside = 100 * ours.low <= 97.52 <= 100 * ours.high
    assert rows[2][-1] == ("reproduced" if inside else "differs")
    assert rows[3][-1] == "other recipe: best epoch"
    assert rows[0][-1].startswith("other recipe: Small CNN, width 16, 3 epochs")
    assert set(made.long["metric"]) >= {"accuracy", "auc", "eer", "with_error"}


def test_a_difference_that_leaves_zero_out_is_told(tmp_path):
    reading = load_readings([write_run(tmp_path)])
    known = printed(PUBLISHED.assign(value=50.0))
    assert accuracy(reading, known).rows[0].cells[-1] == "differs"
    value = 100 * reading[0].interval("last", "accuracy").estimate
    known = printed(PUBLISHED.assign(value=value))
    assert accuracy(reading, known).rows[0].cells[-1] == "reproduced"


def test_groups_and_subjects_have_their_tables(tmp_path):
    readings = load_readings([write_run(tmp_path)])
    women = int((predictions(spread=0.1)["gender"] == "female").sum() / 2)
    assert [row.cells[2:5] for row in groups(readings).rows] == [
        ["Gender", "female", f"{women}"],
        ["Gender", "male", f"{120 - women}"],
        ["Age group", UNLABELLED, "24"],
        ["Age group", "young", "96"],
    ]
    assert [row.cells[3] for row in subjects(readings).rows] == ["30", "30"]


def test_another_runs_folder_is_refused(tmp_path):
    folder = write_run(tmp_path)
    moved = folder.rename(folder.with_name("seed2"))
    with pytest.raises(UserError, match="holds the predictions of celeba/resnet101/ce/seed1"):
        load_readings([moved])

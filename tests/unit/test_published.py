"""The published numbers: transcription, arithmetic, verdicts."""

import math
import re
from dataclasses import replace
from pathlib import Path

import jsonschema
import numpy as np
import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import ttest_ind

from softbio.errors import UserError
from softbio.published.numbers import (
    TALK,
    TALK_PROTOCOL,
    Average,
    averages,
    brief,
    deviations,
    gpu_hours,
    judge,
    logged_seconds,
    misprinted,
    prediction_half_width,
    read_published,
    welch_half_width,
)
from tests.conftest import ROOT, SHARED

CSV = ROOT / "config/published.csv"
CORAL = {
    "dataset": "utkface", "backbone": "resnet34", "method": "coral", "seed": 0, "variant": "",
    "channels_last": True, **TALK["resnet34"],
}  # fmt: skip
THEIRS = Average("5.47 ± 0.01", 5.47, 0.0115, 3, False)


@pytest.fixture(scope="module")
def printed():
    return read_published(CSV)


def test_every_row_obeys_the_schema(printed):
    schema = yaml.safe_load((ROOT / "workflow/schemas/published.schema.yaml").read_text())
    check = jsonschema.Draft202012Validator(schema)
    for row in printed.to_dict("records"):
        row["sd"] = None if math.isnan(row["sd"]) else row["sd"]
        check.validate(row)


def test_all_cells_are_there(printed):
    sizes = printed.groupby(["source", "table", "seed"]).size()
    talk = sizes["Raschka 2019"]
    # three tables of 3 methods x 4 data sets x 2 metrics, a row a seed and an average
    for table in ("Table 1", "VGG-16", "Inception-v3"):
        assert talk[table].to_dict() == {"0": 24, "1": 24, "2": 24, "avg": 24}
    assert talk["Task importance weighting"].to_dict() == {"avg": 16}
    assert talk["Datasets"].to_dict() == {"none": 4 * 3}
    # 9 runs a seed: MAE and RMSE at two selections, minutes, best epoch
    journal = sizes["Cao et al. 2020"]
    assert journal["Training logs"].tolist() == [9 * 6] * 3
    assert journal["Table 1"].to_dict() == {"avg": 9 * 2}
    assert journal["Table 2"].tolist() == [2 * 3 * 3] * 3
    assert sizes["Facial-Age-Estimation-Benchmark"].sum() == 9 * 6
    assert sizes["corn-ordinal-neuralnet"].sum() == 4 * 2 * 2


def test_value_and_sd_are_what_is_printed(printed):
    for row in printed[printed["as_printed"] != ""].itertuples():
        value, _, sd = re.sub("[^0-9.±,-]", "", row.as_printed).strip(",").partition("±")
        first, _, last = value.strip(".").replace(",", "").partition("-")
        assert row.value == float(last if row.metric == "age_max" else first)
        assert (row.sd == float(sd)) if sd else math.isnan(row.sd)
    assert set(printed.loc[printed["as_printed"] == "", "verified"]) == {"notes: counted"}


def test_cells_occur_in_the_source(printed):
    text = SHARED / "published/000_273e2e20b89d235d.txt"
    if not text.is_file():
        pytest.skip(f"the text of the talk is not in {text.parent}")
    plain = re.sub(r"</?\w+>|\$", "", text.read_text().replace(r"\pm", "±"))
    for cell in printed.loc[printed["source"] == "Raschka 2019", "as_printed"].unique():
        assert cell in plain, cell


def test_the_journals_rows_are_what_its_logs_print(printed, published):
    rows = printed[printed["table"] == "Training logs"]
    cells = rows.set_index(["dataset", "method", "seed", "protocol", "metric"])["as_printed"]
    cells = cells.sort_index()
    names = {"ordinal": "orcnn"}
    folders = sorted(path.parent for path in published.glob("*/*/training.log"))
    assert len(folders) == 27
    for folder in folders:
        method, seed = re.fullmatch(r"\w+-(\w+?)__seed(\d)", folder.name).groups()
        lines = (folder / "training.log").read_text().splitlines()
        last, best = (
            next(x for x in lines if x.startswith(f"MAE/RMSE: | {word}Train"))
            for word in ("", "Best ")
        )
        of_run = cells[folder.parent.name, names.get(method, method), seed]
        for line, protocol in ((last, "726e545-last"), (best, "726e545-best")):
            expected = "/".join(of_run[protocol, metric] for metric in ("mae", "rmse"))
            assert line.endswith(f"Test: {expected}")
        assert f"Total Training Time: {of_run['726e545', 'minutes']}" in lines
        current = [x for x in lines if "Current Valid" in x][-1]
        assert current.endswith(of_run["726e545-best", "epoch"])


def test_counted_lists_are_as_long(printed, published):
    counts = printed[printed["protocol"] == "9bcff82"].set_index(["dataset", "metric"])["value"]
    for dataset in ("morph2", "afad", "cacd"):
        lines = (published / f"{dataset}_test.csv").read_text().splitlines()
        assert counts[dataset, "images_test"] == len(lines) - 1
    lines = (published / "v3-splits/morph2_train.csv").read_text().splitlines()
    assert counts["morph2", "images_train"] == len(lines) - 1


MISPRINTS = [
    ("afad", "inception_v3", "ce", "no", "mae"),
    ("afad", "inception_v3", "ce", "no", "rmse"),
    ("morph2", "resnet34", "ce", "no", "rmse"),
    ("utkface", "resnet34", "orcnn", "no", "rmse"),
]


def test_averages_follow_from_their_seeds_but_for_the_known_misprints(printed):
    found = {
        name: sorted(key for key, a in averages(printed, name).items() if a.misprinted)
        for name in printed["protocol"].unique()
    }
    assert {name: wrong for name, wrong in found.items() if wrong} == {TALK_PROTOCOL: MISPRINTS}
    swapped = averages(printed)["afad", "inception_v3", "ce", "no", "mae"]
    assert swapped.as_printed == "5.31 ± 0.02"
    assert swapped.mean == pytest.approx(3.78)
    # all 72 averages of the talk and all 18 of the journal were recomputed
    seeds = {name: [a.n for a in averages(printed, name).values()] for name in found}
    assert (len(seeds[TALK_PROTOCOL]), len(seeds["726e545-best"])) == (80, 18)


def test_unknown_columns_are_named(tmp_path: Path):
    (tmp_path / "mine.csv").write_text("dataset,mae\nfaces,3\n")
    with pytest.raises(UserError, match=r"mine\.csv.*columns"):
        read_published(tmp_path / "mine.csv")


FIRST = "Raschka 2019,Table 1,morph2,9bcff82,resnet34,ce,no,0,mae,3.40,,3.40,yes"


@pytest.mark.parametrize(
    ("line", "message"),
    [
        (FIRST.replace("morph2", "morph"), "line 2: key 'dataset' is 'morph'.*'morph2'"),
        (FIRST.replace(",mae,", ",mse,"), "line 2: key 'metric' is 'mse'"),
        (FIRST.replace(",no,0,", ",no,7,"), "line 2: key 'seed' is '7'"),
        (FIRST.replace("3.40,,3.40", "three,,3.40"), "line 2: value is 'three', not a number"),
        (FIRST.replace("3.40,,3.40", "3.40,x,3.40"), "line 2: sd is 'x', not a number"),
        (FIRST.replace("3.40,,3.40", ",,3.40"), "line 2: .*lacks 'value'"),
        (FIRST.replace("3.40,,3.40", "-3.40,,3.40"), "line 2: key 'value'"),
        (FIRST.replace("3.40,,3.40", "inf,,3.40"), "line 2: value is 'inf', not a number"),
        (FIRST.replace("3.40,,3.40", "3.40,,about 3"), "line 2: key 'as_printed'"),
        (FIRST.removesuffix(",yes"), "line 2: 12 cells, the header has 13"),
        (FIRST + ",more,columns", "line 2: 15 cells, the header has 13"),
    ],
)
def test_a_malformed_row_is_named(tmp_path, line, message):
    lines = CSV.read_text().splitlines()
    assert lines[1] == FIRST
    (tmp_path / "mine.csv").write_text("\n".join([lines[0], line, *lines[2:]]) + "\n")
    with pytest.raises(UserError, match=message):
        read_published(tmp_path / "mine.csv")


def test_a_cell_that_is_there_twice_is_named(tmp_path):
    text = CSV.read_text()
    (tmp_path / "mine.csv").write_text(text + FIRST.replace("3.40,,3.40", "3.50,,3.50") + "\n")
    with pytest.raises(UserError, match=rf"line {text.count(chr(10)) + 1}: .*there already"):
        read_published(tmp_path / "mine.csv")


@pytest.mark.parametrize("seed", ["0", "2"])
def test_a_missing_seed_is_named(tmp_path, seed):
    """Two seeds of three have an average as well, which nobody printed."""
    gone = f"Raschka 2019,VGG-16,cacd,9bcff82,vgg,coral,no,{seed},rmse"
    lines = [line for line in CSV.read_text().splitlines() if not line.startswith(gone)]
    (tmp_path / "mine.csv").write_text("\n".join(lines) + "\n")
    message = f"VGG-16: 9bcff82, cacd, vgg, coral, no, rmse lacks seed {seed}"
    with pytest.raises(UserError, match=message):
        read_published(tmp_path / "mine.csv")


def test_gpu_hours_follow_from_the_logs(printed):
    logs = printed[(printed["metric"] == "minutes") & (printed["dataset"] != "celeba")]
    assert logs["value"].sum() / 60 == pytest.approx(163, abs=0.5)
    assert 0.0005 < logged_seconds(printed) < 0.005
    hours = gpu_hours(printed, "utkface", "resnet34")
    assert hours == pytest.approx(logged_seconds(printed) * 13_147 * 200 / 3600)
    assert gpu_hours(printed, "utkface", "vgg") == pytest.approx(hours * 5.57 / 1.13)
    assert gpu_hours(printed, "utkface", "inception_v3") == pytest.approx(hours * 5.7 / 1.13 / 2)
    assert math.isnan(gpu_hours(printed, "faces", "resnet34"))


samples = st.lists(st.floats(1, 9), min_size=2, max_size=6).filter(lambda v: np.std(v) > 1e-3)


@given(samples, samples)
def test_welch_interval_is_that_of_scipy(a, b):
    test = ttest_ind(a, b, equal_var=False).confidence_interval(0.95)
    half = welch_half_width(np.std(a, ddof=1), len(a), np.std(b, ddof=1), len(b))
    assert half == pytest.approx((test.high - test.low) / 2, rel=1e-6)


@given(st.lists(st.floats(1, 9), min_size=2, max_size=4))
def test_what_is_only_rounded_is_no_misprint(seeds):
    """Mean and SD of the true numbers, rounded as they are printed, beside the rounded seeds."""
    printed = np.round(seeds, 2)
    mean, sd = round(np.mean(seeds), 2), round(np.std(seeds, ddof=1), 2)
    assert not misprinted(mean - printed.mean(), sd - printed.std(ddof=1), len(seeds))


def test_a_mean_that_no_rounding_brings_is_a_misprint():
    """The seeds of the talk's AFAD, ResNet-34, OR-CNN: 5.13 can be their mean, 5.14 cannot."""
    seeds = np.array([5.10, 5.13, 5.14])
    sd = seeds.std(ddof=1)
    assert not misprinted(5.13 - seeds.mean(), 0.02 - sd, 3)
    assert misprinted(5.14 - seeds.mean(), 0.02 - sd, 3)
    assert misprinted(5.13 - seeds.mean(), 0.04 - sd, 3)


def test_the_prediction_interval_holds_one_more_value_in_19_of_20_cases():
    known = np.random.default_rng(0).normal(5, 0.3, (20_000, 4))
    half = [prediction_half_width(sd, 3) for sd in known[:, :3].std(axis=1, ddof=1)]
    inside = np.abs(known[:, 3] - known[:, :3].mean(axis=1)) <= half
    assert inside.mean() == pytest.approx(0.95, abs=0.005)


@pytest.mark.parametrize(
    ("ours", "word"),
    [
        ([5.46, 5.48, 5.47], "reproduced"),
        ([5.30, 5.31, 5.29], "close"),
        ([5.00, 5.01, 4.99], "differs"),
        # a wide spread cannot buy agreement beyond 5 %
        ([4.0, 5.0, 6.2], "differs"),
        ([5.49], "reproduced"),
        ([5.52], "reproduced"),
        ([5.54], "close"),
        ([5.60], "close"),
    ],
)
def test_verdict(ours, word):
    assert judge(np.array(ours), THEIRS) == word


@given(st.floats(-2, 2))
def test_verdict_does_not_care_for_the_sign(shift):
    ours = THEIRS.mean + shift + np.array([-0.01, 0, 0.01])
    mirrored = THEIRS.mean - shift + np.array([-0.01, 0, 0.01])
    assert judge(ours, THEIRS) == judge(mirrored, replace(THEIRS, as_printed=""))


def test_the_published_recipe_has_no_deviation():
    assert deviations(CORAL) == []


@pytest.mark.parametrize(
    ("change", "text"),
    [
        ({"bias": "descending"}, "bias descending (published: zeros)"),
        ({"epochs": 30}, "epochs 30 (published: 200)"),
        ({"precision": "bf16"}, "precision bf16 (published: fp32)"),
        ({"learning_rate": 1e-3}, "learning rate 0.001 (published: 0.0005)"),
        ({"validation": 0.1}, "validation 10% of train held out (published: none)"),
        ({"dataset": "utkface-repaired"}, "split repaired (published: the authors')"),
        ({"backbone": "small32"}, "backbone Small CNN, width 32 (published: ResNet-34)"),
    ],
)
def test_a_deviation_is_named_with_both_values(change, text):
    assert [str(d) for d in deviations(CORAL | change)] == [text]


def test_bias_counts_for_coral_only():
    assert deviations(CORAL | {"method": "ce", "bias": "descending"}) == []


@pytest.mark.parametrize(
    ("change", "text"),
    [
        (
            {"backbone": "small32", "size": 48, "crop": 44, "epochs": 30},
            "Small CNN, width 32, 48 px, 30 epochs",
        ),
        ({"bias": "descending", "batch": 64}, "batch 64, bias descending"),
    ],
)
def test_another_recipe_in_brief(change, text):
    assert brief(deviations(CORAL | change)) == text

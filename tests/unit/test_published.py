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
from softbio.published import (
    TALK,
    Average,
    averages,
    brief,
    deviations,
    judge,
    misprints,
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
    sizes = printed.groupby(["table", "seed"]).size()
    # three tables of 3 methods x 4 data sets x 2 metrics, a row a seed and an average
    assert sizes.drop("Task importance weighting").tolist() == [24] * 12
    assert sizes["Task importance weighting"].to_dict() == {"avg": 16}
    assert not printed.duplicated(
        ["table", "dataset", "method", "weighted", "seed", "metric"]
    ).any()


def test_value_and_sd_are_what_is_printed(printed):
    for row in printed.itertuples():
        value, _, sd = row.as_printed.partition(" ± ")
        assert row.value == float(value)
        assert (row.sd == float(sd)) if sd else math.isnan(row.sd)


def test_cells_occur_in_the_source(printed):
    text = SHARED / "published/000_273e2e20b89d235d.txt"
    if not text.is_file():
        pytest.skip(f"the text of the talk is not in {text.parent}")
    plain = re.sub(r"</?\w+>|\$", "", text.read_text().replace(r"\pm", "±"))
    for cell in printed["as_printed"].unique():
        assert cell in plain, cell


def test_averages_follow_from_their_seeds_but_for_the_known_misprints(printed):
    assert sorted(misprints(printed)) == [
        ("afad", "inception_v3", "ce", "no", "mae"),
        ("afad", "inception_v3", "ce", "no", "rmse"),
        ("afad", "resnet34", "orcnn", "no", "rmse"),
        ("morph2", "resnet34", "ce", "no", "rmse"),
        ("utkface", "resnet34", "orcnn", "no", "rmse"),
    ]
    swapped = averages(printed)["afad", "inception_v3", "ce", "no", "mae"]
    assert swapped.as_printed == "5.31 ± 0.02"
    assert swapped.mean == pytest.approx(3.78)


def test_unknown_columns_are_named(tmp_path: Path):
    (tmp_path / "mine.csv").write_text("dataset,mae\nfaces,3\n")
    with pytest.raises(UserError, match=r"mine\.csv.*columns"):
        read_published(tmp_path / "mine.csv")


samples = st.lists(st.floats(1, 9), min_size=2, max_size=6).filter(lambda v: np.std(v) > 1e-3)


@given(samples, samples)
def test_welch_interval_is_that_of_scipy(a, b):
    test = ttest_ind(a, b, equal_var=False).confidence_interval(0.95)
    half = welch_half_width(np.std(a, ddof=1), len(a), np.std(b, ddof=1), len(b))
    assert half == pytest.approx((test.high - test.low) / 2, rel=1e-6)


@pytest.mark.parametrize(
    ("ours", "word"),
    [
        ([5.46, 5.48, 5.47], "reproduced"),
        ([5.30, 5.31, 5.29], "close"),
        ([5.00, 5.01, 4.99], "differs"),
        # a wide spread cannot buy agreement beyond 5 %
        ([4.0, 5.0, 6.2], "differs"),
        ([5.49], "reproduced"),
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

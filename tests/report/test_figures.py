"""Figures: the numbers they show, the files they leave, the rules they state."""

import json
import xml.etree.ElementTree as ET
from dataclasses import replace
from itertools import pairwise

import matplotlib
import numpy as np
import pytest
from PIL import Image

from softbio.figures import data, errors, ranks, training
from softbio.figures.base import GREY, METADATA, NotShown, colour
from softbio.methods import METHODS
from softbio.results.records import load
from tests.conftest import ROOT
from tests.report.synthetic import EPOCHS, K, N

STYLE = ROOT / "report/figures.mplstyle"


def test_every_promised_figure_is_there(figures):
    kinds = [name.split("-")[0] for name in figures]
    assert kinds == [
        "seeds", "differences", "training", "age", "heatmap", "probabilities", "cs", "reliability",
        "inconsistencies", "biases", "importance", "labels",
    ]  # fmt: skip


def test_each_has_its_four_files(made, figures):
    for name in figures:
        paths = [made.root / f"figures/{name}.{suffix}" for suffix in (*METADATA, "csv")]
        assert all(path.stat().st_size > 100 for path in paths)
        ET.parse(paths[0])
        with Image.open(paths[2]) as image:
            # at least 200 dots an inch
            assert image.width >= 3.3 * 200


def test_pdf_fonts_are_embedded_as_truetype(made, figures):
    for name in figures:
        pdf = (made.root / f"figures/{name}.pdf").read_bytes()
        assert b"/CIDFontType2" in pdf or b"/TrueType" in pdf
        assert b"/Type3" not in pdf
        assert b"/CreationDate" not in pdf


def test_equal_records_give_equal_files(made, tmp_path):
    with matplotlib.rc_context(fname=STYLE):
        for folder in ("a", "b"):
            (tmp_path / folder).mkdir()
            data.importance(made.cards["faces"], "faces").write(tmp_path / folder)
    for first in (tmp_path / "a").iterdir():
        assert first.read_bytes() == (tmp_path / "b" / first.name).read_bytes()


def test_index_names_what_is_missing_and_why(made, figures):
    index = json.loads((made.root / "figures/index.json").read_text())
    assert [entry["name"] for entry in index["figures"]] == list(figures)
    assert all(entry["alt"] and entry["caption"] for entry in index["figures"])
    assert index["absent"] == [
        {"name": "backbones", "place": "Drawn faces", "reason": "needs at least two backbones"}
    ]


def test_no_title_inside_and_no_unexplained_spread(figures):
    for figure in figures.values():
        assert figure.canvas.get_suptitle() == ""
    assert "sample SD over seeds" in figures["inconsistencies-faces-small32"].caption
    assert "lowest to highest seed" in figures["age-faces-small32"].caption


def test_backbones_are_compared_where_there_are_two(made):
    frame = data.backbones(made.records, "faces").frame
    assert len(frame) == 2 * 3
    assert dict(zip(frame["backbone"], frame["gmac"], strict=True)) == {
        "small32": 0.031, "resnet34": 1.13,
    }  # fmt: skip


def test_the_image_is_the_one_with_most_inconsistencies(made, figures):
    run = made.records.select("faces", "small32")[3]
    assert (run.method, run.seed) == ("orcnn", 0)
    predictions = made.records.predictions(run)
    counts = [
        sum(after > before + 1e-5 for before, after in pairwise(p))
        for p in predictions.probabilities.astype(float)
    ]
    names = [n for n, c in zip(predictions.frame["image"], counts, strict=True) if c == max(counts)]
    figure = figures["probabilities-faces-small32"]
    assert set(figure.frame["image"]) == {min(names)}
    assert f"OR-CNN has {max(counts)} marked inconsistencies, CORAL-CNN 0" in figure.alt


def test_shares_of_inconsistencies_add_up(figures):
    frame = figures["inconsistencies-faces-small32"].frame
    assert frame.groupby(["method", "seed"])["share"].sum().to_numpy() == pytest.approx(1)
    none = frame.query("method == 'coral' and inconsistencies == 0")["share"]
    assert (none == 1).all()


def test_heat_map_counts_every_prediction(figures):
    frame = figures["heatmap-faces-small32"].frame
    assert frame.groupby("method")["images"].sum().to_dict() == dict.fromkeys(
        ("ce", "orcnn", "coral"), 3 * N
    )


def test_cumulative_score_rises_and_has_the_control(figures):
    frame = figures["cs-faces-small32"].frame
    assert set(frame["method"]) == {"ce", "orcnn", "coral", "median"}
    for _, part in frame.groupby(["method", "seed"]):
        assert part["theta"].tolist() == list(range(16))
        assert part["value"].is_monotonic_increasing


def test_error_by_age_averages_to_the_mae(made, figures):
    frame = figures["age-faces-small32"].frame.query("method == 'ce' and seed == 1")
    run = made.records.select("faces", "small32")[1]
    mean = np.average(frame["mae"], weights=frame["n"])
    assert mean == pytest.approx(made.records.values([run], "mae")[0])


def test_importance_weights_are_those_of_equation_7(made, figures):
    counts = np.array(made.cards["faces"].labels["train"])
    above = np.array([counts[k + 1 :].sum() for k in range(K - 1)])
    root = np.sqrt(np.maximum(above, counts.sum() - above))
    frame = figures["importance-faces"].frame
    assert frame["weight"].to_numpy() == pytest.approx(root / root.max())
    assert frame["threshold_age"].iloc[0] == made.cards["faces"].ages[0]


def test_labels_are_those_of_the_card(made, figures):
    frame = figures["labels-faces"].frame
    for split, counts in made.cards["faces"].labels.items():
        assert frame.loc[frame["split"] == split, "images"].tolist() == counts


def test_training_shows_every_epoch_and_the_selected_one(figures):
    frame = figures["training-faces-small32"].frame
    assert len(frame) == 3 * 3 * EPOCHS
    for _, part in frame.groupby(["method", "seed"]):
        assert part.loc[part["valid_mae"].idxmin(), "epoch"] == part["best_epoch"].iloc[0]


def test_first_ordered_epoch_is_told(figures):
    figure = figures["biases-faces-small32"]
    first = figure.frame.query("seed == 0 and bias_inversions == 0")["epoch"].min()
    assert f"seed 0: epoch {first}" in figure.alt
    assert "Initial biases: descending" in figure.caption


def test_reliability_counts_every_image_and_threshold(made, figures):
    figure = figures["reliability-faces-small32"]
    frame = figure.frame
    assert (frame.groupby(["method", "seed"])["pairs"].sum() == N * (K - 1)).all()
    run = made.records.select("faces", "small32")[3]
    part = frame[(frame["method"] == run.method) & (frame["seed"] == run.seed)]
    gaps = (part["observed"] - part["predicted"]).abs()
    weighted = np.average(gaps.fillna(0), weights=part["pairs"])
    assert weighted == pytest.approx(made.records.values([run], "ece")[0])
    assert "Largest distance from it in a bin: CE-CNN" in figure.alt


def test_absent_runs_are_not_faked(made):
    only_ce = load([folder for folder in made.results.runs if "ce" in folder.parts])
    for draw in (ranks.probabilities, ranks.inconsistencies, ranks.bias_order):
        with pytest.raises(NotShown):
            draw(only_ce, "faces", "small32")
    nothing = load(made.results.runs[-1:])
    for draw in (errors.by_age, errors.predicted_against_true, training.curves):
        with pytest.raises(NotShown):
            draw(nothing, "faces", "small32")


def test_one_colour_a_method():
    assert len({colour(m) for m in ("ce", "orcnn", "coral", "median")}) == 4
    assert colour("median") == GREY
    own = {colour(m) for m in (*METHODS, "mine", "yours", "emd")}
    assert len(own) == len(METHODS) + 3
    assert GREY not in own


def test_without_validation_the_training_error_is_shown_and_nothing_marked(made):
    bare = replace(
        made.records,
        histories=made.records.histories.assign(valid_mae=np.nan, valid_rmse=np.nan),
        provenance=made.records.provenance.assign(best_epoch=None),
    )
    figure = training.curves(bare, "faces", "small32")
    assert "training MAE (no validation set)" in figure.caption
    assert "Best validation epochs" not in figure.alt

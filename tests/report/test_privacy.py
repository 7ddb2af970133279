"""Figures and tables of hiding gender: the numbers they show and the rules they state."""

from dataclasses import replace

import matplotlib
import numpy as np
import pandas as pd
import pytest

from softbio.errors import UserError
from softbio.figures import matching as matching_figures
from softbio.figures import privacy as privacy_figures
from softbio.figures.base import METADATA, NotShown
from softbio.figures.curves import fewer, inks
from softbio.metrics import classification
from softbio.results import conditions
from softbio.statistics.intervals import Judged, judge
from softbio.tables import privacy as tables
from softbio.tables.layout import ABSENT, latex, markdown
from softbio.tables.quality import quality
from tests import weighted
from tests.conftest import ROOT
from tests.report import beside, scored


@pytest.fixture(scope="module")
def gender() -> list[Judged]:
    return scored.all_gender()


@pytest.fixture(scope="module")
def comparisons() -> list[Judged]:
    return scored.all_comparisons()


@pytest.fixture(scope="module")
def figures(gender, comparisons) -> dict[str, privacy_figures.Figure]:
    with matplotlib.rc_context(fname=ROOT / "report/figures.mplstyle"):
        drawn = [
            privacy_figures.gender_roc(gender),
            matching_figures.roc(comparisons),
            matching_figures.det(comparisons),
            matching_figures.identification(scored.all_identification()),
            privacy_figures.plane(gender, comparisons),
        ]
    return {figure.name: figure for figure in drawn}


def of(judged, scorer, protector, mode="") -> Judged:
    (found,) = (
        item for item in judged
        if scorer in (getattr(item.about, "evaluator", ""), getattr(item.about, "matcher", ""))
        and (item.about.protector, item.about.mode) == (protector, mode)
    )  # fmt: skip
    return found


def test_each_figure_is_written_and_says_what_it_shows(figures, tmp_path):
    assert list(figures) == [
        "gender-roc-lfw", "matching-roc-protected-original-lfw",
        "matching-det-protected-original-lfw", "matching-cmc-lfw",
        "privacy-utility-protected-original-lfw",
    ]  # fmt: skip
    for name, figure in figures.items():
        figure.write(tmp_path)
        assert all((tmp_path / f"{name}.{suffix}").stat().st_size > 100 for suffix in METADATA)
        assert (tmp_path / f"{name}.svg").stat().st_size < 200_000
        assert figure.caption.endswith(".")
        assert figure.alt.endswith(".")
        assert not figure.canvas.get_suptitle()


def test_captions_say_what_intervals_are_over(figures):
    for name in ("matching-roc-protected-original-lfw", "privacy-utility-protected-original-lfw"):
        assert "95 % intervals are over subjects" in figures[name].caption
        assert "the draws of both its subjects" in figures[name].caption


def test_what_was_seen_in_training_is_marked(figures):
    gender_roc = figures["gender-roc-lfw"]
    titles = [ax.get_title(loc="left") for ax in gender_roc.canvas.axes]
    assert titles == ["Small ResNet", "Auxiliary CNN*"]
    assert "*: used by the protector or its training" in gender_roc.caption
    assert "Face mixing 0.4: 3" in gender_roc.caption
    plane = figures["privacy-utility-protected-original-lfw"].frame
    assert set(plane["evaluator"]) == {"Small ResNet"}


def test_drawn_points_are_points_of_the_curve(gender, comparisons, figures):
    frame = figures["gender-roc-lfw"].frame
    part = frame[(frame["evaluator"] == "g1") & (frame["condition"] == "SAN OP")]
    scores = of(gender, "g1", "san", "op").scores
    found = classification.roc(scores.scores, scores.labels)
    points = set(zip(found.false_positive, 1 - found.false_negative, strict=True))
    curve = part[part["mark"] == "curve"]
    assert set(zip(curve["false_positive"], curve["true_positive"], strict=True)) <= points
    shipped = part[part["mark"] == "threshold"].iloc[0]
    decided = scores.scores >= 0.5
    assert shipped["true_positive"] == pytest.approx(decided[scores.labels == 1].mean())
    frame = figures["matching-roc-protected-original-lfw"].frame
    part = frame[(frame["matcher"] == "m2") & (frame["condition"] == "Before")]
    bar = part[part["low"].notna()]
    scores = of(comparisons, "m2", "original").scores
    assert bar["fmr"].tolist() == [0.01]
    assert bar["tmr"].iloc[0] == weighted.tmr_of(scores.scores, scores.mated)
    curve = part[part["low"].isna()]
    assert (curve["supported"] == (curve["fmr"] * 4000 >= 29.999)).all()


def test_the_plane_has_both_numbers_with_intervals(gender, comparisons, figures):
    frame = figures["privacy-utility-protected-original-lfw"].frame
    row = frame[(frame["condition"] == "SAN NT") & (frame["matcher"] == "MobileFaceNet")].iloc[0]
    eer = of(gender, "g1", "san", "nt").interval("eer")
    tmr = of(comparisons, "m1", "san", "nt").interval("tmr@0.01")
    assert (row["eer"], row["eer_low"], row["eer_high"]) == (eer.estimate, eer.low, eer.high)
    assert (row["tmr"], row["tmr_low"], row["tmr_high"]) == (tmr.estimate, tmr.low, tmr.high)
    assert frame.groupby("matcher").size().to_dict() == {"MobileFaceNet": 5, "ResNet-29": 5}


def test_strengths_are_joined_in_their_order_whatever_they_do():
    """The strongest one hides least."""

    def of(item, protector, mode, name, value):
        about = replace(item.about, protector=protector, mode=mode)
        found = beside.numbers((name,), value, (protector, mode))
        return replace(item, scores=replace(item.scores, about=about), numbers=found)

    points = {("original", ""): 0.09, ("blur", "sigma2"): 0.08, ("blur", "sigma1"): 0.1,
              ("mixing", "alpha0.3"): 0.2, ("mixing", "alpha0.7"): 0.3}  # fmt: skip
    gender = beside.gender("faceres", "none", "original", 0)
    probes = beside.matching("sface", "none", "original", 0)
    with matplotlib.rc_context(fname=ROOT / "report/figures.mplstyle"):
        figure = privacy_figures.plane(
            [of(gender, *place, "eer", eer) for place, eer in points.items()],
            [of(probes, *place, "tmr@0.01", 0.9) for place in points],
        )
    lines = [list(line.get_xdata()) for line in figure.canvas.axes[0].lines]
    assert [0.09, 0.1, 0.08] in lines
    assert [0.09, 0.3, 0.2] in lines


def test_cmc_rises_for_every_condition(figures):
    frame = figures["matching-cmc-lfw"].frame
    assert len(frame) == 2 * 5 * 20
    for _, part in frame.groupby(["matcher", "condition"]):
        assert part["share"].is_monotonic_increasing


def test_figures_without_scores_say_so(comparisons):
    with pytest.raises(NotShown, match="gender scores"):
        privacy_figures.gender_roc([])
    with pytest.raises(NotShown, match="protected-protected"):
        matching_figures.roc(comparisons, "protected-protected")
    with pytest.raises(NotShown, match="gallery"):
        matching_figures.identification([item.scores for item in comparisons])
    with pytest.raises(NotShown, match="unseen gender and matching"):
        privacy_figures.plane([], comparisons)


def test_few_points_keep_the_ends_and_invent_none():
    x = np.sort(np.random.default_rng(0).random(5000))
    kept = fewer(x, x**2, 100)
    assert len(kept) <= 102
    assert (kept[0], kept[-1]) == (0, 4999)
    assert (np.diff(kept) > 0).all()
    assert np.diff(x[kept]).max() < 0.05
    assert len(fewer(x[:50], x[:50], 100)) == 50


def test_several_protectors_have_an_ink_each_and_modes_a_dash(gender):
    other = [
        replace(item, scores=replace(
            item.scores,
            about=replace(item.about, protector="flow", protector_title="FlowSAN"),
        ))
        for item in gender if item.about.protector == "san"
    ]  # fmt: skip
    styles = inks([*gender, *other])
    assert len({styles[f"SAN {mode}"]["color"] for mode in ("SM", "NT", "OP")}) == 1
    assert styles["SAN OP"]["color"] != styles["FlowSAN OP"]["color"]
    assert styles["SAN OP"]["linestyle"] == styles["FlowSAN OP"]["linestyle"]
    drawn = [(str(s["color"]), str(s["linestyle"])) for s in styles.values()]
    assert len(set(drawn)) == len(styles)


def test_conditions_come_in_the_order_of_the_talk(gender):
    names = [conditions.condition(item.about) for item in conditions.ordered(gender[::-1])]
    assert names[::2] == ["Before", "Face mixing 0.4", "SAN SM", "SAN NT", "SAN OP"]


def test_gender_table_has_every_number(gender):
    table = tables.gender_errors(gender)
    assert [row.cells[:2] for row in table.rows[:5]] == [
        ["Small ResNet", name]
        for name in ("Before", "SAN SM", "SAN NT", "SAN OP", "Face mixing 0.4")
    ]
    long = table.long.set_index(["evaluator", "protector", "mode"])
    scores = of(gender, "g2", "san", "op").scores
    row = long.loc["g2", "san", "op"]
    area = classification.area(scores.scores, scores.labels)
    assert row["separation"] == pytest.approx(1 - area)
    assert row["eer"] == weighted.eer_of(scores.scores, scores.labels)
    assert row["error"] == weighted.errors_at(scores.scores, scores.labels, 0.5)[0]
    before = of(gender, "g2", "original").scores
    assert row["flipped"] == ((before.scores >= 0.5) != (scores.scores >= 0.5)).mean()
    assert row["flipped_low"] < row["flipped"] < row["flipped_high"]
    assert row["eer_difference_low"] > 0.5
    assert table.rows[0].cells[-2:] == [ABSENT, ABSENT]
    assert "are over subjects" in table.caption
    assert "Auxiliary CNN*" in markdown(table)
    assert "−" not in latex(table)


def test_matching_table_has_no_rate_that_the_comparisons_cannot_support(comparisons):
    table = tables.matching(comparisons)
    place = [name for _, name in table.columns].index("0.1 %")
    assert {row.cells[place] for row in table.rows} == {ABSENT}
    assert table.long["tmr@0.001"].isna().all()
    assert table.long["tmr@0.01"].notna().all()
    assert table.rows[0].cells[:5] == ["MobileFaceNet", "neither", "Before", "720", "4,000"]
    assert table.rows[1].cells[1] == "probe"
    morph = table.long.set_index(["matcher", "protector"]).loc["m1", "morph"]
    assert morph["tmr@0.01_difference_high"] < -0.3


def test_identification_table_counts_probes_and_gallery():
    table = tables.identification(scored.all_identification())
    assert table.rows[0].cells[2:4] == ["360", "120"]
    assert (table.long["rank1_low"] <= table.long["rank1"]).all()
    assert (table.long["rank1"] <= table.long["rank5"]).all()


def test_seeds_of_one_condition_are_told_apart(gender):
    items = [item for item in gender if item.about.evaluator == "g1"]
    again = [
        replace(item, scores=replace(item.scores, about=replace(item.about, seed=seed)))
        for item in items if item.about.mode == "op" for seed in (0, 1)
    ]  # fmt: skip
    table = tables.gender_errors([items[0], *again])
    names = ["Before", "SAN OP, seed 0", "SAN OP, seed 1", "SAN OP, 2 seeds"]
    assert [row.cells[1] for row in table.rows] == names
    # the same scores twice: their mean, without spread
    mean = f"{100 * table.long['eer'].iloc[1]:.1f} ± 0.0"
    assert (table.rows[-1].cells[3], table.rows[-1].summary) == (mean, True)


def test_nothing_to_show_is_none(comparisons):
    assert tables.gender_errors([]) is None
    assert tables.matching([]) is None
    assert tables.identification([item.scores for item in comparisons]) is None


def test_scores_of_one_class_are_named():
    scores = scored.gender("g1", "original", "")
    alone = replace(scores, frame=scores.frame[scores.frame["label"] == 1])
    with pytest.raises(UserError, match="lfw, g1, original: needs at least one positive"):
        judge(alone)


def test_an_incomplete_gallery_is_named():
    scores = scored.comparisons("m1", "original", "", "gallery")
    with pytest.raises(UserError, match="m1, original: probe s000-1 is not compared with"):
        replace(scores, frame=scores.frame[1:]).identification()


def test_quality_table_leaves_unchanged_images_out_of_the_psnr():
    frame = pd.DataFrame(
        {
            "condition": ["SAN SM"] * 4 + ["Nothing"],
            "image": list("abcde"),
            "subject": ["s", "s", "t", None, "u"],
            "psnr": [20.0, 22.0, 24.0, np.inf, np.inf],
            "ssim": [0.8, 0.9, 0.7, 1.0, 1.0],
        }
    )
    table = quality(frame, "lfw")
    assert [row.cells[0] for row in table.rows] == ["SAN SM", "Nothing"]
    assert table.long.loc[0, ["psnr", "psnr_images", "ssim"]].tolist() == pytest.approx(
        [22, 3, 0.85]
    )
    assert table.rows[1].cells[2] == ABSENT
    assert quality(frame[:0], "lfw") is None

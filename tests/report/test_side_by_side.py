"""All systems beside each other: the table, the plane and the sentences tell the same numbers."""

import re
from dataclasses import replace

import matplotlib
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from softbio.figures.base import NotShown
from softbio.figures.labels import overlap, places
from softbio.figures.side_by_side import together
from softbio.hiding.equal_privacy import cores
from softbio.hiding.side_by_side import side_by_side
from softbio.hiding.told import representatives, sentences
from softbio.hiding.verdicts import HELD, NOT_HELD
from softbio.tables.layout import ABSENT
from softbio.tables.side_by_side import side_by_side_table
from tests.conftest import ROOT
from tests.report import beside


@pytest.fixture(scope="module")
def figure(shown):
    with matplotlib.rc_context(fname=ROOT / "report/figures.mplstyle"):
        return together(shown, "lfw")


def line_of(shown, protector, mode):
    (found,) = (each for each in shown.of(protector) if each.mode == mode)
    return found


def test_families_stand_together_in_the_order_of_their_publication(shown):
    families = list(dict.fromkeys(line.family for line in shown.lines))
    assert families == ["Before", "SAN", "Ensemble SAN", "FlowSAN", "PrivacyNet", "Face mixing",
                        "Gradient sign", "Gaussian blur"]  # fmt: skip
    names = [line.family for line in shown.lines]
    assert names == sorted(names, key=families.index)
    assert [line.mode for line in shown.of("privacynet")] == ["g", "ga", "gr", "gar"]


def test_each_number_is_the_mean_over_the_seeds(hiding, shown):
    line = line_of(shown, "san", "op")
    eers = {
        name: [i.interval("eer").estimate for i in hiding.gender
               if (i.about.title, i.about.protector, i.about.mode) == (name, "san", "op")]
        for name in ("FaceRes", "dlib gender")
    }  # fmt: skip
    assert [len(values) for values in eers.values()] == [3, 3]
    for name, values in eers.items():
        assert line.eer[name].estimate == pytest.approx(np.mean(values))
        # more than the seeds say, and more than the subjects of any one seed
        spread = np.std(values, ddof=1) / np.sqrt(3)
        assert line.eer[name].high - line.eer[name].estimate > 4.3 * spread
    assert line.mean_eer.estimate == pytest.approx(np.mean(list(eers.values())))
    assert set(line.eer) == {"FaceRes", "dlib gender"}
    assert (shown.heard, shown.matchers) == (("SFace",), ("SFace", "Weak matcher"))
    assert line.mean_tmr.estimate == pytest.approx(line.tmr["SFace"].estimate)
    assert line.seeds == (0, 1, 2)
    # of images of which seeds differ by one dB
    assert line.psnr.estimate == pytest.approx(26, abs=0.3)
    assert line.psnr.low < 25 < 27 < line.psnr.high


def test_intervals_of_quality_stay_within_what_images_can_have(hiding):
    """Seeds that are far apart, each near an end."""
    seed = hiding.quality["seed"]
    apart = hiding.quality.assign(ssim=0.99 - 0.2 * (seed == 1), psnr=0.5 + 9.0 * (seed == 1))
    line = line_of(side_by_side(replace(hiding, quality=apart)), "san", "op")
    assert line.ssim.estimate == pytest.approx(0.99 - 0.2 / 3)
    assert line.ssim.low < 0.8
    assert line.ssim.high == 1.0
    assert line.psnr.low == 0.0
    assert line.psnr.high > 9.5


def test_each_classifier_is_inverted_by_itself(hiding):
    """One at 66 % and one at 30 % average to 48 %, but tell as much as 34 % and 30 %."""
    swapped = tuple(
        replace(i, numbers=beside.numbers(beside.GENDER, 0.3, ("b", 0)))
        if (i.about.evaluator, i.about.mode) == ("dlib_gender", "alpha0.3")
        else i
        for i in hiding.gender
    )
    line = line_of(side_by_side(replace(hiding, gender=swapped)), "mixing", "alpha0.3")
    assert line.mean_eer.estimate == pytest.approx((0.66 + 0.3) / 2)
    assert line.folded.estimate == pytest.approx((0.34 + 0.3) / 2)


def test_the_worst_attacker_is_chosen_of_all_and_inverted(shown):
    worst = line_of(shown, "san", "op").worst
    assert worst.estimate == pytest.approx(0.9)
    assert worst.low < 0.9 < worst.high <= 1
    assert line_of(shown, "san", "nt").worst is None


def test_who_makes_no_mistake_in_any_seed_has_the_limit_of_one_who_does(hiding):
    """No draw varies, so neither seeds nor draws say how far below 100 % others could be."""

    def perfect(numbers):
        return replace(
            numbers,
            estimates=np.ones_like(numbers.estimates),
            values=np.ones_like(numbers.values),
            without=np.ones_like(numbers.without),
        )

    attacks = tuple(replace(item, numbers=perfect(item.numbers)) for item in hiding.attacks)
    worst = line_of(side_by_side(replace(hiding, attacks=attacks)), "san", "op").worst
    # Clopper and Pearson's limit of 40 subjects
    assert (worst.estimate, worst.high) == (1, 1)
    assert worst.low == pytest.approx(0.025 ** (1 / 40))


def test_a_protector_that_leaves_chance_is_drawn_with_its_interval(hiding):
    """Every classifier about at 50 %: a bar that does not hold its mark cannot be drawn."""
    chance = tuple(
        replace(i, numbers=beside.numbers(beside.GENDER, 0.4995, (i.about.evaluator, "chance")))
        if i.about.mode == "stage3"
        else i
        for i in hiding.gender
    )
    shown = side_by_side(replace(hiding, gender=chance))
    line = line_of(shown, "flowsan", "stage3")
    assert line.folded.low < line.folded.estimate <= line.folded.high == 0.5
    with matplotlib.rc_context(fname=ROOT / "report/figures.mplstyle"):
        together(shown, "lfw")


def test_the_table_has_a_row_a_condition_and_says_what_it_holds(shown):
    table = side_by_side_table(shown, "lfw")
    heads = [name for _, name in table.columns]
    means, rest = ["mean", "mean, inverted"], ["Worst attack", "PSNR, dB", "SSIM", "Seeds"]
    judges = ["FaceRes", "dlib gender", *means, "SFace", "Weak matcher"]
    assert heads == ["Protector", "Mode", *judges, *rest]
    assert len(table.rows) == 23
    cells = {tuple(row.cells[:2]): row.cells for row in table.rows}
    line = line_of(shown, "flowsan", "stage2")
    assert cells["FlowSAN", "stage 2"][4].startswith(f"{100 * line.mean_eer.estimate:.1f} (")
    assert cells["FlowSAN", "stage 2"][-1] == "3"
    assert cells["Gaussian blur", "sigma 2"][-1] == "once"
    assert cells["Before", ABSENT][-4:-1] == [ABSENT] * 3
    assert "Student's t over the seeds" in table.caption
    assert "below 50 % before protection" in table.caption
    assert not any(row.best for row in table.rows)
    long = table.long.set_index(["condition", "number", "by"])
    assert long.loc[("SAN OP", "eer", "FaceRes"), "value"].item() == line_of(
        shown, "san", "op").eer["FaceRes"].estimate  # fmt: skip


def test_one_seed_is_told():
    effects = {k: v for k, v in beside.EFFECTS.items() if k[0] in ("none", "san", "mixing")}
    alone = side_by_side(beside.family(effects, (0,)))
    table = side_by_side_table(alone, "lfw")
    assert {row.cells[-1] for row in table.rows} == {"one"}
    assert "All conditions were made with one seed" in table.caption
    assert "Student" not in table.caption
    assert "in one seed" in sentences(alone)[0]
    line, item = line_of(alone, "san", "op"), beside.gender("faceres", "san", "op", 0)
    assert line.eer["FaceRes"] == item.interval("eer")


def test_without_a_second_protector_nothing_stands_side_by_side(hiding):
    effects = {k: v for k, v in beside.EFFECTS.items() if k[0] in ("none", "san")}
    assert side_by_side(beside.family(effects)) is None
    assert side_by_side_table(None, "lfw") is None
    assert sentences(None) == []
    with pytest.raises(NotShown, match="two protectors"):
        together(None, "lfw")
    deaf = tuple(item for item in hiding.matching if item.about.matcher == "weak")
    unheard = side_by_side(replace(hiding, matching=deaf))
    weak = side_by_side_table(unheard, "lfw").caption
    assert "below 50 % before protection, is in no mean." in weak
    with pytest.raises(NotShown, match="at least 50 % before"):
        together(unheard, "lfw")
    assert unheard.efficient == frozenset()


def test_efficient_is_what_no_other_condition_beats(shown):
    points = {line.name: (line.folded.estimate, line.mean_tmr.estimate) for line in shown.lines}
    for name, (eer, tmr) in points.items():
        better = [
            o for o, (e, t) in points.items() if e >= eer and t >= tmr and (e, t) != (eer, tmr)
        ]
        assert (name in shown.efficient) == (not better)
    assert "FlowSAN stage 3" in shown.efficient
    assert "Gaussian blur sigma 2" not in shown.efficient


def test_the_plane_shows_the_numbers_of_the_table(shown, figure):
    row = figure.frame.set_index("condition").loc["Face mixing alpha 0.3"]
    line = line_of(shown, "mixing", "alpha0.3")
    assert (row["tmr"], row["turned"], row["eer"]) == (
        line.mean_tmr.estimate, line.folded.estimate, line.mean_eer.estimate
    )  # fmt: skip
    assert row["eer"] > 0.5 > row["turned"]
    assert len(figure.frame) == 23
    assert set(figure.frame["condition"][figure.frame["efficient"]]) == shown.efficient
    # the family crowds in a corner, so it is drawn twice
    assert [ax.get_title("left") for ax in figure.canvas.axes] == ["", "The frame, enlarged"]


def test_every_condition_is_named_once_and_no_name_lies_on_another(figure):
    boxes, texts = [], []
    for ax in figure.canvas.axes:
        own = [t for t in ax.texts if t.get_text()]
        texts += [t.get_text() for t in own]
        extents = [t.get_window_extent() for t in own]
        boxes.append(np.array([[e.x0, e.y0, e.x1, e.y1] for e in extents]))
    assert sorted(texts) == sorted(
        figure.frame["label"].where(figure.frame["label"] != "", "Before")
    )
    for part in boxes:
        for place, box in enumerate(part):
            assert overlap(box, np.delete(part, place, axis=0)) < 0.05 * np.prod(box[2:] - box[:2])


@settings(deadline=None, max_examples=30)
@given(st.lists(st.tuples(st.floats(50, 950), st.floats(50, 950)), min_size=1, max_size=12))
def test_names_beside_marks_do_not_overlap(points):
    points = np.array(points)
    boxes = places(points, np.tile([60.0, 10.0], (len(points), 1)), np.array([0, 0, 1000, 1000]),
                   np.column_stack([points - 3, points + 3]))  # fmt: skip
    assert (boxes[:, :2] >= -1e-9).all()
    assert (boxes[:, 2:] <= 1000 + 1e-9).all()
    for place, box in enumerate(boxes):
        assert overlap(box, np.delete(boxes, place, axis=0)) == 0


def test_sentences_follow_from_the_numbers(shown):
    told = " ".join(sentences(shown))
    assert "22 conditions of 7 protectors in 3 seeds" in told
    assert [line.name for line in representatives(shown)] == [
        "SAN OP", "Ensemble SAN average", "FlowSAN stage 3", "PrivacyNet gender hidden"
    ]  # fmt: skip
    assert "FlowSAN stage 3 hides more than SAN OP" in told
    found = re.search(r"FlowSAN stage 3 hides more than SAN OP \(\+([\d.]+)", told)
    gap = [
        line_of(shown, *place).folded.estimate for place in (("flowsan", "stage3"), ("san", "op"))
    ]
    assert float(found[1]) == pytest.approx(100 * (gap[0] - gap[1]), abs=0.051)


def test_a_difference_within_its_interval_is_not_told_as_one():
    effects = dict(beside.EFFECTS)
    wild = side_by_side(beside.family(effects, spread=0.2))
    told = " ".join(sentences(wild))
    assert "cannot be shown to hide more or less than SAN OP" in told
    assert "Ensemble SAN average hides" not in told


def test_each_system_is_held_against_mixing_over_its_seeds(hiding):
    found = {claim.name: claim for claim in cores(hiding)}
    assert list(found) == ["C3", "C3, Ensemble SAN", "C3, FlowSAN", "C3, PrivacyNet"]
    flow = found["C3, FlowSAN"]
    assert {part.text for part in flow.parts} == {
        f"TMR, FlowSAN stage {n} − face mixing, 3 seeds" for n in (2, 3)
    }
    assert flow.word == HELD
    assert "FlowSAN leaves more matching than face mixing" in flow.title
    assert "SAN leaves" in found["C3"].title
    (part,) = (p for p in flow.parts if p.by == "FaceRes, SFace" and "stage 3" in p.text)
    sweep = [beside.EFFECTS["none", "original"]]
    sweep += [beside.EFFECTS["mixing", f"alpha{a}"] for a in (0.8, 0.6, 0.5)]
    eers = [
        beside.gender("faceres", "flowsan", "stage3", s).interval("eer").estimate for s in (0, 1, 2)
    ]
    tmrs = [beside.matching("sface", "flowsan", "stage3", s).interval("tmr@0.01").estimate
            for s in (0, 1, 2)]  # fmt: skip
    mixed = np.interp(eers, *zip(*sweep, strict=True))
    assert part.interval.estimate == pytest.approx(np.mean(np.array(tmrs) - mixed))
    assert part.seed is None


def test_a_system_that_keeps_less_than_mixing_fails_its_claim_alone(hiding):
    weak = tuple(
        replace(i, numbers=beside.numbers(("tmr@0.01",), 0.3, ("w", i.about.seed)))
        if i.about.protector == "privacynet" and i.about.matcher == "sface"
        else i
        for i in hiding.matching
    )
    words = {claim.name: claim.word for claim in cores(replace(hiding, matching=weak))}
    assert words["C3, PrivacyNet"] == NOT_HELD
    assert words["C3, FlowSAN"] == HELD


def test_a_seed_outside_the_sweep_leaves_the_mean_undecided(hiding):
    far = tuple(
        replace(i, numbers=beside.numbers(beside.GENDER, 0.01, ("f", 0)))
        if (i.about.mode, i.about.seed) == ("stage3", 1)
        else i
        for i in hiding.gender
    )
    (claim,) = (c for c in cores(replace(hiding, gender=far)) if c.name == "C3, FlowSAN")
    part = next(part for part in claim.parts if "stage 3" in part.text)
    assert part.remark.startswith("seed 1: EER inverted 1.0 lies outside mixing's sweep")
    assert np.isnan(part.interval.estimate)

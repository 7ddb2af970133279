"""Ensemble and FlowSAN in the report, from made-up score files."""

import json
from dataclasses import replace

import matplotlib
import numpy as np
import pandas as pd
import pytest

from softbio.evaluators.registry import load_evaluators
from softbio.figures.base import NotShown
from softbio.figures.family import prototypes, stages
from softbio.hiding.claims import decide
from softbio.hiding.family import BEST, MEAN, ensembles, over_scorers, series
from softbio.hiding.family_claims import family_claims, more_diverse, sentences
from softbio.metrics.diversity import pairs_of
from softbio.report.hiding.page import read_half, shown
from softbio.report.hiding.portraits import portraits
from softbio.report.hiding.write import write_hiding
from softbio.report.page import Share
from softbio.results.scores import read_comparisons, read_gender
from softbio.tables.family import diversity_table, ensemble_table, family_tables, series_table
from tests import weighted
from tests.conftest import ROOT
from tests.report import hidden, related

STYLE = ROOT / "report/figures.mplstyle"
SEEDS = hidden.World(subjects=30, each=3, cap=3500, seeds=(0, 1), family=True)
SMALL = hidden.World(
    subjects=16, each=2, cap=300, dataset="celeba_to_lfw", test="lfw", access="application",
    family=True,
)  # fmt: skip
MEMBERS = ("member1", "member2", "member3")


@pytest.fixture(scope="module")
def seeds(tmp_path_factory):
    return related.opened(tmp_path_factory.mktemp("family"), SEEDS, 60)


@pytest.fixture(scope="module")
def people(tmp_path_factory):
    """The folder of a half on photographs."""
    root = tmp_path_factory.mktemp("people")
    _, hiding = related.opened(root, SMALL, 30)
    write_hiding(hiding, load_evaluators(), root / "half", STYLE)
    return root / "half"


def eer(made, seed, condition, name="own_cnn"):
    path = made.root / f"privacy/faces/seed{seed}/{condition}/scores/gender/{name}.parquet"
    scores = read_gender(path)
    return weighted.eer_of(scores.scores, scores.labels)


def tmr(made, seed, condition, kind="protected-original"):
    folder = made.root / f"privacy/faces/seed{seed}/{condition}/scores/match"
    scores = read_comparisons(folder / f"sface.{kind}.all.parquet")
    return weighted.tmr_of(scores.scores, scores.mated)


def test_ensemble_table_has_each_output_of_each_seed_and_the_mean(seeds):
    made, hiding = seeds
    table = ensemble_table(hiding)
    keys = ["diversity", "evaluator", "output", "seed"]
    long = table.long.set_index(keys).sort_index()
    for seed in (0, 1):
        each = [eer(made, seed, f"ensemble/{member}") for member in MEMBERS]
        rows = long.loc["e3", "own_cnn"].xs(seed, level="seed")
        assert rows.loc[list(MEMBERS), "value"].tolist() == pytest.approx(each)
        assert rows.loc["mean", "value"] == pytest.approx(np.mean(each))
        assert rows.loc["best", "value"] == pytest.approx(max(each))
        average = eer(made, seed, "ensemble/average")
        assert rows.loc["average", "value"] == pytest.approx(average)
        assert rows.loc["average", "members"] == pytest.approx(average - np.mean(each))
        assert rows.loc["random", "before"] == pytest.approx(
            eer(made, seed, "ensemble/random") - eer(made, 0, "none/original")
        )
        assert rows.loc["average", "members_low"] < rows.loc["average", "members_high"]
    both = [eer(made, seed, "ensemble/average") for seed in (0, 1)]
    assert long.loc[("e3", "own_cnn", "average", "mean"), "value"] == pytest.approx(np.mean(both))
    (cells,) = (row.cells for row in table.rows if row.cells[:3] == [
        "E3", "Own CNN", "Average of their faces"])  # fmt: skip
    ends = dict.fromkeys(f"{100 * value:.1f}" for value in sorted(both))
    assert cells[-1] == " … ".join(ends)
    # an ensemble of which no member was judged has neither their mean nor their best
    assert set(long.loc["e1"].index.get_level_values("output")) == {"before", "average"}
    # used by the training, so not among the unseen
    assert "aux_gender" not in table.long["evaluator"].tolist()
    assert [row.summary for row in table.rows] == ["upper bound" in r.cells[2] for r in table.rows]


def test_the_best_member_is_chosen_anew_in_each_resample(seeds):
    _, hiding = seeds
    (track,) = (t for t in ensembles(hiding)[-1].tracks if t.name == "own_cnn")
    drawn = np.stack([track.places[member][0].values for member in MEMBERS])
    assert track.places[BEST][0].values.tolist() == drawn.max(0).tolist()
    assert track.places[MEAN][0].values == pytest.approx(drawn.mean(0))
    # not one member's alone
    assert len(set(drawn.argmax(0))) > 1
    mean = over_scorers(ensembles(hiding)[-1].tracks, BEST).estimate
    assert mean == pytest.approx(np.mean(
        [max(eer_of.estimate for eer_of in (t.places[m][s] for m in MEMBERS))
         for t in ensembles(hiding)[-1].tracks for s in (0, 1)]
    ))  # fmt: skip


def test_series_table_tells_what_each_stage_adds_and_costs(seeds):
    made, hiding = seeds
    long = series_table(hiding).long.set_index(["scorer", "stage", "seed"]).sort_index()
    for seed in (0, 1):
        levels = [eer(made, 0, "none/original")]
        levels += [eer(made, seed, f"flowsan/stage{k}") for k in (1, 2, 3)]
        kept = [tmr(made, 0, "none/original", "original-original")]
        kept += [tmr(made, seed, f"flowsan/stage{k}") for k in (1, 2, 3)]
        for name, values in (("own_cnn", levels), ("sface", kept)):
            rows = long.loc[name].xs(seed, level="seed")
            assert rows["value"].tolist() == pytest.approx(values)
            assert rows["step"].tolist()[1:] == pytest.approx(np.diff(values))
            assert rows["total"].tolist()[1:] == pytest.approx(np.array(values[1:]) - values[0])
            assert np.isnan(rows["step"].iloc[0])
            assert (rows["step_low"] <= rows["step_high"])[1:].all()


def without_tmr(hiding, few=lambda about: True):
    """few: whether there are too few comparisons in a file for a TMR."""

    def without(item):
        if not few(item.about):
            return item
        estimates = item.numbers.estimates.copy()
        names = ("tmr@0.01", "tmr@0.001")
        estimates[[item.numbers.names.index(name) for name in names]] = np.nan
        return replace(item, numbers=replace(item.numbers, estimates=estimates))

    return replace(hiding, matching=tuple(map(without, hiding.matching)))


def test_a_matcher_of_unknown_tmr_on_clean_faces_is_not_heard(seeds):
    _, hiding = seeds
    few = without_tmr(hiding, lambda about: (about.matcher, about.mode) == ("sface", ""))
    names = [track.name for track in series(hiding).matching]
    assert [track.name for track in series(few).matching] == [n for n in names if n != "sface"]


def test_a_mean_over_matchers_is_over_the_same_ones_and_seeds_at_each_stage(seeds):
    _, hiding = seeds
    few = without_tmr(
        hiding, lambda about: (about.matcher, about.mode, about.seed) == ("sface", "stage2", 1)
    )
    tracks = series(few).matching
    assert len(tracks) == len(series(hiding).matching) == 2
    known = [over_scorers(tracks, k) is not None for k in range(4)]
    assert known == [True, True, False, True]
    assert "over 2 unseen matchers" not in " ".join(sentences(few))


def test_a_tmr_that_the_comparisons_do_not_support_is_not_shown(seeds):
    _, hiding = seeds
    few = without_tmr(hiding)
    assert series(few).matching == ()
    assert set(series_table(few).long["number"]) == {"EER of gender"}
    assert "TMR" not in " ".join(sentences(few))
    assert set(stages(series(few), "faces").frame["number"]) == {"EER of gender"}


def test_diversity_is_that_of_the_pairs_with_an_interval(seeds):
    made, hiding = seeds
    long = diversity_table(hiding).long
    assert len(long) == 2 * 2 * 3
    place = made.root / "privacy/faces/seed1/ensemble/average/diversity/e2"
    found = [read_gender(place / f"member{k}.parquet") for k in (1, 2, 3)]
    decisions = np.stack([each.frame["score"] >= 0.5 for each in found])
    pairs = pairs_of(decisions, found[0].frame["label"] == 1)
    row = long[(long["mode"] == "average") & (long["seed"] == 1) & (long["diversity"] == "e2")]
    for name in ("q", "kappa", "disagreement"):
        assert row[name].item() == pytest.approx(pairs[name].mean())
        assert row[f"{name}_low"].item() < row[name].item() < row[f"{name}_high"].item()
    base = long[(long["mode"] == "average") & (long["seed"] == 1) & (long["diversity"] == "e1")]
    assert row["q_minus_e1"].item() == pytest.approx(row["q"].item() - base["q"].item())
    assert np.isnan(base["q_minus_e1"].item())


def test_a_matcher_that_fails_on_clean_faces_is_not_heard(seeds, monkeypatch):
    _, hiding = seeds
    names = [track.name for track in series(hiding).matching]
    lowest = min(track.over_seeds(0).estimate for track in series(hiding).matching)
    for able, heard in ((lowest, names), (1.01, [])):
        monkeypatch.setattr("softbio.hiding.able.ABLE", able)
        assert [track.name for track in series(hiding).matching] == heard
    assert names
    assert series(hiding).gender


def test_claims_on_the_family(seeds):
    made, hiding = seeds
    names = [claim.name for claim in decide(hiding)]
    assert names == [
        *("C1", "C2", "C3", "C3, Ensemble SAN", "C3, FlowSAN", "C4a", "C4b", "C4c", "C4d", "C6")
    ]
    claims = {claim.name: claim for claim in family_claims(hiding)}
    # stage 1 hides, the last one gives gender back
    words = {
        text: {p.word for p in claims["C4b"].parts if p.text == f"EER, FlowSAN {text}"}
        for text in ("stage 1 − stage 0", "stage 3 − stage 2")
    }
    assert words == {"stage 1 − stage 0": {"held"}, "stage 3 − stage 2": {"not held"}}
    assert claims["C4b"].word == "not held"
    assert len(claims["C4b"].parts) == 2 * 2 * 3
    assert "stage 1 − stage 0: 4 of 4 comparisons" in claims["C4b"].sentence
    assert len(claims["C4a"].parts) == 2 * 2
    found = {p.word for p in claims["C4c"].parts if p.text == "Q, E3 − E1"}
    assert found == {"held"}
    # two ensembles beside E1, two measures, two seeds: on the originals
    assert len(claims["C4c"].parts) == 2 * 2 * 2
    assert {p.text for p in claims["C4d"].parts} == {"EER inverted, average E3 − average E1"}
    gains = {p.seed: p.interval.estimate for p in claims["C4d"].parts if p.by == "Own CNN"}
    modes = ("ensemble/average", "ensemble/average-e1")
    each = {seed: [eer(made, seed, mode) for mode in modes] for seed in (0, 1)}
    assert gains == pytest.approx({seed: e3 - e1 for seed, (e3, e1) in each.items()})


def test_faces_made_against_compared_classifiers_do_not_decide_which_are_more_diverse(seeds):
    _, hiding = seeds
    of_average = tuple(d for d in hiding.differing if d.protector == "ensemble")
    assert len(of_average) == 2 * 3
    assert more_diverse(replace(hiding, differing=of_average)) is None
    neutral = tuple(replace(d, protector="privacynet", mode="g") for d in of_average)
    parts = more_diverse(replace(hiding, differing=hiding.differing + neutral)).parts
    assert {p.by for p in parts} == {
        "auxiliary classifiers, Before", "auxiliary classifiers, privacynet gender hidden"
    }  # fmt: skip
    assert len(parts) == 2 * 2 * 2 * 2


def test_of_turned_numbers_the_claims_are_not_held(seeds):
    _, hiding = seeds
    turned = {"e1": "e3", "e2": "e2", "e3": "e1"}
    other = tuple(replace(d, diversity=turned[d.diversity]) for d in hiding.differing)
    claims = {c.name: c for c in family_claims(replace(hiding, differing=other))}
    assert {p.word for p in claims["C4c"].parts if p.text == "Q, E3 − E1"} == {"not held"}


def test_what_was_not_compared_is_in_no_claim(seeds):
    _, hiding = seeds
    one = replace(hiding, differing=tuple(d for d in hiding.differing if d.diversity != "e2"))
    claims = {c.name: c for c in family_claims(one)}
    assert "(E3) are more diverse" in claims["C4c"].title
    assert "(E3) hide gender" in claims["C4d"].title
    assert "(E2, E3)" in more_diverse(hiding).title


def test_sentences_follow_from_the_numbers(seeds):
    _, hiding = seeds
    found = sentences(hiding)
    assert [text.split(":")[0].split(",")[0] for text in found] == [
        "Ensemble E1", "Ensemble E3", "Mean Q of pairs of an ensemble's classifiers",
        "Mean Q of pairs of an ensemble's classifiers", "FlowSAN",
    ]  # fmt: skip
    mean = over_scorers(ensembles(hiding)[-1].tracks, MEAN).estimate
    assert f"a member in the mean {100 * mean:.1f} (" in found[1]
    assert "an upper bound, and above the mean by construction" in found[1]
    assert "upper bound" not in found[0]
    assert "mean TMR at FMR 1 % over 2 unseen matchers" in found[-1]


def test_without_a_family_nothing_is_said_of_it(drawn):
    _, hiding = drawn
    assert [table for table in family_tables(hiding) if table is not None] == []
    assert sentences(hiding) == family_claims(hiding) == portraits(hiding) == []
    for drawing in (lambda: stages(series(hiding), "faces"), lambda: prototypes([], "a", "b")):
        with pytest.raises(NotShown):
            drawing()


def test_the_curve_has_every_scorer_and_their_mean(seeds):
    _, hiding = seeds
    frame = stages(series(hiding), "faces").frame
    part = frame[frame["number"] == "EER of gender"].set_index(["scorer", "stage"])["value"]
    assert set(frame["stage"]) == {0, 1, 2, 3}
    for k in range(4):
        own = [part[name, k] for name in ("Own CNN", "HOG and logistic regression")]
        assert part["mean", k] == pytest.approx(np.mean(own))


def test_prototypes_are_the_means_of_each_group(seeds):
    _, hiding = seeds
    found = portraits(hiding)
    assert [each.group for each in found[::2]] == [*related.GROUPS, "all faces"]
    assert [each.gender for each in found[:2]] == ["female", "male"]
    with np.load(hiding.prototypes) as file:
        assert np.array_equal(found[3].pixels, file["means"][1, 1])
    with matplotlib.rc_context(fname=STYLE):
        figure = prototypes(found, "faces", "faces")
    assert figure.frame["group"].nunique() == 5


def test_the_section_holds_its_own_and_prototypes_of_people_lie_beside(people, tmp_path):
    index = json.loads((people / "figures/index.json").read_text())
    assert [figure["name"] for figure in index["elsewhere"]] == [
        "examples-celeba_to_lfw", "prototypes-celeba_to_lfw"
    ]  # fmt: skip
    assert not list((people / "figures").glob("prototypes*"))
    assert (people / "faces/prototypes-celeba_to_lfw.png").stat().st_size > 1000
    half = shown(read_half(people), Share(10**6, 10**5), tmp_path / "report.html")
    names = [table["name"] for table in half.family.tables]
    assert names == [f"{stem}-celeba_to_lfw" for stem in ("ensemble", "diversity", "flowsan")]
    assert [picture.name for picture in half.family.pictures] == ["flowsan-celeba_to_lfw"]
    assert not set(names) & {table["name"] for table in half.tables}
    assert half.family.sentences[0].startswith("Ensemble E1")
    frame = pd.read_csv(people / "tables/flowsan-celeba_to_lfw.csv")
    assert set(frame["seed"]) == {"0", "mean"}

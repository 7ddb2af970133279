"""What is hidden and what is kept: matrix, claims and figure, from made-up scores."""

from dataclasses import replace

import matplotlib
import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import balanced_accuracy_score

from softbio.figures.base import NotShown
from softbio.figures.selectivity import selectivity as draw
from softbio.hiding.able import Readers, matchers, readers, unheard_readers
from softbio.hiding.claims import decide
from softbio.hiding.equal_privacy import TMR
from softbio.hiding.evaluators import evaluators
from softbio.hiding.load import load_hiding
from softbio.hiding.population import read_population
from softbio.hiding.selectivity import HideSet, hide_set, lines, selectivity_claims
from softbio.hiding.verdicts import HELD, UNDECIDED
from softbio.report.hiding.page import read_half, shown
from softbio.report.hiding.write import write_hiding
from softbio.report.page import Share
from softbio.report.write import environment_of
from softbio.results.attribute_scores import write_attribute
from softbio.statistics.intervals import judge
from softbio.statistics.means import Interval
from softbio.tables.hiding import evaluators_table
from softbio.tables.selectivity import SEEDS, attribute_errors, read_by, selectivity
from tests.conftest import ROOT
from tests.report import hidden, selective


@pytest.fixture(scope="module")
def hiding():
    return selective.hiding(deaf=True)


def test_letters_say_what_is_hidden():
    assert hide_set("privacynet", "ar") == HideSet(("age", "race"))
    assert hide_set("privacynet", "keep") == HideSet(())
    assert hide_set("privacynet", "gar-nocycle") == HideSet(("gender", "age", "race"), "nocycle")
    assert hide_set("san", "op") == hide_set("mixing", "alpha0.5") == HideSet(("gender",))
    assert hide_set("san", "sm") == hide_set("original", "") == HideSet(())


def test_hide_sets_come_first_and_ablations_behind_them(hiding):
    names = [line.name for line in lines(hiding)]
    assert names == [
        "Before",
        "PrivacyNet, hides gender",
        "PrivacyNet, hides gender and age",
        "PrivacyNet, hides gender, age and race",
        "PrivacyNet, hides nothing",
        "PrivacyNet, hides gender and age, without the matcher",
        "Face mixing alpha 0.5",
    ]


def test_what_is_written_into_the_face_is_told(hiding):
    found = lines(hiding)
    text = "where kept, fewer errors are made than before protection"
    assert text not in selectivity(hiding, found).caption
    known = [cell.attribute for line in found for cell in line.cells]

    def with_change(protector: str, hidden: bool, high: float):
        line = next(each for each in found if each.protector == protector)
        change = replace(line.cells[-1].change, estimate=-0.3, low=-0.4, high=high)
        cells = (*line.cells[:-1], replace(line.cells[-1], hidden=hidden, change=change))
        others = [each for each in found if each is not line]
        return selectivity(hiding, [*others, replace(line, cells=cells)]).caption

    assert f"Of {known[-1]}, {text}" in with_change("privacynet", hidden=False, high=-0.1)
    assert text not in with_change("privacynet", hidden=False, high=0.1)
    assert text not in with_change("privacynet", hidden=True, high=-0.1)
    assert text not in with_change("mixing", hidden=False, high=-0.1)


def test_a_cell_is_the_change_of_scikit_learns_balanced_error(hiding):
    (line,) = (each for each in lines(hiding) if each.mode == "ga")
    age = next(cell for cell in line.cells if cell.attribute == "age")
    errors = []
    for key in (("privacynet", "ga"), ("original", "")):
        told, predicted = selective.age(*key, selective.EFFECTS[key].age).classes
        errors.append(1 - balanced_accuracy_score(told, predicted))
    assert age.change.estimate == pytest.approx(errors[0] - errors[1])
    assert age.change.low > 0.2
    assert age.error.estimate == pytest.approx(errors[1])
    assert [cell.hidden for cell in line.cells] == [True, True, False]


def test_who_only_guesses_is_not_heard(hiding):
    (age,) = (each for each in readers(hiding) if each.attribute == "age")
    assert list(age.deaf) == ["GUESSER"]
    assert {item.about.evaluator for item in age.able} == {"own_coral"}
    claim = selectivity_claims(hiding)[0]
    assert "Excluded, for an error no better than chance before protection: GUESSER" in (
        claim.sentence
    )
    assert "GUESSER" in selectivity(hiding, lines(hiding)).caption


def test_of_a_reader_without_interval_it_is_not_said_that_it_guesses():
    unknown = Readers("race", (), {"X": Interval(0.1, np.nan, np.nan)})
    guesses = Readers("age", (), {"Y": Interval(0.7, 0.6, 0.8)})
    assert unheard_readers([unknown, guesses]) == (
        " Excluded, for an error no better than chance before protection: Y (age, 70.0 %)."
        " Excluded, for an error of unknown interval before protection: X (race, 10.0 %)."
    )
    assert read_by([unknown]).endswith(
        "race by nobody. Excluded, for an error of unknown interval before protection: "
        "X (race, 10.0 %)."
    )


def also_matched(hiding, name: str, few: tuple[str, str] | None = None, level: float = 1.0):
    """Another matcher on all conditions, with too few comparisons for a TMR under one of them."""
    files = tuple(
        judge(selective.matching(*key, level, name, 1000 if key == few else selective.CAP), 100)
        for key in selective.EFFECTS
    )
    return replace(hiding, matching=hiding.matching + files)


def by_mode(hiding) -> dict:
    return {line.mode: line for line in lines(hiding)}


def tmrs(hiding) -> str:
    """Written, for NaN is not equal to itself."""
    return str([line.tmr for line in lines(hiding)])


def test_a_matcher_that_matches_nothing_before_protection_is_not_heard(hiding):
    both = also_matched(hiding, "blind", level=0.0)
    assert tmrs(both) == tmrs(hiding)
    level = matchers(both).deaf["BLIND"].estimate
    text = "Excluded, for a TMR before protection that is below 50 % or not known: "
    text += f"BLIND ({100 * level:.1f} %)."
    assert text in selectivity(both, lines(both)).caption
    assert text in selectivity_claims(both)[1].sentence
    assert "SFace" not in selectivity(both, lines(both)).caption
    assert len(selectivity_claims(both)[1].parts) == 1


def test_a_matcher_of_unknown_tmr_before_protection_is_not_heard(hiding):
    both = also_matched(hiding, "few", few=("original", ""))
    assert tmrs(both) == tmrs(hiding)
    assert "not known: FEW." in selectivity(both, lines(both)).caption


def test_a_matcher_without_a_number_does_not_blank_the_mean_of_the_others(hiding):
    both = also_matched(hiding, "few", few=("mixing", "alpha0.5"))
    found, alone = by_mode(both), by_mode(hiding)
    assert str(found["alpha0.5"].tmr) == str(alone["alpha0.5"].tmr)
    assert np.isfinite(found["alpha0.5"].tmr.estimate)
    assert found["alpha0.5"].lacking == ("FEW",)
    numbers = [i.interval(TMR).estimate for i in both.matching if i.about.mode == "ga-nomatcher"]
    assert len(set(numbers)) == 2
    assert found["ga-nomatcher"].tmr.estimate == pytest.approx(np.mean(numbers))
    assert found["ga-nomatcher"].lacking == ()
    caption = selectivity(both, lines(both)).caption
    assert "Without a TMR, and left out of a mean: FEW (Face mixing alpha 0.5)." in caption
    assert "Without a TMR" not in selectivity(hiding, lines(hiding)).caption


def test_of_several_seeds_it_is_said_that_intervals_are_not_for_new_ones(hiding):
    assert SEEDS not in selectivity(hiding, lines(hiding)).caption

    def again(item):
        return replace(item, scores=replace(item.scores, about=replace(item.about, seed=1)))

    more = tuple(again(item) for item in hiding.gender if item.about.mode == "g")
    several = replace(hiding, gender=hiding.gender + more)
    assert {mode for mode, line in by_mode(several).items() if line.seeds > 1} == {"g"}
    caption = selectivity(several, lines(several)).caption
    assert SEEDS in caption
    assert "over evaluators and over seeds." in caption


def test_the_claim_holds_where_hidden_errors_rise_and_kept_ones_stay(hiding):
    found = {claim.name: claim for claim in decide(hiding)}
    assert list(found) == ["C1", "C2", "C3", "C3, PrivacyNet", "C5", "C5b", "C6"]
    parts = found["C5"].parts
    # three hide-sets by three readers: neither "keep" nor an ablation is one
    assert len(parts) == 9
    assert {part.word for part in parts if "(hidden" in part.text} == {HELD}
    assert found["C5"].word == HELD
    assert found["C5b"].word == HELD
    assert found["C5b"].parts[0].interval.low > 0


def test_where_nothing_is_kept_the_claim_counts_no_kept_errors(hiding):
    (every,) = (c for c in selectivity_claims(hiding) if c.name == "C5")
    assert "; kept ones: 3 of 3 errors rise by less than 5 (points" in every.sentence
    (alone,) = (c for c in selectivity_claims(replace(hiding, attributes=())) if c.name == "C5")
    assert {part.word for part in alone.parts} == {HELD}
    assert "; nobody reads one that was kept." in alone.sentence
    # age and race were to be hidden too
    assert alone.word == UNDECIDED
    assert "As able readers of age and race are missing, the claim cannot" in alone.sentence


def test_without_privacynet_there_is_a_matrix_and_no_claim():
    kept = [("original", ""), ("mixing", "alpha0.5")]
    effects = {key: selective.EFFECTS[key] for key in kept}
    found = selective.hiding(effects)
    assert [line.name for line in lines(found)] == ["Before", "Face mixing alpha 0.5"]
    assert selectivity_claims(found) == []
    assert lines(replace(found, attributes=())) == []


def test_tables_and_figure_show_the_matrix(hiding, tmp_path):
    table = selectivity(hiding, lines(hiding))
    row = next(row for row in table.rows if row.cells[1] == "gender and age")
    assert row.best == [2, 3]
    assert row.cells[3].startswith("+")
    assert len(table.long) == 7 * 3
    with matplotlib.rc_context(fname=ROOT / "report/figures.mplstyle"):
        figure = draw(table.long, "faces")
        figure.write(tmp_path)
    assert len(pd.read_csv(tmp_path / "selectivity-faces.csv")) == 6 * 3
    assert "PrivacyNet, hides gender, gender (hidden)" in figure.alt
    unread = table.long.assign(before=table.long["before"].where(table.long["read"] != "race"))
    ticks = draw(unread, "faces").canvas.axes[0].get_xticklabels()
    assert [tick.get_text() for tick in ticks if "race" in tick.get_text()] == [
        "race\n(before – %)"
    ]
    with pytest.raises(NotShown, match="needs readers"):
        draw(table.long[table.long["protector"] == "original"], "faces")
    errors = attribute_errors(hiding.attributes)
    ages = errors.long[errors.long["evaluator"] == "own_coral"].set_index("mode")
    told = selective.age("original", "", 1).errors
    assert ages.loc["", "mae"] == pytest.approx(told.mean())
    assert ages.loc["ga", "mae_change"] > 5
    assert attribute_errors(()) is None


def test_the_matrix_has_a_section_of_its_own(hiding, tmp_path):
    write_hiding(hiding, {}, tmp_path, ROOT / "report/figures.mplstyle")
    half = shown(read_half(tmp_path), Share(10**6, 10**5), tmp_path / "page.html")
    template = environment_of(ROOT / "report").get_template("hiding.html.j2")
    page = template.render(half=half, headlines=[])
    start, end = page.index("What is hidden, what is kept</h3>"), page.index("<h3>Tables</h3>")
    assert start < page.index('id="figure-selectivity-faces"') < end
    assert start < page.index('id="table-selectivity-faces"') < end
    for kind in ("figure", "table"):
        assert page.count(f'id="{kind}-selectivity-faces"') == 1
    assert page.index('id="table-attributes-faces"') > end
    assert "<b>C5: PrivacyNet hides" in page


def test_readers_stand_among_the_evaluators(hiding):
    found = {entry.name: entry for entry in evaluators(hiding, {})}
    assert (found["own_coral"].kind, found["own_race"].kind) == ("age", "race")
    assert found["own_coral"].clean.estimate > 0.8
    assert "CORAL" in found["own_coral"].text
    rows = {row.cells[0]: row.cells for row in evaluators_table(list(found.values()), "f").rows}
    assert rows["OWN_CORAL"][2] != "–"
    assert rows["OWN_CORAL"][3] == "–"


def test_files_are_read_with_their_condition(tmp_path):
    world = hidden.World(6, 2, 50)
    folder = hidden.condition(world, tmp_path, "none", "original", 0)
    write_attribute(
        folder / "scores/attributes/own_coral.parquet", selective.age("original", "", 1)
    )
    card = tmp_path / "card.json"
    card.write_text(
        '{"datasets": {"u": {"name": "u", "subjects": false}}, "left_out": [], "size": 9}'
    )
    parts = tmp_path / "parts.csv"
    parts.write_text("image,subject,part,gender\na,a,test,male\n")
    people = read_population("faces", card, parts)
    (item,) = load_hiding(people, [folder], resamples=5).attributes
    assert item.about.evaluator == "own_coral"
    assert "u has no subject labels" in people.without_subjects

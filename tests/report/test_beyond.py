"""Methods that the talk does not have, one of them without probabilities, one a user's own."""

import json
from dataclasses import dataclass
from pathlib import Path

import pytest

from softbio.figures import Figure, write_figures
from softbio.methods import METHODS, get_method
from softbio.results.names import TALK, Names, names_in
from softbio.results.predictions import About, read_predictions
from softbio.results.records import Records, load
from softbio.statistics.contests import read_statistics, write_statistics
from softbio.tables import Evidence, Table, write_tables
from tests.conftest import ROOT
from tests.report import synthetic

NOTE = "Not in the talk: L1 regression, My <own> method."


@dataclass(frozen=True)
class Beyond:
    """What was made of the run folders."""

    folders: list[Path]
    records: Records
    tables: dict[str, Table]
    figures: dict[str, Figure]
    absent: dict[str, str]


@pytest.fixture(scope="module")
def beyond(tmp_path_factory, made) -> Beyond:
    root = tmp_path_factory.mktemp("beyond")
    folders = synthetic.build_beyond(root)
    records = load(folders)
    write_statistics(records, root / "statistics.json")
    statistics = read_statistics(root / "statistics.json")
    tables = write_tables(Evidence(records, made.published, statistics), root / "tables")
    style = ROOT / "report/figures.mplstyle"
    figures = write_figures(records, {}, statistics, root / "figures", style)
    absent = json.loads((root / "figures/index.json").read_text())["absent"]
    return Beyond(
        folders,
        records,
        {table.name: table for table in tables},
        {figure.name: figure for figure in figures},
        {entry["name"]: entry["reason"] for entry in absent},
    )


def test_titles_come_with_the_runs(beyond):
    assert beyond.records.title("mine") == "My <own> method"
    assert beyond.records.title("regression") == "L1 regression"
    columns = [name for _, name in beyond.tables["summary"].columns]
    assert columns[2:5] == ["OR-CNN", "L1 regression", "My <own> method"]


def test_every_table_and_figure_says_which_methods_the_talk_does_not_have(beyond):
    assert len(beyond.tables) > 5
    for table in beyond.tables.values():
        shown = {m for c in ("method", "a", "b") if c in table.long for m in table.long[c]}
        assert (NOTE in table.caption) == ({"mine", "regression"} <= shown), table.name
    assert (
        "Not in the talk: My <own> method." in beyond.figures["reliability-faces-small32"].caption
    )
    assert NOTE in beyond.tables["differences-faces-small32"].caption
    assert NOTE in beyond.figures["heatmap-faces-small32"].caption
    assert NOTE in (beyond.folders[0].parents[4] / "tables/summary.md").read_text()


def test_the_talks_methods_bear_no_note(tables, figures):
    shown = [*tables.values(), *figures.values()]
    assert not [item.name for item in shown if "Not in the talk" in item.caption]


def test_without_probabilities_there_is_a_dash_and_no_panel(beyond):
    rows = beyond.tables["calibration-faces-small32"].rows
    cells = {tuple(row.cells[:2]): row.cells[2:] for row in rows}
    assert cells["L1 regression", "last epoch"] == ["–"] * 5
    assert "±" in cells["My <own> method", "best validation epoch"][0]
    drawn = set(beyond.figures["reliability-faces-small32"].frame["method"])
    assert drawn == {"orcnn", "mine"}
    heat = beyond.figures["heatmap-faces-small32"].frame
    assert heat.groupby("method")["images"].sum().to_dict() == dict.fromkeys(
        ("orcnn", "regression", "mine"), 2 * synthetic.N
    )


def test_the_lowest_score_of_a_selection_is_bold(beyond):
    rows = beyond.tables["calibration-faces-small32"].rows
    means = {
        method: beyond.records.values(
            [r for r in beyond.records.select("faces", "small32") if r.method == method], "rps"
        ).mean()
        for method in ("orcnn", "mine")
    }
    bold = [row.cells[0] for row in rows if 2 in row.best and row.cells[1] == "last epoch"]
    assert bold == [beyond.records.title(min(means, key=means.__getitem__))]


def test_what_needs_absent_methods_says_so(beyond):
    assert set(beyond.absent) == {"backbones", "probabilities", "inconsistencies", "biases"}


def test_fallback_titles_are_those_of_the_methods():
    assert {name: get_method(name).title for name in METHODS if get_method(name).in_talk} == TALK


def test_a_file_without_title_has_the_talks_or_its_own_name():
    names = names_in([{"method": "coral"}, {"method": "nobodys"}])
    assert names.title("coral") == "CORAL-CNN"
    assert names.title("nobodys", "-weighted") == "nobodys, weighted"
    methods = ["coral", "median", "nobodys", "nobodys"]
    assert names.beyond_talk(methods) == "Not in the talk: nobodys."
    assert names.beyond_talk(["ce", "median"]) == ""


def test_names_of_one_report_do_not_reach_another(beyond, made):
    """Both were made in this process."""
    assert beyond.records.title("mine") != made.records.title("mine") == "mine"
    assert Names().title("mine") == "mine"


def test_title_survives_the_predictions_file(beyond):
    about, _ = read_predictions(beyond.folders[-1] / "predictions.parquet")
    assert about == About(
        *("faces", "small32", "mine", "", 1, "class", synthetic.AGES), "My <own> method", False
    )
    about, _ = read_predictions(beyond.folders[0] / "predictions.parquet")
    assert (about.title, about.in_talk) == ("", None)

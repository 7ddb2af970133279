"""Tables: their numbers against pandas, their three forms against each other."""

import csv
import json
import re

import numpy as np
import pandas as pd
import pytest

from softbio.tables.comparison import comparison
from softbio.tables.layout import Row, Table, escape, latex, lowest, markdown, plus_minus
from tests.report import synthetic

TINY = Table(
    "small16",
    "A & B",
    "± over seeds_1.",
    pd.DataFrame({"x": [1.0]}),
    [("", "Method"), ("Set", "MAE ↓"), ("Set", "RMSE ↓")],
    [Row(["CE", "1.00", "2.00"]), Row(["CE", "1.00 ± 0.10", "–"], [1], summary=True)],
)


def mae(made, **equal) -> pd.DataFrame:
    frame = made.records.runs.query("metric == 'mae' and decoding == 'published'")
    for column, value in equal.items():
        frame = frame[frame[column] == value]
    return frame


def test_the_talks_table_has_a_row_a_seed_and_their_average(made, tables):
    rows = tables["errors-small32-last"].rows
    assert [row.cells[0] for row in rows[::4]] == ["CE-CNN", "OR-CNN", "CORAL-CNN"]
    assert [row.cells[1] for row in rows[:4]] == ["0", "1", "2", "AVG ± SD"]
    frame = mae(made, backbone="small32", selection="last", variant="", method="ce")
    assert [row.cells[2] for row in rows[:3]] == [f"{v:.2f}" for v in frame["value"]]
    assert rows[3].cells[2] == f"{frame['value'].mean():.2f} ± {frame['value'].std():.2f}"


def test_the_lowest_average_is_bold_and_no_other(made, tables):
    table = tables["errors-small32-last"]
    means = (
        mae(made, backbone="small32", selection="last", variant="")
        .groupby("method")["value"]
        .mean()
    )
    bold = [row.cells[0] for row in table.rows if 2 in row.best]
    assert bold == [{"ce": "CE-CNN", "orcnn": "OR-CNN", "coral": "CORAL-CNN"}[means.idxmin()]]


def test_selection_is_named_and_both_are_there(tables):
    assert "last epoch" in tables["errors-small32-last"].caption
    assert "best validation epoch" in tables["errors-small32-best"].caption
    assert tables["errors-small32-last"].rows != tables["errors-small32-best"].rows


def test_every_table_with_a_spread_says_what_it_is_over(tables):
    for table in tables.values():
        if any("±" in cell for row in table.rows for cell in row.cells):
            assert "sample standard deviation (n−1) over seeds" in table.caption


def test_weighting_compares_the_same_methods(made, tables):
    rows = tables["weighting-small32"].rows
    assert [row.cells[:2] for row in rows] == [
        ["OR-CNN", "no"], ["OR-CNN", "yes"], ["CORAL-CNN", "no"], ["CORAL-CNN", "yes"],
    ]  # fmt: skip
    frame = mae(made, selection="last", variant="-weighted", method="coral")
    assert rows[3].cells[2].startswith(f"{frame['value'].mean():.2f} ±")
    assert "weighting-resnet34" not in tables


def test_controls_stand_beside_the_methods(tables):
    last = tables["controls-faces"].rows[-1].cells
    assert last[1] == "Constant median"
    assert last[-1] == "0"
    assert "CORAL-CNN, shuffled labels" in [row.cells[1] for row in tables["controls-faces"].rows]


def test_only_threshold_methods_have_inconsistencies(tables):
    rows = tables["inconsistencies-small32"].rows
    assert {row.cells[0] for row in rows} == {"OR-CNN", "CORAL-CNN"}
    assert {row.cells[2] for row in rows if row.cells[0] == "CORAL-CNN"} == {"0.00"}


def test_files_hold_what_the_table_holds(made, tables):
    folder = made.root / "tables"
    for name, table in tables.items():
        again = pd.read_csv(folder / f"{name}.csv")
        assert len(again) == len(table.long)
        with open(folder / f"{name}.md") as file:
            lines = [line for line in file if line.startswith("|")]
        assert len(lines) == len(table.rows) + 2
        tex = (folder / f"{name}.tex").read_text()
        assert tex.count(r"\begin{tabular}") == 1
        body = tex.split(r"\midrule")[1].split(r"\bottomrule")[0]
        assert body.count(r"\\") == len(table.rows)
        for line in body.strip().splitlines():
            if line != r"\addlinespace":
                assert len(re.findall(r"(?<!\\)&", line)) == len(table.columns) - 1
    names = [entry["name"] for entry in json.loads((folder / "index.json").read_text())]
    assert names == list(tables)


def test_csv_keeps_full_precision(made, tables):
    with open(made.root / "tables/errors-small32-last.csv", newline="") as file:
        written = [float(row["value"]) for row in csv.DictReader(file) if row["metric"] == "mae"]
    expected = mae(made, backbone="small32", selection="last", variant="")["value"]
    assert sorted(written) == sorted(expected)


def test_markdown_and_latex_of_a_tiny_table():
    assert markdown(TINY).splitlines()[2:] == [
        "| Method | Set MAE ↓ | Set RMSE ↓ |",
        "| :-- | --: | --: |",
        "| CE | 1.00 | 2.00 |",
        "|  | **1.00 ± 0.10** | – |",
    ]
    text = latex(TINY)
    assert r"\caption{A \& B. $\pm$ over seeds\_1.}" in text
    assert r" & \multicolumn{2}{c}{Set} \\" in text
    assert r"\cmidrule(lr){2-3}" in text
    assert r" & \textbf{1.00 $\pm$ 0.10} & -- \\" in text


def test_latex_escapes_each_special_once():
    assert escape(r"50% a_b \ {x}") == r"50\% a\_b \textbackslash{} \{x\}"


@pytest.mark.parametrize(
    ("values", "text"),
    [([1.0, 2.0, 3.0], "2.00 ± 1.00"), ([1.234], "1.23"), ([], "–"), ([1.0, np.nan], "–")],
)
def test_plus_minus(values, text):
    assert plus_minus(np.array(values)) == text


def test_ties_at_printed_precision_are_all_best():
    assert lowest([2.001, 2.004, 3.0]) == [0, 1]
    assert lowest([2.0]) == []
    assert lowest([np.nan, 2.0, 1.0]) == [2]


@pytest.fixture(scope="module")
def utkface(tmp_path_factory):
    """The same runs under the name of a data set that the talk has."""
    from softbio.records import load

    root = tmp_path_factory.mktemp("utkface")
    return load(synthetic.build(root, dataset="utkface").runs)


def test_another_recipe_is_never_reproduced(made, utkface):
    frame = comparison(utkface, made.published)
    assert set(frame["verdict"]) == {"other recipe"}
    assert set(frame["published_backbone"]) == {"resnet34"}
    small = frame[(frame["backbone"] == "small32") & (frame["method"] == "coral")]
    assert (
        small["deviations"]
        .str.contains("backbone Small CNN, width 32 .published: ResNet-34.")
        .all()
    )
    assert frame["difference"].to_numpy() == pytest.approx(frame["mean"] - frame["published_mean"])


def test_the_published_recipe_is_judged(made, utkface):
    from dataclasses import replace

    from softbio.published import TALK

    provenance = utkface.provenance.copy()
    for field, value in TALK["resnet34"].items():
        provenance[f"recipe.{field}"] = value
    frame = comparison(replace(utkface, provenance=provenance), made.published)
    judged = frame[frame["backbone"] == "resnet34"]
    assert set(judged["verdict"]) <= {"reproduced", "close", "differs"}
    assert set(frame.loc[frame["backbone"] == "small32", "verdict"]) == {"other recipe"}


def test_a_data_set_nobody_published_has_no_comparison(tables):
    assert "published" not in tables

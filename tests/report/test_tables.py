"""Tables: their numbers against pandas, their three forms against each other."""

import csv
import json
import re
from dataclasses import astuple, replace

import numpy as np
import pandas as pd
import pytest
from scipy.stats import ttest_ind

from softbio.published.numbers import TALK, averages, gpu_hours
from softbio.results.records import KEY, load
from softbio.tables.comparison import comparison, not_run, published_table
from softbio.tables.context import summary
from softbio.tables.errors import all_metrics, errors
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


def test_differences_are_those_of_the_statistics(made, tables):
    table = tables["differences-faces-small32"]
    pairs = made.statistics.between("faces", "small32")
    assert len(pairs) == 3
    for row, pair in zip(table.rows, pairs, strict=False):
        assert row.cells[2].replace("−", "-") == f"{pair.images.estimate:+.2f}"
        assert row.cells[5].replace("−", "-") == f"{pair.total.low:+.2f} to {pair.total.high:+.2f}"
        assert row.cells[-1] == ("separated" if pair.separated else "not separated")
    best = tables["differences-faces-resnet34"]
    assert {row.cells[-1] for t in (table, best) for row in t.rows} == {
        "separated",
        "not separated",
    }


def test_captions_have_no_hole(tables):
    assert not [t.name for t in tables.values() if re.search(r"[{}]|nan|None", t.caption + t.title)]


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
    frame = comparison(as_published(utkface), made.published)
    judged = frame[frame["backbone"] == "resnet34"]
    assert set(judged["verdict"]) <= {"reproduced", "close", "differs"}
    assert set(frame.loc[frame["backbone"] == "small32", "verdict"]) == {"other recipe"}


def test_a_data_set_nobody_published_has_no_comparison(tables):
    assert "published" not in tables


def as_published(records):
    """The same records with the talk's recipe for ResNet-34, and its images of UTKFace."""
    provenance = records.provenance.copy()
    for field, value in TALK["resnet34"].items():
        provenance[f"recipe.{field}"] = value
    provenance["n_train"], provenance["n_test"] = 13_147, 3287
    return replace(records, provenance=provenance)


def without(records, **gone):
    """The same records without the runs that match."""
    kept = {
        run: folder
        for run, folder in records.folders.items()
        if any(getattr(run, name) != value for name, value in gone.items())
    }
    keys = set(map(astuple, kept))
    frames = {
        name: frame[[key in keys for key in frame[KEY].itertuples(index=False, name=None)]]
        for name in ("runs", "cs", "by_age", "groups", "histories", "provenance")
        for frame in [getattr(records, name)]
    }
    return replace(records, **frames, folders=kept)


def test_the_interval_is_that_of_welch(made, utkface):
    frame = comparison(as_published(utkface), made.published)
    row = frame[(frame["backbone"] == "resnet34") & (frame["method"] == "coral")].iloc[0]
    ours = utkface.values(utkface.select("utkface", "resnet34")[6:], "mae")
    theirs = [5.46, 5.46, 5.48]
    test = ttest_ind(ours, theirs, equal_var=False).confidence_interval(0.95)
    assert (row["low"], row["high"]) == pytest.approx((test.low, test.high))
    table = published_table(as_published(utkface), made.published)
    assert table.columns[6] == ("", "Difference, 95 %")
    rows = [row.cells for row in table.rows]
    cells = next(row for row in rows if row[1:4] == ["ResNet-34", "CORAL-CNN", "MAE"])
    text = f"{row['difference']:+.2f} ({test.low:+.2f} to {test.high:+.2f})"
    assert cells[6] == text.replace("-", "−")


def test_every_printed_number_of_a_cell_is_in_the_csv(made, utkface):
    table = published_table(as_published(utkface), made.published)
    cell = table.long[
        (table.long["backbone"] == "resnet34")
        & (table.long["method"] == "coral")
        & (table.long["metric"] == "mae")
    ]
    assert cell["seed"].tolist() == ["avg", "0", "1", "2"]
    assert cell["as_printed"].tolist() == ["5.47 ± 0.01", "5.46", "5.46", "5.48"]
    assert cell["difference"].to_numpy()[1:] == pytest.approx(
        cell["mean"].to_numpy()[1:] - [5.46, 5.46, 5.48]
    )
    assert cell["verdict"].nunique() == 1


def test_an_average_over_fewer_seeds_says_so_everywhere(made, utkface):
    """A gap is told, never averaged away."""
    fewer = without(utkface, backbone="resnet34", method="coral", variant="", seed=1)
    assert len(fewer.folders) == len(utkface.folders) - 1
    two = " (2 of 3 seeds)"
    compared = published_table(fewer, made.published)
    ours = {tuple(r.cells[1:4]): r.cells[5] for r in compared.rows}
    assert ours["ResNet-34", "CORAL-CNN", "MAE"].endswith(two)
    assert not ours["ResNet-34", "OR-CNN", "MAE"].endswith(two)
    cell = compared.long.query(
        "backbone == 'resnet34' and method == 'coral' and metric == 'mae' and weighted == 'no'"
    )
    gap = cell[cell["seed"] == "1"].iloc[0]
    assert (gap["verdict"], gap["missing"]) == ("not run", "this seed")
    assert np.isnan(gap["mean"])
    rows = errors(fewer, "resnet34", "last").rows
    assert rows[9].cells == ["CORAL-CNN", "1", "–", "–"]
    assert all(cell.endswith(two) for cell in rows[11].cells[2:])
    first = next(r for r in summary(fewer).rows if r.cells[1] == "ResNet-34")
    assert [cell.endswith(two) for cell in first.cells[2:5]] == [False, False, True]
    seeds = {r.cells[0]: r.cells[3] for r in all_metrics(fewer, "utkface", "resnet34").rows}
    assert seeds == {"CE-CNN": "3", "OR-CNN": "3", "CORAL-CNN": "2"}


def test_what_was_not_run_says_what_it_needs(made, utkface):
    frame = not_run(utkface, made.published, {"cacd": "download", "afad": "at hand"})
    talk = averages(made.published)
    both = pd.concat([comparison(as_published(utkface), made.published), frame])
    own = both[both["backbone"] == both["published_backbone"]]
    # each published average once: run or not run
    cells = own[["dataset", "backbone", "method", "weighted", "metric"]]
    assert sorted(cells.itertuples(index=False, name=None)) == sorted(talk)
    missing = frame[frame["metric"] == "mae"].set_index(["dataset", "backbone", "method"])
    missing = missing["missing"].groupby(level=[0, 1, 2]).first()
    printed = made.published
    assert missing["morph2", "resnet34", "ce"].startswith("MORPH-2 archive (form), about ")
    assert missing["cacd", "vgg", "ce"].startswith("CACD archive (download), about ")
    # who has the archive needs the hours only, and so does another backbone of a data set here
    hours = 3 * gpu_hours(printed, "afad", "resnet34")
    assert missing["afad", "resnet34", "ce"] == f"about {hours:.0f} GPU hours"
    hours = 3 * gpu_hours(printed, "utkface", "inception_v3")
    assert missing["utkface", "inception_v3", "coral"] == f"about {hours:.0f} GPU hours"
    assert ("utkface", "resnet34", "coral") in missing.index  # its weighted cell


def test_the_table_of_what_was_not_run_is_compact(made, tables):
    table = tables["not-run"]
    assert [row.cells[0] for row in table.rows] == ["MORPH-2", "AFAD", "UTKFace", "CACD"]
    assert [row.cells[1] for row in table.rows] == ["20"] * 4
    assert all(row.cells[-1].startswith("not run: ") for row in table.rows)
    hours = 9 * gpu_hours(made.published, "morph2", "vgg")
    assert table.rows[0].cells[4] == f"{hours:.0f}"
    # 80 averages, and the seeds of the 72 that have them
    assert len(table.long) == 80 + 3 * 72
    assert set(table.long["verdict"]) == {"not run"}

"""One made-up results folder, and everything drawn from it, for all tests of the report."""

from dataclasses import dataclass, replace
from pathlib import Path

import pandas as pd
import pytest

from softbio.data.registry import Card
from softbio.evaluators.registry import load_evaluators
from softbio.figures import Figure, write_figures
from softbio.hiding.load import Hiding
from softbio.hiding.side_by_side import SideBySide, side_by_side
from softbio.published.numbers import read_published
from softbio.report.hiding.write import write_hiding
from softbio.report.write import ReportInputs, write_report
from softbio.results.records import Records, load, load_cards
from softbio.statistics.contests import Statistics, read_statistics, write_statistics
from softbio.tables import Evidence, Table, write_tables
from tests.conftest import ROOT
from tests.report import beside, hidden, synthetic


@dataclass(frozen=True)
class Made:
    """What was made from the results."""

    root: Path
    results: synthetic.Results
    records: Records
    cards: dict[str, Card]
    published: pd.DataFrame
    statistics: Statistics


@pytest.fixture(scope="session")
def made(tmp_path_factory: pytest.TempPathFactory) -> Made:
    """Run folders of two backbones on one data set, and their records."""
    root = tmp_path_factory.mktemp("results")
    results = synthetic.build(root)
    published = read_published(ROOT / "config/published.csv")
    records = load(results.runs)
    write_statistics(records, root / "statistics.json")
    statistics = read_statistics(root / "statistics.json")
    return Made(root, results, records, load_cards(results.cards), published, statistics)


@pytest.fixture(scope="session")
def tables(made: Made) -> dict[str, Table]:
    """All tables by name; their files lie in {root}/tables."""
    evidence = Evidence(made.records, made.published, made.statistics)
    return {t.name: t for t in write_tables(evidence, made.root / "tables")}


@pytest.fixture(scope="session")
def figures(made: Made) -> dict[str, Figure]:
    """Figures of the data set and of one backbone by name; files in {root}/figures."""
    runs = [f for f in made.results.runs if "resnet34" not in f.parts]
    style = ROOT / "report/figures.mplstyle"
    drawn = write_figures(load(runs), made.cards, made.statistics, made.root / "figures", style)
    return {figure.name: figure for figure in drawn}


def write_page(made: Made, figures: Path, out: Path) -> Path:
    """The report with the figures of a folder."""
    write_report("quick <test>", inputs_of(made, figures=figures), out)
    return out


def inputs_of(made: Made, **changes: object) -> ReportInputs:
    """What the report of `made` is made from, but for changes."""
    inputs = ReportInputs(
        tables=made.root / "tables",
        figures=made.root / "figures",
        cards=made.cards,
        records=made.records,
        statistics=made.statistics,
        published=made.published,
    )
    return replace(inputs, **changes)


@pytest.fixture(scope="session")
def page(made: Made, tables: dict, figures: dict) -> Path:
    """The report."""
    return write_page(made, made.root / "figures", made.root / "report.html")


PHOTOGRAPHS = hidden.World(
    subjects=16, each=2, cap=300, dataset="celeba_to_lfw", test="lfw", access="form"
)


@pytest.fixture(scope="session")
def drawn(tmp_path_factory: pytest.TempPathFactory) -> tuple[hidden.Made, Hiding]:
    """A made-up population of drawn faces, and what is judged of it."""
    made = hidden.build(tmp_path_factory.mktemp("drawn"))
    return made, hidden.opened(made, hidden.World())


@pytest.fixture(scope="session")
def half(drawn: tuple) -> Path:
    """The folder of the half on drawn faces."""
    made, hiding = drawn
    folder = made.root / "hiding/faces"
    write_hiding(hiding, load_evaluators(), folder, ROOT / "report/figures.mplstyle")
    return folder


@pytest.fixture(scope="session")
def photographs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a half on faces of people."""
    root = tmp_path_factory.mktemp("photographs")
    folder = root / "hiding/celeba_to_lfw"
    write_hiding(
        hidden.opened(hidden.build(root, PHOTOGRAPHS), PHOTOGRAPHS),
        load_evaluators(),
        folder,
        ROOT / "report/figures.mplstyle",
    )
    return folder


@pytest.fixture(scope="session")
def hiding() -> Hiding:
    """The whole family beside simpler methods, over three seeds."""
    return beside.family()


@pytest.fixture(scope="session")
def shown(hiding: Hiding) -> SideBySide:
    """That side by side."""
    return side_by_side(hiding)

"""The page with both halves, and with either alone."""

import json
import re
from collections import Counter
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest

from softbio.figures import write_figures
from softbio.hiding.load import Condition, Hiding
from softbio.hiding.terms import STRENGTHS, terms
from softbio.privacy.protectors import get_protector, names
from softbio.report.write import write_report
from softbio.results.records import load
from softbio.statistics.contests import read_statistics, write_statistics
from softbio.tables import Evidence, write_tables
from tests.conftest import ROOT
from tests.report.conftest import inputs_of
from tests.report.test_page import Reader

STYLE = ROOT / "report/figures.mplstyle"


def report(root, made, tables, figures, halves) -> str:
    out = root / "with.html"
    inputs = inputs_of(made, tables=tables, figures=figures, hiding=halves)
    write_report("half <test>", inputs, out)
    assert out.stat().st_size < 5_000_000
    return out.read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def nothing(made, tmp_path_factory):
    """What the age half has made where the grid is empty."""
    root, records = tmp_path_factory.mktemp("nothing"), load([])
    write_statistics(records, root / "statistics.json")
    statistics = read_statistics(root / "statistics.json")
    write_tables(Evidence(records, made.published, statistics), root / "tables")
    write_figures(records, {}, statistics, root / "figures", STYLE)
    return replace(made, root=root, records=records, cards={}, statistics=statistics)


@pytest.fixture(scope="module")
def both(made, tables, figures, half, photographs) -> str:
    return report(made.root, made, made.root / "tables", made.root / "figures", [half, photographs])


@pytest.fixture(scope="module")
def alone(nothing, half) -> str:
    return report(nothing.root, nothing, nothing.root / "tables", nothing.root / "figures", [half])


def test_faces_of_people_stay_out_of_the_figures(half, photographs):
    index = json.loads((photographs / "figures/index.json").read_text())
    assert not any(figure["name"].startswith("examples") for figure in index["figures"])
    assert [figure["name"] for figure in index["elsewhere"]] == ["examples-celeba_to_lfw"]
    assert not list((photographs / "figures").glob("examples*"))
    assert (photographs / "faces/examples-celeba_to_lfw.png").stat().st_size > 1000
    index = json.loads((half / "figures/index.json").read_text())
    assert index["figures"][0]["name"] == "examples-faces"
    assert not list((half / "faces").iterdir())


def read(text: str) -> Reader:
    reader = Reader()
    reader.feed(text)
    assert reader.open == []
    return reader


def test_page_with_both_halves(both, half, photographs):
    html = read(both)
    ids = [attributes["id"] for _, attributes in html.tags if "id" in attributes]
    assert max(Counter(ids).values()) == 1
    for link in html.all("a"):
        assert not link["href"].startswith("#") or link["href"][1:] in ids
    assert "age estimation by ordinal regression and hiding gender" in both
    assert {"findings", "hiding-faces", "hiding-celeba_to_lfw", "cite"} <= set(ids)
    for folder in (half, photographs):
        record = json.loads((folder / "claims.json").read_text())
        assert [claim["name"] for claim in record["claims"]] == ["C1", "C2", "C3", "C6"]
        assert record["headline"].replace("<", "&lt;").replace(">", "&gt;") in both
    words = {claim["name"]: claim["word"] for claim in record["claims"]}
    table = pd.read_csv(photographs / "tables/claims-celeba_to_lfw.csv")
    verdicts = table.groupby("claim")["verdict"].unique()
    assert {claim: list(told) for claim, told in verdicts.items()} == {
        claim: [words[claim]] for claim in verdicts.index
    }
    assert len(verdicts) > 1
    assert "Face mixing &lt;made up&gt;" in both
    assert "<made up>" not in both
    # photographs are named, not shown
    assert "figure-examples-celeba_to_lfw" not in ids
    assert "faces/examples-celeba_to_lfw.png" in both
    assert "figure-examples-faces" in ids
    assert "Levi-Hassner" in both
    assert "What Own CNN retrained does." in both
    assert "size 64 (talk: 224)" in both


def test_what_the_half_speaks_of_is_explained(half, both, photographs):
    terms = dict(json.loads((half / "claims.json").read_text())["terms"])
    assert {"Before", "SM, NT, OP", "EER of gender", "FMR, TMR"} <= set(terms)
    assert "share of the face itself" in terms["Face mixing, alpha"]
    for term, text in terms.items():
        assert f"<dt>{term}</dt>" in both
        assert not text.endswith(".")
    # whatever stands in a table of this half and not in ordinary speech
    for word in ("EER", "TMR", "FMR", "AUC", "SM", "NT", "OP", "unseen", "Zero effort"):
        assert word in " ".join([*terms, *terms.values()])


def test_strengths_are_explained_where_there_are_such_protectors():
    originals = Condition(Path(), "none", "original", 0)
    alone = Hiding(None, (originals,))
    assert [name for name, _ in terms(alone)] == ["Before", "Auxiliary, own, seen, unseen"]
    blurred = Hiding(None, (originals, Condition(Path(), "blur", "sigma2", 0)))
    assert "Gaussian blur, sigma" in dict(terms(blurred))
    # a new way of protection with a strength wants its line
    numbered = {name for name in names() if any(m[-1].isdigit() for m in get_protector(name).modes)}
    # the letters of a hide-set want one as well
    assert numbered | {"privacynet"} == set(STRENGTHS)


def test_nothing_is_fetched(both):
    html = read(both)
    for attributes in html.all("img", "script", "link", "source", "iframe"):
        for name in ("src", "href"):
            assert attributes.get(name, "data:").startswith("data:")
    assert all(len(image["alt"]) > 20 for image in html.all("img"))


def test_page_of_hiding_alone(alone, half):
    html = read(alone)
    ids = {attributes["id"] for _, attributes in html.tags if "id" in attributes}
    assert not ids & {"findings", "ladder", "tables", "data", "models", "deviations", "checklist"}
    for link in html.all("a"):
        assert not link["href"].startswith("#") or link["href"][1:] in ids
    headline = json.loads((half / "claims.json").read_text())["headline"]
    title = re.search(r"<h1>(.*?)</h1>", alone)[1]
    told = headline.replace("<", "&lt;").replace(">", "&gt;")
    assert re.sub(r"<[^>]+>", "", title) == told
    # the first sentence large, the others small
    assert title.index("<span") == told.index(" The claim") + 1
    assert alone.count(title) == 1
    assert "half &lt;test&gt; · hiding gender · version" in alone
    assert "ordinal regression ·" not in alone


def test_the_population_card_prints_known_problems(alone):
    card = alone[alone.index('id="population-card-faces"') :].partition("</article>")[0]
    problems = re.search(r"<dt>Known problems of (.*?)</dt><dd><ul>(.*?)</ul></dd>", card)
    assert problems[1] == "Made-up &lt;faces&gt;"
    assert re.findall("<li>(.*?)</li>", problems[2]) == [
        "Nobody &amp; &lt;none&gt;.",
        "Drawn twice.",
    ]


def test_the_heading_of_the_claims_says_whose_they_are(alone):
    assert "<h3>Claims, in our words</h3>" in alone
    note = alone.partition("<h3>Claims, in our words</h3>")[2].partition("</p>")[0]
    assert "the full texts of the papers were not available; the thresholds are ours" in note
    assert "C6 is our own: where it does not hold, knowing the method helps an attacker." in note


def test_the_page_says_that_the_published_numbers_are_the_talks(page, alone):
    printed = (
        "Convolutional neural networks for predicting and hiding personal traits from face images"
    )
    told = (
        f"S. Raschka. {printed}. Talk, International Summer School on Deep Learning, Gdańsk, 2019."
    )
    text = page.read_text(encoding="utf-8")
    assert f"<li>Published numbers (Raschka 2019) are those of the talk: {told}</li>" in text
    assert f"<li>The talk: {told}</li>" in alone


def test_page_of_ages_alone_says_nothing_of_hiding(page):
    text = page.read_text(encoding="utf-8")
    assert "Hiding gender" not in text
    assert "· age estimation by ordinal regression · version" in text

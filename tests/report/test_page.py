"""The page as text: offline, whole, readable by everybody."""

import base64
import json
import re
import shutil
from collections import Counter
from html.parser import HTMLParser

import pytest

from softbio.report.page import copy_text, embedded
from tests.conftest import ROOT
from tests.report.conftest import write_page

VOID = {"meta", "link", "img", "br", "hr", "input"}
STYLE = (ROOT / "report/style.css").read_text()


class Reader(HTMLParser):
    """Collects (tag, attributes) and checks that tags close in order."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict]] = []
        self.open: list[str] = []

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def all(self, *names: str) -> list[dict]:
        return [attributes for tag, attributes in self.tags if tag in names]


@pytest.fixture(scope="module")
def text(page) -> str:
    return page.read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def html(text) -> Reader:
    reader = Reader()
    reader.feed(text)
    assert reader.open == []
    return reader


def test_size(page):
    assert page.stat().st_size < 5_000_000


def test_nothing_is_fetched(html, text):
    for attributes in html.all("img", "script", "link", "source", "iframe"):
        for name in ("src", "href"):
            assert attributes.get(name, "data:").startswith("data:")
    assert not re.search(r"url\(|@import", STYLE)
    policy = next(a["content"] for a in html.all("meta") if "http-equiv" in a)
    assert policy.startswith("default-src 'none'; img-src data:")


def test_data_is_escaped(text):
    assert "quick &lt;test&gt;" in text
    assert "Made-up faces &lt;&amp;&gt; no measurement" in text
    assert "<test>" not in text


def test_every_image_has_words_and_a_caption(html, figures):
    images = html.all("img")
    assert len(images) == len(figures)
    assert all(len(image["alt"]) > 20 for image in images)
    assert len(html.all("figcaption")) == len(images)


def test_tables_have_caption_and_scopes(html, tables):
    count = Counter(tag for tag, _ in html.tags)
    assert count["table"] == count["caption"] == len(tables)
    assert all(head["scope"] in ("col", "colgroup", "row") for head in html.all("th"))


def test_anchors_lead_somewhere(html, page):
    ids = [attributes["id"] for _, attributes in html.tags if "id" in attributes]
    assert max(Counter(ids).values()) == 1
    for link in html.all("a"):
        href = link["href"]
        if href.startswith("#"):
            assert href[1:] in ids
        elif not href.startswith("https://"):
            assert (page.parent / href).is_file()


def test_verdict_and_summary_come_first(text):
    names = ["table-summary", "findings", "tables", "figures", "data", "deviations", "provenance"]
    order = [text.index("<h1>"), *(text.index(f'id="{name}"') for name in [*names, "cite"])]
    assert order == sorted(order)


def test_deviations_come_from_the_recipes(text):
    part = text[text.index('id="deviations"') : text.index('id="provenance"')]
    assert "bias descending (published: zeros)" in part
    assert "epochs 12 (published: 200)" in part
    assert "backbone Small CNN, width 32 (published: ResNet-34)" in part
    # CE-CNN and OR-CNN have no initial biases to deviate in
    assert "(Drawn faces: CE-CNN, OR-CNN)" in part


def test_figures_of_backbones_stand_in_the_order_of_the_index(made, tables, figures, tmp_path):
    index = json.loads((made.root / "figures/index.json").read_text())
    *_, last = (entry for entry in index["figures"] if entry["backbone"] == "small32")
    last["backbone"] = "resnet34"  # by the alphabet it would be the first
    folder = tmp_path / "figures"
    shutil.copytree(made.root / "figures", folder)
    (folder / "index.json").write_text(json.dumps(index))
    text = write_page(made, folder, tmp_path / "report.html").read_text(encoding="utf-8")
    heads = re.findall("<h4>(Drawn faces, .+?)</h4>", text)
    assert heads == ["Drawn faces, Small CNN, width 32", "Drawn faces, ResNet-34"]


def test_data_card_and_absent_figures_are_told(text):
    card = text[text.index('id="card-faces"') : text.index('id="deviations"')]
    for words in ("CC0", "Testing the report.", "2 (listed in rejected.csv)", "ab" * 32):
        assert words in card
    assert "needs at least two backbones" in text


def contrast(one: str, two: str) -> float:
    """WCAG 2 contrast ratio of two #rrggbb colours."""

    def luminance(colour: str) -> float:
        parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
        linear = [c / 12.92 if c <= 0.03928 else ((c + 0.055) / 1.055) ** 2.4 for c in parts]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    high, low = sorted((luminance(one), luminance(two)), reverse=True)
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("theme", [0, 1], ids=["light", "dark"])
def test_contrast_is_aa(theme):
    blocks = re.findall(r":root \{([^}]*--page[^}]*)\}", STYLE)
    colours = dict(re.findall(r"--(\w+): (#[0-9a-f]{6})", blocks[theme]))
    for ground in ("page", "panel", "strong"):
        for ink in ("ink", "soft", "link"):
            assert contrast(colours[ink], colours[ground]) >= 4.5, (ink, ground)


def test_contrast_of_known_pairs():
    assert contrast("#000000", "#ffffff") == pytest.approx(21)
    assert contrast("#777777", "#ffffff") == pytest.approx(4.48, abs=0.01)


def test_a_large_figure_goes_in_as_a_small_picture(made, figures):
    svg = made.root / "figures/training-faces-small32.svg"
    whole, small = embedded(svg, 10**6), embedded(svg, 1000)
    assert base64.b64decode(whole.split(",")[1]) == svg.read_bytes()
    assert small.startswith("data:image/png;base64,")
    assert len(small) < min(len(whole), 60_000)


def test_a_long_file_is_pointed_at(made, tables):
    path = made.root / "tables/runs.csv"
    assert copy_text(path, 10**6) == path.read_text()
    assert copy_text(path, 10).endswith("see tables/runs.csv next to this report")

"""Addresses that a card names: a link where they are of the web, else text."""

import pytest

from softbio.report.write import environment_of
from tests.conftest import ROOT


@pytest.mark.parametrize(
    ("url", "linked"),
    [
        ("https://example.org/a?b=1&c=2", True),
        ("http://example.org", True),
        ("javascript:alert(1)", False),
        ("JaVaScRiPt:alert(1)", False),
        ("data:text/html,<script>alert(1)</script>", False),
    ],
)
def test_only_an_address_of_the_web_is_a_link(url, linked):
    link = environment_of(ROOT / "report").get_template("blocks.html.j2").module.link
    text = str(link(url))
    assert ("<a href=" in text) == linked
    assert "<script" not in text

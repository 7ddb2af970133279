"""Runs on gender in the report: among the key figures and the origins, and nowhere without them."""

import json
import re
from pathlib import Path

import pytest

from softbio.published.numbers import read_published
from softbio.reading.load import load_readings
from softbio.reading.notebook import printed
from softbio.report.reading.write import key_figures, write_reading
from softbio.report.write import write_report
from softbio.results.records import load
from tests.conftest import ROOT
from tests.report.conftest import inputs_of
from tests.unit.test_reading import write_run

PUBLISHED = read_published(ROOT / "config/published.csv")
ORIGIN = {
    "best_epoch": 3, "epochs": 10, "parameters": 42_500_000, "precision": "fp32",
    "started": "2026-11-24T09:30:00+00:00", "training_seconds": 7200.0, "device": "cuda",
    "hardware": "made-up GPU", "threads": 3, "versions": {"python": "3.12.1"},
    "git": {"commit": "fedcba9" * 5 + "fedcb", "dirty": False}, "data_sha256": "a" * 64,
}  # fmt: skip


def run_of(root: Path, **changes) -> Path:
    """The folder of a run on gender with all that run.json tells."""
    folder = write_run(root, **changes)
    record = json.loads((folder / "run.json").read_text()) | ORIGIN
    (folder / "run.json").write_text(json.dumps(record))
    return folder


@pytest.fixture(scope="module")
def section(tmp_path_factory) -> Path:
    """The folder of the section on one run of the published recipe."""
    root = tmp_path_factory.mktemp("gender")
    readings = load_readings([run_of(root)])
    write_reading(readings, {}, PUBLISHED, root / "reading", ROOT / "report/figures.mplstyle")
    return root / "reading"


def page_of(made, records, section: Path | None, out: Path) -> str:
    inputs = inputs_of(made, records=records, reading=[section] if section else [])
    write_report("both", inputs, out)
    return out.read_text(encoding="utf-8")


def figures_in(text: str) -> dict[str, str]:
    return dict(re.findall(r"<div><dt>(.*?)</dt><dd>(.*?)</dd></div>", text))


def origin_of(text: str) -> str:
    return text.partition('id="provenance"')[2].partition("</section>")[0]


@pytest.mark.usefixtures("tables", "figures")
def test_runs_on_gender_are_counted_and_told_where_they_come_from(made, section, tmp_path):
    plain = figures_in(page_of(made, made.records, None, tmp_path / "plain.html"))
    text = page_of(made, made.records, section, tmp_path / "both.html")
    found = figures_in(text)
    ages = len(made.records.provenance)
    assert plain["trained runs"] == str(ages)
    assert found["trained runs"] == str(ages + 1)
    assert found["runs on gender"] == "1"
    assert found["seeds"] == plain["seeds"]  # 1 is among them
    assert found["device"] == "cpu, cuda"
    assert found["last run started"] == "2026-11-24 09:30 UTC"
    assert found["commit"] == "0123456, fedcba9"
    assert {*found} - {*plain} == {
        "runs on gender", "gender, ResNet-101 on CelebA", "published, ResNet-101"
    }  # fmt: skip
    told = origin_of(text)
    for word in ("made-up GPU, 3 threads", "made-up CPU, 2 threads", "python 3.12.1", "a" * 64):
        assert word in told
    assert "<dt>CelebA</dt>" in told
    assert 'href="#table-reading-runs"' in told
    assert 'id="table-reading-runs"' in text


@pytest.mark.usefixtures("tables", "figures")
def test_without_runs_on_ages_those_on_gender_are_the_runs(made, section, tmp_path):
    text = page_of(made, load([]), section, tmp_path / "page.html")
    found = figures_in(text)
    assert found["trained runs"] == found["runs on gender"] == "1"
    assert found["training time, all runs"] == "120.0 min"
    assert "made-up GPU" in origin_of(text)
    assert "made-up CPU" not in origin_of(text)


def test_the_accuracy_stands_beside_the_published_one(tmp_path):
    """That of the published recipe, wherever it stands among the runs."""
    other = run_of(tmp_path, backbone="resnet34", epochs=3)
    own = load_readings([other, run_of(tmp_path)])
    first, second = key_figures(own, printed(PUBLISHED)).items()
    accuracy = own[1].interval("last", "accuracy")
    ends = [f"{100 * x:.2f}" for x in (accuracy.estimate, accuracy.low, accuracy.high)]
    assert first == ("gender, ResNet-101 on CelebA", "{} % right ({} to {})".format(*ends))
    assert second[0] == "published, ResNet-101"
    assert re.fullmatch(r"97\.52 % \((reproduced|differs)\)", second[1])
    (_, ours), (_, theirs) = key_figures(own[:1], printed(PUBLISHED)).items()
    assert ours.endswith(")")
    assert theirs == "97.52 % (other recipe)"

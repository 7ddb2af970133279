"""The benchmarks run, and their ratios are those of their rates."""

import io
import runpy
import subprocess
import sys
from collections.abc import Callable

import pandas as pd
import pytest

from tests.conftest import ROOT

TINY = "--backbone small8 --size 18 --crop 16 --batch 16 --images 64 --rounds 1 --seconds 0.1"


def in_a_process(script: str, *arguments: str) -> str:
    call = [sys.executable, str(ROOT / "benchmarks" / script), *arguments]
    done = subprocess.run(call, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture
def run(monkeypatch, capsys) -> Callable[..., str]:
    """The same in this process, which has imported torch."""

    def called(script: str, *arguments: str) -> str:
        path = str(ROOT / "benchmarks" / script)
        monkeypatch.setattr(sys, "argv", [path, *arguments])
        capsys.readouterr()
        runpy.run_path(path, run_name="__main__")
        return capsys.readouterr().out

    return called


@pytest.mark.parametrize(
    ("calls", "extra"), [("one", "--workers 1"), ("two", "--workers 0 --streamed --precision bf16")]
)
def test_throughput(tmp_path, run, calls, extra):
    out = tmp_path / "new/throughput.csv"
    for lines, call in enumerate([run, in_a_process] if calls == "two" else [run], 1):
        call("throughput.py", *TINY.split(), *extra.split(), "--out", str(out))
        table = pd.read_csv(out)
        assert len(table) == lines
    line = table.iloc[-1]
    assert line["engine"] > 0
    # one round: its rates are the medians
    expected = line["engine"] / line["ceiling"]
    # it is written to three decimals, which are few significant digits where the ratio is low
    assert line["engine_to_ceiling"] == pytest.approx(expected, rel=2e-3, abs=6e-4)
    assert line["feed"] == ("streamed" if "streamed" in extra else "resident")
    assert pd.isna(line["authors"]) == ("--workers 0" in extra)


def test_profile_names_the_convolutions(run):
    tiny = "--backbone small8 --crop 16 --batch 8 --steps 1"
    table = run("profile_step.py", *tiny.split())
    assert "convolution" in table
    assert "| all | 100 % |" in table


def test_privacy_step_sets_both_layouts_beside_each_other(run):
    printed = run("privacy_step.py", "--rounds", "1", "--steps", "1")
    table = pd.read_csv(io.StringIO(printed))
    assert list(table["step"]) == ["san", "gender", "matcher"]
    ratio = table["channels_last"] / table["contiguous"]
    assert table["ratio"].tolist() == pytest.approx(ratio.tolist(), abs=0.01)


def test_intervals_by_both_ways_are_one(run):
    printed = run("intervals.py", "--subjects", "40", "--images", "3", "--resamples", "20")
    table = pd.read_csv(io.StringIO(printed))
    assert list(table) == ["comparisons", "by rates", "by pass", "ratio"]
    assert table["comparisons"].item() == 40 * 3 + 40 * 39 // 2 * 9


def test_cost_of_a_thousand_jobs(tmp_path):
    in_a_process("workflow_cost.py", "--out", str(tmp_path / "cost.csv"), "--calls", "1")
    table = pd.read_csv(tmp_path / "cost.csv")
    assert {"interpreter", "interpreter and torch", "plan of 1,008 jobs"} <= set(table["measure"])
    assert (table["seconds"] > 0).all()


def test_packing_from_every_form(tmp_path):
    out = tmp_path / "packing.csv"
    printed = in_a_process(
        "packing.py", "--images", "12", "--folder", str(tmp_path), "--out", str(out)
    )
    table = pd.read_csv(out)
    assert list(table["source"]) == ["folder", "zip", "tar", "tar.gz", "tar.xz in parts"]
    assert (table[["images_per_second", "cpu_ms_per_image", "peak_memory_mb"]] > 0).all(axis=None)
    assert printed == out.read_text()
    assert list(tmp_path.iterdir()) == [out], "nothing else is left"

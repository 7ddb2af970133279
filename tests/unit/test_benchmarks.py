"""The benchmarks run, and their ratios are those of their rates."""

import io
import re
import runpy
import subprocess
import sys
from collections.abc import Callable
from types import SimpleNamespace

import pandas as pd
import pytest
import torch
from torch.autograd import DeviceType

from tests.conftest import ROOT

SCRIPTS = {path.stem for path in (ROOT / "benchmarks").glob("*.py")}
TINY = "--backbone small8 --size 18 --crop 16 --batch 16 --images 64 --rounds 1 --seconds 0.1"
TINY += " --device cpu"


def in_a_process(script: str, *arguments: str) -> str:
    call = [sys.executable, str(ROOT / "benchmarks" / script), *arguments]
    done = subprocess.run(call, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture(autouse=True)
def beside(monkeypatch) -> None:
    """A script finds the files beside it."""
    monkeypatch.syspath_prepend(ROOT / "benchmarks")


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
    ("calls", "extra"),
    [("one", "--workers 1 --contiguous"), ("two", "--workers 0 --streamed --precision bf16")],
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
    assert line["layout"] == ("contiguous" if "contiguous" in extra else "channels_last")
    assert line["images"] == 64


def named(script: str) -> SimpleNamespace:
    """What a benchmark defines, without running it."""
    return SimpleNamespace(**runpy.run_path(str(ROOT / "benchmarks" / script)))


def test_an_epoch_of_a_gpu_is_no_handful_of_steps():
    throughput, asked = named("throughput.py"), SimpleNamespace(images=1024)
    found = {
        name: throughput.images_of(asked, torch.device(name)) // 256 for name in ("cpu", "cuda")
    }
    assert found["cpu"] == 4
    assert found["cuda"] > 150
    asked.images = 10**6
    assert throughput.images_of(asked, torch.device("cuda")) == 10**6


def test_who_comes_next_does_not_share_the_machine_with_a_write():
    """Of the resume file, which a GPU's run does not wait for itself."""
    throughput, done = named("throughput.py"), []
    resume = SimpleNamespace(device=torch.device("cpu"), remove=lambda: done.append("written"))
    task, next_epoch = SimpleNamespace(images=8), lambda: done.append("trained")
    run = SimpleNamespace(resume=resume, task=task, next_epoch=next_epoch)
    assert throughput.engine_rate(run) > 0
    assert done == ["trained", "written"]


def test_a_table_of_other_columns_is_refused_before_anything_is_measured(tmp_path, run):
    table = tmp_path / "throughput.csv"
    table.write_text("date,commit\n2026-11-24,6494a15\n")
    with pytest.raises(SystemExit):
        run("throughput.py", *TINY.split(), "--out", str(table))
    assert table.read_text() == "date,commit\n2026-11-24,6494a15\n"


def test_profile_names_the_convolutions(run):
    tiny = "--backbone small8 --crop 16 --batch 8 --steps 1 --device cpu"
    table = run("profile_step.py", *tiny.split())
    assert "convolution" in table
    assert "| all | 100 % |" in table


def test_a_gpus_time_is_counted_once():
    """As the profiler shows two steps: kernels on the GPU, and their time again in the operators
    that launched them and in the annotation around both."""

    def row(key, device, own, cpu, annotation=False):
        return SimpleNamespace(
            key=key,
            device_type=device,
            self_device_time_total=own,
            self_cpu_time_total=cpu,
            is_user_annotation=annotation,
        )

    rows = [
        row("aten::cudnn_convolution", DeviceType.CPU, 70.0, 5.0),
        row("sgemm", DeviceType.CUDA, 70.0, 0.0),
        row("aten::_fused_adam_", DeviceType.CPU, 30.0, 4.0),
        row("multi_tensor_apply", DeviceType.CUDA, 30.0, 0.0),
        row("Optimizer.step#Adam.step", DeviceType.CUDA, 30.0, 0.0, annotation=True),
        row("Optimizer.step#Adam.step", DeviceType.CPU, 0.0, 1.0, annotation=True),
    ]
    spent = named("profile_step.py").spent
    assert spent(rows, cuda=True) == {"sgemm": 70.0, "multi_tensor_apply": 30.0}
    assert sum(spent(rows, cuda=False).values()) == 10.0


def test_privacy_step_sets_both_layouts_beside_each_other(run):
    printed = run("privacy_step.py", "--rounds", "1", "--steps", "1")
    table = pd.read_csv(io.StringIO(printed))
    assert list(table["step"]) == ["san", "gender", "matcher"]
    ratio = table["channels_last"] / table["contiguous"]
    assert table["ratio"].tolist() == pytest.approx(ratio.tolist(), abs=0.01)


def test_memory_that_is_kept_beside_memory_that_is_returned(run):
    asked = "--backbone small16 --rounds 1 --steps 1"
    table = pd.read_csv(io.StringIO(run("allocator.py", *asked.split())))
    assert table[["backbone", "crop", "batch"]].values.tolist() == [["small16", 44, 128]]
    assert (table[["ms kept", "ms returned", "memory kept"]] > 0).all(axis=None)
    # one round: its times are the medians, written without decimals
    ratio = table["ms kept"] / table["ms returned"]
    assert table["ratio"].item() == pytest.approx(ratio.item(), rel=0.05)


def test_make_bench_runs_every_measurement():
    text = (ROOT / "Makefile").read_text()
    called = {name for name in SCRIPTS if re.search(rf"benchmarks[./]{name}\b", text)}
    # a part of throughput.py, and what explains its numbers
    assert SCRIPTS - called == {"jpeg_feed", "profile_step"}


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

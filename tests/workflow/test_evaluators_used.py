"""What is aligned or trained depends on the evaluators that it uses, and on no other entry of their
registry. Every script is replaced by one that writes its outputs: the plan alone is looked at."""

import os

import pytest
import yaml

from tests.project import CONFIG, copy_of_the_project, jobs_of, snakemake

# a card tells the resources of later jobs how many images there are
STUB = """
from pathlib import Path

for path in map(Path, snakemake.output):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text('{"images": {"mine": 4}}')
"""
NETWORKS = "results/micro/privacy/mine/seed0/networks"
TARGETS = (
    "resources/points/mine/points.parquet",
    f"{NETWORKS}/san/network.safetensors",
    f"{NETWORKS}/privacynet/full/network.safetensors",
)
ALIGNED = {"face_points", "align"}
TRAINED = {"embed_originals", "san", "privacynet"}
MORE = {
    **{"title": "One more", "kind": "gender", "architecture": "onnx_model", "ecosystem": "pypi"},
    **{"package": "one-more", "version": "1.0", "licence": "MIT", "provenance": "nobody's"},
    **{"citation": "none", "net": "one_more"},
    "files": {"weights": {"path": "one/more.onnx", "sha256": "0" * 64}},
    "crop": {"half": 60, "cx": 56, "cy": 60},
    "input": {"size": 64, "colour": "rgb", "mean": [0, 0, 0], "scale": 255},
    "output": {"meaning": "P(male)", "column": 0},
}


@pytest.fixture(scope="module")
def done(tmp_path_factory):
    """A copy of the project in which all of `TARGETS` were made."""
    photographs = tmp_path_factory.mktemp("photographs")
    (photographs / "labels.csv").write_text("file,age,split\n")
    mine = {"title": "Mine", "reader": "table", "ages": [18, 70], "source": str(photographs)}
    mine |= {"lists": {"all": "labels.csv"}, "prepare": {"align": "eyes"}}
    privacy = {"san": {"size": 32, "matcher_net": "dlib_resnet"}}
    config = CONFIG | {"datasets": CONFIG["datasets"] | {"mine": mine}, "privacy": privacy}
    folder = copy_of_the_project(tmp_path_factory.mktemp("project"), config)
    for script in (folder / "workflow/scripts").glob("*.py"):
        script.write_text(STUB)
    run = snakemake(folder, *TARGETS)
    assert run.returncode == 0, run.stdout
    return folder


def planned(folder, change=None, *options) -> dict[str, int]:
    """The jobs after a change of the registry: rule -> number."""
    registry = folder / "config/evaluators.yaml"
    before = registry.read_text()
    entries = yaml.safe_load(before)
    if change is not None:
        change(entries)
        registry.write_text(yaml.safe_dump(entries))
    try:
        plan = snakemake(folder, *TARGETS, "--dry-run", *options)
    finally:
        registry.write_text(before)
    assert plan.returncode == 0, plan.stdout
    jobs = jobs_of(plan.stdout)
    assert jobs or "Nothing to be done" in plan.stdout, plan.stdout
    jobs.pop("total", None)
    return jobs


def test_one_evaluator_more_makes_nothing_anew(done):
    assert planned(done) == {}
    assert planned(done, lambda entries: entries.update(one_more=MORE)) == {}


def test_fetching_evaluators_again_makes_nothing_else_anew(done):
    assert planned(done, None, "--forcerun", "evaluators") == {"evaluators": 1}


def test_a_corrected_citation_makes_nothing_anew(done):
    assert planned(done, lambda entries: entries["yunet"].update(citation="Corrected")) == {}


@pytest.mark.parametrize(
    ("name", "anew", "kept"), [("yunet", ALIGNED, set()), ("dlib_resnet", TRAINED, ALIGNED)]
)
def test_other_weights_make_anew_what_uses_them(done, name, anew, kept):
    def change(entries):
        entries[name]["files"]["weights"]["sha256"] = "0" * 64

    jobs = planned(done, change)
    assert anew <= set(jobs)
    assert not kept & set(jobs)
    assert jobs["used_evaluators"] == 1


def test_another_code_of_the_matcher_trains_anew(done):
    """It is imported by the name of its architecture, which no list of imports shows."""
    source = done / "src/softbio/evaluators/dlib_resnet.py"
    before, times = source.read_text(), source.stat()
    source.write_text(before + "# changed\n")
    try:
        jobs = planned(done)
    finally:
        source.write_text(before)
        os.utime(source, ns=(times.st_atime_ns, times.st_mtime_ns))
    assert set(jobs) >= TRAINED
    assert not ALIGNED & set(jobs)


def test_a_change_beside_a_forced_fetch_is_seen(done):
    """Snakemake skips the own reasons of jobs below one that is to run: no `ancient()` may stand
    between the receipt of all evaluators and what they are used for."""

    def change(entries):
        entries["dlib_resnet"]["files"]["weights"]["sha256"] = "0" * 64

    assert set(planned(done, change, "--forcerun", "evaluators")) >= TRAINED

"""Faces are looked for where a data set is packed by them, and nowhere else."""

import re
from pathlib import Path

import pytest

from tests import miniatures
from tests.project import CONFIG, copy_of_the_project, snakemake, without_packages


@pytest.fixture(scope="module")
def project(tmp_path_factory) -> Path:
    """A copy that knows where the images of two data sets are."""
    folder = tmp_path_factory.mktemp("crops")
    for name in ("morph2", "utkface"):
        getattr(miniatures, name)(folder / name)
    sources = {name: {"source": str(folder / name)} for name in ("morph2", "utkface")}
    # the miniature's lists are not the authors'
    for name, lists in (("morph2", ["morph2"]), ("utkface", ["utk"])):
        sources[name]["files"] = [
            {"name": f"{start}_{part}.csv", "url": None, "sha256": None, "bytes": None}
            for start in lists
            for part in ("train", "test")
        ]
    datasets = CONFIG["datasets"] | sources
    (folder / "project").mkdir()
    return copy_of_the_project(folder / "project", CONFIG | {"datasets": datasets})


@pytest.mark.parametrize(("name", "looked"), [("morph2", True), ("utkface", False)])
def test_a_crop_asks_for_the_detector_first(project, name, looked):
    target = f"resources/packed/{name}/24/card.json"
    # the profile's `quiet` hides the jobs
    plan = snakemake(project, target, "--dry-run", "--workflow-profile", "none")
    assert plan.returncode == 0, plan.stdout
    jobs = dict(re.findall(r"^(\w+) +(\d+)$", plan.stdout, re.M))
    assert ("face_points" in jobs) == looked, plan.stdout
    assert ("used_evaluators" in jobs) == looked
    assert "prepare" in jobs


def test_a_detector_that_is_not_to_be_had_is_told(project, monkeypatch):
    without_packages(project, monkeypatch)
    run = snakemake(project, "resources/packed/morph2/24/card.json", cores=1)
    assert run.returncode == 1, run.stdout
    told = (project / "logs/morph2/points.log").read_text()
    assert "no face detector" in told
    assert "snakemake --cores 1 evaluators --forcerun evaluators" in told
    assert not (project / "resources/packed/morph2/24").exists()

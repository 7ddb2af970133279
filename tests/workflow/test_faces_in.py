"""The rules that bring evaluators and aligned faces in."""

import json

import pandas as pd
import pytest

from tests.project import copy_of_the_project, snakemake, without_packages


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    return copy_of_the_project(tmp_path_factory.mktemp("faces"))


def test_drawn_faces_are_aligned_without_a_network(project):
    run = snakemake(project, "resources/aligned/faces/56/images.npy", cores=1)
    assert run.returncode == 0, run.stdout
    folder = project / "resources/aligned/faces/56"
    assert len(pd.read_parquet(folder / "index.parquet")) >= 24
    assert pd.read_csv(folder / "rejected.csv").empty
    assert not (project / "resources/evaluators").exists()


def test_evaluators_that_can_not_be_fetched_stop_nothing(project, monkeypatch):
    without_packages(project, monkeypatch)
    run = snakemake(project, "evaluators", cores=1)
    assert run.returncode == 0, run.stdout
    receipt = json.loads((project / "resources/evaluators/receipt.json").read_text())
    assert {entry["status"] for entry in receipt.values()} == {"missing"}
    assert all("no connection" in entry["reason"] for entry in receipt.values())
    log = (project / "logs/evaluators.log").read_text()
    assert len(log.splitlines()) == len(receipt)

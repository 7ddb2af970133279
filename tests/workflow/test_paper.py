"""What is told of a run before it, and data sets that nobody here has: stopped at, or left out."""

import json
import re

import pytest
import yaml

from softbio.data.registry import load_registry
from tests.conftest import ROOT
from tests.project import CONFIG, copy_of_the_project, jobs_of, snakemake

REGISTRY = load_registry(ROOT / "config/datasets.yaml")
LACKING = CONFIG | {
    "grid": [CONFIG["grid"][0] | {"datasets": ["faces", "morph2"], "methods": ["coral"]}],
    "privacy": {"train": "ar_face", "test": "faces", "protectors": {"blur": ["sigma2"]}},
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return copy_of_the_project(tmp_path_factory.mktemp("paper"), LACKING)


def test_the_paper_is_planned_with_what_it_takes_and_lacks(folder):
    plan = snakemake(folder, "--dry-run", "--configfile", "config/paper.yaml")
    assert plan.returncode == 0, plan.stdout
    assert plan.stdout.count("what is planned") == 1
    assert plan.stdout.index("what is planned") < plan.stdout.index("Job stats")
    jobs = jobs_of(plan.stdout)
    total = re.search(r"^total +[\d,]+ +(\d+) +(\d+) ", plan.stdout, re.M)
    trained = sum(jobs[name] for name in ("train", "auxiliary", "san", "own_matcher"))
    assert (int(total[1]), int(total[2])) == (trained, jobs["protect"])
    # all others of the paper are for download
    assert plan.stdout.count("data set 'morph2': ") == 1
    assert plan.stdout.count("data set '") == 1


def test_a_run_stops_before_its_first_job(folder):
    run = snakemake(folder)
    assert run.returncode != 0
    for name in ("morph2", "ar_face"):
        assert re.search(f"data set '{name}': .*request ", run.stdout)
    assert "Traceback" not in run.stdout
    assert not (folder / "resources").exists()
    # what does not need them is made all the same
    fetched = snakemake(folder, "resources/raw/faces/sources.json")
    assert fetched.returncode == 0, fetched.stdout
    assert "what is planned" not in fetched.stdout


def test_what_is_left_out_is_named_in_plan_and_report(folder):
    run = snakemake(folder, "--config", "missing=skip")
    assert run.returncode == 0, run.stdout
    # by the first process alone
    assert run.stdout.count("what is planned") == 1
    assert "left out: 1 run of morph2: data set 'morph2'" in run.stdout
    assert "left out: the half on hiding gender of ar_face: data set 'ar_face'" in run.stdout
    results = folder / "results/micro"
    page = (results / "report.html").read_text()
    told = page.partition('id="left-out"')[2].partition("</div>")[0]
    assert f"{REGISTRY['morph2'].title}: 1 run; " in told
    assert f"{REGISTRY['ar_face'].title}: the half on hiding gender; " in told
    facts = json.loads((results / "left_out.json").read_text())
    assert [(each["dataset"], each["runs"], each["hiding"]) for each in facts] == [
        ("morph2", 1, False),
        ("ar_face", 0, True),
    ]
    assert not (results / "age/morph2").exists()


def test_a_run_that_lacks_nothing_says_nothing(folder, tmp_path):
    config = tmp_path / "config.yaml"
    config.write_text(yaml.safe_dump(LACKING | {"privacy": {}, "grid": CONFIG["grid"]}))
    plan = snakemake(folder, "--dry-run", "--configfile", str(config))
    assert plan.returncode == 0, plan.stdout
    assert "missing" not in plan.stdout
    assert "left out" not in plan.stdout
    assert "GPU" not in plan.stdout.partition("Job stats")[0]

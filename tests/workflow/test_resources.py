"""What jobs ask for, as a dry run shows it, and the target for a machine with internet."""

import re
from functools import cache

import pytest
import yaml

from tests.conftest import ROOT
from tests.project import copy_of_the_project, snakemake

TARGET = "results/micro/age/faces/small16/coral/seed0/predictions.parquet"
RULES = sorted((ROOT / "workflow/rules").glob("*.smk"))


@pytest.fixture(scope="module")
def packed(tmp_path_factory):
    """A copy with its data set packed: the size of the data set is known."""
    folder = copy_of_the_project(tmp_path_factory.mktemp("resources"))
    run = snakemake(folder, "fetch")
    assert run.returncode == 0, run.stdout
    assert (folder / "resources/raw/faces/sources.json").exists()
    assert not (folder / "resources/packed").exists(), "more than fetched"
    run = snakemake(folder, "resources/packed/faces/18/card.json")
    assert run.returncode == 0, run.stdout
    # Snakemake prints a rule's message instead of its resources
    rules = folder / "workflow/rules/age.smk"
    rules.write_text(re.sub(r" +message:\n.*\n", "", rules.read_text()))
    return folder


@cache
def planned(folder, *options):
    """What a dry run prints; with the profile's `quiet` it would hide the resources."""
    plan = snakemake(folder, TARGET, "--dry-run", "--workflow-profile", "none", *options)
    assert plan.returncode == 0, plan.stdout
    return plan.stdout + "\n\n"


def asked_for(folder, rule, *options):
    """The resources of a rule's job."""
    plan = planned(folder, *options)
    job = re.search(rf"^(?:local)?rule {rule}:\n(.*?)\n\n", plan, re.M | re.S)
    line = re.search(r"resources: (.*)", job[1])[1]
    return dict(pair.split("=") for pair in line.split(", "))


@pytest.mark.parametrize("rule", ["train", "predict"])
@pytest.mark.parametrize(
    ("device", "gpu", "slots"), [("cpu", 0, 0), ("auto", 0, None), ("cuda", 1, 1)]
)
def test_a_gpu_is_asked_for_where_the_config_says_so(packed, rule, device, gpu, slots):
    asked = asked_for(packed, rule, "--config", f"device={device}")
    assert int(asked.get("gpu", 0)) == gpu
    if slots is not None:
        assert int(asked.get("gpu_slots", 0)) == slots
    assert int(asked["runtime"]) >= 10
    assert int(asked["mem_mb"]) >= (4500 if device == "cuda" else 1500)


@pytest.mark.parametrize(("given", "slots"), [((), 1), (("--resources", "gpu_slots=3"), 3)])
def test_one_job_at_a_time_computes_on_the_gpu_unless_more_are_allowed(packed, given, slots):
    """Without a GPU the job fails, and the limit is printed all the same."""
    run = snakemake(packed, TARGET, "--config", "device=cuda", *given, cores=4)
    assert re.search(rf"^Provided resources: .*gpu_slots\b.*\b{slots}\b", run.stdout, re.M)


def test_a_site_can_say_otherwise(packed):
    site = ["--set-resources", "train:runtime=240", "train:gpu=1", "train:gpu_model=a100"]
    site += ["--default-resources", "slurm_partition=short"]
    asked = asked_for(packed, "train", *site)
    assert asked["runtime"] == "240"
    assert (asked["gpu"], asked["gpu_model"]) == ("1", "a100")
    assert asked["slurm_partition"] == "short"


def test_jobs_are_chosen_when_one_ends_and_not_every_second(packed):
    """Unless a site limits the jobs a second: then two that are ready begin one after the other."""

    def run(sizes, *options):
        targets = [f"resources/packed/faces/{size}/card.json" for size in sizes]
        done = snakemake(packed, *targets, "--verbose", *options, cores=4)
        assert done.returncode == 0, done.stdout
        return done.stdout

    # each takes two cores of four
    free = run((20, 22, 24))
    assert "Execute 2 jobs" in free
    # at first, and when there is room for the third
    assert free.count("Resources before job selection") == 2
    assert "Execute 2 jobs" not in run((26, 28), "--max-jobs-per-timespan", "1/1s")


def test_the_profile_repeats_and_no_rule_does():
    """Rule-level retries multiply with those of the two Snakemakes inside a job."""
    assert yaml.safe_load((ROOT / "slurm/profile.yaml").read_text())["retries"] == 2
    assert len(RULES) > 10, "nothing is looked at"
    for file in RULES:
        assert "retries:" not in file.read_text(), file


def test_every_rule_is_small_or_says_what_it_needs():
    """Without a `runtime` a job gets what a partition's default happens to be."""
    text = "".join(file.read_text() for file in RULES)
    local = re.search(r"^localrules:\n((?:    \w+,\n)+)", text, re.M)[1]
    rules = re.findall(r"^rule (\w+):\n((?:    .*\n|\n)+)", text, re.M)
    assert len(rules) > 30, "nothing is looked at"
    for name, body in rules:
        assert f"    {name},\n" in local or "        runtime=" in body, name

"""What jobs ask for, as a dry run shows it, and the target for a machine with internet."""

import json
import re
from functools import cache

import pytest
import yaml

from softbio.plan.judging_cost import (
    attacking_cost,
    hog_cost,
    parts_of,
    scoring_cost,
    warping_cost,
)
from tests.conftest import ROOT
from tests.project import CONFIG, copy_of_the_project, snakemake

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
    return resources_in(planned(folder, *options), rule)


def resources_in(plan, rule):
    """The same in the text of a dry run."""
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


def test_judging_asks_for_the_faces_that_it_reads(tmp_path):
    """Of a population that is not packed yet, but counted."""
    privacy = {"san": {"size": 32}, "members": 2}
    folder = copy_of_the_project(tmp_path, CONFIG | {"privacy": privacy})
    for path in (folder / "workflow/rules").glob("*.smk"):
        path.write_text(re.sub(r" +message:\n.*\n", "", path.read_text()))
    card = folder / "resources/faces/faces/32/card.json"
    card.parent.mkdir(parents=True)
    card.write_text(json.dumps({"images": {"faces": 80_000}}))
    names = ("seed0/blur/sigma2/scores", "seed0/blur/sigma2/attacks")
    names += ("warped.npy", "warped-age.npy")
    targets = [f"results/micro/privacy/faces/{name}" for name in names]
    run = snakemake(folder, *targets, "--dry-run", "--workflow-profile", "none")
    assert run.returncode == 0, run.stdout
    parts = parts_of((80_000,))
    both = parts["attacker"] + parts["test"]
    wanted = {
        # of the registry there is nobody; the project's own count as one
        "score": scoring_cost(parts["test"], 32, 1, gpu=False),
        "attack": attacking_cost(both, 32, modes=1, gpu=False),
        "own_hog": hog_cost(parts["evaluators"], 32),
    }
    for rule, cost in wanted.items():
        asked = resources_in(run.stdout + "\n\n", rule)
        assert (int(asked["runtime"]), int(asked["mem_mb"])) == (cost.minutes, cost.memory_mb), rule
    assert int(resources_in(run.stdout + "\n\n", "protect")["runtime"]) < 24 * 60
    for rule in ("warp_prototypes", "warp_prototypes_of_groups"):
        asked = resources_in(run.stdout + "\n\n", rule)
        assert int(asked["runtime"]) == warping_cost(80_000, 32).minutes, rule


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

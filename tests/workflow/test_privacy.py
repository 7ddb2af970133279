"""Hiding gender by the workflow, on a handful of drawn faces."""

import json

import pytest

from softbio.data.packed import load_packed
from softbio.scores import read_comparisons, read_gender
from tests.project import CONFIG, copy_of_the_project, snakemake

PRIVACY = {
    "san": {"size": 32, "pretrain_epochs": 1, "epochs": 1},
    "gender": {"epochs": 1, "width": 4},
    "matcher": {"epochs": 1, "width": 4},
}
SMALL = {"faces": {"options": {"subjects": 40, "images_per_subject": 2}}}
FOLDER = "results/micro/privacy/faces/seed0"


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    config = CONFIG | {"privacy": PRIVACY, "datasets": SMALL}
    return copy_of_the_project(tmp_path_factory.mktemp("privacy"), config)


def test_a_protected_data_set_is_made_by_its_path(folder):
    targets = [f"{FOLDER}/{name}/card.json" for name in ("san/op", "mixing/alpha0.5")]
    run = snakemake(folder, *targets)
    assert run.returncode == 0, run.stdout
    packed = load_packed(folder / FOLDER / "san/op")
    assert packed.images.shape[1:] == (32, 32, 3)
    assert set(packed.index["part"]) == {"attacker", "test"}
    assert json.loads((folder / targets[1]).read_text())["mode"] == "alpha0.5"
    assert (folder / FOLDER / "networks/san/history.csv").exists()
    again = snakemake(folder, *targets)
    assert "Nothing to be done" in again.stdout
    # a mode more needs no network more
    plan = snakemake(folder, f"{FOLDER}/san/nt/card.json", "--dry-run")
    assert "protect by san, nt" in plan.stdout
    assert "train" not in plan.stdout


def test_a_condition_is_scored_by_its_path(folder):
    target = f"{FOLDER}/san/op/scores"
    run = snakemake(folder, target)
    assert run.returncode == 0, run.stdout
    for scores in (folder / target, folder / FOLDER / "none/original/scores"):
        protected = "san" in str(scores)
        assert json.loads((scores / "index.json").read_text())["absent"] == []
        abouts = [read_gender(path).about for path in (scores / "gender").iterdir()]
        abouts += [read_comparisons(path).about for path in (scores / "match").iterdir()]
        assert {about.protector for about in abouts} == {"san" if protected else "original"}
        assert len(abouts) == (3 + 2 * 3 if protected else 3 + 2 * 2)
        assert (scores / "quality.parquet").exists() == protected
    again = snakemake(folder, target)
    assert "Nothing to be done" in again.stdout
    # a mode more needs no evaluator more
    plan = snakemake(folder, f"{FOLDER}/san/nt/scores", "--dry-run")
    assert "score san, nt" in plan.stdout
    assert "train" not in plan.stdout


def test_mixing_needs_no_network(folder):
    plan = snakemake(folder, f"{FOLDER}/mixing/alpha0.7/card.json", "--dry-run", "--forceall")
    assert plan.returncode == 0, plan.stdout
    assert "train" not in plan.stdout


def test_misspelt_names_are_told_at_once(folder, tmp_path):
    plan = snakemake(folder, f"{FOLDER}/mixin/alpha0.7/card.json", "--dry-run")
    assert "did you mean 'mixing'" in plan.stdout
    config = tmp_path / "config.yaml"
    text = (folder / "config/config.yaml").read_text()
    config.write_text(text.replace("pretrain_epochs", "pretrain_epoch"))
    plan = snakemake(folder, "--dry-run", "--configfile", str(config))
    assert "key 'pretrain_epoch' is unknown: did you mean 'pretrain_epochs'" in plan.stdout

"""Gender on a miniature CelebA by the workflow: official parts, the repaired split, the report."""

import json

import pandas as pd
import pytest
import yaml
from PIL import Image

from softbio.data.audit import read_audit
from softbio.data.packed import load_packed
from softbio.results.predictions import read_predictions
from tests.miniatures import celeba_people
from tests.project import CONFIG, copy_of_the_project, snakemake

RUN = "gender/celeba/small8/ce/seed1"


@pytest.fixture(scope="module")
def done(tmp_path_factory):
    """A copy of the project in which gender has been read, and what the miniature holds."""
    source = tmp_path_factory.mktemp("celeba")
    frame = celeba_people(source)
    lists = {"partition": "list_eval_partition.txt"}
    block = {"datasets": ["celeba"], "backbones": ["small8"], "methods": ["ce"], "seeds": [1]}
    config = {
        "name": "micro",
        "device": "cpu",
        "datasets": {"celeba": {"source": str(source), "lists": lists}},
        "grid": [block | {"protocols": ["published", "repaired"]}],
        "training": CONFIG["training"] | {"size": 16, "epochs": 2, "crop": 16},
    }
    folder = copy_of_the_project(tmp_path_factory.mktemp("gender"), config)
    run = snakemake(folder)
    assert run.returncode == 0, run.stdout
    return folder, frame


def test_gender_is_read_through_the_same_engine(done):
    folder, frame = done
    results = folder / "results/micro"
    packed = load_packed(folder / "resources/packed/celeba/16")
    told = packed.index.set_index("image")
    told = told.loc[frame["image"]]
    assert (packed.ages, packed.k, packed.trait) == (None, 2, "gender")
    assert told["label"].tolist() == (frame["gender"] == "male").astype(int).tolist()
    assert told["split"].map({"train": 0, "valid": 1, "test": 2}).tolist() == frame["part"].tolist()
    about, predicted = read_predictions(results / RUN / "predictions.parquet")
    assert about.ages is None
    assert set(predicted["image"]) == set(frame.loc[frame["part"] == 2, "image"])
    assert set(predicted["selection"]) == {"last", "best"}
    assert set(predicted["age_group"]) <= {"young", "old"}
    numbers = pd.DataFrame(json.loads((results / RUN / "metrics.json").read_text())["numbers"])
    last = numbers[(numbers["selection"] == "last") & (numbers["metric"] == "accuracy")]
    rows = predicted[predicted["selection"] == "last"]
    share = (rows["prediction"] == rows["label"]).mean()
    assert last.set_index("by").loc["all", "value"] == share
    assert {"gender", "age_group", "subject"} <= set(numbers["by"])


def test_no_edge_of_the_photograph_is_packed(done):
    """The miniature is red above and below the square that the notebook crops."""
    folder, _ = done
    images = load_packed(folder / "resources/packed/celeba/16").images.astype(int)
    edge = images[:, [0, -1]]
    red = (edge[..., 0] > 200) & (edge[..., 1] < 60) & (edge[..., 2] < 60)
    assert not red.any()


def test_the_overlap_of_subjects_is_counted_and_a_split_without_it_stands_beside(done):
    folder, _ = done
    splits = read_audit(folder / "resources/packed/celeba/16/audit.json")
    assert set(splits) == {"published", "repaired"}
    for found in splits.values():
        assert [overlap.subject for overlap in found.overlaps] == [0, 0, 0]
    table = (folder / "results/micro/reading/tables/reading.md").read_text()
    assert "CelebA, repaired split" in table


def test_the_report_sets_ours_beside_the_published_number(done):
    folder, _ = done
    page = (folder / "results/micro/report.html").read_text()
    assert 'id="reading"' in page
    assert "97.52" in page
    assert "other recipe" in page
    assert "reproduced</td>" not in page
    assert "Split audit" in page
    assert 'id="findings"' not in page, "there is nothing about ages to find"
    for name in ("reading-roc-celeba", "reading-groups-celeba-repaired"):
        with Image.open(folder / f"results/micro/reading/figures/{name}.png") as image:
            assert image.width > 300


def test_a_second_run_does_nothing(done):
    assert "Nothing to be done" in snakemake(done[0]).stdout


def test_a_method_without_probabilities_is_refused_before_anything_runs(done, tmp_path):
    folder, _ = done
    text = yaml.safe_load((folder / "config/config.yaml").read_text())
    text["grid"][0]["methods"] = ["ce", "regression"]
    config = tmp_path / "config.yaml"
    config.write_text(yaml.safe_dump(text))
    plan = snakemake(folder, "--dry-run", "--configfile", str(config))
    assert plan.returncode != 0
    assert "method 'regression' gives no probability of a gender" in plan.stdout
    assert "Traceback" not in plan.stdout


def test_age_is_not_read_where_none_is_told(done):
    run = snakemake(done[0], "results/micro/age/celeba/small8/ce/seed1/metrics.json", "--dry-run")
    assert run.returncode != 0
    assert "data set 'celeba' has labels for gender, not age" in run.stdout

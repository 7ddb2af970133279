"""The workflow on a handful of drawn faces: whole, repeated, changed and misused."""

import io
import json
import os
import re
import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml
from PIL import Image

from tests import miniatures
from tests.layouts import serving
from tests.project import CONFIG, copy_of_the_project, jobs_of, snakemake


@pytest.fixture(scope="module")
def done(tmp_path_factory) -> Path:
    """A copy of the project in which the micro benchmark has run."""
    folder = copy_of_the_project(tmp_path_factory.mktemp("project"))
    run = snakemake(folder)
    assert run.returncode == 0, run.stdout
    return folder


def grey_images(brightness: int) -> dict[str, bytes]:
    """Four of one brightness, by their names."""
    content = io.BytesIO()
    Image.new("RGB", (20, 20), (brightness,) * 3).save(content, "PNG")
    return {f"{number}.png": content.getvalue() for number in range(4)}


def test_one_command_leads_to_the_report(done):
    results = done / "results/micro"
    assert (results / "report.html").stat().st_size > 10_000
    runs = pd.read_csv(results / "runs.csv")
    cells = runs[["backbone", "method"]].drop_duplicates().to_numpy().tolist()
    assert sorted(cells) == [["control", "median"], ["small16", "coral"], ["small16", "orcnn"]]
    folder = results / "age/faces/small16/coral/seed0"
    names = {path.name for path in folder.iterdir()}
    assert {"model.safetensors", "predictions.parquet", "metrics.json", "run.json"} <= names
    assert "resume.pt" not in names
    assert "epoch 1/1: loss" in (folder / "train.log").read_text()


def test_the_audit_is_in_the_report_and_its_repaired_split_can_be_chosen(done):
    assert "Split audit" in (done / "results/micro/report.html").read_text()
    assert (done / "resources/packed/faces/18/audit.json").exists()
    run = snakemake(done, "results/micro/age/faces-repaired/small16/coral/seed0/metrics.json")
    assert run.returncode == 0, run.stdout
    assert "pack at" not in run.stdout
    frame = pd.read_csv(done / "resources/packed/faces-repaired/18/split.csv")
    run = done / "results/micro/age/faces-repaired/small16/coral/seed0"
    predictions = pd.read_parquet(run / "predictions.parquet")
    assert set(predictions["image"]) == set(frame.loc[frame["part"] == "test", "image"])
    assert json.loads((run / "run.json").read_text())["dataset"] == "faces-repaired"
    again = snakemake(done, "audit")
    assert again.returncode == 0, again.stdout
    assert "Nothing to be done" in again.stdout or "audit_split" not in again.stdout


def test_a_second_run_does_nothing(done):
    again = snakemake(done)
    assert "Nothing to be done" in again.stdout


def test_a_project_that_was_moved_is_finished_still(done, tmp_path):
    """Snakemake compares the paths of inputs as text; a copy has the files at their old times."""
    moved = Path(shutil.copytree(done, tmp_path / "elsewhere/clone", symlinks=True))
    again = snakemake(moved, "--dry-run")
    assert "Nothing to be done" in again.stdout, again.stdout


@pytest.mark.parametrize("folder", ["work", "clone/work"])
def test_results_may_lie_in_another_folder(tmp_path, folder):
    """Beside the project its sources have the paths that they have; below it those from there."""
    clone, work = tmp_path / "clone", tmp_path / folder
    for made in (clone, work):
        made.mkdir()
    copy_of_the_project(clone)
    config = str(clone / "config/config.yaml")
    packed = "resources/packed/faces/18/card.json"
    asked = (packed, "--directory", str(work), "--configfile", config)
    run = snakemake(clone, *asked)
    assert run.returncode == 0, run.stdout
    assert (work / packed).exists()
    again = snakemake(clone, *asked)
    assert "Nothing to be done" in again.stdout, again.stdout


def test_snakemakes_own_report_works_offline(done):
    run = snakemake(done, "--report", "provenance.html")
    assert run.returncode == 0, run.stdout
    page = (done / "provenance.html").read_text()
    for category in ("Tables", "Figures", "Report"):
        assert f'"{category}"' in page
    assert "drawn only from predictions files" in page
    assert not requests_of(page)


def requests_of(page: str) -> list[str]:
    """What a page loads from elsewhere; links that a reader may follow are no requests."""
    tags = r"<(?:script|link|img|iframe|source|video|audio|embed|object)\b[^>]*"
    loaded = re.findall(rf"{tags}\b(?:src|srcset|href|data)\s*=\s*[\"']?(?:https?:)?//[^>]*", page)
    return loaded + re.findall(r"(?:@import|url\()\s*[\"']?(?:https?:)?//[^\"')]*", page)


@pytest.mark.parametrize(
    ("page", "loaded"),
    [
        ('<script defer src="https://x.org/a.js">', 1),
        ("<link rel='stylesheet' href='//x.org/style?family=Inter'>", 1),
        ("<img src=http://x.org/a.png>", 1),
        ('<style>@import "https://x.org/a"; a {background: url(https://x.org/b)}</style>', 2),
        ('<a href="https://x.org/a.js">x</a><script src="data:text/js,"></script>', 0),
    ],
)
def test_the_check_for_requests_sees_them(page, loaded):
    assert len(requests_of(page)) == loaded


def test_editing_a_method_trains_that_method_and_no_other(done):
    method = done / "src/softbio/methods/coral.py"
    before = method.read_text()
    try:
        method.write_text(before + "# changed\n")
        plan = snakemake(done, "--dry-run")
        jobs = [line for line in plan.stdout.splitlines() if line.startswith("Job ")]
        assert any("train faces, small16, coral, seed 0" in line for line in jobs)
        assert not any("train faces, small16, orcnn" in line for line in jobs)
        assert not any("pack at" in line for line in jobs)
    finally:
        method.write_text(before)


@pytest.mark.parametrize("change", [{"options": {"subjects": 25}}, {"ages": [18, 71]}])
def test_changing_an_entry_of_the_registry_packs_anew(done, tmp_path, change):
    """Old pixels under new labels would be a wrong result that nobody sees."""
    config = tmp_path / "config.yaml"
    config.write_text(
        yaml.safe_dump(CONFIG | {"datasets": {"faces": CONFIG["datasets"]["faces"] | change}})
    )
    plan = snakemake(done, "--dry-run", "--configfile", str(config))
    assert "find or fetch its files" in plan.stdout
    assert "pack at" in plan.stdout


def test_a_list_edited_in_its_place_packs_anew(done, tmp_path):
    """The folder around it looks the same; so does an archive beside it."""
    faces, target = tmp_path / "faces", "resources/packed/mine/18/images.npy"
    faces.mkdir()
    for number in range(4):
        Image.new("RGB", (20, 20)).save(faces / f"{number}.png")
    rows = ["file,age,split", "0.png,20,train", "1.png,21,train", "2.png,22,test", "3.png,23,test"]
    (faces / "labels.csv").write_text("\n".join(rows))
    mine = {"title": "Mine", "reader": "table", "ages": [18, 70], "lists": {"all": "labels.csv"}}
    config = tmp_path / "config.yaml"
    datasets = {"datasets": CONFIG["datasets"] | {"mine": mine | {"source": str(faces)}}}
    config.write_text(yaml.safe_dump(CONFIG | datasets))
    packed = snakemake(done, target, "--configfile", str(config))
    assert packed.returncode == 0, packed.stdout
    plan = snakemake(done, target, "--dry-run", "--configfile", str(config))
    assert "Nothing to be done" in plan.stdout
    before = faces.stat().st_mtime_ns
    with open(faces / "labels.csv", "r+") as file:
        file.write("\n".join(rows).replace("20", "30"))
    assert faces.stat().st_mtime_ns == before
    plan = snakemake(done, target, "--dry-run", "--configfile", str(config))
    assert "mine: pack at 18 px" in plan.stdout


def test_another_archive_in_the_place_of_a_download_packs_anew(done, tmp_path, monkeypatch):
    """And once: neither the download itself nor what follows it is a change."""
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    rows = ["file,age,split", "0.png,20,train", "1.png,21,train", "2.png,22,test", "3.png,23,test"]
    web, target = tmp_path / "web", "resources/packed/mine/18/images.npy"
    web.mkdir()
    (web / "Mine.tar").write_bytes(miniatures.tarball(grey_images(90)))
    (web / "labels.csv").write_text("\n".join(rows))
    with serving(web) as url:
        files = [
            {"name": name, "url": f"{url}/{name}", "sha256": None, "bytes": None}
            for name in ("Mine.tar", "labels.csv")
        ]
        mine = {"title": "Mine", "reader": "table", "ages": [18, 70], "files": files}
        datasets = CONFIG["datasets"] | {"mine": mine | {"lists": {"all": "labels.csv"}}}
        config = tmp_path / "config.yaml"
        config.write_text(yaml.safe_dump(CONFIG | {"datasets": datasets}))
        given = (target, "--configfile", str(config))
        run = snakemake(done, *given)
        assert run.returncode == 0, run.stdout
    assert "Nothing to be done" in snakemake(done, "--dry-run", *given).stdout
    archive = done / "resources/raw/mine/Mine.tar"
    times = archive.stat().st_atime, archive.stat().st_mtime - 100
    archive.write_bytes(miniatures.tarball(grey_images(200)))
    os.utime(archive, times)  # older than what was made of the other one
    run = snakemake(done, *given)
    assert run.returncode == 0, run.stdout
    assert np.load(done / target).mean() == 200
    assert "Nothing to be done" in snakemake(done, "--dry-run", *given).stdout


@pytest.mark.parametrize(
    ("target", "message"),
    [
        ("faces/small16/corall/seed0", "method 'corall' is unknown: did you mean 'coral'"),
        ("faces/small16/ce-weighted/seed0", "'ce' has no binary tasks"),
        ("faces/small16/coral/seed9999999999", "seed is 9999999999"),
        ("utkface/control/median/seed0", "data set 'utkface' is not in the config's grid: faces"),
    ],
)
def test_a_path_that_names_no_possible_run_is_told_why(done, target, message):
    run = snakemake(done, "--dry-run", f"results/micro/age/{target}/metrics.json")
    assert run.returncode != 0
    assert message in run.stdout


def test_a_new_seed_trains_one_run(done):
    """Also shows that the path is the command: seed 5 is not in the grid."""
    plan = snakemake(done, "--dry-run", "results/micro/age/faces/small16/coral/seed5/metrics.json")
    assert plan.returncode == 0, plan.stdout
    jobs = jobs_of(plan.stdout)
    assert [jobs.get(name) for name in ("train", "predict", "metrics")] == [1, 1, 1]
    assert "pack at" not in plan.stdout


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"trainig": {"epochs": 1}}, "key 'trainig' is unknown: did you mean 'training'"),
        ({"datasets": {"faces": {"opttions": {}}}}, "opttions"),
    ],
)
def test_a_mistake_in_the_config_is_one_line(done, tmp_path, change, message):
    config = tmp_path / "config.yaml"
    config.write_text(yaml.safe_dump(CONFIG | change))
    run = snakemake(done, "--dry-run", "--configfile", str(config))
    assert run.returncode != 0
    assert message in run.stdout
    assert "Traceback" not in run.stdout


def test_a_key_that_stands_twice_in_the_config_is_one_line(done, tmp_path):
    config = tmp_path / "config.yaml"
    config.write_text(f"{yaml.safe_dump(CONFIG)}device: cpu\ndevice: cuda\n")
    run = snakemake(done, "--dry-run", "--configfile", str(config))
    assert run.returncode != 0
    assert "config.yaml: key 'device' stands twice" in run.stdout
    assert "Traceback" not in run.stdout


def test_a_missing_source_is_one_line_and_loses_nothing(done, tmp_path):
    config = tmp_path / "config.yaml"
    grid = [CONFIG["grid"][0] | {"datasets": ["utkface"]}]
    source = {"utkface": {"source": "/nowhere/UTKFace.tar"}}
    config.write_text(yaml.safe_dump(CONFIG | {"grid": grid, "datasets": source, "name": "other"}))
    run = snakemake(done, "--configfile", str(config))
    assert run.returncode != 0
    assert "/nowhere/UTKFace.tar" in run.stdout
    assert "Traceback" not in run.stdout
    assert (done / "results/micro/report.html").exists()


@pytest.mark.parametrize("name", ["{mine}", "{dataset}"])
def test_a_source_with_braces_is_refused_by_its_key(done, tmp_path, name):
    mine = {"title": "Mine", "reader": "table", "ages": [18, 70], "lists": {"all": "labels.csv"}}
    datasets = CONFIG["datasets"] | {"mine": mine | {"source": str(tmp_path / name)}}
    config = tmp_path / "config.yaml"
    config.write_text(yaml.safe_dump(CONFIG | {"datasets": datasets}))
    run = snakemake(done, "--dry-run", "--configfile", str(config))
    assert run.returncode != 0
    assert f"datasets.mine.source: '{tmp_path / name}' has a name in braces" in run.stdout
    assert "Traceback" not in run.stdout


def test_the_given_config_stands_alone(done, tmp_path):
    """Keys of the default config must not leak into another one."""
    default = done / "config/config.yaml"
    training = CONFIG["training"] | {"bias": "descending"}
    default.write_text(yaml.safe_dump(CONFIG | {"training": training}))
    try:
        config = tmp_path / "config.yaml"
        config.write_text(yaml.safe_dump(CONFIG))
        run = snakemake(done, "--configfile", str(config))
        assert "Nothing to be done" in run.stdout, run.stdout
    finally:
        default.write_text(yaml.safe_dump(CONFIG))

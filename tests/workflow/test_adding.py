"""docs/adding-a-dataset.md, done as it says: its files, its commands, on drawn faces."""

import csv
import json
import re

import pytest
from PIL import Image

from softbio.data.faces import draw_population, render
from tests.conftest import ROOT
from tests.project import copy_of_the_project, snakemake, started

PAGE = (ROOT / "docs/adding-a-dataset.md").read_text()
COMMANDS = re.findall(r"^    snakemake --cores all (.*)$", PAGE, re.M)


def blocks(language: str) -> list[str]:
    """What stands in the page's blocks of a language."""
    return re.findall(rf"```{language}\n(.*?)```", PAGE, re.S)


def draw(paths) -> None:
    """A drawn face in each of the files."""
    faces = draw_population(len(paths), 1, (18, 70), seed=3)[1]
    for path, face in zip(paths, faces, strict=False):
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(render(face, 48)[0]).save(path)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return copy_of_the_project(tmp_path_factory.mktemp("adding"))


def test_images_and_a_table_end_in_a_report(folder):
    (table,), (config, _) = blocks("csv"), blocks("yaml")
    (folder / "mine.yaml").write_text(config)
    rows = list(csv.DictReader(table.splitlines()))
    draw([folder / "faces" / row["file"] for row in rows])
    (folder / "faces/labels.csv").write_text(table)
    run = snakemake(folder, *COMMANDS[0].split())
    assert run.returncode == 0, run.stdout
    page = (folder / "results/mine/report.html").read_text()
    assert "My faces" in page
    card = json.loads((folder / "resources/packed/mine/36/card.json").read_text())
    parts = [row["split"] for row in rows]
    assert card["counts"] == {part: parts.count(part) for part in ("train", "valid", "test")}


def test_a_reader_and_its_entry_are_packed(folder, monkeypatch):
    # in a clone the library is where the workflow is: not one that is imported already
    monkeypatch.setenv("PYTHONPATH", str(folder / "src"))
    (reader,), (_, entry) = blocks("python"), blocks("yaml")
    (name,) = re.findall(r"`src/softbio/data/readers/(\w+)\.py`", PAGE)
    (folder / f"src/softbio/data/readers/{name}.py").write_text(reader)
    with open(folder / "config/datasets.yaml", "a") as registry:
        registry.write("\n" + entry)
    people = [f"{person}/{age}.jpg" for person in "abcdefghij" for age in (20, 40)]
    draw([folder / "people" / each for each in people])
    run = started(folder, "--cores", "2", *COMMANDS[1].split())
    output, _ = run.communicate(timeout=600)
    assert run.returncode == 0, output
    packed = folder / "resources/packed/people/36"
    card = json.loads((packed / "card.json").read_text())
    assert sum(card["counts"].values()) == len(people)
    assert card["title"] == "People by folder"
    assert card["subjects"]["test"] == card["counts"]["test"] / 2

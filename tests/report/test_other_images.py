"""A verdict is given of the published images alone: other counts or another crop are deviations."""

from dataclasses import replace

import pytest

from softbio.published.images import Images, other_images, talk_images
from softbio.published.numbers import TALK
from softbio.report.write import _deviations
from softbio.results.records import load
from softbio.tables.comparison import comparison, published_table
from softbio.tables.context import deviations_of
from tests.report import synthetic

# of the authors' lists, counted by others (config/published.csv)
TRAIN, TEST = 13_147, 3287


@pytest.fixture(scope="module")
def utkface(tmp_path_factory):
    """Runs under the name of a data set that the talk has, of ResNet-34 alone."""
    root = tmp_path_factory.mktemp("other")
    folders = synthetic.build(root, dataset="utkface").runs
    return load([folder for folder in folders if "resnet34" in folder.parts])


def of_images(records, **images):
    """The same records with the talk's recipe, and these fields of run.json."""
    provenance = records.provenance.copy()
    fields = {f"recipe.{field}": value for field, value in TALK["resnet34"].items()}
    for field, value in (fields | {"n_train": TRAIN, "n_test": TEST} | images).items():
        provenance[field] = value
    return replace(records, provenance=provenance)


@pytest.mark.parametrize(
    ("images", "told"),
    [
        ({"n_train": TRAIN - 5}, "training images 13,142 (published: 13,147)"),
        ({"n_test": TEST + 1}, "test images 3,288 (published: 3,287)"),
        # a validation part of its own, of which the talk has none
        ({"n_train": TRAIN - 100, "n_valid": 100}, "training images 13,047 (published: 13,147)"),
        ({"cut": "eyes"}, "packed faces aligned by the eyes (published: whole images)"),
    ],
)
def test_other_images_are_no_reproduction(made, utkface, images, told):
    records = of_images(utkface, **images)
    frame = comparison(records, made.published)
    assert set(frame["verdict"]) == {"other recipe"}
    assert set(frame["deviations"]) == {told}
    assert told.split(" (")[0] in published_table(records, made.published).caption
    (listed,) = _deviations(records, made.published)
    assert [str(field) for field in listed["fields"]] == [told]


@pytest.mark.parametrize(
    "images",
    [
        {"cut": "none"},
        # runs of a version that did not record it
        {},
        # held out by the recipe, which is a deviation of its own
        {"n_train": TRAIN - 1315, "n_valid": 1315, "recipe.validation": 0.1},
    ],
)
def test_the_published_images_are(made, utkface, images):
    records, talk = of_images(utkface, **images), talk_images(made.published)
    fields = {
        apart.field for run in trained(records) for apart in deviations_of(records, run, talk)
    }
    assert fields == {"validation"} & fields
    assert bool(fields) == ("recipe.validation" in images)


def trained(records):
    return [run for run in records.folders if run.backbone == "resnet34"]


def test_each_data_set_of_the_talk_has_its_images(made):
    found = talk_images(made.published)
    assert found["cacd"] == Images(127_559, 31_890, "box")
    assert found["morph2"] == Images(44_180, 11_044, "eyes")
    assert set(found) == {"morph2", "afad", "utkface", "cacd"}
    lost = replace(found["cacd"], train=127_000)
    (apart,) = other_images(lost, found["cacd"])
    assert str(apart) == "training images 127,000 (published: 127,559)"
    whole = replace(found["cacd"], cut="none")
    (apart,) = other_images(whole, found["cacd"])
    assert str(apart) == "packed whole images (published: boxes around the faces)"

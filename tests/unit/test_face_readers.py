"""CelebA and LFW: lists of their own, no ages."""

from dataclasses import replace

import pytest

from softbio.data.fetching.locate import Sources, locate
from softbio.data.readers import COLUMNS, OPTIONAL, read
from softbio.data.readers.celeba import read_attributes
from softbio.data.registry import load_registry
from softbio.errors import UserError
from tests.conftest import ROOT, SHARED

REGISTRY = load_registry(ROOT / "config/datasets.yaml")
CELEBA, LFW = REGISTRY["celeba"], REGISTRY["lfw"]
ATTRIBUTES = "3\nBald Male \na.jpg -1  1\nb.jpg  1 -1\nc.jpg -1 -1\n"
IDENTITY = "a.jpg 7\nb.jpg 8\nc.jpg 7\n"
PAIRS = "2\t1\nAnn\t1\t2\nAnn\t2\tBob\t1\nBob\t1\t10\nAnn\t1\tCy_D\t3\n"
MALE = "Bob_0001.jpg\nBob_0010.jpg\nAnn_0001.jpg\n"
FEMALE = "Ann_0001.jpg\nAnn_0002.jpg\nAnn_0003.jpg\n\n"


def sources(folder, **lists: str) -> Sources:
    for name, text in lists.items():
        (folder / name).write_text(text)
    return Sources(folder, {name: folder / name for name in lists})


@pytest.mark.parametrize("head", ["", "image identity\n"])
def test_celeba(tmp_path, head):
    found = read(CELEBA, sources(tmp_path, attributes=ATTRIBUTES, identity=head + IDENTITY))
    frame = found.frame
    assert list(frame.columns) == [*COLUMNS, *OPTIONAL]
    assert frame["gender"].tolist() == ["male", "female", "female"]
    assert frame["subject"].tolist() == ["7", "8", "7"]
    assert frame["age"].isna().all()
    assert frame["age_group"].isna().all(), "Young is not among the attributes"
    assert frame["split"][0] == frame["split"][2], "one person in two parts"
    assert read_attributes(tmp_path / "attributes")["Bald"].tolist() == [False, True, False]


def test_the_first_images_of_celeba(tmp_path):
    given = sources(tmp_path, attributes=ATTRIBUTES, identity=IDENTITY)
    for number, names in (
        (1, ["a.jpg"]),
        (2, ["a.jpg", "b.jpg"]),
        (9, ["a.jpg", "b.jpg", "c.jpg"]),
    ):
        spec = replace(CELEBA, options=dict(CELEBA.options) | {"images": number})
        assert read(spec, given).frame["image"].tolist() == names


def test_celebas_young_is_an_age_group(tmp_path):
    attributes = ATTRIBUTES.replace("Bald Male", "Young Male")
    found = read(CELEBA, sources(tmp_path, attributes=attributes, identity=IDENTITY))
    assert found.frame["age_group"].tolist() == ["old", "young", "old"]


def test_celebas_own_partition_comes_first(tmp_path):
    lists = {"attributes": ATTRIBUTES, "identity": IDENTITY}
    given = sources(tmp_path, **lists, partition="c.jpg 2\nb.jpg 1\na.jpg 0\n")
    assert read(CELEBA, given).frame["split"].tolist() == ["train", "valid", "test"]
    given = sources(tmp_path, **lists, partition="c.jpg 2\nb.jpg 1\na.jpg 3\n")
    with pytest.raises(UserError, match=r"part '3' of 'a.jpg' is none of 0, 1, 2"):
        read(CELEBA, given)


@pytest.mark.parametrize(
    ("attributes", "identity", "message"),
    [
        ("", IDENTITY, "not a list of attributes"),
        ("3\nBald Young\na.jpg 1 1\n", IDENTITY, "not a list of attributes"),
        (ATTRIBUTES.replace("-1 -1", "-1"), IDENTITY, "line 5: not an image and 2 of 1 and -1"),
        (ATTRIBUTES.replace("-1 -1", "-1  0"), IDENTITY, "line 5: not an image and 2 of"),
        (ATTRIBUTES.replace("3\n", "4\n", 1), IDENTITY, "announces 4 images, 3 are listed"),
        (ATTRIBUTES.replace("c.jpg", "a.jpg"), IDENTITY, "announces 3 images, 2 are listed"),
        (ATTRIBUTES, "a.jpg 7\n", "no identity of 2 images, first 'b.jpg'"),
        (ATTRIBUTES, IDENTITY + "a.jpg 9\n", "line 4: not an image and its identity, or there"),
        (ATTRIBUTES, "a.jpg\n", "line 1: not an image and its identity"),
    ],
)
def test_celeba_mistakes(tmp_path, attributes, identity, message):
    with pytest.raises(UserError, match=message):
        read(CELEBA, sources(tmp_path, attributes=attributes, identity=identity))


def test_lfw(tmp_path):
    frame = read(LFW, sources(tmp_path, pairs=PAIRS, male=MALE, female=FEMALE)).frame
    assert list(frame.columns) == [*COLUMNS, *OPTIONAL]
    told = frame[["image", "subject", "gender"]].to_numpy(object).tolist()
    assert [row[:2] for row in told] == [
        ["Ann/Ann_0001.jpg", "Ann"],
        ["Ann/Ann_0002.jpg", "Ann"],
        ["Bob/Bob_0001.jpg", "Bob"],
        ["Bob/Bob_0010.jpg", "Bob"],
        ["Cy_D/Cy_D_0003.jpg", "Cy_D"],
    ]
    # by the majority of the subject's images; unknown where there is none
    assert [row[2] for row in told[:4]] == ["female", "female", "male", "male"]
    assert frame["gender"].isna()[4]
    assert set(frame["split"]) == {"test"}


def test_a_data_set_without_ages_teaches_gender():
    assert (LFW.ages, LFW.k, LFW.trait) == (None, 2, "gender")
    assert (CELEBA.trait, REGISTRY["utkface"].trait) == ("gender", "age")
    # the notebook crops the centre of CelebA's images
    assert (CELEBA.prepare.crop, LFW.prepare.crop) == ("centre", "none")


@pytest.mark.parametrize(
    ("name", "images", "subjects", "genders"),
    [
        ("lfw", 7_701, 4_281, {"male": 5_766, "female": 1_932}),
        ("celeba", 10_000, 5_429, {"male": 4_217, "female": 5_783}),
    ],
)
def test_the_real_lists(tmp_path, name, images, subjects, genders):
    folder = SHARED / "datasets" / name
    if not folder.is_dir():
        pytest.skip(f"real faces are not in {folder}")
    spec = load_registry(ROOT / "config/datasets.yaml", {name: {"source": str(folder)}})[name]
    frame = read(spec, locate(spec, tmp_path)).frame
    assert len(frame) == images
    assert frame["subject"].nunique() == subjects
    assert frame["gender"].value_counts().to_dict() == genders
    assert frame.groupby("subject")["split"].nunique().max() == 1

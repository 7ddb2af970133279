"""CelebA and LFW as their authors hand them out: lists of their own, no ages, for alignment."""

import itertools
import zipfile

import pytest

from softbio.data.fetching.locate import locate
from softbio.data.file_names import match
from softbio.data.packing.pictures import decode
from softbio.data.readers import read
from softbio.errors import UserError
from tests import miniatures
from tests.conftest import SHARED
from tests.layouts import aligned_of, check_originals, edited, frame_of

PARTITION = {
    "attributes": "list_attr_celeba.txt",
    "identity": "identity_CelebA.txt",
    "partition": "list_eval_partition.txt",
}


def test_celeba(tmp_path):
    images = miniatures.celeba(tmp_path / "celeba")
    index, seen = aligned_of(miniatures.spec("celeba", tmp_path / "celeba"), tmp_path / "out")
    check_originals(seen, images)
    told = index.set_index("image").sort_index()
    assert told["gender"].tolist() == [*["male"] * 2, *["female"] * 2, *["male"] * 2]
    assert told["subject"].tolist() == ["2880", "2880", "2881", "2881", "2882", "2882"]
    assert index.groupby("subject")["split"].nunique().max() == 1


def test_celebas_own_partition(tmp_path):
    miniatures.celeba(tmp_path / "celeba")
    spec = miniatures.spec("celeba", tmp_path / "celeba", lists=PARTITION)
    frame = frame_of(spec, tmp_path).set_index("image")
    wanted = ["train", "train", "valid", "valid", "test", "test"]
    assert frame["split"].tolist() == wanted


@pytest.mark.parametrize(
    ("file", "old", "new", "message"),
    [
        ("list_attr_celeba.txt", "6\n", "7\n", "announces 7 images, 6 are listed"),
        ("list_attr_celeba.txt", "Male", "Man", "not a list of attributes"),
        ("identity_CelebA.txt", "000003.jpg 2881\n", "", "no identity of 1 images, .*000003"),
        ("list_eval_partition.txt", "000003.jpg 1", "000003.jpg 5", "part '5' of '000003.jpg'"),
    ],
)
def test_celebas_mistakes(tmp_path, file, old, new, message):
    miniatures.celeba(tmp_path / "celeba")
    edited(tmp_path / "celeba" / file, old, new)
    spec = miniatures.spec("celeba", tmp_path / "celeba", lists=PARTITION)
    with pytest.raises(UserError, match=message):
        frame_of(spec, tmp_path)


def test_an_archive_that_lacks_an_image_of_celebas_lists(tmp_path):
    miniatures.celeba(tmp_path / "celeba")
    path = tmp_path / "celeba/img_align_celeba.zip"
    with zipfile.ZipFile(path) as archive:
        kept = {name: archive.read(name) for name in archive.namelist()[1:-1]}
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in kept.items():
            archive.writestr(name, content)
    with pytest.raises(UserError, match=r"1 of 6 listed images are not in it, .*'000006.jpg'"):
        aligned_of(miniatures.spec("celeba", tmp_path / "celeba"), tmp_path / "out")


def test_lfw(tmp_path):
    images = miniatures.lfw(tmp_path / "lfw")
    index, seen = aligned_of(miniatures.spec("lfw", tmp_path / "lfw"), tmp_path / "out")
    check_originals(seen, images)
    told = index.set_index("image")[["subject", "gender", "split"]]
    assert told.loc["Ann_Lee/Ann_Lee_0001.jpg"].tolist() == ["Ann_Lee", "female", "test"]
    name = "Jose_Maria_Aznar/Jose_Maria_Aznar_0003.jpg"
    assert told.loc[name].tolist() == ["Jose_Maria_Aznar", "male", "test"]


def test_the_first_folds_of_lfw_need_fewer_images(tmp_path):
    miniatures.lfw(tmp_path / "lfw")
    frame = frame_of(miniatures.spec("lfw", tmp_path / "lfw", options={"folds": 1}), tmp_path)
    assert frame["image"].tolist() == sorted(miniatures.LFW[:3])


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("2\t1\n", "3\t1\n", r"pairs.txt: 4 pairs, not 2 x 3 x 1 as line 1 says"),
        ("Ann_Lee\t1\t2", "Ann_Lee\t1", r"pairs.txt.*line 2"),
        ("Bob\t1\t10", "Bob\t1\tten", r"pairs.txt.*line 4"),
    ],
)
def test_lfws_mistakes(tmp_path, old, new, message):
    miniatures.lfw(tmp_path / "lfw")
    edited(tmp_path / "lfw/pairs.txt", old, new)
    with pytest.raises(UserError, match=message):
        frame_of(miniatures.spec("lfw", tmp_path / "lfw"), tmp_path)


@pytest.mark.parametrize(("name", "sides"), [("celeba", (109, 89)), ("lfw", (250, 250)),
                                             ("utkface", (200, 200))])  # fmt: skip
def test_the_real_archives_pass_the_same_readers(tmp_path, name, sides):
    folder = SHARED / "datasets" / name
    if not folder.is_dir():
        pytest.skip(f"real faces are not in {folder}")
    spec = miniatures.spec(name, folder)
    sources = locate(spec, tmp_path / "raw")
    frame = read(spec, sources).frame
    source = sources.open()
    files = match(list(frame["image"]), source)
    assert sorted(files.values()) == sorted(frame["image"]), "all that is listed is there"
    first = list(itertools.islice(source.read(files), 20))
    assert {decode(content).shape for _, content in first} == {(*sides, 3)}

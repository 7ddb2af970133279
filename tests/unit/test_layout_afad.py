"""AFAD as its authors hand it out: an xz archive in parts, ages and genders as folders."""

import pytest

from softbio.data.fetching.locate import locate, own_files
from softbio.errors import UserError
from tests import miniatures
from tests.layouts import check_pixels, edited, frame_of, packed_of


def test_afad_in_parts(tmp_path):
    images = miniatures.afad(tmp_path / "tarball")
    packed = packed_of(miniatures.spec("afad", tmp_path / "tarball"), tmp_path / "out")
    check_pixels(packed, images)
    index = packed.index.set_index("image")
    assert sorted(index.index[index["split"] == "test"]) == sorted(list(images)[::3])
    assert set(index["split"]) == {"train", "test"}
    for name, row in index.iterrows():
        age, gender, file = name.split("/")
        assert (row["age"], row["label"]) == (int(age), int(age) - 15)
        assert row["gender"] == {"111": "male", "112": "female"}[gender]
        assert row["subject"] == file.split("-")[0]


@pytest.mark.parametrize("source", ["AFAD-Full.tar.xz", "AFAD-Full.tar.xzab", "whole", "unpacked"])
def test_afad_is_the_same_bytes_however_it_lies_there(tmp_path, source):
    images = miniatures.afad(tmp_path / "tarball")
    one = tmp_path / "one"
    packed_of(miniatures.spec("afad", tmp_path / "tarball"), one)
    place = tmp_path / "tarball" / source
    if source == "whole":
        parts = sorted((tmp_path / "tarball").glob("AFAD-Full.tar.xz*"))
        place = tmp_path / "tarball/joined.tar.xz"
        place.write_bytes(b"".join(part.read_bytes() for part in parts))
    if source == "unpacked":
        for name, content in images.items():
            (place / name).parent.mkdir(parents=True, exist_ok=True)
            (place / name).write_bytes(content)
        for name in ("afad_valid.csv", "afad_test.csv"):
            (tmp_path / "tarball" / name).rename(place / name)
    packed_of(miniatures.spec("afad", place), tmp_path / "two")
    for name in ("images.npy", "index.parquet"):
        assert (one / name).read_bytes() == (tmp_path / "two" / name).read_bytes()


def test_the_parts_of_an_archive_are_sources_and_stand_on_the_receipt_as_one_file(tmp_path):
    miniatures.afad(tmp_path / "tarball")
    parts = sorted((tmp_path / "tarball").glob("AFAD-Full.tar.xz*"))
    spec = miniatures.spec("afad", tmp_path / "tarball")
    assert set(parts) < set(own_files(spec))
    found = locate(spec, tmp_path / "raw").files[0]
    assert (found.name, found.bytes) == (
        "AFAD-Full.tar.xz",
        sum(part.stat().st_size for part in parts),
    )
    parts[1].unlink()
    with pytest.raises(UserError, match=r"AFAD-Full.tar.xzab: this part .* is missing, 2 are"):
        locate(spec, tmp_path / "raw")


@pytest.mark.parametrize(("protocol", "split"), [("talk", "train"), ("journal", "valid")])
def test_afads_validation_list_is_for_the_journal(tmp_path, protocol, split):
    folder = tmp_path / "tarball"
    miniatures.afad(folder)
    rows = [("515-1.jpg", "15/111/515-1.jpg", 0, "male")]
    spec = miniatures.spec("afad", folder, options={"protocol": protocol})
    frame = frame_of(spec, tmp_path).set_index("image")
    assert frame["split"]["15/111/515-1.jpg"] == split
    rows.append(("515-0.jpg", "15/111/515-0.jpg", 0, "male"))
    miniatures.write_list(folder / "afad_valid.csv", "file,path,age,gender", rows)
    if protocol == "journal":
        with pytest.raises(UserError, match=r"515-0.jpg' is in valid too"):
            frame_of(spec, tmp_path)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("0,male", "1,male", r"row 2: label 1 of '15/111/515-0.jpg' is not its age less 15"),
        ("0,male", "x,male", r"row 2: label 'x' is not a rank"),
        ("0,male", "0,female", r"row 2: '15/111/515-0.jpg' is not .* of gender 'female'"),
        ("15/111/515-0.jpg", "15/113/515-0.jpg", r"row 2: '15/113/515-0.jpg' is not age/111"),
        ("15/111/515-0.jpg", "15/111/7-0.jpg", r"1 of 8 listed images .* '15/111/7-0.jpg'"),
    ],
)
def test_afad_mistakes(tmp_path, old, new, message):
    miniatures.afad(tmp_path / "tarball")
    edited(tmp_path / "tarball/afad_test.csv", old, new)
    with pytest.raises(UserError, match=message):
        frame_of(miniatures.spec("afad", tmp_path / "tarball"), tmp_path)


def test_an_archive_without_afads_folders(tmp_path):
    miniatures.afad(tmp_path / "tarball")
    path = tmp_path / "tarball/other.tar"
    path.write_bytes(miniatures.tarball({"AFAD-Full/face.jpg": b"x"}))
    with pytest.raises(UserError, match=r"no image age/111 or 112/subject-number.jpg"):
        frame_of(miniatures.spec("afad", path), tmp_path)

"""Geometry once, on the original image; a face that is not found is listed."""

import io
import tarfile
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from softbio.data.alignment.align import align, load_aligned
from softbio.data.alignment.template import (
    MARGIN,
    NO_FACE,
    TEMPLATE,
    fitted,
    five_of,
    moved,
    similarity,
    to_canvas,
    warp,
)
from softbio.data.registry import DatasetSpec, load_registry
from softbio.errors import UserError
from tests.conftest import ROOT

REGISTRY = ROOT / "config/datasets.yaml"


@settings(deadline=None)
@given(
    st.floats(-np.pi, np.pi),
    st.floats(0.05, 20),
    st.floats(-500, 500),
    st.floats(-500, 500),
    st.integers(0, 1000),
)
def test_a_known_similarity_is_found_again(turn, scale, x, y, seed):
    points = np.random.default_rng(seed).uniform(0, 200, (5, 2))
    cosine, sine = scale * np.cos(turn), scale * np.sin(turn)
    known = np.array([[cosine, -sine, x], [sine, cosine, y]])
    target = moved(points, known)
    np.testing.assert_allclose(similarity(points, target), known, atol=1e-6 * (1 + scale * 200))


def test_noise_is_met_by_least_squares_and_a_mirror_by_none():
    rng = np.random.default_rng(0)
    points = TEMPLATE * 1.7 + rng.normal(0, 3, TEMPLATE.shape)
    best = similarity(points, TEMPLATE)
    error = ((moved(points, best) - TEMPLATE) ** 2).sum()
    for _ in range(50):
        other = best + rng.normal(0, 1e-3, (2, 3)) * (1, 1, 100)
        other[1, :2] = -other[0, 1], other[0, 0]
        assert ((moved(points, other) - TEMPLATE) ** 2).sum() >= error
    assert np.linalg.det(similarity(points * (-1, 1), TEMPLATE)[:, :2]) > 0


@pytest.mark.parametrize("points", [np.ones((5, 2)), np.full((5, 2), np.nan)])
def test_points_of_no_face_are_refused(points):
    with pytest.raises(ValueError, match="not those of a face"):
        to_canvas(points)


@pytest.mark.parametrize("size", [100, 200, 1600])
def test_the_points_come_to_lie_on_the_template(size):
    """Also where the image is reduced first."""
    points = TEMPLATE / 112 * size * 0.6 + size * 0.2
    image = np.zeros((size, size, 3), np.uint8)
    for x, y in points:
        cv2.circle(image, (round(x), round(y)), max(size // 60, 1), (255, 255, 255), -1)
    matrix = to_canvas(points)
    canvas = warp(image, matrix)
    assert canvas.shape == (336, 336, 3)
    wanted = (TEMPLATE + MARGIN) * 2
    np.testing.assert_allclose(moved(points, matrix), wanted, atol=1e-6)
    for x, y in wanted:
        patch = canvas[round(y) - 8 : round(y) + 9, round(x) - 8 : round(x) + 9, 0].astype(float)
        rows, columns = np.mgrid[-8:9, -8:9]
        centre = np.array([(patch * columns).sum(), (patch * rows).sum()]) / patch.sum()
        assert np.abs(centre).max() < 2.5, centre
    assert warp(image[..., 0], matrix, 112).shape == (112, 112)


def test_landmarks_are_fitted_to_the_five_points():
    rng = np.random.default_rng(0)
    marks = rng.uniform(0, 300, (68, 2))
    five = moved(five_of(marks), np.array([[1.1, 0.1, 4], [-0.1, 1.1, -3]]))
    np.testing.assert_allclose(five_of(fitted(marks, five)), five, atol=1e-6)


def test_drawn_faces_are_aligned_by_their_own_landmarks(tmp_path):
    changes = {"faces": {"options": {"subjects": 5, "images_per_subject": 2}}}
    spec = load_registry(REGISTRY, changes)["faces"]
    align(spec, tmp_path / "out", tmp_path / "raw", side=168)
    faces = load_aligned(tmp_path / "out")
    assert faces.images.shape == (len(faces.index), 168, 168, 3)
    assert set(faces.index["gender"]) <= {"female", "male"}
    for row in faces.index.itertuples():
        marks = np.reshape(row.landmarks, (68, 2))
        assert np.abs(five_of(marks) - (TEMPLATE + MARGIN)).max() < 9
        matrix = np.reshape(row.matrix, (2, 3))
        np.testing.assert_allclose(
            moved(np.reshape(row.points, (5, 2)), matrix), five_of(marks), atol=1e-3
        )
    assert pd.read_csv(tmp_path / "out/rejected.csv").empty
    again = tmp_path / "again"
    align(spec, again, tmp_path / "raw", side=168)
    assert (again / "images.npy").read_bytes() == (tmp_path / "out/images.npy").read_bytes()


def photographs(folder: Path) -> dict:
    """An archive of a bright, a dark and a damaged image, and CelebA's lists of them."""
    folder.mkdir()
    with tarfile.open(folder / "img_align_celeba.tar", "w") as archive:
        for number, brightness in enumerate((200, 0, None), start=1):
            buffer = io.BytesIO(b"no image")
            if brightness is not None:
                buffer = io.BytesIO()
                Image.new("RGB", (89, 109), (brightness,) * 3).save(buffer, "PNG")
            info = tarfile.TarInfo(f"img_align_celeba/{number:06d}.jpg")
            info.size = len(buffer.getvalue())
            archive.addfile(info, io.BytesIO(buffer.getvalue()))
    names = [f"{number:06d}.jpg" for number in (1, 2, 3)]
    rows = "".join(f"{name} -1  1\n" for name in names)
    (folder / "list_attr_celeba.txt").write_text(f"3\nBald Male \n{rows}")
    (folder / "identity_CelebA.txt").write_text("".join(f"{name} 7\n" for name in names))
    return {"celeba": {"source": str(folder)}}


def find(image: np.ndarray) -> np.ndarray | None:
    return TEMPLATE.copy() if image.mean() > 100 else None


def test_a_face_that_is_not_found_is_listed_with_the_reason(tmp_path):
    spec = load_registry(REGISTRY, photographs(tmp_path / "own"))["celeba"]
    marks = np.random.default_rng(0).uniform(0, 336, (68, 2))
    align(spec, tmp_path / "out", tmp_path / "raw", find, lambda _: marks)
    faces = load_aligned(tmp_path / "out")
    assert list(faces.index["image"]) == ["000001.jpg"]
    assert faces.images.shape == (1, 336, 336, 3)
    assert (faces.images == 200).all(), "the border goes on"
    assert len(faces.index["landmarks"][0]) == 136
    rejected = pd.read_csv(tmp_path / "out/rejected.csv")
    assert list(rejected["image"]) == ["000002.jpg", "000003.jpg"]
    assert list(rejected["reason"]) == [NO_FACE, "is no image of a kind that is read"]
    align(spec, tmp_path / "bare", tmp_path / "raw", find)
    assert load_aligned(tmp_path / "bare").index["landmarks"].isna().all()


def test_no_face_at_all_and_no_detector_are_errors(tmp_path):
    spec = load_registry(REGISTRY, photographs(tmp_path / "own"))["celeba"]
    with pytest.raises(UserError, match=r"'celeba': 3 of 3 images left out, the first is '000001"):
        align(spec, tmp_path / "out", tmp_path / "raw", lambda _: None)
    assert not list((tmp_path / "out").iterdir())
    with pytest.raises(UserError, match="need a face detector; run `snakemake"):
        align(spec, tmp_path / "out", tmp_path / "raw")
    with pytest.raises(UserError, match="no aligned faces"):
        load_aligned(tmp_path / "out")


def without_labels(folder: Path, columns: str) -> DatasetSpec:
    """Two photographs of the user's own, of which a table has these columns alone."""
    folder.mkdir()
    for name in ("a.png", "b.png"):
        Image.new("RGB", (89, 109), (200,) * 3).save(folder / name)
    word = {"gender": "female", "subject": "anna", "split": "test"}
    row = ",".join(word[column] for column in columns.split(","))
    (folder / "all.csv").write_text(f"file,{columns}\na.png,{row}\nb.png,{row}\n")
    return DatasetSpec("own", "Own", "table", None, source=folder, lists={"all": "all.csv"})


def test_labels_that_hiding_needs_are_missed_before_faces_are_aligned(tmp_path):
    def never(_):
        raise AssertionError("aligned")

    spec = without_labels(tmp_path / "one", "split,subject")
    with pytest.raises(UserError, match=r"'own' has no gender labels.*choose another as privacy"):
        align(spec, tmp_path / "out", tmp_path / "raw", never)
    spec = without_labels(tmp_path / "two", "split,gender")
    with pytest.raises(UserError, match=r"no subject labels; set datasets\.own\.subjects: false"):
        align(spec, tmp_path / "out", tmp_path / "raw", never)
    assert not (tmp_path / "out").exists()
    alone = replace(spec, subjects=False)
    align(alone, tmp_path / "out", tmp_path / "raw", find)
    assert len(load_aligned(tmp_path / "out").index) == 2

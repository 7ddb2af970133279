"""The published crops: where the eyes and the box come to lie, told by the pixels themselves."""

import io
import tarfile

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from softbio.data.alignment.crops import BOX_CENTRE, BOX_SIDE, CROPS, NOSE_BASE, by_box, by_eyes
from softbio.data.alignment.points import Points
from softbio.data.alignment.template import TEMPLATE, moved, similarity
from softbio.data.packing.pictures import decode
from softbio.errors import UserError
from softbio.evaluators.finders import detector
from softbio.evaluators.registry import REGISTRY, load_evaluators
from tests.conftest import ROOT, SHARED


def points(*found: tuple[tuple[int, int], np.ndarray]) -> Points:
    """Of images of such sizes, (width, height), with such points."""
    sizes, five = zip(*found, strict=True)
    rows = {f"{row}.jpg": row for row in range(len(found))}
    return Points(rows, np.array(sizes, float), np.array(five, float), [""] * len(found))


def ramp(width: int, height: int) -> np.ndarray:
    """An image whose pixels tell their x (red) and y (green)."""
    image = np.zeros((height, width, 3), np.uint8)
    image[..., 0], image[..., 1] = np.arange(width), np.arange(height)[:, None]
    return image


def told(crop: np.ndarray, row: int, column: int) -> np.ndarray:
    return crop[row, column, :2].astype(float)


def face(scale: float, x: float, y: float, turn: float = 0.0) -> np.ndarray:
    """The template in px, its eyes' middle at (x, y), turned by so many radians."""
    rotation = np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]])
    middle = TEMPLATE[:2].mean(axis=0)
    return (TEMPLATE - middle) @ rotation.T * scale + (x, y)


def test_the_average_faces_nose_is_in_the_middle_and_all_eyes_are_where_its_eyes_are():
    faces = [((200, 240), face(1.2, 90, 100)), ((200, 240), face(0.9, 110, 104)),
             ((200, 240), face(1.1, 97, 117))]  # fmt: skip
    cut = by_eyes(points(*faces))
    average = np.mean([five for _, five in faces], axis=0)
    shift = np.array([100, 120]) - moved(NOSE_BASE, similarity(TEMPLATE, average))[0]
    # in the middle 140 of 200 x 240
    eyes = average[:2] + shift - (30, 50)
    scale = 3.2 / 3
    for _, five in faces:
        crop = cut(ramp(200, 240), five)
        assert crop.shape == (140, 140, 3)
        ratio = np.linalg.norm(five[1] - five[0]) / np.linalg.norm(eyes[1] - eyes[0])
        for eye, place in zip(five[:2], eyes, strict=True):
            x, y = np.round(place).astype(int)
            # moved by whole pixels: one at most, in px of the original
            assert np.abs(told(crop, y, x) - eye).max() < (1 + 0.5) * ratio + 1
    assert average[:2].std() > 1
    assert np.isclose(np.linalg.norm(eyes[1] - eyes[0]), np.diff(TEMPLATE[:2, 0])[0] * scale, 0.01)


def test_a_face_is_not_turned():
    five = face(1.0, 100, 110, turn=0.3)
    cut = by_eyes(points(((200, 240), face(1.0, 100, 110)), ((200, 240), five)))
    crop = cut(ramp(200, 240), five)
    row = told(crop, 70, 40), told(crop, 70, 90)
    assert row[0][1] == row[1][1], "a level line stays level"
    assert row[1][0] > row[0][0]


def test_large_images_count_by_their_scale_and_images_of_another_aspect_do_not_count():
    small = ((200, 240), face(1.0, 100, 110))
    large = ((400, 480), face(2.0, 200, 220))
    other = ((250, 250), face(3.0, 20, 20))
    nothing = ((0, 0), np.full((5, 2), np.nan))
    image = ramp(200, 240)
    alone = by_eyes(points(small))(image, small[1])
    for more in ([large], [other], [nothing], [large, other, nothing]):
        assert (by_eyes(points(small, *more))(image, small[1]) == alone).all()
    doubled = np.asarray(Image.fromarray(image).resize((400, 480), Image.Resampling.BILINEAR))
    crop = by_eyes(points(small))(doubled, large[1])
    assert np.abs(crop.astype(int) - alone).max() <= 2
    with pytest.raises(UserError, match=r"no face was found in an image of 200 x 240 px"):
        by_eyes(points(other, nothing))


def test_black_is_beyond_an_image_that_is_cropped_by_eyes():
    five = face(1.0, 20, 30)
    white = np.full((240, 200, 3), 255, np.uint8)
    crop = by_eyes(points(((200, 240), five)))(white, five)
    assert (crop[:, :10] == 0).all()
    assert (crop[70:, 70:] == 255).all()


@settings(deadline=None, max_examples=60)
@given(st.floats(0.4, 1.3), st.integers(100, 150), st.integers(100, 150), st.floats(-0.4, 0.4))
def test_the_box_has_its_published_margin_and_is_moved_up(scale, x, y, turn):
    five = face(scale, x, y, turn)
    crop = by_box(points(((250, 250), five)))(ramp(250, 250), five)
    assert crop.shape == (120, 120, 3)
    side = round(BOX_SIDE * scale) + 30
    centre = moved(BOX_CENTRE, similarity(TEMPLATE, five))[0] - (0, 5)
    corner = np.clip(centre - side / 2, 0, 249)
    # the first and the last pixel, half a pixel of the crop inside
    assert np.abs(told(crop, 0, 0) - corner).max() < 2.5
    assert np.abs(told(crop, -1, -1) - np.clip(centre + side / 2 - 1, 0, 249)).max() < 2.5
    middle = told(crop, 59, 59) + (0.5, 0.5) * np.array(side) / 120
    if (corner > 0).all() and (centre + side / 2 < 249).all():
        assert np.abs(middle - centre).max() < 2


def test_the_border_goes_on_beyond_an_image_that_is_cropped_by_its_box():
    five = face(1.0, 15, 20)
    image = ramp(250, 250)
    image[:, 0], image[0] = (7, 7, 7), (9, 9, 9)
    crop = by_box(points(((250, 250), five)))(image, five)
    assert (crop[60:, :20] == 7).all()
    assert (crop[:20, 60:] == 9).all()


@pytest.mark.parametrize("name", sorted(CROPS))
def test_points_of_no_face_are_refused(name):
    good = face(1.0, 100, 110)
    cut = CROPS[name].fit(points(((200, 240), good)))
    for bad in (np.zeros((5, 2)), good * 1e-4 + 50, np.full((5, 2), np.nan)):
        with pytest.raises(ValueError, match="not those of a face"):
            cut(ramp(200, 240), bad)


def lfw(count: int) -> list[np.ndarray]:
    """So many images, spread over the archive."""
    with tarfile.open(SHARED / "datasets/lfw/lfw-deepfunneled.tar") as archive:
        members = [member for member in archive.getmembers() if member.isfile()]
        step = len(members) // count
        return [decode(archive.extractfile(m).read()) for m in members[::step][:count]]


@pytest.fixture(scope="module")
def real() -> tuple[list[np.ndarray], object]:
    """Real faces of 200 x 240 px and YuNet; skips where either is absent."""
    folder = ROOT / "resources/evaluators"
    if not (SHARED / "datasets/lfw").is_dir():
        pytest.skip(f"real faces are not in {SHARED / 'datasets/lfw'}")
    try:
        find = detector(load_evaluators(REGISTRY), folder)
    except UserError as error:
        pytest.skip(str(error))
    return [image[5:245, 25:225] for image in lfw(20)], find


@pytest.mark.parametrize(("name", "side"), [("eyes", 140), ("box", 120)])
def test_real_faces_are_found_in_their_crop_where_the_crop_puts_them(real, name, side):
    images, find = real
    found = [find(image) for image in images]
    kept = [(image, five) for image, five in zip(images, found, strict=True) if five is not None]
    assert len(kept) >= 18
    cut = CROPS[name].fit(points(*(((200, 240), five) for _, five in kept)))
    again = [find(np.ascontiguousarray(cut(image, five))) for image, five in kept]
    again = np.array([five for five in again if five is not None])
    assert len(again) >= len(kept) - 2
    eyes, mouth = again[:, :2].mean(axis=1), again[:, 3:].mean(axis=1)
    assert np.abs(eyes.mean(axis=0)[0] - side / 2) < 0.06 * side
    assert (eyes[:, 1] < 0.55 * side).all()
    assert (mouth[:, 1] < 0.95 * side).all()
    apart = np.linalg.norm(again[:, 1] - again[:, 0], axis=1)
    if name == "eyes":
        # the same detector, twice: all eyes at one place, as far apart, but for what it errs
        assert eyes.std(axis=0).max() < 2.5
        assert apart.std() / apart.mean() < 0.05
        assert np.abs(again[:, 2].mean(axis=0) - 70).max() < 9, "the nose is in the middle"
    else:
        assert apart.std() / apart.mean() < 0.2


def test_a_jpeg_is_cropped_as_its_pixels_are():
    five = face(1.0, 100, 110)
    content = io.BytesIO()
    Image.fromarray(ramp(200, 240)).save(content, "JPEG", quality=95)
    crop = by_box(points(((200, 240), five)))(decode(content.getvalue()), five)
    exact = by_box(points(((200, 240), five)))(ramp(200, 240), five)
    assert np.abs(crop[..., 1].astype(int) - exact[..., 1]).mean() < 3

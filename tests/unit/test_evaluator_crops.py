"""What an evaluator is shown of an aligned face: squares, their luma, views of one channel."""

import cv2
import numpy as np
import pytest
import torch
from PIL import Image

from softbio.evaluators.crop import LUMA, constant, crop, parts
from softbio.evaluators.registry import Square, load_evaluators
from softbio.privacy.faces import in_colour

SPECS = load_evaluators()


def noise(n: int = 2, side: int = 336) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (n, side, side, 3), dtype=np.uint8)


def tensor(images: np.ndarray) -> torch.Tensor:
    return torch.from_numpy(np.array(images)).permute(0, 3, 1, 2).float()


@pytest.mark.parametrize("name", sorted(n for n in SPECS if SPECS[n].crop))
def test_a_crop_is_opencvs_inter_area(name):
    """Where the square lies between pixels, which OpenCV does not know, the nearest whole one."""
    square, size = SPECS[name].crop, SPECS[name].input.size
    whole = Square(*(round(2 * value) / 2 for value in (square.half, square.cx, square.cy)))
    left, top = (round(2 * (c - whole.half + 28)) for c in (whole.cx, whole.cy))
    side = round(4 * whole.half)
    images = noise(1)
    cut = images[0, top : top + side, left : left + side].astype(np.float32)
    wanted = cv2.resize(cut, (size, size), interpolation=cv2.INTER_AREA)
    found = crop(tensor(images), whole, size)[0].permute(1, 2, 0).numpy()
    np.testing.assert_allclose(found, wanted, atol=0.01)


def test_a_crop_of_a_smaller_picture_shows_the_same_place():
    """A protected face shows another square than the canvas, with fewer pixels."""
    smooth = tensor(cv2.GaussianBlur(noise(1)[0], (0, 0), 12)[None])
    square, frame = Square(40, 56, 60), Square(64, 56, 56)
    whole = crop(smooth, square, 64)
    part = crop(crop(smooth, frame, 256), square, 64, frame)
    assert (whole - part).abs().max() < 1.5
    # beyond the frame its border goes on
    beyond = crop(torch.ones(1, 1, 8, 8), Square(84, 0, 0), 5)
    assert torch.allclose(beyond, torch.ones(1, 1, 5, 5))
    with pytest.raises(ValueError, match="not square"):
        crop(torch.ones(1, 1, 8, 9), square, 5)


def test_the_luma_is_pillows_grey():
    (image,) = noise(1, 64)
    wanted = np.asarray(Image.fromarray(image).convert("L"), float)
    assert np.abs(image @ np.array(LUMA) - wanted).max() <= 1


def test_a_crop_that_was_first_made_in_inference_goes_into_a_loss_later():
    """Its weights lie on the device from then on."""
    square, face = Square(31, 50, 61), torch.rand(1, 3, 40, 40)
    with torch.inference_mode():
        judged = crop(face, square, 17)
    face.requires_grad_()
    learnt = crop(face, square, 17)
    learnt.sum().backward()
    assert torch.equal(learnt, judged)
    assert face.grad.abs().sum() > 0
    with torch.inference_mode():
        given = constant((3.25, 1.0, 2.0), face)
    assert constant((3.25, 1.0, 2.0), face) is given
    assert constant((3.25, 1.0, 2.0), face.double()).dtype == torch.float64
    assert not given.is_inference()


def test_a_view_of_one_channel_is_seen_as_a_copy_of_three():
    """Bit for bit, in one layout: sums of another would be other sums."""
    grey = noise(9, 24)[..., 0]
    for view, copied in zip(
        parts(in_colour(grey)), parts(np.repeat(grey[..., None], 3, axis=3)), strict=True
    ):
        assert torch.equal(view, copied)
        assert view.stride() == copied.stride()

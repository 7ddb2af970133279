"""Which face a detector means, and where in the picture landmarks lie."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from softbio.evaluators import interface
from softbio.evaluators.crop import CANVAS
from softbio.evaluators.interface import open_marker
from softbio.evaluators.registry import Square, load_evaluators
from softbio.evaluators.yunet import chosen as chosen_by_yunet

# x, y, width, height
LARGE, SMALL, SMALLER = (0, 0, 180, 90), (180, 130, 60, 60), (190, 140, 30, 30)
BESIDE, BELOW = (230, 100, 90, 90), (150, 220, 90, 90)
LEFT, ABOVE = (80, 100, 90, 90), (150, 20, 90, 90)


@pytest.mark.parametrize(
    ("faces", "chosen"),
    [
        ([LARGE, SMALL], SMALL), ([SMALL, LARGE], SMALL),
        ([SMALLER, LARGE, SMALL], SMALL), ([SMALL, SMALLER], SMALL),
        ([(*SMALL[:2], 10, 10), LARGE], LARGE), ([BESIDE, BELOW, SMALLER], SMALLER),
        *(([face, SMALL], SMALL) for face in (BESIDE, BELOW, LEFT, ABOVE)),
    ],
)  # fmt: skip
def test_the_face_at_the_centre_counts_and_of_those_the_largest(faces, chosen):
    """In a picture of 400 x 300, whose centre is at 200, 150."""
    rows = np.array([[*face, *range(11)] for face in faces], float)
    assert tuple(chosen_by_yunet(rows, (400, 300))[:4]) == chosen


class Brightest(torch.nn.Module):
    """Says 68 times where the brightest pixel of what it is shown is, in 0..1."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        side = x.shape[-1]
        place = x.mean(1).flatten(1).argmax(1)
        point = torch.stack([place % side, place // side], -1).float()
        return ((point + 0.5) / side)[:, None].expand(-1, 68, -1)


@pytest.mark.parametrize("square", [Square(40, 50, 66), Square(30, 70, 48), CANVAS])
@pytest.mark.parametrize("side", [336, 168])
def test_landmarks_are_where_the_marker_saw_them(monkeypatch, square, side):
    (spec,) = (each for each in load_evaluators().values() if each.kind == "landmarks")
    monkeypatch.setattr(interface, "open_network", lambda *_: Brightest())
    mark = open_marker(replace(spec, crop=square), "nowhere")
    # of the canvas in template units, and of the square whose corner is told from another
    scale = side / (2 * CANVAS.half)
    for across, down in ((-0.6, -0.3), (0.5, -0.7), (0.1, 0.8)):
        x = (square.cx + across * square.half - CANVAS.cx + CANVAS.half) * scale
        y = (square.cy + down * square.half - CANVAS.cy + CANVAS.half) * scale
        canvas = np.zeros((side, side, 3), np.uint8)
        left, top = round(x), round(y)
        canvas[top - 2 : top + 2, left - 2 : left + 2] = 255
        found = mark(canvas)
        assert found.shape == (68, 2)
        # pixels of the canvas and of what the network is shown are coarse
        np.testing.assert_allclose(found[[0, 67]], [(left, top)] * 2, atol=2.5)

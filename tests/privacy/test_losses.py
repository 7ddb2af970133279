"""Each term against a slow reference in float64, written from the talk's formulas."""

import math

import numpy as np
import pytest
import torch

from softbio.privacy.training.losses import PIXEL, gender_loss, matching_loss

RNG = np.random.default_rng(5)
FACES, REBUILT = RNG.uniform(0.02, 0.98, (2, 3, 1, 5, 5))
LOGITS_SM, LOGITS_OP = RNG.normal(0, 2, (2, 3, 2))
GENDER = [0, 1, 1]
EMBEDDED, ORIGINAL = RNG.normal(0, 1, (2, 3, 7))


def tensor(array) -> torch.Tensor:
    return torch.from_numpy(np.asarray(array)).float()


def pixels(one, other):
    """Each face's pairs of pixels."""
    for face, image in zip(one, other, strict=True):
        yield list(zip(face.reshape(-1), image.reshape(-1), strict=True))


def test_pixel_terms():
    squares = [sum((x - r) ** 2 for x, r in face) for face in pixels(FACES, REBUILT)]
    absolute = [sum(abs(x - r) for x, r in face) / 25 for face in pixels(FACES, REBUILT)]
    entropy = [
        -sum(x * math.log(r) + (1 - x) * math.log(1 - r) for x, r in face)
        for face in pixels(FACES, REBUILT)
    ]
    expected = {"squared": squares, "l1": absolute, "cross_entropy": entropy}
    assert set(PIXEL) == set(expected)
    for name, faces in expected.items():
        found = PIXEL[name](tensor(FACES), tensor(REBUILT)).item()
        assert found == pytest.approx(sum(faces) / 3, rel=1e-6), name


def cross_entropy(y: int, logits) -> float:
    """S(y, f) with f the softmax of the logits."""
    return math.log(sum(math.exp(logit) for logit in logits)) - logits[y]


def test_gender_term():
    terms = [
        cross_entropy(y, sm) + cross_entropy(1 - y, op)
        for y, sm, op in zip(GENDER, LOGITS_SM, LOGITS_OP, strict=True)
    ]
    found = gender_loss(tensor(LOGITS_SM), tensor(LOGITS_OP), torch.tensor(GENDER))
    assert found.item() == pytest.approx(sum(terms) / 3, rel=1e-6)


def test_matching_term():
    terms = [
        sum((a - b) ** 2 for a, b in zip(one, other, strict=True))
        for one, other in zip(EMBEDDED, ORIGINAL, strict=True)
    ]
    found = matching_loss(tensor(EMBEDDED), tensor(ORIGINAL))
    assert found.item() == pytest.approx(sum(terms) / 3, rel=1e-6)


@pytest.mark.parametrize("name", PIXEL)
def test_no_weight_depends_on_the_batch_size(name):
    twice = [tensor(np.concatenate([array, array])) for array in (FACES, REBUILT)]
    once = PIXEL[name](tensor(FACES), tensor(REBUILT))
    torch.testing.assert_close(PIXEL[name](*twice), once)
    twice = [tensor(np.concatenate([array, array])) for array in (EMBEDDED, ORIGINAL)]
    torch.testing.assert_close(
        matching_loss(*twice), matching_loss(tensor(EMBEDDED), tensor(ORIGINAL))
    )

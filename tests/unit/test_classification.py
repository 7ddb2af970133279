"""Gender scores judged: against scikit-learn and by laws; PSNR and SSIM against scikit-image."""

import numpy as np
import pytest
import sklearn.metrics
from hypothesis import given
from hypothesis import strategies as st
from skimage.metrics import peak_signal_noise_ratio, structural_similarity

from softbio.metrics import classification as c
from softbio.metrics.quality import psnr, ssim

CASES = st.lists(st.tuples(st.integers(-4, 4), st.booleans()), min_size=2, max_size=40).filter(
    lambda cases: len({label for _, label in cases}) == 2
)


@given(CASES)
def test_curve_and_areas_equal_scikit_learn(cases):
    scores, labels = np.array(cases, float).T
    found = c.roc(scores, labels)
    false, true, _ = sklearn.metrics.roc_curve(labels, scores, drop_intermediate=False)
    np.testing.assert_allclose(found.false_positive[::-1], false, rtol=0, atol=1e-12)
    np.testing.assert_allclose(1 - found.false_negative[::-1], true, rtol=0, atol=1e-12)
    area = c.area(scores, labels)
    assert area == pytest.approx(sklearn.metrics.roc_auc_score(labels, scores))
    assert c.area(scores, 1 - labels) == pytest.approx(1 - area)
    assert c.separation(area) == pytest.approx(c.separation(c.area(-scores, labels)))
    assert c.separation(area) >= 0.5 - 1e-12


@given(CASES, st.integers(-5, 5))
def test_errors_at_a_threshold_equal_scikit_learn(cases, threshold):
    scores, labels = np.array(cases, float).T
    decided = scores >= threshold
    found = c.errors_at(scores, labels, threshold)
    (_, false_positive), (false_negative, _) = sklearn.metrics.confusion_matrix(
        labels, decided, normalize="true"
    )
    assert found.false_positive == pytest.approx(false_positive)
    assert found.false_negative == pytest.approx(false_negative)


def test_inverted_scores_separate_as_well():
    scores, labels = np.array([0.0, 1.0, 2.0, 3.0]), np.array([1, 1, 0, 0])
    assert c.area(scores, labels) == 0
    assert c.separation(c.area(scores, labels)) == 1


@pytest.mark.parametrize("shape", [(11, 11), (24, 37), (16, 13, 3)])
@pytest.mark.parametrize("peak", [255, 1])
def test_quality_equals_scikit_image(shape, peak):
    generator = np.random.default_rng(7)
    x = generator.integers(0, 256, shape).astype(np.uint8)
    y = np.clip(x + generator.normal(0, 20, shape), 0, 255).astype(np.uint8)
    if peak == 1:
        x, y = x / 255, y / 255
    reference = structural_similarity(
        x,
        y,
        data_range=peak,
        gaussian_weights=True,
        sigma=1.5,
        use_sample_covariance=False,
        channel_axis=2 if len(shape) == 3 else None,
    )
    assert ssim(x, y, peak) == pytest.approx(reference, abs=1e-12)
    assert psnr(x, y, peak) == pytest.approx(peak_signal_noise_ratio(x, y, data_range=peak))


def test_an_image_equals_itself():
    image = np.random.default_rng(0).integers(0, 256, (20, 20)).astype(np.uint8)
    assert ssim(image, image) == pytest.approx(1)
    assert psnr(image, image) == float("inf")


def test_ssim_needs_a_whole_window():
    with pytest.raises(ValueError, match="11 pixels"):
        ssim(np.zeros((10, 20)), np.zeros((10, 20)))
    with pytest.raises(ValueError, match="one shape"):
        ssim(np.zeros((20, 20)), np.zeros((20, 21)))

"""What an attacker takes protection off with."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from sklearn.metrics import roc_auc_score

from softbio.errors import UserError
from softbio.privacy.attackers.denoiser import Denoiser, fit_denoiser
from softbio.privacy.attackers.learning import read
from softbio.privacy.attackers.transforms import TRANSFORMS, jpeg, to_tensor
from tests.privacy.attacked import scores_of


def test_transforms_keep_flat_faces_and_take_off_speckles():
    flat = np.full((2, 32, 32), 90, np.uint8)
    speckled = flat.copy()
    speckled[:, ::4, ::4] = 98
    for name, (_, transform) in TRANSFORMS.items():
        np.testing.assert_array_equal(transform(flat), flat, err_msg=name)
        left, there = (np.std(faces.astype(float)) for faces in (transform(speckled), speckled))
        assert left < there, name
    assert np.array_equal(TRANSFORMS["median"][1](speckled), flat)


def test_transforms_are_those_of_opencv_and_scipy(clean):
    cv2, ndimage = pytest.importorskip("cv2"), pytest.importorskip("scipy.ndimage")
    faces = clean.test[:8]
    size = faces.shape[1]

    def down_up(face):
        half = cv2.resize(face.astype(np.float32), (size // 2,) * 2, interpolation=cv2.INTER_AREA)
        return cv2.resize(half, (size, size), interpolation=cv2.INTER_LINEAR)

    wanted = {
        "median": [ndimage.median_filter(face, 3, mode="nearest") for face in faces],
        "blur": [
            ndimage.gaussian_filter(face.astype(float), 1.0, mode="nearest", truncate=3.0)
            for face in faces
        ],
        "downup2": [down_up(face) for face in faces],
    }
    for name, images in wanted.items():
        off = np.abs(TRANSFORMS[name][1](faces).astype(float) - np.array(images))
        assert off.max() <= 0.51, name
    written = cv2.imencode(".jpg", faces[0], [cv2.IMWRITE_JPEG_QUALITY, 50])[1]
    opened = cv2.imdecode(written, cv2.IMREAD_GRAYSCALE).astype(int)
    assert np.abs(jpeg(faces[:1], 50)[0] - opened).mean() < 1


def test_a_denoiser_learns_to_undo_and_begins_with_nothing(clean):
    draw = np.random.default_rng(4)

    def noisy(faces):
        return (faces + draw.normal(0, 15, faces.shape)).clip(0, 255).astype(np.uint8)

    def error(a, b):
        return ((a.astype(float) - b) ** 2).mean()

    faces = to_tensor(clean.test[:2])
    torch.testing.assert_close(Denoiser()(faces), faces)
    undo = fit_denoiser(noisy(clean.own.clean), clean.own.clean, seed=0)
    test = noisy(clean.test)
    assert error(undo(test), clean.test) < 0.5 * error(test, clean.test)


def test_a_denoiser_is_trained_where_the_attacker_computes(clean):
    """Not on the one core that a job with a GPU has."""
    own = replace(clean.own, protected=255 - clean.own.clean)
    with pytest.raises(UserError, match="device 'gpu' is unknown"):
        scores_of("recovery", replace(clean, own=own, device="gpu"))


def test_recovery_takes_noise_off(clean, answers):
    draw = np.random.default_rng(5)

    def noisy(faces):
        return (faces + draw.normal(0, 60, faces.shape)).clip(0, 255).astype(np.uint8)

    own = replace(clean.own, protected=noisy(clean.own.clean))
    evidence = replace(clean, protector="noise", own=own, test=noisy(clean.test))
    found = scores_of("recovery", evidence)
    readers = [f"+{reader.spec.name}" for reader in clean.readers]
    kinds = [*TRANSFORMS, "denoiser", "best"]
    assert set(found) == {f"recovery_{kind}{reader}" for kind in kinds for reader in readers}
    before = roc_auc_score(answers, read(clean.hog, evidence.test))
    after = roc_auc_score(answers, found["recovery_best+hog_linear"].scores)
    assert after > before + 0.05

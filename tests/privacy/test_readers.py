"""Readers of one bit: they learn what can be told, from any images, and refuse what cannot."""

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from softbio.engine.stopping import Stopped
from softbio.errors import UserError
from softbio.evaluators.crop import FRAME
from softbio.privacy.attackers import learning
from softbio.privacy.judging.readers import fit_hog, open_cnn, open_hog, train_cnn


def striped(n: int = 97, side: int = 32) -> tuple[np.ndarray, np.ndarray]:
    """Noise with stripes across (True) or down (False)."""
    random = np.random.default_rng(1)
    positive = random.random(n) < 0.5
    wave = 60 * np.sin(np.arange(side) * np.pi / 3)
    waves = np.where(positive[:, None, None], wave[None, :, None], wave[None, None, :])
    images = (128 + waves + random.normal(0, 20, (n, side, side))).clip(0, 255)
    return np.repeat(images.astype(np.uint8)[..., None], 3, axis=3), positive


def test_a_cnn_tells_stripes_and_is_the_same_again(tmp_path):
    images, positive = striped()
    # 65 images in batches of 16 would leave one for batch norm
    wanted = {"subjects": None, "seed": 3, "device": "cpu", "size": 32, "epochs": 4}
    reader = train_cnn(images[:65], positive[:65], folder=tmp_path / "a", **wanted)
    scores = reader.scores(images[65:], FRAME)
    assert roc_auc_score(positive[65:], scores) > 0.95
    assert sorted(path.name for path in (tmp_path / "a").iterdir()) == [
        *("history.csv", "model.safetensors", "run.json")
    ]
    train_cnn(images[:65], positive[:65], folder=tmp_path / "b", **wanted)
    np.testing.assert_array_equal(open_cnn(tmp_path / "b").scores(images[65:], FRAME), scores)


def test_hog_tells_stripes(tmp_path):
    images, positive = striped()
    fit_hog(images[:65], positive[:65], tmp_path)
    scores = open_hog(tmp_path).scores(images[65:], FRAME)
    assert roc_auc_score(positive[65:], scores) > 0.95


@pytest.mark.parametrize("reader", ["cnn", "hog"])
def test_what_can_not_be_learnt_is_refused(tmp_path, reader):
    images, positive = striped(10)

    def learn(images, positive):
        if reader == "hog":
            return fit_hog(images, positive, tmp_path)
        return train_cnn(images, positive, None, tmp_path, device="cpu")

    with pytest.raises(UserError, match="one answer"):
        learn(images, np.ones(10, bool))
    with pytest.raises(UserError, match="uint8"):
        learn(images.astype(float), positive)
    with pytest.raises(UserError, match="for 9 answers"):
        learn(images, positive[:9])
    assert not list(tmp_path.iterdir())


def test_a_stopped_attack_says_that_nothing_is_kept(monkeypatch, caplog):
    """The engine's own word names a resume file in a folder that is gone with the attack."""

    def stopped(*_, **__):
        raise Stopped(143)

    monkeypatch.setattr(learning, "train_cnn", stopped)
    with caplog.at_level("WARNING"), pytest.raises(Stopped) as left:
        learning.learn_cnn(np.zeros((4, 32, 32), np.uint8), np.array([True, False] * 2), 0)
    assert left.value.code == 143
    assert "an attack keeps no state: the same command begins it anew" in caplog.text

"""What protectors make of faces, what they refuse, and what is written of it."""

import json
import re
from dataclasses import replace

import numpy as np
import pytest
import torch
from torch.nn import functional as F

from softbio.data.packed import load_packed
from softbio.errors import UserError
from softbio.privacy import protectors
from softbio.privacy.attributes import attributes_of
from softbio.privacy.faces import GreyFaces
from softbio.privacy.models.privacynet import PrivacyNet
from softbio.privacy.models.weights import save_network
from softbio.privacy.privacynet_recipe import privacynet_recipe
from softbio.privacy.protect import protect_parts, protected
from softbio.privacy.protectors import get_protector, names
from tests.conftest import ROOT
from tests.privacy.sans import SIZE, error_of, means_of

CPU = torch.device("cpu")


@pytest.fixture(scope="module")
def generator(trained, tmp_path_factory):
    """The file of a PrivacyNet that nobody has trained."""
    known = attributes_of(trained.packed, trained.parts == "san")
    recipe = privacynet_recipe("drawn64", "faces", 0, size=SIZE, attributes=known)
    path = tmp_path_factory.mktemp("privacynet") / "network.safetensors"
    save_network(path, recipe, PrivacyNet(recipe))
    return path


@pytest.mark.parametrize("name", names())
def test_protectors_are_repeatable_and_write_packed_data(trained, san, generator, tmp_path, name):
    means = means_of(trained, san / "network.safetensors", generator)
    mode = get_protector(name).modes[-1]
    for folder in ("a", "b"):
        protect_parts(name, mode, means, tmp_path / folder)
    files = [(tmp_path / folder / "images.npy").read_bytes() for folder in ("a", "b")]
    assert files[0] == files[1]
    packed = load_packed(tmp_path / "a")
    kept = np.isin(trained.parts, ["attacker", "test"])
    assert list(packed.index["image"]) == list(trained.packed.index["image"][kept])
    assert packed.images.shape == (kept.sum(), SIZE, SIZE, 3)
    assert (packed.images == packed.images[..., :1]).all()
    card = json.loads((tmp_path / "a/card.json").read_text())
    assert (card["protector"], card["mode"]) == (name, mode)


def test_faces_that_are_not_finite_are_not_written(trained, tmp_path, monkeypatch):
    """As bytes they are black, of which nobody tells a gender."""

    def divided(mode, means):
        return lambda batch: batch.images / 0

    broken = replace(get_protector("none"), prepare=divided)
    monkeypatch.setattr("softbio.privacy.protect.get_protector", lambda name: broken)
    with pytest.raises(UserError, match="none original gives values that are not finite"):
        protect_parts("none", "original", means_of(trained), tmp_path / "out")
    assert not (tmp_path / "out/card.json").exists()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            lambda faces: torch.cat([faces, faces]),
            r"a tensor of \(\d+, 1, 32, 32\) for faces",
        ),
        (
            lambda faces: faces.expand(-1, 3, -1, -1),
            r"3, 32, 32\) for faces .*, in one channel",
        ),
        (lambda faces: faces[:, :, ::2, ::2], r"\d+, 1, 16, 16\) for faces"),
        (lambda faces: faces.numpy(), "gives <class 'numpy.ndarray'> for faces"),
        (lambda faces: 255 * faces, r"none original gives grey levels from .* lie in 0\.\.1"),
        (lambda faces: 2 * faces - 1, r"none original gives grey levels from -"),
    ],
)
def test_what_is_no_protected_face_is_not_written(trained, tmp_path, monkeypatch, change, message):
    """More faces than were given would stand beside other people's labels."""
    broken = replace(
        get_protector("none"), prepare=lambda mode, means: lambda batch: change(batch.images)
    )
    monkeypatch.setattr("softbio.privacy.protect.get_protector", lambda name: broken)
    with pytest.raises(UserError, match=message):
        protect_parts("none", "original", means_of(trained), tmp_path / "out")
    assert not (tmp_path / "out/card.json").exists()


def test_what_each_baseline_does(trained):
    means = means_of(trained)
    rows = np.flatnonzero(means.parts == "test")
    plain = torch.cat(
        list(protected(get_protector("none").prepare("original", means), means, rows))
    )

    def of(name, mode):
        return torch.cat(list(protected(get_protector(name).prepare(mode, means), means, rows)))

    torch.testing.assert_close(plain, means.faces.batch(torch.from_numpy(rows)))
    torch.testing.assert_close(of("blur", "sigma2").mean(), plain.mean(), atol=0.02, rtol=0)
    assert of("blur", "sigma2").std() < plain.std()
    blocks = of("pixelation", "block4")
    assert torch.equal(blocks[:, :, 1::4, 2::4], blocks[:, :, ::4, ::4])
    torch.testing.assert_close(blocks.mean((1, 2, 3)), plain.mean((1, 2, 3)))
    torch.testing.assert_close(of("mixing", "alpha1"), plain, atol=1e-2, rtol=0)


def test_a_gradient_step_harms_the_faces_and_as_long_a_step_anywhere_does_not(trained):
    means = means_of(trained)
    rows = torch.from_numpy(np.flatnonzero(means.parts == "test"))
    protect = get_protector("gradient_sign").prepare("eps8", means)
    moved = torch.cat(list(protected(protect, means, rows.numpy())))
    plain, gender = means.faces.batch(rows), means.faces.gender[rows]
    assert (moved - plain).abs().max() <= 8 / 255 + 1e-6

    def losses(faces):
        return F.cross_entropy(means.classifier(faces), gender, reduction="none")

    signs = torch.randn(plain.shape, generator=torch.Generator().manual_seed(0)).sign()
    anywhere = (plain + 8 / 255 * signs).clamp(0, 1)
    harm, harmless = losses(moved) - losses(plain), losses(anywhere) - losses(plain)
    assert (harm > 0).float().mean() > 0.95
    assert harm.mean() > 10 * harmless.abs().mean()
    # twice the step turns decisions, of a classifier that errs on a fifth of so few faces as it is
    assert error_of(means, "gradient_sign", "eps16") > error_of(means, "none", "original") + 0.2


def test_mates_are_not_judged_on(trained):
    means = means_of(trained)
    outside = means.parts != "san"
    images = means.faces.packed.images.copy()
    images[outside] = 0
    black = replace(means, faces=GreyFaces(replace(means.faces.packed, images=images), CPU))
    rows = np.flatnonzero(means.parts == "test")[:3]
    found = torch.cat(
        list(protected(get_protector("mixing").prepare("alpha0", black), black, rows))
    )
    # where a mate of the test part had been taken, there would be a black face
    assert (found.mean((1, 2, 3)) > 0.1).all()


@pytest.mark.parametrize(
    ("name", "mode", "message"),
    [
        ("sann", "sm", "did you mean 'san'"),
        ("san", "xx", "SAN has sm, nt, op"),
        ("blur", "sigma", "'sigma' and a number"),
        ("mixing", "alpha2", "from 0 to 1"),
        ("none", "sm", "'original' alone"),
        ("pixelation", "block2.5", "whole pixels"),
        ("san", "sm", "needs a san"),
    ],
)
def test_unknown_names_are_told(trained, name, mode, message):
    with pytest.raises(UserError, match=message):
        get_protector(name).prepare(mode, means_of(trained))


@pytest.mark.parametrize("name", names())
def test_a_mode_is_checked_by_its_name_alone(name):
    protector = get_protector(name)
    for mode in protector.modes:
        protector.check(mode)
    with pytest.raises(UserError, match=r"mode 'alpah0\.5'"):
        protector.check("alpah0.5")


def test_the_example_protector_of_the_documents_protects(trained, tmp_path, monkeypatch):
    text = (ROOT / "CONTRIBUTING.md").read_text()
    blocks = re.findall(r"```python\n(.*?)```", text, re.S)
    (tmp_path / "noise.py").write_text(next(block for block in blocks if "PROTECTOR =" in block))
    monkeypatch.setattr(protectors, "__path__", [*protectors.__path__, str(tmp_path)])
    assert "noise" in names()
    means = means_of(trained)
    for folder in ("a", "b"):
        protect_parts("noise", "sd16", means, tmp_path / folder, ("test",))
    files = [(tmp_path / folder / "images.npy").read_bytes() for folder in ("a", "b")]
    assert files[0] == files[1]
    rows = np.flatnonzero(trained.parts == "test")
    plain = means.faces.batch(torch.from_numpy(rows))
    found = load_packed(tmp_path / "a").images[..., 0] / 255 - plain[:, 0].numpy()
    assert 12 / 255 < found.std() < 17 / 255

"""What was made against a matcher of the registry is not used with another code of that matcher."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from softbio.errors import UserError
from softbio.privacy.faces import GreyFaces
from softbio.privacy.models.auxiliaries import SmallMatcher
from softbio.privacy.training import originals, train_privacynet, train_san
from softbio.privacy.training.loss_matcher import LossMatcher, matcher_sha256
from softbio.privacy.training.train_privacynet import PrivacyNetInputs
from softbio.sources import PRIVACY, PRIVACYNET, modules_sha256
from tests.privacy.sans import RECIPE, SIZE
from tests.privacy.test_privacynet import RECIPE as PRIVACYNET_RECIPE

CPU = torch.device("cpu")
OTHER = ("evaluators/hog_linear",)


class OfRegistry:
    """What `open_evaluator` gives, without its files."""

    def __init__(self):
        self.network = SmallMatcher(4)

    def __call__(self, faces, frame):
        return self.network(faces / 255)


def begun(home, folder, matcher_net, matcher, monkeypatch) -> tuple[str, str]:
    """The code that the resume files of a SAN and a PrivacyNet ask for."""
    seen = []
    for module in (train_san, train_privacynet):
        monkeypatch.setattr(module, "finish", lambda start, resume, build: seen.append(resume.code))
    # of the networks only the hashes are asked for
    (home / "network").write_bytes(b"network")
    recipe = replace(RECIPE, matcher_net=matcher_net)
    inputs = train_san.SanInputs(
        packed=folder.path("packed"),
        parts=folder.path("parts.csv"),
        prototypes=folder.path("prototypes.npz"),
        classifier=home / "network",
        matcher=matcher or home / "network",
        pairs=folder.path("warped.npy"),
    )
    train_san.train_san(recipe, inputs, home, device="cpu")
    given = replace(PRIVACYNET_RECIPE, matcher_net=matcher_net)
    files = (inputs.packed, inputs.parts, inputs.matcher)
    train_privacynet.train_privacynet(given, PrivacyNetInputs(*files), home, device="cpu")
    return tuple(seen)


def test_a_stopped_training_does_not_go_on(drawn, tmp_path, monkeypatch):
    own = begun(tmp_path, drawn, "own", None, monkeypatch)
    assert own == (modules_sha256(PRIVACY), modules_sha256(PRIVACYNET))
    matcher = LossMatcher(OfRegistry())
    known = begun(tmp_path, drawn, "dlib_resnet", matcher, monkeypatch)
    monkeypatch.setattr("softbio.sources.MATCHERS", OTHER)
    changed = begun(tmp_path, drawn, "dlib_resnet", matcher, monkeypatch)
    assert len({*own, *known, *changed}) == 6
    assert begun(tmp_path, drawn, "own", None, monkeypatch) == own


def test_embedded_originals_are_refused(drawn, tmp_path, monkeypatch):
    faces = GreyFaces(drawn.packed, CPU)
    rows = torch.from_numpy(np.flatnonzero(drawn.parts == "san"))
    start = originals.begin(SIZE, drawn.path("packed"), drawn.path("parts.csv"), "cpu")
    known = {"own": SmallMatcher(4), "dlib_resnet": LossMatcher(OfRegistry())}
    asked = {}
    for name, matcher in known.items():
        path = tmp_path / f"{name}.safetensors"
        files = (drawn.path("packed"), drawn.path("parts.csv"))
        originals.write_originals(*files, SIZE, matcher, name, path, "cpu")
        of = [*start.read, matcher_sha256(matcher, name)]
        asked[name] = (path, of, matcher, faces, rows)
        assert originals.originals_of(*asked[name]).embeddings.shape[0] == len(rows)
    monkeypatch.setattr(originals, "MATCHERS", OTHER)
    originals.originals_of(*asked["own"])
    with pytest.raises(UserError, match="of other faces or another matcher; delete it and"):
        originals.originals_of(*asked["dlib_resnet"])

"""Who judges, who has been seen, and what is said of who is absent."""

import json
import shutil
from pathlib import Path

import pytest

from softbio.errors import UserError
from softbio.evaluators.interface import KINDS
from softbio.evaluators.registry import load_evaluators
from softbio.privacy.judging.comparisons import Limits
from softbio.privacy.judging.panel import Registered, seen_by
from softbio.privacy.judging.score import score
from softbio.privacy.protectors import get_protector
from tests.privacy.judged import DAMAGES, panel_of

SPECS = load_evaluators()
EVERYBODY = ["aux_gender", "aux_matcher", "own_cnn", "hog_linear", "own_matcher", "own_coral"]


def test_who_is_seen_depends_on_the_protector():
    assert seen_by(get_protector("gradient_sign")) == {"aux_gender"}
    assert seen_by(get_protector("san")) == {"aux_gender", "aux_matcher"}
    assert seen_by(get_protector("san"), "dlib_resnet") == {"aux_gender", "dlib_resnet"}
    # its attribute head is its own
    assert seen_by(get_protector("privacynet")) == {"aux_matcher"}
    assert seen_by(get_protector("privacynet"), "dlib_resnet") == {"dlib_resnet"}
    for name in ("none", "blur", "mixing"):
        assert not seen_by(get_protector(name))


def wanted_of(folder: Path, *names: str) -> Registered:
    return Registered(names, SPECS, folder)


def test_who_can_not_be_opened_is_absent_and_the_rest_judges(home, tmp_path):
    for path in SPECS["sface"].paths(tmp_path).values():
        path.parent.mkdir(parents=True)
        path.write_bytes(b"something else")
    reason = "npm package is not to be had"
    receipt = {"dlib_resnet": {"status": "missing", "reason": reason}}
    (tmp_path / "receipt.json").write_text(json.dumps(receipt))
    wanted = wanted_of(tmp_path, "sface", "dlib_resnet", "levi_hassner", "age_gender")
    panel = panel_of(home, "blur", third=wanted, dataset="utkface")
    assert [member.name for member in panel.members] == EVERYBODY
    reasons = {entry.evaluator: entry.reason for entry in panel.absent}
    assert "is not the file that the registry names" in reasons["sface"]
    assert reasons["dlib_resnet"] == reason
    assert "is missing" in reasons["levi_hassner"]
    assert reasons["age_gender"] == "it was trained on utkface"
    out = tmp_path / "scores"
    score(home / "inverted", home / "original", panel, out, Limits(40, 5, 1))
    absent = json.loads((out / "index.json").read_text())["absent"]
    assert absent[1] == {
        "evaluator": "sface",
        "title": "SFace",
        "kind": "matcher",
        "reason": reasons["sface"],
    }
    assert len(list((out / "gender").iterdir())) == 3
    with pytest.raises(UserError, match="did you mean 'sface'"):
        panel_of(home, "blur", third=wanted_of(tmp_path, "sfase"))
    with pytest.raises(UserError, match="judges no face"):
        panel_of(home, "blur", third=wanted_of(tmp_path, "yunet"))


@pytest.mark.parametrize("damage", DAMAGES)
def test_an_own_evaluator_that_is_damaged_or_lacking_is_absent(home, tmp_path, damage):
    shutil.copytree(home / "own", tmp_path / "own")
    weights = tmp_path / "own/hog_linear/weights.npz"
    weights.write_bytes(damage(weights.read_bytes()))
    shutil.rmtree(tmp_path / "own/own_matcher")
    shutil.copy(home / "networks/matcher/network.safetensors", tmp_path / "own")
    panel = panel_of(home, "none", own=tmp_path / "own", matcher_net="dlib_resnet")
    assert [member.name for member in panel.members] == ["aux_gender", "own_cnn", "own_coral"]
    absent = [entry.evaluator for entry in panel.absent]
    assert absent == ["hog_linear", "own_matcher", "own_race"]
    shutil.copytree(home / "networks", tmp_path / "networks")
    shutil.rmtree(tmp_path / "networks/gender")
    shutil.copytree(home / "networks/matcher", tmp_path / "networks/gender")
    panel = panel_of(home, "none", networks=tmp_path / "networks")
    assert "a matcher network" in panel.absent[0].reason


def test_one_net_judges_once_and_is_seen_under_both_names(home, monkeypatch):
    def opened(spec, folder):
        if spec.name == "levi_hassner":
            raise UserError("no file")
        return KINDS[spec.kind](spec, lambda x: x.mean((1, 2, 3)))

    monkeypatch.setattr("softbio.privacy.judging.panel.open_evaluator", opened)
    names = ["faceres_descriptor", "levi_hassner", "faceres", "sface"]
    options = {"third": wanted_of(home, *names), "matcher_net": "faceres_descriptor"}
    panel = panel_of(home, "san", **options)
    assert {m.name for m in panel.members if m.seen} == {"aux_gender", "faceres_descriptor"}
    assert "aux_matcher" not in {m.name for m in panel.members}
    reasons = {entry.evaluator: entry.reason for entry in panel.absent}
    assert "the same net as FaceRes descriptor" in reasons["faceres"]
    options["third"] = wanted_of(home, "faceres")
    assert {m.name for m in panel_of(home, "san", **options).members if m.seen} == {
        *("aux_gender", "faceres")
    }

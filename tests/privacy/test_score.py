"""Scores of one condition: of whom, by whom, against what, and what is said of who is absent."""

import json
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from skimage.metrics import peak_signal_noise_ratio, structural_similarity
from sklearn.metrics import roc_auc_score

from softbio.data.packed import load_packed
from softbio.errors import UserError
from softbio.evaluators.crop import FRAME
from softbio.evaluators.interface import KINDS
from softbio.evaluators.registry import load_evaluators
from softbio.metrics.verification import area
from softbio.privacy.comparisons import Limits, compared, gallery_rows, listed_pairs, pair_lists
from softbio.privacy.faces import grey
from softbio.privacy.own_evaluators import evaluator_faces, fit_own_hog, train_own_cnn
from softbio.privacy.panel import Registered, open_panel, seen_by
from softbio.privacy.protect import load_means, protect_parts
from softbio.privacy.protected import open_protected
from softbio.privacy.protectors import get_protector
from softbio.privacy.readers import open_cnn
from softbio.privacy.recipe import AuxiliaryRecipe, own_matcher_recipe
from softbio.privacy.score import score
from softbio.privacy.train_auxiliaries import train_auxiliary
from softbio.privacy.weights import load_network
from softbio.scores import read_comparisons, read_gender

SPECS = load_evaluators()
EVERYBODY = ["aux_gender", "aux_matcher", "own_cnn", "hog_linear", "own_matcher"]


def rewritten(folder: Path, images=None, index=None, card=None) -> None:
    """Some files of a condition replaced."""
    if images is not None:
        np.save(folder / "images.npy", images)
    if index is not None:
        index.to_parquet(folder / "index.parquet")
    if card is not None:
        known = json.loads((folder / "card.json").read_text())
        (folder / "card.json").write_text(json.dumps(known | card))


@pytest.fixture(scope="module")
def home(trained, tmp_path_factory):
    """Conditions "original" and "inverted" (all grey levels), with networks and own evaluators."""
    folder = tmp_path_factory.mktemp("scored")
    (folder / "networks").mkdir()
    for kind in ("gender", "matcher"):
        shutil.copytree(trained.path(kind), folder / "networks" / kind)
    files = (trained.path("packed"), trained.path("parts.csv"))
    train_own_cnn(*files, folder / "own/own_cnn", "cpu", size=32, epochs=12)
    fit_own_hog(*files, folder / "own/hog_linear")
    recipe = AuxiliaryRecipe(*("matcher", "faces", 0, 32), width=8, epochs=10, batch=8)
    train_auxiliary(own_matcher_recipe(recipe), *files, folder / "own/own_matcher", "cpu")
    protect_parts("none", "original", load_means(*files, device="cpu"), folder / "original")
    shutil.copytree(folder / "original", folder / "inverted")
    inverse = 255 - np.load(folder / "original/images.npy")
    card = {"protector": "inverse", "mode": "full", "title": "Inverse"}
    rewritten(folder / "inverted", inverse, card=card)
    for name, before in (("original", None), ("inverted", folder / "original")):
        panel = panel_of(folder, "none" if before is None else "san")
        score(folder / name, before, panel, folder / name / "scores", dataset="faces")
    return folder


def panel_of(folder: Path, protector: str, **more):
    sides = {"networks": folder / "networks", "own": folder / "own", "device": "cpu"}
    return open_panel(get_protector(protector), more.pop("dataset", "faces"), **(sides | more))


def test_own_evaluators_see_their_part_alone_and_grey(drawn):
    images, male, subjects = evaluator_faces(drawn.path("packed"), drawn.path("parts.csv"))
    assert set(subjects) == set(drawn.packed.subjects[drawn.parts == "evaluators"])
    assert (images[..., 0] == images[..., 1]).all()
    told = dict(zip(drawn.packed.subjects, drawn.packed.index["gender"] == "male", strict=True))
    assert [told[name] for name in subjects] == list(male)


def test_a_training_part_of_one_gender_is_refused(drawn, tmp_path):
    frame = pd.read_csv(drawn.path("parts.csv"))
    moved = (frame["part"] == "evaluators") & (frame["gender"] == "male")
    frame.loc[moved, "part"] = "san"
    frame.to_csv(tmp_path / "parts.csv", index=False)
    for learn in (train_own_cnn, fit_own_hog):
        with pytest.raises(UserError, match="female faces only"):
            learn(drawn.path("packed"), tmp_path / "parts.csv", tmp_path / "out")


def test_gender_scores_are_the_evaluators_and_their_auc_is_scikit_learns(home):
    index = load_packed(home / "inverted").index
    test = (index["part"] == "test").to_numpy()
    images = np.load(home / "inverted/images.npy")[test]
    direct = open_cnn(home / "own/own_cnn").scores(images, FRAME)
    read = read_gender(home / "inverted/scores/gender/own_cnn.parquet")
    np.testing.assert_allclose(read.scores, direct, rtol=1e-6)
    male = (index["gender"] == "male").to_numpy()[test]
    np.testing.assert_array_equal(read.labels, male)
    assert list(read.frame["image"]) == list(index["image"][test])
    wanted = roc_auc_score(male, direct)
    assert area(read.scores, read.labels == 1) == pytest.approx(wanted)
    about = read.about
    assert (about.protector, about.mode, about.protector_title) == ("inverse", "full", "Inverse")
    assert (about.dataset, about.title, about.threshold) == ("faces", "Own CNN", 0.5)
    clean = read_gender(home / "original/scores/gender/own_cnn.parquet")
    assert (clean.about.protector, clean.about.mode) == ("original", "")
    # HOG learns from 60 drawn faces, a CNN does not
    hog = read_gender(home / "original/scores/gender/hog_linear.parquet")
    assert roc_auc_score(hog.labels, hog.scores) > 0.75


def test_an_auxiliary_network_judges_as_it_stood_in_the_loss(home):

    faces = open_protected(home / "original", dataset="faces")
    network = load_network(home / "networks/gender/network.safetensors", AuxiliaryRecipe)[1]
    with torch.inference_mode():
        wanted = network(grey(torch.from_numpy(faces.images))).softmax(1)[:, 1].numpy()
    read = read_gender(home / "original/scores/gender/aux_gender.parquet")
    np.testing.assert_allclose(read.scores, wanted, atol=1e-5)


def cosines(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    lengths = np.linalg.norm(first, axis=1) * np.linalg.norm(second, axis=1)
    return np.einsum("nd,nd->n", first.astype(float), second.astype(float)) / lengths


@pytest.mark.parametrize("matcher", ["aux_matcher", "own_matcher"])
def test_references_are_unprotected_and_probes_are_protected(home, matcher):
    clean = np.load(home / f"original/scores/embeddings/{matcher}.npy")
    changed = np.load(home / f"inverted/scores/embeddings/{matcher}.npy")
    assert np.abs(clean - changed).max() > 0.05
    faces = open_protected(home / "original", dataset="faces")
    row = {image: place for place, image in enumerate(faces.index["image"])}
    subject = dict(zip(faces.index["image"], faces.index["subject"], strict=True))
    sides = {
        ("original", "original-original"): (clean, clean),
        ("inverted", "protected-original"): (clean, changed),
        ("inverted", "protected-protected"): (changed, changed),
    }
    for (condition, kind), (references, probes) in sides.items():
        found = sorted((home / condition / "scores/match").glob(f"{matcher}.{kind}.*"))
        wanted = ["all"] if kind == "protected-protected" else ["all", "gallery"]
        assert [path.name.split(".")[2] for path in found] == wanted
        for path in found:
            frame = read_comparisons(path).frame
            first, second = (frame[side].map(row) for side in ("reference", "probe"))
            np.testing.assert_allclose(
                frame["score"], cosines(references[first], probes[second]), atol=1e-5
            )
            mated = frame["reference"].map(subject) == frame["probe"].map(subject)
            np.testing.assert_array_equal(frame["mated"], mated)


def test_mated_faces_are_more_alike_and_the_gallery_is_whole(home):
    read = read_comparisons(
        home / "original/scores/match/own_matcher.original-original.all.parquet"
    )
    assert roc_auc_score(read.mated, read.scores) > 0.6
    gallery = home / "original/scores/match/own_matcher.original-original.gallery.parquet"
    ranks, _, size = read_comparisons(gallery).identification()
    faces = open_protected(home / "original", dataset="faces")
    counts = faces.index["subject"].value_counts()
    counts = counts[counts > 1]
    assert size == len(counts)
    assert len(ranks) == counts.sum() - len(counts)


def test_quality_is_scikit_images(home):
    frame = pd.read_parquet(home / "inverted/scores/quality.parquet")
    clean, changed = (open_protected(home / name).images[3] for name in ("original", "inverted"))
    assert frame["psnr"][3] == pytest.approx(peak_signal_noise_ratio(clean, changed))
    options = {"gaussian_weights": True, "sigma": 1.5, "use_sample_covariance": False}
    wanted = structural_similarity(clean[..., 0], changed[..., 0], **options, data_range=255)
    assert frame["ssim"][3] == pytest.approx(wanted, abs=0.02)
    assert not (home / "original/scores/quality.parquet").exists()


def test_the_index_counts_and_the_seen_are_marked(home):
    record = json.loads((home / "inverted/scores/index.json").read_text())
    assert record == {"absent": [], "test_images": len(open_protected(home / "inverted").index)}
    for condition, seen in (("original", set()), ("inverted", {"aux_gender", "aux_matcher"})):
        for path in (home / condition / "scores/gender").iterdir():
            about = read_gender(path).about
            assert about.seen == (about.evaluator in seen), path
        for path in (home / condition / "scores/match").iterdir():
            about = read_comparisons(path).about
            assert about.seen == (about.matcher in seen), path


def test_who_is_seen_depends_on_the_protector():
    assert seen_by(get_protector("gradient_sign")) == {"aux_gender"}
    assert seen_by(get_protector("san")) == {"aux_gender", "aux_matcher"}
    assert seen_by(get_protector("san"), "dlib_resnet") == {"aux_gender", "dlib_resnet"}
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
    assert absent[0] == {
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


def test_an_own_evaluator_that_is_damaged_or_lacking_is_absent(home, tmp_path):
    shutil.copytree(home / "own", tmp_path / "own")
    (tmp_path / "own/hog_linear/weights.npz").write_bytes(b"")
    shutil.rmtree(tmp_path / "own/own_matcher")
    shutil.copy(home / "networks/matcher/network.safetensors", tmp_path / "own")
    panel = panel_of(home, "none", own=tmp_path / "own", matcher_net="dlib_resnet")
    assert [member.name for member in panel.members] == ["aux_gender", "own_cnn"]
    assert [entry.evaluator for entry in panel.absent] == ["hog_linear", "own_matcher"]
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

    monkeypatch.setattr("softbio.privacy.panel.open_evaluator", opened)
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


def test_images_without_gender_or_score_are_left_out_and_counted(home, tmp_path):
    shutil.copytree(home / "original", tmp_path / "original")
    index = load_packed(home / "original").index
    test = np.flatnonzero(index["part"] == "test")
    index.loc[test[:3], "gender"] = None
    rewritten(tmp_path / "original", index=index)
    panel = panel_of(home, "none")

    class Silent:
        """Gives no answer for the last face."""

        def __init__(self, member):
            self.member = member

        def __getattr__(self, name):
            return getattr(self.member, name)

        def answers(self, faces):
            answers = self.member.answers(faces)
            answers[-1] = np.nan
            return answers

    silent = replace(panel, members=tuple(Silent(member) for member in panel.members))
    score(tmp_path / "original", None, silent, tmp_path / "out", dataset="faces")
    read = read_gender(tmp_path / "out/gender/own_cnn.parquet")
    assert read.about.failed == 4
    assert len(read.frame) == len(test) - 4
    gallery = tmp_path / "out/match/own_matcher.original-original.gallery.parquet"
    read_comparisons(gallery).identification()
    pairs = read_comparisons(tmp_path / "out/match/own_matcher.original-original.all.parquet")
    last = index["image"][test[-1]]
    assert not pairs.frame[["reference", "probe"]].isin([last]).any(axis=None)
    assert pairs.about.failed == len(test) - 1


def test_a_gallery_that_loses_an_image_loses_its_probes_too(home):
    panel = panel_of(home, "none")
    member = next(m for m in panel.members if m.name == "own_matcher")
    images = np.array(["a1", "a2", "b1", "b2"], object)
    index = pd.DataFrame({"image": images, "subject": ["a", "a", "b", "b"]})
    listed = pair_lists(index, Limits())["gallery"].frame
    embedded = np.ones((4, 2), np.float32)
    embedded[0] = np.nan
    frame, lost = compared(member.evaluator, listed, images, embedded, embedded, closed=True)
    assert list(zip(frame["reference"], frame["probe"], strict=True)) == [("b1", "b2")]
    assert lost == 3


def test_faces_that_do_not_belong_together_are_refused(home, tmp_path):
    panel, out = panel_of(home, "none"), tmp_path / "out"
    with pytest.raises(UserError, match="compared with the unprotected"):
        score(home / "inverted", None, panel, out)
    with pytest.raises(UserError, match="compared with the unprotected"):
        score(home / "original", home / "original", panel, out)
    with pytest.raises(UserError, match="or are protected"):
        score(home / "inverted", home / "inverted", panel, out)
    shutil.copytree(home / "original", tmp_path / "other")
    index = load_packed(home / "original").index.assign(part="attacker")
    rewritten(tmp_path / "other", index=index)
    with pytest.raises(UserError, match="the part 'test' is empty"):
        score(tmp_path / "other", None, panel, out)
    index["part"], index["dataset"] = "test", ["one"] + ["other"] * (len(index) - 1)
    rewritten(tmp_path / "other", index=index)
    with pytest.raises(UserError, match="mixes one and other"):
        score(tmp_path / "other", None, panel, out)
    rewritten(tmp_path / "other", index=index.assign(dataset="one"))
    with pytest.raises(UserError, match="other faces than the originals"):
        score(home / "inverted", tmp_path / "other", panel, out)
    assert not out.exists()


def test_without_mated_faces_gender_is_scored_and_matchers_are_absent(home, tmp_path):
    shutil.copytree(home / "original", tmp_path / "original")
    index = load_packed(home / "original").index
    rewritten(tmp_path / "original", index=index.assign(subject=index["image"]))
    panel = panel_of(home, "none")
    score(tmp_path / "original", None, panel, tmp_path / "out", dataset="faces")
    absent = json.loads((tmp_path / "out/index.json").read_text())["absent"]
    assert [entry["evaluator"] for entry in absent] == ["aux_matcher", "own_matcher"]
    assert "no mated pair" in absent[0]["reason"]
    assert len(list((tmp_path / "out/gender").iterdir())) == 3


def test_limits_keep_lists_small_and_even():
    subjects = np.repeat([f"s{n:03d}" for n in range(100)], 8).astype(object)
    images = np.array([f"{s}/{n}" for n, s in enumerate(subjects)], object)
    rows = gallery_rows(images, subjects, Limits(subjects=10, probes=2))
    counts = pd.Series(subjects[rows]).value_counts()
    assert sorted(counts.index) == [f"s{n:03d}" for n in range(0, 100, 10)]
    assert set(counts) == {3}
    index = pd.DataFrame({"image": images, "subject": subjects})
    lists = pair_lists(index, Limits(comparisons=50, subjects=10, probes=2))
    assert lists["all"].frame["mated"].value_counts().to_dict() == {True: 50, False: 50}
    assert len(lists["gallery"].frame) == 10 * 20
    assert lists["gallery"].missing == 0


PAIRS = "2\t1\nada\t1\t2\nada\t1\tbob\t1\nbob\t1\t2\nada\t2\tbob\t2\n"


@pytest.fixture
def lfw(tmp_path):
    """A pair list of two folds and its index; bob's second image has no face."""
    (tmp_path / "pairs.txt").write_text(PAIRS)
    images = ["ada/ada_0001.jpg", "ada/ada_0002.jpg", "bob/bob_0001.jpg"]
    pd.DataFrame({"image": images}).to_parquet(tmp_path / "index.parquet")
    lost = pd.DataFrame({"dataset": ["lfw"], "image": ["bob/bob_0002.jpg"], "reason": ["no face"]})
    lost.to_csv(tmp_path / "left_out.csv", index=False)
    return [tmp_path / name for name in ("pairs.txt", "index.parquet", "left_out.csv")]


def test_a_pair_list_keeps_folds_and_counts_what_is_not_there(lfw):
    index = pd.DataFrame({"image": pd.read_parquet(lfw[1])["image"], "subject": [*"aab"]})
    found = pair_lists(index, Limits(), listed_pairs(*lfw))["view2"]
    assert found.missing == 2
    assert list(found.frame["fold"]) == [0, 0]
    assert list(found.frame["mated"]) == [True, False]
    assert pair_lists(index, Limits(), listed_pairs(*lfw, folds=1))["view2"].missing == 0


def test_a_pair_list_that_names_an_unknown_image_is_refused(lfw):
    with pytest.raises(UserError, match=r"pairs.txt: 1 of 4 images .* bob/bob_0002.jpg"):
        listed_pairs(*lfw[:2])
    # of the folds that are taken
    assert len(listed_pairs(*lfw[:2], folds=1)) == 2

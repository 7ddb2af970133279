"""Scores of one condition: of whom, by whom and against what."""

import json
import shutil
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import torch
from skimage.metrics import peak_signal_noise_ratio, structural_similarity
from sklearn.metrics import roc_auc_score

from softbio.data.fetching.locate import Sources
from softbio.data.packed import load_packed
from softbio.data.registry import DatasetSpec
from softbio.errors import UserError
from softbio.evaluators.crop import FRAME
from softbio.metrics.classification import area
from softbio.privacy.faces import grey
from softbio.privacy.judging.comparisons import Limits
from softbio.privacy.judging.own_evaluators import evaluator_faces, fit_own_hog, train_own_cnn
from softbio.privacy.judging.readers import open_cnn
from softbio.privacy.judging.score import ScoreFiles, ScoreSettings, score, score_condition
from softbio.privacy.models.weights import load_network
from softbio.privacy.plan_recipe import plan_from
from softbio.privacy.protected import open_protected
from softbio.privacy.recipe import AuxiliaryRecipe, own_matcher_recipe
from softbio.results.scores import KINDS, read_comparisons, read_gender
from tests.privacy.judged import panel_of, rewritten


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
    assert area(read.scores, read.labels) == pytest.approx(wanted)
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
    assert frame["ssim"][3] == pytest.approx(wanted, abs=1e-9)
    assert not (home / "original/scores/quality.parquet").exists()


def test_the_index_counts_and_the_seen_are_marked(home):
    record = json.loads((home / "inverted/scores/index.json").read_text())
    assert record["test_images"] == len(open_protected(home / "inverted").index)
    # few faces of each race and age group: told, not left out in silence
    reasons = {entry["evaluator"]: entry["reason"] for entry in record["absent"]}
    assert list(reasons) == ["own_race", "own_coral"]
    assert all("each with 20 faces or more" in reason for reason in reasons.values())
    for condition, seen in (("original", set()), ("inverted", {"aux_gender", "aux_matcher"})):
        for path in (home / condition / "scores/gender").iterdir():
            about = read_gender(path).about
            assert about.seen == (about.evaluator in seen), path
        for path in (home / condition / "scores/match").iterdir():
            about = read_comparisons(path).about
            assert about.seen == (about.matcher in seen), path


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
    reasons = {e["evaluator"]: e["reason"] for e in absent if e["kind"] == "matcher"}
    assert list(reasons) == ["aux_matcher", "own_matcher"]
    assert "no mated pair" in reasons["own_matcher"]
    assert len(list((tmp_path / "out/gender").iterdir())) == 3


def test_a_pair_list_is_scored_with_its_folds_and_its_missing_images_counted(home, tmp_path):
    everything = home / "inverted/scores/match/own_matcher.protected-protected.all.parquet"
    listed = read_comparisons(everything).frame.drop(columns="score")[:20]
    listed["fold"] = np.arange(20) % 2
    listed.loc[3, "probe"] = "not here"
    panel = panel_of(home, "san")
    sides = (home / "inverted", home / "original")
    score(*sides, panel, tmp_path, Limits(50), listed, dataset="faces")
    for kind in KINDS[1:]:
        read = read_comparisons(tmp_path / f"match/own_matcher.{kind}.view2.parquet")
        assert read.about.failed == 1
        assert list(read.frame["fold"]) == list(listed["fold"].drop(3))


def test_a_condition_is_scored_from_its_files(home, tmp_path, monkeypatch):
    """As with the panel that its protector's name stands for; a pair list is read where there is
    one."""
    files = ScoreFiles(
        protected=home / "inverted/images.npy",
        original=home / "original/images.npy",
        networks=home / "networks",
        own=home / "own",
        index=home / "inverted/index.parquet",
    )
    settings = ScoreSettings("san", DatasetSpec("faces", "Faces", "lfw", None))
    score_condition(files, settings, tmp_path / "out", "cpu")
    made = {path.relative_to(tmp_path / "out") for path in (tmp_path / "out").rglob("*.parquet")}
    known = home / "inverted/scores"
    assert made == {path.relative_to(known) for path in known.rglob("*.parquet")}
    for path in made:
        found, expected = (pd.read_parquet(place / path) for place in (tmp_path / "out", known))
        pd.testing.assert_frame_equal(found, expected)
    (tmp_path / "pairs.txt").write_text("1\t1\nAnn\t1\t2\nAnn\t2\tBob\t1\n")
    found = Sources(lists={"pairs": tmp_path / "pairs.txt"})
    monkeypatch.setattr("softbio.data.fetching.locate.locate", lambda spec, raw: found)
    files = replace(files, sources=tmp_path / "sources.json")
    with pytest.raises(UserError, match=r"pairs\.txt: 3 of 3 images are not in the data set"):
        score_condition(files, settings, tmp_path / "out", "cpu")


def test_the_own_matcher_learns_from_other_subjects_and_other_weights():
    plan = plan_from({}, "faces", 0)
    own = own_matcher_recipe(plan.matcher)
    assert (own.kind, own.part) == ("matcher", "evaluators")
    assert own.seed != plan.matcher.seed

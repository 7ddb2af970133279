"""One interface: crops, scores, embeddings; and the classifiers trained here."""

import hashlib
from dataclasses import replace

import cv2
import numpy as np
import pandas as pd
import pytest
import torch
from skimage.feature import hog as skimage_hog

from softbio.data.alignment.align import align, load_aligned
from softbio.data.registry import load_registry
from softbio.engine.train import train
from softbio.errors import UserError
from softbio.evaluators.crop import CANVAS, parts
from softbio.evaluators.finders import finders
from softbio.evaluators.hog_linear import fit, hog, open_hog
from softbio.evaluators.interface import (
    GenderClassifier,
    Matcher,
    open_evaluator,
    open_marker,
    open_network,
)
from softbio.evaluators.own import open_cnn, pack_gender, recipe, resized
from softbio.evaluators.registry import Input, Output, WeightFile, load_evaluators
from tests.conftest import ROOT

SPECS = load_evaluators()
FETCHED = ROOT / "resources/evaluators"


def noise(n: int = 2, side: int = 336) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (n, side, side, 3), dtype=np.uint8)


def tensor(images: np.ndarray) -> torch.Tensor:
    return torch.from_numpy(np.array(images)).permute(0, 3, 1, 2).float()


def test_colours_scaling_and_grey():
    seen = []

    def network(x):
        seen.append(x)
        return x.mean((1, 2, 3))

    spec = replace(SPECS["levi_hassner"], crop=CANVAS)
    evaluator = GenderClassifier(spec, network)
    face = np.zeros((1, 336, 336, 3), np.uint8)
    face[...] = 10, 20, 30
    scores = evaluator.scores(face)
    assert scores.shape == (1,)
    means = torch.tensor(spec.input.mean)
    assert torch.allclose(seen[0][0, :, 5, 5], torch.tensor([30.0, 20, 10]) - means, atol=1e-4)
    evaluator.scores(face[..., 0])
    assert torch.allclose(seen[1][0, :, 5, 5], 10 - means, atol=1e-4)
    assert len(evaluator.scores(np.repeat(face, 70, axis=0))) == 70
    with pytest.raises(UserError, match="no face to judge"):
        evaluator.scores(face[:0])
    x = tensor(face).requires_grad_()
    evaluator(x).sum().backward()
    assert x.grad.abs().sum() > 0


def test_similarity_is_higher_for_the_more_similar():
    a = np.array([[1.0, 0], [1, 0], [3, 4]])
    b = np.array([[2.0, 0], [0, 1], [3, 4]])
    cosine = Matcher(SPECS["sface"], None).compare(a, b)
    np.testing.assert_allclose(cosine, [1, 0, 1])
    distance = Matcher(SPECS["dlib_resnet"], None).compare(a, b)
    np.testing.assert_allclose(distance, [-1, -np.sqrt(2), 0])


@pytest.mark.parametrize("name", sorted(SPECS))
def test_missing_and_foreign_weights_are_told_in_one_line(tmp_path, name):
    spec = SPECS[name]
    with pytest.raises(UserError, match=r"is missing; run `snakemake"):
        open_network(spec, tmp_path)
    for path in spec.paths(tmp_path).values():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"[{}]")
    with pytest.raises(UserError, match=r"is not the file that the registry names"):
        open_network(spec, tmp_path)
    # and where the registry itself is wrong
    digest = hashlib.sha256(b"[{}]").hexdigest()
    files = {role: replace(file, sha256=digest) for role, file in spec.files.items()}
    with pytest.raises(UserError, match=r"are not its weights") as error:
        open_network(replace(spec, files=files), tmp_path)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("kind", "shape", "column", "wrong"),
    [
        ("gender", (2,), None, None),
        ("gender", (2, 2), 1, None),
        ("age", (2, 1), 0, None),
        ("matcher", (2, 5), None, None),
        (
            "gender",
            (2, 1),
            None,
            "is of shape (2, 1): one number each is needed; set output.column",
        ),
        ("age", (2, 2), None, "set output.column to the number of the years"),
        ("gender", (2, 2), 2, "has no column 2; correct output.column"),
        ("gender", (1, 2), None, "set output.column to the number of the P(male)"),
        ("matcher", (2, 5), 0, "leave output.column out"),
    ],
)
def test_an_onnx_net_of_another_shape_is_refused_when_it_is_opened(
    tmp_path, monkeypatch, kind, shape, column, wrong
):
    class Net:
        def setInput(self, x: np.ndarray) -> None:
            assert x.shape == (2, 3, 32, 32)

        def forward(self) -> np.ndarray:
            return np.zeros(shape, np.float32)

    monkeypatch.setattr(cv2.dnn, "readNetFromONNX", lambda path: Net())
    meaning = {"gender": "P(male)", "age": "years", "matcher": "cosine"}[kind]
    spec = replace(
        next(each for each in SPECS.values() if each.architecture == "onnx_model"),
        name="own",
        kind=kind,
        package="own",
        version="1",
        files={"weights": WeightFile("own.onnx", hashlib.sha256(b"net").hexdigest())},
        input=Input(32, "rgb", (0.0, 0.0, 0.0), 255),
        output=Output(meaning, column=column),
    )
    path = spec.paths(tmp_path)["weights"]
    path.parent.mkdir(parents=True)
    path.write_bytes(b"net")
    if wrong is None:
        assert open_evaluator(spec, tmp_path).spec == spec
        return
    with pytest.raises(UserError) as error:
        open_evaluator(spec, tmp_path)
    assert wrong in str(error.value)
    assert str(error.value).startswith("evaluator 'own': ")


def test_a_detector_is_no_evaluator_and_aligning_needs_one(tmp_path):
    with pytest.raises(UserError, match="it judges no face"):
        open_evaluator(SPECS["yunet"], tmp_path)
    with pytest.raises(UserError, match="no face detector, see receipt"):
        finders(SPECS, tmp_path)


@pytest.fixture(scope="module")
def faces(tmp_path_factory):
    """Some 260 drawn faces, aligned."""
    folder = tmp_path_factory.mktemp("aligned")
    changes = {"faces": {"options": {"subjects": 260, "images_per_subject": 1}}}
    changes["faces"]["options"]["split"] = {"test": 0.4, "valid": 0.05}
    spec = load_registry(ROOT / "config/datasets.yaml", changes)["faces"]
    align(spec, folder, folder / "raw", side=112)
    return load_aligned(folder)


def above_chance(faces: int) -> float:
    """Three standard errors above the share that a coin tells."""
    return 0.5 + 3 * 0.5 / faces**0.5


def balanced_accuracy(scores: np.ndarray, male: np.ndarray) -> float:
    return ((scores > 0.5)[male].mean() + (scores <= 0.5)[~male].mean()) / 2


def parts_of(faces) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Which rows are for training, for testing, and male."""
    split = faces.index["split"]
    return split == "train", split == "test", (faces.index["gender"] == "male").to_numpy()


def test_hog_is_scikit_images():
    grey = noise(3, 64).mean(-1).round()
    wanted = [skimage_hog(face, 9, (8, 8), (2, 2), block_norm="L2-Hys") for face in grey]
    np.testing.assert_allclose(hog(grey), wanted, atol=1e-6)  # its sums are single


def test_hog_learns_the_gender_of_drawn_faces(faces, tmp_path):
    training, test, male = parts_of(faces)
    images = np.asarray(faces.images)
    fit(images[training], male[training], tmp_path / "hog.npz")
    scores = open_hog(tmp_path / "hog.npz").scores(images[test])
    assert balanced_accuracy(scores, male[test]) > above_chance(test.sum())
    assert open_hog(tmp_path / "hog.npz").scores(images[test].mean(-1).astype(np.uint8)).shape
    with pytest.raises(UserError, match="faces of both genders"):
        fit(images[:3], np.ones(3, bool), tmp_path / "none.npz")
    (tmp_path / "none.npz").write_bytes(b"PK")
    with pytest.raises(UserError, match="no HOG classifier"):
        open_hog(tmp_path / "none.npz")


def test_the_own_cnn_goes_through_the_one_loop(faces, tmp_path):
    _, test, male = parts_of(faces)
    images = np.asarray(faces.images)
    pack_gender(images, faces.index, tmp_path / "packed", size=28)
    small = replace(recipe("faces", seed=0), size=28, crop=24, epochs=12, batch=14)
    train(small, tmp_path / "packed", tmp_path / "run", "cpu")
    scores = open_cnn(tmp_path / "run/model.safetensors").scores(images[test])
    assert balanced_accuracy(scores, male[test]) > above_chance(test.sum())


def test_faces_are_packed_one_batch_after_the_other(tmp_path):
    """Without all of them in memory; the file is the one that NumPy writes of the whole."""
    images, genders = noise(21, 40), ["male", "female", None] * 7
    index = pd.DataFrame({"image": [f"{n}" for n in range(21)], "split": "train"})
    index = index.assign(gender=genders, race=None, subject=None)
    pack_gender(images, index, tmp_path / "packed", size=20)
    known = images[[gender is not None for gender in genders]]
    # OpenCV is another witness of the pixels: `test_a_crop_is_opencvs_inter_area`
    wanted = np.concatenate([resized(part, 20, CANVAS) for part in parts(known)])
    np.save(tmp_path / "whole.npy", wanted)
    assert (tmp_path / "packed/images.npy").read_bytes() == (tmp_path / "whole.npy").read_bytes()


def test_one_gender_alone_can_not_be_learnt(tmp_path):
    index = pd.DataFrame({"image": ["a", "b"], "split": "train", "gender": ["male", None]})
    index = index.assign(race=None, subject=None)
    with pytest.raises(UserError, match="does not show both genders"):
        pack_gender(noise(2, 40), index, tmp_path, size=20)


@pytest.mark.parametrize("name", sorted(n for n in SPECS if SPECS[n].kind != "detector"))
def test_fetched_weights_answer(name, faces):
    """A smoke test; `make evaluators-check` compares with what is expected."""
    spec = SPECS[name]
    if not all(path.is_file() for path in spec.paths(FETCHED).values()):
        pytest.skip("weights are not fetched: snakemake --cores 1 evaluators")
    images = np.asarray(faces.images[:2])
    if spec.kind == "landmarks":
        marks = open_marker(spec, FETCHED)(images[0])
        assert marks.shape == (68, 2)
        assert ((marks > -20) & (marks < 132)).all()
        return
    evaluator = open_evaluator(spec, FETCHED)
    if spec.architecture != "onnx_model":
        x = tensor(images).requires_grad_()
        evaluator(x).sum().backward()
        assert x.grad.abs().sum() > 0, "no gradient: it cannot stand in a training loss"
    if spec.kind == "gender":
        scores = evaluator.scores(images)
        assert scores.shape == (2,)
        assert ((scores >= 0) & (scores <= 1)).all()
        return
    if spec.kind == "age":
        years = evaluator(tensor(images))
        assert years.shape == (2,)
        assert ((years > 0) & (years < 100)).all()
        return
    embedded = evaluator.embed(images)
    assert np.isfinite(embedded).all()
    same, other = evaluator.compare(embedded[[0, 0]], embedded)
    assert same > other


@pytest.mark.parametrize("shape", [(1, 1, 3), (1, 3000, 3), (3000, 2, 3), (40, 40, 3)])
def test_the_detector_takes_any_image(shape):
    if not all(path.is_file() for path in SPECS["yunet"].paths(FETCHED).values()):
        pytest.skip("weights are not fetched: snakemake --cores 1 evaluators")
    assert open_network(SPECS["yunet"], FETCHED)(np.zeros(shape, np.uint8)) is None

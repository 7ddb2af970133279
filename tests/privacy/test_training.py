"""A small SAN from end to end: what it learns, whom its gradients reach, and how it is killed."""

import json
import os
import re
import signal
import time
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import torch

from softbio.data.packed import load_packed
from softbio.errors import UserError
from softbio.privacy import protectors
from softbio.privacy import train_san as training
from softbio.privacy.attributes import attributes_of
from softbio.privacy.auxiliaries import SmallMatcher
from softbio.privacy.faces import GreyFaces
from softbio.privacy.privacynet import PrivacyNet
from softbio.privacy.privacynet_recipe import privacynet_recipe
from softbio.privacy.protect import load_means, protect_parts, protected
from softbio.privacy.protectors import get_protector, names
from softbio.privacy.prototypes import prototype_source, read_prototypes
from softbio.privacy.recipe import AuxiliaryRecipe, san_recipe
from softbio.privacy.san import build_san
from softbio.privacy.train_auxiliaries import targets, train_auxiliary
from softbio.privacy.train_san import (
    SanLine,
    SanTask,
    load_judges,
    optimizer_of,
    stage_after,
    train_san,
)
from softbio.privacy.weights import save_network
from softbio.stopping import Stopped
from tests.conftest import ROOT
from tests.privacy.conftest import SIZE

CPU = torch.device("cpu")
RECIPE = san_recipe(
    *("drawn64", "faces", 0),
    **{
        "size": SIZE,
        "prototype": "warped",
        "pretrain_epochs": 6,
        "pretrain_psnr": 40.0,
        "epochs": 12,
        "batch": 8,
        "rate": 4e-3,
        "gender_weight": 2.0,
        "matching_weight": 1.0,
    },
)


def train(trained, folder, recipe=RECIPE, matcher=None):
    train_san(
        recipe,
        *(trained.path(name) for name in ("packed", "parts.csv", "prototypes.npz")),
        trained.path("gender/network.safetensors"),
        matcher or trained.path("matcher/network.safetensors"),
        folder,
        device="cpu",
        pairs=trained.path("warped.npy") if recipe.prototype == "warped" else None,
    )


def means_of(home, san=None, generator=None):
    pairs = home.path("warped.npy") if san else None
    return load_means(
        *(home.path("packed"), home.path("parts.csv"), 3, "cpu"),
        classifier=home.path("gender/network.safetensors"),
        san=san,
        prototypes=home.path("prototypes.npz"),
        pairs=pairs,
        members=[san] * 3 if san else [],
        generator=generator,
    )


@pytest.fixture(scope="module")
def san(trained, tmp_path_factory):
    """The folder of a trained network."""
    folder = tmp_path_factory.mktemp("san")
    torch.set_num_threads(1)
    train(trained, folder)
    return folder


@pytest.fixture(scope="module")
def generator(trained, tmp_path_factory):
    """The file of a PrivacyNet that nobody has trained."""
    known = attributes_of(trained.packed, trained.parts == "san")
    recipe = privacynet_recipe("drawn64", "faces", 0, size=SIZE, attributes=known)
    path = tmp_path_factory.mktemp("privacynet") / "network.safetensors"
    save_network(path, recipe, PrivacyNet(recipe))
    return path


def error_of(means, name, mode) -> float:
    """Share of the test faces whose gender the auxiliary classifier misses."""
    rows = np.flatnonzero(means.parts == "test")
    protect = get_protector(name).prepare(mode, means)
    with torch.no_grad():
        told = [means.classifier(faces).argmax(1) for faces in protected(protect, means, rows)]
    return float((torch.cat(told) != means.faces.gender[rows]).float().mean())


def test_j_d_falls_and_the_opposite_prototype_misleads(trained, san):
    history = pd.read_csv(san / "history.csv")
    assert list(history["stage"]) == ["pretraining"] * 6 + ["adversarial"] * 12
    assert history["j_d"].iloc[5] < 0.6 * history["j_d"].iloc[0]
    assert history["j_g"].iloc[:6].isna().all()
    assert history["j_g"].iloc[-1] < history["j_g"].iloc[6]
    means = means_of(trained, san / "network.safetensors")
    original = error_of(means, "none", "original")
    sm, nt, op = (error_of(means, "san", mode) for mode in ("sm", "nt", "op"))
    assert original < 0.3
    assert op > original + 0.2
    assert sm <= nt <= op


def test_run_record(san):
    run = json.loads((san / "run.json").read_text())
    assert run["epochs"] == 18
    assert run["recipe"]["shape"] == "px64"
    assert run["parameters"] == 9_304
    assert not (san / "resume.pt").exists()


def task_with_judges(trained, recipe):
    torch.manual_seed(0)
    judges = load_judges(
        *(trained.path(f"{kind}/network.safetensors") for kind in ("gender", "matcher")),
        *(SIZE, CPU),
    )
    network = build_san(recipe.shape)
    packed = load_packed(trained.path("packed"))
    source = prototype_source(read_prototypes(trained.path("prototypes.npz")), None, "mean", CPU)
    optimizer = optimizer_of(network, recipe)
    rows = torch.from_numpy(np.flatnonzero(trained.parts == "san"))
    return SanTask(recipe, network, optimizer, judges, GreyFaces(packed, CPU), source, rows)


@pytest.mark.parametrize("matching", ["sm", "sm_and_op"])
def test_gradients_reach_the_autoencoder_and_not_its_judges(trained, matching):
    recipe = replace(RECIPE, pretrain_epochs=0, pixel_weight=0.0, matching=matching)
    work = task_with_judges(trained, recipe)
    judges = [work.judges.classifier, work.judges.matcher]
    before = [{k: v.clone() for k, v in judge.state_dict().items()} for judge in judges]
    work.begin([])
    values = work.step(work.rows[:8], torch.rand(8, 3))
    assert values.isfinite().all()
    for weight in work.network.parameters():
        assert weight.grad is not None
        assert weight.grad.abs().sum() > 0
    for judge, kept in zip(judges, before, strict=True):
        assert all(weight.grad is None for weight in judge.parameters())
        # nor do the statistics of batch norm move
        for name, tensor in judge.state_dict().items():
            assert torch.equal(tensor, kept[name])


def test_each_term_reaches_the_autoencoder_by_itself(trained):
    for weights in ((1.0, 0.0), (0.0, 1.0)):
        names = dict(zip(("gender_weight", "matching_weight"), weights, strict=True))
        recipe = replace(RECIPE, pretrain_epochs=0, pixel_weight=0.0, **names)
        work = task_with_judges(trained, recipe)
        work.begin([])
        work.step(work.rows[:8], torch.rand(8, 3))
        assert work.network.autoencoder[0].weight.grad.abs().sum() > 0


def test_mirroring_takes_the_prototypes_along(trained):
    work = task_with_judges(trained, RECIPE)
    rows = work.rows[:2]
    plain = work.batch(rows, torch.ones(2, 3))
    both = work.batch(rows, torch.tensor([[0.0, 0, 0], [1.0, 0, 0]]))
    for one, other in zip((plain[0], *plain[1]), (both[0], *both[1]), strict=True):
        assert torch.equal(other[0], one[0].flip(2))
        assert torch.equal(other[1], one[1])


def line(stage: str, psnr: float) -> SanLine:
    return SanLine(1, stage, 0.0, 0.0, None, None, psnr, None, None, 1.0, 1.0, 1e-3)


def test_stages():
    recipe = replace(RECIPE, pretrain_epochs=3, pretrain_psnr=25.0, epochs=1)
    low, high, second = line("pretraining", 20), line("pretraining", 26), line("adversarial", 20)
    assert stage_after([], recipe) == "pretraining"
    assert stage_after([low, low], recipe) == "pretraining"
    assert stage_after([low, high], recipe) == "adversarial"
    assert stage_after([low, low, low], recipe) == "adversarial"
    assert stage_after([low, high, second], recipe) == "done"
    assert stage_after([], replace(recipe, pretrain_epochs=0)) == "adversarial"
    assert stage_after([high], replace(recipe, epochs=0)) == "done"


def test_the_combiner_has_a_rate_of_its_own_in_the_adversarial_stage(trained):
    """Adam's first step moves a weight by its rate, whatever the gradient's size."""
    recipe = replace(RECIPE, pretrain_epochs=1, rate=1e-3, pretrain_rate=2e-3, combiner_rate=5.0)
    for history, rates in (([], (2e-3, 2e-3)), ([line("pretraining", 20)], (1e-3, 5e-3))):
        work = task_with_judges(trained, recipe)
        places = [work.network.autoencoder[9].weight, work.network.protocombiner[0].weight]
        before = [place.detach().clone() for place in places]
        work.begin(history)
        work.step(work.rows[:8], torch.rand(8, 3))
        for place, kept, rate in zip(places, before, rates, strict=True):
            assert (place - kept).abs().median().item() == pytest.approx(rate, rel=0.02)


def test_matching_waits_where_the_recipe_says_so(trained):
    work = task_with_judges(trained, replace(RECIPE, pretrain_epochs=0, matching_from=1))
    work.enter([])
    assert work.matching_weight == 0
    work.enter([line("adversarial", 20)])
    assert work.matching_weight == RECIPE.matching_weight


# 15 batches an epoch
@pytest.mark.parametrize("nth", [3, 15, 16, 22])
def test_asked_to_end_it_goes_on_bit_for_bit(trained, san, tmp_path, monkeypatch, nth):
    """In pre-training and in the adversarial stage, within an epoch and between both."""
    short = replace(RECIPE, pretrain_epochs=1, epochs=1)
    train(trained, tmp_path / "whole", short)
    step, calls = SanTask.step, []

    def signalled(self, rows, draws):
        calls.append(1)
        if len(calls) == nth:
            os.kill(os.getpid(), signal.SIGTERM)
            time.sleep(0.2)
        return step(self, rows, draws)

    monkeypatch.setattr(training.SanTask, "step", signalled)
    with pytest.raises(Stopped):
        train(trained, tmp_path / "cut", short)
    assert (tmp_path / "cut/resume.pt").exists()
    train(trained, tmp_path / "cut", short)
    files = [tmp_path / name / "network.safetensors" for name in ("whole", "cut")]
    assert files[0].read_bytes() == files[1].read_bytes()
    stages = pd.read_csv(tmp_path / "cut/history.csv")["stage"]
    assert list(stages) == ["pretraining", "adversarial"]
    assert len(json.loads((tmp_path / "cut/run.json").read_text())["resumed_at"]) == 1


def test_killed_between_two_saves_it_goes_on_after_the_first(trained, tmp_path, monkeypatch):
    """Without a signal there is no state but that after the last finished epoch."""
    short = replace(RECIPE, pretrain_epochs=1, epochs=1)
    train(trained, tmp_path / "whole", short)
    step, calls = SanTask.step, []

    def dying(self, rows, draws):
        calls.append(1)
        if len(calls) == 20:
            raise KeyboardInterrupt
        return step(self, rows, draws)

    monkeypatch.setattr(training.SanTask, "step", dying)
    with pytest.raises(KeyboardInterrupt):
        train(trained, tmp_path / "cut", short)
    train(trained, tmp_path / "cut", short)
    files = [tmp_path / name / "network.safetensors" for name in ("whole", "cut")]
    assert files[0].read_bytes() == files[1].read_bytes()
    assert json.loads((tmp_path / "cut/run.json").read_text())["resumed_at"] == [1]


def test_loss_that_is_not_finite_is_told(trained, tmp_path):
    with pytest.raises(UserError, match="loss is nan in epoch 1, batch"):
        train(trained, tmp_path, replace(RECIPE, pretrain_rate=1e30))


def test_any_module_can_be_the_matcher(trained, tmp_path):
    short = replace(RECIPE, pretrain_epochs=0, epochs=1, prototype="global")
    train(trained, tmp_path, short, SmallMatcher(8))
    assert pd.read_csv(tmp_path / "history.csv")["j_m"].iloc[0] > 0


def test_what_does_not_belong_together_is_refused(trained, tmp_path):
    with pytest.raises(UserError, match="images of 32 px"):
        train(trained, tmp_path, replace(RECIPE, size=64))
    with pytest.raises(UserError, match="give the gender classifier"):
        load_judges(*[trained.path("matcher/network.safetensors")] * 2, SIZE, CPU)


def test_auxiliaries_learn(trained):
    for kind in ("gender", "matcher"):
        history = pd.read_csv(trained.path(f"{kind}/history.csv"))
        assert history["loss"].iloc[-1] < 0.8 * history["loss"].iloc[0]


def test_auxiliaries_see_their_part_alone(trained):
    parts, packed = trained.parts, trained.packed
    for kind in ("gender", "matcher"):
        rows, classes = targets(AuxiliaryRecipe(kind, "faces", 0, SIZE), packed, parts)
        assert (parts[rows] == "san").all()
        assert classes[rows].min() == 0
    # subjects of one image say nothing to a matcher
    counts = packed.index["subject"].value_counts()
    assert counts[packed.index["subject"].iloc[rows]].min() > 1
    assert len(np.unique(classes[rows])) == classes.max() + 1


def test_auxiliary_is_the_same_each_time(trained, tmp_path):
    recipe = AuxiliaryRecipe("gender", "faces", 1, SIZE, epochs=1, width=4, shift=2)
    for name in ("a", "b"):
        paths = (trained.path("packed"), trained.path("parts.csv"), tmp_path / name)
        train_auxiliary(recipe, *paths, device="cpu")
    files = [(tmp_path / name / "network.safetensors").read_bytes() for name in ("a", "b")]
    assert files[0] == files[1]


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
    moved = of("gradient_sign", "eps8")
    assert (moved - plain).abs().max() <= 8 / 255 + 1e-6
    assert error_of(means, "gradient_sign", "eps8") > error_of(means, "none", "original") + 0.2


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

"""A small SAN from end to end: what it learns, whom its gradients reach, and how it is killed."""

import json
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch

from softbio.data.packed import load_packed
from softbio.engine.loop import Loop
from softbio.engine.stopping import Stopped
from softbio.errors import UserError
from softbio.privacy.faces import GreyFaces
from softbio.privacy.models.auxiliaries import SmallMatcher
from softbio.privacy.models.san import build_san
from softbio.privacy.prototype_source import prototype_source
from softbio.privacy.prototypes import read_prototypes
from softbio.privacy.recipe import AuxiliaryRecipe
from softbio.privacy.training import san_task as training
from softbio.privacy.training.originals import embed
from softbio.privacy.training.san_task import SanLine, SanTask, optimizer_of, stage_after
from softbio.privacy.training.train_auxiliaries import targets, train_auxiliary
from softbio.privacy.training.train_san import load_judges
from tests.privacy.sans import RECIPE, SIZE, error_of, means_of, train
from tests.processes import signal_self

CPU = torch.device("cpu")


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
    faces = GreyFaces(packed, CPU)
    originals = embed(judges.matcher, faces, rows)
    return SanTask(recipe, network, optimizer, judges, faces, source, rows, originals)


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
            signal_self()
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


def test_it_does_not_go_on_with_other_pixels_of_the_same_index(drawn, tmp_path, monkeypatch):
    recipe = AuxiliaryRecipe("gender", "faces", 0, SIZE, width=8, epochs=2, batch=8)
    packed = Path(shutil.copytree(drawn.path("packed"), tmp_path / "packed"))
    ways = (packed, drawn.path("parts.csv"), tmp_path / "gender")
    next_epoch = Loop.next_epoch

    def dying(loop):
        next_epoch(loop)
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(Loop, "next_epoch", dying)
        with pytest.raises(KeyboardInterrupt):
            train_auxiliary(recipe, *ways, device="cpu")
    np.save(packed / "images.npy", 255 - np.load(packed / "images.npy"))
    train_auxiliary(recipe, *ways, device="cpu")
    run = json.loads((tmp_path / "gender/run.json").read_text())
    assert run["resumed_at"] == []
    assert (tmp_path / "gender/resume.rejected").exists()
    assert [each["threads"] for each in run["processes"]] == [1]
    assert run["deterministic"] is True


def test_loss_that_is_not_finite_is_told(trained, tmp_path):
    with pytest.raises(UserError, match="loss is nan in epoch 1, batch"):
        train(trained, tmp_path, replace(RECIPE, pretrain_rate=1e30))


@pytest.mark.parametrize(("nth", "asked"), [(15, False), (30, False), (7, True), (22, True)])
def test_a_weight_that_is_not_finite_is_told_and_not_saved(
    trained, tmp_path, monkeypatch, nth, asked
):
    """Losses are computed before the step that spoils a weight: of the last step of an epoch, of
    training and before a signal none has seen it."""
    short, step, calls = replace(RECIPE, pretrain_epochs=1, epochs=1), SanTask.step, []

    def spoiled(self, rows, draws):
        values = step(self, rows, draws)
        calls.append(1)
        if len(calls) == nth:
            with torch.no_grad():
                self.network.autoencoder[0].bias[0] = float("nan")
            if asked:
                signal_self()
        return values

    monkeypatch.setattr(training.SanTask, "step", spoiled)
    with pytest.raises(UserError, match=r"autoencoder\.0\.bias is not finite in epoch"):
        train(trained, tmp_path, short)
    assert not (tmp_path / "network.safetensors").exists()
    assert (tmp_path / "resume.pt").exists() == (nth > 15)


def test_any_module_can_be_the_matcher(trained, tmp_path):
    short = replace(RECIPE, pretrain_epochs=0, epochs=1, prototype="global")
    train(trained, tmp_path, short, SmallMatcher(8))
    assert pd.read_csv(tmp_path / "history.csv")["j_m"].iloc[0] > 0


def test_what_does_not_belong_together_is_refused(trained, tmp_path):
    with pytest.raises(UserError, match="images of 32 px"):
        train(trained, tmp_path, replace(RECIPE, size=64))
    with pytest.raises(UserError, match="give the gender classifier"):
        load_judges(*[trained.path("matcher/network.safetensors")] * 2, SIZE, CPU)


@pytest.mark.parametrize("kind", ["gender", "matcher"])
def test_auxiliaries_learn(trained, tmp_path, kind):
    # longer than those of the fixture, whose loss depends on how a processor rounds
    recipe = AuxiliaryRecipe(
        *(kind, "faces", 0, SIZE), width=8, epochs=36, batch=8, learning_rate=2e-3
    )
    paths = (trained.path("packed"), trained.path("parts.csv"), tmp_path)
    train_auxiliary(recipe, *paths, device="cpu")
    history = pd.read_csv(tmp_path / "history.csv")
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

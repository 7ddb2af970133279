"""What a cluster is asked for."""

import subprocess
import sys
from dataclasses import replace

import pytest
import torch
from torch.utils.flop_counter import FlopCounterMode

from softbio.backbones import BACKBONES
from softbio.backbones.networks import build_backbone, gmac
from softbio.engine.recipe import Recipe
from softbio.plan.cost import (
    NETWORKS,
    autoencoder_gmac,
    auxiliary_cost,
    auxiliary_gmac,
    discriminator_gmac,
    generator_gmac,
    gpu_here,
    growth,
    prediction_cost,
    privacynet_cost,
    san_cost,
    training_cost,
)
from softbio.plan.judging_cost import (
    attacking_cost,
    hog_cost,
    parts_of,
    passing_cost,
    scoring_cost,
    warping_cost,
)
from softbio.privacy import PARTS
from softbio.privacy.family import DIVERSITIES, member_plan, stage_plan
from softbio.privacy.models.privacynet import Discriminator, Generator
from softbio.privacy.models.san import build_san
from softbio.privacy.models.weights import build_network
from softbio.privacy.plan_recipe import plan_from
from softbio.privacy.privacynet_recipe import SHAPES as GANS
from softbio.privacy.privacynet_recipe import VARIANTS, privacynet_recipe
from softbio.privacy.recipe import SHAPES, AuxiliaryRecipe

RECIPE = Recipe("utkface", "resnet34", "coral", "", 0, 128, 120, 200, 256, 0.0005)


def test_every_backbone_of_ours_has_its_cost():
    assert set(NETWORKS) == set(BACKBONES)


@pytest.mark.parametrize("name", ["small8", "small16", "small32", "resnet34", "inception_v3"])
def test_costs_are_those_of_the_networks(name):
    stated = NETWORKS[name]
    network, _ = build_backbone(name, stated.side)
    assert gmac(network, stated.side) == pytest.approx(stated.gmac, rel=0.05)
    parameters = sum(parameter.numel() for parameter in network.parameters())
    assert parameters / 1e6 == pytest.approx(stated.parameters, rel=0.1)


def test_the_published_run_fits_in_what_it_asks_for():
    """UTKFace: 200 epochs of 13,147 images at the authors' slowest 480 images/s take 91 minutes."""
    cost = training_cost(RECIPE, 16_434, gpu=True)
    assert 91 < cost.minutes < 6 * 60
    assert 16_434 * 128 * 128 * 3 / 1e6 < cost.memory_mb < 8000
    assert cost.gpus == 1


def test_a_cpu_run_asks_for_no_gpu_and_for_its_activations():
    small = training_cost(replace(RECIPE, batch=32), 16_434, gpu=False)
    large = training_cost(RECIPE, 16_434, gpu=False)
    assert small.gpus == 0
    assert large.memory_mb - small.memory_mb == pytest.approx(2 * 224 * 9.6, abs=200)


def test_time_grows_with_epochs_images_and_pixels():
    base = training_cost(RECIPE, 10_000, gpu=True).minutes - 10
    assert training_cost(RECIPE, 20_000, gpu=True).minutes - 10 == pytest.approx(2 * base, abs=2)
    longer = replace(RECIPE, epochs=400)
    assert training_cost(longer, 10_000, gpu=True).minutes - 10 == pytest.approx(2 * base, abs=2)
    wider = replace(RECIPE, size=260, crop=240)
    assert training_cost(wider, 10_000, gpu=True).minutes - 10 == pytest.approx(4 * base, abs=4)


def test_predicting_is_short_and_an_unknown_backbone_is_taken_for_a_large_one():
    other = replace(RECIPE, backbone="convnext_tiny")
    assert prediction_cost(RECIPE, 16_434, gpu=True).minutes < 15
    assert training_cost(other, 1000, gpu=True).minutes > training_cost(RECIPE, 1000, True).minutes


def test_a_run_cut_off_twenty_times_does_not_ask_for_twenty_times_the_memory():
    assert [growth(attempt) for attempt in (1, 2, 3, 4, 21)] == [1, 2, 3, 3, 3]


def test_a_gpu_is_seen_by_its_device_file_unless_hidden(tmp_path, monkeypatch):
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    (tmp_path / "nvidiactl").touch()
    assert not gpu_here(tmp_path)
    (tmp_path / "nvidia0").touch()
    assert gpu_here(tmp_path)
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
    assert not gpu_here(tmp_path)


def test_the_cost_model_needs_no_torch():
    program = "import sys, softbio.plan.cost; print('torch' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert done.stdout.strip() == "False", done.stderr


def multiply_adds(work) -> float:
    with torch.no_grad(), FlopCounterMode(display=False) as counter:
        work()
    return counter.get_total_flops() / 2e9


@pytest.mark.parametrize(("shape", "size"), [("published", 224), ("px112", 112), ("px64", 64)])
def test_a_sans_cost_is_that_of_its_layers(shape, size):
    network, prototype = build_san(shape), torch.zeros(1, 3, size, size)
    face = torch.zeros(1, 1, size, size)
    counted = multiply_adds(lambda: network.combined(network.features(face, prototype), prototype))
    assert autoencoder_gmac(shape, size) == pytest.approx(counted, rel=1e-6)
    assert set(SHAPES) == {"published", "px112", "px64"}


@pytest.mark.parametrize("variant", list(VARIANTS))
def test_a_privacynets_cost_is_that_of_its_layers(variant):
    recipe = privacynet_recipe(variant, "faces", 0)
    with torch.device("meta"):
        generator = Generator(GANS[recipe.shape], 7)
        critic = Discriminator(GANS[recipe.shape], recipe.size, 7)
        face, labels = torch.zeros(1, 1, recipe.size, recipe.size), torch.zeros(1, 7)
        counted = (
            multiply_adds(lambda: generator(face, labels)),
            multiply_adds(lambda: critic(face)),
        )
    assert generator_gmac(recipe) == pytest.approx(counted[0], rel=1e-6)
    # its heads are left out
    assert discriminator_gmac(recipe) == pytest.approx(counted[1], rel=0.03)


def test_a_privacynet_asks_for_what_it_takes():
    small = privacynet_recipe("drawn64", "faces", 0)
    matcher = plan_from({"variant": "drawn64"}, "faces", 0).matcher
    assert privacynet_cost(small, matcher, 2_000, gpu=False).minutes < 60
    large = privacynet_recipe("published", "celeba", 0)
    assert 200 < privacynet_cost(large, matcher, 200_000, gpu=True).minutes < 48 * 60
    slow = privacynet_cost(replace(small, batch=256), matcher, 2_000, gpu=False)
    assert slow.memory_mb > privacynet_cost(small, matcher, 2_000, gpu=False).memory_mb


@pytest.mark.parametrize("kind", ["gender", "matcher"])
@pytest.mark.parametrize(("width", "size"), [(32, 224), (16, 64)])
def test_an_auxiliarys_cost_is_that_of_its_layers(kind, width, size):
    recipe = AuxiliaryRecipe(kind, "faces", 0, size, width=width)
    network = build_network(recipe).eval()
    counted = multiply_adds(lambda: network(torch.zeros(1, 1, size, size)))
    # the last matrix products are left out
    assert auxiliary_gmac(recipe) == pytest.approx(counted, rel=0.02)


def test_hiding_asks_for_what_it_takes():
    talk = plan_from({"variant": "talk"}, "celeba", 0)
    # design.md's sources: 157,000 faces, 20 epochs at 224 px took the authors' kind of GPU hours
    assert 60 < san_cost(talk, 157_000, gpu=True).minutes < 24 * 60
    small = plan_from({"variant": "drawn64"}, "faces", 0)
    assert san_cost(small, 2_000, gpu=False).minutes < 60
    assert auxiliary_cost(small.gender, 2_000, gpu=False).gpus == 0
    # a fifth stage passes four networks more; what an ensemble repeats takes its time
    plans = [stage_plan({"variant": "talk"}, "celeba", 0, stage) for stage in (1, 5)]
    first, fifth = (san_cost(plan, 157_000, gpu=True).minutes for plan in plans)
    assert first < fifth < 2 * first
    talk = [member_plan({"variant": "talk"}, "celeba", 0, how, 1).gender for how in DIVERSITIES]
    minutes = [auxiliary_cost(recipe, 157_000, gpu=True).minutes for recipe in talk]
    assert minutes[0] < minutes[1] < minutes[2]


# images of CelebA and of LFW's View 2
CELEBA_TO_LFW = parts_of((202_599, 7_701))


def test_the_parts_of_a_population_are_all_of_it():
    assert sum(parts_of((1000,)).values()) == pytest.approx(1000)
    assert list(CELEBA_TO_LFW) == list(PARTS)
    assert CELEBA_TO_LFW["test"] == 7_701
    assert sum(CELEBA_TO_LFW.values()) == pytest.approx(202_599 + 7_701)
    assert CELEBA_TO_LFW["attacker"] == pytest.approx(50_650, abs=1)


@pytest.mark.parametrize("gpu", [True, False])
def test_judging_fits_into_a_day(gpu):
    """What a partition commonly allows, for the largest population of the configs at 112 px."""
    test, both = (sum(CELEBA_TO_LFW[part] for part in parts) for parts in (PARTS[3:], PARTS[2:]))
    plan = plan_from({"variant": "faces112"}, "celeba", 0)
    gmac = autoencoder_gmac(plan.san.shape, plan.san.size)
    costs = [
        scoring_cost(test, 112, 7, gpu),
        passing_cost(both, 112, 5 * gmac, gpu),
        attacking_cost(both, 112, 3, gpu),
    ]
    assert all(10 < cost.minutes < 24 * 60 for cost in costs)
    assert {cost.gpus for cost in costs} == {int(gpu)}
    # who judges sees the test faces alone, each of them
    assert scoring_cost(2 * test, 112, 7, gpu).minutes > 1.8 * costs[0].minutes
    few, many = (scoring_cost(2_000, 64, judges, gpu) for judges in (1, 7))
    assert few.minutes < many.minutes < 90


def test_warping_prototypes_to_the_talks_faces_is_not_cut_off():
    """23 ms a face of 224 px: 81 minutes in one process."""
    asked = warping_cost(202_599 + 7_701, 224)
    assert 1.5 * 81 < asked.minutes < 24 * 60
    assert asked.gpus == 0
    # a quarter of the pixels
    quarter = warping_cost(202_599 + 7_701, 112).minutes - 10
    assert asked.minutes - 10 == pytest.approx(4 * quarter, abs=4)


def test_attackers_have_room_for_what_they_hold():
    """Clean and protected, and against a SAN all three modes, of which one learns at once."""
    attacker, test = CELEBA_TO_LFW["attacker"], CELEBA_TO_LFW["test"]
    for size, modes, held in ((112, 1, 4), (112, 3, 7), (224, 3, 7)):
        asked = attacking_cost(attacker + test, size, modes, gpu=True)
        assert asked.memory_mb > 4_500 + held * attacker * size**2 / 1e6
    small = attacking_cost(752, 64, 3, gpu=False)
    assert small.memory_mb < 4_000
    assert hog_cost(attacker, 112).memory_mb > 1_500 + attacker * (112**2 + 1_764 * 4 * 2) / 1e6
    assert hog_cost(attacker, 112).gpus == 0

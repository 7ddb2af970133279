"""What a run costs: the minutes, memory and GPUs to ask a cluster for.

Pure arithmetic without torch, for the workflow's `resources`. The estimates are generous: a job
that asked for too much waits a little longer, one that asked for too little is cut off and has to
go on in a second job.
"""

import math
import os
from dataclasses import dataclass, replace
from pathlib import Path

from softbio.engine.recipe import Recipe
from softbio.privacy.plan_recipe import Plan
from softbio.privacy.privacynet_recipe import SHAPES as GANS
from softbio.privacy.privacynet_recipe import PrivacyNetRecipe
from softbio.privacy.recipe import SHAPES, AuxiliaryRecipe


@dataclass(frozen=True)
class Network:
    """What one image costs in a backbone.

    gmac: 10^9 multiply-adds forward, at `side` px; parameters: in millions, without the head;
    activations_mb: kept for the backward pass in fp32, at `side` px. The first and the last grow
    with the number of pixels.
    """

    side: int
    gmac: float
    parameters: float
    activations_mb: float


# Measured with softbio.backbones.networks.gmac, by counting the parameters, and by the sizes of the
# tensors that autograd saves (torch 2.13).
NETWORKS = {
    "small8": Network(32, 0.0011, 0.06, 0.11),
    "small16": Network(44, 0.0071, 0.25, 0.37),
    "small32": Network(44, 0.028, 0.98, 0.73),
    "resnet34": Network(120, 1.13, 21.3, 9.6),
    "resnet34_journal": Network(120, 1.13, 21.3, 9.6),
    "vgg": Network(120, 5.57, 55.7, 22.4),
    "vgg16": Network(120, 4.39, 50.4, 20.9),
    "inception_v3": Network(299, 5.71, 25.1, 98.4),
    "resnet18": Network(120, 0.553, 11.2, 6.5),
    "resnet50": Network(120, 1.26, 23.5, 25.6),
    "resnet101": Network(120, 2.47, 42.5, 39.2),
}
# Any other torchvision classifier is taken for one as large as ResNet-101.
OTHER = Network(120, 2.47, 42.5, 39.1)

# 10^9 multiply-adds a second in training. One core of a busy 2-core machine: 17 (small8) to 59
# (inception_v3), measured. GPU: the authors' logs of 2019 show 480 to 1,070 images/s of ResNet-34
# at 120 px, 775 in the middle; SAFETY covers the slowest of them, and later GPUs are faster.
RATE = {"cpu": 17.0, "gpu": 2600.0}
BACKWARD = 3  # forward and backward together cost about three times the forward pass
SAFETY = 2  # slower machines, full file systems
START_MINUTES = 10  # two starts of Snakemake and one of torch, from a cold file system
# Python, torch and Snakemake take 0.7 GB; the CUDA libraries are given 3 GB more, an allowance.
BASE_MB = {"cpu": 1500, "gpu": 4500}
# Weights, gradients, Adam's two moments, the best epoch, and two copies while the state is saved.
COPIES = 7
# How often a classifier of an ensemble sees its faces. For e3 it depends on the groups that are
# balanced: at most four times on our data sets.
REPEATED = {"e1": 1.0, "e2": 2.0, "e3": 4.0}
# A run that is cut off again and again must not keep asking for more.
MOST_GROWTH = 3


@dataclass(frozen=True)
class Cost:
    """What to ask for: minutes of wall clock, memory_mb of the machine (not of the GPU), gpus."""

    minutes: int
    memory_mb: int
    gpus: int


def training_cost(recipe: Recipe, images: int, gpu: bool) -> Cost:
    """Cost of training a recipe on a data set of `images` images, on one GPU or one CPU core."""
    return _cost(recipe, images, gpu, passes=BACKWARD * recipe.epochs)


def prediction_cost(recipe: Recipe, images: int, gpu: bool) -> Cost:
    """Cost of predicting at most all images, with the last and with the best epoch."""
    return _cost(recipe, images, gpu, passes=2)


def training_hours(recipe: Recipe, images: int) -> float:
    """GPU hours that a recipe would have taken on the authors' GPUs, without any allowance."""
    return _seconds(recipe, images, "gpu", BACKWARD * recipe.epochs) / 3600


def _seconds(recipe: Recipe, images: int, place: str, passes: int) -> float:
    network = NETWORKS.get(recipe.backbone, OTHER)
    pixels = (recipe.crop / network.side) ** 2
    return passes * images * network.gmac * pixels / RATE[place]


def _cost(recipe: Recipe, images: int, gpu: bool, passes: int) -> Cost:
    place = "gpu" if gpu else "cpu"
    network = NETWORKS.get(recipe.backbone, OTHER)
    pixels = (recipe.crop / network.side) ** 2
    seconds = _seconds(recipe, images, place, passes)
    memory = BASE_MB[place] + images * recipe.size**2 * 3 / 1e6
    memory += COPIES * network.parameters * 4
    if not gpu:
        # activations and their gradients
        memory += 2 * recipe.batch * network.activations_mb * pixels
    return Cost(
        minutes=START_MINUTES + math.ceil(SAFETY * seconds / 60),
        memory_mb=math.ceil(memory / 100) * 100,
        gpus=int(gpu),
    )


# 10^9 multiply-adds forward of the matchers that can be in a loss, whatever the faces' size
LOSS_MATCHERS = {"dlib_resnet": 0.27, "faceres_descriptor": 0.57}


def san_cost(plan: Plan, images: int, gpu: bool) -> Cost:
    """Cost of training a SAN on a population of `images` images."""
    return _of_gmac(_san_gmac(plan), images, plan.san.size, gpu)


def san_hours(plan: Plan, images: int) -> float:
    """GPU hours, as `training_hours`, of a SAN alone on `images` images."""
    return _san_gmac(plan) * images / RATE["gpu"] / 3600


def auxiliary_hours(recipe: AuxiliaryRecipe, images: int) -> float:
    """The same of one auxiliary network."""
    return _auxiliary_passes(recipe) * images / RATE["gpu"] / 3600


def _san_gmac(plan: Plan) -> float:
    """10^9 multiply-adds for an image of the training part, over all passes."""
    san = plan.san
    own = auxiliary_gmac(plan.matcher) if san.matcher_net == "own" else 0.0
    matcher = LOSS_MATCHERS.get(san.matcher_net, own)
    through, classifier = autoencoder_gmac(san.shape, san.size), auxiliary_gmac(plan.gender)
    # the judges' weights get no gradient: forward and back to the image, for both modes; what the
    # matcher says of the originals is known before
    judged = BACKWARD * through + 4 * (classifier + matcher)
    passes = san.pretrain_epochs * BACKWARD * through + san.epochs * judged
    # of a series, every batch passes the stages before
    passes += (san.pretrain_epochs + san.epochs) * (san.stage - 1) * through
    return passes


def privacynet_cost(
    recipe: PrivacyNetRecipe, matcher: AuxiliaryRecipe, images: int, gpu: bool
) -> Cost:
    """Cost of training a PrivacyNet on a population of `images` images. matcher: the auxiliary one,
    whether or not it is the one in the loss."""
    cost = _of_gmac(_privacynet_gmac(recipe, matcher), images, recipe.size, gpu)
    # activations of both passes through the generator, as wide as its first layer a few times over
    width = GANS[recipe.shape].width
    more = 0 if gpu else recipe.batch * width * 24 * recipe.size**2 * 4 / 1e6
    return replace(cost, memory_mb=cost.memory_mb + math.ceil(more / 100) * 100)


def privacynet_hours(recipe: PrivacyNetRecipe, matcher: AuxiliaryRecipe, images: int) -> float:
    """GPU hours, as `training_hours`, of a PrivacyNet alone."""
    return _privacynet_gmac(recipe, matcher) * images / RATE["gpu"] / 3600


def _privacynet_gmac(recipe: PrivacyNetRecipe, matcher: AuxiliaryRecipe) -> float:
    """10^9 multiply-adds for an image of the training part, over all passes."""
    own = auxiliary_gmac(matcher) if recipe.matcher_net == "own" else 0.0
    there, critic = generator_gmac(recipe), discriminator_gmac(recipe)
    # a discriminator's step: a face made, two judged, and the gradient of a gradient
    passes = there + 4 * BACKWARD * critic
    # the generator's: there and back, judged and matched
    matched = 4 * LOSS_MATCHERS.get(recipe.matcher_net, own) if recipe.matching else 0.0
    passes += (2 * BACKWARD * there + 4 * critic + matched) / recipe.n_critic
    return recipe.epochs * passes


def generator_gmac(recipe: PrivacyNetRecipe) -> float:
    """10^9 multiply-adds of its generator for one face forward; 7 labels, as published."""
    shape, labels = GANS[recipe.shape], 7
    w = shape.width
    # first and last layer at the full side; both ways between the sides; blocks at a quarter of it
    macs = 49 * w * (labels + 2) + 2 * (16 * 2 * w**2 / 4 + 16 * 8 * w**2 / 16)
    macs += shape.blocks * 2 * 9 * 16 * w**2 / 16
    return macs * recipe.size**2 / 1e9


def discriminator_gmac(recipe: PrivacyNetRecipe) -> float:
    """The same of its discriminator, whose heads are left out."""
    shape, macs, inputs, side = GANS[recipe.shape], 0, 1, recipe.size
    for layer in range(shape.critic_layers):
        outputs, side = shape.critic_width * 2**layer, side // 2
        macs += 16 * inputs * outputs * side**2 if side > 1 else 0
        inputs = outputs
    return macs / 1e9


def auxiliary_cost(recipe: AuxiliaryRecipe, images: int, gpu: bool) -> Cost:
    """Cost of training one auxiliary network on a population of `images` images."""
    return _of_gmac(_auxiliary_passes(recipe), images, recipe.size, gpu)


def _auxiliary_passes(recipe: AuxiliaryRecipe) -> float:
    return BACKWARD * recipe.epochs * auxiliary_gmac(recipe) * REPEATED[recipe.diversity]


def autoencoder_gmac(shape: str, size: int) -> float:
    """10^9 multiply-adds of a SAN of that shape for one face of `size` px forward."""
    (first, second, third, fourth), deep = SHAPES[shape].widths, SHAPES[shape].pools == 2
    macs = 9 * (4 * first + (first * second + second * third / (4 if deep else 1)) / 4)
    macs += 9 * third * fourth / (4 if deep else 1) + fourth + 3
    return macs * size**2 / 1e9


def auxiliary_gmac(recipe: AuxiliaryRecipe) -> float:
    """Of the gender classifier or the small matcher."""
    w = recipe.width
    side = 5 if recipe.kind == "gender" else 3
    macs = side**2 * w + 9 * (2 * w**2 / 4 + 8 * w**2 / 16)
    if recipe.kind == "gender":
        macs += 9 * w**2 * (32 / 64 + 64 / 256 + 128 / 1024)
    else:
        macs += 9 * w**2 * (16 / 64 + 16 / 256)
    return macs * recipe.size**2 / 1e9


def _of_gmac(gmac: float, images: int, size: int, gpu: bool) -> Cost:
    """gmac: 10^9 multiply-adds an image, all passes; images and warped prototypes stay on disk."""
    place = "gpu" if gpu else "cpu"
    minutes = START_MINUTES + math.ceil(SAFETY * gmac * images / RATE[place] / 60)
    # a batch's activations of the widest layer and its gradients, and the judges'
    memory = BASE_MB[place] + 1500 * (size / 112) ** 2
    return Cost(minutes, math.ceil(memory / 100) * 100 + 1000, int(gpu))


def growth(attempt: int) -> int:
    """How many times over to ask at an attempt, from 1: the estimate may have been too low."""
    return min(attempt, MOST_GROWTH)


def gpu_here(devices: Path = Path("/dev")) -> bool:
    """Whether this machine has an NVIDIA GPU that programs may use, without importing torch."""
    hidden = os.environ.get("CUDA_VISIBLE_DEVICES") in ("", "-1")
    return not hidden and any(devices.glob("nvidia[0-9]*"))

"""What a protection is: every choice that its numbers depend on."""

import math
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from softbio.engine.recipe import SOMEWHERE, check_types, hash_of, recipe_from
from softbio.errors import UserError, nearest


@dataclass(frozen=True)
class Shape:
    """An autoencoder's shape.

    widths: output channels of its four 3x3 convolutions; pools: how often it halves the side, 1 or
    2. The bottleneck holds widths[1] channels at 1/2 or 1/4 of the side.
    """

    widths: tuple[int, int, int, int]
    pools: int


SHAPES = {
    # 324,248 parameters; 12 x 56 x 56 values in the bottleneck at 224 px
    "published": Shape((8, 12, 256, 128), 2),
    # One pooling: at 1/4 of a small side the bottleneck loses the face. It is undone before the
    # last convolution: after it, as published, a face would consist of blocks of 2 x 2 pixels.
    # Narrower decoders: the published one is 3.7 of 3.8 GMAC at 224 px.
    "px112": Shape((8, 12, 64, 32), 1),
    "px64": Shape((8, 12, 32, 16), 1),
}


# which groups a prototype is the mean face of, beside gender: see `groups`
Grouping = Literal["gender", "told", "age", "race", "age_race"]


class Checked:
    """A recipe that is checked when it is made."""

    def __post_init__(self) -> None:
        check_types(self)
        self.check()

    def check(self) -> None:
        """Raise UserError for values that make no sense."""
        if not 0 <= self.seed < 2**32:
            raise UserError(f"recipe: seed is {self.seed}; it must be in [0, 2^32)")

    def at_least(self, least: int, *names: str) -> None:
        """Raise UserError for the first of these fields that is smaller or not finite."""
        for name in names:
            if not least <= getattr(self, name) < math.inf:
                value = getattr(self, name)
                raise UserError(f"recipe: {name} is {value}; it must be at least {least}")

    def positive(self, *names: str) -> None:
        """The same for fields that must be above 0."""
        for name in names:
            if not 0 < getattr(self, name) < math.inf:
                raise UserError(f"recipe: {name} is {getattr(self, name)}; it must be above 0")

    @property
    def sha256(self) -> str:
        """What a resume file must match."""
        return hash_of(self)


@dataclass(frozen=True)
class AuxiliaryRecipe(Checked):
    """Training of one auxiliary network.

    kind: "gender" classifier or "matcher"; part: the part of the split it learns from; width:
    channels of the first convolution, 32 as published; scale, margin: of the matcher's cosine
    softmax; shift: the faces of a batch are moved by at most this many pixels.
    diversity: how the rows of an ensemble's member are drawn, see `resampling`; member: its number,
    from 1; duplicated: the share of the faces that "e2" takes twice; groups: what "e3" balances.
    """

    kind: Literal["gender", "matcher"]
    dataset: str
    seed: int
    size: int
    epochs: int = 5
    batch: int = 64
    learning_rate: float = 1e-3
    width: int = 32
    part: str = "san"
    scale: float = 16.0
    margin: float = 0.2
    shift: int = 0
    diversity: Literal["e1", "e2", "e3"] = "e1"
    member: int = 1
    duplicated: float = 0.5
    groups: Grouping = "gender"

    def check(self) -> None:
        super().check()
        self.at_least(1, "epochs", "batch", "width", "member")
        self.at_least(0, "shift", "margin")
        if not 0 < self.duplicated <= 1:
            raise UserError(f"recipe: duplicated is {self.duplicated}; it must be in (0, 1]")
        if self.kind == "matcher" and self.diversity != "e1":
            raise UserError("recipe: a matcher has no diversity; all members share one")
        self.positive("learning_rate", "scale")
        # five poolings in the classifier
        self.at_least(32, "size")


# A seed that no SAN is likely to have: from equal initial weights an evaluator would resemble the
# auxiliary network of that seed, and would not be as unseen as the report says.
OWN_PART, OWN_SEED = "evaluators", 1_000_003


def own_matcher_recipe(like: AuxiliaryRecipe) -> AuxiliaryRecipe:
    """The project's own matcher, which judges: trained as an auxiliary one, on other subjects."""
    return replace(like, kind="matcher", part=OWN_PART, seed=OWN_SEED)


@dataclass(frozen=True)
class SanRecipe(Checked):
    """One semi-adversarial network.

    shape: a name of `SHAPES`; size: side in pixels.
    prototype: "global" means, or "warped" to the landmarks of each face.
    neutral: P_NT is the "mean" of both prototypes, or weighted by "shares" of the classes.
    pixel: J_D, see `losses.PIXEL`; pretrain_epochs: at most this many epochs with J_D alone, which
        end after the first whose PSNR reaches pretrain_psnr dB; pretrain_rate: their learning rate.
    epochs: of the adversarial stage, whose loss is
        gender_weight J_G + matching_weight J_M + pixel_weight J_D; rate: its learning rate, which
        is combiner_rate times as high for the 1x1 convolution, the only one where modes differ.
    matching: J_M holds "sm" alone (the talk) or the mean of the terms of "sm_and_op"; it counts
        after matching_from epochs of the stage.
    flip: mirror half of the faces, each with its prototypes.
    matcher_net: the matcher in the loss, "own" (trained here for it) or one of the registry of
        evaluators that is a network of torch; in both cases it is no longer unseen.
    groups: faces have the prototypes of their "gender" alone, or of those of age and race as well.
    stage: place in a series, where the output of a network is the input of the next; target: J_D
        is towards the "original" face, or towards the network's "input".
    """

    dataset: str
    seed: int
    size: int
    shape: Literal["published", "px112", "px64"] = "published"
    prototype: Literal["global", "warped"] = "warped"
    neutral: Literal["mean", "shares"] = "mean"
    pixel: Literal["squared", "l1", "cross_entropy"] = "squared"
    pretrain_epochs: int = 3
    pretrain_psnr: float = 25.0
    pretrain_rate: float = 2e-4
    epochs: int = 10
    rate: float = 2e-4
    combiner_rate: float = 1.0
    batch: int = 32
    pixel_weight: float = 0.0
    gender_weight: float = 1.0
    matching_weight: float = 1.0
    matching: Literal["sm", "sm_and_op"] = "sm"
    matching_from: int = 0
    flip: bool = False
    matcher_net: str = "own"
    groups: Grouping = "gender"
    stage: int = 1
    target: Literal["original", "input"] = "original"

    def check(self) -> None:
        super().check()
        self.at_least(1, "batch", "stage")
        self.at_least(0, "epochs", "pretrain_epochs", "pretrain_psnr", "matching_from")
        self.at_least(0, "pixel_weight", "gender_weight", "matching_weight")
        self.positive("rate", "pretrain_rate", "combiner_rate")
        if self.epochs + self.pretrain_epochs < 1:
            raise UserError("recipe: epochs and pretrain_epochs are 0; nothing would be trained")
        step = 2 ** SHAPES[self.shape].pools
        if self.size < step or self.size % step:
            raise UserError(
                f"recipe: size {self.size} is not a multiple of {step}, as shape '{self.shape}' "
                "needs it"
            )


@dataclass(frozen=True)
class Variant:
    """A named choice of losses, schedule and shape.

    source: whose it is; values: fields of `SanRecipe`; gender, matcher: fields of the auxiliaries'
    `AuxiliaryRecipe` that are not its defaults, which are the published ones.
    """

    source: str
    values: dict[str, Any]
    gender: dict[str, Any] = field(default_factory=dict)
    matcher: dict[str, Any] = field(default_factory=dict)


VARIANTS = {
    # Our sources do not give epochs, batch and rate of the second stage. The rate is the released
    # code's, epochs and batch are those of the public re-implementation.
    "talk": Variant(
        "the talk's formulas: J_D in pre-training alone, then J_G + J_M",
        {"size": 224, "flip": False},
    ),
    # J_M there is 8 times the sum over a batch of 8, hence 64 times the mean.
    "released": Variant(
        "main.py of github iPRoBe-lab/semi-adversarial-networks, without its defects (DEVIATIONS)",
        {
            **{"size": 224, "pixel": "l1", "pretrain_epochs": 0, "epochs": 20, "batch": 8},
            **{"pixel_weight": 1.0, "matching": "sm_and_op", "matching_weight": 64.0},
            **{"matching_from": 5, "flip": True},
        },
    ),
    # A rate of its own for the combiner: at one rate for both, J_G is first met by textures of the
    # autoencoder, which harm SM as much as OP and the face itself. Global prototypes do, and need
    # no warp of each face.
    "drawn64": Variant(
        "ours, for drawn faces at 64 px on a CPU: J_D stays, so that the face does",
        {
            **{"size": 64, "shape": "px64", "prototype": "global"},
            **{"pretrain_epochs": 8, "pretrain_psnr": 27.0, "pretrain_rate": 3e-3},
            **{"epochs": 9, "rate": 2e-3, "combiner_rate": 3.0, "batch": 16, "flip": True},
            **{"pixel_weight": 0.06, "gender_weight": 4.0, "matching_weight": 8.0},
        },
        gender={"epochs": 14, "batch": 32, "width": 16, "shift": 2},
        matcher={"epochs": 20, "batch": 32, "width": 16, "shift": 3, "learning_rate": 2e-3},
    ),
    # Tried four times on LFW's first fold, by the EER of its classifiers and by eye: less J_D blurs
    # the faces, and at the combiner's common rate the modes hardly part.
    "faces64": Variant(
        "ours, for photographs at 64 px on a CPU",
        {
            **{"size": 64, "shape": "px64", "prototype": "global"},
            **{"pretrain_epochs": 6, "pretrain_psnr": 29.0, "pretrain_rate": 3e-3},
            **{"epochs": 4, "rate": 1e-3, "combiner_rate": 3.0, "flip": True},
            **{"pixel_weight": 0.12, "gender_weight": 2.0, "matching_weight": 4.0},
        },
        gender={"epochs": 12, "width": 16, "shift": 2},
        matcher={"epochs": 20, "batch": 32, "width": 16, "shift": 3, "learning_rate": 2e-3},
    ),
    # the same weights for each pixel and face; not run yet
    "faces112": Variant(
        "ours, for photographs at 112 px on a GPU",
        {
            **{"size": 112, "shape": "px112", "prototype": "global"},
            **{"pretrain_epochs": 10, "pretrain_psnr": 29.0, "pretrain_rate": 3e-3},
            **{"epochs": 10, "rate": 1e-3, "combiner_rate": 3.0, "flip": True},
            **{"pixel_weight": 0.04, "gender_weight": 2.0, "matching_weight": 4.0},
        },
        gender={"epochs": 12, "shift": 4},
        matcher={"epochs": 20, "batch": 32, "shift": 5, "learning_rate": 2e-3},
    ),
}
DEFAULT = "drawn64"  # of a config that names none, as its schema prints it


def san_recipe(
    variant: str, dataset: str, seed: int, where: str = SOMEWHERE, **changes: Any
) -> SanRecipe:
    """A variant's recipe for one data set and seed, with fields changed by name.

    where: what errors call the place of the changes. Raises UserError for a variant or a field that
    does not exist.
    """
    values = variant_of(variant).values | changes
    return recipe_from(values | {"dataset": dataset, "seed": seed}, SanRecipe, where)


def variant_of(name: str) -> Variant:
    """A variant by its name; raises UserError where there is none."""
    if name not in VARIANTS:
        raise UserError(f"privacy.variant: '{name}' is unknown: {nearest(name, VARIANTS)}")
    return VARIANTS[name]

"""What a PrivacyNet is: its recipe, its shapes, and its variants by name."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from softbio.engine.recipe import SOMEWHERE, recipe_from
from softbio.errors import UserError, nearest
from softbio.privacy import LETTERS, Attribute
from softbio.privacy.recipe import Checked, Variant

ABLATIONS = ("full", "nomatcher", "nocycle")


def parsed(mode: str) -> tuple[tuple[str, ...], str]:
    """What a mode hides, and the ablation: "ga-nocycle" is (("gender", "age"), "nocycle"), "keep"
    hides nothing. Raises UserError for any other name."""
    letters, _, ablation = mode.partition("-")
    ordered = "".join(letter for letter in LETTERS if letter in letters)
    if (letters != "keep" and (letters != ordered or not letters)) or (
        "-" in mode and ablation not in ABLATIONS[1:]
    ):
        raise UserError(
            f"mode '{mode}' is unknown. Use letters in the order g, a, r, or 'keep' to hide "
            "nothing; optionally add -nomatcher or -nocycle."
        )
    hidden = () if letters == "keep" else tuple(LETTERS[letter] for letter in letters)
    return hidden, ablation or "full"


def check_hidden(mode: str, known: Collection[str]) -> None:
    """Raise UserError for a mode that hides what a network does not know. known: attributes that
    its training faces show two values of."""
    for name in parsed(mode)[0]:
        if name not in known:
            raise UserError(
                f"mode '{mode}' hides {name}, but the training faces do not show two values of it, "
                f"only of {', '.join(known)}: take the mode out of privacy.protectors"
            )


@dataclass(frozen=True)
class GanShape:
    """Shape of generator and discriminator.

    width: channels of the generator's first convolution; blocks: its residual blocks; critic_width,
    critic_layers: channels of the discriminator's first convolution, and how many convolutions
        halve the side, as far as it is 2 or more.
        A critic's answer is the mean over its patches, and its gradients are held over their sum:
        with 4 x 4 of them the adversarial term has a quarter of the weight that it has with the 2 x
        2 of the published shape at 128 px, and on photographs streaks pass for a face.
    residual: the generator gives a change of the face, not the face.
    """

    width: int
    blocks: int
    critic_width: int
    critic_layers: int
    residual: bool


SHAPES = {
    # StarGAN's, as its code has it
    "published": GanShape(64, 6, 64, 6, residual=False),
    # A third of a GPU's step; the face need not be learnt first, which few steps would not do.
    "slim": GanShape(32, 3, 32, 6, residual=True),
    # for 32 px; at 64 px it leaves 4 x 4 patches
    "tiny": GanShape(8, 1, 16, 4, residual=True),
    "tiny5": GanShape(8, 1, 16, 5, residual=True),
}


@dataclass(frozen=True)
class PrivacyNetRecipe(Checked):
    """One PrivacyNet.

    shape: a name of `SHAPES`; size: side in pixels.
    epochs: passes over the training faces; batch: faces of a discriminator's step, of which there
        are n_critic before each step of the generator.
    rate: of Adam, for both networks, with beta1 and beta2; it falls linearly, epoch by epoch, over
        the last share `decay` of the epochs.
    The discriminator's loss is L_src + penalty_weight GP + read_weight L_attr, the generator's
        L_src + attribute_weight L_attr + matching_weight L_m + cycle_weight L_rec.
    matcher_net: as `SanRecipe` has it.
    ablation: without the matcher's term, without the cycle's, or "full".
    least_faces: a value of an attribute that fewer training faces have is not learnt.
    attributes: that are learnt, with their values; training takes them from the data.
    """

    dataset: str
    seed: int
    size: int
    shape: Literal["published", "slim", "tiny", "tiny5"] = "published"
    epochs: int = 20
    batch: int = 16
    n_critic: int = 5
    rate: float = 1e-4
    beta1: float = 0.5
    beta2: float = 0.999
    decay: float = 0.5
    penalty_weight: float = 10.0
    read_weight: float = 1.0
    attribute_weight: float = 1.0
    matching_weight: float = 1.0
    cycle_weight: float = 10.0
    matcher_net: str = "own"
    ablation: Literal["full", "nomatcher", "nocycle"] = "full"
    least_faces: int = 20
    attributes: tuple = ()

    def check(self) -> None:
        super().check()
        self.at_least(1, "epochs", "batch", "n_critic", "least_faces")
        self.positive("rate", "penalty_weight", "read_weight")
        self.at_least(0, "attribute_weight", "matching_weight", "cycle_weight")
        for name in ("beta1", "beta2", "decay"):
            if not 0 <= getattr(self, name) <= (1 if name == "decay" else 0.9999):
                raise UserError(f"recipe: {name} is {getattr(self, name)}; it must be in 0..1")
        if self.size < 16 or self.size % 4:
            raise UserError(f"recipe: size {self.size} must be a multiple of 4, at least 16")

    @property
    def matching(self) -> float:
        """Weight of L_m under the ablation."""
        return 0.0 if self.ablation == "nomatcher" else self.matching_weight

    @property
    def cycle(self) -> float:
        """Weight of L_rec under the ablation."""
        return 0.0 if self.ablation == "nocycle" else self.cycle_weight

    def rate_after(self, epochs: int) -> float:
        """Of the epoch that follows so many."""
        falling = self.epochs * self.decay
        left = self.epochs - epochs
        return self.rate * min(1.0, left / falling) if falling else self.rate


VARIANTS = {
    # 20 epochs of CelebA's 160,000 faces are StarGAN's 200,000 steps at a batch of 16.
    # PrivacyNet's own weights are in none of our sources; lambda_m is ours.
    "published": Variant(
        "StarGAN's code (github yunjey/stargan), which PrivacyNet builds on, and a matcher's term",
        {"size": 128},
    ),
    "gpu112": Variant(
        "ours, for photographs at 112 px in an hour of one GPU",
        {"size": 112, "epochs": 4, "batch": 32, "rate": 2e-4, "matching_weight": 4.0},
    ),
    "faces64": Variant(
        "ours, for photographs at 64 px on a CPU",
        {
            **{"size": 64, "shape": "tiny5", "epochs": 8, "batch": 8, "n_critic": 2},
            **{"rate": 5e-4, "attribute_weight": 2.0, "matching_weight": 2.0},
            **{"cycle_weight": 5.0},
        },
    ),
    # 750 faces: small batches, for few epochs must be many steps. Chosen by eye and by the own CNN
    # and matcher on the quick benchmark's test faces, so that what it reaches there is no estimate.
    "drawn64": Variant(
        "ours, for drawn faces at 64 px on a CPU",
        {
            **{"size": 64, "shape": "tiny5", "epochs": 4, "batch": 4, "n_critic": 1},
            **{"rate": 1e-3, "decay": 0.0, "attribute_weight": 2.0, "matching_weight": 2.0},
        },
    ),
}


def read_recipe(values: Mapping[str, Any]) -> PrivacyNetRecipe:
    """A recipe of plain values, such as its own `asdict`. Raises UserError for an unknown or a
    missing key."""
    attributes = tuple(
        Attribute(each["name"], tuple(each["values"])) for each in values.get("attributes", ())
    )
    return recipe_from({**values, "attributes": attributes}, PrivacyNetRecipe)


def privacynet_recipe(
    variant: str, dataset: str, seed: int, where: str = SOMEWHERE, **changes: Any
) -> PrivacyNetRecipe:
    """A variant's recipe for one data set and seed, with fields changed by name.

    where: what errors call the place of the changes. Raises UserError for a variant or a field that
    does not exist.
    """
    if variant not in VARIANTS:
        raise UserError(
            f"privacy.privacynet.variant: '{variant}' is unknown: {nearest(variant, VARIANTS)}"
        )
    values = VARIANTS[variant].values | changes
    return recipe_from(values | {"dataset": dataset, "seed": seed}, PrivacyNetRecipe, where)

"""The steps of a semi-adversarial network's training: J_D until the face is there, then against its
judges."""

import logging
from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor, nn

from softbio.privacy.faces import GreyFaces, moved, psnr
from softbio.privacy.models.san import Modes, San, passed
from softbio.privacy.prototype_source import PrototypeSource
from softbio.privacy.recipe import SanRecipe
from softbio.privacy.training.face_task import FaceTask, without_nan
from softbio.privacy.training.losses import PIXEL, gender_loss, matching_loss
from softbio.privacy.training.originals import Originals

logger = logging.getLogger(__name__)
PARTS = ("loss", "j_d", "j_g", "j_m", "mean_square", "error_sm", "error_op")


@dataclass(frozen=True)
class SanLine:
    """One line of history.csv, over the training faces as the network stood when it saw them.

    j_d, j_g, j_m: the terms before their weights, None where they were not computed; psnr: dB of
    X'_SM, towards what J_D is; error_sm, error_op: share of the faces whose true gender the
    auxiliary classifier misses.
    """

    epoch: int
    stage: str
    loss: float
    j_d: float
    j_g: float | None
    j_m: float | None
    psnr: float
    error_sm: float | None
    error_op: float | None
    images_per_second: float
    seconds: float
    learning_rate: float


@dataclass(frozen=True)
class Judges:
    """The frozen networks that a SAN is trained against."""

    classifier: nn.Module
    matcher: nn.Module


def stage_after(history: list[SanLine], recipe: SanRecipe) -> str:
    """Stage of the next epoch: "pretraining", "adversarial" or "done"."""
    before = [line for line in history if line.stage == "pretraining"]
    reached = before and before[-1].psnr >= recipe.pretrain_psnr
    if len(before) == len(history) and len(before) < recipe.pretrain_epochs and not reached:
        return "pretraining"
    return "done" if len(history) - len(before) >= recipe.epochs else "adversarial"


def optimizer_of(network: San, recipe: SanRecipe) -> torch.optim.Optimizer:
    """Adam over two groups, the autoencoder and the 1x1 convolution; `SanTask` sets their rates."""
    groups = [{"params": part.parameters()} for part in network.children()]
    return torch.optim.Adam(groups, lr=recipe.pretrain_rate, fused=True)


class Batch(NamedTuple):
    """Faces (B, 1, S, S), their prototypes and genders, and what the matcher says of the faces as
    they are; None where it is not asked."""

    faces: Tensor
    prototypes: Modes
    gender: Tensor
    original: Tensor | None


def mirrored(tensor: Tensor, chosen: Tensor) -> Tensor:
    """Images (B, C, S, S) whose place in `chosen`, bool (B,), is True, mirrored."""
    return torch.where(chosen[:, None, None, None], tensor.flip(3), tensor)


@dataclass
class SanTask(FaceTask):
    """The steps of a SAN's training; `stage` and `matching_weight` change with the epochs.

    originals: what the matcher says of the faces as they are; None where no matching is asked for.
    before: frozen networks of the series that this one ends, whose OP it takes. Each batch passes
    through them anew: mirrored faces pass as such, nothing is rounded or kept on disk, and one pass
    forward of an autoencoder is little beside a step.
    """

    recipe: SanRecipe
    network: San
    optimizer: torch.optim.Optimizer
    judges: Judges
    faces: GreyFaces
    source: PrototypeSource
    rows: Tensor
    originals: Originals | None = None
    before: tuple[San, ...] = ()
    stage: str = ""
    matching_weight: float = 0.0

    parts = PARTS

    @property
    def text(self) -> str:
        name = f"san {self.recipe.dataset} seed {self.recipe.seed}"
        return name + (f" stage {self.recipe.stage}" if self.before else "")

    @property
    def per_step(self) -> int:
        return self.recipe.batch

    def finished(self, history: list[SanLine]) -> bool:
        return stage_after(history, self.recipe) == "done"

    def begin(self, history: list[SanLine]) -> None:
        """An epoch's stage; the second one starts with an optimizer that has seen nothing, as a
        training of its own."""
        stage = self.enter(history)
        adversarial = sum(line.stage == "adversarial" for line in history)
        if stage == "adversarial" and not adversarial:
            self.optimizer.state.clear()
            if history and history[-1].psnr < self.recipe.pretrain_psnr:
                logger.warning(
                    "pre-training ended at %.1f dB, below the %.1f dB asked for: raise "
                    "pretrain_epochs",
                    history[-1].psnr,
                    self.recipe.pretrain_psnr,
                )

    def enter(self, history: list[SanLine]) -> str:
        """Set what an epoch after this history needs; also for one that was interrupted."""
        self.stage = stage_after(history, self.recipe)
        adversarial = sum(line.stage == "adversarial" for line in history)
        on = adversarial >= self.recipe.matching_from
        self.matching_weight = self.recipe.matching_weight if on else 0.0
        recipe, first = self.recipe, self.stage == "pretraining"
        rate, times = (recipe.pretrain_rate, 1.0) if first else (recipe.rate, recipe.combiner_rate)
        for group, factor in zip(self.optimizer.param_groups, (1.0, times), strict=True):
            group["lr"] = rate * factor
        return self.stage

    def batch(self, rows: Tensor, draws: Tensor) -> Batch:
        """Half of the faces mirrored, where the recipe asks for it."""
        gender = self.faces.gender[moved(rows, self.faces.device)]
        faces, prototypes = self.faces.batch(rows), self.source.modes(rows, gender)
        chosen = moved(draws[:, 0] < 0.5, faces.device) & self.recipe.flip
        if self.recipe.flip:
            # the released code mirrors the face alone, which leaves its prototypes behind
            faces = mirrored(faces, chosen)
            prototypes = Modes(*(mirrored(each, chosen) for each in prototypes))
        original = self.originals.of(rows, chosen) if self.matching_weight else None
        return Batch(faces, prototypes, gender, original)

    def step(self, rows: Tensor, draws: Tensor) -> Tensor:
        """One batch: the values of `parts`, NaN where not computed."""
        terms_of = self.pretraining if self.stage == "pretraining" else self.adversarial
        terms = terms_of(self.batch(rows, draws))
        self.optimizer.zero_grad(set_to_none=True)
        terms[0].backward()
        self.optimizer.step()
        return terms.detach()

    def inputs(self, batch: Batch) -> tuple[Tensor, Tensor]:
        """What the network takes of these faces, and what J_D is towards."""
        with torch.no_grad():
            inputs = passed(self.before, batch.faces, batch.prototypes)
        return inputs, batch.faces if self.recipe.target == "original" else inputs

    def pretraining(self, batch: Batch) -> Tensor:
        """J_D alone."""
        (inputs, target), prototypes = self.inputs(batch), batch.prototypes
        features = self.network.features(inputs, prototypes.sm)
        sm = self.network.combined(features, prototypes.sm)
        j_d = PIXEL[self.recipe.pixel](target, sm)
        absent = j_d.new_full((), float("nan"))
        square = (sm - target).square().mean()
        return torch.stack([j_d, j_d, absent, absent, square, absent, absent])

    def adversarial(self, batch: Batch) -> Tensor:
        """The three terms with the recipe's weights."""
        recipe, judges = self.recipe, self.judges
        prototypes, gender = batch.prototypes, batch.gender
        inputs, target = self.inputs(batch)
        features = self.network.features(inputs, prototypes.sm)
        sm = self.network.combined(features, prototypes.sm)
        op = self.network.combined(features, prototypes.op)
        logits_sm, logits_op = judges.classifier(sm), judges.classifier(op)
        j_d = PIXEL[recipe.pixel](target, sm)
        j_g = gender_loss(logits_sm, logits_op, gender)
        loss = recipe.gender_weight * j_g + recipe.pixel_weight * j_d
        j_m = j_d.new_full((), float("nan"))
        if self.matching_weight:
            j_m = self.matching(batch.original, sm, op)
            loss = loss + self.matching_weight * j_m
        errors = [(logits.argmax(1) != gender).float().mean() for logits in (logits_sm, logits_op)]
        return torch.stack([loss, j_d, j_g, j_m, (sm - target).square().mean(), *errors])

    def matching(self, original: Tensor, sm: Tensor, op: Tensor) -> Tensor:
        """J_M of the recipe; in a series too it is the original face that is to be matched."""
        loss = matching_loss(self.judges.matcher(sm), original)
        if self.recipe.matching == "sm_and_op":
            # each by itself: in the mean of both embeddings, as released, their errors cancel
            loss = (loss + matching_loss(self.judges.matcher(op), original)) / 2
        return loss

    def line(self, epoch: int, means: dict[str, float], seconds: float) -> SanLine:
        """The line of history of an epoch, from the means of `parts`."""
        found = SanLine(
            epoch=epoch,
            stage=self.stage,
            psnr=psnr(means.pop("mean_square")),
            **means,
            images_per_second=len(self.rows) / seconds,
            seconds=seconds,
            learning_rate=self.optimizer.param_groups[0]["lr"],
        )
        return without_nan(found)

"""The steps of a PrivacyNet's training: some of the discriminator, then one of the generator."""

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
import torch
from torch import Tensor, nn

from softbio.engine.snapshot import Snapshot, take
from softbio.errors import UserError
from softbio.privacy import LETTERS
from softbio.privacy.faces import GreyFaces, moved, psnr
from softbio.privacy.models.privacynet import PrivacyNet, signed, unsigned
from softbio.privacy.privacynet_recipe import PrivacyNetRecipe
from softbio.privacy.training.face_task import FaceTask, without_nan
from softbio.privacy.training.losses import matching_loss
from softbio.privacy.training.originals import Originals
from softbio.privacy.training.privacynet_losses import (
    attribute_loss,
    between,
    gradient_norms,
    penalty,
    shares_right,
)
from softbio.privacy.training.san_task import mirrored

NAMES = tuple(LETTERS.values())
CRITIC = ("critic", "d_src", "norm", "d_attr")
# of all faces; `PrivacyNetTask.line` divides by the share with a label
CRITIC += tuple(f"{what}_{name}" for what in ("told", "labelled") for name in NAMES)
GENERATOR = ("loss", "g_src", "g_attr", "j_m", "cycle", "cycle_square")
GENERATOR += tuple(f"hit_{name}" for name in NAMES)
# hide-set, targets, place between real and fake, mirror
DRAWS = 1 + len(NAMES) + 2
# Beyond these a discriminator has diverged, unless it comes back within so many steps: gradient
# norms are held near 1, and an attribute's cross-entropy begins at 0.7 to 1.4.
BOUNDS = {"norm": 100.0, "d_src": 1e4, "d_attr": 100.0}
PATIENCE = 5


@dataclass(frozen=True)
class PrivacyNetLine:
    """One line of history.csv, means over the epoch's steps as the networks stood in each.

    critic, loss: of discriminator and generator; d_src, g_src: their Wasserstein terms; norm: of
    the critic's gradients; d_attr, g_attr: cross-entropies; j_m, cycle: before their weights, None
    where not computed; psnr: dB of the face that went there and back; told_...: share of the real
    faces with a label whose attribute the discriminator gets right; hit_...: share of the changed
    ones that it takes for what was asked for; None where no face has a label.
    """

    epoch: int
    critic: float
    d_src: float
    norm: float
    d_attr: float
    loss: float
    g_src: float
    g_attr: float
    j_m: float | None
    cycle: float | None
    psnr: float | None
    told_gender: float | None
    told_age: float | None
    told_race: float | None
    hit_gender: float | None
    hit_age: float | None
    hit_race: float | None
    images_per_second: float
    seconds: float
    learning_rate: float


@dataclass
class Guard:
    """Watches the discriminator: `suspects` steps in a row were out of bounds, for `reason`.

    unread: the values of the last step, where they are still to be read.
    """

    suspects: int = 0
    reason: str = ""
    unread: Snapshot | None = None

    def see_later(self, values: Tensor) -> None:
        """Take notice of a step by its values, float32 (4,), as CRITIC begins. From a GPU they are
        on their way meanwhile: those of the step before are read, which are there."""
        self.settle()
        self.unread = take({"values": values}, values.device)
        if values.device.type == "cpu":
            self.settle()

    def settle(self) -> None:
        """Read what has not been read."""
        if self.unread is not None:
            values, self.unread = self.unread.ready()["values"].tolist(), None
            self.see(dict(zip(CRITIC, values, strict=False)))

    def see(self, values: dict[str, float]) -> None:
        """Take notice of one step."""
        broken = [name for name, value in values.items() if not np.isfinite(value)]
        wide = [name for name, bound in BOUNDS.items() if abs(values.get(name, 0.0)) > bound]
        if not broken + wide:
            self.suspects = 0
            return
        name = (broken + wide)[0]
        self.suspects = PATIENCE if broken else self.suspects + 1
        limit = "" if broken else f", bound {BOUNDS[name]:g}, step {self.suspects} in a row"
        self.reason = f"{name} is {values[name]:.3g}{limit}"


@dataclass
class PrivacyNetTask(FaceTask):
    """The steps of a PrivacyNet's training.

    One Adam holds both networks, a group each: it leaves out what has no gradient, so that a step
    of one network does not move the other, as two of them would. A step of the loop is n_critic
    batches, so that it knows no counter that a resumed run would have to restore. originals: what
    the matcher says of the faces as they are; None where no matching is asked for.
    """

    recipe: PrivacyNetRecipe
    network: PrivacyNet
    optimizer: torch.optim.Optimizer
    matcher: nn.Module
    faces: GreyFaces
    classes: Tensor
    rows: Tensor
    kept: Callable[[], str]
    originals: Originals | None = None
    guard: Guard = field(default_factory=Guard)

    parts = GENERATOR + CRITIC
    draws = DRAWS

    @property
    def text(self) -> str:
        return f"privacynet {self.recipe.dataset} seed {self.recipe.seed}"

    @property
    def per_step(self) -> int:
        return self.recipe.batch * self.recipe.n_critic

    def finished(self, history: list[PrivacyNetLine]) -> bool:
        return len(history) >= self.recipe.epochs

    def enter(self, history: list[PrivacyNetLine]) -> None:
        """As `begin`: an epoch that goes on has its rate too."""
        self.begin(history)

    def begin(self, history: list[PrivacyNetLine]) -> None:
        """The rate of an epoch after this history."""
        for group in self.optimizer.param_groups:
            group["lr"] = self.recipe.rate_after(len(history))

    def batch(self, rows: Tensor, draws: Tensor) -> tuple[Tensor, Tensor]:
        """Faces in -1..1, half of them mirrored, and their classes. rows: on the CPU; draws, here
        and below: on the device."""
        faces = mirrored(self.faces.batch(rows), self.chosen(draws))
        return signed(faces), moved(self.classes[rows], faces.device)

    def chosen(self, draws: Tensor) -> Tensor:
        """Those that are mirrored, bool (B,)."""
        return draws[:, -1] < 0.5

    def asked(self, own: Tensor, draws: Tensor) -> Tensor:
        """What each face should show: one of all hide-sets, none among them, each as likely."""
        count = own.shape[1]
        sets = (draws[:, 0] * 2**count).long().clamp(max=2**count - 1)
        hidden = (sets[:, None] >> torch.arange(count, device=own.device)) % 2 == 1
        return self.network.targets(own, hidden, draws[:, 1 : 1 + count])

    def step(self, rows: Tensor, draws: Tensor) -> Tensor:
        """n_critic batches: the values of GENERATOR and of CRITIC, the last batch's."""
        size, there = self.recipe.batch, moved(draws, self.faces.device)
        parts = list(zip(rows.split(size), there.split(size), strict=True))
        for some, numbers in parts:
            critic = self.critic_step(some, numbers)
            self.guard.see_later(critic[:4])
            if self.guard.suspects >= PATIENCE:
                self.check()
        return torch.cat([self.generator_step(*parts[-1]), critic])

    def sound(self) -> bool:
        """Whether the discriminator is within bounds: a state that is not must not replace the last
        good one."""
        self.guard.settle()
        return not self.guard.suspects

    def check(self) -> None:
        """Raise UserError for a discriminator that is out of bounds."""
        if not self.sound():
            raise UserError(
                f"{self.text}: the discriminator diverged: {self.guard.reason}; {self.kept()}; "
                "lower privacy.privacynet.rate or raise its penalty_weight"
            )

    def critic_step(self, rows: Tensor, draws: Tensor) -> Tensor:
        """One batch of the discriminator: the values of CRITIC."""
        network, recipe = self.network, self.recipe
        faces, classes = self.batch(rows, draws)
        real, logits = network.discriminator(faces)
        with torch.no_grad():
            own = network.filled(classes, logits)
            fake = network.changed(faces, self.asked(own, draws))
        d_src = network.discriminator(fake)[0].mean() - real.mean()
        middle = between(faces, fake, draws[:, -2])
        norms = gradient_norms(lambda x: network.discriminator(x)[0], middle)
        d_attr = attribute_loss(logits, classes, network.sizes)
        loss = d_src + recipe.penalty_weight * penalty(norms) + recipe.read_weight * d_attr
        self.move(loss, network.discriminator)
        right, labelled = shares_right(logits, classes, network.sizes)
        shares = self.by_name(right) + self.by_name(labelled)
        return torch.stack([loss, d_src, norms.mean(), d_attr, *shares]).detach()

    def generator_step(self, rows: Tensor, draws: Tensor) -> Tensor:
        """One batch of the generator: the values of GENERATOR, NaN where not computed."""
        network, recipe = self.network, self.recipe
        faces, classes = self.batch(rows, draws)
        with torch.no_grad():
            own = network.filled(classes, network.discriminator(faces)[1])
        target = self.asked(own, draws)
        fake = network.changed(faces, target)
        source, logits = network.discriminator(fake)
        # whether an estimate was hit is not known
        judged = torch.where(classes < 0, classes, target)
        g_src, g_attr = -source.mean(), attribute_loss(logits, judged, network.sizes)
        loss = g_src + recipe.attribute_weight * g_attr
        j_m = cycle = square = loss.new_full((), float("nan"))
        if recipe.matching:
            original = self.originals.of(rows, self.chosen(draws))
            j_m = matching_loss(self.matcher(unsigned(fake)), original)
            loss = loss + recipe.matching * j_m
        if recipe.cycle:
            away = network.changed(fake, own) - faces
            cycle, square = away.abs().mean(), (away / 2).square().mean()
            loss = loss + recipe.cycle * cycle
        self.move(loss, network.generator)
        hits = self.by_name(shares_right(logits, judged, network.sizes)[0])
        return torch.stack([loss, g_src, g_attr, j_m, cycle, square, *hits]).detach()

    def move(self, loss: Tensor, part: nn.Module) -> None:
        """A step of one of the networks."""
        self.optimizer.zero_grad(set_to_none=True)
        loss.backward(inputs=list(part.parameters()))
        self.optimizer.step()

    def by_name(self, values: list[Tensor]) -> list[Tensor]:
        """A value for each of NAMES, NaN for what is not learnt."""
        known = [attribute.name for attribute in self.network.known]
        found = dict(zip(known, values, strict=True))
        return [found.get(name, values[0].new_full((), float("nan"))) for name in NAMES]

    def line(self, epoch: int, means: dict[str, float], seconds: float) -> PrivacyNetLine:
        """The line of history of an epoch, from the means of GENERATOR and CRITIC."""
        square = means.pop("cycle_square")
        for name in NAMES:
            labelled = means.pop(f"labelled_{name}")
            for key in (f"told_{name}", f"hit_{name}"):
                means[key] = means[key] / labelled if labelled else float("nan")
        found = PrivacyNetLine(
            epoch=epoch,
            psnr=psnr(square) if square == square else square,
            **means,
            images_per_second=len(self.rows) / seconds,
            seconds=seconds,
            learning_rate=self.optimizer.param_groups[0]["lr"],
        )
        return without_nan(found)


def optimizer_of(network: PrivacyNet, recipe: PrivacyNetRecipe) -> torch.optim.Optimizer:
    """Adam over two groups, generator and discriminator."""
    groups = [{"params": part.parameters()} for part in network.children()]
    return torch.optim.Adam(groups, recipe.rate, (recipe.beta1, recipe.beta2), fused=True)

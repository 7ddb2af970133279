"""Training the auxiliary gender classifier, and a matcher where no other is at hand."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from softbio.data.packed import Packed
from softbio.engine.resume import ResumeFile
from softbio.engine.state import TrainState
from softbio.errors import UserError
from softbio.privacy.faces import GreyFaces, moved
from softbio.privacy.models.auxiliaries import CosineHead
from softbio.privacy.models.weights import build_network
from softbio.privacy.parts import gender_of
from softbio.privacy.recipe import AuxiliaryRecipe
from softbio.privacy.training.face_task import FaceTask
from softbio.privacy.training.resampling import training_rows
from softbio.privacy.training.session import Start, Work, begin, finish
from softbio.sources import PRIVACY, modules_sha256


@dataclass(frozen=True)
class AuxiliaryLine:
    """One line of history.csv. error: share of the training images whose gender or
    subject was wrong, as the network stood when it saw them."""

    epoch: int
    loss: float
    error: float
    images_per_second: float
    seconds: float
    learning_rate: float


def targets(
    recipe: AuxiliaryRecipe, packed: Packed, parts: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Rows to train on, int64, and a class for each image of the data set, int64 (N,), -1 for none.

    A matcher learns from subjects of two images or more, a gender classifier as `training_rows`
    says. Raises UserError where nothing is left, and as that does.
    """
    inside = parts == recipe.part
    if recipe.kind == "gender":
        return training_rows(recipe, packed, inside), gender_of(packed)
    names, subject, counts = np.unique(
        packed.subjects.astype(str), return_inverse=True, return_counts=True
    )
    several = inside & (counts[subject] > 1)
    used = np.unique(subject[several])
    if len(used) < 2:
        raise UserError(
            f"matcher: part '{recipe.part}' has {len(used)} subjects of two images or more, and a "
            "matcher learns from two at least; choose a data set with several images of a subject"
        )
    number = np.full(len(names), -1)
    number[used] = np.arange(len(used))
    return np.flatnonzero(several), number[subject]


def shifted(faces: Tensor, draws: Tensor, most: int) -> Tensor:
    """All faces of a batch moved by up to `most` pixels each way, the border repeated, and half of
    them mirrored. draws: float (B, 3) in 0..1."""
    mirrored = moved(draws[:, 0] < 0.5, faces.device)[:, None, None, None]
    faces = torch.where(mirrored, faces.flip(3), faces)
    if most:
        top, left = (int(draw * (2 * most + 1)) for draw in draws[0, 1:3])
        size = faces.shape[-1]
        faces = F.pad(faces, [most] * 4, mode="replicate")
        faces = faces[:, :, top : top + size, left : left + size]
    return faces


@dataclass
class AuxiliaryTask(FaceTask):
    """The steps of an auxiliary's training. model: the network, and what a matcher learns by behind
    it; loss_of: of the model's answers and classes; classes: int64 (N,), of all images."""

    recipe: AuxiliaryRecipe
    model: nn.Module
    loss_of: Callable[[Tensor, Tensor], Tensor]
    optimizer: torch.optim.Optimizer
    faces: GreyFaces
    classes: Tensor
    rows: Tensor

    parts = ("loss", "error")

    @property
    def text(self) -> str:
        return f"{self.recipe.kind} {self.recipe.dataset} seed {self.recipe.seed}"

    @property
    def per_step(self) -> int:
        return self.recipe.batch

    def finished(self, history: list[AuxiliaryLine]) -> bool:
        return len(history) >= self.recipe.epochs

    def step(self, rows: Tensor, draws: Tensor) -> Tensor:
        inputs = shifted(self.faces.batch(rows), draws, self.recipe.shift)
        target = self.classes[moved(rows, self.classes.device)]
        logits = self.model(inputs)
        loss = self.loss_of(logits, target)
        self.optimizer.zero_grad(set_to_none=True)
        loss.backward()
        self.optimizer.step()
        return torch.stack([loss.detach(), (logits.argmax(1) != target).float().mean()])

    def line(self, epoch: int, means: dict[str, float], seconds: float) -> AuxiliaryLine:
        return AuxiliaryLine(
            epoch=epoch,
            **means,
            images_per_second=self.images / seconds,
            seconds=seconds,
            learning_rate=self.recipe.learning_rate,
        )


def work_of(recipe: AuxiliaryRecipe, start: Start) -> Work:
    """The task and the fresh network of a recipe; what a matcher learnt by is not kept."""
    device, faces = start.device, GreyFaces(start.packed, start.device)
    rows, classes = targets(recipe, start.packed, start.parts)
    torch.manual_seed(recipe.seed)
    network = build_network(recipe)
    model, loss_of = network, F.cross_entropy
    if recipe.kind == "matcher":
        head = CosineHead(int(classes.max()) + 1, recipe.scale, recipe.margin)
        model, loss_of = nn.Sequential(network, head), head.loss
    model = model.to(device).train()
    optimizer = torch.optim.Adam(model.parameters(), lr=recipe.learning_rate, fused=True)
    task = AuxiliaryTask(
        recipe,
        model,
        loss_of,
        optimizer,
        faces=faces,
        classes=torch.from_numpy(classes).to(device),
        rows=torch.from_numpy(rows),
    )
    moving = TrainState(model, optimizer, torch.Generator().manual_seed(recipe.seed))
    return Work(task, moving, network)


def train_auxiliary(
    recipe: AuxiliaryRecipe, packed: Path, parts: Path, folder: Path, device: str = "auto"
) -> None:
    """Train one network on its part of a packed data set: network.safetensors, history.csv,
    run.json.

    parts: parts.csv of `write_parts`. Can be killed and goes on, as `softbio.engine.train.train`.
    Raises UserError for data that do not fit the recipe and for a loss that is not finite.
    """
    start = begin(recipe.size, packed, parts, device)
    resume = ResumeFile(
        folder / "resume.pt",
        recipe,
        start.device,
        data_sha256="".join(start.read),
        line=AuxiliaryLine,
        code=modules_sha256(PRIVACY),
    )
    finish(start, resume, lambda: work_of(recipe, start))

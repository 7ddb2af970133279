"""Training the auxiliary gender classifier, and a matcher where no other is at hand."""

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
from softbio.privacy.faces import GreyFaces
from softbio.privacy.models.auxiliaries import CosineHead
from softbio.privacy.models.weights import build_network
from softbio.privacy.parts import gender_of
from softbio.privacy.recipe import AuxiliaryRecipe
from softbio.privacy.training.loop import Task
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
    mirrored = (draws[:, 0] < 0.5).to(faces.device)[:, None, None, None]
    faces = torch.where(mirrored, faces.flip(3), faces)
    if most:
        top, left = (int(draw * (2 * most + 1)) for draw in draws[0, 1:3])
        size = faces.shape[-1]
        faces = F.pad(faces, [most] * 4, mode="replicate")
        faces = faces[:, :, top : top + size, left : left + size]
    return faces


def work_of(recipe: AuxiliaryRecipe, start: Start) -> Work:
    """The task and the fresh network of a recipe; what a matcher learnt by is not kept."""
    device, faces = start.device, GreyFaces(start.packed, start.device)
    rows, classes = targets(recipe, start.packed, start.parts)
    labels = torch.from_numpy(classes).to(device)
    torch.manual_seed(recipe.seed)
    network = build_network(recipe)
    model, loss_of = network, F.cross_entropy
    if recipe.kind == "matcher":
        head = CosineHead(int(classes.max()) + 1, recipe.scale, recipe.margin)
        model, loss_of = nn.Sequential(network, head), head.loss
    model = model.to(device)
    optimizer = torch.optim.Adam(model.parameters(), lr=recipe.learning_rate, fused=True)

    def step(rows: Tensor, draws: Tensor) -> Tensor:
        inputs = shifted(faces.batch(rows), draws, recipe.shift)
        target = labels[rows.to(device)]
        logits = model(inputs)
        loss = loss_of(logits, target)
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        optimizer.step()
        return torch.stack([loss.detach(), (logits.argmax(1) != target).float().mean()])

    def line(epoch: int, means: dict[str, float], seconds: float) -> AuxiliaryLine:
        return AuxiliaryLine(
            epoch=epoch,
            loss=means["loss"],
            error=means["error"],
            images_per_second=len(rows) / seconds,
            seconds=seconds,
            learning_rate=recipe.learning_rate,
        )

    task = Task(
        text=f"{recipe.kind} {recipe.dataset} seed {recipe.seed}",
        rows=torch.from_numpy(rows),
        batch=recipe.batch,
        parts=("loss", "error"),
        begin=lambda history: None,
        step=step,
        line=line,
        finished=lambda history: len(history) >= recipe.epochs,
    )
    model.train()
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

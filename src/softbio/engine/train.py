"""Training ages or genders from a packed data set."""

from collections.abc import Callable
from pathlib import Path

import pandas as pd
import torch
from torch import nn

from softbio.data.packed import Packed, content_sha256, load_packed
from softbio.engine.device import Conditions, Determinism, choose_device, here
from softbio.engine.loop import Loop
from softbio.engine.model import (
    build_model,
    compiled,
    needs_two_images,
    save_models,
    weights_of,
)
from softbio.engine.provenance import Stopwatch, write_run
from softbio.engine.rank_task import RankTask
from softbio.engine.recipe import Recipe
from softbio.engine.resume import ResumeFile
from softbio.engine.state import Epoch, TrainState
from softbio.engine.stopping import Stop, stoppable
from softbio.engine.training import training_data
from softbio.errors import UserError
from softbio.files import atomic, sha256
from softbio.methods import get_method


def write_history(path: Path, history: list[Epoch], trait: str) -> None:
    """history.csv: a line an epoch, full precision.

    Of gender the columns train_error and valid_error, the share of wrong answers, take the place of
    MAE and RMSE; the latter would be no more than the root of that share.
    """
    frame = pd.DataFrame(history).astype({"bias_inversions": "Int64"})
    if trait == "gender":
        frame = frame.drop(columns=["train_rmse", "valid_rmse"])
        frame = frame.rename(columns={"train_mae": "train_error", "valid_mae": "valid_error"})
    with atomic(path) as part:
        frame.to_csv(part, index=False)


def check_last_batch(model: nn.Module, recipe: Recipe, count: int) -> None:
    """Raise UserError where one of `count` images is left for the last batch of an epoch, and the
    network cannot learn from a single one."""
    alone = recipe.batch == 1 or count % recipe.batch == 1
    if alone and needs_two_images(model, recipe.crop):
        raise UserError(
            f"batch {recipe.batch} leaves one image of {count} for the last batch, too few for "
            "batch norm; choose another batch"
        )


def start(
    recipe: Recipe, data: Packed, resume: ResumeFile, stop: Stop, now: Callable[[], Conditions]
) -> Loop[RankTask]:
    """Build a run, or put back together one that was interrupted. now: as `resume.restore` has it.

    Raises UserError for a recipe that does not fit the data.
    """
    # seeded just before the model is built, as the authors' scripts do
    torch.manual_seed(recipe.seed)
    model = build_model(recipe, data.k).to(resume.device)
    optimizer = torch.optim.Adam(model.parameters(), lr=recipe.learning_rate, fused=True)
    moving = TrainState(model, optimizer, torch.Generator().manual_seed(recipe.seed))
    seen = training_data(data, recipe, resume.device)
    check_last_batch(model, recipe, len(seen.train))
    progress = resume.restore(moving, now)
    method, network = get_method(recipe.method), compiled(model, recipe)
    task = RankTask(recipe, method, data.trait, seen, moving, network)
    return Loop(task, moving, resume, progress, stop)


def train(recipe: Recipe, packed: Path, folder: Path, device: str = "auto") -> None:
    """Train one recipe on a packed data set; write model.safetensors, history.csv and run.json.

    The model file holds the last epoch and, where there are validation images, the epoch of the
    lowest validation MAE, of gender the fewest wrong answers. A run that was killed goes on after
    its last finished epoch when called again; SIGTERM and SIGINT end it after the batch under way,
    from which it goes on. Raises UserError for a recipe that does not fit the data, for a loss that
    is not finite and for a full disk, Stopped after a signal.
    """
    watch, place, data = Stopwatch(), choose_device(device), load_packed(packed)
    if data.images.shape[1] != recipe.size:
        side = data.images.shape[1]
        raise UserError(f"{packed}: images of {side} px; the recipe's size is {recipe.size} px")
    index_sha256 = sha256(Path(packed) / "index.parquet")
    content = content_sha256(packed, data.ages)
    resume = ResumeFile(folder / "resume.pt", recipe, place, content)
    with Determinism() as determinism, stoppable(resume.kept) as stop:
        loop = start(recipe, data, resume, stop, here(place, watch.git, determinism))
        loop.run()
    task, model, progress = loop.task, loop.moving.model, loop.progress
    weights = {"last": weights_of(model)}
    if progress.best_weights is not None:
        weights["best"] = progress.best_weights
    save_models(folder / "model.safetensors", recipe, data.ages, weights)
    write_history(folder / "history.csv", progress.history, data.trait)
    write_run(
        folder / "run.json",
        recipe,
        model,
        progress,
        watch=watch,
        device=place,
        counts=(task.images, len(task.data.valid), len(data.rows("test"))),
        cut=data.cut,
        data_sha256=index_sha256,
    )
    resume.remove()

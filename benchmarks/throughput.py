"""Training images per second of the engine, of a ceiling and of the published data path.

    python benchmarks/throughput.py --backbone small16 --size 48 --crop 44 --batch 128

Three contenders take turns in one process, so that noise on the machine affects all of them:
engine    epochs of softbio's own loop as in a run: crops, forward, backward, Adam, errors, the log
          and the resume file;
ceiling   the same network, precision and optimizer on one random batch already on the device:
          no data path, no bookkeeping;
authors   the data path of the published scripts: JPEG files decoded by Pillow, resized, cropped and
          converted one image at a time in the workers of a DataLoader; fp32, contiguous.
The images are noise: their content does not affect the cost. Appends one line to a CSV.
"""

import argparse
import csv
import json
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, fields, replace
from datetime import date
from itertools import islice, repeat
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from jpeg_feed import jpeg_batches

from softbio.data.augment import scaled
from softbio.data.feed import Streamed
from softbio.data.packed import Packed, load_packed
from softbio.engine.device import Determinism, choose_device, hardware, here
from softbio.engine.loop import Loop
from softbio.engine.model import forward
from softbio.engine.provenance import git_state, peak_memory_mb
from softbio.engine.rank_task import RankTask
from softbio.engine.recipe import Recipe
from softbio.engine.resume import ResumeFile
from softbio.engine.stopping import Stop
from softbio.engine.train import start
from softbio.errors import UserError
from softbio.job import job

RANKS = 40
# Fewer are a few steps of a GPU, beside which the end of an epoch is long; of ResNet-34 at 128 px
# these take 2.5 GB of memory and disk.
ON_GPU = 50_000


@dataclass(frozen=True)
class Line:
    """One line of the CSV. Rates in images/s: medians over the rounds, and lowest to highest.

    Ratios: medians over the rounds' own ratios, robust to a machine that is slow for a while.
    """

    date: str
    commit: str
    hardware: str
    threads: int
    backbone: str
    size: int
    crop: int
    batch: int
    precision: str
    compile: bool
    feed: str
    images: int
    rounds: int
    engine: float
    engine_range: str
    ceiling: float
    ceiling_range: str
    authors: float | None
    authors_range: str
    engine_to_ceiling: float
    engine_to_authors: float | None
    peak_memory_mb: float
    layout: str


def write_data(folder: Path, images: int, size: int) -> Packed:
    """A packed data set of noise without validation images."""
    rng = np.random.default_rng(0)
    folder.mkdir()
    np.save(folder / "images.npy", rng.integers(0, 256, (images, size, size, 3), np.uint8))
    labels = rng.integers(0, RANKS, images)
    columns = {"image": np.arange(images).astype(str), "label": labels.astype(np.int32)}
    columns |= {"age": labels, "split": "train", "gender": None, "race": None, "subject": None}
    pd.DataFrame(columns).to_parquet(folder / "index.parquet")
    (folder / "card.json").write_text(json.dumps({"ages": [0, RANKS - 1]}))
    return load_packed(folder)


def wait(device: torch.device) -> None:
    """Block until the device has finished."""
    if device.type == "cuda":
        torch.cuda.synchronize(device)


def engine(recipe: Recipe, data: Packed, folder: Path, device: torch.device) -> Loop[RankTask]:
    """A run of the engine at its start."""
    resume = ResumeFile(folder / "resume.pt", recipe, device, "benchmark")
    return start(recipe, data, resume, Stop(), here(device, {}, Determinism()))


def engine_rate(run: Loop[RankTask]) -> float:
    """Images/s of one whole epoch."""
    begun = time.perf_counter()
    run.next_epoch()
    wait(run.resume.device)
    rate = run.task.images / (time.perf_counter() - begun)
    # on a GPU the state is still being written, which is not to slow down who comes next
    run.resume.remove()
    return rate


def loop_rate(run: Loop[RankTask], batches: Iterator, seconds: float) -> float:
    """Images/s of training on the given batches of (inputs, labels), for some seconds."""
    run.moving.model.train()
    task, device, done = run.task, run.resume.device, 0
    # ten batches at a time for a GPU, so that queued but unfinished work is not counted
    at_once = 10 if device.type == "cuda" else 1
    begun = time.perf_counter()
    while time.perf_counter() - begun < seconds:
        for inputs, labels in islice(batches, at_once):
            output = forward(task.network, inputs.to(device), task.recipe)
            loss = task.method.loss(output, labels.to(device), task.data.importance)
            run.moving.optimizer.zero_grad(set_to_none=True)
            loss.backward()
            run.moving.optimizer.step()
            done += len(inputs)
        wait(device)
    return done / (time.perf_counter() - begun)


def resident_batch(recipe: Recipe, device: torch.device) -> Iterator:
    """One random batch on the device, again and again."""
    shape = (recipe.batch, 3, recipe.crop, recipe.crop)
    inputs = scaled(torch.randint(0, 256, shape, dtype=torch.uint8)).to(device)
    labels = torch.randint(0, RANKS, (recipe.batch,)).to(device)
    return repeat((inputs, labels))


def images_of(options: argparse.Namespace, device: torch.device) -> int:
    """Images of the engine's epoch: as many as were asked for, on a GPU `ON_GPU` at least."""
    return max(options.images, ON_GPU) if device.type == "cuda" else options.images


def contenders(
    options: argparse.Namespace, recipe: Recipe, folder: Path, device: torch.device
) -> dict[str, Callable[[], float]]:
    """The contenders; each call is one round and returns its images/s."""
    data = write_data(folder / "packed", images_of(options, device), recipe.size)
    run = engine(recipe, data, folder / "engine", device)
    if options.streamed:
        streamed = replace(run.task.data, feed=Streamed(data.images, device))
        run = replace(run, task=replace(run.task, data=streamed))
    bare = engine(recipe, data, folder / "bare", device)
    batches = resident_batch(recipe, device)
    rates = {
        "engine": lambda: engine_rate(run),
        "ceiling": lambda: loop_rate(bare, batches, options.seconds),
    }
    if options.workers:
        published = replace(recipe, precision="fp32", channels_last=False, compile=False)
        theirs = engine(published, data, folder / "authors", device)
        jpegs = jpeg_batches(folder / "jpeg", recipe, RANKS, options.workers)
        rates["authors"] = lambda: loop_rate(theirs, jpegs, options.seconds)
    return rates


def measure(options: argparse.Namespace) -> Line:
    """Take turns for some rounds, after one to warm up."""
    device = choose_device(options.device)
    names = {field.name for field in fields(Recipe)} & vars(options).keys()
    given = {name: getattr(options, name) for name in names}
    given["channels_last"] = not options.contiguous
    recipe = Recipe("noise", method="coral", variant="", seed=0, epochs=10**6,
                    learning_rate=5e-4, **given)  # fmt: skip
    with tempfile.TemporaryDirectory() as folder, Determinism():
        rates = contenders(options, recipe, Path(folder), device)
        found: dict[str, list[float]] = {name: [] for name in rates}
        for number in range(options.rounds + 1):
            for name, rate in rates.items():
                value = rate()
                print(f"round {number} {name}: {value:,.0f} images/s", file=sys.stderr, flush=True)
                if number:
                    found[name].append(value)
    return line(options, recipe, device, found)


def line(
    options: argparse.Namespace, recipe: Recipe, device: torch.device, found: dict[str, list[float]]
) -> Line:
    """Medians and ratios of the rounds."""
    middle = {name: statistics.median(values) for name, values in found.items()}
    span = {name: f"{min(values):.0f}-{max(values):.0f}" for name, values in found.items()}
    theirs = middle.get("authors")
    return Line(
        date=date.today().isoformat(),
        commit=(git_state()["commit"] or "")[:7],
        hardware=hardware(device),
        threads=torch.get_num_threads(),
        **{
            name: getattr(recipe, name)
            for name in ("backbone", "size", "crop", "batch", "precision", "compile")
        },
        feed="streamed" if options.streamed else "resident",
        images=images_of(options, device),
        rounds=options.rounds,
        engine=round(middle["engine"], 1),
        engine_range=span["engine"],
        ceiling=round(middle["ceiling"], 1),
        ceiling_range=span["ceiling"],
        authors=theirs and round(theirs, 1),
        authors_range=span.get("authors", ""),
        engine_to_ceiling=round(ratio(found["engine"], found["ceiling"]), 3),
        engine_to_authors=theirs and round(ratio(found["engine"], found["authors"]), 2),
        peak_memory_mb=round(peak_memory_mb(device)),
        layout="channels_last" if recipe.channels_last else "contiguous",
    )


def ratio(ours: list[float], theirs: list[float]) -> float:
    """Median of the rounds' ratios."""
    return statistics.median(one / other for one, other in zip(ours, theirs, strict=True))


def check_table(path: Path) -> None:
    """Raise UserError where a CSV is there that a line cannot be appended to."""
    columns = [field.name for field in fields(Line)]
    if path.exists() and path.read_text().partition("\n")[0].split(",") != columns:
        raise UserError(f"{path}: has other columns than this version writes; move it away")


def write_line(path: Path, result: Line) -> None:
    """Append to a CSV, with a header if it is new."""
    path.parent.mkdir(parents=True, exist_ok=True)
    new = not path.exists()
    with open(path, "a", newline="") as file:
        writer = csv.DictWriter(file, [field.name for field in fields(Line)], lineterminator="\n")
        if new:
            writer.writeheader()
        writer.writerow(asdict(result))


def parse() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add = parser.add_argument
    add("--backbone", default="resnet34", help="as in a config")
    add("--size", type=int, default=128, help="px of the packed images")
    add("--crop", type=int, default=120, help="px of what the network sees")
    add("--batch", type=int, default=256, help="images a step")
    add("--precision", default="fp32", choices=["fp32", "bf16"])
    add("--contiguous", action="store_true", help="not channels_last, for engine and ceiling")
    add("--compile", action="store_true", help="torch.compile of the engine's and the bare step")
    add("--device", default="auto", help="auto, cpu or cuda")
    add("--streamed", action="store_true", help="from the memory map even where the images fit")
    add("--threads", type=int, help="threads of torch; default: all cores")
    add("--images", type=int, default=4096, help=f"images an epoch; at least {ON_GPU:,} on a GPU")
    add("--rounds", type=int, default=5, help="turns that count, after one that does not")
    add("--seconds", type=float, default=10, help="least length of the other contenders' turns")
    add("--workers", type=int, default=3, help="of the published loader; 0 leaves it out")
    add("--out", type=Path, default=Path("results/throughput.csv"))
    return parser.parse_args()


def main() -> None:
    """Measure one case."""
    options = parse()
    if options.threads:
        torch.set_num_threads(options.threads)
    with job():
        check_table(options.out)
        result = measure(options)
        write_line(options.out, result)
    for name, value in asdict(result).items():
        print(f"{name:18} {value}")


if __name__ == "__main__":
    main()

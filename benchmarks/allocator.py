"""Cost of a training step where freed memory is kept for the next step, or returned to the kernel.

    python benchmarks/allocator.py

The setting belongs to a process, so each turn is a process of its own, and both kinds take turns.
The steps are the engine's on one random batch, without a data path. Prints a CSV of
milliseconds and page faults per step (medians of the rounds), the ratio and the largest memory.
"""

import argparse
import csv
import json
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import torch
from throughput import engine, resident_batch, write_data

from softbio.allocator import keep_freed_memory
from softbio.engine.device import Determinism
from softbio.engine.provenance import peak_memory_mb
from softbio.engine.rank_task import step as train_step
from softbio.engine.recipe import Recipe

WAYS = ("returned", "kept")
# backbone, px of the packed images, px of the crop, batch
CASES = (("small16", 48, 44, 128), ("resnet34", 128, 120, 32))
CPU = torch.device("cpu")


def parse() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    names = [backbone for backbone, *_ in CASES]
    parser.add_argument("--backbone", choices=names, action="append", help="not all of them")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--steps", type=int, default=10)
    parser.add_argument("--turn", nargs=2, metavar=("CASE", "WAY"), help=argparse.SUPPRESS)
    return parser.parse_args()


def faults() -> int:
    """Page faults of this process without a read from disk."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt


def turn(case: int, way: str, steps: int) -> dict[str, float]:
    """Steps in this process: milliseconds and faults of each, and the largest memory in MB."""
    if way == "kept":
        keep_freed_memory()
    torch.set_num_threads(1)
    backbone, size, crop, batch = CASES[case]
    recipe = Recipe("noise", backbone=backbone, size=size, crop=crop, batch=batch, method="coral",
                    variant="", seed=0, epochs=1, learning_rate=5e-4)  # fmt: skip
    with tempfile.TemporaryDirectory() as folder, Determinism():
        data = write_data(Path(folder) / "packed", 2 * batch, size)
        run = engine(recipe, data, Path(folder) / "run", CPU)
        inputs, labels = next(resident_batch(recipe, CPU))
        for step in range(steps + 2):
            # two to warm up
            if step == 2:
                begun, before = time.perf_counter(), faults()
            train_step(run.task, inputs, labels)
    each = (time.perf_counter() - begun) / steps
    memory = peak_memory_mb(CPU)
    return {"ms": 1000 * each, "faults": (faults() - before) / steps, "memory": memory}


def elsewhere(case: int, way: str, steps: int) -> dict[str, float]:
    """`turn` in a new process."""
    command = [sys.executable, __file__, "--steps", str(steps), "--turn", str(case), way]
    return json.loads(subprocess.run(command, stdout=subprocess.PIPE, check=True).stdout)


def main() -> None:
    """All cases."""
    options = parse()
    if options.turn:
        print(json.dumps(turn(int(options.turn[0]), options.turn[1], options.steps)))
        return
    out = csv.writer(sys.stdout, lineterminator="\n")
    values = ("ms", "faults", "memory")
    out.writerow(
        ["backbone", "crop", "batch", *(f"{v} {w}" for v in values for w in WAYS), "ratio"]
    )
    for case, (backbone, _, crop, batch) in enumerate(CASES):
        if options.backbone and backbone not in options.backbone:
            continue
        rounds = [
            {way: elsewhere(case, way, options.steps) for way in WAYS}
            for _ in range(options.rounds)
        ]
        middle = [statistics.median(r[way][v] for r in rounds) for v in values for way in WAYS]
        ratio = statistics.median(r["kept"]["ms"] / r["returned"]["ms"] for r in rounds)
        out.writerow([backbone, crop, batch, *(f"{m:.0f}" for m in middle), f"{ratio:.2f}"])


if __name__ == "__main__":
    main()

"""Where the time of a training step goes: the kernels with the largest shares, by torch.profiler.

    python benchmarks/profile_step.py --backbone resnet34 --precision bf16

Prints Markdown. `--contiguous` gives the memory layout of the published scripts.
"""

import argparse
from collections.abc import Iterable
from typing import Any

import torch
from torch.autograd import DeviceType
from torch.profiler import ProfilerActivity, profile

from softbio.data.augment import scaled
from softbio.engine.device import choose_device
from softbio.engine.model import build_model, forward
from softbio.engine.recipe import Recipe
from softbio.methods import get_method

RANKS = 40


def parse() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    add = parser.add_argument
    add("--backbone", default="resnet34")
    add("--crop", type=int, default=120)
    add("--batch", type=int, default=64)
    add("--precision", default="fp32", choices=["fp32", "bf16"])
    add("--contiguous", action="store_true")
    add("--device", default="auto")
    add("--steps", type=int, default=3)
    add("--top", type=int, default=8)
    return parser.parse_args()


def spent(rows: Iterable[Any], cuda: bool) -> dict[str, float]:
    """Microseconds by the name of a kernel, of the rows of `key_averages`.

    On a GPU of its own rows alone: an operator's row holds the time of the kernels that it has
    launched once more, an annotation's (a step of the optimizer) that of all within it.
    """
    found: dict[str, float] = {}
    for row in rows:
        if not cuda:
            found[row.key] = found.get(row.key, 0.0) + row.self_cpu_time_total
        elif row.device_type == DeviceType.CUDA and not row.is_user_annotation:
            found[row.key] = found.get(row.key, 0.0) + row.self_device_time_total
    return found


def main() -> None:
    """Profile some steps after two that warm up."""
    options = parse()
    device = choose_device(options.device)
    recipe = Recipe(
        *("noise", options.backbone, "coral", "", 0),
        size=options.crop,
        crop=options.crop,
        epochs=1,
        batch=options.batch,
        learning_rate=5e-4,
        precision=options.precision,
        channels_last=not options.contiguous,
    )
    model, method = build_model(recipe, RANKS).to(device), get_method("coral")
    optimizer = torch.optim.Adam(model.parameters(), lr=recipe.learning_rate, fused=True)
    shape = (options.batch, 3, options.crop, options.crop)
    inputs = scaled(torch.randint(0, 256, shape, dtype=torch.uint8)).to(device)
    labels = torch.randint(0, RANKS, (options.batch,)).to(device)
    importance = torch.ones(RANKS - 1, device=device)

    def step() -> None:
        loss = method.loss(forward(model, inputs, recipe), labels, importance)
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        optimizer.step()

    for _ in range(2):
        step()
    cuda = device.type == "cuda"
    activities = [ProfilerActivity.CPU, *([ProfilerActivity.CUDA] if cuda else [])]
    with profile(activities=activities) as profiled:
        for _ in range(options.steps):
            step()
        if cuda:
            torch.cuda.synchronize(device)
    times = spent(profiled.key_averages(), cuda)
    total = sum(times.values())
    print(f"| kernel | share | ms a step |\n| --- | --- | --- |\n"
          f"| all | 100 % | {total / options.steps / 1e3:.0f} |")  # fmt: skip
    for name in sorted(times, key=times.get, reverse=True)[: options.top]:
        print(f"| {name} | {times[name] / total:.0%} | {times[name] / options.steps / 1e3:.1f} |")


if __name__ == "__main__":
    main()

"""Cost of a training step of the networks that hide gender, by memory layout.

    python benchmarks/privacy_step.py

Random faces with the size and batches of a variant, one thread; both layouts take turns.
Prints a CSV of CPU milliseconds (medians of the rounds) and the ratio.
"""

import argparse
import csv
import statistics
import sys
import time
from collections.abc import Callable

import torch
from torch.nn import functional as F

from softbio.privacy.models.auxiliaries import CosineHead, frozen
from softbio.privacy.models.san import Modes
from softbio.privacy.models.weights import build_network
from softbio.privacy.plan_recipe import Plan, plan_from
from softbio.privacy.recipe import AuxiliaryRecipe
from softbio.privacy.training.san_task import Batch, Judges, SanTask, optimizer_of

LAYOUTS = {"contiguous": torch.contiguous_format, "channels_last": torch.channels_last}
SUBJECTS = 100
Step = Callable[[], None]


def parse() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--variant", default="drawn64")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--steps", type=int, default=10)
    return parser.parse_args()


def moved(optimizer: torch.optim.Optimizer, loss: torch.Tensor) -> None:
    """One step of the optimizer."""
    optimizer.zero_grad(set_to_none=True)
    loss.backward()
    optimizer.step()


def auxiliary_step(recipe: AuxiliaryRecipe, layout: torch.memory_format) -> Step:
    """A step of the gender classifier or of the matcher, without its augmentation."""
    network = build_network(recipe).to(memory_format=layout).train()
    head, classes, loss_of = torch.nn.Identity(), 2, F.cross_entropy
    if recipe.kind == "matcher":
        head, classes = CosineHead(SUBJECTS, recipe.scale, recipe.margin), SUBJECTS
        loss_of = head.loss
    parameters = [*network.parameters(), *head.parameters()]
    optimizer = torch.optim.Adam(parameters, lr=recipe.learning_rate, fused=True)
    faces = torch.rand(recipe.batch, 1, recipe.size, recipe.size)
    target = torch.randint(0, classes, (recipe.batch,))
    return lambda: moved(optimizer, loss_of(head(network(faces)), target))


def san_step(plan: Plan, layout: torch.memory_format) -> Step:
    """A step of the adversarial stage, against both judges."""
    recipe, shape = plan.san, (plan.san.batch, 1, plan.san.size, plan.san.size)
    san, classifier, matcher = (
        build_network(each).to(memory_format=layout) for each in (recipe, plan.gender, plan.matcher)
    )
    judges, optimizer = Judges(frozen(classifier), frozen(matcher)), optimizer_of(san, recipe)
    task = SanTask(recipe, san, optimizer, judges, None, None, None)
    task.matching_weight = recipe.matching_weight
    faces, gender = torch.rand(shape), torch.randint(0, 2, shape[:1])
    prototypes = Modes(*(torch.rand(shape).expand(-1, 3, -1, -1) for _ in Modes._fields))
    with torch.no_grad():
        batch = Batch(faces, prototypes, gender, matcher(faces))
    return lambda: moved(optimizer, task.adversarial(batch)[0])


def milliseconds(step: Step, count: int) -> float:
    """CPU time of a step, the mean of `count` after one that warms up."""
    step()
    begun = time.process_time()
    for _ in range(count):
        step()
    return 1000 * (time.process_time() - begun) / count


def main() -> None:
    """All networks, one after the other."""
    options = parse()
    torch.set_num_threads(1)
    torch.manual_seed(0)
    plan = plan_from({"variant": options.variant}, "noise", 0)
    made = {
        "san": (plan.san.batch, lambda layout: san_step(plan, layout)),
        "gender": (plan.gender.batch, lambda layout: auxiliary_step(plan.gender, layout)),
        "matcher": (plan.matcher.batch, lambda layout: auxiliary_step(plan.matcher, layout)),
    }
    out = csv.writer(sys.stdout, lineterminator="\n")
    out.writerow(["step", "batch", *LAYOUTS, "ratio"])
    for name, (batch, build) in made.items():
        steps = {layout: build(LAYOUTS[layout]) for layout in LAYOUTS}
        times = {layout: [] for layout in LAYOUTS}
        for _ in range(options.rounds):
            for layout, step in steps.items():
                times[layout].append(milliseconds(step, options.steps))
        usual, fast = (statistics.median(times[layout]) for layout in LAYOUTS)
        out.writerow([name, batch, f"{usual:.1f}", f"{fast:.1f}", f"{fast / usual:.2f}"])


if __name__ == "__main__":
    main()

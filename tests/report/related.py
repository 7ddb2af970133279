"""The family of a made-up population: how its ensembles' classifiers differ, and its prototypes."""

from dataclasses import replace
from pathlib import Path

import numpy as np

from softbio.hiding.load import Hiding, load_hiding
from softbio.hiding.population import read_population
from softbio.privacy.prototypes import GroupPrototypes, Prototypes, write_prototypes
from softbio.results.scores import write_gender
from tests.report import hidden

# what two classifiers share of their mistakes
SHARED = {"e1": 0.9, "e2": 0.6, "e3": 0.2}
MEMBERS = 3
GROUPS = ("old, group A", "old, group B", "young, group A", "young, group B")


def answers(world: hidden.World, folder: Path, seed: int, diversity: str) -> Path:
    """Score files of an ensemble's classifiers on the faces of a condition."""
    protector, mode = folder.parts[-2:]
    place = folder / f"diversity/{diversity}"
    scores = hidden.gender(world, "own_cnn", protector, mode, seed)
    common = hidden._generator("common", *folder.parts[-2:], seed).normal(0, 1, len(scores.frame))
    share = SHARED[diversity]
    for k in range(1, MEMBERS + 1):
        own = hidden._generator(diversity, k, mode, seed).normal(0, 1, len(common))
        noise = np.sqrt(share) * common + np.sqrt(1 - share) * own
        value = 1 / (1 + np.exp(-2 * (scores.labels - 0.5) - noise))
        about = replace(scores.about, evaluator=f"member{k}", title=f"Auxiliary CNN {k}")
        told = replace(scores, about=about, frame=scores.frame.assign(score=value))
        write_gender(place / f"member{k}.parquet", told)
    return place


def prototypes(path: Path) -> Path:
    """prototypes.npz of four groups: ovals of as many shades."""
    y, x = np.mgrid[-1 : 1 : hidden.SIZE * 1j, -1 : 1 : hidden.SIZE * 1j]
    every = []
    for number in range(len(GROUPS) + 1):
        faces = [
            0.2 + (0.3 + 0.1 * number) * ((x / width) ** 2 + (y / 0.85) ** 2 < 1)
            for width in (0.6, 0.75)
        ]
        means = np.repeat(np.stack(faces)[..., None], 3, axis=3).astype(np.float32)
        every.append(Prototypes(means, np.full((2, 68, 2), np.nan), np.array([0.5, 0.5])))
    write_prototypes(GroupPrototypes(tuple(every), GROUPS, np.zeros(4, np.int64), "told"), path)
    return path


def opened(root: Path, world: hidden.World, resamples: int = 100) -> tuple[hidden.Made, Hiding]:
    """A population with its family, judged."""
    made = hidden.build(root, world)
    people = read_population(world.dataset, made.card, made.parts)
    asked = [(folder, int(folder.parts[-3].removeprefix("seed"))) for folder in made.conditions
             if folder.parts[-2:] in (("none", "original"), ("ensemble", "average"))]  # fmt: skip
    found = [answers(world, folder, seed, name) for folder, seed in asked for name in SHARED]
    path = prototypes(root / "prototypes-told.npz")
    return made, load_hiding(
        people, made.conditions, (), (), resamples, diversity=found, prototypes=path
    )

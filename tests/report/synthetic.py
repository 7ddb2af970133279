"""A small made-up results folder in the formats of the workflow: 2 backbones x 3 methods x 3 seeds,
weighted runs, controls. Numbers are drawn from a generator, none of them is a measurement."""

import json
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from softbio.data.registry import Card, Citation, FoundFile
from softbio.results.evaluate import evaluate_file
from softbio.results.predictions import About, write_predictions
from softbio.results.records import KEY

AGES = (21, 40)
K = AGES[1] - AGES[0] + 1
N = 240
SPREAD = {"ce": 4.5, "orcnn": 3.9, "coral": 3.7}
# what the talk does not have: a method here without probabilities, and a user's own
BEYOND = {"regression": (4.1, "point", "L1 regression"), "mine": (4.0, "class", "My <own> method")}
BACKBONES = {"small32": (1.0, 0.42, 0.031, 48, 44), "resnet34": (0.9, 21.3, 1.13, 128, 120)}
EPOCHS = 12


@dataclass(frozen=True)
class Results:
    """Where the made-up run folders and data card lie."""

    root: Path
    runs: list[Path]
    cards: list[Path]


def _images(rng: np.random.Generator, n: int = N) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "image": [f"s{i // 2:03d}_{i % 2}.png" for i in range(n)],
            "label": np.clip(rng.normal(9, 5, n).round(), 0, K - 1).astype("int32"),
            "gender": rng.choice(["female", "male"], n),
            "race": rng.choice(["group A", "group B", "group C"], n),
            "subject": [f"s{i // 2:03d}" for i in range(n)],
        }
    )


def _probabilities(method: str, latent: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """(n, K-1) P(y > k), (n, K) P(y = k) for ce and mine, (n, 0) for regression; only orcnn is rank
    inconsistent."""
    if method == "regression":
        return np.empty((len(latent), 0))
    if method in ("ce", "mine"):
        logits = -0.5 * ((np.arange(K) - latent[:, None]) / 1.6) ** 2
        mass = np.exp(logits - logits.max(1, keepdims=True))
        return mass / mass.sum(1, keepdims=True)
    logits = (latent[:, None] - np.arange(K - 1) - 0.5) / 1.4
    if method == "orcnn":
        logits = logits + rng.normal(0, 0.35, logits.shape)
    return 1 / (1 + np.exp(-logits))


def _evaluate(folder: Path, run: dict, frame: pd.DataFrame, kind: str) -> None:
    # files of the talk's methods are as those made before titles were written
    named = {"title": BEYOND[run["method"]][2], "in_talk": False} if run["method"] in BEYOND else {}
    about = About(**run, kind=kind, ages=AGES, **named)
    write_predictions(folder / "predictions.parquet", about, frame)
    evaluate_file(folder / "predictions.parquet", folder / "metrics.json")


def _write_history(folder: Path, method: str, spread: float, rng: np.random.Generator) -> int:
    epochs = np.arange(1, EPOCHS + 1)
    valid = spread + 3 * np.exp(-epochs / 3) + rng.normal(0, 0.06, EPOCHS) + 0.02 * epochs
    history = pd.DataFrame(
        {
            "epoch": epochs, "loss": 6 * np.exp(-epochs / 4) + 2, "train_mae": valid * 0.8,
            "train_rmse": valid, "valid_mae": valid, "valid_rmse": valid * 1.3,
            "images_per_second": 2500 + rng.normal(0, 30, EPOCHS), "seconds": 1.1,
            "learning_rate": 5e-4,
            "bias_inversions": np.maximum(K - 2 - 4 * epochs, 0) if method == "coral" else None,
        }
    )  # fmt: skip
    history.to_csv(folder / "history.csv", index=False)
    return int(epochs[valid.argmin()])


def _write_run(folder: Path, run: dict, best: int) -> None:
    _, parameters, gmac, size, crop = BACKBONES[run["backbone"]]
    recipe = {**run, "size": size, "crop": crop, "epochs": EPOCHS, "batch": 128,
              "learning_rate": 1e-3, "precision": "bf16", "bias": "descending",
              "validation": 0.0, "channels_last": True}  # fmt: skip
    record = {
        "recipe": recipe, "dataset": run["dataset"], "k": K, "parameters": int(parameters * 1e6),
        "gmac": gmac, "best_epoch": best, "epochs": EPOCHS, "started": "2026-11-23T10:00:00+00:00",
        "wall_seconds": 14.2, "training_seconds": 13.2, "peak_memory_mb": 512.0,
        "device": "cpu", "hardware": "made-up CPU", "precision": "bf16",
        "threads": 2, "resumed_at": [], "versions": {"python": "3.11.2", "torch": "2.13.0"},
        "git": {"commit": "0123456789abcdef0123456789abcdef01234567", "dirty": False},
        "data_sha256": "0" * 64, "command": "python -m softbio train <made up>",
        "n_train": 1800, "n_valid": 240, "n_test": N,
    }  # fmt: skip
    (folder / "run.json").write_text(json.dumps(record))


def _train(root: Path, images: pd.DataFrame, run: dict) -> Path:
    method, variant = run["method"], run["variant"]
    rng = np.random.default_rng([run["seed"], len(method), len(variant), len(run["backbone"])])
    folder = (
        root
        / "age"
        / run["dataset"]
        / run["backbone"]
        / f"{method}{variant}"
        / f"seed{run['seed']}"
    )
    folder.mkdir(parents=True)
    spread, kind, _ = BEYOND.get(method, (SPREAD.get(method), "exceedance", ""))
    spread, kind = spread * BACKBONES[run["backbone"]][0], "class" if method == "ce" else kind
    parts = []
    for selection, factor in (("last", 1.0), ("best", 0.97)):
        latent = images["label"] + rng.normal(0, spread * factor, N) - 0.2 * (images["label"] - 9)
        if variant == "-shuffled":
            latent = np.full(N, 9.0) + rng.normal(0, 0.3, N)
        p = _probabilities(method, np.asarray(latent, float), rng).astype("float32")
        decoded = p.argmax(1) if kind == "class" else (p > 0.5).sum(1)
        if kind == "point":
            decoded = np.clip(np.round(latent), 0, K - 1)
        parts.append(
            images.assign(
                selection=selection, prediction=decoded.astype("int32"), probabilities=list(p)
            )
        )
    _evaluate(folder, run, pd.concat(parts, ignore_index=True), kind)
    _write_run(folder, run, _write_history(folder, method, spread, rng))
    return folder


def _median(root: Path, images: pd.DataFrame, dataset: str) -> Path:
    folder = root / "age" / dataset / "control" / "median" / "seed0"
    folder.mkdir(parents=True)
    run = {"dataset": dataset, "backbone": "control", "method": "median", "variant": "", "seed": 0}
    frame = images.assign(selection="last", prediction=np.int32(9), probabilities=[[]] * N)
    _evaluate(folder, run, frame, "point")
    return folder


def _write_card(root: Path, dataset: str, rng: np.random.Generator) -> Path:
    path = root / "packed" / dataset / "48" / "card.json"
    path.parent.mkdir(parents=True)
    counts = {"train": 1800, "valid": 240, "test": N}
    labels = {
        s: np.bincount(_images(rng, n)["label"], minlength=K).tolist() for s, n in counts.items()
    }
    card = Card(
        name=dataset, title="Made-up faces <&> no measurement", licence="CC0", access="generated",
        citation=Citation("None, this data set does not exist.", url="https://example.org/"),
        homepage=None, intended_use="Testing the report.", ages=AGES, k=K, size=48, counts=counts,
        labels=labels,
        gender={s: {"female": n // 2, "male": n - n // 2} for s, n in counts.items()},
        race={s: {"group A": n} for s, n in counts.items()},
        subjects={s: n // 2 for s, n in counts.items()},
        missing_ranks={s: [i for i, n in enumerate(h) if n == 0] for s, h in labels.items()},
        rejected=2, files=(FoundFile("faces.tar", "ab" * 32, 123456),),
        known_problems=("The numbers are drawn from a generator.",), made="2026-11-23",
        softbio="0.1.0",
    )  # fmt: skip
    path.write_text(json.dumps(asdict(card)))
    return path


def build(root: Path, dataset: str = "faces") -> Results:
    """Write the folder; returns its run folders and card."""
    rng = np.random.default_rng(7)
    images = _images(rng)
    first = next(iter(BACKBONES))
    plan = [(b, m, "", s) for b in BACKBONES for m in SPREAD for s in range(3)]
    plan += [(first, m, "-weighted", s) for m in ("orcnn", "coral") for s in range(3)]
    plan += [(first, "coral", "-shuffled", 0)]
    runs = [
        _train(root, images, {"dataset": dataset, **dict(zip(KEY[1:], run, strict=True))})
        for run in plan
    ]
    return Results(root, [*runs, _median(root, images, dataset)], [_write_card(root, dataset, rng)])


def build_beyond(root: Path) -> list[Path]:
    """Run folders of one backbone and two seeds: OR-CNN, and the methods of `BEYOND`."""
    images = _images(np.random.default_rng(8))
    place = {"dataset": "faces", "backbone": "small32", "variant": ""}
    return [
        _train(root, images, {**place, "method": method, "seed": seed})
        for method in ("orcnn", *BEYOND)
        for seed in range(2)
    ]

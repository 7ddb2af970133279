"""A made-up population in the layout of the workflow: conditions with scores and attacks. Numbers
are drawn from a generator in the pattern of the publications, none of them is a measurement."""

import json
from dataclasses import dataclass, replace
from pathlib import Path
from zlib import crc32

import numpy as np
import pandas as pd

from softbio.data.pairs import all_pairs, gallery_pairs
from softbio.hiding.load import Hiding, load_hiding
from softbio.hiding.population import read_population, read_training
from softbio.hiding.trained import read_trained
from softbio.results.scores import (
    ComparisonAbout,
    ComparisonScores,
    GenderAbout,
    GenderScores,
    write_comparisons,
    write_gender,
)

SIZE = 32
TITLES = {"none": "No protection", "san": "SAN", "mixing": "Face mixing", "blur": "Gaussian blur",
          "gradient_sign": "Gradient sign", "ensemble": "Ensemble SAN",
          "flowsan": "FlowSAN"}  # fmt: skip
# protector, mode -> separation of the genders (d'), of mated and non-mated comparisons, noise
EFFECTS = {
    ("none", "original"): (3.2, 5.0, 0.0),
    ("san", "sm"): (2.9, 4.8, 0.03),
    ("san", "nt"): (1.8, 4.7, 0.03),
    ("san", "op"): (1.0, 4.6, 0.03),
    ("mixing", "alpha0.7"): (2.0, 3.6, 0.1),
    ("mixing", "alpha0.5"): (0.7, 2.6, 0.15),
    ("mixing", "alpha0.3"): (-0.6, 1.7, 0.2),
    ("blur", "sigma2"): (2.6, 4.0, 0.05),
    ("gradient_sign", "eps8"): (2.4, 4.8, 0.02),
}
FAMILY = {  # of a world that has them; the last stage gives gender back
    ("ensemble", "member1"): (1.2, 4.5, 0.03), ("ensemble", "member2"): (0.9, 4.5, 0.03),
    ("ensemble", "member3"): (0.6, 4.5, 0.03), ("ensemble", "average"): (0.7, 4.6, 0.03),
    ("ensemble", "random"): (0.9, 4.5, 0.03), ("ensemble", "average-e1"): (1.4, 4.6, 0.03),
    ("flowsan", "stage1"): (1.2, 4.5, 0.03), ("flowsan", "stage2"): (0.6, 4.2, 0.04),
    ("flowsan", "stage3"): (2.6, 3.8, 0.05),
}  # fmt: skip
BOTH = ("aux_gender", "aux_matcher")
SEEN = {"san": BOTH, "gradient_sign": BOTH[:1], "ensemble": BOTH, "flowsan": BOTH}
TRAINED = ("san", "mixing", "ensemble", "flowsan")
CLASSIFIERS = {"aux_gender": "Auxiliary CNN", "own_cnn": "Own CNN",
               "hog_linear": "HOG and logistic regression"}  # fmt: skip
MATCHERS = {"aux_matcher": "Auxiliary matcher", "own_matcher": "Own matcher", "sface": "SFace"}
ATTACKS = {"adaptive_cnn": ("Own CNN retrained", "adaptive", 3.6),
           "blur": ("Gaussian blur, then Own CNN", "recovery", 1.4),
           "nearest": ("Nearest neighbours of embeddings", "embedding", 2.2)}  # fmt: skip
ATTACKED = (("san", "op"), ("san", "nt"), ("mixing", "alpha0.5"))


@dataclass(frozen=True)
class Made:
    """Where the files lie."""

    root: Path
    card: Path
    parts: Path
    conditions: list[Path]
    sans: list[Path]

    @property
    def trained(self) -> list[Path]:
        """run.json of each network."""
        return sorted(self.root.rglob("networks/**/run.json"))

    @property
    def attacked(self) -> list[Path]:
        """The conditions under attack."""
        return [folder for folder in self.conditions if (folder / "attacks").is_dir()]


@dataclass(frozen=True)
class World:
    """How many test subjects, images of each, comparisons of a kind, and which seeds."""

    subjects: int = 40
    each: int = 4
    cap: int = 4000
    seeds: tuple[int, ...] = (0,)
    dataset: str = "faces"
    test: str = "faces"
    access: str = "generated"
    family: bool = False


def images(world: World) -> pd.DataFrame:
    """Test faces: image, subject, gender."""
    subjects = np.repeat([f"s{s:03d}" for s in range(world.subjects)], world.each)
    names = [f"{subject}-{n % world.each}" for n, subject in enumerate(subjects)]
    gender = np.array(["female", "male"])[np.arange(len(names)) // world.each % 2]
    return pd.DataFrame({"image": names, "subject": subjects, "gender": gender})


def _generator(*words: object) -> np.random.Generator:
    return np.random.default_rng(crc32(" ".join(map(str, words)).encode()))


def _seen(name: str, protector: str) -> bool:
    return name in SEEN.get(protector, ())


def _named(protector: str, mode: str) -> tuple[str, str]:
    return ("original", "") if protector == "none" else (protector, mode)


def gender(world: World, name: str, protector: str, mode: str, seed: int) -> GenderScores:
    """P(male); what no SAN and no mate changes is the same for each seed."""
    frame = images(world)
    varies = seed if name == "aux_gender" or protector in TRAINED else "any"
    generator = _generator(name, protector, mode, varies, "gender")
    distance = (EFFECTS | FAMILY)[protector, mode][0] + {"hog_linear": -0.6}.get(name, 0)
    if _seen(name, protector) and protector == "san":
        distance = {"sm": 4.2, "nt": 0.3, "op": -3.5}[mode]
    labels = (frame["gender"] == "male").to_numpy(int)
    degree = np.repeat(_generator(name).normal(0, 0.5, world.subjects), world.each)
    logits = distance * (labels - 0.5) + degree + generator.normal(0, 0.8, len(labels))
    about = GenderAbout(
        world.test, name, *_named(protector, mode), 0.5, "higher", seed=seed,
        seen=_seen(name, protector), title=CLASSIFIERS.get(name, name),
        protector_title=TITLES[protector],
    )  # fmt: skip
    score = 1 / (1 + np.exp(-logits))
    return GenderScores(about, frame.drop(columns="gender").assign(label=labels, score=score))


def attack(world: World, name: str, protector: str, mode: str, seed: int) -> GenderScores:
    """Scores of an attacker after gender."""
    title, _, distance = ATTACKS[name]
    scores = gender(world, "own_cnn", protector, mode, seed)
    labels, generator = scores.labels, _generator(name, protector, mode, seed)
    values = distance * (labels - 0.5) + generator.normal(0, 1, len(labels))
    about = replace(scores.about, evaluator=name, title=title, threshold=0.0, seen=None)
    return GenderScores(about, scores.frame.assign(score=values))


def detection(world: World, protector: str, mode: str, seed: int) -> GenderScores:
    """Scores of an attacker who tells protected faces from clean ones."""
    frame = images(world).drop(columns="gender")
    both = pd.concat([frame, frame.assign(image="clean/" + frame["image"])], ignore_index=True)
    labels = np.repeat([1, 0], len(frame))
    values = 4 * labels + _generator("detection", mode, seed).normal(0, 1, len(labels))
    about = GenderAbout(
        world.test, "detection", protector, mode, 2.0, "higher", "protected", "clean", seed,
        title="Detection of protection", protector_title=TITLES[protector],
    )  # fmt: skip
    return GenderScores(about, both.assign(label=labels, score=values))


def comparisons(
    world: World, name: str, protector: str, mode: str, seed: int, pairs: str, kind: str
) -> ComparisonScores:
    """Cosines; protected against protected is a little less alike."""
    frame = images(world)
    names = frame["image"].to_numpy(object), frame["subject"].to_numpy(object)
    frame = gallery_pairs(*names) if pairs == "gallery" else all_pairs(*names, world.cap)
    varies = seed if name == "aux_matcher" or protector in TRAINED else "any"
    generator = _generator(name, protector, mode, varies, pairs, kind)
    degree = dict(
        zip(np.unique(names[1]), _generator(name).normal(0, 0.4, world.subjects), strict=True)
    )
    distance = (EFFECTS | FAMILY)[protector, mode][1] - 0.4 * (kind == "protected-protected")
    distance -= 0.8 * (name == "sface")
    scores = frame["mated"] * distance + generator.normal(0, 1, len(frame))
    scores += frame["reference_subject"].map(degree) + frame["probe_subject"].map(degree)
    about = ComparisonAbout(
        world.test, name, *_named(protector, mode), kind, "similarity", pairs, seed=seed,
        seen=_seen(name, protector), title=MATCHERS[name], protector_title=TITLES[protector],
    )  # fmt: skip
    return ComparisonScores(about, frame.assign(score=scores))


def _faces(world: World, protector: str, mode: str) -> np.ndarray:
    """Grey ovals with the noise of the condition, uint8 (N, S, S, 3)."""
    frame, generator = images(world), _generator(protector, mode, "pixels")
    y, x = np.mgrid[-1 : 1 : SIZE * 1j, -1 : 1 : SIZE * 1j]
    faces = []
    for number, male in enumerate(frame["gender"] == "male"):
        own = _generator(frame["subject"][number])
        width = 0.62 + 0.12 * male + own.normal(0, 0.04)
        face = 0.25 + 0.5 * ((x / width) ** 2 + (y / 0.85) ** 2 < 1)
        for side in (-0.3, 0.3):
            face = np.where((x - side) ** 2 + (y + 0.2) ** 2 < 0.015, 0.1, face)
        face = np.where((np.abs(y - 0.45) < 0.05) & (np.abs(x) < 0.3), 0.35, face)
        faces.append(face + generator.normal(0, (EFFECTS | FAMILY)[protector, mode][2], face.shape))
    grey = (255 * np.clip(faces, 0, 1)).astype(np.uint8)
    return np.repeat(grey[..., None], 3, axis=3)


def _scores(world: World, folder: Path, protector: str, mode: str, seed: int) -> None:
    for name in CLASSIFIERS:
        path = folder / f"gender/{name}.parquet"
        write_gender(path, gender(world, name, protector, mode, seed))
    kinds = ["original-original"] if protector == "none" else ["protected-original"]
    kinds += ["protected-protected"] if protector == "san" else []
    for name in MATCHERS:
        for kind in kinds:
            for pairs in ("all", "gallery") if kind != "protected-protected" else ("all",):
                scores = comparisons(world, name, protector, mode, seed, pairs, kind)
                write_comparisons(folder / f"match/{name}.{kind}.{pairs}.parquet", scores)
    frame = images(world).drop(columns="gender")
    if protector != "none":
        noise = _generator(protector, mode, "quality").normal(0, 1, len(frame))
        loss = (EFFECTS | FAMILY)[protector, mode][2]
        quality = frame.assign(psnr=30 - 60 * loss + noise, ssim=0.95 - loss + 0.01 * noise)
        quality.to_parquet(folder / "quality.parquet")
    absent = {"evaluator": "levi_hassner", "title": "Levi-Hassner", "kind": "gender",
              "reason": "its package could not be fetched"}  # fmt: skip
    index = {"absent": [absent], "test_images": len(frame)}
    (folder / "index.json").write_text(json.dumps(index))


def _attacks(world: World, folder: Path, protector: str, mode: str, seed: int) -> None:
    for name in ATTACKS:
        write_gender(folder / f"{name}.parquet", attack(world, name, protector, mode, seed))
    write_gender(folder / "detection.parquet", detection(world, protector, mode, seed))
    told = [{"name": n, "title": t, "family": f, "text": f"what {t} does"}
            for n, (t, f, _) in ATTACKS.items()]  # fmt: skip
    told.append({"name": "detection", "title": "Detection of protection", "family": "detection",
                 "text": "a classifier of clean and protected faces"})  # fmt: skip
    (folder / "index.json").write_text(json.dumps({"attacks": told, "absent": []}))


def condition(world: World, root: Path, protector: str, mode: str, seed: int) -> Path:
    """One condition's folder, filled."""
    folder = root / f"seed{seed}/{protector}/{mode}"
    folder.mkdir(parents=True)
    np.save(folder / "images.npy", _faces(world, protector, mode))
    images(world).assign(part="test").to_parquet(folder / "index.parquet")
    card = {"ages": [18, 70], "protector": protector, "mode": mode, "seed": seed,
            "title": TITLES[protector], "knows_gender": protector in ("san", "mixing"),
            "citation": "" if protector == "none" else f"Nobody: {TITLES[protector]} <made up>",
            "in_talk": protector in ("none", "san", "mixing")}  # fmt: skip
    (folder / "card.json").write_text(json.dumps(card))
    _scores(world, folder / "scores", protector, mode, seed)
    if (protector, mode) in ATTACKED:
        _attacks(world, folder / "attacks", protector, mode, seed)
    return folder


def _networks(root: Path, seed: int) -> Path:
    """run.json and history.csv of a SAN and its auxiliaries."""
    folder = root / f"seed{seed}/networks"
    stages = ["pretraining"] * 3 + ["adversarial"] * 4
    epochs = np.arange(1, 8)
    adversarial = epochs > 3
    history = pd.DataFrame(
        {"epoch": epochs, "stage": stages, "psnr": 20 + 1.3 * epochs, "seconds": 30.0,
         "error_sm": np.where(adversarial, 0.01, np.nan),
         "error_op": np.where(adversarial, 0.9, np.nan)}
    )  # fmt: skip
    recipe = {"dataset": "faces", "seed": seed, "size": 64, "shape": "px64", "epochs": 4,
              "pixel": "squared", "pixel_weight": 0.01, "gender_weight": 4.0}  # fmt: skip
    run = {"recipe": recipe, "parameters": 12345, "epochs": 7, "training_seconds": 210.0,
           "device": "cpu", "hardware": "made-up CPU", "images": 300,
           "peak_memory_mb": 500.0 + seed}  # fmt: skip
    for kind in ("gender", "matcher", "san"):
        (folder / kind).mkdir(parents=True)
        lines = history if kind == "san" else pd.DataFrame(
            {"epoch": [1, 2], "error": [0.2, 0.05], "seconds": [15.0, 15.0]}
        )  # fmt: skip
        lines.to_csv(folder / kind / "history.csv", index=False)
        (folder / kind / "run.json").write_text(json.dumps(run))
    return folder / "san"


def _family_of(san: Path) -> None:
    """run.json of two members and a later stage, beside those of a SAN; each half as long again."""
    run = json.loads((san / "run.json").read_text())
    names = [f"e3/member{k}/{what}" for k in (1, 2) for what in ("gender", "san")]
    for place, name in enumerate([*names, "flowsan/stage2"], 1):
        folder = san.parent / name
        folder.mkdir(parents=True)
        seconds = run["training_seconds"] * (1 + place / 2)
        (folder / "run.json").write_text(json.dumps(run | {"training_seconds": seconds}))


def build(root: Path, world: World = World()) -> Made:
    """Write the whole population."""
    home = root / f"privacy/{world.dataset}"
    home.mkdir(parents=True)
    faces = images(world)
    parts = [faces.assign(part="test")]
    for part in ("san", "evaluators", "attacker"):
        others = faces.assign(part=part)
        others[["image", "subject"]] = part + "-" + others[["image", "subject"]]
        parts.append(others)
    pd.concat(parts)[["image", "subject", "part", "gender"]].to_csv(home / "parts.csv", index=False)
    entry = {"name": world.test, "title": "Made-up <faces>", "licence": "CC0",
             "access": world.access, "reader": "drawn", "citation": {"text": "None & never."},
             "intended_use": "Testing the report.",
             "known_problems": ["Nobody & <none>.", "Drawn twice."]}  # fmt: skip
    card = root / f"faces/{world.dataset}/card.json"
    card.parent.mkdir(parents=True)
    reasons = {"no face was found": 3, "landmarks outside": 1}
    left_out = [{"dataset": world.test, "reason": r, "images": n} for r, n in reasons.items()]
    card.write_text(json.dumps({"name": world.dataset, "datasets": {world.test: entry},
                                "size": SIZE, "left_out": left_out, "ages": [0, 0]}))  # fmt: skip
    effects = EFFECTS | (FAMILY if world.family else {})
    conditions = [condition(world, home, *e, seed) for seed in world.seeds for e in effects]
    sans = [_networks(home, seed) for seed in world.seeds]
    for san in sans if world.family else ():
        _family_of(san)
    return Made(root, card, home / "parts.csv", conditions, sans)


def opened(made: Made, world: World, resamples: int = 100) -> Hiding:
    """The population, judged."""
    population = read_population(world.dataset, made.card, made.parts)
    trainings = [read_training(folder) for folder in made.sans]
    known = population, made.conditions, made.attacked, trainings, resamples
    return load_hiding(*known, trained=read_trained(made.trained))

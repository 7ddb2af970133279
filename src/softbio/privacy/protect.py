"""Protecting the faces of a data set: a packed data set again, for every evaluator to read."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from softbio.data.packed import Packed, load_packed
from softbio.engine.device import Determinism, choose_device
from softbio.errors import UserError
from softbio.files import atomic, room, write_json
from softbio.privacy.faces import GreyFaces, as_bytes
from softbio.privacy.models.privacynet import load_privacynet
from softbio.privacy.models.weights import load_network
from softbio.privacy.parts import read_parts
from softbio.privacy.protectors import get_protector
from softbio.privacy.protectors.base import Batch, Protect, Resources
from softbio.privacy.prototype_source import source_of
from softbio.privacy.recipe import AuxiliaryRecipe, SanRecipe

# faces that the attacker learns from, and those that are judged
PROTECTED = ("attacker", "test")
BATCH = 64
# how far a grey level may leave 0..1 by rounding
ROUNDING = 1e-3
# room for index and card
SLACK = 2**20


@dataclass(frozen=True)
class NetworkFiles:
    """The files of what a protector may need, empty where it needs none.

    classifier: of `train_auxiliary`; san, members: of `train_san`, which need the prototypes that
    they were trained with, and warped ones their pairs; generator: of `train_privacynet`.
    """

    classifier: Path | None = None
    san: Path | None = None
    prototypes: Path | None = None
    pairs: Path | None = None
    members: tuple[Path, ...] = ()
    generator: Path | None = None


def load_resources(
    packed: Path,
    parts: Path,
    seed: int = 0,
    device: str = "auto",
    files: NetworkFiles | None = None,
) -> Resources:
    """What protectors need: faces, their parts.csv, and the networks of some files.

    Raises UserError where files do not belong together.
    """
    place, data, files = choose_device(device), load_packed(packed), files or NetworkFiles()
    source, judge, other, networks = None, None, None, []
    for path in [*([files.san] if files.san is not None else []), *files.members]:
        recipe, network = load_network(path, SanRecipe)
        source = source_of(path, recipe, files.prototypes, files.pairs, place)
        check_side(path, recipe.size, data)
        networks.append(network.to(place))
    if files.classifier is not None:
        judge = load_network(files.classifier, AuxiliaryRecipe)[1].to(place)
    if files.generator is not None:
        recipe, other = load_privacynet(files.generator)
        check_side(files.generator, recipe.size, data)
        other = other.to(place)
    own = None if files.san is None else networks.pop(0)
    return Resources(
        faces=GreyFaces(data, place),
        parts=read_parts(parts, data),
        seed=seed,
        classifier=judge,
        san=own,
        source=source,
        members=tuple(networks),
        generator=other,
    )


def check_side(path: Path, size: int, data: Packed) -> None:
    """Raise UserError for a network, the file at `path`, of another size than the faces."""
    side = data.images.shape[1]
    if size != side:
        raise UserError(f"{path}: trained at {size} px; the faces have {side} px")


def protected(protect: Protect, resources: Resources, rows: np.ndarray) -> Iterator[Tensor]:
    """Batches of protected faces, float32 (B, 1, S, S) in 0..1. Raises UserError for anything else
    than as many faces of the same side: the rest would be judged by the wrong subjects."""
    for start in range(0, len(rows), BATCH):
        chosen = torch.from_numpy(rows[start : start + BATCH])
        with torch.no_grad():
            images = resources.faces.batch(chosen)
            gender = resources.faces.gender[chosen.to(resources.device)]
            found = protect(Batch(images, gender, chosen))
        if not isinstance(found, Tensor) or found.shape != images.shape:
            what = f"a tensor of {tuple(found.shape)}" if isinstance(found, Tensor) else type(found)
            raise UserError(
                f"protector: gives {what} for faces {tuple(images.shape)}; it must give as many of "
                "the same side, in one channel"
            )
        yield found


def check_values(faces: Tensor, where: str) -> None:
    """Raise UserError for protected faces that are not finite or leave 0..1: cut off, they would
    pass for perfect protection. where: what the error begins with."""
    if not faces.isfinite().all():
        raise UserError(f"{where} gives values that are not finite; train its networks again")
    if faces.min() < -ROUNDING or faces.max() > 1 + ROUNDING:
        raise UserError(
            f"{where} gives grey levels from {faces.min():.3g} to {faces.max():.3g}; they must lie "
            "in 0..1"
        )


def protect_parts(
    name: str, mode: str, resources: Resources, folder: Path, parts: tuple[str, ...] = PROTECTED
) -> None:
    """Write a packed data set of the protected faces of some parts: images.npy (uint8, three equal
    channels), index.parquet (the data set's rows, and the part), card.json.

    Raises UserError for a protector, mode or part that does not exist, for what `protected` and
    `check_values` refuse, and for a full disk.
    """
    protector = get_protector(name)
    protect = protector.prepare(mode, resources)
    data, rows = resources.faces.packed, np.flatnonzero(np.isin(resources.parts, parts))
    if not len(rows):
        raise UserError(f"protect: no face in the parts {', '.join(parts)}")
    shape = (len(rows), *data.images.shape[1:])
    header = {"descr": "|u1", "fortran_order": False, "shape": shape}
    with room(folder, int(np.prod(shape)) + SLACK), Determinism():
        (folder / "card.json").unlink(missing_ok=True)
        with atomic(folder / "images.npy") as part, open(part, "wb") as file:
            np.lib.format.write_array_header_1_0(file, header)
            for batch in protected(protect, resources, rows):
                check_values(batch, f"{folder}: {name} {mode}")
                file.write(as_bytes(batch).tobytes())
        index = data.index.iloc[rows].reset_index(drop=True).assign(part=resources.parts[rows])
        with atomic(folder / "index.parquet") as part:
            index.to_parquet(part, index=False)
        # last: without it the folder counts as unfinished
        about = {"ages": list(data.ages), "protector": name, "mode": mode, "seed": resources.seed}
        about |= {"title": protector.title, "citation": protector.citation}
        about |= {"knows_gender": protector.knows_gender, "in_talk": protector.in_talk}
        write_json(folder / "card.json", about)

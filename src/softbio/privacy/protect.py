"""Protecting the faces of a data set: a packed data set again, for every evaluator to read."""

from collections.abc import Iterator, Sequence
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
from softbio.privacy.protectors.base import Batch, Means, Protect
from softbio.privacy.prototype_source import source_of
from softbio.privacy.recipe import AuxiliaryRecipe, SanRecipe

# whom the attacker learns from, and who is judged on
PROTECTED = ("attacker", "test")
BATCH = 64
# room for index and card
SLACK = 2**20


def load_means(
    packed: Path,
    parts: Path,
    seed: int = 0,
    device: str = "auto",
    classifier: Path | None = None,
    san: Path | None = None,
    prototypes: Path | None = None,
    pairs: Path | None = None,
    members: Sequence[Path] = (),
    generator: Path | None = None,
) -> Means:
    """What protectors need, from the files of its makers; SANs need their prototypes.

    Raises UserError where files do not belong together.
    """
    place, data = choose_device(device), load_packed(packed)
    source, judge, other, networks = None, None, None, []
    for path in [san, *members] if san is not None else members:
        recipe, network = load_network(path, SanRecipe)
        source = source_of(path, recipe, prototypes, pairs, place)
        check_side(path, recipe.size, data)
        networks.append(network.to(place))
    if classifier is not None:
        judge = load_network(classifier, AuxiliaryRecipe)[1].to(place)
    if generator is not None:
        recipe, other = load_privacynet(generator)
        check_side(generator, recipe.size, data)
        other = other.to(place)
    own = None if san is None else networks.pop(0)
    faces = GreyFaces(data, place)
    return Means(faces, read_parts(parts, data), seed, judge, own, source, tuple(networks), other)


def check_side(path: Path, size: int, data: Packed) -> None:
    """Raise UserError for a network, the file at `path`, of another size than the faces."""
    side = data.images.shape[1]
    if size != side:
        raise UserError(f"{path}: trained at {size} px; the faces have {side} px")


def protected(protect: Protect, means: Means, rows: np.ndarray) -> Iterator[Tensor]:
    """Batches of protected faces, float32 (B, 1, S, S) in 0..1."""
    for start in range(0, len(rows), BATCH):
        chosen = torch.from_numpy(rows[start : start + BATCH])
        with torch.no_grad():
            images = means.faces.batch(chosen)
            gender = means.faces.gender[chosen.to(means.device)]
            yield protect(Batch(images, gender, chosen))


def protect_parts(
    name: str, mode: str, means: Means, folder: Path, parts: tuple[str, ...] = PROTECTED
) -> None:
    """Write a packed data set of the protected faces of some parts: images.npy (uint8, three equal
    channels), index.parquet (the data set's rows, and the part), card.json.

    Raises UserError for a protector, mode or part that does not exist, for faces that are not
    finite and for a full disk.
    """
    protector = get_protector(name)
    protect = protector.prepare(mode, means)
    data, rows = means.faces.packed, np.flatnonzero(np.isin(means.parts, parts))
    if not len(rows):
        raise UserError(f"protect: no face in the parts {', '.join(parts)}")
    shape = (len(rows), *data.images.shape[1:])
    header = {"descr": "|u1", "fortran_order": False, "shape": shape}
    with room(folder, int(np.prod(shape)) + SLACK), Determinism():
        (folder / "card.json").unlink(missing_ok=True)
        with atomic(folder / "images.npy") as part, open(part, "wb") as file:
            np.lib.format.write_array_header_1_0(file, header)
            for batch in protected(protect, means, rows):
                if not batch.isfinite().all():
                    raise UserError(
                        f"{folder}: {name} {mode} gives values that are not finite, which would "
                        "pass for perfect protection; train its networks again"
                    )
                file.write(as_bytes(batch).tobytes())
        index = data.index.iloc[rows].reset_index(drop=True).assign(part=means.parts[rows])
        with atomic(folder / "index.parquet") as part:
            index.to_parquet(part, index=False)
        # last: without it the folder counts as unfinished
        about = {"ages": list(data.ages), "protector": name, "mode": mode, "seed": means.seed}
        about |= {"title": protector.title, "citation": protector.citation}
        about |= {"knows_gender": protector.knows_gender, "in_talk": protector.in_talk}
        write_json(folder / "card.json", about)

"""What the matcher in the loss says of the faces as they are: once for all trainings against it.

Each step of a SAN or a PrivacyNet sets protected faces beside it, and asks of few faces again and
again: as they are, or mirrored. With dlib's net that is a quarter of a SAN's step on a CPU.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor, nn

from softbio.engine.device import Determinism
from softbio.errors import UserError
from softbio.files import atomic
from softbio.privacy.faces import GreyFaces, moved
from softbio.privacy.training.loss_matcher import LossMatcher, load_matcher, matcher_sha256
from softbio.privacy.training.session import begin
from softbio.progress import bar
from softbio.sources import MATCHERS, modules_sha256

BATCH = 16


@dataclass(frozen=True)
class Originals:
    """Embeddings of the faces that are trained on.

    rows: int64 (count,), ascending, CPU, their places in the data set; embeddings: float32
    (count, 2, D) on the device, of each face as it is and mirrored.
    """

    rows: Tensor
    embeddings: Tensor

    def of(self, rows: Tensor, mirrored: Tensor) -> Tensor:
        """float32 (B, D) of some of these rows, int64 (B,), CPU; mirrored: bool (B,). Raises
        IndexError for a row that is not among them."""
        device, places = self.embeddings.device, torch.searchsorted(self.rows, rows)
        if not torch.equal(self.rows[places], rows):
            raise IndexError("faces of another part than was embedded")
        return self.embeddings[moved(places, device), mirrored.long()]


def embed(matcher: nn.Module, faces: GreyFaces, rows: Tensor) -> Originals:
    """Those of a matcher for rows int64 (count,), ascending, on the device of the faces."""
    parts = rows.split(BATCH)
    found = []
    with torch.no_grad():
        for part in bar(parts, "original faces", len(parts), 0):
            plain = faces.batch(part)
            found.append(torch.stack([matcher(plain), matcher(plain.flip(3))], 1))
    return Originals(rows, torch.cat(found))


def write_originals(
    packed: Path,
    parts: Path,
    size: int,
    matcher: Path | nn.Module,
    matcher_net: str,
    path: Path,
    device: str = "auto",
) -> None:
    """Embed the faces of the part "san" into a file for `originals_of`.

    parts: parts.csv; matcher, size: as `load_matcher`; matcher_net: as recipes name it. Raises
    UserError where files do not belong together.
    """
    from safetensors.torch import save_file

    start = begin(size, packed, parts, device)
    about = {"of": _origin([*start.read, matcher_sha256(matcher, matcher_net)], matcher)}
    with Determinism():
        network = load_matcher(matcher, size, start.device)
        found = embed(network, GreyFaces(start.packed, start.device), start.rows("san"))
    with atomic(path) as part:
        save_file({"embeddings": found.embeddings.cpu()}, part, metadata=about)


def originals_of(
    path: Path | None, of: Sequence[str], matcher: nn.Module, faces: GreyFaces, rows: Tensor
) -> Originals:
    """Those that `write_originals` wrote for these rows, or without a file made now.

    of: SHA-256 of the data set's index, of parts.csv and of the matcher. Raises UserError for
    another file, and for one of other faces or of another matcher.
    """
    from safetensors import SafetensorError, safe_open

    if path is None:
        return embed(matcher, faces, rows)
    try:
        with safe_open(path, framework="pt") as file:
            given, embeddings = file.metadata()["of"], file.get_tensor("embeddings")
    except (OSError, SafetensorError, KeyError, TypeError) as error:
        reason = str(error).splitlines()[0]
        raise UserError(f"{path}: no embeddings of original faces ({reason}); embed them") from None
    if given != _origin(of, matcher) or embeddings.shape[:2] != (len(rows), 2):
        raise UserError(f"{path}: of other faces or another matcher; delete it and embed them anew")
    return Originals(rows, embeddings.to(faces.device))


def _origin(of: Sequence[str], matcher: Path | nn.Module) -> str:
    """What embeddings depend on. of: as `originals_of`; a matcher of the registry adds its sources,
    for its weights do not tell how they are used."""
    code = [modules_sha256(MATCHERS)] if isinstance(matcher, LossMatcher) else []
    return " ".join([*of, *code])

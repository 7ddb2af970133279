"""The one interface of all evaluators: aligned faces in, scores or embeddings out."""

from collections.abc import Callable
from importlib import import_module
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from softbio.errors import UserError
from softbio.evaluators.crop import CANVAS, constant, crop, parts
from softbio.evaluators.registry import EvaluatorSpec, Square
from softbio.files import sha256


class Evaluator:
    """A network with the crop, colours and scaling that it needs."""

    def __init__(self, spec: EvaluatorSpec, network: Callable[[Tensor], Tensor]) -> None:
        if isinstance(network, nn.Module):
            # half the time of FaceRes on a CPU, a quarter less of dlib's net
            network = network.to(memory_format=torch.channels_last)
        self.spec, self.network = spec, network

    def prepared(self, faces: Tensor, frame: Square = CANVAS) -> Tensor:
        """Float (N, 3, H, H) RGB or (N, 1, H, H) grey, 0..255, that show the square `frame` ->
        what the network takes, (N, 3, size, size). Differentiable."""
        given = self.spec.input
        x = crop(faces, self.spec.crop, given.size, frame)
        x = x.expand(-1, 3, -1, -1)
        if given.colour == "bgr":
            x = x.flip(1)
        return (x - constant(tuple(given.mean), x).view(3, 1, 1)) / given.scale

    def __call__(self, faces: Tensor, frame: Square = CANVAS) -> Tensor:
        """The network's answer for faces as `prepared` takes them; differentiable where the
        network is one of torch, on the device that it was moved to."""
        return self.network(self.prepared(faces, frame))

    def _answers(self, faces: np.ndarray, frame: Square) -> np.ndarray:
        if len(faces) == 0:
            raise UserError(f"evaluator '{self.spec.name}': there is no face to judge")
        with torch.inference_mode():
            return np.concatenate([self(part, frame).numpy() for part in parts(faces)])


class GenderClassifier(Evaluator):
    """Estimates P(male)."""

    def scores(self, faces: np.ndarray, frame: Square = CANVAS) -> np.ndarray:
        """uint8 (N, H, H, 3) RGB or (N, H, H) grey -> float32 (N,), higher = male."""
        return self._answers(faces, frame)


class Matcher(Evaluator):
    """Measures how similar two faces are."""

    def embed(self, faces: np.ndarray, frame: Square = CANVAS) -> np.ndarray:
        """uint8 (N, H, H, 3) RGB or (N, H, H) grey -> float32 (N, D)."""
        return self._answers(faces, frame)

    def compare(self, a: np.ndarray, b: np.ndarray) -> np.ndarray:
        """Embeddings (N, D), (N, D) -> similarity (N,), higher = more similar: the cosine, or the
        negative L2 distance, as the registry says."""
        if self.spec.output.meaning == "negative distance":
            return -np.linalg.norm(a - b, axis=1)
        lengths = np.linalg.norm(a, axis=1) * np.linalg.norm(b, axis=1)
        return (a * b).sum(axis=1) / np.maximum(lengths, 1e-12)


class AgeEstimator(Evaluator):
    """Estimates years, float (N,)."""


class ClassReader(Evaluator):
    """Chooses one of its `values`: their numbers, float (N,)."""

    def __init__(
        self, spec: EvaluatorSpec, network: Callable[[Tensor], Tensor], values: tuple[str, ...]
    ) -> None:
        super().__init__(spec, network)
        self.values = values


def open_marker(spec: EvaluatorSpec, folder: Path | str) -> Callable[[np.ndarray], np.ndarray]:
    """A function of one canvas, uint8 (H, H, 3) RGB -> its 68 landmarks, float64 (68, 2), x, y in
    pixels of the canvas, in the order of iBUG."""
    marker, square = Evaluator(spec, open_network(spec, folder)), spec.crop

    def mark(canvas: np.ndarray) -> np.ndarray:
        with torch.inference_mode():
            found = marker(next(parts(canvas[None])))[0].double().numpy()
        corner = np.array([square.cx - CANVAS.cx, square.cy - CANVAS.cy]) - square.half
        return (found * 2 * square.half + corner + CANVAS.half) * len(canvas) / (2 * CANVAS.half)

    return mark


KINDS = {"gender": GenderClassifier, "matcher": Matcher, "age": AgeEstimator}


def open_evaluator(spec: EvaluatorSpec, folder: Path | str) -> Evaluator:
    """Load what judges faces, whose files lie below `folder`; see `fetch`.

    Raises UserError where a file is missing, or is not what the architecture expects.
    """
    if spec.kind not in KINDS:
        raise UserError(f"evaluator '{spec.name}' is a {spec.kind}: it judges no face")
    return KINDS[spec.kind](spec, open_network(spec, folder))


def open_network(spec: EvaluatorSpec, folder: Path | str) -> Callable[[Tensor], Tensor]:
    """The bare network of any entry, its files checked again: they are native code's input."""
    files = spec.paths(folder)
    for role, path in files.items():
        if not path.is_file():
            raise UserError(
                f"evaluator '{spec.name}': {path} is missing; run `snakemake --cores 1 evaluators`"
            )
        if sha256(path) != spec.files[role].sha256:
            raise UserError(
                f"evaluator '{spec.name}': {path} is not the file that the registry names; "
                "delete it and run `snakemake --cores 1 evaluators --forcerun evaluators`"
            )
    try:
        return import_module(f"softbio.evaluators.{spec.architecture}").load(files, spec)
    except (ValueError, KeyError, TypeError, IndexError, AttributeError, RuntimeError) as error:
        where = next(iter(files.values())).parent
        raise UserError(
            f"evaluator '{spec.name}': the files in {where} are not its weights "
            f"({type(error).__name__}: {error}); delete them and fetch them again"
        ) from None

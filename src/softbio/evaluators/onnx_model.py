"""Any ONNX net, by OpenCV: no gradients. It came with the drawn faces, and takes half the time that
onnxruntime does with SFace, whose weights that takes for inputs and folds none of."""

from collections.abc import Callable, Mapping
from pathlib import Path

import cv2
import torch
from torch import Tensor

from softbio.errors import UserError
from softbio.evaluators.registry import EvaluatorSpec

# dimensions of the answer: a number for each face, or an embedding
DIMENSIONS = {"gender": 1, "age": 1, "matcher": 2}


def load(files: Mapping[str, Path], spec: EvaluatorSpec) -> Callable[[Tensor], Tensor]:
    """A function (N, 3, size, size) -> the first output: (N, D), or its `column`, (N,).

    Raises ValueError for a file that is no ONNX model, and UserError for a net whose answers are
    not what the entry's kind needs. Not for two threads at once.
    """
    # as many as torch may use, which the workflow sets
    cv2.setNumThreads(torch.get_num_threads())
    try:
        net = cv2.dnn.readNetFromONNX(str(files["weights"]))
    except cv2.error as error:
        raise ValueError(" ".join(str(error).split())) from None

    def network(x: Tensor) -> Tensor:
        net.setInput(x.detach().numpy())
        y = torch.from_numpy(net.forward().copy())
        return y if spec.output.column is None else y[:, spec.output.column]

    if spec.kind in DIMENSIONS:
        _check(network, spec)
    return network


def _check(network: Callable[[Tensor], Tensor], spec: EvaluatorSpec) -> None:
    """Raise UserError where the answer for two faces is not float (2,), or (2, D) of a matcher: it
    would be found out after all training."""
    size, about = spec.input.size, f"evaluator '{spec.name}'"
    try:
        shape = tuple(network(torch.zeros(2, 3, size, size)).shape)
    except IndexError:
        column = spec.output.column
        raise UserError(
            f"{about}: the net's first output has no column {column}; correct output.column"
        ) from None
    except cv2.error as error:
        raise UserError(
            f"{about}: the net takes no two faces of {size} px at once "
            f"({' '.join(str(error).split())}); correct input.size, or export the net for batches"
        ) from None
    if len(shape) == DIMENSIONS[spec.kind] and shape[0] == 2:
        return
    if spec.kind == "matcher":
        remedy = "an embedding each, (2, D), is needed; leave output.column out"
    else:
        meaning = spec.output.meaning
        remedy = f"one number each is needed; set output.column to the number of the {meaning}"
    raise UserError(f"{about}: the net's answer for two faces is of shape {shape}: {remedy}")

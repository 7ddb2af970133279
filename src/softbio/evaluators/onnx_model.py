"""Any ONNX net, by OpenCV: no gradients. It came with the drawn faces, and takes half the time that
onnxruntime does with SFace, whose weights that takes for inputs and folds none of."""

from collections.abc import Callable, Mapping
from pathlib import Path

import cv2
import torch
from torch import Tensor

from softbio.evaluators.registry import EvaluatorSpec


def load(files: Mapping[str, Path], spec: EvaluatorSpec) -> Callable[[Tensor], Tensor]:
    """A function (N, 3, size, size) -> the first output: (N, D), or its `column`, (N,).

    Raises ValueError for a file that is no ONNX model. Not for two threads at once.
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

    return network

"""Any ONNX net, by onnxruntime: no gradients."""

from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from softbio.evaluators.registry import EvaluatorSpec


def load(files: Mapping[str, Path], spec: EvaluatorSpec) -> Callable[[Tensor], Tensor]:
    """A function (N, 3, size, size) -> the first output: (N, D), or its `column`, (N,).

    Raises ValueError for a file that is no ONNX model.
    """
    import onnxruntime

    # SFace lists its weights among its inputs, which is hundreds of warnings
    onnxruntime.set_default_logger_severity(3)
    options = onnxruntime.SessionOptions()
    # as many as torch may use, which the workflow sets
    options.intra_op_num_threads = torch.get_num_threads()
    try:
        session = onnxruntime.InferenceSession(
            str(files["weights"]), options, providers=["CPUExecutionProvider"]
        )
    except Exception as error:  # of classes that onnxruntime does not export
        raise ValueError(str(error).splitlines()[0]) from None
    given = session.get_inputs()[0]
    fixed = given.shape[0] if isinstance(given.shape[0], int) else None

    def network(x: Tensor) -> Tensor:
        parts = x.split(fixed) if fixed else [x]
        answers = [session.run(None, {given.name: part.detach().numpy()})[0] for part in parts]
        y = torch.from_numpy(np.concatenate(answers))
        return y if spec.output.column is None else y[:, spec.output.column]

    return network

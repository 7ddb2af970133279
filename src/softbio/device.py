"""Where a run computes."""

import torch

from softbio.errors import UserError


def choose_device(name: str = "auto") -> torch.device:
    """The device of that name; "auto": the GPU where there is one.

    Also asks cuDNN for its deterministic kernels, as the authors' scripts did. Raises UserError
    for a device that this machine or this build of torch does not have.
    """
    torch.backends.cudnn.deterministic = True
    if name == "auto":
        name = "cuda" if torch.cuda.is_available() else "cpu"
    try:
        device = torch.device(name)
        torch.empty(0, device=device)
    except (RuntimeError, AssertionError) as error:
        raise UserError(
            f"device '{name}' can not be used ({str(error).splitlines()[0]}); "
            "set device to cpu, cuda or auto"
        ) from None
    return device

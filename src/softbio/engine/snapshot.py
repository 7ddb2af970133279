"""A copy of a state that goes on changing, taken without making the device wait."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor


@dataclass(frozen=True)
class Snapshot:
    """The copy; on a GPU its tensors are still on their way to the CPU."""

    state: dict[str, Any]
    arrived: torch.cuda.Event | None = None

    def ready(self) -> dict[str, Any]:
        """The state with all of its tensors on the CPU."""
        if self.arrived is not None:
            self.arrived.synchronize()
        return self.state


def take(state: dict[str, Any], device: torch.device) -> Snapshot:
    """Copy all tensors of nested dicts and lists to the CPU.

    From a GPU: a copy on the device first, at its memory's speed, then to pinned memory on a
    stream of its own, beside whatever is computed next.
    """
    if device.type == "cpu":
        return Snapshot(_mapped(state, lambda tensor: tensor.detach().to("cpu", copy=True)))
    cloned = _mapped(state, lambda tensor: tensor.detach().clone())
    stream = torch.cuda.Stream(device)
    stream.wait_stream(torch.cuda.current_stream(device))

    def away(tensor: Tensor) -> Tensor:
        if tensor.device.type != "cpu":
            tensor.record_stream(stream)
        return tensor.to("cpu", non_blocking=True)

    with torch.cuda.stream(stream):
        copied = _mapped(cloned, away)
        arrived = torch.cuda.Event()
        arrived.record(stream)
    return Snapshot(copied, arrived)


def _mapped(value: Any, change: Callable[[Tensor], Tensor]) -> Any:
    """The same nest of plain dicts and lists with each tensor changed."""
    if isinstance(value, Tensor):
        return change(value)
    if isinstance(value, dict):
        return {key: _mapped(item, change) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_mapped(item, change) for item in value]
    return value

"""A GPU that is none, to find what a first run on a real one would stumble over.

Tensors on the device "gpu" hold their values on the CPU, so that everything computes as ever. But
operators refuse operands on two devices, as CUDA does, and what makes the CPU wait for a GPU is
noted: values that are read, results whose size depends on values, and copies that are not from
pinned memory. Not shown are CUDA's own kernels, the order of its streams, and reduced
precision. The device is for
the whole process, so that each use needs one of its own.
"""

import contextlib
import traceback
from collections import Counter
from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor
from torch.utils import backend_registration
from torch.utils._python_dispatch import TorchDispatchMode, return_and_correct_aliasing
from torch.utils._pytree import tree_leaves, tree_map_only

NAME = "gpu"
aten = torch.ops.aten
TO_COPY, COPY = aten._to_copy.default, aten.copy_.default
INDEXED = {aten.index.Tensor, aten.index_put_.default, aten.index_put.default}
# they give values to Python, or as many results as values say
READ = {
    *(aten._local_scalar_dense.default, aten.equal.default, aten.is_nonzero.default),
    *(aten.nonzero.default, aten.masked_select.default, aten.bincount.default),
    *(aten._unique2.default, aten.unique_dim.default, aten.unique_consecutive.default),
    aten.repeat_interleave.Tensor,
}


class OnGpu(Tensor):
    """A tensor of the device. held: its values, on the CPU."""

    @staticmethod
    def __new__(cls, held: Tensor) -> "OnGpu":
        return Tensor._make_wrapper_subclass(
            cls,
            held.shape,
            strides=held.stride(),
            storage_offset=held.storage_offset(),
            dtype=held.dtype,
            device=torch.device(NAME, 0),
        )

    def __init__(self, held: Tensor) -> None:
        self.held = held

    def tolist(self) -> Any:
        GPU.note("tolist")
        return self.held.tolist()

    def record_stream(self, stream: Any) -> None: ...

    def __repr__(self, **_: Any) -> str:
        return f"OnGpu({self.held!r})"

    @classmethod
    def __torch_dispatch__(cls, func, types, args=(), kwargs=None):
        return GPU.run(func, args, kwargs or {})


class Gpu(TorchDispatchMode):
    """Within it tensors can be made on the device and copied to it.

    waits: how often each place of softbio made the CPU wait while `watched`.
    """

    def __init__(self) -> None:
        super().__init__()
        self.waits: Counter[str] = Counter()
        self.watched = False
        self.pinned: dict[int, Tensor] = {}

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        return self.run(func, args, kwargs or {})

    def run(self, func: Any, args: tuple, kwargs: dict[str, Any]) -> Any:
        """An operator on the values held; its result is on the device that was asked for, or else
        on that of its operands."""
        given = [each for each in tree_leaves((args, kwargs)) if isinstance(each, Tensor)]
        there, asked = any(isinstance(each, OnGpu) for each in given), kwargs.get("device")
        onto = there if asked is None else torch.device(asked).type == NAME
        if func in (TO_COPY, COPY):
            self.check_copy(args, kwargs, onto if func is TO_COPY else isinstance(args[0], OnGpu))
        elif there:
            self.check_operands(func, args, given)
        held, options = tree_map_only(OnGpu, lambda each: each.held, (args, kwargs))
        if onto and asked is not None:
            options["device"] = torch.device("cpu")
        found = func(*held, **options)
        if func is COPY:
            return args[0]
        if not onto:
            return found
        wrapped = tree_map_only(Tensor, OnGpu, found)
        made = func is TO_COPY or not there
        return wrapped if made else return_and_correct_aliasing(func, args, kwargs, wrapped)

    def check_copy(self, args: tuple, kwargs: dict[str, Any], onto: bool) -> None:
        """Note one between the devices that the CPU waits for."""
        source = args[-1] if len(args) == 1 else args[1]
        goes_on = kwargs.get("non_blocking", len(args) > 2 and args[2])
        if onto and not isinstance(source, OnGpu) and not (goes_on and id(source) in self.pinned):
            self.note("copy to the device")
        elif isinstance(source, OnGpu) and not onto and not goes_on:
            self.note("copy from the device")

    def check_operands(self, func: Any, args: tuple, given: list[Tensor]) -> None:
        """Refuse what is on the CPU beside what is not, but for single values and indices."""
        if func in READ:
            self.note(str(func))
        places = tree_leaves(args[1]) if func in INDEXED else []
        for each in given:
            index = any(each is place for place in places)
            if index and each.dtype == torch.bool:
                self.note(f"{func} by a mask")
            if isinstance(each, OnGpu) or each.ndim == 0:
                continue
            if not index:
                raise RuntimeError(f"{func}: one operand is on the GPU, another on the CPU")
            self.note(f"{func} by an index on the CPU")

    def note(self, what: str) -> None:
        """A wait, and the last line of softbio that led to it."""
        if self.watched:
            stack = [each for each in traceback.extract_stack() if "/src/softbio/" in each.filename]
            place = stack[-1].filename.split("/src/")[1] if stack else "tests"
            self.waits[f"{place}:{stack[-1].lineno if stack else 0} {what}"] += 1

    def pin(self, tensor: Tensor) -> Tensor:
        """As Tensor.pin_memory."""
        copy = tensor.clone()
        # kept, so that no other tensor can have its number
        self.pinned[id(copy)] = copy
        return copy


GPU = Gpu()


class _Stream:
    """One of the order in which all is done here anyway, and an event in it."""

    def __init__(self, device: Any = None) -> None: ...

    def wait_stream(self, other: "_Stream") -> None: ...

    def record(self, stream: "_Stream") -> None: ...

    def synchronize(self) -> None: ...


# what softbio asks of CUDA
CUDA: dict[str, Any] = {
    "Stream": _Stream,
    "Event": _Stream,
    "stream": lambda stream: contextlib.nullcontext(),
    "current_stream": lambda device=None: _Stream(),
    "mem_get_info": lambda device=None: (2**40, 2**40),
    "max_memory_allocated": lambda device=None: 0,
    "get_rng_state": lambda device=None: torch.arange(16, dtype=torch.uint8),
    "set_rng_state": lambda state, device=None: None,
}


class _Module(backend_registration._DummyBackendModule):
    def get_amp_supported_dtype(self) -> list[torch.dtype]:
        return [torch.bfloat16]


@contextlib.contextmanager
def simulated_gpu() -> Iterator[Gpu]:
    """The device, which this process keeps. Call it before anything is differentiated."""
    backend_registration._setup_privateuseone_for_python_backend(NAME, _Module())
    for name, found in CUDA.items():
        setattr(torch.cuda, name, found)
    # torch.tensor(..., device=...) then asks the mode for the copy to the device
    torch._C._set_only_lift_cpu_tensors(True)
    Tensor.pin_memory = lambda tensor: GPU.pin(tensor)
    # which tensors such as these do not know
    torch.inference_mode = lambda on=True: torch.no_grad() if on else contextlib.nullcontext()
    with GPU:
        yield GPU

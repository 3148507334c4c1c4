"""A GPU that is not there: its tensors are on the CPU, but what a real one would refuse raises an error.

In the block `with PretendedGPU():`, tensors that are made on the device `cuda`, or moved there, are noted by their memory.
They say that they are on `cuda:0`, must not meet others in an operation, and numpy cannot have them. So it is found out
without a GPU whether all tensors are where they should be. Numbers are those of the CPU.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
import torch._dynamo  # which torch loads when it first needs it, but cannot while tensors pretend
from torch import Tensor
from torch.overrides import TorchFunctionMode
from torch.utils._python_dispatch import TorchDispatchMode, _disable_current_modes
from torch.utils._pytree import tree_leaves

GPU = torch.device("cuda", 0)
_TAKE_BOTH = {"index", "index_put", "index_put_", "_index_put_impl_", "copy_"}
"""Operations whose operands may be here and there: indices, copies."""
_DEVICE: Any = Tensor.device.__get__  # type: ignore[attr-defined]
_IS_CUDA: Any = Tensor.is_cuda.__get__  # type: ignore[attr-defined]


class WrongDevice(Exception):
    """What a real GPU would have refused."""


def _tensors(value: Any) -> Iterator[Tensor]:
    return (v for v in tree_leaves(value) if isinstance(v, Tensor) and v.layout is torch.strided and v.numel())


class _Memory:
    """The memory of the GPU. It is never given back, so that its addresses stay its own."""

    def __init__(self) -> None:
        self._storages: dict[int, torch.UntypedStorage] = {}

    def add(self, value: Any) -> None:
        for tensor in _tensors(value):
            storage = tensor.untyped_storage()
            self._storages.setdefault(storage.data_ptr(), storage)

    def __contains__(self, tensor: Tensor) -> bool:
        return tensor.layout is torch.strided and tensor.untyped_storage().data_ptr() in self._storages


class _Operations(TorchDispatchMode):
    """Looks at the operands of each operation, those on the way back included."""

    def __init__(self, memory: _Memory) -> None:
        super().__init__()
        self._memory = memory

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        operands = list(_tensors((args, kwargs)))
        there = [t in self._memory for t in operands]
        name = func.overloadpacket.__name__
        if any(there) and name not in _TAKE_BOTH:
            for tensor, on_gpu in zip(operands, there, strict=True):
                if not on_gpu and tensor.dim() > 0:  # single numbers may be anywhere
                    places = ", ".join("cuda" if t else "cpu" for t in there)
                    raise WrongDevice(f"{name}: operands on {places}")
        result = func(*args, **(kwargs or {}))
        if there and (there[0] if name in _TAKE_BOTH else any(there)):
            self._memory.add(result)
        return result


class PretendedGPU(TorchFunctionMode):
    """See above."""

    current: PretendedGPU | None = None

    def __init__(self) -> None:
        super().__init__()
        self._memory = _Memory()
        self._operations = _Operations(self._memory)

    def __enter__(self) -> PretendedGPU:
        self._operations.__enter__()
        PretendedGPU.current = self
        return super().__enter__()  # type: ignore[return-value]

    def __exit__(self, *error: Any) -> None:
        super().__exit__(*error)
        PretendedGPU.current = None
        self._operations.__exit__(*error)

    @classmethod
    @contextmanager
    def on_the_way_back(cls) -> Iterator[None]:
        """For Python functions that autograd calls, where such a mode is switched off."""
        mode = cls.current
        if mode is None or torch._C._len_torch_function_stack():
            yield
            return
        TorchFunctionMode.__enter__(mode)
        try:
            yield
        finally:
            TorchFunctionMode.__exit__(mode, None, None, None)

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = kwargs or {}
        name = getattr(func, "__name__", "")
        on_gpu = bool(args) and isinstance(args[0], Tensor) and args[0] in self._memory
        if func is torch.device:
            return func(*args, **kwargs)
        if func == _DEVICE and on_gpu:
            return GPU
        if func == _IS_CUDA:
            return on_gpu
        if name == "numpy" and on_gpu:
            raise WrongDevice("numpy: an operand on cuda")
        if name == "pin_memory":
            return args[0]
        wanted = next((d for d in (*args, *kwargs.values()) if _is_device(d)), None)
        if name == "cpu":
            wanted = "cpu"
        args = [torch.device("cpu") if _is_device(a) else a for a in args]
        kwargs = {k: torch.device("cpu") if _is_device(v) else v for k, v in kwargs.items()}
        result = func(*args, **kwargs)
        if name == "new_tensor" and wanted is None and on_gpu:
            wanted = GPU
        if wanted is None:
            return result
        to_gpu = torch.device(wanted).type == "cuda"
        if name in ("cpu", "to") and to_gpu != on_gpu:
            with _disable_current_modes():
                result = result.clone()
        if to_gpu:
            self._memory.add(result)
        return result


def _is_device(value: object) -> bool:
    return isinstance(value, torch.device) or (isinstance(value, str) and value in ("cpu", "cuda", "cuda:0"))

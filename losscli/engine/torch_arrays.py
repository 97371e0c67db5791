"""torch tensors that speak NumPy, so that losses are written once and run on either.

NumPy asks an array that is not its own to do its operations itself (the protocols of NEP 13 and
18). `TorchArray` answers with torch's operation of the same meaning and of the types that NumPy
would compute in. What torch has no word for, NumPy computes; a result is a tensor again.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from numpy.lib.mixins import NDArrayOperatorsMixin

#: ufuncs that torch has under the same name
SAME = (
    "add subtract multiply divide negative exp log log1p expm1 sqrt square maximum minimum "
    "logaddexp tanh sinh cosh floor ceil isfinite isinf isnan logical_and logical_or logical_not "
    "copysign hypot arctan arctanh matmul bitwise_and bitwise_or bitwise_xor"
)
UFUNCS: dict[str, Callable[..., Any]] = {
    **{name: getattr(torch, name) for name in SAME.split()},
    "absolute": torch.abs,
    "power": torch.pow,
    "greater": torch.gt,
    "greater_equal": torch.ge,
    "less": torch.lt,
    "less_equal": torch.le,
    "equal": torch.eq,
    "not_equal": torch.ne,
    "invert": torch.bitwise_not,
}
REDUCTIONS: dict[str, Callable[..., Any]] = {
    "add": torch.sum,
    "maximum": torch.amax,
    "minimum": torch.amin,
    "logical_and": torch.all,
    "logical_or": torch.any,
}
TYPES = "bool int8 int16 int32 int64 uint8 float16 float32 float64"
DTYPES: dict[np.dtype[Any], Any] = {np.dtype(name): getattr(torch, name) for name in TYPES.split()}
NUMPY_DTYPES: dict[Any, np.dtype[Any]] = {torch_type: dtype for dtype, torch_type in DTYPES.items()}


class TorchArray(NDArrayOperatorsMixin):
    """A tensor with as much of the face of a NumPy array as losses look at."""

    __slots__ = ("tensor",)

    def __init__(self, tensor: Any) -> None:
        self.tensor = tensor

    @property
    def shape(self) -> tuple[int, ...]:
        return tuple(self.tensor.shape)

    @property
    def ndim(self) -> int:
        return int(self.tensor.ndim)

    @property
    def size(self) -> int:
        return int(self.tensor.numel())

    @property
    def dtype(self) -> np.dtype[Any]:
        return NUMPY_DTYPES[self.tensor.dtype]

    @property
    def T(self) -> "TorchArray":
        return TorchArray(self.tensor.permute(*reversed(range(self.ndim))))

    def __len__(self) -> int:
        return len(self.tensor)

    def __bool__(self) -> bool:
        return bool(self.tensor)

    def __float__(self) -> float:
        return float(self.tensor)

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> Any:
        array = self.tensor.detach().cpu().numpy()
        return array if dtype is None else array.astype(dtype)

    def tolist(self) -> Any:
        return self.tensor.tolist()

    def __getitem__(self, index: Any) -> "TorchArray":
        return TorchArray(self.tensor[self._index(index)])

    def __setitem__(self, index: Any, value: Any) -> None:
        self.tensor[self._index(index)] = self._tensor(value).to(self.tensor.dtype)

    def reshape(self, *shape: Any) -> "TorchArray":
        return TorchArray(self.tensor.reshape(*shape))

    def astype(self, dtype: Any) -> "TorchArray":
        return TorchArray(self.tensor.to(DTYPES[np.dtype(dtype)]))

    def copy(self, order: str = "C") -> "TorchArray":
        return TorchArray(self.tensor.clone())

    def all(self) -> "TorchArray":
        return TorchArray(self.tensor.all())

    def any(self) -> "TorchArray":
        return TorchArray(self.tensor.any())

    def __array_ufunc__(self, ufunc: np.ufunc, method: str, *inputs: Any, **options: Any) -> Any:
        out = options.pop("out", (None,))[0]
        if method == "__call__" and ufunc.__name__ in UFUNCS and not options:
            function, operands = UFUNCS[ufunc.__name__], self._operands(ufunc, inputs)
            if isinstance(out, TorchArray):
                function(*operands, out=out.tensor)
                return out
            result: Any = TorchArray(function(*operands))
        elif method == "reduce" and ufunc.__name__ in REDUCTIONS and "where" not in options:
            result = self._reduced(ufunc, inputs[0], **options)
        else:
            result = self._by_numpy(getattr(ufunc, method), inputs, options)
        if out is not None:
            out[...] = result
        return result if out is None else out

    def __array_function__(
        self, function: Any, types: Any, inputs: tuple[Any, ...], options: dict[str, Any]
    ) -> Any:
        known = getattr(self, f"_{function.__name__}", None)
        if known is None:
            return self._by_numpy(function, inputs, options)
        return known(*inputs, **options)

    def _operands(self, ufunc: np.ufunc, inputs: tuple[Any, ...]) -> list[Any]:
        """Tensors of the types that NumPy would compute in."""
        kinds: Any = [type(x) if type(x) in (int, float) else _dtype(x) for x in inputs]
        kinds = ufunc.resolve_dtypes((*kinds, *[None] * ufunc.nout))
        return [self._tensor(x).to(DTYPES[kind]) for x, kind in zip(inputs, kinds, strict=False)]

    def _reduced(
        self, ufunc: np.ufunc, x: Any, axis: Any = 0, keepdims: bool = False,
        initial: Any = None, dtype: Any = None,
    ) -> "TorchArray":  # fmt: skip
        tensor = self._tensor(x)
        if dtype is not None:
            tensor = tensor.to(DTYPES[np.dtype(dtype)])
        axes = tuple(range(tensor.ndim)) if axis is None else axis
        if initial is not None and 0 in tensor.shape:  # the largest of nothing
            shape = np.empty(tensor.shape).sum(axis, keepdims=keepdims).shape
            return TorchArray(tensor.new_full(shape, initial))
        return TorchArray(REDUCTIONS[ufunc.__name__](tensor, axes, keepdim=keepdims))

    def _by_numpy(self, function: Any, inputs: Any, options: Any) -> Any:
        return self._wrapped(function(*_unwrapped(inputs), **_unwrapped(options)))

    def _wrapped(self, result: Any) -> Any:
        if isinstance(result, tuple):
            return tuple(self._wrapped(x) for x in result)
        return TorchArray(self._tensor(result)) if hasattr(result, "dtype") else result

    def _tensor(self, x: Any) -> Any:
        """Anything as a tensor beside this one."""
        if isinstance(x, TorchArray):
            return x.tensor
        return torch.as_tensor(np.array(x, order="C"), device=self.tensor.device)

    def _index(self, index: Any) -> Any:
        if isinstance(index, tuple):
            return tuple(self._index(part) for part in index)
        return self._tensor(index) if isinstance(index, TorchArray | np.ndarray) else index

    # NumPy's functions that losses use and that torch has, under NumPy's names.

    def _where(self, condition: Any, yes: Any, no: Any) -> "TorchArray":
        yes, no = self._operands(np.add, (yes, no))
        return TorchArray(torch.where(self._tensor(condition), yes, no))

    def _clip(self, x: Any, low: Any, high: Any) -> Any:
        x = x if low is None else np.maximum(x, low)
        return x if high is None else np.minimum(x, high)

    def _concatenate(self, arrays: Any, axis: int = 0) -> "TorchArray":
        return TorchArray(torch.cat([self._tensor(x) for x in arrays], axis))

    def _stack(self, arrays: Any, axis: int = 0) -> "TorchArray":
        return TorchArray(torch.stack([self._tensor(x) for x in arrays], axis))

    def _take_along_axis(self, x: Any, index: Any, axis: int) -> "TorchArray":
        return TorchArray(torch.take_along_dim(self._tensor(x), self._tensor(index), axis))

    def _sort(self, x: Any, axis: int = -1) -> "TorchArray":
        return TorchArray(torch.sort(self._tensor(x), axis).values)

    def _diff(self, x: Any) -> "TorchArray":
        return TorchArray(torch.diff(self._tensor(x)))

    def _einsum(self, formula: str, *arrays: Any) -> "TorchArray":
        return TorchArray(torch.einsum(formula, *map(self._tensor, arrays)))

    def _full_like(self, x: Any, fill: float) -> "TorchArray":
        return TorchArray(torch.full_like(self._tensor(x), fill))

    def _ones_like(self, x: Any) -> "TorchArray":
        return TorchArray(torch.ones_like(self._tensor(x)))

    def _empty_like(self, x: Any, shape: tuple[int, ...]) -> "TorchArray":
        return TorchArray(self._tensor(x).new_empty(shape))


def _dtype(x: Any) -> np.dtype[Any]:
    return x.dtype if isinstance(x, TorchArray) else np.asarray(x).dtype


def _unwrapped(x: Any) -> Any:
    """Tensors inside of tuples, lists and dicts as NumPy's arrays."""
    if isinstance(x, TorchArray):
        return np.asarray(x)
    if isinstance(x, tuple | list):
        return type(x)(map(_unwrapped, x))
    return {k: _unwrapped(v) for k, v in x.items()} if isinstance(x, dict) else x

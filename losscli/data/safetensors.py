"""Files of safetensors: a header of JSON that says where each tensor is, then the tensors.

https://huggingface.co/docs/safetensors#format. They are mapped into memory; bfloat16, which NumPy
has not, is the upper half of float32.
"""

import json
import os
from collections.abc import Iterator, Sequence
from math import prod
from typing import Any, NoReturn

import numpy as np

from losscli.data.mapped import map_file, release
from losscli.data.npy import check_lengths, decode_rows
from losscli.data.source import Source, Values, Wanted, piece_rows
from losscli.errors import DataError, FileError

_DTYPES = {
    "BOOL": "?", "U8": "u1", "I8": "i1", "U16": "<u2", "I16": "<i2", "U32": "<u4", "I32": "<i4",
    "U64": "<u8", "I64": "<i8", "F16": "<f2", "BF16": "<u2", "F32": "<f4", "F64": "<f8",
}  # fmt: skip
#: the bound of the format itself
_LONGEST_HEADER = 100_000_000


class SafetensorsSource(Source):
    """The tensors of a file, which are its columns."""

    apart = True

    def __init__(self, file: Any, display: str) -> None:
        self.display = display
        self._file = file
        size = os.fstat(file.fileno()).st_size
        length = int.from_bytes(file.read(8), "little") if size > 8 else 0
        if not 0 < length <= min(size - 8, _LONGEST_HEADER):
            self._unreadable("its header is cut short")
        try:
            header = json.loads(file.read(length), object_pairs_hook=self._each_once)
        except (ValueError, RecursionError):
            self._unreadable("its header is not JSON")
        if not isinstance(header, dict):
            self._unreadable("its header is not an object")
        self._tensors = {name: each for name, each in header.items() if name != "__metadata__"}
        self._start, self._size = 8 + length, size - 8 - length
        self._map = map_file(file)
        self.columns = list(self._tensors)
        self._check_all_covered()

    def pieces(self, wanted: Sequence[Wanted]) -> Iterator[list[Values]]:
        arrays = {w.column: self._array(w.column) for w in wanted}
        check_lengths({self._where(name): len(array) for name, array in arrays.items()})
        rows = len(next(iter(arrays.values())))
        step = piece_rows(sum(array.size for array in arrays.values()) // max(1, rows))
        for start in range(0, rows, step):
            yield [
                decode_rows(self._rows(arrays, w.column, start, step), w, self.display, start)
                for w in wanted
            ]
            release(self._map)

    def close(self) -> None:
        self._file.close()

    def _each_once(self, pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        """An object whose names are told apart."""
        found = dict(pairs)
        if len(found) < len(pairs):
            self._unreadable("a name is twice in its header")
        return found

    def _check_all_covered(self) -> None:
        """Every byte is of one tensor, as the format demands."""
        end = 0
        for name in sorted(self._tensors, key=self._offsets):
            first, last = self._offsets(name)
            if first != end:
                self._unreadable(f"'{name}' does not begin where the tensor before it ends")
            end = last
        if end != self._size:
            why = "cut short" if end > self._size else "too long"
            self._unreadable(f"{why}, {self._size} bytes of values where its tensors are {end}")

    def _offsets(self, name: str) -> tuple[int, int]:
        try:
            first, last = self._tensors[name]["data_offsets"]
            if not all(type(x) is int for x in (first, last, *self._tensors[name]["shape"])):
                raise TypeError
        except (KeyError, TypeError, ValueError):
            self._unreadable(f"the header of '{name}' makes no sense")
        return first, last

    def _rows(self, arrays: dict[str, Any], name: str, start: int, step: int) -> Any:
        part = arrays[name][start : start + step]
        if self._tensors[name]["dtype"] == "BF16":
            return (part.astype(np.uint32) << 16).view(np.float32)
        return part

    def _array(self, name: str) -> Any:
        """A tensor as it lies in the file; bfloat16 as whole numbers of its bits."""
        where, tensor = self._where(name), self._tensors[name]
        try:
            kind, shape = tensor["dtype"], tuple(map(int, tensor["shape"]))
            first, end = map(int, tensor["data_offsets"])
        except (KeyError, TypeError, ValueError):
            self._unreadable(f"the header of '{name}' makes no sense")
        if kind not in _DTYPES:
            raise DataError(f"{where}: the tensor holds {kind}, expected {', '.join(_DTYPES)}")
        if not shape:
            raise DataError(f"{where}: a single value, expected a tensor with one entry a row")
        dtype, count = np.dtype(_DTYPES[kind]), prod(shape)
        inside = 0 <= first <= end <= self._size and min(shape) >= 0
        if not inside or end - first != count * dtype.itemsize:
            self._unreadable(f"'{name}' is cut short, or its header makes no sense")
        if shape[0] and not count:
            raise DataError(f"{where}: its rows hold no values")
        return np.frombuffer(self._map, dtype, count, self._start + first).reshape(shape)

    def _where(self, name: str) -> str:
        return f"{self.display}, column '{name}'"

    def _unreadable(self, why: str) -> NoReturn:
        raise FileError(f"{self.display}: not a readable safetensors file: {why}")

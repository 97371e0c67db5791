"""Arrays of texts of any length: NumPy's, all as wide as the longest, or of Python's bytes.

NumPy sorts its own faster, but a single long text makes all others as long. Where that would take
far more memory than the texts do, each is by itself. Both compare alike.
"""

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import numpy as np

#: bytes that Python takes for a text by itself, beside its letters
APART = 48
#: how many times the memory of texts by themselves NumPy's array may take
_TIMES = 2


def texts_of(data: Any, offsets: Any) -> Any:
    """Texts that lie end to end in bytes, from each offset to the next."""
    lengths = np.diff(offsets)
    count, width = len(lengths), max(1, int(lengths.max(initial=0)))
    if not _dense(count, width, len(data)):
        whole = data.tobytes()
        return _apart([whole[start:end] for start, end in pairwise(offsets.tolist())])
    if len(data) == count * width:
        return np.ascontiguousarray(data).view(f"S{width}")
    matrix = np.zeros((count, width), np.uint8)
    matrix[np.arange(width) < lengths[:, None]] = data
    return matrix.view(f"S{width}").ravel()


def joined(arrays: Sequence[Any]) -> Any:
    """Arrays after arrays, of texts or of anything else."""
    if {array.dtype.kind for array in arrays} == {"S"} and len({a.dtype for a in arrays}) > 1:
        count, width = sum(map(len, arrays)), max(array.itemsize for array in arrays)
        letters = sum(int(np.strings.str_len(array).sum()) for array in arrays)
        if not _dense(count, width, letters):
            arrays = [array.astype(object) for array in arrays]
    return np.concatenate(arrays)


def bytes_of(array: Any) -> int:
    """The memory that an array takes, with its texts where they are by themselves."""
    if array.dtype != object:
        return int(array.nbytes)
    return sum(map(len, array.tolist())) + (APART + int(array.itemsize)) * len(array)


def _dense(count: int, width: int, letters: int) -> bool:
    """Whether texts of so many letters in all are well kept as one array."""
    return width * count <= _TIMES * (letters + APART * count)


def _apart(texts: list[bytes]) -> Any:
    array = np.empty(len(texts), dtype=object)
    array[:] = texts
    return array

"""One array in NumPy's format: what its header says, and its rows from the front.

The rows of an array in Fortran order lie scattered over all of it. Such an array is mapped into
memory, and its pages are let go after each piece.
"""

import ast
import mmap
import os
import re
from math import prod
from operator import index
from typing import Any, NoReturn

import numpy as np

from losscli.data.mapped import WINDOW, map_file, release
from losscli.errors import DataError, FileError

MAGIC = b"\x93NUMPY"
#: by the version of the format: the bytes of the header's length, and how its text is encoded
_VERSIONS = {b"\x01\x00": (2, "latin1"), b"\x02\x00": (4, "latin1"), b"\x03\x00": (4, "utf-8")}
_LONGEST_HEADER = 1 << 20
#: kinds of dtype that are read: numbers, and text and times, which keys may be
_KINDS = "biufUSMm"
_COPY = 1 << 20
#: whole numbers as Python 2 wrote them in a shape
_PYTHON_2 = re.compile(r"(?<=[(\s])(\d+)L(?=[,)])")


class NpyArray:
    """An array in a stream of `size` bytes, named `where` in messages."""

    def __init__(self, stream: Any, size: int, where: str) -> None:
        self.where = where
        self._stream = stream
        self._taken = 0
        self._map: mmap.mmap | None = None
        self._temporary: Any = None
        fields = self._header()
        try:
            self.dtype: np.dtype[Any] = np.lib.format.descr_to_dtype(fields["descr"])
            self.shape: tuple[int, ...] = tuple(map(index, fields["shape"]))
            fortran = fields["fortran_order"]
            if not isinstance(fortran, bool) or len(fields) > 3:
                raise ValueError("its fields are not those of an array")
            if not isinstance(fields["shape"], tuple) or any(n is True for n in fields["shape"]):
                raise ValueError("its shape is not one")
        except (KeyError, IndexError, TypeError, ValueError, SyntaxError) as error:
            self._unreadable(f"its header makes no sense ({error})")
        self._check_dtype()
        if not self.shape:
            raise DataError(f"{where}: a single value, expected an array with one entry a row")
        self.rows, width = self.shape[0], prod(self.shape[1:])
        self._row_bytes = width * self.dtype.itemsize
        if min(self.shape) < 0 or not self._row_bytes:
            raise DataError(f"{where}: an array of {_times(self.shape)}: its rows hold no values")
        #: how many float64 a row is worth
        self.row_values = max(width, self._row_bytes // 8)
        #: whether a row's values lie far from each other, each in a column of its own
        self.scattered = fortran and width > 1
        found, expected = size - self._start, self.rows * self._row_bytes
        if found != expected:
            self._unreadable(
                f"{'cut short' if found < expected else 'too long'}, {found} bytes of values where "
                f"{_times(self.shape)} of {self.dtype} are {expected}"
            )

    def take(self, rows: int) -> Any:
        """The next rows, fewer at the end, as they are in the file."""
        rows = min(rows, self.rows - self._taken)
        first, self._taken = self._taken, self._taken + rows
        if self.scattered:
            return self._gather(first, rows)
        data = self._stream.read(rows * self._row_bytes)
        if self._taken == self.rows:
            # An archive compares checksums when it is asked for what is not there any more.
            self._stream.read(1)
        return self._of_bytes(data, first, rows)

    def between(self, start: int, stop: int) -> Any:
        """The rows of a range, of a file on disk in which they are not scattered."""
        size, at = (stop - start) * self._row_bytes, self._start + start * self._row_bytes
        return self._of_bytes(os.pread(self._stream.fileno(), size, at), start, stop - start)

    def _of_bytes(self, data: bytes, first: int, rows: int) -> Any:
        if len(data) < rows * self._row_bytes:
            self._unreadable(f"cut short after row {first + len(data) // self._row_bytes}")
        return np.frombuffer(data, self.dtype).reshape(rows, *self.shape[1:])

    def close(self) -> None:
        """Let go of the stream, and of what stands in for it."""
        for owned in (self._map, self._temporary, self._stream):
            if owned is not None:
                owned.close()

    def _gather(self, first: int, rows: int) -> Any:
        """Rows out of the columns of an array in Fortran order, a window of columns at a time."""
        if self._map is None:
            file, self._start = self._mappable()
            self._map = map_file(file)
        width = self._row_bytes // self.dtype.itemsize
        whole: Any = np.ndarray((self.rows, width), self.dtype, self._map, self._start, order="F")
        part = np.empty((rows, width), self.dtype)
        step = max(1, WINDOW // (self.rows * self.dtype.itemsize))
        for column in range(0, width, step):
            part[:, column : column + step] = whole[first : first + rows, column : column + step]
            release(self._map)
        # The first of the other axes is the one that changes from column to column.
        axes = range(len(self.shape) - 1, 0, -1)
        return part.reshape(rows, *self.shape[:0:-1]).transpose(0, *axes)

    def _mappable(self) -> tuple[Any, int]:
        """A file that holds the values, and where: what is unpacked is put into one."""
        if hasattr(self._stream, "fileno"):
            return self._stream, self._start
        import tempfile

        self._temporary = tempfile.TemporaryFile()  # noqa: SIM115 - it lives as long as the array
        while data := self._stream.read(_COPY):
            self._temporary.write(data)
        self._temporary.flush()
        if self._temporary.tell() != self.rows * self._row_bytes:
            self._unreadable("cut short")
        return self._temporary, 0

    def _header(self) -> dict[str, Any]:
        start = self._stream.read(8)
        if not start.startswith(MAGIC):
            self._unreadable("it does not start as one")
        if start[6:] not in _VERSIONS:
            self._unreadable(f"version {'.'.join(str(number) for number in start[6:])}")
        size, encoding = _VERSIONS[start[6:]]
        length = int.from_bytes(self._stream.read(size), "little")
        text = self._stream.read(length) if length <= _LONGEST_HEADER else b""
        if not text or len(text) < length:
            self._unreadable("its header is cut short")
        self._start = 8 + size + length
        try:
            words = _PYTHON_2.sub(r"\1", text.decode(encoding).strip(" \t\n"))
            fields = ast.literal_eval(words)
        except (ValueError, SyntaxError, TypeError, MemoryError, RecursionError):
            self._unreadable("its header makes no sense")
        if not isinstance(fields, dict):
            self._unreadable("its header makes no sense")
        return fields

    def _check_dtype(self) -> None:
        dtype = self.dtype
        if dtype.hasobject:
            raise FileError(
                f"{self.where}: an array of Python objects, which are pickled",
                "a pickle can run any program: write the values as numbers",
            )
        # Of records, only the fields that are asked for need to hold what can be read.
        if not dtype.names and dtype.kind not in _KINDS:
            raise DataError(f"{self.where}: the array holds {dtype}, expected real numbers")

    def _unreadable(self, why: str) -> NoReturn:
        raise FileError(f"{self.where}: not a readable NumPy file: {why}")


def _times(shape: tuple[int, ...]) -> str:
    return " × ".join(str(length) for length in shape)

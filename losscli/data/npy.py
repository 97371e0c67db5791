"""NumPy's files: `.npy`, which is one array, and `.npz`, a zip archive of them by name.

Rows are read from the front, a piece at a time, and nothing is ever unpickled.
"""

import os
import sys
import zipfile
import zlib
from collections.abc import Iterator, Sequence
from math import prod
from typing import Any

import numpy as np

from losscli.data.arrays import decode
from losscli.data.foreign import of_archive
from losscli.data.npy_array import NpyArray
from losscli.data.source import (
    WHOLE,
    BadValue,
    Source,
    Span,
    Values,
    Wanted,
    misfit,
    piece_rows,
)
from losscli.errors import DataError, FileError

SUFFIX = ".npy"
#: the last record of an archive, without its comment: what it starts with, and its bytes
_END, _END_RECORD = b"PK\5\6", 22
#: what zipfile raises for archives that are damaged, encrypted or packed in unknown ways
DAMAGE = (zipfile.BadZipFile, zlib.error, OSError, EOFError, RuntimeError, ValueError)


class NpySource(Source):
    """One array. The columns of a matrix are 1, 2, 3 …, those of records the names of fields."""

    def __init__(self, file: Any, display: str) -> None:
        self.display = display
        self._file = file
        self._array = NpyArray(file, os.fstat(file.fileno()).st_size, display)
        fields, axes = self._array.dtype.names, self._array.shape[1:]
        self.rows: int | None = self._array.rows
        self.whole = fields is None
        self.columns: list[str] = list(fields or ())
        if self.whole and len(axes) <= 1:
            self.columns = [str(i + 1) for i in range(prod(axes))]

    @property
    def starts(self) -> range:
        """Any row, unless rows lie scattered over the file."""
        return range(0 if self._array.scattered else self._array.rows)

    def pieces(self, wanted: Sequence[Wanted]) -> Iterator[list[Values]]:
        return self._decoded(_read([self._array]), wanted, 0)

    def between(self, wanted: Sequence[Wanted], span: Span) -> Iterator[list[Values]]:
        step = piece_rows(self._array.row_values)
        parts = (
            [self._array.between(start, min(start + step, span.stop))]
            for start in range(span.start, span.stop, step)
        )
        return self._decoded(parts, wanted, span.start)

    def _decoded(
        self, parts: Iterator[list[Any]], wanted: Sequence[Wanted], row: int
    ) -> Iterator[list[Values]]:
        for (part,) in parts:
            yield [decode_rows(self._column(part, w.column), w, self.display, row) for w in wanted]
            row += len(part)

    def close(self) -> None:
        self._array.close()
        self._file.close()

    def _column(self, part: Any, name: str) -> Any:
        if not self.whole:
            return part[name]
        return part if name == WHOLE or part.ndim == 1 else part[:, int(name) - 1]


class NpzSource(Source):
    """The arrays of an archive, which are its columns."""

    apart = True

    def __init__(self, file: Any, display: str) -> None:
        self.display = display
        self._file = file
        self._arrays: dict[str, NpyArray] = {}
        try:
            self._zip = zipfile.ZipFile(file)
        except DAMAGE as error:
            raise FileError(f"{display}: not a readable zip archive: {error}") from None
        names = self._zip.namelist()
        self.columns = [name.removesuffix(SUFFIX) for name in names if name.endswith(SUFFIX)]
        if not self.columns:
            raise of_archive(names, display)
        for name in names:
            if name.startswith("/") or ".." in name.split("/"):
                raise FileError(
                    f"{display}: {name!r} in it is a path that climbs out of the archive",
                    "numpy.savez writes arrays into one by plain names",
                )
        before = min(member.header_offset for member in self._zip.infolist())
        if before or not _ends_archive(file, len(self._zip.comment)):
            raise FileError(
                f"{display}: there are bytes {'before' if before else 'after'} its archive: two "
                "files in one?",
                "one file each: files of a directory are read one after the other",
            )

    def pieces(self, wanted: Sequence[Wanted]) -> Iterator[list[Values]]:
        names = list(dict.fromkeys(w.column for w in wanted))
        arrays = [self._open(name) for name in names]
        check_lengths({array.where: array.rows for array in arrays})
        row = 0
        for parts in _read(arrays):
            by_name = dict(zip(names, parts, strict=True))
            yield [decode_rows(by_name[w.column], w, self.display, row) for w in wanted]
            row += len(parts[0])

    def close(self) -> None:
        for array in self._arrays.values():
            array.close()
        self._zip.close()
        self._file.close()

    def _open(self, name: str) -> NpyArray:
        where = f"{self.display}, column '{name}'"
        if self.columns.count(name) > 1:
            raise DataError(
                f"{self.display}: {self.columns.count(name)} columns are called '{name}'"
            )
        try:
            size = self._zip.getinfo(name + SUFFIX).file_size
            member = self._zip.open(name + SUFFIX)
        except DAMAGE as error:
            raise FileError(f"{where}: damaged: {error}") from None
        array = self._arrays[name] = NpyArray(_Member(member, where), size, where)
        if array.dtype.names:
            raise DataError(f"{where}: records, expected numbers", "write each field as an array")
        return array


def _ends_archive(file: Any, comment: int) -> bool:
    """Whether a file ends with the last record of its archive and the comment in it."""
    file.seek(-_END_RECORD - comment, os.SEEK_END)
    return bool(file.read(len(_END)) == _END)


class _Member:
    """A file of an archive, read from the front."""

    def __init__(self, stream: Any, where: str) -> None:
        self._stream, self._where = stream, where

    def read(self, size: int) -> bytes:
        try:
            data: bytes = self._stream.read(size)
        except DAMAGE as error:
            raise FileError(f"{self._where}: damaged: {error}") from None
        return data

    def close(self) -> None:
        self._stream.close()


def _read(arrays: Sequence[NpyArray]) -> Iterator[list[Any]]:
    """The rows of arrays of one length, side by side, a few at a time."""
    step = piece_rows(sum(array.row_values for array in arrays))
    for _ in range(0, arrays[0].rows, step):
        yield [array.take(step) for array in arrays]


def check_lengths(rows: dict[str, int]) -> None:
    """A DataError when arrays of one file have different numbers of rows."""
    if len(set(rows.values())) > 1:
        counts = ", ".join(f"{where} has {count} rows" for where, count in rows.items())
        raise DataError(f"{counts}: rows are paired by position, so their counts must agree")


def decode_rows(part: Any, wanted: Wanted, display: str, row: int) -> Values:
    """Rows of an array as what is wanted of them; `row` is the first one's place in the file."""
    if part.dtype.kind == "S" and not wanted.raw:
        part = np.char.decode(part, "utf-8", "replace")
    if part.dtype.kind == "U" and _code_points(part).max(initial=0) > sys.maxunicode:
        raise FileError(f"{display}: damaged after row {row}: text that is not Unicode")
    try:
        return decode(part, wanted)
    except BadValue as bad:
        raise misfit(
            display, wanted.column, row + bad.index + 1, bad.value, bad.expected, bad.hint
        ) from None


def _code_points(texts: Any) -> Any:
    """The letters of an array of texts as numbers, of which NumPy makes strings unchecked."""
    return np.ascontiguousarray(texts).view(np.dtype("u4").newbyteorder(texts.dtype.byteorder))

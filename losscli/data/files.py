"""Opening a file by what is in it; the suffix only says what was meant."""

import io
import os
import shutil
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from losscli.data.references import STDIN, Reference
from losscli.data.source import Source, Wanted
from losscli.errors import DataError, FileError, UsageError
from losscli.losses.numerics import Array

#: formats that are recognised only to say what to do about them
_OTHERS = {
    b"\x1f\x8b": ("gzip", "gzip -dc {} | losscli … reads it from '-'"),
    b"BZh": ("bzip2", "bzip2 -dc {} | losscli … reads it from '-'"),
    b"\x28\xb5\x2f\xfd": ("zstandard", "zstd -dc {} | losscli … reads it from '-'"),
    b"\xfd7zXZ": ("xz", "xz -dc {} | losscli … reads it from '-'"),
    b"ARROW1": ("Arrow IPC", "write it as Parquet"),
    b"\x80": ("a pickle", "a pickle can run any program: write the values as CSV or Parquet"),
    b"PK\x03\x04": ("a zip archive", "unpack it first"),
}
_PARQUET_SUFFIXES = (".parquet", ".pq", ".parq")


@dataclass(frozen=True)
class ReadOptions:
    """How text files are read."""

    delimiter: str | None = None
    header: bool | None = None
    #: words that are labels, and so may be the first row of a file without a header
    labels: tuple[str, ...] = ()


def open_source(reference: Reference, options: ReadOptions) -> Source:
    """The reader for a file, or for standard input."""
    stream = _open(reference)
    try:
        return _recognise(stream, reference, options)
    except BaseException:
        stream.close()
        raise


def read_numbers(path: Path, options: ReadOptions) -> Array:
    """The one column of numbers of a small file, such as the weights of classes."""
    source = open_source(Reference(str(path)), options)
    try:
        if len(source.columns) != 1:
            raise DataError(f"{path}: {len(source.columns)} columns, expected one of numbers")
        pieces = [piece[0].array for piece in source.pieces([Wanted(source.columns[0])])]
    finally:
        source.close()
    if not pieces:
        raise DataError(f"{path}: no rows")
    numbers: Array = np.concatenate(pieces)
    if not np.isfinite(numbers).all() or (numbers < 0).any():
        raise DataError(f"{path}: expected numbers that are not negative")
    return numbers


def _recognise(stream: BinaryIO, reference: Reference, options: ReadOptions) -> Source:
    from losscli.data.csv import CsvSource
    from losscli.data.parquet import MAGIC, ParquetSource

    stream, head = _look(stream)
    if head.startswith(MAGIC):
        if not stream.seekable():
            return ParquetSource(_spool(stream), reference.display)
        stream.close()
        return ParquetSource(reference.path, reference.display)
    if Path(reference.path).suffix.lower() in _PARQUET_SUFFIXES:
        raise FileError(f"{reference.display}: not a Parquet file, whatever its name says")
    for magic, (name, advice) in _OTHERS.items():
        if head.startswith(magic):
            raise FileError(
                f"{reference.display}: {name}, expected CSV or Parquet",
                advice.format(reference.path),
            )
    suffix = Path(reference.path).suffix.lower()
    delimiter = options.delimiter or {".tsv": "\t", ".tab": "\t"}.get(suffix)
    return CsvSource(
        stream, reference.display, delimiter, options.header, options.labels, reference.columns
    )


def _open(reference: Reference) -> BinaryIO:
    if reference.path == STDIN:
        if sys.stdin is None or sys.stdin.closed:
            raise FileError("standard input is closed")
        if sys.stdin.isatty():
            raise UsageError(
                "'-' reads standard input, which is the terminal",
                "pipe a file into it, or name a file",
            )
        return open(sys.stdin.fileno(), "rb", closefd=False)
    try:
        if os.path.isdir(reference.path):
            raise FileError(f"{reference.path}: a directory, expected a CSV or Parquet file")
        return open(reference.path, "rb")
    except OSError as error:
        hint = ""
        if isinstance(error, FileNotFoundError):
            hint = _nearby(Path(reference.path))
        raise FileError(f"{reference.path}: {error.strerror or error}", hint) from None


class _Again(io.RawIOBase):
    """A stream that cannot go back, with the bytes that were read of it in front again."""

    def __init__(self, head: bytes, stream: BinaryIO) -> None:
        self._head, self._stream = head, stream

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        data = self._head[: len(buffer)] or self._stream.read(len(buffer))
        self._head = self._head[len(data) :] if self._head else b""
        buffer[: len(data)] = data
        return len(data)

    def close(self) -> None:
        self._stream.close()
        super().close()


def _look(stream: BinaryIO) -> tuple[BinaryIO, bytes]:
    """A stream from its start, and its first eight bytes, however slowly they come."""
    head = stream.read(8)
    if stream.seekable():
        stream.seek(0)
        return stream, head
    return io.BufferedReader(_Again(head, stream), 1 << 16), head


def _nearby(path: Path) -> str:
    import difflib

    try:
        names = [entry.name for entry in path.parent.iterdir()]
    except OSError:
        return f"the directory {path.parent} cannot be read" if path.parent != Path() else ""
    near = difflib.get_close_matches(path.name, names, n=1)
    return f"did you mean {path.parent / near[0]}?" if near else ""


def _spool(stream: BinaryIO) -> Any:
    """Parquet needs its footer first, so what comes through a pipe waits in a temporary file."""
    file = tempfile.TemporaryFile()  # noqa: SIM115 - it lives as long as its reader
    shutil.copyfileobj(stream, file)
    file.seek(0)
    return file

"""Opening a file by what is in it; the suffix only says what was meant."""

import io
import os
import shutil
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO, TypeVar

import numpy as np

from losscli.data import compression
from losscli.data.ahead import cores
from losscli.data.references import STDIN, Reference
from losscli.data.source import EXPECTED, Source, Wanted
from losscli.errors import DataError, FileError, UsageError
from losscli.losses.numerics import Array

T = TypeVar("T")

#: what a file of each format starts with
_MAGICS = {
    b"PAR1": "Parquet",
    b"ARROW1": "Arrow",
    b"\xff\xff\xff\xff": "Arrow stream",
    b"\x93NUMPY": "NumPy",
    b"PK\x03\x04": "zip",
}
#: formats that are recognised only to say what to do about them
_OTHERS = {
    b"FEA1": ("Feather version 1", "write it as version 2 or as Parquet"),
    b"\x80": ("a pickle", "a pickle can run any program: write the values as CSV or Parquet"),
    b"PK\x05\x06": ("an empty zip archive", "numpy.savez writes arrays into one"),
}
_SUFFIXES = {
    ".parquet": "a Parquet file",
    ".pq": "a Parquet file",
    ".parq": "a Parquet file",
    ".arrow": "an Arrow file",
    ".arrows": "an Arrow stream",
    ".feather": "an Arrow file",
    ".npy": "a NumPy file",
    ".npz": "an archive of NumPy files",
}


@dataclass(frozen=True)
class ReadOptions:
    """How files are read."""

    delimiter: str | None = None
    header: bool | None = None
    #: words that are labels, and so may be the first row of a file without a header
    labels: tuple[str, ...] = ()
    #: threads that read, and compute what they read
    threads: int = field(default_factory=cores)


def open_source(reference: Reference, options: ReadOptions) -> Source:
    """The reader for a file, for files that are one data set, or for standard input."""
    if reference.path == STDIN or os.path.isfile(reference.path):
        return _open_file(reference, options)
    from losscli.data import dataset

    parts = dataset.find(reference.path)
    if parts is None:
        return _open_file(reference, options)
    return dataset.DatasetSource(
        reference.display,
        parts,
        lambda path: _open_file(Reference(path, reference.columns), options),
    )


def _open_file(reference: Reference, options: ReadOptions) -> Source:
    stream = _open(reference)
    try:
        stream = _steady(stream)
        return _recognise(stream, reference, options)
    except OSError as error:
        stream.close()
        raise FileError(f"{reference.display}: {error.strerror or error}") from None
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


def _recognise(stream: Any, reference: Reference, options: ReadOptions) -> Source:
    display, name = reference.display, Path(reference.path)
    packed = _starting(stream, compression.MAGICS)
    if packed is not None:
        stream = compression.unpacked(stream, packed, display)
        if name.suffix.lower() in compression.SUFFIXES:
            name = name.with_suffix("")
        if _starting(stream, compression.MAGICS) is not None:
            raise FileError(f"{display}: compressed twice, expected {EXPECTED}", "unpack it once")
    kind, suffix = _starting(stream, _MAGICS), name.suffix.lower()
    if kind is not None:
        in_place = packed is None and reference.path != STDIN and stream.seekable()
        return _binary(kind, stream, reference.path if in_place else None, display)
    other = _starting(stream, _OTHERS)
    if other is not None:
        raise FileError(f"{display}: {other[0]}, expected {EXPECTED}", other[1])
    if suffix in _SUFFIXES:
        raise FileError(f"{display}: not {_SUFFIXES[suffix]}, whatever its name says")
    from losscli.data.csv import CsvSource

    delimiter = options.delimiter or {".tsv": "\t", ".tab": "\t"}.get(suffix)
    return CsvSource(
        stream,
        display,
        delimiter,
        options.header,
        options.labels,
        reference.columns,
        options.threads,
    )


def _starting(stream: Any, magics: Mapping[bytes, T]) -> T | None:
    """What a stream is by its first bytes, which stay in it."""
    head = stream.peek(8)[:8]
    return next((found for magic, found in magics.items() if head.startswith(magic)), None)


def _binary(kind: str, stream: Any, path: str | None, display: str) -> Source:
    """The reader of a binary format. All but streams of Arrow need to seek in their file."""
    if path is None and kind != "Arrow stream":
        stream = _spool(stream)
    try:
        if kind == "Parquet":
            from losscli.data.parquet import ParquetSource

            if path is not None:
                stream.close()
            return ParquetSource(path or stream, display)
        if kind.startswith("Arrow"):
            from losscli.data.ipc import IpcSource

            return IpcSource(stream, display, streams=kind == "Arrow stream")
        from losscli.data.npy import NpySource, NpzSource

        return (NpySource if kind == "NumPy" else NpzSource)(stream, display)
    except BaseException:
        stream.close()
        raise


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


def _steady(stream: BinaryIO) -> BinaryIO:
    """A stream whose first bytes can be looked at, however slowly they come through a pipe."""
    if stream.seekable():
        return stream
    return io.BufferedReader(_Again(stream.read(8), stream), 1 << 16)


def _nearby(path: Path) -> str:
    import difflib

    try:
        names = [entry.name for entry in path.parent.iterdir()]
    except OSError:
        return f"the directory {path.parent} cannot be read" if path.parent != Path() else ""
    near = difflib.get_close_matches(path.name, names, n=1)
    return f"did you mean {path.parent / near[0]}?" if near else ""


def _spool(stream: BinaryIO) -> Any:
    """What comes through a pipe waits in a temporary file: most formats are read with seeks."""
    try:
        file = tempfile.TemporaryFile()  # noqa: SIM115 - it lives as long as its reader
        shutil.copyfileobj(stream, file)
        file.flush()
    except OSError as error:
        raise FileError(
            "no room for what has to be unpacked or comes through a pipe: "
            f"{error.strerror or error}",
            "TMPDIR=DIRECTORY names another place; a file on disk is read where it is",
        ) from None
    stream.close()
    file.seek(0)
    return file

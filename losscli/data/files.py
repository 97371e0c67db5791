"""Opening a file by what is in it; the suffix only says what was meant."""

import os
from collections.abc import Mapping
from typing import Any

import numpy as np

from losscli.data import compression, foreign, text
from losscli.data.reading import ReadOptions
from losscli.data.references import STDIN, Reference, choose, parse
from losscli.data.source import EXPECTED, Source, Wanted, misfit
from losscli.data.streams import open_stream, spool, steady
from losscli.errors import DataError, FileError
from losscli.losses.numerics import Array

#: what a file of each format starts with
_MAGICS = {
    b"PAR1": "parquet",
    b"ARROW1": "arrow",
    b"\xff\xff\xff\xff": "arrow stream",
    b"\x93NUMPY": "npy",
    b"PK\x03\x04": "npz",
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
    ".safetensors": "a safetensors file",
}
#: the upper half of the length of a header, and its first byte; below there may be any magic
_SAFETENSORS = b"\0\0\0\0{"
_JSON = (".jsonl", ".ndjson", ".json")
_TEXTS = ("csv", "tsv", "jsonl")


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


def files_of(reference: Reference) -> list[str]:
    """The files that are read for a reference."""
    if reference.path == STDIN or os.path.isfile(reference.path):
        return [reference.path]
    from losscli.data import dataset

    parts = dataset.find(reference.path)
    return [reference.path] if parts is None else [part.path for part in parts]


def _open_file(reference: Reference, options: ReadOptions) -> Source:
    stream = open_stream(reference)
    try:
        stream = steady(stream)
        return _recognise(stream, reference, options)
    except OSError as error:
        stream.close()
        raise FileError(f"{reference.display}: {error.strerror or error}") from None
    except BaseException:
        stream.close()
        raise


def read_numbers(file: os.PathLike[str], options: ReadOptions) -> Array:
    """One column of numbers of a small file, such as the weights of classes."""
    reference = parse(os.fspath(file))
    path = reference.display
    source = open_source(reference, options)
    try:
        columns = source.columns
        if reference.columns is not None:
            columns = choose(reference, columns)
        if len(columns) != 1:
            names = [repr(name) for name in columns[:8]] + ["…"] * (len(columns) > 8)
            raise DataError(
                f"{reference}: it has {', '.join(names) or 'none'}, expected one column",
                f"name it, such as {path}#{columns[-1]}" if columns else "",
            )
        pieces = [piece[0].array for piece in source.pieces([Wanted(columns[0])])]
    finally:
        source.close()
    if not pieces:
        raise DataError(f"{path}: no rows")
    numbers: Array = np.concatenate(pieces)
    if numbers.ndim > 1:
        raise DataError(f"{path}: a column of lists, expected one of numbers")
    for row in np.flatnonzero(~np.isfinite(numbers) | (numbers < 0))[:1]:
        got, expected = f"got {numbers[row]:g}", "a number that is not negative"
        raise misfit(path, columns[0], int(row) + 1, got, expected)
    return numbers


def _recognise(stream: Any, reference: Reference, options: ReadOptions) -> Source:
    display, name = reference.display, reference.path
    packed = _starting(stream, compression.MAGICS)
    if packed is not None:
        stream = compression.unpacked(stream, packed, display)
        inner, outer = os.path.splitext(name)
        if outer.lower() in compression.SUFFIXES:
            name = inner
        if _starting(stream, compression.MAGICS) is not None:
            raise FileError(f"{display}: compressed twice, expected {EXPECTED}", "unpack it once")
    suffix = os.path.splitext(name)[1].lower()
    kind = options.format or _kind(stream, suffix, display)
    if kind in _TEXTS:
        if kind == "tsv" or suffix in (".tsv", ".tab"):
            kind = "tsv"
        return _text(kind, stream, reference, options)
    if kind == "arrow" and _starting(stream, _MAGICS) != "arrow":
        kind = "arrow stream"
    in_place = packed is None and reference.path != STDIN and stream.seekable()
    if in_place and "://" in reference.path and not os.path.exists(reference.path):
        from losscli.data import remote

        if kind == "parquet":
            from losscli.data.parquet import ParquetSource

            native, transfer = remote.native(stream)
            return ParquetSource(native, display, transfer=transfer)
        in_place = False
    return _binary(kind, stream, reference.path if in_place else None, display, options.threads)


def _kind(stream: Any, suffix: str, display: str) -> str:
    """The format of a file by its first bytes, which stay in it."""
    start = stream.peek(512)[:512]
    head = start[:64]
    if head[4:9] == _SAFETENSORS:
        return "safetensors"
    kind = _starting(stream, _MAGICS)
    if kind is not None:
        return kind
    foreign.refuse(start, display)
    if suffix in _SUFFIXES:
        wrong = f"{display}: not {_SUFFIXES[suffix]}, whatever its name says"
        if not head:
            raise FileError(f"{wrong}, but empty")
        if not text.is_binary(head):
            raise FileError(f"{wrong}, but text", "--input-format csv, tsv or jsonl reads it")
        raise FileError(wrong)
    if text.is_binary(head):
        raise foreign.binary(display)
    start = head.replace(b"\0", b"") if text.encoding_of(head) else head
    start = start.lstrip(b"\xef\xbb\xbf\xff\xfe \t\r\n")
    array = start[:1] == b"[" and start[1:].lstrip()[:1] == b"{"
    return "jsonl" if start[:1] == b"{" or array or suffix in _JSON else "csv"


def _starting(stream: Any, magics: Mapping[bytes, str]) -> str | None:
    """What a stream is by its first bytes, which stay in it."""
    head = stream.peek(16)[:16]
    if head[4:9] == _SAFETENSORS:
        return None
    return next((found for magic, found in magics.items() if head.startswith(magic)), None)


def _text(kind: str, stream: Any, reference: Reference, options: ReadOptions) -> Source:
    """The reader of a text format."""
    display = reference.display
    head = stream.peek(64)[:64]
    encoding = text.encoding_of(head)
    if encoding is not None:
        stream = text.recoded(stream, encoding, display)
    elif b"\0" in head:
        found = _starting(stream, _MAGICS)
        if found is not None:
            raise FileError(
                f"{display}: in the format {found}, not {kind}",
                "--input-format is not needed for it",
            )
        foreign.refuse(stream.peek(512)[:512], display)
        wide = text.unmarked(head)
        raise FileError(
            f"{display}: text with zero bytes, expected UTF-8, or UTF-16 that starts with its mark",
            text.recode(wide, display) if wide else text.without("\\0", display),
        )
    if kind == "jsonl":
        from losscli.data.jsonl import JsonSource

        return JsonSource(stream, display, options.null, options.threads)
    from losscli.data.csv import CsvSource

    delimiter = options.delimiter or ("\t" if kind == "tsv" else None)
    return CsvSource(
        stream, display, delimiter, options.header, options.labels, reference.columns,
        options.null, options.decimal, options.comment, options.threads,
    )  # fmt: skip


def _binary(kind: str, stream: Any, path: str | None, display: str, threads: int) -> Source:
    """The reader of a binary format. All but streams of Arrow need to seek in their file."""
    if path is None and kind != "arrow stream":
        stream = spool(stream)
    try:
        if kind == "parquet":
            from losscli.data.parquet import ParquetSource

            if path is not None:
                stream.close()
            return ParquetSource(path or stream, display, threads)
        if kind.startswith("arrow"):
            from losscli.data.ipc import IpcSource

            return IpcSource(stream, display, streams=kind == "arrow stream")
        if kind == "safetensors":
            from losscli.data.safetensors import SafetensorsSource

            return SafetensorsSource(stream, display)
        from losscli.data.npy import NpySource, NpzSource

        return (NpySource if kind == "npy" else NpzSource)(stream, display)
    except BaseException:
        stream.close()
        raise

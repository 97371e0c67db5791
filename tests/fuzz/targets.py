"""What is fuzzed: nothing but a LosscliError may come out, and no wrong number.

Each target takes bytes. Its corpus, which the tests replay, is the folder of its name in
`tests/fuzz/corpus`; `python -m tests.fuzz TARGET` looks for more.
"""

import csv
import io
import json
import math
import os
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np

import losscli
from losscli.api import parse_classes, parse_counts, parse_labels
from losscli.data import records
from losscli.data.csv import MISSING, CsvSource
from losscli.data.files import ReadOptions, open_source
from losscli.data.jsonl import JsonSource
from losscli.data.references import Reference, choose, parse
from losscli.data.source import WHOLE, LabelMap, Source, Wanted
from losscli.errors import LosscliError

#: read from a disk that is memory
_FOLDER = "/dev/shm" if os.path.isdir("/dev/shm") else None
#: what a target may read before it has seen enough
_ROWS = 10_000


def references(data: bytes) -> None:
    """A reference, and the columns it selects out of a header."""
    text, _, header = data.decode(errors="surrogateescape").partition("\n")
    with suppress(LosscliError):
        chosen = choose(parse(text), header.split(","))
        assert set(chosen) <= set(header.split(","))


def options(data: bytes) -> None:
    """Labels, names of classes, counts and weights of classes, as the command line takes them."""
    text = data.decode(errors="surrogateescape")
    for parser in (parse_labels, parse_classes, parse_counts):
        with suppress(LosscliError):
            parser(text)
    if "/" not in text:
        with suppress(LosscliError):
            losscli.compute("cross-entropy", pred=[[1.0, 2.0, 0.5]], target=[1], class_weight=text)


def csv_text(data: bytes) -> None:
    """CSV as Python's own reader reads it; the first byte chooses how it is read."""
    how, text = (data[0], data[1:]) if data else (0, b"")
    delimiter, header = [",", "\t", ";", None][how & 3], bool(how & 4)
    chunk = (1, 7, 64, 1 << 20)[how >> 3 & 3]
    before, records.CHUNK = records.CHUNK, chunk
    try:
        source = CsvSource(io.BytesIO(text), "f.csv", delimiter, header)
        if len(set(source.columns)) == len(source.columns):
            found = _rows(source, [Wanted(name) for name in source.columns])
            # A carriage return alone is a line end to some, and nothing that is read twice.
            if b"\r" not in text.replace(b"\r\n", b""):
                _assert_same(found, _by_python(text, source.delimiter, header))
        labels = LabelMap(("no", "1"), (0.0, 1.0))
        _rows(source, [Wanted(source.columns[0], labels)])
    except LosscliError:
        pass
    finally:
        records.CHUNK = before


def json_lines(data: bytes) -> None:
    """JSON lines as Python's own reader reads them; the first byte says in what chunks."""
    how, text = (data[0], data[1:]) if data else (0, b"")
    before, records.CHUNK = records.CHUNK, (1, 7, 64, 1 << 20)[how & 3]
    try:
        source = JsonSource(io.BytesIO(text), "f.jsonl")
        for name in source.columns[:3]:
            found = _rows(JsonSource(io.BytesIO(text), "f.jsonl"), [Wanted(name)])
            if all(np.ndim(row[0]) == 0 for row in found):
                _assert_same(found, _by_json(text, name))
    except LosscliError:
        pass
    finally:
        records.CHUNK = before


def _by_json(text: bytes, name: str) -> list[list[float]]:
    """The numbers of a column that our reader took, by Python's reader."""
    found = []
    for line in text.removeprefix(b"\xef\xbb\xbf").decode(errors="surrogateescape").split("\n"):
        if line.strip():
            value: Any = json.loads(line)
            for part in name.split(".") if name not in value else [name]:
                value = value.get(part) if isinstance(value, dict) else None
            value = (
                {"NaN": math.nan, "Infinity": math.inf, "-Infinity": -math.inf}.get(value, value)
                if isinstance(value, str)
                else value
            )
            found.append([np.asarray(math.nan if value is None else value, dtype=float)])
    return found


def _by_python(text: bytes, delimiter: str, header: bool) -> list[list[float]]:
    """The numbers of a text that our reader took, by Python's reader."""
    decoded = text.removeprefix(b"\xef\xbb\xbf").decode(errors="replace").strip("\r\n") + "\n"
    rows = list(csv.reader(io.StringIO(decoded, newline=""), delimiter=delimiter))[int(header) :]
    width = max(map(len, rows), default=0)
    cells = [row or [""] for row in rows if row or width <= 1]
    return [[math.nan if c.strip() in MISSING else float(c.strip()) for c in row] for row in cells]


def _assert_same(found: Sequence[Sequence[float]], expected: Sequence[Sequence[float]]) -> None:
    assert len(found) == len(expected), (found, expected)
    for one, other in zip(found, expected, strict=True):
        np.testing.assert_array_equal(one, other)


def files(data: bytes) -> None:
    """A file of any format, which is known by its content; NumPy's as NumPy reads it."""
    with tempfile.NamedTemporaryFile(dir=_FOLDER, suffix=".bin") as file:
        file.write(data)
        file.flush()
        with suppress(LosscliError):
            source = open_source(Reference(file.name), ReadOptions(header=True))
            try:
                names = [WHOLE] if source.whole else list(dict.fromkeys(source.columns))[:3]
                if not names:  # of a file without columns nothing is asked
                    return
                how = sum(data) % 3
                labels = LabelMap(("a", "1"), (0.0, 1.0)) if how == 1 else None
                found = _rows(source, [Wanted(name, labels, key=how == 2) for name in names])
            finally:
                source.close()
            if how == 0 and data.startswith(b"\x93NUMPY") and source.whole:
                expected = np.load(file.name)
                if expected.dtype.kind in "biuf":
                    np.testing.assert_array_equal([row[0] for row in found], expected[:_ROWS])


def _rows(source: Source, wanted: list[Wanted]) -> list[list[Any]]:
    """The first rows of what is wanted."""
    rows: list[list[Any]] = []
    for piece in source.pieces(wanted):
        rows += [list(row) for row in zip(*(values.array for values in piece), strict=True)]
        if len(rows) > _ROWS:
            break
    return rows[:_ROWS]


TARGETS: dict[str, Callable[[bytes], None]] = {
    "references": references,
    "options": options,
    "csv": csv_text,
    "parquet": files,
    "arrow": files,
    "npy": files,
    "npz": files,
    "packed": files,
    "jsonl": json_lines,
    "safetensors": files,
}
CORPUS = Path(__file__).parent / "corpus"


def corpus(target: str) -> Iterator[bytes]:
    """The inputs of a target that are kept, each for what it reaches or once broke."""
    for path in sorted((CORPUS / target).iterdir()):
        yield path.read_bytes()

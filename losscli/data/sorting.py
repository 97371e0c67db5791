"""Rows sorted within a bound of memory: what is beyond it waits in sorted runs on disk."""

import os
import tempfile
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np

from losscli.data.source import Values
from losscli.errors import FileError

#: columns of the same rows
Rows = list[Values]
Join = Callable[[Sequence[Rows]], Rows]

#: a batch of a run is so small a part of it that a batch of each of as many runs fits in memory
BATCHES = 64
#: rows of a batch at least: fewer would take more time than they save memory
LEAST = 1024
#: rows are held as they came, joined, and in their new order
COPIES = 3


class Sorter:
    """Takes rows in any order, and gives them in the order of one of their columns.

    Rows that are equal in it keep the order in which they came.
    """

    def __init__(self, by: int, join: Join, bound: int) -> None:
        """By the column at an index; `join` puts rows after rows; `bound` is in bytes."""
        self._by, self._join, self._bound = by, join, bound
        self._held: list[Rows] = []
        self._bytes = 0
        self._runs: list[_Run] = []

    def add(self, rows: Rows) -> None:
        """Take more rows."""
        self._held.append(rows)
        self._bytes += sum(_bytes(values) for values in rows)
        if COPIES * self._bytes > self._bound:
            self._runs.append(_Run(self._sorted()))

    def rows(self, step: int) -> Iterator[Rows]:
        """All rows in order, about `step` of them at a time."""
        if not self._runs:
            if self._held:
                yield from batches(self._sorted(), step)
            return
        if self._held:
            self._runs.append(_Run(self._sorted()))
        for rows in self._merged():
            yield from batches(rows, step)

    def close(self) -> None:
        """Let go of what is on disk."""
        for run in self._runs:
            run.close()

    def _sorted(self) -> Rows:
        held, self._held, self._bytes = self._held, [], 0
        return self._in_order(held)

    def _in_order(self, parts: Sequence[Rows]) -> Rows:
        rows = self._join(parts)
        order = np.argsort(rows[self._by].array, kind="stable")
        return chosen(rows, order)

    def _merged(self) -> Iterator[Rows]:
        """Rows up to the smallest of the last keys at hand: no run has one before it any more."""
        runs = [run.batches() for run in self._runs]
        heads = [next(run, None) for run in runs]
        while any(head is not None for head in heads):
            end = min(head[self._by].array[-1] for head in heads if head is not None)
            parts: list[Rows] = []
            for i, head in enumerate(heads):
                if head is None:
                    continue
                cut = int(np.searchsorted(head[self._by].array, end, side="right"))
                if cut:
                    parts.append(chosen(head, slice(cut)))
                rest = chosen(head, slice(cut, None))
                heads[i] = rest if len(rest[0].array) else next(runs[i], None)
            yield self._in_order(parts)


class _Run:
    """Sorted rows in a temporary file, which has no name and ends with the process."""

    def __init__(self, rows: Rows) -> None:
        self._objects = [values.array.dtype == object for values in rows]
        self._count = 0
        self._file = tempfile.TemporaryFile()  # noqa: SIM115 - it lives as long as the run
        try:
            for batch in batches(rows, max(LEAST, len(rows[0].array) // BATCHES)):
                for values in batch:
                    self._write(values)
                self._count += 1
            self._file.flush()
        except OSError as error:
            self._file.close()
            raise FileError(
                f"{tempfile.gettempdir()}: {os.strerror(error.errno or 0)}, for rows to be sorted",
                "TMPDIR names another directory; --max-memory SIZE holds more in memory",
            ) from None
        self._file.seek(0)

    def batches(self) -> Iterator[Rows]:
        """The rows again."""
        for _ in range(self._count):
            yield [self._read(words) for words in self._objects]

    def close(self) -> None:
        self._file.close()

    def _write(self, values: Values) -> None:
        array: Any = values.array
        missing = np.empty(0, bool) if values.missing is None else values.missing
        for each in (array.astype(np.str_) if array.dtype == object else array, missing):
            np.lib.format.write_array(self._file, np.ascontiguousarray(each), allow_pickle=False)

    def _read(self, words: bool) -> Values:
        array, missing = (
            np.lib.format.read_array(self._file, allow_pickle=False) for _ in range(2)
        )
        return Values(array.astype(object) if words else array, missing if missing.size else None)


def chosen(rows: Rows, which: Any) -> Rows:
    """Some of the rows: a slice, a mask or indices."""
    return [values.rows(which) for values in rows]


def batches(rows: Rows, step: int) -> Iterator[Rows]:
    """Rows, a few at a time."""
    for start in range(0, len(rows[0].array), step):
        yield chosen(rows, slice(start, start + step))


def _bytes(values: Values) -> int:
    """Memory that values take; a text apart counts as a hundred bytes."""
    array = values.array
    size = array.size * 100 if array.dtype == object else array.nbytes
    return size + (0 if values.missing is None else values.missing.nbytes)

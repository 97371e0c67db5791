"""Rows sorted within a bound of memory: what is beyond it waits in sorted runs on disk."""

import os
import pickle
import tempfile
from collections.abc import Callable, Iterator, Sequence
from functools import reduce
from typing import Any, Literal, NamedTuple

import numpy as np

from losscli.data import texts
from losscli.data.source import Values
from losscli.errors import FileError

#: columns of the same rows
Rows = list[Values]
Join = Callable[[Sequence[Rows]], Rows]

#: runs that are merged at once, at most
FAN_IN = 64
#: bytes of a batch of a run at least: fewer would take more time than they save memory
LEAST = 1 << 16
#: rows are held as they came, joined, and in their new order
COPIES = 3
#: bytes that short lists beside long ones may be filled up with
FILLING = 1 << 24


class _Size(NamedTuple):
    """How large rows are that came apart."""

    rows: int
    #: bytes of a row of lists in each column, where it is widest
    widest: Any
    #: bytes of all else
    others: int
    apart: int

    def plus(self, other: "_Size") -> "_Size":
        """The size of both."""
        widest = np.maximum(self.widest, other.widest)
        others, apart = self.others + other.others, self.apart + other.apart
        return _Size(self.rows + other.rows, widest, others, apart)

    @property
    def joined(self) -> int:
        """Their bytes as one, where all lists are as wide as the widest."""
        return self.others + int(self.rows * self.widest.sum())

    @property
    def sprawls(self) -> bool:
        """Whether a few wide ones make the others far wider than they are."""
        return self.joined > 2 * self.apart + FILLING


def _size(rows: Rows) -> _Size:
    count = len(rows[0].array)
    sizes = np.array([_bytes(values) for values in rows])
    lists = np.where([values.array.ndim > 1 for values in rows], sizes, 0)
    apart = int(sizes.sum())
    return _Size(count, lists / max(1, count), apart - int(lists.sum()), apart)


class Sorter:
    """Takes rows in any order, and gives them in the order of one of their columns.

    Rows that are equal in it keep the order in which they came.
    """

    def __init__(self, by: int, join: Join, bound: int) -> None:
        """By the column at an index; `join` puts rows after rows; `bound` is in bytes."""
        self._by, self._join, self._bound = by, join, bound
        self._held: list[Rows] = []
        #: of what is held
        self._size = _Size(0, np.zeros(1), 0, 0)
        #: as their rows came; how often the rows of each were merged does not increase
        self._runs: list[_Run] = []
        # A batch of every run that is merged is held.
        self._batch = max(LEAST, bound // (COPIES * FAN_IN))
        self._fan_in = min(FAN_IN, max(2, bound // (COPIES * self._batch)))

    def add(self, rows: Rows) -> None:
        """Take more rows."""
        size = _size(rows)
        if self._held:
            both = self._size.plus(size)
            if COPIES * both.joined > self._bound or both.sprawls:
                self._spill()
            else:
                size = both
        self._held.append(rows)
        self._size = size

    def rows(self, step: int) -> Iterator[Rows]:
        """All rows in order, about `step` of them at a time."""
        if not self._runs:
            if self._held:
                yield from batches(self._sorted(), step)
            return
        if self._held:
            self._spill()
        while len(self._runs) > self._fan_in:
            self._unite(min(self._fan_in, len(self._runs) - self._fan_in + 1))
        for rows in self._merged(self._runs):
            yield from batches(rows, step)

    def close(self) -> None:
        """Let go of what is on disk."""
        for run in self._runs:
            run.close()

    def _spill(self) -> None:
        """Put what is held on disk. As soon as runs can be merged they are, lest they be many."""
        self._runs.append(_Run(iter([self._sorted()]), self._batch, 0))
        while len(self._runs) >= self._fan_in and (
            self._runs[-self._fan_in].merged == self._runs[-1].merged
        ):
            self._unite(self._fan_in)

    def _unite(self, count: int) -> None:
        """Make one run of the last ones."""
        last = self._runs[-count:]
        merged = max(run.merged for run in last) + 1
        self._runs[-count:] = [_Run(self._merged(last), self._batch, merged)]
        for run in last:
            run.close()

    def _sorted(self) -> Rows:
        held, self._held = self._held, []
        return self._joined(held)

    def _in_order(self, parts: Sequence[Rows]) -> Iterator[Rows]:
        """Sorted rows of several runs in one order, fewer at once where a few of them are wide."""
        if reduce(_Size.plus, map(_size, parts)).sprawls:
            keys = max((rows[self._by].array for rows in parts), key=len)
            cuts = [place(rows[self._by].array, keys[len(keys) // 2]) for rows in parts]
            ends = [chosen(r, slice(cut, None)) for r, cut in zip(parts, cuts, strict=True)]
            ends = [rows for rows in ends if len(rows[0].array)]
            if ends:
                starts = [chosen(r, slice(cut)) for r, cut in zip(parts, cuts, strict=True) if cut]
                yield from self._in_order(starts)
                yield from self._in_order(ends)
                return
        yield self._joined(parts)

    def _joined(self, parts: Sequence[Rows]) -> Rows:
        rows = self._join(parts)
        order = np.argsort(rows[self._by].array, kind="stable")
        return chosen(rows, order)

    def _merged(self, those: "Sequence[_Run]") -> Iterator[Rows]:
        """Rows up to the smallest of the last keys at hand: no run has one before it any more.

        The run that ends with it may have more rows of this key, which come before those of the
        runs after it.
        """
        runs = [run.batches() for run in those]
        heads = [next(run, None) for run in runs]
        while any(head is not None for head in heads):
            lasts = [None if head is None else head[self._by].array[-1] for head in heads]
            end = min(last for last in lasts if last is not None)
            first = next(i for i, last in enumerate(lasts) if last is not None and last == end)
            parts: list[Rows] = []
            for i, head in enumerate(heads):
                if head is None:
                    continue
                side: Literal["left", "right"] = "right" if i <= first else "left"
                cut = place(head[self._by].array, end, side)
                if cut:
                    parts.append(chosen(head, slice(cut)))
                rest = chosen(head, slice(cut, None))
                heads[i] = rest if len(rest[0].array) else next(runs[i], None)
            yield from self._in_order(parts)


class _Run:
    """Sorted rows in a temporary file, which has no name and ends with the process."""

    def __init__(self, parts: Iterator[Rows], size: int, merged: int) -> None:
        """Of rows in order, in batches of so many bytes; `merged` is how often they were."""
        self.merged = merged
        self._count = 0
        self._file = tempfile.TemporaryFile()  # noqa: SIM115 - it lives as long as the run
        try:
            for rows in parts:
                count = len(rows[0].array)
                for batch in batches(rows, max(1, count * size // max(1, bytes_of(rows)))):
                    pickle.dump(batch, self._file, pickle.HIGHEST_PROTOCOL)
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
            yield pickle.load(self._file)  # which nobody else can open

    def close(self) -> None:
        self._file.close()


def chosen(rows: Rows, which: Any) -> Rows:
    """Some of the rows: a slice, a mask or indices."""
    return [values.rows(which) for values in rows]


def batches(rows: Rows, step: int) -> Iterator[Rows]:
    """Rows, a few at a time."""
    for start in range(0, len(rows[0].array), step):
        yield chosen(rows, slice(start, start + step))


def place(keys: Any, key: Any, side: Literal["left", "right"] = "right") -> int:
    """Where a key belongs among others in order, before or after its equals.

    NumPy would make them all as wide as the key: what is longer than they are comes after those
    that it begins with.
    """
    if keys.dtype.kind == "S" and len(key) > keys.itemsize:
        key, side = key[: keys.itemsize], "right"
    return int(np.searchsorted(keys, key, side=side))


def bytes_of(rows: Rows) -> int:
    """Memory that rows take."""
    return sum(map(_bytes, rows))


def _bytes(values: Values) -> int:
    others = (part.nbytes for part in values[1:] if part is not None)
    return texts.bytes_of(values.array) + sum(others)

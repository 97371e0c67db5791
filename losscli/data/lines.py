"""Which line of a text a row is on, where blank lines and line ends in quotes make them differ."""

import csv
import io
from bisect import bisect_right
from typing import NamedTuple

import numpy as np

#: chunks whose lines are not their rows that are kept to be counted in; others are behind by then
KEPT = 32


class _Part(NamedTuple):
    row: int
    line: int
    #: the text, where its lines are not its rows
    chunk: bytes | None


class Lines:
    """The places of chunks of a CSV. A row is looked up only when it is to be named."""

    def __init__(self, delimiter: str, one_column: bool) -> None:
        self._delimiter, self._one_column = delimiter, one_column
        self._parts: list[_Part] = []
        self._uneven: list[int] = []

    def add(self, chunk: bytes, row: int, rows: int, line: int) -> int:
        """Note where a chunk is; how many lines it has."""
        lines = count_lines(chunk)
        self._parts.append(_Part(row, line, chunk if lines != rows else None))
        if lines != rows:
            self._uneven.append(len(self._parts) - 1)
            for behind in self._uneven[:-KEPT]:
                self._parts[behind] = self._parts[behind]._replace(chunk=b"")
            del self._uneven[:-KEPT]
        return lines

    def of(self, row: int) -> int | None:
        """The line, from 1, on which a row begins, both in a file without comments."""
        at = bisect_right(self._parts, row, key=lambda part: part.row) - 1
        if at < 0:
            return None
        part = self._parts[at]
        if part.chunk is None:
            return part.line + row - part.row + 1
        return part.line + self.within(part.chunk, row - part.row) if part.chunk else None

    def within(self, chunk: bytes, index: int) -> int:
        """The line of a chunk, from 1, on which a record begins."""
        text = io.StringIO(chunk.decode(errors="replace"), newline="")
        reader = csv.reader(text, delimiter=self._delimiter)
        before = 0
        for record in reader:
            if record or self._one_column:
                if not index:
                    break
                index -= 1
            before = reader.line_num
        return before + 1


def count_lines(data: bytes) -> int:
    """The line ends in a chunk; `bytes.count` takes ten times as long where lines are short."""
    return int(np.count_nonzero(np.frombuffer(data, np.uint8) == 10))

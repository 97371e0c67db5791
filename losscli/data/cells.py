"""The records of a CSV as Python reads them, where the parser of Arrow refuses them."""

import csv
import io
import re
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from losscli.data.records import LONGEST_RECORD, OPEN_QUOTE, STRAY_QUOTE, Quoting
from losscli.data.troubles import LONGEST, NOT_UTF8

#: bytes that are not UTF-8, as `surrogateescape` keeps them
_ESCAPED = re.compile("[\udc80-\udcff]")
_QUOTES = {STRAY_QUOTE: "a quote in the middle of a field", OPEN_QUOTE: "a quote that never closes"}
csv.field_size_limit(LONGEST_RECORD)


class Problem(NamedTuple):
    """What makes a record no row, in the words of a BadLine."""

    reason: str
    value: str
    problem: str
    message: str


class Record(NamedTuple):
    """A record, and the lines of its chunk, from 1, on which it begins and ends."""

    cells: list[str]
    begin: int
    end: int
    #: what is wrong with its quotes: STRAY_QUOTE, OPEN_QUOTE or nothing
    quotes: str = ""

    def escaped(self, indexes: Sequence[int]) -> str:
        """The first of some cells that is not UTF-8."""
        cells = (self.cells[i] for i in indexes if i < len(self.cells))
        return next((c for c in cells if not c.isascii() and _ESCAPED.search(c)), "")


def records(chunk: bytes, quoting: Quoting, delimiter: str) -> Iterator[Record]:
    """The records of a chunk; csv.Error where one is too long.

    A quote that never closes takes its own line with it, and none of those that follow.
    """
    line = 0
    while chunk:
        wrong = list(quoting.wrong(chunk)) if b'"' in chunk else []
        cut = len(chunk)
        if wrong and wrong[-1][1] == OPEN_QUOTE:
            cut = chunk.find(b"\n", wrong[-1][0]) + 1 or cut
        places = _lines_of(chunk, [at for at, _ in wrong])
        kinds = [kind for _, kind in wrong]
        text = chunk[:cut].decode(errors="surrogateescape")
        # A carriage return alone ends no line: csv raises its error where one is not in quotes.
        reader = csv.reader(io.StringIO(text, newline="\n"), delimiter=delimiter)
        end = 0
        for cells in reader:
            begin, end, quotes = end + 1, reader.line_num, ""
            while places and places[0] <= end:
                places.pop(0)
                quotes = quotes or kinds.pop(0)
            yield Record(cells, line + begin, line + end, quotes)
        line += end
        chunk = chunk[cut:]


def problem_of(
    record: Record, width: int, indexes: Sequence[int], delimiter: str
) -> Problem | None:
    """What makes a record no row of some columns, of which those at `indexes` are read."""
    if record.quotes:
        problem = _QUOTES[record.quotes]
        return Problem(record.quotes, short(delimiter.join(record.cells)), problem, problem)
    fields = len(record.cells)
    if fields and fields != width:
        found, expected = f"{fields} field{'s' * (fields != 1)}", f"expected {width}"
        return Problem("ragged-line", found, expected, f"{fields} fields, {expected}")
    escaped = record.escaped(indexes)
    if escaped:
        shown = ascii(escaped.encode(errors="surrogateescape"))[1:]
        return Problem(NOT_UTF8, shown, "not UTF-8 text", "not UTF-8 text")
    return None


def short(cell: str) -> str:
    """A cell in quotes, and not all of a long one."""
    return repr(cell if len(cell) <= LONGEST else cell[: LONGEST - 3] + "…")


def _lines_of(chunk: bytes, places: Sequence[int]) -> list[int]:
    """The lines, from 1, that places of a chunk are on; the places ascend."""
    lines, line, before = [], 1, 0
    for at in places:
        line += chunk.count(b"\n", before, at)
        before = at
        lines.append(line)
    return lines

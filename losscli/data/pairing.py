"""Files whose rows are paired by key → one source, whose rows are in the order of the first file.

Where every file is in the order of its keys, they are merged as they are read. Otherwise each file
is sorted by its keys, they are merged, and the rows sorted back into the order of the first file.
"""

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Any

import numpy as np

from losscli.data.align import Stream, together
from losscli.data.given import On
from losscli.data.keys import BadKey, Keys, kind_of, settle, trimmed
from losscli.data.matching import Cursor, Findings, matched
from losscli.data.sorting import Rows, Sorter
from losscli.data.source import Source, Values, Wanted, misfit, piece_rows
from losscli.errors import DataError
from losscli.stopwatch import Stopwatch


class Side:
    """One file: its rows with their keys and numbers, as its last two columns."""

    def __init__(
        self, source: Source, wanted: Sequence[Wanted], on: On,
        again: Callable[[], Source] | None,
    ) -> None:  # fmt: skip
        """`again` opens the file once more, where that can be done."""
        self.source, self.wanted, self._again = source, list(wanted), again
        self.display = source.display or wanted[0].column
        self._raw = [Wanted(name, raw=True) for name in on.keys]
        self._pieces = source.pieces([*self.wanted, *self._raw])
        self._first = next(self._pieces, None)
        if self._first is None:
            raise DataError(f"{self.display}: no rows")
        self._keys: Keys
        self.stream: Stream

    def kinds(self) -> list[str | None]:
        """What each column of the key holds; None where it is text that may stand for anything."""
        assert self._first is not None
        found: list[str | None] = []
        for w, values in zip(self._raw, self._first[len(self.wanted) :], strict=True):
            try:
                found.append(None if self.source.is_text(w.column) else kind_of(values.array))
            except DataError as error:
                raise DataError(f"{self.display}, column '{w.column}' {error.message}") from None
        return found

    def ascends(self, keys: Keys) -> bool:
        """Whether the keys are in their order, as far as that can be known beforehand."""
        if self._again is None:
            return False
        source, last = self._again(), None
        try:
            for piece in self._keyed(source.pieces(self._raw), 0, keys):
                key = piece[0].array
                if len(key) and (
                    (last is not None and key[0] < last) or bool((key[1:] < key[:-1]).any())
                ):
                    return False
                last = key[-1] if len(key) else last
        finally:
            source.close()
        return True

    def start(self, keys: Keys) -> None:
        """Begin to read, now that it is known what the keys are."""
        self._keys = keys
        columns = [*self.wanted, *self._raw[:1] * 2]
        # Whoever reads all files together counts the time of it.
        self.stream = Stream(_Given(self.source, self._rows()), columns, Stopwatch())

    def _rows(self) -> Iterator[Rows]:
        assert self._first is not None
        first, self._first = self._first, None
        yield from self._keyed(iter([first]), len(self.wanted), self._keys)
        yield from self._keyed(self._pieces, len(self.wanted), self._keys, len(first[0].array))

    def _keyed(
        self, pieces: Iterator[list[Values]], wanted: int, keys: Keys, row: int = 0
    ) -> Iterator[Rows]:
        """Pieces with keys and numbers of rows in place of the columns of the key."""
        for piece in pieces:
            try:
                columns = zip(self._raw, piece[wanted:], strict=True)
                key = keys.encode(
                    [
                        trimmed(v.array) if self.source.is_text(w.column) else v.array
                        for w, v in columns
                    ]
                )
            except BadKey as error:
                bad = error.bad
                display, at = self.source.locate(row + bad.index)
                name = display or self.display
                raise misfit(name, error.column, at + 1, bad.value, bad.expected) from None
            numbers: Any = np.arange(row, row + len(key))
            yield [*piece[:wanted], Values(key), Values(numbers)]
            row += len(key)


class _Given(Source):
    """A source whose pieces are made already."""

    def __init__(self, source: Source, pieces: Iterator[Rows]) -> None:
        self.display, self.columns, self.rows = source.display, source.columns, source.rows
        self._source, self._pieces = source, pieces

    def pieces(self, wanted: Sequence[Wanted]) -> Iterator[Rows]:
        return self._pieces

    def close(self) -> None:
        self._source.close()


class PairedSource(Source):
    """The columns of several files side by side, then the key, then each file's numbers of rows."""

    def __init__(self, sides: Sequence[Side], on: On) -> None:
        self.display = " with ".join(side.display for side in sides)
        self._sides, self._on = sides, on
        kinds = [
            settle(name, [side.display for side in sides], [side.kinds()[i] for side in sides])
            for i, name in enumerate(on.keys)
        ]
        self.key, self._merges = self._order(kinds)
        for side in sides:
            side.start(self.key)
        locate = [partial(self.locate_in, i) for i in range(len(sides))]
        self.findings = Findings([side.display for side in sides], locate, self.key)
        self.columns: list[str] = []
        #: how many columns there are before those that pair rows
        self.values = sum(len(side.wanted) for side in sides)
        self.rows = sides[0].source.rows if on.join == "strict" else None
        self._sorters: list[Sorter] = []

    @property
    def wanted(self) -> list[Wanted]:
        """What is read of the files, in the order of the columns here."""
        own = [w for side in self._sides for w in side.wanted]
        return own + [Wanted("key", raw=True)] * (1 + len(self._sides))

    @property
    def left_out(self) -> dict[str, int]:
        """How many rows of each file have no partner, once all is read."""
        return self.findings.left_out

    def pieces(self, wanted: Sequence[Wanted]) -> Iterator[list[Values]]:
        rows = self._merged() if self._merges else self._sorted()
        count = 0
        for piece in rows:
            count += len(piece[0].array)
            yield piece
        if not count:
            raise DataError(f"{self.display}: no key is in all of them")

    def locate_in(self, side: int, row: int) -> tuple[str, int]:
        """Which file a row of one of the sides is of, and where in it."""
        display, at = self._sides[side].source.locate(row)
        return display or self._sides[side].display, at

    def source_of(self, side: int) -> Source:
        """The file of one of the sides."""
        return self._sides[side].source

    def close(self) -> None:
        """Let go of all files, and of what waits on disk."""
        for side in self._sides:
            if hasattr(side, "stream"):
                side.stream.close()
            else:
                side.source.close()
        for sorter in self._sorters:
            sorter.close()

    def _order(self, kinds: list[str]) -> tuple[Keys, bool]:
        """The order of keys that all files are in, and whether there is one.

        Whole numbers that are written as text are in order when shorter ones come first.
        """
        for by_length in (False, True):
            keys = Keys(self._on.keys, kinds, by_length)
            if all(side.ascends(keys) for side in self._sides):
                return keys, True
        return Keys(self._on.keys, kinds), False

    def _merged(self) -> Iterator[Rows]:
        parts = [_parts(side) for side in self._sides]
        yield from self._matched(parts)

    def _sorted(self) -> Iterator[Rows]:
        share = self._on.bound // (len(self._sides) + 1)
        back = Sorter(-len(self._sides), partial(_join, self.wanted, self.display), share)
        self._sorters.append(back)
        parts = []
        for side in self._sides:
            sorter = Sorter(-2, partial(_join, side.stream.wanted, side.display), share)
            self._sorters.append(sorter)
            for rows in _parts(side):
                sorter.add(rows)
            parts.append(sorter.rows(_step(side)))
        for rows in self._matched(parts):
            back.add(rows)
        yield from back.rows(min(_step(side) for side in self._sides))

    def _matched(self, parts: Sequence[Iterator[Rows]]) -> Iterator[Rows]:
        """Rows of all files with one key: values, key, and each file's number of the row."""
        cursors = [Cursor(each) for each in parts]
        for matches in matched(cursors, self.findings, self._on.join == "strict"):
            values = [v for rows in matches for v in rows[:-2]]
            yield [*values, matches[0][-2], *(rows[-1] for rows in matches)]
        self.findings.check(self._on.join == "strict")


def _parts(side: Side) -> Iterator[Rows]:
    while rows := side.stream.take(_step(side)):
        yield rows


def _step(side: Side) -> int:
    return piece_rows(len(side.wanted))


def _join(wanted: Sequence[Wanted], display: str, parts: Sequence[Rows]) -> Rows:
    """Rows after rows."""
    columns = zip(*parts, strict=True)
    return [together(each, w, display) for each, w in zip(columns, wanted, strict=True)]

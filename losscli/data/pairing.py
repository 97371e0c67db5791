"""Files whose rows are paired by key → one source, whose rows are in the order of the first file.

Where every file is in the order of its keys, they are merged as they are read. Otherwise each file
is sorted by its keys, they are merged, and the rows sorted back into the order of the first file.
"""

import itertools
import math
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Any

import numpy as np

from losscli.data.align import Stream, together
from losscli.data.given import On
from losscli.data.key_types import Kind, kind_of, settle
from losscli.data.keys import BadKey, Keys, as_arrow, pieces_of
from losscli.data.matching import NUMBER, Cursor, Findings, matched
from losscli.data.sorting import Rows, Sorter, chosen
from losscli.data.source import Source, Values, Wanted, misfit, piece_rows
from losscli.data.troubles import LISTED, Found, Tell, Trouble
from losscli.errors import DataError
from losscli.stopwatch import Stopwatch


class Side:
    """One file: its rows with their keys and numbers, as its last two columns."""

    def __init__(
        self, source: Source, wanted: Sequence[Wanted], on: On,
        again: Callable[[], Source] | None, tell: Tell | None = None,
    ) -> None:  # fmt: skip
        """`again` opens the file once more, where that can be done.

        With `tell`, rows whose keys cannot be read are left out.
        """
        self.source, self.wanted, self._again = source, list(wanted), again
        self._tell = tell
        self.display = source.display or wanted[0].column
        self._raw = [Wanted(name, raw=True) for name in on.keys]
        self._pieces = source.pieces([*self.wanted, *self._raw])
        self._first = next(self._pieces, None)
        if self._first is None:
            raise DataError(f"{self.display}: no rows")
        #: values of a row, of which a list column has many
        self.width = sum(math.prod(v.array.shape[1:]) for v in self._first[: len(self.wanted)])
        self.step = piece_rows(self.width)
        self._keys: Keys
        self.stream: Stream

    def kinds(self) -> list[Kind | None]:
        """What each column of the key holds; None where it is text that may stand for anything."""
        assert self._first is not None
        return [
            self._kind(w, values.array)
            for w, values in zip(self._raw, self._first[len(self.wanted) :], strict=True)
        ]

    def _kind(self, wanted: Wanted, array: Any) -> Kind | None:
        if self.source.is_text(wanted.column):
            return None
        try:
            return kind_of(as_arrow(array))
        except DataError as error:
            raise self._no_key(wanted, error) from None

    def _no_key(self, wanted: Wanted, error: DataError) -> DataError:
        return DataError(f"{self.display}, column '{wanted.column}' {error.message}")

    def _as_arrow(self, source: Source, wanted: Wanted, array: Any) -> Any:
        try:
            return as_arrow(array, source.is_text(wanted.column))
        except DataError as error:
            raise self._no_key(wanted, error) from None

    def ascends(self, keys: Keys) -> bool:
        """Whether the keys are in their order, as far as that can be known beforehand."""
        if self._again is None:
            return False
        source, last = self._again(), None
        try:
            tell = self._tell and _unheard
            for piece in self._keyed(source, source.pieces(self._raw), 0, keys, tell):
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
        pieces, self._first = itertools.chain([self._first], self._pieces), None
        count = 0
        for piece in self._keyed(self.source, pieces, len(self.wanted), self._keys, self._tell):
            count += len(piece[NUMBER].array)
            yield piece
        if not count:
            raise DataError(f"{self.display}: no row has a key", reason="null-key")

    def _keyed(
        self, source: Source, pieces: Iterator[list[Values]], wanted: int, keys: Keys,
        tell: Tell | None,
    ) -> Iterator[Rows]:  # fmt: skip
        """Pieces with keys and numbers of rows in place of the columns of the key.

        `source` is who gives the pieces: only as far as it has read does it know its places.
        """
        row = 0
        for piece in pieces:
            numbers: Any = np.arange(row, row + len(piece[0].array))
            row += len(numbers)
            columns = [
                self._as_arrow(source, w, v.array)
                for w, v in zip(self._raw, piece[wanted:], strict=True)
            ]
            values, lost = [*piece[:wanted], Values(numbers)], piece[wanted].missing
            if tell and lost is not None:
                values, columns = _without(lost, values, columns)
            for part in pieces_of(columns):
                rows = chosen(values, part), [column[part] for column in columns]
                yield from self._encoded(source, *rows, keys, tell)

    def _encoded(
        self, source: Source, values: Rows, columns: list[Any], keys: Keys, tell: Tell | None
    ) -> Iterator[Rows]:
        """Rows with their keys before their numbers; without those that have none."""
        while True:
            try:
                key = keys.encode(columns)
                break
            except BadKey as error:
                every = error.bad.every
                if tell is None or every is None:
                    raise self._misfit(source, error, values[-1].array) from None
                column = columns[keys.names.index(error.column)]
                tell(self._trouble(error, every, column, values[-1].array))
                values, columns = _without(every, values, columns)
        if len(key):
            yield [*values[:-1], Values(key), values[-1]]

    def _misfit(self, source: Source, error: BadKey, numbers: Any) -> DataError:
        bad = error.bad
        row = int(numbers[bad.index])
        (display, at), line = source.locate(row), source.line_of(row, error.column)
        others = 0 if bad.every is None else int(np.count_nonzero(bad.every)) - 1
        expected = bad.expected + (f"; {others:,} more so far" if others else "")
        display = display or self.display
        return misfit(display, error.column, at + 1, bad.value, expected, bad.hint, line)

    def _trouble(self, error: BadKey, every: Any, column: Any, numbers: Any) -> Trouble:
        """Keys of a piece that cannot be read, and why."""
        found = []
        for i in np.flatnonzero(every)[:LISTED].tolist():
            display, at = self.source.locate(int(numbers[i]))
            value = "missing" if error.missing else repr(str(column[i]))
            line = self.source.line_of(int(numbers[i]), error.column)
            found.append(Found(at + 1, line, value, display or self.display))
        reason, problem = "null-key" if error.missing else "not-a-key", error.bad.expected
        return Trouble(
            reason, self.display, error.column, f"expected {problem}", error.bad.hint,
            int(np.count_nonzero(every)), found,
        )  # fmt: skip


def _without(left_out: Any, values: Rows, columns: list[Any]) -> tuple[Rows, list[Any]]:
    """Columns without some of their rows."""
    import pyarrow as pa

    keep = ~left_out
    return chosen(values, keep), [column.filter(pa.array(keep)) for column in columns]


def _unheard(trouble: Trouble) -> None:
    pass


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

    def __init__(self, sides: Sequence[Side], on: On, tell: Tell | None = None) -> None:
        self.display = " with ".join(side.display for side in sides)
        self._sides, self._on, self.tell = sides, on, tell
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
            piece[self.values] = Values(_apart(piece[self.values].array))
            yield piece
        if not count:
            raise DataError(f"{self.display}: no key is in all of them")

    def locate_in(self, side: int, row: int) -> tuple[str, int, int | None]:
        """Which file a row of one of the sides is of, where in it, and on which line."""
        source = self._sides[side].source
        display, at = source.locate(row)
        return display or self._sides[side].display, at, source.line_of(row)

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

    def _order(self, kinds: list[Kind]) -> tuple[Keys, bool]:
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
            parts.append(sorter.rows(side.step))
        for rows in self._matched(parts):
            back.add(rows)
        yield from back.rows(piece_rows(sum(side.width for side in self._sides)))

    def _matched(self, parts: Sequence[Iterator[Rows]]) -> Iterator[Rows]:
        """Rows of all files with one key: values, key, and each file's number of the row."""
        cursors = [Cursor(each) for each in parts]
        strict = self._on.join == "strict"
        for matches in matched(cursors, self.findings, strict and self.tell is None):
            values = [v for rows in matches for v in rows[:-2]]
            yield [*values, matches[0][-2], *(rows[-1] for rows in matches)]
        self.findings.check(strict, self.tell)


def _parts(side: Side) -> Iterator[Rows]:
    """Pieces as they come: those of long keys are not to be joined."""
    while rows := side.stream.take(min(side.step, side.stream.at_hand())):
        yield rows


def _apart(keys: Any) -> Any:
    """Text each for itself: in a block, a long key makes the others no longer."""
    return keys.astype(object) if keys.dtype.kind == "S" else keys


def _join(wanted: Sequence[Wanted], display: str, parts: Sequence[Rows]) -> Rows:
    """Rows after rows."""
    columns = zip(*parts, strict=True)
    return [together(each, w, display) for each, w in zip(columns, wanted, strict=True)]

"""Files whose rows are paired by key → one source, whose rows are in the order of the first file.

Where every file is in the order of its keys, they are merged as they are read. Otherwise each file
is sorted by its keys, they are merged, and the rows sorted back into the order of the first file.
"""

from collections.abc import Iterator, Sequence
from functools import partial
from typing import Any

from losscli.data.align import together
from losscli.data.given import On
from losscli.data.key_types import Kind, settle
from losscli.data.keys import Keys
from losscli.data.matching import Cursor, Findings, matched
from losscli.data.side import Side
from losscli.data.sorting import Rows, Sorter
from losscli.data.source import Source, Values, Wanted, piece_rows
from losscli.data.troubles import Tell
from losscli.errors import DataError


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
        back = Sorter(-len(self._sides), partial(_join, self.wanted), share)
        self._sorters.append(back)
        parts = []
        for side in self._sides:
            sorter = Sorter(-2, partial(_join, side.stream.wanted), share)
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


def _join(wanted: Sequence[Wanted], parts: Sequence[Rows]) -> Rows:
    """Rows after rows."""
    columns = zip(*parts, strict=True)
    return [together(each, w) for each, w in zip(columns, wanted, strict=True)]

"""One of the files whose rows are paired by key: its pieces, with the keys of their rows."""

import itertools
import math
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np

from losscli.data.align import Stream
from losscli.data.given import On
from losscli.data.key_types import NUMERIC, Kind, kind_of, unlike
from losscli.data.keys import BadKey, Keys, as_arrow, pieces_of, with_point
from losscli.data.matching import NUMBER
from losscli.data.sorting import Rows, chosen
from losscli.data.source import BadValue, Source, Values, Wanted, misfit, piece_rows
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

    def _as_key(self, source: Source, wanted: Wanted, array: Any, kind: Kind, row: int) -> Any:
        """A column from a row on, which must be of the kind that the first rows are of."""
        text = source.is_text(wanted.column)
        try:
            column = as_arrow(array, text)
            other = "" if text else unlike(column, kind)
        except DataError as error:
            raise self._no_key(wanted, error) from None
        if other:
            file = source.locate(row)[0] or self.display
            raise DataError(
                f"{file}, column '{wanted.column}', from row {source.locate(row)[1] + 1} on, holds "
                f"{other}, expected {kind.told}: keys pair when they are of one kind",
                "write them alike in all files",
            )
        if not text or source.decimal == "." or kind.name not in NUMERIC:
            return column
        try:
            return with_point(column, source.decimal)
        except BadValue as bad:
            rows = np.arange(row, row + len(column))
            raise self._misfit(source, BadKey(wanted.column, bad), rows) from None

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
            columns = [
                self._as_key(source, w, v.array, kind, row)
                for w, v, kind in zip(self._raw, piece[wanted:], keys.kinds, strict=True)
            ]
            row += len(numbers)
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

"""Streams of pieces of any length → blocks of the same rows from every stream."""

from collections.abc import Iterator, Sequence

import numpy as np

from losscli.data.ahead import Ahead
from losscli.data.source import (
    Source,
    Span,
    Values,
    Wanted,
    as_before,
    in_words,
    join,
    misfit,
    stack,
)
from losscli.errors import DataError
from losscli.stopwatch import Stopwatch


class Stream:
    """One source's wanted columns, of which any number of rows can be taken from the front.

    Those of a span, where there is one, are decoded when they are taken; else some are ahead.
    """

    def __init__(
        self, source: Source, wanted: Sequence[Wanted], clock: Stopwatch, span: Span | None = None
    ) -> None:
        self.source = source
        self.wanted = list(wanted)
        self._clock = clock
        self._groups: list[list[int]] | None = None
        self._pieces: Iterator[list[Values]]
        if span is not None:
            self._pieces = self._decoded(source.between(self.wanted, span))
        else:
            self._pieces = Ahead(self._decoded(source.pieces(self.wanted)))
        self.rows = span.start if span else 0  # taken so far
        self._held: list[list[Values]] = []
        self._held_rows = 0
        self._shapes: dict[int, tuple[int, ...]] = {}

    def over(self, span: Span) -> "Stream":
        """The same columns of the rows of a span, read on their own."""
        stream = Stream(self.source, self.wanted, self._clock, span)
        stream._groups, stream._shapes = self._groups, dict(self._shapes)
        return stream

    def group(self, groups: list[list[int]]) -> None:
        """From here on let the columns of each group be one, beside each other: (n,) × k → (n, k).

        So a hundred columns are put together a piece at a time, not taken apart block by block.
        """
        self._groups = groups
        self._held = [self._grouped(piece) for piece in self._held]
        self._shapes = {
            at: self._shapes[first]
            for at, (first, *others) in enumerate(groups)
            if first in self._shapes and not others
        }

    def _decoded(self, pieces: Iterator[list[Values]]) -> Iterator[list[Values]]:
        for piece in self._clock.each("decode", pieces):
            yield piece if self._groups is None else self._grouped(piece)

    def _grouped(self, piece: list[Values]) -> list[Values]:
        # A piece that was read before the groups were known has every column by itself.
        if self._groups is None or len(piece) == len(self._groups):
            return piece
        return [stack([piece[i] for i in group]) for group in self._groups]

    def let_go(self) -> None:
        """Let go of what was read: the rows will be read by spans."""
        self._held, self._held_rows = [], 0
        if isinstance(self._pieces, Ahead):
            self._pieces.close()

    def close(self) -> None:
        """Stop reading, and let go of the file."""
        if isinstance(self._pieces, Ahead) and not self._pieces.close():
            return
        self.source.close()

    def shapes(self) -> list[tuple[int, ...]] | None:
        """The shape of a row of each column, from the first piece; None when there are no rows."""
        if not self._fill(1):
            return None
        while self._unknown() and self._fill(self._held_rows + 1, more=True):
            pass
        shapes = [values.first_shape for values in self._held[0]]
        # What is missing so far counts as single values: lists that follow are refused.
        self._shapes = dict(enumerate(shapes)) | self._shapes
        for wanted, values, shape in zip(self.wanted, self._held[0], shapes, strict=True):
            if 0 in shape and _all_missing(values):
                raise DataError(
                    f"{self.source.display}, column '{wanted.column}': all lists are missing, "
                    "expected one that says how many values a row has"
                )
            if 0 in shape:
                display, _ = self.source.locate(0)
                found, line = "a list without values", self.source.line_of(0, wanted.column)
                name = display or self.source.display or wanted.column
                column = wanted.column if name != wanted.column else ""
                raise misfit(name, column, 1, found, "one or more", line=line)
        return shapes

    def _unknown(self) -> list[int]:
        """Columns of which every row so far is missing, and with them the length of their lists."""
        known = () if self.source.schemaless else ((),)
        first = enumerate(self._held[0])
        return [i for i, v in first if _all_missing(v) and v.array.shape[1:] not in known]

    def at_hand(self) -> int:
        """How many rows the next piece has."""
        return len(self._held[0][0].array) if self._fill(1) else 0

    def take(self, rows: int) -> list[Values]:
        """The next `rows` rows of each column, fewer at the end."""
        self._fill(rows)
        if len(self._held) == 1 and self._held_rows <= rows:
            self.rows, self._held_rows = self.rows + self._held_rows, 0
            return self._held.pop()
        taken: list[list[Values]] = []
        need = rows
        while need and self._held:
            piece = self._held[0]
            length = len(piece[0].array)
            if length <= need:
                taken.append(self._held.pop(0))
            else:
                taken.append([v.rows(slice(need)) for v in piece])
                self._held[0] = [v.rows(slice(need, None)) for v in piece]
            length = len(taken[-1][0].array)
            need -= length
            self._held_rows -= length
        self.rows += rows - need
        if not taken:
            return []
        return [self._join(i, [piece[i] for piece in taken]) for i in range(len(taken[0]))]

    def drain(self) -> int:
        """How many rows there are in all, reading the rest."""
        total = self.rows + self._held_rows
        self._held, self._held_rows = [], 0
        return total + sum(len(piece[0].array) for piece in self._pieces)

    def _fill(self, rows: int, more: bool = False) -> bool:
        """Read until so many rows are held; whether any are or, with `more`, whether more came."""
        before = self._held_rows
        while self._held_rows < rows:
            piece = next(self._pieces, None)
            if piece is None:
                break
            if self._groups is not None:
                piece = self._grouped(piece)
            length = len(piece[0].array)
            if length:
                self._held.append(piece)
                self._held_rows += length
                self._settle()
        return self._held_rows > (before if more else 0)

    def _settle(self) -> None:
        """Give what is missing the shape of what is there, once any of that has been seen."""
        known = len(self._shapes)
        gaps = False
        for i, values in enumerate(self._held[-1]):
            if values.missing is not None and _all_missing(values):
                gaps = True
            else:
                self._check_shape(i, values)
        if not gaps and len(self._shapes) == known:
            return
        for piece in self._held:
            for i, shape in self._shapes.items():
                if piece[i].array.shape[1:] != shape and _all_missing(piece[i]):
                    n = len(piece[i].array)
                    piece[i] = Values(np.full((n, *shape), np.nan), np.ones((n, *shape), bool))

    def _check_shape(self, index: int, values: Values) -> None:
        """Refuse rows of another shape than those before; how long lists are may be free."""
        shape = values.array.shape[1:]
        wanted = self.wanted[index if self._groups is None else self._groups[index][0]]
        free = 1 if wanted.pad is not None and shape else 0
        known = self._shapes.setdefault(index, shape)
        if (len(shape), shape[free:]) == (len(known), known[free:]):
            return
        rows, first = len(values.array), 0
        if values.missing is not None:
            first = int(np.argmin(values.missing.reshape(rows, -1).all(axis=1)))
        row = self.rows + self._held_rows - rows + first
        display, inside = self.source.locate(row)
        name = display or self.source.display or wanted.column
        line = self.source.line_of(row, wanted.column)
        raise misfit(
            name, wanted.column if name != wanted.column else "", inside + 1, in_words(shape),
            as_before(known), line=line,
        )  # fmt: skip

    def _join(self, index: int, parts: list[Values]) -> Values:
        if len(parts) == 1:
            return parts[0]
        first = index if self._groups is None else self._groups[index][0]
        return together(parts, self.wanted[first])


def together(parts: Sequence[Values], wanted: Wanted) -> Values:
    """Rows after rows of one column; lists of different lengths filled up where it has `pad`."""
    if wanted.pad is not None:
        longest = max(part.array.shape[1:] for part in parts)
        parts = [
            part if part.array.shape[1:] == longest else _widen(part, longest[0], wanted.pad)
            for part in parts
        ]
    return join(parts)


def blocks(
    streams: Sequence[Stream], rows: int, uneven: bool = False
) -> Iterator[tuple[int, list[list[Values]]]]:
    """Blocks of `rows` rows at fixed places, each with its first row's index.

    The last block may be shorter. A DataError says how long each stream is when they differ; with
    `uneven`, what all of them have comes before it.
    """
    start = streams[0].rows
    while True:
        parts = [stream.take(rows) for stream in streams]
        lengths = [len(part[0].array) if part else 0 for part in parts]
        if len(set(lengths)) > 1:
            if uneven and min(lengths):
                yield start, [[v.rows(slice(min(lengths))) for v in part] for part in parts]
            totals = [stream.drain() for stream in streams]
            counts = ", ".join(
                f"{stream.source.display or stream.wanted[0].column} has {total} rows"
                for stream, total in zip(streams, totals, strict=True)
            )
            raise DataError(
                f"{counts}: rows are paired by position, so their counts must agree",
                "a header taken for a row, or a row for a header, is one off: --header, --no-header"
                if max(totals) - min(totals) == 1 and any(s.source.untyped for s in streams)
                else "--on KEY pairs them by a column that both have",
                "length-mismatch",
            )
        if not lengths[0]:
            return
        yield start, parts
        start += lengths[0]


def _widen(values: Values, width: int, pad: float) -> Values:
    """Lists filled up to a width."""
    n, before, *inner = values.array.shape
    more = ((0, 0), (0, width - before), *((0, 0) for _ in inner))
    missing = None if values.missing is None else np.pad(values.missing, more)
    lengths = np.full(n, before) if values.lengths is None else values.lengths
    array = values.array.astype(np.float64)  # whole numbers have no NaN to fill them up with
    return Values(np.pad(array, more, constant_values=pad), missing, lengths)


def _all_missing(values: Values) -> bool:
    """Whether these are values, or lists of unknown length, all of them missing."""
    missing = values.missing
    return values.array.shape[1:] in ((), (0,)) and missing is not None and bool(missing.all())

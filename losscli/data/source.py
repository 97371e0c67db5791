"""What every reader gives: a file's column names, and the columns asked for, piece by piece."""

import re
from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple, Protocol

import numpy as np

from losscli.data.texts import joined
from losscli.data.troubles import Found, Tell, Trouble
from losscli.errors import DataError
from losscli.losses.numerics import Array, Index, Mask

#: the formats, in messages about files of others
EXPECTED = "CSV, JSON lines, Parquet, Arrow, NumPy or safetensors"
#: the column that is all of a file which holds one array
WHOLE = ""
#: numbers as they are written, among them the nan(ind) of C
NUMBER = re.compile(
    r"[+-]?(\d+\.?\d*(e[+-]?\d+)?|\.\d+(e[+-]?\d+)?|inf(inity)?|nan(\([a-z0-9_]*\))?)",
    re.I | re.ASCII,
)
#: values of a piece: 2 MiB of float64
PIECE_VALUES = 1 << 19
PIECE_ROWS = 131072


def as_number(text: str) -> float | None:
    """A text as a number; None where it is none."""
    return float(text.partition("(")[0]) if NUMBER.fullmatch(text) else None


class LabelMap(NamedTuple):
    """Values of a file, as the user wrote them, and the numbers that they stand for in the loss."""

    given: tuple[str, ...]
    codes: tuple[float, ...]
    option: str = "--labels"
    #: how many of the values the option names; another one is the ignored label
    named: int | None = None

    @property
    def numbers(self) -> tuple[float, ...] | None:
        """The values as numbers, where all of them are."""
        try:
            return tuple(float(given) for given in self.given)
        except ValueError:
            return None

    def code(self, value: object) -> float | None:
        """What a word or a number stands for, NaN for a missing one, None for others."""
        text = str(value).strip()
        text = text.lower() if isinstance(value, bool) else text
        if text in self.given:
            return self.codes[self.given.index(text)]
        if value is None or text in ("nan", "<NA>"):
            return float("nan")
        numbers = self.numbers
        if numbers is not None and isinstance(value, (int, float)) and value in numbers:
            return self.codes[numbers.index(float(value))]
        return None

    def of_booleans(self) -> "LabelMap":
        """The same where the values are true and false, which are 1 and 0 by then."""
        words = {"true": "1", "false": "0"}
        given = tuple(words.get(value.lower(), value) for value in self.given)
        return self._replace(given=given)

    @property
    def expected(self) -> str:
        *head, last = self.given[:8]
        words = f"{', '.join(head)} or {last}" if head else last
        words = words if len(self.given) <= 8 else ", ".join(self.given[:8])
        more = "" if len(self.given) <= 8 else ", …"
        said = f"{self.option} {','.join(self.given[: self.named][:8])}{more}"
        if self.named is not None:
            said += f" --ignore-index {self.given[-1]}"
        return f"{words}{more} ({said})"


class Wanted(NamedTuple):
    """A column to read, and how: as numbers, as two labels, or as keys that are only compared."""

    column: str
    labels: LabelMap | None = None
    #: said when a value is not a number
    hint: str = ""
    key: bool = False
    #: what fills lists that are shorter than others; None where lists must have one length
    pad: float | None = None
    #: as the file has it, an Arrow or a NumPy array of any type: what pairs rows
    raw: bool = False
    #: told of raw values that are not of the column's kind, where a file may mix them, which are
    #: then left out; without it, all of such a mixture become text
    unfit: Tell | None = None

    @property
    def as_words(self) -> bool:
        """Whether its values are text, in a file where everything is."""
        return self.raw or self.key or (self.labels is not None and self.labels.numbers is None)

    def trouble(
        self, file: str, expected: str, hint: str, total: int, first: list[Found]
    ) -> Trouble:
        """What to tell of values that are not what was expected."""
        reason = "not-a-label" if self.labels else "not-a-number"
        return Trouble(reason, file, self.column, f"expected {expected}", hint, total, first)


class Values(NamedTuple):
    """Decoded values, samples on the first axis; NaN where one is missing, as `missing` tells.

    Of values as the file has them, `missing` tells which are in lines that could not be read. Of
    lists that were filled up, `lengths` are their own.
    """

    array: Array
    missing: Mask | None = None
    lengths: Index | None = None

    def rows(self, chosen: slice | Mask) -> "Values":
        """Some of the rows."""
        missing = None if self.missing is None else self.missing[chosen]
        lengths = None if self.lengths is None else self.lengths[chosen]
        return Values(self.array[chosen], missing, lengths)

    @property
    def first_shape(self) -> tuple[int, ...]:
        """The shape of the first row; where lists have any lengths, of its own list."""
        shape = self.array.shape[1:]
        return shape if self.lengths is None else (max(1, int(self.lengths[0])), *shape[1:])


def join(parts: Sequence[Values]) -> Values:
    """Rows after rows."""
    return parts[0] if len(parts) == 1 else _together(joined, parts)


def stack(columns: Sequence[Values]) -> Values:
    """Column beside column: (n,), (n,), … → (n, k)."""
    return columns[0] if len(columns) == 1 else _together(_beside, columns)


def _beside(arrays: Sequence[Any]) -> Any:
    """As they are given, whole columns: to interleave them costs more than most losses."""
    return np.stack(arrays).swapaxes(0, 1)


def _together(how: Callable[..., Any], parts: Sequence[Values]) -> Values:
    array = how([part.array for part in parts])
    missing = lengths = None
    if any(part.missing is not None for part in parts):
        missing = how(
            [np.zeros(p.array.shape, bool) if p.missing is None else p.missing for p in parts]
        )
    if any(part.lengths is not None for part in parts):
        lengths = how(
            [
                np.full(len(p.array), p.array.shape[1]) if p.lengths is None else p.lengths
                for p in parts
            ]
        )
    return Values(array, missing, lengths)


class Span(NamedTuple):
    """The rows from `start` to before `stop`."""

    start: int
    stop: int


class Source(Protocol):
    """A file, standard input or arrays: named columns of one length."""

    display: str
    columns: list[str]
    #: columns that are read only when they are named in full
    keys: Sequence[str] = ()
    #: whether it is one array, which is read as the column WHOLE when no columns are named
    whole: bool = False
    #: whether its values have no type of their own, only the text that they are written as
    untyped: bool = False
    #: whether only values have types: a missing one does not tell whether it is a number or a list
    schemaless: bool = False
    #: whether its columns are arrays of their own, which need not go together
    apart: bool = False
    #: the decimal mark of its numbers, where they are text
    decimal: str = "."
    #: how many rows there are, where the file says so
    rows: int | None = None
    #: told of lines that cannot be read, which then do not end the reading
    tell: Tell | None = None

    def pieces(self, wanted: Sequence[Wanted]) -> Iterator[list[Values]]:
        """The columns asked for, a few rows at a time, in order, from the first row."""

    @property
    def starts(self) -> Sequence[int]:
        """The rows at which reading can begin, by several threads; none for the first row only."""
        return ()

    def between(self, wanted: Sequence[Wanted], span: Span) -> Iterator[list[Values]]:
        """The columns asked for of the rows of a span; without `starts`, that is all rows."""
        return self.pieces(wanted)

    def number(self, text: str) -> float | None:
        """A text as a number, by the rules of the file; None where it is none."""
        return as_number(text)

    def is_text(self, column: str) -> bool:
        """Whether a column has only the text that its values are written as."""
        return self.untyped

    def locate(self, row: int) -> tuple[str, int]:
        """Which file a row is of, and where in it, both counted from 0."""
        return self.display, row

    def line_of(self, row: int, column: str = "") -> int | None:
        """The line, from 1, on which a row of a text begins; None when lost.

        None, too, where a text has no lines, or the column is not in them.
        """
        return None

    def follow(self, before: "Source") -> None:
        """Hold values to the kinds that they have in the file before it of its data set."""
        return

    def close(self) -> None:
        """Let go of the file."""


class BadValue(Exception):
    """A value that cannot be decoded, at an index of the piece at hand."""

    def __init__(
        self, index: int, value: str, expected: str, hint: str = "", every: Mask | None = None
    ) -> None:
        """`every` tells all values of which the same is to be said, where that is known."""
        super().__init__(value)
        self.index, self.value, self.expected, self.hint = index, value, expected, hint
        self.every = every


class NoNumbers(BadValue):
    """A column of a type that holds no numbers."""

    def __init__(self, kind: str, hint: str = "", what: str = "column") -> None:
        super().__init__(0, f"the {what} holds {kind}", "numbers", hint)
        self.kind = kind


def piece_rows(width: int) -> int:
    """Rows of a piece, by the number of values of a row, so that memory does not grow with it.

    They are a power of two, as the rows of a block are, so that blocks need not be joined of two.
    """
    most = max(1, min(PIECE_ROWS, PIECE_VALUES // max(1, width)))
    return 1 << (most.bit_length() - 1)


def misfit(
    display: str, column: str, row: int, value: str, expected: str, hint: str = "",
    line: int | None = None,
) -> DataError:  # fmt: skip
    """The error of one value: file, column, row (from 1), value, and what was expected."""
    where = f"{display}, row {row}" if not column else f"{display}, column '{column}', row {row}"
    at = "" if line is None else f" (line {line})"
    return DataError(f"{where}{at}: {value}, expected {expected}", hint, "not-a-number")


def in_words(shape: tuple[int, ...]) -> str:
    """The shape of a row."""
    if len(shape) > 1:
        return f"an array of {' × '.join(map(str, shape))} values"
    return f"a list of {shape[0]} value{'s' * (shape[0] != 1)}" if shape else "a single value"


def as_before(shape: tuple[int, ...]) -> str:
    """The shape that is expected of a row, after others."""
    return f"{in_words(shape)}, as in the rows before it"


#: in place of a value that could not be read and is reported already: a NaN like no other
REFUSED = np.uint64(0x7FF8_DEAD_0000_0001).view(np.float64)


def refused(x: Array) -> Any:
    """Which values could not be read."""
    if x.dtype != np.float64:
        return np.zeros(x.shape, bool)
    bits = np.ascontiguousarray(x).view(np.uint64).reshape(x.shape)
    return bits == REFUSED.view(np.uint64)

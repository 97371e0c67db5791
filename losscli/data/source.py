"""What every reader gives: a file's column names, and the columns asked for, piece by piece."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol

from losscli.errors import DataError
from losscli.losses.numerics import Array, Mask

#: the formats, in messages about files of others
EXPECTED = "CSV, Parquet, Arrow or NumPy"
#: the column that is all of a file which holds one array
WHOLE = ""
#: values of a piece: 2 MiB of float64
PIECE_VALUES = 1 << 18
PIECE_ROWS = 65536


@dataclass(frozen=True)
class LabelMap:
    """Two values of a file, as the user wrote them, and the labels that the loss wants."""

    given: tuple[str, str]
    codes: tuple[float, float]

    @property
    def numbers(self) -> tuple[float, float] | None:
        """The two values as numbers, where both are."""
        try:
            return (float(self.given[0]), float(self.given[1]))
        except ValueError:
            return None

    @property
    def expected(self) -> str:
        return f"{self.given[0]} or {self.given[1]} (--labels {','.join(self.given)})"


class Wanted(NamedTuple):
    """A column to read, and how: as numbers, as two labels, or as keys that are only compared."""

    column: str
    labels: LabelMap | None = None
    #: said when a value is not a number
    hint: str = ""
    key: bool = False

    @property
    def as_words(self) -> bool:
        """Whether its values are text, in a file where everything is."""
        return self.key or (self.labels is not None and self.labels.numbers is None)


class Values(NamedTuple):
    """Decoded values, samples on the first axis; NaN where one is missing, as `missing` tells."""

    array: Array
    missing: Mask | None = None


class Source(Protocol):
    """A file, standard input or arrays: named columns of one length."""

    display: str
    columns: list[str]
    #: whether it is one array, which is read as the column WHOLE when no columns are named
    whole: bool

    def pieces(self, wanted: Sequence[Wanted]) -> Iterator[list[Values]]:
        """The columns asked for, a few rows at a time, in order, from the first row."""

    def close(self) -> None:
        """Let go of the file."""


class BadValue(Exception):
    """A value that cannot be decoded, at an index of the piece at hand."""

    def __init__(self, index: int, value: str, expected: str, hint: str = "") -> None:
        super().__init__(value)
        self.index, self.value, self.expected, self.hint = index, value, expected, hint


def piece_rows(width: int) -> int:
    """Rows of a piece, by the number of values of a row, so that memory does not grow with it."""
    return max(1, min(PIECE_ROWS, PIECE_VALUES // max(1, width)))


def misfit(
    display: str, column: str, row: int, value: str, expected: str, hint: str = ""
) -> DataError:
    """The error of one value: file, column, row (from 1), value, and what was expected."""
    where = f"{display}, row {row}" if not column else f"{display}, column '{column}', row {row}"
    return DataError(f"{where}: {value}, expected {expected}", hint)

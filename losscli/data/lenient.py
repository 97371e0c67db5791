"""A reader that goes on after values that cannot be read: it tells of them, and gives NaN."""

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from losscli.data.source import (
    REFUSED,
    BadValue,
    LabelMap,
    NoNumbers,
    Source,
    Values,
    Wanted,
    as_before,
    misfit,
)
from losscli.data.troubles import LISTED, Found, Tell, Trouble, shown
from losscli.errors import DataError
from losscli.losses.numerics import Mask


class LenientSource(Source):
    """A source whose values are read one by one where one of them cannot be."""

    def __init__(self, source: Source, tell: Tell) -> None:
        self._source, self._tell = source, tell
        self.display, self.columns, self.rows = source.display, source.columns, source.rows
        self.whole, self.untyped, self.keys = source.whole, source.untyped, source.keys
        self.schemaless, self.decimal = source.schemaless, source.decimal
        self.apart = source.apart
        #: of a row of each column, as far as it is known
        self._shapes: dict[str, tuple[int, ...]] = {}

    def pieces(self, wanted: Sequence[Wanted]) -> Iterator[list[Values]]:
        as_they_are = [
            w if w.key or w.raw else w._replace(raw=True, unfit=self._unfit) for w in wanted
        ]
        row = 0
        for piece in self._source.pieces(as_they_are):
            yield [
                values if w.key or w.raw else self._read(values, w, row)
                for w, values in zip(wanted, piece, strict=True)
            ]
            row += len(piece[0].array)

    def _unfit(self, trouble: Trouble) -> None:
        """Pass on what is wrong in a file, also where it is one of a data set."""
        self._tell(trouble._replace(file=self.display))

    def close(self) -> None:
        """Close the file."""
        self._source.close()

    def is_text(self, column: str) -> bool:
        return self._source.is_text(column)

    def locate(self, row: int) -> tuple[str, int]:
        return self._source.locate(row)

    def line_of(self, row: int, column: str = "") -> int | None:
        return self._source.line_of(row, column)

    def _read(self, values: Values, wanted: Wanted, row: int) -> Values:
        """Values as they are in the file as what is wanted; those of lost lines are refused."""
        lost = values.missing
        if self._source.is_text(wanted.column):
            found = self._text(values.array, wanted, row)
        else:
            found, lost = self._typed(values.array, wanted, row, lost)
        if lost is not None:
            array = np.array(found.array)
            array[lost] = REFUSED
            missing = None if found.missing is None else found.missing.copy()
            if missing is not None:
                missing[lost] = False
            return found._replace(array=array, missing=missing)
        return found

    def _typed(
        self, array: Any, wanted: Wanted, row: int, lost: Mask | None
    ) -> tuple[Values, Mask | None]:
        """Values that have a type, decoded as ever, without the rows that decoding refuses."""
        from losscli.data.arrays import decode

        while True:
            try:
                found = decode(array, wanted)
                break
            except NoNumbers as bad:
                every = ~_missing(array)
                self._tell_of(every, array, wanted, row, bad.expected, bad.hint, bad.kind)
                return Values(np.full(len(array), np.nan), ~every), every
            except BadValue as bad:
                if bad.every is None or (lost is not None and not (bad.every & ~lost).any()):
                    raise self._misfit(bad, wanted, row) from None
                self._tell_of(bad.every, array, wanted, row, bad.expected, bad.hint)
                array = _without(array, bad.every)
                lost = bad.every if lost is None else lost | bad.every
        return self._even(found, wanted, row), lost

    def _even(self, found: Values, wanted: Wanted, row: int) -> Values:
        """Lists, refused where they are not as long as those of the pieces before."""
        shape, rows = found.array.shape[1:], len(found.array)
        gone = np.zeros(found.array.shape, bool) if found.missing is None else found.missing
        if wanted.pad is not None or gone.all():
            return found
        first = self._shapes.setdefault(wanted.column, shape)
        if shape == first:
            return found
        present = ~gone.reshape(rows, -1).all(axis=1)
        self._tell_of(np.asarray(present), found.array, wanted, row, as_before(first), "")
        return Values(np.full((rows, *first), REFUSED))

    def _text(self, array: Any, wanted: Wanted, row: int) -> Values:
        """Values that are written as text, whatever they are: numbers or labels."""
        import pyarrow as pa

        from losscli.data.arrow import decode

        array = pa.array(array) if isinstance(array, np.ndarray) else array
        # Arrow knows numbers with a decimal point.
        plain = wanted.labels is None and self._source.number("1,5") is None
        numbers = _numbers(array) if plain else None
        return self._one_by_one(array, wanted, row) if numbers is None else decode(numbers)

    def _misfit(self, bad: BadValue, wanted: Wanted, row: int) -> DataError:
        display, at = self.locate(row + bad.index)
        return misfit(display, wanted.column, at + 1, bad.value, bad.expected, bad.hint)

    def _one_by_one(self, array: Any, wanted: Wanted, row: int) -> Values:
        """Every distinct value looked at once."""
        words, index = _distinct(array)
        codes = np.empty(len(words) + 1)
        codes[-1] = np.nan  # what is missing
        for i, word in enumerate(words):
            code = self._code(word, wanted.labels)
            codes[i] = REFUSED if code is None else code
        values = codes[index]
        wrong = values.view(np.uint64) == REFUSED.view(np.uint64)
        if wrong.any():
            expected = wanted.labels.expected if wanted.labels else "a number"
            self._tell_of(wrong, array, wanted, row, expected, wanted.hint)
        return Values(values, index == len(words))

    def _tell_of(
        self, wrong: Mask, array: Any, wanted: Wanted, row: int, expected: str, hint: str,
        kind: str = "",
    ) -> None:  # fmt: skip
        """Tell of the rows of a piece that are not what was expected."""
        first = []
        for at in np.flatnonzero(wrong)[:LISTED].tolist():
            file, place = self.locate(row + at)
            line = self.line_of(row + at, wanted.column)
            first.append(Found(place + 1, line, shown(array[at]), file))
        total = int(np.count_nonzero(wrong))
        expected += f", not {kind}" if kind else ""
        trouble = wanted.trouble(self.display, expected, hint, total, first)
        self._tell(trouble._replace(kind=kind))

    def _code(self, word: Any, labels: LabelMap | None) -> float | None:
        """The number that a word is or stands for; None when it is neither."""
        if labels is None:
            return self._source.number(word)
        if word in labels.given or labels.numbers is None:
            return dict(zip(labels.given, labels.codes, strict=True)).get(word)
        number = self._source.number(word)
        return None if number is None else labels.code(number)


def _missing(array: Any) -> Mask:
    """Which values of an array of any type are missing, as far as it can tell."""
    if isinstance(array, np.ndarray):
        return np.zeros(len(array), bool)
    return np.array(array.is_null().to_pylist(), dtype=bool)


def _without(array: Any, rows: Mask) -> Any:
    """An array of which some rows are missing."""
    if isinstance(array, np.ndarray):
        array = array.astype(object)
        array[rows] = None
        return array
    import pyarrow as pa
    import pyarrow.compute as pc

    return pc.if_else(pa.array(rows), pa.scalar(None, array.type), array)


def _numbers(array: Any) -> Any:
    """Text as numbers; None where Arrow makes none of one of them."""
    import pyarrow as pa
    import pyarrow.compute as pc

    try:
        return pc.utf8_trim_whitespace(array.cast(pa.string())).cast(pa.float64())
    except pa.ArrowInvalid:
        return None


def _distinct(array: Any) -> tuple[list[Any], Any]:
    """The distinct words of an array and which of them each is, past the last where missing."""
    import pyarrow as pa

    encoded = array if pa.types.is_dictionary(array.type) else array.dictionary_encode()
    words = [str(word).strip() for word in encoded.dictionary.to_pylist()]
    indices = encoded.indices.cast(pa.int64()).fill_null(len(words))
    index = np.frombuffer(indices.buffers()[1], np.int64, len(indices), indices.offset * 8)
    return words, index

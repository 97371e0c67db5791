"""A reader that goes on after values that cannot be read: it tells of them, and gives NaN."""

from collections.abc import Iterator, Sequence
from decimal import Decimal
from typing import Any

import numpy as np

from losscli.data.source import REFUSED, BadValue, Source, Values, Wanted, misfit
from losscli.data.troubles import LISTED, Found, Tell, Trouble


class LenientSource(Source):
    """A source whose values are read one by one where one of them cannot be."""

    def __init__(self, source: Source, tell: Tell) -> None:
        self._source, self._tell = source, tell
        self.display, self.columns, self.rows = source.display, source.columns, source.rows
        self.whole, self.untyped, self.keys = source.whole, source.untyped, source.keys
        self.bare_nulls = source.bare_nulls

    def pieces(self, wanted: Sequence[Wanted]) -> Iterator[list[Values]]:
        as_they_are = [w if w.key else w._replace(raw=True, objects=not w.raw) for w in wanted]
        row = 0
        for piece in self._source.pieces(as_they_are):
            yield [
                values if w.key or w.raw else self._read(values, w, row)
                for w, values in zip(wanted, piece, strict=True)
            ]
            row += len(piece[0].array)

    def close(self) -> None:
        """Close the file."""
        self._source.close()

    def is_text(self, column: str) -> bool:
        return self._source.is_text(column)

    def locate(self, row: int) -> tuple[str, int]:
        return self._source.locate(row)

    def line_of(self, row: int, column: str = "") -> int | None:
        return self._source.line_of(row, column)

    def _plain_numbers(self, column: str) -> bool:
        """Whether text is made numbers of as Arrow does it: with a decimal point."""
        return self._source.is_text(column) and self._source.number("1,5") is None

    def _read(self, values: Values, wanted: Wanted, row: int) -> Values:
        """Values as they are in the file as what is wanted; those of lost lines are refused."""
        lost = values.missing
        found = self._decoded(values.array, wanted, row)
        if lost is not None:
            array = np.array(found.array)
            array[lost] = REFUSED
            missing = None if found.missing is None else found.missing.copy()
            if missing is not None:
                missing[lost] = False
            return Values(array, missing)
        return found

    def _decoded(self, array: Any, wanted: Wanted, row: int) -> Values:
        from losscli.data.arrays import decode

        try:
            if isinstance(array, np.ndarray) and array.dtype == object:
                return self._one_by_one(array, wanted, row)
            if wanted.labels is None and self._plain_numbers(wanted.column):
                return decode(_numbers(array), wanted)
            return decode(array, wanted)
        except BadValue as bad:
            try:
                return self._one_by_one(array, wanted, row)
            except BadValue:
                display, at = self.locate(row + bad.index)
                raise misfit(
                    display, wanted.column, at + 1, bad.value, bad.expected, bad.hint
                ) from None

    def _one_by_one(self, array: Any, wanted: Wanted, row: int) -> Values:
        """Every distinct value looked at once."""
        words, index = _distinct(array)
        mixed = not all(isinstance(word, str) for word in words)
        codes = np.empty(len(words) + 1)
        codes[-1] = np.nan  # what is missing
        for i, word in enumerate(words):
            code = self._code(word, wanted, mixed)
            codes[i] = REFUSED if code is None else code
        values = codes[index]
        wrong = values.view(np.uint64) == REFUSED.view(np.uint64)
        if wrong.any():
            rows = np.flatnonzero(wrong)
            expected = wanted.labels.expected if wanted.labels else "a number"
            reason = "not-a-label" if wanted.labels else "not-a-number"
            first = [
                self._found(row + at, wanted.column, repr(words[index[at]]))
                for at in rows[:LISTED].tolist()
            ]
            self._tell(
                Trouble(
                    reason, self.display, wanted.column, f"expected {expected}", wanted.hint,
                    len(rows), first,
                )
            )  # fmt: skip
        return Values(values, index == len(words))

    def _found(self, row: int, column: str, value: str) -> Found:
        file, at = self.locate(row)
        return Found(at + 1, self.line_of(row, column), value, file)

    def _code(self, word: Any, wanted: Wanted, mixed: bool) -> float | None:
        """The number that a value is or stands for; None when it is neither."""
        labels = wanted.labels
        if labels is not None:
            known = dict(zip(labels.given, labels.codes, strict=True))
            if isinstance(word, str):
                return None if mixed and labels.numbers else known.get(word)
            return labels.code(word) if labels.numbers and not isinstance(word, bool) else None
        if isinstance(word, str):
            # Where values have types, text is no number, whatever it looks like.
            return self._source.number(word) if self._source.is_text(wanted.column) else None
        return (
            float(word)
            if isinstance(word, (int, float, Decimal)) and not isinstance(word, bool)
            else None
        )


def _numbers(array: Any) -> Any:
    """Text as numbers; BadValue where Arrow makes none of one of them."""
    import pyarrow as pa
    import pyarrow.compute as pc

    try:
        return pc.utf8_trim_whitespace(array.cast(pa.string())).cast(pa.float64())
    except pa.ArrowInvalid:
        raise BadValue(0, "text", "a number") from None


def _distinct(array: Any) -> tuple[list[Any], Any]:
    """The distinct values of an array and which of them each is, past the last where missing."""
    import pyarrow as pa

    if isinstance(array, np.ndarray):
        if array.ndim > 1:
            raise BadValue(0, "", "")
        if array.dtype == object:
            # 1, "1" and true are told apart, which are equal or look alike.
            kinds = {(None if x is None else repr(x)): x for x in array}
            kinds.pop(None, None)
            places = {name: i for i, name in enumerate(kinds)}
            index = [places.get(None if x is None else repr(x), len(kinds)) for x in array]
            return list(kinds.values()), np.array(index, np.intp)
        array = pa.array(array)
    if pa.types.is_nested(array.type) or pa.types.is_temporal(array.type):
        raise BadValue(0, "", "")
    encoded = array if pa.types.is_dictionary(array.type) else array.dictionary_encode()
    indices = encoded.indices.cast(pa.int64())
    words = encoded.dictionary.to_pylist()
    words = [word.strip() if isinstance(word, str) else word for word in words]
    return words, np.array([len(words) if i is None else i for i in indices.to_pylist()], np.intp)

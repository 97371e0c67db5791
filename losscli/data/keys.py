"""Keys that pair rows: columns of any type → one array with the order and equality of the keys.

Numbers, dates and times become 64-bit integers in their order, text its UTF-8 bytes; the columns of
a key are written one after the other as bytes. So a key is compared at once, whatever it holds.
"""

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from losscli.data.source import BadValue
from losscli.errors import DataError

TEXT = "text"
WHOLE_NUMBERS, NUMBERS, BOOLEANS = "whole numbers", "numbers", "true and false"
DATES, TIMES, ZONED = "dates", "timestamps", "timestamps with a time zone"
_TYPES = {
    WHOLE_NUMBERS: pa.int64(),
    NUMBERS: pa.float64(),
    BOOLEANS: pa.bool_(),
    DATES: pa.date32(),
    TIMES: pa.timestamp("ns"),
    ZONED: pa.timestamp("ns", "UTC"),
    TEXT: pa.string(),
}
_SIGN = np.uint64(1 << 63)
#: ends a text that more columns follow: it sorts before every letter
_END = b"\x01"
LONGEST = 4096
#: bytes of the keys of a piece at most, which are all as wide as the longest of them
PIECE_BYTES = 1 << 23
#: and what short ones may be filled up with
FILLING = 1 << 20
MISSING_KEY = "a missing key"
#: hexadecimal digits of a number, and of the length of a text, in a key of several parts
_DIGITS, _LENGTH_DIGITS = 16, 4


def kind_of(array: Any) -> str:
    """What a column holds, of the kinds that may be keys; a DataError says what it is else."""
    kind = as_arrow(array).type
    if pa.types.is_integer(kind) or (pa.types.is_decimal(kind) and kind.scale == 0):
        return WHOLE_NUMBERS
    if pa.types.is_floating(kind):
        return NUMBERS
    if pa.types.is_boolean(kind):
        return BOOLEANS
    if pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_null(kind):
        return TEXT
    if pa.types.is_date(kind):
        return DATES
    if pa.types.is_timestamp(kind):
        return TIMES if kind.tz is None else ZONED
    raise DataError(f"holds {kind}, which cannot be a key")


def settle(name: str, displays: Sequence[str], kinds: Sequence[str | None]) -> str:
    """What a column of the key holds in all files. A CSV's text is read as what others hold."""
    typed = {kind: display for display, kind in zip(displays, kinds, strict=True) if kind}
    if len(typed) > 1:
        told = ", ".join(f"{kind} in {display}" for kind, display in typed.items())
        raise DataError(
            f"column '{name}' holds {told}: keys pair when they are of one type",
            "write it alike in both files; the text of a CSV is read as the type of the other file",
        )
    return next(iter(typed), TEXT)


class BadKey(Exception):
    """A value of one of the columns of a key that cannot be a key."""

    def __init__(self, column: str, bad: BadValue) -> None:
        super().__init__(column)
        self.column, self.bad = column, bad

    @property
    def missing(self) -> bool:
        """Whether there is no value at all."""
        return self.bad.value == MISSING_KEY


class Keys:
    """The columns of a key and what each holds, in all files alike."""

    def __init__(self, names: Sequence[str], kinds: Sequence[str], by_length: bool = False) -> None:
        self.names, self.kinds = list(names), list(kinds)
        #: whether shorter texts come first: the order of whole numbers that are written as text
        self.by_length = by_length

    def encode(self, columns: Sequence[Any]) -> Any:
        """One array of the keys; BadKey for the first that is missing or of another kind."""
        parts = []
        for name, column, kind in zip(self.names, columns, self.kinds, strict=True):
            try:
                parts.append(_column(column, kind))
            except BadValue as bad:
                raise BadKey(name, bad) from None
        if len(parts) == 1 and parts[0].dtype == np.uint64:
            return parts[0]
        key: Any = None
        for i, part in enumerate(parts):
            if part.dtype == np.uint64:
                part = _hexadecimal(part, _DIGITS)
            elif len(parts) > 1:
                self._refuse_end(part, self.names[i])
            if self.kinds[i] == TEXT and self.by_length:
                lengths = _hexadecimal(np.strings.str_len(part).astype(np.uint64), _LENGTH_DIGITS)
                part = np.strings.add(lengths, part)
            if self.kinds[i] == TEXT and i < len(parts) - 1:
                part = np.strings.add(part, _END)
            key = part if key is None else np.strings.add(key, part)
        return key

    def _refuse_end(self, part: Any, name: str) -> None:
        try:
            _refuse(np.strings.find(part, _END) >= 0, part, "text without control characters")
        except BadValue as bad:
            raise BadKey(name, bad) from None

    def decode(self, keys: Any) -> dict[str, Any]:
        """The columns of keys, for people: numbers, and text for everything else."""
        if keys.dtype == np.uint64:
            return {self.names[0]: _readable(keys, self.kinds[0])}
        parts: list[list[Any]] = [[] for _ in self.names]
        for key in keys.tolist():
            for part, kind in zip(parts, self.kinds, strict=True):
                if kind != TEXT:
                    part.append(int(key[:_DIGITS], 16))
                    key = key[_DIGITS:]
                    continue
                text, _, key = key.partition(_END) if part is not parts[-1] else (key, b"", b"")
                part.append(text[_LENGTH_DIGITS if self.by_length else 0 :].decode())
        return {
            name: _objects(part) if kind == TEXT else _readable(np.array(part, np.uint64), kind)
            for name, part, kind in zip(self.names, parts, self.kinds, strict=True)
        }

    def shown(self, keys: Any) -> list[str]:
        """Each key in words: id 7, day 2024-05-01."""
        columns = self.decode(keys)
        return [
            ", ".join(f"{name} {value}" for name, value in zip(columns, row, strict=True))
            for row in zip(*(column.tolist() for column in columns.values()), strict=True)
        ]


def _column(array: Any, kind: str) -> Any:
    array = as_arrow(array)
    missing = array.is_null(nan_is_null=True)
    _refuse(_booleans(missing), None, "a key in every row", MISSING_KEY)
    if kind == TEXT:
        return _text(array)
    array = _as(array, kind)
    if kind == BOOLEANS:
        return _booleans(array).astype(np.uint64)
    storage = {NUMBERS: np.float64, DATES: np.int32}.get(kind, np.int64)
    size = np.dtype(storage).itemsize
    buffer = array.buffers()[1] if len(array) else b""
    values = np.frombuffer(buffer, storage, len(array), array.offset * size if len(array) else 0)
    if kind == NUMBERS:
        bits = (values + 0.0).view(np.uint64)  # −0 is 0
        return np.where(bits & _SIGN, ~bits, bits | _SIGN)
    return values.astype(np.int64).view(np.uint64) ^ _SIGN


def pieces_of(columns: Sequence[Any]) -> Iterator[slice]:
    """Slices of rows, of fewer where a key is long: all keys of an array are as wide as it."""
    lengths = [_lengths(column) for column in columns]
    start, rows = 0, len(columns[0])
    while start < rows:
        widths = sum(np.maximum.accumulate(each[start:]) for each in lengths)
        filled = widths * np.arange(1, rows - start + 1)
        apart = sum(np.cumsum(each[start:]) for each in lengths)
        over = filled > np.minimum(PIECE_BYTES, 4 * apart + FILLING)
        count = max(1, int(np.argmax(over))) if over.any() else rows - start
        yield slice(start, start + count)
        start += count


def _lengths(array: Any) -> Any:
    """The bytes of each value in a key."""
    if not pa.types.is_string(array.type) and not pa.types.is_large_string(array.type):
        return np.full(len(array), _DIGITS)
    lengths = pc.binary_length(array).cast(pa.int64()).fill_null(0)
    return np.frombuffer(lengths.buffers()[1], np.int64, len(lengths), lengths.offset * 8)


def trimmed(array: Any) -> Any:
    """Text without the blanks around it."""
    array = as_arrow(array)
    # What is missing throughout has no type of its own.
    return pc.utf8_trim_whitespace(
        array.cast(pa.string()) if pa.types.is_null(array.type) else array
    )


def as_arrow(array: Any) -> Any:
    """An array as Arrow's, each value by itself."""
    if isinstance(array, pa.Array):
        return array.dictionary_decode() if pa.types.is_dictionary(array.type) else array
    if array.dtype.kind == "S":
        array = np.char.decode(array, "utf-8", "replace")
    return pa.array(array.astype(array.dtype.newbyteorder("=")))


def _as(array: Any, kind: str) -> Any:
    """An array as the type of a kind. Text of a CSV must be written as its values are."""
    text = pa.types.is_string(array.type) or pa.types.is_large_string(array.type)
    try:
        found = array.cast(_TYPES[kind])
    except pa.ArrowInvalid:
        _refuse(np.array([not _fits(value, kind) for value in array]), array, kind)
        raise BadValue(0, f"got {array[0]}", kind) from None
    if text and kind == WHOLE_NUMBERS:
        other = _booleans(pc.not_equal(found.cast(array.type), array))
        _refuse(other, array, "whole numbers as the other file has them, without leading zeros")
    return found


def _fits(value: Any, kind: str) -> bool:
    try:
        value.cast(_TYPES[kind])
    except pa.ArrowInvalid:
        return False
    return True


def _text(array: Any) -> Any:
    """Text as bytes, filled up to the longest of them."""
    array = array.cast(pa.large_string())
    n = len(array)
    if not n:
        return np.empty(0, "S1")
    offsets = np.frombuffer(array.buffers()[1], np.int64, n + 1, array.offset * 8)
    data = np.frombuffer(array.buffers()[2] or b"", np.uint8)[offsets[0] : offsets[-1]]
    lengths = np.diff(offsets)
    width = max(1, int(lengths.max()))
    if width > LONGEST:
        too_long = f"a key of {int(lengths[np.argmax(lengths > LONGEST)]):,} bytes"
        _refuse(lengths > LONGEST, None, f"at most {LONGEST:,}", too_long)
    if not data.all():
        _refuse(_booleans(pc.match_substring(array, "\0")), array, "text without zero bytes")
    if (lengths == width).all():
        return np.ascontiguousarray(data).view(f"S{width}")
    matrix = np.zeros((n, width), np.uint8)
    matrix[np.arange(width) < lengths[:, None]] = data
    return matrix.view(f"S{width}").ravel()


def _booleans(array: Any) -> Any:
    """An Arrow array of booleans as NumPy's."""
    if not len(array):
        return np.empty(0, bool)
    bits = np.unpackbits(np.frombuffer(array.buffers()[1], np.uint8), bitorder="little")
    return bits[array.offset :][: len(array)].astype(bool)


def _hexadecimal(numbers: Any, digits: int) -> Any:
    """Numbers as text in their order."""
    octets = numbers.astype(">u8").view(np.uint8).reshape(len(numbers), 8)
    nibbles = np.stack([octets >> 4, octets & 15], axis=2).reshape(len(numbers), 16)
    letters = np.frombuffer(b"0123456789abcdef", np.uint8)[nibbles[:, 16 - digits :]]
    return np.ascontiguousarray(letters).view(f"S{digits}").ravel()


def _readable(keys: Any, kind: str) -> Any:
    """Numbers that stand for the values of a kind, as those values."""
    if kind == BOOLEANS:
        return _objects(["true" if key else "false" for key in keys.tolist()])
    if kind == NUMBERS:
        return np.where(keys & _SIGN, keys ^ _SIGN, ~keys).view(np.float64)
    numbers = (keys ^ _SIGN).view(np.int64)
    if kind == WHOLE_NUMBERS:
        return numbers
    if kind == DATES:
        return _objects(np.datetime_as_string(numbers.view("M8[D]")).tolist())
    texts = np.datetime_as_string(numbers.view("M8[ns]")).tolist()
    zone = "Z" if kind == ZONED else ""
    return _objects([text.rstrip("0").rstrip(".") + zone for text in texts])


def _objects(values: list[Any]) -> Any:
    array = np.empty(len(values), dtype=object)
    array[:] = values
    return array


def _refuse(bad: Any, values: Any, expected: str, found: str = "") -> None:
    """BadValue for the first of some values, if there is any."""
    if len(bad) and bad.any():
        at = int(np.argmax(bad))
        value = "" if values is None else values[at]
        value = value.decode() if isinstance(value, bytes) else str(value)
        raise BadValue(at, found or f"got {value!r}", f"{expected} (--on)", every=bad)

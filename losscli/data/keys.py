"""Keys that pair rows: columns of any type → one array with the order and equality of the keys.

Numbers, dates and times become 64-bit integers in their order, text its UTF-8 bytes, bytes and
decimals hexadecimal digits; the columns of a key are written one after the other as bytes. So a key
is compared at once, whatever it holds.
"""

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from losscli.data.key_kinds import (
    BOOLEANS,
    BYTES,
    CLOCK,
    DATES,
    DECIMALS,
    DURATIONS,
    FINE_ZONED,
    NUMBERS,
    TEXT,
    TIMES,
    TYPES,
    UNSIGNED,
    WHOLE_NUMBERS,
    ZONED,
    as_arrow,
    as_kind,
    booleans,
    is_text,
    refuse,
)
from losscli.data.source import BadValue

_SIGN = np.uint64(1 << 63)
#: ends a text that more columns follow: it sorts before every letter
_END = b"\x01"
LONGEST = 4096
#: bytes of the keys of a piece at most, which are all as wide as the longest of them
PIECE_BYTES = 1 << 23
#: and what short ones may be filled up with
FILLING = 1 << 20
MISSING_KEY = "a missing key"
_STORAGE = {NUMBERS: np.float64, DATES: np.int32, UNSIGNED: np.uint64}
#: kinds whose keys are of any length, or longer than a number
_TEXTS = (TEXT, BYTES, DECIMALS)
#: hexadecimal digits of a number, and of the length of a text, in a key of several parts
_DIGITS, _LENGTH_DIGITS = 16, 4


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
            if self.kinds[i] in _TEXTS and i < len(parts) - 1:
                part = np.strings.add(part, _END)
            key = part if key is None else np.strings.add(key, part)
        return key

    def _refuse_end(self, part: Any, name: str) -> None:
        try:
            refuse(np.strings.find(part, _END) >= 0, part, "text without control characters")
        except BadValue as bad:
            raise BadKey(name, bad) from None

    def decode(self, keys: Any) -> dict[str, Any]:
        """The columns of keys, for people: numbers, and text for everything else."""
        if keys.dtype == np.uint64:
            return {self.names[0]: _readable(keys, self.kinds[0])}
        parts: list[list[Any]] = [[] for _ in self.names]
        for key in keys.tolist():
            for part, kind in zip(parts, self.kinds, strict=True):
                if kind not in _TEXTS:
                    part.append(int(key[:_DIGITS], 16))
                    key = key[_DIGITS:]
                    continue
                text, _, key = key.partition(_END) if part is not parts[-1] else (key, b"", b"")
                skip = _LENGTH_DIGITS if self.by_length and kind == TEXT else 0
                part.append(_DECODED.get(kind, str)(text[skip:].decode()))
        return {
            name: _objects(part) if kind in _TEXTS else _readable(np.array(part, np.uint64), kind)
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
    refuse(booleans(missing), None, "a key in every row", MISSING_KEY)
    if kind == TEXT:
        return _text(array)
    array = as_kind(array, kind)
    if kind == BYTES:
        return _text(pa.array([value.hex() for value in array.to_pylist()], pa.large_string()))
    if kind == DECIMALS:
        return _decimals(array)
    if kind == BOOLEANS:
        return booleans(array).astype(np.uint64)
    storage = _STORAGE.get(kind, np.int64)
    size = np.dtype(storage).itemsize
    buffer = array.buffers()[1] if len(array) else b""
    values = np.frombuffer(buffer, storage, len(array), array.offset * size if len(array) else 0)
    if kind == NUMBERS:
        bits = (values + 0.0).view(np.uint64)  # −0 is 0
        return np.where(bits & _SIGN, ~bits, bits | _SIGN)
    return values if kind == UNSIGNED else values.astype(np.int64).view(np.uint64) ^ _SIGN


def _decimals(array: Any) -> Any:
    """Decimals of 256 bits as text in their order."""
    n = len(array)
    words = np.frombuffer(array.buffers()[1] or b"", "<u8", 4 * n, 32 * array.offset).reshape(n, 4)
    first, *others = (words[:, i].astype(np.uint64) for i in (3, 2, 1, 0))
    digits = _hexadecimal(first ^ _SIGN, _DIGITS)
    for word in others:
        digits = np.strings.add(digits, _hexadecimal(word, _DIGITS))
    return digits


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
    hexadecimal = 2 if pa.types.is_binary(array.type) or pa.types.is_large_binary(array.type) else 1
    if hexadecimal == 1 and not is_text(array.type):
        return np.full(len(array), 4 * _DIGITS if pa.types.is_decimal(array.type) else _DIGITS)
    lengths = pc.binary_length(array).cast(pa.int64()).fill_null(0)
    found = np.frombuffer(lengths.buffers()[1], np.int64, len(lengths), lengths.offset * 8)
    return hexadecimal * found


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
        refuse(lengths > LONGEST, None, f"at most {LONGEST:,}", too_long)
    if not data.all():
        refuse(booleans(pc.match_substring(array, "\0")), array, "text without zero bytes")
    if (lengths == width).all():
        return np.ascontiguousarray(data).view(f"S{width}")
    matrix = np.zeros((n, width), np.uint8)
    matrix[np.arange(width) < lengths[:, None]] = data
    return matrix.view(f"S{width}").ravel()


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
    if kind == UNSIGNED:
        return keys
    numbers = (keys ^ _SIGN).view(np.int64)
    if kind == WHOLE_NUMBERS:
        return numbers
    if kind == DURATIONS:
        return _objects([_point(number, 9) + " s" for number in numbers.tolist()])
    if kind == DATES:
        return _objects(np.datetime_as_string(numbers.view("M8[D]")).tolist())
    unit = "us" if kind in (TIMES, ZONED) else "ns"
    texts = np.datetime_as_string(numbers.view(f"M8[{unit}]")).tolist()
    if kind == CLOCK:
        texts = [text.partition("T")[2] for text in texts]
    zone = "Z" if kind in (ZONED, FINE_ZONED) else ""
    return _objects([text.rstrip("0").rstrip(".") + zone for text in texts])


def _point(number: int, places: int) -> str:
    """A whole number with a decimal point so many places from its end, and no zeros after it."""
    whole, part = divmod(abs(number), 10**places)
    return f"{'-' * (number < 0)}{whole}.{part:0{places}}".rstrip("0").rstrip(".")


#: what the text that stands for a value is for people, where it is not the value itself
_DECODED: dict[str, Callable[[str], str]] = {
    DECIMALS: lambda digits: _point(int(digits, 16) - (1 << 255), TYPES[DECIMALS].scale)
}


def _objects(values: list[Any]) -> Any:
    array = np.empty(len(values), dtype=object)
    array[:] = values
    return array

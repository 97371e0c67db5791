"""Keys that pair rows: columns of any type → one array with the order and equality of the keys.

Numbers, dates and times become numbers in their order (`key_types.py`), text its UTF-8 bytes; the
columns of a key are written one after the other as bytes. So a key is compared at once, whatever it
holds.
"""

from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from losscli.data import arrow
from losscli.data.arrow import is_bytes, is_text
from losscli.data.key_types import (
    A_KEY,
    BINARY,
    MISSING_KEY,
    PER_SECOND,
    TEXT,
    Kind,
    booleans,
    numbers,
    refuse,
)
from losscli.data.key_words import objects, quoted, readable, readable_bytes
from losscli.data.source import BadValue
from losscli.data.texts import texts_of
from losscli.errors import DataError

#: ends a text that more columns follow: it sorts before every letter
_END = b"\x01"
LONGEST = 4096
#: bytes of the keys of a piece, about
PIECE_BYTES = 1 << 23
#: bytes of the length of a text
_LENGTH = 2
#: bytes of a number in a key, about
_NUMBER = 10
_HEXADECIMAL = np.frombuffer(bytes(range(256)).hex().encode(), np.uint8).reshape(256, 2)


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

    def __init__(
        self, names: Sequence[str], kinds: Sequence[Kind], by_length: bool = False
    ) -> None:
        self.names, self.kinds = list(names), list(kinds)
        #: whether shorter texts come first: the order of whole numbers that are written as text
        self.by_length = by_length

    def encode(self, columns: Sequence[Any]) -> Any:
        """One array of the keys; BadKey for the first that is missing or of another kind."""
        parts = []
        for name, column, kind in zip(self.names, columns, self.kinds, strict=True):
            try:
                parts.append(self._part(column, kind))
            except BadValue as bad:
                raise BadKey(name, bad) from None
        if isinstance(parts[0], np.ndarray):
            return parts[0]
        key = parts[0] if len(parts) == 1 else _joined(*parts)
        return texts_of(*_data_of(key))

    def _part(self, array: Any, kind: Kind) -> Any:
        """A column in its order: numbers where they are all of the key, else bytes of Arrow."""
        missing = array.is_null(nan_is_null=True)
        refuse(booleans(missing), None, A_KEY, MISSING_KEY)
        several = len(self.names) > 1
        if not kind.is_text:
            found = numbers(pc.utf8_trim_whitespace(array) if is_text(array.type) else array, kind)
            if not several:
                return found if found.ndim == 1 else packed(found)
            return _bytes_of(packed(_octets(found)))
        part = _text(array, kind)
        if kind.name == TEXT:
            if several:
                bad = booleans(pc.match_substring(part, _END.decode()))
                refuse(bad, part, "text without control characters")
            if self.by_length:
                lengths = pc.binary_length(part)
                octets = _octets(arrow.buffer_of(lengths, np.int64))[:, -_LENGTH:]
                part = _joined(_bytes_of(packed(octets)), part)
        else:
            part = _hexadecimal(part)
        return _joined(part, _END) if several else part

    def decode(self, keys: Any) -> dict[str, Any]:
        """The columns of keys, for people: numbers, and text for everything else."""
        if keys.dtype == np.uint64:
            return {self.names[0]: readable(keys, self.kinds[0])}
        parts: list[list[Any]] = [[] for _ in self.names]
        for key in keys.tolist():
            for part, kind in zip(parts, self.kinds, strict=True):
                if not kind.is_text:
                    width = _packed_bytes(kind.octets)
                    part.append(key[:width])
                    key = key[width:]
                    continue
                text, _, key = key.partition(_END)
                part.append(self._readable_text(text, kind))
        return {
            name: objects(part) if kind.is_text else readable(_unpacked(part, kind.octets), kind)
            for name, part, kind in zip(self.names, parts, self.kinds, strict=True)
        }

    def _readable_text(self, text: bytes, kind: Kind) -> str:
        if kind.name == BINARY:
            return readable_bytes(bytes.fromhex(text.decode()))
        return text[_packed_bytes(_LENGTH) if self.by_length else 0 :].decode()

    def has_blanks(self, keys: Any) -> bool:
        """Whether a text in any of some keys begins or ends with a blank."""
        columns = self.decode(keys)
        return any(
            text != text.strip()
            for name, kind in zip(self.names, self.kinds, strict=True)
            if kind.name == TEXT
            for text in columns[name]
        )

    def shown(self, keys: Any) -> list[str]:
        """Each key in words: id 7, day 2024-05-01, name 'A B'."""
        columns = self.decode(keys)
        for name, kind in zip(self.names, self.kinds, strict=True):
            if kind.is_text:
                columns[name] = objects(list(map(quoted, columns[name])))
        return [
            ", ".join(f"{name} {value}" for name, value in zip(columns, row, strict=True))
            for row in zip(*(column.tolist() for column in columns.values()), strict=True)
        ]


def pieces_of(columns: Sequence[Any]) -> Iterator[slice]:
    """Slices of rows, of fewer where keys are long."""
    before = np.cumsum(sum(_lengths(column) for column in columns)) // PIECE_BYTES
    cuts = np.flatnonzero(before[1:] != before[:-1]) + 1
    return (slice(start, end) for start, end in pairwise([0, *cuts.tolist(), len(before)]))


def _lengths(array: Any) -> Any:
    """The bytes of each value in a key."""
    if not is_text(array.type) and not is_bytes(array.type):
        return np.full(len(array), _NUMBER)
    return arrow.buffer_of(pc.binary_length(array).cast(pa.int64()).fill_null(0), np.int64)


def with_point(text: Any, decimal: str) -> Any:
    """Numbers as text that has a decimal mark, with a point; BadValue for one that has a point."""
    refuse(
        booleans(pc.match_substring(text, ".").fill_null(False)),
        text,
        f"a number with --decimal {decimal}",
    )
    return pc.replace_substring(text, decimal, ".")


def as_arrow(array: Any, text: bool = False) -> Any:
    """An array as Arrow's, each value by itself; a DataError says what cannot be a key.

    One of `text` is text also where it is missing throughout, and so has no type of its own.
    """
    if isinstance(array, pa.Array):
        array = arrow.plain(array)
        return array.cast(pa.string()) if text and pa.types.is_null(array.type) else array
    if array.ndim > 1:
        raise DataError("holds several values a row, which cannot be a key")
    try:
        array = array.astype(array.dtype.newbyteorder("="), copy=False)
        return as_arrow(pa.array(_with_arrow_unit(array)), text)
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError, ValueError):
        raise DataError(f"holds {array.dtype}, which cannot be a key") from None


def _with_arrow_unit(array: Any) -> Any:
    """Times of NumPy, whose units are more than Arrow has, in the next that holds them exactly."""
    if array.dtype.kind not in "Mm":
        return array
    unit, count = np.datetime_data(array.dtype)
    if unit == "generic" or (array.dtype.kind == "m" and unit in ("Y", "M")):
        raise ValueError("no span of time")
    if count == 1 and unit in (*PER_SECOND, *("D" if array.dtype.kind == "M" else "")):
        inside = array
    else:
        larger = "D" if unit in ("Y", "M", "W", "D") and array.dtype.kind == "M" else "s"
        smaller = unit if unit in PER_SECOND else "ns"
        to = larger if unit in ("Y", "M", "W", "D", "h", "m") else smaller
        inside = array.astype(f"{array.dtype.kind}8[{to}]")
        if not ((inside.astype(array.dtype) == array) | np.isnat(array)).all():
            raise ValueError("times that Arrow cannot hold")
    days = inside.dtype == np.dtype("M8[D]")
    if days and (np.abs(inside[~np.isnat(inside)].view(np.int64)) >= 1 << 31).any():
        raise ValueError("days that Arrow cannot hold")
    return inside


def _text(array: Any, kind: Kind) -> Any:
    """Text or bytes that can be a key, as Arrow's large ones."""
    if pa.types.is_fixed_size_binary(array.type):
        array = array.cast(pa.binary())
    array = array.cast(kind.type)
    lengths = _lengths(array)
    if lengths.max(initial=0) > LONGEST:
        too_long = f"a key of {int(lengths[np.argmax(lengths > LONGEST)]):,} bytes"
        refuse(lengths > LONGEST, None, f"at most {LONGEST:,}", too_long)
    if kind.name == TEXT and not _data_of(array)[0].all():
        refuse(booleans(pc.match_substring(array, "\0")), array, "text without zero bytes")
    return array


def _data_of(array: Any) -> tuple[Any, Any]:
    """The bytes of large text or bytes end to end, and where each begins, and the last ends."""
    if not len(array):
        return np.empty(0, np.uint8), np.zeros(1, np.int64)
    offsets = np.frombuffer(array.buffers()[1], np.int64, len(array) + 1, array.offset * 8)
    data = np.frombuffer(array.buffers()[2] or b"", np.uint8)[offsets[0] : offsets[-1]]
    return data, offsets - offsets[0]


def _as_arrow(data: Any, offsets: Any) -> Any:
    buffers = [None, pa.py_buffer(offsets), pa.py_buffer(data)]
    return pa.Array.from_buffers(pa.large_binary(), len(offsets) - 1, buffers)


def _hexadecimal(array: Any) -> Any:
    """Bytes of any value as text, in their order."""
    data, offsets = _data_of(array)
    return _as_arrow(_HEXADECIMAL[data], 2 * offsets)


def _bytes_of(texts: Any) -> Any:
    """An array of NumPy whose texts are all of its width, as Arrow's."""
    return _as_arrow(texts, np.arange(len(texts) + 1) * texts.itemsize)


def _joined(*parts: Any) -> Any:
    """Beside each other, as bytes."""
    large = pa.large_binary()
    several = [p.cast(large) if isinstance(p, pa.Array) else pa.scalar(p, large) for p in parts]
    return pc.binary_join_element_wise(*several, pa.scalar(b"", large))


def _octets(numbers: Any) -> Any:
    """The bytes of numbers, the highest first."""
    return numbers.astype(">u8").view(np.uint8).reshape(-1, 8) if numbers.ndim == 1 else numbers


def _packed_bytes(octets: int) -> int:
    return -(-8 * octets // 7)


def packed(octets: Any) -> Any:
    """Numbers as bytes in their order, of seven bits each: none of them is zero or ends a text."""
    n, count = octets.shape
    width = _packed_bytes(count)
    bits = np.zeros((n, 7 * width), np.uint8)
    bits[:, 7 * width - 8 * count :] = np.unpackbits(octets, axis=1)
    sevens = np.ones((n, width, 8), np.uint8)
    sevens[:, :, 1:] = bits.reshape(n, width, 7)
    return np.packbits(sevens).view(f"S{width}")


def _unpacked(keys: Sequence[bytes], octets: int) -> Any:
    """Numbers again: uint64 of eight bytes, or as their bytes."""
    width = _packed_bytes(octets)
    data = np.frombuffer(b"".join(keys), np.uint8).reshape(-1, width)
    bits = np.unpackbits(data, axis=1).reshape(-1, width, 8)[:, :, 1:].reshape(-1, 7 * width)
    found = np.packbits(bits[:, 7 * width - 8 * octets :], axis=1)
    return found.view(">u8").ravel().astype(np.uint64) if octets == 8 else found

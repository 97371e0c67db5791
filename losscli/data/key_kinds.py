"""What the columns of a key may hold: the kinds of values, and columns as one of them.

Values of different types pair where they are of one kind, and no value is rounded: a kind that is
wider stands for two of which the one holds values that the other has no room for.
"""

from collections.abc import Sequence
from functools import reduce
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from losscli.data.source import BadValue
from losscli.errors import DataError

TEXT, BYTES = "text", "bytes"
WHOLE_NUMBERS, UNSIGNED = "whole numbers", "whole numbers that are not negative"
NUMBERS, DECIMALS, BOOLEANS = "numbers", "decimals", "true and false"
DATES, CLOCK, DURATIONS = "dates", "times of day", "durations"
TIMES, ZONED = "timestamps", "timestamps with a time zone"
FINE_TIMES, FINE_ZONED = "timestamps in nanoseconds", "timestamps in nanoseconds with a time zone"
TYPES = {
    TEXT: pa.string(),
    BYTES: pa.large_binary(),
    WHOLE_NUMBERS: pa.int64(),
    UNSIGNED: pa.uint64(),
    NUMBERS: pa.float64(),
    DECIMALS: pa.decimal256(76, 38),
    BOOLEANS: pa.bool_(),
    DATES: pa.date32(),
    CLOCK: pa.time64("ns"),
    DURATIONS: pa.duration("ns"),
    # Nanoseconds end in the year 2262, microseconds do not.
    TIMES: pa.timestamp("us"),
    FINE_TIMES: pa.timestamp("ns"),
    ZONED: pa.timestamp("us", "UTC"),
    FINE_ZONED: pa.timestamp("ns", "UTC"),
}
_WIDER = {
    frozenset({WHOLE_NUMBERS, UNSIGNED}): UNSIGNED,
    frozenset({WHOLE_NUMBERS, DECIMALS}): DECIMALS,
    frozenset({UNSIGNED, DECIMALS}): DECIMALS,
    frozenset({TIMES, FINE_TIMES}): FINE_TIMES,
    frozenset({ZONED, FINE_ZONED}): FINE_ZONED,
}
#: units of NumPy's dates and times that Arrow has not, and what they are exact in
_UNITS = {"Y": "D", "M": "D", "W": "D", "h": "s", "m": "s"}
#: whole numbers of so many digits fit in 64 bits
_DIGITS = 18
_UNFIT = (pa.ArrowInvalid, pa.ArrowNotImplementedError)


def kind_of(array: Any) -> str | None:
    """What a column holds; None where nothing tells. A DataError says what can be no key."""
    kind = as_arrow(array).type
    if pa.types.is_null(kind):
        return None
    if pa.types.is_integer(kind):
        return UNSIGNED if kind == pa.uint64() else WHOLE_NUMBERS
    if pa.types.is_decimal(kind):
        whole = kind.scale == 0 and kind.precision <= _DIGITS
        return WHOLE_NUMBERS if whole else DECIMALS
    if pa.types.is_timestamp(kind):
        fine = kind.unit == "ns"
        return (FINE_TIMES if fine else TIMES) if kind.tz is None else FINE_ZONED if fine else ZONED
    found = {
        TEXT: is_text(kind),
        BYTES: pa.types.is_binary(kind) or pa.types.is_large_binary(kind)
        or pa.types.is_fixed_size_binary(kind),
        NUMBERS: pa.types.is_floating(kind),
        BOOLEANS: pa.types.is_boolean(kind),
        DATES: pa.types.is_date(kind),
        CLOCK: pa.types.is_time(kind),
        DURATIONS: pa.types.is_duration(kind),
    }  # fmt: skip
    for name, holds in found.items():
        if holds:
            return name
    raise DataError(f"holds {kind}, which cannot be a key")


def is_text(kind: Any) -> bool:
    """Whether values of a type are text."""
    return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind))


def settle(name: str, displays: Sequence[str], kinds: Sequence[str | None]) -> str:
    """What a column of the key holds in all files. A CSV's text is read as what others hold."""
    typed = {kind: display for display, kind in zip(displays, kinds, strict=True) if kind}
    if not typed:
        return TEXT
    found = reduce(lambda one, other: _WIDER.get(frozenset({one, other}), one), typed)
    if any(kind != found and _WIDER.get(frozenset({kind, found})) != found for kind in typed):
        told = ", ".join(f"{kind} in {display}" for kind, display in typed.items())
        raise DataError(
            f"column '{name}' holds {told}: keys pair when they are of one type",
            "write it alike in both files; the text of a CSV is read as the type of the other file",
        )
    return found


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
    if array.dtype.kind in "mM":
        unit = np.datetime_data(array.dtype)[0]
        array = array.astype(f"{array.dtype.kind}8[{_UNITS.get(unit, unit)}]")
        if array.dtype == np.dtype("m8[D]"):
            array = array.astype("m8[s]")
    try:
        return pa.array(array.astype(array.dtype.newbyteorder("=")))
    except (pa.ArrowException, TypeError, ValueError):
        raise DataError(f"holds {array.dtype}, which cannot be a key") from None


def as_kind(array: Any, kind: str) -> Any:
    """An array as the type of a kind. Text of a CSV must be written as its values are."""
    text = is_text(array.type)
    try:
        found = _cast(array, kind)
    except _UNFIT:
        refuse(
            np.array([not _fits(array[i : i + 1], kind) for i in range(len(array))]), array, kind
        )
        raise BadValue(0, f"got {array[0]}", kind) from None
    if text and kind in (WHOLE_NUMBERS, UNSIGNED):
        other = booleans(pc.not_equal(found.cast(array.type), array))
        refuse(other, array, "whole numbers as the other file has them, without leading zeros")
    return found


def _cast(array: Any, kind: str) -> Any:
    """The values as those of a kind; what Arrow raises where one of them is none."""
    if kind == CLOCK and is_text(array.type):
        that_day = pc.binary_join_element_wise(pa.scalar("1970-01-01 ", array.type), array, "")
        return that_day.cast(TYPES[FINE_TIMES]).cast(TYPES[CLOCK])
    try:
        return array.cast(TYPES[kind])
    except pa.ArrowInvalid:
        if kind not in (TIMES, ZONED) or not is_text(array.type):
            raise
        # Text may have digits of nanoseconds, all of them 0.
        fine = TYPES[FINE_TIMES if kind == TIMES else FINE_ZONED]
        return array.cast(fine).cast(TYPES[kind])


def _fits(array: Any, kind: str) -> bool:
    try:
        _cast(array, kind)
    except _UNFIT:
        return False
    return True


def booleans(array: Any) -> Any:
    """An Arrow array of booleans as NumPy's."""
    if not len(array):
        return np.empty(0, bool)
    bits = np.unpackbits(np.frombuffer(array.buffers()[1], np.uint8), bitorder="little")
    return bits[array.offset :][: len(array)].astype(bool)


def refuse(bad: Any, values: Any, expected: str, found: str = "") -> None:
    """BadValue for the first of some values, if there is any."""
    if len(bad) and bad.any():
        at = int(np.argmax(bad))
        value = "" if values is None else values[at]
        value = value.decode() if isinstance(value, bytes) else str(value)
        raise BadValue(at, found or f"got {value!r}", f"{expected} (--on)", every=bad)

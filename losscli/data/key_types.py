"""What the columns of a key hold, and their values as numbers whose order and equality are theirs.

A kind of values is shared by several types of Arrow. Values of one kind pair whatever their types,
in one type that holds all of them exactly; nothing is rounded.
"""

from collections.abc import Sequence
from decimal import Decimal
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from losscli.data import arrow
from losscli.data.arrow import is_bytes, is_text
from losscli.data.source import BadValue
from losscli.errors import DataError

TEXT, BINARY = "text", "bytes"
WHOLE_NUMBERS, DECIMALS, NUMBERS = "whole numbers", "decimals", "numbers"
NUMERIC = (WHOLE_NUMBERS, DECIMALS, NUMBERS)
BOOLEANS, DATES, TIMES_OF_DAY = "true and false", "dates", "times of day"
TIMES, ZONED, DURATIONS = "timestamps", "timestamps with a time zone", "durations"
SIGN = np.uint64(1 << 63)
PER_SECOND = {"s": 1, "ms": 10**3, "us": 10**6, "ns": 10**9}
#: digits of whole numbers, by their bits
_INTEGER_DIGITS = {8: 3, 16: 5, 32: 10, 64: 19}
#: decimals as Arrow has them: digits at most, the bytes of their order, the type
_DECIMALS = ((18, 8, pa.decimal128), (38, 16, pa.decimal128), (76, 32, pa.decimal256))
A_KEY, MISSING_KEY = "a key in every row", "a missing key"
#: letters of a number that float64 holds as it is written, and numbers below which it holds fewer
_ALL_HELD, _SMALL = 15, 1e-290
_INFINITE = "numbers beyond 1.8e308 are read as infinite, and cannot be told apart"
#: a time of several units: seconds in 8 bytes, nanoseconds in 4
SECONDS_AND_NANOSECONDS = 12
#: a time as text, its fraction apart
_TIME = r"^(?P<whole>[^.]*)(?:\.(?P<fraction>[0-9]{1,9}))?(?P<zone>(?:Z|[+-][0-9:]+)?)$"


class Kind(NamedTuple):
    """What a column holds, in words, and the type that holds its values exactly."""

    name: str
    type: Any
    #: bytes of the number that stands for a value in its order
    octets: int = 8

    @property
    def is_text(self) -> bool:
        """Whether values are of any length."""
        return self.name in (TEXT, BINARY)

    @property
    def told(self) -> str:
        """What it is, for people: with its type where that tells more."""
        return self.name if self.name == TEXT else f"{self.name} ({self.type})"

    @property
    def expected(self) -> str:
        """What a value should be."""
        return f"{self.name} as {self.type}" if self.name in (*_EXACT, *_WITH_UNITS) else self.name


_EXACT = (WHOLE_NUMBERS, DECIMALS)
_WITH_UNITS = (TIMES, ZONED, DURATIONS)
#: kinds that pair with others
_FAMILIES = {DECIMALS: WHOLE_NUMBERS, BINARY: TEXT}
_TYPES = {
    NUMBERS: pa.float64(),
    BOOLEANS: pa.bool_(),
    DATES: pa.date32(),
    TIMES_OF_DAY: pa.time64("ns"),
}
_NAMES = (
    (pa.types.is_floating, NUMBERS),
    (pa.types.is_boolean, BOOLEANS),
    (pa.types.is_date, DATES),
    (pa.types.is_time, TIMES_OF_DAY),
    (pa.types.is_duration, DURATIONS),
    (pa.types.is_integer, WHOLE_NUMBERS),
    (is_text, TEXT),
    (is_bytes, BINARY),
)


def kind_of(array: Any) -> Kind | None:
    """What an Arrow array holds, None where all is missing; DataError where it cannot be a key."""
    kind = array.type
    if pa.types.is_null(kind):
        return None
    if pa.types.is_decimal(kind):
        return Kind(DECIMALS if kind.scale > 0 else WHOLE_NUMBERS, kind)
    if pa.types.is_timestamp(kind):
        return Kind(TIMES if kind.tz is None else ZONED, kind)
    for holds, name in _NAMES:
        if holds(kind):
            return Kind(name, kind)
    raise DataError(f"holds {kind}, which cannot be a key")


def unlike(array: Any, kind: Kind) -> str:
    """What an array holds that does not pair with keys of a kind, in words; nothing if it does.

    It may come long after the first rows, which settled the kind: from another file of a data set.
    """
    found = kind_of(array)
    alike = found is None or _FAMILIES.get(found.name, found.name) == _FAMILIES.get(
        kind.name, kind.name
    )
    return "" if alike or found is None else found.told


def settle(name: str, displays: Sequence[str], kinds: Sequence[Kind | None]) -> Kind:
    """What a column of the key holds in all files. A CSV's text is read as what others hold."""
    typed = [(kind, display) for kind, display in zip(kinds, displays, strict=True) if kind]
    untyped = next((d for kind, d in zip(kinds, displays, strict=True) if kind is None), None)
    if not typed:
        return Kind(TEXT, pa.large_string())
    names = {kind.name for kind, _ in typed}
    told = [f"{kind.told} in {display}" for kind, display in typed]
    if names == {DURATIONS} and untyped is not None:
        raise DataError(
            f"column '{name}' holds {told[0]}, text in {untyped}: text is not read as durations",
            "write them in both files as a number of seconds, or in a format that has types",
        )
    if len({_FAMILIES.get(each, each) for each in names}) > 1:
        raise DataError(
            f"column '{name}' holds {', '.join(told)}: keys pair when they are of one kind",
            "write both with a time zone or both without"
            if names == {TIMES, ZONED}
            else "write it alike in both files; the text of a CSV is read as the type of the other "
            "file",
        )
    types = [kind.type for kind, _ in typed]
    if names & set(_EXACT):
        return _exact(name, told, types)
    (kind, _), *_ = typed
    if kind.name in _WITH_UNITS:
        if len({each.unit for each in types}) == 1 and untyped is None:
            return kind
        return Kind(kind.name, _with_unit(kind.type, "ns"), SECONDS_AND_NANOSECONDS)
    if names & {TEXT, BINARY}:
        whole = names == {TEXT}
        return Kind(TEXT, pa.large_string()) if whole else Kind(BINARY, pa.large_binary())
    return Kind(kind.name, _TYPES[kind.name])


def _exact(name: str, told: Sequence[str], types: Sequence[Any]) -> Kind:
    """Whole numbers and decimals: 64 bits where they do, else as many digits as all of them."""
    if all(pa.types.is_integer(each) for each in types):
        if pa.uint64() not in types:
            return Kind(WHOLE_NUMBERS, pa.int64())
        if all(pa.types.is_unsigned_integer(each) for each in types):
            return Kind(WHOLE_NUMBERS, pa.uint64())
    before, after = zip(*(_digits(each) for each in types), strict=True)
    scale = max(after)
    for most, octets, decimal in _DECIMALS:
        if max(before) + scale <= most:
            return Kind(DECIMALS if scale else WHOLE_NUMBERS, decimal(most, scale), octets)
    raise DataError(
        f"column '{name}' holds {', '.join(told)}: more than 76 digits before and after the point",
        "write both as decimals of one scale",
    )


def _digits(kind: Any) -> tuple[int, int]:
    """Digits before the point and after it."""
    if pa.types.is_decimal(kind):
        return max(1, kind.precision - kind.scale), max(0, kind.scale)
    return 20 if kind == pa.uint64() else _INTEGER_DIGITS[kind.bit_width], 0


def _with_unit(kind: Any, unit: str) -> Any:
    return pa.timestamp(unit, kind.tz) if pa.types.is_timestamp(kind) else pa.duration(unit)


def numbers(array: Any, kind: Kind) -> Any:
    """Values without gaps → (n,) uint64 or, of more bytes, (n, octets) uint8, in their order.

    Raises BadValue for the first that is of another kind.
    """
    try:
        return _numbers(array, kind)
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError):
        wrong = [not _fits(array.slice(i, 1), kind) for i in range(len(array))]
        # The first rows of a file without types do not tell of larger ones.
        larger = kind.name == WHOLE_NUMBERS and pa.types.is_decimal(array.type)
        refuse(np.array(wrong), array, kind.expected, hint=arrow.AS_TEXT if larger else "")
        raise BadValue(0, f"got {array[0]}", kind.expected) from None


def _fits(value: Any, kind: Kind) -> bool:
    try:
        _numbers(value, kind)
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError):
        return False
    return True


def _numbers(array: Any, kind: Kind) -> Any:
    if kind.octets == SECONDS_AND_NANOSECONDS:
        return _in_order(*_instants(array, kind))
    found = _cast(array, kind)
    if kind.name == BOOLEANS:
        return booleans(found).astype(np.uint64)
    if kind.name == NUMBERS:
        values = arrow.buffer_of(found, np.float64)
        refuse(np.isnan(values), None, A_KEY, MISSING_KEY)
        refuse(np.isinf(values), array, "a finite number", hint=_INFINITE)
        bits = (values + 0.0).view(np.uint64)  # −0 is 0
        return np.where(bits & SIGN, ~bits, bits | SIGN)
    if kind.name == DATES:
        return arrow.buffer_of(found, np.int32).astype(np.int64).view(np.uint64) ^ SIGN
    if kind.type == pa.uint64():
        return arrow.buffer_of(found, np.uint64)
    if pa.types.is_decimal(kind.type):
        words = found.type.byte_width // 8
        lowest_first = arrow.buffer_of(found, np.dtype((np.uint64, words))).reshape(-1, words)
        if kind.octets == 8:
            return lowest_first[:, 0] ^ SIGN
        ordered = lowest_first[:, ::-1].copy()
        ordered[:, 0] ^= SIGN
        return ordered.astype(">u8").view(np.uint8).reshape(len(found), kind.octets)
    return arrow.buffer_of(found, np.uint64) ^ SIGN


def _cast(array: Any, kind: Kind) -> Any:
    """An array as the type of its kind. Text must be written as its values are."""
    text = is_text(array.type)
    if text and kind.name == TIMES_OF_DAY:
        day = pa.scalar("1970-01-01T", array.type)
        whole = pc.binary_join_element_wise(day, array, pa.scalar("", array.type))
        return whole.cast(pa.timestamp("ns")).cast(pa.int64()).cast(kind.type)
    if pa.types.is_floating(array.type) and kind.name in _EXACT:
        array = array.cast(pa.int64())
    found = array.cast(kind.type)
    if text and kind.name == NUMBERS:
        refuse(
            _rounded(array, arrow.buffer_of(found, np.float64)),
            array,
            "a number that float64 holds",
        )
    if text and kind.name == WHOLE_NUMBERS:
        other = booleans(pc.not_equal(found.cast(array.type), array))
        refuse(other, array, "whole numbers as the other file has them, without leading zeros")
    return found


def _rounded(array: Any, values: Any) -> Any:
    """Which texts are not their float64 with as many digits: others become the same number."""
    lengths = arrow.buffer_of(pc.binary_length(array).cast(pa.int64()), np.int64)
    size = np.abs(values)
    doubtful = (lengths > _ALL_HELD) | (size >= 1 << 53) | (size < _SMALL)
    rounded = np.zeros(len(values), bool)
    for i in np.flatnonzero(doubtful & np.isfinite(values)).tolist():
        digits = Decimal(str(array[i])).as_tuple().digits
        written = Decimal(f"{values[i]:.{max(0, len(digits) - 1)}e}").as_tuple().digits
        rounded[i] = _significant(digits) != _significant(written)
    return rounded


def _significant(digits: tuple[int, ...]) -> str:
    return "".join(map(str, digits)).strip("0")


def _instants(array: Any, kind: Kind) -> tuple[Any, Any]:
    """Whole seconds, and the nanoseconds after them, of times of any unit and range."""
    if is_text(array.type):
        try:
            array = array.cast(kind.type)
        except pa.ArrowInvalid:  # nanoseconds reach from 1677 to 2262
            parts = pc.extract_regex(array, _TIME)
            whole, fraction, zone = (parts.field(i).cast(pa.string()) for i in range(3))
            seconds = pc.binary_join_element_wise(whole, zone, "")
            if parts.null_count or (seconds.null_count):
                raise
            seconds = seconds.cast(_with_unit(kind.type, "s"))
            nanoseconds = pc.utf8_rpad(fraction, 9, "0").cast(pa.int64())
            return arrow.buffer_of(seconds, np.int64), arrow.buffer_of(nanoseconds, np.int64)
    values, per_second = arrow.buffer_of(array, np.int64), PER_SECOND[array.type.unit]
    return values // per_second, values % per_second * (10**9 // per_second)


def _in_order(seconds: Any, nanoseconds: Any) -> Any:
    first = (seconds.view(np.uint64) ^ SIGN).astype(">u8").view(np.uint8).reshape(-1, 8)
    return np.hstack([first, nanoseconds.astype(">u4").view(np.uint8).reshape(-1, 4)])


def booleans(array: Any) -> Any:
    """An Arrow array of booleans as NumPy's."""
    if not len(array):
        return np.empty(0, bool)
    return arrow.bits(array.buffers()[1], len(array), array.offset)


def refuse(bad: Any, values: Any, expected: str, found: str = "", hint: str = "") -> None:
    """BadValue for the first of some values, if there is any."""
    if len(bad) and bad.any():
        at = int(np.argmax(bad))
        value = "" if values is None else str(values[at])
        raise BadValue(at, found or f"got {value!r}", f"{expected} (--on)", hint, every=bad)

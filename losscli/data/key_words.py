"""Keys in words: the numbers and bytes that stand for the values of a kind → those values."""

import re
from typing import Any

import numpy as np
import pyarrow as pa

from losscli.data.key_types import (
    BOOLEANS,
    DATES,
    DECIMALS,
    DURATIONS,
    NUMBERS,
    PER_SECOND,
    SECONDS_AND_NANOSECONDS,
    SIGN,
    TIMES_OF_DAY,
    WHOLE_NUMBERS,
    ZONED,
    Kind,
)

#: what is told from what is around it without quotes
_WORD = re.compile(r"[\w.:/@+-]+")


def readable(keys: Any, kind: Kind) -> Any:
    """Numbers that stand for the values of a kind, as those values."""
    if kind.name == BOOLEANS:
        return objects(["true" if key else "false" for key in keys.tolist()])
    if kind.name == NUMBERS:
        return np.where(keys & SIGN, keys ^ SIGN, ~keys).view(np.float64)
    if kind.octets == SECONDS_AND_NANOSECONDS:
        first, last = np.ascontiguousarray(keys[:, :8]), np.ascontiguousarray(keys[:, 8:])
        seconds = (first.view(">u8").ravel().astype(np.uint64) ^ SIGN).view(np.int64)
        return _clock(seconds, last.view(">u4").ravel(), kind)
    if kind.octets > 8:
        half = 1 << (8 * kind.octets - 1)
        whole = [int.from_bytes(key.tobytes(), "big") - half for key in keys]
        # Whoever reads more than 38 digits as a number rounds it.
        return objects(
            whole
            if not kind.type.scale and kind.octets == 16
            else [_point(n, kind.type.scale) for n in whole]
        )
    if kind.type == pa.uint64():
        return keys
    values = (keys ^ SIGN).view(np.int64)
    if kind.name == WHOLE_NUMBERS:
        return values
    if kind.name == DECIMALS:
        return objects([_point(n, kind.type.scale) for n in values.tolist()])
    if kind.name == DATES:
        return objects(np.datetime_as_string(values.view("M8[D]")).tolist())
    per_second = PER_SECOND[kind.type.unit]
    return _clock(values // per_second, values % per_second * (10**9 // per_second), kind)


def _clock(seconds: Any, nanoseconds: Any, kind: Kind) -> Any:
    """Times in words: 2024-05-01T10:00:00.5, 10:00:00.5, or 36000.5s."""
    if kind.name == DURATIONS:
        exact = zip(seconds.tolist(), nanoseconds.tolist(), strict=True)
        points = [_point(10**9 * s + n, 9).rstrip("0").rstrip(".") for s, n in exact]
        return objects([f"{point}s" for point in points])
    texts = np.datetime_as_string(seconds.view("M8[s]")).tolist()
    if kind.name == TIMES_OF_DAY:
        texts = [text.partition("T")[2] for text in texts]
    zone = "Z" if kind.name == ZONED else ""
    parts = [f".{n:09}".rstrip("0").rstrip(".") for n in nanoseconds.tolist()]
    return objects([text + part + zone for text, part in zip(texts, parts, strict=True)])


def _point(number: int, scale: int) -> str:
    """A whole number of 10 to the minus scale, as a decimal."""
    if not scale:
        return str(number)
    digits = str(abs(number)).zfill(scale + 1)
    return f"{'-' if number < 0 else ''}{digits[:-scale]}.{digits[-scale:]}"


def readable_bytes(data: bytes) -> str:
    """Bytes as the text that they are, or in hexadecimal."""
    try:
        text = data.decode()
    except UnicodeDecodeError:
        text = "\0"
    return text if text.isprintable() else f"0x{data.hex()}"


def quoted(text: str) -> str:
    """Text in quotes, unless it is one word."""
    return text if _WORD.fullmatch(text) else repr(text)


def objects(values: list[Any]) -> Any:
    """An array of objects, one each."""
    array = np.empty(len(values), dtype=object)
    array[:] = values
    return array

"""Columns that group rows: values of any type → the names of their groups."""

from typing import Any

import numpy as np

from losscli.data.key_types import (
    BINARY,
    DATES,
    DURATIONS,
    TIMES,
    TIMES_OF_DAY,
    ZONED,
    Kind,
    booleans,
    kind_of,
    numbers,
    settle,
)
from losscli.data.key_words import objects, readable, readable_bytes
from losscli.data.source import GROUP, BadValue
from losscli.errors import DataError

#: kinds that Python does not hold in all their range, or writes in its own way
_OWN = (DATES, TIMES_OF_DAY, TIMES, ZONED, DURATIONS, BINARY)


def names_of_groups(array: Any) -> Any:
    """The values of an Arrow array as text, each time exactly. BadValue for one that is missing."""
    missing = booleans(array.is_null(nan_is_null=True))
    if missing.any():
        raise BadValue(int(np.argmax(missing)), "missing", GROUP)
    kind = _kind(array)
    if kind is None or kind.name not in _OWN:
        return objects([str(value) for value in array.to_pylist()])
    if kind.name == BINARY:
        return objects([readable_bytes(value) for value in array.to_pylist()])
    common = settle("", [""], [kind])
    return readable(numbers(array, common), common)


def _kind(array: Any) -> Kind | None:
    """What pairs rows may have words of its own; what does not is as Python writes it."""
    try:
        return kind_of(array)
    except DataError:
        return None

"""Columns that group rows: values of any type → the names of their groups."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from losscli.data.source import BadValue, Values


def group_names(values: Sequence[Any]) -> Values:
    """What the groups of rows are called. BadValue for the first row that is in none."""
    for i, value in enumerate(values):
        if value is None or (not isinstance(value, str) and str(value) in ("nan", "<NA>", "NaT")):
            raise _in_none(i)
    names = np.empty(len(values), dtype=object)
    names[:] = [str(value) for value in values]
    return Values(names)


def group_names_of_arrow(array: Any) -> Values:
    """The same for an array of Arrow: times and bytes are called what they are as keys.

    Python does not hold them in all their range, or writes them in its own way.
    """
    import pyarrow as pa

    from losscli.data.arrow import is_bytes

    kind = array.type
    times = pa.types.is_temporal(kind) and not pa.types.is_interval(kind)
    if not times and not is_bytes(kind):
        return group_names(array.to_pylist())
    if array.null_count:
        raise _in_none(array.is_valid().to_pylist().index(False))
    from losscli.data.key_types import kind_of, numbers, settle
    from losscli.data.key_words import readable, readable_bytes

    if not times:
        return group_names([readable_bytes(value) for value in array.to_pylist()])
    common = settle("", [""], [kind_of(array)])
    return Values(readable(numbers(array, common), common))


def _in_none(row: int) -> BadValue:
    return BadValue(row, "missing", "the group of every row (--by)")

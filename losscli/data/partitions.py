"""Partitions as Hive writes them: columns whose values are in the names of directories."""

import os
from collections import Counter
from collections.abc import Sequence
from typing import Any, NamedTuple
from urllib.parse import unquote

import numpy as np

from losscli.data.arrays import decode
from losscli.data.source import BadValue, Values, Wanted, as_number, misfit
from losscli.errors import DataError

#: how Hive writes that a key of a partition is missing
_NO_KEY = "__HIVE_DEFAULT_PARTITION__"


class Part(NamedTuple):
    """A file of a data set."""

    path: str
    #: columns that its directories hold, as Hive writes them: `date=2024-01-01/`
    keys: dict[str, str | None]


def keys_of(path: str, root: str) -> dict[str, str | None]:
    """The partition that a file is in, from the names of its directories below the root."""
    names = os.path.dirname(os.path.relpath(path, root)).split(os.sep)
    pairs = [name.partition("=") for name in names if "=" in name]
    keys = {unquote(k): None if v == _NO_KEY else unquote(v) for k, _, v in pairs}
    if len(keys) < len(pairs):
        (name, _), *_ = Counter(unquote(k) for k, _, _ in pairs).most_common(1)
        raise DataError(f"{path}: '{name}=' twice among its directories, expected one value")
    return keys


def check_partitions(parts: Sequence[Part]) -> None:
    """Refuse the first file whose partition is by other keys than those of most files are."""
    most, _ = Counter(tuple(part.keys) for part in parts).most_common(1)[0]
    odd = next((part for part in parts if tuple(part.keys) != most), None)
    if odd is not None:
        usual = next(part for part in parts if tuple(part.keys) == most)
        raise DataError(
            f"{odd.path}: {_partitions(odd)}, where {usual.path} has {_partitions(usual)}"
        )


def repeated(part: Part, wanted: Wanted, rows: int) -> Values:
    """The value that a partition gives to all of its rows."""
    text = part.keys[wanted.column]
    value: Any = text
    if text is not None and not wanted.as_words:
        value = as_number(text)
        if value is None:
            expected = wanted.labels.expected if wanted.labels else "a number"
            raise misfit(part.path, wanted.column, 1, f"got {text!r}", expected, wanted.hint)
    try:
        one = decode(np.array([value], dtype=object), wanted)
    except BadValue as bad:
        raise misfit(part.path, wanted.column, 1, bad.value, bad.expected, bad.hint) from None
    missing = None if one.missing is None else np.repeat(one.missing, rows)
    return Values(np.repeat(one.array, rows), missing)


def _partitions(part: Part) -> str:
    return f"partitions by {', '.join(part.keys)}" if part.keys else "no partitions"

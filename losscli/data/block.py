"""Blocks: the rows that are checked, computed and summed at once, cut at fixed row numbers."""

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from losscli.data.source import Values
from losscli.losses.numerics import Array, Index

#: rows of a block where a row is one number: 1 MiB of float64. Half of it would fit a core's cache
#: better, but two threads would wait for each other more
BLOCK_ROWS = 131072
BLOCK_VALUES = 131072


class Block(NamedTuple):
    """Some rows of every role. `rows` are the positions of the rows kept; None means all.

    `counts` are the lengths that lists had before they were filled up. Where rows are paired by
    key, `keys` are those of the rows kept, and `numbers` their rows in the first file, from 0.
    """

    start: int
    length: int
    arrays: dict[str, Array]
    rows: Index | None
    skipped: int
    counts: Mapping[str, Array]
    keys: Any = None
    numbers: Index | None = None


class Cut(NamedTuple):
    """Some rows of every role, cut off the streams: what a block is made of, by any thread."""

    start: int
    roles: Callable[[], dict[str, Values]]


def block_rows(width: int) -> int:
    """Rows of a block, by the number of values of a row alone, so that the cuts never move."""
    if width <= 2:
        return BLOCK_ROWS
    return 1 << (max(1, BLOCK_VALUES // width).bit_length() - 1)

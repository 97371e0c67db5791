"""Blocks of rows → batches of rows, for losses whose rows depend on their whole batch."""

import itertools
from collections.abc import Iterator

import numpy as np

from losscli.data.memory import bound
from losscli.data.source import Values, join
from losscli.errors import DataError

Piece = tuple[int, dict[str, Values]]  # the index of its first row, and the rows of each role

#: copies of a batch that a loss makes, at most, while it is computed
COPIES = 8


def memory_rows(width: int, limit: int | None = None) -> int:
    """How many rows of so many values can be held at once, with the copies a loss makes."""
    return max(1, bound(limit) // (8 * COPIES * max(1, width)))


def by_count(pieces: Iterator[Piece], size: int | None, limit: int, loss: str) -> Iterator[Piece]:
    """Batches of `size` rows, the last of which may be shorter; all rows when there is no size."""
    held: list[dict[str, Values]] = []
    start = rows = 0
    for _, piece in pieces:
        held.append(piece)
        rows += _length(piece)
        while size is not None and rows >= size:
            whole = _join(held)
            yield start, _part(whole, 0, size)
            held = [_part(whole, size, rows)]
            start, rows = start + size, rows - size
        if rows > limit:
            raise DataError(
                f"{loss} compares each row with its whole batch, and more than {limit:,} rows do "
                "not fit in memory",
                "--batch-size N makes batches of N rows",
            )
    if rows:
        whole, held = _join(held), []  # the pieces go as soon as they are joined
        yield start, whole


def by_key(pieces: Iterator[Piece], key: str) -> Iterator[Piece]:
    """Batches of the rows that have the same key, which must stand together."""
    held: list[dict[str, Values]] = []
    seen: set[object] = set()
    current: object = None
    start = rows = 0
    for first, piece in pieces:
        keys = piece[key].array
        cuts = [0, *(np.flatnonzero(keys[1:] != keys[:-1]) + 1).tolist(), len(keys)]
        for low, high in itertools.pairwise(cuts):
            if rows and keys[low] != current:
                yield start, _join(held)
                held, rows = [], 0
            if not rows:
                current, start = keys[low], first + low
                if current in seen:
                    raise DataError(
                        f"row {start + 1}: the batch '{current}' has ended before",
                        "sort the rows by their batch",
                    )
                seen.add(current)
            held.append(_part(piece, low, high))
            rows += high - low
    if rows:
        yield start, _join(held)


def _length(piece: dict[str, Values]) -> int:
    return len(next(iter(piece.values())).array)


def _part(piece: dict[str, Values], low: int, high: int) -> dict[str, Values]:
    return {name: values.rows(slice(low, high)) for name, values in piece.items()}


def _join(pieces: list[dict[str, Values]]) -> dict[str, Values]:
    return {name: join([piece[name] for piece in pieces]) for name in pieces[0]}

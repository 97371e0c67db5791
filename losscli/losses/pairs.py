"""Sums over all pairs of rows, of which only a tile exists at a time.

The part of the losses' vocabulary for those that compare every row with every other.
"""

from collections.abc import Callable, Sequence

import numpy as np

from losscli.losses.numerics import (
    Array,
    columns,
)
from losscli.losses.softmaxes import log_sum_exp
from losscli.threads import in_threads

#: rows and columns of a tile: 2 MiB of float64, what a core's cache holds
HEIGHT, WIDTH = 256, 1024
#: matrix products of whole multiples of these rows and depths come out the same, bit for bit, on
#: any number of BLAS's threads; zeros that fill up to them change no sum
EVEN_ROWS, EVEN_DEPTH = 32, 256

#: the products of some rows and columns, which it may change → terms for each of these pairs
Terms = Callable[[Array, slice, slice], Sequence[Array]]


def log_sums(x: Array, y: Array, terms: Terms) -> list[Array]:
    """ln Σⱼ e^t(xᵢ·yⱼ) for each of the terms t: (n, d) and (m, d) → (n,) each.

    Within (log₂ m + 6) ε, absolutely, of the logarithm of the sum, as `log_sum_exp` is: it is that
    of every tile, and then of the tiles of a row. Where the tiles lie depends on n and m alone, and
    one thread computes each, so the result is the same on any number of them.
    """
    left, right = _even(x), _even(y)

    def of_strip(rows: slice) -> list[Array]:
        tile = np.empty_like(
            x, shape=(HEIGHT, WIDTH)
        )  # one for all: fresh memory costs as much as the sums
        some = left[rows.start :][:HEIGHT]
        parts = []
        for across in _cuts(len(y), WIDTH):
            others = right[across.start :][:WIDTH]
            products = np.matmul(some, others.T, out=tile[: len(some), : len(others)])
            within = products[: rows.stop - rows.start, : across.stop - across.start]
            parts.append([log_sum_exp(t, into=t) for t in terms(within, rows, across)])
        return [log_sum_exp(columns(*each)) for each in zip(*parts, strict=True)]

    strips = in_threads(of_strip, _cuts(len(x), HEIGHT))
    return [np.concatenate(parts) for parts in zip(*strips, strict=True)]


def class_sums(x: Array, target: Array) -> tuple[Array, Array]:
    """Of each row, the sum of the rows of its class, its own among them, and how many they are."""
    _, index, count = np.unique(target, return_inverse=True, return_counts=True)
    sums: Array = np.stack([np.bincount(index, weights=column) for column in x.T], axis=-1)
    return sums[index], count[index].astype(np.float64)


def without_self(x: Array, rows: slice, across: slice) -> Array:
    """x, with −∞ where a row meets itself, in place: it is in no maximum and no e^x."""
    both = np.arange(max(rows.start, across.start), min(rows.stop, across.stop))
    x[both - rows.start, both - across.start] = -np.inf
    return x


def _cuts(length: int, size: int) -> list[slice]:
    """Slices of `size` up to a length; one, of nothing, where there is nothing."""
    return [slice(start, min(start + size, length)) for start in range(0, max(1, length), size)]


def _even(x: Array) -> Array:
    """Rows filled up with zeros, and zero rows after the last, for the BLAS of NumPy."""
    if not isinstance(x, np.ndarray):
        return x
    n, depth = x.shape
    rows = -(-n // EVEN_ROWS) * EVEN_ROWS
    wide = depth if depth <= EVEN_DEPTH else -(-depth // EVEN_DEPTH) * EVEN_DEPTH
    if (rows, wide) == x.shape:
        return x
    result = np.zeros((rows, wide), x.dtype)
    result[:n, :depth] = x
    return result

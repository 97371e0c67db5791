"""A row reduction and the sums it gives, block after block."""

from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np

from losscli.engine.reductions import Row
from losscli.engine.sums import ExactSum, block_sum
from losscli.losses.numerics import Array, Mask
from losscli.losses.registry import Rows


class RowValues(NamedTuple):
    """The losses of a block as they enter sums: (n,), or (n, k) where elements stay apart."""

    loss: Array
    weight: Array | None
    keep: Mask | None


def reduce_rows(rows: Rows, weight: Array | None, row: Row) -> RowValues:
    """Apply sample weights, then make the elements of each row its loss.

    A row's weight is the mean of its elements' weights, so that Σwℓ / Σw over rows is the weighted
    mean over elements when rows are means.
    """
    loss, own, keep = rows
    elements = loss.ndim > 1
    n, shape = len(loss), loss.shape
    if elements:
        loss = loss.reshape(n, -1)
        own = None if own is None else own.reshape(n, -1)
        keep = None if keep is None else keep.reshape(n, -1)
    if weight is not None:
        factor = _elementwise(weight, shape).reshape(n, -1) if elements else weight
        loss = loss * factor
        own = factor if own is None else own * factor
    if keep is not None:
        loss = np.where(keep, loss, 0.0)
    if not elements:
        return RowValues(loss, own, keep)
    if row in ("none", "columns"):
        own = None if own is None else np.broadcast_to(own, loss.shape)
        return RowValues(loss, own, keep)
    return _over_elements(loss, own, keep, row)


def _elementwise(weight: Array, shape: tuple[int, ...]) -> Array:
    """Weights of vectors, (n, m), as weights of their entries, (n, m, C)."""
    if weight.ndim == 1 or weight.ndim == len(shape):
        return weight
    return np.broadcast_to(weight.reshape(weight.shape + (1,) * (len(shape) - weight.ndim)), shape)


def _over_elements(loss: Array, weight: Array | None, keep: Mask | None, row: Row) -> RowValues:
    """(n, k) → (n,): sums or means over the elements that are kept."""
    value = np.add.reduce(np.ascontiguousarray(loss), axis=1)
    if keep is None:
        if row == "mean":
            value = value / loss.shape[1]
        return RowValues(value, None if weight is None else weight.mean(axis=1), None)
    kept = np.count_nonzero(keep, axis=1)
    some = np.maximum(kept, 1)
    if row == "mean":
        value = value / some
    if weight is not None:
        weight = np.where(keep, weight, 0.0).sum(axis=1) / some
    return RowValues(value, weight, kept > 0)


@dataclass
class Totals:
    """The sums of one row reduction: one of each, or one a column."""

    loss: list[ExactSum] = field(default_factory=lambda: [ExactSum()])
    weight: list[ExactSum] = field(default_factory=lambda: [ExactSum()])
    count: list[int] = field(default_factory=lambda: [0])
    weighted: bool = False

    @property
    def columns(self) -> int:
        return len(self.count)

    def add(self, values: RowValues, row: Row) -> None:
        """Add a block."""
        apart = row == "columns" and values.loss.ndim > 1
        while apart and self.columns < values.loss.shape[1]:
            self.loss.append(ExactSum())
            self.weight.append(ExactSum())
            self.count.append(0)
        for c in range(self.columns):
            self._add_column(c, *(_column(part, c if apart else None) for part in values))

    def _add_column(self, c: int, loss: Array, weight: Array | None, keep: Mask | None) -> None:
        self.loss[c].add(block_sum(loss))
        self.count[c] += loss.size if keep is None else int(np.count_nonzero(keep))
        if weight is not None:
            self.weighted = True
            self.weight[c].add(block_sum(weight if keep is None else np.where(keep, weight, 0.0)))


def _column(part: Any, c: int | None) -> Any:
    if part is None:
        return None
    return part.ravel() if c is None else part[:, c]

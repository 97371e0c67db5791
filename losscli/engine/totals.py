"""A row reduction and the sums it gives, block after block."""

import math
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np

from losscli.engine.reductions import Row
from losscli.engine.sums import ExactSum, block_sum
from losscli.errors import DataError, UsageError
from losscli.losses.numerics import Array, Mask
from losscli.losses.registry import Rows
from losscli.losses.shapes import width


class RowValues(NamedTuple):
    """The losses of a block as they enter sums: (n,), or (n, k) where elements stay apart."""

    loss: Array
    weight: Array | None
    keep: Mask | None
    size: Array | None = None

    def flat(self, column: int | None = None) -> "RowValues":
        """Those of all elements one after the other, or of one column."""
        return RowValues._make(
            None if part is None else part.ravel() if column is None else part[:, column]
            for part in self
        )


def reduce_rows(
    rows: Rows, weight: Array | None, row: Row, in_order: Callable[[Any], Any] | None = None
) -> RowValues:
    """Apply sample weights, then make the elements of each row its loss.

    `in_order` gives an array of elements the axes that their files have.
    Where only the last axis is reduced, every position before it keeps a loss. A row's weight is
    the mean of its elements' weights, so that Σwℓ / Σw over rows is the weighted mean over elements
    when rows are means.
    """
    loss, own, keep, size = rows
    if weight is not None:
        if weight.shape != loss.shape[: weight.ndim]:
            losses = math.prod(loss.shape[1:])
            raise DataError(
                f"weight has {width(weight.shape[1:])}, but a row has "
                + ("one loss" if losses == 1 else f"{losses} losses"),
                "one weight a row, (n,), weighs them; a loss of sets weighs elements with --per "
                "all or class, and with --by in a table of pixels",
            )
        factor = weight.reshape(weight.shape + (1,) * (loss.ndim - weight.ndim))
        loss = loss * factor
        own = np.broadcast_to(factor, loss.shape) if own is None else own * factor
    if keep is not None:
        loss = np.where(keep, loss, 0.0)
    if loss.ndim == 1:
        return RowValues(loss, own, keep, size)
    own = None if own is None else np.broadcast_to(own, loss.shape)
    if in_order is not None:
        loss = in_order(loss)
        own = None if own is None else in_order(own)
        keep = None if keep is None else in_order(keep)
    n, *inner = loss.shape
    apart = math.prod(inner[:-1]) if row in ("mean-last", "sum-last") else 1
    each = math.prod(inner) // apart
    if row in ("none", "columns"):
        return RowValues(*_tables(n, each, loss, own, keep))
    mean = row in ("mean", "mean-last")
    reduced = _over_elements(mean, *_tables(n * apart, each, loss, own, keep))
    return reduced if apart == 1 else RowValues(*_tables(n, apart, *reduced))


def _tables(rows: int, columns: int, *parts: Any) -> Iterator[Any]:
    """Arrays as tables; nothing stays nothing."""
    return (None if part is None else part.reshape(rows, columns) for part in parts)


def _over_elements(mean: bool, loss: Array, weight: Array | None, keep: Mask | None) -> RowValues:
    """(n, k) → (n,): sums or means over the elements that are kept."""
    value = np.add.reduce(np.ascontiguousarray(loss), axis=1)
    if keep is None:
        if mean:
            value = value / loss.shape[1]
        return RowValues(value, None if weight is None else weight.mean(axis=1), None)
    kept = np.count_nonzero(keep, axis=1)
    some = np.maximum(kept, 1)
    if mean:
        value = value / some
    if weight is not None:
        weight = np.where(keep, weight, 0.0).sum(axis=1) / some
    return RowValues(value, weight, kept > 0)


@dataclass
class Sums:
    """What the reductions of one column need."""

    loss: ExactSum = field(default_factory=ExactSum)
    weight: ExactSum = field(default_factory=ExactSum)
    per_label: ExactSum = field(default_factory=ExactSum)
    count: int = 0
    positive: int = 0

    def merge(self, other: "Sums") -> None:
        """Add another part's sums."""
        self.loss.merge(other.loss)
        self.weight.merge(other.weight)
        self.per_label.merge(other.per_label)
        self.count += other.count
        self.positive += other.positive

    def value(self, name: str, weighted: bool) -> tuple[float, float | None]:
        """A reduction of the sums, and what the sum was divided by."""
        weight = self.weight.value if weighted else self.count
        denominators = {
            "sum": None,
            "mean": self.count,
            "weighted-mean": weight,
            "normalized-mean": self.count * weight,
            "mean-nonzero": self.positive,
            "mean-per-label": self.count,
        }
        total = self.per_label.value if name == "mean-per-label" else self.loss.value
        denominator = denominators[name]
        if denominator is None:
            return total, None
        if name == "mean-nonzero" and not denominator:
            return 0.0, denominator  # no loss is above 0: there is nothing left to lose
        # The mean of nothing is not a number.
        return total / denominator if denominator else float("nan"), denominator


@dataclass
class Totals:
    """The sums of one row reduction: one set of them, or one a column."""

    row: Row
    #: the reductions that will be asked for
    names: Collection[str]
    sums: list[Sums] = field(default_factory=lambda: [Sums()])
    weighted: bool = False

    def add(self, values: RowValues) -> bool:
        """Add a block; whether the sums of its losses are finite."""
        if values.loss.ndim == 1:
            return self._add(self.sums[0], *values)
        if self.row != "columns":
            return self._add(self.sums[0], *values.flat())
        self._widen(values.loss.shape[1])
        finite = [self._add(sums, *values.flat(c)) for c, sums in enumerate(self.sums)]
        return all(finite)

    def merge(self, other: "Totals") -> None:
        """Add another part's totals."""
        self.weighted = self.weighted or other.weighted
        self._widen(len(other.sums))
        for mine, others in zip(self.sums, other.sums, strict=True):
            mine.merge(others)

    def _widen(self, columns: int) -> None:
        self.sums += [Sums() for _ in range(columns - len(self.sums))]

    def _add(
        self, sums: Sums, loss: Array, weight: Array | None, keep: Mask | None, size: Array | None
    ) -> bool:
        total = block_sum(loss)
        sums.loss.add(total)
        sums.count += loss.size if keep is None else int(np.count_nonzero(keep))
        if weight is not None:
            self.weighted = True
            sums.weight.add(block_sum(weight if keep is None else np.where(keep, weight, 0.0)))
        if "mean-nonzero" in self.names:
            sums.positive += int(np.count_nonzero(loss > 0))
        if "mean-per-label" in self.names:
            if size is None:
                raise UsageError("mean-per-label is for losses of labelled sequences, such as ctc")
            sums.per_label.add(block_sum(loss / np.maximum(size, 1.0)))
        return math.isfinite(total)

"""Losses of whole sets: sums over rows, groups and classes, and the loss of each."""

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from losscli.engine.reductions import Per
from losscli.engine.sums import ExactSum
from losscli.errors import UsageError
from losscli.losses.numerics import Array
from losscli.losses.registry import Pooled, Rows, as_rows

WHOLE = ""


def rows_of(pooled: Pooled, per: Per) -> Rows:
    """The loss of every row by itself (an image), or of every class of every row."""
    over = _each_class if per == "image-class" else _each_row
    sums = {name: over(array) for name, array in pooled.sums.items()}
    return _weighed(as_rows(pooled.finish(**sums)), pooled.class_weight, per)


def _weighed(rows: Rows, class_weight: Array | None, per: Per) -> Rows:
    """The losses of classes with their weights."""
    if class_weight is None:
        return rows
    if per not in ("class", "image-class"):
        raise UsageError(
            "--class-weight weighs the losses of classes", "--per class or --per image-class"
        )
    weight = np.broadcast_to(class_weight, rows.loss.shape)
    return rows._replace(loss=rows.loss * weight, weight=weight)


def _each_row(array: Array) -> Array:
    """Σ over everything in a row: (n,)."""
    n, *pixels = array.shape
    sums: Array = np.add.reduce(np.ascontiguousarray(array).reshape(n, math.prod(pixels)), axis=1)
    return sums


def _each_class(array: Array) -> Array:
    """Σ over the pixels of each class of a row, the classes last: (n, C)."""
    n, *pixels, classes = array.shape if array.ndim > 1 else (len(array), 1)
    table = array.reshape(n, math.prod(pixels), classes)
    sums: Array = np.add.reduce(np.ascontiguousarray(np.moveaxis(table, 1, -1)), axis=-1)
    return sums


class Pool:
    """Sums by group of rows, and by class where classes stay apart."""

    def __init__(self, per: Per) -> None:
        self._per, self._by_class = per, per in ("class", "image-class")
        self._class_weight: Array | None = None
        self._sums: dict[Any, dict[str, list[ExactSum]]] = {}
        self._finish: Callable[..., Array | Rows] | None = None

    def add(self, pooled: Pooled, keys: Any | None, weight: Array | None) -> None:
        """Add a block; `keys` names the group of every row."""
        self._finish, self._class_weight = pooled.finish, pooled.class_weight
        for name, array in pooled.sums.items():
            if weight is not None:
                array = array * weight.reshape(weight.shape + (1,) * (array.ndim - weight.ndim))
            per_row = _each_class(array) if self._by_class else _each_row(array)[:, None]
            if keys is None:
                self._add(WHOLE, name, np.add.reduce(per_row, axis=0))
                continue
            groups, first, index = np.unique(keys, return_index=True, return_inverse=True)
            order = np.argsort(index, kind="stable")
            starts = np.searchsorted(index[order], np.arange(len(groups)))
            sums = np.add.reduceat(per_row[order], starts, axis=0)
            for g in np.argsort(first):
                self._add(groups[g], name, sums[g])

    def _add(self, group: Any, name: str, values: Array) -> None:
        sums = self._sums.setdefault(group, {}).setdefault(name, [ExactSum() for _ in values])
        for total, value in zip(sums, values.tolist(), strict=True):
            total.add(value)

    def merge(self, other: "Pool") -> None:
        """Add another part's sums."""
        if self._finish is None:
            self._finish, self._class_weight = other._finish, other._class_weight
        for group, named in other._sums.items():
            for name, sums in named.items():
                mine = self._sums.setdefault(group, {}).setdefault(name, [ExactSum() for _ in sums])
                for total, more in zip(mine, sums, strict=True):
                    total.merge(more)

    def losses(self) -> tuple[list[Any], Rows]:
        """The groups in the order in which they came, and the loss of each: (g,) or (g, C)."""
        if self._finish is None:
            return [], Rows(np.empty(0))
        groups = list(self._sums)
        names = self._sums[groups[0]]
        arrays = {
            name: np.array([[s.value for s in self._sums[g][name]] for g in groups])
            for name in names
        }
        rows = _weighed(as_rows(self._finish(**arrays)), self._class_weight, self._per)
        loss, _, keep, _ = rows
        if self._by_class:
            return groups, rows
        return groups, Rows(loss[:, 0], keep=None if keep is None else keep[:, 0])

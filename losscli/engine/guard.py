"""Losses that users write, held to what those of the catalogue keep by themselves.

A loss gets arrays of its own, so that what it does to them shows nowhere, laid out alike whatever
file they are from, so that neither does the file. What it gives back is looked at before it counts.
"""

from collections.abc import Callable
from typing import Any

import numpy as np

from losscli.data.block import Block
from losscli.errors import DataError, LosscliError, Terminated, in_code
from losscli.losses.numerics import Array
from losscli.losses.registry import Loss, Origin, Pooled, Rows

_FUNCTIONS = (
    "--backend torch has the functions of NumPy, such as np.max(x), not the methods of its arrays; "
    "--backend numpy has both"
)
#: what an array holds that is no number, by the kind of its type
_KINDS = {"c": "complex numbers", "U": "text", "S": "text", "M": "dates", "m": "durations"}
_MEAN = "give the loss of each row; --reduction and --row say what becomes of them"


class LossFailed(DataError):
    """A loss that a user wrote fails on the data."""

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message, hint, "loss-failed")

    def on(self, block: Block) -> "LossFailed":
        """The error with the rows that the loss was given."""
        first, last = block.start + 1, block.start + block.length
        rows = f"row {first}" if first == last else f"rows {first} to {last}"
        return LossFailed(f"{self.message} (with {rows})", self.hint)


def guarded(loss: Loss, function: Callable[..., Any]) -> Callable[..., Any]:
    """A user's loss as a function that fails in words; one of the catalogue as it is."""
    return function if loss.origin is None else _Guard(loss, loss.origin, function)


class _Guard:
    def __init__(self, loss: Loss, origin: Origin, function: Callable[..., Any]) -> None:
        self._loss, self._path, self._function = loss, origin.path, function
        #: the shape of a row's losses, which every block has to have
        self._row: tuple[int, ...] | None = None
        self._rows_of = [name for name, role in loss.roles.items() if not role.whole]

    def __call__(self, **given: Any) -> Rows | Pooled:
        rows = next(len(given[name]) for name in self._rows_of if name in given)
        own = {k: v.copy() if isinstance(v, np.ndarray) else v for k, v in given.items()}
        result = self._call(self._function, own)
        pools = self._loss.kind == "pooled"
        if isinstance(result, Pooled) != pools:
            wanted = "Pooled sums, being of kind 'pooled'" if pools else "the losses of rows"
            raise self._fault(f"gave {_words(result)}, expected {wanted}")
        if isinstance(result, Pooled):
            return self._pooled(result, rows)
        return self._rows(result if isinstance(result, Rows) else Rows(result), rows)

    def _call(self, function: Callable[..., Any], given: dict[str, Any]) -> Any:
        try:
            result = function(**given)
            if Terminated.asked is not None:  # a loss that catches everything caught that, too
                raise Terminated(Terminated.asked)
            return result
        except (MemoryError, LosscliError):
            raise
        except (Exception, SystemExit) as error:
            message = in_code(error, self._path)
            hint = _FUNCTIONS if "'TorchArray'" in message else ""
            raise LossFailed(message, hint) from error

    def _rows(self, given: Rows, rows: int) -> Rows:
        loss = self._numbers(given.loss, "")
        if loss.shape[:1] != (rows,):
            raise self._fault(
                f"gave {_shape(loss)}, expected a loss for each of {rows} rows", _MEAN
            )
        if self._row is None:
            self._row = loss.shape[1:]
        if loss.shape[1:] != self._row:
            raise self._fault(
                f"gave rows of shape {_axes(loss.shape[1:])} after {_axes(self._row)}"
            )
        weight, keep, size = given.weight, given.keep, given.size
        if weight is not None:
            weight = self._numbers(weight, " for the weights", loss.shape)
        if keep is not None:
            keep = self._numbers(keep, " for the entries to keep", loss.shape) != 0
        if size is not None:
            size = self._numbers(size, " for the sizes", (rows,))
        return Rows(loss, weight, keep, size)

    def _pooled(self, given: Pooled, rows: int) -> Pooled:
        sums = {name: self._numbers(x, f" for '{name}'") for name, x in dict(given.sums).items()}
        for name, array in sums.items():
            if array.shape[:1] != (rows,):
                raise self._fault(
                    f"gave {_shape(array)} for '{name}', expected an entry for each of {rows} rows",
                    "sums are of the entries; finish gets what they add up to",
                )

        def finish(**totals: Array) -> Rows:
            shape = next(iter(totals.values())).shape
            result = self._call(given.finish, totals)
            rows = result if isinstance(result, Rows) else Rows(result)
            return rows._replace(loss=self._numbers(rows.loss, " from finish", shape))

        return Pooled(sums, finish)

    def _numbers(self, value: Any, what: str, shape: tuple[int, ...] | None = None) -> Array:
        """Something as an array of numbers, in the shape that it has to have."""
        # A mask and what stands beside the losses would be lost without a word.
        if isinstance(value, (tuple, np.ma.MaskedArray)):
            raise self._fault(
                f"gave {_words(value)}{what}, expected an array of numbers",
                "losscli.declare.Rows(loss, weight, keep) says what counts",
            )
        array = self._call(np.asarray, {"a": value})
        if array.dtype.kind not in "fiub":
            words = _KINDS.get(array.dtype.kind) or _words(value)
            raise self._fault(f"gave {words}{what}, expected an array of numbers")
        if shape is not None and array.shape != shape:
            raise self._fault(f"gave {_shape(array)}{what}, expected shape {_axes(shape)}")
        numbers: Array = array.astype(np.float64, copy=False)
        return numbers

    def _fault(self, text: str, hint: str = "") -> LossFailed:
        return LossFailed(f"{self._path}: {self._loss.name} {text}", hint)


def _words(value: Any) -> str:
    if value is None:
        return "None"
    if type(value) is np.ndarray:
        return "Python objects" if value.dtype == object else "an array"
    return f"a {type(value).__name__}"


def _shape(array: Array) -> str:
    return "one number" if array.ndim == 0 else f"shape {_axes(array.shape)}"


def _axes(shape: tuple[int, ...]) -> str:
    return "(" + ", ".join(map(str, shape)) + ("," if len(shape) == 1 else "") + ")"

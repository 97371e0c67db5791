"""The width of floating-point numbers that losses are computed in."""

from collections.abc import Callable
from typing import Any, Literal, get_args

import numpy as np

from losscli.errors import UsageError
from losscli.losses.registry import Pooled, as_rows

Precision = Literal["float64", "float32"]
PRECISIONS: tuple[Precision, ...] = get_args(Precision)


def check(name: str) -> Precision:
    """The precision of a name."""
    for known in PRECISIONS:
        if name == known:
            return known
    raise UsageError(f"--dtype: expected {' or '.join(PRECISIONS)}, got '{name}'")


def computed_in(precision: Precision, function: Callable[..., Any]) -> Callable[..., Any]:
    """A loss as it is in a precision: in float32, of inputs in float32, rounded to float32.

    Only arrays are narrowed: beside them a plain number is taken in their width. What comes out is
    float64 again, in which every float32 is itself, for sums that are exact.
    """
    if precision == "float64":
        return function

    def in_single(**given: Any) -> Any:
        result = function(**{name: _narrowed(value) for name, value in given.items()})
        if isinstance(result, Pooled):
            return result._replace(sums={k: rounded(v) for k, v in result.sums.items()})
        rows = as_rows(result)
        return rows._replace(loss=rounded(rows.loss), weight=rounded(rows.weight))

    return in_single


def rounded(value: Any, precision: Precision = "float32") -> Any:
    """Numbers with the digits of a precision, in float64."""
    if value is None or precision == "float64":
        return value
    return np.asarray(value, np.float32).astype(np.float64)


def _narrowed(value: Any) -> Any:
    floating = isinstance(value, np.ndarray) and value.dtype.kind == "f"
    return value.astype(np.float32) if floating else value

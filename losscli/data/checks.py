"""Every value against the domain of its role, and the one line that says which does not fit."""

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from losscli.data.source import Values, misfit
from losscli.errors import DataError
from losscli.losses.domains import Context, Domain
from losscli.losses.numerics import Array, Index, Mask

MISSING_HINT = "--nonfinite skip leaves such rows out and counts them"


class Place(NamedTuple):
    """Where a block of values comes from, to name a value's file, column and row."""

    display: str
    columns: list[str]
    role: str
    loss: str
    start: int
    rows: Index | None
    #: which file a row is of, and where in it
    locate: Callable[[int], tuple[str, int]]
    #: where an element is in the file, whose axes may be in another order
    in_file: Callable[[tuple[int, ...]], tuple[int, ...]] = tuple

    def error(self, index: tuple[int, ...], value: str, expected: str, hint: str) -> DataError:
        row = index[0] if self.rows is None else int(self.rows[index[0]])
        column = ""
        if len(self.columns) == 1:
            column = self.columns[0]
        elif self.columns and len(index) > 1:
            column = self.columns[index[-1]]
        wanted = f"{expected} ({self.role} of {self.loss})"
        display, at = self.locate(self.start + row)
        if len(index) > 1 and not (len(self.columns) > 1):
            element = ", ".join(str(i + 1) for i in self.in_file(index)[1:])
            value = f"element {element}: {value}"
        return misfit(display or self.display, column, at + 1, value, wanted, hint)


def check(domain: Domain, values: Values, place: Place, context: Context, finite: bool) -> None:
    """Raise the DataError of the first value that is not finite or not in its domain."""
    x = values.array
    finite = finite or domain.needs_finite
    if finite and not _surely_finite(x):
        is_finite = finite_or_admitted(x, domain)
        if not is_finite.all():
            index = _first(~is_finite)
            missing = values.missing is not None and bool(values.missing[index])
            value = "missing" if missing else f"got {x[index]}"
            raise place.error(index, value, domain.expected(context), MISSING_HINT)
    if domain.is_everything:
        return
    allowed = domain.allows(x, context)
    if allowed.all():
        return
    bad = ~allowed
    if not finite:
        nonfinite = ~np.isfinite(x)
        bad &= ~(nonfinite.any(axis=-1) if domain.of_rows else nonfinite)
        if not bad.any():
            return
    index = _first(bad)
    hint = domain.hint(place.role, context)
    at = index[:1] if domain.of_rows else index
    raise place.error(at, domain.found(x[index]), domain.expected(context), hint)


def _surely_finite(x: Array) -> bool:
    """Whether a finite sum proves that all values are: a third of the time of looking at each."""
    with np.errstate(all="ignore"):
        return bool(np.isfinite(np.add.reduce(x, axis=None)))


def _first(mask: Mask) -> tuple[int, ...]:
    return tuple(int(i) for i in np.unravel_index(int(np.argmax(mask)), mask.shape))


def finite_or_admitted(x: Array, domain: Domain) -> Any:
    """True where a value is finite, or the one value beyond that a domain admits."""
    finite = np.isfinite(x)
    return finite if domain.admits is None or finite.all() else finite | (x == domain.admits)

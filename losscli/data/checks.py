"""Every value against the domain of its role: all that is wrong in a block, or the first of it."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from losscli.data.source import Source, Values, misfit, refused
from losscli.errors import DataError
from losscli.losses.domains import Context, Domain
from losscli.losses.numerics import Array, Index, Mask

NONFINITE_HINT = "--nonfinite skip leaves such rows out and counts them"
MISSING_HINT = "--missing skip leaves such rows out and counts them"


class Place(NamedTuple):
    """Where a block of values comes from, to name a value's file, column and row."""

    display: str
    columns: list[str]
    role: str
    loss: str
    start: int
    rows: Index | None
    source: Source
    #: where an element is in the file, whose axes may be in another order
    in_file: Callable[[tuple[int, ...]], tuple[int, ...]] = tuple

    def row(self, index: tuple[int, ...]) -> tuple[str, int, int | None]:
        """The file of an element, its row, from 1, and its line where lines are not rows."""
        row = self.start + (index[0] if self.rows is None else int(self.rows[index[0]]))
        display, at = self.source.locate(row)
        return display or self.display, at + 1, self.source.line_of(row, self.column(index))

    def column(self, index: tuple[int, ...]) -> str:
        """The column of an element, where it is in one."""
        if len(self.columns) == 1:
            return self.columns[0]
        return self.columns[index[-1]] if self.columns and len(index) > 1 else ""

    def value(self, index: tuple[int, ...], value: str) -> str:
        """A value, with its place in the list or array that is its row."""
        if len(index) > 1 and not (len(self.columns) > 1):
            element = ", ".join(str(i + 1) for i in self.in_file(index)[1:])
            return f"element {element}: {value}"
        return value

    def expected(self, expected: str) -> str:
        """What was expected, with whom it is expected of."""
        return f"{expected} ({self.role} of {self.loss})"


class Fault(NamedTuple):
    """Values of a block (rows, where the domain speaks of rows) with one thing wrong with them."""

    reason: str
    bad: Mask
    #: a value in words, by its index
    found: Callable[[tuple[int, ...]], str]
    expected: str
    hint: str

    @property
    def first(self) -> tuple[int, ...]:
        """The index of the first of them."""
        return tuple(int(i) for i in np.unravel_index(int(np.argmax(self.bad)), self.bad.shape))


class Finite(NamedTuple):
    """Whether something holds of values that are missing, and of others that are not finite."""

    missing: bool
    nonfinite: bool


def first_of(found: Sequence[Fault], place: Place) -> DataError:
    """The error that names the first value with which something is wrong."""
    fault = min(found, key=lambda fault: fault.first[0])
    at = fault.first
    display, row, line = place.row(at)
    others = int(np.count_nonzero(fault.bad)) - 1
    expected = place.expected(fault.expected) + (f"; {others:,} more so far" if others else "")
    value = place.value(at, fault.found(at))
    return misfit(display, place.column(at), row, value, expected, fault.hint, line)


def faults(
    domain: Domain, values: Values, role: str, context: Context, finite: Finite
) -> Iterator[Fault]:
    """All that is wrong with the values of a role, one thing at a time."""
    x, expected = values.array, domain.expected
    if domain.needs_finite:
        finite = Finite(True, True)
    all_finite = _surely_finite(x)
    if not all_finite:
        gone = ~finite_or_admitted(x, domain)
        missing = np.zeros(x.shape, bool) if values.missing is None else values.missing & gone
        if finite.missing and missing.any():
            yield Fault("missing", missing, lambda at: "missing", expected(context), MISSING_HINT)
        other = gone & ~missing & ~refused(x)
        if finite.nonfinite and other.any():
            yield Fault(
                "not-finite", other, lambda at: f"got {x[at]}", expected(context), NONFINITE_HINT
            )
    if domain.is_everything:
        return
    allowed = domain.allows(x, context)
    if allowed.all():
        return
    bad = ~allowed
    if not all_finite:
        nonfinite = ~finite_or_admitted(x, domain)
        bad &= ~(nonfinite.any(axis=-1) if domain.of_rows else nonfinite)
    for reason, which in domain.reasons(x, bad):
        if which.any():
            yield Fault(
                reason, which, lambda at: domain.found(x[at]), expected(context),
                domain.hint(role, context),
            )  # fmt: skip


def kept(
    values: Mapping[str, Values], domains: Mapping[str, Domain], skipped: Finite
) -> Mask | None:
    """The rows without values that rows are skipped for, in any role; None for all of them."""
    keep: Mask | None = None
    for name, value in values.items():
        finite = finite_or_admitted(value.array, domains[name])
        if finite.all():
            continue
        gone = ~finite
        missing = np.zeros(gone.shape, bool) if value.missing is None else value.missing
        if not skipped.nonfinite:
            gone &= missing
        if not skipped.missing:
            gone &= ~missing
        rows: Any = ~gone.reshape(len(gone), -1).any(axis=1)
        keep = rows if keep is None else keep & rows
    return None if keep is None or keep.all() else keep


def _surely_finite(x: Array) -> bool:
    """Whether a finite sum proves that all values are: a third of the time of looking at each."""
    return bool(np.isfinite(np.add.reduce(x, axis=None)))


def finite_or_admitted(x: Array, domain: Domain) -> Any:
    """True where a value is finite, or the one value beyond that a domain admits."""
    finite = np.isfinite(x)
    return finite if domain.admits is None or finite.all() else finite | (x == domain.admits)

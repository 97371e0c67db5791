"""Sums that do not depend on the order of their parts."""

import math

import numpy as np

from losscli.losses.numerics import Array

HUGE = 2.0**960


class ExactSum:
    """A sum of floats without rounding, rounded once when it is read.

    It is kept as floats that do not overlap, whose exact sum is the sum so far (Shewchuk,
    "Adaptive Precision Floating-Point Arithmetic", 1997). So sums can be added to each other in any
    order and grouping, by any number of workers, and give the same bits.
    """

    __slots__ = ("_huge", "_nonfinite", "_parts")

    def __init__(self) -> None:
        self._parts: list[float] = []
        # Floats from 2⁹⁶⁰ on are whole numbers; as integers their sum cannot overflow.
        self._huge = 0
        self._nonfinite = 0.0

    def add(self, x: float) -> None:
        """Add one float, exactly. Infinities and NaN add up as floats do."""
        if not math.isfinite(x):
            self._nonfinite += x
            return
        if abs(x) >= HUGE:
            self._huge += int(x)
            return
        kept = 0
        for part in self._parts:
            if abs(x) < abs(part):
                x, part = part, x
            high = x + part
            low = part - (high - x)  # what `high` lost, exactly
            if low:
                self._parts[kept] = low
                kept += 1
            x = high
        self._parts[kept:] = [x]

    def merge(self, other: "ExactSum") -> None:
        """Add another sum, exactly."""
        for part in other._parts:
            self.add(part)
        self._huge += other._huge
        self._nonfinite += other._nonfinite

    @property
    def value(self) -> float:
        """The sum, correctly rounded."""
        if self._nonfinite != 0.0:
            return self._nonfinite
        if not self._huge:
            return math.fsum(self._parts)
        from fractions import Fraction

        exact = self._huge + sum(map(Fraction, self._parts), Fraction())
        try:
            return float(exact)
        except OverflowError:
            return math.inf if exact > 0 else -math.inf


def block_sum(values: Array) -> float:
    """The float64 sum of a block, by NumPy's pairwise order, which depends on its length alone."""
    return float(np.add.reduce(np.ascontiguousarray(values)))

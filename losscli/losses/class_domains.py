"""What a class may be: the domains of values that name classes."""

from collections.abc import Mapping
from typing import Any, ClassVar

import numpy as np

from losscli.losses.domains import Context, Domain, Labels
from losscli.losses.numerics import Array


def class_count(axes: Mapping[str, Any]) -> int:
    """The number of classes: two where a single probability stands for both."""
    return int(axes.get("C", 2))


class ClassIndex(Domain):
    """Whole numbers 0 … C−1, and the ignored index where a loss has one."""

    reason: ClassVar[str] = "class-out-of-range"
    needs_finite: ClassVar[bool] = True

    def allows(self, x: Array, context: Context) -> Any:
        allowed = (x >= 0) & (x < context["C"]) & (x == np.floor(x))
        ignored = context.get("ignore_index")
        return allowed if ignored is None else allowed | (x == ignored)

    def expected(self, context: Context) -> str:
        return f"a class index, 0 to {context['C'] - 1}" if "C" in context else "a class index"

    def hint(self, role: str, context: Context) -> str:
        return "--ignore-index N leaves rows of class N out" if "ignore_index" in context else ""


class LabelOrClass(ClassIndex):
    """A class index, or 0 and 1 where there is one probability and no axis of classes."""

    codes = (0.0, 1.0)

    def allows(self, x: Array, context: Context) -> Any:
        return super().allows(x, {**context, "C": class_count(context)})

    def expected(self, context: Context) -> str:
        if "C" in context:
            return super().expected(context)
        return "0 or 1" if context else "0 or 1, or a class index"

    def hint(self, role: str, context: Context) -> str:
        return "" if "C" in context else Labels(0.0, 1.0).hint(role, context)


class ClassList(Domain):
    """Lists of class indices 0 … C−1, each ended by −1 where it is shorter than its row."""

    reason: ClassVar[str] = "class-out-of-range"
    needs_finite: ClassVar[bool] = True

    def allows(self, x: Array, context: Context) -> Any:
        return (x >= -1) & (x < context["C"]) & (x == np.floor(x))

    def expected(self, context: Context) -> str:
        return f"{ClassIndex().expected(context)}, or −1 after the last"

    def hint(self, role: str, context: Context) -> str:
        return "--targets multi-hot for a 0 or 1 a class" if "targets" in context else ""


class ClassNumber(Domain):
    """Whole numbers that name classes, of which nobody knows how many there are."""

    reason: ClassVar[str] = "not-whole"

    def allows(self, x: Array, context: Context) -> Any:
        return x == np.floor(x)

    def expected(self, context: Context) -> str:
        return "a whole number"

    def hint(self, role: str, context: Context) -> str:
        scores = role == "pred" and "threshold" in context
        return "--threshold T makes labels of scores" if scores else ""

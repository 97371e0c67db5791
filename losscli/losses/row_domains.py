"""What a row may be: the domains that speak of its last axis as a whole."""

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from losscli.losses.domains import Context, Domain
from losscli.losses.numerics import Array

#: what the sum of a row of probabilities may be off by: four decimals, rounded, of many classes
SUM_TOLERANCE = 1e-3


@dataclass(eq=False, repr=False)
class Distribution(Domain):
    """Rows of probabilities: every value in [0, 1], every row adding up to 1.

    What a sum may be off by is the context's `sum_tolerance`; when it is infinite, any values that
    are not negative will do. So they will where `--renormalize` divides each row by its sum.
    """

    renormalizes: bool = False
    of_rows: ClassVar[bool] = True

    def allows(self, x: Array, context: Context) -> Any:
        tolerance = context.get("sum_tolerance", SUM_TOLERANCE)
        sums = np.add.reduce(x, axis=-1)
        if self._divided(context):
            return np.logical_and.reduce(x >= 0, axis=-1) & (sums > 0)
        if tolerance == np.inf:
            return np.logical_and.reduce(x >= 0, axis=-1)
        inside = np.logical_and.reduce((x >= 0) & (x <= 1), axis=-1)
        return inside & (np.abs(sums - 1) <= tolerance)

    def expected(self, context: Context) -> str:
        if self._divided(context):
            return "values that are not negative, one of them positive"
        if context.get("sum_tolerance") == np.inf:
            return "values that are not negative"
        return "values in [0, 1] that add up to 1"

    def hint(self, role: str, context: Context) -> str:
        if self._divided(context):
            return ""
        scores = "--input logits for raw scores; " if "input" in context and role == "pred" else ""
        divide = "--renormalize divides each row by its sum; " if self.renormalizes else ""
        return f"{scores}{divide}--sum-tolerance allows sums further from 1"

    def reasons(self, x: Array, bad: Any) -> list[tuple[str, Any]]:
        outside = bad & np.logical_or.reduce((x < 0) | (x > 1), axis=-1)
        return [("out-of-domain", outside), ("rows-do-not-sum", bad & ~outside)]

    def _divided(self, context: Context) -> bool:
        return self.renormalizes and bool(context.get("renormalize"))

    def found(self, x: Array) -> str:
        outside = x[(x < 0) | (x > 1)]
        if len(outside):
            return super().found(outside[0])
        return f"a row that adds up to {np.add.reduce(x):.6g}"


class Box(Domain):
    """Boxes (n, …, 4) in the format that `--box-format` names, with sides that are not negative."""

    of_rows: ClassVar[bool] = True

    def allows(self, x: Array, context: Context) -> Any:
        if context["box_format"] == "xyxy":
            return (x[..., 0] <= x[..., 2]) & (x[..., 1] <= x[..., 3])
        return (x[..., 2] >= 0) & (x[..., 3] >= 0)

    def expected(self, context: Context) -> str:
        if context.get("box_format", "xyxy") == "xyxy":
            return "a box x1, y1, x2, y2 with x1 ≤ x2 and y1 ≤ y2"
        return "a box whose width and height are not negative"

    def hint(self, role: str, context: Context) -> str:
        if context["box_format"] != "xyxy":
            return "--box-format xyxy for boxes given by two corners"
        return "--box-format xywh or cxcywh for boxes given by width and height"


class LogDistribution(Domain):
    """Rows of log-probabilities: every value at most 0, every row's exponentials adding up to 1.

    −∞ is the logarithm of an impossible class, and allowed.
    """

    of_rows: ClassVar[bool] = True
    admits: ClassVar[float | None] = -np.inf

    def allows(self, x: Array, context: Context) -> Any:
        tolerance = context.get("sum_tolerance", SUM_TOLERANCE)
        if tolerance == np.inf:
            return np.ones(x.shape[:-1], dtype=bool)
        below = np.logical_and.reduce(x <= 0, axis=-1)
        sums = np.add.reduce(np.exp(np.minimum(x, 0)), axis=-1)
        return below & (np.abs(sums - 1) <= tolerance)

    def expected(self, context: Context) -> str:
        return "log-probabilities, at most 0, whose exponentials add up to 1"

    def hint(self, role: str, context: Context) -> str:
        if "input" not in context:
            return "cross-entropy takes raw scores and probabilities"
        return "--input logits for raw scores, --input probs for probabilities"

    def reasons(self, x: Array, bad: Any) -> list[tuple[str, Any]]:
        outside = bad & np.logical_or.reduce(x > 0, axis=-1)
        return [("out-of-domain", outside), ("rows-do-not-sum", bad & ~outside)]

    def found(self, x: Array) -> str:
        positive = x[x > 0]
        if len(positive):
            return super().found(positive[0])
        return f"a row whose exponentials add up to {np.add.reduce(np.exp(x)):.6g}"

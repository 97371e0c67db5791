"""What a value may be: the domains of roles and the kinds of parameters, as data.

A loss is annotated with them. From one annotation come the check of every value, the text of an
error, the help of an option and the lines of `info`.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar

import numpy as np

from losscli.losses.numerics import Array

Context = Mapping[str, Any]  # the values of the parameters, and the sizes of named axes (C, …)


class Domain:
    """A set of allowed values. Non-finite values are no business of a domain."""

    #: what NEG and POS of `--labels NEG,POS` become; None where the values are not labels
    codes: tuple[float, float] | None = None
    #: True when a domain speaks of a whole row (its last axis), not of one value
    of_rows: ClassVar[bool] = False
    #: True for a domain that every finite value is in
    is_everything: bool = False
    #: the one value that is in the domain though it is not finite
    admits: ClassVar[float | None] = None
    #: True when no computation can go on with a value that is not finite, even if asked to
    needs_finite: ClassVar[bool] = False
    #: what is wrong with a value outside of it, in one word for programs
    reason: ClassVar[str] = "out-of-domain"

    def allows(self, x: Array, context: Context) -> Any:
        """True where a value (or a row, where `of_rows`) is in the domain."""
        raise NotImplementedError

    def expected(self, context: Context) -> str:
        """The domain in words, as it completes "expected …"."""
        raise NotImplementedError

    def hint(self, role: str, context: Context) -> str:
        """What a user may do about a value outside the domain."""
        return ""

    def found(self, x: Any) -> str:
        """A value (or a row, where `of_rows`) outside the domain, in words."""
        return f"got {', '.join(number(v) for v in np.ravel(x))}"

    def reasons(self, x: Array, bad: Any) -> list[tuple[str, Any]]:
        """What is wrong with the values (or rows) outside of it, and which of them each is."""
        return [(self.reason, bad)]


# Each is one of a few constants, never compared: with all that dataclass makes, a class would take
# 0.45 ms of every start, and with this 0.14.
@dataclass(eq=False, repr=False)
class Interval(Domain):
    """Numbers from `low` to `high`, an end left out where it is `open`."""

    low: float = -np.inf
    high: float = np.inf
    open_low: bool = False
    open_high: bool = False
    advice: str = ""
    label_codes: tuple[float, float] | None = None

    @property
    def codes(self) -> tuple[float, float] | None:  # type: ignore[override]
        return self.label_codes

    @property
    def is_everything(self) -> bool:  # type: ignore[override]
        return self.low == -np.inf and self.high == np.inf

    def allows(self, x: Array, context: Context) -> Any:
        above = x > self.low if self.open_low else x >= self.low
        below = x < self.high if self.open_high else x <= self.high
        return above & below

    def expected(self, context: Context) -> str:
        if self.is_everything:
            return "a finite number"
        if np.isinf(self.high):
            if self.low == 0:
                return "a positive number" if self.open_low else "a number that is not negative"
            return f"a number {'above' if self.open_low else 'of at least'} {number(self.low)}"
        if np.isinf(self.low):
            return f"a number {'below' if self.open_high else 'of at most'} {number(self.high)}"
        left, right = "(" if self.open_low else "[", ")" if self.open_high else "]"
        return f"a number in {left}{number(self.low)}, {number(self.high)}{right}"

    def hint(self, role: str, context: Context) -> str:
        return self.advice


class Outside(Interval):
    """Numbers that do not lie strictly between two ends."""

    def allows(self, x: Array, context: Context) -> Any:
        return (x <= self.low) | (x >= self.high)

    def expected(self, context: Context) -> str:
        return f"a number that is not between {number(self.low)} and {number(self.high)}"


class LogValue(Interval):
    """The logarithm of a value that is not negative; −∞ is that of 0."""

    admits: ClassVar[float | None] = -np.inf

    def expected(self, context: Context) -> str:
        return "the logarithm of a number, finite or -inf"


@dataclass(eq=False, repr=False)
class LogProbability(Interval):
    """The logarithm of a probability: at most 0; −∞ is the logarithm of the impossible."""

    high: float = 0.0
    admits: ClassVar[float | None] = -np.inf


@dataclass(eq=False, repr=False)
class Whole(Domain):
    """Whole numbers from `low` to `high`."""

    low: float
    high: float = np.inf

    def reasons(self, x: Array, bad: Any) -> list[tuple[str, Any]]:
        fractions = bad & (x != np.floor(x))
        return [("not-whole", fractions), (self.reason, bad & ~fractions)]

    def allows(self, x: Array, context: Context) -> Any:
        return (x >= self.low) & (x <= self.high) & (x == np.floor(x))

    def expected(self, context: Context) -> str:
        if np.isinf(self.high):
            return f"a whole number of at least {number(self.low)}"
        return f"a whole number from {number(self.low)} to {number(self.high)}"


@dataclass(eq=False, repr=False)
class Labels(Domain):
    """Exactly two values, the label of the negative and of the positive class.

    Where a loss has an ignored label, that is a third.
    """

    reason: ClassVar[str] = "not-a-label"
    negative: float
    positive: float

    @property
    def codes(self) -> tuple[float, float]:  # type: ignore[override]
        return (self.negative, self.positive)

    def ignored(self, label: float) -> float:
        """What an ignored label is in the loss: itself, or what lies between the two it is one of.

        It can be one of the two only where these stand for other labels of a file.
        """
        return 0.5 * (self.negative + self.positive) if label in self.codes else label

    def allows(self, x: Array, context: Context) -> Any:
        ignored = context.get("ignore_index")
        if ignored is not None:
            return np.isin(x, (*self.codes, self.ignored(ignored)))
        if self.negative == -self.positive:
            return np.abs(x) == self.positive
        return (x == self.negative) | (x == self.positive)

    def expected(self, context: Context) -> str:
        return f"{number(self.negative)} or {number(self.positive)}"

    def hint(self, role: str, context: Context) -> str:
        other = "0,1" if self.negative == -1 else "-1,1"
        ignored = "; --ignore-index N leaves label N out" if "ignore_index" in context else ""
        return (
            f"--labels {other} reads {other.replace(',', ' and ')} as {number(self.negative)} and "
            f"{number(self.positive)}; --labels NEG,POS maps any two{ignored}"
        )


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


@dataclass(eq=False, repr=False)
class Length(Domain):
    """Whole numbers from 0 to the size of a named axis."""

    axis: str

    def allows(self, x: Array, context: Context) -> Any:
        return (x >= 0) & (x <= context[self.axis]) & (x == np.floor(x))

    def expected(self, context: Context) -> str:
        return f"a whole number from 0 to {context.get(self.axis, self.axis)}"


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
    """Boxes (n, 4) in the format that `--box-format` names, with sides that are not negative."""

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


@dataclass(eq=False, repr=False)
class By(Domain):
    """A domain that a parameter decides: probabilities or logits, by `--input`."""

    parameter: str
    choices: Mapping[str, Domain] = field(hash=False)

    @property
    def codes(self) -> tuple[float, float] | None:  # type: ignore[override]
        return next((domain.codes for domain in self.choices.values() if domain.codes), None)

    def resolve(self, context: Context) -> Domain:
        """The domain for the parameter's value in this context."""
        return self.choices[str(context[self.parameter])]


@dataclass(eq=False, repr=False)
class ByNumber(By):
    """A domain that a number decides: the last of the choices whose bound it reaches.

    The keys of the choices say in words when each of them holds.
    """

    bounds: tuple[float, ...] = ()

    def resolve(self, context: Context) -> Domain:
        reached = [bound for bound in self.bounds if context[self.parameter] >= bound]
        return list(self.choices.values())[len(reached) - 1]


@dataclass(eq=False, repr=False)
class Unless(Domain):
    """A domain that holds only as long as a parameter, which makes others of it, is off."""

    parameter: str
    domain: Domain
    #: the domain when it is on
    instead: Domain = field(default_factory=Interval)

    def allows(self, x: Array, context: Context) -> Any:
        on = context.get(self.parameter) is not None
        return (self.instead if on else self.domain).allows(x, context)

    def expected(self, context: Context) -> str:
        if context.get(self.parameter) is not None:
            return self.instead.expected(context)
        instead = self.instead.expected(context).replace("a finite number", "any number")
        option = "" if self.parameter in context else f", or {instead} with --{self.parameter}"
        return self.domain.expected(context) + option

    def hint(self, role: str, context: Context) -> str:
        return self.domain.hint(role, context)


REAL = Interval()
NOT_NEGATIVE = Interval(low=0.0)
SIGN = Labels(-1.0, 1.0)
BINARY = Labels(0.0, 1.0)
COUNT = Interval(
    low=0.0,
    advice="no count is below 0: leave the row out, or use mse for values of either sign",
)
PROBABILITY = Interval(0.0, 1.0, advice="--input logits for raw scores")
SOFT_LABEL = Interval(
    0.0,
    1.0,
    advice="--labels NEG,POS maps any two values to 0 and 1, such as --labels -1,1; no other "
    "value outside [0, 1] is a probability",
    label_codes=(0.0, 1.0),
)


def number(x: float) -> str:
    """A number as a person writes it: −1 and not −1.0, and all of its digits."""
    return str(int(x)) if float(x).is_integer() and abs(x) < 1e16 else repr(float(x))

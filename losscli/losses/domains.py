"""What a value may be: the domains of roles and the kinds of parameters, as data.

A loss is annotated with them. From one annotation come the check of every value, the text of an
error, the help of an option and the lines of `info`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Annotated, Any, ClassVar

import numpy as np

from losscli.losses.numerics import Array

Context = Mapping[str, Any]  # the values of the parameters, and the sizes of named axes (C, …)


class Domain:
    """A set of allowed values. Non-finite values are no business of a domain."""

    #: what NEG and POS of `--labels NEG,POS` become; None where the values are not labels
    codes: tuple[float, float] | None = None
    #: True when a domain speaks of a whole row (its last axis), not of one value
    of_rows: ClassVar[bool] = False

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


@dataclass(frozen=True)
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

    def allows(self, x: Array, context: Context) -> Any:
        above = x > self.low if self.open_low else x >= self.low
        below = x < self.high if self.open_high else x <= self.high
        return above & below

    def expected(self, context: Context) -> str:
        if self == Interval():
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


@dataclass(frozen=True)
class Labels(Domain):
    """Exactly two values, the label of the negative and of the positive class."""

    negative: float
    positive: float

    @property
    def codes(self) -> tuple[float, float]:  # type: ignore[override]
        return (self.negative, self.positive)

    def allows(self, x: Array, context: Context) -> Any:
        return (x == self.negative) | (x == self.positive)

    def expected(self, context: Context) -> str:
        return f"{number(self.negative)} or {number(self.positive)}"

    def hint(self, role: str, context: Context) -> str:
        other = "0,1" if self.negative == -1 else "-1,1"
        return (
            f"--labels {other} reads {other.replace(',', ' and ')} as "
            f"{number(self.negative)} and {number(self.positive)}; --labels NEG,POS maps any two"
        )


@dataclass(frozen=True)
class ClassIndex(Domain):
    """Whole numbers 0 … C−1, and the ignored index where a loss has one."""

    def allows(self, x: Array, context: Context) -> Any:
        allowed = (x >= 0) & (x < context["C"]) & (x == np.floor(x))
        ignored = context.get("ignore_index")
        return allowed if ignored is None else allowed | (x == ignored)

    def expected(self, context: Context) -> str:
        return f"a class index, 0 to {context['C'] - 1}" if "C" in context else "a class index"

    def hint(self, role: str, context: Context) -> str:
        return "--ignore-index N leaves rows of class N out" if "ignore_index" in context else ""


@dataclass(frozen=True)
class Distribution(Domain):
    """Rows of probabilities: every value in [0, 1], every row adding up to 1."""

    #: what a sum may be off by: half a unit in the fourth decimal of ten classes
    tolerance: float = 1e-3
    of_rows: ClassVar[bool] = True

    def allows(self, x: Array, context: Context) -> Any:
        if context.get("renormalize"):
            return np.logical_and.reduce(x >= 0, axis=-1) & (np.add.reduce(x, axis=-1) > 0)
        inside = np.logical_and.reduce((x >= 0) & (x <= 1), axis=-1)
        return inside & (np.abs(np.add.reduce(x, axis=-1) - 1) <= self.tolerance)

    def expected(self, context: Context) -> str:
        if context.get("renormalize"):
            return "values that are not negative, one of them positive"
        return "values in [0, 1] that add up to 1"

    def hint(self, role: str, context: Context) -> str:
        if "renormalize" not in context:
            return ""
        return "--input logits for raw scores; --renormalize divides each row by its sum"

    def found(self, x: Array) -> str:
        outside = x[(x < 0) | (x > 1)]
        if len(outside):
            return super().found(outside[0])
        return f"a row that adds up to {np.add.reduce(x):.6g}"


@dataclass(frozen=True)
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


@dataclass(frozen=True)
class LogDistribution(Domain):
    """Rows of log-probabilities: every value at most 0, every row's exponentials adding up to 1."""

    tolerance: float = 1e-3
    of_rows: ClassVar[bool] = True

    def allows(self, x: Array, context: Context) -> Any:
        below = np.logical_and.reduce(x <= 0, axis=-1)
        sums = np.add.reduce(np.exp(np.minimum(x, 0)), axis=-1)
        return below & (np.abs(sums - 1) <= self.tolerance)

    def expected(self, context: Context) -> str:
        return "log-probabilities, at most 0, whose exponentials add up to 1"

    def hint(self, role: str, context: Context) -> str:
        return "--input logits for raw scores, --input probs for probabilities"

    def found(self, x: Array) -> str:
        positive = x[x > 0]
        if len(positive):
            return super().found(positive[0])
        return f"a row whose exponentials add up to {np.add.reduce(np.exp(x)):.6g}"


@dataclass(frozen=True)
class By(Domain):
    """A domain that a parameter decides: probabilities or logits, by `--input`."""

    parameter: str
    choices: Mapping[str, Domain] = field(hash=False)

    def resolve(self, context: Context) -> Domain:
        """The domain for the parameter's value in this context."""
        return self.choices[str(context[self.parameter])]


@dataclass(frozen=True)
class Role:
    """What a named input holds: its shapes, each with the domain of its values.

    A shape is written in named axes: "n" is one value a row, "n ..." any further axes (the same
    for every role that has them), "n C" one value a class. The first shape that fits the data and
    agrees with the roles before it is the one that counts.
    """

    shapes: tuple[tuple[str, Domain], ...]
    optional: bool = False

    @property
    def codes(self) -> tuple[float, float] | None:
        """What two mapped labels become in this role, where it takes labels."""
        return next((domain.codes for _, domain in self.shapes if domain.codes), None)


REAL = Interval()
NOT_NEGATIVE = Interval(low=0.0)
SIGN = Labels(-1.0, 1.0)
BINARY = Labels(0.0, 1.0)
PROBABILITY = Interval(0.0, 1.0, advice="--input logits for raw scores")
SOFT_LABEL = Interval(
    0.0,
    1.0,
    advice="--labels NEG,POS maps any two values to 0 and 1, such as --labels -1,1",
    label_codes=(0.0, 1.0),
)


def one(domain: Domain) -> Role:
    """A role with one value a row, in the domain."""
    return Role((("n", domain),))


def each(domain: Domain) -> Role:
    """A role with any number of elements a row, each of them in the domain."""
    return Role((("n ...", domain),))


Real = Annotated[Array, each(REAL)]
Sign = Annotated[Array, each(SIGN)]
SoftLabel = Annotated[Array, each(SOFT_LABEL)]
RowReal = Annotated[Array, one(REAL)]
RowSign = Annotated[Array, one(SIGN)]
RowBinary = Annotated[Array, one(BINARY)]
Boxes = Annotated[Array, Role((("n 4", Box()),))]
WEIGHT = Role((("n ...", NOT_NEGATIVE), ("n", NOT_NEGATIVE)), optional=True)
Embedding = Annotated[Array, Role((("n d", REAL),))]
Scores = Annotated[Array, Role((("n ... C", REAL),))]
ClassTarget = Annotated[Array, Role((("n ...", ClassIndex()),))]
ClassOrDistribution = Annotated[Array, Role((("n ...", ClassIndex()), ("n ... C", Distribution())))]


def number(x: float) -> str:
    """A number as a person writes it: −1 and not −1.0, and all of its digits."""
    return str(int(x)) if float(x).is_integer() and abs(x) < 1e16 else repr(float(x))


@dataclass(frozen=True)
class Number:
    """A parameter that is one number in an interval."""

    interval: Interval = REAL
    integer: bool = False

    @property
    def metavar(self) -> str:
        return "INTEGER" if self.integer else "NUMBER"

    def parse(self, value: object) -> float | int:
        """The number that a text or a Python number stands for; ValueError says what it must be."""
        try:
            if isinstance(value, bool):
                raise TypeError
            x = float(value)  # type: ignore[arg-type]
        except (TypeError, ValueError):
            raise ValueError(f"expected {self.expected()}, got {value!r}") from None
        if not np.isfinite(x) or not self.interval.allows(np.asarray(x), {}):
            raise ValueError(f"expected {self.expected()}, got {value}")
        if self.integer:
            if not x.is_integer():
                raise ValueError(f"expected {self.expected()}, got {value}")
            return int(x)
        return x

    def expected(self) -> str:
        text = self.interval.expected({})
        return text.replace("a finite number", "a number") if not self.integer else "a whole number"


@dataclass(frozen=True)
class Choice:
    """A parameter that is one of a few words or numbers."""

    values: tuple[Any, ...]

    @property
    def metavar(self) -> str:
        return "|".join(str(value) for value in self.values)

    def parse(self, value: object) -> Any:
        """The choice that a text or a value names; ValueError lists them."""
        for choice in self.values:
            if value == choice or str(value).lower() == str(choice):
                return choice
        raise ValueError(f"expected {self.expected()}, got {value!r}")

    def expected(self) -> str:
        *head, last = (str(value) for value in self.values)
        return f"{', '.join(head)} or {last}" if head else last


@dataclass(frozen=True)
class Flag:
    """A parameter that is on or off."""

    metavar: ClassVar[str] = ""

    def parse(self, value: object) -> bool:
        """True or False; ValueError otherwise."""
        if isinstance(value, (bool, np.bool_)):
            return bool(value)
        raise ValueError(f"expected {self.expected()}, got {value!r}")

    def expected(self) -> str:
        return "true or false"


@dataclass(frozen=True)
class Vector:
    """A parameter that is a list of numbers, one for each entry of a named axis, or one for all."""

    axis: str
    interval: Interval = NOT_NEGATIVE
    metavar: ClassVar[str] = "A,B,…"

    def parse(self, value: object) -> Array:
        """The numbers of a comma-separated text or an array; ValueError says what is wrong."""
        items: Sequence[object]
        items = value.split(",") if isinstance(value, str) else np.ravel(np.asarray(value)).tolist()
        if not items:
            raise ValueError(f"expected {self.expected()}, got none")
        one = Number(self.interval)
        return np.array([one.parse(item) for item in items], dtype=np.float64)

    def expected(self) -> str:
        return "numbers separated by commas"


Kind = Number | Choice | Flag | Vector

Finite = Annotated[float, Number()]
Positive = Annotated[float, Number(Interval(low=0.0, open_low=True))]
NotNegative = Annotated[float, Number(NOT_NEGATIVE)]
Fraction = Annotated[float, Number(Interval(0.0, 1.0))]
Epsilon = Annotated[float, Number(Interval(0.0, 0.5))]
Integer = Annotated[int, Number(integer=True)]
ClassWeights = Annotated[Array, Vector("C")]
ElementWeights = Annotated[Array, Vector("...")]

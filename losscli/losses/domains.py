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
    #: True for what one column cannot hold, as the scores of classes that exclude one another
    of_several: ClassVar[bool] = False
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


class Competing(Interval):
    """Scores of classes that exclude one another, one a column."""

    of_several: ClassVar[bool] = True


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


@dataclass(eq=False, repr=False)
class Length(Domain):
    """Whole numbers from 0 to the size of a named axis."""

    axis: str

    def allows(self, x: Array, context: Context) -> Any:
        return (x >= 0) & (x <= context[self.axis]) & (x == np.floor(x))

    def expected(self, context: Context) -> str:
        return f"a whole number from 0 to {context.get(self.axis, self.axis)}"


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

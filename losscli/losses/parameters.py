"""What an option of a loss may be: the kinds of parameters, and their annotations."""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar, NamedTuple

import numpy as np

from losscli.losses.class_rules import ClassWeightRule, parse_rule
from losscli.losses.domains import NOT_NEGATIVE, REAL, Interval
from losscli.losses.numerics import Array


class Number(NamedTuple):
    """A parameter that is one number in an interval."""

    interval: Interval = REAL
    integer: bool = False
    #: the axis of which it is an index, where it is one
    axis: str | None = None

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


class Choice(NamedTuple):
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


@dataclass(eq=False, repr=False)
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


class FileOfNumbers(NamedTuple):
    """A reference to one column of a file, such as `w.csv` or `w.parquet#weight`."""

    reference: str

    def __fspath__(self) -> str:
        return self.reference


def file_of_numbers(value: object) -> os.PathLike[str] | None:
    """The file that a path is, or that a text names which is no list of numbers."""
    if isinstance(value, os.PathLike):
        return value
    if not isinstance(value, str):
        return None
    path, mark, _ = value.partition("#")
    try:
        float(path)
    except ValueError:
        named = "," not in path and (mark or "/" in path or os.path.splitext(path)[1])
        return FileOfNumbers(value) if named else None
    return None


class ClassWeightVector(Vector):
    """Weights of classes: numbers, a rule that makes them of the data, or a file of numbers."""

    metavar: ClassVar[str] = "A,B,…|RULE|FILE[#COLUMN]"

    def parse(self, value: object) -> Any:
        """Numbers, a `ClassWeightRule`, or the reference to a file as it is."""
        if isinstance(value, ClassWeightRule):
            return value
        if isinstance(value, str) and (rule := parse_rule(value)) is not None:
            return rule
        if (file := file_of_numbers(value)) is not None:
            return file
        try:
            return super().parse(value)
        except ValueError:
            raise ValueError(f"expected {self.expected()}, got {value!r}") from None

    def expected(self) -> str:
        return (
            "numbers that are not negative, separated by commas, balanced, effective:BETA[:raw], "
            "or a file with a number for each class, such as w.csv or w.csv#weight"
        )


Kind = Number | Choice | Flag | Vector

Finite = Annotated[float, Number()]
Positive = Annotated[float, Number(Interval(low=0.0, open_low=True))]
NotNegative = Annotated[float, Number(NOT_NEGATIVE)]
Fraction = Annotated[float, Number(Interval(0.0, 1.0))]
Epsilon = Annotated[float, Number(Interval(0.0, 0.5))]
Integer = Annotated[int, Number(integer=True)]
ClassWeights = Annotated[Array, ClassWeightVector("C")]
#: of masks, whose classes are the last axis
MaskWeights = Annotated[Array, ClassWeightVector("...")]
Class = Annotated[int, Number(NOT_NEGATIVE, integer=True, axis="C")]
ElementWeights = Annotated[Array, Vector("...")]

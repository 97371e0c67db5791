"""Dialects: the options under which a loss is a library's, as data."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

#: how each library turns elements into rows and rows into a number, unless a loss says otherwise
LIBRARIES: dict[str, dict[str, Any]] = {
    "torch": {"row": "none", "reduction": "mean"},
    "keras": {"row": "mean", "reduction": "mean"},
    "sklearn": {"row": "mean", "reduction": "weighted-mean"},
    "torchmetrics": {"row": "none", "reduction": "mean"},
    "optax": {"row": "none", "reduction": "mean"},
    "mindspore": {"row": "none", "reduction": "mean"},
}


@dataclass
class Survey:
    """What a library that looks at the values would see, over the whole input."""

    low: dict[str, float]
    high: dict[str, float]
    #: whether every value of a role is 0 or 1
    binary: dict[str, bool]

    def outside_unit(self, role: str) -> bool:
        """Whether any value lies outside [0, 1]."""
        return self.low[role] < 0 or self.high[role] > 1


Decision = Callable[[Survey], Mapping[str, Any]]


@dataclass(frozen=True)
class Dialect:
    """A library's form of a loss: what it is called there, and the options that make it so."""

    call: str
    options: Mapping[str, Any]
    decide: Decision | None = None
    note: str = ""

    def of(self, library: str) -> dict[str, Any]:
        """The options, with the library's own ways."""
        return {**LIBRARIES[library], **self.options}


def dialect(
    call: str, *, decide: Decision | None = None, note: str = "", **options: Any
) -> Dialect:
    """Declare a library's form of a loss: parameters, `row`, `reduction`, `labels` or `per`."""
    return Dialect(call, options, decide, note)


def zero_one_if_binary(survey: Survey) -> dict[str, Any]:
    """Keras: labels that are all 0 or 1 stand for −1 and +1."""
    return {"labels": ("0", "1")} if survey.binary["target"] else {}


def larger_is_positive(survey: Survey) -> dict[str, Any]:
    """scikit-learn: of two labels the larger is the positive one."""
    low, high = survey.low["target"], survey.high["target"]
    return {} if (low, high) == (-1, 1) else {"labels": (f"{low:g}", f"{high:g}")}


def sigmoid_if_outside(survey: Survey) -> dict[str, Any]:
    """torchmetrics: one score outside [0, 1] sends all of them through the sigmoid."""
    return {"activation": "sigmoid"} if survey.outside_unit("pred") else {}


def softmax_if_outside(survey: Survey) -> dict[str, Any]:
    """torchmetrics: one score outside [0, 1] sends all rows through the softmax."""
    return {"activation": "softmax"} if survey.outside_unit("pred") else {}

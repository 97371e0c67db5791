"""Dialects: the options under which a loss is a library's, as data."""

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from losscli.losses.domains import number

#: how each library turns elements into rows and rows into a number, unless a loss says otherwise
LIBRARIES: dict[str, dict[str, Any]] = {
    "torch": {"row": "none", "reduction": "mean"},
    "keras": {"row": "mean-last", "reduction": "mean"},
    "sklearn": {"row": "mean", "reduction": "weighted-mean"},
    "torchmetrics": {"row": "none", "reduction": "mean"},
    "optax": {"row": "none", "reduction": "mean"},
    "mindspore": {"row": "none", "reduction": "mean"},
}


#: what a reader should know of everything a library computes
REMARKS = {
    "optax": "it returns the losses of all rows; the value is their mean",
    "mindspore": "it computes in float32, this in float64",
}

#: the float64 that scikit-learn keeps probabilities and denominators away from 0 by
EPS = 2.220446049250313e-16
#: losses of class indices, in torch and in MindSpore after it
TORCH_CLASSES: dict[str, Any] = {"reduction": "weighted-mean", "ignore_index": -100}


class Survey(NamedTuple):
    """What a library that looks at the values would see, over the whole input."""

    low: dict[str, float]
    high: dict[str, float]
    #: whether every value of a role is 0 or 1
    binary: dict[str, bool]

    def outside_unit(self, role: str) -> bool:
        """Whether any value lies outside [0, 1]."""
        return self.low.get(role, 0.0) < 0 or self.high.get(role, 1.0) > 1


Decision = Callable[[Survey], Mapping[str, Any]]


class Dialect(NamedTuple):
    """A library's form of a loss: what it is called there, and the options that make it so.

    The name is without the library's own, such as `losses.Hinge`.
    """

    call: str
    options: Mapping[str, Any]
    decide: Decision | None = None
    note: str = ""
    #: whether what is said of everything the library computes is true of this
    remark: bool = True
    #: the rows of the loss's example on the scale that the library takes them on, where it differs
    rows: str = ""
    #: whether it is of one column, and of several is the loss of classes
    one_column: bool = False
    #: the options under which several columns are what the library takes them for
    of_columns: Mapping[str, str] = {}
    #: what else it does with a target of a value for every class, where that is another loss
    not_of_rows: str = ""

    def of(self, library: str) -> dict[str, Any]:
        """The options, with the library's own ways."""
        return {**LIBRARIES[library], **self.options}

    def name(self, library: str) -> str:
        """What one would type there: `keras.losses.Hinge`."""
        return f"{library}.{self.call}"


def dialect(
    call: str,
    *,
    decide: Decision | None = None,
    note: str = "",
    remark: bool = True,
    rows: str = "",
    one_column: bool = False,
    of_columns: Mapping[str, str] | None = None,
    not_of_rows: str = "",
    **options: Any,
) -> Dialect:
    """Declare a library's form of a loss: parameters, `row`, `reduction`, `labels` or `per`."""
    return Dialect(
        call, options, decide, note, remark, rows, one_column, of_columns or {}, not_of_rows
    )


def zero_one_if_binary(survey: Survey) -> dict[str, Any]:
    """Keras: labels that are all 0 or 1 stand for −1 and +1."""
    return {"labels": ("0", "1")} if survey.binary.get("target") else {}


def larger_is_positive(survey: Survey) -> dict[str, Any]:
    """scikit-learn: of two labels the larger is the positive one; a single one is negative."""
    low, high = survey.low.get("target", -1.0), survey.high.get("target", 1.0)
    if (low, high) == (-1, 1):
        return {}
    return {"labels": (number(low), number(high if high > low else low + 1.0))}


def sigmoid_if_outside(survey: Survey) -> dict[str, Any]:
    """torchmetrics: one score outside [0, 1] sends all of them through the sigmoid."""
    return {"activation": "sigmoid"} if survey.outside_unit("pred") else {}


def softmax_if_outside(survey: Survey) -> dict[str, Any]:
    """torchmetrics: one score outside [0, 1] sends all rows through the softmax."""
    return {"activation": "softmax"} if survey.outside_unit("pred") else {}

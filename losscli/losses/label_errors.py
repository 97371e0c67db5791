"""Label errors: which predicted labels are wrong."""

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from losscli.losses import constants
from losscli.losses.class_domains import ClassNumber
from losscli.losses.dialects import Survey, dialect
from losscli.losses.domains import Unless, Whole
from losscli.losses.numerics import Array, flat, largest, select
from losscli.losses.parameters import Finite
from losscli.losses.properties import Properties
from losscli.losses.registry import Edge, Example, loss
from losscli.losses.roles import Role, each

PREDICTED = Unless("threshold", ClassNumber())
TRUE = Unless("threshold", ClassNumber(), instead=Whole(0, 1))

Label = Annotated[Array, each(PREDICTED)]
TrueLabel = Annotated[Array, each(TRUE)]
#: one label a row, or a whole row of them that counts as one
LabelRow = Annotated[Array, Role((("n", PREDICTED), ("n k", PREDICTED)))]
TrueLabelRow = Annotated[Array, Role((("n", TRUE), ("n k", TRUE)))]


def wrong(pred: Array, target: Array, threshold: float | None) -> Array:
    """1 where a label, or what a score above the threshold stands for, is not the true one."""
    label = pred if threshold is None else select(pred > threshold, 1.0, 0.0)
    return select(label != target, 1.0, 0.0)


def half_of_scores(survey: Survey) -> Mapping[str, Any]:
    """torchmetrics: scores outside [0, 1] go through the sigmoid, which is ½ at 0."""
    return {"threshold": 0.0} if survey.outside_unit("pred") else {}


@loss(
    "zero-one",
    family="classification",
    aliases=("ZeroOneLoss", "0-1", "misclassification", "error-rate"),
    dialects={"sklearn": dialect("metrics.zero_one_loss")},
    example=Example("a,b,c,x,y,z\n1,0,0,1,0,1\n0,1,0,0,1,0", "--pred a,b,c --target x,y,z"),
    edges=(
        Edge(
            "a score of the threshold, all labels 0",
            "0.5,0,0,0,0,0",
            "--threshold 0.5",
        ),
        Edge("one of three labels wrong", "1,0,0,1,0,1"),
        Edge("one of three labels wrong", "1,0,0,1,0,1", "--multilabel cells"),
    ),
    constant=constants.mode,
    properties=Properties(task="multiclass-classification", units="none", bounds=(0, 1)),
)
def zero_one(
    pred: LabelRow,
    target: TrueLabelRow,
    *,
    threshold: Finite | None = None,
    multilabel: Literal["subset", "cells"] = "subset",
) -> Array:
    """1 where the predicted label is wrong, 0 where it is right; its mean is the error rate.

    Formula:
        ℓ = 1 if ŷ ≠ y, else 0

    Roles:
        pred: the predicted label ŷ, a whole number, or a row of them; a score with `threshold`.
        target: the true label y, or a row of them.

    Parameters:
        threshold: θ; pred holds scores, and above θ stands for label 1, else for 0.
        multilabel: whether a row of labels is wrong as soon as one of them is (scikit-learn), or
            each of its cells counts by itself, as in `hamming`.

    Returns:
        One loss a row, 0 or 1; one a cell with --multilabel cells.

    Raises:
        DataError: a label is not a whole number, or, with `threshold`, neither 0 nor 1.

    Source:
        sklearn.metrics.zero_one_loss, XGBoost error (threshold=0.5) and merror, LightGBM
        binary_error and multi_error.

    Example:
        >>> import numpy as np
        >>> zero_one(np.array([[1.0, 0.0], [0.0, 1.0]]), np.array([[1.0, 1.0], [0.0, 1.0]]))
        array([1., 0.])
    """
    value = wrong(pred, target, threshold)
    return value if multilabel == "cells" else largest(flat(value))


@loss(
    "hamming",
    family="classification",
    aliases=(
        "hamming_loss",
        "HammingDistance",
        "hamming_distance",
        "binary_hamming_distance",
        "multilabel_hamming_distance",
    ),
    dialects={
        "sklearn": dialect("metrics.hamming_loss"),
        "torchmetrics": dialect(
            "functional.hamming_distance", threshold=0.5, decide=half_of_scores,
            note="with task='binary' or 'multilabel'",
        ),
    },
    example=Example("a,b,c,x,y,z\n1,0,0,1,0,1\n0,1,0,0,1,0", "--pred a,b,c --target x,y,z"),
    edges=(
        Edge("a score of the threshold, all labels 0", "0.5,0,0,0,0,0", "--threshold 0.5"),
        Edge("one of three labels wrong", "1,0,0,1,0,1"),
    ),
    constant=constants.mode,
    properties=Properties(task="multilabel-classification", units="none", bounds=(0, 1)),
)  # fmt: skip
def hamming(pred: Label, target: TrueLabel, *, threshold: Finite | None = None) -> Array:
    """The share of labels that are wrong, of all cells of all rows.

    Formula:
        ℓ = 1 if ŷ ≠ y, else 0, for each label of a row

    Roles:
        pred: the predicted labels ŷ, whole numbers, such as a 0 or 1 a class; scores with
            `threshold`.
        target: the true labels y.

    Parameters:
        threshold: θ; pred holds scores, and above θ stands for label 1, else for 0 (torchmetrics
            ½).

    Returns:
        One loss a cell, 0 or 1; the mean of a row is the share of its labels that are wrong.

    Raises:
        DataError: a label is not a whole number, or, with `threshold`, neither 0 nor 1.

    Source:
        sklearn.metrics.hamming_loss, torchmetrics HammingDistance.

    Example:
        >>> import numpy as np
        >>> hamming(np.array([[1.0, 0.0], [0.0, 1.0]]), np.array([[1.0, 1.0], [0.0, 1.0]]))
        array([[0., 1.],
               [0., 0.]])
    """
    return wrong(pred, target, threshold)

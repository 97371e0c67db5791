"""All that a loss of your own is declared with; a function needs none of it to be one.

>>> import losscli
>>> from losscli.declare import NotNegative, Sign, Real, loss, numerics
>>> @loss("soft-hinge")
... def soft_hinge(pred: Real, target: Sign, *, margin: NotNegative = 1.0):
...     return numerics.softplus(margin - pred * target)
>>> losscli.compute(soft_hinge, pred=[1.0], target=[1]).value
0.6931471805599453
"""

from losscli.losses import numerics, softmaxes
from losscli.losses.examples import Edge, Example
from losscli.losses.numerics import Array
from losscli.losses.parameters import (
    Class,
    ClassWeights,
    ElementWeights,
    Finite,
    Fraction,
    Integer,
    NotNegative,
    Positive,
)
from losscli.losses.properties import Properties
from losscli.losses.registry import Pooled, Rows, alias, loss
from losscli.losses.roles import (
    BinaryPrediction,
    ClassOrDistribution,
    ClassPrediction,
    ClassTarget,
    Count,
    Embedding,
    EmbeddingBank,
    Real,
    RealOrRow,
    RowClass,
    RowReal,
    RowSign,
    Scores,
    Sign,
    SoftLabel,
)

__all__ = [
    "Array",
    "BinaryPrediction",
    "Class",
    "ClassOrDistribution",
    "ClassPrediction",
    "ClassTarget",
    "ClassWeights",
    "Count",
    "Edge",
    "ElementWeights",
    "Embedding",
    "EmbeddingBank",
    "Example",
    "Finite",
    "Fraction",
    "Integer",
    "NotNegative",
    "Pooled",
    "Positive",
    "Properties",
    "Real",
    "RealOrRow",
    "RowClass",
    "RowReal",
    "RowSign",
    "Rows",
    "Scores",
    "Sign",
    "SoftLabel",
    "alias",
    "loss",
    "numerics",
    "softmaxes",
]

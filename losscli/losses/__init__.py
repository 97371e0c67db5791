"""The catalogue of losses: pure array functions with their declarations, one module a family.

A loss takes the arrays of its roles (samples on the first axis) and its parameters as keywords,
and returns the loss of every row or element, in plain NumPy and without checking its inputs.
Importing this package fills `CATALOGUE`.
"""

from losscli.losses.classification import binary_cross_entropy, cross_entropy
from losscli.losses.margin import (
    categorical_hinge,
    hinge,
    hinge_embedding,
    multi_margin,
    multiclass_hinge,
    squared_hinge,
)
from losscli.losses.registry import CATALOGUE, Loss, Rows
from losscli.losses.regression import huber, mae, mse

__all__ = [
    "CATALOGUE",
    "Loss",
    "Rows",
    "binary_cross_entropy",
    "categorical_hinge",
    "cross_entropy",
    "hinge",
    "hinge_embedding",
    "huber",
    "mae",
    "mse",
    "multi_margin",
    "multiclass_hinge",
    "squared_hinge",
]

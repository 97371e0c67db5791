"""The catalogue of losses: pure array functions with their declarations, by family.

A loss takes the arrays of its roles (samples on the first axis) and its parameters as keywords,
and returns the loss of every row or element, in plain NumPy and without checking its inputs.
Importing this package fills `CATALOGUE`; every loss is also an attribute of it, by the name of its
function: `losscli.losses.hinge_embedding(pred, target, margin=1.0)`.
"""

from collections.abc import Callable
from importlib import import_module
from typing import Any

from losscli.losses.registry import CATALOGUE, Loss, Pooled, Rows, declared

# A module may not have the name of a loss: it would hide the function of that name here.
FAMILIES = (
    "regression",
    "proportions",
    "error_measures",
    "deviance",
    "probabilistic",
    "classification",
    "scoring_rules",
    "label_errors",
    "class_weights",
    "focal_losses",
    "margin",
    "multiclass_margin",
    "ranking",
    "metric_learning",
    "batch_contrast",
    "segmentation",
    "detection",
    "generative",
    "sequence",
    "preference",
)

for _family in FAMILIES:
    for _loss in declared(import_module(f"losscli.losses.{_family}")):
        CATALOGUE.add(_loss)

_FUNCTIONS: dict[str, Callable[..., Any]] = {
    loss.function.__name__: loss.function for loss in CATALOGUE
}

__all__ = ["CATALOGUE", "FAMILIES", "Loss", "Pooled", "Rows", *_FUNCTIONS]


def __getattr__(name: str) -> Callable[..., Any]:
    try:
        return _FUNCTIONS[name]
    except KeyError:
        raise AttributeError(f"module 'losscli.losses' has no loss '{name}'") from None

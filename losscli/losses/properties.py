"""What a loss is like as a function of its prediction, as data."""

import math
from typing import Literal, NamedTuple, get_args

INFINITY = math.inf

#: what a model that has the loss does
Task = Literal[
    "regression",
    "counts",
    "binary-classification",
    "multiclass-classification",
    "multilabel-classification",
    "ranking",
    "metric-learning",
    "segmentation",
    "detection",
    "sequence",
    "generative",
]
TASKS: tuple[str, ...] = get_args(Task)


class Properties(NamedTuple):
    """What holds of a loss with its default parameters, whatever the target.

    It is said of one loss: of a row, of its batch, or of the set of a loss that pools its rows.
    None where nothing is claimed.
    """

    task: Task
    #: what one loss is measured in; "none" for a bare number
    units: str
    #: lies on or below each of its chords
    convex: bool | None = None
    #: has a derivative at every prediction inside its domain
    differentiable: bool | None = None
    #: grows at most linearly with the error of the prediction
    robust: bool | None = None
    #: the greatest number below all losses and the least above them, ±∞ where there is none
    bounds: tuple[float, float] | None = None
    #: the input that is the prediction
    role: str = "pred"

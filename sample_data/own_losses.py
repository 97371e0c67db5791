"""Losses of one's own, which docs/writing_losses.md explains."""

import numpy as np

from losscli.declare import ClassTarget, Example, Positive, Real, Rows, Scores, loss, numerics


def capped_error(pred, target, *, cap: float = 50.0):
    """The absolute error, but never more than a cap."""
    return np.minimum(np.abs(pred - target), cap)


@loss("lopsided-error", aliases=("lopsided",), example=Example("pred,target\n1,2\n4,2"))
def lopsided_error(pred: Real, target: Real, *, low: Positive = 3.0, high: Positive = 1.0):
    """The absolute error, weighted by whether a prediction is too low or too high.

    Formula:
        ℓ = low (y − ŷ)    if ŷ < y
            high (ŷ − y)   otherwise

    Roles:
        pred: the predictions ŷ.
        target: the true values y.

    Parameters:
        low: what an error costs where the prediction is too low.
        high: what an error costs where it is too high.
    """
    return np.where(pred < target, low * (target - pred), high * (pred - target))


@loss("margin-to-best")
def margin_to_best(pred: Scores, target: ClassTarget):
    """How far the true class is below the best score, over the rows where it is not the best."""
    below = np.max(pred, axis=1) - numerics.pick(pred, numerics.class_index(target))
    return Rows(below, keep=below > 0)

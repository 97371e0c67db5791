"""The best constant prediction of targets: what a model that looks at no input could do.

Each rule takes the targets with samples on the first axis, their weights (n,) and the parameters of
the loss, and gives the prediction for every row: a number, one for each column, or one for each
class, in the form that the loss wants its predictions in.
"""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from losscli.losses.numerics import Array, log, log1p, logit

Constant = Callable[[Array, Array, Mapping[str, Any]], Array]


def mean(target: Array, weight: Array, params: Mapping[str, Any]) -> Array:
    """Σwy / Σw, the least squared error."""
    shaped = weight.reshape(-1, *(1,) * (target.ndim - 1))
    result: Array = np.add.reduce(shaped * target, axis=0) / np.add.reduce(weight)
    return result


def quantile(target: Array, weight: Array, level: float) -> Array:
    """The least value that has at least the share `level` of the weight at or below it."""
    order = np.argsort(target, axis=0, kind="stable")
    ordered = np.take_along_axis(target, order, axis=0)
    below = np.add.accumulate(weight[order], axis=0)
    reached = np.argmax(below >= level * below[-1] * (1 - 1e-15), axis=0)
    result: Array = np.take_along_axis(ordered, reached[None], axis=0)[0]
    return result


def median(target: Array, weight: Array, params: Mapping[str, Any]) -> Array:
    """The weighted median, the least absolute error."""
    return quantile(target, weight, 0.5)


def quantile_of_parameter(target: Array, weight: Array, params: Mapping[str, Any]) -> Array:
    """The weighted quantile at the loss's own level."""
    return quantile(target, weight, float(params["quantile"]))


def relative_median(target: Array, weight: Array, params: Mapping[str, Any]) -> Array:
    """The median with weights 1 / |y|, the least absolute percentage error; NaN with a target 0."""
    if target.ndim > 1 or not target.all():
        return np.full(target.shape[1:], np.nan)
    return quantile(target, weight / abs(target), 0.5)


def geometric_mean(target: Array, weight: Array, params: Mapping[str, Any]) -> Array:
    """exp(mean ln(1 + y)) − 1, the least squared logarithmic error."""
    return np.expm1(mean(log1p(target), weight, params))


def rate(target: Array, weight: Array, params: Mapping[str, Any]) -> Array:
    """The mean count, or its logarithm for log-rates."""
    value = mean(target, weight, params)
    return log(value) if params["input"] == "log-rate" else value


def probability(target: Array, weight: Array, params: Mapping[str, Any]) -> Array:
    """The share of the positive class, or its logit."""
    share = mean(target, weight, params)
    return logit(share) if params["input"] == "logits" else share


def frequencies(target: Array, weight: Array, params: Mapping[str, Any]) -> Array:
    """The share of each class, or its logarithm for logits and log-probabilities.

    Class weights and an ignored index count as they do in the loss.
    """
    classes = int(params["C"])
    if target.ndim == 1:
        kept = (target >= 0) & (target != params.get("ignore_index"))
        index = target[kept].astype(np.intp)
        own = params.get("class_weight")
        counted = weight[kept] if own is None else weight[kept] * own[index]
        share = np.bincount(index, weights=counted, minlength=classes)
    else:
        share = np.add.reduce(weight[:, None] * target, axis=0)
    share = share / np.add.reduce(share)
    return share if params.get("input", "log-probs") == "probs" else log(share)


def majority(target: Array, weight: Array, params: Mapping[str, Any]) -> Array:
    """The margin on the side of the heavier class, the least hinge loss."""
    return float(params["margin"]) * np.sign(mean(target, weight, params))


def balance(target: Array, weight: Array, params: Mapping[str, Any]) -> Array:
    """Δ (p₊ − p₋), the least squared hinge loss."""
    return float(params["margin"]) * mean(target, weight, params)


def log_odds(target: Array, weight: Array, params: Mapping[str, Any]) -> Array:
    """ln(p₊ / p₋) of labels −1 and +1, the least logistic loss."""
    return logit(0.5 * (1.0 + mean(target, weight, params)))


__all__ = [
    "Constant",
    "balance",
    "frequencies",
    "geometric_mean",
    "log_odds",
    "majority",
    "mean",
    "median",
    "probability",
    "quantile_of_parameter",
    "rate",
    "relative_median",
]

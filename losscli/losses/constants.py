"""The best constant prediction of targets: what a model that looks at no input could do.

Each rule takes the targets with samples on the first axis, their weights (n,) and the parameters of
the loss, and gives the prediction for every row: a number, one for each column, or one for each
class, in the form that the loss wants its predictions in. It is exactly the minimiser of the
weighted sum of losses, or a UsageError says which option has none of a simple form.
"""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from losscli.errors import UsageError
from losscli.losses.numerics import (
    Array,
    clip,
    exp,
    expm1,
    flat,
    hypot,
    log,
    log1p,
    logit,
    maximum,
    ratio,
    select,
    unit,
    xlogy,
)

Parameters = Mapping[str, Any]
Constant = Callable[[Array, Array, Parameters], Array]

#: a logit whose probability is 0, of which 0 times is 0: the infinite one would be NaN
LEAST = -800.0
#: a probability whose logarithm is finite, and which moves no sum of probabilities
TINY = 1e-300


def only(rule: Constant, **allowed: Any) -> Constant:
    """The rule for parameters that have these values alone."""

    def checked(target: Array, weight: Array, params: Parameters) -> Array:
        for name, value in allowed.items():
            if params[name] != value:
                option = name.replace("_", "-")
                raise UsageError(
                    f"--baseline: with --{option} {params[name]} the best constant has no simple "
                    "form"
                )
        return rule(target, weight, params)

    return checked


def mean(target: Array, weight: Array, params: Parameters) -> Array:
    """Σwy / Σw, the least squared error."""
    shaped = weight.reshape(-1, *(1,) * (target.ndim - 1))
    result: Array = np.add.reduce(shaped * target, axis=0) / np.add.reduce(weight)
    return result


def mean_or_log_mean(target: Array, weight: Array, params: Parameters) -> Array:
    """Σwy / Σw, the least deviance of any exponential family, or its logarithm for log-means."""
    value = mean(target, weight, params)
    logarithm = str(params.get("input")).startswith("log-")
    return maximum(log(value), LEAST) if logarithm else value


def least_error(slope: Callable[[Array, Parameters], Array]) -> Constant:
    """The root c of Σ w ρ′(c − y), for a loss ρ of the error that is convex: halving what holds it.

    It lies between the least and the largest target, and each halving gives another bit of it.
    """

    def rule(target: Array, weight: Array, params: Parameters) -> Array:
        shaped = weight.reshape(-1, *(1,) * (target.ndim - 1))
        low: Array = np.minimum.reduce(target, axis=0)
        high: Array = np.maximum.reduce(target, axis=0)
        while True:
            middle: Array = low + 0.5 * (high - low)
            if ((middle <= low) | (middle >= high)).all():
                return middle
            rising = np.add.reduce(shaped * slope(middle - target, params), axis=0) > 0
            low, high = select(rising, low, middle), select(rising, middle, high)

    return rule


def huber_slope(e: Array, params: Parameters) -> Array:
    """The error, held within δ."""
    return clip(e, -params["delta"], params["delta"])


def pseudo_huber_slope(e: Array, params: Parameters) -> Array:
    """e / √(1 + (e / δ)²)."""
    delta = float(params["delta"])
    slope: Array = e * (delta / hypot(delta, e))
    return slope


def log_cosh_slope(e: Array, params: Parameters) -> Array:
    """tanh e."""
    return np.tanh(e)


def power_slope(e: Array, params: Parameters) -> Array:
    """±|e|ᵖ⁻¹."""
    slope: Array = np.sign(e) * abs(e) ** (params["p"] - 1.0)
    return slope


def insensitive_slope(e: Array, params: Parameters) -> Array:
    """The error without its first ε, or its sign."""
    beyond = e - clip(e, -params["epsilon"], params["epsilon"])
    return beyond if params["squared"] else np.sign(beyond)


def smooth_median(target: Array, weight: Array, params: Parameters) -> Array:
    """The least smooth absolute error, the median where nothing is smoothed."""
    if params["beta"] == 0:
        return median(target, weight, params)
    return least_error(huber_slope)(target, weight, {"delta": params["beta"]})


def mode(target: Array, weight: Array, params: Parameters) -> Array:
    """The label of the greatest weight in each column, or a score on its side of a threshold."""
    if target.ndim > 1 and params.get("multilabel") == "subset":
        raise UsageError(
            "--baseline: of rows of labels the best constant has no simple form",
            "--multilabel cells counts labels one by one",
        )
    columns = flat(target).T
    label = np.array([_heaviest(column, weight) for column in columns])
    label = label.reshape(target.shape[1:])
    threshold = params["threshold"]
    return label if threshold is None else threshold + label


def _heaviest(labels: Array, weight: Array) -> float:
    values, index = np.unique(labels, return_inverse=True)
    return float(values[np.argmax(np.bincount(index, weights=weight))])


def quantile(target: Array, weight: Array, level: float) -> Array:
    """The least value that has at least the share `level` of the weight at or below it."""
    order = np.argsort(target, axis=0, kind="stable")
    ordered = np.take_along_axis(target, order, axis=0)
    shaped = weight.reshape(weight.shape + (1,) * (target.ndim - weight.ndim))
    weights = np.take_along_axis(np.broadcast_to(shaped, target.shape), order, axis=0)
    below = np.add.accumulate(weights, axis=0)
    reached = np.argmax(below >= level * below[-1] * (1 - 1e-15), axis=0)
    result: Array = np.take_along_axis(ordered, reached[None], axis=0)[0]
    return result


def median(target: Array, weight: Array, params: Parameters) -> Array:
    """The weighted median, the least absolute error."""
    return quantile(target, weight, 0.5)


def quantile_of_parameter(target: Array, weight: Array, params: Parameters) -> Array:
    """The weighted quantile at the loss's own level."""
    return quantile(target, weight, float(params["quantile"]))


def relative_median(target: Array, weight: Array, params: Parameters) -> Array:
    """The median with weights 1 / |y|, or what else divides, the least percentage error.

    0 where a target is 0 and nothing guards it: every other prediction costs ∞.
    """
    size, eps = abs(target), float(params["eps"])
    size = size + eps if params["eps_mode"] == "add" else maximum(size, eps)
    shaped = np.broadcast_to(weight.reshape(-1, *(1,) * (target.ndim - 1)), target.shape)
    infinite = np.any((size == 0) & (shaped > 0), axis=0)
    each = select(size == 0, 0.0, ratio(shaped, size))
    return select(infinite, 0.0, quantile(target, each, 0.5))


def geometric_mean(target: Array, weight: Array, params: Parameters) -> Array:
    """exp(mean ln(1 + y)) − 1, the least squared logarithmic error."""
    y = target if params["clip"] is None else maximum(target, params["clip"])
    result: Array = expm1(mean(log1p(y), weight, params))
    return result


def rate(target: Array, weight: Array, params: Parameters) -> Array:
    """The mean count, less ε, or its logarithm for log-rates."""
    value = mean(target, weight, params)
    if params["input"] == "log-rate":
        return maximum(log(value), LEAST)
    return maximum(value - float(params["eps"]), 0.0)


def direction(target: Array, weight: Array, params: Parameters) -> Array:
    """The direction of the sum of all directions, the greatest mean cosine; not below ε.

    Where the loss is the cosine itself, the opposite of it.
    """
    whole = unit(mean(unit(target, params["eps"])[0], weight, params))[0]
    sign = 1.0 if params["negate"] else -1.0
    result: Array = sign * max(1.0, float(params["eps"])) * whole
    return result


def probability(target: Array, weight: Array, params: Parameters) -> Array:
    """The share of the positive class, or its logit; the positive term may have a weight a.

    −a ȳ ln p − (1 − ȳ) ln(1 − p) is least for p = a ȳ / (a ȳ + 1 − ȳ).
    """
    epsilon = params.get("label_smoothing", 0.0)
    y = mean(target, weight, params) * (1.0 - epsilon) + 0.5 * epsilon
    a = params.get("pos_weight")
    yes = y if a is None else a * y
    # A share of TINY is 0 in every sum, and its logarithm times 0 is not NaN.
    share = maximum(ratio(yes, yes + (1.0 - y)), TINY)
    if params.get("input", "logits") == "logits":
        return clip(logit(share), LEAST, -LEAST)
    floor = params.get("log_floor")
    return share if floor is None else _with_floor(share, yes, 1.0 - y, floor)


def _with_floor(share: Array, yes: Array, no: Array, floor: float) -> Array:
    """The best of `share`, 0 and 1, where no logarithm is below a floor.

    Where one logarithm is at its floor the other term alone is left, and that is least at 0 or 1.
    """
    candidates = np.stack([share, np.full_like(share, TINY), np.ones_like(share)])
    log_p, log_q = maximum(log(candidates), floor), maximum(log1p(-candidates), floor)
    best = np.argmin(-yes * log_p - no * log_q, axis=0)
    result: Array = np.take_along_axis(candidates, best[None], axis=0)[0]
    return result


def frequencies(target: Array, weight: Array, params: Parameters) -> Array:
    """The share of each class, or its logarithm for logits and log-probabilities.

    Class weights, smoothed labels and an ignored index count as they do in the loss: it is
    −Σ_c a_c ln p_c for the a that are shared out here, and least for p = a / Σa.
    """
    classes = int(params["C"])
    own = params.get("class_weight")
    own = np.ones(classes) if own is None else np.broadcast_to(own, (classes,))
    if target.ndim == 1:
        kept = target >= 0
        if params.get("ignore_index") is not None:
            kept &= target != params["ignore_index"]
        index = target[kept].astype(np.intp)
        counted = np.bincount(index, weights=weight[kept], minlength=classes)
        rows = np.add.reduce(weight[kept])
    else:
        counted = np.add.reduce(weight[:, None] * target, axis=0)
        rows = np.add.reduce(weight)
    epsilon = params.get("label_smoothing", 0.0)
    parts: Array = own * ((1.0 - epsilon) * counted + epsilon * rows / classes)
    if not parts.any():  # nothing counts, so any constant is as good
        parts = np.ones(classes)
    return _scores(parts / np.add.reduce(parts), params)


def shares(target: Array, weight: Array, params: Parameters) -> Array:
    """The share of each class, or of the positive one, the least squared error."""
    if "C" not in params:
        return mean(target, weight, params)
    own = params.get("class_weight")
    if target.ndim == 1 or own is None:
        return frequencies(target, weight, {**params, "input": "probs"})
    # A row of shares t weighs Σ_c w_c t_c as a whole.
    return mean(target, weight * np.add.reduce(own * target, axis=-1), params)


def distribution(target: Array, weight: Array, params: Parameters) -> Array:
    """The mean of distributions, the least mean divergence from it."""
    if params["log_target"]:
        p = exp(target)
    else:
        p = target
        if params["renormalize"]:
            p = p / np.add.reduce(p, axis=-1, keepdims=True)
        if params["clip"] is not None:
            p = clip(p, params["clip"], 1.0)
    share = mean(p, weight, params)
    return _scores(share / np.add.reduce(share), params, high=1.0)


def _scores(share: Array, params: Parameters, high: float | None = None) -> Array:
    """Shares of classes in the form of the predictions, every logarithm of them finite.

    Probabilities that the loss holds within [clip, high] are the best of those.
    """
    if params.get("input", "log-probs") != "probs":
        return maximum(log(share), LEAST)
    low = params.get("clip")
    return maximum(share if low is None else _held(share, low, high or 1.0 - low), TINY)


def _held(share: Array, low: float, high: float) -> Array:
    """Of probabilities that are held within [low, high], the best for these shares a.

    A class at or below `low` costs the same as at 0, where it leaves its part to the others. With
    the j least shares at 0 and A their sum, the others are best at a / (1 − A), and all cost
    −A ln low − Σ a ln a + (1 − A) ln(1 − A), the sum over the others; and what the largest of them
    gains above `high` does not count.
    """
    order = np.argsort(share)
    a = share[order]
    given_up = np.concatenate([[0.0], np.add.accumulate(a)[:-1]])
    left = np.add.accumulate(a[::-1])[::-1]
    others = np.add.accumulate(xlogy(a, a)[::-1])[::-1]
    beyond = a[-1] * maximum(log(a[-1] / left) - log(high), 0.0)
    cost = -given_up * log(low) - others + xlogy(left, left) + beyond
    j = int(np.argmin(cost))
    result = np.zeros_like(share)
    result[order[j:]] = a[j:] / left[j]
    return result


def mean_sign(target: Array, weight: Array, params: Parameters) -> Array:
    """The mean of labels −1 and +1, of those that are not left out."""
    signs = select(abs(target) == 1, target, 0.0)
    return ratio(mean(signs, weight, params), mean(abs(signs), weight, params))


def majority(target: Array, weight: Array, params: Parameters) -> Array:
    """The margin on the side of the heavier class, the least hinge loss."""
    return float(params["margin"]) * np.sign(mean_sign(target, weight, params))


def balance(target: Array, weight: Array, params: Parameters) -> Array:
    """Δ (p₊ − p₋), the least squared hinge loss."""
    return float(params["margin"]) * mean_sign(target, weight, params)


def log_odds(target: Array, weight: Array, params: Parameters) -> Array:
    """ln(p₊ / p₋) of labels −1 and +1, the least logistic loss."""
    return clip(logit(0.5 * (1.0 + mean(target, weight, params))), LEAST, -LEAST)


def half_log_odds(target: Array, weight: Array, params: Parameters) -> Array:
    """½ ln(p₊ / p₋), the least exponential loss."""
    return 0.5 * log_odds(target, weight, params)


def power_frequencies(target: Array, weight: Array, params: Parameters) -> Array:
    """a^(1 / (1 − q)) of the shares a, made to add up to 1: the greatest Σ a pᵠ.

    In logarithms, as 1 − q goes to 0, where all is left to the greatest share.
    """
    a = frequencies(target, weight, {**params, "input": "log-probs"})
    rest = max(1.0 - float(params["q"]), 1e-12)
    scaled = (a - np.maximum.reduce(a)) / rest
    share = exp(scaled) / np.add.reduce(exp(scaled))
    return _scores(share, params)


__all__ = [
    "Constant",
    "balance",
    "direction",
    "distribution",
    "frequencies",
    "geometric_mean",
    "half_log_odds",
    "huber_slope",
    "insensitive_slope",
    "least_error",
    "log_cosh_slope",
    "log_odds",
    "majority",
    "mean",
    "mean_or_log_mean",
    "median",
    "mode",
    "only",
    "power_frequencies",
    "power_slope",
    "probability",
    "pseudo_huber_slope",
    "quantile_of_parameter",
    "rate",
    "relative_median",
    "shares",
    "smooth_median",
]

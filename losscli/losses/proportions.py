"""Regression losses of proportions: percentages, logarithms and counts."""

from typing import Annotated, Literal

from losscli.losses import constants
from losscli.losses.dialects import EPS, dialect
from losscli.losses.domains import NOT_NEGATIVE, REAL, By, Interval, Unless
from losscli.losses.numerics import (
    LN_2PI,
    Array,
    exp,
    log,
    log_factorial,
    log_ratio,
    maximum,
    ratio,
    select,
    square,
    times_log,
)
from losscli.losses.parameters import NotNegative
from losscli.losses.properties import INFINITY, Properties
from losscli.losses.registry import Edge, Example, loss
from losscli.losses.roles import Count, Real, Role

AboveMinusOne = Annotated[
    Array,
    Role(
        (
            (
                "n ...",
                Unless(
                    "clip",
                    Interval(
                        low=-1.0, open_low=True, advice="--clip 0 counts negative values as 0"
                    ),
                ),
            ),
        )
    ),
]
RateOrLogRate = Annotated[
    Array, Role((("n ...", By("input", {"rate": NOT_NEGATIVE, "log-rate": REAL})),))
]


@loss(
    "mape",
    family="regression",
    aliases=(
        "MeanAbsolutePercentageError",
        "mean_absolute_percentage_error",
        "absolute-percentage-error",
    ),
    dialects={
        "keras": dialect("losses.MeanAbsolutePercentageError", scale="percent", eps=1e-7),
        "sklearn": dialect("metrics.mean_absolute_percentage_error", eps=EPS),
        "torchmetrics": dialect("functional.mean_absolute_percentage_error", eps=1.17e-6),
    },
    example=Example("pred,target\n2.5,2\n3,4"),
    edges=(
        Edge("y = 0", "1,0"),
        Edge("ŷ = y = 0", "0,0"),
        Edge("y = 0", "1,0", "--eps 1"),
        Edge("y = 0", "1,0", "--eps 1e-7 --scale percent"),
    ),
    constant=constants.relative_median,
    properties=Properties(
        task="regression",
        units="none",
        convex=True,
        differentiable=False,
        robust=True,
        bounds=(0, INFINITY),
    ),
)
def mape(
    pred: Real,
    target: Real,
    *,
    scale: Literal["fraction", "percent"] = "fraction",
    eps: NotNegative = 0.0,
    eps_mode: Literal["floor", "add"] = "floor",
) -> Array:
    """The absolute error as a share of the true value.

    Formula:
        ℓ = |ŷ − y| / |y|

    Roles:
        pred: the predictions ŷ.
        target: the true values y.

    Parameters:
        scale: as a fraction, or as percent (Keras).
        eps: ε, a guard against small |y| (scikit-learn 2.2e-16, Keras 1e-7, torchmetrics 1.17e-6,
            LightGBM and CatBoost 1).
        eps_mode: the denominator is max(|y|, ε), or |y| + ε.

    Returns:
        One loss an element, not negative, without units. For y = 0, with no `eps`, it is ∞, and 0
        where ŷ = 0 too: the limits of a vanishing ε.

    Raises:
        DataError: a value is not finite.

    Source:
        sklearn.metrics.mean_absolute_percentage_error, keras.losses.MeanAbsolutePercentageError,
        torchmetrics MeanAbsolutePercentageError.

    Example:
        >>> import numpy as np
        >>> mape(np.array([2.5, 3.0, 1.0, 0.0]), np.array([2.0, 4.0, 0.0, 0.0]))
        array([0.25, 0.25,  inf, 0.  ])
    """
    size = abs(target)
    share = ratio(abs(pred - target), size + eps if eps_mode == "add" else maximum(size, eps))
    return 100.0 * share if scale == "percent" else share


@loss(
    "msle",
    family="regression",
    aliases=(
        "MeanSquaredLogarithmicError",
        "mean_squared_logarithmic_error",
        "MeanSquaredLogError",
        "mean_squared_log_error",
        "squared-log-error",
    ),
    dialects={
        "keras": dialect("losses.MeanSquaredLogarithmicError", clip=1e-7),
        "sklearn": dialect("metrics.mean_squared_log_error"),
        "torchmetrics": dialect("functional.mean_squared_log_error"),
    },
    example=Example("pred,target\n2.5,3\n0,2"),
    edges=(
        Edge("ŷ below 0", "-0.5,0"),
        Edge("ŷ = -1", "-1,0"),
        Edge("ŷ = -1", "-1,0", "--clip 0"),
    ),
    constant=constants.geometric_mean,
    properties=Properties(
        task="regression",
        units="none",
        convex=False,
        differentiable=True,
        robust=False,
        bounds=(0, INFINITY),
    ),
)
def msle(pred: AboveMinusOne, target: AboveMinusOne, *, clip: NotNegative | None = None) -> Array:
    """The squared error of logarithms, for values that matter by their proportion.

    Formula:
        ℓ = (ln(1 + ŷ) − ln(1 + y))²

    Roles:
        pred: the predictions ŷ, above −1.
        target: the true values y, above −1.

    Parameters:
        clip: values below it are raised to it first, so that every number is allowed (Keras 1e-7).

    Returns:
        One loss an element, not negative, without units.

    Raises:
        DataError: a value is not finite, or is −1 or less and there is no `clip`: ln 0 is −∞, and
            below there is no logarithm. (The function itself gives ∞ at −1.)

    Source:
        sklearn.metrics.mean_squared_log_error, keras.losses.MeanSquaredLogarithmicError,
        torchmetrics MeanSquaredLogError.

    Example:
        >>> import numpy as np
        >>> msle(np.array([0.0, 1.0, -1.0]), np.array([0.0, 0.0, 0.0]))
        array([0.        , 0.48045301,        inf])
    """
    if clip is not None:
        pred, target = maximum(pred, clip), maximum(target, clip)
    return square(log_ratio(pred, target, shift=1.0))


@loss(
    "poisson-nll",
    family="regression",
    aliases=("PoissonNLLLoss", "poisson_nll_loss", "Poisson"),
    dialects={
        "torch": dialect("nn.functional.poisson_nll_loss", input="log-rate", eps=1e-8),
        "keras": dialect("losses.Poisson", eps=1e-7),
        "mindspore": dialect("nn.PoissonNLLLoss", input="log-rate", eps=1e-8),
    },
    example=Example("pred,target\n1.5,2\n0.5,0"),
    edges=(
        Edge("λ = 0 and y = 0", "0,0"),
        Edge("λ = 0 and y = 1", "0,1"),
        Edge("λ = 0 and y = 1", "0,1", "--eps 1e-8"),
        Edge("a log-rate of 800", "800,1", "--input log-rate"),
        Edge("λ = y = 1", "1,1", "--full stirling"),
        Edge("λ = y = 1", "1,1", "--full exact"),
    ),
    constant=constants.rate,
    properties=Properties(
        task="counts",
        units="nats",
        convex=True,
        differentiable=True,
        robust=False,
        bounds=(-INFINITY, INFINITY),
    ),
)
def poisson_nll(
    pred: RateOrLogRate,
    target: Count,
    *,
    input: Literal["rate", "log-rate"] = "rate",
    full: Literal["none", "stirling", "exact"] = "none",
    eps: NotNegative = 0.0,
) -> Array:
    """Minus the log of the probability that a Poisson distribution gives to a count.

    Formula:
        ℓ = λ − y ln(λ + ε)  [+ ln y!],    λ = eˣ and ε = 0 for log-rates x

    Roles:
        pred: the rate λ, or its logarithm x.
        target: the count y.

    Parameters:
        input: whether pred holds rates or log-rates (the default of torch).
        full: the term without λ: left out, as Stirling's formula y ln y − y + ½ ln(2πy) for
            y > 1 (torch's full=True), or exact.
        eps: ε, added to the rate within the logarithm (torch 1e-8, Keras 1e-7).

    Returns:
        One loss an element, in nats. For λ = 0, without `eps`, it is 0 where y = 0 and ∞ where
        y > 0: an impossible count.

    Raises:
        DataError: a rate or a count is negative, or a value is not finite. (torch takes negative
            counts, and its number is no likelihood then.)

    Source:
        torch.nn.PoissonNLLLoss, mindspore.nn.PoissonNLLLoss, keras.losses.Poisson.

    Example:
        >>> import numpy as np
        >>> poisson_nll(np.array([1.0, 0.0, 0.0]), np.array([3.0, 0.0, 1.0]))
        array([ 1.,  0., inf])
    """
    if input == "log-rate":
        value = exp(pred) - target * pred
    else:
        value = pred - times_log(target, log(pred + eps))
    if full == "exact":
        return value + log_factorial(target)
    if full == "stirling":
        log_y = log(target)
        stirling = times_log(target, log_y) - target + 0.5 * (LN_2PI + log_y)
        return value + select(target > 1, stirling, 0.0)
    return value

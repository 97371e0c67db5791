"""Deviances: twice what a mean costs in likelihood, against the mean that is the truth itself."""

from typing import Annotated, Literal

from losscli.losses import constants
from losscli.losses.dialects import dialect
from losscli.losses.domains import NOT_NEGATIVE, REAL, By, ByNumber, Interval, Outside
from losscli.losses.numerics import Array, beta_divergence, exp, log, product, ratio, relu, square
from losscli.losses.numerics import power as raised
from losscli.losses.parameters import Number
from losscli.losses.properties import INFINITY, Properties
from losscli.losses.registry import Edge, Example, alias, loss
from losscli.losses.roles import Count, Role, each

POSITIVE = Interval(low=0.0, open_low=True)

PositiveValue = Annotated[Array, each(POSITIVE)]
NotNegativeValue = Annotated[Array, each(NOT_NEGATIVE)]
TweediePrediction = Annotated[
    Array,
    each(
        ByNumber(
            "power",
            {"below 0": POSITIVE, "0": REAL, "1 and more": POSITIVE},
            (float("-inf"), 0.0, 1.0),
        )
    ),
]
TweedieTarget = Annotated[
    Array,
    each(
        ByNumber(
            "power",
            {"0 and less": REAL, "1 to below 2": NOT_NEGATIVE, "2 and more": POSITIVE},
            (float("-inf"), 1.0, 2.0),
        )
    ),
]
MeanOrLogMean = Annotated[
    Array, Role((("n ...", By("input", {"mean": POSITIVE, "log-mean": REAL})),))
]


@loss(
    "poisson-deviance",
    family="deviance",
    aliases=("mean_poisson_deviance", "PoissonDeviance"),
    dialects={
        "sklearn": dialect("metrics.mean_poisson_deviance"),
        "torchmetrics": dialect("functional.tweedie_deviance_score", note="with power=1"),
    },
    example=Example("pred,target\n1.5,1\n0.5,0\n3,4"),
    edges=(
        Edge("y = 0", "1.5,0"),
        Edge("μ = 0", "0,1"),
    ),
    constant=constants.mean_or_log_mean,
    properties=Properties(
        task="counts",
        units="nats",
        convex=True,
        differentiable=True,
        robust=False,
        bounds=(0, INFINITY),
    ),
)
def poisson_deviance(pred: PositiveValue, target: Count) -> Array:
    """The Poisson deviance: how much less likely a count is than with the mean at the count.

    It is twice `poisson-nll`, less its value for the best prediction, μ = y.

    Formula:
        ℓ = 2 (y ln(y / μ) − y + μ)

    Roles:
        pred: the predicted mean μ.
        target: the count y.

    Returns:
        One loss an element, not negative, 0 for μ = y.

    Raises:
        DataError: a mean is not positive, a count is negative, or a value is not finite.

    Source:
        sklearn.metrics.mean_poisson_deviance, torchmetrics TweedieDevianceScore (power=1);
        McCullagh and Nelder, "Generalized Linear Models", 1989.

    Example:
        >>> import numpy as np
        >>> poisson_deviance(np.array([2.0, 0.5]), np.array([2.0, 0.0]))
        array([0., 1.])
    """
    return 2.0 * beta_divergence(target, pred, 1.0)


@loss(
    "gamma-deviance",
    family="deviance",
    aliases=("mean_gamma_deviance", "GammaDeviance"),
    dialects={
        "sklearn": dialect("metrics.mean_gamma_deviance"),
        "torchmetrics": dialect("functional.tweedie_deviance_score", note="with power=2"),
    },
    example=Example("pred,target\n1.5,1\n3,4"),
    edges=(
        Edge("y = 0", "1.5,0"),
        Edge("μ = y = 1e-300", "1e-300,1e-300"),
    ),
    constant=constants.mean_or_log_mean,
    properties=Properties(
        task="regression",
        units="nats",
        convex=False,
        differentiable=True,
        robust=False,
        bounds=(0, INFINITY),
    ),
)
def gamma_deviance(pred: PositiveValue, target: PositiveValue) -> Array:
    """The gamma deviance, which depends on the proportion of prediction and truth alone.

    Formula:
        ℓ = 2 (ln(μ / y) + y / μ − 1)

    Roles:
        pred: the predicted mean μ.
        target: the true value y.

    Returns:
        One loss an element, not negative, without units, 0 for μ = y.

    Raises:
        DataError: a value is not positive, or not finite.

    Source:
        sklearn.metrics.mean_gamma_deviance, torchmetrics TweedieDevianceScore (power=2), XGBoost
        gamma-deviance. (LightGBM's gamma_deviance is the sum.)

    Example:
        >>> import numpy as np
        >>> gamma_deviance(np.array([2.0, 1.0]), np.array([2.0, 2.0]))
        array([0.        , 0.61370564])
    """
    return 2.0 * beta_divergence(target, pred, 0.0)


@loss(
    "tweedie-deviance",
    family="deviance",
    aliases=(
        "mean_tweedie_deviance",
        "TweedieDevianceScore",
        "tweedie_deviance_score",
        alias("inverse-gaussian-deviance", power=3.0),
    ),
    dialects={
        "sklearn": dialect("metrics.mean_tweedie_deviance", power=0.0),
        "torchmetrics": dialect("functional.tweedie_deviance_score", power=0.0),
    },
    example=Example("pred,target\n1.5,1\n0.5,0\n3,4"),
    edges=(
        Edge("y = 0", "1.5,0"),
        Edge("y = 0", "1.5,0", "--power 2"),
        Edge("y = 0", "1.5,0", "--power 0"),
        Edge("y < 0", "1.5,-1", "--power -1"),
    ),
    constant=constants.mean_or_log_mean,
    properties=Properties(
        task="regression",
        units="none",
        convex=False,
        differentiable=True,
        robust=False,
        bounds=(0, INFINITY),
    ),
)
def tweedie_deviance(
    pred: TweediePrediction,
    target: TweedieTarget,
    *,
    power: Annotated[float, Number(Outside(0.0, 1.0))] = 1.5,
) -> Array:
    """The deviance of a Tweedie distribution, whose variance grows as a power of its mean.

    Power 0 is the squared error, 1 the Poisson, 2 the gamma and 3 the inverse Gaussian deviance;
    between 1 and 2 the values may be 0 and continuous, as sums insured or rain are.

    Formula:
        ℓ = 2 (max(y, 0)²⁻ᵖ / ((1 − p)(2 − p)) − y μ¹⁻ᵖ / (1 − p) + μ²⁻ᵖ / (2 − p))

    Roles:
        pred: the predicted mean μ.
        target: the true value y.

    Parameters:
        power: p, the power of the variance; none has a distribution between 0 and 1
            (scikit-learn and torchmetrics: 0).

    Returns:
        One loss an element, not negative, 0 for μ = y.

    Raises:
        DataError: a value is not finite, or not what the power wants: μ > 0 unless p = 0, y ≥ 0
            for 1 ≤ p < 2, and y > 0 from p = 2 on.

    Source:
        sklearn.metrics.mean_tweedie_deviance, torchmetrics TweedieDevianceScore; Jørgensen,
        "The Theory of Dispersion Models", 1997.

    Example:
        >>> import numpy as np
        >>> tweedie_deviance(np.array([4.0, 4.0]), np.array([1.0, 0.0]))
        array([2., 8.])
    """
    if power == 0:
        return square(pred - target)
    half = beta_divergence(relu(target), pred, 2.0 - power)
    if power < 0:
        # Only then may y be negative, which leaves the first term at 0 and adds to the second.
        half = half + product(relu(-target), raised(pred, 1.0 - power)) / (1.0 - power)
    return 2.0 * half


@loss(
    "tweedie-nll",
    family="deviance",
    aliases=(
        "tweedie-nloglik",
        "TweedieNLL",
        alias("HalfTweedieLoss", input="log-mean"),
    ),
    example=Example("pred,target\n1.5,1\n0.5,0\n3,4"),
    edges=(
        Edge("y = 0", "1.5,0"),
        Edge("μ = 0", "0,1"),
        Edge("a log-mean of -800, y = 0", "-800,0", "--input log-mean"),
    ),
    constant=constants.mean_or_log_mean,
    properties=Properties(
        task="regression",
        units="none",
        convex=False,
        differentiable=True,
        robust=False,
        bounds=(0, INFINITY),
    ),
)
def tweedie_nll(
    pred: MeanOrLogMean,
    target: NotNegativeValue,
    *,
    input: Literal["mean", "log-mean"] = "mean",
    power: Annotated[float, Number(Interval(1.0, 2.0, open_low=True, open_high=True))] = 1.5,
) -> Array:
    """Minus the log-likelihood of a Tweedie distribution, without the terms of y alone.

    It is half of `tweedie-deviance`, less y²⁻ᵖ / ((1 − p)(2 − p)).

    Formula:
        ℓ = y μ¹⁻ᵖ / (p − 1) + μ²⁻ᵖ / (2 − p),    μ = eˣ for log-means x

    Roles:
        pred: the predicted mean μ, or its logarithm x.
        target: the true value y, 0 or more.

    Parameters:
        input: whether pred holds means or their logarithms (CatBoost, and XGBoost's margins).
        power: p, the power of the variance, between 1 and 2.

    Returns:
        One loss an element, not negative; least for μ = y, where it is not 0.

    Raises:
        DataError: a mean is not positive, a true value is negative, or a value is not finite.

    Source:
        XGBoost tweedie-nloglik, CatBoost Tweedie, LightGBM tweedie, and the HalfTweedieLoss
        within scikit-learn.

    Example:
        >>> import numpy as np
        >>> tweedie_nll(np.array([4.0, 4.0]), np.array([1.0, 0.0]))
        array([5., 4.])
    """
    b, a = 1.0 - power, 2.0 - power
    if input == "log-mean":
        to_b, to_a = exp(b * pred), exp(a * pred)
    else:
        to_b, to_a = raised(pred, b), raised(pred, a)
    # No term is negative, so nothing cancels.
    return product(target, to_b) / -b + to_a / a


@loss(
    "gamma-nll",
    family="deviance",
    aliases=(
        "gamma-nloglik",
        "GammaNLL",
        alias("HalfGammaLoss", input="log-mean"),
    ),
    example=Example("pred,target\n1.5,1\n3,4"),
    edges=(
        Edge("y = 0", "1.5,0"),
        Edge("a log-mean of 800", "800,1", "--input log-mean"),
        Edge("a log-mean of -800", "-800,1", "--input log-mean"),
    ),
    constant=constants.mean_or_log_mean,
    properties=Properties(
        task="regression",
        units="nats",
        convex=False,
        differentiable=True,
        robust=False,
        bounds=(-INFINITY, INFINITY),
    ),
)
def gamma_nll(
    pred: MeanOrLogMean,
    target: PositiveValue,
    *,
    input: Literal["mean", "log-mean"] = "mean",
) -> Array:
    """Minus the log-likelihood of a gamma distribution of shape 1, the exponential distribution.

    It is half of `gamma-deviance`, plus 1 + ln y.

    Formula:
        ℓ = ln μ + y / μ,    μ = eˣ for log-means x

    Roles:
        pred: the predicted mean μ, or its logarithm x.
        target: the true value y, above 0.

    Parameters:
        input: whether pred holds means or their logarithms (XGBoost's margins).

    Returns:
        One loss an element, in nats; least for μ = y, where it is 1 + ln y.

    Raises:
        DataError: a mean or a true value is not positive, or not finite.

    Source:
        XGBoost gamma-nloglik, LightGBM gamma, and the HalfGammaLoss within scikit-learn.

    Example:
        >>> import numpy as np
        >>> gamma_nll(np.array([1.0, 1.0]), np.array([1.0, 3.0]))
        array([1., 3.])
    """
    if input == "log-mean":
        return pred + product(target, exp(-pred))
    return log(pred) + ratio(target, pred)

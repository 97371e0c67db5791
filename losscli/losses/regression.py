"""Regression losses: what a prediction ŷ costs when the truth is y, most by the error e = ŷ − y."""

from typing import Annotated, Literal

from losscli.losses import numerics
from losscli.losses.dialects import EPS, dialect
from losscli.losses.domains import NOT_NEGATIVE, REAL, By, Interval, Unless
from losscli.losses.numerics import (
    LN_2PI,
    Array,
    cosine,
    exp,
    log,
    log_factorial,
    log_ratio,
    maximum,
    minimum,
    ratio,
    select,
    square,
    times_log,
)
from losscli.losses.parameters import Fraction, NotNegative, Positive
from losscli.losses.properties import INFINITY, Properties
from losscli.losses.registry import Example, loss
from losscli.losses.roles import Count, Embedding, Real, Role

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
    "mse",
    family="regression",
    aliases=("MSELoss", "MeanSquaredError", "mean_squared_error", "squared-error", "l2"),
    dialects={
        "torch": dialect("nn.functional.mse_loss", reduction="weighted-mean"),
        "keras": dialect("losses.MeanSquaredError"),
        "sklearn": dialect("metrics.mean_squared_error"),
        "torchmetrics": dialect("functional.mean_squared_error"),
        "optax": dialect("losses.squared_error"),
        "mindspore": dialect("nn.MSELoss"),
    },
    example=Example("pred,target\n2.5,3\n0,2"),
    properties=Properties(
        task="regression",
        units="squared units of y",
        convex=True,
        differentiable=True,
        robust=False,
        bounds=(0, INFINITY),
    ),
)
def mse(pred: Real, target: Real) -> Array:
    """The squared error; its mean is the mean squared error.

    Formula:
        ℓ = (ŷ − y)²

    Roles:
        pred: the predictions ŷ.
        target: the true values y.

    Returns:
        One loss an element, not negative, in squared units of y.

    Raises:
        DataError: a value is not finite.

    Source:
        torch.nn.MSELoss, keras.losses.MeanSquaredError, sklearn.metrics.mean_squared_error,
        optax.losses.squared_error. (optax.losses.l2_loss is half of it.)

    Example:
        >>> import numpy as np
        >>> mse(np.array([2.5, 0.0]), np.array([3.0, 2.0]))
        array([0.25, 4.  ])
    """
    return square(pred - target)


@loss(
    "mae",
    family="regression",
    aliases=("L1Loss", "MeanAbsoluteError", "mean_absolute_error", "absolute-error"),
    dialects={
        "torch": dialect("nn.functional.l1_loss", reduction="weighted-mean"),
        "keras": dialect("losses.MeanAbsoluteError"),
        "sklearn": dialect("metrics.mean_absolute_error"),
        "torchmetrics": dialect("functional.mean_absolute_error"),
        "mindspore": dialect("nn.L1Loss"),
    },
    example=Example("pred,target\n2.5,3\n0,2"),
    properties=Properties(
        task="regression",
        units="units of y",
        convex=True,
        differentiable=False,
        robust=True,
        bounds=(0, INFINITY),
    ),
)
def mae(pred: Real, target: Real) -> Array:
    """The absolute error; its mean is the mean absolute error.

    Formula:
        ℓ = |ŷ − y|

    Roles:
        pred: the predictions ŷ.
        target: the true values y.

    Returns:
        One loss an element, not negative, in the units of y.

    Raises:
        DataError: a value is not finite.

    Source:
        torch.nn.L1Loss, keras.losses.MeanAbsoluteError, sklearn.metrics.mean_absolute_error.

    Example:
        >>> import numpy as np
        >>> mae(np.array([2.5, 0.0]), np.array([3.0, 2.0]))
        array([0.5, 2. ])
    """
    return abs(pred - target)


@loss(
    "huber",
    family="regression",
    aliases=("HuberLoss", "huber_loss"),
    dialects={
        "torch": dialect("nn.functional.huber_loss"),
        "keras": dialect("losses.Huber"),
        "optax": dialect("losses.huber_loss"),
        "mindspore": dialect("nn.HuberLoss"),
    },
    example=Example("pred,target\n2.5,3\n0,2"),
    properties=Properties(
        task="regression",
        units="squared units of y",
        convex=True,
        differentiable=True,
        robust=True,
        bounds=(0, INFINITY),
    ),
)
def huber(pred: Real, target: Real, *, delta: Positive = 1.0) -> Array:
    """Half the squared error for small errors, linear from δ on, so that outliers weigh less.

    Formula:
        ℓ = ½ e²              if |e| ≤ δ
            δ (|e| − ½ δ)     otherwise,    e = ŷ − y

    Roles:
        pred: the predictions ŷ.
        target: the true values y.

    Parameters:
        delta: δ, the error at which the square turns into a line, in the units of y.

    Returns:
        One loss an element, not negative, in squared units of y.

    Raises:
        DataError: a value is not finite.

    Source:
        torch.nn.HuberLoss, keras.losses.Huber, optax.losses.huber_loss; Huber, "Robust
        Estimation of a Location Parameter", 1964. Equals δ · smooth-l1 with β = δ.

    Example:
        >>> import numpy as np
        >>> huber(np.array([2.5, 0.0]), np.array([3.0, 2.0]))
        array([0.125, 1.5  ])
    """
    e = abs(pred - target)
    # With q = min(|e|, δ), both branches are q (|e| − ½ q).
    q = minimum(e, delta)
    return q * (e - 0.5 * q)


@loss(
    "smooth-l1",
    family="regression",
    aliases=("SmoothL1Loss", "smooth_l1_loss"),
    dialects={
        "torch": dialect("nn.functional.smooth_l1_loss"),
        "mindspore": dialect(
            "nn.SmoothL1Loss", note="it returns the losses of all elements; this is their mean"
        ),
    },
    example=Example("pred,target\n2.5,3\n0,2"),
    properties=Properties(
        task="regression",
        units="units of y",
        convex=True,
        differentiable=True,
        robust=True,
        bounds=(0, INFINITY),
    ),
)
def smooth_l1(pred: Real, target: Real, *, beta: NotNegative = 1.0) -> Array:
    """The absolute error less ½ β, rounded off to a parabola for errors below β.

    Formula:
        ℓ = ½ e² / β      if |e| < β
            |e| − ½ β     otherwise,    e = ŷ − y

    Roles:
        pred: the predictions ŷ.
        target: the true values y.

    Parameters:
        beta: β, the error at which the parabola turns into a line, in the units of y; with 0 the
            loss is the absolute error.

    Returns:
        One loss an element, not negative, in the units of y.

    Raises:
        DataError: a value is not finite.

    Source:
        torch.nn.SmoothL1Loss, mindspore.nn.SmoothL1Loss; Girshick, "Fast R-CNN", 2015. Equals
        huber / β with δ = β. (Paddle's smooth_l1_loss is the Huber loss.)

    Example:
        >>> import numpy as np
        >>> smooth_l1(np.array([2.5, 0.0]), np.array([3.0, 2.0]))
        array([0.125, 1.5  ])
    """
    e = abs(pred - target)
    # With q = min(|e| / β, 1), both branches are q (|e| − ½ q β), also in the limit β = 0.
    q = minimum(ratio(e, beta), 1.0)
    return q * (e - 0.5 * q * beta)


@loss(
    "log-cosh",
    family="regression",
    aliases=("LogCosh", "log_cosh", "LogCoshError", "log_cosh_error"),
    dialects={
        "keras": dialect("losses.LogCosh"),
        "torchmetrics": dialect(
            "functional.log_cosh_error", row="columns", note="errors beyond 710 are ∞ there"
        ),
        "optax": dialect("losses.log_cosh"),
    },
    example=Example("pred,target\n2.5,3\n0,2"),
    properties=Properties(
        task="regression",
        units="none",
        convex=True,
        differentiable=True,
        robust=True,
        bounds=(0, INFINITY),
    ),
)
def log_cosh(pred: Real, target: Real) -> Array:
    """Nearly ½ e² for small errors, nearly |e| − ln 2 for large ones, and smooth throughout.

    Formula:
        ℓ = ln cosh(ŷ − y)

    Roles:
        pred: the predictions ŷ.
        target: the true values y.

    Returns:
        One loss an element, not negative. The error must be a bare number: a unit of y sets
        where small ends.

    Raises:
        DataError: a value is not finite.

    Source:
        keras.losses.LogCosh, optax.losses.log_cosh, torchmetrics LogCoshError (which overflows
        for errors beyond 710).

    Example:
        >>> import numpy as np
        >>> log_cosh(np.array([0.0, 1e-8, 800.0]), np.array([0.0, 0.0, 0.0]))
        array([0.00000000e+00, 5.00000000e-17, 7.99306853e+02])
    """
    return numerics.log_cosh(pred - target)


@loss(
    "quantile",
    family="regression",
    aliases=("pinball", "pinball_loss", "mean_pinball_loss", "quantile_loss", "quantile_score"),
    dialects={
        "sklearn": dialect("metrics.mean_pinball_loss"),
    },
    example=Example("pred,target\n2.5,3\n0,2", "--quantile 0.8"),
    properties=Properties(
        task="regression",
        units="units of y",
        convex=True,
        differentiable=False,
        robust=True,
        bounds=(0, INFINITY),
    ),
)
def quantile(pred: Real, target: Real, *, quantile: Fraction = 0.5) -> Array:
    """The absolute error, weighted by τ where the prediction is too low and by 1 − τ above.

    Its mean is least for the τ-quantile of y. For τ = ½ it is half the absolute error.

    Formula:
        ℓ = max(τ u, (τ − 1) u),    u = y − ŷ

    Roles:
        pred: the predictions ŷ of the quantile.
        target: the true values y.

    Parameters:
        quantile: τ, the share of true values that should lie below the prediction.

    Returns:
        One loss an element, not negative, in the units of y.

    Raises:
        DataError: a value is not finite.

    Source:
        sklearn.metrics.mean_pinball_loss(alpha=τ); Koenker and Bassett, "Regression Quantiles",
        1978.

    Example:
        >>> import numpy as np
        >>> quantile(np.array([2.5, 4.0]), np.array([3.0, 3.0]), quantile=0.75)
        array([0.375, 0.25 ])
    """
    u = target - pred
    return maximum(quantile * u, (quantile - 1.0) * u)


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
        DataError: a rate or a count is negative, or a value is not finite.

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


@loss(
    "cosine-similarity",
    family="regression",
    aliases=("CosineSimilarity", "cosine_similarity", "cosine-proximity"),
    dialects={
        "keras": dialect("losses.CosineSimilarity", eps=1e-7),
    },
    example=Example("a,b,c,d\n1,0,1,1\n1,1,-1,0.5", "--pred a,b --target c,d"),
    properties=Properties(
        task="regression",
        units="none",
        convex=False,
        differentiable=False,
        robust=True,
        bounds=(-1, 1),
    ),
)
def cosine_similarity(pred: Embedding, target: Embedding, *, eps: NotNegative = 1e-7) -> Array:
    """Minus the cosine of the angle between the predicted and the true vector.

    Formula:
        ℓ = −ŷ·y / (‖ŷ‖ ‖y‖)

    Roles:
        pred: the predicted vector ŷ.
        target: the true vector y.

    Parameters:
        eps: ε, the least that each norm counts as (Keras 1e-7, torch 1e-8).

    Returns:
        One loss a row, from −1 for one direction to 1 for opposite ones; 0 for a zero vector,
        which has no direction (the limit of a vanishing ε).

    Raises:
        DataError: a value is not finite.

    Source:
        keras.losses.CosineSimilarity. (torch, torchmetrics and optax have functions of the name
        that are the cosine itself.)

    Example:
        >>> import numpy as np
        >>> pred, target = np.array([[3.0, 0.0], [0.0, 0.0]]), np.array([[2.0, 0.0], [1.0, 0.0]])
        >>> cosine_similarity(pred, target)
        array([-1.,  0.])
    """
    return 0.0 - cosine(pred, target, eps)

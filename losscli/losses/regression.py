"""Regression losses: what a prediction ŷ costs when the truth is y, most by the error e = ŷ − y."""

from typing import Literal

from losscli.losses import constants, numerics
from losscli.losses.dialects import dialect
from losscli.losses.numerics import (
    Array,
    clip,
    cosine,
    maximum,
    minimum,
    ratio,
    square,
)
from losscli.losses.parameters import Fraction, NotNegative, Positive
from losscli.losses.properties import INFINITY, Properties
from losscli.losses.registry import Edge, Example, loss
from losscli.losses.roles import Real, Vectors


@loss(
    "mse",
    family="regression",
    aliases=("MSELoss", "MeanSquaredError", "mean_squared_error", "squared-error"),
    dialects={
        "torch": dialect("nn.functional.mse_loss", reduction="weighted-mean"),
        "keras": dialect("losses.MeanSquaredError"),
        "sklearn": dialect("metrics.mean_squared_error"),
        "torchmetrics": dialect("functional.mean_squared_error"),
        "optax": dialect("losses.squared_error"),
        "mindspore": dialect("nn.MSELoss"),
    },
    example=Example("pred,target\n2.5,3\n0,2"),
    edges=(Edge("an error of 1e200, whose square exceeds every float", "1e200,0"),),
    constant=constants.mean,
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
    edges=(Edge("an error of 1e200", "1e200,0"),),
    constant=constants.median,
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
    edges=(
        Edge("an error of δ", "1,0"),
        Edge("an error of 1e200", "1e200,0"),
        Edge("an error of 1e-200", "1e-200,0"),
    ),
    constant=constants.least_error(constants.huber_slope),
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
    edges=(
        Edge("an error of β", "1,0"),
        Edge("β = 0 is the absolute error", "0.5,0", "--beta 0"),
        Edge("no error", "2,2", "--beta 0"),
    ),
    constant=constants.smooth_median,
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
    edges=(
        Edge("an error of 800", "800,0"),
        Edge("an error of 1e-8", "1e-8,0"),
    ),
    constant=constants.least_error(constants.log_cosh_slope),
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
    edges=(
        Edge("no error", "2,2"),
        Edge("an error within the dead zone", "2.05,2", "--dead-zone 0.1"),
    ),
    constant=constants.only(constants.quantile_of_parameter, dead_zone=0.0),
    properties=Properties(
        task="regression",
        units="units of y",
        convex=True,
        differentiable=False,
        robust=True,
        bounds=(0, INFINITY),
    ),
)
def quantile(
    pred: Real,
    target: Real,
    *,
    quantile: Fraction = 0.5,
    dead_zone: NotNegative = 0.0,
    scale: Literal["half", "full"] = "half",
) -> Array:
    """The absolute error, weighted by τ where the prediction is too low and by 1 − τ above.

    Its mean is least for the τ-quantile of y. For τ = ½ it is half the absolute error.

    Formula:
        ℓ = max(τ u, (τ − 1) u),    u = y − ŷ

    Roles:
        pred: the predictions ŷ of the quantile.
        target: the true values y.

    Parameters:
        quantile: τ, the share of true values that should lie below the prediction.
        dead_zone: δ; errors up to it cost nothing, and u is nearer to 0 by it (CatBoost 1e-6).
        scale: half is the formula, half the absolute error for τ = ½; full is twice that, the
            absolute error itself (GluonTS, M5).

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
    if dead_zone:
        u = u - clip(u, -dead_zone, dead_zone)
    value = maximum(quantile * u, (quantile - 1.0) * u)
    return 2.0 * value if scale == "full" else value


@loss(
    "cosine-similarity",
    family="regression",
    aliases=("CosineSimilarity", "cosine_similarity", "cosine-proximity"),
    dialects={
        "torch": dialect(
            "nn.functional.cosine_similarity",
            negate=False,
            eps=1e-8,
            note="it returns the cosines of all rows; the value is their mean. Its vectors are on "
            "axis 1: of arrays of three axes and more, add --class-axis 1",
        ),
        "keras": dialect("losses.CosineSimilarity", row="none", eps=1e-7),
        "torchmetrics": dialect(
            "functional.cosine_similarity",
            negate=False,
            eps=0.0,
            reduction="sum",
            note="it computes in float32, this in float64; a zero vector gives NaN there",
        ),
        "optax": dialect(
            "losses.cosine_similarity",
            negate=False,
            eps=0.0,
            note="its epsilon is the square of eps; a zero vector gives NaN there",
        ),
    },
    example=Example("a,b,c,d\n1,0,1,1\n1,1,-1,0.5", "--pred a,b --target c,d"),
    edges=(
        Edge("a zero vector", "0,0,1,0"),
        Edge("both vectors zero", "0,0,0,0"),
        Edge("a vector 1e-9 long, along the other", "1e-9,0,1,0"),
        Edge("a vector 1e-9 long, along the other", "1e-9,0,1,0", "--eps 0"),
    ),
    constant=constants.direction,
    properties=Properties(
        task="regression",
        units="none",
        convex=False,
        differentiable=False,
        robust=True,
        bounds=(-1, 1),
    ),
)
def cosine_similarity(
    pred: Vectors, target: Vectors, *, eps: NotNegative = 1e-7, negate: bool = True
) -> Array:
    """Minus the cosine of the angle between the predicted and the true vector.

    Formula:
        ℓ = −ŷ·y / (‖ŷ‖ ‖y‖)

    Roles:
        pred: the predicted vector ŷ.
        target: the true vector y.

    Parameters:
        eps: ε, the least that each norm counts as (Keras 1e-7, torch 1e-8).
        negate: the loss is minus the cosine; without, it is the cosine itself, which grows with
            the likeness (torch, torchmetrics and optax).

    Returns:
        One loss a row, from −1 for one direction to 1 for opposite ones; 0 for a zero vector,
        which has no direction (the limit of a vanishing ε).

    Raises:
        DataError: a value is not finite.

    Source:
        keras.losses.CosineSimilarity. (torch, torchmetrics and optax have functions of the name
        that are the cosine itself: --no-negate.)

    Example:
        >>> import numpy as np
        >>> pred, target = np.array([[3.0, 0.0], [0.0, 0.0]]), np.array([[2.0, 0.0], [1.0, 0.0]])
        >>> cosine_similarity(pred, target)
        array([-1.,  0.])
    """
    similarity = cosine(pred, target, eps)
    return 0.0 - similarity if negate else similarity

"""Regression losses: functions of the error e = ŷ − y."""

from losscli.losses.domains import Positive, Real
from losscli.losses.numerics import Array, minimum, square
from losscli.losses.registry import Example, loss


@loss(
    "mse",
    family="regression",
    aliases=("MSELoss", "MeanSquaredError", "mean_squared_error", "squared-error", "l2"),
    example=Example("pred,target\n2.5,3\n0,2"),
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
    example=Example("pred,target\n2.5,3\n0,2"),
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
    example=Example("pred,target\n2.5,3\n0,2"),
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

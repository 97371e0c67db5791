"""More regression losses: halves, roots and shares of the error, by element or of a whole set."""

from typing import Annotated, Literal

from losscli.losses import constants
from losscli.losses.dialects import dialect
from losscli.losses.domains import Interval
from losscli.losses.numerics import (
    Array,
    divide,
    hypot,
    maximum,
    ones,
    power,
    ratio,
    relu,
    sqrt,
    square,
)
from losscli.losses.parameters import NotNegative, Number, Positive
from losscli.losses.properties import INFINITY, Properties
from losscli.losses.proportions import AboveMinusOne, msle
from losscli.losses.registry import Edge, Example, Pooled, alias, loss
from losscli.losses.roles import Real

AtLeastOne = Annotated[float, Number(Interval(low=1.0))]
#: torchmetrics' least denominator of percentage errors
TORCHMETRICS_EPS = 1.17e-6


@loss(
    "half-squared-error",
    family="regression",
    aliases=("HalfSquaredError", "half-mse", "half-mean-squared-error", "l2_loss"),
    dialects={"optax": dialect("losses.l2_loss")},
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
def half_squared_error(pred: Real, target: Real) -> Array:
    """Half the squared error, whose derivative is the error itself.

    Formula:
        ℓ = ½ (ŷ − y)²

    Roles:
        pred: the predictions ŷ.
        target: the true values y.

    Returns:
        One loss an element, not negative, in squared units of y.

    Raises:
        DataError: a value is not finite.

    Source:
        optax.losses.l2_loss. (`mse` is the whole square.)

    Example:
        >>> import numpy as np
        >>> half_squared_error(np.array([2.5, 0.0]), np.array([3.0, 2.0]))
        array([0.125, 2.   ])
    """
    return 0.5 * square(pred - target)


@loss(
    "pseudo-huber",
    family="regression",
    aliases=("PseudoHuberLoss", "pseudo-huber-error", "pseudohubererror"),
    example=Example("pred,target\n2.5,3\n0,2"),
    edges=(
        Edge("an error of 1e200", "1e200,0"),
        Edge("an error of 1e-8", "1e-8,0"),
    ),
    constant=constants.least_error(constants.pseudo_huber_slope),
    properties=Properties(
        task="regression",
        units="squared units of y",
        convex=True,
        differentiable=True,
        robust=True,
        bounds=(0, INFINITY),
    ),
)
def pseudo_huber(pred: Real, target: Real, *, delta: Positive = 1.0) -> Array:
    """Nearly ½ e² for small errors, nearly δ |e| for large ones, and smooth throughout.

    Formula:
        ℓ = δ² (√(1 + (e / δ)²) − 1),    e = ŷ − y

    Roles:
        pred: the predictions ŷ.
        target: the true values y.

    Parameters:
        delta: δ, the slope of the loss for large errors, in the units of y.

    Returns:
        One loss an element, not negative, in squared units of y.

    Raises:
        DataError: a value is not finite.

    Source:
        XGBoost reg:pseudohubererror (huber_slope = δ); Charbonnier et al., "Deterministic
        Edge-Preserving Regularization in Computed Imaging", 1997. Not `huber`, which it nears.

    Example:
        >>> import numpy as np
        >>> pseudo_huber(np.array([3.0, 1e-9]), np.array([0.0, 0.0]), delta=4.0)
        array([4.e+00, 5.e-19])
    """
    e = abs(pred - target)
    # √(1 + r²) − 1 = r² / (1 + √(1 + r²)): no cancellation, and no square that overflows.
    return e * (e * (delta / (delta + hypot(delta, e))))


@loss(
    "smape",
    family="regression",
    aliases=(
        "SymmetricMeanAbsolutePercentageError",
        "symmetric_mean_absolute_percentage_error",
        "symmetric-absolute-percentage-error",
    ),
    dialects={
        "torchmetrics": dialect(
            "functional.symmetric_mean_absolute_percentage_error", eps=TORCHMETRICS_EPS
        ),
    },
    example=Example("pred,target\n1.5,1\n2,2\n5,3"),
    edges=(
        Edge("y = 0", "1,0"),
        Edge("ŷ = y = 0", "0,0"),
    ),
    differing=Example("pred,target\n1.5,1\n0,0.000001"),
    properties=Properties(
        task="regression",
        units="none",
        convex=False,
        differentiable=False,
        robust=True,
        bounds=(0, 2),
    ),
)
def smape(
    pred: Real,
    target: Real,
    *,
    scale: Literal["fraction", "percent"] = "fraction",
    denominator: Literal["mean", "sum"] = "mean",
    eps: NotNegative = 0.0,
) -> Array:
    """The absolute error as a share of the mean size of the prediction and the true value.

    Formula:
        ℓ = |ŷ − y| / (½ (|ŷ| + |y|))

    Roles:
        pred: the predictions ŷ.
        target: the true values y.

    Parameters:
        scale: as a fraction, or as percent (CatBoost).
        denominator: the mean of |ŷ| and |y|, or their sum, with which the loss is half as large.
        eps: ε, the least that |ŷ| + |y| counts as (torchmetrics 1.17e-6).

    Returns:
        One loss an element, without units, from 0 to 2 (1 with --denominator sum; times 100 in
        percent). 0 where ŷ and y are both 0.

    Raises:
        DataError: a value is not finite.

    Source:
        torchmetrics SymmetricMeanAbsolutePercentageError, CatBoost SMAPE; Makridakis, "Accuracy
        Measures: Theoretical and Practical Concerns", 1993.

    Example:
        >>> import numpy as np
        >>> smape(np.array([3.0, 0.0, -1.0]), np.array([1.0, 0.0, 1.0]))
        array([1., 0., 2.])
    """
    share = ratio(abs(pred - target), maximum(abs(pred) + abs(target), eps))
    factor = (2.0 if denominator == "mean" else 1.0) * (100.0 if scale == "percent" else 1.0)
    return factor * share


@loss(
    "rmse",
    family="regression",
    kind="pooled",
    aliases=("RMSELoss", "RootMeanSquaredError", "root_mean_squared_error"),
    dialects={
        "keras": dialect("metrics.RootMeanSquaredError", per="all"),
        "sklearn": dialect("metrics.root_mean_squared_error", per="class"),
        "torchmetrics": dialect(
            "functional.mean_squared_error", per="all", note="with squared=False"
        ),
        "mindspore": dialect("nn.RMSELoss", per="all"),
    },
    example=Example("a,b,c,d\n1,2,0,0\n3,5,3,3", "--pred a,b --target c,d"),
    edges=(
        Edge("no error", "1,2,1,2"),
        Edge("an error of 1e200, whose square exceeds every float", "1e200,0,0,0"),
    ),
    constant=constants.mean,
    properties=Properties(
        task="regression",
        units="units of y",
        convex=True,
        differentiable=False,
        robust=True,
        bounds=(0, INFINITY),
    ),
)
def rmse(pred: Real, target: Real) -> Pooled:
    """The root of the mean squared error, of all elements together or of each column.

    Over everything it is one number. `--per class` takes the root of each column, and then their
    mean, which is scikit-learn's form for several outputs; with `--row columns` the roots stay
    apart. `--per image` takes the root of each row.

    Formula:
        L = √(Σ (ŷ − y)² / n)

    Roles:
        pred: the predictions ŷ.
        target: the true values y.

    Returns:
        One loss for each unit that --per names, not negative, in the units of y.

    Raises:
        DataError: a value is not finite.

    Source:
        sklearn.metrics.root_mean_squared_error (per class), torchmetrics MeanSquaredError
        (squared=False), keras.metrics.RootMeanSquaredError, mindspore.nn.RMSELoss.

    Example:
        >>> import numpy as np
        >>> pooled = rmse(np.array([3.0, 4.0]), np.array([0.0, 0.0]))
        >>> float(pooled.finish(**{k: v.sum() for k, v in pooled.sums.items()}).round(6))
        3.535534
    """
    squared = square(pred - target)

    def finish(squared: Array, count: Array) -> Array:
        return sqrt(divide(squared, count))

    return Pooled({"squared": squared, "count": ones(squared)}, finish)


@loss(
    "wape",
    family="regression",
    kind="pooled",
    aliases=(
        "wmape",
        "WeightedMeanAbsolutePercentageError",
        "weighted_mean_absolute_percentage_error",
        "normalized-deviation",
    ),
    dialects={
        "torchmetrics": dialect(
            "functional.weighted_mean_absolute_percentage_error", per="all", eps=TORCHMETRICS_EPS
        ),
    },
    example=Example("pred,target\n1.5,1\n2,2\n5,3"),
    edges=(
        Edge("every y = 0", "1,0\n2,0"),
        Edge("every ŷ = y = 0", "0,0\n0,0"),
        Edge("every y = 0", "1,0\n2,0", "--eps 1e-6"),
    ),
    constant=constants.median,
    differing=Example("pred,target\n0.000002,0.000001"),
    properties=Properties(
        task="regression",
        units="none",
        convex=True,
        differentiable=False,
        robust=True,
        bounds=(0, INFINITY),
    ),
)
def wape(
    pred: Real,
    target: Real,
    *,
    scale: Literal["fraction", "percent"] = "fraction",
    eps: NotNegative = 0.0,
) -> Pooled:
    """All absolute errors together as a share of all true values together.

    Formula:
        L = Σ |ŷ − y| / Σ |y|

    Roles:
        pred: the predictions ŷ.
        target: the true values y.

    Parameters:
        scale: as a fraction, or as percent.
        eps: ε, the least that Σ |y| counts as (torchmetrics 1.17e-6).

    Returns:
        One loss for each unit that --per names, not negative, without units. Where every y is 0,
        with no `eps`, it is ∞, and 0 where every ŷ is 0 too.

    Raises:
        DataError: a value is not finite.

    Source:
        torchmetrics WeightedMeanAbsolutePercentageError; Kolassa and Schütz, "Advantages of the
        MAD/Mean Ratio over the MAPE", 2007.

    Example:
        >>> import numpy as np
        >>> pooled = wape(np.array([1.5, 2.0, 5.0]), np.array([1.0, 2.0, 3.0]))
        >>> float(pooled.finish(**{k: v.sum() for k, v in pooled.sums.items()}).round(6))
        0.416667
    """

    def finish(error: Array, size: Array) -> Array:
        share = ratio(error, maximum(size, eps))
        return 100.0 * share if scale == "percent" else share

    return Pooled({"error": abs(pred - target), "size": abs(target)}, finish)


@loss(
    "rmsle",
    family="regression",
    kind="pooled",
    aliases=("root_mean_squared_log_error", "root-mean-squared-logarithmic-error"),
    dialects={"sklearn": dialect("metrics.root_mean_squared_log_error", per="class")},
    example=Example("a,b,c,d\n1,2,0,0\n3,5,3,3", "--pred a,b --target c,d"),
    edges=(
        Edge("no error", "1,2,1,2"),
        Edge("ŷ = -1", "-1,0,0,0"),
        Edge("ŷ = -1", "-1,0,0,0", "--clip 0"),
    ),
    constant=constants.geometric_mean,
    properties=Properties(task="regression", units="none"),
)
def rmsle(pred: AboveMinusOne, target: AboveMinusOne, *, clip: NotNegative | None = None) -> Pooled:
    """The root of the mean squared logarithmic error, of all elements or of each column.

    Formula:
        L = √(Σ (ln(1 + ŷ) − ln(1 + y))² / n)

    Roles:
        pred: the predictions ŷ, above −1.
        target: the true values y, above −1.

    Parameters:
        clip: values below it are raised to it first, so that every number is allowed.

    Returns:
        One loss for each unit that --per names, not negative, without units.

    Raises:
        DataError: a value is not finite, or is −1 or less and there is no `clip`.

    Source:
        sklearn.metrics.root_mean_squared_log_error (per class), XGBoost rmsle.

    Example:
        >>> import numpy as np
        >>> pooled = rmsle(np.array([1.0, 0.0]), np.array([0.0, 0.0]))
        >>> float(pooled.finish(**{k: v.sum() for k, v in pooled.sums.items()}).round(6))
        0.490129
    """
    squared = msle(pred, target, clip=clip)

    def finish(squared: Array, count: Array) -> Array:
        return sqrt(divide(squared, count))

    return Pooled({"squared": squared, "count": ones(squared)}, finish)


@loss(
    "minkowski",
    family="regression",
    kind="pooled",
    aliases=("lp", "MinkowskiDistance", "minkowski_distance"),
    dialects={"torchmetrics": dialect("functional.minkowski_distance", per="all")},
    example=Example("pred,target\n2.5,3\n0,2"),
    edges=(
        Edge("no error", "2,2"),
        Edge("an error of 1e200, whose square exceeds every float", "1e200,0"),
        Edge("an error of 1e200", "1e200,0", "--p 1"),
    ),
    constant=constants.least_error(constants.power_slope),
    properties=Properties(
        task="regression",
        units="units of y",
        convex=True,
        differentiable=False,
        robust=True,
        bounds=(0, INFINITY),
    ),
)
def minkowski(pred: Real, target: Real, *, p: AtLeastOne = 2.0) -> Pooled:
    """The distance of all predictions from all true values: the p-th root of the sum of powers.

    Formula:
        L = (Σ |ŷ − y|ᵖ)^(1/p)

    Roles:
        pred: the predictions ŷ.
        target: the true values y.

    Parameters:
        p: the power, 1 for the city-block and 2 for the Euclidean distance.

    Returns:
        One loss for each unit that --per names, not negative, in the units of y.

    Raises:
        DataError: a value is not finite.

    Source:
        torchmetrics.functional.minkowski_distance.

    Example:
        >>> import numpy as np
        >>> pooled = minkowski(np.array([3.0, 4.0]), np.array([0.0, 0.0]))
        >>> float(pooled.finish(**{k: v.sum() for k, v in pooled.sums.items()}))
        5.0
    """

    def finish(powers: Array) -> Array:
        return power(powers, 1.0 / p)

    return Pooled({"powers": power(abs(pred - target), p)}, finish)


@loss(
    "epsilon-insensitive",
    family="regression",
    aliases=(
        "EpsilonInsensitive",
        "svr-loss",
        alias("SquaredEpsilonInsensitive", squared=True),
    ),
    example=Example("pred,target\n2.5,3\n0,2"),
    edges=(
        Edge("an error of ε", "0.1,0"),
        Edge("ε = 0 is the absolute error", "0.5,0", "--epsilon 0"),
    ),
    constant=constants.least_error(constants.insensitive_slope),
    properties=Properties(
        task="regression",
        units="units of y",
        convex=True,
        differentiable=False,
        robust=True,
        bounds=(0, INFINITY),
    ),
)
def epsilon_insensitive(
    pred: Real, target: Real, *, epsilon: NotNegative = 0.1, squared: bool = False
) -> Array:
    """What the absolute error exceeds ε by, so that small errors cost nothing.

    Formula:
        ℓ = max(0, |ŷ − y| − ε)

    Roles:
        pred: the predictions ŷ.
        target: the true values y.

    Parameters:
        epsilon: ε, the error up to which nothing is lost, in the units of y.
        squared: square each loss.

    Returns:
        One loss an element, not negative, in the units of y, or their squares.

    Raises:
        DataError: a value is not finite.

    Source:
        Vapnik, "The Nature of Statistical Learning Theory", 1995; scikit-learn's LinearSVR and
        SGDRegressor.

    Example:
        >>> import numpy as np
        >>> epsilon_insensitive(np.array([2.5, 0.0]), np.array([3.0, 0.25]), epsilon=0.25)
        array([0.25, 0.  ])
    """
    beyond = relu(abs(pred - target) - epsilon)
    return square(beyond) if squared else beyond

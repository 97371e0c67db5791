"""Margin losses: what one score or distance lacks to be right by a margin."""

from typing import Annotated, Literal

from losscli.losses import constants
from losscli.losses.dialects import (
    dialect,
    larger_is_positive,
    sigmoid_if_outside,
    zero_one_if_binary,
)
from losscli.losses.domains import REAL, SIGN, By
from losscli.losses.numerics import Array, exp, relu, select, sigmoid, softplus, square
from losscli.losses.parameters import Finite, Integer
from losscli.losses.properties import INFINITY, Properties
from losscli.losses.registry import Edge, Example, Rows, alias, loss
from losscli.losses.roles import Real, Role, Sign

SignOrReal = Annotated[
    Array,
    Role(
        (
            (
                "n ...",
                By("off_labels", {"error": SIGN, "both": REAL, "sign": REAL, "zero": REAL}),
            ),
        )
    ),
]


@loss(
    "hinge-embedding",
    family="margin",
    aliases=("HingeEmbeddingLoss", "hinge_embedding_loss"),
    dialects={
        "torch": dialect("nn.functional.hinge_embedding_loss", off_labels="both"),
        "mindspore": dialect("nn.HingeEmbeddingLoss", off_labels="sign"),
    },
    example=Example("pred,target\n0.25,1\n0.25,-1"),
    edges=(
        Edge("a label of 0", "0.25,0"),
        Edge("a label of 0", "0.25,0", "--off-labels both"),
        Edge("a label of 0", "0.25,0", "--off-labels sign"),
        Edge("a dissimilar pair farther than the margin", "2,-1"),
    ),
    differing=Example("pred,target\n0.25,1\n0.25,0.5"),
    properties=Properties(
        task="metric-learning",
        units="units of the distance",
        convex=True,
        differentiable=False,
        robust=True,
        bounds=(-INFINITY, INFINITY),
    ),
)
def hinge_embedding(
    pred: Real,
    target: SignOrReal,
    *,
    margin: Finite = 1.0,
    off_labels: Literal["error", "both", "sign", "zero"] = "error",
) -> Array:
    """The distance itself for similar pairs, its shortfall from the margin for dissimilar ones.

    Formula:
        ℓ = x                if y = +1
            max(0, Δ − x)    if y = −1

    Roles:
        pred: the distance x of each pair.
        target: the label y of each pair, +1 similar and −1 dissimilar.

    Parameters:
        margin: Δ, the distance from which on a dissimilar pair costs nothing.
        off_labels: labels other than −1 and +1 are an error, cost both branches (torch), take
            the branch of their sign (MindSpore), or cost zero (Paddle).

    Returns:
        One loss a distance, in the units of x; not negative where the distances are not.

    Raises:
        DataError: a distance is not finite, or a label is neither −1 nor +1.

    Source:
        torch.nn.HingeEmbeddingLoss, mindspore.nn.HingeEmbeddingLoss; Weston et al.,
        "Deep Learning via Semi-Supervised Embedding", 2008.

    Example:
        >>> import numpy as np
        >>> hinge_embedding(np.array([0.25, 0.25]), np.array([1.0, -1.0]))
        array([0.25, 0.75])
    """
    similar, dissimilar = pred, relu(margin - pred)
    if off_labels == "both":
        return select(target != -1, similar, 0.0) + select(target != 1, dissimilar, 0.0)
    if off_labels == "sign":
        return select(target > 0, similar, select(target < 0, dissimilar, 0.0))
    if off_labels == "zero":
        return select(target == 1, similar, select(target == -1, dissimilar, 0.0))
    return select(target > 0, similar, dissimilar)


def shortfall(pred: Array, target: Array, margin: float, activation: str) -> Array:
    """What scores lack to lie on the right side of zero by a margin."""
    score = sigmoid(pred) if activation == "sigmoid" else pred
    return relu(margin - target * score)


def without_ignored(value: Array, target: Array, ignore_index: int | None) -> Array | Rows:
    """The losses of labels −1 and +1, without those of the ignored label where there is one."""
    return value if ignore_index is None else Rows(value, keep=abs(target) == 1)


@loss(
    "hinge",
    family="margin",
    aliases=(
        "HingeLoss",
        "hinge_loss",
        "BinaryHingeLoss",
        "binary_hinge_loss",
        alias("perceptron", margin=0.0),
    ),
    dialects={
        "keras": dialect("losses.Hinge", decide=zero_one_if_binary),
        "sklearn": dialect("metrics.hinge_loss", decide=larger_is_positive, one_column=True),
        "torchmetrics": dialect(
            "functional.classification.binary_hinge_loss",
            labels=("0", "1"),
            rows="2,1\n0.5,0",
            decide=sigmoid_if_outside,
        ),
        "optax": dialect("losses.hinge_loss"),
    },
    of_classes="multiclass-hinge",
    example=Example("pred,target\n0.5,1\n0.5,-1"),
    edges=(
        Edge("a score of 0", "0,1"),
        Edge("a score of -800 and y = 1", "-800,1"),
        Edge("one label alone", "2,1\n3,1"),
        Edge("one label alone", "2,1\n3,1", "--dialect sklearn"),
        Edge("a label of 0", "0.5,0"),
        Edge("every row is ignored", "0.5,0", "--ignore-index 0"),
    ),
    constant=constants.only(constants.majority, activation="none"),
    differing=Example("pred,target\n2,1\n0.5,-1"),
    properties=Properties(
        task="binary-classification",
        units="units of the score",
        convex=True,
        differentiable=False,
        robust=True,
        bounds=(0, INFINITY),
    ),
)
def hinge(
    pred: Real,
    target: Sign,
    *,
    margin: Finite = 1.0,
    activation: Literal["none", "sigmoid"] = "none",
    ignore_index: Integer | None = None,
) -> Array | Rows:
    """What a score lacks to lie on the right side of zero by the margin.

    Formula:
        ℓ = max(0, Δ − y s)

    Roles:
        pred: the score s; its sign is the predicted class.
        target: the label y, −1 or +1.

    Parameters:
        margin: Δ, the product of label and score from which on a row costs nothing.
        activation: a function applied to the scores first; torchmetrics applies the sigmoid
            when any score of the batch is outside [0, 1].
        ignore_index: a label other than the two, whose elements are left out of every sum.

    Returns:
        One loss a score, not negative, in the units of the score.

    Raises:
        DataError: a score is not finite, or a label is neither −1 nor +1.

    Source:
        keras.losses.Hinge, optax.losses.hinge_loss, sklearn.metrics.hinge_loss,
        torchmetrics BinaryHingeLoss; Cortes and Vapnik, "Support-Vector Networks", 1995.

    Example:
        >>> import numpy as np
        >>> hinge(np.array([0.5, 0.5, 2.0]), np.array([1.0, -1.0, 1.0]))
        array([0.5, 1.5, 0. ])
    """
    value = shortfall(pred, target, margin, activation)
    return without_ignored(value, target, ignore_index)


@loss(
    "squared-hinge",
    family="margin",
    aliases=("SquaredHinge",),
    dialects={
        "keras": dialect("losses.SquaredHinge", decide=zero_one_if_binary),
        "torchmetrics": dialect(
            "functional.classification.binary_hinge_loss(squared=True)",
            labels=("0", "1"),
            rows="2,1\n0.5,0",
            decide=sigmoid_if_outside,
        ),
    },
    of_classes="multiclass-hinge",
    example=Example("pred,target\n0.5,1\n0.5,-1"),
    edges=(
        Edge("a score of 0", "0,1"),
        Edge("a score of -800 and y = 1", "-800,1"),
        Edge("a label of 0", "0.5,0"),
        Edge("every row is ignored", "0.5,0", "--ignore-index 0"),
    ),
    constant=constants.only(constants.balance, activation="none"),
    differing=Example("pred,target\n2,1\n0.5,-1"),
    properties=Properties(
        task="binary-classification",
        units="squared units of the score",
        convex=True,
        differentiable=True,
        robust=False,
        bounds=(0, INFINITY),
    ),
)
def squared_hinge(
    pred: Real,
    target: Sign,
    *,
    margin: Finite = 1.0,
    activation: Literal["none", "sigmoid"] = "none",
    ignore_index: Integer | None = None,
) -> Array | Rows:
    """The square of the hinge loss: small shortfalls cost little, large ones much.

    Formula:
        ℓ = max(0, Δ − y s)²

    Roles:
        pred: the score s; its sign is the predicted class.
        target: the label y, −1 or +1.

    Parameters:
        margin: Δ, the product of label and score from which on a row costs nothing.
        activation: a function applied to the scores first; torchmetrics applies the sigmoid
            when any score of the batch is outside [0, 1].
        ignore_index: a label other than the two, whose elements are left out of every sum.

    Returns:
        One loss a score, not negative, in squared units of the score.

    Raises:
        DataError: a score is not finite, or a label is neither −1 nor +1.

    Source:
        keras.losses.SquaredHinge, torchmetrics BinaryHingeLoss(squared=True);
        scikit-learn's LinearSVC(loss="squared_hinge").

    Example:
        >>> import numpy as np
        >>> squared_hinge(np.array([0.5, 0.5, 2.0]), np.array([1.0, -1.0, 1.0]))
        array([0.25, 2.25, 0.  ])
    """
    value = square(shortfall(pred, target, margin, activation))
    return without_ignored(value, target, ignore_index)


@loss(
    "soft-margin",
    family="margin",
    aliases=("SoftMarginLoss", "soft_margin_loss"),
    dialects={
        "torch": dialect("nn.functional.soft_margin_loss"),
        "mindspore": dialect("nn.SoftMarginLoss"),
    },
    example=Example("pred,target\n0.5,1\n0.5,-1"),
    edges=(
        Edge("a score of -800 and y = 1", "-800,1"),
        Edge("a score of 800 and y = 1", "800,1"),
        Edge("a score of 0", "0,1"),
    ),
    constant=constants.log_odds,
    properties=Properties(
        task="binary-classification",
        units="nats",
        convex=True,
        differentiable=True,
        robust=True,
        bounds=(0, INFINITY),
    ),
)
def soft_margin(pred: Real, target: Sign) -> Array:
    """The smooth hinge: it falls as a score moves to its side of zero, and never quite to nothing.

    Formula:
        ℓ = ln(1 + exp(−y s))

    Roles:
        pred: the score s; its sign is the predicted class.
        target: the label y, −1 or +1.

    Returns:
        One loss a score, in nats, positive: ln 2 at s = 0. It equals `binary-cross-entropy` of
        the logit s with labels 0 and 1.

    Raises:
        DataError: a score is not finite, or a label is neither −1 nor +1.

    Source:
        torch.nn.SoftMarginLoss, mindspore.nn.SoftMarginLoss.

    Example:
        >>> import numpy as np
        >>> soft_margin(np.array([800.0, 800.0]), np.array([1.0, -1.0]))
        array([  0., 800.])
    """
    return softplus(-target * pred)


@loss(
    "margin-ranking",
    family="margin",
    aliases=("MarginRankingLoss", "margin_ranking_loss"),
    dialects={
        "torch": dialect("nn.functional.margin_ranking_loss"),
        "mindspore": dialect("nn.MarginRankingLoss"),
    },
    example=Example("x1,x2,target\n1,0.5,1\n2,2.5,1"),
    edges=(
        Edge("a tie", "1,1,1"),
        Edge("a tie", "1,1,1", "--margin 0.5"),
        Edge("a label of 0", "1,1,0"),
    ),
    properties=Properties(
        task="ranking",
        units="units of the score",
        convex=True,
        differentiable=False,
        robust=True,
        bounds=(0, INFINITY),
        role="x1",
    ),
)
def margin_ranking(x1: Real, x2: Real, target: Sign, *, margin: Finite = 0.0) -> Array:
    """What a pair of scores lacks to be in the right order by the margin.

    Formula:
        ℓ = max(0, Δ − y (x₁ − x₂))

    Roles:
        x1: the first score x₁ of each pair.
        x2: the second score x₂ of each pair.
        target: the order y, +1 where the first ranks higher and −1 where the second does.

    Parameters:
        margin: Δ, the lead from which on a pair in the right order costs nothing.

    Returns:
        One loss a pair, in the units of the scores; not negative.

    Raises:
        DataError: a score is not finite, or an order is neither −1 nor +1.

    Source:
        torch.nn.MarginRankingLoss, mindspore.nn.MarginRankingLoss; Herbrich, Graepel and
        Obermayer, "Large Margin Rank Boundaries for Ordinal Regression", 2000.

    Example:
        >>> import numpy as np
        >>> margin_ranking(np.array([1.0, 2.0]), np.array([0.5, 2.5]), np.array([1.0, 1.0]))
        array([0. , 0.5])
    """
    return relu(margin - target * (x1 - x2))


@loss(
    "exponential",
    family="margin",
    aliases=("ExponentialLoss", "exp-loss", "adaboost"),
    example=Example("pred,target\n0.5,1\n0.5,-1"),
    edges=(
        Edge("a score of -800 and y = 1", "-800,1"),
        Edge("a score of 800 and y = 1", "800,1"),
        Edge("a score of 0", "0,1"),
    ),
    constant=constants.half_log_odds,
    properties=Properties(
        task="binary-classification",
        units="none",
        convex=True,
        differentiable=True,
        robust=False,
        bounds=(0, INFINITY),
    ),
)
def exponential(pred: Real, target: Sign) -> Array:
    """A cost that doubles with every ln 2 that a score is farther on the wrong side of zero.

    Formula:
        ℓ = e^(−y x)

    Roles:
        pred: the score x.
        target: the label y, −1 or +1.

    Returns:
        One loss an element, positive; ∞ where it exceeds every float.

    Raises:
        DataError: a score is not finite, or a label is neither −1 nor +1.

    Source:
        Freund and Schapire, "A Decision-Theoretic Generalization of On-Line Learning", 1997
        (AdaBoost); the ExponentialLoss within scikit-learn.

    Example:
        >>> import numpy as np
        >>> exponential(np.array([0.0, 800.0]), np.array([1.0, -1.0]))
        array([ 1., inf])
    """
    return exp(-target * pred)


@loss(
    "modified-huber",
    family="margin",
    aliases=("ModifiedHuber", "modified_huber_loss"),
    of_classes="sparsemax",
    example=Example("pred,target\n0.5,1\n0.5,-1"),
    edges=(
        Edge("a score of -1 and y = 1, where the square ends", "-1,1"),
        Edge("a score of -800 and y = 1", "-800,1"),
        Edge("a score of 1 and y = 1", "1,1"),
    ),
    constant=constants.mean,
    properties=Properties(
        task="binary-classification",
        units="squared units of the score",
        convex=True,
        differentiable=True,
        robust=True,
        bounds=(0, INFINITY),
    ),
)
def modified_huber(pred: Real, target: Sign) -> Array:
    """The squared hinge, which turns into a line for scores that are wrong by more than 1.

    A quarter of it is the sparsemax loss of two classes: optax's sparsemax_loss.

    Formula:
        ℓ = max(0, 1 − y x)²    if y x ≥ −1
            −4 y x              otherwise

    Roles:
        pred: the score x.
        target: the label y, −1 or +1.

    Returns:
        One loss an element, not negative.

    Raises:
        DataError: a score is not finite, or a label is neither −1 nor +1.

    Source:
        Zhang, "Solving Large Scale Linear Prediction Problems Using Stochastic Gradient Descent
        Algorithms", 2004; scikit-learn's SGDClassifier(loss="modified_huber").

    Example:
        >>> import numpy as np
        >>> modified_huber(np.array([0.5, 0.5, 2.0]), np.array([1.0, -1.0, -1.0]))
        array([0.25, 2.25, 8.  ])
    """
    z = target * pred
    return select(z >= -1.0, square(relu(1.0 - z)), -4.0 * z)

"""Margin losses: what scores or distances lack to be right by a margin."""

from typing import Annotated, Literal

from losscli.losses.domains import (
    REAL,
    SIGN,
    By,
    ClassOrDistribution,
    ClassTarget,
    ClassWeights,
    Finite,
    Real,
    Role,
    Scores,
    Sign,
)
from losscli.losses.numerics import (
    Array,
    class_index,
    largest,
    one_hot,
    pick,
    power,
    relu,
    select,
    sigmoid,
    softmax,
    square,
    total,
)
from losscli.losses.registry import Example, Rows, loss

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
    example=Example("pred,target\n0.25,1\n0.25,-1"),
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


@loss(
    "hinge",
    family="margin",
    aliases=("HingeLoss", "hinge_loss", "BinaryHingeLoss", "binary_hinge_loss"),
    example=Example("pred,target\n0.5,1\n0.5,-1"),
)
def hinge(
    pred: Real,
    target: Sign,
    *,
    margin: Finite = 1.0,
    activation: Literal["none", "sigmoid"] = "none",
) -> Array:
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
    score = sigmoid(pred) if activation == "sigmoid" else pred
    return relu(margin - target * score)


@loss(
    "squared-hinge",
    family="margin",
    aliases=("SquaredHinge",),
    example=Example("pred,target\n0.5,1\n0.5,-1"),
)
def squared_hinge(
    pred: Real,
    target: Sign,
    *,
    margin: Finite = 1.0,
    activation: Literal["none", "sigmoid"] = "none",
) -> Array:
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
    return square(hinge(pred, target, margin=margin, activation=activation))


@loss(
    "categorical-hinge",
    family="margin",
    aliases=("CategoricalHinge",),
    example=Example("a,b,c,target\n0.5,0.25,-1,0\n-1,-3,-2,0", "--pred a,b,c"),
)
def categorical_hinge(pred: Scores, target: ClassOrDistribution) -> Array:
    """Keras's multiclass hinge, whose strongest rival never scores below zero.

    The maximum is over (1 − t) s, which holds a 0 at the true class; so it differs from
    `multiclass-hinge` in rows whose other scores are all negative.

    Formula:
        ℓ = max(0, 1 + max_c (1 − t_c) s_c − Σ_c t_c s_c)

    Roles:
        pred: the scores s, one a class.
        target: the class index, or a one-hot row t.

    Returns:
        One loss a row, not negative, in the units of the scores.

    Raises:
        DataError: a score is not finite, a class index is not one of the classes, or a row of t
            is not a distribution.

    Source:
        keras.losses.CategoricalHinge.

    Example:
        >>> import numpy as np
        >>> categorical_hinge(np.array([[0.5, 0.25], [-1.0, -3.0]]), np.array([0.0, 0.0]))
        array([0.75, 2.  ])
    """
    t = one_hot(class_index(target), pred.shape[-1]) if target.ndim < pred.ndim else target
    return relu(1.0 + largest((1.0 - t) * pred) - total(t * pred))


@loss(
    "multiclass-hinge",
    family="margin",
    aliases=("MulticlassHingeLoss", "multiclass_hinge_loss", "crammer-singer"),
    example=Example("a,b,c,target\n0.5,0.25,-1,0\n-1,-3,-2,0", "--pred a,b,c"),
)
def multiclass_hinge(
    pred: Scores,
    target: ClassTarget,
    *,
    mode: Literal["crammer-singer", "one-vs-all"] = "crammer-singer",
    squared: bool = False,
    activation: Literal["none", "softmax"] = "none",
) -> Array:
    """What the true class lacks to score above every other class by 1.

    Formula:
        crammer-singer   ℓ   = max(0, 1 − s_t + max_{c≠t} s_c)
        one-vs-all       ℓ_c = max(0, 1 − s_c)  if c = t,  max(0, 1 + s_c)  otherwise

    Roles:
        pred: the scores s, one a class.
        target: the index t of the true class.

    Parameters:
        mode: against the strongest rival (one loss a row), or every class against the rest
            (one loss a class; --row columns gives their C means).
        squared: square each loss.
        activation: a function applied to the scores first; torchmetrics applies the softmax
            when any score of the batch is outside [0, 1].

    Returns:
        One loss a row, or one a class of each row; not negative, in the units of the scores.

    Raises:
        DataError: a score is not finite, or a class index is not one of the classes.

    Source:
        sklearn.metrics.hinge_loss, optax.losses.multiclass_hinge_loss, torchmetrics
        MulticlassHingeLoss; Crammer and Singer, "Multiclass Kernel-based Vector Machines", 2001.

    Example:
        >>> import numpy as np
        >>> multiclass_hinge(np.array([[0.5, 0.25], [-1.0, -3.0]]), np.array([0.0, 0.0]))
        array([0.75, 0.  ])
    """
    scores = softmax(pred) if activation == "softmax" else pred
    true_class = class_index(target)
    is_true = one_hot(true_class, pred.shape[-1]) == 1
    if mode == "crammer-singer":
        rival = largest(select(is_true, -float("inf"), scores))
        shortfall = relu(1.0 - pick(scores, true_class) + rival)
    else:
        shortfall = relu(1.0 - select(is_true, scores, -scores))
    return square(shortfall) if squared else shortfall


@loss(
    "multi-margin",
    family="margin",
    aliases=("MultiMarginLoss", "multi_margin_loss", "weston-watkins"),
    example=Example("a,b,c,target\n0.5,0.25,-1,0\n-1,-3,-2,0", "--pred a,b,c"),
)
def multi_margin(
    pred: Scores,
    target: ClassTarget,
    *,
    p: Literal[1, 2] = 1,
    margin: Finite = 1.0,
    class_weight: ClassWeights | None = None,
) -> Array | Rows:
    """What the true class lacks to beat each other class by the margin, averaged over the classes.

    The sum runs over the C − 1 other classes and is divided by C, as in torch.

    Formula:
        ℓ = w_t / C · Σ_{c≠t} max(0, Δ − s_t + s_c)ᵖ

    Roles:
        pred: the scores s, one a class.
        target: the index t of the true class.

    Parameters:
        p: the power of each shortfall.
        margin: Δ, the lead over a class from which on that class costs nothing.
        class_weight: w, one weight a class.

    Returns:
        One loss a row, not negative, in the p-th power of the units of the scores.

    Raises:
        DataError: a score is not finite, or a class index is not one of the classes.

    Source:
        torch.nn.MultiMarginLoss; Weston and Watkins, "Support Vector Machines for Multi-Class
        Pattern Recognition", 1999.

    Example:
        >>> import numpy as np
        >>> multi_margin(np.array([[0.5, 0.25], [-1.0, -3.0]]), np.array([0.0, 0.0]))
        array([0.375, 0.   ])
    """
    true_class = class_index(target)
    shortfall = relu(margin - pick(pred, true_class)[..., None] + pred)
    others = one_hot(true_class, pred.shape[-1]) == 0
    value: Array = total(select(others, power(shortfall, p), 0.0)) / pred.shape[-1]
    if class_weight is None:
        return value
    weight = class_weight[true_class]
    return Rows(value * weight, weight)

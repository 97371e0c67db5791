"""Margin losses over classes: what the true classes lack to score above the others."""

from typing import Annotated, Literal

from losscli.losses import constants
from losscli.losses.class_domains import ClassList
from losscli.losses.classification import binary_cross_entropy
from losscli.losses.dialects import dialect, softmax_if_outside
from losscli.losses.domains import BINARY, REAL, SOFT_LABEL, By
from losscli.losses.numerics import (
    Array,
    class_index,
    count_listed,
    largest,
    one_hot,
    pick,
    power,
    relu,
    select,
    simplex_threshold,
    square,
    total,
)
from losscli.losses.parameters import ClassWeights, Finite, Integer
from losscli.losses.properties import INFINITY, Properties
from losscli.losses.registry import Edge, Example, Rows, alias, loss, weighted_rows
from losscli.losses.roles import ClassOrDistribution, ClassTarget, Role, Scores
from losscli.losses.softmaxes import softmax

#: classes that do not exclude one another, of which there may be a single one
LabelScores = Annotated[Array, Role((("n ... C", REAL),), one_class=True)]
MultiHot = Annotated[Array, Role((("n ... C", SOFT_LABEL),), one_class=True)]
ListOrMultiHot = Annotated[
    Array,
    Role((("n ... C", By("targets", {"indices": ClassList(), "multi-hot": BINARY})),)),
]


@loss(
    "categorical-hinge",
    family="margin",
    aliases=("CategoricalHinge",),
    dialects={
        "keras": dialect("losses.CategoricalHinge", row="none"),
    },
    example=Example("a,b,c,target\n0.5,0.25,-1,0\n-1,-3,-2,0", "--pred a,b,c"),
    edges=(
        Edge("all scores equal", "1,1,1,0"),
        Edge("every rival below 0, the true class below them", "-3,-1,-1,0"),
    ),
    properties=Properties(
        task="multiclass-classification",
        units="units of the score",
        convex=True,
        differentiable=False,
        robust=True,
        bounds=(0, INFINITY),
    ),
)
def categorical_hinge(
    pred: Scores, target: ClassOrDistribution, *, class_weight: ClassWeights | None = None
) -> Rows:
    """Keras's multiclass hinge, whose strongest rival never scores below zero.

    The maximum is over (1 − t) s, which holds a 0 at the true class; so it differs from
    `multiclass-hinge` in rows whose other scores are all negative.

    Formula:
        ℓ = max(0, 1 + max_c (1 − t_c) s_c − Σ_c t_c s_c)

    Roles:
        pred: the scores s, one a class.
        target: the class index, or a one-hot row t.

    Parameters:
        class_weight: w, one weight a class; a weighted mean divides by Σ_c w_c t_c.

    Returns:
        One loss a row, not negative, in the units of the scores.

    Raises:
        DataError: a score is not finite, a class index is not one of the classes, or a row of t
            is not a distribution.

    Source:
        keras.losses.CategoricalHinge.

    Example:
        >>> import numpy as np
        >>> categorical_hinge(np.array([[0.5, 0.25], [-1.0, -3.0]]), np.array([0.0, 0.0])).loss
        array([0.75, 2.  ])
    """
    t = one_hot(class_index(target), pred.shape[-1]) if target.ndim < pred.ndim else target
    value = relu(1.0 + largest((1.0 - t) * pred) - total(t * pred))
    return weighted_rows(value, None if class_weight is None else total(class_weight * t))


@loss(
    "multiclass-hinge",
    family="margin",
    aliases=(
        "MulticlassHingeLoss",
        "multiclass_hinge_loss",
        "crammer-singer",
        alias("multiclass-perceptron", margin=0.0),
    ),
    dialects={
        "sklearn": dialect("metrics.hinge_loss"),
        "torchmetrics": dialect(
            "functional.classification.multiclass_hinge_loss",
            row="columns",
            decide=softmax_if_outside,
        ),
        "optax": dialect("losses.multiclass_hinge_loss"),
    },
    example=Example("a,b,c,target\n0.5,0.25,-1,0\n-1,-3,-2,0", "--pred a,b,c"),
    edges=(
        Edge("all scores equal", "1,1,1,0"),
        Edge("every rival below 0, the true class below them", "-3,-1,-1,0"),
        Edge("every row is ignored", "1,1,1,-1", "--ignore-index -1"),
    ),
    properties=Properties(
        task="multiclass-classification",
        units="units of the score",
        convex=True,
        differentiable=False,
        robust=True,
        bounds=(0, INFINITY),
    ),
)
def multiclass_hinge(
    pred: Scores,
    target: ClassTarget,
    *,
    mode: Literal["crammer-singer", "one-vs-all"] = "crammer-singer",
    margin: Finite = 1.0,
    squared: bool = False,
    activation: Literal["none", "softmax"] = "none",
    class_weight: ClassWeights | None = None,
    ignore_index: Integer | None = None,
) -> Rows:
    """What the true class lacks to score above every other class by a margin.

    Formula:
        crammer-singer   ℓ   = max(0, Δ − s_t + max_{c≠t} s_c)
        one-vs-all       ℓ_c = max(0, Δ − s_c)  if c = t,  max(0, Δ + s_c)  otherwise

    Roles:
        pred: the scores s, one a class.
        target: the index t of the true class.

    Parameters:
        mode: against the strongest rival (one loss a row), or every class against the rest
            (one loss a class; --row columns gives their C means).
        margin: Δ; 0 makes it the perceptron's loss.
        squared: square each loss.
        activation: a function applied to the scores first; torchmetrics applies the softmax
            when any score of the batch is outside [0, 1].
        class_weight: w, one weight a class, for all of a row's losses; a weighted mean divides
            by Σ w_t.
        ignore_index: a class index whose rows are left out of every sum.

    Returns:
        One loss a row, or one a class of each row; not negative, in the units of the scores.

    Raises:
        DataError: a score is not finite, or a class index is not one of the classes.

    Source:
        sklearn.metrics.hinge_loss, optax.losses.multiclass_hinge_loss, torchmetrics
        MulticlassHingeLoss; Crammer and Singer, "Multiclass Kernel-based Vector Machines", 2001.

    Example:
        >>> import numpy as np
        >>> multiclass_hinge(np.array([[0.5, 0.25], [-1.0, -3.0]]), np.array([0.0, 0.0])).loss
        array([0.75, 0.  ])
    """
    scores = softmax(pred) if activation == "softmax" else pred
    keep = None if ignore_index is None else target != ignore_index
    true_class = class_index(target if keep is None else target * keep)
    is_true = one_hot(true_class, pred.shape[-1]) == 1
    weight = None if class_weight is None else class_weight[true_class]
    if mode == "crammer-singer":
        rival = largest(select(is_true, -float("inf"), scores))
        shortfall = relu(margin - pick(scores, true_class) + rival)
    else:
        shortfall = relu(margin - select(is_true, scores, -scores))
        weight = None if weight is None else weight[..., None] + 0.0 * shortfall
        keep = None if keep is None else keep[..., None] & (shortfall >= 0)
    rows = weighted_rows(square(shortfall) if squared else shortfall, weight)
    return rows._replace(keep=keep)


@loss(
    "multi-margin",
    family="margin",
    aliases=("MultiMarginLoss", "multi_margin_loss", "weston-watkins"),
    dialects={
        "torch": dialect("nn.functional.multi_margin_loss"),
        "mindspore": dialect("nn.MultiMarginLoss"),
    },
    example=Example("a,b,c,target\n0.5,0.25,-1,0\n-1,-3,-2,0", "--pred a,b,c"),
    edges=(
        Edge("all scores equal", "1,1,1,0"),
        Edge("the true class weighs 0", "1,1,1,0", "--class-weight 0,1,1"),
    ),
    # torch and MindSpore divide by the number of rows, whatever the weights.
    differing=Example(
        "a,b,c,target\n0.5,0.25,-1,0\n-1,-3,-2,2", "--pred a,b,c --class-weight 1,1,3"
    ),
    properties=Properties(
        task="multiclass-classification",
        units="units of the score",
        convex=True,
        differentiable=False,
        robust=True,
        bounds=(0, INFINITY),
    ),
)
def multi_margin(
    pred: Scores,
    target: ClassTarget,
    *,
    p: Literal[1, 2] = 1,
    margin: Finite = 1.0,
    class_weight: ClassWeights | None = None,
) -> Rows:
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
        class_weight: w, one weight a class; a weighted mean divides by Σ w_t.

    Returns:
        One loss a row, not negative, in the p-th power of the units of the scores.

    Raises:
        DataError: a score is not finite, or a class index is not one of the classes.

    Source:
        torch.nn.MultiMarginLoss; Weston and Watkins, "Support Vector Machines for Multi-Class
        Pattern Recognition", 1999.

    Example:
        >>> import numpy as np
        >>> multi_margin(np.array([[0.5, 0.25], [-1.0, -3.0]]), np.array([0.0, 0.0])).loss
        array([0.375, 0.   ])
    """
    true_class = class_index(target)
    shortfall = relu(margin - pick(pred, true_class)[..., None] + pred)
    others = one_hot(true_class, pred.shape[-1]) == 0
    value: Array = total(select(others, power(shortfall, p), 0.0)) / pred.shape[-1]
    return weighted_rows(value, None if class_weight is None else class_weight[true_class])


@loss(
    "multilabel-margin",
    family="margin",
    aliases=("MultiLabelMarginLoss", "multilabel_margin_loss"),
    dialects={
        "torch": dialect("nn.functional.multilabel_margin_loss"),
        "mindspore": dialect("nn.MultilabelMarginLoss"),
    },
    example=Example(
        "a,b,c,t1,t2,t3\n0.5,0.25,-1,0,-1,-1\n-1,-3,-2,2,0,-1", "--pred a,b,c --target t1,t2,t3"
    ),
    edges=(
        Edge("no true class", "0.5,0.25,-1,-1,-1,-1"),
        Edge("every class is true", "0.5,0.25,-1,0,1,2"),
    ),
    properties=Properties(
        task="multilabel-classification",
        units="units of the score",
        convex=True,
        differentiable=False,
        robust=True,
        bounds=(0, INFINITY),
    ),
)
def multilabel_margin(
    pred: Scores,
    target: ListOrMultiHot,
    *,
    targets: Literal["indices", "multi-hot"] = "indices",
) -> Array:
    """What the true classes of a row lack to score above each of its other classes by 1.

    The sum over pairs of a true and another class is divided by the number of classes, as in torch.

    Formula:
        ℓ = 1 / C · Σ_{j∈T} Σ_{i∉T} max(0, 1 − s_j + s_i)

    Roles:
        pred: the scores s, one a class.
        target: the true classes T, in as many columns as there are scores.

    Parameters:
        targets: whether a row of target lists class indices up to the first −1, and nothing after
            it counts (a class that is listed twice counts twice, as in torch), or holds a 1 for
            every true class and a 0 for the others.

    Returns:
        One loss a row, not negative, in the units of the scores; 0 for a row without true classes.

    Raises:
        DataError: a score is not finite, an index is neither −1 nor one of the classes, or a value
            of a multi-hot row is neither 0 nor 1.

    Source:
        torch.nn.MultiLabelMarginLoss, mindspore.nn.MultilabelMarginLoss.

    Example:
        >>> import numpy as np
        >>> scores = np.array([[0.1, 0.2, 0.4, 0.8]])
        >>> multilabel_margin(scores, np.array([[3.0, 0.0, -1.0, 1.0]])).round(12)
        array([0.85])
    """
    classes = pred.shape[-1]
    count = count_listed(target, classes) if targets == "indices" else target
    others = count == 0
    # One true class at a time: all pairs of a block together would take C times its memory.
    pairs = (
        count[..., j] * total(select(others, relu(1.0 - pred[..., j, None] + pred), 0.0))
        for j in range(classes)
    )
    value: Array = sum(pairs) / classes
    return value


@loss(
    "multilabel-soft-margin",
    family="margin",
    aliases=("MultiLabelSoftMarginLoss", "multilabel_soft_margin_loss"),
    dialects={
        "torch": dialect("nn.functional.multilabel_soft_margin_loss"),
        "mindspore": dialect("nn.MultiLabelSoftMarginLoss"),
    },
    example=Example(
        "a,b,c,t1,t2,t3\n0.5,0.25,-1,1,0,0\n-1,-3,-2,1,0,1", "--pred a,b,c --target t1,t2,t3"
    ),
    edges=(
        Edge("a logit of -800 for every true class", "-800,-800,-800,1,1,1"),
        Edge("a logit of 800 for every true class", "800,800,800,1,1,1"),
    ),
    constant=constants.probability,
    properties=Properties(
        task="multilabel-classification",
        units="nats",
        convex=True,
        differentiable=True,
        robust=True,
        bounds=(0, INFINITY),
    ),
)
def multilabel_soft_margin(
    pred: LabelScores, target: MultiHot, *, class_weight: ClassWeights | None = None
) -> Array:
    """The binary cross-entropy of every class's logit, averaged over the classes.

    Formula:
        ℓ = −1 / C · Σ_c w_c (y_c ln σ(s_c) + (1 − y_c) ln(1 − σ(s_c)))

    Roles:
        pred: the logits s, one a class.
        target: a row y with a 1 for every true class, or the probability of each anywhere between
            0 and 1.

    Parameters:
        class_weight: w, one weight a class; the sum is divided by C whatever they are.

    Returns:
        One loss a row, in nats, not negative.

    Raises:
        DataError: a logit is not finite, or a label is outside [0, 1].

    Source:
        torch.nn.MultiLabelSoftMarginLoss, mindspore.nn.MultiLabelSoftMarginLoss.

    Example:
        >>> import numpy as np
        >>> multilabel_soft_margin(np.array([[800.0, -800.0]]), np.array([[0.0, 0.0]]))
        array([400.])
    """
    cost = binary_cross_entropy(pred, target, input="logits")
    value: Array = total(cost if class_weight is None else class_weight * cost) / pred.shape[-1]
    return value


@loss(
    "sparsemax",
    family="margin",
    aliases=("SparsemaxLoss", "multiclass_sparsemax_loss"),
    dialects={"optax": dialect("losses.multiclass_sparsemax_loss")},
    example=Example("a,b,c,target\n0.5,0.25,-1,0\n-1,-3,-2,0", "--pred a,b,c"),
    edges=(
        Edge("all scores equal", "1,1,1,0"),
        Edge("the true class ahead of all others by 1", "1,0,0,0"),
        Edge("the true class 800 behind another", "800,0,0,1"),
    ),
    constant=constants.shares,
    properties=Properties(
        task="multiclass-classification",
        units="none",
        convex=True,
        differentiable=True,
        robust=True,
        bounds=(0, INFINITY),
    ),
)
def sparsemax(
    pred: Scores, target: ClassTarget, *, class_weight: ClassWeights | None = None
) -> Rows:
    """The cost of the true class when the nearest distribution to the scores is what is predicted.

    It is 0 as soon as the true class leads by 1, where cross-entropy is never quite 0. Of two
    classes that are told apart by one score, it is a quarter of `modified-huber`.

    Formula:
        ℓ = ½ Σ_{c: s_c > τ} (s_c² − τ²) − s_t + ½,    Σ_c max(0, s_c − τ) = 1

    Roles:
        pred: the scores s, one a class.
        target: the index t of the true class.

    Parameters:
        class_weight: w, one weight a class; a weighted mean divides by Σ w_t.

    Returns:
        One loss a row, not negative.

    Raises:
        DataError: a score is not finite, or a class index is not one of the classes.

    Source:
        Martins and Astudillo, "From Softmax to Sparsemax", 2016;
        optax.losses.multiclass_sparsemax_loss.

    Example:
        >>> import numpy as np
        >>> sparsemax(np.array([[0.5, 0.0], [2.0, 0.0]]), np.array([0.0, 0.0])).loss
        array([0.0625, 0.    ])
    """
    # Scores count by their differences: from the greatest they are small where they matter.
    s = pred - largest(pred)[..., None]
    above = relu(s - simplex_threshold(s)[..., None])
    # With p = max(0, s − τ), which adds up to 1, ½ Σ (s² − τ²) = Σ p (s − ½ p).
    true_class = class_index(target)
    value = relu(total(above * (s - 0.5 * above)) - pick(s, true_class) + 0.5)
    return weighted_rows(value, None if class_weight is None else class_weight[true_class])

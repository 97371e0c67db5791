"""Cross-entropies changed by how well the true class is predicted: focal and polynomial losses."""

from typing import Literal

from losscli.losses.classification import (
    binary_cross_entropy,
    log_probabilities,
    smooth_labels,
)
from losscli.losses.dialects import dialect
from losscli.losses.examples import LOGITS, PROBABILITIES
from losscli.losses.numerics import (
    Array,
    class_index,
    expm1,
    log,
    log1p,
    logit,
    one_hot,
    power,
    sigmoid,
    times_log,
    total,
)
from losscli.losses.numerics import (
    clip as clipped,
)
from losscli.losses.parameters import ClassWeights, Epsilon, Finite, Fraction, Integer, NotNegative
from losscli.losses.properties import INFINITY, Properties
from losscli.losses.registry import Edge, Example, Rows, alias, loss
from losscli.losses.roles import BinaryPrediction, ClassOrDistribution, ClassPrediction, SoftLabel


@loss(
    "focal",
    family="classification",
    aliases=(
        "FocalLoss",
        "BinaryFocalCrossentropy",
        "binary_focal_crossentropy",
        alias("sigmoid_focal_loss", input="logits"),
        alias("BinaryFocalLossWithLogits", input="logits"),
    ),
    dialects={
        "keras": dialect("losses.BinaryFocalCrossentropy", clip=1e-7),
        "optax": dialect("losses.sigmoid_focal_loss", input="logits"),
    },
    of_classes="categorical-focal",
    example=Example("pred,target\n0.9,1\n0.4,1"),
    edges=(
        Edge("p = 0 and y = 1", "0,1"),
        Edge("p = 0 and y = 1", "0,1", "--clip 1e-7"),
        Edge("p = 1 and y = 1", "1,1"),
        Edge("a logit of -800 and y = 1", "-800,1", "--input logits"),
        Edge("no positives to divide by", "0.5,0", "--normalize positives"),
    ),
    properties=Properties(
        task="binary-classification",
        units="nats",
        convex=True,
        differentiable=True,
        robust=False,
        bounds=(0, INFINITY),
    ),
)
def focal(
    pred: BinaryPrediction,
    target: SoftLabel,
    *,
    alpha: Fraction | None = None,
    alpha_mode: Literal["balanced", "constant"] = "balanced",
    gamma: NotNegative = 2.0,
    input: Literal["probs", "logits"] = "probs",
    label_smoothing: Fraction = 0.0,
    clip: Epsilon | None = None,
    normalize: Literal["none", "positives", "weights"] = "none",
) -> Array | Rows:
    """Binary cross-entropy in which an element weighs the less, the better it is predicted.

    Formula:
        ℓ = α_t (1 − p_t)ᵞ · (−y ln p − (1 − y) ln(1 − p)),    p = σ(x) for logits x,
        p_t = y p + (1 − y)(1 − p),    α_t = y α + (1 − y)(1 − α)

    Roles:
        pred: the probability p of class 1, or its logit x.
        target: the label y, 0 or 1, or the probability of 1 anywhere between.

    Parameters:
        alpha: α; without it nothing is weighted (torchvision 0.25, where −1 means without).
        alpha_mode: balanced gives class 1 the weight α and class 0 the weight 1 − α; constant
            gives α to both (α_t = α).
        gamma: γ, how fast the weight falls with p_t; 0 is binary cross-entropy.
        input: whether pred holds probabilities or logits.
        label_smoothing: ε; the labels become y (1 − ε) + ½ ε, as in Keras.
        clip: ε; in the logarithms, but not in p_t, probabilities are held within [ε, 1 − ε]
            (Keras 1e-7, for logits too).
        normalize: what a weighted mean, the default then, divides by: the number of elements, of
            positives Σ y (RetinaNet), or the weights Σ (1 − p_t)ᵞ (segmentation-models, whose
            mean divides by their number too: --reduction normalized-mean).

    Returns:
        One loss an element, in nats, not negative; ∞ where the impossible happened (p = 0 and
        y = 1), unless `clip` bounds it.

    Raises:
        DataError: a probability or a label is outside [0, 1], or a logit is not finite.

    Source:
        Lin et al., "Focal Loss for Dense Object Detection", 2017;
        torchvision.ops.sigmoid_focal_loss, keras.losses.BinaryFocalCrossentropy,
        optax.losses.sigmoid_focal_loss.

    Example:
        >>> import numpy as np
        >>> focal(np.array([0.5, 1.0, 0.0]), np.array([1.0, 1.0, 1.0])).round(6)
        array([0.173287, 0.      ,      inf])
    """
    y = smooth_labels(target, label_smoothing)
    bounded = pred
    if input == "logits":
        p, q = sigmoid(pred), sigmoid(-pred)
        if clip is not None:
            # σ rises, so p within [ε, 1 − ε] is x within the logits of both.
            bounded = clipped(pred, logit(clip), -logit(clip))
    else:
        p, q = pred, 1.0 - pred
    cost = binary_cross_entropy(bounded, y, input=input, clip=clip)
    # 1 − p_t as a sum of positive terms, with q = 1 − p.
    hardness = power(y * q + (1.0 - y) * p, gamma)
    weight = hardness
    if alpha is not None:
        rest = alpha if alpha_mode == "constant" else 1.0 - alpha
        weight = weight * (y * alpha + (1.0 - y) * rest)
    value = times_log(weight, cost)
    if normalize == "none":
        return value
    return Rows(value, weight=target if normalize == "positives" else hardness)


@loss(
    "categorical-focal",
    family="classification",
    aliases=(
        "softmax-focal",
        alias("CategoricalFocalCrossentropy", input="probs"),
        alias("categorical_focal_crossentropy", input="probs"),
    ),
    dialects={
        "keras": dialect(
            "losses.CategoricalFocalCrossentropy",
            row="none",
            input="probs",
            alpha=0.25,
            renormalize=True,
            clip=1e-7,
            rows=PROBABILITIES,
        ),
        "mindspore": dialect(
            "nn.FocalLoss",
            note="it is of class indices, and its weight is alpha here",
            not_of_rows="divides the mean by the number of classes too",
        ),
    },
    example=LOGITS,
    edges=(
        Edge("logits 800 apart, the lower is true", "800,0,0,1"),
        Edge("p = 0 of the true class", "0,0.5,0.5,0", "--input probs"),
        Edge("p = 1 of the true class", "1,0,0,0", "--input probs"),
        Edge("every row is ignored", "1,0,0,-100", "--ignore-index -100"),
    ),
    properties=Properties(
        task="multiclass-classification",
        units="nats",
        convex=False,
        differentiable=True,
        robust=True,
        bounds=(0, INFINITY),
    ),
)
def categorical_focal(
    pred: ClassPrediction,
    target: ClassOrDistribution,
    *,
    alpha: ClassWeights | None = None,
    gamma: NotNegative = 2.0,
    input: Literal["logits", "probs", "log-probs"] = "logits",
    label_smoothing: Fraction = 0.0,
    ignore_index: Integer | None = None,
    renormalize: bool = False,
    clip: Epsilon | None = None,
) -> Rows:
    """Cross-entropy in which a class weighs the less, the better it is predicted.

    Formula:
        ℓ = −Σ_c α_c q_c (1 − p_c)ᵞ ln p_c,    p = softmax(z) for logits z,
        q = (1 − ε) t + ε / C,                 t one-hot for a class index

    Roles:
        pred: for each class a logit z, a probability p, or ln p.
        target: the class index, or a row t of class probabilities.

    Parameters:
        alpha: α, one number for all classes (Keras 0.25) or one for each; no mean is divided by
            them. One number a in monai is 1 − a for class 0 and a for the others.
        gamma: γ, how fast the weight falls with p; 0 is cross-entropy.
        input: whether pred holds logits, probabilities or log-probabilities.
        label_smoothing: ε, the share of the target that is spread evenly over all classes.
        ignore_index: a class index whose rows are left out of every sum.
        renormalize: divide each row of probabilities by its sum first, as Keras does.
        clip: ε; probabilities are held within [ε, 1 − ε] (Keras 1e-7, for logits too).

    Returns:
        One loss a row, in nats, not negative; ∞ where the impossible happened, 0 for rows that
        are left out. When every row is left out, a mean is NaN.

    Raises:
        DataError: a score is not finite, a row of probabilities does not add up to 1, or a class
            index is not one of the classes.

    Source:
        keras.losses.CategoricalFocalCrossentropy, monai.losses.FocalLoss(use_softmax=True),
        kornia.losses.FocalLoss; Lin et al., "Focal Loss for Dense Object Detection", 2017.

    Example:
        >>> import numpy as np
        >>> p = np.array([[0.5, 0.5], [1.0, 0.0]])
        >>> categorical_focal(p, np.array([0.0, 0.0]), input="probs").loss.round(6)
        array([0.173287, 0.      ])
    """
    log_p = log_probabilities(pred, input, renormalize)
    if clip is not None:
        log_p = clipped(log_p, log(clip), log1p(-clip))
    classes = pred.shape[-1]
    keep = None
    if target.ndim == pred.ndim:
        t = target
    else:
        keep = None if ignore_index is None else target != ignore_index
        t = one_hot(class_index(target if keep is None else target * keep), classes)
    weight = (1.0 - label_smoothing) * t + label_smoothing / classes
    # 1 − p = −(e^(ln p) − 1), which does not cancel for p near 1.
    weight = weight * power(-expm1(log_p), gamma)
    if alpha is not None:
        weight = weight * alpha
    return Rows(0.0 - total(times_log(weight, log_p)), keep=keep)


@loss(
    "poly-cross-entropy",
    family="classification",
    aliases=("poly-1", "PolyLoss", "poly_loss_cross_entropy"),
    dialects={"optax": dialect("losses.poly_loss_cross_entropy", epsilon=2.0)},
    example=LOGITS,
    edges=(
        Edge("logits 800 apart, the lower is true", "800,0,0,1"),
        Edge("p = 0 of the true class", "0,0.5,0.5,0", "--input probs"),
        Edge("p = 1 of the true class", "1,0,0,0", "--input probs"),
    ),
    properties=Properties(
        task="multiclass-classification",
        units="nats",
        convex=True,
        differentiable=True,
        robust=True,
        bounds=(0, INFINITY),
    ),
)
def poly_cross_entropy(
    pred: ClassPrediction,
    target: ClassOrDistribution,
    *,
    epsilon: Finite = 1.0,
    input: Literal["logits", "probs", "log-probs"] = "logits",
    class_weight: ClassWeights | None = None,
) -> Rows:
    """Cross-entropy with more of the first term of its series in 1 − p.

    Formula:
        ℓ = Σ_c w_c t_c (ε (1 − p_c) − ln p_c),    p = softmax(z) for logits z

    Roles:
        pred: for each class a logit z, a probability p, or ln p.
        target: the class index, or a row t of class probabilities.

    Parameters:
        epsilon: ε; 0 is cross-entropy (optax 2; below 0, down to −1, for detection).
        input: whether pred holds logits, probabilities or log-probabilities.
        class_weight: w, one weight a class; a weighted mean divides by Σ_c w_c t_c.

    Returns:
        One loss a row, in nats, not negative; ∞ where the impossible happened.

    Raises:
        DataError: a score is not finite, a row of probabilities does not add up to 1, or a class
            index is not one of the classes.

    Source:
        Leng et al., "PolyLoss", 2022 (Poly-1); optax.losses.poly_loss_cross_entropy.

    Example:
        >>> import numpy as np
        >>> poly_cross_entropy(np.array([[0.5, 0.5], [1.0, 0.0]]), np.zeros(2), input="probs").loss
        array([1.19314718, 0.        ])
    """
    log_p = log_probabilities(pred, input)
    whole = target.ndim == pred.ndim
    t = target if whole else one_hot(class_index(target), pred.shape[-1])
    # 1 − p = −(e^(ln p) − 1), which does not cancel for p near 1.
    weighted = t if class_weight is None else class_weight * t
    value = 0.0 - total(times_log(weighted, log_p)) - epsilon * total(weighted * expm1(log_p))
    return Rows(value, None if class_weight is None else total(weighted))

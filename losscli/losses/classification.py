"""Classification losses: the cost of the probability that was given to what happened."""

from typing import Annotated, Literal

from losscli.losses.domains import (
    PROBABILITY,
    REAL,
    By,
    ClassOrDistribution,
    ClassWeights,
    Distribution,
    ElementWeights,
    Epsilon,
    Finite,
    Fraction,
    Integer,
    LogDistribution,
    Role,
    SoftLabel,
)
from losscli.losses.numerics import (
    Array,
    class_index,
    exp,
    log,
    log1p,
    log_softmax,
    maximum,
    pick,
    relu,
    times_log,
    total,
)
from losscli.losses.numerics import (
    clip as clipped,
)
from losscli.losses.registry import Example, Rows, alias, loss

BinaryPrediction = Annotated[
    Array, Role((("n ...", By("input", {"probs": PROBABILITY, "logits": REAL})),))
]
ClassPrediction = Annotated[
    Array,
    Role(
        (
            (
                "n ... C",
                By(
                    "input",
                    {"logits": REAL, "probs": Distribution(), "log-probs": LogDistribution()},
                ),
            ),
        )
    ),
]


@loss(
    "binary-cross-entropy",
    family="classification",
    aliases=(
        "bce",
        "log-loss",
        "logistic-loss",
        "BCELoss",
        "BinaryCrossentropy",
        alias("BCEWithLogitsLoss", input="logits"),
        alias("binary_cross_entropy_with_logits", input="logits"),
        alias("sigmoid_binary_cross_entropy", input="logits"),
    ),
    example=Example("pred,target\n0.9,1\n0.4,1"),
)
def binary_cross_entropy(
    pred: BinaryPrediction,
    target: SoftLabel,
    *,
    input: Literal["probs", "logits"] = "probs",
    pos_weight: ElementWeights | None = None,
    label_smoothing: Fraction = 0.0,
    clip: Epsilon | None = None,
    log_floor: Finite | None = None,
) -> Array:
    """Minus the log of the probability that was given to what happened, for yes or no.

    Formula:
        ℓ = −a y ln p − (1 − y) ln(1 − p),    p = σ(x) for logits x

    Roles:
        pred: the probability p of class 1, or its logit x.
        target: the label y, 0 or 1, or the probability of 1 anywhere between.

    Parameters:
        input: whether pred holds probabilities or logits.
        pos_weight: a, the weight of the positive term: one number, or one for each column.
        label_smoothing: ε; the labels become y (1 − ε) + ½ ε, as in Keras.
        clip: ε; probabilities are held within [ε, 1 − ε] (Keras 1e-7, scikit-learn 2.2e-16).
        log_floor: the least that ln p and ln(1 − p) may be (torch: −100).

    Returns:
        One loss an element, in nats, not negative; ∞ where the impossible happened (p = 0 and
        y = 1), unless `clip` or `log_floor` bounds it.

    Raises:
        DataError: a probability or a label is outside [0, 1], or a logit is not finite.

    Source:
        torch.nn.BCELoss and BCEWithLogitsLoss, keras.losses.BinaryCrossentropy,
        sklearn.metrics.log_loss, optax.losses.sigmoid_binary_cross_entropy.

    Example:
        >>> import numpy as np
        >>> binary_cross_entropy(np.array([1.0, 0.0, 0.0]), np.array([1.0, 0.0, 1.0]))
        array([ 0.,  0., inf])
    """
    y = target * (1.0 - label_smoothing) + 0.5 * label_smoothing if label_smoothing else target
    a = 1.0 if pos_weight is None else pos_weight
    if input == "logits":
        # −ln σ(x) = max(0, −x) + e and −ln(1 − σ(x)) = max(0, x) + e with e = ln(1 + e^−|x|):
        # every term is positive, so nothing cancels at either end.
        e = log1p(exp(-abs(pred)))
        return a * y * (relu(-pred) + e) + (1.0 - y) * (relu(pred) + e)
    p = pred if clip is None else clipped(pred, clip, 1.0 - clip)
    log_p, log_q = log(p), log1p(-p)
    if log_floor is not None:
        log_p, log_q = maximum(log_p, log_floor), maximum(log_q, log_floor)
    return 0.0 - a * times_log(y, log_p) - times_log(1.0 - y, log_q)


def log_probabilities(
    pred: Array, input: str, renormalize: bool = False, clip: float | None = None
) -> Array:
    """ln p of class scores that are logits, probabilities or log-probabilities."""
    if input == "logits":
        return log_softmax(pred)
    if input == "log-probs":
        return pred
    p = pred / total(pred)[..., None] if renormalize else pred
    return log(p if clip is None else clipped(p, clip, 1.0 - clip))


@loss(
    "cross-entropy",
    family="classification",
    aliases=(
        "CrossEntropyLoss",
        "softmax-cross-entropy",
        alias("CategoricalCrossentropy", input="probs"),
        alias("SparseCategoricalCrossentropy", input="probs"),
        "softmax_cross_entropy_with_integer_labels",
    ),
    example=Example("a,b,c,target\n2,0.5,-1,0\n0,1,0,2", "--pred a,b,c"),
)
def cross_entropy(
    pred: ClassPrediction,
    target: ClassOrDistribution,
    *,
    input: Literal["logits", "probs", "log-probs"] = "logits",
    class_weight: ClassWeights | None = None,
    label_smoothing: Fraction = 0.0,
    ignore_index: Integer | None = None,
    renormalize: bool = False,
    clip: Epsilon | None = None,
) -> Rows:
    """Minus the log of the probability that was given to the class that happened.

    Formula:
        ℓ = −Σ_c w_c q_c ln p_c,    p = softmax(z) for logits z,
        q = (1 − ε) t + ε / C,      t one-hot for a class index

    Roles:
        pred: for each class a logit z, a probability p, or ln p.
        target: the class index, or a row t of class probabilities.

    Parameters:
        input: whether pred holds logits, probabilities or log-probabilities.
        class_weight: w, one weight a class; a weighted mean divides by Σ_c w_c t_c.
        label_smoothing: ε, the share of the target that is spread evenly over all classes.
        ignore_index: a class index whose rows are left out of every sum (torch: −100).
        renormalize: divide each row of probabilities by its sum first, as Keras does.
        clip: ε; probabilities are held within [ε, 1 − ε] (Keras 1e-7, scikit-learn 2.2e-16).

    Returns:
        One loss a row, in nats, not negative; ∞ where the impossible happened, 0 for rows that
        are left out. When every row is left out, a mean is NaN.

    Raises:
        DataError: a score is not finite, a row of probabilities does not add up to 1, or a class
            index is not one of the classes.

    Source:
        torch.nn.CrossEntropyLoss, keras.losses.CategoricalCrossentropy and
        SparseCategoricalCrossentropy, sklearn.metrics.log_loss, optax.losses.softmax_cross_entropy.

    Example:
        >>> import numpy as np
        >>> cross_entropy(np.array([[0.0, 800.0], [0.0, 800.0]]), np.array([0.0, 1.0])).loss
        array([800.,   0.])
    """
    cost = 0.0 - log_probabilities(pred, input, renormalize, clip)  # −ln p, and 0 for p = 1
    classes = cost.shape[-1]
    w = class_weight
    if target.ndim == cost.ndim:
        q = (1.0 - label_smoothing) * target + label_smoothing / classes
        weighted = q if w is None else w * q
        return Rows(
            total(times_log(weighted, cost)),
            weight=None if w is None else total(w * target),
        )
    keep = None if ignore_index is None else target != ignore_index
    index = class_index(target if keep is None else target * keep)
    weight = None if w is None else w[index]
    value = pick(cost, index) if weight is None else weight * pick(cost, index)
    if label_smoothing:
        spread = total(cost if w is None else w * cost) / classes
        value = (1.0 - label_smoothing) * value + label_smoothing * spread
    return Rows(value, weight, keep)

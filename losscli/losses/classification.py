"""Classification losses: the cost of the probability that was given to what happened."""

from typing import Annotated, Literal

from losscli.losses import constants
from losscli.losses.dialects import EPS, TORCH_CLASSES, dialect
from losscli.losses.domains import Interval
from losscli.losses.examples import LOGITS, PROBABILITIES
from losscli.losses.numerics import (
    Array,
    Index,
    affine,
    class_index,
    exp,
    expm1,
    log,
    log1p,
    maximum,
    pick,
    relu,
    times_log,
    total,
)
from losscli.losses.numerics import (
    clip as clipped,
)
from losscli.losses.parameters import (
    ClassWeights,
    ElementWeights,
    Epsilon,
    Finite,
    Fraction,
    Integer,
    NotNegative,
    Number,
)
from losscli.losses.properties import INFINITY, Properties
from losscli.losses.registry import Edge, Example, Rows, alias, loss, weighted_rows
from losscli.losses.roles import (
    BinaryPrediction,
    ClassMatrix,
    ClassOrDistribution,
    ClassPrediction,
    ClassTarget,
    ClassVector,
    Embedding,
    LogProbabilities,
    RowClassTarget,
    SoftLabel,
)
from losscli.losses.softmaxes import log_softmax, log_softmax_at


def smooth_labels(y: Array, epsilon: float) -> Array:
    """y (1 − ε) + ½ ε: labels drawn towards a half, as Keras does for two classes."""
    return y * (1.0 - epsilon) + 0.5 * epsilon if epsilon else y


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
    dialects={
        "torch": dialect("nn.functional.binary_cross_entropy", log_floor=-100.0),
        "keras": dialect("losses.BinaryCrossentropy", clip=1e-7),
        "sklearn": dialect("metrics.log_loss", clip=EPS, one_column=True),
        "optax": dialect("losses.sigmoid_binary_cross_entropy", input="logits"),
        "mindspore": dialect("nn.BCELoss", log_floor=-27.63102111592855),
    },
    of_classes="cross-entropy",
    for_input={"clip": "probs", "log_floor": "probs", "eps": "probs"},
    example=Example("pred,target\n0.9,1\n0.4,1"),
    edges=(
        Edge("p = 0 and y = 1", "0,1"),
        Edge("p = 0 and y = 1", "0,1", "--clip 1e-7"),
        Edge("p = 0 and y = 1", "0,1", "--log-floor -100"),
        Edge("p = 1 and y = 1", "1,1"),
        Edge("a logit of -800 and y = 1", "-800,1", "--input logits"),
        Edge("a logit of 800 and y = 1", "800,1", "--input logits"),
        Edge("y = ½ and p = ½", "0.5,0.5"),
    ),
    constant=constants.only(constants.probability, eps=0.0),
    properties=Properties(
        task="binary-classification",
        units="nats",
        convex=True,
        differentiable=True,
        robust=False,
        bounds=(0, INFINITY),
    ),
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
    eps: NotNegative = 0.0,
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
        eps: ε, added to p and to 1 − p in the logarithms (Paddle's log_loss 1e-4).

    Returns:
        One loss an element, in nats, not negative; ∞ where the impossible happened (p = 0 and
        y = 1), unless `clip` or `log_floor` bounds it.

    Raises:
        DataError: a probability or a label is outside [0, 1], or a logit is not finite. (torch
            takes any label, and its number is no likelihood then.)

    Source:
        torch.nn.BCELoss and BCEWithLogitsLoss, keras.losses.BinaryCrossentropy,
        sklearn.metrics.log_loss, optax.losses.sigmoid_binary_cross_entropy.

    Example:
        >>> import numpy as np
        >>> binary_cross_entropy(np.array([1.0, 0.0, 0.0]), np.array([1.0, 0.0, 1.0]))
        array([ 0.,  0., inf])
    """
    y = smooth_labels(target, label_smoothing)
    a = 1.0 if pos_weight is None else pos_weight
    if input == "logits":
        # −ln σ(x) = max(0, −x) + e and −ln(1 − σ(x)) = max(0, x) + e with e = ln(1 + e^−|x|):
        # every term is positive, so nothing cancels at either end.
        e = log1p(exp(-abs(pred)))
        return a * y * (relu(-pred) + e) + (1.0 - y) * (relu(pred) + e)
    p = pred if clip is None else clipped(pred, clip, 1.0 - clip)
    log_p, log_q = (log(p + eps), log((1.0 - p) + eps)) if eps else (log(p), log1p(-p))
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


def log_probability(
    pred: Array, index: Index, input: str, renormalize: bool = False, clip: float | None = None
) -> Array:
    """ln p of one class of each row: `log_probabilities` without the others."""
    if input == "logits":
        return log_softmax_at(pred, index)
    if input == "log-probs":
        return pick(pred, index)
    p = pick(pred, index)
    p = p / total(pred) if renormalize else p
    return log(p if clip is None else clipped(p, clip, 1.0 - clip))


#: the softmax of the rows that the dialects of cross-entropy differ on: of the second, e^−800 is 0
CERTAIN = PROBABILITIES.splitlines()[0] + "\n1,0,0,1"


@loss(
    "cross-entropy",
    family="classification",
    aliases=(
        "CrossEntropyLoss",
        "ce",
        "softmax-cross-entropy",
        "SoftmaxCrossEntropyWithLogits",
        "safe_softmax_cross_entropy",
        alias("CategoricalCrossentropy", input="probs"),
        alias("SparseCategoricalCrossentropy", input="probs"),
        "softmax_cross_entropy_with_integer_labels",
    ),
    dialects={
        "torch": dialect("nn.functional.cross_entropy", **TORCH_CLASSES, soft_divisor="rows"),
        "keras": dialect(
            "losses.CategoricalCrossentropy",
            row="none",
            input="probs",
            renormalize=True,
            clip=1e-7,
            rows=CERTAIN,
        ),
        "sklearn": dialect("metrics.log_loss", input="probs", clip=EPS, rows=CERTAIN),
        "optax": dialect("losses.softmax_cross_entropy_with_integer_labels"),
        "mindspore": dialect("nn.CrossEntropyLoss", **TORCH_CLASSES, soft_divisor="rows"),
    },
    for_input={"clip": "probs", "renormalize": "probs"},
    example=LOGITS,
    edges=(
        Edge("logits 800 apart, the lower is true", "800,0,0,1"),
        Edge("logits 800 apart, the higher is true", "800,0,0,0"),
        Edge("p = 0 of the true class", "0,0.5,0.5,0", "--input probs"),
        Edge("p = 0 of the true class", "0,0.5,0.5,0", "--input probs --clip 1e-7"),
        Edge("p = 0 of another class", "1,0,0,0", "--input probs"),
        Edge("every row is ignored", "1,0,0,-100", "--ignore-index -100"),
        Edge("every row is ignored", "1,0,0,-100", "--ignore-index -100 --count-ignored"),
        Edge("the true class weighs 0", "1,0,0,0", "--class-weight 0,1,1"),
        Edge("a class that there is not", "1,0,0,3"),
        Edge(
            "a class that does not occur",
            "0,0,0,0\n0,0,0,1\n0,0,0,1",
            "--class-weight balanced --reduction sum",
        ),
    ),
    constant=constants.frequencies,
    differing=Example("a,b,c,target\n2,0.5,-1,0\n800,0,0,1", "--pred a,b,c"),
    properties=Properties(
        task="multiclass-classification",
        units="nats",
        convex=True,
        differentiable=True,
        robust=True,
        bounds=(0, INFINITY),
    ),
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
    soft_divisor: Literal["weights", "rows"] = "weights",
    count_ignored: bool = False,
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
        soft_divisor: for rows t of class probabilities, whether a weighted mean divides by
            Σ_c w_c t_c, as for class indices, or by the number of rows (torch).
        count_ignored: rows of the ignored class cost 0 and still count as rows in a mean
            (segmentation-models); otherwise a mean is over the other rows.

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
    w = class_weight
    if target.ndim == pred.ndim:
        cost = 0.0 - log_probabilities(pred, input, renormalize, clip)  # −ln p, and 0 for p = 1
        q = (1.0 - label_smoothing) * target + label_smoothing / cost.shape[-1]
        weighted = q if w is None else w * q
        return Rows(
            total(times_log(weighted, cost)),
            weight=None if w is None or soft_divisor == "rows" else total(w * target),
        )
    keep = None if ignore_index is None else target != ignore_index
    index = class_index(target if keep is None else target * keep)
    weight = None if w is None else w[index]
    if label_smoothing:
        cost = 0.0 - log_probabilities(pred, input, renormalize, clip)
        spread = total(cost if w is None else w * cost) / cost.shape[-1]
        value = pick(cost, index) if weight is None else weight * pick(cost, index)
        value = (1.0 - label_smoothing) * value + label_smoothing * spread
    else:
        cost = 0.0 - log_probability(pred, index, input, renormalize, clip)
        value = cost if weight is None else weight * cost
    if keep is not None and count_ignored:
        return Rows(value * keep, None if weight is None else weight * keep)
    return Rows(value, weight, keep)


@loss(
    "nll",
    family="classification",
    aliases=("NLLLoss", "nll_loss", "NLLLoss2d", "negative-log-likelihood"),
    dialects={
        "torch": dialect("nn.functional.nll_loss", **TORCH_CLASSES),
        "mindspore": dialect("nn.NLLLoss", **TORCH_CLASSES),
    },
    example=Example(
        "a,b,c,target\n-0.6931,-1.3863,-1.3863,0\n-2.3026,-0.2231,-2.3026,0", "--pred a,b,c"
    ),
    edges=(
        Edge("ln p = -∞ of the true class", "-inf,-0.6931,-0.6931,0"),
        Edge("ln p = -∞ of another class", "0,-inf,-inf,0"),
        Edge("every row is ignored", "0,-inf,-inf,-100", "--ignore-index -100"),
    ),
    constant=constants.frequencies,
    properties=Properties(
        task="multiclass-classification",
        units="nats",
        convex=True,
        differentiable=True,
        robust=True,
        bounds=(0, INFINITY),
    ),
)
def nll(
    pred: LogProbabilities,
    target: ClassTarget,
    *,
    class_weight: ClassWeights | None = None,
    ignore_index: Integer | None = None,
) -> Rows:
    """Minus the log-probability that was given to the class that happened.

    Formula:
        ℓ = −w_t ln p_t

    Roles:
        pred: ln p, the log-probability of each class.
        target: the index t of the class that happened.

    Parameters:
        class_weight: w, one weight a class; a weighted mean divides by Σ w_t.
        ignore_index: a class index whose rows are left out of every sum (torch: −100).

    Returns:
        One loss a row, in nats, not negative; 0 for rows that are left out. When every row is left
        out, a mean is NaN.

    Raises:
        DataError: a row's exponentials do not add up to 1, or a class index is not one of the
            classes.

    Source:
        torch.nn.NLLLoss, mindspore.nn.NLLLoss. Equals `cross-entropy` of log-probabilities.

    Example:
        >>> import numpy as np
        >>> nll(np.log([[0.25, 0.75], [0.5, 0.5]]), np.array([1.0, 0.0])).loss.round(6)
        array([0.287682, 0.693147])
    """
    return cross_entropy(
        pred, target, input="log-probs", class_weight=class_weight, ignore_index=ignore_index
    )


@loss(
    "generalized-cross-entropy",
    family="classification",
    aliases=(
        "gce",
        "CategoricalGeneralizedCrossEntropy",
        "categorical_generalized_cross_entropy",
    ),
    dialects={
        "keras": dialect("losses.CategoricalGeneralizedCrossEntropy", row="none"),
    },
    example=Example("a,b,c,target\n0.7,0.2,0.1,0\n0.3,0.3,0.4,1", "--pred a,b,c"),
    edges=(
        Edge("p = 0 of the true class", "0,0.5,0.5,0"),
        Edge("p = 1 of the true class", "1,0,0,0"),
        Edge("p = 0 of the true class", "0,0.5,0.5,0", "--q 1"),
        Edge("logits 800 apart, the lower is true", "800,0,0,1", "--input logits"),
    ),
    constant=constants.power_frequencies,
    properties=Properties(
        task="multiclass-classification",
        units="none",
        convex=True,
        differentiable=True,
        robust=True,
        bounds=(0, 2),
    ),
)
def generalized_cross_entropy(
    pred: ClassPrediction,
    target: ClassTarget,
    *,
    q: Annotated[float, Number(Interval(0.0, 1.0, open_low=True))] = 0.5,
    input: Literal["logits", "probs", "log-probs"] = "probs",
    class_weight: ClassWeights | None = None,
) -> Rows:
    """A bounded cross-entropy, which single wrong labels can hardly dominate.

    Formula:
        ℓ = w_t (1 − p_tᵠ) / q,    p = softmax(z) for logits z

    Roles:
        pred: for each class a probability p, a logit z, or ln p.
        target: the index t of the class that happened.

    Parameters:
        q: how far it is from cross-entropy (its limit q → 0) to 1 − p (q = 1); Keras has 0.5, the
            paper 0.7.
        input: whether pred holds logits, probabilities or log-probabilities.
        class_weight: w, one weight a class; a weighted mean divides by Σ w_t.

    Returns:
        One loss a row, from 0 to w_t / q.

    Raises:
        DataError: a score is not finite, a row of probabilities does not add up to 1, or a class
            index is not one of the classes.

    Source:
        keras.losses.CategoricalGeneralizedCrossEntropy; Zhang and Sabuncu, "Generalized Cross
        Entropy Loss for Training Deep Neural Networks with Noisy Labels", 2018.

    Example:
        >>> import numpy as np
        >>> generalized_cross_entropy(np.array([[0.25, 0.75], [0, 1.0]]), np.zeros(2)).loss
        array([1., 2.])
    """
    index = class_index(target)
    log_p = log_probability(pred, index, input)
    # 1 − p^q = −(e^(q ln p) − 1), which does not cancel for p near 1 or q near 0.
    weight = None if class_weight is None else class_weight[index]
    return weighted_rows((0.0 - expm1(q * log_p)) / q, weight)


@loss(
    "linear-cross-entropy",
    family="classification",
    aliases=("LinearCrossEntropyLoss", "linear_cross_entropy"),
    dialects={
        "torch": dialect("nn.functional.linear_cross_entropy", **TORCH_CLASSES),
    },
    example=Example(
        "x1,x2,target\n2,0.5,0\n0,1,1", "--x x1,x2", {"linear_weight": "w1,w2\n1,-1\n0,1"}
    ),
    edges=(
        Edge("logits 800 apart, the lower is true", "800,0,1"),
        Edge("every row is ignored", "1,0,-100", "--ignore-index -100"),
    ),
    properties=Properties(
        task="multiclass-classification",
        units="nats",
        convex=True,
        differentiable=True,
        robust=True,
        bounds=(0, INFINITY),
        role="x",
    ),
)
def linear_cross_entropy(
    x: Embedding,
    target: RowClassTarget,
    linear_weight: ClassMatrix,
    linear_bias: ClassVector | None = None,
    *,
    class_weight: ClassWeights | None = None,
    label_smoothing: Fraction = 0.0,
    ignore_index: Integer | None = None,
) -> Rows:
    """The cross-entropy of the logits that a last linear layer makes of its inputs.

    Formula:
        ℓ = cross-entropy(W x + b, t)

    Roles:
        x: the inputs of the layer, one vector a row.
        target: the index t of the true class.
        linear_weight: W, a table with one row a class.
        linear_bias: b, one number a class; 0 when it is not given.

    Parameters:
        class_weight: w, one weight a class; a weighted mean divides by Σ w_t.
        label_smoothing: ε, the share of the target that is spread evenly over all classes.
        ignore_index: a class index whose rows are left out of every sum (torch: −100).

    Returns:
        One loss a row, in nats, not negative; 0 for rows that are left out.

    Raises:
        DataError: a value is not finite, or a class index is not one of the classes.

    Source:
        torch.nn.LinearCrossEntropyLoss.

    Example:
        >>> import numpy as np
        >>> x, layer = np.array([[1.0, 0.0]]), np.array([[0.0, 5.0], [800.0, 0.0]])
        >>> linear_cross_entropy(x, np.array([0.0]), layer).loss
        array([800.])
    """
    return cross_entropy(
        affine(x, linear_weight, linear_bias),
        target,
        class_weight=class_weight,
        label_smoothing=label_smoothing,
        ignore_index=ignore_index,
    )

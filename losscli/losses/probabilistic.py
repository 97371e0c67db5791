"""Probabilistic losses: what a predicted distribution costs, by its density or against another."""

from typing import Annotated, Literal, NamedTuple

from losscli.losses import constants
from losscli.losses.dialects import dialect
from losscli.losses.domains import NOT_NEGATIVE, By, Interval, LogValue
from losscli.losses.numerics import (
    LN_2,
    LN_2PI,
    Array,
    beta_divergence,
    by_row,
    exp,
    isfinite,
    jensen_shannon,
    log,
    log_ratio,
    maximum,
    ratio,
    select,
    sqrt,
    square,
    subtract,
    times_log,
    total,
)
from losscli.losses.numerics import (
    clip as clipped,
)
from losscli.losses.numerics import (
    sqrt as root,
)
from losscli.losses.parameters import Epsilon, NotNegative, Number
from losscli.losses.properties import INFINITY, Properties
from losscli.losses.registry import Edge, Example, alias, loss
from losscli.losses.roles import ClassPrediction, NotNegativeOrRow, Real, RealOrRow, Role
from losscli.losses.row_domains import Distribution, LogDistribution
from losscli.losses.softmaxes import log_softmax

TargetDistribution = Annotated[
    Array,
    Role(
        (
            (
                "n ... C",
                By(
                    "log_target",
                    {"False": Distribution(renormalizes=True), "True": LogDistribution()},
                ),
            ),
        )
    ),
]
#: values of classes that need not add up to 1, or their logarithms
Measure = Annotated[
    Array,
    Role((("n ... C", By("input", {"values": NOT_NEGATIVE, "log-values": LogValue()})),)),
]
NotNegativeClasses = Annotated[Array, Role((("n ... C", NOT_NEGATIVE),))]


#: the example of kl-divergence with ln q for q = ½
LOGARITHMS = (
    "-0.6931471805599453,-0.6931471805599453,0.75,0.25\n-0.6931471805599453,-0.6931471805599453,1,0"
)


@loss(
    "gaussian-nll",
    family="probabilistic",
    aliases=("GaussianNLLLoss", "gaussian_nll_loss"),
    one_of=(("var", "std", "log_var"),),
    dialects={
        "torch": dialect("nn.functional.gaussian_nll_loss", eps=1e-6),
        "mindspore": dialect("nn.GaussianNLLLoss", eps=1e-6),
    },
    example=Example("pred,target,var\n0,0,1\n1.5,1,0.25", "--var var"),
    edges=(
        Edge("σ² = 0 and y = μ", "0,0,0"),
        Edge("σ² = 0 and y ≠ μ", "0,1,0"),
        Edge("σ² = 0 and y ≠ μ", "0,1,0", "--eps 1e-6"),
        Edge("σ² below 0", "0,1,-1"),
    ),
    differing=Example("pred,target,var\n0,0,1\n0.5,0.501,0.0000001", "--var var"),
    properties=Properties(
        task="regression",
        units="nats",
        convex=True,
        differentiable=True,
        robust=False,
        bounds=(-INFINITY, INFINITY),
    ),
)
def gaussian_nll(
    pred: Real,
    target: Real,
    var: NotNegativeOrRow | None = None,
    std: NotNegativeOrRow | None = None,
    log_var: RealOrRow | None = None,
    *,
    full: bool = False,
    eps: NotNegative = 0.0,
) -> Array:
    """Minus the log of the density that a normal distribution gives to the true value.

    Formula:
        ℓ = ½ (ln v + (y − μ)² / v)  [+ ½ ln 2π],    v = max(σ², ε)

    Roles:
        pred: the predicted mean μ.
        target: the true value y.
        var: the predicted variance σ², one an element, or one a row for all of its elements.
        std: the predicted standard deviation σ, in place of the variance.
        log_var: the predicted ln σ², in place of the variance.

    Parameters:
        full: add the constant ½ ln 2π.
        eps: ε, the least that the variance counts as (torch 1e-6).

    Returns:
        One loss an element, in nats. For a variance of 0, without `eps`, it is ∞ where y ≠ μ and
        −∞ where y = μ: all of the probability is in one point.

    Raises:
        DataError: a variance or standard deviation is negative, or a value is not finite.

    Source:
        torch.nn.GaussianNLLLoss, mindspore.nn.GaussianNLLLoss; Nix and Weigend, "Estimating the
        Mean and Variance of the Target Probability Distribution", 1994.

    Example:
        >>> import numpy as np
        >>> mean, y = np.array([0.0, 0.0, 0.0]), np.array([2.0, 2.0, 0.0])
        >>> gaussian_nll(mean, y, var=np.array([1.0, 0.0, 0.0]))
        array([  2.,  inf, -inf])
    """
    if log_var is not None:
        log_sigma = 0.5 * maximum(log_var, log(eps))
        sigma = exp(log_sigma)
    elif std is not None:
        sigma = maximum(std, sqrt(eps))
        log_sigma = log(sigma)
    elif var is not None:
        v = maximum(var, eps)
        sigma, log_sigma = sqrt(v), 0.5 * log(v)
    else:
        raise TypeError("gaussian_nll() wants one of var, std and log_var")
    z = ratio(pred - target, by_row(sigma, pred))
    # For σ → 0 and y ≠ μ, ½ z² grows faster than −ln σ.
    value = 0.5 * square(z) + select(isfinite(z), by_row(log_sigma, pred), 0.0)
    return value + 0.5 * LN_2PI if full else value


@loss(
    "kl-divergence",
    family="probabilistic",
    aliases=(
        "KLDivergence",
        "kl_divergence",
        "kullback-leibler",
        "kullback_leibler_divergence",
        "kld",
        "relative-entropy",
        alias("KLDivLoss", input="log-probs"),
        alias("kl_div", input="log-probs"),
        alias("kl_divergence_with_log_targets", input="log-probs", log_target=True),
    ),
    row="sum",
    dialects={
        "torch": dialect("nn.functional.kl_div", input="log-probs", rows=LOGARITHMS),
        "keras": dialect("losses.KLDivergence", row="sum-last", clip=1e-7),
        "torchmetrics": dialect("functional.kl_divergence", row="sum-last", renormalize=True),
        "optax": dialect(
            "losses.kl_divergence", row="sum-last", input="log-probs", rows=LOGARITHMS
        ),
        "mindspore": dialect("nn.KLDivLoss", input="log-probs", rows=LOGARITHMS),
    },
    example=Example("qa,qb,pa,pb\n0.5,0.5,0.75,0.25\n0.5,0.5,1,0", "--pred qa,qb --target pa,pb"),
    edges=(
        Edge("p = 0 where q is not", "0.5,0.5,1,0"),
        Edge("q = 0 where p is not", "1,0,0.5,0.5"),
        Edge("q = 0 where p is not", "1,0,0.5,0.5", "--clip 1e-7"),
        Edge("p = q = 0", "1,0,1,0"),
        Edge("p adds up to 2", "0.5,0.5,1,1"),
        Edge("p adds up to 2", "0.5,0.5,1,1", "--renormalize"),
    ),
    constant=constants.only(constants.distribution, direction="forward"),
    properties=Properties(
        task="multiclass-classification",
        units="nats",
        convex=True,
        differentiable=True,
        robust=False,
        bounds=(0, INFINITY),
    ),
)
def kl_divergence(
    pred: ClassPrediction,
    target: TargetDistribution,
    *,
    input: Literal["probs", "log-probs", "logits"] = "probs",
    log_target: bool = False,
    direction: Literal["forward", "reverse"] = "forward",
    renormalize: bool = False,
    clip: Epsilon | None = None,
) -> Array:
    """How far the predicted distribution Q is from the true distribution P.

    The classes of a row are summed, so a mean is over rows, as in Keras, torchmetrics and optax;
    torch's "mean" is over all elements, here --row none.

    Formula:
        ℓ_c = p_c ln(p_c / q_c),    ℓ = Σ_c ℓ_c

    Roles:
        pred: the predicted distribution Q: for each class a probability q, ln q, or a logit.
        target: the true distribution P: for each class a probability p, or ln p.

    Parameters:
        input: whether pred holds probabilities, log-probabilities (torch, optax) or logits.
        log_target: target holds log-probabilities.
        direction: KL(P‖Q), or KL(Q‖P) with p and q in each other's place.
        renormalize: divide each row of probabilities by its sum first, as torchmetrics does.
        clip: ε; probabilities are held within [ε, 1] (Keras 1e-7).

    Returns:
        One term a class of each row, in nats, of either sign; their sum over a row is not
        negative. 0 where p = 0; ∞ where q = 0 and p is not.

    Raises:
        DataError: a row of probabilities does not add up to 1, or a value is not finite.

    Source:
        torch.nn.KLDivLoss, keras.losses.KLDivergence, torchmetrics KLDivergence,
        optax.losses.kl_divergence; Kullback and Leibler, "On Information and Sufficiency", 1951.

    Example:
        >>> import numpy as np
        >>> p, q = np.array([[1.0, 0.0], [0.5, 0.5]]), np.array([[1.0, 0.0], [0.0, 1.0]])
        >>> kl_divergence(q, p)
        array([[ 0.        ,  0.        ],
               [        inf, -0.34657359]])
    """
    q = read(log_softmax(pred) if input == "logits" else pred, input != "probs", renormalize, clip)
    p = read(target, log_target, renormalize, clip)
    if direction == "reverse":
        p, q = q, p
    if p.log is None and q.log is None:
        return times_log(p.value, log_ratio(p.value, q.value))
    log_p = log(p.value) if p.log is None else p.log
    log_q = log(q.value) if q.log is None else q.log
    return times_log(p.value, subtract(log_p, log_q))


@loss(
    "js-divergence",
    family="probabilistic",
    aliases=(
        "JensenShannonDivergence",
        "jensen_shannon_divergence",
        "jensen-shannon",
        "jsd",
        alias("jensen-shannon-distance", sqrt=True),
    ),
    dialects={
        "torchmetrics": dialect(
            "functional.regression.jensen_shannon_divergence", renormalize=True
        ),
    },
    example=Example("qa,qb,pa,pb\n0.5,0.5,0.75,0.25\n0.5,0.5,1,0", "--pred qa,qb --target pa,pb"),
    edges=(
        Edge("nothing in common", "1,0,0,1"),
        Edge("nothing in common", "1,0,0,1", "--base 2"),
        Edge("p = q", "0.5,0.5,0.5,0.5"),
    ),
    properties=Properties(
        task="multiclass-classification",
        units="nats",
        convex=True,
        differentiable=True,
        robust=True,
        bounds=(0, LN_2),
    ),
)
def js_divergence(
    pred: ClassPrediction,
    target: TargetDistribution,
    *,
    input: Literal["probs", "log-probs", "logits"] = "probs",
    log_target: bool = False,
    base: Annotated[float, Number(Interval(low=1.0, open_low=True))] | None = None,
    sqrt: bool = False,
    renormalize: bool = False,
) -> Array:
    """How far two distributions are from the one between them; the same either way round.

    Formula:
        ℓ = ½ Σ_c (p_c ln(p_c / m_c) + q_c ln(q_c / m_c)),    m = ½ (p + q)

    Roles:
        pred: one distribution Q: for each class a probability q, ln q, or a logit.
        target: the other distribution P: for each class a probability p, or ln p.

    Parameters:
        input: whether pred holds probabilities, log-probabilities or logits.
        log_target: target holds log-probabilities.
        base: the base of the logarithm, e unless it is given; in base 2 the loss is at most 1.
        sqrt: the root of it, a distance, as SciPy's jensenshannon gives it.
        renormalize: divide each row of probabilities by its sum first (torchmetrics, SciPy).

    Returns:
        One loss a row, from 0 to ln 2, in nats; also where a probability is 0.

    Raises:
        DataError: a row of probabilities does not add up to 1, or a value is not finite.

    Source:
        torchmetrics JensenShannonDivergence, scipy.spatial.distance.jensenshannon (sqrt); Lin,
        "Divergence Measures Based on the Shannon Entropy", 1991.

    Example:
        >>> import numpy as np
        >>> p, q = np.array([[1.0, 0.0], [0.5, 0.5]]), np.array([[0.0, 1.0], [0.5, 0.5]])
        >>> js_divergence(q, p, base=2.0)
        array([1., 0.])
    """
    q = read(log_softmax(pred) if input == "logits" else pred, input != "probs", renormalize)
    p = read(target, log_target, renormalize)
    value = total(jensen_shannon(p.value, q.value))
    if base is not None:
        value = value / log(base)
    return root(value) if sqrt else value


@loss(
    "generalized-kl",
    family="probabilistic",
    aliases=(
        "generalized_kl_divergence",
        "i-divergence",
        alias("convex_kl_divergence", input="log-values"),
    ),
    row="sum",
    dialects={
        "optax": dialect("losses.convex_kl_divergence", row="sum-last", input="log-values"),
    },
    example=Example("qa,qb,pa,pb\n0.5,0.5,1.5,0.5\n0.5,0.5,1,0", "--pred qa,qb --target pa,pb"),
    edges=(
        Edge("p = 0 where q is not", "0.5,0.5,0.5,0"),
        Edge("q = 0 where p is not", "0.5,0,0.5,0.5"),
        Edge("p = q = 0", "1,0,1,0"),
    ),
    constant=constants.mean_or_log_mean,
    properties=Properties(
        task="multiclass-classification",
        units="nats",
        convex=True,
        differentiable=True,
        robust=False,
        bounds=(0, INFINITY),
    ),
)
def generalized_kl(
    pred: Measure, target: NotNegativeClasses, *, input: Literal["values", "log-values"] = "values"
) -> Array:
    """The KL divergence of measures that need not add up to 1.

    It is convex in both together. Where both add up to 1 it is `kl-divergence`.

    Formula:
        ℓ_c = p_c ln(p_c / q_c) − p_c + q_c,    ℓ = Σ_c ℓ_c

    Roles:
        pred: the predicted measure Q: for each class a value q, not negative, or ln q.
        target: the true measure P: for each class a value p, not negative.

    Parameters:
        input: whether pred holds the values or their logarithms (optax).

    Returns:
        One term a class of each row, none of them negative. q where p = 0; ∞ where q = 0 and p is
        not.

    Raises:
        DataError: a value is negative or not finite.

    Source:
        optax.losses.convex_kl_divergence; Csiszár, "I-Divergence Geometry of Probability
        Distributions and Minimization Problems", 1975.

    Example:
        >>> import numpy as np
        >>> generalized_kl(np.array([[2.0, 3.0, 0.0]]), np.array([[2.0, 0.0, 1.0]]))
        array([[ 0.,  3., inf]])
    """
    if input == "log-values":
        return beta_divergence(target, exp(pred), 1.0, log_y=pred)
    return beta_divergence(target, pred, 1.0)


class Read(NamedTuple):
    """Probabilities, and their logarithms where those are what was given."""

    value: Array
    log: Array | None


def read(x: Array, is_log: bool, renormalize: bool, clip: float | None = None) -> Read:
    """Rows of (log-)probabilities; plain ones made to add up to 1 and held off 0 where asked."""
    if is_log:
        return Read(exp(x), x)
    p = x / total(x)[..., None] if renormalize else x
    return Read(p if clip is None else clipped(p, clip, 1.0), None)

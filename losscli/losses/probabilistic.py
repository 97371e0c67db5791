"""Probabilistic losses: what a predicted distribution costs, by its density or against another."""

from typing import Annotated, Literal, NamedTuple

from losscli.losses import constants
from losscli.losses.dialects import dialect
from losscli.losses.domains import By, Distribution, LogDistribution
from losscli.losses.numerics import (
    LN_2PI,
    Array,
    by_row,
    exp,
    isfinite,
    log,
    log_ratio,
    log_softmax,
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
from losscli.losses.parameters import Epsilon, NotNegative
from losscli.losses.properties import INFINITY, Properties
from losscli.losses.registry import Example, alias, loss
from losscli.losses.roles import ClassPrediction, NotNegativeOrRow, Real, RealOrRow, Role

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
        "torch": dialect("nn.functional.kl_div", input="log-probs"),
        "keras": dialect("losses.KLDivergence", row="sum", clip=1e-7),
        "torchmetrics": dialect("functional.kl_divergence", row="sum", renormalize=True),
        "optax": dialect("losses.kl_divergence", row="sum", input="log-probs"),
        "mindspore": dialect("nn.KLDivLoss", input="log-probs"),
    },
    example=Example("qa,qb,pa,pb\n0.5,0.5,0.75,0.25\n0.5,0.5,1,0", "--pred qa,qb --target pa,pb"),
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


class Read(NamedTuple):
    """Probabilities, and their logarithms where those are what was given."""

    value: Array
    log: Array | None


def read(x: Array, is_log: bool, renormalize: bool, clip: float | None) -> Read:
    """Rows of (log-)probabilities; plain ones made to add up to 1 and held off 0 where asked."""
    if is_log:
        return Read(exp(x), x)
    p = x / total(x)[..., None] if renormalize else x
    return Read(p if clip is None else clipped(p, clip, 1.0), None)

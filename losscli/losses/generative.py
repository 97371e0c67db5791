"""Losses of generative models: what a sample costs to describe, and what its code costs."""

from typing import Annotated, Literal

from losscli.losses.classification import binary_cross_entropy
from losscli.losses.domains import REAL, By, Domain, Interval
from losscli.losses.numerics import Array, exp_excess, flat, log, square, total
from losscli.losses.parameters import NotNegative
from losscli.losses.properties import INFINITY, Properties
from losscli.losses.registry import Edge, Example, loss
from losscli.losses.regression import mae, mse
from losscli.losses.roles import Embedding, Role, RowReal

HALF_LOG_2PI = 0.9189385332046727

BIT = Interval(0.0, 1.0, advice="--recon-loss bce-logits for raw scores, mse for real values")


def sample(by_recon_loss: dict[str, Domain]) -> Role:
    """A role that holds one sample a row: a number, a vector, or an image."""
    domain = By("recon_loss", dict.fromkeys(("mse", "mae", "gaussian"), REAL) | by_recon_loss)
    return Role(tuple((axes, domain) for axes in ("n", "n k", "n h w", "n c h w")))


SampleScore = Annotated[Array, sample({"bce": BIT, "bce-logits": REAL})]
SampleValue = Annotated[Array, sample({"bce": BIT, "bce-logits": BIT})]
Spread = Annotated[Array, Role((("n d", Interval(low=0.0, open_low=True)),))]


def over_row(elements: Array, how: str) -> Array:
    """The sum or the mean of all elements of each row."""
    row = flat(elements)
    return total(row) / row.shape[-1] if how == "mean" else total(row)


def reconstruction(pred: Array, target: Array, recon_loss: str) -> Array:
    """What each element of a sample costs, given its reconstruction."""
    if recon_loss in ("bce", "bce-logits"):
        return binary_cross_entropy(
            pred, target, input="probs" if recon_loss == "bce" else "logits"
        )
    if recon_loss == "mae":
        return mae(pred, target)
    squared = mse(pred, target)
    return 0.5 * squared + HALF_LOG_2PI if recon_loss == "gaussian" else squared


def code_length(mu: Array, log_var: Array) -> Array:
    """KL(N(μ, σ²) ‖ N(0, 1)) = ½ (μ² + σ² − 1 − ln σ²) of each latent, none of it negative."""
    return 0.5 * (square(mu) + exp_excess(log_var))


@loss(
    "vae-elbo",
    family="generative",
    aliases=("elbo", "negative-elbo", "vae", "beta-vae"),
    one_of=(
        ("recon", ("pred", "target")),
        ("kl", ("mu", "log_var"), ("mu", "std")),
    ),
    for_role={"recon_loss": "pred", "recon_reduce": "pred", "kl_reduce": "mu"},
    example=Example("recon,kl\n12.5,3.2", "--recon recon --kl kl"),
    edges=(
        Edge("no KL term", "12.5,0"),
        Edge("a reconstruction that costs less than nothing", "-2,3"),
    ),
    properties=Properties(
        task="generative",
        units="nats where both terms are",
        convex=True,
        differentiable=True,
        robust=False,
        bounds=(0, INFINITY),
    ),
)
def vae_elbo(
    pred: SampleScore | None = None,
    target: SampleValue | None = None,
    mu: Embedding | None = None,
    log_var: Embedding | None = None,
    std: Spread | None = None,
    recon: RowReal | None = None,
    kl: RowReal | None = None,
    *,
    beta: NotNegative = 1.0,
    recon_loss: Literal["mse", "mae", "bce", "bce-logits", "gaussian"] = "mse",
    recon_reduce: Literal["sum", "mean"] = "sum",
    kl_reduce: Literal["sum", "mean"] = "sum",
) -> Array:
    """The negative evidence lower bound of a variational autoencoder: reconstruction plus KL.

    Each of the two terms is either given, or computed from the model's output.

    Formula:
        ℓ = R + β K

        R = Σ_i r(x̂_i, x_i),    K = ½ Σ_j (μ_j² + σ_j² − 1 − ln σ_j²)

    Roles:
        pred: the reconstruction x̂ of each sample.
        target: the sample x.
        mu: the mean μ of each sample's code.
        log_var: the log-variance ln σ² of each sample's code.
        std: the standard deviation σ of each sample's code, instead of log_var.
        recon: the reconstruction term R of each sample, instead of pred and target.
        kl: the term K of each sample, instead of mu and log_var.

    Parameters:
        beta: β, the weight of the KL term; a β-VAE has more than 1.
        recon_loss: r, the squared error, the absolute error, the binary cross-entropy of
            probabilities or of logits, or −ln N(x; x̂, 1).
        recon_reduce: whether R is the sum over the elements of a sample, or their mean.
        kl_reduce: whether K is the sum over the latents, or their mean.

    Returns:
        One loss a sample, not negative where R is computed and no density; in nats where r is a
        negative log-likelihood and both terms are sums.

    Raises:
        DataError: a value is not finite, a probability or a target of the binary cross-entropy is
            outside [0, 1], or a standard deviation is not positive.

    Source:
        Kingma and Welling, "Auto-Encoding Variational Bayes", 2014; Higgins et al., "β-VAE", 2017.

    Example:
        >>> import numpy as np
        >>> vae_elbo(recon=np.array([12.5, 2.0]), kl=np.array([3.5, 1.0]), beta=4.0)
        array([26.5,  6. ])
    """
    if pred is not None and target is not None:
        recon = over_row(reconstruction(pred, target, recon_loss), recon_reduce)
    if std is not None:
        log_var = 2.0 * log(std)
    if mu is not None and log_var is not None:
        kl = over_row(code_length(mu, log_var), kl_reduce)
    assert recon is not None
    assert kl is not None
    return recon + beta * kl

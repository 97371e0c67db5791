"""Metric-learning losses and the negative ELBO against torch, on random and on extreme rows."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import losscli
from losscli.losses import CATALOGUE

torch = pytest.importorskip("torch")
F = torch.nn.functional

RTOL = 1e-12
SHAPES = [(1, 1), (5, 2), (40, 3), (17, 64)]
SCALES = [1e-3, 1.0, 1e3]


def agree(loss: str, peer: Callable[[str], Any], arguments: dict[str, Any]) -> None:
    """Every reduction of a loss is torch's. Rows near 0 cancel in torch: 1e-12 of the largest."""
    arrays = {k: v.numpy() if torch.is_tensor(v) else v for k, v in arguments.items()}
    result = losscli.compute(loss, reduction=["none", "mean", "sum"], row="none", **arrays)
    rows = peer("none").numpy()
    atol = RTOL * max(1.0, np.abs(rows).max())
    np.testing.assert_allclose(result.per_sample, rows, rtol=RTOL, atol=atol)
    values = {value.reduction: value.value for value in result.values}
    for reduction in ("mean", "sum"):
        expected = peer(reduction).item()
        np.testing.assert_allclose(values[reduction], expected, rtol=RTOL, atol=len(rows) * atol)


def draw(seed: int, count: int, shape: tuple[int, ...], scale: float = 1.0) -> list[Any]:
    generator = torch.Generator().manual_seed(seed)
    return [
        scale * torch.randn(shape, generator=generator, dtype=torch.float64) for _ in range(count)
    ]


def signs(n: int) -> Any:
    return torch.tensor([1.0, -1.0, -1.0], dtype=torch.float64).repeat(n)[:n]


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("scale", SCALES)
@pytest.mark.parametrize("margin", [-0.5, 0.0, 0.3])
def test_cosine_embedding(shape: tuple[int, int], scale: float, margin: float) -> None:
    x1, x2 = draw(1, 2, shape, scale)
    y = signs(len(x1))
    agree(
        "cosine-embedding",
        lambda r: F.cosine_embedding_loss(x1, x2, y, margin=margin, reduction=r),
        {"x1": x1, "x2": x2, "target": y, "margin": margin, "eps": 1e-12},
    )


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("p", [0.5, 1.0, 2.0, 3.0, 7.5])
@pytest.mark.parametrize("swap", [False, True])
@pytest.mark.parametrize("eps", [0.0, 1e-6])
def test_triplet_margin(shape: tuple[int, int], p: float, swap: bool, eps: float) -> None:
    a, pos, neg = draw(2, 3, shape)
    agree(
        "triplet-margin",
        lambda r: F.triplet_margin_loss(a, pos, neg, 0.7, p, eps, swap, reduction=r),
        {
            "anchor": a,
            "positive": pos,
            "negative": neg,
            "margin": 0.7,
            "p": p,
            "swap": swap,
            "distance_eps": eps,
        },
    )


DISTANCES: dict[str, Callable[[Any, Any], Any]] = {
    "euclidean": lambda x, y: F.pairwise_distance(x, y, eps=1e-6),
    "sqeuclidean": lambda x, y: F.pairwise_distance(x, y, eps=1e-6) ** 2,
    "manhattan": lambda x, y: F.pairwise_distance(x, y, p=1.0, eps=1e-6),
    "chebyshev": lambda x, y: F.pairwise_distance(x, y, p=float("inf"), eps=1e-6),
    "cosine": lambda x, y: 1 - F.cosine_similarity(x, y, eps=1e-6),
}


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("distance", DISTANCES)
@pytest.mark.parametrize("swap", [False, True])
@pytest.mark.parametrize("normalize", [False, True])
def test_triplet_margin_with_distance(
    shape: tuple[int, int], distance: str, swap: bool, normalize: bool
) -> None:
    triplet = draw(3, 3, shape)
    seen = [F.normalize(x, dim=1) for x in triplet] if normalize else triplet
    agree(
        "triplet-margin-with-distance",
        lambda r: F.triplet_margin_with_distance_loss(
            *seen, distance_function=DISTANCES[distance], margin=0.7, swap=swap, reduction=r
        ),
        {
            **dict(zip(("anchor", "positive", "negative"), triplet, strict=True)),
            "distance": distance,
            "margin": 0.7,
            "swap": swap,
            "distance_eps": 1e-6,
            "normalize": normalize,
        },
    )


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("distance", DISTANCES)
@pytest.mark.parametrize("similar_label", [0, 1])
@pytest.mark.parametrize("power", [1, 2])
def test_contrastive(shape: tuple[int, int], distance: str, similar_label: int, power: int) -> None:
    x1, x2 = draw(4, 2, shape)
    target = (signs(len(x1)) + 1) / 2
    d = DISTANCES[distance](x1, x2)
    similar = target if similar_label == 1 else 1 - target
    rows = 0.5 * (
        similar * torch.clamp(d - 0.1, min=0) ** power
        + (1 - similar) * torch.clamp(1.5 - d, min=0) ** power
    )
    parameters = {
        "margin": 1.5,
        "similar_margin": 0.1,
        "similar_label": similar_label,
        "power": power,
        "half": True,
    }
    reduced = {"none": rows, "mean": rows.mean(), "sum": rows.sum()}
    agree(
        "contrastive",
        reduced.__getitem__,
        {
            "x1": x1,
            "x2": x2,
            "target": target,
            "distance": distance,
            "distance_eps": 1e-6,
            **parameters,
        },
    )
    agree("contrastive", reduced.__getitem__, {"pred": d, "target": target, **parameters})


RECONSTRUCTION = {
    "mse": lambda x, y: F.mse_loss(x, y, reduction="none"),
    "mae": lambda x, y: F.l1_loss(x, y, reduction="none"),
    "bce": lambda x, y: F.binary_cross_entropy(x, y, reduction="none"),
    "bce-logits": lambda x, y: F.binary_cross_entropy_with_logits(x, y, reduction="none"),
    "gaussian": lambda x, y: -torch.distributions.Normal(x, 1.0).log_prob(y),
}


@pytest.mark.parametrize("recon", RECONSTRUCTION)
@pytest.mark.parametrize("shape", [(3, 1), (6, 5), (4, 3, 2), (2, 3, 4, 5)])
@pytest.mark.parametrize("reduce", ["sum", "mean"])
def test_vae_elbo(recon: str, shape: tuple[int, ...], reduce: str) -> None:
    pred, target = draw(5, 2, shape)
    mu, log_var = draw(6, 2, (shape[0], 3))
    if recon.startswith("bce"):
        target = torch.sigmoid(target)
        pred = torch.sigmoid(pred) if recon == "bce" else pred
    code = torch.distributions.Normal(mu, torch.exp(0.5 * log_var))
    kl = torch.distributions.kl_divergence(code, torch.distributions.Normal(0.0, 1.0))
    given = {
        "r": RECONSTRUCTION[recon](pred, target).flatten(1),
        "kl": kl,
    }
    terms = {k: getattr(v, reduce)(1) for k, v in given.items()}
    rows = terms["r"] + 4.0 * terms["kl"]
    reduced = {"none": rows, "mean": rows.mean(), "sum": rows.sum()}
    of_recon, of_kl = {"recon_loss": recon, "recon_reduce": reduce}, {"kl_reduce": reduce}
    sample = {"pred": pred, "target": target}
    for arguments in (
        {**sample, "mu": mu, "log_var": log_var, **of_recon, **of_kl},
        {**sample, "mu": mu, "std": torch.exp(0.5 * log_var), **of_recon, **of_kl},
        {**sample, "kl": terms["kl"], **of_recon},
        {"recon": terms["r"], "mu": mu, "log_var": log_var, **of_kl},
        {"recon": terms["r"], "kl": terms["kl"]},
    ):
        agree("vae-elbo", reduced.__getitem__, {**arguments, "beta": 4.0})


def test_extremes() -> None:
    """Where torch's own formulas overflow or cancel, the values are exact by arithmetic."""
    f = {loss.name: loss.function for loss in CATALOGUE}
    big, small = np.array([[3e200, 4e200]]), np.array([[3e-200, 4e-200]])
    zero, one = np.zeros((1, 2)), np.ones(1)
    # ‖(3, 4)‖ = 5, at any scale.
    assert f["triplet-margin"](zero, big, zero, margin=0.0) == pytest.approx(5e200, rel=1e-15)
    assert f["triplet-margin"](zero, small, zero, margin=0.0) == pytest.approx(5e-200, rel=1e-15)
    # A direction does not depend on length; the cosine of a vector with itself is 1.
    assert f["cosine-embedding"](big, small, one) == pytest.approx(0.0, abs=1e-30)
    assert f["cosine-embedding"](big, big, one) == 0.0
    # 1 − cos 1e-9 = ½ 1e-18, of which 1 minus a cosine keeps no digit.
    tiny = f["cosine-embedding"](np.array([[1.0, 0.0]]), np.array([[1.0, 1e-9]]), one)
    assert tiny == pytest.approx(5e-19, rel=1e-9, abs=0.0)
    # A zero vector has cosine 0 with any other (torch's value, too).
    assert f["cosine-embedding"](zero, big, np.array([1.0])) == 1.0
    assert f["cosine-embedding"](zero, zero, np.array([-1.0])) == 0.0
    # KL of N(0, e^x): ½ (e^x − 1 − x), which is ¼ x² (1 + x / 3 + …) near 0.
    recon = np.zeros(1)
    near = f["vae-elbo"](recon=recon, mu=np.zeros((1, 1)), log_var=np.full((1, 1), 1e-9))
    assert near == pytest.approx(0.25e-18, rel=1e-9, abs=0.0)
    far = f["vae-elbo"](recon=recon, mu=np.zeros((1, 1)), log_var=np.full((1, 1), -800.0))
    assert far == pytest.approx(399.5, rel=1e-15)
    over = f["vae-elbo"](recon=recon, mu=np.zeros((1, 1)), log_var=np.full((1, 1), 800.0))
    assert over == np.inf


def test_optax_places_epsilon_under_the_root() -> None:
    """optax 0.2.8: optax.losses.triplet_margin_loss([[1, 2]], [[1.1, 2.1]], [[1.5, 2]])."""
    a, p, n = ([[1.0, 2.0]], [[1.1, 2.1]], [[1.5, 2.0]])
    given = {"anchor": np.array(a), "positive": np.array(p), "negative": np.array(n)}
    result = losscli.compute("triplet-margin", **given, distance_eps=1e-6, eps_on="sum")
    assert result.value == pytest.approx(0.6414238917, abs=5e-11)


def test_pytorch_metric_learning_contrastive() -> None:
    """pytorch-metric-learning 2.9.0: ContrastiveLoss() of (1, 2) and (1.5, 2.5), both labels."""
    pair = {"x1": np.array([[1.0, 2.0]]), "x2": np.array([[1.5, 2.5]])}
    for label, expected in ((1.0, 0.07675303901), (0.0, 0.923246961)):
        given = {**pair, "target": np.array([label])}
        # It adds 1e-6 to differences of the normalized embeddings.
        value = losscli.compute("contrastive", **given, power=1, normalize=True).value
        assert value == pytest.approx(expected, abs=2e-6)


@pytest.mark.parametrize("eps", [0.0, 1e-7])
def test_weights(eps: float) -> None:
    a, p, n = draw(7, 3, (9, 4))
    weight = torch.linspace(0.0, 2.0, 9, dtype=torch.float64)
    rows = F.triplet_margin_loss(a, p, n, eps=eps, reduction="none")
    given = {"anchor": a.numpy(), "positive": p.numpy(), "negative": n.numpy()}
    result = losscli.compute(
        "triplet-margin", **given, distance_eps=eps, weight=weight.numpy(),
        reduction=["mean", "weighted-mean", "sum"],
    )  # fmt: skip
    found = {value.reduction: value.value for value in result.values}
    weighted = (weight * rows).sum().item()
    assert found == pytest.approx(
        {"mean": weighted / 9, "weighted-mean": weighted / weight.sum().item(), "sum": weighted},
        rel=RTOL,
    )

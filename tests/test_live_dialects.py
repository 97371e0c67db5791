"""Dialects against the libraries themselves, called with nothing but their inputs."""

import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import losscli
from losscli.losses import CATALOGUE
from losscli.losses.numerics import Array

torch = pytest.importorskip("torch")
F = torch.nn.functional
metrics = pytest.importorskip("sklearn.metrics")

RNG = np.random.default_rng(7)
N, K, C = 23, 3, 4
REAL, OTHER = RNG.normal(size=(2, N, K)) * 3
POSITIVE = RNG.gamma(2.0, size=(N, K))
COUNTS = RNG.poisson(2.0, size=(N, K)).astype(float)
UNIT = RNG.uniform(size=(N, K))
UNIT[:2] = [[0.0, 1.0, 0.5], [1.0, 0.0, 0.0]]
BITS = RNG.integers(0, 2, size=(N, K)).astype(float)
SIGNS = 2.0 * BITS - 1.0
SCORES = RNG.normal(size=(N, C)) * 3
P, Q = RNG.dirichlet(np.ones(C), size=(2, N))
CLASS = RNG.integers(0, C, size=N).astype(float)
SOME = np.where(np.arange(N) % 5 == 0, -100.0, CLASS)
CLASS_WEIGHT = np.array([1.0, 2.0, 0.5, 3.0])
WEIGHT = RNG.uniform(size=N)
LISTS = np.stack([RNG.permutation(C) for _ in range(N)]).astype(float)
LISTS[:, 2] = -1.0
MATRIX = RNG.normal(size=(C, K))
FRAMES = np.log(RNG.dirichlet(np.ones(C), size=(N, 8)))

TORCH: dict[str, tuple[str, Callable[..., Any], dict[str, Array]]] = {
    "mse": ("mse", F.mse_loss, {"pred": REAL, "target": OTHER}),
    "mae": ("mae", F.l1_loss, {"pred": REAL, "target": OTHER}),
    "huber": ("huber", F.huber_loss, {"pred": REAL, "target": OTHER}),
    "smooth-l1": ("smooth-l1", F.smooth_l1_loss, {"pred": REAL, "target": OTHER}),
    "poisson-nll": ("poisson-nll", F.poisson_nll_loss, {"pred": REAL, "target": COUNTS}),
    "gaussian-nll": (
        "gaussian-nll",
        F.gaussian_nll_loss,
        {"pred": REAL, "target": OTHER, "var": POSITIVE},
    ),
    "kl-divergence": ("kl-divergence", F.kl_div, {"pred": np.log(Q), "target": P}),
    "binary-cross-entropy": (
        "binary-cross-entropy",
        F.binary_cross_entropy,
        {"pred": UNIT, "target": BITS},
    ),
    "cross-entropy": ("cross-entropy", F.cross_entropy, {"pred": SCORES, "target": CLASS}),
    "cross-entropy, ignored": (
        "cross-entropy",
        F.cross_entropy,
        {"pred": SCORES, "target": SOME},
    ),
    "cross-entropy, soft": ("cross-entropy", F.cross_entropy, {"pred": SCORES, "target": P}),
    "nll": ("nll", F.nll_loss, {"pred": np.log(Q), "target": SOME}),
    "linear-cross-entropy": (
        "linear-cross-entropy",
        lambda x, target, w, b: F.linear_cross_entropy(x, w, target, linear_bias=b),
        {"x": REAL, "target": SOME, "linear_weight": MATRIX, "linear_bias": CLASS_WEIGHT},
    ),
    "ctc": (
        "ctc",
        # Frames come first there.
        lambda p, y, frames, labels: F.ctc_loss(p.transpose(0, 1), y, frames.long(), labels.long()),
        {
            "pred": FRAMES,
            "target": 1.0 + LISTS[:, :2] % 2,
            "input_lengths": 4.0 + CLASS,
            "target_lengths": 1.0 + BITS[:, 0],
        },
    ),
    "hinge-embedding": (
        "hinge-embedding",
        F.hinge_embedding_loss,
        {"pred": POSITIVE, "target": SIGNS},
    ),
    "hinge-embedding, any target": (
        "hinge-embedding",
        F.hinge_embedding_loss,
        {"pred": POSITIVE, "target": REAL},
    ),
    "soft-margin": ("soft-margin", F.soft_margin_loss, {"pred": REAL, "target": SIGNS}),
    "margin-ranking": (
        "margin-ranking",
        F.margin_ranking_loss,
        {"x1": REAL, "x2": OTHER, "target": SIGNS},
    ),
    "multi-margin": ("multi-margin", F.multi_margin_loss, {"pred": SCORES, "target": CLASS}),
    "multilabel-margin": (
        "multilabel-margin",
        F.multilabel_margin_loss,
        {"pred": SCORES, "target": LISTS},
    ),
    "multilabel-soft-margin": (
        "multilabel-soft-margin",
        F.multilabel_soft_margin_loss,
        {"pred": REAL, "target": BITS},
    ),
    "triplet-margin": (
        "triplet-margin",
        F.triplet_margin_loss,
        {"anchor": REAL, "positive": OTHER, "negative": POSITIVE},
    ),
    "triplet-margin-with-distance": (
        "triplet-margin-with-distance",
        F.triplet_margin_with_distance_loss,
        {"anchor": REAL, "positive": OTHER, "negative": POSITIVE},
    ),
    "cosine-similarity": (
        "cosine-similarity",
        lambda x, y: F.cosine_similarity(x, y).mean(),
        {"pred": REAL, "target": OTHER},
    ),
    "cosine-embedding": (
        "cosine-embedding",
        F.cosine_embedding_loss,
        {"x1": REAL, "x2": OTHER, "target": SIGNS[:, 0]},
    ),
    "cosine-embedding, short": (
        "cosine-embedding",
        F.cosine_embedding_loss,
        {"x1": REAL * 1e-7, "x2": OTHER, "target": SIGNS[:, 0]},
    ),
}

#: what torch wants as whole numbers
INTEGERS = {
    "cross-entropy",
    "nll",
    "multi-margin",
    "multilabel-margin",
    "linear-cross-entropy",
    "ctc",
}


def tensors(loss: str, roles: dict[str, Array]) -> list[Any]:
    return [
        torch.tensor(
            array, dtype=torch.int64 if name == "target" and loss in INTEGERS else torch.float64
        )
        for name, array in roles.items()
    ]


@pytest.mark.parametrize(("loss", "function", "roles"), TORCH.values(), ids=TORCH.keys())
def test_torch(loss: str, function: Callable[..., Any], roles: dict[str, Array]) -> None:
    soft = loss == "cross-entropy" and roles["target"].ndim == 2
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # torch warns of kl_div's mean
        expected = float(function(*tensors("" if soft else loss, roles)))
    value = losscli.compute(loss, dialect="torch", **roles).value
    # Both are float64; torch adds in another order, and its roots of squares are not ours.
    assert value == pytest.approx(expected, rel=1e-12)


def test_every_torch_dialect_is_here() -> None:
    declared = {loss.name for loss in CATALOGUE if "torch" in loss.dialects}
    assert declared == {loss for loss, _, _ in TORCH.values()}


@pytest.mark.parametrize("target", [CLASS, SOME, P], ids=["classes", "ignored", "soft"])
@pytest.mark.parametrize("smoothing", [0.0, 0.2])
def test_torch_class_weights(target: Array, smoothing: float) -> None:
    """torch divides by the weights of the classes that happened, but by n for soft targets."""
    kind = torch.float64 if target.ndim == 2 else torch.int64
    expected = F.cross_entropy(
        torch.tensor(SCORES),
        torch.tensor(target, dtype=kind),
        weight=torch.tensor(CLASS_WEIGHT),
        label_smoothing=smoothing,
    )
    value = losscli.compute(
        "cross-entropy",
        pred=SCORES,
        target=target,
        dialect="torch",
        class_weight=CLASS_WEIGHT,
        label_smoothing=smoothing,
    ).value
    assert value == pytest.approx(float(expected), rel=1e-12)


def test_class_axis_of_maps() -> None:
    """Logits (n, C, h, w) go with classes (n, h, w), of which no axis is the classes."""
    logits, classes = RNG.normal(size=(3, C, 5, 6)), RNG.integers(0, C, size=(3, 5, 6))
    expected = F.cross_entropy(torch.tensor(logits), torch.tensor(classes))
    value = losscli.compute(
        "cross-entropy", pred=logits, target=classes, dialect="torch", class_axis=1
    ).value
    assert value == pytest.approx(float(expected), rel=1e-12)


@pytest.mark.parametrize(
    ("loss", "function"),
    [("mse", F.mse_loss), ("mae", F.l1_loss), ("huber", F.huber_loss)],
)
def test_torch_weights(loss: str, function: Callable[..., Any]) -> None:
    """mse_loss and l1_loss divide by the weights, huber_loss by n."""
    weight = np.broadcast_to(WEIGHT[:, None], REAL.shape)
    expected = function(torch.tensor(REAL), torch.tensor(OTHER), weight=torch.tensor(weight.copy()))
    value = losscli.compute(loss, pred=REAL, target=OTHER, weight=WEIGHT, dialect="torch").value
    assert value == pytest.approx(float(expected), rel=1e-12)


TWO = 3.0 + 4.0 * BITS[:, 0]
SKLEARN: dict[str, tuple[str, Callable[..., Any], Array, Array]] = {
    "mse": ("mse", metrics.mean_squared_error, OTHER, REAL),
    "mae": ("mae", metrics.mean_absolute_error, OTHER, REAL),
    "quantile": ("quantile", metrics.mean_pinball_loss, OTHER, REAL),
    "mape": ("mape", metrics.mean_absolute_percentage_error, BITS, REAL),
    "msle": ("msle", metrics.mean_squared_log_error, POSITIVE, UNIT),
    "rmse": ("rmse", metrics.root_mean_squared_error, OTHER, REAL),
    "rmsle": ("rmsle", metrics.root_mean_squared_log_error, POSITIVE, UNIT),
    "rmse, one column": ("rmse", metrics.root_mean_squared_error, OTHER[:, 0], REAL[:, 0]),
    "poisson-deviance": (
        "poisson-deviance",
        metrics.mean_poisson_deviance,
        COUNTS[:, 0],
        POSITIVE[:, 0],
    ),
    "gamma-deviance": (
        "gamma-deviance",
        metrics.mean_gamma_deviance,
        POSITIVE[:, 1],
        POSITIVE[:, 0],
    ),
    "tweedie-deviance": (
        "tweedie-deviance",
        metrics.mean_tweedie_deviance,
        OTHER[:, 0],
        REAL[:, 0],
    ),
    "brier": ("brier", metrics.brier_score_loss, BITS[:, 0], UNIT[:, 0]),
    "brier, several": ("brier", metrics.brier_score_loss, CLASS, P),
    "zero-one": ("zero-one", metrics.zero_one_loss, CLASS, CLASS[::-1]),
    "zero-one, several": ("zero-one", metrics.zero_one_loss, BITS, BITS[::-1]),
    "hamming": ("hamming", metrics.hamming_loss, CLASS, CLASS[::-1]),
    "hamming, several": ("hamming", metrics.hamming_loss, BITS, BITS[::-1]),
    "binary-cross-entropy": ("binary-cross-entropy", metrics.log_loss, BITS[:, 0], UNIT[:, 0]),
    "cross-entropy": ("cross-entropy", metrics.log_loss, CLASS, P),
    "hinge": ("hinge", metrics.hinge_loss, SIGNS[:, 0], REAL[:, 0]),
    "hinge, 0 and 1": ("hinge", metrics.hinge_loss, BITS[:, 0], REAL[:, 0]),
    "hinge, 3 and 7": ("hinge", metrics.hinge_loss, TWO, REAL[:, 0]),
    "hinge, only 1": ("hinge", metrics.hinge_loss, np.ones(N), REAL[:, 0]),
    "hinge, only -1": ("hinge", metrics.hinge_loss, -np.ones(N), REAL[:, 0]),
    "multiclass-hinge": ("multiclass-hinge", metrics.hinge_loss, CLASS, SCORES),
}


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize(("loss", "function", "y", "pred"), SKLEARN.values(), ids=SKLEARN.keys())
def test_sklearn(
    loss: str, function: Callable[..., Any], y: Array, pred: Array, weighted: bool
) -> None:
    expected = function(y, pred.copy(), **({"sample_weight": WEIGHT} if weighted else {}))
    given = {"weight": WEIGHT} if weighted else {}
    value = losscli.compute(loss, pred=pred, target=y, dialect="sklearn", **given).value
    assert value == pytest.approx(expected, rel=1e-12)


def test_every_sklearn_dialect_is_here() -> None:
    declared = {loss.name for loss in CATALOGUE if "sklearn" in loss.dialects}
    assert declared == {loss for loss, _, _, _ in SKLEARN.values()}

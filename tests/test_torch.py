"""Live parity with torch over random inputs, weights and reductions."""

from typing import Any

import numpy as np
import pytest

import losscli

torch = pytest.importorskip("torch")
F = torch.nn.functional

SEEDS = range(4)
REDUCTIONS = ("none", "mean", "sum")


def check(ours: losscli.Result, theirs: Any) -> None:
    values = ours.per_sample if ours.value is None else ours.value
    np.testing.assert_allclose(values, theirs.numpy(), rtol=1e-12, atol=1e-14)


def tensor(x: Any) -> Any:
    return torch.tensor(np.asarray(x))


ELEMENTWISE = {
    "mse": ({}, F.mse_loss),
    "mae": ({}, F.l1_loss),
    "huber": ({"delta": 0.7}, lambda x, y, **k: F.huber_loss(x, y, delta=0.7, **k)),
}


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("reduction", REDUCTIONS)
@pytest.mark.parametrize("name", ELEMENTWISE)
@pytest.mark.parametrize("shape", [(17,), (5, 3), (4, 2, 3)])
def test_regression(name: str, reduction: str, seed: int, shape: tuple[int, ...]) -> None:
    rng = np.random.default_rng(seed)
    pred, target = rng.normal(size=shape), rng.normal(size=shape)
    params, original = ELEMENTWISE[name]
    ours = losscli.compute(
        name, pred=pred, target=target, row="none", reduction=reduction, **params
    )
    theirs = original(tensor(pred), tensor(target), reduction=reduction)
    check(ours, theirs.reshape(ours.per_sample.shape) if reduction == "none" else theirs)


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("reduction", REDUCTIONS)
@pytest.mark.parametrize("off", [False, True])
def test_hinge_embedding(reduction: str, seed: int, off: bool) -> None:
    rng = np.random.default_rng(seed)
    pred = rng.normal(size=40)
    target = rng.choice([-1.0, 0.0, 0.5, 1.0] if off else [-1.0, 1.0], 40)
    ours = losscli.compute(
        "hinge-embedding",
        pred=pred,
        target=target,
        margin=0.8,
        reduction=reduction,
        off_labels="both" if off else "error",
    )
    check(ours, F.hinge_embedding_loss(tensor(pred), tensor(target), 0.8, reduction=reduction))


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("scale", [1.0, 300.0])
@pytest.mark.parametrize("weighted", [False, True])
def test_binary_cross_entropy_of_logits(seed: int, scale: float, weighted: bool) -> None:
    rng = np.random.default_rng(seed)
    pred, target = rng.normal(size=(20, 3)) * scale, rng.uniform(size=(20, 3)).round(1)
    pos_weight = np.array([0.5, 1.0, 3.0]) if weighted else None
    ours = losscli.compute(
        "bce", pred=pred, target=target, input="logits", row="none", pos_weight=pos_weight
    )
    theirs = F.binary_cross_entropy_with_logits(
        tensor(pred),
        tensor(target),
        pos_weight=None if pos_weight is None else tensor(pos_weight),
    )
    check(ours, theirs)


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("reduction", REDUCTIONS)
def test_binary_cross_entropy_of_probabilities(seed: int, reduction: str) -> None:
    rng = np.random.default_rng(seed)
    pred = np.concatenate([rng.uniform(size=30), [0.0, 0.0, 1.0, 1.0]])
    target = np.concatenate([rng.integers(0, 2, 30), [0.0, 1.0, 0.0, 1.0]])
    ours = losscli.compute("bce", pred=pred, target=target, log_floor=-100, reduction=reduction)
    check(ours, F.binary_cross_entropy(tensor(pred), tensor(target), reduction=reduction))


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("reduction", REDUCTIONS)
@pytest.mark.parametrize("smoothing", [0.0, 0.3])
@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("soft", [False, True])
def test_cross_entropy(
    seed: int, reduction: str, smoothing: float, weighted: bool, soft: bool
) -> None:
    rng = np.random.default_rng(seed)
    pred = rng.normal(size=(25, 4)) * 5
    target: Any = rng.dirichlet(np.ones(4), 25) if soft else rng.integers(0, 4, 25)
    weight = rng.uniform(0.2, 2, 4) if weighted else None
    # Torch's mean divides by the weights of class indexes, but by n for probabilities.
    name = "weighted-mean" if reduction == "mean" and weighted and not soft else reduction
    ours = losscli.compute(
        "cross-entropy",
        pred=pred,
        target=target,
        class_weight=weight,
        label_smoothing=smoothing,
        ignore_index=None if soft else 2,
        reduction=name,
    )
    theirs = F.cross_entropy(
        tensor(pred),
        tensor(target),
        weight=None if weight is None else tensor(weight),
        label_smoothing=smoothing,
        reduction=reduction,
        **({} if soft else {"ignore_index": 2}),
    )
    check(ours, theirs)


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("p", [1, 2])
@pytest.mark.parametrize("reduction", REDUCTIONS)
def test_multi_margin(seed: int, p: int, reduction: str) -> None:
    rng = np.random.default_rng(seed)
    pred, target = rng.normal(size=(25, 4)), rng.integers(0, 4, 25)
    weight = rng.uniform(0.2, 2, 4)
    ours = losscli.compute(
        "multi-margin", pred=pred, target=target, p=p, margin=0.6, class_weight=weight,
        reduction=reduction,
    )  # fmt: skip
    theirs = F.multi_margin_loss(
        tensor(pred), tensor(target), p=p, margin=0.6, weight=tensor(weight), reduction=reduction
    )
    check(ours, theirs)


def test_tensors_are_arrays() -> None:
    pred = torch.tensor([0.5, 2.0], requires_grad=True)
    assert losscli.compute("mae", pred=pred, target=torch.zeros(2)).value == 1.25

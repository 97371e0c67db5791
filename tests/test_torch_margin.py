"""Margin losses equal torch's, called here on the same random values."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import losscli

torch = pytest.importorskip("torch")
F = torch.nn.functional

REDUCTIONS = ("none", "mean", "sum")
RTOL = 1e-12


def scores(rng: np.random.Generator, *shape: int) -> Any:
    """Scores of every size up to ±800, with ties."""
    size = rng.choice([0.0, 0.5, 3.0, 40.0, 800.0], shape)
    return np.round(rng.uniform(-1, 1, shape) * size, 3)


def signs(rng: np.random.Generator, *shape: int) -> Any:
    return rng.choice([-1.0, 1.0], shape)


def same(name: str, peer: Callable[..., Any], roles: dict[str, Any], **params: Any) -> None:
    """Every reduction of a loss equals the torch function that `peer` calls."""
    for reduction in REDUCTIONS:
        result = losscli.compute(name, reduction=reduction, row="none", **roles, **params)
        got = result.per_sample if reduction == "none" else result.value
        expected = peer(reduction).numpy()
        np.testing.assert_allclose(
            np.ravel(got), np.ravel(expected), rtol=RTOL, atol=0, err_msg=reduction
        )


@pytest.mark.parametrize("shape", [(1,), (17,), (9, 4)])
@pytest.mark.parametrize("seed", range(3))
def test_soft_margin(seed: int, shape: tuple[int, ...]) -> None:
    rng = np.random.default_rng(seed)
    s, y = scores(rng, *shape).clip(-700, 700), signs(rng, *shape)  # where torch is finite
    same(
        "soft-margin",
        lambda r: F.soft_margin_loss(torch.tensor(s), torch.tensor(y), reduction=r),
        {"pred": s, "target": y},
    )


def test_soft_margin_is_the_line_where_torch_overflows() -> None:
    """−ln σ(−800) = 800 + ln(1 + e⁻⁸⁰⁰), by algebra; torch's ln(1 + e⁸⁰⁰) is infinite."""
    got = losscli.compute("soft-margin", pred=[800.0, -800.0], target=[-1.0, -1.0], per_sample=True)
    np.testing.assert_array_equal(got.per_sample, [800.0, 0.0])


@pytest.mark.parametrize("margin", [0.0, 0.5, 2.0, -1.0])
@pytest.mark.parametrize("shape", [(1,), (17,), (9, 4)])
def test_margin_ranking(shape: tuple[int, ...], margin: float) -> None:
    rng = np.random.default_rng(5)
    x1, x2, y = scores(rng, *shape), scores(rng, *shape), signs(rng, *shape)
    same(
        "margin-ranking",
        lambda r: F.margin_ranking_loss(
            *map(torch.tensor, (x1, x2, y)), margin=margin, reduction=r
        ),
        {"x1": x1, "x2": x2, "target": y},
        margin=margin,
    )


@pytest.mark.parametrize(("n", "classes"), [(1, 2), (8, 3), (40, 7)])
@pytest.mark.parametrize("seed", range(3))
def test_multilabel_margin(seed: int, n: int, classes: int) -> None:
    """Lists of any length, with classes listed twice and values after the first −1."""
    rng = np.random.default_rng(seed)
    s = scores(rng, n, classes)
    lists = rng.integers(-1, classes, (n, classes))
    same(
        "multilabel-margin",
        lambda r: F.multilabel_margin_loss(torch.tensor(s), torch.tensor(lists), reduction=r),
        {"pred": s, "target": lists.astype(float)},
    )


def test_multilabel_margin_of_multi_hot_rows() -> None:
    """The same classes, listed for torch and marked for us."""
    rng = np.random.default_rng(1)
    s, marked = scores(rng, 30, 5), rng.integers(0, 2, (30, 5))
    lists = np.full((30, 5), -1)
    for row, marks in enumerate(marked):
        classes = np.flatnonzero(marks)
        lists[row, : len(classes)] = classes
    same(
        "multilabel-margin",
        lambda r: F.multilabel_margin_loss(torch.tensor(s), torch.tensor(lists), reduction=r),
        {"pred": s, "target": marked.astype(float)},
        targets="multi-hot",
    )


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("soft", [False, True])
@pytest.mark.parametrize(("n", "classes"), [(1, 2), (8, 3), (40, 7), (5, 1)])
def test_multilabel_soft_margin(n: int, classes: int, soft: bool, weighted: bool) -> None:
    rng = np.random.default_rng(n)
    s = scores(rng, n, classes)
    y = rng.uniform(0, 1, (n, classes)) if soft else rng.integers(0, 2, (n, classes)).astype(float)
    weight = rng.uniform(0, 3, classes) if weighted else None
    same(
        "multilabel-soft-margin",
        lambda r: F.multilabel_soft_margin_loss(
            torch.tensor(s),
            torch.tensor(y),
            weight=None if weight is None else torch.tensor(weight),
            reduction=r,
        ),
        {"pred": s, "target": y},
        class_weight=weight,
    )

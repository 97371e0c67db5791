"""Regression and probabilistic losses against torch, on inputs drawn anew by Hypothesis."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

import losscli

torch = pytest.importorskip("torch")
functional = torch.nn.functional

SHAPES = array_shapes(min_dims=1, max_dims=3, max_side=6)
REDUCTIONS = st.sampled_from(["none", "mean", "sum"])
#: 800 is far past the end of eˣ
MODERATE = st.floats(-800, 800)


@st.composite
def pairs(draw: Any, *elements: Any) -> list[Any]:
    """Arrays of one shape, each of its own kind of numbers."""
    shape = draw(SHAPES)
    return [draw(arrays(np.float64, shape, elements=kind)) for kind in elements]


def agree(loss: str, reduction: str, expected: Any, atol: float = 0.0, **arguments: Any) -> None:
    """The reduced or per-element loss is torch's, within 1e-12 of the largest term of a sum."""
    result = losscli.compute(loss, reduction=reduction, row="none", **arguments)
    ours = np.ravel(result.per_sample if reduction == "none" else result.value)
    np.testing.assert_allclose(ours, np.ravel(expected.numpy()), rtol=1e-12, atol=atol)


def tensors(*xs: Any) -> Any:
    return [torch.from_numpy(x) for x in xs]


@given(pairs(MODERATE, MODERATE), st.floats(0, 10), REDUCTIONS)
def test_smooth_l1(xs: list[Any], beta: float, reduction: str) -> None:
    expected = functional.smooth_l1_loss(*tensors(*xs), beta=beta, reduction=reduction)
    # torch squares first, so that errors below 1e-154 are 0 there
    agree("smooth-l1", reduction, expected, 1e-150, pred=xs[0], target=xs[1], beta=beta)


@given(
    pairs(st.floats(0, 800), st.integers(0, 1000).map(float)),
    st.booleans(),
    st.booleans(),
    REDUCTIONS,
)
def test_poisson(xs: list[Any], log_input: bool, full: bool, reduction: str) -> None:
    rate, count = xs
    pred = rate / 100 - 4 if log_input else rate
    expected = functional.poisson_nll_loss(
        *tensors(pred, count), log_input=log_input, full=full, eps=1e-8, reduction=reduction
    )
    agree(
        "poisson-nll", reduction, expected, 1e-9 if reduction == "sum" else 1e-11,  # terms of 1e4
        pred=pred, target=count, input="log-rate" if log_input else "rate",
        full="stirling" if full else "none", eps=1e-8,
    )  # fmt: skip


@given(
    pairs(MODERATE, MODERATE, st.floats(0, 1e6)), st.sampled_from([1e-6, 0.1]), st.booleans(),
    REDUCTIONS,
)  # fmt: skip
def test_gaussian(xs: list[Any], eps: float, full: bool, reduction: str) -> None:
    expected = functional.gaussian_nll_loss(*tensors(*xs), full=full, eps=eps, reduction=reduction)
    # the two terms may cancel: an ulp of the larger, which is at most 7
    agree(
        "gaussian-nll", reduction, expected, 1e-12,
        pred=xs[0], target=xs[1], var=xs[2], full=full, eps=eps,
    )  # fmt: skip


@given(
    array_shapes(min_dims=2, max_dims=2, min_side=2, max_side=6).flatmap(
        lambda shape: st.tuples(*[arrays(np.float64, shape, elements=st.floats(-30, 30))] * 2)
    ),
    st.booleans(),
    st.sampled_from(["none", "mean", "sum", "batchmean"]),
)
@pytest.mark.filterwarnings("ignore:reduction. .mean. divides")
@settings(deadline=None)
def test_kl(scores: Any, log_target: bool, reduction: str) -> None:
    log_q, log_p = (functional.log_softmax(x, dim=-1) for x in tensors(*scores))
    target = log_p if log_target else log_p.exp()
    target = target if log_target else target / target.sum(-1, keepdim=True)
    expected = functional.kl_div(log_q, target, reduction=reduction, log_target=log_target)
    # terms of up to 60, which cancel in sums and in ln p − ln q
    agree(
        "kl-divergence", reduction, expected, 1e-12,
        pred=log_q.numpy(), target=target.numpy(), input="log-probs", log_target=log_target,
    )  # fmt: skip


@given(
    st.integers(1, 5).flatmap(
        lambda d: st.tuples(*[arrays(np.float64, (4, d), elements=MODERATE)] * 2)
    ),
    st.sampled_from([1e-8, 1e-3]),
)
def test_cosine(xs: Any, eps: float) -> None:
    expected = -functional.cosine_similarity(*tensors(*xs), dim=-1, eps=eps)
    ours = losscli.compute("cosine-similarity", pred=xs[0], target=xs[1], eps=eps, per_sample=True)
    np.testing.assert_allclose(ours.per_sample, expected.numpy(), rtol=1e-12, atol=1e-14)

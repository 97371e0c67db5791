"""Losses of batches against the same softmax written in torch, on random batches."""

import math
from typing import Any

import numpy as np
import pytest

import losscli

torch = pytest.importorskip("torch")
F = torch.nn.functional

RTOL = 1e-12
SHAPES = [(1, 1), (2, 3), (7, 1), (33, 5), (90, 64)]
REDUCTIONS = ("none", "mean", "sum")


def draw(count: int, shape: tuple[int, int], scale: float = 1.0) -> list[Any]:
    generator = torch.Generator().manual_seed(5)
    return [
        scale * torch.randn(shape, generator=generator, dtype=torch.float64) for _ in range(count)
    ]


def agree(loss: str, peer: Any, inputs: dict[str, Any], **options: Any) -> None:
    """Every reduction is torch's. torch subtracts logarithms: 1e-12 of what it subtracts."""
    result = losscli.compute(loss, reduction=list(REDUCTIONS), row="none", **inputs, **options)
    rows = peer("none").numpy()
    atol = RTOL * max(1.0, np.abs(rows).max())
    np.testing.assert_allclose(np.asarray(result.per_sample).ravel("F"), rows, rtol=RTOL, atol=atol)
    for value in result.values:
        expected = peer(value.reduction).item()
        np.testing.assert_allclose(value.value, expected, rtol=RTOL, atol=atol * len(rows))


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("temperature", [0.01, 0.07, 1.0, 20.0])
@pytest.mark.parametrize("similarity", ["cosine", "dot"])
@pytest.mark.parametrize("direction", ["one-way", "symmetric"])
@pytest.mark.parametrize("negatives", [0, 1, 40])
def test_info_nce(
    shape: tuple[int, int], temperature: float, similarity: str, direction: str, negatives: int
) -> None:
    query, positive = draw(2, shape)
    (bank,) = draw(1, (negatives, shape[1]))
    q, p, n = query, positive, bank
    if similarity == "cosine":
        q, p, n = (F.normalize(z, dim=1) for z in (q, p, n))

    def way(q: Any, p: Any, reduction: str) -> Any:
        if not negatives:
            return F.cross_entropy(q @ p.T / temperature, torch.arange(len(q)), reduction=reduction)
        own = (q * p).sum(1, keepdim=True)
        scores = torch.cat([own, q @ n.T], dim=1) / temperature
        zero = torch.zeros(len(q), dtype=torch.int64)
        return F.cross_entropy(scores, zero, reduction=reduction)

    def peer(reduction: str) -> Any:
        if direction == "one-way":
            return way(q, p, reduction)
        return (way(q, p, reduction) + way(p, q, reduction)) / 2

    inputs = {"query": query.numpy(), "positive": positive.numpy()}
    if negatives:
        inputs["negatives"] = bank.numpy()
    agree(
        "info-nce",
        peer,
        inputs,
        temperature=temperature,
        similarity=similarity,
        direction=direction,
    )


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("scale", [1e-3, 1.0, 800.0])
@pytest.mark.parametrize("temperature", [0.01, 0.07, 1.0])
def test_nt_xent(shape: tuple[int, int], scale: float, temperature: float) -> None:
    x1, x2 = draw(2, shape, scale)
    n = len(x1)
    z = F.normalize(torch.cat([x1, x2]), dim=1)
    scores = (z @ z.T / temperature).fill_diagonal_(-math.inf)
    other = torch.cat([torch.arange(n) + n, torch.arange(n)])
    agree(
        "nt-xent",
        lambda reduction: F.cross_entropy(scores, other, reduction=reduction),
        {"x1": x1.numpy(), "x2": x2.numpy()},
        temperature=temperature,
    )


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("normalize", [True, False])
@pytest.mark.parametrize(("gamma", "margin"), [(2.0, 0.4), (80.0, 0.25), (256.0, 0.0)])
def test_circle(shape: tuple[int, int], normalize: bool, gamma: float, margin: float) -> None:
    """The formula of the paper on all similarities at once, held at 1 as Keras does."""
    (x,) = draw(1, shape)
    y = torch.arange(len(x)) % 5
    z = F.normalize(x, dim=1) if normalize else x
    s = (z @ z.T).clamp(max=1.0)
    same = y[:, None] == y
    self_pair = torch.eye(len(x), dtype=torch.bool)
    pull = -gamma * (1 + margin - s) * (s - (1 - margin))
    push = gamma * (s + margin).clamp(min=0) * (s - margin)
    pull = pull.masked_fill(~same | self_pair, -math.inf).logsumexp(1)
    push = push.masked_fill(same, -math.inf).logsumexp(1)
    # Where softplus is beyond 20, torch's own leaves the last digits out.
    rows = torch.log1p(torch.exp(-(pull + push).abs())) + (pull + push).clamp(min=0)

    def peer(reduction: str) -> Any:
        return {"none": rows, "mean": rows.mean(), "sum": rows.sum()}[reduction]

    agree(
        "circle",
        peer,
        {"x": x.numpy(), "target": y.numpy()},
        gamma=gamma,
        margin=margin,
        normalize=normalize,
    )

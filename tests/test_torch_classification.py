"""Classification losses equal torch's, or its operators put together as the definitions say."""

from typing import Any

import numpy as np
import pytest

import losscli

torch = pytest.importorskip("torch")
F = torch.nn.functional

RTOL = 1e-12
SHAPES = [(1, 2), (8, 3), (40, 7)]


def logits(rng: np.random.Generator, *shape: int) -> Any:
    """Logits of every size up to ±800."""
    return rng.uniform(-1, 1, shape) * rng.choice([0.5, 3.0, 12.0, 800.0], shape)


@pytest.mark.parametrize("ignore", [None, 1])
@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize(("n", "classes"), SHAPES)
def test_nll(n: int, classes: int, weighted: bool, ignore: int | None) -> None:
    rng = np.random.default_rng(n)
    log_p = F.log_softmax(torch.tensor(logits(rng, n, classes)), -1)
    target = rng.integers(0, classes, n)
    target[0] = 0  # one row is kept
    weight = rng.uniform(0.1, 3, classes) if weighted else None
    for reduction, ours in (("none", "none"), ("mean", None), ("sum", "sum")):
        result = losscli.compute(
            "nll",
            pred=log_p.numpy(),
            target=target.astype(float),
            class_weight=weight,
            ignore_index=ignore,
            reduction=ours,
        )
        expected = F.nll_loss(
            log_p,
            torch.tensor(target),
            weight=None if weight is None else torch.tensor(weight),
            ignore_index=-100 if ignore is None else ignore,
            reduction=reduction,
        )
        got = result.per_sample if reduction == "none" else result.value
        np.testing.assert_allclose(got, expected.numpy(), rtol=RTOL, atol=0)


def torch_focal(x: Any, y: Any, alpha: float | None, mode: str, gamma: float) -> Any:
    """The definition, with each factor from a torch operator that is accurate in both tails."""
    cost = F.binary_cross_entropy_with_logits(x, y, reduction="none")
    off = y * torch.sigmoid(-x) + (1 - y) * torch.sigmoid(x)
    weight = off**gamma
    if alpha is not None:
        weight = weight * (alpha if mode == "constant" else y * alpha + (1 - y) * (1 - alpha))
    return weight * cost


@pytest.mark.parametrize("gamma", [0.0, 0.5, 1.0, 2.0, 5.0])
@pytest.mark.parametrize(
    ("alpha", "mode"), [(None, "balanced"), (0.25, "balanced"), (0.75, "constant"), (0, "balanced")]
)
@pytest.mark.parametrize("soft", [False, True])
def test_focal(soft: bool, alpha: float | None, mode: str, gamma: float) -> None:
    rng = np.random.default_rng(3)
    x = logits(rng, 30, 3)
    y = rng.uniform(0, 1, x.shape) if soft else rng.integers(0, 2, x.shape).astype(float)
    expected = torch_focal(torch.tensor(x), torch.tensor(y), alpha, mode, gamma).numpy()
    given = {"target": y, "alpha": alpha, "alpha_mode": mode, "gamma": gamma}
    got = losscli.compute(
        "focal", pred=x, input="logits", row="none", reduction="none", **given
    ).per_sample
    # torch's cost is (1 − y) x − ln σ(x), which loses digits where x nearly cancels: 800 of them
    # times 2⁻⁵³ is absolute 1e-13.
    np.testing.assert_allclose(got, expected, rtol=RTOL, atol=1e-13)
    p = 1 / (1 + np.exp(-x.clip(-12, 12)))
    from_logits = losscli.compute("focal", pred=x.clip(-12, 12), input="logits", **given).value
    # p = σ(12) is rounded to 2⁻⁵³, which is 1e-16 / 6e-6 of 1 − p.
    np.testing.assert_allclose(
        losscli.compute("focal", pred=p, **given).value, from_logits, rtol=1e-10
    )


def test_focal_without_focus_is_binary_cross_entropy() -> None:
    """γ = 0 leaves torch's BCE."""
    rng = np.random.default_rng(4)
    p, y = rng.uniform(0, 1, 50), rng.integers(0, 2, 50).astype(float)
    expected = F.binary_cross_entropy(torch.tensor(p), torch.tensor(y)).item()
    got = losscli.compute("focal", pred=p, target=y, gamma=0).value
    np.testing.assert_allclose(got, expected, rtol=RTOL)


def test_focal_at_the_ends() -> None:
    """By the definition: nothing where p is right, ∞ where the impossible happened, and −ln ε,
    times 1² that clip leaves alone, where clip bounds it."""
    p, y = [0.0, 1.0, 0.0, 1.0], [0.0, 1.0, 1.0, 0.0]
    got = losscli.compute("focal", pred=p, target=y, per_sample=True).per_sample
    np.testing.assert_array_equal(got, [0.0, 0.0, np.inf, np.inf])
    bound = -np.log(1e-7)
    got = losscli.compute("focal", pred=p, target=y, clip=1e-7, per_sample=True).per_sample
    np.testing.assert_allclose(got, [0.0, 0.0, bound, bound], rtol=1e-9)
    got = losscli.compute(
        "focal", pred=[-800.0, 800.0], target=[1, 0], input="logits", clip=1e-7, per_sample=True
    ).per_sample
    np.testing.assert_allclose(got, [bound, bound], rtol=RTOL)


@pytest.mark.parametrize("gamma", [0.0, 0.5, 1.0, 2.0, 3.0])
@pytest.mark.parametrize("smoothing", [0.0, 0.1])
@pytest.mark.parametrize(("n", "classes"), SHAPES)
def test_categorical_focal(n: int, classes: int, smoothing: float, gamma: float) -> None:
    rng = np.random.default_rng(n)
    x = torch.tensor(logits(rng, n, classes))
    target = rng.integers(0, classes, n)
    alpha = rng.uniform(0.1, 2, classes)
    log_p = F.log_softmax(x, -1)
    hot = F.one_hot(torch.tensor(target), classes).double()
    q = (1 - smoothing) * hot + smoothing / classes
    expected = -(torch.tensor(alpha) * q * (-torch.expm1(log_p)) ** gamma * log_p).sum(-1).numpy()
    options = {"alpha": alpha, "gamma": gamma, "label_smoothing": smoothing, "per_sample": True}
    for given in (target.astype(float), hot.numpy()):
        got = losscli.compute("categorical-focal", pred=x.numpy(), target=given, **options)
        # ln p of the likeliest class is known to 2⁻⁵³ of its logit's neighbours, not of itself.
        np.testing.assert_allclose(got.per_sample, expected, rtol=RTOL, atol=1e-13)


def test_categorical_focal_leaves_rows_out() -> None:
    """A row that is ignored is in neither sum: the mean is that of the other rows alone."""
    x, t = np.array([[2.0, 0.5], [0.0, 1.0], [0.5, 0.0]]), np.array([0.0, -100.0, 1.0])
    kept = losscli.compute("categorical-focal", pred=x[[0, 2]], target=t[[0, 2]]).value
    got = losscli.compute("categorical-focal", pred=x, target=t, ignore_index=-100)
    assert got.value == kept


@pytest.mark.parametrize("q", [1e-9, 0.05, 0.5, 0.7, 1.0])
def test_generalized_cross_entropy(q: float) -> None:
    """(1 − pᵠ) / q with torch's operators in a form that keeps its digits, and both limits of q."""
    rng = np.random.default_rng(6)
    log_p = F.log_softmax(torch.tensor(logits(rng, 40, 5)), -1)
    target = rng.integers(0, 5, 40)
    cost = F.nll_loss(log_p, torch.tensor(target), reduction="none")
    expected = (-torch.expm1(-q * cost) / q).numpy()
    for given, kind in ((log_p, "log-probs"), (log_p.exp(), "probs")):
        got = losscli.compute(
            "generalized-cross-entropy",
            pred=given.numpy(),
            target=target.astype(float),
            q=q,
            input=kind,
            per_sample=True,
        ).per_sample
        # e^(ln p) of ln p = −700 is off by 700 · 2⁻⁵³, and 0 below −745.
        exact = kind == "log-probs" or cost.numpy() < 700
        np.testing.assert_allclose(
            np.where(exact, got, 0), np.where(exact, expected, 0), rtol=RTOL, atol=1e-13
        )
    if q == 1.0:
        np.testing.assert_allclose(expected, 1 - np.exp(-cost.numpy()), atol=1e-15)
    if q == 1e-9:
        np.testing.assert_allclose(expected, cost.numpy(), rtol=1e-6)

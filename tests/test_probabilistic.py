"""Probabilistic losses where the plain formula fails, and at the ends of their domains.

The expected numbers are limits and closed forms of the definitions, worked out beside them.
"""

import math

import numpy as np
import pytest

import losscli
from losscli.errors import DataError, UsageError
from losscli.losses import CATALOGUE, gaussian_nll
from losscli.losses.registry import Loss


def nll(**given: object) -> np.ndarray:
    return losscli.compute("gaussian-nll", per_sample=True, **given).per_sample


def test_gaussian_of_variance_zero() -> None:
    # −ln of a density that is all in one point: −∞ there, ∞ elsewhere
    mean, y, zero = [0.0, 0.0, 0.0], [0.0, 1e-300, -1.0], np.zeros(3)
    for form in ({"var": zero}, {"std": zero}):
        assert nll(pred=mean, target=y, **form).tolist() == [-math.inf, math.inf, math.inf]


@pytest.mark.parametrize("eps", [0.0, 0.25])
def test_gaussian_takes_the_spread_in_three_forms(eps: float) -> None:
    rng = np.random.default_rng(2)
    mean, y, std = rng.normal(size=9), rng.normal(size=9), np.exp(rng.normal(size=9))
    forms = [{"var": std**2}, {"std": std}, {"log_var": 2 * np.log(std)}]
    first, *others = [nll(pred=mean, target=y, eps=eps, **form) for form in forms]
    for other in others:
        np.testing.assert_allclose(other, first, rtol=1e-12, atol=1e-14)


def test_gaussian_of_extreme_spreads() -> None:
    # ½ (g + e² e^−g): ½ g where the second term vanishes, ∞ where it exceeds every float
    assert nll(pred=[0, 0, 0], target=[1, 0, 1], log_var=[1600.0, -1600.0, -1600.0]).tolist() == [
        800.0, -800.0, math.inf]  # fmt: skip
    # ln σ + ½, whose variances are no floats
    std = np.array([1e-200, 1e200])
    np.testing.assert_allclose(nll(pred=[0, 0], target=std, std=std), np.log(std) + 0.5, rtol=1e-15)


def test_gaussian_in_full_is_the_density() -> None:
    # −ln of (2π v)^−½ e^(−e²/2v) at v = 4, e = 2
    expected = -math.log(math.exp(-0.5) / math.sqrt(2 * math.pi * 4))
    assert nll(pred=[0.0], target=[2.0], var=[4.0], full=True) == pytest.approx([expected])


def test_gaussian_variance_of_a_row() -> None:
    mean, y, var = np.zeros((3, 2)), np.arange(6.0).reshape(3, 2), np.array([1.0, 2.0, 3.0])
    each = np.repeat(var[:, None], 2, axis=1)
    np.testing.assert_array_equal(nll(pred=mean, target=y, var=var, row="none"),
                                  nll(pred=mean, target=y, var=each, row="none"))  # fmt: skip


@pytest.mark.parametrize("given", [{}, {"var": [1.0], "std": [1.0]}])
def test_gaussian_wants_one_spread(given: dict[str, list[float]]) -> None:
    with pytest.raises(UsageError, match="one of --var, --std, --log-var"):
        nll(pred=[0.0], target=[0.0], **given)
    if not given:
        with pytest.raises(TypeError, match="one of var, std and log_var"):
            gaussian_nll(np.zeros(1), np.zeros(1))


def test_gaussian_refuses_a_negative_variance() -> None:
    with pytest.raises(DataError, match=r"row 2.*not negative"):
        nll(pred=[0.0, 0.0], target=[0.0, 0.0], var=[1.0, -1.0])


def kl(p: object, q: object, **options: object) -> float:
    return float(losscli.compute("kl-divergence", pred=q, target=p, **options).value)


def test_kl_with_zeros() -> None:
    assert kl([[1.0, 0.0]], [[0.5, 0.5]]) == math.log(2)  # 1 ln(1 / ½) + 0
    assert kl([[0.5, 0.5]], [[1.0, 0.0]]) == math.inf  # ½ ln(½ / 0)
    assert kl([[1.0, 0.0]], [[1.0, 0.0]]) == 0.0
    # ½ ln ½ + ½ ln(½ / ε)
    clipped = 0.5 * math.log(0.5) + 0.5 * math.log(0.5 / 1e-7)
    assert kl([[0.5, 0.5]], [[1.0, 0.0]], clip=1e-7) == pytest.approx(clipped, rel=1e-14)


def test_kl_of_close_distributions() -> None:
    # KL(½ ∥ ½ ± d) = −½ ln(1 − 4d²) = 2d² + 4d⁴ + …, from terms that are ∓d
    d = 2.0**-20
    close = kl([[0.5, 0.5]], [[0.5 + d, 0.5 - d]])
    assert close == pytest.approx(2 * d**2 + 4 * d**4, rel=1e-9, abs=0)


@pytest.mark.parametrize("direction", ["forward", "reverse"])
def test_kl_takes_either_in_any_form(direction: str) -> None:
    rng = np.random.default_rng(3)
    x, y = rng.normal(size=(2, 5, 4)) * 3
    p, q = (np.exp(z) / np.exp(z).sum(1, keepdims=True) for z in (y, x))
    expected = kl(p, q, direction=direction)
    assert expected == pytest.approx(kl(q, p) if direction == "reverse" else kl(p, q))
    for pred, form in ((q, "probs"), (np.log(q), "log-probs"), (x, "logits")):
        for target, log_target in ((p, False), (np.log(p), True)):
            value = kl(target, pred, input=form, log_target=log_target, direction=direction)
            assert value == pytest.approx(expected, rel=1e-13)


def test_kl_of_extreme_logits() -> None:
    # ln q of (0, 800) is (−800, −0): ½ (ln ½ + 800) + ½ ln ½
    assert kl([[0.5, 0.5]], [[0.0, 800.0]], input="logits") == pytest.approx(400 - math.log(2))


def test_kl_renormalizes() -> None:
    p, q = np.array([[0.7, 0.2, 0.1]]), np.array([[0.6, 0.3, 0.1]])
    assert kl(2 * p, 5 * q, renormalize=True) == pytest.approx(kl(p, q), rel=1e-14)
    with pytest.raises(DataError, match="add up to 1"):
        kl(2 * p / 3, q)


def test_kl_reductions() -> None:
    # each row is the sum of its classes: ln 2 and 0
    p, q = [[1.0, 0.0], [0.5, 0.5]], [[0.5, 0.5], [0.5, 0.5]]
    assert kl(p, q) == kl(p, q, reduction="batchmean") == math.log(2) / 2
    assert kl(p, q, reduction="sum") == math.log(2)
    assert kl(p, q, row="none") == math.log(2) / 4
    assert kl(p, q, weight=[3.0, 1.0]) == pytest.approx(0.75 * math.log(2))


def test_weights_of_vectors_of_classes() -> None:
    # two distributions a row: the first weighs 1 and costs ln 2, the second weighs 0
    p, q = [[[1.0, 0.0], [1.0, 0.0]]], [[[0.5, 0.5], [0.25, 0.75]]]
    assert kl(p, q, weight=[[1.0, 0.0]], reduction="sum") == pytest.approx(math.log(2))


@pytest.mark.parametrize(
    ("name", "preset"),
    [
        ("KLDivLoss", {"input": "log-probs"}),
        ("kl_divergence_with_log_targets", {"input": "log-probs", "log_target": True}),
        ("KLDivergence", {}),
    ],
)
def test_names_imply_forms(name: str, preset: dict[str, object]) -> None:
    found: tuple[Loss, object] | None = CATALOGUE.find(name)
    assert found is not None
    assert (found[0].name, found[1]) == ("kl-divergence", preset)

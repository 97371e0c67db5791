"""Regression losses where the plain formula fails, and at the ends of their domains.

The expected numbers are limits and series of the definitions, worked out beside them.
"""

import math
import warnings
from fractions import Fraction

import numpy as np
import pytest

import losscli
from losscli.errors import DataError
from losscli.losses import proportions
from losscli.losses.numerics import log_factorial, log_ratio


def of(loss: str, pred: object, target: object, **options: object) -> list[float]:
    """The losses of single numbers or rows, without a warning."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        return list(losscli.compute(loss, pred=pred, target=target, per_sample=True,
                                    **options).per_sample)  # fmt: skip


def test_smooth_l1_of_beta_zero_is_the_absolute_error() -> None:
    assert of("smooth-l1", [0.0, 1e-300, -3.0], [0.0, 0.0, 0.0], beta=0) == [0.0, 1e-300, 3.0]


def test_smooth_l1_of_a_tiny_beta() -> None:
    # |e| − ½ β, where β is far below an ulp of |e| and e / β exceeds every float
    assert of("smooth-l1", [2.0], [0.0], beta=5e-324) == [2.0]


def test_log_cosh_is_the_parabola_of_small_errors() -> None:
    # ln cosh x = x²/2 − x⁴/12 + …
    x = np.array([1e-3, 1e-8, 1e-150])
    assert of("log-cosh", x, np.zeros(3)) == pytest.approx(x**2 / 2 - x**4 / 12, rel=1e-12, abs=0)


def test_log_cosh_is_the_line_of_large_errors() -> None:
    line = [800 - math.log(2), 1e300]
    assert of("log-cosh", [-800.0, 1e300], [0.0, 0.0]) == pytest.approx(line, rel=1e-15)


def test_log_cosh_has_no_step_between_its_forms() -> None:
    # ln cosh 1 = ln((e + 1/e) / 2), and its slope tanh 1
    below, at = of("log-cosh", [np.nextafter(1.0, 0.0), 1.0], [0.0, 0.0])
    assert at == pytest.approx(math.log(math.cosh(1.0)), rel=1e-15)
    assert below == pytest.approx(at, rel=1e-15)


@pytest.mark.parametrize(("tau", "low", "high"), [(0.0, 0.0, 2.0), (1.0, 2.0, 0.0)])
def test_quantile_at_the_ends(tau: float, low: float, high: float) -> None:
    # max(τu, (τ − 1)u) for u = 2 and u = −2
    assert of("quantile", [0.0, 4.0], [2.0, 2.0], quantile=tau) == [low, high]


def test_mape_of_a_zero_target() -> None:
    # |1 − 0| / ε → ∞ and |0 − 0| / ε = 0 for ε → 0
    assert of("mape", [1.0, 0.0, -1.0], [0.0, 0.0, 2.0]) == [math.inf, 0.0, 1.5]


def test_mape_guards() -> None:
    assert of("mape", [1.5], [0.5], eps=1.0) == [1.0]  # 1 / max(½, 1)
    assert of("mape", [1.5], [0.5], eps=0.5, eps_mode="add") == [1.0]  # 1 / (½ + ½)
    assert of("mape", [1.5], [0.5], scale="percent") == [200.0]


@pytest.mark.parametrize("role", ["pred", "target"])
@pytest.mark.parametrize("value", [-1.0, -2.0])
def test_msle_has_no_logarithm_from_minus_one_down(role: str, value: float) -> None:
    inputs = {"pred": [0.0, 1.0], "target": [0.0, 1.0], role: [0.0, value]}
    with pytest.raises(DataError, match=r"row 2.*above -1"):
        losscli.compute("msle", **inputs)
    # with a clip of 0 both count as 0: ln² 2
    clipped = losscli.compute("msle", **inputs, clip=0, per_sample=True).per_sample
    assert clipped == pytest.approx([0.0, math.log(2) ** 2], rel=1e-15)


def test_msle_function_at_minus_one() -> None:
    # |ln 0 − ln 1| = ∞; equal values cost nothing
    pred, target = np.array([-1.0, -1.0]), np.array([0.0, -1.0])
    assert proportions.msle(pred, target).tolist() == [math.inf, 0.0]


def test_msle_of_close_and_of_distant_values() -> None:
    # ln((1 + ŷ)/(1 + y)) = d − d²/2 + … with d = (ŷ − y)/(1 + y)
    pred, target = 1000.0 + 2.0**-30, 1000.0
    d = float(Fraction(pred - target) / 1001)
    assert of("msle", [pred], [target]) == pytest.approx([(d - d * d / 2) ** 2], rel=1e-13)
    # ŷ = 1e-300 and y = 0 differ by 1e-300, whose square is 0 in floats
    assert of("msle", [1e-300, 1e300], [0.0, 0.0]) == pytest.approx(
        [0.0, (300 * math.log(10)) ** 2]
    )


def test_log_ratio_over_the_whole_range() -> None:
    # ln 1 − ln 2^−1074 = 1074 ln 2, where 1 / 2^−1074 exceeds every float
    x, y = np.array([1.0, 5e-324, 0.0, 0.0, 3.0]), np.array([5e-324, 1.0, 1.0, 0.0, 3.0])
    expected = [1074 * math.log(2), -1074 * math.log(2), -math.inf, 0.0, 0.0]
    assert log_ratio(x, y) == pytest.approx(expected, rel=1e-15)


def test_poisson_of_rate_zero() -> None:
    # P(0) = 1 and P(y > 0) = 0
    assert of("poisson-nll", [0.0, 0.0, 1.0], [0.0, 2.0, 0.0]) == [0.0, math.inf, 1.0]
    assert of("poisson-nll", [0.0], [0.0], full="exact") == [0.0]


def test_poisson_of_extreme_log_rates() -> None:
    # eˣ − yx: e^−800 is 0 in floats, e^800 exceeds them
    values = of("poisson-nll", [-800.0, 800.0], [2.0, 2.0], input="log-rate")
    assert values == [1600.0, math.inf]


def test_poisson_in_full() -> None:
    # −ln(λ^y e^−λ / y!) with λ = 2, y = 0 … 4, by exact factorials
    y = np.arange(5.0)
    exact = [2 - k * math.log(2) + math.log(math.factorial(k)) for k in range(5)]
    assert of("poisson-nll", np.full(5, 2.0), y, full="exact") == pytest.approx(exact, rel=1e-14)
    # Stirling's formula is left out at y = 0 and 1, where ln y! = 0, and short by 1/(12 y) after
    stirling = np.array(of("poisson-nll", np.full(5, 2.0), y, full="stirling"))
    assert stirling[:2] == pytest.approx(exact[:2], rel=1e-14)
    assert np.all(abs(stirling[2:] - exact[2:]) < 1 / (12 * y[2:]))


def test_log_factorial() -> None:
    # 170! is the last factorial in floats; Γ has a pole at 0; ½! = √π / 2
    x = np.array([[0.0, 1.0, 170.0], [0.5, -1.0, 1e306]])
    expected = [[0, 0, math.log(math.factorial(170))],
                [math.log(math.sqrt(math.pi) / 2), math.inf, math.inf]]  # fmt: skip
    assert log_factorial(x) == pytest.approx(np.array(expected), rel=1e-14)


@pytest.mark.parametrize("name", ["pred", "target"])
def test_poisson_refuses_negative_rates_and_counts(name: str) -> None:
    inputs = {"pred": [1.0], "target": [1.0], name: [-1.0]}
    with pytest.raises(DataError, match="not negative"):
        losscli.compute("poisson-nll", **inputs)


def test_cosine_of_a_zero_vector_is_zero() -> None:
    zero, one = [[0.0, 0.0]], [[1.0, 0.0]]
    for eps in (0.0, 1e-7):
        assert of("cosine-similarity", zero, one, eps=eps) == [0.0]
        assert of("cosine-similarity", zero, zero, eps=eps) == [0.0]


@pytest.mark.parametrize("size", [5e-324, 1e-200, 1.0, 1e200, 1.7e308])
def test_cosine_does_not_depend_on_length(size: float) -> None:
    # cos 0 = 1 and cos 90° = 0, whose squares vanish or overflow
    same = of("cosine-similarity", [[size, size]], [[1.0, 1.0]], eps=0)
    assert same == pytest.approx([-1.0], rel=1e-15)
    assert of("cosine-similarity", [[size, size]], [[1.0, -1.0]], eps=0) == [0.0]


def test_cosine_with_a_floor_under_the_norm() -> None:
    # 1e-9 / max(1e-9, 1e-8), as torch 2.13 F.cosine_similarity gives
    assert of("cosine-similarity", [[1e-9, 0.0]], [[1.0, 0.0]], eps=1e-8) == pytest.approx([-0.1])


def test_cosine_stays_within_its_range() -> None:
    x = np.random.default_rng(5).normal(size=(2000, 7))
    assert min(of("cosine-similarity", x, 3 * x)) == -1.0


@pytest.mark.parametrize(
    ("loss", "target", "hint"),
    [
        ("poisson-nll", -1.0, "no count is below 0"),
        ("poisson-deviance", -1.0, "no count is below 0"),
        ("binary-cross-entropy", 1.5, "no other value outside [0, 1] is a probability"),
        ("binary-cross-entropy", -0.5, "--labels NEG,POS maps any two values"),
    ],
)
def test_what_is_no_target_though_torch_computes_with_it(
    loss: str, target: float, hint: str
) -> None:
    with pytest.raises(DataError, match="target") as error:
        losscli.compute(loss, pred=[0.5], target=[target])
    assert hint in str(error.value.hint)

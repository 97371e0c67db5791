"""Sums are exact, whatever the order and the grouping of their parts."""

import math
from fractions import Fraction

from hypothesis import given
from hypothesis import strategies as st

from losscli.engine.sums import ExactSum

numbers = st.floats(allow_nan=False, allow_infinity=False)


def rounded(exact: Fraction) -> float:
    try:
        return float(exact)
    except OverflowError:
        return math.inf if exact > 0 else -math.inf


def total(values: list[float]) -> ExactSum:
    result = ExactSum()
    for value in values:
        result.add(value)
    return result


@given(st.lists(numbers))
def test_equals_the_rounded_sum_of_fractions(values: list[float]) -> None:
    exact = sum(map(Fraction, values), Fraction())
    assert total(values).value == rounded(exact)


@given(st.lists(numbers), st.randoms())
def test_order_and_grouping_do_not_matter(values: list[float], random: object) -> None:
    shuffled = sorted(values, key=lambda _: random.random())  # type: ignore[attr-defined]
    half = len(values) // 2
    merged = total(shuffled[:half])
    merged.merge(total(shuffled[half:]))
    assert merged.value == total(values).value


def test_cancellation() -> None:
    assert total([1e100, 1.0, -1e100]).value == 1.0


def test_not_finite() -> None:
    assert total([1.0, math.inf]).value == math.inf
    assert math.isnan(total([math.inf, -math.inf]).value)
    assert math.isnan(total([math.nan, 1.0]).value)

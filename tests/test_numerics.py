"""The vocabulary of losses, to the bit and to its error bounds."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from losscli.losses.numerics import pick, select
from losscli.losses.softmaxes import log_softmax, log_softmax_at, log_sum_exp, softmax

anything = st.floats(width=64)


@given(st.lists(st.tuples(st.booleans(), anything, anything), max_size=40))
def test_select_is_exact(rows: list[tuple[bool, float, float]]) -> None:
    """As numpy.where, to the bit: NaN with its payload, infinities, both zeros."""
    condition = np.array([row[0] for row in rows], dtype=bool)
    yes, no = np.array([row[1] for row in rows]), np.array([row[2] for row in rows])
    found = select(condition, yes, no)
    expected = np.where(condition, yes, no)
    np.testing.assert_array_equal(found.view(np.int64), expected.view(np.int64))


@pytest.mark.parametrize("shape", [(), (3,), (2, 3)])
def test_select_broadcasts(shape: tuple[int, ...]) -> None:
    condition = np.ones(shape, dtype=bool)
    np.testing.assert_array_equal(select(condition, 1.0, np.zeros(shape)), np.ones(shape))
    strided = np.zeros((*shape, 2))[..., 0]
    np.testing.assert_array_equal(select(condition, strided, strided), strided)


@pytest.mark.parametrize("classes", [1, 3, 10, 127, 128, 1000])
@pytest.mark.parametrize("scale", [1.0, 700.0])
def test_softmaxes_of_short_and_long_rows(classes: int, scale: float) -> None:
    """Against sums in exact arithmetic (math.fsum), row by row; what is given stays as it was."""
    x = scale * np.random.default_rng(classes).normal(size=(37, classes))
    index = np.arange(37) % classes
    given_ = x.copy()
    expected = np.array([math.log(math.fsum(map(math.exp, row - row.max()))) for row in x])
    tolerance = {"rtol": 1e-14, "atol": 1e-14}
    found = log_sum_exp(x) - x.max(axis=1)
    np.testing.assert_allclose(found, expected, rtol=1e-14, atol=1e-14 * scale)
    below = x - x.max(axis=1, keepdims=True)
    np.testing.assert_allclose(log_softmax(x), below - expected[:, None], **tolerance)
    np.testing.assert_array_equal(log_softmax_at(x, index), pick(log_softmax(x), index))
    np.testing.assert_allclose(softmax(x), np.exp(below - expected[:, None]), rtol=1e-12)
    np.testing.assert_array_equal(x, given_)


def test_the_layout_of_scores_does_not_matter() -> None:
    x = np.random.default_rng(0).normal(size=(40, 2, 3, 10))
    for other in (np.asfortranarray(x), x[::2], np.ascontiguousarray(x[::2])):
        rows = x if len(other) == 40 else x[::2]
        np.testing.assert_array_equal(log_softmax(other), log_softmax(rows))

"""The vocabulary of losses, to the bit and to its error bounds."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from losscli.losses.numerics import select

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

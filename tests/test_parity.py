"""Every loss equals its originals: the values that the real libraries printed."""

import numpy as np
import pytest

import losscli
from tests.reference import Case, cases


@pytest.mark.parametrize("case", list(cases("golden")), ids=repr)
def test_golden(case: Case) -> None:
    result = losscli.compute(case.loss, per_sample=True, **case.arguments)
    value = result.per_sample if result.value is None else result.value
    np.testing.assert_allclose(value, case.expected, rtol=case.rtol, atol=case.atol)
    if case.rows_expected is not None:
        np.testing.assert_allclose(
            np.ravel(result.per_sample),
            np.ravel(case.rows_expected),
            rtol=case.rtol,
            atol=case.atol,
        )


@pytest.mark.parametrize("case", list(cases("seed_examples")), ids=repr)
def test_worked_examples(case: Case) -> None:
    result = losscli.compute(case.loss, **case.arguments)
    value = result.per_sample if result.value is None else result.value
    # The absolute tolerance is what a difference of logarithms near 10 is off by, there.
    np.testing.assert_allclose(value, case.expected, rtol=1e-12, atol=1e-15)

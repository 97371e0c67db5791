"""Which roles go together, what shapes they may have, and what an error says of a row."""

from typing import Any

import numpy as np
import pytest

import losscli
from losscli.errors import DataError, UsageError


def test_weights_are_one_a_row() -> None:
    boxes = np.array([[0.0, 0.0, 1.0, 1.0]] * 4)
    with pytest.raises(DataError, match="weight"):
        losscli.compute("giou", pred=boxes, target=boxes, weight=np.ones((4, 4)))


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({}, "vae-elbo wants one of --recon, --pred with --target, got none"),
        ({"recon": [1.0]}, "one of --kl, --mu with --log-var, --mu with --std, got none"),
        ({"recon": [1.0], "pred": [1.0], "kl": [1.0]}, "got --pred with --recon"),
        ({"pred": [1.0], "kl": [1.0]}, "got --pred"),
        ({"recon": [1.0], "mu": [1.0], "log_var": [1.0], "std": [1.0]}, "got --mu with --log-var"),
    ],
)
def test_roles_that_belong_together(given: dict[str, Any], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        losscli.compute("vae-elbo", **given)


@pytest.mark.parametrize(
    ("row", "message"),
    [([-0.5, 0.25], "got 0.25"), ([-1.0, -2.0], "a row whose exponentials add up to 0.503215")],
)
def test_rows_that_are_not_log_probabilities(row: list[float], message: str) -> None:
    # e⁻¹ + e⁻² = 0.3678794 + 0.1353353
    with pytest.raises(DataError, match=message):
        losscli.compute("cross-entropy", pred=[row], target=[0.0], input="log-probs")

"""Rules that make weights of classes out of how often they occur."""

import re
from typing import NamedTuple

import numpy as np

from losscli.losses.numerics import Array


def effective_weights(counts: Array, beta: float, normalize: bool = True) -> Array:
    """(1 − β) / (1 − βⁿ), times C / Σ to add up to C; 0 for a class without samples, not one of C.

    Of no samples the formula makes an infinite weight, beside which the others would be nothing.

    1 − βⁿ = −(e^(n ln β) − 1), which keeps its digits for β near 1; there the limit is 1 / n.
    """
    present = counts > 0
    n = np.where(present, counts, 1.0)
    if beta == 1:
        weights = 1.0 / n
    elif beta == 0:
        weights = np.ones_like(n)
    else:
        weights = (beta - 1.0) / np.expm1(n * np.log(beta))
    found: Array = np.where(present, weights, 0.0)
    if normalize and present.any():
        found *= np.count_nonzero(present) / np.add.reduce(found)
    return found


def inverse_frequency(counts: Array) -> Array:
    """n / (C n_c), scikit-learn's "balanced"; 0 for a class without samples, not one of the C."""
    present = counts > 0
    total, classes = np.add.reduce(counts), max(1, np.count_nonzero(present))
    return np.where(present, total / (classes * np.where(present, counts, 1.0)), 0.0)


class ClassWeightRule(NamedTuple):
    """Weights that are yet to be made, of the numbers of samples of the classes."""

    name: str
    beta: float = 0.0
    normalize: bool = True

    def weights(self, counts: Array) -> Array:
        """The weight of each class."""
        if self.name == "balanced":
            return inverse_frequency(counts)
        return effective_weights(counts, self.beta, self.normalize)

    def __str__(self) -> str:
        if self.name == "balanced":
            return self.name
        return f"effective:{self.beta:g}{'' if self.normalize else ':raw'}"


def parse_rule(text: str) -> ClassWeightRule | None:
    """The rule that a text names: balanced, effective:BETA or effective:BETA:raw; None for others.

    ValueError when BETA is not in [0, 1].
    """
    if text == "balanced":
        return ClassWeightRule(text)
    match = re.fullmatch(r"effective:([^:]+)(:raw)?", text)
    if match is None:
        return None
    beta = float(match[1])
    if not 0 <= beta <= 1:
        raise ValueError(f"expected effective:BETA with BETA in [0, 1], got {text!r}")
    return ClassWeightRule("effective", beta, normalize=match[2] is None)

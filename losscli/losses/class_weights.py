"""Weights of classes by how often they occur."""

from typing import Literal

from losscli.losses.class_rules import effective_weights
from losscli.losses.numerics import Array
from losscli.losses.parameters import Fraction
from losscli.losses.properties import Properties
from losscli.losses.registry import Edge, Example, loss
from losscli.losses.roles import ClassCounts


@loss(
    "class-balanced-weights",
    family="classification",
    kind="batch",
    aliases=("effective-number-weights",),
    example=Example("class_counts\n1000\n100\n10"),
    edges=(
        Edge(
            "a class without samples beside one with 10",
            "10\n0",
            "--reduction sum --normalize none",
        ),
        Edge("β = 0", "10\n5", "--beta 0 --normalize none"),
        Edge("β = 1", "10\n5", "--beta 1 --normalize none"),
    ),
    properties=Properties(task="multiclass-classification", units="none", role="class_counts"),
)
def class_balanced_weights(
    class_counts: ClassCounts,
    *,
    beta: Fraction = 0.999,
    normalize: Literal["sum-to-C", "none"] = "sum-to-C",
) -> Array:
    """The weight of each class by the effective number of its samples; a weight, not a loss.

    Its rows are classes. As weights of a loss: `--class-weight effective:0.999`.

    Formula:
        w_c = (1 − β) / (1 − β^n_c),    then times C / Σ w

    Roles:
        class_counts: n_c, the number of samples of each class.

    Parameters:
        beta: β, from 0 (every class weighs the same) to 1 (inverse frequency).
        normalize: make the weights of the C classes that have samples add up to C, or leave them
            as they are.

    Returns:
        One weight a class, not negative; 0 for a class without samples.

    Raises:
        DataError: a count is negative or not finite.

    Source:
        Cui et al., "Class-Balanced Loss Based on Effective Number of Samples", 2019.

    Example:
        >>> import numpy as np
        >>> class_balanced_weights(np.array([30.0, 10.0]), beta=0.0)
        array([1., 1.])
    """
    return effective_weights(class_counts, beta, normalize == "sum-to-C")

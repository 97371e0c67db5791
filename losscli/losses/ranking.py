"""Ranking losses: how little the scores of a list put its relevant items first."""

from typing import Annotated

from losscli.losses.dialects import dialect
from losscli.losses.numerics import Array, times_log, total
from losscli.losses.properties import INFINITY, Properties
from losscli.losses.registry import Edge, Example, loss
from losscli.losses.roles import RELEVANCE, Scores
from losscli.losses.softmaxes import log_softmax

Relevance = Annotated[Array, RELEVANCE]


@loss(
    "ranking-softmax",
    family="ranking",
    aliases=("ranking_softmax_loss", "listwise-softmax", "list-softmax"),
    dialects={"optax": dialect("losses.ranking_softmax_loss", remark=False)},
    example=Example("a,b,c,x,y,z\n2,1,3,1,0,0\n1,0.5,1.5,0,0,2", "--pred a,b,c --target x,y,z"),
    edges=(
        Edge("no item is relevant", "2,1,3,0,0,0"),
        Edge("all items are relevant, and score the same", "1,1,1,1,1,1"),
        Edge("the relevant item scores 800 below another", "0,800,0,1,0,0"),
    ),
    properties=Properties(
        task="ranking",
        units="nats",
        convex=True,
        differentiable=True,
        robust=True,
        bounds=(0, INFINITY),
    ),
)
def ranking_softmax(pred: Scores, target: Relevance) -> Array:
    """The cross-entropy of the relevance of the items of a list and the softmax of their scores.

    A relevance is any number that is not negative, and the loss grows with it. Where those of every
    list add up to 1, it is `cross-entropy`.

    Formula:
        ℓ = −Σ_i y_i ln p_i,    p = softmax(s)

    Roles:
        pred: the scores s of the items of a list, one a column.
        target: the relevance y of each item, 0 for an irrelevant one; times the weight of the
            item, if items have weights.

    Returns:
        One loss a list, in nats, not negative; 0 for a list without relevant items.

    Raises:
        DataError: a score is not finite, or a relevance is negative.

    Source:
        optax.losses.ranking_softmax_loss, rax.softmax_loss; Bruch et al., "An Analysis of the
        Softmax Cross Entropy Loss for Learning-to-Rank with Binary Relevance", 2019.

    Example:
        >>> import numpy as np
        >>> ranking_softmax(np.array([[2.0, 1.0, 3.0]]), np.array([[1.0, 0.0, 0.0]])).round(3)
        array([1.408])
    """
    return 0.0 - total(times_log(target, log_softmax(pred)))

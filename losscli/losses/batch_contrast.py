"""Metric-learning losses that compare every embedding with all the others of its batch.

The n × n similarities of a batch exist only a tile at a time.
"""

from typing import Literal

from losscli.losses.dialects import dialect
from losscli.losses.numerics import (
    Array,
    columns,
    log_add,
    ratio,
    relu,
    select,
    softplus,
    total,
    unit,
)
from losscli.losses.pairs import class_sums, log_sums, without_self
from losscli.losses.parameters import NotNegative, Positive
from losscli.losses.properties import INFINITY, Properties
from losscli.losses.registry import Edge, Example, alias, loss
from losscli.losses.roles import Embedding, EmbeddingBank, RowClass

PAIRS = Example("a,b,c,d\n1,0,0.9,0.1\n0,1,0.2,1", "")
NOTHING = -float("inf")


def log_mass(x: Array, y: Array, others_only: bool = True) -> Array:
    """ln Σ e^(x·y) over the rows y but, with `others_only`, the row of x's own number."""

    def term(products: Array, rows: slice, across: slice) -> list[Array]:
        return [without_self(products, rows, across) if others_only else products]

    return log_sums(x, y, term)[0]


@loss(
    "info-nce",
    family="metric-learning",
    kind="batch",
    aliases=(
        "InfoNCE",
        "InfoNCELoss",
        "MultipleNegativesRankingLoss",
        "CachedMultipleNegativesRankingLoss",
        "in-batch-softmax",
        alias("ClipLoss", direction="symmetric"),
        alias("MultipleNegativesSymmetricRankingLoss", direction="symmetric"),
    ),
    example=Example(PAIRS.data, "--query a,b --positive c,d"),
    edges=(
        Edge("one row: nothing to tell the positive from", "1,0,1,0"),
        Edge("all vectors zero", "0,0,0,0\n0,0,0,0"),
        Edge("all vectors equal", "1,0,1,0\n1,0,1,0"),
    ),
    properties=Properties(
        task="metric-learning",
        units="nats",
        convex=False,
        differentiable=False,
        robust=True,
        bounds=(0, INFINITY),
        role="query",
    ),
)
def info_nce(
    query: Embedding,
    positive: Embedding,
    negatives: EmbeddingBank | None = None,
    *,
    temperature: Positive = 0.1,
    similarity: Literal["cosine", "dot"] = "cosine",
    direction: Literal["one-way", "symmetric"] = "one-way",
) -> Array:
    """How hard it is to tell a query's positive from the others: a softmax over similarities.

    The others are the positives of all other queries of the batch or, where negatives are given,
    these alone.

    Formula:
        ℓᵢ = −ln(e^(s(qᵢ, pᵢ)/τ) / (e^(s(qᵢ, pᵢ)/τ) + Σₖ e^(s(qᵢ, nₖ)/τ)))

    Roles:
        query: the embedding q of each row.
        positive: the embedding p that belongs to the query of its row.
        negatives: a table of its own of embeddings n that belong to no query, in place of the
            other positives.

    Parameters:
        temperature: τ, which similarities are divided by (CLIP 0.07, sentence-transformers 0.05).
        similarity: s, the cosine of the angle or the dot product.
        direction: one-way as above, or symmetric: the mean of the loss and of the same loss with
            query and positive exchanged (CLIP).

    Returns:
        One loss a row, not negative; 0 where there is nothing but the positive. The cosine of a
        zero vector with any other is 0.

    Raises:
        DataError: a coordinate is not finite.

    Source:
        van den Oord et al., "Representation Learning with Contrastive Predictive Coding", 2018;
        torch.nn.functional.cross_entropy of the similarities, with the row's number as target;
        sentence_transformers.losses.MultipleNegativesRankingLoss; Radford et al., "Learning
        Transferable Visual Models From Natural Language Supervision", 2021 (symmetric).

    Example:
        >>> import numpy as np
        >>> q, p = np.array([[1.0, 0.0], [0.0, 1.0]]), np.array([[1.0, 0.0], [1.0, 0.0]])
        >>> info_nce(q, p, temperature=1.0).round(4)
        array([0.6931, 0.6931])
    """
    q, p, n = query, positive, negatives
    if similarity == "cosine":
        q, p, n = unit(q)[0], unit(p)[0], None if n is None else unit(n)[0]
    own = total(q * p) / temperature

    def one_way(q: Array, p: Array) -> Array:
        others = log_mass(q / temperature, p if n is None else n, others_only=n is None)
        # −ln(e^a / (e^a + e^b)) = ln(1 + e^(b − a)): no cancellation where a outweighs b.
        return softplus(others - own)

    if direction == "symmetric":
        return 0.5 * (one_way(q, p) + one_way(p, q))
    return one_way(q, p)


@loss(
    "nt-xent",
    family="metric-learning",
    kind="batch",
    aliases=("NTXentLoss", "ntxent", "SimCLR", "NT-Xent"),
    dialects={
        "optax": dialect(
            "losses.ntxent",
            temperature=0.07,
            remark=False,
            note="it takes both views in one array, with a label that pairs them",
        ),
    },
    example=Example(PAIRS.data, "--x1 a,b --x2 c,d"),
    edges=(
        Edge("one row: nothing to tell a view from", "1,0,1,0"),
        Edge("all vectors zero", "0,0,0,0\n0,0,0,0"),
    ),
    properties=Properties(
        task="metric-learning",
        units="nats",
        convex=False,
        differentiable=False,
        robust=True,
        bounds=(0, INFINITY),
        role="x1",
    ),
)
def nt_xent(x1: Embedding, x2: Embedding, *, temperature: Positive = 0.1) -> Array:
    """The normalized, temperature-scaled cross-entropy of SimCLR: two views of every row.

    Each of the 2n views is told from the 2n − 2 views of other rows by its likeness to the other
    view of its own row.

    Formula:
        ℓᵢ = −ln(e^(s(zᵢ, z′ᵢ)/τ) / Σ_{z ≠ zᵢ} e^(s(zᵢ, z)/τ)),    s(x, y) = cos(x, y)

    Roles:
        x1: the first view of each row.
        x2: the second view of each row.

    Parameters:
        temperature: τ, which similarities are divided by (optax and pytorch-metric-learning 0.07,
            MONAI 0.5).

    Returns:
        Two losses a row, of x1 and of x2 as anchors, not negative. The cosine of a zero vector with
        any other is 0.

    Raises:
        DataError: a coordinate is not finite.

    Source:
        Chen et al., "A Simple Framework for Contrastive Learning of Visual Representations", 2020;
        optax.losses.ntxent, pytorch_metric_learning.losses.NTXentLoss,
        monai.losses.ContrastiveLoss.

    Example:
        >>> import numpy as np
        >>> x1, x2 = np.array([[1.0, 0.0], [0.0, 1.0]]), np.array([[1.0, 0.0], [0.0, 1.0]])
        >>> nt_xent(x1, x2, temperature=1.0).round(4)
        array([[0.5514, 0.5514],
               [0.5514, 0.5514]])
    """
    u, v = unit(x1)[0], unit(x2)[0]
    own = total(u * v) / temperature

    def anchored(x: Array, y: Array) -> Array:
        scaled = x / temperature
        others = log_add(log_mass(scaled, x), log_mass(scaled, y))
        return softplus(others - own)

    return columns(anchored(u, v), anchored(v, u))


@loss(
    "supervised-contrastive",
    family="metric-learning",
    kind="batch",
    aliases=("SupConLoss", "SupCon", "sup-con", "SupervisedContrastiveLoss"),
    example=Example("a,b,target\n1,0,0\n0.8,0.6,0\n0,1,1\n0.6,0.8,1", "--x a,b"),
    edges=(
        Edge("no other row of the class", "1,0,0\n0,1,1"),
        Edge("nothing but one class, two rows", "1,0,0\n0,1,0"),
        Edge("all vectors zero, one class of three rows", "0,0,0\n0,0,0\n0,0,0"),
    ),
    properties=Properties(
        task="metric-learning",
        units="nats",
        convex=False,
        differentiable=False,
        robust=True,
        bounds=(0, INFINITY),
        role="x",
    ),
)
def supervised_contrastive(
    x: Embedding, target: RowClass, *, temperature: Positive = 0.1, normalize: bool = True
) -> Array:
    """Tells the other rows of a row's class from all other rows: a softmax with many positives.

    A row that has no other of its class in the batch costs nothing; pytorch-metric-learning leaves
    these rows out of the mean: --reduction mean-nonzero. Where every class has two rows, it is
    `nt-xent`.

    Formula:
        ℓᵢ = −1/|P| Σ_{p ∈ P} ln(e^(s(xᵢ, xₚ)/τ) / Σ_{a ≠ i} e^(s(xᵢ, xₐ)/τ)),
        s(x, y) = cos(x, y)

    Roles:
        x: the embedding of each row.
        target: the number of the class of each row; P are the other rows of the class of row i.

    Parameters:
        temperature: τ, which similarities are divided by (0.07 in the authors' code, 0.1 in
            pytorch-metric-learning).
        normalize: divide each embedding by its length first; without it s is the dot product.

    Returns:
        One loss a row, not negative. The cosine of a zero vector with any other is 0.

    Raises:
        DataError: a coordinate is not finite, or a class is not a whole number.

    Source:
        Khosla et al., "Supervised Contrastive Learning", 2020 (L_out);
        pytorch_metric_learning.losses.SupConLoss.

    Example:
        >>> import numpy as np
        >>> x = np.array([[1.0, 0.0], [1.0, 0.0], [0.0, 1.0]])
        >>> supervised_contrastive(x, np.array([0.0, 0.0, 1.0]), temperature=1.0).round(4)
        array([0.3133, 0.3133, 0.    ])
    """
    z = unit(x)[0] if normalize else x

    everyone = log_mass(z / temperature, z)
    # The mean of the likeness to the others of a class is the likeness to their mean.
    company, count = class_sums(z, target)
    likeness = ratio(total(z / temperature * (company - z)), count - 1.0)
    return select(count > 1, relu(everyone - likeness), 0.0)


@loss(
    "circle",
    family="metric-learning",
    kind="batch",
    aliases=("CircleLoss",),
    dialects={
        "keras": dialect("losses.Circle", normalize=False, reduction="mean-nonzero"),
    },
    example=Example("a,b,target\n1,0,0\n0.8,0.6,0\n0,1,1\n0.6,0.8,1\n-1,0,2", "--x a,b --gamma 2"),
    edges=(
        Edge("one class alone", "1,0,0\n0,1,0"),
        Edge("no other row of the class", "1,0,0\n0,1,1"),
        Edge("one class alone", "1,0,0\n0,1,0", "--reduction mean-nonzero"),
    ),
    properties=Properties(
        task="metric-learning",
        units="none",
        convex=False,
        differentiable=False,
        robust=True,
        bounds=(0, INFINITY),
        role="x",
    ),
)
def circle(
    x: Embedding,
    target: RowClass,
    *,
    gamma: Positive = 80.0,
    margin: NotNegative = 0.4,
    normalize: bool = True,
) -> Array:
    """Pulls rows of one class together and others apart, each pair as hard as it is off.

    A row that has no other of its class in the batch, or none of another class, costs nothing.
    Libraries leave these rows out of the mean: --reduction mean-nonzero.

    Formula:
        ℓᵢ = ln(1 + Σₙ e^(γ αₙ (sₙ − m)) · Σₚ e^(−γ αₚ (sₚ − 1 + m))),
        αₙ = max(0, sₙ + m),  αₚ = 1 + m − sₚ,  s = min(1, xᵢ·xⱼ)

    Roles:
        x: the embedding of each row.
        target: the number of the class of each row; p runs over the other rows of the class of
            row i, n over the rows of other classes.

    Parameters:
        gamma: γ, the scale of the terms.
        margin: m, how far from its best a similarity may be (0.25 in the paper).
        normalize: divide each embedding by its length first; Keras wants them so already.

    Returns:
        One loss a row, not negative. A zero vector is as unlike any other as a right angle.

    Raises:
        DataError: a coordinate is not finite, or a class is not a whole number.

    Source:
        Sun et al., "Circle Loss: A Unified Perspective of Pair Similarity Optimization", 2020;
        keras.losses.Circle (normalize=False), pytorch_metric_learning.losses.CircleLoss; both with
        the reduction mean-nonzero.

    Example:
        >>> import numpy as np
        >>> x = np.array([[1.0, 0.0], [1.0, 0.0], [0.0, 1.0]])
        >>> circle(x, np.array([0.0, 0.0, 1.0]), gamma=2.0).round(4)
        array([0.4235, 0.4235, 0.    ])
    """
    z = unit(x)[0] if normalize else x

    def terms(products: Array, rows: slice, across: slice) -> tuple[Array, Array]:
        d = relu(1.0 - products)
        same = target[rows][:, None] == target[across]
        pull = select(same, gamma * (d + margin) * (d - margin), NOTHING)
        push = select(same, NOTHING, gamma * relu(1.0 + margin - d) * (1.0 - margin - d))
        return without_self(pull, rows, across), push

    pull, push = log_sums(z, z, terms)
    return softplus(pull + push)

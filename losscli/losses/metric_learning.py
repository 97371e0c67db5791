"""Metric-learning losses: how far apart embeddings are, against how far they should be."""

from typing import Literal

from losscli.losses.dialects import dialect
from losscli.losses.numerics import (
    Array,
    largest,
    minimum,
    norm,
    relu,
    select,
    square,
    total,
    unit,
)
from losscli.losses.numerics import (
    cosine_distance as one_minus_cosine,
)
from losscli.losses.numerics import (
    power as raised,
)
from losscli.losses.parameters import Finite, NotNegative, Positive
from losscli.losses.properties import INFINITY, Properties
from losscli.losses.registry import Edge, Example, loss
from losscli.losses.roles import Embedding, RowBinary, RowReal, RowSign, Vectors

Distance = Literal["euclidean", "sqeuclidean", "manhattan", "chebyshev", "cosine"]


def distance_between(x: Array, y: Array, distance: str, eps: float = 0.0) -> Array:
    """The distance of two vectors of each row; ε is added to every difference, as torch does.

    For the cosine distance ε is the least length that a vector counts with.
    """
    if distance == "cosine":
        return one_minus_cosine(x, y, floor=eps)
    e = x - y + eps
    if distance == "sqeuclidean":
        return total(square(e))
    if distance == "chebyshev":
        return largest(abs(e))
    return norm(e, 1.0 if distance == "manhattan" else 2.0)


@loss(
    "contrastive",
    family="metric-learning",
    aliases=("ContrastiveLoss", "contrastive-pair", "pairwise-contrastive"),
    one_of=((("x1", "x2"), "pred"),),
    for_role={"distance": "x1", "distance_eps": "x1", "normalize": "x1"},
    example=Example("a,b,c,d,target\n0,0,0.3,0.4,1\n0,0,0.3,0.4,0", "--x1 a,b --x2 c,d"),
    edges=(
        Edge("a similar pair of equal points", "1,1,1,1,1"),
        Edge("a dissimilar pair of equal points", "1,1,1,1,0"),
        Edge("a dissimilar pair farther than the margin", "0,0,3,4,0"),
    ),
    properties=Properties(
        task="metric-learning",
        units="squared units of the distance",
        convex=False,
        differentiable=False,
        robust=False,
        bounds=(0, INFINITY),
        role="x1",
    ),
)
def contrastive(
    target: RowBinary,
    x1: Embedding | None = None,
    x2: Embedding | None = None,
    pred: RowReal | None = None,
    *,
    margin: Finite = 1.0,
    similar_margin: NotNegative = 0.0,
    similar_label: Literal[1, 0] = 1,
    power: Literal[2, 1] = 2,
    half: bool = False,
    distance: Distance = "euclidean",
    distance_eps: NotNegative = 0.0,
    normalize: bool = False,
) -> Array:
    """The squared distance of similar pairs, the squared shortfall from a margin of the others.

    Formula:
        ℓ = max(0, d − Δ₊)²    if the pair is similar
            max(0, Δ − d)²     otherwise,    d = ‖x₁ − x₂‖

    Roles:
        target: the label of each pair, 1 similar and 0 dissimilar.
        x1: one embedding of each pair.
        x2: the other embedding of each pair.
        pred: the distance d of each pair, instead of x1 and x2.

    Parameters:
        margin: Δ, the distance from which on a dissimilar pair costs nothing.
        similar_margin: Δ₊, the distance up to which a similar pair costs nothing.
        similar_label: which label is a similar pair; it is 0 in the paper.
        power: the power of each term; pytorch-metric-learning has 1.
        half: halve each loss, as the paper does.
        distance: how far apart x1 and x2 are. The cosine distance is 1 − cos.
        distance_eps: ε, added to every difference of coordinates (torch 1e-6); for the cosine
            distance, the least length that a vector counts with (torch 1e-8).
        normalize: divide each embedding by its length first, as pytorch-metric-learning does.

    Returns:
        One loss a pair, not negative, in squared units of the distance.

    Raises:
        DataError: a coordinate or a distance is not finite, or a label is neither 0 nor 1.

    Source:
        Hadsell, Chopra and LeCun, "Dimensionality Reduction by Learning an Invariant Mapping",
        2006 (similar_label=0, half); sentence_transformers.losses.ContrastiveLoss (half, cosine,
        margin 0.5); pytorch_metric_learning.losses.ContrastiveLoss (power=1, normalize).

    Example:
        >>> import numpy as np
        >>> contrastive(np.array([1.0, 0.0]), pred=np.array([0.5, 0.5]), margin=2.0)
        array([0.25, 2.25])
    """
    d = pred
    if x1 is not None and x2 is not None:
        a, b = (unit(x1)[0], unit(x2)[0]) if normalize else (x1, x2)
        d = distance_between(a, b, distance, distance_eps)
    assert d is not None
    shortfall = select(target == similar_label, relu(d - similar_margin), relu(margin - d))
    value = raised(shortfall, power)
    return 0.5 * value if half else value


def triplet(to_positive: Array, to_negative: Array, rival: Array | None, margin: float) -> Array:
    """max(0, d₊ − d₋ + Δ), where d₋ is the lesser of the negative's distances."""
    nearest = to_negative if rival is None else minimum(to_negative, rival)
    return relu(to_positive - nearest + margin)


@loss(
    "triplet-margin",
    family="metric-learning",
    aliases=("TripletMarginLoss", "triplet_margin_loss", "TripletLoss"),
    dialects={
        "torch": dialect("nn.functional.triplet_margin_loss", distance_eps=1e-6),
        "optax": dialect("losses.triplet_margin_loss", distance_eps=1e-6, eps_on="sum"),
        "mindspore": dialect("nn.TripletMarginLoss", distance_eps=1e-6),
    },
    example=Example(
        "a,b,c,d,e,f\n0,0,3,4,0,1\n0,0,0,1,3,4", "--anchor a,b --positive c,d --negative e,f"
    ),
    edges=(
        Edge("all points equal", "1,1,1,1,1,1"),
        Edge("the negative farther by the margin", "0,0,1,0,0,2"),
        Edge("all points equal", "1,1,1,1,1,1", "--distance-eps 1e-6"),
    ),
    properties=Properties(
        task="metric-learning",
        units="units of the distance",
        convex=False,
        differentiable=False,
        robust=True,
        bounds=(0, INFINITY),
        role="anchor",
    ),
)
def triplet_margin(
    anchor: Vectors,
    positive: Vectors,
    negative: Vectors,
    *,
    margin: Finite = 1.0,
    p: Positive = 2.0,
    swap: bool = False,
    distance_eps: NotNegative = 0.0,
    eps_on: Literal["difference", "sum"] = "difference",
) -> Array:
    """What the negative lacks to be farther from the anchor than the positive, by a margin.

    For FaceNet's squared distances and for others, see `triplet-margin-with-distance`.

    Formula:
        ℓ = max(0, d(a, p) − d(a, n) + Δ),    d(x, y) = (Σ |x − y|ᵖ)^(1/p)

    Roles:
        anchor: the embedding a.
        positive: the embedding p that belongs with the anchor.
        negative: the embedding n that does not.

    Parameters:
        margin: Δ, the lead in distance from which on a triplet costs nothing.
        p: the degree of the norm (optax's norm_degree, whose powers are of x − y and not of
            |x − y|, so that an odd one gives another number there, or NaN).
        swap: let d(a, n) be the lesser of d(a, n) and d(p, n).
        distance_eps: ε, which keeps a distance from 0 (torch and optax 1e-6).
        eps_on: ε is added to every difference of coordinates (torch), or to the sum under the
            root (optax).

    Returns:
        One loss a triplet, not negative, in the units of the distance.

    Raises:
        DataError: a coordinate is not finite.

    Source:
        torch.nn.TripletMarginLoss, optax.losses.triplet_margin_loss; Balntas et al., "Learning
        Local Feature Descriptors with Triplets and Shallow Convolutional Neural Networks", 2016.

    Example:
        >>> import numpy as np
        >>> a, p, n = np.array([[0.0, 0.0]]), np.array([[3.0, 4.0]]), np.array([[0.0, 1.0]])
        >>> triplet_margin(a, p, n)
        array([5.])
    """
    shift, plus = (distance_eps, 0.0) if eps_on == "difference" else (0.0, distance_eps)
    return triplet(
        norm(anchor - positive + shift, p, plus),
        norm(anchor - negative + shift, p, plus),
        norm(positive - negative + shift, p, plus) if swap else None,
        margin,
    )


@loss(
    "triplet-margin-with-distance",
    family="metric-learning",
    aliases=("TripletMarginWithDistanceLoss", "triplet_margin_with_distance_loss"),
    dialects={
        "torch": dialect(
            "nn.functional.triplet_margin_with_distance_loss",
            distance_eps=1e-6,
            note="the ε is of its own distance; with another, add --distance-eps 0",
        ),
    },
    example=Example(
        "a,b,c,d,e,f\n1,0,1,1,0,1\n1,0,0,1,2,0",
        "--anchor a,b --positive c,d --negative e,f --distance cosine",
    ),
    edges=(
        Edge("an anchor that is the zero vector", "0,0,1,0,0,1"),
        Edge("all points equal", "1,1,1,1,1,1", "--distance euclidean"),
    ),
    properties=Properties(
        task="metric-learning",
        units="units of the distance",
        convex=False,
        differentiable=False,
        robust=True,
        bounds=(0, INFINITY),
        role="anchor",
    ),
)
def triplet_margin_with_distance(
    anchor: Vectors,
    positive: Vectors,
    negative: Vectors,
    *,
    distance: Distance = "euclidean",
    margin: Finite = 1.0,
    swap: bool = False,
    distance_eps: NotNegative = 0.0,
    normalize: bool = False,
) -> Array:
    """The triplet margin loss with a distance of choice.

    Formula:
        ℓ = max(0, d(a, p) − d(a, n) + Δ)

    Roles:
        anchor: the embedding a.
        positive: the embedding p that belongs with the anchor.
        negative: the embedding n that does not.

    Parameters:
        distance: d. The cosine distance is 1 − cos; FaceNet's is sqeuclidean.
        margin: Δ, the lead in distance from which on a triplet costs nothing.
        swap: let d(a, n) be the lesser of d(a, n) and d(p, n).
        distance_eps: ε, added to every difference of coordinates (torch 1e-6); for the cosine
            distance, the least length that a vector counts with (torch 1e-8).
        normalize: divide each embedding by its length first, as pytorch-metric-learning does.

    Returns:
        One loss a triplet, not negative, in the units of the distance.

    Raises:
        DataError: a coordinate is not finite.

    Source:
        torch.nn.TripletMarginWithDistanceLoss; Schroff, Kalenichenko and Philbin, "FaceNet", 2015
        (sqeuclidean, margin 0.2, normalize).

    Example:
        >>> import numpy as np
        >>> a, p, n = np.array([[0.0, 0.0]]), np.array([[3.0, 4.0]]), np.array([[0.0, 1.0]])
        >>> triplet_margin_with_distance(a, p, n, distance="sqeuclidean")
        array([25.])
    """
    if normalize:
        anchor, positive, negative = unit(anchor)[0], unit(positive)[0], unit(negative)[0]
    return triplet(
        distance_between(anchor, positive, distance, distance_eps),
        distance_between(anchor, negative, distance, distance_eps),
        distance_between(positive, negative, distance, distance_eps) if swap else None,
        margin,
    )


@loss(
    "cosine-embedding",
    family="metric-learning",
    aliases=("CosineEmbeddingLoss", "cosine_embedding_loss"),
    dialects={
        # torch's constant is a float32, and this its value.
        "torch": dialect("nn.functional.cosine_embedding_loss", eps=9.999999960041972e-13),
        "mindspore": dialect("nn.CosineEmbeddingLoss", note="a zero vector gives NaN there"),
    },
    example=Example("a,b,c,d,target\n1,0,0,1,1\n1,0,1,1,-1", "--x1 a,b --x2 c,d"),
    edges=(
        Edge("a zero vector, similar", "0,0,1,0,1"),
        Edge("a zero vector, dissimilar", "0,0,1,0,-1"),
        Edge("opposite vectors, similar", "1,0,-1,0,1"),
    ),
    differing=Example(
        "a,b,c,d,target\n0.000001,0,0,1,1\n1,0,0.000001,0.000001,-1", "--x1 a,b --x2 c,d"
    ),
    properties=Properties(
        task="metric-learning",
        units="none",
        convex=False,
        differentiable=False,
        robust=True,
        bounds=(0, 2),
        role="x1",
    ),
)
def cosine_embedding(
    x1: Embedding,
    x2: Embedding,
    target: RowSign,
    *,
    margin: Finite = 0.0,
    eps: NotNegative = 0.0,
) -> Array:
    """What the cosine of similar pairs lacks to 1, and what that of the others exceeds a margin by.

    Formula:
        ℓ = 1 − cos(x₁, x₂)            if y = +1
            max(0, cos(x₁, x₂) − Δ)    if y = −1,    cos(x, y) = x·y / √((‖x‖² + ε)(‖y‖² + ε))

    Roles:
        x1: one embedding of each pair.
        x2: the other embedding of each pair.
        target: the label y of each pair, +1 similar and −1 dissimilar.

    Parameters:
        margin: Δ, the cosine up to which a dissimilar pair costs nothing.
        eps: ε, added to the squared length of each embedding (torch 1e-12).

    Returns:
        One loss a pair, from 0 to 2. The cosine of a zero vector with any other is 0.

    Raises:
        DataError: a coordinate is not finite, or a label is neither −1 nor +1.

    Source:
        torch.nn.CosineEmbeddingLoss, mindspore.nn.CosineEmbeddingLoss.

    Example:
        >>> import numpy as np
        >>> x1, x2 = np.array([[1.0, 0.0], [1.0, 0.0]]), np.array([[0.0, 1.0], [2.0, 0.0]])
        >>> cosine_embedding(x1, x2, np.array([1.0, -1.0]))
        array([1., 1.])
    """
    distance = one_minus_cosine(x1, x2, plus=eps)
    return select(target > 0, distance, relu(1.0 - distance - margin))


@loss(
    "cosine-distance",
    family="metric-learning",
    aliases=("CosineDistance", "cosine_distance"),
    dialects={
        "optax": dialect("losses.cosine_distance", note="a zero vector gives NaN there"),
    },
    example=Example("a,b,c,d\n1,0,1,1\n1,1,-1,0.5", "--x1 a,b --x2 c,d"),
    edges=(
        Edge("a zero vector", "0,0,1,0"),
        Edge("both vectors zero", "0,0,0,0"),
        Edge("a vector and itself", "3,4,3,4"),
    ),
    properties=Properties(
        task="metric-learning",
        units="none",
        convex=False,
        differentiable=False,
        robust=True,
        bounds=(0, 2),
        role="x1",
    ),
)
def cosine_distance(x1: Vectors, x2: Vectors, *, eps: NotNegative = 0.0) -> Array:
    """One minus the cosine of the angle between two vectors.

    Formula:
        ℓ = 1 − x₁·x₂ / (‖x₁‖ ‖x₂‖)

    Roles:
        x1: one vector of each pair.
        x2: the other vector of each pair.

    Parameters:
        eps: ε, the least that each norm counts as.

    Returns:
        One loss a pair, from 0 for one direction to 2 for opposite ones; 1 for a zero vector,
        which has no direction (the limit of a vanishing ε).

    Raises:
        DataError: a coordinate is not finite.

    Source:
        optax.losses.cosine_distance, scipy.spatial.distance.cosine. (`cosine-similarity` is the
        negative cosine, less by 1.)

    Example:
        >>> import numpy as np
        >>> x1, x2 = np.array([[3.0, 0.0], [3.0, 0.0]]), np.array([[2.0, 0.0], [0.0, 1.0]])
        >>> cosine_distance(x1, x2)
        array([0., 1.])
    """
    return one_minus_cosine(x1, x2, floor=eps)

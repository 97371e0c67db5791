"""What a named input of a loss holds: its shapes, with the domain of each."""

from typing import Annotated, NamedTuple

from losscli.losses.class_domains import ClassIndex, ClassList, ClassNumber
from losscli.losses.domains import (
    BINARY,
    COUNT,
    NOT_NEGATIVE,
    PROBABILITY,
    REAL,
    SIGN,
    SOFT_LABEL,
    By,
    Competing,
    Domain,
    Interval,
    Length,
    LogProbability,
    Whole,
)
from losscli.losses.numerics import Array
from losscli.losses.row_domains import Box, Distribution, LogDistribution


class Role(NamedTuple):
    """What a named input holds: its shapes, each with the domain of its values.

    A shape is written in named axes: "n" is one value a row, "n ..." any further axes (the same
    for every role that has them), "n (...)" none or the first of those, "n C" one value a class.
    The first shape that fits the data and agrees with the roles before it is the one that counts.
    """

    shapes: tuple[tuple[str, Domain], ...]
    optional: bool = False
    #: values of any type, which are only compared
    keys: bool = False
    #: a table of its own, not paired with the rows of other roles: every block sees all of it
    whole: bool = False
    #: what fills lists that are shorter than others; None where lists have one length
    pad: float | None = None
    #: the role of the lengths of such lists, which are theirs where it is not given
    lengths: str | None = None
    #: whether a single value a row is that of one class, which needs no other beside it
    one_class: bool = False

    @property
    def by_class(self) -> bool:
        """Whether it may hold class indices."""
        return any(isinstance(domain, ClassIndex) for _, domain in self.shapes)

    @property
    def codes(self) -> tuple[float, float] | None:
        """What two mapped labels become in this role, where it takes labels."""
        return next((domain.codes for _, domain in self.shapes if domain.codes), None)


def one(domain: Domain) -> Role:
    """A role with one value a row, in the domain."""
    return Role((("n", domain),))


def each(domain: Domain) -> Role:
    """A role with any number of elements a row, each of them in the domain."""
    return Role((("n ...", domain),))


#: what an input holds of which nothing is said
ANYTHING = each(REAL)
Real = Annotated[Array, ANYTHING]
#: one number an element, or one a row that holds for all of its elements
RealOrRow = Annotated[Array, Role((("n ...", REAL), ("n", REAL)))]
NotNegativeOrRow = Annotated[Array, Role((("n ...", NOT_NEGATIVE), ("n", NOT_NEGATIVE)))]
Count = Annotated[Array, each(COUNT)]
Sign = Annotated[Array, each(SIGN)]
SoftLabel = Annotated[Array, each(SOFT_LABEL)]
RowReal = Annotated[Array, one(REAL)]
RowSign = Annotated[Array, one(SIGN)]
RowClass = Annotated[Array, one(ClassNumber())]
RowBinary = Annotated[Array, one(BINARY)]
ClassCounts = Annotated[Array, one(NOT_NEGATIVE)]
#: one box a row, or any number of them
Boxes = Annotated[Array, Role((("n ... 4", Box()),))]
WEIGHT = Role((("n ...", NOT_NEGATIVE), ("n (...)", NOT_NEGATIVE)), optional=True)
BY = Role((("n", REAL),), optional=True, keys=True)
#: one vector a row, for losses that compare a row with others
Embedding = Annotated[Array, Role((("n d", REAL),))]
#: a vector at every position of a row
Vectors = Annotated[Array, Role((("n ... d", REAL),))]
#: embeddings that all rows share
EmbeddingBank = Annotated[Array, Role((("m d", REAL),), whole=True)]
#: a matrix with a row, and a vector with an entry, for each class
ClassMatrix = Annotated[Array, Role((("C d", REAL),), whole=True)]
ClassVector = Annotated[Array, Role((("C", REAL),), whole=True)]
#: what each item of a list counts, by which its weight is multiplied
RELEVANCE = Role((("n ... C", NOT_NEGATIVE),))
Scores = Annotated[Array, Role((("n ... C", REAL),))]
ClassTarget = Annotated[Array, Role((("n ...", ClassIndex()),))]
RowClassTarget = Annotated[Array, one(ClassIndex())]
ClassOrDistribution = Annotated[Array, Role((("n ...", ClassIndex()), ("n ... C", Distribution())))]
BinaryPrediction = Annotated[
    Array, Role((("n ...", By("input", {"probs": PROBABILITY, "logits": REAL})),))
]
MaskPrediction = Annotated[
    Array,
    Role(
        (
            (
                "n ...",
                By("input", {"probs": PROBABILITY, "logits": REAL, "class-logits": Competing()}),
            ),
        )
    ),
]
ClassPrediction = Annotated[
    Array,
    Role(
        (
            (
                "n ... C",
                By(
                    "input",
                    {
                        "logits": REAL,
                        "probs": Distribution(renormalizes=True),
                        "log-probs": LogDistribution(),
                    },
                ),
            ),
        )
    ),
]
#: the classes of every frame of a sequence; what is no frame is no number either
FramePrediction = Annotated[
    Array,
    Role(
        (("n T C", By("input", {"logits": REAL, "log-probs": LogDistribution()})),),
        pad=float("nan"),
        lengths="input_lengths",
    ),
]
#: lists of classes of any length, −1 after the last
ClassLists = Annotated[Array, Role((("n L", ClassList()),), pad=-1.0)]
FrameCount = Annotated[Array, one(Length("T"))]
ListLength = Annotated[Array, one(Length("L"))]
#: the members of an ensemble
Ensemble = Annotated[Array, Role((("n m", REAL),))]
#: the log-probability of what happened, or of a whole response
LogProbabilityOfIt = Annotated[Array, each(LogProbability())]
RowLogLikelihood = Annotated[Array, one(Interval(high=0.0))]
TokenCount = Annotated[Array, one(Whole(1))]
LogProbabilities = Annotated[Array, Role((("n ... C", LogDistribution()),))]

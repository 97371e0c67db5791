"""Detection losses: how two boxes differ in overlap, place and shape."""

from typing import Literal, NamedTuple

from losscli.losses.numerics import Array, arctan, divide, maximum, minimum, relu, select, square
from losscli.losses.parameters import NotNegative
from losscli.losses.properties import Properties
from losscli.losses.registry import Edge, Example, loss
from losscli.losses.roles import Boxes

BoxFormat = Literal["xyxy", "xywh", "cxcywh"]
PI = 3.141592653589793

EXAMPLE = Example(
    "a,b,c,d,e,f,g,h\n1,1,3,3,2,2,4,4\n0,0,1,1,0,0,2,1", "--pred a,b,c,d --target e,f,g,h"
)


class Parts(NamedTuple):
    """The lengths that two intervals have in common, alone, and between them.

    Every one is a difference of two ends, and no sum of them cancels.
    """

    both: Array
    pred: Array
    target: Array
    gap: Array
    #: from the middle of one to the middle of the other
    shift: Array

    @property
    def pred_side(self) -> Array:
        return self.both + self.pred

    @property
    def target_side(self) -> Array:
        return self.both + self.target

    @property
    def span(self) -> Array:
        """The length from the first end to the last."""
        return self.both + self.pred + self.target + self.gap


def parts(low: Array, high: Array, other_low: Array, other_high: Array) -> Parts:
    """Cut two intervals where either ends."""
    start, end = maximum(low, other_low), minimum(high, other_high)
    return Parts(
        both=relu(end - start),
        pred=relu(minimum(high, other_low) - low) + relu(high - maximum(low, other_high)),
        target=relu(minimum(other_high, low) - other_low)
        + relu(other_high - maximum(other_low, high)),
        gap=relu(start - end),
        shift=0.5 * ((low - other_low) + (high - other_high)),
    )


def corners(box: Array, box_format: str) -> tuple[Array, Array, Array, Array]:
    """x1, y1, x2, y2 of boxes in any format."""
    a, b, c, d = box[..., 0], box[..., 1], box[..., 2], box[..., 3]
    if box_format == "xywh":
        return a, b, a + c, b + d
    if box_format == "cxcywh":
        return a - 0.5 * c, b - 0.5 * d, a + 0.5 * c, b + 0.5 * d
    return a, b, c, d


class Pair(NamedTuple):
    """Two boxes by their parts along x and y; each area is a sum of areas that do not overlap."""

    x: Parts
    y: Parts

    @property
    def apart(self) -> Array:
        """U − I: what is in one box and not in the other."""
        x, y = self.x, self.y
        return x.pred * y.pred_side + x.both * y.pred + x.target * y.target_side + x.both * y.target

    @property
    def union(self) -> Array:
        return self.x.both * self.y.both + self.apart

    @property
    def hull(self) -> Array:
        """C: the area of the smallest box around both."""
        return self.x.span * self.y.span

    @property
    def empty(self) -> Array:
        """C − U: the corners where one box has the columns and the other the rows, and the gaps."""
        x, y = self.x, self.y
        corners = x.pred * y.target + x.target * y.pred
        return corners + x.gap * y.span + (x.both + x.pred + x.target) * y.gap

    def iou_loss(self, eps: float) -> Array:
        """1 − I / (U + ε) = (U − I + ε) / (U + ε)."""
        return divide(self.apart + eps, self.union + eps)

    def distance(self, eps: float) -> Array:
        """The squared distance of the centers, over the squared diagonal of the hull."""
        x, y = self.x, self.y
        return divide(square(x.shift) + square(y.shift), square(x.span) + square(y.span) + eps)


def pair(pred: Array, target: Array, box_format: str) -> Pair:
    """Two boxes of each row, cut into their parts."""
    x1, y1, x2, y2 = corners(pred, box_format)
    u1, v1, u2, v2 = corners(target, box_format)
    return Pair(parts(x1, x2, u1, u2), parts(y1, y2, v1, v2))


@loss(
    "giou",
    family="detection",
    aliases=("GIoULoss", "generalized_box_iou_loss", "generalized-iou", "BoxGIoULoss"),
    example=EXAMPLE,
    edges=(
        Edge("equal boxes", "1,1,3,3,1,1,3,3"),
        Edge("boxes that touch", "0,0,1,1,1,0,2,1"),
        Edge("two points, in one place", "1,1,1,1,1,1,1,1"),
        Edge("two points, in one place", "1,1,1,1,1,1,1,1", "--eps 1e-7"),
        Edge("two points, apart", "0,0,0,0,1,1,1,1"),
        Edge("x2 below x1", "3,1,1,3,2,2,4,4"),
    ),
    properties=Properties(
        task="detection",
        units="none",
        convex=False,
        differentiable=False,
        robust=True,
        bounds=(0, 2),
    ),
)
def giou(
    pred: Boxes, target: Boxes, *, box_format: BoxFormat = "xyxy", eps: NotNegative = 0.0
) -> Array:
    """One minus the overlap of two boxes, plus the share of their hull that neither covers.

    Formula:
        ℓ = 1 − I / (U + ε) + (C − U) / (C + ε)

        I, U: areas of the boxes' intersection and union;  C: area of the smallest box around both

    Roles:
        pred: the predicted box.
        target: the true box.

    Parameters:
        box_format: two corners x1, y1, x2, y2; or x1, y1, width, height; or the center, width
            and height.
        eps: ε, added to the areas that divide (torchvision 1e-7).

    Returns:
        One loss a box, from 0 for equal boxes to 2. With ε = 0, NaN where both boxes are without
        area, since their overlap is undefined.

    Raises:
        DataError: a coordinate is not finite, or a box has x2 < x1, y2 < y1 or a negative side.

    Source:
        torchvision.ops.generalized_box_iou_loss; Rezatofighi et al., "Generalized Intersection
        over Union", 2019.

    Example:
        >>> import numpy as np
        >>> giou(np.array([[0.0, 0.0, 1.0, 1.0]]), np.array([[1.0, 0.0, 3.0, 1.0]]))
        array([1.])
    """
    boxes = pair(pred, target, box_format)
    return boxes.iou_loss(eps) + divide(boxes.empty, boxes.hull + eps)


@loss(
    "diou",
    family="detection",
    aliases=("DIoULoss", "distance_box_iou_loss", "distance-iou"),
    example=EXAMPLE,
    edges=(
        Edge("equal boxes", "1,1,3,3,1,1,3,3"),
        Edge("two points, in one place", "1,1,1,1,1,1,1,1"),
        Edge("two points, in one place", "1,1,1,1,1,1,1,1", "--eps 1e-7"),
        Edge("x2 below x1", "3,1,1,3,2,2,4,4"),
    ),
    properties=Properties(
        task="detection",
        units="none",
        convex=False,
        differentiable=False,
        robust=True,
        bounds=(0, 2),
    ),
)
def diou(
    pred: Boxes, target: Boxes, *, box_format: BoxFormat = "xyxy", eps: NotNegative = 0.0
) -> Array:
    """One minus the overlap of two boxes, plus the distance of their centers.

    Formula:
        ℓ = 1 − I / (U + ε) + ρ² / (c² + ε)

        I, U: areas of the boxes' intersection and union;  ρ: distance of the centers;
        c: diagonal of the smallest box around both

    Roles:
        pred: the predicted box.
        target: the true box.

    Parameters:
        box_format: two corners x1, y1, x2, y2; or x1, y1, width, height; or the center, width
            and height.
        eps: ε, added to the area and the squared diagonal that divide (torchvision 1e-7).

    Returns:
        One loss a box, from 0 for equal boxes to 2. With ε = 0, NaN where both boxes are without
        area, since their overlap is undefined.

    Raises:
        DataError: a coordinate is not finite, or a box has x2 < x1, y2 < y1 or a negative side.

    Source:
        torchvision.ops.distance_box_iou_loss; Zheng et al., "Distance-IoU Loss", 2020.

    Example:
        >>> import numpy as np
        >>> diou(np.array([[0.0, 0.0, 1.0, 1.0]]), np.array([[1.0, 0.0, 3.0, 1.0]]))
        array([1.225])
    """
    boxes = pair(pred, target, box_format)
    return boxes.iou_loss(eps) + boxes.distance(eps)


@loss(
    "ciou",
    family="detection",
    aliases=("CIoULoss", "complete_box_iou_loss", "complete-iou"),
    example=EXAMPLE,
    edges=(
        Edge("equal boxes", "1,1,3,3,1,1,3,3"),
        Edge("two points, in one place", "1,1,1,1,1,1,1,1"),
        Edge("a box without height, inside the other", "1,2,3,2,1,1,3,3"),
        Edge("x2 below x1", "3,1,1,3,2,2,4,4"),
    ),
    properties=Properties(
        task="detection",
        units="none",
        convex=False,
        differentiable=False,
        robust=True,
        bounds=(0, 2.5),
    ),
)
def ciou(
    pred: Boxes,
    target: Boxes,
    *,
    box_format: BoxFormat = "xyxy",
    eps: NotNegative = 0.0,
    aspect_eps: NotNegative | None = None,
) -> Array:
    """The distance-IoU loss, plus what the boxes differ in aspect.

    Formula:
        ℓ = 1 − I / (U + ε) + ρ² / (c² + ε) + α v

        v = 4/π² (arctan w'/h' − arctan w/h)²,    α = v / (1 − I / (U + ε) + v + ε')

        I, U: areas of the boxes' intersection and union;  ρ: distance of the centers;
        c: diagonal of the smallest box around both;  w, h and w', h': sides of pred and target

    Roles:
        pred: the predicted box.
        target: the true box.

    Parameters:
        box_format: two corners x1, y1, x2, y2; or x1, y1, width, height; or the center, width
            and height.
        eps: ε, added to the area and the squared diagonal that divide (torchvision: always 1e-7).
        aspect_eps: ε', added where α divides; the same as ε when nothing is said. It is what eps
            of torchvision's function sets.

    Returns:
        One loss a box, 0 for equal boxes. NaN where a box is a point, which has no aspect; and,
        with ε = 0, where both boxes are without area, since their overlap is undefined.

    Raises:
        DataError: a coordinate is not finite, or a box has x2 < x1, y2 < y1 or a negative side.

    Source:
        torchvision.ops.complete_box_iou_loss; Zheng et al., "Distance-IoU Loss", 2020.

    Example:
        >>> import numpy as np
        >>> ciou(np.array([[0.0, 0.0, 1.0, 1.0]]), np.array([[1.0, 0.0, 2.0, 1.0]]))
        array([1.2])
    """
    boxes = pair(pred, target, box_format)
    x, y = boxes
    aspect = arctan(divide(x.target_side, y.target_side)) - arctan(divide(x.pred_side, y.pred_side))
    v = 4.0 / PI**2 * square(aspect)
    miss = boxes.iou_loss(eps)
    # α = v / (1 − IoU + v) is at most 1, so α v goes to 0 with v, also for equal boxes (0 / 0).
    alpha = divide(v, miss + v + (eps if aspect_eps is None else aspect_eps))
    return miss + boxes.distance(eps) + select(v == 0, 0.0, alpha * v)

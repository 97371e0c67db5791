"""Segmentation losses: how little two masks overlap. They pool: a mask has one loss."""

from collections.abc import Callable
from typing import Literal, TypeAlias

from losscli.errors import UsageError
from losscli.losses.dialects import dialect
from losscli.losses.numerics import Array, maximum, power, ratio, select, sigmoid, square
from losscli.losses.parameters import MaskWeights, NotNegative, Positive
from losscli.losses.properties import Properties
from losscli.losses.registry import Edge, Example, Pooled, Rows, alias, loss
from losscli.losses.roles import MaskPrediction, SoftLabel
from losscli.losses.softmaxes import softmax

#: arrays to add up, by name
Sums: TypeAlias = dict[str, Array]
MASKS = Example("pred,target\n0.9,1\n0.8,1\n0.2,0\n0.1,0")


def masks(pred: Array, target: Array, input: str, include_background: bool) -> tuple[Array, Array]:
    """Probabilities and labels of the pixels that count."""
    p = softmax(pred) if input == "class-logits" else sigmoid(pred) if input == "logits" else pred
    if include_background:
        return p, target
    if p.ndim == 1 or p.shape[-1] < 2:
        raise UsageError(
            "--no-include-background leaves no class of one column",
            "without a column for the background, there is none to leave out",
        )
    return p[..., 1:], target[..., 1:]


def sums(p: Array, t: Array, both_classes: bool, of: Callable[[Array, Array], Sums]) -> Sums:
    """What a mask adds up, of the foreground or of it and the background together."""
    if not both_classes:
        return of(p, t)
    background = of(1.0 - p, 1.0 - t)
    return {name: value + background[name] for name, value in of(p, t).items()}


def left_out(value: Array, target: Array, empty: str) -> Rows:
    """The losses of units, without those that have no foreground where they are skipped."""
    return Rows(value, keep=target != 0 if empty == "skip" else None)


def overlap_loss(
    numerator: Array, denominator: Array, target: Array, smooth: float, smooth_to: str, empty: str
) -> Array:
    """1 − (N + s) / (D + s), and its answer where the target has no foreground."""
    above = numerator + (smooth if smooth_to == "both" else 0.0)
    value = 1.0 - ratio(above, denominator + smooth)
    # With nothing there and nothing found, 0 / 0 is a perfect overlap unless ε decides otherwise.
    value = select((above == 0) & (denominator + smooth == 0), 0.0, value)
    return select(target == 0, float(empty), value) if empty in ("0", "1") else value


@loss(
    "dice",
    family="segmentation",
    kind="pooled",
    aliases=("DiceLoss", "Dice", "binary_dice_loss", "dice_loss", "soft-dice"),
    dialects={
        "keras": dialect("losses.Dice", per="all", smooth=1e-7, smooth_to="denominator"),
        "optax": dialect(
            "losses.binary_dice_loss",
            per="image",
            input="logits",
            smooth=2.0,
            note="dice_loss there is tversky here",
        ),
        "mindspore": dialect(
            "nn.DiceLoss", per="all", squared=True, smooth=1e-5, smooth_to="denominator"
        ),
    },
    example=MASKS,
    edges=(
        Edge("no foreground, and none found", "0,0\n0,0"),
        Edge("no foreground, and none found", "0,0\n0,0", "--smooth 1e-7 --smooth-to denominator"),
        Edge("no foreground, and some found", "0.5,0\n0.5,0"),
        Edge("no foreground, and some found", "0.5,0\n0.5,0", "--empty 0"),
        Edge("no foreground, and some found", "0.5,0\n0.5,0", "--empty skip"),
        Edge("foreground, and none found", "0,1\n0,1"),
    ),
    properties=Properties(
        task="segmentation",
        units="none",
        convex=False,
        differentiable=True,
        robust=True,
        bounds=(0, 1),
    ),
)
def dice(
    pred: MaskPrediction,
    target: SoftLabel,
    *,
    input: Literal["probs", "logits", "class-logits"] = "probs",
    squared: bool = False,
    smooth: NotNegative = 0.0,
    smooth_to: Literal["both", "denominator"] = "both",
    empty: Literal["formula", "0", "1", "skip"] = "formula",
    include_background: bool = True,
    both_classes: bool = False,
    class_weight: MaskWeights | None = None,
) -> Pooled:
    """One minus the Dice coefficient: twice the overlap of two masks over the sum of their sizes.

    Formula:
        ℓ = 1 − (2 Σ p t + s) / (Σ p + Σ t + s)

    Roles:
        pred: the probability p that a pixel is foreground, or its logit.
        target: the label t of the pixel, 0 or 1, or anything between.

    Parameters:
        input: whether pred holds probabilities, logits, or logits of classes that exclude one
            another, the last axis, of which the softmax makes probabilities.
        squared: sum p² and t² in the denominator (MindSpore, V-Net).
        smooth: s, added so that small masks weigh less (Keras 1e-7, MONAI 1e-5).
        smooth_to: whether s is added above and below, or only below (Keras).
        empty: the loss where the target has no foreground: what the formula says (0 when the
            prediction has none either and s = 0), or always 0 (segmentation-models) or 1; skip
            leaves these units out of the mean, and their own loss is nan.
        include_background: count class 0, the first of the last axis, as a class (MONAI).
        both_classes: add the background's 1 − p and 1 − t to every sum, as pixels of a second
            class (kornia's dice_loss of two classes).
        class_weight: w, one weight for each class, the last axis, of the losses that --per class
            and image-class give; a weighted mean divides by their sum, --reduction mean by their
            number (MONAI, optax).

    Returns:
        One loss for each unit that --per names, in [0, 1].

    Raises:
        DataError: a probability or a label is outside [0, 1].

    Source:
        keras.losses.Dice, monai.losses.DiceLoss, segmentation_models_pytorch DiceLoss,
        optax.losses.binary_dice_loss; Milletari et al., "V-Net", 2016.

    Example:
        >>> import numpy as np
        >>> pooled = dice(np.array([0.5, 1.0]), np.array([1.0, 1.0]))
        >>> round(float(pooled.finish(**{k: v.sum() for k, v in pooled.sums.items()}).loss), 4)
        0.1429
    """

    def of(p: Array, t: Array) -> Sums:
        sizes = square(p) + square(t) if squared else p + t
        return {"overlap": p * t, "sizes": sizes, "target": t}

    def finish(overlap: Array, sizes: Array, target: Array) -> Rows:
        value = overlap_loss(2.0 * overlap, sizes, target, smooth, smooth_to, empty)
        return left_out(value, target, empty)

    p, t = masks(pred, target, input, include_background)
    weight = class_weight if class_weight is None or include_background else class_weight[1:]
    return Pooled(sums(p, t, both_classes, of), finish, weight)


@loss(
    "jaccard",
    family="segmentation",
    kind="pooled",
    aliases=("JaccardLoss", "iou", "soft-iou", "jaccard_loss"),
    example=MASKS,
    edges=(
        Edge("no foreground, and none found", "0,0\n0,0"),
        Edge("no foreground, and some found", "0.5,0\n0.5,0"),
        Edge("no foreground, and some found", "0.5,0\n0.5,0", "--empty 0"),
        Edge("no foreground, and some found", "0.5,0\n0.5,0", "--empty skip"),
        Edge("foreground, and none found", "0,1\n0,1"),
    ),
    properties=Properties(
        task="segmentation",
        units="none",
        convex=False,
        differentiable=True,
        robust=True,
        bounds=(0, 1),
    ),
)
def jaccard(
    pred: MaskPrediction,
    target: SoftLabel,
    *,
    input: Literal["probs", "logits", "class-logits"] = "probs",
    smooth: NotNegative = 0.0,
    smooth_to: Literal["both", "denominator"] = "both",
    empty: Literal["formula", "0", "1", "skip"] = "formula",
    include_background: bool = True,
    both_classes: bool = False,
    class_weight: MaskWeights | None = None,
) -> Pooled:
    """One minus the intersection of two masks over their union.

    Formula:
        ℓ = 1 − (Σ p t + s) / (Σ p + Σ t − Σ p t + s)

    Roles:
        pred: the probability p that a pixel is foreground, or its logit.
        target: the label t of the pixel, 0 or 1, or anything between.

    Parameters:
        input: whether pred holds probabilities, logits, or logits of classes that exclude one
            another, the last axis, of which the softmax makes probabilities.
        smooth: s, added so that small masks weigh less (MONAI's is twice this one: it doubles the
            fraction).
        smooth_to: whether s is added above and below, or only below.
        empty: the loss where the target has no foreground: what the formula says (0 when the
            prediction has none either and s = 0), or always 0 (segmentation-models) or 1; skip
            leaves these units out of the mean, and their own loss is nan.
        include_background: count class 0, the first of the last axis, as a class (MONAI).
        both_classes: add the background's 1 − p and 1 − t to every sum, as pixels of a second
            class (kornia's dice_loss of two classes).
        class_weight: w, one weight for each class, the last axis, of the losses that --per class
            and image-class give; a weighted mean divides by their sum, --reduction mean by their
            number (MONAI, optax).

    Returns:
        One loss for each unit that --per names, in [0, 1].

    Raises:
        DataError: a probability or a label is outside [0, 1].

    Source:
        segmentation_models_pytorch JaccardLoss, monai.losses.DiceLoss(jaccard=True).

    Example:
        >>> import numpy as np
        >>> pooled = jaccard(np.array([0.5, 1.0]), np.array([1.0, 1.0]))
        >>> float(pooled.finish(**{k: v.sum() for k, v in pooled.sums.items()}).loss)
        0.25
    """

    def of(p: Array, t: Array) -> Sums:
        # p + t − p t = p + t (1 − p): no cancellation where both are 1.
        return {"overlap": p * t, "union": p + t * (1.0 - p), "target": t}

    def finish(overlap: Array, union: Array, target: Array) -> Rows:
        value = overlap_loss(overlap, union, target, smooth, smooth_to, empty)
        return left_out(value, target, empty)

    p, t = masks(pred, target, input, include_background)
    weight = class_weight if class_weight is None or include_background else class_weight[1:]
    return Pooled(sums(p, t, both_classes, of), finish, weight)


@loss(
    "tversky",
    family="segmentation",
    kind="pooled",
    aliases=(
        "TverskyLoss",
        "Tversky",
        # γ = 4/3 in the paper, which has its inverse as the power
        alias("focal-tversky", gamma=0.75, fp_weight=0.3, fn_weight=0.7),
    ),
    dialects={
        "keras": dialect(
            "losses.Tversky",
            per="all",
            smooth=1e-7,
            smooth_to="denominator",
            note="its alpha is fn_weight here, its beta fp_weight",
        ),
        "optax": dialect(
            "losses.dice_loss",
            per="image",
            input="logits",
            smooth=1.0,
            note="its alpha is fp_weight here, its beta fn_weight",
            of_columns={"input": "class-logits", "per": "image-class"},
        ),
    },
    example=MASKS,
    edges=(
        Edge("no foreground, and none found", "0,0\n0,0"),
        Edge("no foreground, and some found", "0.5,0\n0.5,0"),
        Edge("no foreground, and some found", "0.5,0\n0.5,0", "--fp-weight 0"),
        Edge("foreground, and none found", "0,1\n0,1"),
        Edge("foreground, and none found", "0,1\n0,1", "--fn-weight 0"),
    ),
    properties=Properties(
        task="segmentation",
        units="none",
        convex=False,
        differentiable=True,
        robust=True,
        bounds=(0, 1),
    ),
)
def tversky(
    pred: MaskPrediction,
    target: SoftLabel,
    *,
    input: Literal["probs", "logits", "class-logits"] = "probs",
    fp_weight: NotNegative = 0.5,
    fn_weight: NotNegative = 0.5,
    gamma: Positive = 1.0,
    smooth: NotNegative = 0.0,
    smooth_to: Literal["both", "denominator"] = "both",
    empty: Literal["formula", "0", "1", "skip"] = "formula",
    include_background: bool = True,
    both_classes: bool = False,
    class_weight: MaskWeights | None = None,
) -> Pooled:
    """One minus the Tversky index: an overlap that weighs false alarms and misses apart.

    With both weights ½ it is `dice`, with both 1 `jaccard`. Keras's alpha is `fn_weight` and its
    beta `fp_weight`, the other way round than in the paper.

    Formula:
        ℓ = (1 − (TP + s) / (TP + α FP + β FN + s))ᵞ,
        TP = Σ p t,  FP = Σ p (1 − t),  FN = Σ (1 − p) t

    Roles:
        pred: the probability p that a pixel is foreground, or its logit.
        target: the label t of the pixel, 0 or 1, or anything between.

    Parameters:
        input: whether pred holds probabilities, logits, or logits of classes that exclude one
            another, the last axis, of which the softmax makes probabilities.
        fp_weight: α, the weight of false positives.
        fn_weight: β, the weight of false negatives.
        gamma: γ, the power that makes it the focal Tversky loss (its paper: ¾, which it writes as
            1/γ, with α = 0.3 and β = 0.7; `focal-tversky` is that).
        smooth: s, added so that small masks weigh less (Keras 1e-7, MONAI 1e-5, optax 1).
        smooth_to: whether s is added above and below, or only below (Keras).
        empty: the loss where the target has no foreground: what the formula says (0 when the
            prediction has none either and s = 0), or always 0 (segmentation-models) or 1; skip
            leaves these units out of the mean, and their own loss is nan.
        include_background: count class 0, the first of the last axis, as a class (MONAI).
        both_classes: add the background's 1 − p and 1 − t to every sum, as pixels of a second
            class (kornia's dice_loss of two classes).
        class_weight: w, one weight for each class, the last axis, of the losses that --per class
            and image-class give; a weighted mean divides by their sum, --reduction mean by their
            number (MONAI, optax).

    Returns:
        One loss for each unit that --per names, in [0, 1].

    Raises:
        DataError: a probability or a label is outside [0, 1].

    Source:
        monai.losses.TverskyLoss, segmentation_models_pytorch TverskyLoss, keras.losses.Tversky
        (weights swapped), optax.losses.dice_loss; Salehi et al., "Tversky Loss Function for Image
        Segmentation", 2017; Abraham and Khan, "A Novel Focal Tversky Loss Function", 2019.

    Example:
        >>> import numpy as np
        >>> pooled = tversky(np.array([0.5, 1.0]), np.array([1.0, 1.0]), fn_weight=1.0)
        >>> float(pooled.finish(**{k: v.sum() for k, v in pooled.sums.items()}).loss)
        0.25
    """

    def of(p: Array, t: Array) -> Sums:
        weighted = p * t + fp_weight * p * (1.0 - t) + fn_weight * (1.0 - p) * t
        return {"overlap": p * t, "weighted": weighted, "target": t}

    def finish(overlap: Array, weighted: Array, target: Array) -> Rows:
        index_loss = overlap_loss(overlap, weighted, target, smooth, smooth_to, empty)
        return left_out(power(maximum(index_loss, 0.0), gamma), target, empty)

    p, t = masks(pred, target, input, include_background)
    weight = class_weight if class_weight is None or include_background else class_weight[1:]
    return Pooled(sums(p, t, both_classes, of), finish, weight)

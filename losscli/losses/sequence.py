"""Sequence losses: labels against frames, when it is not known which frame says which label."""

from typing import Literal

from losscli.losses.dialects import dialect
from losscli.losses.numerics import (
    Array,
    between,
    by_row,
    class_index,
    count_before,
    log,
    log_add,
    minimum,
    one_hot,
    pick,
    pick_each,
    select,
    shifted,
)
from losscli.losses.parameters import Class
from losscli.losses.properties import INFINITY, Properties
from losscli.losses.registry import Edge, Example, Rows, loss
from losscli.losses.roles import ClassLists, FrameCount, FramePrediction, ListLength
from losscli.losses.softmaxes import log_softmax

IMPOSSIBLE = -float("inf")
#: between two equal labels a blank must come
SHORT = '{"pred": [[0, 0, 0], [0, 0, 0]], "target": [1, 1]}'


def list_length(target: Array, blank: int, stated: Array | None) -> Array:
    """How many labels of each list count: up to its padding, or as many as is stated."""
    if stated is None:
        return count_before((target < 0) | (target == blank))
    return minimum(stated, count_before(target < 0))


#: the frames of the example after a log-softmax
LOG_PROBABILITIES = (
    '{"pred": [[-0.6931471805599453, -0.6931471805599453], '
    '[-0.6931471805599453, -0.6931471805599453]], "target": [1]}\n'
    '{"pred": [[-2.1269280110429727, -0.1269280110429726], '
    "[-0.31326168751822286, -1.3132616875182228], "
    '[-2.1269280110429727, -0.1269280110429726]], "target": [1, 1]}'
)


@loss(
    "ctc",
    family="sequence",
    aliases=(
        "CTCLoss",
        "ctc_loss",
        "ctc_loss_with_forward_probs",
        "connectionist-temporal-classification",
    ),
    dialects={
        "torch": dialect(
            "nn.functional.ctc_loss",
            input="log-probs",
            reduction="mean-per-label",
            rows=LOG_PROBABILITIES,
        ),
        "keras": dialect("losses.CTC"),
        "mindspore": dialect(
            "nn.CTCLoss",
            input="log-probs",
            reduction="mean-per-label",
            rows=LOG_PROBABILITIES,
        ),
        "optax": dialect(
            "losses.ctc_loss",
            note="its lengths are paddings, 1 where nothing is, and it gives about 1e5 where the "
            "frames are too few, this ∞",
        ),
    },
    example=Example(
        '{"pred": [[0, 0], [0, 0]], "target": [1]}\n'
        '{"pred": [[0, 2], [1, 0], [0, 2]], "target": [1, 1]}'
    ),
    edges=(
        Edge("fewer frames than the labels need", SHORT),
        Edge("fewer frames than the labels need", SHORT, "--zero-infinity"),
        Edge("logits 800 apart, the lower is true", '{"pred": [[800, 0, 0]], "target": [1]}'),
    ),
    properties=Properties(
        task="sequence",
        units="nats",
        convex=False,
        differentiable=True,
        robust=True,
        bounds=(0, INFINITY),
    ),
)
def ctc(
    pred: FramePrediction,
    target: ClassLists,
    input_lengths: FrameCount | None = None,
    target_lengths: ListLength | None = None,
    *,
    input: Literal["logits", "log-probs"] = "logits",
    blank: Class = 0,
    zero_infinity: bool = False,
) -> Rows:
    """Connectionist temporal classification: minus the log-probability of a list of labels.

    It is summed over all ways to say the labels in that order, one class a frame, with blanks and
    repeats; between two equal labels a blank must come. pred is an array (n, T, C), or a column of
    lists of lists, of which each row may have its own T; target is lists of any lengths.

    Formula:
        ℓ = −ln Σ_π Π_t p(πₜ),    π over the paths of T frames that are y once repeats are merged
        and blanks taken out

    Roles:
        pred: the log-probabilities of C classes in each of T frames, or their logits.
        target: the list of the labels y of each row. −1 ends it, and where target_lengths is not
            given so does the blank (Keras pads with 0).
        input_lengths: how many frames of each row count, all that it has by default.
        target_lengths: how many labels of each row count.

    Parameters:
        input: whether pred holds logits or log-probabilities.
        blank: the class that stands for no label.
        zero_infinity: let a row that is impossible, having too few frames, cost 0 and not ∞.

    Returns:
        One loss a sequence, not negative but for rounding. The reduction mean-per-label divides
        each by the number of its labels first, as torch's mean does.

    Raises:
        DataError: log-probabilities do not add up to 1, a label is no class, or a length is
            greater than T or than the longest list.

    Source:
        Graves et al., "Connectionist Temporal Classification", 2006; torch.nn.CTCLoss (log-probs),
        keras.losses.CTC, optax.losses.ctc_loss, mindspore.ops.ctc_loss.

    Example:
        >>> import numpy as np
        >>> rows = ctc(np.zeros((1, 2, 2)), np.array([[1.0]]))  # 3 of 4 paths: 11, 01 and 10
        >>> float(np.exp(-rows.loss[0]).round(4))
        0.75
    """
    log_p = log_softmax(pred) if input == "logits" else pred
    length = list_length(target, blank, target_lengths)
    path = between(class_index(select(target < 0, blank, target)), blank)
    # A path may leap over the blank between two labels that differ.
    leap = select(path != shifted(path, 2, blank), 0.0, IMPOSSIBLE)
    # α: the log-probability of all ways to be at an entry of the path, at first before it.
    alpha = log(one_hot(class_index(0.0 * length), path.shape[-1]))
    frames = None if input_lengths is None else by_row(input_lengths, alpha)
    for t in range(log_p.shape[1]):
        stay_or_step = log_add(alpha, shifted(alpha, 1, IMPOSSIBLE))
        arrived = log_add(stay_or_step, shifted(alpha, 2, IMPOSSIBLE) + leap)
        after = arrived + pick_each(log_p[:, t], path)
        alpha = after if frames is None else select(t < frames, after, alpha)
    # A path ends at the last blank, entry 2·length, or at the label before it.
    ends = log_add(alpha, shifted(alpha, 1, IMPOSSIBLE))
    value = 0.0 - pick(ends, class_index(2.0 * length))
    if zero_infinity:
        value = select(value == -IMPOSSIBLE, 0.0, value)
    return Rows(value, size=length)

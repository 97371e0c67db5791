"""Forms of losses that some library has and no dialect covers, against numbers it printed.

segmentation-models 0.6, kornia 0.9, MONAI 1.6, pytorch-metric-learning 2.9, Paddle 3.3, XGBoost
3.2, CatBoost 1.2, Keras 3.15 and torch 2.13 printed them, of the inputs that stand beside them.
"""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import losscli
from losscli.errors import UsageError
from losscli.losses import CATALOGUE, Loss
from losscli.losses.numerics import Array
from tests import generate
from tests.conftest import Run

LOGITS: dict[str, Any] = {"pred": [2.0, -1.0, 0.5], "target": [1, 0, 1], "input": "logits"}
SCORES: dict[str, Any] = {"pred": [[2.0, 0.0], [0.0, 1.0], [0.5, 0.0]], "target": [0, -100, 1]}
MASKS: dict[str, Any] = {
    "pred": np.array([[0.9, 0.8, 0.2, 0.1], [0.3, 0.1, 0.0, 0.0]]),
    "target": np.array([[1.0, 1.0, 0.0, 0.0], [0.0, 0.0, 0.0, 0.0]]),
}
CLASS_SCORES = np.array([[0.2, 0.5, 0.7], [0.3, 0.1, 0.5], [0.9, 0.6, 0.3]])
CLASS_MASKS: dict[str, Any] = {
    "pred": np.exp(CLASS_SCORES) / np.exp(CLASS_SCORES).sum(axis=1, keepdims=True),
    "target": np.array([[0.0, 1.0, 0.0], [1.0, 0.0, 0.0], [0.0, 0.0, 1.0]]),
}
QUANTILES: dict[str, Any] = {"pred": [2.5, 0.0, 2.0, 8.0], "target": [3.0, -0.5, 2.0, 7.0]}
VIEWS: dict[str, Any] = {
    "x": [[1, 0], [0, 1], [0.6, 0.8], [0.9, 0.1], [0.2, 1], [0.5, 0.5]],
    "target": [0, 1, 2, 0, 1, 2],
}
CERTAIN: dict[str, Any] = {"pred": [0.1, 0.7, 1.0], "target": [0.0, 1.0, 0.0]}
BOXES: dict[str, Any] = {"pred": [[1.0, 1, 3, 3]], "target": [[2.0, 2, 4, 4]]}
FLOAT32_EPS = 1.1920929e-07


def value(loss: str, *inputs: dict[str, Any], **options: Any) -> Any:
    given: dict[str, Any] = {}
    for part in inputs:
        given |= part
    return losscli.compute(loss, **given, **options).value


@pytest.mark.parametrize(
    ("got", "printed"),
    [
        # smp.FocalLoss("binary", normalized=True)
        (value("focal", LOGITS, normalize="weights", reduction="normalized-mean"), 0.1339223645),
        # smp.SoftCrossEntropyLoss(smooth_factor=0.0)
        (value("cross-entropy", SCORES, ignore_index=-100, count_ignored=True), 0.3670016651),
        # keras.losses.SparseCategoricalCrossentropy(from_logits=True, ignore_class=-100)
        (value("cross-entropy", SCORES, {"target": [-100] * 3}, ignore_index=-100,
               count_ignored=True), 0.0),
        # kornia.losses.dice_loss of two classes
        (value("dice", MASKS, per="image", both_classes=True, smooth=1e-8,
               smooth_to="denominator"), 0.1250000011),
        # mindspore.nn.MultiClassDiceLoss(), in its documentation
        (value("dice", CLASS_MASKS, dialect="mindspore", per="class"), 0.54958105),
        # smp.DiceLoss, of the first image alone
        (value("dice", MASKS, per="image", empty="skip"), 0.15),
        # pytorch_metric_learning.losses.SupConLoss(0.1)
        (value("supervised-contrastive", VIEWS), 0.3025462952),
        # catboost.utils.eval_metric
        (value("quantile", QUANTILES, quantile=0.8, dead_zone=1e-6), 0.1749997),
        (value("quantile", QUANTILES, dead_zone=1e-6, scale="full"), 0.49999925),
        # xgboost gamma-nloglik, in float32
        (value("gamma-nll", pred=[1.5, 3.0], target=[1.0, 4.0]), 1.752038777),
        # torch in float32
        (value("binary-cross-entropy", CERTAIN, dialect="torch", dtype="float32"), 33.48734665),
        # keras.losses.binary_crossentropy in float32
        (value("binary-cross-entropy", CERTAIN, dialect="keras", dtype="float32"), 5.4681406021),
        # monai.losses.BoxGIoULoss, whose last digit of float32 is one lower
        (value("giou", BOXES, eps=FLOAT32_EPS, dtype="float32"), 1.079365015),
    ],
)  # fmt: skip
def test_printed(got: float, printed: float) -> None:
    assert got == pytest.approx(printed, rel=1.5e-7, abs=0)


def test_paddle_log_loss() -> None:
    """paddle.nn.functional.log_loss, in float32."""
    inputs = {"pred": [0.0, 1.0, 0.3], "target": [1.0, 1.0, 1.0]}
    got = losscli.compute(
        "binary-cross-entropy", eps=1e-4, dtype="float32", per_sample=True, **inputs
    )
    printed = [9.2103404999, -1.0001159535e-04, 1.2036395073]
    np.testing.assert_allclose(got.per_sample, printed, rtol=2e-7)


def test_focal_over_the_number_of_positives() -> None:
    """RetinaNet: the sum, divided by how many positives there are."""
    whole = value("focal", LOGITS, alpha=0.25, reduction="sum")
    assert value("focal", LOGITS, alpha=0.25, normalize="positives") == whole / 2
    weights = {"weight": [1.0, 5.0, 3.0]}
    weighted = value("focal", LOGITS, weights, reduction="sum")
    assert value("focal", LOGITS, weights, normalize="positives") == weighted / 4


def test_supervised_contrastive_of_several_positives() -> None:
    """The definition, written out; a row that is alone in its class costs nothing."""
    rng = np.random.default_rng(3)
    x, target = rng.normal(size=(9, 4)), np.array([0, 1, 1, 0, 1, 2, 0, 1, 5])
    z = x / np.linalg.norm(x, axis=1, keepdims=True)
    s = z @ z.T / 0.5
    expected = []
    for i in range(9):
        others = [a for a in range(9) if a != i]
        same = [p for p in others if target[p] == target[i]]
        log_sum = np.log(np.exp(s[i, others]).sum())
        expected.append(np.mean([log_sum - s[i, p] for p in same]) if same else 0.0)
    found = losscli.compute(
        "supervised-contrastive", x=x, target=target, temperature=0.5, per_sample=True
    )
    np.testing.assert_allclose(found.per_sample, expected, rtol=1e-13)
    raw = value("supervised-contrastive", x=z, target=target, temperature=0.5, normalize=False)
    assert raw == pytest.approx(found.value, rel=1e-13)


@pytest.mark.parametrize("loss", ["dice", "jaccard", "tversky"])
def test_both_classes_are_the_background_as_a_second_class(loss: str) -> None:
    two = {name: np.stack([1 - array, array], axis=1) for name, array in MASKS.items()}
    both = losscli.compute(loss, per="image", both_classes=True, per_sample=True, **MASKS)
    expected = losscli.compute(loss, per="image", per_sample=True, **two)
    np.testing.assert_allclose(both.per_sample, expected.per_sample, rtol=1e-15)


def test_units_without_foreground_are_left_out() -> None:
    """Of groups and of classes too; when none is left, a mean is not a number."""
    by = losscli.compute("dice", per="image", by=["a", "b"], empty="skip", **MASKS)
    assert (by.value, by.n, by.ignored) == (pytest.approx(0.15), 1, 1)
    # The third and fourth column have no foreground in either row.
    columns = losscli.compute("dice", per="class", empty="skip", **MASKS)
    each = [losscli.compute("dice", **{k: v[:, c] for k, v in MASKS.items()}).value for c in (0, 1)]
    assert columns.ignored == 2
    assert columns.value == pytest.approx(np.mean(each))
    nothing = {name: array[1:] for name, array in MASKS.items()}
    none = losscli.compute("dice", per="image", empty="skip", **nothing)
    assert np.isnan(none.value)
    assert none.warnings == ["every row is ignored: a mean is not a number"]


def test_ignored_rows_that_count_weigh_nothing() -> None:
    options: dict[str, Any] = {"ignore_index": -100, "class_weight": [1.0, 3.0]}
    counted = losscli.compute("cross-entropy", count_ignored=True, **options, **SCORES)
    left_out = losscli.compute("cross-entropy", **options, **SCORES)
    assert counted.value == left_out.value  # Σw is over the classes that are there
    assert (counted.n, left_out.n) == (3, 2)


@pytest.mark.parametrize("loss", list(CATALOGUE), ids=lambda loss: loss.name)
def test_float32_is_near_float64(loss: Loss) -> None:
    arrays = generate.inputs(loss, 37, np.random.default_rng(7))
    wide = losscli.compute(loss.name, **arrays)
    narrow = losscli.compute(loss.name, dtype="float32", **arrays)
    # What cancels in a sum of terms near 1 leaves a few of float32's 1.2e-7.
    assert narrow.value == pytest.approx(wide.value, rel=2e-6, abs=1e-6)
    assert np.float32(narrow.value) == narrow.value
    assert "dtype:float32" in narrow.signature
    if loss.kind != "pooled":
        options: dict[str, Any] = {"dtype": "float32", "row": "none", "per_sample": True}
        rows = losscli.compute(loss.name, **options, **arrays).per_sample
        assert rows is not None
        np.testing.assert_array_equal(rows.astype(np.float32), rows)


def test_float32_on_the_command_line(run: Run, tmp_path: Path) -> None:
    (tmp_path / "p.csv").write_text("pred,target\n0.1,0\n")
    wide = run("compute", "mse", "--data", "p.csv", "-f", "value").stdout
    narrow = run("compute", "mse", "--data", "p.csv", "--dtype", "float32", "-f", "value").stdout
    # The square in float32 of the float32 next to 0.1.
    assert (float(wide), float(narrow)) == (0.010000000000000002, 0.010000000707805157)
    with pytest.raises(UsageError, match="--dtype: expected float64 or float32, got 'half'"):
        losscli.compute("mse", pred=[1.0], target=[1.0], dtype="half")


def mindspore_focal(logits: Array, labels: Array, weight: Array | None, gamma: float) -> float:
    """The steps of MindSpore's nn.FocalLoss, in NumPy, since it is not installed for these tests.

    Labels are class indices (n, 1), of which the mean is over rows, or one-hot (n, C), of which it
    is over rows and classes. The weight multiplies the logarithm alone.
    """
    log_p = logits - np.log(np.exp(logits).sum(axis=1, keepdims=True))
    weighed = log_p if weight is None else log_p * weight
    if labels.shape[1] == 1:
        log_p = np.take_along_axis(log_p, labels, axis=1)
        weighed, labels = np.take_along_axis(weighed, labels, axis=1), np.ones(1)
    return float(np.mean(-((1 - np.exp(log_p)) ** gamma) * labels * weighed))


@pytest.mark.parametrize("gamma", [2.0, 0.5])
@pytest.mark.parametrize("weight", [None, np.array([1.0, 2.0, 0.5])])
def test_focal_loss_of_mindspore(gamma: float, weight: Array | None) -> None:
    rng = np.random.default_rng(8)
    logits, classes = rng.normal(size=(6, 3)), rng.integers(0, 3, 6)
    options: dict[str, Any] = {"gamma": gamma, "dialect": "mindspore"}
    options |= {} if weight is None else {"alpha": weight}
    theirs = mindspore_focal(logits, classes[:, None], weight, gamma)
    found = losscli.compute("categorical-focal", pred=logits, target=classes, **options)
    assert found.value == pytest.approx(theirs, rel=1e-14)
    # Of one-hot targets its mean is over rows and classes, for which the hint has a factor.
    hot = np.eye(3)[classes]
    assert mindspore_focal(logits, hot, weight, gamma) == pytest.approx(theirs / 3)
    with pytest.raises(UsageError, match=r"mindspore\.nn\.FocalLoss of a target with a value") as e:
        losscli.compute("categorical-focal", pred=logits, target=hot, **options)
    assert "divide its mean by 3" in e.value.hint
    textbook = {name: given for name, given in options.items() if name != "dialect"}
    plain = losscli.compute("categorical-focal", pred=logits, target=hot, **textbook)
    assert plain.value / 3 == pytest.approx(mindspore_focal(logits, hot, weight, gamma))


def test_focal_loss_of_mindspores_documentation() -> None:
    """The example in the documentation of nn.FocalLoss, which prints 0.12516622 in float32."""
    logits = [[0.8, 1.4], [0.5, 0.9], [1.2, 0.9]]
    found = losscli.compute(
        "categorical-focal", pred=logits, target=[1, 1, 0], alpha=[1, 2], dialect="mindspore"
    )
    assert found.value == pytest.approx(0.12516622, rel=1e-6)

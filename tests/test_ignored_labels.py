"""`--ignore-index` of losses whose target is one of two labels, or a class with scores."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import losscli
from losscli.errors import DataError, UsageError
from tests.conftest import Run

SCORES = np.array([0.25, 0.5, -2.0, 3.0])
SIGNS = np.array([1.0, -1.0, -100.0, 1.0])
#: hinge of the first, the second and the last
EACH = [0.75, 1.5, 0.0]
CLASS_SCORES = np.array([[0.2, 0.7, 0.1], [3.0, 1.0, 0.5], [0.3, 0.3, 0.4]])


def test_a_dialect_looks_at_the_scores_that_count() -> None:
    """torchmetrics takes the sigmoid when a score outside [0, 1] is among those that it keeps."""
    pred, target = [0.2, 0.5, 7.0], [0, 1, -1]
    options: dict[str, Any] = {"dialect": "torchmetrics", "ignore_index": -1}
    # torchmetrics.functional.classification.binary_hinge_loss(pred, target, ignore_index=-1)
    assert losscli.compute("hinge", pred=pred, target=target, **options).value == 0.85
    scores = np.array([[0.2, 0.8], [7.0, 0.0]])
    # 1 − (0.2 − 0.8), without the softmax that the second row would call for
    found = losscli.compute(
        "multiclass-hinge", pred=scores, target=[0, -1], **options, mode="crammer-singer"
    )
    assert found.value == 1.6


@pytest.mark.parametrize(("loss", "power"), [("hinge", 1), ("squared-hinge", 2)])
def test_a_third_label_is_left_out(loss: str, power: int) -> None:
    found = losscli.compute(
        loss, pred=SCORES, target=SIGNS, ignore_index=-100, reduction=["mean", "sum"]
    )
    total = sum(x**power for x in EACH)
    assert [v.value for v in found.values] == [total / 3, total]
    assert (found.n, found.ignored) == (3, 1)


@pytest.mark.parametrize("ignored", [-1, 2, -100])
def test_the_ignored_label_stands_beside_two_that_are_mapped(ignored: int) -> None:
    """−1 is what the loss makes of 0, and the ignored label all the same."""
    target = np.where(SIGNS == -100, ignored, 0.5 * (SIGNS + 1.0))
    found = losscli.compute(
        "hinge", pred=SCORES, target=target, labels="0,1", ignore_index=ignored, per_sample=True
    )
    assert (found.value, found.n) == (0.75, 3)
    assert f"ignore_index:{ignored}|" in found.signature
    assert "labels:0,1|" in found.signature


def test_words_and_the_ignored_label_in_a_file(run: Run, tmp_path: Path) -> None:
    (tmp_path / "x.csv").write_text("pred,target\n0.25,yes\n0.5,no\n-2,9\n3,yes\n")
    options = ["--data", "x.csv", "--labels", "no,yes", "--ignore-index", "9"]
    assert run("compute", "hinge", *options, "-f", "value").stdout == "0.75\n"
    (tmp_path / "x.csv").write_text("pred,target\n0.25,yes\n0.5,8\n")
    done = run("compute", "hinge", *options)
    assert done.returncode == 3
    assert "got '8', expected no, yes or 9 (--labels no,yes --ignore-index 9)" in done.stderr


def test_other_labels_are_still_refused() -> None:
    given: dict[str, Any] = {"pred": SCORES, "target": SIGNS}
    with pytest.raises(DataError, match="got -100, expected -1 or 1"):
        losscli.compute("hinge", **given)
    with pytest.raises(DataError, match="got -100, expected -1 or 1"):
        losscli.compute("hinge", ignore_index=0, **given)
    with pytest.raises(UsageError, match="--ignore-index: -1 is one of the two labels") as error:
        losscli.compute("hinge", ignore_index=-1, **given)
    assert "--labels 0,1" in str(error.value.hint)
    with pytest.raises(UsageError, match="--ignore-index: 1 is one of the two labels"):
        losscli.compute("hinge", ignore_index=1, labels="0,1", **given)


@pytest.mark.parametrize("loss", ["hinge", "squared-hinge"])
def test_the_best_constant_is_that_of_the_labels_that_count(loss: str) -> None:
    kept = SIGNS != -100
    all_of_them = losscli.compute(loss, pred=SCORES, target=SIGNS, ignore_index=-100, baseline=True)
    alone = losscli.compute(loss, pred=SCORES[kept], target=SIGNS[kept], baseline=True)
    assert all_of_them.baseline == alone.baseline


def torchmetrics(name: str, pred: Any, target: Any, *args: Any, **options: Any) -> Any:
    """What a hinge loss of torchmetrics gives."""
    torch = pytest.importorskip("torch")
    library = pytest.importorskip("torchmetrics.functional.classification")
    return getattr(library, name)(torch.tensor(pred), torch.tensor(target), *args, **options)


@pytest.mark.parametrize("squared", [False, True])
@pytest.mark.parametrize("ignored", [-1, 2, -100])
@pytest.mark.parametrize("scale", [1.0, 5.0])
def test_torchmetrics_binary(squared: bool, ignored: int, scale: float) -> None:
    """Scores within [0, 1] as they are, others through the sigmoid."""
    rng = np.random.default_rng(3)
    pred = scale * rng.random((20, 3))
    target = rng.choice([0, 1, ignored], (20, 3))
    expected = torchmetrics(
        "binary_hinge_loss", pred, target, squared=squared, ignore_index=ignored
    )
    loss = "squared-hinge" if squared else "hinge"
    found = losscli.compute(
        loss, pred=pred, target=target, dialect="torchmetrics", ignore_index=ignored
    )
    assert found.value == pytest.approx(float(expected), rel=1e-12)


@pytest.mark.parametrize("mode", ["crammer-singer", "one-vs-all"])
@pytest.mark.parametrize("ignored", [-1, 1])
@pytest.mark.parametrize("scale", [1.0, 5.0])
def test_torchmetrics_classes(mode: str, ignored: int, scale: float) -> None:
    rng = np.random.default_rng(4)
    pred = scale * rng.random((20, 3))
    target = rng.choice([0, 1, 2, ignored], 20)
    expected = torchmetrics(
        "multiclass_hinge_loss", pred, target, 3, multiclass_mode=mode, ignore_index=ignored
    )
    found = losscli.compute(
        "multiclass-hinge", pred=pred, target=target, mode=mode, dialect="torchmetrics",
        ignore_index=ignored,
    )  # fmt: skip
    value = [v.value for v in found.values] if found.value is None else found.value
    np.testing.assert_allclose(value, expected.numpy(), rtol=1e-12)


def test_weights_of_ignored_rows_do_not_count() -> None:
    given: dict[str, Any] = {"class_weight": [1.0, 2.0, 4.0], "pred": CLASS_SCORES}
    for mode in ("crammer-singer", "one-vs-all"):
        left_out = losscli.compute(
            "multiclass-hinge", target=[1, -1, 2], mode=mode, ignore_index=-1, **given
        )
        kept = {**given, "pred": CLASS_SCORES[[0, 2]]}
        alone = losscli.compute("multiclass-hinge", target=[1, 2], mode=mode, **kept)
        assert left_out.value == alone.value

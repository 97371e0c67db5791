"""Losses of whole sets: what is pooled, by what, and that pieces do not matter."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import losscli
from losscli.data import inputs as data_inputs
from losscli.errors import DataError, UsageError
from losscli.losses import CATALOGUE
from tests.conftest import Run
from tests.generate import elementwise

#: those of elements; a mask is as good an input for them as any
POOLED = [loss.name for loss in CATALOGUE if loss.kind == "pooled" and elementwise(loss)]


@pytest.fixture
def masks() -> dict[str, Any]:
    rng = np.random.default_rng(11)
    return {"pred": rng.uniform(size=(6, 50)), "target": rng.integers(0, 2, (6, 50)).astype(float)}


def by_hand(pred: Any, target: Any) -> float:
    """The Dice loss, from its definition."""
    return float(1 - 2 * (pred * target).sum() / (pred.sum() + target.sum()))


def test_units(masks: dict[str, Any]) -> None:
    pred, target = masks["pred"], masks["target"]
    assert losscli.compute("dice", **masks).value == pytest.approx(by_hand(pred, target), rel=1e-14)
    images = losscli.compute("dice", per="image", per_sample=True, **masks)
    expected = [by_hand(p, t) for p, t in zip(pred, target, strict=True)]
    np.testing.assert_allclose(images.per_sample, expected, rtol=1e-14)
    assert images.value == pytest.approx(np.mean(expected), rel=1e-14)
    classes = losscli.compute("dice", per="class", row="columns", **masks)
    expected = [by_hand(p, t) for p, t in zip(pred.T, target.T, strict=True)]
    np.testing.assert_allclose(classes.value, expected, rtol=1e-13)


@pytest.mark.parametrize("name", POOLED)
def test_a_long_table_is_the_same_as_a_matrix(name: str, masks: dict[str, Any]) -> None:
    """Rows that are pixels, grouped by image, in any order, equal rows that are images."""
    expected = losscli.compute(name, per="image", per_sample=True, **masks).per_sample
    order = np.random.default_rng(2).permutation(300)
    long = {role: array.ravel()[order] for role, array in masks.items()}
    image = np.repeat(list("abcdef"), 50)[order]
    result = losscli.compute(name, by=image, per_sample=True, **long)
    first = list(dict.fromkeys(image.tolist()))
    np.testing.assert_allclose(
        result.per_sample, [expected["abcdef".index(key)] for key in first], rtol=1e-14
    )
    assert result.value == pytest.approx(expected.mean(), rel=1e-14)
    assert result.values[0].n == 6


@pytest.mark.parametrize("name", POOLED)
@pytest.mark.parametrize("block", [1, 7, 64])
@pytest.mark.parametrize("grouped", [False, True])
def test_blocks_do_not_matter(
    name: str, block: int, grouped: bool, masks: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    long = {role: array.ravel() for role, array in masks.items()}
    by = {"by": np.arange(300) % 7} if grouped else {}
    expected = losscli.compute(name, **by, **long).value
    monkeypatch.setattr(data_inputs, "block_rows", lambda width: block)
    assert losscli.compute(name, **by, **long).value == pytest.approx(expected, rel=1e-14)


def test_weights_count_pixels() -> None:
    pred, target = np.array([0.5, 0.25, 1.0]), np.array([1.0, 0.0, 1.0])
    twice = losscli.compute("dice", pred=np.append(pred, 1.0), target=np.append(target, 1.0))
    weighted = losscli.compute("dice", pred=pred, target=target, weight=[1.0, 1.0, 2.0])
    assert weighted.value == pytest.approx(twice.value, rel=1e-15)


def test_empty_masks() -> None:
    nothing, something = [0.0, 0.0], [0.5, 0.5]

    def dice(pred: Any, **options: Any) -> float:
        return float(losscli.compute("dice", pred=pred, target=nothing, **options).value)

    assert dice(nothing) == 0.0
    assert dice(something) == 1.0
    assert dice(something, empty="0") == 0.0
    assert dice(nothing, smooth=1e-7, smooth_to="denominator") == 1.0  # as keras.losses.dice prints
    assert dice(nothing, smooth=1e-5) == 0.0  # as monai.losses.DiceLoss prints


def test_the_whole_set_has_no_rows(masks: dict[str, Any]) -> None:
    with pytest.raises(UsageError, match="one value, and no losses of rows"):
        losscli.compute("dice", reduction="none", **masks)
    with pytest.raises(UsageError, match="--by groups rows into images"):
        losscli.compute("dice", by=np.arange(6), per="all", **masks)
    with pytest.raises(UsageError, match="--per is for losses of sets"):
        losscli.compute("mse", per="image", **masks)


def test_command_line(run: Run, tmp_path: Path) -> None:
    (tmp_path / "m.csv").write_text("image,pred,target\na,0.5,1\nb,1,1\na,1,1\n")
    done = run("compute", "dice", "--data", "m.csv", "--by", "image", "--reduction", "none")
    # a: 1 − 2·1.5 / (1.5 + 2) = 1/7, b: 0
    assert done.stdout == "group\tloss\na\t0.1428571428571429\nb\t0.0\n"
    done = run("compute", "dice", "--data", "m.csv", "--by", "image", "-f", "json")
    assert '"per": "image"' in done.stdout
    assert '"by": "image"' in done.stdout


@pytest.mark.parametrize("loss", ["dice", "jaccard", "tversky"])
def test_a_unit_that_is_skipped_has_no_loss(loss: str) -> None:
    """One image of three has no foreground in class 1, and one has none at all."""
    pred = np.random.default_rng(12).uniform(size=(3, 4, 2))
    target = np.zeros_like(pred)
    target[0, :2], target[1, :2, 0] = 1.0, 1.0

    def losses(per: str, empty: str, **options: Any) -> Any:
        given = {"pred": pred, "target": target, "per": per, "empty": empty, **options}
        return losscli.compute(loss, reduction="none", **given).per_sample

    image = losses("image", "formula")
    np.testing.assert_array_equal(losses("image", "skip"), [*image[:2], np.nan])
    each = losses("image-class", "formula", row="columns")
    each[1, 1] = each[2] = np.nan
    np.testing.assert_array_equal(losses("image-class", "skip", row="columns"), each)
    means = losses("image-class", "skip")
    np.testing.assert_allclose(means, [each[0].mean(), each[1, 0], np.nan], rtol=1e-15)


def test_a_group_or_a_class_that_is_skipped_has_no_loss(tmp_path: Path, run: Run) -> None:
    (tmp_path / "m.csv").write_text("pred,target,g\n0.5,0,a\n0.5,0,a\n0.5,1,b\n")
    arguments = ("compute", "dice", "--data", "m.csv", "--empty", "skip", "--reduction", "none")
    done = run(*arguments, "--by", "g", "-f", "csv")
    assert done.stdout == "group,loss\na,nan\nb,0.33333333333333337\n"
    columns = losscli.compute(
        "dice", pred=[[0.5, 0.5]], target=[[1.0, 0.0]], empty="skip", per="class", row="columns"
    )
    assert np.isnan(columns.value[1])


def test_losses_of_sets_that_are_not_finite_are_told_of() -> None:
    ratio = {"pred": [1.0, 1.0, 3.0], "target": [0.0, 2.0, 0.0]}
    apart = losscli.compute("wape", by=["a", "b", "c"], **ratio)
    assert apart.warnings == ["the loss of group a is inf, and 1 more are not finite"]
    whole = losscli.compute("wape", pred=[1.0], target=[0.0])
    assert whole.warnings == ["the loss is inf"]
    columns = {"pred": [[1.0, 1.0]], "target": [[1.0, 0.0]]}
    assert losscli.compute("wape", per="class", **columns).warnings == [
        "the loss of class 2 is inf"
    ]


def test_tokens_that_are_all_ignored_have_no_perplexity() -> None:
    tokens = {"pred": [[[1.0, 2.0]] * 3, [[0.0, 0.0]] * 3], "target": [[0, 0, 0], [0, 1, 1]]}
    result = losscli.compute(
        "perplexity", ignore_index=0, per="image", reduction="none,mean", **tokens
    )
    np.testing.assert_array_equal(result.per_sample, [np.nan, 2.0])
    assert (result.value, result.n, result.ignored) == (2.0, 1, 1)
    result = losscli.compute("perplexity", ignore_index=0, pred=[[1.0, 2.0]], target=[0])
    assert result.warnings == ["every row is ignored: a mean is not a number"]


def test_logits_of_classes_are_their_softmax(masks: dict[str, Any]) -> None:
    scores = np.log(masks["pred"]).reshape(6, 10, 5)
    target = masks["target"].reshape(6, 10, 5)
    shares = np.exp(scores) / np.exp(scores).sum(axis=-1, keepdims=True)
    for loss in ("dice", "jaccard", "tversky"):
        found = losscli.compute(
            loss, pred=scores, target=target, input="class-logits", per="image-class"
        )
        expected = losscli.compute(loss, pred=shares, target=target, per="image-class")
        assert found.value == pytest.approx(expected.value, rel=1e-14)
    with pytest.raises(DataError, match="pred has 1 column; dice wants several here"):
        losscli.compute("dice", pred=[0.5], target=[1.0], input="class-logits")

"""Shapes that a loss does not take, and what its message says to do instead."""

from typing import Any

import numpy as np
import pytest

import losscli
from losscli.errors import DataError, UsageError
from losscli.losses import CATALOGUE, Loss

RNG = np.random.default_rng(3)
N, C = 6, 3
CLASSES = np.array([0, 1, 2, 0, 1, 2])
ONE_HOT = np.eye(C)[CLASSES]
SCORES = RNG.uniform(0.01, 0.99, (N, C))
SIGNS = np.sign(RNG.normal(size=N))
OF_ALL = "takes class indices beside the scores of all classes"


def refused(loss: str, **given: Any) -> DataError:
    """What is said of a loss that does not take its inputs."""
    with pytest.raises(DataError) as error:
        losscli.compute(loss, **given)
    return error.value


@pytest.mark.parametrize(
    ("loss", "instead"),
    [
        ("hinge", "multiclass-hinge"),
        ("squared-hinge", "multiclass-hinge"),
        ("modified-huber", "sparsemax"),
        ("binary-cross-entropy", "cross-entropy"),
        ("focal", "categorical-focal"),
    ],
)
def test_class_indices_beside_scores_of_all_classes(loss: str, instead: str) -> None:
    assert refused(loss, pred=SCORES, target=CLASSES).hint == f"{instead} {OF_ALL}"
    maps, classes = SCORES.reshape(2, 3, C), CLASSES.reshape(2, 3)
    assert refused(loss, pred=maps, target=classes).hint == f"{instead} {OF_ALL}"
    assert losscli.compute(instead, pred=SCORES, target=CLASSES, row="mean").n == N


@pytest.mark.parametrize("loss", ["hinge", "squared-hinge"])
@pytest.mark.parametrize("options", [{"dialect": "torchmetrics"}, {"labels": "0,1"}])
@pytest.mark.parametrize(("third", "columns"), [(2, C), (300_000, 1)])
def test_a_third_label(loss: str, options: dict[str, Any], third: int, columns: int) -> None:
    """Also where it comes late, in another block than the first."""
    classes = np.arange(third + 1) % 2
    classes[third] = 2
    scores = np.zeros((third + 1, columns))
    error = refused(loss, pred=scores, target=classes, **options)
    assert "got 2, expected 0 or 1 (--labels 0,1)" in error.message
    assert error.hint == f"multiclass-hinge {OF_ALL}; --ignore-index N leaves label N out"


def test_a_third_label_beside_the_ignored_one() -> None:
    given = {"pred": SCORES, "target": np.where(CLASSES == 0, -100, CLASSES), "labels": "0,1"}
    error = refused("hinge", ignore_index=-100, **given)
    assert "got 2, expected 0, 1 or -100" in error.message
    assert error.hint == f"multiclass-hinge {OF_ALL}"
    words = np.where(CLASSES > 0, "yes", "no")
    assert refused("hinge", pred=SIGNS, target=words, labels="no,maybe").hint == ""


def test_class_indices_beside_a_column_for_each_class() -> None:
    hint = "class indices go in as a column of 0 and 1 for each class"
    for loss in ("dice", "jaccard", "tversky"):
        assert refused(loss, pred=SCORES, target=CLASSES).hint == hint
        maps = np.zeros((2, 4, 4, C))
        assert refused(loss, pred=maps, target=maps[..., 0]).hint == hint
        assert refused(loss, pred=np.moveaxis(maps, -1, 1), target=maps[..., 0]).hint == hint
        assert losscli.compute(loss, pred=SCORES, target=ONE_HOT).n == 1
    guesses = (SCORES.max(axis=1, keepdims=True) == SCORES).astype(int)
    error = refused("hamming", pred=guesses, target=CLASSES)
    assert error.hint == f"{hint}; zero-one compares them with the predicted classes"
    assert losscli.compute("zero-one", pred=SCORES.argmax(axis=1), target=CLASSES).n == N


@pytest.mark.parametrize(
    ("loss", "binary"),
    [
        ("cross-entropy", "binary-cross-entropy"),
        ("nll", "binary-cross-entropy"),
        ("categorical-focal", "focal"),
        ("multiclass-hinge", "hinge or squared-hinge"),
        ("multi-margin", "hinge"),
        ("categorical-hinge", "hinge"),
        ("sparsemax", "modified-huber"),
    ],
)
@pytest.mark.parametrize("pred", [SCORES[:, 0], SCORES[:, :1]])
def test_one_score_where_classes_have_one_each(loss: str, binary: str, pred: Any) -> None:
    error = refused(loss, pred=pred, target=CLASSES)
    assert error.message == f"pred has 1 column; {loss} wants (n, C)"
    assert error.hint.endswith(f"; one score of two classes is for {binary}")


def test_one_score_where_there_are_no_classes() -> None:
    for loss in ("ranking-softmax", "kl-divergence"):
        error = refused(loss, pred=SCORES[:, 0], target=SCORES[:, 0])
        assert error.hint == "name the columns, such as a,b,c or 'logit_*'"


@pytest.mark.parametrize(
    ("loss", "pred", "target", "hint"),
    [
        (
            "ranking-softmax",
            SCORES,
            ONE_HOT,
            "what weighs an item multiplies its relevance: give their product as the target",
        ),
        ("cross-entropy", SCORES, CLASSES, "--class-weight A,B,C weighs classes"),
        ("hinge", SCORES[:, 0], SIGNS, "name one column of weights"),
    ],
)
def test_weights_of_elements_where_a_row_has_one_loss(
    loss: str, pred: Any, target: Any, hint: str
) -> None:
    error = refused(loss, pred=pred, target=target, weight=SCORES)
    assert error.message == f"weight has 3 columns, but {loss} has one loss a row: it wants (n,)"
    assert error.hint == hint
    assert losscli.compute(loss, pred=pred, target=target, weight=SCORES[:, 0]).n == N


def test_weights_of_pixels_where_an_image_has_one_loss() -> None:
    pred, target = RNG.uniform(size=(2, 2, 4, C)).round(1)
    masks = {"pred": pred, "target": (target > 0.5).astype(float)}
    weight = RNG.uniform(size=(2, 4, C))
    error = refused("dice", weight=weight, per="image", **masks)
    assert error.message == "weight has 4 × 3 columns, but a row has one loss"
    error = refused("dice", weight=weight, per="image-class", **masks)
    assert error.message == "weight has 4 × 3 columns, but a row has 3 losses"
    assert "one weight a row, (n,), weighs them" in error.hint
    assert "--per all or class, and with --by" in error.hint
    assert losscli.compute("dice", weight=weight[:, 0, 0], per="image", **masks).n == 2
    p, t, w = masks["pred"], masks["target"], weight

    def dice(axes: tuple[int, ...]) -> Any:
        return 1.0 - 2.0 * (w * p * t).sum(axis=axes) / (w * (p + t)).sum(axis=axes)

    whole = losscli.compute("dice", weight=w, **masks).value
    assert whole == pytest.approx(dice((0, 1, 2)), rel=1e-14)
    of_classes = losscli.compute("dice", weight=w, per="class", **masks).value
    assert of_classes == pytest.approx(dice((0, 1)).mean(), rel=1e-14)
    pixels = {name: array.reshape(8, C) for name, array in {**masks, "weight": w}.items()}
    images = losscli.compute("dice", by=np.repeat([0, 1], 4), **pixels).value
    assert images == pytest.approx(dice((1, 2)).mean(), rel=1e-14)


SHAPES: list[tuple[int, ...]] = [(), (1,), (2,), (3,), (4,), (2, 2), (2, 3), (3, 2), (1, 2), (2, 1)]


def some_values(rng: np.random.Generator, shape: tuple[int, ...]) -> Any:
    """Values that one or another domain allows: labels, signs, scores, shares, their logarithms."""
    shares = rng.random(shape) + 0.1
    shares = shares / shares.sum(axis=-1, keepdims=True) if len(shape) > 1 else shares / 2
    kinds: list[Any] = [
        rng.integers(0, 2, shape).astype(float), rng.choice([-1.0, 1.0], shape),
        rng.normal(size=shape), rng.random(shape), shares, np.log(shares),
    ]  # fmt: skip
    return kinds[rng.integers(len(kinds))]


@pytest.mark.parametrize(
    "loss", [loss for loss in CATALOGUE if loss.kind == "row"], ids=lambda x: x.name
)
def test_nothing_is_broadcast(loss: Loss) -> None:
    """Whatever shapes are taken: a row has the loss that it has by itself."""
    rng = np.random.default_rng(8)
    for _ in range(60):
        rows, usual = int(rng.integers(2, 5)), SHAPES[rng.integers(len(SHAPES))]
        given = {}
        for name, role in loss.roles.items():
            shape = SHAPES[rng.integers(len(SHAPES))] if rng.random() < 0.3 else usual
            if not role.optional or rng.random() < 0.4:
                given[name] = some_values(rng, (3 if role.whole else rows, *shape))
        try:
            found = losscli.compute(loss.name, **given, per_sample=True).per_sample
        except (DataError, UsageError):
            continue
        for i in range(rows):
            one = {k: v if loss.roles[k].whole else v[i : i + 1] for k, v in given.items()}
            alone = losscli.compute(loss.name, **one, per_sample=True).per_sample
            np.testing.assert_allclose(found[i : i + 1], alone, rtol=1e-12, atol=1e-300)


@pytest.mark.parametrize(
    ("loss", "given", "odd"),
    [
        ("zero-one", {"pred": (2, 2), "target": (2,)}, "target has 1 column"),
        ("zero-one", {"pred": (2,), "target": (2, 2)}, "target has 2 columns"),
        ("brier", {"pred": (2,), "target": (2, 2)}, "target has 2 columns"),
        ("vae-elbo", {"pred": (2, 2), "target": (2,), "kl": (2,)}, "target has 1 column"),
        ("vae-elbo", {"pred": (4, 4), "target": (4, 2, 2), "kl": (4,)}, "target has 2 × 2 columns"),
        (
            "linear-cross-entropy",
            {"x": (3, 4), "target": (3, 3), "linear_weight": (3, 4)},
            "target has 3 columns",
        ),
    ],
)
def test_roles_that_do_not_go_together(loss: str, given: dict[str, Any], odd: str) -> None:
    """Where there are as many columns as rows, NumPy would make numbers of them all the same."""
    arrays = {name: np.zeros(shape) for name, shape in given.items()}
    assert f"; {odd}, which does not go with it" in refused(loss, **arrays).message

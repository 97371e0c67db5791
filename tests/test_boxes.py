"""Box losses, against exact arithmetic."""

from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import losscli
from losscli.errors import DataError
from losscli.losses import CATALOGUE

NAMES = ("giou", "diou", "ciou")


def boxes(seed: int, n: int, grid: bool = False) -> Any:
    """Boxes x1, y1, x2, y2; on a coarse grid, many touch, contain or equal each other."""
    random = np.random.default_rng(seed)
    low = random.integers(0, 4, (n, 2)) if grid else random.uniform(-5, 5, (n, 2))
    size = random.integers(1, 4, (n, 2)) if grid else random.uniform(0.01, 6, (n, 2))
    return np.concatenate([low, low + size], axis=1).astype(float)


def exact(name: str, p: Any, t: Any) -> Fraction:
    """GIoU and DIoU losses by their definitions, in rational numbers."""
    a, b, c, d = map(Fraction, map(float, p))
    e, f, g, h = map(Fraction, map(float, t))
    zero = Fraction(0)
    both = max(zero, min(c, g) - max(a, e)) * max(zero, min(d, h) - max(b, f))
    union = (c - a) * (d - b) + (g - e) * (h - f) - both
    width, height = max(c, g) - min(a, e), max(d, h) - min(b, f)
    if name == "giou":
        return 1 - both / union + (width * height - union) / (width * height)
    shift = ((a + c - e - g) / 2) ** 2 + ((b + d - f - h) / 2) ** 2
    return 1 - both / union + shift / (width**2 + height**2)


@pytest.mark.parametrize("name", ["giou", "diou"])
@pytest.mark.parametrize("grid", [False, True])
@pytest.mark.parametrize("offset", [0.0, 1e-9])
def test_exact(name: str, grid: bool, offset: float) -> None:
    pred = boxes(3, 200, grid)
    # Nearly equal boxes, whose loss 1 − I / U would keep few digits of.
    target = pred + offset * boxes(4, 200)[:, [0, 1, 0, 3]] if offset else boxes(4, 200, grid)
    found = losscli.compute(name, pred=pred, target=target, reduction="none").per_sample
    expected = [float(exact(name, p, t)) for p, t in zip(pred, target, strict=True)]
    np.testing.assert_allclose(found, expected, rtol=1e-14, atol=0.0)


@pytest.mark.parametrize("name", NAMES)
def test_symmetric_and_zero_for_equal_boxes(name: str) -> None:
    loss = CATALOGUE.losses[name].function
    a, b = boxes(5, 300, grid=True), boxes(6, 300, grid=True)
    np.testing.assert_allclose(loss(a, b), loss(b, a), rtol=1e-15)
    assert (loss(a, a) == 0).all()
    assert (loss(a, b) >= 0).all()


@pytest.mark.parametrize("name", NAMES)
def test_formats(name: str) -> None:
    pred, target = boxes(7, 50), boxes(8, 50)
    expected = losscli.compute(name, pred=pred, target=target).value

    def sized(box: Any, at: float) -> Any:
        size = box[:, 2:] - box[:, :2]
        return np.concatenate([box[:, :2] + at * size, size], axis=1)

    for box_format, at in (("xywh", 0.0), ("cxcywh", 0.5)):
        given = {"pred": sized(pred, at), "target": sized(target, at)}
        found = losscli.compute(name, **given, box_format=box_format).value
        assert found == pytest.approx(expected, rel=1e-13)


#: printed by torchvision 0.28.0 in float64: function, pred, target, eps, loss
PRINTED = [
    ("giou", [1, 1, 3, 3], [2, 2, 4, 4], 1e-7, 1.0793650789),
    ("giou", [1, 1, 3, 3], [2, 2, 4, 4], 0.0, 1.0793650794),
    ("diou", [1, 1, 3, 3], [2, 2, 4, 4], 1e-7, 0.9682539697),
    ("diou", [1, 1, 3, 3], [2, 2, 4, 4], 0.0, 0.9682539683),
    ("ciou", [1, 1, 3, 3], [2, 2, 4, 4], 1e-7, 0.9682539697),
    ("giou", [1, 1, 3, 3], [1, 1, 3, 3], 1e-7, 2.4999999404e-08),
    ("giou", [1, 1, 1, 1], [1, 1, 1, 1], 1e-7, 1.0),
    ("giou", [1, 1, 1, 1], [1, 1, 1, 1], 0.0, float("nan")),
    ("giou", [0, 0, 1, 1], [2, 2, 3, 3], 0.0, 1.7777777778),
]


@pytest.mark.parametrize(("name", "pred", "target", "eps", "expected"), PRINTED)
def test_printed(name: str, pred: Any, target: Any, eps: float, expected: float) -> None:
    found = losscli.compute(name, pred=np.array([pred]), target=np.array([target]), eps=eps).value
    # Ten digits were printed; 1 − I / (U + ε) of equal boxes cancels to 1e-16 there.
    assert found == pytest.approx(expected, rel=1e-10, abs=1e-15, nan_ok=True)


@pytest.mark.parametrize("name", NAMES)
def test_degenerate_boxes(name: str) -> None:
    loss = CATALOGUE.losses[name].function
    point, line = np.array([[1.0, 1.0, 1.0, 1.0]]), np.array([[0.0, 0.0, 2.0, 0.0]])
    square = np.array([[0.0, 0.0, 2.0, 2.0]])
    assert np.isnan(loss(point, point)).all()  # I / U is 0 / 0
    assert np.isfinite(loss(line, square)).all()
    assert np.isnan(loss(point, square)).all() == (name == "ciou")  # a point has no aspect


@pytest.mark.parametrize(
    ("box", "box_format", "message"),
    [
        ([3, 3, 1, 1], "xyxy", "row 2: got 3, 3, 1, 1"),
        ([0, 3, 1, 1], "xyxy", "x1 ≤ x2 and y1 ≤ y2"),
        ([0, 3, 1, -1], "xywh", "width and height are not negative"),
        ([0, 3, -1, 1], "cxcywh", "width and height are not negative"),
    ],
)
def test_inverted_boxes_are_refused(box: Any, box_format: str, message: str) -> None:
    good = [[0.0, 0.0, 1.0, 1.0]] * 2
    with pytest.raises(DataError, match=message):
        losscli.compute("giou", pred=np.array([good[0], box]), target=good, box_format=box_format)


@pytest.mark.parametrize("name", NAMES)
def test_several_boxes_a_row(name: str, tmp_path: Path) -> None:
    """They are what they are as rows, and each has a loss of its own."""
    pred, target = boxes(9, 30, grid=True), boxes(10, 30)
    alone = losscli.compute(name, pred=pred, target=target, reduction="none").per_sample
    for file, array in (("p.npy", pred), ("t.npy", target)):
        np.save(tmp_path / file, array.reshape(5, 2, 3, 4))
    several: Any = {"pred": tmp_path / "p.npy", "target": tmp_path / "t.npy"}
    each = losscli.compute(name, row="none", reduction="none", **several)
    np.testing.assert_array_equal(np.ravel(each.per_sample), alone)
    assert losscli.compute(name, **several).value == pytest.approx(np.mean(alone), rel=1e-14)
    weight = np.arange(30.0)
    weighted = losscli.compute(name, weight=weight.reshape(5, 2, 3), **several)
    expected = losscli.compute(name, pred=pred, target=target, weight=weight)
    assert weighted.value == pytest.approx(expected.value, rel=1e-14)


def test_a_box_of_several_is_named_by_its_place() -> None:
    good = boxes(9, 12).reshape(6, 2, 4)
    bad = good.copy()
    bad[3, 1] = [3, 3, 1, 1]
    with pytest.raises(DataError, match="row 4: element 2: got 3, 3, 1, 1, expected a box"):
        losscli.compute("giou", pred=bad, target=good)
    with pytest.raises(DataError, match=r"pred has 2 × 4 columns; target has 4 columns"):
        losscli.compute("giou", pred=good, target=good[:, 0])
    with pytest.raises(DataError, match=r"pred has 8 columns; giou wants \(n, ..., 4\)"):
        losscli.compute("giou", pred=good.reshape(6, 8), target=good.reshape(6, 8))

"""Weights of classes: given, from a file, or made by a rule of how often classes occur."""

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import losscli
from losscli.errors import DataError, UsageError
from losscli.losses import CATALOGUE, Loss
from losscli.losses.class_rules import effective_weights, inverse_frequency
from tests.conftest import Run

PRED = np.array([[2.0, 0.5, -1.0], [0.0, 1.0, 0.0], [0.2, -0.1, 1.5], [1.0, 0.0, 0.0]])
TARGET = np.array([0.0, 1.0, 2.0, 0.0])


def value(**options: object) -> float:
    return float(losscli.compute("cross-entropy", pred=PRED, target=TARGET, **options).value)


def test_balanced_is_scikit_learns() -> None:
    compute_class_weight = pytest.importorskip("sklearn.utils.class_weight").compute_class_weight
    y = np.repeat([0, 1, 2], [1000, 100, 10])
    expected = compute_class_weight("balanced", classes=np.arange(3), y=y)
    np.testing.assert_allclose(inverse_frequency(np.array([1000.0, 100.0, 10.0])), expected)


def test_balanced_counts_the_classes_that_occur() -> None:
    of_samples = pytest.importorskip("sklearn.utils.class_weight").compute_sample_weight
    y = np.array([0, 2, 2])
    scores = np.zeros((3, 4))
    found = losscli.compute(
        "cross-entropy", pred=scores, target=y, class_weight="balanced", reduction="none"
    )
    np.testing.assert_allclose(found.per_sample, np.log(4) * of_samples("balanced", y), rtol=1e-15)


def test_effective_numbers_count_the_classes_that_occur() -> None:
    """By hand for β = ½ and 2, 1, 0 samples: ½ / (1 − ¼) = ⅔ and 1, times 2 / (⅔ + 1)."""
    found = effective_weights(np.array([2.0, 1.0, 0.0]), 0.5)
    np.testing.assert_allclose(found, [0.8, 1.2, 0.0], rtol=1e-15)
    given = {"pred": np.zeros((3, 3)), "target": [0, 0, 1], "reduction": "none"}
    losses = losscli.compute("cross-entropy", class_weight="effective:0.5", **given).per_sample
    np.testing.assert_allclose(losses, np.log(3) * np.array([0.8, 0.8, 1.2]), rtol=1e-15)
    weights = losscli.compute("class-balanced-weights", class_counts=[2, 1, 0], beta=0.5)
    np.testing.assert_allclose(weights.per_sample, [0.8, 1.2, 0.0], rtol=1e-15)


def test_no_weight_follows_where_every_row_is_ignored() -> None:
    """And NumPy does not warn of it."""
    for rule in ("balanced", "effective:0.9"):
        result = losscli.compute(
            "cross-entropy", pred=PRED, target=np.zeros(4), class_weight=rule, ignore_index=0
        )
        assert result.n == 0
        assert "|class_weight:0,0,0|" in result.signature


@pytest.mark.parametrize("loss", ["dice", "jaccard", "tversky"])
@pytest.mark.parametrize("per", ["class", "image-class"])
def test_weights_of_the_classes_of_masks(loss: str, per: str) -> None:
    """A mean of the losses of classes, each times its weight; by rule, of the target's sizes."""
    rng = np.random.default_rng(5)
    pred, target = rng.uniform(size=(4, 6, 3)), np.round(rng.uniform(size=(4, 6, 3)))
    given = {"pred": pred, "target": target, "per": per, "row": "columns"}
    apart = losscli.compute(loss, reduction="mean", **given)
    weights = np.array([1.0, 2.0, 0.5])
    weighed = losscli.compute(loss, reduction="mean", class_weight=weights, **given)
    np.testing.assert_allclose(weighed.value, weights * apart.value, rtol=1e-14)
    whole = {**given, "row": "mean", "reduction": "weighted-mean"}
    expected = np.sum(weights * apart.value) / weights.sum()
    assert losscli.compute(loss, class_weight="1,2,.5", **whole).value == pytest.approx(expected)
    sizes = target.sum(axis=(0, 1))
    for rule, found in (
        ("balanced", inverse_frequency(sizes)),
        ("effective:0.9", effective_weights(sizes, 0.9)),
    ):
        by_rule = losscli.compute(loss, class_weight=rule, **given)
        np.testing.assert_array_equal(by_rule.parameters["class_weight"], found)


def test_weights_of_classes_need_classes() -> None:
    mask = {"pred": np.ones((4, 3)), "target": np.ones((4, 3)), "class_weight": "1,2,3"}
    for per in ("all", "image"):
        with pytest.raises(UsageError, match="weighs the losses of classes") as error:
            losscli.compute("dice", per=per, **mask)
        assert error.value.hint == "--per class or --per image-class"
    with pytest.raises(DataError, match="--class-weight has 2 numbers, pred has 3 columns"):
        losscli.compute("dice", **{**mask, "class_weight": "1,2"}, per="class")


def test_no_weight_follows_from_no_samples() -> None:
    for rule in ("balanced", "effective:0.9"):
        with pytest.raises(UsageError, match="class 1 has no samples"):
            value(class_weight=rule, class_counts=[5, 0, 3])


def test_effective_numbers_keep_their_digits() -> None:
    # (1 − β) / (1 − βⁿ) in exact arithmetic for β = 1 − 1e-12, n = 3: 1 / (1 + β + β²)
    beta = 1 - 1e-12
    found = effective_weights(np.array([3.0]), beta, normalize=False)
    assert found[0] == pytest.approx(1 / (1 + beta + beta**2), rel=1e-14)
    assert effective_weights(np.array([4.0]), 1.0, normalize=False)[0] == 0.25


def test_a_rule_counts_the_target() -> None:
    weights = inverse_frequency(np.array([2.0, 1.0, 1.0]))
    assert value(class_weight="balanced") == value(class_weight=weights)
    assert value(class_weight="balanced", class_counts=[5, 4, 3]) == value(
        class_weight=inverse_frequency(np.array([5.0, 4.0, 3.0]))
    )
    raw = effective_weights(np.array([2.0, 1.0, 1.0]), 0.9, normalize=False)
    assert value(class_weight="effective:0.9:raw") == value(class_weight=raw)
    assert value(class_weight="effective:0.9") == pytest.approx(value(class_weight=raw), rel=1e-15)


def test_ignored_rows_are_not_counted() -> None:
    ignoring = value(class_weight="balanced", ignore_index=2)
    assert ignoring == value(
        class_weight=inverse_frequency(np.array([2.0, 1.0, 0.0])), ignore_index=2
    )


def test_a_file_of_weights(tmp_path: Path) -> None:
    path = tmp_path / "w.csv"
    path.write_text("weight\n1\n2\n3\n")
    assert value(class_weight=path) == value(class_weight=str(path)) == value(class_weight="1,2,3")


@pytest.mark.parametrize("suffix", ["csv", "jsonl", "parquet", "npz", "npy"])
def test_weights_and_counts_are_references(suffix: str, tmp_path: Path) -> None:
    """As any other input: a file of one column, or a column of a file."""
    table = {"name": ["x", "y", "z"], "weight": [1.0, 2.0, 3.0], "count": [5.0, 4.0, 3.0]}
    path = tmp_path / f"classes.{suffix}"
    rows = list(zip(*table.values(), strict=True))
    if suffix == "csv":
        path.write_text("name,weight,count\n" + "".join(f"{n},{w},{c}\n" for n, w, c in rows))
    elif suffix == "jsonl":
        path.write_text("".join(f'{{"weight": {w}, "count": {c}}}\n' for _, w, c in rows))
    elif suffix == "parquet":
        pq.write_table(pa.table(table), path)
    elif suffix == "npz":
        np.savez(path, weight=table["weight"], count=table["count"])
    else:
        np.save(path, np.array(table["count"]))
    weight, count = ("", "") if suffix == "npy" else ("#weight", "#count")
    expected = value(class_weight=table["weight" if weight else "count"])
    assert value(class_weight=f"{path}{weight}") == expected
    for counts in (f"{path}{count}", *([] if count else [path])):
        given = value(class_weight="effective:0.9", class_counts=counts)
        assert given == value(class_weight="effective:0.9", class_counts=table["count"])


def test_files_that_are_no_weights_or_counts(tmp_path: Path) -> None:
    path = tmp_path / "c.csv"
    path.write_text("weight,count\n1,5\n2,0\n")
    with pytest.raises(DataError, match=r"c\.csv: it has 'weight', 'count', expected one") as error:
        value(class_weight=str(path))
    assert error.value.hint == f"name it, such as {path}#count"
    with pytest.raises(DataError, match=r"c\.csv: no column 'weigth'") as error:
        value(class_weight=f"{path}#weigth")
    assert error.value.hint == "did you mean weight?"
    with pytest.raises(
        DataError, match=r"--class-weight .*c\.csv#weight has 2 numbers, pred has 3"
    ):
        value(class_weight=f"{path}#weight")
    with pytest.raises(UsageError, match="--class-counts: class 1 has no samples"):
        value(class_weight="balanced", class_counts=f"{path}#count")
    path.write_text("weight,count\n1,5\n2,6\n")
    with pytest.raises(DataError, match=r"--class-counts .*c\.csv#count has 2 numbers, pred has 3"):
        value(class_weight="balanced", class_counts=f"{path}#count")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("w\n1\n-2\n3\n", r"column 'w', row 2: got -2, expected a number that is not negative"),
        ("w\n1\nnan\n3\n", r"column 'w', row 2: got nan, expected a number that is not"),
        ("c,w\na,1\n", r"w\.csv: it has 'c', 'w', expected one column"),
    ],
)
def test_weights_of_a_file_that_are_none(text: str, message: str, tmp_path: Path) -> None:
    (tmp_path / "w.csv").write_text(text)
    with pytest.raises(DataError, match=message):
        value(class_weight=tmp_path / "w.csv")


def test_mistakes() -> None:
    with pytest.raises(
        UsageError, match="--class-weight: expected numbers that are not negative, separated"
    ):
        value(class_weight="blanced")
    with pytest.raises(UsageError, match="BETA in \\[0, 1\\]"):
        value(class_weight="effective:2")
    with pytest.raises(UsageError, match="for rules that make class weights"):
        value(class_weight="1,2,3", class_counts=[1, 2, 3])
    with pytest.raises(DataError, match="--class-counts has 2 numbers, pred has 3 classes"):
        value(class_weight="balanced", class_counts=[1, 2])


def test_command_line(run: Run, tmp_path: Path) -> None:
    (tmp_path / "d.csv").write_text("a,b,target\n1,0,0\n0,1,1\n3,0,0\n")
    arguments = ("compute", "cross-entropy", "--pred", "a,b", "--class-weight", "balanced")
    done = run(*arguments, "--data", "d.csv", "-f", "value")
    given = run(*arguments[:-1], "0.75,1.5", "--data", "d.csv", "-f", "value")
    assert done.stdout == given.stdout != ""
    done = run(*arguments, "--data", "-", input="a,b,target\n1,0,0\n")
    assert done.returncode == 2
    assert "reads the input twice" in done.stderr


@pytest.mark.parametrize("counts", ["abc", "1,x,3", "-1,2,3", "nan,2,3"])
def test_a_wrong_count_is_a_usage_error(tmp_path: Path, run: Run, counts: str) -> None:
    (tmp_path / "p.csv").write_text("a,b,c\n2,0.5,-1\n")
    (tmp_path / "t.csv").write_text("t\n0\n")
    done = run(
        *("compute", "cross-entropy", "--class-weight", "balanced"),
        *("--pred", str(tmp_path / "p.csv"), "--target", str(tmp_path / "t.csv")),
        f"--class-counts={counts}",
    )
    assert done.returncode == 2
    assert "--class-counts: expected a number that is not negative" in done.stderr


def test_counts_in_python_are_checked_and_may_be_a_text() -> None:
    given = value(class_weight="balanced", class_counts=[5, 4, 3])
    assert value(class_weight="balanced", class_counts="5,4,3") == given
    for wrong in ([1, -2, 3], [1, 2, float("nan")], "abc", []):
        with pytest.raises(UsageError, match="--class-counts: expected"):
            value(class_weight="balanced", class_counts=wrong)


#: losses of class indices, whose other losses of classes are of several a row
WEIGHTED = [
    loss
    for loss in CATALOGUE
    if "class_weight" in loss.parameters and loss.roles["target"].by_class
]
SOFT = [loss for loss in WEIGHTED if any("C" in axes for axes, _ in loss.roles["target"].shapes)]


@pytest.mark.parametrize(
    ("loss", "soft"), [(loss, False) for loss in WEIGHTED] + [(loss, True) for loss in SOFT]
)
def test_weights_multiply_and_divide(loss: Loss, soft: bool) -> None:
    """A class weight is the weight of each row of the class."""
    rng = np.random.default_rng(4)
    target, weights = rng.integers(0, 3, 12), np.array([1.0, 0.5, 3.0])
    inputs: dict[str, Any] = {"target": np.eye(3)[target] if soft else target}
    if loss.name == "linear-cross-entropy":
        inputs |= {"x": rng.normal(size=(12, 2)), "linear_weight": rng.normal(size=(3, 2))}
    else:
        scores = rng.normal(size=(12, 3))
        p = np.exp(scores) / np.exp(scores).sum(axis=1, keepdims=True)
        inputs["pred"] = {"nll": np.log(p), "brier": p}.get(loss.name, scores)
        inputs |= {"input": "logits"} if "input" in loss.parameters else {}
    by_class = losscli.compute(loss.name, class_weight=weights, **inputs).value
    by_row = losscli.compute(loss.name, weight=weights[target], **inputs).value
    assert by_class == pytest.approx(by_row, rel=1e-14)


def test_every_loss_of_class_indices_takes_weights() -> None:
    """Perplexity is of tokens, and a focal loss calls its weights α."""
    without = {s.name for s in CATALOGUE if any(r.by_class for r in s.roles.values())} - {
        s.name for s in WEIGHTED
    }
    assert without == {"perplexity", "categorical-focal"}


def test_classes_that_a_table_has() -> None:
    """How many classes there are, of rows that do not say so, is known by the layer's weights."""
    given: dict[str, Any] = {"x": np.ones((2, 2)), "linear_weight": PRED[:, :2], "target": [3, 0]}
    one = losscli.compute("linear-cross-entropy", class_weight=[2.0], reduction="sum", **given)
    plain = losscli.compute("linear-cross-entropy", reduction="sum", **given)
    assert one.value == pytest.approx(2 * plain.value, rel=1e-15)
    for weights in ("1,2,3", "1,2,3,4,5"):
        with pytest.raises(DataError, match=r"--class-weight has \d numbers, there are 4 classes"):
            losscli.compute("linear-cross-entropy", class_weight=weights, **given)
    named = given | {"target": ["d", "a"]}
    with pytest.raises(DataError, match="--classes has 3 names, there are 4 classes"):
        losscli.compute("linear-cross-entropy", classes="a,b,d", **named)


def test_weights_of_one_against_all() -> None:
    inputs = {"pred": PRED, "target": TARGET, "mode": "one-vs-all"}
    weights = np.array([1.0, 0.5, 3.0])
    by_class = losscli.compute("multiclass-hinge", class_weight=weights, **inputs).value
    by_row = losscli.compute("multiclass-hinge", weight=weights[TARGET.astype(int)], **inputs)
    assert by_class == pytest.approx(by_row.value, rel=1e-14)


def test_weights_of_two_outcomes() -> None:
    # (1 · (0.2 − 0)² + 2 · 3 · (0.4 − 1)²) / (1 + 2 · 3)
    inputs = {"pred": [0.2, 0.4, 0.4], "target": [0, 1, 1]}
    found = losscli.compute("brier", class_weight=[1, 3], **inputs)
    assert found.value == pytest.approx((0.04 + 2 * 3 * 0.36) / 7, rel=1e-14)
    # 3 / (2 · 1) and 3 / (2 · 2)
    found = losscli.compute("brier", class_weight="balanced", **inputs)
    assert found.value == pytest.approx((0.04 + 0.36) / 2, rel=1e-14)
    with pytest.raises(DataError, match="--class-weight has 3 numbers, pred has 2 classes"):
        losscli.compute("brier", class_weight=[1, 2, 3], **inputs)


def test_alpha_may_be_a_rule(tmp_path: Path) -> None:
    """The weights of a focal loss's classes are made as class weights are."""
    inputs = {"pred": [[0.0, 0.5], [0.5, 0.0], [1.0, 0.0]], "target": [1, 0, 0]}
    (tmp_path / "w.csv").write_text("0.75\n1.5\n")
    # 3 / (2 · 2) and 3 / (2 · 1)
    expected = losscli.compute("categorical-focal", alpha=[0.75, 1.5], **inputs).value
    for alpha in ("balanced", str(tmp_path / "w.csv")):
        assert losscli.compute("categorical-focal", alpha=alpha, **inputs).value == expected

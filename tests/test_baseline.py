"""The best constant prediction: nothing that is tried, near it or far off, costs less."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import losscli
from losscli.losses import CATALOGUE, Loss
from losscli.losses.registry import Pooled, Rows, as_rows
from tests.conftest import Run

Array = Any
N, K, C = 40, 3, 4
RNG = np.random.default_rng(11)
REAL = RNG.normal(size=(N, K)) * 3 + 1
COUNTS = RNG.poisson(2.0, size=(N, K)).astype(float)
SIGNS = np.where(RNG.random((N, K)) < 0.7, 1.0, -1.0)
BITS = 0.5 * (SIGNS + 1.0)
SOFT = RNG.uniform(size=(N, K))
CLASS = RNG.choice(C, N, p=[0.5, 0.3, 0.2, 0.0]).astype(float)
SOME = np.where(np.arange(N) % 5 == 0, -100.0, CLASS)
P = RNG.dirichlet(np.ones(C) * 0.5, N)
WEIGHT = RNG.uniform(size=N)
WEIGHT[3] = 0.0
CLASS_WEIGHT = [1.0, 0.5, 3.0, 2.0]

#: each loss with options and targets
CASES: list[tuple[str, dict[str, Any], Array]] = [
    ("mse", {}, REAL),
    ("mae", {}, REAL),
    ("mae", {}, np.round(REAL)),
    *[("huber", {"delta": d}, REAL) for d in (1e-3, 1.0, 100.0)],
    *[("smooth-l1", {"beta": b}, REAL) for b in (0.0, 0.5, 3.0)],
    ("log-cosh", {}, REAL),
    ("rmsle", {}, COUNTS),
    *[("minkowski", {"p": p}, REAL) for p in (1.0, 1.5, 2.0, 4.0)],
    *[("epsilon-insensitive", {"epsilon": x, "squared": s}, REAL) for x in (0.0, 0.5)
      for s in (False, True)],
    ("exponential", {}, SIGNS),
    ("modified-huber", {}, SIGNS),
    ("sparsemax", {}, CLASS),
    *[("pseudo-huber", {"delta": d}, REAL) for d in (0.1, 1.0)],
    ("rmse", {}, REAL),
    ("wape", {}, REAL),
    ("zero-one", {"multilabel": "cells"}, COUNTS),
    ("zero-one", {}, CLASS),
    ("zero-one", {"multilabel": "cells", "threshold": 0.3}, BITS),
    ("hamming", {}, COUNTS),
    ("brier", {}, CLASS),
    ("brier", {}, P),
    *[("brier", {"class_weight": np.array(CLASS_WEIGHT)}, t) for t in (CLASS, P)],
    *[("perplexity", {"input": i}, CLASS) for i in ("logits", "probs")],
    ("perplexity", {"ignore_index": -100}, SOME),
    *[("generalized-kl", {"input": i}, 3.0 * SOFT) for i in ("values", "log-values")],
    *[("quantile", {"quantile": q}, REAL) for q in (0.0, 0.1, 0.5, 0.85, 1.0)],
    ("mape", {}, REAL),
    ("mape", {}, COUNTS),
    ("mape", {"scale": "percent", "eps": 1.0}, COUNTS),
    ("mape", {"eps": 0.5, "eps_mode": "add"}, REAL),
    ("msle", {}, COUNTS),
    ("msle", {"clip": 0.5}, REAL),
    ("poisson-nll", {}, COUNTS),
    ("poisson-nll", {"eps": 0.5, "full": "exact"}, COUNTS),
    ("poisson-nll", {"eps": 20.0}, COUNTS),
    ("poisson-nll", {"input": "log-rate", "full": "stirling"}, COUNTS),
    ("half-squared-error", {}, REAL),
    ("poisson-deviance", {}, COUNTS),
    ("gamma-deviance", {}, COUNTS + 0.5),
    *[("tweedie-deviance", {"power": p}, COUNTS + 0.5) for p in (-1.0, 0.0, 1.5, 2.0, 3.0)],
    *[("tweedie-nll", {"input": i}, COUNTS) for i in ("mean", "log-mean")],
    *[("gamma-nll", {"input": i}, COUNTS + 0.5) for i in ("mean", "log-mean")],
    ("cosine-similarity", {}, REAL),
    ("cosine-similarity", {"eps": 2.0}, REAL),
    ("cosine-similarity", {"negate": False}, REAL),
    *[("kl-divergence", {"input": i}, P) for i in ("probs", "log-probs", "logits")],
    ("kl-divergence", {"log_target": True}, np.log(P)),
    ("kl-divergence", {"renormalize": True}, 7.0 * SOFT),
    *[("kl-divergence", {"clip": e}, P) for e in (1e-7, 0.1, 0.2, 0.3, 0.45)],
    ("kl-divergence", {"clip": 0.2, "input": "logits"}, P),
    *[("binary-cross-entropy", {"input": i}, y) for i in ("probs", "logits") for y in (BITS, SOFT)],
    ("binary-cross-entropy", {"input": "probs", "pos_weight": [5.0]}, BITS),
    ("binary-cross-entropy", {"input": "logits", "pos_weight": [5.0]}, BITS),
    ("binary-cross-entropy", {"pos_weight": [5.0, 0.5, 2.0], "label_smoothing": 0.2}, BITS),
    ("binary-cross-entropy", {"pos_weight": [0.0]}, np.ones((N, K))),
    ("binary-cross-entropy", {"clip": 0.4}, BITS),
    *[("binary-cross-entropy", {"log_floor": f}, BITS) for f in (-100.0, -1.5, -0.5, -0.1, 1.0)],
    *[("binary-cross-entropy", {"input": i}, np.ones((N, K))) for i in ("probs", "logits")],
    *[("cross-entropy", {"input": i}, CLASS) for i in ("logits", "probs", "log-probs")],
    *[("cross-entropy", {"input": i}, P) for i in ("logits", "probs", "log-probs")],
    *[
        ("cross-entropy", {"class_weight": CLASS_WEIGHT, "label_smoothing": e, **i}, t)
        for e in (0.0, 0.2)
        for t, i in ((CLASS, {}), (SOME, {"ignore_index": -100}), (P, {}))
    ],
    ("cross-entropy", {"ignore_index": 1}, CLASS),
    ("cross-entropy", {"soft_divisor": "rows", "class_weight": CLASS_WEIGHT}, P),
    ("cross-entropy", {"class_weight": [0.0, 1.0, 1.0, 1.0], "input": "probs"}, CLASS),
    *[
        ("cross-entropy", {"input": "probs", "clip": e, **w}, t)
        for e in (1e-7, 0.05, 0.1, 0.2, 0.3, 0.45)
        for t in (CLASS, P)
        for w in ({}, {"class_weight": CLASS_WEIGHT}, {"class_weight": [9.0, 0.1, 0.1, 0.1]})
    ],
    ("cross-entropy", {"input": "probs", "renormalize": True}, CLASS),
    ("nll", {}, CLASS),
    ("nll", {"class_weight": CLASS_WEIGHT, "ignore_index": -100}, SOME),
    *[
        ("generalized-cross-entropy", {"q": q, "input": i}, CLASS)
        for q in (0.01, 0.5, 0.7, 1.0)
        for i in ("probs", "logits", "log-probs")
    ],
    *[("hinge", {"margin": m}, y) for m in (1.0, 2.5, 0.0, -1.0) for y in (SIGNS, -SIGNS)],
    *[("squared-hinge", {"margin": m}, SIGNS) for m in (1.0, 2.5, -1.0)],
    ("soft-margin", {}, SIGNS),
    ("soft-margin", {}, np.ones((N, K))),
    ("multilabel-soft-margin", {}, BITS),
    ("multilabel-soft-margin", {"class_weight": [1.0, 2.0, 0.0]}, SOFT),
]  # fmt: skip


def value(loss: Loss, pred: Array, target: Array, weight: Array, params: dict[str, Any]) -> float:
    """Σwℓ / n with the same prediction for every row."""
    same = np.broadcast_to(pred, (len(target), *np.shape(pred)))
    with np.errstate(all="ignore"):
        rows = loss.function(np.ascontiguousarray(same), target, **params)
        if isinstance(rows, Pooled):
            of_sums = rows.finish(**{k: total(v, weight) for k, v in rows.sums.items()})
            return float(as_rows(of_sums).loss)
        each, _, keep, _ = rows if isinstance(rows, Rows) else Rows(rows)
    each = np.where(weight.reshape(-1, *[1] * (each.ndim - 1)) == 0, 0.0, each)
    if keep is not None:
        each = np.where(keep, each, 0.0)
    return float(np.sum(weight * each.reshape(len(each), -1).sum(axis=1)))


def total(array: Array, weight: Array) -> Any:
    """Σ of all elements, with the weights of their rows."""
    return np.sum(array * weight.reshape(-1, *[1] * (array.ndim - 1)))


def form(p: Array, how: str) -> Array:
    """Probabilities of classes as predictions."""
    return p if how == "probs" else np.log(np.maximum(p, 1e-300))


def probabilities(scores: Array, how: str) -> Array:
    return scores if how == "probs" else np.exp(scores) / np.exp(scores).sum()


def golden(f: Any, low: float, high: float) -> float:
    """The least of a function of one number, by golden sections."""
    ratio = 0.5 * (5**0.5 - 1)
    a, b = high - ratio * (high - low), low + ratio * (high - low)
    fa, fb = f(a), f(b)
    for _ in range(60):
        if fa <= fb:
            high, b, fb = b, a, fa
            a = high - ratio * (high - low)
            fa = f(a)
        else:
            low, a, fa = a, b, fb
            b = low + ratio * (high - low)
            fb = f(b)
    return min(fa, fb)


@pytest.mark.parametrize("weighted", [False, True], ids=["plain", "weighted"])
@pytest.mark.parametrize("case", range(len(CASES)), ids=lambda i: f"{CASES[i][0]}-{i}")
def test_nothing_is_better(case: int, weighted: bool) -> None:
    name, given, target = CASES[case]
    loss = CATALOGUE.losses[name]
    assert loss.constant is not None
    params = loss.resolve(given)
    weight = WEIGHT if weighted else np.ones(N)
    best = loss.constant(target, weight, {**params, "C": C})
    assert np.isfinite(best).all()
    best = np.asarray(best)
    least = value(loss, best, target, weight, params)
    assert np.isfinite(least)
    slack = 1e-10 * (1.0 + abs(least))
    # what a score of a class, or of a number, stands for
    how = str(params.get("input", "log-probs"))
    rng = np.random.default_rng(case)
    if np.shape(best) == (C,):
        center = probabilities(best, how)
        points = [*np.eye(C), np.full(C, 1 / C), *rng.dirichlet(np.full(C, 0.3), 300)]
        for point in points:
            for t in (1.0, 0.3, 0.03, 1e-3, 1e-5):
                other = form((1 - t) * center + t * point, how)
                assert not value(loss, other, target, weight, params) < least - slack
        return
    if name == "cosine-similarity":
        for t in (10.0, 1.0, 0.1, 1e-3, 1e-5):
            for step in rng.normal(size=(200, K)):
                assert value(loss, best + t * step, target, weight, params) >= least - slack
        return
    low, high = float(target.min()) - 2.0, float(target.max()) + 2.0
    if name in {"poisson-nll", "binary-cross-entropy", "msle", "rmsle"} and how not in {
        "logits",
        "log-rate",
    }:
        low = 0.0
    if name == "binary-cross-entropy" and how == "probs":
        high = 1.0
    for k in range(np.size(best)):

        def at(x: float, k: int = k) -> float:
            other = np.array(best)
            other.flat[k] = x
            return value(loss, other, target, weight, params)

        grid = np.linspace(low, high, 201)
        near = [best.flat[k] + s * 10.0**-e for e in range(1, 8) for s in (-1, 1)]
        tried = [at(x) for x in [*grid, *np.clip(near, low, high), *np.unique(target)]]
        tried += [golden(at, a, b) for a, b in zip(grid[:-1:20], grid[20::20], strict=True)]
        assert min(x for x in tried if not np.isnan(x)) >= least - slack


def test_every_rule_is_tried() -> None:
    assert {loss.name for loss in CATALOGUE if loss.constant} == {name for name, _, _ in CASES}


@pytest.mark.parametrize("weighted", [False, True], ids=["plain", "weighted"])
@pytest.mark.parametrize("case", range(len(CASES)), ids=lambda i: f"{CASES[i][0]}-{i}")
def test_the_baseline_is_the_loss_of_the_constant(case: int, weighted: bool) -> None:
    """What is reported beside a value is what the constant would get as a prediction."""
    name, given, target = CASES[case]
    loss = CATALOGUE.losses[name]
    weight = WEIGHT if weighted else np.ones(N)
    best = loss.constant(target, weight, {**loss.resolve(given), "C": C})
    pred = np.broadcast_to(best, (N, *np.shape(best)))
    said = {"weight": weight} if weighted else {}
    reductions = ["weighted-mean", "mean", "sum"]
    arrays = {"pred": pred, "target": target, "reduction": reductions, "nonfinite": "keep"}
    result = losscli.compute(name, baseline=True, **arrays, **given, **said)
    for own, constant in zip(result.values, result.baselines, strict=True):
        assert constant == own.value
    assert np.isfinite(result.baseline)


@pytest.mark.parametrize("name", sorted({name for name, _, _ in CASES}))
def test_one_column(name: str) -> None:
    """(n,) targets have one constant."""
    _, given, target = next(case for case in CASES if case[0] == name)
    if name == "cosine-similarity" or target.ndim == 1 or name in {"kl-divergence"}:
        return
    if name == "multilabel-soft-margin":
        return
    best = CATALOGUE.losses[name].constant(
        target[:, 0], np.ones(N), CATALOGUE.losses[name].resolve(given)
    )
    assert np.shape(best) == ()


@pytest.mark.parametrize(
    ("name", "options", "message"),
    [
        ("hinge", {"activation": "sigmoid"}, "with --activation sigmoid the best constant"),
        ("squared-hinge", {"activation": "sigmoid"}, "with --activation sigmoid"),
        ("mse", {"reduction": "mean-nonzero"}, "for mean-nonzero has no simple form"),
        ("mse", {"weight": np.ones((4, 2))}, "weights of elements; it takes one weight a row"),
        ("rmse", {"per": "image"}, "of images apart, the best constant has no simple form"),
        ("zero-one", {}, "of rows of labels the best constant has no simple form"),
        ("smape", {}, "the best constant of smape has no simple form"),
        ("dice", {}, "the best constant of dice has no simple form"),
    ],
)
def test_what_has_no_simple_form_is_refused(
    name: str, options: dict[str, Any], message: str
) -> None:
    target = np.ones((4, 2))
    with pytest.raises(losscli.errors.UsageError, match=message):
        losscli.compute(name, pred=target, target=target, baseline=True, **options)


def test_a_reversed_divergence_is_refused() -> None:
    with pytest.raises(losscli.errors.UsageError, match="with --direction reverse"):
        losscli.compute("kl-divergence", pred=P, target=P, direction="reverse", baseline=True)


def test_maps_of_classes_are_refused() -> None:
    with pytest.raises(losscli.errors.UsageError, match="maps of classes"):
        losscli.compute(
            "cross-entropy", pred=np.zeros((5, 2, C)), target=np.zeros((5, 2)), baseline=True
        )


@pytest.fixture
def table(tmp_path: Path) -> Path:
    # mean 3, Σ(y − 3)² = 4 + 1 + 0 + 1 + 4 = 10; the model is off by ½ each time
    rows = "".join(f"{y + 0.5},{y}\n" for y in (1, 2, 3, 4, 5))
    path = tmp_path / "p.csv"
    path.write_text(f"pred,target\n{rows}")
    return path


def test_tsv(run: Run, table: Path) -> None:
    done = run("compute", "mse", "--data", str(table), "--baseline", "--reduction", "mean,sum",
               "-f", "tsv")  # fmt: skip
    header, *rows = (line.split("\t")[:7] for line in done.stdout.splitlines())
    assert header == ["loss", "reduction", "value", "baseline", "skill", "n", "denominator"]
    assert rows == [
        ["mse", "mean", "0.25", "2.0", "0.875", "5", "5"],
        ["mse", "sum", "1.25", "10.0", "0.875", "5", ""],
    ]


def test_json_and_table(run: Run, table: Path) -> None:
    found = json.loads(
        run("compute", "mse", "--data", str(table), "--baseline", "-f", "json").stdout
    )
    assert (found["value"], found["baseline"], found["skill"]) == (0.25, 2.0, 0.875)
    assert found["values"][0]["baseline"] == 2.0
    text = run("compute", "mse", "--data", str(table), "--baseline", "-f", "table").stdout
    assert "baseline" in text
    assert "0.875" in text


def test_a_column_each(run: Run, tmp_path: Path) -> None:
    (tmp_path / "m.csv").write_text("a,b,c,d\n0,0,1,10\n0,0,3,30\n")
    found = json.loads(
        run("compute", "mse", "--data", "m.csv", "--pred", "a,b", "--target", "c,d", "--row",
            "columns", "--baseline", "-f", "json").stdout
    )  # fmt: skip
    # variances of 1, 3 and of 10, 30
    assert [v["baseline"] for v in found["values"]] == [1.0, 100.0]
    assert [v["value"] for v in found["values"]] == [5.0, 500.0]


def test_standard_input_is_refused(run: Run) -> None:
    done = run("compute", "mse", "--data", "-", "--baseline", input="pred,target\n1,1\n")
    assert done.returncode == 2
    assert done.stderr == (
        "error: --baseline reads the input twice, and standard input can be read once\n"
        "hint: save it to a file first\n"
    )


def test_dialects(run: Run, tmp_path: Path) -> None:
    """A dialect's options count in the constant too."""
    (tmp_path / "b.csv").write_text("pred,target\n0.5,0\n0.5,0\n0.5,0\n0.5,1\n")
    for library in ("torch", "keras", "sklearn"):
        found = json.loads(
            run("compute", "log-loss", "--data", "b.csv", "--dialect", library, "--baseline",
                "-f", "json").stdout
        )  # fmt: skip
        # the entropy of a quarter
        assert found["baseline"] == pytest.approx(-0.25 * np.log(0.25) - 0.75 * np.log(0.75))


def test_a_loss_without_the_option_says_so(run: Run, tmp_path: Path) -> None:
    (tmp_path / "x.csv").write_text("pred,target\n0.5,1\n")
    done = run("compute", "dice", "--data", "x.csv", "--baseline")
    assert done.returncode == 2
    assert "--baseline: the best constant of dice has no simple form" in done.stderr


def test_where_nothing_weighs_anything_every_constant_is_best() -> None:
    result = losscli.compute(
        "mse", pred=[1.0, 2.0], target=[3.0, 5.0], weight=[0, 0], reduction="sum", baseline=True
    )
    assert result.value == result.baseline == 0
    scores = {"pred": np.zeros((2, 2)), "target": [0, 0], "class_weight": "0,1"}
    result = losscli.compute("cross-entropy", reduction="mean", baseline=True, **scores)
    assert result.value == result.baseline == 0

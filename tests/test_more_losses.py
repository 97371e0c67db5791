"""Deviances, divergences, scores, label errors and preferences against other people's code.

scikit-learn, SciPy and torch are called; the numbers that are written down are those that the
libraries printed (torchmetrics 1.9, optax 0.2.8, scoringrules 0.8, CatBoost, XGBoost in float32,
TRL's expressions evaluated in torch), or are worked out beside them.
"""

import math
import warnings
from typing import Any

import numpy as np
import pytest

import losscli
from losscli.errors import DataError, UsageError
from losscli.losses import numerics

metrics = pytest.importorskip("sklearn.metrics")
distance = pytest.importorskip("scipy.spatial.distance")
special = pytest.importorskip("scipy.special")
torch = pytest.importorskip("torch")
F = torch.nn.functional

RNG = np.random.default_rng(5)
N = 40


def of(loss: str, **arguments: Any) -> Any:
    """The losses of rows, without a warning."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        return losscli.compute(loss, per_sample=True, **arguments).per_sample


def value(loss: str, **arguments: Any) -> Any:
    return losscli.compute(loss, **arguments).value


def close(x: Any, y: Any, rel: float = 1e-12) -> bool:
    return bool(x == pytest.approx(y, rel=rel, abs=1e-15))


@pytest.mark.parametrize("power", [-2.5, -1.0, 0.0, 1.0, 1.1, 1.5, 1.9, 2.0, 2.5, 3.0, 4.0])
def test_tweedie_deviance(power: float) -> None:
    pred = RNG.gamma(2.0, size=N) + 0.1
    target = RNG.normal(size=N) * 3 if power <= 0 else RNG.gamma(1.0, size=N) + 0.01
    if 1 <= power < 2:
        target[:5] = 0.0
    ours = value("tweedie-deviance", pred=pred, target=target, power=power)
    # scikit-learn subtracts terms that cancel.
    assert close(ours, metrics.mean_tweedie_deviance(target, pred, power=power), rel=1e-11)


@pytest.mark.parametrize(
    ("power", "name"), [(1.0, "poisson-deviance"), (2.0, "gamma-deviance"), (0.0, "mse")]
)
def test_tweedie_deviances_with_a_name(power: float, name: str) -> None:
    pred, target = RNG.gamma(2.0, size=(2, N)) + 0.1
    ours = of("tweedie-deviance", pred=pred, target=target, power=power)
    np.testing.assert_allclose(ours, of(name, pred=pred, target=target), rtol=1e-14)


@pytest.mark.parametrize("power", [1.001, 1.25, 1.5, 1.75, 1.999])
@pytest.mark.parametrize("log_mean", [False, True])
def test_tweedie_nll(power: float, log_mean: bool) -> None:
    link = pytest.importorskip("sklearn._loss.loss")
    pred, target = RNG.normal(size=N), np.where(RNG.uniform(size=N) < 0.3, 0.0, RNG.gamma(2.0, N))
    # HalfTweedieLoss is log-linked, and leaves out the terms of y alone.
    expected = link.HalfTweedieLoss(power=power).loss(target, pred)
    ours = of(
        "tweedie-nll",
        pred=pred if log_mean else np.exp(pred),
        target=target,
        input="log-mean" if log_mean else "mean",
        power=power,
    )
    np.testing.assert_allclose(ours, expected, rtol=1e-11)


def test_tweedie_printed_by_libraries() -> None:
    y, mu = [1.0, 0.0, 4.0], [1.5, 0.5, 3.0]
    # torchmetrics, XGBoost and CatBoost
    assert close(value("tweedie-deviance", pred=mu, target=y), 1.053066824, rel=1e-9)
    assert close(value("tweedie-nll", pred=mu, target=y), 4.526533564, rel=1e-6)
    gamma = {"pred": [1.5, 3.0], "target": [1.0, 4.0]}
    assert close(value("gamma-deviance", **gamma), 0.1177830357, rel=1e-9)
    # LightGBM
    assert close(value("gamma-deviance", reduction="sum", **gamma), 0.2355660715, rel=1e-9)


@pytest.mark.parametrize("power", [-1.0, 0.0, 1.0, 1.5, 2.0, 3.0])
def test_deviance_of_nearly_equal_values(power: float) -> None:
    # d = (y − μ)² / μᵖ (1 + O(y/μ − 1)); 1 + 2⁻⁴⁰ is a float, and its square's excess is not lost
    ours = of("tweedie-deviance", pred=[1.0], target=[1.0 + 2.0**-40], power=power)[0]
    assert ours == pytest.approx(2.0**-80, rel=1e-11, abs=0)


def test_deviance_far_from_the_truth() -> None:
    # y ln(y/μ) − y + μ, whose exponentials of logarithms would overflow
    ours = of("poisson-deviance", pred=[1e200, 1e-200], target=[1e-200, 1e200])
    np.testing.assert_allclose(ours, [2e200, 2e200 * (400 * math.log(10) - 1)], rtol=1e-13)
    assert of("poisson-deviance", pred=[3.0], target=[0.0])[0] == 6.0  # 2 μ


@pytest.mark.parametrize(
    ("loss", "pred", "target", "options"),
    [
        ("poisson-deviance", 0.0, 1.0, {}),
        ("poisson-deviance", 1.0, -1.0, {}),
        ("gamma-deviance", 1.0, 0.0, {}),
        ("tweedie-deviance", 0.0, 1.0, {"power": -1}),
        ("tweedie-deviance", 1.0, -1.0, {"power": 1}),
        ("tweedie-deviance", 1.0, 0.0, {"power": 2}),
        ("tweedie-nll", 0.0, 1.0, {}),
        ("generalized-kl", [1.0, -1.0], [1.0, 1.0], {}),
        ("brier", 1.5, 1.0, {}),
        ("brier", 0.5, 0.5, {}),
        ("brier", [0.5, 0.5], 2.0, {}),
        ("hamming", 0.5, 1.0, {}),
        ("hamming", 0.5, 2.0, {"threshold": 0.5}),
    ],
)
def test_domains(loss: str, pred: Any, target: Any, options: dict[str, Any]) -> None:
    with pytest.raises(DataError, match="expected"):
        losscli.compute(loss, pred=[pred], target=[target], **options)


def test_tweedie_powers_without_a_distribution() -> None:
    with pytest.raises(UsageError, match="a number that is not between 0 and 1"):
        losscli.compute("tweedie-deviance", pred=[1.0], target=[1.0], power=0.5)
    assert value("tweedie-deviance", pred=[-1.0], target=[1.0], power=0) == 4.0


@pytest.mark.parametrize("base", [None, 2.0, 10.0])
@pytest.mark.parametrize("sqrt", [False, True])
def test_js_divergence(base: float | None, sqrt: bool) -> None:
    p, q = RNG.dirichlet(np.full(4, 0.3), size=(2, N))
    p[0, 0] = 0.0
    p[0] /= p[0].sum()
    expected = distance.jensenshannon(p, q, axis=1, base=base)
    ours = of("js-divergence", pred=q, target=p, base=base, sqrt=sqrt)
    np.testing.assert_allclose(ours, expected if sqrt else expected**2, rtol=1e-10)
    swapped = of("js-divergence", pred=p, target=q, base=base, sqrt=sqrt)
    np.testing.assert_array_equal(ours, swapped)
    logs = of("js-divergence", pred=np.log(q), target=p, input="log-probs", base=base, sqrt=sqrt)
    np.testing.assert_allclose(logs, ours, rtol=1e-10)


def test_js_divergence_of_nearly_equal_and_of_disjoint_distributions() -> None:
    # Σ d²/8m with d = 2⁻³⁰ and m = ½, twice
    close_by = of("js-divergence", pred=[[0.5 + 2.0**-30, 0.5 - 2.0**-30]], target=[[0.5, 0.5]])
    assert close_by[0] == pytest.approx(2.0**-61, rel=1e-8, abs=0)
    assert of("js-divergence", pred=[[1.0, 0.0]], target=[[0.0, 1.0]])[0] == math.log(2)
    printed = {"pred": [[0.6, 0.3, 0.1]], "target": [[0.7, 0.2, 0.1]]}
    assert close(value("js-divergence", **printed), 0.006958856339, rel=1e-9)  # torchmetrics


def test_generalized_kl() -> None:
    p, q = RNG.gamma(1.0, size=(2, N, 4))
    p[0, 0] = q[1, 1] = 0.0
    ours = of("generalized-kl", pred=q, target=p)
    np.testing.assert_allclose(ours, special.kl_div(p, q).sum(axis=1), rtol=1e-12)
    q[1, 1] = 1.0
    logs = of("generalized-kl", pred=np.log(q), target=p, input="log-values")
    np.testing.assert_allclose(logs, special.kl_div(p, q).sum(axis=1), rtol=1e-12)
    # optax.convex_kl_divergence
    printed = {"pred": [[0.6, 0.3, 0.1]], "target": [[1.4, 0.4, 0.2]]}
    assert close(value("generalized-kl", **printed), 0.4399192696, rel=1e-9)
    # p ln(p/q) − p + q with q = e^−800, which is 0 as a float
    tiny = of("generalized-kl", pred=[[-800.0, 0.0]], target=[[1.0, 1.0]], input="log-values")
    assert tiny[0] == pytest.approx(799.0, rel=1e-15)


@pytest.mark.parametrize("half", [True, False])
@pytest.mark.parametrize("classes", [2, 3])
def test_brier(half: bool, classes: int) -> None:
    p, y = RNG.dirichlet(np.ones(classes), N), RNG.integers(0, classes, N)
    scale = "half" if half else "full"
    expected = metrics.brier_score_loss(y, p, labels=range(classes), scale_by_half=half)
    assert close(value("brier", pred=p, target=y, scale=scale), expected)
    assert close(value("brier", pred=p, target=np.eye(classes)[y], scale=scale), expected)
    if classes == 2:
        assert close(value("brier", pred=p[:, 1], target=y, scale=scale), expected)
        labels = np.where(y == 1, 1, -1)
        given = {"pred": p[:, 1], "target": labels, "labels": "-1,1"}
        assert close(value("brier", scale=scale, **given), expected)


@pytest.mark.parametrize("estimator", ["plain", "fair"])
@pytest.mark.parametrize("offset", [0.0, 1e9])
def test_crps_ensemble(estimator: str, offset: float) -> None:
    x, y = RNG.normal(size=(N, 6)).round(2) + offset, RNG.normal(size=N).round(2) + offset
    x[0, :3], y[1] = x[0, 3], x[1, 2]  # ties among members, and of a member with what happened
    pairs = np.abs(x[:, :, None] - x[:, None, :]).sum(axis=(1, 2))
    spread = pairs / (2 * (30 if estimator == "fair" else 36))
    expected = np.abs(x - y[:, None]).mean(axis=1) - spread
    ours = of("crps-ensemble", ensemble=x, target=y, estimator=estimator)
    np.testing.assert_allclose(ours, expected, rtol=1e-11, atol=1e-13)


def test_crps_ensemble_printed_by_libraries() -> None:
    given = {"ensemble": [[0.0, 1.0, 3.0]], "target": [1.5]}
    assert close(value("crps-ensemble", **given), 0.5)  # torchmetrics, scoringrules
    assert close(value("crps-ensemble", estimator="fair", **given), 1 / 6)  # scoringrules
    one = {"ensemble": [2.0, 5.0], "target": [1.5, 5.0]}
    np.testing.assert_array_equal(of("crps-ensemble", **one), [0.5, 0.0])  # |x − y|
    assert np.isnan(of("crps-ensemble", estimator="fair", **one)).all()


def test_perplexity() -> None:
    logits, classes = RNG.normal(size=(6, 5, 4)) * 3, RNG.integers(0, 4, (6, 5)).astype(float)
    classes[2, 1:] = -100
    ours = value("perplexity", pred=logits, target=classes, ignore_index=-100)
    tokens = torch.tensor(logits.reshape(-1, 4)), torch.tensor(classes.ravel(), dtype=torch.int64)
    assert close(ours, float(F.cross_entropy(*tokens).exp()))
    rows = of("perplexity", pred=logits, target=classes, ignore_index=-100, per="image")
    for row, x, t in zip(rows, logits, classes, strict=True):
        expected = F.cross_entropy(torch.tensor(x), torch.tensor(t, dtype=torch.int64)).exp()
        assert close(row, float(expected))
    kept = classes.ravel() >= 0
    log_p = -F.cross_entropy(*tokens, reduction="none").numpy()[kept]
    assert close(value("perplexity", logps=log_p), ours)
    # torchmetrics.text.perplexity
    printed = {"pred": [[2.0, 0.5, 1.0], [0.1, 0.2, 0.3]], "target": [0, 2]}
    assert close(value("perplexity", **printed), 2.081639525, rel=1e-9)


def test_perplexity_of_nothing_and_of_the_impossible() -> None:
    given = {"pred": [[0.0, 1.0]], "target": [-1]}
    assert math.isnan(value("perplexity", ignore_index=-1, **given))
    impossible = {"pred": [[0.0, 1.0]], "target": [0], "input": "probs"}
    assert value("perplexity", **impossible) == math.inf
    with pytest.raises(UsageError, match="wants one of --pred with --target, --logps"):
        losscli.compute("perplexity", logps=[-1.0], **impossible)
    weighted = value("perplexity", logps=[-1.0, -2.0], weight=[3.0, 1.0])
    assert close(weighted, math.exp(1.25))  # (3·1 + 1·2) / 4


@pytest.mark.parametrize("weighted", [False, True])
def test_label_errors(weighted: bool) -> None:
    pred, target = RNG.integers(0, 2, size=(2, N, 3))
    weight = RNG.uniform(size=N) if weighted else None
    given = {"pred": pred, "target": target, "weight": weight}
    subset = metrics.zero_one_loss(target, pred, sample_weight=weight)
    cells = metrics.hamming_loss(target, pred, sample_weight=weight)
    assert close(value("zero-one", **given), subset)
    assert close(value("zero-one", multilabel="cells", **given), cells)
    assert close(value("hamming", **given), cells)


def test_label_errors_of_scores() -> None:
    scores, target = RNG.uniform(size=(N, 3)), RNG.integers(0, 2, (N, 3))
    expected = metrics.hamming_loss(target, scores > 0.5)
    with pytest.raises(DataError, match="a whole number") as error:
        losscli.compute("hamming", pred=scores, target=target)
    assert error.value.hint == "--threshold T makes labels of scores"
    given = {"pred": scores, "target": target}
    assert close(value("hamming", threshold=0.5, **given), expected)
    assert close(value("hamming", dialect="torchmetrics", **given), expected)
    logits = {"pred": np.log(scores / (1 - scores)), "target": target}
    assert close(value("hamming", dialect="torchmetrics", **logits), expected)


LOGPS = ("chosen_logps", "rejected_logps", "ref_chosen_logps", "ref_rejected_logps")
PAIR = dict(zip(LOGPS, ([-12.0], [-20.0], [-14.0], [-18.0]), strict=True))


def test_preferences_printed_by_torch() -> None:
    assert close(value("dpo", **PAIR), 0.5130152524, rel=1e-9)
    assert close(value("dpo", label_smoothing=0.1, **PAIR), 0.5530152524, rel=1e-9)
    robust = value("dpo", label_smoothing=0.1, smoothing="robust", **PAIR)
    assert close(robust, 0.4630152524, rel=1e-9)
    assert value("robust-dpo", label_smoothing=0.1, **PAIR) == robust
    assert close(value("ipo", **PAIR), 1.0)
    lengths = {"chosen_len": [10], "rejected_len": [25], "length_norm": True}
    assert close(value("ipo", **PAIR, **lengths), 22.2784)


@pytest.mark.parametrize("scale", [1.0, 800.0])
@pytest.mark.parametrize("epsilon", [0.0, 0.2])
def test_dpo(scale: float, epsilon: float) -> None:
    logps = -RNG.gamma(2.0, size=(4, N)) * scale
    c, r, rc, rr = map(torch.tensor, logps)
    lead = 0.5 * ((c - rc) - (r - rr))
    expected = -(1 - epsilon) * F.logsigmoid(lead) - epsilon * F.logsigmoid(-lead)
    roles = dict(zip(LOGPS, logps, strict=True))
    ours = of("dpo", beta=0.5, label_smoothing=epsilon, **roles)
    np.testing.assert_allclose(ours, expected.numpy(), rtol=1e-12, atol=0)


def test_lengths_go_with_their_flag() -> None:
    with pytest.raises(UsageError, match="--length-norm wants --chosen-len with --rejected-len"):
        losscli.compute("ipo", length_norm=True, chosen_len=[3], **PAIR)
    with pytest.raises(UsageError, match="--chosen-len is for --length-norm"):
        losscli.compute("ipo", chosen_len=[3], rejected_len=[3], **PAIR)
    with pytest.raises(DataError, match="a whole number of at least 1"):
        losscli.compute("ipo", length_norm=True, chosen_len=[0], rejected_len=[3], **PAIR)
    with pytest.raises(DataError, match="at most 0"):
        losscli.compute("ipo", **{**PAIR, "chosen_logps": [0.5]})


def test_half_squared_error_and_pseudo_huber() -> None:
    link = pytest.importorskip("sklearn._loss.loss")
    pred, target = RNG.normal(size=(2, N))
    ours = of("half-squared-error", pred=pred, target=target)
    np.testing.assert_allclose(ours, link.HalfSquaredError().loss(target, pred), rtol=1e-13)
    ours = of("pseudo-huber", pred=pred, target=target, delta=0.7)
    expected = special.pseudo_huber(0.7, pred - target)
    np.testing.assert_allclose(ours, expected, rtol=1e-11)
    # XGBoost mphe with huber_slope=2, in float32
    printed = {"pred": [2.5, 0.0, 2.0, 8.0, 0.0], "target": [3.0, -0.5, 2.0, 7.0, 5.0]}
    assert close(value("pseudo-huber", delta=2, **printed), 1.49773531, rel=1e-6)
    # ½ e² and δ |e| are what it tends to
    ends = of("pseudo-huber", pred=[1e-9, 1e300], target=[0.0, 0.0], delta=2.0)
    np.testing.assert_allclose(ends, [5e-19, 2e300], rtol=1e-15)


def test_percentage_errors() -> None:
    given = {"pred": [1.5, 2.0, 5.0], "target": [1.0, 2.0, 3.0]}
    assert close(value("smape", **given), 0.3)  # torchmetrics
    assert close(value("smape", scale="percent", **given), 30.0)  # CatBoost
    assert close(value("smape", denominator="sum", **given), 0.15)
    assert value("smape", pred=[0.0], target=[0.0]) == 0.0  # both
    assert close(value("wape", **given), 0.4166666667, rel=1e-9)  # torchmetrics
    assert close(value("wape", scale="percent", **given), 250 / 6)
    assert value("wape", pred=[1.0], target=[0.0]) == math.inf
    assert value("wape", pred=[1.0], target=[0.0], eps=0.5) == 2.0


def test_roots_of_columns_and_of_everything() -> None:
    pred, target = RNG.normal(size=(2, N, 3)) * [1.0, 10.0, 100.0]
    given = {"pred": pred, "target": target}
    roots = metrics.root_mean_squared_error(target, pred, multioutput="raw_values")
    np.testing.assert_allclose(
        value("rmse", per="class", row="columns", **given), roots, rtol=1e-13
    )
    assert close(value("rmse", per="class", **given), roots.mean())
    assert close(value("rmse", **given), np.sqrt(np.mean((pred - target) ** 2)))
    rows = of("rmse", per="image", **given)
    np.testing.assert_allclose(rows, np.sqrt(np.mean((pred - target) ** 2, axis=1)), rtol=1e-13)


def test_cosine_distance() -> None:
    x1, x2 = RNG.normal(size=(2, N, 4))
    ours = of("cosine-distance", x1=x1, x2=x2)
    expected = [distance.cosine(a, b) for a, b in zip(x1, x2, strict=True)]
    np.testing.assert_allclose(ours, expected, rtol=1e-12, atol=1e-15)
    similar = 1.0 - F.cosine_similarity(torch.tensor(x1 * 1e-9), torch.tensor(x2)).numpy()
    ours = of("cosine-distance", x1=x1 * 1e-9, x2=x2, eps=1e-8)
    np.testing.assert_allclose(ours, similar, rtol=1e-12)
    assert of("cosine-distance", x1=[[0.0, 0.0]], x2=[[1.0, 0.0]])[0] == 1.0
    # 1 − cos θ = ½ θ² for a small angle, which the plain difference rounds to 0
    assert of("cosine-distance", x1=[[1.0, 1e-10]], x2=[[1.0, 0.0]])[0] == pytest.approx(5e-21)


@pytest.mark.parametrize("beta", [-1.0, 0.0, 1e-9, 0.25, 0.5, 0.75, 1.0 - 1e-9, 1.0, 1.5, 2.0])
def test_beta_divergence_has_no_step(beta: float) -> None:
    """Its forms meet where they change, at |ln x/y| = ½."""
    for r in (0.5, -0.5):
        x = np.exp(np.array([np.nextafter(r, 0.0) - 1e-14, r + math.copysign(1e-14, r)]))
        below, beyond = numerics.beta_divergence(x, np.ones(2), beta)
        assert below == pytest.approx(beyond, rel=1e-12)


@pytest.mark.parametrize("sign", [-1.0, 1.0])
@pytest.mark.parametrize("score", [-7.5, -1.0, -0.25, 0.0, 0.25, 1.0, 3.0])
def test_losses_that_scikit_learn_descends(sign: float, score: float) -> None:
    """The losses of its stochastic gradient descent and of its boosting, one number at a time."""
    sgd = pytest.importorskip("sklearn.linear_model._sgd_fast")
    given = {"pred": [score], "target": [sign]}
    for name, peer in (("modified-huber", sgd.ModifiedHuber()), ("perceptron", sgd.Hinge(0.0))):
        assert value(name, **given) == peer.py_loss(score, sign)
    for squared, peer in ((False, sgd.EpsilonInsensitive(0.3)),
                          (True, sgd.SquaredEpsilonInsensitive(0.3))):  # fmt: skip
        ours = value("epsilon-insensitive", epsilon=0.3, squared=squared, **given)
        assert close(ours, peer.py_loss(score, sign))
    boosting = pytest.importorskip("sklearn._loss.loss").ExponentialLoss()
    bit = np.array([0.5 * (sign + 1.0)])
    assert close(value("exponential", **given), boosting.loss(bit, np.array([score]))[0])


def test_multiclass_perceptron_is_a_hinge_without_a_margin() -> None:
    """optax: the greatest score less that of the true class."""
    scores, target = RNG.normal(size=(N, 4)), RNG.integers(0, 4, N)
    expected = scores.max(axis=1) - scores[np.arange(N), target]
    np.testing.assert_allclose(
        of("multiclass_perceptron_loss", pred=scores, target=target), expected
    )


def test_sparsemax_is_the_cost_of_the_nearest_distribution() -> None:
    """max over distributions p of Σ p s − ½ ‖p‖², less the same of the true class."""
    scores, target = RNG.normal(size=(20, 3)), RNG.integers(0, 3, 20)
    steps = np.linspace(0, 1, 301)
    grid = np.array([(a, b, 1 - a - b) for a in steps for b in steps if a + b <= 1 + 1e-9])
    best = (scores @ grid.T - 0.5 * (grid**2).sum(axis=1)).max(axis=1)
    expected = best - (scores[np.arange(20), target] - 0.5)
    np.testing.assert_allclose(of("sparsemax", pred=scores, target=target), expected, atol=2e-5)

"""Names of libraries that are not of the catalogue: what their hints say is what the library gives.

Each case has the part of a hint that is typed, and computes it.
"""

import os
from typing import Any

import numpy as np
import pytest

import losscli
from losscli.errors import UsageError
from losscli.losses import CATALOGUE
from losscli.losses.absent import ABSENT
from losscli.losses.registry import absent, name_key

os.environ.setdefault("KERAS_BACKEND", "torch")
C = 4
#: of the functions of torchmetrics
PARTS = ("", ".classification", ".regression")
RNG = np.random.default_rng(5)
REAL, OTHER = RNG.normal(size=(2, 24))
POSITIVE, FORECAST = RNG.gamma(2.0, size=(2, 24))
WEIGHT = RNG.uniform(size=24)
CLASSES, GUESSES = RNG.integers(0, C, (2, 24))
SHARES = RNG.dirichlet(np.ones(C), 24)
LABELS = RNG.integers(0, 2, 24)
CHANCES = RNG.uniform(size=24)
#: more ones are guessed than there are, so that precision is not recall
MARKED = (CHANCES > 0.25).astype(int)
ONE_HOT, GUESSED = np.eye(C)[CLASSES], np.eye(C)[GUESSES]
#: masks (images, classes, height, width), and their pixels as rows
MASKS, MADE = np.moveaxis(np.eye(C)[RNG.integers(0, C, (2, 3, 5, 6))], -1, 2)
BALANCED = 1.0 / np.bincount(CLASSES)[CLASSES]


def typed(name: str, command: str, **given: Any) -> Any:
    """The result of a loss and its options, which the hint for a name has."""
    assert command in absent(name)
    loss, *words = command.split()
    options: dict[str, Any] = {"baseline": True} if words and words[-1] == "--baseline" else {}
    words = words[: len(words) - len(options)]
    pairs = zip(words[::2], words[1::2], strict=True)
    options |= {option[2:].replace("-", "_"): value for option, value in pairs}
    return losscli.compute(loss, **{**options, **given})


def test_names_are_told_apart() -> None:
    names = [name for several, _ in ABSENT for name in several]
    assert len({name_key(name) for name in names}) == len(names)
    for name in names:
        assert CATALOGUE.find(name) is None
        with pytest.raises(UsageError, match=f"{name} is not in the catalogue") as error:
            CATALOGUE.get(name)
        assert error.value.hint == absent(name)


def test_tasks_before_a_name_need_not_be_said() -> None:
    assert absent("BinaryF1Score") == absent("multilabel_f1_score") == absent("f1_score") != ""
    assert absent("MulticlassAccuracy") != absent("accuracy")
    assert absent("binary") == absent("") == absent("mse") == ""


@pytest.mark.parametrize(
    ("name", "command", "pred", "target", "options"),
    [
        ("r2_score", "mse --baseline", REAL, OTHER, {}),
        ("d2_absolute_error_score", "mae --baseline", REAL, OTHER, {}),
        ("d2_pinball_score", "quantile --quantile ALPHA --baseline", REAL, OTHER, {"alpha": 0.9}),
        (
            "d2_tweedie_score",
            "tweedie-deviance --power POWER --baseline",
            FORECAST,
            POSITIVE,
            {"power": 1.5},
        ),
        ("d2_log_loss_score", "cross-entropy --input probs --baseline", SHARES, CLASSES, {}),
        ("d2_log_loss_score", "log-loss --baseline", CHANCES, LABELS, {}),
        ("d2_brier_score", "brier --baseline", CHANCES, LABELS, {}),
        ("d2_brier_score", "brier --baseline", SHARES, CLASSES, {}),
    ],
)
@pytest.mark.parametrize("weight", [None, WEIGHT])
def test_scores_of_skill(
    name: str, command: str, pred: Any, target: Any, options: dict[str, float], weight: Any
) -> None:
    metrics = pytest.importorskip("sklearn.metrics")
    ours = {{"alpha": "quantile"}.get(k, k): v for k, v in options.items()}
    weighted = {} if weight is None else {"weight": weight}
    result = typed(name, command, pred=pred, target=target, **ours, **weighted)
    expected = getattr(metrics, name)(target, pred, sample_weight=weight, **options)
    assert result.skill == pytest.approx(expected, rel=1e-12)


def test_explained_variance_and_r2_of_columns() -> None:
    metrics = pytest.importorskip("sklearn.metrics")
    name = "explained_variance_score"
    result = typed(name, "mse --baseline", pred=REAL - np.mean(REAL - OTHER), target=OTHER)
    assert result.skill == pytest.approx(metrics.explained_variance_score(OTHER, REAL), rel=1e-12)
    assert "of several it is the mean of theirs" in absent("r2_score")
    columns = [(REAL, OTHER), (FORECAST, POSITIVE)]
    skills = [losscli.compute("mse", pred=p, target=t, baseline=True).skill for p, t in columns]
    expected = metrics.r2_score(np.c_[OTHER, POSITIVE], np.c_[REAL, FORECAST])
    assert np.mean(np.asarray(skills, float)) == pytest.approx(expected, rel=1e-12)


def test_single_errors() -> None:
    metrics = pytest.importorskip("sklearn.metrics")
    for name, of in (("max_error", np.max), ("median_absolute_error", np.median)):
        errors = typed(name, "mae --reduction none", pred=REAL, target=OTHER).per_sample
        assert of(errors) == getattr(metrics, name)(OTHER, REAL)


def test_relative_squared_error() -> None:
    torch = pytest.importorskip("torch")
    module = pytest.importorskip("torchmetrics.functional")
    skill = typed("relative_squared_error", "mse --baseline", pred=REAL, target=OTHER).skill
    expected = module.relative_squared_error(torch.tensor(REAL), torch.tensor(OTHER))
    assert 1.0 - skill == pytest.approx(float(expected), rel=1e-12)


@pytest.mark.parametrize(
    ("normalization", "by"),
    [("mean", np.mean), ("range", np.ptp), ("std", np.std), ("l2", np.linalg.norm)],
)
def test_normalized_errors(normalization: str, by: Any) -> None:
    torch = pytest.importorskip("torch")
    module = pytest.importorskip("torchmetrics.functional")
    name = "normalized_root_mean_squared_error"
    arrays = torch.tensor(FORECAST), torch.tensor(POSITIVE)
    expected = getattr(module, name)(*arrays, normalization=normalization)
    rmse = typed(name, "rmse", pred=FORECAST, target=POSITIVE).value
    assert rmse / by(POSITIVE) == pytest.approx(float(expected), rel=1e-12)


@pytest.mark.parametrize(
    ("name", "command", "options"),
    [
        ("precision_score", "tversky --fp-weight 1 --fn-weight 0", {}),
        ("recall_score", "tversky --fp-weight 0 --fn-weight 1", {}),
        ("f1_score", "dice", {}),
        ("fbeta_score", "tversky", {"beta": 2.0}),
        ("jaccard_score", "jaccard", {}),
    ],
)
def test_scores_of_labels(name: str, command: str, options: dict[str, Any]) -> None:
    metrics = pytest.importorskip("sklearn.metrics")
    if name == "fbeta_score":
        assert "0.2 and 0.8 for β = 2" in absent(name)
    ours = {"fp_weight": 0.2, "fn_weight": 0.8} if options else {}
    score = getattr(metrics, name)
    binary = typed(name, command, pred=MARKED, target=LABELS, **ours).value
    assert 1.0 - binary == pytest.approx(score(LABELS, MARKED, **options), rel=1e-12)
    assert "and --per class" in absent(name)
    several = typed(name, command, pred=GUESSED, target=ONE_HOT, per="class", **ours).value
    expected = score(CLASSES, GUESSES, average="macro", **options)
    assert 1.0 - several == pytest.approx(expected, rel=1e-12)


def test_accuracies() -> None:
    metrics = pytest.importorskip("sklearn.metrics")
    torch = pytest.importorskip("torch")
    module = pytest.importorskip("torchmetrics.functional.classification")
    guesses: dict[str, Any] = {"pred": GUESSES, "target": CLASSES}
    labels: dict[str, Any] = {"pred": CHANCES, "target": LABELS, "threshold": 0.5}
    table = {name: v if name == "threshold" else v.reshape(6, 4) for name, v in labels.items()}
    chances, true = torch.tensor(CHANCES), torch.tensor(LABELS)
    of_classes = torch.tensor(GUESSES), torch.tensor(CLASSES), C
    tables = chances.reshape(6, 4), true.reshape(6, 4), 4
    balanced = {**guesses, "weight": BALANCED}
    cases = [
        ("accuracy_score", "zero-one", guesses, metrics.accuracy_score(CLASSES, GUESSES)),
        ("binary_accuracy", "zero-one", labels, module.binary_accuracy(chances, true)),
        ("multilabel_accuracy", "hamming", table, module.multilabel_accuracy(*tables)),
        ("exact_match", "zero-one", table, module.multilabel_exact_match(*tables)),
        ("balanced_accuracy_score", "zero-one", balanced,
         metrics.balanced_accuracy_score(CLASSES, GUESSES)),
        ("multiclass_accuracy", "zero-one", balanced, module.multiclass_accuracy(*of_classes)),
        ("multiclass_accuracy", "zero-one", guesses,
         module.multiclass_accuracy(*of_classes, average="micro")),
    ]  # fmt: skip
    for name, command, given, expected in cases:
        assert "--weight of a row is 1 over the rows" in absent(name) or "weight" not in given
        value = typed(name, command, **given).value
        assert 1.0 - value == pytest.approx(float(expected), rel=1e-6), name
    name = "multiclass_hamming_distance"
    for given, average in ((guesses, "micro"), (balanced, "macro")):
        distance = module.multiclass_hamming_distance(*of_classes, average=average)
        assert typed(name, "zero-one", **given).value == pytest.approx(float(distance), rel=1e-6)


@pytest.mark.filterwarnings("ignore:dice_score metric currently defaults")
def test_scores_of_masks() -> None:
    torch = pytest.importorskip("torch")
    module = pytest.importorskip("torchmetrics.functional.segmentation")
    arrays = torch.tensor(MADE, dtype=torch.int), torch.tensor(MASKS, dtype=torch.int), C
    given = {"pred": MADE, "target": MASKS}
    by_class = {**given, "class_axis": 1}
    images = "--per image for average='micro' and --per image-class for 'macro'"
    assert images in absent("dice_score")
    micro = losscli.compute("dice", per="image", **given).value
    expected = module.dice_score(*arrays, average="micro").mean()
    assert 1.0 - micro == pytest.approx(float(expected), rel=1e-6)
    macro = losscli.compute("dice", per="image-class", **by_class).value
    expected = module.dice_score(*arrays, average="macro").mean()
    assert 1.0 - macro == pytest.approx(float(expected), rel=1e-6)
    assert "--per image-class (torchmetrics)" in absent("mean_iou")
    overlap = typed("mean_iou", "jaccard", per="image-class", **by_class).value
    assert 1.0 - overlap == pytest.approx(float(module.mean_iou(*arrays).mean()), rel=1e-6)


def test_generalized_dice_score() -> None:
    """Pixels are rows, and each class of each has a weight."""
    torch = pytest.importorskip("torch")
    module = pytest.importorskip("torchmetrics.functional.segmentation")
    expected = module.generalized_dice_score(
        torch.tensor(MADE, dtype=torch.int), torch.tensor(MASKS, dtype=torch.int), C
    )
    pred, target = (np.moveaxis(each, 1, -1).reshape(-1, C) for each in (MADE, MASKS))
    weight = np.repeat(1.0 / MASKS.sum(axis=(2, 3)) ** 2, 30, axis=0)
    images = np.repeat(np.arange(3), 30)
    assert "--by IMAGE" in absent("GeneralizedDiceScore")
    found = losscli.compute(
        "dice", pred=pred, target=target, weight=weight, by=images, reduction="none"
    ).per_sample
    np.testing.assert_allclose(1.0 - np.asarray(found), expected.numpy(), rtol=1e-6)


def test_overlaps_of_keras() -> None:
    keras = pytest.importorskip("keras")
    assert "--per class (keras)" in absent("MeanIoU")
    one_hot_of_two = np.eye(2)[(CHANCES >= 0.5).astype(int)], np.eye(2)[LABELS]
    best = np.eye(C)[SHARES.argmax(axis=1)]
    cases = [
        (keras.metrics.MeanIoU(C), (CLASSES, GUESSES), (GUESSED, ONE_HOT)),
        (keras.metrics.OneHotMeanIoU(C), (ONE_HOT, SHARES), (best, ONE_HOT)),
        (keras.metrics.OneHotIoU(C, range(C)), (ONE_HOT, SHARES), (best, ONE_HOT)),
        (keras.metrics.BinaryIoU(), (LABELS, CHANCES), one_hot_of_two),
    ]
    for metric, theirs, (pred, target) in cases:
        metric.update_state(*theirs)
        value = typed(type(metric).__name__, "jaccard", pred=pred, target=target, per="class").value
        assert 1.0 - value == pytest.approx(float(metric.result()), rel=1e-6)


def test_generalized_dice_of_optax() -> None:
    jax = pytest.importorskip("jax")
    module = pytest.importorskip("optax").losses
    jax.config.update("jax_enable_x64", True)
    scores = RNG.normal(size=(5, 6, C))
    masks = np.eye(C)[RNG.integers(0, C, (5, 6))]
    expected = module.multiclass_generalized_dice_loss(scores, masks)
    command = "dice --input class-logits --smooth 2 --per image-class --row none --reduction none"
    result = typed("multiclass_generalized_dice_loss", command, pred=scores, target=masks)
    weight = 1.0 / (masks.sum(axis=(0, 1)) ** 2 + 1e-7)
    value = np.mean(np.reshape(result.per_sample, (5, C)) * weight * C / weight.sum())
    assert value == pytest.approx(float(expected), rel=1e-12)


def test_losses_that_optax_makes_of_functions() -> None:
    jax = pytest.importorskip("jax")
    module = pytest.importorskip("optax").losses
    jax.config.update("jax_enable_x64", True)
    scores = RNG.normal(size=(24, C))
    cases = [
        ("logsumexp it is cross-entropy", jax.scipy.special.logsumexp, "cross-entropy"),
        ("max multiclass-perceptron", jax.numpy.max, "multiclass-perceptron"),
    ]
    for said, function, name in cases:
        assert said in absent("make_fenchel_young_loss")
        expected = module.make_fenchel_young_loss(function)(scores, ONE_HOT).mean()
        value = losscli.compute(name, pred=scores, target=CLASSES).value
        assert value == pytest.approx(float(expected), rel=1e-12)


def test_sparsemax_of_two_classes() -> None:
    """As the manual of modified-huber says, which sparsemax names for one column of scores."""
    jax = pytest.importorskip("jax")
    module = pytest.importorskip("optax").losses
    jax.config.update("jax_enable_x64", True)
    scores = 2.0 * REAL
    expected = float(module.sparsemax_loss(scores, LABELS).mean())
    huber = losscli.compute("modified-huber", pred=scores, target=LABELS, labels="0,1").value
    assert huber / 4.0 == pytest.approx(expected, rel=1e-12)
    pair = np.stack([np.zeros(24), scores], axis=1)
    of_classes = losscli.compute("sparsemax_loss", pred=pair, target=LABELS).value
    assert of_classes == pytest.approx(expected, rel=1e-12)


def test_weights_of_the_items_of_a_list() -> None:
    """Optax multiplies labels by them, as the manual of ranking-softmax says."""
    jax = pytest.importorskip("jax")
    module = pytest.importorskip("optax").losses
    jax.config.update("jax_enable_x64", True)
    scores, relevance, weights = RNG.uniform(0.0, 3.0, (3, 24, C))
    expected = module.ranking_softmax_loss(scores, relevance, weights=weights)
    value = losscli.compute("ranking-softmax", pred=scores, target=relevance * weights).value
    assert value == pytest.approx(float(expected), rel=1e-12)


def test_rankings_are_had_of_the_same_data() -> None:
    scores, true = RNG.normal(size=(6, C)), np.eye(C)[[0, 1, 2, 3, 0, 1]]
    true[0, 1] = 1.0
    for name in ("label_ranking_loss", "coverage_error"):
        assert typed(name, "multilabel-margin --targets multi-hot", pred=scores, target=true).n == 6
    assert "ranking-softmax" in absent("ndcg_score")
    assert losscli.compute("ranking-softmax", pred=scores, target=true).n == 6


#: errors of images and of faces, which compare places and channels
OF_IMAGES = {
    "lip_vertex_error",
    "relative_average_spectral_error",
    "root_mean_squared_error_using_sliding_window",
}


@pytest.mark.parametrize(
    "module", ["sklearn.metrics", *(f"torchmetrics.functional{part}" for part in PARTS)]
)
def test_every_error_of_a_library_is_known(module: str) -> None:
    found = vars(pytest.importorskip(module))
    names = {name for name in found if name.endswith(("error", "loss", "eer", "f1_score"))}
    assert names
    unknown = {name for name in names if CATALOGUE.find(name) is None and not absent(name)}
    assert unknown <= OF_IMAGES

"""Every dialect of Keras, torchmetrics and optax against the library itself.

The libraries are called as they are without any argument, in float64, on random inputs with zeros,
ties and certainties among them. A table for each says which calls are not `f(pred, target)`.
"""

import functools
import inspect
import os
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import losscli
from losscli.errors import DataError, UsageError
from losscli.losses import CATALOGUE, Loss
from losscli.losses.domains import By, Interval, Unless
from losscli.losses.registry import absent
from tests import generate

os.environ.setdefault("KERAS_BACKEND", "torch")
torch = pytest.importorskip("torch")
Arrays = dict[str, Any]
Call = Callable[[Callable[..., Any], Arrays], Any]
SEEDS = range(2)
C = generate.CLASSES
#: what is float32 there whatever the inputs: the ln 2 of Keras's LogCosh, torch's CTC in Keras,
#: torchmetrics' counts and the vectors of its cosines
SINGLE = {
    ("keras", "log-cosh"): 3e-7,
    ("keras", "ctc"): 1e-6,
    ("torchmetrics", "hamming"): 1e-7,
    ("torchmetrics", "cosine-similarity"): 3e-6,
}


def plain(function: Callable[..., Any], given: Arrays, **options: Any) -> Any:
    """f(pred, target), whatever these are called here."""
    return function(*given.values(), **options)


def whole(function: Callable[..., Any], given: Arrays, **options: Any) -> Any:
    """Targets as whole numbers."""
    return function(given["pred"], given["target"].long(), **options)


def swapped(function: Callable[..., Any], given: Arrays) -> Any:
    """f(target, pred)."""
    pred, target = list(given.values())[:2]
    return function(target, pred)


def with_options(**options: Any) -> Call:
    """f(pred, target, …)."""
    return lambda function, given: function(*given.values(), **options)


# Keras ------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def keras() -> Any:
    """Keras in float64 throughout: without its table that makes float32 of intermediate results."""
    module = pytest.importorskip("keras")
    dtypes = pytest.importorskip("keras.src.backend.common.dtypes")
    before, table = module.backend.floatx(), dict(dtypes.BIT64_TO_BIT32_DTYPE)
    module.backend.set_floatx("float64")
    dtypes.BIT64_TO_BIT32_DTYPE.clear()
    yield module
    module.backend.set_floatx(before)
    dtypes.BIT64_TO_BIT32_DTYPE.update(table)


def hot(function: Callable[..., Any], given: Arrays) -> Any:
    """One-hot targets."""
    return function(np.eye(C)[given["target"].astype(int)], given["pred"])


def keras_metric(metric: Any, given: Arrays) -> Any:
    metric.update_state(given["target"], given["pred"])
    return metric.result()


KERAS: dict[str, Call] = {
    "categorical-hinge": hot,
    "categorical-focal": hot,
    "cross-entropy": hot,
    "rmse": keras_metric,
}
# torchmetrics -----------------------------------------------------------------------------------


TORCHMETRICS: dict[str, Call] = {
    "rmse": with_options(squared=False),
    "minkowski": with_options(p=2.0),
    "poisson-deviance": with_options(power=1),
    "gamma-deviance": with_options(power=2),
    "kl-divergence": swapped,
    "js-divergence": swapped,
    "hinge": whole,
    "squared-hinge": lambda f, given: whole(f, given, squared=True),
    "multiclass-hinge": lambda f, given: whole(f, given, num_classes=C),
    "hamming": lambda f, given: whole(f, given, task="multilabel", num_labels=C),
    "perplexity": lambda f, given: whole(f, {k: v[None] for k, v in given.items()}),
}

# optax ------------------------------------------------------------------------------------------


def class_targets(function: Callable[..., Any], given: Arrays) -> Any:
    """Class indices as whole numbers."""
    return function(given["pred"], given["target"].astype(int))


def of_rows(function: Callable[..., Any], given: Arrays) -> Any:
    """A loss that takes one row at a time."""
    jax = pytest.importorskip("jax")
    return jax.vmap(function)(given["pred"], given["target"].astype(int))


def views(function: Callable[..., Any], given: Arrays) -> Any:
    """Both views in one array, and the number of each row as its label."""
    np_ = pytest.importorskip("jax.numpy")
    labels = np_.arange(len(given["x1"]))
    return function(np_.concatenate([given["x1"], given["x2"]]), np_.concatenate([labels] * 2))


def paddings(function: Callable[..., Any], given: Arrays) -> Any:
    """1 where there is nothing any more, in place of lengths."""
    np_ = pytest.importorskip("jax.numpy")
    target = given["target"]
    return function(given["pred"], np_.zeros(given["pred"].shape[:2]), target, 1.0 * (target < 0))


OPTAX: dict[str, Call] = {
    "cross-entropy": class_targets,
    "multiclass-hinge": of_rows,
    "sparsemax": class_targets,
    "poly-cross-entropy": lambda f, given: f(given["pred"], np.eye(C)[given["target"].astype(int)]),
    "nt-xent": views,
    "ctc": paddings,
}


def random(loss: Loss, library: str, seed: int, rows: int = 8) -> Arrays:
    """Inputs for the dialect; elements in rows of three, and whole numbers among them."""
    options = loss.dialects[library].of(library)
    params = {name: value for name, value in options.items() if name in loss.parameters}
    rng = np.random.default_rng(seed)
    arrays = generate.inputs(loss, 3 * rows, rng, **params)
    context = loss.resolve(params)
    for name, array in arrays.items():
        domain = loss.roles[name].shapes[0][1]
        domain = domain.resolve(context) if isinstance(domain, By) else domain
        domain = domain.domain if isinstance(domain, Unless) else domain
        if isinstance(domain, Interval):
            some = np.where(rng.random(array.shape) < 0.2, np.round(array), array)
            arrays[name] = np.where(domain.allows(some, context), some, array)
    if "labels" in options:
        arrays["target"] = 0.5 * (arrays["target"] + 1.0)
    if loss.name == "ctc":  # 0 is the blank, which ends a list in Keras
        end = 0.0 if library == "keras" else -1.0
        labels = rng.integers(1, C, arrays["target"].shape).astype(float)
        arrays["target"] = np.where(arrays["target"] < 0, end, labels)
    if loss.name == "hamming":
        return {"pred": rng.random((24, C)), "target": np.round(rng.random((24, C)))}
    if generate.elementwise(loss):
        arrays = {name: array.reshape(rows, 3) for name, array in arrays.items()}
    if library == "optax" and loss.kind == "pooled":  # the last axis is of channels
        arrays = {name: array[..., None] for name, array in arrays.items()}
    return arrays


def declared(library: str) -> list[Any]:
    return [
        pytest.param(loss, seed, id=f"{loss.name}-{seed}")
        for loss in CATALOGUE
        if library in loss.dialects
        for seed in SEEDS
    ]


def resolve(module: Any, path: str) -> Any:
    """What a dotted name stands for, without the arguments that it may show."""
    for part in path.partition("(")[0].split("."):
        module = getattr(module, part)
    return module


def check(loss: Loss, library: str, arrays: Arrays, expected: Any) -> None:
    """Our value, of the dialect alone, is the library's; both are float64, added in any order."""
    value = losscli.compute(loss.name, dialect=library, **arrays).value
    rel = SINGLE.get((library, loss.name), 1e-11)
    np.testing.assert_allclose(value, np.asarray(expected, float), rtol=rel, atol=1e-14)


@pytest.mark.parametrize(("loss", "seed"), declared("keras"))
def test_keras(loss: Loss, seed: int, keras: Any) -> None:
    arrays = random(loss, "keras", seed)
    call = KERAS.get(loss.name, swapped)
    result = call(resolve(keras, loss.dialects["keras"].call)(), arrays)
    check(loss, "keras", arrays, keras.ops.convert_to_numpy(result))


@pytest.mark.parametrize(("loss", "seed"), declared("torchmetrics"))
def test_torchmetrics(loss: Loss, seed: int) -> None:
    module = pytest.importorskip("torchmetrics")
    arrays = random(loss, "torchmetrics", seed)
    tensors = {name: torch.tensor(array) for name, array in arrays.items()}
    call = TORCHMETRICS.get(loss.name, plain)
    check(
        loss,
        "torchmetrics",
        arrays,
        call(resolve(module, loss.dialects["torchmetrics"].call), tensors),
    )


@pytest.mark.parametrize(("loss", "seed"), declared("optax"))
def test_optax(loss: Loss, seed: int) -> None:
    jax = pytest.importorskip("jax")
    module = pytest.importorskip("optax")
    jax.config.update("jax_enable_x64", True)
    arrays = random(loss, "optax", seed)
    given = {name: jax.numpy.asarray(array) for name, array in arrays.items()}
    result = OPTAX.get(loss.name, plain)(resolve(module, loss.dialects["optax"].call), given)
    check(loss, "optax", arrays, np.mean(result))


#: classes among a library's losses that are none
NO_LOSSES = {"Loss": "the base class of Keras's losses"}


def test_every_loss_of_torch_nn_has_its_name_here() -> None:
    names = set(torch.nn.modules.loss.__all__) | {"AdaptiveLogSoftmaxWithLoss"}
    missing = {name for name in names if CATALOGUE.find(name) is None}
    assert missing == {"AdaptiveLogSoftmaxWithLoss"}
    assert absent("AdaptiveLogSoftmaxWithLoss")


def test_every_loss_of_keras_has_its_name_here(keras: Any) -> None:
    names = {name for name, value in vars(keras.losses).items() if isinstance(value, type)}
    functions = {n for n, v in vars(keras.losses).items() if callable(v) and n.islower()}
    functions -= {"get", "serialize", "deserialize"}
    assert len(names) > 20
    missing = {name for name in names | functions if CATALOGUE.find(name) is None}
    assert missing == set(NO_LOSSES)


def test_every_loss_of_optax_has_its_name_here() -> None:
    pytest.importorskip("jax")
    module = pytest.importorskip("optax").losses
    names = {n for n, v in vars(module).items() if inspect.isfunction(v) and n[0] != "_"}
    assert len(names) > 20
    known = {n for n in names if CATALOGUE.find(n) is not None or absent(n)}
    assert names - known == {"smooth_labels"}, "it makes labels, and no loss"


RNG = np.random.default_rng(5)


def test_dice_of_classes_in_optax() -> None:
    """Several columns are classes there: without what says so, they are refused."""
    jax = pytest.importorskip("jax")
    dice_loss = pytest.importorskip("optax").losses.dice_loss
    jax.config.update("jax_enable_x64", True)
    scores = RNG.normal(size=(5, 4, 6, C))
    masks = np.eye(C)[RNG.integers(0, C, (5, 4, 6))]
    ours = functools.partial(losscli.compute, "tversky", target=masks, dialect="optax")
    for refused in ({}, {"input": "class-logits"}, {"per": "image-class"}):
        with pytest.raises(UsageError, match=f"classes, of which there are {C}") as error:
            ours(pred=scores, **refused)
        assert error.value.hint.startswith("--input class-logits --per image-class")
    ours = functools.partial(ours, per="image-class")
    p = np.exp(scores) / np.exp(scores).sum(axis=-1, keepdims=True)
    for theirs, options in (
        ({}, {}),
        ({"ignore_background": True}, {"include_background": False}),
        ({"alpha": 0.3, "beta": 0.7, "smooth": 0.5},
         {"fp_weight": 0.3, "fn_weight": 0.7, "smooth": 0.5}),
        ({"class_weights": np.arange(1.0, C + 1)}, {"class_weight": np.arange(1.0, C + 1)}),
        ({"class_weights": np.arange(1.0, C + 1), "ignore_background": True},
         {"class_weight": np.arange(1.0, C + 1), "include_background": False}),
    ):  # fmt: skip
        expected = float(dice_loss(scores, masks, **theirs).mean())
        value = ours(pred=scores, input="class-logits", **options).value
        assert value == pytest.approx(expected, rel=1e-12)
        assert ours(pred=p, input="probs", **options).value == pytest.approx(expected, rel=1e-12)
    one = losscli.compute(
        "tversky", pred=scores[..., :1], target=masks[..., :1], dialect="optax"
    ).value
    assert one == pytest.approx(float(dice_loss(scores[..., :1], masks[..., :1]).mean()), rel=1e-12)


@pytest.mark.parametrize("degree", [2, 4])
def test_triplets_of_optax_in_even_norms(degree: int) -> None:
    jax = pytest.importorskip("jax")
    module = pytest.importorskip("optax").losses
    jax.config.update("jax_enable_x64", True)
    triplets = dict(
        zip(("anchor", "positive", "negative"), RNG.normal(size=(3, 9, 4)), strict=True)
    )
    expected = module.triplet_margin_loss(*triplets.values(), norm_degree=degree)
    value = losscli.compute("triplet-margin", dialect="optax", p=degree, **triplets).value
    assert value == pytest.approx(float(expected.mean()), rel=1e-12)


@pytest.mark.parametrize("epsilon", [-1.0, -0.5, 0.0, 3.0])
def test_poly_losses_of_optax(epsilon: float) -> None:
    jax = pytest.importorskip("jax")
    poly_loss = pytest.importorskip("optax").losses.poly_loss_cross_entropy
    jax.config.update("jax_enable_x64", True)
    scores, classes = RNG.normal(size=(9, C)), RNG.integers(0, C, 9)
    expected = poly_loss(scores, np.eye(C)[classes], epsilon=epsilon).mean()
    value = losscli.compute(
        "poly-cross-entropy", pred=scores, target=classes, dialect="optax", epsilon=epsilon
    ).value
    assert value == pytest.approx(float(expected), rel=1e-12)


@pytest.mark.parametrize("loss", ["cross-entropy", "generalized-cross-entropy", "brier"])
def test_numpy_does_not_warn_of_the_largest_numbers(loss: str) -> None:
    given = {"pred": [[1.7e308, 1.7e308]], "target": [0]}
    if loss == "cross-entropy":
        assert losscli.compute(loss, **given).value == pytest.approx(np.log(2))
    else:
        with pytest.raises(DataError, match="expected values in"):
            losscli.compute(loss, **given)
    scores = {"pred": [[400.0, -400.0]], "target": [1]}
    assert losscli.compute("perplexity", dtype="float32", **scores).value == np.inf

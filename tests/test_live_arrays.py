"""Arrays of several axes in the dialects of Keras and optax, where every position is a sample.

The libraries are called as they are, in float64; the inputs are those of `test_live_libraries`.
"""

from typing import Any

import numpy as np
import pytest

import losscli
from losscli.losses import CATALOGUE, Loss
from tests.test_live_libraries import KERAS, OPTAX, SINGLE, keras, random, resolve, swapped

__all__ = ["keras"]  # the fixture
POSITIONS = [(4, 3), (2, 3, 4)]


def positions(loss: Loss, library: str, shape: tuple[int, ...]) -> dict[str, Any]:
    """Random rows, laid out over all axes but the last."""
    arrays = random(loss, library, 3, int(np.prod(shape)))
    return {name: x.reshape(*shape[:-1], -1, *x.shape[1:]) for name, x in arrays.items()}


def of(library: str, *without: str) -> Any:
    """The losses of a library whose rows have losses of their own."""
    return pytest.mark.parametrize(
        "loss",
        [
            each
            for each in CATALOGUE
            if library in each.dialects and each.kind == "row" and each.name not in without
        ],
        ids=lambda loss: loss.name,
    )


@pytest.mark.parametrize("shape", POSITIONS, ids=str)
@pytest.mark.parametrize("reduction", ["mean", "sum", "none"])
@of("keras", "ctc")
def test_keras(loss: Loss, reduction: str, shape: tuple[int, ...], keras: Any) -> None:
    arrays = positions(loss, "keras", shape)
    theirs = {"mean": "sum_over_batch_size"}.get(reduction, reduction)
    function = resolve(keras, loss.dialects["keras"].call)(reduction=theirs)
    expected = keras.ops.convert_to_numpy(KERAS.get(loss.name, swapped)(function, arrays))
    result = losscli.compute(loss.name, dialect="keras", reduction=reduction, **arrays)
    value = result.per_sample if reduction == "none" else result.value
    rtol = SINGLE.get(("keras", loss.name), 1e-11)
    np.testing.assert_allclose(np.ravel(value), np.ravel(expected), rtol=rtol, atol=1e-14)


@pytest.mark.parametrize("shape", POSITIONS, ids=str)
@of("optax", "ctc", "multiclass-hinge", "sparsemax")  # the last two take one row, or a table
def test_optax(loss: Loss, shape: tuple[int, ...]) -> None:
    jax, module = pytest.importorskip("jax"), pytest.importorskip("optax")
    jax.config.update("jax_enable_x64", True)
    arrays = positions(loss, "optax", shape)
    given = {name: jax.numpy.asarray(array) for name, array in arrays.items()}
    function = resolve(module, loss.dialects["optax"].call)
    expected = OPTAX.get(loss.name, lambda f, given: f(*given.values()))(function, given)
    result = losscli.compute(loss.name, dialect="optax", per_sample=True, **arrays)
    np.testing.assert_allclose(result.value, np.mean(expected), rtol=1e-11)
    if np.ndim(expected):  # some return a mean
        np.testing.assert_allclose(
            np.ravel(result.per_sample), np.ravel(expected), rtol=1e-11, atol=1e-14
        )


@pytest.mark.parametrize("positions_too", [False, True], ids=["rows", "positions"])
@pytest.mark.parametrize("name", ["mse", "cosine-similarity", "cross-entropy"])
def test_keras_weights(name: str, positions_too: bool, keras: Any) -> None:
    """A weight for each row, or for each position; Keras wants the others' axes too."""
    loss = CATALOGUE.losses[name]
    arrays = positions(loss, "keras", (2, 3, 4))
    weight = np.random.default_rng(1).uniform(size=(2, 3) if positions_too else (2,))
    function = resolve(keras, loss.dialects["keras"].call)()
    expected = KERAS.get(name, swapped)(
        lambda target, pred: function(
            target, pred, sample_weight=weight.reshape(2, -1, *(1,) * (np.ndim(target) - 3))
        ),
        arrays,
    )
    result = losscli.compute(name, dialect="keras", weight=weight, **arrays)
    assert result.value == pytest.approx(float(expected), rel=1e-11)

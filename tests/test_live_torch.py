"""Every loss with a dialect of torch against torch, over shapes, options, weights and extremes.

A case draws what the loss may be given: any number of rows, further axes where it has elements or
a map of classes, its parameters, weights of classes and of samples, an ignored class, and values
from very small to very large, with ties and zeros among them.
"""

import warnings
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import losscli
from losscli.losses import CATALOGUE
from losscli.losses.numerics import Array

torch = pytest.importorskip("torch")
F = torch.nn.functional

Options = dict[str, Any]


class Case(NamedTuple):
    """The same call, there and here: tensors and options, roles and options."""

    function: Callable[..., Any]
    inputs: tuple[Array, ...]
    options: Options
    roles: Options
    ours: Mapping[str, Any] = {}


class Draw:
    """What a case is made of."""

    def __init__(self, data: st.DataObject) -> None:
        self._data = data
        self.rng = np.random.default_rng(self.of(st.integers(0, 2**32 - 1)))
        self.rows = self.of(st.integers(1, 40))
        self.scale = self.of(st.sampled_from([1.0, 1e-12, 1e-6, 0.1, 10.0, 300.0, 1e4]))

    def of(self, strategy: st.SearchStrategy[Any]) -> Any:
        return self._data.draw(strategy)

    def one(self, *values: Any) -> Any:
        return self.of(st.sampled_from(values))

    def shape(self, *last: int) -> tuple[int, ...]:
        """Rows, up to three further axes, and then those that are given."""
        further = self.of(st.lists(st.integers(1, 3), max_size=3))
        return (self.rows, *further, *last)

    def real(self, shape: tuple[int, ...]) -> Array:
        """Numbers of the scale; with ties and zeros, where they are rounded."""
        values = self.scale * self.rng.normal(size=shape)
        return np.round(values) if self.of(st.booleans()) else values

    def positive(self, shape: tuple[int, ...]) -> Array:
        return self.rng.gamma(2.0, size=shape)

    def signs(self, shape: tuple[int, ...]) -> Array:
        return self.rng.choice([-1.0, 1.0], shape)

    def bits(self, shape: tuple[int, ...]) -> Array:
        return self.rng.choice([0.0, 1.0], shape)

    def shares(self, shape: tuple[int, ...]) -> Array:
        """Numbers in [0, 1], both ends among them."""
        return np.where(self.rng.random(shape) < 0.2, self.bits(shape), self.rng.random(shape))

    def distributions(self, shape: tuple[int, ...]) -> Array:
        return self.rng.dirichlet(np.ones(shape[-1]), shape[:-1])

    def weights(self, shape: tuple[int, ...]) -> Array:
        """Weights of which some are 0."""
        return np.where(self.rng.random(shape) < 0.2, 0.0, self.positive(shape))

    def sample_weight(self, shape: tuple[int, ...]) -> tuple[Options, Options]:
        """No weight, or one for each element."""
        if not self.of(st.booleans()):
            return {}, {}
        weight = self.weights(shape)
        return {"weight": torch.tensor(weight)}, {"weight": weight}

    def class_weight(self, classes: int) -> tuple[Options, Options]:
        """No weights, or one for each class."""
        if not self.of(st.booleans()):
            return {}, {}
        weight = self.weights((classes,))
        return {"weight": torch.tensor(weight)}, {"class_weight": weight}


def errors(function: Callable[..., Any], **options: Callable[[Draw], Any]) -> Any:
    """A loss of predictions and true values, with options of the same names in both."""

    def case(draw: Draw) -> Case:
        shape = draw.shape()
        pred, target = draw.real(shape), draw.real(shape)
        theirs, ours = draw.sample_weight(shape) if function is not F.smooth_l1_loss else ({}, {})
        chosen = {name: value(draw) for name, value in options.items()}
        return Case(
            function, (pred, target), theirs | chosen, {"pred": pred, "target": target},
            ours | chosen,
        )  # fmt: skip

    return case


def poisson(draw: Draw) -> Case:
    shape = draw.shape()
    log_rates, full, eps = draw.of(st.booleans()), draw.of(st.booleans()), draw.one(1e-8, 0.1)
    pred = draw.real(shape) if log_rates else draw.positive(shape)
    target = draw.rng.poisson(2.0, shape).astype(float)
    return Case(
        F.poisson_nll_loss,
        (pred, target),
        {"log_input": log_rates, "full": full, "eps": eps},
        {"pred": pred, "target": target},
        {
            "input": "log-rate" if log_rates else "rate",
            "full": "stirling" if full else "none",
            "eps": eps,
        },
    )


def gaussian(draw: Draw) -> Case:
    shape = draw.shape()
    pred, target = draw.real(shape), draw.real(shape)
    of_rows = len(shape) == 2 and draw.of(st.booleans())
    var = draw.weights(shape[:1] if of_rows else shape)
    options = {"full": draw.of(st.booleans()), "eps": draw.one(1e-6, 0.5)}
    roles = {"pred": pred, "target": target, "var": var}
    return Case(F.gaussian_nll_loss, (pred, target, var), options, roles, options)


def divergence(draw: Draw) -> Case:
    shape = draw.shape(4)
    log_target = draw.of(st.booleans())
    pred, target = np.log(draw.distributions(shape)), draw.distributions(shape)
    target = np.log(target) if log_target else target
    options = {"log_target": log_target}
    return Case(F.kl_div, (pred, target), options, {"pred": pred, "target": target}, options)


def binary(draw: Draw) -> Case:
    shape = draw.shape()
    logits = draw.of(st.booleans())
    target = draw.bits(shape) if draw.of(st.booleans()) else draw.shares(shape)
    theirs, ours = draw.sample_weight(shape)
    if not logits:
        pred = draw.shares(shape)
        roles = {"pred": pred, "target": target}
        return Case(F.binary_cross_entropy, (pred, target), theirs, roles, ours)
    pred = draw.real(shape)
    if draw.of(st.booleans()):
        ours["pos_weight"] = draw.weights(shape[-1:] if len(shape) > 1 else (1,))
        theirs["pos_weight"] = torch.tensor(ours["pos_weight"])
    roles = {"pred": pred, "target": target}
    ours["input"] = "logits"
    return Case(F.binary_cross_entropy_with_logits, (pred, target), theirs, roles, ours)


def classes_of(draw: Draw, scores: Array, ignored: int) -> Array:
    """True classes for scores with the classes on the second axis, some of them ignored."""
    count = scores.shape[1]
    target = draw.rng.integers(0, count, (scores.shape[0], *scores.shape[2:]))
    return np.where(draw.rng.random(target.shape) < draw.one(0.0, 0.3, 1.0), ignored, target)


def of_classes(function: Callable[..., Any], log: bool) -> Any:
    """A loss of scores with the classes on the second axis, where torch has them."""

    def case(draw: Draw) -> Case:
        count = draw.of(st.integers(2, 5))
        rows, *further = draw.shape()
        shape = (rows, count, *further)
        pred = draw.real(shape)
        if log:
            pred = np.log(np.moveaxis(draw.distributions((rows, *further, count)), -1, 1))
        theirs, ours = draw.class_weight(count)
        ignored = draw.one(-100, 0, -1)
        target: Array = classes_of(draw, pred, ignored)
        ours["ignore_index"] = theirs["ignore_index"] = ignored
        if not log:
            ours["label_smoothing"] = theirs["label_smoothing"] = draw.one(0.0, 0.1, 1.0)
            if draw.of(st.booleans()):  # a distribution for each row, with its classes there too
                target = np.moveaxis(draw.distributions((rows, *further, count)), -1, 1)
                del theirs["ignore_index"]
        if further:
            ours["class_axis"] = 1
        return Case(function, (pred, target), theirs, {"pred": pred, "target": target}, ours)

    return case


def linear(draw: Draw) -> Case:
    x, matrix = draw.real((draw.rows, 3)), draw.rng.normal(size=(4, 3))
    bias, target = draw.rng.normal(size=4), classes_of(draw, np.empty((draw.rows, 4)), -100)
    theirs, ours = draw.class_weight(4)
    ours["label_smoothing"] = theirs["label_smoothing"] = draw.one(0.0, 0.1)
    roles = {"x": x, "target": target, "linear_weight": matrix, "linear_bias": bias}
    return Case(
        lambda x, w, y, b, **options: F.linear_cross_entropy(x, w, y, linear_bias=b, **options),
        (x, matrix, target, bias),
        theirs,
        roles,
        ours,
    )


def hinge_embedding(draw: Draw) -> Case:
    shape = draw.shape()
    pred = draw.real(shape)
    target = draw.rng.choice([-1.0, 1.0, 0.0, 0.5], shape) if draw.one(0, 1) else draw.signs(shape)
    options = {"margin": draw.one(1.0, 0.0, -2.5)}
    roles = {"pred": pred, "target": target}
    return Case(F.hinge_embedding_loss, (pred, target), options, roles, options)


def soft_margin(draw: Draw) -> Case:
    shape = draw.shape()
    pred, target = draw.real(shape), draw.signs(shape)
    # torch's exponential exceeds every float from 710 on.
    pred = np.clip(pred, -700, 700)
    return Case(F.soft_margin_loss, (pred, target), {}, {"pred": pred, "target": target})


def ranking(draw: Draw) -> Case:
    shape = draw.shape()
    x1, x2, target = draw.real(shape), draw.real(shape), draw.signs(shape)
    options = {"margin": draw.one(0.0, 0.5, -1.0)}
    roles = {"x1": x1, "x2": x2, "target": target}
    return Case(F.margin_ranking_loss, (x1, x2, target), options, roles, options)


def multi_margin(draw: Draw) -> Case:
    count = draw.of(st.integers(2, 5))
    pred = draw.real((draw.rows, count))
    target = draw.rng.integers(0, count, draw.rows)
    theirs, ours = draw.class_weight(count)
    options = {"p": draw.one(1, 2), "margin": draw.one(1.0, 0.25)}
    roles = {"pred": pred, "target": target}
    return Case(F.multi_margin_loss, (pred, target), theirs | options, roles, ours | options)


def multilabel_margin(draw: Draw) -> Case:
    count = draw.of(st.integers(2, 5))
    pred = draw.real((draw.rows, count))
    order = draw.rng.permuted(np.tile(np.arange(count), (draw.rows, 1)), axis=1)
    ends = draw.rng.integers(0, count + 1, (draw.rows, 1))
    target = np.where(np.arange(count) < ends, order, -1)
    return Case(F.multilabel_margin_loss, (pred, target), {}, {"pred": pred, "target": target})


def multilabel_soft_margin(draw: Draw) -> Case:
    shape = draw.shape(draw.of(st.integers(2, 4)))
    pred = draw.real(shape)
    target = draw.bits(shape) if draw.of(st.booleans()) else draw.shares(shape)
    theirs, ours = draw.class_weight(shape[-1])
    roles = {"pred": pred, "target": target}
    return Case(F.multilabel_soft_margin_loss, (pred, target), theirs, roles, ours)


def triplets(draw: Draw) -> Case:
    shape = (draw.rows, draw.of(st.integers(1, 4)))
    three = draw.real(shape), draw.real(shape), draw.real(shape)
    options: Options = {"margin": draw.one(1.0, 0.01, 30.0), "swap": draw.of(st.booleans())}
    norm = {"p": draw.one(2.0, 1.0, 3.0, 0.5)}
    eps = draw.one(1e-6, 0.0, 0.1)
    roles = dict(zip(("anchor", "positive", "negative"), three, strict=True))
    return Case(
        F.triplet_margin_loss, three, {**options, **norm, "eps": eps}, roles,
        {**options, **norm, "distance_eps": eps},
    )  # fmt: skip


def triplets_with_distance(draw: Draw) -> Case:
    case = triplets(draw)
    options = {name: case.options[name] for name in ("margin", "swap")}
    return Case(F.triplet_margin_with_distance_loss, case.inputs, options, case.roles, options)


def cosine_embedding(draw: Draw) -> Case:
    shape = (draw.rows, draw.of(st.integers(1, 4)))
    x1, x2, target = draw.real(shape), draw.real(shape), draw.signs(shape[:1])
    options = {"margin": draw.one(0.0, 0.5, -0.5)}
    roles = {"x1": x1, "x2": x2, "target": target}
    return Case(F.cosine_embedding_loss, (x1, x2, target), options, roles, options)


def cosine_similarity(draw: Draw) -> Case:
    shape = (draw.rows, draw.of(st.integers(1, 4)))
    pred, target = draw.real(shape), draw.real(shape)
    options = {"eps": draw.one(1e-8, 0.5)}

    def function(x: Any, y: Any, reduction: str, eps: float) -> Any:
        cosines = F.cosine_similarity(x, y, eps=eps)
        return cosines if reduction == "none" else getattr(cosines, reduction)()

    return Case(function, (pred, target), options, {"pred": pred, "target": target}, options)


def ctc(draw: Draw) -> Case:
    frames, classes, longest = 6, 4, 3
    log_p = np.log(draw.distributions((draw.rows, frames, classes)))
    target = draw.rng.integers(1, classes, (draw.rows, longest))
    lengths = draw.rng.integers(0, longest + 1, draw.rows)
    used = draw.rng.integers(1, frames + 1, draw.rows)
    options = {"zero_infinity": draw.of(st.booleans())}

    def function(p: Any, y: Any, used: Any, lengths: Any, **given: Any) -> Any:
        return F.ctc_loss(p.transpose(0, 1), y, used, lengths, **given)

    roles = {"pred": log_p, "target": target, "input_lengths": used, "target_lengths": lengths}
    return Case(function, (log_p, target, used, lengths), options, roles, options)


CASES: dict[str, Callable[[Draw], Case]] = {
    "mse": errors(F.mse_loss),
    "mae": errors(F.l1_loss),
    "huber": errors(F.huber_loss, delta=lambda draw: draw.one(1.0, 0.1, 20.0)),
    "smooth-l1": errors(F.smooth_l1_loss, beta=lambda draw: draw.one(1.0, 0.0, 20.0)),
    "poisson-nll": poisson,
    "gaussian-nll": gaussian,
    "kl-divergence": divergence,
    "binary-cross-entropy": binary,
    "cross-entropy": of_classes(F.cross_entropy, log=False),
    "nll": of_classes(F.nll_loss, log=True),
    "linear-cross-entropy": linear,
    "ctc": ctc,
    "hinge-embedding": hinge_embedding,
    "soft-margin": soft_margin,
    "margin-ranking": ranking,
    "multi-margin": multi_margin,
    "multilabel-margin": multilabel_margin,
    "multilabel-soft-margin": multilabel_soft_margin,
    "triplet-margin": triplets,
    "triplet-margin-with-distance": triplets_with_distance,
    "cosine-embedding": cosine_embedding,
    "cosine-similarity": cosine_similarity,
}


@pytest.mark.parametrize("loss", CASES)
@settings(deadline=None, max_examples=40, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_torch(loss: str, data: st.DataObject) -> None:
    draw = Draw(data)
    case = CASES[loss](draw)
    reduction = draw.one("mean", "sum", "none")
    tensors = [torch.tensor(array) for array in case.inputs]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of what kl_div's mean divides by
        expected = case.function(*tensors, **case.options, reduction=reduction).numpy()
    # Its mean is the dialect's own.
    said = {} if reduction == "mean" else {"reduction": reduction}
    found = losscli.compute(
        loss, dialect="torch", per_sample=True, **case.roles, **case.ours, **said
    )
    value = found.per_sample if reduction == "none" else found.value
    # Sums of terms of both signs are off by as much as their largest term is.
    size = np.abs(np.where(np.isfinite(expected), expected, 0.0)).max(initial=1.0)
    np.testing.assert_allclose(
        np.ravel(value), np.ravel(expected), rtol=1e-10, atol=1e-12 * max(size, draw.scale)
    )


def test_every_torch_dialect_is_here() -> None:
    calls = {
        loss.name: loss.dialects["torch"].call for loss in CATALOGUE if "torch" in loss.dialects
    }
    assert CASES.keys() == calls.keys()
    assert all(hasattr(F, call.removeprefix("nn.functional.")) for call in calls.values())

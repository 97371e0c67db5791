"""What losses claim of themselves, against what they do.

A claim is said of one loss as a function of its prediction: of a row, or of a batch or a set of
`GROUP` rows. Each test runs both ways, so that a property that is denied is one that fails.
"""

import json
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import numpy as np
import pytest

from losscli.losses import CATALOGUE, Loss
from losscli.losses.domains import Domain, Interval, Unless
from losscli.losses.properties import TASKS, Properties
from losscli.losses.registry import Pooled, as_rows
from losscli.losses.row_domains import Box, Distribution, LogDistribution
from tests import generate
from tests.conftest import Run

#: a weight of classes is no loss, an error of labels has steps everywhere, and of the others
#: random inputs show too little
NO_CLAIMS = {"class-balanced-weights", "zero-one", "hamming", "dpo", "ipo", "perplexity", "rmsle"}
LOSSES = [loss for loss in CATALOGUE if loss.name not in NO_CLAIMS]
every_loss = pytest.mark.parametrize("loss", LOSSES, ids=lambda loss: loss.name)
GROUP = 5
DRAWS = {"row": 4000, "pooled": 300, "batch": 150}
Array = Any
Arrays = dict[str, Any]


def claims(loss: Loss) -> Properties:
    assert loss.properties is not None
    return loss.properties


def rows_like(array: Array) -> tuple[int, ...]:
    """The shape of one value a row that goes with an array."""
    return (len(array), *[1] * (array.ndim - 1))


def domain_of(loss: Loss, role: str) -> Domain:
    domain = loss.roles[role].shapes[0][1]
    if hasattr(domain, "resolve"):
        domain = domain.resolve(loss.resolve({}))
    return domain.domain if isinstance(domain, Unless) else domain


def settled(loss: Loss, function: Callable[..., Any], arrays: Arrays) -> Array:
    """The losses of rows, or the loss of a set."""
    result = function(**arrays)
    if isinstance(result, Pooled):
        result = result.finish(**{name: np.sum(array) for name, array in result.sums.items()})
        return as_rows(result).loss
    rows = as_rows(result).loss
    if rows.ndim == 1:
        return rows
    flat = rows.reshape(len(rows), -1)
    return flat.sum(axis=1) if loss.row == "sum" else flat.mean(axis=1)


def group(loss: Loss, arrays: Arrays, i: int) -> Arrays:
    """The rows of one draw."""
    return generate.each_row(loss, arrays, lambda array: array[GROUP * i :][:GROUP])


def losses(loss: Loss, arrays: Arrays) -> Array:
    """One loss a draw, each of one row or of `GROUP` of them."""
    with np.errstate(all="ignore"):
        if loss.kind == "row":
            return settled(loss, loss.function, arrays)
        draws = len(arrays[claims(loss).role]) // GROUP
        return np.array([np.mean(settled(loss, loss.function, part)) for part in
                         (group(loss, arrays, i) for i in range(draws))])  # fmt: skip


class Draws(NamedTuple):
    """Random inputs, and the prediction among them with one draw a row."""

    loss: Loss
    arrays: Arrays

    @property
    def pred(self) -> Array:
        array = self.arrays[claims(self.loss).role]
        size = 1 if self.loss.kind == "row" else GROUP
        return array.reshape(len(array) // size, -1)

    def at(self, pred: Array) -> Array:
        """The losses of other predictions."""
        role = claims(self.loss).role
        return losses(self.loss, {**self.arrays, role: pred.reshape(self.arrays[role].shape)})


def draw(loss: Loss, seed: int, count: int = 0) -> Draws:
    """Inputs inside their domains; where labels may be soft, a third of them are hard."""
    rng = np.random.default_rng(seed)
    rows = count or DRAWS[loss.kind]
    arrays = generate.inputs(loss, rows * (1 if loss.kind == "row" else GROUP), rng, whole=True)
    for name, array in arrays.items():
        domain = domain_of(loss, name)
        if isinstance(domain, Interval) and np.isfinite([domain.low, domain.high]).all():
            hard = rng.random(array.shape) < 0.3
            arrays[name] = np.where(hard & (name != claims(loss).role), np.round(array), array)
    return Draws(loss, arrays)


def predictions(loss: Loss, like: Draws, rng: np.random.Generator) -> Array:
    """Other predictions, well inside their domain and of several scales."""
    role = claims(loss).role
    domain, shape = domain_of(loss, role), like.arrays[role].shape
    other = generate.values(domain, shape, rng)
    if isinstance(domain, Interval):
        low, high = domain.low, domain.high
        if np.isfinite(high):
            other = low + (high - low) * (0.02 + 0.96 * (other - low) / (high - low))
        elif np.isfinite(low):
            other = low + 0.05 + (other - low) * rng.choice([0.1, 1.0, 5.0], shape)
        else:
            other = other * rng.choice([0.1, 1.0, 5.0], rows_like(other))
    if isinstance(domain, Distribution):
        other = 0.98 * other + 0.02 / shape[-1]
    return other.reshape(like.pred.shape)


@every_loss
def test_convex(loss: Loss) -> None:
    """The loss at a middle is at most the middle of the losses; or there is a counterexample."""
    draws = draw(loss, 1)
    rng = np.random.default_rng(2)
    worst = -np.inf
    for _ in range(3):
        one, other = predictions(loss, draws, rng), predictions(loss, draws, rng)
        with np.errstate(invalid="ignore"):
            chord = 0.5 * (draws.at(one) + draws.at(other))
            excess = (draws.at(0.5 * (one + other)) - chord) / (1.0 + np.abs(chord))
        worst = max(worst, float(np.nanmax(excess)))
    if claims(loss).convex:
        assert worst < 1e-12
    else:
        assert worst > 1e-3


def lines(loss: Loss, draws: Draws) -> Iterator[tuple[Array, Array]]:
    """Segments of predictions: between random ones, and through what is special to a loss."""
    rng = np.random.default_rng(3)
    role = claims(loss).role
    domain = domain_of(loss, role)
    for _ in range(2):
        one = predictions(loss, draws, rng)
        yield one, predictions(loss, draws, rng)
        yield one, one + 0.1 * (predictions(loss, draws, rng) - one)
    if not (type(domain) is Interval and domain.is_everything):
        return
    shape = draws.arrays[role].shape
    margin = float(loss.resolve({}).get("margin", 0.5))
    points = [np.full(shape, x) for x in (0.0, 1.0, -1.0, margin)]
    points += [a for n, a in draws.arrays.items() if n != role and np.shape(a) == shape]
    for point in points:
        # The point is no node of a line that is cut in tens.
        step = rng.normal(size=shape)
        yield (
            (point - 0.37 * step).reshape(draws.pred.shape),
            (point + 0.63 * step).reshape(draws.pred.shape),
        )


def jump(draws: Draws, start: Array, end: Array) -> Array:
    """The greatest jump of the slope on each segment that is still there as one looks closer.

    A second difference is h times a jump of the slope, and h² times a curvature. Looking closer at
    the largest of them, again and again, leaves the jump.
    """
    low, width = np.zeros(len(start)), np.ones(len(start))
    for cuts in (40, 10, 10, 10, 10, 10):
        h = width / cuts
        nodes = low[:, None] + h[:, None] * np.arange(cuts + 1)
        values = np.stack([draws.at(start + nodes[:, i, None] * (end - start))
                           for i in range(cuts + 1)], axis=1)  # fmt: skip
        with np.errstate(invalid="ignore"):
            bends = np.abs(np.diff(values, 2, axis=1))
        at = np.argmax(np.nan_to_num(bends, nan=-1.0), axis=1)
        bend = np.take_along_axis(bends, at[:, None], axis=1)[:, 0]
        slope = np.take_along_axis(np.abs(np.diff(values, axis=1)), at[:, None], axis=1)[:, 0]
        low, width = low + h * at, 2.0 * h
    return bend / h / (1.0 + slope / h)


@every_loss
def test_differentiable(loss: Loss) -> None:
    """No kink on any segment; or there is one."""
    draws = draw(loss, 4, 400 if loss.kind == "row" else 40)
    largest = max(float(np.nanmax(jump(draws, *line))) for line in lines(loss, draws))
    if claims(loss).differentiable:
        assert largest < 2e-2
    else:
        assert largest > 0.2


def ends(loss: Loss, draws: Draws) -> Iterator[Array]:
    """Predictions at the ends of a domain that has any."""
    role = claims(loss).role
    domain, shape = domain_of(loss, role), draws.arrays[role].shape
    rng = np.random.default_rng(5)
    if isinstance(domain, Distribution):
        yield np.eye(shape[-1])[rng.integers(0, shape[-1], shape[:-1])].reshape(draws.pred.shape)
    if isinstance(domain, Interval):
        for end in (domain.low, domain.high):
            if np.isfinite(end):
                yield np.full(draws.pred.shape, end)


def far(loss: Loss, draws: Draws, size: float) -> Array | None:
    """Predictions that are off by about `size`, where the domain goes so far."""
    role = claims(loss).role
    domain, shape = domain_of(loss, role), draws.arrays[role].shape
    step = size * np.random.default_rng(6).normal(size=shape)
    if isinstance(domain, Interval) and np.isinf(domain.high):
        pred = draws.arrays[role] + (step if np.isinf(domain.low) else abs(step))
    elif isinstance(domain, LogDistribution):
        pred = step - np.logaddexp.reduce(step, axis=-1, keepdims=True)
    elif isinstance(domain, Box):
        pred = draws.arrays[role] + step[..., :1]
    else:
        return None
    return pred.reshape(draws.pred.shape)


@every_loss
def test_robust(loss: Loss) -> None:
    """Over the error, the loss does not grow from 1e4 to 1e8, and is nowhere infinite."""
    draws = draw(loss, 7, 1000 if loss.kind == "row" else 40)
    growth = [np.where(np.isfinite(draws.at(pred)), 1.0, np.inf) for pred in ends(loss, draws)]
    near, farther = far(loss, draws, 1e4), far(loss, draws, 1e8)
    if near is not None and farther is not None:
        far_off, nearer = np.abs(draws.at(farther)), np.abs(draws.at(near))
        with np.errstate(invalid="ignore"):
            ratio = np.where(np.isinf(far_off), np.inf, far_off / 1e8 / (nearer / 1e4 + 1e-12))
        growth.append(np.where(far_off < 1.0, 0.0, ratio))
    worst = max(float(np.nanmax(each)) for each in growth)
    if claims(loss).robust:
        assert worst < 10.0
    else:
        assert worst > 1e3


def extreme(loss: Loss, rng: np.random.Generator, rows: int) -> Arrays:
    """Inputs of every size, at the ends of their domains, and equal to one another."""
    arrays = generate.inputs(loss, rows, rng, whole=True)
    for name, array in arrays.items():
        domain = domain_of(loss, name)
        if isinstance(domain, Interval):
            low, high = domain.low, domain.high
            if np.isfinite(high):
                array = np.where(rng.random(array.shape) < 0.5, np.round(array), array)
            else:
                base = low if np.isfinite(low) else 0.0
                power = 10.0 ** rng.choice([-12, -3, 0, 3], rows_like(array))
                array = base + (array - base) * power
                if np.isfinite(low):
                    edge = low + ((1e-12 if low else 1e-300) if domain.open_low else 0.0)
                    array = np.where(rng.random(array.shape) < 0.3, edge, array)
        elif isinstance(domain, (Distribution, LogDistribution)):
            sure = np.eye(array.shape[-1])[rng.integers(0, array.shape[-1], array.shape[:-1])]
            with np.errstate(divide="ignore"):
                sure = sure if isinstance(domain, Distribution) else np.log(sure)
            array = np.where(rng.random(rows_like(array)) < 0.5, sure, array)
        elif isinstance(domain, Box):
            sides = 10.0 ** rng.choice([-6.0, 0.0, 6.0], (rows, 2))
            corner = array[:, :2] * 10.0 ** rng.choice([0.0, 4.0, 8.0], (rows, 1))
            array = np.concatenate([corner, corner + sides], axis=1)
        arrays[name] = array
    role = claims(loss).role
    for name, array in arrays.items():
        if name != role and np.shape(array) == np.shape(arrays[role]):
            same = rng.random(len(array)) < 0.3
            own = domain_of(loss, name)
            if own == domain_of(loss, role) or isinstance(own, Interval):
                arrays[role] = np.where(same.reshape(rows_like(array)), array, arrays[role])
    return arrays


@every_loss
def test_bounds(loss: Loss) -> None:
    """Every loss is within the bounds, and they are the narrowest."""
    bounds = claims(loss).bounds
    assert bounds is not None
    low, high = bounds
    rng = np.random.default_rng(8)
    # Small sets and batches are the ones in which anything can happen.
    rows, times = (8000, 1) if loss.kind == "row" else (3, 2000)
    with np.errstate(all="ignore"):
        parts = [settled(loss, loss.function, extreme(loss, rng, rows)) for _ in range(times)]
    seen = np.concatenate([np.atleast_1d(part) for part in parts])
    seen = seen[~np.isnan(seen)]
    assert len(seen) > 0
    assert seen.min() >= low - 1e-9
    assert seen.max() <= high + 1e-9
    if np.isfinite(low):
        assert seen.min() < low + 0.02
    else:
        assert seen.min() < -100
    if np.isfinite(high):
        assert seen.max() > high - 0.02
    else:
        # Where only a larger batch costs more, it does so without end.
        assert seen.max() > 100 or loss.kind == "batch"


@pytest.mark.parametrize("loss", [s for s in LOSSES if s.kind == "batch"], ids=lambda s: s.name)
def test_losses_of_batches_grow_with_the_batch(loss: Loss) -> None:
    """Each row eight times is more to be told from, by a factor of at least two."""
    arrays = draw(loss, 9, 2).arrays
    more = {name: np.concatenate([array] * 8) for name, array in arrays.items()}
    few, many = (settled(loss, loss.function, each).max() for each in (arrays, more))
    assert many > few + np.log(2.0)


@pytest.mark.parametrize("loss", list(CATALOGUE), ids=lambda loss: loss.name)
def test_declaration(loss: Loss) -> None:
    properties = loss.properties
    assert properties is not None, "every loss says what it is like"
    assert properties.task in TASKS
    assert properties.units
    assert properties.role in loss.roles
    if loss.name in NO_CLAIMS:
        assert {properties.convex, properties.differentiable, properties.robust} == {None}
        return
    for claim in (properties.convex, properties.differentiable, properties.robust):
        assert isinstance(claim, bool)
    assert properties.bounds is not None
    assert properties.bounds[0] < properties.bounds[1]
    if np.isfinite(properties.bounds).all():
        assert properties.robust, "what is bounded grows at most linearly"


def test_a_role_called_pred_is_the_prediction() -> None:
    named = {s.name for s in LOSSES if "pred" in s.roles and claims(s).role != "pred"}
    assert named == {"contrastive"}  # whose pred is a distance, and x1 what a model gives


def test_info_shows_properties(run: Run) -> None:
    document = json.loads(run("info", "huber", "-f", "json").stdout)
    assert document["properties"] == {
        "task": "regression",
        "units": "squared units of y",
        "convex": True,
        "differentiable": True,
        "robust": True,
        "bounds": [0, "Infinity"],
        "role": "pred",
    }
    page = " ".join(run("info", "cosine-embedding").stdout.split())
    assert "Properties For metric-learning. Units: none. From 0 to 2. In --x1: not convex" in page


def test_list_shows_properties(run: Run) -> None:
    header, first, *_ = (line.split("\t") for line in run("list", "-f", "tsv").stdout.splitlines())
    about = dict(zip(header, first, strict=True))
    assert (about["name"], about["task"], about["convex"]) == ("mse", "regression", "True")
    assert (about["robust"], about["low"], about["high"]) == ("False", "0", "inf")
    table = run("list", "-f", "table").stdout
    assert "convex" not in table.splitlines()[1]


@pytest.mark.parametrize("task", TASKS)
def test_list_by_task(run: Run, task: str) -> None:
    found = json.loads(run("list", "--task", task.replace("-", " "), "-f", "json").stdout)
    assert [r["name"] for r in found] == [s.name for s in CATALOGUE if task == s.properties.task]
    assert found


def test_tasks_get_suggestions(run: Run) -> None:
    done = run("list", "--task", "regresion")
    assert (done.returncode, done.stderr) == (
        2,
        "error: no task 'regresion'\nhint: did you mean regression?\n",
    )

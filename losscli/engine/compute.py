"""One pass over the inputs: check, compute, sum; per-row losses go to whoever wants them."""

from dataclasses import dataclass, field
from typing import Any, NamedTuple, Protocol

import numpy as np

from losscli.data.inputs import WEIGHT, Block, Inputs
from losscli.engine import reductions
from losscli.engine.reductions import Reduction, Row
from losscli.engine.totals import RowValues, Totals, reduce_rows
from losscli.errors import UsageError
from losscli.losses.numerics import Array
from losscli.losses.registry import Rows


class Sink(Protocol):
    """Where the losses of rows go, block after block."""

    def start(self, inputs: Inputs) -> None:
        """Told once, before the first block."""

    def block(self, block: Block, values: RowValues) -> None:
        """The losses of the rows that were kept of a block."""


class Value(NamedTuple):
    """One reduced value: which reduction, of which column where columns stay apart."""

    reduction: str
    row: Row
    column: str
    value: float
    n: int
    #: what the sum was divided by; None for a sum
    denominator: float | None


@dataclass
class Outcome:
    """All that one pass over the data found."""

    values: list[Value]
    rows: int
    skipped: int
    ignored: int
    warnings: list[str] = field(default_factory=list)


@dataclass
class _Watch:
    """What a user ought to hear about a result, gathered along the way."""

    first_nonfinite: tuple[int, float] | None = None
    #: every row so far of what should be logits is a distribution
    like_probabilities: bool = True

    def see_loss(self, block: Block, loss: Array, total: float) -> None:
        if np.isfinite(total) or self.first_nonfinite is not None:
            return
        bad = np.flatnonzero(~np.isfinite(loss.reshape(len(loss), -1)).all(axis=1))
        if len(bad):
            row = int(bad[0]) if block.rows is None else int(block.rows[bad[0]])
            self.first_nonfinite = (block.start + row + 1, float(np.ravel(loss[bad[0]])[0]))

    def see_logits(self, pred: Array) -> None:
        if self.like_probabilities:
            inside = pred.min() >= 0 and pred.max() <= 1
            sums = np.add.reduce(pred, axis=-1)
            self.like_probabilities = bool(inside and (np.abs(sums - 1) < 1e-6).all())


def compute(
    inputs: Inputs, params: dict[str, Any], names: list[str] | None, row: Row, sink: Sink | None,
) -> Outcome:  # fmt: skip
    """Evaluate a loss over its inputs and reduce it in each of the ways that are named."""
    loss = inputs.loss
    ways = {name: reductions.resolve(name, row) for name in names or ["mean", "weighted-mean"]}
    totals: dict[Row, Totals] = {way.row: Totals() for way in ways.values()}
    totals.setdefault(row, Totals())
    if sink is not None:
        sink.start(inputs)
    watch = _Watch()
    watch_logits = params.get("input") == "logits" and "C" in inputs.binding.context
    n = skipped = ignored = 0
    for block in inputs.blocks():
        n += block.length
        skipped += block.skipped
        if block.skipped == block.length:
            continue
        arrays = {name: array for name, array in block.arrays.items() if name != WEIGHT}
        weight = block.arrays.get(WEIGHT)
        with np.errstate(all="ignore"):
            result = loss.function(**arrays, **params)
        rows = result if isinstance(result, Rows) else Rows(result)
        if rows.keep is not None:
            ignored += rows.keep.size - int(np.count_nonzero(rows.keep))
        for mode, total in totals.items():
            with np.errstate(all="ignore"):
                values = reduce_rows(rows, weight, mode)
                total.add(values, mode)
            if mode == row:
                watch.see_loss(block, values.loss, sum(s.value for s in total.loss))
                if sink is not None:
                    sink.block(block, values)
        if watch_logits:
            watch.see_logits(arrays["pred"])
    if names is None:
        # By default a mean divides by the weights, where there are any.
        del ways["mean" if totals[row].weighted else "weighted-mean"]
    found = [
        value for name, way in ways.items() if name != "none"
        for value in _values(name, way, totals[way.row], inputs)
    ]  # fmt: skip
    outcome = Outcome(found, n, skipped, ignored)
    outcome.warnings = _warnings(outcome, watch, watch_logits and n > 0)
    return outcome


def _values(name: str, way: Reduction, totals: Totals, inputs: Inputs) -> list[Value]:
    columns = inputs.element_names(totals.columns) if totals.columns > 1 else [""]
    found = []
    for c, column in enumerate(columns):
        total, count = totals.loss[c].value, totals.count[c]
        denominator: float | None = None
        if way.name == "mean":
            denominator = count
        elif way.name == "weighted-mean":
            denominator = totals.weight[c].value if totals.weighted else count
        value = total if denominator is None else _ratio(total, denominator)
        found.append(Value(name, way.row, column, value, count, denominator))
    return found


def _ratio(total: float, denominator: float) -> float:
    """The mean of nothing is not a number."""
    return total / denominator if denominator else float("nan")


def _warnings(outcome: Outcome, watch: _Watch, watched_logits: bool) -> list[str]:
    found = []
    if outcome.rows == outcome.skipped:
        found.append("every row was skipped: there is no loss to reduce")
    elif outcome.ignored and all(value.n == 0 for value in outcome.values):
        found.append("every row is ignored: a mean is not a number")
    elif any(value.denominator == 0 for value in outcome.values):
        found.append("the weights add up to zero: the weighted mean is not a number")
    if watch.first_nonfinite is not None:
        row, value = watch.first_nonfinite
        found.append(f"the loss of row {row} is {value}")
    if watched_logits and watch.like_probabilities:
        found.append(
            "every row of pred lies in [0, 1] and adds up to 1, as probabilities do, "
            "but is read as logits: --input probs if it is not"
        )
    return found


def check_row(row: str | None, default: str) -> Row:
    """The row reduction asked for, or the loss's own."""
    for known in reductions.ROWS:
        if (row or default) == known:
            return known
    raise UsageError(f"--row: expected {', '.join(reductions.ROWS)}, got '{row}'")

"""One pass over the inputs: check, compute, sum; per-row losses go to whoever wants them."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, NamedTuple, Protocol

import numpy as np

from losscli.data.inputs import BY, WEIGHT, Block, Inputs
from losscli.engine import precision, reductions
from losscli.engine.pool import Pool, rows_of
from losscli.engine.precision import Precision
from losscli.engine.reductions import Per, Row
from losscli.engine.totals import RowValues, Totals, reduce_rows
from losscli.engine.watch import Watch
from losscli.errors import UsageError
from losscli.losses.numerics import Array
from losscli.losses.registry import Pooled, Rows, as_rows


class Sink(Protocol):
    """Where the losses of rows go, block after block."""

    def start(self, inputs: Inputs) -> None:
        """Told once, before the first block."""

    def block(self, block: Block, values: RowValues) -> None:
        """The losses of the rows that were kept of a block."""

    def groups(self, keys: list[Any], losses: Array) -> None:
        """The losses of groups of rows, at the end, where rows have none of their own."""


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
    rows: int = 0
    skipped: int = 0
    ignored: int = 0
    warnings: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Plan:
    """How losses are reduced."""

    #: the names of reductions; None for a mean that divides by the weights, where there are any
    names: list[str] | None
    row: Row
    per: Per = "all"
    dtype: Precision = "float64"


#: told after each block how many rows are done, and of how many if that is known
Told = Callable[[int, int | None], None]


def compute(
    inputs: Inputs,
    params: dict[str, Any],
    plan: Plan,
    sink: Sink | None = None,
    progress: Told | None = None,
) -> Outcome:
    """Evaluate a loss over its inputs and reduce it in each of the ways that are named."""
    run = _Run(inputs, params, plan, sink)
    if sink is not None:
        sink.start(inputs)
    for block in inputs.blocks():
        run.add(block)
        if progress is not None:
            progress(block.start + block.length, inputs.known_rows)
    return run.outcome()


class _Run:
    """The state of one pass."""

    def __init__(
        self, inputs: Inputs, params: dict[str, Any], plan: Plan, sink: Sink | None
    ) -> None:
        self._inputs, self._params, self._plan, self._sink = inputs, params, plan, sink
        names = plan.names or ["mean", "weighted-mean"]
        self._ways = {name: reductions.resolve(name, plan.row) for name in names}
        modes = dict.fromkeys([plan.row, *(way.row for way in self._ways.values())])
        self._function = precision.computed_in(plan.dtype, inputs.loss.function)
        self._totals = {mode: Totals(mode, names) for mode in modes}
        self._pool = self._new_pool()
        self._watch = Watch(params.get("input") == "logits" and "C" in inputs.binding.context)
        self._found = Outcome([])

    def _new_pool(self) -> Pool | None:
        """Where sums gather when a unit is more than a row."""
        loss, plan = self._inputs.loss, self._plan
        if loss.kind != "pooled":
            return None
        grouped = BY in self._inputs.roles_given
        if plan.per in ("image", "image-class") and not grouped:
            return None
        if plan.per in ("all", "class") and grouped:
            raise UsageError("--by groups rows into images", "--per image or --per image-class")
        if plan.per == "all" and plan.names is not None and "none" in plan.names:
            raise UsageError(
                f"{loss.name} over the whole set has one value, and no losses of rows",
                "--per image has one a row; with --by COLUMN, one a group of rows",
            )
        return Pool(plan.per)

    def add(self, block: Block) -> None:
        """Compute a block and add it to every sum."""
        found = self._found
        found.rows += block.length
        found.skipped += block.skipped
        arrays = {k: v for k, v in block.arrays.items() if k not in (WEIGHT, BY)}
        weight = block.arrays.get(WEIGHT)
        with np.errstate(all="ignore"):
            result = self._function(**arrays, **self._params)
            if isinstance(result, Pooled):
                if self._pool is not None:
                    self._pool.add(result, block.arrays.get(BY), weight)
                    return
                result = rows_of(result, self._plan.per)
            rows = as_rows(result)
            found.ignored += _left_out(rows)
            values = self._reduce(rows, weight)
            self._watch.see_loss(block, values.loss)
        if self._sink is not None:
            self._sink.block(block, values)
        if "pred" in arrays and len(values.loss):
            self._watch.see_pred(arrays["pred"])

    def _reduce(self, rows: Rows, weight: Array | None) -> RowValues:
        """Add rows to the totals of every mode; the values of the mode that was asked for."""
        for mode, total in self._totals.items():
            values = reduce_rows(rows, weight, mode)
            total.add(values)
            if mode == self._plan.row:
                chosen = values
        return chosen

    def outcome(self) -> Outcome:
        """Finish every reduction."""
        found = self._found
        if self._pool is not None:
            groups, units = self._pool.losses()
            if len(units.loss):
                found.ignored += _left_out(units)
                self._reduce(units, None)
            if self._sink is not None:
                self._sink.groups(groups, units.loss)
        main = self._totals[self._plan.row]
        if self._plan.names is None:
            # By default a mean divides by the weights, where there are any.
            del self._ways["mean" if main.weighted else "weighted-mean"]
        for name, way in self._ways.items():
            if name != "none":
                found.values += _values(name, way, self._totals[way.row], self._inputs)
        if self._plan.dtype != "float64":
            found.values = [
                v._replace(value=float(precision.rounded(v.value, self._plan.dtype)))
                for v in found.values
            ]
        found.warnings = _undefined(found) + self._inputs.warnings + self._watch.warnings()
        return found


def _left_out(rows: Rows) -> int:
    return 0 if rows.keep is None else rows.keep.size - int(np.count_nonzero(rows.keep))


def _values(name: str, way: reductions.Reduction, totals: Totals, inputs: Inputs) -> list[Value]:
    several = len(totals.sums) > 1
    columns = inputs.element_names(len(totals.sums)) if several else [""]
    return [
        Value(name, way.row, column, value, sums.count, denominator)
        for column, sums in zip(columns, totals.sums, strict=True)
        for value, denominator in [sums.value(way.name, totals.weighted)]
    ]


def _undefined(outcome: Outcome) -> list[str]:
    """Why a mean is not a number, when it divides by nothing."""
    if outcome.rows == outcome.skipped:
        return ["every row was skipped: there is no loss to reduce"]
    if outcome.ignored and outcome.values and all(value.n == 0 for value in outcome.values):
        return ["every row is ignored: a mean is not a number"]
    if any(v.denominator == 0 and v.reduction == "weighted-mean" for v in outcome.values):
        return ["the weights add up to zero: the weighted mean is not a number"]
    return []

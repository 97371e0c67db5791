"""One pass over the inputs: check, compute, sum; per-row losses go to whoever wants them."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from threading import Event
from typing import Any, NamedTuple, Protocol

import numpy as np

from losscli.data.ahead import AT_ONCE, each_ahead
from losscli.data.block import Cut
from losscli.data.inputs import BY, WEIGHT, Block, Inputs
from losscli.data.source import Span
from losscli.engine import precision, reductions
from losscli.engine.backend import NUMPY, Backend
from losscli.engine.guard import LossFailed, guarded
from losscli.engine.pool import Pool, rows_of
from losscli.engine.precision import Precision
from losscli.engine.reductions import Per, Row
from losscli.engine.totals import RowValues, Totals, reduce_rows
from losscli.engine.watch import Watch
from losscli.errors import UsageError
from losscli.losses.numerics import Array, Mask
from losscli.losses.registry import Pooled, Rows, as_rows
from losscli.threads import allowed


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


class Plan(NamedTuple):
    """How losses are reduced."""

    #: the names of reductions; None for a mean that divides by the weights, where there are any
    names: list[str] | None
    row: Row
    per: Per = "all"
    dtype: Precision = "float64"
    backend: Backend = NUMPY


#: told now and then how many rows are done, and of how many if that is known
Told = Callable[[int, int | None], None]

#: rows of a span whose losses are held until those before them are written
HELD_ROWS = 1 << 21

BlockValues = tuple[Block, RowValues]


def compute(
    inputs: Inputs,
    params: dict[str, Any],
    plan: Plan,
    sink: Sink | None = None,
    progress: Told | None = None,
) -> Outcome:
    """Evaluate a loss over its inputs and reduce it in each of the ways that are named.

    Spans of rows are read and computed by as many threads as there may be; where the inputs can
    only be read in order, their blocks are. Either way a thread gives a tally of its own. Tallies
    add up exactly, so how the rows were shared out does not show in the result.
    """
    threads, keep_rows = inputs.options.read.threads, sink is not None
    function = guarded(inputs.loss, plan.backend.of(inputs.loss.function))
    tally = Tally(inputs, params, plan, function)
    clock = inputs.options.clock
    stopped = Event()

    def work(part: Span | Cut) -> tuple[Tally, list[BlockValues]]:
        own, kept = Tally(inputs, params, plan, function), []
        for block in inputs.blocks(part=part):
            if stopped.is_set():
                break
            values = own.add(block)
            if keep_rows and values is not None:
                kept.append((block._replace(arrays={}), values))
        return own, kept

    if sink is not None:
        sink.start(inputs)
    spans = inputs.spans(HELD_ROWS if keep_rows else None) if threads > 1 else []
    parts: Iterator[Span | Cut] = iter(spans) if spans else inputs.cuts()
    done = each_ahead(work, parts, threads, 0 if spans else AT_ONCE, stopped.set)
    with allowed(threads):
        for _, (part, kept) in done:
            tally.merge(part)
            with clock.stage("write"):
                for block, values in kept:
                    if sink is not None:
                        sink.block(block, values)
            if progress is not None:
                progress(tally.rows, inputs.known_rows)
    return tally.outcome(sink)


class Tally:
    """The sums of some blocks, and what was odd about them. Tallies of parts add up."""

    def __init__(
        self, inputs: Inputs, params: dict[str, Any], plan: Plan, function: Callable[..., Any]
    ) -> None:
        self._inputs, self._params, self._plan = inputs, params, plan
        names = plan.names or ["mean", "weighted-mean"]
        self._ways = {name: reductions.resolve(name, plan.row) for name in names}
        modes = dict.fromkeys([plan.row, *(way.row for way in self._ways.values())])
        clock = inputs.options.clock
        self._function = clock.timed("loss", precision.computed_in(plan.dtype, function))
        self._totals = {mode: Totals(mode, names) for mode in modes}
        self._reduced = clock.timed("reduce", self._reduce)
        self._pool = self._new_pool()
        self._watch = Watch(params.get("input") == "logits" and "C" in inputs.binding.context)
        self.rows = self._skipped = self._ignored = 0

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

    def add(self, block: Block) -> RowValues | None:
        """Compute a block and add it to every sum; its losses, where rows have any."""
        self.rows += block.length
        self._skipped += block.skipped
        arrays = {k: v for k, v in block.arrays.items() if k not in (WEIGHT, BY)}
        weight = block.arrays.get(WEIGHT)
        try:
            result = self._function(**arrays, **self._params)
        except LossFailed as failed:
            raise failed.on(block) from failed.__cause__
        if isinstance(result, Pooled):
            if self._pool is not None:
                with self._inputs.options.clock.stage("reduce"):
                    self._pool.add(result, block.arrays.get(BY), weight)
                return None
            result = rows_of(result, self._plan.per)
        rows = as_rows(result)
        if self._inputs.options.nonfinite == "keep":
            rows = rows._replace(loss=_nan_where_missing(rows.loss, arrays))
        self._ignored += _left_out(rows)
        values, finite = self._reduced(rows, weight)
        if self._inputs.loss.kind == "pooled":
            values = values._replace(loss=_nan_where_left_out(values.loss, values.keep))
        if not finite:
            self._watch.see_loss(block, values.loss)
        if "pred" in arrays and len(values.loss):
            self._watch.see_pred(arrays["pred"])
        return values

    def _reduce(self, rows: Rows, weight: Array | None) -> tuple[RowValues, bool]:
        """Add rows to the totals of every mode.

        The values of the mode that was asked for, and whether their sums are finite.
        """
        for mode, total in self._totals.items():
            values = reduce_rows(rows, weight, mode, self._inputs.class_axis.restore)
            finite = total.add(values)
            if mode == self._plan.row:
                chosen = values, finite
        return chosen

    def merge(self, later: "Tally") -> None:
        """Add the tally of later blocks."""
        self.rows += later.rows
        self._skipped += later._skipped
        self._ignored += later._ignored
        for mode, total in self._totals.items():
            total.merge(later._totals[mode])
        if self._pool is not None and later._pool is not None:
            self._pool.merge(later._pool)
        self._watch.merge(later._watch)

    def outcome(self, sink: Sink | None) -> Outcome:
        """Finish every reduction."""
        found = Outcome([], self.rows, self._skipped, self._ignored)
        if self._pool is not None:
            groups, units = self._pool.losses()
            if len(units.loss):
                found.ignored += _left_out(units)
                self._reduce(units, None)
                self._watch.see_units(groups, units)
            if sink is not None:
                sink.groups(groups, _nan_where_left_out(units.loss, units.keep))
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
        found.warnings = _undefined(found) + self._inputs.told() + self._watch.warnings()
        return found


def _left_out(rows: Rows) -> int:
    return 0 if rows.keep is None else rows.keep.size - int(np.count_nonzero(rows.keep))


def _nan_where_missing(loss: Array, arrays: dict[str, Array]) -> Array:
    """Losses, none of what is missing: a label that is NaN compares as if it were another one."""
    for array in arrays.values():
        if array.shape == loss.shape:
            loss = np.where(np.isnan(array), np.nan, loss)
    return loss


def _nan_where_left_out(loss: Array, keep: Mask | None) -> Array:
    """The losses of units; one that is left out has none."""
    return loss if keep is None else np.where(keep, loss, np.nan)


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

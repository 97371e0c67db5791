"""The one way down that the command line and Python share."""

import contextlib
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from losscli.data.given import Join
from losscli.data.inputs import BY, WEIGHT, Block, InputOptions, Inputs, NonFinite
from losscli.data.memory import parse_size
from losscli.data.options import Missing
from losscli.data.reading import read_options
from losscli.engine import precision, reductions
from losscli.engine.backend import choose
from losscli.engine.baseline import baseline as baseline_of
from losscli.engine.compute import Plan, Sink, Told
from losscli.engine.compute import compute as run
from losscli.engine.totals import RowValues
from losscli.errors import UsageError
from losscli.losses import CATALOGUE, Loss
from losscli.losses.numerics import Array
from losscli.losses.row_domains import SUM_TOLERANCE
from losscli.naming import Named, find
from losscli.parsing import (
    one_of,
    parse_classes,
    parse_counts,
    parse_keys,
    parse_labels,
    parse_reductions,
)
from losscli.report.result import Result
from losscli.request import (
    Request,
    check_columns,
    check_input,
    in_dialect,
    known_class_weights,
    with_class_weights,
)

if TYPE_CHECKING:
    from losscli.engine.check import Checked


def list_losses() -> list[Loss]:
    """Every loss of the catalogue."""
    return list(CATALOGUE)


def get_loss(name: Named) -> Loss:
    """The loss of a name or an alias, or of a file. UsageError, with a suggestion, without one."""
    return find(name)[0]


def compute(
    loss: Named,
    /,
    *,
    data: Any = None,
    reduction: str | Sequence[str] | None = None,
    row: str | None = None,
    per: str | None = None,
    dialect: str | None = None,
    per_sample: bool = False,
    labels: str | tuple[Any, Any] | None = None,
    classes: str | Sequence[Any] | None = None,
    nonfinite: NonFinite = "error",
    header: bool | None = None,
    delimiter: str | None = None,
    decimal: str = ".",
    comment: str | None = None,
    null: str | Sequence[str] = (),
    input_format: str | None = None,
    class_axis: int = -1,
    batch_size: int | None = None,
    class_counts: Any = None,
    baseline: bool = False,
    dtype: str = "float64",
    sum_tolerance: float = SUM_TOLERANCE,
    threads: int | None = None,
    on: str | Sequence[str] | None = None,
    join: Join = "strict",
    max_memory: int | str | None = None,
    missing: Missing | None = None,
    backend: str = "auto",
    device: str = "cpu",
    **given: Any,
) -> Result:
    """Compute a loss on arrays or files.

    Args:
        loss: a loss's name or one of its aliases, in any spelling; a loss of your own as a
            function, or by its file, "./mine.py:my_loss", which is run.
        data: a file, DataFrame or Arrow table whose columns the roles name.
        reduction: "mean" (Σwℓ / n), "weighted-mean" (Σwℓ / Σw; the default where there are
            weights), "sum", "batchmean", "none", a library's word for one of them, or a list.
        row: how the elements of a row become its loss: "mean", "sum", "none" (each element is a
            row of its own), "mean-last" or "sum-last" (each position before the last axis is), or
            "columns" (one value for each column).
        per: for losses of a whole set, what one unit is: "all" rows, an "image" (a row, or the rows
            that `by` groups), a "class" (a column) or an "image-class".
        dialect: a library whose form of the loss sets all options that are not given: "torch",
            "keras", "sklearn", "torchmetrics", "optax" or "mindspore".
        per_sample: keep the loss of every row, which `Result.per_sample` otherwise computes when
            it is asked for; the reduction "none" keeps them too.
        labels: two values of the target, "NEG,POS" or a pair, that stand for the two labels.
        classes: the names of the classes in the target, in the order of their scores; "columns"
            for the names of the columns of scores.
        nonfinite: NaN, infinite and missing values are an "error", or "skip" or "keep".
        header, delimiter, decimal, comment: how CSV files are read, when the default is not right:
            whether they start with names, what separates fields, the decimal mark ("." or ","),
            and what lines that are left out start with.
        null: words for missing values in text files, besides the usual ones.
        input_format: what all files are, where their content does not tell: "csv", "tsv", "jsonl",
            "parquet", "arrow", "npy", "npz" or "safetensors".
        class_axis: which axis holds the classes, or a vector; negative from the last, as in NumPy.
        batch_size: rows of a batch, for losses that compare the rows of a batch; all by default.
        class_counts: how many samples each class has, or a file of that, for class weight rules.
        baseline: also compute the loss of the best constant prediction, and the skill score
            1 − loss / baseline.
        dtype: what losses are computed in: "float64", or "float32" to get what a float32 run of a
            library gives.
        sum_tolerance: what the sum of a row of probabilities may be off by; infinite, it may be
            anything.
        threads: how many threads read and compute; as many as there are cores by default. The
            result has the same bits for any number.
        on: the columns, a name or several, that pair the rows of different files, in any order; by
            default rows are paired by position.
        join: what becomes of keys that are not in every file: "strict" is an error, "inner" leaves
            their rows out and counts them.
        max_memory: bytes, or a size such as "2G", that may be held where rows cannot be streamed;
            by default half of what is free.
        missing: missing values alone: an "error", or "skip" their rows; by default as `nonfinite`.
        backend: the library that computes: "numpy", "torch", or "auto", which is NumPy unless the
            device is a GPU.
        device: where torch computes, "cpu" or "cuda".
        **given: the roles (arrays, Series, Arrow arrays, or references such as "p.csv#score"; a
            string names a file) and the parameters of the loss.

    Returns:
        A `Result`, with `value`, `n`, `per_sample`, `signature` and `to_frame()`.

    Raises:
        UsageError: a loss, role, parameter or reduction that does not exist.
        DataError: values, shapes or counts that do not fit the loss; the message names the row.
        FileError: a file that cannot be read.

    Example:
        >>> compute("hinge-embedding", pred=[0.25, 0.25], target=[1, -1], margin=1.0).value
        0.5
    """
    found, preset = find(loss)
    roles = {name: given.pop(name) for name in [*found.roles, WEIGHT, BY] if name in given}
    if "class_counts" in found.roles:
        roles["class_counts"], class_counts = class_counts, None
    one_of("nonfinite", nonfinite, NonFinite)
    names = None if reduction is None else reductions.parse(parse_reductions(reduction))
    collector = _Collector() if per_sample or (names is not None and "none" in names) else None
    pair = parse_labels(labels)
    options = InputOptions(
        read_options(delimiter, header, pair or (), input_format, comment, null, decimal, threads),
        labels=pair,
        nonfinite=nonfinite,
        class_axis=class_axis,
        sum_tolerance=sum_tolerance,
        batch_size=batch_size,
        classes=parse_classes(classes),
        on=parse_keys(on),
        join=one_of("join", join, Join),
        max_memory=parse_size(max_memory),
        missing=missing if missing is None else one_of("missing", missing, Missing),
    )
    request = Request(
        found,
        roles,
        given=given,
        preset=preset,
        options=options,
        data=data,
        reduction=names,
        row=row,
        per=per,
        dialect=dialect,
        class_counts=parse_counts(class_counts),
        baseline=baseline,
        dtype=dtype,
        backend=backend,
        device=device,
    )
    result = evaluate(request, collector)
    if collector is not None:
        return replace(result, _rows_of=lambda: collector.per_sample)
    again = replace(request, reduction=["none"], baseline=False)
    return replace(result, _rows_of=lambda: _rows_of(again))


def _rows_of(request: Request) -> Array:
    """The losses of rows, in a run of their own."""
    collector = _Collector()
    evaluate(request, collector)
    return collector.per_sample


@np.errstate(all="ignore")  # what is not finite is told of by row
def evaluate(request: Request, sink: Sink | None = None, progress: Told | None = None) -> Result:
    """Open the inputs, run the engine over them, and report."""
    loss = request.loss
    if request.per is not None and loss.kind != "pooled":
        raise UsageError(f"{loss.name} has a loss for every row; --per is for losses of sets")
    if BY in request.roles and loss.kind == "row":
        raise UsageError(f"{loss.name} has a loss for every row; --by is for sets and batches")
    request, notes = in_dialect(request)
    check_input(request)
    roles = request.roles
    plan = Plan(
        request.reduction,
        reductions.check_row(request.row, loss.row),
        reductions.check_per(request.per, BY in roles),
        precision.check(request.dtype),
        choose(request.backend, request.device),
    )
    params, options = with_class_weights(request)
    with options.clock.stage("open"):
        opened = Inputs(loss, roles, params, options, request.data)
    with contextlib.closing(opened) as inputs:
        check_columns(request, inputs.shapes)
        outcome = run(inputs, params, plan, sink, progress)
        unpaired = None if inputs.pairing is None else inputs.pairing.left_out
    constant = None
    if request.baseline:
        constant = baseline_of(loss, roles, params, options, request.data, plan).values
    return Result(
        loss=loss.name,
        parameters=params,
        values=outcome.values,
        baselines=None if constant is None else [v.value for v in constant],
        rows=outcome.rows,
        skipped=outcome.skipped,
        ignored=outcome.ignored,
        inputs=inputs.describe(),
        row=plan.row,
        options=_shown(request, plan),
        unpaired=unpaired,
        warnings=outcome.warnings,
        notes=notes,
        dtype=plan.dtype,
    )


@np.errstate(all="ignore")
def check(request: Request) -> "Checked":
    """Look at all values of the inputs of a loss, and compute nothing."""
    # Computing does without what checking needs.
    from losscli.engine.check import check as look

    request, _ = in_dialect(request, lenient=True)
    check_input(request)
    params, options, wrong = known_class_weights(request)
    found = look(request.loss, request.roles, params, options, request.data, wrong)
    check_columns(request, {name: seen.shape for name, seen in found.seen.items()})
    return found


def _shown(request: Request, plan: Plan) -> dict[str, str]:
    """The options that bear on the value and are no parameters, where they are not the default."""
    by = request.roles.get(BY)
    shown: dict[str, Any] = {
        **(request.loss.origin.shown if request.loss.origin else {}),
        "dialect": request.dialect,
        "per": plan.per if request.loss.kind == "pooled" else None,
        "by": by if isinstance(by, str) else None,
        "on": ",".join(request.options.on) or None,
        **plan.backend.shown,
    }
    default = InputOptions()
    names = "batch_size labels classes nonfinite sum_tolerance class_axis join missing"
    for name in names.split():
        value = getattr(request.options, name)
        if name == "labels" and value is not None:
            value = value[:2]  # a third is the ignored one, which is a parameter
        if value != getattr(default, name):
            shown[name] = ",".join(value) if isinstance(value, tuple) else value
    return {
        name: f"{value:g}" if isinstance(value, float) else str(value)
        for name, value in shown.items()
        if value is not None
    }


class _Collector:
    """A sink that keeps every row's loss in memory; skipped rows are NaN."""

    def __init__(self) -> None:
        self._parts: list[Array] = []

    def start(self, inputs: Inputs) -> None:
        """Nothing to prepare."""

    def block(self, block: Block, values: RowValues) -> None:
        """Keep a block's losses."""
        loss = values.loss
        if block.rows is not None:
            whole = np.full((block.length, *loss.shape[1:]), np.nan)
            whole[block.rows] = loss
            loss = whole
        self._parts.append(loss)

    def groups(self, keys: list[Any], losses: Array) -> None:
        """Keep the losses of groups."""
        self._parts.append(losses)

    @property
    def per_sample(self) -> Array:
        """The losses of all rows."""
        return np.concatenate(self._parts) if self._parts else np.empty(0)

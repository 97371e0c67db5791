"""The loss of the best constant prediction on the same targets."""

import contextlib
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from losscli.data.batches import memory_rows
from losscli.data.block import Cut
from losscli.data.inputs import WEIGHT, Block, InputOptions, Inputs
from losscli.data.source import Span
from losscli.engine.compute import Outcome, Plan, compute
from losscli.engine.survey import refuse_stdin
from losscli.errors import DataError, UsageError
from losscli.losses.numerics import Array
from losscli.losses.registry import Loss


def baseline(
    loss: Loss,
    roles: Mapping[str, Any],
    params: dict[str, Any],
    options: InputOptions,
    data: Any,
    plan: Plan,
) -> Outcome:
    """What the loss would be of the best constant prediction."""
    if loss.constant is None:
        raise UsageError(f"--baseline: the best constant of {loss.name} has no simple form")
    if "mean-nonzero" in (plan.names or ()):
        # What it divides by depends on the prediction.
        raise UsageError("--baseline: the best constant for mean-nonzero has no simple form")
    if loss.kind == "pooled" and plan.per in ("image", "image-class"):
        raise UsageError("--baseline: of images apart, the best constant has no simple form")
    refuse_stdin(roles, data, "--baseline")
    with contextlib.closing(Inputs(loss, roles, dict(params), options, data)) as inputs:
        target, weight, context = _targets(inputs)
    if not weight.any():  # nothing counts, so any constant is as good
        weight = np.ones_like(weight)
    constant = loss.constant(target, weight, {**params, **context})
    with contextlib.closing(_Constant(loss, roles, dict(params), options, data)) as inputs:
        inputs.constant = constant
        return compute(inputs, params, plan)


def _targets(inputs: Inputs) -> tuple[Array, Array, Mapping[str, Any]]:
    """All targets and weights at once."""
    if "pred" not in inputs.roles_given:
        raise UsageError("--baseline: a constant stands for --pred, which is not given")
    if "C" in inputs.binding.context and len(inputs.shapes["pred"]) > 1:
        raise UsageError("--baseline: maps of classes; it takes one row of scores a row")
    targets, weights, rows = [], [], 0
    limit = memory_rows(int(np.prod(inputs.shapes["target"])), inputs.options.max_memory)
    for block in inputs.blocks():
        target = block.arrays["target"]
        weight = block.arrays.get(WEIGHT)
        if weight is not None and weight.ndim > 1:
            raise UsageError("--baseline: weights of elements; it takes one weight a row")
        targets.append(target)
        weights.append(np.ones(len(target)) if weight is None else weight)
        rows += len(target)
        if rows > limit:
            raise DataError(f"--baseline: more than {limit:,} targets do not fit in memory")
    return np.concatenate(targets), np.concatenate(weights), inputs.binding.context


class _Constant(Inputs):
    """Inputs whose predictions are all the same."""

    constant: Array

    def blocks(self, checked: bool = True, part: Span | Cut | None = None) -> Iterator[Block]:
        for block in super().blocks(checked, part):
            pred = np.broadcast_to(self.constant, block.arrays["pred"].shape)
            yield block._replace(arrays={**block.arrays, "pred": np.ascontiguousarray(pred)})

"""A first pass over the inputs, where an answer needs to know all of the values beforehand."""

import contextlib
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from losscli.data.inputs import BY, WEIGHT, InputOptions, Inputs
from losscli.data.references import STDIN
from losscli.data.source import refused
from losscli.errors import DataError, UsageError
from losscli.losses.class_domains import ClassIndex, class_count
from losscli.losses.dialects import Survey
from losscli.losses.domains import Labels
from losscli.losses.numerics import Array, Mask
from losscli.losses.registry import Loss
from losscli.losses.shapes import Binding


def survey(
    loss: Loss, roles: Mapping[str, Any], params: dict[str, Any], options: InputOptions, data: Any,
    lenient: bool = False,
) -> Survey:  # fmt: skip
    """The least and the largest value of every role, and whether all are 0 or 1.

    With `lenient`, only of what can be read.
    """
    refuse_stdin(roles, data, "a dialect that looks at the values")
    found = Survey({}, {}, {})
    if options.nonfinite == "error":
        options = replace(options, nonfinite="keep")
    if lenient:
        options = replace(options, tell=lambda trouble: None)
    with contextlib.ExitStack() as stack:
        if lenient:
            stack.enter_context(contextlib.suppress(DataError))
        inputs = Inputs(loss, roles, dict(params), options, data)
        stack.callback(inputs.close)
        for block in inputs.blocks(checked=False):
            counted = _counted(block.arrays.get("target"), inputs.binding)
            for name, array in block.arrays.items():
                if name in (WEIGHT, BY):
                    continue
                if counted is not None and array.shape[: counted.ndim] == counted.shape:
                    array = array[counted]
                array = array[~refused(array)]
                finite = array[np.isfinite(array)]
                if finite.size:
                    found.low[name] = min(found.low.get(name, np.inf), float(finite.min()))
                    found.high[name] = max(found.high.get(name, -np.inf), float(finite.max()))
                binary = bool(((array == 0) | (array == 1)).all())
                found.binary[name] = found.binary.get(name, True) and binary
    return found


def _counted(target: Array | None, binding: Binding) -> Mask | None:
    """Where the target is not the ignored label or class, whose scores nobody looks at."""
    ignored = binding.context.get("ignore_index")
    if target is None or ignored is None:
        return None
    domain = binding.domains["target"]
    counted: Mask = target != (domain.ignored(ignored) if isinstance(domain, Labels) else ignored)
    return counted


def class_counts(
    loss: Loss, roles: Mapping[str, Any], params: dict[str, Any], options: InputOptions, data: Any
) -> Array:
    """How many samples each class has in the target; of distributions, their probabilities."""
    refuse_stdin(roles, data, "a rule for class weights")
    with contextlib.closing(Inputs(loss, roles, params, options, data)) as inputs:
        # Those of masks are the last axis.
        masks = loss.kind == "pooled" and "C" not in inputs.binding.context
        columns = inputs.binding.shapes["target"][-1:] or (1,)
        classes = columns[0] if masks else class_count(inputs.binding.context)
        by_index = isinstance(inputs.binding.domains["target"], ClassIndex)
        counts = np.zeros(classes)
        for block in inputs.blocks():
            target = block.arrays["target"]
            if by_index:
                kept = target[(target >= 0) & (target != params.get("ignore_index"))]
                counts += np.bincount(kept.astype(np.intp).ravel(), minlength=classes)
            else:
                counts += target.reshape(-1, classes).sum(axis=0)
    return counts


def refuse_stdin(roles: Mapping[str, Any], data: Any, what: str) -> None:
    """Standard input can be read once."""
    names = [data, *roles.values()]
    if any(isinstance(x, str) and x.partition("#")[0] == STDIN for x in names):
        raise UsageError(
            f"{what} reads the input twice, and standard input can be read once",
            "save it to a file first",
        )

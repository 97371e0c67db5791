"""The edges of a loss's domain as `info` shows them: what is asked, and what the loss answers."""

import math
from collections.abc import Iterator
from typing import Any

from losscli.cli.info_dialects import value_of, wrap
from losscli.losses import Loss
from losscli.losses.domains import number
from losscli.losses.examples import Table

WIDTH = 84


def documents(loss: Loss) -> list[dict[str, Any]]:
    """Each case with the answer that a run of it gives, for programs."""
    if loss.example is None:
        return []
    found = []
    for edge in loss.edges:
        example = loss.example.on_rows(edge.rows, edge.options)
        value, error = value_of(loss, example, **example.inputs())
        found.append({"case": edge.text, "value": value, "error": error})
    for case, changed in common(loss.example.columns()):
        inputs = loss.example.inputs() | {"data": changed}
        weighted = {"weight": "weight"} if "weight" in changed else {}
        value, error = value_of(loss, loss.example, **inputs, **weighted)
        found.append({"case": case, "value": value, "error": error})
    return found


def common(table: Table) -> Iterator[tuple[str, Table]]:
    """What may happen to any loss, in its example."""
    first, values = next(iter(table.items()))
    yield "weights that are all 0", {**table, "weight": [0.0] * len(values)}
    yield "a value that is NaN", {**table, first: _with_nan(values)}
    yield "no rows", {name: [] for name in table}


def _with_nan(values: Any) -> Any:
    """Nested lists, with NaN for the first number."""
    return [_with_nan(values[0]), *values[1:]] if isinstance(values, list) else math.nan


def section(loss: Loss) -> str:
    """The cases and their answers as a table."""
    found = documents(loss)
    answers = ["refused" if about["error"] else _text(about["value"]) for about in found]
    width = max(map(len, answers), default=0) + 2
    lines: list[str] = []
    for about, answer in zip(found, answers, strict=True):
        expected = (about["error"] or "").partition("it expects ")[2]
        why = f": it takes {expected}" if expected else ""
        wrapped = wrap(f"{about['case']}{why}", WIDTH - width)
        lines.append(f"{answer:<{width}}{wrapped[0]}")
        lines += [" " * width + text for text in wrapped[1:]]
    return "\n".join(lines)


def _text(value: Any) -> str:
    if hasattr(value, "tolist"):
        return ",".join(_text(x) for x in value.tolist())
    if math.isnan(value):
        return "NaN"
    return number(value) if math.isfinite(value) else ("∞" if value > 0 else "−∞")

"""The edges of a loss's domain as `info` shows them: what is asked, and what the loss answers."""

import math
from collections.abc import Iterator
from typing import Any

from losscli.cli.info_dialects import value_of, wrap
from losscli.losses import Loss
from losscli.losses.domains import number
from losscli.losses.examples import Example

WIDTH = 84


def documents(loss: Loss) -> list[dict[str, Any]]:
    """Each case with the answer that a run of it gives, for programs."""
    found = []
    for edge in loss.edges:
        arrays = None if isinstance(edge.rows, str) else edge.rows
        value, error = value_of(loss, edge.example(loss.example), arrays)
        found.append({"case": edge.text, "value": value, "error": error})
    for case, example in common(loss):
        value, error = value_of(loss, example)
        found.append({"case": case, "value": value, "error": error})
    return found


def common(loss: Loss) -> Iterator[tuple[str, Example]]:
    """What may happen to any loss, in the words of its example."""
    if loss.example is None:
        return
    data, options = loss.example
    header, *rows = data.splitlines()
    weightless = "\n".join([f"{header},weight", *(f"{row},0" for row in rows)])
    yield "weights that are all 0", Example(weightless, f"{options} --weight weight".strip())
    rest = rows[0].split(",")[1:]
    yield "a value that is NaN", Example("\n".join([header, ",".join(["nan", *rest])]), options)
    yield "no rows", Example(header, options)


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

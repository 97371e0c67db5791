"""The dialects of a loss as `info` shows them: what each sets, and what comes of it."""

from typing import Any

from losscli.errors import LosscliError
from losscli.losses import Loss
from losscli.losses.dialects import REMARKS, Dialect
from losscli.losses.domains import number
from losscli.losses.examples import Example
from losscli.losses.parameters import Flag

WIDTH = 84


def documents(loss: Loss) -> dict[str, dict[str, Any]]:
    """Each library's form of a loss, and its value on the loss's example, for programs."""
    return {library: _document(loss, library, form) for library, form in loss.dialects.items()}


def _document(loss: Loss, library: str, form: Dialect) -> dict[str, Any]:
    value, error = example_value(loss, library) if loss.example else (None, None)
    return {
        "call": form.name(library),
        "options": dict(form.of(library)),
        "command_line": command_line(loss, library),
        "example": _command(loss, library, form),
        "value": value,
        "error": error,
        "notes": notes(library, form),
    }


def _command(loss: Loss, library: str, form: Dialect) -> str:
    if loss.example is None:
        return ""
    # What looks at the values first reads them twice, which standard input cannot be.
    command = example_of(loss, library).command(loss.name, stdin=form.decide is None)
    return f"{command} --dialect {library}"


def section(loss: Loss) -> str:
    """The dialects as a table: value and call, the options below; then the notes."""
    if not loss.dialects:
        return ""
    found = documents(loss)
    rows: list[tuple[str, str, list[str]]] = []
    if loss.example is not None:
        example = example_of(loss)
        value, error = value_of(loss, example, **example.inputs())
        rows.append(("textbook", _text(value), [error] if error else []))
    for library, about in found.items():
        below = [about["command_line"], about["error"]]
        lines = [about["call"], *(line for line in below if line)]
        rows.append((library, _text(about["value"]), lines))
    first, second = (max(len(row[i]) for row in rows) + 2 for i in (0, 1))
    margin = " " * (first + second)
    # Only where it is not the example that the page shows already.
    lines = [loss.differing.command(loss.name), ""] if loss.differing else []
    for name, value, texts in rows:
        wrapped = [part for text in texts for part in wrap(text, WIDTH - len(margin))] or [""]
        lines.append(f"{name:<{first}}{value:<{second}}{wrapped[0]}".rstrip())
        lines += [margin + text for text in wrapped[1:]]
    said: dict[str, list[str]] = {}
    for library, about in found.items():
        for note in about["notes"]:
            said.setdefault(note, []).append(library)
    remarks = [f"{', '.join(libraries)}: {note}" for note, libraries in said.items()]
    lines += [""] * bool(remarks) + [part for text in remarks for part in wrap(text, WIDTH)]
    return "\n".join(lines)


def example_of(loss: Loss, library: str | None = None) -> Example:
    """What dialects are shown on; in one that takes its inputs on another scale, on that."""
    example = loss.differing or loss.example
    assert example is not None
    rows = loss.dialects[library].rows if library else ""
    return example.on_rows(rows) if rows else example


def example_value(loss: Loss, library: str) -> tuple[Any, str | None]:
    """The value in a dialect of what dialects are shown on, or why it has none."""
    example = example_of(loss, library)
    return value_of(loss, example, **example.inputs(), dialect=library)


def value_of(loss: Loss, example: Example, **given: Any) -> tuple[Any, str | None]:
    """The value of inputs with the options of an example, or what was wrong with them."""
    from losscli.api import compute

    try:
        return compute(loss, **given, **example.options_given()).value, None
    except LosscliError as error:
        expected = error.message.partition(", expected ")[2] or error.message
        expected = expected.replace(f" of {loss.name})", ")")
        return None, f"it expects {expected}" if ", expected " in error.message else expected


def command_line(loss: Loss, library: str) -> str:
    """The options of a dialect that are not the loss's own, as one would type them."""
    options = loss.dialects[library].of(library)
    words: list[str] = []
    for name, parameter in loss.parameters.items():
        if name in options and options[name] != parameter.default:
            flag = isinstance(parameter.kind, Flag)
            off = flag and not options[name]
            words.append(parameter.option.replace("--", "--no-", 1) if off else parameter.option)
            words += [] if flag else [_text(options[name])]
    if "labels" in options:
        words += ["--labels", ",".join(options["labels"])]
    if loss.kind == "pooled":
        # Rows are sums there, which no reduction of rows changes.
        return " ".join(words + ["--per", options["per"]] * (options["per"] != "all"))
    if options["row"] != loss.row and _has_elements(loss):
        words += ["--row", options["row"]]
    # Nothing said is a weighted mean, which without weights is the mean.
    words += ["--reduction", options["reduction"]] * (options["reduction"] != "weighted-mean")
    return " ".join(words)


def notes(library: str, form: Dialect) -> list[str]:
    """What the options of a dialect cannot say."""
    decides = (form.decide.__doc__ or "").partition(": ")[2] if form.decide else ""
    remark = REMARKS.get(library, "") if form.remark else ""
    rows = form.rows and f"the example's rows are given as {' and '.join(form.rows.splitlines())}"
    found = (form.note, decides.rstrip("."), remark, rows)
    return [note for note in found if note]


def _has_elements(loss: Loss) -> bool:
    """Whether a row of the loss may have several elements."""
    return any("..." in axes for role in loss.roles.values() for axes, _ in role.shapes)


def _text(value: Any) -> str:
    if value is None:
        return "-"
    if hasattr(value, "tolist"):
        return ",".join(_text(x) for x in value.tolist())
    return number(value) if isinstance(value, (int, float)) else str(value)


def wrap(text: str, width: int) -> list[str]:
    """Lines of at most a width."""
    # An option and its value stay on one line.
    joined = text.replace(" --", "\n--") if text.startswith("--") else text.replace(" ", "\n")
    lines = [""]
    for word in joined.split("\n"):
        if lines[-1] and len(lines[-1]) + len(word) >= width:
            lines.append("")
        lines[-1] = f"{lines[-1]} {word}".strip()
    return lines

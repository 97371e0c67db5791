"""What ends a computation and what `check` is told of instead, so that it can go on."""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from losscli.errors import DataError, FileError

#: places of a trouble that are named
LISTED = 10
NOT_UTF8 = "not-utf-8"
#: letters of a value that are shown
LONGEST = 60


class Found(NamedTuple):
    """Where something is wrong: the row, from 1, and the line where lines are not rows."""

    row: int
    line: int | None
    value: str
    file: str


class Trouble(NamedTuple):
    """One thing that is wrong with a column of a file, or with the file as a whole."""

    #: in a word, for programs
    reason: str
    file: str
    column: str
    problem: str
    hint: str
    #: how often it occurs, and where first
    total: int
    first: list[Found]
    #: what the column holds instead, where its type is wrong and not single values
    kind: str = ""


Tell = Callable[[Trouble], None]


class BadLine(NamedTuple):
    """A line of a text that is no row."""

    reason: str
    row: int
    line: int
    value: str
    problem: str
    #: the same as an error says it
    message: str
    hint: str = ""


def report(lines: Sequence[BadLine], display: str, tell: Tell | None) -> None:
    """Tell of some lines or, where nobody is to be told, raise the error of the first of them."""
    if tell is None:
        reason, _, line, _, _, message, hint = lines[0]
        others = sum(each.reason == reason for each in lines) - 1
        more = f"; {others:,} more so far" if others else ""
        where = f"{display}, line {line}: {message}{more}"
        raise FileError(where, hint) if reason == NOT_UTF8 else DataError(where, hint, reason)
    kinds = dict.fromkeys((each.reason, each.problem, each.hint) for each in lines)
    for reason, problem, hint in kinds:
        same = [
            each
            for each in lines
            if (each.reason, each.problem, each.hint) == (reason, problem, hint)
        ]
        first = [Found(each.row, each.line, each.value, display) for each in same[:LISTED]]
        tell(Trouble(reason, display, "", problem, hint, len(same), first))


def shown(value: Any) -> str:
    """A value, also of an array of NumPy or Arrow, as messages have it."""
    for plain in ("as_py", "tolist"):
        value = getattr(value, plain)() if hasattr(value, plain) else value
    text = repr(value.strip() if isinstance(value, str) else value)
    return text if len(text) <= LONGEST else text[: LONGEST - 2] + "…" + text[-1]

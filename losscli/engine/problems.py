"""What is wrong with the inputs of a loss: every kind of problem counted, its first rows named."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np

from losscli.data.checks import Fault, Place
from losscli.data.lenient import Unreadable
from losscli.errors import DataError

#: rows of a problem that are named
LISTED = 10


class Found(NamedTuple):
    """A value that does not fit: its row, from 1, and its line where lines are not rows."""

    row: int
    line: int | None
    value: str
    #: the file, where it is one of several
    file: str | None


@dataclass
class Problem:
    """One thing that is wrong with one column."""

    reason: str
    role: str
    file: str
    column: str
    #: what was expected or, of the input as a whole, what is wrong
    problem: str
    hint: str
    count: int = 0
    first: list[Found] = field(default_factory=list)

    def add(self, file: str, row: int, line: int | None, value: str) -> None:
        """Name a row; its file is said where it is one of a data set."""
        self.first.append(Found(row, line, value, None if file == self.file else file))

    def record(self) -> dict[str, Any]:
        """As a row of a table."""
        lines = any(found.line is not None for found in self.first)
        return {
            "reason": self.reason,
            "role": self.role,
            "file": self.file,
            "column": self.column,
            "count": self.count,
            "rows": " ".join(_where(found) for found in self.first),
            **({"lines": " ".join(str(found.line) for found in self.first)} if lines else {}),
            "values": " ".join(found.value for found in self.first),
            "problem": self.problem,
            "hint": self.hint,
        }

    def document(self) -> dict[str, Any]:
        """As JSON has it."""
        own = {k: v for k, v in self.record().items() if k not in ("rows", "lines", "values")}
        return {**own, "first": [found._asdict() for found in self.first]}


def _where(found: Found) -> str:
    return f"{found.file}:{found.row}" if found.file else str(found.row)


class Problems:
    """All that was found."""

    def __init__(self) -> None:
        self._by_kind: dict[tuple[str, ...], Problem] = {}

    def all(self, role_of: Callable[[str, str], str]) -> list[Problem]:
        """Every problem; `role_of` says for a file and a column which role it is."""
        found = list(self._by_kind.values())
        for problem in found:
            problem.role = problem.role or role_of(problem.file, problem.column)
        return found

    def unreadable(self, values: Unreadable) -> None:
        """Values that are no numbers, nor labels."""
        problem = self._of(
            values.reason, "", values.display, values.column,
            f"expected {values.expected}", values.hint,
        )  # fmt: skip
        problem.count += len(values.rows)
        for row, value in zip(values.rows.tolist(), values.values, strict=False):
            if len(problem.first) < LISTED:
                file, at = values.source.locate(row)
                problem.add(file, at + 1, values.source.line_of(row), value)

    def fault(self, fault: Fault, place: Place) -> None:
        """Values of a block that do not fit; several columns are told apart."""
        by_column = len(place.columns) > 1 and fault.bad.ndim > 1
        columns = np.flatnonzero(fault.bad.any(axis=tuple(range(fault.bad.ndim - 1))))
        for i in columns.tolist() if by_column else [None]:
            bad = fault.bad if i is None else fault.bad & (np.arange(fault.bad.shape[-1]) == i)
            indexes = np.argwhere(bad)
            problem = self._of(
                fault.reason, place.role, place.display, place.column(tuple(indexes[0].tolist())),
                f"expected {fault.expected}", fault.hint,
            )  # fmt: skip
            problem.count += len(indexes)
            for index in map(tuple, indexes[: LISTED - len(problem.first)].tolist()):
                value = place.value(index, fault.found(index)).removeprefix("got ")
                problem.add(*place.row(index), value)

    def fail(self, error: DataError) -> None:
        """What ends the reading of the inputs."""
        self._of(error.reason, "", "", "", error.message, error.hint).count += 1

    def _of(
        self, reason: str, role: str, file: str, column: str, problem: str, hint: str
    ) -> Problem:
        key = (reason, role, file, column, problem)
        return self._by_kind.setdefault(key, Problem(reason, role, file, column, problem, hint))

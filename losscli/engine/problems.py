"""What is wrong with the inputs of a loss: every kind of problem counted, its first rows named."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from losscli.data.checks import Fault, Place
from losscli.data.troubles import LISTED, Found, Trouble
from losscli.errors import DataError


@dataclass
class Problem:
    """One thing that is wrong with a column, with a file or with all of them together."""

    reason: str
    role: str
    file: str
    column: str
    #: what was expected, or what is wrong
    problem: str
    hint: str
    count: int = 0
    first: list[Found] = field(default_factory=list)

    def record(self) -> dict[str, Any]:
        """As a row of a table."""
        lines = self.first and all(found.line is not None for found in self.first)
        return {
            "reason": self.reason,
            "role": self.role,
            "file": self.file,
            "column": self.column,
            "count": self.count,
            "rows": " ".join(self._row(found) for found in self.first),
            **({"lines": " ".join(str(found.line) for found in self.first)} if lines else {}),
            "values": " ".join(found.value for found in self.first),
            "problem": self.problem,
            "hint": self.hint,
        }

    def document(self) -> dict[str, Any]:
        """As JSON has it."""
        own = {k: v for k, v in self.record().items() if k not in ("rows", "lines", "values")}
        first = [
            found._asdict() | {"file": None if found.file == self.file else found.file}
            for found in self.first
        ]
        return {**own, "first": first}

    @property
    def listed(self) -> str:
        """The first of them with their values, in words."""
        first = [
            f"{found.value} (row {self._row(found)})"
            if found.line is None
            else f"{found.value} (row {self._row(found)}, line {found.line})"
            for found in self.first
        ]
        return ", ".join(first) + (", …" if self.count > len(first) else "")

    def _row(self, found: Found) -> str:
        """A row; its file is said where it is one of a data set."""
        return str(found.row) if found.file == self.file else f"{found.file}:{found.row}"


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

    def told(self, trouble: Trouble) -> None:
        """What a reader, or who pairs rows, cannot make sense of."""
        reason, file, column, what, hint = trouble[:5]
        problem = self._of(reason, "", file, column, what, hint)
        problem.count += trouble.total
        problem.first += trouble.first[: LISTED - len(problem.first)]

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
                file, row, line = place.row(index)
                problem.first.append(Found(row, line, value, file))

    def fail(self, error: DataError) -> None:
        """What ends the reading of the inputs."""
        self._of(error.reason, "", "", "", error.message, error.hint).count += 1

    def _of(
        self, reason: str, role: str, file: str, column: str, problem: str, hint: str
    ) -> Problem:
        key = (reason, role, file, column, problem)
        return self._by_kind.setdefault(key, Problem(reason, role, file, column, problem, hint))

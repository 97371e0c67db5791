"""One pass over the inputs of a loss that only looks at them, and goes on after what is wrong."""

import contextlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

import numpy as np

from losscli.data.checks import Fault, faults
from losscli.data.inputs import BY, InputOptions, Inputs
from losscli.data.source import Values, refused
from losscli.engine.fits import Fit, Seen, fits
from losscli.engine.problems import Problem, Problems
from losscli.errors import DataError
from losscli.losses.domains import COUNT, Context
from losscli.losses.numerics import Index, Mask
from losscli.losses.registry import Loss


@dataclass
class Checked:
    """What was found."""

    loss: str
    rows: int = 0
    skipped: int = 0
    problems: list[Problem] = field(default_factory=list)
    #: losses, and the options for them, that the values would fit
    fits: list[Fit] = field(default_factory=list)
    seen: dict[str, Seen] = field(default_factory=dict)
    inputs: dict[str, str] = field(default_factory=dict)
    warnings: list[str] = field(default_factory=list)


class _Looking(Inputs):
    """Inputs whose problems are noted."""

    def __init__(self, problems: Problems, *given: Any) -> None:
        self.problems = problems
        self._odd = Problems()
        super().__init__(*given)

    def _check(
        self, name: str, values: Values, start: int, rows: Index | None, context: Context
    ) -> None:
        domain, place = self.binding.domains[name], self._place(name, start, rows)
        for fault in faults(domain, values, name, context, self.options.refused):
            self.problems.fault(fault, place)
        if domain is COUNT:
            x = values.array
            odd = np.isfinite(x) & (x != np.floor(x))
            if odd.any():
                fault = Fault("not-whole", odd, lambda at: f"{x[at]:g}", "a whole number", "")
                self._odd.fault(fault, place)

    def _kept_rows(self, values: Mapping[str, Values]) -> Mask | None:
        """A value that cannot be read is no reason to leave its row out."""
        there = {
            name: value._replace(array=np.where(refused(value.array), 0.0, value.array))
            for name, value in values.items()
        }
        return super()._kept_rows(there)

    def odd_counts(self) -> list[str]:
        """Counts that are not whole, which a loss takes since rates have no other."""
        return [
            f"{odd.file}, column '{odd.column}': {odd.count:,} not whole, where {self.loss.name} "
            f"takes counts: {odd.listed}; right for rates whose --weight is their exposure"
            for odd in self._odd.all(self.role_of)
        ]

    def role_of(self, file: str, column: str) -> str:
        """The role that a column of a file has."""
        return next(
            (
                name
                for name, each in self._columns.items()
                if each.display == file and column in each.names
            ),
            "",
        )


def _role_of(roles: Mapping[str, Any], data: Any, file: str, column: str) -> str:
    """The role that a column of a file was named for."""
    for name, value in roles.items():
        path, mark, columns = str(value).partition("#")
        if data is not None and not mark:
            path, columns = str(data), path
        if path == file and (not columns or column in columns.split(",")):
            return name
    return ""


def check(
    loss: Loss, roles: Mapping[str, Any], params: dict[str, Any], options: InputOptions, data: Any,
    wrong: Sequence[DataError] = (),
) -> Checked:  # fmt: skip
    """Look at every value of the inputs of a loss, beside what is `wrong` with its parameters."""
    problems, found = Problems(), Checked(loss.name)
    for each in wrong:
        problems.fail(each)
    options = replace(options, tell=problems.told)
    inputs: _Looking | None = None
    with contextlib.ExitStack() as stack:
        try:
            inputs = _Looking(problems, loss, roles, dict(params), options, data)
            stack.callback(inputs.close)
            found.inputs = inputs.describe()
            given = inputs.roles_given - {BY}
            for block in inputs.blocks():
                found.rows += block.length
                found.skipped += block.skipped
                for name, array in block.arrays.items():
                    # Lengths that lists have by themselves were not given.
                    if name in given and not inputs.roles[name].whole:
                        seen = found.seen.setdefault(name, Seen(inputs.shapes[name]))
                        seen.see(array, block.counts.get(name))
        except DataError as error:
            problems.fail(error)
        found.problems = problems.all(inputs.role_of if inputs else partial(_role_of, roles, data))
        found.warnings = inputs.told() + inputs.odd_counts() if inputs else []
    codes = {name: role.codes for name, role in loss.roles.items() if options.labels}
    found.fits = fits(found.seen, options.labels or (), codes)
    return found

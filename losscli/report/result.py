"""What a computation gives: its values, and all that is needed to get them again."""

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

from losscli import __version__
from losscli.engine.compute import Value
from losscli.losses.domains import number

if TYPE_CHECKING:
    import pandas as pd

    from losscli.losses.numerics import Array


@dataclass(frozen=True)
class Result:
    """The reduced values of a loss over its rows, and their provenance."""

    loss: str
    parameters: dict[str, Any]
    values: list[Value]
    #: rows of the inputs, those skipped included
    rows: int
    skipped: int
    ignored: int
    inputs: dict[str, str]
    row: str
    #: options other than parameters that bear on the value: labels, nonfinite
    options: dict[str, str] = field(default_factory=dict)
    #: for each value, the loss of the best constant prediction, where it was asked for
    baselines: list[float] | None = None
    #: for each file whose rows are paired by key, how many have no partner and were left out
    unpaired: dict[str, int] | None = None
    warnings: list[str] = field(default_factory=list)
    #: what a dialect decided or would have one know
    notes: list[str] = field(default_factory=list)
    dtype: str = "float64"
    version: str = __version__
    #: how to get the losses of rows, which are computed when they are asked for
    _rows_of: "Callable[[], Array] | None" = field(default=None, repr=False, compare=False)

    @cached_property
    def per_sample(self) -> "Array | None":
        """The loss of every row, (n,) or (n, k), weights multiplied in; NaN for skipped rows.

        Unless they were kept, this reads the inputs again. None on the command line.
        """
        return None if self._rows_of is None else self._rows_of()

    @property
    def value(self) -> Any:
        """The value of the first reduction: a float, or an array of one value a column.

        None when only `none` was asked for; the losses are in `per_sample` then.
        """
        import numpy as np

        first = [v.value for v in self.values if v.reduction == self.values[0].reduction]
        if not first:
            return None
        return first[0] if len(first) == 1 else np.array(first)

    @property
    def n(self) -> int:
        """How many losses the first value reduces."""
        return self.values[0].n if self.values else self.rows - self.skipped

    @property
    def baseline(self) -> float | None:
        """The first value of the best constant prediction, where it was asked for."""
        return self.baselines[0] if self.baselines else None

    @property
    def skill(self) -> float | None:
        """1 − value / baseline: 1 for a perfect model, 0 for one no better than a constant."""
        return None if not self.baselines else _skill(self.values[0].value, self.baselines[0])

    def _compared(self, i: int) -> dict[str, Any]:
        if not self.baselines:
            return {}
        baseline = self.baselines[i]
        return {"baseline": baseline, "skill": _skill(self.values[i].value, baseline)}

    @property
    def denominator(self) -> float | None:
        """What the first value's sum was divided by; None for a sum."""
        return self.values[0].denominator if self.values else None

    @property
    def signature(self) -> str:
        """One line from which anyone can reproduce the first value."""
        return self.signature_of(self.values[0] if self.values else None)

    def signature_of(self, value: Value | None) -> str:
        """The signature of one of the values."""
        parts = [self.loss]
        parts += [f"{k}:{_text(v)}" for k, v in self.parameters.items() if v is not None]
        parts += [f"{k}:{v}" for k, v in self.options.items()]
        parts.append(f"row:{value.row if value else self.row}")
        parts.append(f"reduction:{value.reduction if value else 'none'}")
        parts += [f"n:{value.n if value else self.n}", f"skipped:{self.skipped}"]
        if self.unpaired and any(self.unpaired.values()):
            parts.append(f"unpaired:{sum(self.unpaired.values())}")
        if self.ignored:
            parts.append(f"ignored:{self.ignored}")
        parts += [f"dtype:{self.dtype}", f"losscli:{self.version}"]
        return "|".join(parts)

    def records(self) -> list[dict[str, Any]]:
        """One flat record for each value, as the tables show them."""
        several = any(v.column for v in self.values)
        return [
            {
                "loss": self.loss,
                "reduction": v.reduction,
                **({"column": v.column} if several else {}),
                "value": v.value,
                **self._compared(i),
                "n": v.n,
                "denominator": v.denominator,
                "skipped": self.skipped,
                "signature": self.signature_of(v),
            }
            for i, v in enumerate(self.values)
        ]

    def to_dict(self) -> dict[str, Any]:
        """The result with plain types: the first value on top, all of them under `values`."""
        values = [
            {
                "reduction": v.reduction,
                "row": v.row,
                **({"column": v.column} if v.column else {}),
                "value": v.value,
                **self._compared(i),
                "n": v.n,
                "denominator": v.denominator,
                "signature": self.signature_of(v),
            }
            for i, v in enumerate(self.values)
        ]
        return {
            "loss": self.loss,
            "parameters": {k: _plain(v) for k, v in self.parameters.items()},
            **self.options,
            **(values[0] if values else {}),
            "rows": self.rows,
            "skipped": self.skipped,
            "ignored": self.ignored,
            **({} if self.unpaired is None else {"unpaired": self.unpaired}),
            "values": values,
            "inputs": self.inputs,
            "dtype": self.dtype,
            "warnings": self.warnings,
            "notes": self.notes,
            "version": self.version,
        }

    def to_frame(self) -> "pd.DataFrame":
        """The values as a pandas DataFrame, one row for each."""
        import pandas as pd

        return pd.DataFrame(self.records())

    def __float__(self) -> float:
        return float(self.value)

    def __repr__(self) -> str:
        lines = [
            f"{v.reduction}{f' of {v.column}' if v.column else ''}: {v.value!r}"
            f"  (n = {v.n}{_over(v.denominator, v.n)})"
            for v in self.values
        ]
        body = "\n  ".join([*lines, self.signature])
        return f"<Result {self.loss}\n  {body}>"


def _skill(value: float, baseline: float) -> float:
    return 1.0 - value / baseline if baseline else float("nan")


def _over(denominator: float | None, n: int) -> str:
    return "" if denominator is None or denominator == n else f", divided by {denominator!r}"


def _text(value: Any) -> str:
    """A parameter's value in a signature: yes and no, 1 and not 1.0, lists with commas."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, str):
        return value
    if hasattr(value, "tolist"):
        return ",".join(number(x) for x in value.tolist())
    return number(value)


def _plain(value: Any) -> Any:
    return value.tolist() if hasattr(value, "tolist") else value

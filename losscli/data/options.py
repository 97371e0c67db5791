"""What is asked of the inputs beside the data itself."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Literal

from losscli.data.axes import LAST
from losscli.data.checks import Finite
from losscli.data.given import Join
from losscli.data.reading import ReadOptions
from losscli.data.troubles import Tell
from losscli.losses.row_domains import SUM_TOLERANCE
from losscli.stopwatch import Stopwatch

NonFinite = Literal["error", "skip", "keep"]
Missing = Literal["error", "skip"]


@dataclass(frozen=True)
class InputOptions:
    """How files are read, and what values stand for."""

    read: ReadOptions = field(default_factory=ReadOptions)
    #: two values that stand for the two labels, and a third that stands for an ignored one
    labels: tuple[str, ...] | None = None
    nonfinite: NonFinite = "error"
    class_axis: int = LAST
    sum_tolerance: float = SUM_TOLERANCE
    #: rows of a batch, for losses whose rows depend on their batch; None for the whole file
    batch_size: int | None = None
    #: names of the classes in the order of their scores; ("columns",) for the columns' own
    classes: tuple[str, ...] | None = None
    #: the columns that pair the rows of different files; none, when rows are paired by position
    on: tuple[str, ...] = ()
    join: Join = "strict"
    #: bytes that may be held where rows cannot be streamed; None for a share of what is free
    max_memory: int | None = None
    #: told where the time goes
    clock: Stopwatch = field(default_factory=Stopwatch, compare=False)
    #: what becomes of missing values; None when they are like any that is not finite
    missing: Missing | None = None
    #: told of what is wrong with the inputs, which then does not end the reading
    tell: Tell | None = None
    #: what gave a parameter its numbers, where that is not its own option alone
    given_by: Mapping[str, str] = field(default_factory=dict)

    @cached_property
    def refused(self) -> Finite:
        """Which values without a number are errors, where they are not skipped."""
        nonfinite = self.nonfinite != "keep"
        return Finite(nonfinite if self.missing is None else True, nonfinite)

    @cached_property
    def skipped(self) -> Finite:
        """Which of them skip their rows."""
        nonfinite = self.nonfinite == "skip"
        return Finite(nonfinite if self.missing is None else self.missing == "skip", nonfinite)

"""A progress bar on standard error, for a person who waits longer than a second."""

import sys
import time
from types import TracebackType
from typing import Any

#: seconds before a bar appears
PATIENCE = 1.0


class Progress:
    """Told how many rows are done; draws when standard error is a terminal and it takes long."""

    def __init__(self, wanted: bool = True) -> None:
        self._wanted = wanted and sys.stderr.isatty()
        self._start = time.monotonic()
        self._bar: Any = None
        self._task: Any = None

    def __enter__(self) -> "Progress":
        return self

    def __call__(self, rows: int, total: int | None) -> None:
        """So many rows are done, of so many if that is known."""
        if not self._wanted:
            return
        if self._bar is None:
            if time.monotonic() - self._start < PATIENCE:
                return
            self._begin(total)
        speed = rows / (time.monotonic() - self._start)
        self._bar.update(self._task, completed=rows, speed=f"{rows:,} rows, {speed:,.0f} a second")

    def _begin(self, total: int | None) -> None:
        from rich import progress
        from rich.console import Console

        self._bar = progress.Progress(
            progress.BarColumn(),
            progress.TextColumn("{task.fields[speed]}"),
            progress.TimeRemainingColumn(),
            console=Console(stderr=True),
            transient=True,
        )
        self._task = self._bar.add_task("", total=total, speed="")
        self._bar.start()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self._bar is not None:
            self._bar.stop()

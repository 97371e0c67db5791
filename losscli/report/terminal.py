"""Tables for people, drawn by rich; loaded only when a table is to be drawn."""

import shutil
from collections.abc import Sequence
from typing import IO, Any

from losscli.report.formats import Record, cell
from losscli.report.inert import inert

#: what is too long for a column of a screen is said once, below the table
_BELOW = "signature"
#: below so many columns of a terminal a record is a list, not a row
NARROW = 60


def draw(records: Sequence[Record], stream: IO[str], color: str) -> None:
    """Draw records as a table, numbers to six digits."""
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    class Screen(Console):
        """A console that leaves it to the program what becomes of a pipe that was left."""

        def on_broken_pipe(self) -> None:
            raise BrokenPipeError

    console = Screen(
        file=stream,
        force_terminal=True if color == "always" else None,
        no_color=True if color == "never" else None,
        width=None if stream.isatty() else 10_000,
        highlight=False,
    )
    if console.width < 1:  # COLUMNS=0 says nothing of the terminal
        console.width = shutil.get_terminal_size().columns
    if console.width < NARROW:
        for record in records:
            for key, value in record.items():
                console.print(Text(inert(f"{key}: {_short(value)}")), overflow="fold")
        return
    table = Table(header_style="bold", box=_box(console), pad_edge=False)
    header = [k for k in dict.fromkeys(k for r in records for k in r) if k != _BELOW]
    for key in header:
        numeric = all(isinstance(r.get(key), (int, float, type(None))) for r in records)
        table.add_column(Text(inert(key)), justify="right" if numeric else "left", overflow="fold")
    for record in records:
        table.add_row(*(Text(inert(_short(record.get(key)))) for key in header))
    console.print(table)
    for record in records:
        if _BELOW in record:
            # One line, however narrow the terminal: it is made to be copied.
            console.print(Text(inert(record[_BELOW]), style="dim"), soft_wrap=True)


def _box(console: Any) -> Any:
    from rich import box

    unicode = (console.encoding or "").lower().startswith("utf")
    return box.SIMPLE_HEAD if unicode else box.ASCII2


def _short(value: Any) -> str:
    """A number as the screen shows it: six digits, and whole numbers whole."""
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() and abs(value) < 1e15 else f"{value:.6g}"
    return cell(value)

"""The first record of a CSV, which tells the delimiter, and may be a header."""

import csv
import io
import re
from collections.abc import Collection, Sequence

from losscli.data.records import Quoting
from losscli.data.text import carriage_returns
from losscli.errors import DataError

#: how a number begins that another reader may know: 1_000, 0x1F, 1,5
_LIKE_NUMBER = re.compile(r"[+-]?[.,]?[0-9]")


def first_record(
    data: bytes, display: str, delimiter: str | None, decimal: str
) -> tuple[list[str], int, str]:
    """The first record's cells, where the next one starts, and the delimiter."""
    end = data.find(b"\n")
    if b"\r" in data[:end].rstrip(b"\r") and b'"' not in data[:end]:
        raise carriage_returns(display)
    # A record goes on while a quoted field is open.
    while end >= 0:
        text = data[: end + 1].decode(errors="replace")
        found = delimiter or _delimiter(text, display, decimal)
        if Quoting(found.encode()).record_end(data[: end + 1]):
            break
        end = data.find(b"\n", end + 1)
    else:
        end, found = len(data) - 1, delimiter or ("," if decimal == "." else ";")
        text = data.decode(errors="replace")
    try:
        reader = csv.reader(io.StringIO(text, newline=""), delimiter=found)
        record, *others = list(reader) or [[]]
    except csv.Error as error:
        raise DataError(f"{display}, line 1: {error}") from None
    if others:
        raise carriage_returns(display)
    return record, end + 1, found


def is_header(
    cells: Sequence[str], words: Sequence[str], rest: bytes, labels: Collection[str],
    selector: str | None,
) -> bool | None:  # fmt: skip
    """Whether a first record is a header: one that has `words`, not only numbers or missing ones.

    0, 1, 2 … is both a saved table's default header and a row of numbers, a label may be the first
    row of a column of labels, and 1_000 a number that is written wrong: nobody can tell (None),
    unless the columns that are asked for are its cells, or are 1, 2, 3 …
    """
    counting = list(cells) == [str(i) for i in range(len(cells))]
    second = rest[: rest.find(b"\n")].decode(errors="replace").strip() if rest else ""
    doubtful = (
        any(word in labels for word in words)
        or (counting and (len(cells) > 1 or (second and not second.lstrip("+-").isdigit())))
        or (words and all(_LIKE_NUMBER.match(word) for word in words))
    )
    asked = selector.split(",") if selector else []
    if doubtful and asked:
        if all(name in cells for name in asked):
            return True
        if all(name.isdigit() and 1 <= int(name) <= len(cells) for name in asked):
            return False
    return None if doubtful else bool(words)


def _delimiter(line: str, display: str, decimal: str) -> str:
    """Comma or tab, whichever the first line has; where commas are in numbers, what else it has."""
    plain = re.sub(r'"[^"]*"', "", line)
    if decimal == ",":
        return next((other for other in "\t;|" if other in plain), ";")
    if "\t" in plain and "," not in plain:
        return "\t"
    for other in ";|":
        if other in plain and "," not in plain:
            raise DataError(f"{display}: fields separated by '{other}'", f"--delimiter '{other}'")
    return ","

"""The first record of a CSV, which tells the delimiter."""

import csv
import io
import re

from losscli.data.records import Quoting
from losscli.data.text import carriage_returns
from losscli.errors import DataError


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

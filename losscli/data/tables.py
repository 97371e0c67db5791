"""Batches of rows, as Arrow has them → pieces: what Parquet and Arrow files have in common."""

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any

import pyarrow as pa

from losscli.data import nested
from losscli.data.arrow import is_bytes, is_text, read
from losscli.data.source import BadValue, Values, Wanted, misfit, piece_rows
from losscli.errors import DataError, FileError

_VALUE_BYTES = 8
#: what Arrow raises for bytes that make no sense to it: names and words that are not UTF-8, too
DAMAGE = (pa.ArrowException, OSError, MemoryError, UnicodeDecodeError)


def names_of(wanted: Sequence[Wanted], columns: Sequence[str], display: str) -> list[str]:
    """The columns to read, each once; a DataError when a name stands for several."""
    names = list(dict.fromkeys(w.column for w in wanted))
    counts = Counter(columns)
    for name in names:
        if counts[name] > 1:
            raise DataError(f"{display}: {counts[name]} columns are called '{name}'")
    return names


def pieces_of(
    batches: Iterator[Any], wanted: Sequence[Wanted], display: str, row: int = 0
) -> Iterator[list[Values]]:
    """The columns wanted of every batch from a row on.

    A FileError says after which row a file is damaged.
    """
    while True:
        try:
            batch = next(batches, None)
            if batch is None:
                return
            # Offsets that point out of their buffer would be followed as they are.
            batch.validate(full=True)
            values = [_decode(nested.column(batch, w.column), w, display, row) for w in wanted]
        except DAMAGE as error:
            what = "out of memory" if isinstance(error, MemoryError) else "damaged"
            raise FileError(f"{display}: {what} after row {row}: {first_line(error)}") from None
        yield values
        row += batch.num_rows


def _decode(array: Any, wanted: Wanted, display: str, row: int) -> Values:
    try:
        return read(array, wanted)
    except BadValue as bad:
        raise misfit(
            display, wanted.column, row + bad.index + 1, bad.value, bad.expected, bad.hint
        ) from None


def within(batches: Iterator[Any], skip: int, rows: int) -> Iterator[Any]:
    """So many rows of batches, after those that are skipped."""
    for batch in batches:
        if skip < batch.num_rows:
            part = batch.slice(skip, rows) if skip or rows < batch.num_rows else batch
            yield part
            rows -= part.num_rows
        if not rows:
            return
        skip = max(0, skip - batch.num_rows)


def slices(batch: Any) -> Iterator[Any]:
    """A batch in parts that are small enough for a piece: a batch may be a whole table."""
    step = piece_rows(row_width(batch))
    for start in range(0, batch.num_rows, step):
        yield batch.slice(start, step)


def row_width(batch: Any) -> int:
    """How many values a row of a batch has, on average."""
    return sum(map(_values, batch.columns)) // int(max(1, batch.num_rows))


def _values(array: Any) -> int:
    """How many values an array holds, those of its lists counted one by one, and texts by size."""
    if isinstance(array, pa.ExtensionArray):
        array = array.storage
    if pa.types.is_struct(array.type):
        return sum(map(_values, array.flatten()))
    if is_text(array.type) or is_bytes(array.type):
        return max(len(array), int(array.nbytes) // _VALUE_BYTES)
    return max(len(array), _values(array.values)) if hasattr(array, "values") else len(array)


def unreadable(error: Exception, what: str, display: str) -> FileError:
    """The error of a file that does not open, with what is known of why."""
    wide = "more than 64 bits" in str(error)
    return FileError(
        f"{display}: not a readable {what} file: {first_line(error)}",
        "they are columns of polars: frame.cast({polars.Int128: polars.Decimal(38, 0)}) before it "
        "is written makes them readable"
        if wide
        else "",
    )


def first_line(error: Exception) -> str:
    """What an error of a library says, in one line."""
    return (str(error).splitlines() or [type(error).__name__])[0]

"""Parquet files, one batch of rows at a time."""

import os
import re
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from functools import cached_property, partial
from itertools import accumulate, islice
from typing import TYPE_CHECKING, Any

import pyarrow as pa
from pyarrow.types import is_nested

from losscli.data.arrow import is_bytes, is_text
from losscli.data.bare_parquet import ParquetReader
from losscli.data.nested import column_names
from losscli.data.source import Source, Span, Values, Wanted, piece_rows
from losscli.data.tables import DAMAGE, names_of, pieces_of, row_width, unreadable, within
from losscli.errors import FileError

if TYPE_CHECKING:
    from losscli.data.remote import Transfer

#: rows that tell how long lists are
PROBE_ROWS = 64
#: rows of a batch of those that are not wanted
SKIPPED_ROWS = 8192
_MARK = b"PAR1"
#: what a footer begins with: the first field, version 1 or 2
_FOOTERS = (b"\x15\x02", b"\x15\x04")
#: the length of the footer, and the mark
_TRAILER = 8
#: bytes that are looked through for a second file, in any case and at once
_LOOK = 1 << 22
#: the share of a packed file that headers and indexes may take more than values do
_OVERHEAD = 64


class ParquetSource(Source):
    """The columns of one Parquet file."""

    def __init__(
        self, file: Any, display: str, threads: int = 1, transfer: "Transfer | None" = None
    ) -> None:
        """`transfer` is of a file that is not on disk."""
        self.display, self._transfer = display, transfer
        self._in_place = isinstance(file, str)
        # Columns are decoded at once by threads of Arrow, of which it has one a core.
        self._at_once = self._in_place and threads >= pa.cpu_count() > 1
        # Pre-buffering would hold the whole file; a small buffer keeps one page a column. What is
        # not on disk comes in larger parts, since every part is waited for.
        size = 1 << (18 if self._in_place else 22)
        self._open = partial(
            ParquetReader,
            file,
            pre_buffer=False,
            buffer_size=size,
            page_checksum_verification=True,
        )
        try:
            with self._reading():
                self._file = self._open()
            self.columns: list[str] = column_names(self._file.schema)
            self.rows = int(self._file.metadata.num_rows)
            with self._reading(), open(file, "rb") if self._in_place else nullcontext(file) as raw:
                two = _follows_another(raw, self._file.metadata)
        except DAMAGE as error:
            raise unreadable(error, "Parquet", display) from None
        if two:
            self.close()
            raise FileError(
                f"{display}: two Parquet files in one, of which one was written after the other",
                "one file each: files of a directory are read one after the other",
            )

    def pieces(self, wanted: Sequence[Wanted]) -> Iterator[list[Values]]:
        names = names_of(wanted, self.columns, self.display)
        return pieces_of(self._batches(names), wanted, self.display)

    @cached_property
    def starts(self) -> list[int]:
        """The first rows of row groups. What comes through a pipe is read by one thread."""
        if not self._in_place:
            return []
        metadata = self._file.metadata
        groups = range(metadata.num_row_groups)
        *starts, rows = accumulate((metadata.row_group(i).num_rows for i in groups), initial=0)
        if rows != self.rows:
            raise FileError(
                f"{self.display}: damaged: its footer says {self.rows} rows, and those of its row "
                f"groups are {rows}"
            )
        return starts

    def between(self, wanted: Sequence[Wanted], span: Span) -> Iterator[list[Values]]:
        names = names_of(wanted, self.columns, self.display)
        return pieces_of(self._span(names, span), wanted, self.display, span.start)

    def close(self) -> None:
        self._file.close()

    def _batches(self, names: list[str]) -> Iterator[Any]:
        with self._reading():
            batches = self._file.batches(self._batch_rows(names), names, threads=self._at_once)
            yield from _all_there(batches, self.rows)
        if self._transfer is not None:
            self._transfer.check()

    def _reading(self) -> AbstractContextManager[None]:
        """Around what reads the file: a transfer that fails is no damage."""
        return nullcontext() if self._transfer is None else self._transfer.reading()

    def _span(self, names: list[str], span: Span) -> Iterator[Any]:
        """The batches of a span, by a reader of its own: one reader is no affair of two threads."""
        starts = self.starts
        first, last = bisect_right(starts, span.start) - 1, bisect_right(starts, span.stop - 1)
        rows, skip = span.stop - span.start, span.start - starts[first]
        with self._open(metadata=self._file.metadata) as file:
            batches = _aligned(file, range(first, last), names, skip, self._batch_rows(names))
            yield from _all_there(within(batches, skip, rows), rows)

    def _batch_rows(self, names: Sequence[str]) -> int:
        """Rows of a batch: a list or a text is worth many values, as the first rows tell.

        The metadata of columns would tell as well, but where its statistics are damaged pyarrow
        aborts the process when it is asked for them.
        """
        schema = self._file.schema
        if not any(_may_be_wide(schema, name) for name in names):
            return piece_rows(len(names))
        with self._open(metadata=self._file.metadata) as reader:
            first = next(reader.batches(PROBE_ROWS, names), None)
        return piece_rows(1 if first is None else row_width(first))


def _follows_another(file: Any, metadata: Any) -> bool:
    """Whether a file was written at the end of another one, whose values would be taken for its.

    Its footer says where its values are, counted from its own start. Where there are more bytes
    before the footer than the values take unpacked, and in any small file, another footer and
    start are looked for. (Where the columns are would tell for all files, but pyarrow aborts the
    process when it is asked for columns whose statistics are damaged.)
    """
    groups = map(metadata.row_group, range(metadata.num_row_groups))
    values = sum(group.total_byte_size for group in groups)
    end = file.seek(0, os.SEEK_END) - _TRAILER - metadata.serialized_size
    if _LOOK < end <= values + values // _OVERHEAD + len(_MARK):
        return False
    for start in range(0, end, _LOOK):
        file.seek(start)
        part = file.read(_LOOK + 3 * len(_MARK))
        for found in re.finditer(2 * _MARK, part):
            at = start + found.start() - 4
            footer = at - int.from_bytes(part[found.start() - 4 : found.start()], "little")
            if 0 < footer < at:
                file.seek(footer)
                if file.read(2) in _FOOTERS:
                    return True
    return False


def _aligned(
    file: ParquetReader, groups: range, names: list[str], skip: int, step: int
) -> Iterator[Any]:  # fmt: skip
    """Batches of row groups, of `step` rows each from the row on that is `skip` rows behind.

    So are the blocks of a span, which then need not be joined of two batches. Those before are
    small: buffers of all kinds of sizes would keep memory that nobody asks for again.
    """
    short = skip % step
    sizes = [SKIPPED_ROWS] * (short // SKIPPED_ROWS)
    sizes += [short % SKIPPED_ROWS] if short % SKIPPED_ROWS else []
    # The reader sees the size of a batch whenever one is asked for.
    batches = file.batches([*sizes, step][0], names, groups)
    for size in [*sizes[1:], step] if sizes else []:
        yield from islice(batches, 1)
        file.resize(size)
    yield from batches


def _may_be_wide(schema: Any, name: str) -> bool:
    """Whether values of a column, or of a member of one, may be lists or texts."""
    at = schema.get_field_index(name)
    if at < 0 or isinstance(schema.types[at], pa.BaseExtensionType):
        return True
    return any(test(schema.types[at]) for test in (is_nested, is_text, is_bytes))


def _all_there(batches: Iterator[Any], rows: int | None) -> Iterator[Any]:
    """Batches with as many rows in all as the footer says: pages that lack some do not tell."""
    found = 0
    for batch in batches:
        found += batch.num_rows
        yield batch
    if rows is not None and found != rows:
        raise pa.ArrowInvalid(f"its footer says {rows - found} rows more than its pages have")

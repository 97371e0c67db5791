"""CSV, a chunk of whole records at a time.

The types of columns are decided by what a loss needs of them, never by what their first rows look
like; a value that does not fit is found again in its chunk, so that the error can name its row.
"""

import contextlib
import csv as csv_module
import io
import re
from collections.abc import Iterator, Sequence
from typing import BinaryIO

from losscli.data.arrow import read
from losscli.data.source import BadValue, Values, Wanted, misfit
from losscli.errors import DataError, FileError

CHUNK = 1 << 20
#: a record longer than this is taken for a file that is not CSV, or a quote that never closes
LONGEST_RECORD = 1 << 28
MISSING = ("", "NA", "N/A", "n/a", "#N/A", "NULL", "Null", "null", "None", "<NA>")
_NUMBER = re.compile(r"[+-]?(\d+\.?\d*([eE][+-]?\d+)?|\.\d+([eE][+-]?\d+)?|inf(inity)?|nan)", re.I)


class CsvSource:
    """The columns of one CSV stream, whose names are in its first record or are 1, 2, 3 …"""

    whole = False

    def __init__(
        self,
        stream: BinaryIO,
        display: str,
        delimiter: str | None = None,
        header: bool | None = None,
    ) -> None:
        self.display = display
        self._stream = stream
        self._chunks = _records(stream, display)
        self._first = next(self._chunks, b"").removeprefix(b"\xef\xbb\xbf")
        if self._first[:2] in (b"\xff\xfe", b"\xfe\xff"):
            raise FileError(
                f"{display}: UTF-16 text, expected UTF-8",
                f"iconv -f UTF-16 -t UTF-8 {display} | losscli … reads it from '-'",
            )
        if not self._first.strip():
            raise DataError(f"{display}: empty")
        line, cut = _first_record(self._first)
        self.delimiter = delimiter or _delimiter(line, display)
        record = self._names(line)
        has_header = header if header is not None else self._detect_header(record, cut)
        self.header_lines = 1 if has_header else 0
        if has_header:
            self._first = self._first[cut:]
            self.columns = [name.strip() for name in record]
        else:
            self.columns = [str(i + 1) for i in range(len(record))]

    def _names(self, line: str) -> list[str]:
        try:
            return next(csv_module.reader([line], delimiter=self.delimiter), [])
        except csv_module.Error:
            raise DataError(
                f"{self.display}: line ends of old Macintosh files, or not a CSV file",
                f"tr '\\r' '\\n' < {self.display} | losscli … reads it from '-'",
            ) from None

    def _detect_header(self, record: list[str], cut: int) -> bool:
        """A header is a first record that is not all numbers.

        0, 1, 2 … is both a saved table's default header and a row of numbers: nobody can tell.
        """
        cells = [cell.strip() for cell in record]
        numeric = all(_NUMBER.fullmatch(cell) for cell in cells)
        if not numeric:
            return True
        second = _first_record(self._first[cut:])[0].strip() if cut < len(self._first) else ""
        counting = cells == [str(i) for i in range(len(cells))]
        if counting and (len(cells) > 1 or (second and not second.lstrip("+-").isdigit())):
            raise DataError(
                f"{self.display}: the first line, {self.delimiter.join(cells)}, may be the names "
                "of the columns or a row of numbers",
                "say which: --header or --no-header",
            )
        return False

    def pieces(self, wanted: Sequence[Wanted]) -> Iterator[list[Values]]:
        indexes = [self._index(w.column) for w in wanted]
        row, line = 0, self.header_lines
        previous, self._first = self._first, b""
        for chunk in self._chunks:
            if previous:
                values, rows = self._parse(previous, indexes, wanted, row, line)
                row, line = row + rows, line + previous.count(b"\n")
                yield values
            previous = chunk
        # Blank lines at the very end are how files end, not rows.
        last = previous.rstrip(b"\r\n") + b"\n" if previous.strip(b"\r\n") else b""
        if last:
            yield self._parse(last, indexes, wanted, row, line)[0]

    def close(self) -> None:
        self._stream.close()

    def _index(self, name: str) -> int:
        if self.columns.count(name) > 1:
            raise DataError(
                f"{self.display}: {self.columns.count(name)} columns are called '{name}'"
            )
        return self.columns.index(name)

    def _parse(
        self, chunk: bytes, indexes: list[int], wanted: Sequence[Wanted], row: int, line: int
    ) -> tuple[list[Values], int]:
        import pyarrow as pa
        import pyarrow.csv as pacsv

        quotes = b'"' in chunk
        types = {
            str(i): pa.string() if w.as_words else pa.float64()
            for i, w in zip(indexes, wanted, strict=True)
        }
        names = [str(i) for i in range(len(self.columns))]
        try:
            table = pacsv.read_csv(
                pa.BufferReader(chunk),
                read_options=pacsv.ReadOptions(
                    use_threads=False, column_names=names, block_size=len(chunk) + 1
                ),
                parse_options=pacsv.ParseOptions(
                    delimiter=self.delimiter,
                    quote_char='"' if quotes else False,
                    newlines_in_values=quotes,
                    # In a file of one column a blank line is a missing value.
                    ignore_empty_lines=len(names) > 1,
                ),
                convert_options=pacsv.ConvertOptions(
                    column_types=types,
                    include_columns=list(types),
                    null_values=list(MISSING),
                    strings_can_be_null=True,
                ),
            )
        except pa.ArrowInvalid as error:
            self._explain(chunk, indexes, wanted, row, line)
            raise DataError(f"{self.display}, after row {row}: {error}") from None
        columns = []
        for i, w in zip(indexes, wanted, strict=True):
            column = table.column(str(i))
            array = column.chunk(0) if column.num_chunks == 1 else column.combine_chunks()
            try:
                columns.append(read(array, w))
            except BadValue as bad:
                at = row + bad.index + 1
                raise misfit(
                    self.display, w.column, at, bad.value, bad.expected, bad.hint
                ) from None
        return columns, table.num_rows

    def _explain(
        self, chunk: bytes, indexes: list[int], wanted: Sequence[Wanted], row: int, line: int
    ) -> None:
        """Find the record of a chunk that Arrow refused, and raise the error that names it."""
        try:
            text = chunk.decode()
        except UnicodeDecodeError as error:
            at = line + chunk.count(b"\n", 0, error.start) + 1
            raise FileError(
                f"{self.display}, line {at}: not UTF-8 text",
                f"iconv -f LATIN1 -t UTF-8 {self.display} | losscli … reads it from '-'",
            ) from None
        width = len(self.columns)
        reader = csv_module.reader(io.StringIO(text, newline=""), delimiter=self.delimiter)
        for record in _until_error(reader):
            if not record and width > 1:
                continue
            row += 1
            where = f"{self.display}, line {line + reader.line_num}"
            if len(record) != width and record:
                raise DataError(f"{where}: {len(record)} fields, expected {width}")
            for i, w in zip(indexes, wanted, strict=True):
                cell = record[i].strip() if record else ""
                if not w.as_words and cell not in MISSING and not _NUMBER.fullmatch(cell):
                    expected = w.labels.expected if w.labels else "a number"
                    raise misfit(self.display, w.column, row, f"got {cell!r}", expected, w.hint)


def _until_error(reader: Iterator[list[str]]) -> Iterator[list[str]]:
    """Records up to one that Python's reader does not understand either."""
    with contextlib.suppress(csv_module.Error):
        yield from reader


def _records(stream: BinaryIO, display: str) -> Iterator[bytes]:
    """Chunks of whole records: cut after a line end that is outside of quotes."""
    buffer = b""
    while True:
        try:
            data = stream.read(CHUNK)
        except OSError as error:
            raise FileError(f"{display}: {error.strerror or error}") from None
        if not data:
            if buffer:
                yield buffer if buffer.endswith(b"\n") else buffer + b"\n"
            return
        buffer = buffer + data if buffer else data
        cut = _last_record_end(buffer)
        if cut:
            yield buffer[:cut]
            buffer = buffer[cut:]
        elif len(buffer) > LONGEST_RECORD:
            raise DataError(
                f"{display}: a record of over {LONGEST_RECORD >> 20} MiB: "
                "a quote that never closes, or not a CSV file"
            )


def _last_record_end(data: bytes) -> int:
    """Just after the last line end with an even number of quotes before it; 0 if there is none."""
    end = data.rfind(b"\n")
    quotes = data.count(b'"', 0, end + 1) if end >= 0 else 0
    while end >= 0 and quotes % 2:
        previous = data.rfind(b"\n", 0, end)
        quotes -= data.count(b'"', previous + 1, end + 1)
        end = previous
    return end + 1


def _first_record(data: bytes) -> tuple[str, int]:
    """The first record as text, and where the next one starts."""
    end = data.find(b"\n")
    while end >= 0 and data.count(b'"', 0, end) % 2:
        end = data.find(b"\n", end + 1)
    cut = end + 1 if end >= 0 else len(data)
    return data[:cut].decode(errors="replace").rstrip("\r\n"), cut


def _delimiter(line: str, display: str) -> str:
    """Comma or tab, whichever the first line has."""
    plain = re.sub(r'"[^"]*"', "", line)
    if "\t" in plain and "," not in plain:
        return "\t"
    if ";" in plain and "," not in plain:
        raise DataError(f"{display}: fields separated by ';'", "--delimiter ';'")
    return ","

"""CSV, a chunk of whole records at a time.

The types of columns are decided by what a loss needs of them, never by what their first rows look
like; a value that does not fit is found again in its chunk, so that the error can name its row.
"""

import csv as csv_module
import re
from collections.abc import Collection, Iterator, Sequence
from functools import partial
from typing import Any, BinaryIO

import numpy as np

from losscli.data.ahead import each_ahead
from losscli.data.arrow import read
from losscli.data.blanks import beside_blanks, each_word, may_have_blanks
from losscli.data.cells import Record, problem_of, records, short
from losscli.data.first_record import first_record, is_header
from losscli.data.lines import Lines
from losscli.data.records import OPEN_QUOTE, Quoting, bodies, chunks
from losscli.data.source import NUMBER, BadValue, Source, Values, Wanted, as_number, misfit
from losscli.data.tables import names_of
from losscli.data.text import Uncommented, carriage_returns, recode
from losscli.data.troubles import NOT_UTF8, BadLine, Tell, report
from losscli.errors import DataError, FileError

MISSING = ("", "NA", "N/A", "n/a", "#N/A", "NULL", "Null", "null", "None", "<NA>")
#: what some writers begin a file with, and what stands in the middle where files were joined
BOM = b"\xef\xbb\xbf"
#: how a file for Excel says in a line of its own what its delimiter is
_SAID = re.compile(rb"sep=([,;|\t])\r?\n", re.I)


class CsvSource(Source):
    """The columns of one CSV stream, whose names are in its first record or are 1, 2, 3 …"""

    untyped = True

    def __init__(
        self,
        stream: BinaryIO,
        display: str,
        delimiter: str | None = None,
        header: bool | None = None,
        labels: Collection[str] = (),
        selector: str | None = None,
        null: tuple[str, ...] = (),
        decimal: str = ".",
        comment: str | None = None,
        threads: int = 1,
    ) -> None:
        self.display = display
        self._threads = threads
        self._missing, self.decimal = [*MISSING, *(word.strip() for word in null)], decimal
        possible = (delimiter or (",\t" if decimal == "." else ";\t|")).encode()
        self._stream = stream if comment is None else Uncommented(stream, comment, possible)
        self._chunks = chunks(self._stream, display, possible)
        first = next(self._chunks, b"").removeprefix(BOM)
        #: line ends before the first row
        self._lines = 0
        while not first.strip(b"\r\n") and (more := next(self._chunks, b"")):
            self._lines += first.count(b"\n")
            first = more
        said = _SAID.match(first)
        if said:
            delimiter = delimiter or said[1].decode()
            first = first[said.end() :]
        start = first.lstrip(b"\r\n")
        self._lines += bool(said) + first.count(b"\n", 0, len(first) - len(start))
        first = start
        if not first.strip():
            raise DataError(f"{display}: empty")
        record, cut, self.delimiter = first_record(first, display, delimiter, decimal)
        self._quoting = Quoting(self.delimiter.encode())
        numbers = [word for word in self._missing if self.number(word) is not None]
        self._blank_null = beside_blanks(numbers, self.delimiter) if numbers else None
        self._words = labels
        has_header = header
        if has_header is None:
            has_header = self._is_header(record, first[cut:], selector)
        self._first = first[cut:] if has_header else first
        self._lines += first[:cut].count(b"\n") if has_header else 0
        names = [name.strip() for name in record]
        self.columns = names if has_header else [str(i + 1) for i in range(len(record))]
        self._places = Lines(self.delimiter, len(self.columns) == 1)

    def _is_header(self, record: list[str], rest: bytes, selector: str | None) -> bool:
        """Whether the first record is a header; a DataError where nobody can tell."""
        cells = [cell.strip() for cell in record]
        words = [cell for cell in cells if self.number(cell) is None and cell not in self._missing]
        found = is_header(cells, words, rest, self._words, selector)
        if found is None:
            shown = self.delimiter.join(cells[:8]) + (", …" if len(cells) > 8 else "")
            raise DataError(
                f"{self.display}: the first line, {shown}, may be a header or a row of data",
                "say which: --header or --no-header; for one file alone, FILE#1 or FILE#name",
            )
        return found

    def pieces(self, wanted: Sequence[Wanted]) -> Iterator[list[Values]]:
        names_of(wanted, self.columns, self.display)
        places = {name: i for i, name in enumerate(self.columns)}
        indexes = [places[w.column] for w in wanted]
        row, line = 0, self._lines

        def attempt(chunk: bytes) -> tuple[list[Values], int] | None:
            # Where a chunk is in the file is known when those before it are done: an error is
            # made again then, with its place.
            try:
                return self._parse(chunk, indexes, wanted, 0, 0)
            except (DataError, FileError):
                return None

        first, self._first = self._first, b""
        whole = bodies(first, self._chunks, self.display)
        for chunk, parsed in each_ahead(attempt, whole, self._threads):
            values, rows = parsed or self._parse(chunk, indexes, wanted, row, line, self.tell)
            line += self._places.add(chunk, row, rows, line)
            row += rows
            yield values

    def close(self) -> None:
        self._stream.close()

    def _parse(
        self, chunk: bytes, indexes: list[int], wanted: Sequence[Wanted], row: int, line: int,
        tell: Tell | None = None,
    ) -> tuple[list[Values], int]:  # fmt: skip
        import pyarrow as pa

        lost: Any = None
        try:
            arrays = self._by_arrow(chunk, indexes, wanted)
        except pa.ArrowInvalid as error:
            cells = self._cells(chunk, indexes, wanted, row, line, tell)
            if cells is None:
                raise DataError(f"{self.display}, after row {row}: {error}") from None
            arrays, lost = cells
        columns = []
        for array, w in zip(arrays, wanted, strict=True):
            try:
                values = read(array, w)
                columns.append(Values(values.array, lost) if w.raw else values)
            except BadValue as bad:
                at = row + bad.index + 1
                on = self._line(line + self._places.within(chunk, bad.index))
                raise misfit(
                    self.display, w.column, at, bad.value, bad.expected, bad.hint, on
                ) from None
        return columns, len(arrays[0])

    def _by_arrow(self, chunk: bytes, indexes: list[int], wanted: Sequence[Wanted]) -> list[Any]:
        """The wanted columns of a chunk, parsed by Arrow."""
        import pyarrow as pa
        import pyarrow.csv as pacsv

        quotes = b'"' in chunk
        if quotes and any(self._quoting.wrong(chunk)):
            raise pa.ArrowInvalid("a quote that does not end its field")
        if b"\r" in chunk and chunk.count(b"\r") != chunk.count(b"\r\n"):
            raise pa.ArrowInvalid("Arrow takes a carriage return alone for the end of a line")
        if chunk.startswith(BOM):
            raise pa.ArrowInvalid("Arrow leaves out what would be part of a value")
        if self._blank_null and self._blank_null.search(chunk):
            raise pa.ArrowInvalid("Arrow takes for a number what is missing without its blanks")
        # Arrow has one set of words for missing values: that of the numbers.
        missing = [self._null_words(w) for w in wanted]
        of_numbers = [words for words, w in zip(missing, wanted, strict=True) if not w.as_words]
        null_words = (of_numbers or missing)[0]
        if any(words != null_words for words in of_numbers):
            raise pa.ArrowInvalid("a number that is missing in some columns is a label in another")
        alike = all(words == null_words for words in missing)
        names = [str(i) for i in range(len(self.columns))]
        types = {
            str(i): pa.string() if w.as_words else pa.float64()
            for i, w in zip(indexes, wanted, strict=True)
        }
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
                include_columns=[str(i) for i in indexes],
                null_values=null_words,
                decimal_point=self.decimal,
                strings_can_be_null=alike,
            ),
        )
        arrays = [c.chunk(0) if c.num_chunks == 1 else c.combine_chunks() for c in table.columns]
        text = any(w.as_words for w in wanted)
        if text and (not alike or may_have_blanks(chunk, self.delimiter)):
            return [
                each_word(array, partial(self._word, wanted=w)) if w.as_words else array
                for array, w in zip(arrays, wanted, strict=True)
            ]
        return arrays

    def _null_words(self, wanted: Wanted) -> list[str]:
        """The words for missing values of a column, of which a label may be one."""
        given = wanted.labels.given if wanted.labels else ()
        return [word for word in self._missing if word not in given] if given else self._missing

    def _cells(
        self, chunk: bytes, indexes: list[int], wanted: Sequence[Wanted], row: int, line: int,
        tell: Tell | None,
    ) -> tuple[list[Any], Any] | None:  # fmt: skip
        """The wanted columns of a chunk that Arrow refused, cell by cell, and which rows are lost.

        Raises the error that names what is wrong, or tells of it; None when nothing is wrong but
        Arrow's opinion, such as blanks around a word for a missing value.
        """
        import pyarrow as pa

        columns: list[list[Any]] = [[] for _ in wanted]
        bad: list[BadLine] = []
        start, end = row, 0
        try:
            for record in records(chunk, self._quoting, self.delimiter):
                end = record.end
                if not record.cells and len(self.columns) > 1:
                    continue
                row += 1
                wrong = self._wrong(record, indexes, row, line)
                bad += [wrong] if wrong else []
                for i, w, column in zip(indexes, wanted, columns, strict=True):
                    cell = record.cells[i] if record.cells and not wrong else ""
                    known = wrong is not None or (bad and tell is None)
                    at = self._line(line + record.begin)
                    column.append(None if known else self._cell(cell, w, row, at))
        except csv_module.Error as error:
            at = self._line(line + end + 1)
            if "new-line character" in str(error):
                raise carriage_returns(self.display, at) from None
            raise DataError(f"{self.display}, line {at}: {error}") from None
        if not row:
            return None
        lost: Any = None
        if bad:
            report(bad, self.display, tell)
            lost = np.zeros(row - start, bool)
            lost[[each.row - start - 1 for each in bad]] = True
        arrays = [
            pa.array(column, pa.string() if w.as_words else pa.float64())
            for w, column in zip(wanted, columns, strict=True)
        ]
        return arrays, lost

    def _wrong(self, record: Record, indexes: Sequence[int], row: int, line: int) -> BadLine | None:
        """What makes a record no row."""
        at = self._line(line + (record.begin if record.quotes == OPEN_QUOTE else record.end))
        problem = problem_of(record, len(self.columns), indexes, self.delimiter)
        if problem is None:
            return None
        hint = recode("LATIN1", self.display) if problem.reason == NOT_UTF8 else ""
        return BadLine(row=row, line=at, hint=hint, **problem._asdict())

    def _cell(self, cell: str, wanted: Wanted, row: int, line: int) -> Any:
        if wanted.as_words:
            return self._word(cell, wanted)
        labels, cell = wanted.labels, cell.strip()
        if cell in self._null_words(wanted):
            return None
        number = self.number(cell)
        if number is None:
            expected = labels.expected if labels else "a number"
            hint = wanted.hint
            if self.decimal != "." and NUMBER.fullmatch(cell):
                hint = f"it is a number without --decimal {self.decimal}"
            elif self.delimiter != "," and NUMBER.fullmatch(cell.replace(",", ".", 1)):
                hint = "--decimal , reads numbers with a decimal comma"
            got = f"got {short(cell)}"
            raise misfit(self.display, wanted.column, row, got, expected, hint, line)
        return number

    def _word(self, cell: str, wanted: Wanted) -> str | None:
        """A cell of text; None where it is missing.

        Blanks belong to text that is only compared, as writers write it, not to labels and numbers;
        what text a raw value is of is known to who reads it.
        """
        word = cell.strip()
        if word in self._null_words(wanted):
            return None
        own = wanted.raw or self.number(word) is None
        return cell if own and not wanted.labels else word

    def number(self, text: str) -> float | None:
        """A cell as a number; None where it is none."""
        if self.decimal != ".":
            text = text.replace(".", "?").replace(self.decimal, ".")
        return as_number(text)

    def line_of(self, row: int, column: str = "") -> int | None:
        line = self._places.of(row)
        return None if line is None else self._line(line)

    def _line(self, number: int) -> int:
        """Where in the file a line is, of which comments are left out."""
        return self._stream.line(number) if isinstance(self._stream, Uncommented) else number

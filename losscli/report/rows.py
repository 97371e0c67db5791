"""The losses of rows, written as they come."""

from collections.abc import Callable, Mapping
from typing import IO, Any, Protocol

import numpy as np

from losscli.report.formats import Record, cell, delimited, dumps, render
from losscli.report.inert import encoded

Columns = Mapping[str, Any]  # arrays of one length, by name

#: rows of one row group: enough that its header is nothing, few enough to hold
GROUP_ROWS = 1 << 18
#: a terminal shows a drawn table up to this many rows, plain columns beyond
DRAWN_ROWS = 1000


class RowWriter(Protocol):
    """A format that takes blocks of rows."""

    def write(self, columns: Columns) -> None:
        """Write a block of rows."""

    def close(self, metadata: Mapping[str, str]) -> None:
        """Write what comes after the last row."""


def writer(
    kind: str, out: IO[bytes], draw: Callable[[list[Record]], None] | None = None
) -> RowWriter:
    """The writer of a format. `draw` draws a table on the terminal that `out` is."""
    if kind in ("csv", "tsv"):
        return _Delimited(out, "," if kind == "csv" else "\t")
    if kind in ("json", "jsonl"):
        return _Json(out, lines=kind == "jsonl")
    if kind == "parquet":
        return _Parquet(out)
    if kind == "arrow":
        return _Arrow(out)
    if kind == "value":
        return _Values(out)
    return _Held(out, kind, draw)


def _records(columns: Columns) -> list[Record]:
    names = list(columns)
    lists = [columns[name].tolist() for name in names]
    return [dict(zip(names, row, strict=True)) for row in zip(*lists, strict=True)]


class _Delimited:
    def __init__(self, out: IO[bytes], delimiter: str) -> None:
        self._out, self._delimiter = out, delimiter
        self._started = False

    def write(self, columns: Columns) -> None:
        import pyarrow as pa
        import pyarrow.csv as pacsv

        if not self._started:
            self._out.write(encoded(delimited([list(columns)], self._delimiter)))
            self._started = True
        if any(values.dtype == object for values in columns.values()):
            # Arrow quotes every text; here, as in every table, only what needs it is quoted.
            rows = ([*record.values()] for record in _records(columns))
            self._out.write(encoded(delimited(rows, self._delimiter)))
            return
        buffer = pa.BufferOutputStream()
        options = pacsv.WriteOptions(include_header=False, delimiter=self._delimiter)
        pacsv.write_csv(_batch(columns), buffer, options)
        self._out.write(buffer.getvalue())

    def close(self, metadata: Mapping[str, str]) -> None:
        pass


class _Json:
    """An array of objects, or an object a line."""

    def __init__(self, out: IO[bytes], lines: bool) -> None:
        self._out, self._lines = out, lines
        self._started = False

    def write(self, columns: Columns) -> None:
        texts = [dumps(record) for record in _records(columns)]
        if self._lines:
            self._out.write(encoded("".join(text + "\n" for text in texts)))
            return
        self._out.write((",\n" if self._started else "[\n").encode())
        self._out.write(encoded(",\n".join(texts)))
        self._started = True

    def close(self, metadata: Mapping[str, str]) -> None:
        if not self._lines:
            self._out.write(b"\n]\n" if self._started else b"[]\n")


class _Values:
    """The losses alone, one row a line."""

    def __init__(self, out: IO[bytes]) -> None:
        self._out = out

    def write(self, columns: Columns) -> None:
        lists = [columns[name].tolist() for name in columns if name.startswith("loss")]
        lines = ["\t".join(map(cell, row)) + "\n" for row in zip(*lists, strict=True)]
        self._out.write(encoded("".join(lines)))

    def close(self, metadata: Mapping[str, str]) -> None:
        pass


class _Parquet:
    def __init__(self, out: IO[bytes]) -> None:
        self._out = out
        self._writer: Any = None
        self._held: list[Any] = []
        self._rows = 0

    def write(self, columns: Columns) -> None:
        self._held.append(_batch(columns))
        self._rows += self._held[-1].num_rows
        if self._rows >= GROUP_ROWS:
            self._flush()

    def close(self, metadata: Mapping[str, str]) -> None:
        self._flush()
        if self._writer is not None:
            self._writer.add_key_value_metadata(dict(metadata))
            self._writer.close()

    def _flush(self) -> None:
        import pyarrow as pa

        from losscli.data.bare_parquet import parquet_writer

        if not self._held:
            return
        table = pa.Table.from_batches(self._held)
        if self._writer is None:
            # Losses hardly repeat: a dictionary of them costs time and saves nothing. Numbers of
            # rows are one more than the last: as differences they take no room.
            encoding = {
                field.name: "DELTA_BINARY_PACKED" if field.type == pa.int64() else "PLAIN"
                for field in table.schema
            }
            self._writer = parquet_writer(
                self._out,
                table.schema,
                compression="snappy",
                use_dictionary=False,
                column_encoding=encoding,
                write_page_checksum=True,
            )
        self._writer.write_table(table, row_group_size=GROUP_ROWS)
        self._held, self._rows = [], 0


class _Arrow:
    def __init__(self, out: IO[bytes]) -> None:
        self._out = out
        self._writer: Any = None

    def write(self, columns: Columns) -> None:
        import pyarrow as pa

        batch = _batch(columns)
        if self._writer is None:
            self._writer = pa.ipc.new_file(self._out, batch.schema)
        self._writer.write_batch(batch)

    def close(self, metadata: Mapping[str, str]) -> None:
        if self._writer is not None:
            self._writer.close()


class _Held:
    """Formats whose columns are as wide as their widest cell: drawn when all rows are there."""

    def __init__(
        self, out: IO[bytes], kind: str, draw: Callable[[list[Record]], None] | None
    ) -> None:
        self._out, self._kind, self._draw = out, kind, draw
        self._records: list[Record] = []
        self._plain: _Delimited | None = None

    def write(self, columns: Columns) -> None:
        if self._plain is None and self._kind == "table":
            rows = len(self._records) + len(next(iter(columns.values())))
            if rows > DRAWN_ROWS:
                self._plain = _Delimited(self._out, "\t")
                if self._records:
                    names = list(self._records[0])
                    self._plain.write({n: np.array([r[n] for r in self._records]) for n in names})
        if self._plain is not None:
            self._plain.write(columns)
        else:
            self._records += _records(columns)

    def close(self, metadata: Mapping[str, str]) -> None:
        if self._plain is not None:
            return
        if self._kind == "table" and self._draw is not None:
            self._draw(self._records)
        else:
            self._out.write(encoded(render(self._records, self._kind)))


def _batch(columns: Columns) -> Any:
    """Arrays as an Arrow batch over the same memory; every value is there, so nothing is null."""
    import pyarrow as pa

    arrays, fields = [], []
    for name, values in columns.items():
        values = np.ascontiguousarray(values)
        if values.dtype == object:
            # Whole numbers are objects where they may have more than 64 bits.
            whole = len(values) and isinstance(values[0], int)
            kind = pa.decimal128(38, 0) if whole else pa.string()
            arrays.append(pa.array(values.tolist(), kind))
            fields.append(pa.field(name, kind, nullable=False))
            continue
        kind = pa.from_numpy_dtype(values.dtype)
        arrays.append(pa.Array.from_buffers(kind, len(values), [None, pa.py_buffer(values)]))
        fields.append(pa.field(name, kind, nullable=False))
    return pa.RecordBatch.from_arrays(arrays, schema=pa.schema(fields))

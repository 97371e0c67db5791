"""Where results go: standard output, standard error or files, in the format that fits."""

import contextlib
import sys
from collections.abc import Iterator, Sequence
from typing import IO, Any

from losscli.report.files import AtomicFile
from losscli.report.formats import FORMATS, Record, by_suffix, render
from losscli.report.rows import RowWriter, writer

STDOUT = "-"


def stdout_format(chosen: str | None) -> str:
    """A table for a person at a terminal, TSV for a program at the end of a pipe."""
    return chosen or ("table" if sys.stdout.isatty() else "tsv")


def show(records: Sequence[Record], kind: str, color: str, document: Any = None) -> None:
    """Print records on standard output."""
    _show(records, kind, color, document, sys.stdout)


def show_aside(records: Sequence[Record], color: str) -> None:
    """Print records on standard error, beside rows on standard output."""
    _show(records, "table" if sys.stderr.isatty() else "tsv", color, None, sys.stderr)


def _show(records: Sequence[Record], kind: str, color: str, document: Any, stream: IO[str]) -> None:
    if kind == "table":
        from losscli.report.terminal import draw

        draw(records, stream, color)
    else:
        stream.write(render(records, kind, document))


def save(
    records: Sequence[Record], path: str, kind: str | None, force: bool, document: Any = None
) -> None:
    """Write records to a file, in the format of its suffix unless one is named."""
    kind = kind if kind in FORMATS and kind != "table" else by_suffix(path)
    with AtomicFile(path, force) as out:
        if kind in ("parquet", "arrow"):
            _save_arrow(records, kind, out)
        else:
            out.write(render(records, kind, document).encode())


def _save_arrow(records: Sequence[Record], kind: str, out: IO[bytes]) -> None:
    import pyarrow as pa

    table = pa.Table.from_pylist(list(records))
    if kind == "parquet":
        import pyarrow.parquet as pq

        pq.write_table(table, out)
    else:
        with pa.ipc.new_file(out, table.schema) as file:
            file.write_table(table)


@contextlib.contextmanager
def row_writer(path: str, kind: str | None, force: bool, color: str) -> Iterator[RowWriter]:
    """A writer of rows to a file, which appears when all of them are in it, or to stdout."""
    if path != STDOUT:
        named = kind if kind in FORMATS and kind != "table" else by_suffix(path)
        with AtomicFile(path, force) as out:
            yield writer(named, out)
        return
    kind = stdout_format(kind)

    def draw(records: list[Record]) -> None:
        show(records, "table", color)

    yield writer(kind, sys.stdout.buffer, draw)
    sys.stdout.buffer.flush()

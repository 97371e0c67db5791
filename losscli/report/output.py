"""Where results go: standard output, standard error or files, in the format that fits."""

import contextlib
import io
import sys
from collections.abc import Callable, Iterator, Sequence
from typing import IO, Any, TextIO

from losscli.report.formats import FORMATS, Record, by_suffix, render
from losscli.report.inert import encoded, inert
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


def _show(records: Sequence[Record], kind: str, color: str, document: Any, stream: TextIO) -> None:
    if kind == "table":
        from losscli.report.terminal import draw

        draw(records, stream, color)
    elif stream.isatty():
        stream.write(inert(render(records, kind, document), keep="\n\t"))
    else:
        # Data for programs is UTF-8 in every locale; only what is drawn obeys the terminal.
        stream.flush()
        stream.buffer.write(encoded(render(records, kind, document)))


Save = Callable[[Sequence[Record], Any], None]


@contextlib.contextmanager
def saving(path: str, kind: str | None, force: bool) -> Iterator[Save]:
    """A function that writes records to a file, in the format of its suffix unless one is named.

    What forbids writing it, such as a file that exists, is said before any work is done.
    """
    named = file_format(path, kind)
    from losscli.report.files import AtomicFile

    with AtomicFile(path, force) as out:

        def save(records: Sequence[Record], document: Any = None) -> None:
            if named in ("parquet", "arrow"):
                _save_arrow(records, named, out)
            else:
                out.write(encoded(render(records, named, document)))
            out.flush()

        yield save


def file_format(path: str, kind: str | None) -> str:
    """A file's format: the one that is named, or else that of its suffix."""
    return kind if kind in FORMATS and kind != "table" else by_suffix(path)


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
        named = file_format(path, kind)
        from losscli.report.files import AtomicFile

        with AtomicFile(path, force) as file:
            yield writer(named, file)
        return
    kind, stream = stdout_format(kind), sys.stdout

    def draw(records: list[Record]) -> None:
        _show(records, "table", color, None, stream)

    out: Any = _Screen(stream) if stream.isatty() else stream.buffer
    yield writer(kind, out, draw)
    stream.flush()


class _Screen(io.RawIOBase):
    """The terminal as a place for bytes; what would steer it is spelled out."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def writable(self) -> bool:
        return True

    def write(self, data: Any, /) -> int:
        text = bytes(data).decode(errors="backslashreplace")
        self._stream.write(inert(text, keep="\n\t"))
        return len(data)

"""Arrow IPC: files (Feather), which are mapped into memory, and streams."""

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.ipc as pa_ipc

from losscli.data.mapped import map_file, release
from losscli.data.nested import column_names, top
from losscli.data.source import Source, Values, Wanted
from losscli.data.tables import DAMAGE, names_of, pieces_of, slices, unreadable
from losscli.errors import FileError

#: bytes between the last batch and the footer, at most: a mark, and what fills up a line of cache
_END_OF_BATCHES = 128
#: where a batch is, by the footer of a file
_BLOCK = np.dtype([("at", "<i8"), ("header", "<i4"), ("", "<i4"), ("body", "<i8")])


class IpcSource(Source):
    """The columns of one Arrow stream or, unless it `streams`, of a file, which must be on disk."""

    def __init__(self, file: Any, display: str, streams: bool) -> None:
        self.display = display
        self._streams = streams
        self._file = file
        self._reader: Any
        try:
            if streams:
                self._bytes = _Bytes(file)
                self._reader = pa_ipc.open_stream(pa.PythonFile(self._bytes, "r"))
            else:
                self._map = map_file(file)
                self._reader = pa_ipc.open_file(pa.py_buffer(self._map))
            self.columns: list[str] = column_names(self._reader.schema)
        except DAMAGE as error:
            raise unreadable(error, "Arrow", display) from None
        if not streams and _unnamed_bytes(self._map) > _END_OF_BATCHES:
            raise FileError(
                f"{display}: its last bytes are those of a shorter Arrow file: two files in one?",
                "one file each: files of a directory are read one after the other",
            )

    def pieces(self, wanted: Sequence[Wanted]) -> Iterator[list[Values]]:
        names = names_of(wanted, self.columns, self.display)
        tops = list(dict.fromkeys(top(self._reader.schema, name) for name in names))
        return pieces_of(self._parts(tops), wanted, self.display)

    def close(self) -> None:
        self._file.close()

    def _parts(self, names: list[str]) -> Iterator[Any]:
        for batch in self._streamed() if self._streams else self._batches(names):
            chosen = batch.select(names)
            chosen.validate()
            for part in slices(chosen):
                yield part
                if not self._streams:
                    release(self._map)

    def _streamed(self) -> Iterator[Any]:
        """The batches of a stream, which says itself when it is over."""
        yield from self._reader
        if self._bytes.dry:
            raise FileError(
                f"{self.display}: an Arrow stream without its end: cut short, or never closed",
                "writers mark the end of a stream when they are closed",
            )
        if self._bytes.read(1):
            raise FileError(
                f"{self.display}: there are bytes after the end of an Arrow stream",
                "one stream a file: files of a directory are read one after the other",
            )

    def _batches(self, names: list[str]) -> Iterator[Any]:
        """The batches of a file. Of compressed ones, only the columns wanted are unpacked.

        Naming the columns makes Arrow copy them out of a file that is not compressed.
        """
        reader = self._reader
        if reader.num_record_batches and not self._lies_in_file(reader.get_batch(0)):
            fields = [reader.schema.get_field_index(name) for name in names]
            options = pa_ipc.IpcReadOptions(included_fields=fields, use_threads=False)
            reader = pa_ipc.open_file(pa.py_buffer(self._map), options=options)
        for i in range(reader.num_record_batches):
            yield reader.get_batch(i)

    def _lies_in_file(self, batch: Any) -> bool:
        file = pa.py_buffer(self._map)
        buffers = [buffer for column in batch.columns for buffer in column.buffers()]
        return all(
            file.address <= buffer.address < file.address + file.size
            for buffer in buffers
            if buffer is not None and buffer.size
        )


def _unnamed_bytes(file: Any) -> int:
    """How many bytes before the footer are of no batch that it names.

    The footer, which Arrow has found sound, is a flatbuffer, in which a table begins with where its
    fields are: the dictionaries are its third, the batches its fourth.
    """

    def number(at: int, dtype: str = "<u4") -> int:
        return int(np.frombuffer(file, dtype, 1, at)[0])

    end = len(file) - 10  # four bytes of length, and ARROW1
    start = end - number(end, "<i4")
    table = start + number(start)
    fields = table - number(table, "<i4")
    last = 0
    for field in (8, 10):
        if field < number(fields, "<u2") and (at := number(fields + field, "<u2")):
            vector = table + at + number(table + at)
            blocks = np.frombuffer(file, _BLOCK, number(vector), vector + 4)
            ends = blocks["at"] + blocks["header"] + blocks["body"]
            last = max(last, int(ends.max(initial=0)))
    return start - last if last else 0


class _Bytes:
    """A stream of bytes, and whether more was asked of it than there is."""

    closed = False

    def __init__(self, file: Any) -> None:
        self._file = file
        self.dry = False

    def read(self, size: int) -> bytes:
        data: bytes = self._file.read(size)
        self.dry = self.dry or not data
        return data

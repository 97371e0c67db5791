"""Parquet files, one batch of rows at a time."""

from collections.abc import Iterator, Sequence
from functools import partial
from typing import Any

from pyarrow.types import is_nested

from losscli.data.source import Source, Values, Wanted, piece_rows
from losscli.data.tables import DAMAGE, first_line, names_of, pieces_of, row_width
from losscli.errors import FileError

#: rows that tell how long lists are
PROBE_ROWS = 64


class ParquetSource(Source):
    """The columns of one Parquet file."""

    def __init__(self, file: Any, display: str) -> None:
        import pyarrow.parquet as pq

        self.display = display
        # Pre-buffering would hold the whole file; a small buffer keeps one page a column.
        self._open = partial(pq.ParquetFile, file, pre_buffer=False, buffer_size=1 << 18)
        try:
            self._file: Any = self._open()
            self.columns: list[str] = list(self._file.schema_arrow.names)
            self.rows = int(self._file.metadata.num_rows)
        except DAMAGE as error:
            raise FileError(
                f"{display}: not a readable Parquet file: {first_line(error)}"
            ) from None

    def pieces(self, wanted: Sequence[Wanted]) -> Iterator[list[Values]]:
        names = names_of(wanted, self.columns, self.display)
        return pieces_of(self._batches(names), wanted, self.display)

    def close(self) -> None:
        self._file.close(force=True)

    def _batches(self, names: list[str]) -> Iterator[Any]:
        yield from self._file.iter_batches(
            self._batch_rows(names), columns=names, use_threads=False
        )

    def _batch_rows(self, names: Sequence[str]) -> int:
        """Rows of a batch: a row of a list column is worth many values, as the first rows tell.

        The metadata of columns would tell as well, but where its statistics are damaged pyarrow
        aborts the process when it is asked for them.
        """
        if not any(map(is_nested, self._file.schema_arrow.types)):
            return piece_rows(len(names))
        with self._open(metadata=self._file.metadata) as reader:
            batches = reader.iter_batches(PROBE_ROWS, columns=names, use_threads=False)
            first = next(batches, None)
        return piece_rows(1 if first is None else row_width(first))

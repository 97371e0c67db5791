"""Parquet files, one batch of rows at a time."""

from collections.abc import Iterator, Sequence
from typing import Any

from losscli.data.source import Source, Values, Wanted, piece_rows
from losscli.data.tables import DAMAGE, first_line, names_of, pieces_of
from losscli.errors import FileError


class ParquetSource(Source):
    """The columns of one Parquet file."""

    def __init__(self, file: Any, display: str) -> None:
        import pyarrow.parquet as pq

        self.display = display
        try:
            # Pre-buffering would hold the whole file; a small buffer keeps one page a column.
            self._file: Any = pq.ParquetFile(file, pre_buffer=False, buffer_size=1 << 18)
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
        """Rows of a batch: a row of a list column is worth many values."""
        metadata = self._file.metadata
        if metadata.num_rows == 0 or metadata.num_row_groups == 0:
            return piece_rows(1)
        group = metadata.row_group(0)
        chosen = set(names)
        values = sum(
            group.column(i).num_values
            for i in range(group.num_columns)
            if group.column(i).path_in_schema.split(".")[0] in chosen
        )
        return piece_rows(values // max(1, group.num_rows))

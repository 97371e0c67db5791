"""Parquet files, one batch of rows at a time."""

from collections.abc import Iterator, Sequence
from typing import Any

from losscli.data.arrow import read
from losscli.data.source import BadValue, Values, Wanted, misfit
from losscli.errors import FileError

MAGIC = b"PAR1"
BATCH_ROWS = 65536


class ParquetSource:
    """The columns of one Parquet file."""

    def __init__(self, path: str, display: str) -> None:
        import pyarrow as pa
        import pyarrow.parquet as pq

        self.display = display
        try:
            # Pre-buffering would hold the whole file; a small buffer keeps one page a column.
            self._file: Any = pq.ParquetFile(path, pre_buffer=False, buffer_size=1 << 18)
        except (pa.ArrowException, OSError) as error:
            raise FileError(f"{display}: not a readable Parquet file: {_first(error)}") from None
        self.columns: list[str] = list(self._file.schema_arrow.names)

    def pieces(self, wanted: Sequence[Wanted]) -> Iterator[list[Values]]:
        import pyarrow as pa

        names = [w.column for w in wanted]
        # A row of a list column is worth many values: batches shrink so that memory does not grow.
        batches = self._file.iter_batches(self._batch_rows(names), columns=names, use_threads=False)
        row = 0
        while True:
            try:
                batch = next(batches, None)
            except (pa.ArrowException, OSError) as error:
                raise FileError(
                    f"{self.display}: damaged after row {row}: {_first(error)}"
                ) from None
            if batch is None:
                return
            yield [self._decode(batch.column(w.column), w, row) for w in wanted]
            row += batch.num_rows

    def close(self) -> None:
        self._file.close()

    def _decode(self, array: Any, wanted: Wanted, row: int) -> Values:
        try:
            return read(array, wanted)
        except BadValue as bad:
            raise misfit(
                self.display, wanted.column, row + bad.index + 1, bad.value, bad.expected, bad.hint
            ) from None

    def _batch_rows(self, names: Sequence[str]) -> int:
        metadata = self._file.metadata
        if metadata.num_rows == 0 or metadata.num_row_groups == 0:
            return BATCH_ROWS
        group = metadata.row_group(0)
        chosen = set(names)
        values = sum(
            group.column(i).num_values
            for i in range(group.num_columns)
            if group.column(i).path_in_schema.split(".")[0] in chosen
        )
        per_row: int = max(1, values // max(1, group.num_rows))
        return max(64, min(BATCH_ROWS, (1 << 18) // per_row))


def _first(error: Exception) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0]

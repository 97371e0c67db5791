"""pyarrow's reader and writer of Parquet, without what else `import pyarrow.parquet` loads.

That is `ssl` and the clients of four remote file systems, which take 15 ms and 9 MiB: an eighth of
the time of a small job. The classes of `pyarrow._parquet` are those that `ParquetFile.reader` and
`ParquetWriter` are made of. They are no public names, so where they are not as expected, the public
ones are taken.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from typing import Any


class ParquetReader:
    """Batches of some columns of a Parquet file, which is a path or what reads as a file."""

    def __init__(self, file: Any, metadata: Any = None, **options: Any) -> None:
        """`options` are those of `pyarrow.parquet.ParquetFile`."""
        try:
            from pyarrow import _parquet

            self._reader: Any = _parquet.ParquetReader()
            self._reader.open(file, metadata=metadata, arrow_extensions_enabled=True, **options)
        except (ImportError, AttributeError, TypeError):
            from pyarrow.parquet import ParquetFile

            self._reader = ParquetFile(file, metadata=metadata, **options).reader
        self.metadata, self.schema = self._reader.metadata, self._reader.schema_arrow

    def __enter__(self) -> "ParquetReader":
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def batches(
        self, rows: int, names: Sequence[str], groups: Iterable[int] | None = None,
        threads: bool = False,
    ) -> Iterator[Any]:  # fmt: skip
        """Batches of so many rows of columns, of all row groups or some."""
        leaves = self._leaves()
        return self._reader.iter_batches(  # type: ignore[no-any-return]
            rows,
            row_groups=range(self.metadata.num_row_groups) if groups is None else groups,
            column_indices=[leaf for name in names for leaf in leaves[name]],
            use_threads=threads,
        )

    def resize(self, rows: int) -> None:
        """Let the batches that are not begun have so many rows."""
        self._reader.set_batch_size(rows)

    def close(self) -> None:
        self._reader.close()

    def _leaves(self) -> dict[str, list[int]]:
        """Which columns of the file a name stands for: those of a struct are all its members."""
        found: dict[str, list[int]] = defaultdict(list)
        for leaf, path in enumerate(self._reader.column_paths):
            for end in range(1, len(path) + 1):
                found[".".join(path[:end])].append(leaf)
        return found


def parquet_writer(out: Any, schema: Any, **options: Any) -> Any:
    """A writer of tables of a schema. `options` are those of `pyarrow.parquet.ParquetWriter`."""
    try:
        from pyarrow import _parquet

        return _parquet.ParquetWriter(
            out, schema, version="2.6", writer_engine_version="V2", **options
        )
    except (ImportError, AttributeError, TypeError):
        from pyarrow.parquet import ParquetWriter

        # That of pyarrow tries to end a file that is given up by an error or Ctrl-C when it is
        # forgotten, and says on standard error that it cannot.
        quiet = type("ParquetWriter", (ParquetWriter,), {"__del__": lambda self: None})
        return quiet(out, schema, **options)

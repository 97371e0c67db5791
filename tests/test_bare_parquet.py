"""The reader and writer of Parquet are those of pyarrow, with and without its private names."""

from pathlib import Path
from types import SimpleNamespace

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from losscli.data.bare_parquet import ParquetReader, parquet_writer

TABLE = pa.table(
    {
        "a": pa.array([1.5, None, 3.0, 4.0]),
        "s": pa.array([{"x": i, "y": {"z": [float(i)] * i}} for i in range(4)]),
        "dotted.name": pa.array(["one", "two", "three", None]),
        "id": pa.array([bytes(16)] * 4, pa.uuid()),
    }
)
OPTIONS = {"pre_buffer": False, "buffer_size": 1 << 18, "page_checksum_verification": True}


@pytest.fixture(params=["private", "public"])
def names(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    if request.param == "public":
        # What pyarrow has imported already is its own.
        monkeypatch.setattr(pa, "_parquet", SimpleNamespace())
    return str(request.param)


@pytest.mark.usefixtures("names")
@pytest.mark.parametrize("column", ["a", "s", "s.x", "s.y", "s.y.z", "dotted.name", "id"])
def test_columns_are_those_that_pyarrow_reads(column: str, tmp_path: Path) -> None:
    path = str(tmp_path / "t.parquet")
    pq.write_table(TABLE, path, row_group_size=2)
    with ParquetReader(path, **OPTIONS) as reader:
        assert reader.schema == TABLE.schema
        found = pa.Table.from_batches(reader.batches(3, [column]))
        second = pa.Table.from_batches(reader.batches(3, [column], [1]))
    assert found == pq.ParquetFile(path).read(columns=[column])
    assert second == found[2:]


@pytest.mark.usefixtures("names")
def test_batches_are_resized(tmp_path: Path) -> None:
    path = str(tmp_path / "t.parquet")
    pq.write_table(TABLE, path)
    with ParquetReader(path, **OPTIONS) as reader:
        batches = reader.batches(1, ["a"])
        assert next(batches).num_rows == 1
        reader.resize(2)
        assert [batch.num_rows for batch in batches] == [2, 1]


def test_files_are_those_that_pyarrow_writes(names: str, tmp_path: Path) -> None:
    plain = TABLE.select(["a", "dotted.name"])
    path, expected = tmp_path / f"{names}.parquet", tmp_path / "expected.parquet"
    options = {"use_dictionary": False, "write_page_checksum": True, "compression": "snappy"}
    with path.open("wb") as file:
        writer = parquet_writer(file, plain.schema, **options)
        writer.write_table(plain, row_group_size=3)
        writer.close()
    with pq.ParquetWriter(expected, plain.schema, **options) as other:
        other.write_table(plain, row_group_size=3)
    assert path.read_bytes() == expected.read_bytes()

"""Any table of floats, whoever wrote it, gives the losses of its rows to the last bit."""

import tempfile
from collections.abc import Callable
from pathlib import Path

import duckdb
import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pyarrow.csv as pacsv
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import losscli

Table = dict[str, np.ndarray]


def _duckdb(path: Path, table: Table, kind: str) -> None:
    connection = duckdb.connect()
    connection.register("given", pa.table(table))
    connection.execute(f"COPY given TO '{path}' ({kind})")


WRITERS: dict[str, Callable[[Path, Table], object]] = {
    "pandas.csv": lambda path, table: pd.DataFrame(table).to_csv(path, index=False),
    "pandas.parquet": lambda path, table: pd.DataFrame(table).to_parquet(path),
    "arrow.csv": lambda path, table: pacsv.write_csv(pa.table(table), path),
    "arrow.parquet": lambda path, table: pq.write_table(pa.table(table), path),
    "polars.csv": lambda path, table: pl.DataFrame(table).write_csv(path),
    "polars.parquet": lambda path, table: pl.DataFrame(table).write_parquet(path),
    "duckdb.csv": lambda path, table: _duckdb(path, table, "FORMAT csv, HEADER"),
    "duckdb.parquet": lambda path, table: _duckdb(path, table, "FORMAT parquet"),
}
finite = st.floats(allow_nan=False, allow_infinity=False)


@pytest.mark.parametrize("writer", WRITERS)
@settings(max_examples=25, deadline=None)
@given(rows=st.lists(st.tuples(finite, finite), min_size=1, max_size=50))
def test_round_trip(writer: str, rows: list[tuple[float, float]]) -> None:
    """The absolute error: subtraction alone, so that a wrong bit of an input is one of the loss."""
    pred, target = (np.array(column) for column in zip(*rows, strict=True))
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, writer)
        WRITERS[writer](path, {"pred": pred, "target": target, "zero": np.zeros(len(pred))})
        for name, column in (("pred", pred), ("target", target)):
            found = losscli.compute("mae", data=path, pred=name, target="zero", per_sample=True)
            assert found.per_sample.tobytes() == np.abs(column).tobytes()
        with np.errstate(over="ignore"):
            expected = np.abs(pred - target)
        found = losscli.compute("mae", data=path, per_sample=True)
        assert found.per_sample.tobytes() == expected.tobytes()

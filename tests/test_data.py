"""Files are read as what they are: every number to the nearest double, every row in its place."""

import io
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import losscli
from losscli.data import csv as csv_module
from losscli.data.csv import CsvSource
from losscli.data.inputs import block_rows
from losscli.data.references import parse
from losscli.data.source import Wanted
from losscli.errors import DataError, UsageError

doubles = st.floats(allow_nan=False, allow_infinity=False)


def read(text: bytes, *columns: str, **options: Any) -> list[Any]:
    source = CsvSource(io.BytesIO(text), "f.csv", **options)
    wanted = [Wanted(c) for c in columns or source.columns]
    pieces = list(source.pieces(wanted))
    return [np.concatenate([piece[i].array for piece in pieces]) for i in range(len(wanted))]


@given(st.lists(st.tuples(doubles, doubles), min_size=1))
def test_csv_of_python_round_trips(rows: list[tuple[float, float]]) -> None:
    text = "a,b\n" + "".join(f"{a!r},{b!r}\n" for a, b in rows)
    a, b = read(text.encode())
    np.testing.assert_array_equal(np.column_stack([a, b]), np.array(rows))


@settings(max_examples=30)
@given(st.lists(doubles, min_size=1), st.sampled_from(["\n", "\r\n"]), st.booleans())
def test_csv_of_pandas_round_trips(values: list[float], ending: str, quoted: bool) -> None:
    text = pd.DataFrame({"x": values}).to_csv(
        index=False, lineterminator=ending, quoting=1 if quoted else 0
    )
    np.testing.assert_array_equal(read(text.encode())[0], np.array(values))


@given(
    st.lists(st.tuples(st.text('ab",\n', max_size=5), doubles), min_size=1, max_size=40),
    st.integers(1, 64),
)
def test_records_are_cut_between_lines_not_inside_quotes(
    rows: list[tuple[str, float]], chunk: int
) -> None:
    text = "note,x\n" + "".join(
        '"{}",{!r}\n'.format(note.replace('"', '""'), x) for note, x in rows
    )
    before, csv_module.CHUNK = csv_module.CHUNK, chunk
    try:
        values = read(text.encode(), "x")[0]
    finally:
        csv_module.CHUNK = before
    np.testing.assert_array_equal(values, [x for _, x in rows])


@pytest.mark.parametrize("chunk", [1, 5, 1000])
def test_types_are_decided_by_what_is_wanted(chunk: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whole numbers first, fractions, gaps and exponents later."""
    monkeypatch.setattr(csv_module, "CHUNK", chunk)
    text = b"x\n" + b"1\n" * 50 + b"2.5\n" + b"1e-5\n" + b" 7 \n" + b"NA\n" + b"-nan\n" + b"inf\n"
    values = read(text)[0]
    expected = [1.0] * 50 + [2.5, 1e-5, 7.0, np.nan, np.nan, np.inf]
    np.testing.assert_array_equal(values, expected)


@pytest.mark.parametrize(
    ("text", "columns"),
    [
        (b"a,b\n1,2\n", ["a", "b"]),
        (b"\xef\xbb\xbfa,b\n1,2\n", ["a", "b"]),
        (b"1.5,2\n1,2\n", ["1", "2"]),
        (b'"a ""x""",b\n1,2\n', ['a "x"', "b"]),
        (b"a\tb\n1\t2\n", ["a", "b"]),
        (b",x\n0,1\n", ["", "x"]),
        (b"only\n1", ["only"]),
    ],
)
def test_headers(text: bytes, columns: list[str]) -> None:
    assert CsvSource(io.BytesIO(text), "f").columns == columns


@pytest.mark.parametrize("text", [b"0,1\n0.5,0.5\n", b"0\n0.5\n"])
def test_a_header_that_counts_is_not_guessed(text: bytes) -> None:
    with pytest.raises(DataError, match="may be the names"):
        CsvSource(io.BytesIO(text), "f")
    assert CsvSource(io.BytesIO(text), "f", header=True).columns[0] == "0"
    assert CsvSource(io.BytesIO(text), "f", header=False).columns[0] == "1"


@pytest.mark.parametrize("bad", [b"x,y\n1,2\n3\n", b"x,y\n1,2\n3,4,5\n"])
def test_ragged_lines(bad: bytes) -> None:
    with pytest.raises(DataError, match=r"^f\.csv, line 3: \d fields, expected 2$"):
        read(bad)


def test_the_row_of_a_bad_value_is_right_in_any_chunk(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(csv_module, "CHUNK", 16)
    lines = [b"1.0,2.0"] * 100
    lines[72] = b"1.0,oops"
    with pytest.raises(DataError, match=r"^f\.csv, column 'y', row 73: got 'oops', expected"):
        read(b"x,y\n" + b"\n".join(lines))


ARROW_COLUMNS = {
    "float64": pa.array([1.5, 2.5, -3.0]),
    "float32": pa.array([1.5, 2.5, -3.0], pa.float32()),
    "float16": pa.array(np.array([1.5, 2.5, -3.0], np.float16)),
    "int8": pa.array([1, 2, -3], pa.int8()),
    "uint64": pa.array([1, 2, 3], pa.uint64()),
    "bool": pa.array([True, False, True]),
    "decimal": pa.array([1, 2, 3], pa.decimal128(9, 3)),
    "dictionary": pa.array([1.5, 2.5, 1.5]).dictionary_encode(),
}


@pytest.mark.parametrize("kind", ARROW_COLUMNS)
@pytest.mark.parametrize("offset", [0, 1])
def test_arrow_types(kind: str, offset: int) -> None:
    column = ARROW_COLUMNS[kind].slice(offset)
    expected = [float(x) for x in column.to_pylist()]
    rows = losscli.compute("mae", pred=column, target=np.zeros(len(column)), per_sample=True)
    np.testing.assert_array_equal(rows.per_sample, np.abs(expected))


@pytest.mark.parametrize("offset", [0, 2])
@pytest.mark.parametrize(
    "kind", [pa.list_(pa.float64()), pa.list_(pa.float32(), 2), pa.large_list(pa.int64())]
)
def test_arrow_lists(kind: Any, offset: int) -> None:
    column = pa.array([[1, 2], [3, 4], [5, 6], [7, 8]], kind).slice(offset)
    zeros = np.zeros((len(column), 2))
    rows = losscli.compute("mae", pred=column, target=zeros, per_sample=True, row="none")
    np.testing.assert_array_equal(rows.per_sample, np.array(column.to_pylist(), float))


def test_lists_of_different_lengths(tmp_path: Path) -> None:
    path = tmp_path / "p.parquet"
    table = pa.table({"s": [[1.0, 2.0], [3.0, 4.0], [5.0]], "t": [0, 1, 0]})
    pq.write_table(table, path)
    with pytest.raises(DataError, match="column 's', row 3: a list of 1 values, expected 2 as in"):
        losscli.compute("cross-entropy", data=path, pred="s", target="t")


@pytest.mark.parametrize("groups", [1, 7, 100_000])
def test_layout_of_parquet_does_not_change_a_bit(tmp_path: Path, groups: int) -> None:
    rng = np.random.default_rng(3)
    table = pa.table({"pred": rng.normal(size=1000), "target": rng.normal(size=1000)})
    expected = losscli.compute("huber", data=table)
    pq.write_table(table, tmp_path / "t.parquet", row_group_size=groups)
    assert losscli.compute("huber", data=tmp_path / "t.parquet").value == expected.value
    table.to_pandas().to_csv(tmp_path / "t.csv", index=False)
    assert losscli.compute("huber", data=tmp_path / "t.csv").value == expected.value


def test_nulls_are_missing(tmp_path: Path) -> None:
    table = pa.table({"pred": pa.array([1.0, None, 3.0]), "target": [1.0, 2.0, 4.0]})
    pq.write_table(table, tmp_path / "t.parquet")
    with pytest.raises(DataError, match="column 'pred', row 2: missing, expected"):
        losscli.compute("mae", data=tmp_path / "t.parquet")
    result = losscli.compute("mae", data=tmp_path / "t.parquet", nonfinite="skip")
    assert (result.value, result.skipped) == (0.5, 1)
    kept = losscli.compute("mae", data=tmp_path / "t.parquet", nonfinite="keep")
    assert np.isnan(kept.value)
    assert kept.warnings == ["the loss of row 2 is nan"]


@pytest.mark.parametrize(
    "value",
    [
        [0.5, 2.0],
        np.array([0.5, 2.0], np.float32),
        np.array([[0.5], [2.0]]),
        pd.Series([0.5, 2.0], index=[5, 9]),
        pd.DataFrame({"x": [0.5, 2.0]}),
        pd.Series([0.5, 2.0], dtype="Float64"),
        pa.array([0.5, 2.0]),
        pa.chunked_array([[0.5], [2.0]]),
    ],
    ids=lambda value: f"{type(value).__module__}.{type(value).__name__}",
)
def test_arrays_of_any_library(value: Any) -> None:
    assert losscli.compute("mae", pred=value, target=[0.0, 0.0]).value == 1.25


def test_tables_of_any_library() -> None:
    columns = {"score": [0.5, 2.0], "y": [1.0, 1.0]}
    for table in (columns, pd.DataFrame(columns), pa.table(columns)):
        result = losscli.compute("mae", data=table, pred="score", target="y")
        assert result.value == 0.75
        assert result.inputs == {"pred": "data#score", "target": "data#y"}


def test_words_as_labels_in_arrays() -> None:
    for target in (["no", "yes"], np.array(["no", "yes"]), pd.Series(["no", "yes"])):
        result = losscli.compute(
            "hinge", pred=[0.5, 0.5], target=target, labels=("no", "yes"), per_sample=True
        )
        np.testing.assert_array_equal(result.per_sample, [1.5, 0.5])


@pytest.mark.parametrize(
    ("text", "path", "columns"),
    [
        ("p.csv", "p.csv", None),
        ("p.csv#score", "p.csv", "score"),
        ("a#b.csv#x,y", "a#b.csv", "x,y"),
        ("-", "-", None),
        ("-#logit_*", "-", "logit_*"),
    ],
)
def test_references(text: str, path: str, columns: str | None) -> None:
    reference = parse(text)
    assert (reference.path, reference.columns) == (path, columns)
    assert str(reference) == text


def test_a_file_may_have_a_hash_in_its_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("p#1.csv").write_text("x\n1\n")
    assert parse("p#1.csv").columns is None


@pytest.mark.parametrize("text", ["", "#x", "p.csv#"])
def test_references_that_are_none(text: str) -> None:
    with pytest.raises(UsageError):
        parse(text)


def test_blocks_shrink_with_the_width_of_a_row() -> None:
    assert block_rows(1) == 65536
    for width in (3, 10, 100, 1000, 100_000):
        rows = block_rows(width)
        assert rows & (rows - 1) == 0
        assert rows == 64 or rows * width <= 131072

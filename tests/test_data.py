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
from losscli.data import records
from losscli.data.csv import CsvSource
from losscli.data.inputs import block_rows
from losscli.data.references import parse
from losscli.data.source import Wanted
from losscli.errors import DataError, FileError, UsageError
from tests.conftest import Run

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
    before, records.CHUNK = records.CHUNK, chunk
    try:
        values = read(text.encode(), "x")[0]
    finally:
        records.CHUNK = before
    np.testing.assert_array_equal(values, [x for _, x in rows])


@pytest.mark.parametrize("chunk", [1, 3, 7, 1000])
@pytest.mark.parametrize("ends", ["", "\n", "\n\n\n\n", "\r\n\r\n"])
def test_blank_lines_at_the_end_are_no_rows(
    chunk: int, ends: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(records, "CHUNK", chunk)
    np.testing.assert_array_equal(read(f"x\n1\n\n3{ends}".encode())[0], [1.0, np.nan, 3.0])


def test_a_quote_inside_a_field_is_only_a_quote(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(records, "CHUNK", 16)
    text = b'note,x\n5" pipe,1\n"6"" pipe, long\nlines",2\n7" pipe,3\n'
    np.testing.assert_array_equal(read(text, "x")[0], [1.0, 2.0, 3.0])
    with pytest.raises(DataError, match=r"line 3: a quote in the middle of a field"):
        read(b'x,y\n1,1\n"1"2,2\n')


@pytest.mark.parametrize("cell", [" ", " NA", "NA ", "\t", " 7 "])
def test_blanks_around_a_value(cell: str) -> None:
    expected = 7.0 if "7" in cell else np.nan
    np.testing.assert_array_equal(read(f"x,y\n1,1\n{cell},2\n".encode())[0], [1.0, expected])


def test_a_missing_value_is_no_header() -> None:
    np.testing.assert_array_equal(read(b"NA\n1\n2\n")[0], [np.nan, 1.0, 2.0])


def test_a_label_in_the_first_line_is_not_guessed() -> None:
    with pytest.raises(DataError, match="may be a header"):
        CsvSource(io.BytesIO(b"no\nyes\n"), "f", labels=("no", "yes"))


def test_lines_of_carriage_returns() -> None:
    with pytest.raises(DataError, match="carriage return alone") as error:
        read(b"x,y\r1,2\r3,4\r")
    assert "tr '\\r' '\\n' < f.csv" in error.value.hint


@pytest.mark.parametrize("chunk", [8, 1 << 20])
@pytest.mark.parametrize("text", [b"x,y\n1,2\n3,4\r5,6\n7,8\n", b'x,y\n"1",2\n3,"4"\r5,6\n'])
def test_a_carriage_return_alone_ends_no_line(
    chunk: int, text: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Arrow would take it for the end of one, and csv too."""
    monkeypatch.setattr(records, "CHUNK", chunk)
    with pytest.raises(DataError, match=r"^f\.csv, line 3 ends with a carriage return alone"):
        read(text)


def test_a_carriage_return_in_quotes_is_a_letter(monkeypatch: pytest.MonkeyPatch) -> None:
    """And ends no line of those that are counted."""
    text = b'note,x,y\n"a\rb",1,2\n"c\r\nd",3,4\n"e\nf",5,6\ng,z,8\n'
    for chunk in (8, 1 << 20):
        monkeypatch.setattr(records, "CHUNK", chunk)
        np.testing.assert_array_equal(read(text.replace(b"z", b"7"), "x")[0], [1.0, 3.0, 5.0, 7.0])
        with pytest.raises(DataError, match=r"row 4 \(line 7\): got 'z'"):
            read(text, "x")


def test_leading_blank_lines() -> None:
    np.testing.assert_array_equal(read(b"\n\nx\n1\n2\n")[0], [1.0, 2.0])
    for end in (b"\n", b"\r\n"):
        with pytest.raises(DataError, match=r"row 2 \(line 5\): got 'z'"):
            read(end * 2 + b"x\n1\nz\n".replace(b"\n", end))


def test_more_blank_lines_than_are_read_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(records, "CHUNK", 100)
    for end in (b"\n", b"\r\n"):
        blank = end * 1000
        np.testing.assert_array_equal(read(blank + b"x\n1\n2\n")[0], [1.0, 2.0])
        with pytest.raises(DataError, match=r"row 2 \(line 1003\): got 'z'"):
            read(blank + b"x\n1\nz\n")
        with pytest.raises(DataError, match="empty"):
            read(blank)


def test_unequal_columns_of_a_table() -> None:
    with pytest.raises(DataError, match="'pred' has 3 rows, 'target' has 1 rows"):
        losscli.compute("mse", data={"pred": [1.0, 2.0, 3.0], "target": [1.0]})


def test_a_whole_block_may_be_skipped(tmp_path: Path) -> None:
    rows = 65536 * 2 + 5
    pred = np.zeros(rows)
    pred[:65536] = np.nan
    result = losscli.compute(
        "mae", pred=pred, target=np.arange(rows), nonfinite="skip", per_sample=True
    )
    assert result.per_sample.shape == (rows,)
    assert result.per_sample[65536] == 65536
    assert (result.n, result.rows, result.skipped) == (65536 + 5, rows, 65536)


def test_labels_in_lists() -> None:
    target = pa.array([[-1, 1]])
    result = losscli.compute("hinge", pred=np.array([[1.0, 2.0]]), target=target, labels="1,-1")
    assert result.value == 1.5  # (max(0, 1 − 1) + max(0, 1 + 2)) / 2
    with pytest.raises(DataError, match=r"target, row 2: element 1: got 2, expected 0 or 1"):
        losscli.compute(
            "hinge", pred=np.ones((2, 2)), target=pa.array([[0, 1], [2, 1]]), labels="0,1"
        )


@pytest.mark.parametrize("target", [pa.array([True, False]), np.array([True, False])])
@pytest.mark.parametrize("labels", ["false,true", "0,1", (False, True)])
def test_booleans_as_labels(target: Any, labels: Any) -> None:
    result = losscli.compute("hinge", pred=[0.5, 0.5], target=target, labels=labels)
    assert result.value == 1.0


@pytest.mark.parametrize(
    "value",
    [
        "not numbers",
        [[1.0], [1.0, 2.0]],
        np.array(["2020-01-01"], dtype="datetime64[ns]"),
        np.array([1 + 2j]),
        pa.scalar(1.0),
        pa.table({"x": [1.0]}),
        3.0,
        np.zeros((2, 0)),
    ],
    ids=str,
)
def test_what_is_no_array_of_numbers(value: Any) -> None:
    with pytest.raises((DataError, FileError)):
        losscli.compute("mae", pred=value, target=[1.0])


def test_missing_values_of_arrays() -> None:
    for pred in (
        np.ma.array([1.0, 2.0], mask=[False, True]),
        [1.0, None],
        pd.Series([1.0, pd.NA], dtype=object),
        pd.DataFrame({"x": pd.array([1, None], dtype="Int64")}),
    ):
        result = losscli.compute("mae", pred=pred, target=[0.0, 0.0], nonfinite="skip")
        assert (result.value, result.skipped) == (1.0, 1)


def test_a_column_of_arrays_as_pandas_reads_lists(tmp_path: Path) -> None:
    pq.write_table(pa.table({"s": [[2.0, 0.0], [0.0, 1.0]]}), tmp_path / "p.parquet")
    frame = pd.read_parquet(tmp_path / "p.parquet")
    result = losscli.compute("cross-entropy", pred=frame["s"], target=[0, 1])
    assert (
        result.value
        == losscli.compute("cross-entropy", pred=tmp_path / "p.parquet", target=[0, 1]).value
    )


@pytest.mark.parametrize("chunk", [1, 5, 1000])
def test_types_are_decided_by_what_is_wanted(chunk: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whole numbers first, fractions, gaps and exponents later."""
    monkeypatch.setattr(records, "CHUNK", chunk)
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
    with pytest.raises(DataError, match="may be a header or a row of data"):
        CsvSource(io.BytesIO(text), "f")
    assert CsvSource(io.BytesIO(text), "f", header=True).columns[0] == "0"
    assert CsvSource(io.BytesIO(text), "f", header=False).columns[0] == "1"


@pytest.mark.parametrize("first", ["1_000,2", "0x1F,3", "3,1.5.2", "1e5x", "12 %"])
def test_a_first_row_that_is_like_numbers_is_not_taken_for_a_header(first: str) -> None:
    """It would be lost without a word."""
    text = f"{first}\n3,4\n" if "," in first else f"{first}\n3\n"
    with pytest.raises(DataError, match="may be a header or a row of data"):
        CsvSource(io.BytesIO(text.encode()), "f")
    assert CsvSource(io.BytesIO(text.encode()), "f", header=True).columns == first.split(",")
    source = CsvSource(io.BytesIO(text.encode()), "f", header=False)
    with pytest.raises(DataError, match=r"row 1 \(line 1\): got"):
        list(source.pieces([Wanted(name) for name in source.columns]))
    assert CsvSource(io.BytesIO(b"1st,x\n3,4\n"), "f").columns == ["1st", "x"]


@pytest.mark.parametrize("bad", [b"x,y\n1,2\n3\n", b"x,y\n1,2\n3,4,5\n"])
def test_ragged_lines(bad: bytes) -> None:
    with pytest.raises(DataError, match=r"^f\.csv, line 3: \d fields, expected 2$"):
        read(bad)


def test_the_row_of_a_bad_value_is_right_in_any_chunk(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(records, "CHUNK", 16)
    lines = [b"1.0,2.0"] * 100
    lines[72] = b"1.0,oops"
    with pytest.raises(
        DataError, match=r"^f\.csv, column 'y', row 73 \(line 74\): got 'oops', expected"
    ):
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
    with pytest.raises(
        DataError, match="column 's', row 3: a list of 1 value, expected a list of 2"
    ):
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


@pytest.mark.parametrize("kind", [pa.float16(), pa.float32(), pa.int8(), pa.uint64()])
def test_narrow_columns_are_computed_in_float64(tmp_path: Path, kind: Any) -> None:
    values = np.array([1.0, 2.0, 3.0, 100.0] if pa.types.is_integer(kind) else [0.1, 0.2, 3.7, 1e4])
    column = pa.array(values.astype(np.float16)).cast(kind)
    exact = np.array([float(x) for x in column.to_pylist()])
    target = np.array([0.3, 0.7, 1e-9, 2.0])
    pq.write_table(pa.table({"pred": column, "target": target}), tmp_path / "t.parquet")
    result = losscli.compute("mse", data=tmp_path / "t.parquet", per_sample=True)
    assert result.per_sample.dtype == np.float64
    np.testing.assert_array_equal(result.per_sample, (exact - target) ** 2)


@pytest.mark.parametrize("kind", [pa.list_(pa.float64()), pa.list_(pa.float64(), 2)])
@pytest.mark.parametrize("missing", [range(3), range(70_000), range(65_536, 131_072)])
def test_missing_lists(tmp_path: Path, kind: Any, missing: range) -> None:
    """However many rows in a row are missing, the lists that are there say how long a list is."""
    rows = missing.stop + 5
    lists = [None if i in missing else [1.0, 2.0] for i in range(rows)]
    table = pa.table({"s": pa.array(lists, kind), "t": np.ones(rows)})
    pq.write_table(table, tmp_path / "t.parquet")
    result = losscli.compute(
        "cross-entropy", data=tmp_path / "t.parquet", pred="s", target="t", nonfinite="skip"
    )
    assert result.skipped == len(missing)
    # −ln softmax([1, 2])[1] = ln(1 + e⁻¹)
    assert result.value == pytest.approx(np.log1p(np.exp(-1.0)), rel=1e-14)
    with pytest.raises(DataError, match=rf"column 's', row {missing.start + 1}: .*missing"):
        losscli.compute("cross-entropy", data=tmp_path / "t.parquet", pred="s", target="t")


def test_names_of_classes(tmp_path: Path) -> None:
    path = tmp_path / "c.csv"
    path.write_text("cat,dog,bird,animal\n2,0.5,-1,cat\n0,1,0,bird\n")
    numbers = losscli.compute("cross-entropy", pred=[[2, 0.5, -1], [0, 1, 0]], target=[0, 2])
    for classes in ("cat,dog,bird", "columns", ["cat", "dog", "bird"]):
        named = losscli.compute(
            "cross-entropy", data=path, pred="cat,dog,bird", target="animal", classes=classes
        )
        assert named.value == numbers.value
    from_one = losscli.compute(
        "cross-entropy", pred=[[2, 0.5, -1], [0, 1, 0]], target=[1, 3], classes="1,2,3"
    )
    assert from_one.value == numbers.value
    options = {"data": path, "pred": "cat,dog,bird", "target": "animal"}
    with pytest.raises(DataError, match="got 'cat', expected a number") as error:
        losscli.compute("cross-entropy", **options)
    assert "--classes" in error.value.hint
    with pytest.raises(DataError, match=r"row 2 \(line 3\): got 'bird', expected cat, dog or cow"):
        losscli.compute("cross-entropy", classes="cat,dog,cow", **options)
    with pytest.raises(DataError, match="--classes has 2 names, pred has 3 classes"):
        losscli.compute("cross-entropy", pred=[[2, 0.5, -1]], target=["a"], classes="a,b")
    with pytest.raises(UsageError, match="no input of class indices"):
        losscli.compute("mse", pred=[1.0], target=[1.0], classes="a,b")


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


def test_losses_of_rows_when_they_are_asked_for() -> None:
    result = losscli.compute("mae", pred=[1.0, 3.0], target=[0.0, 0.0], weight=[1.0, 2.0])
    np.testing.assert_array_equal(result.per_sample, [1.0, 6.0])
    with pytest.raises(UsageError, match="no losses of rows"):
        losscli.compute("dice", pred=[0.5], target=[1.0]).per_sample  # noqa: B018


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
    assert block_rows(1) == 131072
    for width in (3, 10, 100, 1000, 100_000):
        rows = block_rows(width)
        assert rows & (rows - 1) == 0
        assert rows == 64 or rows * width <= 131072


def test_what_is_asked_for_tells_a_header_from_a_row() -> None:
    text = b"no\nyes\n"
    assert CsvSource(io.BytesIO(text), "f", labels=("no", "yes"), selector="1").columns == ["1"]
    assert CsvSource(io.BytesIO(text), "f", labels=("no", "yes"), selector="no").columns == ["no"]
    counting = b"0,1\n0.5,0.5\n"
    assert CsvSource(io.BytesIO(counting), "f", selector="0").columns == ["0", "1"]
    assert CsvSource(io.BytesIO(counting), "f", selector="2").columns == ["1", "2"]


def test_a_long_list_of_columns_is_no_name_of_a_file() -> None:
    """It is longer than the name of a file may be."""
    columns = ",".join(f"logit_{i}" for i in range(100))
    assert parse(f"p.csv#{columns}").columns == columns


def test_a_quote_that_never_closes_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """Read twice as much at a time: looked at again for each chunk, it took the square of it."""
    monkeypatch.setattr(records, "LONGEST_RECORD", 1 << 22)
    monkeypatch.setattr(records, "CHUNK", 1 << 10)
    asked: list[int] = []

    class Endless(io.RawIOBase):
        def read(self, size: int = -1) -> bytes:
            asked.append(size)
            return b"\n" * size if len(asked) > 1 else b'a,b\n1,"'.ljust(size, b"\n")

    with pytest.raises(DataError, match="a quote that never closes"):
        list(records.chunks(Endless(), "f.csv", b","))  # type: ignore[arg-type]
    assert len(asked) < 20


def test_blank_lines_without_end_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(records, "LONGEST_RECORD", 1000)
    monkeypatch.setattr(records, "CHUNK", 100)
    with pytest.raises(DataError, match="of blank lines"):
        read(b"a,b\n1,2\n" + b"\n" * 2000)


@pytest.mark.parametrize("text", [b'a,"b"\r1,2\n3,4\n', b"a,b\n1,2\n\xef\xbb\xbf3,4\n"])
def test_what_would_be_left_out_is_refused(text: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    """A row after a carriage return; and a mark, which Arrow drops where a chunk begins with it."""
    for chunk in (8, 1 << 20):
        monkeypatch.setattr(records, "CHUNK", chunk)
        with pytest.raises(DataError):
            read(text)


def test_a_column_of_another_file_beside_data(run: Run, tmp_path: Path) -> None:
    (tmp_path / "d.csv").write_text("pred,target,w#1\n1,0,2\n2,0,2\n")
    (tmp_path / "w.csv").write_text("id,w\n1,1\n2,3\n")
    mse = ("compute", "mse", "-f", "value", "--data", "d.csv", "--weight")
    assert run(*mse, "w.csv#w").stdout == "3.25\n"  # (1 × 1 + 3 × 4) / 4
    assert run(*mse, "w#1").stdout == "2.5\n"
    done = run(*mse, "w.csv")
    assert (done.returncode, done.stderr) == (
        3,
        "error: d.csv: no column 'w.csv'; it has 'pred', 'target', 'w#1'\n"
        "hint: columns of another file are w.csv#COLUMN, or w.csv#* for all\n",
    )
    done = run(*mse, "v.csv#w")
    assert (done.returncode, done.stderr) == (
        4,
        "error: v.csv: No such file or directory\nhint: did you mean w.csv?\n",
    )
    done = run("compute", "mse", "--data", "d.csv", "--pred", "w.csv#w", "--target", "w.csv#w")
    assert done.stderr == "error: --data d.csv: nothing is read of it\nhint: leave it out\n"
    assert run(*mse, "?.csv#w", "--nonfinite", "skip").returncode == 3  # as many as all files have
    assert run(*mse, "-#w", input="w\n1\n3\n").stdout == "3.25\n"
    (tmp_path / "w").write_text("1\n1\n1\n")
    assert run(*mse, "w#1").stdout == "2.5\n"  # the column, whatever files there are
    done = run(*mse, "w.csv#w", "-o", "w.csv", "--force")
    assert (done.returncode, done.stderr.splitlines()[0]) == (
        2,
        "error: w.csv: read and written by one command",
    )
    result = losscli.compute("mse", data={"pred": [1, 2], "target": [0, 0]},
                             weight=f"{tmp_path}/w.csv#w")  # fmt: skip
    assert result.value == 3.25


def test_a_table_of_its_own_beside_standard_input(run: Run, tmp_path: Path) -> None:
    (tmp_path / "layer.csv").write_text("w1,w2\n1,-1\n0,1\n")
    command = ("compute", "linear-cross-entropy", "-f", "value", "--data", "-", "--x", "x1,x2")
    done = run(*command, "--linear-weight", "layer.csv#*", input="x1,x2,target\n800,0,1\n")
    assert done.stdout == "800.0\n"  # −ln softmax(800, 0)₁
    done = run(*command, "--linear-weight", "x1,x2", input="x1,x2,target\n800,0,1\n")
    assert done.stderr.startswith("error: --linear-weight: standard input can be read only once")


def test_columns_in_another_order_are_not_paired(run: Run, tmp_path: Path) -> None:
    (tmp_path / "p.csv").write_text("x,y\n1,2\n")
    (tmp_path / "q.csv").write_text("y,x\n2,1\n")
    done = run("compute", "mse", "--pred", "p.csv", "--target", "q.csv")
    assert (done.returncode, done.stderr) == (
        3,
        "error: p.csv has the columns x, y, q.csv y, x, and columns are paired by position\n"
        "hint: name them in one order: q.csv#x,y\n",
    )
    assert run("compute", "mse", "-f", "value", "--pred", "p.csv", "--target", "q.csv#x,y"
               ).stdout == "0.0\n"  # fmt: skip
    p, q = pd.DataFrame({"x": [1.0], "y": [2.0]}), pd.DataFrame({"y": [2.0], "x": [1.0]})
    with pytest.raises(DataError, match="the columns x, y, target y, x") as error:
        losscli.compute("mse", pred=p, target=q)
    assert error.value.hint == "target[['x', 'y']] has them in one order"
    assert losscli.compute("mse", pred=p, target=q[["x", "y"]]).value == 0

"""Keys of every type, in every format: values that are equal pair, and nothing is rounded."""

import datetime
import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import losscli
from losscli.data import side as one_file
from losscli.errors import DataError
from tests.conftest import Run

BIG = 2**63
DAY = datetime.date(2024, 5, 1)
NOON = datetime.datetime(2024, 5, 1, 12)
CENTURIES = pa.array([-(10**11), 0, 253402300800], pa.timestamp("s"))  # before −1199 to 10000

#: a name → three values in a type, and the same in other types that pair with it
ALIKE: dict[str, list[Any]] = {
    "beyond int64": [
        pa.array([BIG, BIG + 1, 2**64 - 1], pa.uint64()),
        pa.array([Decimal(BIG), Decimal(BIG + 1), Decimal(2**64 - 1)]),
        np.array([BIG, BIG + 1, 2**64 - 1], np.uint64),
    ],
    "whole": [
        pa.array([5, 2, 9], pa.int64()),
        pa.array([5, 2, 9], pa.uint64()),
        pa.array([5, 2, 9], pa.int8()),
        pa.array([5, 2, 9]).cast(pa.decimal128(20, 0)),
        pa.array([5, 2, 9]).cast(pa.decimal256(60, 3)),
        np.array([5, 2, 9], ">u2"),
        pa.array([5, 2, 9]).dictionary_encode(),
    ],
    "decimals": [
        pa.array([Decimal("1.5"), Decimal("-0.25"), Decimal("7")], pa.decimal128(9, 2)),
        pa.array([Decimal("1.5"), Decimal("-0.25"), Decimal("7")], pa.decimal128(38, 20)),
        pa.array([Decimal("1.5"), Decimal("-0.25"), Decimal("7")], pa.decimal256(70, 30)),
    ],
    "numbers": [
        pa.array([0.5, -0.0, 1e30]),
        pa.array([0.5, 0.0, 1e30]),
    ],
    "narrow numbers": [
        pa.array([0.5, -2.0, 6.0], pa.float32()),
        np.array([0.5, -2.0, 6.0], np.float16),
        np.array([0.5, -2.0, 6.0]),
    ],
    "booleans": [pa.array([True, False]), np.array([True, False])],
    "text": [
        pa.array(["é", "b", "ab"]),
        pa.array(["é", "b", "ab"], pa.large_string()),
        pa.array(["é", "b", "ab"], pa.string_view()),
        pa.array(["é", "b", "ab"]).dictionary_encode(),
        pa.array([v.encode() for v in ("é", "b", "ab")]),
        np.array(["é", "b", "ab"], ">U2"),
        np.array([v.encode() for v in ("é", "b", "ab")], "S2"),
    ],
    "bytes": [
        pa.array([b"\0\xff", b"\xff\0", b"\0\0"]),
        pa.array([b"\0\xff", b"\xff\0", b"\0\0"], pa.binary(2)),
        pa.array([b"\0\xff", b"\xff\0", b"\0\0"], pa.binary_view()),
        pa.array([b"\0\xff", b"\xff\0", b"\0\0"], pa.large_binary()).dictionary_encode(),
    ],
    "dates": [
        pa.array([DAY, datetime.date(1, 1, 1), datetime.date(9999, 1, 1)]),
        pa.array([DAY, datetime.date(1, 1, 1), datetime.date(9999, 1, 1)], pa.date64()),
        np.array(["2024-05-01", "0001-01-01", "9999-01-01"], "M8[D]"),
    ],
    "first days": [np.array(["2024", "1970"], "M8[Y]"), np.array(["2024-01", "1970-01"], "M8[M]")],
    "times of day": [
        pa.array([1, 0, 86399], pa.time32("s")),
        pa.array([1000, 0, 86399000], pa.time32("ms")),
        pa.array([10**9, 0, 86399 * 10**9], pa.time64("ns")),
    ],
    "times": [
        CENTURIES,
        CENTURIES.cast(pa.timestamp("ms")),
        CENTURIES.cast(pa.timestamp("us")),
        np.array([-(10**11), 0, 253402300800], "M8[s]"),
    ],
    "times of nanoseconds": [
        pa.array([NOON, datetime.datetime(1999, 1, 1)], pa.timestamp("ns")),
        pa.array([NOON, datetime.datetime(1999, 1, 1)], pa.timestamp("s")),
        np.array(["2024-05-01T12", "1999-01-01T00"], "M8[h]"),
        np.array(["2024-05-01T12", "1999-01-01T00"], "M8[ns]"),
    ],
    "instants": [
        pa.array([0, 10**10], pa.timestamp("s", "Europe/Berlin")),
        pa.array([0, 10**16], pa.timestamp("us", "UTC")),
    ],
    "durations": [
        pa.array([7200, -3600, 0], pa.duration("s")),
        pa.array([7200 * 10**9, -3600 * 10**9, 0], pa.duration("ns")),
        np.array([2, -1, 0], "m8[h]"),
        np.array([7200, -3600, 0], "m8[s]"),
    ],
}


def write(path: Path, columns: dict[str, Any]) -> str:
    """Columns as they are, in the format of a suffix."""
    if path.suffix == ".npz":
        np.savez(path, **columns)
        return str(path)
    table = pa.table(columns)
    if path.suffix == ".parquet":
        pq.write_table(table, path, coerce_timestamps=None)
    elif path.suffix == ".jsonl":
        path.write_text("".join(json.dumps(row) + "\n" for row in table.to_pylist()))
    elif path.suffix == ".csv":
        table.to_pandas().to_csv(path, index=False)
    else:
        with pa.ipc.new_file(path, table.schema) as writer:
            writer.write_table(table)
    return str(path)


def suffix_of(array: Any) -> str:
    """A format that holds a type as it is."""
    return ".npz" if isinstance(array, np.ndarray) else ".arrow"


def taken(array: Any, order: list[int]) -> Any:
    """Values in another order."""
    if isinstance(array, np.ndarray):
        return array[order]
    if "view" in str(array.type):  # which Arrow does not take
        return pa.array([array[i].as_py() for i in order], array.type)
    return array.take(pa.array(order))


@pytest.mark.parametrize(
    ("name", "other"), [(name, i) for name, types in ALIKE.items() for i in range(len(types))]
)
@pytest.mark.parametrize("join", ["strict", "inner"])
def test_equal_values_pair_whatever_their_types(
    name: str, other: int, join: Any, tmp_path: Path
) -> None:
    """Every type with the first and with itself, as files and as arrays, in other orders."""
    values = np.arange(float(len(ALIKE[name][0])))
    order = [*range(len(values))][::-1]
    ours, theirs = ALIKE[name][0], ALIKE[name][other]
    for left, right in ((ours, theirs), (theirs, ours), (theirs, theirs)):
        p = write(tmp_path / f"p{suffix_of(left)}", {"id": left, "pred": values})
        reverse = {"id": taken(right, order), "target": values[order]}
        t = write(tmp_path / f"t{suffix_of(right)}", reverse)
        for memory in (None, "2M"):
            found = losscli.compute(
                "mse", pred=f"{p}#pred", target=f"{t}#target", on="id", join=join,
                max_memory=memory,
            )  # fmt: skip
            assert (found.value, found.n) == (0, len(values))
        fewer = {"id": taken(right, order[1:]), "target": values[order[1:]]}
        other_file = write(tmp_path / f"f{suffix_of(right)}", fewer)
        with pytest.raises(DataError, match="lacks"):
            losscli.compute("mse", pred=f"{p}#pred", target=f"{other_file}#target", on="id")


@pytest.mark.parametrize("name", [n for n in ALIKE if n != "bytes"])
def test_parquet_and_arrays_in_memory(name: str, tmp_path: Path) -> None:
    for array in ALIKE[name]:
        kind = getattr(array, "type", None)
        if kind is not None and (pa.types.is_duration(kind) or "view" in str(kind)):
            continue
        values = np.arange(float(len(array)))
        arrow = array if kind is not None else None
        if arrow is not None:
            p = write(tmp_path / "p.parquet", {"id": arrow, "pred": values})
            t = write(tmp_path / "t.arrow", {"id": arrow[::-1], "target": values[::-1]})
            found = losscli.compute("mse", pred=f"{p}#pred", target=f"{t}#target", on="id")
            assert (found.value, found.n) == (0, len(values))
        columns = {"id": array, "pred": values, "target": values}
        assert losscli.compute("mse", data=columns, pred="pred", target="target", on="id").n


@pytest.mark.parametrize(
    ("keys", "text"),
    [
        (pa.array([BIG, 2**64 - 1], pa.uint64()), ["9223372036854775808", "18446744073709551615"]),
        (pa.array([Decimal("1.50"), Decimal("-3.25")]), ["1.5", "-3.25"]),
        (pa.array([1, 86399], pa.time32("s")), ["00:00:01", "23:59:59"]),
        (pa.array([1500, 0], pa.time64("us")), ["00:00:00.0015", "00:00"]),
        (pa.array([DAY, DAY.replace(day=2)], pa.date64()), ["2024-05-01", "2024-05-02"]),
        (
            pa.array([253402214400, 0], pa.timestamp("s")),
            ["9999-12-31 00:00:00", "1970-01-01T00:00:00.000000000"],
        ),
        (
            pa.array([253402214400, 0], pa.timestamp("s", "UTC")),
            ["9999-12-31T01:00:00+01:00", "1970-01-01 00:00:00.000Z"],
        ),
        (pa.array([b"a", b"\xc3\xa9"]), ["a", "é"]),
        (pa.array([True, False]), ["true", "false"]),
    ],
)
def test_text_of_a_csv_is_read_as_the_type_of_the_other_file(
    keys: Any, text: list[str], tmp_path: Path
) -> None:
    (tmp_path / "p.csv").write_text(f"id,pred\n{text[1]},2\n{text[0]},1\n", encoding="utf-8")
    t = write(tmp_path / "t.arrow", {"id": keys, "target": [1.0, 2.0]})
    found = losscli.compute("mse", pred=f"{tmp_path}/p.csv#pred", target=f"{t}#target", on="id")
    assert (found.value, found.n) == (0, 2)


@pytest.mark.parametrize(
    ("ours", "theirs", "told", "hint"),
    [
        (
            ["1"],
            [1],
            "text in p.arrow, whole numbers (int64) in t.arrow",
            "write it alike",
        ),
        (
            pa.array([0], pa.timestamp("s")),
            pa.array([0], pa.timestamp("ns", "UTC")),
            "timestamps (timestamp[s]) in p.arrow, timestamps with a time zone "
            "(timestamp[ns, tz=UTC]) in t.arrow",
            "write both with a time zone or both without",
        ),
        ([1.0], [Decimal("1.0")], "numbers (double) in p.arrow, decimals (decimal128(2, 1))", ""),
        (
            pa.array([Decimal(1)], pa.decimal256(76, 0)),
            pa.array([Decimal(1)], pa.decimal256(76, 70)),
            "more than 76 digits",
            "write both as decimals of one scale",
        ),
        ([{"a": 1}], [{"a": 1}], "no column 'id'", ""),
        ([[1]], [[1]], "p.arrow, column 'id' holds list<item: int64>, which cannot be a key", ""),
    ],
)
def test_what_cannot_pair_is_one_line(
    ours: Any, theirs: Any, told: str, hint: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    write(Path("p.arrow"), {"id": ours, "pred": [1.0]})
    write(Path("t.arrow"), {"id": theirs, "target": [1.0]})
    with pytest.raises(DataError) as error:
        losscli.compute("mse", pred="p.arrow#pred", target="t.arrow#target", on="id")
    assert told in error.value.message.replace("element:", "item:")
    assert "\n" not in error.value.message
    assert hint in (error.value.hint or "")


@pytest.mark.parametrize(
    ("keys", "told"),
    [
        (np.array([1, 2], "m8[Y]"), "holds timedelta64[Y], which cannot be a key"),
        (np.array([1, 2], "M8[ps]"), "holds datetime64[ps], which cannot be a key"),
        (np.array([1, 2], np.longdouble), "holds .*, which cannot be a key"),
        (np.array([1j, 2]), "holds complex128"),
        (np.ones((2, 2)), "holds several values a row, which cannot be a key"),
    ],
)
def test_arrays_that_cannot_be_keys(keys: Any, told: str, tmp_path: Path) -> None:
    told = told.replace("[", r"\[").replace("]", r"\]")
    p = write(tmp_path / "p.npz", {"id": keys, "pred": np.ones(2)})
    with pytest.raises(DataError, match=told):
        losscli.compute("mse", pred=f"{p}#pred", target=f"{p}#pred", on="id")
    columns = {"id": keys, "pred": np.ones(2)}
    with pytest.raises(DataError, match=told):
        losscli.compute("mse", data=columns, pred="pred", target="pred", on="id")


def test_a_csv_has_no_durations(tmp_path: Path) -> None:
    p = write(tmp_path / "p.csv", {"id": ["1"], "pred": [1.0]})
    t = write(tmp_path / "t.arrow", {"id": pa.array([1], pa.duration("s")), "target": [1.0]})
    with pytest.raises(DataError, match=r"durations \(duration\[s\]\) in .*, text in .*p.csv"):
        losscli.compute("mse", pred=f"{p}#pred", target=f"{t}#target", on="id")


@pytest.mark.parametrize("missing", [pa.nulls(1, pa.binary()), pa.nulls(1), pa.array([np.nan])])
def test_missing_keys_are_named(missing: Any, tmp_path: Path) -> None:
    p = write(tmp_path / "p.arrow", {"id": missing, "pred": [1.0]})
    with pytest.raises(DataError, match="column 'id', row 1: a missing key"):
        losscli.compute("mse", pred=f"{p}#pred", target=f"{p}#pred", on="id")


FRAME = {
    "category": pd.Series(["b", "a"], dtype="category"),
    "zoned": pd.Series(pd.to_datetime(["2024-01-01", "1999-01-01"])).dt.tz_localize("Asia/Tokyo"),
    "whole": pd.Series([BIG, 1], dtype="UInt64"),
    "words": pd.Series(["b", "a"], dtype="string"),
    "spans": pd.Series(pd.to_timedelta([1, 2], "h")),
    "objects": pd.Series([2**70, -1], dtype=object),
}


@pytest.mark.parametrize("name", FRAME)
def test_pandas_and_polars(name: str, tmp_path: Path) -> None:
    frame = pd.DataFrame({"id": FRAME[name], "pred": [1.0, 2.0], "target": [1.0, 2.0]})
    asked: Any = {"pred": "pred", "target": "target", "on": "id"}
    assert losscli.compute("mse", data=frame, **asked).n == 2
    if name != "objects":
        assert losscli.compute("mse", data=pl.from_pandas(frame), **asked).n == 2
    series = frame.set_index("id")["pred"]
    other = frame[::-1].set_index("id")["target"]
    assert losscli.compute("mse", pred=series, target=other, on="id").value == 0


def test_whole_numbers_of_json_are_those_of_the_other_file(run: Run, tmp_path: Path) -> None:
    """Of any size; float64 tells none of these apart."""
    keys = [1, *(BIG + i for i in range(3)), -(2**62) - 1, 10**30]
    lines = [f'{{"id": {key}, "pred": {i}}}\n' for i, key in enumerate(keys)]
    (tmp_path / "p.jsonl").write_text("".join(lines))
    values = pa.array([*map(Decimal, reversed(keys))], pa.decimal128(38, 0))
    write(tmp_path / "t.parquet", {"id": values, "target": np.arange(5.0, -1, -1)})
    done = run("compute", "mse", "--pred", "p.jsonl#pred", "--target", "t.parquet#target", "--on",
               "id", "--reduction", "none", "-f", "jsonl")  # fmt: skip
    assert not done.stderr
    rows = [json.loads(line) for line in done.stdout.splitlines()]
    assert rows == [{"row": i + 1, "id": key, "loss": 0.0} for i, key in enumerate(keys)]


def json_lines(path: Path, keys: Any) -> str:
    """Keys as JSON has them, beside values that they alone tell."""
    path.write_text("".join(f'{{"id": {key}, "x": {key % 1000}}}\n' for key in keys))
    return f"{path}#x"


@pytest.mark.parametrize(
    ("keys", "kind"),
    [
        ([1, -BIG, BIG - 1], pa.int64()),
        ([1, -BIG, BIG], pa.decimal128(38, 0)),
        ([10**38, 10**38 + 1, -(10**75)], pa.string()),
    ],
)
def test_whole_numbers_of_json(keys: list[int], kind: Any, run: Run, tmp_path: Path) -> None:
    """They pair exactly, and are written as the narrowest type that holds them."""
    json_lines(tmp_path / "p.jsonl", keys)
    json_lines(tmp_path / "t.jsonl", reversed(keys))
    done = run("compute", "mse", "--pred", "p.jsonl#x", "--target", "t.jsonl#x", "--on", "id",
               "--reduction", "none", "-o", "o.parquet")  # fmt: skip
    assert done.returncode == 0, done.stderr
    out = pq.read_table(tmp_path / "o.parquet")
    assert out["loss"].to_pylist() == [0, 0, 0]
    assert (out.schema.field("id").type, [int(k) for k in out["id"].to_pylist()]) == (kind, keys)


@pytest.mark.parametrize("command", ["compute", "check"])
@pytest.mark.parametrize(("large", "told"), [
    (BIG, "9223372036854775808"), (10**45, "0" * 20), (10**80, "a whole number of over 76 digits"),
])  # fmt: skip
def test_whole_numbers_of_json_that_are_larger_than_the_first(
    large: int, told: str, command: str, run: Run, tmp_path: Path
) -> None:
    """One line says so, where neither file has any of the size in its first rows."""
    keys = [*range(200_000), large]
    for name in ("p", "t"):
        json_lines(tmp_path / f"{name}.jsonl", keys)
    done = run(command, "mse", "--pred", "p.jsonl#x", "--target", "t.jsonl#x", "--on", "id")
    said = done.stdout + done.stderr
    assert done.returncode == 3
    assert told in said
    assert "200,001" in said or "200001" in said
    assert "pair as text: write them in quotes in both files" in said
    assert "Traceback" not in said


@pytest.mark.parametrize("suffix", ["csv", "jsonl"])
def test_whole_numbers_are_not_rounded_to_floats(suffix: str, tmp_path: Path) -> None:
    """float64 holds 2**53 and not the number after it."""
    keys = ["0.5", str(2**53 + 1)]
    t = write(tmp_path / "t.parquet", {"id": [0.5, 2.0**53], "target": [1.0, 2.0]})
    (tmp_path / "p.csv").write_text("id,pred\n" + "".join(f"{key},1\n" for key in keys))
    lines = [f'{{"id": {key}, "pred": 1}}\n' for key in keys]
    (tmp_path / "p.jsonl").write_text("".join(lines))
    p = f"{tmp_path}/p.{suffix}#pred"
    with pytest.raises(DataError, match=r"row 2.*: got '?9007199254740993'?, expected a number"):
        losscli.compute("mse", pred=p, target=f"{t}#target", on="id")


@pytest.mark.parametrize("command", ["compute", "check"])
@pytest.mark.parametrize("name", ["bytes", "times", "decimals", "beyond int64", "durations"])
def test_keys_are_named_as_they_are(command: str, name: str, run: Run, tmp_path: Path) -> None:
    shown = {"bytes": "0x00ff", "times": "-1199-02-15T14:13:20", "decimals": "1.50",
             "beyond int64": str(BIG), "durations": "7200s"}  # fmt: skip
    keys = ALIKE[name][0]
    write(tmp_path / "p.arrow", {"id": keys, "pred": [1.0, 2.0, 3.0]})
    write(tmp_path / "t.arrow", {"id": keys[1:], "target": [1.0, 2.0]})
    done = run(command, "mse", "--pred", "p.arrow#pred", "--target", "t.arrow#target", "--on", "id")
    assert f"id {shown[name]}" in done.stdout + done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("name", ALIKE)
def test_groups_of_any_type(name: str, tmp_path: Path) -> None:
    """Rows are grouped by values, and groups are named in words."""
    for keys in ALIKE[name]:
        rows = np.arange(2 * len(keys)) % len(keys)
        columns = {"by": taken(keys, rows.tolist()), "pred": np.ones(len(rows)) / 2,
                   "target": np.ones(len(rows))}  # fmt: skip
        p = write(tmp_path / f"p{suffix_of(keys)}", columns)
        found = losscli.compute(
            "dice", data=p, pred="pred", target="target", by="by", per_sample=True
        )
        assert len(found.per_sample) == len(keys)


WORDS = st.text(st.characters(codec="utf-8", min_codepoint=33, exclude_characters='",#'),
                min_size=1, max_size=6)  # fmt: skip
INT64 = st.integers(-BIG, BIG - 1)
SECONDS = st.integers(-(10**11), 10**11)
#: values, and for each file the formats that hold them, and how
COLUMNS: dict[str, tuple[Any, list[tuple[str, Any]]]] = {
    "int64": (INT64, [(".parquet", pa.int64()), (".jsonl", pa.int64()), (".csv", pa.int64()),
                      (".arrow", pa.decimal128(25, 2)), (".npz", np.int64)]),
    "uint64": (st.integers(0, 2 * BIG - 1), [
        (".parquet", pa.uint64()), (".csv", pa.uint64()), (".npz", np.uint64),
        (".arrow", pa.decimal128(30, 0))]),
    "beyond int64": (st.integers(BIG, 2 * BIG - 1), [
        (".parquet", pa.uint64()), (".jsonl", pa.uint64()), (".csv", pa.uint64())]),
    "long text": (WORDS.map(lambda word: word * (1 + len(word) ** 4 // 10)), [
        (".parquet", pa.string()), (".jsonl", pa.string()), (".csv", pa.string()),
        (".arrow", pa.large_binary())]),
    "small": (st.integers(0, 127), [
        (".parquet", pa.int8()), (".arrow", pa.uint64()), (".npz", np.int32)]),
    "decimal": (st.decimals(-(10**11), 10**11, places=6), [
        (".parquet", pa.decimal128(18, 6)), (".arrow", pa.decimal128(25, 8)),
        (".arrow", pa.decimal256(60, 20)), (".csv", pa.decimal128(18, 6))]),
    "float": (st.floats(allow_nan=False, allow_infinity=False, width=32), [
        (".parquet", pa.float32()), (".arrow", pa.float64()), (".npz", np.float32)]),
    "text": (WORDS, [(".parquet", pa.string()), (".arrow", pa.string_view()),
                     (".jsonl", pa.string()), (".parquet", pa.binary()),
                     (".arrow", pa.dictionary(pa.int32(), pa.string()))]),
    "bytes": (st.binary(max_size=5), [(".parquet", pa.binary()), (".arrow", pa.large_binary())]),
    "time": (SECONDS, [(".arrow", pa.timestamp("s")), (".arrow", pa.timestamp("us")),
                       (".npz", "M8[s]"), (".parquet", pa.timestamp("ms"))]),
    "duration": (SECONDS, [(".arrow", pa.duration("s")), (".arrow", pa.duration("us")),
                           (".npz", "m8[s]")]),
}  # fmt: skip


def typed(keys: list[Any], kind: Any) -> Any:
    """Keys in a type of Arrow or NumPy; times are given in seconds."""
    if not isinstance(kind, pa.DataType):
        return np.array(keys, kind)
    if pa.types.is_decimal(kind):
        return pa.array([Decimal(key) for key in keys], kind)
    if pa.types.is_timestamp(kind) or pa.types.is_duration(kind):
        per = {"s": 1, "ms": 10**3, "us": 10**6}[kind.unit]
        return pa.array([key * per for key in keys], pa.int64()).cast(kind)
    return pa.array([k.encode() if kind == pa.binary() and isinstance(k, str) else k
                     for k in keys], kind)  # fmt: skip


@st.composite
def two_files(draw: Any) -> Any:
    """Two sets of keys that overlap, each in an order, a type and a format."""
    names = draw(st.lists(st.sampled_from(sorted(COLUMNS)), min_size=1, max_size=2, unique=True))
    row = st.tuples(*(COLUMNS[name][0] for name in names))
    keys = draw(st.lists(row, min_size=1, max_size=12, unique=True))
    shared = draw(st.integers(1, len(keys)))
    rest = draw(st.lists(st.booleans(), min_size=len(keys), max_size=len(keys)))
    sides = []
    for side in (True, False):
        mine = [key for i, key in enumerate(keys) if i < shared or rest[i] == side]
        mine = draw(st.permutations(mine))
        mine = sorted(mine) if draw(st.booleans()) else mine
        formats = [{suffix for suffix, _ in COLUMNS[name][1]} for name in names]
        suffix = draw(st.sampled_from(sorted(set.intersection(*formats)) or [""]))
        kinds = [
            draw(st.sampled_from([k for s, k in COLUMNS[name][1] if s == suffix] or [None]))
            for name in names
        ]
        sides.append((mine, suffix, kinds))
    return names, sides


@settings(deadline=None, max_examples=150, suppress_health_check=[*HealthCheck])
@given(two_files(), st.sampled_from([None, "1"]))
def test_keys_pair_as_a_dict_does(
    tmp_path_factory: pytest.TempPathFactory,
    monkeypatch: pytest.MonkeyPatch,
    drawn: Any,
    memory: str | None,
) -> None:
    """Where there is no memory, every two rows wait on disk."""
    monkeypatch.setattr(one_file, "piece_rows", lambda _: 2 if memory else 1000)
    names, sides = drawn
    if not all(suffix for _, suffix, _ in sides):
        return
    folder = tmp_path_factory.mktemp("keys")
    values, paths = [], []
    for role, (keys, suffix, kinds) in zip(("pred", "target"), sides, strict=True):
        columns = {name: typed([key[i] for key in keys], kinds[i]) for i, name in enumerate(names)}
        values.append({key: float(i) for i, key in enumerate(keys)})
        paths.append(write(folder / f"{role}{suffix}", {**columns, role: [*values[-1].values()]}))
    found = losscli.compute(
        "mse", pred=f"{paths[0]}#pred", target=f"{paths[1]}#target", on=names, join="inner",
        per_sample=True, max_memory=memory,
    )  # fmt: skip
    pred, target = values
    expected = [(p - target[key]) ** 2 for key, p in pred.items() if key in target]
    assert found.per_sample.tolist() == expected
    assert sum((found.unpaired or {}).values()) == len(pred) + len(target) - 2 * len(expected)

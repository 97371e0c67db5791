"""Keys of every type that files have: pairs are those of a Python dict, and no key is rounded."""

import datetime as dt
import itertools
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import losscli
from losscli.data import records
from losscli.data.key_types import kind_of, settle
from losscli.data.keys import Keys, as_arrow
from losscli.errors import DataError

BIG = 1 << 63
FAR = [dt.datetime(1, 1, 1), dt.datetime(1969, 12, 31, 23, 59, 59, 999999), dt.datetime(9999, 1, 1)]
NEAR = [dt.datetime(1969, 12, 31, 23, 59, 59), dt.datetime(2024, 5, 1, 12), dt.datetime(2262, 1, 1)]
CLOCK = [dt.time(0), dt.time(12, 30, 1), dt.time(23, 59, 59)]
SPANS = [dt.timedelta(days=-3), dt.timedelta(0), dt.timedelta(hours=1), dt.timedelta(days=9000)]
CENTS = [Decimal("-1.50"), Decimal("0.01"), Decimal("2.00"), Decimal("12345678901234567890.25")]
#: the keys, and the types that hold them and pair with each other
KEYS: dict[str, tuple[list[Any], list[Any]]] = {
    "unsigned": ([0, 7, BIG - 1, BIG, BIG + 1, 2 * BIG - 1], [pa.uint64(), pa.decimal128(38)]),
    "whole": ([0, 1, 7, 100], [pa.int8(), pa.uint8(), pa.int64(), pa.uint64(), pa.decimal128(9)]),
    "negative": ([-(1 << 62), -1, 0, 5], [pa.int64(), pa.decimal128(38), pa.decimal256(60, 2)]),
    "decimals": (CENTS, [pa.decimal128(38, 2), pa.decimal256(60, 7)]),
    "bytes": (
        [b"", b"\0", b"\0\0", b"\0a", b"a", b"\xff\xfe"], [pa.binary(), pa.large_binary()],
    ),
    "fixed bytes": ([b"\0\0\0", b"abc", b"\xff\0\0"], [pa.binary(3), pa.binary()]),
    "dates": ([dt.date(1, 1, 1), dt.date(1970, 1, 2), dt.date(9999, 1, 1)],
              [pa.date32(), pa.date64()]),
    "far": (FAR, [pa.timestamp("us")]),
    "near": (NEAR, [pa.timestamp(unit) for unit in ("s", "ms", "us", "ns")]),
    "zoned": (NEAR, [pa.timestamp("s", "UTC"), pa.timestamp("ns", "Asia/Tokyo")]),
    "clock": (CLOCK, [pa.time32("s"), pa.time32("ms"), pa.time64("us"), pa.time64("ns")]),
    "durations": (SPANS, [pa.duration(unit) for unit in ("s", "ms", "us", "ns")]),
    "booleans": ([False, True], [pa.bool_()]),
    "numbers": ([-1e308, -1.5, 0.0, 0.1, 3.0], [pa.float64()]),
    "halves": ([-1.5, 0.0, 0.25], [pa.float16(), pa.float32(), pa.float64()]),
    "text": (["", "a", "ab", "é", "日"], [pa.string(), pa.large_string(), pa.string_view(),
                                          pa.dictionary(pa.int8(), pa.string())]),
}  # fmt: skip
PAIRS = [
    pytest.param(values, one, other, id=f"{name}: {one} with {other}")
    for name, (values, types) in KEYS.items()
    for one, other in itertools.product(types, types)
]


def column(values: list[Any], kind: Any) -> Any:
    """Values as a column of a type."""
    if kind == pa.float16():
        return pa.array(np.array(values, np.float16))
    if getattr(kind, "tz", None) == "UTC" or getattr(kind, "tz", None):
        return pa.array(values, pa.timestamp(kind.unit, "UTC")).cast(kind)
    if pa.types.is_dictionary(kind):
        return pa.array(values).dictionary_encode()
    return pa.array(values, kind)


def save(path: Path, table: Any) -> str:
    """A table, as a file of the format of its name."""
    if path.suffix == ".parquet":
        pq.write_table(table, path)
    else:
        with pa.OSFile(str(path), "wb") as file, pa.ipc.new_file(file, table.schema) as out:
            out.write_table(table)
    return str(path)


@pytest.mark.parametrize(("values", "one", "other"), PAIRS)
@pytest.mark.parametrize("memory", [None, "1M"])
def test_keys_of_one_value_pair(
    values: list[Any], one: Any, other: Any, memory: str | None, tmp_path: Path
) -> None:
    """Whatever types hold them, whatever order they are in."""
    n = len(values)
    order = np.random.default_rng(3).permutation(n)
    left = save(tmp_path / "p.arrow", pa.table({"id": column(values, one), "x": np.arange(n)}))
    shuffled = column([values[i] for i in order], other)
    right = save(tmp_path / "t.arrow", pa.table({"id": shuffled, "y": order}))
    found = losscli.compute(
        "mse", pred=f"{left}#x", target=f"{right}#y", on="id", max_memory=memory, per_sample=True
    )
    assert (found.value, found.n) == (0.0, n)


@pytest.mark.parametrize(
    ("kind", "values", "text"),
    [
        (pa.uint64(), [BIG, 5], [str(BIG), "5"]),
        (pa.decimal128(12, 3), [Decimal("1.500"), Decimal("-2")], ["1.5", "-2.0"]),
        (pa.binary(), [b"abc", b"\xc3\xa9"], ["abc", "é"]),
        (pa.time32("s"), [dt.time(12, 30), dt.time(1)], ["12:30:00", "01:00"]),
        (pa.timestamp("us"), FAR[::2], ["0001-01-01 00:00:00", "9999-01-01T00:00:00.000000"]),
        (pa.timestamp("us"), NEAR[:1], ["1969-12-31 23:59:59.000000000"]),
    ],
)
def test_the_text_of_a_csv_is_read_as_the_other_type(
    kind: Any, values: Any, text: list[str], tmp_path: Path
) -> None:
    n = len(values)
    right = save(tmp_path / "t.parquet", pa.table({"id": column(values, kind), "y": np.arange(n)}))
    lines = "".join(f"{each},{i}\n" for i, each in enumerate(text))
    (tmp_path / "p.csv").write_text("id,x\n" + lines)
    found = losscli.compute("mse", pred=f"{tmp_path}/p.csv#x", target=f"{right}#y", on="id")
    assert (found.value, found.n) == (0.0, n)


@pytest.mark.parametrize(
    "values",
    [
        np.array([1, 2, 3], "m8[h]"), np.array(["2024", "1700", "3000"], "M8[Y]"),
        np.array(["2024-01-01T05", "1700-01-01T05", "3000-01-01T05"], "M8[h]"),
        np.array([1, 2, 3], "m8[D]"), np.array([b"a", b"b", b"c"]), np.array(["a", "b", "c"]),
        np.array([BIG, 1, 2], np.uint64), np.array([1, 2, 3], ">i4"), np.array([0.5, 1, 2], "f2"),
    ],
    ids=str,
)  # fmt: skip
def test_keys_of_numpy(values: Any) -> None:
    keys = Keys(["id"], [settle("id", [""], [kind_of(as_arrow(values))])])
    encoded = [keys.encode([as_arrow(each)]).tolist() for each in (values, values[::-1])]
    assert encoded[0] == encoded[1][::-1]
    assert len(set(encoded[0])) == 3
    ranks = np.argsort(np.argsort(encoded[0]))
    assert ranks.tolist() == np.argsort(np.argsort(values)).tolist()


def test_keys_of_numpy_that_are_none() -> None:
    for values in (np.array([1j]), np.zeros(1, "V4"), np.array([1], "M8[ps]")):
        with pytest.raises(DataError, match="which cannot be a key"):
            kind_of(as_arrow(values))


@settings(max_examples=60)
@given(data=st.data())
def test_random_keys_pair_as_in_a_dict(data: st.DataObject, tmp_path_factory: Any) -> None:
    """Rows that both files have, those that one lacks left out, in the order of the first."""
    kinds = {
        pa.uint64(): st.integers(0, 2 * BIG - 1),
        pa.int64(): st.integers(-BIG, BIG - 1),
        pa.decimal128(38, 4): st.decimals(-(10**30), 10**30, places=4),
        pa.binary(): st.binary(max_size=12),
        pa.string(): st.text(
            st.characters(exclude_categories=["Cs", "Cc"]), max_size=6
        ),
        pa.timestamp("us"): st.datetimes(),
        pa.time64("us"): st.times(),
        pa.duration("us"): st.timedeltas(dt.timedelta(-90000), dt.timedelta(90000)),
    }  # fmt: skip
    names = data.draw(st.lists(st.sampled_from(list(kinds)), min_size=1, max_size=2))
    rows = st.tuples(*(kinds[kind] for kind in names))
    pool = data.draw(st.lists(rows, min_size=1, max_size=12, unique=True))
    left, right = (
        data.draw(st.permutations(pool).map(lambda p: p[: len(p) - 1] or p)) for _ in "12"
    )
    folder = tmp_path_factory.mktemp("keys")
    files = []
    for name, keys in (("p.parquet", left), ("t.arrow", right)):
        columns = {
            f"k{i}": pa.array([key[i] for key in keys], kind) for i, kind in enumerate(names)
        }
        value = "x" if name == "p.parquet" else "y"
        table = pa.table({**columns, value: np.array([pool.index(key) for key in keys], float)})
        files.append(f"{save(folder / name, table)}#{value}")
    both = [key for key in left if key in set(right)]
    on = ",".join(f"k{i}" for i in range(len(names)))
    if not both:
        with pytest.raises(DataError, match="no key is in all"):
            losscli.compute("mse", pred=files[0], target=files[1], on=on, join="inner")
        return
    found = losscli.compute("mse", pred=files[0], target=files[1], on=on, join="inner")
    assert (found.value, found.n) == (0.0, len(both))


@pytest.mark.parametrize(
    ("first", "second", "row"),
    [
        ("p.jsonl", '{"id": 1e300, "pred": 1}\n{"id": 1e400, "pred": 1}\n', 2),
        ("p.jsonl", '{"id": -1e400, "pred": 1}\n', 1),
        ("p.csv", "id,pred\n1,1\n-inf,2\n1e400,1\n", 2),
        ("p.csv", "id,pred\n1e999,1\n", 1),
    ],
)
def test_numbers_that_overflow_are_no_keys(
    first: str, second: str, row: int, tmp_path: Path
) -> None:
    """1e400 and 1e401 would both be infinite, and pair."""
    (tmp_path / first).write_text(second)
    path = tmp_path / "t.parquet"
    pq.write_table(pa.table({"id": [1e300, np.inf], "target": [1.0, 2.0]}), path)
    found = {"pred": f"{tmp_path / first}#pred", "target": f"{path}#target"}
    message = rf"{first}, column 'id', row {row}.*: got '.*', expected a finite number \(--on\)"
    with pytest.raises(DataError, match=message):
        losscli.compute("mse", **found, on="id")
    with pytest.raises(DataError, match=r"t\.parquet, column 'id', row 2: got 'inf'"):
        losscli.compute("mse", pred=f"{path}#target", target=f"{path}#target", on="id")


def parts(folder: Path, *columns: Any) -> str:
    """A data set whose files have these keys, and numbers from 0 on."""
    folder.mkdir()
    row = 0
    for number, ids in enumerate(columns):
        pred = np.arange(row, row + len(ids), dtype=float)
        row += len(ids)
        pq.write_table(pa.table({"id": ids, "pred": pred}), folder / f"{number}.parquet")
    return f"{folder}#pred"


NAIVE, ZONED = pa.timestamp("us"), pa.timestamp("us", "Europe/Berlin")


@pytest.mark.parametrize(
    ("first", "later", "holds", "kind"),
    [
        ([1, 2], ["3", "4"], "text", "whole numbers"),
        ([1, 2], [3.0, 4.0], "numbers", "whole numbers"),
        ([1, 2], [True, False], "true and false", "whole numbers"),
        ([1, 2], pa.array([3, 4], pa.timestamp("ms")), "timestamps", "whole numbers"),
        ([1, 2], pa.array([3, 4], pa.duration("s")), "durations", "whole numbers"),
        (["1", "2"], [3, 4], "whole numbers", "text"),
        ([0.5, 1.5], [3, 4], "whole numbers", "numbers"),
        (pa.array([1, 2], NAIVE), pa.array([3, 4], ZONED), "timestamps with", "timestamps"),
        (pa.array([1, 2], NAIVE), [3, 4], "whole numbers", "timestamps"),
        (pa.array([1, 2], NAIVE), pa.array([3, 4], pa.date32()), "dates", "timestamps"),
        (pa.array([1, 2], NAIVE), ["1970-01-01T00:00:03", "x"], "text", "timestamps"),
    ],
)
@pytest.mark.parametrize("join", ["strict", "inner"])
def test_keys_of_another_kind_in_a_later_file(
    first: Any, later: Any, holds: str, kind: str, join: Any, tmp_path: Path
) -> None:
    """The first file of a data set says what the keys are; nothing is converted after it."""
    data = parts(tmp_path / "p", first, later)
    path = tmp_path / "t.parquet"
    pq.write_table(pa.table({"id": first, "target": [0.0, 0.0]}), path)
    message = rf"p/1\.parquet, column 'id', from row 1 on, holds {holds}.*, expected {kind}"
    with pytest.raises(DataError, match=message):
        losscli.compute("mae", pred=data, target=f"{path}#target", on="id", join=join)


def test_keys_of_one_kind_in_other_types_of_later_files(tmp_path: Path) -> None:
    data = parts(
        tmp_path / "p", pa.array([1], pa.int8()), [2], pa.array([Decimal(3)], pa.decimal128(9)),
        pa.array([None], pa.int64()).filter([False]), pa.array([4], pa.uint64()),
    )  # fmt: skip
    path = tmp_path / "t.parquet"
    pq.write_table(pa.table({"id": [4, 3, 2, 1], "target": [3.0, 2, 1, 0]}), path)
    assert losscli.compute("mae", pred=data, target=f"{path}#target", on="id").value == 0


@pytest.mark.parametrize(
    ("ids", "odd", "expected"),
    [
        ("{}", '" 90 "', "a whole number"),
        ("{}", '"90"', "a whole number"),
        ("{}", "90.0", "a whole number"),
        ("{}", "9e1", "a whole number"),
        ("{}", "true", "a whole number"),
        ("{}", "[90]", "a whole number"),
        ("{}.5", '"90.5"', "a number"),
        ('"{}"', "90", "text"),
        ('"{}"', "true", "text"),
        ('"{}"', '"\\ud83d"', "text, not half of a character"),
    ],
)
@pytest.mark.parametrize("chunk", [1 << 8, 1 << 20])
def test_keys_of_another_kind_in_a_later_line(
    ids: str, odd: str, expected: str, chunk: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(records, "CHUNK", chunk)
    keys = [odd if i == 90 else ids.format(i) for i in range(100)]
    lines = [f'{{"id": {key}, "pred": {i}}}\n' for i, key in enumerate(keys)]
    (tmp_path / "p.jsonl").write_text("".join(lines))
    (tmp_path / "t.jsonl").write_text(
        "".join(f'{{"id": {ids.format(i)}, "target": {i}}}\n' for i in range(100))
    )
    files = {name: f"{tmp_path / name[0]}.jsonl#{name}" for name in ("pred", "target")}
    # Floats among the first lines make all of them floats, which are no partners of whole numbers.
    other = r"holds numbers \(double\) in .*p\.jsonl, whole numbers"
    message = rf"p\.jsonl, column 'id', row 91: got .*, expected {expected}|{other}"
    with pytest.raises(DataError, match=message):
        losscli.compute("mae", **files, on="id")


@pytest.mark.parametrize(
    ("text", "fits"),
    [
        ("0.1", True), ("0.10", True), ("1e-1", True), ("0.10000000000000001", True),  # %.17g
        ("0.10000000000000000555", True),  # %.20f
        ("0.1000000000000000055511151231257827021181583404541015625", True),  # exactly
        ("0.10000000000000000000001", False), ("0", True), ("-0.0", True), ("0e5", True),
        ("1e-400", False), ("4.9e-324", True), ("9007199254740992.0", True),
        ("9007199254740993", False), ("9007199254740993.0", False), ("9007199254740993e0", False),
        ("1e22", True), ("1.7976931348623157e308", True), ("100000000000000000000", True),
    ],
)  # fmt: skip
def test_numbers_of_text_are_not_rounded(text: str, fits: bool, tmp_path: Path) -> None:
    """A text is the number of a file of floats that is written like that, to all of its digits."""
    (tmp_path / "p.csv").write_text(f"id,pred\n{text},1\n")
    path = tmp_path / "t.parquet"
    pq.write_table(pa.table({"id": [float(text)], "target": [0.0]}), path)
    files = {"pred": f"{tmp_path / 'p.csv'}#pred", "target": f"{path}#target"}
    if fits:
        assert losscli.compute("mae", **files, on="id").value == 1
    else:
        with pytest.raises(DataError, match="expected a number that float64 holds"):
            losscli.compute("mae", **files, on="id")


@pytest.mark.parametrize("join", ["strict", "inner"])
def test_nan_in_text_is_a_missing_key(join: Any, tmp_path: Path) -> None:
    (tmp_path / "p.csv").write_text("id,pred\n1.5,1\nnan,2\n")
    path = tmp_path / "t.parquet"
    pq.write_table(pa.table({"id": [1.5], "target": [0.0]}), path)
    files = {"pred": f"{tmp_path / 'p.csv'}#pred", "target": f"{path}#target"}
    with pytest.raises(DataError, match=r"p\.csv, column 'id', row 2 \(line 3\): a missing key"):
        losscli.compute("mae", **files, on="id", join=join)


def test_keys_with_another_decimal_mark(tmp_path: Path) -> None:
    path = tmp_path / "t.parquet"
    for ids in ([1.5, 2.5], [Decimal("1.5"), Decimal("2.5")]):
        pq.write_table(pa.table({"id": ids, "target": [0.0, 0.0]}), path)
        (tmp_path / "p.csv").write_text("id;pred\n2,5;1,5\n1,5;2\n")
        files = {"pred": f"{tmp_path / 'p.csv'}#pred", "target": f"{path}#target"}
        ask: Any = {**files, "delimiter": ";", "decimal": ",", "on": "id"}
        assert losscli.compute("mae", **ask).value == 1.75
        (tmp_path / "p.csv").write_text("id;pred\n2,5;1,5\n;2\n")
        with pytest.raises(DataError, match=r"row 2 \(line 3\): a missing key"):
            losscli.compute("mae", **ask)
        (tmp_path / "p.csv").write_text("id;pred\n2,5;1,5\n1.5;2\n")
        with pytest.raises(DataError, match=r"column 'id', row \d \(line \d\): got '1\.5'"):
            losscli.compute("mae", **ask)

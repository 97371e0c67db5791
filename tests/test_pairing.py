"""Rows of different files are paired by key: in any order, of any type, or not at all."""

import datetime
import itertools
import json
import subprocess
import sys
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import losscli
from losscli.data import matching, pairing, side, sorting, texts
from losscli.data.align import together
from losscli.data.memory import parse_size
from losscli.data.sorting import Sorter
from losscli.data.source import Values, Wanted
from losscli.errors import DataError, UsageError
from tests.conftest import ROOT, Run
from tests.test_formats import WRITERS

N = 5000
RNG = np.random.default_rng(20)
PRED, TARGET = RNG.normal(size=N), RNG.normal(size=N)
DAY = datetime.date(2024, 1, 1)
KEYS: dict[str, dict[str, Any]] = {
    "whole numbers": {"id": pa.array(np.arange(N) * 3 - N)},
    "unsigned": {"id": pa.array(np.arange(N), pa.uint32())},
    "numbers": {"id": pa.array(np.arange(N) / 8 - 100)},
    "words": {"id": pa.array([f"é{i % 7}-{i}" for i in range(N)])},
    "dictionary": {"id": pa.array([f"user{i}" for i in range(N)]).dictionary_encode()},
    "dates": {"id": pa.array([DAY + datetime.timedelta(i - 20000) for i in range(N)])},
    "times": {"id": pa.array(np.arange(N) * 1_000_003, pa.timestamp("us"))},
    "zoned": {"id": pa.array(np.arange(N) * 1009, pa.timestamp("s", "Europe/Berlin"))},
    "two columns": {
        "id": pa.array([f"u{i // 10}" for i in range(N)]),
        "step": pa.array(np.arange(N) % 10 - 5, pa.int8()),
    },
    "three columns": {
        "flag": pa.array(np.arange(N) % 2 == 0),
        "name": pa.array(["a" * (1 + i % 5) for i in range(N)]),
        "id": pa.array([str(i) for i in range(N)]),
    },
    "unsigned 64 bit": {"id": pa.array([2**63 - N // 2 + i for i in range(N)], pa.uint64())},
    "large whole numbers": {
        "id": pa.array([Decimal((-7) ** (i % 40)) + i * 10**34 for i in range(N)],
                       pa.decimal256(45)),
    },
    "decimals": {"id": pa.array([Decimal(i - N // 2) / 8 for i in range(N)], pa.decimal128(12, 3))},
    "bytes": {"id": pa.array([bytes([0, 255, i % 7]) * (i % 3) + i.to_bytes(2, "big")
                              for i in range(N)])},
    "fixed bytes": {"id": pa.array([i.to_bytes(3, "little") for i in range(N)], pa.binary(3))},
    "times of day": {"id": pa.array(np.arange(N) * 17, pa.int32()).cast(pa.time32("ms"))},
    "durations": {"id": pa.array((np.arange(N) - N // 2) * 10**6, pa.duration("us"))},
    "nanoseconds": {"id": pa.array(np.arange(N) - N // 2, pa.timestamp("ns"))},
    "far times": {"id": pa.array((np.arange(N) - N // 2) * 20_000_000, pa.timestamp("s"))},
    "narrow numbers": {"id": pa.array((np.arange(N) - 2000).astype(np.float32) / 4)},
    "long words": {"id": pa.array(["é" * (2000 if i % 500 == 7 else i % 4) + f"{i}-"
                                   + "z" * (4000 if i % 1000 == 3 else 0) for i in range(N)])},
    "long words of two": {
        "name": pa.array(["y" * (1 + i % 50 * 80) for i in range(N)]),
        "id": pa.array([Decimal(i // 50) for i in range(N)], pa.decimal128(30, 2)),
    },
}  # fmt: skip
#: another type that holds the same keys
THEIRS: dict[str, Any] = {
    "whole numbers": pa.decimal128(30, 4), "unsigned": pa.uint64(), "dates": pa.date64(),
    "times": pa.timestamp("ns"), "zoned": pa.timestamp("us", "UTC"),
    "unsigned 64 bit": pa.decimal128(20), "large whole numbers": pa.decimal256(60, 5),
    "decimals": pa.decimal256(50, 9), "bytes": pa.large_binary(), "fixed bytes": pa.binary(),
    "times of day": pa.time64("ns"), "durations": pa.duration("ms"),
    "far times": pa.timestamp("us"), "nanoseconds": pa.timestamp("ns"),
    "narrow numbers": pa.float64(), "words": pa.binary(), "long words": pa.binary(),
}  # fmt: skip
#: those whose order in a CSV is their own
IN_ORDER = [key for key in list(KEYS)[:9] if key != "three columns"]
#: those that a CSV holds as text
KEYS_OF_CSV = [key for key in KEYS if key not in ("bytes", "fixed bytes", "durations")]


@pytest.fixture
def spilled(monkeypatch: pytest.MonkeyPatch) -> list[Sorter]:
    """Those that put rows on disk. They get few rows at a time, which may be held in any case."""
    found: list[Sorter] = []
    spill = Sorter._spill

    def watched(sorter: Sorter) -> None:
        found.extend([] if sorter in found else [sorter])
        spill(sorter)

    monkeypatch.setattr(side, "piece_rows", lambda _: 512)
    monkeypatch.setattr(Sorter, "_spill", watched)
    return found


def write(path: Path, columns: dict[str, Any], order: Any = None) -> str:
    """A table in the format of its suffix, its rows in an order."""
    table = pa.table(columns)
    table = table if order is None else table.take(pa.array(order))
    if path.suffix == ".csv":
        table.to_pandas().to_csv(path, index=False)
    else:
        pq.write_table(table, path)
    return str(path)


@pytest.mark.parametrize(
    ("key", "suffix"), [*((k, ".parquet") for k in KEYS), *((k, ".csv") for k in KEYS_OF_CSV)]
)
@pytest.mark.parametrize("memory", [None, "40K"])
def test_any_type_in_any_order(
    key: str, suffix: str, memory: str | None, tmp_path: Path, spilled: list[Sorter]
) -> None:
    columns = KEYS[key]
    order = np.random.default_rng(1).permutation(N)
    p = write(tmp_path / f"p{suffix}", {**columns, "pred": PRED}, order)
    t = write(tmp_path / "t.parquet", {**columns, "target": TARGET}, order[::-1].copy())
    found = losscli.compute("mse", pred=p, target=t, on=list(columns), max_memory=memory)
    # The rows of one block are summed in their order, which is that of the first file.
    expected = losscli.compute("mse", pred=PRED[order], target=TARGET[order])
    assert (found.value, found.n) == (expected.value, N)
    assert len(spilled) == (3 if memory else 0)  # each file, and their rows together


@pytest.mark.parametrize("key", KEYS)
@pytest.mark.parametrize("memory", [None, "40K"])
def test_keys_that_are_missing_or_twice(
    key: str, memory: str | None, tmp_path: Path, spilled: list[Sorter]
) -> None:
    """The pairs of a dict, whatever the types, and what it would lose is counted."""
    rng, columns = np.random.default_rng(5), KEYS[key]
    ours, theirs = (rng.permutation(N)[:4500] for _ in "12")
    p = write(tmp_path / "p.parquet", {**columns, "pred": PRED}, ours)
    others = {**columns, "id": columns["id"].cast(THEIRS.get(key, columns["id"].type))}
    t = write(tmp_path / "t.parquet", {**others, "target": TARGET}, theirs)
    asked: Any = {"on": list(columns), "max_memory": memory, "pred": f"{p}#pred"}
    found = losscli.compute("mse", target=f"{t}#target", join="inner", per_sample=True, **asked)
    rows = list(zip(*(column.to_pylist() for column in columns.values()), strict=True))
    target = {rows[i]: TARGET[i] for i in theirs}
    expected = np.square([PRED[i] - target[rows[i]] for i in ours if rows[i] in target])
    assert found.per_sample.tolist() == expected.tolist()
    assert set((found.unpaired or {}).values()) == {4500 - len(expected)}
    assert len(spilled) == (3 if memory else 0)
    with pytest.raises(DataError, match=f"{4500 - len(expected)} rows of .*p.parquet have a key"):
        losscli.compute("mse", target=f"{t}#target", **asked)

    twice = np.append(theirs, theirs[:20])
    t = write(tmp_path / "t.parquet", {**others, "target": TARGET}, twice)
    with pytest.raises(DataError, match=r"20 rows of .*t\.parquet repeat the key of a row before"):
        losscli.compute("mse", target=f"{t}#target", join="inner", **asked)


@pytest.mark.parametrize("suffixes", [(".csv", ".csv"), (".csv", ".parquet")])
@pytest.mark.parametrize("key", IN_ORDER)
def test_files_in_order_are_merged_as_they_are_read(
    key: str, suffixes: tuple[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def never(*_: Any) -> None:
        raise AssertionError("nothing is to be sorted")

    frame = pa.table(KEYS[key]).to_pandas()
    # Whole numbers are in order as text too, while none of them is negative.
    frame = frame[frame["id"] >= 0] if key == "whole numbers" else frame
    frame = frame.sort_values(list(frame), key=lambda c: c.astype(str) if key == "numbers" else c)
    if key in ("numbers", "two columns") and suffixes[1] == ".csv":
        frame = frame.astype(str).sort_values(list(frame))
    order, columns = frame.index.to_numpy(), KEYS[key]
    if key == "numbers" and suffixes[1] != ".csv":
        order = np.arange(N)
    p = write(tmp_path / f"p{suffixes[0]}", {**columns, "pred": PRED}, order)
    t = write(tmp_path / f"t{suffixes[1]}", {**columns, "target": TARGET}, order)
    monkeypatch.setattr(pairing, "Sorter", never)
    found = losscli.compute("mse", pred=p, target=t, on=list(columns))
    expected = losscli.compute("mse", pred=PRED[order], target=TARGET[order])
    assert found.value == expected.value


def test_rows_come_in_the_order_of_the_first_file_with_their_keys(run: Run, tmp_path: Path) -> None:
    (tmp_path / "p.csv").write_text("day,user,pred\n2,b,1\n1,b,2\n2,a,3\n")
    (tmp_path / "t.csv").write_text("target,user,day\n3,a,2\n2,b,1\n4,b,2\n")
    done = run("compute", "mse", "--pred", "p.csv", "--target", "t.csv", "--on", "user,day",
               "--reduction", "none", "-f", "csv")  # fmt: skip
    assert done.stdout == "row,user,day,loss\n1,b,2,9.0\n2,b,1,0.0\n3,a,2,0.0\n"


def test_text_of_a_csv_is_not_a_number(tmp_path: Path) -> None:
    p = write(tmp_path / "p.csv", {"id": ["001", "1"], "pred": [1.0, 2.0]})
    t = write(tmp_path / "t.csv", {"id": ["1", "001"], "target": [2.0, 1.0]})
    assert losscli.compute("mse", pred=p, target=t, on="id").value == 0
    words = write(tmp_path / "t.parquet", {"id": ["1", "001"], "target": [2.0, 1.0]})
    assert losscli.compute("mse", pred=p, target=words, on="id").value == 0


@pytest.mark.parametrize(
    ("theirs", "ours", "message"),
    [
        ([1, 2], ["001", "2"], r"column 'id', row 1 \(line 2\): got '001', expected whole numbers"),
        ([1, 2], ["1", "x"], r"column 'id', row 2 \(line 3\): got 'x', expected whole numbers"),
        ([1, 2], ["1", "1.0"], r"column 'id', row 2 \(line 3\): got '1.0', expected whole numbers"),
        ([1, 2], ["1", ""], r"column 'id', row 2 \(line 3\): a missing key"),
        (
            [DAY, DAY],
            ["2024-01-01", "01/02/2024"],
            r"row 2 \(line 3\): got '01/02/2024', expected dates",
        ),
    ],
)
def test_text_that_another_file_does_not_hold(
    theirs: list[Any], ours: list[str], message: str, tmp_path: Path
) -> None:
    p = write(tmp_path / "p.csv", {"id": ours, "pred": [1.0, 2.0]})
    t = write(tmp_path / "t.parquet", {"id": theirs, "target": [1.0, 2.0]})
    with pytest.raises(DataError, match=message):
        losscli.compute("mse", pred=p, target=t, on="id")


@pytest.mark.parametrize(
    ("ours", "theirs", "told"),
    [
        ([1, 2], ["1", "2"], "whole numbers (int64) in p.parquet, text in t.parquet"),
        ([1, 2], [1.0, 2.0], "whole numbers (int64) in p.parquet, numbers (double) in t.parquet"),
        (
            pa.array([1, 2], pa.timestamp("s")),
            pa.array([1, 2], pa.timestamp("s", "UTC")),
            "timestamps (timestamp[ms]) in p.parquet, timestamps with a time zone "
            "(timestamp[ms, tz=UTC]) in t.parquet",
        ),
        ([[1], [2]], [1, 2], "holds list<element: int64>, which cannot be a key"),
    ],
)
def test_types_that_differ_are_an_error(
    ours: Any, theirs: Any, told: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    write(Path("p.parquet"), {"id": ours, "pred": [1.0, 2.0]})
    write(Path("t.parquet"), {"id": theirs, "target": [1.0, 2.0]})
    with pytest.raises(DataError) as error:
        losscli.compute("mse", pred="p.parquet#pred", target="t.parquet#target", on="id")
    assert told in str(error.value)


@pytest.mark.parametrize("shuffled", [False, True])
def test_missing_keys_are_counted_and_the_first_ones_listed(
    shuffled: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    order = np.arange(N)[:: -1 if shuffled else 1]
    write(Path("p.parquet"), {"id": np.arange(N), "pred": PRED}, order)
    keep = np.flatnonzero(np.arange(N) % 100)  # without 0, 100, 200, …
    write(Path("t.parquet"), {"id": np.append(keep, N), "target": TARGET[: len(keep) + 1]})
    files: Any = {"pred": "p.parquet", "target": "t.parquet", "on": "id"}
    with pytest.raises(DataError) as error:
        losscli.compute("mse", **files)
    text = str(error.value)
    assert "50 rows of p.parquet have a key that t.parquet lacks: " in text
    assert ("id 4900 (row 100), id 4800 (row 200)" if shuffled else "id 0 (row 1), id 100") in text
    assert text.count("(row ") == 11
    assert text.endswith(
        f"; 1 row of t.parquet has a key that p.parquet lacks: id {N} (row {len(keep) + 1})"
    )
    found = losscli.compute("mse", **files, join="inner", per_sample=True)
    expected = ((PRED[keep] - TARGET[: len(keep)]) ** 2)[:: -1 if shuffled else 1]
    np.testing.assert_array_equal(found.per_sample, expected)
    assert found.unpaired == {"p.parquet": 50, "t.parquet": 1}
    assert found.to_dict()["unpaired"] == {"p.parquet": 50, "t.parquet": 1}
    assert "|on:id|join:inner|" in found.signature
    assert "|unpaired:51|" in found.signature
    assert found.warnings[0] == "50 rows of p.parquet left out: not all files have the key"


@pytest.mark.parametrize("join", ["strict", "inner"])
@pytest.mark.parametrize("at", [3, N - 1])
def test_repeated_keys_are_an_error_always(join: Any, at: int, tmp_path: Path) -> None:
    keys = np.arange(N)
    keys[at] = keys[at - 1]
    p = write(tmp_path / "p.parquet", {"id": np.arange(N), "pred": PRED})
    t = write(tmp_path / "t.parquet", {"id": keys, "target": TARGET})
    with pytest.raises(
        DataError, match=rf"repeats the key of a row before: id {at - 1} \(row {at + 1}\)"
    ):
        losscli.compute("mse", pred=p, target=t, on="id", join=join)


def test_three_files_and_a_value_that_is_wrong(tmp_path: Path) -> None:
    p = write(tmp_path / "p.csv", {"id": [3, 1, 2], "pred": [1.0, 2.0, 3.0]})
    t = write(tmp_path / "t.parquet", {"target": [0.0, 0.0, 0.0], "id": [1, 2, 3]})
    w = write(tmp_path / "w.csv", {"id": [1, 3, 2], "weight": [1.0, 2.0, 3.0]})
    found = losscli.compute("mse", pred=p, target=t, weight=w, on="id")
    assert found.value == (1 * 4 + 2 * 1 + 3 * 9) / 6
    w = write(tmp_path / "w.csv", {"id": [1, 3, 2], "weight": [1.0, 2.0, -3.0]})
    with pytest.raises(DataError, match=r"w\.csv, column 'weight', row 3 \(line 4\): got -3"):
        losscli.compute("mse", pred=p, target=t, weight=w, on="id")
    w = write(tmp_path / "w.csv", {"id": [1, 3], "weight": [1.0, 2.0]})
    found = losscli.compute("mse", pred=p, target=t, weight=w, on="id", join="inner")
    assert found.value == (1 * 4 + 2 * 1) / 3
    assert list((found.unpaired or {}).values()) == [1, 1, 0]


def test_skipped_rows_keep_their_numbers_and_keys(run: Run, tmp_path: Path) -> None:
    (tmp_path / "p.csv").write_text("id,pred\nc,1\na,2\nb,3\n")
    (tmp_path / "t.csv").write_text("id,target\nb,0\nc,\na,0\n")
    done = run("compute", "mse", "--pred", "p.csv", "--target", "t.csv", "--on", "id",
               "--nonfinite", "skip", "--reduction", "none", "-f", "json")  # fmt: skip
    assert json.loads(done.stdout) == [
        {"row": 2, "id": "a", "loss": 4.0},
        {"row": 3, "id": "b", "loss": 9.0},
    ]


def test_a_pipe_is_paired_too(run: Run, tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text("id,target\n2,0\n1,0\n")
    done = run("compute", "mse", "--pred", "-#pred", "--target", "t.csv#target", "--on", "id",
               "-f", "value", input="id,pred\n1,3\n2,4\n")  # fmt: skip
    assert (done.stdout, done.stderr) == ("12.5\n", "")


def test_lists_and_batches_are_paired(tmp_path: Path) -> None:
    """A loss over batches, of vectors, in files of different orders: as in one order."""
    a, b, order = RNG.normal(size=(60, 3)), RNG.normal(size=(60, 3)), RNG.permutation(60)
    ids = np.arange(60)
    p = write(tmp_path / "q.parquet", {"id": ids, "query": list(a)})
    t = write(tmp_path / "k.parquet", {"id": ids, "positive": list(b)}, order)
    found = losscli.compute("info-nce", query=p, positive=t, on="id", batch_size=20)
    assert found.value == losscli.compute("info-nce", query=a, positive=b, batch_size=20).value


def test_frames_in_memory_are_paired_with_files(tmp_path: Path) -> None:
    big = 2**60 + np.arange(3)  # numbers that no float64 tells apart
    frame = pd.DataFrame({"id": big, "pred": [1.0, 2.0, 3.0], "target": 0.0})
    assert losscli.compute("mse", data=frame, pred="pred", target="target", on="id").n == 3
    frame["id"] = big[[0, 1, 1]]
    with pytest.raises(DataError, match=f"id {2**60 + 1} \\(row 3\\)"):
        losscli.compute("mse", data=frame, pred="pred", target="target", on="id")


def test_a_file_without_the_key(tmp_path: Path) -> None:
    p = write(tmp_path / "p.csv", {"id": [1], "pred": [1.0]})
    t = write(tmp_path / "t.csv", {"ident": [1], "target": [1.0]})
    with pytest.raises(DataError, match="no column 'id' for --on; it has 'ident', 'target'"):
        losscli.compute("mse", pred=p, target=t, on="id")
    with pytest.raises(UsageError, match="different names"):
        losscli.compute("mse", pred=p, target=t, on="id,id")
    t = write(tmp_path / "t.csv", {"id": [2], "target": [1.0]})
    with pytest.raises(DataError, match="no key is in all of them"):
        losscli.compute("mse", pred=p, target=t, on="id", join="inner")


@pytest.mark.parametrize(("bound", "runs"), [(1, 2), (2000, 3), (40_000, 5), (10**9, 5)])
def test_sorting_within_a_bound(bound: int, runs: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of a hundred parts; with the least bound, each is a run, and two are merged at once."""
    monkeypatch.setattr(sorting, "LEAST", 200)
    monkeypatch.setattr(sorting, "FAN_IN", runs)
    open_at_once = 0
    wanted = [Wanted("key"), Wanted("list", pad=-1.0), Wanted("word", key=True)]
    sorter = Sorter(0, lambda parts: [
        together(column, w) for column, w in zip(zip(*parts, strict=True), wanted, strict=True)
    ], bound)  # fmt: skip
    keys = RNG.permutation(1000)
    for part in np.split(keys, 100):
        words = np.array([f"w{key}" for key in part], dtype=object)
        width = 1 + int(part[0]) % 3
        lists, missing = np.repeat(part[:, None].astype(float), width, 1), part % 7 == 0
        sorter.add(
            [Values(part), Values(lists, np.repeat(missing[:, None], width, 1)), Values(words)]
        )
        open_at_once = max(open_at_once, len(sorter._runs))
    assert open_at_once <= 8  # not a hundred files
    rows = list(sorter.rows(64))
    sorter.close()
    assert np.concatenate([r[0].array for r in rows]).tolist() == list(range(1000))
    assert [w for r in rows for w in r[2].array] == [f"w{i}" for i in range(1000)]
    assert [v for r in rows for v in r[1].array[:, 0]] == list(range(1000))
    gone = [v for r in rows for v in np.zeros(len(r[0].array), bool) if r[1].missing is None]
    gone += [v for r in rows if r[1].missing is not None for v in r[1].missing[:, 0]]
    assert sum(gone) == 143  # multiples of 7 below 1000


@pytest.mark.parametrize("bound", [1, 20_000, 1 << 20])
def test_equal_rows_keep_their_order_however_often_they_are_merged(
    bound: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sorting, "LEAST", 1000)
    monkeypatch.setattr(sorting, "FAN_IN", 4)
    keys, numbers = np.random.default_rng(8).integers(0, 50, 20_000), np.arange(20_000)
    wanted = [Wanted("key"), Wanted("number")]
    sorter = Sorter(0, lambda parts: [
        together(column, w) for column, w in zip(zip(*parts, strict=True), wanted, strict=True)
    ], bound)  # fmt: skip
    for part in np.split(numbers, 200):
        sorter.add([Values(keys[part]), Values(part)])
    found = np.concatenate([rows[1].array for rows in sorter.rows(999)])
    sorter.close()
    np.testing.assert_array_equal(found, np.argsort(keys, kind="stable"))


def test_rows_of_long_lists_are_taken_a_few_at_a_time(tmp_path: Path) -> None:
    lists = pa.FixedSizeListArray.from_arrays(np.arange(900_000.0), 3000)
    for name in ("pred", "target"):
        pq.write_table(pa.table({"id": range(300), name: lists}), tmp_path / f"{name}.parquet")
    longest = 0

    class Watched(Sorter):
        def add(self, rows: Any) -> None:
            nonlocal longest
            longest = max(longest, sorting.bytes_of(rows))
            super().add(rows)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(pairing, "Sorter", Watched)
        patch.setattr(side.Side, "ascends", lambda *_: False)
        files = {name: str(tmp_path / f"{name}.parquet#{name}") for name in ("pred", "target")}
        assert losscli.compute("mse", **files, on="id", max_memory="20M").value == 0
    assert 0 < longest <= 5 << 20


def test_wide_rows_are_merged_within_a_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    """A batch is so many bytes, not rows: what is at hand while runs are merged is bounded."""
    bound = 3 << 20
    seen: list[int] = []

    def join(parts: Any) -> Any:
        seen.append(sum(map(sorting.bytes_of, parts)))
        return [together([p[i] for p in parts], Wanted("x")) for i in range(2)]

    sorter = Sorter(0, join, bound)
    for part in np.split(np.random.default_rng(8).permutation(4000), 100):
        sorter.add([Values(part), Values(np.repeat(part[:, None], 1000, 1).astype(float))])
    assert len(sorter._runs) > 1
    rows = list(sorter.rows(100))
    sorter.close()
    assert np.concatenate([r[1].array[:, -1] for r in rows]).tolist() == list(range(4000))
    assert max(seen) <= bound / 2


def test_sizes() -> None:
    assert [parse_size(x) for x in ("2G", "500M", "1.5KiB", "10b", 7)] == [
        2 << 30, 500 << 20, 1536, 10, 7,
    ]  # fmt: skip
    for wrong in ("", "G", "-1M", "0", "1X"):
        with pytest.raises(UsageError, match="expected a size"):
            parse_size(wrong)


def test_files_of_a_data_set_are_paired_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Their rows are named in their files; the directories of partitions may be keys."""
    monkeypatch.chdir(tmp_path)
    for day, ids in (("01", [2, 1]), ("02", [1, 3])):
        Path(f"p/day=2024-05-{day}").mkdir(parents=True)
        write(Path(f"p/day=2024-05-{day}/0.parquet"), {"id": ids, "pred": [1.0, 2.0]})
    days = [datetime.date(2024, 5, 2), datetime.date(2024, 5, 1), datetime.date(2024, 5, 1)]
    write(Path("t.parquet"), {"day": days, "id": [1, 1, 2], "target": [1.0, 2.0, 1.0]})
    files: Any = {"pred": "p#pred", "target": "t.parquet#target", "on": "day,id"}
    with pytest.raises(DataError, match=r"id 3 \(p/day=2024-05-02/0.parquet, row 2\)"):
        losscli.compute("mse", **files)
    found = losscli.compute("mse", **files, join="inner")
    assert (found.value, found.n) == (0, 3)


def test_the_index_of_a_frame_is_a_key() -> None:
    frame = pd.DataFrame({"pred": [1.0, 2.0, 3.0]}, index=pd.Index([10, 11, 12], name="user"))
    target = pd.Series([3.0, 1.0, 2.0], index=pd.Index([12, 10, 11], name="user"))
    for key in ("index", "user"):
        assert losscli.compute("mse", data=frame, target=target, on=key).value == 0
    frame["index"] = [11, 10, 12]  # a column of this name is what is meant
    target.index.name = None
    assert losscli.compute("mae", data=frame, target=target, on="index").value == 2 / 3
    levels = frame.set_index("index", append=True)
    pairs = target.set_axis(pd.MultiIndex.from_tuples([(12, 12), (10, 11), (11, 10)],
                                                      names=["user", "index"]))  # fmt: skip
    assert losscli.compute("mse", data=levels, target=pairs, on=["user", "index"]).value == 0


def test_series_are_paired_by_position_with_a_warning_or_by_index() -> None:
    pred = pd.Series([1.0, 2.0, 3.0], index=[10, 11, 12])
    target = pd.Series([3.0, 1.0, 2.0], index=[12, 10, 11])
    by_position = losscli.compute("mse", pred=pred, target=target)
    assert by_position.value == (4 + 1 + 1) / 3
    assert "pred and target have different indexes" in by_position.warnings[0]
    by_index = losscli.compute("mse", pred=pred, target=target, on="index")
    assert (by_index.value, by_index.warnings) == (0, [])
    same = losscli.compute("mse", pred=pred, target=target.reindex(pred.index))
    assert (same.value, same.warnings) == (0, [])
    assert losscli.compute("mse", pred=pred, target=np.array([1.0, 2.0, 3.0])).warnings == []
    with pytest.raises(DataError, match="no column 'index' for --on"):
        losscli.compute("mse", pred=pred, target=np.array([1.0, 2.0, 3.0]), on="index")


def test_levels_of_an_index_are_keys(tmp_path: Path) -> None:
    pred = pd.DataFrame({"user": ["a", "a", "b"], "day": [1, 2, 1], "pred": [1.0, 2.0, 3.0]})
    series = pred.set_index(["user", "day"])["pred"]
    (tmp_path / "t.csv").write_text("day,user,target\n1,b,3\n2,a,2\n1,a,1\n")
    found = losscli.compute("mse", pred=series, target=f"{tmp_path}/t.csv", on=["user", "day"])
    assert found.value == 0


@pytest.mark.parametrize("suffix", ["jsonl", "safetensors", "parquet"])
def test_keys_in_every_format(suffix: str, tmp_path: Path) -> None:
    """Words and whole numbers as JSON has them, and members of objects, pair with a CSV's text."""
    columns = {"id": np.array([30, 7, 100]), "pred": np.array([3.0, 7.0, 1.0])}
    WRITERS[suffix](tmp_path / f"p.{suffix}", columns)
    (tmp_path / "t.csv").write_text("id,target\n7,7\n30,3\n100,0\n")
    found = losscli.compute(
        "mse", pred=f"{tmp_path}/p.{suffix}#pred", target=f"{tmp_path}/t.csv#target", on="id",
        per_sample=True,
    )  # fmt: skip
    assert found.per_sample.tolist() == [0, 0, 1]


def test_words_of_json_are_keys(tmp_path: Path) -> None:
    lines = ['{"k": {"user": "é"}, "pred": 1}', '{"k": {"user": "b"}, "pred": 2}']
    (tmp_path / "p.jsonl").write_text("\n".join(lines), encoding="utf-8")
    (tmp_path / "t.csv").write_text("k.user,target\nb,2\né,0\n", encoding="utf-8")
    found = losscli.compute(
        "mse", pred=f"{tmp_path}/p.jsonl#pred", target=f"{tmp_path}/t.csv#target", on="k.user",
        per_sample=True,
    )  # fmt: skip
    assert found.per_sample.tolist() == [1, 0]


def test_views_of_text_are_keys(tmp_path: Path) -> None:
    table = pa.table({"id": pa.array(["x", "y"], pa.string_view()), "target": [1.0, 2.0]})
    with pa.ipc.new_file(tmp_path / "t.arrow", table.schema) as writer:
        writer.write_table(table)
    (tmp_path / "p.csv").write_text("id,pred\ny,2\nx,1\n")
    found = losscli.compute(
        "mse", pred=f"{tmp_path}/p.csv#pred", target=f"{tmp_path}/t.arrow#target", on="id"
    )
    assert (found.value, found.n) == (0, 2)


@pytest.mark.parametrize("memory", [None, "20M"])
@pytest.mark.parametrize("in_order", [False, True])
def test_a_few_long_keys_make_no_others_long(
    memory: str | None, in_order: bool, tmp_path: Path
) -> None:
    """Of arrays of text NumPy makes every entry as long as the longest: 512 MiB of this key."""
    rows = 131_072
    long = {77: "x" * 4000, 60_000: "k" + "y" * 4000, 131_000: "k5" * 2000}
    keys = [long.get(i, f"k{i}") for i in range(rows)]
    columns = {"id": keys, "pred": np.arange(rows) % 10.0, "target": np.arange(rows) % 10.0}
    frame = pd.DataFrame(columns)
    if in_order:
        frame = frame.sort_values("id")
    for name, seed in (("pred", 1), ("target", 2)):
        ordered = frame if in_order else frame.sample(frac=1, random_state=seed)
        ordered[["id", name]].to_csv(tmp_path / f"{name}.csv", index=False)
    assert mebibytes_of(rows, "csv", memory, tmp_path) < 400


@pytest.mark.parametrize("memory", [None, "20M"])
def test_memory_grows_with_the_bytes_of_keys(memory: str | None, tmp_path: Path) -> None:
    """One key in a thousand is long: 1.2 MB of long ones, 1.2 GB if all were as long."""
    rows = 300_000
    keys = pa.array([f"k{i}" + "x" * (0 if i % 1000 else 4000) for i in range(rows)])
    for name, seed in (("pred", 1), ("target", 2)):
        order = np.random.default_rng(seed).permutation(rows)
        write(tmp_path / f"{name}.parquet", {"id": keys, name: np.arange(rows) % 10.0}, order)
    assert mebibytes_of(rows, "parquet", memory, tmp_path) < 500


def test_long_keys_come_in_small_batches(tmp_path: Path) -> None:
    """All keys are long: 117 MB a file, which was held several times over as one batch."""
    rows = 30_000
    keys = pa.array([f"{i:05}" + "x" * 3900 for i in range(rows)])
    for name, seed in (("pred", 1), ("target", 2)):
        order = np.random.default_rng(seed).permutation(rows)
        write(tmp_path / f"{name}.parquet", {"id": keys, name: np.arange(rows) % 10.0}, order)
    assert mebibytes_of(rows, "parquet", "100M", tmp_path) < 450


def mebibytes_of(rows: int, suffix: str, memory: str | None, folder: Path) -> int:
    """What a process of its own takes more to pair all rows of two files."""
    bound = f", max_memory='{memory}'" if memory else ""
    code = (
        "import losscli, pathlib, pyarrow.parquet\n"
        "status = pathlib.Path('/proc/self/status')\n"
        "peak = lambda: int(status.read_text().partition('VmHWM:')[2].split()[0])\n"
        "before = peak()\n"
        f"found = losscli.compute('mse', pred='pred.{suffix}#pred', "
        f"target='target.{suffix}#target', on='id'{bound})\n"
        "print(found.value, found.n, (peak() - before) >> 10)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True,
                          cwd=folder, env={"PYTHONPATH": str(ROOT)}, check=True)  # fmt: skip
    value, n, mebibytes = done.stdout.split()
    assert (value, n) == ("0.0", str(rows))
    return int(mebibytes)


def test_texts_are_apart_where_that_takes_less() -> None:
    """And compare as those of NumPy do."""
    short = [b"a", b"", b"abc"]
    for words, apart in ((short, False), ([*short * 100, b"x" * 4000], True), ([], False)):
        offsets = np.cumsum([0, *map(len, words)])
        found = texts.texts_of(np.frombuffer(b"".join(words), np.uint8), offsets)
        assert (found.tolist(), found.dtype == object) == (words, apart)
        size = sum(map(len, words))
        assert size <= texts.bytes_of(found) <= size + 60 * len(words)
    narrow, wide = np.array(short * 1000), np.array([b"x" * 4000])
    assert texts.joined([narrow, narrow.astype("S4")]).dtype == "S4"
    for parts in ([narrow, wide], [wide, narrow], [narrow, wide.astype(object)]):
        found = texts.joined(parts)
        assert found.dtype == object
        assert found.tolist() == [word for part in parts for word in part.tolist()]


def test_keys_that_begin_alike_are_told_apart() -> None:
    """Of different widths, as in pieces with and without a long key."""
    short = np.array([b"a", b"ab", b"abc", b"b"])
    long = np.array([b"ab", b"abcd", b"abcdefgh", b"b", b"c"])
    apart = np.array([b"a", b"ab", b"b", b"x" * 4000], dtype=object)
    for keys, others in itertools.permutations((short, long, apart, np.repeat(short, 300)), 2):
        expected = [key in others.tolist() for key in keys.tolist()]
        assert matching._within(keys, others).tolist() == expected
        for key in others:
            assert sorting.place(keys, key) == sum(each <= key for each in keys.tolist())
            assert sorting.place(keys, key, "left") == sum(each < key for each in keys.tolist())


def test_a_key_that_is_too_long(tmp_path: Path) -> None:
    p = write(tmp_path / "p.csv", {"id": ["a", "b" * 5000], "pred": [1.0, 2.0]})
    t = write(tmp_path / "t.csv", {"id": ["a", "b"], "target": [1.0, 2.0]})
    with pytest.raises(
        DataError, match=r"p\.csv, column 'id', row 2 .line 3.: a key of 5,000 bytes"
    ):
        losscli.compute("mse", pred=p, target=t, on="id")


@pytest.mark.parametrize("suffix", ["parquet", "arrow", "csv"])
@pytest.mark.parametrize("skipped", [140_000, 300_000])
def test_a_first_block_without_rows_says_nothing_of_keys(
    suffix: str, skipped: int, run: Run, tmp_path: Path
) -> None:
    """Keys are text in every block, also where nothing is left of the first."""
    keys = [f"k{i:06}" for i in range(300_000)]
    pred = np.where(np.arange(len(keys)) < skipped, np.nan, 1.0)
    pq.write_table(pa.table({"id": keys, "pred": pred}), tmp_path / "p.parquet")
    target = np.zeros(len(keys))
    pq.write_table(pa.table({"id": keys, "target": target}), tmp_path / "t.parquet")
    done = run(
        "compute", "mse", "--pred", "p.parquet#pred", "--target", "t.parquet#target", "--on", "id",
        "--nonfinite", "skip", "--reduction", "none", "-o", f"o.{suffix}",
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    out = tmp_path / f"o.{suffix}"
    if suffix == "csv":
        lines = out.read_text().splitlines()
        assert (lines[0], len(lines) - 1) == ("row,id,loss", len(keys) - skipped)
        return
    table = pq.read_table(out) if suffix == "parquet" else pa.ipc.open_file(out).read_all()
    assert table["id"].to_pylist() == keys[skipped:]
    assert table.schema.names == ["row", "id", "loss"]

"""What is wrong with lines, rows and keys is found in one run too, beside the values."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from losscli.api import check, get_loss
from losscli.data import records
from losscli.data.options import InputOptions
from losscli.engine.check import Checked
from losscli.engine.problems import Problem
from losscli.request import Request
from tests.conftest import Run

CHUNKS = pytest.mark.parametrize("chunk", [64, 1 << 20])


def look(folder: Path, pred: str, target: str, **options: Any) -> Checked:
    """What `check` finds for msle, which wants numbers that are not negative."""
    roles = {"pred": str(folder / pred), "target": str(folder / target)}
    return check(Request(get_loss("msle"), roles, options=InputOptions(**options)))


def counts(found: Checked) -> dict[tuple[str, str], int]:
    return {(p.reason, Path(p.file).name + p.column): p.count for p in found.problems}


def only(found: Checked, reason: str, file: str = "") -> Problem:
    (problem,) = [p for p in found.problems if p.reason == reason and p.file.endswith(file)]
    return problem


def places(problem: Problem) -> list[tuple[int, int | None, str]]:
    return [(found.row, found.line, found.value) for found in problem.first]


@CHUNKS
def test_lines_of_a_csv_that_are_no_rows(
    chunk: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lines = [b"pred,target", *(b"%d,1" % i for i in range(1, 61))]
    for row in range(20, 60, 2):
        lines[row] = b"1,2,3"  # 20 of them
    lines[3], lines[5] = b"\xff,1", b'"4"4,1'
    lines[7], lines[8] = b"1", b"x,-3"
    lines[60] = b'60,"1'
    (tmp_path / "f.csv").write_bytes(b"\n".join(lines) + b"\n")
    monkeypatch.setattr(records, "CHUNK", chunk)
    found = look(tmp_path, "f.csv#pred", "f.csv#target")
    assert counts(found) == {
        ("not-utf-8", "f.csv"): 1,
        ("stray-quote", "f.csv"): 1,
        ("ragged-line", "f.csv"): 21,
        ("unclosed-quote", "f.csv"): 1,
        ("not-a-number", "f.csvpred"): 1,
        ("out-of-domain", "f.csvtarget"): 1,
    }
    ragged = only(found, "ragged-line")
    assert ragged.problem == "expected 2"
    rows = [(row, row + 1, "3 fields") for row in range(20, 37, 2)]
    assert places(ragged) == [(7, 8, "1 field"), *rows]
    assert places(only(found, "not-utf-8")) == [(3, 4, r"'\xff'")]
    assert places(only(found, "stray-quote")) == [(5, 6, "'44,1'")]
    assert places(only(found, "unclosed-quote"))[0][:2] == (60, 61)
    assert places(only(found, "out-of-domain")) == [(8, 9, "-3")]
    assert found.rows == 60


def test_a_quote_that_never_closes_takes_no_other_line_with_it(tmp_path: Path) -> None:
    (tmp_path / "f.csv").write_text('pred,target\n1,1\n"2,1\n3,-1\n4,x\n')
    found = look(tmp_path, "f.csv#pred", "f.csv#target")
    assert counts(found) == {
        ("unclosed-quote", "f.csv"): 1,
        ("not-a-number", "f.csvtarget"): 1,
        ("out-of-domain", "f.csvtarget"): 1,
    }
    assert places(only(found, "unclosed-quote")) == [(2, 3, "'2,1\\n'")]
    assert places(only(found, "out-of-domain")) == [(3, 4, "-1")]
    assert places(only(found, "not-a-number")) == [(4, 5, "'x'")]


@CHUNKS
def test_lines_of_json_that_are_no_objects(
    chunk: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lines = [b'{"pred": %d, "target": 1}' % i for i in range(1, 31)]
    lines[4], lines[5] = b"{", b"[1, 2]"
    lines[6], lines[7] = b'{"pred": 1, "pred": 2}', b'{"pred": "\xe9"}'
    lines[8], lines[9] = b'{"pred": 1, "target": -1}', b'{"pred": 1,'
    (tmp_path / "f.jsonl").write_bytes(b"\n".join(lines) + b"\n")
    monkeypatch.setattr(records, "CHUNK", chunk)
    found = look(tmp_path, "f.jsonl#pred", "f.jsonl#target")
    assert counts(found) == {
        ("not-json", "f.jsonl"): 2,
        ("not-an-object", "f.jsonl"): 1,
        ("repeated-name", "f.jsonl"): 1,
        ("not-utf-8", "f.jsonl"): 1,
        ("out-of-domain", "f.jsonltarget"): 1,
    }
    assert [place[:2] for place in places(only(found, "not-json"))] == [(5, 5), (10, 10)]
    assert (found.rows, places(only(found, "out-of-domain"))[0][0]) == (30, 9)


def test_lines_of_a_data_set_are_those_of_its_files(tmp_path: Path) -> None:
    for name in ("a", "b"):
        (tmp_path / f"{name}.csv").write_text("pred,target\n1,1\n1\n")
    found = look(tmp_path, "*.csv#pred", "*.csv#target")
    (ragged,) = found.problems
    assert (ragged.count, ragged.file) == (2, str(tmp_path / "*.csv"))
    assert [(Path(f.file).name, f.row, f.line) for f in ragged.first] == [
        ("a.csv", 2, 3),
        ("b.csv", 2, 3),
    ]


def test_rows_that_are_too_many_beside_lines_and_values(tmp_path: Path) -> None:
    (tmp_path / "p.csv").write_text("pred\n1\n-2\n3,4\n5\n")
    (tmp_path / "t.csv").write_text("target\n1\n-2\n3\n")
    assert counts(look(tmp_path, "p.csv", "t.csv")) == {
        ("ragged-line", "p.csv"): 1,
        ("out-of-domain", "p.csvpred"): 1,
        ("out-of-domain", "t.csvtarget"): 1,
        ("length-mismatch", ""): 1,
    }


@pytest.mark.parametrize("suffix", ["csv", "parquet", "jsonl"])
@pytest.mark.parametrize("bound", [None, 20_000])
def test_keys_that_do_not_pair(suffix: str, bound: int | None, tmp_path: Path) -> None:
    n = 4000
    keys = pd.Series(np.arange(n), dtype="Int64").sample(frac=1, random_state=3)
    left = pd.DataFrame({"id": keys.array, "pred": 1.0})
    left.iloc[[5, 17], 0] = pd.NA  # whose partners are alone then
    left.iloc[100, 0] = left.iloc[99, 0]
    left.iloc[200, 1] = -1
    right = pd.DataFrame({"id": np.arange(n + 30), "target": 1.0})
    right.loc[3000, "target"] = -5
    for name, frame in (("p", left), ("t", right)):
        if suffix == "csv":
            frame.to_csv(tmp_path / f"{name}.csv", index=False)
        elif suffix == "parquet":
            frame.to_parquet(tmp_path / f"{name}.parquet")
        else:
            frame.to_json(tmp_path / f"{name}.jsonl", orient="records", lines=True)
    p, t = f"p.{suffix}", f"t.{suffix}"
    found = look(tmp_path, f"{p}#pred", f"{t}#target", on=("id",), max_memory=bound)
    assert counts(found) == {
        ("null-key", f"{p}id"): 2,
        ("repeated-key", f"{p}id"): 1,
        ("unmatched-key", f"{t}id"): 33,
        ("out-of-domain", f"{p}pred"): 1,
        ("out-of-domain", f"{t}target"): 1,
    }
    assert [row for row, _, _ in places(only(found, "null-key"))] == [6, 18]
    assert [row for row, _, _ in places(only(found, "repeated-key"))] == [101]
    alone = only(found, "unmatched-key")
    assert len(alone.first) == 10
    gone = sorted([*keys.iloc[[5, 17, 100]].to_list(), *range(n, n + 30)])
    assert [value for _, _, value in places(alone)] == [f"id {key}" for key in gone[:10]]
    assert [row for row, _, _ in places(alone)] == [key + 1 for key in gone[:10]]
    assert found.rows == n - 3
    inner = look(tmp_path, f"{p}#pred", f"{t}#target", on=("id",), join="inner")
    assert ("unmatched-key", f"{t}id") not in counts(inner)
    assert ("repeated-key", f"{p}id") in counts(inner)


def test_lines_that_are_no_rows_have_no_key(tmp_path: Path) -> None:
    (tmp_path / "p.csv").write_text("id,pred\n1,1\n2,1,1\n3,-1\nx,1\n")
    pd.DataFrame({"id": [3, 1, 2], "target": [1.0, 2.0, 3.0]}).to_parquet(tmp_path / "t.parquet")
    found = look(tmp_path, "p.csv#pred", "t.parquet#target", on=("id",))
    assert counts(found) == {
        ("ragged-line", "p.csv"): 1,
        ("not-a-key", "p.csvid"): 1,
        ("unmatched-key", "t.parquetid"): 1,
        ("out-of-domain", "p.csvpred"): 1,
    }
    assert places(only(found, "not-a-key")) == [(4, 5, "'x'")]


def test_no_key_at_all(tmp_path: Path) -> None:
    (tmp_path / "p.csv").write_text("id,pred\n,1\n,1\n")
    (tmp_path / "t.csv").write_text("id,target\n1,1\n")
    found = look(tmp_path, "p.csv#pred", "t.csv#target", on=("id",))
    assert counts(found) == {("null-key", "p.csvid"): 2, ("null-key", ""): 1}


def test_the_report(run: Run, tmp_path: Path) -> None:
    (tmp_path / "f.csv").write_text("pred,target\n1,1\n2\n3,-1\n4,5,6\n")
    done = run("check", "msle", "--data", "f.csv", "-f", "csv")
    assert done.stdout.splitlines()[1:] == [
        "ragged-line,,f.csv,,2,2 4,3 5,1 field 3 fields,expected 2,",
        "out-of-domain,target,f.csv,target,1,3,4,-1,expected a number above -1,'--clip 0 counts "
        "negative values as 0",
    ]
    (ragged, _) = json.loads(run("check", "msle", "--data", "f.csv", "-f", "json").stdout)[
        "problems"
    ]
    assert ragged["first"][0] == {"row": 2, "line": 3, "value": "1 field", "file": None}
    done = run("compute", "msle", "--data", "f.csv")
    assert (done.returncode, done.stderr) == (
        3,
        "error: f.csv, line 3: 1 fields, expected 2; 1 more so far\n",
    )
    done = run("check", "--data", "f.csv")
    assert (done.returncode, done.stderr[:33]) == (3, "error: f.csv, line 3: 1 fields, e")

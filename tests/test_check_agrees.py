"""`check LOSS` finds something wrong exactly where `compute LOSS` refuses."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.feather
import pyarrow.parquet as pq
import pytest

from losscli.api import check, evaluate, get_loss
from losscli.data.options import InputOptions, NonFinite
from losscli.data.reading import ReadOptions
from losscli.errors import DataError
from losscli.request import Request
from tests.conftest import Run
from tests.test_check import reasons, report

NAN, INF = float("nan"), float("inf")
#: what a column may hold, in every format that can write it
COLUMNS: list[list[Any]] = [
    [1, 0],
    ["2", "1"],
    [1, "2"],
    ["x", "1"],
    ["1", None],
    ["nan", "1"],
    ["NaN", "Infinity"],
    ["NaN", 1],
    ["", "1"],
    [" 1 ", "0"],
    ["1,5", "0"],
    [True, False],
    [1, True],
    [True, 1],
    [True, "1"],
    [None, 1],
    [None, None],
    [None, True],
    [NAN, 1],
    [INF, -1],
    [1e400, 0],
    [[1], [0]],
    [[1], [1, 2]],
    [["1"], ["0"]],
    [[1], None],
    [[1], 0],
    [0, [1]],
    [[None], [1]],
    [[[1]], [1]],
    [{"a": 1}, 1],
    ["no", "yes"],
    ["0", "yes"],
    [1.5, 10**30],
]


def written(values: list[Any], folder: Path) -> list[Path]:
    """Files of every format that can hold some values beside numbers."""
    numbers = [1.0, 0.0]
    rows = [{"pred": a, "target": b} for a, b in zip(numbers, values, strict=True)]
    paths = [folder / "f.jsonl"]
    paths[0].write_text("".join(json.dumps(row) + "\n" for row in rows))
    if not any(isinstance(value, (list, dict)) for value in values):
        paths.append(folder / "f.csv")
        cells = ["" if value is None else f'"{value}"' for value in values]
        lines = [f"{a},{b}\n" for a, b in zip(numbers, cells, strict=True)]
        paths[-1].write_text("pred,target\n" + "".join(lines))
    try:
        table = pa.table({"pred": numbers, "target": values})
    except (pa.ArrowException, OverflowError):
        table = None
    if table is not None:
        paths += [folder / "f.parquet", folder / "f.arrow"]
        pq.write_table(table, paths[-2])
        pyarrow.feather.write_feather(table, str(paths[-1]))
    try:
        array = np.array(values)
    except ValueError:
        return paths
    if array.dtype != object:
        paths.append(folder / "f.npz")
        np.savez(paths[-1], pred=np.array(numbers), target=array)
    return paths


@pytest.mark.parametrize("nonfinite", ["error", "skip"])
@pytest.mark.parametrize("loss", ["mse", "hinge 0,1", "hinge no,yes", "hinge false,true"])
@pytest.mark.parametrize("values", COLUMNS, ids=json.dumps)
def test_check_agrees_with_compute(
    values: list[Any], loss: str, nonfinite: NonFinite, tmp_path: Path
) -> None:
    name, *labels = loss.split(" ")
    pair = tuple(labels[0].split(",")) if labels else None
    options = InputOptions(ReadOptions(labels=pair or ()), labels=pair, nonfinite=nonfinite)
    for path in written(values, tmp_path):
        request = Request(get_loss(name), {}, options=options, data=str(path))
        try:
            evaluate(request)
            refused = ""
        except DataError as error:
            refused = str(error)
        found = check(request)
        assert bool(found.problems) == bool(refused), (path.suffix, refused, found.problems)


def test_text_of_json_is_no_number_beside_other_odd_values(run: Run, tmp_path: Path) -> None:
    lines = ['{"p":1,"t":1}', '{"p":"2","t":1}', '{"p":true,"t":1}']
    (tmp_path / "e.jsonl").write_text("\n".join(lines) + "\n")
    found = report(run, "mse", "--pred", "e.jsonl#p", "--target", "e.jsonl#t")
    assert reasons(found) == {("not-a-number", "p"): 2}
    first = found["problems"][0]["first"]
    assert [(each["row"], each["value"]) for each in first] == [(2, "'2'"), (3, "True")]
    shown = run("check", "--data", "e.jsonl", "-f", "csv").stdout.splitlines()
    assert shown[1].startswith("p,\"1, and text: '2', True\"")


def test_lists_of_unequal_length_are_counted_in_their_rows(run: Run, tmp_path: Path) -> None:
    lines = ['{"p":[1,2],"t":[1,2]}', '{"p":[1,2,3],"t":[1,2]}', '{"p":[1],"t":[1,2]}']
    (tmp_path / "u.jsonl").write_text("\n".join(lines) + "\n")
    found = report(run, "mse", "--pred", "u.jsonl#p", "--target", "u.jsonl#t")
    assert (found["rows"], reasons(found)) == (3, {("not-a-number", "p"): 2})
    (problem,) = found["problems"]
    assert problem["problem"] == "expected a list of 2 values, as in the rows before it"
    assert [each["value"] for each in problem["first"]] == ["[1.0, 2.0, 3.0]", "[1.0]"]


@pytest.mark.parametrize("nulls_first", [False, True])
def test_a_chunk_of_nulls_has_the_shape_of_the_lists_around_it(
    nulls_first: bool, run: Run, tmp_path: Path
) -> None:
    some = '{"x":[1.5,2],"p":"aaaaaaaaaaaaaaaaaaaa"}\n' * 40000
    none = '{"x":null,"p":"aaaaaaaaaaaaaaaaaaaa"}\n' * 60000
    (tmp_path / "b.jsonl").write_text((none if nulls_first else some) + none + some)
    done = run(
        "compute", "mse", "--pred", "b.jsonl#x", "--target", "b.jsonl#x", "--nonfinite", "skip"
    )
    assert (done.returncode, done.stderr) == (0, done.stderr)


def test_the_kind_of_a_last_line_of_nulls_is_that_of_the_lists(run: Run, tmp_path: Path) -> None:
    (tmp_path / "o.py").write_text("def f(x): return x\n")
    lines = b'{"x":["-Infinity"],"p":{"x":5}}\r\n{"x":[1],"p":[1,{"x":3}]}\r\n{"o":"a"}'
    (tmp_path / "z.jsonl").write_bytes(lines)
    done = run("compute", "./o.py", "--x", "z.jsonl#x", "--row", "sum", "--nonfinite", "skip")
    assert (done.returncode, "lengths" in done.stderr) == (0, False), done.stderr


def test_words_for_missing_labels_are_missing(run: Run, tmp_path: Path) -> None:
    rows = "".join(f'{{"p":1,"t":"{word}"}}\n' for word in ("yes", "-", "no", "?"))
    (tmp_path / "w.jsonl").write_text(rows)
    files = "--pred", "w.jsonl#p", "--target", "w.jsonl#t"
    found = report(run, "hinge", *files, "--labels", "no,yes", "--null", "-")
    assert reasons(found) == {("not-a-label", "t"): 1, ("missing", "t"): 1}


def test_values_of_partitions_are_told_of(run: Run, tmp_path: Path) -> None:
    for value in ("1", "x", "__HIVE_DEFAULT_PARTITION__"):
        (tmp_path / "d" / f"k={value}").mkdir(parents=True)
        (tmp_path / "d" / f"k={value}" / "a.csv").write_text("p\n1\n2\n")
    found = report(run, "mse", "--pred", "d#p", "--target", "d#k")
    assert reasons(found) == {("not-a-number", "k"): 2, ("missing", "k"): 2}

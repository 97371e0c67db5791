"""`losscli check` finds all that is wrong in one run, and says what would fit."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from pyarrow import feather

import losscli
from losscli.cli import main
from losscli.data.reading import ReadOptions
from losscli.engine.columns import columns
from losscli.errors import DataError
from losscli.losses import CATALOGUE
from tests.conftest import Run


def report(run: Run, *arguments: str, code: int = 3) -> Any:
    done = run("check", *arguments, "-f", "json")
    assert (done.returncode, done.stderr) == (code, "")
    return json.loads(done.stdout)


def reasons(document: Any) -> dict[tuple[str, str], int]:
    return {(p["reason"], p["column"]): p["count"] for p in document["problems"]}


def test_every_kind_of_problem_in_one_run(run: Run, tmp_path: Path) -> None:
    lines = ["id,pred,target"] + [f"{i},0.5,{i % 2}" for i in range(1, 101)]
    for row in range(10, 101, 4):
        lines[row] = f"{row},1.5,0"  # 23 of them
    lines[3], lines[4] = "3,x,0", "4, 1_000 ,0"
    lines[5], lines[6] = "5,,1", "6,NA,1"
    lines[7], lines[8] = "7,inf,2", "8,nan,-1"
    (tmp_path / "f.csv").write_text("\n".join(lines) + "\n")
    found = report(run, "binary-cross-entropy", "--data", "f.csv")
    assert reasons(found) == {
        ("not-a-number", "pred"): 2,
        ("missing", "pred"): 2,
        ("not-finite", "pred"): 2,
        ("out-of-domain", "pred"): 23,
        ("out-of-domain", "target"): 2,
    }
    by_reason = {p["reason"]: p for p in found["problems"] if p["column"] == "pred"}
    assert [f["row"] for f in by_reason["not-a-number"]["first"]] == [3, 4]
    assert [f["value"] for f in by_reason["not-a-number"]["first"]] == ["'x'", "'1_000'"]
    assert [f["row"] for f in by_reason["out-of-domain"]["first"]] == list(range(10, 47, 4))
    assert by_reason["out-of-domain"]["hint"] == "--input logits for raw scores"
    assert (found["rows"], found["ok"], by_reason["missing"]["role"]) == (100, False, "pred")


LOOKING = [
    (loss.name, library)
    for loss in CATALOGUE
    for library, form in loss.dialects.items()
    if form.decide is not None
]


@pytest.mark.parametrize(("loss", "library"), LOOKING)
def test_dialects_that_look_at_the_values(
    loss: str, library: str, run: Run, tmp_path: Path
) -> None:
    (tmp_path / "t.csv").write_text("pred,target\n3,0\nx,1\n-2,1,7\n0.5,y\n2,1\n")
    found = report(run, loss, "--data", "t.csv", "--dialect", library)
    # A score of one column does not fit some of them either, which comes last.
    rows = [(p["column"], [at["row"] for at in p["first"]]) for p in found["problems"]]
    assert rows[:3] == [("", [3]), ("pred", [2]), ("target", [4])]


@pytest.mark.parametrize("suffix", ["csv", "parquet"])
def test_problems_of_a_large_file_are_counted_over_all_blocks(
    suffix: str, run: Run, tmp_path: Path
) -> None:
    n = 200_000
    frame = pd.DataFrame({"pred": np.zeros(n), "target": np.arange(n) % 3})
    frame.loc[n - 1, "pred"] = np.inf
    frame.to_csv(tmp_path / "f.csv", index=False)
    frame.to_parquet(tmp_path / "f.parquet")
    found = report(run, "hinge", "--data", f"f.{suffix}", "--labels", "0,1")
    assert reasons(found) == {("not-a-label", "target"): n // 3, ("not-finite", "pred"): 1}
    assert found["problems"][0]["first"][0]["row"] == 3


def test_problems_of_rows_and_classes(run: Run, tmp_path: Path) -> None:
    (tmp_path / "f.csv").write_text(
        "a,b,c,target\n0.2,0.3,0.5,0\n0.5,0.5,0.5,3\n2,-1,0,1.5\n0.1,,0.9,no\n"
    )
    found = report(run, "cross-entropy", "--data", "f.csv", "--pred", "a,b,c", "--input", "probs")
    assert reasons(found) == {
        ("missing", "b"): 1,
        ("rows-do-not-sum", ""): 1,
        ("out-of-domain", ""): 1,
        ("class-out-of-range", "target"): 2,
        ("not-a-number", "target"): 1,
    }
    inputs = ("check", "cross-entropy", "--data", "f.csv", "--pred", "a,b,c")
    skipping = run(*inputs, "--nonfinite", "skip", "-f", "csv").stdout
    assert "missing" not in skipping
    assert "class-out-of-range" in skipping


def test_what_ends_the_reading_is_a_problem_too(run: Run, tmp_path: Path) -> None:
    (tmp_path / "p.csv").write_text("pred\n1\n-2\nx\n")
    (tmp_path / "t.csv").write_text("target\n1\n-2\n")
    (tmp_path / "r.csv").write_text("pred,target\n1,1\n1,2,3\n")
    found = report(run, "msle", "--pred", "p.csv", "--target", "t.csv")
    assert reasons(found) == {
        ("not-a-number", "pred"): 1,
        ("out-of-domain", "pred"): 1,
        ("out-of-domain", "target"): 1,
        ("length-mismatch", ""): 1,
    }
    assert "p.csv has 3 rows, t.csv has 2 rows" in found["problems"][-1]["problem"]
    assert reasons(report(run, "mse", "--data", "r.csv")) == {("ragged-line", ""): 1}
    assert reasons(report(run, "mse", "--data", "r.csv", "--pred", "pred,target")) == {
        ("ragged-line", ""): 1,
        ("does-not-fit", ""): 1,
    }


def test_rows_paired_by_key_are_named_in_their_own_files(run: Run, tmp_path: Path) -> None:
    (tmp_path / "p.csv").write_text("id,pred\nb,1\na,2\nc,3\n")
    (tmp_path / "t.csv").write_text("id,target\na,-1\nb,x\nc,1\n")
    found = report(run, "msle", "--pred", "p.csv", "--target", "t.csv", "--on", "id")
    assert [(p["file"], p["reason"], p["first"][0]["row"]) for p in found["problems"]] == [
        ("t.csv", "not-a-number", 2),
        ("t.csv", "out-of-domain", 1),
    ]
    (tmp_path / "t.csv").write_text("id,target\na,1\nb,2\nd,1\n")
    found = report(run, "msle", "--pred", "p.csv", "--target", "t.csv", "--on", "id")
    assert reasons(found) == {("unmatched-key", "id"): 1}
    assert [p["file"] for p in found["problems"]] == ["p.csv", "t.csv"]


def test_exit_status_and_streams(run: Run, tmp_path: Path) -> None:
    (tmp_path / "f.csv").write_text("pred,target\n0.25,0\n0.5,1\n")
    good = run("check", "mse", "--data", "f.csv")
    assert (good.returncode, good.stdout) == (0, "")
    assert good.stderr.startswith("check: nothing wrong in 2 rows for mse\n")
    assert report(run, "mse", "--data", "f.csv", code=0)["ok"] is True
    bad = run("check", "hinge", "--data", "f.csv")
    assert bad.returncode == 3
    assert bad.stdout.splitlines()[1].startswith("not-a-label\ttarget\tf.csv\ttarget\t1\t1\t2\t0\t")
    assert "hint: hinge --labels 0,1 would fit\n" in bad.stderr
    assert run("check", "mse", "--data", "none.csv").returncode == 4
    assert run("check").returncode == 2


def test_counts_that_are_not_whole(run: Run, tmp_path: Path) -> None:
    """A rate with its exposure as weight is none, so that it is said, and nothing refused."""
    for target, said in (("1,2,0", []), ("1,2.5,0", ["'target':"])):
        lines = [f"1,{each}\n" for each in target.split(",")]
        (tmp_path / "f.csv").write_text("pred,target\n" + "".join(lines))
        for loss, counts in (("poisson-nll", True), ("poisson-deviance", True),
                             ("tweedie-nll", False), ("msle", False)):  # fmt: skip
            done = run("check", loss, "--data", "f.csv", "-f", "json")
            warnings = json.loads(done.stdout)["warnings"]
            assert done.returncode == 0
            assert [each.split()[2] for each in warnings] == (said if counts else [])
    assert run("compute", "poisson-nll", "--data", "f.csv").returncode == 0
    told = run("check", "poisson-nll", "--data", "f.csv").stderr
    assert (
        "warning: f.csv, column 'target': 1 not whole, where poisson-nll takes counts: 2.5 (row 2, "
        "line 3); right for rates whose --weight is their exposure"
    ) in told


@pytest.mark.parametrize(
    ("pred", "target", "fit", "unfit"),
    [
        ("0.2,0.9,0", "0,1,1", {"binary-cross-entropy", "hinge --labels 0,1"}, {"hinge"}),
        ("1.5,-2,0", "-1,1,1", {"hinge", "soft-margin"}, {"binary-cross-entropy", "msle"}),
        ("1.5,2,1", "1,4,2", {"msle", "poisson-nll", "mse"}, {"hinge"}),
    ],
)
def test_losses_that_would_fit(
    pred: str, target: str, fit: set[str], unfit: set[str], run: Run, tmp_path: Path
) -> None:
    rows = "".join(f"{p},{t}\n" for p, t in zip(pred.split(","), target.split(","), strict=True))
    (tmp_path / "f.csv").write_text("pred,target\n" + rows)
    found = report(run, "mse", "--data", "f.csv", code=0)
    fits = {f"{f['loss']} {f['options']}".strip() for f in found["fits"]}
    assert fit <= fits
    assert not unfit & fits


def test_what_fits_can_be_computed(run: Run, tmp_path: Path) -> None:
    """Whatever is said to fit computes; no other loss of these inputs does."""
    frame = pd.DataFrame({"pred": [0.2, 0.9, 0.4], "target": [0.0, 1.0, 1.0]})
    frame.to_csv(tmp_path / "f.csv", index=False)
    fits = report(run, "mse", "--data", "f.csv", code=0)["fits"]
    for fit in fits:
        words = iter(fit["options"].split())
        options: Any = {word.lstrip("-").replace("-", "_"): next(words) for word in words}
        assert losscli.compute(fit["loss"], data=frame, **options).n > 0
    for loss in CATALOGUE:
        if set(loss.roles) == {"pred", "target"} and loss.name not in {f["loss"] for f in fits}:
            with pytest.raises(DataError):
                losscli.compute(loss.name, data=frame)


@pytest.mark.parametrize("suffix", ["jsonl", "parquet"])
def test_what_fills_lists_up_is_not_what_they_hold(suffix: str, run: Run, tmp_path: Path) -> None:
    """Nor are rows of one block as long as those of another."""
    labels = [[1, 2]] * 20_000 + [[2], [1, 2, 1]]
    table = pa.table({"pred": [[[5.0, 6.0, 7.0]] * (3 + len(y)) for y in labels], "target": labels})
    if suffix == "parquet":
        pq.write_table(table, tmp_path / "c.parquet")
    else:
        lines = "".join(json.dumps(row) + "\n" for row in table.to_pylist())
        (tmp_path / "c.jsonl").write_text(lines)
    found = report(run, "ctc", "--data", f"c.{suffix}", code=0)
    assert found["rows"] == 20_002
    assert found["holds"] == {"pred": "whole numbers from 5 to 7", "target": "1 or 2"}
    assert found["fits"] == [{"loss": "ctc", "options": ""}]


def test_frames_past_the_end_are_not_looked_at(run: Run, tmp_path: Path) -> None:
    pred = np.tile([5.0, 6.0, 7.0], (2, 4, 1))
    pred[1, 2:] = [[np.nan] * 3, [-100.0] * 3]
    arrays: dict[str, Any] = {"pred": pred, "target": [[1, -1], [2, -1]], "input_lengths": [4, 2]}
    np.savez(tmp_path / "c.npz", **arrays)
    roles = ("--data", "c.npz", "--input-lengths", "input_lengths")
    assert report(run, "ctc", *roles, code=0)["holds"] == {
        "pred": "whole numbers from 5 to 7",
        "target": "whole numbers from -1 to 2",
        "input_lengths": "2 or 4",
    }


def test_the_columns_of_a_file(run: Run, tmp_path: Path) -> None:
    (tmp_path / "f.csv").write_text("id,y,p,w\na,0,0.25,1\nb,1,,2\nc,1,nan,7\nd,0,1,3\n")
    done = run("check", "--data", "f.csv", "-f", "json")
    assert [tuple(c.values()) for c in json.loads(done.stdout)] == [
        ("id", "text: 'a', 'b', 'c', 'd'", 4, 0, 0, 4),
        ("y", "0 or 1", 4, 0, 0, 0),
        ("p", "numbers from 0.25 to 1", 4, 1, 1, 0),
        ("w", "whole numbers from 1 to 7", 4, 0, 0, 0),
    ]


def test_missing_values_apart_from_those_that_are_not_finite() -> None:
    import pyarrow as pa

    table = pa.table({"pred": [1.0, None, float("nan"), 2.0], "target": [0.0, 0.0, 0.0, 0.0]})
    with pytest.raises(DataError, match="row 3: got nan"):
        losscli.compute("mse", data=table, missing="skip")
    with pytest.raises(DataError, match="row 2: missing"):
        losscli.compute("mse", data=table, missing="error", nonfinite="skip")
    with pytest.raises(DataError, match="row 2: missing"):
        losscli.compute("mse", data=table, missing="error", nonfinite="keep")
    found = losscli.compute("mse", data=table, missing="skip", nonfinite="keep")
    assert (found.skipped, found.n, np.isnan(found.value)) == (1, 3, True)
    both = losscli.compute("mse", data=table, missing="skip", nonfinite="skip")
    assert (both.value, both.skipped) == (2.5, 2)
    assert "|missing:skip|" in both.signature


#: columns of typed formats, right and wrong: what compute makes of them, check has to say
COLUMNS: dict[str, list[Any]] = {
    "numbers": [1, 1, -1],
    "text": ["1", "1", "1"],
    "text among numbers": [1, "1", -1],
    "true": [True, True, False],
    "true among numbers": [1, True, 0],
    "null": [1, None, 1],
    "words": ["a", "1", "1"],
    "lists": [[1], [1], [1]],
    "a list among numbers": [1, [1], 1],
    "an object among numbers": [{"a": 1}, 1, 1],
}


@pytest.mark.parametrize("options", ["mse", "hinge", "hinge --labels 0,1", "hinge --labels -1,1",
                                     "hinge --labels a,1"])  # fmt: skip
@pytest.mark.parametrize("kind", ["jsonl", "parquet", "arrow"])
@pytest.mark.parametrize("column", COLUMNS)
def test_check_and_compute_agree(column: str, kind: str, options: str, tmp_path: Path) -> None:
    path = tmp_path / f"d.{kind}"
    values = COLUMNS[column]
    if kind == "jsonl":
        lines = (json.dumps({"pred": 0.5, "target": value}) for value in values)
        path.write_text("".join(f"{line}\n" for line in lines))
    else:
        try:
            table = pa.table({"pred": [0.5] * 3, "target": pa.array(values)})
        except (pa.ArrowException, TypeError):
            return  # no column of these formats holds values of several types
        write = pq.write_table if kind == "parquet" else feather.write_feather
        write(table, path)
    words = [*options.split(), "--data", str(path)]
    codes = [main([command, *words, "-f", "json"]) for command in ("check", "compute")]
    assert codes[0] == codes[1]


def test_text_that_looks_like_a_number_is_counted(run: Run) -> None:
    lines = '{"pred":1,"target":1}\n{"pred":"2","target":1}\n{"pred":3,"target":true}\n'
    done = run("check", "mse", "--data", "-", "-f", "json", input=lines)
    assert done.returncode == 3
    found = [
        (p["role"], p["count"], p["first"][0]["row"]) for p in json.loads(done.stdout)["problems"]
    ]
    assert found == [("pred", 1, 2), ("target", 1, 3)]


@pytest.mark.parametrize("suffix", ["parquet", "feather"])
def test_a_file_without_columns(suffix: str, run: Run, tmp_path: Path) -> None:
    write = pq.write_table if suffix == "parquet" else feather.write_feather
    write(pa.table({}), tmp_path / f"p.{suffix}")
    for arguments in (
        ("check", "--data", f"p.{suffix}"),
        ("compute", "mse", "--pred", f"p.{suffix}", "--target", f"p.{suffix}"),
    ):
        done = run(*arguments)
        assert (done.returncode, done.stderr) == (3, f"error: p.{suffix}: no columns\n")


@pytest.mark.parametrize(
    ("lists", "holds", "missing", "words"),
    [
        ([[]], "lists without values: []", 0, 1),
        ([None, []], "lists without values: []", 1, 1),
        ([None, None], "no finite values", 2, 0),
        ([None, [1, 2], [None, 2], [1], []], "1 or 2, and lists of other lengths: [], [1.0]", 3, 2),
    ],
)
@pytest.mark.parametrize("suffix", ["parquet", "jsonl"])
def test_columns_of_lists_without_values(
    lists: list[Any], holds: str, missing: int, words: int, suffix: str, tmp_path: Path
) -> None:
    """A missing list of a known length is as many missing values."""
    path = tmp_path / f"p.{suffix}"
    if suffix == "parquet":
        table: Any = pa.table({"a": pa.array(lists, pa.list_(pa.float64()))})
        pq.write_table(table, path)
    else:
        path.write_text("".join(f'{{"a": {json.dumps(each)}, "b": 1}}\n' for each in lists))
    (column, *_) = columns(str(path), ReadOptions())
    assert column == ("a", holds, len(lists), missing, 0, words)


def test_columns_of_other_types_are_described(run: Run, tmp_path: Path) -> None:
    times = pa.array([None, 2], pa.timestamp("s"))
    table: Any = pa.table({"a": [1.0, 2.0], "when": times, "b": [[b"x"], [b"y"]]})
    pq.write_table(table, tmp_path / "p.parquet")
    assert columns(str(tmp_path / "p.parquet"), ReadOptions()) == [
        ("a", "1 or 2", 2, 0, 0, 0),
        ("when", "timestamp[ms]", 2, 1, 0, 1),
        ("b", "list<element: binary>", 2, 0, 0, 2),
    ]
    (problem, missing) = report(
        run, "mse", "--data", "p.parquet", "--pred", "when", "--target", "a"
    )["problems"]
    assert problem["problem"] == "expected numbers, not timestamp[ms]"
    assert [problem[k] for k in ("reason", "role", "file", "column", "count")] == [
        "not-a-number", "pred", "p.parquet", "when", 1,
    ]  # fmt: skip
    assert [found["row"] for found in problem["first"]] == [2]
    assert missing["reason"] == "missing"


@pytest.mark.parametrize("suffix", ["parquet", "feather", "npz"])
@pytest.mark.parametrize("dtype", ["f2", "f4", "f8", "i1", "i2", "i4", "i8", "u1", "u8", "?"])
def test_columns_of_every_type_of_numbers(dtype: str, suffix: str, tmp_path: Path) -> None:
    path, values = str(tmp_path / f"p.{suffix}"), np.array([0, 1, 1], dtype)
    if suffix == "npz":
        np.savez(path, a=values)
    else:
        (pq.write_table if suffix == "parquet" else feather.write_feather)(
            pa.table({"a": values}), path
        )
    assert columns(path, ReadOptions()) == [("a", "0 or 1", 3, 0, 0, 0)]


def test_arrays_that_do_not_go_together_are_described(tmp_path: Path) -> None:
    np.savez(tmp_path / "p.npz", a=np.ones(2), b=np.zeros((3, 2)), s=3.0, c=np.ones(2) * 1j)
    assert columns(str(tmp_path / "p.npz"), ReadOptions()) == [
        ("a", "1", 2, 0, 0, 0),
        ("b", "0", 3, 0, 0, 0),
        ("s", "a single value, expected an array with one entry a row", 0, 0, 0, 0),
        ("c", "the array holds complex128, expected real numbers", 0, 0, 0, 0),
    ]


def test_two_columns_of_one_name_are_not_described(tmp_path: Path) -> None:
    (tmp_path / "k=1").mkdir()
    pq.write_table(pa.table({"a": [1.0], "k": [7]}), tmp_path / "k=1" / "p.parquet")
    with pytest.raises(DataError, match="2 columns are called 'k'"):
        columns(str(tmp_path), ReadOptions())


def test_lists_after_files_of_null_are_named(tmp_path: Path) -> None:
    tables: Any = pa.table({"a": pa.nulls(2)}), pa.table({"a": [None, [1.0, 2.0]]})
    for i, table in enumerate(tables):
        pq.write_table(table, tmp_path / f"{i}.parquet")
    message = r"1\.parquet, column 'a', row 2: a list of 2 values, expected a single value"
    with pytest.raises(DataError, match=message):
        losscli.compute("mae", data=tmp_path, pred="a", target="a", nonfinite="keep")


def test_lists_that_are_all_missing_name_their_file(tmp_path: Path) -> None:
    table: Any = pa.table({"a": pa.array([None, None], pa.list_(pa.float64())), "b": [1, 2]})
    pq.write_table(table, tmp_path / "p.parquet")
    for policy in ("error", "skip", "keep"):
        with pytest.raises(DataError, match=r"p\.parquet, column 'a': all lists are missing"):
            losscli.compute(
                "mse", data=tmp_path / "p.parquet", pred="a", target="a", nonfinite=policy
            )


@pytest.mark.parametrize(
    ("weights", "reason", "said"),
    [
        ("1\n2\n3\n", "does-not-fit", "--class-weight w.csv has 3 numbers, pred has 2 classes"),
        ("1\n-2\n", "not-a-number", "w.csv, column '1', row 2: got -2, expected a number that is"),
    ],
)
def test_class_weights_of_a_file(
    weights: str, reason: str, said: str, run: Run, tmp_path: Path
) -> None:
    (tmp_path / "w.csv").write_text(weights)
    (tmp_path / "c.csv").write_text("a,b,target\n1,2,1\n1,2,0\n")
    inputs = ["cross-entropy", "--data", "c.csv", "--pred", "a,b", "--class-weight", "w.csv"]
    (problem,) = report(run, *inputs)["problems"]
    assert problem["reason"] == reason
    assert problem["problem"].removeprefix("'").startswith(said)


def test_roles_are_named_where_the_inputs_do_not_open(run: Run, tmp_path: Path) -> None:
    (tmp_path / "t.jsonl").write_text('{"a":[1,2],"b":1,"t":0}\n{"a":3,"b":"x","t":0}\n')
    inputs = ["--data", "t.jsonl", "--pred", "a,b", "--target", "t"]
    found = report(run, "cross-entropy", *inputs)["problems"]
    assert [(p["role"], p["column"]) for p in found][:2] == [("pred", "a"), ("pred", "b")]


def test_a_value_that_cannot_be_read_hides_no_other(run: Run, tmp_path: Path) -> None:
    """No option leaves a row out for a word, so the other columns of its row count."""
    (tmp_path / "t.csv").write_text("pred,target\nx,2\n0.5,1\n,3\n")
    found = report(run, "binary-cross-entropy", "--data", "t.csv", "--nonfinite", "skip")
    assert reasons(found) == {("not-a-number", "pred"): 1, ("out-of-domain", "target"): 1}
    assert (found["rows"], found["skipped"]) == (3, 1)


def suggested(found: Any) -> dict[str, str]:
    return {fit["loss"]: fit["options"] for fit in found["fits"]}


def test_what_is_suggested_of_matrices_holds(run: Run, tmp_path: Path) -> None:
    target = [[-1, -1, -1], [1, 1, 1], [1, 0, -1], [0, 1, 0]]
    np.savez(tmp_path / "p.npz", pred=np.ones((4, 3)), target=target)
    assert "hinge" not in suggested(report(run, "mse", "--data", "p.npz", code=0))
    boxes = np.array([[0, 0, 9, 9], [1, 1, 2, 2], [3, 3, 2, 4], [5, 5, 6, 6]])
    np.savez(tmp_path / "b.npz", pred=boxes, target=boxes[[0, 1, 0, 1]])
    assert "giou" not in suggested(report(run, "mse", "--data", "b.npz", code=0))
    np.savez(tmp_path / "c.npz", pred=boxes[[0, 1]], target=boxes[[1, 3]])
    assert "giou" in suggested(report(run, "mse", "--data", "c.npz", code=0))


def test_what_is_suggested_of_labels_maps_them(run: Run, tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text("pred,target\n1,0\n2,1\n")
    found = suggested(report(run, "hinge", "--data", "t.csv", "--labels", "0,1", code=0))
    assert found["squared-hinge"] == "--labels 0,1"
    assert "mse" not in found
    for loss, options in found.items():
        assert run("compute", loss, "--data", "t.csv", *options.split()).returncode == 0

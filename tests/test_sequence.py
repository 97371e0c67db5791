"""ctc: lists and frames out of files, lengths, and small cases counted by hand."""

import itertools
import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import losscli
from losscli.data import inputs as data_inputs
from losscli.errors import DataError
from tests.conftest import Run

LISTS = [[1], [2, 3, 1], [], [3, 3], [1, 2]]


def padded(lists: list[list[int]], width: int, fill: int) -> Any:
    return np.array([x + [fill] * (width - len(x)) for x in lists], dtype=float)


@pytest.fixture
def pred() -> Any:
    return np.random.default_rng(4).normal(size=(5, 6, 4))


def by_definition(pred: Any, labels: list[int], blank: int = 0) -> float:
    """Minus the logarithm of the probabilities of all paths that say the labels, one by one."""
    p = np.exp(pred) / np.exp(pred).sum(axis=1, keepdims=True)
    total = 0.0
    for path in itertools.product(range(p.shape[1]), repeat=len(p)):
        if [c for c, _ in itertools.groupby(path) if c != blank] == labels:
            total += math.prod(p[t, c] for t, c in enumerate(path))
    return -math.log(total)


def test_every_path_counts(pred: Any) -> None:
    expected = [by_definition(x, y) for x, y in zip(pred, LISTS, strict=True)]
    for fill in (0, -1):
        rows = losscli.compute("ctc", pred=pred, target=padded(LISTS, 4, fill), per_sample=True)
        np.testing.assert_allclose(rows.per_sample, expected, rtol=1e-13)
    last = [by_definition(x, [c - 1 for c in y], blank=3) for x, y in zip(pred, LISTS, strict=True)]
    target = padded([[c - 1 for c in y] for y in LISTS], 3, 3)
    rows = losscli.compute("ctc", pred=pred, target=target, blank=3, per_sample=True)
    np.testing.assert_allclose(rows.per_sample, last, rtol=1e-13)


def test_lengths(pred: Any) -> None:
    frames, labels = [3, 6, 5, 4, 6], [1, 2, 0, 1, 0]
    expected = [
        by_definition(x[:t], y[:k]) for x, y, t, k in zip(pred, LISTS, frames, labels, strict=True)
    ]
    result = losscli.compute(
        "ctc",
        pred=pred,
        target=padded(LISTS, 3, 1),
        input_lengths=frames,
        target_lengths=labels,
        reduction=["none", "mean-per-label"],
    )
    np.testing.assert_allclose(result.per_sample, expected, rtol=1e-13)
    # No labels count as one, as in torch.
    assert result.value == pytest.approx(np.mean(np.array(expected) / [1, 2, 1, 1, 1]), rel=1e-13)


def test_values_that_do_not_fit(pred: Any) -> None:
    target = padded(LISTS, 3, -1)
    cases: list[tuple[str, dict[str, Any]]] = [
        ("input_lengths, row 2: got 7, expected a whole number from 0 to 6", {"input_lengths": 7}),
        ("target_lengths, row 2: got 4, expected a whole", {"target_lengths": 4}),
        ("target_lengths, row 2: got 1.5, expected a whole", {"target_lengths": 1.5}),
    ]
    for message, wrong in cases:
        lengths = {name: np.array([1.0, value, 1, 1, 1]) for name, value in wrong.items()}
        with pytest.raises(DataError, match=message):
            losscli.compute("ctc", pred=pred, target=target, **lengths)
    with pytest.raises(DataError, match="target, row 2: element 2: got 4, expected a class index"):
        losscli.compute("ctc", pred=pred, target=np.where(target == 3, 4, target))
    with pytest.raises(DataError, match="--blank is 4, pred has classes 0 to 3"):
        losscli.compute("ctc", pred=pred, target=target, blank=4)


def test_one_label_may_be_a_column(pred: Any) -> None:
    expected = losscli.compute("ctc", pred=pred, target=np.ones((5, 2)), target_lengths=[1] * 5)
    assert losscli.compute("ctc", pred=pred, target=np.ones(5)).value == expected.value


def test_impossible_rows() -> None:
    pred, target = np.zeros((2, 2, 3)), np.array([[1, 1], [1, 2]])
    result = losscli.compute("ctc", pred=pred, target=target, per_sample=True)
    assert result.per_sample.tolist() == [math.inf, pytest.approx(math.log(9))]
    assert result.warnings == ["the loss of row 1 is inf"]
    result = losscli.compute("ctc", pred=pred, target=target, zero_infinity=True, per_sample=True)
    assert result.per_sample.tolist() == [0.0, pytest.approx(math.log(9))]


FRAMES = [
    pa.list_(pa.list_(pa.float64())),
    pa.list_(pa.list_(pa.float64(), 4), 6),
    pa.large_list(pa.list_(pa.float64(), 4)),
]


@pytest.mark.parametrize("frames", FRAMES, ids=str)
def test_lists_out_of_files(run: Run, tmp_path: Path, pred: Any, frames: Any) -> None:
    table = pa.table(
        {"p": pa.array(pred.tolist(), frames), "y": pa.array(LISTS, pa.list_(pa.int8()))}
    )
    pq.write_table(table, tmp_path / "s.parquet")
    expected = losscli.compute("ctc", pred=pred, target=padded(LISTS, 3, -1)).value
    done = run(
        "compute", "ctc", "--data", "s.parquet", "--pred", "p", "--target", "y", "-f", "value"
    )
    assert (done.stdout, done.stderr) == (f"{expected}\n", "")
    assert losscli.compute("ctc", data=table, pred="p", target="y").value == expected
    assert losscli.compute("ctc", data=table.to_pandas(), pred="p", target="y").value == expected
    assert losscli.compute("ctc", pred=pred.tolist(), target=LISTS).value == expected


@pytest.mark.parametrize("kind", [pa.int8(), pa.int64(), pa.uint16(), pa.float32()], ids=str)
def test_lists_of_any_type_may_grow_from_file_to_file(tmp_path: Path, kind: Any) -> None:
    """So may their labels, which end before the first −1: no type of the file has to hold it."""
    frames = [[[0, 0, 1], [0, 0, 0]], [[0, 2, 0], [1, 0, 0], [0, 2, 1]]]
    labels = [[1], [1, 2]]
    for i, (pred, target) in enumerate(zip(frames, labels, strict=True)):
        columns: dict[str, Any] = {
            "pred": pa.array([pred], pa.list_(pa.list_(kind))),
            "target": pa.array([target], pa.list_(kind)),
        }
        pq.write_table(pa.table(columns), tmp_path / f"{i}.parquet")
    found = losscli.compute("ctc", data=tmp_path, per_sample=True).per_sample
    expected = [by_definition(np.array(p), y) for p, y in zip(frames, labels, strict=True)]
    np.testing.assert_allclose(found, expected, rtol=1e-13)


@pytest.mark.parametrize("block", [1, 7, 64, 1000])
@pytest.mark.parametrize("group", [1, 13, 500])
def test_lists_may_grow_from_block_to_block(
    tmp_path: Path, block: int, group: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    rng = np.random.default_rng(3)
    lists = [rng.integers(1, 4, min(5, 1 + i // 40)).tolist() for i in range(300)]
    pred = rng.normal(size=(300, 12, 4))
    expected = losscli.compute("ctc", pred=pred, target=padded(lists, 5, -1), per_sample=True)
    table = pa.table({"p": pred.tolist(), "y": lists})
    pq.write_table(table, tmp_path / "s.parquet", row_group_size=group)
    monkeypatch.setattr(data_inputs, "block_rows", lambda width: block)
    result = losscli.compute(
        "ctc", data=tmp_path / "s.parquet", pred="p", target="y", per_sample=True
    )
    np.testing.assert_array_equal(result.per_sample, expected.per_sample)


def test_missing_lists_and_numbers(tmp_path: Path, pred: Any) -> None:
    kinds = {"p": pa.list_(pa.list_(pa.float64())), "y": pa.list_(pa.int64())}
    path = tmp_path / "s.parquet"

    def write(**columns: Any) -> None:
        pq.write_table(pa.table({k: pa.array(v, kinds[k]) for k, v in columns.items()}), path)

    write(p=pred.tolist(), y=[[1], None, [2], [1], [3]])
    with pytest.raises(
        DataError, match="column 'y', row 2: element 1: missing, expected a class index"
    ):
        losscli.compute("ctc", data=path, pred="p", target="y")
    result = losscli.compute("ctc", data=path, pred="p", target="y", nonfinite="skip")
    rest = losscli.compute("ctc", pred=np.delete(pred, 1, 0), target=[[1], [2], [1], [3]])
    assert (result.skipped, result.value) == (1, rest.value)
    write(p=pred.tolist(), y=[[1], [2], [2, None], [1], [3]])
    with pytest.raises(DataError, match="column 'y', row 3: element 2: missing"):
        losscli.compute("ctc", data=path, pred="p", target="y")
    frames = pred.tolist()
    frames[3] = [*frames[3][:5], [1.0]]
    write(p=frames, y=LISTS)
    with pytest.raises(
        DataError, match=r"column 'p', row 4: .*a list of 1 value, expected a list of 4"
    ):
        losscli.compute("ctc", data=path, pred="p", target="y")
    write(p=[None, *pred[1:].tolist()], y=LISTS)
    with pytest.raises(DataError, match="column 'p', row 1: element 1, 1: missing"):
        losscli.compute("ctc", data=path, pred="p", target="y")


@pytest.fixture(scope="module")
def ragged() -> dict[str, Any]:
    """Sequences of 1 to 11 frames and of 0 to 4 labels, as lists."""
    rng = np.random.default_rng(11)
    frames = rng.integers(1, 12, 400)
    labels = [rng.integers(0, min(4, t // 2) + 1) for t in frames]
    return {
        "pred": [rng.normal(size=(t, 5)).tolist() for t in frames],
        "target": [rng.integers(1, 5, count).tolist() for count in labels],
    }


@pytest.fixture(scope="module")
def one_by_one(ragged: dict[str, Any]) -> Any:
    """The losses of sequences that have nothing beside them to be filled up for."""
    return [
        losscli.compute("ctc", pred=[pred], target=pa.array([target], pa.list_(pa.int64()))).value
        for pred, target in zip(*ragged.values(), strict=True)
    ]


@pytest.mark.parametrize("suffix", ["lists", "jsonl", "parquet-400", "parquet-7", "arrow"])
def test_frames_of_any_number(
    suffix: str, ragged: dict[str, Any], one_by_one: Any, tmp_path: Path
) -> None:
    table, (suffix, _, group) = pa.table(ragged), suffix.partition("-")
    path = tmp_path / f"s.{suffix}"
    given: dict[str, Any] = {"data": path}
    if suffix == "lists":
        given = ragged
    elif suffix == "jsonl":
        path.write_text("".join(json.dumps(row) + "\n" for row in table.to_pylist()))
    elif suffix == "arrow":
        with pa.OSFile(str(path), "wb") as file, pa.ipc.new_file(file, table.schema) as out:
            out.write_table(table, max_chunksize=90)
    else:
        pq.write_table(table, path, row_group_size=int(group))
    result = losscli.compute("ctc", per_sample=True, **given)
    np.testing.assert_array_equal(result.per_sample, one_by_one)
    assert result.value == losscli.compute("ctc", **ragged).value


@pytest.mark.parametrize("memory", [None, "2M"])
def test_frames_of_any_number_are_paired_by_key(
    memory: str | None, ragged: dict[str, Any], one_by_one: Any, tmp_path: Path
) -> None:
    order = np.random.default_rng(1).permutation(400)
    pq.write_table(pa.table({"id": np.arange(400), "pred": ragged["pred"]}), tmp_path / "p.parquet")
    labels = [ragged["target"][i] for i in order]
    pq.write_table(pa.table({"id": order, "target": labels}), tmp_path / "t.parquet")
    result = losscli.compute(
        "ctc", pred=f"{tmp_path}/p.parquet#pred", target=f"{tmp_path}/t.parquet#target", on="id",
        per_sample=True, max_memory=memory,
    )  # fmt: skip
    np.testing.assert_array_equal(result.per_sample, one_by_one)


@pytest.mark.parametrize("form", ["logits", "log-probs"])
def test_what_comes_after_the_last_frame_is_of_no_account(
    form: Any, ragged: dict[str, Any], one_by_one: Any
) -> None:
    """An array that is filled up with anything, and the numbers of frames that count."""
    frames = [np.array(p) for p in ragged["pred"]]
    pred = np.full((400, 12, 5), np.nan)
    pred[::2] = 0.0
    for row, x in zip(pred, frames, strict=True):
        row[: len(x)] = x if form == "logits" else x - np.logaddexp.reduce(x, 1, keepdims=True)
    result = losscli.compute(
        "ctc", pred=pred, target=ragged["target"], input_lengths=[len(x) for x in frames],
        input=form, per_sample=True,
    )  # fmt: skip
    np.testing.assert_allclose(result.per_sample, one_by_one, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize(
    ("pred", "lengths", "message"),
    [
        (
            [[[1, 2], [3, 4]], [[1, 2, 3]]],
            None,
            "row 2: element 1: a list of 3 values, expected a list of 2",
        ),
        ([[[1, 2], [3, 4]], None], None, "row 2: element 1, 1: missing"),
        ([None, [[1, 2], [3, 4]]], None, "row 1: element 1, 1: missing"),
        ([[[1, 2], [3, 4]], [[1, None]]], None, "row 2: element 1, 2: missing"),
        ([[[1, 2], [3, 4]], [[1, 2]]], [2, 2], "row 2: element 2, 1: got nan"),
        ([[[1, 2], [3, 4]], [[1, 2]]], [3, 1], "got 3, expected a whole number from 0 to 2"),
    ],
)
def test_frames_that_are_none(pred: Any, lengths: Any, message: str) -> None:
    with pytest.raises(DataError, match=message):
        losscli.compute("ctc", pred=pred, target=[[1], [1]], input_lengths=lengths)


def test_check_goes_on_after_frames_that_are_none(run: Run, tmp_path: Path) -> None:
    frames = [[[1, 2], [3, 4]], [[1, 2]], [[1, 2, 3]], [[1, None], [2, 2]], [[1, 2]]]
    pq.write_table(
        pa.table({"pred": frames, "target": [[1], [], [1], [1], [5]]}), tmp_path / "s.parquet"
    )
    done = run("check", "ctc", "--data", "s.parquet", "-f", "json")
    problems = json.loads(done.stdout)["problems"]
    assert [(p["reason"], [at["row"] for at in p["first"]]) for p in problems] == [
        ("not-a-number", [3]), ("missing", [4]), ("class-out-of-range", [5]),
    ]  # fmt: skip

"""The same bits from any number of threads and any layout of the files, and the same errors."""

import contextlib
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import losscli
from losscli.data import block
from losscli.data import spans as spans_module
from losscli.data.ahead import each_ahead
from losscli.data.files import open_source
from losscli.data.inputs import InputOptions, Inputs
from losscli.data.reading import ReadOptions
from losscli.data.references import Reference
from losscli.data.source import Span, Wanted
from losscli.data.spans import spans
from losscli.errors import DataError

BLOCK = 64


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Blocks and spans of few rows, so that small files have many."""
    monkeypatch.setattr(block, "BLOCK_ROWS", BLOCK)
    monkeypatch.setattr(spans_module, "SPAN_VALUES", 2 * BLOCK)


def saved(folder: Path, name: str, values: Any, kind: str, group: int) -> str:
    path = folder / f"{name}.{kind}"
    table = pa.table({name: values})
    if kind == "parquet":
        pq.write_table(table, path, row_group_size=group)
    elif kind == "arrow":
        with pa.OSFile(str(path), "wb") as out, pa.ipc.new_file(out, table.schema) as writer:
            writer.write_table(table, group)
    elif kind == "npy":
        np.save(path, values)
    else:
        pyarrow.csv.write_csv(table, path)
    return str(path)


@settings(
    deadline=None, max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    rows=st.integers(1, 2000),
    kinds=st.tuples(*[st.sampled_from(["parquet", "arrow", "npy", "csv"])] * 2),
    groups=st.tuples(*[st.integers(1, 700)] * 2),
    threads=st.integers(1, 4),
    seed=st.integers(0, 1000),
)
@pytest.mark.usefixtures("small")
def test_layout_and_threads_do_not_show(
    tmp_path_factory: pytest.TempPathFactory,
    rows: int,
    kinds: tuple[str, str],
    groups: tuple[int, int],
    threads: int,
    seed: int,
) -> None:
    folder = tmp_path_factory.mktemp("layout")
    rng = np.random.default_rng(seed)
    # Magnitudes far apart, so that sums in another order have other bits.
    pred = rng.normal(size=rows) * 10.0 ** rng.integers(-12, 12, rows)
    target, weight = rng.normal(size=rows), rng.random(rows)
    files = [
        saved(folder, name, values, kind, group)
        for name, values, kind, group in zip(
            ("pred", "target"), (pred, target), kinds, groups, strict=True
        )
    ]
    expected = losscli.compute(
        "huber", pred=pred, target=target, weight=weight, reduction=["mean", "sum"], threads=1
    )
    found = losscli.compute(
        "huber",
        pred=files[0],
        target=files[1],
        weight=weight,
        reduction=["mean", "sum"],
        threads=threads,
        per_sample=True,
    )
    assert [v.value for v in found.values] == [v.value for v in expected.values]
    np.testing.assert_array_equal(found.per_sample, expected.per_sample)


@pytest.mark.usefixtures("small")
@pytest.mark.parametrize("threads", [1, 2, 5])
def test_groups_come_in_the_order_of_rows(tmp_path: Path, threads: int) -> None:
    rng = np.random.default_rng(0)
    rows = 1500
    image = np.sort(rng.integers(0, 40, rows))
    table = pa.table({"pred": rng.random(rows), "target": rng.integers(0, 2, rows), "image": image})
    pq.write_table(table, tmp_path / "d.parquet", row_group_size=200)
    options: dict[str, Any] = {"data": str(tmp_path / "d.parquet"), "by": "image"}
    found = losscli.compute("dice", **options, per_sample=True, threads=threads)
    alone = losscli.compute("dice", **options, per_sample=True, threads=1)
    assert found.value == alone.value
    np.testing.assert_array_equal(found.per_sample, alone.per_sample)


@pytest.mark.usefixtures("small")
def test_the_first_bad_row_is_named_whoever_finds_one_first(tmp_path: Path) -> None:
    pred = np.zeros(4000)
    pred[[777, 2000, 3999]] = np.nan
    path = saved(tmp_path, "pred", pred, "parquet", 256)
    for threads in (1, 2, 4):
        with pytest.raises(DataError, match="row 778: got nan"):
            losscli.compute("mse", pred=path, target=np.zeros(4000), threads=threads)


@pytest.mark.usefixtures("small")
def test_the_first_loss_that_is_not_finite_is_named(tmp_path: Path) -> None:
    pred = np.zeros(4000)
    pred[[777, 2000, 3999]] = np.inf
    path = saved(tmp_path, "pred", pred, "parquet", 256)
    for threads in (1, 3):
        result = losscli.compute(
            "mse", pred=path, target=np.zeros(4000), threads=threads, nonfinite="keep"
        )
        assert result.warnings == ["the loss of row 778 is inf"]


def test_batches_begin_with_their_span(tmp_path: Path) -> None:
    """Wherever the row groups do, so that no block is joined of two."""
    x = np.arange(400_000.0)
    path = saved(tmp_path, "x", x, "parquet", 100_000)
    source = open_source(Reference(path), ReadOptions())
    assert list(source.starts) == [0, 100_000, 200_000, 300_000]
    for start in (0, 131_072, 262_144):
        span = Span(start, min(len(x), start + 131_072))
        (piece,) = source.between([Wanted("x")], span)
        assert piece[0].array.tolist() == x[span.start : span.stop].tolist()
    source.close()


def _spans_of(paths: list[str], **options: Any) -> list[tuple[int, int]]:
    loss = losscli.get_loss("mse")
    given = {"pred": paths[0], "target": paths[1]}
    with contextlib.closing(Inputs(loss, given, {}, InputOptions())) as opened:
        return [tuple(span) for span in opened.spans(**options)]


@pytest.mark.usefixtures("small")
class TestSpans:
    """Spans begin where reading can begin, on whole blocks."""

    def test_row_groups_of_whole_blocks(self, tmp_path: Path) -> None:
        paths = [saved(tmp_path, n, np.zeros(1000), "parquet", 256) for n in ("pred", "target")]
        assert _spans_of(paths) == [(0, 256), (256, 512), (512, 768), (768, 1000)]

    def test_ragged_row_groups(self, tmp_path: Path) -> None:
        paths = [saved(tmp_path, n, np.zeros(1000), "parquet", 250) for n in ("pred", "target")]
        # 250, 500 and 750 are rounded up to whole blocks of 64.
        assert _spans_of(paths) == [(0, 256), (256, 512), (512, 768), (768, 1000)]

    def test_tiny_row_groups_are_put_together(self, tmp_path: Path) -> None:
        paths = [saved(tmp_path, n, np.zeros(1000), "parquet", 10) for n in ("pred", "target")]
        found = _spans_of(paths)
        assert found[0] == (0, 128)
        assert len(found) == 8

    def test_one_huge_row_group_is_read_in_order(self, tmp_path: Path) -> None:
        paths = [saved(tmp_path, n, np.zeros(1000), "parquet", 1000) for n in ("pred", "target")]
        assert _spans_of(paths) == []

    def test_many_row_groups_beside_one_huge_one(self, tmp_path: Path) -> None:
        paths = [saved(tmp_path, "pred", np.zeros(5000), "parquet", 5000)]
        paths.append(saved(tmp_path, "target", np.zeros(5000), "parquet", 128))
        assert _spans_of(paths) == []

    def test_text_is_read_in_order(self, tmp_path: Path) -> None:
        paths = [saved(tmp_path, "pred", np.zeros(1000), "parquet", 128)]
        paths.append(saved(tmp_path, "target", np.zeros(1000), "csv", 0))
        assert _spans_of(paths) == []

    def test_unequal_counts_are_left_to_reading_in_order(self, tmp_path: Path) -> None:
        paths = [saved(tmp_path, "pred", np.zeros(1000), "parquet", 128)]
        paths.append(saved(tmp_path, "target", np.zeros(999), "parquet", 128))
        assert _spans_of(paths) == []
        with pytest.raises(DataError, match=r"has 1000 rows.*has 999 rows"):
            losscli.compute("mse", pred=paths[0], target=paths[1], threads=2)

    def test_no_span_is_longer_than_may_be_held(self, tmp_path: Path) -> None:
        paths = [saved(tmp_path, n, np.zeros(1000), "parquet", 256) for n in ("pred", "target")]
        assert _spans_of(paths, longest=256)
        assert _spans_of(paths, longest=255) == []

    def test_arrays(self) -> None:
        assert spans([], BLOCK, 1, None, 2) == []
        result = losscli.compute("mse", pred=np.ones(5000), target=np.zeros(5000), threads=3)
        assert result.value == 1.0


def test_the_profile_names_every_stage(tmp_path: Path) -> None:
    path = saved(tmp_path, "pred", np.zeros(10), "csv", 0)
    command = [sys.executable, "-m", "losscli", "compute", "mse", "--pred", path, "--target", path]
    done = subprocess.run(
        [*command, "--profile", "--threads", "1", "-f", "value"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout == "0.0\n"
    words = [line.split()[0] for line in done.stderr.splitlines()]
    assert words == ["open", "decode", "check", "loss", "reduce", "write", "in"]
    assert " on 1 threads" in done.stderr


def test_an_error_stops_the_others_soon() -> None:
    stopped = threading.Event()
    begun: list[int] = []

    def work(item: int) -> int:
        begun.append(item)
        if item == 3:
            raise ValueError("3")
        for _ in range(1000):
            if stopped.is_set():
                break
            time.sleep(0.005)
        return item

    def items() -> Iterator[int]:
        yield from (3, 4, 5, 6, 7, 8)

    with pytest.raises(ValueError, match="3"):
        list(each_ahead(work, items(), 2, 0, stopped.set))
    assert stopped.is_set()
    assert max(begun) < 8

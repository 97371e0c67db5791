"""A directory or a pattern is one data set: the bits of one file, errors by file and row."""

import os
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.dataset as pads
import pytest

import losscli
from losscli.api import check, get_loss
from losscli.data import block, spans
from losscli.data.dataset import DatasetSource, natural_order
from losscli.data.options import InputOptions
from losscli.errors import DataError, FileError, LosscliError
from losscli.request import Request
from tests.conftest import Run
from tests.test_formats import WRITERS

ROWS = 700


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def table(rows: int = ROWS) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(8)
    return {"pred": rng.normal(size=rows), "target": rng.normal(size=rows)}


def write(folder: str, suffix: str, cuts: list[int], start: int = 1) -> dict[str, np.ndarray]:
    """A table cut into files that are numbered from `start`."""
    os.makedirs(folder, exist_ok=True)
    columns = table(cuts[-1])
    for number, (low, high) in enumerate(zip([0, *cuts], cuts, strict=False), start):
        part = {name: column[low:high] for name, column in columns.items()}
        WRITERS[suffix](Path(folder, f"part-{number}.{suffix}"), part)
    return columns


@pytest.mark.parametrize("suffix", WRITERS)
def test_files_of_any_format_have_the_bits_of_one(suffix: str, here: Path) -> None:
    columns = write("s", suffix, [1, 4, 50, 60, 61, 62, 300, 400, 500, 600, 650, ROWS])
    (here / "s" / "_SUCCESS").touch()
    (here / "s" / f".part-1.{suffix}.crc").write_bytes(b"crc")
    whole = losscli.compute("huber", **columns, per_sample=True)
    for path in ("s", "s/", f"s/*.{suffix}", here / "s", "s/part-[0-9]*", "**/part-*"):
        found = losscli.compute("huber", data=path, per_sample=True)
        assert found.value == whole.value
        np.testing.assert_array_equal(found.per_sample, whole.per_sample)


def test_data_sets_pair_with_other_files(here: Path) -> None:
    columns = write("s", "parquet", [300, ROWS])
    np.save("t.npy", columns["target"])
    expected = losscli.compute("mse", **columns).value
    assert losscli.compute("mse", pred="s#pred", target="t.npy").value == expected
    WRITERS["csv"](Path("all.csv"), columns)
    assert losscli.compute("mse", pred="s/*#pred", target="all.csv#target").value == expected


def test_matrices_without_names(here: Path) -> None:
    os.mkdir("s")
    scores, labels = np.random.default_rng(1).normal(size=(50, 4)), np.arange(50) % 4
    for i in range(5):
        np.save(f"s/{i}.npy", scores[10 * i : 10 * i + 10])
    expected = losscli.compute("cross-entropy", pred=scores, target=labels).value
    assert losscli.compute("cross-entropy", pred="s", target=labels).value == expected
    np.save("s/9.npy", np.zeros((1, 3)))
    with pytest.raises(DataError, match=r"s/9\.npy: lacks column '4', unlike s/0\.npy"):
        losscli.compute("cross-entropy", pred="s", target=labels)


def test_natural_order() -> None:
    names = ["b/1", "a-1", "a/10", "a/9b", "a/9a", "a/09", "a/x", "a/part-00002", "a/part-00010"]
    expected = ["a/09", "a/9a", "a/9b", "a/10", "a/part-00002", "a/part-00010", "a/x", "a-1", "b/1"]
    assert sorted(names, key=natural_order) == expected


def test_a_bad_value_is_named_by_its_file_and_its_row_there(here: Path) -> None:
    write("s", "csv", [100, 200, 300], start=9)
    lines = Path("s/part-10.csv").read_text().splitlines()
    for cell, message in (
        ("nan,1", r"s/part-10\.csv, column 'pred', row 5 \(line 6\): got nan, expected a finite"),
        ("x,1", r"s/part-10\.csv, column 'pred', row 5 \(line 6\): got 'x', expected a number"),
        ("1", r"s/part-10\.csv, line 6: 1 fields, expected 2"),
    ):
        Path("s/part-10.csv").write_text("\n".join([*lines[:5], cell, *lines[6:]]))
        with pytest.raises(DataError, match=message):
            losscli.compute("mse", data="s")
    skipped = losscli.compute("mse", data="s/part-9.csv", nonfinite="skip")
    assert skipped.skipped == 0


def test_a_literal_name_wins_over_a_pattern(here: Path) -> None:
    for name, pred in (("p[1].csv", 3), ("p1.csv", 5), ("p*.csv", 7)):
        Path(name).write_text(f"pred,target\n{pred},0\n")
    assert losscli.compute("mae", data="p[1].csv").value == 3
    assert losscli.compute("mae", data="p*.csv").value == 7
    os.remove("p[1].csv")
    assert losscli.compute("mae", data="p[1].csv").value == 5


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("z.csv", "pred,other\n1,2\n", r"s/z\.csv: has column 'other', unlike s/part-1\.csv"),
        ("z.csv", "pred\n1\n", r"s/z\.csv: lacks column 'target', unlike s/part-1\.csv"),
        ("z.csv", "1,2\n3,4\n", r"s/z\.csv: has column '1', unlike s/part-1\.csv"),
        ("z.csv", "\x93NUMPY", r"s/z\.csv: "),
        ("z.txt", "pred,target\n1,2\n", r"s/z\.txt: \.txt, where s/part-1\.csv has \.csv"),
        ("README", "x", r"s/README: no suffix, where s/part-1\.csv has \.csv"),
    ],
)
def test_a_file_that_differs_is_named(here: Path, name: str, text: str, message: str) -> None:
    write("s", "csv", [10, 20])
    Path("s", "README" if name == "README" else name).write_text(text)
    if name == "README":
        os.rename("s/README", "s/zREADME")
        message = message.replace("README", "zREADME")
    with pytest.raises(LosscliError, match=message):
        losscli.compute("mse", data="s")


def test_another_format_under_the_same_suffix(here: Path) -> None:
    write("s", "csv", [10, 20])
    WRITERS["parquet"](Path("s/z.csv"), table(5))
    with pytest.raises(DataError, match=r"s/z\.csv: not in the format of s/part-1\.csv"):
        losscli.compute("mse", data="s")


def test_no_files(here: Path) -> None:
    os.mkdir("s")
    Path("s/_SUCCESS").touch()
    with pytest.raises(FileError, match=r"^s: a directory without files"):
        losscli.compute("mse", data="s")
    for pattern, hint in (
        ("s/*.parquet", "s holds _SUCCESS"),
        ("no/*/x.csv", "there is no directory no"),
        ("*.csv", ". holds s"),
    ):
        with pytest.raises(FileError) as error:
            losscli.compute("mse", data=pattern)
        assert error.value.message == f"{pattern}: no file matches"
        assert error.value.hint == hint


def test_links(here: Path) -> None:
    write("s", "csv", [10])
    os.symlink("../s", "s/loop")
    for path in ("s", "s/**/*.csv", "**/*.csv"):
        with pytest.raises(FileError, match="s/loop: a symbolic link to a directory that it is in"):
            losscli.compute("mse", data=path)
    os.remove("s/loop")
    os.symlink("part-1.csv", "s/current.csv")
    with pytest.raises(DataError, match=r"s/part-1\.csv and s/current\.csv are one file"):
        losscli.compute("mse", data="s")
    os.remove("s/current.csv")
    os.symlink("nothing.csv", "s/broken.csv")
    with pytest.raises(FileError, match=r"s/broken\.csv: No such file"):
        losscli.compute("mse", data="s")
    os.remove("s/broken.csv")
    os.symlink("self.csv", "s/self.csv")
    with pytest.raises(FileError, match=r"s/self\.csv: Too many levels of symbolic links"):
        losscli.compute("mse", data="s")


@pytest.mark.parametrize("suffixes", [("", ".gz"), (".bz2", ".gz"), ("", ".ZST")])
def test_a_file_and_what_it_was_packed_into(here: Path, suffixes: tuple[str, str]) -> None:
    """gzip -k keeps both, and nobody means to count the rows twice."""
    write("s", "csv", [10, 20])
    first, second = suffixes
    os.rename("s/part-2.csv", f"s/part-2.csv{first}")
    Path(f"s/part-2.csv{second}").touch()
    with pytest.raises(DataError) as error:
        losscli.compute("mse", data="s")
    files = f"s/part-2.csv{first} and s/part-2.csv{second}"
    assert error.value.message.startswith(f"{files} are by their names one file")
    assert error.value.hint == f"a pattern names those that are meant, such as '*.csv{first}'"
    if not first:
        assert losscli.compute("mse", data="s/*.csv").n == 20


def test_a_pipe_in_a_directory_does_not_wait_for_ever(here: Path) -> None:
    write("s", "csv", [10])
    os.mkfifo("s/z.csv")
    with pytest.raises(FileError, match=r"s/z\.csv: not a file that can be read twice"):
        losscli.compute("mse", data="s")


def partitioned(folder: str) -> pa.Table:
    """What Arrow writes as a data set partitioned by a day and a weight, as one table."""
    columns: dict[str, Any] = table(60)
    columns["day"] = [f"2024-01-{i // 20 + 1:02}" for i in range(60)]
    columns["w"] = [i // 30 + 1 for i in range(60)]
    whole = pa.table(columns)
    partitioning = pads.partitioning(
        pa.schema([("day", pa.string()), ("w", pa.int64())]), flavor="hive"
    )
    pads.write_dataset(whole, folder, format="parquet", partitioning=partitioning)
    return whole


def test_partitions_are_columns(here: Path) -> None:
    whole = partitioned("h")
    expected = losscli.compute("mae", data=whole, weight="w").value
    assert losscli.compute("mae", data="h", weight="w").value == expected
    assert losscli.compute("mae", data="h/day=*", weight="w").value == expected
    assert losscli.compute("mae", data="h/*/*/*.parquet", weight="w").value == expected
    by = {"pred": pa.array(np.abs(whole["pred"].to_numpy())), "target": np.ones(60)}
    # A partition alone pairs with other files as any column does.
    first = losscli.compute("mae", **by, weight="h#w").value
    assert first == losscli.compute("mae", **by, weight=whole["w"].combine_chunks()).value
    one_day = losscli.compute("mae", data="h/day=2024-01-02")
    assert one_day.value == losscli.compute("mae", data=whole.slice(20, 20)).value


@pytest.mark.parametrize("value", ["1_000", "١", "0x1", "1.5.2", "infinit"])
def test_numbers_of_partitions_are_those_of_a_csv(here: Path, value: str) -> None:
    os.makedirs(f"h/x={value}")
    Path(f"h/x={value}/a.csv").write_text("pred\n1\n")
    with pytest.raises(
        DataError, match=rf"a\.csv, column 'x', row 1: got '{value}', expected a nu"
    ):
        losscli.compute("mse", data="h", pred="pred", target="x")
    os.rename(f"h/x={value}", "h/x=+1e3")
    assert losscli.compute("mse", data="h", pred="pred", target="x").value == 999**2


def test_partitions_name_groups(here: Path) -> None:
    rng = np.random.default_rng(0)
    columns: dict[str, Any] = {"pred": rng.random(40), "target": rng.integers(0, 2, 40)}
    columns["image"] = ["a/b"] * 20 + ["c"] * 20
    whole = pa.table(columns)
    kinds = pads.partitioning(pa.schema([("image", pa.string())]), flavor="hive")
    pads.write_dataset(whole, "h", format="parquet", partitioning=kinds)
    assert sorted(os.listdir("h")) == ["image=a%2Fb", "image=c"]
    found = losscli.compute("dice", data="h", by="image", per_sample=True)
    expected = losscli.compute("dice", data=whole, by="image", per_sample=True)
    np.testing.assert_array_equal(found.per_sample, expected.per_sample)
    assert len(found.per_sample) == 2


def test_partitions_are_taken_only_by_name(here: Path) -> None:
    """As a score of its own, a year would be a number like the others."""
    os.makedirs("h/year=2024")
    Path("h/year=2024/p.csv").write_text("a,b\n1,2\n")
    for pred in ("h", "h#*", "h#?"):
        assert losscli.compute("mse", pred=pred, target=[[1.0, 2.0]]).value == 0
    assert losscli.compute("mse", pred="h#year", target=[2024.0]).value == 0
    with pytest.raises(DataError, match="no column 'yaer'; it has 'a', 'b', 'year'") as error:
        losscli.compute("mse", pred="h#yaer", target=[2024.0])
    assert error.value.hint == "did you mean year?"


@pytest.mark.parametrize(
    ("folders", "message"),
    [
        (["k=1", "l=1"], r"h/l=1/p\.csv: partitions by l, where h/k=1/p\.csv has partitions by k"),
        (["k=1", "."], r"h/\./p\.csv|h/p\.csv: no partitions|has no partitions"),
        (["k=1/k=2"], r"h/k=1/k=2/p\.csv: 'k=' twice among its directories, expected one value"),
        (["k=x"], r"h/k=x/p\.csv, column 'k', row 1: got 'x', expected a number"),
        (
            ["k=__HIVE_DEFAULT_PARTITION__"],
            r"column 'k', row 1: missing, expected a number",
        ),
    ],
)
def test_partitions_that_do_not_fit(here: Path, folders: list[str], message: str) -> None:
    for folder in folders:
        os.makedirs(f"h/{folder}", exist_ok=True)
        Path(f"h/{folder}/p.csv").write_text("pred,target\n1,2\n")
    with pytest.raises(DataError, match=message):
        losscli.compute("mse", data="h", weight="k")


def test_the_odd_partition_is_named_wherever_it_is(here: Path) -> None:
    for folder in ("h/a", "h/k=1", "h/k=2"):
        Path(folder).mkdir(parents=True)
        Path(folder, "p.csv").write_text("pred,target\n1,1\n")
    with pytest.raises(DataError, match=r"^h/a/p\.csv: no partitions, where h/k=1/p\.csv has "):
        losscli.compute("mse", data="h")


def test_a_key_that_a_partition_lacks_is_on_no_line(here: Path) -> None:
    for folder in ("h/k=1", "h/k=__HIVE_DEFAULT_PARTITION__"):
        Path(folder).mkdir(parents=True)
        Path(folder, "p.csv").write_text("pred,target\n1,1\n")
    Path("t.csv").write_text("k,target\n1,1\n2,2\n")
    odd = r"^h/k=__HIVE_DEFAULT_PARTITION__/p\.csv, column 'k', row 1: "
    with pytest.raises(DataError, match=odd + "missing, expected a number"):
        losscli.compute("mse", data="h", weight="k")
    with pytest.raises(DataError, match=odd + "a missing key, expected a key in every row"):
        losscli.compute("mse", pred="h#pred", target="t.csv#target", on="k")
    roles = {"pred": "h#pred", "target": "t.csv#target"}
    found = check(Request(get_loss("mse"), roles, options=InputOptions(on=("k",))))
    assert [(p.reason, p.first[0].row, p.first[0].line) for p in found.problems] == [
        ("null-key", 1, None),
        ("unmatched-key", 2, 3),
    ]


def test_a_partition_that_is_also_a_column(here: Path) -> None:
    os.makedirs("h/w=2")
    Path("h/w=2/p.csv").write_text("pred,target,w\n1,2,3\n")
    assert losscli.compute("mse", data="h").value == 1
    with pytest.raises(DataError, match="2 columns are called 'w'"):
        losscli.compute("mse", data="h", weight="w")


def test_files_are_opened_one_at_a_time(here: Path, limit_files: Callable[[int], None]) -> None:
    columns = write("s", "csv", list(range(1, 101)))
    limit_files(40)
    assert losscli.compute("mse", data="s").value == losscli.compute("mse", **columns).value


@pytest.mark.parametrize("suffix", ["parquet", "npy", "csv"])
def test_threads_share_the_files(suffix: str, here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Spans begin inside of files and end in others; some files have no rows."""
    monkeypatch.setattr(block, "BLOCK_ROWS", 64)
    monkeypatch.setattr(spans, "SPAN_VALUES", 128)
    columns = write("s/w=2", suffix, [5, 5, 5, 300, 301, 700, 1500, 1500])
    whole = losscli.compute("huber", **columns, weight=np.full(1500, 2.0), per_sample=True)
    opened: set[int] = set()
    between = DatasetSource.between

    def spy(self: DatasetSource, *arguments: Any) -> Any:
        opened.add(threading.get_ident())
        return between(self, *arguments)

    monkeypatch.setattr(DatasetSource, "between", spy)
    for threads in (1, 4):
        found = losscli.compute("huber", data="s", weight="w", threads=threads, per_sample=True)
        assert found.value == whole.value
        np.testing.assert_array_equal(found.per_sample, whole.per_sample)
    assert bool(opened) == (suffix != "csv")
    part = Path(f"s/w=2/part-7.{suffix}")
    columns["pred"][1400] = np.nan
    WRITERS[suffix](part, {name: column[700:] for name, column in columns.items()})
    line = r" \(line 702\)" if suffix == "csv" else ""
    with pytest.raises(
        DataError, match=rf"part-7\.{suffix}, column 'pred', row 701{line}: got nan"
    ):
        losscli.compute("huber", data="s", threads=4)


@pytest.fixture
def limit_files() -> Any:
    import resource

    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    yield lambda more: resource.setrlimit(
        resource.RLIMIT_NOFILE, (len(os.listdir("/proc/self/fd")) + more, before[1])
    )
    resource.setrlimit(resource.RLIMIT_NOFILE, before)


def test_files_that_are_read_are_not_replaced(run: Run, tmp_path: Path, here: Path) -> None:
    write("s", "csv", [5, 10])
    before = Path("s/part-2.csv").read_bytes()
    for data in ("s", "s/*.csv"):
        done = run("compute", "mse", "--data", data, "--per-sample", "s/part-2.csv", "--force")
        assert done.returncode == 2
        assert done.stderr.startswith("error: s/part-2.csv: read and written by one command\n")
        assert Path("s/part-2.csv").read_bytes() == before


def test_a_pattern_that_the_shell_took(run: Run) -> None:
    done = run("compute", "mse", "--data", "a.csv", "b.csv")
    assert done.returncode == 2
    assert "hint: a pattern is quoted" in done.stderr


@pytest.mark.parametrize(
    ("first", "second", "message"),
    [
        ((3, 1), (2,), "2.npy, row 1: a single value, expected a list of 1 value, as in the rows"),
        ((3,), (2, 1), "2.npy, row 1: a list of 1 value, expected a single value, as in"),
        (
            (3, 4, 2),
            (2, 2, 4),
            "2.npy, row 1: an array of 2 × 4 values, expected an array of 4 × 2",
        ),
        ((1 << 17, 1), (1 << 17,), "2.npy, row 1: a single value, expected a list of 1 value"),
    ],
)
def test_rows_of_another_shape_are_named(
    first: tuple[int, ...], second: tuple[int, ...], message: str, here: Path
) -> None:
    """Also where a file ends where a block of rows does, so that nothing is put together."""
    np.save("1.npy", np.zeros(first))
    np.save("2.npy", np.zeros(second))
    for threads in (1, 2):
        with pytest.raises(DataError) as error:
            losscli.compute("mse", pred="*.npy", target="*.npy", threads=threads)
        assert str(error.value).startswith(message)


@pytest.mark.parametrize("rows", [3, 1 << 17])
def test_lists_of_another_length_in_later_batches(rows: int, here: Path) -> None:
    with pa.ipc.new_file("x.arrow", pa.schema({"p": pa.list_(pa.float64())})) as file:
        for width, gaps in ((2, 0), (3, 2)):
            lists = [None] * gaps + [[1.0] * width] * (rows - gaps)
            file.write(pa.table({"p": pa.array(lists, pa.list_(pa.float64()))}))
    with pytest.raises(DataError) as error:
        losscli.compute("mse", data="x.arrow", pred="p", target="p", missing="skip")
    expected = "a list of 3 values, expected a list of 2 values, as in the rows before it"
    assert str(error.value) == f"x.arrow, column 'p', row {rows + 3}: {expected}"

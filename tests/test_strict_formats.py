"""Files that hold more, or other, than their format allows: refused, where others read a part."""

import bz2
import gzip
import io
import json
import lzma
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import losscli
from losscli.errors import FileError
from tests.conftest import Run
from tests.test_formats import WRITERS

ROWS = b"".join(b"%d,%d\n" % (i, i + 1) for i in range(20_000))
PACKERS = {"bz2": bz2.compress, "xz": lzma.compress}


def rows_of(path: Path) -> int:
    return int(losscli.compute("mse", data=path).n)


@pytest.mark.parametrize("suffix", PACKERS)
def test_streams_after_each_other_are_one_file(suffix: str, tmp_path: Path) -> None:
    pack = PACKERS[suffix]
    path = tmp_path / f"p.csv.{suffix}"
    first, more = pack(b"pred,target\n" + ROWS), pack(ROWS)
    path.write_bytes(first + more + pack(b"") + more)
    assert rows_of(path) == 60_000
    if suffix == "xz":  # whose streams may be filled up with zeros
        path.write_bytes(first + bytes(8) + more + bytes(1 << 17))
        assert rows_of(path) == 40_000


@pytest.mark.parametrize("suffix", PACKERS)
@pytest.mark.parametrize("what", ["garbage", "a letter", "zeros", "another start", "cut"])
def test_what_follows_a_stream_is_another(suffix: str, what: str, tmp_path: Path) -> None:
    """Python's own readers end where the first stream does."""
    pack: Callable[[bytes], bytes] = PACKERS[suffix]
    path = tmp_path / f"p.csv.{suffix}"
    first = pack(b"pred,target\n" + ROWS)
    start = bytearray(pack(ROWS))
    start[1] ^= 1
    data = {
        "garbage": first + b"GARBAGE",
        "a letter": first + b"G",
        "zeros": first + bytes(3),
        "another start": first + bytes(start),
        "cut": first[:-10],
    }[what]
    path.write_bytes(data)
    with pytest.raises(FileError, match="damaged"):
        rows_of(path)


@pytest.mark.parametrize("compression", [None, "zstd"])
@pytest.mark.parametrize("others", [1, 50])
def test_two_arrow_files_in_one(compression: str | None, others: int, tmp_path: Path) -> None:
    """The last footer says where batches are, but not from where: those of the first were read."""

    def file(rows: int) -> bytes:
        table = pa.table({"pred": np.arange(rows) + 0.5, "target": np.arange(rows, dtype=float)})
        options = pa.ipc.IpcWriteOptions(compression=compression)
        sink = io.BytesIO()
        with pa.ipc.new_file(sink, table.schema, options=options) as writer:
            writer.write_table(table, max_chunksize=20)
        return sink.getvalue()

    path = tmp_path / "p.feather"
    for rows in (0, 1, 50):
        path.write_bytes(file(rows))
        if rows:
            assert rows_of(path) == rows
    path.write_bytes(file(50) + file(others))
    with pytest.raises(FileError, match="two files in one"):
        rows_of(path)


@pytest.mark.parametrize("options", [{}, {"write_page_index": True}, {"use_dictionary": False}])
@pytest.mark.parametrize("rows", [(50, 50), (50, 10), (10, 5000), (5000, 10)])
def test_two_parquet_files_in_one(
    options: dict[str, Any], rows: tuple[int, int], tmp_path: Path
) -> None:
    """The last footer says where values are, but not from where: those of the first were read."""

    def file(rows: int) -> bytes:
        word = np.array(["PAR1PAR1", "PAR1PAR1" + "x" * 40] * rows)[:rows]
        table = pa.table({"pred": np.arange(rows) + 0.5, "target": np.zeros(rows), "word": word})
        sink = io.BytesIO()
        pq.write_table(table, sink, row_group_size=1000, **options)
        return sink.getvalue()

    path = tmp_path / "p.parquet"
    ask = {"pred": f"{path}#pred", "target": f"{path}#target"}
    for count in (0, *rows):
        path.write_bytes(file(count))
        if count:
            assert losscli.compute("mse", **ask).n == count
    path.write_bytes(file(rows[0]) + file(rows[1]))
    with pytest.raises(FileError, match="two Parquet files in one"):
        losscli.compute("mse", **ask)


def test_bytes_beside_an_archive(tmp_path: Path) -> None:
    path, sink = tmp_path / "p.npz", io.BytesIO()
    np.savez(sink, pred=np.ones(3), target=np.zeros(3))
    archive = sink.getvalue()
    for data, where in (
        (archive * 2, "before"),
        (b"PK\3\4" + archive, "before"),
        (archive + b"\n", "after"),
        (archive + archive[:20], "after"),
        (archive + bytes(1000), "after"),
    ):
        path.write_bytes(data)
        with pytest.raises(FileError, match=f"bytes {where} its archive: two files in one"):
            rows_of(path)
    for comment in (b"", b"of 2024", b"PK" * 300):
        path.write_bytes(archive)
        with zipfile.ZipFile(path, "a") as file:
            file.comment = comment
        assert rows_of(path) == 3


@pytest.mark.parametrize("suffix", ["parquet", "feather", "npz", "npy", "arrows"])
def test_two_files_in_one_by_other_ways(suffix: str, run: Run, tmp_path: Path) -> None:
    """What comes through a pipe or is unpacked is held to what a file on disk is."""
    path = tmp_path / f"p.{suffix}"
    WRITERS[suffix](path, {"pred": np.arange(50.0), "target": np.zeros(50)})
    one = path.read_bytes()
    for data, code in ((one, 0), (one + one, 4)):
        packed = tmp_path / f"q.{suffix}.gz"
        packed.write_bytes(gzip.compress(data))
        for done in (run("compute", "mse", "--data", "-", input=data),
                     run("compute", "mse", "--data", packed)):  # fmt: skip
            assert done.returncode == code, done.stderr
            assert not code or done.stdout == ""


def test_bytes_after_an_arrow_stream(tmp_path: Path) -> None:
    table = pa.table({"pred": [1.0, 2.0], "target": [0.0, 0.0]})
    stream = io.BytesIO()
    with pa.ipc.new_stream(stream, table.schema) as writer:
        writer.write_table(table)
    path = tmp_path / "p.arrows"
    path.write_bytes(stream.getvalue())
    assert rows_of(path) == 2
    for more in (stream.getvalue(), b"x"):
        path.write_bytes(stream.getvalue() + more)
        with pytest.raises(FileError, match="bytes after the end of an Arrow stream"):
            rows_of(path)


def tensor(first: int, end: int, shape: Any = (4,)) -> dict[str, Any]:
    return {"dtype": "F64", "shape": list(shape), "data_offsets": [first, end]}


@pytest.mark.parametrize(
    ("header", "count", "why"),
    [
        ({"pred": tensor(0, 32), "target": tensor(0, 32)}, 4, "'target' does not begin where"),
        ({"pred": tensor(0, 32), "target": tensor(40, 72)}, 9, "'target' does not begin where"),
        ({"pred": tensor(0, 32), "target": tensor(32, 64)}, 9, "too long"),
        ({"pred": tensor(0, 32), "target": tensor(32, 64)}, 7, "cut short"),
        ({"pred": tensor(0, 32, ["4"]), "target": tensor(32, 64)}, 8, "'pred' makes no sense"),
        ({"pred": tensor(0, 32, [4.0]), "target": tensor(32, 64)}, 8, "'pred' makes no sense"),
    ],
)
def test_tensors_lie_side_by_side(
    header: dict[str, Any], count: int, why: str, tmp_path: Path
) -> None:
    """As the format itself demands, and its own reader."""
    path = tmp_path / "p.safetensors"
    text = json.dumps(header).encode()
    path.write_bytes(len(text).to_bytes(8, "little") + text + bytes(8 * count))
    with pytest.raises(FileError, match=why):
        rows_of(path)


def test_a_tensor_named_twice(tmp_path: Path) -> None:
    header = json.dumps({"pred": tensor(0, 32), "again": tensor(32, 64)})
    text = header.replace("again", "pred").encode()
    path = tmp_path / "p.safetensors"
    path.write_bytes(len(text).to_bytes(8, "little") + text + bytes(64))
    with pytest.raises(FileError, match="a name is twice"):
        rows_of(path)


@pytest.mark.parametrize("descr", ["()", "('<f8',)"])
def test_a_type_that_numpy_does_not_know(descr: str, tmp_path: Path) -> None:
    text = f"{{'descr': {descr}, 'fortran_order': False, 'shape': (4,), }}".ljust(117) + "\n"
    path = tmp_path / "p.npy"
    start = b"\x93NUMPY\x01\x00" + len(text).to_bytes(2, "little")
    path.write_bytes(start + text.encode() + bytes(32))
    with pytest.raises(FileError, match="its header makes no sense"):
        losscli.compute("mse", pred=path, target=np.zeros(4))


@pytest.mark.parametrize("blank", ["", " "])
def test_numbers_of_json_are_the_same_on_both_ways_to_read_them(blank: str, tmp_path: Path) -> None:
    """A blank before an object is for Python, not for Arrow."""
    path = tmp_path / "p.jsonl"
    large = "1" + "0" * 308
    texts = ["-0", large, f"-{large}", "17976931348623157" + "0" * 292, "9007199254740993"]
    rows = "".join(f'{blank}{{"pred": {text}, "target": 0}}\n' for text in texts)
    path.write_text(rows)
    found = losscli.compute("mse", data=path, reduction="none", nonfinite="keep")
    expected = [float(text) ** 2 if abs(float(text)) < 1e150 else np.inf for text in texts]
    np.testing.assert_array_equal(found.per_sample, expected)
    path.write_text(rows + f'{blank}{{"pred": 1{"0" * 5000}, "target": 0}}\n')
    with pytest.raises(losscli.errors.DataError, match="row 6: got inf, expected a finite number"):
        losscli.compute("mae", data=path)


def test_objects_without_members(tmp_path: Path) -> None:
    for text in ("{}\n{}\n", "\n{}"):
        (tmp_path / "p.jsonl").write_text(text)
        with pytest.raises(losscli.errors.DataError, match="no columns: its first objects"):
            losscli.compute("mse", data=tmp_path / "p.jsonl")

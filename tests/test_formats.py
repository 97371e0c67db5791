"""The same numbers give the same bits, whatever the format of the file; damaged files are named."""

import bz2
import contextlib
import gzip
import io
import json
import lzma
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.feather as feather
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from safetensors.numpy import save_file

import losscli
from losscli.data import npy, source
from losscli.data.npy_array import NpyArray
from losscli.errors import DataError, FileError, LosscliError, UsageError
from losscli.losses import CATALOGUE
from tests import generate
from tests.conftest import SAMPLES, Run

ROWS = 3000
Columns = dict[str, np.ndarray]


def _csv(columns: Columns) -> bytes:
    rows = zip(*(column.tolist() for column in columns.values()), strict=True)
    lines = [",".join(columns), *(",".join(map(repr, row)) for row in rows)]
    return ("\n".join(lines) + "\n").encode()


def _jsonl(columns: Columns) -> str:
    rows = zip(*(column.tolist() for column in columns.values()), strict=True)
    return "".join(json.dumps(dict(zip(columns, row, strict=True))) + "\n" for row in rows)


def _packed(pack: Callable[[bytes], bytes]) -> Callable[[Path, Columns], None]:
    return lambda path, columns: path.write_bytes(pack(_csv(columns))) and None


def _ipc(kind: Any) -> Callable[[Path, Columns], None]:
    def write(path: Path, columns: Columns) -> None:
        table = pa.table(columns)
        with kind(str(path), table.schema) as out:
            out.write_table(table, max_chunksize=1000)

    return write


def _records(path: Path, columns: Columns) -> None:
    dtype = [(name, column.dtype) for name, column in columns.items()]
    records = np.empty(len(next(iter(columns.values()))), dtype)
    for name, column in columns.items():
        records[name] = column
    np.save(path, records)


#: how a table of columns is written, by the suffix of the file
WRITERS: dict[str, Callable[[Path, Columns], Any]] = {
    "csv": _packed(bytes),
    "csv.gz": _packed(gzip.compress),
    "csv.bz2": _packed(bz2.compress),
    "csv.xz": _packed(lzma.compress),
    "csv.zst": _packed(lambda data: pa.compress(data, "zstd", asbytes=True)),
    "parquet": lambda path, columns: pq.write_table(pa.table(columns), path),
    "arrow": _ipc(pa.ipc.new_file),
    "arrows": _ipc(pa.ipc.new_stream),
    "feather": lambda path, columns: feather.write_feather(pa.table(columns), str(path)),
    "npy": _records,
    "npz": lambda path, columns: np.savez(path, **columns),
    "compressed.npz": lambda path, columns: np.savez_compressed(path, **columns),
    "safetensors": lambda path, columns: save_file(dict(columns), path),
    "jsonl": lambda path, columns: path.write_text(_jsonl(columns)),
}


def table(rows: int = ROWS) -> Columns:
    rng = np.random.default_rng(11)
    return {
        "pred": rng.normal(size=rows),
        "target": rng.normal(size=rows),
        "sign": rng.integers(0, 2, rows),
        "label": rng.integers(0, 3, rows),
        "weight": rng.random(rows).astype(np.float32).astype(float),
        **{f"s_{i}": rng.normal(size=rows) for i in range(3)},
    }


CASES: dict[str, dict[str, Any]] = {
    "huber": {},
    "mae": {"weight": "weight"},
    "hinge": {"target": "sign", "labels": "0,1"},
    "cross-entropy": {"pred": "s_*", "target": "label"},
}


@pytest.mark.parametrize("suffix", WRITERS)
def test_every_format_gives_the_same_bits(suffix: str, tmp_path: Path) -> None:
    columns = table()
    path = tmp_path / f"t.{suffix}"
    WRITERS[suffix](path, columns)
    for loss, options in CASES.items():
        arguments = {"pred": "pred", "target": "target", **options}
        roles = [name for name in arguments if name in ("pred", "target", "weight")]
        scores = np.column_stack([columns[f"s_{i}"] for i in range(3)])
        arrays = {r: scores if arguments[r] == "s_*" else columns[arguments[r]] for r in roles}
        expected = losscli.compute(loss, **{**arguments, **arrays}, per_sample=True)
        found = losscli.compute(loss, data=path, **arguments, per_sample=True)
        assert found.value == expected.value
        np.testing.assert_array_equal(found.per_sample, expected.per_sample)


@pytest.mark.parametrize("suffix", WRITERS)
def test_every_format_through_standard_input(suffix: str, run: Run, tmp_path: Path) -> None:
    columns = {name: column for name, column in table(20).items() if name in ("pred", "target")}
    path = tmp_path / f"t.{suffix}"
    WRITERS[suffix](path, columns)
    done = run("compute", "mse", "--data", "-", "-f", "value", input=path.read_bytes())
    assert (done.stderr, done.returncode) == ("", 0)
    assert float(done.stdout) == losscli.compute("mse", **columns).value


def test_a_pipe_that_has_a_name(run: Run, tmp_path: Path) -> None:
    """`<(command)` names a pipe, in which nothing can be sought."""
    np.save(tmp_path / "p.npy", np.arange(4.0))
    command = f"{sys.executable} -m losscli compute mse --pred <(cat p.npy) --target p.npy -f value"
    environment = {"PYTHONPATH": str(SAMPLES.parent)}
    done = subprocess.run(
        ["bash", "-c", command], cwd=tmp_path, capture_output=True, text=True, env=environment,
        check=False,
    )  # fmt: skip
    assert (done.stdout, done.stderr) == ("0.0\n", "")


#: lines that are missing at the end of a text cannot be seen
BINARY = [suffix for suffix in WRITERS if suffix not in ("csv", "jsonl")]


@pytest.mark.parametrize("suffix", BINARY)
def test_a_file_that_is_cut_short_is_named(suffix: str, tmp_path: Path) -> None:
    columns = {name: column for name, column in table(30).items() if name in ("pred", "target")}
    whole, cut = tmp_path / f"t.{suffix}", tmp_path / f"cut.{suffix}"
    WRITERS[suffix](whole, columns)
    data = whole.read_bytes()
    for length in {*range(0, len(data), max(1, len(data) // 40)), len(data) - 8}:
        cut.write_bytes(data[:length])
        with pytest.raises(LosscliError, match=r"cut\."):
            losscli.compute("mse", data=cut)


@pytest.mark.parametrize("suffix", BINARY)
def test_a_damaged_file_is_never_a_crash(suffix: str, tmp_path: Path) -> None:
    """Errors of other kinds would pass through."""
    columns = {name: column for name, column in table(30).items() if name in ("pred", "target")}
    path = tmp_path / f"t.{suffix}"
    WRITERS[suffix](path, columns)
    whole = path.read_bytes()
    rng = np.random.default_rng(5)
    for _ in range(100):
        data = bytearray(whole)
        data[rng.integers(len(data))] = rng.integers(256)
        path.write_bytes(data)
        with contextlib.suppress(LosscliError):
            losscli.compute("mse", data=path)


DTYPES = ["?", "i1", "<i8", ">i4", "u2", "<f2", ">f4", "<f4", "<f8", ">f8"]


@settings(max_examples=60, deadline=None)
@given(
    st.data(),
    st.sampled_from(DTYPES),
    hnp.array_shapes(max_dims=4, max_side=4),
    st.sampled_from(["C", "F"]),
    st.integers(1, 12),
    st.booleans(),
)
def test_npy_of_any_dtype_shape_and_order(
    tmp_path_factory: pytest.TempPathFactory,
    data: Any,
    dtype: str,
    shape: tuple[int, ...],
    order: Any,
    piece: int,
    packed: bool,
) -> None:
    elements = {"allow_nan": False, "allow_infinity": False} if "f" in dtype else None
    array = np.asarray(data.draw(hnp.arrays(dtype, shape, elements=elements)), order=order)
    path = tmp_path_factory.getbasetemp() / f"a.{'npz' if packed else 'npy'}"
    if packed:
        np.savez_compressed(path, a=array)
    else:
        np.save(path, array)
    before, source.PIECE_VALUES = source.PIECE_VALUES, piece
    try:
        found = losscli.compute(
            "mae", pred=path, target=np.zeros(shape), row="none", reduction="none"
        )
    finally:
        source.PIECE_VALUES = before
    expected = np.abs(array.astype(float))
    np.testing.assert_array_equal(np.ravel(found.per_sample), expected.ravel())


def test_columns_of_a_matrix(tmp_path: Path) -> None:
    matrix = np.arange(12.0).reshape(4, 3)
    np.save(tmp_path / "m.npy", matrix)
    np.save(tmp_path / "v.npy", matrix[:, 0])
    for columns, expected in (("1", 0), ("3,1", [2, 0]), ("*", [0, 1, 2]), ("[23]", [1, 2])):
        found = losscli.compute(
            "mse", pred=f"{tmp_path}/m.npy#{columns}", target=matrix[:, expected]
        )
        assert found.value == 0
        names = f"#{','.join(str(i + 1) for i in np.atleast_1d(expected))}"
        assert found.inputs["pred"] == f"{tmp_path}/m.npy{names}"
    both = losscli.compute("mse", data=tmp_path / "m.npy", pred="1", target="3")
    assert both.value == 4
    whole = losscli.compute("mse", pred=tmp_path / "m.npy", target=matrix)
    assert (whole.value, whole.inputs["pred"]) == (0, f"{tmp_path}/m.npy")
    assert losscli.compute("mse", pred=f"{tmp_path}/v.npy#1", target=matrix[:, 0]).value == 0
    with pytest.raises(DataError, match=r"no column '0'; it has '1', '2', '3'"):
        losscli.compute("mse", data=tmp_path / "m.npy", pred="0", target="1")


def test_fields_of_records_have_shapes_of_their_own(tmp_path: Path) -> None:
    records = np.zeros(5, [("scores", "<f4", (3,)), ("label", ">i2"), ("name", "U3")])
    records["label"] = [0, 1, 2, 0, 1]
    records["name"] = ["no", "yes", "no", "no", "yes"]
    np.save(tmp_path / "r.npy", records)
    found = losscli.compute("cross-entropy", data=tmp_path / "r.npy", pred="scores", target="label")
    assert found.value == pytest.approx(np.log(3), rel=1e-15)  # three equal scores
    hinge = losscli.compute(
        "hinge", data=tmp_path / "r.npy", pred="label", target="name", labels="no,yes",
        per_sample=True,
    )  # fmt: skip
    np.testing.assert_array_equal(hinge.per_sample, [1, 0, 3, 1, 0])  # max(0, 1 − y s)


@pytest.mark.parametrize("dtype", ["U3", "S3"])
def test_words_are_labels(dtype: str, tmp_path: Path) -> None:
    np.save(tmp_path / "t.npy", np.array(["no", "yes"], dtype))
    found = losscli.compute("hinge", pred=[0.5, 0.5], target=tmp_path / "t.npy", labels="no,yes")
    assert found.value == 1.0
    with pytest.raises(DataError, match=r"t\.npy, row 1: got 'no', expected a number"):
        losscli.compute("hinge", pred=[0.5, 0.5], target=tmp_path / "t.npy")


def test_labels_of_matrices_and_lists_are_mapped(tmp_path: Path) -> None:
    labels = np.array([[0, 1], [1, 1], [1, 2]])
    pred = np.full((2, 2), 0.5)
    np.save(tmp_path / "t.npy", labels[:2])
    pq.write_table(pa.table({"t": labels[:2].tolist()}), tmp_path / "t.parquet")
    for target in (tmp_path / "t.npy", tmp_path / "t.parquet", labels[:2]):
        found = losscli.compute("hinge", pred=pred, target=target, labels="0,1")
        assert found.value == (1.5 + 3 * 0.5) / 4
    np.save(tmp_path / "t.npy", labels)
    pq.write_table(pa.table({"t": labels.tolist()}), tmp_path / "t.parquet")
    for name in ("t.npy", "t.parquet"):
        with pytest.raises(DataError, match=r"row 3: .*got 2, expected 0 or 1"):
            losscli.compute("hinge", pred=np.ones((3, 2)), target=tmp_path / name, labels="0,1")


@pytest.mark.parametrize(("shape", "axis"), [((4, 3, 1), 1), ((4, 1, 3), -1)])
def test_scores_of_one_place_go_with_classes_of_one_place(
    shape: tuple[int, ...], axis: int
) -> None:
    """(n, 1) classes are (n,) classes, and scores of as many places go with them."""
    scores, classes = np.arange(12.0).reshape(4, 3) ** 2, np.array([0, 1, 2, 1])
    plain = losscli.compute("cross-entropy", pred=scores, target=classes)
    maps = {"pred": scores.reshape(shape), "target": classes[:, None]}
    assert losscli.compute("cross-entropy", class_axis=axis, **maps).value == plain.value
    soft = {"pred": scores.reshape(shape), "target": np.eye(3)[classes].reshape(shape)}
    assert losscli.compute("cross-entropy", class_axis=axis, **soft).value == plain.value


@pytest.mark.parametrize("suffix", ["parquet", "arrow"])
def test_tensors_of_arrow_have_their_shape(suffix: str, tmp_path: Path) -> None:
    rng, path = np.random.default_rng(4), tmp_path / f"t.{suffix}"
    pred, target = rng.random((50, 2, 3)), rng.integers(0, 3, (50, 2))
    tensors = {
        "pred": pa.FixedShapeTensorArray.from_numpy_ndarray(pred),
        "target": pa.FixedShapeTensorArray.from_numpy_ndarray(target),
        "row": pa.array(target[:, 0]),
    }
    WRITERS[suffix](path, tensors)
    for loss, expected in (("cross-entropy", target), ("mse", pred)):
        of_target = "target" if loss == "cross-entropy" else "pred"
        found = losscli.compute(loss, data=path, target=of_target, per_sample=True)
        same = losscli.compute(loss, pred=pred, target=expected, per_sample=True)
        np.testing.assert_array_equal(found.per_sample, same.per_sample)
    with pytest.raises(DataError, match="target"):
        losscli.compute("cross-entropy", data=path, target="row")
    kind = pa.fixed_shape_tensor(pa.float64(), [2, 3], permutation=[1, 0])
    flat = pa.array(pred.reshape(50, 6).tolist(), pa.list_(pa.float64(), 6))
    WRITERS[suffix](path, {"pred": pa.ExtensionArray.from_storage(kind, flat)})
    with pytest.raises(DataError, match=r"permutation=\[1,0\].*, expected arrays in the order"):
        losscli.compute("mse", data=path, target="pred")


@pytest.mark.parametrize("order", ["C", "F"])
@pytest.mark.parametrize("target", ["indices", "distribution"])
def test_class_axis(order: Any, target: str, tmp_path: Path, run: Run) -> None:
    rng = np.random.default_rng(2)
    pred = rng.normal(size=(50, 4, 3, 2))
    y = rng.integers(0, 4, (50, 3, 2))
    last = np.moveaxis(pred, 1, -1)
    expected = losscli.compute("cross-entropy", pred=last, target=y)
    if target == "distribution":
        y = np.moveaxis(np.eye(4)[y], -1, 1)
        expected = losscli.compute("cross-entropy", pred=last, target=np.moveaxis(y, 1, -1))
    np.save(tmp_path / "p.npy", np.asarray(pred, order=order))
    np.save(tmp_path / "t.npy", np.asarray(y, order=order))
    done = run(
        "compute", "cross-entropy", "--pred", "p.npy", "--target", "t.npy", "--class-axis", "1",
        "-f", "csv",
    )  # fmt: skip
    assert done.stderr == ""
    row = dict(zip(*(line.split(",") for line in done.stdout.splitlines()), strict=True))
    assert float(row["value"]) == expected.value
    assert "|class_axis:1|" in row["signature"]
    for axis in (1, -3):
        moved = losscli.compute("cross-entropy", pred=pred, target=y, class_axis=axis)
        assert moved.value == expected.value
    done = run(
        "compute", "cross-entropy", "--pred", "p.npy", "--target", "t.npy", "--class-axis", "-3",
        "-f", "value",
    )  # fmt: skip
    assert float(done.stdout) == expected.value


def test_a_value_is_named_by_its_place_in_the_file(tmp_path: Path) -> None:
    pred = np.zeros((3, 4, 2, 5))
    pred[1, 3, 0, 2] = np.nan
    np.save(tmp_path / "p.npy", pred)
    for axis in (1, -3):
        with pytest.raises(DataError, match=r"p\.npy, row 2: element 4, 1, 3: got nan"):
            losscli.compute(
                "cross-entropy",
                pred=tmp_path / "p.npy",
                target=np.zeros((3, 2, 5)),
                class_axis=axis,
            )
    with pytest.raises(DataError, match=r"p\.npy, row 2: element 4, 1, 3: got nan"):
        losscli.compute("mse", pred=tmp_path / "p.npy", target=pred)


def test_a_place_of_all_classes_is_named_by_its_place_in_the_file() -> None:
    pred = np.full((2, 3, 2, 4), 1 / 3)
    pred[1, :, 1, 2] = 0.5
    with pytest.raises(DataError, match=r"row 2: element 2, 3: a row that adds up to 1\.5"):
        losscli.compute(
            "cross-entropy", pred=pred, target=np.zeros((2, 2, 4)), input="probs", class_axis=1
        )


def test_class_axes_that_are_none(run: Run) -> None:
    scores, labels = np.zeros((2, 3)), np.zeros(2)
    assert losscli.compute("cross-entropy", pred=scores, target=labels, class_axis=1).n == 2
    for axis in (0, 2, -2):
        with pytest.raises(UsageError, match=rf"--class-axis {axis}: pred has shape \(n, 3\)"):
            losscli.compute("cross-entropy", pred=scores, target=labels, class_axis=axis)
    with pytest.raises(
        UsageError, match="pred is one column, of shape \\(n,\\), and has no"
    ) as one:
        losscli.compute("cross-entropy", pred=labels, target=labels, class_axis=1)
    assert one.value.hint.startswith("name the columns of all classes, such as a,b,c")
    for axis in (0, 3, -3):
        with pytest.raises(UsageError, match=rf"{axis}: pred has shape \(n, 3, 4\)") as error:
            losscli.compute("dice", pred=np.zeros((2, 3, 4)), target=labels, class_axis=axis)
        assert error.value.hint == "it is one of 1 to 2, or -2 to -1"
    with pytest.raises(UsageError, match="mse has no role with classes"):
        losscli.compute("mse", pred=labels, target=labels, class_axis=1)
    assert "No such option" in run("compute", "mse", "--class-axis", "1").stderr


@pytest.mark.parametrize(
    "suffix", ["parquet", "arrow", "arrows", "feather", "npy", "npz", "safetensors"]
)
def test_no_rows(suffix: str, tmp_path: Path) -> None:
    path = tmp_path / f"t.{suffix}"
    WRITERS[suffix](path, {"pred": np.empty(0), "target": np.empty(0)})
    with pytest.raises(DataError, match=r"t\..*: no rows"):
        losscli.compute("mse", data=path)


@pytest.mark.parametrize("order", ["C", "F"])
def test_no_rows_of_a_matrix(order: Any, tmp_path: Path) -> None:
    np.save(tmp_path / "m.npy", np.empty((0, 3), order=order))
    with pytest.raises(DataError, match=r"m\.npy: no rows"):
        losscli.compute("mse", pred=tmp_path / "m.npy", target=tmp_path / "m.npy")


@pytest.mark.parametrize(
    ("array", "kind", "message"),
    [
        (np.array([1, None]), FileError, "an array of Python objects, which are pickled"),
        (np.zeros(2, [("a", object)]), FileError, "an array of Python objects"),
        (np.array([1j]), DataError, "holds complex128, expected real numbers"),
        (np.zeros(2, "M8[s]"), DataError, r"holds datetime64\[s\], expected"),
        (np.zeros(2, [("a", [("b", "f8")])]), DataError, "expected numbers"),
        (np.float64(1), DataError, "a single value, expected an array"),
        (np.zeros((2, 0)), DataError, "its rows hold no values"),
    ],
)
def test_arrays_that_are_refused(array: Any, kind: Any, message: str, tmp_path: Path) -> None:
    np.save(tmp_path / "a.npy", array, allow_pickle=True)
    np.savez(tmp_path / "a.npz", a=array)
    for name in ("a.npy", "a.npz"):
        with pytest.raises(kind, match=rf"{name}.*{message}"):
            losscli.compute("mse", pred=tmp_path / name, target=tmp_path / name)


def test_only_the_fields_that_are_read_need_hold_numbers(tmp_path: Path) -> None:
    kind = [("p", ">f4"), ("n", [("a", "f8"), ("b", "i4")]), ("z", "c16"), ("L", "i8")]
    np.save(tmp_path / "s.npy", np.ones(3, kind))
    assert losscli.compute("mse", data=tmp_path / "s.npy", pred="p", target="L").value == 0
    for name in ("n", "z"):
        with pytest.raises(DataError, match=rf"s\.npy, column '{name}', row 1: the array holds"):
            losscli.compute("mse", data=tmp_path / "s.npy", pred="p", target=name)


def test_headers_of_python_2(tmp_path: Path) -> None:
    """Which wrote a shape as (3L,)."""
    path = tmp_path / "p.npy"
    np.save(path, np.arange(3.0))
    data = path.read_bytes()
    path.write_bytes(data.replace(b"(3,), } ", b"(3L,), }"))
    assert path.read_bytes() != data
    assert losscli.compute("mse", pred=path, target=[0.0, 1.0, 2.0]).value == 0


@pytest.mark.parametrize(
    "fields",
    [
        "'fortran_order': 'False', 'shape': (2, 2)",
        "'fortran_order': 1, 'shape': (2, 2)",
        "'fortran_order': None, 'shape': (2, 2)",
        "'fortran_order': False, 'shape': [2, 2]",
        "'fortran_order': False, 'shape': (True, 4)",
        "'fortran_order': False, 'shape': (2, 2), 'more': 1",
    ],
)
def test_headers_that_numpy_refuses(fields: str, tmp_path: Path) -> None:
    header = f"{{'descr': '<f8', {fields}}}\n".encode()
    start = b"\x93NUMPY\1\0" + len(header).to_bytes(2, "little")
    (tmp_path / "p.npy").write_bytes(start + header + np.arange(4.0).tobytes())
    if "True" not in fields:  # which NumPy takes for 1
        with pytest.raises(ValueError, match=r"fortran_order|shape|Header"):
            np.load(tmp_path / "p.npy")
    with pytest.raises(FileError, match="its header makes no sense"):
        losscli.compute("mse", pred=tmp_path / "p.npy", target=tmp_path / "p.npy")


@pytest.mark.parametrize("suffix", ["parquet", "arrow"])
def test_any_byte_but_zero_is_true(suffix: str, tmp_path: Path) -> None:
    """In arrow.bool8, https://arrow.apache.org/docs/format/CanonicalExtensions.html#bit-boolean."""
    storage = pa.array([0, 1, 5, -1, None], pa.int8())
    bytes_ = pa.ExtensionArray.from_storage(pa.bool8(), storage)
    table: Any = pa.table({"pred": bytes_, "target": [0.0, 0.0, 0.0, 0.0, 0.0]})
    path = tmp_path / f"p.{suffix}"
    if suffix == "parquet":
        pq.write_table(table, path)
    else:
        with pa.ipc.new_file(path, table.schema) as file:
            file.write(table)
    found = losscli.compute("mae", data=path, missing="skip", per_sample=True)
    np.testing.assert_array_equal(found.per_sample, [0, 1, 1, 1, np.nan])
    with pytest.raises(DataError, match="missing"):
        losscli.compute("mae", data=path)


@pytest.mark.parametrize("name", ["../x.npy", "/etc/x.npy", "a/../../x.npy"])
def test_paths_that_climb_out_of_an_archive(name: str, tmp_path: Path) -> None:
    """Nothing of an archive is written anywhere; whoever made this one meant no good."""
    data = io.BytesIO()
    np.save(data, np.ones(2))
    with zipfile.ZipFile(tmp_path / "x.npz", "w") as archive:
        archive.writestr("target.npy", data.getvalue())
        archive.writestr(name, data.getvalue())
    with pytest.raises(FileError, match="a path that climbs out of the archive"):
        losscli.compute("mse", data=tmp_path / "x.npz", pred="target")


def test_records_in_an_archive_are_refused(tmp_path: Path) -> None:
    np.savez(tmp_path / "a.npz", a=np.zeros(2, [("x", "f8")]))
    with pytest.raises(DataError, match="column 'a': records, expected numbers"):
        losscli.compute("mse", pred=tmp_path / "a.npz", target=tmp_path / "a.npz")


def test_names_of_fields_in_any_script(tmp_path: Path) -> None:
    """NumPy writes version 3 of its format for them."""
    with pytest.warns(UserWarning, match="format 3.0"):
        np.save(tmp_path / "a.npy", np.ones(2, [("оценка", "f8"), ("y", "f8")]))
    found = losscli.compute("mse", data=tmp_path / "a.npy", pred="оценка", target="y")
    assert found.value == 0


def test_more_bytes_than_the_header_says(tmp_path: Path) -> None:
    with (tmp_path / "two.npy").open("wb") as file:
        np.save(file, np.zeros(3))
        np.save(file, np.zeros(3))
    with pytest.raises(FileError, match=r"two\.npy: .* too long, 176 bytes of values where 3 of"):
        losscli.compute("mse", pred=tmp_path / "two.npy", target=tmp_path / "two.npy")


@pytest.mark.parametrize(
    ("members", "message"),
    [
        ({"a.txt": b"x"}, "a zip archive without .npy files, expected CSV, JSON lines, Parq"),
        ({"a.npy": b"x"}, "column 'a': not a readable NumPy file: it does not start as one"),
        ({}, "an empty zip archive"),
    ],
)
def test_archives_of_other_things(members: dict[str, bytes], message: str, tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    with pytest.raises(FileError, match=message):
        losscli.compute("mse", pred=tmp_path / "a.zip", target=[1.0])


def test_what_is_packed_may_be_anything(tmp_path: Path) -> None:
    """The content decides inside of a compressed file, too."""
    for suffix in ("npy", "npz", "parquet", "arrow", "arrows", "safetensors", "jsonl"):
        WRITERS[suffix](tmp_path / f"t.{suffix}", table(20))
        packed = tmp_path / f"{suffix}.gz"
        packed.write_bytes(gzip.compress((tmp_path / f"t.{suffix}").read_bytes()))
        expected = losscli.compute("mse", data=tmp_path / f"t.{suffix}").value
        assert losscli.compute("mse", data=packed).value == expected
    tabs = tmp_path / "t.tsv.gz"
    tabs.write_bytes(gzip.compress(b"pred\ttarget\n1\t3\n"))
    assert losscli.compute("mse", data=tabs).value == 4
    twice = tmp_path / "t.csv.gz"
    twice.write_bytes(gzip.compress(gzip.compress(b"pred\n1\n")))
    with pytest.raises(FileError, match="compressed twice"):
        losscli.compute("mse", data=twice)


def test_members_of_gzip_follow_each_other(tmp_path: Path) -> None:
    """`cat a.gz b.gz` is a gzip file, and so are its peers."""
    first, second = b"pred,target\n1,3\n", b"2,2\n"
    for pack in (gzip.compress, bz2.compress, lzma.compress,
                 lambda data: pa.compress(data, "zstd", asbytes=True)):  # fmt: skip
        path = tmp_path / "t.csv.packed"
        path.write_bytes(pack(first) + pack(second))
        assert losscli.compute("mse", data=path).value == 2


@pytest.mark.parametrize("pack", [gzip.compress, bz2.compress, lzma.compress])
@pytest.mark.parametrize("suffix", ["csv", "npy", "npz", "parquet", "feather", "arrows"])
def test_a_first_part_that_is_short_does_not_hide_the_format(
    suffix: str, pack: Callable[[bytes], bytes], tmp_path: Path
) -> None:
    plain, packed = tmp_path / f"p.{suffix}", tmp_path / "packed"
    WRITERS[suffix](plain, {"pred": np.array([1.0, 2]), "target": np.array([1.0, 5])})
    whole = plain.read_bytes()
    packed.write_bytes(b"".join(map(pack, (whole[:1], whole[1:3], whole[3:]))))
    assert losscli.compute("mae", data=packed).value == 1.5


def test_columns_called_as_a_compressed_file_begins(tmp_path: Path) -> None:
    (tmp_path / "p.csv").write_text("BZh,target\n1,2\n")
    path = str(tmp_path / "p.csv")
    assert losscli.compute("mae", data=path, pred="BZh", target="target").value == 1


def test_a_frame_that_is_skipped(tmp_path: Path) -> None:
    """zstd may begin with one, of which pzstd makes use (RFC 8878, 3.1.2)."""
    path = tmp_path / "t.csv.zst"
    packed = pa.compress(b"pred,target\n1,3\n", "zstd", asbytes=True)
    for first in range(0x50, 0x60):
        path.write_bytes(bytes([first]) + b"\x2a\x4d\x18\x04\x00\x00\x00note" + packed)
        assert losscli.compute("mse", data=path).value == 4


@pytest.mark.parametrize("suffix", ["npy", "npz", "arrow", "feather", "parquet", "safetensors"])
def test_a_suffix_that_is_not_true(suffix: str, tmp_path: Path) -> None:
    path = tmp_path / f"t.{suffix}"
    path.write_text("pred,target\n1,1\n")
    with pytest.raises(FileError, match="whatever its name says"):
        losscli.compute("mse", data=path)


@pytest.mark.parametrize("suffix", ["parquet", "arrow", "arrows", "npz", "safetensors", "jsonl"])
def test_lists_and_matrices_are_read_in_small_pieces(
    suffix: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rng = np.random.default_rng(4)
    pred, target = rng.normal(size=(200, 7)), rng.integers(0, 7, 200)
    expected = losscli.compute("cross-entropy", pred=pred, target=target)
    columns: Any = {"pred": pred, "target": target}
    if suffix not in ("npz", "safetensors", "jsonl"):
        columns["pred"] = pred.tolist()
    WRITERS[suffix](tmp_path / f"t.{suffix}", columns)
    monkeypatch.setattr(source, "PIECE_VALUES", 64)
    found = losscli.compute("cross-entropy", data=tmp_path / f"t.{suffix}")
    assert found.value == expected.value


def test_pieces_are_bounded_by_values(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    taken: list[int] = []
    take = NpyArray.take

    def spy(self: NpyArray, rows: int) -> Any:
        part = take(self, rows)
        taken.append(part.size)
        return part

    monkeypatch.setattr(NpyArray, "take", spy)
    monkeypatch.setattr(npy, "piece_rows", lambda width: max(1, 1000 // width))
    np.save(tmp_path / "a.npy", np.zeros((30, 3, 50)))
    losscli.compute("mse", pred=tmp_path / "a.npy", target=tmp_path / "a.npy")
    assert max(taken) == 900
    assert sum(taken) == 30 * 150


def test_compressed_columns_of_arrow(tmp_path: Path) -> None:
    columns = {name: np.repeat(column, 50) for name, column in table(100).items()}
    expected = losscli.compute("mse", pred=columns["pred"], target=columns["target"]).value
    for codec in ("uncompressed", "lz4", "zstd"):
        feather.write_feather(pa.table(columns), str(tmp_path / "t.feather"), compression=codec)
        assert losscli.compute("mse", data=tmp_path / "t.feather").value == expected


RNG = np.random.default_rng(8)
MAPS = RNG.uniform(size=(5, 4, 3, 2))  # classes on axis 1, as torch has them
BITS = np.round(RNG.uniform(size=MAPS.shape))


@pytest.mark.parametrize(
    ("loss", "options"),
    [
        ("dice", {"per": "class", "row": "columns"}),
        ("dice", {"per": "image-class", "reduction": "none"}),
        ("tversky", {"per": "image", "include_background": False, "reduction": "none"}),
        ("jaccard", {"per": "class", "weight": RNG.uniform(size=5)}),
        ("binary-cross-entropy", {"pos_weight": [1.0, 2.0, 3.0, 4.0], "row": "none"}),
        ("cosine-similarity", {"row": "none", "reduction": "none"}),
    ],
)
def test_class_axis_of_masks_weights_and_vectors(loss: str, options: dict[str, Any]) -> None:
    """What it names is what is on the last axis otherwise."""
    moved = losscli.compute(loss, pred=MAPS, target=BITS, class_axis=1, **options)
    from_last = losscli.compute(loss, pred=MAPS, target=BITS, class_axis=1 - MAPS.ndim, **options)
    np.testing.assert_array_equal(moved.value, from_last.value)
    last = {"pred": np.moveaxis(MAPS, 1, -1), "target": np.moveaxis(BITS, 1, -1)}
    expected = losscli.compute(loss, **last, **options)
    np.testing.assert_array_equal(moved.value, expected.value)
    assert "class_axis:1" in moved.signature
    if options.get("reduction") == "none":
        np.testing.assert_array_equal(moved.per_sample, expected.per_sample)


@pytest.mark.parametrize("shape", [(4, 3, 5), (4, 3, 3), (2, 2, 3, 4)])
@pytest.mark.parametrize("weighted", [False, True])
def test_losses_of_elements_are_in_the_order_of_the_file(
    shape: tuple[int, ...], weighted: bool
) -> None:
    """Each is −w (α t ln σ(z) + (1 − t) ln(1 − σ(z))) of its own entry, α that of its class."""
    z, t, w = RNG.normal(size=shape), np.round(RNG.uniform(size=shape)), RNG.uniform(size=shape)
    alpha = np.arange(1.0, shape[1] + 1)
    of_class = alpha.reshape((1, -1) + (1,) * (len(shape) - 2))
    expected = of_class * t * np.log1p(np.exp(-z)) + (1 - t) * np.log1p(np.exp(z))
    found = losscli.compute(
        "binary-cross-entropy", pred=z, target=t, weight=w if weighted else None,
        input="logits", pos_weight=alpha, class_axis=1, row="none", reduction="none",
    ).per_sample  # fmt: skip
    np.testing.assert_allclose(
        found, (expected * w if weighted else expected).reshape(shape[0], -1), rtol=1e-12
    )


def test_masks_of_classes_are_one_a_class() -> None:
    """Each class of a map is the mask that it is alone, and the background is the first of them."""
    alone = [losscli.compute("dice", pred=MAPS[:, c], target=BITS[:, c]).value for c in range(4)]
    together = losscli.compute("dice", pred=MAPS, target=BITS, per="class", class_axis=1)
    assert together.value == pytest.approx(np.mean(alone), rel=1e-15)
    without = losscli.compute(
        "dice", pred=MAPS, target=BITS, per="class", class_axis=1, include_background=False
    )
    assert without.value == pytest.approx(np.mean(alone[1:]), rel=1e-15)


def test_a_weight_for_each_of_some_other_axis() -> None:
    with pytest.raises(DataError, match="has 4 numbers, pred has 2 columns") as error:
        losscli.compute("binary-cross-entropy", pred=MAPS, target=BITS, pos_weight="1,2,3,4")
    assert "--class-axis" in error.value.hint


@pytest.mark.parametrize("threads", [1, 2])
def test_pages_with_fewer_rows_than_the_footer_says(threads: int, tmp_path: Path) -> None:
    """pyarrow gives what there is, without a word."""
    path = tmp_path / "p.parquet"
    table = pa.table({"pred": np.arange(100.0), "target": np.zeros(100)})
    pq.write_table(table, path, compression="none", use_dictionary=False, write_statistics=False)
    data = path.read_bytes()
    footer = len(data) - 8 - int.from_bytes(data[-8:-4], "little")
    # The number of rows as the footer writes it: 200 for 100, seven bits a byte.
    for times, said in ((-1, "20 rows more than its pages have"), (1, "damaged")):
        changed = data[footer:].replace(b"\xc8\x01", b"\xf0\x01", times)
        path.write_bytes(data[:footer] + changed)
        with pytest.raises(FileError, match=said):
            losscli.compute("mse", data=path, threads=threads)


@pytest.mark.parametrize(
    ("loss", "role"),
    [
        ("hinge-embedding", "target"),
        ("contrastive", "target"),
        ("cosine-embedding", "target"),
        ("zero-one", "target"),
        ("zero-one", "pred"),
        ("hamming", "pred"),
        ("hinge", "target"),
        ("mse", "target"),
    ],
)
def test_what_is_missing_has_no_loss(loss: str, role: str) -> None:
    """It may be kept, but compares as no label."""
    made = generate.inputs(CATALOGUE.losses[loss], 4, np.random.default_rng(1))
    made[role] = np.array(made[role], dtype=float)
    made[role][2] = np.nan
    found = losscli.compute(loss, **made, nonfinite="keep", reduction="none").per_sample
    np.testing.assert_array_equal(np.isnan(found), [False, False, True, False])

"""Any table of floats gives the same bits, whoever wrote it and in whatever format."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pyarrow.csv as pacsv
import pyarrow.feather as feather
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from safetensors.numpy import save_file

import losscli

Columns = dict[str, np.ndarray]
doubles = st.floats(allow_nan=False, allow_infinity=False)
tables = st.lists(st.tuples(doubles, doubles), min_size=1, max_size=30)


def _lines(path: Path, columns: Columns) -> None:
    rows = zip(*(column.tolist() for column in columns.values()), strict=True)
    path.write_text("".join(json.dumps({"pred": p, "target": t}) + "\n" for p, t in rows))


def _structs(path: Path, columns: Columns) -> None:
    rows = [{"pred": p} for p in columns["pred"].tolist()]
    table = pa.table({"out": rows, "target": columns["target"]}).flatten()
    pq.write_table(table.rename_columns(["pred", "target"]), path)


WRITERS: dict[str, Callable[[Path, Columns], Any]] = {
    "pandas.csv": lambda path, t: pd.DataFrame(t).to_csv(path, index=False),
    "pandas.tsv": lambda path, t: pd.DataFrame(t).to_csv(path, index=False, sep="\t"),
    "pandas.csv.gz": lambda path, t: pd.DataFrame(t).to_csv(path, index=False),
    "pandas.parquet": lambda path, t: pd.DataFrame(t).to_parquet(path),
    "pandas.feather": lambda path, t: pd.DataFrame(t).to_feather(path),
    "arrow.csv": lambda path, t: pacsv.write_csv(pa.table(t), path),
    "arrow.parquet": lambda path, t: pq.write_table(pa.table(t), path, row_group_size=3),
    "plain.parquet": lambda path, t: pq.write_table(
        pa.table(t), path, use_dictionary=False, column_encoding="BYTE_STREAM_SPLIT"
    ),
    "arrow.feather": lambda path, t: feather.write_feather(pa.table(t), str(path), "zstd"),
    "struct.parquet": _structs,
    "polars.csv": lambda path, t: pl.DataFrame(t).write_csv(path),
    "polars.parquet": lambda path, t: pl.DataFrame(t).write_parquet(path, row_group_size=4),
    "polars.arrow": lambda path, t: pl.DataFrame(t).write_ipc(path, compression="lz4"),
    "polars.jsonl": lambda path, t: pl.DataFrame(t).write_ndjson(path),
    "python.jsonl": _lines,
    "numpy.npz": lambda path, t: np.savez(path, **t),
    "numpy.csv": lambda path, t: np.savetxt(
        path, np.column_stack(list(t.values())), "%.17g", ",", header="pred,target", comments=""
    ),
    "numpy.safetensors": lambda path, t: save_file(dict(t), path),
}


@pytest.mark.parametrize("writer", WRITERS)
@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rows=tables)
def test_same_bits(writer: str, rows: list[tuple[float, float]], tmp_path: Path) -> None:
    pred, target = np.array(rows).T
    columns = {"pred": np.ascontiguousarray(pred), "target": np.ascontiguousarray(target)}
    path = tmp_path / writer
    WRITERS[writer](path, columns)
    with np.errstate(over="ignore"):
        expected = np.abs(pred - target)
    found = losscli.compute("mae", data=path, per_sample=True)
    assert found.per_sample.tobytes() == expected.tobytes()


NUMBERS = [
    pa.int8(), pa.uint8(), pa.int16(), pa.uint16(), pa.int32(), pa.uint32(), pa.int64(),
    pa.uint64(), pa.float16(), pa.float32(), pa.float64(), pa.bool_(), pa.decimal128(9, 2),
    pa.decimal128(38, 20), pa.decimal256(50, 10), pa.null(), pa.dictionary(pa.int8(), pa.float64()),
    pa.list_(pa.float32()), pa.list_(pa.int16(), 2), pa.large_list(pa.float64()),
    pa.struct([("x", pa.float64())]), pa.struct([("y", pa.struct([("x", pa.int64())]))]),
]  # fmt: skip


def _values(kind: Any) -> list[Any]:
    """Values of an Arrow type, one of them missing."""
    if pa.types.is_null(kind):
        return [None] * 4
    if pa.types.is_struct(kind):
        name = kind.field(0).name
        return [None if v is None else {name: v} for v in _values(kind.field(0).type)]
    if pa.types.is_list(kind) or pa.types.is_large_list(kind) or pa.types.is_fixed_size_list(kind):
        return [[1, 2], None, [3, 0], [5, 7]]
    return [True, None, False, True] if pa.types.is_boolean(kind) else [1, None, 0, 100]


def _flat(value: Any) -> Any:
    while isinstance(value, dict):
        (value,) = value.values()
    return np.nan if value is None else value


@pytest.mark.parametrize("suffix", ["parquet", "arrow", "arrows"])
@pytest.mark.parametrize("kind", NUMBERS, ids=str)
def test_every_type_of_column(kind: Any, suffix: str, tmp_path: Path) -> None:
    values = _values(kind)
    array = pa.array(values, kind)
    if pa.types.is_dictionary(kind) or suffix != "parquet":
        table = pa.table({"pred": pa.concat_arrays([array, array]).slice(4)})
    else:
        table = pa.table({"pred": array})
    path = tmp_path / f"t.{suffix}"
    if suffix == "parquet":
        pq.write_table(table, path)
    else:
        new = pa.ipc.new_file if suffix == "arrow" else pa.ipc.new_stream
        with new(str(path), table.schema) as out:
            out.write_table(table)
    plain = [_flat(value) for value in values]
    width = max((len(v) for v in plain if isinstance(v, list)), default=0)
    expected = np.array([[np.nan] * width if width and v is np.nan else v for v in plain], float)
    found = losscli.compute(
        "mae", pred=f"{path}#pred*", target=np.zeros(expected.shape), nonfinite="keep",
        row="none", per_sample=True,
    )  # fmt: skip
    np.testing.assert_array_equal(np.ravel(found.per_sample), np.abs(expected).ravel())


@settings(max_examples=50, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(st.decimals(-(10**20), 10**20, places=12), min_size=1),
    st.sampled_from([pa.decimal128(38, 12), pa.decimal256(60, 12)]),
)
def test_decimals_are_the_nearest_doubles(tmp_path: Path, values: list[Any], kind: Any) -> None:
    """Arrow's own cast is not: 0.001 of a decimal comes out as 0.0010000000000000002."""
    pq.write_table(pa.table({"x": pa.array(values, kind)}), tmp_path / "d.parquet")
    found = losscli.compute(
        "mae", pred=tmp_path / "d.parquet", target=np.zeros(len(values)), per_sample=True
    )
    assert found.per_sample.tolist() == [abs(float(value)) for value in values]


@pytest.mark.parametrize("kind", [pl.Categorical, pl.Enum(["no", "yes"]), pl.String])
@pytest.mark.parametrize("suffix", ["ipc", "parquet"])
def test_words_of_polars(kind: Any, suffix: str, tmp_path: Path) -> None:
    frame = pl.DataFrame({"pred": [0.5, 0.5], "target": pl.Series(["no", "yes"], dtype=kind)})
    path = tmp_path / "t"
    (frame.write_ipc if suffix == "ipc" else frame.write_parquet)(path)
    assert losscli.compute("hinge", data=path, labels="no,yes").value == 1.0
    assert len(losscli.compute("dice", pred=[0.5, 0.5], target=[0, 1], by=f"{path}#target",
                               per_sample=True).per_sample) == 2  # fmt: skip


def test_an_extension_type_is_what_it_is_stored_as(tmp_path: Path) -> None:
    tensors = pa.FixedShapeTensorArray.from_numpy_ndarray(np.arange(6.0).reshape(3, 2))
    pq.write_table(pa.table({"x": tensors}), tmp_path / "t.parquet")
    target = np.arange(6.0).reshape(3, 2)
    assert losscli.compute("mse", pred=tmp_path / "t.parquet", target=target).value == 0


def test_bfloat16_and_other_tensors(tmp_path: Path) -> None:
    """The bits of 1, −2.5 and 3.140625 as bfloat16: the upper halves of float32."""
    bits = (np.array([1, -2.5, 3.140625], np.float32).view(np.uint32) >> 16).astype("<u2")
    labels = np.array([1, 0, 2], np.int64)
    scores = np.array([[1, 2, 3], [3, 2, 1], [0, 0, 1]], np.float16)
    tensors = {"b": ("BF16", bits), "label": ("I64", labels), "scores": ("F16", scores),
               "one": ("F32", np.float32(1)),
               "tiny": ("F8_E4M3", np.zeros(3, np.uint8))}  # fmt: skip
    header, data = {"__metadata__": {"format": "pt"}}, b""
    for name, (kind, array) in tensors.items():
        place = [len(data), len(data) + array.nbytes]
        header[name] = {"dtype": kind, "shape": list(array.shape), "data_offsets": place}
        data += array.tobytes()
    text = json.dumps(header).encode()
    path = tmp_path / "t.safetensors"
    path.write_bytes(len(text).to_bytes(8, "little") + text + data)
    assert losscli.compute("mse", pred=f"{path}#b", target=[1, -2.5, 3.140625]).value == 0
    found = losscli.compute("cross-entropy", data=path, pred="scores", target="label")
    expected = losscli.compute("cross-entropy", pred=scores.astype(float), target=labels)
    assert found.value == expected.value
    with pytest.raises(losscli.errors.DataError, match="column 'one': a single value"):
        losscli.compute("mse", pred=f"{path}#one", target=[1.0])
    with pytest.raises(losscli.errors.DataError, match="the tensor holds F8_E4M3, expected"):
        losscli.compute("mse", pred=f"{path}#tiny", target=[1.0, 1.0, 1.0])
    header["b"]["data_offsets"] = [0, 10**9]
    text = json.dumps(header).encode()
    path.write_bytes(len(text).to_bytes(8, "little") + text + data)
    with pytest.raises(losscli.errors.FileError, match="does not begin where"):
        losscli.compute("mse", pred=f"{path}#b", target=[1, -2.5, 3.140625])

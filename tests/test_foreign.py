"""Files of formats that are not read say what they are, and what makes them readable."""

import gzip
import io
import lzma
import os
import pickle
import re
import shutil
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import losscli
from losscli.errors import FileError
from tests.conftest import Run


def archive(*members: str) -> bytes:
    """A zip archive of empty members."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as into:
        for name in members:
            into.writestr(name, b"")
    return packed.getvalue()


#: how the event files of TensorBoard begin: a record of 24 bytes, and the checksum of that
TAR = tarfile.TarInfo("p.csv").tobuf() + bytes(1024)
TFRECORD = bytes.fromhex("1800000000000000a37f4b22") + bytes(28)
NEVER = "a pickle can run any program, so none is ever loaded; "


def refusal(path: Any, **given: Any) -> FileError:
    """The error of a file that is not read."""
    with pytest.raises(FileError) as error:
        losscli.compute("mse", **(given or {"data": path}))
    return error.value


@pytest.mark.parametrize(
    ("name", "data", "what", "hint"),
    [
        ("p.xlsx", archive("[Content_Types].xml", "xl/workbook.xml"), "an Excel workbook",
         "pandas.read_excel('p.xlsx').to_csv('p.xlsx.csv', index=False)"),
        ("p.ods", archive("mimetype", "content.xml"), "an OpenDocument file",
         "pandas.read_excel('p.ods').to_csv"),
        ("p.xls", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(50), "an old Excel", "read_excel"),
        ("p.pt", archive("p/data.pkl", "p/data/0"), "a PyTorch file",
         NEVER + "where it is one tensor, python -c \"import torch, numpy; numpy.save('p.pt.npy', "
         "torch.load('p.pt', 'cpu', weights_only=True).detach().double().numpy())\""),
        ("p.pth", b"\x80\x02\x8a\nl\xfc\x9cF\xf9 j\xa8P\x19.\x80\x02M", "a PyTorch file", NEVER),
        ("p.keras", archive("config.json", "model.weights.h5"), "a Keras model", "model.predict"),
        ("p.zip", archive("a/", "a/p q.csv"), "a zip archive without .npy files",
         "unzip -p p.zip 'a/p q.csv' | losscli … reads one file of it from '-'"),
        ("p.pkl", pickle.dumps([1.0]), "a pickle", NEVER + "for a table of your own, python"),
        ("p.pickle", pickle.dumps([1.0], 2), "a pickle", "pandas.read_pickle('p.pickle')"),
        ("p.h5", b"\x89HDF\r\n\x1a\n" + bytes(50), "HDF5", "h5py.File('p.h5')['NAME'][:])"),
        ("p.mat", b"MATLAB 5.0 MAT-file" + bytes(50), "a MATLAB file", "scipy.io.loadmat('p.mat')"),
        ("p.mat", b"MATLAB 7.3 MAT-file" + bytes(50), "a MATLAB file of version 7.3", "'][:].T)"),
        ("p.feather", b"FEA1" + bytes(12), "Feather version 1",
         "pandas.read_feather('p.feather').to_parquet('p.feather.parquet')"),
        ("p.orc", b"ORC\n\x06\x12\x04\x08\x02P\x00", "ORC", "pandas.read_orc('p.orc')"),
        ("p.lz4", b"\x04\x22\x4d\x18\x64\x40\xa7", "packed by lz4", "lz4 -dc < p.lz4 | losscli"),
        ("p.sz", b"\xff\x06\0\0sNaPpY\x01", "packed by snappy", "snzip -dc < p.sz | loss"),
        ("p.Z", b"\x1f\x9d\x90p\xe4", "packed by compress", "gzip -dc < p.Z | losscli"),
        ("p.lzma", lzma.compress(b"p,t\n1,2\n", lzma.FORMAT_ALONE), "packed by lzma", "xz -dc < "),
        ("p.avro", b"Obj\x01\x04", "Avro", "fastavro.reader(open('p.avro', 'rb'))"),
        ("p.rds", gzip.compress(b"X\n\0\0\0\x03\0\x04"), "an object of R", "readRDS('p.rds')"),
        ("p.RData", gzip.compress(b"RDX3\nX\n\0\0"), "a workspace of R", "load('p.RData')"),
        ("p.tfrecord", TFRECORD, "TFRecord", "tf.io.parse_single_example"),
        ("p.tar", TAR, "a tar archive", "tar -xf p.tar unpacks it"),
        ("p.db", b"SQLite format 3\0" + bytes(50), "an SQLite database",
         "sqlite3 -csv -header p.db 'select * from NAME' > p.db.csv"),
        ("p.npy", b"version https://git-lfs.github.com/spec/v1\noid sha256:0\n", "a pointer of Git",
         "git lfs pull"),
        ("p.parquet", b"PARE" + bytes(50), "an encrypted Parquet file", "without encryption"),
        ("p.png", b"\x89PNG\r\n\x1a\n" + bytes(50), "an image", "PIL.Image.open('p.png')"),
        ("p.xml", b'<?xml version="1.0"?>\n<rows/>\n', "XML", "pandas.read_xml('p.xml', parser="),
        ("p.pdf", b"%PDF-1.7\n", "a PDF document", ""),
        ("p.7z", b"7z\xbc\xaf\x27\x1c\0\4", "a 7z archive", "7z x p.7z"),
        ("p.bin", bytes(50), "binary data of no known format", "for raw numbers, python -c "
         "\"import numpy; numpy.save('p.bin.npy', numpy.fromfile('p.bin', 'float32'))\""),
        ("p.tsv", b"\n<!DOCTYPE html>\n<html>", "a web page", "head p.tsv"),
    ],
    ids=lambda value: value if isinstance(value, str) and len(value) < 11 else "",
)  # fmt: skip
def test_a_file_says_what_it_is(
    name: str, data: bytes, what: str, hint: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By what is in it, whatever its name."""
    monkeypatch.chdir(tmp_path)
    for path in (name, "other.csv"):
        Path(path).write_bytes(data)
        error = refusal(path)
        assert error.message.startswith(f"{path}: {what}")
        expected = ", expected CSV, JSON lines, Parquet, Arrow, NumPy or safetensors"
        assert error.message.endswith(expected)
        assert hint.replace(name, path) in error.hint
        assert "\n" not in error.hint


def test_an_archive_through_a_pipe(run: Run) -> None:
    """Its mark is far behind the first bytes."""
    done = run("check", "--data", "-", input=TAR)
    assert done.stderr.startswith("error: standard input: a tar archive, expected CSV")


@pytest.mark.parametrize(
    "name", ["ORC", "ORCID", "FEA1", "Obj", "X", "RDX", "MATLAB 5", "PK", "version https", "html"]
)
def test_names_of_columns_are_no_magic(name: str, tmp_path: Path) -> None:
    (tmp_path / "p.csv").write_text(f"{name}\n1\n2\n")
    assert losscli.compute("mse", pred=tmp_path / "p.csv", target=[1.0, 4.0]).value == 2


def test_a_checksum_makes_a_tfrecord(tmp_path: Path) -> None:
    (tmp_path / "p.bin").write_bytes(TFRECORD[:11] + b"#" + TFRECORD[12:])
    assert "TFRecord" not in refusal(tmp_path / "p.bin").message


def test_a_name_that_needs_quotes_is_not_in_the_hint(tmp_path: Path) -> None:
    path = tmp_path / "it's.pkl"
    path.write_bytes(pickle.dumps(1))
    assert "pandas.read_pickle('FILE').to_parquet('FILE.parquet'" in refusal(str(path)).hint


def test_what_is_packed_is_unpacked_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("p.h5.gz").write_bytes(gzip.compress(b"\x89HDF\r\n\x1a\n" + bytes(50)))
    error = refusal("p.h5.gz")
    assert error.message.startswith("p.h5.gz: HDF5")
    assert error.hint.startswith("unpack it first; then, python -c ")
    assert "h5py.File('p.h5')" in error.hint


@pytest.mark.parametrize(
    "data",
    [
        np.arange(50, dtype=dtype).tobytes()
        for dtype in ("int8", "int16", ">i2", "int32", "float32", "float64", ">f8")
    ]
    + [np.random.default_rng(seed).bytes(100) for seed in range(20)],
)
def test_binary_data_is_no_text(data: bytes, tmp_path: Path) -> None:
    (tmp_path / "p.dat").write_bytes(data)
    error = refusal(str(tmp_path / "p.dat"))
    assert error.message.startswith(f"{tmp_path / 'p.dat'}: binary data of no known format")


@pytest.mark.parametrize("encoding", ["UTF-16LE", "UTF-16BE"])
@pytest.mark.parametrize("text", ["pred,target\n1,2\n", "Оценка,y\r\n0.25,1\r\n", "1\n"])
def test_the_hint_names_the_byte_order(encoding: str, text: str, tmp_path: Path) -> None:
    (tmp_path / "p.csv").write_bytes(text.encode(encoding))
    error = refusal(tmp_path / "p.csv")
    assert "text with zero bytes" in error.message
    assert error.hint.startswith(f"iconv -f {encoding} -t UTF-8 ")


@pytest.mark.parametrize(
    "data",
    ["pred,target\n1,2\n".encode(e) for e in ("utf-8", "utf-8-sig", "utf-16", "utf-32")]
    + ["pred,target,имя\n1,2,я\n".encode(), b"pred,target,\xff\n1,2,3\n"]
    + [b"pred,target,\x1b[31m\n1,2,3\n", b"pred,target,\x01\n1,2,3\n"],
)
def test_text_is_not_binary(data: bytes, tmp_path: Path) -> None:
    (tmp_path / "p.csv").write_bytes(data)
    found = losscli.compute("mse", data=tmp_path / "p.csv", pred="pred", target="target")
    assert found.value == 1


@pytest.mark.parametrize(
    ("data", "but", "hint"),
    [
        (b"", ", but empty", ""),
        (b"pred,target\n1,2\n", ", but text", "--input-format csv, tsv or jsonl reads it"),
        (bytes(100), "", ""),
    ],
)
def test_a_name_that_promises_another_format(
    data: bytes, but: str, hint: str, tmp_path: Path
) -> None:
    path = tmp_path / "p.parquet"
    path.write_bytes(data)
    error = refusal(path)
    assert error.message == f"{path}: not a Parquet file, whatever its name says{but}"
    assert error.hint == hint
    if hint:
        assert losscli.compute("mse", data=path, input_format="csv").value == 1


def test_what_brotli_packs_does_not_say_so(tmp_path: Path) -> None:
    rows = "".join(f"{i},{i * i % 97}\n" for i in range(1000)).encode()
    packed = pa.compress(b"pred,target\n" + rows, "brotli", asbytes=True)
    (tmp_path / "p.csv.br").write_bytes(packed)
    error = refusal(str(tmp_path / "p.csv.br"))
    assert "packed by brotli as its name says" in error.message
    assert error.hint.startswith("brotli -dc < ")


@pytest.mark.parametrize("name", ["p.parquet", "p.npy", "p.pkl"])
def test_a_format_that_is_named_wrongly(name: str, tmp_path: Path) -> None:
    path = tmp_path / name
    if name == "p.parquet":
        table: Any = pa.table({"pred": [1.0], "target": [2.0]})
        pq.write_table(table, path)
    elif name == "p.npy":
        np.save(path, np.zeros((2, 2)))
    else:
        path.write_bytes(pickle.dumps(0.5))
    error = refusal(path, data=path, input_format="csv")
    if name == "p.pkl":
        assert error.message.startswith(f"{path}: a pickle, expected")
    else:
        assert error.message == f"{path}: in the format {path.suffix[1:]}, not csv"
        assert error.hint == "--input-format is not needed for it"


@pytest.mark.parametrize("kind", ["parquet", "ipc"])
def test_whole_numbers_of_128_bits_say_whose_they_are(kind: str, tmp_path: Path) -> None:
    path = tmp_path / f"p.{kind}"
    wide = pl.Series([1, 2], dtype=pl.Int128)
    frame = pl.DataFrame({"pred": [1.0, 2.0], "target": wide})
    getattr(frame, f"write_{kind}")(path)
    error = refusal(path)
    assert "more than 64 bits" in error.message
    assert "frame.cast({polars.Int128: polars.Decimal(38, 0)})" in error.hint
    getattr(frame.cast({pl.Int128: pl.Decimal(38, 0)}), f"write_{kind}")(path)
    assert losscli.compute("mse", data=path).value == 0


class TestHintsThatWork:
    """Those whose programs and libraries are there."""

    @pytest.fixture(autouse=True)
    def folder(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.chdir(tmp_path)

    @pytest.mark.filterwarnings("ignore:Feather V1:DeprecationWarning")
    @pytest.mark.parametrize("name", ["p.orc", "p.pkl", "p.feather", "p.xlsx"])
    def test_tables(self, name: str) -> None:
        pd: Any = pytest.importorskip("pandas")
        pred = np.array([0.1, 2], np.float32)
        table = pd.DataFrame({"pred": pred, "target": [float(pred[0]), 4.0]})
        if name == "p.orc":
            table.to_orc(name, index=False)
        elif name == "p.pkl":
            table.to_pickle(name)
        elif name == "p.feather":
            feather: Any = pytest.importorskip("pyarrow.feather")
            feather.write_feather(table, name, version=1)
        else:
            pytest.importorskip("openpyxl")
            table.to_excel(name, index=False)
        follow(refusal(name).hint)
        converted = f"{name}.csv" if name == "p.xlsx" else f"{name}.parquet"
        assert losscli.compute("mse", data=converted).value == 2

    def test_packed_by_lzma(self) -> None:
        if shutil.which("xz") is None:
            pytest.skip("xz is not there")
        Path("p.lzma").write_bytes(lzma.compress(b"pred,target\n1,2\n", lzma.FORMAT_ALONE))
        command = refusal("p.lzma").hint.split(" | ")[0]
        text = subprocess.run(command, shell=True, capture_output=True, check=True).stdout
        assert text == b"pred,target\n1,2\n"

    def test_xml(self) -> None:
        pytest.importorskip("pandas")
        rows = "<r><pred>1</pred><target>1</target></r><r><pred>2</pred><target>4</target></r>"
        Path("p.xml").write_text(f'<?xml version="1.0"?>\n<rows>{rows}</rows>\n')
        follow(refusal("p.xml").hint)
        assert losscli.compute("mse", data="p.xml.csv").value == 2

    def test_images(self) -> None:
        image: Any = pytest.importorskip("PIL.Image")
        image.fromarray(np.eye(3, dtype=np.uint8)).save("p.png")
        follow(refusal("p.png").hint)
        assert losscli.compute("mse", pred="p.png.npy", target=np.eye(3)).value == 0

    def test_raw_numbers(self) -> None:
        np.linspace(1, 2, 20, dtype=np.float32).tofile("p.bin")
        follow(refusal("p.bin").hint)
        assert np.load("p.bin.npy").dtype == np.float32

    def test_avro(self) -> None:
        fastavro: Any = pytest.importorskip("fastavro")
        fields = [{"name": name, "type": "double"} for name in ("pred", "target")]
        with Path("p.avro").open("wb") as file:
            rows = [{"pred": 1.0, "target": 1.0}, {"pred": 2.0, "target": 4.0}]
            fastavro.writer(file, {"type": "record", "name": "row", "fields": fields}, rows)
        follow(refusal("p.avro").hint)
        assert losscli.compute("mse", data="p.avro.csv").value == 2

    def test_hdf5(self) -> None:
        h5py: Any = pytest.importorskip("h5py")
        with h5py.File("p.h5", "w") as file:
            file["NAME"] = np.arange(6.0).reshape(3, 2)
        follow(refusal("p.h5").hint)
        assert losscli.compute("mse", pred="p.h5.npy", target=np.arange(6.0).reshape(3, 2)).n == 3

    def test_matlab(self) -> None:
        """A matrix of 3 rows is one of 3 rows."""
        matrix = np.arange(6.0).reshape(3, 2)
        io: Any = pytest.importorskip("scipy.io")
        io.savemat("p.mat", {"NAME": matrix})
        follow(refusal("p.mat").hint)
        assert np.array_equal(np.load("p.mat.npy"), matrix)
        h5py: Any = pytest.importorskip("h5py")
        # MATLAB writes its own header in front, and the columns of a matrix one after the other.
        with h5py.File("7.mat", "w", userblock_size=512) as file:
            file["NAME"] = matrix.T
        with Path("7.mat").open("r+b") as raw:
            raw.write(b"MATLAB 7.3 MAT-file, Platform: GLNXA64".ljust(128))
        follow(refusal("7.mat").hint)
        assert np.array_equal(np.load("7.mat.npy"), matrix)

    @pytest.mark.parametrize("zipped", [True, False])
    def test_tensors(self, zipped: bool) -> None:
        torch: Any = pytest.importorskip("torch")
        tensor = torch.tensor([1.0, 2.0], dtype=torch.bfloat16, requires_grad=True)
        torch.save(tensor, "p.pt", _use_new_zipfile_serialization=zipped)
        error = refusal("p.pt", pred="p.pt", target=[1.0, 4.0])
        assert "a PyTorch file" in error.message
        follow(error.hint)
        assert losscli.compute("mse", pred="p.pt.npy", target=[1.0, 4.0]).value == 2

    @pytest.mark.skipif(not shutil.which("sqlite3"), reason="sqlite3 is not installed")
    def test_databases(self) -> None:
        import sqlite3

        with sqlite3.connect("p.db") as database:
            database.execute("create table NAME (pred, target)")
            database.execute("insert into NAME values (1, 1), (2, 4)")
        database.close()
        follow(refusal("p.db").hint.split(";")[0])
        assert losscli.compute("mse", data="p.db.csv").value == 2

    @pytest.mark.skipif(not shutil.which("unzip"), reason="unzip is not installed")
    def test_archives(self) -> None:
        with zipfile.ZipFile("p.zip", "w") as packed:
            packed.writestr("a/p q.csv", "pred,target\n1,1\n2,4\n")
        command, _ = refusal("p.zip").hint.split(" | losscli …")
        follow(f"{command} > p.csv")
        assert losscli.compute("mse", data="p.csv").value == 2


def follow(hint: str) -> None:
    """Run what a hint says, where that is Python's, with the Python of the tests."""
    program = re.search(r'python -c "[^"]+"', hint)
    command = program[0].replace("python", sys.executable, 1) if program else hint
    paths = os.pathsep.join(sys.path)
    subprocess.run(command, shell=True, check=True, env={**os.environ, "PYTHONPATH": paths})

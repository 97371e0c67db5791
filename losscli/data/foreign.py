"""Files of formats that nothing here reads: what they are, and what makes one of them readable."""

from collections.abc import Sequence
from os.path import splitext
from typing import NamedTuple

from losscli.data.compression import SUFFIXES
from losscli.data.source import EXPECTED
from losscli.data.text import quoted
from losscli.errors import FileError


class _Foreign(NamedTuple):
    """A format, told by how a file starts or by the name of a member of a zip archive."""

    what: str
    #: {file} is the file's name, {member} that of the first file of an archive
    hint: str


def _pandas(read: str) -> str:
    return f"python -c \"import pandas; pandas.{read}('{{file}}').to_csv({_CSV})\""


def _parquet(read: str) -> str:
    """For what has types: in text, a number of 32 bits would become another of 64."""
    return f"python -c \"import pandas; pandas.{read}('{{file}}').to_parquet('{{file}}.parquet')\""


def _stream(program: str) -> str:
    return f"{program} < {{file}} | losscli … reads it from '-'"


def _numpy(read: str, *libraries: str) -> str:
    imported = ", ".join([*libraries, "numpy"])
    return f"python -c \"import {imported}; numpy.save('{{file}}.npy', {read})\""


#: the whole name with a suffix more, so that no other file is written over
_CSV = "'{file}.csv', index=False"
#: a pickle is never loaded, and the hints say why
_NEVER = "a pickle can run any program, so none is ever loaded"
# NumPy takes no tensor that has a gradient or is bfloat16.
_TENSOR = "torch.load('{file}', 'cpu', weights_only=True).detach().double().numpy()"
_TORCH = _Foreign("a PyTorch file", f"{_NEVER}; where it is one tensor, {_numpy(_TENSOR, 'torch')}")
_HDF5 = "h5py.File('{file}')['NAME'][:]"
_NAMES = "; h5ls -r {file} lists the names"

#: by what such files start with
_STARTS = {
    (b"FEA1\0",): _Foreign("Feather version 1", _parquet("read_feather")),
    (b"ORC",): _Foreign("ORC", _parquet("read_orc")),
    (b"Obj\x01",): _Foreign(
        "Avro",
        'python -c "import fastavro, pandas; pandas.DataFrame('
        f"fastavro.reader(open('{{file}}', 'rb'))).to_csv({_CSV})\"",
    ),
    # MATLAB keeps a matrix by its columns, and HDF5 by its rows.
    (b"MATLAB 7.3 MAT-file",): _Foreign(
        "a MATLAB file of version 7.3, which is HDF5", _numpy(_HDF5 + ".T", "h5py") + _NAMES
    ),
    (b"MATLAB 5.0 MAT-file",): _Foreign(
        "a MATLAB file",
        _numpy("scipy.io.loadmat('{file}')['NAME']", "scipy.io")
        + "; scipy.io.whosmat lists the names",
    ),
    (b"\x89HDF",): _Foreign("HDF5", _numpy(_HDF5, "h5py") + _NAMES),
    (b"SQLite format 3",): _Foreign(
        "an SQLite database",
        "sqlite3 -csv -header {file} 'select * from NAME' > {file}.csv; "
        "sqlite3 {file} .tables lists the names",
    ),
    (b"X\n\0\0\0\x02", b"X\n\0\0\0\x03"): _Foreign(
        "an object of R",
        "Rscript -e \"write.csv(readRDS('{file}'), '{file}.csv', row.names = FALSE)\"",
    ),
    (b"RDX2\n", b"RDX3\n", b"RDA2\n", b"RDA3\n"): _Foreign(
        "a workspace of R",
        "Rscript -e \"print(load('{file}')); write.csv(NAME, '{file}.csv', row.names = FALSE)\"; "
        "print shows the names",
    ),
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1",): _Foreign(
        "an old Excel or Office file", _pandas("read_excel")
    ),
    # PyTorch before 1.6 began its pickles with a number of its own.
    (b"\x80\x02\x8a\nl\xfc\x9cF\xf9 j\xa8P\x19.",): _TORCH,
    (b"\x80\x02", b"\x80\x03", b"\x80\x04", b"\x80\x05"): _Foreign(
        "a pickle", f"{_NEVER}; for a table of your own, {_parquet('read_pickle')}"
    ),
    (b"PARE",): _Foreign(
        "an encrypted Parquet file", "write it without encryption, or its values as CSV"
    ),
    (b"\x89PNG\r\n", b"\xff\xd8\xff", b"II*\0", b"MM\0*"): _Foreign(
        "an image", _numpy("numpy.asarray(PIL.Image.open('{file}'))", "PIL.Image")
    ),
    (b"<?xml ",): _Foreign(
        "XML",
        f"python -c \"import pandas; pandas.read_xml('{{file}}', parser='etree').to_csv({_CSV})\"",
    ),
    (b"%PDF-",): _Foreign("a PDF document", ""),
    (b"\x04\x22\x4d\x18",): _Foreign("packed by lz4", _stream("lz4 -dc")),
    (b"\xff\x06\0\0sNaPpY",): _Foreign("packed by snappy", _stream("snzip -dc")),
    (b"\x1f\x9d",): _Foreign("packed by compress", _stream("gzip -dc")),
    (b"\x5d\0\0",): _Foreign("packed by lzma", _stream("xz -dc")),
    (b"7z\xbc\xaf\x27\x1c",): _Foreign("a 7z archive", "7z x {file} unpacks it"),
    (b"PK\x05\x06",): _Foreign("an empty zip archive", "numpy.savez writes arrays into one"),
    (b"version https://git-lfs.github.com/spec/",): _Foreign(
        "a pointer of Git LFS to a file elsewhere", "git lfs pull fetches that"
    ),
}
_TAR = _Foreign("a tar archive", "tar -xf {file} unpacks it; tar -tf {file} lists what is in it")
_TFRECORD = _Foreign(
    "TFRecord", "write the values that tf.io.parse_single_example gives as CSV or Parquet"
)
_BINARY = _Foreign(
    "binary data of no known format",
    "for raw numbers, " + _numpy("numpy.fromfile('{file}', 'float32')"),
)
#: which does not say what it is
_BROTLI = _Foreign("binary data, packed by brotli as its name says", _stream("brotli -dc"))
_WEB_PAGE = _Foreign(
    "a web page", "a download that failed may have left it: head {file} shows what it says"
)
#: by the names of members, where they are in no folder or in any
_MEMBERS = {
    "xl/workbook.xml": _Foreign("an Excel workbook", _pandas("read_excel")),
    "xl/workbook.bin": _Foreign("an Excel workbook", _pandas("read_excel")),
    "data.pkl": _TORCH,
    "content.xml": _Foreign("an OpenDocument file", _pandas("read_excel")),
    "model.weights.h5": _Foreign(
        "a Keras model", "what it predicts is read: numpy.save('predicted.npy', model.predict(x))"
    ),
}
_ARCHIVE = _Foreign(
    "a zip archive without .npy files",
    "unzip -p {file} {member} | losscli … reads one file of it from '-'",
)


def refuse(head: bytes, display: str) -> None:
    """Raise the error of a file that starts as one of a format that is not read."""
    if head[257:262] == b"ustar":
        raise _error(_TAR, display)
    found = next((each for starts, each in _STARTS.items() if head.startswith(starts)), None)
    # ORC may be the name of a column, too; no text has such bytes after it.
    if head.startswith(b"ORC") and min(head[3:16], default=9) > 8:
        found = None
    if _is_tfrecord(head):
        found = _TFRECORD
    if head.lstrip().lower().startswith((b"<!doctype html", b"<html")):
        found = _WEB_PAGE
    if found is not None:
        raise _error(found, display)


def binary(display: str) -> FileError:
    """The error of a file that is no text, and nobody knows what."""
    return _error(_BROTLI if display.lower().endswith(".br") else _BINARY, display)


def of_archive(members: Sequence[str], display: str) -> FileError:
    """The error of a zip archive without arrays, by the names of its members."""
    found = next(
        (
            each
            for name, each in _MEMBERS.items()
            if any(f"/{m}".endswith(f"/{name}") for m in members)
        ),
        _ARCHIVE,
    )
    return _error(found, display, next((m for m in members if not m.endswith("/")), "NAME"))


def _error(foreign: _Foreign, display: str, member: str = "") -> FileError:
    """The hint can be run as it is, but where a name would need quotes inside of quotes."""
    inner, outer = splitext(display)
    packed = outer.lower() in SUFFIXES
    name = inner if packed else display
    plain = quoted(name) == name and "://" not in name
    hint = foreign.hint.format(file=name if plain else "FILE", member=quoted(member))
    return FileError(
        f"{display}: {foreign.what}, expected {EXPECTED}",
        f"unpack it first; then, {hint}" if packed else hint,
    )


def _is_tfrecord(head: bytes) -> bool:
    """Whether a length comes first and then its checksum, as before every record.

    The checksum is CRC-32C, turned by 15 bits and moved by a constant.
    """
    if len(head) < 12:
        return False
    crc = 0xFFFFFFFF
    for byte in head[:8]:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ (0x82F63B78 if crc & 1 else 0)
    crc ^= 0xFFFFFFFF
    masked = ((crc >> 15 | crc << 17) + 0xA282EAD8) & 0xFFFFFFFF
    return masked == int.from_bytes(head[8:12], "little")

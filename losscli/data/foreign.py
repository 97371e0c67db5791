"""Files of formats that nothing here reads: what they are, and what makes one of them readable."""

import re
import shlex
from collections.abc import Sequence
from os.path import splitext
from typing import NamedTuple

from losscli.data.compression import SUFFIXES
from losscli.data.source import EXPECTED
from losscli.errors import FileError


class _Foreign(NamedTuple):
    """A format, told by the start of a file or by the name of a member of a zip archive."""

    mark: re.Pattern[bytes]
    what: str
    #: {file} is the file's name, {member} that of the first file of an archive
    hint: str


def _pandas(read: str) -> str:
    return f"python -c \"import pandas; pandas.{read}('{{file}}').to_csv({_CSV})\""


def _numpy(library: str, read: str) -> str:
    return f"python -c \"import {library}, numpy; numpy.save('{{file}}.npy', {read})\""


#: the whole name with a suffix more, so that no other file is written over
_CSV = "'{file}.csv', index=False"
#: a pickle is never loaded, and the hints say why
_NEVER = "a pickle can run any program, so none is ever loaded"
# NumPy takes no tensor that has a gradient or is bfloat16.
_TENSOR = "torch.load('{file}', 'cpu', weights_only=True).detach().double().numpy()"
_TORCH = ("a PyTorch file", f"{_NEVER}; where it is one tensor, {_numpy('torch', _TENSOR)}")
_HDF5 = "h5py.File('{file}')['NAME'][:]"
_EXAMPLES = "write the values that tf.io.parse_single_example gives as CSV or Parquet"
_NAMES = "; h5ls -r {file} lists the names"

_STARTS = [
    _Foreign(re.compile(mark), what, hint)
    for mark, what, hint in (
        (rb"FEA1\0", "Feather version 1", _pandas("read_feather")),
        # ORC may be the name of a column, too; no text has the bytes after it.
        (rb"ORC[\s\S]{0,13}?[\0-\x08]", "ORC", _pandas("read_orc")),
        (rb"Obj\x01", "Avro", 'python -c "import fastavro, pandas; pandas.DataFrame('
         f"fastavro.reader(open('{{file}}', 'rb'))).to_csv({_CSV})\""),
        # MATLAB keeps a matrix by its columns, and HDF5 by its rows.
        (rb"MATLAB 7\.3 MAT-file", "a MATLAB file of version 7.3, which is HDF5",
         _numpy("h5py", _HDF5 + ".T") + _NAMES),
        (rb"MATLAB 5\.0 MAT-file", "a MATLAB file",
         _numpy("scipy.io", "scipy.io.loadmat('{file}')['NAME']")
         + "; scipy.io.whosmat lists the names"),
        (rb"\x89HDF", "HDF5", _numpy("h5py", _HDF5) + _NAMES),
        (rb"SQLite format 3", "an SQLite database",
         "sqlite3 -csv -header {file} 'select * from NAME' > {file}.csv; "
         "sqlite3 {file} .tables lists the names"),
        (rb"X\n\0\0\0[\x02\x03]", "an object of R",
         "Rscript -e \"write.csv(readRDS('{file}'), '{file}.csv', row.names = FALSE)\""),
        (rb"RD[AX][23]\n", "a workspace of R",
         "Rscript -e \"print(load('{file}')); write.csv(NAME, '{file}.csv', row.names = FALSE)\"; "
         "print shows the names"),
        (rb"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "an old Excel or Office file",
         _pandas("read_excel")),
        # PyTorch before 1.6 began its pickles with a number of its own.
        (rb"\x80\x02\x8a\nl\xfc\x9cF\xf9 j\xa8P\x19\.", *_TORCH),
        (rb"\x80[\x02-\x05]", "a pickle",
         f"{_NEVER}; for a table of your own, {_pandas('read_pickle')}"),
        (rb"PK\x05\x06", "an empty zip archive", "numpy.savez writes arrays into one"),
        (rb"version https://git-lfs\.github\.com/spec/", "a pointer of Git LFS to a file elsewhere",
         "git lfs pull fetches that"),
        (rb"(?i:\s*<(!doctype )?html\b)", "a web page",
         "a download that failed may have left it: head {file} shows what it says"),
    )
]  # fmt: skip
_MEMBERS = [
    _Foreign(re.compile(mark), what, hint)
    for mark, what, hint in (
        (rb"xl/workbook\.", "an Excel workbook", _pandas("read_excel")),
        (rb"(.*/)?data\.pkl$", *_TORCH),
        (rb"content\.xml$", "an OpenDocument file", _pandas("read_excel")),
        (rb"model\.weights\.h5$", "a Keras model",
         "what it predicts is read: numpy.save('predicted.npy', model.predict(x))"),
        (rb"", "a zip archive without .npy files",
         "unzip -p {file} {member} | losscli … reads one file of it from '-'"),
    )
]  # fmt: skip


def refuse(head: bytes, display: str) -> None:
    """Raise the error of a file that starts as one of a format that is not read."""
    for foreign in _STARTS:
        if foreign.mark.match(head):
            raise _error(foreign.what, foreign.hint, display)
    if _is_tfrecord(head):
        raise _error("TFRecord", _EXAMPLES, display)


def of_archive(members: Sequence[str], display: str) -> FileError:
    """The error of a zip archive without arrays, by the names of its members."""
    names = [name.encode() for name in members]
    found = next(each for each in _MEMBERS if any(map(each.mark.match, [*names, b""])))
    first = next((m for m in members if not m.endswith("/")), "NAME")
    return _error(found.what, found.hint, display, first)


def _error(what: str, hint: str, display: str, member: str = "") -> FileError:
    """The hint can be run as it is, but where a name would need quotes inside of quotes."""
    inner, outer = splitext(display)
    packed = outer.lower() in SUFFIXES
    name = inner if packed else display
    plain = shlex.quote(name) == name and "://" not in name
    hint = hint.format(file=name if plain else "FILE", member=shlex.quote(member))
    return FileError(
        f"{display}: {what}, expected {EXPECTED}",
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

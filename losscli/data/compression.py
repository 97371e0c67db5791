"""Compressed files, unpacked as they are read."""

import io
from typing import Any, BinaryIO

from losscli.errors import FileError, LosscliError

#: what a compressed file starts with, and how it is called
MAGICS = {
    b"\x1f\x8b": "gzip",
    b"BZh": "bzip2",
    b"\xfd7zXZ": "xz",
    b"\x28\xb5\x2f\xfd": "zstandard",
}
SUFFIXES = (".gz", ".bz2", ".xz", ".zst")


def unpacked(stream: BinaryIO, kind: str, display: str) -> io.BufferedReader:
    """What is in a compressed stream. A FileError where it is damaged or cut short."""
    return io.BufferedReader(_Unpacked(stream, kind, display), 1 << 17)


class _Unpacked(io.RawIOBase):
    def __init__(self, stream: BinaryIO, kind: str, display: str) -> None:
        self._stream, self._kind, self._display = stream, kind, display
        self._plain = _open(stream, kind)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        try:
            data = self._plain.read(len(buffer))
        except LosscliError:
            raise
        except Exception as error:
            # Each library has errors of its own for bytes that make no sense to it.
            raise FileError(f"{self._display}: damaged {self._kind}: {error}") from None
        buffer[: len(data)] = data
        return len(data)

    def close(self) -> None:
        if not self.closed:
            self._plain.close()
            self._stream.close()
        super().close()


def _open(stream: BinaryIO, kind: str) -> Any:
    if kind == "gzip":
        import gzip

        return gzip.GzipFile(fileobj=stream)
    if kind == "bzip2":
        import bz2

        return bz2.BZ2File(stream)
    if kind == "xz":
        import lzma

        return lzma.LZMAFile(stream)
    import pyarrow as pa

    return pa.CompressedInputStream(pa.PythonFile(stream, "r"), "zstd")

"""Compressed files, unpacked as they are read."""

import io
from collections.abc import Callable
from typing import Any, BinaryIO

from losscli.errors import FileError, LosscliError

#: what a compressed file starts with, and how it is called
MAGICS = {
    b"\x1f\x8b": "gzip",
    **{b"BZh%d" % level: "bzip2" for level in range(1, 10)},
    b"\xfd7zXZ": "xz",
    b"\x28\xb5\x2f\xfd": "zstandard",
    # It may start with a frame of something else, which is skipped.
    **{bytes([first]) + b"\x2a\x4d\x18": "zstandard" for first in range(0x50, 0x60)},
}
#: bytes that are unpacked at once
_CHUNK = 1 << 16
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
        # All of the buffer is filled: what a stream is, its first bytes tell, and a compressed part
        # may be shorter than these.
        size = 0
        while size < len(buffer) and (data := self._read(len(buffer) - size)):
            buffer[size : size + len(data)] = data
            size += len(data)
        return size

    def _read(self, size: int) -> bytes:
        try:
            data: bytes = self._plain.read(size)
        except LosscliError:
            raise
        except Exception as error:
            # Each library has errors of its own for bytes that make no sense to it.
            raise FileError(f"{self._display}: damaged {self._kind}: {error}") from None
        return data

    def close(self) -> None:
        if not self.closed:
            self._plain.close()
            self._stream.close()
        super().close()


class _Members:
    """Compressed streams one after the other, and nothing else.

    Python's own readers take whatever follows a stream, and is none, for the end.
    """

    def __init__(self, stream: BinaryIO, new: Callable[[], Any], padding: int = 0) -> None:
        """Between streams there may be zeros, a multiple of `padding`."""
        self._stream, self._new, self._padding = stream, new, padding
        self._member, self._rest = new(), b""

    def read(self, size: int) -> bytes:
        while True:
            if self._member.eof and not self._next():
                return b""
            if self._member.needs_input:
                self._rest = self._rest or self._stream.read(_CHUNK)
                if not self._rest:
                    raise EOFError("cut short")
            data, self._rest = self._rest, b""
            found: bytes = self._member.decompress(data, size)
            if found:
                return found

    def close(self) -> None:
        """The stream is closed by whoever opened it."""

    def _next(self) -> bool:
        """Whether there is more after the end of a stream; it has to be another one."""
        rest, zeros = self._member.unused_data, 0
        while True:
            rest = rest or self._stream.read(_CHUNK)
            there = rest.lstrip(b"\0") if self._padding else rest
            zeros += len(rest) - len(there)
            if there or not rest:
                break
            rest = b""
        if zeros and zeros % self._padding:
            raise OSError(f"{zeros} zeros after a stream, expected a multiple of {self._padding}")
        if there:
            self._member, self._rest = self._new(), there
        return bool(there)


def _open(stream: BinaryIO, kind: str) -> Any:
    if kind == "gzip":
        import gzip

        return gzip.GzipFile(fileobj=stream)
    if kind == "bzip2":
        import bz2

        return _Members(stream, bz2.BZ2Decompressor)
    if kind == "xz":
        import lzma

        return _Members(stream, lzma.LZMADecompressor, padding=4)
    import pyarrow as pa

    return pa.CompressedInputStream(pa.PythonFile(stream, "r"), "zstd")

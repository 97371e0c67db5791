"""References → streams of bytes, of which the first can be looked at."""

import contextlib
import io
import os
import sys
from typing import Any, BinaryIO

from losscli.data.references import STDIN, Reference
from losscli.errors import FileError, UsageError
from losscli.losses.registry import nearest

#: bytes that tell what a stream is
_HEAD = 512


def open_stream(reference: Reference) -> BinaryIO:
    """The bytes of a file or of standard input."""
    if reference.path == STDIN:
        if sys.stdin is None or sys.stdin.closed:
            raise FileError("standard input is closed")
        if sys.stdin.isatty():
            raise UsageError(
                "'-' reads standard input, which is the terminal",
                "pipe a file into it, or name a file",
            )
        return open(sys.stdin.fileno(), "rb", closefd=False)
    if "://" in reference.path and not os.path.exists(reference.path):
        from losscli.data import remote

        return remote.open_url(reference.path)
    try:
        return open(reference.path, "rb")
    except OSError as error:
        hint = ""
        if isinstance(error, FileNotFoundError):
            hint = _nearby(reference.path)
        raise FileError(f"{reference.path}: {error.strerror or error}", hint) from None
    except ValueError as error:  # a name with a NUL in it
        raise FileError(f"{reference.path}: {error}") from None


class _Again(io.RawIOBase):
    """A stream that cannot go back, with the bytes that were read of it in front again."""

    def __init__(self, head: bytes, stream: BinaryIO) -> None:
        self._head, self._stream = head, stream

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        data = self._head[: len(buffer)] or self._stream.read(len(buffer))
        self._head = self._head[len(data) :] if self._head else b""
        buffer[: len(data)] = data
        return len(data)

    def close(self) -> None:
        self._stream.close()
        super().close()


def steady(stream: BinaryIO) -> BinaryIO:
    """A stream whose first bytes can be looked at, however slowly they come through a pipe."""
    if stream.seekable():
        return stream
    return io.BufferedReader(_Again(stream.read(_HEAD), stream), 1 << 16)


def _nearby(path: str) -> str:
    if os.path.islink(path):
        return f"it is a symbolic link to {os.readlink(path)}, which is not there"
    folder, name = os.path.split(path)
    try:
        names = os.listdir(folder or ".")
    except OSError:
        return f"the directory {folder} cannot be read" if folder else ""
    near = nearest(name, names)
    return f"did you mean {os.path.join(folder, near[0])}?" if near else ""


def spool(stream: BinaryIO) -> Any:
    """What comes through a pipe waits in a temporary file: most formats are read with seeks."""
    import shutil
    import tempfile

    try:
        with contextlib.ExitStack() as until_full:
            file = until_full.enter_context(tempfile.TemporaryFile())
            shutil.copyfileobj(stream, file)
            file.flush()
            until_full.pop_all()  # it lives as long as its reader
    except OSError as error:
        raise FileError(
            "no room for what has to be unpacked or comes through a pipe: "
            f"{error.strerror or error}",
            "TMPDIR=DIRECTORY names another place; a file on disk is read where it is",
        ) from None
    stream.close()
    file.seek(0)
    return file

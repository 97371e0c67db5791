"""Files that appear whole or not at all."""

import contextlib
import io
import os
import re
import secrets
import shutil
import stat
import sys
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import IO, Any

from losscli.errors import FileError

#: names of streams that are open already
_STREAMS = {"/dev/stdout": 1, "/dev/stderr": 2}
_STREAM = re.compile(r"/(?:dev|proc/self)/fd/(\d+)")


#: bytes from which on the disk is told to begin
UNDERWAY = 1 << 25


class AtomicFile:
    """A file that is written without a name, and is given it when all of it is there.

    However the process ends before, a file without a name is gone with it. Where a file system has
    no such files, one beside the place is renamed into it; it is left behind by nothing but
    `kill -9`. What is not a regular file, such as /dev/stdout or a named pipe, cannot be replaced
    and is written to directly.
    """

    def __init__(self, path: str, force: bool = False) -> None:
        self._shown, self._force = path, force
        stream = _STREAM.fullmatch(path)
        self._stream = int(stream[1]) if stream else _STREAMS.get(path)
        self._special = self._stream is not None or (
            os.path.exists(path) and not os.path.isfile(path)
        )
        # A link stays a link: what it points to is replaced.
        self.path = Path(path) if self._special else Path(os.path.realpath(path))
        if self.path.is_dir():
            raise FileError(f"{path}: a directory, expected a file to write")
        if self.path.is_symlink() and not self._special:
            raise FileError(f"{path}: a symbolic link that leads to itself")
        if self.path.is_file() and not (force or self._special):
            raise FileError(f"{path}: exists already", "--force replaces it")
        if not self.path.parent.is_dir():
            if "://" in path:
                raise FileError(
                    f"{path}: outputs are files of this machine",
                    "write one here and upload it, or pipe standard output to what does",
                )
            folder = os.path.dirname(path) or self.path.parent
            raise FileError(f"{path}: there is no directory {folder}", "make it first")
        self._handle: IO[bytes]
        #: the file under another name, which is to go whatever happens
        self._beside: Path | None = None

    def __enter__(self) -> IO[bytes]:
        with self._naming_errors():
            self._handle = io.BufferedWriter(_Named(self._open(), self._shown), 1 << 16)
        return self._handle

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        with self._naming_errors():
            try:
                if kind is None:
                    self._handle.flush()
                    if not self._special:
                        os.fsync(self._handle.fileno())
                        self._appear()
            finally:
                try:
                    self._handle.close()
                finally:
                    if self._beside is not None:
                        self._beside.unlink(missing_ok=True)

    def _open(self) -> int:
        """The number of a new file without a name, or beside its place, or of what is there."""
        if self._stream is not None:
            # Standard output may have another number than it had.
            own = sys.__stdout__ if self._stream == 1 else None
            return os.dup(self._stream if own is None else own.fileno())
        if self._special:
            return os.open(self.path, os.O_WRONLY)
        if hasattr(os, "O_TMPFILE") and os.path.isdir("/proc/self/fd"):
            # Not every file system has files without names.
            with contextlib.suppress(OSError):
                return os.open(self.path.parent, os.O_TMPFILE | os.O_WRONLY, 0o666)
        self._beside = self._name_beside()
        return os.open(self._beside, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o666)

    def _name_beside(self) -> Path:
        return self.path.with_name(f".losscli.{secrets.token_hex(4)}.part")

    def _appear(self) -> None:
        """Give the file its name in one step, of which nobody can see the middle."""
        with contextlib.suppress(FileNotFoundError):
            # A replaced file stays as private as it was.
            mode = stat.S_IMODE(self.path.stat().st_mode)
            os.chmod(self._handle.fileno(), mode)
        try:
            if self._beside is None:
                if not self._force and self._link(self.path):
                    return
                self._beside = self._name_beside()
                if not self._link(self._beside):
                    self._copy(self._beside)
            if self._force:
                os.replace(self._beside, self.path)
                self._beside = None
            else:
                _link_or_rename(self._beside, self.path)
        except FileExistsError:
            raise FileError(
                f"{self._shown}: exists already: something else wrote it meanwhile",
                "--force replaces it",
            ) from None

    def _link(self, path: Path) -> bool:
        """Give the file without a name one; False where the file system cannot."""
        number = self._handle.fileno()
        try:
            # With the number of a directory, Python follows the link; to a whole path any will do.
            os.link(f"/proc/self/fd/{number}", path, src_dir_fd=number, follow_symlinks=True)
        except FileExistsError:
            raise
        except OSError:
            return False
        return True

    def _copy(self, path: Path) -> None:
        with (
            open(f"/proc/self/fd/{self._handle.fileno()}", "rb") as whole,
            open(path, "xb") as copy,
        ):
            shutil.copyfileobj(whole, copy)

    @contextlib.contextmanager
    def _naming_errors(self) -> Iterator[None]:
        """Errors of the system name the file. That a reader of a pipe left is no error of it."""
        try:
            yield
        except BrokenPipeError:
            raise
        except OSError as error:
            raise FileError(f"{self._shown}: {error.strerror or error}") from None


class _Named(io.FileIO):
    """A file whose errors say which file it is, wherever they surface.

    What it is given is on its way to the disk while more is computed, so that there is little left
    to wait for at the end.
    """

    def __init__(self, number: int, shown: str) -> None:
        super().__init__(number, "wb")
        self._shown = shown
        self._written = self._on_its_way = 0

    def write(self, data: Any, /) -> int:
        try:
            count = super().write(data)
        except OSError as error:
            error.filename = self._shown
            raise
        self._written += count
        if self._written - self._on_its_way >= UNDERWAY and hasattr(os, "posix_fadvise"):
            # Linux begins to write such pages; it lets go of none that are not yet written.
            with contextlib.suppress(OSError):  # a pipe has no pages
                part = self._on_its_way, self._written - self._on_its_way
                os.posix_fadvise(self.fileno(), *part, os.POSIX_FADV_DONTNEED)
            self._on_its_way = self._written
        return count


def _link_or_rename(source: Path, target: Path) -> None:
    """Give a file a name that must be free, as far as the file system can tell."""
    try:
        os.link(source, target)
    except FileExistsError:
        raise
    except OSError:
        os.replace(source, target)

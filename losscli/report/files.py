"""Files that appear whole or not at all."""

import os
import tempfile
from pathlib import Path
from types import TracebackType
from typing import IO

from losscli.errors import FileError


class AtomicFile:
    """A file written beside its place and renamed into it when all of it is there.

    Leaving the `with` block by an exception leaves nothing behind. What is not a regular file, such
    as /dev/stdout or a named pipe, cannot be replaced and is written to directly.
    """

    def __init__(self, path: str, force: bool = False) -> None:
        self._special = os.path.exists(path) and not os.path.isfile(path)
        # A link stays a link: what it points to is replaced.
        self.path = Path(path) if self._special else Path(os.path.realpath(path))
        if self.path.is_dir():
            raise FileError(f"{path}: a directory, expected a file to write")
        if self.path.is_file() and not force:
            raise FileError(f"{path}: exists already", "--force replaces it")
        if not self.path.parent.is_dir():
            folder = os.path.dirname(path) or self.path.parent
            raise FileError(f"{path}: there is no directory {folder}", "make it first")
        self._handle: IO[bytes] | None = None
        self._beside: str | None = None

    def __enter__(self) -> IO[bytes]:
        try:
            if self._special:
                self._handle = open(self.path, "wb")
            else:
                number, self._beside = tempfile.mkstemp(
                    prefix=".losscli.", suffix=".part", dir=self.path.parent
                )
                self._handle = os.fdopen(number, "wb")
        except OSError as error:
            raise FileError(f"{self.path}: {error.strerror or error}") from None
        return self._handle

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        assert self._handle is not None
        try:
            if kind is None:
                self._handle.flush()
                if self._beside is not None:
                    os.fsync(self._handle.fileno())
            self._handle.close()
            if self._beside is not None and kind is None:
                os.chmod(self._beside, 0o666 & ~_umask())
                os.replace(self._beside, self.path)
                self._beside = None
        except OSError as failure:
            raise FileError(f"{self.path}: {failure.strerror or failure}") from None
        finally:
            if self._beside is not None:
                Path(self._beside).unlink(missing_ok=True)


def _umask() -> int:
    """The umask can only be read by setting it."""
    mask = os.umask(0)
    os.umask(mask)
    return mask

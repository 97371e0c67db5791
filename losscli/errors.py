"""What can go wrong, in the user's words, and the exit code that each kind ends with."""

from collections.abc import Iterator
from enum import IntEnum
from types import TracebackType
from typing import ClassVar

#: letters of a message that is not ours
LONGEST = 400


class ExitCode(IntEnum):
    """The exit status of the command line, a contract that scripts may rely on."""

    OK = 0
    GATE = 1
    USAGE = 2
    DATA = 3
    FILE = 4
    INTERNAL = 70
    HUNG_UP = 129
    INTERRUPTED = 130
    PIPE = 141
    TERMINATED = 143


class Terminated(BaseException):
    """The process was asked to end: like an interrupt, it unwinds and leaves no files behind."""

    #: what it was asked to end with, also where code of a user made nothing of it
    asked: ClassVar[ExitCode | None] = None
    #: and when, by `time.monotonic`
    since: ClassVar[float] = 0.0
    #: whether it is ending
    heeded: ClassVar[bool] = False

    def __init__(self, exit_code: ExitCode = ExitCode.TERMINATED) -> None:
        super().__init__()
        self.exit_code = exit_code


class LosscliError(Exception):
    """An error that a user can act on: one line of message, and a hint that works."""

    exit_code = ExitCode.USAGE

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


class UsageError(LosscliError):
    """What was asked for makes no sense, whatever the files hold."""

    exit_code = ExitCode.USAGE


class DataError(LosscliError):
    """The files can be read, but what they hold does not fit the loss."""

    exit_code = ExitCode.DATA

    def __init__(self, message: str, hint: str = "", reason: str = "does-not-fit") -> None:
        """`reason` is what is wrong in one word, for programs."""
        super().__init__(message, hint)
        self.reason = reason


class FileError(LosscliError):
    """A file cannot be read or written."""

    exit_code = ExitCode.FILE


def in_code(error: BaseException, path: str) -> str:
    """An exception of code that a user wrote, after the line of their file that it comes from."""
    where = path
    for frame in _frames(error):
        if frame.tb_frame.f_code.co_filename == path:
            where = f"{path}, line {frame.tb_lineno}"
    if isinstance(error, SyntaxError) and error.filename == path and error.lineno:
        return f"{path}, line {error.lineno}: {error.msg}"
    said = f"{type(error).__name__}{_text(error)}"
    return f"{where}: {said}" if where else said


def _text(error: BaseException) -> str:
    """What an exception says, in one line of a length that can be read; it may fail to say it."""
    try:
        text = " ".join(str(error).split())
    except Exception:
        return ""
    return f": {text if len(text) <= LONGEST else text[:LONGEST] + '…'}" if text else ""


def last_file(error: BaseException) -> str:
    """The file that an exception comes from, but for who caught it and the machinery of imports."""
    files = [frame.tb_frame.f_code.co_filename for frame in _frames(error)][1:]
    own = [name for name in files if not name.startswith("<") and "importlib" not in name]
    return own[-1] if own else ""


def _frames(error: BaseException) -> Iterator[TracebackType]:
    """The frames of a traceback, the innermost last."""
    frame = error.__traceback__
    while frame is not None:
        yield frame
        frame = frame.tb_next

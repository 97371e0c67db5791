"""What ends the process from outside: SIGINT, SIGTERM and SIGHUP unwind it, once."""

import os
import signal
import time
from types import FrameType

from losscli.errors import ExitCode, Terminated

#: seconds after which a second signal, or an import without end, is not waited for any more
PATIENCE = 3.0
#: seconds until it is looked again whether it is a time for an exception
AGAIN = 0.05
_SIGNALS = [getattr(signal, n) for n in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, n)]


def heed() -> None:
    """Unwind when asked to end, so that nothing is left behind; what is ignored stays ignored."""
    if hasattr(signal, "SIGALRM"):
        signal.signal(signal.SIGALRM, _look_again)
    for number in _SIGNALS:
        if signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, _end)


def ignore() -> None:
    """The process ends by itself."""
    Terminated.heeded = True
    for number in _SIGNALS:
        signal.signal(number, signal.SIG_IGN)


def _end(number: int, frame: FrameType | None) -> None:
    """End once: a second signal must not cut the unwinding short, unless there seems to be none."""
    code = ExitCode(128 + number)
    if Terminated.asked is None:
        Terminated.asked, Terminated.since = code, time.monotonic()
        _unwind(frame)
    elif time.monotonic() - Terminated.since > PATIENCE:
        os._exit(code)


def _look_again(number: int, frame: FrameType | None) -> None:
    """It was no time for an exception when the signal came, or unwinding takes too long."""
    if Terminated.asked is None:
        return
    if time.monotonic() - Terminated.since > PATIENCE:
        _leave(Terminated.asked)
    elif not Terminated.heeded:
        _unwind(frame)


def _unwind(frame: FrameType | None) -> None:
    """Raise what ends the process or, where that cannot be, try again soon.

    An exception may come just where a lock is taken, which is then never given back: whoever
    waits for it while unwinding would do so for ever.
    """
    code = Terminated.asked or ExitCode.TERMINATED
    can_be_left = not _cannot_be_left(frame)
    if hasattr(signal, "setitimer"):
        signal.setitimer(signal.ITIMER_REAL, PATIENCE + AGAIN if can_be_left else AGAIN)
    elif not can_be_left:
        _leave(code)
    if can_be_left:
        raise Terminated(code)


def _leave(code: ExitCode) -> None:
    """End at once. No output has a name before it is whole, so nothing is left behind."""
    if code == ExitCode.INTERRUPTED and not Terminated.heeded:
        os.write(2, b"interrupted\n")
    os._exit(code)


def _cannot_be_left(frame: FrameType | None) -> bool:
    """Whether an exception would leave an import half done, or be swallowed where it is raised."""
    while frame is not None:
        code = frame.f_code
        if code.co_name == "__del__" or code.co_filename.startswith("<frozen importlib"):
            return True
        frame = frame.f_back
    return False

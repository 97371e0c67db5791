"""`python -m losscli`, and the console script."""

import contextlib
import gc
import io
import os
import signal
import sys

from losscli import signals
from losscli.errors import ExitCode, Terminated


def run() -> None:
    """Run the command line and leave at once.

    Tearing down the interpreter with NumPy and Arrow loaded takes longer than a small job. All
    outputs are closed by now, so there is nothing to tear down for.
    """
    signals.heed()
    try:
        _prepare()
        from losscli.cli import main

        code = _flushed(main())
        signals.ignore()
    except Terminated as end:
        from losscli.cli.main import ended

        code = ended(end)
    os._exit(code)


def _prepare() -> None:
    # A second thread pool for matrix products would only spin: losses are computed block by block.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    # Hardly anything that imports make is garbage: looking for it takes a tenth of a small job.
    gc.set_threshold(100_000)
    _prepare_streams()
    _keep_output_apart()
    if sys.argv[1:2] == ["compute"]:
        _keep_memory()
        _heed_cut_files()


def _flushed(code: int) -> int:
    """The exit code when what was printed is really out."""
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except BrokenPipeError:
            code = code or ExitCode.PIPE
        except (OSError, ValueError):
            code = code or ExitCode.FILE
    return code


def _prepare_streams() -> None:
    """Letters that a terminal has not become '?'.

    Where a standard stream is closed, no file that is opened takes its number. What is written to
    standard output then fails as it is flushed; messages go nowhere.
    """
    for number in range(3):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDONLY)  # takes the first number that is free
    if sys.stdout is None:
        closed = open(1, "w", encoding="utf-8", closefd=False)  # noqa: SIM115
        sys.stdout = sys.__stdout__ = closed  # type: ignore[misc]
    if sys.stderr is None:
        sys.stderr = open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")


def _keep_output_apart() -> None:
    """Let what is printed by other than Python, as by C that a loss calls, go beside the data.

    It is written to number 1, which is standard error from here on; standard output has another.
    """
    own = sys.__stdout__
    if own is None:
        return
    data = open(os.dup(own.fileno()), "wb")  # noqa: SIM115
    os.dup2(sys.stderr.fileno(), own.fileno())
    sys.stdout = io.TextIOWrapper(
        data, own.encoding, own.errors,
        line_buffering=own.line_buffering, write_through=own.write_through,
    )  # fmt: skip
    # Whoever asks how wide the terminal is asks this one.
    sys.__stdout__ = sys.stdout  # type: ignore[misc]


def _keep_memory() -> None:
    """Let freed memory stay with the process, where the C library is glibc.

    The arrays of a block are freed and asked for again, block after block. Given back to the system
    each time, their pages are cleared and faulted in again: a quarter of the time of a long run.
    Huge pages hold 15 MiB more of them, and only where keys are sorted is there a use for that.
    """
    if not any(word.startswith("--on") for word in sys.argv):
        os.environ.setdefault("MIMALLOC_ALLOW_THP", "0")  # Arrow's allocator asks the system
    import ctypes

    trim_threshold, mmap_threshold = -1, -3  # M_TRIM_THRESHOLD and M_MMAP_THRESHOLD of malloc.h
    with contextlib.suppress(AttributeError, OSError):
        library = ctypes.CDLL(None)
        library.mallopt(trim_threshold, 1 << 28)
        library.mallopt(mmap_threshold, 1 << 25)


def _heed_cut_files() -> None:
    """End with an error where a file is cut short while it is mapped into memory.

    To read what is not there any more raises SIGBUS in the middle of an instruction, which no
    handler of Python's gets to see. This one is called by the system itself.
    """
    import ctypes

    def end(number: int) -> None:
        os.write(2, b"error: a file was cut short by another program while it was read\n")
        os._exit(ExitCode.FILE)

    # What C calls must stay alive.
    _heed_cut_files.handler = ctypes.CFUNCTYPE(None, ctypes.c_int)(end)  # type: ignore[attr-defined]
    with contextlib.suppress(AttributeError, OSError):
        ctypes.CDLL(None).signal(signal.SIGBUS, _heed_cut_files.handler)  # type: ignore[attr-defined]


if __name__ == "__main__":
    run()

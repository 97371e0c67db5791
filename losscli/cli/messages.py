"""What is said to people, on standard error."""

import contextlib
import sys
from collections.abc import Iterator

from losscli.report.inert import inert


def say(kind: str, text: str) -> None:
    """One line, such as "error: …". Where standard error is full or gone, nobody is told."""
    with contextlib.suppress(OSError, ValueError):
        print(f"{kind}: {inert(text)}", file=sys.stderr)


@contextlib.contextmanager
def aside() -> Iterator[None]:
    """What is printed meanwhile, as by a loss of the user's own, goes beside the data."""
    with contextlib.redirect_stdout(sys.stderr):
        yield

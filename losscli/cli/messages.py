"""What is said to people, on standard error."""

import contextlib
import sys

from losscli.report.inert import inert


def say(kind: str, text: str) -> None:
    """One line, such as "error: …". Where standard error is full or gone, nobody is told."""
    with contextlib.suppress(OSError, ValueError):
        print(f"{kind}: {inert(text)}", file=sys.stderr)

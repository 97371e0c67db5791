"""Docstrings of losses as data: the manual is written once, where the loss is."""

import inspect
import re
from collections.abc import Callable, Mapping
from textwrap import dedent
from typing import Any, NamedTuple

SECTIONS = ("Formula", "Roles", "Parameters", "Returns", "Raises", "Source", "Example")


class Manual(NamedTuple):
    """A loss's docstring, by section. A section that is not there is empty."""

    summary: str
    notes: str
    sections: Mapping[str, str]

    def section(self, name: str) -> str:
        """The text of a section, without its indentation."""
        return self.sections.get(name, "")

    def entries(self, name: str) -> dict[str, str]:
        """A section of `name: text` entries, each text on one line."""
        found: dict[str, str] = {}
        current = ""
        for line in self.section(name).splitlines():
            entry = re.match(r"(\w+): +(.*)", line)
            if entry:
                current = entry[1]
                found[current] = entry[2].strip()
            elif current:
                found[current] = f"{found[current]} {line.strip()}".strip()
        return found


def read(function: Callable[..., Any]) -> Manual:
    """Split a function's docstring into its summary, its notes and its sections."""
    text = inspect.cleandoc(function.__doc__ or "")
    parts = re.split(rf"^({'|'.join(SECTIONS)}):\n", text, flags=re.MULTILINE)
    summary, _, notes = parts[0].partition("\n\n")
    bodies = (
        (name, dedent(body).rstrip()) for name, body in zip(parts[1::2], parts[2::2], strict=True)
    )
    return Manual(" ".join(summary.split()), notes.strip(), dict(bodies))

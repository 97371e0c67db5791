"""Small inputs that a loss is shown by, as data beside it: an example, and edges of its domain."""

from collections.abc import Mapping
from typing import Any, NamedTuple


class Example(NamedTuple):
    """A small table and the options that make a command of it, shown and run by `info`."""

    data: str
    options: str = ""

    def command(self, loss: str) -> str:
        """A shell command that runs anywhere."""
        table = self.data.replace("\n", "\\n")
        options = f" {self.options}" if self.options else ""
        return f"printf '{table}\\n' | losscli compute {loss} --data -{options}"

    def options_given(self) -> dict[str, Any]:
        """The options by name; one that stands alone is a flag."""
        found: dict[str, Any] = {}
        name = ""
        for word in self.options.split():
            if word.startswith("--"):
                name = word[2:]
                found[name] = True
            else:
                found[name] = word
        return found


class Edge(NamedTuple):
    """A case that a formula alone does not answer; the answer is what the loss makes of it.

    Its rows go under the header of the loss's example, and its options beside those of the
    example. Where no table holds the inputs they are arrays by role.
    """

    case: str
    rows: str | Mapping[str, Any]
    options: str = ""

    @property
    def text(self) -> str:
        """The case in words, with the options that settle it."""
        return f"{self.case}, {self.options}" if self.options else self.case

    def example(self, of: Example | None) -> Example:
        """The case as an example of its own."""
        if of is None or not isinstance(self.rows, str):
            return Example("", self.options)
        header = of.data.partition("\n")[0]
        return Example(f"{header}\n{self.rows}".strip(), f"{of.options} {self.options}".strip())

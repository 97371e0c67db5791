"""Small inputs that a loss is shown by, as data beside it: an example, and edges of its domain."""

from collections.abc import Mapping
from typing import Any, NamedTuple

#: columns by name
Table = dict[str, list[Any]]


class Example(NamedTuple):
    """A small table and the options that make a command of it, shown and run by `info`.

    The table is CSV, or JSON lines where its columns hold lists of lists. A role that is a table
    of its own is CSV too, by the name of the role.
    """

    data: str
    options: str = ""
    tables: Mapping[str, str] = {}

    def command(self, loss: str, stdin: bool = True) -> str:
        """A shell command that runs anywhere."""
        written = [f"{_printf(text)} > {role}.csv" for role, text in self.tables.items()]
        named = [f"--{role.replace('_', '-')} '{role}.csv#*'" for role in self.tables]
        data = "-" if stdin else "example.csv"
        words = " ".join([f"losscli compute {loss} --data {data}", *self.options.split(), *named])
        first = f"{_printf(self.data)} {'|' if stdin else '> example.csv;'} {words}"
        return "; ".join([*written, first])

    def options_given(self) -> dict[str, Any]:
        """The options by name; one that stands alone is a flag."""
        found: dict[str, Any] = {}
        name = ""
        for word in self.options.split():
            if word.startswith("--"):
                name = word[2:].replace("-", "_")
                found[name] = True
            else:
                found[name] = word
        return found

    def columns(self) -> Table:
        """The table as columns."""
        if self.data.startswith("{"):
            import json

            lines = [json.loads(line) for line in self.data.splitlines()]
            return {name: [line[name] for line in lines] for name in lines[0]}
        return _columns(self.data)

    def inputs(self) -> dict[str, Any]:
        """The arguments of `losscli.compute` that are not options."""
        tables = {
            role: [*zip(*_columns(t).values(), strict=True)] for role, t in self.tables.items()
        }
        return {"data": self.columns(), **tables}

    def on_rows(self, rows: str, options: str = "") -> "Example":
        """Other rows under the same header, and further options."""
        header = "" if self.data.startswith("{") else self.data.partition("\n")[0]
        return self._replace(
            data=f"{header}\n{rows}".strip(), options=f"{self.options} {options}".strip()
        )


#: two rows of three logits and a class index
LOGITS = Example("a,b,c,target\n2,0.5,-1,0\n0,1,0,2", "--pred a,b,c")
#: their softmax
PROBABILITIES = (
    "0.7855970345892759,0.17529039214003667,0.03911257327068745,0\n"
    "0.21194155761708544,0.5761168847658291,0.21194155761708544,2"
)


class Edge(NamedTuple):
    """A case that a formula alone does not answer; the answer is what the loss makes of it.

    Its rows go under the header of the loss's example, and its options beside those of the
    example.
    """

    case: str
    rows: str
    options: str = ""

    @property
    def text(self) -> str:
        """The case in words, with the options that settle it."""
        return f"{self.case}, {self.options}" if self.options else self.case


def _columns(text: str) -> Table:
    header, *rows = (line.split(",") for line in text.splitlines())
    return {name: [float(row[i]) for row in rows] for i, name in enumerate(header)}


def _printf(text: str) -> str:
    escaped = text.replace("\n", "\\n")
    return f"printf '{escaped}\\n'"

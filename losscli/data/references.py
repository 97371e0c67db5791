"""How a role names its data: `FILE`, `FILE#COLUMN`, `FILE#a,b,c`, `FILE#logit_*`, `-`."""

import os
import re
from collections import Counter
from collections.abc import Sequence
from fnmatch import fnmatchcase
from typing import NamedTuple

from losscli.errors import DataError, UsageError
from losscli.losses.registry import suggestion

STDIN = "-"

#: columns that look like bookkeeping: taken only when they are named
_BOOKKEEPING = re.compile(r"|unnamed: \d+|index|level_\d+|__index_level_\d+__|(.*_)?(id|idx|key)")


_SCHEME = re.compile(r"([a-z][a-z0-9+.-]+)://", re.I)


class Reference(NamedTuple):
    """A file, and which of its columns: names and patterns, or None for all of them."""

    path: str
    columns: str | None = None

    def __str__(self) -> str:
        return self.path if self.columns is None else f"{self.path}#{self.columns}"

    @property
    def display(self) -> str:
        """The file as messages name it."""
        return "standard input" if self.path == STDIN else self.path


def scheme_of(path: str) -> str | None:
    """What a URL starts with; None for other paths."""
    match = _SCHEME.match(path)
    return match[1].lower() if match else None


def parse(text: str) -> Reference:
    """Split a reference at its last '#', unless a file has the whole of it as its name."""
    path, mark, columns = text.rpartition("#")
    if not mark or (text != STDIN and os.path.exists(text)):
        if not text:
            raise UsageError("a reference is empty", "name a file, such as p.csv or p.csv#score")
        return Reference(text)
    if not path or not columns:
        raise UsageError(f"'{text}' is not FILE#COLUMN", "write p.csv#score, or p.csv alone")
    return Reference(path, columns)


def choose(reference: Reference, names: Sequence[str], keys: Sequence[str] = ()) -> list[str]:
    """The columns that a reference selects out of a file's, in the order that was asked for.

    Patterns select in the order of the file. A file without `#` stands for all of its columns; but
    a column that looks like bookkeeping must be named, since it would pass for one more score, and
    so must `keys`, which no pattern selects.
    """
    if reference.columns is None:
        return _all_of(reference, names)
    selector = reference.columns
    exact = [*names, *keys]
    patterns = [selector] if selector in exact else [p.strip() for p in selector.split(",")]
    chosen: list[str] = []
    for pattern in patterns:
        found = [n for n in exact if n == pattern] or [n for n in names if fnmatchcase(n, pattern)]
        if not found:
            listed = ", ".join(repr(n) for n in exact[:12]) + (", …" if len(exact) > 12 else "")
            raise DataError(
                f"{reference.display}: no column '{pattern}'; it has {listed or 'none'}",
                f"columns of another file are {pattern}#COLUMN, or {pattern}#* for all"
                if os.path.isfile(pattern)
                else suggestion(pattern, exact)
                if exact
                else f"one array of several axes is named without columns: {reference.path}",
            )
        if len(found) > 1 and "*" not in pattern and "?" not in pattern and "[" not in pattern:
            raise DataError(f"{reference.display}: {len(found)} columns are called '{pattern}'")
        if len(found) > 1:
            _check_numbering(reference, pattern, found)
        chosen += found
    twice = next((n for n, count in Counter(chosen).items() if count > 1), None)
    if twice is not None:
        raise DataError(f"{reference}: column '{twice}' is selected twice")
    return chosen


def _all_of(reference: Reference, names: Sequence[str]) -> list[str]:
    suspect = [n for n in names if _BOOKKEEPING.fullmatch(n.lower())]
    if len(names) > 1 and suspect:
        others = [n for n in names if n not in suspect]
        raise DataError(
            f"{reference.display} has columns {', '.join(repr(n) for n in names[:8])}: "
            f"'{suspect[0]}' does not look like a value",
            f"say which you mean, such as {reference.path}#{','.join(others[:2]) or '*'}, "
            f"or {reference.path}#* for all",
        )
    _check_numbering(reference, "*", names)
    return list(names)


def _check_numbering(reference: Reference, pattern: str, names: Sequence[str]) -> None:
    """Refuse numbered columns that stand out of order, since order is what makes a class."""
    matches = [re.fullmatch(r"(.*?)(\d+)", name) for name in names]
    numbers = [int(m[2]) for m in matches if m]
    same_stem = len({m[1] for m in matches if m}) == 1
    if len(numbers) == len(names) and same_stem and numbers != sorted(numbers):
        raise DataError(
            f"{reference.display}: the columns that '{pattern}' selects are not in the order of "
            f"their numbers ({', '.join(names[:4])}, …), and their order says which class is which",
            "name them in their order, such as a,b,c",
        )

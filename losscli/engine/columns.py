"""What the columns of a file hold, when no loss says what they should."""

import contextlib
from collections import Counter
from typing import Any, NamedTuple

import numpy as np

from losscli.data.files import open_source
from losscli.data.lenient import LenientSource
from losscli.data.reading import ReadOptions
from losscli.data.references import Reference
from losscli.data.source import WHOLE, Wanted, refused
from losscli.data.troubles import Trouble
from losscli.engine.fits import Seen
from losscli.errors import DataError


class ColumnSeen(NamedTuple):
    """A column, and what is in it."""

    column: str
    holds: str
    rows: int
    missing: int
    #: NaN and infinite values
    nonfinite: int
    #: values that are no numbers, such as words
    words: int


def columns(path: str, read: ReadOptions) -> list[ColumnSeen]:
    """Every column of a file, in one pass."""
    unreadable: dict[str, list[str]] = {}
    counts: dict[str, int] = {}
    kinds: dict[str, str] = {}

    def tell(trouble: Trouble) -> None:
        if trouble.kind:
            kinds[trouble.column] = trouble.kind
        known = unreadable.setdefault(trouble.column, [])
        words = dict.fromkeys(found.value for found in trouble.first)
        known += [word for word in words if word not in known]
        counts[trouble.column] = counts.get(trouble.column, 0) + trouble.total

    with contextlib.closing(LenientSource(open_source(Reference(path), read), tell)) as source:
        names = [WHOLE] if source.whole else [*source.columns, *source.keys]
        if not names:
            raise DataError(f"{source.display}: no columns")
        twice, times = Counter(names).most_common(1)[0]
        if times > 1:
            raise DataError(f"{source.display}: {times} columns are called '{twice}'")
        seen: dict[str, Seen] = {}
        found = {name: np.zeros(3, int) for name in names}

        def look(together: list[str]) -> None:
            before: dict[str, int] = {}
            for piece in source.pieces([Wanted(name) for name in together]):
                for name, (array, missing, _) in zip(together, piece, strict=True):
                    seen.setdefault(name, Seen(array.shape[1:])).see(array)
                    gone = 0 if missing is None else int(np.count_nonzero(missing))
                    other = int(np.count_nonzero(~np.isfinite(array) & ~refused(array))) - gone
                    if not array.size:  # lists that are missing, but for those that were told of
                        gone = len(array) - counts.get(name, 0) + before.get(name, 0)
                    found[name] += (len(array), gone, other)
                before = dict(counts)

        if not source.apart:
            look(names)
        for name in names if source.apart else []:
            try:
                look([name])
            except DataError as error:
                kinds[name] = error.message.removeprefix(f"{source.display}, column '{name}': ")
    holds = {name: _holds(each, unreadable.get(name, [])) for name, each in seen.items()} | kinds
    return [
        ColumnSeen(
            name, holds.get(name, "no rows"), int(rows), int(missing), int(other),
            counts.get(name, 0),
        )
        for name, (rows, missing, other) in found.items()
    ]  # fmt: skip


def _holds(seen: Seen, words: list[str]) -> str:
    if not words:
        return seen.words
    listed = ", ".join(words[:4]) + (", …" if len(words) > 4 else "")
    kind = "lists of other lengths" if all(word.startswith("[") for word in words) else "text"
    kind = "lists without values" if words == ["[]"] else kind
    return f"{kind}: {listed}" if seen.low > seen.high else f"{seen.words}, and {kind}: {listed}"


def document(columns: list[ColumnSeen]) -> list[dict[str, Any]]:
    """As tables have them."""
    return [column._asdict() for column in columns]

"""Rows of several files in the order of their keys → rows that share a key, and what is left."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

import numpy as np

from losscli.data.keys import Keys
from losscli.data.sorting import Rows, chosen, place
from losscli.data.texts import joined
from losscli.data.troubles import LISTED, Found, Tell, Trouble
from losscli.errors import DataError

KEY, NUMBER = -2, -1
#: which file a row is of, where in it, and on which line
Locate = Callable[[int], tuple[str, int, int | None]]


REPEATED_HINT = (
    "a key must be there once in every file; name more columns to tell rows apart: --on KEY,KEY"
)
BLANKS_HINT = "blanks around text are part of a key: the files must write it alike"
ALONE_HINT = "--join inner keeps the rows whose keys all files have, and counts the others"


class Cursor:
    """The front of one file's rows, which come in the order of their keys."""

    def __init__(self, parts: Iterator[Rows]) -> None:
        self._parts = parts
        self._previous: Any = None
        self._held = next(parts, None)
        self._empty: Rows = [] if self._held is None else chosen(self._held, slice(0))

    @property
    def last(self) -> Any:
        """The last key at hand; None at the end."""
        return None if self._held is None else self._held[KEY].array[-1]

    def until(self, end: Any) -> tuple[Rows, Any]:
        """The rows at hand up to a key, and which of them are the first of their key."""
        if self._held is None:
            return self._empty, np.empty(0, bool)
        cut = place(self._held[KEY].array, end)
        rows, rest = chosen(self._held, slice(cut)), chosen(self._held, slice(cut, None))
        self._held = rest if len(rest[0].array) else next(self._parts, None)
        keys = rows[KEY].array
        first = np.ones(cut, bool)
        first[1:] = keys[1:] != keys[:-1]
        if cut:
            first[0] = self._previous is None or keys[0] != self._previous
            self._previous = keys[-1]
        return rows, first


class Findings:
    """Keys that are not exactly once in every file, counted, the first rows of each kind named."""

    def __init__(self, displays: Sequence[str], locate: Sequence[Locate], keys: Keys) -> None:
        self._displays, self._locate, self._keys = displays, locate, keys
        self._kinds: dict[tuple[int, str], _Rows] = {}
        #: how many rows of each file have no partner
        self.left_out = dict.fromkeys(displays, 0)

    def repeated(self, side: int, rows: Rows, which: Any) -> None:
        """Rows of a file whose key is that of a row before them."""
        self._add((side, "repeat the key of a row before"), rows, which)

    def alone(self, side: int, other: int, rows: Rows, which: Any) -> None:
        """Rows of a file whose key another one lacks."""
        self._add((side, f"have a key that {self._displays[other]} lacks"), rows, which)

    def matched(self, parts: Sequence[Rows], places: Sequence[Any]) -> None:
        """Rows of every file, and the places of those that have partners."""
        for display, rows, at in zip(self._displays, parts, places, strict=True):
            self.left_out[display] += len(rows[KEY].array) - len(at)

    def any(self) -> bool:
        """Whether there is anything."""
        return bool(self._kinds)

    def check(self, strict: bool, tell: Tell | None) -> None:
        """Raise the DataError of everything that was found, or tell of it.

        Repeated keys are never let pass.
        """
        wrong = [
            (side, what, rows)
            for (side, what), rows in sorted(self._kinds.items(), key=lambda item: item[0][0])
            if strict or _repeats(what)
        ]
        if tell is not None:
            for side, what, rows in wrong:
                tell(self._trouble(side, what, rows))
        elif wrong:
            names = ", ".join(self._keys.names)
            repeats = any(_repeats(what) for _, what in self._kinds)
            raise DataError(
                f"rows do not pair by {names}: {'; '.join(self._told(*each) for each in wrong)}",
                REPEATED_HINT if repeats else self._hint(rows for _, _, rows in wrong),
                "keys-do-not-pair",
            )

    def _trouble(self, side: int, what: str, rows: "_Rows") -> Trouble:
        repeats = _repeats(what)
        return Trouble(
            "repeated-key" if repeats else "unmatched-key", self._displays[side],
            ",".join(self._keys.names), what, REPEATED_HINT if repeats else self._hint([rows]),
            rows.count, self._found(side, rows),
        )  # fmt: skip

    def _hint(self, alone: Iterable["_Rows"]) -> str:
        """What to do about rows whose keys others lack."""
        return (
            BLANKS_HINT if any(self._keys.has_blanks(rows.keys) for rows in alone) else ALONE_HINT
        )

    def _found(self, side: int, rows: "_Rows") -> list[Found]:
        """The first rows of a kind, with their keys."""
        places = [self._locate[side](number) for number in rows.numbers.tolist()]
        return [
            Found(at + 1, line, key, file)
            for key, (file, at, line) in zip(self._keys.shown(rows.keys), places, strict=True)
        ]

    def _told(self, side: int, what: str, rows: "_Rows") -> str:
        listed = ", ".join(
            f"{value} ({'' if file == self._displays[side] else f'{file}, '}row {row}"
            + (")" if line is None else f", line {line})")
            for row, line, value, file in self._found(side, rows)
        )
        verb = what if rows.count > 1 else what.replace("repeat", "repeats").replace("have", "has")
        more = ", …" if rows.count > LISTED else ""
        count = f"{rows.count:,} row{'s' if rows.count > 1 else ''}"
        return f"{count} of {self._displays[side]} {verb}: {listed}{more}"

    def _add(self, kind: tuple[int, str], rows: Rows, which: Any) -> None:
        if which.any():
            found = chosen(rows[KEY:], which)
            self._kinds.setdefault(kind, _Rows()).add(found[KEY].array, found[NUMBER].array)


def _repeats(what: str) -> bool:
    return what.startswith("repeat")


class _Rows:
    """How many rows there are of a kind, and the first of them by their numbers."""

    def __init__(self) -> None:
        self.count = 0
        self.keys: Any = None
        self.numbers: Any = None

    def add(self, keys: Any, numbers: Any) -> None:
        self.count += len(keys)
        keys, numbers = _first(keys, numbers)
        if self.keys is not None:
            keys, numbers = np.append(self.keys, keys), np.append(self.numbers, numbers)
        self.keys, self.numbers = _first(keys, numbers)


def _first(keys: Any, numbers: Any) -> tuple[Any, Any]:
    first = np.argsort(numbers, kind="stable")[:LISTED]
    return keys[first], numbers[first]


def matched(cursors: Sequence[Cursor], findings: Findings, strict: bool) -> Iterator[list[Rows]]:
    """The rows of every file that share a key, in the order of the keys.

    When nothing may be left out, rows stop coming with the first that would be, and the rest is
    only counted.
    """
    while any(cursor.last is not None for cursor in cursors):
        # No file has a key up to the least of the last ones at hand that is not at hand.
        end = min(cursor.last for cursor in cursors if cursor.last is not None)
        parts, firsts = zip(*(cursor.until(end) for cursor in cursors), strict=True)
        for side, (rows, first) in enumerate(zip(parts, firsts, strict=True)):
            if not first.all():
                findings.repeated(side, rows, ~first)
        places = _common(parts, firsts, findings)
        findings.matched(parts, places)
        if len(places[0]) and not (strict and findings.any()):
            yield [chosen(rows, at) for rows, at in zip(parts, places, strict=True)]


def _common(parts: Sequence[Rows], firsts: Sequence[Any], findings: Findings) -> list[Any]:
    """Where the keys that all files have are in each of them, repeated ones left out."""
    places = [np.flatnonzero(first) for first in firsts]
    keys = [rows[KEY].array[at] for rows, at in zip(parts, places, strict=True)]
    if all(len(k) == len(keys[0]) and bool((k == keys[0]).all()) for k in keys[1:]):
        return places
    everywhere = keys[0]
    for side in range(1, len(keys)):
        _report(findings, 0, side, parts, places, keys)
        _report(findings, side, 0, parts, places, keys)
        everywhere = everywhere[_within(everywhere, keys[side])]
    return [at[_within(k, everywhere)] for at, k in zip(places, keys, strict=True)]


def _report(
    findings: Findings, side: int, other: int,
    parts: Sequence[Rows], places: Sequence[Any], keys: Sequence[Any],
) -> None:  # fmt: skip
    alone = ~_within(keys[side], keys[other])
    if alone.any():
        findings.alone(
            side, other, chosen(parts[side], places[side][alone]), np.ones(alone.sum(), bool)
        )


def _within(keys: Any, others: Any) -> Any:
    """Which of some keys are among others; both in order."""
    if not len(others):
        return np.zeros(len(keys), bool)
    if keys.dtype != others.dtype:
        keys, others = np.split(joined([keys, others]), [len(keys)])
    at = np.searchsorted(others, keys)
    return others[np.minimum(at, len(others) - 1)] == keys

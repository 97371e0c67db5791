"""A directory, or the files that match a pattern, as one data set: their rows, file after file."""

import glob
import os
import re
from bisect import bisect_right
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from functools import cached_property
from typing import Any

from losscli.data import remote
from losscli.data.compression import SUFFIXES as PACKED
from losscli.data.partitions import Part, check_partitions, keys_of, repeated
from losscli.data.references import scheme_of
from losscli.data.source import Source, Span, Values, Wanted
from losscli.data.troubles import Trouble
from losscli.errors import DataError, FileError

#: files of which it is remembered on which lines their rows are
LATEST = 8
_LEFT_OUT = "files whose names start with '.' or '_' are left out"


def find(path: str) -> list[Part] | None:
    """The files of a directory or a pattern in natural order; None where a path is one file."""
    if scheme_of(path) is not None:
        found = remote.listing(path)
        if found is None:
            return None
        root, paths = found[0], [each for each in found[1] if not _is_hidden(each, found[0])]
        if not paths:
            raise FileError(f"{path}: no file matches", _LEFT_OUT)
    elif os.path.isdir(path):
        root, paths = path, list(_walk(path))
        if not paths:
            raise FileError(f"{path}: a directory without files", _LEFT_OUT)
    elif glob.has_magic(path) and not os.path.lexists(path):
        root = _fixed(path)
        paths = list(_matches(path, root))
        if not paths:
            raise FileError(f"{path}: no file matches", _what_is_in(root))
    else:
        return None
    paths.sort(key=natural_order)
    _check_files(paths)
    parts = [Part(each, keys_of(each, root or ".")) for each in paths]
    check_partitions(parts)
    return parts


def natural_order(path: str) -> tuple[Any, str]:
    """A key that sorts part-2 before part-10, directory by directory."""
    names = [re.split(r"(\d+)", name) for name in path.split(os.sep)]
    return [[int(t) if i % 2 else t for i, t in enumerate(texts)] for texts in names], path


class DatasetSource(Source):
    """The columns of files of one kind, each opened when its rows are read."""

    def __init__(self, display: str, parts: list[Part], opened: Callable[[str], Source]) -> None:
        self.display = display
        self._parts, self._opened = parts, opened
        self._current = opened(parts[0].path)
        self.whole, self.untyped = self._current.whole, self._current.untyped
        self.schemaless, self.decimal = self._current.schemaless, self._current.decimal
        self.columns = list(self._current.columns)
        self.keys = list(parts[0].keys)
        self._kind = type(self._current)
        #: the first row of each file that was read so far
        self._starts: list[int] = []
        #: the files that were read last, by number, which still know where their lines are
        self._latest: dict[int, Source] = {}

    def pieces(self, wanted: Sequence[Wanted]) -> Iterator[list[Values]]:
        row = 0
        for number, part in enumerate(self._parts):
            if number == len(self._starts):
                self._starts.append(row)
            if number:
                self._current.close()
                self._current = self._next(part)
            self._current.tell = self._told if self.tell else None
            self._latest[number] = self._current
            self._latest.pop(number - LATEST, None)
            for piece in self._current.pieces(self._of_files(wanted)):
                yield self._with_keys(piece, part, wanted)
                row += len(piece[0].array)

    @cached_property
    def starts(self) -> Sequence[int]:
        """Where reading can begin in any of the files, which are all opened to know it."""
        if not self._current.starts:
            return ()
        starts, found, row = [], [], 0
        for part in self._parts:
            with closing(self._next(part)) as source:
                starts.append(row)
                found += [row + start for start in source.starts]
                row += source.rows or 0
        self._starts, self.rows = starts, row
        return found

    def between(self, wanted: Sequence[Wanted], span: Span) -> Iterator[list[Values]]:
        first = bisect_right(self._starts, span.start) - 1
        for part, start in zip(self._parts[first:], self._starts[first:], strict=True):
            if start >= span.stop:
                return
            with closing(self._next(part)) as source:
                inside = Span(max(0, span.start - start), min(source.rows or 0, span.stop - start))
                if inside.start < inside.stop:
                    for piece in source.between(self._of_files(wanted), inside):
                        yield self._with_keys(piece, part, wanted)

    def number(self, text: str) -> float | None:
        return self._current.number(text)

    def is_text(self, column: str) -> bool:
        return self.untyped or column in self.keys

    def locate(self, row: int) -> tuple[str, int]:
        number, inside = self._place(row)
        return self._parts[number].path, inside

    def line_of(self, row: int, column: str = "") -> int | None:
        if column in self.keys:  # it is in the name of a directory
            return None
        number, inside = self._place(row)
        source = self._latest.get(number)
        return None if source is None else source.line_of(inside)

    def _place(self, row: int) -> tuple[int, int]:
        """The number of the file that a row is in, and where in it."""
        number = bisect_right(self._starts, row) - 1
        return number, row - self._starts[number]

    def close(self) -> None:
        self._current.close()

    def _told(self, trouble: Trouble) -> None:
        """Pass on what is wrong with one of the files as what is wrong with all of them."""
        assert self.tell is not None
        self.tell(trouble._replace(file=self.display))

    def _of_files(self, wanted: Sequence[Wanted]) -> list[Wanted]:
        """What is wanted of the files. A piece must have a column, if only to count its rows."""
        inner = [w for w in wanted if w.column not in self.keys]
        return inner or [Wanted(self.columns[0], key=True)]

    def _with_keys(self, piece: list[Values], part: Part, wanted: Sequence[Wanted]) -> list[Values]:
        """A piece of a file with the columns that its partition makes."""
        rows, values = len(piece[0].array), iter(piece)
        return [repeated(part, w, rows) if w.column in self.keys else next(values) for w in wanted]

    def _next(self, part: Part) -> Source:
        """The next file, which must be as the first one is."""
        source, first = self._opened(part.path), self._parts[0].path
        if type(source) is self._kind and sorted(source.columns) == sorted(self.columns):
            source.follow(self._current)
            return source
        source.close()
        if type(source) is not self._kind:
            raise DataError(f"{part.path}: not in the format of {first}, the first of its data set")
        strange = sorted({*source.columns} ^ {*self.columns}) or ["…"]
        here = "has" if strange[0] in source.columns else "lacks"
        raise DataError(
            f"{part.path}: {here} column '{strange[0]}', unlike {first}, the first of its data set",
            "a file without the header that others have is joined by cat: cat FILES | losscli … -"
            if "1" in source.columns
            else "",
        )


def _walk(folder: str, above: tuple[str, ...] = ()) -> Iterator[str]:
    """All files under a directory but those that are left out."""
    real = os.path.realpath(folder)
    if real in above:
        raise FileError(f"{folder}: a symbolic link to a directory that it is in")
    try:
        entries = list(os.scandir(folder))
    except OSError as error:
        raise FileError(f"{folder}: {error.strerror or error}") from None
    for entry in entries:
        if _left_out(entry.name):
            continue
        if os.path.isdir(entry.path):
            yield from _walk(entry.path, (*above, real))
        else:
            yield entry.path


def _left_out(name: str) -> bool:
    """Whether a name is hidden, or that of a note such as _SUCCESS; `_day=3` is a partition."""
    return name.startswith(".") or (name.startswith("_") and "=" not in name)


def _is_hidden(path: str, root: str) -> bool:
    return any(map(_left_out, path.removeprefix(root).split("/")))


def _matches(pattern: str, root: str) -> Iterator[str]:
    """The files that match a pattern, and those of the directories that do."""
    if "**" in pattern:
        for _ in _walk(root or "."):  # links that go round end here, and not in endless matches
            pass
    named = os.path.basename(pattern).startswith("_")
    for path in glob.glob(pattern, recursive=True):
        if os.path.isdir(path):
            if "**" not in pattern:
                yield from _walk(path)
        elif named or not os.path.basename(path).startswith("_"):
            yield path


def _fixed(pattern: str) -> str:
    """The directory of a pattern down to its first wildcard."""
    parts = pattern.split(os.sep)
    first = next(i for i, part in enumerate(parts) if glob.has_magic(part))
    return os.sep.join(parts[:first]) or (os.sep if first else "")


def _what_is_in(root: str) -> str:
    """What a pattern could have matched."""
    folder = root or "."
    if not os.path.isdir(folder):
        return f"there is no directory {folder}"
    names = sorted((entry.name for entry in os.scandir(folder)), key=natural_order)
    more = ", …" if len(names) > 3 else ""
    return f"{folder} holds {', '.join(names[:3]) + more if names else 'nothing'}"


def _check_files(paths: Sequence[str]) -> None:
    """Refuse what is no file, is there twice, or is of another kind by its name."""
    seen: dict[str, str] = {}
    unpacked: dict[str, str] = {}
    for path in paths:
        away = scheme_of(path) is not None
        if not away and os.path.exists(path) and not os.path.isfile(path):
            raise FileError(f"{path}: not a file that can be read twice", "name it by itself")
        twin = seen.setdefault(path if away else os.path.realpath(path), path)
        if twin is not path:
            raise DataError(f"{path} and {twin} are one file, whose rows would count twice")
        other = unpacked.setdefault(_without_packing(path), path)
        if other is not path:
            ending = _suffix(other) + other.removeprefix(_without_packing(other))
            raise DataError(
                f"{other} and {path} are by their names one file, compressed and not: its rows "
                "would count twice",
                f"a pattern names those that are meant, such as '*{ending}'",
            )
        if _suffix(path) != _suffix(paths[0]):
            most, _ = Counter(map(_suffix, paths)).most_common(1)[0]
            raise DataError(
                f"{path}: {_suffix(path) or 'no suffix'}, where {paths[0]} has "
                f"{_suffix(paths[0]) or 'none'}: files of a data set are of one kind",
                f"a pattern names those that are meant, such as '*{most}'" if most else "",
            )


def _suffix(path: str) -> str:
    return os.path.splitext(_without_packing(path.lower()))[1]


def _without_packing(path: str) -> str:
    stem, suffix = os.path.splitext(path)
    return stem if suffix.lower() in PACKED else path

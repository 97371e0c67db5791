"""JSON lines: an object a line, a chunk of whole lines at a time.

What the first records hold says how Arrow should read the columns that are wanted. A chunk that it
cannot read in this way is read by Python, whose errors name the line.
"""

import json
import math
from collections.abc import Iterator, Sequence
from typing import Any, BinaryIO

import numpy as np
import pyarrow as pa

from losscli.data import arrow
from losscli.data.ahead import each_ahead
from losscli.data.groups import group_names
from losscli.data.json_arrow import arrow_type, by_arrow, schema_of
from losscli.data.json_record import (
    UNFIT,
    Twice,
    fits,
    kind_of,
    member,
    named,
    of_one_type,
    plain_kinds,
    read_record,
    repeated_name,
    unknown,
    whole,
)
from losscli.data.lines import count_lines
from losscli.data.records import lines
from losscli.data.source import BadValue, Source, Values, Wanted, misfit
from losscli.data.tables import names_of
from losscli.data.text import quoted
from losscli.data.troubles import LISTED, BadLine, Found, report, shown
from losscli.errors import DataError, FileError
from losscli.losses.numerics import Mask

#: records that say which columns there are
_LOOK = 1000
_WORDS = {"NaN": np.nan, "Infinity": np.inf, "-Infinity": -np.inf}


class JsonSource(Source):
    """The columns of a stream of JSON objects, one a line; those in objects are called a.b."""

    schemaless = True

    def __init__(
        self, stream: BinaryIO, display: str, null: Sequence[str] = (), threads: int = 1
    ) -> None:
        self.display = display
        self._stream, self._null, self._threads = stream, frozenset(null), threads
        self._chunks = lines(stream, display)
        self._first = b""
        while not self._first.strip() and (chunk := next(self._chunks, b"")):
            self._first += chunk.removeprefix(b"\xef\xbb\xbf")
        start = self._first.lstrip()
        if not start:
            raise DataError(f"{display}: empty")
        if start.startswith(b"["):
            raise FileError(
                f"{display}: a JSON array, expected one object a line",
                f"jq -c '.[]' {quoted(display)} | losscli … reads it from '-'",
            )
        #: what the values of each column are in the first records
        self._kinds: dict[tuple[str, ...], list[str]] = {}
        for record in self._look(start):
            self._learn(record, ())
        if not self._kinds:
            blank = len(self._first) - len(start)
            number = self._first.count(b"\n", 0, blank) + 1
            wrong = read_record(start[: start.find(b"\n")], 1, number, display)
            if isinstance(wrong, BadLine):
                report([wrong], display, None)
        for path in [path for path, kinds in self._kinds.items() if kinds == ["null"]]:
            if any(other[: len(path)] == path != other for other in self._kinds):
                del self._kinds[path]  # an object that is missing in some records
        self._paths = {".".join(path): path for path in self._kinds}
        self.columns = [".".join(path) for path in self._kinds]
        if not self.columns:
            raise DataError(f"{display}: no columns: its first objects are empty")

    def pieces(self, wanted: Sequence[Wanted]) -> Iterator[list[Values]]:
        names_of(wanted, self.columns, self.display)
        schema = self._schema(wanted)
        row = line = 0

        def attempt(chunk: bytes) -> list[Values] | None:
            return None if schema is None else by_arrow(chunk, schema, wanted)

        for chunk, parsed in each_ahead(attempt, self._bodies(), self._threads):
            values = parsed or self._by_python(chunk, wanted, row, line)
            if parsed:
                self._settle(parsed, wanted)
            if values:
                yield values
                row += len(values[0].array)
            line += count_lines(chunk)

    def close(self) -> None:
        self._stream.close()

    def follow(self, before: Source) -> None:
        assert isinstance(before, JsonSource)
        for path, kinds in self._kinds.items():
            self._kinds[path] = list(dict.fromkeys([*before._kinds.get(path, []), *kinds]))

    def _settle(self, parsed: list[Values], wanted: Sequence[Wanted]) -> None:
        """Once Arrow has read numbers in a column that was all null, numbers are what it holds."""
        for values, w in zip(parsed, wanted, strict=True):
            kinds = self._kinds[self._paths[w.column]]
            keys = w.key or (w.raw and w.unfit is None)
            if not keys and unknown(kinds) and not _all_null(values):
                kinds += [kind.replace("null", "number") for kind in plain_kinds(kinds) or ["null"]]

    def _bodies(self) -> Iterator[bytes]:
        first, self._first = self._first, b""
        if first:
            yield first
        yield from self._chunks

    def _look(self, start: bytes) -> Iterator[dict[str, Any]]:
        """The first records, without those that are damaged: they are named when they are read."""
        for text in start.split(b"\n", _LOOK)[:_LOOK]:
            try:
                record = json.loads(text, parse_int=whole)
            except (ValueError, RecursionError):
                continue
            if isinstance(record, dict):
                yield record

    def _learn(self, record: dict[str, Any], above: tuple[str, ...]) -> None:
        for name, value in record.items():
            path = (*above, name)
            if isinstance(value, dict):
                self._learn(value, path)
            else:
                kinds = self._kinds.setdefault(path, [])
                kinds += [kind for kind in [kind_of(value)] if kind not in kinds]

    def _schema(self, wanted: Sequence[Wanted]) -> Any:
        """The wanted columns for Arrow; None when it would not read them as they are."""
        tree: dict[str, Any] = {}
        for w in wanted:
            path = self._paths[w.column]
            kind = self._raw_type(path, w) if w.raw else arrow_type(self._kinds[path], w.key)
            if kind is None:
                return None
            inner = tree
            for name in path[:-1]:
                inner = inner.setdefault(name, {})
                if not isinstance(inner, dict):
                    return None
            if inner.setdefault(path[-1], kind) != kind:
                return None
        return schema_of(tree)

    def _raw_type(self, path: tuple[str, ...], wanted: Wanted) -> Any:
        """How Arrow should read values as they are; None when Python is to tell what they are."""
        kinds = [kind for kind in self._kinds[path] if kind != "null"]
        if wanted.unfit is not None:
            # Words may stand for numbers, or for nothing.
            words = any(kind.endswith("word") for kind in kinds)
            plain = not words or (wanted.labels and not self._null)
            return arrow_type(kinds, False) if plain else None
        if not kinds or (kinds == ["word"] and self._null):
            return None
        return pa.int64() if kinds == ["whole"] else arrow_type(kinds, False)

    def _by_python(
        self, chunk: bytes, wanted: Sequence[Wanted], row: int, line: int
    ) -> list[Values]:
        """The wanted columns of a chunk, or the error that names what is wrong."""
        columns: list[list[Any]] = [[] for _ in wanted]
        paths = [self._paths[w.column] for w in wanted]
        bad: list[BadLine] = []
        for number, text in enumerate(chunk.split(b"\n"), line + 1):
            if text.strip():
                record = read_record(text, row + len(columns[0]) + 1, number, self.display)
                bad += [record] if isinstance(record, BadLine) else []
                values = []
                try:
                    values = [member(record, path) for path in paths]
                except Twice as twice:
                    values = [None] * len(paths)
                    bad.append(repeated_name(str(twice), row + len(columns[0]) + 1, number))
                for column, value in zip(columns, values, strict=True):
                    column.append(value)
        if bad:
            report(bad, self.display, self.tell)
        if not columns[0]:
            return []
        found = [self._column(column, w, row) for column, w in zip(columns, wanted, strict=True)]
        lost = np.zeros(len(columns[0]), bool)
        lost[[each.row - row - 1 for each in bad]] = True
        return [
            _without(lost, v) if bad and w.raw else v for v, w in zip(found, wanted, strict=True)
        ]

    def _column(self, values: list[Any], wanted: Wanted, row: int) -> Values:
        try:
            if wanted.key:
                return group_names([None if self._is_null(value) else value for value in values])
            if wanted.raw and wanted.unfit is None:
                keys = [None if self._is_null(value) else value for value in values]
                return Values(of_one_type(keys, self._kinds[self._paths[wanted.column]]))
            plain = [self._plain(value, wanted) for value in values]
            known = self._kinds[self._paths[wanted.column]]
            lost = self._check_kinds(plain, values, known, wanted, row)
            if unknown(known):
                known += {kind_of(value) for value in plain} - {"null"}
            gap = all(value is None for value in plain)
            array = pa.array(plain, arrow_type(known, False) if gap else None)
            return Values(array, lost) if wanted.raw else arrow.read(array, wanted)
        except BadValue as bad:
            raise misfit(
                self.display, wanted.column, row + bad.index + 1, bad.value, bad.expected, bad.hint
            ) from None
        except (pa.ArrowException, *UNFIT) as error:
            raise DataError(
                f"{self.display}, column '{wanted.column}', after row {row}: {error}"
            ) from None

    def _is_null(self, value: Any) -> bool:
        return isinstance(value, str) and value in self._null

    def _check_kinds(
        self, plain: list[Any], values: list[Any], known: list[str], wanted: Wanted, row: int
    ) -> Mask | None:
        """Raise BadValue for the first value that is not of the kind of those before it.

        Where somebody is to be told, they hear of all such values, which are taken out.
        """
        found = [kind_of(value) for value in plain]
        if not wanted.labels:  # the words among those before are NaN, or refused already
            known = [kind.replace("word", "number") for kind in known]
        unfit = ("mixed", "object") if wanted.labels else ("mixed", "object", "word")
        kinds = plain_kinds([*known, *dict.fromkeys(found)])
        common = next((kind for kind in kinds if not kind.endswith(unfit)), "number")
        wrong = [i for i, kind in enumerate(found) if not fits(kind, common)]
        if not wrong:
            return None
        plain_words = {
            "bool": "true or false, as in the rows before it",
            "list of bool": "a list of true and false, as in the rows before it",
            "number": "a number",
        }
        expected = plain_words.get(common, "a list of numbers")
        expected = wanted.labels.expected if wanted.labels else expected
        if wanted.unfit is None:
            raise BadValue(wrong[0], f"got {named(values[wrong[0]])}", expected, wanted.hint)
        listed = [Found(row + i + 1, None, shown(values[i]), self.display) for i in wrong[:LISTED]]
        wanted.unfit(wanted.trouble(self.display, expected, wanted.hint, len(wrong), listed))
        lost = np.zeros(len(values), bool)
        lost[wrong] = True
        for i in wrong:
            plain[i] = None
        return lost

    def _plain(self, value: Any, wanted: Wanted) -> Any:
        """A value with numbers as floats, and words for numbers as those numbers."""
        if isinstance(value, list):
            return [self._plain(each, wanted) for each in value]
        if isinstance(value, str):
            if self._is_null(value):
                return None
            return value if wanted.labels else _WORDS.get(value, value)
        if isinstance(value, int) and not isinstance(value, bool):
            try:
                return float(value)
            except OverflowError:
                return math.inf if value > 0 else -math.inf
        return value


def _all_null(values: Values) -> bool:
    if isinstance(values.array, pa.Array):
        return bool(values.array.null_count == len(values.array))
    return values.missing is not None and bool(values.missing.all())


def _without(lost: Mask, values: Values) -> Values:
    """Values as they are, of which those in lost lines are missing too."""
    return Values(values.array, lost if values.missing is None else lost | values.missing)

"""One line of JSON → its object, or what is wrong with it; what its values are."""

import json
from collections import Counter
from typing import Any

import numpy as np
import pyarrow as pa

from losscli.data.arrow import large_numbers
from losscli.data.source import BadValue
from losscli.data.text import quoted, recode
from losscli.data.troubles import NOT_UTF8, BadLine

#: as many digits as Python makes an int of, however it is set up
_DIGITS = 640
#: kinds of values in words
_WORDS = {"whole": "a whole number", "number": "a number", "word": "text", "bool": "true or false"}
#: what Arrow has no type for: numbers beyond 64 bits, and halves of characters
UNFIT = (OverflowError, UnicodeEncodeError)


def read_record(text: bytes, row: int, line: int, display: str) -> dict[str, Any] | BadLine:
    """The object that a line holds."""
    try:
        record = json.loads(text.decode(), object_pairs_hook=_object, parse_int=whole)
    except UnicodeDecodeError as error:
        wrong, value = "not UTF-8 text", ascii(error.object[error.start : error.end])[1:]
        hint = recode("LATIN1", display)
        return BadLine(NOT_UTF8, row, line, value, wrong, wrong, hint)
    except json.JSONDecodeError as error:
        rest, mender = error.doc[error.pos :].strip(), ""
        if rest == ",":
            mender = "sed 's/,[[:space:]]*$//'"
        elif line == 1 and (not rest or (rest[0] == "{" and error.msg == "Extra data")):
            mender = "jq -c ."  # an object on several lines, or several on one
        hint = f"{mender} {quoted(display)} | losscli … reads it from '-'" if mender else ""
        return _not_json(row, line, f"{error.msg} at character {error.pos + 1}", hint)
    except RecursionError:
        return _not_json(row, line, "nested too deeply", "")
    if not isinstance(record, dict):
        wrong = "expected an object"
        value = named(record)
        return BadLine("not-an-object", row, line, value, wrong, f"{value}, {wrong}")
    return record


def member(record: Any, path: tuple[str, ...]) -> Any:
    """What is at a path in an object; None where there is nothing, Twice where two values are."""
    for name in path:
        if isinstance(record, _Doubled) and name in record.twice:
            raise Twice(name)
        record = record.get(name) if isinstance(record, dict) else None
    return record


def repeated_name(name: str, row: int, line: int) -> BadLine:
    """What is wrong with a line in which nobody can tell which of two values is meant."""
    value = repr(name)
    return BadLine(
        "repeated-name", row, line, value, "a name twice in one object", f"two values of {value}"
    )


class _Written(int):
    """A whole number that an int does not hold as it is written: -0, or hundreds of digits."""

    text: str

    def __new__(cls, text: str) -> "_Written":
        """The int has the first digits, which are enough to tell that it is too large for a key."""
        number = super().__new__(cls, text[:_DIGITS])
        number.text = text
        return number

    def __float__(self) -> float:
        return float(self.text)

    def __str__(self) -> str:
        return self.text if self else "0"


def whole(text: str) -> int:
    """A whole number, from which its text can be had again."""
    return _Written(text) if text == "-0" or len(text) > _DIGITS else int(text)


def named(value: Any) -> str:
    """A value as JSON has it, shortened."""
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= 60 else text[:57] + "…"


def kind_of(value: Any) -> str:
    """What a JSON value is; of a list, what it is of."""
    if value is None:
        return "null"
    if isinstance(value, list):
        inner = list(dict.fromkeys(map(kind_of, value)))
        inner = inner if len(inner) == 1 else plain_kinds(inner)
        return f"list of {inner[0] if len(inner) == 1 else 'mixed' if inner else 'null'}"
    if isinstance(value, bool):
        return "bool"
    if isinstance(value, str):
        return "word"
    if isinstance(value, dict):
        return "object"
    return "whole" if isinstance(value, int) else "number"


def of_one_type(values: list[Any], known: list[str]) -> Any:
    """Values as an Arrow array, which must be of the kind of those that are known of their column.

    BadValue for the first of another kind, or that Arrow would have to round or change.
    """
    kinds = [kind_of(value) for value in values]
    first = next((kind for kind in [*known, *kinds] if kind != "null"), "null")
    # Whole numbers are numbers like others, where there are others.
    alike = {"whole", "number"} if "number" in known and first == "whole" else {first}
    if first == "number":
        alike.add("whole")
    odd = np.array([kind not in {"null", *alike} for kind in kinds], bool)
    if odd.any():
        at = int(np.argmax(odd))
        expected = f"{_WORDS.get(first, first)}, as in the rows before it (--on)"
        raise BadValue(at, f"got {named(values[at])}", expected, every=odd)
    try:
        return pa.array(values)
    except (pa.ArrowException, *UNFIT):
        found = set(kinds) - {"null"}
    if found == {"whole"}:
        return large_numbers(values)
    if found == {"whole", "number"}:
        sizes = enumerate(abs(value) if isinstance(value, int) else 0 for value in values)
        at = next(i for i, size in sizes if size > 1 << 53)
        expected = "a number that float64 holds, beside others that are not whole (--on)"
        raise BadValue(at, f"got {named(values[at])}", expected)
    at = next(i for i, value in enumerate(values) if not _is_text(value))
    raise BadValue(at, f"got {json.dumps(values[at])}", "text, not half of a character (--on)")


def _is_text(value: Any) -> bool:
    """Whether a value can be written: JSON can hold half of a character."""
    try:
        str(value).encode()
    except UnicodeEncodeError:
        return False
    return True


def plain_kinds(kinds: list[str]) -> list[str]:
    """Kinds of values, where whole numbers are numbers like others."""
    plain = list(dict.fromkeys(kind.replace("whole", "number") for kind in kinds))
    return [
        kind
        for kind in plain
        if kind != "null" and not any(kind != other and fits(kind, other) for other in plain)
    ]


def fits(kind: str, common: str) -> bool:
    """Whether a value may be among others: what is missing may be anything."""
    return kind == common or (kind.endswith("null") and common.startswith(kind[: -len("null")]))


def unknown(kinds: list[str]) -> bool:
    """Whether values of these kinds are all missing, or lists of what is."""
    return all(kind.endswith("null") for kind in kinds)


def _not_json(row: int, line: int, value: str, hint: str) -> BadLine:
    return BadLine("not-json", row, line, value, "not JSON", f"not JSON: {value}", hint)


class Twice(Exception):
    """A name that is twice in an object, by which a value was asked for."""


class _Doubled(dict[str, Any]):
    """An object in which names are twice, which matters to those who ask for them."""

    twice: set[str]


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    record = dict(pairs)
    if len(record) == len(pairs):
        return record
    counts = Counter(name for name, _ in pairs)
    doubled = _Doubled(record)
    doubled.twice = {name for name, count in counts.items() if count > 1}
    return doubled

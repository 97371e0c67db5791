"""One line of JSON → its object, or what is wrong with it; what its values are."""

import json
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
        record = json.loads(text.decode(), object_pairs_hook=_once, parse_int=whole)
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
    except _Twice as twice:
        name = str(twice)
        return BadLine(
            "repeated-name", row, line, name, "a name twice in one object", f"two values of {name}"
        )
    if not isinstance(record, dict):
        wrong = "expected an object"
        value = named(record)
        return BadLine("not-an-object", row, line, value, wrong, f"{value}, {wrong}")
    return record


def member(record: Any, path: tuple[str, ...]) -> Any:
    """What is at a path in an object; None where there is nothing."""
    for name in path:
        record = record.get(name) if isinstance(record, dict) else None
    return record


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
        inner = {kind_of(each) for each in value} - {"null"}
        return f"list of {inner.pop() if len(inner) == 1 else 'number' if not inner else 'mixed'}"
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
    plain = [kind.replace("whole", "number") for kind in kinds if kind != "null"]
    return list(dict.fromkeys(plain))


def arrow_type(kinds: list[str], key: bool) -> Any:
    """How Arrow should read such values; None when it would not read them as they are."""
    if key:
        return {"word": pa.string(), "whole": pa.int64()}.get("".join(kinds))
    plain = plain_kinds(kinds) or ["number"]
    if len(plain) > 1:
        return None
    *lists, inner = plain[0].split(" of ")
    kind = {"number": pa.float64(), "word": pa.string(), "bool": pa.bool_()}.get(inner)
    for _ in lists:
        kind = kind and pa.list_(kind)
    return kind


def _not_json(row: int, line: int, value: str, hint: str) -> BadLine:
    return BadLine("not-json", row, line, value, "not JSON", f"not JSON: {value}", hint)


class _Twice(Exception):
    """A name that is twice in an object."""


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """An object, whose names must differ: of two values, nobody can tell which is meant."""
    record = dict(pairs)
    if len(record) < len(pairs):
        names = [name for name, _ in pairs]
        raise _Twice(repr(next(name for name in names if names.count(name) > 1)))
    return record

"""JSON lines as Arrow parses them, where it reads what Python would."""

import itertools
import re
from collections.abc import Sequence
from typing import Any

import numpy as np
import pyarrow as pa

from losscli.data import arrow, nested
from losscli.data.json_record import plain_kinds
from losscli.data.lines import count_lines
from losscli.data.source import BadValue, Values, Wanted

#: by the kinds of values that are in lists or by themselves
_ARROW = {
    "number": pa.float64(), "word": pa.string(), "bool": pa.bool_(), "null": pa.float64(),
}  # fmt: skip
#: what Arrow takes for numbers, beside NaN, Infinity and -Infinity, which are such also to others
_NO_NUMBERS = re.compile(rb"-NaN|(?<=[\s:,\[-])Inf(?!inity)")


def arrow_type(kinds: list[str], key: bool) -> Any:
    """How Arrow should read such values; None when it would not read them as they are."""
    if key:
        return {"word": pa.string(), "whole": pa.int64()}.get("".join(kinds))
    plain = plain_kinds(kinds) or ["null"]
    if len(plain) > 1:
        return None
    *lists, inner = plain[0].split(" of ")
    kind = _ARROW.get(inner)
    for _ in lists:
        kind = kind and pa.list_(kind)
    return kind


def schema_of(tree: dict[str, Any]) -> Any:
    """The types of columns and, in dictionaries of their own, of members of objects."""
    return pa.schema(_fields(tree))


def by_arrow(chunk: bytes, schema: Any, wanted: Sequence[Wanted]) -> list[Values] | None:
    """The wanted columns of a chunk as Arrow reads them; None where Python must have a look."""
    import pyarrow.json as pajson

    # Arrow takes two objects on a line, and one on two lines; a null that comes first ends the
    # whole process.
    starts = chunk.count(b"\n{") + chunk.startswith(b"{")
    if starts != count_lines(chunk) or _has_no_numbers(chunk):
        return None
    try:
        if not chunk.isascii():
            chunk.decode()
        table = pajson.read_json(
            pa.BufferReader(chunk),
            pajson.ReadOptions(use_threads=False, block_size=len(chunk) + 1),
            pajson.ParseOptions(explicit_schema=schema, unexpected_field_behavior="ignore"),
        )
        if table.num_rows != starts:
            return None
        (batch,) = table.combine_chunks().to_batches()
        columns = [nested.column(batch, w.column) for w in wanted]
        as_it_is = [w.raw and w.unfit is None for w in wanted]
        if any(map(_may_be_rounded, itertools.compress(columns, as_it_is))):
            return None
        return [arrow.read(column, w) for column, w in zip(columns, wanted, strict=True)]
    except (pa.ArrowException, UnicodeDecodeError, BadValue):
        return None


def _may_be_rounded(column: Any) -> bool:
    """Whether numbers may be whole ones that float64 rounds, which keys must not be."""
    if column.type != pa.float64():
        return False
    return bool((np.abs(arrow.decode(column).array) >= 1 << 53).any())


def _has_no_numbers(chunk: bytes) -> bool:
    """Whether Arrow may take what is no number for one."""
    return (b"Inf" in chunk or b"-NaN" in chunk) and _NO_NUMBERS.search(chunk) is not None


def _fields(tree: dict[str, Any]) -> list[Any]:
    return [
        pa.field(name, pa.struct(_fields(kind)) if isinstance(kind, dict) else kind)
        for name, kind in tree.items()
    ]

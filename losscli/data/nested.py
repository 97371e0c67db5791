"""Columns of structs, which are called by the way to them: `scores.cat` is `cat` of `scores`."""

from collections.abc import Iterable, Iterator
from typing import Any

import pyarrow as pa


def column_names(fields: Iterable[Any], above: str = "") -> list[str]:
    """The names of all columns that are no structs themselves."""
    return list(_names(fields, above))


def _names(fields: Iterable[Any], above: str) -> Iterator[str]:
    for field in fields:
        if pa.types.is_struct(field.type):
            yield from _names(_members(field.type), f"{above}{field.name}.")
        else:
            yield above + field.name


def top(schema: Any, name: str) -> str:
    """The column of a file that a column is, or is in."""
    index = schema.get_field_index(name)
    if index < 0 or pa.types.is_struct(schema.field(index).type):
        index = _place(schema, name)
    return str(schema.field(index).name)


def column(batch: Any, name: str) -> Any:
    """A column of a batch, also of its structs."""
    index = batch.schema.get_field_index(name)
    if index >= 0 and not isinstance(array := batch.column(index), pa.StructArray):
        return array
    outer = top(batch.schema, name)
    array = batch.column(outer)
    while pa.types.is_struct(array.type):
        name = name[len(outer) + 1 :]
        members = _members(array.type)
        index = _place(members, name)
        # Unlike `field`, this makes the members of a missing struct missing.
        outer, array = members[index].name, array.flatten()[index]
    return array


def _place(fields: Iterable[Any], name: str) -> int:
    """Which of some fields a column is, or is in."""
    return next(i for i, field in enumerate(fields) if name in column_names([field]))


def _members(struct: Any) -> list[Any]:
    return [struct.field(i) for i in range(struct.num_fields)]

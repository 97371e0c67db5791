"""What the first rows tell: the shape of a row of every role, as its file has it."""

from collections.abc import Mapping, Sequence

from losscli.data.align import Stream
from losscli.data.opening import Column
from losscli.errors import DataError
from losscli.losses.shapes import Shape


def first_shapes(streams: Sequence[Stream], columns: Mapping[str, Column]) -> dict[str, Shape]:
    """The shape of a row of each role; DataError for a file without rows."""
    shapes = [stream.shapes() for stream in streams]
    for stream, shape in zip(streams, shapes, strict=True):
        if shape is None:
            name = stream.source.display or stream.wanted[0].column
            raise DataError(f"{name}: no rows")
    found: dict[str, Shape] = {}
    for name, column in columns.items():
        of_stream = shapes[column.stream] or []
        each = [of_stream[i] for i in column.indexes]
        if len(each) > 1 and any(each):
            raise DataError(
                f"{column.display}: several columns, one of which holds lists",
                "name one list column, or columns of numbers",
            )
        found[name] = each[0] if len(each) == 1 else (len(each),)
    return found

"""The inputs of one computation: each role's columns, checked and cut into blocks of rows."""

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, NamedTuple

import numpy as np

from losscli.data.align import Stream, blocks
from losscli.data.arrays import ArraySource
from losscli.data.batches import by_count, by_key, memory_rows
from losscli.data.checks import Place, check, finite_or_admitted
from losscli.data.files import ReadOptions, open_source
from losscli.data.given import complete, is_table, reference_of, table_of
from losscli.data.references import STDIN, Reference, choose
from losscli.data.source import LabelMap, Source, Values, Wanted
from losscli.errors import DataError, UsageError
from losscli.losses.domains import SUM_TOLERANCE
from losscli.losses.numerics import Array, Index, Mask
from losscli.losses.registry import Loss
from losscli.losses.roles import BY as BY_ROLE
from losscli.losses.roles import WEIGHT as WEIGHT_ROLE
from losscli.losses.roles import Role
from losscli.losses.shapes import Binding, Shape, bind

WEIGHT = "weight"
#: the column that names the group of each row: its image, its batch
BY = "by"
#: rows of a block where a row is one number: 512 KiB of float64, which a core's cache holds
BLOCK_ROWS = 65536
BLOCK_VALUES = 131072

NonFinite = Literal["error", "skip", "keep"]


@dataclass(frozen=True)
class InputOptions:
    """How files are read, and what values stand for."""

    read: ReadOptions = field(default_factory=ReadOptions)
    labels: tuple[str, str] | None = None
    nonfinite: NonFinite = "error"
    class_axis: int = -1
    sum_tolerance: float = SUM_TOLERANCE
    #: rows of a batch, for losses whose rows depend on their batch; None for the whole file
    batch_size: int | None = None


class Block(NamedTuple):
    """Some rows of every role. `rows` are the positions of the rows kept; None means all."""

    start: int
    length: int
    arrays: dict[str, Array]
    rows: Index | None
    skipped: int


@dataclass
class _Column:
    """Where a role's data comes from: a stream, and which of its columns."""

    stream: int
    indexes: list[int]
    reference: Reference | None
    display: str
    names: list[str]


class Inputs:
    """The data of a loss's roles. Opening it reads the first rows, which settle the shapes."""

    def __init__(
        self, loss: Loss, given: Mapping[str, Any], params: dict[str, Any], options: InputOptions,
        data: Any = None,
    ) -> None:  # fmt: skip
        self.loss = loss
        self.options = options
        self.roles: dict[str, Role] = {**loss.roles, WEIGHT: WEIGHT_ROLE, BY: BY_ROLE}
        self._columns: dict[str, _Column] = {}
        self._streams: list[Stream] = []
        self._sources: list[Source] = []
        try:
            self._open(complete(loss, self.roles, given, data), data)
            self._settle(params)
        except BaseException:
            self.close()
            raise

    def _settle(self, params: dict[str, Any]) -> None:
        """Match the first rows with the loss, which settles shapes, domains and blocks."""
        first = self._first_shapes()
        #: the axes of the role that has most of those with classes; fewer have no class axis
        self._axes = max(
            [1 + len(s) for name, s in first.items() if self._classes(name)], default=0
        )
        #: the shape of a row of each role, as the loss sees it
        self.shapes: dict[str, Shape] = {
            name: _row_shape(self._class_last(name, np.empty((1, *shape))).shape[1:])
            for name, shape in first.items()
        }
        self.binding: Binding = bind(
            self.loss, self.roles, self.shapes, params, self.options.sum_tolerance
        )
        self._width = max(int(np.prod(shape)) for shape in self.shapes.values())
        self.block_rows = block_rows(self._width)

    @property
    def roles_given(self) -> set[str]:
        """The roles that have data."""
        return set(self._columns)

    def close(self) -> None:
        """Close every file."""
        for source in self._sources:
            source.close()

    def describe(self) -> dict[str, str]:
        """Each role's reference with the columns that were read, for people and programs."""
        return {
            name: f"{column.display}#{','.join(column.names)}" if column.reference else "array"
            for name, column in self._columns.items()
        }

    def element_names(self, count: int) -> list[str]:
        """Names for the elements of a row: pred's columns where they are as many, else 1, 2, 3 …"""
        names = next(iter(self._columns.values())).names
        return names if len(names) == count else [str(i + 1) for i in range(count)]

    def blocks(self, checked: bool = True) -> Iterator[Block]:
        """Every row of every role, checked, in blocks cut at fixed row numbers."""
        for start, values in self._cut():
            length = len(next(iter(values.values())).array)
            keep = self._finite_rows(values, start)
            if keep is not None:
                values = {name: _filter(v, keep) for name, v in values.items()}
            rows = None if keep is None else np.flatnonzero(keep)
            for name, value in values.items():
                if name == BY or not checked:
                    continue
                check(
                    self.binding.domains[name],
                    value,
                    self._place(name, start, rows),
                    self.binding.context,
                    finite=self.options.nonfinite != "keep",
                )
            arrays = {name: value.array for name, value in values.items()}
            skipped = 0 if keep is None else length - int(np.count_nonzero(keep))
            yield Block(start, length, arrays, rows, skipped)

    def _cut(self) -> Iterator[tuple[int, dict[str, Values]]]:
        """The roles' rows, cut at fixed row numbers or, for losses that need it, into batches."""
        parts = blocks(self._streams, self.block_rows)
        pieces = ((s, {name: self._role(name, p, s) for name in self._columns}) for s, p in parts)
        if self.loss.kind != "batch":
            return pieces
        if BY in self._columns:
            return by_key(pieces, BY)
        limit = memory_rows(self._width)
        return by_count(pieces, self.options.batch_size, limit, self.loss.name)

    def _open(self, given: Mapping[str, Any], data: Any) -> None:
        """Open each file once, whatever the number of roles that are in it."""
        wanted: list[list[Wanted]] = []
        sources = self._sources
        by_file: dict[str, int] = {}
        table = ArraySource(table_of(data), "data") if is_table(data) else None
        for name, value in given.items():
            source: Source
            if table is not None:
                reference: Reference | None = Reference("data", str(value))
                key, source = "", table
            elif isinstance(value, (str, Path)):
                reference = reference_of(value, data)
                path = reference.path
                key = path if path == STDIN else os.path.realpath(path)
                source = (
                    sources[by_file[key]]
                    if key in by_file
                    else open_source(reference, self.options.read)
                )
            else:
                reference, key, source = None, f"array {name}", ArraySource({name: value})
            if key not in by_file:
                by_file[key] = len(sources)
                sources.append(source)
                wanted.append([])
            at = by_file[key]
            names = choose(reference, source.columns) if reference else list(source.columns)
            first = len(wanted[at])
            for column in names:
                wanted[at].append(Wanted(column, *self._reading(name), key=name == BY))
            self._columns[name] = _Column(
                at,
                list(range(first, first + len(names))),
                reference,
                reference.display if reference else name,
                names,
            )
        self._streams = [
            Stream(source, columns) for source, columns in zip(sources, wanted, strict=True)
        ]

    def _reading(self, role: str) -> tuple[LabelMap | None, str]:
        """How a role's values are read: as mapped labels, or as numbers with a hint for words."""
        codes = self.roles[role].codes
        if codes is None:
            return None, ""
        if self.options.labels is not None:
            return LabelMap(self.options.labels, codes), ""
        return None, "--labels NEG,POS maps two words, such as --labels no,yes"

    def _first_shapes(self) -> dict[str, Shape]:
        shapes = [stream.shapes() for stream in self._streams]
        for stream, shape in zip(self._streams, shapes, strict=True):
            if shape is None:
                name = stream.source.display or stream.wanted[0].column
                raise DataError(f"{name}: no rows")
        found: dict[str, Shape] = {}
        for name, column in self._columns.items():
            of_stream = shapes[column.stream] or []
            each = [of_stream[i] for i in column.indexes]
            if len(each) > 1 and any(each):
                raise DataError(
                    f"{column.display}: several columns, one of which holds lists",
                    "name one list column, or columns of numbers",
                )
            found[name] = each[0] if len(each) == 1 else (len(each),)
        return found

    def _role(self, name: str, parts: list[list[Values]], start: int) -> Values:
        """One role's rows out of the streams' columns."""
        column = self._columns[name]
        chosen = [parts[column.stream][i] for i in column.indexes]
        values = chosen[0] if len(chosen) == 1 else _stack(chosen)
        array = self._class_last(name, values.array)
        missing = values.missing
        shape = _row_shape(array.shape[1:])
        if name == BY:
            return values
        if shape != self.shapes[name]:
            raise DataError(
                f"{column.display}: from row {start + 1} on, a row has {array.shape[1:]} values, "
                f"before it {self.shapes[name]}"
            )
        flat = (len(array), *self.binding.shapes[name])
        return Values(
            np.ascontiguousarray(array.reshape(flat)),
            None if missing is None else self._class_last(name, missing).reshape(flat),
        )

    def _class_last(self, name: str, array: Any) -> Any:
        """The class axis moved to the end, for roles that have one."""
        axis = self.options.class_axis
        if axis == -1 or array.ndim < max(3, self._axes) or not self._classes(name):
            return array
        if not 1 <= axis < array.ndim:
            raise UsageError(f"class axis {axis}: {name} has {array.ndim} axes, samples on axis 0")
        return np.moveaxis(array, axis, -1)

    def _classes(self, name: str) -> bool:
        """Whether an axis of a role may be its classes."""
        return any(" C" in axes for axes, _ in self.roles[name].shapes)

    def _finite_rows(self, values: Mapping[str, Values], start: int) -> Mask | None:
        """With `skip`, which rows are finite in every role; None when all of them are."""
        if self.options.nonfinite != "skip":
            return None
        keep: Mask | None = None
        for name, value in values.items():
            if name == BY:
                continue
            finite = finite_or_admitted(value.array, self.binding.domains[name])
            if not finite.all():
                rows: Any = finite.reshape(len(finite), -1).all(axis=1)
                keep = rows if keep is None else keep & rows
        return keep

    def _place(self, name: str, start: int, rows: Index | None) -> Place:
        column = self._columns[name]
        names = column.names if column.reference else []
        return Place(column.display, names, name, self.loss.name, start, rows)


def block_rows(width: int) -> int:
    """Rows of a block, by the number of values of a row alone, so that the cuts never move."""
    if width <= 2:
        return BLOCK_ROWS
    return max(64, 1 << (max(1, BLOCK_VALUES // width).bit_length() - 1))


def _row_shape(shape: tuple[int, ...]) -> Shape:
    """(n, 1) is (n,): a column is a column however it is wrapped."""
    return () if shape == (1,) else shape


def _stack(columns: list[Values]) -> Values:
    missing = None
    if any(c.missing is not None for c in columns):
        missing = np.stack(
            [np.zeros(len(c.array), bool) if c.missing is None else c.missing for c in columns],
            axis=1,
        )
    return Values(np.stack([c.array for c in columns], axis=1), missing)


def _filter(values: Values, keep: Mask) -> Values:
    missing = None if values.missing is None else values.missing[keep]
    return Values(values.array[keep], missing)

"""The inputs of one computation: each role's columns, checked and cut into blocks of rows."""

from collections.abc import Iterator, Mapping
from functools import cached_property, partial
from typing import Any

import numpy as np

from losscli.data.align import Stream, blocks
from losscli.data.along import keys_of, numbers_of, pairs_of
from losscli.data.axes import ClassAxis, row_shape
from losscli.data.batches import by_count, by_key, memory_rows
from losscli.data.block import Block as Block
from losscli.data.block import Cut
from losscli.data.block import block_rows as block_rows
from losscli.data.checks import Place, faults, first_of, kept
from losscli.data.first_rows import first_shapes
from losscli.data.given import On, check_flags, complete, differing_indexes
from losscli.data.memory import bound
from losscli.data.opening import COLUMNS, Column, Naming, open_streams
from losscli.data.options import InputOptions as InputOptions
from losscli.data.options import NonFinite as NonFinite
from losscli.data.ragged import alike, counted, ended, lengths_of, longest, ragged
from losscli.data.source import Source, Span, Values, stack
from losscli.data.spans import spans
from losscli.errors import DataError
from losscli.losses.domains import Context
from losscli.losses.numerics import Array, Index, Mask
from losscli.losses.registry import Loss
from losscli.losses.roles import BY as BY_ROLE
from losscli.losses.roles import WEIGHT as WEIGHT_ROLE
from losscli.losses.roles import Role
from losscli.losses.shapes import Binding, Shape, advice_on_labels, bind, fit_parameters, so_many

WEIGHT = "weight"
#: the column that names the group of each row: its image, its batch
BY = "by"


class Inputs:
    """The data of a loss's roles. Opening it reads the first rows, which settle the shapes."""

    def __init__(
        self, loss: Loss, given: Mapping[str, Any], params: dict[str, Any], options: InputOptions,
        data: Any = None,
    ) -> None:  # fmt: skip
        self.loss = loss
        self.options = options
        self.roles: dict[str, Role] = {**loss.roles, WEIGHT: WEIGHT_ROLE, BY: BY_ROLE}
        self._ragged = ragged(loss.roles)
        #: what was left out before the first block
        self.warnings: list[str] = []
        self._whole: dict[str, Array] = {}
        self._sources: list[Source] = []
        self._streams: list[Stream] = []
        try:
            whole = complete(loss, self.roles, given, data)
            check_flags(loss, whole, params)
            self.warnings += [] if options.on else differing_indexes(whole)
            advice = advice_on_labels(loss, options.labels)
            naming = Naming(options.labels, options.classes, advice)
            on = On(options.on, options.join, bound(options.max_memory)) if options.on else None
            self._columns, self._streams = open_streams(
                whole, self.roles, options.read, naming, data, self._sources, options.clock, on,
                options.tell,
            )  # fmt: skip
            self._settle(params)
        except BaseException:
            self.close()
            raise

    def _settle(self, params: dict[str, Any]) -> None:
        """Match the first rows with the loss, which settles shapes, domains and blocks."""
        first, options = first_shapes(self._streams, self._columns), self.options
        self._group_columns()
        self.class_axis = ClassAxis(options.class_axis, self.loss, self.roles, first)
        #: the shape of a row of each role, as the loss sees it
        self.shapes: dict[str, Shape] = {
            name: row_shape(self.class_axis.move(name, np.empty((1, *shape))).shape[1:])
            for name, shape in first.items()
        }
        self.binding: Binding = bind(
            self.loss, self.roles, self.shapes, params, options.sum_tolerance, options.given_by
        )
        self._width = max(int(np.prod(shape)) for shape in self.shapes.values())
        self.block_rows = block_rows(self._width)
        self._whole = {name: self._table(name) for name in self._columns if self.roles[name].whole}
        self._name_rows()
        # Tables may say how many classes there are, which the rows did not.
        fit_parameters(self.loss, params, self.binding.context, options.given_by)
        self._check_classes()

    def _check_classes(self) -> None:
        """As many names of classes as there are classes."""
        names, classes = self.options.classes, self.binding.context.get("C")
        if names not in (None, COLUMNS) and classes not in (None, len(names or ())):
            said = f"--classes has {len(names or ())} names"
            raise DataError(f"{said}, {so_many(self.loss)} {classes} classes")

    @property
    def roles_given(self) -> set[str]:
        """The roles that have data."""
        return set(self._columns)

    @property
    def known_rows(self) -> int | None:
        """How many rows there are, where one of the files says so."""
        return next((s.rows for s in self._sources if s.rows is not None), None)

    def close(self) -> None:
        """Close every file."""
        for stream in self._streams:
            stream.close()
        for source in self._sources[len(self._streams) :]:
            source.close()

    def describe(self) -> dict[str, str]:
        """Each role's reference with the columns that were read, for people and programs."""
        return {name: column.described for name, column in self._columns.items()}

    def element_names(self, count: int) -> list[str]:
        """Names for the elements of a row: pred's columns where they are as many, else 1, 2, 3 …"""
        names = next(iter(self._columns.values())).names
        elements = any("..." in p for role in self.loss.roles.values() for p, _ in role.shapes)
        return names if elements and len(names) == count else [str(i + 1) for i in range(count)]

    def spans(self, longest: int | None = None) -> list[Span]:
        """Ranges of rows, of at most so many, whose blocks can be read at once; maybe none."""
        if self.loss.kind == "batch":
            return []
        streams = [self._streams[i] for i in self._paired[1]]
        sources, threads = [stream.source for stream in streams], self.options.read.threads
        found = spans(sources, self.block_rows, self._width, longest, threads)
        for stream in streams if found else []:
            stream.let_go()
        return found

    def blocks(self, checked: bool = True, part: Span | Cut | None = None) -> Iterator[Block]:
        """Every row of every role, or those of a part, checked, in blocks at fixed row numbers."""
        check = self.options.clock.timed("check", self._check_roles)
        for start, roles in (part,) if isinstance(part, Cut) else self.cuts(part):
            together = roles()
            values = {name: together[name] for name in self._columns if name in together}
            if self._ragged:
                values = ended(values, counted(values, self._ragged), self._ragged)
            length = len(next(iter(values.values())).array)
            keep = self._kept_rows(values)
            rows, skipped = None, 0
            if keep is not None:
                values = {name: v.rows(keep) for name, v in values.items()}
                rows = np.flatnonzero(keep)
                skipped = length - len(rows)
            if checked:
                check(values, together, start, rows)
            arrays = {name: value.array for name, value in values.items()} | self._whole
            counts: dict[str, Array] = {}
            if self._ragged:
                counts = counted(values, self._ragged)
                arrays |= lengths_of(counts, self._ragged)
            keys = keys_of(together, keep) if self.options.on else ()
            yield Block(start, length, arrays, rows, skipped, counts, *keys)

    def _check_roles(
        self, values: Mapping[str, Values], together: Mapping[str, Values], start: int,
        rows: Index | None,
    ) -> None:  # fmt: skip
        """Look at the values of a block."""
        context = self.binding.context
        if self._ragged:
            context = {**context, **longest(values, self._ragged)}
        at = start, rows
        for name, value in values.items():
            if self.options.on:
                at = numbers_of(together, self._columns[name].side, start, rows)
            if name != BY:
                self._check(name, value, *at, context)

    @cached_property
    def _paired(self) -> tuple[list[str], list[int]]:
        """The roles whose rows go together, and the streams that they are in."""
        roles = [name for name in self._columns if not self.roles[name].whole]
        return roles, sorted({self._columns[name].stream for name in roles})

    def cuts(self, span: Span | None = None) -> Iterator[Cut]:
        """The rows, cut at fixed row numbers or, for losses that need it, into batches."""
        numbers = self._paired[1]
        streams = [self._streams[i] for i in numbers]
        if span is not None:
            streams = [stream.over(span) for stream in streams]
        cut = (
            Cut(start, partial(self._together, start, dict(zip(numbers, parts, strict=True))))
            for start, parts in blocks(streams, self.block_rows, self.options.tell is not None)
        )
        if self.loss.kind != "batch":
            return cut
        pieces = ((start, roles()) for start, roles in cut)
        if BY in self._columns:
            batches = by_key(pieces, BY)
        else:
            limit = memory_rows(self._width, self.options.max_memory)
            batches = by_count(pieces, self.options.batch_size, limit, self.loss.name)
        return (Cut(start, partial(dict, batch)) for start, batch in batches)

    def _together(self, start: int, parts: Mapping[int, list[Values]]) -> dict[str, Values]:
        """The same rows of every role, and of what pairs them."""
        roles, numbers = self._paired
        found = {name: self._role(name, parts, start) for name in roles}
        return found | pairs_of(self.pairing, parts[numbers[0]]) if self.options.on else found

    @property
    def pairing(self) -> Any:
        """The PairedSource of the files whose rows are paired by key, if any are."""
        return self._sources[0] if self.options.on else None

    def told(self) -> list[str]:
        """What was left out without an error, once all blocks have been read."""
        inner = self.pairing is not None and self.options.join == "inner"
        unpaired = self.pairing.left_out if inner else {}
        return self.warnings + [
            f"{count:,} row{'s' * (count > 1)} of {name} left out: not all files have the key"
            for name, count in unpaired.items()
            if count
        ]

    def _group_columns(self) -> None:
        """Let the columns of a role be one, but where its rows are looked up by their keys."""
        paired = 0 if self.pairing is not None else None
        for at, stream in enumerate(self._streams):
            roles = [name for name, column in self._columns.items() if column.stream == at]
            if at == paired or all(len(self._columns[name].indexes) == 1 for name in roles):
                continue
            stream.group([self._columns[name].indexes for name in roles])
            for position, name in enumerate(roles):
                self._columns[name] = self._columns[name]._replace(indexes=[position])

    def _name_rows(self) -> None:
        """Where the rows of a whole table are classes, its length says how many there are."""
        for name, table in self._whole.items():
            axis = self.roles[name].shapes[0][0].split()[0]
            known = self.binding.context.get(axis, len(table))
            if axis != "m" and known != len(table):
                raise DataError(f"{name} has {len(table)} rows, expected {known}, one a class")
            self.binding.context[axis] = len(table)

    def _table(self, name: str) -> Array:
        """All rows of a role that is a table of its own, checked."""
        at = self._columns[name].stream
        limit = memory_rows(self._width, self.options.max_memory)
        values = self._role(name, {at: self._streams[at].take(limit)}, 0)
        if self._streams[at].take(1):
            raise DataError(
                f"{self._columns[name].display}: {name} is needed whole, and more than {limit:,} "
                "rows do not fit in memory"
            )
        rows: Index | None = None
        keep = self._kept_rows({name: values})
        if keep is not None:
            rows = np.flatnonzero(keep)
            count = len(keep) - len(rows)
            values = values.rows(keep)
            self.warnings.append(
                f"{count} row{'s' if count > 1 else ''} of {name} left out, not finite"
            )
        self._check(name, values, 0, rows, self.binding.context)
        return values.array

    def _check(
        self, name: str, values: Values, start: int, rows: Index | None, context: Context
    ) -> None:
        domain = self.binding.domains[name]
        if found := list(faults(domain, values, name, context, self.options.refused)):
            raise first_of(found, self._place(name, start, rows))

    def _role(self, name: str, parts: Mapping[int, list[Values]], start: int) -> Values:
        """One role's rows out of the streams' columns."""
        column = self._columns[name]
        stream = parts[column.stream]
        values = stack([stream[i] for i in column.indexes])
        array = self.class_axis.move(name, values.array)
        missing = values.missing
        shape = row_shape(array.shape[1:])
        if name == BY:
            return values
        if name in self._ragged and alike(array, self.binding.shapes[name]):
            return values._replace(array=np.ascontiguousarray(array, dtype=np.float64))
        if shape != self.shapes[name]:
            raise DataError(
                f"{column.display}: from row {start + 1} on, a row has {array.shape[1:]} values, "
                f"before it {self.shapes[name]}"
            )
        flat = (len(array), *self.binding.shapes[name])
        return Values(
            np.ascontiguousarray(array.reshape(flat), dtype=np.float64),
            None if missing is None else self.class_axis.move(name, missing).reshape(flat),
        )

    def _kept_rows(self, values: Mapping[str, Values]) -> Mask | None:
        """Where rows are skipped, which have nothing that they are skipped for; None for all."""
        skipped = self.options.skipped
        if not any(skipped):
            return None
        named = {name: value for name, value in values.items() if name != BY}
        return kept(named, self.binding.domains, skipped)

    def _place(self, name: str, start: int, rows: Index | None) -> Place:
        column = self._columns[name]
        names = column.names if column.reference else []
        return Place(
            column.display, names, name, self.loss.name, start, rows,
            self._source(column), lambda index: self.class_axis.index(name, index),
        )  # fmt: skip

    def _source(self, column: Column) -> Source:
        """The file that a role's column is in, also where it is paired with others."""
        if self.pairing is not None and column.stream == 0:
            paired: Source = self.pairing.source_of(column.side)
            return paired
        return self._streams[column.stream].source

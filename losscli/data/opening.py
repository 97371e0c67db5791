"""What was given for the roles → open streams, and which columns of them each role has."""

import os
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any, NamedTuple, cast

from losscli.data.align import Stream
from losscli.data.arrays import ArraySource
from losscli.data.files import open_source
from losscli.data.given import (
    On,
    column_of,
    index_of,
    is_table,
    option,
    reference_of,
    table_of,
)
from losscli.data.lenient import LenientSource
from losscli.data.reading import ReadOptions
from losscli.data.references import STDIN, Reference, choose
from losscli.data.source import WHOLE, LabelMap, Source, Wanted, as_number
from losscli.data.troubles import Tell
from losscli.errors import DataError, UsageError
from losscli.losses.domains import Labels
from losscli.losses.registry import suggestion
from losscli.losses.roles import Role
from losscli.stopwatch import Stopwatch

#: as names of classes: those of the columns that hold their scores
COLUMNS = ("columns",)


class Column(NamedTuple):
    """Where a role's data comes from: a stream, and which of its columns."""

    stream: int
    indexes: list[int]
    reference: Reference | None
    display: str
    names: list[str]
    #: which of the files that are paired by key it is in
    side: int = 0

    @property
    def described(self) -> str:
        """The reference in full; an array that is read whole has no names of columns."""
        if self.reference is None:
            return "array"
        return f"{self.display}#{','.join(self.names)}" if self.names else self.display


class Naming(NamedTuple):
    """What values of labels and of classes are called in the files."""

    #: and a third for an ignored one, where there is one
    labels: tuple[str, ...] | None = None
    #: the names of the classes in their order, or COLUMNS for those of the columns of scores
    classes: tuple[str, ...] | None = None
    #: what to do about a label that is none of those
    advice: str = ""


def open_streams(
    given: Mapping[str, Any], roles: Mapping[str, Role], read: ReadOptions,
    naming: Naming, data: Any, sources: list[Source], clock: Stopwatch,
    on: On | None = None,
    tell: Tell | None = None,
) -> tuple[dict[str, Column], list[Stream]]:  # fmt: skip
    """Open each file once, whatever the number of roles that are in it.

    Whatever was opened is in `sources`, to be closed, also when an error ends this. With `on`, the
    first stream is that of all files whose rows are paired by key. With `tell`, what cannot be
    read does not end the reading.
    """
    keys = on.keys if on else ()
    columns: dict[str, Column] = {}
    wanted: list[list[Wanted]] = []
    by_file: dict[str, int] = {}
    table = ArraySource(table_of(data), "data", index_of(data)) if is_table(data) else None

    def opened(name: str, key: str, source: Callable[[], Source]) -> int:
        """Where a source is, which is opened for the first role that is in it."""
        if key not in by_file:
            if key[:1] == STDIN and any(other[:1] == STDIN for other in by_file):
                raise UsageError(
                    f"--{option(name)}: standard input can be read only once", "put it into a file"
                )
            by_file[key] = len(sources)
            sources.append(_lenient(source(), tell) if tell else source())
            wanted.append([])
        return by_file[key]

    def opened_file(name: str, file: Reference, own: str) -> int:
        key = STDIN if file.path == STDIN else os.path.realpath(file.path)
        return opened(name, key + own, partial(open_source, file, read))

    for name, value in given.items():
        reference: Reference | None = None
        # A table of its own is read to its end before the others, so it shares no reader.
        own = f" of {name}" if roles[name].whole else ""
        if table is not None and isinstance(value, str):
            reference = column_of("data", value, table.columns)
        elif isinstance(value, (str, os.PathLike)):
            reference = reference_of(value, data)
            if data is not None and "#" in str(value):
                beside = sources[opened_file(name, reference, "")]
                reference = column_of(str(data), str(value), beside.columns)
        if reference is None:
            array = partial(ArraySource, {name: value}, index=index_of(value))
            at = opened(name, f"array {name}", array)
        elif table is not None and reference.columns == value:
            at = opened(name, own, partial(cast, Source, table))
        else:
            at = opened_file(name, reference, own)
        source = sources[at]
        if not roles[name].whole:
            _check_keys(source, keys, source.display or name)
        names, read_columns = _columns_of(source, reference, keys)
        if not read_columns:
            raise DataError(f"{source.display or name}: no columns")
        first = len(wanted[at])
        scores = next(iter(columns.values())).names if columns else []
        wanted[at] += [_wanted(column, roles[name], naming, scores) for column in read_columns]
        display = reference.display if reference else name
        columns[name] = Column(at, list(range(first, len(wanted[at]))), reference, display, names)
    _check_order(columns, given)
    if naming.labels and not any(roles[name].codes for name in given):
        raise UsageError("--labels: this loss has no input of two labels")
    if naming.classes and not any(roles[name].by_class for name in given):
        raise UsageError("--classes: this loss has no input of class indices")
    _check_text_options(sources, read)
    if on is not None:
        again = _again(columns, sources, read)
        if tell is not None:
            again = [each and partial(_unheard, each) for each in again]
        paired = sorted({columns[name].stream for name in columns if not roles[name].whole})
        return _paired(columns, wanted, sources, paired, again, on, clock, tell)
    if [] in wanted:
        raise UsageError(f"--data {data}: nothing is read of it", "leave it out")
    streams = [Stream(source, each, clock) for source, each in zip(sources, wanted, strict=True)]
    return columns, streams


def _check_order(columns: Mapping[str, Column], given: Mapping[str, Any]) -> None:
    """Refuse whole tables of the same columns in another order, which nobody chose to pair so."""
    seen: dict[frozenset[str], tuple[str, list[str]]] = {}
    for name, column in columns.items():
        if column.reference is not None and column.reference.columns is not None:
            continue
        of_array = map(str, getattr(given[name], "columns", ()))
        names = column.names if column.reference else list(of_array)
        first, order = seen.setdefault(frozenset(names), (column.display, names))
        if names != order:
            raise DataError(
                f"{first} has the columns {_few(order)}, {column.display} {_few(names)}, and "
                "columns are paired by position",
                f"name them in one order: {column.display}#{','.join(order)}"
                if column.reference
                else f"{name}[[{', '.join(map(repr, order))}]] has them in one order",
            )


def _few(names: Sequence[str]) -> str:
    return ", ".join(names[:8]) + (", …" if len(names) > 8 else "")


def _paired(
    columns: Mapping[str, Column], wanted: Sequence[list[Wanted]], sources: list[Source],
    paired: Sequence[int], again: Sequence[Callable[[], Source] | None], on: On,
    clock: Stopwatch, tell: Tell | None,
) -> tuple[dict[str, Column], list[Stream]]:  # fmt: skip
    """The columns and streams when some of the sources have become one."""
    from losscli.data.pairing import PairedSource
    from losscli.data.side import Side

    sides = [Side(sources[i], wanted[i], on, again[i], tell) for i in paired]
    source = PairedSource(sides, on, tell)
    others = [i for i in range(len(sources)) if i not in paired]
    sizes = [len(wanted[i]) for i in paired]
    first = {i: sum(sizes[:at]) for at, i in enumerate(paired)}
    found = {
        name: column._replace(
            stream=0,
            indexes=[first[column.stream] + i for i in column.indexes],
            side=paired.index(column.stream),
        )
        if column.stream in first
        else column._replace(stream=1 + others.index(column.stream))
        for name, column in columns.items()
    }
    streams = [Stream(source, source.wanted, clock)]
    streams += [Stream(sources[i], wanted[i], clock) for i in others]
    sources[:] = [source, *(sources[i] for i in others)]
    return found, streams


def _again(
    columns: Mapping[str, Column], sources: Sequence[Source], read: ReadOptions
) -> list[Callable[[], Source] | None]:
    """How to open each source once more: files can be, pipes cannot, arrays need not."""
    found: list[Callable[[], Source] | None] = [None] * len(sources)
    for column in columns.values():
        source, reference = sources[column.stream], column.reference
        if isinstance(source, ArraySource):
            found[column.stream] = partial(_same, source)
        elif reference is not None and _is_lasting(reference.path):
            found[column.stream] = partial(open_source, reference, read)
    return found


def _is_lasting(path: str) -> bool:
    """Whether what a path names can be read twice: files, directories and patterns, no pipes."""
    return (
        os.path.isfile(path) or os.path.isdir(path) or not (path == STDIN or os.path.exists(path))
    )


def _same(source: Source) -> Source:
    return source


def _lenient(source: Source, tell: Tell) -> Source:
    source.tell = tell
    return LenientSource(source, tell)


def _unheard(opened: Callable[[], Source]) -> Source:
    """A file once more, nobody being told again of what cannot be read in it."""
    return _lenient(opened(), lambda trouble: None)


def _check_text_options(sources: Sequence[Source], read: ReadOptions) -> None:
    """What is said of text is of account where a file is text: a number of others is as it is."""
    if any(source.untyped for source in sources):
        return
    words = any(source.schemaless for source in sources)
    numbers = [word for word in read.null if as_number(word) is not None]
    asked = {
        "--delimiter": read.delimiter is not None,
        "--header": read.header is True,
        "--no-header": read.header is False,
        "--comment": read.comment is not None,
        "--decimal": read.decimal != ".",
        f"--null {','.join(numbers or read.null)}": numbers if words else read.null,
    }
    for name, given in asked.items():
        if given:
            kind = "text of CSV" if words or not name.startswith("--null") else "text"
            raise UsageError(f"{name} is for {kind}, and no input is that", "leave it out")


def _check_keys(source: Source, keys: Sequence[str], display: str) -> None:
    """Every file has the columns that pair its rows with those of others."""
    columns = [*source.columns, *source.keys]
    absent = next((key for key in keys if key not in columns), None)
    if absent is not None:
        listed = ", ".join(repr(name) for name in columns[:12])
        more = ", …" if len(columns) > 12 else ""
        raise DataError(
            f"{display}: no column '{absent}' for --on; it has {listed or 'none'}{more}",
            suggestion(absent, columns),
        )


def _columns_of(
    source: Source, reference: Reference | None, keys: Sequence[str]
) -> tuple[list[str], list[str]]:
    """The names of the columns of a role, and the columns to read: for some files, all as one.

    All columns of a file are all but those that pair its rows.
    """
    if reference is None:
        return source.columns, source.columns
    if source.whole and reference.columns is None:
        return [], [WHOLE]
    every = reference.columns in (None, "*")
    columns = [name for name in source.columns if not (every and name in keys)]
    names = choose(reference, columns, source.keys)
    return names, names


def _label_map(labels: tuple[str, ...], codes: tuple[float, float]) -> LabelMap:
    """Two labels and what they stand for, and the ignored one where there is one."""
    if len(labels) == 2:
        return LabelMap(labels, codes)
    return LabelMap(labels, (*codes, Labels(*codes).ignored(float(labels[2]))), named=2)


def _wanted(column: str, role: Role, naming: Naming, scores: list[str]) -> Wanted:
    """How a role's values are read: as keys, as named labels or classes, or as numbers."""
    if role.keys:
        return Wanted(column, key=True)
    if role.by_class and naming.classes is not None:
        names = tuple(scores) if naming.classes == COLUMNS else naming.classes
        codes = tuple(float(i) for i in range(len(names)))
        return Wanted(column, LabelMap(names, codes, "--classes"))
    if role.codes is None:
        hint = (
            "--classes A,B,… names the classes in the order of the scores" if role.by_class else ""
        )
        return Wanted(column, pad=role.pad, hint=hint)
    if naming.labels is not None:
        return Wanted(column, _label_map(naming.labels, role.codes), hint=naming.advice)
    return Wanted(column, hint="--labels NEG,POS maps two words, such as --labels no,yes")

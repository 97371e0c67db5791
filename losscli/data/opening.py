"""What was given for the roles → open streams, and which columns of them each role has."""

import os
from collections.abc import Mapping
from typing import Any, NamedTuple

from losscli.data.align import Stream
from losscli.data.arrays import ArraySource
from losscli.data.files import open_source
from losscli.data.given import is_table, reference_of, table_of
from losscli.data.reading import ReadOptions
from losscli.data.references import STDIN, Reference, choose
from losscli.data.source import WHOLE, LabelMap, Source, Wanted
from losscli.errors import UsageError
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


class Naming(NamedTuple):
    """What values of labels and of classes are called in the files."""

    labels: tuple[str, str] | None = None
    #: the names of the classes in their order, or COLUMNS for those of the columns of scores
    classes: tuple[str, ...] | None = None


def open_streams(
    given: Mapping[str, Any], roles: Mapping[str, Role], read: ReadOptions,
    naming: Naming, data: Any, sources: list[Source], clock: Stopwatch,
) -> tuple[dict[str, Column], list[Stream]]:  # fmt: skip
    """Open each file once, whatever the number of roles that are in it.

    Whatever was opened is in `sources`, to be closed, also when an error ends this.
    """
    columns: dict[str, Column] = {}
    wanted: list[list[Wanted]] = []
    by_file: dict[str, int] = {}
    table = ArraySource(table_of(data), "data") if is_table(data) else None
    for name, value in given.items():
        source: Source
        reference: Reference | None = None
        # A table of its own is read to its end before the others, so it shares no reader.
        own = f" of {name}" if roles[name].whole else ""
        if table is not None and isinstance(value, str):
            reference = Reference("data", value)
            key, source = own, table
        elif isinstance(value, (str, os.PathLike)):
            reference = reference_of(value, data)
            path = reference.path
            key = (path if path == STDIN else os.path.realpath(path)) + own
            if path == STDIN and key not in by_file and any(k[:1] == STDIN for k in by_file):
                raise UsageError(
                    f"--{name}: standard input can be read only once", "put it into a file"
                )
            source = sources[by_file[key]] if key in by_file else open_source(reference, read)
        else:
            key, source = f"array {name}", ArraySource({name: value})
        if key not in by_file:
            by_file[key] = len(sources)
            sources.append(source)
            wanted.append([])
        at = by_file[key]
        names, read_columns = _columns_of(source, reference)
        first = len(wanted[at])
        scores = next(iter(columns.values())).names if columns else []
        wanted[at] += [_wanted(column, roles[name], naming, scores) for column in read_columns]
        display = reference.display if reference else name
        columns[name] = Column(at, list(range(first, len(wanted[at]))), reference, display, names)
    if naming.labels and not any(roles[name].codes for name in given):
        raise UsageError("--labels: this loss has no input of two labels")
    if naming.classes and not any(roles[name].by_class for name in given):
        raise UsageError("--classes: this loss has no input of class indices")
    streams = [Stream(source, each, clock) for source, each in zip(sources, wanted, strict=True)]
    return columns, streams


def _columns_of(source: Source, reference: Reference | None) -> tuple[list[str], list[str]]:
    """The names of the columns of a role, and the columns to read: for some files, all as one."""
    if reference is None:
        return source.columns, source.columns
    if source.whole and reference.columns is None:
        return [], [WHOLE]
    names = choose(reference, source.columns, source.keys)
    return names, names


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
        return Wanted(column, LabelMap(naming.labels, role.codes))
    return Wanted(column, hint="--labels NEG,POS maps two words, such as --labels no,yes")

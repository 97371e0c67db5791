"""What a command reads is never what it writes."""

import os
from collections.abc import Iterable, Iterator

from losscli.data.files import files_of
from losscli.data.references import STDIN, Reference, parse
from losscli.errors import UsageError
from losscli.report.output import STDOUT
from losscli.request import Request


def refuse_read(path: str | None, request: Request) -> None:
    """A file that a request reads is not the one to write, whatever --force says."""
    origin = request.loss.origin
    if _is_file(path) and origin is not None and _same(path, origin.path):
        raise UsageError(f"{path}: the loss is in it", "write another file")
    refuse_input(path, _references(request))


def refuse_input(path: str | None, read: Iterable[Reference]) -> None:
    """A file that is read is not the one to write."""
    if _is_file(path) and any(_same(path, file) for each in read for file in files_of(each)):
        raise UsageError(f"{path}: read and written by one command", "write another file")


def _references(request: Request) -> Iterator[Reference]:
    # Beside --data a role names a column, or FILE#COLUMN.
    yield from (parse(v) for v in request.roles.values() if request.data is None or "#" in v)
    if request.data is not None:
        yield Reference(request.data)
    for numbers in (*request.parameters().values(), request.class_counts):
        if isinstance(numbers, os.PathLike):
            yield parse(os.fspath(numbers))


def _is_file(path: str | None) -> bool:
    return path is not None and path != STDOUT and os.path.isfile(path)


def _same(path: str | None, file: str) -> bool:
    return file != STDIN and os.path.exists(file) and os.path.samefile(str(path), file)

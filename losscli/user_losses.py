"""Losses that users write: in a Python file that is named for one, or as a function.

They are declared as those of the catalogue are, and never become part of it.
"""

import contextlib
import inspect
import os
import re
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from types import FunctionType, ModuleType
from typing import Any

from losscli.errors import FileError, LosscliError, UsageError, in_code
from losscli.losses import CATALOGUE, Loss
from losscli.losses.class_domains import ClassIndex, ClassList
from losscli.losses.domains import By
from losscli.losses.registry import (
    Catalogue,
    Origin,
    declaration,
    declared,
    suggestion,
)

_OPTIONS = (
    "backend baseline batch_by batch_size by class_axis classes color comment data decimal "
    "delimiter device dialect dtype force format header help input_format join labels "
    "max_memory missing no_header no_progress nonfinite null on output per per_sample profile "
    "progress reduction row sum_tolerance threads traceback weight"
)
#: what options of every loss are called, which inputs and parameters of a loss cannot be
RESERVED = frozenset(_OPTIONS.split())

#: a loss, and the parameters that its name implies
Found = tuple[Loss, Mapping[str, Any]]


def from_file(path: str, name: str | None) -> Found:
    """The loss of a name in a file, or the only one; the file is run for it."""
    module, digest = _run(path)
    text = path if name is None else f"{path}:{name}"
    shown = {"file": os.path.basename(path), "sha256": digest}
    loss, preset = only_in(module, path) if name is None else called(name, module, path)
    return sound(replace(loss, origin=Origin(quoted(text), shown, path))), preset


def of_function(function: Callable[..., Any]) -> Loss:
    """The loss that a function is."""
    loss = declaration(function)
    if loss is not None and CATALOGUE.losses.get(loss.name) is loss:
        return loss
    loss = loss or undeclared(function, getattr(function, "__name__", type(function).__name__))
    name = f"{getattr(function, '__module__', '')}.{getattr(function, '__qualname__', loss.name)}"
    shown = {"function": name}
    with contextlib.suppress(OSError, TypeError):
        shown["sha256"] = _digest(inspect.getsource(function).encode())
    code = getattr(inspect.unwrap(function), "__code__", None)
    return sound(replace(loss, origin=Origin(loss.name, shown, code.co_filename if code else name)))


def undeclared(function: Callable[..., Any], name: str) -> Loss:
    """A function that says nothing of itself, as a loss."""
    return Loss(name.strip("<>_").replace("_", "-"), "own", function)


def sound(loss: Loss) -> Loss:
    """The loss, if its declaration makes sense; a UsageError says why not."""
    assert loss.origin is not None
    where = f"{loss.origin.path}: {getattr(loss.function, '__name__', loss.name)}"
    if inspect.isclass(loss.function):
        raise UsageError(f"{where} is a class, expected a function")
    if inspect.iscoroutinefunction(loss.function):
        raise UsageError(f"{where} is an async function, expected one that returns losses")
    try:
        positional = [p for p in loss.signature.values() if p.kind == p.POSITIONAL_ONLY]
        for parameter in loss.parameters.values():
            parameter.parse(parameter.default)
        taken = RESERVED & {*loss.roles, *loss.parameters}
        if positional:
            raise TypeError(f"'{positional[0].name}' has no name for who calls it: remove the '/'")
        if not loss.roles:
            raise TypeError("it has no inputs, which are its positional parameters")
        if taken:
            raise TypeError(f"'{min(taken)}' is an option of every loss: call it something else")
        if not re.fullmatch(r"\w[\w.-]*", loss.name):
            raise TypeError(f"'{loss.name}' is no name: expected letters, digits and hyphens")
        _check_references(loss)
    except Exception as error:  # annotations that are text are code, which may raise anything
        raise UsageError(f"{where}: {error}") from error
    return loss


def _check_references(loss: Loss) -> None:
    """The inputs and parameters that other parts of a declaration speak of are there."""
    axes = {
        axis for role in loss.roles.values() for shape, _ in role.shapes for axis in shape.split()
    }
    for name, role in loss.roles.items():
        for _, domain in role.shapes:
            if isinstance(domain, By) and domain.parameter not in loss.parameters:
                words = ", ".join(f'"{word}"' for word in domain.choices)
                raise TypeError(
                    f"what '{name}' holds is said by a parameter that it has not: "
                    f"{domain.parameter}: Literal[{words}]"
                )
            if isinstance(domain, (ClassIndex, ClassList)) and "C" not in axes:
                raise TypeError(f"'{name}' has classes, but no input has scores of them (Scores)")
    groups = [*loss.with_flag.items(), *(("", group) for group in loss.one_of)]
    for flag, group in groups:
        each = [name for part in group for name in ([part] if isinstance(part, str) else part)]
        for name in [*each, *([flag] if flag else [])]:
            if name not in loss.roles and name not in loss.parameters:
                raise TypeError(f"it speaks of '{name}', which it does not have")


@contextlib.contextmanager
def failures_of(path: str) -> Iterator[None]:
    """What code of a user raises as it is run, as an error that names its line."""
    try:
        yield
    except (MemoryError, LosscliError):
        raise
    except (Exception, SystemExit) as error:
        raise UsageError(in_code(error, path), _beside(error, path)) from error


def _beside(error: BaseException, path: str) -> str:
    """A hint where a file imports one that lies beside it."""
    folder = os.path.dirname(path) or "."
    module = (getattr(error, "name", None) or "").partition(".")[0]
    if isinstance(error, ModuleNotFoundError) and module in _modules_in(folder):
        return f"modules beside the file are found with PYTHONPATH={quoted(folder)}"
    return ""


def _modules_in(folder: str) -> set[str]:
    with contextlib.suppress(OSError):
        return {name.removesuffix(".py") for name in os.listdir(folder)}
    return set()


def _run(path: str) -> tuple[ModuleType, str]:
    """A file as a module, and what is left of the hash of its text.

    Nothing is written beside it, and its folder is not searched for modules.
    """
    if "://" in path:
        raise UsageError(f"{path}: a loss comes from a file of this computer")
    try:
        with open(path, "rb") as file:
            source = file.read()
    except OSError as error:
        raise FileError(f"{path}: {error.strerror}") from None
    digest = _digest(source)
    module = ModuleType(f"losscli_file_{digest}")
    module.__file__ = path
    # Dataclasses and pickles look a module up by its name.
    sys.modules[module.__name__] = module
    try:
        with failures_of(path):
            exec(compile(source, path, "exec", dont_inherit=True), module.__dict__)
    except BaseException:
        del sys.modules[module.__name__]
        raise
    return module, digest


def _digest(source: bytes) -> str:
    """As much of a hash as tells one version of a loss from another."""
    import hashlib  # which losses of the catalogue start without, as they do without shlex

    return hashlib.sha256(source).hexdigest()[:12]


def quoted(text: str) -> str:
    """A text as a shell takes it for one word."""
    import shlex

    return shlex.quote(text)


def _functions(module: ModuleType) -> dict[str, Callable[..., Any]]:
    """The functions that a file defines, but for those that it keeps to itself."""
    return {
        name: value
        for name, value in vars(module).items()
        if isinstance(value, FunctionType)
        and value.__module__ == module.__name__
        and not name.startswith("_")
    }


def only_in(module: ModuleType, path: str) -> Found:
    """The one loss that a file declares; where it declares none, the one function it has."""
    losses = declared(module) or [undeclared(f, name) for name, f in _functions(module).items()]
    if len(losses) == 1:
        return losses[0], {}
    names = [loss.name for loss in losses]
    if not names:
        raise UsageError(f"{path}: it has no loss", "def my_loss(pred, target): … is one")
    raise UsageError(
        f"{path}: it has {len(names)} losses: {', '.join(names)}", f"{path}:{names[0]} names one"
    )


def called(name: str, module: ModuleType, path: str) -> Found:
    """The loss of a module that a function's name, a loss's name or an alias stands for."""
    losses = declared(module)
    function = vars(module).get(name)
    if function is None or not callable(function):
        catalogue = Catalogue()
        try:
            for loss in losses:
                catalogue.add(loss)
        except ValueError as error:
            raise UsageError(f"{path}: {error}") from None
        found = catalogue.find(name)
        if found is not None:
            return found
        function = vars(module).get(name.replace("-", "_"))
    if callable(function):
        return declaration(function) or undeclared(function, name), {}
    if function is not None:
        raise UsageError(f"{path}: '{name}' is a {type(function).__name__}, expected a function")
    names = list(dict.fromkeys([*(loss.name for loss in losses), *_functions(module)]))
    raise UsageError(
        f"{path}: it has no loss called '{name}'",
        suggestion(name, names) or (f"it has {', '.join(names)}" if names else ""),
    )

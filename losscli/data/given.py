"""What was given for each role: whether it is all there, and what it refers to."""

import os
from collections.abc import Mapping, Sequence
from fnmatch import fnmatchcase
from typing import Any, Literal, NamedTuple

from losscli.data.references import Reference, parse
from losscli.errors import DataError, UsageError
from losscli.losses.registry import Loss
from losscli.losses.roles import Role

#: what becomes of rows whose key is not in every file: an error, or they are left out and counted
Join = Literal["strict", "inner"]


class On(NamedTuple):
    """How rows of different files are paired: by which columns."""

    keys: tuple[str, ...]
    join: Join
    #: bytes that may be held
    bound: int


def complete(
    loss: Loss, roles: Mapping[str, Role], given: Mapping[str, Any], data: Any
) -> dict[str, Any]:
    """The roles that were given, in the loss's order; with `data`, a role's own name by default."""
    for name in given:
        if name not in roles:
            raise UsageError(f"no role '{name}'", f"the roles are {', '.join(roles)}")
    complete = {name: given[name] for name in roles if given.get(name) is not None}
    for name, role in roles.items():
        if name in complete or role.optional:
            continue
        if data is None:
            raise UsageError(
                f"{name} is missing",
                f"--{option(name)} FILE, or --data FILE --{option(name)} COLUMN",
            )
        complete[name] = name
    for group in loss.one_of:
        alternatives = [(names,) if isinstance(names, str) else names for names in group]
        mentioned = {name for names in alternatives for name in names}
        chosen = [name for name in complete if name in mentioned]
        if not any(set(chosen) == set(names) for names in alternatives):
            raise UsageError(
                f"{loss.name} wants one of {', '.join(map(_options, alternatives))}, "
                f"got {_options(chosen) or 'none'}",
                ""
                if data is None or chosen
                else f"{_options(alternatives[0][:1])} COLUMN names its column",
            )
    return {name: complete[name] for name in roles if name in complete}


def check_flags(loss: Loss, given: Mapping[str, Any], params: Mapping[str, Any]) -> None:
    """Roles that go with a flag are all given when it is on, and none of them when it is off.

    A parameter that is about a role is as it is by default where the role is not given.
    """
    for name, role in loss.for_role.items():
        parameter = loss.parameters[name]
        if role not in given and params[name] != parameter.default:
            raise UsageError(f"{parameter.option} is for --{option(role)}, which is not given")
    for flag, roles in loss.with_flag.items():
        chosen = [name for name in roles if name in given]
        if params[flag] and len(chosen) < len(roles):
            raise UsageError(f"--{option(flag)} wants {_options(roles)}")
        if chosen and not params[flag]:
            raise UsageError(f"--{option(chosen[0])} is for --{option(flag)}, which is not given")


def option(name: str) -> str:
    """A role's name as its option spells it."""
    return name.replace("_", "-")


def _options(names: Sequence[str]) -> str:
    """Roles that are given together, as their options: "--mu with --log-var"."""
    return " with ".join(f"--{option(name)}" for name in names)


def reference_of(value: str | os.PathLike[str], data: Any) -> Reference:
    """The reference that a role's text is: a file and columns, or columns of the one file."""
    if data is None or not isinstance(value, str):
        return parse(value) if isinstance(value, str) else Reference(os.fspath(value))
    if "#" in str(data) and not os.path.exists(str(data)):
        raise UsageError("--data names a file; its columns are named by the roles")
    return Reference(str(data), value)


def column_of(data: str, value: str, columns: Sequence[str]) -> Reference:
    """The reference that a role's text is beside `data`: columns of it, or else FILE#COLUMN."""
    chosen = value.split(",")
    here = any(fnmatchcase(name, each.strip()) for name in columns for each in [value, *chosen])
    return Reference(data, value) if here or "#" not in value else parse(value)


def index_of(value: Any) -> dict[str, Any]:
    """What pandas calls the rows of a Series or a DataFrame: "index", and names of its levels."""
    index = getattr(value, "index", None)
    if type(value).__module__.partition(".")[0] != "pandas" or index is None:
        return {}
    levels = {name: index.get_level_values(i) for i, name in enumerate(index.names) if name}
    return {**({"index": index} if index.nlevels == 1 else {}), **levels}


def differing_indexes(given: Mapping[str, Any]) -> list[str]:
    """What to tell when pandas would pair rows otherwise than by their positions."""
    indexes = {name: value.index for name, value in given.items() if index_of(value)}
    names = list(indexes)
    other = next((name for name in names[1:] if not indexes[name].equals(indexes[names[0]])), None)
    if other is None:
        return []
    return [
        f"{names[0]} and {other} have different indexes, and their rows are paired by position: "
        "on='index' pairs them by index, reset_index(drop=True) says that positions are meant"
    ]


def is_table(data: Any) -> bool:
    """Whether `data` is a table in memory."""
    return data is not None and not isinstance(data, (str, os.PathLike))


def table_of(data: Any) -> dict[str, Any]:
    """The columns of a DataFrame, an Arrow table or a mapping."""
    if hasattr(data, "to_arrow"):  # polars
        data = data.to_arrow()
    if hasattr(data, "column_names"):
        return {name: data[name] for name in data.column_names}
    if not hasattr(data, "keys"):
        raise UsageError(
            f"data: a {type(data).__name__}, expected a file, a DataFrame, an Arrow table or a dict"
        )
    names = [str(name) for name in data.keys()]  # noqa: SIM118 - a DataFrame's keys are its columns
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        raise DataError(f"data: {names.count(twice)} columns are called '{twice}'")
    return {name: data[key] for name, key in zip(names, data.keys(), strict=True)}

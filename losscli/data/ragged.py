"""Lists of any length, which are filled up to that of the longest in a block."""

import math
from collections.abc import Mapping

import numpy as np

from losscli.data.source import Values
from losscli.losses.numerics import Array
from losscli.losses.roles import Role
from losscli.losses.shapes import Shape

Roles = Mapping[str, Role]
Named = Mapping[str, Values]


def alike(array: Array, shape: Shape) -> bool:
    """Whether rows have this shape, but for how long their lists are."""
    return (array.ndim, array.shape[2:]) == (1 + len(shape), shape[1:])


def ragged(roles: Roles) -> Roles:
    """The roles that may hold lists of any length."""
    return {name: role for name, role in roles.items() if role.pad is not None}


def longest(values: Named, roles: Roles) -> dict[str, int]:
    """The axes of lists of any length, which are as long as the longest in a block."""
    return {
        role.shapes[0][0].split()[1]: values[name].array.shape[1]
        for name, role in roles.items()
        if name in values
    }


def counted(values: Named, roles: Roles) -> dict[str, Array]:
    """How much of each list counts: as much as another role says, else all that it has by itself.

    Nothing is said of lists that are all of one length.
    """
    found: dict[str, Array] = {}
    for name, role in roles.items():
        if name not in values:
            continue
        own = values[name].lengths
        if role.lengths is not None and role.lengths in values:
            found[name] = values[role.lengths].array
        elif own is not None:
            found[name] = own.astype(np.float64)
    return found


def lengths_of(counts: Mapping[str, Array], roles: Roles) -> dict[str, Array]:
    """The lengths of lists, for the roles of such lengths."""
    named = {name: roles[name].lengths for name in counts}
    return {role: counts[name] for name, role in named.items() if role is not None}


def ended(values: Named, counts: Mapping[str, Array], roles: Roles) -> dict[str, Values]:
    """The values without what comes after the end of lists whose lengths are a role.

    There it is of no account, so it becomes ln 1/C, which any check lets pass.
    """
    return {
        name: _ended(value, counts[name])
        if name in counts and roles[name].lengths is not None
        else value
        for name, value in values.items()
    }


def _ended(value: Values, lengths: Array) -> Values:
    _, frames, classes = value.array.shape
    after = (np.arange(frames) >= lengths[:, None])[..., None]
    if not after.any():
        return value
    array = np.where(after, -math.log(classes), value.array)
    return value._replace(
        array=array, missing=None if value.missing is None else value.missing & ~after
    )

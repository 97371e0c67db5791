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


def longest(values: Named, roles: Roles) -> dict[str, int]:
    """The axes of lists of any length, which are as long as the longest in a block."""
    return {
        roles[name].shapes[0][0].split()[1]: value.array.shape[1]
        for name, value in values.items()
        if roles[name].pad is not None
    }


def lengths_of(values: Named, roles: Roles) -> dict[str, Array]:
    """The lengths of lists, for the roles of such lengths: those given, else the lists' own."""
    found: dict[str, Array] = {}
    for name, value in values.items():
        role = roles[name].lengths
        if role is not None and role in values:
            found[role] = values[role].array
        elif role is not None and value.lengths is not None:
            found[role] = value.lengths.astype(np.float64)
    return found


def ended(values: Named, roles: Roles) -> dict[str, Values]:
    """The values without what comes after the end of lists whose lengths are known.

    There it is of no account, so it becomes ln 1/C, which any check lets pass.
    """
    lengths = lengths_of(values, roles)
    return {
        name: _ended(value, lengths.get(roles[name].lengths or ""))
        for name, value in values.items()
    }


def _ended(value: Values, lengths: Array | None) -> Values:
    if lengths is None:
        return value
    _, frames, classes = value.array.shape
    after = (np.arange(frames) >= lengths[:, None])[..., None]
    if not after.any():
        return value
    array = np.where(after, -math.log(classes), value.array)
    return value._replace(
        array=array, missing=None if value.missing is None else value.missing & ~after
    )

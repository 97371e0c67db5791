"""Random inputs that fit a loss, made from what the loss declares."""

from collections.abc import Callable
from typing import Any

import numpy as np

from losscli.losses import Loss
from losscli.losses.class_domains import ClassIndex, ClassList, ClassNumber
from losscli.losses.domains import By, Domain, Interval, Labels, Length, Unless, Whole
from losscli.losses.row_domains import Box, Distribution, LogDistribution

CLASSES = 4
#: of each named axis; a list is short enough for its frames
SIZES: dict[str, tuple[int, ...]] = {
    "C": (CLASSES,),
    "d": (3,),
    "...": (),
    "T": (8,),
    "L": (3,),
    "m": (5,),
}
Arrays = dict[str, Any]


def values(domain: Domain, shape: tuple[int, ...], rng: np.random.Generator) -> Any:
    """Random values of a domain."""
    if isinstance(domain, Interval):
        low = max(domain.low, -3.0)
        high = min(domain.high, low + 6.0)
        return rng.uniform(low, high, shape)
    if isinstance(domain, Whole):
        return rng.integers(domain.low, min(domain.high, domain.low + 6) + 1, shape).astype(float)
    if isinstance(domain, Labels):
        return rng.choice([domain.negative, domain.positive], shape)
    if isinstance(domain, Unless):
        return values(domain.domain, shape, rng)
    if isinstance(domain, ClassList):
        ends = rng.integers(1, shape[-1] + 1, (*shape[:-1], 1))
        order = rng.permuted(np.broadcast_to(np.arange(shape[-1]), shape), axis=-1)
        return np.where(np.arange(shape[-1]) < ends, order, -1).astype(float)
    if isinstance(domain, Length):
        return rng.integers(1, SIZES[domain.axis][0] + 1, shape).astype(float)
    if isinstance(domain, Box):
        corner = rng.uniform(0, 3, (*shape[:-1], 2))
        return np.concatenate([corner, corner + rng.uniform(0.5, 3, corner.shape)], axis=-1)
    if isinstance(domain, (ClassIndex, ClassNumber)):
        return rng.integers(0, CLASSES, shape).astype(float)
    if isinstance(domain, (Distribution, LogDistribution)):
        p = rng.dirichlet(np.ones(shape[-1]), shape[:-1])
        return p if isinstance(domain, Distribution) else np.log(p)
    raise NotImplementedError(f"no random values for {domain}")


def inputs(
    loss: Loss, n: int, rng: np.random.Generator, whole: bool = False, **params: Any
) -> Arrays:
    """Arrays for every role that a loss needs, in the first shape that each of them may have.

    Of roles that stand for others, the first alternative; with `whole`, the first of several
    roles, which are what a model gives, where the others are computed of it.
    """
    chosen = loss.resolve(params)
    arrays: Arrays = {}
    needed = [name for name, role in loss.roles.items() if not role.optional]
    for group in loss.one_of:
        several = [option for option in group if not isinstance(option, str)]
        first = several[0] if whole and several else group[0]
        needed += [first] if isinstance(first, str) else list(first)
    for name, role in loss.roles.items():
        if name not in needed:
            continue
        pattern, domain = role.shapes[0]
        if isinstance(domain, By):
            domain = domain.resolve(chosen)
        # A table of its own has a row for each class, or for each of its entries.
        shape: tuple[int, ...] = SIZES[pattern.split()[0]] if role.whole else (n,)
        for axis in pattern.split()[1:]:
            shape += (int(axis),) if axis.isdigit() else SIZES[axis]
        arrays[name] = values(domain, shape, rng)
    return arrays


def elementwise(loss: Loss) -> bool:
    """Whether every role may have any number of elements a row."""
    roles = [role for role in loss.roles.values() if not role.optional]
    return bool(roles) and all(role.shapes[0][0] == "n ..." for role in roles)


def each_row(loss: Loss, arrays: Arrays, change: Callable[[Any], Any]) -> Arrays:
    """The arrays with a change of their rows; tables that all rows share stay as they are."""
    return {
        name: array if loss.roles[name].whole else change(array) for name, array in arrays.items()
    }

"""Which axis of a role's array holds the classes, or a vector: the last, or the one named."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from losscli.errors import UsageError
from losscli.losses.registry import Loss
from losscli.losses.roles import Role
from losscli.losses.shapes import Shape, class_axis, has_axis

LAST = -1


class ClassAxis:
    """Moves the classes of the roles that have them to the last axis, where losses expect them."""

    def __init__(
        self, axis: int, loss: Loss, roles: Mapping[str, Role], shapes: Mapping[str, Shape]
    ) -> None:
        """From the shapes of a row of each role, as they are in the files."""
        self._axis = axis
        self._roles = set() if axis == LAST else self._with_classes(loss, roles, shapes)
        self._all = {name: 1 + len(shape) for name, shape in shapes.items()}
        elements = self._roles if class_axis(loss) == "..." else ()
        #: the axes of what has a value for every element; 0 where losses have no axis of classes
        self._axes = max((self._all[name] for name in elements), default=0)

    def move(self, role: str, array: Any) -> Any:
        """A role's array, with its classes last."""
        return np.moveaxis(array, self._axis, -1) if role in self._roles else array

    def restore(self, losses: Any) -> Any:
        """Losses of elements, with the axes as they are in the file."""
        return np.moveaxis(losses, -1, self._axis) if losses.ndim == self._axes else losses

    def index(self, role: str, index: tuple[int, ...]) -> tuple[int, ...]:
        """Where an element of the moved array is in the file, or all classes of a place."""
        if role not in self._roles or len(index) < self._all[role]:
            return index
        *others, of_class = index
        return (*others[: self._axis], of_class, *others[self._axis :])

    def _with_classes(
        self, loss: Loss, roles: Mapping[str, Role], shapes: Mapping[str, Shape]
    ) -> set[str]:
        """The roles that have an axis of classes.

        A target may be class indices or hold a value for every class: it has the axis when it has
        as many axes as the scores.
        """
        found: set[str] = set()
        named, given, scores = class_axis(loss), self._axis, 0
        for name, shape in shapes.items():
            always = has_axis(roles[name], named, all)
            axes = 1 + len(shape)
            if always and not scores:
                scores = axes
                self._axis = given + axes if given < 0 else given
            if not always and (not has_axis(roles[name], named) or axes != scores):
                continue
            if not 1 <= self._axis < axes:
                raise _no_axis(given, name, shape)
            found.add(name)
        if not found:
            raise UsageError(f"--class-axis {given}: {loss.name} has no role with classes")
        return found


def _no_axis(given: int, role: str, shape: Shape) -> UsageError:
    """What is wrong with an axis that is none of a role's, or is that of its rows."""
    axes = len(shape)
    if not axes:
        return UsageError(
            f"--class-axis {given}: {role} is one column, of shape (n,), and has no other axis "
            "than its rows",
            "name the columns of all classes, such as a,b,c, or an array that has them",
        )
    sizes = "".join(f", {size}" for size in shape)
    return UsageError(
        f"--class-axis {given}: {role} has shape (n{sizes}), where axis 0 holds the rows",
        f"it is one of 1 to {axes}, or -{axes} to -1"
        if axes > 1
        else "leave it out: the only other axis is the last",
    )


def row_shape(shape: tuple[int, ...]) -> tuple[int, ...]:
    """(n, 1) is (n,): a column is a column however it is wrapped."""
    return () if shape == (1,) else shape

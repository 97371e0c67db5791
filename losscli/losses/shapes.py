"""Shapes in named axes, and how the shapes of the data settle what the axes are."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any, NamedTuple

import numpy as np

from losscli.errors import DataError
from losscli.losses.class_domains import ClassIndex, LabelOrClass, class_count
from losscli.losses.domains import By, Domain
from losscli.losses.parameters import Number, Vector
from losscli.losses.registry import CATALOGUE, Loss
from losscli.losses.roles import RELEVANCE, WEIGHT, Role
from losscli.losses.row_domains import SUM_TOLERANCE

Shape = tuple[int, ...]  # of one row: the axes after the first

#: axes of vectors and lists, of which a column is one with a single entry
VECTORS = ("d", "L", "m")
ONE_HOT = "class indices go in as a column of 0 and 1 for each class"
#: what to do about class indices where each class has a column of its own
CLASS_INDICES = {
    "segmentation": ONE_HOT,
    "multilabel-classification": f"{ONE_HOT}; zero-one compares them with the predicted classes",
}
AXIS_HINT = "--class-axis says which axis holds the classes, when it is not the last"


class Binding(NamedTuple):
    """What a loss will see: the domain of every role, and the values that domains refer to."""

    domains: dict[str, Domain]
    shapes: dict[str, Shape]
    context: dict[str, Any]


def bind(
    loss: Loss,
    roles: Mapping[str, Role],
    shapes: Mapping[str, Shape],
    params: dict[str, Any],
    sum_tolerance: float = SUM_TOLERANCE,
    given_by: Mapping[str, str] | None = None,
) -> Binding:
    """Match the shape of each role's rows; a DataError says which role does not fit, and why."""
    elements = any("..." in pattern for role in loss.roles.values() for pattern, _ in role.shapes)
    # Where no role of the loss has elements, a weight has none either.
    axes: dict[str, Any] = {} if elements else {"...": ()}
    domains: dict[str, Domain] = {}
    seen: dict[str, Shape] = {}
    #: axes that a role could have and has not, so that no other has them either
    absent: set[str] = set()
    for name, shape in shapes.items():
        if 0 in shape:
            raise DataError(f"{name}: a row has no values")
        for pattern, domain in roles[name].shapes:
            lacking = _lacking(pattern, domain, roles[name])
            if absent & {*pattern.split()} or lacking & {*axes}:
                continue
            as_seen = _as_seen(pattern, shape, roles[name])
            bound = _match(pattern, as_seen, axes)
            if bound is not None:
                axes |= bound
                domains[name] = domain
                seen[name] = as_seen
                absent |= lacking
                break
        else:
            raise _mismatch(loss, roles[name], name, shape, axes, shapes)
    context = {
        **params,
        "sum_tolerance": sum_tolerance,
        **{axis: size for axis, size in axes.items() if axis != "..."},
    }
    for name, domain in domains.items():
        if isinstance(domain, By):
            domains[name] = domain.resolve(context)
    for name, domain in domains.items():
        if domain.of_several and seen[name][-1:] in ((), (1,)):
            raise DataError(
                f"{name} has 1 column; {loss.name} wants several here, one a class",
                "--input logits where one column holds the logits of the foreground",
            )
    if any(isinstance(domain, LabelOrClass) for domain in domains.values()):
        axes["C"] = class_count(axes)
    fit_parameters(loss, params, axes, given_by or {})
    return Binding(domains, seen, context)


def _match(pattern: str, shape: Shape, axes: Mapping[str, Any]) -> dict[str, Any] | None:
    """The axes that make a pattern fit a row's shape, consistent with those known, or None."""
    names = pattern.split()[1:]  # after "n"
    if names == ["(...)"]:
        return {} if axes.get("...", ())[: len(shape)] == shape else None
    bound: dict[str, Any] = {}
    if "..." in names:
        rest = len(shape) - (len(names) - 1)
        if rest < 0 or axes.get("...", shape[:rest]) != shape[:rest]:
            return None
        bound["..."], shape, names = shape[:rest], shape[rest:], names[1:]
    if len(names) != len(shape):
        return None
    for axis, size in zip(names, shape, strict=True):
        if (int(axis) if axis.isdigit() else axes.get(axis, size)) != size:
            return None
        if not axis.isdigit():
            bound[axis] = size
    return bound


def _lacking(pattern: str, domain: Domain, role: Role) -> set[str]:
    """The axes that a role has by other patterns. A class index stands for the axis of classes."""
    if isinstance(domain, ClassIndex):
        return set()
    named = {axis for other, _ in role.shapes for axis in other.split()} - {"..."}
    return named - {*pattern.split()}


def _as_seen(pattern: str, shape: Shape, role: Role) -> Shape:
    """A row's shape as a loss sees it: a single number as a vector, and no axis of one place.

    Scores (n, 1, C) are of one place a row, as the true classes (n, 1) are, which count as (n,).
    """
    if shape == () and (role.one_class or _is_vector(pattern)):
        return (1,)
    return shape[1:] if pattern == "n ... C" and len(shape) == 2 and shape[0] == 1 else shape


def _is_vector(pattern: str) -> bool:
    """Whether a row may be one vector."""
    return [axis for axis in pattern.split()[1:] if axis != "..."] in [[axis] for axis in VECTORS]


def fit_parameters(
    loss: Loss, params: dict[str, Any], axes: Mapping[str, Any], given_by: Mapping[str, str]
) -> None:
    """Check indices, and the lengths of vectors, of which one number stands for every entry."""
    for name, parameter in loss.parameters.items():
        if params[name] is None:
            continue
        if isinstance(parameter.kind, Number) and params[name] >= axes.get(
            parameter.kind.axis or "", np.inf
        ):
            size = axes[str(parameter.kind.axis)]
            raise DataError(
                f"{parameter.option} is {params[name]}, {so_many(loss)} classes 0 to {size - 1}"
            )
        if not isinstance(parameter.kind, Vector):
            continue
        size, hint = axes.get(parameter.kind.axis), ""
        if isinstance(size, tuple):
            hint = AXIS_HINT if len(size) > 1 else ""
            size = size[-1] if size else 1
        if size is None:
            continue
        if len(params[name]) == 1:
            params[name] = np.full(size, params[name][0])
        elif len(params[name]) != size:
            what = "classes" if parameter.kind.axis == "C" else "columns"
            raise DataError(
                f"{given_by.get(name, parameter.option)} has {len(params[name])} numbers, "
                f"{so_many(loss)} {size} {what}",
                hint,
            )


def so_many(loss: Loss) -> str:
    """Who has the classes or columns, for a message: pred, unless a loss has none."""
    return "pred has" if "pred" in loss.roles else "there are"


def class_axis(loss: Loss) -> str:
    """The axis that `--class-axis` is about, by its name in the shapes; "" where there is none.

    Where no role has one value a class, it is the last of the elements, if classes are told apart
    by it or have a weight each; or that of vectors, of which there may be many in a row.
    """
    if any(has_axis(role, "C") for role in loss.roles.values()):
        return "C"
    weighs = any(
        isinstance(p.kind, Vector) and p.kind.axis == "..." for p in loss.parameters.values()
    )
    if loss.kind == "pooled" or weighs:
        return "..."
    vectors = any(has_axis(role, "...") and has_axis(role, "d") for role in loss.roles.values())
    return "d" if vectors else ""


def advice_on_labels(loss: Loss, labels: tuple[str, ...] | None) -> str:
    """What to do about another label than two that are 0 and 1, or the ignored one beside them."""
    if not loss.of_classes or labels is None or labels[:2] != ("0", "1"):
        return ""
    more = "ignore_index" in loss.parameters and len(labels) == 2
    leaves_out = "; --ignore-index N leaves label N out" if more else ""
    return f"{_of_all_classes(loss)}{leaves_out}"


def _of_all_classes(loss: Loss) -> str:
    return f"{loss.of_classes} takes class indices beside the scores of all classes"


def has_axis(role: Role, axis: str, of: Callable[[Iterable[bool]], bool] = any) -> bool:
    """Whether any, or all, of a role's shapes have an axis of that name."""
    return of(axis in pattern.split() for pattern, _ in role.shapes)


def describe(role: Role) -> str:
    """A role's shapes as a person reads them: "(n,) or (n, k)"."""
    texts = " or ".join(_readable(pattern, domain) for pattern, domain in role.shapes)
    return " or ".join(dict.fromkeys(texts.split(" or ")))


def _readable(pattern: str, domain: Domain) -> str:
    # Beside (n, C), "n ..." stands for what is left without the classes.
    if isinstance(domain, ClassIndex):
        return "(n,)"
    return {"n": "(n,)", "n (...)": "(n,)", "n ...": "(n,) or (n, k)", "n ... C": "(n, C)"}.get(
        pattern, f"({', '.join(pattern.split())})"
    )


def _mismatch(
    loss: Loss, role: Role, name: str, shape: Shape, axes: Mapping[str, Any],
    shapes: Mapping[str, Shape],
) -> DataError:  # fmt: skip
    if role == WEIGHT and not axes.get("..."):
        message = f"{name} has {width(shape)}, but {loss.name} has one loss a row: it wants (n,)"
        return DataError(message, _advice_on_weights(loss))
    wanted = describe(role)
    before = [other for other in shapes if other != name]
    before = before[: list(shapes).index(name)]
    sizes = "; ".join(f"{other} has {width(shapes[other])}" for other in before)
    if before:
        message = f"{name} has {width(shape)}, which does not go with it"
        return DataError(
            f"{sizes}; {message} ({loss.name} wants {name} {wanted})",
            _advice(loss, shape, {other: shapes[other] for other in before}),
        )
    columns = "name the columns, such as a,b,c or 'logit_*'"
    if shape == () and (binary := _of_one_score(loss)):
        columns += f"; one score of two classes is for {binary}"
    return DataError(f"{name} has {width(shape)}; {loss.name} wants {wanted}", columns)


def _of_one_score(loss: Loss) -> str:
    """The losses of two classes that are told apart by one score, where a loss is of classes."""
    if not any(role.by_class for role in loss.roles.values()):
        return ""
    own = [other.name for other in CATALOGUE if other.of_classes == loss.name]
    return " or ".join(own or ["hinge" if loss.family == "margin" else "binary-cross-entropy"])


def _advice_on_weights(loss: Loss) -> str:
    """What to do about weights of elements where there is one loss a row."""
    if RELEVANCE in [role._replace(optional=False) for role in loss.roles.values()]:
        return "what weighs an item multiplies its relevance: give their product as the target"
    if "class_weight" in loss.parameters:
        return "--class-weight A,B,C weighs classes"
    return "name one column of weights"


def _advice(loss: Loss, shape: Shape, before: Mapping[str, Shape]) -> str:
    """What to do about a role whose shape does not go with those before it."""
    if len(next(iter(before.values()))) == len(shape) + 1:
        if loss.of_classes:
            return _of_all_classes(loss)
        if loss.properties and loss.properties.task in CLASS_INDICES:
            return CLASS_INDICES[loss.properties.task]
    if any(
        has_axis(loss.roles[name], "C", all) and len(other) > 1 for name, other in before.items()
    ):
        return AXIS_HINT
    return "nothing is broadcast: name as many columns for one as for the other"


def width(shape: Shape) -> str:
    """A row's shape in words."""
    if not shape:
        return "1 column"
    return " × ".join(str(size) for size in shape) + " columns"

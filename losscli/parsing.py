"""What options say, as text or as Python has it → what they mean."""

import os
from collections.abc import Sequence
from typing import Any, get_args

from losscli.errors import UsageError
from losscli.losses.numerics import Array
from losscli.losses.parameters import Vector, file_of_numbers


def one_of(name: str, value: Any, kind: Any) -> Any:
    """A word, which must be one of those of a Literal."""
    *words, last = get_args(kind)
    if value not in (*words, last):
        raise UsageError(f"{name}: expected {', '.join(words)} or {last}, got {value!r}")
    return value


def parse_keys(keys: str | Sequence[str] | None) -> tuple[str, ...]:
    """The columns of `--on KEY,KEY`."""
    if keys is None:
        return ()
    names = tuple(key.strip() for key in (keys.split(",") if isinstance(keys, str) else keys))
    if not names or not all(names) or len(set(names)) < len(names):
        raise UsageError(
            f"--on: expected different names of columns, got '{','.join(names)}'", "such as --on id"
        )
    return names


def parse_labels(labels: str | tuple[Any, Any] | None) -> tuple[str, str] | None:
    """The two values of `--labels NEG,POS`."""
    if labels is None:
        return None
    if isinstance(labels, str):
        pair = [part.strip() for part in labels.split(",")]
    else:
        pair = [str(x) for x in labels] if isinstance(labels, (tuple, list)) else []
    if len(pair) != 2 or _same(*pair) or not all(pair):
        raise UsageError(
            f"--labels: expected two different values NEG,POS, got '{labels}'",
            "such as --labels 0,1 or --labels no,yes",
        )
    return (pair[0], pair[1])


def parse_classes(classes: str | Sequence[Any] | None) -> tuple[str, ...] | None:
    """The names of `--classes A,B,…`."""
    if classes is None:
        return None
    parts = classes.split(",") if isinstance(classes, str) else [str(x) for x in classes]
    names = tuple(part.strip() for part in parts)
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None or not all(names):
        raise UsageError(f"--classes: expected different names, got '{','.join(names)}'")
    return names


def parse_counts(counts: Any) -> Array | os.PathLike[str] | None:
    """The numbers of `--class-counts A,B,…`, or the reference to a file of them."""
    if counts is None:
        return None
    file = file_of_numbers(counts)
    if file is not None:
        return file
    try:
        return of_samples(Vector("C").parse(counts))
    except ValueError as error:
        raise UsageError(
            f"--class-counts: {error}", "such as --class-counts 100,20,5 or n.csv#count"
        ) from None


def of_samples(counts: Array) -> Array:
    """Numbers of samples, of which none is 0."""
    for c, count in enumerate(counts):
        if count == 0:
            raise UsageError(
                f"--class-counts: class {c} has no samples, of which no weight follows",
                "--class-weight takes the weights themselves, such as 1,2,0",
            )
    return counts


def _same(one: str, other: str) -> bool:
    """Whether two labels are one, as words or as numbers."""
    try:
        return float(one) == float(other)
    except ValueError:
        return one == other


def parse_reductions(reduction: str | Sequence[str]) -> str | list[str]:
    """The names of reductions, as `reductions.parse` takes them."""
    if isinstance(reduction, str):
        return reduction
    if not isinstance(reduction, Sequence):
        raise UsageError(f"reduction: expected a name or a list of names, got {reduction!r}")
    return list(reduction)

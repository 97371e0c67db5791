"""Several cores at once."""

import contextvars
import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

S = TypeVar("S")
T = TypeVar("T")


def cores() -> int:
    """The cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def in_threads(function: Callable[[S], T], items: Sequence[S]) -> list[T]:
    """The function of every item, in their order, on all cores."""
    count = min(cores(), len(items))
    if count < 2:
        return [function(item) for item in items]
    # A thread starts without the context of its parent, in which NumPy keeps what it warns of.
    contexts = [contextvars.copy_context() for _ in items]
    with ThreadPoolExecutor(count) as pool:
        return list(pool.map(lambda context, item: context.run(function, item), contexts, items))

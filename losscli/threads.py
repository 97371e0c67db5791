"""Several cores at once."""

import contextlib
import contextvars
import os
from collections.abc import Callable, Iterator, Sequence
from typing import TypeVar

S = TypeVar("S")
T = TypeVar("T")

#: how many threads a function may start; none of several that run already starts more
_allowed: contextvars.ContextVar[int] = contextvars.ContextVar("threads", default=1)


def cores() -> int:
    """The cores that this process may use."""
    affinity = getattr(os, "sched_getaffinity", None)
    return len(affinity(0)) if affinity else os.cpu_count() or 1


@contextlib.contextmanager
def allowed(count: int) -> Iterator[None]:
    """What is called from here may start so many threads."""
    token = _allowed.set(count)
    try:
        yield
    finally:
        _allowed.reset(token)


def in_threads(function: Callable[[S], T], items: Sequence[S]) -> list[T]:
    """The function of every item, in their order, by as many threads as are allowed."""
    count = min(_allowed.get(), len(items))
    if count < 2:
        return [function(item) for item in items]
    from concurrent.futures import ThreadPoolExecutor

    # A thread starts without the context of its parent, in which NumPy keeps what it warns of.
    contexts = [contextvars.copy_context() for _ in items]
    with ThreadPoolExecutor(count) as pool:
        return list(pool.map(lambda context, item: context.run(function, item), contexts, items))

"""Where the time of a run goes."""

import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from threading import Lock, local
from typing import ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")


STAGES = ("open", "decode", "check", "loss", "reduce", "write")


#: what a stopwatch does that does not run
_NOTHING = nullcontext()


class Stopwatch:
    """Seconds by stage, those of all threads together. A stage within another counts once.

    There are thousands of stages in a run: a stopwatch that does not run takes no time for them.
    """

    def __init__(self, running: bool = False) -> None:
        self.seconds: Counter[str] = Counter()
        self._running = running
        self._start = time.perf_counter()
        self._lock = Lock()
        #: by thread: the seconds of stages within the one that is open
        self._within = local()

    @property
    def elapsed(self) -> float:
        """Seconds by the clock on the wall."""
        return time.perf_counter() - self._start

    def stage(self, name: str) -> AbstractContextManager[None]:
        """Count the time of a block of code."""
        return self._stage(name) if self._running else _NOTHING

    def timed(self, name: str, function: Callable[P, T]) -> Callable[P, T]:
        """The function as a stage; the function itself where the stopwatch does not run."""
        if not self._running:
            return function

        def timed(*args: P.args, **kwargs: P.kwargs) -> T:
            with self._stage(name):
                return function(*args, **kwargs)

        return timed

    def each(self, name: str, items: Iterator[T]) -> Iterator[T]:
        """Count the time that an iterator takes for its items, and not that between them."""
        return self._each(name, items) if self._running else items

    @contextmanager
    def _stage(self, name: str) -> Iterator[None]:
        before, outer = time.perf_counter(), getattr(self._within, "seconds", 0.0)
        self._within.seconds = 0.0
        try:
            yield
        finally:
            seconds = time.perf_counter() - before
            with self._lock:
                self.seconds[name] += seconds - self._within.seconds
            self._within.seconds = outer + seconds

    def _each(self, name: str, items: Iterator[T]) -> Iterator[T]:
        while True:
            with self.stage(name):
                try:
                    item = next(items)
                except StopIteration:
                    return
            yield item

"""Working ahead: the next pieces of a file are decoded while the last ones are computed on."""

import contextlib
import itertools
import queue
import threading
from collections import deque
from collections.abc import Callable, Generator, Iterator
from contextvars import copy_context
from typing import Any, Generic, TypeVar

S = TypeVar("S")
T = TypeVar("T")

#: pieces that wait to be taken; more would only cost memory
DEPTH = 2
#: pieces that are read on the spot: a small file is over before a thread would have started
AT_ONCE = 2
#: seconds that closing waits for a piece that is being read
PATIENCE = 0.5


def each_ahead(
    function: Callable[[S], T],
    items: Iterator[S],
    threads: int,
    at_once: int = AT_ONCE,
    stop: Callable[[], None] = lambda: None,
) -> Iterator[tuple[S, T]]:
    """Every item with the function of it, in order, by so many threads.

    The first ones are worked on at once. Beyond the items that are worked on, one waits: who makes
    the items is held back by who takes the results. When that ends early, by an error or Ctrl-C,
    `stop` tells the function to end soon: nothing is left running.
    """
    for item in itertools.islice(items, at_once if threads > 1 else None):
        yield item, function(item)
    following = next(items, None)
    if following is None:
        return
    # Imported when a file is large enough for threads: it takes as long as reading a small one.
    from concurrent.futures import Future, ThreadPoolExecutor

    pool = ThreadPoolExecutor(threads)
    try:
        running: deque[tuple[S, Future[T]]] = deque()
        for item in itertools.chain([following], items):
            # A thread starts without the context of its parent: what NumPy is not to warn of.
            running.append((item, pool.submit(copy_context().run, function, item)))
            if len(running) > threads:
                first, result = running.popleft()
                yield first, result.result()
        while running:
            first, result = running.popleft()
            yield first, result.result()
    except BaseException:
        stop()
        raise
    finally:
        pool.shutdown(cancel_futures=True)


class _End:
    """What a thread puts last: that there is no more, or why."""

    def __init__(self, error: BaseException | None = None) -> None:
        self.error = error


class Ahead(Generic[T]):
    """An iterator whose items are made in a thread, a few of them in advance, in their order."""

    def __init__(self, items: Iterator[T]) -> None:
        self._items = items
        self._taken = 0
        self._ready: queue.Queue[Any] = queue.Queue(DEPTH)
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None

    def __iter__(self) -> Iterator[T]:
        return self

    def __next__(self) -> T:
        self._taken += 1
        if self._taken <= AT_ONCE:
            return next(self._items)
        if self._thread is None:
            make = copy_context().run
            self._thread = threading.Thread(target=make, args=(self._make,), daemon=True)
            self._thread.start()
        item = self._ready.get()
        if isinstance(item, _End):
            self._ready.put(item)  # it stays the end
            raise item.error or StopIteration
        made: T = item
        return made

    def close(self) -> bool:
        """Stop, and wait until the thread has let go of what it reads; False if it does not.

        A thread that waits for a pipe may wait for long. It ends with the process.
        """
        self._stop.set()
        if self._thread is not None:
            with contextlib.suppress(queue.Empty):
                while True:
                    self._ready.get_nowait()
            self._thread.join(PATIENCE)
            if self._thread.is_alive():
                return False
        if isinstance(self._items, Generator):
            self._items.close()
        return True

    def _make(self) -> None:
        end = _End()
        try:
            for item in self._items:
                if not self._put(item):
                    return
        except BaseException as error:
            end = _End(error)
        self._put(end)

    def _put(self, item: Any) -> bool:
        """Put an item where it will be taken; False when nobody takes any more."""
        while not self._stop.is_set():
            with contextlib.suppress(queue.Full):
                self._ready.put(item, timeout=0.1)
                return True
        return False

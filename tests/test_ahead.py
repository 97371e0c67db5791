"""Reading ahead changes nothing but the time."""

import threading
import time
from collections.abc import Iterator

import pytest

from losscli.data.ahead import DEPTH, Ahead, each_ahead


@pytest.mark.parametrize("count", [0, 1, 2, 3, 50])
def test_everything_comes_in_order(count: int) -> None:
    assert list(Ahead(iter(range(count)))) == list(range(count))


def test_the_end_stays_the_end() -> None:
    ahead = Ahead(iter(range(5)))
    list(ahead)
    for _ in range(2):
        with pytest.raises(StopIteration):
            next(ahead)


def test_an_error_comes_where_it_happened() -> None:
    def items() -> Iterator[int]:
        yield from range(4)
        raise ValueError("at 4")

    ahead = Ahead(items())
    assert [next(ahead) for _ in range(4)] == [0, 1, 2, 3]
    with pytest.raises(ValueError, match="at 4"):
        next(ahead)


def test_little_is_read_in_advance() -> None:
    made: list[int] = []

    def items() -> Iterator[int]:
        for i in range(100):
            made.append(i)
            yield i

    ahead = Ahead(items())
    for _ in range(3):
        next(ahead)
    time.sleep(0.2)
    assert len(made) <= 3 + DEPTH + 1
    assert ahead.close()


def test_a_small_file_takes_no_thread() -> None:
    before = threading.active_count()
    ahead = Ahead(iter([1]))
    assert list(ahead) == [1]
    assert threading.active_count() == before


def test_closing_in_the_middle() -> None:
    closed: list[bool] = []

    def items() -> Iterator[int]:
        try:
            yield from range(1000)
        finally:
            closed.append(True)

    ahead = Ahead(items())
    for _ in range(5):
        next(ahead)
    assert ahead.close()
    assert closed == [True]


@pytest.mark.parametrize("count", [0, 1, 2, 3, 40])
def test_each_ahead_keeps_the_order(count: int) -> None:
    def slow_when_early(i: int) -> int:
        time.sleep(0.002 * (i % 3 == 0))
        return i * i

    found = list(each_ahead(slow_when_early, iter(range(count)), 2))
    assert found == [(i, i * i) for i in range(count)]

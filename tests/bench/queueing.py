"""The latency queue: adding n items and draining them again, and taking items back."""

from __future__ import annotations

from functools import partial
from random import Random
from typing import TYPE_CHECKING

from tests.bench.fleet import SIZES
from tests.bench.method import Row, compare, timed

from seatrial.gate.queue import LatencyQueue

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["rows"]

_CANCELS = 2_000


def _dues(size: int) -> list[int]:
    random = Random(size)
    return [random.randrange(1_000_000_000) for _ in range(size)]


def _fill_and_drain(size: int, repeats: int) -> float:
    dues = _dues(size)

    def work() -> None:
        for _ in range(repeats):
            queue: LatencyQueue[None] = LatencyQueue()
            push, pop = queue.push, queue.pop
            for due in dues:
                push(due, None)
            for _ in dues:
                pop()

    return timed(work, 2 * size * repeats)


def _take_back(size: int) -> float:
    """Take 2,000 items back: 200 of each of ten queues of 1,000, or every fiftieth of one of 100,000."""
    repeats = max(1, 10_000 // size)
    batches = []
    for _ in range(repeats):
        queue: LatencyQueue[None] = LatencyQueue()
        tokens = [queue.push(due, None) for due in _dues(size)]
        batches.append((queue, tokens[:: size * repeats // _CANCELS]))

    def work() -> None:
        for queue, tokens in batches:
            cancel = queue.cancel
            for token in tokens:
                cancel(token)

    return timed(work, _CANCELS)


def rows() -> list[Row]:
    """Return the rows of the queue."""
    sizes = {**SIZES, "1M": 1_000_000}
    drain: dict[str, Callable[[], float]] = {
        label: partial(_fill_and_drain, size, max(1, 100_000 // size)) for label, size in sizes.items()
    }
    cancel: dict[str, Callable[[], float]] = {label: partial(_take_back, size) for label, size in SIZES.items()}
    return [
        *compare("queue: add + drain, per action", drain, {"1M": 8.0}, rounds=5),
        *compare("queue: cancel one of n", cancel, {"100k": 2.5}, rounds=7),
    ]

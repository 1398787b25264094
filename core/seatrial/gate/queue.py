"""A queue of things due at a time: first due, first out; equal times keep the order in which they were pushed.

`push` and `pop` cost O(log n). `cancel` costs O(1): the entry is only marked, and dropped when it surfaces or when the
dead outnumber the living.
"""

from __future__ import annotations

from heapq import heapify, heappop, heappush
from typing import Any, Generic, TypeAlias, TypeVar

__all__ = ["NEVER", "LatencyQueue", "Token"]

T = TypeVar("T")
Token: TypeAlias = list[Any]
"""What `push` returns and `cancel` takes."""

NEVER = 1 << 64
"""The due time of nothing: later than every representable time."""

_DEAD = object()
_FEW = 64


class LatencyQueue(Generic[T]):
    """A heap of (due, sequence, item); `head` is the time the next item is due, :data:`NEVER` when there is none."""

    __slots__ = ("_dead", "_heap", "_sequence", "head")

    def __init__(self) -> None:
        """Start empty."""
        self._heap: list[Token] = []
        self._sequence = 0
        self._dead = 0
        self.head = NEVER

    def __len__(self) -> int:
        """Return how many items wait; cancelled ones do not count."""
        return len(self._heap) - self._dead

    def push(self, due: int, item: T) -> Token:
        """Add `item`, due at `due` (UNIX ns UTC), after everything already due then."""
        self._sequence = sequence = self._sequence + 1
        entry: Token = [due, sequence, item]
        heappush(self._heap, entry)
        self.head = min(self.head, due)
        return entry

    def pop(self) -> tuple[int, T]:
        """Remove the first item and return it with its due time.

        :raises IndexError: when the queue is empty.
        """
        heap = self._heap
        entry = heappop(heap)  # never a dead one: cancel keeps the head alive
        due, _, item = entry
        entry[2] = _DEAD
        if self._dead:
            self._drop_dead_head()
        else:
            self.head = heap[0][0] if heap else NEVER
        return due, item

    def cancel(self, token: Token) -> bool:
        """Take an item back by the token `push` gave; return whether it was still waiting."""
        if token[2] is _DEAD:
            return False
        token[2] = _DEAD
        self._dead += 1
        if self._dead > _FEW and self._dead * 2 > len(self._heap):
            self._heap = [entry for entry in self._heap if entry[2] is not _DEAD]
            heapify(self._heap)
            self._dead = 0
        self._drop_dead_head()
        return True

    def items(self) -> list[tuple[int, T]]:
        """Return (due, item) in the order they will be popped."""
        return [(due, item) for due, _, item in sorted(self._heap) if item is not _DEAD]

    def _drop_dead_head(self) -> None:
        heap = self._heap
        while heap and heap[0][2] is _DEAD:
            heappop(heap)
            self._dead -= 1
        self.head = heap[0][0] if heap else NEVER

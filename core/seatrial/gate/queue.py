"""A queue of things due at a time: first due, first out; equal times keep the order in which they were pushed.

`push` and `pop` cost O(log n). `cancel` costs O(1): only the item goes, and its place in the heap when it surfaces or
when the dead outnumber the living.
"""

from __future__ import annotations

from heapq import heapify, heappop, heappush
from typing import Generic, TypeAlias, TypeVar

__all__ = ["NEVER", "LatencyQueue", "Token"]

T = TypeVar("T")
Token: TypeAlias = int
"""What `push` returns and `cancel` takes."""

NEVER = 1 << 64
"""The due time of nothing: later than every representable time."""

_MISSING = object()
_FEW = 64


class LatencyQueue(Generic[T]):
    """A heap of (due, sequence) beside the items by sequence; a place without an item is dead.

    `head` is the time the next item is due, :data:`NEVER` when there is none.
    """

    __slots__ = ("_heap", "_items", "_sequence", "head")

    def __init__(self) -> None:
        """Start empty."""
        self._heap: list[tuple[int, Token]] = []
        self._items: dict[Token, T] = {}
        self._sequence = 0
        self.head = NEVER

    def __len__(self) -> int:
        """Return how many items wait; cancelled ones do not count."""
        return len(self._items)

    def push(self, due: int, item: T) -> Token:
        """Add `item`, due at `due` (UNIX ns UTC), after everything already due then."""
        self._sequence = token = self._sequence + 1
        heappush(self._heap, (due, token))
        self._items[token] = item
        self.head = min(self.head, due)
        return token

    def pop(self) -> tuple[int, T]:
        """Remove the first item and return it with its due time.

        :raises IndexError: when the queue is empty.
        """
        due, token = heappop(self._heap)  # never a dead one: cancel keeps the head alive
        item = self._items.pop(token)
        self._surface()
        return due, item

    def cancel(self, token: Token) -> bool:
        """Take an item back by the token `push` gave; return whether it was still waiting."""
        items = self._items
        if items.pop(token, _MISSING) is _MISSING:
            return False
        dead = len(self._heap) - len(items)
        if dead > _FEW and dead * 2 > len(self._heap):
            self._heap = [place for place in self._heap if place[1] in items]
            heapify(self._heap)
        self._surface()
        return True

    def items(self) -> list[tuple[int, T]]:
        """Return (due, item) in the order they will be popped."""
        return [(due, self._items[token]) for due, token in sorted(self._heap) if token in self._items]

    def _surface(self) -> None:
        heap, items = self._heap, self._items
        while heap and heap[0][1] not in items:
            heappop(heap)
        self.head = heap[0][0] if heap else NEVER

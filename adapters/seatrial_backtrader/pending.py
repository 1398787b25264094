"""The pending orders of a Backtrader broker: a deque that hands a bar only the orders it can touch.

The stock broker turns its deque once around on each bar: it appends None, takes orders from the left until None comes
back, and appends those that go on. `PendingOrders` keeps that contract, and everything else a deque does. Between the
None and its return it leaves out the orders that the bar cannot touch: they stay where the stock broker would have put
them back. Fills, their order and the orders that remain are those of a plain deque.

Few orders are held in the deque itself, at the cost of a deque. Where `arrange`, called before a pass, finds more than
`indexed_above`, the container becomes an index (`book`) and stays one until half as many are left.
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Any

from seatrial_backtrader.book import Book

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

__all__ = ["INDEXED_ABOVE", "PendingOrders"]

INDEXED_ABOVE = 32
"""How many orders a plain pass is good for: below it, looking at each costs less than knowing which to look at."""

_append = deque.append


def _turn_into(kind: type[PendingOrders], orders: Any) -> None:
    """Let `orders` be of another class, so that neither kind asks on each call which one it is."""
    orders.__class__ = kind


class PendingOrders(deque[Any]):
    """Pending orders in the order of their arrival, with the interface of the deque that the stock broker keeps.

    Orders are equal if their refs are. `remove` raises ValueError for an order that is not there, as a deque does; in
    a large container it costs O(log n). Looking at all orders or at one by its index costs O(n). An operation that no
    broker needs (`insert`, `rotate` and the like) makes a large container a plain deque until the next pass.

    A copy, also a pickled one, holds the same orders in the same order.
    """

    def __init__(self, orders: Iterable[Any] = (), indexed_above: int = INDEXED_ABOVE) -> None:
        super().__init__(orders)
        self.indexed_above = indexed_above

    def arrange(self) -> None:
        """Become an index where that pays, before a pass begins."""
        if len(self) > self.indexed_above and None not in self:  # else the pass before it broke off
            book = Book(self)
            self.clear()
            _turn_into(_IndexedOrders, self)
            vars(self)["book"] = book

    def latest_first(self, refs: Iterable[int]) -> list[Any]:
        """Return the orders with these refs from the last to the first."""
        if len(self) == 1 and self[0] is None:  # a pass that has taken the only one out
            return []
        refs = frozenset(refs)
        return [order for order in reversed(self) if order is not None and order.ref in refs]

    def copy(self) -> Any:
        """Return a container with the same orders."""
        return PendingOrders(self, self.indexed_above)

    def __copy__(self) -> Any:
        return self.copy()

    def __reduce__(self) -> tuple[Any, ...]:
        return PendingOrders, ((), self.indexed_above), None, iter(list(self))


class _IndexedOrders(PendingOrders):
    """Pending orders while there are many: the deque is empty and `book` holds them."""

    book: Book

    def arrange(self) -> None:
        """Stay an index."""

    def append(self, order: Any) -> None:
        book = self.book
        if not book.passing:
            if order is None:
                book.begin()
            else:
                book.add(order)
        elif not book.put_back(order):
            # One that arrives in mid-pass stands before those that are still to be passed.
            self._become_plain()
            _append(self, order)

    def popleft(self) -> Any:
        book = self.book
        if not book.passing:
            self._become_plain()
            return self.popleft()
        order = book.hand_out()
        if order is None and len(book) <= self.indexed_above // 2:
            self._become_plain()
        return order

    def remove(self, order: Any) -> None:
        book = self.book
        if order is None:
            self._become_plain()
            self.remove(order)
            return
        place = book.find(order.ref)
        if place is None:
            raise ValueError("the order is not pending")  # noqa: TRY003 - what a deque raises, to be caught by its broker
        book.leave(place)

    def latest_first(self, refs: Iterable[int]) -> list[Any]:
        return self.book.latest_first(refs)

    def __len__(self) -> int:
        return len(self.book) + self.book.passing

    def __iter__(self) -> Iterator[Any]:
        yield from self.book

    def __reversed__(self) -> Iterator[Any]:
        yield from list(self)[::-1]

    def __getitem__(self, index: Any) -> Any:
        return list(self)[index]

    def __contains__(self, order: object) -> bool:
        return any(each == order for each in self)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, deque) and list(self) == list(other)

    def __ne__(self, other: object) -> bool:
        return not self == other

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        return f"PendingOrders({list(self)!r})"

    def _become_plain(self) -> None:
        """Go back to being a deque, also in the middle of a pass."""
        orders = list(self.book)
        self.book.close()
        del self.book
        _turn_into(PendingOrders, self)
        self.extend(orders)


def _by_the_deque(name: str) -> Callable[..., Any]:
    method = getattr(deque, name)

    def call(self: _IndexedOrders, *arguments: Any) -> Any:
        self._become_plain()
        return method(self, *arguments)

    return call


for _name in (
    *("appendleft", "clear", "count", "extend", "extendleft", "index", "insert", "pop", "reverse", "rotate"),
    *("__add__", "__delitem__", "__iadd__", "__imul__", "__mul__", "__rmul__", "__setitem__"),
    *("__ge__", "__gt__", "__le__", "__lt__"),
):
    setattr(_IndexedOrders, _name, _by_the_deque(_name))

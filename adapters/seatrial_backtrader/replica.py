"""The near ledger: what the strategy may know while the venue is already further.

Where fill reports take time, orders match in a far ledger. Cash, positions and orders that the strategy reads change
when a report arrives, all together; with nothing under way both ledgers are equal to the last bit.
"""

from __future__ import annotations

import copy
from contextlib import suppress
from typing import TYPE_CHECKING, Any
from weakref import WeakValueDictionary

from backtrader.order import OrderData

import backtrader as bt

if TYPE_CHECKING:
    from seatrial_backtrader.desk import Told
    from seatrial_backtrader.matching import Matcher, Venue

__all__ = ["Replica"]

_SCALARS = (
    "cash",
    "_value",
    "_valuemkt",
    "_valuelever",
    "_valuemktlever",
    "_leverage",
    "_unrealized",
    "_fundval",
    "_fundshares",
)
_EXECUTED = ("dt", "size", "remsize", "price", "value", "comm", "pnl", "psize", "pprice", "margin")
_MOVING = ("status", "triggered", "comminfo", "_active", "broker", "plen", "pannotated")


class Replica:
    """The strategy's side of one broker with two ledgers."""

    def __init__(self, near: Matcher, far: Venue) -> None:
        """Let `near` follow `far`."""
        self._near = near
        self._far = far
        self.orders: dict[int, Any] = {}
        """The strategy's objects for the orders that are at the venue, as far as it has been told."""
        self._seen: WeakValueDictionary[int, Any] = WeakValueDictionary()  # the same, ended ones included while held
        self.asked: dict[int, Any] = {}
        """The copies by which orders were cancelled: Backtrader ends the object it was handed, and no other."""
        self._waking: list[Any] = []  # the children that the venue activates

    def twin(self, order: Any) -> Any:
        """Return the venue's own object for the strategy's order; what was asked for is shared, what happens is not."""
        self.touch()
        twin = copy.copy(order)
        twin.executed = OrderData(remsize=order.executed.remsize)
        self.orders[order.ref] = self._seen[order.ref] = order
        return twin

    def begin(self) -> None:
        """Begin a cycle: children become active with the venue's, once their parent was reported complete."""
        self.touch()
        self._waking += self._far._toactivate
        asleep: list[Any] = []
        for twin in self._waking:
            parent = None if twin.parent is None else self._seen.get(twin.parent.ref)
            if parent is not None and parent.alive():
                asleep.append(twin)
            elif (order := self.orders.get(twin.ref)) is not None:
                order.activate()
        self._waking = asleep

    def touch(self) -> None:
        """Enter every feed in both books in the same order: sums of floats follow it."""
        near, far = self._near.positions, self._far.positions
        if len(near) != len(far):
            for data in (*near, *far):
                near[data]
                far[data]

    def apply(self, told: Told) -> None:
        """Take in a report: the order, the cash and the position change together, then the strategy is notified."""
        near, seen = self._near, told.order
        order = self.asked.pop(seen.ref, None) or self._seen.get(seen.ref)
        if order is None:  # an order of the past, which Backtrader made itself
            order = self.orders[seen.ref] = self._seen[seen.ref] = copy.copy(seen)
            order.executed = OrderData(remsize=seen.size)
        executed, news = order.executed, seen.executed
        executed.exbits.extend(news.iterpending())
        for name in _EXECUTED:
            setattr(executed, name, getattr(news, name))
        for name in _MOVING:
            if name in seen.__dict__:
                setattr(order, name, getattr(seen, name))
        if told.held is not None:
            data, position = told.held
            self.touch()
            near.positions[data].__dict__.update(position.__dict__)
            near.cash += told.cash
        if not order.alive():
            self._end(order)
        elif order.status == bt.Order.Accepted and not told.silent:
            near.pending.append(order)
        if not told.silent:
            near.tell(order)

    def _end(self, order: Any) -> None:
        self.orders.pop(order.ref, None)
        with suppress(ValueError):  # it may never have been accepted
            self._near.pending.remove(order)

    def reflect(self) -> None:
        """Let the far ledger follow: valuing some feeds alone books deposits, and values the account anew."""
        for name in _SCALARS:
            setattr(self._far, name, getattr(self._near, name))
        self._far._cash_addition.clear()

    def settle(self, *, in_flight: bool) -> None:
        """End a cycle: with nothing under way the near ledger is the far one, else it is valued by itself."""
        near, far = self._near, self._far
        if not in_flight:
            self.touch()
            for name in _SCALARS:
                setattr(near, name, getattr(far, name))
            near._cash_addition.clear()
            for data, position in far.positions.items():
                near.positions[data].__dict__.update(position.__dict__)
            return
        near.cash -= far.interest
        for data, position in near.positions.items():
            if position:
                scheme = near.getcommissioninfo(data)
                near.cash += scheme.cashadjust(position.size, position.adjbase, data.close[0])
                position.adjbase = data.close[0]
        near._get_value()

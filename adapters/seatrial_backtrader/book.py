"""An index over pending orders: which of them the current bar can touch, in the order of their places.

A bar touches an order if the stock broker would do anything else with it than put it back: match it, trail it, expire
it, or drop it. The index may name an order that a bar does not touch, never miss one that it does. A bar costs
O(log n) per order named, O(1) per data feed with orders, and nothing for the orders that rest.

- A limit that buys and a stop that sells wait below the market: touched where their price is at or above the bar's
  open or low. A limit that sells and a stop that buys wait above it: at or below the open or high. Both kinds lie in
  heaps by price, one pair per feed. A stop limit that has triggered waits as a limit at its limit price.
- An order with a last valid time lies in a heap of its feed by that time as well.
- A child of a bracket waits for its parent to leave: until then it can only expire.
- Every other order is named on every bar: Market, Close, Historical, the trailing ones until they trigger, an order
  that stands in two places, and one whose price or validity cannot be sorted (NaN, or neither int nor float).

What an order asks for is read when it takes its place, and again each time a bar has touched it or somebody has
assigned a price to it (`terms`). An earlier validity, another type or another status that is assigned to a resting
order is not seen before a bar touches it.
"""

from __future__ import annotations

from heapq import heapify, heappop, heappush
from itertools import count
from typing import TYPE_CHECKING, Any

from backtrader import Order

from seatrial_backtrader.terms import unwatch, watch

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

__all__ = ["Book"]

_SWEEP = 64
"""Places given up before a feed's heaps are looked through: a few more than it pays to look for."""

_NOWHERE, _BY_PRICE, _ALWAYS, _ASLEEP = range(4)


class _Place:
    """Where one order stands: its number says whose turn comes first."""

    __slots__ = (
        "__weakref__",
        "gone",
        "lane",
        "may_trigger",
        "number",
        "often",
        "order",
        "serial",
        "timed",
        "watched",
        "where",
    )

    def __init__(self, number: int, order: Any, lane: _Lane) -> None:
        self.number = number
        self.order = order
        self.lane = lane
        self.where = _NOWHERE
        self.serial = -1
        self.timed = self.watched = self.gone = False
        self.often = not order.alive()
        self.may_trigger = order.exectype == Order.StopTrailLimit

    def amended(self) -> None:
        """Wait for the price that was assigned to the order."""
        self.lane.book.amended(self)


_Heap = list[tuple[float, int, _Place]]


def _sorts(number: object) -> bool:
    """Tell whether `number` has its place among prices or times."""
    return isinstance(number, (int, float)) and number == number  # noqa: PLR0124 - NaN is not equal to itself


def _awaited(order: Any) -> tuple[bool, Any]:
    """Return whether `order` waits for a fall, and the price it waits for: None if no price says when it is touched."""
    kind, buys = order.exectype, order.isbuy()
    if kind == Order.Limit:
        return buys, order.created.price
    if order.triggered and kind in {Order.StopLimit, Order.StopTrailLimit}:
        return buys, order.created.pricelimit
    if kind in {Order.Stop, Order.StopLimit}:
        return not buys, order.created.price
    return buys, None


class _Lane:
    """The orders of one data feed that wait for a price or a time."""

    __slots__ = ("above", "below", "book", "data", "given_up", "standing", "until")

    def __init__(self, book: Book, data: Any) -> None:
        self.book = book
        self.data = data
        self.above: _Heap = []
        self.below: _Heap = []
        self.until: _Heap = []
        self.standing = 0
        self.given_up = 0

    def touched(self) -> Iterator[_Place]:
        """Take out and yield the places whose price or time the current bar has reached.

        The bar is read as the stock broker reads it. Whatever its feed raises where it has no bar is raised here.
        """
        data = self.data
        if self.until:
            now, until = data.datetime[0], self.until
            while until and now > until[0][0]:
                place = heappop(until)[2]
                place.timed = False
                yield place
        if self.below or self.above:
            first = getattr(data, "tick_open", None)
            if first is None:
                first = data.open[0]
            high = getattr(data, "tick_high", None)
            if high is None:
                high = data.high[0]
            low = getattr(data, "tick_low", None)
            if low is None:
                low = data.low[0]
            yield from self.reached(first, high, low)

    def reached(self, first: float, high: float, low: float) -> Iterator[_Place]:
        """Take out and yield the places at prices that a bar from `first` between `low` and `high` has reached."""
        below, above = self.below, self.above
        # Each bound by itself, since either may be NaN.
        while below and (-below[0][0] >= first or -below[0][0] >= low):
            _, serial, place = heappop(below)
            if serial == place.serial:
                place.where = _NOWHERE
                yield place
        while above and (above[0][0] <= first or above[0][0] <= high):
            _, serial, place = heappop(above)
            if serial == place.serial:
                place.where = _NOWHERE
                yield place

    def give_up(self) -> None:
        """Count an entry that is void; void entries are swept out of the heaps once they outnumber the others."""
        self.given_up += 1
        if self.given_up > self.standing + _SWEEP:
            self.given_up = 0
            for heap in (self.above, self.below):
                heap[:] = [entry for entry in heap if entry[1] == entry[2].serial and not entry[2].gone]
                heapify(heap)
            self.until[:] = [entry for entry in self.until if not entry[2].gone]
            heapify(self.until)


class Book:
    """Pending orders in their order, and the pass of a broker over those that the current bar can touch.

    A pass begins with `begin`. Each `hand_out` takes the next touched order out, `put_back` returns it to its place,
    and an order that was not put back has left. The last `hand_out` gives None and ends the pass. Orders are given in
    the order in which a deque would give them that is turned once around.
    """

    def __init__(self, orders: Iterable[Any]) -> None:
        self._places: dict[int, _Place] = {}
        self._of: dict[int, list[_Place]] = {}
        self._lanes: dict[Any, _Lane] = {}
        self._always: dict[int, _Place] = {}
        self._asleep: dict[int, list[_Place]] = {}
        self._numbers = count()
        self._serial = count()
        self._turn: list[_Place] = []
        self._at = -1
        self._out: _Place | None = None
        self.passing = False
        for order in orders:
            self.add(order)

    def __len__(self) -> int:
        """Return how many orders stand here; the one that is handed out does not."""
        return len(self._places) - (self._out is not None)

    def __iter__(self) -> Iterator[Any]:
        """Yield the orders as a deque holds them, in a pass turned to where it stands, with None before the passed."""
        if not self.passing:
            yield from (place.order for place in self._places.values())
            return
        at, out = self._at, self._out
        yield from (place.order for number, place in self._places.items() if number > at)
        yield None
        yield from (place.order for number, place in self._places.items() if number <= at and place is not out)

    def add(self, order: Any) -> None:
        """Give `order` the last place."""
        lane = self._lanes.get(order.data)
        if lane is None:
            lane = self._lanes[order.data] = _Lane(self, order.data)
        lane.standing += 1
        place = _Place(next(self._numbers), order, lane)
        self._places[place.number] = place
        same = self._of.setdefault(order.ref, [])
        same.append(place)
        if len(same) > 1:
            # One end is the end of both, whatever the price of the second: each bar has to look.
            for each in same:
                self._look_often(each)
            self._wake(order.ref)
        self._settle(place)

    def find(self, ref: int) -> _Place | None:
        """Return the first place of the order `ref`, None if it has none or is handed out."""
        places = [place for place in self._of.get(ref, ()) if place is not self._out]
        return min(places, key=self._turn_of) if places else None

    def latest_first(self, refs: Iterable[int]) -> list[Any]:
        """Return the orders among `refs` that stand here, as a deque holds them from its end."""
        places = [place for ref in dict.fromkeys(refs) for place in self._of.get(ref, ()) if place is not self._out]
        return [place.order for place in sorted(places, key=self._turn_of, reverse=True)]

    def leave(self, place: _Place) -> None:
        """Give up `place`; the children that waited for its order wait for their prices from now on."""
        place.gone = True
        del self._places[place.number]
        self._always.pop(place.number, None)
        ref, lane = place.order.ref, place.lane
        same = self._of[ref]
        same.remove(place)
        if not same:
            del self._of[ref]
        if place.watched:
            unwatch(place.order.created, place)
        lane.standing -= 1
        lane.give_up()
        if not lane.standing:
            del self._lanes[lane.data]
        self._wake(ref)

    def close(self) -> None:
        """Watch the orders no more."""
        for place in self._places.values():
            if place.watched:
                unwatch(place.order.created, place)

    def amended(self, place: _Place) -> None:
        """Let `place` wait for the price that its order has now; in a pass it may still have its turn."""
        if place.where != _BY_PRICE:
            return
        place.where, place.serial = _NOWHERE, -1
        place.lane.give_up()
        self._settle(place)
        if self.passing and place.number > self._at and place not in self._turn:
            self._turn.append(place)
            self._turn.sort(key=lambda each: each.number, reverse=True)

    def begin(self) -> None:
        """Begin a pass: find what the current bars of all feeds can touch."""
        touched = dict(self._always)
        for lane in self._lanes.values():
            try:
                touched.update((place.number, place) for place in lane.touched())
            except Exception:  # noqa: BLE001 - the broker meets the same error, at the order where it belongs
                touched.update((number, place) for number, place in self._places.items() if place.lane is lane)
        self._turn = [touched[number] for number in sorted(touched, reverse=True)]
        self._at = -1
        self.passing = True

    def hand_out(self) -> Any:
        """Take out and return the next touched order; None ends the pass."""
        if self._out is not None:
            gone, self._out = self._out, None
            self.leave(gone)
        while self._turn:
            place = self._turn.pop()
            if not place.gone:
                self._out = place
                self._at = place.number
                return place.order
        self.passing = False
        return None

    def put_back(self, order: Any) -> bool:
        """Return the order that is handed out to its place; False if `order` is another."""
        place = self._out
        if place is None or place.order is not order:
            return False
        self._out = None
        if place.where != _ALWAYS or place.may_trigger:
            self._settle(place)
        return True

    def _turn_of(self, place: _Place) -> tuple[bool, int]:
        return self.passing and place.number <= self._at, place.number

    def _settle(self, place: _Place) -> None:
        """Let `place` wait for what can touch its order next."""
        if place.where in {_NOWHERE, _ALWAYS}:
            self._sort(place)
        if place.timed or place.where == _ALWAYS:
            return
        order = place.order
        if order.valid and order.exectype != Order.Market:
            if _sorts(order.valid):
                place.timed = True
                heappush(place.lane.until, (order.valid, next(self._serial), place))
            else:
                self._look_often(place)

    def _sort(self, place: _Place) -> None:
        """Let `place` wait for the end of a parent, for a price, or for each bar."""
        order, lane = place.order, place.lane
        if not place.often and not order.active() and self._can_leave_once(order.parent):
            place.where = _ASLEEP
            self._asleep.setdefault(order.parent.ref, []).append(place)
            return
        below, key = (False, None) if place.often else _awaited(order)
        if key is None or not _sorts(key):
            place.where = _ALWAYS
            self._always[place.number] = place
            return
        if place.where == _ALWAYS:
            del self._always[place.number]
        place.where = _BY_PRICE
        place.serial = next(self._serial)
        heappush(lane.below if below else lane.above, (-key if below else key, place.serial, place))
        if not place.watched:
            place.watched = True
            watch(order.created, place)

    def _can_leave_once(self, parent: Any) -> bool:
        """Tell whether `parent` stands here, and in one place: of two, one may stay after the order is filled."""
        places = None if parent is None else self._of.get(parent.ref)
        return places is not None and not places[0].often

    def _wake(self, parent: int) -> None:
        """Let the children that wait for `parent` to leave wait for their prices."""
        for child in self._asleep.pop(parent, ()):
            if not child.gone:
                child.where = _NOWHERE
                self._settle(child)

    def _look_often(self, place: _Place) -> None:
        """Let each bar look at the order, wherever else it waits."""
        place.often = True
        self._always[place.number] = place

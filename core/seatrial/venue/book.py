"""One symbol's resting orders, sorted by the price at which they wake, so that a tick looks only at the heads.

Six ladders: for each side, limits and touch orders that wake when the market comes to them, and stops that wake when it
runs away. Two more hold trailing orders by the price at which their trigger moves. Buys watch the ask, sells the bid.
"""

from __future__ import annotations

from bisect import bisect_left, insort
from operator import attrgetter
from typing import TYPE_CHECKING

from seatrial.venue.working import Phase

if TYPE_CHECKING:
    from decimal import Decimal

    from seatrial.contracts.market import Instrument, Quote
    from seatrial.venue.moment import Moment
    from seatrial.venue.working import Place, Working

__all__ = ["Book", "Ladder"]

_by_time = attrgetter("sequence")


class Ladder:
    """Orders by price, and at one price by time: `falling` wakes the highest first (the market comes down).

    Each price stands once, beside the orders that wait for it.
    """

    __slots__ = ("_levels", "_prices", "falling", "head")

    def __init__(self, *, falling: bool) -> None:
        """Start empty."""
        self._prices: list[Decimal] = []
        self._levels: list[list[Working]] = []
        self.falling = falling
        self.head: Decimal | None = None
        """The price that wakes the first order."""

    def push(self, price: Decimal, working: Working) -> None:
        """Add an order that waits for `price`."""
        prices, levels = self._prices, self._levels
        at = bisect_left(prices, price)
        if at < len(prices) and prices[at] == price:
            level = levels[at]
            if level[-1].sequence < working.sequence:
                level.append(working)
            else:
                insort(level, working, key=_by_time)
        else:
            prices.insert(at, price)
            levels.insert(at, [working])
            self.head = prices[-1 if self.falling else 0]

    def woken(self, price: Decimal, *, strict: bool = False) -> bool:
        """Return whether the market at `price` wakes the first order; `strict` asks it to be beyond."""
        head = self.head
        if head is None:
            return False
        if self.falling:
            return price < head or (price == head and not strict)
        return price > head or (price == head and not strict)

    def peek(self) -> Working:
        """Return the first order; the caller sees to it that there is one."""
        return self._levels[-1 if self.falling else 0][0]

    def remove(self, price: Decimal, working: Working) -> None:
        """Take out an order that waits for `price` in here."""
        at = bisect_left(self._prices, price)
        level = self._levels[at]
        if len(level) > 1:
            del level[bisect_left(level, working.sequence, key=_by_time)]
            return
        del self._prices[at], self._levels[at]
        self.head = self._prices[-1 if self.falling else 0] if self._prices else None

    def __len__(self) -> int:
        """Return the number of orders."""
        return sum(map(len, self._levels))


class Book:
    """The orders of one symbol and the market they stand in."""

    __slots__ = (
        "bar_end",
        "buy_limits",
        "buy_stops",
        "buy_touches",
        "buy_trails",
        "closing",
        "fresh",
        "instrument",
        "is_bars",
        "last",
        "last_at",
        "moment",
        "multiplier",
        "quote",
        "sell_limits",
        "sell_stops",
        "sell_touches",
        "sell_trails",
        "symbol",
        "waiting",
    )

    def __init__(self, instrument: Instrument) -> None:
        """Start with no order and no market."""
        self.instrument = instrument
        self.symbol = instrument.symbol
        self.multiplier = None if instrument.multiplier == 1 else instrument.multiplier
        self.fresh: dict[str, Working] = {}
        """Arrived, and met no price yet."""
        self.waiting: dict[str, Working] = {}
        """Market orders that want the next price."""
        self.closing: dict[str, Working] = {}
        """Orders for the session's close."""
        self.buy_limits = Ladder(falling=True)
        self.buy_touches = Ladder(falling=True)
        self.buy_stops = Ladder(falling=False)
        self.sell_limits = Ladder(falling=False)
        self.sell_touches = Ladder(falling=False)
        self.sell_stops = Ladder(falling=True)
        self.buy_trails = Ladder(falling=True)
        self.sell_trails = Ladder(falling=False)
        self.quote: Quote | None = None
        self.moment: Moment | None = None
        """What is left of the standing market, once somebody has looked."""
        self.last: Decimal | None = None
        self.last_at = 0
        self.is_bars = False
        self.bar_end: int | None = None
        """The end of the last bar, where the next one begins."""

    def stirs(self, bid: Decimal, ask: Decimal) -> bool:
        """Return whether any order may have to do with these prices; a few comparisons, whatever rests."""
        return (
            bool(self.fresh or self.waiting)
            or ((head := self.buy_limits.head) is not None and ask <= head)
            or ((head := self.sell_limits.head) is not None and bid >= head)
            or ((head := self.sell_stops.head) is not None and bid <= head)
            or ((head := self.buy_stops.head) is not None and ask >= head)
            or ((head := self.buy_touches.head) is not None and ask <= head)
            or ((head := self.sell_touches.head) is not None and bid >= head)
            or ((head := self.sell_trails.head) is not None and bid > head)
            or ((head := self.buy_trails.head) is not None and ask < head)
        )

    def price_of(self, working: Working) -> Decimal | None:
        """Return the price an order is valued at before it trades: its own, else the market's."""
        if working.limit is not None:
            return working.limit
        if working.trigger is not None:
            return working.trigger
        quote = self.quote
        if quote is not None:
            return quote.ask if working.is_buy else quote.bid
        return self.last

    def rest(self, working: Working) -> None:
        """Put an order where its phase, side and price belong."""
        phase = working.phase
        if phase is Phase.MARKET or phase is Phase.CLOSE:
            self.keep(working, "waiting" if phase is Phase.MARKET else "closing")
            return
        price = working.waits_for
        if price is not None:
            self.ladder(working).push(price, working)
            working.placed = True
            if phase is Phase.STOP and working.extreme is not None:
                self.trails(working).push(working.extreme, working)

    def draw(self, ladder: Ladder) -> Working:
        """Take the first order of a ladder out; the caller sees to it that there is one."""
        working = ladder.peek()
        self._lift(working)
        return working

    def keep(self, working: Working, place: Place) -> None:
        """Put an order into `fresh`, `waiting` or `closing`."""
        self._list(place)[working.order_id] = working
        working.place = place

    def _list(self, place: Place) -> dict[str, Working]:
        if place == "fresh":
            return self.fresh
        return self.waiting if place == "waiting" else self.closing

    def ladder(self, working: Working) -> Ladder:
        """Return the ladder of an order that waits for a price."""
        if working.phase is Phase.LIMIT:
            return self.buy_limits if working.is_buy else self.sell_limits
        if working.phase is Phase.STOP:
            return self.buy_stops if working.is_buy else self.sell_stops
        return self.buy_touches if working.is_buy else self.sell_touches

    def trails(self, working: Working) -> Ladder:
        """Return the ladder of trailing orders on an order's side."""
        return self.buy_trails if working.is_buy else self.sell_trails

    def leave(self, working: Working) -> None:
        """Forget the place of an order that has ended or is about to take another; its price is still the one there."""
        if working.place is not None:
            self._list(working.place).pop(working.order_id, None)
            working.place = None
        if working.placed:
            self._lift(working)

    def _lift(self, working: Working) -> None:
        price = working.waits_for
        if price is not None:
            self.ladder(working).remove(price, working)
        if working.phase is Phase.STOP and working.extreme is not None:
            self.trails(working).remove(working.extreme, working)
        working.placed = False

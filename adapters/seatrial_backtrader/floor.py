"""The venue on Backtrader: orders arrive, end and hang together as at the simulated venue, and Backtrader matches them.

Which order trades in a bar, and at which of the bar's prices, is Backtrader's say. What is paid, what an account
allows, what groups and brackets do, is as at the simulated venue, to the cent.
"""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any

from seatrial.contracts.market import Bar
from seatrial.contracts.rejection import RejectionReason
from seatrial.contracts.terms import Liquidity, OrderType, TimeInForce
from seatrial.contracts.venue import LimitFill, PriceImprovement
from seatrial.venue.arrivals import by_venue
from seatrial.venue.market import Market
from seatrial.venue.matching import tighten
from seatrial.venue.moment import Moment
from seatrial.venue.path import bar_path
from seatrial.venue.simulated import SimulatedVenue
from seatrial.venue.simulator import ExecutionSimulator
from seatrial.venue.working import Phase
from seatrial_backtrader.pit import KINDS, Pit, order_for
from seatrial_backtrader.stamps import exact

if TYPE_CHECKING:
    from collections.abc import Sequence

    from seatrial.contracts.events import OrderChange
    from seatrial.contracts.market import Trade
    from seatrial.contracts.orders import Order
    from seatrial.contracts.venue import VenueConfig
    from seatrial.gate.instruments import Instruments
    from seatrial.plugins import Plugins
    from seatrial.venue.book import Book
    from seatrial.venue.working import Working

__all__ = ["BacktraderSimulator", "BacktraderVenue"]

_TIFS = frozenset({TimeInForce.GTC, TimeInForce.DAY, TimeInForce.GTD})
_WITH_LIMIT = frozenset({OrderType.STOP_LIMIT, OrderType.TRAILING_STOP_LIMIT})


class _Scene:
    """One symbol's part in a round: its book, what its row showed and when, and how much of it may be ours."""

    def __init__(self, book: Book, row: Trade | Bar, start: int, cut: int, share: Decimal | None) -> None:
        self.book = book
        self.row = row
        self.cut = cut
        if isinstance(row, Bar):
            self.path = bar_path(row, start)
            shown = [row.open, row.high, row.low, row.close]
        else:
            self.path = ((row.ts, row.price),)
            shown = [row.price]
        self.open, self.close = shown[0], shown[-1]
        self.high, self.low = max(shown), min(shown)
        self.moment = Moment.of_price(start, self.open, share, strict=False)
        self._known = {float(price): price for price in shown}

    def price(self, number: float, working: Working) -> Decimal:
        """Return the exact price that Backtrader means: the open, else the order's own, else one that was shown."""
        for known in (self.open, working.limit, working.trigger):
            if known is not None and float(known) == number:
                return known
        return self._known.get(number) or exact(number)

    def reached(self, trigger: Decimal, *, is_buy: bool) -> Decimal:
        """Return the price at which the bar comes to a stop's trigger: the open, where that lies beyond it."""
        return max(self.open, trigger) if is_buy else min(self.open, trigger)

    def time_of(self, price: Decimal, after: int | None = None) -> int:
        """Return when the bar came to a price, on the path that every engine here takes a bar to have gone.

        A limit that a trigger has woken is met on the way that follows `after`, the time of the trigger.
        """
        at, before = self.path[0]
        if price == before and after is None:
            return at
        for ts, then in self.path[1:]:
            if (after is None or ts > after) and min(before, then) <= price <= max(before, then):
                return ts
            before = then
        return self.path[-1][0]


class TapeMarket(Market):
    """Lets Backtrader match the orders of its books."""

    def __init__(self, venue: BacktraderVenue, config: VenueConfig, instruments: Instruments) -> None:
        """Match for `venue`."""
        super().__init__(config, instruments, venue.ledger, venue._matcher)
        self._venue = venue
        self._improves = config.price_improvement is PriceImprovement.ALWAYS
        self._strict = config.limit_fill is not LimitFill.TOUCH
        self._scenes: dict[str, _Scene] = {}
        self._pit: Pit
        self._feeds: dict[str, Any] = {}
        self._owner: Any = None
        self._orders: dict[str, Any] = {}

    def connect(self, pit: Pit, feeds: dict[str, Any], owner: Any) -> None:
        """Match in `pit` on `feeds`, for the strategy `owner`."""
        self._pit, self._feeds, self._owner = pit, feeds, owner

    def trade(self, trade: Trade) -> None:
        """Somebody traded at this price."""
        book = self.book(trade.symbol)
        book.is_bars = False
        self._play((_Scene(book, trade, trade.ts, trade.ts, self._share(book, trade.size)),))

    def bars(self, bars: Sequence[Bar], starts: Sequence[int]) -> None:
        """The markets moved like this; Backtrader looks at each bar as a whole."""
        scenes: list[_Scene] = []
        for bar, start in zip(bars, starts, strict=True):
            book = self.book(bar.symbol)
            book.is_bars = True
            scenes.append(_Scene(book, bar, start, self.bar_cut(start, bar.ts), self._share(book, bar.volume)))
            book.bar_end = bar.ts
        self._play(scenes)

    def _play(self, scenes: Sequence[_Scene]) -> None:
        self._scenes = {scene.book.symbol: scene for scene in scenes}
        arrived = [one for scene in scenes for one in scene.book.fresh.values() if one.since <= scene.cut]
        for working in sorted(arrived, key=lambda one: one.sequence):
            self._enter(working)
        self._pit.match()
        for scene in scenes:
            if scene.book.closing:
                scene.moment.bid = scene.moment.ask = scene.close
                scene.moment.ts = scene.row.ts
                self._matcher.close(scene.book, scene.moment, scene.row.ts)
            self._keep_last(scene.book, scene.close, scene.row.ts)
        self._scenes = {}

    def _enter(self, working: Working) -> None:
        scene = self._scenes[working.symbol]
        scene.book.leave(working)
        order = self._orders[working.order_id] = self._order(working)
        if working.trails:
            self.trail(order, scene.open)
        self._pit.put(order)

    def _order(self, working: Working) -> Any:
        return order_for(working, self._owner, self._feeds[working.symbol], self)

    # -- the referee -----------------------------------------------------------------------------------------------

    def may_meet(self, order: Any) -> bool:
        """Keep orders from bars that are over, and resting limits from prices nobody traded beyond."""
        working = order.working
        scene = self._scenes.get(working.symbol)
        if scene is None:
            return False
        limit = working.limit
        if not self._strict or working.phase is not Phase.LIMIT or limit is None or self._takes(order, scene):
            return True
        return bool(scene.low < limit if working.is_buy else scene.high > limit)

    def matched(self, order: Any, price: float) -> None:
        """Settle what Backtrader matches: worse by the slippage where it takes liquidity, else at its own price."""
        working = order.working
        scene = self._scenes[working.symbol]
        paid = scene.price(price, working)
        if working.phase is Phase.STOP:
            self.triggered(order)
        takes = self._takes(order, scene)
        woken = order.woken if working.phase is Phase.LIMIT and len(order.data) == order.first else None
        now = max(woken if takes and woken is not None else scene.time_of(paid, woken), working.since)
        if working.expire_at is not None and now >= working.expire_at:
            return
        limit = working.limit if working.phase is Phase.LIMIT else None
        if takes:
            paid = self._matcher.slipped(scene.book, paid, is_buy=working.is_buy)
        elif limit is not None and not self._improves:
            paid = limit
        if limit is not None:
            first, second = (paid, limit) if takes else (limit, paid)
            paid = min(first, second) if working.is_buy else max(first, second)
        liquidity = Liquidity.TAKER if takes else Liquidity.MAKER
        scene.moment.ts = now
        self._matcher._execute(working, scene.book, scene.moment, paid, liquidity=liquidity, now=now)

    def triggered(self, order: Any) -> None:
        """Report a trigger, once."""
        working = order.working
        trigger = working.trigger
        if working.phase is not Phase.STOP or trigger is None:
            return
        scene = self._scenes[working.symbol]
        price = scene.reached(trigger, is_buy=working.is_buy)
        now = max(scene.time_of(price), working.since)
        if working.expire_at is not None and now >= working.expire_at:
            return
        order.met, order.woken, order.first = price, now, len(order.data)
        if working.kind in _WITH_LIMIT:
            working.phase = Phase.LIMIT
        else:
            working.phase = Phase.MARKET
            order.exectype = KINDS[OrderType.MARKET]  # whatever is left takes the next price, as after every trigger
        self._venue.triggered(working, price, now)

    def trail(self, order: Any, price: Decimal) -> None:
        """Move the trigger away from the best price so far."""
        working = order.working
        if working.phase is not Phase.STOP:
            return
        best = working.extreme
        if best is None or (price < best if working.is_buy else price > best):
            working.extreme = price
        tighten(self.books[working.symbol], working)
        if working.trigger is not None:
            order.created.price = float(working.trigger)
        if working.limit is not None:
            order.created.pricelimit = float(working.limit)

    def _takes(self, order: Any, scene: _Scene) -> bool:
        """Return whether an order trades with what is there as it meets the market; a limit that has to wait makes."""
        working = order.working
        limit = working.limit
        if working.phase is not Phase.LIMIT or limit is None:
            return True
        if len(order.data) != order.first:
            return False
        met = scene.open if order.met is None else order.met
        return bool(met <= limit if working.is_buy else met >= limit)

    # -- the venue's side ------------------------------------------------------------------------------------------

    def book_in(self, working: Working, quantity: Decimal, price: Decimal, fee: Decimal) -> None:
        """Let Backtrader's ledger follow the venue's."""
        order = self._orders.get(working.order_id)
        if order is None:  # an order for the close, which Backtrader has not seen
            order = self._orders[working.order_id] = self._order(working)
        cash = self._ledger.account.cash
        self._pit.book(order, quantity, price, fee=fee, cash=cash, whole=not working.remaining)

    def drop(self, working: Working) -> None:
        """Take an order that has ended out of Backtrader's hands."""
        order = self._orders.pop(working.order_id, None)
        if order is not None:
            self._pit.drop(order)


class BacktraderVenue(SimulatedVenue):
    """The simulated venue's orders and money, with Backtrader's matching."""

    def __init__(
        self, cash: Decimal, config: VenueConfig, instruments: Instruments, plugins: Plugins | None = None
    ) -> None:
        """Open an account with `cash` (currency)."""
        super().__init__(cash, config, instruments, plugins)
        self.market: TapeMarket = TapeMarket(self, config, instruments)

    def place(self, orders: tuple[Order, ...], now: int, native: object) -> None:
        """Take orders that Backtrader knows; refuse the others."""
        for order in orders:
            kind, tif = order.order_type, order.time_in_force
            if kind not in KINDS or tif not in _TIFS or order.post_only:
                what = f"Backtrader takes no {'post-only ' if order.post_only else ''}{kind} orders with {tif}"
                self._refuse_all(orders, order, by_venue(RejectionReason.UNSUPPORTED, what), now)
                return
        super().place(orders, now, native)

    def modify(self, order_id: str, change: OrderChange, now: int, native: object) -> None:  # noqa: ARG002 - the port's signature
        """Refuse: Backtrader's orders cannot be changed."""
        problem = "Backtrader's orders cannot be changed; cancel it and send another"
        self._reports.modify_refused(order_id, now, by_venue(RejectionReason.UNSUPPORTED, problem))

    def executed(
        self, working: Working, quantity: Decimal, price: Decimal, *, fee: Decimal, liquidity: Liquidity, now: int
    ) -> None:
        """Book a match with Backtrader too, then do what follows."""
        self.market.book_in(working, quantity, price, fee)
        super().executed(working, quantity, price, fee=fee, liquidity=liquidity, now=now)

    def _finish(self, working: Working) -> None:
        super()._finish(working)
        self.market.drop(working)


class BacktraderSimulator(ExecutionSimulator):
    """The execution simulator before Backtrader's matching."""

    _venue_type = BacktraderVenue
    venue: BacktraderVenue

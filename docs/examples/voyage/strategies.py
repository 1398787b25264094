"""The strategies of the first voyage. They are there to send orders, not to make money."""

from __future__ import annotations

from collections import deque
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from seatrial import OrderExecution, OrderSide, OrderType, Quote, TimeInForce
from seatrial.engine.strategy import Strategy

if TYPE_CHECKING:
    from seatrial import Bar
    from seatrial.contracts.events import Event
    from seatrial.contracts.market import MarketEvent
    from seatrial.engine.context import Context

MS = 1_000_000
SECOND = 1_000 * MS


class Crossing(Strategy):
    """On bars: hold a symbol while its 20-day mean is above its 100-day mean, behind a trailing stop of 10 per cent."""

    def __init__(self, symbol: str = "IBM") -> None:
        self.symbol = symbol
        self.closes: deque[Decimal] = deque(maxlen=100)
        self.was_above = True  # so that the first entry waits for a cross

    def on_market(self, ctx: Context, event: Bar) -> None:  # type: ignore[override]  # it is run on bars
        """Decide on the close; the order then meets the next open."""
        self.closes.append(event.close)
        if len(self.closes) < 100:
            return
        closes = list(self.closes)
        above = sum(closes[-20:]) / 20 > sum(closes) / 100
        if above and not self.was_above:
            self.enter(ctx, event)
        elif not above and self.was_above:
            self.leave(ctx)
        self.was_above = above

    def enter(self, ctx: Context, bar: Bar) -> None:
        """Buy for nine tenths of the cash; the stop wakes when the entry has filled."""
        if ctx.position(self.symbol) or ctx.orders:
            return
        quantity = ctx.account.cash * 9 // (bar.close * 10)
        entry = ctx.buy(self.symbol, quantity)
        if not entry.is_complete:
            ctx.sell(
                self.symbol, quantity, order_type=OrderType.TRAILING_STOP, trail_percent=10, parent_id=entry.order_id
            )

    def leave(self, ctx: Context) -> None:
        """Take the stop back and sell: the two requests travel in this order and never overtake each other."""
        for order_id in list(ctx.orders):
            ctx.cancel(order_id)
        if ctx.position(self.symbol):
            ctx.sell(self.symbol, ctx.position(self.symbol))

    def save_state(self) -> Any:
        """Return the closes of the last hundred days, and where the means stood."""
        return {"closes": [str(close) for close in self.closes], "was_above": self.was_above}

    def load_state(self, value: Any) -> None:
        """Take them back."""
        self.closes.extend(Decimal(close) for close in value["closes"])
        self.was_above = value["was_above"]


class Chasing(Strategy):
    """On ticks: buy when the price runs up, paying up to two ticks more; bid quietly when it idles.

    A bid is taken back when the market leaves it, or after 2 s. What is bought is sold 1.5 s after it is known.
    Entries depend on the tape alone, so two runs send the same ones, and their tags pair them.
    """

    def __init__(self, symbol: str = "TICK") -> None:
        self.symbol = symbol
        self.recent: deque[tuple[int, Decimal]] = deque()
        self.exits: deque[tuple[int, Decimal]] = deque()
        self.bids: dict[str, int] = {}
        self.count = 0
        self.ready_at = 0

    def on_order(self, ctx: Context, event: Event) -> None:
        """Plan the way out of what is known to be bought."""
        if isinstance(event, OrderExecution) and ctx.order(event.order_id).side is OrderSide.BUY:
            self.exits.append((event.reported_at + SECOND * 3 // 2, event.quantity))

    def on_market(self, ctx: Context, event: MarketEvent) -> None:
        """Look at the last 300 ms, after the venue has seen the quote too."""
        if not isinstance(event, Quote):
            return
        now, recent = event.ts, self.recent
        recent.append((now, event.bid))
        while recent[0][0] < now - 300 * MS:
            recent.popleft()
        self.tend(ctx, event)
        if now < self.ready_at:
            return
        run = event.bid - recent[0][1]
        if run >= Decimal("0.03"):
            self.enter(ctx, "take", event.ask + Decimal("0.02"), time_in_force=TimeInForce.IOC)
        elif run == 0 and len(recent) > 2:
            order_id = self.enter(ctx, "rest", event.bid, post_only=True)
            self.bids[order_id] = now + 2 * SECOND

    def enter(self, ctx: Context, kind: str, price: Decimal, **terms: Any) -> str:
        """Send a limit order to buy 200, and nothing more for a second."""
        self.count += 1
        self.ready_at = ctx.now + SECOND
        tag = f"{kind}-{self.count}"
        return ctx.buy(self.symbol, 200, order_type=OrderType.LIMIT, limit_price=price, tags=(tag,), **terms).order_id

    def tend(self, ctx: Context, quote: Quote) -> None:
        """Take back bids that the market has left or is about to run over, and sell what is due."""
        for order_id, until in list(self.bids.items()):
            order = ctx.order(order_id)
            limit = order.limit_price
            if order.is_complete:
                del self.bids[order_id]
            elif limit is not None and (quote.bid < limit or quote.ts >= until):
                del self.bids[order_id]
                ctx.cancel(order_id)
        while self.exits and self.exits[0][0] <= quote.ts:
            ctx.sell(self.symbol, self.exits.popleft()[1])

    def save_state(self) -> Any:
        """Return what is remembered between two quotes."""
        return {
            "recent": [[ts, str(bid)] for ts, bid in self.recent],
            "exits": [[ts, str(quantity)] for ts, quantity in self.exits],
            "bids": self.bids,
            "count": self.count,
            "ready_at": self.ready_at,
        }

    def load_state(self, value: Any) -> None:
        """Take it back."""
        self.recent.extend((ts, Decimal(bid)) for ts, bid in value["recent"])
        self.exits.extend((ts, Decimal(quantity)) for ts, quantity in value["exits"])
        self.bids = dict(value["bids"])
        self.count, self.ready_at = value["count"], value["ready_at"]

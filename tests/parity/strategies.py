"""Neutral strategies that between them send every kind of order all engines know.

Each acts on the tape alone: when it sends what depends on how many rows it has seen and on the price they showed, not
on what became of its earlier orders. So a difference in one order does not spread to the next.
"""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any

from seatrial.contracts.terms import OrderSide, OrderType
from seatrial.engine.strategy import Strategy

if TYPE_CHECKING:
    from seatrial.contracts.market import MarketEvent
    from seatrial.contracts.orders import Order
    from seatrial.engine.context import Context

__all__ = [
    "Brackets",
    "Flips",
    "Limits",
    "Markets",
    "Modifies",
    "Pairs",
    "Refusals",
    "Scales",
    "StopLimits",
    "Stops",
    "Trails",
]

BUY, SELL = OrderSide.BUY, OrderSide.SELL


class Timed(Strategy):
    """Acts on every `every`-th row, counting its turns; prices are `step` apart, quantities multiples of `unit`."""

    every = 20

    def __init__(self, symbol: str, unit: str, step: str) -> None:
        self.symbol = symbol
        self.unit = Decimal(unit)
        self.step = Decimal(step)
        self.seen = 0

    def on_market(self, ctx: Context, event: MarketEvent) -> None:
        """Count the rows, and act when it is time."""
        self.seen += 1
        turn, rest = divmod(self.seen, self.every)
        mark = ctx.mark(self.symbol)
        if not rest and mark is not None:
            self.act(ctx, turn, mark.price - mark.price % self.step)

    def act(self, ctx: Context, turn: int, price: Decimal) -> None:
        """Take a turn; `price` is what the market shows, rounded down to the grid."""
        raise NotImplementedError

    def limit(self, ctx: Context, side: OrderSide, price: Decimal, quantity: Decimal | None = None) -> Order:
        """Send a limit order."""
        return ctx.submit(self.symbol, side, quantity or self.unit, OrderType.LIMIT, limit_price=price)


class Markets(Timed):
    """Market orders: in, and a few rows later out again."""

    every = 7

    def act(self, ctx: Context, turn: int, price: Decimal) -> None:
        """Buy and sell in turn."""
        ctx.submit(self.symbol, BUY if turn % 2 else SELL, self.unit)


class Limits(Timed):
    """Limit orders on both sides of the market, some of them marketable; what is left of a turn is cancelled."""

    every = 12

    def __init__(self, symbol: str, unit: str, step: str) -> None:
        super().__init__(symbol, unit, step)
        self.mine: list[str] = []

    def act(self, ctx: Context, turn: int, price: Decimal) -> None:
        """Cancel the last pair, and send another, at a distance that changes from turn to turn."""
        for order_id in self.mine:
            if order_id in ctx.orders:
                ctx.cancel(order_id)
        away = self.step * (turn % 4 - 1)
        pair = self.limit(ctx, BUY, price - away), self.limit(ctx, SELL, price + away + self.step)
        self.mine = [order.order_id for order in pair]


class Stops(Timed):
    """Stop orders above and below the market; the second one turns the position round."""

    def act(self, ctx: Context, turn: int, price: Decimal) -> None:
        """Send one each way."""
        away = self.step * (1 + turn % 3)
        for side, trigger in ((BUY, price + away), (SELL, price - away)):
            ctx.submit(self.symbol, side, self.unit, OrderType.STOP, stop_price=trigger)


class StopLimits(Timed):
    """Stop-limit orders: triggered, they may go no further than their limit."""

    def act(self, ctx: Context, turn: int, price: Decimal) -> None:
        """Send one each way, some with a limit on the near side of the trigger."""
        away, room = self.step * (1 + turn % 3), self.step * (turn % 4 - 1)
        for side, trigger, limit in ((BUY, price + away, room), (SELL, price - away, -room)):
            terms = {"stop_price": trigger, "limit_price": trigger + limit}
            ctx.submit(self.symbol, side, self.unit, OrderType.STOP_LIMIT, **terms)


class Trails(Timed):
    """A position, and a stop that trails the market to end it; long and short in turn."""

    every = 30

    def act(self, ctx: Context, turn: int, price: Decimal) -> None:
        """Open, and send the trailing stop with it."""
        side, other = (BUY, SELL) if turn % 2 else (SELL, BUY)
        ctx.submit(self.symbol, side, self.unit)
        amount = self.step * (2 + turn % 3)
        ctx.submit(self.symbol, other, self.unit, OrderType.TRAILING_STOP, trail_amount=amount)


class Brackets(Timed):
    """An entry by market or limit, with a take-profit and a stop-loss of which one cancels the other."""

    every = 25

    def act(self, ctx: Context, turn: int, price: Decimal) -> None:
        """Send one, long and short in turn."""
        side, sign = (BUY, 1) if turn % 2 else (SELL, -1)
        gain, loss = price + sign * 3 * self.step, price - sign * 2 * self.step
        entry: dict[str, Any] = (
            {} if turn % 3 else {"order_type": OrderType.LIMIT, "limit_price": price - sign * self.step}
        )
        ctx.submit_bracket(self.symbol, side, self.unit, take_profit=gain, stop_loss=loss, **entry)


class Pairs(Timed):
    """OCO pairs of a limit below the market and a stop above it, and the reverse."""

    def act(self, ctx: Context, turn: int, price: Decimal) -> None:
        """Send one pair."""
        side, sign = (BUY, 1) if turn % 2 else (SELL, -1)
        away = self.step * (1 + turn % 2)
        group = {"oco_id": f"pair-{turn}"}
        limit, trigger = price - sign * away, price + sign * away
        ctx.submit(self.symbol, side, self.unit, OrderType.LIMIT, limit_price=limit, **group)
        ctx.submit(self.symbol, side, self.unit, OrderType.STOP, stop_price=trigger, **group)


class Modifies(Timed):
    """A limit order far away that is moved to the market, or made larger, before it is cancelled."""

    every = 8

    def __init__(self, symbol: str, unit: str, step: str) -> None:
        super().__init__(symbol, unit, step)
        self.mine = ""

    def act(self, ctx: Context, turn: int, price: Decimal) -> None:
        """Send, enlarge, move and cancel in turn."""
        side, sign = (BUY, 1) if turn // 4 % 2 else (SELL, -1)
        if turn % 4 == 0:
            self.mine = self.limit(ctx, side, price - sign * 20 * self.step).order_id
        elif self.mine in ctx.orders:
            if turn % 4 == 1:
                ctx.modify(self.mine, quantity=2 * self.unit)
            elif turn % 4 == 2:
                ctx.modify(self.mine, limit_price=price - sign * self.step)
            else:
                ctx.cancel(self.mine)


class Scales(Timed):
    """Into a position in three steps, by market and limits, and out of it in two."""

    every = 9

    def act(self, ctx: Context, turn: int, price: Decimal) -> None:
        """Take one step."""
        step = turn % 5
        if step == 1:
            ctx.buy(self.symbol, self.unit)
        elif step in {2, 3}:
            self.limit(ctx, BUY, price + self.step * (step - 2))
        elif step == 4:
            ctx.sell(self.symbol, 2 * self.unit)
        else:
            self.limit(ctx, SELL, price)


class Flips(Timed):
    """From long to short and back, by one order of twice the position."""

    every = 15

    def act(self, ctx: Context, turn: int, price: Decimal) -> None:
        """Open with the first order, turn round with each later one."""
        ctx.submit(self.symbol, BUY if turn % 2 else SELL, self.unit if turn == 1 else 2 * self.unit)


class Refusals(Timed):
    """More than its limit allows, so that rules refuse some; what reduces the position still leaves."""

    every = 10

    def act(self, ctx: Context, turn: int, price: Decimal) -> None:
        """Buy four times, by market and by limits, then sell twice."""
        step = turn % 6
        if step < 2:
            ctx.buy(self.symbol, 2 * self.unit)
        elif step < 4:
            self.limit(ctx, BUY, price, 2 * self.unit)
        else:
            ctx.sell(self.symbol, 3 * self.unit)

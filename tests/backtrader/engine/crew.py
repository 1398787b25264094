"""A strategy that does at random whatever the tape and its orders give occasion for, and tapes for it."""

from __future__ import annotations

import random
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from seatrial.contracts.events import OrderAccepted, OrderExecution
from seatrial.contracts.market import Bar, Trade
from seatrial.contracts.scenario import ExecutionConfig, Scenario, StrategyRef, Tape
from seatrial.contracts.terms import OrderSide, OrderType, TimeInForce
from seatrial.contracts.venue import AccountType, Convention, FeeSchedule, LimitFill, PriceImprovement, VenueConfig
from seatrial.engine.strategy import Strategy

if TYPE_CHECKING:
    from seatrial.contracts.events import Event
    from seatrial.contracts.latency import LatencyConfig
    from seatrial.contracts.market import MarketEvent
    from seatrial.contracts.risk import RiskConfig
    from seatrial.engine.context import Context

__all__ = ["MS", "START", "Ladder", "OneOrder", "Sender", "Wild", "bars", "config", "scenario", "ticks"]

MS = 1_000_000
CENT = Decimal("0.01")
START = 1_700_000_000_000_000_000
SYMBOLS = ("A", "B")
PLAIN = ("market", "limit", "stop")
MORE = (*PLAIN, "stop_limit", "trail", "trail_percent", "trail_limit", "bracket", "oco", "gtd", "reduce", "post_only")


class Wild(Strategy):
    """Sends, cancels and answers at random, from a seed."""

    def __init__(self, seed: int, kinds: list[str]) -> None:
        self.dice = random.Random(seed)
        self.kinds = kinds
        self.groups = 0

    def on_start(self, ctx: Context) -> None:
        """Begin before anything has a price."""
        ctx.buy("A", 5)

    def on_market(self, ctx: Context, event: MarketEvent) -> None:
        """Act on about one row in six."""
        if self.dice.random() < 0.16:
            self.act(ctx, self.dice.choice(SYMBOLS))

    def on_order(self, ctx: Context, event: Event) -> None:
        """Answer to some fills, and take some orders back as soon as they are known to work."""
        if isinstance(event, OrderExecution) and self.dice.random() < 0.3:
            self.act(ctx, ctx.order(event.order_id).symbol)
        elif isinstance(event, OrderAccepted) and self.dice.random() < 0.2:
            ctx.cancel(event.order_id)

    def act(self, ctx: Context, symbol: str) -> None:
        """Do one thing."""
        dice = self.dice
        working = list(ctx.orders)
        if working and dice.random() < 0.25:
            ctx.cancel(dice.choice(working))
            return
        mark = ctx.mark(symbol)
        if mark is None:
            return
        side = dice.choice((OrderSide.BUY, OrderSide.SELL))
        away = CENT * dice.randint(0, 12)
        below, above = mark.price - away, mark.price + away
        good, bad = (below, above) if side is OrderSide.BUY else (above, below)
        quantity = dice.randint(1, 30)
        self.send(ctx, dice.choice(self.kinds), symbol, side, quantity, good=good, bad=bad)

    def send(
        self, ctx: Context, kind: str, symbol: str, side: OrderSide, quantity: int, *, good: Decimal, bad: Decimal
    ) -> None:
        """Send an order of a kind; `good` is a price on the side that suits it, `bad` on the other."""
        if kind == "bracket":
            ctx.submit_bracket(symbol, side, quantity, take_profit=bad + (bad - good), stop_loss=good - (bad - good))
            return
        limit: dict[str, Any] = {"order_type": OrderType.LIMIT, "limit_price": good}
        stop: dict[str, Any] = {"order_type": OrderType.STOP, "stop_price": bad}
        trail: dict[str, Any] = {"order_type": OrderType.TRAILING_STOP}
        expiry = {"time_in_force": TimeInForce.GTD, "expire_at": ctx.now + self.dice.randint(1, 900) * MS}
        group: dict[str, Any] = {}
        if kind == "oco":
            self.groups += 1
            group = {"oco_id": f"group-{self.groups}"}
            ctx.submit(symbol, side, quantity, **limit, **group)
        terms: dict[str, dict[str, Any]] = {
            "market": {},
            "limit": limit,
            "stop": stop,
            "stop_limit": {**stop, "order_type": OrderType.STOP_LIMIT, "limit_price": good},
            "trail": {**trail, "trail_amount": Decimal("0.07")},
            "trail_percent": {**trail, "trail_percent": Decimal("0.05"), "stop_price": bad},
            "trail_limit": {
                "order_type": OrderType.TRAILING_STOP_LIMIT,
                "trail_amount": Decimal("0.05"),
                "limit_offset": Decimal("0.02"),
            },
            "gtd": limit | expiry,
            "reduce": limit | {"reduce_only": True},
            "post_only": limit | {"post_only": True},
            "oco": stop | group,
        }
        ctx.submit(symbol, side, quantity, **terms[kind])


class Sender(Strategy):
    """Sends the orders it is given on the fifth row, one after another, then perhaps wants the first changed."""

    def __init__(self, orders: list[dict[str, Any]], modify: Decimal | None = None) -> None:
        self.orders = orders
        self.modify = modify
        self.seen = 0

    def on_market(self, ctx: Context, event: MarketEvent) -> None:
        """Count the rows."""
        self.seen += 1
        if self.seen == 5:
            sent = [ctx.submit(**terms) for terms in self.orders]
            if self.modify is not None:
                ctx.modify(sent[0].order_id, limit_price=self.modify)


class OneOrder(Strategy):
    """Sends one order, as JSON writes its terms, on the fifth row."""

    def __init__(self, order: dict[str, Any]) -> None:
        kinds = {"side": OrderSide, "order_type": OrderType, "limit_price": Decimal, "stop_price": Decimal}
        self.order = {name: kinds[name](value) if name in kinds else value for name, value in order.items()}
        self.seen = 0

    def on_market(self, ctx: Context, event: MarketEvent) -> None:
        """Count the rows."""
        self.seen += 1
        if self.seen == 5:
            ctx.submit(**self.order)


class Ladder(Strategy):
    """Keeps limits at many prices on both sides of the market."""

    def __init__(self, rungs: int) -> None:
        self.rungs = rungs
        self.seen = 0

    def on_market(self, ctx: Context, event: MarketEvent) -> None:
        """Send them once, around the first price, in no order of their prices."""
        self.seen += 1
        mark = ctx.mark("A")
        if self.seen == 20 and mark is not None:
            for n in range(self.rungs):
                away = CENT * (3 + n * 7 % self.rungs)
                side, price = (OrderSide.SELL, mark.price + away) if n % 2 else (OrderSide.BUY, mark.price - away)
                ctx.submit("A", side, 1, OrderType.LIMIT, limit_price=price)


def ticks(seed: int, count: int = 800) -> tuple[Trade, ...]:
    """Return prints of two symbols: some at one time, some within the microsecond."""
    dice = random.Random(seed)
    prices = {symbol: Decimal(100) for symbol in SYMBOLS}
    now, rows = START, list[Trade]()
    for _ in range(count):
        now += dice.choice((0, 1, 700, 13_000, 3 * MS, 40 * MS, 150 * MS + 1))
        symbol = dice.choice(SYMBOLS)
        prices[symbol] = max(prices[symbol] + CENT * dice.randint(-6, 6), Decimal(50))
        rows.append(Trade(now, symbol, prices[symbol]))
    return tuple(rows)


def bars(seed: int, count: int = 300) -> tuple[Bar, ...]:
    """Return minute bars of two symbols that end together."""
    dice = random.Random(seed)
    closes = {symbol: Decimal(100) for symbol in SYMBOLS}
    rows = list[Bar]()
    for n in range(1, count + 1):
        for symbol in SYMBOLS:
            points = [closes[symbol] + CENT * dice.randint(-9, 9) for _ in range(4)]
            closes[symbol] = points[-1]
            end = START + n * 60_000 * MS
            rows.append(Bar(end, symbol, points[0], max(points), min(points), points[-1], start=end - 60_000 * MS))
    return tuple(rows)


def config(account: AccountType = AccountType.MARGIN, **settings: Any) -> VenueConfig:
    """Return a venue in Backtrader's conventions, with costs."""
    return VenueConfig(
        **{
            "account_type": account,
            "leverage": Decimal(4 if account is AccountType.MARGIN else 1),
            "slippage_bps": Decimal(1),
            "fees": FeeSchedule(per_share=Decimal("0.005"), minimum=Decimal("0.07")),
            "convention": Convention.NEXT,
            "limit_fill": LimitFill.TOUCH,
            "price_improvement": PriceImprovement.ALWAYS,
            **settings,
        }
    )


def scenario(
    seed: int,
    latency: LatencyConfig,
    venue: VenueConfig,
    kinds: tuple[str, ...] = PLAIN,
    *,
    risk: RiskConfig | None = None,
    rows: tuple[MarketEvent, ...] | None = None,
    **settings: Any,
) -> Scenario:
    """Return a run of the wild strategy."""
    return Scenario(
        tape=Tape(rows=ticks(seed) if rows is None else rows),
        strategy=StrategyRef(path=f"{__file__}:Wild", params={"seed": seed, "kinds": list(kinds)}, strategy_id="W"),
        execution=ExecutionConfig(seed=seed, initial_cash=Decimal(20_000), latency=latency, venue=venue, risk=risk),
        **settings,
    )

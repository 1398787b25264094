"""A market to trade on: instruments, and quotes, trades, bars and books that a seed makes."""

from __future__ import annotations

import random
from typing import Any

from nautilus_trader.model.currencies import USD
from nautilus_trader.model.data import (
    Bar,
    BarType,
    BookOrder,
    OrderBookDelta,
    OrderBookDeltas,
    OrderBookDepth10,
    QuoteTick,
    TradeTick,
)
from nautilus_trader.model.enums import AggressorSide, BookAction, OrderSide, RecordFlag
from nautilus_trader.model.identifiers import InstrumentId, Symbol, TradeId, Venue
from nautilus_trader.model.instruments import Equity
from nautilus_trader.model.objects import Price, Quantity
from nautilus_trader.test_kit.providers import TestInstrumentProvider

__all__ = ["BAR_TYPE", "EQUITY", "MS", "PAIR", "SIM", "T0", "bars", "books", "changes", "depths", "quotes", "trades"]

T0 = 1_700_000_000_000_000_000
MS = 1_000_000
SIM = Venue("SIM")
PAIR: Any = TestInstrumentProvider.default_fx_ccy("EUR/USD", SIM)
EQUITY: Any = Equity(
    instrument_id=InstrumentId(Symbol("ACME"), SIM),
    raw_symbol=Symbol("ACME"),
    currency=USD,
    price_precision=2,
    price_increment=Price.from_str("0.01"),
    lot_size=Quantity.from_int(1),
    ts_event=0,
    ts_init=0,
)
BAR_TYPE = BarType.from_str(f"{EQUITY.id}-1-MINUTE-LAST-EXTERNAL")


def _walk(instrument: Any, count: int, seed: int, widest: int = 3) -> list[tuple[Any, Any, Any, Any]]:
    """Return bids, asks and sizes: a random walk in ticks, with a spread of one to `widest`."""
    dice = random.Random(seed)
    tick = instrument.price_increment.as_double()
    level = round((1.1 if instrument is PAIR else 100.0) / tick)
    sizes = (40_000, 100_000, 1_000_000) if instrument is PAIR else (50, 200, 1_000)
    rows: list[tuple[Any, Any, Any, Any]] = []
    for _ in range(count):
        level += dice.randint(-4, 4)
        prices = [instrument.make_price(one * tick) for one in (level, level + dice.randint(1, widest))]
        rows.append((*prices, *[instrument.make_qty(dice.choice(sizes)) for _ in range(2)]))
    return rows


def quotes(instrument: Any, count: int, seed: int, step_ms: int = 10, widest: int = 3) -> list[Any]:
    """Return quotes, one every `step_ms`."""
    rows = _walk(instrument, count, seed, widest)
    return [QuoteTick(instrument.id, *row, T0 + n * step_ms * MS, T0 + n * step_ms * MS) for n, row in enumerate(rows)]


def trades(instrument: Any, count: int, seed: int) -> list[Any]:
    """Return prints on either side of a spread."""
    made: list[Any] = []
    for n, (bid, ask, size, _) in enumerate(_walk(instrument, count, seed)):
        buys = n % 3 == 0
        side = AggressorSide.BUYER if buys else AggressorSide.SELLER
        ts = T0 + n * 10 * MS
        made.append(TradeTick(instrument.id, ask if buys else bid, size, side, TradeId(str(n)), ts, ts))
    return made


def bars(count: int, seed: int) -> list[Any]:
    """Return bars of a minute of the equity."""
    dice = random.Random(seed)
    made: list[Any] = []
    last = 10_000
    for n in range(count):
        path = [last + dice.randint(-20, 20) for _ in range(4)]
        ends = [EQUITY.make_price(one / 100) for one in (path[0], max(path), min(path), path[-1])]
        ts = T0 + (n + 1) * 60_000 * MS
        made.append(Bar(BAR_TYPE, *ends, EQUITY.make_qty(dice.choice((400, 4_000))), ts, ts))
        last = path[-1]
    return made


def books(instrument: Any, count: int, seed: int, widest: int = 3) -> list[Any]:
    """Return books of three levels a side, each made anew."""
    made: list[Any] = []
    tick = instrument.price_increment.as_double()
    for n, (bid, ask, bid_size, ask_size) in enumerate(_walk(instrument, count, seed, widest)):
        ts = T0 + n * 10 * MS
        deltas = [OrderBookDelta.clear(instrument.id, n, ts, ts)]
        for level in range(3):
            for side, price, size in (
                (OrderSide.BUY, bid.as_double() - level * tick, bid_size),
                (OrderSide.SELL, ask.as_double() + level * tick, ask_size),
            ):
                order = BookOrder(
                    side, instrument.make_price(price), size, level + (10 if side == OrderSide.BUY else 20)
                )
                deltas.append(OrderBookDelta(instrument.id, BookAction.ADD, order, 0, n, ts, ts))
        made.append(OrderBookDeltas(instrument.id, deltas))
    return made


def changes(instrument: Any, count: int, seed: int) -> list[Any]:
    """Return what changes in a book of three levels a side, each change a datum; the last of a moment says so."""
    made: list[Any] = []
    held: dict[int, Any] = {}
    for n, row in enumerate(_walk(instrument, count, seed)):
        now = {order.order_id: order for order in _levels(instrument, row, 3)}
        steps = [(BookAction.DELETE, order) for key, order in held.items() if key not in now]
        for key, order in now.items():
            if key not in held or held[key].size != order.size:
                steps.append((BookAction.UPDATE if key in held else BookAction.ADD, order))
        held, ts = now, T0 + n * 10 * MS
        for k, (action, order) in enumerate(steps, start=1):
            flags = RecordFlag.F_LAST.value if k == len(steps) else 0
            made.append(OrderBookDelta(instrument.id, action, order, flags, n, ts, ts))
    return made


def depths(instrument: Any, count: int, seed: int) -> list[Any]:
    """Return books of ten levels a side, whole each time."""
    made: list[Any] = []
    for n, row in enumerate(_walk(instrument, count, seed)):
        orders, ts = _levels(instrument, row, 10), T0 + n * 10 * MS
        sides = (
            [one for one in orders if one.side == OrderSide.BUY],
            [one for one in orders if one.side == OrderSide.SELL],
        )
        made.append(OrderBookDepth10(instrument.id, *sides, [1] * 10, [1] * 10, 0, n, ts, ts))
    return made


def _levels(instrument: Any, row: tuple[Any, Any, Any, Any], depth: int) -> list[Any]:
    """Return the orders of a book, best first, each side's; an order's id follows from its side and price."""
    tick = instrument.price_increment.as_double()
    orders: list[Any] = []
    for side, best, size, sign in ((OrderSide.BUY, row[0], row[2], -1), (OrderSide.SELL, row[1], row[3], 1)):
        for level in range(depth):
            price = instrument.make_price(best.as_double() + sign * level * tick)
            orders.append(BookOrder(side, price, size, round(price.as_double() / tick) * 2 + (sign > 0)))
    return orders

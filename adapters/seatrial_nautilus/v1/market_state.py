"""What a matching engine believes the market to be, as stored, and how a new one is led there.

A matching engine goes by the prices of its core, which follow the book, but not always: trades and fills move them too.
They cannot be set, only moved by market data. The core is reached through the garbage collector, since a matching
engine shows it to nobody.
"""

from __future__ import annotations

import gc
from typing import Any

import msgspec
from nautilus_trader.execution.matching_core import MatchingCore
from nautilus_trader.model.data import BookOrder, OrderBookDelta, QuoteTick, TradeTick
from nautilus_trader.model.enums import AggressorSide, BookAction, BookType, OrderSide
from nautilus_trader.model.identifiers import TradeId
from nautilus_trader.model.objects import Price

from seatrial_nautilus.v1.codec import decode_data, encode_data
from seatrial_nautilus.v1.keeping import Kept

__all__ = ["MarketState", "activate", "forget_prices", "load_market", "save_market"]


class MarketState(msgspec.Struct, frozen=True):
    """A market: the prices a matching engine goes by, and its book.

    `book` holds the orders of a deep book as the deltas that make it, or one quote for a book of one level.
    """

    bid: str | None
    ask: str | None
    last: str | None
    book: tuple[Kept, ...]


def save_market(engine: Any) -> MarketState:
    """Return what a matching engine believes."""
    return MarketState(*_prices(engine), _levels(engine.get_book()))


def load_market(engine: Any, state: MarketState, ts: int) -> None:
    """Make a matching engine without orders, which was shown the latest data, believe what `state` says."""
    if _prices(engine) != (state.bid, state.ask, state.last):
        bid, ask, last = [None if one is None else Price.from_str(one) for one in (state.bid, state.ask, state.last)]
        forget_prices(engine)
        if last is not None:
            _print(engine, last, ts)
        _stand(engine, bid, ask, ts)
    book = engine.get_book()
    if state.book:
        book.reset()
    for one in map(decode_data, state.book):
        if isinstance(one, QuoteTick):
            book.update_quote_tick(one)
        else:
            book.apply_delta(one)


def activate(engine: Any, order: Any, ts: int) -> None:
    """Let a trailing stop trail, whose activation no event tells of: the market goes to where it waits for it."""
    price = order.activation_price
    _print(engine, price, ts)
    engine.accept_order(order)
    _stand(engine, price, price, ts)
    forget_prices(engine)


def forget_prices(engine: Any) -> None:
    """Make a matching engine one without prices and orders."""
    _core(engine).reset()


def _core(engine: Any) -> Any:
    [core] = [one for one in gc.get_referents(engine) if type(one) is MatchingCore]
    return core


def _prices(engine: Any) -> tuple[str | None, str | None, str | None]:
    core = _core(engine)
    bid, ask, last = [None if one is None else str(one) for one in (core.bid, core.ask, core.last)]
    return bid, ask, last


def _print(engine: Any, price: Any, ts: int) -> None:
    """Let a trade happen."""
    engine.get_book().reset()
    no_side = AggressorSide.NO_AGGRESSOR
    engine.process_trade_tick(TradeTick(engine.instrument.id, price, _unit(engine), no_side, TradeId("1"), ts, ts))


def _stand(engine: Any, bid: Any, ask: Any, ts: int) -> None:
    """Let a market stand at `bid` and `ask`; as no data come in, nothing but the prices changes."""
    book, size = engine.get_book(), _unit(engine)
    book.reset()
    if book.book_type != BookType.L1_MBP:
        for side, price, n in ((OrderSide.BUY, bid, 1), (OrderSide.SELL, ask, 2)):
            if price is not None:
                book.add(BookOrder(side, price, size, n), ts)
    elif bid is not None and ask is not None:
        book.update_quote_tick(QuoteTick(engine.instrument.id, bid, ask, size, size, ts, ts))
    engine.iterate(ts)


def _unit(engine: Any) -> Any:
    return engine.instrument.make_qty(engine.instrument.size_increment)


def _levels(book: Any) -> tuple[Kept, ...]:
    """Return a book as the data that make it."""
    if book.book_type == BookType.L1_MBP:
        return tuple([encode_data(one) for one in [book.to_quote_tick()] if one is not None])
    ts = book.ts_last
    deltas: list[Kept] = []
    for side, levels in ((OrderSide.BUY, book.bids()), (OrderSide.SELL, book.asks())):
        for level in levels:
            for one in level.orders():
                order = BookOrder(side, one.price, one.size, one.order_id)
                deltas.append(encode_data(OrderBookDelta(book.instrument_id, BookAction.ADD, order, 0, 0, ts, ts)))
    return tuple(deltas)

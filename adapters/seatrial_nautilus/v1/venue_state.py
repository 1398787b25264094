"""The private venue as stored, and back again.

Markets are shown their latest data once more, and orders that rested are put back without anybody hearing of it. A
matching engine numbers its fills and positions by itself, and starts from one: it is brought to where it was, so that
no number is given twice.
"""

from __future__ import annotations

import random
from typing import TYPE_CHECKING, Any

import msgspec
from nautilus_trader.core.uuid import UUID4
from nautilus_trader.model.data import BookOrder, OrderBookDelta
from nautilus_trader.model.enums import BookAction, BookType, LiquiditySide, OrderSide, OrderType
from nautilus_trader.model.events import OrderSubmitted
from nautilus_trader.model.identifiers import ClientOrderId, InstrumentId, StrategyId, VenueOrderId
from nautilus_trader.model.objects import Quantity
from nautilus_trader.model.orders import MarketOrder

from seatrial.errors import InvalidConfigError
from seatrial_nautilus.v1.codec import decode_data, encode_data
from seatrial_nautilus.v1.keeping import Kept, OrderState, add_order, keep_order, keep_position, position_of

if TYPE_CHECKING:
    from seatrial_nautilus.v1.world import VenueWorld

__all__ = ["VenueState", "load_venue", "save_venue"]

_TRAILING = frozenset({OrderType.TRAILING_STOP_MARKET, OrderType.TRAILING_STOP_LIMIT})
_FORGETFUL = ("liquidity_consumption", "queue_position")
_COUNTER = "SEATRIAL-COUNTER"


class VenueState(msgspec.Struct, frozen=True):
    """A venue: its time, its live orders with those they are linked to, what rests in which order, and its markets.

    `data` is the latest of each kind by instrument, `books` whole books where they have depth. `fills` and `named`
    count fills and positions by instrument, `chance` is Python's random state where the fill model draws from it.
    """

    ts: int
    numbered: int
    orders: tuple[OrderState, ...]
    resting: dict[str, tuple[str, ...]]
    positions: tuple[tuple[Kept, ...], ...]
    data: tuple[Kept, ...]
    books: dict[str, tuple[Kept, ...]]
    fills: dict[str, int]
    named: dict[str, int]
    chance: tuple[int, tuple[int, ...], float | None] | None


def save_venue(world: VenueWorld) -> VenueState:
    """Return everything a venue is made of.

    :raises InvalidConfigError: for a venue that remembers what NautilusTrader shows nobody.
    """
    for setting in _FORGETFUL:
        if world.options.get(setting):
            problem = "what it has used up of a book is in no checkpoint; turn it off to take checkpoints"
            raise InvalidConfigError(setting, True, problem)  # noqa: FBT003 - the value that was set
    world.catch_up()
    cache, exchange = world.cache, world.exchange
    kept = {order.client_order_id: order for order in cache.orders() if not order.is_closed}
    for position in cache.positions_open():
        kept.update({one: cache.order(one) for one in position.client_order_ids if cache.order(one) is not None})
    for order in tuple(kept.values()):
        linked = list(order.linked_order_ids or ())
        if order.parent_order_id is not None:
            linked.append(order.parent_order_id)
        kept.update({one: other for one in linked if (other := cache.order(one)) is not None})
    engines = exchange.get_matching_engines()
    deep = world.options.get("book_type", BookType.L1_MBP) != BookType.L1_MBP
    return VenueState(
        world.clock.timestamp_ns(),
        world.orders_numbered,
        tuple([keep_order(order, cache) for order in kept.values()]),
        {one.value: tuple([o.client_order_id.value for o in e.get_open_orders()]) for one, e in engines.items()},
        tuple([keep_position(position) for position in cache.positions_open()]),
        tuple([encode_data(one) for one in world.latest.values()]),
        {one.value: _book(exchange.get_book(one), world.clock.timestamp_ns()) for one in engines} if deep else {},
        {one.value: count for one, count in world.fills.items()},
        {one.value: count for one, count in world.positions_named.items()},
        _chance(world.options.get("fill_model")),
    )


def load_venue(world: VenueWorld, state: VenueState) -> None:
    """Make a new venue, whose instruments are there already, what `state` says."""
    world.muted = True
    try:
        world.set_time(state.ts)
        world.orders_numbered = state.numbered
        for symbol in sorted({*state.fills, *state.named}):
            instrument_id = InstrumentId.from_str(symbol)
            _count_up(world, instrument_id, state.fills.get(symbol, 0), state.named.get(symbol, 0))
        for one in state.data:
            world.feed(decode_data(one))
        world.catch_up()
        for delta in [one for deltas in state.books.values() for one in deltas]:
            world.exchange.process_order_book_delta(decode_data(delta))
        for kept in state.orders:
            _know(world, kept)
        for fills in state.positions:
            world.cache.add_position(position_of(fills, world.cache), world.options["oms_type"])
        for symbol, order_ids in state.resting.items():
            engine = world.exchange.get_matching_engine(InstrumentId.from_str(symbol))
            for order_id in order_ids:
                _rest(engine, world.cache.order(ClientOrderId(order_id)), world.account_id)
    finally:
        world.muted = False
    if state.chance is not None:
        random.setstate(state.chance)


def _know(world: VenueWorld, kept: OrderState) -> None:
    """Put an order into the venue's cache; one that nothing was said of yet has no number of the venue's."""
    order = add_order(kept, world.cache, world.client_id)
    if order.venue_order_id is None:
        number = VenueOrderId(f"{world.venue}-{order.client_order_id}")
        world.cache.add_venue_order_id(order.client_order_id, number)


def _rest(engine: Any, order: Any, account_id: Any) -> None:
    """Put an order back that rested; a trailing stop is activated on the way, at the price it follows."""
    if order.order_type in _TRAILING:
        engine.process_order(order, account_id)
    if not engine.order_exists(order.client_order_id):
        engine.accept_order(order)


def _count_up(world: VenueWorld, instrument_id: Any, fills: int, named: int) -> None:
    """Let a matching engine go on numbering where another one stopped."""
    world.fills[instrument_id], world.positions_named[instrument_id] = fills, named
    engine = world.exchange.get_matching_engine(instrument_id)
    instrument = world.cache.instrument(instrument_id)
    unit = instrument.make_qty(instrument.size_increment)
    counter = _counter(world, instrument, Quantity(max(fills, 1) * unit.as_decimal(), instrument.size_precision))
    for _ in range(named):
        engine.fill_market_order(counter)  # there is no market yet, so nothing but the number comes of it
    price = instrument.make_price(1)
    for _ in range(fills):
        engine.fill_order(counter, price, unit, LiquiditySide.TAKER)


def _counter(world: VenueWorld, instrument: Any, quantity: Any) -> Any:
    """Return an order that nobody sent."""
    now = world.clock.timestamp_ns()
    strategy_id = StrategyId("SEATRIAL-COUNTER")
    order = MarketOrder(
        world.bus.trader_id,
        strategy_id,
        instrument.id,
        ClientOrderId(f"{_COUNTER}-{instrument.id}"),
        OrderSide.BUY,
        quantity,
        UUID4(),
        now,
    )
    order.apply(
        OrderSubmitted(
            world.bus.trader_id, strategy_id, instrument.id, order.client_order_id, world.account_id, UUID4(), now, now
        )
    )
    return order


def _book(book: Any, ts: int) -> tuple[Kept, ...]:
    """Return a book as the deltas that make it."""
    if book is None:
        return ()
    deltas: list[Kept] = []
    for side, levels in ((OrderSide.BUY, book.bids()), (OrderSide.SELL, book.asks())):
        for level in levels:
            for one in level.orders():
                order = BookOrder(side, one.price, one.size, one.order_id)
                deltas.append(encode_data(OrderBookDelta(book.instrument_id, BookAction.ADD, order, 0, 0, ts, ts)))
    return tuple(deltas)


def _chance(model: Any) -> tuple[int, tuple[int, ...], float | None] | None:
    """Return Python's random state where a fill model draws from it."""
    draws = [getattr(model, name, 0) for name in ("prob_fill_on_limit", "prob_slippage")]
    return random.getstate() if any(0 < probability < 1 for probability in draws) else None

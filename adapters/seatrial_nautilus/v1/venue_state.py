"""The private venue as stored, and back again.

Markets are shown their latest data once more, and orders that rested are put back, in their places, without anybody
hearing of it. A matching engine numbers trades and positions by itself, and starts from one: it is brought to where it
was, so that each gets the number it would have got.
"""

from __future__ import annotations

import random
from typing import TYPE_CHECKING, Any

import msgspec
from nautilus_trader.core.uuid import UUID4
from nautilus_trader.model.data import Bar
from nautilus_trader.model.enums import LiquiditySide, OmsType, OrderSide
from nautilus_trader.model.events import OrderSubmitted
from nautilus_trader.model.identifiers import ClientOrderId, InstrumentId, StrategyId
from nautilus_trader.model.objects import Quantity
from nautilus_trader.model.orders import MarketOrder

from seatrial.errors import InvalidConfigError
from seatrial_nautilus.v1.codec import decode_data, encode_data
from seatrial_nautilus.v1.copying import linked_to
from seatrial_nautilus.v1.keeping import Kept, OrderState, add_order, keep_order, keep_position, position_of
from seatrial_nautilus.v1.market_state import MarketState, activate, load_market, save_market
from seatrial_nautilus.v1.position_numbers import count_positions, take_numbers

if TYPE_CHECKING:
    from collections.abc import Iterable

    from seatrial_nautilus.v1.world import VenueWorld

__all__ = ["VenueState", "load_venue", "save_venue"]

_FORGETFUL = ("liquidity_consumption", "queue_position")
_COUNTER = "SEATRIAL-COUNTER"


class VenueState(msgspec.Struct, frozen=True):
    """A venue: its time, its live orders with those they are linked to, what rests in which order, and its markets.

    `data` is the latest of each kind by instrument, the latest of all last.
    `trades` and `named` count trades and positions by instrument, `chance` is Python's random state where the fill
    model draws from it; `virtual` counts positions by strategy, where they get no ids.
    """

    ts: int
    numbered: int
    orders: tuple[OrderState, ...]
    resting: dict[str, tuple[str, ...]]
    positions: tuple[tuple[Kept, ...], ...]
    data: tuple[Kept, ...]
    markets: dict[str, MarketState]
    trades: dict[str, int]
    named: dict[str, int]
    chance: tuple[int, tuple[int, ...], float | None] | None
    virtual: dict[str, int] = {}


def save_venue(world: VenueWorld) -> VenueState:
    """Return everything a venue is made of.

    :raises InvalidConfigError: for a venue that remembers what NautilusTrader shows nobody.
    """
    for setting in _FORGETFUL:
        if world.options.get(setting):
            problem = "what it has used up of a book is in no checkpoint; turn it off to take checkpoints"
            raise InvalidConfigError(setting, True, problem)  # noqa: FBT003 - the value that was set
    world.catch_up()
    cache = world.cache
    cache.counting = False
    engines = {one.value: engine for one, engine in world.exchange.get_matching_engines().items()}
    positions = _needed_positions(world)
    state = VenueState(
        world.clock.timestamp_ns(),
        world.orders_numbered,
        tuple([keep_order(order, cache) for order in _needed_orders(cache, positions)]),
        {symbol: tuple([one.client_order_id.value for one in e.get_open_orders()]) for symbol, e in engines.items()},
        tuple([keep_position(position) for position in positions]),
        tuple([encode_data(one) for one in world.latest.values()]),
        {symbol: save_market(engine) for symbol, engine in engines.items()},
        {one.value: count for one, count in world.trade_numbers.count.items()},
        {one.value: count for one, count in cache.positions_named.items()},
        _chance(world.options.get("fill_model")),
        count_positions(world.engine, cache),
    )
    cache.counting = world.names_positions
    return state


def _needed_orders(cache: Any, positions: Iterable[Any]) -> list[Any]:
    """Return the orders that have not ended, those of `positions`, and those they are linked to."""
    kept = {order.client_order_id: order for order in cache.orders() if not order.is_closed}
    for position in positions:
        kept.update({one: cache.order(one) for one in position.client_order_ids if cache.order(one) is not None})
    for order in tuple(kept.values()):
        kept.update({one: other for one in linked_to(order) if (other := cache.order(one)) is not None})
    return list(kept.values())


def _needed_positions(world: VenueWorld) -> list[Any]:
    """Return what may be asked for: open positions, those of live orders, and where they are netted all."""
    cache = world.cache
    if world.options["oms_type"] == OmsType.NETTING:
        positions: list[Any] = cache.positions()
        return positions
    held = [cache.position_for_order(one.client_order_id) for one in cache.orders() if not one.is_closed]
    found = {one.id.value: one for one in (*cache.positions_open(), *held) if one is not None}
    return [found[one] for one in sorted(found)]


def load_venue(world: VenueWorld, state: VenueState) -> None:
    """Make a new venue, whose instruments are there already, what `state` says."""
    world.muted, world.cache.counting = True, False
    try:
        world.set_time(state.ts)
        world.orders_numbered = state.numbered
        take_numbers(world.engine, state.virtual)
        for kept in state.orders:
            add_order(kept, world.cache, world.client_id)
        for fills in state.positions:
            position = position_of(fills, world.cache)
            world.cache.add_position(position, world.options["oms_type"])
            world.cache.update_position(position)
        for symbol in state.markets:
            _load_engine(world, world.exchange.get_matching_engine(InstrumentId.from_str(symbol)), state)
        world.set_time(state.ts)
    finally:
        world.muted, world.cache.counting = False, world.names_positions
    if state.chance is not None:
        random.setstate(state.chance)


def _load_engine(world: VenueWorld, engine: Any, state: VenueState) -> None:
    """Bring a matching engine to where another one stopped."""
    instrument_id = engine.instrument.id
    symbol = instrument_id.value
    orders = [world.cache.order(ClientOrderId(order_id)) for order_id in state.resting[symbol]]
    activated = {kept.events[0]["client_order_id"] for kept in state.orders if kept.activated is not None}
    _name_positions(world, engine, state.named.get(symbol, 0))
    for order in orders:
        if order.client_order_id.value in activated:
            activate(engine, order, state.ts)
    data = [decode_data(one) for one in state.data]
    data = [one for one in data if (one.bar_type if isinstance(one, Bar) else one).instrument_id == instrument_id]
    for one in data:
        world.feed(one)
    world.catch_up()
    load_market(engine, state.markets[symbol], data[-1].ts_event if data else 0)
    for order in orders:
        engine.accept_order(order)
    for resting in (engine.get_open_bid_orders(), engine.get_open_ask_orders()):
        places = {order.client_order_id: n for n, order in enumerate(orders)}
        resting.sort(key=lambda order: places[order.client_order_id])
    _number_trades(world, engine, state.trades.get(symbol, 0))


def _name_positions(world: VenueWorld, engine: Any, count: int) -> None:
    """Let a matching engine that has no market take numbers for positions, of which nothing else comes."""
    world.cache.positions_named[engine.instrument.id] = count
    counter = _counter(world, engine.instrument, _COUNTER, 1)
    for _ in range(count):
        engine.fill_market_order(counter)


def _number_trades(world: VenueWorld, engine: Any, count: int) -> None:
    """Let a matching engine number trades, and know on the way how much of each order is filled."""
    numbers, instrument = world.trade_numbers.count, engine.instrument
    price, unit = instrument.make_price(1), instrument.make_qty(instrument.size_increment)
    filled = [one for one in engine.get_open_orders() if one.filled_qty > 0]
    for order in filled:
        part = _counter(world, instrument, order.client_order_id.value, order.quantity / unit)
        engine.fill_order(part, price, order.filled_qty, LiquiditySide.TAKER)
    missing = count - numbers.get(instrument.id, 0) - len(filled)
    counter = _counter(world, instrument, _COUNTER, max(missing, 1))
    for _ in range(missing):
        engine.fill_order(counter, price, unit, LiquiditySide.TAKER)
    numbers[instrument.id] = count


def _counter(world: VenueWorld, instrument: Any, name: str, units: int) -> Any:
    """Return an order of so many units that nobody sent."""
    now = world.clock.timestamp_ns()
    quantity = Quantity(units * instrument.size_increment.as_decimal(), instrument.size_precision)
    strategy_id = StrategyId("SEATRIAL-COUNTER")
    order = MarketOrder(
        world.bus.trader_id,
        strategy_id,
        instrument.id,
        ClientOrderId(name),
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


def _chance(model: Any) -> tuple[int, tuple[int, ...], float | None] | None:
    """Return Python's random state where a fill model draws from it."""
    draws = [getattr(model, name, 0) for name in ("prob_fill_on_limit", "prob_slippage")]
    return random.getstate() if any(0 < probability < 1 for probability in draws) else None

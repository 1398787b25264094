"""Orders, positions and accounts of NautilusTrader as JSON values, and back: each is the list of its own events."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec
from nautilus_trader.model.events import AccountState
from nautilus_trader.model.identifiers import PositionId, VenueOrderId
from nautilus_trader.model.position import Position

from seatrial_nautilus.v1.codec import decode_event, encode_event
from seatrial_nautilus.v1.copying import events_of, order_from
from seatrial_nautilus.v1.position_numbers import count_positions, take_numbers

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = [
    "Kept",
    "OrderState",
    "TraderState",
    "add_order",
    "keep_order",
    "keep_position",
    "keep_trader",
    "order_of",
    "position_of",
    "seed_trader",
]

Kept = dict[str, Any]
"""An event as a JSON value."""


class OrderState(msgspec.Struct, frozen=True, omit_defaults=True):
    """An order: its events, the position that a cache knows for it, and what a venue did to it without an event.

    `activated` is the price at which a trailing stop began to trail; `number` is the venue's, where no event has told
    it yet.
    """

    events: tuple[Kept, ...]
    position: str | None = None
    activated: str | None = None
    number: str | None = None


class TraderState(msgspec.Struct, frozen=True):
    """What a trader was told of one venue; `snapshots` are positions that were closed and opened again.

    `virtual` counts, by strategy, the positions that the trader has named by itself.
    """

    orders: tuple[OrderState, ...]
    positions: tuple[tuple[Kept, ...], ...]
    snapshots: tuple[tuple[Kept, ...], ...]
    account: Kept | None
    virtual: dict[str, int] = {}


def keep_order(order: Any, cache: Any) -> OrderState:
    """Return an order with what `cache` knows of it."""
    position = cache.position_id(order.client_order_id)
    number = None if order.venue_order_id is not None else cache.venue_order_id(order.client_order_id)
    return OrderState(
        tuple(map(encode_event, events_of(order))),
        None if position is None else position.value,
        str(order.activation_price) if getattr(order, "is_activated", False) else None,
        None if number is None else number.value,
    )


def keep_position(position: Any) -> tuple[Kept, ...]:
    """Return the fills that a position is made of."""
    return tuple(map(encode_event, position.events))


def order_of(state: OrderState) -> Any:
    """Return the order whose events these are."""
    events = list(map(decode_event, state.events))
    if state.activated is not None:
        events[0].options["activation_price"] = state.activated
    return order_from(events)


def position_of(fills: Iterable[Kept], cache: Any) -> Any:
    """Return the position that these fills come to."""
    first, *others = map(decode_event, fills)
    position = Position(cache.instrument(first.instrument_id), first)
    for fill in others:
        position.apply(fill)
    return position


def add_order(state: OrderState, cache: Any, client_id: Any) -> Any:
    """Put an order into `cache`, with everything the cache knows of it."""
    order = order_of(state)
    cache.add_order(order, None if state.position is None else PositionId(state.position), client_id)
    number = order.venue_order_id if state.number is None else VenueOrderId(state.number)
    if number is not None:
        cache.add_venue_order_id(order.client_order_id, number)
    cache.update_order(order)
    return order


def keep_trader(cache: Any, venue: Any, client: Any) -> TraderState:
    """Return what a trader's cache holds of one venue, and its `client` there."""
    account, engine = client.get_account(), client.execution_engine
    snapshots = [one for one in cache.position_snapshots() if one.instrument_id.venue == venue]
    return TraderState(
        tuple([keep_order(order, cache) for order in cache.orders(venue)]),
        tuple(map(keep_position, cache.positions(venue))),
        tuple(map(keep_position, snapshots)),
        None if account is None else AccountState.to_dict(account.last_event),
        {} if engine is None else count_positions(engine, cache),
    )


def seed_trader(state: TraderState, cache: Any, client: Any) -> None:
    """Put everything back into an empty cache, before the trader starts."""
    for kept in state.orders:
        add_order(kept, cache, client.id)
    for fills in state.snapshots:
        cache.snapshot_position(position_of(fills, cache))
    for fills in state.positions:
        position = position_of(fills, cache)
        cache.add_position(position, client.oms_type)
        cache.update_position(position)
    if client.execution_engine is not None:
        take_numbers(client.execution_engine, state.virtual)
    if state.account is not None:
        told = AccountState.from_dict(state.account)
        client.generate_account_state(told.balances, told.margins, True, told.ts_event)  # noqa: FBT003 - the engine's

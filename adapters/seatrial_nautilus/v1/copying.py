"""A trader's order as the venue gets it: an order of the venue's own, on the terms it has when it leaves.

Those are not always the terms it was made on. An emulated order is released as another type, an execution algorithm
takes from an order what it has spawned, and the execution engine turns quantities in quote currency into units.
"""

from __future__ import annotations

from itertools import takewhile
from typing import Any

from nautilus_trader.core.uuid import UUID4
from nautilus_trader.model.enums import OrderStatus, OrderType
from nautilus_trader.model.events import OrderInitialized, OrderReleased, OrderUpdated
from nautilus_trader.model.objects import Price, Quantity
from nautilus_trader.model.orders import LimitOrder, MarketOrder, OrderUnpacker

__all__ = ["copy_of", "events_of", "keep_quantity", "linked_to", "order_from"]

_CHANGES = (OrderInitialized, OrderUpdated)
_RELEASES = (OrderInitialized, OrderReleased)


def copy_of(order: Any) -> Any:
    """Return an order that shares nothing with `order`, and was made on the terms that it has now."""
    made, *later = order.events
    changes = [one for one in later if isinstance(one, _CHANGES)]
    if changes or made.quote_quantity is not order.is_quote_quantity:
        made = _as_it_stands(next((one for one in reversed(changes) if type(one) is OrderInitialized), made), order)
    return OrderUnpacker.from_init(made)


def keep_quantity(order: Any) -> None:
    """Let an order that is about to leave have a quantity of its own.

    NautilusTrader may have put its entry's count of fills there, which goes on growing in 1.221.
    """
    if order.event_count > 1 and any(type(one) is OrderUpdated for one in order.events):
        order.apply(
            OrderUpdated(
                order.trader_id,
                order.strategy_id,
                order.instrument_id,
                order.client_order_id,
                None,
                None,
                Quantity(order.quantity.as_decimal(), order.quantity.precision),
                None,
                None,
                UUID4(),
                order.ts_last,
                order.ts_last,
            )
        )


def linked_to(order: Any) -> list[Any]:
    """Return the ids of the orders that a venue may ask for because of `order`: its group's, and what it came from."""
    sources = (order.parent_order_id, order.exec_spawn_id)
    return [*(order.linked_order_ids or ()), *[one for one in sources if one is not None]]


def events_of(order: Any) -> list[Any]:
    """Return the events that make `order`, for :func:`order_from`.

    No event tells of a quantity turned into units. An order that was released and has not left yet waits again, since
    nobody would send it.
    """
    made, *later = order.events
    if order.status == OrderStatus.RELEASED and order.exec_algorithm_id is None:
        later = list(takewhile(lambda one: not isinstance(one, _RELEASES), later))
    if made.quote_quantity and not order.is_quote_quantity:
        made = _changed(made, quantity=str(order.quantity), quote_quantity=False)
    return [made, *later]


def order_from(events: list[Any]) -> Any:
    """Return the order that `events` make; one that was released as another type begins anew within them."""
    made, *later = events
    order = OrderUnpacker.from_init(made)
    for event in later:
        if type(event) is not OrderInitialized:
            order.apply(event)
        elif event.order_type == OrderType.MARKET:
            order = MarketOrder.transform_py(order, event.ts_init)
        else:
            order = LimitOrder.transform_py(order, event.ts_init, Price.from_str(event.options["price"]))
    return order


def _as_it_stands(made: Any, order: Any) -> Any:
    options = dict(made.options)
    if order.has_price:
        options["price"] = str(order.price)
    if order.has_trigger_price:
        options["trigger_price"] = str(order.trigger_price)
    return _changed(
        made,
        quantity=str(order.quantity),
        quote_quantity=order.is_quote_quantity,
        options=options,
        ts_init=order.ts_init,
    )


def _changed(made: Any, **terms: Any) -> Any:
    return OrderInitialized.from_dict({**OrderInitialized.to_dict(made), **terms})

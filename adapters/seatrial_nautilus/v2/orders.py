"""What NautilusTrader 2.0 asks for, as the gate's order.

The venue behind the gate is seatrial's own, so an order that it has no words for is refused rather than changed.

:raises InvalidOrderError: for such an order.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from nautilus_trader.model import ContingencyType, TrailingOffsetType

from seatrial.contracts.events import OrderChange
from seatrial.contracts.orders import Order
from seatrial.contracts.terms import OrderType, TimeInForce
from seatrial.errors import InvalidOrderError
from seatrial_nautilus.v2.words import CORE_SIDES, CORE_TIMES, CORE_TYPES

__all__ = ["core_change", "core_order"]

_GROUPED = frozenset({ContingencyType.OCO, ContingencyType.OUO})
_BASIS_POINTS = Decimal(100)
_TRAILING = frozenset({OrderType.TRAILING_STOP, OrderType.TRAILING_STOP_LIMIT})


def core_order(init: Any, now: int) -> Order:
    """Return an order that was initialized by `init` as the gate's, sent at `now`."""
    kind = CORE_TYPES.get(init.order_type)
    order_id = str(init.client_order_id)
    for given, problem in (
        (kind is None, f"seatrial's venue takes no {init.order_type.name} orders"),
        (init.quote_quantity, "its quantity is in the quote currency; give units of the instrument"),
        (init.display_qty is not None, "it hides a part of its quantity, and seatrial's venue shows all; leave it out"),
        (init.activation_price is not None, "it waits for an activation price; send it when that is met"),
    ):
        if given:
            raise InvalidOrderError(order_id, "order_type", problem)
    linked = [str(one) for one in init.linked_order_ids or ()]
    grouped = linked and init.contingency_type in _GROUPED
    return Order(
        order_id=order_id,
        symbol=str(init.instrument_id),
        side=CORE_SIDES[init.order_side],
        order_type=CORE_TYPES[init.order_type],
        quantity=init.quantity.as_decimal(),
        created_at=now,
        time_in_force=CORE_TIMES[init.time_in_force],
        expire_at=init.expire_time if CORE_TIMES[init.time_in_force] is TimeInForce.GTD else None,
        parent_id=None if init.parent_order_id is None else str(init.parent_order_id),
        oco_id=f"{min(order_id, *linked)}.group" if grouped else None,
        reduce_only=init.reduce_only,
        post_only=init.post_only,
        strategy_id=str(init.strategy_id),
        **_priced(init, CORE_TYPES[init.order_type]),
    )


def core_change(command: Any) -> OrderChange:
    """Return what a modify changes."""
    return OrderChange(
        quantity=_decimal(command.quantity),
        limit_price=_decimal(command.price),
        stop_price=_decimal(command.trigger_price),
    )


def _decimal(value: Any) -> Decimal | None:
    return None if value is None else value.as_decimal()


def _priced(init: Any, kind: OrderType) -> dict[str, Any]:
    prices: dict[str, Any] = {"limit_price": _decimal(init.price), "stop_price": _decimal(init.trigger_price)}
    if kind not in _TRAILING:
        return prices
    if init.trailing_offset_type == TrailingOffsetType.PRICE:
        prices["trail_amount"] = init.trailing_offset
    elif init.trailing_offset_type == TrailingOffsetType.BASIS_POINTS and kind is OrderType.TRAILING_STOP:
        prices["trail_percent"] = init.trailing_offset / _BASIS_POINTS
    else:
        offset = "none" if init.trailing_offset_type is None else init.trailing_offset_type.name
        problem = f"seatrial's venue trails a {kind} order by no {offset}; use PRICE"
        raise InvalidOrderError(str(init.client_order_id), "trail_amount", problem)
    if kind is OrderType.TRAILING_STOP_LIMIT and None in {prices["limit_price"], prices["stop_price"]}:
        prices["limit_price"] = None
        prices["limit_offset"] = init.limit_offset
    elif (
        kind is OrderType.TRAILING_STOP_LIMIT and abs(prices["limit_price"] - prices["stop_price"]) != init.limit_offset
    ):
        problem = f"price and trigger_price are not limit_offset {init.limit_offset} apart; leave one of them out"
        raise InvalidOrderError(str(init.client_order_id), "limit_offset", problem)
    return prices

"""A NautilusTrader order as the gate's own: what rules, records and checkpoints read of it.

The gate's order says no more than it can say exactly. What it has no word for (an offset in ticks of a book, a price
below zero, a market order whose first fill sets a limit, a trailing stop that waits for an activation price) makes the
order one of type NATIVE: named, valued at the mark, never presumed reducing. At the venue it is always NautilusTrader's
own order that works.
"""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any

from nautilus_trader.model.enums import (
    ContingencyType,
    OrderSide,
    OrderType,
    TimeInForce,
    TrailingOffsetType,
    order_type_to_str,
)

from seatrial.contracts.orders import Order
from seatrial.contracts.terms import OrderSide as CoreSide
from seatrial.contracts.terms import OrderType as CoreType
from seatrial.contracts.terms import TimeInForce as CoreTime
from seatrial.errors import InvalidOrderError

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["core_order"]

_TYPES: dict[Any, CoreType] = {
    OrderType.MARKET: CoreType.MARKET,
    OrderType.LIMIT: CoreType.LIMIT,
    OrderType.STOP_MARKET: CoreType.STOP,
    OrderType.STOP_LIMIT: CoreType.STOP_LIMIT,
    OrderType.MARKET_IF_TOUCHED: CoreType.MARKET_IF_TOUCHED,
    OrderType.LIMIT_IF_TOUCHED: CoreType.LIMIT_IF_TOUCHED,
    OrderType.TRAILING_STOP_MARKET: CoreType.TRAILING_STOP,
    OrderType.TRAILING_STOP_LIMIT: CoreType.TRAILING_STOP_LIMIT,
}
_TIMES: dict[Any, CoreTime] = {
    TimeInForce.GTC: CoreTime.GTC,
    TimeInForce.DAY: CoreTime.DAY,
    TimeInForce.GTD: CoreTime.GTD,
    TimeInForce.IOC: CoreTime.IOC,
    TimeInForce.FOK: CoreTime.FOK,
    TimeInForce.AT_THE_OPEN: CoreTime.AT_OPEN,
    TimeInForce.AT_THE_CLOSE: CoreTime.AT_CLOSE,
}
_GROUPED = frozenset({ContingencyType.OCO, ContingencyType.OUO})
_BASIS_POINTS = Decimal(100)


def core_order(order: Any, now: int, name_of: Callable[[str], str], symbol_of: Callable[[Any], str]) -> Order:
    """Return a trader's order, which has not been sent yet, as the gate's.

    `name_of` names its strategy there, `symbol_of` its instrument.
    """
    terms = _common(order, now, name_of, symbol_of)
    kind = _TYPES.get(order.order_type)
    try:
        if kind is None or order.is_quote_quantity:
            raise _NoWordFor  # noqa: TRY301 - what follows is the one place for it
        return Order(order_type=kind, **terms, **_priced(order, kind))
    except (InvalidOrderError, _NoWordFor):
        terms.pop("post_only")
        if terms["time_in_force"] is CoreTime.GTD and terms.get("expire_at") is None:
            terms["time_in_force"] = CoreTime.GTC
        return Order(order_type=CoreType.NATIVE, native_type=order_type_to_str(order.order_type), **terms)


class _NoWordFor(Exception):
    """Something the gate's order cannot say."""


def _common(order: Any, now: int, name_of: Callable[[str], str], symbol_of: Callable[[Any], str]) -> dict[str, Any]:
    linked = [one.value for one in order.linked_order_ids or ()]
    grouped = order.contingency_type in _GROUPED and linked
    expires = order.expire_time_ns if order.time_in_force == TimeInForce.GTD else 0
    return {
        "order_id": order.client_order_id.value,
        "symbol": symbol_of(order.instrument_id),
        "side": CoreSide.BUY if order.side == OrderSide.BUY else CoreSide.SELL,
        "quantity": order.quantity.as_decimal(),
        "created_at": now,
        "time_in_force": _TIMES[order.time_in_force],
        "expire_at": expires or None,
        "parent_id": None if order.parent_order_id is None else order.parent_order_id.value,
        "oco_id": f"{min(order.client_order_id.value, *linked)}.group" if grouped else None,
        "reduce_only": order.is_reduce_only,
        "post_only": order.is_post_only,
        "strategy_id": name_of(order.strategy_id.value),
    }


def _priced(order: Any, kind: CoreType) -> dict[str, Any]:
    prices: dict[str, Any] = {}
    if order.has_price:
        prices["limit_price"] = order.price.as_decimal()
    if order.has_trigger_price:
        prices["stop_price"] = order.trigger_price.as_decimal()
    if kind is CoreType.TRAILING_STOP or kind is CoreType.TRAILING_STOP_LIMIT:
        _trail(order, kind, prices)
    return prices


def _trail(order: Any, kind: CoreType, prices: dict[str, Any]) -> None:
    if order.activation_price is not None:
        raise _NoWordFor
    if order.trailing_offset_type == TrailingOffsetType.PRICE:
        prices["trail_amount"] = order.trailing_offset
    elif order.trailing_offset_type == TrailingOffsetType.BASIS_POINTS and kind is CoreType.TRAILING_STOP:
        prices["trail_percent"] = order.trailing_offset / _BASIS_POINTS
    else:
        raise _NoWordFor
    if kind is CoreType.TRAILING_STOP_LIMIT and not ("limit_price" in prices and "stop_price" in prices):
        prices.pop("limit_price", None)
        prices["limit_offset"] = order.limit_offset

"""What makes an order's own fields consistent; run once, when a new order is built."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

from msgspec.structs import force_setattr

from seatrial.contracts.terms import OrderSide, OrderStatus, OrderType, TimeInForce
from seatrial.errors import InvalidOrderError

if TYPE_CHECKING:
    from seatrial.contracts.orders import Order

__all__ = ["check_order", "exact"]

_PRICES = ("limit_price", "stop_price", "trail_amount", "trail_percent", "limit_offset")
_TRAIL = ("trail_amount", "trail_percent")
_NEEDS: dict[OrderType, tuple[str, ...]] = {
    OrderType.LIMIT: ("limit_price",),
    OrderType.STOP: ("stop_price",),
    OrderType.STOP_LIMIT: ("limit_price", "stop_price"),
    OrderType.MARKET_IF_TOUCHED: ("stop_price",),
    OrderType.LIMIT_IF_TOUCHED: ("limit_price", "stop_price"),
}
_TAKES: dict[OrderType, tuple[str, ...]] = {
    **_NEEDS,
    OrderType.TRAILING_STOP: ("stop_price", *_TRAIL),
    OrderType.TRAILING_STOP_LIMIT: _PRICES,
    OrderType.NATIVE: _PRICES,
}
_LIMITED = frozenset(
    {OrderType.LIMIT, OrderType.STOP_LIMIT, OrderType.LIMIT_IF_TOUCHED, OrderType.TRAILING_STOP_LIMIT, OrderType.NATIVE}
)
_AT_ONCE = frozenset({TimeInForce.IOC, TimeInForce.FOK})
_NEVER_AT_ONCE = frozenset({OrderType.MARKET_ON_CLOSE, OrderType.TRAILING_STOP, OrderType.TRAILING_STOP_LIMIT})
_HUNDRED = Decimal(100)


def exact(order: Order, field: str) -> Decimal:
    """Return a field as Decimal: an int is exact already, a float never is.

    :raises InvalidOrderError: for anything but a Decimal or an int.
    """
    value: object = getattr(order, field)
    if isinstance(value, Decimal):
        return value
    if type(value) is int:
        return Decimal(value)
    raise InvalidOrderError(order.order_id, field, f"{value!r} is a {type(value).__name__}; give a Decimal")


def check_order(order: Order) -> None:
    """Refuse an order whose fields contradict each other.

    :raises InvalidOrderError: naming the field and what to do.
    """
    _check_names(order)
    quantity = order.quantity
    if not quantity.is_finite() or quantity <= 0:
        _refuse(order, "quantity", f"{quantity} is not above zero; the side says whether it buys or sells")
    kind = order.order_type
    takes = _TAKES.get(kind, ())
    for field in _PRICES:
        value = getattr(order, field)
        if value is not None:
            _check_price(order, field, takes)
    for field in _NEEDS.get(kind, ()):
        if getattr(order, field) is None:
            _refuse(order, field, f"a {kind} order needs one")
    if kind is OrderType.TRAILING_STOP or kind is OrderType.TRAILING_STOP_LIMIT:
        _check_trail(order)
    if (kind is OrderType.NATIVE) != (order.native_type is not None):
        _refuse(order, "native_type", "it names the engine's own type of a NATIVE order, and of no other")
    if order.time_in_force is not TimeInForce.GTC or order.expire_at is not None:
        _check_time_in_force(order)
    if order.post_only and (kind not in _LIMITED or order.time_in_force in _AT_ONCE):
        _refuse(order, "post_only", f"a {kind} order with {order.time_in_force} takes liquidity; use a resting limit")
    if order.status is not OrderStatus.NEW:
        _refuse(order, "status", "a new order starts as NEW; only apply() moves it on")


def _check_names(order: Order) -> None:
    for field in ("order_id", "symbol", "strategy_id"):
        value: object = getattr(order, field)
        if not isinstance(value, str) or not value or not value.isprintable():
            _refuse(order, field, f"{value!r} is no name; give a non-empty printable str")
    if type(order.side) is not OrderSide:
        _refuse(order, "side", f"{order.side!r} is no OrderSide")
    if type(order.order_type) is not OrderType:
        _refuse(order, "order_type", f"{order.order_type!r} is no OrderType")
    if order.parent_id == order.order_id:
        _refuse(order, "parent_id", "an order cannot wait for itself")


def _check_price(order: Order, field: str, takes: tuple[str, ...]) -> None:
    if field not in takes:
        _refuse(order, field, f"a {order.order_type} order has none")
    price = exact(order, field)
    force_setattr(order, field, price)
    least = 0 if field == "limit_offset" else 1
    if not price.is_finite() or price < 0 or (price == 0 and least):
        _refuse(order, field, f"{price} is not above zero")


def _check_trail(order: Order) -> None:
    if (order.trail_amount is None) == (order.trail_percent is None):
        _refuse(order, "trail_amount", "give either trail_amount or trail_percent")
    if order.trail_percent is not None and order.trail_percent >= _HUNDRED:
        _refuse(order, "trail_percent", f"{order.trail_percent} is not below 100 per cent")
    if order.order_type is OrderType.TRAILING_STOP:
        return
    prices = order.stop_price is not None and order.limit_price is not None
    if prices == (order.limit_offset is not None) or (order.limit_price is not None and not prices):
        _refuse(order, "limit_offset", "give either limit_offset, or both stop_price and limit_price to derive it from")


def _check_time_in_force(order: Order) -> None:
    tif = order.time_in_force
    if type(tif) is not TimeInForce:
        _refuse(order, "time_in_force", f"{tif!r} is no TimeInForce")
    if (tif is TimeInForce.GTD) != (order.expire_at is not None):
        _refuse(order, "expire_at", "a GTD order needs one, and no other takes one")
    if tif in _AT_ONCE and order.order_type in _NEVER_AT_ONCE:
        _refuse(order, "time_in_force", f"a {order.order_type} order waits; it cannot be {tif}")


def _refuse(order: Order, field: str, problem: str) -> None:
    raise InvalidOrderError(order.order_id, field, problem)

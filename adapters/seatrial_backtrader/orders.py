"""Backtrader's orders as the core's: what rules read, what the log tells."""

from __future__ import annotations

from math import isfinite
from typing import Any

from backtrader import LineRoot
from backtrader import Order as BtOrder

from seatrial.contracts.orders import Order
from seatrial.contracts.rejection import RefusedBy, Rejection, RejectionReason
from seatrial.contracts.terms import OrderSide, OrderType, TimeInForce
from seatrial.errors import InvalidOrderError, InvalidTimeError
from seatrial_backtrader.stamps import exact, to_ns

__all__ = ["core_order", "read_terms"]

_TYPES = {
    BtOrder.Market: OrderType.MARKET,
    BtOrder.Close: OrderType.MARKET_ON_CLOSE,
    BtOrder.Limit: OrderType.LIMIT,
    BtOrder.Stop: OrderType.STOP,
    BtOrder.StopLimit: OrderType.STOP_LIMIT,
    BtOrder.StopTrail: OrderType.TRAILING_STOP,
    BtOrder.StopTrailLimit: OrderType.TRAILING_STOP_LIMIT,
}
_STOPS = frozenset({BtOrder.Stop, BtOrder.StopLimit, BtOrder.StopTrail, BtOrder.StopTrailLimit})
_LIMITS = frozenset({BtOrder.StopLimit, BtOrder.StopTrailLimit})
_TRAILS = frozenset({BtOrder.StopTrail, BtOrder.StopTrailLimit})
_PERCENT = 100
_MARKET, _AT_MARKET = BtOrder.Market, OrderType.MARKET
_SIDES = {BtOrder.Buy: OrderSide.BUY, BtOrder.Sell: OrderSide.SELL}


def read_terms(order: Any) -> Rejection | None:
    """Make numbers of lines that were given as prices, by their present values; refuse a size that is none to trade."""
    created = order.created
    for name in ("price", "pricelimit"):
        asked = getattr(created, name)
        if isinstance(asked, LineRoot):
            setattr(created, name, asked[0])
    size = order.size if order.ordtype == BtOrder.Buy else -order.size
    if size > 0 and isfinite(size):
        return None
    problem = f"{size} is no number of units to trade; it must be above zero, and the side says whether it buys"
    return Rejection(RejectionReason.INVALID_QUANTITY, problem, RefusedBy.GATE)


def core_order(
    order: Any,
    symbol: str,
    strategy_id: str,
    order_id: str,
    now: int,
    *,
    parent_id: str | None = None,
    oco_id: str | None = None,
) -> Order:
    """Return a Backtrader order in the core's terms, created at `now` (UNIX ns UTC).

    What Backtrader takes and the core does not (a price of zero, a trail without a distance) travels as a NATIVE order:
    it is valued at the mark, and never presumed to reduce.

    :raises InvalidOrderError: for a size that is no number.
    """
    kind = order.exectype
    side, quantity = _SIDES[order.ordtype], abs(exact(order.size))
    if kind == _MARKET and order.valid is None:
        return Order(
            order_id=order_id,
            symbol=symbol,
            side=side,
            order_type=_AT_MARKET,
            quantity=quantity,
            created_at=now,
            strategy_id=strategy_id,
            parent_id=parent_id,
            oco_id=oco_id,
        )
    common: dict[str, Any] = {
        "order_id": order_id,
        "symbol": symbol,
        "side": side,
        "quantity": quantity,
        "created_at": now,
        "strategy_id": strategy_id,
        "parent_id": parent_id,
        "oco_id": oco_id,
    }
    if order.valid is not None:
        common |= {"time_in_force": TimeInForce.GTD, "expire_at": _expiry(order.valid, now)}
    if kind == _MARKET:
        return Order(order_type=_AT_MARKET, **common)
    try:
        return Order(order_type=_TYPES[kind], **_prices(order), **common)
    except (InvalidOrderError, KeyError):
        return Order(order_type=OrderType.NATIVE, native_type=f"Backtrader.{order.getordername()}", **common)


def _expiry(valid: float, now: int) -> int:
    """Return an order's last moment; a mere number of days was never resolved, and lies in the past."""
    try:
        return max(to_ns(valid), now)
    except InvalidTimeError:
        return now


def _prices(order: Any) -> dict[str, Any]:
    kind, created = order.exectype, order.created
    prices: dict[str, Any] = {}
    if kind == BtOrder.Limit:
        prices["limit_price"] = exact(created.price)
    if kind in _STOPS:
        prices["stop_price"] = exact(created.price)
    if kind in _LIMITS:
        prices["limit_price"] = exact(created.pricelimit)
    if kind in _TRAILS:
        if order.trailamount:
            prices["trail_amount"] = exact(order.trailamount)
        elif order.trailpercent:
            prices["trail_percent"] = exact(order.trailpercent) * _PERCENT
    return prices

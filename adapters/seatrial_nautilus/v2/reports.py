"""How things stand for NautilusTrader 2.0, made from what the trader was told, and nothing else.

After a restart these reports are the trader's memory: orders, fills and positions are built from them.
"""

from __future__ import annotations

from hashlib import blake2b
from typing import TYPE_CHECKING, Any

from nautilus_trader.model import (
    ClientOrderId,
    ContingencyType,
    FillReport,
    Money,
    OrderStatus,
    OrderStatusReport,
    PositionSide,
    PositionStatusReport,
    Price,
    Quantity,
    TradeId,
    TrailingOffsetType,
    TriggerType,
    VenueOrderId,
)

from seatrial.contracts.events import OrderAccepted, OrderExecution, OrderTriggered
from seatrial.contracts.terms import OrderStatus as CoreStatus
from seatrial.contracts.terms import OrderType as CoreType
from seatrial_nautilus.v2.words import LIQUIDITY_SIDES, SIDES, STATUSES, TIMES, TRIGGERING, TYPES

if TYPE_CHECKING:
    from collections.abc import Mapping
    from decimal import Decimal

    from seatrial.contracts.orders import Order
    from seatrial_nautilus.v2.money import Opened

__all__ = ["Reporter", "trade_id", "venue_order_id", "was_accepted"]

_LONGEST = 36
"""How long a trade id may be."""
_HUNDRED = 100
_TRAILING = frozenset({CoreType.TRAILING_STOP, CoreType.TRAILING_STOP_LIMIT})
_TRIGGERED = frozenset(
    {
        *_TRAILING,
        CoreType.STOP,
        CoreType.STOP_LIMIT,
        CoreType.MARKET_IF_TOUCHED,
        CoreType.LIMIT_IF_TOUCHED,
    }
)


def venue_order_id(order_id: str) -> Any:
    """Return the venue's id of an order; it follows from the client's, so a restart cannot change it."""
    return VenueOrderId(f"V-{order_id}")


def trade_id(execution_id: str) -> Any:
    """Return the id of a fill: the core's own, or a digest of it where that is too long for NautilusTrader."""
    if len(execution_id) <= _LONGEST:
        return TradeId(execution_id)
    return TradeId(blake2b(execution_id.encode(), digest_size=_LONGEST // 2).hexdigest())


def was_accepted(order: Order) -> bool:
    """Return whether the trader was told that the venue has the order."""
    return any(isinstance(event, OrderAccepted) for event in order.events)


class Reporter:
    """Writes the reports of one account; `instruments` are NautilusTrader's, by symbol."""

    def __init__(self, account_id: Any, instruments: dict[str, Any], currency: Any) -> None:
        """Report for `account_id`, in `currency`."""
        self._account_id = account_id
        self._instruments = instruments
        self._currency = currency

    def price(self, symbol: str, value: Decimal | None) -> Any:
        """Return a price in the instrument's precision."""
        return None if value is None else Price.from_decimal_dp(value, self._instruments[symbol].price_precision)

    def quantity(self, symbol: str, value: Decimal) -> Any:
        """Return a quantity in the instrument's precision."""
        return Quantity.from_decimal_dp(value, self._instruments[symbol].size_precision)

    def commission(self, value: Decimal) -> Any:
        """Return a commission, positive is a cost."""
        return Money.from_decimal(value, self._currency)

    def order(self, order: Order, now: int, groups: Mapping[str, list[str]]) -> Any:
        """Return how an order stands; `groups` are the order ids of each OCO group."""
        symbol = order.symbol
        linked = [ClientOrderId(one) for one in groups.get(order.oco_id or "", ()) if one != order.order_id]
        accepted = next((one.timestamp for one in order.events if isinstance(one, OrderAccepted)), None)
        triggered = next((one.timestamp for one in order.events if isinstance(one, OrderTriggered)), None)
        is_triggered = order.stage is CoreStatus.SUBMITTED and triggered is not None and order.order_type in TRIGGERING
        last = order.events[-1].timestamp
        return OrderStatusReport(
            self._account_id,
            self._instruments[symbol].id,
            venue_order_id(order.order_id),
            SIDES[order.side],
            TYPES[order.order_type],
            TIMES[order.time_in_force],
            OrderStatus.TRIGGERED if is_triggered else STATUSES[order.stage],
            self.quantity(symbol, order.quantity),
            self.quantity(symbol, order.filled_quantity),
            last if accepted is None else accepted,
            last,
            now,
            client_order_id=ClientOrderId(order.order_id),
            parent_order_id=None if order.parent_id is None else ClientOrderId(order.parent_id),
            contingency_type=ContingencyType.OCO if linked else None,
            linked_order_ids=linked or None,
            expire_time=order.expire_at,
            price=self.price(symbol, order.limit_price),
            trigger_price=self.price(symbol, order.stop_price),
            trigger_type=TriggerType.DEFAULT if order.order_type in _TRIGGERED else None,
            avg_px=order.avg_fill_price,
            post_only=order.post_only,
            reduce_only=order.reduce_only,
            cancel_reason=order.rejection_message,
            ts_triggered=triggered,
            **_trail(order),
        )

    def fills(self, order: Order, now: int) -> list[Any]:
        """Return the fills of an order."""
        return [self._fill(fill, order, now) for fill in order.executions]

    def _fill(self, fill: OrderExecution, order: Order, now: int) -> Any:
        return FillReport(
            self._account_id,
            self._instruments[order.symbol].id,
            venue_order_id(order.order_id),
            trade_id(fill.execution_id),
            SIDES[order.side],
            self.quantity(order.symbol, fill.quantity),
            self.price(order.symbol, fill.price),
            self.commission(fill.commission),
            LIQUIDITY_SIDES[fill.liquidity],
            fill.timestamp,
            now,
            client_order_id=ClientOrderId(order.order_id),
        )

    def position(self, symbol: str, opened: Opened, now: int) -> Any:
        """Return a position."""
        units = opened.quantity
        side = PositionSide.FLAT if not units else PositionSide.LONG if units > 0 else PositionSide.SHORT
        return PositionStatusReport(
            self._account_id,
            self._instruments[symbol].id,
            side,
            self.quantity(symbol, abs(units)),
            opened.at,
            now,
            avg_px_open=opened.price if units else None,
        )


def _trail(order: Order) -> dict[str, Any]:
    if order.order_type not in _TRAILING:
        return {}
    if order.trail_percent is None:
        offset, kind = order.trail_amount, TrailingOffsetType.PRICE
    else:
        offset, kind = order.trail_percent * _HUNDRED, TrailingOffsetType.BASIS_POINTS
    apart = order.limit_offset
    if order.limit_price is not None and order.stop_price is not None:
        apart = abs(order.limit_price - order.stop_price)
    return {"trailing_offset": offset, "trailing_offset_type": kind, "limit_offset": apart}

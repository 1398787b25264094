"""At which price an order is valued before it trades: the highest of its own, and the mark where it may trade there."""

from __future__ import annotations

from typing import TYPE_CHECKING

from seatrial.contracts.terms import OrderSide, OrderType

if TYPE_CHECKING:
    from decimal import Decimal

    from seatrial.contracts.orders import Order

__all__ = ["higher", "may_pass", "own_price"]

_BUY = OrderSide.BUY
_NATIVE = OrderType.NATIVE
_TRADES_BEYOND = {
    OrderSide.BUY: frozenset({OrderType.STOP, OrderType.TRAILING_STOP}),
    OrderSide.SELL: frozenset({OrderType.LIMIT, OrderType.LIMIT_IF_TOUCHED, OrderType.MARKET_IF_TOUCHED}),
}
"""What trades at the mark, where that is beyond the order's own price."""
_TRAILING = frozenset({OrderType.TRAILING_STOP, OrderType.TRAILING_STOP_LIMIT})


def own_price(order: Order, limit: Decimal | None, stop: Decimal | None) -> Decimal | None:
    """Return the highest price of its own that an order may trade at: a buy's limit bounds it, a sell's does not."""
    if order.order_type is _NATIVE:
        return None
    if order.side is _BUY or stop is None:
        return stop if limit is None else limit
    return stop if limit is None or stop > limit else limit


def may_pass(order: Order, price: Decimal, mark: Decimal | None) -> bool:
    """Return whether an order may trade above its own price: at once, or where its trigger follows the market up."""
    if order.side is not _BUY and order.order_type in _TRAILING:
        return True
    return (mark is None or mark > price) and order.order_type in _TRADES_BEYOND[order.side]


def higher(price: Decimal | None, other: Decimal | None) -> Decimal | None:
    """Return the higher of two prices, or the one there is."""
    return other if price is None or (other is not None and other > price) else price

"""The order with which the gate closes a position, as the trader's own."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from nautilus_trader.core.uuid import UUID4
from nautilus_trader.model.enums import OrderSide
from nautilus_trader.model.identifiers import ClientOrderId
from nautilus_trader.model.orders import MarketOrder

from seatrial.contracts.terms import OrderSide as CoreSide

if TYPE_CHECKING:
    from seatrial.contracts.orders import Order

__all__ = ["closing_order"]


def closing_order(
    order: Order, instrument_id: Any, cache: Any, trader_id: Any, *, reduce_only: bool = False
) -> tuple[Any, Any]:
    """Return a market order that does what the gate's order on an instrument says, and the position it is sent for.

    It is the order of the strategy that holds the largest position it reduces.
    """
    buys = order.side is CoreSide.BUY
    held = [one for one in cache.positions_open(None, instrument_id) if one.is_short is buys]
    position = max(held, key=lambda one: (one.quantity, one.id.value))
    made = MarketOrder(
        trader_id=trader_id,
        strategy_id=position.strategy_id,
        instrument_id=instrument_id,
        client_order_id=ClientOrderId(order.order_id),
        order_side=OrderSide.BUY if buys else OrderSide.SELL,
        quantity=cache.instrument(instrument_id).make_qty(order.quantity),
        init_id=UUID4(),
        ts_init=order.created_at,
        reduce_only=reduce_only,
    )
    return made, position.id

"""The core's working orders as NautilusTrader's: what each waits for now, and nothing of what it is linked to."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any

from nautilus_trader.core.uuid import UUID4
from nautilus_trader.model.enums import OrderSide, TimeInForce, TrailingOffsetType, TriggerType
from nautilus_trader.model.identifiers import ClientOrderId, StrategyId, TraderId
from nautilus_trader.model.orders import (
    LimitIfTouchedOrder,
    LimitOrder,
    MarketIfTouchedOrder,
    MarketOrder,
    StopLimitOrder,
    StopMarketOrder,
    TrailingStopLimitOrder,
    TrailingStopMarketOrder,
)

from seatrial.contracts.terms import OrderType
from seatrial.contracts.terms import TimeInForce as CoreTime
from seatrial.venue.working import Phase

if TYPE_CHECKING:
    from seatrial.venue.working import Working
    from seatrial_nautilus.v1.exact import Grid

__all__ = ["TRADER", "order_for"]

TRADER = TraderId("SEATRIAL-1")
_STRATEGY = StrategyId("S-1")
_AT_ONCE = {CoreTime.IOC: TimeInForce.IOC, CoreTime.FOK: TimeInForce.FOK}
_CONDITIONAL: dict[OrderType, Any] = {
    OrderType.STOP: StopMarketOrder,
    OrderType.STOP_LIMIT: StopLimitOrder,
    OrderType.TRAILING_STOP: TrailingStopMarketOrder,
    OrderType.TRAILING_STOP_LIMIT: TrailingStopLimitOrder,
    OrderType.MARKET_IF_TOUCHED: MarketIfTouchedOrder,
    OrderType.LIMIT_IF_TOUCHED: LimitIfTouchedOrder,
}
_BASIS_POINTS = Decimal(100)


def order_for(working: Working, instrument_id: Any, grid: Grid, number: int, *, follows: bool = True) -> Any:
    """Return NautilusTrader's order for what `working` waits for; `None` where its numbers cannot be written.

    It works until it is taken out: expiry, groups and what may be sold are looked after elsewhere. A trailing order
    that no longer `follows` the market is a stop.
    """
    quantity = grid.size(working.remaining)
    if quantity is None:
        return None
    terms: dict[str, Any] = {
        "trader_id": TRADER,
        "strategy_id": _STRATEGY,
        "instrument_id": instrument_id,
        "client_order_id": ClientOrderId(f"O-{number}"),
        "order_side": OrderSide.BUY if working.is_buy else OrderSide.SELL,
        "quantity": quantity,
        "init_id": UUID4(),
        "ts_init": 0,
    }
    phase = working.phase
    if phase is Phase.MARKET:
        return MarketOrder(**terms)
    if working.limit is not None:
        terms["price"] = grid.nearest(working.limit) if working.trails else grid.price(working.limit)
        terms["post_only"] = working.post_only and not working.met
    if phase is Phase.LIMIT:
        made: Any = LimitOrder
        terms["time_in_force"] = _AT_ONCE.get(working.tif, TimeInForce.GTC)  # which never rests, so it is new here
    else:
        made = _add_trigger(terms, working, grid, follows=follows)
    return None if any(term is None for term in terms.values()) else made(**terms)


def _add_trigger(terms: dict[str, Any], working: Working, grid: Grid, *, follows: bool) -> Any:
    """Add when an order trades; return the class that takes the terms."""
    trigger, kind = working.trigger, working.kind
    terms["trigger_type"] = TriggerType.BID_ASK
    if not working.trails:
        terms["trigger_price"] = None if trigger is None else grid.price(trigger)
        return _CONDITIONAL[kind]
    terms["trigger_price"] = None if trigger is None else grid.nearest(trigger)
    if not follows:
        return StopLimitOrder if kind is OrderType.TRAILING_STOP_LIMIT else StopMarketOrder
    amount, percent = working.trail_amount, working.trail_percent
    terms["trailing_offset"] = amount if percent is None else percent * _BASIS_POINTS
    terms["trailing_offset_type"] = TrailingOffsetType.PRICE if percent is None else TrailingOffsetType.BASIS_POINTS
    if kind is OrderType.TRAILING_STOP_LIMIT:
        terms["limit_offset"] = working.limit_offset
    return _CONDITIONAL[kind]

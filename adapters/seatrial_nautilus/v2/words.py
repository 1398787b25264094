"""NautilusTrader 2.0's words beside the core's: sides, order types, times in force; by name, both ways."""

from __future__ import annotations

from typing import Any

from nautilus_trader.model import LiquiditySide, OrderSide, OrderStatus, OrderType, TimeInForce

from seatrial.contracts.terms import Liquidity
from seatrial.contracts.terms import OrderSide as CoreSide
from seatrial.contracts.terms import OrderStatus as CoreStatus
from seatrial.contracts.terms import OrderType as CoreType
from seatrial.contracts.terms import TimeInForce as CoreTime

__all__ = [
    "CORE_SIDES",
    "CORE_TIMES",
    "CORE_TYPES",
    "LIQUIDITY_SIDES",
    "SIDES",
    "STATUSES",
    "TIMES",
    "TRIGGERING",
    "TYPES",
]

SIDES: dict[CoreSide, Any] = {CoreSide.BUY: OrderSide.BUY, CoreSide.SELL: OrderSide.SELL}
TYPES: dict[CoreType, Any] = {
    CoreType.MARKET: OrderType.MARKET,
    CoreType.LIMIT: OrderType.LIMIT,
    CoreType.STOP: OrderType.STOP_MARKET,
    CoreType.STOP_LIMIT: OrderType.STOP_LIMIT,
    CoreType.MARKET_IF_TOUCHED: OrderType.MARKET_IF_TOUCHED,
    CoreType.LIMIT_IF_TOUCHED: OrderType.LIMIT_IF_TOUCHED,
    CoreType.TRAILING_STOP: OrderType.TRAILING_STOP_MARKET,
    CoreType.TRAILING_STOP_LIMIT: OrderType.TRAILING_STOP_LIMIT,
}
TIMES: dict[CoreTime, Any] = {
    CoreTime.GTC: TimeInForce.GTC,
    CoreTime.DAY: TimeInForce.DAY,
    CoreTime.GTD: TimeInForce.GTD,
    CoreTime.IOC: TimeInForce.IOC,
    CoreTime.FOK: TimeInForce.FOK,
    CoreTime.AT_OPEN: TimeInForce.AT_THE_OPEN,
    CoreTime.AT_CLOSE: TimeInForce.AT_THE_CLOSE,
}
STATUSES: dict[CoreStatus, Any] = {
    CoreStatus.SUBMITTED: OrderStatus.ACCEPTED,
    CoreStatus.PARTIALLY_FILLED: OrderStatus.PARTIALLY_FILLED,
    CoreStatus.FILLED: OrderStatus.FILLED,
    CoreStatus.CANCELLED: OrderStatus.CANCELED,
    CoreStatus.REJECTED: OrderStatus.REJECTED,
    CoreStatus.EXPIRED: OrderStatus.EXPIRED,
}
"""By stage: a request under way changes nothing that is so yet."""
LIQUIDITY_SIDES: dict[Liquidity, Any] = {
    Liquidity.TAKER: LiquiditySide.TAKER,
    Liquidity.MAKER: LiquiditySide.MAKER,
}
TRIGGERING = frozenset({CoreType.STOP_LIMIT, CoreType.LIMIT_IF_TOUCHED, CoreType.TRAILING_STOP_LIMIT})
"""The orders that NautilusTrader tells a trigger of: those that go on as limits."""

CORE_SIDES: dict[Any, CoreSide] = {theirs: ours for ours, theirs in SIDES.items()}
CORE_TYPES: dict[Any, CoreType] = {theirs: ours for ours, theirs in TYPES.items()}
CORE_TIMES: dict[Any, CoreTime] = {theirs: ours for ours, theirs in TIMES.items()}

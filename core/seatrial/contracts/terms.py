"""The words of trading, as closed lists: sides, order types, times in force, statuses.

They are FIX's terms (tags 54, 40, 59, 39) under the names NautilusTrader and Backtrader users know.
"""

from __future__ import annotations

from enum import StrEnum

__all__ = ["Liquidity", "OrderSide", "OrderStatus", "OrderType", "TimeInForce", "TradingState"]


class OrderSide(StrEnum):
    """Buy or sell (FIX 54)."""

    BUY = "buy"
    SELL = "sell"


class OrderType(StrEnum):
    """What makes an order trade (FIX 40)."""

    MARKET = "market"
    LIMIT = "limit"
    STOP = "stop"
    STOP_LIMIT = "stop_limit"
    TRAILING_STOP = "trailing_stop"
    TRAILING_STOP_LIMIT = "trailing_stop_limit"
    MARKET_ON_CLOSE = "market_on_close"
    MARKET_IF_TOUCHED = "market_if_touched"
    LIMIT_IF_TOUCHED = "limit_if_touched"
    MARKET_TO_LIMIT = "market_to_limit"
    NATIVE = "native"
    """An engine's own type: named, carried opaquely, valued at the mark, never presumed reducing."""


class TimeInForce(StrEnum):
    """How long an order works (FIX 59)."""

    GTC = "gtc"
    DAY = "day"
    GTD = "gtd"
    IOC = "ioc"
    FOK = "fok"
    AT_OPEN = "at_open"
    AT_CLOSE = "at_close"


class OrderStatus(StrEnum):
    """Where an order stands, as the client has been told (FIX 39)."""

    NEW = "new"
    PENDING_SUBMIT = "pending_submit"
    SUBMITTED = "submitted"
    """Working at the venue."""
    PARTIALLY_FILLED = "partially_filled"
    PENDING_CANCEL = "pending_cancel"
    PENDING_REPLACE = "pending_replace"
    FILLED = "filled"
    CANCELLED = "cancelled"
    REJECTED = "rejected"
    EXPIRED = "expired"


class Liquidity(StrEnum):
    """Whether a fill took resting liquidity or provided it (FIX 851)."""

    TAKER = "taker"
    MAKER = "maker"


class TradingState(StrEnum):
    """What the gate lets out: everything, reducing orders only, or nothing but cancels."""

    ACTIVE = "active"
    REDUCE_ONLY = "reduce_only"
    HALTED = "halted"

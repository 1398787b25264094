"""Simulators in the states the benchmarks start from."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from seatrial import ExecutionSimulator, Order, OrderSide, OrderType, Quote

__all__ = ["MS", "PLENTY", "SIZES", "limit_order", "market_order", "name", "resting", "simulator"]

MS = 1_000_000
PLENTY = Decimal(10**13)
SIZES = {"1k": 1_000, "10k": 10_000, "100k": 100_000}
_CENT = Decimal("0.01")
_START = 1_700_000_000_000 * MS


def name(n: int) -> str:
    """Return the n-th symbol."""
    return f"S{n:03d}"


def simulator(symbols: int = 1, **settings: Any) -> ExecutionSimulator:
    """Return a simulator with plenty of cash that has seen a quote of 100.00 for each symbol."""
    made = ExecutionSimulator(initial_cash=PLENTY, **settings)
    for n in range(symbols):
        made.process_quote(Quote(_START, name(n), Decimal("99.99"), Decimal("100.00")))
    return made


def limit_order(n: int, symbol: str, now: int) -> Order:
    """Return a buy limit between 40 and 90, which no price of the benchmarks reaches."""
    return Order(
        order_id=f"L{n}",
        symbol=symbol,
        side=OrderSide.BUY,
        order_type=OrderType.LIMIT,
        quantity=Decimal(1),
        created_at=now,
        limit_price=Decimal(40) + _CENT * (n * 7_919 % 5_000),
    )


def market_order(n: int, symbol: str, now: int) -> Order:
    """Return a market order for one unit: even numbers buy, odd ones sell."""
    return Order(
        order_id=f"M{n}",
        symbol=symbol,
        side=OrderSide.SELL if n % 2 else OrderSide.BUY,
        order_type=OrderType.MARKET,
        quantity=Decimal(1),
        created_at=now,
    )


def resting(orders: int, symbols: int = 1, **settings: Any) -> ExecutionSimulator:
    """Return a simulator to which `orders` buy limits were sent that no later price reaches."""
    made = simulator(symbols, **settings)
    now = made.now
    for n in range(orders):
        made.submit_order(limit_order(n, name(n % symbols), now), now)
    return made

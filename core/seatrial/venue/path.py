"""A bar as a path of prices: open at its start, the nearer extreme, the other one, close at its end.

The true order of the extremes is unknown; the nearer first is the usual guess, and on a tie the low, which hurts longs.
The extremes are placed at one and two thirds of the interval. Points equal to their predecessor add nothing but time.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from decimal import Decimal

    from seatrial.contracts.market import Bar

__all__ = ["bar_path"]


def bar_path(bar: Bar, start: int) -> tuple[tuple[int, Decimal], ...]:
    """Return the four points of a bar over (start, ts], as (UNIX ns UTC, price)."""
    span = bar.ts - start
    low_first = bar.open - bar.low <= bar.high - bar.open
    near, far = (bar.low, bar.high) if low_first else (bar.high, bar.low)
    return (
        (start, bar.open),
        (start + span // 3, near),
        (start + 2 * span // 3, far),
        (bar.ts, bar.close),
    )

"""seatrial for Backtrader: a broker to swap in by one line."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from seatrial_backtrader.broker import SeatrialBroker

__all__ = ["SeatrialBroker"]


def __getattr__(name: str) -> Any:
    """Load the broker, and with it Backtrader, when it is first asked for."""
    if name == "SeatrialBroker":
        from seatrial_backtrader.broker import SeatrialBroker  # noqa: PLC0415 - Backtrader is loaded on demand

        return SeatrialBroker
    raise AttributeError(name)

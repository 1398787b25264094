"""seatrial for Backtrader: a broker to swap in by one line."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from seatrial_backtrader.broker import SeatrialBroker
    from seatrial_backtrader.tapes import tape_of

__all__ = ["SeatrialBroker", "tape_of"]

_PLACES = {"SeatrialBroker": "seatrial_backtrader.broker", "tape_of": "seatrial_backtrader.tapes"}


def __getattr__(name: str) -> Any:
    """Load the broker, and with it Backtrader, when it is first asked for."""
    if name in _PLACES:
        return getattr(import_module(_PLACES[name]), name)
    raise AttributeError(name)

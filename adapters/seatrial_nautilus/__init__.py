"""seatrial for NautilusTrader: an execution client to add, in backtests and in live paper trading."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from seatrial_nautilus.generation import check_installed

if TYPE_CHECKING:
    from seatrial_nautilus.v1.backtest import SeatrialModule, SeatrialModuleConfig, attach, attach_node
    from seatrial_nautilus.v1.checkpoint import snapshot, summary
    from seatrial_nautilus.v1.live import (
        SeatrialExecClientConfig,
        SeatrialLiveExecClient,
        SeatrialLiveExecClientFactory,
    )
    from seatrial_nautilus.v1.session import Session

__all__ = [
    "SeatrialExecClientConfig",
    "SeatrialLiveExecClient",
    "SeatrialLiveExecClientFactory",
    "SeatrialModule",
    "SeatrialModuleConfig",
    "Session",
    "attach",
    "attach_node",
    "snapshot",
    "summary",
]

_HOMES = {
    "SeatrialExecClientConfig": "live",
    "SeatrialLiveExecClient": "live",
    "SeatrialLiveExecClientFactory": "live",
    "SeatrialModule": "backtest",
    "SeatrialModuleConfig": "backtest",
    "Session": "session",
    "attach": "backtest",
    "attach_node": "backtest",
    "snapshot": "checkpoint",
    "summary": "checkpoint",
}


def __getattr__(name: str) -> Any:
    """Load a name, and with it NautilusTrader, when it is first asked for."""
    home = _HOMES.get(name)
    if home is None:
        raise AttributeError(name)
    check_installed()
    return getattr(import_module(f"seatrial_nautilus.v1.{home}"), name)

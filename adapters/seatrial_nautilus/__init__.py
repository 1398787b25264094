"""seatrial for NautilusTrader: an execution client to add, in backtests (1.x) and in live paper trading (1.x and 2.0).

A name that both generations have means the same in both, and is loaded from the one that is installed.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from seatrial_nautilus.generation import check_installed, generation

if TYPE_CHECKING:
    from seatrial_nautilus.v1.backtest import SeatrialModule, SeatrialModuleConfig, attach, attach_node
    from seatrial_nautilus.v1.checkpoint import snapshot, summary
    from seatrial_nautilus.v1.guard.client import SeatrialGuard, live_guard
    from seatrial_nautilus.v1.guard.factory import SeatrialGuardConfig, SeatrialGuardFactory
    from seatrial_nautilus.v1.live import (
        SeatrialExecClientConfig,
        SeatrialLiveExecClient,
        SeatrialLiveExecClientFactory,
    )
    from seatrial_nautilus.v1.session import Session
    from seatrial_nautilus.v2.feed import SeatrialFeed
    from seatrial_nautilus.v2.live import live_client

__all__ = [
    "SeatrialExecClientConfig",
    "SeatrialFeed",
    "SeatrialGuard",
    "SeatrialGuardConfig",
    "SeatrialGuardFactory",
    "SeatrialLiveExecClient",
    "SeatrialLiveExecClientFactory",
    "SeatrialModule",
    "SeatrialModuleConfig",
    "Session",
    "attach",
    "attach_node",
    "live_client",
    "live_guard",
    "snapshot",
    "summary",
]

_IN_BOTH = {
    "SeatrialExecClientConfig": "live",
    "SeatrialLiveExecClient": "live",
    "SeatrialLiveExecClientFactory": "live",
}
_ONLY_IN: dict[str, tuple[int, str]] = {
    "SeatrialFeed": (2, "feed"),
    "SeatrialGuard": (1, "guard.client"),
    "SeatrialGuardConfig": (1, "guard.factory"),
    "SeatrialGuardFactory": (1, "guard.factory"),
    "SeatrialModule": (1, "backtest"),
    "SeatrialModuleConfig": (1, "backtest"),
    "Session": (1, "session"),
    "attach": (1, "backtest"),
    "attach_node": (1, "backtest"),
    "live_client": (2, "live"),
    "live_guard": (1, "guard.client"),
    "snapshot": (1, "checkpoint"),
    "summary": (1, "checkpoint"),
}


def __getattr__(name: str) -> Any:
    """Load a name, and with it NautilusTrader, when it is first asked for."""
    if name in _IN_BOTH:
        home = f"v{generation()}.{_IN_BOTH[name]}"
    elif name in _ONLY_IN:
        needed, module = _ONLY_IN[name]
        check_installed(name, needed)
        home = f"v{needed}.{module}"
    else:
        raise AttributeError(name)
    return getattr(import_module(f"seatrial_nautilus.{home}"), name)

"""Which NautilusTrader is installed: 1.x and 2.0 carry the same import name, and are told apart without importing it.

:raises EngineNotInstalledError: where there is none.
:raises InvalidConfigError: where it is one that this release does not run with.
"""

from __future__ import annotations

from importlib.util import find_spec

from seatrial.errors import EngineNotInstalledError, InvalidConfigError

__all__ = ["check_installed"]

_PACKAGE = "nautilus_trader"
_ONLY_IN_2 = ("nautilus_trader.live", "nautilus_trader.live.clients")


def check_installed() -> None:
    """Refuse to go on without a NautilusTrader 1.x."""
    if find_spec(_PACKAGE) is None:
        raise EngineNotInstalledError("nautilus", _PACKAGE, "nautilus")
    if all(find_spec(name) is not None for name in _ONLY_IN_2):
        problem = "this release of seatrial runs with NautilusTrader 1.x; install 'nautilus_trader>=1.221,<2'"
        raise InvalidConfigError(_PACKAGE, "2.x", problem)

"""Which NautilusTrader is installed: 1.x and 2.0 carry the same import name, and are told apart without importing it.

:raises EngineNotInstalledError: where there is none.
"""

from __future__ import annotations

from importlib.util import find_spec

from seatrial.errors import EngineNotInstalledError, InvalidConfigError

__all__ = ["check_installed", "generation"]

_PACKAGE = "nautilus_trader"
_ONLY_IN_2 = ("nautilus_trader.live", "nautilus_trader.live.clients")


def generation() -> int:
    """Return 1 or 2."""
    if find_spec(_PACKAGE) is None:
        raise EngineNotInstalledError("nautilus", _PACKAGE, "nautilus")
    return 2 if all(find_spec(name) is not None for name in _ONLY_IN_2) else 1


def check_installed(name: str = "this", needed: int = 1) -> None:
    """Refuse to go on with another generation than the one `needed` by what is called `name`.

    :raises InvalidConfigError: naming what there is instead.
    """
    if generation() == needed:
        return
    if "guard" in name.lower():
        problem = f"{name} guards live accounts of NautilusTrader 1.x; install 'nautilus_trader>=1.221,<2'"
        raise InvalidConfigError(_PACKAGE, "2.x", problem)
    if needed == 1:
        problem = (
            f"{name} needs NautilusTrader 1.x: 2.0's backtest takes no execution client written in Python, "
            "only its live node does (SeatrialExecClientConfig); install 'nautilus_trader>=1.221,<2'"
        )
        raise InvalidConfigError(_PACKAGE, "2.x", problem)
    raise InvalidConfigError(
        _PACKAGE, "1.x", f"{name} is for NautilusTrader 2.0; leave it out: on 1.x nothing needs it"
    )

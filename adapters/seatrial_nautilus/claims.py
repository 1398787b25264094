"""What the NautilusTrader engine claims."""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError, version

from seatrial.contracts.engine import Capability, EngineInfo

__all__ = ["NAUTILUS"]

_MISSING = frozenset(
    {
        Capability.MARKET_TO_LIMIT,  # the account and the books are the simulated venue's, which has no such order
        Capability.AT_OPEN,  # NautilusTrader matches no auctions
        Capability.AT_CLOSE,
    }
)


def _version() -> str:
    try:
        return f"{version('seatrial')} on NautilusTrader {version('nautilus_trader')}"
    except PackageNotFoundError:
        return f"{version('seatrial')}, NautilusTrader not installed"


NAUTILUS = EngineInfo(
    name="nautilus",
    version=_version(),
    capabilities=tuple(sorted(frozenset(Capability) - _MISSING)),
    summary="NautilusTrader's matching (1.x)",
)

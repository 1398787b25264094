"""What the Backtrader engine claims."""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError, version

from seatrial.contracts.engine import Capability, EngineInfo

__all__ = ["BACKTRADER"]

_MISSING = frozenset(
    {
        Capability.QUOTES,  # it knows one price
        Capability.STANDING,  # what was printed cannot be traded again
        Capability.MARKET_IF_TOUCHED,
        Capability.LIMIT_IF_TOUCHED,
        Capability.MARKET_TO_LIMIT,
        Capability.IOC,
        Capability.FOK,
        Capability.AT_OPEN,
        Capability.AT_CLOSE,
        Capability.POST_ONLY,
        Capability.MODIFY,  # its orders cannot be changed
        Capability.DELAY_MODIFY,
        Capability.CHECKPOINTS,
    }
)


def _version() -> str:
    try:
        return f"{version('seatrial')} on Backtrader {version('backtrader')}"
    except PackageNotFoundError:
        return f"{version('seatrial')}, Backtrader not installed"


BACKTRADER = EngineInfo(
    name="backtrader",
    version=_version(),
    capabilities=tuple(sorted(frozenset(Capability) - _MISSING)),
    summary="Backtrader's matching, cerebro and analyzers",
)

"""What the native engine claims."""

from __future__ import annotations

from importlib.metadata import version

from seatrial.contracts.engine import Capability, EngineInfo

__all__ = ["NATIVE"]

_MISSING = frozenset({Capability.MARKET_TO_LIMIT, Capability.AT_OPEN, Capability.AT_CLOSE})

NATIVE = EngineInfo(
    name="native",
    version=version("seatrial"),
    capabilities=tuple(sorted(frozenset(Capability) - _MISSING)),
    summary="seatrial's own simulated venue",
)

"""Offers the Backtrader engine."""

from __future__ import annotations

import warnings

from seatrial.contracts.engine import Engine
from seatrial.contracts.plugin import EngineSpec
from seatrial.errors import EngineNotInstalledError
from seatrial.hookspecs import hookimpl
from seatrial_backtrader.claims import BACKTRADER

__all__ = ["seatrial_engines"]


def _load() -> Engine:
    try:
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", "invalid escape sequence")  # in its sources, told when first compiled
            from seatrial_backtrader.engine import BacktraderEngine  # noqa: PLC0415 - an engine is loaded on demand
    except ModuleNotFoundError as error:
        if error.name != "backtrader":
            raise
        raise EngineNotInstalledError("backtrader", "backtrader", "backtrader") from None
    return BacktraderEngine()


@hookimpl
def seatrial_engines() -> tuple[EngineSpec, ...]:
    """Return the Backtrader engine; Backtrader itself is imported when the engine is loaded."""
    claims = frozenset(BACKTRADER.capabilities)
    info = BACKTRADER
    return (EngineSpec(name=info.name, version=info.version, capabilities=claims, load=_load, summary=info.summary),)

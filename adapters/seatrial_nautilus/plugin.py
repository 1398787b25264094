"""Offers the NautilusTrader engine."""

from __future__ import annotations

from seatrial.contracts.engine import Engine
from seatrial.contracts.plugin import EngineSpec
from seatrial.hookspecs import hookimpl
from seatrial_nautilus.claims import NAUTILUS
from seatrial_nautilus.generation import check_installed

__all__ = ["seatrial_engines"]


def _load() -> Engine:
    check_installed("the nautilus engine")
    from seatrial_nautilus.v1.engine import NautilusEngine  # noqa: PLC0415 - an engine is loaded on demand

    return NautilusEngine()


@hookimpl
def seatrial_engines() -> tuple[EngineSpec, ...]:
    """Return the NautilusTrader engine; NautilusTrader itself is imported when the engine is loaded."""
    claims = frozenset(NAUTILUS.capabilities)
    info = NAUTILUS
    return (EngineSpec(name=info.name, version=info.version, capabilities=claims, load=_load, summary=info.summary),)

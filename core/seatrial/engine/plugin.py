"""Offers the native engine."""

from __future__ import annotations

from seatrial.contracts.engine import Engine
from seatrial.contracts.plugin import EngineSpec
from seatrial.engine.claims import NATIVE
from seatrial.hookspecs import hookimpl

__all__ = ["seatrial_engines"]


def _load() -> Engine:
    from seatrial.engine.native import NativeEngine  # noqa: PLC0415 - an engine is loaded on demand

    return NativeEngine()


@hookimpl
def seatrial_engines() -> tuple[EngineSpec, ...]:
    """Return the native engine."""
    claims = frozenset(NATIVE.capabilities)
    spec = EngineSpec(name=NATIVE.name, version=NATIVE.version, capabilities=claims, load=_load, summary=NATIVE.summary)
    return (spec,)

"""What crosses the border between seatrial and a plugin: frozen specs, and the protocols of what they build."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

import msgspec

from seatrial.contracts.engine import EngineSpec
from seatrial.contracts.events import Event
from seatrial.contracts.latency import Delay
from seatrial.contracts.orders import Order
from seatrial.contracts.risk import RiskRule, RiskWatcher, SharedRule
from seatrial.contracts.venue import FeeModel

__all__ = ["EngineSpec", "FeeModelSpec", "LatencyModelSpec", "Observer", "ObserverSpec", "RiskRuleSpec"]


class Observer(Protocol):
    """Somebody who is told everything and changes nothing."""

    def notify(self, event: Event, order: Order | None) -> None:
        """Hear an event when the client does, with the order as it then stands (`None` for account events)."""
        ...


class RiskRuleSpec(msgspec.Struct, frozen=True, kw_only=True):
    """A risk rule under a name; `build` is called once per gate, with the parameters given where it is named."""

    name: str
    build: Callable[..., RiskRule | RiskWatcher | SharedRule]
    summary: str = ""


class LatencyModelSpec(msgspec.Struct, frozen=True, kw_only=True):
    """A distribution of delays under a name.

    `build` is called once per leg that names the model, with the parameters given there, and returns what draws a delay
    in ns from 64 random bits.
    """

    name: str
    build: Callable[..., Delay]
    summary: str = ""


class FeeModelSpec(msgspec.Struct, frozen=True, kw_only=True):
    """A fee model under a name; `build` is called once per account, with the parameters given where it is named."""

    name: str
    build: Callable[..., FeeModel]
    summary: str = ""


class ObserverSpec(msgspec.Struct, frozen=True, kw_only=True):
    """An observer under a name; `build` is called once per run, without arguments."""

    name: str
    build: Callable[[], Observer]
    summary: str = ""

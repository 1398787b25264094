"""How a node makes a guard: a factory that makes the venue's own client first."""

from __future__ import annotations

from typing import Any

from nautilus_trader.live.factories import LiveExecClientFactory
from nautilus_trader.model.identifiers import Venue

from seatrial_nautilus.v1.guard.client import SeatrialGuard
from seatrial_nautilus.v1.guard.config import SeatrialGuardConfig, inner_config, inner_factory

__all__ = ["SeatrialGuardConfig", "SeatrialGuardFactory"]

_BROKERS = {"InteractiveBrokersLiveExecClientFactory": "INTERACTIVE_BROKERS"}
"""The venue under which a portfolio finds a broker's account, as a node's builder sets it by the factory's name."""


class SeatrialGuardFactory(LiveExecClientFactory):
    """Makes the client of a :class:`SeatrialGuardConfig`, and the guard before it."""

    @staticmethod
    def create(  # noqa: PLR0917  # pyright: ignore[reportIncompatibleMethodOverride] - the engine's, and our config
        loop: Any,
        name: str,
        config: SeatrialGuardConfig,
        msgbus: Any,
        cache: Any,
        clock: Any,
    ) -> SeatrialGuard:
        """Return a guard under the name and the venue of the client that it guards."""
        factory = inner_factory(config)
        inner = factory.create(
            loop=loop, name=name, config=inner_config(config), msgbus=msgbus, cache=cache, clock=clock
        )
        if factory.__name__ in _BROKERS:
            cache.set_specific_venue(Venue(_BROKERS[factory.__name__]))
        return SeatrialGuard(loop, msgbus, cache, clock, config=config, inner=inner)

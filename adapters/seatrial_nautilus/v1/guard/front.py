"""A client in front of another: the node sees one, under the name of the other, and everything goes through."""

from __future__ import annotations

import asyncio
from typing import Any

from nautilus_trader.common.providers import InstrumentProvider
from nautilus_trader.live.execution_client import LiveExecutionClient

from seatrial_nautilus.v1.live_config import writable

__all__ = ["Front"]

_GLANCE = 0.01
"""Seconds between two looks at whether the client is there."""


class Front(LiveExecutionClient):
    """Hands on what concerns no order; its subclass decides about orders."""

    def __init__(self, loop: Any, msgbus: Any, cache: Any, clock: Any, *, config: Any, inner: Any) -> None:
        """Stand before `inner`."""
        super().__init__(
            loop=loop,
            client_id=inner.id,
            venue=inner.venue,
            oms_type=inner.oms_type,
            account_type=inner.account_type,
            base_currency=inner.base_currency,
            instrument_provider=InstrumentProvider(),
            msgbus=msgbus,
            cache=cache,
            clock=clock,
            config=writable(config),
        )
        self.inner = inner
        """The venue's own client."""
        self.was_asked = False
        """Whether the node has reconciled with the venue, or tried."""

    async def _connect(self) -> None:
        self.inner.connect()
        while not self.inner.is_connected:  # noqa: ASYNC110 - a client has no event for it
            await asyncio.sleep(_GLANCE)
        self._set_account_id(self.inner.account_id)

    async def _disconnect(self) -> None:
        self.inner.disconnect()
        while self.inner.is_connected:  # noqa: ASYNC110 - as above
            await asyncio.sleep(_GLANCE)

    def _start(self) -> None:
        self.inner.start()

    def _stop(self) -> None:
        self.inner.stop()

    def _reset(self) -> None:
        self.inner.reset()

    def _dispose(self) -> None:
        self.inner.dispose()

    def _degrade(self) -> None:
        self.inner.degrade()

    def _fault(self) -> None:
        self.inner.fault()

    def query_account(self, command: Any) -> None:
        """Ask how the account stands."""
        self.inner.query_account(command)

    def query_order(self, command: Any) -> None:
        """Ask how an order stands."""
        self.inner.query_order(command)

    # -- reports: the client's own ---------------------------------------------------------------------------------

    async def generate_mass_status(self, lookback_mins: int | None = None) -> Any:
        """Return how everything stands at the venue."""
        self.was_asked = True
        return await self.inner.generate_mass_status(lookback_mins)

    async def generate_order_status_report(self, command: Any) -> Any:
        """Return how one order stands."""
        return await self.inner.generate_order_status_report(command)

    async def generate_order_status_reports(self, command: Any) -> list[Any]:
        """Return how orders stand."""
        reports: list[Any] = await self.inner.generate_order_status_reports(command)
        return reports

    async def generate_fill_reports(self, command: Any) -> list[Any]:
        """Return fills."""
        reports: list[Any] = await self.inner.generate_fill_reports(command)
        return reports

    async def generate_position_status_reports(self, command: Any) -> list[Any]:
        """Return positions."""
        reports: list[Any] = await self.inner.generate_position_status_reports(command)
        return reports

"""The far port of the gate: what a venue must offer, and what travels to it.

A venue answers through the gate's own methods (`accepted`, `filled`, …), each with the time it happened there.
"""

from __future__ import annotations

from typing import Protocol, TypeAlias

import msgspec

from seatrial.contracts.events import OrderChange
from seatrial.contracts.orders import Order

__all__ = ["CancelRequest", "ModifyRequest", "PlaceRequest", "Request", "Venue"]


class Venue(Protocol):
    """What matches orders. `now` is the time of arrival; `native` is whatever the caller of the gate handed in."""

    def place(self, orders: tuple[Order, ...], now: int, native: object) -> None:
        """Take orders, all or none: a bracket arrives whole, its parent first."""
        ...

    def cancel(self, order_id: str, now: int, native: object) -> None:
        """End an order, or refuse."""
        ...

    def modify(self, order_id: str, change: OrderChange, now: int, native: object) -> None:
        """Change a working order, or refuse."""
        ...


class PlaceRequest(msgspec.Struct, frozen=True, tag_field="request", tag="place"):
    """Orders on their way; looked up by id when they arrive."""

    order_ids: tuple[str, ...]


class CancelRequest(msgspec.Struct, frozen=True, tag_field="request", tag="cancel"):
    """A cancel on its way."""

    order_id: str


class ModifyRequest(msgspec.Struct, frozen=True, tag_field="request", tag="modify"):
    """A modify on its way."""

    order_id: str
    change: OrderChange


Request: TypeAlias = PlaceRequest | CancelRequest | ModifyRequest

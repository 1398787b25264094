"""The client's view: the orders as reported, everything that was told, and who hears of it."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, TypeAlias

from seatrial.contracts.events import OrderExecution, OrderReplaced
from seatrial.contracts.orders import TERMINAL, Order
from seatrial.errors import UnknownOrderError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from seatrial.contracts.events import Event, OrderEvent

__all__ = ["ClientView", "Listener", "NativeSink"]

Listener: TypeAlias = "Callable[[Event, Order | None], None]"
"""Hears every event when the client does, with the order as it then stands (`None` for account events)."""
NativeSink: TypeAlias = "Callable[[Event, Order | None, object], None]"
"""Hears, before the listeners, the events whose report carried a native payload."""


class ClientView:
    """Orders by id, the event log, and the listeners.

    `pending` and `completed` are for the gate to write; others read `pending_orders` and `completed_orders`.
    """

    __slots__ = ("completed", "events", "listeners", "native_sink", "originals", "pending", "reported")

    def __init__(self, native_sink: NativeSink | None) -> None:
        """Start with no order and nothing told."""
        self.pending: dict[str, Order] = {}
        self.completed: dict[str, Order] = {}
        self.events: list[Event] = []
        self.originals: dict[str, Order] = {}
        """Orders as they were before they were first replaced, by id."""
        self.reported: list[OrderExecution] | None = None
        """Executions nobody has fetched yet, where somebody means to."""
        self.listeners: tuple[Listener, ...] = ()
        self.native_sink = native_sink

    @property
    def pending_orders(self) -> Mapping[str, Order]:
        """The orders that have not ended, by id, oldest first. A live, read-only view."""
        return MappingProxyType(self.pending)

    @property
    def completed_orders(self) -> Mapping[str, Order]:
        """The orders that have ended, by id, in the order they did. A live, read-only view."""
        return MappingProxyType(self.completed)

    def knows(self, order_id: str) -> bool:
        """Return whether an id was used before."""
        return order_id in self.pending or order_id in self.completed

    def get(self, order_id: str) -> Order:
        """Return an order, in flight ones included.

        :raises UnknownOrderError: for an id that was never submitted.
        """
        order = self.pending.get(order_id) or self.completed.get(order_id)
        if order is None:
            raise UnknownOrderError(order_id)
        return order

    def take_reported(self) -> tuple[OrderExecution, ...]:
        """Return the executions reported since the last call."""
        if not self.reported:
            return ()
        reported, self.reported = self.reported, []
        return tuple(reported)

    def record(self, order: Order, event: OrderEvent) -> Order:
        """Move an order on by an event, and keep it."""
        after = order.apply(event)
        order_id = after.order_id
        if type(event) is OrderReplaced:
            self.originals.setdefault(order_id, order)
        if after.status in TERMINAL:
            self.pending.pop(order_id, None)
            self.completed[order_id] = after
        else:
            self.pending[order_id] = after
        return after

"""What arrives at the venue: the gate's far port, in front of the private world."""

from __future__ import annotations

from collections import deque
from decimal import Decimal
from functools import partial
from typing import TYPE_CHECKING, Any

from nautilus_trader.model.identifiers import ClientOrderId
from nautilus_trader.model.objects import Price, Quantity

from seatrial.contracts.rejection import RefusedBy, Rejection, RejectionReason

if TYPE_CHECKING:
    from collections.abc import Callable

    from seatrial.contracts.events import OrderChange
    from seatrial.contracts.orders import Order
    from seatrial_nautilus.v1.reports import Reporter
    from seatrial_nautilus.v1.world import VenueWorld

__all__ = ["VenuePort"]


class VenuePort:
    """Looks the trader's orders up when they arrive, and hands them on; see :class:`~seatrial.gate.ports.Venue`."""

    reporter: Reporter

    def __init__(self, world: VenueWorld, cache: Any) -> None:
        """Stand before `world`; the trader's own orders are in `cache`."""
        self._world = world
        self._cache = cache
        self._arrived = False
        self.holds = False
        """Whether what arrives has to wait."""
        self.held: deque[Callable[[], None]] = deque()
        """What waits, the earliest first."""

    def settles(self) -> bool:
        """Return whether anything has arrived since the last call."""
        arrived, self._arrived = self._arrived, False
        return arrived

    def place(self, orders: tuple[Order, ...], now: int, native: object) -> None:  # noqa: ARG002 - the port's signature
        """Take orders, one or a whole list at once."""
        if self.holds:
            self.held.append(partial(self._place, orders, now))
        else:
            self._place(orders, now)

    def cancel(self, order_id: str, now: int, native: object) -> None:  # noqa: ARG002 - as above
        """End an order, or refuse."""
        if self.holds:
            self.held.append(partial(self._cancel, order_id, now))
        else:
            self._cancel(order_id, now)

    def modify(self, order_id: str, change: OrderChange, now: int, native: object) -> None:  # noqa: ARG002 - as above
        """Change a working order, or refuse."""
        if self.holds:
            self.held.append(partial(self._modify, order_id, change, now))
        else:
            self._modify(order_id, change, now)

    def _place(self, orders: tuple[Order, ...], now: int) -> None:
        self._arrived = True
        for order in orders:
            self.reporter.placed(order.order_id, order.quantity)
        ids = [ClientOrderId(order.order_id) for order in orders]
        cache = self._cache
        self._world.place([cache.order(one) for one in ids], [self._position_id(one) for one in ids], now, cache.order)
        self.reporter.flush()

    def _position_id(self, client_order_id: Any) -> Any:
        """Return what the venue calls the position that an order is for, where the trader has named it by itself."""
        cache = self._cache
        position_id = cache.position_id(client_order_id)
        if position_id is None or self._world.names_positions:
            return position_id
        position = cache.position(position_id)
        known = None if position is None else self._world.cache.position_id(position.opening_order_id)
        return position_id if known is None else known

    def _cancel(self, order_id: str, now: int) -> None:
        self._arrived = True
        client_order_id = ClientOrderId(order_id)
        if self._world.cache.order(client_order_id) is None:
            rejection = _forgotten(client_order_id, RejectionReason.TOO_LATE_TO_CANCEL)
            self.reporter.port.cancel_refused(order_id, now, rejection)
            return
        self.reporter.asked_to_cancel = order_id
        self._world.cancel(client_order_id, now)
        self.reporter.flush()
        self.reporter.asked_to_cancel = None

    def _modify(self, order_id: str, change: OrderChange, now: int) -> None:
        self._arrived = True
        client_order_id = ClientOrderId(order_id)
        order = self._world.cache.order(client_order_id)
        if order is None:
            rejection = _forgotten(client_order_id, RejectionReason.TOO_LATE_TO_MODIFY)
            self.reporter.port.modify_refused(order_id, now, rejection)
            return
        told = None if order.is_closed else self.reporter.told.get(order_id)
        if told is not None and change.quantity is not None and change.quantity <= told.filled:
            message = f"quantity {change.quantity} is not above what was matched ({told.filled})"
            if change.quantity < told.filled:  # in the words of the versions that refuse it themselves
                message = f"Cannot reduce order quantity {change.quantity} below filled quantity {told.filled}"
            reason = RejectionReason.TOO_LATE_TO_MODIFY
            rejection = Rejection(reason, message, RefusedBy.VENUE, None, change.quantity, told.filled)
            self.reporter.port.modify_refused(order_id, now, rejection)
            return
        self.reporter.asked_to_modify = order_id
        instrument = self._world.cache.instrument(order.instrument_id)
        size, tick = instrument.size_precision, instrument.price_precision
        self._world.modify(
            client_order_id,
            now,
            quantity=None if change.quantity is None else Quantity.from_str(_digits(change.quantity, size)),
            price=None if change.limit_price is None else Price.from_str(_digits(change.limit_price, tick)),
            trigger_price=None if change.stop_price is None else Price.from_str(_digits(change.stop_price, tick)),
        )
        self.reporter.flush()
        self.reporter.asked_to_modify = None


def _forgotten(client_order_id: Any, reason: RejectionReason) -> Rejection:
    """Say, in the venue's own words, that an order ended before a checkpoint that the venue was restored from."""
    return Rejection(reason, f"{client_order_id!r} not found", RefusedBy.VENUE)


def _digits(value: Decimal, precision: int) -> str:
    """Write a number with as many digits as its instrument shows, or with those it has where they are more."""
    shown = f"{value:.{precision}f}"
    return shown if Decimal(shown) == value else f"{value:f}"

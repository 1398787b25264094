"""The near port of the gate: what a venue says, each time with when it happened there.

The methods only build the event; `report` decides what becomes of it. The gate sends it down the report leg; an
:class:`Outbox` keeps it until a whole bar is matched, and hands everything on in time order.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from decimal import Decimal
from typing import TYPE_CHECKING

from seatrial.contracts.events import (
    AccountAdjusted,
    CancelRefused,
    ModifyRefused,
    OrderAccepted,
    OrderCancelled,
    OrderChange,
    OrderExecution,
    OrderExpired,
    OrderRejected,
    OrderReplaced,
    OrderTriggered,
)

if TYPE_CHECKING:
    from seatrial.contracts.events import OrderEvent
    from seatrial.contracts.rejection import Rejection
    from seatrial.contracts.terms import Liquidity

__all__ = ["Outbox", "ReportPort"]

_ZERO = Decimal(0)


class ReportPort(ABC):
    """What a venue may report. Times are UNIX ns UTC at the venue; `native` travels along untouched."""

    __slots__ = ()

    @abstractmethod
    def report(self, event: OrderEvent | AccountAdjusted, native: object = None) -> None:
        """Take an event whose `reported_at` is still its `timestamp`."""

    def accepted(self, order_id: str, timestamp: int, native: object = None) -> None:
        """The order works at the venue."""
        self.report(OrderAccepted(order_id, timestamp, timestamp), native)

    def rejected(self, order_id: str, timestamp: int, rejection: Rejection, native: object = None) -> None:
        """The venue refused the order."""
        self.report(OrderRejected(order_id, timestamp, timestamp, rejection), native)

    def triggered(self, order_id: str, timestamp: int, price: Decimal, native: object = None) -> None:
        """The order met its trigger at `price`."""
        self.report(OrderTriggered(order_id, timestamp, timestamp, price), native)

    def filled(
        self,
        order_id: str,
        timestamp: int,
        quantity: Decimal,
        price: Decimal,
        commission: Decimal,
        *,
        is_partial: bool,
        liquidity: Liquidity,
        native: object = None,
    ) -> None:
        """One match: `quantity` units at `price` for `commission` (currency); exactly one report of it travels back."""
        event = OrderExecution(order_id, timestamp, timestamp, "", quantity, price, commission, is_partial, liquidity)
        self.report(event, native)

    def replaced(
        self, order_id: str, timestamp: int, change: OrderChange, *, requested: bool = True, native: object = None
    ) -> None:
        """The order works under new terms; `requested` is false where the venue changed it by itself."""
        self.report(OrderReplaced(order_id, timestamp, timestamp, change, requested), native)

    def cancelled(
        self, order_id: str, timestamp: int, rejection: Rejection | None = None, native: object = None
    ) -> None:
        """The order ended with its rest unfilled; `rejection` says why if nobody asked for it."""
        self.report(OrderCancelled(order_id, timestamp, timestamp, rejection), native)

    def expired(self, order_id: str, timestamp: int, native: object = None) -> None:
        """The order's time in force ran out."""
        self.report(OrderExpired(order_id, timestamp, timestamp), native)

    def cancel_refused(self, order_id: str, timestamp: int, rejection: Rejection, native: object = None) -> None:
        """A cancel came too late."""
        self.report(CancelRefused(order_id, timestamp, timestamp, rejection), native)

    def modify_refused(self, order_id: str, timestamp: int, rejection: Rejection, native: object = None) -> None:
        """A modify could not be done."""
        self.report(ModifyRefused(order_id, timestamp, timestamp, rejection), native)

    def adjusted(
        self,
        timestamp: int,
        cash: Decimal,
        cause: str,
        *,
        symbol: str | None = None,
        quantity: Decimal = _ZERO,
        native: object = None,
    ) -> None:
        """Cash (currency) or units of a symbol changed by something else than a fill."""
        self.report(AccountAdjusted(timestamp, timestamp, cash, cause, symbol, quantity), native)


class Outbox(ReportPort):
    """Keeps reports until they are flushed, then hands them on by time, equal times as they came."""

    __slots__ = ("_kept",)

    def __init__(self) -> None:
        """Start empty."""
        self._kept: list[tuple[OrderEvent | AccountAdjusted, object]] = []

    def report(self, event: OrderEvent | AccountAdjusted, native: object = None) -> None:
        """Keep an event."""
        self._kept.append((event, native))

    def flush(self, port: ReportPort) -> None:
        """Hand everything to `port`."""
        kept, self._kept = self._kept, []
        kept.sort(key=lambda one: one[0].timestamp)
        for event, native in kept:
            port.report(event, native)

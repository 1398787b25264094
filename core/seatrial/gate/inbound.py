"""The report leg: what a venue says, sent down the wire to the client.

Fills travel on the fill leg, all else on the ack leg, and no report overtakes another.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec.structs import replace

from seatrial.contracts.events import AccountAdjusted, OrderAccepted, OrderExecution
from seatrial.gate.reports import ReportPort

if TYPE_CHECKING:
    from decimal import Decimal

    from seatrial.contracts.events import OrderEvent
    from seatrial.contracts.terms import Liquidity
    from seatrial.gate.wire import Wire

__all__ = ["ReportLeg"]


class ReportLeg(ReportPort):
    """A port whose reports travel on `wire`."""

    def __init__(self, wire: Wire) -> None:
        """Report down `wire`."""
        self.wire = wire
        """What is under way, for whoever drives time."""

    def report(self, event: OrderEvent | AccountAdjusted, native: object = None) -> None:
        """Send what the venue says down the report leg: fills on the fill leg, all else on the ack leg."""
        wire = self.wire
        timestamp = event.timestamp
        if isinstance(event, OrderExecution):
            n, delay = wire.next_fill(event.order_id, partial=event.is_partial)
            due = wire.reports.due(timestamp + delay)
            event = replace(event, reported_at=due, execution_id=event.execution_id or f"{event.order_id}/{n}")
        else:
            # an adjustment is no leg's message: it travels with whatever is before it
            delay = 0 if isinstance(event, AccountAdjusted) else wire.ack_delay_of(event.order_id)
            due = wire.reports.due(timestamp + delay)
            if due != timestamp:
                event = replace(event, reported_at=due)
        wire.reports.push(due, event, native)

    def accepted(self, order_id: str, timestamp: int, native: object = None) -> None:
        """The order works at the venue."""
        wire = self.wire
        reports = wire.reports
        delay = wire.ack_delay
        if delay is None:
            delay = wire.ack_delay_of(order_id)
        due = timestamp + delay if delay else timestamp
        if due < reports.last:
            due = reports.last
        else:
            reports.last = due
        if not reports.messages:
            reports.head = due
        reports.messages.append((due, OrderAccepted(order_id, timestamp, due), native))

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
        wire = self.wire
        reports = wire.reports
        n, delay = wire.next_fill(order_id, partial=is_partial)
        due = timestamp + delay if delay else timestamp
        if due < reports.last:
            due = reports.last
        else:
            reports.last = due
        execution_id = order_id + "/1" if n == 1 else f"{order_id}/{n}"  # most orders have one fill: spare the format
        execution = OrderExecution(
            order_id, timestamp, due, execution_id, quantity, price, commission, is_partial, liquidity
        )
        if not reports.messages:
            reports.head = due
        reports.messages.append((due, execution, native))

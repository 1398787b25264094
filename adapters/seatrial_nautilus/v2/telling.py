"""What the trader is told: the gate's events, when they are reported, as NautilusTrader 2.0's.

An order that the trader's cache does not know (it was on its way when the node was killed, or the gate sent it itself)
is told by reports, from which NautilusTrader makes it; what happens to it later is told as of any other.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec
from nautilus_trader.model import ClientOrderId

from seatrial.contracts.events import (
    CancelRefused,
    Event,
    ModifyRefused,
    OrderAccepted,
    OrderCancelled,
    OrderDenied,
    OrderExecution,
    OrderExpired,
    OrderRejected,
    OrderReplaced,
    OrderSubmitted,
    OrderTriggered,
)
from seatrial.contracts.rejection import RejectionReason
from seatrial_nautilus.v2.reports import trade_id, venue_order_id
from seatrial_nautilus.v2.words import LIQUIDITY_SIDES, TRIGGERING

if TYPE_CHECKING:
    from collections.abc import Callable

    from seatrial.contracts.orders import Order
    from seatrial.contracts.rejection import Rejection
    from seatrial_nautilus.v2.reports import Reporter

__all__ = ["Teller", "reason_text"]


def reason_text(rejection: Rejection) -> str:
    """Return a refusal as the JSON that stands in NautilusTrader's reason."""
    return msgspec.json.encode(rejection).decode()


class Teller:
    """Makes the events of one execution client's trader."""

    def __init__(self, client: Any, reporter: Reporter) -> None:
        """Tell through `client`."""
        self._client = client
        self._reporter = reporter
        self._tell: dict[type, Callable[[Any, Order, Any], None]] = {
            OrderSubmitted: self._submitted,
            OrderDenied: self._denied,
            OrderAccepted: self._accepted,
            OrderRejected: self._rejected,
            OrderTriggered: self._triggered,
            OrderExecution: self._filled,
            OrderReplaced: self._replaced,
            OrderCancelled: self._cancelled,
            OrderExpired: self._expired,
            CancelRefused: self._cancel_refused,
            ModifyRefused: self._modify_refused,
        }

    def tell(self, event: Event, order: Order, latest: Order) -> None:
        """Tell the trader of an `event`, with the `order` as it then stood, and as it stands by now."""
        tell = self._tell.get(type(event))
        if tell is None:  # a request that the trader made itself, or the gate for it
            return
        known = self._client.cache.order(ClientOrderId(order.order_id))
        if known is not None:
            tell(event, order, known)
        elif not isinstance(event, OrderSubmitted | OrderDenied):
            now = self._client.clock.timestamp_ns()
            report = self._reporter.order(latest, now, self._client.groups())
            self._client._handle_report(report, self._reporter.fills(latest, now))

    def _submitted(self, event: OrderSubmitted, order: Order, known: Any) -> None:  # noqa: ARG002 - one signature for all
        self._client.generate_order_submitted(known)

    def _denied(self, event: OrderDenied, order: Order, known: Any) -> None:  # noqa: ARG002 - as above
        self._client.generate_order_denied(known, reason_text(event.rejection))

    def _accepted(self, event: OrderAccepted, order: Order, known: Any) -> None:
        self._client.generate_order_accepted(known, venue_order_id(order.order_id), event.timestamp)

    def _rejected(self, event: OrderRejected, order: Order, known: Any) -> None:  # noqa: ARG002 - as above
        post_only = event.rejection.reason is RejectionReason.POST_ONLY_WOULD_TAKE
        self._client.generate_order_rejected(known, reason_text(event.rejection), event.timestamp, post_only)

    def _triggered(self, event: OrderTriggered, order: Order, known: Any) -> None:
        if order.order_type in TRIGGERING:
            self._client.generate_order_triggered(known, venue_order_id(order.order_id), event.timestamp)

    def _filled(self, event: OrderExecution, order: Order, known: Any) -> None:
        reporter = self._reporter
        self._client.generate_order_filled(
            known,
            venue_order_id(order.order_id),
            None,
            trade_id(event.execution_id),
            reporter.quantity(order.symbol, event.quantity),
            reporter.price(order.symbol, event.price),
            self._client.base_currency,
            reporter.commission(event.commission),
            LIQUIDITY_SIDES[event.liquidity],
            event.timestamp,
        )

    def _replaced(self, event: OrderReplaced, order: Order, known: Any) -> None:
        reporter, symbol = self._reporter, order.symbol
        self._client.generate_order_updated(
            known,
            venue_order_id(order.order_id),
            reporter.quantity(symbol, order.quantity),
            reporter.price(symbol, order.limit_price),
            reporter.price(symbol, order.stop_price),
            None,
            event.timestamp,
        )

    def _cancelled(self, event: OrderCancelled, order: Order, known: Any) -> None:
        self._client.generate_order_canceled(known, venue_order_id(order.order_id), event.timestamp)

    def _expired(self, event: OrderExpired, order: Order, known: Any) -> None:
        self._client.generate_order_expired(known, venue_order_id(order.order_id), event.timestamp)

    def _cancel_refused(self, event: CancelRefused, order: Order, known: Any) -> None:
        reason = reason_text(event.rejection)
        self._client.generate_order_cancel_rejected(known, venue_order_id(order.order_id), reason, event.timestamp)

    def _modify_refused(self, event: ModifyRefused, order: Order, known: Any) -> None:
        reason = reason_text(event.rejection)
        self._client.generate_order_modify_rejected(known, venue_order_id(order.order_id), reason, event.timestamp)

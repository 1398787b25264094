"""What the trader is told: NautilusTrader's own events, made anew at the moment a report arrives.

`ts_event` is when it happened at the venue, `ts_init` when the trader learned of it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec
from nautilus_trader.core.uuid import UUID4
from nautilus_trader.model.events import (
    OrderAccepted,
    OrderCanceled,
    OrderCancelRejected,
    OrderDenied,
    OrderExpired,
    OrderFilled,
    OrderModifyRejected,
    OrderRejected,
    OrderSubmitted,
    OrderTriggered,
    OrderUpdated,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from seatrial.contracts.rejection import Rejection

__all__ = ["Teller", "reason_text"]


class Teller:
    """Makes the events of one execution client's trader, and sends them."""

    def __init__(self, client: Any, *, names_positions: bool) -> None:
        """Send through `client.send_event`; positions get the venue's ids where it `names_positions`."""
        self._client = client
        self._names_positions = names_positions
        self._tell: dict[Any, Callable[[Any], Any]] = {
            OrderRejected: self._rejected,
            OrderFilled: self._filled,
            OrderUpdated: self._updated,
            **dict.fromkeys((OrderAccepted, OrderTriggered, OrderCanceled, OrderExpired), self._plain),
            **dict.fromkeys((OrderModifyRejected, OrderCancelRejected), self._refused),
        }

    def tell(self, event: Any) -> None:
        """Tell the trader of an event of the venue."""
        self._client.send_event(self._tell[type(event)](event))

    def submitted(self, order: Any, now: int) -> None:
        """The order left."""
        client = self._client
        self._client.send_event(OrderSubmitted(client.trader_id, *_of(order), client.account_id, UUID4(), now, now))

    def denied(self, order: Any, rejection: Rejection | None, now: int) -> None:
        """The gate refused the order; the reason is a :class:`~seatrial.contracts.rejection.Rejection` as JSON."""
        reason = reason_text(rejection)
        self._client.send_event(OrderDenied(self._client.trader_id, *_of(order), reason, UUID4(), now))

    def modify_refused(self, order: Any, reason: str, ts: int) -> None:
        """A modify never left, or came to nothing."""
        self._no(OrderModifyRejected, order, reason, ts)

    def cancel_refused(self, order: Any, reason: str, ts: int) -> None:
        """A cancel never left, or came to nothing."""
        self._no(OrderCancelRejected, order, reason, ts)

    def _no(self, kind: Any, order: Any, reason: str, ts: int) -> None:
        client = self._client
        head = (client.trader_id, *_of(order), order.venue_order_id, client.account_id)
        client.send_event(kind(*head, reason, UUID4(), ts, client.timestamp_ns()))

    # -- what the venue said ---------------------------------------------------------------------------------------

    def _head(self, event: Any) -> tuple[Any, ...]:
        return (self._client.trader_id, *_of(event), event.venue_order_id, self._client.account_id)

    def _plain(self, event: Any) -> Any:
        return type(event)(*self._head(event), UUID4(), event.ts_event, self._client.timestamp_ns())

    def _refused(self, event: Any) -> Any:
        return type(event)(*self._head(event), event.reason, UUID4(), event.ts_event, self._client.timestamp_ns())

    def _rejected(self, event: Any) -> Any:
        return OrderRejected(
            self._client.trader_id,
            *_of(event),
            self._client.account_id,
            event.reason,
            UUID4(),
            event.ts_event,
            self._client.timestamp_ns(),
            due_post_only=bool(event.due_post_only),
        )

    def _updated(self, event: Any) -> Any:
        changed = (event.quantity, event.price, event.trigger_price)
        return OrderUpdated(*self._head(event), *changed, UUID4(), event.ts_event, self._client.timestamp_ns())

    def _filled(self, event: Any) -> Any:
        return OrderFilled(
            *self._head(event),
            event.trade_id,
            event.position_id if self._names_positions else None,
            event.order_side,
            event.order_type,
            event.last_qty,
            event.last_px,
            event.currency,
            event.commission,
            event.liquidity_side,
            UUID4(),
            event.ts_event,
            self._client.timestamp_ns(),
        )


def reason_text(rejection: Rejection | None) -> str:
    """Return a refusal as the JSON that stands in NautilusTrader's reason."""
    return "" if rejection is None else msgspec.json.encode(rejection).decode()


def _of(one: Any) -> tuple[Any, Any, Any]:
    return one.strategy_id, one.instrument_id, one.client_order_id

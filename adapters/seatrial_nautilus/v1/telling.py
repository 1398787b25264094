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
    OrderExpired,
    OrderFilled,
    OrderModifyRejected,
    OrderRejected,
    OrderTriggered,
    OrderUpdated,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from seatrial.contracts.rejection import Rejection

__all__ = ["Teller", "reason_text"]

_BY_VENUE_ORDER: dict[Any, str] = {
    OrderAccepted: "generate_order_accepted",
    OrderTriggered: "generate_order_triggered",
    OrderCanceled: "generate_order_canceled",
    OrderExpired: "generate_order_expired",
}
_REFUSALS: dict[Any, str] = {
    OrderModifyRejected: "generate_order_modify_rejected",
    OrderCancelRejected: "generate_order_cancel_rejected",
}


class Teller:
    """Lets one execution client make its trader's events."""

    def __init__(self, client: Any, *, names_positions: bool) -> None:
        """Speak through `client`; positions get the venue's ids where it `names_positions`."""
        self._client = client
        self._names_positions = names_positions
        self._tell: dict[Any, Callable[[Any], None]] = {
            OrderRejected: self._rejected,
            OrderFilled: self._filled,
            OrderUpdated: self._updated,
            **dict.fromkeys(_BY_VENUE_ORDER, self._plain),
            **dict.fromkeys(_REFUSALS, self._refused),
        }

    def tell(self, event: Any) -> None:
        """Tell the trader of an event of the venue."""
        self._tell[type(event)](event)

    def submitted(self, order: Any, now: int) -> None:
        """The order left."""
        self._client.generate_order_submitted(order.strategy_id, order.instrument_id, order.client_order_id, now)

    def denied(self, order: Any, rejection: Rejection | None, now: int) -> None:
        """The gate refused the order; the reason is a :class:`~seatrial.contracts.rejection.Rejection` as JSON."""
        reason = reason_text(rejection)
        self._client.generate_order_denied(order.strategy_id, order.instrument_id, order.client_order_id, reason, now)

    def modify_refused(self, order: Any, reason: str, now: int) -> None:
        """A modify never left, or came to nothing."""
        self._client.generate_order_modify_rejected(*_of(order), order.venue_order_id, reason, now)

    def cancel_refused(self, order: Any, reason: str, now: int) -> None:
        """A cancel never left."""
        self._client.generate_order_cancel_rejected(*_of(order), order.venue_order_id, reason, now)

    # -- what the venue said ---------------------------------------------------------------------------------------

    def _plain(self, event: Any) -> None:
        tell = getattr(self._client, _BY_VENUE_ORDER[type(event)])
        tell(*_of(event), event.venue_order_id, event.ts_event)

    def _refused(self, event: Any) -> None:
        tell = getattr(self._client, _REFUSALS[type(event)])
        tell(*_of(event), event.venue_order_id, event.reason, event.ts_event)

    def _rejected(self, event: Any) -> None:
        post_only = bool(getattr(event, "due_post_only", False))
        self._client.generate_order_rejected(*_of(event), event.reason, event.ts_event, post_only)

    def _updated(self, event: Any) -> None:
        """Say that an order was changed; an exit that waits for its entry has no id of the venue's yet."""
        client = self._client
        updated = OrderUpdated(
            client.trader_id,
            *_of(event),
            event.venue_order_id,
            client.account_id,
            event.quantity,
            event.price,
            event.trigger_price,
            UUID4(),
            event.ts_event,
            client.timestamp_ns(),
        )
        client.send_event(updated)

    def _filled(self, event: Any) -> None:
        self._client.generate_order_filled(
            *_of(event),
            event.venue_order_id,
            event.position_id if self._names_positions else None,
            event.trade_id,
            event.order_side,
            event.order_type,
            event.last_qty,
            event.last_px,
            event.currency,
            event.commission,
            event.liquidity_side,
            event.ts_event,
        )


def reason_text(rejection: Rejection | None) -> str:
    """Return a refusal as the JSON that stands in NautilusTrader's reason."""
    return "" if rejection is None else msgspec.json.encode(rejection).decode()


def _of(one: Any) -> tuple[Any, Any, Any]:
    return one.strategy_id, one.instrument_id, one.client_order_id

"""What happened to one order, event by event, in plain words."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

from msgspec.structs import asdict

from seatrial.contracts.events import (
    CancelRefused,
    CancelRequested,
    ModifyRefused,
    ModifyRequested,
    OrderAccepted,
    OrderCancelled,
    OrderChange,
    OrderDenied,
    OrderExecution,
    OrderExpired,
    OrderRejected,
    OrderReplaced,
    OrderSubmitted,
    OrderTriggered,
)
from seatrial.contracts.terms import OrderSide
from seatrial.report.delays import exchanges
from seatrial.report.words import duration, plain, shown_price

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from seatrial.contracts.engine import Decision
    from seatrial.contracts.events import OrderEvent
    from seatrial.contracts.orders import Order
    from seatrial.contracts.rejection import Rejection

__all__ = ["Teller", "refusal_lines"]

_ZERO = Decimal(0)


class Teller:
    """Tells the events of one order; each becomes a line, with more lines below it where a refusal explains itself."""

    def __init__(self, order: Order, history: Sequence[OrderEvent], decision: Decision | None) -> None:
        """Know the order at its end, its events as they were told, and what the market showed for it."""
        self._order = order
        self._decided = None if decision is None else decision.decided
        self._arrived = None if decision is None else decision.arrived
        self._sent = next((event.timestamp for event in history if isinstance(event, OrderSubmitted)), None)
        self._asked = {id(answer): request.timestamp for request, answer in exchanges(history)}
        self._met = False
        self._tell: dict[type, Callable[..., list[str]]] = {
            OrderSubmitted: self._submitted,
            OrderDenied: self._denied,
            OrderAccepted: self._accepted,
            OrderRejected: self._rejected,
            OrderTriggered: self._triggered,
            OrderExecution: self._filled,
            CancelRequested: self._cancel_requested,
            CancelRefused: self._cancel_refused,
            OrderCancelled: self._cancelled,
            ModifyRequested: self._modify_requested,
            ModifyRefused: self._modify_refused,
            OrderReplaced: self._replaced,
            OrderExpired: self._expired,
        }

    def tell(self, event: OrderEvent) -> list[str]:
        """Return the lines of one event, without its time."""
        return self._tell[type(event)](event)

    # -- out -------------------------------------------------------------------------------------------------------

    def _submitted(self, event: OrderSubmitted) -> list[str]:  # noqa: ARG002 - as its siblings
        order = self._order
        waits = f"; it waits at the venue for {order.parent_id} to fill" if order.parent_id is not None else ""
        return [f"sent by {order.strategy_id}; {_shown(self._decided)}{waits}"]

    def _denied(self, event: OrderDenied) -> list[str]:
        first = f"refused by the gate, so it never left; {_shown(self._decided)}"
        return [first, *refusal_lines(event.rejection)]

    def _cancel_requested(self, event: CancelRequested) -> list[str]:  # noqa: ARG002 - as its siblings
        return ["cancel sent"]

    def _modify_requested(self, event: ModifyRequested) -> list[str]:
        return [f"change asked for: {_change(event.change)}"]

    # -- back ------------------------------------------------------------------------------------------------------

    def _accepted(self, event: OrderAccepted) -> list[str]:
        return [f"at the venue{self._since_sent(event)}; {_shown(self._arrived)}{self._moved()}{_known(event)}"]

    def _rejected(self, event: OrderRejected) -> list[str]:
        first = f"refused by the {event.rejection.refused_by}"
        if not self._met:
            first += f"{self._since_sent(event)}; {_shown(self._arrived)}{self._moved()}"
        return [f"{first}{_known(event)}", *refusal_lines(event.rejection)]

    def _triggered(self, event: OrderTriggered) -> list[str]:
        return [f"triggered: the market showed {shown_price(event.price)}{_known(event)}"]

    def _filled(self, event: OrderExecution) -> list[str]:
        part = ", in part" if event.is_partial else ""
        against = ""
        if self._arrived is not None:
            against = f", {_difference(self._order.side, self._arrived, event.price)} arrival"
        price = f"{plain(event.quantity)} at {shown_price(event.price)}"
        return [f"filled {price}{part} ({event.liquidity}{against}), fee {plain(event.commission)}{_known(event)}"]

    def _cancel_refused(self, event: CancelRefused) -> list[str]:
        first = f"cancel refused by the {event.rejection.refused_by}{self._since_asked(event)}{_known(event)}"
        return [first, *refusal_lines(event.rejection)]

    def _cancelled(self, event: OrderCancelled) -> list[str]:
        if event.rejection is None:
            return [f"cancelled at the venue{self._since_asked(event)}{_known(event)}"]
        first = f"ended by the {event.rejection.refused_by}, its rest unfilled{_known(event)}"
        return [first, *refusal_lines(event.rejection)]

    def _modify_refused(self, event: ModifyRefused) -> list[str]:
        first = f"change refused by the {event.rejection.refused_by}{self._since_asked(event)}{_known(event)}"
        return [first, *refusal_lines(event.rejection)]

    def _replaced(self, event: OrderReplaced) -> list[str]:
        if not event.requested:
            return [f"changed by the venue itself: {_change(event.change)}{_known(event)}"]
        return [f"changed at the venue{self._since_asked(event)}: {_change(event.change)}{_known(event)}"]

    def _expired(self, event: OrderExpired) -> list[str]:
        return [f"expired at the venue ({self._order.time_in_force}){_known(event)}"]

    # -- phrases ---------------------------------------------------------------------------------------------------

    def _since_sent(self, event: OrderEvent) -> str:
        self._met = True
        return "" if self._sent is None else f", {duration(event.timestamp - self._sent)} after it was sent"

    def _since_asked(self, event: OrderEvent) -> str:
        asked = self._asked.get(id(event))
        return "" if asked is None else f", {duration(event.timestamp - asked)} after it was asked for"

    def _moved(self) -> str:
        if self._decided is None or self._arrived is None:
            return ""
        return f", {_difference(self._order.side, self._decided, self._arrived)} decision"


def refusal_lines(rejection: Rejection) -> list[str]:
    """Return a refusal below the line that tells of it: the reason and who gave it, the words, the numbers."""
    rule = f", rule {rejection.rule}" if rejection.rule is not None else ""
    lines = [f"reason: {rejection.reason}{rule}", rejection.message]
    if rejection.value is not None:
        limit = "" if rejection.limit is None else f", limit: {plain(rejection.limit)}"
        lines.append(f"value: {plain(rejection.value)}{limit}")
    return [f"    {line}" for line in lines]


def _shown(price: Decimal | None) -> str:
    return "no price was known yet" if price is None else f"the market showed {shown_price(price)}"


def _difference(side: OrderSide, before: Decimal, after: Decimal) -> str:
    """Return how much worse or better a price became for a side; what follows names the moment it is compared with."""
    worse = after - before if side is OrderSide.BUY else before - after
    if worse == _ZERO:
        return "as at"
    return f"{shown_price(abs(worse))} {'worse' if worse > _ZERO else 'better'} than at"


def _known(event: OrderEvent) -> str:
    delay = event.reported_at - event.timestamp
    return f"; known {duration(delay)} later" if delay else ""


def _change(change: OrderChange) -> str:
    changed = {name: value for name, value in asdict(change).items() if value is not None}
    return ", ".join(f"{name.replace('_', ' ')} {value:f}" for name, value in changed.items())

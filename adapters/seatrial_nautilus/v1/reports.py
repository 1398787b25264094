"""What the venue's world makes happen, said to the gate in the gate's words.

Each report carries NautilusTrader's own event as its native payload, which the trader gets when the report arrives. The
gate knows two things that NautilusTrader leaves out: an order is accepted before anything else is said of it, and an
end that nobody asked for has a reason.
"""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any, TypeAlias

import msgspec
from nautilus_trader.model.enums import ContingencyType, LiquiditySide, OrderType, TimeInForce
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

from seatrial.contracts.events import OrderChange
from seatrial.contracts.rejection import RefusedBy, Rejection, RejectionReason
from seatrial.contracts.terms import Liquidity

if TYPE_CHECKING:
    from collections.abc import Callable

    from seatrial.gate.reports import ReportPort

__all__ = ["Reporter", "Told", "refused"]

_Said: TypeAlias = "tuple[str, Callable[..., None], tuple[Any, ...], dict[str, Any]]"
"""A report that is still to be made: the order it is about, how, and what it says."""

_NOTHING = OrderChange()
_ZERO = Decimal(0)
_AT_ONCE = frozenset({TimeInForce.IOC, TimeInForce.FOK})
_REASONS = (
    ("REDUCING", RejectionReason.RISK_REDUCE_ONLY),
    ("TradingState", RejectionReason.RISK_TRADING_DISABLED),
    ("Reduce only order would increase", RejectionReason.WOULD_NOT_REDUCE),
    ("Instrument for", RejectionReason.INVALID_SYMBOL),
    ("MAX_ORDER_SUBMIT_RATE", RejectionReason.RISK_RULE),
    ("NOTIONAL_EXCEEDS_MAX_PER_ORDER", RejectionReason.RISK_RULE),
    ("POST_ONLY", RejectionReason.POST_ONLY_WOULD_TAKE),
    ("REDUCE_ONLY", RejectionReason.WOULD_NOT_REDUCE),
    ("was in the market", RejectionReason.INVALID_PRICE),
    ("Invalid price", RejectionReason.INVALID_PRICE),
    ("price precision", RejectionReason.INVALID_PRICE),
    ("size precision", RejectionReason.INVALID_QUANTITY),
    ("not yet active", RejectionReason.MARKET_CLOSED),
    ("has expired", RejectionReason.MARKET_CLOSED),
    ("REJECT OTO", RejectionReason.GROUP_ENDED),
    ("already closed", RejectionReason.GROUP_ENDED),
    ("not found", RejectionReason.TOO_LATE_TO_MODIFY),
    ("SHORT SELLING", RejectionReason.INSUFFICIENT_FUNDS),
    ("FREE_BALANCE", RejectionReason.INSUFFICIENT_FUNDS),
    ("QUANTITY_", RejectionReason.INVALID_QUANTITY),
    ("quantity", RejectionReason.INVALID_QUANTITY),
    ("price", RejectionReason.INVALID_PRICE),
)
"""What stands in a reason of the venue's or of NautilusTrader's risk engine, and what it means."""


class Told(msgspec.Struct):
    """What the gate has been or will be told of an order at the venue: its units, those filled, and how it stands."""

    quantity: Decimal
    filled: Decimal = _ZERO
    accepted: bool = False
    cancelled: bool = False


class Reporter:
    """Turns the world's events into reports of one gate.

    `asked_to_cancel` and `asked_to_modify` are the ids of the orders the venue is being asked about at the moment.
    """

    def __init__(self, port: ReportPort, find: Callable[[Any], Any]) -> None:
        """Report to `port`; `find` returns the venue's own order by NautilusTrader's id."""
        self.port = port
        """Where reports go."""
        self._find = find
        self.said: list[_Said] = []
        """What was heard and is not reported yet."""
        self._ended_now: set[str] = set()
        self.told: dict[str, Told] = {}
        """The orders at the venue that have not ended."""
        self.asked_to_cancel: str | None = None
        self.asked_to_modify: str | None = None
        self._tell: dict[Any, Callable[[Any, str, int, Told], None]] = {
            OrderAccepted: self._accepted,
            OrderRejected: self._rejected,
            OrderTriggered: self._triggered,
            OrderFilled: self._filled,
            OrderUpdated: self._updated,
            OrderCanceled: self._cancelled,
            OrderExpired: self._expired,
            OrderCancelRejected: self._cancel_refused,
            OrderModifyRejected: self._modify_refused,
        }

    def placed(self, order_id: str, quantity: Decimal) -> None:
        """An order is about to arrive."""
        self.told[order_id] = Told(quantity)

    def hear(self, event: Any) -> None:
        """Take an event of the world; it is reported by :meth:`flush`.

        What the exchange says of an order after its end is no news, but that a request came too late.
        """
        order_id, kind = event.client_order_id.value, type(event)
        told = self.told.get(order_id)
        if told is not None:
            self._tell[kind](event, order_id, event.ts_event, told)
        elif kind is OrderCancelRejected:
            self._cancel_refused(event, order_id, event.ts_event)
        elif kind is OrderModifyRejected and self.asked_to_modify == order_id:
            self._modify_refused(event, order_id, event.ts_event)

    def flush(self) -> None:
        """Report what was heard since the last call, in the order in which it happened.

        Where the exchange went on with an order it had just cancelled, the cancel comes last.
        """
        said, self.said = self.said, []
        if self._ended_now:
            said = self._cancels_last(said)
        for _, tell, arguments, named in said:
            tell(*arguments, **named)

    def _cancels_last(self, said: list[_Said]) -> list[_Said]:
        """Return reports with each cancel after all else about its order, and none of what was filled after all."""
        kept: list[_Said] = []
        for n, one in enumerate(said):
            order_id = one[0]
            if one[1] != self.port.cancelled or order_id not in self._ended_now:
                kept.append(one)
            elif any(other[0] == order_id for other in said[n + 1 :]):
                said.append(one)
            elif self.told.pop(order_id, None) is not None:
                kept.append(one)
        self._ended_now.clear()
        return kept

    def _say(self, order_id: str, tell: Callable[..., None], *arguments: Any, **named: Any) -> None:
        self.said.append((order_id, tell, (order_id, *arguments), named))

    def _accept(self, order_id: str, ts: int, told: Told) -> None:
        if not told.accepted:
            told.accepted = True
            self._say(order_id, self.port.accepted, ts)

    def _accepted(self, event: Any, order_id: str, ts: int, told: Told) -> None:
        if told.accepted:  # it was filled or changed before the venue got round to saying so
            self._say(order_id, self.port.replaced, ts, _NOTHING, requested=False, native=event)
            return
        told.accepted = True
        self._say(order_id, self.port.accepted, ts, native=event)

    def _rejected(self, event: Any, order_id: str, ts: int, told: Told) -> None:
        del self.told[order_id]
        end = self.port.cancelled if told.filled else self.port.rejected
        self._say(order_id, end, ts, refused(event.reason), native=event)

    def _triggered(self, event: Any, order_id: str, ts: int, told: Told) -> None:
        self._accept(order_id, ts, told)
        price = self._find(event.client_order_id).trigger_price.as_decimal()
        self._say(order_id, self.port.triggered, ts, price, native=event)

    def _filled(self, event: Any, order_id: str, ts: int, told: Told) -> None:
        self._accept(order_id, ts, told)
        quantity = event.last_qty.as_decimal()
        told.filled += quantity
        is_partial = told.filled < told.quantity
        if not is_partial:
            del self.told[order_id]
        self._say(
            order_id,
            self.port.filled,
            ts,
            quantity,
            event.last_px.as_decimal(),
            event.commission.as_decimal(),
            is_partial=is_partial,
            liquidity=Liquidity.MAKER if event.liquidity_side == LiquiditySide.MAKER else Liquidity.TAKER,
            native=event,
        )

    def _updated(self, event: Any, order_id: str, ts: int, told: Told) -> None:
        self._accept(order_id, ts, told)
        requested = self.asked_to_modify == order_id
        if requested:
            self.asked_to_modify = None
        quantity = event.quantity.as_decimal()
        if quantity > told.filled:
            told.quantity = quantity
        change = OrderChange(
            # an order cut down to what it has filled waits for its cancel; the gate counts its rest until then
            quantity=quantity if quantity > told.filled else None,
            limit_price=None if _trails(self._find(event.client_order_id)) else _exact(event.price),
            stop_price=_exact(event.trigger_price),
        )
        self._say(order_id, self.port.replaced, ts, change, requested=requested, native=event)

    def _cancelled(self, event: Any, order_id: str, ts: int, told: Told) -> None:
        if told.cancelled:
            return
        told.cancelled = True
        self._ended_now.add(order_id)
        rejection = None
        if self.asked_to_cancel == order_id:
            self.asked_to_cancel = None
        else:
            rejection = _unasked(self._find(event.client_order_id))
        self._say(order_id, self.port.cancelled, ts, rejection, native=event)

    def _expired(self, event: Any, order_id: str, ts: int, told: Told) -> None:  # noqa: ARG002 - as its siblings
        del self.told[order_id]
        self._say(order_id, self.port.expired, ts, native=event)

    def _cancel_refused(self, event: Any, order_id: str, ts: int, told: Told | None = None) -> None:  # noqa: ARG002 - as above
        rejection = Rejection(RejectionReason.TOO_LATE_TO_CANCEL, event.reason, RefusedBy.VENUE)
        self._say(order_id, self.port.cancel_refused, ts, rejection, native=event)

    def _modify_refused(self, event: Any, order_id: str, ts: int, told: Told | None = None) -> None:
        if self.asked_to_modify != order_id:  # the venue failed to change it by itself
            if told is not None:
                self._accept(order_id, ts, told)
            self._say(order_id, self.port.replaced, ts, _NOTHING, requested=False, native=event)
            return
        self.asked_to_modify = None
        self._say(order_id, self.port.modify_refused, ts, refused(event.reason), native=event)


def _trails(order: Any) -> bool:
    """Return whether the limit of an order follows its stop, and is no term of its own."""
    return bool(order.order_type == OrderType.TRAILING_STOP_LIMIT)


def _exact(price: Any) -> Decimal | None:
    if price is None:
        return None
    exact: Decimal = price.as_decimal()
    return exact


def refused(words: str, by: RefusedBy = RefusedBy.VENUE, rule: str | None = None) -> Rejection:
    """Return a refusal in NautilusTrader's own words, with what they mean."""
    reason = next((reason for part, reason in _REASONS if part in words), RejectionReason.UNKNOWN)
    return Rejection(reason, words, by, rule)


def _unasked(order: Any) -> Rejection:
    """Say why the venue ended an order by itself."""
    if order.time_in_force in _AT_ONCE:
        return Rejection(RejectionReason.NOT_FILLED, "what was not filled at once is cancelled", RefusedBy.VENUE)
    if order.contingency_type != ContingencyType.NO_CONTINGENCY:
        return Rejection(RejectionReason.GROUP_ENDED, "an order of the same group ended", RefusedBy.VENUE)
    if order.is_reduce_only:
        return Rejection(RejectionReason.WOULD_NOT_REDUCE, "no position is left to reduce", RefusedBy.VENUE)
    return Rejection(RejectionReason.UNKNOWN, "the venue cancelled it by itself", RefusedBy.VENUE)

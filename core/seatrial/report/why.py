"""Why an order became what it is: its whole story in plain words, each line with its time.

The lines stand in the order in which things happened, which a client that waits for reports does not see.
"""

from __future__ import annotations

from decimal import Decimal
from difflib import get_close_matches
from typing import TYPE_CHECKING

from seatrial.contracts.events import (
    CancelRequested,
    ModifyRefused,
    OrderDenied,
    OrderEvent,
    OrderReplaced,
    OrderSubmitted,
    TradingStateChanged,
)
from seatrial.contracts.rejection import RejectionReason
from seatrial.contracts.terms import OrderStatus, TradingState
from seatrial.errors import SeatrialError
from seatrial.report.costs import add_up, fill_cost
from seatrial.report.delays import measure
from seatrial.report.story import Teller, refusal_lines
from seatrial.report.summary import multipliers
from seatrial.report.words import duration, money, plain, shown_price, stamp, terms

if TYPE_CHECKING:
    from collections.abc import Sequence

    from seatrial.contracts.engine import Decision, RunRecord
    from seatrial.contracts.events import Event
    from seatrial.contracts.orders import Order
    from seatrial.contracts.rejection import Rejection

__all__ = ["OrderNotRecordedError", "why"]

_ONE = Decimal(1)
_CLOSER = "flatten"
"""The strategy whose orders the gate sends itself, to close positions."""
_SWITCHED = frozenset({RejectionReason.RISK_TRADING_DISABLED, RejectionReason.RISK_REDUCE_ONLY})
_STATES = {
    TradingState.ACTIVE: "enabled",
    TradingState.REDUCE_ONLY: "restricted to reducing orders",
    TradingState.HALTED: "halted",
}


class OrderNotRecordedError(SeatrialError, LookupError):
    """An order id that a run's record does not have."""

    def __init__(self, order_id: str, known: Sequence[str]) -> None:
        """Keep the id and the closest ones among the `known`."""
        self.order_id = order_id
        self.close = tuple(get_close_matches(order_id, known, 3))
        if not known:
            hint = "it has no orders at all"
        elif self.close:
            hint = f"did you mean {' or '.join(map(repr, self.close))}?"
        else:
            hint = f"it has {len(known)}, such as {known[0]!r}"
        super().__init__(f"no order {order_id!r} in this run: {hint}")


def why(record: RunRecord, order_id: str) -> list[str]:
    """Return the story of an order as lines of text.

    :raises OrderNotRecordedError: for an id that the record does not have, naming the ones closest to it.
    """
    order = next((order for order in record.orders if order.order_id == order_id), None)
    if order is None:
        raise OrderNotRecordedError(order_id, [order.order_id for order in record.orders])
    decision = next((decision for decision in record.decisions if decision.order_id == order_id), None)
    told = [
        (at, one) for at, one in enumerate(record.events) if isinstance(one, OrderEvent) and one.order_id == order_id
    ]
    # A later refusal at the door was of another order under the same id: it is told, but not part of this one's life.
    history = [event for number, (_, event) in enumerate(told) if not number or not isinstance(event, OrderDenied)]
    own = {id(event) for event in history}
    teller = Teller(order, history, decision)
    changed = ", as last changed" if any(isinstance(event, OrderReplaced) for event in history) else ""
    lines = [f"{order_id}: {terms(order)}{changed}", f"    {_outcome(order)}"]
    for at, event in sorted(told, key=lambda one: one[1].timestamp):
        first, *rest = teller.tell(event) if id(event) in own else _namesake(event)
        lines += [f"{stamp(event.timestamp)}  {first}", *rest]
        lines += [f"    {line}" for line in _circumstances(record.events, at, order)]
    if not order.is_complete:
        lines.append(f"{stamp(record.ended)}  the run ended, and the order was still {order.status.replace('_', ' ')}")
    return lines + _totals(record, order, decision, history)


def _namesake(event: OrderEvent) -> list[str]:
    told = refusal_lines(event.rejection) if isinstance(event, OrderDenied) else []
    return ["another order under this id was refused by the gate", *told]


def _outcome(order: Order) -> str:
    status = order.status.replace("_", " ")
    filled = f"{plain(order.filled_quantity)} of {plain(order.quantity)}"
    if order.filled_quantity:
        mean = " on average" if len(order.executions) > 1 else ""
        price = f"{shown_price(order.avg_fill_price)}{mean}"
        outcome = f"filled {filled} at {price}, fees {plain(order.total_commission)}"
        return outcome if order.status is OrderStatus.FILLED else f"{status}; {outcome}"
    return status if order.rejection is None else f"{status}: {order.rejection.reason}"


# -- what the trading state had to do with it --------------------------------------------------------------------------


def _circumstances(events: Sequence[Event], at: int, order: Order) -> list[str]:
    """Return what the trading state had to do with the event at a place in the log, if anything."""
    event = events[at]
    if isinstance(event, OrderDenied | ModifyRefused):
        switch = _behind(events, at, event.rejection)
        if switch is not None:
            return [f"trading had been {_switched(switch, reasoned=switch.cause is None)}"]
        switch = _after(events, at, event.rejection)
        return [] if switch is None else [f"with that, trading was {_switched(switch, reasoned=False)}"]
    if isinstance(event, CancelRequested):
        switch = _just_before(events, at)
        return [] if switch is None else [f"trading had just been {_switched(switch)}"]
    if isinstance(event, OrderSubmitted) and order.strategy_id == _CLOSER:
        switches = (one for one in reversed(events[:at]) if isinstance(one, TradingStateChanged))
        switch = next((one for one in switches if one.cause is not None), None)
        return [] if switch is None else [f"the gate closes the position: trading was {_switched(switch)}"]
    return []


def _switched(switch: TradingStateChanged, *, reasoned: bool = True) -> str:
    by = switch.by if switch.cause is None else f"rule {switch.by}"
    reason = f": {switch.reason}" if reasoned else ""
    return f"{_STATES[switch.state]} at {stamp(switch.timestamp)} by {by}{reason}"


def _behind(events: Sequence[Event], at: int, rejection: Rejection) -> TradingStateChanged | None:
    """Return the change of the trading state that a refusal repeats, if it repeats one."""
    switches = [event for event in events[:at] if isinstance(event, TradingStateChanged)]
    rules = {switch.by for switch in switches if switch.cause is not None}
    for switch in reversed(switches):
        cause = switch.cause
        if switch.state is TradingState.ACTIVE:
            return None
        if cause is not None:
            numbers = (cause.rule, cause.value, cause.limit) == (rejection.rule, rejection.value, rejection.limit)
            if numbers and rejection.message.endswith(f": {cause.message}"):
                return switch
        elif rejection.reason in _SWITCHED and not rules.issuperset(switch.by.split(", ")):  # not the turn of a day
            return switch
    return None


def _after(events: Sequence[Event], at: int, rejection: Rejection) -> TradingStateChanged | None:
    """Return the change of the trading state that a refusal brought about, if it did."""
    for event in events[at + 1 :]:
        if isinstance(event, TradingStateChanged) and event.cause == rejection:
            return event
        if not isinstance(event, OrderDenied | TradingStateChanged):
            break
    return None


def _just_before(events: Sequence[Event], at: int) -> TradingStateChanged | None:
    """Return the change of the trading state that a cancel followed at once, if it did."""
    for event in reversed(events[:at]):
        if event.timestamp != events[at].timestamp:
            break
        if isinstance(event, TradingStateChanged):
            return None if event.state is TradingState.ACTIVE else event
        if not isinstance(event, CancelRequested):
            break
    return None


# -- what it came to -----------------------------------------------------------------------------------------------


def _totals(record: RunRecord, order: Order, decision: Decision | None, history: Sequence[OrderEvent]) -> list[str]:
    if not order.executions:
        return []
    delays = measure([history])
    multiplier = multipliers(record.scenario.instruments).get(order.symbol, _ONE)
    cost = add_up(fill_cost(fill, order.side, decision, multiplier) for fill in order.executions)
    whole, wire = duration(delays.whole.p50), duration(delays.wire.p50)
    lines = [f"from sent to the first fill known: {whole}, {wire} of it on the wire"]
    if cost.bps is None:
        return [*lines, "cost against the decision price: unknown, since no price was known then or on arrival"]
    parts = f"latency {plain(cost.latency)}, slippage {plain(cost.slippage)}, fees {plain(cost.fees)}"
    return [*lines, f"cost against the decision price: {plain(cost.total)} ({money(cost.bps)} bp): {parts}"]

"""The order: immutable, and moved on by events alone.

`Order(...)` builds a new one and refuses contradictory fields at once. `order.apply(event)` returns the order after the
event; the table :data:`TRANSITIONS` says which events an order may take at each stage of its life.

:raises InvalidOrderError: when fields contradict each other.
:raises InvalidTransition: when an event does not fit the order's stage.
"""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any, NoReturn, TypeAlias

from msgspec.structs import asdict, replace

from seatrial.contracts.events import (
    CancelRefused,
    CancelRequested,
    ModifyRefused,
    ModifyRequested,
    OrderAccepted,
    OrderCancelled,
    OrderChange,
    OrderDenied,
    OrderEvent,
    OrderExecution,
    OrderExpired,
    OrderRejected,
    OrderReplaced,
    OrderSubmitted,
    OrderTriggered,
)
from seatrial.contracts.order_terms import OrderTerms
from seatrial.contracts.rejection import Rejection, RejectionReason
from seatrial.contracts.terms import OrderSide, OrderStatus, OrderType, TimeInForce
from seatrial.errors import InvalidOrderError, InvalidTransition

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from seatrial.clock import Timestamp

__all__ = ["TERMINAL", "TRANSITIONS", "Order", "filled_at_once"]

_ZERO = Decimal(0)
_NEW = OrderStatus.NEW
_PENDING_SUBMIT = OrderStatus.PENDING_SUBMIT
_SUBMITTED = OrderStatus.SUBMITTED
_PARTIALLY_FILLED = OrderStatus.PARTIALLY_FILLED
_PENDING_CANCEL = OrderStatus.PENDING_CANCEL
_PENDING_REPLACE = OrderStatus.PENDING_REPLACE
_FILLED = OrderStatus.FILLED

TERMINAL = frozenset({OrderStatus.FILLED, OrderStatus.CANCELLED, OrderStatus.REJECTED, OrderStatus.EXPIRED})
"""The statuses an order never leaves."""

_REQUESTS: dict[type, OrderStatus | None] = {
    CancelRequested: None,
    CancelRefused: None,
    ModifyRequested: None,
    ModifyRefused: None,
    OrderCancelled: OrderStatus.CANCELLED,
    OrderExpired: OrderStatus.EXPIRED,
}
_WORKING: dict[type, OrderStatus | None] = {
    **_REQUESTS,
    OrderTriggered: None,
    OrderExecution: None,
    OrderReplaced: None,
}
_ENDED: dict[type, OrderStatus | None] = {CancelRefused: None, ModifyRefused: None}

TRANSITIONS: dict[OrderStatus, dict[type, OrderStatus | None]] = {
    OrderStatus.NEW: {OrderSubmitted: OrderStatus.PENDING_SUBMIT, OrderDenied: OrderStatus.REJECTED},
    OrderStatus.PENDING_SUBMIT: {**_REQUESTS, OrderAccepted: None, OrderRejected: OrderStatus.REJECTED},
    OrderStatus.SUBMITTED: {**_WORKING, OrderRejected: OrderStatus.REJECTED},
    OrderStatus.PARTIALLY_FILLED: _WORKING,
    OrderStatus.FILLED: _ENDED,
    OrderStatus.CANCELLED: _ENDED,
    OrderStatus.REJECTED: _ENDED,
    OrderStatus.EXPIRED: _ENDED,
}
"""Stage → the events it takes → the status that follows; `None` means derived from fills and pending requests.

PENDING_CANCEL and PENDING_REPLACE are no stages: they cover the stage beneath, whose events stay possible.
"""


class Order(OrderTerms, frozen=True, gc=False, kw_only=True, omit_defaults=True):
    """An order and its whole history: its terms, and what its events have made of it so far.

    `filled_value` is the sum of quantity times price over the fills; the other sums are in units and currency.
    """

    status: OrderStatus = OrderStatus.NEW
    submitted_at: int | None = None
    filled_quantity: Decimal = _ZERO
    filled_value: Decimal = _ZERO
    total_commission: Decimal = _ZERO
    pending_cancels: int = 0
    pending_modifies: int = 0
    rejection: Rejection | None = None
    events: tuple[OrderEvent, ...] = ()

    if TYPE_CHECKING:

        def __init__(  # the front door takes datetimes and ints; inside they are int ns and Decimal
            self,
            *,
            order_id: str,
            symbol: str,
            side: OrderSide,
            order_type: OrderType,
            quantity: Decimal | int,
            created_at: Timestamp,
            limit_price: Decimal | int | None = None,
            stop_price: Decimal | int | None = None,
            trail_amount: Decimal | int | None = None,
            trail_percent: Decimal | int | None = None,
            limit_offset: Decimal | int | None = None,
            time_in_force: TimeInForce = TimeInForce.GTC,
            expire_at: Timestamp | None = None,
            parent_id: str | None = None,
            oco_id: str | None = None,
            reduce_only: bool = False,
            post_only: bool = False,
            strategy_id: str = "S",
            tags: Iterable[str] = (),
            native_type: str | None = None,
        ) -> None: ...

    def __post_init__(self) -> None:
        """Convert what the front door accepts, then refuse what contradicts itself."""
        if self.status is not _NEW and self.events:
            return
        self.check()
        begun = self.filled_quantity or self.filled_value or self.total_commission or self.events or self.rejection
        if self.status is not _NEW or begun or self.submitted_at or self.pending_cancels or self.pending_modifies:
            raise InvalidOrderError(self.order_id, "status", "an order is built new; only apply() gives it a history")

    # -- what follows from the fields ------------------------------------------------------------------------------

    @property
    def is_complete(self) -> bool:
        """Whether the order has ended: filled, cancelled, rejected or expired."""
        return self.status in TERMINAL

    @property
    def remaining_quantity(self) -> Decimal:
        """What the client has not been told was filled."""
        return self.quantity - self.filled_quantity

    @property
    def in_flight(self) -> bool:
        """Whether something about the order is on the wire and not yet answered."""
        status = self.status
        return status is _PENDING_SUBMIT or status is _PENDING_CANCEL or status is _PENDING_REPLACE

    @property
    def reached_venue(self) -> bool:
        """Whether the order left the gate, so that the venue knows or will know it."""
        return bool(self.events) and type(self.events[0]) is OrderSubmitted

    @property
    def avg_fill_price(self) -> Decimal | None:
        """The quantity-weighted mean price of the fills; `None` before the first."""
        return self.filled_value / self.filled_quantity if self.filled_quantity else None

    @property
    def executions(self) -> tuple[OrderExecution, ...]:
        """The fills in the order they were reported."""
        return tuple(event for event in self.events if type(event) is OrderExecution)

    @property
    def rejection_reason(self) -> RejectionReason | None:
        """Why the order was refused, or ended unasked."""
        return self.rejection.reason if self.rejection else None

    @property
    def rejection_message(self) -> str | None:
        """The same in words, with the numbers compared."""
        return self.rejection.message if self.rejection else None

    @property
    def rejected_at(self) -> int | None:
        """When the gate or the venue refused the order."""
        return self._time_of(OrderDenied, OrderRejected)

    @property
    def cancelled_at(self) -> int | None:
        """When the order was cancelled at the venue."""
        return self._time_of(OrderCancelled)

    def _time_of(self, *kinds: type) -> int | None:
        return next((event.timestamp for event in reversed(self.events) if type(event) in kinds), None)

    @property
    def stage(self) -> OrderStatus:
        """The status without pending requests: the row of :data:`TRANSITIONS` that applies."""
        status = self.status
        if status is not _PENDING_CANCEL and status is not _PENDING_REPLACE:
            return status
        if self.filled_quantity:
            return _PARTIALLY_FILLED
        return _PENDING_SUBMIT if self.submitted_at is None else _SUBMITTED

    # -- the only way on -------------------------------------------------------------------------------------------

    def apply(self, event: OrderEvent) -> Order:
        """Return the order after `event`.

        :raises InvalidTransition: if the order's stage does not take the event, the event is another order's, or a
            fill is larger than what remains.
        """
        step = (_STEPS.get(self.status) or _STEPS[self.stage]).get(type(event))
        if step is None or event.order_id != self.order_id:
            _refuse(self, event)
        return step(self, event)

    def amended(self, change: OrderChange) -> Order:
        """Return a new order on the terms a modify asks for, without history, to be checked.

        :raises InvalidOrderError: when the new terms contradict each other, or nothing changes.
        """
        changes = {field: value for field, value in asdict(change).items() if value is not None}
        if not changes:
            raise InvalidOrderError(self.order_id, "change", "it changes nothing; give at least one new value")
        fresh = {field: default for field, default in _UNBEGUN.items() if getattr(self, field) != default}
        return replace(self, **fresh, **changes)


_UNBEGUN: dict[str, Any] = {
    "status": _NEW,
    "submitted_at": None,
    "filled_quantity": _ZERO,
    "filled_value": _ZERO,
    "total_commission": _ZERO,
    "pending_cancels": 0,
    "pending_modifies": 0,
    "rejection": None,
    "events": (),
}


def _refuse(order: Order, event: OrderEvent) -> NoReturn:
    allowed = tuple(sorted(kind.__name__ for kind in TRANSITIONS[order.stage] if kind is not type(event)))
    raise InvalidTransition(order, event, order.status, allowed)


def _status(order: Order, *, cancels: int, modifies: int, filled: Decimal, accepted: bool) -> OrderStatus:
    if order.status in TERMINAL:
        return order.status
    if cancels:
        return _PENDING_CANCEL
    if modifies:
        return _PENDING_REPLACE
    if filled:
        return _PARTIALLY_FILLED
    return _SUBMITTED if accepted else _PENDING_SUBMIT


def _submitted(order: Order, event: OrderSubmitted) -> Order:
    return replace(order, status=_PENDING_SUBMIT, events=(event,))


def _accepted(order: Order, event: OrderAccepted) -> Order:
    status = order.status
    if status is _PENDING_SUBMIT:
        status = _SUBMITTED
    return replace(order, status=status, submitted_at=event.timestamp, events=(*order.events, event))


def _refused(order: Order, event: Any) -> Order:
    events = (*order.events, event)
    if type(event) is not OrderCancelled:
        return replace(order, status=OrderStatus.REJECTED, rejection=event.rejection, events=events)
    cancels = order.pending_cancels
    if event.rejection is None and cancels:  # what was asked for; otherwise the answer is still to come
        cancels -= 1
    return replace(
        order, status=OrderStatus.CANCELLED, rejection=event.rejection, pending_cancels=cancels, events=events
    )


def _executed(order: Order, event: OrderExecution) -> Order:
    quantity = event.quantity
    before = order.filled_quantity
    if before:
        filled = before + quantity
        value = order.filled_value + quantity * event.price
        commission = order.total_commission + event.commission
    else:
        filled, value, commission = quantity, quantity * event.price, event.commission
    total = order.quantity
    if filled == total:
        status = _FILLED
    elif filled > total or quantity <= _ZERO:
        _refuse(order, event)
    else:
        status = order.status
        if status is _SUBMITTED:
            status = _PARTIALLY_FILLED
    return replace(
        order,
        status=status,
        filled_quantity=filled,
        filled_value=value,
        total_commission=commission,
        events=(*order.events, event),
    )


def _requested(order: Order, event: OrderEvent) -> Order:
    cancels, modifies = order.pending_cancels, order.pending_modifies
    kind = type(event)
    if kind is CancelRequested:
        cancels += 1
    elif kind is ModifyRequested:
        modifies += 1
    elif kind is CancelRefused:
        cancels -= 1
    elif kind is ModifyRefused or (kind is OrderReplaced and event.requested):  # type: ignore[union-attr]  # its kind says so
        modifies -= 1
    if cancels < 0 or modifies < 0:  # an answer nobody waits for; harmless only once the order has ended
        if order.status not in TERMINAL:
            _refuse(order, event)
        cancels, modifies = max(cancels, 0), max(modifies, 0)
    accepted = order.submitted_at is not None
    status = _status(order, cancels=cancels, modifies=modifies, filled=order.filled_quantity, accepted=accepted)
    changes: dict[str, Any] = {}
    if kind is OrderReplaced:
        quantity = event.change.quantity  # type: ignore[union-attr]  # its kind says so
        if quantity is not None and quantity <= order.filled_quantity:
            _refuse(order, event)
        changes = {field: value for field, value in asdict(event.change).items() if value is not None}  # type: ignore[union-attr]  # its kind says so
    events = (*order.events, event)
    return replace(order, status=status, pending_cancels=cancels, pending_modifies=modifies, events=events, **changes)


def filled_at_once(
    order: Order, submitted: OrderSubmitted, accepted: OrderAccepted, execution: OrderExecution
) -> Order:
    """Return a new order after three events of its own, the last of which fills all of it: what three applies give.

    :raises InvalidTransition: as they do.
    """
    quantity = execution.quantity
    if order.status is not _NEW or quantity is not order.quantity:
        return order.apply(submitted).apply(accepted).apply(execution)
    return replace(
        order,
        status=_FILLED,
        submitted_at=accepted.timestamp,
        filled_quantity=quantity,
        filled_value=quantity * execution.price,
        total_commission=execution.commission,
        events=(submitted, accepted, execution),
    )


def _expired(order: Order, event: OrderExpired) -> Order:
    return replace(order, status=OrderStatus.EXPIRED, events=(*order.events, event))


def _noted(order: Order, event: OrderTriggered) -> Order:
    return replace(order, events=(*order.events, event))


_Step: TypeAlias = "Callable[[Order, Any], Order]"
_STEP_OF: dict[type, _Step] = {
    OrderSubmitted: _submitted,
    OrderDenied: _refused,
    OrderAccepted: _accepted,
    OrderRejected: _refused,
    OrderTriggered: _noted,
    OrderExecution: _executed,
    CancelRequested: _requested,
    CancelRefused: _requested,
    OrderCancelled: _refused,
    ModifyRequested: _requested,
    ModifyRefused: _requested,
    OrderReplaced: _requested,
    OrderExpired: _expired,
}
_STEPS: dict[OrderStatus, dict[type, _Step]] = {
    stage: {kind: _STEP_OF[kind] for kind in row} for stage, row in TRANSITIONS.items()
}
"""The table with the step each event takes, looked up at once."""

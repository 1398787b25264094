"""The life of one order against an independent model, through any sequence of events."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import msgspec
import pytest
from hypothesis import Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from seatrial import Liquidity, Order, OrderExecution, OrderSide, OrderStatus, OrderType, Rejection, RejectionReason
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
    OrderExpired,
    OrderRejected,
    OrderReplaced,
    OrderSubmitted,
    OrderTriggered,
)
from seatrial.contracts.rejection import RefusedBy
from seatrial.errors import InvalidTransition

D = Decimal
SOUND = settings(deadline=None, derandomize=True, max_examples=120, stateful_step_count=25)
BROKEN = settings(SOUND, max_examples=300, phases=[Phase.generate], report_multiple_bugs=False)
OWN = Rejection(RejectionReason.INSUFFICIENT_FUNDS, "too dear", RefusedBy.VENUE)
ANSWER = Rejection(RejectionReason.TOO_LATE_TO_CANCEL, "too late", RefusedBy.VENUE)


class Model:
    """What is known of an order, in plain numbers and flags; it shares nothing with the contract's table."""

    def __init__(self) -> None:
        self.sent = False
        self.accepted = False
        self.ended: str | None = None
        self.quantity = 10
        self.fills: list[tuple[int, int, int]] = []
        self.cancels = 0
        self.modifies = 0
        self.reason: RejectionReason | None = None
        self.history = 0

    @property
    def filled(self) -> int:
        return sum(quantity for quantity, _, _ in self.fills)

    @property
    def live(self) -> bool:
        return self.sent and self.ended is None

    @property
    def working(self) -> bool:
        return self.live and self.accepted

    @property
    def status(self) -> str:
        if self.ended is not None:
            return self.ended
        if not self.sent:
            return "new"
        if self.cancels:
            return "pending_cancel"
        if self.modifies:
            return "pending_replace"
        if self.fills:
            return "partially_filled"
        return "submitted" if self.accepted else "pending_submit"


class LifecycleMachine(RuleBasedStateMachine):
    """Any event at any time: the order takes it exactly when the model does, and then agrees with it."""

    def __init__(self) -> None:
        super().__init__()
        self.model = Model()
        self.clock = 1
        self.order = Order(
            order_id="O-1",
            symbol="ACME",
            side=OrderSide.BUY,
            order_type=OrderType.LIMIT,
            quantity=D(10),
            created_at=0,
            limit_price=D(100),
        )

    def apply(self, event: OrderEvent) -> Order:
        """Return the order after an event; broken twins differ here."""
        return self.order.apply(event)

    def head(self) -> tuple[str, int, int]:
        self.clock += 1
        return "O-1", self.clock, self.clock

    def take(self, event: OrderEvent, *, legal: bool) -> bool:
        """Give the order an event; check that it takes it, or refuses it with InvalidTransition, as is right."""
        before = self.order
        if not legal:
            with pytest.raises(InvalidTransition) as caught:
                self.apply(event)
            assert caught.value.order is before
            return False
        after = self.apply(event)
        assert after.events == (*before.events, event)
        self.order = after
        self.model.history += 1
        return True

    @initialize(steps=st.sampled_from([0, 1, 2, 2, 3, 3]))
    def some_way_on(self, steps: int) -> None:
        for step in (self.submitted, self.accepted, self.first_part)[:steps]:
            step()

    def first_part(self) -> None:
        event = OrderExecution(*self.head(), "E", D(1), D(5), D(0), is_partial=True, liquidity=Liquidity.TAKER)
        assert self.take(event, legal=True)
        self.model.fills.append((1, 5, 0))

    @rule()
    def submitted(self) -> None:
        model = self.model
        if self.take(OrderSubmitted(*self.head()), legal=not model.sent and model.ended is None):
            model.sent = True

    @rule(sure=st.integers(0, 3))
    def denied(self, sure: int) -> None:
        model = self.model
        if sure and not model.sent:
            return  # most orders shall live
        if self.take(OrderDenied(*self.head(), OWN), legal=not model.sent and model.ended is None):
            model.ended, model.reason = "rejected", OWN.reason

    @rule()
    def accepted(self) -> None:
        model = self.model
        if self.take(OrderAccepted(*self.head()), legal=model.live and not model.accepted):
            model.accepted = True

    @rule(sure=st.integers(0, 3))
    def rejected(self, sure: int) -> None:
        model = self.model
        if sure and model.live:
            return
        if self.take(OrderRejected(*self.head(), OWN), legal=model.live and not model.fills):
            model.ended, model.reason = "rejected", OWN.reason

    @rule()
    def triggered(self) -> None:
        self.take(OrderTriggered(*self.head(), D(99)), legal=self.model.working)

    @rule(quantity=st.sampled_from([1, 1, 1, 2, 2, 3, 0, -1, 7, 12]), price=st.integers(1, 99), fee=st.integers(-1, 3))
    def filled(self, quantity: int, price: int, fee: int) -> None:
        model = self.model
        left = model.quantity - model.filled
        event = OrderExecution(
            *self.head(), "E", D(quantity), D(price), D(fee), is_partial=quantity < left, liquidity=Liquidity.MAKER
        )
        if self.take(event, legal=model.working and 0 < quantity <= left):
            model.fills.append((quantity, price, fee))
            if quantity == left:
                model.ended = "filled"

    @rule()
    def cancel_requested(self) -> None:
        if self.take(CancelRequested(*self.head()), legal=self.model.live):
            self.model.cancels += 1

    @rule()
    def cancel_refused(self) -> None:
        model = self.model
        legal = model.ended is not None or model.cancels > 0
        if self.take(CancelRefused(*self.head(), ANSWER), legal=legal):
            model.cancels = max(0, model.cancels - 1)

    @rule()
    def modify_requested(self) -> None:
        if self.take(ModifyRequested(*self.head(), OrderChange(limit_price=D(90))), legal=self.model.live):
            self.model.modifies += 1

    @rule()
    def modify_refused(self) -> None:
        model = self.model
        legal = model.ended is not None or model.modifies > 0
        if self.take(ModifyRefused(*self.head(), ANSWER), legal=legal):
            model.modifies = max(0, model.modifies - 1)

    @rule(more=st.integers(1, 4), requested=st.booleans())
    def replaced(self, more: int, requested: bool) -> None:
        model = self.model
        quantity = model.filled + more
        event = OrderReplaced(*self.head(), OrderChange(quantity=D(quantity)), requested)
        if self.take(event, legal=model.working and (model.modifies > 0 or not requested)):
            model.quantity = quantity
            model.modifies -= requested

    @rule(sure=st.integers(0, 3), expires=st.booleans())
    def ended_at_the_venue(self, sure: int, expires: bool) -> None:
        model = self.model
        if sure and model.live:
            return
        event: OrderEvent = OrderExpired(*self.head()) if expires else OrderCancelled(*self.head())
        if self.take(event, legal=model.live):
            model.ended = "expired" if expires else "cancelled"

    @rule()
    def stored_and_read_again(self) -> None:
        again = msgspec.json.decode(msgspec.json.encode(self.order), type=Order)
        assert again == self.order
        self.order = again

    @invariant()
    def agrees_with_the_model(self) -> None:
        order, model = self.order, self.model
        assert str(order.status) == model.status
        assert order.quantity == model.quantity
        assert order.filled_quantity == model.filled
        assert order.remaining_quantity == model.quantity - model.filled
        assert order.total_commission == sum(fee for _, _, fee in model.fills)
        value = sum(quantity * price for quantity, price, _ in model.fills)
        assert order.avg_fill_price == (D(value) / D(model.filled) if model.fills else None)
        assert len(order.executions) == len(model.fills)
        assert len(order.events) == model.history
        assert order.is_complete is (model.ended is not None)
        assert order.in_flight is (model.status in {"pending_submit", "pending_cancel", "pending_replace"})
        assert order.rejection_reason is model.reason
        assert (order.submitted_at is not None) is model.accepted


class _ForgetsFills(LifecycleMachine):
    """A refused cancel that puts the order back to SUBMITTED, fills or not."""

    def apply(self, event: OrderEvent) -> Order:
        after = super().apply(event)
        if type(event) is CancelRefused and after.status is OrderStatus.PARTIALLY_FILLED:
            return msgspec.structs.replace(after, status=OrderStatus.SUBMITTED)
        return after


class _BlamesTheOrder(LifecycleMachine):
    """A refused modify that is kept as the order's own rejection."""

    def apply(self, event: OrderEvent) -> Order:
        after = super().apply(event)
        return msgspec.structs.replace(after, rejection=ANSWER) if type(event) is ModifyRefused else after


class _DropsCancels(LifecycleMachine):
    """A fill that clears a pending cancel."""

    def apply(self, event: OrderEvent) -> Order:
        after = super().apply(event)
        if type(event) is OrderExecution and after.status is OrderStatus.PENDING_CANCEL:
            return msgspec.structs.replace(after, status=OrderStatus.PARTIALLY_FILLED, pending_cancels=0)
        return after


class _Resurrects(LifecycleMachine):
    """An ended order that takes a late cancel request as if it still worked."""

    def apply(self, event: OrderEvent) -> Order:
        if type(event) is CancelRequested and self.order.is_complete:
            return msgspec.structs.replace(self.order, events=(*self.order.events, event))
        return super().apply(event)


TestLifecycle = LifecycleMachine.TestCase
TestLifecycle.settings = SOUND


@pytest.mark.parametrize("twin", [_ForgetsFills, _BlamesTheOrder, _DropsCancels, _Resurrects])
def test_machine_catches_a_broken_order(twin: Any) -> None:
    """Each of the broken orders is told from a sound one."""
    with pytest.raises((AssertionError, pytest.fail.Exception)):
        run_state_machine_as_test(twin, settings=BROKEN)

"""The gate before an engine that keeps time itself, and whose lists of orders are no brackets."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from seatrial import Instrument, Order, OrderSide, OrderStatus, OrderType, RejectionReason
from seatrial.contracts.events import Event, OrderChange
from seatrial.contracts.rejection import RefusedBy, Rejection
from seatrial.errors import InvalidOrderError
from seatrial.gate.gate import ExecutionGate
from seatrial.gate.instruments import Instruments

T0 = 1_000


class Engine:
    """Accepts everything, and remembers what arrived together."""

    gate: ExecutionGate

    def __init__(self) -> None:
        self.placed: list[tuple[str, ...]] = []

    def place(self, orders: tuple[Order, ...], now: int, native: object) -> None:
        self.placed.append(tuple(order.order_id for order in orders))
        for order in orders:
            self.gate.accepted(order.order_id, now)

    def cancel(self, order_id: str, now: int, native: object) -> None:
        self.gate.cancelled(order_id, now)

    def modify(self, order_id: str, change: OrderChange, now: int, native: object) -> None:
        self.gate.replaced(order_id, now, change)


def _gate(*, prompt: bool) -> tuple[ExecutionGate, Engine]:
    engine = Engine()
    engine.gate = ExecutionGate(engine, prompt=prompt)
    return engine.gate, engine


def _order(order_id: str, side: OrderSide = OrderSide.BUY) -> Order:
    return Order(
        order_id=order_id, symbol="X", side=side, order_type=OrderType.MARKET, quantity=Decimal(5), created_at=T0
    )


@pytest.mark.parametrize("heard", [False, True])
def test_a_gate_that_is_not_prompt_leaves_what_is_due_to_whoever_keeps_time(heard: bool) -> None:
    """No call but `advance` brings anything to the venue, and nothing is lost on the way."""
    gate, engine = _gate(prompt=False)
    events: list[Event] = []
    if heard:
        gate.add_listener(lambda event, order: events.append(event))

    sent = gate.submit(_order("a"), T0)
    gate.cancel("a", T0)

    assert sent.status is OrderStatus.PENDING_SUBMIT
    assert engine.placed == []
    assert gate.next_due() == T0
    gate.advance(T0)
    assert engine.placed == [("a",)]
    assert gate.get_order("a").status is OrderStatus.CANCELLED
    assert events == (list(gate.events) if heard else [])


def test_a_prompt_gate_delivers_within_the_call() -> None:
    """The same calls without the setting: the order is at the venue when submit returns."""
    gate, engine = _gate(prompt=True)

    assert gate.submit(_order("a"), T0).status is OrderStatus.SUBMITTED
    assert engine.placed == [("a",)]


def test_a_group_travels_as_one_message_whatever_its_orders_are() -> None:
    """Two orders that are no bracket arrive together, or neither leaves."""
    gate, engine = _gate(prompt=True)

    gate.submit_group((_order("a"), _order("b", OrderSide.SELL)), T0)
    refused = gate.submit_group((_order("c"), _order("a")), T0)

    assert engine.placed == [("a", "b")]
    assert [order.rejection_reason for order in refused] == [
        RejectionReason.GROUP_REFUSED,
        RejectionReason.DUPLICATE_ORDER,
    ]


@pytest.mark.parametrize("group", [(), ("a",), (None, "a")])
def test_a_group_of_what_is_no_order_is_told_as_that(group: tuple[Any, ...]) -> None:
    """Nothing leaves, and the error names what to give."""
    gate, engine = _gate(prompt=True)

    with pytest.raises(InvalidOrderError, match="Order"):
        gate.submit_group(group, T0)

    assert (engine.placed, list(gate.events)) == ([], [])


def test_an_instrument_described_late_keeps_the_list_open() -> None:
    """What an engine says of one instrument counts from then on; others still trade, as plain ones."""
    known = Instruments()

    known.describe(Instrument(symbol="X", multiplier=Decimal(50)))

    assert known.get("X").multiplier == 50
    assert known.get("Y").multiplier == 1


def test_an_order_that_was_refused_before_it_came_is_recorded_all_the_same() -> None:
    """It is over, with its reason, and heard of; nothing arrives at the venue, and its id is taken."""
    gate, engine = _gate(prompt=True)
    heard: list[Event] = []
    gate.add_listener(lambda event, order: heard.append(event))
    rejection = Rejection(RejectionReason.INVALID_PRICE, "it has four digits", RefusedBy.GATE)

    denied = gate.deny(_order("a"), rejection, T0)

    assert (denied.status, denied.rejection) == (OrderStatus.REJECTED, rejection)
    assert (engine.placed, heard) == ([], list(gate.events))
    assert gate.completed_orders["a"] is denied
    assert gate.submit(_order("a"), T0).rejection_reason is RejectionReason.DUPLICATE_ORDER

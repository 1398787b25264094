"""The gate alone, before an engine that owns its ledger and its own order objects."""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal
from typing import TYPE_CHECKING, TypeAlias

import pytest

from seatrial import (
    LATENCY_INSTANT,
    Constant,
    Instrument,
    LatencyConfig,
    Liquidity,
    Order,
    OrderExecution,
    OrderSide,
    OrderStatus,
    OrderType,
    Rejection,
    RejectionReason,
    TradingState,
    Uniform,
)
from seatrial.contracts.events import (
    AccountAdjusted,
    CancelRefused,
    CancelRequested,
    Event,
    ModifyRefused,
    ModifyRequested,
    OrderAccepted,
    OrderCancelled,
    OrderChange,
    OrderDenied,
    OrderExpired,
    OrderRejected,
    OrderReplaced,
    OrderSubmitted,
    OrderTriggered,
    TradingStateChanged,
)
from seatrial.contracts.rejection import RefusedBy
from seatrial.errors import ClockError, InvalidOrderError, InvalidTransition, ReentrantCallError, UnknownOrderError
from seatrial.gate.gate import ExecutionGate
from seatrial.gate.instruments import Instruments

if TYPE_CHECKING:
    from collections.abc import Callable

Heard: TypeAlias = "tuple[int, str, OrderStatus]"

LEGS = LatencyConfig(submit=Constant(10), ack=Constant(3), fill=Constant(20), cancel=Constant(7), modify=Constant(12))
T0 = 1_000


def _d(value: str) -> Decimal:
    return Decimal(value)


@dataclass
class Ticket:
    """The engine's own idea of an order; it changes in place."""

    order_id: str
    left: Decimal
    price: Decimal | None
    alive: bool = True
    matched: Decimal = field(default_factory=Decimal)


class Engine:
    """Matches when told to, keeps its own money, and reports through the gate."""

    def __init__(self) -> None:
        self.gate: ExecutionGate
        self.tickets: dict[str, Ticket] = {}
        self.cash = Decimal(1000)
        self.placed: list[tuple[int, tuple[str, ...], object]] = []
        self.arrivals: list[tuple[int, str, str]] = []
        self.mute = False

    def place(self, orders: tuple[Order, ...], now: int, native: object) -> None:
        self.placed.append((now, tuple(order.order_id for order in orders), native))
        for order in orders:
            self.arrivals.append((now, "place", order.order_id))
            ticket = Ticket(order.order_id, order.quantity, order.limit_price)
            self.tickets[order.order_id] = ticket
            if not self.mute:
                self.gate.accepted(order.order_id, now, native=ticket)

    def cancel(self, order_id: str, now: int, native: object) -> None:
        self.arrivals.append((now, "cancel", order_id))
        ticket = self.tickets[order_id]
        if ticket.alive:
            ticket.alive = False
            self.gate.cancelled(order_id, now, native=native)
        else:
            self.gate.cancel_refused(order_id, now, _late(RejectionReason.TOO_LATE_TO_CANCEL), native=native)

    def modify(self, order_id: str, change: OrderChange, now: int, native: object) -> None:
        self.arrivals.append((now, "modify", order_id))
        ticket = self.tickets[order_id]
        quantity = ticket.left + ticket.matched if change.quantity is None else change.quantity
        if not ticket.alive or quantity <= ticket.matched:
            self.gate.modify_refused(order_id, now, _late(RejectionReason.TOO_LATE_TO_MODIFY))
            return
        ticket.left = quantity - ticket.matched
        ticket.price = change.limit_price or ticket.price
        self.gate.replaced(order_id, now, change, native=native)

    def match(self, order_id: str, quantity: str, price: str, now: int) -> bool:
        """Match if the order is still there; return whether it was."""
        ticket = self.tickets[order_id]
        if not ticket.alive:
            return False
        amount = _d(quantity)
        ticket.left -= amount
        ticket.matched += amount
        ticket.alive = ticket.left > 0
        self.cash -= amount * _d(price)
        self.gate.filled(
            order_id,
            now,
            amount,
            _d(price),
            _d("0.5"),
            is_partial=ticket.alive,
            liquidity=Liquidity.TAKER,
            native=ticket,
        )
        return True


def _late(reason: RejectionReason) -> Rejection:
    return Rejection(reason, "it has ended", RefusedBy.VENUE)


def _gate(
    latency: LatencyConfig = LEGS,
    *,
    seed: int = 0,
    instruments: Instruments | None = None,
    native_sink: Callable[[Event, Order | None, object], None] | None = None,
) -> tuple[ExecutionGate, Engine]:
    engine = Engine()
    gate = ExecutionGate(engine, latency=latency, seed=seed, instruments=instruments, native_sink=native_sink)
    engine.gate = gate
    return gate, engine


def _limit(
    order_id: str = "a", quantity: str = "10", price: str = "100", side: OrderSide = OrderSide.BUY, symbol: str = "X"
) -> Order:
    return Order(
        order_id=order_id,
        symbol=symbol,
        side=side,
        order_type=OrderType.LIMIT,
        quantity=_d(quantity),
        created_at=T0,
        limit_price=_d(price),
    )


def _sell(order_id: str, price: str, quantity: str = "10") -> Order:
    return _limit(order_id, quantity, price, OrderSide.SELL)


def _log(gate: ExecutionGate) -> list[Heard]:
    """Keep (time of hearing, kind of event, the order's status then) of everything the client hears."""
    heard: list[Heard] = []

    def listen(event: Event, order: Order | None) -> None:
        heard.append((gate.now, type(event).__name__, order.status if order else OrderStatus.NEW))

    gate.add_listener(listen)
    return heard


def _kinds(gate: ExecutionGate) -> list[str]:
    return [type(event).__name__ for event in gate.events]


def _working(latency: LatencyConfig = LEGS) -> tuple[ExecutionGate, Engine]:
    """Return a gate whose order `a` (10 at 100) the client knows to work, at time 1013."""
    gate, engine = _gate(latency)
    gate.submit(_limit(), T0)
    gate.advance(1_013)
    return gate, engine


def _is_duplicate(event: Event) -> bool:
    """Return whether the event refuses another order under a used id, which is in nobody's history."""
    return type(event) is OrderDenied and event.rejection.reason is RejectionReason.DUPLICATE_ORDER


def _assert_consistent(gate: ExecutionGate) -> None:
    """Each order's history is exactly its share of the log, and it is in one book only."""
    assert not set(gate.pending_orders) & set(gate.completed_orders)
    for book, ended in ((gate.pending_orders, False), (gate.completed_orders, True)):
        for order_id, order in book.items():
            told = [event for event in gate.events if getattr(event, "order_id", None) == order_id]
            told = [event for event in told if not _is_duplicate(event)]
            assert order.is_complete is ended
            assert list(order.events) == told


def test_each_leg_takes_its_own_constant_time() -> None:
    """Submit 10, ack 3, fill 20: every message is due at exactly the sum of its times."""
    gate, engine = _gate()
    heard = _log(gate)

    gate.submit(_limit(), T0)
    due = [gate.next_due()]
    gate.advance(1_010)
    due.append(gate.next_due())
    gate.advance(1_015)
    engine.match("a", "10", "99", 1_015)
    due.append(gate.next_due())
    gate.advance(1_034)
    before = gate.get_order("a").status
    gate.advance(1_035)

    assert due == [1_010, 1_013, 1_035]
    assert engine.placed == [(1_010, ("a",), None)]
    assert before is OrderStatus.SUBMITTED
    assert heard == [
        (1_000, "OrderSubmitted", OrderStatus.PENDING_SUBMIT),
        (1_013, "OrderAccepted", OrderStatus.SUBMITTED),
        (1_035, "OrderExecution", OrderStatus.FILLED),
    ]
    assert gate.next_due() is None


def _rejected(gate: ExecutionGate) -> None:
    gate.rejected("a", 1_050, _late(RejectionReason.UNKNOWN))


def _triggered(gate: ExecutionGate) -> None:
    gate.triggered("a", 1_050, _d("101"))


def _filled(gate: ExecutionGate) -> None:
    gate.filled("a", 1_050, _d("1"), _d("99"), _d("0"), is_partial=True, liquidity=Liquidity.MAKER)


def _replaced(gate: ExecutionGate) -> None:
    gate.replaced("a", 1_050, OrderChange(quantity=_d("7")), requested=False)


def _cancelled(gate: ExecutionGate) -> None:
    gate.cancelled("a", 1_050)


def _expired(gate: ExecutionGate) -> None:
    gate.expired("a", 1_050)


def _adjusted(gate: ExecutionGate) -> None:
    gate.adjusted(1_050, _d("12"), "interest")


@pytest.mark.parametrize(
    ("say", "kind", "reported_at"),
    [
        (_rejected, OrderRejected, 1_053),
        (_triggered, OrderTriggered, 1_053),
        (_filled, OrderExecution, 1_070),
        (_replaced, OrderReplaced, 1_053),
        (_cancelled, OrderCancelled, 1_053),
        (_expired, OrderExpired, 1_053),
        (_adjusted, AccountAdjusted, 1_050),
    ],
)
def test_fills_travel_on_the_fill_leg_and_all_else_on_the_ack_leg(
    say: Callable[[ExecutionGate], None], kind: type, reported_at: int
) -> None:
    """What happens at 1050 is heard at 1070 if it is a fill, at 1053 if it concerns an order otherwise."""
    gate, _ = _working()
    gate.advance(1_050)
    heard = _log(gate)

    say(gate)
    gate.advance(2_000)

    assert [(now, name) for now, name, _ in heard] == [(reported_at, kind.__name__)]
    assert (gate.events[-1].timestamp, gate.events[-1].reported_at) == (1_050, reported_at)


@pytest.mark.parametrize(("leg", "arrives"), [("cancel", 1_057), ("modify", 1_062)])
def test_cancel_and_modify_take_their_own_legs(leg: str, arrives: int) -> None:
    """Sent at 1050, a cancel arrives at 1057 and a modify at 1062; the answer takes 3 more."""
    gate, engine = _working()

    change = OrderChange(limit_price=_d("101"))
    order = gate.cancel("a", 1_050) if leg == "cancel" else gate.modify("a", change, 1_050)
    gate.advance(2_000)

    assert order.in_flight
    assert engine.arrivals[-1] == (arrives, leg, "a")
    assert gate.events[-1].reported_at == arrives + 3


def test_modify_travels_like_a_submit_unless_given() -> None:
    """Without a modify leg of its own a modify sent at 1050 needs the submit leg's 10."""
    gate, engine = _working(LatencyConfig(submit=Constant(10), ack=Constant(3)))

    gate.modify("a", OrderChange(limit_price=_d("101")), 1_050)
    gate.advance(2_000)

    assert engine.arrivals[-1] == (1_060, "modify", "a")


def test_proceeding_pauses_where_a_request_arrives() -> None:
    """A driver sees the arrival at 1010 before the report at 1013, since its venue may set a clock; then nothing."""
    gate, engine = _gate()
    gate.submit(_limit(), T0)

    gate.proceed(2_000)
    after_one = (gate.now, len(engine.placed), gate.get_order("a").status)
    gate.proceed(2_000)
    after_two = (gate.now, gate.get_order("a").status)

    assert after_one == (1_010, 1, OrderStatus.PENDING_SUBMIT)
    assert after_two == (1_013, OrderStatus.SUBMITTED)
    assert gate.next_due() is None


def test_a_faster_request_does_not_overtake_a_slower_one() -> None:
    """A cancel due at 1009 waits for the submit due at 1010; a cancel after a modify waits for that."""
    gate, engine = _gate()

    gate.submit(_limit(), T0)
    gate.submit(_limit("b"), 1_001)
    gate.cancel("a", 1_002)
    gate.modify("b", OrderChange(quantity=_d("9")), 1_003)
    gate.cancel("b", 1_004)
    gate.advance(2_000)

    assert engine.arrivals == [
        (1_010, "place", "a"),
        (1_011, "place", "b"),
        (1_011, "cancel", "a"),
        (1_015, "modify", "b"),
        (1_015, "cancel", "b"),
    ]
    assert gate.get_order("a").status is OrderStatus.CANCELLED
    assert gate.get_order("b").status is OrderStatus.CANCELLED


def test_a_faster_report_does_not_overtake_a_slower_one() -> None:
    """A cancel at 1016 (due 1019) is heard after the fill of another order at 1015 (due 1035)."""
    gate, engine = _working()
    gate.submit(_limit("b"), 1_013)
    gate.advance(1_026)

    engine.match("a", "4", "100", 1_027)
    gate.cancel("b", 1_026)
    gate.advance(2_000)

    assert [(type(event).__name__, event.reported_at) for event in gate.events[-2:]] == [
        ("OrderExecution", 1_047),
        ("OrderCancelled", 1_047),
    ]


def test_at_one_time_reports_come_before_requests() -> None:
    """What the client hears at 1013 it hears before its own message of 1013 arrives."""
    gate, engine = _gate()
    gate.submit(_limit(), T0)
    gate.submit(_limit("b"), 1_003)
    order = []
    gate.add_listener(lambda event, _: order.append((type(event).__name__, len(engine.arrivals))))

    gate.advance(1_013)

    assert order == [("OrderAccepted", 1)]
    assert engine.arrivals == [(1_010, "place", "a"), (1_013, "place", "b")]


def test_no_delay_delivers_within_the_call() -> None:
    """INSTANT: the submit call returns a working order, the cancel call an ended one."""
    gate, _ = _gate(LATENCY_INSTANT)

    submitted = gate.submit(_limit(), T0)
    cancelled = gate.cancel("a", T0)

    assert submitted.status is OrderStatus.SUBMITTED
    assert cancelled.status is OrderStatus.CANCELLED
    assert [event.reported_at for event in gate.events] == [T0] * 4


def test_one_match_is_one_draw_however_often_time_is_advanced() -> None:
    """The report of a match is due once, at the same time for a driver with one tick and with a thousand."""
    latency = LatencyConfig(fill=Uniform(100, 900))
    reported = []
    for step in (1, 7, 2_000):
        gate, engine = _gate(latency)
        gate.submit(_limit(), T0)
        engine.match("a", "4", "100", T0)
        engine.match("a", "6", "100", T0)
        for now in range(T0, T0 + 2_001, step):
            gate.advance(now)
        fills = [event for event in gate.events if type(event) is OrderExecution]
        reported.append([(fill.execution_id, fill.reported_at) for fill in fills])

    assert reported[0] == reported[1] == reported[2]
    assert len(reported[0]) == 2
    assert all(T0 + 100 <= due <= T0 + 900 for _, due in reported[0])


def test_a_draw_depends_on_seed_and_count_but_on_no_id_and_no_other_order() -> None:
    """The n-th order of a strategy draws the same delays, whatever it is called and whatever others do."""

    def arrivals(names: tuple[str, ...], seed: int = 0, stranger: str = "") -> dict[str, int]:
        gate, engine = _gate(LatencyConfig(submit=Uniform(0, 1_000_000)), seed=seed)
        for position, name in enumerate(names):
            now = T0 + position * 10_000_000
            gate.submit(_limit(name), now)
            gate.advance(now + 2_000_000)
        if stranger:
            gate.advance(T0 + 90_000_000)
        return {name: when - T0 - names.index(name) * 10_000_000 for when, _, name in engine.arrivals}

    plain = arrivals(("a", "b"))
    renamed = arrivals(("c", "d"))
    other_seed = arrivals(("a", "b"), seed=1)

    assert list(plain.values()) == list(renamed.values())
    assert plain["a"] != plain["b"]
    assert plain != other_seed


@pytest.mark.parametrize("call", ["submit", "cancel", "modify", "advance", "disable", "enable"])
def test_time_does_not_go_backwards(call: str) -> None:
    """Every call with a time before the one reached raises and changes nothing."""
    gate, _ = _working()
    before = list(gate.events)

    calls: dict[str, Callable[[], object]] = {
        "submit": lambda: gate.submit(_limit("b"), 1_012),
        "cancel": lambda: gate.cancel("a", 1_012),
        "modify": lambda: gate.modify("a", OrderChange(quantity=_d("9")), 1_012),
        "advance": lambda: gate.advance(1_012),
        "disable": lambda: gate.disable_trading("me", "test", 1_012),
        "enable": lambda: gate.enable_trading("me", "test", 1_012),
    }

    with pytest.raises(ClockError) as caught:
        calls[call]()

    assert (caught.value.timestamp, caught.value.now) == (1_012, 1_013)
    assert gate.events == before
    assert gate.trading_state is TradingState.ACTIVE
    assert gate.now == 1_013


def test_a_match_before_the_cancel_arrives_stands() -> None:
    """Cancel sent 1013 arrives 1020; a match at 1019 stands and the cancel is refused."""
    gate, engine = _working()
    heard = _log(gate)

    gate.cancel("a", 1_013)
    gate.advance(1_019)
    matched = engine.match("a", "10", "99", 1_019)
    gate.advance(2_000)

    order = gate.get_order("a")
    assert matched
    assert heard == [
        (1_013, "CancelRequested", OrderStatus.PENDING_CANCEL),
        (1_039, "OrderExecution", OrderStatus.FILLED),
        (1_039, "CancelRefused", OrderStatus.FILLED),
    ]
    refused = gate.events[-1]
    assert type(refused) is CancelRefused
    assert refused.rejection.reason is RejectionReason.TOO_LATE_TO_CANCEL
    assert (refused.timestamp, refused.rejection.refused_by) == (1_020, RefusedBy.VENUE)
    assert (order.filled_quantity, order.rejection_reason, order.total_commission) == (_d("10"), None, _d("0.5"))


def test_a_cancel_before_the_match_wins() -> None:
    """Cancel sent 1013 arrives 1020; the engine finds nothing to match at 1021."""
    gate, engine = _working()

    gate.cancel("a", 1_013)
    gate.advance(1_021)
    matched = engine.match("a", "10", "99", 1_021)
    gate.advance(2_000)

    order = gate.get_order("a")
    assert not matched
    assert (order.status, order.cancelled_at, order.filled_quantity) == (OrderStatus.CANCELLED, 1_020, _d("0"))
    assert order.events[-1].reported_at == 1_023
    assert order.rejection_reason is None


def test_a_cancel_after_a_partial_match_ends_the_rest() -> None:
    """4 of 10 match before the cancel arrives: they are kept, and the order ends CANCELLED with 4."""
    gate, engine = _working()

    gate.cancel("a", 1_013)
    gate.advance(1_015)
    engine.match("a", "4", "99", 1_015)
    gate.advance(1_034)
    before = gate.get_order("a").filled_quantity
    gate.advance(2_000)

    order = gate.get_order("a")
    assert before == 0
    assert (order.status, order.filled_quantity, order.remaining_quantity) == (OrderStatus.CANCELLED, _d("4"), _d("6"))
    assert [type(event).__name__ for event in order.events[-2:]] == ["OrderExecution", "OrderCancelled"]
    assert [event.reported_at for event in order.events[-2:]] == [1_035, 1_035]


def test_an_order_in_flight_can_be_seen_and_cancelled() -> None:
    """A cancel sent before the order arrived follows it on the link and ends it there."""
    gate, engine = _gate()

    gate.submit(_limit(), T0)
    seen = (gate.get_order("a").status, list(gate.pending_orders))
    gate.cancel("a", 1_002)
    gate.advance(2_000)

    assert seen == (OrderStatus.PENDING_SUBMIT, ["a"])
    assert engine.arrivals == [(1_010, "place", "a"), (1_010, "cancel", "a")]
    assert _kinds(gate) == ["OrderSubmitted", "CancelRequested", "OrderAccepted", "OrderCancelled"]
    assert gate.get_order("a").status is OrderStatus.CANCELLED


def test_a_second_cancel_while_one_is_under_way_sends_nothing() -> None:
    """Cancelling twice is cancelling once."""
    gate, engine = _working()

    first = gate.cancel("a", 1_013)
    second = gate.cancel("a", 1_014)
    gate.advance(2_000)

    assert second == first
    assert [what for _, what, _ in engine.arrivals] == ["place", "cancel"]
    assert _kinds(gate).count("CancelRequested") == 1


def test_a_refused_cancel_may_be_tried_again() -> None:
    """After the venue refused a cancel the order works on as before, and the next cancel is sent."""
    gate, engine = _working()
    gate.cancel("a", 1_013)
    engine.tickets["a"].alive = False
    gate.advance(1_023)
    refused = gate.get_order("a")
    engine.tickets["a"].alive = True

    gate.cancel("a", 1_030)
    gate.advance(1_040)

    assert (refused.status, refused.rejection_reason) == (OrderStatus.SUBMITTED, None)
    assert gate.get_order("a").cancelled_at == 1_037


def test_cancelling_an_ended_order_is_refused_by_the_gate() -> None:
    """Nothing is sent; the order and its status stay as they were."""
    gate, engine = _working(LATENCY_INSTANT)
    engine.match("a", "10", "99", 1_020)
    gate.advance(1_020)

    order = gate.cancel("a", 1_030)

    refused = order.events[-1]
    assert type(refused) is CancelRefused
    assert (refused.rejection.reason, refused.rejection.refused_by) == (
        RejectionReason.TOO_LATE_TO_CANCEL,
        RefusedBy.GATE,
    )
    assert (order.status, order.rejection_reason) == (OrderStatus.FILLED, None)
    assert [what for _, what, _ in engine.arrivals] == ["place"]


@pytest.mark.parametrize("ack", [Constant(3), Uniform(1, 5)])
def test_cancelling_again_after_the_fill_was_heard_leaves_the_first_cancel_its_answer(
    ack: Constant | Uniform,
) -> None:
    """A fill is heard while a cancel travels, and the client cancels once more: the venue's answer still arrives."""
    gate, engine = _gate(LatencyConfig(ack=ack, cancel=Constant(100)))
    gate.submit(_limit(), T0)
    gate.advance(1_010)
    gate.cancel("a", 1_010)
    engine.match("a", "10", "99", 1_010)
    gate.advance(1_050)

    status = gate.cancel("a", 1_050).status
    gate.advance(2_000)

    assert status is OrderStatus.FILLED
    assert engine.arrivals[-1] == (1_110, "cancel", "a")
    last = gate.events[-1]
    assert type(last) is CancelRefused
    assert (last.timestamp, last.rejection.refused_by) == (1_110, RefusedBy.VENUE)


def test_old_terms_hold_until_the_replacement_is_reported() -> None:
    """A modify sent 1013 arrives 1025 and is heard 1028; until then the order shows its old price."""
    gate, engine = _working()

    sent = gate.modify("a", OrderChange(quantity=_d("12"), limit_price=_d("101")), 1_013)
    gate.advance(1_025)
    at_venue = engine.tickets["a"].price
    before = gate.get_order("a")
    gate.advance(1_028)
    after = gate.get_order("a")

    assert (sent.status, sent.limit_price) == (OrderStatus.PENDING_REPLACE, _d("100"))
    assert at_venue == _d("101")
    assert (before.status, before.limit_price, before.quantity) == (OrderStatus.PENDING_REPLACE, _d("100"), _d("10"))
    assert (after.status, after.limit_price, after.quantity) == (OrderStatus.SUBMITTED, _d("101"), _d("12"))


def test_a_match_before_the_modify_arrives_is_on_the_old_terms() -> None:
    """All 10 match at 1020, the modify arrives at 1025: it is refused and the order is FILLED."""
    gate, engine = _working()
    heard = _log(gate)

    gate.modify("a", OrderChange(quantity=_d("20")), 1_013)
    gate.advance(1_020)
    engine.match("a", "10", "100", 1_020)
    gate.advance(2_000)

    assert heard == [
        (1_013, "ModifyRequested", OrderStatus.PENDING_REPLACE),
        (1_040, "OrderExecution", OrderStatus.FILLED),
        (1_040, "ModifyRefused", OrderStatus.FILLED),
    ]
    order = gate.get_order("a")
    assert (order.quantity, order.rejection_reason) == (_d("10"), None)


def test_a_modify_before_the_match_decides_what_is_filled() -> None:
    """Quantity 10 becomes 4 at 1025: a match of 4 at 1026 completes the order."""
    gate, engine = _working()

    gate.modify("a", OrderChange(quantity=_d("4")), 1_013)
    gate.advance(1_026)
    engine.match("a", "4", "100", 1_026)
    gate.advance(2_000)

    order = gate.get_order("a")
    assert (order.status, order.quantity, order.filled_quantity) == (OrderStatus.FILLED, _d("4"), _d("4"))


def test_a_modify_below_what_matched_on_the_way_is_refused_by_the_venue() -> None:
    """6 match while the modify to 5 travels: too late; the order works on for its 10."""
    gate, engine = _working()

    gate.modify("a", OrderChange(quantity=_d("5")), 1_013)
    gate.advance(1_020)
    engine.match("a", "6", "100", 1_020)
    gate.advance(2_000)

    order = gate.get_order("a")
    refused = order.events[-1]
    assert type(refused) is ModifyRefused
    assert refused.rejection.reason is RejectionReason.TOO_LATE_TO_MODIFY
    assert (order.status, order.quantity, order.filled_quantity) == (
        OrderStatus.PARTIALLY_FILLED,
        _d("10"),
        _d("6"),
    )
    assert order.rejection_reason is None


@pytest.mark.parametrize("quantity", ["6", "5"])
def test_a_modify_not_above_the_known_fills_is_refused_by_the_gate(quantity: str) -> None:
    """With 6 reported, 6 and 5 are refused with both numbers, and nothing is sent."""
    gate, engine = _working()
    engine.match("a", "6", "100", 1_013)
    gate.advance(1_033)

    order = gate.modify("a", OrderChange(quantity=_d(quantity)), 1_040)

    refused = order.events[-1]
    assert type(refused) is ModifyRefused
    assert (refused.rejection.reason, refused.rejection.refused_by) == (
        RejectionReason.TOO_LATE_TO_MODIFY,
        RefusedBy.GATE,
    )
    assert (refused.rejection.value, refused.rejection.limit) == (_d(quantity), _d("6"))
    assert order.status is OrderStatus.PARTIALLY_FILLED
    assert gate.next_due() is None


@pytest.mark.parametrize("end", ["filled", "cancelled", "pending_cancel"])
def test_an_order_that_has_ended_or_is_about_to_cannot_be_modified(end: str) -> None:
    """The gate refuses a modify of an ended order, and of one whose cancel is under way."""
    gate, engine = _working()
    if end == "filled":
        engine.match("a", "10", "100", 1_013)
    else:
        gate.cancel("a", 1_013)
    if end != "pending_cancel":
        gate.advance(1_040)
    before = gate.get_order("a").status
    arrived = len(engine.arrivals)

    order = gate.modify("a", OrderChange(quantity=_d("20")), 1_040 if end != "pending_cancel" else 1_014)
    gate.advance(2_000)

    refused = order.events[-1]
    assert type(refused) is ModifyRefused
    assert refused.rejection.reason is RejectionReason.TOO_LATE_TO_MODIFY
    assert order.status is before
    assert "modify" not in [what for _, what, _ in engine.arrivals[arrived:]]


@pytest.mark.parametrize(
    "change", [OrderChange(), OrderChange(stop_price=Decimal(99)), OrderChange(quantity=Decimal(0))]
)
def test_a_change_that_makes_no_order_raises(change: OrderChange) -> None:
    """Nothing, a field the type does not have, or a quantity of zero: InvalidOrderError, and no trace."""
    gate, _ = _working()
    before = list(gate.events)

    with pytest.raises(InvalidOrderError):
        gate.modify("a", change, 1_013)

    assert gate.events == before
    assert gate.get_order("a").status is OrderStatus.SUBMITTED


def test_two_modifies_under_way_are_both_answered() -> None:
    """The order stays PENDING_REPLACE until the second answer, and ends on the second terms."""
    gate, _ = _working()

    gate.modify("a", OrderChange(limit_price=_d("101")), 1_013)
    gate.modify("a", OrderChange(limit_price=_d("102")), 1_020)
    gate.advance(1_028)
    between = gate.get_order("a")
    gate.advance(1_035)
    after = gate.get_order("a")

    assert (between.status, between.limit_price) == (OrderStatus.PENDING_REPLACE, _d("101"))
    assert (after.status, after.limit_price) == (OrderStatus.SUBMITTED, _d("102"))


@pytest.mark.parametrize("ended", [False, True])
def test_a_used_id_is_refused_and_the_first_order_left_alone(ended: bool) -> None:
    """The same id twice is one order at the venue, also when the first has ended."""
    gate, engine = _working(LATENCY_INSTANT)
    if ended:
        engine.match("a", "10", "100", 1_013)
        gate.advance(1_013)
    first = gate.get_order("a")

    second = gate.submit(_limit(quantity="99"), 1_020)

    assert (second.status, second.rejection_reason) == (OrderStatus.REJECTED, RejectionReason.DUPLICATE_ORDER)
    assert second.rejection is not None
    assert second.rejection.refused_by is RefusedBy.GATE
    assert gate.get_order("a") is first
    assert len(engine.placed) == 1
    assert isinstance(gate.events[-1], OrderDenied)


def test_an_order_that_is_not_new_is_an_error() -> None:
    """Submitting what came back from a submit raises InvalidTransition."""
    gate, _ = _gate()
    sent = gate.submit(_limit(), T0)

    with pytest.raises(InvalidTransition):
        gate.submit(sent, T0)


def test_a_bracket_arrives_as_one_message() -> None:
    """Entry and exits reach the venue in one call, the parent first, linked to it and to each other."""
    gate, engine = _gate()

    sent = gate.submit_bracket(_limit("e"), _sell("tp", "110"), _sell("sl", "90"), now=T0)
    gate.advance(2_000)

    assert engine.placed == [(1_010, ("e", "tp", "sl"), None)]
    assert [order.parent_id for order in sent] == [None, "e", "e"]
    assert sent[0].oco_id is None
    assert sent[1].oco_id == sent[2].oco_id is not None
    assert [order.status for order in sent] == [OrderStatus.PENDING_SUBMIT] * 3
    assert set(gate.pending_orders) == {"e", "tp", "sl"}


def test_a_bracket_is_refused_as_a_group() -> None:
    """One exit off its lot: it gets the reason, the others GROUP_REFUSED, and the venue sees none."""
    lots = Instruments([Instrument(symbol="X", lot_size=Decimal(5))])
    gate, engine = _gate(instruments=lots)

    refused = gate.submit_bracket(_limit("e"), _sell("tp", "110"), _sell("sl", "90", "7"), now=T0)
    gate.advance(2_000)

    assert [order.rejection_reason for order in refused] == [
        RejectionReason.GROUP_REFUSED,
        RejectionReason.GROUP_REFUSED,
        RejectionReason.INVALID_QUANTITY,
    ]
    assert set(gate.completed_orders) == {"e", "tp", "sl"}
    assert (engine.placed, gate.next_due()) == ([], None)


def test_a_bracket_with_a_used_id_is_refused_as_a_group() -> None:
    """A used id in a bracket refuses all of it and leaves the first order alone."""
    gate, engine = _working(LATENCY_INSTANT)
    first = gate.get_order("a")

    refused = gate.submit_bracket(_limit("e"), _sell("a", "110"), now=1_020)

    assert [order.rejection_reason for order in refused] == [
        RejectionReason.GROUP_REFUSED,
        RejectionReason.DUPLICATE_ORDER,
    ]
    assert gate.get_order("a") is first
    assert len(engine.placed) == 1


@pytest.mark.parametrize(
    "exit_order",
    [
        _limit("x"),
        _limit("x", side=OrderSide.SELL, symbol="Y"),
        Order(
            order_id="x",
            symbol="X",
            side=OrderSide.SELL,
            order_type=OrderType.MARKET,
            quantity=10,
            created_at=T0,
            parent_id="other",
        ),
    ],
    ids=["same side", "other symbol", "other parent"],
)
def test_a_bracket_whose_exit_is_none_raises(exit_order: Order) -> None:
    """An exit on the entry's side, in another symbol or of another parent is an error, and nothing was sent."""
    gate, _ = _gate()

    with pytest.raises(InvalidOrderError):
        gate.submit_bracket(_limit("e"), exit_order, now=T0)

    assert (gate.events, dict(gate.pending_orders), gate.next_due()) == ([], {}, None)


@pytest.mark.parametrize(
    ("order", "reason", "value", "limit"),
    [
        (_limit(price="100.03"), RejectionReason.INVALID_PRICE, "100.03", "0.05"),
        (_limit(quantity="12"), RejectionReason.INVALID_QUANTITY, "12", "5"),
        (_limit(symbol="Y"), RejectionReason.INVALID_SYMBOL, None, None),
        (
            Order(
                order_id="a",
                symbol="X",
                side=OrderSide.SELL,
                order_type=OrderType.STOP,
                quantity=10,
                created_at=T0,
                stop_price=Decimal("99.99"),
            ),
            RejectionReason.INVALID_PRICE,
            "99.99",
            "0.05",
        ),
    ],
    ids=["off-tick limit", "off-lot", "unknown symbol", "off-tick stop"],
)
def test_what_the_instrument_does_not_take_is_refused_with_both_numbers(
    order: Order, reason: RejectionReason, value: str | None, limit: str | None
) -> None:
    """Off the tick, off the lot, not declared: REJECTED by the gate, naming what was compared."""
    declared = Instruments([Instrument(symbol="X", tick_size=Decimal("0.05"), lot_size=Decimal(5))])
    gate, engine = _gate(instruments=declared)

    refused = gate.submit(order, T0)

    assert (refused.status, refused.rejection_reason, refused.rejected_at) == (OrderStatus.REJECTED, reason, T0)
    assert refused.rejection is not None
    assert refused.rejection.refused_by is RefusedBy.GATE
    assert refused.rejection.value == (None if value is None else _d(value))
    assert refused.rejection.limit == (None if limit is None else _d(limit))
    assert (engine.placed, gate.next_due()) == ([], None)


def test_a_change_off_the_tick_is_refused_and_the_old_terms_stand() -> None:
    """A modify is checked like a new order: off the tick it is refused by the gate."""
    gate, engine = _gate(LATENCY_INSTANT, instruments=Instruments([Instrument(symbol="X", tick_size=Decimal("0.05"))]))
    gate.submit(_limit(), T0)

    order = gate.modify("a", OrderChange(limit_price=_d("100.01")), T0)

    refused = order.events[-1]
    assert type(refused) is ModifyRefused
    assert (refused.rejection.reason, refused.rejection.value) == (RejectionReason.INVALID_PRICE, _d("100.01"))
    assert (order.status, order.limit_price) == (OrderStatus.SUBMITTED, _d("100"))
    assert [what for _, what, _ in engine.arrivals] == ["place"]


@pytest.mark.parametrize("call", ["get", "cancel", "modify"])
def test_an_unknown_id_raises(call: str) -> None:
    """Asking for, cancelling or modifying what was never submitted raises with the id."""
    gate, _ = _gate()

    calls: dict[str, Callable[[], object]] = {
        "get": lambda: gate.get_order("ghost"),
        "cancel": lambda: gate.cancel("ghost", T0),
        "modify": lambda: gate.modify("ghost", OrderChange(quantity=_d("1")), T0),
    }

    with pytest.raises(UnknownOrderError) as caught:
        calls[call]()

    assert caught.value.order_id == "ghost"
    assert gate.events == []


def test_a_report_the_order_cannot_take_raises_and_moves_nothing() -> None:
    """An engine that reports 11 filled of 10 is told so; the order stays as it was and the next report is heard."""
    gate, engine = _working(LATENCY_INSTANT)
    before = gate.get_order("a")
    gate.filled("a", 1_020, _d("11"), _d("100"), _d("0"), is_partial=False, liquidity=Liquidity.TAKER)
    engine.match("a", "10", "100", 1_020)

    with pytest.raises(InvalidTransition):
        gate.advance(1_020)
    after = gate.get_order("a")
    gate.advance(1_021)

    assert after is before
    assert gate.get_order("a").status is OrderStatus.FILLED
    _assert_consistent(gate)


def test_native_payloads_travel_both_ways_untouched() -> None:
    """What is handed in with a request reaches the engine; what it reports reaches the sink, before the listeners."""
    seen: list[tuple[str, str, object]] = []

    def sink(event: Event, order: Order | None, native: object) -> None:
        assert order is not None
        seen.append(("sink", f"{type(event).__name__}:{order.status}", native))

    gate, engine = _gate(native_sink=sink)
    gate.add_listener(lambda event, _: seen.append(("listener", type(event).__name__, None)))
    mine, change, ending = object(), object(), object()

    gate.submit(_limit(), T0, native=mine)
    gate.advance(1_013)
    gate.modify("a", OrderChange(quantity=_d("8")), 1_013, native=change)
    gate.advance(1_028)
    engine.match("a", "3", "100", 1_028)
    gate.advance(1_048)
    gate.cancel("a", 1_048, native=ending)
    gate.advance(2_000)

    ticket = engine.tickets["a"]
    assert engine.placed == [(1_010, ("a",), mine)]
    assert seen == [
        ("listener", "OrderSubmitted", None),
        ("sink", "OrderAccepted:submitted", ticket),
        ("listener", "OrderAccepted", None),
        ("listener", "ModifyRequested", None),
        ("sink", "OrderReplaced:submitted", change),
        ("listener", "OrderReplaced", None),
        ("sink", "OrderExecution:partially_filled", ticket),
        ("listener", "OrderExecution", None),
        ("listener", "CancelRequested", None),
        ("sink", "OrderCancelled:cancelled", ending),
        ("listener", "OrderCancelled", None),
    ]
    assert seen[1][2] is ticket


def test_a_bracket_carries_one_payload() -> None:
    """The payload of a bracket arrives once, with the whole group."""
    gate, engine = _gate()
    mine = object()

    gate.submit_bracket(_limit("e"), _sell("tp", "110"), now=T0, native=mine)
    gate.advance(1_010)

    assert engine.placed == [(1_010, ("e", "tp"), mine)]


def test_the_engine_keeps_its_money_and_its_orders_to_itself() -> None:
    """The engine's ticket and cash move at the match; what the client holds is frozen and moves with the report."""
    gate, engine = _working()
    held = gate.get_order("a")

    engine.match("a", "10", "99", 1_013)
    gate.mark("X", _d("99"), 1_013)

    assert (engine.cash, engine.tickets["a"].left) == (_d("10"), _d("0"))
    assert gate.get_order("a") is held
    gate.advance(1_033)
    assert held.filled_quantity == 0
    assert gate.get_order("a").filled_quantity == _d("10")


def test_an_adjustment_travels_with_the_reports_and_is_nobodys_order() -> None:
    """Interest booked at 1014, after a match at 1013 due 1033, is heard at 1033 with its cause and its own time."""
    payloads = []
    gate, engine = _gate(native_sink=lambda event, order, native: payloads.append((type(event), order, native)))
    gate.submit(_limit(), T0)
    gate.advance(1_013)
    heard = []
    gate.add_listener(lambda event, order: heard.append((type(event), order is None, gate.now)))

    engine.match("a", "4", "100", 1_013)
    gate.adjusted(1_014, _d("-2.5"), "interest", symbol="X", quantity=_d("3"), native="payload")
    gate.advance(2_000)

    adjusted = gate.events[-1]
    assert heard == [(OrderExecution, False, 1_033), (AccountAdjusted, True, 1_033)]
    assert adjusted == AccountAdjusted(1_014, 1_033, _d("-2.5"), "interest", "X", _d("3"))
    assert payloads[-1] == (AccountAdjusted, None, "payload")


def test_disabling_trading_cancels_what_works_and_refuses_what_comes() -> None:
    """Working and in-flight orders are cancelled; a new order and a modify are refused; cancels still pass."""
    gate, engine = _working()
    gate.submit(_limit("b"), 1_013)

    gate.disable_trading("ops", "fat finger", 1_014)
    denied = gate.submit(_limit("c"), 1_015)
    gate.advance(2_000)

    changed = next(event for event in gate.events if isinstance(event, TradingStateChanged))
    assert (changed.state, changed.by, changed.reason, changed.timestamp) == (
        TradingState.HALTED,
        "ops",
        "fat finger",
        1_014,
    )
    assert gate.trading_state is TradingState.HALTED
    assert (denied.status, denied.rejection_reason) == (OrderStatus.REJECTED, RejectionReason.RISK_TRADING_DISABLED)
    # the cancel of `a`, due at 1021, does not overtake the submit of `b`
    assert engine.arrivals[1:] == [(1_023, "place", "b"), (1_023, "cancel", "a"), (1_023, "cancel", "b")]
    assert gate.get_order("a").status is OrderStatus.CANCELLED
    assert gate.get_order("b").status is OrderStatus.CANCELLED


def test_disabling_trading_may_keep_working_orders() -> None:
    """With cancel_working=False nothing is cancelled; a modify is refused, a cancel passes, enabling lets out again."""
    gate, _ = _working()

    gate.disable_trading("ops", "pause", 1_014, cancel_working=False)
    kept = gate.get_order("a").status
    modified = gate.modify("a", OrderChange(quantity=_d("20")), 1_015)
    cancelled = gate.cancel("a", 1_016)
    gate.enable_trading("ops", "go on", 1_017)
    sent = gate.submit(_limit("b"), 1_018)

    assert kept is OrderStatus.SUBMITTED
    refused = modified.events[-1]
    assert type(refused) is ModifyRefused
    assert refused.rejection.reason is RejectionReason.RISK_TRADING_DISABLED
    assert modified.status is OrderStatus.SUBMITTED
    assert cancelled.status is OrderStatus.PENDING_CANCEL
    assert gate.trading_state is TradingState.ACTIVE
    assert sent.status is OrderStatus.PENDING_SUBMIT


def test_what_matched_before_the_kill_switchs_cancel_arrives_stands() -> None:
    """The switch does not unsend: a match at 1015, before the cancel of 1014 arrives at 1021, is a fill."""
    gate, engine = _working()

    gate.disable_trading("ops", "stop", 1_014)
    gate.advance(1_015)
    engine.match("a", "10", "100", 1_015)
    gate.advance(2_000)

    assert gate.get_order("a").status is OrderStatus.FILLED


def test_a_raising_listener_does_not_stop_the_kill_switch() -> None:
    """Somebody who fails on hearing of the halt neither keeps the cancels back nor misses what came with it."""
    gate, engine = _working()
    gate.submit(_limit("b"), 1_013)
    heard: list[type] = []

    def fail(event: Event, order: Order | None) -> None:
        heard.append(type(event))
        if type(event) is TradingStateChanged:
            raise LookupError

    gate.add_listener(fail)
    with pytest.raises(LookupError):
        gate.disable_trading("ops", "stop", 1_014)
    gate.advance(2_000)

    assert gate.trading_state is TradingState.HALTED
    assert sorted(order_id for _, what, order_id in engine.arrivals if what == "cancel") == ["a", "b"]
    assert heard[:3] == [TradingStateChanged, CancelRequested, CancelRequested]


KINDS = [
    OrderSubmitted,
    OrderDenied,
    OrderAccepted,
    OrderRejected,
    OrderTriggered,
    OrderExecution,
    CancelRequested,
    CancelRefused,
    OrderCancelled,
    ModifyRequested,
    ModifyRefused,
    OrderReplaced,
    OrderExpired,
    AccountAdjusted,
    TradingStateChanged,
]


def _everything(gate: ExecutionGate, engine: Engine) -> None:
    """Let every kind of event happen once or more, from time 1000 to 1500 by steps of 100."""
    gate.submit(_limit("a"), 1_000)
    gate.submit(_limit("a"), 1_000)
    gate.advance(1_100)
    gate.triggered("a", 1_100, _d("100"))
    gate.modify("a", OrderChange(quantity=_d("12")), 1_100)
    gate.advance(1_200)
    engine.match("a", "12", "100", 1_200)
    gate.cancel("a", 1_200)
    gate.modify("a", OrderChange(quantity=_d("13")), 1_200)
    gate.submit(_limit("b"), 1_200)
    gate.submit(_limit("c"), 1_200)
    gate.submit(_limit("d"), 1_200)
    gate.advance(1_300)
    gate.expired("c", 1_300)
    gate.rejected("d", 1_300, _late(RejectionReason.UNKNOWN))
    gate.adjusted(1_300, _d("1"), "deposit")
    gate.cancel("b", 1_300)
    gate.advance(1_400)
    gate.disable_trading("ops", "end", 1_400)
    gate.enable_trading("ops", "end", 1_400)
    gate.advance(1_500)


@pytest.mark.parametrize("latency", [LATENCY_INSTANT, LEGS], ids=["instant", "delayed"])
def test_every_kind_of_event_is_heard(latency: LatencyConfig) -> None:
    """The run that the next tests lean on does produce each kind."""
    gate, engine = _gate(latency)

    _everything(gate, engine)

    assert {type(event) for event in gate.events} == set(KINDS)
    _assert_consistent(gate)


@pytest.mark.parametrize("latency", [LATENCY_INSTANT, LEGS], ids=["instant", "delayed"])
@pytest.mark.parametrize("kind", KINDS, ids=[kind.__name__ for kind in KINDS])
def test_a_listener_may_submit_modify_and_cancel_on_any_event(kind: type, latency: LatencyConfig) -> None:
    """A listener that sends, changes and cancels an order on hearing an event is served, and time stays in order."""
    gate, engine = _gate(latency)
    fresh = iter(range(1_000))

    def react(event: Event, order: Order | None) -> None:
        own = order is not None and order.order_id.startswith("r")
        if type(event) is kind and not own:
            name = f"r{next(fresh)}"
            sent = gate.submit(_limit(name), gate.now)
            if not sent.is_complete:
                gate.modify(name, OrderChange(limit_price=_d("99")), gate.now)
                gate.cancel(name, gate.now)

    gate.add_listener(react)
    _everything(gate, engine)

    mine = [order for order_id, order in gate.completed_orders.items() if order_id.startswith("r")]
    assert mine
    assert not [order_id for order_id in gate.pending_orders if order_id.startswith("r")]
    ended = {order.status for order in mine} - {OrderStatus.REJECTED}  # refused where trading is halted
    assert ended <= {OrderStatus.CANCELLED}
    assert [event.reported_at for event in gate.events] == sorted(event.reported_at for event in gate.events)
    _assert_consistent(gate)


@pytest.mark.parametrize("kind", KINDS, ids=[kind.__name__ for kind in KINDS])
@pytest.mark.parametrize("how", ["advance", "submit later"])
def test_a_listener_may_not_move_time(kind: type, how: str) -> None:
    """Advancing, or submitting at a later time, from inside a listener raises; the run goes on untouched."""
    gate, engine = _gate()
    caught: list[ReentrantCallError] = []

    def rush(event: Event, order: Order | None) -> None:
        if type(event) is not kind:
            return
        now = gate.now
        try:
            if how == "advance":
                gate.advance(now + 1)
            else:
                gate.submit(_limit("later"), now + 1)
        except ReentrantCallError as error:
            caught.append(error)
        assert gate.now == now

    gate.add_listener(rush)
    _everything(gate, engine)

    assert caught
    assert "later" not in gate.pending_orders
    _assert_consistent(gate)


@pytest.mark.parametrize("latency", [LATENCY_INSTANT, LEGS], ids=["instant", "delayed"])
@pytest.mark.parametrize("kind", KINDS, ids=[kind.__name__ for kind in KINDS])
def test_a_listener_that_raises_leaves_the_gate_consistent(kind: type, latency: LatencyConfig) -> None:
    """Its error reaches the caller; the event counts as told, and everything else goes on as if it had not raised."""
    plain, engine = _gate(latency)
    _everything(plain, engine)
    gate, engine = _gate(latency)
    raised = 0

    def fail(event: Event, order: Order | None) -> None:
        if type(event) is kind:
            raise LookupError(kind.__name__)

    gate.add_listener(fail)

    def until_done(call: Callable[[], object], now: int) -> None:
        nonlocal raised
        try:
            call()
        except LookupError:
            raised += 1
        while True:
            try:
                gate.advance(now)
            except LookupError:
                raised += 1
            else:
                return

    until_done(lambda: gate.submit(_limit("a"), 1_000), 1_000)
    until_done(lambda: gate.submit(_limit("a"), 1_000), 1_100)
    gate.triggered("a", 1_100, _d("100"))
    until_done(lambda: gate.modify("a", OrderChange(quantity=_d("12")), 1_100), 1_200)
    engine.match("a", "12", "100", 1_200)
    until_done(lambda: gate.cancel("a", 1_200), 1_200)
    until_done(lambda: gate.modify("a", OrderChange(quantity=_d("13")), 1_200), 1_200)
    for name in ("b", "c", "d"):
        until_done(lambda name=name: gate.submit(_limit(name), 1_200), 1_200)  # type: ignore[misc]
    until_done(lambda: None, 1_300)
    gate.expired("c", 1_300)
    gate.rejected("d", 1_300, _late(RejectionReason.UNKNOWN))
    gate.adjusted(1_300, _d("1"), "deposit")
    until_done(lambda: gate.cancel("b", 1_300), 1_400)
    until_done(lambda: gate.disable_trading("ops", "end", 1_400), 1_400)
    until_done(lambda: gate.enable_trading("ops", "end", 1_400), 1_500)

    assert raised
    assert gate.events == plain.events
    _assert_consistent(gate)


def test_a_listener_that_raises_amid_a_bracket_loses_no_event() -> None:
    """The entry's listener raises: the exits were sent with it, and the log says so too."""
    gate, engine = _gate()

    def fail(event: Event, order: Order | None) -> None:
        if isinstance(event, OrderSubmitted) and event.order_id == "e":
            raise LookupError

    gate.add_listener(fail)
    with pytest.raises(LookupError):
        gate.submit_bracket(_limit("e"), _sell("tp", "110"), _sell("sl", "90"), now=T0)
    gate.advance(2_000)

    assert engine.placed == [(1_010, ("e", "tp", "sl"), None)]
    assert _kinds(gate).count("OrderSubmitted") == 3
    _assert_consistent(gate)


def test_listeners_hear_in_the_order_they_were_added() -> None:
    """First added, first told, for each event."""
    gate, _ = _gate(LATENCY_INSTANT)
    told: list[str] = []
    gate.add_listener(lambda event, _: told.append(f"first {type(event).__name__}"))
    gate.add_listener(lambda event, _: told.append(f"second {type(event).__name__}"))

    gate.submit(_limit(), T0)

    assert told == ["first OrderSubmitted", "second OrderSubmitted", "first OrderAccepted", "second OrderAccepted"]


def test_the_books_are_read_only_views() -> None:
    """Nobody can add an order behind the gate's back."""
    gate, _ = _working()

    with pytest.raises(TypeError):
        gate.pending_orders["z"] = _limit("z")  # type: ignore[index]

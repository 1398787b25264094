"""The gate before a venue that is somebody else's: it answers late, and has orders that the gate never sent."""

from __future__ import annotations

from decimal import Decimal

import pytest

from seatrial import (
    DrawdownLimitRule,
    NamedRule,
    Order,
    OrderSide,
    OrderStatus,
    OrderType,
    PositionLimitRule,
    RejectionReason,
    RiskAction,
    RiskConfig,
    TradingState,
)
from seatrial.contracts.events import OrderAccepted, OrderChange, OrderExecution, OrderSubmitted, TradingStateChanged
from seatrial.contracts.terms import Liquidity
from seatrial.errors import InvalidOrderError
from seatrial.gate.account import Account
from seatrial.gate.gate import ExecutionGate
from seatrial.gate.instruments import Instruments

T0 = 1_700_000_000_000_000_000
DAY = 86_400 * 10**9
LIMIT = RiskConfig(position_limit=PositionLimitRule(max_shares=Decimal(10)))


class Silent:
    """Takes everything, and says nothing."""

    def __init__(self) -> None:
        self.placed: list[str] = []
        self.cancelled: list[str] = []

    def place(self, orders: tuple[Order, ...], now: int, native: object) -> None:
        self.placed += [order.order_id for order in orders]

    def cancel(self, order_id: str, now: int, native: object) -> None:
        self.cancelled.append(order_id)

    def modify(self, order_id: str, change: OrderChange, now: int, native: object) -> None:
        """Say nothing."""


def _gate(risk: RiskConfig | None = LIMIT) -> tuple[ExecutionGate, Silent, Account]:
    instruments, venue = Instruments(), Silent()
    account = Account(Decimal(0), instruments)
    gate = ExecutionGate(venue, risk=risk, instruments=instruments, account=account)
    gate.advance(T0)
    gate.adjusted(T0, Decimal(1_000), "balance at the start")
    gate.advance(T0)
    return gate, venue, account


def _order(order_id: str, quantity: int = 4) -> Order:
    return Order(
        order_id=order_id,
        symbol="X",
        side=OrderSide.BUY,
        order_type=OrderType.LIMIT,
        quantity=quantity,
        limit_price=Decimal(10),
        created_at=T0,
    )


def _working(order_id: str, quantity: int = 4) -> Order:
    return _order(order_id, quantity).apply(OrderSubmitted(order_id, T0, T0)).apply(OrderAccepted(order_id, T0, T0))


def _fill(order_id: str, quantity: int, execution_id: str = "", *, is_partial: bool = False) -> OrderExecution:
    return OrderExecution(
        order_id, T0, T0, execution_id, Decimal(quantity), Decimal(10), Decimal(0), is_partial, Liquidity.MAKER
    )


def test_a_report_that_has_travelled_is_heard_when_it_comes_with_the_time_it_happened() -> None:
    """Clocks differ: one that is stamped in the future is heard now, one from the past is not heard in the past."""
    gate, _, _ = _gate()
    gate.submit(_order("a"), T0 + 5)

    gate.arrived(OrderAccepted("a", T0 + 900, T0 + 900), T0 + 10)
    gate.arrived(_fill("a", 4, "venue-7"), T0 + 12)
    gate.advance(T0 + 12)

    assert gate.get_order("a").status is OrderStatus.FILLED
    assert [(event.timestamp, event.reported_at) for event in gate.events[-2:]] == [(T0 + 900, T0 + 10), (T0, T0 + 12)]
    assert gate.get_order("a").executions[0].execution_id == "venue-7"


def test_a_report_within_a_call_of_the_gates_is_heard_within_it() -> None:
    """A venue that answers at once, by a clock that has moved on."""

    class Prompt(Silent):
        def place(self, orders: tuple[Order, ...], now: int, native: object) -> None:
            gate.arrived(OrderAccepted(orders[0].order_id, now, now), now + 3)

    gate = ExecutionGate(Prompt())

    assert gate.submit(_order("a"), T0).status is OrderStatus.SUBMITTED


def test_an_order_from_elsewhere_is_counted_by_every_rule_and_asked_about_by_none() -> None:
    """Adopted beyond the limit it works; what comes after it is refused, and its fill is booked like any other."""
    gate, venue, account = _gate()

    gate.adopt(_working("abroad", 12), T0)

    assert gate.submit(_order("a", 1), T0).rejection_reason is RejectionReason.RISK_POSITION_LIMIT
    gate.arrived(_fill("abroad", 12), T0)
    gate.advance(T0)
    assert account.positions == {"X": 12}
    assert venue.placed == []


def test_an_order_that_comes_half_filled_counts_for_its_rest() -> None:
    """What it filled before is in the account already."""
    gate, _, account = _gate()

    gate.adopt(_working("abroad", 8).apply(_fill("abroad", 6, is_partial=True)), T0)

    assert account.positions == {}
    assert gate.submit(_order("a", 8), T0).status is OrderStatus.PENDING_SUBMIT
    assert gate.submit(_order("b", 1), T0).rejection_reason is RejectionReason.RISK_POSITION_LIMIT


def test_the_kill_switch_asks_adopted_orders_to_end_too() -> None:
    """Whoever sent them."""
    gate, venue, _ = _gate()
    gate.adopt(_working("abroad"), T0)

    gate.disable_trading("ada", "drill", T0)

    assert venue.cancelled == ["abroad"]


@pytest.mark.parametrize("order", [_order("a"), _working("known"), _working("b").apply(_fill("b", 4))])
def test_only_what_works_and_is_not_known_can_be_adopted(order: Order) -> None:
    """A new order is submitted, a known one reported about, and one that has ended is over."""
    gate, _, _ = _gate()
    gate.adopt(_working("known"), T0)

    with pytest.raises(InvalidOrderError):
        gate.adopt(order, T0)


DRAWDOWN = RiskConfig(drawdown_limit=DrawdownLimitRule(max_daily_drawdown_pct=Decimal(10), action=RiskAction.HALT))


def _after(cash: int, risk: RiskConfig = DRAWDOWN) -> ExecutionGate:
    """Return the gate of a session that goes on from one that began at 1000 and stood at 950, with `cash` found."""
    before, _, _ = _gate(DRAWDOWN)
    before.adopt(_working("paid"), T0)
    before.arrived(
        OrderExecution(
            "paid", T0, T0, "", Decimal(4), Decimal(10), Decimal(50), is_partial=False, liquidity=Liquidity.TAKER
        ),
        T0,
    )
    before.advance(T0)
    state = before.snapshot()
    after = ExecutionGate(Silent(), risk=risk, account=Account(Decimal(0), Instruments()))
    after.advance(T0 + 1)
    after.adjusted(T0 + 1, Decimal(cash), "balance at the start")
    after.advance(T0 + 1)
    after.carry_on(state)
    return after


@pytest.mark.parametrize(("cash", "day_start"), [(950, 1_000), (930, 1_000), (1_050, 1_100)])
def test_what_was_lost_meanwhile_is_a_loss_and_what_was_gained_is_paid_in(cash: int, day_start: int) -> None:
    """The day's start stays where it was, unless there is more than there was: that flatters nobody."""
    risk = _after(cash).admission.risk

    assert risk is not None
    assert [risk.day_start, risk.peak] == [day_start] * 2


def test_a_loss_in_the_meantime_trips_the_limit() -> None:
    """At 900 of 1000 the limit of 10 % still holds, below it does not."""
    gates = [_after(cash) for cash in (900, 899)]
    for gate in gates:
        gate.advance(T0 + 2)

    assert [gate.trading_state for gate in gates] == [TradingState.ACTIVE, TradingState.HALTED]


def test_a_day_that_turned_in_the_meantime_begins_at_what_is_found() -> None:
    """The latch of the day before is over, a loss since then is not today's."""
    gate = _after(800)
    gate.advance(T0 + 2)
    states = [gate.trading_state]

    gate.advance(T0 + DAY)

    assert [*states, gate.trading_state] == [TradingState.HALTED, TradingState.ACTIVE]
    assert gate.admission.risk is not None
    assert gate.admission.risk.day_start == 800


def test_latches_hold_and_are_told_and_what_the_new_session_begins_with_holds_too() -> None:
    """An operator's word, a switch that the new configuration has engaged, and a rule that is gone."""
    before, _, _ = _gate(RiskConfig(rules=(NamedRule("position_limit", {"max_shares": 5}),)))
    before.disable_trading("ada", "drill", T0)
    after, _, _ = _gate(RiskConfig(trading_enabled=False))

    after.carry_on(before.snapshot())

    assert after.trading_state is TradingState.HALTED
    after.enable_trading("ada", "over", T0)
    states = [event.state for event in after.events if type(event) is TradingStateChanged]
    assert states[-3:] == [TradingState.HALTED, TradingState.HALTED, TradingState.ACTIVE]


def test_an_adapter_may_name_the_orders_that_close_positions() -> None:
    """A venue may take only ids of its own kind."""
    flatten = DrawdownLimitRule(max_daily_drawdown_pct=Decimal(5), action=RiskAction.FLATTEN)
    gate, venue, _ = _gate(RiskConfig(drawdown_limit=flatten))
    gate.own_ids = iter(["O1", "O2"]).__next__
    gate.adjusted(T0, Decimal(-100), "position", symbol="X", quantity=Decimal(10))
    gate.mark("X", Decimal(10), T0)
    gate.advance(T0)

    gate.mark("X", Decimal(1), T0)
    gate.assess()

    assert venue.placed == ["O1"]

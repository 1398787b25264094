"""Trading states and the ladder of actions: what each step refuses, cancels and closes, and who releases it."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest

from seatrial import (
    DrawdownLimitRule,
    ExecutionSimulator,
    Order,
    OrderSide,
    OrderStatus,
    OrderType,
    Quote,
    Rejection,
    RejectionReason,
    RiskAction,
    RiskConfig,
    RiskViolation,
    TradingState,
)
from seatrial.clock import to_ns
from seatrial.contracts.events import OrderDenied, TradingStateChanged
from seatrial.contracts.rejection import RefusedBy
from seatrial.contracts.risk import Latch

if TYPE_CHECKING:
    from seatrial.contracts.account import RiskView

T0 = to_ns(datetime(2024, 3, 4, 10, tzinfo=UTC))
DAY = 86_400_000_000_000
BUY, SELL = OrderSide.BUY, OrderSide.SELL
MARKET, LIMIT = OrderType.MARKET, OrderType.LIMIT
ACTIVE, REDUCE_ONLY, HALTED = TradingState.ACTIVE, TradingState.REDUCE_ONLY, TradingState.HALTED


class Alarm:
    """Objects to the account with what it was given, one answer a time."""

    def __init__(self, *answers: RiskViolation) -> None:
        self.answers = list(answers)

    def watch(self, account: RiskView, now: int) -> RiskViolation | None:
        return self.answers.pop(0) if self.answers else None


class Sentry:
    """Refuses an order called `bad` with an action."""

    def __init__(self, action: RiskAction) -> None:
        self.action = action

    def check(self, order: Order, account: RiskView, now: int) -> RiskViolation | None:
        return RiskViolation("bad order", action=self.action) if order.order_id == "bad" else None


def _sim(*rules: object, action: RiskAction | None = None) -> ExecutionSimulator:
    """Return an account of 100,000 with X at 100; a daily loss above 5 % is answered by `action`."""
    limit = None if action is None else DrawdownLimitRule(max_daily_drawdown_pct=Decimal(5), action=action)
    sim = ExecutionSimulator(initial_cash=100_000, risk_config=RiskConfig(drawdown_limit=limit, rules=rules))
    _price(sim, T0, 100)
    return sim


def _price(sim: ExecutionSimulator, ts: int, price: int) -> None:
    sim.process_quote(Quote(ts, "X", Decimal(price), Decimal(price)))


def _order(order_id: str, side: OrderSide = BUY, quantity: int = 900, kind: OrderType = MARKET, **more: Any) -> Order:
    if kind is LIMIT:
        more = {"limit_price": Decimal(more["limit_price"])}
    return Order(order_id=order_id, symbol="X", side=side, order_type=kind, quantity=quantity, created_at=T0, **more)


def _states(sim: ExecutionSimulator) -> list[TradingState]:
    return [event.state for event in sim.events if type(event) is TradingStateChanged]


@pytest.mark.parametrize(
    ("action", "state", "resting", "held"),
    [
        (RiskAction.REDUCE_ONLY, REDUCE_ONLY, OrderStatus.SUBMITTED, 900),
        (RiskAction.CANCEL_ALL, REDUCE_ONLY, OrderStatus.CANCELLED, 900),
        (RiskAction.HALT, HALTED, OrderStatus.CANCELLED, 900),
        (RiskAction.FLATTEN, HALTED, OrderStatus.CANCELLED, 0),
    ],
)
def test_each_step_of_the_ladder_does_more_than_the_one_before(
    action: RiskAction, state: TradingState, resting: OrderStatus, held: int
) -> None:
    """Reduce only; and cancel what works; and let nothing out; and close what is held."""
    sim = _sim(action=action)
    sim.submit_order(_order("long"), T0)
    sim.submit_order(_order("bid", kind=LIMIT, quantity=10, limit_price=50), T0)

    _price(sim, T0 + 1, 94)

    assert sim.trading_state is state
    assert sim.get_order("bid").status is resting
    assert sim.positions.get("X", 0) == held
    exit_ = sim.submit_order(_order("exit", SELL, 100), T0 + 1)
    assert (exit_.status is OrderStatus.FILLED) is (state is REDUCE_ONLY)


@pytest.mark.parametrize("action", list(RiskAction))
def test_a_refusal_may_ask_for_more_than_itself(action: RiskAction) -> None:
    """The order is refused first; then what the rule asked for follows, in this order in the log."""
    sim = _sim(Sentry(action))
    sim.submit_order(_order("long"), T0)

    refused = sim.submit_order(_order("bad", quantity=1), T0)

    assert refused.rejection_reason is RejectionReason.RISK_RULE
    told = [type(event) for event in sim.events if type(event) in {OrderDenied, TradingStateChanged}]
    assert told == [OrderDenied] + [TradingStateChanged] * (action is not RiskAction.REJECT)


def test_a_watcher_that_asks_for_a_refusal_restricts() -> None:
    """There is no order to refuse, so the next step of the ladder holds."""
    assert _sim(Alarm(RiskViolation("worse"))).trading_state is REDUCE_ONLY


def test_a_harder_action_replaces_a_milder_one_and_never_the_other_way() -> None:
    """A rule that calms down does not loosen what it latched."""
    actions = (RiskAction.REDUCE_ONLY, RiskAction.HALT, RiskAction.CANCEL_ALL, RiskAction.REDUCE_ONLY)
    sim = _sim(Alarm(*[RiskViolation("worse", action=action) for action in actions]))
    for tick in range(1, 5):
        _price(sim, T0 + tick, 100)

    assert _states(sim) == [REDUCE_ONLY, HALTED]


def test_a_harder_action_for_the_day_does_not_shorten_one_for_the_operator() -> None:
    """When the day turns, what waits for an operator still holds."""
    lasting = RiskViolation("for good", action=RiskAction.REDUCE_ONLY, until=Latch.OPERATOR)
    harder = RiskViolation("today", action=RiskAction.HALT, until=Latch.DAY)
    sim = _sim(Alarm(lasting, harder))
    _price(sim, T0 + 1, 100)
    assert sim.trading_state is HALTED

    sim.advance(T0 + DAY)

    assert sim.trading_state is not ACTIVE


def test_the_strictest_latch_holds_and_is_the_one_refusals_name() -> None:
    """Two rules latched: the refusal names the one that halts; released by the day, the other one."""
    mild = Alarm(RiskViolation("mild", action=RiskAction.REDUCE_ONLY))
    hard = Alarm(RiskViolation("hard", Decimal(3), Decimal(2), action=RiskAction.HALT, until=Latch.DAY))
    sim = _sim(mild, hard)

    halted = sim.submit_order(_order("a"), T0).rejection
    sim.advance(T0 + DAY)
    restricted = sim.submit_order(_order("b"), T0 + DAY).rejection

    assert halted == Rejection(
        RejectionReason.RISK_RULE, "halted: hard", RefusedBy.GATE, "Alarm#2", Decimal(3), Decimal(2)
    )
    assert restricted == Rejection(RejectionReason.RISK_RULE, "reduce_only: mild", RefusedBy.GATE, "Alarm")


def test_restriction_lets_modifies_pass_that_only_shrink() -> None:
    """A smaller quantity passes; a larger one, and another price, do not; the state is named."""
    sim = _sim()
    sim.submit_order(_order("bid", kind=LIMIT, quantity=10, limit_price=50), T0)
    sim.restrict_trading("risk desk", "test")

    assert sim.modify_order("bid", T0, quantity=Decimal(9)).quantity == 9
    assert sim.modify_order("bid", T0, quantity=Decimal(10)).quantity == 9
    assert sim.modify_order("bid", T0, limit_price=Decimal(51)).limit_price == 50


def test_restriction_refuses_brackets_and_native_orders() -> None:
    """An entry opens; an engine's own type is never presumed to reduce; what is flat cannot be reduced."""
    sim = _sim()
    sim.submit_order(_order("long", quantity=10), T0)
    sim.restrict_trading("risk desk", "test")

    entry, leave = sim.submit_bracket(_order("e"), _order("x", SELL, kind=LIMIT, limit_price=150), timestamp=T0)
    native = sim.submit_order(_order("n", SELL, 10, OrderType.NATIVE, native_type="iceberg"), T0)

    assert entry.rejection_reason is RejectionReason.RISK_REDUCE_ONLY
    assert (leave.is_complete, native.rejection_reason) == (True, RejectionReason.RISK_REDUCE_ONLY)
    assert native.rejection_message == (
        "only orders that provably reduce a position may leave; enable_trading(by, reason) lets all out again"
    )


def test_an_operator_s_word_without_rules_starts_no_counting() -> None:
    """What works is counted only while something depends on it: to restrict trading does, to enable it does not."""
    sim = ExecutionSimulator(initial_cash=10_000)

    sim.disable_trading("desk", "drill", T0)
    sim.enable_trading("desk", "over", T0)
    assert sim.gate.admission.exposure is None

    sim.restrict_trading("desk", "drill", T0)
    assert sim.gate.admission.exposure is not None

"""Flatten, the last step of the ladder: everything held is closed, once, and nothing else leaves."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest

from seatrial import (
    AccountType,
    Constant,
    Convention,
    DrawdownLimitRule,
    ExecutionSimulator,
    LatencyConfig,
    Order,
    OrderSide,
    OrderStatus,
    OrderType,
    Quote,
    RiskAction,
    RiskConfig,
    RiskViolation,
    TradingState,
    VenueConfig,
)
from seatrial.clock import to_ns
from seatrial_rules.switch import KillSwitch

if TYPE_CHECKING:
    from seatrial.contracts.account import RiskView

T0 = to_ns(datetime(2024, 3, 4, 10, tzinfo=UTC))
MS = 1_000_000
BUY, SELL = OrderSide.BUY, OrderSide.SELL
MARKET, LIMIT = OrderType.MARKET, OrderType.LIMIT
SLOW = LatencyConfig(submit=Constant(10 * MS), fill=Constant(500 * MS), cancel=Constant(20 * MS))
FLATTEN = DrawdownLimitRule(max_daily_drawdown_pct=Decimal(5), action=RiskAction.FLATTEN)
MARGIN = VenueConfig(account_type=AccountType.MARGIN, leverage=Decimal(4))
PATIENT = VenueConfig(convention=Convention.NEXT)


class Sentry:
    """Asks to flatten when it sees an order called `bad`."""

    def check(self, order: Order, account: RiskView, now: int) -> RiskViolation | None:
        return RiskViolation("bad order", action=RiskAction.FLATTEN) if order.order_id == "bad" else None


def _sim(
    *rules: object,
    limit: DrawdownLimitRule | None = FLATTEN,
    latency: LatencyConfig | None = None,
    venue: VenueConfig | None = None,
) -> ExecutionSimulator:
    """Return an account of 100,000 with X at 100, which a daily loss above 5 % flattens."""
    sim = ExecutionSimulator(
        initial_cash=100_000,
        latency_config=latency or LatencyConfig(),
        venue_config=venue,
        risk_config=RiskConfig(drawdown_limit=limit, rules=rules),
    )
    _price(sim, T0, 100)
    return sim


def _price(sim: ExecutionSimulator, ts: int, price: int) -> None:
    sim.process_quote(Quote(ts, "X", Decimal(price), Decimal(price)))


def _order(order_id: str, side: OrderSide = BUY, quantity: int = 900, limit: int | None = None, **more: Any) -> Order:
    return Order(
        order_id=order_id,
        symbol="X",
        side=side,
        order_type=MARKET if limit is None else LIMIT,
        quantity=quantity,
        created_at=T0,
        limit_price=limit,
        **more,
    )


@pytest.mark.parametrize("margin", [False, True])
def test_flatten_frees_what_resting_sales_hold_and_sells_at_the_market(*, margin: bool) -> None:
    """A cash account cannot sell twice: the resting sale is cancelled before the closing one arrives."""
    sim = _sim(latency=SLOW, venue=MARGIN if margin else None)
    sim.submit_order(_order("long"), T0)
    sim.advance(T0 + 1_000 * MS)
    sim.submit_order(_order("target", SELL, limit=120), T0 + 1_000 * MS)
    sim.advance(T0 + 2_000 * MS)

    _price(sim, T0 + 2_001 * MS, 94)
    sim.advance(T0 + 4_000 * MS)

    assert dict(sim.positions) == {}
    assert sim.cash == 94_600
    assert [order.status for order in sim.completed_orders.values()] == [
        OrderStatus.FILLED,
        OrderStatus.CANCELLED,
        OrderStatus.FILLED,
    ]


def test_flatten_buys_back_what_is_short() -> None:
    """A margin account's short position is closed by a purchase."""
    sim = _sim(venue=MARGIN)
    sim.submit_order(_order("short", SELL), T0)

    _price(sim, T0 + 1, 110)

    assert dict(sim.positions) == {}
    assert sim.cash == 91_000


@pytest.mark.parametrize("recovers", [False, True])
def test_flatten_closes_what_was_matched_and_not_yet_reported(*, recovers: bool) -> None:
    """A fill that is told after the breach is closed too, whether or not the loss has gone by then."""
    sim = _sim(latency=SLOW)
    sim.submit_order(_order("long"), T0)
    sim.advance(T0 + 1_000 * MS)
    sim.submit_order(_order("late", quantity=50), T0 + 1_000 * MS)
    sim.advance(T0 + 1_100 * MS)  # matched at 1,010 ms, told at 1,510 ms

    _price(sim, T0 + 1_101 * MS, 90)
    if recovers:
        _price(sim, T0 + 1_105 * MS, 100)
    sim.advance(T0 + 5_000 * MS)

    assert dict(sim.positions) == {}


def test_flatten_closes_late_fills_when_no_rule_watches_the_account() -> None:
    """An order's refusal may flatten as well; what is filled afterwards is closed all the same."""
    sim = _sim(Sentry(), limit=None, latency=SLOW)
    sim.submit_order(_order("late", quantity=50), T0)
    sim.advance(T0 + 100 * MS)

    sim.submit_order(_order("bad", quantity=1), T0 + 100 * MS)
    sim.advance(T0 + 5_000 * MS)

    assert dict(sim.positions) == {}


def test_flatten_sends_one_order_however_many_marks_come() -> None:
    """While a closing order is under way no further one is sent; once flat, none at all."""
    sim = _sim(latency=SLOW)
    sim.submit_order(_order("long"), T0)
    sim.advance(T0 + 1_000 * MS)

    for tick in range(100):
        _price(sim, T0 + (1_000 + tick) * MS, 90)
    sim.advance(T0 + 5_000 * MS)
    _price(sim, T0 + 5_001 * MS, 90)

    assert list(sim.completed_orders) == ["long", "flatten-1"]
    assert dict(sim.positions) == {}


@pytest.mark.parametrize("halt", ["operator", "switch"])
def test_a_halt_does_not_stop_the_closing(halt: str) -> None:
    """Whoever halts while positions are being closed cancels what works, except what closes them."""
    switch = KillSwitch()
    sim = _sim(switch, venue=PATIENT)
    sim.submit_order(_order("long"), T0)
    _price(sim, T0 + 1, 100)
    _price(sim, T0 + 2, 90)  # the closing order waits for the next price
    if halt == "operator":
        sim.disable_trading("risk desk", "what is going on?")
    else:
        switch.pull("risk desk", "what is going on?")
        sim.advance(T0 + 2)

    for tick in range(3, 6):
        _price(sim, T0 + tick, 100)

    assert dict(sim.positions) == {}


def test_the_gate_s_own_orders_take_no_id_that_is_in_use() -> None:
    """A strategy may have called an order flatten-1; both orders keep their own story."""
    sim = _sim()
    sim.submit_order(_order("long"), T0)
    sim.submit_order(_order("flatten-1", quantity=10, limit=50), T0)

    _price(sim, T0 + 1, 90)

    assert sim.get_order("flatten-1").status is OrderStatus.CANCELLED
    assert dict(sim.positions) == {}


def test_a_strategy_of_the_same_name_does_not_pass_for_the_closing() -> None:
    """An order of a strategy called flatten closes nothing, so the gate still sends its own."""
    sim = _sim()
    sim.submit_order(_order("long"), T0)
    sim.submit_order(_order("bid", quantity=10, limit=50, strategy_id="flatten"), T0)

    _price(sim, T0 + 1, 90)

    assert dict(sim.positions) == {}


def test_an_operator_may_trade_again_once_flat() -> None:
    """The loss is accepted with the operator's word; nothing is closed any more."""
    sim = _sim()
    sim.submit_order(_order("long"), T0)
    _price(sim, T0 + 1, 90)
    assert dict(sim.positions) == {}

    sim.enable_trading("risk desk", "loss accepted")
    sim.submit_order(_order("again"), T0 + 1)
    _price(sim, T0 + 2, 87)

    assert sim.positions["X"] == 900
    assert sim.trading_state is TradingState.ACTIVE

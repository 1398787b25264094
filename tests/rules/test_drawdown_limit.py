"""The drawdown limit: the loss of the day and from the peak, looked at with every mark and every fill."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from decimal import Decimal
from typing import Any

import msgspec
import pytest

from seatrial import (
    Bar,
    DrawdownLimitRule,
    ExecutionSimulator,
    Instrument,
    Liquidity,
    Order,
    OrderSide,
    OrderType,
    Quote,
    Rejection,
    RejectionReason,
    RiskConfig,
    TradingState,
)
from seatrial.clock import to_ns
from seatrial.contracts.events import OrderChange, TradingStateChanged
from seatrial.contracts.rejection import RefusedBy
from seatrial.gate.account import Account
from seatrial.gate.gate import ExecutionGate
from seatrial.gate.instruments import Instruments

MORNING = datetime(2024, 3, 4, 10, tzinfo=UTC)
T0 = to_ns(MORNING)
HOUR = 3_600_000_000_000
BUY, SELL = OrderSide.BUY, OrderSide.SELL
ACTIVE, REDUCE_ONLY = TradingState.ACTIVE, TradingState.REDUCE_ONLY
BREACH = RejectionReason.RISK_DRAWDOWN_LIMIT


def _sim(*, daily: int | None = None, total: int | None = None, **settings: Any) -> ExecutionSimulator:
    """Return a cash account of 100,000 under a drawdown limit."""
    limit = DrawdownLimitRule(
        max_daily_drawdown_pct=None if daily is None else Decimal(daily),
        max_total_drawdown_pct=None if total is None else Decimal(total),
    )
    return ExecutionSimulator(initial_cash=100_000, risk_config=RiskConfig(drawdown_limit=limit, **settings))


class _Silent:
    """A venue that does what it is told, and says nothing of it."""

    def place(self, orders: tuple[Order, ...], now: int, native: object) -> None:
        pass

    def cancel(self, order_id: str, now: int, native: object) -> None:
        pass

    def modify(self, order_id: str, change: OrderChange, now: int, native: object) -> None:
        pass


def _price(sim: ExecutionSimulator, ts: int, price: str) -> None:
    sim.process_quote(Quote(ts, "X", Decimal(price), Decimal(price)))


def _order(order_id: str, side: OrderSide = BUY, quantity: int = 1_000) -> Order:
    return Order(
        order_id=order_id, symbol="X", side=side, order_type=OrderType.MARKET, quantity=quantity, created_at=T0
    )


def _holding(**limits: Any) -> ExecutionSimulator:
    """Return an account that is all in: a thousand units at 100, so a price of 95 is a loss of 5 per cent."""
    sim = _sim(**limits)
    _price(sim, T0, "100")
    sim.submit_order(_order("hold"), T0)
    return sim


def _changes(sim: ExecutionSimulator) -> list[TradingStateChanged]:
    return [event for event in sim.events if type(event) is TradingStateChanged]


@pytest.mark.parametrize("limits", [{"daily": 5}, {"total": 5}])
def test_a_loss_equal_to_the_limit_passes_and_above_it_breaches(limits: dict[str, int]) -> None:
    """Five per cent is allowed; a cent more is not."""
    sim = _holding(**limits)

    _price(sim, T0 + 1, "95")
    assert sim.trading_state is ACTIVE
    _price(sim, T0 + 2, "94.99999")

    assert sim.trading_state is REDUCE_ONLY


def test_a_breach_is_an_event_with_rule_numbers_and_words() -> None:
    """The log says who latched what, and why."""
    sim = _holding(daily=5)

    _price(sim, T0 + 1, "94")

    message = "equity 94000 is below 95000: 5 % under the day's start 100000"
    cause = Rejection(BREACH, message, RefusedBy.GATE, "drawdown_limit", Decimal(94_000), Decimal(95_000))
    assert _changes(sim) == [TradingStateChanged(T0 + 1, T0 + 1, REDUCE_ONLY, "drawdown_limit", message, cause)]


def test_later_refusals_name_the_rule_and_its_numbers() -> None:
    """What is refused because of a latch says what was latched, and with which numbers."""
    sim = _holding(total=10)
    _price(sim, T0 + 1, "89")
    _price(sim, T0 + 2, "97")

    refused = sim.submit_order(_order("more", quantity=1), T0 + 2)

    message = "reduce_only: equity 89000 is below 90000: 10 % under its peak 100000"
    assert refused.rejection == Rejection(
        BREACH, message, RefusedBy.GATE, "drawdown_limit", Decimal(89_000), Decimal(90_000)
    )


def test_the_exit_is_never_blocked() -> None:
    """What reduces passes, what might flip does not."""
    sim = _holding(daily=5)
    _price(sim, T0 + 1, "90")

    flip, leave = [sim.submit_order(_order(str(n), SELL, n), T0 + 1) for n in (1_001, 1_000)]

    assert flip.rejection_reason is BREACH
    assert leave.is_complete
    assert dict(sim.positions) == {}


def test_cash_spent_on_a_holding_is_no_loss() -> None:
    """An account that is all in and has not lost may buy and sell; only marks below what was paid are a loss."""
    sim = _holding(daily=1, total=1)

    assert sim.cash == 0
    assert _changes(sim) == []
    sim.submit_order(_order("exit", SELL), T0)

    assert sim.cash == 100_000
    assert _changes(sim) == []


def test_a_realised_loss_counts_like_any_other() -> None:
    """A commission of two per cent is noticed with the fill that owes it, without another mark."""
    limit = DrawdownLimitRule(max_daily_drawdown_pct=Decimal(1))
    sim = ExecutionSimulator(initial_cash=100_000, commission_per_share=2, risk_config=RiskConfig(drawdown_limit=limit))
    _price(sim, T0, "100")

    sim.submit_order(_order("a", quantity=900), T0)

    assert sim.trading_state is REDUCE_ONLY


def test_the_total_loss_is_measured_from_the_peak() -> None:
    """Up a fifth, then down by ten per cent of that: 108,000 passes, less does not."""
    sim = _holding(total=10)
    _price(sim, T0 + 1, "120")
    _price(sim, T0 + 2, "108")
    assert sim.trading_state is ACTIVE

    _price(sim, T0 + 3, "107.99")

    assert sim.trading_state is REDUCE_ONLY


def test_the_daily_loss_is_measured_from_the_day_s_start_not_its_high() -> None:
    """A day's gain that is lost again is no loss of the day."""
    sim = _holding(daily=5)

    _price(sim, T0 + 1, "120")
    _price(sim, T0 + 2, "96")

    assert sim.trading_state is ACTIVE


def test_the_overnight_gap_counts_for_the_new_day() -> None:
    """The day starts at the last equity before midnight, so a market that opens lower has lost already."""
    sim = _holding(daily=5)
    _price(sim, T0 + HOUR, "104")

    _price(sim, T0 + 24 * HOUR, "98")  # 5.8 % below 104, 2 % below 100

    assert _changes(sim)[0].reason == "equity 98000 is below 98800: 5 % under the day's start 104000"


def test_the_day_turns_before_data_of_the_same_time() -> None:
    """A mark at midnight is the first of the new day: it cannot be the old day's last."""
    sim = _holding(daily=5)
    _price(sim, T0 + HOUR, "110")

    _price(sim, T0 + 14 * HOUR, "104")  # midnight: 5.45 % below the day's start of 110,000

    assert sim.trading_state is REDUCE_ONLY
    assert _changes(sim)[0].timestamp == to_ns(datetime(2024, 3, 5, tzinfo=UTC))


def test_a_daily_latch_ends_with_the_day_and_the_log_says_so() -> None:
    """At the boundary, not at the next data; the new day has a start of its own."""
    sim = _holding(daily=5)
    _price(sim, T0 + HOUR, "90")
    assert sim.trading_state is REDUCE_ONLY

    sim.advance(T0 + 20 * HOUR)

    midnight = to_ns(datetime(2024, 3, 5, tzinfo=UTC))
    told = TradingStateChanged(midnight, midnight, ACTIVE, "drawdown_limit", "the day has turned")
    assert _changes(sim)[1:] == [told]
    _price(sim, T0 + 21 * HOUR, "85.50")
    assert sim.trading_state is ACTIVE


def test_a_total_latch_outlasts_the_day_and_recovery_until_an_operator_accepts_the_loss() -> None:
    """Neither midnight nor a better price releases it; the operator's word does, and losses count from there."""
    sim = _holding(total=10)
    _price(sim, T0 + HOUR, "80")
    _price(sim, T0 + 30 * HOUR, "100")
    assert sim.trading_state is REDUCE_ONLY
    _price(sim, T0 + 31 * HOUR, "80")

    sim.enable_trading("risk desk", "loss accepted", T0 + 31 * HOUR)

    _price(sim, T0 + 32 * HOUR, "72")
    assert sim.trading_state is ACTIVE
    _price(sim, T0 + 33 * HOUR, "71.99")
    assert sim.trading_state is REDUCE_ONLY


def test_to_accept_a_loss_of_the_day_is_not_to_forget_the_peak() -> None:
    """Released by the day's limit alone, the loss still counts towards the total one."""
    sim = _holding(daily=5, total=10)
    _price(sim, T0 + 1, "94")
    assert sim.trading_state is REDUCE_ONLY

    sim.enable_trading("risk desk", "loss accepted", T0 + 2)

    _price(sim, T0 + 3, "90")
    assert sim.trading_state is ACTIVE
    _price(sim, T0 + 4, "89.99")
    assert _changes(sim)[-1].reason.endswith("10 % under its peak 100000")


def test_a_daily_latch_becomes_a_total_one() -> None:
    """The longer latch replaces the shorter: midnight no longer releases it."""
    sim = _holding(daily=5, total=10)
    _price(sim, T0 + 1, "94")
    _price(sim, T0 + 2, "89")

    sim.advance(T0 + 20 * HOUR)

    assert [change.reason.rpartition(": ")[2] for change in _changes(sim)] == [
        "5 % under the day's start 100000",
        "10 % under its peak 100000",
    ]
    assert sim.trading_state is REDUCE_ONLY


@pytest.mark.parametrize(
    ("day", "utc"),
    [((2024, 3, 8), (22, 0)), ((2024, 3, 11), (21, 0)), ((2024, 11, 1), (21, 0)), ((2024, 11, 4), (22, 0))],
)
def test_the_day_turns_by_the_wall_clock_of_its_zone(day: tuple[int, int, int], utc: tuple[int, int]) -> None:
    """17:00 in New York is 22:00 UTC in winter and 21:00 in summer."""
    sim = _sim(daily=5, day_boundary=time(17), day_zone="America/New_York")
    turn = to_ns(datetime(*day, *utc, tzinfo=UTC))
    for ts, price in ((turn - HOUR, "100"), (turn - 1, "110"), (turn, "104")):
        _price(sim, ts, price)
        if ts < turn - 1:
            sim.submit_order(_order("hold"), ts)

    assert [change.reason for change in _changes(sim)] == [
        "equity 104000 is below 104500: 5 % under the day's start 110000"
    ]


@pytest.mark.parametrize("flow", [50_000, -50_000])
def test_deposits_and_withdrawals_are_neither_profit_nor_loss(flow: int) -> None:
    """Day start and peak move with what was paid in or out: from 150,000 the floor is 5 % lower, not 100,000's."""
    sim = _sim(daily=5, total=5)
    _price(sim, T0, "100")
    sim.submit_order(_order("hold", quantity=500), T0)
    sim.gate.adjusted(T0, Decimal(flow), "flow")
    sim.advance(T0)
    assert sim.trading_state is ACTIVE

    allowed = Decimal(100_000 + flow) / 20 / 500  # 5 % of what is there now, per unit held
    _price(sim, T0 + 1, str(100 - allowed))
    assert sim.trading_state is ACTIVE
    _price(sim, T0 + 2, str(Decimal("99.99") - allowed))
    assert sim.trading_state is REDUCE_ONLY


def test_what_was_sold_on_the_way_up_made_no_peak() -> None:
    """All is sold at 105, by two orders, as the market opens at 120: five per cent won, and nothing lost from there."""
    sim = _holding(total=5)
    for name in ("a", "b"):
        order = _order(name, SELL, 500)
        sell = msgspec.structs.replace(order, order_type=OrderType.LIMIT, limit_price=Decimal(105))
        sim.submit_order(sell, T0)

    _price(sim, T0 + 1, "120")

    assert sim.get_account_value() == 105_000
    assert sim.trading_state is ACTIVE
    sim.submit_order(_order("again", quantity=500), T0 + 1)
    _price(sim, T0 + 2, "109.5")  # exactly five per cent below 105,000
    assert sim.trading_state is ACTIVE
    _price(sim, T0 + 3, "109.49")
    assert [change.reason for change in _changes(sim)] == ["equity 99745.00 is below 99750: 5 % under its peak 105000"]


@pytest.mark.parametrize("limit", ["daily", "total"])
def test_units_paid_in_are_neither_profit_nor_loss(limit: str) -> None:
    """A transfer of units is valued when they get their first price, and is then no profit either."""
    sim = _sim(**{limit: 5})
    sim.gate.adjusted(T0, Decimal(0), "transfer", symbol="X", quantity=Decimal(1_000))
    sim.advance(T0)

    _price(sim, T0 + 1, "100")
    assert sim.get_account_value() == 200_000
    _price(sim, T0 + 2, "90")
    assert sim.trading_state is ACTIVE
    _price(sim, T0 + 3, "89")

    assert sim.trading_state is REDUCE_ONLY


@pytest.mark.parametrize("multiplier", [1, 3])
def test_units_paid_in_get_their_price_from_a_first_fill_too(multiplier: int) -> None:
    """Before a fill of one at 100, a hundred came without a price: that is worth what it fetches, and no profit."""
    limit = DrawdownLimitRule(max_daily_drawdown_pct=Decimal(5))
    instruments = Instruments([Instrument(symbol="X", multiplier=Decimal(multiplier))])
    account = Account(Decimal(10_000), instruments)
    gate = ExecutionGate(
        _Silent(), risk=RiskConfig(drawdown_limit=limit), instruments=instruments, account=account, simulator_id="s"
    )
    gate.adjusted(T0, Decimal(0), "transfer", symbol="X", quantity=Decimal(100))
    gate.submit(_order("a", quantity=1), T0)
    gate.accepted("a", T0)
    gate.filled("a", T0, Decimal(1), Decimal(100), Decimal(0), is_partial=False, liquidity=Liquidity.TAKER)
    gate.advance(T0)

    worth = 10_000 + 10_000 * multiplier
    assert account.equity == worth
    gate.mark("X", 100 - Decimal(worth) / 20 / 101 / multiplier, T0 + 1)
    gate.advance(T0 + 1)
    assert gate.trading_state is ACTIVE
    gate.mark("X", Decimal("99.99") - Decimal(worth) / 20 / 101 / multiplier, T0 + 2)
    gate.advance(T0 + 2)
    assert gate.trading_state is REDUCE_ONLY


@pytest.mark.parametrize("opened", [110, 90])
def test_a_fill_inside_a_bar_is_no_gain_or_loss_against_yesterday_s_close(opened: int) -> None:
    """What was bought a tenth away from the last close, and has not moved since, has lost nothing."""
    sim = _sim(daily=5, total=5)
    prices = (Decimal(100), Decimal(opened))
    for day, price in enumerate(prices):
        end = to_ns(MORNING + timedelta(days=day))
        sim.process_bar(Bar(end, "X", price, price, price, price, start=end - HOUR))
        if not day:
            sim.submit_order(_order("a", quantity=900), end)

    assert sim.positions["X"] == 900
    assert sim.get_account_value() == 100_000
    assert _changes(sim) == []

"""Risk rules before Backtrader: what a strategy is told, what counts, and what acts between its bars."""

from __future__ import annotations

import importlib
import logging
import sys
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

import backtrader
import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
from tests.backtrader.parity import feeds
from tests.backtrader.parity.trial import MS, Trial, at, bars, days, run, ticks

from seatrial import (
    Constant,
    DrawdownLimitRule,
    ExposureLimitRule,
    LatencyConfig,
    Order,
    OrderStatus,
    PositionLimitRule,
    RejectionReason,
    RiskAction,
    RiskConfig,
    TradingState,
)
from seatrial.contracts.events import AccountAdjusted, Event, OrderExecution, TradingStateChanged
from seatrial.errors import InvalidConfigError
from seatrial.plugins import Plugins
from seatrial_backtrader import SeatrialBroker

if TYPE_CHECKING:
    from collections.abc import Callable

bt: Any = backtrader  # whose modules hide what they hold from a type checker

FLAT = (100.0, 100.5, 99.5, 100.0)
SHARES = RiskConfig(position_limit=PositionLimitRule(max_shares=Decimal(100)))
WIRINGS = pytest.mark.parametrize("ledgers", [1, 2], ids=["one ledger", "two ledgers"])


def falling(*closes: float) -> list[tuple[float, float, float, float]]:
    """Return bars with these closes, each opening where the one before closed."""
    opens = (closes[0], *closes)
    return [(o, max(o, c), min(o, c), c) for o, c in zip(opens, closes, strict=False)]


def switched(strategy: Any) -> list[tuple[TradingState, str]]:
    """Return each change of the trading state, and by whom."""
    events = strategy.broker.events
    return [(event.state, event.by) for event in events if isinstance(event, TradingStateChanged)]


class _Refill(bt.Strategy):
    """Sets cash once, and buys with it."""

    params = (("cash", None),)

    def next(self) -> None:
        if len(self) == 2:
            self.broker.set_cash(self.p.cash)
            self.buy(size=3)


@WIRINGS
@pytest.mark.parametrize("number", [int, np.int64, np.float64, np.float32])
def test_cash_may_be_any_number(ledgers: int, number: Callable[[int], Any]) -> None:
    """Rules value an account whose cash is a whole number, or one of numpy's, before the first bar and later."""
    cerebro = bt.Cerebro(stdstats=False)
    broker: Any = SeatrialBroker(risk_config=SHARES, ledgers=ledgers)
    broker.setcash(number(10_000))
    cerebro.setbroker(broker)
    cerebro.adddata(days([(100.0, 100.5, 99.5, 100.25)] * 5))
    cerebro.addstrategy(_Refill, cash=number(9_000))
    cerebro.run()

    [deposit] = [event for event in broker.events if isinstance(event, AccountAdjusted)]
    assert deposit.cash == -1_000
    assert broker.gate.admission.risk.peak == Decimal("9000.75")


@WIRINGS
@pytest.mark.parametrize("amount", [500, -500])
def test_cash_added_before_a_target_is_a_deposit(ledgers: int, amount: int) -> None:
    """A target asks what a feed's position is worth, and so Backtrader books the cash: no gain, no loss."""

    def save(it: Any) -> None:
        it.broker.add_cash(amount)
        it.order_target_percent(target=0.1)

    limit = RiskConfig(drawdown_limit=DrawdownLimitRule(max_total_drawdown_pct=Decimal(1)))
    strategy = run({2: save}, days([FLAT] * 5), risk_config=limit, ledgers=ledgers)

    [deposit] = [event for event in strategy.broker.events if isinstance(event, AccountAdjusted)]
    assert deposit.cash == amount
    risk = strategy.broker.gate.admission.risk
    assert (risk.peak, risk.day_start) == (10_000 + amount, 10_000 + amount)
    assert switched(strategy) == []


@WIRINGS
def test_to_value_some_feeds_makes_nobody_poorer(ledgers: int) -> None:
    """Backtrader takes the value of several feeds for that of all; rules do not."""

    def look_and_buy(it: Any) -> None:
        it.broker.get_value(it.datas[:2])
        it.order("more", 20)

    limit = RiskConfig(exposure_limit=ExposureLimitRule(max_gross_exposure_pct=Decimal(100)))
    plan = {1: lambda it: it.order("much", 60, data=it.data2), 3: look_and_buy}
    strategy = run(plan, *[days([FLAT] * 5) for _ in range(3)], risk_config=limit, ledgers=ledgers)

    assert strategy.told_of("more")[-1] == (4, "Completed")


# -- orders ------------------------------------------------------------------------------------------------------------


@WIRINGS
def test_a_refused_order_is_rejected_with_its_reason(ledgers: int) -> None:
    """`notify_order` hears Rejected; `order.info` says which rule, what was compared, and the typed reason."""
    strategy = run({1: lambda it: it.order("big", 101)}, bars([FLAT] * 4), risk_config=SHARES, ledgers=ledgers)

    [heard] = strategy.heard
    assert (heard.getstatusname(), heard.alive(), heard.executed.size) == ("Rejected", False, 0)
    assert heard.info.reject_reason is RejectionReason.RISK_POSITION_LIMIT
    rejection = heard.info.rejection
    assert (rejection.rule, rejection.value, rejection.limit) == ("position_limit", 101, 100)
    assert strategy.sent["big"].status == bt.Order.Rejected
    assert strategy.position.size == 0


@WIRINGS
def test_a_bracket_is_refused_as_a_group(ledgers: int) -> None:
    """None of the three reaches the venue; the one at fault names its rule, the others the group."""

    def act(it: Trial) -> None:
        it.buy_bracket(
            size=101, exectype=bt.Order.Market, limitprice=110.0, stopprice=90.0,
            oargs={"name": "entry"}, limitargs={"name": "limit"}, stopargs={"name": "stop"},
        )  # fmt: skip

    strategy = run({1: act}, bars([FLAT] * 4), risk_config=SHARES, ledgers=ledgers)

    assert [(told.name, told.status) for told in strategy.told] == [
        ("entry", "Rejected"), ("stop", "Rejected"), ("limit", "Rejected"),
    ]  # fmt: skip
    reasons = [order.info.reject_reason for order in strategy.heard]
    assert reasons == [RejectionReason.RISK_POSITION_LIMIT, *[RejectionReason.GROUP_REFUSED] * 2]
    assert list(strategy.broker.get_orders_open()) == []


@WIRINGS
def test_a_refusal_ends_the_orders_group(ledgers: int) -> None:
    """As for want of margin, the others of a one-cancels-other group are cancelled."""
    plan = {
        1: lambda it: it.order("bid", 10, exectype=bt.Order.Limit, price=90.0),
        2: lambda it: it.order("big", 200, exectype=bt.Order.Limit, price=80.0, oco=it.sent["bid"]),
    }

    strategy = run(plan, bars([FLAT] * 5), risk_config=SHARES, ledgers=ledgers)

    assert strategy.told_of("big")[-1][1] == "Rejected"
    assert strategy.told_of("bid")[-1][1] == "Canceled"


@WIRINGS
@pytest.mark.parametrize("latency", [LatencyConfig(), LatencyConfig(fill=Constant(MS))], ids=["instant", "late fills"])
def test_a_refusal_ends_what_was_sent_just_before_it(ledgers: int, latency: LatencyConfig) -> None:
    """Backtrader has not looked at the first order yet when the second of its group is refused: both end."""

    def act(it: Trial) -> None:
        first = it.order("bid", 10, exectype=bt.Order.Limit, price=99.9)
        it.order("big", 200, exectype=bt.Order.Limit, price=80.0, oco=first)

    feed = bars([FLAT] * 5)
    strategy = run({1: act}, feed, cash=1e6, risk_config=SHARES, ledgers=ledgers, latency_config=latency)

    assert strategy.told_of("big") == [(2, "Rejected")]
    assert strategy.told_of("bid")[-1][1] == "Canceled"
    assert strategy.position.size == 0
    assert list(strategy.broker.get_orders_open()) == []


@WIRINGS
@pytest.mark.parametrize("legs", [(), ("fill",), ("submit",), ("cancel",)], ids=["instant", "fill", "submit", "cancel"])
@pytest.mark.parametrize("checksubmit", [True, False])
def test_a_halt_ends_what_was_sent_just_before_it(ledgers: int, legs: tuple[str, ...], checksubmit: bool) -> None:
    """The kill switch cancels orders, brackets too, that left in the same turn of the strategy."""

    def act(it: Trial) -> None:
        it.order("market", 7)
        it.order("limit", 1, exectype=bt.Order.Limit, price=99.9)
        it.buy_bracket(
            size=1, exectype=bt.Order.Market, limitprice=100.1, stopprice=90.0,
            oargs={"name": "entry"}, limitargs={"name": "target"}, stopargs={"name": "stop"},
        )  # fmt: skip
        it.broker.disable_trading("me", "stop now")

    delays: dict[str, Any] = {leg: Constant(MS) for leg in legs}
    strategy = run(
        {1: act}, bars([FLAT] * 5), risk_config=RiskConfig(), ledgers=ledgers, checksubmit=checksubmit,
        latency_config=LatencyConfig(**delays),
    )  # fmt: skip

    assert {strategy.told_of(name)[-1][1] for name in ("market", "limit", "entry", "target", "stop")} == {"Canceled"}
    assert strategy.position.size == 0
    assert list(strategy.broker.get_orders_open()) == []
    assert not any(order.pending_cancels for order in strategy.broker.gate.client.completed.values())


def test_a_halt_that_waits_for_backtrader_survives_a_restart(tmp_path: Path) -> None:
    """A checkpoint taken between the halt and the next bar knows what is still to be cancelled."""

    def act(it: Trial) -> None:
        it.order("market", 7)
        it.broker.disable_trading("me", "stop now")
        it.env.runstop()

    kept: dict[str, Any] = {"risk_config": RiskConfig(), "checkpoints": tmp_path}
    run({2: act}, bars([FLAT] * 5), **kept)
    strategy = run({}, bars([FLAT] * 5), resume="latest", **kept)

    assert [status for _, status in strategy.told_of("market")] == ["Submitted", "Accepted", "Canceled"]
    assert strategy.position.size == 0


@WIRINGS
@pytest.mark.parametrize("size", [float("nan"), float("inf")])
def test_a_size_that_is_no_number_is_rejected(size: float, ledgers: int) -> None:
    """It is told like any refusal, with what hangs together with it, and the run goes on."""

    def either(it: Trial) -> None:
        first = it.order("first", 1, exectype=bt.Order.Limit, price=90.0)
        it.sent["second"] = it.buy(size=size, exectype=bt.Order.Stop, price=110.0, oco=first, name="second")

    def bracket(it: Trial) -> None:
        entry = it.order("entry", 1, transmit=False)
        it.order("stop", -1, exectype=bt.Order.Stop, price=90.0, parent=entry, transmit=False)
        it.sent["target"] = it.sell(size=size, exectype=bt.Order.Limit, price=110.0, parent=entry, name="target")

    plan: dict[int, Any] = {1: lambda it: it.order("alone", size), 2: either, 3: bracket}
    plan[4] = lambda it: it.order("sound", 1)
    strategy = run(plan, bars([FLAT] * 7), risk_config=RiskConfig(), ledgers=ledgers)

    ends = {name: strategy.told_of(name)[-1][1] for name in strategy.sent}
    assert ends == {
        "alone": "Rejected", "first": "Canceled", "second": "Rejected", "sound": "Completed",
        **dict.fromkeys(("entry", "target", "stop"), "Rejected"),
    }  # fmt: skip
    [alone] = [order for order in strategy.heard if order.info.name == "alone"]
    assert alone.info.reject_reason is RejectionReason.INVALID_QUANTITY
    assert list(strategy.broker.get_orders_open()) == []


@WIRINGS
def test_a_line_as_a_price_is_its_present_value(ledgers: int) -> None:
    """`price=self.data.close`, for want of a `[0]`, asks for the latest close."""
    plan = {
        1: lambda it: it.order("bid", 1, exectype=bt.Order.Limit, price=it.data.close),
        3: lambda it: it.order("stop", -1, exectype=bt.Order.StopLimit, price=it.data.low, plimit=it.data.low),
    }
    feed = bars([FLAT, (101.0, 101.0, 99.0, 100.0), FLAT, (101.0, 101.0, 99.0, 99.2), FLAT])

    strategy = run(plan, feed, risk_config=RiskConfig(), ledgers=ledgers)

    assert [strategy.sent[name].executed.price for name in ("bid", "stop")] == [100.0, 99.5]


@WIRINGS
def test_working_orders_count(ledgers: int) -> None:
    """Of five orders of 100 against a limit of 100 the first leaves, and none of the others."""
    plan = {1: lambda it: [it.order(str(n), 100, exectype=bt.Order.Limit, price=99.9) for n in range(5)]}

    strategy = run(plan, bars([FLAT] * 4), risk_config=SHARES, ledgers=ledgers, cash=1e6)

    assert {name: strategy.told_of(name)[-1][1] for name in "01234"} == {
        "0": "Completed", **dict.fromkeys("1234", "Rejected"),
    }  # fmt: skip
    assert strategy.position.size == 100


@WIRINGS
def test_an_order_that_reduces_passes(ledgers: int) -> None:
    """Under a limit that the position has outgrown, a sale of part of it leaves; a flip stays."""
    config = RiskConfig(position_limit=PositionLimitRule(max_value=Decimal(1_000)))
    feed = bars(falling(100.0, 100.0, 200.0, 200.0, 200.0, 200.0))
    plan = {
        1: lambda it: it.order("buy", 10),
        3: lambda it: (it.order("part", -4), it.order("more", 1)),
        4: lambda it: it.order("flip", -30),
    }

    strategy = run(plan, feed, risk_config=config, ledgers=ledgers)

    assert strategy.told_of("part")[-1][1] == "Completed"
    assert strategy.told_of("more")[-1][1] == "Rejected"
    assert strategy.told_of("flip")[-1][1] == "Rejected"
    assert strategy.position.size == 6


def test_a_multiplier_counts_in_exposure() -> None:
    """Three futures of 50 times 100 are 15,000 of a limit of 10,000; two are not above it."""
    config = RiskConfig(exposure_limit=ExposureLimitRule(max_gross_exposure_pct=Decimal(100)))

    def trade(size: int) -> Any:
        cerebro = bt.Cerebro(stdstats=False)
        cerebro.setbroker(SeatrialBroker(cash=10_000.0, risk_config=config))
        cerebro.broker.setcommission(commission=1.0, margin=500.0, mult=50.0)
        cerebro.adddata(bars([FLAT] * 4), name="future")
        cerebro.addstrategy(Trial, plan={1: lambda it: it.order("buy", size)})
        [strategy] = cerebro.run()
        return strategy

    refused, passed = trade(3), trade(2)
    [order] = refused.heard
    assert order.info.reject_reason is RejectionReason.RISK_EXPOSURE_LIMIT
    assert (order.info.rejection.value, order.info.rejection.limit) == (15_000, 10_000)
    assert passed.told_of("buy")[-1][1] == "Completed"
    assert passed.position.size == 2


@pytest.mark.parametrize("later", ["setcommission", "addcommissioninfo"])
@pytest.mark.parametrize("bar", [1, 2, 3])
def test_a_multiplier_counts_from_when_it_is_set(bar: int, later: str) -> None:
    """A commission scheme that the strategy sets is in the exposure of the very next order, and of what it holds."""

    def settle(it: Trial) -> None:
        if later == "setcommission":
            it.broker.setcommission(commission=1.0, margin=500.0, mult=50.0)
        else:
            it.broker.addcommissioninfo(bt.CommissionInfo(margin=500.0, mult=50.0, stocklike=False), name="feed0")

    config = RiskConfig(exposure_limit=ExposureLimitRule(max_gross_exposure_pct=Decimal(100)))
    acts: dict[int, Any] = {1: lambda it: it.order("one", 1), 3: lambda it: it.order("two", 2)}

    def act(it: Trial) -> None:
        if len(it) == bar:
            settle(it)
        acts.get(len(it), lambda _: None)(it)

    strategy = run(dict.fromkeys((1, 2, 3), act), bars([FLAT] * 6), risk_config=config)

    assert strategy.told_of("one")[-1][1] == "Completed"
    [refused] = [order for order in strategy.heard if order.info.name == "two"]
    assert (refused.info.rejection.value, strategy.position.size) == (15_000, 1)


def test_a_position_whose_fill_is_under_way_still_counts() -> None:
    """What the venue has filled and nobody was told of is worst case all the same."""
    plan = {1: lambda it: it.order("one", 60), 4: lambda it: it.order("two", 60)}
    prices = {n * 100: 100.0 for n in range(20)}
    latency = LatencyConfig(fill=Constant(950 * MS))

    strategy = run(plan, ticks(prices), risk_config=SHARES, latency_config=latency)

    assert strategy.told_of("two") == [(5, "Rejected")]
    assert strategy.told_of("one")[-1] == (12, "Completed")


# -- the account -------------------------------------------------------------------------------------------------------

CRASH = falling(100.0, 100.0, 100.0, 96.0, 94.0, 94.0, 94.0, 94.0)
"""Held from the second bar on, it loses a twentieth of the account on the fifth."""


def drawdown(action: RiskAction, **more: Decimal) -> RiskConfig:
    """Return a limit of 5 per cent below the peak, or what `more` says, that does `action`."""
    limits: dict[str, Any] = more or {"max_total_drawdown_pct": Decimal(5)}
    return RiskConfig(drawdown_limit=DrawdownLimitRule(action=action, **limits))


ALL_IN = {
    1: lambda it: it.order("all in", 100),
    2: lambda it: it.order("resting", 1, exectype=bt.Order.Limit, price=50.0),
    6: lambda it: (it.order("more", 1), it.order("less", -10)),
}


@WIRINGS
@pytest.mark.parametrize(
    ("action", "state", "resting", "less", "held"),
    [
        (RiskAction.REDUCE_ONLY, TradingState.REDUCE_ONLY, "Accepted", "Completed", 90),
        (RiskAction.CANCEL_ALL, TradingState.REDUCE_ONLY, "Canceled", "Completed", 90),
        (RiskAction.HALT, TradingState.HALTED, "Canceled", "Rejected", 100),
        (RiskAction.FLATTEN, TradingState.HALTED, "Canceled", "Rejected", 0),
    ],
)
def test_a_loss_acts_between_bars(
    action: RiskAction, state: TradingState, resting: str, less: str, held: int, ledgers: int
) -> None:
    """The bar on which equity falls below its floor latches the action, whatever the strategy does."""
    strategy = run(ALL_IN, days(CRASH), cash=10_100.0, risk_config=drawdown(action), ledgers=ledgers)

    assert switched(strategy) == [(state, "drawdown_limit")]
    [event] = [event for event in strategy.broker.events if isinstance(event, TradingStateChanged)]
    assert event.timestamp == at(datetime(2024, 1, 6, 16))
    assert strategy.broker.trading_state is state
    assert strategy.told_of("resting")[-1][1] == resting
    [refused] = [order for order in strategy.heard if order.info.name == "more"]
    assert refused.info.reject_reason is RejectionReason.RISK_DRAWDOWN_LIMIT
    assert strategy.told_of("less")[-1][1] == less
    assert strategy.position.size == held


def test_a_daily_limit_ends_with_its_day() -> None:
    """A day that loses 3 per cent stops buying until the day turns; the next day buys again."""
    config = drawdown(RiskAction.REDUCE_ONLY, max_daily_drawdown_pct=Decimal(3))
    hours = bars(falling(100.0, 100.0, 100.0, 96.0, 96.0, *[96.0] * 40), minutes=60)  # from 10:30 on
    plan = {1: lambda it: it.order("all in", 100), 5: lambda it: it.order("today", 1)}
    plan[16] = lambda it: it.order("tomorrow", 1)  # 01:30

    strategy = run(plan, hours, cash=10_100.0, risk_config=config)

    assert [state for state, _ in switched(strategy)] == [TradingState.REDUCE_ONLY, TradingState.ACTIVE]
    assert strategy.told_of("today")[-1][1] == "Rejected"
    assert strategy.told_of("tomorrow")[-1][1] == "Completed"


@pytest.mark.parametrize(("cash", "state"), [(5_000.0, TradingState.ACTIVE), (None, TradingState.REDUCE_ONLY)])
def test_a_deposit_is_no_profit(cash: float | None, state: TradingState) -> None:
    """Money paid in raises the peak with the equity: taking it out again is no loss, and losing is one all the same."""
    plan = {1: lambda it: it.order("half", 50)}
    feed = days(falling(100.0, 100.0, 100.0, 100.0, 100.0, 100.0, 100.0 if cash else 88.0, 100.0 if cash else 88.0))
    if cash:
        plan |= {2: lambda it: it.broker.add_cash(cash), 5: lambda it: it.broker.add_cash(-cash)}

    strategy = run(plan, feed, cash=10_000.0, risk_config=drawdown(RiskAction.REDUCE_ONLY))

    assert strategy.broker.trading_state is state
    adjusted = [event.cash for event in strategy.broker.events if isinstance(event, AccountAdjusted)]
    assert adjusted == ([Decimal(5_000), Decimal(-5_000)] if cash else [])


@WIRINGS
@pytest.mark.parametrize("cash", [2_000.0, 9_000.0])
def test_cash_that_is_set_is_a_deposit_of_the_difference(cash: float, ledgers: int) -> None:
    """Rules take it for no loss, though Backtrader's value leaves positions out until the next bar; the log has it."""

    def reset(it: Trial) -> None:
        it.broker.set_cash(cash)
        it.order("with it", 1)

    plan = {1: lambda it: it.order("half", 50), 4: reset, 6: lambda it: it.order("after it", 1)}
    config = drawdown(RiskAction.REDUCE_ONLY)

    strategy = run(plan, days([FLAT] * 10), cash=10_000.0, risk_config=config, record=True, ledgers=ledgers)

    assert strategy.broker.trading_state is TradingState.ACTIVE
    assert {strategy.told_of(name)[-1][1] for name in ("half", "with it", "after it")} == {"Completed"}
    [event] = [event for event in strategy.broker.events if isinstance(event, AccountAdjusted)]
    assert (event.cash, event.cause) == (Decimal(repr(cash)) - 5_000, "deposit")
    record = strategy.broker.run_record()
    assert (record.account.initial_cash, record.max_drawdown_pct) == (10_000, 0)
    assert record.account.equity == 10_000 + event.cash


def test_cash_that_is_set_meets_the_reports_under_way() -> None:
    """A fill whose report comes after the cash was set is paid from it, in the strategy's ledger and the venue's."""
    plan = {1: lambda it: it.order("half", 50), 2: lambda it: it.broker.set_cash(8_000.0)}
    latency = LatencyConfig(fill=Constant(3 * 86_400_000_000_000))

    strategy = run(plan, days([FLAT] * 8), cash=10_000.0, latency_config=latency, record=True)

    assert strategy.cash[:4] == [10_000.0, 10_000.0, 8_000.0, 3_000.0]
    assert strategy.broker.getcash() == strategy.broker.venue.cash == 3_000.0
    assert strategy.broker.run_record().account.equity == 8_000


@WIRINGS
def test_cash_that_is_set_before_the_first_bar_is_one_too(ledgers: int) -> None:
    """It is booked with the first bar, and no rule takes it for a loss."""

    class Poorer(Trial):
        def start(self) -> None:
            self.broker.set_cash(5_000.0)

    cerebro = bt.Cerebro(stdstats=False)
    cerebro.setbroker(SeatrialBroker(risk_config=drawdown(RiskAction.REDUCE_ONLY), record=True, ledgers=ledgers))
    cerebro.adddata(days([FLAT] * 5))
    cerebro.addstrategy(Poorer, plan={1: lambda it: it.order("buy", 5)})
    [strategy] = cerebro.run()

    [event] = [event for event in strategy.broker.events if isinstance(event, AccountAdjusted)]
    assert event.cash == -5_000
    assert event.timestamp == at(datetime(2024, 1, 2, 16))
    assert strategy.told_of("buy")[-1][1] == "Completed"
    assert strategy.broker.run_record().account.initial_cash == 10_000


def test_interest_is_no_loss_of_the_strategy() -> None:
    """Interest charged on a short position lowers equity and the peak alike."""
    config = drawdown(RiskAction.REDUCE_ONLY)
    cerebro = bt.Cerebro(stdstats=False)
    cerebro.setbroker(SeatrialBroker(cash=10_000.0, risk_config=config))
    cerebro.broker.setcommission(interest=2.0, stocklike=True)
    cerebro.adddata(days([FLAT] * 40))
    cerebro.addstrategy(Trial, plan={1: lambda it: it.order("short", -50)})
    [strategy] = cerebro.run()

    assert strategy.broker.getvalue() < 9_500.0  # more than the limit has gone
    assert strategy.broker.trading_state is TradingState.ACTIVE
    assert {event.cause for event in strategy.broker.events if isinstance(event, AccountAdjusted)} == {"interest"}


# -- the switch --------------------------------------------------------------------------------------------------------


@WIRINGS
def test_a_strategy_may_stop_and_start_trading(ledgers: int) -> None:
    """Halted, working orders are cancelled and nothing leaves; enabled, orders leave again."""
    plan = {
        1: lambda it: it.order("resting", 1, exectype=bt.Order.Limit, price=50.0),
        2: lambda it: it.broker.disable_trading(by="me", reason="news"),
        3: lambda it: it.order("halted", 1),
        4: lambda it: it.broker.enable_trading(by="me", reason="over"),
        5: lambda it: it.order("enabled", 1),
    }

    strategy = run(plan, bars([FLAT] * 8), risk_config=RiskConfig(), ledgers=ledgers)

    assert strategy.told_of("resting")[-1] == (3, "Canceled")
    assert strategy.told_of("halted")[-1][1] == "Rejected"
    assert strategy.told_of("enabled")[-1][1] == "Completed"
    assert switched(strategy) == [(TradingState.HALTED, "me"), (TradingState.ACTIVE, "me")]


@WIRINGS
def test_trading_may_be_restricted_from_a_notification(ledgers: int) -> None:
    """A strategy that hears of a fill may restrict itself to reducing what it holds."""

    class Careful(Trial):
        def notify_order(self, order: Any) -> None:
            super().notify_order(order)
            if order.status == bt.Order.Completed and order.info.name == "buy":
                self.broker.restrict_trading(by="careful", reason="enough")

    cerebro = bt.Cerebro(stdstats=False)
    cerebro.setbroker(SeatrialBroker(risk_config=RiskConfig(), ledgers=ledgers))
    cerebro.adddata(bars([FLAT] * 6))
    plan = {1: lambda it: it.order("buy", 5), 3: lambda it: (it.order("more", 1), it.order("less", -2))}
    cerebro.addstrategy(Careful, plan=plan)
    [strategy] = cerebro.run()

    assert strategy.told_of("more")[-1][1] == "Rejected"
    assert strategy.told_of("less")[-1][1] == "Completed"


@pytest.mark.parametrize("switch", ["disable_trading", "enable_trading", "restrict_trading"])
@pytest.mark.parametrize("config", [None, RiskConfig()], ids=["no gate", "gate"])
def test_a_switch_before_the_run_says_what_to_do(switch: str, config: RiskConfig | None) -> None:
    """There is nothing to switch before a gate is open; the error is one line that says so."""
    broker = SeatrialBroker(risk_config=config)

    with pytest.raises(InvalidConfigError, match="there is no gate to switch") as caught:
        getattr(broker, switch)(by="me", reason="early")

    assert "\n" not in str(caught.value)


def test_trading_may_begin_halted() -> None:
    """`trading_enabled=False` lets nothing out until somebody enables it."""
    plan = {1: lambda it: it.order("halted", 1)}

    strategy = run(plan, bars([FLAT] * 3), risk_config=RiskConfig(trading_enabled=False))

    [order] = strategy.heard
    assert order.info.reject_reason is RejectionReason.RISK_TRADING_DISABLED


# -- others' rules, others' strategies ---------------------------------------------------------------------------------

EXAMPLE = Path(__file__).resolve().parents[2] / "docs" / "examples" / "plugin_no_friday" / "src"


def test_a_rule_from_elsewhere_works(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    """The example's rule and observer, written for any engine, see Backtrader's orders as they see all others."""
    monkeypatch.syspath_prepend(str(EXAMPLE))
    caplog.set_level(logging.INFO, "no_friday")
    plugins = Plugins()
    plugins.load()
    plugins.register(importlib.import_module("no_friday.plugin"), "no_friday", "seatrial-no-friday")
    plan = {
        1: lambda it: it.order("tuesday", 10),
        4: lambda it: (it.order("friday", 1), it.order("exit", -4)),
        5: lambda it: it.order("monday", 1),
    }
    rows = [FLAT] * 8  # from a Tuesday on
    feed = days(rows)
    feed.p.rows = tuple([row for row in feed.p.rows if row[0].weekday() < 5])

    config = RiskConfig(rules=("no_friday",))
    strategy = run(plan, feed, risk_config=config, observers=("event_log",), plugins=plugins)

    assert strategy.told_of("friday")[-1][1] == "Rejected"
    [refused] = [order for order in strategy.heard if order.info.name == "friday"]
    assert refused.info.reject_reason is RejectionReason.RISK_RULE
    assert refused.info.rejection.message == "Friday in UTC: 10 feed0 are enough"
    assert strategy.told_of("exit")[-1][1] == "Completed"
    assert strategy.told_of("monday")[-1][1] == "Completed"
    assert len(caplog.messages) == len(strategy.broker.events)


def test_observers_hear_every_event() -> None:
    """An observer hears, in order, what the broker's log holds, with the order as it then stands."""
    heard: list[tuple[Event, OrderStatus | None]] = []

    class Notes:
        def notify(self, event: Event, order: Order | None) -> None:
            heard.append((event, None if order is None else order.status))

    strategy = run(
        {1: lambda it: it.order("buy", 1)},
        bars([FLAT] * 4),
        observers=[Notes()],
    )

    assert [event for event, _ in heard] == list(strategy.broker.events)
    assert [status for _, status in heard][-1] is OrderStatus.FILLED


def test_strategies_share_one_account() -> None:
    """Two strategies in one cerebro have ids of their own, and one limit between them."""
    cerebro = bt.Cerebro(stdstats=False)
    cerebro.setbroker(SeatrialBroker(cash=100_000.0, risk_config=SHARES))
    cerebro.adddata(bars([FLAT] * 5))
    cerebro.addstrategy(Trial, plan={1: lambda it: it.order("first", 60)})
    cerebro.addstrategy(Trial, plan={1: lambda it: it.order("second", 60), 2: lambda it: it.order("third", 40)})
    first, second = cerebro.run()

    assert first.told_of("first")[-1][1] == "Completed"
    assert second.told_of("second")[-1][1] == "Rejected"
    assert second.told_of("third")[-1][1] == "Completed"
    filled = [event.order_id for event in first.broker.events if isinstance(event, OrderExecution)]
    assert filled == ["Trial-1", "Trial#2-2"]


class Averages(bt.Strategy):
    """Holds IBM while its average of 10 days is above that of 30, for nine tenths of the account."""

    def __init__(self) -> None:
        self.cross = bt.indicators.CrossOver(bt.indicators.SMA(period=10), bt.indicators.SMA(period=30))
        self.refused: list[Any] = []

    def next(self) -> None:
        if self.cross[0]:
            self.order_target_percent(target=0.9 if self.cross[0] > 0 else 0.0)

    def notify_order(self, order: Any) -> None:
        if order.status == order.Rejected:
            self.refused.append(order)


def test_a_loss_limit_stops_a_strategy_on_real_days() -> None:
    """On thirteen years of IBM, a limit of 20 per cent from the peak lets the strategy out, and not in again."""

    def trade(config: RiskConfig | None) -> Any:
        cerebro = bt.Cerebro(stdstats=False)
        cerebro.setbroker(SeatrialBroker(cash=100_000.0, risk_config=config))
        cerebro.adddata(feeds.ibm(datetime(2000, 1, 1), datetime(2013, 1, 1)))
        cerebro.addstrategy(Averages)
        [strategy] = cerebro.run()
        return strategy

    free = trade(None)
    limited = trade(drawdown(RiskAction.REDUCE_ONLY, max_total_drawdown_pct=Decimal(20)))

    assert free.refused == []
    assert limited.broker.trading_state is TradingState.REDUCE_ONLY
    assert limited.position.size == 0
    assert {order.info.reject_reason for order in limited.refused} == {RejectionReason.RISK_DRAWDOWN_LIMIT}
    assert all(order.isbuy() for order in limited.refused)

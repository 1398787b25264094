"""A Backtrader strategy in a session: as in Backtrader itself, and exact beside it."""

from __future__ import annotations

import sys
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

import backtrader
import pytest
from msgspec.structs import replace

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
from tests.backtrader.engine import own
from tests.backtrader.engine.crew import MS, ticks

from seatrial import (
    LATENCY_INSTANT,
    LATENCY_NORMAL,
    Constant,
    FeeSchedule,
    LatencyConfig,
    OrderSide,
    PositionLimitRule,
    RiskConfig,
)
from seatrial.contracts.events import AccountAdjusted, OrderCancelled, OrderExecution, OrderRejected, OrderSubmitted
from seatrial.contracts.rejection import RejectionReason
from seatrial.contracts.scenario import CancelAt, ExecutionConfig, Scenario, StrategyRef, Tape
from seatrial.contracts.venue import AccountType, Convention, LimitFill, VenueConfig
from seatrial.data.sample import ibm_daily
from seatrial.errors import InvalidConfigError, StrategyError
from seatrial_backtrader.engine import BacktraderEngine
from seatrial_backtrader.feed import as_stamp

if TYPE_CHECKING:
    from seatrial.contracts.engine import RunRecord

bt: Any = backtrader  # whose modules hide what they hold from a type checker
PATH = own.__file__
COSTS = VenueConfig(fees=FeeSchedule(per_share=Decimal("0.005"), minimum=Decimal(1)))


def session(name: str, *, tape: Tape | None = None, **settings: Any) -> Scenario:
    """Return a session of a strategy of ours, on IBM unless told otherwise."""
    params = settings.pop("params", {})
    execution = ExecutionConfig(**{"venue": COSTS, **settings})
    return Scenario(
        tape=tape or Tape(sample="ibm_daily"),
        strategy=StrategyRef(path=f"{PATH}:{name}", params=params),
        execution=execution,
    )


def run(scenario: Scenario) -> RunRecord:
    """Run it on Backtrader."""
    return BacktraderEngine().run(scenario)


def fills(record: RunRecord) -> list[OrderExecution]:
    """Return the executions of a run."""
    return [event for event in record.events if isinstance(event, OrderExecution)]


class _Daily(bt.DataBase):
    """IBM's daily bars, without any of ours."""

    def start(self) -> None:
        super().start()
        self.rows = ibm_daily()

    def _load(self) -> Any:
        row = next(self.rows, None)
        if row is None:
            return False
        lines: Any = self.lines
        lines.datetime[0] = as_stamp(row.ts)
        lines.open[0], lines.high[0] = float(row.open), float(row.high)
        lines.low[0], lines.close[0] = float(row.low), float(row.close)
        lines.volume[0] = lines.openinterest[0] = 0.0
        return True


class _Notes(bt.Analyzer):
    """Writes down every fill."""

    def create_analysis(self) -> None:
        self.rets: list[tuple[float, float]] = []

    def notify_order(self, order: Any) -> None:
        if order.status == bt.Order.Completed:
            self.rets.append((order.executed.exbits[-1].size, order.executed.exbits[-1].price))

    def get_analysis(self) -> Any:
        return self.rets


@pytest.mark.parametrize("name", ["Crossing", "Waving", "Bracketed"])
def test_fills_are_those_of_backtrader_alone(name: str) -> None:
    """Without delays and costs a strategy trades what it trades in a script of its own."""
    cerebro: Any = bt.Cerebro(stdstats=False)
    cerebro.adddata(_Daily())
    cerebro.addstrategy(getattr(own, name))
    cerebro.addanalyzer(_Notes, _name="notes")
    cerebro.broker.setcash(100_000)
    alone = cerebro.run()[0].analyzers.notes.get_analysis()

    record = run(session(name, venue=VenueConfig()))

    sides = {order.order_id: 1 if order.side is OrderSide.BUY else -1 for order in record.orders}
    assert [(sides[one.order_id] * float(one.quantity), float(one.price)) for one in fills(record)] == alone
    assert len(alone) > 10


@pytest.mark.parametrize("latency", [LATENCY_INSTANT, LATENCY_NORMAL], ids=["instant", "normal"])
@pytest.mark.parametrize("name", ["Crossing", "Waving", "Bracketed"])
def test_cash_and_positions_are_what_the_fills_make_of_them(name: str, latency: LatencyConfig) -> None:
    """The record's account is the fold of its executions, to the last digit, fees included."""
    record = run(session(name, latency=latency))

    cash, held = Decimal(100_000), Decimal(0)
    sides = {order.order_id: order.side for order in record.orders}
    for one in fills(record):
        signed = one.quantity if sides[one.order_id] is OrderSide.BUY else -one.quantity
        cash -= signed * one.price + one.commission
        held += signed
        assert one.commission == max(one.quantity * Decimal("0.005"), Decimal(1))
    assert record.account.cash == cash
    assert record.account.positions.get("IBM", Decimal(0)) == held
    assert record.equity[-1].equity == record.account.equity
    assert record.rows == 3_270


def test_every_time_is_the_arithmetic_on_ticks() -> None:
    """An order sent at a print trades at the first one from its arrival on, and is known after its report's delay."""
    submit, ack, report = 50 * MS + 1, 7 * MS, 60 * MS + 3
    latency = LatencyConfig(submit=Constant(submit), ack=Constant(ack), fill=Constant(report), cancel=Constant(0))
    rows = tuple(row for row in ticks(3) if row.symbol == "A")

    record = run(session("Waving", tape=Tape(rows=rows), latency=latency))

    sent = {event.order_id: event.timestamp for event in record.events if isinstance(event, OrderSubmitted)}
    assert len(fills(record)) > 5
    for one in fills(record):
        met = next(row for row in rows if row.ts >= sent[one.order_id] + submit)
        assert (one.timestamp, one.price) == (met.ts, met.price)
        assert one.reported_at == one.timestamp + report


def test_slippage_is_exact_and_on_the_tick() -> None:
    """A market order pays the slippage, rounded away to IBM's cent."""
    free = run(session("Crossing", venue=VenueConfig()))
    costly = run(session("Crossing", venue=VenueConfig(slippage_bps=Decimal(3))))

    sides = {order.order_id: order.side for order in costly.orders}
    for before, after in zip(fills(free), fills(costly), strict=True):
        worse = 1 + Decimal("0.0003") * (1 if sides[after.order_id] is OrderSide.BUY else -1)
        assert abs(after.price - before.price * worse) < Decimal("0.01")
        assert after.price % Decimal("0.01") == 0
        assert after.price != before.price


def test_a_cash_account_sells_nothing_short() -> None:
    """The sale is refused when it would fill; a margin account takes it."""
    refused = run(session("Shorting"))
    taken = run(session("Shorting", venue=VenueConfig(account_type=AccountType.MARGIN)))

    [event] = [one for one in refused.events if isinstance(one, OrderRejected | OrderCancelled)]
    assert event.rejection is not None
    assert event.rejection.reason is RejectionReason.INSUFFICIENT_FUNDS
    assert refused.account.positions == {}
    assert taken.account.positions == {"IBM": Decimal(-5)}


def test_an_interrupted_run_keeps_what_happened() -> None:
    """The monitor hears of every row, and ends the run with its answer."""

    class Stop:
        def row(self, event: object, count: int) -> bool:
            return count < 700

    record = BacktraderEngine().run(session("Crossing"), monitor=Stop())

    assert (record.rows, record.stopped) == (700, "it was interrupted")
    whole = run(session("Crossing"))
    assert record.events == whole.events[: len(record.events)]


def test_a_run_stops_at_its_time() -> None:
    """Rows after the time to stop are not read."""
    whole = run(session("Crossing"))
    stop = whole.events[10].reported_at

    record = run(replace(session("Crossing"), stop=stop))

    assert record.stopped == "the time to stop was reached"
    assert record.ended == stop
    assert record.events == whole.events[: len(record.events)]
    assert len(record.events) >= 10


@pytest.mark.parametrize(
    ("change", "line"),
    [
        ({"venue": VenueConfig(limit_fill=LimitFill.THROUGH)}, "limit_fill"),
        ({"venue": VenueConfig(participation=Decimal("0.1"))}, "participation"),
        ({"venue": VenueConfig(account_type=AccountType.MARGIN, leverage=Decimal(2))}, "leverage"),
        ({"venue": VenueConfig(convention=Convention.STANDING)}, "scenario"),
    ],
)
def test_what_backtrader_cannot_do_is_refused(change: dict[str, Any], line: str) -> None:
    """The setting is named before anything runs."""
    with pytest.raises(InvalidConfigError) as caught:
        run(session("Crossing", **change))
    assert caught.value.setting == line


def test_a_script_needs_a_neutral_strategy() -> None:
    """It is refused beside a Backtrader strategy."""
    with pytest.raises(InvalidConfigError, match="neutral strategy"):
        run(replace(session("Crossing"), script=(CancelAt(at=0, order_id="S-1"),)))


def test_what_a_strategy_does_not_take_is_named() -> None:
    """A misspelled parameter is told with those that there are."""
    with pytest.raises(StrategyError, match="takes no 'quick'; its params are fast, size, slow"):
        run(session("Crossing", params={"quick": 3}))


def test_a_strategy_that_fails_is_named_with_its_line() -> None:
    """The error tells when, where and why."""
    with pytest.raises(StrategyError, match=r"it failed at 2000-03-07.*, own\.py:\d+ \(ValueError: no idea\)"):
        run(session("Failing"))


def test_a_strategy_that_skips_itself_is_named() -> None:
    """Backtrader passes it over without a word; a session has no other."""
    with pytest.raises(StrategyError, match=r"own\.py:Skipping': it raised StrategySkipError"):
        run(session("Skipping"))


@pytest.mark.parametrize("side", [1, -1])
def test_a_trail_is_not_refused_for_the_stop_it_begins_with(side: int) -> None:
    """The stop follows from the close, so it is rounded to the tick, away from the market; none is off the grid."""
    venue = VenueConfig(account_type=AccountType.MARGIN)
    record = run(session("Trailing", params={"side": side}, venue=venue))

    trails = [order for order in record.orders if order.trail_percent is not None]
    assert len(trails) > 10
    assert {order.rejection_reason for order in trails} == {None}
    assert {order.stop_price % Decimal("0.01") for order in trails if order.stop_price is not None} == {0}
    closes = {row.ts: row.close for row in ibm_daily()}
    for order in trails:
        exact = closes[order.created_at] * (1 - side * Decimal("0.05"))
        assert order.stop_price is not None
        assert 0 <= (exact - order.stop_price) * side < Decimal("0.01")


def test_rules_hold_back_a_backtrader_strategy() -> None:
    """A refusal of the gate's reaches the record, and nothing trades."""
    limits = RiskConfig(position_limit=PositionLimitRule(max_shares=Decimal(499)))
    record = run(session("Crossing", risk=limits))

    assert fills(record) == []
    assert {order.rejection_reason for order in record.orders} == {RejectionReason.RISK_POSITION_LIMIT}


def test_a_strategy_may_have_timers() -> None:
    """A timer rings on the days on which it rings in Backtrader alone."""
    cerebro: Any = bt.Cerebro(stdstats=False)
    cerebro.adddata(_Daily())
    cerebro.addstrategy(own.Timed)
    cerebro.addanalyzer(_Notes, _name="notes")
    cerebro.broker.setcash(100_000)
    alone = cerebro.run()[0].analyzers.notes.get_analysis()

    record = run(session("Timed", venue=VenueConfig()))

    assert [float(one.price) for one in fills(record)] == [price for _, price in alone]
    assert len(alone) > 10


@pytest.mark.parametrize("act", ["set_cash", "add_cash", "add_cash and value"])
def test_cash_that_a_strategy_sets_is_booked_everywhere(act: str) -> None:
    """What is taken away is in the record, and the venue does not lend it: orders beyond what is left are refused."""
    record = run(session("Spendthrift", params={"act": act}, venue=VenueConfig()))

    [event] = [event for event in record.events if isinstance(event, AccountAdjusted)]
    assert event.cash == (-95_000 if act == "set_cash" else -5_000)
    sides = {order.order_id: 1 if order.side is OrderSide.BUY else -1 for order in record.orders}
    paid = sum(sides[one.order_id] * one.quantity * one.price for one in fills(record))
    assert record.account.cash == 100_000 + event.cash - paid
    assert record.account.initial_cash == 100_000


def test_the_venue_of_a_session_knows_of_deposits() -> None:
    """What a deposit pays for trades; after a withdrawal an order that the cash was there for is refused."""
    venue = VenueConfig()
    rich = run(session("Spendthrift", params={"act": "grow", "size": 4_000}, venue=venue))
    poor = run(session("Spendthrift", params={"act": "set_cash", "size": 100}, venue=venue))
    able = run(session("Spendthrift", params={"act": "set_cash", "size": 10}, venue=venue))

    assert len(fills(rich)) > 10
    assert fills(poor) == []
    assert len(fills(able)) > 10


@pytest.mark.parametrize(
    "act", ["set_slippage_perc", "set_slippage_fixed", "setcommission", "addcommissioninfo", "set_filler"]
)
def test_costs_are_the_sessions(act: str) -> None:
    """A strategy that sets its own is told so, before anything is filled at them."""
    with pytest.raises(InvalidConfigError, match=rf"^{act}=.*: costs are the session's, not the strategy's"):
        run(session("Spendthrift", params={"act": act}))

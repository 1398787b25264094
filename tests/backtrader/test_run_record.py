"""The record of a script of its own: as of every session, and nothing of the run is changed by keeping it."""

from __future__ import annotations

import itertools
import math
import sys
from decimal import Decimal
from pathlib import Path
from typing import Any

import backtrader
import msgspec
import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
from docs.examples.backtrader import one_line
from tests.backtrader.parity import feeds
from tests.backtrader.parity.trial import Trial, bars
from tests.backtrader.restart import rig

from seatrial import LATENCY_INSTANT, CheckpointManager, DrawdownLimitRule, RiskConfig
from seatrial.contracts.engine import RunRecord
from seatrial.contracts.terms import OrderStatus
from seatrial.data.sample import ibm_daily
from seatrial.errors import CheckpointError, InvalidConfigError, InvalidMarketDataError
from seatrial.plugins import installed_plugins
from seatrial.report.summary import summarize
from seatrial_backtrader import SeatrialBroker

DAY = 86_400_000_000_000
FLAT = (100.0, 100.5, 99.5, 100.0)
bt: Any = backtrader  # whose modules hide what they hold from a type checker


@pytest.fixture(autouse=True)
def counters(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let every run count its orders and trades from one, as in a process of its own."""
    for kind in (bt.order.OrderBase, bt.trade.Trade):
        monkeypatch.setattr(kind, "refbasis", itertools.count(1))


def anew() -> None:
    """Count orders and trades from one again."""
    bt.order.OrderBase.refbasis, bt.trade.Trade.refbasis = itertools.count(1), itertools.count(1)


@pytest.mark.parametrize("setting", rig.SETTINGS)
def test_a_record_changes_nothing(setting: str) -> None:
    """What the strategies are told and see, and every event, is the same with a record and without."""
    log, broker = rig.sail(2, setting)
    anew()
    noted, recorded = rig.sail(2, setting, record=True)

    assert noted == log
    assert recorded.gate.events == broker.gate.events
    assert recorded.run_record().events == tuple(broker.gate.events)


@pytest.fixture(name="ibm", scope="module")
def _ibm() -> tuple[Any, RunRecord]:
    """Run the script of the documentation with delays, rules, and a record."""
    broker = SeatrialBroker(cash=100_000, latency_config=one_line.EVENING, risk_config=one_line.LIMITS, record=True)
    end = one_line.run(broker, 0.001)
    return end, broker.run_record()


def test_a_record_tells_the_run(ibm: tuple[Any, RunRecord]) -> None:
    """Orders, equity, the deepest fall and the prices that orders saw are those of the script's own run."""
    end, record = ibm
    closes = {row.ts // DAY: row.close for row in ibm_daily()}
    decisions = {one.order_id: one for one in record.decisions}

    assert record.rows == len(closes) == 3_270
    assert sum(order.status is OrderStatus.FILLED for order in record.orders) == end.filled > 10
    assert record.account.equity == Decimal(repr(end.broker.getvalue()))
    assert record.equity[-1].equity == record.account.equity
    assert record.equity[0].equity == record.account.initial_cash == 100_000
    assert all(
        decisions[order.order_id].decided == closes[order.created_at // (86_400 * 10**9)] for order in record.orders
    )
    assert {point.ts // DAY for point in record.equity} == set(closes)
    assert record.scenario.strategy is not None
    assert record.scenario.strategy.path.endswith("one_line:Crossing")
    assert record.scenario.tape.feeds == ("ibm_daily",)


def test_the_deepest_fall_is_what_backtrader_finds() -> None:
    """Its own analyzer, which looks at every bar too, agrees; and what it found is in the record."""
    cerebro = bt.Cerebro(stdstats=False)
    broker = SeatrialBroker(cash=100_000, record=True)
    cerebro.setbroker(broker)
    cerebro.addstrategy(one_line.Crossing)
    cerebro.addanalyzer(bt.analyzers.DrawDown, _name="fall")
    path = Path(one_line.__file__).parents[3] / "core" / "seatrial" / "data" / "ibm_daily.csv"
    cerebro.adddata(bt.feeds.GenericCSVData(dataname=str(path), dtformat="%Y-%m-%d", openinterest=-1))
    cerebro.run()
    record = broker.run_record()

    assert record.scenario.execution.latency == LATENCY_INSTANT
    assert record.max_drawdown_pct is not None
    assert float(record.max_drawdown_pct) == pytest.approx(record.analyses["fall"]["max"]["drawdown"])
    assert record.max_drawdown_pct > 5


def test_a_record_is_kept_and_summed_up_like_any(ibm: tuple[Any, RunRecord]) -> None:
    """It goes through JSON unchanged, and a summary says what it cost."""
    _, record = ibm
    summary = summarize(record)

    assert msgspec.json.decode(msgspec.json.encode(record), type=RunRecord) == record
    assert summary.commission > 0
    assert summary.cost is not None
    assert summary.filled == sum(order.status is OrderStatus.FILLED for order in record.orders)


@pytest.mark.parametrize("setting", ["one ledger", "slow, with rules"])
def test_a_resumed_run_has_the_record_of_the_whole(setting: str, tmp_path: Path) -> None:
    """Equity, the deepest fall and what orders saw go on where the checkpoint was taken."""
    _, broker = rig.sail(3, setting, record=True)
    whole = broker.run_record()
    anew()
    rig.sail(3, setting, record=True, checkpoints=tmp_path)
    with CheckpointManager(tmp_path) as manager:
        taken = manager.list_checkpoints("restart")
        checkpoint = manager.load_checkpoint(taken[len(taken) // 2].path)
    anew()
    _, resumed = rig.sail(3, setting, record=True, resume=checkpoint)

    assert resumed.run_record() == whole


class Idler(bt.Strategy):
    """Buys once, and stops the run where it is told to."""

    params = (("stop_at", None),)

    def next(self) -> None:
        if len(self) == 2:
            self.buy(size=1)
        if len(self) == self.p.stop_at:
            self.env.runstop()


@pytest.mark.parametrize("stop_at", range(3, 9))
def test_a_resumed_live_run_notes_each_bar_once(stop_at: int, tmp_path: Path) -> None:
    """A cycle after the cut in which the feed has nothing new is no bar, and the run began when it did."""

    def noted(**arguments: Any) -> RunRecord:
        cerebro = bt.Cerebro(stdstats=False)
        cerebro.adddata(feeds.live(3), name="IBM")
        cerebro.addstrategy(Idler, stop_at=arguments.pop("stop_at", None))
        broker = SeatrialBroker(risk_config=RiskConfig(), record=True, checkpoints=tmp_path, **arguments)
        cerebro.setbroker(broker)
        cerebro.run()
        return broker.run_record()

    whole = noted(checkpoint_every="never")
    noted(stop_at=stop_at)
    resumed = noted(resume="latest")

    assert resumed.started == whole.started
    assert resumed.equity == whole.equity
    assert resumed.rows == whole.rows


GAP = (100.0, 130.0, 95.0, math.nan)
CHARGES: tuple[dict[str, Any], ...] = ({}, {"leverage": 4.0}, {"leverage": 4.0, "commission": 0.001})
DRAWDOWN = RiskConfig(drawdown_limit=DrawdownLimitRule(max_daily_drawdown_pct=Decimal(50)))


def equity(last: float, size: int, charges: dict[str, Any], *, shortcash: bool) -> list[Decimal]:
    """Return the account's value by bar: units are held while two bars close at `last`, and traded before and after."""
    rows = [FLAT, (100.0, 112.0, 99.0, 110.0), (*GAP[:3], last), (*GAP[:3], last), FLAT, FLAT, (*GAP[:3], last)]
    cerebro = bt.Cerebro(stdstats=False)
    broker = SeatrialBroker(cash=10_000, risk_config=DRAWDOWN, record=True, shortcash=shortcash)
    broker.setcommission(**charges)
    cerebro.setbroker(broker)
    cerebro.adddata(bars(rows))
    cerebro.addstrategy(Trial, plan={1: lambda it: it.order("in", size), 5: lambda it: it.order("out", -size)})
    cerebro.run()
    record = broker.run_record()
    assert sum(order.status is OrderStatus.FILLED for order in record.orders) == 2
    return [point.equity for point in record.equity]


@pytest.mark.parametrize("charges", CHARGES, ids=["stock", "leveraged", "charged"])
@pytest.mark.parametrize("size", [3, -3])
@pytest.mark.parametrize("shortcash", [True, False])
def test_a_bar_without_a_price_leaves_the_last_one(size: int, charges: dict[str, Any], shortcash: bool) -> None:
    """A close that is no number values positions at the close before it, and what is flat is worth nothing."""
    gapped = equity(math.nan, size, charges, shortcash=shortcash)

    assert gapped[:6] == equity(110.0, size, charges, shortcash=shortcash)[:6]
    assert gapped[6] == gapped[5]
    assert len(set(gapped)) > 1


def test_a_future_booked_at_no_price_ends_the_run_in_one_line() -> None:
    """Backtrader's cash is no number from then on, so that nothing can be valued any more."""
    told = "market data for '[^']+': close: a bar had none, and Backtrader booked a future at it"
    with pytest.raises(InvalidMarketDataError, match=told):
        equity(math.nan, 3, {"mult": 10.0, "margin": 50.0}, shortcash=True)


@pytest.mark.parametrize("at", [2, 3], ids=["bought", "sold"])
@pytest.mark.parametrize("close", [math.nan, 100.0], ids=["no price", "no open"])
def test_a_fill_at_no_price_ends_the_run_in_one_line(at: int, close: float) -> None:
    """A market order fills at the open, even where that is no number: the fault is told as what it is."""
    rows = [FLAT] * 5
    rows[at - 1] = (math.nan, math.nan, math.nan, close)
    cerebro = bt.Cerebro(stdstats=False)
    cerebro.setbroker(SeatrialBroker(cash=10_000, record=True))
    cerebro.adddata(bars(rows), name="gapped")
    cerebro.addstrategy(Trial, plan={1: lambda it: it.order("in", 1), 2: lambda it: it.order("out", -1)})
    told = "market data for 'gapped': open: a bar had none, and Backtrader filled an order at it"
    with pytest.raises(InvalidMarketDataError, match=told):
        cerebro.run()


@pytest.mark.parametrize("setting", [{}, {"ledgers": 2}], ids=["one ledger", "two ledgers"])
@pytest.mark.parametrize("amount", [-5_000.0, 5_000.0, 0.0])
def test_cash_from_elsewhere_is_no_fall_and_hides_none(amount: float, setting: dict[str, Any]) -> None:
    """The peak moves with the cash: half of the units' fall of 100 is before a withdrawal or deposit, half after it."""
    rows = [FLAT, FLAT, (100.0, 100.5, 89.5, 95.0), (95.0, 95.5, 89.5, 90.0), FLAT]
    plan = {1: lambda it: it.order("in", 10), 3: lambda it: it.broker.add_cash(amount)}
    cerebro = bt.Cerebro(stdstats=False)
    broker = SeatrialBroker(cash=10_000, record=True, **setting)
    cerebro.setbroker(broker)
    cerebro.adddata(bars(rows))
    cerebro.addstrategy(Trial, plan=plan)
    cerebro.run()
    record = broker.run_record()

    assert record.equity[-1].equity == Decimal(10_000) + Decimal(repr(amount))
    assert record.max_drawdown_pct == 10_000 / (Decimal(10_000) + Decimal(repr(amount)))


def test_what_has_no_record_says_so(tmp_path: Path) -> None:
    """Nothing was noted, the half before a checkpoint was not, or the feeds are not there to be read again."""
    _, broker = rig.sail(3, "two ledgers", checkpoints=tmp_path)
    with pytest.raises(InvalidConfigError, match=r"record=False: give SeatrialBroker\(record=True\), and run it"):
        broker.run_record()
    anew()
    with pytest.raises(CheckpointError, match="it was taken without record=True; resume without it"):
        rig.sail(3, "two ledgers", record=True, checkpoints=tmp_path, resume="latest")
    anew()
    _, recorded = rig.sail(3, "two ledgers", record=True)
    with pytest.raises(InvalidConfigError, match="these feeds were the program's own; run that again"):
        installed_plugins().engine("native").run(recorded.run_record().scenario)

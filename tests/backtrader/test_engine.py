"""The Backtrader engine: what it refuses, what its analyzers say, and how it is told to stop."""

from __future__ import annotations

import gc
import subprocess
import sys
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
from tests.backtrader.engine import crew, own
from tests.backtrader.engine.crew import bars, config, scenario, ticks

from seatrial import LATENCY_INSTANT, LATENCY_SLOW, Instrument, Order, OrderSide, OrderType, TimeInForce
from seatrial.contracts.events import ModifyRefused, OrderExecution, OrderRejected
from seatrial.contracts.market import Quote
from seatrial.contracts.rejection import RejectionReason
from seatrial.contracts.scenario import ExecutionConfig, Scenario, StrategyRef, SubmitAt, Tape
from seatrial.engine.native import NativeEngine
from seatrial.errors import InvalidConfigError, StrategyError
from seatrial.plugins import installed_plugins
from seatrial.report.summary import summarize
from seatrial_backtrader.claims import BACKTRADER
from seatrial_backtrader.engine import BacktraderEngine
from seatrial_backtrader.pit import Pit

IBM = Tape(sample="ibm_daily")
TRADE: dict[str, Any] = {"symbol": "A", "side": OrderSide.BUY, "quantity": 1}
MARKET: dict[str, Any] = {**TRADE, "order_type": OrderType.MARKET}
ANALYZERS = {"fall": "DrawDown", "trades": {"class": "TradeAnalyzer"}, "notes": f"{__file__}:Notes"}


def run(played: Scenario, **settings: Any) -> Any:
    """Run on Backtrader."""
    return BacktraderEngine().run(replace(played, **settings))


def waving(**settings: Any) -> Scenario:
    """Return a session of a Backtrader strategy on IBM."""
    return Scenario(tape=IBM, strategy=StrategyRef(path=f"{own.__file__}:Waving"), **settings)


class Notes(own.bt.Analyzer):
    """Says what JSON does not know."""

    def get_analysis(self) -> Any:
        """Return odd values."""
        return {1: float("nan"), "when": own.bt.num2date(733_000.5), "pair": (1, None), "plain": Decimal(3)}


def test_it_is_on_offer_and_loads() -> None:
    """The plugin names its claims and Backtrader's version, and loads the engine."""
    spec = installed_plugins().engines()["backtrader"]
    assert spec.info == BACKTRADER
    assert own.bt.__version__ in spec.version
    assert type(installed_plugins().engine("backtrader")) is BacktraderEngine


def test_without_backtrader_one_line_says_what_to_install() -> None:
    """The engine stays on the list; loading it tells how to get it."""
    program = (
        "import sys; sys.modules['backtrader'] = None\n"
        "from seatrial.plugins import installed_plugins\n"
        "from seatrial.errors import EngineNotInstalledError\n"
        "plugins = installed_plugins()\n"
        "assert 'backtrader' in plugins.engines()\n"
        "try:\n    plugins.engine('backtrader')\n"
        "except EngineNotInstalledError as error:\n    print(error)\n"
    )
    told = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    expected = "engine 'backtrader' needs backtrader, which is not installed: pip install 'seatrial[backtrader]'\n"
    assert told.stdout == expected


@pytest.mark.parametrize("strategy", [f"{crew.__file__}:Wild", f"{own.__file__}:Waving"])
def test_analyzers_reach_record_and_summary_as_json(strategy: str) -> None:
    """Their results are JSON values: keys are text, times ISO, and what is no number is null."""
    params = {"seed": 1, "kinds": ["market"]} if strategy.endswith("Wild") else {"every": 20}
    played = Scenario(
        tape=Tape(rows=bars(1)),
        strategy=StrategyRef(path=strategy, params=params),
        execution=ExecutionConfig(venue=config(leverage=Decimal(1))),
        engine_params={"analyzers": ANALYZERS},
    )
    record = run(played)

    assert list(record.analyses) == list(ANALYZERS)
    assert record.analyses["notes"] == {"1": None, "when": "2007-11-20T12:00:00", "pair": [1, None], "plain": "3"}
    assert record.analyses["trades"]["total"]["total"] > 0
    deepest = record.analyses["fall"]["max"]["drawdown"]
    assert record.max_drawdown_pct is not None
    assert deepest == pytest.approx(float(record.max_drawdown_pct), rel=1e-6)
    assert summarize(record).analyses == record.analyses


def test_analyzers_change_nothing() -> None:
    """A run with analyzers, which keeps its history, is the run without."""
    played = scenario(5, LATENCY_SLOW, config(), crew.MORE)
    asked = run(played, engine_params={"analyzers": {"fall": "DrawDown", "year": "AnnualReturn"}})

    assert asked.events == run(played).events
    assert asked.account == run(played).account


@pytest.mark.parametrize(
    ("params", "setting"),
    [
        ({"analyser": {}}, "engine_params"),
        ({"analyzers": ["DrawDown"]}, "engine_params.analyzers"),
        ({"analyzers": {"a": "DrawDwn"}}, "analyzers.a"),
        ({"analyzers": {"a": 3}}, "analyzers.a"),
        ({"analyzers": {"a": "decimal:Decimal"}}, "analyzers.a"),
        ({"analyzers": {"a": {"class": "SharpeRatio", "rate": 1}}}, "analyzers.a.rate"),
        ({"cerebro": {"runonce": True}}, "cerebro.runonce"),
        ({"cerebro": {"speed": 1}}, "cerebro.speed"),
        ({"cerebro": {"exactbars": "yes"}}, "cerebro.exactbars"),
        ({"cerebro": {"lookahead": -5}}, "cerebro.lookahead"),
        ({"cerebro": {"stdstats": "no"}}, "cerebro.stdstats"),
        ({"cerebro": {"tz": "Mars/One"}}, "cerebro.tz"),
    ],
)
def test_engine_params_nobody_knows_are_refused(params: dict[str, Any], setting: str) -> None:
    """The setting is named before anything runs."""
    with pytest.raises(InvalidConfigError) as caught:
        run(waving(engine_params=params))
    assert caught.value.setting == setting


def test_an_analyzer_that_is_not_there_is_named() -> None:
    """A class that cannot be found is told as a strategy's is."""
    with pytest.raises(StrategyError, match="no module 'nowhere'"):
        run(waving(engine_params={"analyzers": {"a": "nowhere:At"}}))


@pytest.mark.parametrize(
    ("change", "missing"),
    [
        ({"tape": Tape(rows=(Quote(1, "A", Decimal(1), Decimal(2)),))}, "quotes"),
        ({"tape": Tape(sample="ticks")}, "quotes"),
        ({"execution": ExecutionConfig(checkpoint_every="event")}, "checkpoints"),
        ({"resume_from": "somewhere"}, "checkpoints"),
    ],
)
def test_what_is_not_claimed_is_refused(change: dict[str, Any], missing: str) -> None:
    """The capability is named before anything runs."""
    with pytest.raises(InvalidConfigError, match=missing):
        run(waving(), **change)


@pytest.mark.parametrize(
    "terms",
    [
        {"order_type": OrderType.MARKET_IF_TOUCHED, "stop_price": Decimal(99)},
        {"order_type": OrderType.LIMIT, "limit_price": Decimal(99), "time_in_force": TimeInForce.IOC},
        {"order_type": OrderType.LIMIT, "limit_price": Decimal(99), "post_only": True},
        {"order_type": OrderType.NATIVE, "native_type": "iceberg"},
    ],
)
def test_an_order_backtrader_does_not_know_is_rejected(terms: dict[str, Any]) -> None:
    """The venue says that it is unsupported; the run goes on."""
    terms = TRADE | terms
    sender = StrategyRef(path=f"{crew.__file__}:Sender", params={"orders": [terms, MARKET]})

    record = run(Scenario(tape=Tape(rows=ticks(1, 50)), strategy=sender))

    [rejected] = [event for event in record.events if isinstance(event, OrderRejected)]
    assert (rejected.order_id, rejected.rejection.reason) == ("S-1", RejectionReason.UNSUPPORTED)
    assert [event.order_id for event in record.events if isinstance(event, OrderExecution)] == ["S-2"]


def test_a_modify_is_refused() -> None:
    """Backtrader's orders cannot be changed: the old terms hold."""
    limit = {**MARKET, "order_type": OrderType.LIMIT, "limit_price": Decimal(90)}
    sender = StrategyRef(path=f"{crew.__file__}:Sender", params={"orders": [limit], "modify": Decimal(91)})

    record = run(Scenario(tape=Tape(rows=ticks(1, 50)), strategy=sender))

    [refused] = [event for event in record.events if isinstance(event, ModifyRefused)]
    assert refused.rejection.reason is RejectionReason.UNSUPPORTED
    assert record.orders[0].limit_price == Decimal(90)


def test_a_session_of_scripts_runs_alike_on_bars() -> None:
    """Market orders by a script trade at the opens of bars, as on the native engine."""
    rows = bars(4, 60)
    steps = tuple(
        SubmitAt(row.ts, (Order(order_id=str(n), order_type=OrderType.MARKET, created_at=row.ts, **TRADE),))
        for n, row in enumerate(rows[10:80:7])
    )
    played = Scenario(tape=Tape(rows=rows), script=steps, execution=ExecutionConfig(latency=LATENCY_SLOW))

    assert run(played).events == NativeEngine().run(played).events


def test_multipliers_count_on_both_ledgers() -> None:
    """A contract of a hundred is worth a hundred times its price, also to Backtrader."""
    instruments = tuple(Instrument(symbol=symbol, multiplier=Decimal(100)) for symbol in crew.SYMBOLS)
    played = replace(scenario(8, LATENCY_INSTANT, config()), instruments=instruments)
    played = replace(played, execution=replace(played.execution, initial_cash=Decimal(2_000_000)))
    record = run(played, engine_params={"analyzers": {"fall": "DrawDown"}})

    assert record.events == NativeEngine().run(played).events
    deepest = record.analyses["fall"]["max"]["drawdown"]
    assert deepest == pytest.approx(float(record.max_drawdown_pct), rel=1e-6)


def test_symbols_that_never_trade_hold_nobody_up() -> None:
    """A declared instrument without data is no reason to wait."""
    instruments = tuple(Instrument(symbol=symbol) for symbol in ("C", *crew.SYMBOLS))
    played = scenario(2, LATENCY_INSTANT, config())

    assert run(played, instruments=instruments).events == run(played).events


def test_many_resting_orders_fill_as_on_the_native_engine() -> None:
    """Beyond a few dozen resting orders Backtrader's are found by price; what they do stays the same."""
    rows = ticks(6, 1_500)
    sender = StrategyRef(path=f"{crew.__file__}:Ladder", params={"rungs": 150})
    played = Scenario(
        tape=Tape(rows=rows), strategy=sender, execution=ExecutionConfig(venue=config(), latency=LATENCY_SLOW)
    )
    record = run(played)

    assert record.events == NativeEngine().run(played).events
    assert sum(isinstance(event, OrderExecution) for event in record.events) > 20


def test_memory_does_not_grow_with_the_tape() -> None:
    """Without analyzers Backtrader keeps one row of each feed."""

    class Watch:
        feeds: Any = None
        kept = 0

        def row(self, event: object, count: int) -> bool:
            if self.feeds is None:  # looking through all objects takes long
                [broker] = [one for one in gc.get_objects() if isinstance(one, Pit)]
                self.feeds = broker.cerebro.datas
            self.kept = max(len(line.array) for feed in self.feeds for line in feed.lines)
            return count < 400

    watch = Watch()
    gc.collect()
    BacktraderEngine().run(scenario(1, LATENCY_INSTANT, config()), monitor=watch)
    assert watch.kept == 1


def test_a_neutral_strategy_that_fails_is_named() -> None:
    """The error names its part and its line."""
    sender = StrategyRef(path=f"{crew.__file__}:Sender", params={"orders": [{}]})
    with pytest.raises(StrategyError, match=r"on_market failed at .*, crew\.py:\d+ \(TypeError"):
        run(Scenario(tape=Tape(rows=ticks(1, 50)), strategy=sender))

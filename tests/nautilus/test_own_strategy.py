"""A NautilusTrader strategy in a session: as in NautilusTrader itself, behind the gate."""

from __future__ import annotations

import subprocess
import sys
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

pytest.importorskip("nautilus_trader", reason="NautilusTrader is not installed")

from msgspec.structs import replace
from nautilus_trader.backtest.engine import BacktestEngine
from nautilus_trader.config import BacktestEngineConfig, LoggingConfig, RiskEngineConfig
from nautilus_trader.model.currencies import USD
from nautilus_trader.model.data import Bar, BarType, QuoteTick, TradeTick
from nautilus_trader.model.enums import AccountType as NautilusAccount
from nautilus_trader.model.enums import AggressorSide, OmsType
from nautilus_trader.model.identifiers import InstrumentId, Symbol, TradeId, TraderId, Venue
from nautilus_trader.model.instruments import Equity
from nautilus_trader.model.objects import Money, Price, Quantity
from nautilus_trader.persistence.catalog import ParquetDataCatalog

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
from tests.nautilus.rig import own as rig
from tests.nautilus.rig.market import BAR_TYPE, EQUITY, PAIR, bars, quotes

from seatrial import (
    LATENCY_INSTANT,
    LATENCY_NORMAL,
    LATENCY_SLOW,
    FeeSchedule,
    OrderSide,
    OrderStatus,
    PositionLimitRule,
    RiskConfig,
)
from seatrial.contracts.events import OrderExecution, encode_events
from seatrial.contracts.market import Instrument, Trade
from seatrial.contracts.rejection import RejectionReason
from seatrial.contracts.scenario import CancelAt, DataKind, ExecutionConfig, Scenario, StrategyRef, Tape, TapeFile
from seatrial.contracts.venue import AccountType, Convention, LimitFill, PriceImprovement, VenueConfig
from seatrial.data.sample import ibm_daily
from seatrial.data.ticks import tick_tape
from seatrial.errors import InvalidConfigError, StrategyError, TapeError
from seatrial_nautilus import attach
from seatrial_nautilus.v1 import own
from seatrial_nautilus.v1.engine import NautilusEngine

if TYPE_CHECKING:
    from collections.abc import Iterable

    from seatrial.contracts.engine import RunMonitor, RunRecord
    from seatrial.contracts.events import Event

# pandas 3 warns of how NautilusTrader 1.231 calls it
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")

DAILY = "IBM.SIM-1-DAY-LAST-EXTERNAL"
IBM_BARS: dict[str, Any] = {"bar_type": DAILY}
TICKS: dict[str, Any] = {"instrument_id": "TICK.SIM"}
COSTS = VenueConfig(fees=FeeSchedule(per_share=Decimal("0.0051"), bps=Decimal("0.1"), minimum=Decimal(1)))
MARGIN = VenueConfig(account_type=AccountType.MARGIN, leverage=Decimal(4))


def session(name: str, params: dict[str, Any] | None = None, **settings: Any) -> Scenario:
    """Return a session of one of the rig's strategies, on IBM unless told otherwise."""
    whole = {key: settings.pop(key) for key in ("tape", "stop", "engine_params", "instruments") if key in settings}
    strategy = StrategyRef(path=f"{rig.__file__}:{name}", params=params or {})
    return Scenario(
        **{"tape": Tape(sample="ibm_daily"), **whole}, strategy=strategy, execution=ExecutionConfig(**settings)
    )


def run(scenario: Scenario, monitor: RunMonitor | None = None) -> RunRecord:
    """Run it on NautilusTrader."""
    return NautilusEngine().run(scenario, monitor=monitor)


def fills(events: Iterable[Event]) -> list[tuple[int, int, Decimal, Decimal]]:
    """Return matched, told, quantity and price of the executions among events."""
    return [
        (event.timestamp, event.reported_at, event.quantity, event.price)
        for event in events
        if isinstance(event, OrderExecution)
    ]


def listed(name: str) -> Any:
    """Return an equity of cents and single units, as a user of NautilusTrader lists one."""
    return Equity(
        InstrumentId(Symbol(name), Venue("SIM")),
        Symbol(name),
        USD,
        2,
        Price.from_str("0.01"),
        Quantity.from_int(1),
        0,
        0,
    )


def price(value: Decimal) -> Any:
    """Return a price in cents."""
    return Price(float(value), 2)


def ibm_as_data() -> list[Any]:
    """Return the sample as a user of NautilusTrader would load it."""
    kind, made = BarType.from_str(DAILY), []
    for row in ibm_daily():
        ends = [price(one) for one in (row.open, row.high, row.low, row.close)]
        made.append(Bar(kind, *ends, Quantity.from_int(int(row.volume or 0)), row.ts, row.ts))
    return made


def ticks_as_data(count: int) -> list[Any]:
    """Return generated quotes and trades in the same way."""
    made: list[Any] = []
    name, prints = InstrumentId.from_str("TICK.SIM"), 0
    for row in tick_tape(7, count):
        if isinstance(row, Trade):
            prints += 1
            size, number = Quantity.from_int(int(row.size or 0)), TradeId(str(prints))
            made.append(TradeTick(name, price(row.price), size, AggressorSide.NO_AGGRESSOR, number, row.ts, row.ts))
        else:
            sizes = [Quantity.from_int(int(one or 0)) for one in (row.bid_size, row.ask_size)]
            made.append(QuoteTick(name, price(row.bid), price(row.ask), *sizes, row.ts, row.ts))
    return made


def alone(instrument: Any, data: list[Any], strategy: Any, **options: Any) -> tuple[Any, Any]:
    """Run a program of the user's own on `attach`, or without a word of seatrial's where there is no latency."""
    rates: dict[str, Any] = {"max_order_submit_rate": "100000/00:00:01", "max_order_modify_rate": "100000/00:00:01"}
    config = BacktestEngineConfig(
        trader_id=TraderId("SEATRIAL-001"),
        logging=LoggingConfig(bypass_logging=True),
        risk_engine=RiskEngineConfig(**rates),
        run_analysis=False,
    )
    engine = BacktestEngine(config)
    venue = {
        "venue": Venue("SIM"),
        "oms_type": OmsType.NETTING,
        "account_type": NautilusAccount.CASH,
        "starting_balances": [Money(100_000, USD)],
        "base_currency": USD,
        "trade_execution": True,
    }
    gated = None
    if options:
        name = f"{type(strategy).__name__}-000"
        gated = attach(engine, strategy_names={name: "S"}, **venue, **options)
    else:
        engine.add_venue(**venue)
    engine.add_instrument(instrument)
    engine.add_strategy(strategy)
    engine.add_data(data)
    engine.run()
    return engine, gated


def test_without_delays_fills_are_those_of_nautilus_alone() -> None:
    """Without delays, rules and costs a strategy on IBM trades what it trades in a script of its own."""
    engine, _ = alone(listed("IBM"), ibm_as_data(), rig.Crossing(rig.CrossingConfig(BarType.from_str(DAILY))))
    orders = sorted(engine.cache.orders(), key=lambda one: (one.ts_init, one.client_order_id.value))
    expected = [
        (one.ts_last, one.ts_last, one.filled_qty.as_decimal(), Decimal(str(one.avg_px)))
        for one in orders
        if one.avg_px is not None
    ]
    balance = engine.cache.account_for_venue(Venue("SIM")).balance_total(USD)
    engine.dispose()

    record = run(session("Crossing", IBM_BARS))

    assert fills(record.events) == expected
    assert len(expected) > 50
    assert record.account.cash == balance.as_decimal()
    assert (record.rows, record.stopped, record.warnings) == (3_270, None, ())


@pytest.mark.parametrize(
    ("tape", "instrument", "data", "strategy"),
    [
        (
            Tape(sample="ibm_daily"),
            "IBM",
            ibm_as_data,
            lambda: rig.Crossing(rig.CrossingConfig(BarType.from_str(DAILY))),
        ),
        (
            Tape(rows=tuple(tick_tape(7, 8_000))),
            "TICK",
            lambda: ticks_as_data(8_000),
            lambda: rig.Quoting(rig.QuotingConfig(InstrumentId.from_str("TICK.SIM"))),
        ),
    ],
    ids=["ibm", "ticks"],
)
def test_events_are_those_of_a_program_on_attach(tape: Tape, instrument: str, data: Any, strategy: Any) -> None:
    """Delays, rules and seed do to a session what they do to the same program on `attach`, event by event."""
    risk = RiskConfig(position_limit=PositionLimitRule(max_shares=Decimal(600)))
    settings: dict[str, Any] = {"seed": 5, "simulator_id": "trial"}
    options = {"latency_config": LATENCY_SLOW, "risk_config": risk}
    engine, gated = alone(listed(instrument), data(), strategy(), **settings, **options)
    params = IBM_BARS if instrument == "IBM" else TICKS

    declared = (Instrument(symbol=instrument, tick_size=Decimal("0.01"), lot_size=Decimal(1)),)
    scenario = session(type(strategy()).__name__, params, tape=tape, latency=LATENCY_SLOW, risk=risk, **settings)
    record = run(replace(scenario, instruments=declared))

    expected, found = (
        encode_events(events).replace(b"TICK.SIM", b"TICK")  # in the words of refusals
        for events in (gated.gate.events, record.events)
    )
    assert found[: len(expected)] == expected
    told = len(gated.gate.events)
    late = {order.order_id for order in gated.gate.pending_orders.values()}
    assert {event.order_id for event in record.events[told:]} <= late  # type: ignore[union-attr]
    assert len(fills(record.events)) > 50
    assert {order.symbol for order in record.orders} == {instrument}
    assert {order.strategy_id for order in record.orders} == {"S"}
    if instrument == "TICK":
        assert {order.status for order in record.orders} >= {
            OrderStatus.FILLED,
            OrderStatus.CANCELLED,
            OrderStatus.REJECTED,
        }
    engine.dispose()


def test_data_comes_a_stretch_at_a_time_and_nobody_can_tell(monkeypatch: pytest.MonkeyPatch) -> None:
    """Timers, orders and events are the same however many rows are handed over at once."""
    scenario = session("Quoting", TICKS, tape=Tape(rows=tuple(tick_tape(3, 3_000))), latency=LATENCY_NORMAL)
    scenario = replace(scenario, instruments=(Instrument(symbol="TICK", tick_size=Decimal("0.01")),))
    whole = run(scenario)
    for length in (1, 17):
        monkeypatch.setattr(own, "_STRETCH", length)
        assert encode_events(run(scenario).events) == encode_events(whole.events)
    assert len(whole.events) > 50


@pytest.mark.parametrize("latency", [LATENCY_INSTANT, LATENCY_NORMAL], ids=["instant", "normal"])
def test_cash_and_positions_are_what_the_fills_make_of_them(latency: Any) -> None:
    """The account is the fold of its executions; an order's fees are the schedule's, rounded up to the cent."""
    record = run(session("Crossing", IBM_BARS, latency=latency, venue=COSTS))

    cash, held = Decimal(100_000), Decimal(0)
    for order in record.orders:
        for one in order.executions:
            signed = one.quantity if order.side is OrderSide.BUY else -one.quantity
            cash -= signed * one.price + one.commission
            held += signed
        exact = max(order.filled_quantity * Decimal("0.0051") + order.filled_value * Decimal("0.00001"), Decimal(1))
        assert exact <= order.total_commission < exact + Decimal("0.01")
    assert (record.account.cash, record.account.equity, held) == (cash, cash, Decimal(0))
    assert record.equity[-1].equity == cash
    assert record.max_drawdown_pct is not None
    assert record.max_drawdown_pct > 4
    assert len(record.decisions) == len(record.orders) > 50


def test_the_analyzers_numbers_are_in_the_record() -> None:
    """Profit as NautilusTrader's portfolio analyzer finds it is what the account says; all is plain."""
    record = run(session("Crossing", IBM_BARS, venue=COSTS))

    profit = record.analyses["pnls"]["USD"]["PnL (total)"]
    assert profit == pytest.approx(float(record.account.cash - 100_000), abs=0.005)
    assert record.analyses["general"] == {"Long Ratio": 1.0}
    assert isinstance(record.analyses["returns"]["Profit Factor"], float)


def test_orders_meet_the_limits_of_the_tape_and_its_grid() -> None:
    """An instrument with a multiplier and parts of a unit trades as it is declared."""
    tape = Tape(rows=tuple(replace(row, symbol="NQ.SIM") for row in list(ibm_daily())[:400]))
    declared = (
        Instrument(symbol="NQ.SIM", tick_size=Decimal("0.01"), lot_size=Decimal("0.001"), multiplier=Decimal(20)),
    )
    params = {"bar_type": "NQ.SIM-1-DAY-LAST-EXTERNAL", "size": "1.125"}
    record = run(session("Crossing", params, tape=tape, instruments=declared, venue=MARGIN))

    assert {one.quantity for one in record.orders} == {Decimal("1.125")}
    cash = Decimal(100_000)
    for order in record.orders:
        cash += (-20 if order.side is OrderSide.BUY else 20) * order.filled_value
    assert record.account.cash == cash != 100_000


class _Until:
    """A monitor that ends a run after some rows."""

    def __init__(self, last: int) -> None:
        self.last = last
        self.heard: list[Any] = []

    def row(self, event: Any, count: int) -> bool:
        self.heard.append(event)
        return count < self.last


def test_an_interrupted_run_keeps_what_happened() -> None:
    """The monitor hears of every row as the tape has it, and ends the run with its answer."""
    watch = _Until(700)
    record = run(session("Crossing", IBM_BARS), watch)

    assert (record.rows, record.stopped) == (700, "it was interrupted")
    assert watch.heard == [replace(row, start=None) for row in list(ibm_daily())[:700]]
    assert record.ended == watch.heard[-1].ts
    whole = run(session("Crossing", IBM_BARS))
    assert record.events == whole.events[: len(record.events)]
    assert len(record.events) > 5


def test_a_run_stops_at_its_time() -> None:
    """Later rows are not read, the strategy stops, and what is under way by then arrives."""
    whole = run(session("Crossing", IBM_BARS, latency=LATENCY_SLOW))
    stop = fills(whole.events)[4][1]

    record = run(session("Crossing", IBM_BARS, latency=LATENCY_SLOW, stop=stop))

    assert (record.stopped, record.ended) == ("the time to stop was reached", stop)
    assert fills(record.events) == fills(whole.events)[:5]


def test_a_strategy_stops_with_the_tape_and_its_last_orders_arrive() -> None:
    """What it sends on its stop travels to the venue and back after the last row."""
    record = run(session("Crossing", IBM_BARS, latency=LATENCY_SLOW))

    assert record.account.positions == {}
    assert fills(record.events)[-1][1] > record.equity[-2].ts
    assert record.ended == fills(record.events)[-1][1]


@pytest.mark.parametrize("where", ["start", "bar", "alert", "filled", "position", "stop", "dispose"])
def test_a_strategy_that_fails_is_named_with_its_line(where: str) -> None:
    """Wherever it raises, the run ends with an error that tells when, where and why."""
    rows = tuple(list(ibm_daily())[:5])
    scenario = session("Failing", {"where": where}, tape=Tape(rows=rows), latency=LATENCY_SLOW)
    scenario = replace(scenario, instruments=(Instrument(symbol="IBM", tick_size=Decimal("0.01")),))

    with pytest.raises(StrategyError, match=r"it failed at 2000-03-0.*, own\.py:\d+ \(ValueError: no idea\)"):
        run(scenario)


@pytest.mark.parametrize(
    ("name", "params", "line"),
    [
        (
            "Crossing",
            {**IBM_BARS, "quick": 3},
            r"takes no 'quick'; its CrossingConfig takes bar_type, fast, slow, size",
        ),
        ("Crossing", {**IBM_BARS, "fast": "x"}, r"CrossingConfig cannot be made of .*Expected `int`.*\$\.fast"),
        ("Crossing", {}, "missing required field `bar_type`"),
        ("Crossing", {"bar_type": "IBM"}, "CrossingConfig cannot be made of"),
        ("Failing", {"where": "init"}, r"it cannot be built with where='init' \(ValueError: no idea\)"),
        ("Bare", {"fast": 3}, "it takes no config, so it can be given no 'fast'"),
        ("Unsaid", {}, "the class of its 'config' cannot be told; annotate it"),
        ("Waiting", {}, r"waits for bars IBM\.SIM-1-HOUR-LAST-EXTERNAL, quotes of IBM\.XNYS; the tape has bars IBM"),
        ("Odd", {"what": "large"}, r"overdrew the cash account \(-\d+ USD\), which ends a backtest; trade less"),
    ],
)
def test_a_strategy_that_cannot_run_is_told_in_one_line(name: str, params: dict[str, Any], line: str) -> None:
    """The error says what is wrong with the strategy or its parameters."""
    with pytest.raises(StrategyError, match=line):
        run(session(name, params))


@pytest.mark.parametrize(
    ("change", "setting"),
    [
        ({"engine_params": {"oms": "NETTING"}}, "engine_params"),
        ({"engine_params": {"oms_type": "BOTH"}}, "engine_params.oms_type"),
        ({"engine_params": {"prob_slippage": 2}}, "engine_params.prob_slippage"),
        ({"engine_params": {"venue": "A.B"}}, "engine_params.venue"),
        ({"engine_params": {"bar_spec": "7-MINUTE"}}, "engine_params.bar_spec"),
        ({"engine_params": {"bar_spec": "5-MIN"}}, "engine_params.bar_spec"),
        ({"venue": VenueConfig(slippage_bps=Decimal(1))}, "slippage_bps"),
        ({"venue": VenueConfig(participation=Decimal("0.1"))}, "participation"),
        ({"venue": VenueConfig(convention=Convention.NEXT)}, "convention"),
        ({"venue": VenueConfig(bar_theta=Decimal(0))}, "bar_theta"),
        ({"venue": VenueConfig(price_improvement=PriceImprovement.ALWAYS)}, "price_improvement"),
        (
            {"venue": VenueConfig(limit_fill=LimitFill.TOUCH), "engine_params": {"prob_fill_on_limit": 0.5}},
            "limit_fill",
        ),
        ({"initial_cash": Decimal("0.001")}, "initial_cash"),
        ({"tape": Tape(rows=(Trade(10**18, "X", Decimal(1)),))}, "instruments"),
        (
            {"tape": Tape(rows=(Trade(10**18, "X", Decimal(1)),)), "instruments": (Instrument(symbol="X"),)},
            "tick_size",
        ),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_cannot_be_set_is_refused(change: dict[str, Any], setting: str) -> None:
    """The setting is named before anything runs."""
    with pytest.raises(InvalidConfigError) as caught:
        run(session("Crossing", IBM_BARS, **change))
    assert caught.value.setting == setting


@pytest.mark.parametrize(
    ("change", "setting"),
    [
        ({"script": (CancelAt(at=0, order_id="S-1"),)}, "script"),
        ({"resume_from": "x.json"}, "resume_from"),
        ({"execution": ExecutionConfig(checkpoint_every="bar")}, "checkpoint_every"),
    ],
)
def test_a_run_has_neither_script_nor_checkpoints(change: dict[str, Any], setting: str) -> None:
    """Both are refused beside a strategy of NautilusTrader's."""
    with pytest.raises(InvalidConfigError) as caught:
        run(replace(session("Crossing", IBM_BARS), **change))
    assert caught.value.setting == setting


def test_no_rate_of_orders_is_denied_in_silence() -> None:
    """NautilusTrader's limit of 100 orders a second is out of the way."""
    record = run(session("Odd", {"what": "many"}), _Until(3))

    assert len(fills(record.events)) == 250


def test_what_nautilus_denies_by_itself_is_in_the_record() -> None:
    """An order that never came to the gate is there all the same, with NautilusTrader's reason."""
    [order, *_] = run(session("Odd", {"what": "digits"}), _Until(3)).orders

    assert order.rejection is not None
    assert order.rejection.reason is RejectionReason.INVALID_PRICE
    assert order.rejection.message == "price 90.1234 invalid (precision 4 > 2)"


def test_a_cash_account_sells_nothing_short() -> None:
    """The venue refuses the sale; a margin account takes it."""
    refused, taken = (run(session("Odd", {"what": "short"}, venue=one), _Until(3)) for one in (VenueConfig(), MARGIN))

    assert refused.orders[0].rejection_reason is RejectionReason.INSUFFICIENT_FUNDS
    assert (refused.account.positions, taken.account.positions) == ({}, {"IBM": Decimal(-5)})


def test_rules_hold_back_a_nautilus_strategy() -> None:
    """A refusal of the gate's reaches the record, under the tape's symbol, and nothing trades."""
    limits = RiskConfig(position_limit=PositionLimitRule(max_shares=Decimal(99)))
    record = run(session("Crossing", IBM_BARS, risk=limits), _Until(300))

    assert fills(record.events) == []
    assert {order.rejection_reason for order in record.orders} == {RejectionReason.RISK_POSITION_LIMIT}
    assert {order.symbol for order in record.orders} == {"IBM"}
    assert record.headroom[0].used == 0


def test_warnings_tell_what_would_go_unnoticed() -> None:
    """Data that never comes, where other data does, and a strategy that stopped by itself."""
    waits = run(session("Bare")).warnings
    ends = run(session("Odd", {"what": "end"})).warnings

    assert waits == ("the strategy waits for quotes of IBM.SIM, which the tape does not have",)
    assert ends == ("the strategy had stopped by itself before the tape ended",)


def test_limits_may_have_to_be_traded_through() -> None:
    """`limit_fill = through` is NautilusTrader's fill model that never fills at touch."""
    tape = Tape(rows=tuple(tick_tape(7, 1_200)))
    declared = (Instrument(symbol="TICK", tick_size=Decimal("0.01")),)
    plain, touch, through = (
        run(session("Quoting", {**TICKS, "every": 10}, tape=tape, instruments=declared, venue=venue))
        for venue in (VenueConfig(), *[VenueConfig(limit_fill=one) for one in (LimitFill.TOUCH, LimitFill.THROUGH)])
    )

    assert encode_events(plain.events) == encode_events(touch.events)
    assert len(fills(through.events)) < len(fills(touch.events))


def test_nautilus_stays_silent_and_runs_again(tmp_path: Path) -> None:
    """Two runs in one process print nothing of their own and come to the same."""
    code = f"""
import sys
sys.path.insert(0, {str(Path(__file__).resolve().parents[2])!r})
from tests.nautilus.test_own_strategy import _Until, encode_events, run, session
first, second = (run(session("Odd", {{"what": "say"}}), _Until(9)) for _ in range(2))
print(encode_events(first.events) == encode_events(second.events))
"""
    command = [sys.executable, "-c", code]
    result = subprocess.run(command, cwd=tmp_path, check=False, capture_output=True, text=True)

    assert (result.returncode, result.stdout, result.stderr) == (0, "True\n", "")


def test_its_logger_can_be_asked_for_once(tmp_path: Path) -> None:
    """With `log_level` the strategy's own words are printed, in a process that has not been silent before."""
    code = f"""
import sys
sys.path.insert(0, {str(Path(__file__).resolve().parents[2])!r})
from tests.nautilus.test_own_strategy import InvalidConfigError, _Until, run, session
loud = session("Odd", {{"what": "say"}}, engine_params={{"log_level": "INFO"}})
run(loud, _Until(3))
run(session("Odd", {{"what": "say"}}), _Until(3))
try:
    run(loud)
except InvalidConfigError as error:
    print(error)
"""
    command = [sys.executable, "-c", code]
    result = subprocess.run(command, cwd=tmp_path, check=False, capture_output=True, text=True)

    assert result.returncode == 0, result.stderr
    assert "a word of its own" in result.stdout
    assert "NautilusTrader's logger is set up once in a process" in result.stdout.splitlines()[-1]


@pytest.fixture(scope="module")
def catalog(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a catalog with a pair's quotes, some crossed ones of another, and two kinds of bars of an equity."""
    folder = tmp_path_factory.mktemp("catalog")
    made = ParquetDataCatalog(str(folder))
    made.write_data([PAIR, EQUITY])
    made.write_data(quotes(PAIR, 3_000, 1))
    made.write_data(bars(300, 2))
    other = BarType.from_str(f"{EQUITY.id}-5-MINUTE-LAST-EXTERNAL")
    made.write_data([Bar(other, b.open, b.high, b.low, b.close, b.volume, b.ts_event, b.ts_init) for b in bars(20, 3)])
    crossed = QuoteTick(
        EQUITY.id, *[EQUITY.make_price(one) for one in (2, 1)], *[EQUITY.make_qty(1)] * 2, 10**18, 10**18
    )
    made.write_data([crossed])
    return folder


def on_catalog(folder: Path, kind: DataKind, **file: Any) -> Tape:
    """Return a tape that is a catalog."""
    return Tape(files=(TapeFile(path=str(folder), kind=kind, **file),))


def test_a_catalog_is_a_tape(catalog: Path) -> None:
    """Its instruments and quotes are traded as if handed to an engine by hand, with the instrument's own fees."""
    name = "EUR/USD.SIM"
    strategy = rig.Quoting(rig.QuotingConfig(PAIR.id, every=20, size=3_000))
    options: dict[str, Any] = {"latency_config": LATENCY_NORMAL, "seed": 3}
    config = BacktestEngineConfig(trader_id=TraderId("SEATRIAL-001"), logging=LoggingConfig(bypass_logging=True))
    engine = BacktestEngine(config)
    gated = attach(
        engine,
        venue=Venue("SIM"),
        oms_type=OmsType.NETTING,
        account_type=NautilusAccount.MARGIN,
        starting_balances=[Money(100_000, USD)],
        base_currency=USD,
        default_leverage=Decimal(4),
        trade_execution=True,
        strategy_names={"Quoting-000": "S"},
        **options,
    )
    engine.add_instrument(PAIR)
    engine.add_strategy(strategy)
    engine.add_data(quotes(PAIR, 3_000, 1))
    engine.run()
    engine.dispose()

    tape = on_catalog(catalog, DataKind.QUOTES, symbol=name)
    params = {"instrument_id": name, "every": 20, "size": 3_000}
    record = run(session("Quoting", params, tape=tape, latency=LATENCY_NORMAL, seed=3, venue=MARGIN))

    expected = encode_events(tuple(gated.gate.events))
    assert encode_events(record.events)[: len(expected)] == expected
    assert record.rows == 3_000
    assert len(fills(record.events)) > 50
    assert {order.symbol for order in record.orders} == {name}
    assert sum(order.total_commission for order in record.orders) > 0


def test_bars_of_a_catalog_go_by_their_type(catalog: Path) -> None:
    """One of several kinds of bars is named by its type."""
    tape = on_catalog(catalog, DataKind.BARS, symbol=str(BAR_TYPE))
    record = run(session("Crossing", {"bar_type": str(BAR_TYPE)}, tape=tape), _Until(250))

    assert record.rows == 250
    assert {order.symbol for order in record.orders} == {"ACME.SIM"}


@pytest.mark.parametrize(
    ("kind", "file", "line"),
    [
        (DataKind.TRADES, {}, "the catalog holds no trades"),
        (
            DataKind.QUOTES,
            {"symbol": "EUR/USD"},
            r"holds no quotes of EUR/USD; it holds those of ACME\.SIM, EUR/USD\.SIM",
        ),
        (
            DataKind.BARS,
            {"symbol": "ACME.SIM"},
            "several kinds of bars of ACME.SIM; give one of ACME.SIM-1-MINUTE-LAST",
        ),
        (DataKind.QUOTES, {"unit": "ms"}, "a catalog has no columns to name"),
        (DataKind.QUOTES, {"symbol": "ACME.SIM"}, "is crossed: bid 2.00 above ask 1.00; set repair = true"),
    ],
)
def test_a_catalog_without_what_is_asked_for_is_refused(
    catalog: Path, kind: DataKind, file: dict[str, Any], line: str
) -> None:
    """The error names the folder, what is missing, and what there is."""
    with pytest.raises(TapeError, match=line):
        run(session("Quoting", {"instrument_id": "ACME.SIM"}, tape=on_catalog(catalog, kind, **file)))


def test_crossed_quotes_of_a_catalog_can_be_passed_over(catalog: Path) -> None:
    """With `repair` they are dropped and counted."""
    tape = replace(on_catalog(catalog, DataKind.QUOTES), repair=True)
    record = run(session("Quoting", {"instrument_id": "EUR/USD.SIM"}, tape=tape, venue=MARGIN), _Until(9))

    assert (record.rows, record.fault_count, len(record.faults)) == (9, 1, 1)


def test_a_folder_that_is_no_catalog_is_refused(catalog: Path, tmp_path: Path) -> None:
    """So is a catalog beside a file, or one whose instruments are declared again."""
    with pytest.raises(TapeError, match="it is no catalog: no instruments are in it"):
        run(session("Quoting", TICKS, tape=on_catalog(tmp_path, DataKind.QUOTES)))
    both = (TapeFile(path=str(catalog), kind=DataKind.QUOTES), TapeFile(path="a.csv", kind=DataKind.QUOTES))
    with pytest.raises(TapeError, match="it is a file beside a catalog"):
        run(session("Quoting", TICKS, tape=Tape(files=both)))
    declared = (Instrument(symbol="EUR/USD.SIM", tick_size=Decimal("0.00001")),)
    with pytest.raises(InvalidConfigError, match="a catalog brings its own"):
        run(session("Quoting", TICKS, tape=on_catalog(catalog, DataKind.QUOTES), instruments=declared))

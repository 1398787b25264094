"""The native engine: scenarios in, records out, and runs that stop and go on as if they never had."""

from __future__ import annotations

import sys
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec
import pytest

from seatrial import (
    Bar,
    Order,
    OrderExecution,
    OrderSide,
    OrderStatus,
    OrderType,
    Quote,
    RejectionReason,
    RiskConfig,
    TimeInForce,
    VenueConfig,
)
from seatrial.clock import to_ns
from seatrial.contracts.checkpoint import ExecutionCheckpoint
from seatrial.contracts.engine import Capability, EngineInfo, RunRecord
from seatrial.contracts.events import TradingStateChanged, encode_events
from seatrial.contracts.latency import LATENCY_NORMAL
from seatrial.contracts.risk import PositionLimitRule
from seatrial.contracts.scenario import (
    CancelAt,
    ExecutionConfig,
    Scenario,
    StrategyRef,
    SubmitAt,
    SwitchAt,
    Tape,
)
from seatrial.contracts.terms import TradingState
from seatrial.engine.native import NativeEngine
from seatrial.errors import CheckpointError, InvalidConfigError, SeatrialError, StrategyError

if TYPE_CHECKING:
    from collections.abc import Callable

    from seatrial.contracts.market import MarketEvent
    from seatrial.contracts.orders import Order as OrderType_

D = Decimal
T0 = to_ns(datetime(2024, 3, 4, 14, 30, tzinfo=UTC))
MS = 1_000_000

STRATEGY = '''
"""Trades a little, and remembers what it did."""
from decimal import Decimal

from seatrial import OrderExecution, OrderSide, OrderType
from seatrial.engine.strategy import Strategy


class Swing(Strategy):
    def __init__(self, size=10):
        self.size = size
        self.seen = 0
        self.fills = 0

    def on_start(self, ctx):
        ctx.buy("X", 1)

    def on_market(self, ctx, event):
        self.seen += 1
        if self.seen % 7 == 3:
            side = OrderSide.SELL if ctx.position("X") > 0 else OrderSide.BUY
            price = ctx.mark("X").price
            ctx.submit_bracket("X", side, self.size, take_profit=price + (5 if side is OrderSide.BUY else -5),
                               stop_loss=price - (5 if side is OrderSide.BUY else -5))
        if self.seen % 11 == 0 and ctx.orders:
            ctx.cancel(next(iter(ctx.orders)))

    def on_order(self, ctx, event):
        if isinstance(event, OrderExecution):
            self.fills += 1
            if self.fills % 3 == 0:
                ctx.submit("X", OrderSide.BUY, 2, OrderType.LIMIT, limit_price=ctx.mark("X").price - 1)

    def save_state(self):
        return {"seen": self.seen, "fills": self.fills}

    def load_state(self, value):
        self.seen, self.fills = value["seen"], value["fills"]


class Broken(Strategy):
    def __init__(self, part):
        self.part = part
        if part == "init":
            raise ValueError("no such luck")

    def _fail(self, part):
        if part == self.part:
            raise ValueError("no such luck")

    def on_start(self, ctx):
        self._fail("on_start")

    def on_market(self, ctx, event):
        ctx.buy("X", 1)
        self._fail("on_market")

    def on_order(self, ctx, event):
        self._fail("on_order")

    def on_stop(self, ctx):
        self._fail("on_stop")


class Naive(Strategy):
    def on_market(self, ctx, event):
        ctx.submit("X", OrderSide.BUY, 0)
'''


@pytest.fixture(name="file", scope="module")
def _file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("strategies") / "swing.py"
    path.write_text(STRATEGY, encoding="utf-8")
    return path


def _quotes(count: int = 120) -> tuple[Quote, ...]:
    rows: list[Quote] = []
    for n in range(count):
        price = D(100 + (n * 7) % 13 - (n * 5) % 11)
        rows.append(Quote(T0 + n * 40 * MS, "X", price, price + 1, D(7), D(8)))
    return tuple(rows)


def _scenario(file: Path, **execution: Any) -> Scenario:
    settings: dict[str, Any] = {
        "latency": LATENCY_NORMAL,
        "risk": RiskConfig(position_limit=PositionLimitRule(max_shares=D(25))),
        "initial_cash": D(50_000),
        **execution,
    }
    return Scenario(
        tape=Tape(rows=_quotes()),
        strategy=StrategyRef(path=f"{file}:Swing"),
        execution=ExecutionConfig(**settings),
    )


class _StopAfter:
    """Ends a run after so many rows."""

    def __init__(self, rows: int) -> None:
        self.rows = rows

    def row(self, event: MarketEvent, count: int) -> bool:
        return count < self.rows


def _order(order_id: str, side: OrderSide = OrderSide.BUY, quantity: int = 5) -> OrderType_:
    return Order(
        order_id=order_id, symbol="X", side=side, order_type=OrderType.MARKET, quantity=quantity, created_at=T0
    )


def test_record_tells_the_whole_run_and_survives_json(file: Path) -> None:
    """Events, orders, account, equity, decisions: the record is what happened, and JSON brings it back exactly."""
    record = NativeEngine().run(_scenario(file))

    assert record.engine.name == "native"
    assert (record.started, record.rows, record.stopped) == (T0, 120, None)
    assert sum(isinstance(event, OrderExecution) for event in record.events) > 5
    assert {order.order_id.partition("-")[0] for order in record.orders} == {"S"}
    assert [one.order_id for one in record.decisions] == sorted(
        (order.order_id for order in record.orders), key=lambda order_id: int(order_id[2:])
    )
    assert record.equity[0].ts == T0
    assert record.equity[-1].equity == record.account.equity
    assert record.max_drawdown_pct is not None
    assert record.max_drawdown_pct > 0
    assert msgspec.json.decode(msgspec.json.encode(record), type=RunRecord) == record


@pytest.mark.parametrize("contract", [Scenario, RunRecord, EngineInfo])
def test_contracts_have_a_json_schema(contract: type[msgspec.Struct]) -> None:
    """For editors and for programs in other languages: every field is in it."""
    schema = msgspec.json.schema(contract)

    described = schema["$defs"][contract.__name__]["properties"]
    assert set(described) == set(contract.__struct_fields__)


def test_same_scenario_and_seed_give_the_same_bytes(file: Path) -> None:
    """Another run is the same run, another seed another one."""
    first, again, other = [NativeEngine().run(_scenario(file, seed=seed)) for seed in (0, 0, 1)]

    assert msgspec.json.encode(first) == msgspec.json.encode(again)
    assert encode_events(first.events) != encode_events(other.events)


@pytest.mark.parametrize("rows", [1, 2, 17, 60, 119])
def test_interrupted_run_goes_on_as_if_it_never_stopped(file: Path, tmp_path: Path, rows: int) -> None:
    """Events, equity, decisions and the drawdown of the resumed run are those of the whole one."""
    scenario = _scenario(file)
    whole = NativeEngine().run(scenario)

    cut = NativeEngine().run(scenario, directory=str(tmp_path), monitor=_StopAfter(rows))
    resumed = NativeEngine().run(msgspec.structs.replace(scenario, resume_from=cut.checkpoints[-1]))

    assert cut.stopped == "it was interrupted"
    assert cut.rows == rows
    assert msgspec.structs.replace(resumed, scenario=scenario) == whole


@pytest.mark.parametrize("every", ["event", 1])
def test_every_checkpoint_of_a_run_is_a_place_to_go_on_from(file: Path, tmp_path: Path, every: str | int) -> None:
    """Whether taken with events or by simulated time."""
    scenario = _scenario(file, checkpoint_every=every)
    whole = NativeEngine().run(scenario, directory=str(tmp_path / "whole"))

    assert len(whole.checkpoints) > 3
    for path in whole.checkpoints[:: max(1, len(whole.checkpoints) // 6)]:
        restarted = msgspec.structs.replace(scenario, resume_from=path)
        resumed = NativeEngine().run(restarted, directory=str(tmp_path / Path(path).stem))
        assert encode_events(resumed.events) == encode_events(whole.events)
        assert resumed.account == whole.account


def test_bars_that_end_together_are_one_step(tmp_path: Path) -> None:
    """Two symbols' bars are matched in one walk, each told to the strategy, and checkpoints come with bars."""
    rows = tuple(
        Bar(T0 + n * 60_000 * MS, symbol, D(100), D(102), D(98), D(100 + n % 2), D(1000), T0 + (n - 1) * 60_000 * MS)
        for n in range(1, 6)
        for symbol in ("A", "B")
    )
    script = (SubmitAt(T0, (msgspec.structs.replace(_order("1"), symbol="A"),)),)
    execution = ExecutionConfig(checkpoint_every="bar", initial_cash=D(10_000))

    record = NativeEngine().run(
        Scenario(tape=Tape(rows=rows), script=script, execution=execution), directory=str(tmp_path)
    )

    assert (record.rows, len(record.checkpoints)) == (10, 5)
    assert record.account.positions == {"A": D(5)}


def test_script_is_carried_out_on_time() -> None:
    """Orders, cancels and an operator's word, each before the row of its time."""
    script = (
        SubmitAt(T0 + MS, (_order("a"),)),
        SubmitAt(T0 + 2 * MS, (msgspec.structs.replace(_order("b"), order_type=OrderType.LIMIT, limit_price=D(1)),)),
        CancelAt(T0 + 200 * MS, "b"),
        SwitchAt(T0 + 300 * MS, TradingState.HALTED, "ops", "drill"),
        SubmitAt(T0 + 400 * MS, (_order("c"),)),
    )

    record = NativeEngine().run(Scenario(tape=Tape(rows=_quotes(20)), script=script))

    status = {order.order_id: order.status for order in record.orders}
    assert status == {"a": OrderStatus.FILLED, "b": OrderStatus.CANCELLED, "c": OrderStatus.REJECTED}
    [halt] = [event for event in record.events if isinstance(event, TradingStateChanged)]
    assert halt.timestamp == T0 + 300 * MS


@pytest.mark.parametrize(
    ("state", "cancel_working", "cancelled"),
    [
        (TradingState.HALTED, None, True),
        (TradingState.HALTED, False, False),
        (TradingState.REDUCE_ONLY, None, False),
        (TradingState.REDUCE_ONLY, True, True),
    ],
)
def test_operators_word_says_what_becomes_of_what_works(
    state: TradingState, cancel_working: bool | None, cancelled: bool
) -> None:
    """To halt cancels what works, to restrict leaves it, unless told otherwise."""
    resting = msgspec.structs.replace(_order("b"), order_type=OrderType.LIMIT, limit_price=D(1))
    switch = SwitchAt(T0 + 300 * MS, state, "ops", "drill", cancel_working)

    record = NativeEngine().run(Scenario(tape=Tape(rows=_quotes(20)), script=(SubmitAt(T0, (resting,)), switch)))

    assert (record.orders[0].status is OrderStatus.CANCELLED) is cancelled


@pytest.mark.parametrize(("theta", "filled_in"), [("0", 2), ("0.5", 1)])
def test_strict_bars_are_taken_as_claimed(theta: str, filled_in: int) -> None:
    """With `bar_theta` 0 an order that arrives within a bar trades in the next one, else it may trade in this."""
    minute = 60_000 * MS
    bars = [Bar(T0 + n * minute, "X", D(100), D(102), D(98), D(100), D(1000), T0 + (n - 1) * minute) for n in (1, 2, 3)]
    execution = ExecutionConfig(venue=VenueConfig(bar_theta=D(theta)))
    script = (SubmitAt(T0 + MS, (_order("a"),)),)

    record = NativeEngine().run(Scenario(tape=Tape(rows=tuple(bars)), script=script, execution=execution))

    assert Capability.BAR_STRICT in record.engine.capabilities
    assert record.orders[0].executions[0].timestamp // minute - T0 // minute == filled_in - 1


TRAILING = {OrderType.TRAILING_STOP, OrderType.TRAILING_STOP_LIMIT}
TRIGGERED = {OrderType.STOP, OrderType.STOP_LIMIT, OrderType.MARKET_IF_TOUCHED, OrderType.LIMIT_IF_TOUCHED}
LIMITED = {OrderType.LIMIT, OrderType.STOP_LIMIT, OrderType.LIMIT_IF_TOUCHED}


@pytest.mark.parametrize("kind", [kind for kind in OrderType if kind is not OrderType.NATIVE])
def test_order_types_are_taken_where_they_are_claimed_and_refused_where_not(kind: OrderType) -> None:
    """A claim is a promise both ways."""
    terms: dict[str, Any] = {}
    if kind in LIMITED:
        terms["limit_price"] = D(100)
    if kind in TRIGGERED:
        terms["stop_price"] = D(100)
    if kind in TRAILING:
        terms["trail_amount"] = D(1)
    if kind is OrderType.TRAILING_STOP_LIMIT:
        terms["limit_offset"] = D(1)
    order = msgspec.structs.replace(_order("a"), order_type=kind, **terms)

    record = NativeEngine().run(Scenario(tape=Tape(rows=_quotes(3)), script=(SubmitAt(T0, (order,)),)))

    refused = record.orders[0].rejection_reason is RejectionReason.UNSUPPORTED
    assert refused is (Capability(kind) not in record.engine.capabilities)


@pytest.mark.parametrize("tif", list(TimeInForce))
def test_times_in_force_are_taken_where_they_are_claimed_and_refused_where_not(tif: TimeInForce) -> None:
    """As with order types."""
    expires = {"expire_at": T0 + 10**12} if tif is TimeInForce.GTD else {}
    order = msgspec.structs.replace(
        _order("a"), order_type=OrderType.LIMIT, limit_price=D(50), time_in_force=tif, **expires
    )

    record = NativeEngine().run(Scenario(tape=Tape(rows=_quotes(3)), script=(SubmitAt(T0, (order,)),)))

    refused = record.orders[0].rejection_reason is RejectionReason.UNSUPPORTED
    assert refused is (Capability(tif) not in record.engine.capabilities)


def test_decisions_hold_what_the_market_showed() -> None:
    """The mark when the order was sent, and the one it met fifty milliseconds later."""
    script = (SubmitAt(T0 + 40 * MS, (_order("a"),)),)
    execution = ExecutionConfig(latency=LATENCY_NORMAL)
    rows = [Quote(T0 + n * 40 * MS, "X", D(100 + n), D(101 + n)) for n in range(10)]

    record = NativeEngine().run(Scenario(tape=Tape(rows=tuple(rows)), script=script, execution=execution))

    [decision] = record.decisions
    assert (decision.decided, decision.arrived) == (D("100.5"), D("102.5"))


def test_what_is_under_way_at_the_end_still_arrives() -> None:
    """The tape is over before the fill is told; the run waits for it."""
    script = (SubmitAt(T0 + 19 * 40 * MS, (_order("a"),)),)
    execution = ExecutionConfig(latency=LATENCY_NORMAL)

    record = NativeEngine().run(Scenario(tape=Tape(rows=_quotes(20)), script=script, execution=execution))

    assert record.orders[0].status is OrderStatus.FILLED
    assert record.ended > T0 + 19 * 40 * MS


def test_run_stops_when_it_is_told_to() -> None:
    """Rows after the time to stop are not used."""
    record = NativeEngine().run(Scenario(tape=Tape(rows=_quotes(20)), stop=T0 + 5 * 40 * MS))

    assert (record.rows, record.ended, record.stopped) == (6, T0 + 5 * 40 * MS, "the time to stop was reached")


@pytest.mark.parametrize(
    ("part", "said"),
    [
        ("init", "it cannot be built with part='init' (ValueError: no such luck)"),
        ("on_start", "on_start failed at 2024-03-04T14:30:00.000000000Z, swing.py:49 (ValueError: no such luck)"),
        ("on_market", "on_market failed at 2024-03-04T14:30:00.000000000Z, swing.py:49 (ValueError: no such luck)"),
        ("on_order", "on_order failed at 2024-03-04T14:30:00.000000000Z, swing.py:49 (ValueError: no such luck)"),
        ("on_stop", "on_stop failed at 2024-03-04T14:30:00.760000000Z, swing.py:49 (ValueError: no such luck)"),
    ],
)
def test_strategy_that_fails_is_named_with_its_line(file: Path, part: str, said: str) -> None:
    """One error that says which part, when, and where in the user's own file."""
    strategy = StrategyRef(path=f"{file}:Broken", params={"part": part})

    with pytest.raises(StrategyError) as caught:
        NativeEngine().run(Scenario(tape=Tape(rows=_quotes(20)), strategy=strategy))

    assert str(caught.value) == f"strategy '{file}:Broken': {said}"


@pytest.mark.parametrize("part", ["def __init__(self, broker)", "def on_start(self)"])
def test_strategy_of_another_engine_is_recognised(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, part: str) -> None:
    """Its class cannot be built here, or has parts of the same name that take something else; its base is named."""
    (tmp_path / "otherengine.py").write_text(f"class Base:\n    {part}: pass\n", "utf-8")
    (tmp_path / "theirs.py").write_text("from otherengine import Base\nclass Mine(Base): pass\n", "utf-8")
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.delitem(sys.modules, "otherengine", raising=False)
    strategy = StrategyRef(path=f"{tmp_path / 'theirs.py'}:Mine")

    with pytest.raises(StrategyError, match=r"\(TypeError: .*\); it is built on otherengine, so it may"):
        NativeEngine().run(Scenario(tape=Tape(rows=_quotes(3)), strategy=strategy))


def test_strategy_that_never_started_is_not_stopped(file: Path) -> None:
    """A run whose time to stop lies before its tape is over before it began."""
    strategy = StrategyRef(path=f"{file}:Broken", params={"part": "on_stop"})

    record = NativeEngine().run(Scenario(tape=Tape(rows=_quotes(3)), strategy=strategy, stop=T0 - 1))

    assert (record.rows, record.stopped) == (0, "the time to stop was reached")


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"strategy": StrategyRef(path="swing")}, "give 'package.module:Class' or 'path/to/file.py:Class'"),
        ({"strategy": StrategyRef(path="no_such_module:X")}, "no module 'no_such_module'"),
        ({"strategy": StrategyRef(path="nowhere.py:X")}, "there is no file nowhere.py"),
        ({"strategy": StrategyRef(path="seatrial.engine.strategy:Strategi")}, "did you mean 'Strategy'?"),
        ({"engine_params": {"a": 1}}, "the native engine takes none"),
        ({"execution": ExecutionConfig(checkpoint_every="bar")}, "give a directory for the checkpoints"),
        ({"script": (CancelAt(T0, "zz"),)}, "no order 'zz' was submitted here"),
        ({"script": (CancelAt(T0 + 1, "b"), CancelAt(T0, "a"))}, "sort the script by time"),
        ({"resume_from": "nowhere/sim/latest.json"}, "latest.json"),
    ],
)
def test_scenario_that_cannot_run_says_why(change: dict[str, Any], said: str) -> None:
    """One line of ours, never a stranger's error."""
    scenario = msgspec.structs.replace(Scenario(tape=Tape(rows=_quotes(3))), **change)

    with pytest.raises(SeatrialError) as caught:
        NativeEngine().run(scenario)

    assert said in str(caught.value)


def test_order_that_contradicts_itself_is_the_strategys_mistake(file: Path) -> None:
    """It is told where in the strategy it was built."""
    strategy = StrategyRef(path=f"{file}:Naive")

    with pytest.raises(StrategyError, match=r"on_market failed at .*, swing\.py:67 \(InvalidOrderError: "):
        NativeEngine().run(Scenario(tape=Tape(rows=_quotes(3)), strategy=strategy))


@pytest.mark.parametrize(
    ("change", "said"),
    [({"seed": 7}, "the run began with seed=0, not 7"), ({"initial_cash": D(1)}, "the run began with initial_cash")],
)
def test_run_is_resumed_as_it_began(file: Path, tmp_path: Path, change: dict[str, Any], said: str) -> None:
    """Other settings on the way would make it another run."""
    cut = NativeEngine().run(_scenario(file), directory=str(tmp_path), monitor=_StopAfter(5))

    with pytest.raises(CheckpointError, match=said):
        NativeEngine().run(msgspec.structs.replace(_scenario(file, **change), resume_from=cut.checkpoints[-1]))


def test_checkpoint_of_something_else_is_refused(file: Path, tmp_path: Path) -> None:
    """A checkpoint that no run of this engine wrote has no tape to go on with."""
    from seatrial import CheckpointManager, ExecutionSimulator  # noqa: PLC0415 - only here

    with CheckpointManager(tmp_path) as manager:
        taken: ExecutionCheckpoint = manager.create_checkpoint(ExecutionSimulator(initial_cash=100_000))
        path = manager.save_checkpoint(taken)

    with pytest.raises(CheckpointError, match="it is of no run of this engine"):
        NativeEngine().run(Scenario(tape=Tape(rows=_quotes(3)), resume_from=str(path)))


@pytest.mark.parametrize("build", [Tape, lambda: Tape(sample="ticks", rows=_quotes(1))])
def test_tape_comes_from_one_place(build: Callable[[], Tape]) -> None:
    """Nothing at all, or two sources at once, is no tape."""
    with pytest.raises(InvalidConfigError, match="give either files, or a sample, or rows"):
        build()

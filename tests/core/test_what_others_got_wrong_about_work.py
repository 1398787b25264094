"""What others got wrong about the work of a tick and the wiring of parts: see `what_others_got_wrong.md`."""

from __future__ import annotations

import ast
import gc
import inspect
import sys
import tomllib
from collections.abc import Callable, Iterator, Mapping
from decimal import Decimal
from pathlib import Path
from tempfile import TemporaryDirectory
from types import FrameType
from typing import Any, NamedTuple

import pytest

import seatrial
from seatrial import (
    AccountType,
    Bar,
    CheckpointManager,
    Constant,
    DrawdownLimitRule,
    Empirical,
    ExecutionSimulator,
    ExposureLimitRule,
    FeeSchedule,
    Instrument,
    LatencyConfig,
    Lognormal,
    Order,
    OrderExecution,
    OrderSide,
    OrderType,
    PositionLimitRule,
    Quote,
    RiskConfig,
    SeatrialError,
    TimeInForce,
    Trade,
    Uniform,
    VenueConfig,
)
from seatrial.cli.main import COMMANDS
from seatrial.contracts.events import OrderSubmitted, encode_events
from seatrial.contracts.scenario import Scenario, SubmitAt, Tape
from seatrial.plugins import installed_plugins
from seatrial.testing import all_cases

D = Decimal
T0 = 1_700_000_000_000_000_000
MS = 1_000_000
MARGIN = VenueConfig(account_type=AccountType.MARGIN)

PACKAGE = Path(seatrial.__file__).resolve().parent
ADAPTERS = Path(__file__).resolve().parents[2] / "adapters"
EXAMPLES = Path(__file__).resolve().parents[2] / "docs" / "examples"
PROJECT = Path(__file__).resolve().parents[2] / "pyproject.toml"


class Case(NamedTuple):
    clause: str
    check: Callable[[Any], None]
    sound: Callable[..., Any]
    twin: Callable[..., Any]


def new_order(order_id: str, kind: OrderType = OrderType.MARKET, **fields: Any) -> Order:
    """Return a buy of 10 ACME, unless told otherwise."""
    given: dict[str, Any] = {"symbol": "ACME", "side": OrderSide.BUY, "quantity": D(10), "created_at": T0, **fields}
    return Order(order_id=order_id, order_type=kind, **given)


# -- W23 ---------------------------------------------------------------------------------------------------------------

FEEDS: dict[str, Callable[[ExecutionSimulator, int, str, Decimal], object]] = {
    "quotes": lambda simulator, ts, symbol, price: simulator.process_quote(Quote(ts, symbol, price, price)),
    "prices": lambda simulator, ts, symbol, price: simulator.process_market_data(ts, {symbol: price}),
    "trades": lambda simulator, ts, symbol, price: simulator.process_trade(Trade(ts, symbol, price)),
    "bars": lambda simulator, ts, symbol, price: simulator.process_bar(Bar(ts, symbol, price, price, price, price)),
}


def work(call: Callable[[], object]) -> int:
    """Return how many bytecode instructions and lines `call` runs."""
    steps = 0

    def count(frame: FrameType, event: str, arg: object) -> Any:
        nonlocal steps
        frame.f_trace_opcodes = True
        steps += 1
        return count

    if (own := inspect.currentframe()) is not None:
        own.f_trace_opcodes = True  # Python 3.12 traces instructions only where one frame asked before tracing began
    before = sys.gettrace()
    gc.disable()  # a collection that falls into the call, and whoever listens to it, is no work of ours
    sys.settrace(count)
    try:
        call()
    finally:
        sys.settrace(before)
        gc.enable()
    return steps


def resting(symbol: str, n: int) -> Iterator[Order]:
    """Yield `n` orders around 100: limits and stops of both sides, of which 99 and 101 wake none."""
    kinds = ((OrderType.LIMIT, "limit_price", -1), (OrderType.STOP, "stop_price", 1))
    for number in range(n):
        kind, field, sign = kinds[number % 2]
        side = OrderSide.BUY if number % 4 < len(kinds) else OrderSide.SELL
        away = D(10) + D(number % 1000) / 100
        price = D(100) + (away if (side is OrderSide.BUY) is (sign > 0) else -away)
        fields: dict[str, Any] = {"symbol": symbol, "side": side, "quantity": D(1), field: price}
        yield new_order(f"{symbol}-{number}", kind, **fields)


def work_of_ticks(make: Callable[..., ExecutionSimulator], n: int) -> dict[str, int]:
    """Return the work of a tick of each kind that wakes nothing, with `n` orders resting in its symbol."""
    simulator = make(initial_cash=10**12, venue_config=MARGIN)
    found = {}
    ts = T0
    for symbol, feed in FEEDS.items():
        feed(simulator, ts, symbol, D(100))
        for order in resting(symbol, n):
            simulator.submit_order(order, ts)
        for price in (D(99), D(101)):  # whatever has met no price yet, now does
            ts += 1000 * MS
            feed(simulator, ts, symbol, price)
        ts += 1000 * MS
        found[symbol] = work(lambda feed=feed, ts=ts, symbol=symbol: feed(simulator, ts, symbol, D(100)))  # type: ignore[misc]
    assert len(simulator.pending_orders) == n * len(FEEDS)
    return found


def check_tick_looks_at_no_sleeping_order(make: Callable[..., ExecutionSimulator]) -> None:
    """A tick that wakes nobody runs the very same instructions, rest there 10 orders in each symbol or 2,500."""
    few, many = work_of_ticks(make, 10), work_of_ticks(make, 2_500)

    assert min(few.values()) > 0
    assert few == many


class ScansEveryTick(ExecutionSimulator):
    """Asks every order whether the price is good for it."""

    def process_market_data(self, timestamp: Any, prices: Mapping[str, Decimal]) -> tuple[OrderExecution, ...]:
        limits = [(prices.get(order.symbol), order.limit_price) for order in self.pending_orders.values()]
        self.near = [limit for price, limit in limits if limit is not None and price == limit]
        return super().process_market_data(timestamp, prices)


# -- W24 ---------------------------------------------------------------------------------------------------------------

ORDER_PATH = ("clock", "errors", "contracts", "gate", "venue")
"""The rooms every order passes: what they hold must act when orders are traded. Other rooms are entered by examples."""

PYTEST_PLUGIN = "seatrial.testing.plugin"
"""What an engine's author hands to pytest by name."""

TO_COME: dict[str, str] = {}
"""Declared by the design ahead of its user; an entry whose module is wired by now is reported as needless."""


def trade_a_little() -> None:
    """Send orders of every kind through every leg, on all kinds of data, and through refusals."""
    venue = VenueConfig(account_type=AccountType.MARGIN, slippage_bps=D(1), fees=FeeSchedule(bps=D(1)))
    simulator = ExecutionSimulator(
        initial_cash=100_000,
        latency_config=LatencyConfig(
            submit=Uniform(0, MS), ack=Constant(1), fill=Lognormal(MS, 0.5), cancel=Empirical((1, 2))
        ),
        instruments=[Instrument(symbol="ACME", tick_size=D("0.01"), lot_size=D(1))],
        venue_config=venue,
        risk_config=RiskConfig(
            position_limit=PositionLimitRule(max_shares=D(1_000)),
            exposure_limit=ExposureLimitRule(max_gross_exposure_pct=D(100)),
            drawdown_limit=DrawdownLimitRule(max_daily_drawdown_pct=D(50)),
        ),
    )
    simulator.process_quote(Quote(T0, "ACME", D(99), D(100)))
    limit = {"limit_price": D(90)}
    simulator.submit_order(new_order("market"), T0)
    simulator.submit_order(new_order("limit", OrderType.LIMIT, time_in_force=TimeInForce.DAY, **limit), T0)
    simulator.submit_order(new_order("trail", OrderType.TRAILING_STOP, trail_amount=D(5), side=OrderSide.SELL), T0)
    simulator.submit_order(new_order("off the tick", OrderType.LIMIT, limit_price=D("90.001")), T0)
    exit_ = new_order("exit", OrderType.LIMIT, limit_price=D(120), side=OrderSide.SELL)
    simulator.submit_bracket(new_order("entry"), exit_, timestamp=T0)
    with TemporaryDirectory() as directory, CheckpointManager(directory) as manager:
        checkpoint = manager.create_checkpoint(simulator)
        assert checkpoint.strategy_state is None
        manager.save_checkpoint(checkpoint)
        restored = manager.restore_simulator(manager.load_checkpoint("sim"))
    assert restored.events == simulator.events
    stranger = new_order("a venue's own", OrderType.LIMIT, limit_price=D(80)).apply(
        OrderSubmitted("a venue's own", T0, T0)
    )
    restored.gate.adopt(stranger, T0)
    simulator.process_trade(Trade(T0 + 100 * MS, "ACME", D(101)))
    simulator.modify_order("limit", T0 + 100 * MS, limit_price=D(91))
    simulator.cancel_order("trail", T0 + 200 * MS)
    simulator.process_market_data(T0 + 300 * MS, {"ACME": D(102)})
    simulator.process_bar(Bar(T0 + 60_000 * MS, "ACME", D(102), D(121), D(95), D(100)))
    simulator.disable_trading("ops", "drill", T0 + 70_000 * MS)
    simulator.advance(T0 + 80_000 * MS)
    assert len(encode_events(list(simulator.events)).splitlines()) == len(simulator.events)
    try:
        simulator.advance(T0)
    except SeatrialError as error:
        assert "time order" in str(error)  # noqa: PT017 - a failure to raise is no concern here
    assert len(simulator.completed_orders) == 6
    rows = (Quote(T0, "ACME", D(99), D(100)),)
    script = (SubmitAt(T0, (new_order("scripted"),)),)
    record = installed_plugins().engine("native").run(Scenario(tape=Tape(rows=rows), script=script))
    assert record.engine == installed_plugins().engines()["native"].info


def modules_that_act() -> set[str]:
    """Return the modules of which at least one function runs while orders are traded."""
    files: set[str] = set()

    def note(frame: FrameType, event: str, arg: object) -> None:
        if event == "call" and frame.f_code.co_name != "<module>":
            files.add(frame.f_code.co_filename)

    before = sys.getprofile()
    sys.setprofile(note)
    try:
        trade_a_little()
    finally:
        sys.setprofile(before)
    paths = {Path(file) for file in files}
    return {module_name(path) for path in paths if path.is_relative_to(PACKAGE)}


def module_name(path: Path) -> str:
    """Return the dotted name of a file of the package."""
    return ".".join(path.relative_to(PACKAGE.parent).with_suffix("").parts).removesuffix(".__init__")


def sources() -> dict[str, str]:
    """Return the source of each of our modules by name."""
    return {module_name(path): path.read_text("utf-8") for path in sorted(PACKAGE.rglob("*.py"))}


def behaves(source: str) -> bool:
    """Return whether a module holds a function that does something; protocols and plain records do not."""
    tree = ast.parse(source)
    protocols = [node for node in ast.walk(tree) if isinstance(node, ast.ClassDef) and "Protocol" in _base_names(node)]
    stubs = {id(inner) for protocol in protocols for inner in ast.walk(protocol)}
    functions = [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)]
    return any(id(function) not in stubs for function in functions)


def _base_names(node: ast.ClassDef) -> set[str]:
    return {base.id for base in node.bases if isinstance(base, ast.Name)}


def imported(source: str, modules: Mapping[str, str]) -> set[str]:
    """Return which of `modules` a source imports, by whatever form of import."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            found.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            found.add(node.module)
            found.update(f"{node.module}.{alias.name}" for alias in node.names)
    return found & set(modules)


def orphans(modules: Mapping[str, str], acting: set[str], programs: list[str]) -> list[str]:
    """Return the modules that nobody needs.

    A module on the order path acts, or, where it only declares, is imported by one that is needed. A module elsewhere
    is imported, over however many steps, by a program that people run.
    """
    needed = {name for name in acting if name in modules}
    ahead = [*needed, *(name for program in programs for name in imported(program, modules))]
    while ahead:
        name = ahead.pop()
        on_path = name.split(".")[1:2] and name.split(".")[1] in ORDER_PATH
        if on_path and name not in acting and behaves(modules[name]):
            continue
        needed.add(name)
        ahead += imported(modules[name], modules) - needed
    packages = {name for name in modules if any(other.startswith(f"{name}.") for other in needed)}
    return sorted(set(modules) - needed - packages)


def check_every_module_is_used(read: Callable[[], dict[str, str]]) -> None:
    """No module stands about unused: each acts when orders are traded, or a program that people run reaches it."""
    programs = [path.read_text("utf-8") for root in (EXAMPLES, ADAPTERS) for path in sorted(root.rglob("*.py"))]
    assert programs
    project = tomllib.loads(PROJECT.read_text("utf-8"))["project"]
    offered = (*project["scripts"].values(), *project["entry-points"]["seatrial"].values())
    offered += tuple(module for module, _ in COMMANDS.values())
    offered += tuple(case.scenario.strategy.path for case in all_cases() if case.scenario.strategy is not None)
    programs += [f"import {place.partition(':')[0]}" for place in (*offered, "seatrial.__main__", PYTEST_PLUGIN)]
    assert orphans(read(), modules_that_act(), programs) == sorted(TO_COME)


def with_an_orphan() -> dict[str, str]:
    """Return our sources and one more: complete, importable, even imported, and called by nobody."""
    throttle = "class Throttle:\n    def allows(self, n: int) -> bool:\n        return n < 10\n"
    root = "\nfrom seatrial.gate.throttle import Throttle\n"
    own = sources()
    return {**own, "seatrial.gate": own["seatrial.gate"] + root, "seatrial.gate.throttle": throttle}


def test_checker_reports_just_the_orphans() -> None:
    """A module is needed for acting on the path of orders, or for being reached by a program, and for nothing else."""
    does = "def act():\n    return 1\n"
    modules = {
        "seatrial.gate.acts": "from seatrial.contracts.words import A\nfrom seatrial.gate.idle import act\n" + does,
        "seatrial.gate.idle": does,
        "seatrial.contracts.words": "A = 1\n",
        "seatrial.contracts.unsaid": "B = 1\n",
        "seatrial.report": "",
        "seatrial.report.shown": "import seatrial.report.part\n",
        "seatrial.report.part": does,
        "seatrial.report.spare": does,
    }

    found = orphans(modules, {"seatrial.gate.acts"}, ["from seatrial.report import shown\n"])

    assert found == ["seatrial.contracts.unsaid", "seatrial.gate.idle", "seatrial.report.spare"]


CASES = (
    Case("W23", check_tick_looks_at_no_sleeping_order, ExecutionSimulator, ScansEveryTick),
    Case("W24", check_every_module_is_used, sources, with_an_orphan),
)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.clause)
def test_seatrial_does_it_right(case: Case) -> None:
    """What we ship passes the clause's check."""
    case.check(case.sound)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.clause)
def test_check_catches_the_fault(case: Case) -> None:
    """What has exactly this fault does not pass."""
    with pytest.raises(AssertionError) as caught:
        case.check(case.twin)
    assert caught.traceback[-1].name == case.check.__name__  # the check's own words, no accident on the way

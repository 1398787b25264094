"""The same scenario and seed give the same bytes: in every process, under every hash seed, on every Python.

The golden log is renewed with `python tests/core/golden/scenario.py --write`.
"""

from __future__ import annotations

import importlib.util
import json
import os
import random
import shutil
import subprocess
import sys
from collections import Counter
from decimal import Decimal
from hashlib import sha256
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import pytest

import seatrial
from seatrial import (
    AccountType,
    Constant,
    ExecutionSimulator,
    LatencyConfig,
    Order,
    OrderSide,
    OrderType,
    Quote,
    Uniform,
    VenueConfig,
)
from seatrial.contracts.events import OrderEvent

if TYPE_CHECKING:
    from types import ModuleType

    from seatrial.contracts.latency import Delay

GOLDEN = Path(__file__).parent / "golden"
SCENARIO = GOLDEN / "scenario.py"
MS = 1_000_000
SECOND = 1_000 * MS
OTHERS = sorted({"3.11", "3.12", "3.13"} - {f"{sys.version_info.major}.{sys.version_info.minor}"})
REFUSED_BY_THE_VENUE = {OrderType.MARKET_TO_LIMIT, OrderType.NATIVE}


class _Global:
    """A broken twin: every delay comes from the process's own random state."""

    def sample(self, bits: int) -> int:
        return random.randrange(100 * MS, 200 * MS)


class _InCallOrder:
    """A broken twin: every delay depends on how many were drawn before it."""

    def __init__(self) -> None:
        self.calls = count()

    def sample(self, bits: int) -> int:
        return 100 * MS + next(self.calls) * MS % (97 * MS)


def _load() -> ModuleType:
    spec = importlib.util.spec_from_file_location("golden_scenario", SCENARIO)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def _in_new_process(*arguments: str, hash_seed: str = "random", python: str = sys.executable) -> bytes:
    environment = {**os.environ, "PYTHONHASHSEED": hash_seed}
    if python != sys.executable:
        environment["PYTHONPATH"] = str(Path(seatrial.__file__).parents[1])
    command = [python, str(SCENARIO), *arguments]
    return subprocess.run(command, check=True, capture_output=True, env=environment, timeout=240).stdout


def _differences(expected: bytes, found: bytes) -> str:
    pairs = zip(expected.splitlines(), found.splitlines(), strict=False)
    for number, (old, new) in enumerate(pairs, start=1):
        if old != new:
            return f"line {number}:\n  golden {old.decode()}\n  now    {new.decode()}"
    return f"{len(expected.splitlines())} lines in the golden log, {len(found.splitlines())} now"


def _check_against_golden(found: bytes) -> None:
    expected = (GOLDEN / "events.jsonl").read_bytes()
    if found != expected:
        pytest.fail(f"the event log changed at {_differences(expected, found)}")


def _runs(python: str) -> bool:
    """Return whether `python` is no shim, and can import what the core needs."""
    try:
        done = subprocess.run([python, "-c", "import msgspec"], capture_output=True, check=False, timeout=240)
    except OSError:
        return False
    return done.returncode == 0


def _delays(fill: Delay, *, busy: bool) -> list[list[int]]:
    """Return how long each report of ten orders took; `busy` adds ticks and another strategy's orders between."""
    simulator = ExecutionSimulator(
        initial_cash=Decimal(1_000_000),
        latency_config=LatencyConfig(submit=Constant(50 * MS), fill=cast("Any", fill)),
        venue_config=VenueConfig(account_type=AccountType.MARGIN),
        seed=3,
    )

    def quote(now: int) -> None:
        simulator.process_quote(Quote(now, "ALFA", Decimal(99), Decimal(100)))

    def buy(order_id: str, strategy_id: str, now: int) -> None:
        order = Order(
            order_id=order_id,
            symbol="ALFA",
            side=OrderSide.BUY,
            order_type=OrderType.MARKET,
            quantity=Decimal(1),
            created_at=now,
            strategy_id=strategy_id,
        )
        simulator.submit_order(order, now)

    for n in range(10):
        start = (n + 1) * 2 * SECOND
        quote(start)
        buy(f"A-{n}", "A", start)
        if busy:
            for tick in range(1, 8):
                quote(start + tick * 100 * MS)
            buy(f"B-{n}", "B", start + SECOND)
    simulator.advance(60 * SECOND)
    orders = [simulator.get_order(f"A-{n}") for n in range(10)]
    return [[event.reported_at - event.timestamp for event in order.events] for order in orders]


def test_the_log_is_the_golden_one() -> None:
    """The scenario, run in this process, gives the golden bytes."""
    found = _load().log()

    _check_against_golden(found)


def test_the_golden_log_has_its_hash() -> None:
    """Nobody changed the golden log by hand: its SHA-256 is the committed one."""
    digest, name = (GOLDEN / "events.sha256").read_text(encoding="ascii").split()

    assert name == "events.jsonl"
    assert sha256((GOLDEN / name).read_bytes()).hexdigest() == digest


@pytest.mark.parametrize("hash_seed", ["1", "4242"])
def test_every_process_gives_the_same_bytes(hash_seed: str) -> None:
    """A fresh process gives the golden bytes, whatever its hash seed."""
    found = _in_new_process(hash_seed=hash_seed)

    _check_against_golden(found)


@pytest.mark.parametrize("version", OTHERS)
def test_every_python_gives_the_same_bytes(version: str) -> None:
    """Every other supported Python found on PATH gives the golden bytes; this one does in the test above."""
    python = shutil.which(f"python{version}")
    if python is None or not _runs(python):
        pytest.skip(f"python{version} is missing, does not run or has no msgspec; `make test-all` covers it")

    found = _in_new_process(python=python)

    _check_against_golden(found)


def test_another_seed_gives_another_log() -> None:
    """The seed decides the delays, so another one changes the log, and does so repeatably."""
    golden = (GOLDEN / "events.jsonl").read_bytes()

    first, second = _in_new_process("8"), _in_new_process("8")

    assert first == second
    assert first != golden


def test_the_scenario_meets_everything_that_can_happen() -> None:
    """The golden log holds every kind of order event, of order end and of liquidity, so little can change unseen."""
    lines = [json.loads(line) for line in (GOLDEN / "events.jsonl").read_bytes().splitlines()]
    kinds = Counter(line.get("event") for line in lines)
    fills = [line for line in lines if line.get("event") == "filled"]
    reasons = {line["rejection"]["reason"] for line in lines if "rejection" in line}

    assert {kind.__struct_config__.tag for kind in OrderEvent.__args__} <= set(kinds)
    assert kinds["trading_state"] == 2
    assert {(fill["is_partial"], fill["liquidity"]) for fill in fills} == {
        (True, "taker"),
        (True, "maker"),
        (False, "taker"),
        (False, "maker"),
    }
    assert reasons >= {
        "insufficient_funds",
        "invalid_quantity",
        "invalid_price",
        "invalid_symbol",
        "duplicate_order",
        "risk_trading_disabled",
        "too_late_to_cancel",
        "too_late_to_modify",
        "unsupported",
        "would_not_reduce",
        "post_only_would_take",
        "group_ended",
        "not_filled",
    }


def test_the_scenario_fills_every_type_of_order() -> None:
    """Every order type the simulated venue matches is filled at least once, and nothing stays pending."""
    simulators = _load().voyages().values()

    orders = [order for simulator in simulators for order in simulator.completed_orders.values()]

    assert {order.order_type for order in orders if order.executions} == set(OrderType) - REFUSED_BY_THE_VENUE
    assert [list(simulator.pending_orders) for simulator in simulators] == [[], [], []]


def test_a_draw_from_global_randomness_is_caught() -> None:
    """A broken twin that draws from the process's random state does not repeat its own log."""
    scenario = _load()

    assert scenario.log(fill=_Global()) != scenario.log(fill=_Global())
    assert scenario.log(fill=Uniform(100 * MS, 200 * MS)) == scenario.log(fill=Uniform(100 * MS, 200 * MS))


def test_a_draw_from_the_hash_seed_is_caught() -> None:
    """A broken twin that draws with `hash` differs between two hash seeds, so comparing them finds it."""
    program = "import runpy, sys; sys.stdout.buffer.write(runpy.run_path(sys.argv[1])['log'](fill={fill}))"
    twin = program.format(fill="type('T', (), {'sample': lambda s, bits: hash(str(bits)) % 10**8})()")

    def run(hash_seed: str) -> bytes:
        command = [sys.executable, "-c", twin, str(SCENARIO)]
        environment = {**os.environ, "PYTHONHASHSEED": hash_seed}
        return subprocess.run(command, check=True, capture_output=True, env=environment, timeout=240).stdout

    assert run("1") == run("1")
    assert run("1") != run("2")


def test_a_delay_depends_on_neither_tick_rate_nor_call_order() -> None:
    """More ticks, and another strategy's orders in between, leave every delay as it was."""
    fill = Uniform(100 * MS, 200 * MS)

    calm, busy = _delays(fill, busy=False), _delays(fill, busy=True)

    assert calm == busy
    assert len({delays[-1] for delays in calm}) == 10


@pytest.mark.parametrize("twin", [_Global, _InCallOrder])
def test_a_delay_that_depends_on_call_order_is_caught(twin: type[_Global | _InCallOrder]) -> None:
    """Broken twins that keep random state somewhere give other delays when more happens in between."""
    assert _delays(twin(), busy=False) != _delays(twin(), busy=True)

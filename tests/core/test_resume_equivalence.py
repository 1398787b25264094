"""A checkpoint taken anywhere, also within a call, leads to where the run went that never stopped, byte for byte.

The voyage (`voyage/tape.py`) has everything in it that the simulated venue, the gate and plugins can do; a listener
takes a checkpoint after every event.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias, get_args

import msgspec
import pytest

from seatrial import (
    Bar,
    CheckpointManager,
    ExecutionCheckpoint,
    Order,
    OrderSide,
    OrderType,
    Quote,
    TimeInForce,
    Trade,
)
from seatrial.contracts.events import Event, encode_events
from seatrial.venue.driver import Step
from seatrial.venue.state import WorkingState

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
from tests.core.voyage import tape

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from tests.core.voyage.crew import Strategy

    from seatrial import ExecutionSimulator

MS = 1_000_000
REFUSED_BY_THE_VENUE = {OrderType.MARKET_TO_LIMIT, OrderType.NATIVE}
Restored: TypeAlias = "tuple[ExecutionSimulator, Strategy]"
STEPS = {None if step is type(None) else step.__struct_config__.tag for step in (*get_args(Step), type(None))}


class Voyage(NamedTuple):
    """A run that never stopped: what it was fed, what it told at each call, and a checkpoint after every event."""

    calls: tuple[tape.Call, ...]
    told: tuple[tuple[str, ...], ...]
    checkpoints: tuple[ExecutionCheckpoint, ...]
    paths: tuple[Path, ...]
    log: bytes
    fingerprint: str
    simulator: ExecutionSimulator


@pytest.fixture(scope="module")
def voyage(tmp_path_factory: pytest.TempPathFactory) -> Voyage:
    """Run to the end; save every checkpoint as it is taken."""
    checkpoints: list[ExecutionCheckpoint] = []
    paths: list[Path] = []
    told: list[tuple[str, ...]] = []
    calls, simulator = tape.tape(0), tape.opened(0)
    strategy = tape.Strategy(simulator)
    with CheckpointManager(tmp_path_factory.mktemp("checkpoints")) as manager:

        def keep(event: Event, order: object) -> None:
            checkpoints.append(manager.create_checkpoint(simulator, strategy))
            paths.append(manager.save_checkpoint(checkpoints[-1]))

        simulator.add_listener(keep)
        for call in calls:
            strategy.fed += 1
            told.append(call.make(simulator))
    log, fingerprint = encode_events(list(simulator.events)), tape.fingerprint(simulator, strategy)
    return Voyage(calls, tuple(told), tuple(checkpoints), tuple(paths), log, fingerprint, simulator)


def went_on(voyage: Voyage, simulator: ExecutionSimulator, strategy: Strategy) -> list[str]:
    """Feed the rest; return what came out differently from the run that never stopped."""
    begun = max(strategy.fed - 1, 0)
    told = tape.sail(simulator, strategy, voyage.calls)
    problems = []
    log = encode_events(list(simulator.events))
    if log != voyage.log:
        pairs = zip(voyage.log.splitlines(), log.splitlines(), strict=False)
        line = next((f"{old!r} became {new!r}" for old, new in pairs if old != new), "its length")
        problems.append(f"the log differs: {line}")
    if told != [one for call in voyage.told[begun:] for one in call]:
        problems.append("executions were told twice or never")
    if (simulator.cash, simulator.positions) != (voyage.simulator.cash, voyage.simulator.positions):
        problems.append("the account differs")
    if dict(simulator.completed_orders) != dict(voyage.simulator.completed_orders):
        problems.append("orders differ")
    if tape.fingerprint(simulator, strategy) != voyage.fingerprint:
        problems.append("the last checkpoint differs")
    return problems


def compare(
    voyage: Voyage, restored: Iterable[tuple[int, tuple[ExecutionSimulator, Strategy]]]
) -> dict[int, list[str]]:
    """Resume and go on from each; return the problems by number of the checkpoint."""
    found: dict[int, list[str]] = {}
    for number, (simulator, strategy) in restored:
        simulator.resume()
        if problems := went_on(voyage, simulator, strategy):
            found[number] = problems
    return found


def parts(checkpoint: ExecutionCheckpoint) -> tuple[Any, Any]:
    """Return the states of the gate and of what lies beneath it."""
    return msgspec.json.decode(checkpoint.gate), msgspec.json.decode(checkpoint.engine)


def step_of(checkpoint: ExecutionCheckpoint) -> str | None:
    """Return what the interrupted call has still to do, "nothing" where no time was being moved."""
    unfinished = parts(checkpoint)[1]["unfinished"]
    if unfinished is None:
        return "nothing"
    return None if unfinished["then"] is None else str(unfinished["then"]["data"])


# -- the guarantee -----------------------------------------------------------------------------------------------------


@pytest.mark.no_cover
def test_every_event_is_a_place_to_go_on_from(voyage: Voyage) -> None:
    """Restored in memory after each event, the session goes on as if nothing had been."""
    restored = ((n, tape.restored(checkpoint)) for n, checkpoint in enumerate(voyage.checkpoints))

    problems = compare(voyage, restored)

    assert len(voyage.checkpoints) == len(voyage.simulator.events) > 250
    assert problems == {}


@pytest.mark.no_cover
def test_files_say_the_same_as_memory(voyage: Voyage) -> None:
    """What is loaded equals what was saved, for every event; a third of them are gone on from."""
    manager = CheckpointManager(voyage.paths[0].parents[1])

    loaded = [manager.load_checkpoint(path) for path in voyage.paths]
    problems = compare(voyage, ((n, tape.restored(loaded[n])) for n in range(0, len(loaded), 3)))

    assert loaded == list(voyage.checkpoints)
    assert problems == {}


def test_new_processes_go_on_from_files_alone(voyage: Voyage) -> None:
    """Fifty files, handed by path to two processes with hash seeds of their own, lead to the same end."""
    chosen = [n * len(voyage.paths) // 50 for n in range(50)]
    program = [sys.executable, tape.__file__, "0"]

    running = [
        subprocess.Popen(
            [*program, *(str(voyage.paths[n]) for n in chosen[half::2])],
            stdout=subprocess.PIPE,
            env={**os.environ, "PYTHONHASHSEED": str(4242 + half)},
        )
        for half in range(2)
    ]
    printed = [json.loads(line) for process in running for line in process.communicate(timeout=240)[0].splitlines()]

    by_path = {line["path"]: (line["made"], line["fingerprint"]) for line in printed}
    total = len(voyage.checkpoints)
    assert by_path == {
        str(voyage.paths[n]): (total - len(voyage.checkpoints[n].events), voyage.fingerprint) for n in chosen
    }
    assert [process.returncode for process in running] == [0, 0]


@pytest.mark.no_cover
def test_checkpoint_of_what_was_not_resumed_yet_is_the_same_checkpoint(voyage: Voyage) -> None:
    """Restoring changes nothing and loses nothing: what is taken before the call under way is finished is equal."""
    chosen = range(0, len(voyage.checkpoints), 5)

    again = {}
    for n in chosen:
        simulator, strategy = tape.restored(voyage.checkpoints[n])
        again[n] = simulator.snapshot(strategy)
    problems = compare(voyage, ((n, tape.restored(checkpoint)) for n, checkpoint in again.items()))

    assert [n for n in chosen if again[n] != voyage.checkpoints[n]] == []
    assert problems == {}


def test_chain_of_checkpoints_is_as_good_as_one(voyage: Voyage) -> None:
    """Twenty times over, a restored session is stopped again a few events later, mostly within a call."""
    links = [n * len(voyage.checkpoints) // 20 for n in range(20)]
    checkpoint = voyage.checkpoints[0]

    for following in links[1:]:
        simulator, strategy = tape.restored(checkpoint)
        taken: list[ExecutionCheckpoint] = []

        def keep(
            event: Event, order: object, simulator: Any = simulator, strategy: Any = strategy, taken: Any = taken
        ) -> None:
            taken.append(simulator.snapshot(strategy))

        simulator.add_listener(keep)
        simulator.resume()
        while len(simulator.events) < following:
            strategy.fed += 1
            voyage.calls[strategy.fed - 1].make(simulator)
        checkpoint = next(one for one in taken if len(one.events) >= following)

    assert compare(voyage, [(links[-1], tape.restored(checkpoint))]) == {}


PRICE = Decimal(50)
FIRST: dict[str, Callable[[Any, Order, int], object]] = {
    "quote": lambda s, order, now: s.process_quote(Quote(now, "ALFA", PRICE, PRICE)),
    "trade": lambda s, order, now: s.process_trade(Trade(now, "ALFA", PRICE)),
    "prices": lambda s, order, now: s.process_market_data(now, {"ECHO": PRICE}),
    "bar": lambda s, order, now: s.process_bar(Bar(now + 2, "CORA", PRICE, PRICE, PRICE, PRICE, start=now)),
    "bars": lambda s, order, now: s.process_bars([Bar(now + 2, "CORA", PRICE, PRICE, PRICE, PRICE)]),
    "advance": lambda s, order, now: s.advance(now),
    "submit": lambda s, order, now: s.submit_order(order, now),
    "bracket": lambda s, order, now: s.submit_bracket(order, timestamp=now),
    "cancel": lambda s, order, now: s.cancel_order("order-1", now),
    "modify": lambda s, order, now: s.modify_order("order-1", now, quantity=Decimal(99)),
    "disable": lambda s, order, now: s.disable_trading("watch", "fog", now),
    "restrict": lambda s, order, now: s.restrict_trading("watch", "fog"),
    "enable": lambda s, order, now: s.enable_trading("watch", "clear"),
}


@pytest.mark.parametrize("first", FIRST)
def test_whatever_is_called_first_finishes_the_interrupted_call(voyage: Voyage, first: str) -> None:
    """Nobody has to call resume(): every method does so before its own work."""
    interrupted = [
        one for one in voyage.checkpoints[20:] if step_of(one) != "nothing" and len(parts(one)[0]["unheard"])
    ]
    ends: list[tuple[str, str]] = []

    for checkpoint in interrupted[:: len(interrupted) // 5]:
        (resumed, one), (called, other) = tape.restored(checkpoint), tape.restored(checkpoint)
        resumed.resume()
        now = resumed.now + MS
        order = Order(order_id="first", symbol="ALFA", side=OrderSide.BUY, order_type=OrderType.MARKET,
                      quantity=1, created_at=now)  # fmt: skip
        for simulator in (resumed, called):
            FIRST[first](simulator, order, now)
            simulator.advance(now + 1_000 * MS)
        ends.append((tape.fingerprint(resumed, one), tape.fingerprint(called, other)))

    assert len(ends) >= 5
    assert all(with_resume == without for with_resume, without in ends)


# -- the voyage has everything in it -----------------------------------------------------------------------------------


def test_the_voyage_meets_every_event_order_and_time_in_force(voyage: Voyage) -> None:
    """Every kind of event, each type of order filled, each time in force at the venue; else the proof has a hole."""
    orders = list(voyage.simulator.completed_orders.values())
    filled = [order for order in orders if order.executions]

    assert {type(event) for event in voyage.simulator.events} == {
        kind for union in get_args(Event) for kind in (get_args(union) or (union,))
    }
    assert {order.order_type for order in filled} == set(OrderType) - REFUSED_BY_THE_VENUE
    assert {order.time_in_force for order in orders if order.reached_venue} == set(TimeInForce)
    assert any(len(order.executions) > 1 for order in filled)
    assert any(order.parent_id and order.oco_id for order in filled)
    assert any(order.reduce_only for order in filled)
    assert any(order.post_only for order in filled)
    assert voyage.simulator.dropped_observers.keys() == {"Stowaway"}


def test_the_voyage_is_interrupted_at_every_step_of_every_call(voyage: Voyage) -> None:
    """Checkpoints lie before each kind of step, within the gate's own delivery, and before what nobody has heard."""
    gates = [parts(checkpoint)[0] for checkpoint in voyage.checkpoints]

    assert {step_of(checkpoint) for checkpoint in voyage.checkpoints} == STEPS | {"nothing"}
    assert any(gate["until"] >= 0 for gate in gates)
    assert max(len(gate["unheard"]) for gate in gates) > 1
    assert any(order is None for gate in gates for order in gate["unheard"])
    assert any(gate["reported"] > 1 for gate in gates)
    assert any(gate["flattened"] for gate in gates)


def test_the_voyage_fills_every_part_of_a_checkpoint(voyage: Voyage) -> None:
    """Messages of each kind are on the wire, rules have latched each action, and the venue holds orders everywhere."""
    states = [parts(checkpoint) for checkpoint in voyage.checkpoints]
    wires = [gate["wire"] for gate, _ in states]
    latches = [latch for gate, _ in states for latch in gate["controls"]["latches"].items()]
    venues = [engine["venue"] for _, engine in states]
    working = [one for venue in venues for one in venue["working"]]
    books = [book for venue in venues for book in venue["books"]]

    assert {request["request"] for wire in wires for _, request, _ in wire["requests"]} == {"place", "cancel", "modify"}
    assert {report["event"] for wire in wires for _, report, _ in wire["reports"]} >= {"filled", "replaced", "adjusted"}
    assert {rule for rule, _ in latches} >= {"drawdown_limit", "stamina", "Whim"}
    assert {latch["action"] for _, latch in latches} >= {"reduce_only", "cancel_all", "flatten"}
    assert any(gate["exposure"]["changes"] for gate, _ in states)
    assert {one["phase"] for one in working} == {"market", "limit", "stop", "touch", "close"}
    assert {name for one in working for name in one} == set(WorkingState.__struct_fields__)
    assert all(any(venue[name] for venue in venues) for name in ("children", "groups", "ended", "ended_groups"))
    assert all(any(book.get(name) for book in books) for name in ("fresh", "waiting", "closing", "quote", "moment"))
    assert any(len(venue["timers"]) > 1 for venue in venues)

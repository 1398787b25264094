"""Other voyages, under settings drawn for each: cash and margin, every convention and latency, with rules and without.

From twenty places in each the session goes on, from memory and from files in turn, and ends as if it had never stopped.
"""

from __future__ import annotations

import random
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec
import pytest

from seatrial import AccountType, CheckpointManager, Convention, ExecutionCheckpoint, ExecutionSimulator, SeatrialError
from seatrial.contracts.events import encode_events
from seatrial.gate.keeping import as_json

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
from tests.core.voyage import tape

if TYPE_CHECKING:
    from collections.abc import Callable

SEEDS = range(1, 13)


def sailed(seed: int, taken: list[ExecutionCheckpoint]) -> tuple[ExecutionSimulator, tape.Strategy]:
    """Return a simulator after its whole voyage; put a checkpoint into `taken` after every event."""
    simulator = tape.opened(seed)
    strategy = tape.Strategy(simulator)
    simulator.add_listener(lambda event, order: taken.append(simulator.snapshot(strategy)))
    tape.sail(simulator, strategy, tape.tape(seed))
    return simulator, strategy


def ends(seed: int, checkpoint: ExecutionCheckpoint, *, forget: bool = False) -> tuple[bytes, str]:
    """Return the log and the fingerprint of a session that goes on from a checkpoint; `forget` is a broken twin's."""
    simulator, strategy = tape.restored(checkpoint)
    if forget:
        strategy.load_state({**strategy.save_state(), "heard": {}})
    simulator.resume()
    tape.sail(simulator, strategy, tape.tape(seed))
    return encode_events(list(simulator.events)), tape.fingerprint(simulator, strategy)


@pytest.mark.parametrize("seed", SEEDS)
def test_any_voyage_goes_on_from_anywhere(seed: int, tmp_path: Path) -> None:
    """Twenty checkpoints of each voyage, wherever they fall, lead to the same log and the same last checkpoint."""
    taken: list[ExecutionCheckpoint] = []
    simulator, strategy = sailed(seed, taken)
    expected = encode_events(list(simulator.events)), tape.fingerprint(simulator, strategy)
    chosen = sorted(random.Random(seed).sample(range(len(taken)), 20))

    different = []
    with CheckpointManager(tmp_path) as manager:
        for n in chosen:
            path = manager.save_checkpoint(taken[n])
            checkpoint = manager.load_checkpoint(path) if n % 2 else taken[n]
            if ends(seed, checkpoint) != expected:
                different.append(n)

    assert len(simulator.events) > 60
    assert different == []


def test_voyages_differ_in_their_settings() -> None:
    """Both kinds of account, every convention, five latencies at most, with and without rules are among them."""
    configs = [tape.opened(seed).snapshot().config for seed in SEEDS]

    assert {config.venue.account_type for config in configs} == set(AccountType)
    assert {config.venue.convention for config in configs} == {None, *Convention}
    assert len({msgspec.json.encode(config.latency) for config in configs}) > 2
    assert {config.risk is None for config in configs} == {True, False}


def differs(checkpoint: ExecutionCheckpoint, log: bytes) -> bool:
    """Return whether the voyage with everything in it ends with another log, or in an error."""
    try:
        return ends(0, checkpoint)[0] != log
    except SeatrialError:
        return True


def no_reports(gate: Any, engine: Any) -> None:
    """Lose what is on its way back."""
    gate["wire"]["reports"] = []


def no_call(gate: Any, engine: Any) -> None:
    """Lose what the call under way has still to do."""
    engine["unfinished"] = None


def nothing_unheard(gate: Any, engine: Any) -> None:
    """Lose what nobody has heard yet."""
    gate["unheard"] = []


def no_places(gate: Any, engine: Any) -> None:
    """Lose which orders wait at their prices."""
    for working in engine["venue"]["working"]:
        working.pop("placed", None)


@pytest.mark.parametrize("lose", [no_reports, no_call, nothing_unheard, no_places])
def test_loss_is_noticed(lose: Callable[[Any, Any], None]) -> None:
    """Broken twins: checkpoints that lose one thing lead to another end, so the comparison finds it."""
    taken: list[ExecutionCheckpoint] = []
    simulator, _ = sailed(0, taken)
    log = encode_events(list(simulator.events))
    lost: list[ExecutionCheckpoint] = []

    for checkpoint in taken:
        gate, engine = msgspec.json.decode(checkpoint.gate), msgspec.json.decode(checkpoint.engine)
        before = msgspec.json.encode((gate, engine))
        lose(gate, engine)
        if msgspec.json.encode((gate, engine)) != before:
            parts = {"gate": as_json(gate), "engine": as_json(engine)}
            lost.append(msgspec.structs.replace(checkpoint, **parts))

    assert any(differs(checkpoint, log) for checkpoint in lost)


def test_forgetful_strategy_is_noticed() -> None:
    """A broken twin that takes only a part of its state back trades differently."""
    taken: list[ExecutionCheckpoint] = []
    simulator, _ = sailed(0, taken)

    log, _ = ends(0, taken[100], forget=True)

    assert log != encode_events(list(simulator.events))

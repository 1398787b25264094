"""Misuse of checkpoints: each mistake gives one clear line, and writes nothing."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from seatrial import CheckpointManager, ExecutionCheckpoint, ExecutionSimulator, Order, SeatrialError
from seatrial.errors import CheckpointError, InvalidConfigError

if TYPE_CHECKING:
    from collections.abc import Callable


class Rule:
    """A rule that lets everything pass."""

    def check(self, order: Order, account: object, now: int) -> None:
        """Say nothing."""


class Keeps:
    """A strategy that wants one value kept."""

    def __init__(self, value: object) -> None:
        self.value = value

    def save_state(self) -> object:
        return self.value


MISUSE: dict[str, tuple[Callable[[Any, Any, ExecutionCheckpoint], object], str]] = {
    "directory of a number": (lambda m, s, c: CheckpointManager(5), "root=5: give a directory"),  # type: ignore[arg-type]
    "no simulator": (lambda m, s, c: m.create_checkpoint("x"), "simulator='x': give an ExecutionSimulator"),
    "state of an object": (
        lambda m, s, c: m.create_checkpoint(s, Keeps(object())),
        "strategy='Keeps': its save_state()",
    ),
    "state of no number": (lambda m, s, c: m.create_checkpoint(s, Keeps({"x": float("nan")})), "no JSON value"),
    "state of infinity": (lambda m, s, c: m.create_checkpoint(s, Keeps([float("inf")])), "no JSON value"),
    "strategy class": (lambda m, s, c: m.create_checkpoint(s, Keeps), "its save_state()"),
    "save a simulator": (lambda m, s, c: m.save_checkpoint(s), "give an ExecutionCheckpoint, as create_checkpoint"),
    "restore an id": (lambda m, s, c: m.restore_simulator("a"), "give an ExecutionCheckpoint, as load_checkpoint"),
    "load a number": (lambda m, s, c: m.load_checkpoint(5), "simulator_id=5: give a plain file name"),
    "load what walks": (lambda m, s, c: m.load_checkpoint("../a"), "give a plain file name"),
    "load a path of str": (lambda m, s, c: m.load_checkpoint("a/latest.json"), "give a plain file name"),
    "load the unknown": (lambda m, s, c: m.load_checkpoint("nobody"), "no checkpoint of 'nobody'"),
    "load no file": (lambda m, s, c: m.load_checkpoint(Path("nothing.json")), "it is not there"),
    "list a number": (lambda m, s, c: m.list_checkpoints(5), "simulator_id=5: give a plain file name"),
    "rules of a number": (lambda m, s, c: m.restore_simulator(c, rules=5), "rules=5: give "),
    "one rule": (lambda m, s, c: m.restore_simulator(c, rules=Rule()), "rules="),
    "observers of a number": (lambda m, s, c: m.restore_simulator(c, observers=5), "observers=5: give "),
    "latency by name": (lambda m, s, c: m.restore_simulator(c, latency_config="FAST"), "give a LatencyConfig"),
    "latency of nothing": (lambda m, s, c: m.restore_simulator(c, latency_config=0), "give a LatencyConfig"),
}


@pytest.mark.parametrize("case", MISUSE)
def test_misuse_is_one_clear_line(tmp_path: Path, case: str) -> None:
    """It names what was given and says what to give, and nothing is written."""
    call, told = MISUSE[case]
    simulator = ExecutionSimulator(initial_cash=100, simulator_id="a")

    with pytest.raises(SeatrialError) as caught:
        call(CheckpointManager(tmp_path / "checkpoints"), simulator, simulator.snapshot())

    assert isinstance(caught.value, InvalidConfigError | CheckpointError)
    assert told in str(caught.value)
    assert "\n" not in str(caught.value)
    assert not (tmp_path / "checkpoints").exists()

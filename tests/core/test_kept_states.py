"""What `save_state()` returns comes back equal, or is refused by name and place: of rules, observers and strategies."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from enum import StrEnum
from typing import TYPE_CHECKING, Any

import pytest

from seatrial import CheckpointManager, ExecutionSimulator, RiskConfig
from seatrial.contracts.scenario import ExecutionConfig, Scenario, StrategyRef, Tape
from seatrial.engine.native import NativeEngine
from seatrial.errors import InvalidConfigError

if TYPE_CHECKING:
    from pathlib import Path

    from seatrial.contracts.events import Event
    from seatrial.contracts.orders import Order


class Keeps:
    """A rule, an observer and a strategy in one, that wants one value kept."""

    def __init__(self, value: object = None) -> None:
        self.value = value

    def check(self, order: Order, account: object, now: int) -> None:
        """Say nothing."""

    def notify(self, event: Event, order: Order | None) -> None:
        """Do nothing."""

    def save_state(self) -> object:
        return self.value

    def load_state(self, value: object) -> None:
        self.value = value


class Side(StrEnum):
    LONG = "long"


def endless() -> list[object]:
    """Return a list that holds itself."""
    held: list[object] = []
    held.append(held)
    return held


ODD: dict[str, tuple[object, str]] = {
    "a key of int": ({"sent": {473: 1}}, "at ['sent']: the key 473 is an int"),
    "a key of int at the top": ({473: 1}, "(the key 473 is an int)"),
    "a Decimal": ({"peak": Decimal("1.5")}, "at ['peak']: a Decimal"),
    "a tuple": ([{"exits": (1, 2)}], "at [0]['exits']: a tuple"),
    "a set": ([1, {"A", "B"}], "at [1]: a set"),
    "a time": ({"at": datetime(2024, 1, 1, tzinfo=UTC)}, "at ['at']: a datetime"),
    "bytes": (b"abc", "(a bytes)"),
    "an object": ([object()], "at [0]: an object"),
    "a NaN": ({"x": float("nan")}, "at ['x']: nan is no JSON number"),
    "infinity": ([float("-inf")], "at [0]: -inf is no JSON number"),
    "half a character": (["Z\udcfcrich"], r"at [0]: 'Z\udcfcrich' is no text that UTF-8 holds"),
    "half a character in a key": ({"Z\udcfcrich": 1}, r"('Z\udcfcrich' is no text that UTF-8 holds)"),
    "itself": (endless(), "(it holds itself)"),
}


def simulator(value: object, whose: str) -> ExecutionSimulator:
    """Return a session whose rule, or observer, wants a value kept."""
    if whose == "rules":
        return ExecutionSimulator(initial_cash=1, risk_config=RiskConfig(rules=(Keeps(value),)))
    return ExecutionSimulator(initial_cash=1, observers=(Keeps(value),) if whose == "observers" else ())


@pytest.mark.parametrize("whose", ["rules", "observers", "strategy"])
@pytest.mark.parametrize("case", ODD)
def test_what_json_would_change_is_refused(case: str, whose: str) -> None:
    """By the name of whose it is, the place in it, and what to return instead."""
    value, told = ODD[case]

    with pytest.raises(InvalidConfigError) as caught:
        simulator(value, whose).snapshot(Keeps(value) if whose == "strategy" else None)

    line = str(caught.value)
    assert line.startswith(f"{whose}='Keeps': its save_state() returns no JSON value (")
    assert told in line
    assert line.endswith("; return None, bool, int, finite float, str, and lists and dicts (with str keys) of these")
    line.encode()


PLAIN = [None, True, 0, -(2**63), 2**70, 0.1, "é", [], {}, [1, [2.5, None]], {"a": {"b": ["c", False]}}]


@pytest.mark.parametrize("whose", ["rules", "observers", "strategy"])
@pytest.mark.parametrize("value", [*PLAIN, Side.LONG, {"side": Side.LONG}])
def test_what_json_knows_comes_back_equal(value: object, whose: str, tmp_path: Path) -> None:
    """Through a file, too."""
    begun = simulator(value, whose)
    with CheckpointManager(tmp_path) as manager:
        manager.save_checkpoint(manager.create_checkpoint(begun, Keeps(value) if whose == "strategy" else None))
        checkpoint = manager.load_checkpoint(begun.simulator_id)
    back = Keeps("nothing yet")

    if whose == "strategy":
        back.load_state(checkpoint.strategy_state)
    else:
        given: dict[str, Any] = {whose: (back,)}
        ExecutionSimulator.from_checkpoint(checkpoint, **given)

    assert back.value == value


class Unwilling(Keeps):
    """Fails when it is asked for its state, with an error that cannot even be shown."""

    def save_state(self) -> object:
        if self.value is None:
            raise KeyError("cache")
        raise _MuteError

    def load_state(self, value: object) -> None:
        """Take nothing back."""


class _MuteError(Exception):
    def __str__(self) -> str:
        raise ValueError


@pytest.mark.parametrize(("value", "told"), [(None, "(KeyError: 'cache')"), (1, "(_MuteError: _MuteError)")])
def test_rule_that_cannot_tell_its_state_is_named(value: object, told: str) -> None:
    """A checkpoint without it would forget in silence what a limit goes by."""
    begun = ExecutionSimulator(initial_cash=1, risk_config=RiskConfig(rules=(Unwilling(value),)))

    with pytest.raises(InvalidConfigError) as caught:
        begun.snapshot()

    assert str(caught.value) == f"rules='Unwilling': its save_state() failed {told}"


@pytest.mark.parametrize(("value", "told"), [(None, "'cache'"), (1, "_MuteError")])
def test_observer_that_cannot_tell_its_state_is_dropped(value: object, told: str) -> None:
    """As one that fails when it is told something: the checkpoint is taken without it, and names it."""
    begun = ExecutionSimulator(initial_cash=1, observers=(Unwilling(value), Keeps(7)))

    checkpoint = begun.snapshot()

    kept = Keeps()
    restored = ExecutionSimulator.from_checkpoint(checkpoint, observers=(Unwilling(), kept))
    assert list(begun.dropped_observers) == ["Unwilling"]
    assert {name: str(error) for name, error in restored.dropped_observers.items()} == {"Unwilling": told}
    assert kept.value == 7
    assert restored.snapshot().observers == checkpoint.observers


def test_strategy_of_a_run_is_named(tmp_path: Path) -> None:
    """By its path, as the scenario names it."""
    (tmp_path / "odd.py").write_text(
        "class Odd:\n    def on_market(self, ctx, event):\n        ctx.buy('IBM', 1)\n"
        "    def save_state(self):\n        return {'closes': (1, 2)}\n",
        "utf-8",
    )
    scenario = Scenario(
        tape=Tape(sample="ibm_daily"),
        strategy=StrategyRef(path=f"{tmp_path / 'odd.py'}:Odd"),
        execution=ExecutionConfig(checkpoint_every="event"),
    )

    with pytest.raises(InvalidConfigError, match=r"^strategy='.*odd\.py:Odd': its save_state.*at \['closes'\]: a tup"):
        NativeEngine().run(scenario, directory=str(tmp_path))

"""Half a character (a lone surrogate), as the name of a file may have, never reaches a checkpoint or a record."""

from __future__ import annotations

import logging
from datetime import UTC, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import msgspec
import pytest

from seatrial import CheckpointManager, ExecutionSimulator, Order, OrderSide, OrderType, Quote, RiskConfig
from seatrial.clock import to_ns
from seatrial.contracts.events import encode_events
from seatrial.contracts.risk import RiskViolation
from seatrial.errors import SeatrialError
from seatrial_rules.switch import KillSwitch

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

T0 = to_ns(datetime(2024, 3, 4, 14, 30, tzinfo=UTC))
D = Decimal
HALF = "Z\udcfcrich"
SHOWN = r"Z\udcfcrich"


def order(**more: Any) -> Order:
    """Return an order to buy one."""
    terms: dict[str, Any] = {"order_id": "a", "symbol": "X", **more}
    return Order(side=OrderSide.BUY, order_type=OrderType.MARKET, quantity=D(1), created_at=T0, **terms)


def opened(*rules: object) -> ExecutionSimulator:
    """Return a session that has seen a quote."""
    config = RiskConfig(rules=rules) if rules else None
    simulator = ExecutionSimulator(initial_cash=1_000, risk_config=config)
    simulator.process_quote(Quote(T0, "X", D(9), D(10)))
    return simulator


DOORS: dict[str, tuple[Callable[[], object], str]] = {
    "who halts": (lambda: opened().disable_trading(HALF, "drill"), "by="),
    "why it is halted": (lambda: opened().disable_trading("ops", HALF), "reason="),
    "who restricts": (lambda: opened().restrict_trading(HALF, "drill"), "by="),
    "why trading goes on": (lambda: opened().enable_trading("ops", HALF), "reason="),
    "who pulls the switch": (lambda: KillSwitch().pull(HALF, "drill"), "by="),
    "a violation's message": (lambda: RiskViolation(HALF), "message="),
    "a tag": (lambda: order(tags=("fine", HALF)), "tags"),
    "an id": (lambda: order(order_id=HALF), "order_id"),
    "a symbol": (lambda: order(symbol=HALF), "symbol"),
    "a strategy's id": (lambda: order(strategy_id=HALF), "strategy_id"),
    "a parent's id": (lambda: order(parent_id=HALF), "parent_id"),
    "a group's id": (lambda: order(oco_id=HALF), "oco_id"),
    "an engine's type": (
        lambda: Order(
            order_id="a",
            symbol="X",
            side=OrderSide.BUY,
            order_type=OrderType.NATIVE,
            quantity=1,
            created_at=T0,
            native_type=HALF,
        ),
        "native_type",
    ),
    "a session's id": (lambda: ExecutionSimulator(initial_cash=1, simulator_id=HALF), "simulator_id="),
    "a row's symbol": (lambda: Quote(T0, HALF, D(9), D(10)), "symbol"),
}


@pytest.mark.parametrize("door", DOORS)
def test_it_is_refused_where_it_is_given(door: str) -> None:
    """In one line, which itself can be printed anywhere."""
    call, named = DOORS[door]

    with pytest.raises(SeatrialError) as caught:
        call()

    line = str(caught.value)
    assert named in line
    assert "\n" not in line
    line.encode()


class Opens:
    """A rule that stumbles over such a file's name."""

    def check(self, order: Order, account: object, now: int) -> None:
        """Raise an error with it."""
        raise FileNotFoundError(2, "No such file", HALF)


class Answers:
    """A rule that answers with such a text."""

    def check(self, order: Order, account: object, now: int) -> object:
        """Return what is no answer."""
        return HALF


class Builds:
    """A rule that puts one into its violation."""

    name = HALF

    def check(self, order: Order, account: object, now: int) -> RiskViolation:
        """Be refused."""
        return RiskViolation(HALF)


@pytest.mark.parametrize("kind", [Opens, Answers, Builds])
def test_it_is_escaped_in_what_a_rules_mistake_leaves(kind: type, tmp_path: Path) -> None:
    """The order is refused as by any rule that fails, and log and checkpoint can be written."""
    simulator = opened(kind())

    refused = simulator.submit_order(order(), simulator.now)

    assert refused.rejection is not None
    assert SHOWN in refused.rejection.message
    encode_events(tuple(simulator.events))
    with CheckpointManager(tmp_path) as manager:
        manager.save_checkpoint(manager.create_checkpoint(simulator))
        loaded = manager.load_checkpoint(simulator.simulator_id)
    assert loaded.events == tuple(simulator.events)
    msgspec.json.encode(loaded)


class Listens:
    """An observer that fails with such an error."""

    def notify(self, event: object, order: object) -> None:
        """Raise it."""
        raise ValueError(HALF)


def test_it_is_escaped_in_what_an_observer_failed_with(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Which a checkpoint keeps."""
    # Stderr escapes what it cannot hold; pytest's own log does not, and could not be sent to another process.
    monkeypatch.setattr(logging.getLogger("seatrial.gate.observers"), "disabled", True)
    simulator = ExecutionSimulator(initial_cash=1_000, observers=(Listens(),))
    simulator.process_quote(Quote(T0, "X", D(9), D(10)))
    simulator.submit_order(order(), simulator.now)

    with CheckpointManager(tmp_path) as manager:
        manager.save_checkpoint(manager.create_checkpoint(simulator))
        restored = manager.restore_simulator(manager.load_checkpoint(simulator.simulator_id), observers=(Listens(),))

    assert str(restored.dropped_observers["Listens"]) == SHOWN

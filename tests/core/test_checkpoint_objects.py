"""Rules and observers in checkpoints: rebuilt from their names, or handed over again as objects, with their states."""

from __future__ import annotations

import logging
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest

from seatrial import (
    CheckpointManager,
    DrawdownLimitRule,
    ExecutionCheckpoint,
    ExecutionSimulator,
    NamedRule,
    Order,
    OrderSide,
    OrderType,
    PositionLimitRule,
    Quote,
    RejectionReason,
    RiskConfig,
    RiskViolation,
    TradingState,
)
from seatrial.contracts.events import encode_events
from seatrial.contracts.plugin import ObserverSpec, RiskRuleSpec
from seatrial.errors import InvalidConfigError
from seatrial.hookspecs import hookimpl
from seatrial.plugins import Plugins

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path

    from seatrial.contracts.events import Event

MS = 1_000_000
T0 = 1_700_000_000_000_000_000


class Every:
    """A rule with a state: refuses every so many orders."""

    def __init__(self, nth: int = 3) -> None:
        self.nth = nth
        self.seen = 0

    def check(self, order: Order, account: object, now: int) -> RiskViolation | None:
        self.seen += 1
        return None if self.seen % self.nth else RiskViolation(f"the {self.seen}th")

    def save_state(self) -> int:
        return self.seen

    def load_state(self, value: int) -> None:
        self.seen = value


class Other(Every):
    """A rule of another class."""


class Stateless:
    """Bears the name of a rule with a state, and takes none."""

    name = "Every"

    def check(self, order: Order, account: object, now: int) -> None:
        """Say nothing."""


class Choosy(Every):
    """Bears the name of a rule with a state, and cannot make sense of that."""

    name = "Every"

    def load_state(self, value: int) -> None:
        raise KeyError("seen")


class Ear:
    """An observer with a state, which fails once it has heard enough."""

    def __init__(self, most: int = 1_000) -> None:
        self.heard = 0
        self._most = most

    def notify(self, event: Event, order: Order | None) -> None:
        self.heard += 1
        if self.heard > self._most:
            raise OSError("deaf")

    def save_state(self) -> int:
        return self.heard

    def load_state(self, value: int) -> None:
        self.heard = value


class Offers:
    """A plugin that offers one of each."""

    @hookimpl
    def seatrial_risk_rules(self) -> Iterable[RiskRuleSpec]:
        return [RiskRuleSpec(name="every", build=Every)]

    @hookimpl
    def seatrial_observers(self) -> Iterable[ObserverSpec]:
        return [ObserverSpec(name="ear", build=Ear)]


def offered(plugin: object = None) -> Plugins:
    """Return the installed plugins and one more."""
    plugins = Plugins()
    plugins.load()
    plugins.register(plugin or Offers(), "offers")
    return plugins


def opened(**settings: Any) -> ExecutionSimulator:
    """Return a simulator with orders on their way."""
    simulator = ExecutionSimulator(initial_cash=100_000, simulator_id="a", **settings)
    simulator.process_quote(Quote(T0, "IBM", Decimal(10), Decimal(10)))
    trade(simulator, 2)
    return simulator


def trade(simulator: ExecutionSimulator, count: int) -> bytes:
    """Send orders, one a millisecond; return the log."""
    for _ in range(count):
        now = simulator.now + MS
        order_id = f"{len(simulator.pending_orders) + len(simulator.completed_orders)}"
        order = Order(order_id=order_id, symbol="IBM", side=OrderSide.BUY, order_type=OrderType.MARKET,
                      quantity=2, created_at=now)  # fmt: skip
        simulator.submit_order(order, now)
    return encode_events(list(simulator.events))


def through_a_file(folder: Path, simulator: ExecutionSimulator) -> ExecutionCheckpoint:
    """Return a simulator's checkpoint as a file brings it back."""
    with CheckpointManager(folder) as manager:
        return manager.load_checkpoint(manager.save_checkpoint(manager.create_checkpoint(simulator)))


def restore(checkpoint: ExecutionCheckpoint, **given: Any) -> ExecutionSimulator:
    """Return the restored simulator."""
    return CheckpointManager("never-written").restore_simulator(checkpoint, **given)


def same_end(one: ExecutionSimulator, other: ExecutionSimulator) -> bool:
    """Return whether two sessions tell the same from here on."""
    for simulator in (one, other):
        trade(simulator, 5)
        simulator.process_quote(Quote(simulator.now + 3_000 * MS, "IBM", Decimal(10), Decimal(10)))
        simulator.advance(simulator.now + 60_000 * MS)
    return encode_events(list(one.events)) == encode_events(list(other.events)) and one.cash == other.cash


# -- rules -------------------------------------------------------------------------------------------------------------


def test_rules_by_name_are_built_anew_with_their_parameters_and_state(tmp_path: Path) -> None:
    """Limits and plugins' rules are rebuilt from names; the state each had kept is theirs again."""
    risk = RiskConfig(
        position_limit=PositionLimitRule(max_shares=Decimal(12)),
        drawdown_limit=DrawdownLimitRule(max_daily_drawdown_pct=Decimal(5)),
        rules=(NamedRule("every", {"nth": 4}), "every"),
    )
    simulator = opened(risk_config=risk, plugins=offered())

    restored = restore(through_a_file(tmp_path, simulator), plugins=offered())

    assert restored.risk_config == risk
    assert same_end(simulator, restored)
    refusals = {order.rejection.rule for order in restored.completed_orders.values() if order.rejection}
    assert {"every", "every#2"} <= refusals


def test_session_that_began_halted_stays_as_the_operator_left_it(tmp_path: Path) -> None:
    """Trading that was enabled since is not halted again by being restored; trading that was not stays halted."""
    halted = opened(risk_config=RiskConfig(trading_enabled=False))
    enabled = opened(risk_config=RiskConfig(trading_enabled=False))
    enabled.enable_trading("ops", "ready")

    restored = [restore(through_a_file(tmp_path / name, one)) for name, one in (("h", halted), ("e", enabled))]

    assert [one.trading_state for one in restored] == [TradingState.HALTED, TradingState.ACTIVE]
    assert halted.get_order("0").rejection_reason is RejectionReason.RISK_TRADING_DISABLED
    assert same_end(halted, restored[0])
    assert same_end(enabled, restored[1])


def test_rule_objects_handed_over_again_get_their_states_in_order(tmp_path: Path) -> None:
    """Of two rules of one class each goes on with its own count; the live session's objects are left alone."""
    live = (Every(3), Every(5))
    simulator = opened(risk_config=RiskConfig(rules=live))
    again = (Every(3), Every(5))

    restored = restore(through_a_file(tmp_path, simulator), rules=again)

    assert [rule.seen for rule in again] == [2, 2]
    assert same_end(simulator, restored)
    assert [rule.seen for rule in again] == [rule.seen for rule in live]


HANDED: dict[str, tuple[Callable[[], tuple[object, ...]], str]] = {
    "none": (tuple, "rules='Every': it was an object when the checkpoint was taken; hand it over again"),
    "too few": (lambda: (Every(),), "rules='Every': it was an object when the checkpoint was taken"),
    "too many": (lambda: (Every(), Every(), Every()), "rules='Every'"),
    "another": (lambda: (Every(), Every(), Other()), "rules='Other': the checkpoint knows no such rule"),
    "another instead": (lambda: (Every(), Other()), "rules='"),
    "without load_state": (lambda: (Every(), Stateless()), "rules='Every#2': it has a state in the checkpoint"),
    "unable to load": (lambda: (Every(), Choosy()), "rules='Every#2'"),
    "no rule": (lambda: (Every(), 5), "rules='"),
    "class": (lambda: (Every(), Every), "rules='"),
}


@pytest.mark.parametrize("case", HANDED)
def test_rules_that_do_not_fit_are_one_clear_error(case: str) -> None:
    """Too few, too many, or others than there were: the rule is named, in one line."""
    rules, told = HANDED[case]
    checkpoint = opened(risk_config=RiskConfig(rules=(Every(), Every()))).snapshot()

    with pytest.raises(InvalidConfigError) as caught:
        restore(checkpoint, rules=rules())

    assert told in str(caught.value)
    assert "\n" not in str(caught.value)


def test_rules_for_a_session_without_risk_are_one_clear_error() -> None:
    """A rule that would never be asked is not swallowed."""
    checkpoint = opened().snapshot()

    with pytest.raises(InvalidConfigError, match="rules='Every'"):
        restore(checkpoint, rules=(Every(),))


# -- observers ---------------------------------------------------------------------------------------------------------


def test_observers_come_back_by_name_or_handed_over_again(tmp_path: Path) -> None:
    """Both go on counting where they were."""
    simulator = opened(observers=("ear", ear := Ear()), plugins=offered())
    again = Ear()

    restored = restore(through_a_file(tmp_path, simulator), observers=(again,), plugins=offered())

    assert again.heard == ear.heard > 0
    assert same_end(simulator, restored)
    assert again.heard == ear.heard
    assert restored.snapshot().observers == simulator.snapshot().observers


def test_dropped_observer_stays_dropped(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """One that failed before the checkpoint hears nothing afterwards, and is still named with what went wrong."""
    caplog.set_level(logging.CRITICAL)
    simulator = opened(observers=(Ear(most=3),))
    again = Ear()

    restored = restore(through_a_file(tmp_path, simulator), observers=(again,))
    trade(restored, 3)

    assert {name: str(error) for name, error in restored.dropped_observers.items()} == {"Ear": "deaf"}
    assert again.heard == 0


OBSERVING: dict[str, tuple[Callable[[], tuple[object, ...]], str]] = {
    "none": (tuple, "observers='Ear': it was an object when the checkpoint was taken; hand it over again"),
    "too many": (lambda: (Ear(), Ear()), "observers='Ear': the checkpoint knows no such observer"),
    "another": (lambda: (Ear(), Every()), "observers='Every': the checkpoint knows no such observer"),
}


@pytest.mark.parametrize("case", OBSERVING)
def test_observers_that_do_not_fit_are_one_clear_error(case: str) -> None:
    """Too few, too many, or others than there were: the observer is named, in one line."""
    observers, told = OBSERVING[case]
    checkpoint = opened(observers=(Ear(),)).snapshot()

    with pytest.raises(InvalidConfigError) as caught:
        restore(checkpoint, observers=observers())

    assert told in str(caught.value)
    assert "\n" not in str(caught.value)

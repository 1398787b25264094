"""A rule explains what it speaks of, and nothing else: an engine with a flaw is found out in spite of it."""

from __future__ import annotations

import sys
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from msgspec.structs import replace

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
from tests.parity.cases import ParityCase
from tests.parity.engines import ENGINES, ParityEngine, missing
from tests.parity.findings import Finding, compare
from tests.parity.page import problems
from tests.parity.rules import Setting
from tests.parity.tapes import IBM_DAILY, QUOTES, TICKS, TRADES, ParityTape

from seatrial.contracts.events import Event, ModifyRefused, OrderExecution
from seatrial.contracts.rejection import RejectionReason
from seatrial.engine.native import NativeEngine
from seatrial.errors import InvalidConfigError
from seatrial.plugins import installed_plugins

if TYPE_CHECKING:
    from seatrial.contracts.engine import RunRecord
    from seatrial.contracts.scenario import Scenario

DAY = 86_400_000_000_000
Change = Callable[[Event], Event]


class Flawed:
    """An engine whose record of one order is not what happened."""

    def __init__(self, name: str, order_id: str, change: Change) -> None:
        self.inner = installed_plugins().engine(name)
        self.order_id = order_id
        self.change = change

    def run(self, scenario: Scenario, **settings: Any) -> RunRecord:
        """Return what the engine tells, with that order's events changed."""
        record = self.inner.run(scenario, **settings)
        events = [self.change(one) if getattr(one, "order_id", "") == self.order_id else one for one in record.events]
        return replace(record, events=tuple(events))


def dearer(event: Event) -> Event:
    """Return a fill at a price one cent off."""
    return replace(event, price=event.price + Decimal("0.01")) if isinstance(event, OrderExecution) else event


def a_day_late(event: Event) -> Event:
    """Return a fill in another bar."""
    if not isinstance(event, OrderExecution):
        return event
    return replace(event, timestamp=event.timestamp + DAY, reported_at=event.reported_at + DAY)


def smaller(event: Event) -> Event:
    """Return a fill of less."""
    return replace(event, quantity=event.quantity - 1) if isinstance(event, OrderExecution) else event


def for_another_reason(event: Event) -> Event:
    """Return a modify that was refused as coming too late."""
    if not isinstance(event, ModifyRefused):
        return event
    return replace(event, rejection=replace(event.rejection, reason=RejectionReason.TOO_LATE_TO_MODIFY))


FILLS = (dearer, a_day_late, smaller)
FLAWS: list[tuple[str, str, str, ParityTape, Change]] = [
    ("BT-NO-MODIFY", "backtrader", "Modifies", TRADES, for_another_reason),
    *[("BT-EXITS-NEXT-BAR", "backtrader", "Brackets", IBM_DAILY, flaw) for flaw in FILLS],
    *[("BT-ARRIVAL", "backtrader", "Pairs", IBM_DAILY, flaw) for flaw in FILLS],
    *[("BT-TRAIL-CLOSE", "backtrader", "Trails", IBM_DAILY, flaw) for flaw in FILLS],
    *[("BT-STOP-LIMIT", "backtrader", "StopLimits", IBM_DAILY, flaw) for flaw in FILLS],
    *[("NT-BAR-POINTS", "nautilus", "StopLimits", IBM_DAILY, flaw) for flaw in FILLS],
    *[("NT-BAR-POINTS", "nautilus", "Brackets", IBM_DAILY, flaw) for flaw in FILLS],
]


def engine_named(name: str) -> ParityEngine:
    """Return one of the engines; its test is skipped where it is not installed."""
    engine = next(engine for engine in ENGINES if engine.name == name)
    if engine in missing():
        pytest.skip(f"{engine.title} is not installed")
    return engine


def compared(name: str, strategy: str, tape: ParityTape, loaded: Any = None, profile: str = "NORMAL") -> Finding:
    """Compare an engine, or a `loaded` one in its name, with the native one."""
    case = ParityCase(strategy, tape)
    engine = engine_named(name)
    native = NativeEngine().run(case.scenario(profile))
    return compare(case, profile, native, engine, loaded or engine.load())


@pytest.mark.parametrize(("rule_id", "name", "strategy", "tape", "flaw"), FLAWS)
def test_rule_does_not_cover_a_flaw(rule_id: str, name: str, strategy: str, tape: ParityTape, flaw: Change) -> None:
    """Where it explains how an order came to its fill, it explains no other price, bar or quantity."""
    sound = compared(name, strategy, tape)
    events = engine_named(name).load().run(ParityCase(strategy, tape).scenario("NORMAL")).events
    touched = [getattr(one, "order_id", "") for one in events if flaw(one) != one]
    order_id = next(one for one in touched if sound.explained.get(one) == rule_id)

    flawed = compared(name, strategy, tape, Flawed(name, order_id, flaw))

    assert problems([sound]) == []
    assert order_id in {difference.order_id for difference in flawed.unexplained}


@pytest.mark.parametrize("tape", [TICKS, QUOTES, TRADES, IBM_DAILY], ids=lambda tape: tape.name)
@pytest.mark.parametrize("name", [engine.name for engine in ENGINES])
def test_difference_that_no_rule_knows_is_found(name: str, tape: ParityTape) -> None:
    """A fill at the wrong price, on any tape, is told with both prices."""
    flawed = compared(name, "Markets", tape, Flawed(name, "S-3", dearer))

    [problem] = problems([flawed])
    assert problem.startswith(f"{tape.name}, Markets, NORMAL, ")
    assert "S-3 filled" in problem


@pytest.mark.parametrize(
    ("name", "setting"), [(engine.name, setting) for engine in ENGINES for setting in engine.settings]
)
def test_setting_is_taken_because_the_engine_refuses_the_native_way(name: str, setting: Setting) -> None:
    """The engine does not claim it, and without the rule refuses the scenario in one line."""
    engine = engine_named(name)
    assert setting.lacks not in installed_plugins().engines()[name].capabilities

    with pytest.raises(InvalidConfigError, match=setting.lacks.value):
        engine.load().run(_in_the_native_way(setting, ParityCase("Markets", QUOTES).scenario("INSTANT")))


def _in_the_native_way(setting: Setting, scenario: Scenario) -> Scenario:
    """Return a scenario that asks for what the engine lacks by name."""
    convention = replace(scenario.execution.venue, convention=setting.lacks.value)
    if setting.lacks.value != "standing":
        return scenario
    return replace(scenario, execution=replace(scenario.execution, venue=convention))

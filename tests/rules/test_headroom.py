"""How near a session came to its limits: the most that was let through, and what a restart does to it."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from decimal import Decimal

import msgspec
import pytest

from seatrial import (
    DrawdownLimitRule,
    ExecutionSimulator,
    ExposureLimitRule,
    Order,
    OrderSide,
    OrderType,
    PositionLimitRule,
    Quote,
    RiskConfig,
)
from seatrial.clock import to_ns
from seatrial.contracts.engine import Headroom, RunRecord
from seatrial.contracts.plugin import RiskRuleSpec
from seatrial.contracts.risk import NamedRule
from seatrial.contracts.scenario import ExecutionConfig, Scenario, Tape
from seatrial.engine.native import NativeEngine
from seatrial.hookspecs import hookimpl
from seatrial.plugins import Plugins

T0 = to_ns(datetime(2024, 3, 4, 14, 30, tzinfo=UTC))
D = Decimal
LIMITS = RiskConfig(
    position_limit=PositionLimitRule(max_shares=D(100), max_value=D(20_000)),
    exposure_limit=ExposureLimitRule(max_gross_exposure_pct=D(50), max_net_exposure_pct=D(60)),
    drawdown_limit=DrawdownLimitRule(max_daily_drawdown_pct=D(5), max_total_drawdown_pct=D(10)),
)


def _sailed() -> ExecutionSimulator:
    """Hold 60 at 100, lose 3 each, recover, and be refused 50 more."""
    simulator = ExecutionSimulator(initial_cash=100_000, risk_config=LIMITS)
    for n, price in enumerate((100, 100, 97, 99)):
        simulator.process_market_data(T0 + n, {"X": D(price)})
        if not n:
            _buy(simulator, "a", 60)
    _buy(simulator, "b", 50)
    return simulator


def _buy(simulator: ExecutionSimulator, order_id: str, quantity: int) -> Order:
    order = Order(
        order_id=order_id,
        symbol="X",
        side=OrderSide.BUY,
        order_type=OrderType.MARKET,
        quantity=quantity,
        created_at=simulator.now,
    )
    return simulator.submit_order(order, simulator.now)


def _told(simulator: ExecutionSimulator) -> dict[str, tuple[Decimal, Decimal]]:
    risk = simulator.gate.admission.risk
    assert risk is not None
    return {f"{rule} {what}": (used, limit) for rule, what, used, limit in risk.headroom()}


def test_the_most_that_was_let_through_is_told() -> None:
    """Units, value and exposure of what passed, not of what was refused; losses at their deepest."""
    assert _told(_sailed()) == {
        "position_limit shares": (D(60), D(100)),
        "position_limit value": (D(6_000), D(20_000)),
        "exposure_limit gross %": (D(6), D(50)),
        "exposure_limit net %": (D(6), D(60)),
        "drawdown_limit daily loss %": (D("0.18"), D(5)),
        "drawdown_limit loss from peak %": (D("0.18"), D(10)),
    }


def test_a_restart_forgets_none_of_it() -> None:
    """The restored session tells the same, and goes on from there."""
    simulator = _sailed()
    restored = ExecutionSimulator.from_checkpoint(simulator.snapshot())
    before = _told(simulator)

    for session in (simulator, restored):
        session.process_market_data(T0 + 10, {"X": D(95)})

    assert _told(restored) == _told(simulator) != before


class Teller:
    """A rule that tells what it is given as its headroom, or raises it."""

    name = "teller"

    def __init__(self, told: object) -> None:
        self.told = told

    def check(self, order: Order, account: object, now: int) -> None:
        """Say nothing."""

    def headroom(self) -> object:
        if isinstance(self.told, Exception):
            raise self.told
        return self.told


class _Plugin:
    """Offers a teller of `told`, and one that tells what it should."""

    def __init__(self, told: object) -> None:
        self.told = told

    @hookimpl
    def seatrial_risk_rules(self) -> list[RiskRuleSpec]:
        good = (("orders", 3, D(4)),)
        return [
            RiskRuleSpec(name="bad", build=lambda: Teller(self.told), summary="bad"),
            RiskRuleSpec(name="good", build=lambda: Teller(good), summary="good"),
        ]


def _record(told: object) -> RunRecord:
    plugins = Plugins()
    plugins.register(_Plugin(told), "mine")
    config = RiskConfig(rules=(NamedRule("bad"), NamedRule("good")))
    tape = Tape(rows=(Quote(T0, "X", D(1), D(2)),))
    return NativeEngine(plugins=plugins).run(Scenario(tape=tape, execution=ExecutionConfig(risk=config)))


@pytest.mark.parametrize(
    ("told", "why"),
    [
        (KeyError("h"), "KeyError: 'h'"),
        (ValueError("Z\udcfcrich"), r"ValueError: Z\udcfcrich"),
        (None, "TypeError: 'NoneType' object is not iterable"),
        ([("orders", 1)], "TypeError: it told ('orders', 1)"),
        ([("orders", 1, 2.5)], "TypeError: it told ('orders', 1, 2.5)"),
        ([("orders", True, D(1))], "TypeError: it told ('orders', True, Decimal('1'))"),
        ([("orders", D("NaN"), D(1))], "TypeError: it told ('orders', Decimal('NaN'), Decimal('1'))"),
        ([("orders", D(1), D(2)), 7], "TypeError: it told 7"),
        ([("\udcfc", D(1), D(2))], r"TypeError: it told ('\udcfc', Decimal('1'), Decimal('2'))"),
    ],
)
def test_rule_that_cannot_tell_is_left_out_and_named(told: object, why: str) -> None:
    """The run is over by then: its record is kept, with a warning, and says what the other rules told."""
    record = _record(told)

    [warning] = record.warnings
    assert re.fullmatch(r"rule 'bad' is left out of the headroom: its headroom\(\) failed \((.*)\); return .*", warning)
    assert f"({why})" in warning
    assert record.headroom == (Headroom("good", "orders", D(3), D(4)),)
    assert msgspec.json.decode(msgspec.json.encode(record), type=RunRecord) == record

"""Rules that watch no more than equity are told less between orders, and decide as if they were told everything."""

from __future__ import annotations

import math
import sys
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
from tests.backtrader.parity import fuzz
from tests.backtrader.parity.recorder import record
from tests.backtrader.parity.trace import assert_same
from tests.backtrader.parity.trial import Trial, at, bars, days, run

from seatrial import (
    LATENCY_INSTANT,
    LATENCY_NORMAL,
    DrawdownLimitRule,
    ExposureLimitRule,
    LatencyConfig,
    PositionLimitRule,
    RejectionReason,
    RiskConfig,
    RiskViolation,
)
from seatrial.contracts.account import RiskView
from seatrial.contracts.events import Event, OrderDenied, TradingStateChanged
from seatrial_backtrader import SeatrialBroker
from seatrial_rules.switch import KillSwitch

CHUNK = 10
FLAT = (100.0, 100.5, 99.5, 100.0)


class Onlooker:
    """Watches the account, so that every bar is told, and objects to nothing."""

    def __init__(self) -> None:
        self.seen: list[tuple[int, Decimal | None]] = []

    def watch(self, account: RiskView, now: int) -> RiskViolation | None:
        mark = account.mark("feed0")
        self.seen.append((now, None if mark is None else mark.price))
        return None


def limits(*rules: object) -> RiskConfig:
    """Return limits that random scripts meet now and then, and `rules`."""
    return RiskConfig(
        position_limit=PositionLimitRule(max_shares=Decimal(120), max_value=Decimal(9_000)),
        exposure_limit=ExposureLimitRule(max_gross_exposure_pct=Decimal(150)),
        drawdown_limit=DrawdownLimitRule(max_daily_drawdown_pct=Decimal(1), max_total_drawdown_pct=Decimal(8)),
        rules=(KillSwitch(), *rules),
    )


def played(seed: int, latency: LatencyConfig, *rules: object) -> tuple[list[Any], list[Event], list[Any], int]:
    """Return what a random script was shown, the gate's log, what the limits have used, and how often it was marked."""
    made: list[Any] = []

    class Counted(SeatrialBroker):
        marks = 0

        def _mark(self, gate: Any) -> None:
            self.marks += 1
            super()._mark(gate)

    def broker() -> Any:
        made.append(Counted(latency_config=latency, risk_config=limits(*rules)))
        return made[0]

    shown = record(fuzz.script(seed), broker)
    [one] = made
    if one.gate is None:
        return shown, [], [], one.marks
    return shown, list(one.gate.events), one.gate.admission.risk.headroom(), one.marks


@pytest.mark.parametrize("first", range(0, 20, CHUNK))
@pytest.mark.parametrize("latency", [LATENCY_INSTANT, LATENCY_NORMAL], ids=["instant", "normal"])
def test_patient_rules_decide_as_those_that_see_every_bar(first: int, latency: LatencyConfig) -> None:
    """A random script is shown the same, the log and the use of every limit are the same, with fewer marks told."""
    told, untold, refused = 0, 0, 0
    for seed in range(first, first + CHUNK):
        shown, events, used, marks = played(seed, latency)
        eager = played(seed, latency, Onlooker())
        assert_same(eager[0], shown, f"seed {seed}")
        assert events == eager[1], f"seed {seed}"
        assert used == eager[2], f"seed {seed}"
        told, untold = told + eager[3], untold + marks
        refused += sum(isinstance(event, OrderDenied | TradingStateChanged) for event in events)
    assert untold < told
    assert refused  # else no limit was ever met


def test_a_rule_that_watches_the_account_sees_every_bar() -> None:
    """Its clock and its marks move with each bar, though nothing is held or sent."""
    onlooker = Onlooker()
    run({}, bars([FLAT, FLAT, (100.0, 103.0, 99.0, 102.0)]), risk_config=limits(onlooker))

    assert onlooker.seen == [(at(60_000 * n), Decimal(price)) for n, price in ((1, 100), (2, 100), (3, 102))]


def test_a_switch_pulled_while_nothing_happens_halts_with_the_next_bar() -> None:
    """The rule that watches nothing but itself is asked on every bar, and its halt bears that bar's time."""
    switch = KillSwitch()
    strategy = run({3: lambda _: switch.pull("ann", "test")}, days([FLAT] * 6), risk_config=RiskConfig(rules=(switch,)))

    [halted] = [event for event in strategy.broker.events if isinstance(event, TradingStateChanged)]
    assert halted.timestamp == at(strategy.data.num2date(strategy.data.datetime.array[3]))


@pytest.mark.parametrize("patient", [True, False])
def test_the_last_price_counts_where_a_bar_has_none(patient: bool) -> None:
    """A close that is no number leaves the price before it, also one that nobody was told of at the time."""
    gap = (100.0, 130.0, 100.0, math.nan)
    feed = bars([FLAT, (100.0, 130.0, 100.0, 120.0), gap, gap])
    value = PositionLimitRule(max_value=Decimal(1_000))
    more = () if patient else (Onlooker(),)
    plan = {
        1: lambda it: it.order("at 100", 11, data=it.data1),
        4: lambda it: it.order("at 120", 9, data=it.data1),
    }
    strategy: Trial = run(plan, bars([FLAT] * 4), feed, risk_config=RiskConfig(position_limit=value, rules=more))

    refused = [order.info.rejection for order in strategy.sent.values()]
    assert [one.reason for one in refused] == [RejectionReason.RISK_POSITION_LIMIT] * 2
    assert [one.value for one in refused] == [11 * 100, 9 * 120]

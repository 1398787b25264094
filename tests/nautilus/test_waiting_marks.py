"""Marks that wait while nothing is held: no rule that watches equity and itself alone decides otherwise for it."""

from __future__ import annotations

import sys
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("nautilus_trader", reason="NautilusTrader is not installed")

from nautilus_trader.model.enums import OrderSide

from seatrial import DrawdownLimitRule, PositionLimitRule, RiskConfig, RiskViolation
from seatrial.contracts.events import OrderDenied, TradingStateChanged, encode_events
from seatrial.contracts.latency import LATENCY_INSTANT, LATENCY_NORMAL, LatencyConfig
from seatrial_rules.switch import KillSwitch

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
from tests.nautilus.rig.market import EQUITY, MS, PAIR, T0, quotes
from tests.nautilus.rig.scripted import Scripted
from tests.nautilus.rig.voyage import engine, settings

# pandas 3 warns of how NautilusTrader 1.231 calls it
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")

PULLED, ENABLED = 256, 291  # quotes at which nothing is held, and the other instrument has none


class WatchesTheAccount:
    """A rule that never objects, but wants to see every mark."""

    def watch(self, account: Any, now: int) -> RiskViolation | None:
        return None


class ObjectsUntilEnabled:
    """A rule that latches whenever it is asked before an operator has spoken twice."""

    watches = "equity"

    def __init__(self) -> None:
        self.asked_at: list[int] = []
        self.spoken = 0

    def watch(self, account: Any, now: int) -> RiskViolation | None:
        self.asked_at.append(now)
        return RiskViolation("not yet") if 0 < self.spoken < 2 else None

    def enabled(self, account: Any, by: str, reason: str) -> None:
        self.spoken += 1


def _buy(trader: Any) -> None:
    trader.submit_order(trader.order_factory.market(PAIR.id, OrderSide.BUY, PAIR.make_qty(1_000)))


def _sell(trader: Any) -> None:
    if trader.cache.positions_open():
        trader.submit_order(trader.order_factory.market(PAIR.id, OrderSide.SELL, PAIR.make_qty(1_000)))


def _sailed(latency: LatencyConfig, *more: Any) -> Any:
    """Trade there and back, under limits that some orders meet, and pull a kill switch between two orders."""
    switch = KillSwitch()
    sessions: list[Any] = []
    script: dict[int, Any] = {n: _buy if n % 80 == 0 else _sell for n in range(40, 400, 40)}
    script[PULLED] = lambda _: switch.pull("ops", "drill")
    script[ENABLED] = lambda trader: sessions[0].gate.enable_trading("ops", "over", trader.clock.timestamp_ns())
    risk = RiskConfig(
        # the price of a unit is about 1.1: it depends on the latest mark which orders pass
        position_limit=PositionLimitRule(max_value=Decimal(1_100)),
        drawdown_limit=DrawdownLimitRule(max_daily_drawdown_pct=Decimal(5), max_total_drawdown_pct=Decimal(20)),
        rules=(switch, *more),
    )
    made, session = engine(
        [PAIR, EQUITY], settings("MARGIN", "NETTING"), {"latency_config": latency, "risk_config": risk}
    )
    sessions.append(session)
    made.add_data(quotes(PAIR, 400, 7))
    made.add_data(quotes(EQUITY, 80, 7, step_ms=50))
    made.add_strategy(Scripted(PAIR, script))
    made.run()
    return session


@pytest.mark.parametrize("latency", [LATENCY_INSTANT, LATENCY_NORMAL], ids=["INSTANT", "NORMAL"])
def test_rules_decide_as_if_they_saw_every_mark(latency: LatencyConfig) -> None:
    """Beside a rule that wants to see them all, everything happens at the same time and by the same numbers."""
    waiting, seeing = _sailed(latency), _sailed(latency, WatchesTheAccount())

    kinds = [type(event) for event in waiting.gate.events]
    assert 0 < kinds.count(OrderDenied) < 5
    assert encode_events(list(waiting.gate.events)) == encode_events(list(seeing.gate.events))
    for symbol in (PAIR.id.value, EQUITY.id.value):
        assert waiting.account.last_mark(symbol) == seeing.account.last_mark(symbol)
    assert (waiting.account.cash, waiting.account.equity) == (seeing.account.cash, seeing.account.equity)
    assert waiting.gate.now == seeing.gate.now


def test_a_pulled_switch_halts_at_the_next_quote_while_nothing_is_held() -> None:
    """It need not wait for an order."""
    session = _sailed(LATENCY_INSTANT)

    halted = next(event for event in session.gate.events if type(event) is TradingStateChanged)
    assert halted.timestamp == T0 + (PULLED + 1) * 10 * MS


def test_what_stands_still_is_looked_at_once_more_after_news() -> None:
    """Nothing is held and no mark is judged, but the one after an operator's word is."""
    rule = ObjectsUntilEnabled()
    session = _sailed(LATENCY_INSTANT, rule)

    again = T0 + (ENABLED + 1) * 10 * MS
    assert len(rule.asked_at) < 300, "of 480 quotes"
    changes = [event.timestamp for event in session.gate.events if type(event) is TradingStateChanged]
    assert changes[-1] == again

"""On prints without sizes, in Backtrader's conventions, the native engine and Backtrader tell the same to the byte."""

from __future__ import annotations

import random
import sys
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from msgspec.structs import replace

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
from tests.backtrader.engine.crew import MORE, PLAIN, config, scenario, ticks

from seatrial import (
    LATENCY_FAST,
    LATENCY_INSTANT,
    LATENCY_NORMAL,
    LATENCY_SLOW,
    DrawdownLimitRule,
    PositionLimitRule,
    RiskConfig,
)
from seatrial.contracts.events import OrderExecution, encode_events
from seatrial.contracts.venue import AccountType, Convention, LimitFill, PriceImprovement
from seatrial.engine.native import NativeEngine
from seatrial_backtrader.engine import BacktraderEngine

if TYPE_CHECKING:
    from seatrial.contracts.engine import RunRecord
    from seatrial.contracts.scenario import Scenario

PROFILES = {"instant": LATENCY_INSTANT, "fast": LATENCY_FAST, "normal": LATENCY_NORMAL, "slow": LATENCY_SLOW}


def assert_same(played: Scenario) -> RunRecord:
    """Run on both engines; every event, order, point of equity and mark must be the same."""
    native, ours = NativeEngine().run(played), BacktraderEngine().run(played)
    for n, (expected, told) in enumerate(zip(native.events, ours.events, strict=False)):
        assert told == expected, f"event {n}"
    assert encode_events(ours.events) == encode_events(native.events)
    for field in ("account", "orders", "equity", "max_drawdown_pct", "decisions", "rows", "started", "ended"):
        assert getattr(ours, field) == getattr(native, field), field
    return ours


@pytest.mark.parametrize("profile", PROFILES)
@pytest.mark.parametrize("account", AccountType)
@pytest.mark.parametrize("seed", range(6))
def test_market_limit_and_stop_orders_fill_alike(seed: int, account: AccountType, profile: str) -> None:
    """Order, times, prices, quantities, cash and positions are equal under every profile."""
    record = assert_same(scenario(seed, PROFILES[profile], config(account), PLAIN))
    assert sum(isinstance(event, OrderExecution) for event in record.events) > 10


@pytest.mark.parametrize("profile", PROFILES)
@pytest.mark.parametrize("seed", range(4))
def test_every_order_type_fills_alike(seed: int, profile: str) -> None:
    """So are trailing and linked orders, and those that expire."""
    kinds = tuple(kind for kind in MORE if kind != "post_only")
    assert_same(scenario(100 + seed, PROFILES[profile], config(), kinds))


@pytest.mark.parametrize("seed", range(16))
def test_every_convention_backtrader_can_follow_fills_alike(seed: int) -> None:
    """So do limits that fill through or at touch, with and without improvement, under rules, on prints with sizes."""
    dice = random.Random(seed)
    venue = config(
        dice.choice(list(AccountType)),
        convention=dice.choice([None, Convention.NEXT]),
        limit_fill=dice.choice([None, *LimitFill]),
        price_improvement=dice.choice(list(PriceImprovement)),
    )
    limits = RiskConfig(
        drawdown_limit=DrawdownLimitRule(max_total_drawdown_pct=Decimal(1)),
        position_limit=PositionLimitRule(max_shares=Decimal(60)),
    )
    rows = tuple(replace(row, size=Decimal(dice.randint(1, 60))) for row in ticks(seed, 600))
    risk, latency = dice.choice([None, limits]), dice.choice(list(PROFILES.values()))
    kinds = tuple(kind for kind in MORE if kind != "post_only")
    assert_same(scenario(seed, latency, venue, kinds, rows=rows, risk=risk))

"""On ticks the native engine, the NautilusTrader engine, and NautilusTrader alone fill alike."""

from __future__ import annotations

import random
import sys
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from msgspec.structs import replace

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
from tests.backtrader.engine.crew import MORE, PLAIN, bars, config, scenario, ticks
from tests.nautilus.rig.tapes import PLAIN_TYPES, mixed, quotes, scripted

from seatrial import (
    LATENCY_FAST,
    LATENCY_INSTANT,
    LATENCY_NORMAL,
    LATENCY_SLOW,
    DrawdownLimitRule,
    Order,
    OrderSide,
    OrderType,
    PositionLimitRule,
    RiskConfig,
)
from seatrial.contracts.events import OrderExecution, encode_events
from seatrial.contracts.market import Quote
from seatrial.contracts.scenario import SubmitAt
from seatrial.contracts.venue import AccountType, Convention, LimitFill, PriceImprovement
from seatrial.engine.native import NativeEngine
from seatrial_nautilus.v1.engine import NautilusEngine

if TYPE_CHECKING:
    from seatrial.contracts.engine import RunRecord
    from seatrial.contracts.scenario import Scenario

PROFILES = {"instant": LATENCY_INSTANT, "fast": LATENCY_FAST, "normal": LATENCY_NORMAL, "slow": LATENCY_SLOW}


def assert_same(played: Scenario) -> RunRecord:
    """Run on both engines; every event, order, point of equity and mark must be the same."""
    native, ours = NativeEngine().run(played), NautilusEngine().run(played)
    for n, (expected, told) in enumerate(zip(native.events, ours.events, strict=False)):
        assert told == expected, f"event {n}"
    assert encode_events(ours.events) == encode_events(native.events)
    for field in ("account", "orders", "equity", "max_drawdown_pct", "decisions", "rows", "started", "ended"):
        assert getattr(ours, field) == getattr(native, field), field
    return ours


def fills(record: RunRecord) -> list[OrderExecution]:
    """Return what was executed."""
    return [event for event in record.events if isinstance(event, OrderExecution)]


@pytest.mark.parametrize("profile", PROFILES)
@pytest.mark.parametrize("kind", ["quotes", "trades"])
@pytest.mark.parametrize("seed", range(2))
def test_market_limit_and_stop_orders_fill_alike_in_the_standing_convention(seed: int, kind: str, profile: str) -> None:
    """On ticks of one price: order, times, prices, quantities, cash and positions are equal under every profile."""
    rows = ticks(seed) if kind == "trades" else quotes(seed, spread=0)
    venue = config(list(AccountType)[seed % 2], convention=Convention.STANDING)
    record = assert_same(scenario(seed, PROFILES[profile], venue, PLAIN, rows=rows))
    assert len(fills(record)) > 10


@pytest.mark.parametrize("seed", range(12))
def test_every_order_type_and_convention_fills_alike(seed: int) -> None:
    """So do trailing, linked and expiring orders, on quotes, prints and both, with sizes, costs and rules."""
    dice = random.Random(seed)
    rows = dice.choice((ticks(seed, 500), quotes(seed, 500), quotes(seed, 500, most=40), mixed(seed, 500)))
    venue = config(
        dice.choice(list(AccountType)),
        convention=dice.choice([None, *Convention]),
        limit_fill=dice.choice([None, *LimitFill]),
        price_improvement=dice.choice(list(PriceImprovement)),
    )
    limits = RiskConfig(
        drawdown_limit=DrawdownLimitRule(max_total_drawdown_pct=Decimal(1)),
        position_limit=PositionLimitRule(max_shares=Decimal(60)),
    )
    risk, latency = dice.choice([None, limits]), dice.choice(list(PROFILES.values()))
    assert_same(scenario(seed, latency, venue, MORE, risk=risk, rows=rows))


@pytest.mark.parametrize("seed", range(2))
def test_bars_are_four_prices(seed: int) -> None:
    """Orders that rest, arrive or trail fill alike on bars; only what NautilusTrader sees at a bar's points may not."""
    kinds = ("market", "limit", "stop", "trail", "trail_percent", "oco", "gtd", "reduce", "post_only")
    venue = config(convention=[None, Convention.STANDING][seed])
    record = assert_same(scenario(seed, LATENCY_SLOW, venue, kinds, rows=bars(seed, 200)))
    assert len(fills(record)) > 10


@pytest.mark.parametrize("kind", PLAIN_TYPES)
@pytest.mark.parametrize("data", ["quotes", "one price", "trades"])
def test_without_delays_it_is_nautilustrader_alone(data: str, kind: OrderType) -> None:
    """A plain BacktestEngine fills the same orders at the same times and prices; only on one price it goes by price."""
    rows = {"quotes": quotes(7, 300), "one price": quotes(7, 300, spread=0), "trades": ticks(7, 300)}[data]
    played, engine = scripted(rows, 7, kind), NautilusEngine()

    alone = [(one.timestamp, one.order_id, one.quantity, one.price, one.liquidity) for one in engine.stock(played)]
    through = [
        (one.timestamp, one.order_id, one.quantity, one.price, one.liquidity) for one in fills(engine.run(played))
    ]

    assert sorted(through) == sorted(alone)
    assert [one[0] for one in through] == [one[0] for one in alone]
    assert len(through) > 10


def test_market_orders_meet_the_same_bars_as_with_nautilustrader_alone() -> None:
    """Between bars the close stands."""
    played, engine = scripted(bars(3, 120), 3, OrderType.MARKET), NautilusEngine()

    alone = [(one.order_id, one.quantity, one.price) for one in engine.stock(played)]

    assert alone == [(one.order_id, one.quantity, one.price) for one in fills(engine.run(played))]
    assert len(alone) > 10


def test_a_stop_in_a_gap_pays_the_gap() -> None:
    """Not its trigger, as NautilusTrader's own fill model would have it."""
    prices = (Decimal("10.00"), Decimal("10.00"), Decimal("10.50"))
    rows = tuple(Quote(n * 1_000 + 1_000, "A", price, price) for n, price in enumerate(prices))
    played = scripted(rows, 0, OrderType.STOP)
    stop = Order(
        order_id="S-1",
        symbol="A",
        side=OrderSide.BUY,
        order_type=OrderType.STOP,
        quantity=Decimal(1),
        created_at=2_500,
        stop_price=Decimal("10.10"),
    )
    played = replace(played, script=(SubmitAt(2_500, (stop,)),))

    assert [one.price for one in fills(assert_same(played))] == [Decimal("10.50")]
    assert [one.price for one in NautilusEngine().stock(played)] == [Decimal("10.50")]

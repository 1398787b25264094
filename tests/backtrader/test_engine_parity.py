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
from tests.backtrader.engine import crew
from tests.backtrader.engine.crew import MORE, PLAIN, START, config, scenario, ticks

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
from seatrial.contracts.market import Bar, Trade
from seatrial.contracts.scenario import StrategyRef
from seatrial.contracts.terms import Liquidity
from seatrial.contracts.venue import AccountType, Convention, LimitFill, PriceImprovement
from seatrial.engine.native import NativeEngine
from seatrial_backtrader.engine import BacktraderEngine

if TYPE_CHECKING:
    from seatrial.contracts.engine import RunRecord
    from seatrial.contracts.scenario import Scenario

MINUTE = 60_000_000_000
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


def one_wide_bar(*last: str) -> tuple[Bar, ...]:
    """Return five bars of one price, and one with the open, high, low and close of `last`; each lasts a minute."""
    rows = list[Bar]()
    for shown in [("100",) * 4] * 5 + [last]:
        opened, high, low, close = map(Decimal, shown)
        start = START + len(rows) * MINUTE
        rows.append(Bar(start + MINUTE, "A", opened, high, low, close, start=start))
    return tuple(rows)


@pytest.mark.parametrize("fill", LimitFill)
@pytest.mark.parametrize(
    ("side", "kind", "terms", "price", "liquidity"),
    [
        ("buy", "limit", {"limit_price": "98.7"}, "98.7", Liquidity.MAKER),
        ("buy", "limit", {"limit_price": "100.5"}, "100.00", Liquidity.TAKER),
        ("sell", "limit", {"limit_price": "101.2"}, "101.2", Liquidity.MAKER),
        ("buy", "limit", {"limit_price": "98"}, None, Liquidity.MAKER),
        ("sell", "limit", {"limit_price": "102"}, None, Liquidity.MAKER),
        ("buy", "stop_limit", {"stop_price": "101.5", "limit_price": "101.7"}, "101.5", Liquidity.TAKER),
        ("sell", "stop_limit", {"stop_price": "98.5", "limit_price": "98.2"}, "98.5", Liquidity.TAKER),
    ],
)
def test_limit_that_waits_within_its_first_bar_makes(
    fill: LimitFill, side: str, kind: str, terms: dict[str, str], price: str | None, liquidity: Liquidity
) -> None:
    """It takes only what is there when it meets the bar; THROUGH then asks that the bar goes beyond it."""
    shown = ("100.00", "102.00", "98.00", "101.00")
    order = {"symbol": "A", "side": side, "quantity": 3, "order_type": kind, **terms}
    strategy = StrategyRef(path=f"{crew.__file__}:OneOrder", params={"order": order}, strategy_id="W")
    venue = config(limit_fill=fill, slippage_bps=Decimal(0))
    played = scenario(0, LATENCY_INSTANT, venue, rows=one_wide_bar(*shown))
    record = assert_same(replace(played, strategy=strategy))
    fills = [(str(one.price), one.liquidity) for one in record.events if isinstance(one, OrderExecution)]
    expected = terms["limit_price"] if price is None and fill is LimitFill.TOUCH else price
    assert fills == ([] if expected is None else [(expected, liquidity)])


def test_limit_trades_after_the_trigger_that_woke_it() -> None:
    """A bar that passed the limit on its way to the trigger, and once more afterwards, fills it afterwards."""
    rows = one_wide_bar("101", "103.5", "99", "100")  # down to 99, up to 103.5, down to 100
    order = {"symbol": "A", "side": "buy", "quantity": 3, "order_type": "stop_limit", "stop_price": "102"}
    strategy = StrategyRef(path=f"{crew.__file__}:OneOrder", params={"order": order | {"limit_price": "100.5"}})
    record = assert_same(replace(scenario(0, LATENCY_INSTANT, config(), rows=rows), strategy=strategy))
    assert [rows[-1].ts - event.timestamp for event in record.events[2:]] == [MINUTE // 3, 0]


def test_price_is_spelled_as_the_market_showed_it() -> None:
    """A limit of 100.1 that takes a print of 100.10 was filled at 100.10, on either engine."""
    rows = tuple([Trade(START + n, "A", Decimal("100.10")) for n in range(8)])
    order = {"symbol": "A", "side": "buy", "quantity": 3, "order_type": "limit", "limit_price": "100.1"}
    strategy = StrategyRef(path=f"{crew.__file__}:OneOrder", params={"order": order}, strategy_id="W")
    record = assert_same(
        replace(scenario(0, LATENCY_INSTANT, config(slippage_bps=Decimal(0)), rows=rows), strategy=strategy)
    )
    assert [str(one.price) for one in record.events if isinstance(one, OrderExecution)] == ["100.10"]

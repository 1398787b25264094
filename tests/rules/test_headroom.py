"""How near a session came to its limits: the most that was let through, and what a restart does to it."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal

from seatrial import (
    DrawdownLimitRule,
    ExecutionSimulator,
    ExposureLimitRule,
    Order,
    OrderSide,
    OrderType,
    PositionLimitRule,
    RiskConfig,
)
from seatrial.clock import to_ns

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

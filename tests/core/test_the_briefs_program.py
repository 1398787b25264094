"""The program users know, as far as contracts, latency, gate and simulated venue carry it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal

from seatrial import LATENCY_NORMAL, ExecutionSimulator, Order, OrderExecution, OrderSide, OrderStatus, OrderType


def test_program_runs_as_written() -> None:
    """Submit at 14:30:00, a price every 50 ms: filled at arrival, told 100 to 200 ms later, paid to the cent."""
    now = datetime(2026, 2, 16, 14, 30, tzinfo=UTC)
    order = Order(
        order_id="paper-001-1",
        symbol="IBM",
        side=OrderSide.BUY,
        order_type=OrderType.MARKET,
        quantity=Decimal(100),
        created_at=now,
    )
    simulator = ExecutionSimulator(
        initial_cash=Decimal(100000),
        slippage_bps=Decimal(5),
        commission_per_share=Decimal("0.01"),
        latency_config=LATENCY_NORMAL,
        simulator_id="paper-001",
    )

    sent = simulator.submit_order(order, timestamp=now)
    reported: list[OrderExecution] = []
    for step in range(1, 7):
        current_time = now + timedelta(milliseconds=50 * step)
        current_prices = {"IBM": Decimal(100 + step)}
        reported += simulator.process_market_data(current_time, current_prices)

    assert sent.status is OrderStatus.PENDING_SUBMIT
    [execution] = reported
    # arrives after 50 ms, when 101 is shown; 5 basis points worse
    assert execution.price == Decimal("101.0505")
    assert 100_000_000 <= execution.reported_at - execution.timestamp <= 200_000_000
    assert simulator.get_order("paper-001-1").status is OrderStatus.FILLED
    assert simulator.cash == Decimal(100000) - 100 * Decimal("101.0505") - Decimal("1.00")
    assert simulator.positions == {"IBM": Decimal(100)}
    assert simulator.get_account_value() == simulator.cash + 100 * Decimal(106)

"""The program users know, from the brief: it runs as written, is stopped by its drawdown, and goes on from its file."""

from __future__ import annotations

import json
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING

from seatrial import (
    LATENCY_NORMAL,
    CheckpointManager,
    DrawdownLimitRule,
    ExecutionSimulator,
    Order,
    OrderExecution,
    OrderSide,
    OrderStatus,
    OrderType,
    RejectionReason,
    RiskConfig,
    TradingState,
)
from seatrial.contracts.events import TradingStateChanged, encode_events

if TYPE_CHECKING:
    from pathlib import Path

NOW = datetime(2026, 2, 16, 14, 30, tzinfo=UTC)
REST = """
import json, sys
from datetime import datetime, timedelta
from decimal import Decimal
from seatrial import CheckpointManager, Order, OrderSide, OrderType
from seatrial.contracts.events import encode_events

manager = CheckpointManager(sys.argv[1])
simulator = manager.restore_simulator(manager.load_checkpoint("paper-001"))
now = datetime.fromisoformat(sys.argv[2])
for number, (side, quantity, price) in enumerate(json.loads(sys.argv[3])):
    at = now + timedelta(hours=4 * number)
    order = Order(order_id=f"later-{number}", symbol="IBM", side=OrderSide(side), order_type=OrderType.MARKET,
                  quantity=Decimal(quantity), created_at=at)
    simulator.submit_order(order, timestamp=at)
    for step in range(1, 7):
        simulator.process_market_data(at + timedelta(milliseconds=50 * step), {"IBM": Decimal(price)})
sys.stdout.buffer.write(encode_events(list(simulator.events)))
print(simulator.cash, dict(simulator.positions), simulator.get_account_value(), simulator.trading_state)
"""
"""The rest of the program, for a process of its own."""
LATER = [("buy", 10, "84"), ("sell", 400, "85"), ("sell", 600, "86"), ("buy", 100, "87")]


def bought(order_id: str, quantity: int, now: datetime, side: OrderSide = OrderSide.BUY) -> Order:
    """Return a market order."""
    return Order(
        order_id=order_id,
        symbol="IBM",
        side=side,
        order_type=OrderType.MARKET,
        quantity=Decimal(quantity),
        created_at=now,
    )


def go_on(simulator: ExecutionSimulator, now: datetime) -> bytes:
    """Do what REST does; return what it prints."""
    for number, (side, quantity, price) in enumerate(LATER):
        at = now + timedelta(hours=4 * number)
        simulator.submit_order(bought(f"later-{number}", quantity, at, OrderSide(side)), timestamp=at)
        for step in range(1, 7):
            simulator.process_market_data(at + timedelta(milliseconds=50 * step), {"IBM": Decimal(price)})
    account = (simulator.cash, dict(simulator.positions), simulator.get_account_value(), simulator.trading_state)
    return encode_events(list(simulator.events)) + " ".join(map(str, account)).encode() + b"\n"


def test_program_runs_as_written() -> None:
    """Submit at 14:30:00, a price every 50 ms: filled at arrival, told 100 to 200 ms later, paid to the cent."""
    order = bought("paper-001-1", 100, NOW)
    simulator = ExecutionSimulator(
        initial_cash=Decimal(100000),
        slippage_bps=Decimal(5),
        commission_per_share=Decimal("0.01"),
        latency_config=LATENCY_NORMAL,
        simulator_id="paper-001",
    )

    sent = simulator.submit_order(order, timestamp=NOW)
    reported: list[OrderExecution] = []
    for step in range(1, 7):
        current_time = NOW + timedelta(milliseconds=50 * step)
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


def test_program_with_risk_and_checkpoint_runs_as_written(tmp_path: Path) -> None:
    """A fall breaks the day's limit and latches it; restored, in this process and a new one, the session goes on alike.

    It still lets only reducing orders out, until the day turns.
    """
    now = current_time = NOW
    order = bought("paper-001-1", 990, now)

    risk_config = RiskConfig(drawdown_limit=DrawdownLimitRule(max_daily_drawdown_pct=Decimal(5)))
    simulator = ExecutionSimulator(
        initial_cash=Decimal(100000),
        slippage_bps=Decimal(5),
        commission_per_share=Decimal("0.01"),
        latency_config=LATENCY_NORMAL,
        risk_config=risk_config,
        simulator_id="paper-001",
    )
    simulator.submit_order(order, timestamp=now)  # now: aware datetime or int ns
    for step, price in enumerate((100, 100, 100, 100, 100, 95, 94), start=1):
        current_time = now + timedelta(milliseconds=50 * step)
        current_prices = {"IBM": Decimal(price)}
        simulator.process_market_data(current_time, current_prices)
    refused = simulator.submit_order(bought("paper-001-2", 1, current_time), timestamp=current_time)
    in_flight = simulator.submit_order(bought("paper-001-3", 90, current_time, OrderSide.SELL), timestamp=current_time)
    manager = CheckpointManager(tmp_path / "checkpoints")
    checkpoint = manager.create_checkpoint(simulator)
    manager.save_checkpoint(checkpoint)
    restored = manager.restore_simulator(manager.load_checkpoint("paper-001"))
    program = [sys.executable, "-c", REST, str(tmp_path / "checkpoints"), current_time.isoformat(), json.dumps(LATER)]
    elsewhere = subprocess.run(program, check=True, capture_output=True, timeout=240).stdout

    # 990 at 100.05 and 9.90 in commission: 59.40 are lost at once, and 5 on each at 95
    [latched] = [event for event in simulator.events if type(event) is TradingStateChanged]
    assert (latched.by, latched.state, latched.cause and latched.cause.limit) == (
        "drawdown_limit",
        TradingState.REDUCE_ONLY,
        Decimal(95_000),
    )
    assert latched.cause is not None
    assert latched.cause.value == 100_000 - Decimal("59.40") - 990 * 5
    assert (refused.rejection_reason, refused.rejection and refused.rejection.rule) == (
        RejectionReason.RISK_DRAWDOWN_LIMIT,
        "drawdown_limit",
    )
    assert in_flight.status is OrderStatus.PENDING_SUBMIT
    assert checkpoint.account.trading_state is TradingState.REDUCE_ONLY

    assert restored.snapshot().account == checkpoint.account
    assert (restored.now, restored.cash, restored.positions) == (simulator.now, simulator.cash, simulator.positions)
    assert list(restored.pending_orders) == ["paper-001-3"]
    here = go_on(restored, current_time)
    assert here == go_on(simulator, current_time) == elsewhere
    later = [restored.get_order(f"later-{n}") for n in range(4)]
    assert [order.rejection_reason for order in later[:2]] == [RejectionReason.RISK_DRAWDOWN_LIMIT, None]
    assert [order.status for order in later[1:]] == [OrderStatus.FILLED, OrderStatus.REJECTED, OrderStatus.FILLED]
    assert restored.trading_state is TradingState.ACTIVE

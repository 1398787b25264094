"""The four controls in one run over IBM's real daily bars, each number worked out by hand from published prices.

Used here, as open and close: 2000-10-16 111.50 and 111.12; 10-17 111.94 and 113.00; 10-18, the day after poor earnings,
96.75 and 95.44, low 90.25; 10-19 98.00 and 96.44; 10-24 93.00 and 91.44; 10-25 90.50 and 87.56; 10-30 93.50 and 93.31.
Every order leaves after a close and trades at the next open, for a cent per share. The account starts with 100,000.
"""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING

import pytest

from seatrial import (
    DrawdownLimitRule,
    ExecutionSimulator,
    ExposureLimitRule,
    Order,
    OrderSide,
    OrderStatus,
    OrderType,
    PositionLimitRule,
    RejectionReason,
    RiskAction,
    RiskConfig,
    TradingState,
)
from seatrial.clock import from_ns
from seatrial.contracts.events import TradingStateChanged
from seatrial.data.sample import IBM, ibm_daily

if TYPE_CHECKING:
    from collections.abc import Iterator

    from seatrial import Bar

BUY, SELL = OrderSide.BUY, OrderSide.SELL
RISK = RiskConfig(
    position_limit=PositionLimitRule(max_shares=Decimal(800)),
    exposure_limit=ExposureLimitRule(max_gross_exposure_pct=Decimal(90)),
    drawdown_limit=DrawdownLimitRule(
        max_daily_drawdown_pct=Decimal(8), max_total_drawdown_pct=Decimal(15), action=RiskAction.CANCEL_ALL
    ),
)


class Voyage:
    """One run, day by day: the equity after each close, and the trading state then."""

    def __init__(self) -> None:
        self.sim = ExecutionSimulator(
            initial_cash=100_000, commission_per_share=Decimal("0.01"), risk_config=RISK, instruments=[IBM]
        )
        self.equity: dict[str, Decimal] = {}
        self.state: dict[str, TradingState] = {}
        self._bars: Iterator[Bar] = (bar for bar in ibm_daily() if from_ns(bar.ts).date() >= date(2000, 10, 13))

    def sail_to(self, day: str) -> None:
        """Feed bars up to and including a day's."""
        for bar in self._bars:
            self.sim.process_bar(bar)
            today = from_ns(bar.ts).date().isoformat()
            self.equity[today] = self.sim.get_account_value()
            self.state[today] = self.sim.trading_state
            if today == day:
                return

    def send(self, order_id: str, side: OrderSide, quantity: int, limit: str | None = None) -> Order:
        """Submit an order after the close."""
        now = self.sim.now
        order = Order(
            order_id=order_id,
            symbol="IBM",
            side=side,
            order_type=OrderType.MARKET if limit is None else OrderType.LIMIT,
            quantity=quantity,
            created_at=now,
            limit_price=None if limit is None else Decimal(limit),
        )
        return self.sim.submit_order(order, now)


@pytest.fixture(scope="module")
def voyage() -> Voyage:
    """Return the run after its last day."""
    run = Voyage()
    run.sail_to("2000-10-13")
    run.send("too many", BUY, 801)
    run.send("entry", BUY, 700)
    run.sail_to("2000-10-16")
    run.send("too much", BUY, 100, "120")
    run.send("bid", BUY, 100, "90")
    run.sail_to("2000-10-18")
    run.send("double down", BUY, 1)
    run.send("reduce", SELL, 200)
    run.sail_to("2000-10-25")
    run.send("hope", BUY, 1)
    run.sail_to("2000-10-26")
    run.sim.disable_trading("risk desk", "strategy under review")
    run.send("exit", SELL, 500)
    run.sail_to("2000-10-27")
    run.sim.enable_trading("risk desk", "reviewed, loss accepted")
    run.send("again", BUY, 100)
    run.sail_to("2000-10-30")
    return run


def _refusal(voyage: Voyage, order_id: str) -> tuple[str | None, RejectionReason, Decimal | None, Decimal | None]:
    refused = voyage.sim.get_order(order_id).rejection
    assert refused is not None
    return refused.rule, refused.reason, refused.value, refused.limit


def test_position_limit_refuses_the_share_too_many(voyage: Voyage) -> None:
    """801 shares are one above the limit; 700 are not, and cost 700 at 111.50 and seven dollars."""
    expected = ("position_limit", RejectionReason.RISK_POSITION_LIMIT, Decimal(801), Decimal(800))

    assert _refusal(voyage, "too many") == expected
    [entry] = voyage.sim.get_order("entry").executions
    assert (entry.price, entry.commission) == (Decimal("111.5"), Decimal(7))
    assert voyage.equity["2000-10-16"] == Decimal("99727.00")  # 100000 - 78050 - 7 + 700 * 111.12


def test_exposure_limit_refuses_what_equity_does_not_bear(voyage: Voyage) -> None:
    """700 held at 111.12 and 100 bid at 120 are 89,784; 90 per cent of 99,727 are 89,754.30."""
    expected = ("exposure_limit", RejectionReason.RISK_EXPOSURE_LIMIT, Decimal(89_784), Decimal("89754.30"))

    assert _refusal(voyage, "too much") == expected
    assert voyage.sim.get_order("bid").submitted_at is not None  # 77784 + 9000


def test_daily_drawdown_restricts_and_cancels_until_midnight(voyage: Voyage) -> None:
    """From 101,043 to 88,751 in a day is more than 8 per cent; the overnight gap is most of it."""
    assert voyage.equity["2000-10-17"] == 101_043  # 21943 in cash, 700 * 113
    assert voyage.equity["2000-10-18"] == 88_751  # 700 * 95.44
    assert voyage.state["2000-10-18"] is TradingState.REDUCE_ONLY
    expected = ("drawdown_limit", RejectionReason.RISK_DRAWDOWN_LIMIT, Decimal(88_751), Decimal("92959.56"))
    assert _refusal(voyage, "double down") == expected  # 101043 * 0.92

    assert voyage.sim.get_order("bid").status is OrderStatus.CANCELLED
    [sold] = voyage.sim.get_order("reduce").executions
    assert sold.price == 98
    assert voyage.state["2000-10-19"] is TradingState.ACTIVE
    assert voyage.equity["2000-10-19"] == 89_761  # 21943 + 19600 - 2 in cash, 500 * 96.44


def test_total_drawdown_restricts_for_good(voyage: Voyage) -> None:
    """15 per cent under the peak of 101,043 are 85,886.55: a close of 91.44 is above that, 87.56 is not."""
    assert voyage.equity["2000-10-24"] == 87_261  # 41541 + 500 * 91.44
    assert voyage.state["2000-10-24"] is TradingState.ACTIVE
    assert voyage.equity["2000-10-25"] == 85_321  # 41541 + 500 * 87.56
    expected = ("drawdown_limit", RejectionReason.RISK_DRAWDOWN_LIMIT, Decimal(85_321), Decimal("85886.55"))
    assert _refusal(voyage, "hope") == expected
    assert voyage.state["2000-10-26"] is TradingState.REDUCE_ONLY


def test_kill_switch_stops_even_the_exit_until_the_operator_resumes(voyage: Voyage) -> None:
    """Nothing leaves while trading is disabled; afterwards losses are measured from the equity of that moment."""
    expected = ("kill_switch", RejectionReason.RISK_TRADING_DISABLED, None, None)

    assert _refusal(voyage, "exit") == expected
    assert voyage.state["2000-10-27"] is TradingState.HALTED
    assert voyage.sim.positions["IBM"] == 600
    [bought] = voyage.sim.get_order("again").executions
    assert bought.price == Decimal("93.5")
    assert voyage.equity["2000-10-30"] == 88_176  # 41541 - 9350 - 1 in cash, 600 * 93.31
    assert voyage.sim.trading_state is TradingState.ACTIVE


def test_the_log_tells_who_switched_trading_and_when(voyage: Voyage) -> None:
    """Rules and operators stand in one list, in order."""
    changes = [event for event in voyage.sim.events if type(event) is TradingStateChanged]

    assert [(from_ns(event.timestamp).date().isoformat(), event.by, event.state) for event in changes] == [
        ("2000-10-18", "drawdown_limit", TradingState.REDUCE_ONLY),
        ("2000-10-19", "drawdown_limit", TradingState.ACTIVE),
        ("2000-10-25", "drawdown_limit", TradingState.REDUCE_ONLY),
        ("2000-10-26", "risk desk", TradingState.HALTED),
        ("2000-10-27", "risk desk", TradingState.ACTIVE),
    ]

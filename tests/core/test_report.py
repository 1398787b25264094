"""A summary counts what happened, to the cent, and the table shows it."""

from __future__ import annotations

from decimal import Decimal
from io import StringIO

import msgspec
import pytest
from rich.console import Console

from seatrial import (
    LATENCY_NORMAL,
    ExecutionSimulator,
    Order,
    OrderSide,
    OrderType,
    Quote,
    RejectionReason,
    TimeInForce,
)
from seatrial.report.summary import RunSummary, max_drawdown_pct, percentile, summarize
from seatrial.report.table import duration, money, summary_table

START = 1_700_000_000_000_000_000
MS = 1_000_000


def order(order_id: str, quantity: int, **fields: object) -> Order:
    """Return a buy at the market unless told otherwise."""
    given: dict[str, object] = {"side": OrderSide.BUY, "order_type": OrderType.MARKET, **fields}
    return Order(order_id=order_id, symbol="X", quantity=quantity, created_at=START, **given)  # type: ignore[arg-type]


def quote(at: int, bid: str, ask: str) -> Quote:
    """Return a quote `at` ms after the start."""
    return Quote(START + at * MS, "X", Decimal(bid), Decimal(ask))


def voyage() -> ExecutionSimulator:
    """Run one order of every fate, under delays."""
    simulator = ExecutionSimulator(
        initial_cash=10_000, commission_per_share=Decimal("0.01"), latency_config=LATENCY_NORMAL, simulator_id="v-1"
    )
    simulator.process_quote(quote(0, "9.99", "10.00"))
    simulator.submit_order(order("bought", 100), START)
    simulator.submit_order(order("bought", 100), START)  # a duplicate: the gate refuses it
    simulator.submit_order(order("dear", 5_000), START)  # the venue refuses it: too little cash
    gtd = {"order_type": OrderType.LIMIT, "limit_price": 5, "time_in_force": TimeInForce.GTD}
    simulator.submit_order(order("short-lived", 1, **gtd, expire_at=START + 300 * MS), START)
    simulator.submit_order(order("taken-back", 1, order_type=OrderType.LIMIT, limit_price=5), START)
    simulator.submit_order(order("resting", 1, order_type=OrderType.LIMIT, limit_price=5), START)
    simulator.process_quote(quote(400, "9.99", "10.00"))
    simulator.cancel_order("taken-back", START + 400 * MS)
    simulator.cancel_order("bought", START + 400 * MS)  # too late
    simulator.process_quote(quote(1_000, "10.99", "11.01"))
    return simulator


def test_summary_counts_every_fate_once() -> None:
    """Each order handed in is in exactly one of the counts, and each refusal under its reason."""
    summary = summarize(voyage())

    assert summary.name == "v-1"
    assert (summary.orders, summary.fills, summary.filled) == (6, 1, 1)
    assert (summary.cancelled, summary.expired, summary.pending) == (1, 1, 1)
    assert summary.rejections == (
        (RejectionReason.DUPLICATE_ORDER, 1),
        (RejectionReason.INSUFFICIENT_FUNDS, 1),
    )
    assert summary.rejected == 2
    assert summary.cancels_refused == 1
    fates = summary.filled + summary.cancelled + summary.expired + summary.pending + summary.rejected
    assert fates == summary.orders


def test_summary_money_is_exact() -> None:
    """Cash, commission, equity and return are Decimal and add up to the cent."""
    summary = summarize(voyage())

    assert summary.commission == Decimal("1.00")
    assert summary.cash == Decimal(10_000) - 1_000 - 1
    assert summary.positions == (("X", Decimal(100)),)
    assert summary.equity == summary.cash + 100 * Decimal("11.00")
    assert summary.return_pct == Decimal("0.99")
    assert summary.initial_cash == 10_000


def test_delays_run_from_submission_to_report() -> None:
    """The one fill was reported 150-250 ms after its order left; nothing of that was waiting."""
    simulator = voyage()
    [execution] = simulator.get_order("bought").executions

    summary = summarize(simulator)

    assert summary.delay_p50 == summary.delay_p99 == execution.reported_at - START
    assert 150 * MS <= (summary.delay_p50 or 0) <= 250 * MS
    assert summary.wire_p50 == summary.delay_p50


def test_waiting_for_a_price_is_not_time_on_the_wire() -> None:
    """A limit that rests for two seconds counts them in its delay, and leaves them out of its time on the wire."""
    simulator = ExecutionSimulator(initial_cash=1_000, latency_config=LATENCY_NORMAL)
    simulator.process_quote(quote(0, "9.99", "10.00"))
    simulator.submit_order(order("patient", 1, order_type=OrderType.LIMIT, limit_price=9), START)
    simulator.process_quote(quote(2_000, "8.99", "9.00"))
    simulator.advance(START + 3_000 * MS)

    summary = summarize(simulator)

    assert 2_100 * MS <= (summary.delay_p50 or 0) <= 2_200 * MS
    assert 150 * MS <= (summary.wire_p50 or 0) <= 250 * MS


def test_empty_run_has_no_delays_and_no_return_on_nothing() -> None:
    """Where there is nothing to measure the summary says `None`, not zero."""
    summary = summarize(ExecutionSimulator(initial_cash=0), name="idle")

    assert summary.name == "idle"
    assert (summary.delay_p50, summary.wire_p99, summary.return_pct, summary.max_drawdown_pct) == (None,) * 4
    assert (summary.orders, summary.equity, summary.positions) == (0, Decimal(0), ())


def test_summary_is_frozen_and_keeps_its_digits_in_json() -> None:
    """A summary cannot be changed, and comes back from JSON equal."""
    summary = summarize(voyage(), equity=[Decimal(3), Decimal(1)])

    with pytest.raises(AttributeError):
        summary.orders = 0  # type: ignore[misc]
    assert msgspec.json.decode(msgspec.json.encode(summary), type=RunSummary) == summary


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ("100 120 90 130 91", "30"),
        ("100 101 102", "0"),
        ("100", "0"),
        ("0 -5 10 5", "50"),
        ("", None),
    ],
)
def test_drawdown_is_the_deepest_fall_from_a_peak(values: str, expected: str | None) -> None:
    """The fall is in per cent of the highest value before it, wherever it ends."""
    equity = [Decimal(value) for value in values.split()]

    assert max_drawdown_pct(equity) == (None if expected is None else Decimal(expected))


def test_percentile_is_a_value_that_was_there() -> None:
    """Nearest rank: the smallest value that the given share of all does not exceed."""
    values = list(range(100, 0, -1))

    assert [percentile(values, p) for p in (1, 50, 99, 100)] == [1, 50, 99, 100]
    assert percentile([7], 99) == 7
    assert percentile([1, 2], 51) == 2
    assert percentile([], 50) is None


def test_table_sets_runs_side_by_side() -> None:
    """Each run is a column under its name, with the same rows whatever one of them lacks."""
    idle = summarize(ExecutionSimulator(initial_cash=100), name="idle")
    busy = summarize(voyage(), equity=[Decimal(10), Decimal(9)])
    out = StringIO()

    Console(file=out, width=100).print(summary_table([busy, idle], title="Both"))

    lines = {line[:34].strip(): line[34:].split() for line in out.getvalue().splitlines()}
    assert "Both" in lines
    assert lines["rejected: duplicate_order"] == ["1", "0"]
    assert lines["cash"] == ["8,999.00", "100.00"]
    assert lines["positions"] == ["100", "X", "flat"]
    assert lines["deepest drawdown"] == ["10.00", "%", "-"]
    assert lines["return"] == ["0.99", "%", "0.00", "%"]


def test_amounts_and_spans_read_well() -> None:
    """Money has cents and thousands, spans have a unit; neither is a float on the way."""
    assert money(Decimal("1234567.891")) == "1,234,567.89"
    assert duration(999_999) == "0.9 ms"
    assert duration(86_400 * 10**9) == "1 d"
    assert duration(5_400 * 10**9) == "1.5 h"

"""The orders of a run are one row each: for a terminal, for a script, or only some of them."""

from __future__ import annotations

from decimal import Decimal
from io import StringIO

import msgspec
import pytest
from rich.console import Console

from seatrial import LATENCY_NORMAL, Order, OrderSide, OrderStatus, OrderType, Quote, RejectionReason
from seatrial.contracts.engine import RunRecord
from seatrial.contracts.scenario import ExecutionConfig, Scenario, SubmitAt, Tape
from seatrial.contracts.venue import FeeSchedule, VenueConfig
from seatrial.engine.native import NativeEngine
from seatrial.errors import InvalidConfigError
from seatrial.report.orders import OrderRow, order_rows, orders_table

START = 1_700_000_000_000_000_000
MS = 1_000_000


def quote(at: int, symbol: str, bid: str, ask: str) -> Quote:
    """Return a quote with 60 units on either side, `at` ms after the start."""
    return Quote(START + at * MS, symbol, Decimal(bid), Decimal(ask), Decimal(60), Decimal(60))


def order(order_id: str, symbol: str, quantity: int, at: int, **fields: object) -> SubmitAt:
    """Send a buy at the market unless told otherwise."""
    now = START + at * MS
    given: dict[str, object] = {"side": OrderSide.BUY, "order_type": OrderType.MARKET, **fields}
    one = Order(order_id=order_id, symbol=symbol, quantity=quantity, created_at=now, **given)  # type: ignore[arg-type]
    return SubmitAt(now, (one,))


@pytest.fixture(scope="module")
def record() -> RunRecord:
    """Run four orders of two strategies in two symbols: filled in two parts, refused, resting, and in flight."""
    rows = (
        quote(0, "X", "9.99", "10.00"),
        quote(1, "Y", "4.99", "5.00"),
        quote(100, "X", "10.00", "10.01"),
        quote(900, "X", "10.00", "10.01"),
    )
    script = (
        order("B-1", "X", 100, 10, strategy_id="B"),
        order("A-1", "Y", 3_000, 20, strategy_id="A"),
        order("A-2", "Y", 10, 20, strategy_id="A", order_type=OrderType.LIMIT, limit_price=Decimal("4.50")),
        order("A-10", "X", 1, 880, strategy_id="A"),
    )
    venue = VenueConfig(fees=FeeSchedule(per_share=Decimal("0.01")))
    execution = ExecutionConfig(initial_cash=Decimal(10_000), latency=LATENCY_NORMAL, venue=venue)
    whole = NativeEngine().run(
        Scenario(tape=Tape(rows=rows), script=script, execution=execution, stop=START + 900 * MS)
    )
    assert [one.order_id for one in whole.orders] != ["B-1", "A-1", "A-2", "A-10"]
    return whole


def test_each_order_is_a_row_in_the_order_of_sending(record: RunRecord) -> None:
    """Ids stand by when their orders left, not by how they ended or how their names sort."""
    rows = order_rows(record)

    assert [row.order_id for row in rows] == ["B-1", "A-1", "A-2", "A-10"]
    assert [(row.time - START) // MS for row in rows] == [10, 20, 20, 880]
    statuses = [OrderStatus.FILLED, OrderStatus.REJECTED, OrderStatus.SUBMITTED, OrderStatus.PENDING_SUBMIT]
    assert [row.status for row in rows] == statuses


def test_row_has_the_terms_and_what_became_of_them(record: RunRecord) -> None:
    """Two fills, 60 at 10.00 and 40 at 10.01: the mean price and the fees are exact."""
    bought, refused, resting, _ = order_rows(record)

    assert (bought.symbol, bought.side, bought.order_type) == ("X", OrderSide.BUY, OrderType.MARKET)
    assert (bought.quantity, bought.filled) == (Decimal(100), Decimal(100))
    assert (bought.avg_price, bought.fees, bought.reason) == (Decimal("10.004"), Decimal(1), None)
    assert (refused.reason, refused.filled, refused.avg_price) == (RejectionReason.INSUFFICIENT_FUNDS, Decimal(0), None)
    assert (resting.limit_price, resting.stop_price, resting.price) == (Decimal("4.50"), None, "4.50")


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        ({"symbol": "X"}, ["B-1", "A-10"]),
        ({"strategy": "A"}, ["A-1", "A-2", "A-10"]),
        ({"status": "filled"}, ["B-1"]),
        ({"status": OrderStatus.PENDING_SUBMIT}, ["A-10"]),
        ({"symbol": "Y", "strategy": "A", "status": "submitted"}, ["A-2"]),
        ({"symbol": "Y", "strategy": "B"}, []),
    ],
)
def test_filters_hold_together(record: RunRecord, wanted: dict[str, str], found: list[str]) -> None:
    """A row is shown where it fits every filter given."""
    assert [row.order_id for row in order_rows(record, **wanted)] == found


def test_status_that_does_not_exist_is_an_error(record: RunRecord) -> None:
    """A misspelt status would find nothing; it is refused with those there are."""
    with pytest.raises(
        InvalidConfigError, match=r"status='open': give one of new, pending_submit, submitted, .*expired"
    ):
        order_rows(record, status="open")


def test_order_that_nothing_happened_to_comes_last(record: RunRecord) -> None:
    """Another engine may know an order that never left: its time is when it was made."""
    [fresh] = order("C-1", "X", 1, 5).orders

    rows = order_rows(msgspec.structs.replace(record, orders=(fresh, *record.orders)))

    assert (rows[-1].order_id, rows[-1].time, rows[-1].status) == ("C-1", START + 5 * MS, OrderStatus.NEW)


def test_rows_are_json(record: RunRecord) -> None:
    """Rows come back equal from JSON, their amounts as exact strings."""
    rows = order_rows(record)

    text = msgspec.json.encode(rows)

    assert msgspec.json.decode(text, type=list[OrderRow]) == rows
    assert b'"avg_price":"10.004"' in text


def test_table_shows_every_row(record: RunRecord) -> None:
    """On a wide terminal each order is a line with all of it."""
    out = StringIO()

    Console(file=out, width=160).print(orders_table(order_rows(record)))

    lines = [" ".join(line.split()) for line in out.getvalue().splitlines()]
    assert lines[0] == "time order side symbol type quantity price filled at fees status reason"
    assert lines[2:] == [
        "2023-11-14T22:13:20.010Z B-1 buy X market 100 - 100 10.004 1.00 filled",
        "2023-11-14T22:13:20.020Z A-1 buy Y market 3000 - 0 - 0.00 rejected insufficient_funds",
        "2023-11-14T22:13:20.020Z A-2 buy Y limit 10 4.50 0 - 0.00 submitted",
        "2023-11-14T22:13:20.880Z A-10 buy X market 1 - 0 - 0.00 pending_submit",
    ]

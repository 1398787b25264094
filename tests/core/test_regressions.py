"""What was wrong once and was mended: one test for each, so that it stays mended."""

from __future__ import annotations

from datetime import UTC, datetime, time
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest

from seatrial import (
    AccountType,
    Bar,
    Constant,
    ExecutionSimulator,
    FeeSchedule,
    Instrument,
    LatencyConfig,
    Liquidity,
    Order,
    OrderSide,
    OrderStatus,
    OrderType,
    Quote,
    Rejection,
    RejectionReason,
    TimeInForce,
    Trade,
    Uniform,
    VenueConfig,
)
from seatrial.clock import to_ns
from seatrial.contracts.calendar import WeeklyCalendar
from seatrial.contracts.events import (
    CancelRefused,
    ModifyRefused,
    ModifyRequested,
    OrderAccepted,
    OrderChange,
    OrderEvent,
    OrderExecution,
    OrderReplaced,
    OrderSubmitted,
)
from seatrial.contracts.rejection import RefusedBy
from seatrial.errors import InvalidMarketDataError, InvalidOrderError, InvalidTransition, UnknownOrderError
from seatrial.gate.gate import ExecutionGate

if TYPE_CHECKING:
    from collections.abc import Callable

BUY, SELL = OrderSide.BUY, OrderSide.SELL
LEGS = LatencyConfig(submit=Constant(10), ack=Constant(3), fill=Constant(20), cancel=Constant(7), modify=Constant(12))
DRAWN = LatencyConfig(
    submit=Uniform(1, 9), ack=Uniform(1, 9), fill=Uniform(1, 9), cancel=Uniform(1, 9), modify=Uniform(1, 9)
)
NEW_YORK = WeeklyCalendar(zone="America/New_York", opens=time(9, 30), closes=time(16, 0))
# In March 2013 New York moved to summer time on Sunday the 10th: Friday's close is 21:00 UTC, Monday's 20:00 UTC.
FRIDAY = to_ns(datetime(2013, 3, 8, 21, tzinfo=UTC))
FRIDAY_EVENING = to_ns(datetime(2013, 3, 8, 22, tzinfo=UTC))
MONDAY_EARLY = to_ns(datetime(2013, 3, 11, 12, tzinfo=UTC))
MONDAY_OPEN = to_ns(datetime(2013, 3, 11, 13, 30, tzinfo=UTC))
MONDAY = to_ns(datetime(2013, 3, 11, 20, tzinfo=UTC))


def _d(value: str) -> Decimal:
    return Decimal(value)


def _sim(latency: LatencyConfig | None = None, instruments: tuple[Instrument, ...] = (), **config: Any) -> Any:
    """Return a margin account of a million, so that money is never the question."""
    return ExecutionSimulator(
        initial_cash=1_000_000,
        latency_config=latency or LatencyConfig(),
        instruments=instruments,
        venue_config=VenueConfig(account_type=AccountType.MARGIN, **config),
    )


def _order(order_id: str = "a", side: OrderSide = BUY, limit: str | None = None, **fields: Any) -> Order:
    return Order(
        order_id=order_id,
        symbol=fields.pop("symbol", "X"),
        side=side,
        order_type=OrderType.MARKET if limit is None else OrderType.LIMIT,
        quantity=fields.pop("quantity", 10),
        created_at=0,
        limit_price=None if limit is None else _d(limit),
        **fields,
    )


def _bar(end: int, prices: str, symbol: str = "X", volume: str | None = None, start: int | None = None) -> Bar:
    opened, high, low, close = (_d(price) for price in prices.split())
    return Bar(end, symbol, opened, high, low, close, None if volume is None else _d(volume), start)


def _fills(sim: ExecutionSimulator, order_id: str = "a") -> list[tuple[int, Decimal]]:
    return [(fill.timestamp, fill.price) for fill in sim.get_order(order_id).executions]


# -- where a bar without a start begins --------------------------------------------------------------------------------


def _daily() -> ExecutionSimulator:
    sim: ExecutionSimulator = _sim(instruments=(Instrument(symbol="X", calendar=NEW_YORK),))
    sim.process_bar(_bar(FRIDAY, "100 101 99 100"))
    return sim


def test_an_order_sent_before_mondays_opening_trades_at_mondays_open() -> None:
    """The bar begins at 09:30 in New York, so what came at 08:00 was there in time."""
    sim = _daily()

    sim.submit_order(_order(), MONDAY_EARLY)
    sim.process_bar(_bar(MONDAY, "105 106 104 105"))

    assert _fills(sim) == [(MONDAY_OPEN, _d("105"))]


def test_an_order_that_ended_on_friday_evening_misses_mondays_gap() -> None:
    """A weekend belongs to no bar: at Monday's open the order is long expired."""
    sim = _daily()

    order = _order(limit="95", time_in_force=TimeInForce.GTD, expire_at=FRIDAY_EVENING)
    sim.submit_order(order, FRIDAY)
    sim.process_bar(_bar(MONDAY, "90 91 89 90"))

    assert sim.get_order("a").status is OrderStatus.EXPIRED
    assert _fills(sim) == []
    assert sim.get_order("a").events[-1].timestamp == FRIDAY_EVENING


@pytest.mark.parametrize(
    "shown",
    [Trade(100, "X", Decimal(50), Decimal(4)), Quote(100, "X", Decimal(50), Decimal(50), Decimal(2), Decimal(2))],
    ids=["trade", "quote"],
)
def test_a_bar_begins_no_earlier_than_the_last_price_before_it(shown: Trade | Quote) -> None:
    """What was shown at 100 is over: the bar (100, 400] opens at 100 and has its low at 200, not at 160 as from 40."""
    sim = _sim(participation=_d("0.5"))
    sim.process_bar(_bar(40, "50 50 50 50"))

    sim.submit_order(_order(quantity=5), 60)
    sim.submit_order(_order("low", limit="49.5"), 60)
    sim.process(shown)
    sim.process_bar(_bar(400, "50 51 49 50", volume="100"))

    fills = [(fill.timestamp, fill.quantity) for fill in sim.get_order("a").executions]
    assert fills == [(100, 2), (100, 3)]
    assert _fills(sim, "low") == [(200, _d("49.5"))]


# -- what market data refuses ------------------------------------------------------------------------------------------


def _quote_at(ts: Any) -> object:
    return Quote(ts, "X", Decimal(1), Decimal(2))


def _trade_at(ts: Any) -> object:
    return Trade(ts, "X", Decimal(1))


def _bar_at(ts: Any) -> object:
    return Bar(ts, "X", Decimal(1), Decimal(1), Decimal(1), Decimal(1))


def _bar_from(ts: Any) -> object:
    return Bar(1 << 60, "X", Decimal(1), Decimal(1), Decimal(1), Decimal(1), start=ts)


@pytest.mark.parametrize("build", [_quote_at, _trade_at, _bar_at, _bar_from])
@pytest.mark.parametrize("ts", [1.0, datetime(2024, 1, 2, tzinfo=UTC), -1, "1", True, 1 << 70])
def test_market_data_refuses_a_time_that_is_no_int_ns(build: Callable[[Any], object], ts: Any) -> None:
    """Only an int of UNIX ns UTC from zero on is a time."""
    with pytest.raises(InvalidMarketDataError) as caught:
        build(ts)

    assert caught.value.symbol == "X"


def _seen(sim: ExecutionSimulator) -> object:
    return sim.now, tuple(sim.events), sim.cash, dict(sim.positions), sim.gate.next_due(), sim.get_account_value()


@pytest.mark.parametrize(
    "bars",
    [
        (_bar(200, "50 51 49 50", start=99),),
        (_bar(200, "50 51 49 50", "Y"), _bar(200, "50 51 49 50", start=99)),
        (_bar(200, "50 51 49 50"), _bar(200, "50 51 49 50")),
        (_bar(200, "50 51 49 50"), _bar(200, "50 51 49 50", "Y"), _bar(200, "50 50 50 50")),
    ],
    ids=["overlaps", "second-overlaps", "twice", "twice-apart"],
)
def test_bars_that_overlap_or_come_twice_are_refused_and_change_nothing(bars: tuple[Bar, ...]) -> None:
    """A refused step leaves time, orders and money as they were, and the next good step goes on as if it never was."""
    sim = _sim(LEGS)
    sim.process_bar(_bar(100, "50 51 49 50"))
    sim.submit_order(_order(), 105)
    before = _seen(sim)

    with pytest.raises(InvalidMarketDataError):
        sim.process_bars(bars)

    assert _seen(sim) == before
    sim.process_bar(_bar(200, "52 53 51 52"))
    sim.advance(300)
    assert _fills(sim) == [(115, _d("52"))]


# -- cancels and what is kept of ended orders --------------------------------------------------------------------------


@pytest.mark.parametrize("partly", [False, True])
@pytest.mark.parametrize("latency", [LatencyConfig(), LEGS], ids=["instant", "legs"])
def test_a_cancel_that_succeeded_is_answered(latency: LatencyConfig, partly: bool) -> None:
    """No cancel is pending on an order that its own cancel has ended, partly filled or not."""
    sim = _sim(latency)
    size = _d("4") if partly else _d("0")
    sim.process_quote(Quote(10, "X", _d("49"), _d("50"), size, size))
    sim.submit_order(_order(limit="50"), 20)
    sim.advance(100)

    sim.cancel_order("a", 100)
    sim.advance(200)

    order = sim.get_order("a")
    assert order.status is OrderStatus.CANCELLED
    assert order.filled_quantity == (4 if partly else 0)
    assert (order.pending_cancels, order.pending_modifies, order.in_flight) == (0, 0, False)


@pytest.mark.parametrize("latency", [LatencyConfig(), LEGS, DRAWN], ids=["instant", "legs", "drawn"])
def test_the_wire_keeps_nothing_of_ended_orders(latency: LatencyConfig) -> None:
    """Filled, cancelled, refused, expired, too late: once all have ended, no order's counts are left."""
    sim = _sim(latency)
    sim.process_quote(Quote(10, "X", _d("49"), _d("50")))

    sim.submit_order(_order("filled"), 20)
    sim.submit_order(_order("rested", limit="40"), 20)
    sim.submit_order(_order("late cancel"), 20)
    sim.submit_order(_order("late modify", limit="60"), 20)
    sim.submit_order(_order("early cancel", limit="40"), 20)
    sim.submit_order(_order("expired", limit="40", time_in_force=TimeInForce.GTD, expire_at=500), 20)
    sim.submit_order(_order("refused", quantity=10**9), 20)
    sim.submit_order(_order("ioc", limit="40", time_in_force=TimeInForce.IOC), 20)
    sim.submit_bracket(_order("entry"), _order("stop", SELL, "60"), _order("target", SELL, "61"), timestamp=20)
    sim.cancel_order("late cancel", 20)
    sim.cancel_order("early cancel", 20)
    sim.modify_order("late modify", 20, limit_price=_d("61"))
    sim.advance(300)
    sim.modify_order("rested", 300, limit_price=_d("41"))
    sim.cancel_order("rested", 300)
    sim.cancel_order("stop", 300)
    sim.advance(1_000)

    assert not sim.pending_orders
    assert len(sim.completed_orders) == 11
    assert not sim.gate.wire._tracks


# -- the gate alone ----------------------------------------------------------------------------------------------------


class Taker:
    """A venue that accepts and fills at once."""

    def __init__(self) -> None:
        self.gate: ExecutionGate

    def place(self, orders: tuple[Order, ...], now: int, native: object) -> None:
        for order in orders:
            self.gate.accepted(order.order_id, now)
            self.gate.filled(
                order.order_id,
                now,
                order.quantity,
                Decimal(50),
                Decimal(0),
                is_partial=False,
                liquidity=Liquidity.TAKER,
            )

    def cancel(self, order_id: str, now: int, native: object) -> None:
        self.gate.cancelled(order_id, now)

    def modify(self, order_id: str, change: OrderChange, now: int, native: object) -> None:
        self.gate.replaced(order_id, now, change)


def _gate(latency: LatencyConfig) -> ExecutionGate:
    venue = Taker()
    venue.gate = gate = ExecutionGate(venue, latency=latency)
    return gate


REFUSAL = Rejection(RejectionReason.UNKNOWN, "no", RefusedBy.VENUE)
REPORTS: dict[str, Callable[[ExecutionGate], None]] = {
    "accepted": lambda gate: gate.accepted("ghost", 5),
    "rejected": lambda gate: gate.rejected("ghost", 5, REFUSAL),
    "triggered": lambda gate: gate.triggered("ghost", 5, Decimal(1)),
    "filled": lambda gate: gate.filled(
        "ghost", 5, Decimal(1), Decimal(1), Decimal(0), is_partial=False, liquidity=Liquidity.TAKER
    ),
    "replaced": lambda gate: gate.replaced("ghost", 5, OrderChange(quantity=Decimal(1))),
    "cancelled": lambda gate: gate.cancelled("ghost", 5),
    "expired": lambda gate: gate.expired("ghost", 5),
    "cancel_refused": lambda gate: gate.cancel_refused("ghost", 5, REFUSAL),
    "modify_refused": lambda gate: gate.modify_refused("ghost", 5, REFUSAL),
}


@pytest.mark.parametrize("latency", [LatencyConfig(), LEGS, DRAWN], ids=["instant", "legs", "drawn"])
@pytest.mark.parametrize("report", REPORTS)
def test_a_report_on_an_unknown_order_raises(report: str, latency: LatencyConfig) -> None:
    """An id that was never submitted is named, when it is reported or when the report arrives, and nothing is told."""
    gate = _gate(latency)

    def tell() -> None:
        REPORTS[report](gate)
        gate.advance(100)

    with pytest.raises(UnknownOrderError) as caught:
        tell()

    assert caught.value.order_id == "ghost"
    assert not gate.events
    gate.submit(_order(), 200)
    gate.advance(300)
    assert gate.get_order("a").status is OrderStatus.FILLED


def test_a_gate_that_nobody_asks_for_executions_keeps_no_list_of_them() -> None:
    """Without a simulator to fetch them, reported executions are in the orders and the log, and nowhere else."""
    gate = _gate(LEGS)

    for n in range(5):
        gate.submit(_order(f"o{n}"), n)
    gate.advance(100)

    assert len(gate.completed_orders) == 5
    assert gate.client.take_reported() == ()
    assert not gate.client.reported


# -- changes and events an order does not take -------------------------------------------------------------------------


def _after(order: Order, *events: OrderEvent) -> Order:
    for event in events:
        order = order.apply(event)
    return order


def _working(filled: str | None = None) -> Order:
    order = _after(_order(limit="50"), OrderSubmitted("a", 1, 1), OrderAccepted("a", 2, 2))
    if filled is None:
        return order
    fill = OrderExecution("a", 3, 3, "a/1", _d(filled), _d("50"), Decimal(0), True, Liquidity.MAKER)
    return order.apply(fill)


def test_a_change_takes_whole_numbers_as_decimals() -> None:
    """An int is exact, so it is converted, in every field."""
    fields = ("quantity", "limit_price", "stop_price", "trail_amount", "trail_percent")
    numbers: dict[str, Any] = dict.fromkeys(fields, 7)

    change = OrderChange(**numbers)

    assert [getattr(change, field) for field in fields] == [Decimal(7)] * 5
    assert {type(getattr(change, field)) for field in fields} == {Decimal}


@pytest.mark.parametrize("value", [5.5, "5", True, float("nan"), Decimal("NaN"), Decimal(0), 0, -5], ids=repr)
@pytest.mark.parametrize("field", ["quantity", "limit_price"])
def test_a_modify_to_what_is_no_amount_is_an_error_that_names_the_field(field: str, value: Any) -> None:
    """Nothing is sent, nothing is recorded, and the order works on."""
    sim = _sim(LEGS)
    sim.submit_order(_order(limit="50"), 10)
    sim.advance(100)
    before = sim.get_order("a")

    with pytest.raises(InvalidOrderError) as caught:
        sim.modify_order("a", 100, **{field: value})

    assert caught.value.field == field
    assert sim.get_order("a") == before
    assert sim.gate.next_due() is None


@pytest.mark.parametrize("requested", [True, False])
@pytest.mark.parametrize("quantity", ["4", "3"])
def test_an_order_is_not_replaced_below_its_fills(quantity: str, requested: bool) -> None:
    """A replacement that leaves nothing to fill would be neither working nor filled."""
    order = _working("4")
    change = OrderChange(quantity=_d(quantity))
    if requested:
        order = order.apply(ModifyRequested("a", 4, 4, change))

    with pytest.raises(InvalidTransition):
        order.apply(OrderReplaced("a", 5, 5, change, requested))

    assert order.quantity == 10


@pytest.mark.parametrize("kind", [CancelRefused, ModifyRefused])
def test_an_answer_nobody_waits_for_is_not_listed_as_allowed(kind: type[CancelRefused | ModifyRefused]) -> None:
    """The error says what the order can take, and that is not the event it just refused."""
    order = _working()

    with pytest.raises(InvalidTransition) as caught:
        order.apply(kind("a", 4, 4, REFUSAL))

    assert kind.__name__ not in caught.value.allowed
    assert "OrderExecution" in caught.value.allowed


@pytest.mark.parametrize(
    ("field", "value"),
    [("tags", "abc"), ("tags", ""), ("tags", (1,)), ("tags", 5), ("parent_id", ""), ("oco_id", ""), ("oco_id", 1)],
)
def test_tags_and_links_that_are_none_are_refused(field: str, value: Any) -> None:
    """One str is no tuple of tags, and an empty link leads nowhere."""
    with pytest.raises(InvalidOrderError) as caught:
        _order(**{field: value})

    assert caught.value.field == field


# -- time inside a bar -------------------------------------------------------------------------------------------------


def test_a_modify_inside_a_bar_is_not_overtaken_by_an_earlier_end_of_its_group() -> None:
    """The sibling fills at the open, before the modify arrived: the order's own history still runs forward."""
    sim = _sim(LatencyConfig(modify=Constant(50)))
    sim.submit_order(_order("a", limit="50", oco_id="g"), 0)
    sim.submit_order(_order("b", limit="40", oco_id="g"), 0)

    sim.modify_order("b", 0, limit_price=_d("41"))
    sim.process_bar(_bar(300, "50 51 49 50", start=0))
    sim.advance(400)

    assert _fills(sim, "a") == [(0, _d("50"))]
    order = sim.get_order("b")
    assert order.status is OrderStatus.CANCELLED
    assert [type(event).__name__ for event in order.events][-2:] == ["OrderReplaced", "OrderCancelled"]
    times = [event.timestamp for event in order.events]
    assert times == sorted(times)


# -- money -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("cash", "status", "left"), [("129.99", OrderStatus.REJECTED, "9.99"), ("130", OrderStatus.FILLED, "0")]
)
def test_a_sale_whose_commission_is_more_than_proceeds_and_cash_is_refused(
    cash: str, status: OrderStatus, left: str
) -> None:
    """A cash account does not go below zero for its fees, not even on the way out."""
    config = VenueConfig(fees=FeeSchedule(minimum=_d("20")))
    sim = ExecutionSimulator(initial_cash=_d(cash), venue_config=config)
    sim.submit_order(_order("in", quantity=1), 0)
    sim.process_market_data(10, {"X": _d("100")})
    assert sim.positions == {"X": 1}

    sim.submit_order(_order("out", SELL, quantity=1), 20)
    sim.process_market_data(30, {"X": _d("10")})

    order = sim.get_order("out")
    assert order.status is status
    assert order.rejection_reason is (RejectionReason.INSUFFICIENT_FUNDS if status is OrderStatus.REJECTED else None)
    assert sim.cash == _d(left)

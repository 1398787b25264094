"""Every contract survives JSON exactly: no digit, exponent, time or type is lost, however often it is written."""

from __future__ import annotations

from datetime import time, timedelta
from decimal import Decimal
from typing import Any, get_args

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from seatrial import (
    LATENCY_FAST,
    LATENCY_INSTANT,
    LATENCY_NORMAL,
    LATENCY_SLOW,
    AccountType,
    Bar,
    Constant,
    Convention,
    Empirical,
    FeeSchedule,
    Instrument,
    LatencyConfig,
    LimitFill,
    Liquidity,
    Lognormal,
    Order,
    OrderExecution,
    OrderSide,
    OrderType,
    Quote,
    Rejection,
    RejectionReason,
    TimeInForce,
    Trade,
    TradingState,
    Uniform,
    VenueConfig,
)
from seatrial.contracts.calendar import ALWAYS_OPEN, WeeklyCalendar
from seatrial.contracts.events import (
    AccountAdjusted,
    CancelRefused,
    CancelRequested,
    Event,
    ModifyRefused,
    ModifyRequested,
    OrderAccepted,
    OrderCancelled,
    OrderChange,
    OrderDenied,
    OrderEvent,
    OrderExpired,
    OrderRejected,
    OrderReplaced,
    OrderSubmitted,
    OrderTriggered,
    TradingStateChanged,
    encode_events,
)
from seatrial.contracts.market import MarketEvent
from seatrial.contracts.rejection import RefusedBy
from seatrial.contracts.venue import PriceImprovement
from seatrial.errors import InvalidTransition, SeatrialError

D = Decimal
T0 = 1_700_000_000_123_456_789
TRIPS = 5
REJECTION = Rejection(
    RejectionReason.RISK_RULE, "1.50 is above 1.5", RefusedBy.GATE, rule="collar", value=D("1.50"), limit=D("1.5E+2")
)


def spelling(value: Any) -> Any:
    """Return a value with every Decimal as its text, so that 1.5 and 1.50 differ."""
    if isinstance(value, Decimal):
        return f"Decimal {value}"
    if isinstance(value, msgspec.Struct):
        return (type(value).__name__, {name: spelling(one) for name, one in msgspec.structs.asdict(value).items()})
    if isinstance(value, tuple):
        return tuple(spelling(one) for one in value)
    return (type(value).__name__, value)


def assert_survives(value: Any, kind: Any) -> None:
    """Check that a value and its bytes stay the same through many round trips."""
    first = msgspec.json.encode(value)
    current = value
    for _ in range(TRIPS):
        current = msgspec.json.decode(msgspec.json.encode(current), type=kind)
        assert current == value
        assert spelling(current) == spelling(value)
        assert msgspec.json.encode(current) == first


HEAD = ("O-1", T0, T0 + 1)
EVENTS: list[Event] = [
    OrderSubmitted(*HEAD),
    OrderDenied(*HEAD, REJECTION),
    OrderAccepted(*HEAD),
    OrderRejected(*HEAD, Rejection(RejectionReason.UNKNOWN, "who knows", RefusedBy.VENUE)),
    OrderTriggered(*HEAD, D("99.990")),
    OrderExecution(*HEAD, "O-1/1", D("1.50"), D("100.00"), D("-0.0010"), is_partial=True, liquidity=Liquidity.MAKER),
    CancelRequested(*HEAD),
    CancelRefused(*HEAD, REJECTION),
    OrderCancelled(*HEAD),
    OrderCancelled(*HEAD, REJECTION),
    ModifyRequested(*HEAD, OrderChange(quantity=D("7.0"), stop_price=D("1E+2"), trail_percent=D("0.50"))),
    ModifyRefused(*HEAD, REJECTION),
    OrderReplaced(*HEAD, OrderChange(limit_price=D("0.10"), trail_amount=D("3"))),
    OrderReplaced(*HEAD, OrderChange(quantity=D("2.0")), requested=False),
    OrderExpired(*HEAD),
    AccountAdjusted(T0, T0, D("-12.30"), "interest"),
    AccountAdjusted(T0, T0 + 3, D("0.00"), "split", symbol="ACME", quantity=D("10.0")),
    TradingStateChanged(T0, T0, TradingState.HALTED, "ops", "drill"),
]
MARKET: list[MarketEvent] = [
    Quote(T0, "ACME", D("100.00"), D("100.10")),
    Quote(T0, "ACME", D("100.00"), D("100.00"), D("0"), D("12.500")),
    Trade(T0, "ACME", D("1E+3")),
    Trade(T0, "ACME", D("0.00010"), D("3.0")),
    Bar(T0, "ACME", D("10.0"), D("11.00"), D("9.000"), D("10")),
    Bar(T0, "ACME", D("10.0"), D("11.00"), D("9.000"), D("10"), volume=D("1E+6"), start=T0 - 60),
]
LATENCIES = [
    LATENCY_INSTANT,
    LATENCY_FAST,
    LATENCY_NORMAL,
    LATENCY_SLOW,
    LatencyConfig(submission_latency=timedelta(microseconds=1), fill_latency_max=timedelta(days=2, microseconds=7)),
    LatencyConfig(
        submit=Constant(123),
        ack=Uniform(0, 2**62),
        fill=Lognormal(median_ns=1_234_567, sigma=0.1 + 0.2, least_ns=89),
        cancel=Empirical.of([5, 3, 3, 9]),
        modify=Constant(),
    ),
]
INSTRUMENTS = [
    Instrument(symbol="ACME"),
    Instrument(
        symbol="ES",
        tick_size=D("0.250"),
        lot_size=D("1"),
        multiplier=D("50.0"),
        currency="EUR",
        calendar=WeeklyCalendar("America/New_York", time(9, 30), time(16, 0, 0, 1), (0, 2, 4)),
    ),
    Instrument(symbol="C", lot_size=D("1E+2"), calendar=ALWAYS_OPEN),
]
VENUES = [
    VenueConfig(),
    VenueConfig(
        account_type=AccountType.MARGIN,
        leverage=D("2.0"),
        slippage_bps=D("5.00"),
        fees=FeeSchedule(per_share=D("0.010"), bps=D("1.0"), minimum=D("1.00")),
        participation=D("0.10"),
        bar_theta=D("0.0"),
        convention=Convention.NEXT,
        limit_fill=LimitFill.THROUGH,
        price_improvement=PriceImprovement.ALWAYS,
    ),
]


@pytest.mark.parametrize("event", EVENTS, ids=lambda event: type(event).__name__)
def test_event_survives(event: Event) -> None:
    """Each kind of event comes back as its own kind, from the union of all and from its own type."""
    assert_survives(event, Event)
    assert_survives(event, type(event))


def test_every_kind_of_event_is_covered() -> None:
    """The examples name every member of the event union, and each carries its own tag in JSON."""
    kinds = {type(event) for event in EVENTS}
    tags = {msgspec.json.decode(msgspec.json.encode(event))["event"] for event in EVENTS}

    assert kinds == set(get_args(Event))
    assert len(tags) == len(kinds) == 15


@pytest.mark.parametrize("row", MARKET, ids=lambda row: type(row).__name__)
def test_market_data_survives(row: MarketEvent) -> None:
    """Quotes, trades and bars come back with sizes, absent ones too, as they were."""
    assert_survives(row, MarketEvent)


@pytest.mark.parametrize("config", LATENCIES)
def test_latency_config_survives(config: LatencyConfig) -> None:
    """Profiles and custom legs of every distribution come back to the nanosecond; custom never turns into instant."""
    assert_survives(config, LatencyConfig)


@pytest.mark.parametrize("instrument", INSTRUMENTS, ids=lambda one: one.symbol)
def test_instrument_survives(instrument: Instrument) -> None:
    """Steps keep their exponents and the calendar its kind, zone and hours."""
    assert_survives(instrument, Instrument)


@pytest.mark.parametrize("config", VENUES)
def test_venue_config_survives(config: VenueConfig) -> None:
    """Every convention and cost of the venue comes back."""
    assert_survives(config, VenueConfig)


def test_rejection_survives() -> None:
    """A rejection keeps who refused, the rule, the value and the limit."""
    assert_survives(REJECTION, Rejection)


@pytest.mark.parametrize(
    "text", ["1.50", "1.5", "1", "1.000", "1E+2", "100", "0.1E-7", "123456789012345678901234.5678"]
)
def test_exponents_are_kept(text: str) -> None:
    """Money is a JSON string spelt as its Decimal: 1.50 stays 1.50 and is never a float on the way."""
    order = Order(
        order_id="O-1",
        symbol="ACME",
        side=OrderSide.BUY,
        order_type=OrderType.LIMIT,
        quantity=D(text),
        created_at=T0,
        limit_price=D(text),
    )

    raw = msgspec.json.decode(msgspec.json.encode(order))

    assert raw["quantity"] == raw["limit_price"] == str(D(text))
    assert raw["created_at"] == T0
    assert_survives(order, Order)


@pytest.mark.parametrize(
    ("kind", "raw"),
    [
        (LatencyConfig, b'{"submit":{"distribution":"constant","delay_ns":-1}}'),
        (LatencyConfig, b'{"fill":{"distribution":"uniform","low_ns":5,"high_ns":4}}'),
        (VenueConfig, b'{"bar_theta":"1.1"}'),
        (Instrument, b'{"symbol":"A","tick_size":"0"}'),
        (Quote, b'{"data":"quote","ts":1,"symbol":"A","bid":"2","ask":"1"}'),
        (
            Order,
            b'{"order_id":"O","symbol":"A","side":"buy","order_type":"limit","quantity":"1","created_at":1}',
        ),
    ],
)
def test_reading_checks_what_building_checks(kind: type, raw: bytes) -> None:
    """What could not be built cannot be smuggled in through JSON."""
    with pytest.raises((msgspec.ValidationError, SeatrialError)):
        msgspec.json.decode(raw, type=kind)


def test_event_log_is_one_event_a_line() -> None:
    """A log reads back line by line into the same events, and the same events give the same bytes."""
    raw = encode_events(EVENTS)

    lines = raw.splitlines()
    assert [msgspec.json.decode(line, type=Event) for line in lines] == EVENTS
    assert encode_events(tuple(EVENTS)) == raw


# -- orders with any legal history -------------------------------------------------------------------------------------

PRICE = st.decimals("0.0001", "99999", places=4) | st.decimals("1", "9999", places=2) | st.sampled_from([D("1E+2")])
QUANTITY = st.decimals("0.001", "1000", places=3) | st.sampled_from([D("1.50"), D("10"), D("1E+1")])
REASONS = st.builds(
    Rejection,
    st.sampled_from(RejectionReason),
    st.text(max_size=20),
    st.sampled_from(RefusedBy),
    st.none() | st.text(min_size=1, max_size=8),
    st.none() | PRICE,
    st.none() | PRICE,
)
SHAPES: dict[OrderType, tuple[str, ...]] = {
    OrderType.MARKET: (),
    OrderType.LIMIT: ("limit_price",),
    OrderType.STOP: ("stop_price",),
    OrderType.STOP_LIMIT: ("stop_price", "limit_price"),
    OrderType.TRAILING_STOP: ("trail_amount",),
    OrderType.TRAILING_STOP_LIMIT: ("trail_amount", "limit_offset"),
    OrderType.MARKET_ON_CLOSE: (),
    OrderType.MARKET_IF_TOUCHED: ("stop_price",),
    OrderType.LIMIT_IF_TOUCHED: ("stop_price", "limit_price"),
    OrderType.MARKET_TO_LIMIT: (),
    OrderType.NATIVE: (),
}
KINDS = (
    OrderSubmitted,
    OrderDenied,
    OrderAccepted,
    OrderRejected,
    OrderTriggered,
    OrderExecution,
    CancelRequested,
    CancelRefused,
    OrderCancelled,
    ModifyRequested,
    ModifyRefused,
    OrderReplaced,
    OrderExpired,
)
LIKELY = (OrderSubmitted, OrderAccepted, OrderExecution, CancelRequested, ModifyRequested, OrderReplaced, CancelRefused)


@st.composite
def new_orders(draw: st.DrawFn) -> Order:
    """Draw a valid new order of any type."""
    kind = draw(st.sampled_from(OrderType))
    prices: dict[str, Any] = {field: draw(PRICE) for field in SHAPES[kind]}
    native = draw(st.text("abc", min_size=1, max_size=4)) if kind is OrderType.NATIVE else None
    tif = draw(st.sampled_from([TimeInForce.GTC, TimeInForce.DAY, TimeInForce.GTD]))
    return Order(
        order_id="O-1",
        symbol=draw(st.sampled_from(["ACME", "ÅÄÖ", 'quo"te'])),
        side=draw(st.sampled_from(OrderSide)),
        order_type=kind,
        quantity=draw(QUANTITY),
        created_at=draw(st.integers(0, 2**63 - 1)),
        time_in_force=tif,
        expire_at=T0 if tif is TimeInForce.GTD else None,
        parent_id=draw(st.none() | st.just("O-0")),
        oco_id=draw(st.none() | st.just("G")),
        reduce_only=draw(st.booleans()),
        tags=draw(st.lists(st.text(max_size=5), max_size=3)),
        native_type=native,
        **prices,
    )


@st.composite
def events_for(draw: st.DrawFn, order: Order) -> OrderEvent:
    """Draw some event of the order; the order may still refuse it."""
    kind: Any = draw(st.sampled_from(LIKELY) | st.sampled_from(KINDS))
    at = draw(st.integers(0, 2**62))
    head = (order.order_id, at, at + draw(st.integers(0, 10**9)))
    if kind is OrderExecution:
        part = draw(st.sampled_from([D(1), D("0.5"), D("0.25")]))
        quantity, price, fee = order.remaining_quantity * part, draw(PRICE), draw(PRICE)
        side = draw(st.sampled_from(Liquidity))
        return OrderExecution(*head, "E", quantity, price, fee, is_partial=part < 1, liquidity=side)
    if kind is OrderTriggered:
        return OrderTriggered(*head, draw(PRICE))
    body: tuple[Any, ...] = ()
    if kind in {ModifyRequested, OrderReplaced}:
        body = (OrderChange(quantity=order.quantity + draw(QUANTITY)),)
    if kind in {OrderDenied, OrderRejected, CancelRefused, ModifyRefused}:
        body = (draw(REASONS),)
    event: OrderEvent = kind(*head, *body)
    return event


@st.composite
def orders_with_histories(draw: st.DrawFn) -> Order:
    """Draw an order that has been through a random legal history."""
    order = draw(new_orders())
    for _ in range(draw(st.integers(0, 10))):
        try:
            order = order.apply(draw(events_for(order)))
        except InvalidTransition:
            continue
    return order


@settings(deadline=None, derandomize=True, max_examples=150)
@given(order=orders_with_histories())
def test_order_with_any_history_survives(order: Order) -> None:
    """An order comes back equal, with its whole history, and goes on from there as the first one would."""
    assert_survives(order, Order)

    again = msgspec.json.decode(msgspec.json.encode(order), type=Order)
    assert again.executions == order.executions
    assert (again.stage, again.avg_fill_price, again.rejection) == (order.stage, order.avg_fill_price, order.rejection)
    for kind in (CancelRequested, OrderCancelled, OrderSubmitted):
        event = kind("O-1", T0, T0)
        try:
            after = order.apply(event)
        except InvalidTransition:
            with pytest.raises(InvalidTransition):
                again.apply(event)
        else:
            assert again.apply(event) == after


@settings(deadline=None, derandomize=True, max_examples=100)
@given(
    delays=st.lists(st.integers(0, 2**62), min_size=1, max_size=5),
    sigma=st.floats(0, 10, allow_nan=False),
    span=st.timedeltas(timedelta(0), timedelta(days=100)),
)
def test_any_latency_config_survives(delays: list[int], sigma: float, span: timedelta) -> None:
    """Delays, spreads and timedeltas of any size come back exactly."""
    config = LatencyConfig(
        submission_latency=span,
        fill=Lognormal(delays[0], sigma, delays[-1]),
        cancel=Empirical.of(delays),
        ack=Uniform(min(delays), max(delays)),
    )
    assert_survives(config, LatencyConfig)


def test_check_notices_a_lost_exponent() -> None:
    """The comparison used above tells 1.50 from 1.5, though they are equal."""
    exact, cut = Trade(T0, "ACME", D("1.50")), Trade(T0, "ACME", D("1.5"))
    assert exact == cut
    assert spelling(exact) != spelling(cut)

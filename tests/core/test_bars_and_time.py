"""Bars as paths in time, what is due between sparse data, and the four profiles end to end."""

from __future__ import annotations

from datetime import UTC, datetime, time
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest

from seatrial import (
    LATENCY_FAST,
    LATENCY_INSTANT,
    LATENCY_NORMAL,
    LATENCY_SLOW,
    AccountType,
    Bar,
    Constant,
    Convention,
    ExecutionSimulator,
    Instrument,
    LatencyConfig,
    Order,
    OrderExecution,
    OrderSide,
    OrderStatus,
    OrderType,
    Quote,
    SeatrialError,
    TimeInForce,
    Trade,
    VenueConfig,
)
from seatrial.clock import to_ns
from seatrial.contracts.calendar import WeeklyCalendar
from seatrial.contracts.events import (
    CancelRefused,
    CancelRequested,
    Event,
    OrderAccepted,
    OrderCancelled,
    OrderDenied,
    OrderExpired,
    OrderSubmitted,
    TradingStateChanged,
)
from seatrial.errors import ClockError, InvalidMarketDataError, InvalidTimeError, ReentrantCallError

if TYPE_CHECKING:
    from collections.abc import Callable

T0 = 1_000_000
MS = 1_000_000
BUY, SELL = OrderSide.BUY, OrderSide.SELL
LEGS = LatencyConfig(submit=Constant(10), ack=Constant(3), fill=Constant(20), cancel=Constant(7))
NEW_YORK = WeeklyCalendar(zone="America/New_York", opens=time(9, 30), closes=time(16, 0))
# In March 2013 New York moved to summer time on Sunday the 10th: Friday's close is 21:00 UTC, Monday's 20:00 UTC.
THURSDAY = to_ns(datetime(2013, 3, 7, 21, tzinfo=UTC))
FRIDAY = to_ns(datetime(2013, 3, 8, 21, tzinfo=UTC))
MONDAY = to_ns(datetime(2013, 3, 11, 20, tzinfo=UTC))
TUESDAY = to_ns(datetime(2013, 3, 12, 20, tzinfo=UTC))


def _d(value: str) -> Decimal:
    return Decimal(value)


def _sim(
    latency: LatencyConfig | None = None, instruments: tuple[Instrument, ...] = (), seed: int = 0, **config: Any
) -> ExecutionSimulator:
    """Return a margin account of a million, so that money is never the question."""
    return ExecutionSimulator(
        initial_cash=1_000_000,
        latency_config=latency or LatencyConfig(),
        instruments=instruments,
        seed=seed,
        venue_config=VenueConfig(account_type=AccountType.MARGIN, **config),
    )


def _daily() -> ExecutionSimulator:
    return _sim(instruments=(Instrument(symbol="X", calendar=NEW_YORK),))


def _order(order_id: str, side: OrderSide = BUY, limit: str | None = None, **fields: Any) -> Order:
    kind = fields.pop("kind", OrderType.MARKET if limit is None else OrderType.LIMIT)
    return Order(
        order_id=order_id,
        symbol=fields.pop("symbol", "X"),
        side=side,
        order_type=kind,
        quantity=10,
        created_at=T0,
        limit_price=None if limit is None else _d(limit),
        **fields,
    )


def _bar(start: int | None, end: int, prices: str, symbol: str = "X") -> Bar:
    opened, high, low, close = (_d(price) for price in prices.split())
    return Bar(end, symbol, opened, high, low, close, start=start)


def _quote(ts: int, bid: str, ask: str) -> Quote:
    return Quote(ts, "X", _d(bid), _d(ask))


def _fills(sim: ExecutionSimulator, order_id: str = "a") -> list[tuple[int, Decimal]]:
    return [(fill.timestamp, fill.price) for fill in sim.get_order(order_id).executions]


def _status(sim: ExecutionSimulator, order_id: str = "a") -> OrderStatus:
    return sim.get_order(order_id).status


@pytest.mark.parametrize(
    ("prices", "first"),
    [
        ("100 104 98 101", "stop"),  # the low is nearer to the open
        ("100 102 96 101", "target"),  # the high is nearer
        ("100 103 97 101", "stop"),  # equally far: the low first, which hurts a long position
        ("100 100 97 98", "stop"),
        ("100 103 100 101", "target"),
    ],
)
def test_a_bar_visits_its_nearer_extreme_first(prices: str, first: str) -> None:
    """A stop and a target of one group within one bar: the nearer extreme decides which of them fills."""
    sim = _sim()
    sim.submit_order(_order("hold"), T0)
    sim.process_bar(_bar(T0, T0 + 30, "100 100 100 100"))
    sim.submit_order(_order("target", SELL, "101.5", oco_id="g"), T0 + 30)
    sim.submit_order(_order("stop", SELL, kind=OrderType.STOP, stop_price=_d("98.5"), oco_id="g"), T0 + 30)

    sim.process_bar(_bar(T0 + 30, T0 + 60, prices))

    filled = [name for name in ("target", "stop") if _status(sim, name) is OrderStatus.FILLED]
    assert filled == [first]
    assert _fills(sim, first)[0][1] == _d("98.5" if first == "stop" else "101.5")


@pytest.mark.parametrize(
    ("side", "limit", "at", "price"),
    [
        (BUY, None, 0, "100"),
        (BUY, "98.5", 100, "98.5"),
        (SELL, "105", 200, "105"),
        (SELL, "100.5", 200, "100.5"),
    ],
)
def test_fills_within_a_bar_carry_the_time_of_their_stretch(
    side: OrderSide, limit: str | None, at: int, price: str
) -> None:
    """Over 300 ns: the open at 0, the low by 100, the high by 200."""
    sim = _sim()
    sim.submit_order(_order("a", side, limit), T0)

    sim.process_bar(_bar(T0, T0 + 300, "100 106 98 102"))

    assert _fills(sim) == [(T0 + at, _d(price))]


def test_a_bar_without_a_start_begins_where_the_last_one_ended() -> None:
    """The first begins at the time reached, the second at the end of the first."""
    sim = _sim()
    sim.advance(T0)
    sim.submit_order(_order("a"), T0)

    sim.process_bar(_bar(None, T0 + 90, "100 101 99 100"))
    sim.submit_order(_order("b"), T0 + 90)
    sim.process_bar(_bar(None, T0 + 190, "105 106 104 105"))

    assert _fills(sim, "a") == [(T0, _d("100"))]
    assert _fills(sim, "b") == [(T0 + 90, _d("105"))]


@pytest.mark.parametrize(
    ("theta", "arrival", "takes_part"),
    [
        ("0", 0, True),
        ("0", 1, False),
        ("0", 50, False),
        ("0.5", 0, True),
        ("0.5", 50, True),
        ("0.5", 51, False),
        ("0.5", 100, False),
        ("1", 51, True),
        ("1", 99, True),
        ("0.25", 25, True),
        ("0.25", 26, False),
    ],
)
def test_what_arrives_by_theta_trades_from_the_open_else_from_the_next_bar(
    theta: str, arrival: int, takes_part: bool
) -> None:
    """A bar of 100 ns opens at 100, the next at 200: who arrives by start + theta * 100 gets the first open."""
    sim = _sim(LatencyConfig(submit=Constant(arrival)), bar_theta=_d(theta))
    sim.submit_order(_order("a"), T0)

    sim.process_bar(_bar(T0, T0 + 100, "100 110 90 105"))
    first = _fills(sim)
    sim.process_bar(_bar(T0 + 100, T0 + 200, "200 210 190 205"))

    assert first == ([(T0 + arrival, _d("100"))] if takes_part else [])
    assert _fills(sim) == [(T0 + arrival, _d("100")) if takes_part else (T0 + 100, _d("200"))]


@pytest.mark.parametrize(("arrival", "filled"), [(50, False), (51, True)])
def test_a_cancel_takes_part_in_a_bar_by_the_same_rule(arrival: int, filled: bool) -> None:
    """Arrived by half of the bar it ends the order before the bar; later, the bar's fill stands and it is too late."""
    sim = _sim(LatencyConfig(cancel=Constant(arrival)))
    sim.submit_order(_order("a", BUY, "95"), T0)
    sim.cancel_order("a", T0)

    sim.process_bar(_bar(T0, T0 + 100, "100 110 90 105"))

    assert _status(sim) is (OrderStatus.FILLED if filled else OrderStatus.CANCELLED)
    assert isinstance(sim.get_order("a").events[-1], CancelRefused) is filled


@pytest.mark.parametrize("convention", [None, Convention.NEXT, Convention.STANDING])
@pytest.mark.parametrize("theta", ["0", "0.5", "1"])
def test_a_reaction_inside_a_bar_trades_only_from_the_next_one(theta: str, convention: Convention | None) -> None:
    """A listener answers a fill at one third of the bar at once; the rest of that bar is not for its order."""
    sim = _sim(bar_theta=_d(theta), convention=convention)

    def react(event: Event, order: Order | None) -> None:
        if isinstance(event, OrderExecution) and event.order_id == "a":
            sim.submit_order(_order("b", SELL), sim.now)
            sim.submit_order(_order("c", SELL, "101"), sim.now)

    sim.add_listener(react)
    sim.submit_order(_order("a", BUY, "99"), T0)
    sim.process_bar(_bar(T0, T0 + 30, "100 105 98 102"))
    within = (_fills(sim, "a"), _fills(sim, "b"), _fills(sim, "c"))
    sim.process_bar(_bar(T0 + 30, T0 + 60, "104 104 104 104"))

    assert within == ([(T0 + 10, _d("99"))], [], [])
    assert _fills(sim, "b") == [(T0 + 30, _d("104"))]
    assert _fills(sim, "c") == [(T0 + 30, _d("104"))]


def test_an_order_that_arrives_late_in_a_bar_does_not_know_its_close() -> None:
    """STANDING on bars: who arrives at 60 of 100 may not trade, at 60, at the close that stands from 100 on."""
    sim = _sim(LatencyConfig(submit=Constant(60)), convention=Convention.STANDING)
    sim.process_bar(_bar(T0 - 100, T0, "100 100 100 100"))
    sim.submit_order(_order("a"), T0)

    sim.process_bar(_bar(T0, T0 + 100, "100 120 100 120"))

    assert (T0 + 60, _d("120")) not in _fills(sim)


def test_reports_from_inside_a_bar_are_heard_at_their_own_time() -> None:
    """Matched at +100 and +200 of 300, reported 150 later: the first is heard within the bar, the second after it."""
    sim = _sim(LatencyConfig(fill=Constant(150)))
    heard: list[tuple[str, int, int]] = []

    def listen(event: Event, order: Order | None) -> None:
        if isinstance(event, OrderExecution):
            heard.append((event.order_id, sim.now, event.reported_at))

    sim.add_listener(listen)
    sim.submit_order(_order("low", BUY, "98.5"), T0)
    sim.submit_order(_order("high", SELL, "105"), T0)

    by_end = sim.process_bar(_bar(T0, T0 + 300, "100 106 98 102"))
    later = sim.advance(T0 + 350)

    assert [fill.order_id for fill in by_end] == ["low"]
    assert [fill.order_id for fill in later] == ["high"]
    assert heard == [("low", T0 + 250, T0 + 250), ("high", T0 + 350, T0 + 350)]


@pytest.mark.parametrize("delay", [0, 10])
def test_time_as_heard_never_runs_backwards_over_bars(delay: int) -> None:
    """An order rests; the client does something in the middle of the next bar, which then fills it at its open."""
    sim = _sim(LatencyConfig(submit=Constant(delay)))
    sim.process_bar(_bar(T0, T0 + 100, "100 100 100 100"))
    sim.submit_order(_order("a", BUY, "95"), T0 + 100)
    sim.process_bar(_bar(T0 + 100, T0 + 200, "100 100 100 100"))
    sim.submit_order(_order("b", BUY, "80"), T0 + 250)

    sim.process_bar(_bar(T0 + 200, T0 + 300, "90 91 89 90"))

    heard = [event.reported_at for event in sim.events]
    assert _fills(sim, "a")[0][1] == _d("95")
    assert heard == sorted(heard)


def test_bars_of_several_symbols_are_one_step_in_time_order() -> None:
    """X fills at two thirds, Y at one third: the client hears of Y first; both bars are valued at their closes."""
    sim = _sim()
    sim.submit_order(_order("x", SELL, "105"), T0)
    sim.submit_order(_order("y", BUY, "49", symbol="Y"), T0)

    fills = sim.process_bars((_bar(T0, T0 + 300, "100 106 98 102"), _bar(T0, T0 + 300, "50 53 48.5 51", symbol="Y")))

    assert [(fill.order_id, fill.timestamp) for fill in fills] == [("y", T0 + 100), ("x", T0 + 200)]
    # sold 10 at 105, bought 10 at 49; short 10 at 102, long 10 at 51
    assert sim.cash == _d("1000560")
    assert sim.get_account_value() == _d("1000560") - _d("1020") + _d("510")


def test_a_reaction_to_one_symbol_waits_for_the_next_bar_of_the_other() -> None:
    """A fill in X at one third makes the client trade Y: not inside Y's bar of the same time."""
    sim = _sim()

    def react(event: Event, order: Order | None) -> None:
        if isinstance(event, OrderExecution) and event.order_id == "x":
            sim.submit_order(_order("y", symbol="Y"), sim.now)

    sim.add_listener(react)
    sim.submit_order(_order("x", BUY, "99"), T0)
    sim.process_bars((_bar(T0, T0 + 30, "100 105 98 102"), _bar(T0, T0 + 30, "50 55 48 51", symbol="Y")))
    within = _fills(sim, "y")
    sim.process_bars((_bar(T0 + 30, T0 + 60, "102 105 98 102"), _bar(T0 + 30, T0 + 60, "52 55 48 51", symbol="Y")))

    assert within == []
    assert _fills(sim, "y") == [(T0 + 30, _d("52"))]


def test_no_bars_are_no_step() -> None:
    """An empty list changes nothing."""
    sim = _sim()
    sim.advance(T0)

    assert (sim.process_bars(()), sim.now, list(sim.events)) == ((), T0, [])


def test_a_market_on_close_order_gets_the_close_of_its_session() -> None:
    """Sent over the weekend of the time change: Monday's close of 107, at 20:00 UTC."""
    sim = _daily()
    sim.process_bar(_bar(THURSDAY, FRIDAY, "100 101 99 100"))
    sim.submit_order(_order("a", kind=OrderType.MARKET_ON_CLOSE), FRIDAY + 10)

    sim.process_bar(_bar(None, MONDAY, "105 108 104 107"))

    assert _fills(sim) == [(MONDAY, _d("107"))]


def test_a_market_on_close_order_sent_at_the_close_is_for_the_next() -> None:
    """At 16:00 the session is over: the order gets Monday's close."""
    sim = _daily()
    sim.process_bar(_bar(THURSDAY, FRIDAY, "100 101 99 100"))

    sim.submit_order(_order("a", kind=OrderType.MARKET_ON_CLOSE), FRIDAY)
    sim.process_bar(_bar(None, MONDAY, "105 108 104 107"))

    assert _fills(sim) == [(MONDAY, _d("107"))]


def test_a_day_market_on_close_order_trades_before_it_expires() -> None:
    """Its day ends with the close at which it trades."""
    sim = _daily()
    sim.submit_order(_order("a", kind=OrderType.MARKET_ON_CLOSE, time_in_force=TimeInForce.DAY), THURSDAY + 10)

    sim.process_bar(_bar(THURSDAY, FRIDAY, "100 101 99 100.5"))

    assert _fills(sim) == [(FRIDAY, _d("100.5"))]


@pytest.mark.parametrize(("limit", "status"), [("99.5", OrderStatus.FILLED), ("95", OrderStatus.EXPIRED)])
def test_a_day_order_works_through_its_session_and_expires_at_the_close(limit: str, status: OrderStatus) -> None:
    """Sent on Thursday night: filled in Friday's bar, or expired at Friday's close, whatever Monday shows."""
    sim = _daily()
    sim.process_bar(_bar(None, THURSDAY, "100 100 100 100"))
    sim.submit_order(_order("a", BUY, limit, time_in_force=TimeInForce.DAY), THURSDAY + 10)

    sim.process_bar(_bar(None, FRIDAY, "100 101 99 100"))
    after = (_status(sim), sim.get_order("a").events[-1])
    sim.process_bar(_bar(None, MONDAY, "94 95 93 94"))

    assert after[0] is status
    assert _status(sim) is status
    if status is OrderStatus.EXPIRED:
        assert isinstance(after[1], OrderExpired)
        assert (after[1].timestamp, after[1].reported_at) == (FRIDAY, FRIDAY)


def test_a_day_order_sent_on_a_saturday_ends_on_monday() -> None:
    """The session after the weekend and the time change closes at 20:00 UTC."""
    sim = _daily()
    saturday = to_ns(datetime(2013, 3, 9, 12, tzinfo=UTC))
    sim.submit_order(_order("a", BUY, "50", time_in_force=TimeInForce.DAY), saturday)

    sim.advance(MONDAY - 1)
    before = _status(sim)
    sim.advance(TUESDAY)

    assert before is OrderStatus.SUBMITTED
    assert sim.get_order("a").events[-1].timestamp == MONDAY


@pytest.mark.parametrize(
    ("side", "limit", "status"), [(BUY, "98.5", OrderStatus.FILLED), (SELL, "105", OrderStatus.EXPIRED)]
)
def test_a_gtd_order_that_ends_within_a_bar_meets_only_the_path_before(
    side: OrderSide, limit: str, status: OrderStatus
) -> None:
    """Good till the middle of the bar: the low at one third counts, the high at two thirds does not."""
    sim = _sim()
    sim.submit_order(_order("a", side, limit, time_in_force=TimeInForce.GTD, expire_at=T0 + 150), T0)

    sim.process_bar(_bar(T0, T0 + 300, "100 106 98 102"))

    order = sim.get_order("a")
    assert order.status is status
    assert order.events[-1].timestamp == (T0 + 100 if status is OrderStatus.FILLED else T0 + 150)


def test_an_order_that_expired_overnight_is_not_filled_by_the_next_open() -> None:
    """Good till an hour after Friday's close: Monday's gap through its price comes too late."""
    sim = _daily()
    sim.process_bar(_bar(THURSDAY, FRIDAY, "100 101 99 100"))
    gtd = _order("a", BUY, "95", time_in_force=TimeInForce.GTD, expire_at=FRIDAY + 3_600 * 1_000 * MS)
    sim.submit_order(gtd, FRIDAY)

    opened = to_ns(datetime(2013, 3, 11, 13, 30, tzinfo=UTC))
    sim.process_bar(_bar(opened, MONDAY, "90 91 89 90"))

    assert _status(sim) is OrderStatus.EXPIRED
    assert _fills(sim) == []


def test_everything_due_between_two_ticks_happens_in_time_order_at_its_own_time() -> None:
    """One tick much later: arrivals, reports, expiries and cancels in between are heard in order, at their times."""
    sim = _sim(LatencyConfig(submit=Constant(10), ack=Constant(3), fill=Constant(40), cancel=Constant(200)))
    sim.process_quote(_quote(T0, "99", "101"))
    heard: list[tuple[int, str, str]] = []

    def listen(event: Event, order: Order | None) -> None:
        assert order is not None
        heard.append((sim.now - T0, type(event).__name__, order.order_id))

    sim.submit_order(_order("gtd", BUY, "90", time_in_force=TimeInForce.GTD, expire_at=T0 + 100), T0)
    sim.submit_order(_order("cxl", BUY, "90"), T0)
    sim.cancel_order("cxl", T0)
    sim.submit_order(_order("gtd2", BUY, "90", time_in_force=TimeInForce.GTD, expire_at=T0 + 300), T0 + 1)
    sim.add_listener(listen)

    sim.process_quote(_quote(T0 + 1_000_000, "80", "81"))

    # the second order follows the cancel on its link, so it arrives with it at +200
    assert heard == [
        (13, "OrderAccepted", "gtd"),
        (13, "OrderAccepted", "cxl"),
        (103, "OrderExpired", "gtd"),
        (203, "OrderCancelled", "cxl"),
        (203, "OrderAccepted", "gtd2"),
        (303, "OrderExpired", "gtd2"),
    ]
    assert [_status(sim, name) for name in ("gtd", "cxl", "gtd2")] == [
        OrderStatus.EXPIRED,
        OrderStatus.CANCELLED,
        OrderStatus.EXPIRED,
    ]


def test_a_cancel_that_arrives_with_a_quote_comes_before_it() -> None:
    """The cancel is at the venue at +7, as is the quote that would fill: the order is cancelled."""
    sim = _sim(LatencyConfig(cancel=Constant(7)))
    sim.process_quote(_quote(T0, "99", "101"))
    sim.submit_order(_order("a", BUY, "98"), T0)
    sim.cancel_order("a", T0)

    sim.process_quote(_quote(T0 + 7, "96", "97"))

    assert _status(sim) is OrderStatus.CANCELLED


def test_an_order_that_arrives_with_a_quote_meets_the_one_before() -> None:
    """STANDING: at +10 the quote of T0 still stands, the quote of +10 comes after the arrival."""
    sim = _sim(LEGS)
    sim.process_quote(_quote(T0, "99", "101"))
    sim.submit_order(_order("a"), T0)

    sim.process_quote(_quote(T0 + 10, "104", "105"))

    sim.advance(T0 + 100)
    assert _fills(sim) == [(T0 + 10, _d("101"))]


def test_an_order_that_arrives_with_a_price_meets_it() -> None:
    """NEXT: the price of +10 is the first at or after the arrival of +10."""
    sim = _sim(LEGS)
    sim.process_market_data(T0, {"X": _d("100")})
    sim.submit_order(_order("a"), T0)

    sim.process_market_data(T0 + 10, {"X": _d("105")})

    sim.advance(T0 + 100)
    assert _fills(sim) == [(T0 + 10, _d("105"))]


def test_a_report_due_with_a_quote_is_heard_before_it() -> None:
    """The fill is heard at +30; the answer of the same time meets the quote that stood until then, not the new one."""
    sim = _sim(LatencyConfig(fill=Constant(30)))

    def react(event: Event, order: Order | None) -> None:
        if isinstance(event, OrderExecution) and event.order_id == "a":
            sim.submit_order(_order("b", SELL), sim.now)

    sim.add_listener(react)
    sim.process_quote(_quote(T0, "99", "101"))
    sim.submit_order(_order("a"), T0)

    sim.process_quote(_quote(T0 + 30, "109", "111"))
    sim.advance(T0 + 100)

    assert _fills(sim, "b") == [(T0 + 30, _d("99"))]


def test_a_request_at_a_later_time_lets_everything_before_it_happen() -> None:
    """Submitting at +1000 first delivers what was due at +10 and +30."""
    sim = _sim(LEGS)
    sim.process_quote(_quote(T0, "99", "101"))
    sim.submit_order(_order("a"), T0)

    sim.submit_order(_order("b", BUY, "90"), T0 + 1_000)

    assert _status(sim) is OrderStatus.FILLED
    assert [type(event).__name__ for event in sim.events][-1] == "OrderSubmitted"
    assert sim.now == T0 + 1_000


@pytest.mark.parametrize("steps", [1, 10, 1_000])
def test_the_number_of_ticks_changes_no_fill(steps: int) -> None:
    """With random fill delays a run of the same quotes, more or less often repeated, reports the same fills."""
    sim = _sim(LATENCY_NORMAL, seed=7)
    start = 1_700_000_000_000 * MS
    sim.process_quote(_quote(start, "99", "101"))
    for number in range(5):
        sim.submit_order(_order(f"o{number}"), start)
    for step in range(1, steps + 1):
        sim.process_quote(_quote(start + step * (1_000 * MS // steps), "99", "101"))

    reported = [fill.reported_at - start for number in range(5) for fill in sim.get_order(f"o{number}").executions]
    reference = _sim(LATENCY_NORMAL, seed=7)
    reference.process_quote(_quote(start, "99", "101"))
    for number in range(5):
        reference.submit_order(_order(f"o{number}"), start)
    reference.advance(start + 1_000 * MS)
    expected = [event.reported_at - start for event in reference.events if isinstance(event, OrderExecution)]

    assert len(reported) == 5
    assert reported == expected


PROFILES = [
    # submit, fill from, fill to, cancel, in ms
    (LATENCY_INSTANT, 0, 0, 0, 0),
    (LATENCY_FAST, 10, 50, 100, 20),
    (LATENCY_NORMAL, 50, 100, 200, 50),
    (LATENCY_SLOW, 100, 500, 1_000, 100),
]


@pytest.mark.parametrize(("profile", "submit", "fill_from", "fill_to", "cancel"), PROFILES)
def test_a_profile_delays_each_leg_by_its_numbers(
    profile: LatencyConfig, submit: int, fill_from: int, fill_to: int, cancel: int
) -> None:
    """The order trades at sent + submit, is heard of within the fill range; a cancel arrives at sent + cancel."""
    sim = _sim(profile)
    start = 1_700_000_000_000 * MS
    sim.process_quote(_quote(start, "99", "101"))
    sim.submit_order(_order("a"), start)
    sim.advance(start + 5_000 * MS)
    sim.submit_order(_order("b", BUY, "90"), start + 5_000 * MS)
    sim.advance(start + 6_000 * MS)
    sim.cancel_order("b", start + 6_000 * MS)
    sim.advance(start + 9_000 * MS)

    fill = sim.get_order("a").executions[0]
    assert fill.timestamp == start + submit * MS
    assert fill_from * MS <= fill.reported_at - fill.timestamp <= fill_to * MS
    accepted = next(event for event in sim.get_order("b").events if isinstance(event, OrderAccepted))
    cancelled = next(event for event in sim.get_order("b").events if isinstance(event, OrderCancelled))
    assert (accepted.timestamp, accepted.reported_at) == (start + (5_000 + submit) * MS,) * 2
    assert (cancelled.timestamp, cancelled.reported_at) == (start + (6_000 + cancel) * MS,) * 2


@pytest.mark.parametrize(("profile", "submit", "fill_from", "fill_to", "cancel"), PROFILES[1:])
def test_a_profiles_fill_delays_use_their_whole_range(
    profile: LatencyConfig, submit: int, fill_from: int, fill_to: int, cancel: int
) -> None:
    """Of 60 fills some come in the lowest and some in the highest quarter, none outside; no two runs differ."""
    runs = []
    for _ in range(2):
        sim = _sim(profile, seed=3)
        delays: list[int] = []
        for number in range(60):
            now = 1_700_000_000_000 * MS + number * 10_000 * MS
            sim.process_quote(_quote(now, "99", "101"))
            sim.submit_order(_order(f"o{number}", BUY if number % 2 else SELL), now)
            fills = sim.advance(now + 5_000 * MS)
            delays.extend(fill.reported_at - fill.timestamp for fill in fills)
        runs.append(delays)

    quarter = (fill_to - fill_from) * MS // 4
    assert runs[0] == runs[1]
    assert len(runs[0]) == 60
    assert fill_from * MS <= min(runs[0]) < fill_from * MS + quarter
    assert fill_to * MS - quarter < max(runs[0]) <= fill_to * MS


def test_delay_changes_the_price_a_strategy_gets() -> None:
    """The same order under INSTANT pays the quote it saw, under NORMAL the one 50 ms later."""
    paid = []
    for profile in (LATENCY_INSTANT, LATENCY_NORMAL):
        sim = _sim(profile)
        start = 1_700_000_000_000 * MS
        sim.process_quote(_quote(start, "99", "100"))
        sim.submit_order(_order("a"), start)
        sim.process_quote(_quote(start + 49 * MS, "101", "102"))
        sim.process_quote(_quote(start + 51 * MS, "103", "104"))
        sim.advance(start + 1_000 * MS)
        paid.append(sim.get_order("a").avg_fill_price)

    assert paid == [_d("100"), _d("102")]


def _state(sim: ExecutionSimulator) -> object:
    return (
        sim.now,
        sim.cash,
        dict(sim.positions),
        dict(sim.pending_orders),
        dict(sim.completed_orders),
        list(sim.events),
        sim.get_account_value(),
    )


NAIVE = datetime(2024, 1, 1)  # noqa: DTZ001 - what must be refused
AFTER = T0 + 1_000
BAD: dict[str, tuple[Callable[[ExecutionSimulator], object], type[SeatrialError]]] = {
    "a float price": (
        lambda sim: sim.process_market_data(AFTER, {"X": 90.0}),  # type: ignore[dict-item]
        InvalidMarketDataError,
    ),
    "no number": (lambda sim: sim.process_market_data(AFTER, {"X": Decimal("NaN")}), InvalidMarketDataError),
    "a price of zero": (lambda sim: sim.process_market_data(AFTER, {"X": Decimal(0)}), InvalidMarketDataError),
    "a negative price": (lambda sim: sim.process_market_data(AFTER, {"X": Decimal(-1)}), InvalidMarketDataError),
    "one bad of two": (
        lambda sim: sim.process_market_data(AFTER, {"X": Decimal(90), "Y": Decimal(0)}),
        InvalidMarketDataError,
    ),
    "an unknown symbol": (lambda sim: sim.process_market_data(AFTER, {"Z": Decimal(90)}), InvalidMarketDataError),
    "an unknown quote": (
        lambda sim: sim.process_quote(Quote(AFTER, "Z", Decimal(90), Decimal(91))),
        InvalidMarketDataError,
    ),
    "an unknown trade": (lambda sim: sim.process_trade(Trade(AFTER, "Z", Decimal(90))), InvalidMarketDataError),
    "an unknown bar": (lambda sim: sim.process_bar(_bar(T0, AFTER, "90 90 90 90", "Z")), InvalidMarketDataError),
    "one unknown bar of two": (
        lambda sim: sim.process_bars((_bar(T0, AFTER, "90 90 90 90"), _bar(T0, AFTER, "90 90 90 90", "Z"))),
        InvalidMarketDataError,
    ),
    "bars of two ends": (
        lambda sim: sim.process_bars((_bar(T0, AFTER, "90 90 90 90"), _bar(T0, AFTER + 1, "90 90 90 90", "Y"))),
        InvalidMarketDataError,
    ),
    "no row of a tape": (lambda sim: sim.process({"X": 90}), InvalidMarketDataError),  # type: ignore[arg-type]
    "a crossed quote": (lambda sim: sim.process_quote(_quote(AFTER, "91", "90")), InvalidMarketDataError),
    "a bar outside itself": (lambda sim: sim.process_bar(_bar(T0, AFTER, "90 89 88 88")), InvalidMarketDataError),
    "a naive time": (lambda sim: sim.process_market_data(NAIVE, {"X": Decimal(90)}), InvalidTimeError),
    "a naive advance": (lambda sim: sim.advance(NAIVE), InvalidTimeError),
    "an old price": (lambda sim: sim.process_market_data(T0 - 1, {"X": Decimal(90)}), ClockError),
    "an old quote": (lambda sim: sim.process_quote(_quote(T0 - 1, "89", "90")), ClockError),
    "an old trade": (lambda sim: sim.process_trade(Trade(T0 - 1, "X", Decimal(90))), ClockError),
    "an old bar": (lambda sim: sim.process_bar(_bar(None, T0 - 1, "90 90 90 90")), ClockError),
    "an old advance": (lambda sim: sim.advance(T0 - 1), ClockError),
    "an old order": (lambda sim: sim.submit_order(_order("b"), T0 - 1), ClockError),
    "an old cancel": (lambda sim: sim.cancel_order("a", T0 - 1), ClockError),
    "an old bracket": (
        lambda sim: sim.submit_bracket(_order("b"), _order("c", SELL, "110"), timestamp=T0 - 1),
        ClockError,
    ),
    "an order at a naive time": (lambda sim: sim.submit_order(_order("b"), NAIVE), InvalidTimeError),
}


@pytest.mark.parametrize("case", list(BAD))
def test_bad_data_and_bad_times_leave_everything_unchanged(case: str) -> None:
    """The error is a SeatrialError of its kind; no order, no time, no money moved, and good data goes on."""
    call, error = BAD[case]
    sim = _sim(instruments=(Instrument(symbol="X"), Instrument(symbol="Y")))
    sim.process_market_data(T0, {"X": _d("100")})
    sim.submit_order(_order("a", BUY, "95"), T0)
    before = _state(sim)

    with pytest.raises(error):
        call(sim)

    assert _state(sim) == before
    sim.process_market_data(AFTER, {"X": _d("94")})
    assert _status(sim) is OrderStatus.FILLED


def test_datetimes_and_nanoseconds_are_the_same_times() -> None:
    """An aware datetime at the front door is its UNIX ns UTC inside."""
    sim = _sim()
    now = datetime(2024, 8, 8, 12, tzinfo=UTC)
    sim.submit_order(_order("a"), now)

    sim.process_market_data(to_ns(now) + 5, {"X": _d("100")})

    assert sim.get_order("a").events[0].timestamp == to_ns(now)
    assert _fills(sim) == [(to_ns(now) + 5, _d("100"))]


MOVES: dict[str, Callable[[ExecutionSimulator], object]] = {
    "advance": lambda sim: sim.advance(sim.now + 1),
    "quote": lambda sim: sim.process_quote(_quote(sim.now + 1, "1", "2")),
    "price": lambda sim: sim.process_market_data(sim.now + 1, {"X": Decimal(1)}),
    "bar": lambda sim: sim.process_bar(_bar(None, sim.now + 1, "1 1 1 1")),
    "order": lambda sim: sim.submit_order(_order("late"), sim.now + 1),
}


@pytest.mark.parametrize("move", list(MOVES))
@pytest.mark.parametrize(
    "kind",
    [OrderSubmitted, OrderDenied, OrderAccepted, OrderExecution, CancelRequested, CancelRefused, TradingStateChanged],
    ids=lambda kind: kind.__name__,
)
def test_only_the_outermost_caller_moves_time(kind: type, move: str) -> None:
    """Whatever a listener hears, feeding data or a later time from inside it raises and changes nothing."""
    sim = _sim()
    sim.process_quote(_quote(T0, "99", "101"))
    caught: list[ReentrantCallError] = []

    def rush(event: Event, order: Order | None) -> None:
        if type(event) is not kind:
            return
        now = sim.now
        try:
            MOVES[move](sim)
        except ReentrantCallError as error:
            caught.append(error)
        assert sim.now == now

    sim.add_listener(rush)
    sim.submit_order(_order("a", BUY, "98"), T0)
    sim.submit_order(_order("a", BUY, "98"), T0)
    sim.process_quote(_quote(T0 + 10, "96", "97"))
    sim.cancel_order("a", T0 + 10)
    sim.submit_order(_order("b", BUY, "90"), T0 + 10)
    sim.cancel_order("b", T0 + 10)
    sim.disable_trading("ops", "end", T0 + 10)

    assert caught
    assert "late" not in {**sim.pending_orders, **sim.completed_orders}


def test_a_listener_that_raises_within_a_bar_loses_no_mark() -> None:
    """The error reaches the caller; the position is valued at the bar's close all the same once time goes on."""
    sim = _sim()
    sim.submit_order(_order("a"), T0)

    def fail(event: Event, order: Order | None) -> None:
        if type(event) is OrderExecution:
            raise LookupError

    sim.add_listener(fail)
    with pytest.raises(LookupError):
        sim.process_bar(_bar(T0, T0 + 30, "100 106 98 105"))
    sim.advance(T0 + 30)

    assert sim.positions == {"X": _d("10")}
    assert sim.get_account_value() == _d("1000050")

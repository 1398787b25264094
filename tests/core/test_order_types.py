"""What each order type, time in force and flag does on each kind of market data."""

from __future__ import annotations

from decimal import Decimal
from typing import Any, TypeAlias

import pytest

from seatrial import (
    AccountType,
    Bar,
    Constant,
    Convention,
    ExecutionSimulator,
    Instrument,
    LatencyConfig,
    LimitFill,
    Liquidity,
    Order,
    OrderSide,
    OrderStatus,
    OrderType,
    Quote,
    RejectionReason,
    TimeInForce,
    Trade,
    VenueConfig,
)
from seatrial.contracts.events import OrderTriggered
from seatrial.contracts.rejection import RefusedBy
from seatrial.contracts.venue import PriceImprovement

T0 = 1_000_000
DAY = 86_400_000_000_000
BUY, SELL = OrderSide.BUY, OrderSide.SELL
FEEDS = ("price", "quote", "trade", "bar")
Step: TypeAlias = "tuple[int, str]"


def _d(value: str) -> Decimal:
    return Decimal(value)


def _sim(
    latency: LatencyConfig | None = None, instruments: tuple[Instrument, ...] = (), **config: Any
) -> ExecutionSimulator:
    """Return a margin account of a million at leverage 10, so that money is never the question."""
    config = {"account_type": AccountType.MARGIN, "leverage": Decimal(10), **config}
    return ExecutionSimulator(
        initial_cash=1_000_000,
        latency_config=latency or LatencyConfig(),
        instruments=instruments,
        venue_config=VenueConfig(**config),
    )


def _order(
    kind: OrderType,
    side: OrderSide = BUY,
    *,
    order_id: str = "a",
    quantity: str = "10",
    tif: TimeInForce = TimeInForce.GTC,
    **prices: Any,
) -> Order:
    fields: dict[str, Any] = {name: _d(value) if isinstance(value, str) else value for name, value in prices.items()}
    return Order(
        order_id=order_id,
        symbol="X",
        side=side,
        order_type=kind,
        quantity=_d(quantity),
        created_at=T0,
        time_in_force=tif,
        **fields,
    )


def _feed(sim: ExecutionSimulator, kind: str, ts: int, price: str) -> None:
    """Show one price: a quote locked at it, a print, a flat bar of the 10 ns before, or the price itself."""
    value = _d(price)
    if kind == "quote":
        sim.process_quote(Quote(ts, "X", value, value))
    elif kind == "trade":
        sim.process_trade(Trade(ts, "X", value))
    elif kind == "bar":
        sim.process_bar(Bar(ts, "X", value, value, value, value, start=ts - 10))
    else:
        sim.process_market_data(ts, {"X": value})


def _quote(ts: int, bid: str, ask: str) -> Quote:
    return Quote(ts, "X", _d(bid), _d(ask))


def _bar(start: int, ts: int, prices: str) -> Bar:
    opened, high, low, close = (_d(price) for price in prices.split())
    return Bar(ts, "X", opened, high, low, close, start=start)


def _fills(sim: ExecutionSimulator, order_id: str = "a") -> list[tuple[int, Decimal, Decimal]]:
    return [(fill.timestamp, fill.quantity, fill.price) for fill in sim.get_order(order_id).executions]


def _status(sim: ExecutionSimulator, order_id: str = "a") -> OrderStatus:
    return sim.get_order(order_id).status


def _hold(sim: ExecutionSimulator, quantity: str = "10", price: str = "100") -> None:
    """Buy a position at T0, before the test's own order."""
    sim.submit_order(_order(OrderType.MARKET, order_id="hold", quantity=quantity), T0)
    _feed(sim, "price", T0, price)


@pytest.mark.parametrize(
    ("feed", "convention", "price"),
    [
        ("price", None, "102"),
        ("trade", None, "102"),
        ("bar", None, "102"),
        ("quote", None, "100"),
        ("price", Convention.NEXT, "102"),
        ("trade", Convention.NEXT, "102"),
        ("bar", Convention.NEXT, "102"),
        ("quote", Convention.NEXT, "102"),
        ("price", Convention.STANDING, "100"),
        ("trade", Convention.STANDING, "100"),
        ("bar", Convention.STANDING, "100"),
        ("quote", Convention.STANDING, "100"),
    ],
)
@pytest.mark.parametrize("side", [BUY, SELL])
def test_a_market_order_meets_the_standing_or_the_next_price(
    feed: str, convention: Convention | None, price: str, side: OrderSide
) -> None:
    """100 stands when the order arrives, 102 comes next: STANDING trades at 100, NEXT at 102; quotes alone stand."""
    sim = _sim(convention=convention)
    _feed(sim, feed, T0, "100")

    sim.submit_order(_order(OrderType.MARKET, side), T0 + 5)
    _feed(sim, feed, T0 + 20, "102")

    assert [(quantity, at) for _, quantity, at in _fills(sim)] == [(_d("10"), _d(price))]
    assert _status(sim) is OrderStatus.FILLED


@pytest.mark.parametrize("feed", FEEDS)
def test_a_market_order_waits_for_the_first_price_of_all(feed: str) -> None:
    """Before any price it works; the first price at or after its arrival fills it."""
    sim = _sim()

    before = sim.submit_order(_order(OrderType.MARKET), T0).status
    _feed(sim, feed, T0 + 10, "100")

    assert before is OrderStatus.SUBMITTED
    assert [at for _, _, at in _fills(sim)] == [_d("100")]


def test_a_price_at_the_time_of_arrival_can_be_traded() -> None:
    """NEXT is the first price at or after arrival: one of the very same time counts."""
    sim = _sim()
    sim.submit_order(_order(OrderType.MARKET), T0)

    sim.process_market_data(T0, {"X": _d("100")})

    assert _fills(sim) == [(T0, _d("10"), _d("100"))]


def test_an_order_trades_at_the_price_of_its_arrival_not_of_its_sending() -> None:
    """Sent at T0 with a delay of 10, the quote of T0 + 9 is the one it meets at T0 + 10."""
    sim = _sim(LatencyConfig(submit=Constant(10)))
    sim.process_quote(_quote(T0, "99", "100"))
    sim.submit_order(_order(OrderType.MARKET), T0)
    sim.process_quote(_quote(T0 + 9, "104", "105"))

    sim.process_quote(_quote(T0 + 30, "109", "110"))

    assert _fills(sim) == [(T0 + 10, _d("10"), _d("105"))]


def test_buys_meet_the_ask_and_sells_the_bid() -> None:
    """At 99/101 a buy pays 101, a sell gets 99."""
    sim = _sim()
    sim.process_quote(_quote(T0, "99", "101"))

    sim.submit_order(_order(OrderType.MARKET, BUY, order_id="b"), T0)
    sim.submit_order(_order(OrderType.MARKET, SELL, order_id="s"), T0)

    assert _fills(sim, "b") == [(T0, _d("10"), _d("101"))]
    assert _fills(sim, "s") == [(T0, _d("10"), _d("99"))]


@pytest.mark.parametrize(
    ("feed", "limit_fill", "on_touch"),
    [
        ("price", None, True),
        ("quote", None, True),
        ("trade", None, False),
        ("bar", None, False),
        *[(feed, LimitFill.TOUCH, True) for feed in FEEDS],
        *[(feed, LimitFill.THROUGH, False) for feed in FEEDS],
    ],
)
@pytest.mark.parametrize("side", [BUY, SELL])
def test_a_resting_limit_fills_at_its_limit_on_touch_or_beyond(
    feed: str, limit_fill: LimitFill | None, on_touch: bool, side: OrderSide
) -> None:
    """A limit 2 away from the market rests; the market comes to it, then 1 beyond: it fills at its limit as maker."""
    sim = _sim(limit_fill=limit_fill)
    limit, beyond = ("98", "97") if side is BUY else ("102", "103")
    _feed(sim, feed, T0, "100")
    sim.submit_order(_order(OrderType.LIMIT, side, limit_price=limit), T0)
    _feed(sim, feed, T0 + 10, "100")

    _feed(sim, feed, T0 + 20, limit)
    touched = _status(sim)
    _feed(sim, feed, T0 + 30, beyond)

    assert touched is (OrderStatus.FILLED if on_touch else OrderStatus.SUBMITTED)
    assert [at for _, _, at in _fills(sim)] == [_d(limit)]
    assert [fill.liquidity for fill in sim.get_order("a").executions] == [Liquidity.MAKER]


@pytest.mark.parametrize("feed", FEEDS)
@pytest.mark.parametrize(("side", "limit"), [(BUY, "103"), (SELL, "97")])
def test_a_limit_through_the_market_takes_at_the_better_price(feed: str, side: OrderSide, limit: str) -> None:
    """A buy at 103 or a sell at 97 whose first price is 100 trades at 100, as taker."""
    sim = _sim()
    sim.submit_order(_order(OrderType.LIMIT, side, limit_price=limit), T0)

    _feed(sim, feed, T0 + 10, "100")

    assert [at for _, _, at in _fills(sim)] == [_d("100")]
    assert sim.get_order("a").executions[0].liquidity is Liquidity.TAKER


@pytest.mark.parametrize(("improvement", "price"), [("on_arrival", "98"), ("always", "95")])
@pytest.mark.parametrize("feed", FEEDS)
def test_a_jump_through_a_resting_limit_improves_it_only_where_asked(feed: str, improvement: str, price: str) -> None:
    """The market jumps from 100 to 95 through a buy at 98: it fills at 98, or at 95 with ALWAYS."""
    sim = _sim(price_improvement=PriceImprovement(improvement))
    sim.submit_order(_order(OrderType.LIMIT, limit_price="98"), T0)
    _feed(sim, feed, T0 + 10, "100")

    _feed(sim, feed, T0 + 20, "95")

    assert [at for _, _, at in _fills(sim)] == [_d(price)]


def test_no_limit_is_ever_filled_beyond_itself() -> None:
    """A buy at 100 with 50 basis points of slippage at an ask of 100 pays 100, not 100.50."""
    sim = _sim(slippage_bps=Decimal(50))
    sim.process_quote(_quote(T0, "99", "100"))

    sim.submit_order(_order(OrderType.LIMIT, limit_price="100"), T0)

    assert _fills(sim) == [(T0, _d("10"), _d("100"))]


TRIGGERS = [
    # kind, side, prices, quiet price, triggering price, fill price (None: rests as a limit)
    (OrderType.STOP, BUY, {"stop_price": "102"}, "101", "103", "103"),
    (OrderType.STOP, SELL, {"stop_price": "98"}, "99", "97", "97"),
    (OrderType.STOP, BUY, {"stop_price": "102"}, "101", "102", "102"),
    (OrderType.STOP, SELL, {"stop_price": "98"}, "99", "98", "98"),
    (OrderType.STOP_LIMIT, BUY, {"stop_price": "102", "limit_price": "103"}, "101", "102.5", "102.5"),
    (OrderType.STOP_LIMIT, SELL, {"stop_price": "98", "limit_price": "97"}, "99", "97.5", "97.5"),
    (OrderType.STOP_LIMIT, BUY, {"stop_price": "102", "limit_price": "103"}, "101", "104", None),
    (OrderType.STOP_LIMIT, SELL, {"stop_price": "98", "limit_price": "97"}, "99", "96", None),
    (OrderType.MARKET_IF_TOUCHED, BUY, {"stop_price": "98"}, "99", "97", "97"),
    (OrderType.MARKET_IF_TOUCHED, SELL, {"stop_price": "102"}, "101", "103", "103"),
    (OrderType.MARKET_IF_TOUCHED, BUY, {"stop_price": "98"}, "99", "98", "98"),
    (OrderType.LIMIT_IF_TOUCHED, BUY, {"stop_price": "98", "limit_price": "99"}, "100", "97", "97"),
    (OrderType.LIMIT_IF_TOUCHED, SELL, {"stop_price": "102", "limit_price": "101"}, "100", "103", "103"),
    (OrderType.LIMIT_IF_TOUCHED, BUY, {"stop_price": "98", "limit_price": "96"}, "99", "97", None),
    (OrderType.LIMIT_IF_TOUCHED, SELL, {"stop_price": "102", "limit_price": "104"}, "101", "103", None),
]


@pytest.mark.parametrize("feed", ["price", "quote", "trade"])
@pytest.mark.parametrize(("kind", "side", "prices", "quiet", "trigger", "fill"), TRIGGERS)
def test_a_trigger_waits_for_its_price_and_trades_at_what_it_finds(
    feed: str, kind: OrderType, side: OrderSide, prices: dict[str, Any], quiet: str, trigger: str, fill: str | None
) -> None:
    """Nothing happens at the quiet price; at the trigger it trades at that price, or rests at its limit."""
    sim = _sim()
    sim.submit_order(_order(kind, side, **prices), T0)
    _feed(sim, feed, T0 + 10, "100")

    _feed(sim, feed, T0 + 20, quiet)
    waiting = (_status(sim), sim.get_order("a").events[-1].timestamp)
    _feed(sim, feed, T0 + 30, trigger)

    order = sim.get_order("a")
    triggered = [event for event in order.events if isinstance(event, OrderTriggered)]
    assert waiting == (OrderStatus.SUBMITTED, T0)
    assert [(event.timestamp, event.price) for event in triggered] == [(T0 + 30, _d(trigger))]
    assert _fills(sim) == ([] if fill is None else [(T0 + 30, _d("10"), _d(fill))])
    assert order.status is (OrderStatus.SUBMITTED if fill is None else OrderStatus.FILLED)


@pytest.mark.parametrize(
    ("kind", "side", "prices", "bar", "at", "price"),
    [
        # open 100, low 96 (nearer) at T0+110, high 106 at T0+120, close 103 at T0+130
        (OrderType.STOP, SELL, {"stop_price": "98"}, "100 106 96 103", 10, "98"),
        (OrderType.STOP, BUY, {"stop_price": "104"}, "100 106 96 103", 20, "104"),
        (OrderType.STOP_LIMIT, SELL, {"stop_price": "98", "limit_price": "97"}, "100 106 96 103", 10, "98"),
        (OrderType.STOP_LIMIT, SELL, {"stop_price": "98", "limit_price": "99"}, "100 106 96 103", 20, "99"),
        (OrderType.MARKET_IF_TOUCHED, BUY, {"stop_price": "97"}, "100 106 96 103", 10, "97"),
        (OrderType.LIMIT_IF_TOUCHED, SELL, {"stop_price": "105", "limit_price": "104"}, "100 106 96 103", 20, "105"),
        (OrderType.LIMIT, BUY, {"limit_price": "97"}, "100 106 96 103", 10, "97"),
        (OrderType.LIMIT, SELL, {"limit_price": "105"}, "100 106 96 103", 20, "105"),
        # a gap: the bar opens beyond the trigger, the order gets the open, not its own price
        (OrderType.STOP, SELL, {"stop_price": "98"}, "95 96 94 95", 0, "95"),
        (OrderType.STOP, BUY, {"stop_price": "104"}, "107 108 106 107", 0, "107"),
        (OrderType.MARKET_IF_TOUCHED, BUY, {"stop_price": "97"}, "95 96 94 95", 0, "95"),
        (OrderType.LIMIT, BUY, {"limit_price": "97"}, "95 96 94 95", 0, "97"),
    ],
)
def test_a_bar_is_a_path_of_prices(
    kind: OrderType, side: OrderSide, prices: dict[str, Any], bar: str, at: int, price: str
) -> None:
    """Within a bar an order trades where the path meets it, a gap at the open, each at the time of its stretch."""
    sim = _sim()
    sim.submit_order(_order(kind, side, **prices), T0)
    sim.process_bar(_bar(T0 + 70, T0 + 100, "100 100 100 100"))

    sim.process_bar(_bar(T0 + 100, T0 + 130, bar))

    assert _fills(sim) == [(T0 + 100 + at, _d("10"), _d(price))]


def test_a_stop_limit_that_jumped_its_limit_fills_when_the_market_comes_back() -> None:
    """Triggered at 104 beyond its limit of 103, it rests there and fills at 103 as maker."""
    sim = _sim()
    sim.submit_order(_order(OrderType.STOP_LIMIT, stop_price="102", limit_price="103"), T0)
    _feed(sim, "price", T0 + 10, "100")
    _feed(sim, "price", T0 + 20, "104")

    _feed(sim, "price", T0 + 30, "102")

    assert _fills(sim) == [(T0 + 30, _d("10"), _d("103"))]
    assert sim.get_order("a").executions[0].liquidity is Liquidity.MAKER


@pytest.mark.parametrize("feed", FEEDS)
def test_a_stop_already_beyond_its_trigger_on_arrival_trades_at_once(feed: str) -> None:
    """A sell stop at 105 whose first price is 100 trades at 100."""
    sim = _sim()
    sim.submit_order(_order(OrderType.STOP, SELL, stop_price="105"), T0)

    _feed(sim, feed, T0 + 10, "100")

    assert [at for _, _, at in _fills(sim)] == [_d("100")]


TRAILS = [
    # side, fields, prices seen, fill price: the first that meets the trigger
    (SELL, {"trail_amount": "2"}, ["100", "103", "101.5", "101"], "101"),
    (SELL, {"trail_amount": "2"}, ["100", "99", "98"], "98"),
    (SELL, {"trail_amount": "2"}, ["100", "104", "90"], "90"),
    (BUY, {"trail_amount": "2"}, ["100", "97", "98.5", "99"], "99"),
    (SELL, {"trail_percent": "10"}, ["100", "200", "181", "180"], "180"),
    (BUY, {"trail_percent": "10"}, ["100", "50", "54", "55"], "55"),
    (SELL, {"trail_amount": "2", "stop_price": "99"}, ["100", "99.5", "99"], "99"),
    (SELL, {"trail_amount": "2", "stop_price": "90"}, ["100", "98.5", "98"], "98"),
    (BUY, {"trail_amount": "2", "stop_price": "101"}, ["100", "100.5", "101"], "101"),
    (BUY, {"trail_amount": "2", "stop_price": "110"}, ["100", "101.5", "102"], "102"),
    (SELL, {"trail_amount": "2", "stop_price": "99"}, ["100", "102", "100.5", "100"], "100"),
]


@pytest.mark.parametrize("feed", ["price", "quote", "trade", "bar"])
@pytest.mark.parametrize(("side", "fields", "prices", "fill"), TRAILS)
def test_a_trailing_stop_follows_the_best_price_and_never_moves_back(
    feed: str, side: OrderSide, fields: dict[str, Any], prices: list[str], fill: str
) -> None:
    """The trigger stays the trail behind the best price since arrival, or at the given stop while that is closer."""
    sim = _sim()
    sim.submit_order(_order(OrderType.TRAILING_STOP, side, **fields), T0)

    for step, price in enumerate(prices, start=1):
        assert _fills(sim) == []
        _feed(sim, feed, T0 + 10 * step, price)

    assert [at for _, _, at in _fills(sim)] == [_d(fill)]


def test_a_trailing_stop_follows_within_a_bar() -> None:
    """Trail 3; open 100, low 98, high 106, close 101: the high lifts the trigger to 103, met before the close."""
    sim = _sim()
    sim.submit_order(_order(OrderType.TRAILING_STOP, SELL, trail_amount="3"), T0)

    sim.process_bar(_bar(T0, T0 + 30, "100 106 98 101"))

    assert _fills(sim) == [(T0 + 30, _d("10"), _d("103"))]


def test_a_trailing_trigger_lies_on_the_tick_away_from_the_market() -> None:
    """10 per cent behind 100.25 is 90.225: on a tick of 0.05 a sell's trigger is 90.20."""
    sim = _sim(instruments=(Instrument(symbol="X", tick_size=Decimal("0.05")),))
    sim.submit_order(_order(OrderType.TRAILING_STOP, SELL, trail_percent="10"), T0)
    _feed(sim, "price", T0 + 10, "100.25")

    _feed(sim, "price", T0 + 20, "90.25")
    before = _fills(sim)
    _feed(sim, "price", T0 + 30, "90.20")

    assert before == []
    assert _fills(sim) == [(T0 + 30, _d("10"), _d("90.20"))]


@pytest.mark.parametrize(
    ("side", "fields", "prices", "fill"),
    [
        # best 104, trigger 102, limit 101.5: at 101.8 it trades
        (SELL, {"trail_amount": "2", "limit_offset": "0.5"}, ["100", "104", "101.8"], "101.8"),
        # jumped the limit, rests at 101.5 and is filled there when the market comes back
        (SELL, {"trail_amount": "2", "limit_offset": "0.5"}, ["100", "104", "101", "102"], "101.5"),
        (BUY, {"trail_amount": "2", "limit_offset": "0.5"}, ["100", "96", "98.2"], "98.2"),
        (BUY, {"trail_amount": "2", "limit_offset": "0.5"}, ["100", "96", "99", "98"], "98.5"),
        # offset derived from stop 97 and limit 96: best 104, trigger 102, limit 101
        (SELL, {"trail_amount": "2", "stop_price": "97", "limit_price": "96"}, ["100", "104", "101.2"], "101.2"),
        # a given stop closer than the trail is the trigger, with its limit the offset behind it
        (SELL, {"trail_amount": "2", "stop_price": "99", "limit_offset": "0.5"}, ["100", "98.9"], "98.9"),
        (BUY, {"trail_amount": "2", "stop_price": "101", "limit_offset": "0.5"}, ["100", "101.2"], "101.2"),
        (SELL, {"trail_amount": "2", "stop_price": "99", "limit_offset": "0.5"}, ["100", "98", "99"], "98.5"),
    ],
)
def test_a_trailing_stop_limit_keeps_its_limit_behind_its_trigger(
    side: OrderSide, fields: dict[str, Any], prices: list[str], fill: str
) -> None:
    """Once triggered it is a limit at the offset behind its trigger: met at once, or resting."""
    sim = _sim()
    sim.submit_order(_order(OrderType.TRAILING_STOP_LIMIT, side, **fields), T0)

    for step, price in enumerate(prices, start=1):
        assert _fills(sim) == []
        _feed(sim, "price", T0 + 10 * step, price)

    assert [at for _, _, at in _fills(sim)] == [_d(fill)]


def test_a_shorter_trail_counts_from_the_best_price_at_once() -> None:
    """Best price 100, trail 5 changed to 2: the trigger is 98 from then on, so 97.5 trades."""
    sim = _sim()
    sim.submit_order(_order(OrderType.TRAILING_STOP, SELL, trail_amount="5"), T0)
    _feed(sim, "price", T0 + 10, "100")

    sim.modify_order("a", T0 + 15, trail_amount=_d("2"))
    _feed(sim, "price", T0 + 20, "99")
    before = _fills(sim)
    _feed(sim, "price", T0 + 30, "97.5")

    assert before == []
    assert _fills(sim) == [(T0 + 30, _d("10"), _d("97.5"))]


@pytest.mark.parametrize(("feed", "side", "price"), [("price", BUY, "103"), ("trade", SELL, "103")])
def test_a_market_on_close_order_trades_at_the_sessions_last_price(feed: str, side: OrderSide, price: str) -> None:
    """On an always open market the session ends at 00:00 UTC; the order trades then, at the last price before."""
    sim = _sim()
    sim.submit_order(_order(OrderType.MARKET_ON_CLOSE, side), T0)
    _feed(sim, feed, T0 + 10, "100")
    _feed(sim, feed, DAY - 5, "103")

    before = _fills(sim)
    _feed(sim, feed, DAY + 50, "120")

    assert before == []
    assert _fills(sim) == [(DAY, _d("10"), _d(price))]


@pytest.mark.parametrize(("side", "price"), [(BUY, "104"), (SELL, "103")])
def test_a_market_on_close_order_meets_the_last_quote(side: OrderSide, price: str) -> None:
    """At the close a buy pays the standing ask, a sell gets the standing bid."""
    sim = _sim()
    sim.process_quote(_quote(T0, "99", "100"))
    sim.submit_order(_order(OrderType.MARKET_ON_CLOSE, side), T0)
    sim.process_quote(_quote(DAY - 5, "103", "104"))

    sim.advance(DAY)

    assert _fills(sim) == [(DAY, _d("10"), _d(price))]


def test_a_market_on_close_order_without_a_price_that_day_waits_for_the_next_close() -> None:
    """No price since the session began: it is not filled at yesterday's, but at the next session's close."""
    sim = _sim()
    _feed(sim, "price", T0, "100")
    sim.submit_order(_order(OrderType.MARKET_ON_CLOSE), DAY + 5)

    sim.advance(2 * DAY)
    before = _fills(sim)
    _feed(sim, "price", 2 * DAY + 10, "105")
    sim.advance(3 * DAY)

    assert before == []
    assert _fills(sim) == [(3 * DAY, _d("10"), _d("105"))]


def test_a_gtc_order_works_for_ever() -> None:
    """A GTC limit still fills a hundred days later."""
    sim = _sim()
    sim.submit_order(_order(OrderType.LIMIT, limit_price="98"), T0)
    _feed(sim, "price", T0 + 10, "100")

    _feed(sim, "price", 100 * DAY, "97")

    assert _fills(sim) == [(100 * DAY, _d("10"), _d("98"))]


@pytest.mark.parametrize(
    ("tif", "expire_at", "end"), [(TimeInForce.DAY, None, DAY), (TimeInForce.GTD, T0 + 500, T0 + 500)]
)
def test_an_order_expires_at_its_exact_time_between_sparse_ticks(
    tif: TimeInForce, expire_at: int | None, end: int
) -> None:
    """The next tick is days later and would fill it: the order expired at its own time instead."""
    sim = _sim()
    sim.submit_order(_order(OrderType.LIMIT, limit_price="98", tif=tif, expire_at=expire_at), T0)
    _feed(sim, "price", T0 + 10, "100")

    _feed(sim, "price", 5 * DAY, "97")

    order = sim.get_order("a")
    assert (order.status, order.filled_quantity) == (OrderStatus.EXPIRED, _d("0"))
    assert (order.events[-1].timestamp, order.events[-1].reported_at) == (end, end)


@pytest.mark.parametrize(("ts", "filled"), [(T0 + 499, True), (T0 + 500, False), (T0 + 501, False)])
def test_an_order_trades_only_before_its_expiry(ts: int, filled: bool) -> None:
    """Tradable while t < expire_at: a price at the very time of expiry finds nothing."""
    sim = _sim()
    sim.submit_order(_order(OrderType.LIMIT, limit_price="98", tif=TimeInForce.GTD, expire_at=T0 + 500), T0)
    _feed(sim, "price", T0 + 10, "100")

    _feed(sim, "price", ts, "97")

    assert _status(sim) is (OrderStatus.FILLED if filled else OrderStatus.EXPIRED)


@pytest.mark.parametrize(
    ("delay", "status"), [(9, OrderStatus.SUBMITTED), (10, OrderStatus.EXPIRED), (11, OrderStatus.EXPIRED)]
)
def test_an_order_that_arrives_after_its_expiry_is_expired(delay: int, status: OrderStatus) -> None:
    """Valid until T0 + 10: it works if it arrives before; else it expires on arrival, and never trades."""
    sim = _sim(LatencyConfig(submit=Constant(delay)))
    sim.process_quote(_quote(T0, "99", "101"))
    sim.submit_order(_order(OrderType.LIMIT, limit_price="98", tif=TimeInForce.GTD, expire_at=T0 + 10), T0)

    sim.advance(T0 + delay)

    assert _status(sim) is status
    assert sim.get_order("a").events[-1].timestamp == T0 + delay
    assert _fills(sim) == []


def test_a_market_order_that_arrives_after_its_expiry_does_not_trade() -> None:
    """Late arrival is EXPIRED even where a quote stands that would fill it."""
    sim = _sim(LatencyConfig(submit=Constant(50)))
    sim.process_quote(_quote(T0, "99", "101"))
    sim.submit_order(_order(OrderType.MARKET, tif=TimeInForce.GTD, expire_at=T0 + 50), T0)

    sim.advance(T0 + 100)

    assert (_status(sim), _fills(sim)) == (OrderStatus.EXPIRED, [])


@pytest.mark.parametrize(
    ("tif", "size", "filled", "status"),
    [
        (TimeInForce.IOC, "4", "4", OrderStatus.CANCELLED),
        (TimeInForce.IOC, "10", "10", OrderStatus.FILLED),
        (TimeInForce.IOC, "0", "0", OrderStatus.CANCELLED),
        (TimeInForce.FOK, "4", "0", OrderStatus.CANCELLED),
        (TimeInForce.FOK, "9.99", "0", OrderStatus.CANCELLED),
        (TimeInForce.FOK, "10", "10", OrderStatus.FILLED),
        (TimeInForce.GTC, "4", "4", OrderStatus.PARTIALLY_FILLED),
    ],
)
@pytest.mark.parametrize("kind", [OrderType.MARKET, OrderType.LIMIT])
def test_at_once_orders_take_what_is_there_or_nothing(
    kind: OrderType, tif: TimeInForce, size: str, filled: str, status: OrderStatus
) -> None:
    """10 wanted, `size` shown: IOC takes it and ends, FOK takes all or nothing, GTC stays with the rest."""
    sim = _sim()
    sim.process_quote(Quote(T0, "X", _d("99"), _d("100"), _d("50"), _d(size)))
    prices: dict[str, Any] = {"limit_price": "100"} if kind is OrderType.LIMIT else {}

    order = sim.submit_order(_order(kind, tif=tif, **prices), T0)

    assert (order.filled_quantity, order.status) == (_d(filled), status)
    if status is OrderStatus.CANCELLED:
        assert order.rejection_reason is RejectionReason.NOT_FILLED
        assert order.rejection is not None
        assert order.rejection.refused_by is RefusedBy.VENUE


@pytest.mark.parametrize("tif", [TimeInForce.IOC, TimeInForce.FOK])
@pytest.mark.parametrize("feed", FEEDS)
def test_an_at_once_limit_away_from_the_market_ends_at_its_first_price(tif: TimeInForce, feed: str) -> None:
    """A buy at 98 meets 100 and is over; a later 97 finds nothing."""
    sim = _sim()
    sim.submit_order(_order(OrderType.LIMIT, limit_price="98", tif=tif), T0)

    _feed(sim, feed, T0 + 10, "100")
    _feed(sim, feed, T0 + 20, "97")

    order = sim.get_order("a")
    assert (order.status, order.rejection_reason) == (OrderStatus.CANCELLED, RejectionReason.NOT_FILLED)
    assert _fills(sim) == []


def test_a_fill_or_kill_stop_is_killed_when_it_triggers_into_too_little() -> None:
    """The stop waits; triggered at a quote for 4 of its 10, it takes nothing and ends."""
    sim = _sim()
    sim.process_quote(_quote(T0, "99", "100"))
    sim.submit_order(_order(OrderType.STOP, stop_price="103", tif=TimeInForce.FOK), T0)

    sim.process_quote(Quote(T0 + 10, "X", _d("103"), _d("104"), _d("4"), _d("4")))

    assert (_status(sim), _fills(sim)) == (OrderStatus.CANCELLED, [])


def test_a_reduce_only_order_without_a_position_is_rejected() -> None:
    """Nothing is held: would_not_reduce, at arrival."""
    sim = _sim()

    order = sim.submit_order(_order(OrderType.MARKET, SELL, reduce_only=True), T0)

    assert (order.status, order.rejection_reason) == (OrderStatus.REJECTED, RejectionReason.WOULD_NOT_REDUCE)


def test_a_reduce_only_order_on_the_positions_own_side_is_rejected() -> None:
    """Long 10, a reduce-only buy adds: refused."""
    sim = _sim()
    _hold(sim)

    order = sim.submit_order(_order(OrderType.MARKET, BUY, reduce_only=True), T0)

    assert (order.status, order.rejection_reason) == (OrderStatus.REJECTED, RejectionReason.WOULD_NOT_REDUCE)


def test_a_reduce_only_order_stops_at_flat() -> None:
    """Long 10, a reduce-only sell of 25 sells 10 and ends; it never flips."""
    sim = _sim()
    _hold(sim)
    sim.submit_order(_order(OrderType.MARKET, SELL, quantity="25", reduce_only=True), T0 + 5)

    _feed(sim, "price", T0 + 10, "101")

    order = sim.get_order("a")
    assert _fills(sim) == [(T0 + 10, _d("10"), _d("101"))]
    assert (order.status, order.rejection_reason) == (OrderStatus.CANCELLED, RejectionReason.WOULD_NOT_REDUCE)
    assert sim.positions == {}


def test_two_reduce_only_orders_share_one_position() -> None:
    """Long 10, two reduce-only sells of 10: the second finds nothing left to reduce."""
    sim = _sim()
    _hold(sim)
    sim.submit_order(_order(OrderType.MARKET, SELL, order_id="a", reduce_only=True), T0 + 5)
    sim.submit_order(_order(OrderType.MARKET, SELL, order_id="b", reduce_only=True), T0 + 5)

    _feed(sim, "price", T0 + 10, "101")

    assert _status(sim, "a") is OrderStatus.FILLED
    assert sim.get_order("b").is_complete
    assert (_fills(sim, "b"), sim.positions) == ([], {})


def test_a_fill_or_kill_reduce_only_order_fills_wholly_or_not_at_all() -> None:
    """Long 10, a reduce-only FOK for 25 cannot be filled wholly, so nothing of it is."""
    sim = _sim()
    _hold(sim)
    sim.submit_order(_order(OrderType.MARKET, SELL, quantity="25", reduce_only=True, tif=TimeInForce.FOK), T0 + 5)

    _feed(sim, "price", T0 + 10, "101")

    assert sim.get_order("a").is_complete
    assert (_fills(sim), dict(sim.positions)) == ([], {"X": _d("10")})


@pytest.mark.parametrize("feed", FEEDS)
@pytest.mark.parametrize(
    ("limit", "status"), [("99", OrderStatus.SUBMITTED), ("100", OrderStatus.REJECTED), ("101", OrderStatus.REJECTED)]
)
def test_a_post_only_limit_never_takes(feed: str, limit: str, status: OrderStatus) -> None:
    """A post-only buy at or above its first price of 100 is rejected; below it rests, and later fills as maker."""
    sim = _sim()
    sim.submit_order(_order(OrderType.LIMIT, limit_price=limit, post_only=True), T0)

    _feed(sim, feed, T0 + 10, "100")
    order = sim.get_order("a")
    _feed(sim, feed, T0 + 20, "98")

    assert order.status is status
    if status is OrderStatus.REJECTED:
        assert order.rejection is not None
        assert order.rejection_reason is RejectionReason.POST_ONLY_WOULD_TAKE
        assert order.rejection.refused_by is RefusedBy.VENUE
        assert {order.rejection.value, order.rejection.limit} == {_d(limit), _d("100")}
        assert _fills(sim) == []
    else:
        assert [fill.liquidity for fill in sim.get_order("a").executions] == [Liquidity.MAKER]


@pytest.mark.parametrize(
    ("kind", "tif", "extra"),
    [
        (OrderType.MARKET_TO_LIMIT, TimeInForce.GTC, {}),
        (OrderType.NATIVE, TimeInForce.GTC, {"native_type": "pegged"}),
        (OrderType.MARKET, TimeInForce.AT_OPEN, {}),
        (OrderType.MARKET, TimeInForce.AT_CLOSE, {}),
        (OrderType.LIMIT, TimeInForce.AT_CLOSE, {"limit_price": "100"}),
    ],
)
def test_what_the_venue_does_not_match_it_refuses(kind: OrderType, tif: TimeInForce, extra: dict[str, Any]) -> None:
    """MARKET_TO_LIMIT, NATIVE, AT_OPEN and AT_CLOSE are `unsupported`: said, never silently something else."""
    sim = _sim(LatencyConfig(submit=Constant(10), ack=Constant(3)))
    native = extra.get("native_type")
    prices = {name: value for name, value in extra.items() if name != "native_type"}
    order = Order(
        order_id="a",
        symbol="X",
        side=BUY,
        order_type=kind,
        quantity=10,
        created_at=T0,
        time_in_force=tif,
        native_type=native,
        **{name: _d(value) for name, value in prices.items()},  # type: ignore[arg-type]
    )

    sim.submit_order(order, T0)
    sim.advance(T0 + 20)

    refused = sim.get_order("a")
    assert (refused.status, refused.rejection_reason) == (OrderStatus.REJECTED, RejectionReason.UNSUPPORTED)
    assert refused.rejection is not None
    assert refused.rejection.refused_by is RefusedBy.VENUE
    assert (refused.rejected_at, refused.events[-1].reported_at) == (T0 + 10, T0 + 13)


def test_a_limit_moved_to_the_market_trades_as_an_arrival() -> None:
    """A resting buy at 98 is moved to 101 while the ask is 100: it takes at 100."""
    sim = _sim()
    sim.process_quote(_quote(T0, "99", "100"))
    sim.submit_order(_order(OrderType.LIMIT, limit_price="98"), T0)

    order = sim.modify_order("a", T0 + 5, limit_price=_d("101"))

    assert (order.status, order.limit_price) == (OrderStatus.FILLED, _d("101"))
    assert _fills(sim) == [(T0 + 5, _d("10"), _d("100"))]


def test_a_stop_that_met_its_trigger_keeps_it() -> None:
    """A triggered stop-limit takes a new limit, but no new stop."""
    sim = _sim()
    sim.submit_order(_order(OrderType.STOP_LIMIT, stop_price="102", limit_price="103"), T0)
    _feed(sim, "price", T0 + 10, "100")
    _feed(sim, "price", T0 + 20, "105")

    stopped = sim.modify_order("a", T0 + 25, stop_price=_d("110"))
    sim.modify_order("a", T0 + 25, limit_price=_d("104"))
    _feed(sim, "price", T0 + 30, "104")

    assert (stopped.stop_price, stopped.rejection_reason) == (_d("102"), None)
    assert type(stopped.events[-1]).__name__ == "ModifyRefused"
    assert [at for _, _, at in _fills(sim)] == [_d("104")]


@pytest.mark.parametrize(("change", "first"), [({"quantity": "8"}, "a"), ({"quantity": "12"}, "b")])
def test_a_smaller_quantity_keeps_time_priority_and_a_larger_one_loses_it(change: dict[str, str], first: str) -> None:
    """Two buys at 98, `a` before `b`; the first 8 shown go to `a`, unless it grew since."""
    sim = _sim()
    sim.process_quote(_quote(T0, "99", "100"))
    sim.submit_order(_order(OrderType.LIMIT, order_id="a", limit_price="98"), T0)
    sim.submit_order(_order(OrderType.LIMIT, order_id="b", limit_price="98"), T0)
    sim.modify_order("a", T0 + 5, quantity=_d(change["quantity"]))

    sim.process_quote(Quote(T0 + 10, "X", _d("97"), _d("98"), _d("50"), _d("8")))

    second = "b" if first == "a" else "a"
    assert _fills(sim, first) == [(T0 + 10, _d("8"), _d("98"))]
    assert _fills(sim, second) == []

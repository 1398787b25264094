"""Misuse: each mistake gives one clear line at the front door, and leaves nothing behind."""

from __future__ import annotations

from datetime import time, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest

from seatrial import (
    LATENCY_NORMAL,
    Bar,
    Constant,
    Empirical,
    ExecutionSimulator,
    Instrument,
    LatencyConfig,
    Lognormal,
    Order,
    OrderSide,
    OrderStatus,
    OrderType,
    Quote,
    SeatrialError,
    Trade,
    Uniform,
    VenueConfig,
)
from seatrial.contracts.calendar import WeeklyCalendar

if TYPE_CHECKING:
    from collections.abc import Callable

T0 = 1_700_000_000_000_000_000
TEN = Decimal(10)


def _opened() -> ExecutionSimulator:
    simulator = ExecutionSimulator(initial_cash=10_000)
    simulator.process_quote(Quote(T0, "A", Decimal("9.99"), TEN))
    return simulator


def _order(**fields: Any) -> Order:
    given: dict[str, Any] = {
        "order_id": "x",
        "symbol": "A",
        "side": OrderSide.BUY,
        "order_type": OrderType.MARKET,
        "quantity": Decimal(1),
        "created_at": T0,
    }
    return Order(**(given | fields))


def _open(**settings: Any) -> ExecutionSimulator:
    given: dict[str, Any] = {"initial_cash": 1}
    return ExecutionSimulator(**(given | settings))


def _any(kind: Callable[..., object], **settings: Any) -> object:
    """Build something as an untyped caller might."""
    return kind(**settings)


SETTINGS: dict[str, tuple[Callable[[], object], str]] = {
    "no latency": (lambda: _open(latency_config=None), "latency_config=None: give a LatencyConfig"),
    "latency by name": (lambda: _open(latency_config="NORMAL"), "latency_config='NORMAL': give a LatencyConfig"),
    "latency as a span": (lambda: _open(latency_config=timedelta(1)), "give a LatencyConfig, for example"),
    "venue as a dict": (lambda: _open(venue_config={}), "venue_config={}: give a VenueConfig"),
    "one instrument": (lambda: _open(instruments=Instrument(symbol="A")), "give an iterable of Instrument"),
    "instruments by name": (lambda: _open(instruments=["IBM"]), "instruments='IBM': give an iterable of Instrument"),
    "seed of letters": (lambda: _open(seed="abc"), "seed='abc': give an int"),
    "seed of nothing": (lambda: _open(seed=None), "seed=None: give an int"),
    "id of nothing": (lambda: _open(simulator_id=""), "simulator_id='': give a plain name"),
    "id that walks": (lambda: _open(simulator_id="../../etc"), "give a plain name"),
    "hidden id": (lambda: _open(simulator_id=".."), "give a plain name"),
    "id of lines": (lambda: _open(simulator_id="a\0b\n"), "give a plain name"),
    "cash in float": (lambda: _open(initial_cash=1.5), "initial_cash=1.5: give a Decimal"),
    "nobody who observes": (lambda: _open(observers=None), "observers=None: give a tuple of names"),
    "observers counted": (lambda: _open(observers=3), "observers=3: give a tuple of names"),
    "checkpoint by name": (
        lambda: _any(ExecutionSimulator.from_checkpoint, checkpoint="paper-001"),
        "checkpoint='paper-001': give an ExecutionCheckpoint",
    ),
    "account type by name": (
        lambda: _any(VenueConfig, account_type="CASH"),
        "account_type='CASH': give an AccountType",
    ),
    "convention by name": (lambda: _any(VenueConfig, convention="nxt"), "give a Convention"),
    "limit fill by name": (lambda: _any(VenueConfig, limit_fill="touched"), "give a LimitFill"),
    "improvement by name": (lambda: _any(VenueConfig, price_improvement="sometimes"), "give a PriceImprovement"),
    "no fees": (lambda: _any(VenueConfig, fees=None), "fees=None: give a FeeSchedule"),
    "delay in ms": (lambda: _any(LatencyConfig, submission_latency=50), "give a timedelta, for example"),
    "leg in ms": (lambda: _any(LatencyConfig, submit=5), "submit=5: give a distribution such as Constant"),
    "fraction of a ns": (lambda: _any(Constant, delay_ns=1.5), "delay_ns=1.5: give whole ns from 0"),
    "delay for ever": (lambda: Constant(2**63), "give whole ns from 0"),
    "fractions measured": (lambda: _any(Empirical, delays_ns=(1.5,)), "delays_ns=1.5: give whole ns"),
    "fractions between": (lambda: _any(Uniform, low_ns=1.0, high_ns=2.5), "low_ns=1.0: give whole ns"),
    "median for ever": (lambda: Lognormal(10**30, 1.0), "give whole ns from 0"),
    "spread of letters": (lambda: _any(Lognormal, median_ns=1, sigma="wide"), "give the log's standard deviation"),
    "opening in letters": (
        lambda: _any(WeeklyCalendar, zone="UTC", opens="9:00", closes=time(16)),
        "opens='9:00': give a datetime.time",
    ),
    "calendar by name": (lambda: _any(Instrument, symbol="A", calendar="NYSE"), "calendar='NYSE': give a calendar"),
    "symbol of two lines": (lambda: Instrument(symbol="A\n"), "an instrument needs a printable name"),
    "side by name": (lambda: _order(side="buy"), "side: 'buy' is no OrderSide"),
    "flag by name": (lambda: _order(reduce_only="no"), "reduce_only: 'no' is no flag"),
    "fills from nowhere": (lambda: _order(quantity=2, filled_quantity=Decimal(1)), "only apply() gives it a history"),
    "history from nowhere": (lambda: _order(events=("a",)), "only apply() gives it a history"),
    "quantity beyond money": (lambda: _order(quantity=Decimal("1e999999")), "quantity: 1E+999999 is too large"),
    "quantity beyond digits": (lambda: _order(quantity=Decimal("1." + "1" * 40)), "of at most 28 digits"),
    "price beyond money": (lambda: Trade(T0, "A", Decimal("9e999999")), "price: 9E+999999 is no price"),
    "symbol of no name": (lambda: _any(Trade, ts=T0, symbol=5, price=TEN), "market data for 5: symbol: it is no name"),
}


@pytest.mark.parametrize("case", SETTINGS)
def test_mistake_is_told_where_it_is_made(case: str) -> None:
    """One line, naming the setting and what to give."""
    build, told = SETTINGS[case]

    with pytest.raises(SeatrialError) as caught:
        build()

    assert told in str(caught.value)
    assert "\n" not in str(caught.value)


CALLS: dict[str, tuple[Callable[[Any], object], str]] = {
    "order by name": (lambda s: s.submit_order("x", T0), "order: it is no Order"),
    "no order": (lambda s: s.submit_order(None, T0), "order: it is no Order"),
    "exits in a list": (lambda s: s.submit_bracket(_order(), [_order()], timestamp=T0), "an argument of its own"),
    "bar as a quote": (lambda s: s.process_quote(Bar(T0 + 9, "A", TEN, TEN, TEN, TEN)), "Bar is no Quote"),
    "quote as a trade": (lambda s: s.process_trade(Quote(T0 + 9, "A", TEN, TEN)), "Quote is no Trade"),
    "trade as a quote": (lambda s: s.process_quote(Trade(T0 + 9, "A", TEN)), "Trade is no Quote"),
    "bare bar": (lambda s: s.process_bars(Trade(T0 + 9, "A", TEN)), "Trade is no Bar in a list or tuple"),
    "bar and letters": (
        lambda s: s.process_bars([Bar(T0 + 9, "A", TEN, TEN, TEN, TEN), "x"]),
        "str is no Bar in a list or tuple",
    ),
    "no bars": (lambda s: s.process_bars(None), "NoneType is no Bar in a list or tuple"),
    "prices in a list": (lambda s: s.process_market_data(T0 + 9, [TEN]), "list is no mapping of symbols to prices"),
    "price of a number": (lambda s: s.process_market_data(T0 + 9, {5: TEN}), "market data for 5: symbol"),
    "anything at all": (lambda s: s.process("x"), "str is no Quote, Trade or Bar"),
    "deaf listener": (lambda s: s.add_listener(5), "listener=5: give a callable"),
    "halt by nobody": (lambda s: s.disable_trading("", "stop"), "by='': say who switches trading, and why"),
    "halt for nothing": (lambda s: s.disable_trading("ops", None), "reason=None: say who switches trading, and why"),
    "go by nobody": (lambda s: s.enable_trading(None, "go"), "by=None: say who switches trading, and why"),
}


@pytest.mark.parametrize("case", CALLS)
def test_mistaken_call_changes_nothing(case: str) -> None:
    """The clock, the log and the books are as before, and the next order trades as if nothing had been."""
    call, told = CALLS[case]
    simulator = _opened()

    with pytest.raises(SeatrialError) as caught:
        call(simulator)

    assert told in str(caught.value)
    assert (simulator.now, list(simulator.events), simulator.pending_orders) == (T0, [], {})
    assert simulator.submit_order(_order(), T0).status is OrderStatus.FILLED
    assert simulator.cash == 9_990


@pytest.mark.parametrize("latency", [LatencyConfig(), LATENCY_NORMAL])
def test_bar_without_a_start_does_not_begin_at_a_midnight_inside_it(latency: LatencyConfig) -> None:
    """On a market that never closes, a week's bar begins a week ago: a buy on its fifth day waits for the next one."""
    day = 86_400 * 10**9
    simulator = ExecutionSimulator(initial_cash=10_000, latency_config=latency)
    simulator.process_bar(Bar(T0, "A", TEN, TEN, TEN, TEN))
    simulator.submit_order(_order(), T0 + 5 * day)

    simulator.process_bar(Bar(T0 + 7 * day, "A", TEN, Decimal(20), TEN, Decimal(20)))
    waiting = simulator.get_order("x").status
    simulator.process_bar(Bar(T0 + 14 * day, "A", Decimal(20), Decimal(20), Decimal(20), Decimal(20)))

    assert waiting is OrderStatus.SUBMITTED
    assert simulator.get_order("x").avg_fill_price == 20

"""Delays are kept to the nanosecond on ticks, and by the documented rule on bars."""

from __future__ import annotations

import hashlib
import subprocess
import sys
from datetime import datetime, timedelta
from decimal import Decimal
from itertools import pairwise
from pathlib import Path
from typing import Any, cast

import backtrader
import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
from tests.backtrader.parity import feeds
from tests.backtrader.parity.recorder import Script, record
from tests.backtrader.parity.trace import Trace, assert_same
from tests.backtrader.parity.trial import MS, START, Trial, at, bars, days, run, ticks
from tests.backtrader.parity.wirings import stock

from seatrial import (
    LATENCY_NORMAL,
    Constant,
    LatencyConfig,
    OrderExecution,
    RejectionReason,
    Uniform,
)
from seatrial.contracts.events import (
    CancelRefused,
    CancelRequested,
    OrderAccepted,
    OrderCancelled,
    OrderExpired,
    OrderSubmitted,
    encode_events,
)
from seatrial.errors import InvalidConfigError
from seatrial_backtrader import SeatrialBroker

bt: Any = backtrader  # whose modules hide what they hold from a type checker

SECOND = 1_000
LEGS = ("submit", "ack", "fill", "cancel")
FLAT = (100.0, 100.5, 99.5, 100.0)


def constant(**ms: float) -> LatencyConfig:
    """Return constant delays of legs, in ms."""
    legs: dict[str, Any] = {leg: Constant(round(delay * MS)) for leg, delay in ms.items()}
    return LatencyConfig(**legs)


def times(strategy: Any, kind: Any) -> list[tuple[int, int]]:
    """Return when events of a kind happened, and when they were told, in ns."""
    return [(event.timestamp, event.reported_at) for event in strategy.broker.events if isinstance(event, kind)]


# -- ticks -------------------------------------------------------------------------------------------------------------

PRICES = {n * 40: 100.0 + (n % 7) / 10 for n in range(40)}
"""A price every 40 ms."""


def first_tick(moment: int) -> int:
    """Return the stamp of the first price at or after a moment, in ns."""
    return next(stamp for ms in PRICES if (stamp := at(ms)) >= moment)


@pytest.mark.parametrize("legs", [(), *((leg,) for leg in LEGS), LEGS], ids="+".join)
def test_every_time_equals_the_arithmetic(legs: tuple[str, ...]) -> None:
    """Sent, accepted, filled, cancelled: each event happens, and is told, at the sum of the delays before it."""
    delays = {leg: {"submit": 50, "ack": 70, "fill": 130, "cancel": 90}[leg] if leg in legs else 0 for leg in LEGS}
    submit, ack, fill, cancel = (delays[leg] * MS for leg in LEGS)
    plan = {
        2: lambda it: it.order("market", 1),
        10: lambda it: it.order("resting", 1, exectype=bt.Order.Limit, price=50.0),
        20: lambda it: it.broker.cancel(it.sent["resting"]),
    }

    strategy = run(plan, ticks(PRICES), latency_config=constant(**delays), ledgers=2)

    sent, rested, asked = at(40), at(360), at(760)
    matched = first_tick(max(sent + submit, sent + 1))  # what was printed when it was sent cannot be traded any more
    told = {"market": matched + fill, "resting": rested + submit + ack, "cancelled": asked + cancel + ack}
    assert times(strategy, OrderSubmitted) == [(sent, sent), (rested, rested)]
    assert times(strategy, OrderAccepted) == [(sent + submit, sent + submit + ack), (rested + submit, told["resting"])]
    assert times(strategy, OrderExecution) == [(matched, max(told["market"], sent + submit + ack))]
    assert times(strategy, CancelRequested) == [(asked, asked)]
    assert times(strategy, OrderCancelled) == [(asked + cancel, told["cancelled"])]
    stamps = [at(ms) for ms in PRICES]
    for name, status, moment in (
        ("market", "Completed", max(told["market"], sent + submit + ack)),
        ("resting", "Accepted", max(told["resting"], rested + 1)),
        ("resting", "Canceled", max(told["cancelled"], asked + 1)),
    ):
        bar = 1 + next(n for n, stamp in enumerate(stamps) if stamp >= moment)  # the first turn it can be told on
        assert (bar, status) in strategy.told_of(name)


def test_a_fill_moves_the_account_when_it_is_told() -> None:
    """Filled at the first price after 50 ms, told 60 ms later: until then cash and position are as before."""
    prices = {0: 100.0, 155: 101.0, 200: 102.0, 249: 103.0}

    strategy = run({1: lambda it: it.order("buy", 1)}, ticks(prices), latency_config=constant(submit=50, fill=60))

    assert times(strategy, OrderExecution) == [(at(155), at(155) + 60 * MS)]
    assert strategy.cash == [10_000.0, 10_000.0, 10_000.0, 10_000.0 - 101.0]
    assert strategy.held == [0, 0, 0, 1]
    [*_, fill] = strategy.heard
    assert at(bt.num2date(fill.executed.dt)) == at(155)


@pytest.mark.parametrize(
    ("delay", "end", "refused"), [(10, "Canceled", []), (100, "Completed", [RejectionReason.TOO_LATE_TO_CANCEL])]
)
def test_a_cancel_races_the_market(delay: int, end: str, refused: list[RejectionReason]) -> None:
    """A price 50 ms away finds the order gone if the cancel takes 10 ms, and trades with it if it takes 100 ms."""
    plan = {
        1: lambda it: it.order("bid", 1, exectype=bt.Order.Limit, price=99.0),
        3: lambda it: it.broker.cancel(it.sent["bid"]),
    }
    prices = {0: 100.0, 10: 100.0, 20: 100.0, 70: 98.5, 300: 100.0, 400: 100.0}

    strategy = run(plan, ticks(prices), latency_config=constant(cancel=delay))

    assert strategy.told_of("bid")[-1][1] == end
    assert strategy.answers[3] is True  # the request was under way
    reasons = [event.rejection.reason for event in strategy.broker.events if isinstance(event, CancelRefused)]
    assert reasons == refused


@pytest.mark.parametrize("gap", [0, 1])
def test_an_order_in_flight_can_be_cancelled(gap: int) -> None:
    """A cancel follows its order on the same link: it arrives no earlier, and before anything can be matched."""
    plan = {
        2: lambda it: it.order("buy", 1),
        2 + gap: (lambda it: (it.order("buy", 1), it.broker.cancel(it.sent["buy"])))
        if gap == 0
        else lambda it: it.broker.cancel(it.sent["buy"]),
    }

    strategy = run(plan, ticks(PRICES), latency_config=constant(submit=100))

    assert strategy.told_of("buy")[-1][1] == "Canceled"
    assert strategy.position.size == 0
    [(cancelled, _)] = times(strategy, OrderCancelled)
    assert cancelled == at(40) + 100 * MS


JITTER = LatencyConfig(
    submit=Uniform(0, 200 * MS), ack=Uniform(0, 50 * MS), fill=Uniform(20 * MS, 300 * MS), cancel=Uniform(0, 90 * MS)
)


def busy(seed: int = 1) -> Any:
    """Return a strategy that sent an order on every second of 200 prices and cancelled some, under jitter."""
    plan = {n: lambda it: it.order(str(len(it)), 1 if len(it) % 4 else -2) for n in range(1, 200, 2)}
    for n in range(6, 200, 10):
        plan[n] = lambda it: [it.broker.cancel(order) for order in it.broker.get_orders_open()]
        plan[n - 1] = lambda it: it.order(str(len(it)), 1, exectype=bt.Order.Limit, price=99.0)
    return run(plan, feeds.ticks(3, 200), latency_config=JITTER, seed=seed, cash=1e6)


def test_nothing_overtakes() -> None:
    """Orders arrive in the order in which they were sent, and reports in the order in which things happened."""
    strategy = busy()
    events = strategy.broker.events

    accepted = [event for event in events if isinstance(event, OrderAccepted)]
    assert [event.order_id for event in accepted] == [f"Trial-{n}" for n in range(1, len(accepted) + 1)]
    assert all(one.timestamp <= other.timestamp for one, other in pairwise(accepted))
    reports = [event for event in events if isinstance(event, OrderAccepted | OrderExecution | OrderCancelled)]
    assert all(one.reported_at <= other.reported_at for one, other in pairwise(reports))
    assert all(event.reported_at >= event.timestamp for event in events)
    assert len({event.reported_at - event.timestamp for event in reports}) > len(reports) / 2  # there is jitter


PROGRAM = """
import hashlib, runpy, warnings
with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    import backtrader
busy, encode = (runpy.run_path({path!r})[name] for name in ("busy", "encode_events"))
print(hashlib.sha256(encode(list(busy().broker.events))).hexdigest())
"""


def test_jitter_follows_the_seed_in_every_process() -> None:
    """The same seed gives the same log, byte for byte, whatever Python's hash seed; another seed another log."""
    here = hashlib.sha256(encode_events(list(busy().broker.events))).hexdigest()

    for hash_seed in ("1", "2"):
        command = [sys.executable, "-c", PROGRAM.format(path=__file__)]
        told = subprocess.run(
            command, env={"PYTHONHASHSEED": hash_seed}, check=True, capture_output=True, text=True
        ).stdout
        assert told.strip() == here
    assert hashlib.sha256(encode_events(list(busy(2).broker.events))).hexdigest() != here


# -- bars --------------------------------------------------------------------------------------------------------------

RISING = [(100.0 + n, 100.8 + n, 99.8 + n, 100.5 + n) for n in range(8)]
"""Minute bars whose open tells which one it is."""


@pytest.mark.parametrize(
    ("theta", "delay", "bar"),
    [
        ("0.5", 29.9, 2), ("0.5", 30.1, 3), ("0", 0.05, 3), ("0", 60.1, 4), ("1", 59.9, 2), ("1", 60.1, 3),
        ("0.5", 90.1, 4), ("0.5", 0.05, 2),
    ],
)  # fmt: skip
def test_theta_says_which_bar_an_order_still_meets(theta: str, delay: float, bar: int) -> None:
    """What arrives by that part of a minute bar trades at its open, anything later at the next one's."""
    latency = constant(submit=delay * SECOND)

    strategy = run({1: lambda it: it.order("buy", 1)}, bars(RISING), latency_config=latency, bar_theta=Decimal(theta))

    [*_, fill] = strategy.heard
    assert (fill.getstatusname(), fill.executed.price) == ("Completed", 99.0 + bar)


@pytest.mark.parametrize(("theta", "end"), [("0.5", "Completed"), ("1", "Canceled")])
def test_theta_holds_for_cancels_too(theta: str, end: str) -> None:
    """A cancel that arrives 40 s into a bar finds its order filled in it, or ends it, as the part of the bar says."""
    plan = {
        1: lambda it: it.order("bid", 1, exectype=bt.Order.Limit, price=99.0),
        2: lambda it: it.broker.cancel(it.sent["bid"]),
    }
    feed = bars([FLAT, FLAT, (100.0, 100.0, 98.0, 99.5), FLAT, FLAT])

    strategy = run(plan, feed, latency_config=constant(cancel=40 * SECOND), bar_theta=Decimal(theta))

    assert strategy.told_of("bid")[-1][1] == end


class Crossing(bt.Strategy):
    """Trades real days by an average, with market, limit and stop orders and a bracket."""

    def __init__(self) -> None:
        self.cross = bt.indicators.CrossOver(self.data.close, bt.indicators.SMA(period=5))

    def next(self) -> None:
        price = self.data.close[0]
        if self.cross[0] > 0:
            self.buy_bracket(size=10, exectype=bt.Order.Market, limitprice=price * 1.04, stopprice=price * 0.96)
        elif self.cross[0] < 0:
            self.sell(size=5, exectype=bt.Order.Limit, price=price * 1.01)
        if len(self) % 9 == 0:
            for order in self.broker.get_orders_open():
                self.cancel(order)


def on_real_days(cerebro: Any) -> None:
    """Put the crossing on the daily bars of IBM."""
    cerebro.adddata(feeds.ibm())
    cerebro.addstrategy(Crossing)


def seen(factory: Any) -> Trace:
    """Return what the crossing is told on real days, and its account; not where orders are and when cancels came."""
    trace = [entry for entry in record(Script(on_real_days), factory) if entry.kind not in {"orders", "order"}]
    for entry in trace:
        if entry.fields.get("status") == "Canceled":
            cast("dict[str, str]", entry.fields).pop("executed.dt")
    return trace


def test_daily_bars_do_not_feel_50_ms() -> None:
    """On real days, orders and cancels that travel for 50 ms have the stock broker's fills, news, cash and value."""
    latency = constant(submit=50, cancel=50)

    assert_same(seen(stock), seen(lambda: SeatrialBroker(latency_config=latency)))


class Regular(bt.Strategy):
    """Trades with every third piece of a bar, and leaves limits that are cancelled later."""

    def __init__(self) -> None:
        self.pieces = 0
        self.fills: list[tuple[float, ...]] = []

    def notify_order(self, order: Any) -> None:
        if order.status == order.Completed:
            done = order.executed
            self.fills.append((order.ref - self.first, order.created.dt, done.dt, done.price, done.size))

    def start(self) -> None:
        self.first = next(bt.Order.refbasis)

    def next(self) -> None:
        self.pieces += 1
        match self.pieces % 6:
            case 2:
                self.buy(size=2)
            case 3:
                self.sell(size=1, exectype=bt.Order.Limit, price=self.data.close[0] * 1.01)
            case 5:
                self.sell(size=1)
            case 0:
                for order in self.broker.get_orders_open():
                    self.cancel(order)


@pytest.mark.parametrize("how", ["adddata", "resampledata", "replaydata"])
@pytest.mark.parametrize("more", [{}, {"ack": 1, "fill": 1}], ids=["one ledger", "two ledgers"])
def test_bars_that_grow_do_not_feel_50_ms_either(how: str, more: dict[str, int]) -> None:
    """A replayed week is new with each of its days: an order meets the next day, and not the next week."""

    def fills(broker: Any) -> list[tuple[float, ...]]:
        cerebro = bt.Cerebro(stdstats=False)
        cerebro.setbroker(broker)
        coarse = {} if how == "adddata" else {"timeframe": bt.TimeFrame.Weeks}
        getattr(cerebro, how)(feeds.ibm(datetime(2008, 1, 1)), **coarse)
        cerebro.addstrategy(Regular)
        [strategy] = cerebro.run()
        return list(strategy.fills)

    known = fills(stock())

    assert len(known) > 20
    assert fills(SeatrialBroker(latency_config=constant(submit=50, cancel=50, **more))) == known


def test_a_bar_that_grows_is_gone_on_with(tmp_path: Path) -> None:
    """A run that is cut in the middle of a week goes on with the next day of it."""

    def fills(until: int | None, **kept: Any) -> list[tuple[float, ...]]:
        class Cut(Regular):
            def save_state(self) -> int:
                return self.pieces

            def load_state(self, pieces: int) -> None:
                self.pieces = pieces

            def start(self) -> None:
                self.first = 0

            def next(self) -> None:
                super().next()
                if self.pieces == until:
                    self.env.runstop()

        cerebro = bt.Cerebro(stdstats=False)
        cerebro.setbroker(SeatrialBroker(latency_config=constant(submit=50, cancel=50, fill=1), **kept))
        cerebro.replaydata(feeds.ibm(datetime(2008, 11, 1)), timeframe=bt.TimeFrame.Weeks)
        cerebro.addstrategy(Cut)
        [strategy] = cerebro.run()
        return [fill[1:] for fill in strategy.fills]

    whole = fills(None)
    for until in (14, 15, 20, 21):  # by then a market order is under way, or has just been sent
        kept = tmp_path / str(until)
        before = fills(until, checkpoints=kept, checkpoint_every="bar")
        after = fills(None, checkpoints=kept, checkpoint_every="bar", resume="latest")
        assert before + after == whole
        assert before
        assert after


def test_strict_bars_cost_a_day() -> None:
    """With `bar_theta` of 0 the same orders meet the day after, which the comparison above would notice."""
    latency = constant(submit=50, cancel=50)

    with pytest.raises(AssertionError):
        assert_same(seen(stock), seen(lambda: SeatrialBroker(latency_config=latency, bar_theta=Decimal(0))))


@pytest.mark.parametrize(
    ("kind", "least", "most"),
    [(bt.Order.Market, 0, 0), (bt.Order.Close, 300, 300), (bt.Order.Limit, 55, 95)],
    ids=["market", "close", "limit"],
)
def test_a_report_comes_late_as_often_as_the_match_is_late_in_its_bar(kind: int, least: int, most: int) -> None:
    """With 6 hours on daily bars: never for a match at the open, always at the close, else one time in four."""
    count = 300
    plan = {2 * n - 1: lambda it: it.order(str(len(it)), 1, exectype=kind, price=99.9) for n in range(1, count + 1)}
    feed = days([FLAT] * (2 * count + 2))

    strategy = run(plan, feed, latency_config=constant(fill=6 * 3_600 * SECOND), cash=1e6)

    # In bars, from the order to the news of its fill.
    waits = [told.bar - int(told.name) for told in strategy.told if told.status == "Completed"]
    assert len(waits) == count
    assert set(waits) <= {1, 2}
    assert least <= waits.count(2) <= most


def test_an_order_waits_for_a_fresh_bar_of_its_own_feed() -> None:
    """An order in a daily feed, sent between two of its bars, meets the next of them, and no earlier one."""
    minutes = bars([FLAT] * 600, minutes=10)
    daily = days([(100.0 + n, 101.0 + n, 99.0 + n, 100.5 + n) for n in range(5)])
    sent: dict[str, datetime] = {}

    def act(it: Trial) -> None:
        sent["at"] = it.datas[0].datetime.datetime(0)
        it.order("limit", 1, data=it.datas[1], exectype=bt.Order.Limit, price=110.0)

    strategy = run({60: act}, minutes, daily, latency_config=constant(submit=50))

    [fill] = [order for order in strategy.heard if order.status == bt.Order.Completed]
    assert fill.executed.price == 101.0  # the open of the second day
    assert sent["at"].day == 2
    assert bt.num2date(fill.executed.dt).day == 3


@pytest.mark.parametrize(("delay", "bar"), [(0.05, 3), (29.9, 3), (30.1, 4)])
def test_an_order_before_the_open_travels_from_the_open(delay: float, bar: int) -> None:
    """With cheat-on-open an order of `next_open` leaves when the bar begins, and meets it if it arrives in time."""

    class Early(Trial):
        def next_open(self) -> None:
            if len(self) == 2:  # Backtrader counts the bar that begins only after this
                self.order("early", 1)

    cerebro = bt.Cerebro(stdstats=False, cheat_on_open=True)
    cerebro.setbroker(SeatrialBroker(latency_config=constant(submit=delay * SECOND), coo=True))
    cerebro.adddata(bars(RISING))
    cerebro.addstrategy(Early)
    [strategy] = cerebro.run()

    [*_, fill] = strategy.heard
    assert fill.executed.price == 99.0 + bar
    [(sent, _)] = times(strategy, OrderSubmitted)
    assert abs(sent - at(2 * 60 * SECOND)) < 20_000  # ns: as near as stamps are


def test_cheat_on_close_with_a_submit_delay_is_refused() -> None:
    """An order that takes time cannot trade at the close at which it was sent."""
    with pytest.raises(InvalidConfigError, match=r"^coc=True: an order that takes time"):
        run({}, bars([FLAT] * 3), latency_config=constant(submit=1), coc=True)


# -- groups, ends ------------------------------------------------------------------------------------------------------


def test_a_bracket_travels_as_one() -> None:
    """Entry and exits arrive together; the exits wait for the entry, and one ends the other."""
    prices = {0: 100.0, 40: 101.0, 80: 102.0, 120: 106.0, 160: 107.0, 200: 108.0, 240: 109.0, 280: 109.0, 400: 109.0}

    def act(it: Trial) -> None:
        it.buy_bracket(
            size=1, exectype=bt.Order.Market, limitprice=105.0, stopprice=95.0,
            oargs={"name": "entry"}, limitargs={"name": "limit"}, stopargs={"name": "stop"},
        )  # fmt: skip

    strategy = run({1: act}, ticks(prices), latency_config=constant(submit=50, fill=30, ack=5))

    accepted = times(strategy, OrderAccepted)
    assert accepted == [(at(0) + 50 * MS, at(0) + 55 * MS)] * 3
    assert times(strategy, OrderExecution) == [(at(80), at(80) + 30 * MS), (at(120), at(120) + 30 * MS)]
    assert {name: strategy.told_of(name)[-1][1] for name in ("entry", "limit", "stop")} == {
        "entry": "Completed", "limit": "Completed", "stop": "Canceled",
    }  # fmt: skip
    assert strategy.position.size == 0


def test_an_order_that_arrives_after_its_group_has_died_does_not_trade() -> None:
    """One of the group fills while another is under way: the late one ends on arrival, with its reason."""
    prices = {0: 100.0, 50: 100.0, 100: 98.0, 200: 98.0, 300: 98.0, 400: 98.0}
    plan = {
        1: lambda it: it.order("first", 1, exectype=bt.Order.Limit, price=99.0),
        2: lambda it: it.order("late", 1, exectype=bt.Order.Limit, price=99.0, oco=it.sent["first"]),
    }

    strategy = run(plan, ticks(prices), latency_config=constant(submit=90))

    assert strategy.told_of("first")[-1][1] == "Completed"
    assert strategy.told_of("late")[-1][1] == "Canceled"
    assert strategy.position.size == 1
    [ended] = [event for event in strategy.broker.events if isinstance(event, OrderCancelled)]
    assert ended.rejection is not None
    assert ended.rejection.reason is RejectionReason.GROUP_ENDED
    assert ended.timestamp == at(50) + 90 * MS


def test_news_of_an_order_that_arrived_too_late_travels_too() -> None:
    """The strategy's own object of an order that ended on arrival says so when that is told, not before."""
    prices = {0: 100.0, 50: 100.0, 100: 98.0, 200: 98.0, 300: 98.0, 400: 98.0}
    alive: dict[int, bool] = {}
    plan = {
        1: lambda it: it.order("first", 1, exectype=bt.Order.Limit, price=99.0),
        2: lambda it: it.order("late", 1, exectype=bt.Order.Limit, price=99.0, oco=it.sent["first"]),
        4: lambda it: alive.update({4: it.sent["late"].alive()}),
        6: lambda it: alive.update({6: it.sent["late"].alive()}),
    }

    run(plan, ticks(prices), latency_config=constant(submit=90, ack=200))

    assert alive == {4: True, 6: False}


def test_a_cancel_may_cross_the_end_of_its_group() -> None:
    """The venue ends an order with its group while a cancel of it travels: the cancel is answered as well."""
    prices = {0: 100.0, 50: 100.0, 100: 98.0, 200: 98.0, 300: 98.0, 400: 98.0}
    plan = {
        1: lambda it: (
            it.order("low", 1, exectype=bt.Order.Limit, price=99.0),
            it.order("high", -1, exectype=bt.Order.Limit, price=102.0, oco=it.sent["low"]),
        ),
        2: lambda it: it.broker.cancel(it.sent["high"]),
    }

    strategy = run(plan, ticks(prices), latency_config=constant(cancel=200))

    [ended] = [event for event in strategy.broker.events if isinstance(event, OrderCancelled)]
    [refused] = [event for event in strategy.broker.events if isinstance(event, CancelRefused)]
    assert ended.rejection is not None
    assert (ended.rejection.reason, ended.timestamp) == (RejectionReason.GROUP_ENDED, at(100))
    assert (refused.rejection.reason, refused.timestamp) == (RejectionReason.TOO_LATE_TO_CANCEL, at(50) + 200 * MS)


def test_a_group_whose_report_is_under_way_is_dead_already() -> None:
    """The venue cancels the sibling when the first of a group fills, not when the strategy hears of it."""
    prices = {0: 100.0, 50: 98.0, 100: 103.0, 200: 103.0, 500: 103.0}
    plan = {
        1: lambda it: (
            it.order("low", 1, exectype=bt.Order.Limit, price=99.0),
            it.order("high", -1, exectype=bt.Order.Limit, price=102.0, oco=it.sent["low"]),
        )
    }

    strategy = run(plan, ticks(prices), latency_config=constant(fill=300))

    assert strategy.told_of("low")[-1] == (5, "Completed")
    assert strategy.told_of("high")[-1] == (5, "Canceled")  # and not before the fill that caused it
    assert times(strategy, OrderCancelled)[0][0] == at(50)


@pytest.mark.parametrize(("delay", "end"), [(50, "Completed"), (500, "Expired")])
def test_an_order_may_expire_while_it_travels(delay: int, end: str) -> None:
    """Good until 300 ms after it was sent: one that arrives before trades, one that arrives later has expired."""
    prices = {0: 100.0, 100: 98.0, 400: 98.0, 600: 98.0, 700: 98.0}
    until = START + timedelta(milliseconds=300)
    plan = {1: lambda it: it.order("bid", 1, exectype=bt.Order.Limit, price=99.0, valid=until)}

    strategy = run(plan, ticks(prices), latency_config=constant(submit=delay))

    assert strategy.told_of("bid")[-1][1] == end
    if end == "Expired":
        [(expired, _)] = times(strategy, OrderExpired)
        assert expired == at(0) + 500 * MS


def test_what_is_under_way_at_the_end_stays_under_way() -> None:
    """The data ends before an order arrives and before a fill is told: neither happens, as far as anybody knows."""
    prices = {0: 100.0, 50: 100.0, 100: 100.0}
    plan = {1: lambda it: it.order("filled", 1), 3: lambda it: it.order("sent", 1)}

    strategy = run(plan, ticks(prices), latency_config=constant(submit=10, fill=500))

    assert [told.status for told in strategy.told if told.name == "filled"] == ["Submitted", "Accepted"]
    assert strategy.sent["filled"].alive()
    assert strategy.sent["sent"].alive()
    assert (strategy.position.size, strategy.broker.getcash()) == (0, 10_000.0)
    assert set(strategy.broker.gate.pending_orders) == {"Trial-1", "Trial-2"}


def test_a_profile_is_one_argument() -> None:
    """Under LATENCY_NORMAL an order takes 50 ms, and the news of its fill 100 to 200 ms."""
    strategy = run({1: lambda it: it.order("buy", 1)}, ticks(PRICES), latency_config=LATENCY_NORMAL)

    [(matched, told)] = times(strategy, OrderExecution)
    assert matched == first_tick(at(0) + 50 * MS)
    assert 100 * MS <= told - matched <= 200 * MS

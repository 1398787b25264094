"""Whatever a strategy reads, on whatever call, it finds nothing that has not been reported to it."""

from __future__ import annotations

import random
import sys
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import backtrader
import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
from tests.backtrader.parity import feeds
from tests.backtrader.parity.recorder import ledger
from tests.backtrader.parity.trial import Trial, days, run

from seatrial import Constant, LatencyConfig, Lognormal, OrderExecution, Uniform
from seatrial.contracts.events import (
    OrderAccepted,
    OrderCancelled,
    OrderDenied,
    OrderExpired,
    OrderRejected,
    OrderTriggered,
)
from seatrial_backtrader import SeatrialBroker
from seatrial_backtrader.stamps import span

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

bt: Any = backtrader  # whose modules hide what they hold from a type checker

MS = 1_000_000
HOUR = 3_600_000 * MS
CASH = 100_000.0
ENDS = (OrderCancelled, OrderDenied, OrderExpired, OrderRejected)


class Seen(NamedTuple):
    """What a strategy found when it looked: when, how long the log was, on which call, its account and its orders."""

    now: int
    heard: int
    call: str
    cash: float
    value: float
    shares: tuple[float, ...]
    prices: tuple[float, ...]
    traded: tuple[float, ...]
    orders: tuple[tuple[str, float, float, bool, bool, bool], ...]
    open: frozenset[str]
    everything: str


class Spy(bt.Strategy):
    """Trades at random, and on every call reads all there is to read."""

    params = (("seed", 0), ("bustle", 0.5), ("thorough", False))

    def __init__(self) -> None:
        self.rng = random.Random(self.p.seed)
        self.sent: list[Any] = []
        self.seen: list[Seen] = []
        self.apart: list[str] = []
        self.clock = 0

    # -- what it does --------------------------------------------------------------------------------------------------

    def act(self) -> None:
        """Send a few orders of any kind, and cancel some."""
        rng = self.rng
        while rng.random() < self.p.bustle:
            data = rng.choice(self.datas)
            if not len(data):
                continue
            price = float(data.close[0])
            off = round(price * (1 + rng.gauss(0, 0.004)), 2)
            send = rng.choice((self.buy, self.sell))
            more: dict[str, Any] = {"data": data, "size": rng.choice((1, 3, 10))}
            kind = rng.randrange(8)
            if kind == 0:
                self.sent.append(send(exectype=bt.Order.Limit, price=off, **more))
            elif kind == 1:
                self.sent.append(send(exectype=bt.Order.StopLimit, price=off, plimit=off, **more))
            elif kind == 2:
                self.sent.append(send(exectype=bt.Order.StopTrail, trailamount=0.3, **more))
            elif kind == 3:
                self.sent += self.buy_bracket(
                    exectype=bt.Order.Market, limitprice=price * 1.004, stopprice=price * 0.996, **more
                )
            elif kind == 4:
                first = self.buy(exectype=bt.Order.Limit, price=round(price * 0.997, 2), **more)
                second = self.sell(exectype=bt.Order.Limit, price=round(price * 1.003, 2), oco=first, **more)
                self.sent += [first, second]
            elif kind == 5 and self.sent:
                self.cancel(rng.choice(self.sent))
            else:
                self.sent.append(send(**more))

    # -- what it reads -------------------------------------------------------------------------------------------------

    def read(self, call: str) -> None:
        broker = self.broker
        if call != "next_open":  # which comes before the broker has seen the bar
            self.clock = max([self.clock, *[span(data)[1] for data in self.datas if len(data)]])
        else:
            self.clock = max([self.clock, *[span(data)[0] for data in self.datas if len(data)]])
        started = [len(data) > 0 for data in self.datas]
        shares = tuple([self.getposition(data).size for data in self.datas])
        assert shares == tuple([broker.getposition(data).size for data in self.datas])
        assert shares == tuple([broker.positions[data].size for data in self.datas])
        assert shares == tuple([self.positions[data].size for data in self.datas])
        assert self.position.size == shares[0]
        assert broker.getcash() == broker.get_cash() == broker.cash
        prices = tuple([data.close[0] if begun else 0.0 for data, begun in zip(self.datas, started, strict=True)])
        trades = [[trade for held in self._trades[data].values() for trade in held] for data in self.datas]
        orders = tuple(
            [
                (
                    order.order_id,
                    sum(bit.size for bit in order.executed.exbits),
                    order.executed.size,
                    order.alive(),
                    bool(order.triggered),
                    order.status == bt.Order.Accepted,
                )
                for order in self.sent[-20:]
            ]
        )
        assert all(order.executed.remsize == order.size - order.executed.size for order in self.sent[-20:])
        pending, safe = broker.get_orders_open(), broker.get_orders_open(safe=True)
        assert [order.ref for order in pending] == [order.ref for order in safe]
        assert [order.ref for order in pending] == [order.ref for order in broker.pending]
        everything: list[object] = (
            []
            if not self.p.thorough
            else [
                [order.getstatusname() for order in self.sent],
                [
                    (order.executed.price, order.executed.pnl, order.executed.comm, order.executed.dt)
                    for order in self.sent
                ],
                [(order.created.price, order.created.pricelimit) for order in pending],
                [(position.size, position.price, position.adjbase) for position in broker.positions.values()],
                [(trade.size, trade.pnl, trade.isopen, trade.commission) for some in trades for trade in some],
                [broker.get_value(mkt=mkt, lever=lever) for mkt in (False, True) for lever in (False, True)],
                [broker.get_leverage(), broker.fundvalue, broker.fundshares, broker.get_value_lever()],
                [len(broker.orders), [order.order_id for order in pending]],
                [list(observer.lines[0].array) for observer in self.stats],
                [repr(analyzer.get_analysis()) for analyzer in self.analyzers],
            ]
        )
        if broker.venue is not None and not broker.gate.wire.reports:
            broker._replica.touch()  # a question leaves an empty position, which the venue has not been asked for
            name = {id(data): str(number) for number, data in enumerate(self.datas)}
            near, far = (dict(ledger(one, lambda data: name[id(data)])) for one in (broker, broker.venue))
            self.apart += [
                f"{self.clock} {call}: {key} {near.get(key)} {far.get(key)}"
                for key in near.keys() | far.keys()
                if near.get(key) != far.get(key)
            ]
        self.seen.append(
            Seen(
                self.clock,
                len(broker.events),
                call,
                broker.getcash(),
                broker.getvalue(),
                shares,
                prices,
                tuple([sum(trade.size for trade in some) for some in trades]),
                orders,
                frozenset(order.order_id for order in pending),
                repr(everything),
            )
        )

    def notify_order(self, order: Any) -> None:
        self.read("notify_order")
        if self.rng.random() < 0.1:
            self.act()

    def notify_trade(self, trade: Any) -> None:
        self.read("notify_trade")

    def notify_cashvalue(self, cash: float, value: float) -> None:
        self.read("notify_cashvalue")

    def notify_fund(self, cash: float, value: float, fundvalue: float, shares: float) -> None:
        self.read("notify_fund")

    def prenext(self) -> None:
        self.next()

    def next_open(self) -> None:
        self.read("next_open")
        self.act()

    def next(self) -> None:
        self.read("next")
        self.act()
        self.read("next")

    def stop(self) -> None:
        self.read("stop")


# -- what it may have known --------------------------------------------------------------------------------------------


class Model:
    """What may be known at a moment: the fold of what the log holds by then."""

    def __init__(self, strategy: Spy) -> None:
        self.owners = {order.order_id: order for order in strategy.sent}
        self.numbers = {id(data): number for number, data in enumerate(strategy.datas)}
        self.events = strategy.broker.events
        self.taken = 0
        self.cash = CASH
        self.shares = [0.0] * len(self.numbers)
        self.filled: Counter[str] = Counter()
        self.ended: set[str] = set()
        self.accepted: set[str] = set()
        self.triggered: set[str] = set()

    def move_to(self, seen: Seen) -> Iterator[str]:
        """Take in what the log held; yield what it should have held no earlier, and what it lacked."""
        for event in self.events[self.taken : seen.heard]:
            if event.reported_at > seen.now:
                yield f"{event} was told {event.reported_at - seen.now} ns early"
            self.take(event)
        self.taken = seen.heard
        if seen.call != "next_open":
            for event in self.events[self.taken : self.taken + 1]:
                if event.reported_at < seen.now:
                    yield f"{event} had not been told"

    def take(self, event: Any) -> None:
        """Take in one event."""
        if isinstance(event, OrderExecution):
            order = self.owners[event.order_id]
            size = float(event.quantity) * (1 if order.isbuy() else -1)
            self.filled[event.order_id] += size  # type: ignore[assignment]  # sizes may be fractions
            self.shares[self.numbers[id(order.data)]] += size
            self.cash -= size * float(event.price) + float(event.commission)
            if not event.is_partial:
                self.ended.add(event.order_id)
        elif isinstance(event, OrderAccepted):
            self.accepted.add(event.order_id)
        elif isinstance(event, OrderTriggered):
            self.triggered.add(event.order_id)
        elif isinstance(event, ENDS):
            self.ended.add(event.order_id)

    def objections(self, seen: Seen) -> Iterator[str]:
        """Yield what the strategy should not have seen of its account, or not so."""
        if abs(seen.cash - self.cash) > 1e-6:
            yield f"cash {seen.cash}, known {self.cash}"
        value = self.cash + sum(size * price for size, price in zip(self.shares, seen.prices, strict=True))
        if seen.call != "next_open" and abs(seen.value - value) > 1e-6:  # valued at the closes of the bar before
            yield f"value {seen.value}, known {value}"
        if list(seen.shares) != self.shares:
            yield f"position {seen.shares}, known {self.shares}"
        if seen.call == "next" and list(seen.traded) != self.shares:
            yield f"trades of {seen.traded}, known {self.shares}"

    def objections_to_orders(self, seen: Seen) -> Iterator[str]:
        """The same, of what it saw of orders."""
        for order_id, bits, size, alive, triggered, accepted in seen.orders:
            if not bits == size == self.filled[order_id]:
                yield f"{order_id} has filled {size} in bits of {bits}, known {self.filled[order_id]}"
            if alive == (order_id in self.ended):
                yield f"{order_id} is alive: {alive}"
            if triggered and order_id not in self.triggered and not size:
                yield f"{order_id} has triggered"
            if accepted and order_id not in self.accepted:
                yield f"{order_id} is accepted"
        for order_id in seen.open:
            if order_id in self.ended or order_id not in self.accepted:
                yield f"{order_id} is open"
        for order_id in self.accepted - self.ended - seen.open:
            yield f"{order_id} is not open"


def objections(strategy: Spy) -> list[str]:
    """Return everything that a strategy saw and could not know."""
    model = Model(strategy)
    found: list[str] = []
    for seen in strategy.seen:
        wrong = [*model.move_to(seen), *model.objections(seen), *model.objections_to_orders(seen)]
        found += [f"{seen.call} at {seen.now}: {objection}" for objection in wrong]
    return found


FEEDS: list[Callable[[float], list[Any]]] = [
    lambda seed: [feeds.ticks(seed, 90)],
    lambda seed: [feeds.ticks(seed, 50), feeds.ticks(seed + 0.5, 50)],
    lambda seed: [feeds.intraday(seed, 60, 15)],
    lambda seed: [feeds.intraday(seed, 60, 60), feeds.daily(seed + 0.5, 8)],
    lambda seed: [feeds.daily(seed, 35), feeds.daily(seed + 0.5, 35, late=7)],
    lambda seed: [feeds.live(seed, 40)],
]


def random_latency(rng: random.Random, unit: int) -> LatencyConfig:
    """Return delays from none to several of the feed's bars, of any distribution; a fill report always takes some."""
    legs: dict[str, Any] = {}
    for leg in ("submit", "ack", "cancel", "fill"):
        most = round(unit * rng.choice((0.05, 0.6, 3)))
        legs[leg] = rng.choice(
            (Constant(most), Uniform(0, most), Lognormal(most, 0.5), None if leg != "fill" else Constant(most))
        )
    return LatencyConfig(**legs)


def spy_on(seed: int, broker: Callable[..., Any] = SeatrialBroker, **options: Any) -> Spy:
    """Run a spy of a seed."""
    rng = random.Random(seed)
    made = rng.choice(FEEDS)(seed)
    unit = 50 * MS if made[0]._timeframe == bt.TimeFrame.Ticks else HOUR
    cerebro = bt.Cerebro(stdstats=True, cheat_on_open=rng.random() < 0.3)
    cerebro.setbroker(broker(cash=CASH, latency_config=random_latency(rng, unit), seed=seed, **options))
    cerebro.broker.setcommission(commission=0.0005)
    if rng.random() < 0.5:
        cerebro.broker.set_filler(bt.broker.fillers.FixedSize(size=4))
    for number, feed in enumerate(made):
        cerebro.adddata(feed, name=f"feed{number}")
    cerebro.addanalyzer(bt.analyzers.TradeAnalyzer)
    cerebro.addanalyzer(bt.analyzers.DrawDown)
    cerebro.addanalyzer(bt.analyzers.Transactions)
    cerebro.addstrategy(Spy, seed=seed, bustle=rng.choice((0.2, 0.5)))
    ran: list[Spy] = cerebro.run()
    return ran[0]


@pytest.mark.parametrize("first", [0, *[pytest.param(first, marks=pytest.mark.no_cover) for first in (16, 32)]])
def test_a_strategy_knows_what_was_reported_and_nothing_else(first: int) -> None:
    """On every call, account, orders and trades are the fold of the reports that had come in by then."""
    fills = 0
    for seed in range(first, first + 16):
        strategy = spy_on(seed)
        fills += sum(isinstance(event, OrderExecution) for event in strategy.broker.events)
        assert objections(strategy) == [], f"seed {seed}"
        assert strategy.apart == [], f"seed {seed}"
    assert fills > 200


# -- what differs before anybody was told ------------------------------------------------------------------------------


class Once(Spy):
    """Buys once, and from then on only looks."""

    def act(self) -> None:
        if len(self) == 3 and not self.sent:
            self.sent.append(self.buy(size=10))


def test_two_worlds_are_alike_until_their_fills_are_told() -> None:
    """A fill at another price changes nothing that can be read, an observer's line included, before its report."""
    worlds: list[Spy] = []
    for slippage in (0.0, 0.01):
        cerebro = bt.Cerebro()
        cerebro.setbroker(SeatrialBroker(latency_config=LatencyConfig(fill=Constant(2_000 * MS))))
        cerebro.broker.set_slippage_perc(slippage, slip_out=True)
        cerebro.adddata(feeds.ticks(5, 60))
        cerebro.addanalyzer(bt.analyzers.TradeAnalyzer)
        cerebro.addanalyzer(bt.analyzers.DrawDown)
        cerebro.addstrategy(Once, thorough=True)
        worlds += cerebro.run()

    one, other = worlds
    [(filled, told)] = [
        (event.timestamp, event.reported_at) for event in one.broker.events if isinstance(event, OrderExecution)
    ]
    differs = [first.now for first, second in zip(one.seen, other.seen, strict=True) if first != second]
    looks = [seen.now for seen in one.seen]
    assert differs[0] == min(now for now in looks if now >= told)
    assert sum(filled <= now < told for now in looks) > 10  # there was time to find out
    assert told - filled == 2_000 * MS


def test_a_broker_that_tells_early_is_found_out() -> None:
    """A broker whose account moves at the match is caught by the same comparison."""

    class Leaks(SeatrialBroker):
        def next(self) -> None:
            super().next()
            if self.venue is not None:
                self.cash = self.venue.cash

    assert any(objections(spy_on(seed, Leaks)) for seed in range(8))


TRAILING = pytest.mark.parametrize("kind", [bt.Order.StopTrail, bt.Order.StopTrailLimit], ids=["stop", "stop limit"])


@TRAILING
def test_a_trailing_price_tells_of_no_fill_before_the_report(kind: int) -> None:
    """It follows the market as if it worked on, until its end is reported: then it is where it ended."""

    def world(low: float) -> tuple[list[tuple[float, float]], Any]:
        shown: list[tuple[float, float]] = []

        def watch(it: Trial) -> None:
            if len(it) == 1:
                it.order("trail", -1, exectype=kind, trailamount=5.0, price=100.0, plimit=95.0)
            created = it.sent["trail"].created
            shown.append((created.price, created.pricelimit))

        rows = [
            (100.0, 100.0, 100.0, 100.0),
            (100.0, 111.0, low, 110.0),
            (110.0, 110.0, 110.0, 110.0),
            (110.0, 112.0, 109.0, 112.0),
        ]
        feed = days([*rows, *[(112.0, 112.0, 112.0, 112.0)] * 3])
        later = LatencyConfig(fill=Constant(3 * 86_400_000 * MS))
        strategy = run(dict.fromkeys(range(1, 8), watch), feed, latency_config=later)
        return shown, strategy

    working, resting = world(96.0)
    filled, sold = world(94.0)

    [told] = [bar for bar, status in sold.told_of("trail") if status == "Completed"]
    assert resting.told_of("trail")[-1][1] == "Accepted"
    assert told == 5
    assert filled[: told - 1] == working[: told - 1]
    assert [price for price, _ in working[: told - 1]] == [95.0, 105.0, 105.0, 107.0]
    assert [price for price, _ in filled[told - 1 :]] == [95.0] * 3


@TRAILING
@pytest.mark.parametrize("fill", [0, MS], ids=["instant", "late fills"])
def test_a_price_assigned_to_a_trailing_order_reaches_the_venue(kind: int, fill: int) -> None:
    """The strategy moves the stop up by hand, and it is sold there."""

    def amend(it: Trial) -> None:
        created = it.sent["trail"].created
        created.price, created.pricelimit = 99.0, 90.0

    plan: dict[int, Any] = {
        1: lambda it: it.order("trail", -1, exectype=kind, trailamount=5.0, price=100.0, plimit=95.0),
        3: amend,
    }
    later = LatencyConfig(fill=Constant(fill))
    flat, dip = (100.0, 100.0, 100.0, 100.0), (100.0, 100.0, 98.0, 100.0)
    strategy = run(plan, days([flat, flat, flat, dip, flat, flat]), ledgers=2, latency_config=later)

    assert strategy.told_of("trail")[-1][1] == "Completed"
    assert strategy.sent["trail"].executed.price == 99.0

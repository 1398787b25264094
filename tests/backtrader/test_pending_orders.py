"""The indexed pending orders give what the stock broker's deque gives: same fills, same order, same orders left."""

from __future__ import annotations

import datetime as dt
import itertools
from random import Random
from typing import Any, NamedTuple

import backtrader
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from seatrial_backtrader.book import Book, _Lane
from seatrial_backtrader.indexed import IndexedBroker
from seatrial_backtrader.pending import INDEXED_ABOVE, PendingOrders

bt: Any = backtrader  # which ships no types
# Backtrader's loop asks for the time in a way that Python deprecates from 3.12 on.
pytestmark = pytest.mark.filterwarnings("ignore:datetime.datetime.utcnow:DeprecationWarning:backtrader")
NAN = float("nan")
SLOW = (HealthCheck.too_slow, HealthCheck.data_too_large)
START = dt.datetime(2024, 1, 2)
TYPES = (
    bt.Order.Market,
    bt.Order.Close,
    bt.Order.Limit,
    bt.Order.Stop,
    bt.Order.StopLimit,
    bt.Order.StopTrail,
    bt.Order.StopTrailLimit,
)


class Asked(NamedTuple):
    """One order of a scenario; prices are distances from the bar's close, in ticks of a half."""

    exectype: int
    buys: bool
    size: int
    price: int
    limit: int
    feed: int
    valid: float | dt.timedelta | None
    trail: tuple[str, float]
    oco: int | None
    exits: tuple[int, int] | None
    resend: bool


class Scenario(NamedTuple):
    """Bars of two feeds as (hour, open, high, low, close), what is asked, cancelled, amended on each, and settings."""

    bars: tuple[list[tuple[int, float, float, float, float]], ...]
    asked: list[list[Asked]]
    cancelled: list[list[int]]
    amended: list[list[tuple[int, str, int]]]
    settings: dict[str, Any]
    fill: str | None
    replay: bool
    exactbars: bool
    above: int


class Bars(bt.feed.DataBase):
    """A feed of given bars."""

    params = (("bars", ()),)

    def start(self) -> None:
        super().start()
        self.left = iter(self.p.bars)

    def _load(self) -> bool:
        bar = next(self.left, None)
        if bar is None:
            return False
        hours, first, high, low, last = bar
        self.lines.datetime[0] = bt.date2num(START + dt.timedelta(hours=hours))
        self.lines.open[0], self.lines.high[0] = first, high
        self.lines.low[0], self.lines.close[0] = low, last
        self.lines.volume[0], self.lines.openinterest[0] = 7, 0
        return True


class Script(bt.Strategy):
    """Ask and cancel as the scenario says, and write down all that can be seen."""

    params = (("scenario", None), ("log", None))

    def __init__(self) -> None:
        self.sent: list[Any] = []
        self.step = 0

    def notify_order(self, order: Any) -> None:
        done = order.executed
        facts = (done.size, done.price, done.value, done.comm, done.remsize, done.pnl, order.created.price)
        when = done.dt and float(done.dt).hex()
        self.p.log.append((order.ref, order.getstatusname(), when, *(float(fact).hex() for fact in facts)))

    def _ask(self, ask: Asked) -> None:
        data = self.datas[ask.feed]
        if not len(data):
            return
        close, send = data.close[0], self.buy if ask.buys else self.sell
        terms: dict[str, Any] = {"data": data, "size": ask.size, "exectype": ask.exectype, "valid": ask.valid}
        if ask.exectype not in {bt.Order.Market, bt.Order.Close}:
            terms["price"] = close + ask.price / 2
        if ask.exectype in {bt.Order.StopLimit, bt.Order.StopTrailLimit}:
            terms["plimit"] = close + ask.limit / 2
        if ask.exectype in {bt.Order.StopTrail, bt.Order.StopTrailLimit}:
            terms[ask.trail[0]] = ask.trail[1]
        if ask.oco is not None and self.sent:
            terms["oco"] = self.sent[ask.oco % len(self.sent)]
        parent = send(**terms, transmit=ask.exits is None)
        self.sent.append(parent)
        if ask.exits is None:
            if ask.resend:
                self.sent.append(send(data=data, size=1, parent=parent, exectype=bt.Order.Limit, price=close - 2))
            return
        back = self.sell if ask.buys else self.buy
        near, far = ask.exits
        leg = {"data": data, "size": ask.size, "parent": parent}
        self.sent.append(back(**leg, exectype=bt.Order.Stop, price=close + near / 2, transmit=False))
        self.sent.append(back(**leg, exectype=bt.Order.Limit, price=close + far / 2, valid=ask.valid, transmit=True))

    def next(self) -> None:
        scenario, broker = self.p.scenario, self.broker
        if self.step < len(scenario.asked):
            for ask in scenario.asked[self.step]:
                self._ask(ask)
            for number in scenario.cancelled[self.step]:
                if self.sent:
                    self.p.log.append(broker.cancel(self.sent[number % len(self.sent)]))
            resting = broker.get_orders_open()
            for number, price, by in scenario.amended[self.step] if resting else ():
                terms = resting[number % len(resting)].created
                setattr(terms, price, getattr(terms, price) + by / 2)
        self.step += 1
        open_orders = [order.ref for order in broker.get_orders_open()]
        assert len(broker.pending) == len(open_orders)
        self.p.log.append((self.step, open_orders, float(broker.getcash()).hex(), float(broker.getvalue()).hex()))


FILLERS: dict[str, Any] = {
    "fixed": lambda: bt.broker.fillers.FixedSize(size=2),
    "none": lambda: lambda order, price, ago: 0,
}


def play(scenario: Scenario, broker: Any) -> list[Any]:
    """Run a scenario through `broker` and return everything that was seen, and how it ended."""
    bt.order.OrderBase.refbasis = itertools.count(1)
    log: list[Any] = []
    cerebro = bt.Cerebro(stdstats=False, exactbars=scenario.exactbars, cheat_on_open=False)
    broker.set_cash(2_000.0)
    if scenario.fill:
        broker.set_filler(FILLERS[scenario.fill]())
    cerebro.broker = broker
    for bars in scenario.bars:
        data = Bars(bars=bars, timeframe=bt.TimeFrame.Minutes, compression=60)
        if scenario.replay:
            cerebro.replaydata(data, timeframe=bt.TimeFrame.Minutes, compression=180)
        else:
            cerebro.adddata(data)
    cerebro.addstrategy(Script, scenario=scenario, log=log)
    try:
        cerebro.run()
    except (AttributeError, IndexError, KeyError, TypeError, ValueError, ZeroDivisionError) as error:
        log.append(repr(error))
    log.append([None if order is None else order.ref for order in broker.pending])
    return log


class Small(IndexedBroker):
    """The broker with an index from a size that a scenario can reach."""

    params: Any = (("above", 0),)

    def init(self) -> None:
        super().init()
        self.pending = PendingOrders(indexed_above=self.p.above)


small: Any = Small  # a type checker does not see the parameters that Backtrader's classes declare


def played_twice(scenario: Scenario) -> tuple[list[Any], list[Any]]:
    """Return what a scenario gives over a deque and over the index."""
    options = scenario.settings
    return play(scenario, bt.brokers.BackBroker(**options)), play(scenario, small(above=scenario.above, **options))


@st.composite
def feeds(draw: st.DrawFn, steps: int, *, sparse: bool) -> list[tuple[int, float, float, float, float]]:
    """Draw bars that walk in half points, and touch the prices of orders exactly more often than not."""
    price, bars = 40.0, []
    for step in range(steps):
        if sparse and not draw(st.integers(0, 2)):
            continue
        first = price + draw(st.integers(-3, 3)) / 2
        last = first + draw(st.integers(-3, 3)) / 2
        high = max(first, last) + draw(st.integers(0, 3)) / 2
        low = min(first, last) - draw(st.integers(0, 3)) / 2
        price = last
        if not draw(st.integers(0, 30)):
            first, high, low = draw(st.sampled_from([(NAN, high, low), (first, NAN, low), (first, high, NAN)]))
        bars.append((step, first, high, low, last))
    return bars


ASKED = st.builds(
    Asked,
    exectype=st.sampled_from((*TYPES, bt.Order.Limit, bt.Order.Limit, bt.Order.Stop, bt.Order.StopLimit)),
    buys=st.booleans(),
    size=st.integers(1, 9),
    price=st.integers(-12, 12),
    limit=st.integers(-12, 12),
    feed=st.integers(0, 1),
    valid=st.one_of(
        st.none(),
        st.none(),
        st.sampled_from([0, 0.5, dt.timedelta(0), 1e6]),
        st.integers(1, 9).map(lambda hours: dt.timedelta(hours=hours)),
    ),
    trail=st.sampled_from([("trailamount", 1.0), ("trailamount", 2.5), ("trailpercent", 0.05)]),
    oco=st.one_of(st.none(), st.none(), st.integers(0, 50)),
    exits=st.one_of(st.none(), st.none(), st.tuples(st.integers(-6, 6), st.integers(-6, 6))),
    resend=st.integers(0, 15).map(lambda n: not n),
)


@st.composite
def scenarios(draw: st.DrawFn) -> Scenario:
    """Draw bars, orders of every type, cancels and settings."""
    steps = draw(st.integers(2, 14))
    bars = draw(feeds(steps, sparse=False)), draw(feeds(steps, sparse=draw(st.booleans())))
    if not bars[1]:
        bars = bars[0], bars[0]
    asked = draw(st.lists(st.lists(ASKED, max_size=5), min_size=1, max_size=steps))
    cancelled = [draw(st.lists(st.integers(0, 50), max_size=2)) for _ in asked]
    price = st.tuples(st.integers(0, 50), st.sampled_from(["price", "pricelimit"]), st.integers(-8, 8))
    amended = [draw(st.lists(price, max_size=2)) for _ in asked]
    options: dict[str, Any] = draw(
        st.fixed_dictionaries(
            {},
            optional={
                "checksubmit": st.just(value=False),
                "slip_fixed": st.sampled_from([0.5, 1.0]),
                "slip_match": st.booleans(),
                "slip_open": st.booleans(),
                "slip_limit": st.booleans(),
                "slip_out": st.booleans(),
                "coc": st.booleans(),
                "shortcash": st.booleans(),
            },
        )
    )
    fill = draw(st.sampled_from([None, None, "fixed", "none"]))
    odd = draw(st.integers(0, 7))
    return Scenario(
        bars, asked, cancelled, amended, options, fill, odd == 0, odd == 1, draw(st.sampled_from([0, 0, 2, 5]))
    )


def ask(**terms: Any) -> Asked:
    """Return a plain order but for `terms`."""
    plain = Asked(bt.Order.Market, True, 1, 0, 0, 0, None, ("trailamount", 1.0), None, None, False)
    return plain._replace(**terms)


@settings(max_examples=300, deadline=None, suppress_health_check=SLOW)
@given(scenarios())
def test_the_index_gives_what_the_deque_gives(scenario: Scenario) -> None:
    """Notifications, cash, value and pending orders are equal to the last bit on every bar, whatever is asked."""
    stock, indexed = played_twice(scenario)

    assert indexed == stock


def test_the_child_of_a_parent_that_was_sent_twice_is_matched_in_its_time() -> None:
    """A parent sent again by its child stands twice: filled at the second place, it is still pending at the first."""
    bars = [(n, 40.0, 40.0, 40.0, 40.0) for n in range(9)]
    # In a group that ends before the order arrives, since a living one would cancel the second place.
    asked = [[ask(size=9)], [ask(buys=False, size=3, oco=0, resend=True)], []]
    scenario = Scenario((bars,), asked, [[], [0], []], [[]] * 3, {}, "fixed", False, False, 0)

    stock, indexed = played_twice(scenario)

    assert indexed == stock
    assert [seen[0] for seen in stock if type(seen) is tuple and seen[1] == "Completed"] == [2, 3]


def _misses_the_open(self: _Lane, first: float, high: float, low: float) -> Any:
    return REACHED(self, NAN, high, low)


def _misses_a_price_that_is_just_reached(self: _Lane, first: float, high: float, low: float) -> Any:
    return REACHED(self, first - 0.25, high - 0.25, low + 0.25)


def _mistakes_a_touch_for_the_last(self: _Lane, first: float, high: float, low: float) -> Any:
    return itertools.islice(REACHED(self, first, high, low), 1)


REACHED = _Lane.reached


def _deaf(self: Any, *arguments: Any) -> None:
    pass


TWINS: dict[str, tuple[Any, str, Any]] = {
    "the open": (_Lane, "reached", _misses_the_open),
    "a price just reached": (_Lane, "reached", _misses_a_price_that_is_just_reached),
    "all but one": (_Lane, "reached", _mistakes_a_touch_for_the_last),
    "an amended price": (Book, "amended", _deaf),
}


@pytest.mark.parametrize("twin", TWINS.values(), ids=TWINS)
def test_an_index_that_misses_something_is_caught(twin: tuple[Any, str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    """Broken twins that leave out an order a bar has touched give something else than the deque."""
    monkeypatch.setattr(*twin)

    @settings(
        max_examples=1_000,
        deadline=None,
        database=None,
        derandomize=True,
        phases=[Phase.generate],
        suppress_health_check=SLOW,
    )
    @given(scenarios())
    def compared(scenario: Scenario) -> None:
        stock, indexed = played_twice(scenario)
        if indexed != stock:
            raise LookupError

    with pytest.raises(LookupError):
        compared()


def test_an_index_that_forgets_the_order_of_turns_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    """A broken twin that hands orders out from the last to the first gives something else than the deque."""
    begin = Book.begin

    def backwards(self: Book) -> None:
        begin(self)
        self._turn.reverse()

    monkeypatch.setattr(Book, "begin", backwards)
    orders = {"exectype": bt.Order.Limit, "buys": True, "price": 3}
    asked = [ask(size=size, **orders) for size in (1, 2, 3)]
    scenario = Scenario(
        ([(n, 40.0, 41.0, 39.0, 40.0) for n in range(4)],), [asked], [[]], [[]], {}, None, False, False, 0
    )

    stock, indexed = played_twice(scenario)

    assert indexed != stock


@pytest.mark.parametrize("seed", range(3))
def test_a_long_run_is_the_same_while_the_container_grows_and_shrinks(seed: int) -> None:
    """Hundreds of orders of every type on two feeds: the broker as it is shipped gives what the stock broker gives."""
    random, steps, price = Random(seed), 160, 40.0
    bars: list[tuple[int, float, float, float, float]] = []
    for step in range(steps):
        first, last = price + random.randint(-3, 3) / 2, price + random.randint(-4, 4) / 2
        price = last
        bars.append((step, first, max(first, last) + random.random(), min(first, last) - random.random(), last))

    def some() -> Asked:
        return ask(
            exectype=random.choice(TYPES[2:]),
            buys=random.random() < 0.5,
            size=random.randint(1, 9),
            price=random.randint(-40, 40),
            limit=random.randint(-40, 40),
            feed=random.randint(0, 1),
            valid=dt.timedelta(hours=random.randint(10, 40)),
            oco=random.randint(0, 50) if random.random() < 0.2 else None,
            exits=(random.randint(-9, 9), random.randint(-9, 9)) if random.random() < 0.2 else None,
        )

    asked = [[some() for _ in range(random.randint(4, 12) * (step % 75 < 25))] for step in range(steps - 60)]
    cancelled = [[random.randint(0, 400)] * random.randint(0, 2) for _ in asked]
    amended = [[(random.randint(0, 50), "price", random.randint(-8, 8))] * random.randint(0, 1) for _ in asked]
    scenario = Scenario((bars, bars[::3]), asked, cancelled, amended, {}, None, False, False, 0)

    stock, indexed = play(scenario, bt.brokers.BackBroker()), play(scenario, IndexedBroker())

    assert indexed == stock
    sizes = [len(seen[1]) for seen in stock if type(seen) is tuple and type(seen[1]) is list]
    assert max(sizes) > 2 * INDEXED_ABOVE
    assert sizes[-1] <= INDEXED_ABOVE // 2

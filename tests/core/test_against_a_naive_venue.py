"""The matching, compared with a second one that is as plain as can be: lists, scans, and no shared code.

The reference is written from the documented semantics alone. Random scenarios run through both, and every execution
(order, times, quantity, price, commission, liquidity) and every final status must be the same. Twins of the reference,
each wrong in one rule, show that the comparison sees what it should.
"""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal
from typing import NamedTuple, TypeAlias

import pytest

from seatrial import (
    AccountType,
    Constant,
    Convention,
    ExecutionSimulator,
    FeeSchedule,
    Instrument,
    LatencyConfig,
    LimitFill,
    Liquidity,
    Order,
    OrderSide,
    OrderStatus,
    OrderType,
    Quote,
    TimeInForce,
    VenueConfig,
)

TICK = Decimal("0.25")
SYMBOLS = ("X", "Y")
BUY, SELL = OrderSide.BUY, OrderSide.SELL
STOPS = {OrderType.STOP, OrderType.STOP_LIMIT, OrderType.TRAILING_STOP}
TOUCHES = {OrderType.MARKET_IF_TOUCHED, OrderType.LIMIT_IF_TOUCHED}
LIMITED = {OrderType.LIMIT, OrderType.STOP_LIMIT, OrderType.LIMIT_IF_TOUCHED}
AT_ONCE = {TimeInForce.IOC, TimeInForce.FOK}
KINDS = (
    OrderType.MARKET,
    OrderType.LIMIT,
    OrderType.LIMIT,
    OrderType.STOP,
    OrderType.STOP_LIMIT,
    OrderType.MARKET_IF_TOUCHED,
    OrderType.LIMIT_IF_TOUCHED,
    OrderType.TRAILING_STOP,
)
SEEDS = 400
DELAYS = ((10, 25), (0, 3), (3, 20), (0, 7, 40), (0, 12))
"""Choices in ns for submit, ack, fill, cancel, modify."""


# -- scenarios ---------------------------------------------------------------------------------------------------------


class Submit(NamedTuple):
    ts: int
    order: Order


class Cancel(NamedTuple):
    ts: int
    order_id: str


class Move(NamedTuple):
    """A modify of a limit order's price."""

    ts: int
    order_id: str
    limit: Decimal


class Price(NamedTuple):
    ts: int
    symbol: str
    price: Decimal


Step: TypeAlias = Submit | Cancel | Move | Price | Quote


class Fill(NamedTuple):
    order_id: str
    timestamp: int
    reported_at: int
    quantity: Decimal
    price: Decimal
    commission: Decimal
    liquidity: Liquidity


class Outcome(NamedTuple):
    fills: list[Fill]
    statuses: dict[str, OrderStatus]


class Delays(NamedTuple):
    submit: int
    ack: int
    fill: int
    cancel: int
    modify: int


@dataclass
class Scenario:
    """What happens, and under which settings."""

    steps: list[Step]
    delays: Delays
    slippage_bps: Decimal
    per_share: Decimal
    tick: Decimal | None
    convention: Convention | None
    limit_fill: LimitFill | None


class Writer:
    """Writes one random scenario."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)
        self.now = 0
        self.orders: list[Order] = []
        self.changed: set[str] = set()
        self.level: dict[str, int] = dict.fromkeys(SYMBOLS, 400)

    def scenario(self) -> Scenario:
        """Return everything."""
        pick = self.random
        shown = pick.choice(("quotes", "quotes", "prices", "both"))
        symbols = SYMBOLS if pick.random() < 0.2 else SYMBOLS[:1]
        instant = pick.random() < 0.4
        steps: list[Step] = []
        for _ in range(60):
            self.now += pick.choice((0, 1, 5, 20))
            steps.append(self.step(pick.choice(symbols), shown))
        return Scenario(
            steps,
            Delays(*[0 if instant else pick.choice(delays) for delays in DELAYS]),
            pick.choice((Decimal(0), Decimal(5), Decimal(37))),
            pick.choice((Decimal(0), Decimal("0.005"))),
            pick.choice((None, TICK)),
            pick.choice((None, None, Convention.NEXT, Convention.STANDING)),
            pick.choice((None, None, LimitFill.THROUGH, LimitFill.TOUCH)),
        )

    def step(self, symbol: str, shown: str) -> Step:
        """Return one thing that happens."""
        pick = self.random
        what = pick.random()
        free = [order for order in self.orders if order.order_id not in self.changed and order.expire_at is None]
        free = [order for order in free if order.time_in_force not in AT_ONCE]
        if what < 0.12 and free:
            order = pick.choice(free)
            self.changed.add(order.order_id)
            if order.order_type is OrderType.LIMIT and pick.random() < 0.6:
                near = self.near(symbol)
                return Move(self.now, order.order_id, near + TICK if near == order.limit_price else near)
            return Cancel(self.now, order.order_id)
        if what < 0.45:
            order = self.order(symbol)
            self.orders.append(order)
            return Submit(self.now, order)
        self.level[symbol] += pick.choice((-3, -2, -1, -1, 0, 0, 1, 1, 2, 3))
        bid = self.level[symbol] * TICK
        if shown == "prices" or (shown == "both" and pick.random() < 0.4):
            return Price(self.now, symbol, bid)
        sizes = [None if pick.random() < 0.2 else Decimal(pick.randint(0, 12)) for _ in range(2)]
        return Quote(self.now, symbol, bid, bid + TICK * pick.randint(0, 2), *sizes)

    def near(self, symbol: str) -> Decimal:
        """Return a price not far from the market."""
        return (self.level[symbol] + self.random.randint(-5, 5)) * TICK

    def order(self, symbol: str) -> Order:
        """Return an order of any kind."""
        pick = self.random
        kind = pick.choice(KINDS)
        trails = kind is OrderType.TRAILING_STOP
        tifs = [TimeInForce.GTC, TimeInForce.GTC, TimeInForce.GTD, *([] if trails else sorted(AT_ONCE))]
        tif = pick.choice(tifs)
        amount = trails and pick.random() < 0.7
        return Order(
            order_id=f"o{len(self.orders)}",
            symbol=symbol,
            side=pick.choice((BUY, SELL)),
            order_type=kind,
            quantity=pick.randint(1, 12),
            created_at=self.now,
            limit_price=self.near(symbol) if kind in LIMITED else None,
            stop_price=self.near(symbol) if kind in STOPS | TOUCHES and (not trails or pick.random() < 0.3) else None,
            trail_amount=TICK * pick.randint(1, 5) if amount else None,
            trail_percent=Decimal(1) if trails and not amount else None,
            time_in_force=tif,
            expire_at=self.now + pick.randint(1, 120) if tif is TimeInForce.GTD else None,
        )


# -- the reference -----------------------------------------------------------------------------------------------------


@dataclass
class Naive:
    """One order at the reference venue."""

    order: Order
    arrived: int
    left: Decimal
    limit: Decimal | None
    trigger: Decimal | None
    armed: bool
    """Still waits for its trigger."""
    extreme: Decimal | None = None
    met: bool = False
    """Has met a price since it became what it is: what takes no liquidity now makes it."""
    ended: OrderStatus | None = None

    @property
    def buys(self) -> bool:
        return self.order.side is BUY


@dataclass
class Shown:
    """What one side of the market offers; `None` units are any."""

    bid: Decimal
    ask: Decimal
    bid_left: Decimal | None
    ask_left: Decimal | None
    strict: bool

    def price(self, *, buys: bool) -> Decimal:
        return self.ask if buys else self.bid

    def units(self, *, buys: bool) -> Decimal | None:
        return self.ask_left if buys else self.bid_left

    def take(self, units: Decimal, *, buys: bool) -> None:
        if buys and self.ask_left is not None:
            self.ask_left -= units
        if not buys and self.bid_left is not None:
            self.bid_left -= units


@dataclass
class NaiveVenue:
    """Everything in lists; what is next is found by looking at all of it."""

    scenario: Scenario
    requests: list[tuple[int, Step]] = field(default_factory=list)
    orders: list[Naive] = field(default_factory=list)
    fills: list[Fill] = field(default_factory=list)
    quotes: dict[str, Shown] = field(default_factory=dict)
    prints: dict[str, Shown] = field(default_factory=dict)
    known_ended: dict[str, int] = field(default_factory=dict)
    arrivals: int = 0
    last_request: int = 0
    last_report: int = 0

    def run(self) -> Outcome:
        """Return what became of the scenario."""
        for step in self.scenario.steps:
            self.until(step.ts)
            if isinstance(step, Quote):
                self.show_quote(step)
            elif isinstance(step, Price):
                self.show_price(step)
            else:
                self.send(step)
                self.until(step.ts)
        self.until(1 << 40)
        working = {one.order.order_id: self.status(one) for one in self.orders}
        return Outcome(self.fills, working)

    # -- time and the wire

    def until(self, now: int) -> None:
        """Let everything due happen, one by one: expiries before arrivals of the same time."""
        while True:
            due = [(one.order.expire_at, 0) for one in self.orders if one.ended is None and one.order.expire_at]
            due += [(self.requests[0][0], 1)] if self.requests else []
            if not due or min(due)[0] > now:
                return
            at, is_request = min(due)
            if is_request:
                self.arrive(self.requests.pop(0)[1], at)
                continue
            for one in self.orders:
                if one.ended is None and one.order.expire_at == at:
                    self.end(one, OrderStatus.EXPIRED, at)

    def send(self, step: Submit | Cancel | Move) -> None:
        """Put a request on the wire, behind those before it, unless the client knows that it is too late."""
        delays = self.scenario.delays
        if not isinstance(step, Submit) and self.known_ended.get(step.order_id, 1 << 60) <= step.ts:
            return
        delay = delays.submit if isinstance(step, Submit) else delays.modify
        if isinstance(step, Cancel):
            delay = delays.cancel
        self.last_request = max(step.ts + delay, self.last_request)
        self.requests.append((self.last_request, step))

    def report(self, now: int, delay: int) -> int:
        """Return when the client hears of something, after everything before it."""
        self.last_report = max(now + delay, self.last_report)
        return self.last_report

    def arrive(self, step: Step, now: int) -> None:
        """Take a request at the venue."""
        ack = self.scenario.delays.ack
        if isinstance(step, Submit):
            order = step.order
            armed = order.order_type in STOPS | TOUCHES
            self.arrivals += 1
            one = Naive(order, self.arrivals, order.quantity, order.limit_price, order.stop_price, armed)
            self.orders.append(one)
            self.report(now, ack)
            if order.expire_at is not None and order.expire_at <= now:
                self.end(one, OrderStatus.EXPIRED, now)
            else:
                self.meet_standing(one, now)
            return
        if not isinstance(step, Cancel | Move):
            return
        for one in [one for one in self.orders if one.order.order_id == step.order_id]:
            if one.ended is not None:
                self.report(now, ack)
            elif isinstance(step, Cancel):
                self.end(one, OrderStatus.CANCELLED, now)
            else:
                self.arrivals += 1
                one.arrived, one.limit, one.met = self.arrivals, step.limit, False
                self.report(now, ack)
                self.meet_standing(one, now)

    def end(self, one: Naive, status: OrderStatus, now: int) -> None:
        one.ended = status
        self.known_ended[one.order.order_id] = self.report(now, self.scenario.delays.ack)

    def status(self, one: Naive) -> OrderStatus:
        if one.ended is not None:
            return one.ended
        return OrderStatus.SUBMITTED if one.left == one.order.quantity else OrderStatus.PARTIALLY_FILLED

    # -- the market

    def show_quote(self, quote: Quote) -> None:
        strict = self.scenario.limit_fill is LimitFill.THROUGH
        self.quotes[quote.symbol] = Shown(quote.bid, quote.ask, quote.bid_size, quote.ask_size, strict)
        self.sweep(quote.symbol, self.quotes[quote.symbol], quote.ts)

    def show_price(self, step: Price) -> None:
        strict = self.scenario.limit_fill is LimitFill.THROUGH
        self.prints[step.symbol] = Shown(step.price, step.price, None, None, strict)
        self.sweep(step.symbol, self.prints[step.symbol], step.ts)

    def meet_standing(self, one: Naive, now: int) -> None:
        """Let an arriving order meet what stands, where the convention says so."""
        symbol, convention = one.order.symbol, self.scenario.convention
        standing = self.quotes.get(symbol)
        if convention is Convention.STANDING:
            standing = standing or self.prints.get(symbol)
        if convention is Convention.NEXT or standing is None:
            return
        self.trigger(one, standing, now)
        self.trade(one, standing, now)

    def sweep(self, symbol: str, shown: Shown, now: int) -> None:
        """Let all orders of a symbol meet a price.

        Better prices go first, then earlier arrivals; what this very price triggers comes after all that worked before.
        """
        meeting = [one for one in self.orders if one.ended is None and one.order.symbol == symbol]
        meeting.sort(key=lambda one: one.arrived)
        awake = [one for one in meeting if not one.armed]
        asleep = [one for one in meeting if one.armed]
        awake.sort(key=lambda one: (one.limit is not None, -(one.limit or 0) if one.buys else one.limit or 0))
        for one in asleep:
            self.trigger(one, shown, now)
        for one in awake + asleep:
            self.trade(one, shown, now)

    def trigger(self, one: Naive, shown: Shown, now: int) -> None:
        """Move a trailing stop, and see whether an order wakes."""
        if not one.armed:
            return
        price = shown.price(buys=one.buys)
        if one.order.order_type is OrderType.TRAILING_STOP:
            self.trail(one, price)
        if one.trigger is not None and self.triggers(one, price, one.trigger):
            one.armed = False
            self.report(now, self.scenario.delays.ack)

    def triggers(self, one: Naive, price: Decimal, trigger: Decimal) -> bool:
        """Stops wake where the market runs away from them, touch orders where it comes to them."""
        away = one.order.order_type in STOPS
        return price >= trigger if one.buys is away else price <= trigger

    def trail(self, one: Naive, price: Decimal) -> None:
        """Keep the trigger at its distance from the best price seen; it never goes back."""
        if one.extreme is None:
            one.extreme = price
        one.extreme = min(one.extreme, price) if one.buys else max(one.extreme, price)
        distance = one.order.trail_amount or one.extreme * (one.order.trail_percent or 0) / 100
        trigger = one.extreme + distance if one.buys else one.extreme - distance
        if one.trigger is None or (trigger < one.trigger if one.buys else trigger > one.trigger):
            one.trigger = trigger

    def trade(self, one: Naive, shown: Shown, now: int) -> None:
        """Fill what can be filled, and end what does not wait."""
        if one.armed or one.ended is not None:
            return
        takes, one.met = not one.met, True
        price, limit = shown.price(buys=one.buys), one.limit
        quantity = (
            self.quantity(one, shown) if self.reaches(one, price, takes=takes, strict=shown.strict) else Decimal(0)
        )
        if one.order.time_in_force is TimeInForce.FOK and quantity < one.left:
            quantity = Decimal(0)
        if quantity:
            makes = limit is not None and not takes
            at = self.worsened(price, limit, buys=one.buys) if limit is None or takes else limit
            shown.take(quantity, buys=one.buys)
            one.left -= quantity
            self.fill(one, quantity, at, Liquidity.MAKER if makes else Liquidity.TAKER, now)
        if one.left and one.order.time_in_force in AT_ONCE:
            self.end(one, OrderStatus.CANCELLED, now)

    def reaches(self, one: Naive, price: Decimal, *, takes: bool, strict: bool) -> bool:
        """Say whether a price is good enough; a resting limit may ask for better than its own."""
        limit = one.limit
        if limit is None or (price == limit and (takes or not strict)):
            return True
        return price < limit if one.buys else price > limit

    def quantity(self, one: Naive, shown: Shown) -> Decimal:
        units = shown.units(buys=one.buys)
        return one.left if units is None else min(units, one.left)

    def worsened(self, price: Decimal, limit: Decimal | None, *, buys: bool) -> Decimal:
        """Return what taking costs: slippage, rounded away to the tick, never beyond a limit."""
        slip = price * self.scenario.slippage_bps / 10_000
        at, tick = (price + slip if buys else price - slip), self.scenario.tick
        if tick is not None:
            at = (at / tick).to_integral_value(ROUND_CEILING if buys else ROUND_FLOOR) * tick
        if limit is None:
            return at
        return min(at, limit) if buys else max(at, limit)

    def fill(self, one: Naive, quantity: Decimal, price: Decimal, liquidity: Liquidity, now: int) -> None:
        heard = self.report(now, self.scenario.delays.fill)
        fee = self.scenario.per_share * quantity
        self.fills.append(Fill(one.order.order_id, now, heard, quantity, price, fee, liquidity))
        if not one.left:
            one.ended = OrderStatus.FILLED
            self.known_ended[one.order.order_id] = heard


# -- the comparison ----------------------------------------------------------------------------------------------------


def _played(scenario: Scenario) -> Outcome:
    """Return what the simulator makes of a scenario."""
    delays = scenario.delays
    sim = ExecutionSimulator(
        initial_cash=10**15,
        latency_config=LatencyConfig(
            submit=Constant(delays.submit),
            ack=Constant(delays.ack),
            fill=Constant(delays.fill),
            cancel=Constant(delays.cancel),
            modify=Constant(delays.modify),
        ),
        instruments=[Instrument(symbol=symbol, tick_size=scenario.tick) for symbol in SYMBOLS],
        venue_config=VenueConfig(
            account_type=AccountType.MARGIN,
            slippage_bps=scenario.slippage_bps,
            fees=FeeSchedule(per_share=scenario.per_share),
            convention=scenario.convention,
            limit_fill=scenario.limit_fill,
        ),
    )
    for step in scenario.steps:
        if isinstance(step, Quote):
            sim.process_quote(step)
        elif isinstance(step, Price):
            sim.process_market_data(step.ts, {step.symbol: step.price})
        elif isinstance(step, Submit):
            sim.submit_order(step.order, step.ts)
        elif isinstance(step, Cancel):
            sim.cancel_order(step.order_id, step.ts)
        else:
            sim.modify_order(step.order_id, step.ts, limit_price=step.limit)
    sim.advance(1 << 40)
    orders = [*sim.pending_orders.values(), *sim.completed_orders.values()]
    fills = [
        Fill(one.order_id, one.timestamp, one.reported_at, one.quantity, one.price, one.commission, one.liquidity)
        for order in orders
        for one in order.executions
    ]
    return Outcome(fills, {order.order_id: order.status for order in orders})


def _differ(one: Outcome, other: Outcome) -> bool:
    return sorted(one.fills) != sorted(other.fills) or one.statuses != other.statuses


def _scenario(seed: int) -> Scenario:
    return Writer(seed).scenario()


@pytest.mark.parametrize("block", range(8))
def test_the_venue_does_what_a_naive_one_does(block: int) -> None:
    """Every execution and every final status agree, in every scenario."""
    for seed in range(block * SEEDS // 8, (block + 1) * SEEDS // 8):
        scenario = _scenario(seed)
        played, expected = _played(scenario), NaiveVenue(scenario).run()
        assert (seed, sorted(played.fills)) == (seed, sorted(expected.fills))
        assert (seed, played.statuses) == (seed, expected.statuses)


# -- twins, each wrong in one rule -------------------------------------------------------------------------------------


class StopsWakeATickEarly(NaiveVenue):
    def triggers(self, one: Naive, price: Decimal, trigger: Decimal) -> bool:
        early = TICK if one.order.order_type is OrderType.STOP else Decimal(0)
        return super().triggers(one, price, trigger - early if one.buys else trigger + early)


class TouchesWakeATickLate(NaiveVenue):
    def triggers(self, one: Naive, price: Decimal, trigger: Decimal) -> bool:
        late = TICK if one.order.order_type in TOUCHES else Decimal(0)
        return super().triggers(one, price, trigger - late if one.buys else trigger + late)


class TrailsMoveBack(NaiveVenue):
    def trail(self, one: Naive, price: Decimal) -> None:
        if one.order.stop_price is None:
            one.extreme = one.trigger = None
        super().trail(one, price)


class RestingLimitsTouchAndThroughAreOne(NaiveVenue):
    def reaches(self, one: Naive, price: Decimal, *, takes: bool, strict: bool) -> bool:
        return super().reaches(one, price, takes=takes, strict=False)


class LimitsNeverMake(NaiveVenue):
    def trade(self, one: Naive, shown: Shown, now: int) -> None:
        one.met = False
        super().trade(one, shown, now)


class SlippagePassesLimits(NaiveVenue):
    def worsened(self, price: Decimal, limit: Decimal | None, *, buys: bool) -> Decimal:
        return super().worsened(price, None, buys=buys)


class SizesLast(NaiveVenue):
    def trade(self, one: Naive, shown: Shown, now: int) -> None:
        left = (shown.bid_left, shown.ask_left)
        super().trade(one, shown, now)
        shown.bid_left, shown.ask_left = left


class LastInFirstOut(NaiveVenue):
    def arrive(self, step: Step, now: int) -> None:
        super().arrive(step, now)
        if isinstance(step, Submit):
            self.orders[-1].arrived *= -1


class FillOrKillIgnoresSizes(NaiveVenue):
    def quantity(self, one: Naive, shown: Shown) -> Decimal:
        quantity = super().quantity(one, shown)
        return one.left if quantity and one.order.time_in_force is TimeInForce.FOK else quantity


class RequestsOvertake(NaiveVenue):
    def send(self, step: Submit | Cancel | Move) -> None:
        self.last_request = 0
        super().send(step)
        self.requests.sort(key=lambda request: request[0])


class EverythingStands(NaiveVenue):
    def meet_standing(self, one: Naive, now: int) -> None:
        shown = self.quotes.get(one.order.symbol) or self.prints.get(one.order.symbol)
        if shown is not None:
            self.trigger(one, shown, now)
            self.trade(one, shown, now)


TWINS = (
    StopsWakeATickEarly,
    TouchesWakeATickLate,
    TrailsMoveBack,
    RestingLimitsTouchAndThroughAreOne,
    LimitsNeverMake,
    SlippagePassesLimits,
    SizesLast,
    LastInFirstOut,
    FillOrKillIgnoresSizes,
    EverythingStands,
    RequestsOvertake,
)


@pytest.mark.parametrize("twin", TWINS)
def test_a_reference_that_is_wrong_in_one_rule_is_caught(twin: type[NaiveVenue]) -> None:
    """The scenarios reach every rule: one that is broken shows, and mostly soon."""
    assert any(_differ(_played(scenario), twin(scenario).run()) for scenario in map(_scenario, range(SEEDS)))

"""What others got wrong about delays, clocks and chance: see `what_others_got_wrong.md`."""

from __future__ import annotations

import random
from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any, NamedTuple, cast

import pytest
from msgspec.structs import replace

from seatrial import (
    LATENCY_INSTANT,
    LATENCY_NORMAL,
    Constant,
    ExecutionSimulator,
    LatencyConfig,
    Order,
    OrderExecution,
    OrderSide,
    OrderStatus,
    OrderType,
    Quote,
    Uniform,
)
from seatrial.clock import Timestamp
from seatrial.contracts.events import AccountAdjusted, Event, OrderAccepted, OrderEvent, encode_events
from seatrial.contracts.latency import Delay, Leg
from seatrial.errors import InvalidTimeError
from seatrial.gate.reports import ReportPort

D = Decimal
T0 = 1_700_000_000_000_000_000
MS = 1_000_000
STATUS = OrderStatus
FILL = Uniform(100 * MS, 200 * MS)
VARYING = LatencyConfig(submit=Uniform(40 * MS, 60 * MS), ack=Uniform(1 * MS, 9 * MS), fill=FILL)

Make = Callable[..., ExecutionSimulator]
Report = OrderEvent | AccountAdjusted


class Case(NamedTuple):
    clause: str
    check: Callable[[Make], None]
    twin: Make


def new_order(order_id: str, kind: OrderType = OrderType.MARKET, **fields: Any) -> Order:
    """Return a buy of 10 ACME, unless told otherwise."""
    given: dict[str, Any] = {"symbol": "ACME", "side": OrderSide.BUY, "quantity": D(10), "created_at": T0, **fields}
    return Order(order_id=order_id, order_type=kind, **given)


def show(simulator: ExecutionSimulator, ts: int, price: int) -> None:
    """Show a single price."""
    simulator.process_market_data(ts, {"ACME": D(price)})


def voyage(make: Make, latency: LatencyConfig, seed: int = 7, orders: int = 40) -> ExecutionSimulator:
    """Return a simulator in which `orders` market orders filled, one every second, so that none waits for another."""
    simulator = make(initial_cash=10**9, latency_config=latency, seed=seed)
    simulator.process_quote(Quote(T0, "ACME", D(99), D(100)))
    for n in range(orders):
        simulator.submit_order(new_order(f"O-{n}"), T0 + n * 1000 * MS)
    simulator.advance(T0 + orders * 1000 * MS)
    assert len(simulator.completed_orders) == orders
    return simulator


def delays(simulator: ExecutionSimulator) -> dict[Leg, list[int]]:
    """Return how long each order's submit, acknowledgement and fill report travelled, in ns."""
    found: dict[Leg, list[int]] = {Leg.SUBMIT: [], Leg.ACK: [], Leg.FILL: []}
    for order in simulator.completed_orders.values():
        sent, accepted, filled = order.events
        found[Leg.SUBMIT].append(accepted.timestamp - sent.timestamp)
        found[Leg.ACK].append(accepted.reported_at - accepted.timestamp)
        found[Leg.FILL].append(filled.reported_at - filled.timestamp)
    return found


# -- W05 ---------------------------------------------------------------------------------------------------------------


def check_price_is_that_of_arrival(make: Make) -> None:
    """Orders sent at 100 and 105 that arrive at 110 meet 110, whether the data are quotes or prices."""
    quoted = make(initial_cash=10_000, latency_config=LATENCY_NORMAL)
    priced = make(initial_cash=10_000, latency_config=LATENCY_NORMAL)
    for after, price in ((0, 100), (20, 105), (45, 110), (60, 110), (500, 90)):
        ts = T0 + after * MS
        quoted.process_quote(Quote(ts, "ACME", D(price - 1), D(price)))
        show(priced, ts, price)
        if after == 0:
            for simulator in (quoted, priced):
                simulator.submit_order(new_order("market"), ts)
                simulator.submit_order(new_order("limit", OrderType.LIMIT, limit_price=D(105)), ts)

        if after == 60:
            for simulator in (quoted, priced):
                simulator.advance(T0 + 400 * MS)
                assert simulator.get_order("market").avg_fill_price == D(110)
                assert simulator.get_order("limit").status is STATUS.SUBMITTED  # at 110 it takes no more

    for simulator in (quoted, priced):
        simulator.advance(T0 + 1000 * MS)
        assert simulator.get_order("limit").executions[0].timestamp == T0 + 500 * MS


def fills_at_the_decision(*, latency_config: LatencyConfig, **settings: Any) -> ExecutionSimulator:
    """Match at once and let all the delay lie between match and report."""
    submit, fill = latency_config.submission_latency, latency_config.fill_latency_min
    late = LatencyConfig(fill_latency_min=submit + fill)
    return ExecutionSimulator(latency_config=late, **settings)


# -- W06 ---------------------------------------------------------------------------------------------------------------


def learned_after(make: Make, seed: int, tick: int) -> int:
    """Return the ns from a resting limit's match to the client's hearing of it, with data every `tick` ns after it."""
    simulator = make(initial_cash=10_000, latency_config=VARYING, seed=seed)
    heard: list[tuple[int, OrderExecution]] = []

    def hear(event: Event, order: Order | None) -> None:
        if isinstance(event, OrderExecution):
            heard.append((simulator.now, event))

    simulator.add_listener(hear)
    show(simulator, T0, 100)
    simulator.submit_order(new_order("O-1", OrderType.LIMIT, limit_price=D(90)), T0)
    show(simulator, T0 + 100 * MS, 95)
    match = T0 + 110 * MS
    for ts in range(match, match + 300 * MS, tick):
        show(simulator, ts, 90)
        assert len(simulator.gate.wire.reports) <= 1
    simulator.advance(match + 10_000 * MS)

    ((now, execution),) = heard
    assert execution.timestamp == match
    assert simulator.positions == {"ACME": D(10)}
    return now - match


def check_one_fill_per_match(make: Make) -> None:
    """A match is reported once, after one delay, which neither comes earlier nor changes when more ticks pass by."""
    often = [learned_after(make, seed, MS) for seed in range(12)]
    seldom = [learned_after(make, seed, 100 * MS) for seed in range(12)]

    assert often == seldom
    assert len(set(often)) == len(often)
    assert all(100 * MS <= delay <= 200 * MS for delay in often)
    assert sum(often) / len(often) > 125 * MS


class MatchesAside(ReportPort):
    """Sets matches aside for somebody else to report."""

    def __init__(self, port: ReportPort) -> None:
        self.port = port
        self.open: dict[str, OrderExecution] = {}

    def report(self, event: Report, native: object = None) -> None:
        if isinstance(event, OrderExecution):
            self.open[event.order_id] = event
        else:
            self.port.report(event, native)


class SchedulesEveryTick(ExecutionSimulator):
    """Finds an order's condition met again at every tick, and schedules its fill anew; the first to come counts."""

    def __init__(self, *, latency_config: LatencyConfig, **settings: Any) -> None:
        super().__init__(latency_config=LatencyConfig(submit=latency_config.leg(Leg.SUBMIT)), **settings)
        self.delay = cast("Delay", latency_config.leg(Leg.FILL))
        self.draws = random.Random(self.seed)
        self.aside = MatchesAside(self.gate)
        self.venue.connect(self.aside)
        self.scheduled: list[tuple[int, OrderExecution]] = []

    def process_market_data(self, timestamp: Timestamp, prices: Any) -> tuple[OrderExecution, ...]:
        reported = self.advance(timestamp) + super().process_market_data(timestamp, prices)
        for match in self.aside.open.values():
            self.scheduled.append((self.now + self.delay.sample(self.draws.getrandbits(64)), match))
        return reported

    def advance(self, timestamp: Timestamp) -> tuple[OrderExecution, ...]:
        reported = super().advance(timestamp)
        for _, match in sorted((due, match) for due, match in self.scheduled if due <= self.now):
            if self.aside.open.pop(match.order_id, None):
                self.gate.report(match)
        return (*reported, *super().advance(timestamp))


# -- W11 ---------------------------------------------------------------------------------------------------------------


def check_chance_is_seeded(make: Make) -> None:
    """The log follows from the seed alone: Python's global generator is neither read nor moved."""
    kept = random.getstate()
    try:
        logs = []
        for global_seed, seed in ((1, 7), (2, 7), (1, 8)):
            random.seed(global_seed)
            before = random.getstate()
            logs.append(encode_events(list(voyage(make, VARYING, seed).events)))
            assert random.getstate() == before
    finally:
        random.setstate(kept)

    assert logs[0] == logs[1]
    assert logs[0] != logs[2]


class GlobalUniform(Uniform, frozen=True):
    """Asks the global generator and ignores the bits it is given."""

    def sample(self, bits: int) -> int:
        return random.randint(self.low_ns, self.high_ns)


def draws_globally(*, latency_config: LatencyConfig, **settings: Any) -> ExecutionSimulator:
    """Draw every fill's delay from the global generator."""
    fill = GlobalUniform(FILL.low_ns, FILL.high_ns)
    return ExecutionSimulator(latency_config=replace(latency_config, fill=fill), **settings)


# -- W12 ---------------------------------------------------------------------------------------------------------------


def check_times_are_absolute(make: Make) -> None:
    """A naive time is refused wherever a time can be given; an aware one means the same instant in every zone."""
    naive = datetime(2024, 3, 4, 12, tzinfo=UTC).replace(tzinfo=None)
    simulator = make(initial_cash=10_000)
    show(simulator, T0, 100)
    simulator.submit_order(new_order("O-1", OrderType.LIMIT, limit_price=D(90)), T0)
    calls: tuple[Callable[[], object], ...] = (
        lambda: new_order("O-2", created_at=naive),
        lambda: simulator.submit_order(new_order("O-2"), naive),
        lambda: simulator.submit_bracket(new_order("O-2"), timestamp=naive),
        lambda: simulator.modify_order("O-1", naive, limit_price=D(91)),
        lambda: simulator.cancel_order("O-1", naive),
        lambda: simulator.disable_trading("ops", "drill", naive),
        lambda: simulator.enable_trading("ops", "drill", naive),
        lambda: simulator.process_market_data(naive, {"ACME": D(100)}),
        lambda: simulator.advance(naive),
    )
    events = len(simulator.events)

    for call in calls:
        refused = False
        try:
            call()
        except InvalidTimeError:
            refused = True
        assert refused
    assert simulator.now == T0
    assert len(simulator.events) == events

    noon = datetime(2024, 3, 4, 12, tzinfo=UTC)
    simulator.advance(noon.astimezone(timezone(timedelta(hours=-5))))
    assert simulator.now == int(noon.timestamp()) * 1_000_000_000


class LivesLocally(ExecutionSimulator):
    """Takes a naive time for one of the zone the machine stands in."""

    def advance(self, timestamp: Timestamp) -> tuple[OrderExecution, ...]:
        return super().advance(timestamp.astimezone() if isinstance(timestamp, datetime) else timestamp)


# -- W27 ---------------------------------------------------------------------------------------------------------------


def check_delays_vary(make: Make) -> None:
    """Each leg's delays spread over the whole of its range, and never leave it."""
    simulator = voyage(make, VARYING)

    for leg, found in delays(simulator).items():
        spread = VARYING.leg(leg)
        assert isinstance(spread, Uniform)
        quarter = (spread.high_ns - spread.low_ns) // 4
        assert spread.low_ns <= min(found) < spread.low_ns + quarter
        assert spread.high_ns - quarter < max(found) <= spread.high_ns
        assert len(set(found)) == len(found)


def steadies_delays(*, latency_config: LatencyConfig, **settings: Any) -> ExecutionSimulator:
    """Replace each range of delays by its middle."""
    legs = {}
    for leg in Leg:
        spread = latency_config.leg(leg)
        if isinstance(spread, Uniform):
            legs[leg.value] = Constant((spread.low_ns + spread.high_ns) // 2)
    return ExecutionSimulator(latency_config=LatencyConfig(**legs), **settings)  # type: ignore[arg-type]


# -- W28 ---------------------------------------------------------------------------------------------------------------


def check_reports_travel(make: Make) -> None:
    """Between a match and its report nothing changes for the client: neither cash, position nor status."""
    latency = LatencyConfig(submit=Constant(50 * MS), ack=Constant(5 * MS), fill=Constant(150 * MS))
    simulator = make(initial_cash=10_000, latency_config=latency)
    simulator.process_quote(Quote(T0, "ACME", D(99), D(100)))
    simulator.submit_order(new_order("O-1"), T0)

    for after, status, cash in (
        (54, STATUS.PENDING_SUBMIT, 10_000),
        (55, STATUS.SUBMITTED, 10_000),
        (199, STATUS.SUBMITTED, 10_000),
        (200, STATUS.FILLED, 9_000),
    ):
        reported = simulator.advance(T0 + after * MS)
        assert simulator.get_order("O-1").status is status
        assert simulator.cash == D(cash)
        assert simulator.positions == ({"ACME": D(10)} if status is STATUS.FILLED else {})
        assert len(reported) == (status is STATUS.FILLED)
    (execution,) = simulator.get_order("O-1").executions
    assert (execution.timestamp, execution.reported_at) == (T0 + 50 * MS, T0 + 200 * MS)


def reports_at_once(*, latency_config: LatencyConfig, **settings: Any) -> ExecutionSimulator:
    """Delay what goes out and nothing that comes back."""
    outward = {leg.value: latency_config.leg(leg) for leg in (Leg.SUBMIT, Leg.CANCEL, Leg.MODIFY)}
    return ExecutionSimulator(latency_config=LatencyConfig(**outward), **settings)  # type: ignore[arg-type]


# -- W30 ---------------------------------------------------------------------------------------------------------------


def check_requests_travel(make: Make) -> None:
    """Submits, modifies and cancels reach the venue when their leg has passed, and not before."""
    latency = LatencyConfig(submit=Constant(50 * MS), modify=Constant(40 * MS), cancel=Constant(30 * MS))
    simulator = make(initial_cash=10_000, latency_config=latency)
    show(simulator, T0, 100)

    simulator.submit_order(new_order("O-1", OrderType.LIMIT, limit_price=D(90)), T0)
    simulator.advance(T0 + 49 * MS)
    assert not any(isinstance(event, OrderAccepted) for event in simulator.events)
    simulator.advance(T0 + 100 * MS)
    simulator.modify_order("O-1", T0 + 100 * MS, limit_price=D(91))
    simulator.advance(T0 + 139 * MS)
    assert simulator.get_order("O-1").limit_price == D(90)
    simulator.advance(T0 + 200 * MS)
    simulator.cancel_order("O-1", T0 + 200 * MS)
    simulator.advance(T0 + 1000 * MS)

    order = simulator.get_order("O-1")
    assert order.limit_price == D(91)
    assert order.status is STATUS.CANCELLED
    arrivals = [
        event.timestamp - T0 for event in order.events if event.reported_at - T0 in {50 * MS, 140 * MS, 230 * MS}
    ]
    assert arrivals == [50 * MS, 140 * MS, 230 * MS]


def takes_no_time(**settings: Any) -> ExecutionSimulator:
    """Ignore every delay asked for."""
    return ExecutionSimulator(**{**settings, "latency_config": LATENCY_INSTANT})


CASES = (
    Case("W05", check_price_is_that_of_arrival, fills_at_the_decision),
    Case("W06", check_one_fill_per_match, SchedulesEveryTick),
    Case("W11", check_chance_is_seeded, draws_globally),
    Case("W12", check_times_are_absolute, LivesLocally),
    Case("W27", check_delays_vary, steadies_delays),
    Case("W28", check_reports_travel, reports_at_once),
    Case("W30", check_requests_travel, takes_no_time),
)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.clause)
def test_simulator_does_it_right(case: Case) -> None:
    """The simulator passes the clause's check."""
    case.check(ExecutionSimulator)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.clause)
def test_check_catches_the_fault(case: Case) -> None:
    """A simulator with exactly this fault does not pass."""
    with pytest.raises(AssertionError) as caught:
        case.check(case.twin)
    assert caught.traceback[-1].name == case.check.__name__  # the check's own words, no accident on the way

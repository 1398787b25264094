"""What others got wrong about orders, cancels and money: see `what_others_got_wrong.md`."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any, NamedTuple

import pytest
from msgspec.structs import replace

from seatrial import (
    LATENCY_NORMAL,
    AccountType,
    Bar,
    ExecutionSimulator,
    Order,
    OrderExecution,
    OrderSide,
    OrderStatus,
    OrderType,
    Quote,
    RejectionReason,
    SeatrialError,
    Trade,
    VenueConfig,
)
from seatrial.clock import Timestamp, to_ns
from seatrial.contracts.events import (
    AccountAdjusted,
    CancelRefused,
    OrderAccepted,
    OrderCancelled,
    OrderChange,
    OrderEvent,
    OrderRejected,
)
from seatrial.gate.ports import Venue
from seatrial.gate.reports import ReportPort
from seatrial.venue.reservations import Reservations

D = Decimal
T0 = 1_700_000_000_000_000_000
MS = 1_000_000
MARGIN = VenueConfig(account_type=AccountType.MARGIN, leverage=D(2))
STATUS = OrderStatus

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


def by_price(simulator: ExecutionSimulator, ts: int, price: Decimal) -> None:
    """Show a single price."""
    simulator.process_market_data(ts, {"ACME": price})


def by_quote(simulator: ExecutionSimulator, ts: int, price: Decimal) -> None:
    """Show a locked quote."""
    simulator.process_quote(Quote(ts, "ACME", price, price))


def by_trade(simulator: ExecutionSimulator, ts: int, price: Decimal) -> None:
    """Show a print."""
    simulator.process_trade(Trade(ts, "ACME", price))


def by_bar(simulator: ExecutionSimulator, ts: int, price: Decimal) -> None:
    """Show a bar in which the price stands still."""
    simulator.process_bar(Bar(ts, "ACME", price, price, price, price))


FEEDS = (by_price, by_quote, by_trade, by_bar)


# -- W04 ---------------------------------------------------------------------------------------------------------------


def check_kill_switch_cancels(make: Make) -> None:
    """A halt without further words ends what rests, and a market that comes to it afterwards fills nothing."""
    simulator = make(initial_cash=10_000)
    by_price(simulator, T0, D(100))
    simulator.submit_order(new_order("O-1", OrderType.LIMIT, limit_price=D(90)), T0)

    simulator.disable_trading(by="ops", reason="drill", timestamp=T0 + 1)
    by_price(simulator, T0 + 2, D(80))

    assert simulator.get_order("O-1").status is STATUS.CANCELLED
    assert not simulator.pending_orders
    assert simulator.cash == D(10_000)


class KeepsResting(ExecutionSimulator):
    """Stops new orders only, unless asked for more."""

    def disable_trading(
        self, by: str, reason: str, timestamp: Timestamp | None = None, *, cancel_working: bool = False
    ) -> None:
        super().disable_trading(by, reason, timestamp, cancel_working=cancel_working)


# -- W07 ---------------------------------------------------------------------------------------------------------------


def check_in_flight_is_seen(make: Make) -> None:
    """An order can be listed and fetched while it travels, and while its fill does."""
    simulator = make(initial_cash=10_000, latency_config=LATENCY_NORMAL)
    by_quote(simulator, T0, D(100))
    simulator.submit_order(new_order("O-1"), T0)

    for ts, status, in_flight in ((T0 + 49 * MS, STATUS.PENDING_SUBMIT, True), (T0 + 99 * MS, STATUS.SUBMITTED, False)):
        simulator.advance(ts)
        assert "O-1" in simulator.pending_orders
        order = simulator.get_order("O-1")
        assert order.status is status
        assert order.in_flight is in_flight

    simulator.advance(T0 + 250 * MS)
    assert simulator.get_order("O-1").status is STATUS.FILLED


class HidesInFlight(ExecutionSimulator):
    """Lists an order only from its arrival on."""

    @property
    def pending_orders(self) -> dict[str, Order]:
        return {name: order for name, order in super().pending_orders.items() if not order.in_flight}


# -- W08 ---------------------------------------------------------------------------------------------------------------


def check_in_flight_is_cancelled(make: Make) -> None:
    """A cancel follows an order that is still on its way, and ends it where it finds it."""
    simulator = make(initial_cash=10_000, latency_config=LATENCY_NORMAL)
    by_price(simulator, T0, D(100))
    simulator.submit_order(new_order("O-1"), T0)

    sent = simulator.cancel_order("O-1", T0 + 10 * MS)
    by_price(simulator, T0 + 70 * MS, D(100))
    simulator.advance(T0 + 1000 * MS)

    assert sent.status is STATUS.PENDING_CANCEL
    order = simulator.get_order("O-1")
    assert order.status is STATUS.CANCELLED
    assert order.cancelled_at == T0 + 60 * MS
    assert not simulator.positions


class LeavesInFlight(ExecutionSimulator):
    """Finds no order to cancel before it has arrived."""

    def cancel_order(self, order_id: str, timestamp: Timestamp) -> Order:
        self.advance(timestamp)
        order = self.get_order(order_id)
        return order if order.in_flight else super().cancel_order(order_id, timestamp)


# -- W09 ---------------------------------------------------------------------------------------------------------------


def check_cancel_leaves_fills(make: Make) -> None:
    """A cancel that meets a matched order is refused, and its fill is reported like any other."""
    simulator = make(initial_cash=10_000, latency_config=LATENCY_NORMAL)
    by_quote(simulator, T0, D(100))
    simulator.submit_order(new_order("left"), T0)
    simulator.submit_order(new_order("cancelled"), T0)
    simulator.advance(T0 + 60 * MS)

    simulator.cancel_order("cancelled", T0 + 60 * MS)
    simulator.advance(T0 + 1000 * MS)

    assert simulator.get_order("left").status is STATUS.FILLED
    order = simulator.get_order("cancelled")
    assert order.status is STATUS.FILLED
    assert [one.timestamp for one in order.executions] == [T0 + 50 * MS]
    refused = [event.rejection.reason for event in order.events if isinstance(event, CancelRefused)]
    assert refused == [RejectionReason.TOO_LATE_TO_CANCEL]
    assert simulator.positions == {"ACME": D(20)}
    assert simulator.cash == D(8_000)


class FillsOnALeash(ReportPort):
    """Keeps matches in a list until they are to be known; a cancel strikes them off."""

    def __init__(self, port: ReportPort) -> None:
        self.port = port
        self.kept: dict[str, OrderExecution] = {}

    def report(self, event: Report, native: object = None) -> None:
        if isinstance(event, OrderExecution):
            self.kept[event.order_id] = event
        elif isinstance(event, CancelRefused) and event.order_id in self.kept:
            del self.kept[event.order_id]
            self.port.cancelled(event.order_id, event.timestamp)
        else:
            self.port.report(event, native)


class ErasesFills(ExecutionSimulator):
    """Lets a cancel take away what was matched and not yet reported."""

    def __init__(self, **settings: Any) -> None:
        super().__init__(**settings)
        self.leash = FillsOnALeash(self.gate)
        self.venue.connect(self.leash)

    def advance(self, timestamp: Timestamp) -> tuple[OrderExecution, ...]:
        reported = super().advance(timestamp)
        kept = self.leash.kept
        for fill in [one for one in kept.values() if one.timestamp + 100 * MS <= self.now]:
            self.gate.report(kept.pop(fill.order_id))
        return (*reported, *super().advance(timestamp))


# -- W10 ---------------------------------------------------------------------------------------------------------------


def check_refused_fill_ends_the_order(make: Make) -> None:
    """What cannot be paid for when it should fill is over: rejected if unfilled, else cancelled, with the reason."""
    unfilled = make(initial_cash=1_000)
    unfilled.submit_order(new_order("O-1"), T0)  # no price is known yet, so nothing speaks against it
    by_price(unfilled, T0 + 1, D(200))
    partly = make(initial_cash=1_000)
    partly.process_quote(Quote(T0, "ACME", D(99), D(100), ask_size=D(5)))
    partly.submit_order(new_order("O-1"), T0)
    by_quote(partly, T0 + 1, D(300))

    for simulator, status, filled in ((unfilled, STATUS.REJECTED, D(0)), (partly, STATUS.CANCELLED, D(5))):
        order = simulator.get_order("O-1")
        assert order.status is status
        assert order.filled_quantity == filled
        assert order.rejection_reason is RejectionReason.INSUFFICIENT_FUNDS
        assert order.rejection is not None
        assert order.rejection.value is not None
        assert order.rejection.limit is not None
        assert order.rejection.value > order.rejection.limit
        assert not simulator.pending_orders
        assert list(simulator.completed_orders) == ["O-1"]


class SilentAfterAccept(ReportPort):
    """Says nothing of an accepted order that comes to nothing by itself."""

    def __init__(self, port: ReportPort) -> None:
        self.port = port
        self.accepted_ids: set[str] = set()

    def report(self, event: Report, native: object = None) -> None:
        if isinstance(event, OrderAccepted):
            self.accepted_ids.add(event.order_id)
        refused = isinstance(event, OrderRejected) or (
            isinstance(event, OrderCancelled) and event.rejection is not None
        )
        if not (refused and isinstance(event, OrderRejected | OrderCancelled) and event.order_id in self.accepted_ids):
            self.port.report(event, native)


class LeavesRefusedPending(ExecutionSimulator):
    """Drops a fill that cannot be paid for, and leaves the order where it was."""

    def __init__(self, **settings: Any) -> None:
        super().__init__(**settings)
        self.venue.connect(SilentAfterAccept(self.gate))


# -- W13 ---------------------------------------------------------------------------------------------------------------


def check_limit_is_kept(make: Make) -> None:
    """Slippage worsens a market order, and never takes a limit order beyond its limit, on any kind of data."""
    for feed in FEEDS:
        simulator = make(initial_cash=100_000, slippage_bps=5, venue_config=MARGIN)
        limits = {"buy": (OrderSide.BUY, D(100)), "rest": (OrderSide.BUY, D(90)), "sell": (OrderSide.SELL, D(101))}
        simulator.submit_order(new_order("market"), T0)
        for order_id, (side, limit) in limits.items():
            simulator.submit_order(new_order(order_id, OrderType.LIMIT, side=side, limit_price=limit), T0)
        stop = {"stop_price": D(102), "limit_price": D(102)}
        simulator.submit_order(new_order("stop", OrderType.STOP_LIMIT, **stop), T0)
        for step, price in enumerate((D(100), D(80), D(120), D(102), D(80)), start=1):
            feed(simulator, T0 + step * 60_000 * MS, price)

        prices = {order_id: order.avg_fill_price for order_id, order in simulator.completed_orders.items()}
        assert prices == {
            "market": D("100.05"), "buy": D(100), "rest": D(90), "sell": D(101), "stop": D(102)
        }, feed.__name__  # fmt: skip


class SlipsEverything(ReportPort):
    """Worsens every price, whatever the order says."""

    def __init__(self, simulator: ExecutionSimulator, slippage_bps: int) -> None:
        self.simulator = simulator
        self.slip = D(slippage_bps) / 10_000

    def report(self, event: Report, native: object = None) -> None:
        if isinstance(event, OrderExecution):
            side = self.simulator.get_order(event.order_id).side
            slip = self.slip if side is OrderSide.BUY else -self.slip
            event = replace(event, price=event.price * (1 + slip))
        self.simulator.gate.report(event, native)


class SlipsBeyondLimits(ExecutionSimulator):
    """Decides on a fill first, and slips its price afterwards."""

    def __init__(self, *, slippage_bps: int, **settings: Any) -> None:
        super().__init__(**settings)
        self.venue.connect(SlipsEverything(self, slippage_bps))


# -- W14 ---------------------------------------------------------------------------------------------------------------


def check_stops_fill(make: Make) -> None:
    """A stop waits while the market is on its near side and fills once it is reached, on any kind of data."""
    for feed in FEEDS:
        simulator = make(initial_cash=100_000, venue_config=MARGIN)
        feed(simulator, T0, D(100))
        simulator.submit_order(new_order("buy", OrderType.STOP, stop_price=D(105)), T0)
        simulator.submit_order(new_order("sell", OrderType.STOP, stop_price=D(95), side=OrderSide.SELL), T0)
        statuses = []
        for step, price in enumerate((D(104), D(105), D(96), D(94)), start=1):
            feed(simulator, T0 + step * 60_000 * MS, price)
            statuses.append((simulator.get_order("buy").status, simulator.get_order("sell").status))

        assert statuses == [
            (STATUS.SUBMITTED, STATUS.SUBMITTED),
            (STATUS.FILLED, STATUS.SUBMITTED),
            (STATUS.FILLED, STATUS.SUBMITTED),
            (STATUS.FILLED, STATUS.FILLED),
        ], feed.__name__


class DeafToStops:
    """Takes stop orders in and has no rule to match them by."""

    def __init__(self, simulator: ExecutionSimulator) -> None:
        self.venue: Venue = simulator.venue
        self.gate = simulator.gate

    def place(self, orders: tuple[Order, ...], now: int, native: object) -> None:
        for order in orders:
            if order.order_type is OrderType.STOP:
                self.gate.accepted(order.order_id, now)
            else:
                self.venue.place((order,), now, native)

    def cancel(self, order_id: str, now: int, native: object) -> None:
        self.venue.cancel(order_id, now, native)

    def modify(self, order_id: str, change: OrderChange, now: int, native: object) -> None:
        self.venue.modify(order_id, change, now, native)


class NeverFillsStops(ExecutionSimulator):
    """Stands before a venue that forgets stops."""

    def __init__(self, **settings: Any) -> None:
        super().__init__(**settings)
        self.gate._venue = DeafToStops(self)


# -- W15 ---------------------------------------------------------------------------------------------------------------


def check_ids_are_used_once(make: Make) -> None:
    """A second order under an id is refused, whether the first still works or has ended, and only the first fills."""
    simulator = make(initial_cash=10_000)

    simulator.submit_order(new_order("O-1"), T0)
    while_working = simulator.submit_order(new_order("O-1"), T0)
    by_price(simulator, T0 + 1, D(100))
    when_ended = simulator.submit_order(new_order("O-1"), T0 + 2)
    by_price(simulator, T0 + 3, D(100))

    for second in (while_working, when_ended):
        assert second.status is STATUS.REJECTED
        assert second.rejection_reason is RejectionReason.DUPLICATE_ORDER
    assert simulator.get_order("O-1").status is STATUS.FILLED
    assert sum(isinstance(event, OrderExecution) for event in simulator.events) == 1
    assert simulator.positions == {"ACME": D(10)}
    assert simulator.cash == D(9_000)


class TakesIdsTwice(ExecutionSimulator):
    """Keeps a second order beside the first instead of refusing it."""

    def submit_order(self, order: Order, timestamp: Timestamp) -> Order:
        try:
            self.get_order(order.order_id)
        except SeatrialError:
            return super().submit_order(order, timestamp)
        return super().submit_order(replace(order, order_id=f"{order.order_id} at {to_ns(timestamp)}"), timestamp)


# -- W25 ---------------------------------------------------------------------------------------------------------------


def check_margin_has_a_limit(make: Make) -> None:
    """A margin account takes what its equity times its leverage covers, positions and resting orders together."""
    for side in OrderSide:
        simulator = make(initial_cash=1_000, venue_config=MARGIN)
        by_price(simulator, T0, D(100))
        beyond = simulator.submit_order(new_order("beyond", side=side, quantity=D(21)), T0)
        simulator.submit_order(new_order("held", side=side, quantity=D(15)), T0)
        by_price(simulator, T0 + 1, D(100))
        rests = D(99) if side is OrderSide.BUY else D(101)
        resting = new_order("resting", OrderType.LIMIT, side=side, quantity=D(5), limit_price=rests)
        within = simulator.submit_order(resting, T0 + 1)
        one_more = simulator.submit_order(new_order("one more", side=side, quantity=D(1)), T0 + 1)

        assert simulator.get_order("held").status is STATUS.FILLED
        assert within.status is STATUS.SUBMITTED
        for refused, needed in ((beyond, D(1050)), (one_more, D(1050))):
            assert refused.status is STATUS.REJECTED
            assert refused.rejection is not None
            assert refused.rejection.reason is RejectionReason.INSUFFICIENT_FUNDS
            assert (refused.rejection.value, refused.rejection.limit) == (needed, D(1_000))


def exempts_margin(*, venue_config: VenueConfig, **settings: Any) -> ExecutionSimulator:
    """Hand out a margin account that is as good as unlimited."""
    return ExecutionSimulator(venue_config=replace(venue_config, leverage=D(10**9)), **settings)


# -- W33 ---------------------------------------------------------------------------------------------------------------


def check_resting_buys_hold_cash(make: Make) -> None:
    """Resting buys tie up their cash: a second one beyond it is refused, and taken once the first has gone."""
    simulator = make(initial_cash=1_000)
    by_price(simulator, T0, D(100))

    first, second, third = (
        new_order(order_id, OrderType.LIMIT, quantity=D(6), limit_price=D(90)) for order_id in ("O-1", "O-2", "O-3")
    )
    simulator.submit_order(first, T0)
    refused = simulator.submit_order(second, T0)
    simulator.cancel_order("O-1", T0)
    simulator.submit_order(third, T0)
    by_price(simulator, T0 + 1, D(80))

    assert refused.status is STATUS.REJECTED
    assert refused.rejection is not None
    assert refused.rejection.reason is RejectionReason.INSUFFICIENT_FUNDS
    assert (refused.rejection.value, refused.rejection.limit) == (D(540), D(460))
    assert simulator.get_order("O-3").status is STATUS.FILLED
    assert simulator.cash == D(520)


class HoldsNothing(Reservations):
    """Sets nothing aside."""

    def hold(self, pool: object, group: str | None, order_id: str, amount: Decimal) -> None:
        """Do nothing."""


class SpendsCashTwice(ExecutionSimulator):
    """Looks at cash when an order fills, and at no order that rests."""

    def __init__(self, **settings: Any) -> None:
        super().__init__(**settings)
        self.venue.ledger.reservations = HoldsNothing()


CASES = (
    Case("W04", check_kill_switch_cancels, KeepsResting),
    Case("W07", check_in_flight_is_seen, HidesInFlight),
    Case("W08", check_in_flight_is_cancelled, LeavesInFlight),
    Case("W09", check_cancel_leaves_fills, ErasesFills),
    Case("W10", check_refused_fill_ends_the_order, LeavesRefusedPending),
    Case("W13", check_limit_is_kept, SlipsBeyondLimits),
    Case("W14", check_stops_fill, NeverFillsStops),
    Case("W15", check_ids_are_used_once, TakesIdsTwice),
    Case("W25", check_margin_has_a_limit, exempts_margin),
    Case("W33", check_resting_buys_hold_cash, SpendsCashTwice),
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

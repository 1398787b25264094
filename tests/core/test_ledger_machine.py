"""Money through any sequence of orders, market data and waiting: what is held equals the fold of what was executed.

The client's cash and positions follow from the reported executions, the venue's from every match, also those whose
report is still on the wire; both to the last digit, after every step.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta
from decimal import Decimal
from typing import Any, ClassVar

import pytest
from hypothesis import Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from seatrial import (
    LATENCY_FAST,
    LATENCY_INSTANT,
    LATENCY_NORMAL,
    LATENCY_SLOW,
    AccountType,
    Bar,
    Convention,
    ExecutionSimulator,
    FeeSchedule,
    Instrument,
    LatencyConfig,
    LimitFill,
    Lognormal,
    Order,
    OrderExecution,
    OrderSide,
    OrderType,
    Quote,
    RejectionReason,
    TimeInForce,
    Trade,
    Uniform,
    VenueConfig,
)
from seatrial.contracts.events import (
    CancelRefused,
    CancelRequested,
    Event,
    ModifyRefused,
    ModifyRequested,
    OrderDenied,
    OrderSubmitted,
)
from seatrial.contracts.venue import PriceImprovement

D = Decimal
MS = 1_000_000
T0 = 1_700_000_000_000_000_000
CASH = D(20_000)
SYMBOLS = ("A", "B")
JITTER = LatencyConfig(
    submit=Uniform(0, 40 * MS),
    ack=Uniform(0, 300 * MS),
    fill=Lognormal(80 * MS, 1.0),
    cancel=Uniform(0, 90 * MS),
    modify=Uniform(0, 60 * MS),
)
PROFILES = [LATENCY_INSTANT, LATENCY_FAST, LATENCY_NORMAL, LATENCY_SLOW, JITTER]
INSTRUMENTS = [
    (),
    (
        Instrument(symbol="A", tick_size=D("0.01"), lot_size=D(1)),
        Instrument(symbol="B", tick_size=D("0.5"), lot_size=D(2), multiplier=D(5)),
    ),
]
VENUES = [
    VenueConfig(),
    VenueConfig(slippage_bps=D(7), fees=FeeSchedule(per_share=D("0.01"), minimum=D(1)), participation=D("0.5")),
    VenueConfig(account_type=AccountType.MARGIN, leverage=D(4), fees=FeeSchedule(bps=D("1.5"))),
    VenueConfig(account_type=AccountType.MARGIN, slippage_bps=D(3), convention=Convention.NEXT, bar_theta=D(0)),
    VenueConfig(convention=Convention.STANDING, limit_fill=LimitFill.TOUCH, participation=D("0.3")),
    VenueConfig(limit_fill=LimitFill.THROUGH, price_improvement=PriceImprovement.ALWAYS),
]
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
}
PATIENT = {OrderType.MARKET_ON_CLOSE, OrderType.TRAILING_STOP, OrderType.TRAILING_STOP_LIMIT}
SOUND = settings(
    deadline=None,
    derandomize=True,
    max_examples=250,
    stateful_step_count=30,
    phases=[Phase.generate, Phase.shrink],  # explaining a failure takes minutes more
    report_multiple_bugs=False,
)
BROKEN = settings(SOUND, phases=[Phase.generate])

TICKS = st.integers(-8, 8).map(lambda n: 100 + n * D("0.5"))
SIZES = st.none() | st.sampled_from([D(0), D(2), D(6), D(40)])
QUANTITIES = st.sampled_from([D(2), D(4), D(10), D(60)])
TRAILS = st.sampled_from([D("0.5"), D(1), D(2)])
WAITS = st.sampled_from([0, 0, MS, 30 * MS, 120 * MS, 500 * MS, 2_000 * MS])
LIKELY_TYPES = st.sampled_from([OrderType.MARKET, OrderType.LIMIT]) | st.sampled_from(list(SHAPES))


@st.composite
def terms(draw: st.DrawFn) -> dict[str, Any]:
    """Draw everything about an order but its id and its time."""
    kind = draw(LIKELY_TYPES)
    fields: dict[str, Any] = {
        field: draw(TRAILS if field in {"trail_amount", "limit_offset"} else TICKS) for field in SHAPES[kind]
    }
    tif = draw(st.just(TimeInForce.GTC) | st.sampled_from(TimeInForce))
    if kind in PATIENT and tif in {TimeInForce.IOC, TimeInForce.FOK}:
        tif = TimeInForce.DAY
    limited = "limit_price" in fields or "limit_offset" in fields
    fields["post_only"] = limited and tif is TimeInForce.GTC and draw(st.integers(0, 5)) == 0
    return {
        **fields,
        "order_type": kind,
        "time_in_force": tif,
        "symbol": draw(st.sampled_from(SYMBOLS)),
        "side": draw(st.sampled_from(OrderSide)),
        "quantity": draw(QUANTITIES),
        "reduce_only": draw(st.integers(0, 7)) == 0,
    }


def fold(
    executions: Iterable[OrderExecution], orders: dict[str, Order], multipliers: dict[str, Decimal]
) -> tuple[Decimal, dict[str, Decimal]]:
    """Return cash and positions after the executions, by the definition of a fill and nothing else."""
    cash = CASH
    positions = {order.symbol: D(0) for order in orders.values()}
    for one in executions:
        order = orders[one.order_id]
        sign = 1 if order.side is OrderSide.BUY else -1
        cash -= sign * one.quantity * one.price * multipliers[order.symbol] + one.commission
        positions[order.symbol] += sign * one.quantity
    return cash, {symbol: quantity for symbol, quantity in positions.items() if quantity}


def on_the_wire(simulator: ExecutionSimulator) -> list[OrderExecution]:
    """Return the matches whose report has not arrived."""
    return [said for _, said, _ in simulator.gate.wire.reports.messages if type(said) is OrderExecution]


def is_venues(event: Event) -> bool:
    """Return whether an event changed the order at the venue; what was asked or refused did not."""
    asked = {OrderSubmitted, OrderDenied, CancelRequested, ModifyRequested}
    return type(event) not in asked | {CancelRefused, ModifyRefused}


class LedgerMachine(RuleBasedStateMachine):
    """Anything a client and a market can do, with the books checked after each step."""

    simulator_type: ClassVar[type[ExecutionSimulator]] = ExecutionSimulator

    def __init__(self) -> None:
        super().__init__()
        self.orders: dict[str, Order] = {}
        self.returned: list[OrderExecution] = []
        self.last_reported_at = 0
        self.last_at_venue: dict[str, int] = {}

    @initialize(
        profile=st.sampled_from(PROFILES),
        venue=st.sampled_from(VENUES),
        instruments=st.sampled_from(INSTRUMENTS),
        held=st.booleans(),
    )
    def open(self, profile: LatencyConfig, venue: VenueConfig, instruments: tuple[Instrument, ...], held: bool) -> None:
        self.multipliers = {"A": D(1), "B": D(1)} | {one.symbol: one.multiplier for one in instruments}
        self.simulator = self.simulator_type(
            initial_cash=CASH, latency_config=profile, venue_config=venue, instruments=instruments, seed=11
        )
        self.simulator.advance(T0)
        self.simulator.add_listener(self._hear)
        if held:
            for symbol in SYMBOLS:
                fields = {"symbol": symbol, "side": OrderSide.BUY, "order_type": OrderType.MARKET, "quantity": D(20)}
                self.simulator.submit_order(self._order(fields), self.simulator.now)
            self._keep(self.simulator.advance(self.now + 200 * MS))
            self._keep(self.simulator.process_market_data(self.now, {"A": D(100), "B": D(100)}))
            self._keep(self.simulator.advance(self.now + 3_000 * MS))

    @property
    def now(self) -> int:
        return self.simulator.now

    def _hear(self, event: Event, order: Order | None) -> None:
        """Check each event as the client hears it; the order then has the terms under which it was matched."""
        assert event.timestamp <= event.reported_at
        assert event.reported_at >= self.last_reported_at
        self.last_reported_at = event.reported_at
        if order is not None and is_venues(event):
            assert event.timestamp >= self.last_at_venue.get(order.order_id, 0)
            self.last_at_venue[order.order_id] = event.timestamp
        if type(event) is not OrderExecution:
            return
        assert order is not None
        assert event.quantity > 0
        limit = order.limit_price
        if limit is not None and order.limit_offset is None and order.trail_amount is None:
            assert event.price <= limit if order.side is OrderSide.BUY else event.price >= limit

    def _order(self, fields: dict[str, Any], **links: Any) -> Order:
        order_id = f"O-{len(self.orders)}"
        gtd = fields.get("time_in_force") is TimeInForce.GTD
        expiry = self.now + 700 * MS if gtd else None
        order = Order(order_id=order_id, created_at=self.now, expire_at=expiry, **{**fields, **links})
        self.orders[order_id] = order
        return order

    def _keep(self, executions: tuple[OrderExecution, ...]) -> None:
        self.returned.extend(executions)

    # -- what a client does ----------------------------------------------------------------------------------------

    @rule(fields=terms(), wait=WAITS)
    def submit(self, fields: dict[str, Any], wait: int) -> None:
        self.simulator.submit_order(self._order(fields), self.now + wait)

    @rule(first=terms(), second=terms(), wait=WAITS, apart=WAITS)
    def submit_oco(self, first: dict[str, Any], second: dict[str, Any], wait: int, apart: int) -> None:
        group = f"G-{len(self.orders)}"
        for fields, later in ((first, wait), (second, apart)):
            self.simulator.submit_order(self._order(fields, oco_id=group), self.now + later)

    @rule(entry=terms(), stop=TICKS, goal=TICKS, wait=WAITS)
    def submit_bracket(self, entry: dict[str, Any], stop: Decimal, goal: Decimal, wait: int) -> None:
        opposite = OrderSide.SELL if entry["side"] is OrderSide.BUY else OrderSide.BUY
        common = {"symbol": entry["symbol"], "side": opposite, "quantity": entry["quantity"]}
        orders = (
            self._order(entry),
            self._order({**common, "order_type": OrderType.STOP, "stop_price": stop}),
            self._order({**common, "order_type": OrderType.LIMIT, "limit_price": goal}),
        )
        self.simulator.submit_bracket(*orders, timestamp=self.now + wait)

    @precondition(lambda self: self.orders)
    @rule(fields=terms(), pick=st.integers(0, 3), wait=WAITS)
    def submit_child(self, fields: dict[str, Any], pick: int, wait: int) -> None:
        parent = list(self.orders)[-1 - pick % len(self.orders)]
        self.simulator.submit_order(self._order(fields, parent_id=parent), self.now + wait)

    @precondition(lambda self: self.orders)
    @rule(pick=st.integers(0, 5), wait=WAITS)
    def cancel(self, pick: int, wait: int) -> None:
        self.simulator.cancel_order(list(self.orders)[-1 - pick % len(self.orders)], self.now + wait)

    @precondition(lambda self: self.orders)
    @rule(pick=st.integers(0, 5), what=st.integers(0, 3), quantity=QUANTITIES, price=TICKS, trail=TRAILS, wait=WAITS)
    def modify(self, pick: int, what: int, quantity: Decimal, price: Decimal, trail: Decimal, wait: int) -> None:
        order = self.orders[list(self.orders)[-1 - pick % len(self.orders)]]
        changes: dict[str, Decimal] = {"quantity": quantity} if what % 2 == 0 else {}
        if what:
            new = {"limit_price": price, "stop_price": price, "trail_amount": trail}
            changes |= {field: value for field, value in new.items() if getattr(order, field) is not None}
        self.simulator.modify_order(order.order_id, self.now + wait, **(changes or {"quantity": quantity}))

    @rule(cancel_working=st.booleans())
    def halt_and_resume(self, cancel_working: bool) -> None:
        if len(self.orders) % 5 == 0:
            self.simulator.disable_trading("ops", "drill", cancel_working=cancel_working)
            self._keep(self.simulator.advance(self.now + 40 * MS))
            self.simulator.enable_trading("ops", "drill over")

    # -- what the market does --------------------------------------------------------------------------------------

    @rule(wait=WAITS | st.just(90_000_000 * MS))
    def wait(self, wait: int) -> None:
        self._keep(self.simulator.advance(self.now + wait))

    @rule(wait=WAITS, symbol=st.sampled_from(SYMBOLS), bid=TICKS, spread=TRAILS, sizes=st.tuples(SIZES, SIZES))
    def quote(
        self, wait: int, symbol: str, bid: Decimal, spread: Decimal, sizes: tuple[Decimal | None, Decimal | None]
    ) -> None:
        self._keep(self.simulator.process_quote(Quote(self.now + wait, symbol, bid, bid + spread, *sizes)))

    @rule(wait=WAITS, symbol=st.sampled_from(SYMBOLS), price=TICKS, size=SIZES)
    def trade(self, wait: int, symbol: str, price: Decimal, size: Decimal | None) -> None:
        self._keep(self.simulator.process_trade(Trade(self.now + wait, symbol, price, size)))

    @rule(wait=WAITS, prices=st.dictionaries(st.sampled_from(SYMBOLS), TICKS, min_size=1))
    def prices(self, wait: int, prices: dict[str, Decimal]) -> None:
        self._keep(self.simulator.process_market_data(self.now + wait, prices))

    @rule(
        length=st.sampled_from([60 * MS, 900 * MS, 60_000 * MS]),
        gap=WAITS | st.none(),
        symbols=st.sampled_from([("A",), ("B",), ("A", "B"), ("B", "A")]),
        prices=st.lists(TICKS, min_size=8, max_size=8),
        volume=SIZES,
    )
    def bars(
        self, length: int, gap: int | None, symbols: tuple[str, ...], prices: list[Decimal], volume: Decimal | None
    ) -> None:
        start = None if gap is None else self.now + gap
        end = self.now + (gap or 0) + length
        rows = []
        for n, symbol in enumerate(symbols):
            path = prices[4 * n : 4 * n + 4]
            rows.append(Bar(end, symbol, path[0], max(path), min(path), path[3], volume, start))
        self._keep(self.simulator.process_bars(rows))

    # -- what must hold --------------------------------------------------------------------------------------------

    @invariant()
    def client_books_are_the_fold_of_reports(self) -> None:
        reported = [event for event in self.simulator.events if type(event) is OrderExecution]
        cash, positions = fold(reported, self.orders, self.multipliers)
        assert self.simulator.cash == cash
        assert dict(self.simulator.positions) == positions

    @invariant()
    def venue_books_are_the_fold_of_matches(self) -> None:
        reported = [event for event in self.simulator.events if type(event) is OrderExecution]
        cash, positions = fold([*reported, *on_the_wire(self.simulator)], self.orders, self.multipliers)
        account = self.simulator.venue.ledger.account
        assert account.cash == cash
        assert dict(account.positions) == positions

    @invariant()
    def orders_are_the_fold_of_their_executions(self) -> None:
        for order_id in self.orders:
            order = self.simulator.get_order(order_id)
            assert order.filled_quantity == sum((one.quantity for one in order.executions), D(0))
            assert 0 <= order.filled_quantity <= order.quantity
            assert (order_id in self.simulator.completed_orders) is order.is_complete
            assert (order_id in self.simulator.pending_orders) is not order.is_complete

    @invariant()
    def executions_are_named_once(self) -> None:
        names = [event.execution_id for event in self.simulator.events if type(event) is OrderExecution]
        assert len(set(names)) == len(names)

    def teardown(self) -> None:
        if not hasattr(self, "simulator"):
            return
        simulator = self.simulator
        for order_id in list(simulator.pending_orders):
            simulator.cancel_order(order_id, self.now)
        self._keep(simulator.advance(self.now + int(timedelta(minutes=10).total_seconds()) * 1_000 * MS))
        assert dict(simulator.pending_orders) == {}
        assert on_the_wire(simulator) == []
        self.client_books_are_the_fold_of_reports()
        self.venue_books_are_the_fold_of_matches()
        self.orders_are_the_fold_of_their_executions()
        assert simulator.venue.ledger.reservations.totals == {}
        assert self.returned == [event for event in simulator.events if type(event) is OrderExecution]


class _FreeOfCharge(ExecutionSimulator):
    """A client that forgets the commission of every partial fill."""

    @property
    def cash(self) -> Decimal:
        executions = [event for event in self.events if type(event) is OrderExecution]
        return super().cash + sum((one.commission for one in executions if one.is_partial), D(0))


class _Clairvoyant(ExecutionSimulator):
    """A client that sees its positions when they are matched, before any report."""

    @property
    def positions(self) -> Any:
        return self.venue.ledger.account.positions


class _Forgetful(ExecutionSimulator):
    """A simulator that hands out no execution reported while an order was submitted."""

    def submit_order(self, order: Order, timestamp: Any) -> Order:
        self.advance(timestamp)
        after = super().submit_order(order, timestamp)
        self.advance(timestamp)
        return after


TestLedger = LedgerMachine.TestCase
TestLedger.settings = SOUND


@pytest.mark.no_cover
@pytest.mark.parametrize("twin", [_FreeOfCharge, _Clairvoyant, _Forgetful])
def test_machine_catches_broken_books(twin: type[ExecutionSimulator]) -> None:
    """Lost commissions, positions known too soon and executions never handed out are each found."""
    machine = type("BrokenMachine", (LedgerMachine,), {"simulator_type": twin})

    with pytest.raises(AssertionError):
        run_state_machine_as_test(machine, settings=BROKEN)


# -- what the machine has found before ---------------------------------------------------------------------------------


def opened(profile: LatencyConfig) -> ExecutionSimulator:
    """Return a simulator that has seen one bar of A at 100, ending at T0."""
    simulator = ExecutionSimulator(initial_cash=CASH, latency_config=profile)
    simulator.advance(T0 - 60_000 * MS)
    simulator.process_bar(flat_bar(T0))
    return simulator


def flat_bar(end: int, price: int = 100) -> Bar:
    """Return a bar of A that stays at one price."""
    return Bar(end, "A", D(price), D(price), D(price), D(price))


def order_of(order_id: str, kind: OrderType = OrderType.MARKET, side: OrderSide = OrderSide.BUY, **more: Any) -> Order:
    """Return an order for 2 of A."""
    return Order(order_id=order_id, symbol="A", side=side, order_type=kind, quantity=D(2), created_at=T0, **more)


def test_both_exits_of_a_bracket_meet_the_bar_of_their_entry() -> None:
    """Two exits that wake within a bar, both at its price: the first trades, the second ends with its group."""
    simulator = opened(LATENCY_INSTANT)
    stop = order_of("STOP", OrderType.STOP, OrderSide.SELL, stop_price=D(100))
    goal = order_of("GOAL", OrderType.LIMIT, OrderSide.SELL, limit_price=D(100))
    simulator.submit_bracket(order_of("ENTRY"), stop, goal, timestamp=T0)

    simulator.process_bar(flat_bar(T0 + 60_000 * MS))

    statuses = {name: str(simulator.get_order(name).status) for name in ("ENTRY", "STOP", "GOAL")}
    assert statuses == {"ENTRY": "filled", "STOP": "filled", "GOAL": "cancelled"}
    assert dict(simulator.positions) == {}


@pytest.mark.parametrize("profile", [LATENCY_INSTANT, LATENCY_FAST])
def test_oco_legs_may_arrive_one_after_the_other_within_a_bar(profile: LatencyConfig) -> None:
    """The leg that trades first ends the other, whose own history stays in order of time."""
    simulator = opened(profile)
    simulator.submit_order(order_of("FIRST", oco_id="G"), T0)
    simulator.submit_order(order_of("SECOND", oco_id="G"), T0 + 30 * MS)

    simulator.process_bar(flat_bar(T0 + 60_000 * MS))

    first, second = simulator.get_order("FIRST"), simulator.get_order("SECOND")
    assert (str(first.status), first.filled_quantity) == ("filled", D(2))
    assert second.is_complete
    assert second.filled_quantity == 0
    assert second.rejection_reason is RejectionReason.GROUP_ENDED
    times = [event.timestamp for event in second.events]
    assert times == sorted(times)


def test_bar_reports_nothing_before_what_the_client_did_since() -> None:
    """A bar that begins before the client's last request tells of its own events no earlier than that request."""
    simulator = opened(LATENCY_FAST)
    simulator.submit_order(order_of("STOP", OrderType.STOP, stop_price=D(105)), T0)
    simulator.process_bar(flat_bar(T0 + 20 * MS))
    simulator.submit_order(order_of("LIMIT", OrderType.LIMIT, limit_price=D(1)), T0 + 50 * MS)

    simulator.process_bar(flat_bar(T0 + 60_000 * MS, price=110))

    told = [event.reported_at for event in simulator.events]
    assert told == sorted(told)

"""What working orders hold of an account: never less than nothing, never too little, and nothing when all is over."""

from __future__ import annotations

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
    LATENCY_INSTANT,
    LATENCY_NORMAL,
    AccountType,
    Bar,
    ExecutionSimulator,
    FeeSchedule,
    LatencyConfig,
    Order,
    OrderExecution,
    OrderSide,
    OrderType,
    Quote,
    TimeInForce,
    Uniform,
    VenueConfig,
)
from seatrial.contracts.events import Event
from seatrial.venue.reservations import Pool, Reservations

D = Decimal
MS = 1_000_000
T0 = 1_700_000_000_000_000_000
CASH = D(3_000)
SOUND = settings(deadline=None, derandomize=True, max_examples=150, stateful_step_count=30)
BROKEN = settings(SOUND, max_examples=200, phases=[Phase.generate], report_multiple_bugs=False)

# -- the tally itself --------------------------------------------------------------------------------------------------

POOLS: st.SearchStrategy[Pool] = st.sampled_from([("", None), ("A", None), ("A", True)])
GROUPS = st.sampled_from([None, "G", "H"])
NAMES = st.sampled_from([f"O-{n}" for n in range(6)])
AMOUNTS = st.integers(-1, 9).map(lambda n: n * D("0.25"))


class ReservationsMachine(RuleBasedStateMachine):
    """Hold and free, with every total taken anew from all that is held."""

    tally_type: ClassVar[type[Reservations]] = Reservations

    def __init__(self) -> None:
        super().__init__()
        self.tally = self.tally_type()
        self.held: dict[str, tuple[Pool, str | None, Decimal]] = {}

    def total(self, pool: Pool, held: dict[str, tuple[Pool, str | None, Decimal]]) -> Decimal:
        """Return what is set aside in a pool, by definition: single orders, and each group's largest leg."""
        mine = [(group, amount) for where, group, amount in held.values() if where == pool]
        groups = {group for group, _ in mine if group is not None}
        single = sum((amount for group, amount in mine if group is None), D(0))
        return single + sum((max(one for of, one in mine if of == group) for group in groups), D(0))

    @rule(pool=POOLS, group=GROUPS, name=NAMES, amount=AMOUNTS)
    def hold(self, pool: Pool, group: str | None, name: str, amount: Decimal) -> None:
        self.tally.hold(pool, group, name, amount)
        self.held.pop(name, None)
        if amount > 0:
            self.held[name] = (pool, group, amount)

    @rule(name=NAMES)
    def free(self, name: str) -> None:
        self.tally.free(name)
        self.held.pop(name, None)

    @rule(pool=POOLS, group=GROUPS, name=NAMES, amount=AMOUNTS.filter(lambda amount: amount > 0))
    def beside(self, pool: Pool, group: str | None, name: str, amount: Decimal) -> None:
        if name in self.held and self.held[name][:2] != (pool, group):
            return  # an order keeps its pool and its group for life
        instead = {**self.held, name: (pool, group, amount)}
        assert self.tally.beside(pool, group, name, amount) == self.total(pool, instead) - amount

    @invariant()
    def totals_are_those_recomputed(self) -> None:
        pools = {pool for pool, _, _ in self.held.values()}
        assert self.tally.totals == {pool: self.total(pool, self.held) for pool in pools}
        watched: tuple[Pool, ...] = (("", None), ("A", None), ("A", True), ("never used", None))
        for pool in watched:
            assert self.tally.total(pool) == self.total(pool, self.held)
            assert self.tally.total(pool) >= 0

    def teardown(self) -> None:
        for name in list(self.held):
            self.tally.free(name)
        assert self.tally.totals == {}


class _AddsUpGroups(Reservations):
    """A tally in which the legs of a group count one by one."""

    __slots__ = ()

    def hold(self, pool: Pool, group: str | None, order_id: str, amount: Decimal) -> None:
        super().hold(pool, None, order_id, amount)


class _HoldsTwice(Reservations):
    """A tally that forgets what an order held before."""

    __slots__ = ()

    def hold(self, pool: Pool, group: str | None, order_id: str, amount: Decimal) -> None:
        self._by_order.pop(order_id, None)
        super().hold(pool, group, order_id, amount)


TestReservations = pytest.mark.no_cover(ReservationsMachine.TestCase)
TestReservations.settings = SOUND


@pytest.mark.no_cover
@pytest.mark.parametrize("twin", [_AddsUpGroups, _HoldsTwice])
def test_machine_catches_a_broken_tally(twin: type[Reservations]) -> None:
    """Groups that add up and amounts that are held twice are each found."""
    machine = type("BrokenMachine", (ReservationsMachine,), {"tally_type": twin})

    with pytest.raises((AssertionError, KeyError)):
        run_state_machine_as_test(machine, settings=BROKEN)


POOL = ("", None)


def test_group_counts_its_largest_leg() -> None:
    """Of two legs the larger is held; when it goes, the smaller one is."""
    tally = Reservations()
    tally.hold(POOL, "G", "O-1", D(100))
    tally.hold(POOL, "G", "O-2", D(250))
    tally.hold(POOL, None, "O-3", D(7))

    assert tally.total(POOL) == D(257)
    tally.free("O-2")
    assert tally.total(POOL) == D(107)
    tally.free("O-1")
    tally.free("O-1")
    assert tally.totals == {POOL: D(7)}


# -- on a simulator ----------------------------------------------------------------------------------------------------

PROFILES = [
    LATENCY_INSTANT,
    LATENCY_NORMAL,
    LatencyConfig(submit=Uniform(0, 40 * MS), ack=Uniform(0, 90 * MS), fill=Uniform(0, 200 * MS)),
]
COSTS = [
    VenueConfig(),
    VenueConfig(slippage_bps=D(20), fees=FeeSchedule(per_share=D("0.02"), bps=D(3))),
    VenueConfig(fees=FeeSchedule(minimum=D("2.50"))),
]
SHAPES: dict[OrderType, tuple[str, ...]] = {
    OrderType.MARKET: (),
    OrderType.LIMIT: ("limit_price",),
    OrderType.STOP: ("stop_price",),
    OrderType.STOP_LIMIT: ("stop_price", "limit_price"),
    OrderType.MARKET_IF_TOUCHED: ("stop_price",),
}
PRICES = st.integers(-6, 6).map(lambda n: 100 + n * D("0.5"))
SIZES = st.sampled_from([None, D(1), D(5)])
QUANTITIES = st.sampled_from([D(1), D(3), D(8), D(25)])
WAITS = st.sampled_from([0, 0, 10 * MS, 60 * MS, 300 * MS])


@st.composite
def terms(draw: st.DrawFn) -> dict[str, Any]:
    """Draw everything about an order but its id and its time."""
    kind = draw(st.sampled_from(list(SHAPES)))
    return {
        **{field: draw(PRICES) for field in SHAPES[kind]},
        "order_type": kind,
        "side": draw(st.sampled_from(OrderSide)),
        "quantity": draw(QUANTITIES),
        "time_in_force": draw(st.sampled_from([TimeInForce.GTC, TimeInForce.GTC, TimeInForce.DAY, TimeInForce.IOC])),
    }


class CashAccountMachine(RuleBasedStateMachine):
    """A cash account under whatever orders come: it never owes money, never owes shares, and frees what it held."""

    def __init__(self) -> None:
        super().__init__()
        self.orders: dict[str, Order] = {}

    @initialize(profile=st.sampled_from(PROFILES), costs=st.sampled_from(COSTS))
    def open(self, profile: LatencyConfig, costs: VenueConfig) -> None:
        self.simulator = ExecutionSimulator(
            initial_cash=CASH, latency_config=profile, venue_config=self.configured(costs), seed=5
        )
        self.simulator.advance(T0)
        self.simulator.add_listener(self.hear)
        self.simulator.process_quote(Quote(T0, "A", D("99.5"), D("100.5")))

    def configured(self, costs: VenueConfig) -> VenueConfig:
        """Return the venue's configuration; broken twins differ here."""
        return costs

    def hear(self, event: Event, order: Order | None) -> None:
        """Check the client's own view at each report as well, not only after each step."""
        if type(event) is OrderExecution:
            assert self.simulator.cash >= 0
            assert self.simulator.positions.get("A", D(0)) >= 0

    @property
    def now(self) -> int:
        return self.simulator.now

    def order(self, fields: dict[str, Any], **links: Any) -> Order:
        order = Order(order_id=f"O-{len(self.orders)}", symbol="A", created_at=self.now, **fields, **links)
        self.orders[order.order_id] = order
        return order

    @rule(fields=terms(), wait=WAITS)
    def submit(self, fields: dict[str, Any], wait: int) -> None:
        self.simulator.submit_order(self.order(fields), self.now + wait)

    @rule(first=terms(), second=terms(), wait=WAITS)
    def submit_oco(self, first: dict[str, Any], second: dict[str, Any], wait: int) -> None:
        group = f"G-{len(self.orders)}"
        for fields in (first, second):
            self.simulator.submit_order(self.order(fields, oco_id=group), self.now + wait)

    @rule(entry=terms(), stop=PRICES, goal=PRICES, wait=WAITS)
    def submit_bracket(self, entry: dict[str, Any], stop: Decimal, goal: Decimal, wait: int) -> None:
        opposite = OrderSide.SELL if entry["side"] is OrderSide.BUY else OrderSide.BUY
        common = {"side": opposite, "quantity": entry["quantity"]}
        exits = (
            self.order({**common, "order_type": OrderType.STOP, "stop_price": stop}),
            self.order({**common, "order_type": OrderType.LIMIT, "limit_price": goal}),
        )
        self.simulator.submit_bracket(self.order(entry), *exits, timestamp=self.now + wait)

    @precondition(lambda self: self.orders)
    @rule(pick=st.integers(0, 5), wait=WAITS)
    def cancel(self, pick: int, wait: int) -> None:
        self.simulator.cancel_order(list(self.orders)[-1 - pick % len(self.orders)], self.now + wait)

    @precondition(lambda self: self.orders)
    @rule(pick=st.integers(0, 5), quantity=QUANTITIES, price=st.none() | PRICES, wait=WAITS)
    def modify(self, pick: int, quantity: Decimal, price: Decimal | None, wait: int) -> None:
        order = self.orders[list(self.orders)[-1 - pick % len(self.orders)]]
        limit = price if order.limit_price is not None else None
        self.simulator.modify_order(order.order_id, self.now + wait, quantity=quantity, limit_price=limit)

    @rule(wait=WAITS, bid=PRICES, sizes=st.tuples(SIZES, SIZES))
    def quote(self, wait: int, bid: Decimal, sizes: tuple[Decimal | None, Decimal | None]) -> None:
        self.simulator.process_quote(Quote(self.now + wait, "A", bid, bid + D("0.5"), *sizes))

    @rule(wait=WAITS | st.just(90_000_000 * MS))
    def wait(self, wait: int) -> None:
        self.simulator.advance(self.now + wait)

    @invariant()
    def nobody_owes_anything(self) -> None:
        ledger = self.simulator.venue.ledger
        assert ledger.account.cash >= 0
        assert all(quantity >= 0 for quantity in ledger.account.positions.values())
        assert self.simulator.cash >= 0
        assert all(quantity >= 0 for quantity in self.simulator.positions.values())

    @invariant()
    def reservations_are_never_negative(self) -> None:
        assert all(total > 0 for total in self.simulator.venue.ledger.reservations.totals.values())

    def teardown(self) -> None:
        if not hasattr(self, "simulator"):
            return
        for order_id in list(self.simulator.pending_orders):
            self.simulator.cancel_order(order_id, self.now)
        self.simulator.advance(self.now + 600_000 * MS)
        assert dict(self.simulator.pending_orders) == {}
        assert self.simulator.venue.ledger.reservations.totals == {}


class _OnCredit(CashAccountMachine):
    """An account said to be a cash account that lends money and shares."""

    def configured(self, costs: VenueConfig) -> VenueConfig:
        return VenueConfig(account_type=AccountType.MARGIN, leverage=D(4), fees=costs.fees)


TestCashAccount = pytest.mark.no_cover(CashAccountMachine.TestCase)
TestCashAccount.settings = SOUND


@pytest.mark.no_cover
def test_machine_catches_an_account_on_credit() -> None:
    """An account that goes below zero, in cash or in shares, is found."""
    with pytest.raises(AssertionError):
        run_state_machine_as_test(_OnCredit, settings=BROKEN)


class MarginAccountMachine(CashAccountMachine):
    """The same on margin, where debts are allowed: what is held never falls below zero, and ends at nothing."""

    def configured(self, costs: VenueConfig) -> VenueConfig:
        return VenueConfig(
            account_type=AccountType.MARGIN, leverage=D(2), slippage_bps=costs.slippage_bps, fees=costs.fees
        )

    def hear(self, event: Event, order: Order | None) -> None:
        if type(event) is OrderExecution:
            assert event.quantity > 0

    @invariant()
    def nobody_owes_anything(self) -> None:
        positions = self.simulator.venue.ledger.account.positions
        assert D(0) not in positions.values()


TestMarginAccount = MarginAccountMachine.TestCase
TestMarginAccount.settings = settings(SOUND, max_examples=50)


# -- cash below zero by other ways -------------------------------------------------------------------------------------


def market(order_id: str, symbol: str, side: OrderSide, quantity: int) -> Order:
    """Return a market order."""
    return Order(
        order_id=order_id,
        symbol=symbol,
        side=side,
        order_type=OrderType.MARKET,
        quantity=D(quantity),
        created_at=T0,
    )


def test_fee_of_a_sale_does_not_take_cash_below_zero() -> None:
    """A sale whose minimum fee exceeds its proceeds and the cash at hand leaves no debt in a cash account."""
    fees = FeeSchedule(minimum=D("2.5"))
    simulator = ExecutionSimulator(initial_cash=D("12.5"), venue_config=VenueConfig(fees=fees))
    simulator.submit_order(market("BUY", "A", OrderSide.BUY, 10), T0)
    simulator.process_market_data(T0 + 1, {"A": D(1)})
    assert simulator.cash == 0

    simulator.submit_order(market("SELL", "A", OrderSide.SELL, 1), T0 + 1)
    simulator.process_market_data(T0 + 2, {"A": D(1)})

    assert simulator.cash >= 0


@pytest.mark.parametrize("symbols", [("A", "B"), ("B", "A")])
def test_money_made_late_in_a_bar_buys_nothing_early_in_it(symbols: tuple[str, str]) -> None:
    """Bars of two symbols share their time: a sale at the end of one cannot pay for a purchase at the other's open."""
    simulator = ExecutionSimulator(initial_cash=D(200))
    simulator.advance(T0)
    simulator.submit_order(market("BUY-A", "A", OrderSide.BUY, 2), T0)
    simulator.process_market_data(T0, {"A": D(100)})
    assert (simulator.cash, dict(simulator.positions)) == (D(0), {"A": D(2)})
    heard: list[Decimal] = []
    simulator.add_listener(lambda event, order: heard.append(simulator.cash))
    goal = Order(
        order_id="SELL-A",
        symbol="A",
        side=OrderSide.SELL,
        order_type=OrderType.LIMIT,
        quantity=D(2),
        created_at=T0,
        limit_price=D(105),
    )
    simulator.submit_order(goal, T0)
    simulator.submit_order(market("BUY-B", "B", OrderSide.BUY, 2), T0)

    rows = {
        "A": Bar(T0 + 60_000 * MS, "A", D(100), D(106), D(100), D(106), start=T0),
        "B": Bar(T0 + 60_000 * MS, "B", D(100), D(100), D(100), D(100), start=T0),
    }
    simulator.process_bars([rows[symbol] for symbol in symbols])

    assert min(heard) >= 0
    assert simulator.get_order("BUY-B").filled_quantity == 0
    assert simulator.cash == D(210)

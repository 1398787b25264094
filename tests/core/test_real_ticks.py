"""Six minutes of a real market, thousands of orders of every kind, and all that must hold checked on the way.

The data (BTCUSDT perpetual, 8 August 2024: 66,089 best quotes and 21,313 trades) is found by `SEATRIAL_DATA`, the
folder that holds both Parquet files; without it these tests are skipped. After a change of behaviour that is meant,
renew EVENTS and SHA256 below with what `SEATRIAL_DATA=... python tests/core/test_real_ticks.py` prints.
"""

from __future__ import annotations

import os
import sys
from bisect import bisect_right
from collections import Counter, deque
from decimal import Decimal
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest
from msgspec.structs import replace

from seatrial import (
    LATENCY_NORMAL,
    AccountType,
    ExecutionSimulator,
    FeeSchedule,
    Instrument,
    Liquidity,
    Order,
    OrderExecution,
    OrderSide,
    OrderStatus,
    OrderType,
    Quote,
    RejectionReason,
    TimeInForce,
    Trade,
    VenueConfig,
)
from seatrial.contracts.events import (
    CancelRequested,
    ModifyRefused,
    ModifyRequested,
    OrderSubmitted,
    encode_events,
)
from seatrial.contracts.rejection import RefusedBy

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from seatrial.contracts.events import Event

EVENTS = 29_079
SHA256 = "b02a3e2943262148cc76e2707f174e219c58119ffecc735fa0b1842536952bf7"

NAME = "btcusdt_usdm_20240808_{}.parquet"
SYMBOL = "BTCUSDT"
TICK, LOT = Decimal("0.1"), Decimal("0.001")
CASH, LEVERAGE, SLIPPAGE_BPS = Decimal(90_000), Decimal(5), Decimal("0.5")
SHARE = Decimal("0.5")
MS = 1_000_000
REQUEST_NS = 50 * MS  # LATENCY_NORMAL's submit, cancel and modify legs
BUY, SELL = OrderSide.BUY, OrderSide.SELL
ZERO = Decimal(0)


class Row(NamedTuple):
    """One row of the tape as it was recorded: a quote, or a trade whose price and size stand on both sides."""

    ts: int
    is_quote: bool
    bid: float
    ask: float
    bid_size: float
    ask_size: float

    def event(self) -> Quote | Trade:
        """Return the row as market data; a float becomes the Decimal of its shortest notation."""
        bid, ask, bid_size, ask_size = (Decimal(repr(value)) for value in self[2:])
        if self.is_quote:
            return Quote(self.ts, SYMBOL, bid, ask, bid_size, ask_size)
        return Trade(self.ts, SYMBOL, bid, bid_size)


def _tape(folder: Path) -> list[Row]:
    """Return both files in time order, quotes before trades of the same time."""
    parquet: Any = pytest.importorskip("pyarrow.parquet")
    quotes = parquet.read_table(folder / NAME.format("quotes")).to_pydict()
    trades = parquet.read_table(folder / NAME.format("trades")).to_pydict()
    columns = (quotes[name] for name in ("bid", "ask", "bid_size", "ask_size"))
    rows = [Row(ts, True, *rest) for ts, *rest in zip(quotes["ts_ns"], *columns, strict=True)]
    prints = zip(trades["ts_ns"], trades["price"], trades["size"], strict=True)
    rows += [Row(ts, False, price, price, size, size) for ts, price, size in prints]
    rows.sort(key=lambda row: (row.ts, not row.is_quote))  # stable: rows of one file never change places
    return rows


def _faults(rows: Iterable[Row]) -> Counter[str]:
    """Count what no market can have shown, by kind."""
    found: Counter[str] = Counter()
    before = 0
    for row in rows:
        prices = [Decimal(repr(value)) for value in row[2:4]]
        sizes = [Decimal(repr(value)) for value in row[4:]]
        if not all(value.is_finite() for value in (*prices, *sizes)):
            found["no number"] += 1
            continue
        found["crossed"] += row.bid > row.ask
        found["locked"] += row.is_quote and row.bid == row.ask
        found["no price"] += min(prices) <= 0
        found["no size"] += min(sizes) <= 0
        found["off the tick"] += any(price % TICK for price in prices)
        found["off the lot"] += any(size % LOT for size in sizes)
        found["back in time"] += row.ts < before
        before = row.ts
    return +found


class _Watch:
    """Hears every event and refuses what must never happen; `check` compares the simulator with what was heard."""

    def __init__(self, simulator: ExecutionSimulator) -> None:
        self.simulator = simulator
        self.cash = simulator.initial_cash
        self.held: Counter[str] = Counter()
        self.positions: dict[str, Decimal] = {}
        self.orders: dict[str, Order] = {}
        self.filled: dict[str, Decimal] = {}
        self.groups: dict[str, str] = {}
        self.executions: list[OrderExecution] = []
        self.returned: list[OrderExecution] = []
        self.reported_at = 0
        self.heard = 0
        self.sent: deque[int] = deque()
        self.on_the_wire: list[tuple[int, int]] = []

    def hear(self, event: Event, order: Order | None) -> None:
        """Check one event against all before it."""
        self.heard += 1
        assert event.timestamp <= event.reported_at, f"reported before it happened: {event}"
        assert event.reported_at >= self.reported_at, "a report overtook another"
        self.reported_at = event.reported_at
        if order is None:
            return
        self.orders[order.order_id] = order
        if type(event) is OrderExecution:
            self._fill(event, order)
        elif type(event) is OrderSubmitted and order.parent_id is None:
            self.sent.append(event.timestamp)  # a bracket's exits travel in its entry's message
        elif type(event) in {CancelRequested, ModifyRequested}:
            self.sent.append(event.timestamp)
        elif type(event) is ModifyRefused and event.rejection.refused_by is RefusedBy.GATE and not order.is_complete:
            self.sent.pop()  # asked and refused in one go: it never left

    def _fill(self, fill: OrderExecution, order: Order) -> None:
        assert fill.quantity > 0, fill
        assert not fill.quantity % LOT, fill
        assert not fill.price % TICK, fill
        filled = self.filled[order.order_id] = self.filled.get(order.order_id, ZERO) + fill.quantity
        assert filled <= order.quantity, f"{order.order_id} was filled for {filled} of {order.quantity}"
        assert fill.is_partial is (filled < order.quantity), fill
        limit = order.limit_price
        if limit is not None:
            beyond = fill.price > limit if order.side is BUY else fill.price < limit
            assert not beyond, f"{order.order_id} was filled at {fill.price}, beyond its limit {limit}"
            assert fill.liquidity is Liquidity.TAKER or fill.price == limit, fill
        if order.oco_id is not None:
            assert self.groups.setdefault(order.oco_id, order.order_id) == order.order_id, "two legs of a group traded"
        if order.parent_id is not None:
            assert filled <= self.filled.get(order.parent_id, ZERO), "an exit traded more than its entry"
        signed = fill.quantity if order.side is BUY else -fill.quantity
        self.cash -= signed * fill.price + fill.commission
        held = self.positions.get(order.symbol, ZERO) + signed
        self.positions[order.symbol] = held
        if not held:
            del self.positions[order.symbol]
        self.executions.append(fill)

    def check(self) -> None:
        """Compare what the simulator shows with the fold of everything heard."""
        simulator = self.simulator
        assert len(simulator.events) == self.heard
        assert simulator.cash == self.cash, "cash is not the fold of the executions"
        assert dict(simulator.positions) == self.positions
        pools = simulator.venue.ledger.reservations.totals
        assert all(amount > 0 for amount in pools.values()), pools
        sent, reached = self.sent, simulator.now - REQUEST_NS
        while sent and sent[0] <= reached:
            sent.popleft()
        assert len(simulator.gate.wire.requests) == len(sent), "the wire holds other requests than were sent"
        self.on_the_wire.append((simulator.now, len(simulator.gate.wire.reports)))

    def check_mark(self, mid: Decimal) -> None:
        """Compare the account's value with cash and position at the middle of the market."""
        assert self.simulator.get_account_value() == self.cash + self.positions.get(SYMBOL, ZERO) * mid

    def check_wire(self) -> None:
        """Compare, for every time looked at, the reports on the wire with those made by then and read later."""
        reports = [event for event in self.simulator.events if event.reported_at > event.timestamp]
        made = sorted(event.timestamp for event in reports)
        read = sorted(event.reported_at for event in reports)
        for now, held in self.on_the_wire:
            assert held == bisect_right(made, now) - bisect_right(read, now), f"at {now}"


class _Market:
    """What the market showed, and how much of it: the bounds of every fill."""

    def __init__(self) -> None:
        self.times: list[int] = []
        self.shown: list[tuple[Decimal, Decimal, Decimal]] = []
        self.quote: Quote | None = None

    def see(self, event: Quote | Trade) -> None:
        """Note a row."""
        if type(event) is Quote:
            self.quote = event
        quote = self.quote
        assert quote is not None
        assert quote.bid_size is not None
        assert quote.ask_size is not None
        low, high, size = quote.bid, quote.ask, max(quote.bid_size, quote.ask_size)
        if type(event) is Trade and event.size is not None:
            low, high, size = min(low, event.price), max(high, event.price), max(size, event.size * SHARE)
        self.times.append(event.ts)
        self.shown.append((low, high, size))

    def check(self, executions: Iterable[OrderExecution]) -> None:
        """Let no fill take more than was shown, nor take liquidity at a price the market did not have."""
        slip = 1 + SLIPPAGE_BPS / 10_000
        for fill in executions:
            low, high, size = self.shown[bisect_right(self.times, fill.timestamp) - 1]
            assert fill.quantity <= size, fill
            if fill.liquidity is Liquidity.TAKER:
                assert low / slip - TICK <= fill.price <= high * slip + TICK, (fill, low, high)


class _Strategy:
    """Gives an order of another kind every few rows, and cancels and modifies others; nothing is left to chance."""

    KINDS = tuple(kind for kind in OrderType if kind not in {OrderType.MARKET_TO_LIMIT, OrderType.NATIVE})
    PATIENT = (TimeInForce.GTC, TimeInForce.DAY, TimeInForce.GTD)
    ANY = (*PATIENT, TimeInForce.IOC, TimeInForce.FOK)

    def __init__(self, simulator: ExecutionSimulator) -> None:
        self.simulator = simulator
        self.count = 0

    def act(self, row: int, quote: Quote) -> None:
        """Do what is planned for this row."""
        simulator, now = self.simulator, self.simulator.now
        if row % 31 == 7:
            simulator.submit_order(self._order(quote), now)
        if row % 211 == 50:
            self._bracket(quote)
        if row % 307 == 60:
            for side, price in ((BUY, quote.bid - 20 * TICK), (SELL, quote.ask + 20 * TICK)):
                pair = self._plain(OrderType.LIMIT, side, limit_price=price, oco_id=f"pair-{row}", post_only=True)
                simulator.submit_order(pair, now)
        if row % 97 == 11:
            self._flatten()
        pending = list(simulator.pending_orders.values()) if row % 43 in {3, 23} else []
        if pending and row % 43 == 3:
            simulator.cancel_order(pending[row % len(pending)].order_id, now)
        if pending and row % 43 == 23:
            self._modify(pending[row % len(pending)])

    def _plain(self, kind: OrderType, side: OrderSide, **fields: Any) -> Order:
        self.count += 1
        return Order(
            order_id=f"S-{self.count}",
            symbol=SYMBOL,
            side=side,
            order_type=kind,
            quantity=fields.pop("quantity", LOT * (1 + self.count * 37 % 900)),
            created_at=self.simulator.now,
            **fields,
        )

    def _order(self, quote: Quote) -> Order:
        n = self.count
        kind, side = self.KINDS[n % len(self.KINDS)], (BUY, SELL)[(n // 9 + n // 4) % 2]
        distance = TICK * (n * 7 % 60)
        towards = -distance if side is BUY else distance
        near = quote.bid if side is BUY else quote.ask
        tifs: tuple[TimeInForce, ...] = self.ANY
        fields: dict[str, Any] = {}
        if kind is OrderType.LIMIT:
            fields["limit_price"] = near + towards
            fields["post_only"] = n % 5 == 0
        elif kind in {OrderType.STOP, OrderType.STOP_LIMIT}:
            fields["stop_price"] = near - towards
        elif kind in {OrderType.MARKET_IF_TOUCHED, OrderType.LIMIT_IF_TOUCHED}:
            fields["stop_price"] = near + towards
        elif kind is OrderType.TRAILING_STOP:
            tifs, fields["trail_amount"] = self.PATIENT, distance + TICK
        elif kind is OrderType.TRAILING_STOP_LIMIT:
            tifs, fields["trail_percent"], fields["limit_offset"] = self.PATIENT, Decimal("0.01"), 3 * TICK
        elif kind is OrderType.MARKET_ON_CLOSE:
            tifs = self.PATIENT
        if kind in {OrderType.STOP_LIMIT, OrderType.LIMIT_IF_TOUCHED}:
            fields["limit_price"] = fields["stop_price"] + (3 * TICK if side is BUY else -3 * TICK)
        tif = TimeInForce.GTC if fields.get("post_only") else tifs[n // 3 % len(tifs)]
        if tif is TimeInForce.GTD:
            fields["expire_at"] = self.simulator.now + (200 + n * 13 % 4_000) * MS
        return self._plain(kind, side, time_in_force=tif, **fields)

    def _bracket(self, quote: Quote) -> None:
        side, other, sign = (BUY, SELL, 1) if self.count % 2 else (SELL, BUY, -1)
        near = quote.ask if side is BUY else quote.bid
        quantity = LOT * (50 + self.count % 400)
        profit, loss = near + sign * 25 * TICK, near - sign * 40 * TICK
        self.simulator.submit_bracket(
            self._plain(OrderType.LIMIT, side, quantity=quantity, limit_price=near + sign * TICK),
            self._plain(OrderType.LIMIT, other, quantity=quantity, limit_price=profit),
            self._plain(OrderType.STOP, other, quantity=quantity, stop_price=loss, reduce_only=True),
            timestamp=self.simulator.now,
        )

    def _flatten(self) -> None:
        held = self.simulator.positions.get(SYMBOL, ZERO)
        if held:
            side = SELL if held > 0 else BUY
            order = self._plain(OrderType.MARKET, side, quantity=abs(held), reduce_only=True)
            self.simulator.submit_order(order, self.simulator.now)

    def _modify(self, order: Order) -> None:
        changes: dict[str, Decimal] = {}
        if order.parent_id is None:  # an exit keeps to its entry's quantity
            changes["quantity"] = max(order.quantity + LOT * (self.count % 41 - 20), LOT)
        if order.limit_price is not None and (self.count % 2 or not changes):
            changes["limit_price"] = order.limit_price + (TICK if order.side is BUY else -TICK)
        if changes:
            self.simulator.modify_order(order.order_id, self.simulator.now, **changes)


def _simulator() -> ExecutionSimulator:
    return ExecutionSimulator(
        initial_cash=CASH,
        latency_config=LATENCY_NORMAL,
        simulator_id="real-ticks",
        seed=20240808,
        instruments=[Instrument(symbol=SYMBOL, tick_size=TICK, lot_size=LOT, currency="USDT")],
        venue_config=VenueConfig(
            account_type=AccountType.MARGIN,
            leverage=LEVERAGE,
            slippage_bps=SLIPPAGE_BPS,
            fees=FeeSchedule(bps=Decimal("1.7")),
            participation=SHARE,
        ),
    )


def _sail(rows: list[Row]) -> tuple[ExecutionSimulator, _Watch, _Market]:
    """Run the whole tape, checking after every row that told the client anything, then cancel all and drain."""
    simulator = _simulator()
    watch, market = _Watch(simulator), _Market()
    strategy = _Strategy(simulator)
    simulator.add_listener(watch.hear)
    checked = 0
    for number, row in enumerate(rows):
        event = row.event()
        market.see(event)
        watch.returned += simulator.process(event)
        quote = market.quote
        assert quote is not None
        strategy.act(number, quote)
        if watch.heard != checked:
            checked = watch.heard
            watch.check()
            watch.check_mark((quote.bid + quote.ask) / 2)
    for _ in range(2):  # an exit that wakes while all are cancelled was asked to end before
        for order_id in list(simulator.pending_orders):
            simulator.cancel_order(order_id, simulator.now)
        watch.returned += simulator.advance(simulator.now + 10_000 * MS)
        watch.check()
    return simulator, watch, market


@pytest.fixture(scope="module")
def rows() -> list[Row]:
    """Return the tape, or skip where it is not at hand."""
    folder = os.environ.get("SEATRIAL_DATA")
    if not folder:
        pytest.skip("set SEATRIAL_DATA to the folder with the recorded ticks")
    return _tape(Path(folder))


@pytest.fixture(scope="module")
def voyage(rows: list[Row]) -> tuple[ExecutionSimulator, _Watch, _Market]:
    """Return the simulator after the whole tape, every step checked, with what was heard and seen."""
    return _sail(rows)


def test_the_tape_is_whole_and_has_no_bad_row(rows: list[Row]) -> None:
    """All rows are there, and none is crossed, locked, empty, off the grid or out of time."""
    kinds = Counter(row.is_quote for row in rows)

    assert kinds == {True: 66_089, False: 21_313}
    assert _faults(rows) == Counter()


@pytest.mark.parametrize(
    ("bad", "fault"),
    [
        (Row(5, True, 100.2, 100.1, 1.0, 1.0), "crossed"),
        (Row(5, True, 100.1, 100.1, 1.0, 1.0), "locked"),
        (Row(5, True, 0.0, 100.1, 1.0, 1.0), "no price"),
        (Row(5, True, 100.0, 100.1, 1.0, 0.0), "no size"),
        (Row(5, False, 100.05, 100.05, 1.0, 1.0), "off the tick"),
        (Row(5, False, 100.1, 100.1, 0.0005, 0.0005), "off the lot"),
        (Row(5, True, float("nan"), 100.1, 1.0, 1.0), "no number"),
        (Row(3, True, 100.0, 100.1, 1.0, 1.0), "back in time"),
    ],
)
def test_a_bad_row_is_found_and_counted(bad: Row, fault: str) -> None:
    """Each kind of bad row is counted under its name, once."""
    good = Row(4, True, 100.0, 100.1, 1.0, 1.0)

    assert _faults([good, bad]) == {fault: 1}


def test_everything_holds_on_the_way(voyage: tuple[ExecutionSimulator, _Watch, _Market]) -> None:
    """The run reached its end with all invariants checked after every batch, having met every kind of thing."""
    simulator, watch, _ = voyage
    orders = simulator.completed_orders.values()
    types = {order.order_type for order in orders if order.executions}
    reasons = {order.rejection_reason for order in orders} - {None}

    assert len(simulator.completed_orders) > 3_000
    assert len(watch.on_the_wire) > 5_000
    assert types >= set(_Strategy.KINDS) - {OrderType.MARKET_ON_CLOSE}  # the tape ends before the UTC day does
    assert {order.status for order in orders} == {
        OrderStatus.FILLED,
        OrderStatus.CANCELLED,
        OrderStatus.REJECTED,
        OrderStatus.EXPIRED,
    }
    assert reasons == {
        RejectionReason.INSUFFICIENT_FUNDS,
        RejectionReason.GROUP_REFUSED,
        RejectionReason.GROUP_ENDED,
        RejectionReason.NOT_FILLED,
        RejectionReason.POST_ONLY_WOULD_TAKE,
        RejectionReason.WOULD_NOT_REDUCE,
    }


def test_each_match_sends_one_report(voyage: tuple[ExecutionSimulator, _Watch, _Market]) -> None:
    """The wire never held more reports than were made and not yet read, and each execution came back once."""
    _, watch, _ = voyage

    watch.check_wire()
    assert watch.returned == watch.executions
    assert len({fill.execution_id for fill in watch.executions}) == len(watch.executions) > 1_000


def test_no_fill_is_better_than_the_market(voyage: tuple[ExecutionSimulator, _Watch, _Market]) -> None:
    """No fill took more than the market showed, nor took liquidity at a price it did not have at the time."""
    _, watch, market = voyage

    market.check(watch.executions)


def test_nothing_is_left_at_the_end(voyage: tuple[ExecutionSimulator, _Watch, _Market]) -> None:
    """After cancel-all and the last report no order is pending, nothing is set aside, and both ledgers agree."""
    simulator, watch, _ = voyage
    venue = simulator.venue.ledger

    assert not simulator.pending_orders
    assert simulator.gate.next_due() is None
    assert venue.reservations.totals == {}
    assert (venue.account.cash, dict(venue.account.positions)) == (watch.cash, watch.positions)


def test_the_log_is_the_committed_one(voyage: tuple[ExecutionSimulator, _Watch, _Market]) -> None:
    """The event log has the committed length and hash."""
    simulator, _, _ = voyage

    events = list(simulator.events)

    assert (len(events), sha256(encode_events(events)).hexdigest()) == (EVENTS, SHA256)


def _early(fill: OrderExecution) -> OrderExecution:
    return replace(fill, timestamp=fill.reported_at + 1)


def _beyond(fill: OrderExecution) -> OrderExecution:
    return replace(fill, price=fill.price + 5)


def _more(fill: OrderExecution) -> OrderExecution:
    return replace(fill, quantity=fill.quantity * 2)


def _cheaper(fill: OrderExecution) -> OrderExecution:
    return replace(fill, price=fill.price - 5)


@pytest.mark.parametrize(
    ("twin", "caught"),
    [
        (_early, "reported before it happened"),
        (_beyond, "beyond its limit"),
        (_more, "was filled for"),
        (_cheaper, "cash"),
    ],
)
def test_a_broken_twin_is_caught(twin: Callable[[OrderExecution], OrderExecution], caught: str) -> None:
    """The checks fail on a fill reported too early, beyond its limit, too large, or booked at another price."""
    simulator = _simulator()
    watch = _Watch(simulator)
    simulator.add_listener(
        lambda event, order: watch.hear(twin(event) if type(event) is OrderExecution else event, order)
    )
    simulator.process_quote(Quote(MS, SYMBOL, Decimal(100), Decimal("100.1"), Decimal(1), Decimal(1)))
    order = Order(
        order_id="S-1",
        symbol=SYMBOL,
        side=BUY,
        order_type=OrderType.LIMIT,
        quantity=LOT,
        created_at=MS,
        limit_price=Decimal(101),
    )
    simulator.submit_order(order, MS)

    with pytest.raises(AssertionError, match=caught):
        _finish(simulator, watch)


def _finish(simulator: ExecutionSimulator, watch: _Watch) -> None:
    simulator.advance(1_000 * MS)
    watch.check()


if __name__ == "__main__":
    voyage_, watch_, _ = _sail(_tape(Path(os.environ["SEATRIAL_DATA"])))
    log = encode_events(list(voyage_.events))
    sys.stdout.write(f'EVENTS = {len(voyage_.events):_}\nSHA256 = "{sha256(log).hexdigest()}"\n')

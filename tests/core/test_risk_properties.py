"""What rules see, worked out anew after each step from orders, events and prices alone; and what never happens."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from datetime import datetime, time, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test
from msgspec.structs import replace

import seatrial
from seatrial import Order, OrderSide, OrderType, RiskConfig, RiskViolation, TimeInForce, TradingState, VenueConfig
from seatrial.contracts.account import RiskView
from seatrial.contracts.events import AccountAdjusted, Event, ModifyRefused, ModifyRequested, OrderChange, OrderReplaced
from seatrial.contracts.rejection import RefusedBy, RejectionReason
from seatrial.gate.admission import Admission
from seatrial.gate.enforcement import Enforcement
from seatrial.gate.exposure import Exposure
from seatrial.gate.risk import Risk
from seatrial_rules.limits import PositionLimit

D = Decimal
MS, HOUR = 1_000_000, 3_600_000_000_000
CASH, MOST, NO = D(1_000_000), D(20), RiskViolation("no")
MULTIPLIERS = {"A": D(1), "B": D(5)}
INSTRUMENTS = [seatrial.Instrument(symbol=symbol, multiplier=many) for symbol, many in MULTIPLIERS.items()]
BUY, SELL = OrderSide.BUY, OrderSide.SELL
ACTIVE, REDUCE_ONLY, HALTED = TradingState.ACTIVE, TradingState.REDUCE_ONLY, TradingState.HALTED
EVEN, UNEVEN = seatrial.Uniform(0, 90 * MS), seatrial.Lognormal(80 * MS, 1.0)
JITTER = seatrial.LatencyConfig(submit=EVEN, ack=UNEVEN, fill=UNEVEN, cancel=EVEN, modify=EVEN)
PROFILES = st.sampled_from([seatrial.LATENCY_INSTANT, seatrial.LATENCY_FAST, seatrial.LATENCY_SLOW, JITTER])
MARGIN = VenueConfig(account_type=seatrial.AccountType.MARGIN, leverage=D(10))
CHARGED = VenueConfig(fees=seatrial.FeeSchedule(per_share=D("0.01"), minimum=D(1)))
VENUES = st.sampled_from([MARGIN, replace(MARGIN, slippage_bps=D(7), participation=D("0.3")), CHARGED])
SHARES = RiskConfig(position_limit=seatrial.PositionLimitRule(max_shares=MOST))
VALUE = seatrial.ExposureLimitRule(max_gross_exposure_pct=D("0.6"))
RISKS = st.sampled_from([RiskConfig(), SHARES, replace(SHARES, exposure_limit=VALUE)])
NEW_YORK, BEIRUT = "America/New_York", "Asia/Beirut"
DAYS = st.sampled_from(  # when a day begins (hour and zone), and an hour shortly before daylight saving moves that
    [(NEW_YORK, 17, "2024-03-09T20:00Z"), (NEW_YORK, 0, "2024-11-02T03:00Z"), (BEIRUT, 0, "2024-03-30T20:00Z")]
)
Kind = OrderType
BEYOND = {BUY: {Kind.STOP, Kind.TRAILING_STOP}, SELL: {Kind.LIMIT, Kind.LIMIT_IF_TOUCHED, Kind.MARKET_IF_TOUCHED}}
SHAPES: list[tuple[Kind, tuple[str, ...]]] = [
    *((kind, ()) for kind in (Kind.MARKET, Kind.MARKET_ON_CLOSE, Kind.MARKET_TO_LIMIT)),
    *((kind, ("limit_price",)) for kind in (Kind.LIMIT, Kind.NATIVE)),
    *((kind, ("stop_price",)) for kind in (Kind.STOP, Kind.MARKET_IF_TOUCHED)),
    *((kind, ("stop_price", "limit_price")) for kind in (Kind.STOP_LIMIT, Kind.LIMIT_IF_TOUCHED)),
    *((Kind.TRAILING_STOP, ("trail_amount", *more)) for more in ((), ("stop_price",))),
    *(
        (Kind.TRAILING_STOP_LIMIT, ("trail_amount", *more))
        for more in (("limit_offset",), ("stop_price", "limit_price"))
    ),
]
SOUND = settings(deadline=None, derandomize=True, max_examples=250, stateful_step_count=50, report_multiple_bugs=False)
SOUND = settings(SOUND, phases=[Phase.generate, Phase.shrink])  # explaining a failure takes minutes more
TICKS = st.integers(-8, 8).map(lambda n: 100 + n * D("0.5"))
SIZES = st.none() | st.sampled_from([D(0), D(2), D(6), D(40)])
AMOUNTS = st.sampled_from([D(2), D(3), D(4), D(10), D(10), D(25)])
LINKS = st.sampled_from(["", "close", "close", "close", "oco", "child", "bracket", "bracket"])
KINDS = st.sampled_from(["quotes", "quotes", "trades", "prices", "bars"])
STATES = st.sampled_from([ACTIVE, ACTIVE, ACTIVE, REDUCE_ONLY, REDUCE_ONLY, HALTED])
MOODS = st.sampled_from(["calm", "calm", "calm", "calm", "object", "fail"])
NIGHTS = st.sampled_from([HOUR, 5 * HOUR, 26 * HOUR])
PICKS = st.integers(0, 4)
WAITS = st.sampled_from([0, 0, MS, 30 * MS, 120 * MS, 500 * MS, 2_000 * MS])
CHANGES = st.fixed_dictionaries({"wait": WAITS, "number": PICKS, "what": PICKS, "quantity": AMOUNTS, "price": TICKS})


@st.composite
def orders(draw: st.DrawFn) -> dict[str, Any]:
    """Draw everything about an order but its id: when it is sent, its terms, and what it is linked to."""
    kind, fields = draw(st.sampled_from([SHAPES[0], SHAPES[3]]) | st.sampled_from(SHAPES))
    terms = {
        **{field: draw(TICKS) if "price" in field else D(1) for field in fields},
        "order_type": kind,
        "native_type": "iceberg" if kind is Kind.NATIVE else None,
        "time_in_force": draw(st.sampled_from([TimeInForce.GTC, TimeInForce.DAY])),
        "symbol": draw(st.sampled_from(list(MULTIPLIERS))),
        "side": draw(st.sampled_from(OrderSide)),
        "quantity": draw(AMOUNTS),
        "reduce_only": draw(st.integers(0, 9)) == 9,
    }
    return {"wait": draw(WAITS), "terms": terms, "link": draw(LINKS), "number": draw(PICKS)}


class Books:
    """The account as prices and events tell it: what it holds and may come to hold, its peak and its day."""

    def __init__(self, zone: str, hour: int, now: int, tells_fill: Callable[[int], bool]) -> None:
        self.zone, self.hour, self.tells_fill = ZoneInfo(zone), hour, tells_fill
        self.shown, self.shown_at = (
            CASH,
            now,
        )  # no peak, if a fill of that moment comes of it
        self.cash = self.start = self.peak = CASH
        self.held = dict.fromkeys(MULTIPLIERS, D(0))
        self.marks, self.at_mark = dict[str, Decimal](), set[str]()
        self.asked = defaultdict[str, list[OrderChange]](list)  # the changes that left, by order
        self.day, self.judging = self.day_of(now), True  # rules judge nothing within a bar

    def note(self, order: Order) -> None:
        """An order leaves, or is changed: one that may trade above its own price is valued at the mark, too."""
        price = self.own(order, OrderChange())
        is_above = price is not None and self.marks.get(order.symbol, D(999)) > price
        follows = order.side is SELL and order.order_type in {Kind.TRAILING_STOP, Kind.TRAILING_STOP_LIMIT}
        if follows or (is_above and order.order_type in BEYOND[order.side]):
            self.at_mark.add(order.order_id)

    @staticmethod
    def own(order: Order, new: OrderChange) -> Any:
        """The highest price of its own that an order may trade at, changed or not; `None` where it has none."""
        limit, stop = new.limit_price or order.limit_price, new.stop_price or order.stop_price
        if order.side is SELL and limit and stop:
            return max(limit, stop)
        return limit or stop

    def day_of(self, now: int) -> object:
        wall = datetime.fromtimestamp(now // 1_000_000_000, self.zone)
        return wall.date() - timedelta(days=wall.hour < self.hour)

    @property
    def equity(self) -> Decimal:
        return self.cash + sum([self.held[name] * mark * MULTIPLIERS[name] for name, mark in self.marks.items()])

    def reach(self, now: int) -> None:
        self.peak = max(self.peak, self.shown)
        if self.day_of(now) != self.day:
            self.day, self.start, self.peak = self.day_of(now), self.equity, max(self.peak, self.equity)

    def show(self, now: int, marks: dict[str, Decimal]) -> None:
        self.reach(now)
        self.marks |= marks
        self.shown, self.shown_at = self.equity, now

    def hear(self, event: Event, order: Order | None) -> None:
        is_told = not self.tells_fill(event.reported_at)
        if event.reported_at == self.shown_at and (isinstance(event, seatrial.OrderExecution) or not is_told):
            self.shown = self.peak
        self.reach(event.reported_at)
        if isinstance(event, seatrial.OrderExecution) and order is not None:
            signed = event.quantity if order.side is BUY else -event.quantity
            self.cash -= signed * event.price * MULTIPLIERS[order.symbol] + event.commission
            self.held[order.symbol] += signed
            self.marks.setdefault(order.symbol, event.price)
        elif isinstance(event, AccountAdjusted):
            before = self.equity
            self.cash, self.held["A"] = self.cash + event.cash, self.held["A"] + event.quantity
            self.start, self.peak = self.start + self.equity - before, self.peak + self.equity - before
            self.shown = self.peak
        if (self.judging or isinstance(event, AccountAdjusted)) and is_told:
            self.show(event.reported_at, {})

    def worst(self, symbol: str, side: OrderSide, pending: dict[str, Order], ended: Any) -> tuple[Decimal, Any]:
        """Return what `pending` orders may still trade: units, and their value, `None` where a price is missing."""
        groups: dict[str, list[tuple[Decimal, Decimal | None]]] = {}
        for order in [one for one in pending.values() if one.symbol == symbol and one.side is side]:
            asked = self.asked[order.order_id]
            changes = [OrderChange(), *asked[len(asked) - order.pending_modifies :]]
            left = order.quantity
            entry = pending.get(order.parent_id or "") or ended.get(order.parent_id)
            if entry is not None:
                is_exit = entry.symbol == symbol and entry.side is not side
                was_cut = any(isinstance(event, OrderReplaced) for event in order.events)
                if is_exit if entry.order_id in pending else not was_cut:  # it sells no more than its entry bought
                    left = min(left, entry.filled_quantity)
            left = max([left, *[change.quantity or D(0) for change in changes]])
            left = max(left - order.filled_quantity, D(0))
            own = [None if order.order_type is Kind.NATIVE else self.own(order, new) for new in changes]
            prices = [price or self.marks.get(symbol) for price in own]
            prices += [self.marks.get(symbol)] * (order.order_id in self.at_mark)
            value = left * max([price or D(0) for price in prices]) * MULTIPLIERS[symbol]
            legs = groups.setdefault(order.oco_id or f"only {order.order_id}", [])
            legs.append((left, None if left and None in prices else value))
        unknown = any(value is None for legs in groups.values() for _, value in legs)
        units = sum([max([left for left, _ in legs]) for legs in groups.values()], D(0))
        value = sum([max([value or D(0) for _, value in legs]) for legs in groups.values()], D(0))
        return units, None if unknown else value


class RiskMachine(RuleBasedStateMachine):
    """Anything a client, an operator and a market can do. The machine is a rule too, and looks at what rules see."""

    exempts_reducing, mood = True, "calm"
    view: RiskView

    @initialize(profile=PROFILES, venue=VENUES, risk=RISKS, day=DAYS)
    def open(self, profile: Any, venue: Any, risk: RiskConfig, day: Any) -> None:
        zone, hour, start = day
        self.limited = risk.position_limit is not None
        self.faults, self.orders, self.quoted = list[str](), list[str](), set[str]()
        self.asked = dict[str, Order]()  # what rules are being asked about
        self.late = set[str]()  # what left while trading was restricted to what reduces
        risk = replace(risk, rules=(self,), day_zone=zone, day_boundary=time(hour))
        self.simulator = seatrial.ExecutionSimulator(
            initial_cash=CASH, latency_config=profile, venue_config=venue, risk_config=risk, instruments=INSTRUMENTS
        )
        at_venue: Any = self.simulator.venue
        self.executed, at_venue.executed = at_venue.executed, self.on_executed
        self.simulator.advance(datetime.fromisoformat(start))
        self.books = Books(zone, hour, self.now, self.simulator.gate.wire.tells_fill)
        self.simulator.add_listener(self.books.hear)

    @property
    def now(self) -> int:
        return self.simulator.now

    def watch(self, account: RiskView, now: int) -> None:
        self.view = account

    def check(self, order: Order, account: RiskView, now: int) -> RiskViolation | None:
        if self.mood == "fail":
            raise RuntimeError("no mood for orders")
        if self.mood == "calm" and order.order_id not in self.simulator.pending_orders:  # else a modify, yet to leave
            self.asked[order.order_id] = order
            self.look(account)
        return NO if self.mood == "object" else None

    def on_executed(self, working: Any, quantity: Decimal, *args: Any, **more: Any) -> None:
        after = self.simulator.venue.ledger.account.position(working.symbol)
        before = after - quantity if working.is_buy else after + quantity
        if working.order_id in self.late and (abs(after) >= abs(before) or after * before < 0):
            self.faults.append(f"an order that left to reduce grew or flipped {before} to {after}")
        self.executed(working, quantity, *args, **more)

    def reduces(self, order: Order) -> bool:
        """Return whether an order closes and cannot flip, even after all others of its side."""
        pending = {**self.simulator.pending_orders, order.order_id: order}
        position = self.simulator.positions.get(order.symbol, D(0))
        room = -position if order.side is BUY else position
        worst = self.books.worst(order.symbol, order.side, pending, self.simulator.completed_orders)[0]
        return 0 < room >= worst and order.order_type is not Kind.NATIVE and order.parent_id not in pending

    def order(self, fields: dict[str, Any], **links: Any) -> Order:
        self.asked.clear()
        self.orders.append(f"O-{len(self.orders)}")
        order = Order(order_id=self.orders[-1], created_at=self.now, **{**fields, **links})
        self.books.note(order)
        return order

    def elapse(self, wait: int) -> None:
        self.simulator.advance(self.now + wait)
        if wait >= 120 * MS:
            self.market(0, "quotes", (98 + D(len(self.simulator.events) % 7) / 2,) * 2, None)

    @rule(requests=st.lists(orders() | CHANGES, min_size=1, max_size=5))
    def trade(self, requests: list[dict[str, Any]]) -> None:
        for request in requests:
            (self.submit if "link" in request else self.change)(**request)

    def submit(self, wait: int, terms: dict[str, Any], link: str, number: int) -> None:
        self.elapse(wait)
        state, held = self.simulator.trading_state, self.simulator.positions.get(terms["symbol"], D(0))
        links = {"oco_id": f"G-{len(self.orders) // 4}"} if link == "oco" else {}
        if link == "child" and self.orders:
            parent = self.orders[-1 - number % len(self.orders)]
            links = {"parent_id": parent, "oco_id": f"{parent}.exits"}
        if link == "close" and held:
            terms = {**terms, "side": SELL if held > 0 else BUY, "quantity": min(terms["quantity"], abs(held))}
        order = self.order(terms, **links)
        exempt = state is not HALTED and link != "bracket" and self.reduces(order)
        if link == "bracket":
            side, step = (SELL, 6) if order.side is BUY else (BUY, -6)
            common = {"symbol": order.symbol, "side": side, "quantity": D(2 + 8 * number)}
            stop = self.order({**common, "order_type": Kind.STOP, "stop_price": 100 - step})
            goal = self.order({**common, "order_type": Kind.LIMIT, "limit_price": 100 + step})
            sent = self.simulator.submit_bracket(order, stop, goal, timestamp=self.now)[0]
        else:
            sent = self.simulator.submit_order(order, self.now)
        denied = sent.rejection is not None and sent.rejection.refused_by is RefusedBy.GATE
        assert denied or state is not HALTED, "an order left while trading was halted"
        assert not (denied and exempt), f"refused a reducing order: {sent.rejection_message}"
        if state is REDUCE_ONLY and not denied and self.limited:
            self.late.add(order.order_id)

    def change(self, wait: int, number: int, what: int, quantity: Decimal, price: Decimal) -> None:
        self.elapse(wait)
        pending, state = list(self.simulator.pending_orders.values()), self.simulator.trading_state
        if not pending:
            return
        order, name = pending[-1 - number % len(pending)], pending[-1 - number % len(pending)].order_id
        if what == 4:
            self.simulator.cancel_order(name, self.now)
            return
        fields = [field for field in ("limit_price", "stop_price") if what and getattr(order, field) is not None]
        changes = dict.fromkeys(fields or ["stop_price"] * (what and order.order_type is Kind.TRAILING_STOP), price)
        if what % 2 == 0 or not changes:
            changes["quantity"] = quantity
        shrinks = changes == {"quantity": quantity} and quantity <= order.quantity
        self.books.asked[name].append(OrderChange(**changes))
        asked = order.apply(ModifyRequested(name, self.now, self.now, self.books.asked[name][-1]))
        exempt = (shrinks and order.parent_id is None) or self.reduces(asked)
        self.simulator.modify_order(name, self.now, **changes)
        last = self.simulator.events[-1]
        refusal = last.rejection if isinstance(last, ModifyRefused) else None
        if refusal is not None and refusal.refused_by is RefusedBy.GATE:
            self.books.asked[name].pop()
            late = state is HALTED or refusal.reason is RejectionReason.TOO_LATE_TO_MODIFY
            assert late or not exempt, f"refused a reducing modify: {refusal.message}"
        else:
            assert state is not HALTED, "a modify left while trading was halted"
            self.books.note(order.amended(OrderChange(**changes)))
            if state is REDUCE_ONLY and not shrinks and self.limited:
                self.late.add(name)

    @rule(state=STATES, mood=MOODS, sweep=st.booleans(), wait=WAITS | st.just(HOUR))
    def switch(self, state: TradingState, mood: str, sweep: bool, wait: int) -> None:
        simulator, pending, self.mood = self.simulator, self.simulator.pending_orders, mood
        self.late = self.late if state is REDUCE_ONLY else set()
        if state is ACTIVE:
            simulator.enable_trading("ops", "drill over")
            return
        switch = simulator.disable_trading if state is HALTED else simulator.restrict_trading
        switch("ops", "drill", cancel_working=sweep)
        assert not sweep or all(order.pending_cancels for order in pending.values()), "no cancel followed an order"
        self.elapse(wait)
        assert not sweep or wait < HOUR or not pending, "an order outlived its cancel"

    @rule(wait=WAITS | NIGHTS, kind=KINDS, path=st.tuples(TICKS, TICKS), size=SIZES, units=st.integers(-5, 5))
    def market(self, wait: int, kind: str, path: tuple[Decimal, ...], size: Decimal | None, units: int = 0) -> None:
        simulator, prices = self.simulator, dict(zip(MULTIPLIERS, path, strict=True))
        simulator.advance(self.now + wait + (-self.now % HOUR if wait >= HOUR else 0))
        if units:
            gift = D(units * (not self.limited and "A" in self.books.marks))  # no limit is promised against gifts
            simulator.gate.adjusted(self.now, D(units % 3) * 1_000, "drill", symbol="A", quantity=gift)
            simulator.advance(self.now)
        if kind == "bars":
            ohlc = (path[0], max(path), min(path), path[1])
            end = self.now + 60_000 * MS
            self.books.judging = False
            simulator.process_bars([seatrial.Bar(end, name, *ohlc, size) for name in MULTIPLIERS])
            self.books.judging = True
            self.books.show(self.now, dict.fromkeys(MULTIPLIERS, path[1]))
        elif kind == "prices":
            self.books.show(self.now, prices)
            simulator.process_market_data(self.now, prices)
        for symbol, price in prices.items():
            if kind == "quotes":
                self.quoted.add(symbol)
                self.books.show(self.now, {symbol: price + D("0.25")})
                simulator.process_quote(seatrial.Quote(self.now, symbol, price, price + D("0.5"), size, size))
            elif kind == "trades":
                self.books.show(self.now, {} if symbol in self.quoted else {symbol: price})
                simulator.process_trade(seatrial.Trade(self.now, symbol, price, size))

    @rule(spared=st.sampled_from([BUY, SELL, None]))
    def everything_fills(self, spared: OrderSide | None) -> None:
        for order in [one for one in self.simulator.pending_orders.values() if one.side is spared]:
            self.simulator.cancel_order(order.order_id, self.now)
        for price in (1, 1_000, 1, 1_000):
            self.market(2_000 * MS, "quotes", (D(price), D(price)), None)
        self.simulator.advance(self.now + 24 * HOUR)

    def look(self, view: RiskView) -> None:
        pending, ended = {**self.simulator.pending_orders, **self.asked}, self.simulator.completed_orders
        gross = long = short = D(0)
        seen, right = list[Any]((view.gross_exposure(), view.net_exposure())), list[Any]()
        for symbol, multiplier in MULTIPLIERS.items():
            mark, position = self.books.marks.get(symbol), self.books.held[symbol]
            (buys, bought), (sells, sold) = [self.books.worst(symbol, side, pending, ended) for side in (BUY, SELL)]
            most = None
            if bought is not None and sold is not None and (mark is not None or not position):
                held = position * (mark or 0) * multiplier
                most = max(abs(held + bought), abs(held - sold))
                gross, long, short = gross + most, long + held + bought, short + held - sold
            right += [buys, sells, max(abs(position + buys), abs(position - sells)), most]
            seen += [view.working(symbol, BUY), view.working(symbol, SELL)]
            seen += [view.worst_position(symbol), view.worst_value(symbol)]
        right = [*([None, None] if None in right else [gross, max(abs(long), abs(short))]), *right]
        if seen != right:
            self.faults.append(f"worst case: rules see {seen}, right is {right}")

    @invariant()
    def all_promises_hold(self) -> None:
        simulator, books, view = self.simulator, self.books, self.view
        self.asked.clear()
        self.look(view)
        assert not self.faults, self.faults[0]
        for account in (simulator.account, simulator.venue.ledger.account):
            assert not self.limited or all(abs(held) <= MOST for held in account.positions.values()), "beyond the limit"
        books.reach(self.now)
        held = {symbol: units for symbol, units in books.held.items() if units}
        marks = {symbol: mark.price for symbol in MULTIPLIERS if (mark := view.mark(symbol)) is not None}
        seen = (view.positions, marks, view.cash, view.equity, view.day_start_equity, view.peak_equity)
        assert seen == (held, books.marks, books.cash, books.equity, books.start, books.peak), "the day's money"


def lax(state: TradingState, judge: Any = Admission._judge) -> Any:
    """Return a judge that lets everything out in one state."""
    return lambda my, one, now, **more: None if my.controls.state is state else judge(my, one, now, **more)


TestRisk = RiskMachine.TestCase
TestRisk.settings = SOUND
TWINS: list[tuple[type, str, Any, str]] = [
    (Exposure, "add", lambda my, one: my.touch(one.symbol), "worst case"),
    (PositionLimit, "check", lambda my, one, *_: NO if one.quantity > MOST else None, "beyond the limit"),
    (Exposure, "reduces", lambda *_: False, "refused a reducing"),
    (Admission, "_judge", lax(REDUCE_ONLY), "grew or flipped|beyond the limit"),
    (Admission, "_judge", lax(HALTED), "left while trading was halted"),
    (Enforcement, "_sweep", lambda *_: None, "no cancel followed"),
    (Risk, "shift", lambda *_: None, "the day's money"),
]


@pytest.mark.no_cover
@pytest.mark.parametrize("twin", TWINS)
def test_machine_catches_a_broken_promise(monkeypatch: pytest.MonkeyPatch, twin: tuple[type, str, Any, str]) -> None:
    """A gate that breaks a promise is told from a sound one, by the property that holds it to that."""
    monkeypatch.setattr(*twin[:3])

    with pytest.raises(AssertionError, match=twin[3]):
        run_state_machine_as_test(RiskMachine, settings=settings(SOUND, phases=[Phase.generate], max_examples=2_000))

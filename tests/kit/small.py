"""A small sound engine, written from the contract alone: one price at a time, a cash account, every leg of latency.

It shares contracts, tape and draws with the native engine, and nothing that decides what becomes of an order.
`Small` only starts voyages; what a flawed engine does wrong, it does in a `Voyage` of its own.
"""

from __future__ import annotations

from collections import deque
from decimal import Decimal
from itertools import pairwise
from typing import TYPE_CHECKING, Any, ClassVar

from msgspec.structs import replace

from seatrial import Liquidity, OrderExecution, OrderSide, OrderType, Quote, Rejection, RejectionReason, RunRecord
from seatrial import TimeInForce as Tif
from seatrial.contracts.checkpoint import AccountSummary
from seatrial.contracts.engine import Capability as Cap
from seatrial.contracts.engine import EngineInfo, EquityPoint
from seatrial.contracts.events import (
    CancelRefused,
    CancelRequested,
    Event,
    ModifyRefused,
    ModifyRequested,
    OrderAccepted,
    OrderCancelled,
    OrderChange,
    OrderDenied,
    OrderEvent,
    OrderRejected,
    OrderReplaced,
    OrderSubmitted,
)
from seatrial.contracts.latency import Leg
from seatrial.contracts.rejection import RefusedBy
from seatrial.contracts.scenario import CancelAt, ModifyAt, SubmitAt
from seatrial.contracts.terms import TradingState
from seatrial.contracts.venue import FeeSchedule
from seatrial.data.tape import open_tape
from seatrial.engine.needs import refuse_unclaimed
from seatrial.errors import InvalidConfigError
from seatrial.gate.draws import Draws
from seatrial.gate.instruments import Instruments
from seatrial.gate.validator import validate

if TYPE_CHECKING:
    from collections.abc import Callable

    from seatrial import Bar, Order, Scenario, Trade
    from seatrial.contracts.engine import RunMonitor
    from seatrial.contracts.scenario import Instruction

__all__ = ["SMALL", "Small", "Voyage"]

SMALL = frozenset(
    {
        Cap.QUOTES,
        Cap.TRADES,
        Cap.CASH_ACCOUNT,
        Cap.FEES,
        Cap.MARKET,
        Cap.LIMIT,
        Cap.STOP,
        Cap.GTC,
        Cap.IOC,
        Cap.MODIFY,
        Cap.SCRIPTS,
    }
    | {Cap.DELAY_SUBMIT, Cap.DELAY_ACK, Cap.DELAY_FILL, Cap.DELAY_CANCEL, Cap.DELAY_MODIFY}
)
END = 1 << 62


class Voyage:
    """One run: the client, the wire and the venue in one place."""

    def __init__(self, scenario: Scenario) -> None:
        execution = scenario.execution
        if scenario.engine_params or execution.observers:
            raise InvalidConfigError(
                "engine_params", scenario.engine_params, "the small engine has none, nor observers"
            )
        for before, after in pairwise(scenario.script):
            if after.at < before.at:
                raise InvalidConfigError("script", after.at, "sort it by time")
        self.scenario = scenario
        self.instruments = Instruments(scenario.instruments)
        self.tape = open_tape(scenario.tape, scenario.instruments)
        self.script: deque[Instruction] = deque(scenario.script)
        self.draws = Draws(execution.latency, execution.seed, execution.simulator_id)
        self.now = 0
        self.requests: deque[tuple[int, Callable[[int], None]]] = deque()
        self.reports: deque[tuple[int, OrderEvent]] = deque()
        self.keys: dict[str, str] = {}
        self.counts: dict[Any, int] = {}
        # the client
        self.events: list[Event] = []
        self.orders: dict[str, Order] = {}
        self.cash = execution.initial_cash
        self.held: dict[str, Decimal] = {}
        self.prices: dict[str, Decimal] = {}
        self.equity: list[EquityPoint] = []
        # the venue
        self.resting: dict[str, Order] = {}
        self.purse = execution.initial_cash
        self.stock: dict[str, Decimal] = {}

    # -- time ----------------------------------------------------------------------------------------------------------

    def sail(self, monitor: RunMonitor | None) -> None:
        stop = self.scenario.stop if self.scenario.stop is not None else END
        for count, row in enumerate(self.tape, 1):
            if row.ts > stop:
                break
            self.until(row.ts)
            self.show(row)
            self.deliver(row.ts)
            self.equity.append(EquityPoint(row.ts, self.worth()))
            if monitor is not None and not monitor.row(row, count):
                return
        self.until(stop)

    def until(self, ts: int) -> None:
        """Carry out the script, and deliver everything, that is due by `ts`."""
        while self.script and self.script[0].at <= ts:
            step = self.script.popleft()
            self.deliver(step.at)
            self.now = max(self.now, step.at)
            self.carry_out(step)
            self.deliver(self.now)
        self.deliver(ts)
        if ts < END:
            self.now = max(self.now, ts)

    def deliver(self, ts: int) -> None:
        """Let what is under way arrive, in time order; reports come before requests."""
        while self.requests or self.reports:
            told = self.reports[0][0] if self.reports else END
            there = self.requests[0][0] if self.requests else END
            if min(told, there) > ts:
                break
            self.now = max(self.now, min(told, there))
            if told <= there:
                self.hear(self.reports.popleft()[1])
            else:
                due, arrive = self.requests.popleft()
                arrive(due)

    def delay(self, leg: Leg, order_id: str) -> int:
        n = self.counts[leg, order_id] = self.counts.get((leg, order_id), 0) + 1
        return self.draws.delay(leg, self.keys[order_id], n)

    def send(self, leg: Leg, order_id: str, arrive: Callable[[int], None]) -> None:
        due = self.now + self.delay(leg, order_id)
        self.requests.append((max(due, self.requests[-1][0] if self.requests else 0), arrive))

    def report(self, event: OrderEvent) -> None:
        leg = Leg.FILL if isinstance(event, OrderExecution) else Leg.ACK
        due = event.timestamp + self.delay(leg, event.order_id)
        due = max(due, self.reports[-1][0] if self.reports else 0)
        self.reports.append((due, replace(event, reported_at=due)))

    # -- the client ----------------------------------------------------------------------------------------------------

    def carry_out(self, step: Instruction) -> None:
        if isinstance(step, SubmitAt):
            self.submit(step.orders[0])
        elif isinstance(step, CancelAt):
            self.ask_cancel(self.known(step.order_id))
        elif isinstance(step, ModifyAt):
            self.ask_modify(self.known(step.order_id), step.change)

    def known(self, order_id: str) -> Order:
        if order_id not in self.orders:
            raise InvalidConfigError("script", order_id, "no such order was sent")
        return self.orders[order_id]

    def submit(self, order: Order) -> None:
        now, order_id = self.now, order.order_id
        denied = self.refuse(order)
        if denied is not None:
            event = OrderDenied(order_id, now, now, denied)
            self.events.append(event)
            self.orders.setdefault(order_id, order.apply(event) if order_id not in self.orders else order)
            return
        n = self.counts[order.strategy_id] = self.counts.get(order.strategy_id, 0) + 1
        self.keys[order_id] = f"{order.strategy_id}-{n}"
        self.orders[order_id] = order
        self.hear(OrderSubmitted(order_id, now, now))
        self.send(Leg.SUBMIT, order_id, lambda due: self.place(order, due))

    def refuse(self, order: Order) -> Rejection | None:
        if order.order_id in self.orders:
            return no(RejectionReason.DUPLICATE_ORDER, by=RefusedBy.GATE)
        return validate(order, self.instruments.find(order.symbol))

    def ask_cancel(self, order: Order) -> None:
        now, order_id = self.now, order.order_id
        if order.is_complete:
            self.hear(CancelRefused(order_id, now, now, no(RejectionReason.TOO_LATE_TO_CANCEL, by=RefusedBy.GATE)))
        elif not order.pending_cancels:
            self.hear(CancelRequested(order_id, now, now))
            self.send(Leg.CANCEL, order_id, lambda due: self.cancel(order_id, due))

    def ask_modify(self, order: Order, change: OrderChange) -> None:
        now, order_id = self.now, order.order_id
        order.amended(change)  # refuses what would contradict itself
        if order.is_complete:
            self.hear(ModifyRefused(order_id, now, now, no(RejectionReason.TOO_LATE_TO_MODIFY, by=RefusedBy.GATE)))
        else:
            self.hear(ModifyRequested(order_id, now, now, change))
            self.send(Leg.MODIFY, order_id, lambda due: self.modify(order_id, change, due))

    def hear(self, event: OrderEvent) -> None:
        self.events.append(event)
        order = self.orders[event.order_id] = self.orders[event.order_id].apply(event)
        if isinstance(event, OrderExecution):
            self.book(order, event)

    def book(self, order: Order, event: OrderExecution) -> None:
        quantity = signed(order, event.quantity)
        self.cash -= quantity * event.price * self.multiplier(order.symbol) + event.commission
        self.held[order.symbol] = self.held.get(order.symbol, Decimal(0)) + quantity

    def worth(self) -> Decimal:
        values = [held * self.prices[symbol] * self.multiplier(symbol) for symbol, held in self.held.items() if held]
        return self.cash + sum(values, Decimal(0))

    def multiplier(self, symbol: str) -> Decimal:
        return self.instruments.get(symbol).multiplier

    # -- the venue -----------------------------------------------------------------------------------------------------

    def place(self, order: Order, due: int) -> None:
        refused = self.unpaid(order, self.asked(order))
        if refused is not None:
            self.report(OrderRejected(order.order_id, due, due, refused))
            return
        self.report(OrderAccepted(order.order_id, due, due))
        self.resting[order.order_id] = order
        if order.symbol in self.prices:
            self.meet(order, self.prices[order.symbol], due)
        if order.time_in_force is Tif.IOC and self.resting.pop(order.order_id, None) is not None:
            self.report(OrderCancelled(order.order_id, due, due, no(RejectionReason.NOT_FILLED)))

    def cancel(self, order_id: str, due: int) -> None:
        if self.resting.pop(order_id, None) is None:
            self.report(CancelRefused(order_id, due, due, no(RejectionReason.TOO_LATE_TO_CANCEL)))
        else:
            self.report(OrderCancelled(order_id, due, due))

    def modify(self, order_id: str, change: OrderChange, due: int) -> None:
        order = self.resting.pop(order_id, None)
        if order is None:
            self.report(ModifyRefused(order_id, due, due, no(RejectionReason.TOO_LATE_TO_MODIFY)))
            return
        order = self.resting[order_id] = order.amended(change)
        self.report(OrderReplaced(order_id, due, due, change))
        if order.symbol in self.prices:
            self.meet(order, self.prices[order.symbol], due)

    def show(self, row: Quote | Trade | Bar) -> None:
        """Show the market a price: whatever rests may meet it."""
        price = row.bid if isinstance(row, Quote) else row.price  # type: ignore[union-attr]  # bars are not claimed
        self.prices[row.symbol] = price
        for order in list(self.resting.values()):
            if order.symbol == row.symbol:
                self.meet(order, price, row.ts, resting=True)

    def meet(self, order: Order, price: Decimal, ts: int, *, resting: bool = False) -> None:
        """Let an order trade where the price allows it."""
        buys, limit, stop = order.side is OrderSide.BUY, order.limit_price, order.stop_price
        if limit is not None and (price > limit if buys else price < limit):
            return
        if stop is not None and (price < stop if buys else price > stop):
            return
        maker = resting and order.order_type is OrderType.LIMIT
        self.fill(order, limit if maker and limit is not None else price, ts, maker=maker)

    def fill(self, order: Order, price: Decimal, ts: int, *, maker: bool = False) -> None:
        order_id, quantity = order.order_id, order.quantity
        del self.resting[order_id]
        refused = self.unpaid(order, price)
        if refused is not None:
            self.report(OrderRejected(order_id, ts, ts, refused))
            return
        fee = self.fee(quantity, price)
        liquidity = Liquidity.MAKER if maker else Liquidity.TAKER
        self.purse -= signed(order, quantity) * price * self.multiplier(order.symbol) + fee
        self.stock[order.symbol] = self.stock.get(order.symbol, Decimal(0)) + signed(order, quantity)
        self.report(OrderExecution(order_id, ts, ts, f"{order_id}/1", quantity, price, fee, False, liquidity))

    def fee(self, quantity: Decimal, price: Decimal) -> Decimal:
        fees = self.scenario.execution.venue.fees
        return fees.total(quantity, quantity * price) if isinstance(fees, FeeSchedule) else Decimal(0)

    def asked(self, order: Order) -> Decimal:
        return order.limit_price or order.stop_price or self.prices.get(order.symbol, Decimal(0))

    def unpaid(self, order: Order, price: Decimal) -> Rejection | None:
        """Say why the account cannot pay for an order beside those that rest, or `None`."""
        others = [other for other in self.resting.values() if other.side is order.side and other is not order]
        if order.side is OrderSide.SELL:
            sold = sum((other.quantity for other in others if other.symbol == order.symbol), order.quantity)
            short = sold > self.stock.get(order.symbol, Decimal(0))
        else:
            short = self.cost(order, price) + sum(self.cost(other, self.asked(other)) for other in others) > self.purse
        return no(RejectionReason.INSUFFICIENT_FUNDS) if short else None

    def cost(self, order: Order, price: Decimal) -> Decimal:
        return order.quantity * price * self.multiplier(order.symbol) + self.fee(order.quantity, price)


class Small:
    """The engine: it says what it claims, refuses the rest, and sails."""

    claims: ClassVar[frozenset[Cap]] = SMALL
    voyage: ClassVar[type[Voyage]] = Voyage

    def refuse(self, scenario: Scenario) -> None:
        refuse_unclaimed(scenario, self.claims)

    def run(self, scenario: Scenario, *, directory: str | None = None, monitor: RunMonitor | None = None) -> RunRecord:
        self.refuse(scenario)
        voyage = self.voyage(scenario)
        voyage.sail(monitor)
        return self.record(scenario, voyage)

    def stock(self, scenario: Scenario) -> list[OrderExecution]:
        """Run a scenario alone; there is nothing between this engine and itself."""
        return [event for event in self.run(scenario).events if isinstance(event, OrderExecution)]

    def record(self, scenario: Scenario, voyage: Voyage) -> RunRecord:
        held = {symbol: quantity for symbol, quantity in voyage.held.items() if quantity}
        return RunRecord(
            engine=EngineInfo(name="small", version="1", capabilities=tuple(sorted(self.claims))),
            scenario=scenario,
            seatrial="0",
            started=voyage.equity[0].ts if voyage.equity else 0,
            ended=voyage.now,
            rows=len(voyage.equity),
            stopped=None,
            events=tuple(voyage.events),
            orders=tuple(voyage.orders.values()),
            account=AccountSummary(
                initial_cash=scenario.execution.initial_cash,
                cash=voyage.cash,
                equity=voyage.worth(),
                positions=held,
                trading_state=TradingState.ACTIVE,
            ),
            equity=tuple(voyage.equity),
            max_drawdown_pct=deepest(voyage.equity),
            decisions=(),
        )


def no(reason: RejectionReason, *, by: RefusedBy = RefusedBy.VENUE) -> Rejection:
    return Rejection(reason, reason.value.replace("_", " "), by)


def signed(order: Order, quantity: Decimal) -> Decimal:
    return quantity if order.side is OrderSide.BUY else -quantity


def deepest(equity: list[EquityPoint]) -> Decimal:
    peak, fall = Decimal(0), Decimal(0)
    for point in equity:
        peak = max(peak, point.equity)
        fall = max(fall, (peak - point.equity) * 100 / peak)
    return fall

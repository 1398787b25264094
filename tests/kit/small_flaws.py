"""Engines that are sound but for one thing: what goes wrong in an order's life, on the wire, and with money."""

from __future__ import annotations

import random
from decimal import Decimal
from typing import TYPE_CHECKING, ClassVar

from msgspec.structs import replace
from tests.kit.small import SMALL, Small, Voyage

from seatrial import OrderExecution, OrderSide, OrderType
from seatrial.contracts.engine import Capability as Cap
from seatrial.contracts.events import OrderCancelled, OrderReplaced
from seatrial.contracts.latency import Constant, Leg
from seatrial.contracts.terms import TimeInForce as Tif
from seatrial.engine.needs import refuse_unclaimed
from seatrial.errors import InvalidConfigError, SeatrialError

if TYPE_CHECKING:
    from collections.abc import Callable

    from seatrial import Bar, Order, Quote, Rejection, RunRecord, Scenario, Trade
    from seatrial.contracts.engine import EquityPoint
    from seatrial.contracts.events import Event, OrderChange, OrderEvent

__all__ = ["SMALL_FLAWS"]

SMALL_FLAWS: list[type[Small]] = []
"""The engines of this module, each with one flaw, as its docstring says."""


def flawed(voyage: type[Voyage]) -> type[Voyage]:
    """Make an engine of a voyage with a flaw, under its name."""
    SMALL_FLAWS.append(type(voyage.__name__, (Small,), {"voyage": voyage, "__doc__": voyage.__doc__}))
    return voyage


def engine(kind: type[Small]) -> type[Small]:
    """Count an engine whose flaw is its own."""
    SMALL_FLAWS.append(kind)
    return kind


# -- the wire ----------------------------------------------------------------------------------------------------------


@flawed
class FillsAtOnce(Voyage):
    """Lets orders trade when they are sent: the submit leg takes no time."""

    def delay(self, leg: Leg, order_id: str) -> int:
        return 0 if leg is Leg.SUBMIT else super().delay(leg, order_id)


@flawed
class FillsAtDecisionPrice(Voyage):
    """Fills at the price at which the order was decided, not at the one it found."""

    def submit(self, order: Order) -> None:
        if order.order_type is OrderType.MARKET:
            self.counts["decided", order.order_id] = self.prices.get(order.symbol)  # type: ignore[assignment]
        super().submit(order)

    def fill(self, order: Order, price: Decimal, ts: int, *, maker: bool = False) -> None:
        super().fill(order, self.counts.get(("decided", order.order_id)) or price, ts, maker=maker)  # type: ignore[arg-type]


@flawed
class AcksAtOnce(Voyage):
    """Ignores the ack leg."""

    def delay(self, leg: Leg, order_id: str) -> int:
        return 0 if leg is Leg.ACK else super().delay(leg, order_id)


@flawed
class KnowsFillsAtOnce(Voyage):
    """Tells a fill when it happens: the fill leg takes no time."""

    def delay(self, leg: Leg, order_id: str) -> int:
        return 0 if leg is Leg.FILL else super().delay(leg, order_id)


@flawed
class LeaksTheFill(Voyage):
    """Delays the word of a fill, and not what it does to the account."""

    def report(self, event: OrderEvent) -> None:
        if isinstance(event, OrderExecution):
            super().book(self.orders[event.order_id], event)
        super().report(event)

    def book(self, order: Order, event: OrderExecution) -> None:
        """Nothing is left to do when the word comes."""


@flawed
class CancelsAtOnce(Voyage):
    """Ignores latency on cancel."""

    def delay(self, leg: Leg, order_id: str) -> int:
        return 0 if leg is Leg.CANCEL else super().delay(leg, order_id)


@flawed
class ModifiesAtOnce(Voyage):
    """Ignores latency on modify."""

    def delay(self, leg: Leg, order_id: str) -> int:
        return 0 if leg is Leg.MODIFY else super().delay(leg, order_id)


@flawed
class ModifiesWithoutDefault(Voyage):
    """Takes a modify leg that is not given for one that takes no time."""

    def delay(self, leg: Leg, order_id: str) -> int:
        given = self.scenario.execution.latency.modify
        return 0 if leg is Leg.MODIFY and given is None else super().delay(leg, order_id)


@flawed
class LateByOne(Voyage):
    """Releases each order one ns late."""

    def delay(self, leg: Leg, order_id: str) -> int:
        return super().delay(leg, order_id) + (leg is Leg.SUBMIT)


@flawed
class CancelOvertakes(Voyage):
    """Lets a cancel arrive before the order it is meant for."""

    def send(self, leg: Leg, order_id: str, arrive: Callable[[int], None]) -> None:
        self.requests.append((self.now + self.delay(leg, order_id), arrive))
        self.requests = type(self.requests)(sorted(self.requests, key=lambda request: request[0]))


@flawed
class ReportsOvertake(Voyage):
    """Lets a report without delay overtake one that is on its way."""

    def report(self, event: OrderEvent) -> None:
        leg = Leg.FILL if isinstance(event, OrderExecution) else Leg.ACK
        due = event.timestamp + self.delay(leg, event.order_id)
        self.reports.append((due, replace(event, reported_at=due)))
        self.reports = type(self.reports)(sorted(self.reports, key=lambda report: report[0]))


@flawed
class SortsById(Voyage):
    """Lets what is due at one time arrive in the order of ids."""

    def send(self, leg: Leg, order_id: str, arrive: Callable[[int], None]) -> None:
        super().send(leg, order_id, arrive)
        self.ids = [*getattr(self, "ids", []), order_id][-len(self.requests) :]
        pairs = sorted(zip(self.requests, self.ids, strict=True), key=lambda pair: (pair[0][0], pair[1]))
        self.requests = type(self.requests)(request for request, _ in pairs)
        self.ids = [one for _, one in pairs]

    def deliver(self, ts: int) -> None:
        if self.script and self.script[0].at <= ts and self.now == self.script[0].at:
            return  # wait for what else is sent now
        super().deliver(ts)


@flawed
class CollapsesJitter(Voyage):
    """Draws a delay again and again, so that the shortest one wins."""

    def delay(self, leg: Leg, order_id: str) -> int:
        first = super().delay(leg, order_id)
        return min([first, *[Voyage.delay(self, leg, order_id) for _ in range(20)]])


@flawed
class DrawsGlobally(Voyage):
    """Draws delays from the global random numbers of the process."""

    def delay(self, leg: Leg, order_id: str) -> int:
        drawn = self.draws.constant[leg]
        return random.randrange(10**8) if drawn is None else drawn


@flawed
class DrawsInTurn(Voyage):
    """Draws all delays from one stream, so that each depends on how many were drawn before."""

    def delay(self, leg: Leg, order_id: str) -> int:
        n = self.counts["all"] = self.counts.get("all", 0) + 1
        return self.draws.delay(leg, "all", n)


@flawed
class IgnoresSeed(Voyage):
    """Draws the same delays whatever the seed."""

    def __init__(self, scenario: Scenario) -> None:
        super().__init__(replace(scenario, execution=replace(scenario.execution, seed=0)))


@flawed
class IgnoresSimulator(Voyage):
    """Draws the same delays for every simulator."""

    def __init__(self, scenario: Scenario) -> None:
        super().__init__(replace(scenario, execution=replace(scenario.execution, simulator_id="sim")))


@flawed
class TakesTheMean(Voyage):
    """Replaces a distribution by a constant delay."""

    def delay(self, leg: Leg, order_id: str) -> int:
        drawn = self.draws.constant[leg]
        return 80_000_000 if drawn is None else drawn


@flawed
class WakesWithRows(Voyage):
    """Lets what is due happen at the time of the next row."""

    def deliver(self, ts: int) -> None:
        if ts in {row.ts for row in self.scenario.tape.rows} or ts >= 1 << 62:
            waiting, self.requests = self.requests, type(self.requests)()
            for due, arrive in waiting:
                self.requests.append((due if due > ts else max(due, ts), arrive))
            super().deliver(ts)


@flawed
class LosesTheTail(Voyage):
    """Forgets what is under way when the tape ends."""

    def until(self, ts: int) -> None:
        if ts < 1 << 62 and ts != self.scenario.stop:
            super().until(ts)


@flawed
class IgnoresStop(Voyage):
    """Runs on beyond the time to stop."""

    def __init__(self, scenario: Scenario) -> None:
        super().__init__(replace(scenario, stop=None))


# -- the life of an order ----------------------------------------------------------------------------------------------


@flawed
class CancelIsNoOp(Voyage):
    """Says yes to a cancel, and does nothing."""

    def cancel(self, order_id: str, due: int) -> None:
        if order_id in self.resting:
            self.report(OrderCancelled(order_id, due, due))
            self.resting[order_id] = self.resting.pop(order_id)
        else:
            super().cancel(order_id, due)

    def hear(self, event: OrderEvent) -> None:
        if not self.orders[event.order_id].is_complete or not isinstance(event, OrderExecution):
            super().hear(event)
        else:
            self.events.append(event)
            self.book(self.orders[event.order_id], event)


@flawed
class CancelsTwice(Voyage):
    """Sends a cancel although one is under way."""

    def ask_cancel(self, order: Order) -> None:
        super().ask_cancel(replace(order, pending_cancels=0) if order.pending_cancels else order)


@flawed
class CancelErasesMatches(Voyage):
    """Lets a cancel take back a match that was not yet told."""

    def cancel(self, order_id: str, due: int) -> None:
        before = len(self.reports)
        kept = [one for one in self.reports if one[1].order_id != order_id or not isinstance(one[1], OrderExecution)]
        if len(kept) < before:
            self.reports = type(self.reports)(kept)
            self.report(OrderCancelled(order_id, due, due))
        else:
            super().cancel(order_id, due)


@flawed
class CancelRaises(Voyage):
    """Falls over a cancel for an order that has ended."""

    def ask_cancel(self, order: Order) -> None:
        if order.is_complete:
            raise KeyError(order.order_id)
        super().ask_cancel(order)


@flawed
class LimitsFillAtMarket(Voyage):
    """Takes a limit order for a market order."""

    def meet(self, order: Order, price: Decimal, ts: int, *, resting: bool = False) -> None:
        if order.limit_price is not None:
            self.fill(order, price, ts)
        else:
            super().meet(order, price, ts, resting=resting)


@flawed
class OffByOneTick(Voyage):
    """Fills resting limits one tick beyond their price."""

    def fill(self, order: Order, price: Decimal, ts: int, *, maker: bool = False) -> None:
        off = Decimal("0.01") if order.side is OrderSide.BUY else Decimal("-0.01")
        super().fill(order, price + off if maker else price, ts, maker=maker)


@flawed
class FillsLimitsAtLimit(Voyage):
    """Gives an arriving limit order its limit where the market is better."""

    def fill(self, order: Order, price: Decimal, ts: int, *, maker: bool = False) -> None:
        super().fill(order, order.limit_price or price, ts, maker=maker)


@flawed
class MakersAreTakers(Voyage):
    """Calls every fill a taker's."""

    def fill(self, order: Order, price: Decimal, ts: int, *, maker: bool = False) -> None:
        super().fill(order, price, ts)


@flawed
class NearlyTouches(Voyage):
    """Fills a limit when the market comes within a tick of it."""

    def meet(self, order: Order, price: Decimal, ts: int, *, resting: bool = False) -> None:
        limit = order.limit_price
        near = limit is not None and resting and abs(price - limit) == Decimal("0.01")
        super().meet(order, limit if near and limit is not None else price, ts, resting=resting)


@flawed
class StopsNeverFill(Voyage):
    """Accepts stops, and never fills them."""

    def meet(self, order: Order, price: Decimal, ts: int, *, resting: bool = False) -> None:
        if order.order_type is not OrderType.STOP:
            super().meet(order, price, ts, resting=resting)


@flawed
class StopsFillAtStop(Voyage):
    """Fills a stop at its own price, where nobody may have traded."""

    def fill(self, order: Order, price: Decimal, ts: int, *, maker: bool = False) -> None:
        super().fill(order, order.stop_price or price, ts, maker=maker)


@flawed
class KeepsIoc(Voyage):
    """Lets an IOC order rest."""

    def place(self, order: Order, due: int) -> None:
        super().place(replace(order, time_in_force=Tif.GTC), due)


@flawed
class DropsIoc(Voyage):
    """Cancels every IOC order, also one that could trade."""

    def meet(self, order: Order, price: Decimal, ts: int, *, resting: bool = False) -> None:
        if order.time_in_force is not Tif.IOC:
            super().meet(order, price, ts, resting=resting)


@flawed
class ModifyIsNoOp(Voyage):
    """Says yes to a modify, and goes on under the old terms."""

    def modify(self, order_id: str, change: OrderChange, due: int) -> None:
        if order_id in self.resting:
            self.report(OrderReplaced(order_id, due, due, change))
        else:
            super().modify(order_id, change, due)


@flawed
class ModifiesTheDead(Voyage):
    """Lets a modify change an order that has ended."""

    def ask_modify(self, order: Order, change: OrderChange) -> None:
        if order.is_complete and change.quantity is not None:
            self.orders[order.order_id] = replace(order, quantity=change.quantity)
        else:
            super().ask_modify(order, change)


@flawed
class TakesIdsTwice(Voyage):
    """Takes a second order under an id that was used."""

    def refuse(self, order: Order) -> Rejection | None:
        if order.order_id in self.orders:
            self.orders.pop(order.order_id)
        return super().refuse(order)


@flawed
class TakesAnyOrder(Voyage):
    """Looks at neither symbol, tick nor lot."""

    def refuse(self, order: Order) -> Rejection | None:
        return super().refuse(order) if order.order_id in self.orders else None

    def multiplier(self, symbol: str) -> Decimal:
        return super().multiplier(symbol) if self.instruments.knows(symbol) else Decimal(1)


@flawed
class ForgetsRefusals(Voyage):
    """Drops a refused order without a word."""

    def submit(self, order: Order) -> None:
        if self.refuse(order) is None:
            super().submit(order)


# -- money -------------------------------------------------------------------------------------------------------------


@flawed
class BuysBeyondCash(Voyage):
    """Checks no buy against the cash there is."""

    def unpaid(self, order: Order, price: Decimal) -> Rejection | None:
        return None if order.side is OrderSide.BUY else super().unpaid(order, price)


@flawed
class SellsShort(Voyage):
    """Lets a cash account sell what it does not hold."""

    def unpaid(self, order: Order, price: Decimal) -> Rejection | None:
        return None if order.side is OrderSide.SELL else super().unpaid(order, price)


@flawed
class ReservesNothing(Voyage):
    """Does not count resting orders against cash."""

    def unpaid(self, order: Order, price: Decimal) -> Rejection | None:
        resting, self.resting = self.resting, {}
        try:
            return super().unpaid(order, price)
        finally:
            self.resting = resting


@flawed
class StaysPending(Voyage):
    """Leaves an order that cannot be paid for as it is, for ever."""

    def place(self, order: Order, due: int) -> None:
        if self.unpaid(order, self.asked(order)) is None:
            super().place(order, due)


@flawed
class RoundsMoney(Voyage):
    """Keeps cash in whole cents."""

    def book(self, order: Order, event: OrderExecution) -> None:
        super().book(order, event)
        self.cash = round(self.cash, 2)


@flawed
class PaysForSales(Voyage):
    """Takes the price of a sale from the account, and adds what was sold."""

    def book(self, order: Order, event: OrderExecution) -> None:
        super().book(replace(order, side=OrderSide.BUY), event)


@flawed
class CountsInFloats(Voyage):
    """Works out cash in binary floating point."""

    def book(self, order: Order, event: OrderExecution) -> None:
        before = self.cash
        super().book(order, event)
        paid = float(event.quantity) * float(event.price) + float(event.commission)
        exact = before - self.cash
        if exact == event.quantity * event.price + event.commission:
            self.cash = Decimal(float(before) - paid)


@flawed
class ForgetsCommission(Voyage):
    """Tells the commission and does not take it."""

    def book(self, order: Order, event: OrderExecution) -> None:
        super().book(order, event)
        self.cash += event.commission


@flawed
class ChargesNothing(Voyage):
    """Knows no fees."""

    def fee(self, quantity: Decimal, price: Decimal) -> Decimal:
        return Decimal(0)


@flawed
class IgnoresMultiplier(Voyage):
    """Counts every unit as one."""

    def multiplier(self, symbol: str) -> Decimal:
        return Decimal(1)


@flawed
class ValuesAtCost(Voyage):
    """Values a position at the first price it ever saw."""

    def show(self, row: Quote | Trade | Bar) -> None:
        first = dict(self.prices)
        super().show(row)
        self.first = {**self.prices, **getattr(self, "first", first)}

    def worth(self) -> Decimal:
        prices, self.prices = self.prices, getattr(self, "first", self.prices)
        try:
            return super().worth()
        finally:
            self.prices = prices


@flawed
class MixesSymbols(Voyage):
    """Values every position at the latest price, whatever its symbol."""

    def worth(self) -> Decimal:
        prices, last = self.prices, next(reversed(self.prices.values()), Decimal(0))
        self.prices = dict.fromkeys(prices, last)
        try:
            return super().worth()
        finally:
            self.prices = prices

    def show(self, row: Quote | Trade | Bar) -> None:
        self.prices.pop(row.symbol, None)
        super().show(row)


# -- the record --------------------------------------------------------------------------------------------------------


class Told(Small):
    """A small engine that tells something else than what happened."""

    def run(self, scenario: Scenario, **settings: object) -> RunRecord:
        return self.told(super().run(scenario, **settings))  # type: ignore[arg-type]  # as the parent takes them

    def told(self, record: RunRecord) -> RunRecord:
        raise NotImplementedError


def fills(record: RunRecord) -> list[OrderExecution]:
    return [event for event in record.events if isinstance(event, OrderExecution)]


@engine
class ReusesIds(Told):
    """Gives every execution the same id."""

    def told(self, record: RunRecord) -> RunRecord:
        events = [
            replace(event, execution_id="1") if isinstance(event, OrderExecution) else event for event in record.events
        ]
        return replace(record, events=tuple(events))


@engine
class TellsAFillTwice(Told):
    """Tells the last of several fills twice."""

    def told(self, record: RunRecord) -> RunRecord:
        told = fills(record)
        return replace(record, events=(*record.events, told[-1])) if len(told) > 2 else record


@engine
class KnowsTheFuture(Told):
    """Tells events before they happen."""

    def told(self, record: RunRecord) -> RunRecord:
        events: list[Event] = [
            replace(event, reported_at=event.timestamp - 1) if event.reported_at > event.timestamp else event
            for event in record.events
        ]
        return replace(record, events=tuple(events))


@engine
class LogsInMatchOrder(Told):
    """Writes its log in the order of the venue's times."""

    def told(self, record: RunRecord) -> RunRecord:
        return replace(record, events=tuple(sorted(record.events, key=lambda event: event.timestamp)))


@engine
class ForgetsCancelled(Told):
    """Leaves cancelled orders out of the record."""

    def told(self, record: RunRecord) -> RunRecord:
        return replace(record, orders=tuple(order for order in record.orders if order.cancelled_at is None))


@engine
class LeaksAFloat(Told):
    """Writes its equity curve in floats."""

    def told(self, record: RunRecord) -> RunRecord:
        points: list[EquityPoint] = [replace(point, equity=float(point.equity)) for point in record.equity]
        return replace(record, equity=tuple(points))


@engine
class FallsFromTheStart(Told):
    """Measures the deepest fall from where the account began."""

    def told(self, record: RunRecord) -> RunRecord:
        start = record.account.initial_cash
        low = min(point.equity for point in record.equity)
        return replace(record, max_drawdown_pct=max(Decimal(0), (start - low) * 100 / start))


@engine
class BoastsInTheRecord(Told):
    """Names capabilities in its records that it does not claim."""

    def told(self, record: RunRecord) -> RunRecord:
        return replace(record, engine=replace(record.engine, capabilities=tuple(Cap)))


@engine
class CountsRuns(Told):
    """Lets one run leave something behind for the next."""

    runs = 0

    def told(self, record: RunRecord) -> RunRecord:
        self.runs += 1
        return replace(record, warnings=("again",)) if self.runs > 1 else record


@engine
class ChangesWhatItAdapts(Small):
    """Adapts an engine that fills limits a tick better than it tells."""

    def stock(self, scenario: Scenario) -> list[OrderExecution]:
        return [replace(one, price=one.price - Decimal("0.01")) for one in fills(self.run(scenario))]


# -- claims and bad input ----------------------------------------------------------------------------------------------


@engine
class SwallowsUnclaimed(Small):
    """Claims little, and runs what it does not claim as if nothing had been asked."""

    claims: ClassVar[frozenset[Cap]] = frozenset(
        {Cap.QUOTES, Cap.TRADES, Cap.CASH_ACCOUNT, Cap.MARKET, Cap.LIMIT, Cap.GTC, Cap.SCRIPTS}
    )

    def refuse(self, scenario: Scenario) -> None:
        """Refuse nothing."""


@engine
class CrashesOnUnclaimed(Small):
    """Claims little, and falls over what it does not claim."""

    claims: ClassVar[frozenset[Cap]] = SwallowsUnclaimed.claims

    def refuse(self, scenario: Scenario) -> None:
        try:
            super().refuse(scenario)
        except SeatrialError as error:
            raise AttributeError(str(error)) from None


class Greedy(Small):
    """Runs whatever it can, whether it claims it or not."""

    def refuse(self, scenario: Scenario) -> None:
        refuse_unclaimed(scenario, SMALL)


for claim in sorted(SMALL):
    spoken = claim.value.replace("_", " ")
    body = {"claims": SMALL - {claim}, "__doc__": f"Takes {spoken} and does not claim it."}
    SMALL_FLAWS.append(type(f"Swallows{spoken.title().replace(' ', '')}", (Greedy,), body))


@engine
class MendsInput(Small):
    """Repairs what is wrong with a scenario, and says nothing."""

    def run(self, scenario: Scenario, **settings: object) -> RunRecord:
        script = tuple(sorted(scenario.script, key=lambda step: step.at))
        instruments = tuple({one.symbol: one for one in scenario.instruments}.values())
        tape = replace(scenario.tape, repair=True)
        execution = replace(scenario.execution, observers=())
        mended = replace(
            scenario, script=script, instruments=instruments, tape=tape, execution=execution, engine_params={}
        )
        return replace(super().run(mended, **settings), scenario=scenario)  # type: ignore[arg-type]


@flawed
class DropsStrangers(Voyage):
    """Passes over cancels and modifies for orders that were never sent, and over modifies that make no sense."""

    def carry_out(self, step: object) -> None:
        try:
            super().carry_out(step)  # type: ignore[arg-type]
        except SeatrialError:
            return


@engine
class IgnoresUnknownLatency(Small):
    """Takes a latency model that nobody offers for none."""

    def run(self, scenario: Scenario, **settings: object) -> RunRecord:
        try:
            return super().run(scenario, **settings)  # type: ignore[arg-type]
        except LookupError:
            latency = replace(scenario.execution.latency, submit=Constant(0))
            return super().run(replace(scenario, execution=replace(scenario.execution, latency=latency)))


@engine
class RaisesAnything(Small):
    """Answers bad input with whatever error comes along."""

    def run(self, scenario: Scenario, **settings: object) -> RunRecord:
        try:
            return super().run(scenario, **settings)  # type: ignore[arg-type]
        except SeatrialError as error:
            if isinstance(error, InvalidConfigError) and error.setting == "scenario":
                raise
            raise KeyError(str(error)) from None


@flawed
class DeniesInSilence(Voyage):
    """Refuses orders at the gate without the reason that was meant."""

    def refuse(self, order: Order) -> Rejection | None:
        refused = super().refuse(order)
        return None if refused is None else replace(refused, reason=type(refused.reason).UNKNOWN)

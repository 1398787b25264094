"""Native engines with one part exchanged for a wrong one, or that understand one thing of a scenario wrongly."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar

from msgspec.structs import replace
from tests.kit.small import SMALL

from seatrial import ExecutionSimulator, NamedRule, OrderSide, OrderType, Quote, RejectionReason, RiskViolation
from seatrial import TimeInForce as Tif
from seatrial.contracts.engine import Capability as Cap
from seatrial.contracts.events import CancelRefused, ModifyRefused
from seatrial.contracts.latency import LATENCY_INSTANT, Leg
from seatrial.contracts.rejection import RefusedBy, Rejection
from seatrial.contracts.risk import RiskAction, RuleObject
from seatrial.contracts.scenario import SubmitAt, SwitchAt
from seatrial.contracts.terms import TradingState
from seatrial.contracts.venue import AccountType, Convention, FeeSchedule, LimitFill, PriceImprovement, VenueConfig
from seatrial.engine.claims import NATIVE
from seatrial.engine.native import NativeEngine
from seatrial.errors import CheckpointError, CheckpointVersionError, InvalidConfigError, StrategyError
from seatrial.gate.account import Account
from seatrial.gate.admission import Admission
from seatrial.gate.controls import Controls
from seatrial.gate.draws import Draws
from seatrial.gate.exposure import Exposure
from seatrial.gate.gate import ExecutionGate
from seatrial.gate.queue import NEVER
from seatrial.gate.risk import Risk
from seatrial.testing.strategies import Ladder
from seatrial.venue.book import Book
from seatrial.venue.matching import Matcher
from seatrial.venue.simulated import SimulatedVenue

if TYPE_CHECKING:
    from collections.abc import Callable

    from seatrial import Order, RunRecord, Scenario
    from seatrial.contracts.scenario import ExecutionConfig, Instruction
    from seatrial.venue.moment import Moment
    from seatrial.venue.working import Working

__all__ = ["NATIVE_FLAWS", "Native"]

T = TypeVar("T")
ZERO = Decimal(0)
ALL = frozenset(NATIVE.capabilities)


class Native(NativeEngine):
    """The native engine, sound as long as nobody overrides anything."""

    claims: ClassVar[frozenset[Cap]] = ALL

    def run(self, scenario: Scenario, **settings: Any) -> RunRecord:
        return self.told(replace(super().run(self.asked(scenario), **settings), scenario=scenario))

    def asked(self, scenario: Scenario) -> Scenario:
        """What of the scenario is understood."""
        return scenario

    def told(self, record: RunRecord) -> RunRecord:
        """What of the run is told."""
        return record


NATIVE_FLAWS: list[type[Native]] = []
"""The engines of this module, each with one flaw, as its docstring says."""


def engine(kind: type[Native]) -> type[Native]:
    """Count an engine whose flaw is its own."""
    NATIVE_FLAWS.append(kind)
    return kind


def misunderstood(asked: Callable[[Scenario], Scenario]) -> Callable[[Scenario], Scenario]:
    """Make an engine that runs another scenario than the one it was given."""
    body = {"asked": lambda _, scenario: asked(scenario), "__doc__": asked.__doc__}
    engine(type(named(asked.__name__), (Native,), body))
    return asked


def mistold(told: Callable[[RunRecord], RunRecord]) -> Callable[[RunRecord], RunRecord]:
    """Make an engine that tells something else than what happened."""
    engine(type(named(told.__name__), (Native,), {"told": lambda _, record: told(record), "__doc__": told.__doc__}))
    return told


def misbuilt(flaw: Callable[[ExecutionSimulator], None]) -> Callable[[ExecutionSimulator], None]:
    """Make an engine whose simulator `flaw` has been at when it was built."""

    class Simulator(ExecutionSimulator):
        def __init__(self, **settings: Any) -> None:
            super().__init__(**settings)
            flaw(self)

    body = {"__init__": lambda self: NativeEngine.__init__(self, simulator=Simulator), "__doc__": flaw.__doc__}
    engine(type(named(flaw.__name__), (Native,), body))
    return flaw


def misrestored(flaw: Callable[[ExecutionSimulator], None]) -> Callable[[ExecutionSimulator], None]:
    """Make an engine whose simulator `flaw` has been at when it was restored."""

    class Simulator(ExecutionSimulator):
        @classmethod
        def from_checkpoint(cls, *arguments: Any, **settings: Any) -> ExecutionSimulator:
            restored = super().from_checkpoint(*arguments, **settings)
            flaw(restored)
            return restored

    body = {"__init__": lambda self: NativeEngine.__init__(self, simulator=Simulator), "__doc__": flaw.__doc__}
    engine(type(named(flaw.__name__), (Native,), body))
    return flaw


def named(name: str) -> str:
    return "".join(word.capitalize() for word in name.split("_"))


def become(thing: object | None, kind: type) -> None:
    """Let a part, where there is one, be of a subclass of its own class."""
    if thing is not None:
        thing.__class__ = kind


def count_by(simulator: ExecutionSimulator, kind: type[Exposure]) -> None:
    """Let what works be counted by `kind`, whenever counting begins."""

    class Counting(Admission):
        __slots__ = ()

        def count(self) -> None:
            super().count()
            become(self.exposure, kind)

    become(simulator.gate.admission, Counting)
    become(simulator.gate.admission.exposure, kind)


def venue(scenario: Scenario, **settings: Any) -> Scenario:
    """Change the venue's settings."""
    return execution(scenario, venue=replace(scenario.execution.venue, **settings))


def execution(scenario: Scenario, **settings: Any) -> Scenario:
    """Change how orders are executed."""
    changed: ExecutionConfig = replace(scenario.execution, **settings)
    return replace(scenario, execution=changed)


def orders(scenario: Scenario, change: Callable[[Order], Order]) -> Scenario:
    """Change each order of the script."""

    def changed(step: Instruction) -> Instruction:
        return replace(step, orders=tuple(map(change, step.orders))) if isinstance(step, SubmitAt) else step

    return replace(scenario, script=tuple(map(changed, scenario.script)))


def limits(scenario: Scenario, **settings: Any) -> Scenario:
    """Change what limits risk, where anything does."""
    risk = scenario.execution.risk
    return scenario if risk is None else execution(scenario, risk=replace(risk, **settings))


def switches(scenario: Scenario, *, cancel_working: bool) -> Scenario:
    """Change whether the operator's word cancels what works."""
    script = [
        replace(one, cancel_working=cancel_working) if isinstance(one, SwitchAt) else one for one in scenario.script
    ]
    return replace(scenario, script=tuple(script))


# -- order types, times in force, flags --------------------------------------------------------------------------------


@misunderstood
def stop_limits_are_limits(scenario: Scenario) -> Scenario:
    """Takes a stop-limit for a limit: it does not wait for its stop."""
    kind = OrderType.STOP_LIMIT
    return orders(
        scenario,
        lambda one: replace(one, order_type=OrderType.LIMIT, stop_price=None) if one.order_type is kind else one,
    )


@misunderstood
def stop_limits_are_stops(scenario: Scenario) -> Scenario:
    """Takes a stop-limit for a stop: a limit of 10.03 is filled at 10.06."""
    kind = OrderType.STOP_LIMIT
    return orders(
        scenario,
        lambda one: replace(one, order_type=OrderType.STOP, limit_price=None) if one.order_type is kind else one,
    )


@misunderstood
def trails_twice_as_far(scenario: Scenario) -> Scenario:
    """Trails at twice the amount."""
    return orders(scenario, lambda one: replace(one, trail_amount=one.trail_amount * 2) if one.trail_amount else one)


@misunderstood
def percent_is_amount(scenario: Scenario) -> Scenario:
    """Takes a percentage to trail by for an amount of money."""
    return orders(
        scenario,
        lambda one: replace(one, trail_amount=one.trail_percent, trail_percent=None) if one.trail_percent else one,
    )


@misunderstood
def touches_are_stops(scenario: Scenario) -> Scenario:
    """Takes a market-if-touched order for a stop."""
    kind = OrderType.MARKET_IF_TOUCHED
    return orders(scenario, lambda one: replace(one, order_type=OrderType.STOP) if one.order_type is kind else one)


@misunderstood
def limit_touches_are_limits(scenario: Scenario) -> Scenario:
    """Takes a limit-if-touched order for a limit."""
    kind = OrderType.LIMIT_IF_TOUCHED
    return orders(
        scenario,
        lambda one: replace(one, order_type=OrderType.LIMIT, stop_price=None) if one.order_type is kind else one,
    )


@misunderstood
def closes_at_once(scenario: Scenario) -> Scenario:
    """Takes a market-on-close order for a market order."""
    kind = OrderType.MARKET_ON_CLOSE
    return orders(scenario, lambda one: replace(one, order_type=OrderType.MARKET) if one.order_type is kind else one)


@misunderstood
def nothing_expires(scenario: Scenario) -> Scenario:
    """Lets DAY and GTD orders work for ever."""
    timed = (Tif.DAY, Tif.GTD)
    return orders(
        scenario, lambda one: replace(one, time_in_force=Tif.GTC, expire_at=None) if one.time_in_force in timed else one
    )


@misunderstood
def expires_early(scenario: Scenario) -> Scenario:
    """Expires GTD orders 30 ms before their time."""
    return orders(scenario, lambda one: replace(one, expire_at=one.expire_at - 30_000_000) if one.expire_at else one)


@misunderstood
def keeps_the_rest(scenario: Scenario) -> Scenario:
    """Lets what IOC and FOK orders do not get at once work on."""
    at_once = (Tif.IOC, Tif.FOK)
    return orders(scenario, lambda one: replace(one, time_in_force=Tif.GTC) if one.time_in_force in at_once else one)


@misunderstood
def fok_is_ioc(scenario: Scenario) -> Scenario:
    """Lets a FOK order fill in part."""
    return orders(scenario, lambda one: replace(one, time_in_force=Tif.IOC) if one.time_in_force is Tif.FOK else one)


@misunderstood
def posts_anything(scenario: Scenario) -> Scenario:
    """Lets a post-only order take liquidity."""
    return orders(scenario, lambda one: replace(one, post_only=False))


@misunderstood
def reduces_anything(scenario: Scenario) -> Scenario:
    """Lets a reduce-only order trade beyond the position."""
    return venue(orders(scenario, lambda one: replace(one, reduce_only=False)), account_type=AccountType.MARGIN)


class RefusingVenue(SimulatedVenue):
    def place(self, orders: tuple[Order, ...], now: int, native: object) -> None:
        [order, *_] = orders
        if order.post_only or order.time_in_force is Tif.FOK:
            refused = Rejection(RejectionReason.UNSUPPORTED, "not here", RefusedBy.VENUE)
            self._reports.rejected(order.order_id, now, refused)
        else:
            super().place(orders, now, native)


@misbuilt
def claims_too_much(simulator: ExecutionSimulator) -> None:
    """Claims post-only and FOK orders, and refuses them."""
    become(simulator.venue, RefusingVenue)


# -- prices and sizes --------------------------------------------------------------------------------------------------


@misunderstood
def other_convention(scenario: Scenario) -> Scenario:
    """Lets an order meet the standing price where it should wait for the next, and the other way round."""
    swapped = {Convention.STANDING: Convention.NEXT, Convention.NEXT: Convention.STANDING, None: None}
    return venue(scenario, convention=swapped[scenario.execution.venue.convention])


@misunderstood
def looks_ahead(scenario: Scenario) -> Scenario:
    """Lets an order trade in a bar from its open, whenever it arrived in it."""
    return venue(scenario, bar_theta=Decimal(1))


@misunderstood
def never_at_the_open(scenario: Scenario) -> Scenario:
    """Lets no order trade in the bar it arrives in."""
    return venue(scenario, bar_theta=ZERO)


@misunderstood
def unlimited_size(scenario: Scenario) -> Scenario:
    """Fills any quantity, whatever is displayed or printed."""
    rows = [replace(row, bid_size=None, ask_size=None) if isinstance(row, Quote) else row for row in scenario.tape.rows]
    return venue(replace(scenario, tape=replace(scenario.tape, rows=tuple(rows))), participation=None)


class RefreshingVenue(SimulatedVenue):
    def executed(self, working: Working, quantity: Decimal, price: Decimal, **what: Any) -> None:
        super().executed(working, quantity, price, **what)
        self.market.book(working.symbol).moment = None


@misbuilt
def size_comes_back(simulator: ExecutionSimulator) -> None:
    """Finds the whole displayed size again with every order."""
    become(simulator.venue, RefreshingVenue)


@misunderstood
def always_improves(scenario: Scenario) -> Scenario:
    """Gives a resting limit every better price the market jumps to."""
    return venue(scenario, price_improvement=PriceImprovement.ALWAYS)


class IdVenue(SimulatedVenue):
    def place(self, orders: tuple[Order, ...], now: int, native: object) -> None:
        super().place(orders, now, native)
        for order in orders:
            if order.order_id in self.working:
                self.working[order.order_id].sequence = int.from_bytes(order.order_id.encode())


@misbuilt
def priority_by_id(simulator: ExecutionSimulator) -> None:
    """Lets the lower id go first where the earlier order should."""
    become(simulator.venue, IdVenue)


class OneDraw(Draws):
    __slots__ = ()

    def delay(self, leg: Leg, key: str, n: int) -> int:
        return super().delay(leg, key, 1 if leg is Leg.FILL else n)


@misbuilt
def one_draw_an_order(simulator: ExecutionSimulator) -> None:
    """Draws one fill delay for an order, and uses it for each of its matches."""
    become(simulator.gate.wire._draws, OneDraw)


@misunderstood
def trades_at_the_middle(scenario: Scenario) -> Scenario:
    """Lets both sides trade at the middle of the quote."""

    def middle(row: Any) -> Any:
        price = (row.bid + row.ask) / 2 if isinstance(row, Quote) else None
        return row if price is None else replace(row, bid=price, ask=price)

    free = tuple(replace(one, tick_size=Decimal("0.001")) for one in scenario.instruments)
    tape = replace(scenario.tape, rows=tuple(map(middle, scenario.tape.rows)))
    wide = any(isinstance(row, Quote) and row.bid != row.ask for row in scenario.tape.rows)
    return replace(scenario, tape=tape, instruments=free) if wide else scenario


@misunderstood
def knows_only_the_bid(scenario: Scenario) -> Scenario:
    """Lets buys meet the bid, as if nobody asked for more."""
    rows = [replace(row, ask=row.bid) if isinstance(row, Quote) else row for row in scenario.tape.rows]
    return replace(scenario, tape=replace(scenario.tape, rows=tuple(rows)))


@misunderstood
def never_slips(scenario: Scenario) -> Scenario:
    """Knows no slippage."""
    return venue(scenario, slippage_bps=ZERO)


@misunderstood
def off_the_grid(scenario: Scenario) -> Scenario:
    """Knows no tick size: what slips ends between two ticks, and any price is taken."""
    return replace(scenario, instruments=tuple(replace(one, tick_size=None) for one in scenario.instruments))


@misunderstood
def slips_beyond_limits(scenario: Scenario) -> Scenario:
    """Forgets limits where there is slippage: one of 10.01 is filled at 10.05."""
    if not scenario.execution.venue.slippage_bps:
        return scenario
    return orders(scenario, lambda one: replace(one, order_type=OrderType.MARKET, limit_price=None))


class SlippingMakers(Matcher):
    __slots__ = ()

    def _execute(self, working: Working, book: Book, moment: Moment, price: Decimal, **what: Any) -> None:
        resting = what["liquidity"].value == "maker"
        if resting:
            price = price * (self._buy_slip if working.is_buy else self._sell_slip)
        super()._execute(working, book, moment, price, **what)


@misbuilt
def makers_slip(simulator: ExecutionSimulator) -> None:
    """Charges slippage on resting limits too."""
    become(simulator.venue._matcher, SlippingMakers)


@misunderstood
def touch_is_enough(scenario: Scenario) -> Scenario:
    """Fills a limit when its price is printed, where a trade through it was asked for."""
    return venue(scenario, limit_fill=LimitFill.TOUCH)


@mistold
def tells_no_refused_requests(record: RunRecord) -> RunRecord:
    """Leaves an author without an answer to a cancel or a modify that came too late."""
    late = (CancelRefused, ModifyRefused)
    return replace(record, events=tuple(event for event in record.events if not isinstance(event, late)))


# -- groups ------------------------------------------------------------------------------------------------------------


class LooseGroups(SimulatedVenue):
    def _end_group(self, working: Working, now: int) -> None:
        """Let the others work on."""


@misbuilt
def groups_work_on(simulator: ExecutionSimulator) -> None:
    """Lets the other orders of an OCO group work on."""
    become(simulator.venue, LooseGroups)


class WakefulVenue(SimulatedVenue):
    def _take_in(self, working: Working, book: Book, now: int, *, awake: bool) -> None:
        super()._take_in(working, book, now, awake=True)
        if not awake:
            self._activate(working, book, now)


@misbuilt
def exits_never_sleep(simulator: ExecutionSimulator) -> None:
    """Lets a bracket's exits work before its entry is filled."""
    become(simulator.venue, WakefulVenue)


class Orphans(SimulatedVenue):
    def _wake_children(self, parent: Working, now: int) -> None:
        filled, parent.filled = parent.filled, parent.filled or Decimal(1)
        super()._wake_children(parent, now)
        parent.filled = filled


@misbuilt
def exits_outlive_their_entry(simulator: ExecutionSimulator) -> None:
    """Wakes a bracket's exits although its entry was cancelled unfilled."""
    become(simulator.venue, Orphans)


class PartIsNothing(SimulatedVenue):
    def _wake_children(self, parent: Working, now: int) -> None:
        filled, parent.filled = parent.filled, ZERO if parent.remaining else parent.filled
        super()._wake_children(parent, now)
        parent.filled = filled


@misbuilt
def exits_die_with_a_part(simulator: ExecutionSimulator) -> None:
    """Ends a bracket's exits when its entry is cancelled, also where it was filled in part."""
    become(simulator.venue, PartIsNothing)


@misunderstood
def sends_brackets_in_pieces(scenario: Scenario) -> Scenario:
    """Sends a bracket as orders of their own, so that one may leave where the other may not."""
    script: list[Instruction] = []
    for step in scenario.script:
        if isinstance(step, SubmitAt) and len(step.orders) > 1:
            entry, *exits = step.orders
            pieces = [entry, *[replace(one, parent_id=entry.order_id, oco_id="exits") for one in exits]]
            script += [SubmitAt(step.at, (one,)) for one in pieces]
        else:
            script.append(step)
    return replace(scenario, script=tuple(script))


@misunderstood
def submits_at_once(scenario: Scenario) -> Scenario:
    """Ignores the submit leg, for brackets too."""
    latency = replace(scenario.execution.latency, submit=LATENCY_INSTANT.leg(Leg.SUBMIT))
    return execution(scenario, latency=replace(latency, modify=scenario.execution.latency.leg(Leg.MODIFY)))


# -- risk --------------------------------------------------------------------------------------------------------------


@misunderstood
def wired_to_nothing(scenario: Scenario) -> Scenario:
    """Takes a risk configuration, and never asks it."""
    return execution(scenario, risk=None)


@misunderstood
def limits_exclude_themselves(scenario: Scenario) -> Scenario:
    """Refuses what is equal to a limit."""
    less = Decimal("0.999999")
    risk = scenario.execution.risk
    if risk is None:
        return scenario
    found: dict[str, Any] = {}
    for name in ("position_limit", "exposure_limit", "drawdown_limit"):
        rule = getattr(risk, name)
        if rule is not None:
            amounts = {
                key: value * less for key in rule.__struct_fields__ if isinstance(value := getattr(rule, key), Decimal)
            }
            found[name] = replace(rule, **amounts)
    return limits(scenario, **found)


class BlindExposure(Exposure):
    __slots__ = ()

    def add(self, order: Order, anew: bool = True) -> None:
        for other in list(self._entries):
            self.drop(other)
        super().add(order, anew)


@misbuilt
def ignores_working_orders(simulator: ExecutionSimulator) -> None:
    """Looks at each order alone: five orders of 100 pass a limit of 100."""
    count_by(simulator, BlindExposure)


class StickyExposure(Exposure):
    __slots__ = ()

    def drop(self, order_id: str) -> None:
        """Count it for ever."""


@misbuilt
def counts_what_was_refused(simulator: ExecutionSimulator) -> None:
    """Goes on counting orders that were refused or have ended."""
    count_by(simulator, StickyExposure)


@misunderstood
def knows_no_values(scenario: Scenario) -> Scenario:
    """Limits units, and never what they are worth."""
    risk = scenario.execution.risk
    rule = risk.position_limit if risk is not None else None
    if rule is None or rule.max_value is None:
        return scenario
    return limits(scenario, position_limit=replace(rule, max_value=Decimal(10**20)))


@misunderstood
def knows_no_exposure(scenario: Scenario) -> Scenario:
    """Has an exposure limit that limits nothing."""
    return limits(scenario, exposure_limit=None)


class NothingReduces(Exposure):
    __slots__ = ()

    def reduces(self, order: Order) -> bool:
        return False


@misbuilt
def blocks_exits(simulator: ExecutionSimulator) -> None:
    """Stops orders that can only make a position smaller."""
    count_by(simulator, NothingReduces)


class AnyExitReduces(Exposure):
    __slots__ = ()

    def reduces(self, order: Order) -> bool:
        position = self._account.position(order.symbol)
        return position > 0 if order.side is OrderSide.SELL else position < 0


@misbuilt
def lets_a_flip_through(simulator: ExecutionSimulator) -> None:
    """Takes every order against the position for a reducing one, however large."""
    count_by(simulator, AnyExitReduces)


class NoNetting(Exposure):
    __slots__ = ()

    def settle(self) -> None:
        super().settle()
        self.net = self.gross


@misbuilt
def net_is_gross(simulator: ExecutionSimulator) -> None:
    """Adds shorts to longs where one should be set off against the other."""
    count_by(simulator, NoNetting)


@misunderstood
def knows_no_loss(scenario: Scenario) -> Scenario:
    """Has a drawdown limit that limits nothing."""
    return limits(scenario, drawdown_limit=None)


class CashAlone(Account):
    __slots__ = ()

    @property
    def equity(self) -> Decimal:
        return self.cash


@misbuilt
def values_cash_alone(simulator: ExecutionSimulator) -> None:
    """Measures drawdown on cash alone, so that to hold anything is a loss."""
    if simulator.risk_config is not None and simulator.risk_config.drawdown_limit is not None:
        become(simulator._account, CashAlone)


class NoPeak(Risk):
    __slots__ = ()

    def watch(self, now: int, only: str | None = None) -> Any:
        start = self.day_start
        self._measure_from(start, max(start, self._account.equity) if self._account.equity <= start else start)
        found = super().watch(now, only)
        self._measure_from(start, start)
        return found


@misbuilt
def loses_from_the_start(simulator: ExecutionSimulator) -> None:
    """Measures the total loss from where the day began, not from the peak."""
    become(simulator.gate.admission.risk, NoPeak)


class EndlessDay(Risk):
    __slots__ = ()

    def next_turn(self, after: int) -> int:
        return NEVER


@misbuilt
def day_never_turns(simulator: ExecutionSimulator) -> None:
    """Never begins a new day."""
    become(simulator.gate.admission.risk, EndlessDay)


class Forgiving(Controls):
    __slots__ = ()

    def turn_day(self) -> tuple[str, ...]:
        over = tuple(self.latches)
        self.latches.clear()
        self._settle()
        return over


class ForgivingRisk(Risk):
    __slots__ = ()

    def turn_day(self, *, judging: bool) -> None:
        self._measure_from(self._account.equity, self._account.equity)


@misbuilt
def midnight_forgives_all(simulator: ExecutionSimulator) -> None:
    """Releases every latch when the day turns, and measures anew."""
    become(simulator.gate.admission.controls, Forgiving)
    become(simulator.gate.admission.risk, ForgivingRisk)


class OpensWithTheMarket(ExecutionGate):
    turned = False

    def _turn_day(self, until: int) -> None:
        self.turned = self.boundary != 0
        super()._turn_day(until)

    def mark(self, symbol: str, price: Decimal, timestamp: int) -> None:
        super().mark(symbol, price, timestamp)
        risk = self.admission.risk
        if self.turned and risk is not None:
            risk._measure_from(risk._account.equity, risk.peak)
            self.turned = False


@misbuilt
def day_starts_after_the_gap(simulator: ExecutionSimulator) -> None:
    """Measures a day from its first price, so that the gap overnight never counts."""
    become(simulator.gate, OpensWithTheMarket)


def softer(scenario: Scenario, action: RiskAction, instead: RiskAction) -> Scenario:
    risk = scenario.execution.risk
    rule = risk.drawdown_limit if risk is not None else None
    if rule is None or rule.action is not action:
        return scenario
    return limits(scenario, drawdown_limit=replace(rule, action=instead))


@misunderstood
def halts_halfway(scenario: Scenario) -> Scenario:
    """Lets exits out where a rule halts."""
    return softer(scenario, RiskAction.HALT, RiskAction.CANCEL_ALL)


@misunderstood
def flattens_nothing(scenario: Scenario) -> Scenario:
    """Halts where it should also close what is held."""
    return softer(scenario, RiskAction.FLATTEN, RiskAction.HALT)


@misunderstood
def begins_enabled(scenario: Scenario) -> Scenario:
    """Begins with trading enabled, whatever was configured."""
    return limits(scenario, trading_enabled=True)


@misunderstood
def switch_leaves_orders(scenario: Scenario) -> Scenario:
    """Leaves resting orders to fill when trading is halted."""
    return switches(scenario, cancel_working=False)


@misunderstood
def switch_cancels_all(scenario: Scenario) -> Scenario:
    """Cancels what works although the operator said to leave it."""
    return switches(scenario, cancel_working=True)


class Deadlock(ExecutionGate):
    def cancel(self, order_id: str, now: int, native: object = None) -> Order:
        if self.trading_state is TradingState.HALTED:
            return self.get_order(order_id)
        return super().cancel(order_id, now, native)


@misbuilt
def halt_stops_cancels(simulator: ExecutionSimulator) -> None:
    """Lets no cancel out while trading is halted."""
    become(simulator.gate, Deadlock)


@misunderstood
def sweeps_at_once(scenario: Scenario) -> Scenario:
    """Ignores the cancel leg, also when trading is halted."""
    return execution(scenario, latency=replace(scenario.execution.latency, cancel=LATENCY_INSTANT.leg(Leg.CANCEL)))


class Priceless(Risk):
    __slots__ = ()

    def _priceless(self, *arguments: Any, **named: Any) -> Any:
        return None


@misbuilt
def missing_prices_pass(simulator: ExecutionSimulator) -> None:
    """Lets an order out whose value nobody knows, so that value limits never fire."""
    become(simulator.gate.admission.risk, Priceless)


@misunderstood
def no_price_is_stale(scenario: Scenario) -> Scenario:
    """Takes a price of any age."""
    return limits(scenario, max_price_age=None)


class UncheckedModifies(Admission):
    __slots__ = ()

    def _judge(self, order: Order, now: int, *, before: Order | None = None, shrinks: bool = False) -> Rejection | None:
        known = self._client.knows(order.order_id)
        return None if known else super()._judge(order, now, before=before, shrinks=shrinks)


@misbuilt
def modifies_are_not_checked(simulator: ExecutionSimulator) -> None:
    """Asks the rules about new orders alone."""
    become(simulator.gate.admission, UncheckedModifies)


class NoGroups(Exposure):
    __slots__ = ()

    def add(self, order: Order, anew: bool = True) -> None:
        super().add(replace(order, oco_id=None) if order.parent_id is None else order, anew)


@misbuilt
def groups_count_twice(simulator: ExecutionSimulator) -> None:
    """Counts every order of an OCO group."""
    count_by(simulator, NoGroups)


@misunderstood
def drops_rule_objects(scenario: Scenario) -> Scenario:
    """Runs without the rules that the user handed over."""
    risk = scenario.execution.risk
    kept = tuple(rule for rule in risk.rules if isinstance(rule, NamedRule | RuleObject)) if risk is not None else ()
    return limits(scenario, rules=kept)


@misunderstood
def drops_unknown_rules(scenario: Scenario) -> Scenario:
    """Runs without the rules that nobody offers."""
    risk = scenario.execution.risk
    kept = tuple(rule for rule in risk.rules if not isinstance(rule, NamedRule)) if risk is not None else ()
    return limits(scenario, rules=kept)


class Lenient:
    def __init__(self, rule: Any) -> None:
        self.rule, self.name = rule, type(rule).__name__

    def check(self, order: Order, account: Any, now: int) -> RiskViolation | None:
        try:
            answer: RiskViolation | None = self.rule.check(order, account, now)
        except RuntimeError:
            return None
        return answer


@misunderstood
def failing_rules_pass(scenario: Scenario) -> Scenario:
    """Takes a rule that fails for one that has nothing against the order."""
    risk = scenario.execution.risk
    rules = [rule if isinstance(rule, NamedRule) else Lenient(rule) for rule in risk.rules] if risk is not None else []
    return limits(scenario, rules=tuple(rules))


# -- checkpoints -------------------------------------------------------------------------------------------------------


@misrestored
def forgets_what_is_in_flight(restored: ExecutionSimulator) -> None:
    """Restores a session without the queue of what was under way."""
    for lane in (restored.gate.wire.requests, restored.gate.wire.reports):
        lane.messages.clear()
        lane.head = NEVER


@misrestored
def forgets_the_log(restored: ExecutionSimulator) -> None:
    """Restores a session without what had happened in it."""
    restored.gate.client.events.clear()


@misrestored
def instant_after_a_restart(restored: ExecutionSimulator) -> None:
    """Restores INSTANT where the latency was another one."""
    config = restored.config
    restored.gate.wire._draws = Draws(LATENCY_INSTANT, config.seed, config.simulator_id)
    restored.gate.wire._submit_delay = restored.gate.wire._fill_delay = restored.gate.wire.ack_delay = 0


@misrestored
def forgets_how_often_it_drew(restored: ExecutionSimulator) -> None:
    """Restores a session that counts its orders anew, and draws the delays of the first one again."""
    restored.gate.wire._counts.clear()


@misrestored
def forgets_what_trails(restored: ExecutionSimulator) -> None:
    """Restores a trailing stop without the best price it has seen."""
    for working in list(restored.venue.working.values()):
        if working.extreme is not None:
            book = restored.venue.market.book(working.symbol)
            book.leave(working)
            working.extreme = working.trigger = None
            working.met = False
            book.keep(working, "fresh")


@misrestored
def forgets_who_sleeps(restored: ExecutionSimulator) -> None:
    """Restores a bracket without its exits' parent."""
    restored.venue.children.clear()


@misrestored
def forgets_latches(restored: ExecutionSimulator) -> None:
    """Restores a session with trading enabled, and the loss forgiven."""
    restored.gate.admission.controls.latches.clear()
    restored.gate.admission.controls._settle()


@misrestored
def forgets_what_was_taken(restored: ExecutionSimulator) -> None:
    """Restores a quote with its whole size, whatever was taken of it."""
    for book in restored.venue.market.books.values():
        book.moment = None


class Forgetful(Ladder):
    """Keeps nothing."""

    def load_state(self, value: Any) -> None:
        """Begin anew."""


@misunderstood
def forgets_the_strategy(scenario: Scenario) -> Scenario:
    """Restores a session without what its strategy remembered."""
    ref = scenario.strategy
    if ref is None or not ref.path.endswith(":Ladder"):
        return scenario
    return replace(scenario, strategy=replace(ref, path=f"{__name__}:Forgetful"))


@mistold
def leaves_without_a_trace(record: RunRecord) -> RunRecord:
    """Keeps no checkpoint of a run that is interrupted."""
    return replace(record, checkpoints=()) if record.stopped is not None else record


@misunderstood
def knows_no_seconds(scenario: Scenario) -> Scenario:
    """Takes no checkpoints by simulated time."""
    timed = isinstance(scenario.execution.checkpoint_every, int)
    return execution(scenario, checkpoint_every="never") if timed else scenario


@engine
class StartsAnew(Native):
    """Begins from the beginning where a checkpoint cannot be believed."""

    def run(self, scenario: Scenario, **settings: Any) -> RunRecord:
        try:
            return super().run(scenario, **settings)
        except CheckpointError:
            return super().run(replace(scenario, resume_from=None), **settings)


@engine
class IgnoresFormats(Native):
    """Begins from the beginning where a checkpoint is of a format it does not know."""

    def run(self, scenario: Scenario, **settings: Any) -> RunRecord:
        try:
            return super().run(scenario, **settings)
        except CheckpointVersionError:
            return super().run(replace(scenario, resume_from=None), **settings)


@engine
class BelievesAnything(Native):
    """Begins from the beginning where a file is torn, changed, newer or gone; only other settings stop it."""

    def run(self, scenario: Scenario, **settings: Any) -> RunRecord:
        try:
            return super().run(scenario, **settings)
        except CheckpointError as error:
            if "began with" in str(error):
                raise
            return super().run(replace(scenario, resume_from=None), **settings)


# -- money, names, strategies ------------------------------------------------------------------------------------------


@misunderstood
def knows_no_minimum(scenario: Scenario) -> Scenario:
    """Charges no minimum."""
    fees = scenario.execution.venue.fees
    return venue(scenario, fees=replace(fees, minimum=ZERO)) if isinstance(fees, FeeSchedule) else scenario


@misunderstood
def margin_is_cash(scenario: Scenario) -> Scenario:
    """Refuses short sales and leverage where a margin account was asked for."""
    return (
        execution(scenario, venue=replace(VenueConfig(), convention=scenario.execution.venue.convention))
        if (scenario.execution.venue.account_type is AccountType.MARGIN)
        else scenario
    )


@misunderstood
def knows_no_leverage(scenario: Scenario) -> Scenario:
    """Lets a margin account carry its equity and no more."""
    return venue(scenario, leverage=Decimal(1))


class BidMarks(ExecutionSimulator):
    def _do_quote(self, quote: Quote) -> None:
        super()._do_quote(quote)
        self.gate.mark(quote.symbol, quote.bid, quote.ts)


@engine
class ValuesAtTheBid(Native):
    """Values positions at the bid."""

    def __init__(self) -> None:
        super().__init__(simulator=BidMarks)


@misunderstood
def renames_strategies(scenario: Scenario) -> Scenario:
    """Names a strategy's orders as it likes."""
    ref = scenario.strategy
    return scenario if ref is None else replace(scenario, strategy=replace(ref, strategy_id="native"))


@engine
class RunsWithoutStrategy(Native):
    """Runs on where the strategy is missing or has failed."""

    def run(self, scenario: Scenario, **settings: Any) -> RunRecord:
        try:
            return super().run(scenario, **settings)
        except StrategyError:
            return super().run(replace(scenario, strategy=None), **settings)


@engine
class RefusesAll(Native):
    """Claims everything, and refuses every scenario."""

    def run(self, scenario: Scenario, **settings: Any) -> RunRecord:
        raise InvalidConfigError("scenario", "any", "this engine takes none")


# -- claims ------------------------------------------------------------------------------------------------------------


class Honest(Native):
    """Names in its records what it claims, and runs whatever it can."""

    def told(self, record: RunRecord) -> RunRecord:
        return replace(record, engine=replace(record.engine, capabilities=tuple(sorted(self.claims))))


for claim in sorted(frozenset(Cap) - SMALL):
    spoken, claimed = claim.value.replace("_", " "), claim in ALL
    text = f"Takes {spoken} and does not claim it." if claimed else f"Claims {spoken} and refuses it."
    body = {"claims": ALL ^ {claim}, "__doc__": text}
    verb = "Swallows" if claimed else "Promises"
    NATIVE_FLAWS.append(type(f"{verb}{spoken.title().replace(' ', '')}", (Honest,), body))

"""The broker to swap in: Backtrader's own, behind the gate."""

from __future__ import annotations

import copy
from decimal import Decimal
from typing import TYPE_CHECKING, Any, ClassVar

import backtrader as bt
from backtrader.brokers.bbroker import BackBroker
from backtrader.order import BuyOrder, SellOrder

from seatrial.contracts.latency import LATENCY_INSTANT, Constant, LatencyConfig, Leg
from seatrial.contracts.terms import OrderSide
from seatrial.gate.gate import ExecutionGate
from seatrial.gate.queue import NEVER
from seatrial_backtrader.daily import DailyStamps
from seatrial_backtrader.desk import Desk, Ticket, Told
from seatrial_backtrader.matching import Matcher, Venue
from seatrial_backtrader.naming import Names
from seatrial_backtrader.opening import check, open_gate, refuse_unknown
from seatrial_backtrader.orders import core_order
from seatrial_backtrader.recovery import Recovery, check_recovery
from seatrial_backtrader.replica import Replica
from seatrial_backtrader.stamps import exact, span, to_ns
from seatrial_backtrader.switches import Switches

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    from seatrial.contracts.checkpoint import ExecutionCheckpoint
    from seatrial.contracts.events import Event
    from seatrial.contracts.orders import Order
    from seatrial.contracts.plugin import Observer
    from seatrial.contracts.risk import RiskConfig
    from seatrial.gate.observers import Observers
    from seatrial.plugins import Plugins
    from seatrial_backtrader.account import BrokerAccount

__all__ = ["SeatrialBroker"]

_HALF = Decimal("0.5")


class SeatrialBroker(Switches):
    """Backtrader's broker behind the gate: `cerebro.setbroker(SeatrialBroker())`, and nothing else changes.

    It takes every argument of `backtrader.brokers.BackBroker`, and these:

    - `latency_config`: how long orders, cancels and reports travel; `LATENCY_INSTANT` unless given.
    - `risk_config`: what limits the orders that leave. Even an empty one puts the gate in front, with its kill switch.
    - `simulator_id`, `seed`: whose session it is, and what its delays are drawn from.
    - `observers`: names or objects that hear every event.
    - `bar_theta`: the part of a bar by which an order must have arrived to take part in it from its open.
    - `stale_match`: `stock` lets an order meet a bar older than itself, as Backtrader does where a feed has not moved
      on; `never` does not.
    - `checkpoints`: the directory for checkpoints; `checkpoint_every` says when one is taken, after all strategies have
      acted: with every `bar` (unless given otherwise), `event`, whole seconds of simulated time, or `never`.
    - `resume`: `latest` goes on from the newest good checkpoint of `simulator_id`; or give one that was loaded. The
      feeds are read from their start again, for the indicators, and nothing trades until the checkpoint is reached.
    - `ledgers`: 2 keeps the strategy's ledger apart from the venue's even where no report is delayed.

    Without any of them, and without delays, it is the stock broker itself, and there is no gate.
    """

    params = (
        ("latency_config", LATENCY_INSTANT),
        ("risk_config", None),
        ("simulator_id", "sim"),
        ("seed", 0),
        ("observers", ()),
        ("plugins", None),
        ("bar_theta", _HALF),
        ("stale_match", "stock"),
        ("ledgers", 1),
        ("checkpoints", None),
        ("checkpoint_every", None),
        ("resume", False),
    )

    if TYPE_CHECKING:

        def __init__(
            self,
            *,
            latency_config: LatencyConfig = LATENCY_INSTANT,
            risk_config: RiskConfig | None = None,
            simulator_id: str = "sim",
            seed: int = 0,
            observers: Iterable[str | Observer] = (),
            plugins: Plugins | None = None,
            bar_theta: Decimal = _HALF,
            stale_match: str = "stock",
            ledgers: int = 1,
            checkpoints: str | Path | None = None,
            checkpoint_every: str | int | None = None,
            resume: bool | str | ExecutionCheckpoint = False,
            indexed: bool = True,
            **backtrader: Any,
        ) -> None: ...

    else:

        def __init__(self, **unknown: Any) -> None:
            """Begin; Backtrader has taken every argument it knows by now.

            :raises InvalidConfigError: for any other, with the name that is nearest to it.
            """
            refuse_unknown(unknown, self.p._getkeys())
            super().__init__()

    far_type: ClassVar[type[Venue]] = Venue
    """What the far ledger is kept by."""
    venue: Any = None
    """The far ledger, where there are two."""
    recovery: Recovery | None = None
    """What takes the checkpoints of the present run; `None` where there is no gate."""
    _replica: Replica | None = None
    _account: BrokerAccount
    _names: Names
    _observers: Observers
    _clock: int | None = None
    _cheats: bool | None = None
    """Whether strategies may act before the broker has seen a bar; known from the first cycle on."""

    # -- the run ---------------------------------------------------------------------------------------------------

    def start(self) -> None:
        """Open the gate for a run.

        :raises InvalidConfigError: naming the argument that cannot be used.
        """
        self.gate = self.desk = self.venue = self._replica = self.recovery = None
        super().start()
        check(self.p)
        check_recovery(self.p)
        self.keeps_off_stale = self.p.stale_match == "never"
        if not self._stands():
            return
        self._names = Names(self.cerebro.datas, self.cerebro.runningstrats)
        self._groups: dict[int, list[tuple[Any, bool]]] = {}
        self._held: dict[int, Any] = {}
        self._sent: dict[str, int] = {}
        self._owners: dict[str, Any] = {}
        self._marked: dict[Any, float] = {}
        self._clock = None
        self._cheats = None
        if self.p.ledgers == 2 or _delays(self.p.latency_config, Leg.FILL, Leg.ACK):  # noqa: PLR2004 - two ledgers
            self.venue = self._far_ledger()
            self._replica = Replica(self, self.venue, self._in_flight)
        self.gate, self.desk, self._account, self._observers = self._open()
        self._ruled = self.gate.admission.risk is not None
        self._stamps = DailyStamps(self._names.datas if _delays(self.p.latency_config, *Leg) else {})
        if self.venue is not None:
            self.venue.desk = self.desk
            self.venue.keeps_off_stale = self.keeps_off_stale
        self.recovery = Recovery(self)

    def stop(self) -> None:
        """End the run."""
        super().stop()
        if self.recovery is not None:
            self.recovery.close()

    def _stands(self) -> bool:
        """Return whether the run needs the gate at all."""
        return _asks_for_a_gate(self.p)

    def _open(self) -> tuple[ExecutionGate, Desk, BrokerAccount, Observers]:
        """Open the gate of the run."""
        return open_gate(self, self.p, self._names, self._hear)

    def _far_ledger(self) -> Venue:
        venue = self.far_type()
        venue.p = venue.params = self.p  # what setters set holds for both
        venue.comminfo = self.comminfo
        venue.cerebro = self.cerebro
        venue.init()
        venue._userhist, venue._fundhist = self._userhist, self._fundhist
        venue.cash = venue._value = self.cash
        venue.startingcash = self.startingcash
        venue._fundval, venue._fundshares = self._fundval, self._fundshares
        self._ocos, self._ocol, self.d_credit = venue._ocos, venue._ocol, venue.d_credit
        return venue

    @property
    def _book(self) -> Matcher:
        return self if self.venue is None else self.venue

    def _in_flight(self) -> bool:
        return self.gate is not None and bool(self.gate.wire.reports)

    def next(self) -> None:
        """Do what Backtrader's cycle does, with what arrives by the present bar, and report what came of it."""
        gate, desk = self.gate, self.desk
        if gate is None or desk is None:
            super().next()
            return
        wire, book = gate.wire, self._book
        if self._cheats is None:
            if self.recovery is not None:
                self.recovery.watch()
            self._cheats = self.cerebro.p.cheat_on_open or bool(self.cerebro._timerscheat)
        self._clock = None
        if self._stamps.unseen:
            self._stamps.look()
        deposit = sum(book._cash_addition) if book._cash_addition else 0.0
        if self._replica is not None:
            self._replica.begin()
        if wire.requests.head != NEVER or desk.waiting:
            gate.release(self._now())
            desk.before()
        wire.reports.due(gate.now)  # also what a bar brings that is older than this is heard no earlier
        works = bool(book.pending)
        book.match()
        if self._ruled or self._cheats or works or deposit or book.interest or desk.waiting or wire.next_due() != NEVER:
            self._report(gate, desk, deposit, book.interest)
        self._flush()
        if self._replica is not None:
            self._replica.settle()
        if self._ruled:
            gate.assess()

    def _report(self, gate: ExecutionGate, desk: Desk, deposit: float, interest: float) -> None:
        """Let everything due by now arrive; what happened within the bar is judged at its end."""
        now = desk.turn = self._now()
        desk.after(now)
        for amount, cause in ((deposit, "deposit"), (-interest, "interest")):
            if amount:
                booked = exact(amount)
                self._account.withheld += booked
                gate.adjusted(now, booked, cause, native=booked)
        if self._ruled:
            self._mark(gate)
        gate.judging = False
        try:
            while gate.due() <= now:
                gate.step(now)
            gate.now = now
        finally:
            gate.judging = True

    def _mark(self, gate: ExecutionGate) -> None:
        for symbol, data in self._names.datas.items():
            if not len(data):
                continue
            stamp, close = data.datetime[0], data.close[0]
            if self._marked.get(data) != stamp and close == close:  # noqa: PLR0124 - a NaN is no price
                self._marked[data] = stamp
                gate.mark(symbol, exact(close), to_ns(stamp))

    def _now(self) -> int:
        """Return the broker's time: the newest stamp of its feeds, in UNIX ns UTC."""
        if self._clock is None:
            stamps = [to_ns(data.datetime[0]) for data in self.cerebro.datas if len(data)]
            gate_now = 0 if self.gate is None else self.gate.now
            self._clock = max([gate_now, *stamps])
        return self._clock

    def _turn(self, data: Any) -> int:
        """Return when the strategy acts: at the broker's time, or at the open of a bar that the broker has not seen."""
        if self._cheats is False:
            return self._now()
        seen = 0 if self.gate is None else self.gate.now
        start, end = span(data)
        return max(seen, start) if end > seen else seen

    # -- the strategy's side ---------------------------------------------------------------------------------------

    def submit(self, order: Any, check: bool = True) -> Any:  # noqa: FBT001, FBT002 - Backtrader's signature
        """Send an order; a bracket leaves with the order that transmits it."""
        if self.gate is None:
            return super().submit(order, check=check)
        if order.exectype == bt.Order.Historical:  # what is past was decided by nobody here
            if self._replica is None or self.venue is None:
                return super().submit(order, check=check)
            self.venue.submit(self._replica.twin(order), check=check)
            self._flush()
            return order
        leader = _leader(order)
        lost = leader != order.ref and leader not in self._groups and not self._is_there(leader)
        held = [(one, checked) for one, checked in self._groups.pop(leader, []) if self._is_held(one, leader)]
        group = [*held, (order, check)]
        if order.transmit or lost:
            self._send(group)
        else:
            self._groups[leader] = group
            self._hold(order, leader)
        return order

    def _is_there(self, ref: int) -> bool:
        sent = None if self.desk is None else self.desk.tickets.get(ref)
        return (sent is not None and sent.order.parent is None) or ref in self._book._pchildren

    def _hold(self, order: Any, leader: int) -> None:
        """Keep an order that is not to be sent yet where Backtrader does: with its parent, whose end it shares."""
        if self._replica is not None:
            order = self._held[order.ref] = self._replica.twin(order)
        self._book._pchildren[leader].append(order)

    def _is_held(self, order: Any, leader: int) -> bool:
        """Return whether an order kept back may still leave: its parent has not ended, as far as the strategy knows."""
        return order in self._book._pchildren.get(leader, ()) or (order.parent is not None and order.parent.alive())

    def release(self, tickets: Sequence[Ticket]) -> None:
        """Keep orders back no longer: they have arrived."""
        for ticket in tickets:
            kept = self._book._pchildren.get(_leader(ticket.order))
            if kept is not None and ticket.order in kept:
                kept.remove(ticket.order)

    def _send(self, group: list[tuple[Any, bool]]) -> None:
        gate, desk = self.gate, self.desk
        if gate is None or desk is None:
            return
        now = desk.turn = self._turn(group[0][0].data)
        strategy_id = self._names.strategy(group[0][0].owner)
        tickets: list[Ticket] = []
        cores: list[Order] = []
        for order, checked in group:
            symbol = self._names.symbol(order.data)
            order_id = order.order_id = self._next_id(strategy_id)
            cores.append(core_order(order, symbol, strategy_id, order_id, now, **self._links(order)))
            tickets.append(Ticket(order, order_id, symbol, now, check=checked))
            desk.open(tickets[-1])
            self._owners[symbol] = order.owner
        sent = (gate.submit(cores[0], now),) if len(cores) == 1 else gate.submit_group(tuple(cores), now)
        for ticket, core in zip(tickets, sent, strict=True):
            if not core.reached_venue:
                self._refuse(ticket, core)
            elif not ticket.entered and desk.tickets.get(ticket.order.ref) is ticket:
                self.announce(ticket)
                ticket.announced = True
        self._flush()

    def _next_id(self, strategy_id: str) -> str:
        n = self._sent[strategy_id] = self._sent.get(strategy_id, 0) + 1
        return f"{strategy_id}-{n}"

    def _links(self, order: Any) -> dict[str, str | None]:
        """Return the ids that tie an order to its parent, and to those that end with it."""
        parent = getattr(order.parent, "order_id", None)
        if parent is not None:
            return {"parent_id": parent, "oco_id": f"{parent}.exits"}
        leader = self._ocos.get(order.ref, order.ref)
        known = None if self.desk is None or leader == order.ref else self.desk.tickets.get(leader)
        return {"oco_id": known.order_id} if known is not None else {}

    def _refuse(self, ticket: Ticket, core: Order) -> None:
        """Tell the strategy that the gate refused its order; as for want of margin, the order's OCO group ends."""
        order, desk = ticket.order, self.desk
        if desk is None:
            return
        desk.close(ticket)
        order.addinfo(rejection=core.rejection, reject_reason=core.rejection_reason)
        order.reject()
        self.tell(order)
        for ref in self._ocol.pop(self._ocos.get(order.ref), ()):
            sibling = desk.tickets.get(ref)
            if sibling is not None:
                self.cancel(sibling.order)

    def cancel(self, order: Any, bracket: bool = False) -> bool:  # noqa: FBT001, FBT002 - Backtrader's signature
        """Ask to end an order; return whether it ended, or the request is under way."""
        gate, desk = self.gate, self.desk
        if order is None:
            return False
        order_id = getattr(order, "order_id", None)
        if gate is None or desk is None or bracket or order_id not in gate.client.pending:
            if self.venue is None:
                done = super().cancel(order, bracket=bracket)
            else:
                done = self.venue.cancel(copy.copy(order), bracket=bracket)
            if gate is not None and not bracket:  # it may have ended others that the core knows
                gate.advance(self._turn(order.data))
                self._flush()
            return bool(done)
        now = desk.turn = self._turn(order.data)
        ticket = desk.by_id.get(order_id)
        if ticket is None:
            gate.cancel(order_id, now)
            return True
        ticket.withdrawn, ticket.asked = None, order
        gate.cancel(order_id, now)
        self._flush()
        return ticket.withdrawn is not False

    def set_cash(self, cash: float) -> None:
        """Set the cash in currency, of both ledgers."""
        super().set_cash(cash)
        if self.venue is not None:
            self.venue.startingcash = self.venue.cash = self.venue._value = cash

    setcash = set_cash

    def add_cash(self, cash: float) -> None:
        """Add cash in currency, or take some away; it is booked when the account is next valued."""
        super().add_cash(cash)
        if self.venue is not None:
            self.venue.add_cash(cash)

    def get_value(self, datas: Any = None, mkt: bool = False, lever: bool = False) -> Any:  # noqa: FBT001, FBT002 - Backtrader's signature
        """Return the value of the account, or of the positions in some feeds, in currency."""
        value = super().get_value(datas, mkt, lever)
        if datas is not None and self._replica is not None and not self._in_flight():
            self._replica.reflect()
        return value

    getvalue = get_value

    # -- the desk's side -------------------------------------------------------------------------------------------

    def notify(self, order: Any) -> None:
        """Take what the stock broker says of an order."""
        if self.desk is None:
            super().notify(order)
        else:
            self.desk.hear(order)

    def tell(self, order: Any) -> None:
        """Queue a notification for the strategy."""
        BackBroker.notify(self, order)

    def part(self, ticket: Ticket) -> None:
        """Give an order that has arrived an object of the venue's own, where there are two ledgers."""
        if self._replica is not None:
            ticket.twin = self._held.pop(ticket.order.ref, None) or self._replica.twin(ticket.order)

    def enter(self, ticket: Ticket) -> None:
        """Take an order as Backtrader would from a strategy."""
        if self.venue is None:
            super().submit(ticket.order, check=ticket.check)
        else:
            self.venue.submit(ticket.twin, check=ticket.check)

    def withdraw(self, ticket: Ticket) -> bool:
        """Cancel an order as Backtrader would for a strategy."""
        if self.venue is None or self._replica is None:
            return bool(super().cancel(ticket.asked))
        if ticket.asked is not ticket.order:
            self._replica.asked[ticket.order.ref] = ticket.asked
        done = bool(self.venue.cancel(ticket.twin))
        if not done:
            self._replica.asked.pop(ticket.order.ref, None)
        return done

    def announce(self, ticket: Ticket) -> None:
        """Tell the strategy that its order was submitted: when it leaves, and not again when it arrives."""
        if ticket.announced or not (ticket.check and self.p.checksubmit):
            ticket.announced = False
            return
        self._flush()
        order = ticket.order
        if ticket.twin is not order or order.status == bt.Order.Created:
            order.submit()
        if self.venue is not None:
            self.orders.append(order)
        self.tell(order)

    def is_group_dead(self, ticket: Ticket) -> bool:
        """Return whether the order's OCO group has ended."""
        leader = self._ocos.get(ticket.order.ref)
        return self._ocos.get(leader) not in self._ocol

    def witness(self, order: Any) -> Told:
        """Return what the strategy is to learn of an order as it stands at the venue."""
        clone = order.clone()
        if self.venue is None or clone.executed.p2 == clone.executed.p1:
            return Told(clone)
        compensated = order.data._compensate
        data = order.data if compensated is None else compensated
        venue = self.venue
        return Told(clone, venue.cash - venue.cash_before, (data, copy.copy(venue.positions[data])))

    def closing(self, order: Order) -> Any:
        """Return a Backtrader order for one that the gate sends by itself."""
        kind: Any = BuyOrder if order.side is OrderSide.BUY else SellOrder
        whole = order.quantity == order.quantity.to_integral_value()
        made = kind(
            owner=self._owners.get(order.symbol),
            data=self._names.datas[order.symbol],
            size=int(order.quantity) if whole else float(order.quantity),
            exectype=bt.Order.Market,
        )
        made.order_id = order.order_id
        self._ocoize(made, None)
        return made

    def _hear(self, event: Event, order: Order | None, native: object) -> None:  # noqa: ARG002 - a sink's signature
        if isinstance(native, Decimal):
            self._account.withheld -= native
        elif isinstance(native, Told):
            for told in (*native.before, native):
                self._apply(told)

    def _apply(self, told: Told) -> None:
        if self._replica is not None:
            self._replica.apply(told)
        elif not told.silent:
            self.notifs.append(told.order)

    def _flush(self) -> None:
        """Tell what no event of the core's brings along."""
        if self.desk is not None and self.desk.carry:
            carried, self.desk.carry = self.desk.carry, []
            for told in carried:
                self._apply(told)


def _leader(order: Any) -> int:
    return int(order.ref if order.parent is None else order.parent.ref)


def _delays(latency: LatencyConfig, *legs: Leg) -> bool:
    return any(latency.leg(leg) != Constant(0) for leg in legs)


def _asks_for_a_gate(p: Any) -> bool:
    """Return whether a run needs the gate at all."""
    kept = p.checkpoints is not None or p.resume is not False
    return bool(kept or p.risk_config is not None or p.observers or p.ledgers == 2 or _delays(p.latency_config, *Leg))  # noqa: PLR2004 - two ledgers

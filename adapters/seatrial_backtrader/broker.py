"""The broker to swap in: Backtrader's own, behind the gate."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any

import backtrader as bt

from seatrial.contracts.latency import LATENCY_INSTANT, LatencyConfig, Leg
from seatrial.errors import InvalidConfigError
from seatrial.gate.gate import ExecutionGate
from seatrial_backtrader.clones import clone, keep_terms
from seatrial_backtrader.daily import DailyStamps
from seatrial_backtrader.desk import Desk, Ticket
from seatrial_backtrader.ledgers import leader_of
from seatrial_backtrader.logbook import Logbook
from seatrial_backtrader.lookout import Lookout
from seatrial_backtrader.naming import Names
from seatrial_backtrader.opening import check, delays, needs_gate, open_gate, refuse_unknown, scaled
from seatrial_backtrader.orders import core_order, read_terms
from seatrial_backtrader.recovery import Recovery, check_recovery
from seatrial_backtrader.replica import Replica
from seatrial_backtrader.stamps import exact

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from seatrial.contracts.checkpoint import ExecutionCheckpoint
    from seatrial.contracts.engine import RunRecord
    from seatrial.contracts.orders import Order
    from seatrial.contracts.plugin import Observer
    from seatrial.contracts.rejection import Rejection
    from seatrial.contracts.risk import RiskConfig
    from seatrial.gate.observers import Observers
    from seatrial.plugins import Plugins
    from seatrial_backtrader.account import BrokerAccount

__all__ = ["SeatrialBroker"]

_HALF = Decimal("0.5")


class SeatrialBroker(Lookout):
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
      `checkpoint_keep` is how many of its newest files a run leaves; all of them unless given.
    - `resume`: `latest` goes on from the newest good checkpoint of `simulator_id`; or give one that was loaded. The
      feeds are read from their start again, for the indicators, and nothing trades until the checkpoint is reached.
    - `record`: note what `run_record` returns.
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
        ("checkpoint_keep", None),
        ("resume", False),
        ("record", False),
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
            checkpoint_keep: int | None = None,
            resume: bool | str | ExecutionCheckpoint = False,
            record: bool = False,
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

    initial_cash: Decimal
    """The cash in currency with which the present run began."""
    recovery: Recovery | None = None
    """What takes the checkpoints of the present run; `None` where there is no gate."""
    logbook: Logbook | None = None
    """What notes the record of the present run, where one was asked for."""
    _observers: Observers

    # -- the run ---------------------------------------------------------------------------------------------------

    def start(self) -> None:
        """Open the gate for a run.

        :raises InvalidConfigError: naming the argument that cannot be used.
        """
        self.gate = self.desk = self.venue = self._replica = self.recovery = self.logbook = None
        super().start()
        self.initial_cash = exact(self.startingcash)
        check(self.p)
        check_recovery(self.p)
        self.keeps_off_stale = self.p.stale_match == "never"
        if not self._stands():
            return
        self._names = Names(self.cerebro.datas, self.cerebro.runningstrats)
        self._groups: dict[int, list[tuple[Any, bool]]] = {}
        self._held = {}
        self._sent: dict[str, int] = {}
        self._owners = {}
        self._marked: dict[Any, tuple[float, float]] = {}
        self._clock = None
        self._cheats, self._early = None, Decimal(0)
        self._patient = False
        if self.p.ledgers == 2 or delays(self.p.latency_config, Leg.FILL, Leg.ACK):  # noqa: PLR2004 - two ledgers
            self.venue = self._far_ledger()
            self._replica = Replica(self, self.venue, self._in_flight)
        self.gate, self.desk, self._account, self._observers = self._open()
        self.desk.pieces = {data: None for data in self._names.datas.values() if data.replaying}
        self._ruled = self.gate.admission.risk is not None
        self._stamps = DailyStamps(self._names.datas if delays(self.p.latency_config, *Leg) else {})
        if self.venue is not None:
            self.venue.report_to(self.desk)
            self.venue.keeps_off_stale = self.keeps_off_stale
        self.logbook = Logbook(self) if self.p.record else None
        self.recovery = Recovery(self)

    def run_record(self) -> RunRecord:
        """Return the record of the run so far, for `seatrial.report`: events, orders, equity bar by bar, delays, costs.

        Amounts are those that Backtrader's floats show. The scenario in it says how orders were executed, and names
        the feeds; they are not in it.

        :raises InvalidConfigError: without `record=True`, or before the run.
        """
        if self.logbook is None:
            raise InvalidConfigError("record", self.p.record, "give SeatrialBroker(record=True), and run it")
        return self.logbook.record()

    def stop(self) -> None:
        """End the run."""
        super().stop()
        if self.recovery is not None:
            self.recovery.close()

    def _stands(self) -> bool:
        """Return whether the run needs the gate at all."""
        return needs_gate(self.p)

    def _open(self) -> tuple[ExecutionGate, Desk, BrokerAccount, Observers]:
        """Open the gate of the run."""
        return open_gate(self, self.p, self._names, self._hear)

    def next(self) -> None:
        """Do what Backtrader's cycle does, with what arrives by the present bar, and report what came of it."""
        gate, desk = self.gate, self.desk
        if gate is None or desk is None:
            super().next()
            return
        wire, book, replica = gate.wire, self.venue or self, self._replica
        if self._cheats is None:
            self._begin()
        self._clock = self._account.assumed = None
        if self._stamps.unseen:
            self._stamps.look()
        deposit = sum(book._cash_addition) if book._cash_addition else 0.0
        desk.begin()
        if replica is not None:
            replica.begin()
        if wire.requests.messages or desk.waiting:
            gate.release(self._now())
            desk.before()
        wire.reports.due(gate.now)  # also what a bar brings that is older than this is heard no earlier
        watched = self._ruled and (not self._patient or gate.admission.controls.latches)
        works = bool(watched or self._cheats or deposit or book.pending)
        book.match()
        if works or book.interest or desk.waiting or wire.requests.messages or wire.reports.messages:
            works = True
            self._report(gate, desk, deposit, book.interest)
        if desk.carry:
            self._flush()
        self._end_cycle(gate, desk, news=works)

    def _end_cycle(self, gate: ExecutionGate, desk: Desk, *, news: bool) -> None:
        """Bring the strategy's ledger up to date, and let rules and the record look at it."""
        if self._replica is not None:
            self._replica.settle()
        if self._ruled:
            self._look(gate, desk, news=news)
        if self.logbook is not None:
            self.logbook.row()

    def _begin(self) -> None:
        """Begin the first cycle: every setting stands by now."""
        if self.recovery is not None:
            self.recovery.watch()
        self._cheats = self.cerebro.p.cheat_on_open or bool(self.cerebro._timerscheat)
        self._patient = self._may_wait()
        if self._early:
            self._standing().adjusted(self._now(), self._early, "deposit", native=self._early)

    # -- the strategy's side ---------------------------------------------------------------------------------------

    def setcommission(self, *terms: Any, **named: Any) -> None:
        """Set what trading costs, as Backtrader does; rules value by its multiplier from now on."""
        super().setcommission(*terms, **named)
        self._rescale()

    def addcommissioninfo(self, comminfo: Any, name: str | None = None) -> None:
        """Set what trading in a feed, or in all of them, costs, as Backtrader does; multipliers as above."""
        super().addcommissioninfo(comminfo, name)
        self._rescale()

    def _rescale(self) -> None:
        """Tell the gate of the feeds' present multipliers."""
        if self.gate is not None:
            for instrument in scaled(self, self._names):
                self.gate.admission.describe(instrument)

    def submit(self, order: Any, check: bool = True) -> Any:  # noqa: FBT001, FBT002 - Backtrader's signature
        """Send an order; a bracket leaves with the order that transmits it."""
        keep_terms(order)
        if self.gate is None:
            return super().submit(order, check=check)
        if order.exectype == bt.Order.Historical:  # what is past was decided by nobody here
            if self._replica is None or self.venue is None:
                return super().submit(order, check=check)
            self.venue.submit(self._replica.twin(order), check=check)
            self._flush()
            return order
        senseless, leader = read_terms(order), leader_of(order)
        if senseless is not None:
            self._book._pchildren.pop(leader, None)
            for one, _ in (*self._groups.pop(leader, ()), (order, check)):
                self._refuse(one, senseless)
            return order
        if order.parent is None and order.transmit and order.ref not in self._groups:
            self._send_alone(order, check=check)
            return order
        held = [(one, checked) for one, checked in self._groups.pop(leader, []) if self._is_held(one, leader)]
        lost = leader != order.ref and not held and not self._is_there(leader)
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
        held = self._book._pchildren.get(leader, ())  # not the parent's status: a cancel by a copy leaves it alone
        return order in held or getattr(order.parent, "order_id", None) in self._standing().client.pending

    def _send(self, group: list[tuple[Any, bool]]) -> None:
        gate, desk = self.gate, self.desk
        if gate is None or desk is None:
            return
        now = self._take_turn(gate, desk, group[0][0])
        strategy_id = self._names.strategy(group[0][0].owner)
        written = [self._write(desk, order, strategy_id, now, check=checked) for order, checked in group]
        sent = gate.submit_group(tuple([core for _, core in written]), now)
        for (ticket, _), core in zip(written, sent, strict=True):
            self._see_off(desk, ticket, core)
        self._flush()

    def _send_alone(self, order: Any, *, check: bool) -> None:
        gate, desk = self.gate, self.desk
        if gate is None or desk is None:
            return
        now = self._take_turn(gate, desk, order)
        ticket, core = self._write(desk, order, self._names.strategy(order.owner), now, check=check)
        self._see_off(desk, ticket, gate.submit(core, now))
        if desk.carry:
            self._flush()

    def _take_turn(self, gate: ExecutionGate, desk: Desk, order: Any) -> int:
        """Return when the strategy sends an order; the rules have seen by then what they had no use for before."""
        now = desk.turn = self._turn(order.data)
        if self._patient:
            self._show(gate, now)
        return now

    def _write(self, desk: Desk, order: Any, strategy_id: str, now: int, *, check: bool) -> tuple[Ticket, Order]:
        """Return an order's ticket, which the desk knows from now on, and the order in the core's terms."""
        symbol = self._names.symbol(order.data)
        n = self._sent[strategy_id] = self._sent.get(strategy_id, 0) + 1
        order_id = order.order_id = f"{strategy_id}-{n}"
        core = core_order(order, symbol, strategy_id, order_id, now, **self._links(order))
        ticket = Ticket(order, order_id, symbol, now, core.quantity, check)
        desk.open(ticket)
        self._owners[symbol] = order.owner
        return ticket, core

    def _see_off(self, desk: Desk, ticket: Ticket, core: Order) -> None:
        """Tell the strategy what became of its order as it left."""
        if not core.reached_venue:
            desk.close(ticket)
            self._refuse(ticket.order, core.rejection)
        elif not ticket.entered and desk.tickets.get(ticket.order.ref) is ticket:
            self.announce(ticket)
            ticket.announced = True

    def _links(self, order: Any) -> dict[str, str | None]:
        """Return the ids that tie an order to its parent, and to those that end with it."""
        parent = None if order.parent is None else getattr(order.parent, "order_id", None)
        if parent is not None:
            return {"parent_id": parent, "oco_id": f"{parent}.exits"}
        ref = order.ref
        leader = self._ocos.get(ref, ref)
        known = None if self.desk is None or leader == ref else self.desk.tickets.get(leader)
        return {"oco_id": known.order_id} if known is not None else {}

    def _refuse(self, order: Any, rejection: Rejection | None) -> None:
        """Tell the strategy that its order does not leave; as for want of margin, the order's OCO group ends."""
        gate, desk = self.gate, self.desk
        if gate is None or desk is None:
            return
        desk.turn = self._turn(order.data)
        order.addinfo(rejection=rejection, reject_reason=None if rejection is None else rejection.reason)
        order.reject()
        self.tell(order)
        for ref in self._ocol.pop(self._ocos.get(order.ref), ()):
            sibling = desk.tickets.get(ref)
            if sibling is not None:
                sibling.asked = sibling.order
                gate.cancel(sibling.order_id, desk.turn)
        self._flush()

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
                done = self._cancel_far(order, clone(order), bracket=bracket)
            if gate is not None and not (bracket and self.venue is None):  # others that the core knows may have ended
                gate.advance(self._turn(order.data))
                self._flush()
            return bool(done)
        now = desk.turn = self._turn(order.data)
        ticket = desk.by_id.get(order_id)
        if ticket is None:
            gate.cancel(order_id, now)
            return True
        ticket.withdrawn, ticket.asked, desk.answering = None, order, ticket
        gate.cancel(order_id, now)
        desk.answering = None
        self._flush()
        return ticket.withdrawn is not False

"""The desk's side of a broker: Backtrader's own broker as the gate's venue, with one ledger or two."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any, ClassVar

import backtrader as bt
from backtrader.order import BuyOrder, SellOrder

from seatrial.contracts.terms import OrderSide
from seatrial_backtrader.clones import clone, noticed
from seatrial_backtrader.desk import Ticket, Told
from seatrial_backtrader.matching import Matcher, Venue
from seatrial_backtrader.stamps import exact
from seatrial_backtrader.switches import Switches

if TYPE_CHECKING:
    from collections.abc import Sequence

    from seatrial.contracts.events import Event
    from seatrial.contracts.orders import Order
    from seatrial_backtrader.account import BrokerAccount
    from seatrial_backtrader.naming import Names
    from seatrial_backtrader.replica import Replica

__all__ = ["Ledgers", "leader_of"]


class Ledgers(Switches):
    """A broker that is the gate's venue itself, or keeps the venue's ledger apart from the one its strategies read."""

    far_type: ClassVar[type[Venue]] = Venue
    """What the far ledger is kept by."""
    venue: Any = None
    """The far ledger, where there are two."""
    _replica: Replica | None = None
    _cheats: bool | None = None
    """Whether strategies may act before the broker has seen a bar; known from the first cycle on."""
    _early = Decimal(0)
    """Deposits from before the first cycle, in currency."""
    _account: BrokerAccount
    _names: Names
    _held: dict[int, Any]
    _owners: dict[str, Any]

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
        """Return whether a report is under way; what a deposit brings is in both ledgers already."""
        return self.gate is not None and any(type(one) is Told for _, _, one in self.gate.wire.reports.messages)

    def set_cash(self, cash: float) -> None:
        """Set the cash in currency, of both ledgers; while a run goes on, the difference is a deposit."""
        before, venue = self.cash, self.venue
        if self.gate is not None:
            self._deposit(exact(cash) - exact(before))
        super().set_cash(cash)
        if venue is not None:
            venue.cash = cash if venue.cash == before else venue.cash + (cash - before)  # fills are under way
            venue.startingcash = venue._value = cash

    setcash = set_cash

    def add_cash(self, cash: float) -> None:
        """Add cash in currency, or take some away; it is booked when the account is next valued."""
        super().add_cash(cash)
        if self.venue is not None:
            self.venue.add_cash(cash)

    def get_value(self, datas: Any = None, mkt: bool = False, lever: bool = False) -> Any:  # noqa: FBT001, FBT002 - Backtrader's signature
        """Return the value of the account, or of the positions in some feeds, in currency."""
        if datas is None and not mkt and not lever:
            return self._value
        if datas is not None and self.gate is not None:
            self._prepare(datas)
        value = super().get_value(datas, mkt, lever)
        if datas is not None and self._replica is not None and not self._in_flight():
            self._replica.reflect()
        return value

    getvalue = get_value

    def _prepare(self, datas: Any) -> None:
        """Make ready to value some feeds: Backtrader books what was added then, and takes theirs for all positions."""
        account = self._account
        if self._cash_addition and (self.venue is None or not self._in_flight()):
            added = exact(sum(self._cash_addition))
            if added:
                self._deposit(added)
        if self._ruled and account.assumed is None and len(datas) > 1:
            account.assumed = account.equity + account.withheld

    def _process_fund_history(self) -> Any:
        """Return what is told of the fund by now: there is one history, and each value in it is over but once."""
        if self.venue is None:
            return super()._process_fund_history()
        return self.venue._fhistlast if self._in_flight() else self.venue._process_fund_history()

    def _deposit(self, amount: Decimal) -> None:
        """Book cash that is in the ledgers at once; everybody else hears of it when a report would arrive."""
        account = self._account
        account.assumed = account.equity + account.withheld + amount
        account.withheld += amount
        if self._cheats is None:
            self._early += amount
        else:
            self._standing().adjusted(self._now(), amount, "deposit", native=amount)

    # -- what the desk asks ----------------------------------------------------------------------------------------

    def release(self, tickets: Sequence[Ticket]) -> None:
        """Keep orders back no longer: they have arrived."""
        children = self._book._pchildren
        for ticket in tickets:
            order = ticket.order
            kept = children.get(order.ref if order.parent is None else order.parent.ref)
            if kept and order in kept:
                kept.remove(order)

    def notify(self, order: Any) -> None:
        """Take what the stock broker says of an order."""
        if self.desk is None:
            self.tell(order)
        else:
            self.desk.hear(order)

    def tell(self, order: Any) -> None:
        """Queue a notification for the strategy."""
        self.notifs.append(noticed(order))

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
        if self.venue is None:
            return bool(super().cancel(ticket.asked))
        return self._cancel_far(ticket.asked, ticket.twin)

    def _cancel_far(self, asked: Any, twin: Any, *, bracket: bool = False) -> bool:
        """Cancel at the far ledger; what the strategy `asked` with is what ends for it, even if it is a copy."""
        replica = self._replica
        if replica is not None and replica.known(asked) is not asked:
            replica.asked[asked.ref] = asked
            twin, filled = clone(twin), clone(twin.executed)
            twin.executed = filled
        done = bool(self.venue.cancel(twin, bracket=bracket))
        if replica is not None and not done:
            replica.asked.pop(asked.ref, None)
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
        venue, notice = self.venue, noticed(order)
        executed = notice.executed
        if venue is None or executed.p2 == executed.p1:
            return Told(notice)
        data = order.data
        if data._compensate is not None:
            data = data._compensate
        return Told(notice, venue.cash - venue.cash_before, (data, clone(venue.positions[data])))

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
        if type(native) is Told:
            apply = self._apply if self._replica is None else self._replica.apply
            for told in native.before:
                apply(told)
            apply(native)
        elif isinstance(native, Decimal):
            self._account.withheld -= native

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


def leader_of(order: Any) -> int:
    """Return the reference of the order that a bracket hangs on: the parent's, or its own."""
    leader: int = order.ref if order.parent is None else order.parent.ref
    return leader

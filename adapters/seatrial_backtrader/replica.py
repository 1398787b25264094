"""The near ledger: what the strategy may know while the venue is already further.

Where fill reports take time, orders match in a far ledger. Cash, positions and orders that the strategy reads change
when a report arrives, all together; with nothing under way both ledgers are equal to the last bit.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from operator import itemgetter
from typing import TYPE_CHECKING, Any

import backtrader as bt

from seatrial_backtrader.clones import clone, unfilled

if TYPE_CHECKING:
    from collections.abc import Callable

    from seatrial_backtrader.desk import Told
    from seatrial_backtrader.matching import Matcher, Venue

__all__ = ["OURS", "SCALARS", "Replica"]

_ACCEPTED, _SUBMITTED = bt.Order.Accepted, bt.Order.Submitted
_ALIVE = frozenset({bt.Order.Submitted, bt.Order.Accepted, bt.Order.Partial})
OURS = "_ours"
"""The attribute by which the venue's object for an order knows the strategy's."""

SCALARS = (
    "cash",
    "_value",
    "_valuemkt",
    "_valuelever",
    "_valuemktlever",
    "_leverage",
    "_unrealized",
    "_fundval",
    "_fundshares",
)
"""What a ledger comes to, by the names of the stock broker's attributes."""
_TRAILS = frozenset({bt.Order.StopTrail, bt.Order.StopTrailLimit})
_AT_WORK = frozenset({bt.Order.Accepted, bt.Order.Partial})
_moving = itemgetter("status", "triggered", "comminfo", "_active", "broker")


class OpenOrders(Sequence[Any]):
    """The orders the strategy may know to be open, in the order in which the venue looks at them; read when asked."""

    def __init__(self, replica: Replica) -> None:
        """Read from `replica`."""
        self._replica = replica

    def _now(self) -> list[Any]:
        replica = self._replica
        if not replica.in_flight():
            return [replica.known(twin) for twin in replica.far.pending]
        accepted = replica.accepted
        at_venue = [twin.ref for twin in replica.far.pending if twin.ref in accepted]
        ended = accepted.keys() - set(at_venue)  # of which nobody has been told so far
        return [accepted[ref] for ref in (*at_venue, *sorted(ended))]

    def __len__(self) -> int:
        return len(self._now())

    def __getitem__(self, index: Any) -> Any:
        return self._now()[index]


class Replica:
    """The strategy's side of one broker with two ledgers."""

    def __init__(self, near: Matcher, far: Venue, in_flight: Callable[[], bool]) -> None:
        """Let `near` follow `far`; `in_flight` says whether a report is under way."""
        self.in_flight = in_flight
        self._near = near
        self.far = far
        """The venue's ledger."""
        pending: Any = OpenOrders(self)
        near.pending = pending
        self.orders: dict[int, Any] = {}
        """The strategy's objects for the orders that are at the venue, as far as it has been told."""
        self.accepted: dict[int, Any] = {}
        """Those of them that were reported accepted."""
        self.asked: dict[int, Any] = {}
        """The copies by which orders were cancelled: Backtrader ends the object it was handed, and no other."""
        self.trails: dict[int, tuple[Any, float, float]] = {}
        """The venue's trailing orders, with the prices that the strategy's object was last given."""
        self._restored: dict[int, Any] = {}  # the strategy's objects before a restart, whose twins do not know them
        self._waking: list[Any] = []  # the children that the venue activates

    def know(self, orders: Iterable[Any], ended: Iterable[Any]) -> None:
        """Take up the strategy's objects again, after a restart; of some that `ended` the venue may still speak."""
        self.orders = {order.ref: order for order in orders}
        self._restored = {order.ref: order for order in ended} | self.orders

    def ended(self, told: Iterable[Any]) -> list[Any]:
        """Return the strategy's objects of which the venue may still speak, or has `told`, though they have ended."""
        twins = (*self.far.pending, *self.far.submitted, *told)
        found = {twin.ref: (self.known(twin), twin) for twin in twins if twin.ref not in self.orders}
        return [order for order, twin in found.values() if order is not twin]

    def known(self, twin: Any) -> Any:
        """Return the strategy's object for one of the venue's."""
        return self.orders.get(twin.ref) or vars(twin).get(OURS) or self._restored.get(twin.ref, twin)

    def twin(self, order: Any) -> Any:
        """Return the venue's own object for the strategy's order; what was asked for is shared, what happens is not.

        The price of a trailing order happens: that it stands still would tell of a fill before the report.
        """
        if len(self._near.positions) != len(self.far.positions):
            self.touch()
        twin = clone(order)
        twin.executed = unfilled(order.executed.remsize)
        twin._ours = self.orders[order.ref] = order
        if order.exectype in _TRAILS:
            asked = order.created
            twin.created = clone(asked)
            self.trails[order.ref] = twin, asked.price, asked.pricelimit
        return twin

    def begin(self) -> None:
        """Begin a cycle: children become active with the venue's, once their parent was reported complete."""
        if len(self._near.positions) != len(self.far.positions):
            self.touch()
        if self.trails:
            self._pass_on()
        if not self.far._toactivate and not self._waking:
            return
        self._waking += self.far._toactivate
        asleep: list[Any] = []
        for twin in self._waking:
            parent = None if twin.parent is None else self.known(twin.parent)
            if parent is not None and parent.alive():
                asleep.append(twin)
            else:
                self.known(twin).activate()
        self._waking = asleep

    def touch(self) -> None:
        """Enter every feed in both books in the same order: sums of floats follow it."""
        near, far = self._near.positions, self.far.positions
        for data in (*near, *far):
            near[data]
            far[data]

    def apply(self, told: Told) -> None:
        """Take in a report: the order, the cash and the position change together, then the strategy is notified."""
        near, news = self._near, told.order
        theirs, ref = news.__dict__, news.ref
        order = self.orders.get(ref) or theirs.get(OURS) or self._restored.get(ref)
        if self.asked or order is None:
            order = self._addressee(news, order)
        reported = news.executed
        if reported.p1 == reported.p2:
            order.executed.dt = reported.dt
        else:
            _take_in(order.executed, reported)
        order.status, order.triggered, order.comminfo, order._active, order.broker = _moving(theirs)
        if "plen" in theirs:
            order.plen = theirs["plen"]
        if "pannotated" in theirs:
            order.pannotated = theirs["pannotated"]
        if ref in self.trails and (order.triggered or order.status not in _ALIVE):
            self._pass_on()
            self._show(ref, order, self.trails[ref][0].created)
        if told.held is not None:
            data, position = told.held
            if len(near.positions) != len(self.far.positions):
                self.touch()
            near.positions[data].__dict__.update(position.__dict__)
            near.cash += told.cash
        self._note(order, ref, order.status)
        if not told.silent:
            near.tell(order)

    def _pass_on(self) -> None:
        """Give the venue the prices that the strategy has assigned to its trailing orders."""
        for ref, (twin, price, limit) in self.trails.items():
            order = self.orders.get(ref)
            if order is not None and (order.created.price, order.created.pricelimit) != (price, limit):
                asked, theirs = order.created, twin.created
                theirs.price, theirs.pricelimit = asked.price, asked.pricelimit
                self.trails[ref] = twin, asked.price, asked.pricelimit

    def _show(self, ref: int, order: Any, prices: Any) -> None:
        """Let the strategy's trailing order have these prices."""
        asked = order.created
        asked.price, asked.pricelimit = prices.price, prices.pricelimit
        self.trails[ref] = self.trails[ref][0], asked.price, asked.pricelimit

    def _trail(self) -> None:
        """Let the strategy's trailing orders follow the market as far as it may know that they do."""
        known = not self.in_flight()
        for ref, (twin, _, _) in tuple(self.trails.items()):
            order = self.orders.get(ref)
            if order is None:
                del self.trails[ref]
            elif known:
                self._show(ref, order, twin.created)
            elif order.status in _AT_WORK and order.active() and not order.triggered:
                tick = getattr(order.data, "tick_close", None)
                order.trailadjust(order.data.close[0] if tick is None else tick)
                self._show(ref, order, order.created)

    def _trail_again(self, ref: int, order: Any) -> None:
        """Let an order that had ended, and was sent once more, follow the venue's again."""
        for twin in (*self.far.pending, *self.far.submitted):
            if twin is not None and twin.ref == ref:
                self.trails[ref] = twin, order.created.price, order.created.pricelimit
                self._show(ref, order, twin.created)

    def _addressee(self, news: Any, order: Any) -> Any:
        """Return the object that a report is about, where it may be another than the `order` the strategy sent."""
        order = self.asked.pop(news.ref, None) or order
        if order is None:  # an order of the past, which Backtrader made itself
            order = clone(news)
            order.executed = unfilled(news.size)
        return order

    def _note(self, order: Any, ref: int, status: int) -> None:
        """Know which orders are at the venue, by what has been reported of them."""
        if status in _ALIVE:
            self.orders[ref] = order  # perhaps again: a child that comes late sends its parent once more
            if order.exectype in _TRAILS and ref not in self.trails:
                self._trail_again(ref, order)
            if status == _ACCEPTED:
                self.accepted[ref] = order
            elif status == _SUBMITTED:
                self._near.orders.append(order)
        else:
            self.orders.pop(ref, None)
            self.accepted.pop(ref, None)

    def reflect(self) -> None:
        """Let the far ledger follow: valuing some feeds alone books deposits, and values the account anew."""
        _equate(self.far, self._near)
        self.far._cash_addition.clear()

    def settle(self) -> None:
        """End a cycle: with nothing under way the near ledger is the far one, else it is valued by itself."""
        near, far = self._near, self.far
        if self.trails:
            self._trail()
        if not self.in_flight():
            if len(near.positions) != len(far.positions):
                self.touch()
            _equate(near, far)
            near._cash_addition.clear()
            far.orders.clear()  # of which only the strategy's are ever asked for
            positions = near.positions
            for data, position in far.positions.items():
                known = positions[data]
                if position.size or known.size:  # one that was flat has not changed
                    known.__dict__.update(position.__dict__)
            return
        near.cash -= far.interest
        for data, position in near.positions.items():
            if position:
                scheme = near.getcommissioninfo(data)
                near.cash += scheme.cashadjust(position.size, position.adjbase, data.close[0])
                position.adjbase = data.close[0]
        near._get_value()


def _equate(near: Any, far: Any) -> None:
    """Let one ledger come to what another does: all of `SCALARS`, one by one, for a loop takes four times as long."""
    near.cash, near._value, near._valuemkt = far.cash, far._value, far._valuemkt
    near._valuelever, near._valuemktlever, near._leverage = far._valuelever, far._valuemktlever, far._leverage
    near._unrealized, near._fundval, near._fundshares = far._unrealized, far._fundval, far._fundshares


def _take_in(executed: Any, news: Any) -> None:
    """Let what the strategy knows was executed become what is reported, with the fills that are new."""
    bits, read, known = executed.exbits, executed.p1, executed.p2
    bits.extend(news.iterpending())
    executed.__dict__.update(news.__dict__)
    executed.exbits, executed.p1, executed.p2 = bits, read, known

"""The simulated venue: takes orders at the time they arrive, matches them, and reports through the gate.

Its ledger is the truth; the client's view follows by reports. One fill of an OCO leg, or its end, ends the group; a
bracket's exits sleep until their entry completes, or wake for its filled quantity when it is cancelled half done.
"""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

from seatrial.contracts.events import OrderChange
from seatrial.contracts.rejection import RefusedBy, Rejection, RejectionReason
from seatrial.contracts.terms import Liquidity, OrderType, TimeInForce
from seatrial.contracts.venue import VenueConfig
from seatrial.gate.queue import LatencyQueue
from seatrial.venue.arrivals import by_venue, refuse_arrival
from seatrial.venue.crossing import Crossing
from seatrial.venue.fees import open_fees
from seatrial.venue.ledger import open_ledger
from seatrial.venue.market import Market
from seatrial.venue.matching import Matcher, tighten
from seatrial.venue.working import Phase, Working, at_work

if TYPE_CHECKING:
    from seatrial.contracts.orders import Order
    from seatrial.gate.instruments import Instruments
    from seatrial.gate.ports import Crosser
    from seatrial.gate.reports import ReportPort
    from seatrial.plugins import Plugins
    from seatrial.venue.book import Book

__all__ = ["SimulatedVenue"]

_ZERO = Decimal(0)
_GTC = TimeInForce.GTC
_CLOSE = Phase.CLOSE
_CANCELLING = frozenset({RejectionReason.NOT_FILLED, RejectionReason.GROUP_ENDED})


class SimulatedVenue:
    """One account at one venue, behind one gate.

    Market data goes in through `market`; `timers` and `advance` carry what happens between data: expiries and session
    closes. Orders that work, and who hangs on whom, are for the venue to change; others only store them.
    """

    def __init__(
        self, cash: Decimal, config: VenueConfig, instruments: Instruments, plugins: Plugins | None = None
    ) -> None:
        """Open an account with `cash` (currency); `plugins` build the fee model, where `config` names one."""
        fees = open_fees(config.fees, plugins)
        self.ledger = open_ledger(cash, config, fees, instruments)
        self.timers: LatencyQueue[Working] = LatencyQueue()
        self.working: dict[str, Working] = {}
        self.children: dict[str, list[Working]] = {}
        self.groups: dict[str, list[Working]] = {}
        self.ended: dict[str, Decimal] = {}  # what was filled of each order that is over
        self.ended_groups: set[str] = set()
        self.sequence = 0
        self._matcher = Matcher(self, self.ledger, config, fees)
        self.market = Market(config, instruments, self.ledger, self._matcher)
        """The books, and the door for market data."""
        self._crossing = Crossing(self.market, self._matcher, self.ledger, fees)
        self._reports: ReportPort  # connected before the first order can arrive
        self.cross: Crosser | None = self._cross if type(self).place is SimulatedVenue.place else None
        """Fills an order as it arrives; not where `place` is not the one that this agrees with."""

    def connect(self, port: ReportPort) -> None:
        """Report to `port` from now on."""
        self._reports = port

    # -- the gate's port -------------------------------------------------------------------------------------------

    def place(self, orders: tuple[Order, ...], now: int, native: object) -> None:  # noqa: ARG002 - the port's signature
        """Take orders at the time they arrive, all or none."""
        if len(orders) == 1 and (crossed := self._cross(orders[0], now)) is not None:
            order_id, (price, fee) = orders[0].order_id, crossed
            self._reports.accepted(order_id, now)
            self._reports.filled(
                order_id, now, orders[0].quantity, price, fee, is_partial=False, liquidity=Liquidity.TAKER
            )
            return
        for order in orders:
            refused = refuse_arrival(self, order, orders)
            if refused is not None:
                self._refuse_all(orders, order, refused, now)
                return
        head = orders[0]
        book = self.market.books.get(head.symbol) or self.market.book(head.symbol)
        self.sequence += 1
        working = at_work(head, now, self.sequence, book.multiplier)
        awake, shrunk = (True, False) if working.parent_id is None else self._bind(working, working.parent_id)
        refused = self._admit(working, book) if awake else None
        if refused is not None:
            self._refuse_all(orders, head, refused, now)
            return
        self._take_in(working, book, now, awake=awake)
        if len(orders) > 1:
            for order in orders[1:]:
                self.sequence += 1
                self._take_in(at_work(order, now, self.sequence, book.multiplier), book, now, awake=False)
        if not working.live:  # expired on arrival, and with it whatever hangs on it
            self._after_end(working, now)
            return
        if shrunk:
            self._report_shrunk(working, now)
        if awake:
            self._activate(working, book, now)

    def cancel(self, order_id: str, now: int, native: object) -> None:  # noqa: ARG002 - the port's signature
        """End a working order; refuse where it has ended already."""
        working = self.working.get(order_id)
        if working is None:
            self._reports.cancel_refused(order_id, now, _too_late(RejectionReason.TOO_LATE_TO_CANCEL, order_id))
        else:
            self._finish(working)
            self._reports.cancelled(order_id, now)
            self._after_end(working, now)

    def modify(self, order_id: str, change: OrderChange, now: int, native: object) -> None:  # noqa: ARG002 - as above
        """Change a working order's terms; it keeps its time priority only where nothing but its quantity shrinks."""
        working = self.working.get(order_id)
        late = RejectionReason.TOO_LATE_TO_MODIFY
        if working is None:
            self._reports.modify_refused(order_id, now, _too_late(late, order_id))
            return
        quantity = working.quantity if change.quantity is None else change.quantity
        if quantity <= working.filled:
            message = f"quantity {quantity} is not above the {working.filled} already matched"
            refused = Rejection(late, message, RefusedBy.VENUE, None, quantity, working.filled)
            self._reports.modify_refused(order_id, now, refused)
            return
        triggered = working.kind is not OrderType.LIMIT and working.phase in {Phase.LIMIT, Phase.MARKET}
        if triggered and (change.stop_price or change.trail_amount or change.trail_percent):
            self._reports.modify_refused(order_id, now, _too_late(late, order_id, "has met its trigger"))
            return
        self._change(working, change, quantity, now)

    # -- time between data -----------------------------------------------------------------------------------------

    def advance(self, now: int) -> None:
        """Do what is due by `now` without the market's doing: expire orders, close sessions."""
        timers = self.timers
        while timers.head <= now:
            due, working = timers.pop()
            working.expiry = None
            if working.close_at is not None and working.close_at <= due:
                self._close(working, due)
            if working.live and working.expire_at is not None and working.expire_at <= due:
                self._expire(working, due)

    # -- the matcher's floor ---------------------------------------------------------------------------------------

    def triggered(self, working: Working, price: Decimal, now: int) -> None:
        """Report a trigger."""
        self._reports.triggered(working.order_id, now, price)

    def executed(
        self, working: Working, quantity: Decimal, price: Decimal, *, fee: Decimal, liquidity: Liquidity, now: int
    ) -> None:
        """Report a match, then do what follows: end its group, wake its exits."""
        partial = bool(working.remaining)
        self._reports.filled(working.order_id, now, quantity, price, fee, is_partial=partial, liquidity=liquidity)
        if working.group is not None:
            self._end_group(working, now)
        if not partial:
            self._finish(working)
            if self.children:
                self._wake_children(working, now)

    def end(self, working: Working, now: int, rejection: Rejection | None) -> None:
        """End an order unasked: rejected where it asked for the impossible and nothing was filled, else cancelled."""
        self._finish(working)
        if rejection is None or working.filled or rejection.reason in _CANCELLING:
            self._reports.cancelled(working.order_id, now, rejection)
        else:
            self._reports.rejected(working.order_id, now, rejection)
        self._after_end(working, now)

    # -- arrival ---------------------------------------------------------------------------------------------------

    def _cross(self, order: Order, now: int) -> tuple[Decimal, Decimal] | None:
        """Fill an order whole as it arrives, where that can be told at a glance; return its price and commission."""
        crossed = self._crossing.book(order, now)
        if crossed is not None:
            self.sequence += 1
            self.ended[order.order_id] = order.quantity
        return crossed

    def _bind(self, working: Working, parent: str) -> tuple[bool, bool]:
        """Return whether an exit that arrives is awake, and whether that cut it to what its entry filled."""
        bound = self.ended.get(parent)
        return bound is not None, bound is not None and _shrink(working, bound)

    def _refuse_all(self, orders: tuple[Order, ...], culprit: Order, refused: Rejection, now: int) -> None:
        group = by_venue(RejectionReason.GROUP_REFUSED, f"{culprit.order_id} of the same group was refused")
        for order in orders:
            self._reports.rejected(order.order_id, now, refused if order is culprit else group)
            self.ended[order.order_id] = _ZERO

    def _admit(self, working: Working, book: Book) -> Rejection | None:
        if working.reduce_only:
            position = self.ledger.account.position(working.symbol)
            if (position >= 0) if working.is_buy else (position <= 0):
                message = f"the position is {position}: a {'buy' if working.is_buy else 'sell'} reduces nothing"
                return by_venue(RejectionReason.WOULD_NOT_REDUCE, message, position)
            return None  # it can only ever free what the account holds
        return self.ledger.refuse(working, book.price_of(working))

    def _take_in(self, working: Working, book: Book, now: int, *, awake: bool) -> None:
        """Accept an order that was not refused; asleep, it waits for its parent."""
        order_id = working.order_id
        if working.tif is not _GTC or working.phase is _CLOSE:
            if working.tif is TimeInForce.DAY:
                working.expire_at = book.instrument.calendar.session(now)[1]
            if working.phase is _CLOSE:
                working.close_at = book.instrument.calendar.session(now)[1]
            if working.expire_at is not None and working.expire_at <= now:
                working.live = False
                self.ended[order_id] = _ZERO
                self._reports.expired(order_id, now)
                return
            self._set_timer(working)
        self.working[order_id] = working
        if working.group is not None:
            self.groups.setdefault(working.group, []).append(working)
        self._reports.accepted(order_id, now)
        if not awake and working.parent_id is not None:
            self.children.setdefault(working.parent_id, []).append(working)

    def _set_timer(self, working: Working) -> None:
        if working.expiry is not None:
            self.timers.cancel(working.expiry)
        times = [time for time in (working.expire_at, working.close_at) if time is not None]
        working.expiry = self.timers.push(min(times), working) if times else None

    def _activate(self, working: Working, book: Book, now: int) -> None:
        """Let an admitted order take part: now against the standing market, or from the next price on."""
        moment = None if working.phase is _CLOSE else self.market.standing(book, now)
        if moment is not None:
            self._matcher.meet(working, book, moment, now)
            if not working.live:
                return
            self._matcher.settle()
        self._hold(working, book)
        if working.phase is _CLOSE:
            book.rest(working)
        elif moment is None or book.is_bars:  # what did not trade at once waits for a bar it may take part in
            book.leave(working)
            working.met = False
            book.keep(working, "fresh")

    # -- change and end --------------------------------------------------------------------------------------------

    def _change(self, working: Working, change: OrderChange, quantity: Decimal, now: int) -> None:
        order_id = working.order_id
        before = (working.quantity, working.remaining, working.limit, working.trigger)
        book = self.market.book(working.symbol)
        book.leave(working)
        working.quantity = quantity
        working.remaining = quantity - working.filled
        working.limit = change.limit_price or working.limit
        if change.stop_price is not None:
            working.trigger = change.stop_price
        dormant = not self._is_active(working)
        refused = None if dormant else self._admit(working, book)
        if refused is not None:
            working.quantity, working.remaining, working.limit = before[:3]
            if change.stop_price is not None:
                working.trigger = before[3]
            if working.met or working.phase is Phase.CLOSE:
                book.rest(working)
            else:
                book.keep(working, "fresh")
            self._reports.modify_refused(order_id, now, refused)
            return
        if working.trails:
            working.trail_amount = change.trail_amount or working.trail_amount
            working.trail_percent = change.trail_percent or working.trail_percent
        if working.extreme is not None:
            tighten(book, working)
        self._reports.replaced(order_id, now, change)
        working.since = max(working.since, now)
        if dormant:
            return
        self._hold(working, book)
        shrinks_only = quantity <= before[0] and before[2:] == (working.limit, working.trigger)
        if shrinks_only and not (change.trail_amount or change.trail_percent) and working.met:
            book.rest(working)
            return
        self.sequence += 1
        working.sequence = self.sequence
        working.since = now
        working.met = False
        self._activate(working, book, now)

    def _is_active(self, working: Working) -> bool:
        parent = working.parent_id
        return parent is None or parent not in self.working

    def _finish(self, working: Working) -> None:
        """Take an order out of everything that holds it."""
        working.live = False
        order_id = working.order_id
        del self.working[order_id]
        self.ended[order_id] = working.filled
        if working.placed or working.place is not None:
            self.market.book(working.symbol).leave(working)
        if working.held:
            self.ledger.release(working)
        if working.expiry is not None:
            self.timers.cancel(working.expiry)
            working.expiry = None

    def _after_end(self, working: Working, now: int) -> None:
        """Do what follows from an end without completion: the group ends too, exits wake or end."""
        if working.group is not None:
            self._end_group(working, now)
        self._wake_children(working, now)

    def _end_group(self, working: Working, now: int) -> None:
        group = working.group
        if group is None or group in self.ended_groups:
            return
        self.ended_groups.add(group)
        reason = by_venue(RejectionReason.GROUP_ENDED, f"{working.order_id} of the same group came first")
        for sibling in self.groups.pop(group, []):
            if sibling is not working and sibling.live:
                at = max(now, sibling.since)  # one that arrives later in the same bar ends as it arrives
                self._finish(sibling)
                self._reports.cancelled(sibling.order_id, at, reason)
                self._wake_children(sibling, at)

    def _wake_children(self, parent: Working, now: int) -> None:
        for child in self.children.pop(parent.order_id, []):
            if not child.live:
                continue
            at = max(now, child.since)
            if not parent.filled:
                reason = by_venue(RejectionReason.GROUP_ENDED, f"its parent {parent.order_id} ended unfilled")
                self.end(child, at, reason)
                continue
            if _shrink(child, parent.filled):
                self._report_shrunk(child, at)
            book = self.market.book(child.symbol)
            refused = self._admit(child, book)
            if refused is not None:
                self.end(child, at, refused)
                continue
            child.since = at
            self._activate(child, book, at)

    def _hold(self, working: Working, book: Book) -> None:
        """Set aside what a resting order may need; a reduce-only order can only free what the account holds."""
        if not working.reduce_only:
            working.held = True
            self.ledger.renew(working, book.price_of(working))

    def _report_shrunk(self, child: Working, now: int) -> None:
        self._reports.replaced(child.order_id, now, OrderChange(quantity=child.quantity), requested=False)

    def _expire(self, working: Working, now: int) -> None:
        self._finish(working)
        self._reports.expired(working.order_id, now)
        self._after_end(working, now)

    def _close(self, working: Working, now: int) -> None:
        """Trade at a session's close, where the session showed a price; on bars the bar itself does it."""
        book = self.market.book(working.symbol)
        calendar = book.instrument.calendar
        if working.order_id not in book.closing:
            return
        if not book.is_bars:
            opened = calendar.session(now - 1)[0]
            moment = self.market.closing(book, opened, now)
            if moment is not None:
                self._matcher.close(book, moment, now)
                if not working.live:
                    return
            working.close_at = calendar.session(now)[1]
            self._set_timer(working)


def _shrink(child: Working, filled: Decimal) -> bool:
    """Bound an exit by what its entry filled; return whether it was larger."""
    if child.remaining <= filled:
        return False
    child.quantity = child.remaining = filled
    return True


def _too_late(reason: RejectionReason, order_id: str, what: str = "has ended") -> Rejection:
    return by_venue(reason, f"{order_id} {what} at the venue")

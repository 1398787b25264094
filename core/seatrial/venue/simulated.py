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
from seatrial.contracts.venue import Convention, LimitFill, VenueConfig
from seatrial.gate.queue import LatencyQueue
from seatrial.venue.book import Book
from seatrial.venue.ledger import Ledger
from seatrial.venue.matching import Matcher
from seatrial.venue.moment import Moment
from seatrial.venue.path import bar_path
from seatrial.venue.working import Phase, Working

if TYPE_CHECKING:
    from seatrial.contracts.market import Bar, Quote, Trade
    from seatrial.contracts.orders import Order
    from seatrial.gate.instruments import Instruments
    from seatrial.gate.reports import ReportPort

__all__ = ["SimulatedVenue"]

_ZERO = Decimal(0)
_TWO = Decimal(2)
_UNSUPPORTED_TYPES = frozenset({OrderType.MARKET_TO_LIMIT, OrderType.NATIVE})
_UNSUPPORTED_TIFS = frozenset({TimeInForce.AT_OPEN, TimeInForce.AT_CLOSE})
_CANCELLING = frozenset({RejectionReason.NOT_FILLED, RejectionReason.GROUP_ENDED})


class SimulatedVenue:
    """One account at one venue, behind one gate.

    Market data goes in through `quote`, `trade`, `price` and `bar`; `next_due` and `advance` carry what happens between
    data: expiries and session closes.
    """

    def __init__(self, cash: Decimal, config: VenueConfig, instruments: Instruments) -> None:
        """Open an account with `cash` (currency)."""
        self.ledger = Ledger(cash, config, instruments)
        self.timers: LatencyQueue[Working] = LatencyQueue()
        self._config = config
        self._instruments = instruments
        self._books: dict[str, Book] = {}
        self._working: dict[str, Working] = {}
        self._children: dict[str, list[Working]] = {}
        self._groups: dict[str, list[Working]] = {}
        self._ended: dict[str, Decimal] = {}
        self._ended_groups: set[str] = set()
        self._sequence = 0
        self._matcher = Matcher(self, self.ledger, config, instruments)
        fill = config.limit_fill
        self._strict_shown = fill is LimitFill.THROUGH
        self._strict_printed = fill is not LimitFill.TOUCH
        self._reports: ReportPort

    def connect(self, port: ReportPort) -> ReportPort | None:
        """Report to `port` from now on; return whom it was before."""
        before = getattr(self, "_reports", None)
        self._reports = port
        return before

    # -- the gate's port -------------------------------------------------------------------------------------------

    def place(self, orders: tuple[Order, ...], now: int, native: object) -> None:  # noqa: ARG002 - the port's signature
        """Take orders at the time they arrive, all or none."""
        arriving = []
        for order in orders:
            self._sequence += 1
            multiplier = self._instruments.get(order.symbol).multiplier
            refused = self._refuse(order, orders)
            if refused is not None:
                self._refuse_all(orders, order, refused, now)
                return
            arriving.append(Working(order, now, self._sequence, multiplier))
        head = arriving[0]
        refused = self._admit(head) if self._is_awake(head) else None
        if refused is not None:
            self._refuse_all(orders, head.order, refused, now)
            return
        for working in arriving:
            self._take_in(working, now)

    def cancel(self, order_id: str, now: int, native: object) -> None:  # noqa: ARG002 - the port's signature
        """End a working order; refuse where it has ended already."""
        working = self._working.get(order_id)
        if working is None:
            self._reports.cancel_refused(order_id, now, _too_late(RejectionReason.TOO_LATE_TO_CANCEL, order_id))
        else:
            self._finish(working, now)
            self._reports.cancelled(order_id, now)
            self._after_end(working, now)

    def modify(self, order_id: str, change: OrderChange, now: int, native: object) -> None:  # noqa: ARG002 - as above
        """Change a working order's terms; it keeps its time priority only where nothing but its quantity shrinks."""
        working = self._working.get(order_id)
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
        triggered = working.order.order_type is not OrderType.LIMIT and working.phase in {Phase.LIMIT, Phase.MARKET}
        if triggered and (change.stop_price or change.trail_amount or change.trail_percent):
            self._reports.modify_refused(order_id, now, _too_late(late, order_id, "has met its trigger"))
            return
        self._change(working, change, quantity, now)

    # -- market data -----------------------------------------------------------------------------------------------

    def quote(self, quote: Quote) -> None:
        """The best bid and ask are now these."""
        symbol = quote.symbol
        book = self._books.get(symbol) or self._book(symbol)
        book.quote = quote
        book.moment = None
        book.is_bars = False
        if book.stirs(quote.bid, quote.ask):
            book.moment = Moment.of_quote(quote, strict=self._strict_shown)
            self._matcher.sweep(book, book.moment)
        self.ledger.mark(symbol, (quote.bid + quote.ask) / _TWO, quote.ts)

    def trade(self, trade: Trade) -> None:
        """Somebody traded at this price."""
        size = self._share(trade.symbol, trade.size)
        self._print(trade.symbol, trade.price, size, trade.ts, strict=self._strict_printed)

    def price(self, symbol: str, price: Decimal, timestamp: int) -> None:
        """The market can be traded at this price, both ways, in any quantity."""
        self._print(symbol, price, None, timestamp, strict=self._strict_shown)

    def bar(self, bar: Bar, start: int) -> None:
        """The market moved like this from `start` to the bar's end; matches on the way carry their own times."""
        book = self._books.get(bar.symbol) or self._book(bar.symbol)
        book.is_bars = True
        cut = self.bar_cut(start, bar.ts)
        late = {order_id: one for order_id, one in book.fresh.items() if one.since > cut}
        for order_id in late:
            del book.fresh[order_id]
        points = bar_path(bar, start)
        left = self._share(bar.symbol, bar.volume)
        (ts, price), *rest = points
        moment = Moment.of_price(ts, price, left, strict=self._strict_printed)
        self._matcher.sweep(book, moment)
        for moment.ts, following in rest:
            self._matcher.walk(book, moment, price, following)
            price = following
        self._matcher.close(book, moment, bar.ts)
        book.fresh.update(late)
        book.bar_end = bar.ts
        self._stand(book, bar.close, bar.ts, moment)

    def has_quote(self, symbol: str) -> bool:
        """Return whether a symbol is quoted; its mark is then the middle, not the last print."""
        book = self._books.get(symbol)
        return book is not None and book.quote is not None

    def bar_start(self, bar: Bar, reached: int) -> int:
        """Return where a bar begins: its own start, else its predecessor's end, else the time reached before it."""
        if bar.start is not None:
            return bar.start
        book = self._books.get(bar.symbol)
        start = reached if book is None or book.bar_end is None else book.bar_end
        return min(start, bar.ts)

    def bar_cut(self, start: int, end: int) -> int:
        """Return the time by which an order must have arrived to trade from the open of the bar (start, end]."""
        return start + int(self._config.bar_theta * (end - start))

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
        self, working: Working, quantity: Decimal, price: Decimal, fee: Decimal, liquidity: Liquidity, now: int
    ) -> None:
        """Report a match, then do what follows: end its group, wake its exits."""
        partial = bool(working.remaining)
        self._reports.filled(working.order_id, now, quantity, price, fee, is_partial=partial, liquidity=liquidity)
        if working.group is not None:
            self._end_group(working, now)
        if not partial:
            self._finish(working, now)
            self._wake_children(working, now)

    def end(self, working: Working, now: int, rejection: Rejection | None) -> None:
        """End an order unasked: rejected where it asked for the impossible and nothing was filled, else cancelled."""
        self._finish(working, now)
        if rejection is None or working.filled or rejection.reason in _CANCELLING:
            self._reports.cancelled(working.order_id, now, rejection)
        else:
            self._reports.rejected(working.order_id, now, rejection)
        self._after_end(working, now)

    # -- arrival ---------------------------------------------------------------------------------------------------

    def _refuse(self, order: Order, together: tuple[Order, ...]) -> Rejection | None:
        kind, tif = order.order_type, order.time_in_force
        if kind in _UNSUPPORTED_TYPES or tif in _UNSUPPORTED_TIFS:
            message = f"the simulated venue takes no {kind} orders with {tif}"
            return Rejection(RejectionReason.UNSUPPORTED, message, RefusedBy.VENUE)
        parent = order.parent_id
        if parent is not None and not self._has_parent(parent, together):
            filled = self._ended.get(parent)
            if filled is None:
                return _venue(RejectionReason.UNKNOWN_ORDER, f"its parent {parent!r} never arrived")
            if not filled:
                return _venue(RejectionReason.GROUP_ENDED, f"its parent {parent!r} ended unfilled")
        if order.oco_id in self._ended_groups:
            return _venue(RejectionReason.GROUP_ENDED, f"its group {order.oco_id!r} has ended")
        return None

    def _has_parent(self, parent: str, together: tuple[Order, ...]) -> bool:
        return parent in self._working or any(other.order_id == parent for other in together)

    def _refuse_all(self, orders: tuple[Order, ...], culprit: Order, refused: Rejection, now: int) -> None:
        group = _venue(RejectionReason.GROUP_REFUSED, f"{culprit.order_id} of the same group was refused")
        for order in orders:
            self._reports.rejected(order.order_id, now, refused if order is culprit else group)
            self._ended[order.order_id] = _ZERO

    def _is_awake(self, working: Working) -> bool:
        return working.order.parent_id is None or working.order.parent_id in self._ended

    def _admit(self, working: Working) -> Rejection | None:
        if working.order.reduce_only:
            position = self.ledger.account.position(working.symbol)
            if (position >= 0) if working.is_buy else (position <= 0):
                message = f"the position is {position}: a {working.order.side} reduces nothing"
                return _venue(RejectionReason.WOULD_NOT_REDUCE, message, position)
        return self.ledger.admit(working, self._price_of(working))

    def _price_of(self, working: Working) -> Decimal | None:
        """Return the price an order is valued at before it trades: its own, else the market's."""
        price = working.limit if working.limit is not None else working.trigger
        if price is not None:
            return price
        book = self._books.get(working.symbol)
        if book is None:
            return None
        if book.quote is not None:
            return book.quote.ask if working.is_buy else book.quote.bid
        return book.last

    def _take_in(self, working: Working, now: int) -> None:
        order_id, order = working.order_id, working.order
        session = self._instruments.get(working.symbol).calendar
        if order.time_in_force is TimeInForce.DAY:
            working.expire_at = session.session(now)[1]
        if working.phase is Phase.CLOSE:
            working.close_at = session.session(now)[1]
        if working.expire_at is not None and working.expire_at <= now:
            self.ledger.release(working)
            self._ended[order_id] = _ZERO
            self._reports.expired(order_id, now)
            return
        self._working[order_id] = working
        if working.group is not None:
            self._groups.setdefault(working.group, []).append(working)
        self._set_timer(working)
        self._reports.accepted(order_id, now)
        parent = order.parent_id
        if parent is not None and parent in self._working:
            self._children.setdefault(parent, []).append(working)
        else:
            self._activate(working, now)

    def _set_timer(self, working: Working) -> None:
        if working.expiry is not None:
            self.timers.cancel(working.expiry)
        times = [time for time in (working.expire_at, working.close_at) if time is not None]
        working.expiry = self.timers.push(min(times), working) if times else None

    def _activate(self, working: Working, now: int) -> None:
        """Let an admitted order take part: now against the standing market, or from the next price on."""
        book = self._books.get(working.symbol) or self._book(working.symbol)
        if working.phase is Phase.CLOSE:
            book.rest(working)
            return
        moment = self._standing(book)
        if moment is None:
            book.fresh[working.order_id] = working
            return
        self._matcher.meet(working, book, moment, now)
        self._matcher.settle()
        if working.live and book.is_bars:  # what did not trade at once waits for a bar it may take part in
            book.leave(working)
            working.met = False
            book.fresh[working.order_id] = working

    def _standing(self, book: Book) -> Moment | None:
        convention = self._config.convention
        if convention is Convention.NEXT or (convention is None and book.quote is None):
            return None
        if book.moment is None and book.quote is not None:
            book.moment = Moment.of_quote(book.quote, strict=self._strict_shown)
        return book.moment

    # -- change and end --------------------------------------------------------------------------------------------

    def _change(self, working: Working, change: OrderChange, quantity: Decimal, now: int) -> None:
        order_id = working.order_id
        before = (working.quantity, working.remaining, working.limit, working.trigger)
        book = self._book(working.symbol)
        book.leave(working)
        working.quantity = quantity
        working.remaining = quantity - working.filled
        working.limit = change.limit_price or working.limit
        working.trigger = change.stop_price or working.trigger
        dormant = not self._is_active(working)
        refused = None if dormant else self.ledger.admit(working, self._price_of(working))
        if refused is not None:
            working.quantity, working.remaining, working.limit, working.trigger = before
            self.ledger.renew(working, self._price_of(working))
            if working.met or working.phase is Phase.CLOSE:
                book.rest(working)
            else:
                book.fresh[order_id] = working
            self._reports.modify_refused(order_id, now, refused)
            return
        working.trail_amount = change.trail_amount or working.trail_amount
        working.trail_percent = change.trail_percent or working.trail_percent
        self._reports.replaced(order_id, now, change)
        if dormant:
            return
        shrinks_only = quantity <= before[0] and before[2:] == (working.limit, working.trigger)
        if shrinks_only and not (change.trail_amount or change.trail_percent) and working.met:
            book.rest(working)
            return
        self._sequence += 1
        working.sequence = self._sequence
        working.since = now
        working.met = False
        self._activate(working, now)

    def _is_active(self, working: Working) -> bool:
        parent = working.order.parent_id
        return parent is None or parent not in self._working

    def _finish(self, working: Working, now: int) -> None:  # noqa: ARG002 - symmetrical with its siblings
        """Take an order out of everything that holds it."""
        working.live = False
        del self._working[working.order_id]
        self._ended[working.order_id] = working.filled
        self._book(working.symbol).leave(working)
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
        if group is None or group in self._ended_groups:
            return
        self._ended_groups.add(group)
        reason = _venue(RejectionReason.GROUP_ENDED, f"{working.order_id} of the same group came first")
        for sibling in self._groups.pop(group, []):
            if sibling is not working and sibling.live:
                self._finish(sibling, now)
                self._reports.cancelled(sibling.order_id, now, reason)
                self._wake_children(sibling, now)

    def _wake_children(self, parent: Working, now: int) -> None:
        for child in self._children.pop(parent.order_id, []):
            if not child.live:
                continue
            if not parent.filled:
                reason = _venue(RejectionReason.GROUP_ENDED, f"its parent {parent.order_id} ended unfilled")
                self.end(child, now, reason)
                continue
            if child.remaining > parent.filled:
                child.quantity = child.remaining = parent.filled
                change = OrderChange(quantity=parent.filled)
                self._reports.replaced(child.order_id, now, change, requested=False)
            refused = self._admit(child)
            if refused is not None:
                self.end(child, now, refused)
                continue
            child.since = now
            self._activate(child, now)

    def _expire(self, working: Working, now: int) -> None:
        self._finish(working, now)
        self._reports.expired(working.order_id, now)
        self._after_end(working, now)

    def _close(self, working: Working, now: int) -> None:
        """Trade at a session's close, where the session showed a price; on bars the bar itself does it."""
        book = self._book(working.symbol)
        calendar = self._instruments.get(working.symbol).calendar
        if working.order_id not in book.closing:
            return
        if not book.is_bars:
            opened = calendar.session(now - 1)[0]
            moment = self._closing(book, opened, now)
            if moment is not None:
                self._matcher.close(book, moment, now)
                if not working.live:
                    return
            working.close_at = calendar.session(now)[1]
            self._set_timer(working)

    def _closing(self, book: Book, opened: int, now: int) -> Moment | None:
        if book.quote is not None and book.quote.ts >= opened:
            moment = book.moment or Moment.of_quote(book.quote, strict=self._strict_shown)
            moment.ts = now
            return moment
        if book.last is not None and book.last_at >= opened:
            return Moment.of_price(now, book.last, None, strict=self._strict_printed)
        return None

    # -- inside ----------------------------------------------------------------------------------------------------

    def _book(self, symbol: str) -> Book:
        book = self._books.get(symbol)
        if book is None:
            book = self._books[symbol] = Book(symbol)
        return book

    def _print(self, symbol: str, price: Decimal, size: Decimal | None, timestamp: int, *, strict: bool) -> None:
        book = self._books.get(symbol) or self._book(symbol)
        book.is_bars = False
        moment = None
        if book.stirs(price, price):
            moment = Moment.of_price(timestamp, price, size, strict=strict)
            self._matcher.sweep(book, moment)
        self._stand(book, price, timestamp, moment)

    def _stand(self, book: Book, price: Decimal, timestamp: int, moment: Moment | None) -> None:
        """Keep a print as the standing market where there is no quote."""
        book.last = price
        book.last_at = timestamp
        if book.quote is None:
            if self._config.convention is Convention.STANDING:
                book.moment = moment or Moment.of_price(timestamp, price, None, strict=self._strict_shown)
            self.ledger.mark(book.symbol, price, timestamp)

    def _share(self, symbol: str, size: Decimal | None) -> Decimal | None:
        """Return how much of a print's size or a bar's volume may be ours; `None` for any quantity."""
        part = self._config.participation
        if size is None or part is None:
            return None
        share = size * part
        lot = self._instruments.get(symbol).lot_size
        return share - share % lot if lot is not None else share


def _venue(reason: RejectionReason, message: str, value: Decimal | None = None) -> Rejection:
    return Rejection(reason, message, RefusedBy.VENUE, None, value)


def _too_late(reason: RejectionReason, order_id: str, what: str = "has ended") -> Rejection:
    return _venue(reason, f"{order_id} {what} at the venue")

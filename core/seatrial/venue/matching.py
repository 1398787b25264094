"""Who trades, at what price and how much, when orders meet the market.

An order *arrives* (meets its first price, and takes liquidity if it can) and later *wakes* (the market has come to the
price it waits at). Slippage worsens what takes liquidity, never beyond a limit; a resting limit fills at its own price.
Where size is short, better prices go first and equal prices by time; where it is not, orders go by time alone.
"""

from __future__ import annotations

from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal
from typing import TYPE_CHECKING, Protocol, cast

from seatrial.contracts.rejection import RefusedBy, Rejection, RejectionReason
from seatrial.contracts.terms import Liquidity, OrderType, TimeInForce
from seatrial.contracts.venue import PriceImprovement
from seatrial.gate.validator import remainder
from seatrial.venue.working import Phase

if TYPE_CHECKING:
    from collections.abc import Iterable

    from seatrial.contracts.venue import FeeModel, VenueConfig
    from seatrial.venue.book import Book, Ladder
    from seatrial.venue.ledger import Ledger
    from seatrial.venue.moment import Moment
    from seatrial.venue.working import Working

__all__ = ["Floor", "Matcher", "tighten"]

_ZERO = Decimal(0)
_ONE = Decimal(1)
_BPS = Decimal(10_000)
_DECIMALS, _DIGITS = 18, 28
_HUNDRED = Decimal(100)
_WITH_LIMIT = frozenset({OrderType.STOP_LIMIT, OrderType.LIMIT_IF_TOUCHED, OrderType.TRAILING_STOP_LIMIT})
_MARKET = Phase.MARKET
_LIMIT = Phase.LIMIT
_IOC = TimeInForce.IOC
_FOK = TimeInForce.FOK
_MAKER = Liquidity.MAKER
_TAKER = Liquidity.TAKER


class Floor(Protocol):
    """The trading floor around the matcher: what has to follow from a match."""

    def triggered(self, working: Working, price: Decimal, now: int) -> None:
        """The order met its trigger."""
        ...

    def executed(
        self, working: Working, quantity: Decimal, price: Decimal, *, fee: Decimal, liquidity: Liquidity, now: int
    ) -> None:
        """The order was matched, and booked."""
        ...

    def end(self, working: Working, now: int, rejection: Rejection | None) -> None:
        """The order is over: refused where it is unfilled and refused, else cancelled."""
        ...


class Matcher:
    """The rules of matching over the books and the ledger of one venue."""

    __slots__ = ("_always_improves", "_buy_slip", "_fees", "_floor", "_ledger", "_leftover", "_sell_slip", "_slips")

    def __init__(self, floor: Floor, ledger: Ledger, config: VenueConfig, fees: FeeModel) -> None:
        """Match for `floor`."""
        self._floor = floor
        self._ledger = ledger
        self._fees = fees
        self._always_improves = config.price_improvement is PriceImprovement.ALWAYS
        self._slips = bool(config.slippage_bps)
        slip = config.slippage_bps / _BPS
        self._buy_slip = _ONE + slip
        self._sell_slip = _ONE - slip
        self._leftover: list[tuple[Book, Working]] = []

    # -- what the market does --------------------------------------------------------------------------------------

    def sweep(self, book: Book, moment: Moment) -> None:
        """Let everybody whom one price event concerns meet it."""
        _follow(book, moment.bid, moment.ask)
        fresh, book.fresh = book.fresh, {}
        waiting, book.waiting = book.waiting, {}
        batch = [*waiting.values(), *fresh.values()]
        ask, bid, strict = moment.ask, moment.bid, moment.strict
        _draw(batch, book, book.buy_limits, ask, strict=strict)
        _draw(batch, book, book.sell_limits, bid, strict=strict)
        _draw(batch, book, book.buy_touches, ask)
        _draw(batch, book, book.sell_touches, bid)
        _draw(batch, book, book.buy_stops, ask)
        _draw(batch, book, book.sell_stops, bid)
        if len(batch) > 1:
            batch.sort(key=_by_time if moment.ask_left is None and moment.bid_left is None else _by_price)
        for working in batch:
            if working.live:
                now = max(working.since, moment.ts)
                self.meet(working, book, moment, now)
        self.settle()

    def walk(self, book: Book, moment: Moment, start: Decimal, end: Decimal) -> None:
        """Let the market pass every price from `start` to `end`, as between two points of a bar."""
        moment.path = True
        moment.bid = moment.ask = start
        self._join(book, moment)
        if end < start:
            ladders = ((book.buy_limits, moment.strict), (book.buy_touches, False), (book.sell_stops, False))
        else:
            ladders = ((book.sell_limits, moment.strict), (book.sell_touches, False), (book.buy_stops, False))
        while (ladder := _nearest(ladders, end)) is not None:
            moment.bid = moment.ask = ladder.head or end
            working = book.draw(ladder)
            self.meet(working, book, moment, max(moment.ts, working.since))
            self._join(book, moment)
        moment.path = False
        moment.bid = moment.ask = end
        _follow(book, end, end)
        self.settle()

    def meet(self, working: Working, book: Book, moment: Moment, now: int) -> None:
        """Let one order meet the market: as an arrival the first time, as a waking afterwards."""
        if working.expire_at is not None and now >= working.expire_at:
            self._leftover.append((book, working))  # its expiry is already due, and says so itself
        elif working.phase is _MARKET:
            working.met = True
            self._take(working, book, moment, now, moment.ask if working.is_buy else moment.bid)
        elif working.met:
            self._wake(working, book, moment, now)
        else:
            working.met = True
            self._arrive(working, book, moment, now)

    def close(self, book: Book, moment: Moment, until: int) -> None:
        """Let the orders for a session's close that ended by `until` trade at the close."""
        for working in [one for one in book.closing.values() if one.close_at is not None and one.close_at <= until]:
            if book.closing.pop(working.order_id, None) is None:  # an earlier one of its group has ended it
                continue
            working.place = None
            working.met = True
            self._take(working, book, moment, max(moment.ts, working.since), _side(working, moment))
        self.settle()

    # -- what one order does ---------------------------------------------------------------------------------------

    def _arrive(self, working: Working, book: Book, moment: Moment, now: int) -> None:
        price = _side(working, moment)
        phase = working.phase
        if phase is Phase.LIMIT:
            self._arrive_limit(working, book, moment, now, price)
        else:
            if working.trails and working.extreme is None:
                working.extreme = price
                tighten(book, working)
            trigger = working.trigger
            above = working.is_buy is (phase is Phase.STOP)
            if trigger is not None and (price >= trigger if above else price <= trigger):
                self._trigger(working, book, moment, now, price)
            else:
                book.rest(working)

    def _arrive_limit(self, working: Working, book: Book, moment: Moment, now: int, price: Decimal) -> None:
        limit = working.limit
        if limit is None or (price > limit if working.is_buy else price < limit):
            tif = working.tif
            if tif is _IOC or tif is _FOK:
                self._floor.end(working, now, _unfilled(working, price))
            else:
                book.rest(working)
        elif working.post_only:
            message = f"a post-only limit at {limit} would take the market at {price}"
            reason = RejectionReason.POST_ONLY_WOULD_TAKE
            self._floor.end(working, now, Rejection(reason, message, RefusedBy.VENUE, None, limit, price))
        else:
            self._take(working, book, moment, now, price)

    def _wake(self, working: Working, book: Book, moment: Moment, now: int) -> None:
        price = _side(working, moment)
        if working.phase is Phase.LIMIT:
            limit = working.limit or price
            if self._always_improves and not moment.path:
                limit = min(limit, price) if working.is_buy else max(limit, price)
            self._execute(working, book, moment, limit, liquidity=_MAKER, now=now)
            if working.live:
                self._leftover.append((book, working))
        else:
            self._trigger(working, book, moment, now, price)

    def _trigger(self, working: Working, book: Book, moment: Moment, now: int, price: Decimal) -> None:
        self._floor.triggered(working, price, now)
        if working.kind in _WITH_LIMIT:
            working.phase = Phase.LIMIT
            self._arrive_limit(working, book, moment, now, price)
        else:
            working.phase = Phase.MARKET
            self._take(working, book, moment, now, price)

    def _take(self, working: Working, book: Book, moment: Moment, now: int, price: Decimal) -> None:
        """Trade at the market: worse by the slippage, on the tick, and never beyond the limit."""
        tif = working.tif
        if tif is _FOK and self._fillable(working, book, moment) < working.remaining:
            self._floor.end(working, now, _unfilled(working, price))
            return
        paid = self.slipped(book, price, is_buy=working.is_buy)
        limit = working.limit
        if limit is not None and working.phase is _LIMIT:
            paid = min(paid, limit) if working.is_buy else max(paid, limit)
        self._execute(working, book, moment, paid, liquidity=_TAKER, now=now)
        if working.live:
            if tif is _IOC or tif is _FOK:
                self._floor.end(working, now, _unfilled(working, price))
            else:
                self._leftover.append((book, working))

    def slipped(self, book: Book, price: Decimal, *, is_buy: bool) -> Decimal:
        """Return a price as who takes it gets it: worse by the slippage, on the tick."""
        if not self._slips:
            return price
        price *= self._buy_slip if is_buy else self._sell_slip
        tick = book.instrument.tick_size
        return price if tick is None else _on_tick(price, tick, up=is_buy)

    def _execute(
        self, working: Working, book: Book, moment: Moment, price: Decimal, *, liquidity: Liquidity, now: int
    ) -> None:
        is_buy = working.is_buy
        reduce_only = working.reduce_only
        quantity = working.remaining
        bounded = (moment.ask_left if is_buy else moment.bid_left) is not None
        if reduce_only or bounded:
            quantity = self._fillable(working, book, moment)
            if quantity <= _ZERO:
                if reduce_only and self._reducible(working) <= _ZERO:
                    self._floor.end(working, now, _not_reducing(working))
                return
        ledger = self._ledger
        value = quantity * price
        if working.multiplier is not None:
            value *= working.multiplier
        if working.filled:
            filled, filled_value = working.filled + quantity, working.filled_value + value
            charged = self._fees.total(filled, filled_value)
            fee = charged - working.charged
        else:
            filled, filled_value = quantity, value
            charged = fee = self._fees.total(quantity, value)
        refused = ledger.refuse_fill(working, quantity, price, value=value, commission=fee)
        if refused is not None:
            self._floor.end(working, now, refused)
            return
        ledger.book(working.symbol, quantity if is_buy else -quantity, price, fee)
        working.since = now
        working.remaining -= quantity
        working.filled = filled
        working.filled_value = filled_value
        working.charged = charged
        if bounded:
            moment.take(quantity, is_buy=is_buy)
        if working.remaining and not reduce_only:
            working.held = True
            ledger.renew(working, price)
        self._floor.executed(working, quantity, price, fee=fee, liquidity=liquidity, now=now)
        if reduce_only and working.live and self._reducible(working) <= _ZERO:
            self._floor.end(working, now, _not_reducing(working))

    def _fillable(self, working: Working, book: Book, moment: Moment) -> Decimal:
        """Return the most that can be filled now: what the market has left, in lots, and the position to reduce."""
        quantity = working.remaining
        left = moment.left(is_buy=working.is_buy)
        if left is not None and left < quantity:
            lot = book.instrument.lot_size
            quantity = left - remainder(left, lot) if lot is not None else _part(left, working.quantity)
        return min(quantity, self._reducible(working)) if working.reduce_only else quantity

    def _reducible(self, working: Working) -> Decimal:
        position = self._ledger.account.position(working.symbol)
        return -position if working.is_buy else position

    def _join(self, book: Book, moment: Moment) -> None:
        """Let what became active on the path join it where the market then is."""
        while book.fresh:
            fresh, book.fresh = book.fresh, {}
            for working in list(fresh.values()):
                if working.live:
                    working.place = None
                    self.meet(working, book, moment, max(moment.ts, working.since))

    def settle(self) -> None:
        """Rest what met the market and is not done; the end of every sweep, and of an arrival outside one."""
        if not self._leftover:
            return
        leftover, self._leftover = self._leftover, []
        for book, working in leftover:
            if working.live:
                book.rest(working)


def _part(left: Decimal, whole: Decimal) -> Decimal:
    """Cut `left` to 18 decimals, or those of `whole`, and to its digits: then parts add up to it exactly."""
    finest = max(min(cast("int", whole.as_tuple().exponent), -_DECIMALS), whole.adjusted() - _DIGITS + 1)
    if cast("int", left.as_tuple().exponent) >= finest:
        return left
    return left.quantize(Decimal((0, (1,), finest)), ROUND_FLOOR)


def _side(working: Working, moment: Moment) -> Decimal:
    return moment.ask if working.is_buy else moment.bid


def _by_time(working: Working) -> int:
    return working.sequence


def _by_price(working: Working) -> tuple[int, Decimal, int]:
    limit = working.limit
    if working.phase is Phase.MARKET:
        return (0, _ZERO, working.sequence)
    if working.phase is Phase.LIMIT and limit is not None:
        return (1, -limit if working.is_buy else limit, working.sequence)
    return (2, _ZERO, working.sequence)


def _draw(batch: list[Working], book: Book, ladder: Ladder, price: Decimal, *, strict: bool = False) -> None:
    while ladder.woken(price, strict=strict):
        batch.append(book.draw(ladder))


def _nearest(ladders: Iterable[tuple[Ladder, bool]], end: Decimal) -> Ladder | None:
    """Return the ladder whose head the market meets first on its way to `end`; equal heads go by time."""
    best: Ladder | None = None
    nearest = end
    for ladder, strict in ladders:
        head = ladder.head
        if head is None or not ladder.woken(end, strict=strict):
            continue
        nearer = head > nearest if ladder.falling else head < nearest
        if best is None or nearer or (head == nearest and ladder.peek().sequence < best.peek().sequence):
            best, nearest = ladder, head
    return best


def _follow(book: Book, bid: Decimal, ask: Decimal) -> None:
    """Move the triggers of trailing orders for which this is the best price so far; touches no others."""
    for ladder, price in ((book.sell_trails, bid), (book.buy_trails, ask)):
        while ladder.woken(price, strict=True):
            working = ladder.peek()
            book.leave(working)
            working.extreme = price
            tighten(book, working)
            book.rest(working)


def tighten(book: Book, working: Working) -> None:
    """Set a trailing order's trigger from its extreme; a trigger never moves back."""
    extreme = working.extreme
    if extreme is None:
        return
    amount = working.trail_amount
    if amount is None:
        amount = extreme * (working.trail_percent or _ZERO) / _HUNDRED
    is_buy = working.is_buy
    tick = book.instrument.tick_size
    trigger = _on_tick(extreme + amount if is_buy else extreme - amount, tick, up=is_buy)
    held = working.trigger
    if held is not None and (trigger >= held if is_buy else trigger <= held):
        return
    working.trigger = trigger
    if working.limit_offset is not None:
        working.limit = trigger + working.limit_offset if is_buy else trigger - working.limit_offset


def _on_tick(price: Decimal, tick: Decimal | None, *, up: bool) -> Decimal:
    if tick is None or not remainder(price, tick):
        return price
    ticks = (price / tick).to_integral_value(ROUND_CEILING if up else ROUND_FLOOR)
    return max(ticks, _ONE) * tick  # nothing trades at zero


def _unfilled(working: Working, price: Decimal) -> Rejection:
    message = f"{working.remaining} could not be filled at once (market at {price}), as {working.tif} asks"
    return Rejection(RejectionReason.NOT_FILLED, message, RefusedBy.VENUE, None, working.remaining, _ZERO)


def _not_reducing(working: Working) -> Rejection:
    message = f"a reduce-only order with {working.remaining} left finds no position to reduce"
    return Rejection(RejectionReason.WOULD_NOT_REDUCE, message, RefusedBy.VENUE, None, working.remaining, _ZERO)

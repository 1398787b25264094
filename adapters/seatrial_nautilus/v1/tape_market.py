"""The tape as NautilusTrader sees it, and what becomes of what it says.

Each symbol has a pit. Prices are shown to it as quotes, prints and the points of bars as quotes of one price, while it
holds orders; what it says of them is collected until it has seen the price, and settled in the order of arrival.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from seatrial.errors import InvalidMarketDataError
from seatrial.venue.market import Market
from seatrial.venue.matching import tighten
from seatrial.venue.moment import Moment
from seatrial.venue.working import Phase
from seatrial_nautilus.v1.engine_params import Settings
from seatrial_nautilus.v1.exact import Grid
from seatrial_nautilus.v1.pit import Pit
from seatrial_nautilus.v1.verdicts import FloorMatcher, Said, Word, level

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from decimal import Decimal

    from seatrial.contracts.market import Bar, Quote
    from seatrial.contracts.venue import VenueConfig
    from seatrial.gate.instruments import Instruments
    from seatrial.venue.book import Book
    from seatrial.venue.simulated import SimulatedVenue
    from seatrial.venue.working import Working

__all__ = ["TapeMarket"]


class TapeMarket(Market):
    """Shows the tape to NautilusTrader, a pit for each symbol."""

    def __init__(
        self, venue: SimulatedVenue, matcher: FloorMatcher, config: VenueConfig, instruments: Instruments
    ) -> None:
        """Match for `venue`, by `matcher`."""
        super().__init__(config, instruments, venue.ledger, matcher)
        self.settings = Settings()
        self._venue = venue
        self._floor = matcher
        self._grids: dict[str, Grid] = {}
        self._pits: dict[str, Pit] = {}
        self._seen: set[str] = set()
        self._said: dict[str, Said] | None = None
        """What is said at present, by order; `None` where it is known already."""

    # -- data ------------------------------------------------------------------------------------------------------

    def quote(self, quote: Quote) -> None:
        """The best bid and ask are now these."""
        book = self.book(quote.symbol)
        watched = self._is_watched(book)
        book.quote, book.moment, book.is_bars = quote, None, False
        if watched:
            book.moment = Moment.of_quote(quote, strict=self._strict_shown)
            self._round(book, book.moment)
        self._ledger.mark(quote.symbol, (quote.bid + quote.ask) / 2, quote.ts)

    def _print(self, book: Book, price: Decimal, size: Decimal | None, timestamp: int, *, strict: bool) -> None:
        book.is_bars = False
        if self._always_stands or self._is_watched(book):
            moment = Moment.of_price(timestamp, price, size, strict=strict)
            self._stand(book, moment)
            self._round(book, moment)
        self._keep_last(book, price, timestamp)

    def _walk(self, bar: Bar, start: int) -> Iterator[None]:
        """Walk one bar, one point per step."""
        book = self.book(bar.symbol)
        book.is_bars = True
        cut = self.bar_cut(start, bar.ts)
        late = [working for working in book.fresh.values() if working.since > cut]
        for working in late:
            del book.fresh[working.order_id]
        (ts, price), *rest = self.settings.path(bar, start)
        moment = Moment.of_price(ts, price, self._share(book, bar.volume), strict=self._strict_printed)
        self._stand(book, moment)
        self._round(book, moment)
        for moment.ts, following in rest:
            yield
            self._join(book, moment)
            moment.path = True
            moment.bid = moment.ask = following
            self._round(book, moment, before=price)
            self._join(book, moment)
            moment.path = False
            price = following
        self._matcher.close(book, moment, bar.ts)
        for working in late:
            book.keep(working, "fresh")
        book.bar_end = bar.ts
        self._keep_last(book, bar.close, bar.ts)

    # -- what NautilusTrader says ----------------------------------------------------------------------------------

    def trades(self, working: Working, *, maker: bool) -> None:
        """Hear that an order trades now."""
        self._say(working, Word.MAKES if maker else Word.TAKES)

    def triggers(self, working: Working) -> None:
        """Hear that an order has met its trigger, and is a limit order from now on."""
        self._say(working, Word.TRIGGERS)

    def ends(self, working: Working, reason: str, *, post_only: bool) -> None:
        """Hear that an order is not taken, or not kept; without a `reason` because it could not trade at once."""
        word = Word.TAKES_NO_LIQUIDITY if post_only else Word.REFUSED if reason else Word.KILLED
        self._say(working, word, reason)

    def trails(self, working: Working) -> None:
        """Let a trailing order's trigger follow the market, exactly."""
        pit = self._pits[working.symbol]
        price = pit.side(is_buy=working.is_buy)
        best = working.extreme
        if working.phase is Phase.STOP and (best is None or (price < best if working.is_buy else price > best)):
            working.extreme = price
            tighten(self.books[working.symbol], working)

    def _say(self, working: Working, word: Word, reason: str = "") -> None:
        if self._said is None:
            return
        said = self._said.get(working.order_id)
        if said is None:
            said = self._said[working.order_id] = Said(working)
        said.words.append(word)
        said.reason = reason

    # -- one price -------------------------------------------------------------------------------------------------

    def _round(self, book: Book, moment: Moment, before: Decimal | None = None) -> None:
        """Let everybody whom a price concerns meet it; on a bar's path it comes from the one `before`."""
        if not self._is_watched(book):
            return
        pit = self._pit(book)
        bid, ask = moment.bid, moment.ask
        heard = self._said = {}
        self._show(pit, moment)
        waiting, book.waiting = book.waiting, {}
        for working in waiting.values():
            working.place = None
            self._say(working, Word.TAKES)
        new: set[str] = set()
        if before is None:
            fresh, book.fresh = book.fresh, {}
            for working in fresh.values():
                working.place = None
                new.add(working.order_id)
                self._enter(pit, working, moment)
        self._said = None
        for said in _in_turn(heard.values(), moment, before):
            if said.working.live:
                self._floor.follow(
                    said, book, moment, pit.side(is_buy=said.working.is_buy), arrives=said.working.order_id in new
                )
                moment.bid, moment.ask = bid, ask
        self._floor.settle()

    def _join(self, book: Book, moment: Moment) -> None:
        """Let what woke on a bar's path join it where the market then is."""
        while book.fresh:
            pit = self._pit(book)
            self._stand_at(pit, moment)
            fresh, book.fresh = book.fresh, {}
            for working in list(fresh.values()):
                if working.live:
                    working.place = None
                    self._arrive(book, pit, working, moment)
            self._floor.settle()

    def meet(self, working: Working, book: Book, moment: Moment, now: int) -> None:
        """Let one order that arrives `now` meet the market that stands."""
        pit = self._pit(book)
        if working.expire_at is None or now < working.expire_at:
            self._stand_at(pit, moment)
            self._arrive(book, pit, working, moment)

    def _arrive(self, book: Book, pit: Pit, working: Working, moment: Moment) -> None:
        heard = self._said = {}
        self._enter(pit, working, moment)
        self._said = None
        for said in heard.values():
            self._floor.follow(said, book, moment, pit.side(is_buy=working.is_buy), arrives=True)

    def _enter(self, pit: Pit, working: Working, moment: Moment) -> None:
        """Hand an order to NautilusTrader, which says at once what becomes of it."""
        pit.drop(working.order_id)
        price = moment.ask if working.is_buy else moment.bid
        if working.trails and working.extreme is None:
            working.extreme = price
            tighten(self.books[working.symbol], working)
        pit.enter(working)
        working.met = True

    def _show(self, pit: Pit, moment: Moment) -> None:
        """Show a price.

        :raises InvalidMarketDataError: for one that NautilusTrader cannot write.
        """
        if not pit.show(moment.bid, moment.ask, moment.ts):
            raise InvalidMarketDataError(pit.symbol, "price", f"{moment.bid} or {moment.ask} is {pit.grid.bounds}")

    def _stand_at(self, pit: Pit, moment: Moment) -> None:
        """Let a market that was not looked at catch up; who works in it has met this price before."""
        if (pit.bid, pit.ask) != (moment.bid, moment.ask):
            pit.quiet = True
            self._show(pit, moment)
            pit.quiet = False

    # -- the pits --------------------------------------------------------------------------------------------------

    def drop(self, working: Working) -> None:
        """Take an order out of NautilusTrader's hands, if it is there."""
        pit = self._pits.get(working.symbol)
        if pit is not None:
            pit.drop(working.order_id)

    def unwritten(self, symbol: str, quantity: Decimal | None, prices: Iterable[Decimal | None]) -> str | None:
        """Return what NautilusTrader cannot write of an order, and why."""
        grid = self._grid(symbol)
        if quantity is not None and grid.size(quantity) is None:
            return f"quantity {quantity} is {grid.bounds}"
        for price in prices:
            if price is not None and grid.price(price) is None:
                return f"price {price} is {grid.bounds}"
        return None

    def _grid(self, symbol: str) -> Grid:
        grid = self._grids.get(symbol)
        if grid is None:
            grid = self._grids[symbol] = Grid(self._instruments.get(symbol))
        return grid

    def _is_watched(self, book: Book) -> bool:
        """Return whether anybody waits for a symbol's price; otherwise it need not be shown."""
        symbol = book.symbol
        if symbol not in self._seen:
            self._seen.add(symbol)
            if any(one.symbol == symbol and self._rests(one) for one in self._venue.working.values()):
                self._pit(book)  # in a run that goes on
        pit = self._pits.get(symbol)
        return bool((pit is not None and pit.held) or book.fresh or book.waiting)

    def _pit(self, book: Book) -> Pit:
        """Return a symbol's pit; opened in a run that goes on, it holds again what worked in it."""
        symbol = book.symbol
        pit = self._pits.get(symbol)
        if pit is None:
            number, rejects = len(self._pits) + 1, self.settings.reject_stop_orders
            pit = Pit(book.instrument, self._grid(symbol), number, self, rejects_stops=rejects)
            self._pits[symbol] = pit
            self._restore(book, pit)
        return pit

    def _restore(self, book: Book, pit: Pit) -> None:
        """Let a pit hold again what rested in it; it was not met at the price that stands, whatever that is."""
        resting = [one for one in self._venue.working.values() if one.symbol == book.symbol and self._rests(one)]
        pit.quiet = True
        for one in sorted(resting, key=_by_time):
            pit.show_away(one)
            pit.enter(one)
        pit.quiet = False

    def _rests(self, working: Working) -> bool:
        active = working.met and working.place is None and working.phase is not Phase.CLOSE
        return active and self._venue._is_active(working)


def _in_turn(heard: Iterable[Said], moment: Moment, before: Decimal | None) -> list[Said]:
    """Return those who trade in their order: by time, where size is short by price, on a path as it comes to them."""
    found = list(heard)
    if before is not None:
        start = before
        found.sort(key=lambda said: (abs(level(said.working, start) - start), said.working.sequence))
    elif moment.ask_left is None and moment.bid_left is None:
        found.sort(key=lambda said: said.working.sequence)
    else:
        found.sort(key=lambda said: _by_price(said.working))
    return found


def _by_time(working: Working) -> int:
    return working.sequence


def _by_price(working: Working) -> tuple[int, Decimal | int, int]:
    limit = working.limit
    if working.phase is Phase.MARKET:
        return 0, 0, working.sequence
    if working.phase is Phase.LIMIT and limit is not None:
        return 1, -limit if working.is_buy else limit, working.sequence
    return 2, 0, working.sequence

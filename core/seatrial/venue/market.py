"""The market at the venue: one book per symbol, and the data that moves them."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

from seatrial.contracts.venue import Convention, LimitFill, VenueConfig
from seatrial.errors import InvalidMarketDataError
from seatrial.gate.validator import remainder
from seatrial.venue.book import Book
from seatrial.venue.moment import Moment
from seatrial.venue.path import bar_path

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from seatrial.contracts.market import Bar, Quote, Trade
    from seatrial.gate.instruments import Instruments
    from seatrial.venue.ledger import Ledger
    from seatrial.venue.matching import Matcher

__all__ = ["Market"]

_TWO = Decimal(2)


class Market:
    """Takes quotes, trades, single prices and bars, and lets the orders of their books meet them."""

    __slots__ = (
        "_always_stands",
        "_config",
        "_instruments",
        "_ledger",
        "_matcher",
        "_never_stands",
        "_strict_printed",
        "_strict_shown",
        "books",
    )

    def __init__(self, config: VenueConfig, instruments: Instruments, ledger: Ledger, matcher: Matcher) -> None:
        """Start without data."""
        self._config = config
        self._instruments = instruments
        self._ledger = ledger
        self._matcher = matcher
        self.books: dict[str, Book] = {}
        """The books opened so far, by symbol."""
        self._never_stands = config.convention is Convention.NEXT
        self._always_stands = config.convention is Convention.STANDING
        self._strict_shown = config.limit_fill is LimitFill.THROUGH
        self._strict_printed = config.limit_fill is not LimitFill.TOUCH

    def book(self, symbol: str) -> Book:
        """Return a symbol's book, opened when first asked for."""
        book = self.books.get(symbol)
        if book is None:
            book = self.books[symbol] = Book(self._instruments.get(symbol))
        return book

    # -- data ------------------------------------------------------------------------------------------------------

    def quote(self, quote: Quote) -> None:
        """The best bid and ask are now these."""
        book = self.books.get(quote.symbol) or self.book(quote.symbol)
        book.quote = quote
        book.moment = None
        book.is_bars = False
        if book.stirs(quote.bid, quote.ask):
            book.moment = Moment.of_quote(quote, strict=self._strict_shown)
            self._matcher.sweep(book, book.moment)
        self._ledger.mark(quote.symbol, (quote.bid + quote.ask) / _TWO, quote.ts)

    def trade(self, trade: Trade) -> None:
        """Somebody traded at this price."""
        book = self.books.get(trade.symbol) or self.book(trade.symbol)
        self._print(book, trade.price, self._share(book, trade.size), trade.ts, strict=self._strict_printed)

    def price(self, symbol: str, price: Decimal, timestamp: int) -> None:
        """The market can be traded at this price, both ways, in any quantity."""
        book = self.books.get(symbol) or self.book(symbol)
        self._print(book, price, None, timestamp, strict=self._strict_shown)

    def bars(self, bars: Sequence[Bar], starts: Sequence[int]) -> None:
        """The markets moved like this from their starts to their common end; what happens on the way has its own time.

        All bars are walked together, point by point in time order: money made late in one buys nothing early elsewhere.
        """
        walks = [self._walk(bar, start) for bar, start in zip(bars, starts, strict=True)]
        points = [(ts, index) for index, pair in enumerate(zip(bars, starts, strict=True)) for ts, _ in bar_path(*pair)]
        for _, index in sorted(points):
            next(walks[index], None)

    def _walk(self, bar: Bar, start: int) -> Iterator[None]:
        """Walk one bar, one point per step."""
        book = self.book(bar.symbol)
        book.is_bars = True
        cut = self.bar_cut(start, bar.ts)
        late = [working for working in book.fresh.values() if working.since > cut]
        for working in late:
            del book.fresh[working.order_id]
        (ts, price), *rest = bar_path(bar, start)
        moment = Moment.of_price(ts, price, self._share(book, bar.volume), strict=self._strict_printed)
        self._stand(book, moment)
        self._matcher.sweep(book, moment)
        for moment.ts, following in rest:
            yield
            self._matcher.walk(book, moment, price, following)
            price = following
        self._matcher.close(book, moment, bar.ts)
        for working in late:
            book.keep(working, "fresh")
        book.bar_end = bar.ts
        self._keep_last(book, bar.close, bar.ts)

    # -- what is known between data --------------------------------------------------------------------------------

    def has_quote(self, symbol: str) -> bool:
        """Return whether a symbol is quoted; its mark is then the middle, not the last print."""
        book = self.books.get(symbol)
        return book is not None and book.quote is not None

    def bar_start(self, bar: Bar, reached: int) -> int:
        """Return where a bar begins: its own start, else its predecessor's end, else the time reached before it.

        A bar without a start of its own begins no earlier than the symbol's last price, and with the next session where
        that was the last of its own: what was shown is over, and a night belongs to no bar.

        :raises InvalidMarketDataError: when it begins before its predecessor's end.
        """
        book = self.book(bar.symbol)
        end = book.bar_end
        if bar.start is None:
            shown = max(reached if end is None else end, book.last_at, 0 if book.quote is None else book.quote.ts)
            opened = book.instrument.calendar.session(shown)[0]
            return min(max(shown, opened), bar.ts)
        if end is not None and bar.start < end:
            problem = f"{bar.start} lies before the end of the bar before it ({end}); bars may not overlap"
            raise InvalidMarketDataError(bar.symbol, "start", problem)
        return bar.start

    def bar_cut(self, start: int, end: int) -> int:
        """Return the time by which an order must have arrived to trade from the open of the bar (start, end]."""
        return start + int(self._config.bar_theta * (end - start))

    @property
    def quotes_stand(self) -> bool:
        """Whether an order meets the quote that stands as it arrives."""
        return not self._never_stands

    def standing(self, book: Book, now: int) -> Moment | None:
        """Return the market an order that arrives `now` meets at once; `None` where it waits for the next price.

        The close of a bar stands from its end on: who arrives within the bar, once it was matched, does not know it.
        """
        quote, moment = book.quote, book.moment
        if self._never_stands or (quote is None and not self._always_stands):
            return None
        if moment is None:
            if quote is None:
                return None
            moment = book.moment = Moment.of_quote(quote, strict=self._strict_shown)
        return moment if moment.ts <= now else None

    def closing(self, book: Book, opened: int, now: int) -> Moment | None:
        """Return the market at the close of the session that `opened`; `None` where it showed no price."""
        if book.quote is not None and book.quote.ts >= opened:
            moment = book.moment or Moment.of_quote(book.quote, strict=self._strict_shown)
            moment.ts = now
            return moment
        if book.last is not None and book.last_at >= opened:
            return Moment.of_price(now, book.last, None, strict=self._strict_printed)
        return None

    # -- inside ----------------------------------------------------------------------------------------------------

    def _print(self, book: Book, price: Decimal, size: Decimal | None, timestamp: int, *, strict: bool) -> None:
        book.is_bars = False
        if self._always_stands or book.stirs(price, price):
            moment = Moment.of_price(timestamp, price, size, strict=strict)
            self._stand(book, moment)
            self._matcher.sweep(book, moment)
        self._keep_last(book, price, timestamp)

    def _stand(self, book: Book, moment: Moment) -> None:
        """Let a print stand as the market, where that is asked for and there is no quote."""
        if self._always_stands and book.quote is None:
            book.moment = moment

    def _keep_last(self, book: Book, price: Decimal, timestamp: int) -> None:
        book.last = price
        book.last_at = timestamp
        if book.quote is None:
            self._ledger.mark(book.symbol, price, timestamp)

    def _share(self, book: Book, size: Decimal | None) -> Decimal | None:
        """Return how much of a print's size or a bar's volume may be ours; `None` for any quantity."""
        part = self._config.participation
        if size is None or part is None:
            return None
        share = size * part
        lot = book.instrument.lot_size
        return share - remainder(share, lot) if lot is not None else share

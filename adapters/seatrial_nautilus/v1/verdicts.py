"""What NautilusTrader says of an order, and what is done with it: the simulated venue's sizes, costs and checks."""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING

from seatrial.contracts.rejection import RejectionReason
from seatrial.contracts.terms import Liquidity, TimeInForce
from seatrial.venue.arrivals import by_venue
from seatrial.venue.matching import Matcher
from seatrial.venue.working import Phase

if TYPE_CHECKING:
    from decimal import Decimal

    from seatrial.venue.book import Book
    from seatrial.venue.moment import Moment
    from seatrial.venue.working import Working
    from seatrial_nautilus.v1.tape_market import TapeMarket

__all__ = ["FloorMatcher", "Said", "Word", "level"]

_AT_ONCE = frozenset({TimeInForce.IOC, TimeInForce.FOK})
_CONDITIONAL = frozenset({Phase.STOP, Phase.TOUCH})


class Word(Enum):
    """What NautilusTrader says of an order."""

    TAKES = "takes"
    MAKES = "makes"
    TRIGGERS = "triggers"
    KILLED = "killed"
    TAKES_NO_LIQUIDITY = "post_only"
    REFUSED = "refused"


class Said:
    """What was said of one order on one price."""

    __slots__ = ("reason", "words", "working")

    def __init__(self, working: Working) -> None:
        """Begin with nothing."""
        self.working = working
        self.words: list[Word] = []
        self.reason = ""


class FloorMatcher(Matcher):
    """Does what NautilusTrader says, with the simulated venue's sizes, costs and checks."""

    market: TapeMarket

    def meet(self, working: Working, book: Book, moment: Moment, now: int) -> None:
        """Let one order meet the market that stands; within a bar it joins at the bar's next point."""
        if not moment.path:
            self.market.meet(working, book, moment, now)

    def settle(self) -> None:
        """Let what is not done wait for the next price."""
        leftover, self._leftover = self._leftover, []
        for book, working in leftover:
            if not working.live:
                continue
            if working.phase is Phase.MARKET:
                self.market.drop(working)
                book.keep(working, "waiting")
            elif working.phase is Phase.CLOSE:
                book.rest(working)

    def follow(self, said: Said, book: Book, moment: Moment, shown: Decimal, *, arrives: bool) -> None:
        """Do what was said of one order, in turn; `shown` is the price that its side was shown."""
        working = said.working
        now = max(working.since, moment.ts)
        if working.expire_at is not None and now >= working.expire_at:
            return  # its expiry is already due, and says so itself
        if moment.path and not arrives:
            moment.bid = moment.ask = level(working, shown)
        for word in said.words:
            if working.live:
                self._do(word, said, book, moment, now, shown=shown, arrives=arrives)
        if working.live and Word.TRIGGERS in said.words and working.tif in _AT_ONCE:
            self._arrive_limit(working, book, moment, now, shown)

    def _do(
        self, word: Word, said: Said, book: Book, moment: Moment, now: int, *, shown: Decimal, arrives: bool
    ) -> None:
        working = said.working
        price = moment.ask if working.is_buy else moment.bid
        if word is Word.REFUSED:
            self._floor.end(working, now, by_venue(RejectionReason.INVALID_PRICE, said.reason, working.trigger))
        elif word is Word.TRIGGERS:
            self._floor.triggered(working, price, now)
            working.phase = Phase.LIMIT
        elif word is Word.KILLED or word is Word.TAKES_NO_LIQUIDITY:
            self._arrive_limit(working, book, moment, now, price)
        elif word is Word.MAKES:
            self._make(working, book, moment, now, shown)
        else:
            if working.phase in _CONDITIONAL:
                self._floor.triggered(working, price, now)
                working.phase = Phase.MARKET
            elif working.phase is Phase.LIMIT and moment.path and arrives and working.limit is not None:
                price = working.limit
            self._take(working, book, moment, now, price)

    def _make(self, working: Working, book: Book, moment: Moment, now: int, shown: Decimal) -> None:
        """Trade at an order's own limit; where it has to be traded through, a touch is not enough."""
        limit = working.limit or shown
        if moment.strict and limit == shown:
            return
        if self._always_improves and not moment.path:
            limit = min(limit, shown) if working.is_buy else max(limit, shown)
        self._execute(working, book, moment, limit, liquidity=Liquidity.MAKER, now=now)


def level(working: Working, otherwise: Decimal) -> Decimal:
    """Return the price that an order waits for; `otherwise` where it takes any."""
    at = working.limit if working.phase is Phase.LIMIT else working.trigger
    return otherwise if at is None or working.phase is Phase.MARKET else at

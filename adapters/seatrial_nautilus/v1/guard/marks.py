"""What a guarded account's positions are worth: by the market data that the node sees anyway."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from seatrial_nautilus.v1.marks import Marks

if TYPE_CHECKING:
    from collections.abc import Callable
    from decimal import Decimal

    from seatrial.gate.account import Account
    from seatrial.gate.gate import ExecutionGate

__all__ = ["NodeMarks"]

_EARLY = 9
"""Before every strategy, after the data engine has brought its books up to date."""


class NodeMarks(Marks):
    """Marks of the instruments that were traded or held, from the node's own cache and bus.

    Nothing is subscribed to at the venue: an instrument that no strategy watches has no price here either.
    """

    def __init__(
        self,
        gate: ExecutionGate,
        account: Account,
        *,
        msgbus: Any,
        cache: Any,
        now: Callable[[], int],
        fail: Callable[[Exception], None],
    ) -> None:
        """Mark positions of `gate`, whose books are `account`; `now` tells the time, `fail` is told what went wrong."""
        super().__init__(gate, _NoWorld, str, at_once=True)  # type: ignore[arg-type]  # the node's cache is the world here
        self._account = account
        self._msgbus = msgbus
        self._cache = cache
        self._now = now
        self._fail = fail
        self._topics: dict[Any, tuple[str, ...]] = {}
        self.guessed: set[str] = set()
        """The symbols whose positions are valued at what they cost, for want of a price."""

    def follow(self, instrument_id: Any) -> None:
        """Mark an instrument from now on, at first by the latest that the node has seen of it."""
        if instrument_id in self._topics:
            return
        venue, symbol = instrument_id.venue, instrument_id.symbol
        self._topics[instrument_id] = (
            f"data.quotes.{venue}.{symbol}",
            f"data.trades.{venue}.{symbol}",
            f"data.book.*.{venue}.{symbol.topic()}",
            f"data.bars.{instrument_id}-*",
        )
        for topic in self._topics[instrument_id]:
            self._msgbus.subscribe(topic=topic, handler=self._on_data, priority=_EARLY)
        cache = self._cache
        bars = [cache.bar(one) for one in cache.bar_types(instrument_id=instrument_id)]
        for seen in (cache.quote_tick(instrument_id), cache.trade_tick(instrument_id), *bars[:1]):
            if seen is not None:
                self._on_data(seen)

    def close(self) -> None:
        """Follow nothing any more."""
        for topics in self._topics.values():
            for topic in topics:
                self._msgbus.unsubscribe(topic=topic, handler=self._on_data)
        self._topics.clear()

    def _on_data(self, data: Any) -> None:
        gate, now = self._gate, self._now()
        try:
            if gate.due() <= now:
                gate.advance(now)
            else:
                gate.now = now
            self.take(data)
        except Exception as error:  # noqa: BLE001 - an exception here ends the node
            self._fail(error)

    def _best(self, instrument_id: Any) -> tuple[Any, Any]:
        book = self._cache.order_book(instrument_id)
        return (None, None) if book is None else (book.best_bid_price(), book.best_ask_price())

    def _mark(self, symbol: str, price: Decimal, ts: int) -> None:
        if symbol in self.guessed:
            self.guessed.discard(symbol)
            before = self._account.equity
            self._gate.mark(symbol, price, ts)
            if self._gate.admission.risk is not None:  # what it was worth all along is neither profit nor loss
                self._gate.admission.risk.shift(self._account.equity - before)
        super()._mark(symbol, price, ts)


class _NoWorld:
    """There is no private world behind a guard."""

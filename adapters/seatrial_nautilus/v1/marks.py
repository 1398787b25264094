"""What positions are worth: the gate is shown a price with each piece of market data that has one."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any

from nautilus_trader.model.data import Bar, OrderBookDelta, OrderBookDeltas, OrderBookDepth10, QuoteTick, TradeTick

from seatrial_nautilus.v1.backlog import MANY

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from seatrial.gate.gate import ExecutionGate
    from seatrial_nautilus.v1.world import VenueWorld

__all__ = ["Marks"]

_HALF = Decimal("0.5")


class Marks:
    """Marks by instrument: the middle of quote or book; where there is neither the last trade, else a bar's close.

    With rules the gate is marked at once. Without, nobody looks until somebody asks, and of all data that came in the
    meantime the latest of each instrument is enough. So it is with quotes while nothing is held, where rules watch no
    more than equity and themselves: equity stands still then, and they need not be asked about it again.
    """

    def __init__(
        self,
        gate: ExecutionGate,
        world: VenueWorld,
        symbol_of: Callable[[Any], str],
        *,
        at_once: bool,
        positions: Mapping[str, Decimal] | None = None,
    ) -> None:
        """Mark positions of `gate` at what the venue of `world` shows; `symbol_of` names instruments there.

        Quotes wait while `positions`, a live view, is empty; without one none does.
        """
        self.at_once = at_once
        """Whether the gate is to be marked with each piece of data."""
        self.news = True
        """Whether rules are to look at the next mark, whatever it is."""
        self._gate = gate
        self._world = world
        self._symbol_of = symbol_of
        self._named: tuple[Any, str] = (None, "")  # the instrument quoted last, and its symbol
        self._late: list[Any] = []  # the quotes that wait
        risk = gate.admission.risk
        self._is_alarmed = None if risk is None or positions is None or not risk.patient else risk.is_alarmed
        self._positions: Mapping[str, Decimal] = {} if positions is None else positions
        self.quoted: set[str] = set()
        """The symbols that have quotes or a book."""
        self.traded: set[str] = set()
        """The symbols that have trades."""
        self._kinds: dict[Any, Callable[[Any], None]] = {
            QuoteTick: self._quote,
            TradeTick: self._trade,
            Bar: self._bar,
            OrderBookDelta: self._book,
            OrderBookDeltas: self._book,
            OrderBookDepth10: self._book,
        }

    def take(self, data: Any) -> None:
        """Take a piece of market data; what has no price is passed over."""
        kind = self._kinds.get(type(data))
        if kind is not None:
            kind(data)

    def catch_up(self) -> None:
        """Mark at the latest data, where that was put off."""
        self.catch_up_quotes()
        if not self.at_once:
            self._world.catch_up()
            for data in sorted(self._world.latest.values(), key=_when):
                self.take(data)

    def catch_up_quotes(self) -> None:
        """Mark at the latest of the quotes that wait, before anything depends on them."""
        if self._late:
            late, self._late = self._late, []
            for tick in {tick.instrument_id: tick for tick in late}.values():
                self._show(tick)

    def _quote(self, tick: Any) -> None:
        if self._is_alarmed is None or self._positions or self.news or self._is_alarmed(self._gate.now):
            self.catch_up_quotes()
            self._show(tick)
            self._assess()
        elif self._late and self._late[-1].instrument_id == tick.instrument_id:
            self._late[-1] = tick
        else:
            self._late.append(tick)
            if len(self._late) > MANY:
                self.catch_up_quotes()

    def _show(self, tick: Any) -> None:
        instrument_id = tick.instrument_id
        known, symbol = self._named
        if known is None or instrument_id != known:
            symbol = self._symbol_of(instrument_id)
            self._named = instrument_id, symbol
            self.quoted.add(symbol)
        price = (tick.bid_price.as_decimal() + tick.ask_price.as_decimal()) * _HALF
        self._mark(symbol, price, tick.ts_init)

    def _trade(self, tick: Any) -> None:
        self.catch_up_quotes()
        symbol = self._symbol_of(tick.instrument_id)
        self.traded.add(symbol)
        if symbol not in self.quoted:
            self._mark(symbol, tick.price.as_decimal(), tick.ts_init)
            self._assess()

    def _bar(self, bar: Any) -> None:
        self.catch_up_quotes()
        symbol = self._symbol_of(bar.bar_type.instrument_id)
        if symbol not in self.quoted and symbol not in self.traded:
            self._mark(symbol, bar.close.as_decimal(), bar.ts_init)
            self._assess()

    def _book(self, data: Any) -> None:
        self.catch_up_quotes()
        bid, ask = self._best(data.instrument_id)
        if bid is not None and ask is not None:
            symbol = self._symbol_of(data.instrument_id)
            self.quoted.add(symbol)
            self._mark(symbol, (bid.as_decimal() + ask.as_decimal()) * _HALF, data.ts_init)
            self._assess()

    def _best(self, instrument_id: Any) -> tuple[Any, Any]:
        """Return the best bid and ask of a book."""
        self._world.catch_up()
        exchange = self._world.exchange
        return exchange.best_bid_price(instrument_id), exchange.best_ask_price(instrument_id)

    def _mark(self, symbol: str, price: Decimal, ts: int) -> None:
        self._gate.mark(symbol, price, ts)

    def _assess(self) -> None:
        if self.at_once:
            self.news = False
            self._gate.assess()


def _when(data: Any) -> int:
    ts: int = data.ts_init
    return ts

"""What positions are worth: the gate is shown a price with each piece of market data that has one."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any

from nautilus_trader.model.data import Bar, OrderBookDelta, OrderBookDeltas, OrderBookDepth10, QuoteTick, TradeTick

if TYPE_CHECKING:
    from collections.abc import Callable

    from seatrial.gate.gate import ExecutionGate
    from seatrial_nautilus.v1.world import VenueWorld

__all__ = ["Marks"]

_HALF = Decimal("0.5")


class Marks:
    """Marks by instrument: the middle of quote or book; where there is neither the last trade, else a bar's close.

    With rules the gate is marked at once. Without, nobody looks until somebody asks, and of all data that came in the
    meantime the latest of each instrument is enough.
    """

    def __init__(
        self, gate: ExecutionGate, world: VenueWorld, symbol_of: Callable[[Any], str], *, at_once: bool
    ) -> None:
        """Mark positions of `gate` at what the venue of `world` shows; `symbol_of` names instruments there."""
        self.at_once = at_once
        """Whether the gate is to be marked with each piece of data."""
        self._gate = gate
        self._world = world
        self._symbol_of = symbol_of
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
        if not self.at_once:
            self._world.catch_up()
            for data in sorted(self._world.latest.values(), key=_when):
                self.take(data)

    def _quote(self, tick: Any) -> None:
        symbol = self._symbol_of(tick.instrument_id)
        self.quoted.add(symbol)
        self._mark(symbol, (tick.bid_price.as_decimal() + tick.ask_price.as_decimal()) * _HALF, tick.ts_init)

    def _trade(self, tick: Any) -> None:
        symbol = self._symbol_of(tick.instrument_id)
        self.traded.add(symbol)
        if symbol not in self.quoted:
            self._mark(symbol, tick.price.as_decimal(), tick.ts_init)

    def _bar(self, bar: Any) -> None:
        symbol = self._symbol_of(bar.bar_type.instrument_id)
        if symbol not in self.quoted and symbol not in self.traded:
            self._mark(symbol, bar.close.as_decimal(), bar.ts_init)

    def _book(self, data: Any) -> None:
        bid, ask = self._best(data.instrument_id)
        if bid is not None and ask is not None:
            symbol = self._symbol_of(data.instrument_id)
            self.quoted.add(symbol)
            self._mark(symbol, (bid.as_decimal() + ask.as_decimal()) * _HALF, data.ts_init)

    def _best(self, instrument_id: Any) -> tuple[Any, Any]:
        """Return the best bid and ask of a book."""
        self._world.catch_up()
        exchange = self._world.exchange
        return exchange.best_bid_price(instrument_id), exchange.best_ask_price(instrument_id)

    def _mark(self, symbol: str, price: Decimal, ts: int) -> None:
        self._gate.mark(symbol, price, ts)
        if self.at_once:
            self._gate.assess()


def _when(data: Any) -> int:
    ts: int = data.ts_init
    return ts

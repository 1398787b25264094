"""The instruments of a run, by symbol."""

from __future__ import annotations

from collections.abc import Iterable

from seatrial.contracts._expect import expect
from seatrial.contracts.market import Instrument
from seatrial.errors import InvalidConfigError

__all__ = ["Instruments"]


class Instruments:
    """A closed list where instruments were declared; otherwise any symbol, on a free price grid, always open."""

    __slots__ = ("_by_symbol", "closed")

    def __init__(self, instruments: Iterable[Instrument] = ()) -> None:
        """Declare `instruments`; none at all leaves the list open.

        :raises InvalidConfigError: when two share a symbol, or differ in currency: an account has one, and nothing
            is converted.
        """
        self._by_symbol: dict[str, Instrument] = {}
        expect("instruments", instruments, Iterable, "an iterable of Instrument")
        for instrument in instruments:
            expect("instruments", instrument, Instrument, "an iterable of Instrument")
            if instrument.symbol in self._by_symbol:
                raise InvalidConfigError("instruments", instrument.symbol, "declared twice; keep one")
            self._by_symbol[instrument.symbol] = instrument
            first = next(iter(self._by_symbol.values()))
            if instrument.currency != first.currency:
                problem = f"{instrument.symbol} has another currency than {first.symbol} ({first.currency})"
                raise InvalidConfigError("currency", instrument.currency, f"{problem}; nothing is converted, give one")
        self.closed = bool(self._by_symbol)

    def describe(self, instrument: Instrument) -> None:
        """Say what an instrument is, before its first order; an engine learns of its instruments while it runs."""
        self._by_symbol[instrument.symbol] = instrument

    @property
    def declared(self) -> tuple[Instrument, ...]:
        """The instruments that were declared; none where any symbol trades."""
        return tuple(self._by_symbol.values()) if self.closed else ()

    def knows(self, symbol: str) -> bool:
        """Return whether orders and market data for `symbol` are possible."""
        return not self.closed or symbol in self._by_symbol

    def find(self, symbol: str) -> Instrument | None:
        """Return the instrument of a symbol, or `None` where instruments were declared and this is none of them."""
        found = self._by_symbol.get(symbol)
        return self.get(symbol) if found is None and not self.closed else found

    def get(self, symbol: str) -> Instrument:
        """Return the instrument of a known symbol.

        :raises InvalidConfigError: when instruments were declared and this is none of them.
        """
        found = self._by_symbol.get(symbol)
        if found is None:
            if self.closed:
                names = ", ".join(sorted(self._by_symbol))
                raise InvalidConfigError("symbol", symbol, f"no such instrument; declared are {names}")
            found = self._by_symbol[symbol] = Instrument(symbol=symbol)
        return found

"""Rows that a scenario holds itself."""

from __future__ import annotations

from collections.abc import Generator, Sequence

from seatrial.contracts.market import Bar, MarketEvent, Quote, Trade
from seatrial.data.faults import BadRow, Faults, FileFaults
from seatrial.data.grids import BadCell, read_price, unknown_symbol
from seatrial.data.rows import second_bar
from seatrial.data.stamps import late
from seatrial.gate.instruments import Instruments

__all__ = ["GivenRows"]

_PRICES = {Quote: ("bid", "ask"), Trade: ("price",), Bar: ("open", "high", "low", "close")}


class GivenRows:
    """Rows that stand in the scenario, numbered from 1; only what they cannot know of themselves is checked."""

    def __init__(self, rows: Sequence[MarketEvent], instruments: Instruments) -> None:
        """Keep both."""
        self._rows = rows
        self._instruments = instruments

    @property
    def size(self) -> int:
        """How many rows there are."""
        return len(self._rows)

    def events(self, faults: Faults) -> Generator[MarketEvent, None, None]:
        """Yield the rows, from the first on.

        :raises TapeError: for a row that cannot be used, unless `faults` takes it.
        """
        dropped, check = FileFaults(faults, "rows"), _Check(self._instruments)
        for number, row in enumerate(self._rows, 1):
            try:
                check(row)
            except BadRow as bad:
                dropped.add(number, number, bad)
            else:
                yield row
        dropped.finish(len(self._rows))


class _Check:
    """Compares a row with the instruments and with the rows before it."""

    def __init__(self, instruments: Instruments) -> None:
        """Begin before all rows."""
        self._instruments = instruments
        self._last = 0
        self._closes: dict[str, int] = {}

    def __call__(self, row: MarketEvent) -> None:
        """Check a row.

        :raises BadRow: for one that cannot be used.
        """
        instrument = self._instruments.find(row.symbol)
        if instrument is None:
            raise unknown_symbol(row.symbol, self._instruments)
        if row.ts < self._last:
            raise late(row.ts, self._last)
        tick = instrument.tick_size
        for name in () if tick is None else _PRICES[type(row)]:
            try:
                read_price(getattr(row, name), tick)
            except BadCell as bad:
                subject = f"{name} of {row.symbol}"
                raise BadRow(subject, bad.problem, bad.remedy) from None
        if isinstance(row, Bar):
            if self._closes.get(row.symbol) == row.ts:
                raise second_bar(row)
            self._closes[row.symbol] = row.ts
        self._last = row.ts

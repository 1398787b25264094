"""Numbers as files hold them, read exactly, and the instruments they belong to.

Text becomes Decimal digit by digit, a float by its shortest notation. The same numbers come again and again on a tape,
so each is read and checked once and then looked up; what is kept for that is bounded.
"""

from __future__ import annotations

from decimal import Context, Decimal, InvalidOperation
from difflib import get_close_matches
from typing import Any, NamedTuple

from seatrial.contracts.market import Instrument
from seatrial.contracts.scenario import TapeFile
from seatrial.data.faults import ABSENT, REPAIR, BadRow, shown
from seatrial.errors import TapeError
from seatrial.gate.instruments import Instruments

__all__ = [
    "BadCell",
    "Grid",
    "Grids",
    "Numbers",
    "read_number",
    "read_price",
    "read_size",
    "unknown_symbol",
]

_KEPT = 16_384
_LARGEST = Decimal(10**24)
_EXACT = Context(prec=1_000)  # a program may have set its own context to few digits
_SHOWN = 10


class BadCell(ValueError):
    """A cell that is no price or size: `problem` says what it is, and goes on from the name of its column."""

    def __init__(self, shown: object, problem: str, remedy: str = REPAIR) -> None:
        """Keep both halves of the message."""
        super().__init__(shown, problem, remedy)
        self.problem = f"is {shown}, {problem}" if problem else f"is {shown}"
        self.remedy = remedy


def read_number(cell: Any) -> Decimal:
    """Read a number exactly.

    :raises BadCell: for what is empty, no number, or infinite.
    """
    if cell is None or (isinstance(cell, str) and not cell.strip()):
        raise BadCell("empty", "")
    try:
        value = Decimal(repr(cell)) if isinstance(cell, float) else Decimal(cell)
    except (InvalidOperation, TypeError, ValueError):
        remedy = "write plain digits with a decimal point, or let repair drop rows like it"
        raise BadCell(shown(cell), "no number", remedy) from None
    if not value.is_finite():
        raise BadCell(value, "no number")
    return value


def read_size(cell: Any) -> Decimal:
    """Read a size.

    :raises BadCell: for what is no number, or below zero.
    """
    value = read_number(cell)
    if value < 0:
        raise BadCell(value, "but a size is zero or more")
    return value


def read_price(cell: Any, tick: Decimal | None) -> Decimal:
    """Read a price; a `tick` of `None` allows any.

    :raises BadCell: for what is no number, not above zero, or off the tick size.
    """
    value = read_number(cell)
    if value <= 0:
        raise BadCell(value, "but a price lies above zero")
    if value >= _LARGEST:
        raise BadCell(value, "more than any price")
    if tick is not None and _EXACT.remainder(value, tick):
        remedy = "correct it, give the instrument the tick size of these prices, or let repair drop rows like it"
        raise BadCell(value, f"off the tick size {tick}", remedy)
    return value


class Numbers(dict[Any, Decimal]):
    """Numbers by the cell they were read from."""

    def __missing__(self, cell: Any) -> Decimal:
        """Read a cell that is new.

        :raises BadCell: for what is no number.
        """
        return self._keep(cell, read_number(cell))

    def _keep(self, cell: Any, value: Decimal) -> Decimal:
        if len(self) >= _KEPT:
            self.clear()
        self[cell] = value
        return value


class _Prices(Numbers):
    """Prices on one grid by the cell they were read from."""

    def __init__(self, tick: Decimal | None) -> None:
        """Begin with none."""
        super().__init__()
        self._tick = tick

    def __missing__(self, cell: Any) -> Decimal:
        """Read a cell that is new.

        :raises BadCell: for what is no price of this grid.
        """
        return self._keep(cell, read_price(cell, self._tick))


class Grid(NamedTuple):
    """An instrument, and the prices it was seen at."""

    instrument: Instrument
    prices: Numbers


class Grids(dict[Any, Grid]):
    """Grids by the cell that names the symbol; instruments of one tick size share what they have read."""

    def __init__(self, file: TapeFile, instruments: Instruments) -> None:
        """Begin with the file's own symbol, if it gives one.

        :raises TapeError: where that is none of the instruments.
        """
        super().__init__()
        self._instruments = instruments
        self._only = file.symbol
        self._prices: dict[Decimal | None, Numbers] = {}
        if file.symbol is not None:
            try:
                self[ABSENT] = self[file.symbol]
            except BadRow as bad:
                raise TapeError(file.path, None, bad.problem, bad.remedy) from None

    def __missing__(self, cell: Any) -> Grid:
        """Find the instrument of a name that is new.

        :raises BadRow: for a name that is empty or unknown.
        """
        symbol = "" if cell is None else str(cell).strip()
        if not symbol or not symbol.isprintable():
            raise BadRow("symbol", f"{shown(symbol)} is no name" if symbol else "is empty")
        if self._only is not None and symbol != self._only:
            remedy = "leave out the file's symbol where a column has it, or let repair drop other rows"
            raise BadRow("symbol", f"{shown(symbol)} is not that given for the file, {self._only!r}", remedy)
        instrument = self._instruments.find(symbol)
        if instrument is None:
            raise unknown_symbol(symbol, self._instruments)
        tick = instrument.tick_size
        if tick not in self._prices:
            self._prices[tick] = _Prices(tick)
        grid = self[cell] = Grid(instrument, self._prices[tick])
        return grid


def unknown_symbol(symbol: str, instruments: Instruments) -> BadRow:
    """Return what is wrong with a symbol that is none of the instruments."""
    known = [instrument.symbol for instrument in instruments.declared]
    more = f" and {len(known) - _SHOWN} more" if len(known) > _SHOWN else ""
    close = get_close_matches(symbol, known, n=1)
    remedy = "declare it as an instrument, or let repair drop its rows"
    if close:
        remedy = f"did you mean {close[0]!r}? otherwise {remedy}"
    return BadRow("symbol", f"{shown(symbol)} is none of the instruments ({', '.join(known[:_SHOWN])}{more})", remedy)

"""One row of cells, as a file holds them, turned into a quote, a trade or a bar.

A row that can be used is read with as few steps as can be; only one that cannot is looked at cell by cell.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from decimal import Decimal
from typing import Any, NamedTuple, TypeAlias

from seatrial.clock import iso
from seatrial.contracts.market import Bar, MarketEvent, Quote, Trade
from seatrial.contracts.scenario import DataKind
from seatrial.data.columns import Layout
from seatrial.data.faults import ABSENT, BadRow
from seatrial.data.grids import BadCell, Grid, Grids, read_price, read_size
from seatrial.data.stamps import EARLIEST, LATEST, Stamp, read_day, session
from seatrial.errors import InvalidMarketDataError

__all__ = ["Build", "Readers", "row_builder", "second_bar"]

Build: TypeAlias = Callable[[Sequence[Any]], MarketEvent]
"""Turns the cells of a row, in the order of the layout's names, into market data.

:raises BadRow: for a row that cannot be used.
"""
_SIZES = frozenset({"bid_size", "ask_size", "size", "volume"})


class Readers(NamedTuple):
    """What reads the cells of a column: that of ts, that of start, and those of sizes."""

    ts: Stamp
    start: Stamp
    size: Callable[[Any], Decimal]


def row_builder(kind: DataKind, layout: Layout, readers: Readers, grids: Grids) -> Build:
    """Return what builds the rows of a file, from its first row on; it remembers the time it has reached."""
    sizes = [readers.size if layout.has(name) else _none for name in layout.names if name in _SIZES]
    if kind == DataKind.QUOTES:
        return _quotes(layout, readers.ts, sizes, grids)
    if kind == DataKind.TRADES:
        return _trades(layout, readers.ts, sizes, grids)
    return _bars(layout, readers, sizes, grids)


def second_bar(bar: Bar) -> BadRow:
    """Return what is wrong with a bar that ends when the one before it did."""
    return BadRow(bar.symbol, f"has a second bar that ends at {iso(bar.ts)}", "keep one of them")


def _quotes(layout: Layout, stamp: Stamp, sizes: Sequence[Callable[[Any], Decimal | None]], grids: Grids) -> Build:
    read_stamp, (read_bid_size, read_ask_size), last = stamp.read, sizes, EARLIEST

    def build(cells: Sequence[Any]) -> Quote:
        nonlocal last
        when, name, bid, ask, bid_size, ask_size = cells
        instrument, prices = grids[name]
        try:
            ts = read_stamp(when)
            if not last <= ts < LATEST:
                raise stamp.misplaced(when, ts, last)
            quote = Quote(
                ts, instrument.symbol, prices[bid], prices[ask], read_bid_size(bid_size), read_ask_size(ask_size)
            )
        except (ArithmeticError, TypeError, ValueError) as error:
            raise _explained(error, layout, cells, grids[name]) from None
        last = ts
        return quote

    return build


def _trades(layout: Layout, stamp: Stamp, sizes: Sequence[Callable[[Any], Decimal | None]], grids: Grids) -> Build:
    read_stamp, (read_trade_size,), last = stamp.read, sizes, EARLIEST

    def build(cells: Sequence[Any]) -> Trade:
        nonlocal last
        when, name, price, size = cells
        instrument, prices = grids[name]
        try:
            ts = read_stamp(when)
            if not last <= ts < LATEST:
                raise stamp.misplaced(when, ts, last)
            trade = Trade(ts, instrument.symbol, prices[price], read_trade_size(size))
        except (ArithmeticError, TypeError, ValueError) as error:
            raise _explained(error, layout, cells, grids[name]) from None
        last = ts
        return trade

    return build


def _bars(layout: Layout, readers: Readers, sizes: Sequence[Callable[[Any], Decimal | None]], grids: Grids) -> Build:
    (stamp, start_stamp, _), (read_volume,), last = readers, sizes, EARLIEST
    dated, started = layout.dated, layout.has("start")
    closes: dict[str, int] = {}

    def build(cells: Sequence[Any]) -> Bar:
        nonlocal last
        start: int | None = None
        when, name, opened, high, low, close, volume, begun = cells
        instrument, prices = grids[name]
        try:
            if dated:
                start, ts = session(read_day(when), instrument)
            else:
                ts = stamp.read(when)
                if started:
                    start = start_stamp.read(begun)
            if not last <= ts < LATEST:
                raise stamp.misplaced(when, ts, last)
            if start is not None and start < EARLIEST:
                raise start_stamp.misplaced(begun, start, last)
            path = prices[opened], prices[high], prices[low], prices[close]
            bar = Bar(ts, instrument.symbol, *path, read_volume(volume), start)
        except (ArithmeticError, TypeError, ValueError) as error:
            raise _explained(error, layout, cells, grids[name]) from None
        if closes.get(bar.symbol) == ts:
            raise second_bar(bar)
        last = closes[bar.symbol] = ts
        return bar

    return build


def _none(_cell: Any) -> None:
    return None


def _explained(error: Exception, layout: Layout, cells: Sequence[Any], grid: Grid) -> Exception:
    """Return why a row could not be built: an empty stamp, a cell, cells that contradict each other, or our mistake."""
    instrument = grid.instrument
    named = dict(zip(layout.names, cells, strict=True))
    for name, cell in named.items():
        if cell is None and name in {"ts", "start"}:
            return BadRow("stamp", "is empty")
        if cell is ABSENT or name in {"ts", "date", "symbol", "start"}:
            continue
        try:
            if name in _SIZES:
                read_size(cell)
            else:
                read_price(cell, instrument.tick_size)
        except BadCell as bad:
            return BadRow(f"{name} of {instrument.symbol}", bad.problem, bad.remedy)
    if isinstance(error, InvalidMarketDataError):
        _, _, problem = str(error).partition(f"market data for {error.symbol!r}: {error.field}: ")
        return BadRow(f"{error.field} of {error.symbol}:", problem.partition(";")[0])
    return error

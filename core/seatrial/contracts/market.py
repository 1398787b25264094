"""Market data and instruments: what a tape is made of and what trades on it.

Prices are in the instrument's currency per unit, sizes in units, times in UNIX ns UTC. Each record refuses, when built,
what no market can have shown.

:raises InvalidMarketDataError: for a float, a NaN, a price not above zero, a crossed quote, a bar outside its range.
"""

from __future__ import annotations

from decimal import Decimal
from typing import NoReturn, TypeAlias

import msgspec

from seatrial.clock import MAX_NS
from seatrial.contracts._expect import expect
from seatrial.contracts.calendar import ALWAYS_OPEN, Calendar
from seatrial.errors import InvalidConfigError, InvalidMarketDataError

__all__ = ["Bar", "Instrument", "MarketEvent", "Quote", "Trade", "check_price"]

_ZERO = Decimal(0)
_LARGEST = Decimal(10**24)


class Instrument(msgspec.Struct, frozen=True, kw_only=True):
    """What trades: its price grid, its lot, the money one unit stands for, and its sessions.

    `tick_size` (currency) and `lot_size` (units) of `None` allow any price or quantity; `multiplier` is the currency
    value of one unit per 1 of price. All instruments of an account have one `currency`, which is the account's.
    """

    symbol: str
    tick_size: Decimal | None = None
    lot_size: Decimal | None = None
    multiplier: Decimal = Decimal(1)
    currency: str = "USD"
    calendar: Calendar = ALWAYS_OPEN

    def __post_init__(self) -> None:
        """Refuse steps that are not above zero.

        :raises InvalidConfigError: naming the setting.
        """
        expect("symbol", self.symbol, str, "a str")
        if not self.symbol or not self.symbol.isprintable():
            raise InvalidConfigError("symbol", self.symbol, "an instrument needs a printable name")
        expect("calendar", self.calendar, Calendar, "a calendar such as WeeklyCalendar or AlwaysOpen")
        for setting in ("tick_size", "lot_size", "multiplier"):
            value: object = getattr(self, setting)
            if value is None and setting != "multiplier":
                continue
            if not isinstance(value, Decimal) or not value.is_finite() or value <= 0:
                raise InvalidConfigError(setting, value, f"give a Decimal above zero for {self.symbol}")


def check_price(symbol: str, field: str, value: object) -> None:
    """Refuse what is no price.

    :raises InvalidMarketDataError: for anything but a finite Decimal above zero.
    """
    if type(value) is not Decimal:
        kind = type(value).__name__
        raise InvalidMarketDataError(symbol, field, f"{value!r} is a {kind}; give Decimal, for example Decimal(str(x))")
    if not value.is_finite() or not _ZERO < value < _LARGEST:
        _refuse(symbol, field, f"{value} is no price; drop the row or repair it")


def _check_size(symbol: str, field: str, value: object) -> None:
    if type(value) is not Decimal or not value.is_finite() or not _ZERO <= value < _LARGEST:
        _refuse(symbol, field, f"{value!r} is no size; give a Decimal of zero or more")


def _check_time(symbol: object, ts: object) -> None:
    if type(symbol) is not str or not symbol or not symbol.isprintable():
        _refuse(symbol, "symbol", "it is no name; give a non-empty printable str")
    if type(ts) is not int or not 0 <= ts <= MAX_NS:
        _refuse(symbol, "ts", f"{ts!r} is no time; give int UNIX ns UTC (seatrial.clock.to_ns converts a datetime)")


def _refuse(symbol: object, field: str, problem: str) -> NoReturn:
    raise InvalidMarketDataError(symbol, field, problem)


class Quote(msgspec.Struct, frozen=True, gc=False, tag_field="data", tag="quote"):
    """The best bid and ask; a size of `None` is unlimited."""

    ts: int
    symbol: str
    bid: Decimal
    ask: Decimal
    bid_size: Decimal | None = None
    ask_size: Decimal | None = None

    def __post_init__(self) -> None:
        """Refuse what no market shows; a locked market (bid equal to ask) is real."""
        _check_time(self.symbol, self.ts)
        check_price(self.symbol, "bid", self.bid)
        check_price(self.symbol, "ask", self.ask)
        if self.bid > self.ask:
            _refuse(self.symbol, "bid", f"{self.bid} is above the ask {self.ask}: the quote is crossed")
        if self.bid_size is not None:
            _check_size(self.symbol, "bid_size", self.bid_size)
        if self.ask_size is not None:
            _check_size(self.symbol, "ask_size", self.ask_size)


class Trade(msgspec.Struct, frozen=True, gc=False, tag_field="data", tag="trade"):
    """A print: somebody traded `size` units at `price`; a size of `None` is unknown and unlimited."""

    ts: int
    symbol: str
    price: Decimal
    size: Decimal | None = None

    def __post_init__(self) -> None:
        """Refuse what no market prints."""
        _check_time(self.symbol, self.ts)
        check_price(self.symbol, "price", self.price)
        if self.size is not None:
            _check_size(self.symbol, "size", self.size)


class Bar(msgspec.Struct, frozen=True, gc=False, tag_field="data", tag="bar"):
    """The interval (start, ts]: `ts` is its close.

    A `start` of `None` is the end of the symbol's previous bar, or the opening of the session if that came later.
    """

    ts: int
    symbol: str
    open: Decimal
    high: Decimal
    low: Decimal
    close: Decimal
    volume: Decimal | None = None
    start: int | None = None

    def __post_init__(self) -> None:
        """Refuse prices outside the bar's own range."""
        _check_time(self.symbol, self.ts)
        for field in ("open", "high", "low", "close"):
            check_price(self.symbol, field, getattr(self, field))
        if not (self.low <= self.open <= self.high and self.low <= self.close <= self.high):
            shown = f"open {self.open}, high {self.high}, low {self.low}, close {self.close}"
            _refuse(self.symbol, "high", f"the bar's prices lie outside its low..high: {shown}")
        if self.volume is not None:
            _check_size(self.symbol, "volume", self.volume)
        if self.start is not None:
            _check_time(self.symbol, self.start)
        if self.start is not None and self.start > self.ts:
            _refuse(self.symbol, "start", f"{self.start} lies after the bar's end {self.ts}")


MarketEvent: TypeAlias = Quote | Trade | Bar
"""One row of a tape."""

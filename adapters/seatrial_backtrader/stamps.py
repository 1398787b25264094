"""Backtrader's times and numbers in the core's units: date numbers as UNIX ns, floats as exact decimals.

A date number counts days as a float, which resolves about 10 µs today; it is rounded to whole µs, so what a feed
stamped 50 ms after something may read as 49.999 ms after it.
"""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal
from functools import lru_cache
from typing import Any

import backtrader as bt

from seatrial.errors import InvalidTimeError

__all__ = ["exact", "last_price", "newest", "reached", "shortest", "span", "stamp_of", "to_ns"]

_EPOCH = 719_163.0  # 1970-01-01 as a date number
_MICROS_PER_DAY = 86_400_000_000
_Frame: Any = bt.TimeFrame
_FRAMES = {
    _Frame.MicroSeconds: 1_000,
    _Frame.Seconds: 1_000_000_000,
    _Frame.Minutes: 60_000_000_000,
    _Frame.Days: 86_400_000_000_000,
    _Frame.Weeks: 7 * 86_400_000_000_000,
    _Frame.Months: 31 * 86_400_000_000_000,
    _Frame.Years: 366 * 86_400_000_000_000,
}


@lru_cache(maxsize=64)  # a bar's stamp is read several times
def to_ns(stamp: float) -> int:
    """Return a date number as UNIX ns UTC.

    :raises InvalidTimeError: for one before 1970, where no UNIX time is.
    """
    ns = round((stamp - _EPOCH) * _MICROS_PER_DAY) * 1_000
    if ns < 0:
        raise InvalidTimeError(stamp, "it lies before 1970", "give the feed a fromdate of 1970-01-01 or later")
    return ns


def exact(number: Any) -> Decimal:
    """Return a number as the shortest decimal that reads back as it; whole numbers without a fraction."""
    if type(number) is int:
        return Decimal(number)
    return _known(number if type(number) is float else float(number))


def shortest(number: Any) -> Decimal:
    """Return what :func:`exact` does of a number, most often a float, that is not likely to come again."""
    if type(number) is not float:  # cash may be set as a whole number, or as one of numpy's
        return exact(number)
    return Decimal(int(number)) if number.is_integer() else Decimal(repr(number))


_known = lru_cache(maxsize=256)(shortest)  # a price is a mark, then paid, then noted


def stamp_of(data: Any) -> float | None:
    """Return the date number of a feed's present bar; `None` before the first, or where exactbars keeps none."""
    stamps = data.datetime
    if not len(stamps):
        return None
    try:
        return float(stamps[0])
    except IndexError:
        return None


def last_price(data: Any, known: float | None) -> tuple[float, float]:
    """Return the stamp and the close of a feed's newest bar with a price, looking back as far as the one `known`."""
    stamp, close, ago = data.datetime[0], data.close[0], 0
    while close != close and stamp != known and 1 - ago < len(data):  # noqa: PLR0124 - a NaN is no price
        ago -= 1
        stamp, close = data.datetime[ago], data.close[ago]
    return stamp, close


def newest(datas: Iterable[Any]) -> int:
    """Return the newest stamp of the feeds, in UNIX ns UTC; 0 before the first bar."""
    latest: float | None = None
    for data in datas:
        stamp = stamp_of(data)
        if stamp is not None and (latest is None or stamp > latest):
            latest = stamp
    return 0 if latest is None else to_ns(latest)


def reached(datas: Iterable[Any]) -> list[tuple[int, float | None]]:
    """Return how far feeds have come: their bars so far, and the stamp of the latest, which moves as a bar grows."""
    return [(len(data), stamp_of(data)) for data in datas]


@lru_cache(maxsize=64)
def _knows_its_span(kind: Any) -> bool:
    return hasattr(kind, "exact_span")


def span(data: Any) -> tuple[int, int]:
    """Return when the present bar of a feed began and ended, in UNIX ns UTC.

    It began when the bar before it ended, or a whole period before its end if that is later; a tick takes no time.
    A feed that knows better says so itself, by `exact_span`.
    """
    if _knows_its_span(data.__class__):
        began, ended = data.exact_span()
        return int(began), int(ended)
    stamps = data.datetime
    end = to_ns(stamps[0])
    start = end - _FRAMES.get(data._timeframe, 0) * (data._compression or 1)
    if len(stamps) > 1:
        try:
            before = to_ns(stamps[-1])
        except IndexError:  # a feed under exactbars may keep one bar alone
            return start, end
        if before > start:
            return min(before, end), end
    return start, end

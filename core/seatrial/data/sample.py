"""The bundled sample: IBM's real daily bars from 2000-03-01 to 2013-03-01, every number exactly as published.

Prices are as traded, in USD per share: not adjusted for dividends, and there was no split in these years.
`PROVENANCE.md` beside the file says where it comes from and what its columns mean.
"""

from __future__ import annotations

import csv
from datetime import date, datetime, time
from decimal import Decimal
from importlib.resources import files
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from seatrial.clock import to_ns
from seatrial.contracts.calendar import WeeklyCalendar
from seatrial.contracts.market import Bar, Instrument

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["IBM", "ibm_daily"]

_ZONE = "America/New_York"
_SESSIONS = WeeklyCalendar(_ZONE, opens=time(9, 30), closes=time(16))

IBM = Instrument(
    symbol="IBM", tick_size=Decimal("0.01"), lot_size=Decimal(1), multiplier=Decimal(1), calendar=_SESSIONS
)
"""The instrument of the sample: cents, single shares, USD, weekdays from 09:30 to 16:00 in New York."""


def ibm_daily() -> Iterator[Bar]:
    """Yield the 3,270 bars in time order.

    A bar starts at the open and ends at the close of its day's regular session, also on the few days on which the
    exchange closed early. Volume is in shares.

    >>> first = next(ibm_daily())
    >>> first.open, first.close, first.volume
    (Decimal('102.0'), Decimal('100.25'), Decimal('10807800'))
    """
    zone = ZoneInfo(_ZONE)
    text = (files("seatrial.data") / "ibm_daily.csv").read_text(encoding="utf-8")
    for row in csv.DictReader(text.splitlines()):
        noon = datetime.combine(date.fromisoformat(row["date"]), time(12), zone)
        start, end = _SESSIONS.session(to_ns(noon))
        opened, high, low, close = (Decimal(row[column]) for column in ("open", "high", "low", "close"))
        yield Bar(end, IBM.symbol, opened, high, low, close, volume=Decimal(row["volume"]), start=start)

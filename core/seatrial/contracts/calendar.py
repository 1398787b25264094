"""Trading sessions: when a market's day begins and ends.

A session is the half-open interval [open, close): at its close it is over. A time outside every session belongs to the
next one, so a DAY order sent overnight works through the coming day.
"""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import msgspec

from seatrial.clock import NANOS_PER_SECOND, duration_ns, from_ns
from seatrial.contracts._expect import expect
from seatrial.errors import InvalidConfigError

__all__ = ["ALWAYS_OPEN", "AlwaysOpen", "Calendar", "WeeklyCalendar"]

_DAY_NS = 86_400 * NANOS_PER_SECOND
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class AlwaysOpen(msgspec.Struct, frozen=True, tag_field="calendar", tag="always_open"):
    """A market that never closes; its day turns at 00:00 UTC."""

    def session(self, timestamp: int) -> tuple[int, int]:
        """Return the UTC day around `timestamp`, as (open, close) in UNIX ns UTC."""
        start = timestamp - timestamp % _DAY_NS
        return start, start + _DAY_NS


ALWAYS_OPEN = AlwaysOpen()


class WeeklyCalendar(msgspec.Struct, frozen=True, tag_field="calendar", tag="weekly"):
    """The same session on each given weekday, in the market's own zone; it knows no holidays.

    `days` counts from Monday = 0; `opens` and `closes` are wall-clock times in `zone` (an IANA name) on one day, so
    daylight saving moves them in UTC as the market itself moves.
    """

    zone: str
    opens: time
    closes: time
    days: tuple[int, ...] = (0, 1, 2, 3, 4)

    def __post_init__(self) -> None:
        """Refuse a calendar without a session.

        :raises InvalidConfigError: for an unknown zone, days outside 0-6, or a close not after its open.
        """
        try:
            ZoneInfo(self.zone)
        except (ZoneInfoNotFoundError, ValueError, OSError):
            problem = "no such time zone; give an IANA name such as 'America/New_York'"
            raise InvalidConfigError("zone", self.zone, problem) from None
        if not self.days or not set(self.days) <= set(range(7)):
            raise InvalidConfigError("days", self.days, "give weekdays from Monday = 0 to Sunday = 6")
        expect("opens", self.opens, time, "a datetime.time")
        expect("closes", self.closes, time, "a datetime.time")
        if self.opens.tzinfo or self.closes.tzinfo or self.opens >= self.closes:
            raise InvalidConfigError("closes", self.closes, "give wall-clock times with the close after the open")

    def session(self, timestamp: int) -> tuple[int, int]:
        """Return the session that holds `timestamp`, else the next one."""
        zone = ZoneInfo(self.zone)
        day = from_ns(timestamp).astimezone(zone).date()
        while True:
            if day.weekday() in self.days:
                close = duration_ns(datetime.combine(day, self.closes, zone) - _EPOCH)
                if timestamp < close:
                    return duration_ns(datetime.combine(day, self.opens, zone) - _EPOCH), close
            day += timedelta(days=1)


Calendar = AlwaysOpen | WeeklyCalendar
"""The built-in calendars, as stored in JSON."""

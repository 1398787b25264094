"""Times as files write them, turned into UNIX ns UTC exactly: whole numbers, ISO-8601, wall clocks, trading days.

Nothing is guessed: a number in another unit, a wall clock without a zone, and a wall-clock time that its zone had twice
or never are refused.

:raises BadRow: from whatever reads a cell, for one that holds no usable time.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta
from difflib import get_close_matches
from operator import index
from typing import Any, NamedTuple, NoReturn
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError, available_timezones

from seatrial.clock import NANOS_PER_SECOND, duration_ns, from_ns, iso
from seatrial.contracts.calendar import WeeklyCalendar
from seatrial.contracts.market import Instrument
from seatrial.contracts.scenario import TapeFile
from seatrial.data.faults import BadRow, shown
from seatrial.errors import TapeError

__all__ = [
    "EARLIEST",
    "LATEST",
    "UNITS",
    "Stamp",
    "late",
    "read_day",
    "read_numbers",
    "read_texts",
    "read_wall_clocks",
    "session",
    "zone_of",
]

UNITS = {"ns": 1, "us": 1_000, "ms": 1_000_000, "s": NANOS_PER_SECOND}
"""How many ns a unit has."""

_FIRST_YEAR, _LAST_YEAR = 1980, 2200
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_WALL_EPOCH = datetime(1970, 1, 1)  # noqa: DTZ001 what a wall clock shows has no zone
EARLIEST = duration_ns(datetime(_FIRST_YEAR, 1, 1, tzinfo=UTC) - _EPOCH)
LATEST = duration_ns(datetime(_LAST_YEAR + 1, 1, 1, tzinfo=UTC) - _EPOCH)
"""The times of any tape are from the one up to the other: what lies outside was read in another unit."""
_DAY = 86_400
_MINUTE = 60 * NANOS_PER_SECOND
_KEPT = 4_096
_SECOND = len("2024-08-08T13:30:00")
_SCALES: tuple[int, ...] = tuple(10 ** (9 - digits) for digits in range(10))
"""How many ns the last digit of a fraction of a second counts, by how many digits it has."""
_DIGITS = re.compile(r"\d+")
_DATE_LENGTH = len("2024-08-08")
_DATE_COLUMN = "if these are trading days, map them to date instead of ts"


def zone_of(file: TapeFile) -> ZoneInfo | None:
    """Return the zone of a file's wall clocks, if one is given.

    :raises TapeError: for a zone that does not exist.
    """
    if file.zone is None:
        return None
    try:
        return ZoneInfo(file.zone)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        known = {name.casefold(): name for name in available_timezones()}
        close = get_close_matches(file.zone.casefold().replace(" ", "_"), known, n=1)
        remedy = f"did you mean {known[close[0]]!r}?" if close else "give an IANA name such as 'America/New_York'"
        raise TapeError(file.path, None, f"there is no time zone {file.zone!r}", remedy) from None


class Stamp(NamedTuple):
    """How a column of times is read.

    `read` turns a cell into UNIX ns UTC, anywhere in time; `unit` is that of whole numbers, where the column has them.
    """

    read: Callable[[Any], int]
    unit: str | None = None

    def misplaced(self, cell: Any, ts: int, last: int) -> BadRow:
        """Return what is wrong with a time outside the years of any tape, or before the `last`."""
        if EARLIEST <= ts < LATEST:
            return late(ts, last)
        outside = f"lies outside {_FIRST_YEAR}-{_LAST_YEAR}"
        if self.unit is None:
            return BadRow("stamp", outside)
        try:
            value = int(cell)
        except ValueError:
            return BadRow("stamp", f"{shown(cell)} {outside}")
        return _out_of_range(value, f"{shown(cell)} {outside} when read as {self.unit}")


def late(ts: int, last: int) -> BadRow:
    """Return what is wrong with a row before the last."""
    problem = f"{iso(ts)} comes after {iso(last)}: rows are not in time order"
    return BadRow("stamp", problem, "sort the file by time, or give each symbol its own file")


def read_numbers(unit: str) -> Stamp:
    """Return how whole numbers of `unit` since 1970 UTC are read."""
    factor = UNITS[unit]

    def read(cell: Any) -> int:
        return index(cell) * factor

    return Stamp(index if factor == 1 else read, unit)


def read_texts(unit: str, zone: ZoneInfo | None) -> Stamp:
    """Return how text is read: whole numbers of `unit`, or ISO-8601 with an offset or else in `zone`."""
    factor = UNITS[unit]
    wall_clock = read_wall_clocks(1, zone).read
    written = False
    second, base = "none yet", 0

    def read(cell: Any) -> int:
        nonlocal written, second, base
        if written and "-" in cell:
            # Ticks share their second with the one before, and then only the fraction is new.
            simple = cell[_SECOND : _SECOND + 1] == "." and cell[-1] == "Z"
            if simple and cell.startswith(second):
                digits = cell[_SECOND + 1 : -1]
                if digits.isdigit() and len(digits) < len(_SCALES):
                    return base + int(digits) * _SCALES[len(digits)]
            ts = _read_iso(cell, wall_clock)
            if simple:
                second, base = cell[:_SECOND], ts - ts % NANOS_PER_SECOND
            return ts
        try:
            return int(cell) if factor == 1 else int(cell) * factor
        except ValueError:
            written = True
            return _read_iso(cell, wall_clock)

    return Stamp(read, unit)


def read_wall_clocks(factor: int, zone: ZoneInfo | None) -> Stamp:
    """Return how a wall clock in `zone` is read: units of `factor` ns since it showed 1970-01-01 00:00."""
    if zone is None:
        return Stamp(_refuse_wall_clock)
    offsets = _Offsets(zone)

    def read(cell: Any) -> int:
        wall = index(cell) * factor
        return wall - offsets[wall // _MINUTE]

    return Stamp(read)


def read_day(cell: Any) -> date:
    """Read a trading day: a date, ISO-8601, or a midnight."""
    if isinstance(cell, date) and not isinstance(cell, datetime):
        return cell
    text = str(cell).strip() if cell is not None else ""
    if not text:
        raise BadRow("date", "is empty")
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise BadRow("date", f"{shown(text)} is no date", "write dates as 2024-08-08") from None
    if moment.time() != time():
        raise BadRow("date", f"{shown(text)} has a time of day", "map stamps to ts; date is for trading days")
    return moment.date()


def session(day: date, instrument: Instrument) -> tuple[int, int]:
    """Return open and close of a trading day."""
    calendar = instrument.calendar
    zone = ZoneInfo(calendar.zone) if isinstance(calendar, WeeklyCalendar) else UTC
    midnight = duration_ns(datetime.combine(day, time(), zone) - _EPOCH)
    if not EARLIEST <= midnight < LATEST:
        raise BadRow("date", f"{day} lies outside {_FIRST_YEAR}-{_LAST_YEAR}")
    opens, closes = calendar.session(midnight)
    if from_ns(opens).astimezone(zone).date() != day:
        raise BadRow("date", f"{day} is a {day:%A}, on which {instrument.symbol} has no session")
    return opens, closes


class _Offsets(dict[int, int]):
    """What a zone is ahead of UTC in ns, by the minute its wall clock shows: daylight saving begins on a minute."""

    def __init__(self, zone: ZoneInfo) -> None:
        """Begin with none known."""
        super().__init__()
        self._zone = zone

    def __missing__(self, minute: int) -> int:
        """Ask the zone.

        :raises BadRow: where the clock showed that minute twice, or never.
        """
        try:
            clock = _WALL_EPOCH + timedelta(minutes=minute)
        except OverflowError:
            return 0  # no tape is from there, which is said when the time is placed
        first, second = (clock.replace(tzinfo=self._zone, fold=fold).utcoffset() for fold in (0, 1))
        if first is None or second is None or first != second:
            again = first is None or second is None or first > second
            what = "was shown twice" if again else "was skipped"
            problem = f"{clock:%Y-%m-%d %H:%M} {what} by the clocks of {self._zone.key}"
            raise BadRow("stamp", problem, "write stamps in UTC, or with their offset")
        if len(self) >= _KEPT:
            self.clear()
        offset = self[minute] = duration_ns(first)
        return offset


def _read_iso(cell: Any, wall_clock: Callable[[Any], int]) -> int:
    text = cell.strip()
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise _no_stamp(text) from None
    if moment.tzinfo is not None:
        since = moment - _EPOCH
        ts = (since.days * _DAY + since.seconds) * NANOS_PER_SECOND + since.microseconds * 1_000
    elif len(text) <= _DATE_LENGTH and moment.time() == time():
        raise BadRow("stamp", f"{shown(text)} is a date without a time", _DATE_COLUMN)
    else:
        ts = wall_clock(duration_ns(moment - _WALL_EPOCH))
    point = max(text.find("."), text.find(","))
    if point < 0 or not text[point + 7 : point + 8].isdigit():
        return ts
    digits = _DIGITS.findall(text, point)[0]  # of which datetime has cut those after the sixth
    if digits[9:].strip("0"):
        raise BadRow("stamp", f"{shown(text)} is finer than a nanosecond", "write nine digits after the point at most")
    return ts + int(digits[6:9].ljust(3, "0"))


def _refuse_wall_clock(_cell: Any) -> NoReturn:
    remedy = "give zone (such as 'America/New_York'), or write stamps with their offset"
    raise BadRow("stamp", "has no time zone", remedy)


def _no_stamp(text: str) -> BadRow:
    if not text:
        return BadRow("stamp", "is empty")
    remedy = "write whole numbers since 1970, or ISO-8601 such as 2024-08-08T13:30:00Z"
    return BadRow("stamp", f"{shown(text)} is no time", remedy)


def _out_of_range(value: int, problem: str) -> BadRow:
    """Name the unit that a number out of range would fit; the ranges of the units do not overlap."""
    for unit, factor in UNITS.items():
        if EARLIEST <= value * factor < LATEST:
            return BadRow("stamp", problem, f"it fits {unit}: give unit = {unit!r}")
    try:
        date.fromisoformat(str(value))
    except ValueError:
        return BadRow("stamp", problem)
    return BadRow("stamp", problem, f"it looks like a date; {_DATE_COLUMN}")

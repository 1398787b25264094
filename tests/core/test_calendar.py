"""Sessions: half-open, in the market's own zone, and the next one for whatever lies between."""

from __future__ import annotations

from datetime import UTC, datetime, time
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from seatrial.clock import to_ns
from seatrial.contracts.calendar import ALWAYS_OPEN, WeeklyCalendar
from seatrial.errors import InvalidConfigError

NEW_YORK = WeeklyCalendar("America/New_York", time(9, 30), time(16))
DAY = 86_400 * 10**9


def utc(month: int, day: int, hour: int = 0, minute: int = 0, year: int = 2024) -> int:
    """Return a UTC time as UNIX ns."""
    return to_ns(datetime(year, month, day, hour, minute, tzinfo=UTC))


def test_always_open_turns_at_midnight_utc() -> None:
    """The day of an always-open market is [00:00, 24:00) UTC."""
    start = utc(8, 8)

    assert ALWAYS_OPEN.session(start) == (start, start + DAY)
    assert ALWAYS_OPEN.session(start + DAY - 1) == (start, start + DAY)
    assert ALWAYS_OPEN.session(start + DAY) == (start + DAY, start + 2 * DAY)
    assert ALWAYS_OPEN.session(0) == (0, DAY)


@pytest.mark.parametrize(
    ("day", "opens", "closes"),
    [
        ((3, 8), (14, 30), (21, 0)),  # Friday before the clocks go forward: UTC-5
        ((3, 11), (13, 30), (20, 0)),  # Monday after: UTC-4
        ((11, 1), (13, 30), (20, 0)),  # Friday before they go back
        ((11, 4), (14, 30), (21, 0)),  # Monday after
    ],
)
def test_daylight_saving_moves_sessions_in_utc(
    day: tuple[int, int], opens: tuple[int, int], closes: tuple[int, int]
) -> None:
    """New York opens at 9:30 local time all year, so an hour earlier in UTC from March to November."""
    expected = (utc(*day, *opens), utc(*day, *closes))

    assert NEW_YORK.session(expected[0]) == expected
    assert NEW_YORK.session(utc(*day, 18)) == expected


def test_session_is_half_open() -> None:
    """The opening belongs to the session, its close belongs to the next one."""
    thursday = (utc(8, 8, 13, 30), utc(8, 8, 20))
    friday = (utc(8, 9, 13, 30), utc(8, 9, 20))

    assert NEW_YORK.session(thursday[0]) == thursday
    assert NEW_YORK.session(thursday[1] - 1) == thursday
    assert NEW_YORK.session(thursday[1]) == friday


@pytest.mark.parametrize(
    ("when", "monday"),
    [
        ((8, 9, 20, 0), (8, 12)),  # Friday's close
        ((8, 10, 15, 0), (8, 12)),  # Saturday
        ((8, 11, 23, 59), (8, 12)),  # Sunday night
        ((8, 12, 13, 29), (8, 12)),  # a minute before the opening
    ],
)
def test_weekend_belongs_to_monday(when: tuple[int, int, int, int], monday: tuple[int, int]) -> None:
    """Between two sessions the next one counts, over a weekend as well."""
    assert NEW_YORK.session(utc(*when)) == (utc(*monday, 13, 30), utc(*monday, 20))


def test_local_day_counts_and_not_the_utc_day() -> None:
    """Tokyo's Monday morning begins on Sunday in UTC."""
    tokyo = WeeklyCalendar("Asia/Tokyo", time(8), time(15))

    assert tokyo.session(utc(8, 11, 22)) == (utc(8, 11, 23), utc(8, 12, 6))


def test_days_may_be_any_set() -> None:
    """A market open on Wednesdays only is closed for six days."""
    wednesdays = WeeklyCalendar("UTC", time(0), time(12), days=(2,))

    assert wednesdays.session(utc(8, 7, 12)) == (utc(8, 14), utc(8, 14, 12))


@settings(deadline=None, derandomize=True, max_examples=150)
@given(moment=st.datetimes(datetime(2001, 1, 1), datetime(2030, 1, 1), timezones=st.just(UTC)))  # noqa: DTZ001 - bounds
def test_session_is_the_first_that_has_not_closed(moment: datetime) -> None:
    """Any session found is on a weekday at local hours, not closed yet, with none left out before it."""
    now = to_ns(moment)
    opens, closes = NEW_YORK.session(now)
    zone = ZoneInfo("America/New_York")
    opened, closed = (datetime.fromtimestamp(ns // 10**9, zone) for ns in (opens, closes))

    assert now < closes
    assert (opened.time(), closed.time()) == (time(9, 30), time(16))
    assert opened.date() == closed.date()
    assert opened.weekday() < 5
    if now < opens:
        assert NEW_YORK.session(opens - 1) == (opens, closes)
        days_before = (opened.date() - moment.astimezone(zone).date()).days
        assert days_before <= (3 if moment.astimezone(zone).weekday() == 4 else 2)
    assert NEW_YORK.session(opens) == (opens, closes)


@pytest.mark.parametrize(
    ("fields", "setting", "hint"),
    [
        ({"zone": "Mars/Olympus"}, "zone", "IANA"),
        ({"zone": ""}, "zone", "IANA"),
        ({"zone": "../etc/passwd"}, "zone", "IANA"),
        ({"zone": "America"}, "zone", "IANA"),
        ({"days": ()}, "days", "Monday"),
        ({"days": (7,)}, "days", "Sunday"),
        ({"days": (-1, 0)}, "days", "Monday"),
        ({"closes": time(9, 30)}, "closes", "after the open"),
        ({"closes": time(9)}, "closes", "after the open"),
        ({"opens": time(9, tzinfo=UTC)}, "closes", "wall-clock"),
        ({"closes": time(16, tzinfo=UTC)}, "closes", "wall-clock"),
    ],
)
def test_calendar_without_a_session_is_refused(fields: dict[str, Any], setting: str, hint: str) -> None:
    """A wrong zone, no days or hours that end before they begin raise, naming the setting."""
    with pytest.raises(InvalidConfigError, match=hint) as caught:
        WeeklyCalendar(**{"zone": "America/New_York", "opens": time(9, 30), "closes": time(16), **fields})

    assert caught.value.setting == setting

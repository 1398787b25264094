"""Time is an int of UNIX ns UTC; what cannot be placed on that line is refused at the front door."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone, tzinfo
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from seatrial.clock import NANOS_PER_SECOND, duration_ns, from_ns, iso, to_ns
from seatrial.errors import InvalidTimeError

MAX_NS = 2**63 - 1
QUICK = settings(deadline=None, derandomize=True, max_examples=100)


@pytest.mark.parametrize("value", [0, 1, 1_700_000_000_000_000_001, MAX_NS])
def test_ints_are_taken_as_nanoseconds(value: int) -> None:
    """An int from 1970 to 2262 is UNIX ns already."""
    assert to_ns(value) == value


@pytest.mark.parametrize(
    ("moment", "ns"),
    [
        (datetime(1970, 1, 1, tzinfo=UTC), 0),
        (datetime(2024, 2, 29, 23, 59, 59, 999_999, tzinfo=UTC), 1_709_251_199_999_999_000),
        (datetime(2024, 2, 29, 18, 59, 59, 999_999, tzinfo=ZoneInfo("America/New_York")), 1_709_251_199_999_999_000),
        (datetime(2024, 7, 1, 12, tzinfo=ZoneInfo("Asia/Tokyo")), 1_719_802_800_000_000_000),
    ],
)
def test_aware_datetimes_are_converted(moment: datetime, ns: int) -> None:
    """The zone decides the instant, and microseconds are exact."""
    assert to_ns(moment) == ns


def test_both_sides_of_a_clock_change_are_told_apart() -> None:
    """The hour that New York lives twice in November is two instants, an hour apart."""
    zone = ZoneInfo("America/New_York")
    first = datetime(2024, 11, 3, 1, 30, tzinfo=zone)

    assert to_ns(first.replace(fold=1)) - to_ns(first) == 3_600 * NANOS_PER_SECOND


class _NoOffset(tzinfo):
    """A zone that does not know its offset, which makes a datetime naive in all but looks."""

    def utcoffset(self, dt: datetime | None) -> None:
        return None

    def dst(self, dt: datetime | None) -> None:
        return None

    def tzname(self, dt: datetime | None) -> None:
        return None


@pytest.mark.parametrize(
    ("value", "hint"),
    [
        (datetime(2024, 8, 8), "no time zone"),  # noqa: DTZ001 - the naive one is the point
        (datetime(2024, 8, 8, tzinfo=_NoOffset()), "no time zone"),
        (1.5, "float"),
        (float("nan"), "float"),
        (True, "bool"),
        (None, "NoneType"),
        ("2024-08-08", "str"),
        (timedelta(1), "timedelta"),
        (-1, "1970-2262"),
        (MAX_NS + 1, "1970-2262"),
        (datetime(1969, 12, 31, 23, 59, 59, tzinfo=UTC), "1970-2262"),
        (datetime(2263, 1, 1, tzinfo=UTC), "1970-2262"),
    ],
)
def test_what_is_no_instant_is_refused(value: Any, hint: str) -> None:
    """Naive datetimes, floats and times off the line raise, keep the value, and say what to give."""
    with pytest.raises(InvalidTimeError, match=hint) as caught:
        to_ns(value)

    assert caught.value.value is value
    assert "give" in str(caught.value)


@pytest.mark.parametrize(
    ("span", "ns"),
    [
        (timedelta(0), 0),
        (timedelta(microseconds=1), 1_000),
        (timedelta(days=2, seconds=3, microseconds=4), 172_803_000_004_000),
        (timedelta(microseconds=-1), -1_000),
        (timedelta(days=400_000, microseconds=1), 34_560_000_000_000_001_000),
    ],
)
def test_durations_are_exact(span: timedelta, ns: int) -> None:
    """A timedelta becomes whole ns without passing through a float, also beyond 2**53."""
    assert duration_ns(span) == ns


@QUICK
@given(st.datetimes(datetime(1970, 1, 2), datetime(2262, 1, 1), timezones=st.timezones()))  # noqa: DTZ001 - bounds
def test_datetimes_come_back(moment: datetime) -> None:
    """Through ns and back is the same instant."""
    assert from_ns(to_ns(moment)) == moment.astimezone(UTC)
    assert to_ns(moment) == to_ns(moment.astimezone(timezone(timedelta(hours=-7))))


@QUICK
@given(st.integers(0, MAX_NS))
def test_iso_shows_every_digit(value: int) -> None:
    """The printed time reads back to the same nanosecond."""
    text = iso(value)

    whole, nanos = text.removesuffix("Z").split(".")
    assert len(nanos) == 9
    assert to_ns(datetime.fromisoformat(whole).replace(tzinfo=UTC)) + int(nanos) == value
    assert text.endswith("Z")


def test_iso_examples() -> None:
    """Leading zeros stay and times are cut, not rounded."""
    assert iso(0) == "1970-01-01T00:00:00.000000000Z"
    assert iso(1_723_075_200_000_000_001) == "2024-08-08T00:00:00.000000001Z"
    assert from_ns(1_999) == datetime(1970, 1, 1, 0, 0, 0, 1, tzinfo=UTC)

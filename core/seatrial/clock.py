"""Time: UNIX nanoseconds UTC, as int, everywhere inside; aware datetimes are accepted at the front door.

There is no clock in here: time is an argument of every call that needs it.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TypeAlias

from seatrial.errors import InvalidTimeError

__all__ = ["MAX_NS", "NANOS_PER_SECOND", "Timestamp", "duration_ns", "from_ns", "iso", "to_ns"]

NANOS_PER_SECOND = 1_000_000_000
Timestamp: TypeAlias = int | datetime
"""A point in time as callers may give it: UNIX ns UTC, or an aware datetime."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MAX_NS = 2**63 - 1
"""The latest time there is: in the year 2262."""


def to_ns(value: Timestamp) -> int:
    """Turn `value` into UNIX ns UTC.

    An int is taken as UNIX ns already. A datetime must carry a time zone: a naive one means another instant on every
    machine it is read on.

    :raises InvalidTimeError: for a naive datetime, anything but an int or a datetime, or a time outside 1970-2262.
    """
    if type(value) is int:
        ns = value
    elif isinstance(value, datetime):
        if value.utcoffset() is None:
            raise InvalidTimeError(value, "it has no time zone", "give tzinfo=UTC or another zone")
        ns = duration_ns(value - _EPOCH)
    else:
        raise InvalidTimeError(value, f"it is a {type(value).__name__}", "give int UNIX ns UTC or an aware datetime")
    if not 0 <= ns <= MAX_NS:
        raise InvalidTimeError(value, "it lies outside 1970-2262", "give UNIX ns UTC, not seconds or another epoch")
    return ns


def duration_ns(value: timedelta) -> int:
    """Return a timedelta as a whole number of ns, exactly."""
    return (value.days * 86_400 + value.seconds) * NANOS_PER_SECOND + value.microseconds * 1_000


def from_ns(value: int) -> datetime:
    """Return UNIX ns UTC as an aware datetime, cut (not rounded) to microseconds."""
    return _EPOCH + timedelta(microseconds=value // 1_000)


def iso(value: int) -> str:
    """Return UNIX ns UTC as ISO-8601 with all nine digits, as shown to people: `2024-08-08T00:00:00.000000000Z`."""
    seconds, nanos = divmod(value, NANOS_PER_SECOND)
    return f"{_EPOCH + timedelta(seconds=seconds):%Y-%m-%dT%H:%M:%S}.{nanos:09d}Z"

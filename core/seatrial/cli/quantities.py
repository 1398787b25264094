"""Durations and times as people write them.

:raises BadValueError: saying what to write instead.
"""

from __future__ import annotations

import re
from datetime import datetime, time
from decimal import Decimal

from seatrial.cli.problems import BadValueError
from seatrial.clock import to_ns
from seatrial.errors import InvalidTimeError

__all__ = ["duration_to_ns", "time_of_day", "time_to_ns"]

_UNITS = {
    "ns": 1,
    "us": 1_000,
    "µs": 1_000,
    "ms": 1_000_000,
    "s": 1_000_000_000,
    "min": 60_000_000_000,
    "h": 3_600_000_000_000,
}
_DURATION = re.compile(r"(\d+(?:\.\d+)?) ?([a-zµ]+)")
_EXAMPLE = "write a number with its unit (ns, us, ms, s, min or h), for example '10ms'"


def duration_to_ns(value: object) -> int:
    """Return a duration such as `"10ms"`, `"1.5 s"` or `0` in ns.

    >>> duration_to_ns("1.5 s"), duration_to_ns("250us"), duration_to_ns(0)
    (1500000000, 250000, 0)
    """
    if value in {0, "0"}:
        return 0
    if isinstance(value, int | float):
        raise BadValueError(value, f"has no unit; {_EXAMPLE}")
    match = _DURATION.fullmatch(str(value).strip())
    if match is None or match[2] not in _UNITS:
        raise BadValueError(value, f"is no duration; {_EXAMPLE}")
    ns = Decimal(match[1]) * _UNITS[match[2]]
    if ns % 1:
        raise BadValueError(value, "is no whole number of nanoseconds; round it")
    return int(ns)


def time_to_ns(value: str | int) -> int:
    """Return a point in time, ISO-8601 with a zone or UNIX ns already, in UNIX ns UTC.

    >>> time_to_ns("1970-01-01T01:00:00+01:00")
    0
    """
    if isinstance(value, str):
        try:
            moment = datetime.fromisoformat(value)
        except ValueError:
            raise BadValueError(value, "is no time; write it like 2024-03-01T16:00:00Z") from None
        if moment.utcoffset() is None:
            day = f"{moment.date()}T{moment.time()}"
            raise BadValueError(value, f"has no time zone; write {day}Z for UTC, or end it in an offset like -05:00")
        return _checked(value, moment)
    return _checked(value, value)


def _checked(given: str | int, value: int | datetime) -> int:
    try:
        return to_ns(value)
    except InvalidTimeError:
        raise BadValueError(given, "is no usable time; give one from 1970 to 2262") from None


def time_of_day(value: str) -> time:
    """Return a wall-clock time without a zone.

    >>> time_of_day("09:30")
    datetime.time(9, 30)
    """
    try:
        return time.fromisoformat(value)
    except ValueError:
        raise BadValueError(value, "is no time of day; write it like 09:30") from None

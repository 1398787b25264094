"""When a trading day turns: a wall-clock time in a zone, so that daylight saving moves it in UTC."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

from seatrial.clock import duration_ns, from_ns

__all__ = ["last_turn", "next_turn"]

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_DAY = 86_400 * 10**9


def next_turn(after: int, boundary: time, zone: str) -> int:
    """Return the first turn of the day later than `after`; both in UNIX ns UTC."""
    if zone == "UTC":  # whose days are all alike: no calendar is needed
        return after + _DAY - (after - _since_midnight(boundary)) % _DAY
    region = ZoneInfo(zone)
    day = from_ns(after).astimezone(region).date() - timedelta(days=1)
    while True:
        turn = duration_ns(datetime.combine(day, boundary, region) - _EPOCH)
        if turn > after:
            return turn
        day += timedelta(days=1)


@lru_cache(maxsize=8)
def _since_midnight(boundary: time) -> int:
    """Return how long after midnight a day turns, in ns."""
    return ((boundary.hour * 60 + boundary.minute) * 60 + boundary.second) * 10**9 + boundary.microsecond * 1_000


def last_turn(until: int, boundary: time, zone: str) -> int:
    """Return the last turn of the day not later than `until`; both in UNIX ns UTC."""
    turn = next_turn(until - 2 * _DAY, boundary, zone)
    while (later := next_turn(turn, boundary, zone)) <= until:
        turn = later
    return turn

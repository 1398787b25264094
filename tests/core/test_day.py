"""When a trading day turns."""

from __future__ import annotations

from datetime import time

from hypothesis import given
from hypothesis import strategies as st

from seatrial.gate.day import last_turn, next_turn


@given(st.integers(0, 2**61), st.times())
def test_days_in_utc_turn_as_the_calendar_says(after: int, boundary: time) -> None:
    """The arithmetic for UTC gives what the same zone gives under its other name."""
    assert next_turn(after, boundary, "UTC") == next_turn(after, boundary, "Etc/UTC")


@given(st.integers(2 * 86_400 * 10**9, 2**61), st.times(), st.sampled_from(["UTC", "Europe/Berlin", "Asia/Kolkata"]))
def test_no_day_turns_between_the_last_turn_and_now(now: int, boundary: time, zone: str) -> None:
    """The last turn is not later than now, and the next one after it is."""
    turned = last_turn(now, boundary, zone)

    assert turned <= now < next_turn(turned, boundary, zone)

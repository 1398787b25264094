"""When a trading day turns."""

from __future__ import annotations

from datetime import time

from hypothesis import given
from hypothesis import strategies as st

from seatrial.gate.day import next_turn


@given(st.integers(0, 2**61), st.times())
def test_days_in_utc_turn_as_the_calendar_says(after: int, boundary: time) -> None:
    """The arithmetic for UTC gives what the same zone gives under its other name."""
    assert next_turn(after, boundary, "UTC") == next_turn(after, boundary, "Etc/UTC")

"""seatrial's own venue, and the simulator that puts the gate before it."""

from __future__ import annotations

__all__: list[str] = []

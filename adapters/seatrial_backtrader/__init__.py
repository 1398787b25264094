"""seatrial for Backtrader: a broker to swap in by one line."""

from __future__ import annotations

__all__: list[str] = []

"""seatrial for NautilusTrader: an execution client to add."""

from __future__ import annotations

__all__: list[str] = []

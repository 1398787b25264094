"""Engines: the neutral strategy, what drives it, and the native engine."""

from __future__ import annotations

__all__: list[str] = []

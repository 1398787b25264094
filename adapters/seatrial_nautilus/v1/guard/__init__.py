"""The gate before somebody else's execution client."""

from __future__ import annotations

__all__: list[str] = []

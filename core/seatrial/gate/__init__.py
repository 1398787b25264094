"""The gate: the path of an order on our side, shared by every engine."""

from __future__ import annotations

__all__: list[str] = []

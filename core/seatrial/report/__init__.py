"""What a run comes to, and how it is shown."""

from __future__ import annotations

__all__: list[str] = []

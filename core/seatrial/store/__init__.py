"""What outlives a process: checkpoints on disk."""

from __future__ import annotations

__all__: list[str] = []

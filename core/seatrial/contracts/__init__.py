"""The contracts: frozen, typed records, and no behaviour beyond their invariants."""

from __future__ import annotations

__all__: list[str] = []

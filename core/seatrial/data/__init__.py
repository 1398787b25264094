"""Tapes: the bundled sample and a seeded generator."""

from __future__ import annotations

__all__: list[str] = []

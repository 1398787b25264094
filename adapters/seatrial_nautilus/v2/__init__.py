"""NautilusTrader 2.0: live paper trading; its backtest takes no execution client that is written in Python."""

from __future__ import annotations

__all__: list[str] = []

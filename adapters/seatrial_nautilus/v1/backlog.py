"""Market data that nobody was there to trade on: most of it need not be shown to a market at all."""

from __future__ import annotations

from operator import attrgetter
from typing import Any

from nautilus_trader.model.data import QuoteTick

from seatrial_nautilus.v1.options import skips_stale_quotes

__all__ = ["MANY", "Backlog"]

MANY = 1_000
"""How many data are kept before the market is shown what they came to."""

_QUOTES = {QuoteTick}
_WHEN, _HAPPENED = attrgetter("ts_init"), attrgetter("ts_event")


class Backlog:
    """Data in the order in which they came; while they are quotes, each instrument's latest stands for all of them."""

    def __init__(self, *, has_depth: bool) -> None:
        """Begin empty; a book that `has_depth` is more than its latest quote from the start."""
        self.data: list[Any] = []
        """Always the same list, so that whoever brings data need know nothing else."""
        self._quotes_alone = not has_depth

    def take(self, markets: int) -> list[Any]:
        """Return what has to be shown to so many markets, in order, and keep nothing."""
        data = self.data[:]
        self.data.clear()
        self._quotes_alone = self._quotes_alone and set(map(type, data)) == _QUOTES
        return _latest(data, markets) if self._quotes_alone and not _is_stale(data) else data


def _latest(quotes: list[Any], markets: int) -> list[Any]:
    """Return the latest quote of each of so many instruments."""
    latest: dict[Any, Any] = {}
    for quote in reversed(quotes):
        latest.setdefault(quote.instrument_id, quote)
        if len(latest) == markets:
            break
    return sorted(latest.values(), key=_WHEN)


def _is_stale(quotes: list[Any]) -> bool:
    """Return whether a market may pass a quote over, since an earlier one happened later."""
    if not skips_stale_quotes():
        return False
    times = list(map(_HAPPENED, quotes))
    return times != sorted(times)

"""Daily feeds that stamp the same day differently: told apart by a day, once delays are counted from their stamps."""

from __future__ import annotations

import warnings
from typing import Any

import backtrader as bt

__all__ = ["DailyStamps", "DailyStampsWarning"]

_Frame: Any = bt.TimeFrame


class DailyStampsWarning(UserWarning):
    """Daily feeds of one run stamp their bars at midnight and at the session's end."""


class DailyStamps:
    """Compares the stamps of the daily feeds of a run, each by its first bar."""

    def __init__(self, datas: dict[str, Any]) -> None:
        """Look at those of `datas`, by symbol, whose bars last a day or more."""
        self.unseen = {symbol: data for symbol, data in datas.items() if data._timeframe >= _Frame.Days}
        """The feeds that have not begun."""
        self._seen: dict[bool, str] = {}  # by whether it stamps at midnight

    def look(self) -> None:
        """Look at the feeds that have begun; warn when two do not agree, and then look at no more."""
        for symbol, data in list(self.unseen.items()):
            if not len(data):
                continue
            del self.unseen[symbol]
            at_midnight = data.datetime[0] % 1 == 0
            self._seen.setdefault(at_midnight, symbol)
        if len(self._seen) > 1:
            self.unseen = {}
            early, late = self._seen[True], self._seen[False]
            text = (
                f"the daily bars of {early} are stamped at midnight, when their day begins, those of {late} later: "
                "delays between the two are wrong by up to a day; stamp both at the session's end"
            )
            warnings.warn(DailyStampsWarning(text), stacklevel=2)

"""Backtrader's feeds, such as a PandasData, as the tape of a session on any engine."""

from __future__ import annotations

import warnings
from math import isnan
from typing import TYPE_CHECKING, Any

import backtrader as bt

from seatrial.clock import from_ns
from seatrial.contracts.market import Bar, Instrument, Trade
from seatrial.contracts.scenario import Tape
from seatrial.data.faults import BadRow
from seatrial.data.stamps import session
from seatrial.errors import InvalidConfigError
from seatrial_backtrader.stamps import exact, to_ns

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

__all__ = ["tape_of"]

_Frame: Any = bt.TimeFrame
_GRID = 100_000


def tape_of(feeds: Mapping[str, Any], instruments: Iterable[Instrument] = ()) -> Tape:
    """Read Backtrader `feeds`, by symbol, to their end, and return what they showed as a tape.

    Floats become the shortest decimals that read back as them. A bar ends at its stamp, but one of a day or more that
    is stamped at midnight ends when that day's session closes: by the calendar of its instrument, or at the next
    midnight in UTC. Stamps are rounded to 0.1 ms, since Backtrader's floats resolve no more than some 0.01 ms. The bars
    of a feed of ticks are trades at their close. A feed is read once; make another to run it elsewhere.

    :raises InvalidConfigError: for a feed that is live, is none, or has no bar, and for a day without a session.
    :raises InvalidMarketDataError: for a bar that no market can have shown, such as one with a NaN.
    """
    known = {one.symbol: one for one in instruments}
    kind: Any = bt.Cerebro  # whose settings a type checker does not know
    cerebro = kind(stdstats=False, runonce=False)
    for symbol, feed in feeds.items():
        if not isinstance(feed, bt.AbstractDataBase):
            raise InvalidConfigError("feeds", feed, f"what {symbol} names is no feed; give a bt.feeds.PandasData or so")
        if feed.islive():
            raise InvalidConfigError("feeds", feed, f"the feed of {symbol} is live and never ends")
        cerebro.adddata(feed, name=symbol)
    rows: list[Trade | Bar] = []
    cerebro.addstrategy(_Reader, rows=rows, instruments=known)
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", category=DeprecationWarning, module="backtrader")
        cerebro.run()
    for symbol in set(feeds) - {row.symbol for row in rows}:
        raise InvalidConfigError("feeds", symbol, f"the feed of {symbol} has no bar; look at its dates")
    return Tape(rows=tuple(sorted(rows, key=lambda row: row.ts)))


class _Reader(bt.Strategy):
    """Notes each bar when it comes."""

    params: Any = (("rows", None), ("instruments", None))

    def prenext(self) -> None:
        """Note bars before every feed has one."""
        self.next()

    def next(self) -> None:
        """Note the bars that are new."""
        for data in self.datas:
            if len(data) > self._seen.get(data, 0):
                self._seen[data] = len(data)
                self.p.rows.append(self._row(data))

    def start(self) -> None:
        """Begin with none."""
        self._seen: dict[Any, int] = {}

    def _row(self, data: Any) -> Trade | Bar:
        symbol: str = data._name
        ts = round(to_ns(data.datetime[0]) / _GRID) * _GRID
        traded = data.volume[0]
        volume = None if isnan(traded) else exact(traded)
        if data._timeframe == _Frame.Ticks:
            return Trade(ts, symbol, _number(data.close), volume)
        start = None
        if data._timeframe >= _Frame.Days and data.datetime[0] % 1 == 0:
            instrument = self.p.instruments.get(symbol) or Instrument(symbol=symbol)
            try:
                opens, ts = session(from_ns(ts).date(), instrument)
            except BadRow as bad:
                raise InvalidConfigError("feeds", symbol, f"{bad.problem}; {bad.remedy}") from None
            start = opens if data._timeframe == _Frame.Days and data._compression == 1 else None
        prices = {name: _number(getattr(data, name)) for name in ("open", "high", "low", "close")}
        return Bar(ts, symbol, **prices, volume=volume, start=start)


def _number(line: Any) -> Any:
    """Return a price; what is none is left to be refused by whoever checks the bar."""
    value = line[0]
    return value if isnan(value) else exact(value)

"""A tape as Backtrader reads it: one feed per symbol, and a store that turns the tape from step to step.

Backtrader asks its stores for news at the beginning of each round, and then every feed for a bar. So each round is one
step of the tape: one row, or the bars of several symbols that end together. A row is one bar; a print is a bar of one
price. Memory does not grow with the tape.
"""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING, Any

import backtrader as bt

from seatrial.contracts.calendar import ALWAYS_OPEN
from seatrial.contracts.market import Bar, MarketEvent, Trade

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from seatrial.contracts.market import Instrument

__all__ = ["TapeFeed", "Wheel", "add_feeds", "as_stamp", "frame_of"]

_EPOCH = 719_163  # 1970-01-01 as a date number
_DAY = 86_400_000_000_000
_Frame: Any = bt.TimeFrame
_PROBED = 1_000
_FRAMES = (
    (27 * _DAY, _Frame.Months, 31 * _DAY),
    (5 * _DAY, _Frame.Weeks, 7 * _DAY),
    (_DAY * 5 // 6, _Frame.Days, _DAY),
    (60_000_000_000, _Frame.Minutes, 60_000_000_000),
    (1, _Frame.Seconds, 1_000_000_000),
)


class Wheel:
    """A Backtrader store that moves a tape on by one step per round."""

    def __init__(self, steps: Iterator[tuple[MarketEvent, ...]]) -> None:
        """Take the steps from `steps`."""
        self._steps = steps
        self.rows: tuple[MarketEvent, ...] = ()
        """The present step; empty before the first and after the last."""
        self.over = False
        """Whether the tape has ended."""
        self._untaken: dict[str, MarketEvent] = {}

    def start(self) -> None:
        """Begin; there is nothing to do."""

    def stop(self) -> None:
        """End; there is nothing to do."""

    def get_notifications(self) -> tuple[Any, ...]:
        """Move on; there is never any news."""
        self.rows = next(self._steps, ())
        self.over = not self.rows
        self._untaken = {row.symbol: row for row in self.rows}
        return ()

    def has(self, symbol: str) -> bool:
        """Return whether the present step has a row of a symbol that nobody took."""
        return symbol in self._untaken

    def take(self, symbol: str) -> MarketEvent:
        """Return a symbol's row of the present step, once."""
        return self._untaken.pop(symbol)


class TapeFeed(bt.DataBase):
    """One symbol's rows, as they come. A stamp of the feed resolves some µs only; the row's own is exact."""

    params: Any = (("wheel", None), ("symbol", ""), ("hours", ALWAYS_OPEN))
    _began = _ended = -1

    def islive(self) -> Any:
        """Tell Backtrader to take rows one by one."""
        return True

    def load(self) -> Any:
        """Load the present row; `None` where this step has none for us, False at the end.

        Backtrader would make room for a bar first, and under exactbars lose the one before.
        """
        wheel = self.p.wheel
        if wheel.has(self.p.symbol):
            return super().load()
        return False if wheel.over else None

    def _load(self) -> Any:
        row = self.p.wheel.take(self.p.symbol)
        bar = (row.open, row.high, row.low, row.close) if isinstance(row, Bar) else (row.price,) * 4
        size = row.volume if isinstance(row, Bar) else row.size
        self._tell_span(row)
        lines: Any = self.lines
        lines.datetime[0] = as_stamp(row.ts)
        lines.open[0], lines.high[0], lines.low[0], lines.close[0] = map(float, bar)
        lines.volume[0] = 0.0 if size is None else float(size)
        lines.openinterest[0] = 0.0
        return True

    def _tell_span(self, row: MarketEvent) -> None:
        """Note where a row begins and ends: a bar at the end of the one before it, or as its session opens."""
        before, self._ended = self._ended, row.ts
        if not isinstance(row, Bar):
            self._began = row.ts
        elif row.start is not None:
            self._began = row.start
        elif before < 0:
            self._began = self.p.hours.session(row.ts - 1)[0]
        else:
            self._began = min(max(before, self.p.hours.session(before)[0]), row.ts)

    def exact_span(self) -> tuple[int, int]:
        """Return when the present row began and ended, in UNIX ns UTC, exactly."""
        return self._began, self._ended


def add_feeds(cerebro: Any, wheel: Wheel, traded: Mapping[str, Instrument], rows: Iterable[MarketEvent]) -> None:
    """Let cerebro read what is traded from `wheel`; the first of `rows` tell what time frame it is."""
    frame, compression = frame_of(rows)
    cerebro.addstore(wheel)
    for symbol, instrument in traded.items():
        hours = instrument.calendar
        feed: Any = TapeFeed
        made = feed(wheel=wheel, symbol=symbol, hours=hours, timeframe=frame, compression=compression)
        cerebro.adddata(made, name=symbol)


def as_stamp(ts: int) -> float:
    """Return UNIX ns UTC as a date number."""
    days, rest = divmod(ts, _DAY)
    return _EPOCH + days + rest / _DAY


def frame_of(rows: Iterable[MarketEvent]) -> tuple[Any, int]:
    """Return Backtrader's time frame and compression of a tape, by the first two rows of one symbol."""
    earlier: dict[str, int] = {}
    for row in islice(rows, _PROBED):
        if isinstance(row, Trade):
            break
        before = earlier.setdefault(row.symbol, row.ts)
        if isinstance(row, Bar) and row.start is not None:
            before = row.start
        for least, frame, length in _FRAMES:
            if row.ts - before >= least:
                whole = max(round((row.ts - before) / length), 1)
                return frame, whole if length < _DAY else 1
    return _Frame.Ticks, 1

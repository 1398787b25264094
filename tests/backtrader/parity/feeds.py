"""Feeds for the scripts: bars and ticks of a seed, as a file would hold them or as they come in live, and real ones."""

from __future__ import annotations

import random
from datetime import datetime, timedelta
from importlib.resources import files
from typing import TYPE_CHECKING, Any

import backtrader

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

bt: Any = backtrader  # whose modules hide what they hold from a type checker

__all__ = ["LiveTape", "Row", "Tape", "daily", "ibm", "intraday", "live", "sparse", "ticks", "walk"]

Row = tuple[datetime, float, float, float, float, float]
"""The end of a bar, its open, high, low, close and volume."""


class Tape(bt.feed.DataBase):
    """Delivers rows from memory; where a row is `None`, a live feed has nothing to deliver yet."""

    params = (("rows", ()),)

    def start(self) -> None:
        super().start()
        self._rows = iter(self.p.rows)

    def _load(self) -> bool | None:
        try:
            row = next(self._rows)
        except StopIteration:
            return False
        if row is None:
            return None
        self.lines.datetime[0] = bt.date2num(row[0])
        for line, value in zip(("open", "high", "low", "close", "volume"), row[1:], strict=True):
            getattr(self.lines, line)[0] = value
        self.lines.openinterest[0] = 0.0
        return True


class LiveTape(Tape):
    """A tape that arrives while the run goes on."""

    def islive(self) -> bool:
        return True


def walk(seed: float, stamps: Iterable[datetime], *, first: float = 100.0, step: float = 0.01) -> Iterator[Row]:
    """Yield bars in cents that end at `stamps`: a random walk, with gaps, dead bars and bars without a volume."""
    rng = random.Random(seed)
    close = first
    for stamp in stamps:
        gap = rng.gauss(0, step) if rng.random() < 0.3 else 0.0
        opened = max(0.05, round(close * (1 + gap), 2))
        path = [opened]
        for _ in range(rng.choice((0, 2, 4, 8))):
            path.append(max(0.05, round(path[-1] * (1 + rng.gauss(0, step / 2)), 2)))
        close = path[-1]
        yield stamp, opened, max(path), min(path), close, float(rng.choice((0, 1, 7, 100, 1000, 5000)))


def daily(seed: float, count: int = 60, *, late: int = 0, **params: Any) -> Tape:
    """Return weekdays' bars, stamped at the end of the session; the first comes `late` calendar days after the rest."""
    start = datetime(2024, 1, 1, 16) + timedelta(days=late)
    days = (start + timedelta(days=n) for n in range(count * 2))
    weekdays = [day for day in days if day.weekday() < 5][:count]
    return Tape(rows=tuple(walk(seed, weekdays)), **params)


def _minutes(count: int, minutes: int) -> list[datetime]:
    """Return the ends of bars of sessions from 09:30 to 16:00."""
    in_session = 390 // minutes
    opens = (datetime(2024, 1, 1, 9, 30) + timedelta(days=day) for day in range(count))
    ends = (day + timedelta(minutes=minutes * n) for day in opens for n in range(1, in_session + 1))
    return [end for end, _ in zip(ends, range(count), strict=False)]


def intraday(seed: float, count: int = 80, minutes: int = 30, **params: Any) -> Tape:
    """Return bars of some minutes, in sessions from 09:30 to 16:00."""
    rows = tuple(walk(seed, _minutes(count, minutes), step=0.004))
    return Tape(
        rows=rows,
        timeframe=bt.TimeFrame.Minutes,
        compression=minutes,
        sessionstart=datetime(2024, 1, 1, 9, 30),
        sessionend=datetime(2024, 1, 1, 16),
        **params,
    )


def ticks(seed: float, count: int = 120, **params: Any) -> Tape:
    """Return single prices, now and then two at the same microsecond."""
    rng = random.Random(seed)
    now = datetime(2024, 1, 2, 9, 30)
    rows: list[Row] = []
    price = 100.0
    for _ in range(count):
        now += timedelta(microseconds=rng.choice((0, 1_000, 50_000, 2_000_000)))
        price = round(price + rng.choice((-0.4, -0.1, 0.0, 0.1, 0.4)), 2)
        rows.append((now, price, price, price, price, float(rng.choice((1, 100)))))
    return Tape(rows=tuple(rows), timeframe=bt.TimeFrame.Ticks, **params)


def live(seed: float, count: int = 40, **params: Any) -> LiveTape:
    """Return minute bars that come in one by one, after some rounds of the engine in which there is none."""
    rng = random.Random(seed)
    rows: list[Row | None] = []
    for row in walk(seed, _minutes(count, 1), step=0.002):
        rows += [*[None] * rng.choice((0, 0, 1, 3)), row]
    return LiveTape(rows=tuple(rows), timeframe=bt.TimeFrame.Minutes, **params)


def ibm(first: datetime = datetime(2008, 8, 1), last: datetime = datetime(2009, 2, 1), **params: Any) -> Any:
    """Return the daily bars of IBM that come with seatrial, through Backtrader's own reader of such files."""
    columns = {"datetime": 0, "open": 1, "high": 2, "low": 3, "close": 4, "volume": 5, "openinterest": -1}
    path = files("seatrial.data") / "ibm_daily.csv"
    return bt.feeds.GenericCSVData(
        dataname=str(path), dtformat="%Y-%m-%d", fromdate=first, todate=last, **columns, **params
    )


def sparse(seed: float, **params: Any) -> Tape:
    """Return weekdays' bars of which two in five are missing."""
    tape = daily(seed, **params)
    tape.p.rows = tuple(row for number, row in enumerate(tape.p.rows) if number % 5 not in {1, 2})
    return tape

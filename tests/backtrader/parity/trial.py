"""Short runs with orders at chosen moments, for tests that look at when a strategy learns what."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

import backtrader
from tests.backtrader.parity.feeds import Tape

from seatrial_backtrader import SeatrialBroker
from seatrial_backtrader.stamps import to_ns

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

bt: Any = backtrader  # whose modules hide what they hold from a type checker

__all__ = ["MS", "START", "Plan", "Told", "Trial", "at", "bars", "days", "run", "ticks"]

MS = 1_000_000
START = datetime(2024, 1, 2, 9, 30)
Plan: TypeAlias = "Mapping[int, Callable[[Trial], object]]"
"""What a strategy does, by the number of its bar, from 1."""


class Told(NamedTuple):
    """A notification: at which bar, of which order, and what it said."""

    bar: int
    name: str
    status: str


class Trial(bt.Strategy):
    """Carries out a plan, and notes what it is told and when. Orders are named by `name=` in their call."""

    params = (("plan", None),)

    def __init__(self) -> None:
        self.told: list[Told] = []
        self.heard: list[Any] = []
        self.sent: dict[str, Any] = {}
        self.answers: dict[int, object] = {}
        self.cash: list[float] = []
        self.held: list[float] = []

    def order(self, name: str, size: float, **more: Any) -> Any:
        """Buy `size` units, or sell so many where it is negative."""
        send = self.buy if size > 0 else self.sell
        order = self.sent[name] = send(size=abs(size), name=name, **more)
        return order

    def notify_order(self, order: Any) -> None:
        self.heard.append(order)
        self.told.append(Told(len(self), order.info.name or "?", order.getstatusname()))

    def prenext(self) -> None:
        self.next()

    def next(self) -> None:
        self.cash.append(self.broker.getcash())
        self.held.append(self.position.size)
        act = (self.p.plan or {}).get(len(self))
        if act is not None:
            self.answers[len(self)] = act(self)

    def told_of(self, name: str) -> list[tuple[int, str]]:
        """Return when the strategy heard what of an order."""
        return [(told.bar, told.status) for told in self.told if told.name == name]


def at(moment: datetime | float) -> int:
    """Return a moment, or so many ms after `START`, as a feed's stamp reads, in UNIX ns UTC."""
    if not isinstance(moment, datetime):
        moment = START + timedelta(milliseconds=moment)
    return to_ns(bt.date2num(moment))


def ticks(prices: Mapping[int, float]) -> Tape:
    """Return single prices by their ms after `START`."""
    rows = [(START + timedelta(milliseconds=ms), *[price] * 4, 100.0) for ms, price in prices.items()]
    return Tape(rows=tuple(rows), timeframe=bt.TimeFrame.Ticks)


def bars(rows: Sequence[tuple[float, float, float, float]], minutes: int = 1, **params: Any) -> Tape:
    """Return bars of some minutes, the first one ending that long after `START`: open, high, low, close."""
    ends = [START + timedelta(minutes=minutes * n) for n in range(1, len(rows) + 1)]
    full = tuple([(end, *row, 100.0) for end, row in zip(ends, rows, strict=True)])
    return Tape(rows=full, timeframe=bt.TimeFrame.Minutes, compression=minutes, **params)


def days(rows: Sequence[tuple[float, float, float, float]], hour: int = 16, **params: Any) -> Tape:
    """Return daily bars stamped at an hour, the first on the day of `START`: open, high, low, close."""
    first = START.replace(hour=hour, minute=0)
    full = tuple([(first + timedelta(days=n), *row, 100.0) for n, row in enumerate(rows)])
    return Tape(rows=full, **params)


def run(
    plan: Plan, *feeds: Any, cash: float = 10_000.0, options: Mapping[str, Any] | None = None, **broker: Any
) -> Any:
    """Run a plan over feeds with a `SeatrialBroker` made with the arguments left over; return the strategy."""
    cerebro = bt.Cerebro(stdstats=False, **(options or {}))
    cerebro.setbroker(SeatrialBroker(cash=cash, **broker))
    for number, feed in enumerate(feeds):
        cerebro.adddata(feed, name=f"feed{number}")
    cerebro.addstrategy(Trial, plan=plan)
    [strategy] = cerebro.run()
    return strategy

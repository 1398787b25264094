"""Backtrader runs: bars beside resting orders, and what another broker adds to a run over the stock one."""

from __future__ import annotations

from functools import partial
from random import Random
from statistics import quantiles
from time import process_time
from typing import TYPE_CHECKING, Any

import backtrader
from tests.bench.method import Row, compare, timed
from tests.bench.risk import all_rules

from seatrial import LATENCY_NORMAL
from seatrial_backtrader import SeatrialBroker

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

__all__ = ["overhead", "rows"]

bt: Any = backtrader  # which ships no types

_CASH = 1e12
_FIRST_DAY = 738_000.0
_ROUNDS = 15
_WARM = 3
"""Bars before the clock starts: the orders are sent on the first, accepted and looked at on the second."""


class _Walk(bt.feed.DataBase):  # type: ignore[misc] # as above
    """Daily bars of a seeded random walk around 100 that stays above 90."""

    params = (("bars", 0),)

    def start(self) -> None:
        super().start()
        self.random, self.done, self.price = Random(7), 0, 100.0

    def _load(self) -> bool:
        if self.done == self.p.bars:
            return False
        first = self.price
        last = self.price = min(110.0, max(92.0, first + self.random.gauss(0.0, 0.5)))
        lines = self.lines
        lines.datetime[0] = _FIRST_DAY + self.done
        lines.open[0], lines.close[0] = first, last
        lines.high[0], lines.low[0] = max(first, last) + 0.5, min(first, last) - 0.5
        lines.volume[0], lines.openinterest[0] = 1_000.0, 0.0
        self.done += 1
        return True


class _Timed(bt.Strategy):  # type: ignore[misc] # as above
    """A strategy whose bars are timed, from the end of its warm-up to its last bar."""

    def __init__(self) -> None:
        self.seen, self.began, self.spent = 0, 0.0, 0.0

    def next(self) -> None:
        self.seen += 1
        if self.seen == _WARM:
            self.began = process_time()
        self.act()

    def act(self) -> None:
        """Do what the strategy does on a bar."""

    def stop(self) -> None:
        self.spent = (process_time() - self.began) / (self.seen - _WARM)


class _Rests(_Timed):
    """Send limit orders once that no bar reaches."""

    params = (("orders", 0),)

    def act(self) -> None:
        if self.seen == 1:
            for n in range(self.p.orders):
                self.buy(size=1, exectype=bt.Order.Limit, price=40.0 + n * 7_919 % 5_000 / 100)


class _Crosses(_Timed):
    """Hold one unit while the average of 10 bars is above that of 30."""

    def __init__(self) -> None:
        super().__init__()
        self.cross = bt.indicators.CrossOver(bt.indicators.SMA(period=10), bt.indicators.SMA(period=30))

    def act(self) -> None:
        if self.cross[0] > 0:
            self.buy(size=1)
        elif self.cross[0] < 0 and self.position:
            self.close()


class _Sends(_Timed):
    """Buy and sell one unit in turn: an order on each bar."""

    def act(self) -> None:
        (self.sell if self.position else self.buy)(size=1)


_OVERHEADS: dict[str, type[_Timed]] = {"no-op": _Timed, "SMA cross": _Crosses, "order per bar": _Sends}


def _bar(factory: Callable[[], Any], strategy: type[_Timed], bars: int, **settings: object) -> float:
    """Return the CPU seconds that a bar takes with the broker that `factory` makes."""
    engine = bt.Cerebro(stdstats=False)
    engine.broker = broker = factory()
    broker.set_cash(_CASH)
    engine.adddata(_Walk(bars=bars))
    engine.addstrategy(strategy, **settings)
    [ran] = engine.run()
    if strategy is _Rests and len(broker.pending) != ran.p.orders:
        raise RuntimeError("an order of the benchmark did not rest")
    spent: float = ran.spent
    return spent


def _collected(run: Callable[[], float]) -> float:
    timed(lambda: None, 1)  # collects the garbage of the run before
    return run()


def _first_quartile(ratios: Iterable[float]) -> float:
    return quantiles(ratios, n=4)[0]


def overhead(name: str, factory: Callable[[], Any], bounds: Mapping[str, float], bars: int = 4_000) -> list[Row]:
    """Return what the broker that `factory` makes adds to runs over the stock broker.

    `bounds` holds one for "no-op", "SMA cross" and "order per bar" each, or for none. The rows of a broker are called
    `name`. An overhead is small against what a machine's other work adds, so the first quartile of the ratios counts.
    """
    found: list[Row] = []
    for case, strategy in _OVERHEADS.items():
        sides: dict[str, Callable[[], float]] = {
            "stock": partial(_collected, partial(_bar, bt.brokers.BackBroker, strategy, bars)),
            name: partial(_collected, partial(_bar, factory, strategy, bars)),
        }
        kept = {name: bounds[case]} if case in bounds else {}
        found += compare(f"Backtrader, {case}", sides, kept, rounds=_ROUNDS, pick=_first_quartile)
    return found


def rows() -> list[Row]:
    """Return the rows of Backtrader."""
    found: list[Row] = []
    for label, orders, faster in (("1k", 1_000, 60), ("5k", 5_000, 300)):
        sides: dict[str, Callable[[], float]] = {
            "stock": partial(_collected, partial(_bar, bt.brokers.BackBroker, _Rests, 20, orders=orders)),
            "seatrial": partial(_collected, partial(_bar, SeatrialBroker, _Rests, 1_000, orders=orders)),
        }
        work = f"Backtrader: {label} resting limits, per bar"
        found += compare(work, sides, {"seatrial": 1 / faster}, rounds=5)
    gated = dict(zip(_OVERHEADS, (1.08, 1.08, 1.12), strict=True))
    found += overhead("INSTANT, no rules", SeatrialBroker, dict.fromkeys(_OVERHEADS, 1.02))
    found += overhead("NORMAL", partial(SeatrialBroker, latency_config=LATENCY_NORMAL), gated)
    ruled = partial(SeatrialBroker, latency_config=LATENCY_NORMAL, risk_config=all_rules())
    return found + overhead("NORMAL, all rules", ruled, gated)

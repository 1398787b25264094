"""NautilusTrader 1.x backtests: what the gate adds to a run over the stock venue, and whether that grows."""

from __future__ import annotations

import gc
from functools import partial
from statistics import median, quantiles
from time import process_time
from typing import TYPE_CHECKING, Any

from nautilus_trader.config import StrategyConfig
from nautilus_trader.model.enums import OrderSide
from nautilus_trader.trading.strategy import Strategy
from tests.bench.method import Row, compare
from tests.bench.risk import all_rules
from tests.nautilus.rig.market import MS, PAIR, quotes
from tests.nautilus.rig.voyage import engine, settings

from seatrial import LATENCY_INSTANT, LATENCY_NORMAL, Constant, LatencyConfig

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

__all__ = ["rows"]

_QUOTES = 60_000
_LONG = 300_000
_EVERY = 100
"""Quotes from one order to the next: at one quote in 10 ms, an order each second."""
_WARM = 10
"""Quotes before the clock starts, so that starting the engine is not counted."""
_ROUNDS = 11
_RULED = "NORMAL, all rules"
_DELAYS: dict[str, LatencyConfig] = {
    "INSTANT": LATENCY_INSTANT,
    "submit 50 ms": LatencyConfig(submit=Constant(50 * MS), cancel=Constant(50 * MS)),
    "NORMAL": LATENCY_NORMAL,
    _RULED: LATENCY_NORMAL,
}


class _Timed(Strategy):  # type: ignore[misc] # which ships no types
    """A strategy whose quotes are timed, from the end of its warm-up to the middle of the run and to its last quote."""

    def __init__(self, count: int) -> None:
        super().__init__(StrategyConfig(strategy_id="TIMED-1"))
        self.seen, self.sent = 0, 0
        self.stops = {_WARM, count // 2, count}
        self.times: list[float] = []

    def on_start(self) -> None:
        self.subscribe_quote_ticks(PAIR.id)

    def on_quote_tick(self, tick: Any) -> None:
        self.seen += 1
        if self.seen in self.stops:
            self.times.append(process_time())


class _Sends(_Timed):
    """Buy and sell in turn at the market, once in so many quotes."""

    def on_quote_tick(self, tick: Any) -> None:
        super().on_quote_tick(tick)
        if self.seen % _EVERY == 0:
            side = OrderSide.SELL if self.sent % 2 else OrderSide.BUY
            self.sent += 1
            self.submit_order(self.order_factory.market(PAIR.id, side, PAIR.make_qty(1_000)))


class _Rests(_Timed):
    """Send one limit order that no quote reaches."""

    def on_quote_tick(self, tick: Any) -> None:
        super().on_quote_tick(tick)
        if self.seen == 1:
            self.sent += 1
            price = PAIR.make_price(0.5)
            self.submit_order(self.order_factory.limit(PAIR.id, OrderSide.BUY, PAIR.make_qty(1_000), price))


def _gate(name: str) -> dict[str, Any] | None:
    """Return the settings of the gate called `name`; `None` for the stock venue alone."""
    if name not in _DELAYS:
        return None
    return {"latency_config": _DELAYS[name], "risk_config": all_rules() if name == _RULED else None}


def _halves(data: list[Any], strategy: type[_Timed], name: str) -> tuple[float, float]:
    """Return the CPU seconds that each half of a run over `data` takes."""
    made, _ = engine([PAIR], settings("MARGIN", "NETTING"), _gate(name))
    made.add_data(data)
    trader = strategy(len(data))
    made.add_strategy(trader)
    gc.collect()
    made.run()
    orders = made.kernel.cache.orders()
    under_way = 1 if strategy is _Sends and len(data) % _EVERY == 0 else 0  # the last one was sent with the last quote
    ended = sum(order.is_open if strategy is _Rests else order.is_closed for order in orders)
    if len(orders) != trader.sent or ended < trader.sent - under_way:
        raise RuntimeError("an order of the benchmark went astray")
    made.dispose()
    began, middle, end = trader.times
    return middle - began, end - middle


def _quote(data: list[Any], strategy: type[_Timed], name: str) -> float:
    """Return the CPU seconds that a quote takes, with its share of the orders."""
    return sum(_halves(data, strategy, name)) / (len(data) - _WARM)


def _first_quartile(ratios: Iterable[float]) -> float:
    return quantiles(ratios, n=4)[0]


def _overhead(
    work: str, data: list[Any], strategy: type[_Timed], gates: Iterable[str], bounds: Mapping[str, float]
) -> list[Row]:
    sides: dict[str, Callable[[], float]] = {name: partial(_quote, data, strategy, name) for name in ("stock", *gates)}
    return compare(work, sides, bounds, rounds=_ROUNDS, pick=_first_quartile)


def _growth(data: list[Any], rounds: int = 3) -> list[Row]:
    """Return how much longer the second half of a long run takes than the first, beside the stock run's growth."""
    growths: dict[str, list[float]] = {"stock": [], "NORMAL": []}
    for number in range(rounds):
        for name in growths if number % 2 == 0 else reversed(growths):
            first, second = _halves(data, _Sends, name)
            growths[name].append(second / first)
    work = "NautilusTrader: second half / first"
    against = median(ours / theirs for ours, theirs in zip(growths["NORMAL"], growths["stock"], strict=True))
    return [
        Row(work, "stock", median(growths["stock"]), None),
        Row(work, "NORMAL", median(growths["NORMAL"]), None),
        Row(work, "NORMAL / stock", against, 1.1),
    ]


def rows() -> list[Row]:
    """Return the rows of NautilusTrader 1.x."""
    long = quotes(PAIR, _LONG, 7)
    data = long[:_QUOTES]
    at_once: dict[str, float] = dict.fromkeys(("INSTANT", "submit 50 ms"), 1.1)
    return [
        *_overhead("NautilusTrader, no orders", data, _Timed, ("INSTANT",), at_once),
        *_overhead("NautilusTrader, order / 100 quotes", data, _Sends, _DELAYS, at_once | {"NORMAL": 1.3}),
        *_overhead("NautilusTrader, a limit rests", data, _Rests, ("NORMAL",), {}),
        *_growth(long),
    ]

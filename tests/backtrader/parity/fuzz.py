"""Random scripts: feeds, settings, costs and actions of a seed, the same for every broker.

python tests/backtrader/parity/fuzz.py SEEDS [FIRST]    compare brokers over so many seeds, print the first that fails
"""

from __future__ import annotations

import random
import sys
from datetime import timedelta
from functools import partial
from operator import methodcaller
from pathlib import Path
from typing import TYPE_CHECKING, Any

import backtrader

sys.path.insert(0, str(Path(__file__).resolve().parents[3]))
from tests.backtrader.parity import feeds
from tests.backtrader.parity.recorder import Script, record
from tests.backtrader.parity.scripts_of_accounts import COMMISSIONS, FILLERS, PerShare
from tests.backtrader.parity.trace import assert_same
from tests.backtrader.parity.wirings import WIRINGS, stock

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

bt: Any = backtrader  # whose modules hide what they hold from a type checker

__all__ = ["compare", "main", "script"]

_KINDS = ("Market", "Market", "Close", "Limit", "Limit", "Stop", "StopLimit", "StopTrail", "StopTrailLimit")
_VALID = (None, None, None, timedelta(days=1), timedelta(hours=3), timedelta(days=5), bt.Order.DAY, 2.0, 0)
_SIZES = (1, 2, 5, 10, 25, 80, 0.5, 0.1, None)


class Drifter(bt.Strategy):
    """Acts at random at every bar; what the broker raises or answers becomes part of the trace."""

    params = (("seed", 0), ("bustle", 0.5))

    def __init__(self) -> None:
        self.rng = random.Random(self.p.seed)
        self.remarks: list[object] = []
        self.sent: list[Any] = []

    def notify_order(self, order: Any) -> None:
        if self.rng.random() < 0.03:
            self.act()

    def notify_trade(self, trade: Any) -> None:
        if self.rng.random() < 0.05:
            self.act()

    def prenext(self) -> None:
        self.next()

    def next(self) -> None:
        while self.rng.random() < self.p.bustle:
            self.act()

    def next_open(self) -> None:
        if self.rng.random() < self.p.bustle / 2:
            self.act()

    def act(self) -> None:
        """Do one of `_ACTS`, and take down what comes of it."""
        act = self.rng.choices(list(_ACTS), list(_ACTS.values()))[0]
        data = self.rng.choice(self.datas)
        try:
            result = act(self, data, float(data.close[0]))
        except Exception as error:  # noqa: BLE001 - what the stock broker raises is part of the trace
            self.remarks.append(f"{act.__name__} {type(error).__name__}: {error}")
        else:
            self.remarks.append([act.__name__, result if isinstance(result, (bool, int, float)) else None])

    def pick(self) -> Any:
        """Return one of the last orders sent, or `None`."""
        return self.rng.choice([None, *self.sent[-8:]])

    def near(self, price: float) -> float:
        """Return a price not far away, usually in whole cents."""
        other = price * (1 + self.rng.gauss(0, 0.01))
        return other if self.rng.random() < 0.1 else round(other, 2)


def _single(strategy: Drifter, data: Any, price: float) -> None:
    rng = strategy.rng
    kind = getattr(bt.Order, rng.choice(_KINDS))
    more: dict[str, Any] = {"size": rng.choice(_SIZES), "exectype": kind, "valid": rng.choice(_VALID)}
    if kind not in {bt.Order.Market, bt.Order.Close} or rng.random() < 0.1:
        more["price"] = strategy.near(price)
    if kind in {bt.Order.StopLimit, bt.Order.StopTrailLimit}:
        more["plimit"] = strategy.near(price)
    if kind in {bt.Order.StopTrail, bt.Order.StopTrailLimit}:
        more |= rng.choice(({"trailamount": round(price * 0.004, 2)}, {"trailpercent": 0.006}))
    if rng.random() < 0.15:
        more["oco"] = strategy.pick()
    if rng.random() < 0.1:
        more["parent"] = strategy.pick()
    if rng.random() < 0.1:
        more["transmit"] = False
    if rng.random() < 0.1:
        more |= {"tradeid": rng.randrange(3), "note": rng.random()}
    strategy.sent.append((strategy.buy if rng.random() < 0.5 else strategy.sell)(data=data, **more))


def _bracket(strategy: Drifter, data: Any, price: float) -> None:
    rng = strategy.rng
    up, down = (round(price * (1 + sign * rng.uniform(0.001, 0.02)), 2) for sign in (1, -1))
    buys = rng.random() < 0.5
    bracket = strategy.buy_bracket if buys else strategy.sell_bracket
    more: dict[str, Any] = {"limitprice": up if buys else down, "stopprice": down if buys else up}
    more |= {"size": rng.choice(_SIZES[:6]), "price": strategy.near(price), "valid": rng.choice(_VALID)}
    if rng.random() < 0.3:
        more |= {"exectype": bt.Order.Market, "price": None}
    if rng.random() < 0.3:
        more |= {"stopexec": bt.Order.StopTrail, "stopargs": {"trailpercent": 0.01}}
    strategy.sent += bracket(data=data, **more)


def _group(strategy: Drifter, data: Any, price: float) -> None:
    first = strategy.sell(data=data, exectype=bt.Order.Limit, price=round(price * 1.006, 2))
    second = strategy.buy(data=data, exectype=bt.Order.Limit, price=round(price * 0.994, 2), oco=first)
    strategy.sent += [first, second]


def _cancel(strategy: Drifter, data: Any, price: float) -> object:
    return strategy.broker.cancel(strategy.pick())


def _cancel_open(strategy: Drifter, data: Any, price: float) -> object:
    pending = strategy.broker.get_orders_open(safe=strategy.rng.random() < 0.3)
    return strategy.broker.cancel(strategy.rng.choice(pending)) if pending else None


def _close(strategy: Drifter, data: Any, price: float) -> None:
    strategy.sent.append(strategy.close(data=data))


def _target(strategy: Drifter, data: Any, price: float) -> None:
    rng = strategy.rng
    name, most = rng.choice((("size", 50.0), ("value", 8000.0), ("percent", 1.2)))
    target = rng.choice((0, round(rng.uniform(-most, most), 1)))
    strategy.sent.append(getattr(strategy, f"order_target_{name}")(data=data, target=target))


def _ask(strategy: Drifter, data: Any, price: float) -> object:
    broker, rng = strategy.broker, strategy.rng
    return rng.choice(
        (
            lambda: broker.getvalue([data]),
            lambda: broker.get_value(strategy.datas, lever=True),
            lambda: broker.get_value_lever([data]),
            lambda: broker.getposition(data).price,
            lambda: broker.orderstatus(strategy.pick()),
            broker.get_leverage,
        )
    )()


def _cash(strategy: Drifter, data: Any, price: float) -> None:
    strategy.broker.add_cash(round(strategy.rng.uniform(-900, 1500), 2))


def _setting(strategy: Drifter, data: Any, price: float) -> None:
    for setting in _settings(strategy.rng, 1):
        setting(strategy.broker)


_ACTS: Mapping[Callable[[Drifter, Any, float], object], int] = {
    _single: 50,
    _bracket: 8,
    _group: 6,
    _cancel: 8,
    _cancel_open: 8,
    _close: 6,
    _target: 8,
    _ask: 5,
    _cash: 1,
    _setting: 1,
}
"""What a drifter does, and how often."""


def _settings(rng: random.Random, count: int) -> Iterable[Callable[[Any], object]]:
    """Return a few settings of a broker."""
    flags = {f"slip_{name}": rng.random() < 0.5 for name in ("open", "limit", "match", "out")}
    scheme = rng.choice([*COMMISSIONS.values()])
    every = (
        methodcaller("set_slippage_perc", rng.choice((0.001, 0.01)), **flags),
        methodcaller("set_slippage_fixed", rng.choice((0.01, 0.5)), **flags),
        methodcaller("set_filler", rng.choice([None, *FILLERS.values()])),
        methodcaller("set_checksubmit", rng.random() < 0.5),
        methodcaller("set_eosbar", rng.random() < 0.5),
        methodcaller("set_coc", rng.random() < 0.5),
        methodcaller("set_shortcash", rng.random() < 0.5),
        methodcaller("set_int2pnl", rng.random() < 0.5),
        methodcaller("set_fundmode", rng.random() < 0.5),
        methodcaller("setcommission", **scheme),
        lambda broker: broker.setcommission(name="feed1", **scheme),
        lambda broker: broker.addcommissioninfo(PerShare()),
    )
    return rng.sample(every, count)


def _feeds(rng: random.Random) -> Iterable[Any]:
    """Return the feeds of a script: of one resolution, of several, or live."""
    kinds: tuple[Callable[[], Any], ...] = (
        lambda: feeds.daily(rng.random(), rng.randrange(25, 50), late=rng.choice((0, 0, 10))),
        lambda: feeds.sparse(rng.random()),
        lambda: feeds.intraday(rng.random(), rng.randrange(30, 60), rng.choice((15, 30, 60))),
        lambda: feeds.ticks(rng.random(), rng.randrange(30, 60)),
        lambda: feeds.live(rng.random(), rng.randrange(20, 40)),
    )
    first = rng.choice(kinds)
    return [(first if rng.random() < 0.7 else rng.choice(kinds))() for _ in range(rng.choice((1, 1, 2, 2, 3)))]


def _build(seed: int, cerebro: Any) -> None:
    rng = random.Random(seed)
    for number, data in enumerate(_feeds(rng)):
        cerebro.adddata(data, name=f"feed{number}")
    if rng.random() < 0.1:
        minutes = [data for data in cerebro.datas if data._timeframe <= bt.TimeFrame.Minutes]
        if minutes:
            cerebro.resampledata(minutes[0], timeframe=bt.TimeFrame.Minutes, compression=120)
    if len(cerebro.datas) > 1 and rng.random() < 0.05:
        cerebro.datas[1].compensate(cerebro.datas[0])
    cerebro.broker.setcash(rng.choice((2_000.0, 10_000.0, 10_000.0, 100_000.0, 33_333.3)))
    for setting in _settings(rng, rng.choice((0, 1, 2, 4))):
        setting(cerebro.broker)
    if rng.random() < 0.1:
        days = sorted(rng.sample(range(1, 28), 5))
        history = [[f"2024-01-{day:02}", rng.randint(-9, 9), round(rng.uniform(90, 110), 2)] for day in days]
        cerebro.add_order_history(history, notify=rng.random() < 0.5)
    bustle = rng.choice((0.1, 0.3, 0.5, 0.7))
    for number in range(rng.choice((1, 1, 1, 2))):
        cerebro.addstrategy(Drifter, seed=f"{seed} {number}", bustle=bustle)


def script(seed: int) -> Script:
    """Return the random script of a seed."""
    rng = random.Random(f"options {seed}")
    options: dict[str, Any] = rng.choice(
        ({}, {}, {"runonce": False}, {"preload": False}, {"exactbars": rng.choice((1, -1, -2))})
    )
    if rng.random() < 0.2:
        options |= rng.choice(({"quicknotify": True}, {"cheat_on_open": True}, {"tradehistory": True}))
    return Script(partial(_build, seed), options | {"stdstats": rng.random() < 0.2})


def compare(seeds: Iterable[int], wirings: Mapping[str, Callable[[], Any]] = WIRINGS) -> None:
    """Run the script of each seed with the stock broker and with each of `wirings`.

    :raises AssertionError: a broker shows the script something else; it names the seed and the wiring.
    """
    for seed in seeds:
        expected = record(script(seed), stock)
        for name, broker in wirings.items():
            assert_same(expected, record(script(seed), broker), f"seed {seed}, {name}")


def main(arguments: list[str], wirings: Mapping[str, Callable[[], Any]] = WIRINGS) -> int:
    """Compare the wirings over many seeds; return 1 after the first difference, which it prints."""
    count, first = (int(text) for text in (*arguments, "0")[:2])
    try:
        compare(range(first, first + count), wirings)
    except AssertionError as difference:
        print(difference)
        return 1
    print(f"{count} seeds from {first}: no difference")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

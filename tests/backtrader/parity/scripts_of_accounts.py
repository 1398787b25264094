"""Scripts about the account: what the broker is set to, what trading costs, and cash, positions and histories."""

from __future__ import annotations

from datetime import date, datetime
from functools import partial
from itertools import product
from operator import methodcaller
from typing import TYPE_CHECKING, Any

import backtrader as bt
from tests.backtrader.parity.crew import acting, at, close, each, every, order, trade
from tests.backtrader.parity.feeds import daily, intraday

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tests.backtrader.parity.recorder import Script

__all__ = ["COMMISSIONS", "FILLERS", "SCRIPTS"]

_PAIR = (partial(daily, 5), partial(daily, 6))

FILLERS: Mapping[str, Any] = {
    "fixed size": bt.fillers.FixedSize(size=5),
    "share of the bar": bt.fillers.FixedBarPerc(perc=0.2),
    "share of a price": bt.fillers.BarPointPerc(minmov=0.01, perc=10.0),
}

_HALF = bt.CommInfoBase.COMM_PERC


class PerShare(bt.CommInfoBase):
    """A scheme of a user's own: a fee for each share, one at least, and one that remembers what it confirmed."""

    params = (("stocklike", True), ("commtype", bt.CommInfoBase.COMM_FIXED), ("least", 1.0))

    def __init__(self) -> None:
        super().__init__()
        self.confirmed = 0.0

    def _getcommission(self, size: float, price: float, pseudoexec: bool) -> float:
        return max(float(self.p.least), abs(size) * 0.005) + (0.0 if pseudoexec else self.confirmed * 1e-6)

    def confirmexec(self, size: float, price: float) -> None:
        self.confirmed += abs(size)


COMMISSIONS: Mapping[str, dict[str, Any]] = {
    "percent": {"commission": 0.001},
    "whole percent": {"commission": 0.1, "commtype": _HALF, "percabs": False, "stocklike": True},
    "fixed for each share": {"commission": 0.02, "commtype": bt.CommInfoBase.COMM_FIXED, "stocklike": True},
    "futures": {"commission": 2.0, "margin": 400.0, "mult": 10.0},
    "futures, percent": {"commission": 0.0002, "margin": 300.0, "mult": 5.0, "commtype": _HALF, "percabs": True},
    "margin of its own": {"commission": 1.0, "margin": 1.0, "mult": 3.0, "automargin": 7.5},
    "margin by the multiplier": {"commission": 1.0, "margin": 1.0, "mult": 3.0, "automargin": -1},
    "interest, short": {"commission": 0.001, "interest": 0.03},
    "interest, long too": {"commission": 0.0, "interest": 0.05, "interest_long": True},
    "leverage": {"commission": 0.001, "leverage": 4.0},
    "leverage and interest": {"leverage": 10.0, "interest": 0.04, "interest_long": True},
}

_SETTINGS: Mapping[str, Any] = {
    "checks at submission off": lambda broker: broker.set_checksubmit(False),
    "bar that ends the session": lambda broker: broker.set_eosbar(True),
    "cheat on close": lambda broker: broker.set_coc(True),
    "cheat on open in the broker alone": lambda broker: broker.set_coo(True),
    "short sales bring no cash": lambda broker: broker.set_shortcash(False),
    "fund": lambda broker: broker.set_fundmode(True, 50.0),
    "fund that starts at 7": lambda broker: broker.set_fundstartval(7.0),
    "little cash": lambda broker: broker.setcash(900.0),
    "no cash": lambda broker: broker.set_cash(0.0),
    "cash beyond cents": lambda broker: broker.setcash(10_000.1 / 3),
    "cash added before the start": lambda broker: broker.add_cash(100.0),
}


def _slippages() -> dict[str, Script]:
    """Every combination of what slippage may do, as a percentage and as an amount."""
    names = ("slip_open", "slip_limit", "slip_match", "slip_out")
    return {
        f"slippage, {kind}, {' '.join(name for name, on in zip(names, flags, strict=True) if on)}": acting(
            trade,
            broker=lambda broker, kind=kind, size=size, flags=flags: getattr(broker, f"set_slippage_{kind}")(
                size, **dict(zip(names, flags, strict=True))
            ),
        )
        for kind, size in (("perc", 0.003), ("fixed", 0.4))
        for flags in product((False, True), repeat=4)
    }


def _settings() -> dict[str, Script]:
    """Every setting with one feed and with two, in days and in minutes."""
    feeds = {"one feed": (partial(daily, 7),), "two feeds": _PAIR, "minutes": (partial(intraday, 8),)}
    return {
        f"{name}, {where}": acting(trade, *feed, broker=setting)
        for name, setting in _SETTINGS.items()
        for where, feed in feeds.items()
    }


def _commissions() -> dict[str, Script]:
    """Every scheme alone, for one of two feeds, and where short sales bring no cash and interest is no profit."""

    def for_one(scheme: dict[str, Any], cerebro: Any) -> None:
        cerebro.datas[1]._name = "second"
        cerebro.broker.setcommission(name="second", **scheme)
        cerebro.broker.setcommission(commission=0.0005)

    def alone(scheme: dict[str, Any], broker: Any) -> None:
        broker.setcommission(**scheme)

    def strict(scheme: dict[str, Any], broker: Any) -> None:
        broker.setcommission(**scheme)
        broker.set_shortcash(False)
        broker.set_int2pnl(False)

    return {
        f"commission, {name}, {how}": script
        for name, scheme in COMMISSIONS.items()
        for how, script in {
            "alone": acting(trade, broker=partial(alone, scheme)),
            "second feed": acting(trade, *_PAIR, setup=partial(for_one, scheme)),
            "strict": acting(trade, *_PAIR, broker=partial(strict, scheme)),
        }.items()
    }


def _ask(strategy: Any, _bar: int) -> None:
    """Ask for all values, which leaves traces in the broker: of a position asked for, and of cash not yet added."""
    broker, datas = strategy.broker, strategy.datas
    for asked in ([datas[-1]], datas, None):
        for lever in (False, True):
            strategy.attempt(broker.getvalue, asked, lever=lever)
        strategy.attempt(broker.get_value_lever, asked)
    strategy.attempt(lambda: strategy.getposition(datas[-1]).size + strategy.position.price)
    strategy.remarks += [strategy.getposition(data).price for data in strategy.getpositions()]
    strategy.remarks += [broker.get_fundvalue(), broker.get_fundshares(), broker.fundmode, broker.get_leverage()]


def _change(name: str, *arguments: Any, **named: Any) -> Any:
    return lambda strategy, _bar: strategy.attempt(getattr(strategy.broker, name), *arguments, **named)


_CASH = each(trade, at(5, 25, do=_change("add_cash", 500.25)), at(15, 30, do=_change("add_cash", -1234.5)))
_HISTORY = [
    ["2024-01-03", 10, 101.5],
    [date(2024, 1, 9), -4, 99.25],
    ("2024-01-15T16:00:00", -10, 98.5, 0),
    (datetime(2024, 1, 15, 18), 3, 97.0, 0),
    ["2024-01-22T16:00:00.5", 8, 100.0, None],
    [date(2024, 2, 1), 0, 100.0],
    [date(2024, 2, 9), -7, 103.0],
]
_FUND = [
    ["2024-01-02", 100.0, 50_000.0],
    [date(2024, 1, 10), 101.5, 51_000.0],
    [datetime(2024, 1, 20), 99.0, 48_000.5],
    ["2024-02-01T12:00:00", 104.0, 60_000.0],
]


def _history(cerebro: Any, notify: bool = True) -> None:
    cerebro.add_order_history(_HISTORY, notify=notify)


def _two_histories(cerebro: Any) -> None:
    cerebro.datas[1]._name = "second"
    cerebro.datasbyname["second"] = cerebro.datas[1]
    cerebro.add_order_history(_HISTORY)
    cerebro.add_order_history(iter([("2024-01-11", -6, 90.0, "second"), ("2024-02-07", 6, 80.0, 1)]), notify=False)


def _fund(cerebro: Any) -> None:
    cerebro.set_fund_history(_FUND)


def _fund_and_orders(cerebro: Any) -> None:
    _fund(cerebro)
    _history(cerebro)


def _hedge(cerebro: Any) -> None:
    cerebro.datas[1].compensate(cerebro.datas[0])


def _own_scheme(cerebro: Any) -> None:
    cerebro.broker.addcommissioninfo(PerShare())


def _changes(strategy: Any, bar: int) -> None:
    """Change the settings while orders are open."""
    changes = (
        ("set_coc", True), ("set_slippage_perc", 0.002), ("set_coc", False), ("set_checksubmit", False),
        ("set_shortcash", False), ("set_filler", FILLERS["fixed size"]),
        ("set_checksubmit", True), ("set_filler", None),
        ("set_slippage_fixed", 0.05), ("set_int2pnl", False), ("set_fundmode", True), ("setcash", 7000.5),
        ("setcommission", 0.002), ("seteosbar", True), ("set_shortcash", True),
    )  # fmt: skip
    trade(strategy, bar)
    if bar % 4 == 0:
        name, value = changes[(bar // 4 - 1) % len(changes)]
        strategy.attempt(getattr(strategy.broker, name), value)


def _nameless(strategy: Any, _bar: int) -> None:
    """Orders sent to the broker itself: one without an owner, one that skips the check of the cash."""
    strategy.attempt(strategy.broker.buy, None, strategy.data, 2)
    strategy.attempt(strategy.broker.sell, strategy, strategy.data, 150, _checksubmit=False)


_PASSIVE = every(1000, close)

SCRIPTS: dict[str, Script] = {
    **_slippages(),
    **_settings(),
    **_commissions(),
    **{
        f"filler, {name}, {minutes}": acting(trade, feed, broker=methodcaller("set_filler", filler))
        for name, filler in FILLERS.items()
        for minutes, feed in (("days", partial(daily, 9)), ("minutes", partial(intraday, 10)))
    },
    "commission of a user's own": acting(trade, *_PAIR, setup=_own_scheme),
    "cheat on open": acting(_PASSIVE, params={"open": trade}, cheat_on_open=True),
    "cheat on open and trade at the close": acting(trade, *_PAIR, params={"open": trade}, cheat_on_open=True),
    "cheat on open, not in the broker": acting(trade, params={"open": trade}, cheat_on_open=True, broker_coo=False),
    "cheat on open, checks off": acting(trade, broker=_SETTINGS["checks at submission off"], cheat_on_open=True),
    "cheat on close, but not this order": acting(
        every(2, order("buy", coc=False), order("sell")), broker=_SETTINGS["cheat on close"]
    ),
    "cash is added and withdrawn": acting(_CASH, *_PAIR),
    "cash is added and withdrawn, fund": acting(_CASH, broker=_SETTINGS["fund"]),
    "questions about the account": acting(each(_CASH, every(3, _ask)), *_PAIR),
    "questions before the first order": acting(each(_ask, at(20, do=order("buy"))), *_PAIR),
    "settings change on the way": acting(_changes, partial(daily, 1, 90), partial(daily, 2, 90)),
    "orders sent to the broker itself": acting(each(every(6, _nameless), every(4, close))),
    "history of orders": acting(None, setup=_history),
    "history of orders and a strategy": acting(trade, setup=_history),
    "history of orders, silent": acting(trade, setup=partial(_history, notify=False)),
    "history of orders, checks off": acting(trade, setup=_history, broker=_SETTINGS["checks at submission off"]),
    "histories of orders in two feeds": acting(trade, *_PAIR, setup=_two_histories),
    "history of a fund": acting(trade, setup=_fund, runonce=False),
    "history of a fund and of orders": acting(None, setup=_fund_and_orders, runonce=False),
    "history of a fund, vectorised": acting(trade, setup=_fund),
    "a feed that compensates another": acting(trade, *_PAIR, setup=_hedge),
}

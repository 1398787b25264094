"""Scripts about orders: their types, how long they are valid, groups of them, and how they end."""

from __future__ import annotations

from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING, Any

import backtrader as bt
from tests.backtrader.parity.crew import acting, at, close, each, every, order
from tests.backtrader.parity.feeds import daily, ibm, intraday, ticks

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tests.backtrader.parity.recorder import Script

__all__ = ["SCRIPTS"]

O = bt.Order  # noqa: E741 - as often as it is written here, the short name is the readable one
_BIG = 80  # more than the starting cash can buy at once, together with what is open already

_TYPES: Mapping[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "market": ({}, {}),
    "close": ({"exectype": O.Close}, {"exectype": O.Close}),
    "limit": ({"exectype": O.Limit, "at": 0.995}, {"exectype": O.Limit, "at": 1.005}),
    "limit through the market": ({"exectype": O.Limit, "at": 1.01}, {"exectype": O.Limit, "at": 0.99}),
    "stop": ({"exectype": O.Stop, "at": 1.004}, {"exectype": O.Stop, "at": 0.996}),
    "stop already passed": ({"exectype": O.Stop, "at": 0.98}, {"exectype": O.Stop, "at": 1.02}),
    "stop limit": (
        {"exectype": O.StopLimit, "at": 1.004, "limit": 1.006},
        {"exectype": O.StopLimit, "at": 0.996, "limit": 0.994},
    ),
    "stop limit on the far side": (
        {"exectype": O.StopLimit, "at": 1.006, "limit": 1.001},
        {"exectype": O.StopLimit, "at": 0.994, "limit": 0.999},
    ),
    "trailing amount": ({"exectype": O.StopTrail, "trailamount": 0.4}, {"exectype": O.StopTrail, "trailamount": 0.4}),
    "trailing percent": (
        {"exectype": O.StopTrail, "trailpercent": 0.008},
        {"exectype": O.StopTrail, "trailpercent": 0.008},
    ),
    "trailing from a price": (
        {"exectype": O.StopTrail, "at": 0.99, "trailamount": 0.3},
        {"exectype": O.StopTrail, "at": 1.01, "trailamount": 0.3},
    ),
    "trailing limit, amount": (
        {"exectype": O.StopTrailLimit, "at": 1.0, "limit": 1.003, "trailamount": 0.4},
        {"exectype": O.StopTrailLimit, "at": 1.0, "limit": 0.997, "trailamount": 0.4},
    ),
    "trailing limit, percent": (
        {"exectype": O.StopTrailLimit, "at": 1.0, "limit": 1.003, "trailpercent": 0.008},
        {"exectype": O.StopTrailLimit, "at": 1.0, "limit": 0.997, "trailpercent": 0.008},
    ),
    "historical": ({"exectype": O.Historical, "at": 1.0}, {"exectype": O.Historical, "at": 1.0}),
}

_FEEDS: Mapping[str, Any] = {
    "daily": partial(daily, 2),
    "intraday": partial(intraday, 3),
    "ticks": partial(ticks, 4),
    "IBM": ibm,
}

_VALID: Mapping[str, Any] = {
    "until a moment": lambda strategy: strategy.data.datetime.datetime(0) + timedelta(hours=30),
    "until a date": lambda strategy: strategy.data.datetime.datetime(0).date() + timedelta(days=2),
    "for a while": timedelta(days=2, minutes=1),
    "for the day": O.DAY,
    "for a number": 2.0,
    "for nothing": 0,
}


def _both(buy: dict[str, Any], sell: dict[str, Any], **more: Any) -> tuple[Any, Any]:
    return order("buy", **buy, **more), order("sell", **sell, **more)


def _types() -> dict[str, Script]:
    return {
        f"{name}, {where}": acting(every(2, *_both(buy, sell, size=9)), feed)
        for name, (buy, sell) in _TYPES.items()
        for where, feed in _FEEDS.items()
    }


def _validities() -> dict[str, Script]:
    kinds = ("market", "close", "limit", "stop limit", "trailing percent")
    return {
        f"{name}, {until}": acting(every(3, *_both(*_TYPES[name], size=9, valid=valid)), feed)
        for name in kinds
        for until, valid in _VALID.items()
        for feed in ([_FEEDS["intraday"]] if until == "for the day" else [_FEEDS["daily"]])
    }


def _bracket(side: str, reach: float, **more: Any) -> Any:
    def act(strategy: Any, _bar: int) -> None:
        price = strategy.data.close[0]
        up, down = round(price * (1 + reach), 2), round(price * (1 - reach), 2)
        limit, stop = (up, down) if side == "buy" else (down, up)
        strategy.sent += getattr(strategy, f"{side}_bracket")(
            **{"price": round(price, 2), "limitprice": limit, "stopprice": stop, "size": 9, **more}
        )

    return act


def _family(strategy: Any, _bar: int) -> None:
    """A bracket by hand: a parent and a child held back, and a last child that sends all three."""
    price = strategy.data.close[0]
    parent = strategy.buy(size=9, exectype=O.Limit, price=round(price * 0.999, 2), transmit=False)
    stop = strategy.sell(size=9, exectype=O.Stop, price=round(price * 0.99, 2), parent=parent, transmit=False)
    profit = strategy.sell(size=9, exectype=O.Limit, price=round(price * 1.01, 2), parent=parent, transmit=True)
    strategy.sent += [parent, stop, profit]


def _latecomer(strategy: Any, _bar: int) -> None:
    """A child of a parent that was sent at once."""
    parent = strategy.buy(size=5)
    price = round(strategy.data.close[0] * 0.99, 2)
    strategy.sent += [parent, strategy.attempt(strategy.sell, size=5, exectype=O.Stop, price=price, parent=parent)]


def _orphan(strategy: Any, _bar: int) -> None:
    """A child of an order that ended long ago."""
    if strategy.sent:
        strategy.sent.append(strategy.attempt(strategy.sell, size=2, parent=strategy.sent[0]))


def _either(strategy: Any, _bar: int) -> None:
    """A group of three of which one ends the others."""
    price = strategy.data.close[0]
    first = strategy.buy(size=5, exectype=O.Limit, price=round(price * 0.994, 2))
    second = strategy.buy(size=6, exectype=O.Stop, price=round(price * 1.006, 2), oco=first)
    third = strategy.sell(size=7, exectype=O.Limit, price=round(price * 1.01, 2), oco=second)
    strategy.sent += [first, second, third]


def _late_sibling(strategy: Any, _bar: int) -> None:
    """An order that joins the group of one sent long ago."""
    if strategy.sent:
        price = round(strategy.data.close[0] * 0.99, 2)
        strategy.sent.append(strategy.buy(size=1, exectype=O.Limit, price=price, oco=strategy.sent[0]))


def _cancel(number: int) -> Any:
    return lambda strategy, _bar: strategy.cancel_it(number)


def _take_back(strategy: Any, _bar: int) -> None:
    strategy.sent.append(strategy.buy(size=3, exectype=O.Limit, price=round(strategy.data.close[0] * 0.99, 2)))
    strategy.cancel_it()


def _cancel_all(strategy: Any, _bar: int) -> None:
    for one in strategy.broker.get_orders_open():
        strategy.attempt(strategy.broker.cancel, one)


def _cancel_copies(strategy: Any, _bar: int) -> None:
    for one in strategy.broker.get_orders_open(safe=True):
        strategy.attempt(strategy.broker.cancel, one)


def _copy(strategy: Any, bar: int) -> None:
    """Copy the open orders, which tells their executions as if in a notification."""
    if bar % 2:
        strategy.remarks += [copy.executed.p2 for copy in strategy.broker.get_orders_open(safe=True)]


def _ask(strategy: Any, _bar: int) -> None:
    """Ask the broker what it knows of the orders sent, and for nothing at all."""
    for one in strategy.sent[-3:]:
        strategy.attempt(strategy.broker.orderstatus, one)
    strategy.attempt(strategy.broker.cancel, None)


def _targets(strategy: Any, bar: int) -> None:
    match bar % 8:
        case 1:
            strategy.order_target_size(target=20)
        case 2:
            strategy.order_target_value(target=-1500.0)
        case 3:
            strategy.order_target_percent(target=0.6)
        case 4:
            strategy.order_target_percent(target=-0.3, exectype=O.Limit, price=round(strategy.data.close[0], 2))
        case 5:
            strategy.close()
        case 6:
            strategy.order_target_size(target=0)


_LIMITS = _both(*_TYPES["limit"], size=9)

SCRIPTS: dict[str, Script] = {
    **_types(),
    **_validities(),
    "market orders beyond the cash": acting(every(3, order("buy", size=_BIG), order("buy", size=_BIG), close)),
    "three orders at once beyond the cash": acting(
        every(5, each(*[order("buy", size=40)] * 3, *[order("sell", O.Limit, 1.01, size=40)] * 2))
    ),
    "sells first": acting(every(4, order("sell", size=30), order("buy", size=60))),
    "no size": acting(every(2, order("buy", size=0), close)),
    "fractions": acting(every(2, order("buy", size=0.3), order("buy", size=0.1), order("sell", size=0.7))),
    "information and trade numbers": acting(
        every(2, order("buy", tradeid=1, why="a", when=1.5), order("sell", tradeid=2, why="b"), close)
    ),
    "bracket, bought": acting(every(5, _bracket("buy", 0.008))),
    "bracket, sold": acting(every(5, _bracket("sell", 0.008))),
    "bracket at the market": acting(every(5, _bracket("buy", 0.01, exectype=O.Market, price=None))),
    "bracket by a stop": acting(every(5, _bracket("buy", 0.01, exectype=O.Stop))),
    "bracket with a trailing stop": acting(
        every(5, _bracket("buy", 0.02, stopexec=O.StopTrail, stopargs={"trailpercent": 0.01}))
    ),
    "bracket without its limit": acting(every(5, _bracket("buy", 0.01, limitexec=None))),
    "bracket beyond the cash": acting(every(4, _bracket("buy", 0.01, size=_BIG))),
    "bracket that expires": acting(every(5, _bracket("buy", 0.01, price=1.0, valid=timedelta(days=2)))),
    "bracket, its parent cancelled": acting(
        each(every(6, _bracket("buy", 0.01, price=1.0)), at(8, 20, do=_cancel(-3)))
    ),
    "bracket, a child cancelled": acting(each(every(6, _bracket("buy", 0.05)), at(8, 20, do=_cancel(-1)))),
    "bracket, filled in parts": acting(
        every(5, _bracket("buy", 0.01, size=60)), broker=lambda broker: broker.set_filler(bt.fillers.FixedSize(size=20))
    ),
    "bracket by hand": acting(every(5, _family)),
    "child after a parent already sent": acting(every(6, _latecomer)),
    "child of an order that ended": acting(every(6, order("buy"), _orphan)),
    "parent that is never sent": acting(every(5, order("buy", transmit=False), close)),
    "one cancels the others": acting(every(5, _either)),
    "one cancels the others, in parts": acting(
        every(5, _either), broker=lambda broker: broker.set_filler(bt.fillers.FixedSize(size=2))
    ),
    "one cancels the others, beyond the cash": acting(every(5, _either), broker=lambda broker: broker.setcash(500.0)),
    "sibling of an order that ended": acting(every(4, *_LIMITS, _late_sibling)),
    "cancel at the next bar": acting(each(every(4, *_LIMITS), at(9, 13, 21, 33, do=_cancel(-1)))),
    "cancel at the same bar": acting(every(4, _take_back)),
    "cancel twice": acting(each(every(5, *_LIMITS), every(6, each(_cancel(-1), _cancel(-1))))),
    "cancel one of a group": acting(each(every(6, _either), at(7, 13, 31, do=_cancel(-2)))),
    "cancel what is done": acting(every(3, order("buy"), _cancel(0), _cancel(-1))),
    "cancel everything open": acting(each(every(2, *_LIMITS), every(7, _cancel_all))),
    "cancel by copies": acting(each(every(2, *_LIMITS), every(7, _cancel_copies))),
    "copies of orders filled in parts": acting(
        each(every(3, order("buy", O.Limit, 1.0, size=40), order("sell", O.Limit, 1.0, size=50)), _copy),
        broker=lambda broker: broker.set_filler(bt.fillers.FixedSize(size=6)),
    ),
    "questions about orders": acting(each(every(3, *_LIMITS), every(4, _ask))),
    "targets": acting(_targets),
}

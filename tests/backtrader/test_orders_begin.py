"""An order of ours begins as Backtrader's constructor begins it, and a feed shows no other lines than its own."""

from __future__ import annotations

import pickle
from datetime import time
from itertools import count, product
from typing import Any

import backtrader
import pytest
from backtrader.order import BuyOrder, OrderBase, SellOrder

from seatrial_backtrader.quick import QuickBroker

bt: Any = backtrader  # which ships no types

PRICES = (None, 0, 0.0, 99.5, float("nan"))
KINDS = (None, *range(8))
AMOUNTS = (None, 0.5)
SIDES: tuple[Any, ...] = (BuyOrder, SellOrder)
LINES = ("open", "high", "low", "close", "volume", "openinterest", "datetime")


class NoonBars(bt.feed.DataBase):
    """Three daily bars, stamped at noon; no other feed has the name, under which Backtrader keeps and pickles lines."""

    def start(self) -> None:
        super().start()
        self.shown = 0

    def _load(self) -> bool:
        if self.shown == 3:
            return False
        for n, name in enumerate(LINES):
            getattr(self.lines, name)[0] = 100.0 + n + self.shown
        self.lines.datetime[0] = 738_000.5 + self.shown
        self.shown += 1
        return True


class Keeps(QuickBroker):
    """A broker that keeps an order instead of sending it."""

    def submit(self, order: Any, check: bool = True) -> Any:
        return order


def fields(order: Any) -> dict[str, str]:
    """Return all there is to see of an order, also where a parameter stands in for an attribute."""
    seen = {name: repr(value) for name, value in vars(order).items() if name not in {"params", "p"}}
    for part in ("created", "executed"):
        seen[part] = repr(sorted(vars(getattr(order, part)).items()))
    for name in order.p._getkeys():
        seen[f"p.{name}"] = repr(getattr(order.p, name))
        seen[name] = repr(getattr(order, name))
    return seen


class Compares(bt.Strategy):
    """Begin each order twice."""

    def __init__(self) -> None:
        self.compared = 0

    def next(self) -> None:
        for kind, price, limit, exectype, trail in product(SIDES, PRICES, PRICES, KINDS, AMOUNTS):
            terms = {"exectype": exectype, "trailamount": trail, "tradeid": 3, "transmit": False, "histnotify": True}
            ref = next(OrderBase.refbasis)
            OrderBase.refbasis = count(ref)
            theirs = kind(owner=self, data=self.data, size=2, price=price, pricelimit=limit, **terms)
            OrderBase.refbasis = count(ref)
            send = self.broker.buy if kind is BuyOrder else self.broker.sell
            ours = send(self, self.data, size=2, price=price, plimit=limit, **terms)
            assert type(ours) is kind
            assert fields(ours) == fields(theirs)
            self.compared += 1


def run(session_end: time, exactbars: int) -> Any:
    """Run the comparison on a feed whose session ends at some time, and return cerebro."""
    cerebro = bt.Cerebro(stdstats=False, exactbars=exactbars)
    cerebro.broker = Keeps()
    cerebro.adddata(NoonBars(sessionend=session_end))
    cerebro.addstrategy(Compares)
    cerebro.run()
    return cerebro


@pytest.mark.parametrize("session_end", [time(9, 30), time(23, 59, 59, 999_990)])
@pytest.mark.parametrize("exactbars", [0, 1])
def test_an_order_begins_as_backtraders_does(session_end: time, exactbars: int) -> None:
    """Every field is what the constructor makes of the same terms, on a day whose session has ended and on others."""
    cerebro = run(session_end, exactbars)
    assert cerebro.runstrats[0][0].compared == 3 * 2 * len(PRICES) ** 2 * len(KINDS) * len(AMOUNTS)


def test_a_feed_has_its_lines_as_attributes_and_pickles_with_them() -> None:
    """The attributes are the lines themselves, and still are after a journey to another process."""
    [feed] = run(time(16), 0).datas
    for one in (feed, pickle.loads(pickle.dumps(feed))):  # noqa: S301 - written a moment ago
        assert all(vars(one)[name] is getattr(one.lines, name) for name in LINES)
        assert one.datetime.datetime() == bt.num2date(one.datetime[0])
        assert one.datetime.datetime(-1) == bt.num2date(one.datetime[-1])

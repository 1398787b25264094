"""Programs that are odd but legal go on after a cut at any bar as if they had never been cut."""

from __future__ import annotations

import itertools
import sys
from datetime import time, timedelta
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

import backtrader
import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
from tests.backtrader.parity import feeds

from seatrial import CheckpointManager, LatencyConfig, PositionLimitRule, RiskConfig
from seatrial.contracts.events import encode_events
from seatrial_backtrader import SeatrialBroker
from seatrial_backtrader.stamps import to_ns

if TYPE_CHECKING:
    from collections.abc import Callable

bt: Any = backtrader  # whose modules hide what they hold from a type checker

_SLOW_FILLS = LatencyConfig(
    fill_latency_min=timedelta(hours=2), fill_latency_max=timedelta(hours=2), cancel_latency=timedelta(0)
)
_SLOW_ORDERS = LatencyConfig(
    submission_latency=timedelta(hours=2), fill_latency_min=timedelta(0), fill_latency_max=timedelta(0)
)
_LIMITED = RiskConfig(position_limit=PositionLimitRule(max_shares=Decimal(5)))


class Odd(bt.Strategy):
    """Does what its program says at each bar, and writes down what it is told and what it sees."""

    params = (("program", None), ("log", None))

    def note(self, *what: object) -> None:
        self.p.log.append((to_ns(self.data.datetime[0]), repr(what)))

    def notify_order(self, order: Any) -> None:
        done, created = order.executed, order.created
        filled = done.size, done.price, done.remsize, len(done.exbits), done.p1, done.p2
        self.note(order.ref, order.getstatusname(), filled, created.price, created.pricelimit, order.active())
        self.note(dict(order.info).get("reject_reason"))

    def notify_trade(self, trade: Any) -> None:
        self.note("trade", trade.ref, trade.size, trade.pnlcomm, trade.status)

    def notify_timer(self, timer: Any, when: Any, *_: Any, **__: Any) -> None:
        self.broker.set_cash(round(self.broker.getcash() - 10.5, 2))
        self.buy(size=1)

    def next_open(self) -> None:
        self.note("open", self.buy(size=1).ref)

    def next(self) -> None:
        broker = self.broker
        self.note(broker.getcash(), broker.getvalue(), broker.fundvalue, self.position.size)
        self.note([(order.ref, order.status, order.created.price) for order in broker.get_orders_open()])
        if self.p.program is not None:
            self.p.program(self, len(self))


def _fund(cerebro: Any) -> None:
    cerebro.set_fund_history([["2024-01-01", 100.0, 20_000.0], ["2024-01-02", 101.0, 20_500.0]])


def _timer(cerebro: Any) -> None:
    cerebro.add_timer(time(11), strats=True, cheat=True)
    cerebro.broker.set_checksubmit(False)


def _grow(cerebro: Any) -> None:
    """Show hours while they grow, and act at the open of each piece."""
    [data] = cerebro.datas
    cerebro.datas.clear()
    cerebro.replaydata(data, name="first", timeframe=bt.TimeFrame.Minutes, compression=120)
    cerebro.p.cheat_on_open = True


def _too_much(strategy: Any, _bar: int) -> None:
    strategy.buy(size=50)


def _late_child(strategy: Any, bar: int) -> None:
    """Send a child after its parent; the parent is filled while the child is on its way."""
    price = strategy.data.close[0]
    if bar == 2:
        strategy.buy(size=1, exectype=bt.Order.Limit, price=price * 0.9, tag="parent")
    for order in strategy.broker.get_orders_open():
        if order.info.tag == "parent" and not order.info.has_child:
            order.addinfo(has_child=True)
            strategy.sell(size=1, exectype=bt.Order.Limit, price=price * 1.1, parent=order)
            order.created.price = price * 1.1


def _join(strategy: Any, bar: int) -> None:
    """Join the group of an order that is filled, which nobody has been told of."""
    price = strategy.data.close[0]
    if bar % 4 == 1:
        strategy.buy(size=1)
    found = strategy.broker.get_orders_open()
    if found and bar % 4 == 0:
        strategy.sell(size=1, exectype=bt.Order.Limit, price=price * 1.3, oco=found[-1])


def _amend(strategy: Any, bar: int) -> None:
    """Assign the price of a trailing order whose end is on its way."""
    price = strategy.data.close[0]
    if bar % 6 == 1:
        strategy.sell(size=1, exectype=bt.Order.StopTrail, trailamount=0.05, price=price)
    for order in strategy.broker.get_orders_open():
        order.created.price = round(price * 0.7 + bar, 2)


def _again(strategy: Any, bar: int) -> None:
    """Let a child that comes late send its parent again, which is filled twice over, and then cancelled."""
    price = strategy.data.close[0]
    if bar % 6 == 2:
        strategy.first = strategy.buy(size=2, exectype=bt.Order.Limit, price=price * 1.05)
        strategy.sell(size=1, exectype=bt.Order.Limit, price=price * 1.3, parent=strategy.first)
        strategy.sell(size=1, exectype=bt.Order.Stop, price=price * 0.7, parent=strategy.first)
    elif bar % 6 == 0:
        for order in strategy.broker.get_orders_open():
            strategy.cancel(order)


ODD: dict[str, tuple[dict[str, Any], Any, Callable[[Any], None] | None]] = {
    "a fund's history": ({"ledgers": 2}, None, _fund),
    "a fund's history, one ledger": ({"risk_config": RiskConfig()}, None, _fund),
    "a fund's history, slow": ({"latency_config": _SLOW_FILLS}, _join, _fund),
    "a reason to refuse": ({"risk_config": _LIMITED}, _too_much, None),
    "a child on its way": ({"latency_config": _SLOW_ORDERS}, _late_child, None),
    "a group of one that is filled": ({"latency_config": _SLOW_FILLS}, _join, None),
    "a price assigned after the end": ({"latency_config": _SLOW_FILLS}, _amend, None),
    "a parent twice": ({"ledgers": 2}, _again, None),
    "a timer before the broker": ({"ledgers": 2}, None, _timer),
    "an open of a bar that grows": ({"risk_config": RiskConfig()}, None, _grow),
}


def _sail(name: str, monkeypatch: pytest.MonkeyPatch, **more: Any) -> tuple[list[tuple[int, str]], Any]:
    for kind in (bt.order.OrderBase, bt.trade.Trade):
        monkeypatch.setattr(kind, "refbasis", itertools.count(1))
    arguments, program, setup = ODD[name]
    cerebro = bt.Cerebro(stdstats=False, runonce=False)
    cerebro.broker = SeatrialBroker(cash=20_000.0, simulator_id="odd", **arguments, **more)
    cerebro.adddata(feeds.intraday(3, 26), name="first")
    if setup is not None:
        setup(cerebro)
    log: list[tuple[int, str]] = []
    cerebro.addstrategy(Odd, program=program, log=log)
    cerebro.run()
    return log, cerebro.broker


@pytest.mark.parametrize("name", ODD)
def test_an_odd_program_goes_on_as_if_never_cut(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever the bar of the cut, what follows and the log of events are those of the whole run."""
    log, broker = _sail(name, monkeypatch, checkpoints=tmp_path)
    events = encode_events(list(broker.events))
    with CheckpointManager(tmp_path) as manager:
        taken = sorted(manager.list_checkpoints("odd"), key=lambda one: one.path.name)
        cuts = [manager.load_checkpoint(entry.path) for entry in taken]
    assert len(cuts) >= 25
    for number, checkpoint in enumerate(cuts[:-1], 1):
        later, resumed = _sail(name, monkeypatch, resume=checkpoint)

        assert later == [(when, what) for when, what in log if when > checkpoint.timestamp], f"cut after bar {number}"
        assert encode_events(list(resumed.events)) == events, f"cut after bar {number}"

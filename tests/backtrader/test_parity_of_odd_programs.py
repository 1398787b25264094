"""Programs that are odd but legal see the same from every wiring as from the stock broker."""

from __future__ import annotations

import sys
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import backtrader
import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
from tests.backtrader.parity.crew import acting, each, every
from tests.backtrader.parity.feeds import daily
from tests.backtrader.parity.recorder import record
from tests.backtrader.parity.trace import assert_same
from tests.backtrader.parity.trial import bars, run
from tests.backtrader.parity.wirings import WIRINGS, stock

from seatrial import OrderStatus, RejectionReason, RiskConfig
from seatrial.errors import InvalidMarketDataError

if TYPE_CHECKING:
    from tests.backtrader.parity.recorder import Script

bt: Any = backtrader  # whose modules hide what they hold from a type checker

_PAIR = (partial(daily, 5), partial(daily, 6))
_FUND = [["2024-01-02", 100.0, 50_000.0], ["2024-01-10", 101.5, 51_000.0], ["2024-01-20", 99.0, 48_000.5]]


def _say(strategy: Any, _bar: int) -> None:
    """Put words into `order.info` that our own methods also use for their arguments."""
    words = {"kind": "entry", "asked": 1, "named": 2, "terms": 3, "order": 4, "check": 5}
    strategy.attempt(strategy.buy, size=1, **words)


def _reset_cash(strategy: Any, bar: int) -> None:
    """Set and add cash while orders are under way, and ask what a feed is worth, which books what was added."""
    strategy.buy(size=3)
    strategy.broker.set_cash(7000.1 + bar / 7)
    strategy.broker.add_cash(33.3)
    strategy.attempt(strategy.broker.get_value, [strategy.data])
    strategy.broker.set_cash(strategy.broker.getcash() / 3)


def _ask(strategy: Any, _bar: int) -> None:
    strategy.attempt(strategy.broker.get_value, strategy.datas)
    strategy.attempt(strategy.broker.get_value)


def _cancel_one_of_a_bracket(strategy: Any, _bar: int) -> None:
    """Cancel as the broker does within a bracket, which leaves the others alone, and look at once."""
    broker = strategy.broker
    found = broker.get_orders_open()
    if found:
        strategy.attempt(broker.cancel, found[0], bracket=True)
    strategy.remarks.append(len(broker.get_orders_open()))


def _rest(strategy: Any, _bar: int) -> None:
    price = strategy.data.close[0]
    strategy.buy(size=1, exectype=bt.Order.Limit, price=price * 0.9)


def _send_a_trailing_parent_again(strategy: Any, bar: int) -> None:
    """Send children after a parent that left: Backtrader sends it again, also when it was cancelled in between."""
    price = strategy.data.close[0]
    if bar % 7 == 2:
        trails: dict[str, Any] = {"exectype": bt.Order.StopTrailLimit, "trailamount": 1.5 + bar % 2}
        strategy.parent = strategy.sell(size=2, price=price, plimit=price * 1.05, **trails)
    elif bar % 7 == 3:
        strategy.sell(size=1, exectype=bt.Order.Limit, price=price * 1.2, parent=strategy.parent)
        strategy.cancel(strategy.parent)
    elif bar % 7 == 1 and bar > 1:
        strategy.attempt(strategy.broker.cancel, strategy.parent)


def _hold_a_child_of_a_dead_parent(strategy: Any, bar: int) -> None:
    """Keep a child back, let its parent end for want of cash, and send another child: it has no parent."""
    price = strategy.data.close[0]
    if bar == 2:
        strategy.parent = strategy.buy(size=10_000)
        strategy.sell(size=1, exectype=bt.Order.Limit, price=price * 1.1, parent=strategy.parent, transmit=False)
    if bar == 5:
        strategy.sell(size=1, exectype=bt.Order.Limit, price=price * 1.1, parent=strategy.parent, transmit=False)


def _cancel_a_parent_by_a_copy(strategy: Any, bar: int) -> None:
    """Keep a child back, cancel its parent by a copy, whose status then is another, and send another child."""
    price = strategy.data.close[0]
    if bar == 2:
        strategy.parent = strategy.buy(size=1, exectype=bt.Order.Limit, price=price * 0.8)
    elif bar == 4:
        strategy.sell(size=1, exectype=bt.Order.Limit, price=price * 1.1, parent=strategy.parent, transmit=False)
        strategy.attempt(strategy.broker.cancel, strategy.broker.get_orders_open(safe=True)[0])
    elif bar == 6:
        strategy.sell(size=1, exectype=bt.Order.Limit, price=price * 1.1, parent=strategy.parent)


def _turn_by_parts(strategy: Any, bar: int) -> None:
    """Turn a position by 0.9, of which 0.3 close and 0.6000000000000001 open: Backtrader fills what is left, too."""
    if bar == 2:
        strategy.sell(size=0.3)
    elif bar == 4:
        strategy.buy(size=0.9)


def _fund(cerebro: Any) -> None:
    cerebro.set_fund_history(_FUND)


SCRIPTS: dict[str, Script] = {
    "words of any name in order.info": acting(every(4, _say)),
    "cash is set anew again and again": acting(every(3, _reset_cash), *_PAIR, runonce=False),
    "a fund's history and questions": acting(each(every(5, _rest), every(3, _ask)), *_PAIR, setup=_fund, runonce=False),
    "one order of a bracket is cancelled": acting(each(every(3, _rest), every(5, _cancel_one_of_a_bracket))),
    "a trailing parent is sent again": acting(_send_a_trailing_parent_again),
    "a child of a parent that ended": acting(_hold_a_child_of_a_dead_parent),
    "a parent is cancelled by a copy": acting(_cancel_a_parent_by_a_copy),
    "parts that do not add up": acting(_turn_by_parts),
}


@pytest.mark.parametrize("wiring", WIRINGS)
@pytest.mark.parametrize("name", SCRIPTS)
def test_an_odd_program_sees_what_the_stock_broker_shows(name: str, wiring: str) -> None:
    """Not a notification, a balance or an order differs."""
    assert_same(record(SCRIPTS[name], stock), record(SCRIPTS[name], WIRINGS[wiring]), f"{name}, {wiring}")


_FLAT = [(100.0, 101.0, 99.0, 100.0)] * 6


def test_an_order_that_floats_do_not_add_up_to_is_filled_once() -> None:
    """What Backtrader fills afterwards of a rounding is told to the strategy, and is no fill in the log."""
    plan = {1: lambda trial: trial.order("short", -0.3), 2: lambda trial: trial.order("turn", 0.9)}

    trial = run(plan, bars(_FLAT), risk_config=RiskConfig())

    assert [status for _, status in trial.told_of("turn")] == ["Submitted", "Accepted", "Partial", "Completed"]
    order = trial.broker.gate.client.completed[trial.sent["turn"].order_id]
    assert order.status is OrderStatus.FILLED
    assert [execution.is_partial for execution in order.executions] == [False]


@pytest.mark.parametrize("size", [0, -3, float("nan")])
def test_a_size_that_is_none_to_trade_is_rejected(size: float) -> None:
    """A strategy makes it positive, but the broker itself may be called; a negative size would buy by selling."""
    sent: list[Any] = []

    def act(trial: Any) -> None:
        sent.append(trial.broker.buy(trial, trial.data, size))

    trial = run({2: act}, bars(_FLAT), risk_config=RiskConfig())

    assert sent[0].status == bt.Order.Rejected
    assert sent[0].info.reject_reason is RejectionReason.INVALID_QUANTITY
    assert "is no number of units to trade" in sent[0].info.rejection.message
    assert not trial.position.size


def test_a_filler_that_knows_no_volume_ends_the_run_in_one_line() -> None:
    """A volume that is no number makes no size that is one: the symbol and the field are named."""

    def unknown(_order: Any, _price: float, _ago: int) -> float:
        return float("nan")

    with pytest.raises(InvalidMarketDataError, match=r"volume: the filler made a fill of nan units of it"):
        run({2: lambda trial: trial.order("one", 1)}, bars(_FLAT), risk_config=RiskConfig(), filler=unknown)

"""A script on Backtrader alone: its own broker and cerebro, without gate, venue or ledger of ours.

It is what the contract compares the engine with. What is due by the time of a row is sent after the row before it, for
Backtrader lets an order meet the next row at the earliest.
"""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any

import backtrader as bt

from seatrial.contracts.events import OrderExecution
from seatrial.contracts.scenario import CancelAt, SubmitAt
from seatrial.contracts.terms import Liquidity, OrderSide
from seatrial.engine.run import open_scenario, steps_of, traded
from seatrial.errors import InvalidConfigError
from seatrial_backtrader.feed import Wheel, add_feeds
from seatrial_backtrader.pit import KINDS
from seatrial_backtrader.stamps import exact

if TYPE_CHECKING:
    from seatrial.contracts.market import MarketEvent
    from seatrial.contracts.orders import Order
    from seatrial.contracts.scenario import Instruction, Scenario

__all__ = ["stock_executions"]


class _Script(bt.Strategy):
    """Sends what a script holds, and writes down what is filled."""

    params: Any = (("script", ()), ("ends", ()), ("wheel", None))

    def __init__(self) -> None:
        self.due: list[Instruction] = list(self.p.script)
        self.row = 0
        self.sent: dict[str, Any] = {}
        self.names: dict[int, str] = {}
        self.found: list[OrderExecution] = []

    def prenext(self) -> None:
        self.next()

    def nextstart(self) -> None:
        self.next()

    def next(self) -> None:
        self.row += 1
        ends = self.p.ends
        until = ends[self.row] if self.row < len(ends) else ends[-1]
        while self.due and self.due[0].at <= until:
            step = self.due.pop(0)
            if isinstance(step, SubmitAt):
                for order in step.orders:
                    self.send(order)
            elif isinstance(step, CancelAt):
                self.cancel(self.sent[step.order_id])

    def send(self, order: Order) -> None:
        """Send an order of a script's as Backtrader's."""
        act = self.buy if order.side is OrderSide.BUY else self.sell
        price = order.limit_price if order.stop_price is None else order.stop_price
        made: Any = act(
            data=self.env.datasbyname[order.symbol],
            size=float(order.quantity),
            price=None if price is None else float(price),
            plimit=None if order.limit_price is None else float(order.limit_price),
            exectype=KINDS[order.order_type],
        )
        self.sent[order.order_id] = made
        self.names[made.ref] = order.order_id

    def notify_order(self, order: Any) -> None:
        """Write a fill down."""
        if order.status not in {bt.Order.Partial, bt.Order.Completed}:
            return
        ts = self.p.wheel.rows[-1].ts
        for bit in order.executed.iterpending():
            quantity, price = abs(exact(bit.size)), exact(bit.price)
            name = self.names[order.ref]
            self.found.append(
                OrderExecution(
                    order_id=name,
                    timestamp=ts,
                    reported_at=ts,
                    execution_id=f"{name}/1",
                    quantity=quantity,
                    price=price,
                    commission=Decimal(0),
                    is_partial=False,
                    liquidity=Liquidity.TAKER,
                )
            )


def stock_executions(scenario: Scenario) -> list[OrderExecution]:
    """Run a script on Backtrader alone, and return what was executed, in order.

    :raises InvalidConfigError: for a scenario with costs, a strategy, or steps and orders that a plain script has not.
    """
    for step in scenario.script:
        plain = isinstance(step, CancelAt) or (
            isinstance(step, SubmitAt) and all(one.order_type in KINDS and not one.parent_id for one in step.orders)
        )
        if not plain:
            raise InvalidConfigError("script", step, "Backtrader alone is tried with single orders and cancels")
    if scenario.strategy is not None or scenario.execution.venue.slippage_bps:
        raise InvalidConfigError("strategy", scenario.strategy, "Backtrader alone is tried with scripts without costs")
    tape, instruments = open_scenario(scenario)
    steps: list[tuple[MarketEvent, ...]] = list(steps_of(tape))
    wheel = Wheel(iter(steps))
    make: Any = bt.Cerebro
    cerebro = make(stdstats=False)
    cerebro.broker.setcash(float(scenario.execution.initial_cash))
    add_feeds(cerebro, wheel, traded(tape, instruments), tape)
    cerebro.addstrategy(_Script, script=scenario.script, ends=[rows[-1].ts for rows in steps], wheel=wheel)
    found: list[OrderExecution] = cerebro.run()[0].found
    return found

"""basana as an engine of seatrial: its backtesting exchange matches, seatrial's gate does the rest.

basana trades on bars; a tick is a bar of one price, so an order meets the first price after its arrival.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Coroutine
from datetime import timedelta
from decimal import Decimal
from importlib.metadata import version
from typing import Any, TypeVar

import basana
from basana.backtesting import errors, exchange, liquidity

from seatrial import Capability, Liquidity, Order, OrderSide, OrderType, Rejection, RejectionReason, RunRecord, Trade
from seatrial.clock import from_ns
from seatrial.contracts.checkpoint import AccountSummary
from seatrial.contracts.engine import EngineInfo, EquityPoint, RunMonitor
from seatrial.contracts.events import OrderChange
from seatrial.contracts.rejection import RefusedBy
from seatrial.contracts.scenario import CancelAt, Instruction, Scenario, SubmitAt, SwitchAt
from seatrial.contracts.terms import TradingState
from seatrial.data.tape import open_tape
from seatrial.engine.needs import refuse_unclaimed
from seatrial.errors import InvalidConfigError
from seatrial.gate.account import Account
from seatrial.gate.gate import ExecutionGate
from seatrial.gate.instruments import Instruments

_CLAIMS = ("trades", "next", "cash_account", "market", "limit", "stop", "stop_limit", "gtc", "scripts", "risk_rules")
_LEGS = ("delay_submit", "delay_ack", "delay_fill", "delay_cancel")
CLAIMS = frozenset(map(Capability, (*_CLAIMS, *_LEGS)))
T = TypeVar("T")


def at_once(coroutine: Coroutine[Any, Any, T]) -> T:
    """Run a coroutine of the backtesting exchange, none of which ever waits."""
    try:
        coroutine.send(None)
    except StopIteration as done:
        result: T = done.value
        return result
    raise RuntimeError("it waits")  # noqa: TRY003 - cannot happen


class Venue:
    """The gate's far side: what arrives goes to basana, what basana did is reported."""

    gate: ExecutionGate

    def __init__(self, dispatcher: basana.BacktestingDispatcher, cash: Decimal) -> None:
        self.exchange = exchange.Exchange(dispatcher, {"USD": cash}, liquidity.InfiniteLiquidity)
        self.exact = basana.PairInfo(base_precision=12, quote_precision=12)
        self.working: dict[str, tuple[Order, str, bool]] = {}

    def place(self, orders: tuple[Order, ...], now: int, native: object) -> None:
        """Create the order at basana; brackets are not claimed, so there is one."""
        [order] = orders
        pair = basana.Pair(order.symbol, "USD")
        self.exchange.set_pair_info(pair, self.exact)
        side = basana.OrderOperation.BUY if order.side is OrderSide.BUY else basana.OrderOperation.SELL
        create = getattr(self.exchange, f"create_{order.order_type}_order")
        prices = [price for price in (order.stop_price, order.limit_price) if price is not None]
        try:
            created = at_once(create(side, pair, order.quantity, *prices))
        except errors.Error as error:
            self.gate.rejected(order.order_id, now, refused(RejectionReason.INSUFFICIENT_FUNDS, str(error)))
            return
        self.working[order.order_id] = (order, created.id, True)
        self.gate.accepted(order.order_id, now)

    def cancel(self, order_id: str, now: int, native: object) -> None:
        """Cancel the order at basana, unless it is over."""
        if order_id not in self.working:
            late = refused(RejectionReason.TOO_LATE_TO_CANCEL, "it is over")
            self.gate.cancel_refused(order_id, now, late)
            return
        at_once(self.exchange.cancel_order(self.working.pop(order_id)[1]))
        self.gate.cancelled(order_id, now)

    def modify(self, order_id: str, change: OrderChange, now: int, native: object) -> None:
        """Refuse: basana has no modify, and this engine claims none."""
        self.gate.modify_refused(order_id, now, refused(RejectionReason.UNSUPPORTED, "basana has no modify"))

    def report(self, now: int) -> None:
        """Tell the gate what the bar at `now` did to the orders that work."""
        for order_id, (order, basana_id, fresh) in list(self.working.items()):
            info = at_once(self.exchange.get_order_info(basana_id))
            if info.fills:  # liquidity is infinite, so one fill is all
                price = info.fills[0].price
                maker = order.order_type is OrderType.LIMIT and not fresh
                role = Liquidity.MAKER if maker else Liquidity.TAKER
                self.gate.filled(order_id, now, order.quantity, price, Decimal(0), is_partial=False, liquidity=role)
            elif not info.is_open:  # basana gives up what cannot be paid for
                self.gate.rejected(order_id, now, refused(RejectionReason.INSUFFICIENT_FUNDS, "basana cancelled it"))
            self.working[order_id] = (order, basana_id, False)
            if not info.is_open:
                del self.working[order_id]


def refused(reason: RejectionReason, message: str) -> Rejection:
    """Return a refusal of the venue's."""
    return Rejection(reason, message, RefusedBy.VENUE)


class BasanaEngine:
    """Runs scenarios on basana."""

    def run(self, scenario: Scenario, *, directory: str | None = None, monitor: RunMonitor | None = None) -> RunRecord:
        """Run a scenario and return what happened."""
        refuse_unclaimed(scenario, CLAIMS)
        if scenario.engine_params or scenario.execution.observers:
            raise InvalidConfigError("engine_params", scenario.engine_params, "basana has none here, nor observers")
        return _Run(scenario, monitor).sail()


class _Run:
    def __init__(self, scenario: Scenario, monitor: RunMonitor | None) -> None:
        execution, instruments = scenario.execution, Instruments(scenario.instruments)
        self.scenario, self.monitor = scenario, monitor
        self.dispatcher = basana.backtesting_dispatcher(max_concurrent=1)
        self.venue = Venue(self.dispatcher, execution.initial_cash)
        self.account = Account(execution.initial_cash, instruments)
        self.gate = self.venue.gate = ExecutionGate(
            self.venue, latency=execution.latency, risk=execution.risk, seed=execution.seed,
            simulator_id=execution.simulator_id, instruments=instruments, account=self.account,
        )  # fmt: skip
        stop = scenario.stop
        rows = open_tape(scenario.tape, scenario.instruments)
        self.rows = deque(row for row in rows if isinstance(row, Trade) and (stop is None or row.ts <= stop))
        self.script = deque(scenario.script)
        if list(self.script) != sorted(self.script, key=lambda step: step.at):
            raise InvalidConfigError("script", "its times", "sort it by time")
        self.equity: list[EquityPoint] = []
        self.stopped: str | None = None
        self.failure: Exception | None = None

    def sail(self) -> RunRecord:
        """Let basana's dispatcher drive the tape, with the gate before and after each bar."""
        source = basana.FifoQueueEventSource()
        for row in self.rows:
            when, pair, one = from_ns(row.ts), basana.Pair(row.symbol, "USD"), row.price
            bar = basana.Bar(when, pair, one, one, one, one, Decimal(1), timedelta(microseconds=1))
            source.push(basana.BarEvent(when, bar))
        self.dispatcher.subscribe_all(self.before, front_run=True)
        self.venue.exchange.add_bar_source(source)
        self.dispatcher.subscribe_all(self.after)
        started = self.rows[0].ts
        asyncio.run(self.dispatcher.run(stop_signals=[]))
        if self.failure is not None:
            raise self.failure
        if self.stopped is None:
            self.until(self.scenario.stop)
        return self.record(started)

    async def before(self, event: basana.Event) -> None:
        """Let everything due by a bar happen before it."""
        try:
            self.until(self.rows[0].ts)
        except Exception as error:  # noqa: BLE001 - basana would log it and go on
            self.failure = error
            self.dispatcher.stop()

    async def after(self, event: basana.Event) -> None:
        """Report what the bar did, and let what is due at once arrive."""
        row, gate = self.rows.popleft(), self.gate
        self.venue.report(row.ts)
        gate.mark(row.symbol, row.price, row.ts)
        gate.assess()
        gate.advance(row.ts)
        self.equity.append(EquityPoint(row.ts, self.account.equity))
        if self.monitor is not None and not self.monitor.row(row, len(self.equity)):
            self.stopped = "it was interrupted"
            self.dispatcher.stop()

    def until(self, ts: int | None) -> None:
        """Carry out the script and deliver messages, up to `ts` or to the end of both."""
        while self.script and (ts is None or self.script[0].at <= ts):
            step = self.script.popleft()
            self.gate.advance(step.at)
            self.carry_out(step)
        if ts is not None:
            self.gate.advance(ts)
        while ts is None and (due := self.gate.wire.next_due()) < 1 << 64:
            self.gate.advance(due)

    def carry_out(self, step: Instruction) -> None:
        """Do one line of the script; modifies are not claimed."""
        gate, now = self.gate, step.at
        if isinstance(step, SubmitAt):
            gate.submit(step.orders[0], now)
        elif isinstance(step, CancelAt):
            gate.cancel(step.order_id, now)
        elif isinstance(step, SwitchAt):
            sweeps = step.state is TradingState.HALTED if step.cancel_working is None else step.cancel_working
            gate.switch(step.state, step.by, step.reason, now, cancel_working=sweeps)

    def record(self, started: int) -> RunRecord:
        """Return what happened."""
        peak, fall = Decimal(0), Decimal(0)
        for point in self.equity:
            peak = max(peak, point.equity)
            fall = max(fall, (peak - point.equity) * 100 / peak)
        account = AccountSummary(
            initial_cash=self.scenario.execution.initial_cash, cash=self.account.cash, equity=self.account.equity,
            positions=dict(self.account.positions), trading_state=self.gate.trading_state,
        )  # fmt: skip
        return RunRecord(
            engine=EngineInfo(name="basana", version=version("basana"), capabilities=tuple(sorted(CLAIMS))),
            scenario=self.scenario, seatrial=version("seatrial"), started=started, ended=self.gate.now,
            rows=len(self.equity), stopped=self.stopped, events=tuple(self.gate.events),
            orders=(*self.gate.pending_orders.values(), *self.gate.completed_orders.values()),
            account=account, equity=tuple(self.equity), max_drawdown_pct=fall, decisions=(),
        )  # fmt: skip

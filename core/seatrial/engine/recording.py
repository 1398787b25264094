"""A run's record, and what it says beside events: equity, the deepest fall, what the market showed for orders."""

from __future__ import annotations

from decimal import Decimal
from importlib.metadata import version
from typing import TYPE_CHECKING, Any, Protocol

import msgspec

from seatrial.clock import iso
from seatrial.contracts._text import words
from seatrial.contracts.checkpoint import AccountSummary
from seatrial.contracts.engine import Decision, EquityPoint, Headroom, RunRecord
from seatrial.contracts.events import AccountAdjusted, OrderAccepted, OrderDenied, OrderRejected, OrderSubmitted
from seatrial.gate.rules import headroom_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from seatrial.contracts.account import AccountView
    from seatrial.contracts.engine import EngineInfo, TapeFault
    from seatrial.contracts.events import Event
    from seatrial.contracts.orders import Order
    from seatrial.contracts.scenario import Scenario
    from seatrial.engine.context import OrderTarget
    from seatrial.gate.gate import ExecutionGate

__all__ = ["ReadTape", "Recorder", "RecorderState", "run_record"]

_ZERO = Decimal(0)
_HUNDRED = Decimal(100)
_MOST = 4096
_VERSION = version("seatrial")
"""How many samples are kept; a full list is thinned to half, and sampled half as often from then on."""


class ReadTape(Protocol):
    """A tape that was read, and knows what it had to drop."""

    @property
    def faults(self) -> list[TapeFault]:
        """The first rows that were dropped."""
        ...

    @property
    def fault_count(self) -> int:
        """How many rows were dropped."""
        ...


class RecorderState(msgspec.Struct, frozen=True):
    """A recorder as stored."""

    samples: tuple[EquityPoint, ...]
    every: int
    rows: int
    peak: Decimal | None
    deepest: Decimal
    decisions: tuple[Decision, ...]
    sent: dict[str, tuple[str, tuple[tuple[int, Decimal], ...]]]


class Recorder:
    """Follows one run, in memory that does not grow with the tape."""

    def __init__(self, target: OrderTarget, state: RecorderState | None = None) -> None:
        """Follow `target`, from `state` on where a run is resumed."""
        self._target = target
        self._samples: list[EquityPoint] = list(state.samples) if state else []
        self._every = state.every if state else 1
        self.rows = state.rows if state else 0
        """How many rows of the tape are done."""
        self._peak = state.peak if state else None
        self._deepest = state.deepest if state else _ZERO
        self._decisions = {one.order_id: one for one in state.decisions} if state else {}
        sent = state.sent if state else {}
        self._sent = {order_id: (symbol, list(marks)) for order_id, (symbol, marks) in sent.items()}

    def hear(self, event: Event, order: Order | None) -> None:
        """Note what the market showed when an order left, and when it was at the venue; cash from elsewhere."""
        if order is None:
            if type(event) is AccountAdjusted and event.symbol is None and self._peak is not None:
                self._peak += event.cash  # no gain, no loss: as the rules see it
            return
        kind = type(event)
        if kind is OrderSubmitted or kind is OrderDenied:
            mark = self._target.last_mark(order.symbol)
            decided = None if mark is None else mark.price
            if order.order_id not in self._decisions:
                self._decisions[order.order_id] = Decision(order.order_id, decided, None)
            if kind is OrderSubmitted:
                self._sent[order.order_id] = (order.symbol, [] if mark is None else [(mark.timestamp, mark.price)])
        elif (kind is OrderAccepted or kind is OrderRejected) and order.order_id in self._sent:
            _, marks = self._sent.pop(order.order_id)
            # what arrives comes before market data of the same time; the first mark was there when the order left
            earlier = [price for n, (ts, price) in enumerate(marks) if not n or ts < event.timestamp]
            arrived = earlier[-1] if earlier else None
            before = self._decisions[order.order_id]
            self._decisions[order.order_id] = Decision(order.order_id, before.decided, arrived)

    def row(self, ts: int, rows: int) -> None:
        """Note what the account is worth after `rows` more rows, at `ts`, and the marks that orders under way meet."""
        for symbol, marks in self._sent.values():
            mark = self._target.last_mark(symbol)
            if mark is not None and (not marks or marks[-1] != (mark.timestamp, mark.price)):
                marks.append((mark.timestamp, mark.price))
        equity = self._target.account.equity
        if self._peak is None or equity > self._peak:
            self._peak = equity
        elif self._peak > 0:
            self._deepest = max(self._deepest, (self._peak - equity) * _HUNDRED / self._peak)
        before, self.rows = self.rows, self.rows + rows
        if before % self._every < rows:
            self._samples.append(EquityPoint(ts, equity))
            if len(self._samples) > _MOST:
                self._samples = self._samples[::2]
                self._every *= 2

    def equity(self) -> tuple[EquityPoint, ...]:
        """Return the samples, the present one last."""
        now = EquityPoint(self._target.now, self._target.account.equity)
        samples = self._samples
        return (*samples[:-1], now) if samples and samples[-1].ts == now.ts else (*samples, now)

    def decisions(self) -> tuple[Decision, ...]:
        """Return what the market showed for each order, in the order in which they were sent."""
        return tuple(self._decisions.values())

    @property
    def max_drawdown_pct(self) -> Decimal | None:
        """The deepest fall below an earlier peak, in per cent of it; `None` before the first row.

        Cash that was added or taken away moves the peak with it.
        """
        return None if self._peak is None else self._deepest

    def snapshot(self) -> RecorderState:
        """Return everything noted so far."""
        sent = {order_id: (symbol, tuple(marks)) for order_id, (symbol, marks) in self._sent.items()}
        return RecorderState(
            tuple(self._samples), self._every, self.rows, self._peak, self._deepest, self.decisions(), sent
        )


def run_record(
    scenario: Scenario,
    engine: EngineInfo,
    gate: ExecutionGate,
    account: AccountView,
    recorder: Recorder,
    *,
    tape: ReadTape | None,
    started: int | None,
    stopped: str | None,
    dropped: Mapping[str, Exception],
    checkpoints: Iterable[str] = (),
    warnings: Iterable[str] = (),
    analyses: dict[str, Any] | None = None,
) -> RunRecord:
    """Return what happened in a run of `scenario` that is over; `dropped` are the observers that failed, with what.

    `warnings` are what the engine has to say beside that. A run that was never `started` has the gate's present time;
    one whose rows came from elsewhere has no `tape`.
    """
    risk = gate.admission.risk
    headroom, untold = headroom_of(risk.rules) if risk is not None else ([], [])
    if stopped is not None and not recorder.rows and scenario.stop is not None:
        early = f"the time to stop, {iso(scenario.stop)}, comes before the first row of the tape"
        warnings = (*warnings, f"{early}, so nothing was run; give a later one")
    return RunRecord(
        engine=engine,
        scenario=scenario,
        seatrial=_VERSION,
        started=gate.now if started is None else started,
        ended=gate.now,
        rows=recorder.rows,
        stopped=stopped,
        events=tuple(gate.events),
        orders=(*gate.pending_orders.values(), *gate.completed_orders.values()),
        account=AccountSummary(
            initial_cash=scenario.execution.initial_cash,
            cash=account.cash,
            equity=account.equity,
            positions=dict(account.positions),
            trading_state=gate.trading_state,
        ),
        equity=recorder.equity(),
        max_drawdown_pct=recorder.max_drawdown_pct,
        decisions=recorder.decisions(),
        headroom=tuple([Headroom(*use) for use in headroom]),
        checkpoints=tuple(checkpoints),
        faults=() if tape is None else tuple(tape.faults),
        fault_count=0 if tape is None else tape.fault_count,
        warnings=(
            *warnings,
            *[f"observer {name!r} failed: {words(error)}" for name, error in dropped.items()],
            *untold,
        ),
        analyses=analyses or {},
    )

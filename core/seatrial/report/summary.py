"""A run in a few dozen numbers, read from its record, or from a simulator's public state.

It tells the client's view, as everything there. Money is Decimal in account currency and exact up to the division that
makes a percentage; times are ns.
"""

from __future__ import annotations

from collections import Counter
from decimal import Decimal
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec

from seatrial.contracts.engine import RunRecord
from seatrial.contracts.events import (
    AccountAdjusted,
    CancelRefused,
    OrderDenied,
    OrderEvent,
    OrderExecution,
    OrderRejected,
    OrderSubmitted,
)
from seatrial.contracts.rejection import RejectionReason
from seatrial.contracts.terms import OrderStatus
from seatrial.report.costs import CostSplit, add_up, fill_cost, fill_value
from seatrial.report.delays import Delays, measure
from seatrial.report.headroom import RuleUse, configured_rules, count_rules

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from seatrial.contracts.engine import Decision, Headroom
    from seatrial.contracts.events import Event
    from seatrial.contracts.market import Instrument
    from seatrial.contracts.orders import Order
    from seatrial.venue.simulator import ExecutionSimulator

__all__ = ["RunSummary", "max_drawdown_pct", "multipliers", "summarize"]

_ZERO = Decimal(0)
_ONE = Decimal(1)
_HUNDRED = Decimal(100)


class RunSummary(msgspec.Struct, frozen=True, kw_only=True):
    """What became of a run's orders and money.

    `orders` counts every order handed in, refused ones too, and `filled`, `cancelled`, `expired` and `pending` say how
    they stand; `fills` counts executions. `rejections` counts whole orders refused by gate or venue, by reason.
    `cancels_refused` counts cancels that came to nothing, mostly because a fill was first.

    `commission` and `turnover`, the value of all fills, are of every fill; `cost` counts those apart that cannot be
    costed, and is `None` where nobody noted what the market showed (of a simulator).
    `adjusted` is the cash that deposits, interest and the like added: it is no return. `return_pct` is of
    `initial_cash` (`None` where that is zero), `max_drawdown_pct` of the highest equity before (`None` where none was
    sampled). `rules` says what each rule did, `analyses` what the engine's own analyses found.
    """

    name: str
    orders: int
    fills: int
    filled: int
    cancelled: int
    expired: int
    pending: int
    rejections: dict[RejectionReason, int]
    cancels_refused: int
    delays: Delays
    commission: Decimal
    turnover: Decimal
    cost: CostSplit | None
    initial_cash: Decimal
    adjusted: Decimal
    cash: Decimal
    positions: dict[str, Decimal]
    equity: Decimal
    return_pct: Decimal | None
    max_drawdown_pct: Decimal | None
    rules: tuple[RuleUse, ...]
    analyses: dict[str, Any] = msgspec.field(default_factory=dict[str, Any])

    @property
    def rejected(self) -> int:
        """How many orders gate and venue refused."""
        return sum(self.rejections.values())


class _Run(NamedTuple):
    """What a summary is made of, wherever it comes from."""

    name: str
    events: Sequence[Event]
    orders: Mapping[str, Order]
    initial_cash: Decimal
    cash: Decimal
    positions: Mapping[str, Decimal]
    equity: Decimal
    max_drawdown_pct: Decimal | None
    decisions: Mapping[str, Decision] | None
    multipliers: Mapping[str, Decimal]
    rules: tuple[str, ...]
    headroom: tuple[Headroom, ...] = ()
    analyses: Mapping[str, Any] = MappingProxyType({})


def summarize(
    run: RunRecord | ExecutionSimulator,
    *,
    name: str | None = None,
    equity: Iterable[Decimal] | None = None,
    instruments: Iterable[Instrument] = (),
) -> RunSummary:
    """Return the summary of a run, or of what a simulator did so far, called `name` (its simulator's id unless given).

    A record knows everything itself. For a simulator, `equity` are samples of the account's value over time, in
    currency, for the drawdown, and `instruments` those whose multiplier is not one.
    """
    if isinstance(run, RunRecord):
        return _summary(_from_record(run, name))
    return _summary(_from_simulator(run, name, equity, instruments))


def multipliers(instruments: Iterable[Instrument]) -> dict[str, Decimal]:
    """Return the currency value of one unit per 1 of price, by symbol; whatever is not declared stands for one."""
    return {instrument.symbol: instrument.multiplier for instrument in instruments}


def _from_record(record: RunRecord, name: str | None) -> _Run:
    account, execution = record.account, record.scenario.execution
    return _Run(
        name=execution.simulator_id if name is None else name,
        events=record.events,
        orders={order.order_id: order for order in record.orders},
        initial_cash=account.initial_cash,
        cash=account.cash,
        positions=account.positions,
        equity=account.equity,
        max_drawdown_pct=record.max_drawdown_pct,
        decisions={decision.order_id: decision for decision in record.decisions},
        multipliers=multipliers(record.scenario.instruments),
        rules=configured_rules(execution.risk),
        headroom=record.headroom,
        analyses=record.analyses,
    )


def _from_simulator(
    simulator: ExecutionSimulator,
    name: str | None,
    equity: Iterable[Decimal] | None,
    instruments: Iterable[Instrument],
) -> _Run:
    return _Run(
        name=simulator.simulator_id if name is None else name,
        events=simulator.events,
        orders={**simulator.completed_orders, **simulator.pending_orders},
        initial_cash=simulator.initial_cash,
        cash=simulator.cash,
        positions=simulator.positions,
        equity=simulator.get_account_value(),
        max_drawdown_pct=None if equity is None else max_drawdown_pct(equity),
        decisions=None,
        multipliers=multipliers(instruments),
        rules=configured_rules(simulator.risk_config),
    )


def _summary(run: _Run) -> RunSummary:
    handed_in = fills = cancels_refused = 0
    commission = turnover = adjusted = _ZERO
    reasons: Counter[RejectionReason] = Counter()
    histories: dict[str, list[OrderEvent]] = {}
    costs: list[CostSplit] = []
    for event in run.events:
        if isinstance(event, OrderSubmitted | OrderDenied):
            handed_in += 1
        if isinstance(event, OrderDenied | OrderRejected):
            reasons[event.rejection.reason] += 1
        elif isinstance(event, CancelRefused):
            cancels_refused += 1
        elif isinstance(event, AccountAdjusted):
            adjusted += event.cash
        elif isinstance(event, OrderExecution):
            order = run.orders[event.order_id]
            multiplier = run.multipliers.get(order.symbol, _ONE)
            fills += 1
            commission += event.commission
            turnover += fill_value(event, multiplier)
            if run.decisions is not None:
                costs.append(fill_cost(event, order.side, run.decisions.get(event.order_id), multiplier))
        if isinstance(event, OrderEvent):
            histories.setdefault(event.order_id, []).append(event)
    stands = Counter(order.status for order in run.orders.values())
    gain = run.equity - run.initial_cash - adjusted
    return RunSummary(
        name=run.name,
        orders=handed_in,
        fills=fills,
        filled=stands[OrderStatus.FILLED],
        cancelled=stands[OrderStatus.CANCELLED],
        expired=stands[OrderStatus.EXPIRED],
        pending=sum(not order.is_complete for order in run.orders.values()),
        rejections=dict(sorted(reasons.items())),
        cancels_refused=cancels_refused,
        delays=measure(histories.values()),
        commission=commission,
        turnover=turnover,
        cost=None if run.decisions is None else add_up(costs),
        initial_cash=run.initial_cash,
        adjusted=adjusted,
        cash=run.cash,
        positions=dict(sorted(run.positions.items())),
        equity=run.equity,
        return_pct=gain * _HUNDRED / run.initial_cash if run.initial_cash else None,
        max_drawdown_pct=run.max_drawdown_pct,
        rules=count_rules(run.events, run.rules, run.headroom),
        analyses=dict(run.analyses),
    )


def max_drawdown_pct(equity: Iterable[Decimal]) -> Decimal | None:
    """Return the deepest fall below an earlier peak, in per cent of that peak: zero without a fall, `None` of nothing.

    >>> max_drawdown_pct([Decimal(100), Decimal(80), Decimal(120), Decimal(108)])
    Decimal('20')
    """
    peak: Decimal | None = None
    deepest = _ZERO
    for value in equity:
        if peak is None or value > peak:
            peak = value
        elif peak > 0:
            deepest = max(deepest, (peak - value) * _HUNDRED / peak)
    return None if peak is None else deepest

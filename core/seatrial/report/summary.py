"""A run in a dozen numbers, read from a simulator's public state: the client's view, as everything there.

Money is Decimal in account currency and exact up to the division that makes a percentage; times are ns.
"""

from __future__ import annotations

from collections import Counter
from decimal import Decimal
from typing import TYPE_CHECKING

import msgspec

from seatrial.contracts.events import CancelRefused, OrderDenied, OrderExecution, OrderRejected, OrderSubmitted
from seatrial.contracts.rejection import RejectionReason
from seatrial.contracts.terms import OrderStatus

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from seatrial.venue.simulator import ExecutionSimulator

__all__ = ["RunSummary", "max_drawdown_pct", "percentile", "summarize"]

_ZERO = Decimal(0)
_HUNDRED = Decimal(100)


class RunSummary(msgspec.Struct, frozen=True, kw_only=True):
    """What became of a run's orders and money.

    `orders` counts every order handed in, refused ones too, and `filled`, `cancelled`, `expired` and `pending` say how
    they stand; `fills` counts executions. `rejections` holds (reason, count) by name of reason, of whole orders refused
    by gate or venue. `cancels_refused` counts cancels that came to nothing, mostly because a fill was first.

    `delay_p50` and `delay_p99` are ns from an order's leaving to the report of its first fill, waiting for a price
    included; `wire_p50` and `wire_p99` the part of it spent on the wire, there and back. All four are `None` without a
    fill. `return_pct` is of `initial_cash` (`None` where that is zero), `max_drawdown_pct` of the highest equity sample
    before (`None` without samples).
    """

    name: str
    orders: int
    fills: int
    filled: int
    cancelled: int
    expired: int
    pending: int
    rejections: tuple[tuple[RejectionReason, int], ...]
    cancels_refused: int
    delay_p50: int | None
    delay_p99: int | None
    wire_p50: int | None
    wire_p99: int | None
    commission: Decimal
    initial_cash: Decimal
    cash: Decimal
    positions: tuple[tuple[str, Decimal], ...]
    equity: Decimal
    return_pct: Decimal | None
    max_drawdown_pct: Decimal | None

    @property
    def rejected(self) -> int:
        """How many orders gate and venue refused."""
        return sum(count for _, count in self.rejections)


def summarize(
    simulator: ExecutionSimulator, *, name: str | None = None, equity: Iterable[Decimal] | None = None
) -> RunSummary:
    """Return the summary of a run up to now, called `name` (the simulator's id unless given).

    `equity` are samples of the account's value over time, in currency, for the drawdown.
    """
    orders = fills = cancels_refused = 0
    commission = _ZERO
    sent: dict[str, int] = {}
    delays: list[int] = []
    wires: list[int] = []
    reasons: Counter[RejectionReason] = Counter()
    for event in simulator.events:
        if isinstance(event, OrderSubmitted):
            orders += 1
            sent[event.order_id] = event.timestamp
        elif isinstance(event, OrderExecution):
            fills += 1
            commission += event.commission
            left = sent.pop(event.order_id, None)
            if left is not None:
                arrived = simulator.get_order(event.order_id).submitted_at
                delays.append(event.reported_at - left)
                wires.append(event.reported_at - event.timestamp + (left if arrived is None else arrived) - left)
        elif isinstance(event, OrderDenied):
            orders += 1
            reasons[event.rejection.reason] += 1
        elif isinstance(event, OrderRejected):
            reasons[event.rejection.reason] += 1
        elif isinstance(event, CancelRefused):
            cancels_refused += 1
    ended = Counter(order.status for order in simulator.completed_orders.values())
    value, initial = simulator.get_account_value(), simulator.initial_cash
    return RunSummary(
        name=simulator.simulator_id if name is None else name,
        orders=orders,
        fills=fills,
        filled=ended[OrderStatus.FILLED],
        cancelled=ended[OrderStatus.CANCELLED],
        expired=ended[OrderStatus.EXPIRED],
        pending=len(simulator.pending_orders),
        rejections=tuple(sorted(reasons.items())),
        cancels_refused=cancels_refused,
        delay_p50=percentile(delays, 50),
        delay_p99=percentile(delays, 99),
        wire_p50=percentile(wires, 50),
        wire_p99=percentile(wires, 99),
        commission=commission,
        initial_cash=initial,
        cash=simulator.cash,
        positions=tuple(sorted(simulator.positions.items())),
        equity=value,
        return_pct=(value - initial) * _HUNDRED / initial if initial else None,
        max_drawdown_pct=None if equity is None else max_drawdown_pct(equity),
    )


def percentile(values: Sequence[int], per_cent: int) -> int | None:
    """Return the smallest value that at least `per_cent` (1-100) of all do not exceed; `None` of none.

    This is the nearest-rank definition: the result is always one of the values.

    >>> percentile([30, 10, 20], 50)
    20
    """
    if not values:
        return None
    rank = -(-len(values) * per_cent // 100)
    return sorted(values)[rank - 1]


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

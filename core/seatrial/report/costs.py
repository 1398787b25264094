"""What orders cost against the price at which they were decided: latency, slippage and fees, which sum exactly.

Of one fill, with the sign of its side (+1 buy, -1 sell) and the instrument's multiplier, in currency:
latency = (arrived - decided) x quantity, slippage = (fill price - arrived) x quantity, fees = commission, and
total = value filled - value decided + commission. Positive is a cost. This is the implementation shortfall of what was
filled (A. F. Perold, "The Implementation Shortfall", Journal of Portfolio Management, 1988); an order that never
filled has none here.
"""

from __future__ import annotations

from decimal import Context, Decimal, localcontext
from typing import TYPE_CHECKING

import msgspec

from seatrial.contracts.terms import OrderSide

if TYPE_CHECKING:
    from collections.abc import Iterable

    from seatrial.contracts.engine import Decision
    from seatrial.contracts.events import OrderExecution

__all__ = ["CostSplit", "add_up", "fill_cost", "fill_value"]

_ZERO = Decimal(0)
_ONE = Decimal(1)
_BASIS_POINTS = Decimal(10_000)
_EXACT = Context(prec=1_000)
"""Wide enough that no sum of products of prices, quantities and multipliers is rounded."""


class CostSplit(msgspec.Struct, frozen=True, kw_only=True):
    """The cost of `fills` fills, in currency; positive is a cost, negative a gain.

    `latency` is what the market moved between decision and arrival at the venue, `slippage` what it moved, or was
    moved, from there to the fill, a resting order's wait included; `fees` are commissions. `decided_value` is what was
    filled at its decision price, `bps` the total in basis points of it (`None` of nothing). `uncosted` counts the
    fills left out, with their commission, because no price was known at decision or arrival.
    """

    fills: int
    uncosted: int
    decided_value: Decimal
    latency: Decimal
    slippage: Decimal
    fees: Decimal
    total: Decimal
    bps: Decimal | None


def fill_value(fill: OrderExecution, multiplier: Decimal = _ONE) -> Decimal:
    """Return a fill's value in currency, exactly."""
    with localcontext(_EXACT):
        return fill.quantity * fill.price * multiplier


def fill_cost(
    fill: OrderExecution, side: OrderSide, decision: Decision | None, multiplier: Decimal = _ONE
) -> CostSplit:
    """Return what one fill cost; without both of the decision's prices it is uncosted."""
    decided = None if decision is None else decision.decided
    arrived = None if decision is None else decision.arrived
    if decided is None or arrived is None:
        return _split(0, 1, decided_value=_ZERO, latency=_ZERO, slippage=_ZERO, fees=_ZERO, total=_ZERO)
    with localcontext(_EXACT):
        units = fill.quantity * multiplier
        signed = units if side is OrderSide.BUY else -units
        value, decided_value = units * fill.price, units * decided
        paid = value - decided_value if side is OrderSide.BUY else decided_value - value
        latency, slippage = (arrived - decided) * signed, (fill.price - arrived) * signed
        fees, total = fill.commission, paid + fill.commission
    return _split(1, 0, decided_value=decided_value, latency=latency, slippage=slippage, fees=fees, total=total)


def add_up(costs: Iterable[CostSplit]) -> CostSplit:
    """Return the costs of several fills together."""
    fills = uncosted = 0
    decided = latency = slippage = fees = total = _ZERO
    with localcontext(_EXACT):
        for cost in costs:
            fills += cost.fills
            uncosted += cost.uncosted
            decided += cost.decided_value
            latency += cost.latency
            slippage += cost.slippage
            fees += cost.fees
            total += cost.total
    return _split(fills, uncosted, decided_value=decided, latency=latency, slippage=slippage, fees=fees, total=total)


def _split(
    fills: int,
    uncosted: int,
    *,
    decided_value: Decimal,
    latency: Decimal,
    slippage: Decimal,
    fees: Decimal,
    total: Decimal,
) -> CostSplit:
    with localcontext(Context()):
        bps = total * _BASIS_POINTS / decided_value if decided_value else None
    return CostSplit(
        fills=fills,
        uncosted=uncosted,
        decided_value=decided_value,
        latency=latency,
        slippage=slippage,
        fees=fees,
        total=total,
        bps=bps,
    )

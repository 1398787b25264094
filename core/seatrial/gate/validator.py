"""What the gate refuses before any risk rule looks: unknown symbols, prices off the grid, quantities off the lot."""

from __future__ import annotations

from decimal import MAX_EMAX, MAX_PREC, MIN_EMIN, Context, Decimal, InvalidOperation
from typing import TYPE_CHECKING

from seatrial.contracts.rejection import RefusedBy, Rejection, RejectionReason

if TYPE_CHECKING:
    from seatrial.contracts.market import Instrument
    from seatrial.contracts.orders import Order

__all__ = ["refusal", "remainder", "validate"]

_ON_GRID = ("limit_price", "stop_price")
_WIDE = Context(prec=MAX_PREC, Emax=MAX_EMAX, Emin=MIN_EMIN)


def remainder(value: Decimal, step: Decimal) -> Decimal:
    """Return what `value` is beyond a whole number of steps, however many these are.

    >>> remainder(Decimal(10**22), Decimal("0.00000003"))
    Decimal('1E-8')
    """
    try:
        return value % step
    except InvalidOperation:  # more steps than a Decimal has digits
        return _WIDE.remainder(value, step)


def refusal(
    reason: RejectionReason,
    message: str,
    *,
    rule: str | None = None,
    value: Decimal | None = None,
    limit: Decimal | None = None,
) -> Rejection:
    """Return a refusal by the gate."""
    return Rejection(reason, message, RefusedBy.GATE, rule, value, limit)


def validate(order: Order, instrument: Instrument | None) -> Rejection | None:
    """Return why the order's instrument does not take it, or `None`; no instrument takes nothing."""
    if instrument is None:
        return refusal(
            RejectionReason.INVALID_SYMBOL, f"no instrument {order.symbol!r} is declared; add it or mend the name"
        )
    lot, tick = instrument.lot_size, instrument.tick_size
    if lot is not None and remainder(order.quantity, lot):
        return refusal(
            RejectionReason.INVALID_QUANTITY,
            f"quantity {order.quantity} is no multiple of the lot {lot}",
            value=order.quantity,
            limit=lot,
        )
    if tick is not None:
        for field in _ON_GRID:
            price: Decimal | None = getattr(order, field)
            if price is not None and remainder(price, tick):
                return refusal(
                    RejectionReason.INVALID_PRICE,
                    f"{field} {price} is no multiple of the tick {tick}",
                    value=price,
                    limit=tick,
                )
    return None

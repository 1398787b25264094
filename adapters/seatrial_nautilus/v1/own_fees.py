"""A session's fees as NautilusTrader charges them: in whole units of the currency's last decimal."""

from __future__ import annotations

from decimal import ROUND_CEILING, Decimal
from typing import TYPE_CHECKING, Any

from nautilus_trader.backtest.models import FeeModel
from nautilus_trader.model.objects import Money

if TYPE_CHECKING:
    from seatrial.contracts.venue import FeeModel as CoreFees

__all__ = ["SessionFees"]

_ZERO = Decimal(0)


class SessionFees(FeeModel):
    """What each order owes in all, by its fills so far; the total is rounded against it, to the currency's decimals."""

    def __init__(self, fees: CoreFees, currency: Any) -> None:
        """Charge `fees` in `currency`."""
        self._fees = fees
        self._currency = currency
        self._step = Decimal(1).scaleb(-currency.precision)
        self._open: dict[Any, tuple[Decimal, Decimal, Decimal]] = {}

    def get_commission(self, order: Any, fill_qty: Any, fill_px: Any, instrument: Any) -> Any:
        """Return what a fill adds to what its order owes."""
        before, worth, paid = self._open.pop(order.client_order_id, (_ZERO, _ZERO, _ZERO))
        quantity = before + fill_qty.as_decimal()
        value = worth + fill_qty.as_decimal() * fill_px.as_decimal() * instrument.multiplier.as_decimal()
        owed = self._fees.total(quantity, value).quantize(self._step, ROUND_CEILING)
        if quantity < order.quantity.as_decimal():
            self._open[order.client_order_id] = (quantity, value, owed)
        return Money(owed - paid, self._currency)

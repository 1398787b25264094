"""What fills cost, exactly, and what Backtrader is told of it."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any

import backtrader as bt

if TYPE_CHECKING:
    from seatrial.contracts.venue import FeeModel

__all__ = ["Scheme"]


class Scheme(bt.CommInfoBase):
    """A commission scheme of Backtrader's that charges what the venue does; a unit stands for `mult` times its price.

    What a fill costs depends on the fills before it, so it is told beforehand. Until then, when Backtrader asks whether
    an order can be paid for, it costs what `fees` ask of it alone.
    """

    params: Any = (("stocklike", True), ("commtype", bt.CommInfoBase.COMM_FIXED), ("fees", None))

    if TYPE_CHECKING:

        def __init__(self, *, mult: float, fees: FeeModel | None = None) -> None: ...

    _bill: tuple[float, float] | None = None

    def tell(self, fee: Decimal, quantity: Decimal) -> None:
        """Note what the next fill costs, and how many units it is of."""
        self._bill = float(fee), float(quantity)

    def forget(self) -> None:
        """Forget what a fill costs: it is booked."""
        self._bill = None

    def _getcommission(self, size: float, price: float, pseudoexec: bool) -> float:  # noqa: ARG002, FBT001 - Backtrader's signature
        """Return the part of the fee that falls on `size` units: Backtrader asks for what closes and opens apart."""
        if self._bill is not None:
            fee, quantity = self._bill
            return fee * (abs(size) / quantity)
        if self.p.fees is None or not size:
            return 0.0
        return float(self.p.fees.total(Decimal(repr(abs(size))), Decimal(repr(self.getoperationcost(size, price)))))

    def getvaluesize(self, size: float, price: float) -> float:
        """Return what a position is worth, in currency."""
        return float(size * price * self.p.mult)

    def getoperationcost(self, size: float, price: float) -> float:
        """Return what a position costs, in currency."""
        return float(abs(size) * price * self.p.mult)

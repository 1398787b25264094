"""Commission and multiplier as Backtrader asks for them: its ledger shows what the venue's exact one has booked."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import backtrader as bt

if TYPE_CHECKING:
    from decimal import Decimal

__all__ = ["Scheme"]


class Scheme(bt.CommInfoBase):
    """What one fill costs, told beforehand; a unit stands for `mult` times its price."""

    params: Any = (("stocklike", True), ("commtype", bt.CommInfoBase.COMM_FIXED))

    if TYPE_CHECKING:

        def __init__(self, *, mult: float) -> None: ...

    fee = 0.0
    """The commission of the fill under way, in currency."""
    quantity = 1.0
    """How many units it is of."""

    def tell(self, fee: Decimal, quantity: Decimal) -> None:
        """Note what the next fill costs."""
        self.fee, self.quantity = float(fee), float(quantity)

    def _getcommission(self, size: float, price: float, pseudoexec: bool) -> float:  # noqa: ARG002, FBT001 - Backtrader's signature
        """Return the part of the fee that falls on `size` units: Backtrader asks for what closes and opens apart."""
        return self.fee * (abs(size) / self.quantity)

    def getvaluesize(self, size: float, price: float) -> float:
        """Return what a position is worth, in currency."""
        return float(size * price * self.p.mult)

    def getoperationcost(self, size: float, price: float) -> float:
        """Return what a position costs, in currency."""
        return float(abs(size) * price * self.p.mult)

"""Risk rules that cases hand over as objects, as a user would."""

from __future__ import annotations

from typing import TYPE_CHECKING

from seatrial.contracts.risk import RiskViolation
from seatrial.contracts.terms import OrderSide

if TYPE_CHECKING:
    from seatrial.contracts.account import RiskView
    from seatrial.contracts.orders import Order

__all__ = ["RULES", "Faulty", "NoSales"]


class NoSales:
    """Lets nothing be sold."""

    def check(self, order: Order, account: RiskView, now: int) -> RiskViolation | None:  # noqa: ARG002 - a rule's signature
        """Object to every sell."""
        return RiskViolation("nothing is sold here") if order.side is OrderSide.SELL else None


class Faulty:
    """Raises at every order above a hundred units."""

    def check(self, order: Order, account: RiskView, now: int) -> RiskViolation | None:  # noqa: ARG002 - a rule's signature
        """Fail, which counts as an objection."""
        if order.quantity > 100:  # noqa: PLR2004 - its docstring says so
            raise RuntimeError(order.order_id)
        return None


RULES: dict[str, type[NoSales | Faulty]] = {"NoSales": NoSales, "Faulty": Faulty}
"""The rules by the names under which cases know them."""

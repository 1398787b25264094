"""A Backtrader broker whose bars cost nothing for the orders that rest, and that fills exactly as the stock broker."""

from __future__ import annotations

from collections import deque
from typing import Any

from seatrial_backtrader.pending import PendingOrders
from seatrial_backtrader.quick import QuickBroker

__all__ = ["IndexedBroker"]


class IndexedBroker(QuickBroker):
    """The stock broker over `PendingOrders`: same fills, same notifications, same cash, to the last bit.

    A price that a strategy assigns to a resting order (`order.created.price`, `order.created.pricelimit`) counts, as it
    does in the stock broker. `indexed=False` keeps the stock broker's own deque. It is needed only where something
    assigns anything else to a resting order (an earlier validity, a type, a status), or a subclass matches orders whose
    price the bar has not reached.
    """

    params: Any = (("indexed", True),)
    pending: deque[Any]

    def init(self) -> None:
        """Begin without orders."""
        super().init()
        if self.p.indexed:
            self.pending = PendingOrders()

    def next(self) -> None:
        """Run a cycle; where nothing is held, and nothing under way, there is only the account to be valued."""
        if not (self.pending or self.submitted or self._toactivate or self._userhist):
            for position in self.positions.values():
                if position.size:
                    break
            else:
                self.cash -= 0.0  # a whole number becomes a float here, as in the stock broker
                self._get_value()
                return
        super().next()

    def _process_order_history(self) -> None:
        if self._userhist:
            super()._process_order_history()
        pending = self.pending
        if type(pending) is PendingOrders and len(pending) > pending.indexed_above:
            pending.arrange()

    def _ococheck(self, order: Any) -> None:
        """Cancel the others of the group of `order`, the last first, without a look at every pending order."""
        pending = self.pending
        if not isinstance(pending, PendingOrders):
            super()._ococheck(order)
            return
        leader = self._ocos[order.ref]
        group = self._ocol.pop(self._ocos.get(leader), None)
        if group:
            for other in pending.latest_first(group):
                pending.remove(other)
                other.cancel()
                self.notify(other)

"""Backtrader's matching, listened to: the stock broker with three ears and nothing of its own."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from seatrial_backtrader.histories import Histories
from seatrial_backtrader.indexed import IndexedBroker

if TYPE_CHECKING:
    from seatrial_backtrader.desk import Desk

__all__ = ["Matcher", "Venue"]


class Matcher(IndexedBroker):
    """The stock broker, with the cash of each fill and of each night's interest noted as it moves.

    No rule of matching is overridden. `stale_match` of `never` keeps an order from bars older than itself.
    """

    desk: Desk | None = None
    cash_before = 0.0
    """Cash before the fill under way, in currency."""
    interest = 0.0
    """The interest charged in this cycle, in currency."""
    keeps_off_stale = False
    _cash_at_start = 0.0

    def __init__(self) -> None:
        self.histories = Histories()
        super().__init__()

    def add_order_history(self, orders: Any, notify: bool = True) -> None:  # noqa: FBT001, FBT002 - Backtrader's signature
        """Take orders of the past, each as it was filled."""
        super().add_order_history(self.histories.orders(orders), notify)

    def set_fund_history(self, fund: Any) -> None:
        """Take the values of a fund in the past."""
        super().set_fund_history(self.histories.fund(fund))

    def check_submitted(self) -> None:
        """Look at what was submitted, then cancel what was to be cancelled before that."""
        if self.submitted:
            super().check_submitted()
        if self.desk is not None and self.desk.doomed:
            self.desk.sweep()

    def _process_order_history(self) -> None:
        self.interest = self._cash_at_start - self.cash
        super()._process_order_history()

    def _execute(  # noqa: PLR0917 - Backtrader's signature
        self,
        order: Any,
        ago: Any = None,
        price: Any = None,
        cash: Any = None,
        position: Any = None,
        dtcoc: Any = None,
    ) -> Any:
        if ago is not None:
            self.cash_before = self.cash
        return super()._execute(order, ago, price, cash, position, dtcoc)

    def _try_exec(self, order: Any) -> None:
        if self.keeps_off_stale and order.data.datetime[0] <= order.created.dt:
            return
        super()._try_exec(order)

    def _try_exec_stoplimit(self, order: Any, *prices: Any, **named: Any) -> None:
        super()._try_exec_stoplimit(order, *prices, **named)
        if self.desk is not None and order.triggered and order.alive() and not order.executed.size:
            self.desk.triggered(order)

    def match(self) -> None:
        """Run one cycle of the stock broker."""
        self._cash_at_start, self.interest = self.cash, 0.0
        IndexedBroker.next(self)


class Venue(Matcher):
    """The far ledger, where orders match before the strategy hears of it: the desk does instead."""

    def report_to(self, desk: Desk) -> None:
        """Tell `desk` of orders, without a step between."""
        self.desk = desk
        self.__dict__["notify"] = desk.hear

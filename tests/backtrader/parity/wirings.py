"""The brokers that are held to the stock broker, and the broken ones that have to be found out."""

from __future__ import annotations

import math
from functools import partial
from typing import TYPE_CHECKING, Any

from backtrader.brokers.bbroker import BackBroker
from backtrader.position import Position

from seatrial import RiskConfig
from seatrial_backtrader import SeatrialBroker

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

__all__ = ["BROKEN", "WIRINGS", "stock"]

stock: Callable[[], Any] = BackBroker
"""What every other broker is compared with."""


WIRINGS: Mapping[str, Callable[[], Any]] = {
    "no gate": SeatrialBroker,
    "one ledger": partial(SeatrialBroker, risk_config=RiskConfig()),
    "two ledgers": partial(SeatrialBroker, ledgers=2),
}
"""The brokers that have to be the stock broker's equal, each with a name for the tests."""


class _LimitOneTickOff(BackBroker):
    """Fills a limit order at a price a cent better than its limit."""

    def _try_exec_limit(self, order: Any, popen: float, phigh: float, plow: float, plimit: float) -> None:
        super()._try_exec_limit(order, popen, phigh, plow, plimit - 0.01 if order.isbuy() else plimit + 0.01)


class _LosesTheLastBit(BackBroker):
    """Loses the last bit of its cash in each cycle with a position."""

    cash: float

    def next(self) -> None:
        super().next()
        if any(position.size for position in self.positions.values()):
            self.cash = math.nextafter(self.cash, 0.0)


class _ReordersPending(BackBroker):
    """Looks at the youngest of its open orders first."""

    def next(self) -> None:
        self.pending.reverse()
        super().next()


class _SharesItsOrders(BackBroker):
    """Hands out its own orders as notifications instead of copies."""

    def notify(self, order: Any) -> None:
        order.executed.markpending()
        self.notifs.append(order)


class _TellsLate(BackBroker):
    """Holds one notification back until there is a next one."""

    def get_notification(self) -> Any:
        return super().get_notification() if len(self.notifs) > 1 else None


class _SortsPositions(BackBroker):
    """Sums its positions from the largest to the smallest."""

    def next(self) -> None:
        ordered = sorted(self.positions.items(), key=lambda item: -abs(item[1].size))
        self.positions.clear()
        self.positions.update(ordered)
        super().next()


class _ForgetsSiblings(BackBroker):
    """Cancels nothing when one order of a one-cancels-other group is done."""

    def _ococheck(self, order: Any) -> None:
        pass


class _RefusesCancels(BackBroker):
    """Cancels, and says that it did not."""

    def cancel(self, order: Any, bracket: bool = False) -> bool:
        super().cancel(order, bracket=bracket)
        return False


class _SkipsNumbers(BackBroker):
    """Uses up a reference of its own for each order."""

    def submit(self, order: Any, check: bool = True) -> Any:
        next(type(order).refbasis)
        return super().submit(order, check)


class _KeepsNothingAsked(BackBroker):
    """Answers a question about a feed without a position, and keeps no empty position for it."""

    def getposition(self, data: Any) -> Any:
        return self.positions.get(data) or Position()


class _TellsFillsTwice(BackBroker):
    """Marks no execution as told when it makes a copy of an order."""

    def notify(self, order: Any) -> None:
        told = order.executed.p1, order.executed.p2
        super().notify(order)
        order.executed.p1, order.executed.p2 = told


class _SpendsCashEarly(BackBroker):
    """Books added cash at once, not with the next valuation."""

    def add_cash(self, cash: float) -> None:
        self.cash += cash


BROKEN: Mapping[str, Callable[[], Any]] = {
    "a limit fills one tick off": _LimitOneTickOff,
    "cash loses its last bit": _LosesTheLastBit,
    "open orders change places": _ReordersPending,
    "notifications are no copies": _SharesItsOrders,
    "a notification comes late": _TellsLate,
    "positions change places": _SortsPositions,
    "siblings live on": _ForgetsSiblings,
    "a cancel denies itself": _RefusesCancels,
    "order numbers are skipped": _SkipsNumbers,
    "a question leaves no position": _KeepsNothingAsked,
    "fills are told twice": _TellsFillsTwice,
    "added cash comes early": _SpendsCashEarly,
}
"""Brokers with one fault each: a corpus that does not tell them from the stock broker proves nothing."""

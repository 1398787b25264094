"""Backtrader's broker as a market: it says which order trades at which price, and books what the venue settles."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Any, Protocol

from backtrader import Order as BtOrder
from backtrader.order import BuyOrder, SellOrder

from seatrial.contracts.terms import OrderType
from seatrial_backtrader.costs import Scheme
from seatrial_backtrader.indexed import IndexedBroker
from seatrial_backtrader.stamps import exact

if TYPE_CHECKING:
    from decimal import Decimal

    from seatrial.venue.working import Working

__all__ = ["KINDS", "Pit", "Referee", "order_for"]

KINDS = {
    OrderType.MARKET: BtOrder.Market,
    OrderType.LIMIT: BtOrder.Limit,
    OrderType.STOP: BtOrder.Stop,
    OrderType.STOP_LIMIT: BtOrder.StopLimit,
    OrderType.TRAILING_STOP: BtOrder.StopTrail,
    OrderType.TRAILING_STOP_LIMIT: BtOrder.StopTrailLimit,
    OrderType.MARKET_ON_CLOSE: BtOrder.Close,
}
"""Backtrader's name of each type of order that it can match."""


class Referee(Protocol):
    """Who settles what the pit matches."""

    def may_meet(self, order: Any) -> bool:
        """Return whether an order takes part in the present bar of its feed."""
        ...

    def matched(self, order: Any, price: float) -> None:
        """Settle an order that Backtrader matches at `price`."""
        ...

    def triggered(self, order: Any) -> None:
        """Hear that a stop has turned into a limit."""
        ...

    def trail(self, order: Any, price: Decimal) -> None:
        """Let a trailing order follow the market to `price`."""
        ...


class _Ours:
    """An order of the core's in Backtrader's hands."""

    working: Working
    first = 0
    """The bar of its feed, counted from one, that is the first it meets, or that triggered it."""
    met: Decimal | None = None
    """The price that triggered it."""
    woken: int | None = None
    """When that was, in UNIX ns UTC."""
    referee: Referee | None = None

    def trailadjust(self, price: float) -> None:
        """Follow the market exactly; Backtrader would in floats."""
        if self.referee is not None:
            self.referee.trail(self, exact(price))


class _Buy(_Ours, BuyOrder):
    """An order to buy."""


class _Sell(_Ours, SellOrder):
    """An order to sell."""


def order_for(working: Working, owner: Any, data: Any, referee: Referee) -> Any:
    """Return a Backtrader order for one that works, to be met by the present bar of its feed."""
    kind: Any = _Buy if working.is_buy else _Sell
    limit, trigger = working.limit, working.trigger
    price = trigger if trigger is not None else limit
    order = kind(
        owner=owner,
        data=data,
        size=float(working.remaining),
        price=data.open[0] if price is None else float(price),
        pricelimit=None if limit is None else float(limit),
        exectype=KINDS[working.kind],
    )
    order.working = working
    order.referee = referee
    order.first = len(data)
    return order


class Pit(IndexedBroker):
    """The stock broker's matching; groups, money and fees are the venue's."""

    if TYPE_CHECKING:

        def __init__(self, *, checksubmit: bool, cash: float) -> None: ...

    referee: Referee
    turn: Any = None
    """What is done in each round of Backtrader's; it ends in :meth:`match`."""
    _lot: float | None = None
    _latest = 0

    def next(self) -> None:
        """Take one turn."""
        self.turn()

    def match(self) -> None:
        """Let Backtrader look at the orders that the present bars can touch, and value the account."""
        super().next()

    def put(self, order: Any) -> None:
        """Take an order in; its turn comes by when it arrived at the venue, which an exit did before it woke."""
        order.submit(self)
        order.accept(self)
        arrived = order.working.sequence
        if arrived > self._latest:
            self._latest = arrived
            self.pending.append(order)
        else:
            before = sum(other.working.sequence < arrived for other in self.pending)
            self.pending.insert(before, order)
        self.notify(order)

    def drop(self, order: Any) -> None:
        """Forget an order that has ended."""
        with suppress(ValueError):  # it is being looked at
            self.pending.remove(order)
        if order.alive():
            order.cancel()
            self.notify(order)

    def book(self, order: Any, quantity: Decimal, price: Decimal, *, fee: Decimal, cash: Decimal, whole: bool) -> None:
        """Book a fill that the venue has settled, which leaves `cash` there; `whole` says that nothing is left."""
        scheme: Scheme = self.getcommissioninfo(order.data)
        scheme.tell(fee, quantity)
        self._lot = abs(order.executed.remsize) if whole else float(quantity)
        self.p.filler = self._fill
        self.cash = float("inf")  # the venue has looked whether it can be paid
        try:
            super()._execute(order, ago=0, price=float(price))
        finally:
            self._lot = None
            self.cash = float(cash)

    def _fill(self, *_: Any) -> float | None:
        return self._lot

    def _execute(self, order: Any, ago: Any = None, price: Any = None, *_: Any, **__: Any) -> None:
        if price is not None and ago is not None:
            self.referee.matched(order, price)

    def _try_exec(self, order: Any) -> None:
        if self.referee.may_meet(order):
            super()._try_exec(order)

    def _try_exec_market(self, order: Any, popen: float, phigh: float, plow: float) -> None:  # noqa: ARG002 - Backtrader's signature
        self._execute(order, ago=0, price=popen)  # it is never older than the bar: the referee sees to that

    def _try_exec_stoplimit(self, order: Any, *prices: Any, **named: Any) -> None:
        super()._try_exec_stoplimit(order, *prices, **named)
        if order.triggered and order.alive():
            self.referee.triggered(order)

    def _ococheck(self, order: Any) -> None:
        """Leave groups to the venue."""

    def _bracketize(self, order: Any, cancel: bool = False) -> None:  # noqa: FBT001, FBT002 - Backtrader's signature
        """Leave brackets to the venue."""

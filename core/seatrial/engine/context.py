"""What a strategy acts through: the same on every engine."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Protocol

from seatrial.contracts.account import AccountView
from seatrial.contracts.orders import Order
from seatrial.contracts.terms import OrderSide, OrderType

if TYPE_CHECKING:
    from seatrial.contracts.account import Mark

__all__ = ["Context", "OrderTarget"]

_BUY, _SELL = OrderSide.BUY, OrderSide.SELL


class OrderTarget(Protocol):
    """Where a strategy's orders go: a simulator, or an adapter's broker."""

    @property
    def now(self) -> int:
        """The time reached, in UNIX ns UTC."""
        ...

    @property
    def account(self) -> AccountView:
        """The account as reported."""
        ...

    @property
    def pending_orders(self) -> Mapping[str, Order]:
        """The orders that have not ended, by id."""
        ...

    def get_order(self, order_id: str) -> Order:
        """Return an order as the client knows it."""
        ...

    def last_mark(self, symbol: str) -> Mark | None:
        """Return a symbol's latest price with its time."""
        ...

    def submit_order(self, order: Order, timestamp: int) -> Order:
        """Send an order."""
        ...

    def submit_bracket(self, entry: Order, *exits: Order, timestamp: int) -> tuple[Order, ...]:
        """Send an entry with its exits."""
        ...

    def cancel_order(self, order_id: str, timestamp: int) -> Order:
        """Ask to end an order."""
        ...

    def modify_order(
        self,
        order_id: str,
        timestamp: int,
        *,
        quantity: Decimal | None = None,
        limit_price: Decimal | None = None,
        stop_price: Decimal | None = None,
        trail_amount: Decimal | None = None,
        trail_percent: Decimal | None = None,
    ) -> Order:
        """Ask to change an order."""
        ...


class Context:
    """One strategy's way to its engine. Orders are counted: their ids are `{strategy_id}-{n}` on every engine."""

    def __init__(self, target: OrderTarget, strategy_id: str, sent: int = 0) -> None:
        """Send to `target`; `sent` orders were sent before, in the run that is resumed."""
        self._target = target
        self.strategy_id = strategy_id
        self.sent = sent
        """How many orders this strategy has sent."""

    @property
    def now(self) -> int:
        """The time reached, in UNIX ns UTC."""
        return self._target.now

    @property
    def account(self) -> AccountView:
        """The account as reported."""
        return self._target.account

    @property
    def orders(self) -> Mapping[str, Order]:
        """The orders that have not ended, by id."""
        return self._target.pending_orders

    def order(self, order_id: str) -> Order:
        """Return one of the orders, ended ones included.

        :raises UnknownOrderError: for an id that was never submitted.
        """
        return self._target.get_order(order_id)

    def position(self, symbol: str) -> Decimal:
        """Return the signed units held of a symbol, as reported."""
        return self._target.account.position(symbol)

    def mark(self, symbol: str) -> Mark | None:
        """Return a symbol's latest price with its time: quote mid, else trade, else bar close."""
        return self._target.last_mark(symbol)

    def submit(
        self,
        symbol: str,
        side: OrderSide,
        quantity: Decimal | int,
        order_type: OrderType = OrderType.MARKET,
        **terms: Any,
    ) -> Order:
        """Send an order, with further terms as :class:`~seatrial.contracts.orders.Order` takes them.

        :raises InvalidOrderError: when its terms contradict each other.
        """
        order = self._order(symbol, side, quantity, order_type, **terms)
        return self._target.submit_order(order, self.now)

    def buy(self, symbol: str, quantity: Decimal | int, **terms: Any) -> Order:
        """Buy at the market, or as the `order_type` among the terms says."""
        return self.submit(symbol, _BUY, quantity, **terms)

    def sell(self, symbol: str, quantity: Decimal | int, **terms: Any) -> Order:
        """Sell at the market, or as the `order_type` among the terms says."""
        return self.submit(symbol, _SELL, quantity, **terms)

    def submit_bracket(
        self,
        symbol: str,
        side: OrderSide,
        quantity: Decimal | int,
        order_type: OrderType = OrderType.MARKET,
        *,
        take_profit: Decimal | None = None,
        stop_loss: Decimal | None = None,
        **terms: Any,
    ) -> tuple[Order, ...]:
        """Send an entry with a limit order that takes a profit, a stop order that cuts a loss, or both.

        :raises InvalidOrderError: when terms contradict each other.
        """
        other = _SELL if side is _BUY else _BUY
        entry = self._order(symbol, side, quantity, order_type, **terms)
        exits: list[Order] = []
        if take_profit is not None:
            exits.append(self._order(symbol, other, quantity, OrderType.LIMIT, limit_price=take_profit))
        if stop_loss is not None:
            exits.append(self._order(symbol, other, quantity, OrderType.STOP, stop_price=stop_loss))
        return self._target.submit_bracket(entry, *exits, timestamp=self.now)

    def cancel(self, order_id: str) -> Order:
        """Ask to end an order.

        :raises UnknownOrderError: for an id that was never submitted.
        """
        return self._target.cancel_order(order_id, self.now)

    def modify(self, order_id: str, **change: Decimal) -> Order:
        """Ask to change an order's quantity, limit_price, stop_price, trail_amount or trail_percent.

        :raises UnknownOrderError: for an id that was never submitted.
        :raises InvalidOrderError: when the new terms contradict each other, or nothing changes.
        """
        return self._target.modify_order(order_id, self.now, **change)

    def _order(self, symbol: str, side: OrderSide, quantity: Decimal | int, kind: OrderType, **terms: Any) -> Order:
        order = Order(
            order_id=f"{self.strategy_id}-{self.sent + 1}",
            symbol=symbol,
            side=side,
            order_type=kind,
            quantity=quantity,
            created_at=self.now,
            strategy_id=self.strategy_id,
            **terms,
        )
        self.sent += 1
        return order

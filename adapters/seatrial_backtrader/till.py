"""The exact price of what Backtrader matches for a strategy of its own: slippage, fees, and what an account allows."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any, NamedTuple

import backtrader as bt

from seatrial.contracts.orders import Order
from seatrial.contracts.terms import OrderSide, OrderType
from seatrial.venue.book import Book
from seatrial.venue.fees import open_fees
from seatrial.venue.ledger import open_ledger
from seatrial.venue.matching import Matcher
from seatrial.venue.working import at_work
from seatrial_backtrader.stamps import exact

if TYPE_CHECKING:
    from seatrial.contracts.venue import VenueConfig
    from seatrial.gate.instruments import Instruments
    from seatrial.plugins import Plugins
    from seatrial.venue.working import Working

__all__ = ["Bill", "Till"]


class Bill(NamedTuple):
    """What one fill comes to: the price Backtrader matched at, the price paid, units, and the fee in currency."""

    matched: Decimal
    price: Decimal
    quantity: Decimal
    fee: Decimal


class Till:
    """One account at the venue: what a fill costs there, and whether it can be paid."""

    def __init__(
        self, cash: Decimal, config: VenueConfig, instruments: Instruments, plugins: Plugins | None = None
    ) -> None:
        """Open an account with `cash` (currency)."""
        self.fees = open_fees(config.fees, plugins)
        self._ledger = open_ledger(cash, config, self.fees, instruments)
        floor: Any = None  # nobody is told: only prices are asked for
        self._matcher = Matcher(floor, self._ledger, config, self.fees)
        self._instruments = instruments
        self._books: dict[str, Book] = {}

    def mark(self, symbol: str, price: Decimal, timestamp: int) -> None:
        """Value a symbol, where the account's limits need it."""
        self._ledger.mark(symbol, price, timestamp)

    def deposit(self, amount: Decimal) -> None:
        """Add to the cash, or take away from it, in currency."""
        self._ledger.account.adjust(amount, None, Decimal(0))

    def bill(self, core: Order, order: Any, number: float) -> Bill | None:
        """Return what an order comes to that Backtrader matches at `number`; `None` where it cannot be paid for."""
        symbol, is_buy = core.symbol, core.side is OrderSide.BUY
        book = self._books.get(symbol) or self._books.setdefault(symbol, Book(self._instruments.get(symbol)))
        matched = exact(number)
        paid = self._matcher.slipped(book, matched, is_buy=is_buy)
        limit = _limit(order)
        if limit is not None:
            paid = min(paid, limit) if is_buy else max(paid, limit)
        quantity = core.quantity
        value = quantity * paid * (book.multiplier or 1)
        fee = self.fees.total(quantity, value)
        working = _working(core, book)
        if self._ledger.refuse_fill(working, quantity, paid, value=value, commission=fee) is not None:
            return None
        return Bill(matched, paid, quantity, fee)

    def book(self, core: Order, bill: Bill) -> None:
        """Book what was paid."""
        signed = bill.quantity if core.side is OrderSide.BUY else -bill.quantity
        self._ledger.book(core.symbol, signed, bill.price, bill.fee)


def _working(core: Order, book: Book) -> Working:
    plain = Order(
        order_id=core.order_id,
        symbol=core.symbol,
        side=core.side,
        order_type=OrderType.MARKET,
        quantity=core.quantity,
        created_at=core.created_at,
    )
    return at_work(plain, core.created_at, 0, book.multiplier)


def _limit(order: Any) -> Decimal | None:
    """Return the limit price in force, `None` where there is none."""
    if order.exectype == bt.Order.Limit:
        return exact(order.created.price)
    if order.exectype in {bt.Order.StopLimit, bt.Order.StopTrailLimit}:
        return exact(order.created.pricelimit)
    return None

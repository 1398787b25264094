"""A market order that the standing quote fills whole as it arrives: it never works, so no index and no record has it.

What it pays is worked out as for every other order. Whatever cannot be told at a glance is left to the venue: an order
with links or conditions, a quote that shows its size, a fee model of somebody else's, an account that may not bear it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from seatrial.contracts.terms import OrderSide, OrderType, TimeInForce
from seatrial.venue.fees import Scheduled

if TYPE_CHECKING:
    from decimal import Decimal

    from seatrial.contracts.orders import Order
    from seatrial.contracts.venue import FeeModel
    from seatrial.venue.ledger import Ledger
    from seatrial.venue.market import Market
    from seatrial.venue.matching import Matcher

__all__ = ["Crossing"]

_BUY = OrderSide.BUY
_MARKET = OrderType.MARKET
_GTC = TimeInForce.GTC


class Crossing:
    """Prices and books such orders for one venue."""

    __slots__ = ("_fees", "_ledger", "_market", "_matcher")

    def __init__(self, market: Market, matcher: Matcher, ledger: Ledger, fees: FeeModel) -> None:
        """Cross at the quotes of `market`."""
        self._market = market
        self._matcher = matcher
        self._ledger = ledger
        takes = isinstance(fees, Scheduled) and market.quotes_stand
        self._fees = fees if takes else None  # a schedule never asks less for a worse price

    def book(self, order: Order, now: int) -> tuple[Decimal, Decimal] | None:
        """Book the whole of an order that arrives alone; return its price and its commission, `None` for any other.

        At the quote itself it would cost no more than at the slipped price, so that one look is enough.
        """
        fees = self._fees
        if (
            fees is None
            or order.order_type is not _MARKET
            or order.time_in_force is not _GTC
            or order.parent_id is not None
            or order.oco_id is not None
            or order.reduce_only
        ):
            return None
        symbol, quantity, is_buy = order.symbol, order.quantity, order.side is _BUY
        book = self._market.books.get(symbol)
        if book is None or book.quote is None:
            return None
        moment = book.moment
        if moment is None or moment.ts > now:
            moment = self._market.standing(book, now)
        if moment is None or (moment.ask_left if is_buy else moment.bid_left) is not None:
            return None
        price = self._matcher.slipped(book, moment.ask if is_buy else moment.bid, is_buy=is_buy)
        value = quantity * price
        if book.multiplier is not None:
            value *= book.multiplier
        fee = fees.total(quantity, value)
        ledger = self._ledger
        if not ledger.bears(symbol, quantity, value, fee, is_buy=is_buy):
            return None
        ledger.book(symbol, quantity if is_buy else -quantity, price, fee)
        return price, fee

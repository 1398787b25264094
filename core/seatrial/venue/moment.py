"""The market as orders meet it: a price for each side and what is left to trade there."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from seatrial.contracts.market import Quote

__all__ = ["Moment"]

_ZERO = Decimal(0)


class Moment:
    """One price event, or one stretch of a bar's path.

    `bid` is what sells meet, `ask` what buys meet. `bid_left` and `ask_left` are units, `None` for any quantity;
    `shared` says that both sides draw on one size, as on a print. `strict` asks a resting limit's price to be traded
    through. On a `path` the market passes every price on its way, so orders trade at their own.
    """

    __slots__ = ("ask", "ask_left", "bid", "bid_left", "path", "shared", "strict", "ts")

    def __init__(
        self,
        ts: int,
        bid: Decimal,
        ask: Decimal,
        bid_left: Decimal | None,
        ask_left: Decimal | None,
        *,
        strict: bool,
        shared: bool = False,
        path: bool = False,
    ) -> None:
        """Describe the market at `ts` (UNIX ns UTC)."""
        self.ts = ts
        self.bid = bid
        self.ask = ask
        self.bid_left = bid_left
        self.ask_left = ask_left
        self.strict = strict
        self.shared = shared
        self.path = path

    @classmethod
    def of_quote(cls, quote: Quote, *, strict: bool) -> Moment:
        """Return the market of a quote, nothing taken from it yet."""
        return cls(quote.ts, quote.bid, quote.ask, quote.bid_size, quote.ask_size, strict=strict)

    @classmethod
    def of_price(cls, ts: int, price: Decimal, size: Decimal | None, *, strict: bool) -> Moment:
        """Return the market of one price for both sides."""
        return cls(ts, price, price, size, size, strict=strict, shared=True)

    def left(self, *, is_buy: bool) -> Decimal | None:
        """Return the units a side can still trade; `None` for any quantity."""
        return self.ask_left if is_buy else self.bid_left

    def take(self, quantity: Decimal, *, is_buy: bool) -> None:
        """Use up what a fill took."""
        if (is_buy or self.shared) and self.ask_left is not None:
            self.ask_left -= quantity
        if (not is_buy or self.shared) and self.bid_left is not None:
            self.bid_left -= quantity

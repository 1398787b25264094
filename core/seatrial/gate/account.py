"""An account kept up to date in O(1) per fill and per mark: cash, positions, marks, equity."""

from __future__ import annotations

from decimal import Decimal
from types import MappingProxyType
from typing import TYPE_CHECKING

import msgspec

from seatrial.contracts.account import Mark

if TYPE_CHECKING:
    from collections.abc import Mapping

    from seatrial.gate.instruments import Instruments

__all__ = ["Account", "AccountState", "Holding"]

_ZERO = Decimal(0)


class Holding:
    """One symbol in one account: signed units, last mark (currency per unit), and the money a unit stands for.

    `multiplier` is `None` where it is one, which spares the multiplication.
    """

    __slots__ = ("mark", "marked_at", "multiplier", "quantity")

    def __init__(self, multiplier: Decimal) -> None:
        """Start flat and unmarked."""
        self.quantity = _ZERO
        self.mark: Decimal | None = None
        self.marked_at = 0
        self.multiplier = None if multiplier == 1 else multiplier


class AccountState(msgspec.Struct, frozen=True):
    """An account as stored: `holdings` are units, mark and when it was shown, `held` the open positions in order."""

    cash: Decimal
    net: Decimal
    holdings: dict[str, tuple[Decimal, Decimal | None, int]]
    held: tuple[str, ...]


class Account:
    """Cash and holdings; every position is valued at its last mark, or at its last fill before the first mark.

    A fill moves cash by the full value in both directions, so equity is cash plus the signed value of the positions.
    An account that is not `valued` keeps cash and positions only.
    """

    __slots__ = ("_holdings", "_instruments", "_positions", "_valued", "cash", "net")

    def __init__(self, cash: Decimal, instruments: Instruments, *, valued: bool = True) -> None:
        """Start with `cash` (currency) and no position."""
        self._valued = valued
        self.cash = cash
        self.net = _ZERO
        """The signed value of all positions at their marks, in currency."""
        self._holdings: dict[str, Holding] = {}
        self._positions: dict[str, Decimal] = {}
        self._instruments = instruments

    @property
    def equity(self) -> Decimal:
        """Cash plus every position at its mark, in currency."""
        return self.cash + self.net

    @property
    def positions(self) -> Mapping[str, Decimal]:
        """Signed units by symbol; a flat symbol is absent. A live, read-only view."""
        return MappingProxyType(self._positions)

    def position(self, symbol: str) -> Decimal:
        """Return the signed units held of one symbol."""
        return self._positions.get(symbol, _ZERO)

    def last_mark(self, symbol: str) -> Mark | None:
        """Return a symbol's latest price with its time, or `None` before the first."""
        holding = self._holdings.get(symbol)
        return None if holding is None or holding.mark is None else Mark(holding.mark, holding.marked_at)

    def holding(self, symbol: str) -> Holding:
        """Return the record of one symbol, made when first asked for."""
        holding = self._holdings.get(symbol)
        if holding is None:
            holding = self._holdings[symbol] = Holding(self._instruments.get(symbol).multiplier)
        return holding

    def mark(self, symbol: str, price: Decimal, timestamp: int) -> Decimal | None:
        """Value `symbol` at `price` from `timestamp` on; return what units are worth that came without a price."""
        holding = self._holdings.get(symbol) or self.holding(symbol)
        quantity = holding.quantity
        found = None
        if quantity:  # what came without a price is worth nothing until its first mark
            gain = (price if holding.mark is None else price - holding.mark) * quantity
            if holding.multiplier is not None:
                gain *= holding.multiplier
            self.net += gain
            if holding.mark is None:
                found = gain
        holding.mark = price
        holding.marked_at = timestamp
        return found

    def trade(self, symbol: str, quantity: Decimal, price: Decimal, commission: Decimal) -> Decimal | None:
        """Book a fill of signed `quantity` at `price` for `commission` (currency, positive is a cost).

        Return what units are worth, at the price of a first fill, that came without a price before it.
        """
        holding = self._holdings.get(symbol) or self.holding(symbol)
        value = quantity * price
        if holding.multiplier is not None:
            value *= holding.multiplier
        self.cash -= value + commission
        held = holding.quantity = holding.quantity + quantity
        if held:
            self._positions[symbol] = held
        else:
            self._positions.pop(symbol, None)
        if not self._valued:
            return None
        mark, found = holding.mark, None
        if mark is None:  # a first fill is its own mark
            if not price:
                return None
            mark = holding.mark = price
            if held != quantity:
                found = (held - quantity) * mark * (holding.multiplier or 1)
                self.net += found
        value = quantity * mark
        self.net += value if holding.multiplier is None else value * holding.multiplier
        return found

    def adjust(self, cash: Decimal, symbol: str | None, quantity: Decimal) -> None:
        """Book what is no fill: cash and, where `symbol` is given, units of it."""
        self.cash += cash
        if symbol is not None:
            self.trade(symbol, quantity, _ZERO, _ZERO)

    # -- state -----------------------------------------------------------------------------------------------------

    def snapshot(self) -> AccountState:
        """Return cash and holdings."""
        holdings = {symbol: (one.quantity, one.mark, one.marked_at) for symbol, one in self._holdings.items()}
        return AccountState(self.cash, self.net, holdings, tuple(self._positions))

    def restore(self, state: AccountState) -> None:
        """Become what `state` says."""
        self.cash, self.net = state.cash, state.net
        for symbol, (quantity, mark, marked_at) in state.holdings.items():
            holding = self.holding(symbol)
            holding.quantity, holding.mark, holding.marked_at = quantity, mark, marked_at
        self._positions.clear()
        self._positions.update({symbol: self._holdings[symbol].quantity for symbol in state.held})

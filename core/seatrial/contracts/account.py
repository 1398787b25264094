"""What rules and strategies may read of an account: the client's view, reports applied and nothing else."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Protocol

import msgspec

from seatrial.contracts.terms import OrderSide, TradingState

__all__ = ["AccountView", "Mark", "RiskView"]


class AccountView(Protocol):
    """Cash, positions and equity as reported; an adapter whose engine keeps its own ledger supplies its own."""

    @property
    def cash(self) -> Decimal:
        """Cash in account currency."""
        ...

    @property
    def equity(self) -> Decimal:
        """Cash plus every position at its mark, in account currency."""
        ...

    @property
    def positions(self) -> Mapping[str, Decimal]:
        """Signed units by symbol; a flat symbol is absent."""
        ...

    def position(self, symbol: str) -> Decimal:
        """Return the signed units held of one symbol; zero where flat."""
        ...


class Mark(msgspec.Struct, frozen=True, gc=False):
    """A symbol's latest price (currency per unit) and when the market showed it (UNIX ns UTC)."""

    price: Decimal
    timestamp: int


class RiskView(AccountView, Protocol):
    """The account with everything that works for it, counted at its worst; the order being checked is among it.

    Worst cases take all buys or all sells to fill: every order for what the client has not been told was filled, from
    its submit to its terminal report. An OCO group counts its largest leg per side, an exit nothing while its entry
    works, a modify under way the larger of old and new. Priced orders are valued at their price, others at the mark.
    Values are in account currency; `None` means that a price is missing.
    """

    @property
    def trading_state(self) -> TradingState:
        """What the gate lets out at present."""
        ...

    @property
    def day_start_equity(self) -> Decimal:
        """The last equity before the day began, deposits since then included."""
        ...

    @property
    def peak_equity(self) -> Decimal:
        """The highest equity so far, deposits included."""
        ...

    def mark(self, symbol: str) -> Mark | None:
        """Return a symbol's latest price with its time, or `None` before the first."""
        ...

    def working(self, symbol: str, side: OrderSide) -> Decimal:
        """Return the units of a symbol that orders of one side may still trade."""
        ...

    def worst_position(self, symbol: str) -> Decimal:
        """Return the most units, long or short, the position may come to."""
        ...

    def worst_value(self, symbol: str) -> Decimal | None:
        """Return the most value, long or short, the position may come to."""
        ...

    def gross_exposure(self) -> Decimal | None:
        """Return the sum over all symbols of their worst values."""
        ...

    def net_exposure(self) -> Decimal | None:
        """Return the most value, long or short, all positions together may come to."""
        ...

"""What rules and strategies may read of an account: the client's view, reports applied and nothing else."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Protocol

__all__ = ["AccountView"]


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

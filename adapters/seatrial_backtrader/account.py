"""The account as Backtrader's broker keeps it, told in the core's terms: what risk rules read."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from seatrial_backtrader.naming import Names
from seatrial_backtrader.stamps import exact

__all__ = ["BrokerAccount"]

_ZERO = Decimal(0)


class BrokerAccount:
    """A broker's reported cash, value and positions, read when asked for."""

    __slots__ = ("_broker", "_exact", "_names", "value", "withheld")

    def __init__(self, broker: Any, names: Names) -> None:
        """Read `broker`, whose feeds bear `names`."""
        self._broker = broker
        self._names = names
        self.value: float | None = None
        """The value in currency, as it was when somebody last asked for the equity,"""
        self._exact = _ZERO  # and the same as a Decimal
        self.withheld = _ZERO
        """Deposits and interest that the broker has booked and nobody has been told of yet, in currency."""

    @property
    def cash(self) -> Decimal:
        """Cash in account currency."""
        return exact(self._broker.cash)

    @property
    def equity(self) -> Decimal:
        """What Backtrader calls the value: cash plus every position at its latest close, in account currency."""
        value = self._broker.get_value()
        if value != self.value:
            self.value, self._exact = value, exact(value)
        return self._exact - self.withheld if self.withheld else self._exact

    @property
    def positions(self) -> Mapping[str, Decimal]:
        """Signed units by symbol; a flat symbol is absent."""
        held = self._broker.positions
        return {self._names.symbol(data): exact(one.size) for data, one in held.items() if one.size}

    def position(self, symbol: str) -> Decimal:
        """Return the signed units held of one symbol; zero where flat."""
        # get(), for to look a feed up otherwise would enter it, and sums of floats follow the order of entry
        held = self._broker.positions.get(self._names.datas.get(symbol))
        return exact(held.size) if held is not None else _ZERO

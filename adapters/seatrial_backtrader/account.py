"""The account as Backtrader's broker keeps it, told in the core's terms: what risk rules read."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from math import isnan
from typing import Any

from seatrial.errors import InvalidMarketDataError
from seatrial_backtrader.naming import Names
from seatrial_backtrader.stamps import exact, last_price, shortest

__all__ = ["BrokerAccount"]

_ZERO = Decimal(0)


class BrokerAccount:
    """A broker's reported cash, value and positions, read when asked for."""

    __slots__ = ("_broker", "_exact", "_names", "assumed", "value", "withheld")

    def __init__(self, broker: Any, names: Names) -> None:
        """Read `broker`, whose feeds bear `names`."""
        self._broker = broker
        self._names = names
        self.value: float | None = None
        """The value in currency, as it was when somebody last asked for the equity,"""
        self._exact = _ZERO  # and the same as a Decimal
        self.withheld = _ZERO
        """Deposits and interest that the broker has booked and nobody has been told of yet, in currency."""
        self.assumed: Decimal | None = None
        """The value to go by until the next bar, where cash was set anew: Backtrader's leaves positions out by then."""

    @property
    def cash(self) -> Decimal:
        """Cash in account currency."""
        return exact(self._broker.cash)

    @property
    def equity(self) -> Decimal:
        """What Backtrader calls the value: cash plus every position at its latest close, in account currency.

        A close that is no number is passed over for the last one that is.

        :raises InvalidMarketDataError: where Backtrader has booked such a close, as it does with futures, or filled an
            order at such an open.
        """
        if self.assumed is not None:
            return self.assumed - self.withheld
        value = self._broker.get_value()
        if value != self.value:  # as a NaN always is
            if isnan(value):
                value = self._value_at_last_prices()
            self.value, self._exact = value, shortest(value)
        return self._exact - self.withheld if self.withheld else self._exact

    def _value_at_last_prices(self) -> float:
        """Return the value as Backtrader would, had no bar been without a price."""
        broker, held = self._broker, self._broker.positions
        value: float = broker.cash
        for data, one in held.items():
            if not one.size:
                continue
            scheme, (_, price) = broker.getcommissioninfo(data), last_price(data, None)
            worth = scheme.getvaluesize(one.size, price) if broker.p.shortcash else abs(scheme.getvalue(one, price))
            if worth > 0:  # only this is financed by the leverage
                gain = scheme.profitandloss(one.size, one.price, price)
                worth = (worth - gain) / scheme.get_leverage() + gain
            value += worth
        if isnan(value):
            booked = any(one.size and not broker.getcommissioninfo(data).stocklike for data, one in held.items())
            field, what = ("close", "booked a future") if booked else ("open", "filled an order")
            gaps = [name for name, data in self._names.datas.items() if isnan(getattr(data, field)[0])]
            symbol = gaps[0] if gaps else "a feed"
            problem = f"a bar had none, and Backtrader {what} at it; fill the feed's gaps, or drop such bars"
            raise InvalidMarketDataError(symbol, field, problem)
        return value

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

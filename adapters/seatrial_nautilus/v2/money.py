"""What the account's money looks like to NautilusTrader 2.0: instruments, balances, and what positions were opened at.

In the core a fill moves cash by its full value. NautilusTrader's MARGIN account keeps its balance when a position
opens, and books the profit when it closes; so what positions cost is added back. A CASH account is the core's.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from nautilus_trader.model import AccountBalance, Money

from seatrial.contracts.events import OrderExecution
from seatrial.contracts.market import Instrument
from seatrial.contracts.terms import OrderSide
from seatrial.contracts.venue import AccountType
from seatrial.errors import InvalidConfigError

if TYPE_CHECKING:
    from seatrial.contracts.orders import Order
    from seatrial.venue.simulator import ExecutionSimulator
    from seatrial_nautilus.v2.config import SeatrialExecClientConfig

__all__ = ["Books", "Opened", "core_instrument"]

_ZERO = Decimal(0)


def core_instrument(instrument: Any, currency: Any) -> Instrument:
    """Return an instrument as the core's.

    :raises InvalidConfigError: for one that expires, is inverse, or settles in another currency than the account's.
    """
    name = str(instrument.id)
    if getattr(instrument, "expiration_ns", None):
        raise InvalidConfigError(
            "instrument_ids", name, "it expires, and seatrial's venue settles nothing; leave it out"
        )
    if instrument.is_inverse or instrument.is_quanto or instrument.quote_currency != currency:
        problem = f"its profit is not in {currency}, the account's currency, and nothing is converted; leave it out"
        raise InvalidConfigError("instrument_ids", name, problem)
    return Instrument(
        symbol=name,
        tick_size=instrument.price_increment.as_decimal(),
        lot_size=instrument.size_increment.as_decimal(),
        multiplier=instrument.multiplier.as_decimal(),
        currency=str(currency),
    )


@dataclass(slots=True)
class Opened:
    """A position: signed units, and the average price at which they were opened."""

    quantity: Decimal = _ZERO
    price: Decimal = _ZERO
    at: int = 0

    def fill(self, quantity: Decimal, price: Decimal, at: int) -> None:
        """Add a fill of signed `quantity`."""
        after = self.quantity + quantity
        if self.quantity * quantity >= 0:
            self.price = (self.quantity * self.price + quantity * price) / after
        elif after * quantity > 0:  # it went through zero
            self.price = price
        self.quantity, self.at = after, at


class Books:
    """What the trader was told of the account of `simulator`."""

    def __init__(self, simulator: ExecutionSimulator, config: SeatrialExecClientConfig) -> None:
        """Count what was told before."""
        self._simulator = simulator
        self._currency = config.currency
        self._adds_cost = config.venue_config.account_type is AccountType.MARGIN
        self._multipliers = {one.symbol: one.multiplier for one in simulator.config.instruments}
        self.positions: dict[str, Opened] = {}
        """By symbol, those that are flat again included."""
        for event in simulator.events:
            if isinstance(event, OrderExecution):
                self.count(event, simulator.get_order(event.order_id))

    def count(self, fill: OrderExecution, order: Order) -> None:
        """Take a fill that was reported."""
        signed = fill.quantity if order.side is OrderSide.BUY else -fill.quantity
        self.positions.setdefault(order.symbol, Opened()).fill(signed, fill.price, fill.timestamp)

    def balance(self) -> Any:
        """Return the balance as reported."""
        total = self._simulator.cash
        if self._adds_cost:
            for symbol, opened in self.positions.items():
                total += opened.quantity * opened.price * self._multipliers[symbol]
        money = Money.from_decimal(total, self._currency)
        return AccountBalance(money, Money.zero(self._currency), money)

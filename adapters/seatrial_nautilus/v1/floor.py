"""The venue on NautilusTrader: orders arrive, end and hang together as at the simulated venue; NautilusTrader matches.

Which order trades on which price, which triggers, and which of them takes liquidity, is NautilusTrader's say. How much
there is to trade, what is paid for it, what an account allows, what groups and brackets do, is as at the simulated
venue, to the cent.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from seatrial.contracts.rejection import Rejection, RejectionReason
from seatrial.venue.arrivals import by_venue
from seatrial.venue.crossing import Crossing
from seatrial.venue.simulated import SimulatedVenue
from seatrial.venue.simulator import ExecutionSimulator
from seatrial_nautilus.v1.tape_market import TapeMarket
from seatrial_nautilus.v1.verdicts import FloorMatcher

if TYPE_CHECKING:
    from decimal import Decimal

    from seatrial.contracts.events import OrderChange
    from seatrial.contracts.orders import Order
    from seatrial.contracts.venue import VenueConfig
    from seatrial.gate.instruments import Instruments
    from seatrial.plugins import Plugins
    from seatrial.venue.book import Book
    from seatrial.venue.working import Working

__all__ = ["NautilusSimulator", "NautilusVenue"]


class _NothingCrosses(Crossing):
    """Leaves every order to NautilusTrader."""

    def book(self, order: Order, now: int) -> tuple[Decimal, Decimal] | None:  # noqa: ARG002 - as it is called
        """Book nothing."""
        return None


class NautilusVenue(SimulatedVenue):
    """The simulated venue's orders and money, with NautilusTrader's matching."""

    market: TapeMarket

    def __init__(
        self, cash: Decimal, config: VenueConfig, instruments: Instruments, plugins: Plugins | None = None
    ) -> None:
        """Open an account with `cash` (currency)."""
        super().__init__(cash, config, instruments, plugins)
        fees = self._matcher._fees
        matcher = self._matcher = FloorMatcher(self, self.ledger, config, fees)
        self.market = matcher.market = TapeMarket(self, matcher, config, instruments)
        self._crossing = _NothingCrosses(self.market, matcher, self.ledger, fees)

    def place(self, orders: tuple[Order, ...], now: int, native: object) -> None:
        """Take orders whose numbers NautilusTrader can write; refuse the others."""
        for order in orders:
            refused = self._unwritten(order.symbol, order.quantity, order.limit_price, order.stop_price)
            if refused is not None:
                self._refuse_all(orders, order, refused, now)
                return
        super().place(orders, now, native)

    def modify(self, order_id: str, change: OrderChange, now: int, native: object) -> None:
        """Change a working order to numbers that NautilusTrader can write."""
        working = self.working.get(order_id)
        if working is not None:
            refused = self._unwritten(working.symbol, change.quantity, change.limit_price, change.stop_price)
            if refused is not None:
                self._reports.modify_refused(order_id, now, refused)
                return
        super().modify(order_id, change, now, native)

    def _unwritten(self, symbol: str, quantity: Decimal | None, *prices: Decimal | None) -> Rejection | None:
        problem = self.market.unwritten(symbol, quantity, prices)
        return None if problem is None else by_venue(RejectionReason.UNSUPPORTED, problem)

    def _activate(self, working: Working, book: Book, now: int) -> None:
        """Let an admitted order take part; what waits for the next price is not NautilusTrader's yet."""
        super()._activate(working, book, now)
        if working.place is not None:
            self.market.drop(working)

    def _finish(self, working: Working) -> None:
        super()._finish(working)
        self.market.drop(working)


class NautilusSimulator(ExecutionSimulator):
    """The execution simulator before NautilusTrader's matching."""

    _venue_type = NautilusVenue
    venue: NautilusVenue

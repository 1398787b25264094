"""The trader's commands on their way into the gate.

:raises SeatrialError: where a command cannot be said in the gate's words, or is of an order that never passed it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from nautilus_trader.model import ClientOrderId

from seatrial.contracts.rejection import RejectionReason
from seatrial.errors import InvalidOrderError
from seatrial.gate.validator import refusal
from seatrial_nautilus.v2.orders import core_change, core_order
from seatrial_nautilus.v2.telling import reason_text
from seatrial_nautilus.v2.words import CORE_SIDES

if TYPE_CHECKING:
    from seatrial.contracts.orders import Order
    from seatrial.venue.simulator import ExecutionSimulator

__all__ = ["Commands"]


class Commands:
    """Hands commands over to one session; `cache` tells whose an order is."""

    def __init__(self, simulator: ExecutionSimulator, cache: Any) -> None:
        """Hand over to `simulator`."""
        self._simulator = simulator
        self._cache = cache

    def submit(self, inits: tuple[Any, ...], now: int) -> None:
        """Send orders: an entry with its exits as one message, any other list one by one at the same time."""
        orders = [core_order(init, now) for init in inits]
        entry, *exits = orders
        if exits and all(order.parent_id == entry.order_id for order in exits):
            self._simulator.submit_bracket(entry, *exits, timestamp=now)
            return
        for order in orders:
            self._simulator.submit_order(order, now)

    def modify(self, command: Any, now: int) -> None:
        """Ask to change an order."""
        change = core_change(command)
        self._simulator.modify_order(
            str(command.client_order_id),
            now,
            quantity=change.quantity,
            limit_price=change.limit_price,
            stop_price=change.stop_price,
        )

    def cancel(self, order_id: str, now: int) -> None:
        """Ask to end an order."""
        self._simulator.cancel_order(order_id, now)

    def cancel_all(self, command: Any, now: int) -> None:
        """Ask to end every order of one strategy in one instrument, on one side where one is given."""
        symbol, strategy = str(command.instrument_id), str(command.strategy_id)
        side = None if command.order_side is None else CORE_SIDES[command.order_side]
        for order in tuple(self._simulator.pending_orders.values()):
            if order.symbol == symbol and side in {None, order.side} and self._owner(order) == strategy:
                self._simulator.cancel_order(order.order_id, now)

    def _owner(self, order: Order) -> str:
        """Return the strategy that an order belongs to at present; a restart may have given it to another."""
        owner = self._cache.strategy_id_for_order(ClientOrderId(order.order_id))
        return order.strategy_id if owner is None else str(owner)

    def excuse(self, error: Exception) -> str:
        """Return why a command never left, as the JSON that stands in NautilusTrader's reason."""
        known = isinstance(error, InvalidOrderError)
        reason = RejectionReason.UNSUPPORTED if known else RejectionReason.UNKNOWN_ORDER
        return reason_text(refusal(reason, str(error)))

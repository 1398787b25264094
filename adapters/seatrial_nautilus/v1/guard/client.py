"""Limits in front of a live account: the gate before any execution client of NautilusTrader's, which stays as it is.

The node sees one client, the guard. What a strategy sends is judged first; what passes is handed to the venue's own
client unchanged, whose events and reports reach the node as they always did. The guard hears them, and counts.

Books that went wrong, or that cannot be kept on disk, let nothing out but cancels.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from weakref import WeakValueDictionary

from nautilus_trader.model.enums import OrderSide

from seatrial.contracts.events import ModifyRequested, OrderChange, OrderDenied
from seatrial.contracts.rejection import RejectionReason
from seatrial.contracts.terms import OrderSide as CoreSide
from seatrial.contracts.terms import TradingState
from seatrial.errors import InvalidConfigError, InvalidOrderError, SeatrialError, UnknownOrderError
from seatrial.gate.controls import check_operator
from seatrial.gate.validator import refusal
from seatrial_nautilus.v1.guard.books import counted
from seatrial_nautilus.v1.guard.port import COVERED
from seatrial_nautilus.v1.guard.watch import Watch
from seatrial_nautilus.v1.telling import reason_text

if TYPE_CHECKING:
    from seatrial.contracts.rejection import Rejection
    from seatrial_nautilus.v1.guard.config import SeatrialGuardConfig

__all__ = ["SeatrialGuard", "live_guard"]

_GUARDS: WeakValueDictionary[str, SeatrialGuard] = WeakValueDictionary()


def live_guard(simulator_id: str) -> SeatrialGuard:
    """Return the guard of a node in this process, for whoever has to pull its kill switch.

    :raises InvalidConfigError: when there is none.
    """
    found = _GUARDS.get(simulator_id)
    if found is None:
        raise InvalidConfigError("simulator_id", simulator_id, "no node of this process has such a guard")
    return found


class SeatrialGuard(Watch):
    """One live account behind the gate."""

    def __init__(self, *node: Any, config: SeatrialGuardConfig, **more: Any) -> None:
        """Stand before a client; whoever knows the `simulator_id` of `config` finds it."""
        super().__init__(*node, config=config, **more)
        _GUARDS[config.simulator_id] = self

    # -- the operator ----------------------------------------------------------------------------------------------

    def disable_trading(self, by: str, reason: str, *, cancel_working: bool = True) -> None:
        """Halt: nothing leaves any more but cancels; unless told otherwise, every working order is cancelled.

        An order whose cancel was not answered is asked to end again. Before the node has begun, this and the other
        words of an operator wait until it does: nothing leaves before.
        """
        self._switch(TradingState.HALTED, by, reason, cancel_working=cancel_working)

    def restrict_trading(self, by: str, reason: str, *, cancel_working: bool = False) -> None:
        """Let only orders out that provably reduce a position."""
        self._switch(TradingState.REDUCE_ONLY, by, reason, cancel_working=cancel_working)

    def enable_trading(self, by: str, reason: str) -> None:
        """Let orders out again, and release what rules have latched: losses are measured from here on."""
        self._switch(TradingState.ACTIVE, by, reason, cancel_working=False)

    def _switch(self, state: TradingState, by: str, reason: str, *, cancel_working: bool) -> None:
        check_operator(by, reason)
        self._open()
        if not self._is_open:
            self._words.append(lambda: self._switch(state, by, reason, cancel_working=cancel_working))
            return
        unanswered = [one.order_id for one in self.gate.pending_orders.values() if one.pending_cancels]
        self.gate.switch(state, by, reason, self.now(), cancel_working=cancel_working)
        for order_id in unanswered if cancel_working else ():
            self._venue.cancel(order_id, self.now(), None)
        self._settle()

    # -- commands --------------------------------------------------------------------------------------------------

    def submit_order(self, command: Any) -> None:
        """Submit an order, or deny it."""
        self._submit((command.order,), command)

    def submit_order_list(self, command: Any) -> None:
        """Submit a list of orders, or deny them all."""
        self._submit(tuple(command.order_list.orders), command)

    def _submit(self, orders: tuple[Any, ...], command: Any) -> None:
        self._open()
        refused = self._unfit(orders)
        if refused is None:
            try:
                self._send(orders, command)
            except Exception as error:  # noqa: BLE001 - an exception here ends the node
                self._fail(error)
                refused = self._problem
        if refused is not None:
            for order in orders:
                self._deny(order, refused)
        self._settle()
        self._venue.raise_again()

    def _send(self, orders: tuple[Any, ...], command: Any) -> None:
        gate, now = self.gate, self.now()
        ours = tuple([counted(order, now) for order in orders])
        sent = (gate.submit(ours[0], now, command),) if len(ours) == 1 else gate.submit_group(ours, now, command)
        for order, after in zip(orders, sent, strict=True):
            if type(after.events[-1]) is OrderDenied:
                self._deny(order, after.rejection)

    def _unfit(self, orders: tuple[Any, ...]) -> Rejection | None:
        """Say why orders cannot even be counted, or `None`."""
        if self._problem is not None:
            return self._problem
        if not self._is_open:
            return refusal(
                RejectionReason.RISK_TRADING_DISABLED, "the venue's client is not connected yet", rule="guard"
            )
        try:
            for order in orders:
                self._books.learn(order.instrument_id)
                self._marks.follow(order.instrument_id)
        except SeatrialError as error:
            return refusal(RejectionReason.UNSUPPORTED, str(error))
        if any(order.is_quote_quantity for order in orders):
            message = "a quantity in quote currency is not counted; give units of the instrument"
            return refusal(RejectionReason.UNSUPPORTED, message)
        return None

    def _deny(self, order: Any, rejection: Rejection | None) -> None:
        reason = reason_text(rejection)
        self.generate_order_denied(order.strategy_id, order.instrument_id, order.client_order_id, reason, self.now())

    def modify_order(self, command: Any) -> None:
        """Ask to change an order, or refuse."""
        self._open()
        reason = reason_text(self._problem) if self._problem is not None else self._change(command)
        self._settle()
        if reason is not None:
            self.generate_order_modify_rejected(
                command.strategy_id,
                command.instrument_id,
                command.client_order_id,
                command.venue_order_id,
                reason,
                self.now(),
            )

    def _change(self, command: Any) -> str | None:
        """Ask to change an order; return why not, or `None` where it was asked."""
        change = OrderChange(
            quantity=None if command.quantity is None else command.quantity.as_decimal(),
            limit_price=None if command.price is None else command.price.as_decimal(),
            stop_price=None if command.trigger_price is None else command.trigger_price.as_decimal(),
        )
        try:
            after = self.gate.modify(command.client_order_id.value, change, self.now(), command)
        except (InvalidOrderError, UnknownOrderError) as error:
            return str(error)
        latest = after.events[-1]
        return None if type(latest) is ModifyRequested else reason_text(getattr(latest, "rejection", None))

    def cancel_order(self, command: Any) -> None:
        """Ask to end an order."""
        self._note_cancel(command.client_order_id.value, COVERED)
        self.inner.cancel_order(command)

    def cancel_all_orders(self, command: Any) -> None:
        """Ask to end all orders of an instrument and a strategy."""
        symbol, strategy_id, side = command.instrument_id.value, command.strategy_id.value, command.order_side
        for order in tuple(self.gate.pending_orders.values()):
            if order.symbol != symbol or order.strategy_id != strategy_id:
                continue
            if side == OrderSide.NO_ORDER_SIDE or (side == OrderSide.BUY) is (order.side is CoreSide.BUY):
                self._note_cancel(order.order_id, COVERED)
        self.inner.cancel_all_orders(command)

    def batch_cancel_orders(self, command: Any) -> None:
        """Ask to end several orders."""
        for cancel in command.cancels:
            self._note_cancel(cancel.client_order_id.value, COVERED)
        self.inner.batch_cancel_orders(command)

"""Somebody else's execution client as the gate's venue: what passes becomes a call of that client's own methods."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from msgspec.structs import replace
from nautilus_trader.core.uuid import UUID4
from nautilus_trader.execution.messages import CancelOrder, SubmitOrder, SubmitOrderList
from nautilus_trader.model.enums import AccountType
from nautilus_trader.model.identifiers import ClientOrderId, InstrumentId

from seatrial.contracts.events import OrderExecution
from seatrial.contracts.rejection import RefusedBy, Rejection, RejectionReason
from seatrial.contracts.terms import OrderSide
from seatrial.gate.reports import ReportPort
from seatrial_nautilus.v1.closing import closing_order

if TYPE_CHECKING:
    from collections.abc import Callable
    from decimal import Decimal

    from seatrial.contracts.events import AccountAdjusted, OrderChange, OrderEvent
    from seatrial.contracts.orders import Order
    from seatrial.gate.gate import ExecutionGate
    from seatrial_nautilus.v1.reports import Reporter

__all__ = ["COVERED", "Arrivals", "InnerVenue", "NoPayload"]

COVERED = object()
"""What comes with a request that another command of the trader's asks for anyway."""
_PAUSE = 5.0
"""Seconds between an order that closes a position, if the venue refuses it, and the next."""


class InnerVenue:
    """Hands on what passed; see :class:`~seatrial.gate.ports.Venue`. Each payload is the trader's own command."""

    gate: ExecutionGate
    reporter: Reporter

    def __init__(self, inner: Any, cache: Any, loop: Any, now: Callable[[], int]) -> None:
        """Stand before `inner`, which trades for the trader whose orders are in `cache`."""
        self._inner = inner
        self._cache = cache
        self._loop = loop
        self._now = now
        self._raised: Exception | None = None
        self._closers: dict[str, float] = {}  # when the latest order left that closes a symbol's position

    def place(self, orders: tuple[Order, ...], now: int, native: object) -> None:  # noqa: ARG002 - the port's
        """Submit an order or a list; the gate's own order closes a position."""
        for order in orders:
            self.reporter.placed(order.order_id, order.quantity)
        if native is None:
            self._close(orders[0])
            return
        self._raised = self._submit(orders, native)

    def raise_again(self) -> None:
        """Let the node hear what the client raised, as it would without a gate."""
        raised, self._raised = self._raised, None
        if raised is not None:
            raise raised

    def cancel(self, order_id: str, now: int, native: object) -> None:
        """Ask to end an order, unless the trader's own command does."""
        if native is COVERED:
            return
        order = self._cache.order(ClientOrderId(order_id))
        if order is None or order.is_closed:
            rejection = Rejection(RejectionReason.TOO_LATE_TO_CANCEL, f"{order_id} has ended", RefusedBy.VENUE)
            self.reporter.port.cancel_refused(order_id, now, rejection)
            return
        command = CancelOrder(
            trader_id=order.trader_id,
            strategy_id=order.strategy_id,
            instrument_id=order.instrument_id,
            client_order_id=order.client_order_id,
            venue_order_id=order.venue_order_id,
            command_id=UUID4(),
            ts_init=now,
            client_id=self._inner.id,
        )
        try:
            self._inner.cancel_order(command)
        except Exception as error:  # noqa: BLE001 - one that fails must not keep the others from leaving
            rejection = Rejection(RejectionReason.UNKNOWN, f"the client failed: {error}", RefusedBy.VENUE)
            self.reporter.port.cancel_refused(order_id, now, rejection)

    def modify(self, order_id: str, change: OrderChange, now: int, native: object) -> None:  # noqa: ARG002 - the port's
        """Ask to change an order."""
        self._inner.modify_order(native)

    # -- closing positions -----------------------------------------------------------------------------------------

    def _close(self, order: Order) -> None:
        """Submit an order that closes a position, not sooner after the one before than the venue can bear."""
        time = self._loop.time()
        due = self._closers.get(order.symbol, -_PAUSE) + _PAUSE
        self._closers[order.symbol] = max(due, time)
        if due > time:
            self._loop.call_at(due, self._close_later, order)
        else:
            self._close_now(order)

    def _close_later(self, order: Order) -> None:
        if self.gate.admission.controls.flattens:
            self._close_now(order)
        else:
            self._reject(order, "trading was enabled before it left", self._now())
        self.gate.advance(self._now())

    def _close_now(self, order: Order) -> None:
        now, inner, cache = self._now(), self._inner, self._cache
        instrument_id = InstrumentId.from_str(order.symbol)
        held = cache.positions_open(None, instrument_id)
        if not any(one.is_long is (order.side is OrderSide.SELL) for one in held):
            self._reject(order, "no position is left to close", now)
            return
        reduces = inner.account_type == AccountType.MARGIN  # venues without short sales know no such flag
        made, position_id = closing_order(order, instrument_id, cache, inner.trader_id, reduce_only=reduces)
        cache.add_order(made, position_id, inner.id)
        command = SubmitOrder(
            trader_id=made.trader_id,
            strategy_id=made.strategy_id,
            order=made,
            position_id=position_id,
            command_id=UUID4(),
            ts_init=now,
            client_id=inner.id,
        )
        self._submit((order,), command)

    def _submit(self, orders: tuple[Order, ...], command: Any) -> Exception | None:
        """Hand a command on; return what the client raised, its orders then being rejected."""
        inner = self._inner
        try:
            if isinstance(command, SubmitOrderList):
                inner.submit_order_list(command)
            else:
                inner.submit_order(command)
        except Exception as error:  # noqa: BLE001 - whatever a stranger's client raises, the gate has to know
            for order in orders:
                self._reject(order, f"the client failed: {error}", self._now())
            return error
        return None

    def _reject(self, order: Order, message: str, now: int) -> None:
        self.reporter.told.pop(order.order_id, None)
        self.reporter.port.rejected(order.order_id, now, Rejection(RejectionReason.UNKNOWN, message, RefusedBy.VENUE))


class Arrivals(ReportPort):
    """Reports that have travelled already: the gate hears them now, with the time they happened at the venue."""

    def __init__(self, gate: ExecutionGate, now: Callable[[], int], currency: Callable[[], str | None]) -> None:
        """Report to `gate`; what is paid in another `currency` than the account's is not counted."""
        self._gate = gate
        self._now = now
        self._currency = currency
        self.uncounted: set[str] = set()
        """The currencies of commissions that could not be counted."""

    def report(self, event: OrderEvent | AccountAdjusted, native: object = None) -> None:
        """Take a report; a fill keeps the venue's number."""
        if isinstance(event, OrderExecution):
            fill: Any = native
            event = replace(event, execution_id=fill.trade_id.value, commission=self.paid(fill))
        self._gate.arrived(event, self._now())

    def paid(self, fill: Any) -> Decimal:
        """Return the commission of a fill, or nothing where it cannot be counted."""
        paid: Decimal = fill.commission.as_decimal()
        theirs = str(fill.commission.currency.code)
        if theirs == self._currency() or not paid:
            return paid
        self.uncounted.add(theirs)
        return paid * 0


class NoPayload:
    """The trader's commands are not kept: what was not answered is asked of the venue after a restart."""

    def encode(self, native: object) -> None:  # noqa: ARG002 - a codec's signature
        """Write nothing."""
        return

    def decode(self, value: Any) -> object:  # noqa: ARG002 - a codec's signature
        """Nothing was written."""
        return None

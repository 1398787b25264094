"""The execution gate: validator → latency queue → venue, and back: report → client view → listeners.

Nothing is called back from inside a venue's call: what a venue reports is queued, also when it takes no time, and
delivered once the venue has returned. So listeners may submit, modify and cancel at any moment.
"""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, TypeAlias

from msgspec.structs import replace

from seatrial.contracts.events import (
    AccountAdjusted,
    CancelRefused,
    CancelRequested,
    Event,
    ModifyRefused,
    ModifyRequested,
    OrderChange,
    OrderDenied,
    OrderEvent,
    OrderExecution,
    OrderSubmitted,
    TradingStateChanged,
)
from seatrial.contracts.latency import LATENCY_INSTANT, LatencyConfig, Leg
from seatrial.contracts.orders import TERMINAL, Order
from seatrial.contracts.rejection import Rejection, RejectionReason
from seatrial.contracts.terms import OrderSide, OrderStatus, TradingState
from seatrial.errors import ClockError, InvalidOrderError, InvalidTransition, ReentrantCallError, UnknownOrderError
from seatrial.gate.instruments import Instruments
from seatrial.gate.ports import CancelRequest, ModifyRequest, PlaceRequest, Request, Venue
from seatrial.gate.queue import NEVER
from seatrial.gate.reports import ReportPort
from seatrial.gate.validator import refusal, validate
from seatrial.gate.wire import Wire

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from decimal import Decimal

    from seatrial.gate.account import Account

__all__ = ["ExecutionGate", "Listener", "NativeSink"]

Listener: TypeAlias = "Callable[[Event, Order | None], None]"
"""Hears every event when the client does, with the order as it then stands (`None` for account events)."""
NativeSink: TypeAlias = "Callable[[Event, Order | None, object], None]"
"""Hears, before the listeners, the events whose report carried a native payload."""

_BUY = OrderSide.BUY


class ExecutionGate(ReportPort):
    """One gate between one strategy side and one venue.

    Times are UNIX ns UTC and may not go backwards. `account` is the client view the gate keeps; an adapter whose engine
    keeps its own ledger passes `None`, and reads the native payloads of its reports through `native_sink`.
    """

    def __init__(
        self,
        venue: Venue,
        *,
        latency: LatencyConfig = LATENCY_INSTANT,
        seed: int = 0,
        simulator_id: str = "sim",
        instruments: Instruments | None = None,
        account: Account | None = None,
        native_sink: NativeSink | None = None,
    ) -> None:
        """Stand before `venue`, with every delay drawn from `latency`, `seed` and `simulator_id`."""
        self.now = 0
        """The time reached: that of the last call or of the action being delivered."""
        self.events: list[Event] = []
        """Everything the client was told or did, in order."""
        self.trading_state = TradingState.ACTIVE
        self._venue = venue
        self._instruments = instruments or Instruments()
        self._account = account
        self._native_sink = native_sink
        self._listeners: tuple[Listener, ...] = ()
        self._pending: dict[str, Order] = {}
        self._completed: dict[str, Order] = {}
        self.wire = Wire(latency, seed, simulator_id)
        """What is under way, for whoever drives time."""
        self._running = False

    # -- what can be read ------------------------------------------------------------------------------------------

    @property
    def pending_orders(self) -> Mapping[str, Order]:
        """The orders that have not ended, by id, oldest first. A live, read-only view."""
        return MappingProxyType(self._pending)

    @property
    def completed_orders(self) -> Mapping[str, Order]:
        """The orders that have ended, by id, in the order they did. A live, read-only view."""
        return MappingProxyType(self._completed)

    def get_order(self, order_id: str) -> Order:
        """Return an order as the client knows it, in flight ones included.

        :raises UnknownOrderError: for an id that was never submitted.
        """
        order = self._pending.get(order_id) or self._completed.get(order_id)
        if order is None:
            raise UnknownOrderError(order_id)
        return order

    def add_listener(self, listener: Listener) -> None:
        """Let `listener` hear every event from now on, after those added before it."""
        self._listeners = (*self._listeners, listener)

    # -- the strategy's side ---------------------------------------------------------------------------------------

    def submit(self, order: Order, now: int, native: object = None) -> Order:
        """Send a new order; return it as it stands when the call ends.

        A refusal is no exception: the order comes back REJECTED with its reason. An id seen before is refused and the
        first order left as it was.

        :raises InvalidTransition: for an order that is not NEW.
        """
        return self._submit((order,), now, native)[0]

    def submit_bracket(self, entry: Order, *exits: Order, now: int, native: object = None) -> tuple[Order, ...]:
        """Send an entry with its exits as one message; all are accepted or all refused.

        The exits wait at the venue until the entry completes. Unless they say otherwise they get the entry as parent
        and, when there are several, one OCO group.

        :raises InvalidOrderError: when an exit is on the entry's side, in another symbol, or has another parent.
        """
        oco = f"{entry.order_id}.exits" if len(exits) > 1 else None
        children = []
        for child in exits:
            if child.symbol != entry.symbol or child.side is entry.side:
                raise InvalidOrderError(child.order_id, "side", f"it must oppose {entry.order_id} in {entry.symbol}")
            if child.parent_id not in {None, entry.order_id}:
                raise InvalidOrderError(child.order_id, "parent_id", f"it names another parent than {entry.order_id}")
            children.append(replace(child, parent_id=entry.order_id, oco_id=child.oco_id or oco))
        return self._submit((entry, *children), now, native)

    def cancel(self, order_id: str, now: int, native: object = None) -> Order:
        """Ask to end an order; it may still fill until the venue answers. A cancel already under way is enough.

        :raises UnknownOrderError: for an id that was never submitted.
        """
        self._enter(now, "cancel")
        order = self.get_order(order_id)
        if order.is_complete:
            message = f"{order_id} was {order.status} before the cancel left"
            rejection = refusal(RejectionReason.TOO_LATE_TO_CANCEL, message)
            return self._publish(order, CancelRefused(order_id, now, now, rejection))
        if order.pending_cancels:
            return order
        request = CancelRequest(order_id)
        return self._request(Leg.CANCEL, order, CancelRequested(order_id, now, now), request, native)

    def modify(self, order_id: str, change: OrderChange, now: int, native: object = None) -> Order:
        """Ask to change a working order; the old terms hold until the new ones are reported.

        :raises UnknownOrderError: for an id that was never submitted.
        :raises InvalidOrderError: when the order would contradict itself under the new terms, or nothing changes.
        """
        self._enter(now, "modify")
        order = self.get_order(order_id)
        rejection = self._refuse_change(order, order.amended(change))
        if rejection is None:
            requested = ModifyRequested(order_id, now, now, change)
            return self._request(Leg.MODIFY, order, requested, ModifyRequest(order_id, change), native)
        if not order.is_complete:
            order = self._publish(order, ModifyRequested(order_id, now, now, change))
        return self._publish(order, ModifyRefused(order_id, now, now, rejection))

    def disable_trading(self, by: str, reason: str, now: int, *, cancel_working: bool = True) -> None:
        """Halt: nothing leaves any more but cancels; unless told otherwise, every working order is cancelled."""
        self._enter(now, "disable_trading")
        self._set_state(TradingState.HALTED, by, reason, now)
        if cancel_working:
            for order_id in list(self._pending):
                self.cancel(order_id, now)

    def enable_trading(self, by: str, reason: str, now: int) -> None:
        """Let orders out again."""
        self._enter(now, "enable_trading")
        self._set_state(TradingState.ACTIVE, by, reason, now)

    # -- time ------------------------------------------------------------------------------------------------------

    def next_due(self) -> int | None:
        """Return when the next message arrives somewhere, or `None` when nothing is on the wire."""
        due = self.wire.next_due()
        return None if due == NEVER else due

    def advance(self, now: int) -> None:
        """Deliver everything due by `now`, in time order, each at its own time.

        :raises ClockError: when `now` lies in the past.
        :raises ReentrantCallError: when called by a listener.
        """
        if self._running:
            raise ReentrantCallError("advance")
        self._enter(now, "advance")
        wire = self.wire
        while wire.next_due() <= now:
            self.step()
        self.now = now

    def step(self) -> None:
        """Deliver the one next message; at equal times reports come before requests.

        :raises IndexError: when nothing is on the wire.
        """
        requests, reports = self.wire.requests, self.wire.reports
        self._running = True
        try:
            if reports.head <= requests.head:
                due, (event, native) = reports.pop()
                self.now = max(self.now, due)
                self._deliver(event, native)
            else:
                due, (request, native) = requests.pop()
                self.now = max(self.now, due)
                self._arrive(request, due, native)
        finally:
            self._running = False

    def release(self, until: int) -> None:
        """Let requests due by `until` arrive now, each with its own time, before the reports of the same stretch.

        For engines that match a whole bar at once: what arrives early enough in the bar takes part in it.
        """
        requests = self.wire.requests
        while requests.head <= until:
            due, (request, native) = requests.pop()
            self._arrive(request, due, native)

    # -- the venue's side ------------------------------------------------------------------------------------------

    def report(self, event: OrderEvent | AccountAdjusted, native: object = None) -> None:
        """Send what the venue says down the report leg: fills on the fill leg, all else on the ack leg."""
        wire = self.wire
        kind = type(event)
        if kind is OrderExecution:
            due, n = wire.fill_due(event.order_id, event.timestamp)
            event = replace(event, reported_at=due, execution_id=event.execution_id or f"{event.order_id}/{n}")
        else:
            if kind is AccountAdjusted:  # travels with whatever is before it
                due = wire.report_due(event.timestamp)
            else:
                due = wire.ack_due(event.order_id, event.timestamp)
            if due != event.timestamp:
                event = replace(event, reported_at=due)
        wire.reports.push(due, (event, native))

    def mark(self, symbol: str, price: Decimal, timestamp: int) -> None:
        """The market shows `price` for `symbol`; the client view is valued at it."""
        if self._account is not None:
            self._account.mark(symbol, price, timestamp)

    # -- inside ----------------------------------------------------------------------------------------------------

    def _enter(self, now: int, what: str) -> None:
        if now < self.now:
            raise ClockError(now, self.now, what)
        if now > self.now:
            if self._running:
                raise ReentrantCallError(what)
            self.now = now

    def _submit(self, orders: tuple[Order, ...], now: int, native: object) -> tuple[Order, ...]:
        self._enter(now, "submit")
        for order in orders:
            if order.status is not OrderStatus.NEW:
                raise InvalidTransition(order, OrderSubmitted(order.order_id, now, now), order.status, ())
        refusals = self._refuse_orders(orders)
        if any(refusals):
            return tuple(self._deny(*pair, now) for pair in zip(orders, refusals, strict=True))
        strategy_id = orders[0].strategy_id
        sent = []
        for order in orders:
            self.wire.track(order.order_id, strategy_id)
            event = OrderSubmitted(order.order_id, now, now)
            sent.append((event, self._record(order, event)))
        ids = tuple([order.order_id for order in orders])
        self.wire.send(Leg.SUBMIT, ids[0], now, PlaceRequest(ids), native)
        self._tell_all(sent)
        return tuple([self.get_order(order_id) for order_id in ids])

    def _refuse_orders(self, orders: tuple[Order, ...]) -> list[Rejection | None]:
        refusals: list[Rejection | None] = []
        seen: set[str] = set()
        for order in orders:
            order_id = order.order_id
            if order_id in self._pending or order_id in self._completed or order_id in seen:
                message = f"order id {order_id!r} was used before; ids are for one order each"
                refusals.append(refusal(RejectionReason.DUPLICATE_ORDER, message))
            elif self.trading_state is TradingState.HALTED:
                message = "trading is halted; enable_trading(by, reason) lets orders out again"
                refusals.append(refusal(RejectionReason.RISK_TRADING_DISABLED, message, rule="kill_switch"))
            else:
                refusals.append(validate(order, self._instruments))
            seen.add(order_id)
        culprit = next((order for order, found in zip(orders, refusals, strict=True) if found), None)
        if culprit is None:
            return refusals
        group = refusal(RejectionReason.GROUP_REFUSED, f"{culprit.order_id} of the same group was refused")
        return [found or group for found in refusals]

    def _deny(self, order: Order, rejection: Rejection | None, now: int) -> Order:
        order_id = order.order_id
        event = OrderDenied(order_id, now, now, rejection or refusal(RejectionReason.UNKNOWN, "refused"))
        if order_id not in self._pending and order_id not in self._completed:
            return self._publish(order, event)
        denied = order.apply(event)  # kept out of the books: the id belongs to another order
        self.events.append(event)
        for listener in self._listeners:
            listener(event, denied)
        return denied

    def _refuse_change(self, order: Order, renewed: Order) -> Rejection | None:
        if order.is_complete or order.pending_cancels:
            message = f"{order.order_id} is {order.status}"
            return refusal(RejectionReason.TOO_LATE_TO_MODIFY, message)
        if self.trading_state is TradingState.HALTED:
            return refusal(RejectionReason.RISK_TRADING_DISABLED, "trading is halted", rule="kill_switch")
        if renewed.quantity <= order.filled_quantity:
            message = f"quantity {renewed.quantity} is not above what was filled ({order.filled_quantity})"
            return refusal(
                RejectionReason.TOO_LATE_TO_MODIFY, message, value=renewed.quantity, limit=order.filled_quantity
            )
        return validate(renewed, self._instruments)

    def _set_state(self, state: TradingState, by: str, reason: str, now: int) -> None:
        self.trading_state = state
        event = TradingStateChanged(now, now, state, by, reason)
        self.events.append(event)
        for listener in self._listeners:
            listener(event, None)

    def _request(self, leg: Leg, order: Order, event: OrderEvent, request: Request, native: object) -> Order:
        after = self._record(order, event)
        self.wire.send(leg, order.order_id, self.now, request, native)
        self._tell_all([(event, after)])
        return self.get_order(order.order_id)

    def _tell_all(self, told: list[tuple[OrderEvent, Order]]) -> None:
        """Tell of what was just sent, then deliver what is due at once, unless somebody further out will."""
        outermost = not self._running
        self._running = True
        try:
            for event, order in told:
                self._tell(event, order, None)
        finally:
            self._running = not outermost
        if outermost and self.wire.next_due() <= self.now:
            self.advance(self.now)

    def _arrive(self, request: Request, due: int, native: object) -> None:
        if type(request) is PlaceRequest:
            pending = self._pending
            self._venue.place(tuple(pending[order_id] for order_id in request.order_ids), due, native)
        elif type(request) is CancelRequest:
            self._venue.cancel(request.order_id, due, native)
        elif type(request) is ModifyRequest:
            self._venue.modify(request.order_id, request.change, due, native)

    def _deliver(self, event: Event, native: object) -> None:
        account = self._account
        if isinstance(event, AccountAdjusted | TradingStateChanged):
            if account is not None and isinstance(event, AccountAdjusted):
                account.adjust(event.cash, event.symbol, event.quantity)
            self._tell(event, None, native)
            return
        order_id = event.order_id
        order = self._pending.get(order_id) or self._completed[order_id]
        if type(event) is OrderExecution and account is not None:
            quantity = event.quantity if order.side is _BUY else -event.quantity
            account.trade(order.symbol, quantity, event.price, event.commission)
        self._publish(order, event, native)

    def _publish(self, order: Order, event: OrderEvent, native: object = None) -> Order:
        after = self._record(order, event)
        self._tell(event, after, native)
        return after

    def _record(self, order: Order, event: OrderEvent) -> Order:
        after = order.apply(event)
        order_id = after.order_id
        if after.status in TERMINAL:
            self._pending.pop(order_id, None)
            self._completed[order_id] = after
            if not (after.pending_cancels or after.pending_modifies):
                self.wire.forget(order_id)
        else:
            self._pending[order_id] = after
        return after

    def _tell(self, event: Event, order: Order | None, native: object) -> None:
        self.events.append(event)
        if native is not None and self._native_sink is not None:
            self._native_sink(event, order, native)
        for listener in self._listeners:
            listener(event, order)

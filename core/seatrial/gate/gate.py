"""The execution gate: admission → wire → venue, and back: report leg → client view → listeners.

Nothing is called back from inside a venue's call: what a venue reports is queued, also when it takes no time, and
delivered once the venue has returned. So listeners may submit, modify and cancel at any moment.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

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
from seatrial.contracts.orders import TERMINAL
from seatrial.contracts.rejection import Rejection, RejectionReason
from seatrial.contracts.terms import OrderSide, TradingState
from seatrial.errors import ClockError, InvalidConfigError, ReentrantCallError
from seatrial.gate.admission import Admission, check_operator, linked
from seatrial.gate.client import ClientView, Listener, NativeSink
from seatrial.gate.inbound import ReportLeg
from seatrial.gate.instruments import Instruments
from seatrial.gate.ports import CancelRequest, ModifyRequest, PlaceRequest, Request, Venue
from seatrial.gate.queue import NEVER
from seatrial.gate.validator import refusal
from seatrial.gate.wire import Wire

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from decimal import Decimal

    from seatrial.contracts.orders import Order
    from seatrial.gate.account import Account
    from seatrial.plugins import Plugins

__all__ = ["ExecutionGate"]

_BUY = OrderSide.BUY
_ACTIVE = TradingState.ACTIVE


class ExecutionGate(ReportLeg):
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
        plugins: Plugins | None = None,
    ) -> None:
        """Stand before `venue`, with every delay drawn from `latency`, `seed` and `simulator_id`.

        Latency models that `latency` names come from `plugins`, the installed ones unless given.
        """
        self.now = 0
        """The time reached: that of the last call or of the action being delivered."""
        self.client = ClientView(native_sink)
        """What the client has been told."""
        super().__init__(Wire(latency, seed, simulator_id, plugins))
        self.admission = Admission(self.client, instruments or Instruments())
        """What an order must pass before it leaves."""
        self._venue = venue
        self._account = account
        self.running = False
        """Whether something is being delivered or told: time may not be moved then."""

    # -- what can be read ------------------------------------------------------------------------------------------

    @property
    def trading_state(self) -> TradingState:
        """What the gate lets out at present."""
        return self.admission.state

    @property
    def events(self) -> Sequence[Event]:
        """Everything the client did or was told, in order."""
        return self.client.events

    @property
    def pending_orders(self) -> Mapping[str, Order]:
        """The orders that have not ended, by id, oldest first. A live, read-only view."""
        return self.client.pending_orders

    @property
    def completed_orders(self) -> Mapping[str, Order]:
        """The orders that have ended, by id, in the order they did. A live, read-only view."""
        return self.client.completed_orders

    def get_order(self, order_id: str) -> Order:
        """Return an order as the client knows it, in flight ones included.

        :raises UnknownOrderError: for an id that was never submitted.
        """
        return self.client.get(order_id)

    def add_listener(self, listener: Listener) -> None:
        """Let `listener` hear every event from now on, after those added before it.

        :raises InvalidConfigError: when it cannot be called.
        """
        if not callable(listener):
            raise InvalidConfigError("listener", listener, "give a callable that takes an event and an order")
        self.client.listeners = (*self.client.listeners, listener)

    # -- the strategy's side ---------------------------------------------------------------------------------------

    def submit(self, order: Order, now: int, native: object = None) -> Order:
        """Send a new order; return it as it stands when the call ends.

        A refusal is no exception: the order comes back REJECTED with its reason. An id seen before is refused and the
        first order left as it was.

        :raises InvalidTransition: for an order that is not NEW.
        """
        if now != self.now:
            self._enter(now, "submit")
        rejection = self.admission.refuse(order, now)
        if rejection is not None:
            return self._deny(order, rejection, now)
        order_id = order.order_id
        client, wire = self.client, self.wire
        wire.track(order_id, order.strategy_id)
        event = OrderSubmitted(order_id, now, now)
        client.pending[order_id] = sent = order.apply(event)
        wire.send(Leg.SUBMIT, order_id, now, PlaceRequest((order_id,)), native)
        if client.listeners:
            self._tell([(event, sent)])
        else:
            client.events.append(event)
        if wire.requests.head <= now and not self.running:
            self._deliver_until(now)
        return client.pending.get(order_id) or client.completed[order_id]

    def submit_bracket(self, entry: Order, *exits: Order, now: int, native: object = None) -> tuple[Order, ...]:
        """Send an entry with its exits as one message; all are accepted or all refused.

        The exits wait at the venue until the entry completes. Unless they say otherwise they get the entry as parent
        and, when there are several, one OCO group.

        :raises InvalidOrderError: when an exit is on the entry's side, in another symbol, or has another parent.
        """
        self._enter(now, "submit_bracket")
        orders = (entry, *linked(entry, exits))
        refusals = self.admission.refuse_group(orders, now)
        if refusals:
            pairs = zip(orders, refusals, strict=True)
            return tuple([self._deny(order, rejection, now) for order, rejection in pairs])
        ids = tuple([order.order_id for order in orders])
        sent: list[tuple[Event, Order | None]] = []
        for order in orders:
            self.wire.track(order.order_id, entry.strategy_id)
            event = OrderSubmitted(order.order_id, now, now)
            sent.append((event, self.client.record(order, event)))
        self.wire.send(Leg.SUBMIT, ids[0], now, PlaceRequest(ids), native)
        self._tell(sent)
        self._settle()
        return tuple([self.client.get(order_id) for order_id in ids])

    def cancel(self, order_id: str, now: int, native: object = None) -> Order:
        """Ask to end an order; it may still fill until the venue answers. A cancel already under way is enough.

        :raises UnknownOrderError: for an id that was never submitted.
        """
        self._enter(now, "cancel")
        order = self.client.get(order_id)
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
        order = self.client.get(order_id)
        rejection = self.admission.refuse_change(order, order.amended(change))
        requested = ModifyRequested(order_id, now, now, change)
        if rejection is None:
            return self._request(Leg.MODIFY, order, requested, ModifyRequest(order_id, change), native)
        events = (requested, ModifyRefused(order_id, now, now, rejection))
        return self._publish(order, *events[order.is_complete :])

    def disable_trading(self, by: str, reason: str, now: int, *, cancel_working: bool = True) -> None:
        """Halt: nothing leaves any more but cancels; unless told otherwise, every working order is cancelled."""
        check_operator(by, reason)
        self._enter(now, "disable_trading")
        self.admission.state = TradingState.HALTED
        halted = TradingStateChanged(now, now, TradingState.HALTED, by, reason)
        told: list[tuple[Event, Order | None]] = [(halted, None)]
        working = [order for order in self.client.pending.values() if not order.pending_cancels]
        for order in working if cancel_working else ():
            requested = CancelRequested(order.order_id, now, now)
            told.append((requested, self.client.record(order, requested)))
            self.wire.send(Leg.CANCEL, order.order_id, now, CancelRequest(order.order_id), None)
        self._tell(told)
        self._settle()

    def enable_trading(self, by: str, reason: str, now: int) -> None:
        """Let orders out again."""
        check_operator(by, reason)
        self._enter(now, "enable_trading")
        self.admission.state = _ACTIVE
        self._tell([(TradingStateChanged(now, now, _ACTIVE, by, reason), None)])

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
        if self.running:
            raise ReentrantCallError("advance")
        if now < self.now:
            raise ClockError(now, self.now, "advance")
        self._deliver_until(now)
        self.now = now

    def step(self) -> None:
        """Deliver the one next message, if there is any; at equal times reports come before requests."""
        due = self.wire.next_due()
        if due != NEVER:
            self._deliver_until(due, once=True)

    def release(self, until: int) -> None:
        """Let requests due by `until` arrive now, each with its own time, before the reports of the same stretch.

        For engines that match a whole bar at once: what arrives early enough in the bar takes part in it.
        """
        self.wire.reports.due(self.now)  # whatever this stretch brings, it is not heard in the past
        requests = self.wire.requests
        while requests.head <= until:
            due, request, native = requests.pop()
            self._arrive(request, due, native)

    # -- the market's side -----------------------------------------------------------------------------------------

    def mark(self, symbol: str, price: Decimal, timestamp: int) -> None:
        """The market shows `price` for `symbol`; the client view is valued at it."""
        if self._account is not None:
            self._account.mark(symbol, price, timestamp)

    # -- on the way out --------------------------------------------------------------------------------------------

    def _enter(self, now: int, what: str) -> None:
        if now < self.now:
            raise ClockError(now, self.now, what)
        if now > self.now:
            if self.running:
                raise ReentrantCallError(what)
            self.now = now

    def _deny(self, order: Order, rejection: Rejection, now: int) -> Order:
        event = OrderDenied(order.order_id, now, now, rejection)
        if not self.client.knows(order.order_id):
            return self._publish(order, event)
        denied = order.apply(event)  # kept out of the books: the id belongs to another order
        self._tell([(event, denied)])
        return denied

    def _request(self, leg: Leg, order: Order, event: OrderEvent, request: Request, native: object) -> Order:
        sent = self.client.record(order, event)
        self.wire.send(leg, order.order_id, self.now, request, native)
        self._tell([(event, sent)])
        self._settle()
        return self.client.get(order.order_id)

    def _publish(self, order: Order, *events: OrderEvent) -> Order:
        told: list[tuple[Event, Order | None]] = []
        for event in events:
            order = self.client.record(order, event)
            told.append((event, order))
        self._tell(told)
        return order

    def _tell(self, told: Sequence[tuple[Event, Order | None]]) -> None:
        """Log what the client itself did, then let everybody hear it; who does may send, but not yet deliver.

        What was done has been done before anybody hears of it, so a listener that fails takes nothing back.
        """
        client = self.client
        client.events.extend([event for event, _ in told])
        outermost = not self.running
        self.running = True
        try:
            for event, order in told:
                client.hear(event, order)
        finally:
            self.running = not outermost

    def _settle(self) -> None:
        """Deliver what is due at once, unless somebody further out will."""
        if not self.running and self.wire.next_due() <= self.now:
            self._deliver_until(self.now)

    # -- on the way ------------------------------------------------------------------------------------------------

    def _deliver_until(self, until: int, *, once: bool = False) -> None:
        """Deliver in time order; at equal times reports come before requests. `once` stops after one message."""
        requests, reports = self.wire.requests, self.wire.reports
        messages = reports.messages
        self.running = True
        try:
            while True:
                due = reports.head
                if due <= requests.head:
                    if due > until:
                        break
                    _, event, native = messages.popleft()
                    reports.head = messages[0][0] if messages else NEVER
                    if due > self.now:  # noqa: PLR1730 - max() costs a call for every message
                        self.now = due
                    if type(event) is AccountAdjusted:
                        self._adjust(event, native)
                    else:
                        self._deliver(event, native)  # type: ignore[arg-type]  # no adjustment, so about an order
                else:
                    if requests.head > until:
                        break
                    due, request, native = requests.pop()
                    if due > self.now:  # noqa: PLR1730 - as above
                        self.now = due
                    self._arrive(request, due, native)
                if once:
                    break
        finally:
            self.running = False

    def _arrive(self, request: Request, due: int, native: object) -> None:
        if type(request) is PlaceRequest:
            pending, ids = self.client.pending, request.order_ids
            orders = (pending[ids[0]],) if len(ids) == 1 else tuple([pending[order_id] for order_id in ids])
            self._venue.place(orders, due, native)
        elif type(request) is CancelRequest:
            self._venue.cancel(request.order_id, due, native)
        elif type(request) is ModifyRequest:
            self._venue.modify(request.order_id, request.change, due, native)

    def _adjust(self, event: AccountAdjusted, native: object) -> None:
        if self._account is not None:
            self._account.adjust(event.cash, event.symbol, event.quantity)
        self.client.tell(event, None, native)

    def _deliver(self, event: OrderEvent, native: object) -> None:
        account, client = self._account, self.client
        order_id = event.order_id
        pending = client.pending
        order = pending.get(order_id) or client.get(order_id)
        after = order.apply(event)
        if after.status in TERMINAL:
            pending.pop(order_id, None)
            client.completed[order_id] = after
            if not (after.pending_cancels or after.pending_modifies):
                self.wire.forget(order_id)
        else:
            pending[order_id] = after
        if type(event) is OrderExecution:
            if client.reported is not None:
                client.reported.append(event)
            if account is not None:
                quantity = event.quantity if order.side is _BUY else -event.quantity
                account.trade(order.symbol, quantity, event.price, event.commission)
        if client.listeners or native is not None:
            client.tell(event, after, native)
        else:
            client.events.append(event)

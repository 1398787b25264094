"""The execution gate: admission → wire → venue, and back: report leg → client view → listeners.

Nothing is called back from inside a venue's call: what a venue reports is queued, also when it takes no time, and
delivered once the venue has returned. So listeners may submit, modify and cancel at any moment.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from seatrial.contracts.events import (
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
from seatrial.contracts.orders import Order
from seatrial.contracts.rejection import Rejection, RejectionReason
from seatrial.contracts.terms import TradingState
from seatrial.errors import ClockError, InvalidConfigError, ReentrantCallError
from seatrial.gate.account import Account
from seatrial.gate.admission import Admission, linked
from seatrial.gate.client import ClientView, Listener, NativeSink
from seatrial.gate.controls import check_operator
from seatrial.gate.foreign import Foreign
from seatrial.gate.instruments import Instruments
from seatrial.gate.ports import CancelRequest, Crosser, ModifyRequest, NativeCodec, PlaceRequest, Request, Venue
from seatrial.gate.queue import NEVER
from seatrial.gate.state import GateState
from seatrial.gate.validator import refusal
from seatrial.gate.wire import Wire

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from seatrial.contracts.account import AccountView
    from seatrial.contracts.risk import RiskConfig
    from seatrial.plugins import Plugins

__all__ = ["ExecutionGate"]


class ExecutionGate(Foreign):
    """One gate between one strategy side and one venue.

    Times are UNIX ns UTC and may not go backwards. `account` is the client view the gate keeps; an adapter whose engine
    keeps its own ledger passes `None`, reads the native payloads of its reports through `native_sink`, and supplies
    what rules are to read as `account_view`.
    """

    def __init__(
        self,
        venue: Venue,
        *,
        latency: LatencyConfig = LATENCY_INSTANT,
        risk: RiskConfig | None = None,
        seed: int = 0,
        simulator_id: str = "sim",
        instruments: Instruments | None = None,
        account: Account | None = None,
        account_view: AccountView | None = None,
        native_sink: NativeSink | None = None,
        native_codec: NativeCodec | None = None,
        plugins: Plugins | None = None,
        prompt: bool = True,
    ) -> None:
        """Stand before `venue`, with every delay drawn from `latency`, `seed` and `simulator_id`.

        What `latency` and `risk` name comes from `plugins`, the installed ones unless given. A gate that is `prompt`
        delivers what is due at once within the call that sent it; any other leaves that to `advance` and `step`, for an
        engine whose strategies never hear of an order before the call that sent it has returned.

        :raises InvalidConfigError: for `risk` without an account that the rules could read.
        """
        self._native_codec = native_codec
        view = account if account_view is None else account_view
        if risk is not None and view is None:
            raise InvalidConfigError("risk", risk, "rules need an account to read; give account or account_view")
        client = ClientView(native_sink)
        admission = Admission(client, instruments or Instruments(), view, risk, plugins)
        wire = Wire(latency, seed, simulator_id, plugins)
        super().__init__(venue, wire, client, admission, account=account, view=view, prompt=prompt)
        self._crosser: Crosser | None = getattr(venue, "cross", None) if prompt and wire.at_once else None

    # -- what can be read ------------------------------------------------------------------------------------------

    @property
    def trading_state(self) -> TradingState:
        """What the gate lets out at present."""
        return self.admission.controls.state

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
        if now != self.now or now >= self.boundary:
            self._enter(now, "submit")
        rejection = self.admission.refuse(order, now)
        if rejection is not None:
            return self._deny(((order, rejection),), now)[0]
        client, wire, crosser = self.client, self.wire, self._crosser
        heard = client.listeners or self._hearers
        if crosser is not None and not heard and not self.running and native is None and wire.crosses(now):
            crossed = crosser(order, now)
            if crossed is not None:
                return self._cross(order, now, *crossed)
        order_id = order.order_id
        wire.track(order_id, order.strategy_id)
        event = OrderSubmitted(order_id, now, now)
        client.pending[order_id] = sent = order.apply(event)
        wire.send(Leg.SUBMIT, order_id, now, PlaceRequest((order_id,)), native)
        self._log(event, sent)
        if not heard and wire.requests.head > now and wire.reports.head > now:  # nothing more happens now
            return sent
        self._finish()
        return client.completed.get(order_id) or client.pending[order_id]

    def deny(self, order: Order, rejection: Rejection, now: int) -> Order:
        """Record a new order that somebody on this side has refused before it came here; return it REJECTED."""
        self._enter(now, "deny")
        return self._deny(((order, rejection),), now)[0]

    def submit_bracket(self, entry: Order, *exits: Order, now: int, native: object = None) -> tuple[Order, ...]:
        """Send an entry with its exits as one message; all are accepted or all refused.

        The exits wait at the venue until the entry completes. Unless they say otherwise they get the entry as parent
        and, when there are several, one OCO group.

        :raises InvalidOrderError: when an exit is on the entry's side, in another symbol, or has another parent.
        """
        return self.submit_group((entry, *linked(entry, exits)), now, native)

    def submit_group(self, orders: tuple[Order, ...], now: int, native: object = None) -> tuple[Order, ...]:
        """Send orders, linked as they are, as one message; all are accepted or all refused."""
        self._enter(now, "submit_group")
        refusals = self.admission.refuse_group(orders, now)
        if refusals:
            return self._deny(tuple(zip(orders, refusals, strict=True)), now)
        self._send(orders, now, native)
        self._finish()
        return tuple([self.client.get(order.order_id) for order in orders])

    def cancel(self, order_id: str, now: int, native: object = None) -> Order:
        """Ask to end an order; it may still fill until the venue answers. A cancel already under way is enough.

        :raises UnknownOrderError: for an id that was never submitted.
        """
        self._enter(now, "cancel")
        order = self.client.get(order_id)
        if order.pending_cancels:
            return order
        if order.is_complete:
            message = f"{order_id} was {order.status} before the cancel left"
            rejection = refusal(RejectionReason.TOO_LATE_TO_CANCEL, message)
            return self._publish(order, CancelRefused(order_id, now, now, rejection))
        request = CancelRequest(order_id)
        return self._request(Leg.CANCEL, order, CancelRequested(order_id, now, now), request, native)

    def modify(self, order_id: str, change: OrderChange, now: int, native: object = None) -> Order:
        """Ask to change a working order; the old terms hold until the new ones are reported.

        :raises UnknownOrderError: for an id that was never submitted.
        :raises InvalidOrderError: when the order would contradict itself under the new terms, or nothing changes.
        """
        self._enter(now, "modify")
        order = self.client.get(order_id)
        if order.is_complete and order.pending_modifies:
            return order  # the answer to an earlier one is still to come, and says the same
        rejection = self.admission.refuse_change(order, change, now)
        requested = ModifyRequested(order_id, now, now, change)
        if rejection is None:
            return self._request(Leg.MODIFY, order, requested, ModifyRequest(order_id, change), native)
        events = (requested, ModifyRefused(order_id, now, now, rejection))
        return self._publish(order, *events[order.is_complete :])

    def disable_trading(self, by: str, reason: str, now: int, *, cancel_working: bool = True) -> None:
        """Halt: nothing leaves any more but cancels; unless told otherwise, every working order is cancelled."""
        self.switch(TradingState.HALTED, by, reason, now, cancel_working=cancel_working)

    def restrict_trading(self, by: str, reason: str, now: int, *, cancel_working: bool = False) -> None:
        """Let only orders out that provably reduce a position, never one that might flip it."""
        self.switch(TradingState.REDUCE_ONLY, by, reason, now, cancel_working=cancel_working)

    def enable_trading(self, by: str, reason: str, now: int) -> None:
        """Let orders out again, and release what rules have latched: losses are measured from here on."""
        self.switch(TradingState.ACTIVE, by, reason, now, cancel_working=False)

    def switch(self, state: TradingState, by: str, reason: str, now: int, *, cancel_working: bool) -> None:
        """Put the gate into `state`, by whom and why."""
        check_operator(by, reason)
        self._enter(now, "switching trading")
        admission = self.admission
        released = tuple(admission.controls.latches.values())
        admission.controls.switch(state)
        if self.trading_state is TradingState.REDUCE_ONLY:
            admission.count()
        self._log(TradingStateChanged(now, now, self.trading_state, by, reason), None)
        if state is TradingState.ACTIVE and admission.risk is not None:
            self._latch(admission.risk.enabled(by, reason, released))
        if cancel_working:
            self._sweep(now)
        self._finish()

    # -- time ------------------------------------------------------------------------------------------------------

    def next_due(self) -> int | None:
        """Return when anything happens next by itself: a message arrives or the day turns; `None` for never."""
        return None if (due := self.due()) == NEVER else due

    def advance(self, now: int) -> None:
        """Deliver everything due by `now`, in time order, each at its own time.

        :raises ClockError: when `now` lies in the past.
        :raises ReentrantCallError: when called by a listener.
        """
        self.deliver(now)
        self.assess()

    def deliver(self, now: int) -> None:
        """Do what :meth:`advance` does, and leave it to the caller to :meth:`assess`."""
        if self.running:
            raise ReentrantCallError("advance")
        if now < self.now:
            raise ClockError(now, self.now, "advance")
        self._deliver_until(now)
        self.now = now

    def proceed(self, until: int) -> None:
        """Do what is due by `until` in time order, up to the turn of a day or the first request to reach the venue.

        At equal times the day turns first, and reports precede requests. For drivers of venues with a clock of their
        own, which an arrival may set.
        """
        self.running = True
        try:
            if self.boundary <= until and self.boundary <= self.wire.next_due():
                self._turn_day(until)
            else:
                self._drain(min(until, self.boundary - 1), pausing=True)
        finally:
            self.running = False

    def resume(self) -> None:
        """Finish what a restored gate was in the middle of."""
        until = self._until
        if self._hearing:
            self._hearing = False
            self._hear()
        if until >= 0:
            self._deliver_until(until)

    def release(self, until: int) -> None:
        """Let requests due by `until` arrive now, each with its own time, before the reports of the same stretch.

        For engines that match a whole bar at once: what arrives early enough in the bar takes part in it.
        """
        self.wire.reports.due(self.now)  # whatever this stretch brings, it is not heard in the past
        requests = self.wire.requests
        while requests.head <= until:
            due, request, native = requests.pop()
            self._arrive(request, due, native)

    # -- state -----------------------------------------------------------------------------------------------------

    def snapshot(self) -> GateState:
        """Return the state beside orders and events; it shares nothing that changes with the gate.

        Within a listener the event it hears counts as heard by everybody: add the one that takes snapshots last.

        :raises InvalidConfigError: for a payload or a rule's state that cannot be written.
        """
        client, admission = self.client, self.admission
        return GateState(
            self.now,
            None if self.boundary == NEVER else self.boundary,
            self._until,
            self._flattened,
            dict(self._closing),
            self.judging,
            len(client.reported or ()),
            self._hearing,
            tuple([order for _, order in self._unheard]),
            self.wire.snapshot(self._native_codec),
            admission.controls.snapshot(),
            None if self._account is None else self._account.snapshot(),
            None if admission.exposure is None else admission.exposure.snapshot(),
            None if admission.risk is None else admission.risk.snapshot(),
        )

    def restore(self, state: GateState) -> None:
        """Become what `state` says, `client` having its orders and events back already.

        :raises InvalidConfigError: when the state does not fit the gate's rules.
        """
        client, admission = self.client, self.admission
        self.now, self._until, self._flattened = state.now, state.until, state.flattened
        self._closing, self.judging = dict(state.closing), state.judging
        self.boundary = NEVER if state.boundary is None else state.boundary
        if client.reported is not None and state.reported:
            executions = [event for event in client.events if type(event) is OrderExecution]
            client.reported = executions[-state.reported :]
        self._hearing = state.hearing
        if state.unheard:
            self._unheard.extend(zip(client.events[-len(state.unheard) :], state.unheard, strict=True))
        self.wire.restore(state.wire, self._native_codec)
        admission.controls.restore(state.controls)
        if self._account is not None and state.account is not None:
            self._account.restore(state.account)
        if state.exposure is not None:
            admission.count()
            if admission.exposure is not None:
                admission.exposure.restore(state.exposure)
        if admission.risk is not None and state.risk is not None:
            admission.risk.restore(state.risk)

    # -- on the way out --------------------------------------------------------------------------------------------

    def _enter(self, now: int, what: str) -> None:
        if now < self.now:
            raise ClockError(now, self.now, what)
        if now > self.now and self.running:
            raise ReentrantCallError(what)
        while now >= self.boundary:
            self._turn_day(now)
        self.now = now

    def _deny(self, refused: tuple[tuple[Order, Rejection], ...], now: int) -> tuple[Order, ...]:
        denied: list[Order] = []
        for order, rejection in refused:
            event = OrderDenied(order.order_id, now, now, rejection)
            known = self.client.knows(order.order_id)  # then it stays out of the books: the id belongs to another order
            denied.append(order.apply(event) if known else self.client.record(order, event))
            self._log(event, denied[-1])
        self._finish(settle=self._follow_up())
        return tuple(denied)

    def _follow_up(self) -> bool:
        """Latch what rules wanted to follow from a refusal; return whether anything did."""
        trips, self.admission.trips = self.admission.trips, []
        return self._latch(trips) if trips else False

    def _request(self, leg: Leg, order: Order, event: OrderEvent, request: Request, native: object) -> Order:
        sent = self.client.record(order, event)
        self.wire.send(leg, order.order_id, self.now, request, native)
        self._log(event, sent)
        self._finish()
        return self.client.get(order.order_id)

    def _publish(self, order: Order, *events: OrderEvent) -> Order:
        for event in events:
            order = self.client.record(order, event)
            self._log(event, order)
        self._finish(settle=self._follow_up())
        return order

"""The delivery side of the gate: what is under way arrives in time order, and everybody hears of it in that order.

What happens is first done, then logged, then heard. A listener may submit, modify and cancel; what that brings about is
logged at once and heard by everybody after what they are hearing now. So every listener hears the log as it stands, and
between two calls of listeners nothing is half done.
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

from seatrial.contracts.events import (
    AccountAdjusted,
    CancelRequested,
    Event,
    ModifyRefused,
    OrderAccepted,
    OrderExecution,
    OrderReplaced,
    OrderSubmitted,
    TradingStateChanged,
)
from seatrial.contracts.latency import Leg
from seatrial.contracts.orders import TERMINAL, Order
from seatrial.contracts.risk import RiskAction
from seatrial.contracts.terms import OrderSide, OrderStatus, OrderType
from seatrial.gate.controls import SWEEPING
from seatrial.gate.inbound import ReportLeg
from seatrial.gate.ports import CancelRequest, ModifyRequest, PlaceRequest, Request, Venue
from seatrial.gate.queue import NEVER
from seatrial.gate.validator import refusal

if TYPE_CHECKING:
    from collections.abc import Iterable
    from decimal import Decimal

    from seatrial.contracts.account import AccountView
    from seatrial.contracts.events import OrderEvent
    from seatrial.contracts.risk import RiskViolation
    from seatrial.gate.account import Account
    from seatrial.gate.admission import Admission
    from seatrial.gate.client import ClientView
    from seatrial.gate.risk import Trip
    from seatrial.gate.stake import Stake
    from seatrial.gate.wire import Wire

__all__ = ["NOWHERE", "Delivery"]

_BUY = OrderSide.BUY
_FILLED = OrderStatus.FILLED
NOWHERE = -1  # how far a call that delivers nothing is to deliver
_RECOUNTED = frozenset({OrderExecution, OrderReplaced, ModifyRefused})
_CLOSER = "flatten"


class Delivery(ReportLeg):
    """Carries requests to the venue and reports to the client, and latches what rules ask for."""

    def __init__(
        self,
        venue: Venue,
        wire: Wire,
        client: ClientView,
        admission: Admission,
        *,
        account: Account | None,
        view: AccountView | None,
        prompt: bool,
    ) -> None:
        """Start with nothing under way."""
        super().__init__(wire)
        self.now = 0
        """The time reached: that of the last call or of the action being delivered."""
        self.client = client
        """What the client has been told."""
        self.admission = admission
        """What an order must pass before it leaves."""
        self.running = False
        """Whether something is being delivered or heard: time may not be moved then."""
        self.boundary = NEVER if admission.risk is None else 0
        """When the trading day turns, where that matters; 0 before the first day."""
        self._venue, self._account, self._view, self._prompt = venue, account, view, prompt
        self._unheard: deque[tuple[Event, Order | None]] = deque()
        self._hearing = False
        self._until = NOWHERE  # how far the call under way is to deliver
        self._flattened = 0
        self._closing: dict[str, str] = {}  # the orders that close positions by now, by symbol
        self.judging = True
        """Whether rules look at the account with every fill; not within a bar, whose own prices come at its end."""
        self._hearers = admission.risk is not None and bool(admission.risk.hearers)

    # -- telling ---------------------------------------------------------------------------------------------------

    def _log(self, event: Event, order: Order | None, native: object = None) -> None:
        client = self.client
        client.events.append(event)
        if native is not None and client.native_sink is not None:
            client.native_sink(event, order, native)
        if client.listeners:
            self._unheard.append((event, order))
        if self._hearers and self.admission.risk is not None:
            self._latch(self.admission.risk.hear(event, order))

    def _hear(self) -> None:
        """Let everybody hear what they have not; a listener that fails takes nothing back."""
        unheard = self._unheard
        if not unheard or self._hearing:
            return
        outermost = not self.running
        self.running = self._hearing = True
        try:
            while unheard:
                event, order = unheard.popleft()
                self.client.hear(event, order)
        finally:
            self._hearing = False
            self.running = not outermost

    def _finish(self, *, settle: bool = True) -> None:
        """End a call: everybody hears of it, then what is due at once arrives. Inner calls leave that to the outer."""
        if self.running:
            return
        if not settle:
            self._hear()
            return
        self._until = self.now
        try:
            self._hear()
            if self._prompt and self.wire.next_due() <= self.now:
                self._deliver_until(self.now)
        finally:
            self._until = NOWHERE

    # -- time ------------------------------------------------------------------------------------------------------

    def due(self) -> int:
        """Return when anything happens next without the market's doing, or :data:`~seatrial.gate.queue.NEVER`."""
        return min(self.wire.next_due(), self.boundary)

    def _deliver_until(self, until: int) -> None:
        """Deliver in time order; at equal times the day turns first, and reports come before requests."""
        self._until = until
        self.running = True
        try:
            while self.boundary <= until:
                self._drain(self.boundary - 1)
                self._turn_day(until)
            self._drain(until)
        finally:
            self.running = False
            self._until = NOWHERE

    def _drain(self, until: int, *, once: bool = False) -> None:
        requests, reports = self.wire.requests, self.wire.reports
        messages = reports.messages
        while True:
            due = reports.head
            if due <= requests.head:
                if due > until:
                    break
                _, event, native = messages.popleft()
                reports.head = messages[0][0] if messages else NEVER
                if due > self.now:  # noqa: PLR1730 - max() costs a call for every message
                    self.now = due
                kind = type(event)
                if kind is OrderExecution:
                    self._book(event, native)  # type: ignore[arg-type]  # its kind says that it is one
                elif kind is AccountAdjusted:
                    self._adjust(event, native)  # type: ignore[arg-type]  # as above
                else:
                    self._deliver(event, native)  # type: ignore[arg-type]  # neither, so about an order
            else:
                if requests.head > until:
                    break
                due, request, native = requests.pop()
                if due > self.now:  # noqa: PLR1730 - as above
                    self.now = due
                self._arrive(request, due, native)
            if once:
                break

    def _step(self, due: int, until: int) -> None:
        """Do the one next thing, which is due at `due`; the first day begins at `until`."""
        self.running = True
        try:
            if self.boundary <= due:
                self._turn_day(until)
            else:
                self._drain(due, once=True)
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
        view, risk, exposure = self._view, self.admission.risk, self.admission.exposure
        before = view.equity if view is not None and risk is not None else None
        if self._account is not None:
            self._account.adjust(event.cash, event.symbol, event.quantity)
        if exposure is not None and event.symbol is not None:
            exposure.touch(event.symbol)
        self._log(event, None, native)
        if risk is not None and view is not None and before is not None:
            risk.shift(view.equity - before)
            self._assess()
        self._hear()

    def _deliver(self, event: OrderEvent, native: object) -> None:
        """Take in a report about an order that is no fill."""
        client, order_id = self.client, event.order_id
        order = client.pending.get(order_id) or client.get(order_id)
        after = order.apply(event)
        if type(event) is OrderAccepted:  # every good order takes this one, and goes on as it was
            client.pending[order_id] = after
        elif after.status in TERMINAL:
            self._complete(after)
        else:
            self._go_on(order, after, event)
        if client.listeners or native is not None or self._hearers:
            self._log(event, after, native)
            self._hear()
        else:
            client.events.append(event)

    def _complete(self, after: Order) -> Stake | None:
        """Take in that an order has ended; return the stake it no longer counts in."""
        admission, order_id = self.admission, after.order_id
        self.client.pending.pop(order_id, None)
        self.client.completed[order_id] = after
        if not (after.pending_cancels or after.pending_modifies):
            self.wire.forget(order_id)
        return None if admission.exposure is None else admission.exposure.drop(order_id)

    def _go_on(self, order: Order, after: Order, event: OrderEvent) -> None:
        """Take in that an order goes on, perhaps with other terms or less to fill."""
        self.client.pending[order.order_id] = after
        if type(event) is OrderReplaced:
            self.client.originals.setdefault(order.order_id, order)
        if self.admission.exposure is not None and type(event) in _RECOUNTED:
            self.admission.exposure.follow(after, event)

    def _book(self, event: OrderExecution, native: object) -> None:
        """Take in a fill; what rules latch for it is part of the same moment."""
        client, account, order_id = self.client, self._account, event.order_id
        order = client.pending.get(order_id) or client.get(order_id)
        after = order.apply(event)
        stake = None
        if after.status is _FILLED:
            stake = self._complete(after)
        else:
            self._go_on(order, after, event)
        if client.reported is not None:
            client.reported.append(event)
        symbol, price, admission = order.symbol, event.price, self.admission
        if account is not None:
            quantity = event.quantity if order.side is _BUY else -event.quantity
            account.trade(symbol, quantity, price, event.commission)
        if admission.exposure is not None and (stake is None or stake.mark is None):
            admission.exposure.trade(symbol, price, event.reported_at)
        if client.listeners or native is not None or self._hearers:
            self._log(event, after, native)
        else:
            client.events.append(event)
        risk = admission.risk
        if risk is not None and self.judging:
            if trips := risk.watch(self.now):
                self._latch(trips)
            if admission.controls.flattens:
                self._flatten(self.now)
        if self._unheard:
            self._hear()

    # -- risk ------------------------------------------------------------------------------------------------------

    def mark(self, symbol: str, price: Decimal, timestamp: int) -> None:
        """The market shows `price` for `symbol`: the client view is valued at it. See :meth:`assess`."""
        if self._account is not None:
            self._account.mark(symbol, price, timestamp)
        exposure = self.admission.exposure
        if exposure is not None:
            exposure.mark(symbol, price, timestamp)

    def assess(self) -> None:
        """Let the rules look at the account, once all marks of a moment are in."""
        if self._assess():
            self._finish()

    def _assess(self) -> bool:
        """Latch what watching rules ask for; return whether anything came of it."""
        risk = self.admission.risk
        if risk is None:
            return False
        trips = risk.watch(self.now)
        latched = self._latch(trips) if trips else False
        return self._flatten(self.now) or latched if self.admission.controls.flattens else latched

    def _latch(self, trips: Iterable[Trip]) -> bool:
        now, admission = self.now, self.admission
        latched = False
        for rule, violation in trips:
            if not admission.controls.latch(rule, violation):
                continue
            latched = True
            admission.count()
            self._log(self._state_changed(rule, violation), None)
            if violation.action in SWEEPING:
                self._sweep(now)
            if violation.action is RiskAction.FLATTEN:
                self._flatten(now)
        return latched

    def _state_changed(self, rule: str, violation: RiskViolation) -> TradingStateChanged:
        now, state = self.now, self.admission.controls.state
        cause = refusal(violation.reason, violation.message, rule=rule, value=violation.value, limit=violation.limit)
        return TradingStateChanged(now, now, state, rule, violation.message, cause)

    def _sweep(self, now: int) -> None:
        """Send a cancel after everything that works, except what closes positions."""
        closing = self._closing.values()
        working = [order for order in self.client.pending.values() if order.order_id not in closing]
        for order in working:
            if order.pending_cancels:
                continue
            requested = CancelRequested(order.order_id, now, now)
            sent = self.client.record(order, requested)
            self.wire.send(Leg.CANCEL, order.order_id, now, CancelRequest(order.order_id), None)
            self._log(requested, sent)

    def _flatten(self, now: int) -> bool:
        """Send a market order against every position that nothing of ours is closing yet; return whether any left."""
        sent = False
        positions = [] if self._view is None else sorted(self._view.positions.items())
        for symbol, position in positions:
            if self._closing.get(symbol) in self.client.pending:
                continue
            sent = True
            order = Order(
                order_id=self._own_id(),
                symbol=symbol,
                side=OrderSide.SELL if position > 0 else _BUY,
                order_type=OrderType.MARKET,
                quantity=abs(position),
                created_at=now,
                reduce_only=True,
                strategy_id=_CLOSER,
            )
            self._closing[symbol] = order.order_id
            self.admission.count_in(order)
            self._send((order,), now, None)
        return sent

    def _own_id(self) -> str:
        while True:
            self._flattened += 1
            order_id = f"{_CLOSER}-{self._flattened}"
            if not self.client.knows(order_id):
                return order_id

    def _send(self, orders: tuple[Order, ...], now: int, native: object) -> None:
        """Put orders that passed on the wire, as one message."""
        ids = tuple([order.order_id for order in orders])
        sent: list[tuple[OrderSubmitted, Order]] = []
        for order in orders:
            self.wire.track(order.order_id, orders[0].strategy_id)
            event = OrderSubmitted(order.order_id, now, now)
            sent.append((event, self.client.record(order, event)))
        self.wire.send(Leg.SUBMIT, ids[0], now, PlaceRequest(ids), native)
        for event, order in sent:
            self._log(event, order)

    def _turn_day(self, until: int) -> None:
        """Begin the first day, at `until`, or the one that is due by then."""
        risk, controls = self.admission.risk, self.admission.controls
        if risk is None:
            return
        first = self.boundary == 0
        turn = until if first else self.boundary
        self.boundary = risk.next_turn(turn)
        if turn > self.now:  # noqa: PLR1730 - as above
            self.now = turn
        risk.turn_day(judging=self.judging)
        if first:
            for rule, violation in controls.latches.items():  # what held from the start is told when there is a time
                self._log(self._state_changed(rule, violation), None)
        elif over := controls.turn_day():
            by = ", ".join(over)
            self._log(TradingStateChanged(turn, turn, controls.state, by, "the day has turned"), None)
        if self.judging:
            self._assess()
        self._hear()

"""The delivery side of the gate: what is under way arrives in time order, and everybody hears of it in that order.

What happens is first done, then logged, then heard. A listener may submit, modify and cancel; what that brings about is
logged at once and heard by everybody after what they are hearing now. So every listener hears the log as it stands, and
between two calls of listeners nothing is half done.
"""

from __future__ import annotations

from abc import abstractmethod
from collections import deque
from typing import TYPE_CHECKING

from seatrial.contracts.events import (
    AccountAdjusted,
    Event,
    ModifyRefused,
    OrderAccepted,
    OrderExecution,
    OrderReplaced,
    OrderSubmitted,
)
from seatrial.contracts.orders import TERMINAL, Order, filled_at_once
from seatrial.contracts.terms import Liquidity, OrderSide, OrderStatus
from seatrial.gate.inbound import ReportLeg
from seatrial.gate.ports import CancelRequest, ModifyRequest, PlaceRequest, Request, Venue
from seatrial.gate.queue import NEVER

if TYPE_CHECKING:
    from collections.abc import Iterable
    from decimal import Decimal

    from seatrial.contracts.account import AccountView
    from seatrial.contracts.events import OrderEvent
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
_TAKER = Liquidity.TAKER
_WHOLE = False  # a fill that is not partial


class Delivery(ReportLeg):
    """Carries requests to the venue and reports to the client, and asks the rules about what these bring."""

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
        self.judging = True
        """Whether rules look at the account with every fill; not within a bar, whose own prices come at its end."""
        self._hearers = admission.risk is not None and bool(admission.risk.hearers)
        if admission.risk is not None:
            admission.risk.tells_fill = wire.tells_fill

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
        """Let everybody hear what they have not, in the order they were added; one that fails takes nothing back."""
        unheard = self._unheard
        if not unheard or self._hearing:
            return
        outermost = not self.running
        self.running = self._hearing = True
        try:
            while unheard:
                event, order = unheard.popleft()
                for listener in self.client.listeners:
                    listener(event, order)
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

    def _drain(self, until: int, *, pausing: bool = False) -> None:
        """Deliver what is due by `until`, `pausing` once a request has arrived."""
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
                if pausing:
                    break

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
            if self._unheard:
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
        client, order_id = self.client, event.order_id
        order = client.pending.get(order_id) or client.get(order_id)
        after = order.apply(event)
        stake = None
        if after.status is _FILLED:
            stake = self._complete(after)
        else:
            self._go_on(order, after, event)
        self._count(event, after, stake)
        if client.listeners or native is not None or self._hearers:
            self._log(event, after, native)
        else:
            client.events.append(event)
        admission = self.admission
        if admission.risk is not None and self.judging:
            self._assess()
        if self._unheard:
            self._hear()

    def _cross(self, order: Order, now: int, price: Decimal, commission: Decimal) -> Order:
        """Take in that an order which nobody hears of is accepted and filled the moment it leaves."""
        client, admission, order_id = self.client, self.admission, order.order_id
        execution = OrderExecution(
            order_id, now, now, order_id + "/1", order.quantity, price, commission, _WHOLE, _TAKER
        )
        submitted, accepted = OrderSubmitted(order_id, now, now), OrderAccepted(order_id, now, now)
        after = client.completed[order_id] = filled_at_once(order, submitted, accepted, execution)
        self.wire.cross(order.strategy_id, now)
        client.events += (submitted, accepted, execution)
        self._count(execution, after, None if admission.exposure is None else admission.exposure.drop(order_id))
        if admission.risk is not None and self.judging:
            self._until, self.running = now, True
            try:
                if (trips := admission.risk.watch(now)) or admission.controls.flattens:
                    self._enforce(trips)
                if self.wire.requests.head <= now:
                    self._drain(now)
            finally:
                self._until, self.running = NOWHERE, False
        return after

    def _count(self, event: OrderExecution, order: Order, stake: Stake | None) -> None:
        """Let a fill of `order` count; `stake` is the one it no longer works in, where that ended it."""
        symbol, price, client, exposure = order.symbol, event.price, self.client, self.admission.exposure
        if client.reported is not None:
            client.reported.append(event)
        if self._account is not None:
            quantity = event.quantity if order.side is _BUY else -event.quantity
            found = self._account.trade(symbol, quantity, price, event.commission)
            if found is not None and self.admission.risk is not None:
                self.admission.risk.shift(found)
        if exposure is not None and (stake is None or stake.mark is None):
            exposure.trade(symbol, price, event.reported_at)

    # -- what follows from it --------------------------------------------------------------------------------------

    @abstractmethod
    def _assess(self) -> bool:
        """Latch what watching rules ask for; return whether anything came of it."""

    @abstractmethod
    def _latch(self, trips: Iterable[Trip]) -> bool:
        """Latch what rules ask for; return whether any of it is new."""

    @abstractmethod
    def _enforce(self, trips: Iterable[Trip]) -> bool:
        """Latch what rules ask for, and close positions where one wants that; return whether anything came of it."""

    @abstractmethod
    def _turn_day(self, until: int) -> None:
        """Begin the first day, at `until`, or the one that is due by then."""

"""What the gate enforces: it latches what rules ask for, cancels what works, closes positions, and turns the day."""

from __future__ import annotations

from typing import TYPE_CHECKING

from seatrial.contracts.events import CancelRequested, OrderSubmitted, TradingStateChanged
from seatrial.contracts.latency import Leg
from seatrial.contracts.orders import Order
from seatrial.contracts.risk import RiskAction
from seatrial.contracts.terms import OrderSide, OrderType
from seatrial.gate.controls import SWEEPING
from seatrial.gate.delivery import Delivery
from seatrial.gate.ports import CancelRequest, PlaceRequest, Venue
from seatrial.gate.validator import refusal

if TYPE_CHECKING:
    from collections.abc import Iterable
    from decimal import Decimal

    from seatrial.contracts.account import AccountView
    from seatrial.contracts.risk import RiskViolation
    from seatrial.gate.account import Account
    from seatrial.gate.admission import Admission
    from seatrial.gate.client import ClientView
    from seatrial.gate.risk import Trip
    from seatrial.gate.wire import Wire

__all__ = ["Enforcement"]

_CLOSER = "flatten"


class Enforcement(Delivery):
    """A delivery that follows up what the rules find, as part of the moment in which they find it."""

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
        super().__init__(venue, wire, client, admission, account=account, view=view, prompt=prompt)
        self._flattened = 0
        self._closing: dict[str, str] = {}  # the orders that close positions by now, by symbol

    def mark(self, symbol: str, price: Decimal, timestamp: int) -> None:
        """The market shows `price` for `symbol`: the client view is valued at it. See :meth:`assess`."""
        if self._account is not None:
            found = self._account.mark(symbol, price, timestamp)
            if found is not None and self.admission.risk is not None:
                self.admission.risk.shift(found)
        exposure = self.admission.exposure
        if exposure is not None:
            exposure.mark(symbol, price, timestamp)

    def assess(self) -> None:
        """Let the rules look at the account, once all marks of a moment are in."""
        if self._assess():
            self._finish()

    def pass_time(self, now: int) -> None:
        """Reach `now`, with nothing under way and nothing latched; then let the rules look at the account.

        As within a bar, what a day begins with is what the rules looked at last.
        """
        risk = self.admission.risk
        if risk is not None and self.boundary <= now:
            self.boundary = risk.next_turn(now)
            risk.turn_day(judging=False)
        self.now = now
        if self._assess():
            self._finish()

    def _assess(self) -> bool:
        """Latch what watching rules ask for; return whether anything came of it."""
        risk = self.admission.risk
        if risk is None:
            return False
        trips = risk.watch(self.now)
        return self._enforce(trips) if trips or self.admission.controls.flattens else False

    def _enforce(self, trips: Iterable[Trip]) -> bool:
        """Latch what rules ask for, and close positions where one wants that; return whether anything came of it."""
        latched = self._latch(trips)
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
                side=OrderSide.SELL if position > 0 else OrderSide.BUY,
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

    def skip_days(self, now: int) -> None:
        """Let all days but that of `now` pass untold, through which the account has stood still."""
        risk = self.admission.risk
        if risk is not None and 0 < self.boundary <= now:
            self.boundary = risk.last_turn(now)

    def _turn_day(self, until: int) -> None:
        """Begin the first day, at `until`, or the one that is due by then."""
        risk, controls = self.admission.risk, self.admission.controls
        if risk is None:
            return
        first = self.boundary == 0
        turn = until if first else self.boundary
        self.boundary = risk.next_turn(turn)
        if turn > self.now:  # noqa: PLR1730 - max() costs a call
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

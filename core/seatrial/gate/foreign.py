"""A gate before a venue that is somebody else's: it answers when it likes, and has orders that the gate never sent.

What such a venue says has travelled already when it is heard, and no leg delays it again. Its orders and positions are
told anew after a restart; what only the gate knows, and what has to outlast it, is carried on.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec.structs import replace

from seatrial.contracts.events import OrderExecution, TradingStateChanged
from seatrial.contracts.orders import Order
from seatrial.contracts.terms import OrderStatus, TradingState
from seatrial.errors import InvalidOrderError
from seatrial.gate.enforcement import Enforcement
from seatrial.gate.queue import NEVER

if TYPE_CHECKING:
    from collections.abc import Callable

    from seatrial.contracts.events import AccountAdjusted, OrderEvent
    from seatrial.gate.state import GateState

__all__ = ["Foreign"]


class Foreign(Enforcement):
    """What a gate takes from a venue with a life of its own."""

    own_ids: Callable[[], str] | None = None
    """Gives the ids of the orders with which the gate closes positions, where a venue has wishes."""

    def arrived(self, event: OrderEvent | AccountAdjusted, now: int, native: object = None) -> None:
        """Take a report that somebody else's wire has brought: it is due `now`, whenever it happened at the venue.

        An execution keeps its id, where it has one. What comes within a call of the gate's is heard within it.
        """
        reports = self.wire.reports
        due = reports.due(self.now if self.running else now)
        event = replace(event, reported_at=due)
        if isinstance(event, OrderExecution):
            n, _ = self.wire.next_fill(event.order_id, partial=event.is_partial)
            event = replace(event, execution_id=event.execution_id or f"{event.order_id}/{n}")
        reports.push(due, event, native)

    def adopt(self, order: Order, now: int) -> None:
        """Take in an order that works at the venue and that this gate did not send.

        No rule is asked about it, and every rule counts it. It comes with its history so far; what it has filled is in
        the account already.

        :raises InvalidOrderError: for an order that does not work, or an id that is known.
        """
        order_id, admission = order.order_id, self.admission
        if order.status is OrderStatus.NEW or order.is_complete:
            raise InvalidOrderError(order_id, "status", f"it is {order.status}; adopt what works at the venue")
        if self.client.knows(order_id):
            raise InvalidOrderError(order_id, "order_id", "the gate knows it already; report what happens to it")
        self.now = max(self.now, now)
        self.wire.track(order_id, order.strategy_id)
        self.client.pending[order_id] = order
        if admission.exposure is not None:
            admission.exposure.add(order)
        for event in order.events:
            self._log(event, order)
        self._hear()

    def carry_on(self, state: GateState) -> None:
        """Go on with the latches, the operator's word, the day, the peak and the rules' states of an earlier session.

        Account and orders are there already, as the venue told them, at the marks of `state`. Where the account then
        holds more than it did, that counts as paid in; where it holds less, as lost. Rules that are configured no more
        lose their state, not their latch.
        """
        admission = self.admission
        self.boundary = NEVER if state.boundary is None or admission.risk is None else state.boundary
        self._flattened, self._closing = state.flattened, dict(state.closing)
        controls, risk = admission.controls, admission.risk
        engaged = dict(controls.latches)
        controls.restore(state.controls)
        for rule, violation in engaged.items():  # what this session begins with holds too
            controls.latch(rule, violation)
        if controls.state is not TradingState.ACTIVE:
            admission.count()
        self._say_state()
        if risk is None or state.risk is None or self._view is None:
            return
        configured = {rule.name for rule in risk.rules}
        kept = {name: saved for name, saved in state.risk.rules.items() if name in configured}
        risk.restore(replace(state.risk, rules=kept))
        if state.account is not None:
            gained = self._view.equity - state.account.cash - state.account.net
            if gained > 0:
                risk.shift(gained)

    def _own_id(self) -> str:
        return super()._own_id() if self.own_ids is None else self.own_ids()

    def _say_state(self) -> None:
        """Log what still holds."""
        controls = self.admission.controls
        for rule, violation in controls.latches.items():
            self._log(self._state_changed(rule, violation), None)
        if controls.operator is not TradingState.ACTIVE:
            reason = "set before the restart"
            self._log(TradingStateChanged(self.now, self.now, controls.state, "operator", reason), None)
        self._hear()

"""The gate's books of a live account: what the venue was found to hold at the start, then what it reports.

Reports are the events that the node's execution engine has applied, reconciled ones included, so an order that was sent
from elsewhere counts from the moment the node learns of it. What was filled before the start is in the positions.
"""

from __future__ import annotations

from collections import deque
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from msgspec.structs import replace
from nautilus_trader.model.enums import LiquiditySide, OrderSide, OrderStatus
from nautilus_trader.model.events import (
    OrderAccepted,
    OrderCanceled,
    OrderCancelRejected,
    OrderDenied,
    OrderExpired,
    OrderFilled,
    OrderModifyRejected,
    OrderRejected,
    OrderTriggered,
    OrderUpdated,
)

from seatrial.contracts.events import OrderAccepted as CoreAccepted
from seatrial.contracts.events import OrderExecution
from seatrial.contracts.events import OrderSubmitted as CoreSubmitted
from seatrial.contracts.orders import Order
from seatrial.contracts.rejection import RefusedBy, Rejection, RejectionReason
from seatrial.contracts.terms import Liquidity, OrderType
from seatrial.contracts.terms import OrderSide as CoreSide
from seatrial.errors import InvalidConfigError
from seatrial_nautilus.v1.instruments import check_currency, core_instrument
from seatrial_nautilus.v1.orders import core_order
from seatrial_nautilus.v1.reports import Told

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from seatrial.gate.account import Account
    from seatrial.gate.gate import ExecutionGate
    from seatrial.gate.instruments import Instruments
    from seatrial.gate.state import GateState
    from seatrial_nautilus.v1.guard.marks import NodeMarks
    from seatrial_nautilus.v1.guard.port import Arrivals
    from seatrial_nautilus.v1.reports import Reporter

__all__ = ["GuardBooks", "counted"]

_ZERO = Decimal(0)
_REPORTS = frozenset(
    {
        OrderAccepted,
        OrderCanceled,
        OrderCancelRejected,
        OrderDenied,
        OrderExpired,
        OrderFilled,
        OrderModifyRejected,
        OrderRejected,
        OrderTriggered,
        OrderUpdated,
    }
)


class GuardBooks:
    """Keeps the gate's orders, positions and cash as the venue tells them, in `currency`."""

    def __init__(
        self,
        gate: ExecutionGate,
        *,
        account: Account,
        instruments: Instruments,
        reporter: Reporter,
        arrivals: Arrivals,
        marks: NodeMarks,
        cache: Any,
        now: Callable[[], int],
    ) -> None:
        """Start with nothing."""
        self._gate = gate
        self._account = account
        self._instruments = instruments
        self._reporter = reporter
        self._arrivals = arrivals
        self._marks = marks
        self._cache = cache
        self._now = now
        self._known: set[Any] = set()
        self._waiting: deque[Any] = deque()
        self.currency: str | None = None
        """What the account counts in."""

    def learn(self, instrument_id: Any) -> None:
        """Get to know an instrument, before its first order or position.

        :raises InvalidConfigError: where there are rules, and its profit is in another currency than the account's.
        """
        if instrument_id in self._known:
            return
        instrument = self._cache.instrument(instrument_id)
        if instrument is None:
            problem = "the node does not know it; let a client load it"
            raise InvalidConfigError("instrument", str(instrument_id), problem)
        if self._gate.admission.risk is not None:
            check_currency(instrument, self.currency)
        self._known.add(instrument_id)
        self._instruments.describe(core_instrument(instrument, instrument_id.value))

    # -- the start -------------------------------------------------------------------------------------------------

    def open(
        self,
        balance: Decimal,
        positions: Iterable[Any],
        orders: Iterable[Any],
        before: GateState | None,
        *,
        owes: bool,
    ) -> None:
        """Take in what the venue was found to hold, and go on from `before` where there was a session.

        `owes` says that the balance is that of a margin account, from which nothing was paid for the positions.

        :raises InvalidConfigError: for what cannot be counted.
        """
        gate, now = self._gate, self._now  # a price that is found on the way moves the time on
        gate.advance(now())
        gate.adjusted(now(), balance, "balance at the start")
        held: dict[Any, list[Any]] = {}
        for position in positions:
            held.setdefault(position.instrument_id, []).append(position)
        prices = {} if before is None or before.account is None else before.account.holdings
        for instrument_id, parts in held.items():
            self.learn(instrument_id)
            _, price, at = prices.get(instrument_id.value, (_ZERO, None, now()))
            self._hold(instrument_id, parts, price, at, first=before is None, owes=owes)
        gate.advance(now())
        for order in orders:
            self._adopt(order, order.filled_qty.as_decimal())
        if before is not None:
            gate.carry_on(before)
            for instrument_id in held:
                self._marks.follow(instrument_id)
        gate.advance(now())

    def _hold(
        self, instrument_id: Any, parts: list[Any], price: Decimal | None, at: int, *, first: bool, owes: bool
    ) -> None:
        """Book a position that was there before, at the price it last had, or at what it cost."""
        account, symbol = self._account, instrument_id.value
        units = [one.signed_decimal_qty() for one in parts]
        costs = [Decimal(str(one.avg_px_open)) for one in parts]
        if first:
            self._marks.follow(instrument_id)
        if account.last_mark(symbol) is None:
            if price is None:
                price = sum(map(_times, map(abs, units), costs), _ZERO) / sum(map(abs, units))
                if first:
                    self._marks.guessed.add(symbol)
            account.mark(symbol, price, at)
        paid = sum(map(_times, units, costs), _ZERO) * self._instruments.get(symbol).multiplier if owes else _ZERO
        net = sum(units, _ZERO)
        cause = "position at the start"
        self._gate.adjusted(self._now(), -paid, cause, symbol=symbol if net else None, quantity=net)

    def _adopt(self, order: Any, filled: Decimal) -> None:
        """Take in a working order of the trader's cache that the gate did not send, of which `filled` is booked."""
        gate, at = self._gate, order.ts_init
        self.learn(order.instrument_id)
        self._marks.follow(order.instrument_id)
        ours = counted(order, at)
        order_id = ours.order_id
        ours = ours.apply(CoreSubmitted(order_id, at, at))
        accepted = bool(filled) or order.status not in {OrderStatus.INITIALIZED, OrderStatus.SUBMITTED}
        if accepted:
            ours = ours.apply(CoreAccepted(order_id, at, at))
        if filled:
            price = Decimal(str(order.avg_px))
            fill = OrderExecution(
                order_id, at, at, f"{order_id}/0", filled, price, _ZERO, is_partial=True, liquidity=Liquidity.TAKER
            )
            ours = ours.apply(fill)
        gate.adopt(ours, self._now())
        self._reporter.told[order_id] = Told(ours.quantity, filled, accepted=accepted)

    # -- reports ---------------------------------------------------------------------------------------------------

    def hear(self, event: Any) -> None:
        """Take an event that the execution engine has applied; one that comes within a call of the gate's waits."""
        if type(event) in _REPORTS:
            self._waiting.append(event)
            self.catch_up()

    def catch_up(self) -> None:
        """Take in what waits."""
        gate, waiting = self._gate, self._waiting
        while waiting and not gate.running:
            self._take(waiting.popleft())
            self._reporter.flush()
            gate.advance(self._now())

    def _take(self, event: Any) -> None:
        order_id, client = event.client_order_id.value, self._gate.client
        if client.knows(order_id):
            order = client.get(order_id)
            if order.is_complete:
                self._late(event, order)
            else:
                self._report(event, order)
        elif type(event) is not OrderDenied:
            order = self._cache.order(event.client_order_id)
            fill = event.last_qty.as_decimal() if type(event) is OrderFilled else _ZERO
            if order is None:
                self._stray(event, fill)
            else:
                self._adopt(order, order.filled_qty.as_decimal() - fill)
                self._report(event, client.get(order_id))

    def _report(self, event: Any, order: Order) -> None:
        """Report an event of a working order."""
        order_id, kind, reporter = order.order_id, type(event), self._reporter
        if kind is OrderDenied:
            reporter.told.pop(order_id, None)
            refused = Rejection(RejectionReason.UNKNOWN, event.reason, RefusedBy.VENUE)
            self._arrivals.rejected(order_id, event.ts_event, refused)
            return
        if kind is OrderCancelRejected and not order.pending_cancels:
            return
        if kind is OrderFilled and (beyond := event.last_qty.as_decimal() - order.remaining_quantity) > 0:
            self._overfill(event, order, beyond)
            return
        reporter.asked_to_cancel = order_id if order.pending_cancels else None
        reporter.asked_to_modify = order_id if order.pending_modifies else None
        reporter.hear(event)

    def _late(self, event: Any, order: Order) -> None:
        """Take in what is said of an order that has ended: an answer that is still awaited, or a fill after all."""
        kind, order_id = type(event), order.order_id
        if kind is OrderFilled:
            self._stray(event, event.last_qty.as_decimal())
        elif kind is OrderCancelRejected and order.pending_cancels:
            self._reporter.hear(event)
        elif kind is OrderModifyRejected and order.pending_modifies:
            self._reporter.asked_to_modify = order_id
            self._reporter.hear(event)

    def _overfill(self, event: Any, order: Order, beyond: Decimal) -> None:
        """Book a fill of more than the order had left: the order is filled, the rest is an order of its own."""
        told = self._reporter.told.pop(order.order_id, None)
        if told is not None and not told.accepted:
            self._arrivals.accepted(order.order_id, event.ts_event)
        self._fill(event, order.order_id, order.remaining_quantity, self._arrivals.paid(event))
        self._stray(event, beyond, of_rest=True)

    def _stray(self, event: Any, quantity: Decimal, *, of_rest: bool = False) -> None:
        """Book a fill that no working order of the gate's can take, as an order of its own."""
        order_id, at = f"{event.client_order_id}.{getattr(event, 'trade_id', '')}", event.ts_event
        if not quantity or self._gate.client.knows(order_id):
            return
        self.learn(event.instrument_id)
        self._marks.follow(event.instrument_id)
        order = Order(
            order_id=order_id,
            symbol=event.instrument_id.value,
            side=CoreSide.BUY if event.order_side == OrderSide.BUY else CoreSide.SELL,
            order_type=OrderType.MARKET,
            quantity=quantity,
            created_at=at,
            strategy_id=event.strategy_id.value,
        )
        order = order.apply(CoreSubmitted(order_id, at, at)).apply(CoreAccepted(order_id, at, at))
        self._gate.adopt(order, self._now())
        self._fill(event, order_id, quantity, _ZERO if of_rest else self._arrivals.paid(event))

    def _fill(self, event: Any, order_id: str, quantity: Decimal, commission: Decimal) -> None:
        """Report that an order was filled to its end."""
        at, liquidity = (
            event.ts_event,
            Liquidity.MAKER if event.liquidity_side == LiquiditySide.MAKER else Liquidity.TAKER,
        )
        price, trade_id = event.last_px.as_decimal(), event.trade_id.value
        fill = OrderExecution(
            order_id, at, at, trade_id, quantity, price, commission, is_partial=False, liquidity=liquidity
        )
        self._gate.arrived(fill, self._now())


def counted(order: Any, now: int) -> Order:
    """Return a trader's order as the gate's, linked only where the link cannot hide anything.

    A venue may take the legs of a list for orders of their own; so only legs that can do nothing but reduce are counted
    as a bracket's exits.
    """
    ours = core_order(order, now, str, str)
    if (ours.parent_id or ours.oco_id) and not ours.reduce_only:
        return replace(ours, parent_id=None, oco_id=None)
    return ours


def _times(units: Decimal, price: Decimal) -> Decimal:
    return units * price

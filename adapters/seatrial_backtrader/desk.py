"""The desk between the gate and Backtrader's matching: what arrives, when it may take part, and what came of it.

A bar is an interval: what arrives by `start + bar_theta · (end - start)` takes part in it from its open, anything later
waits for the next bar of its feed. What took no time to arrive goes straight to Backtrader, as without a gate.
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from math import isfinite
from typing import TYPE_CHECKING, Any, Protocol

import backtrader as bt
import msgspec

from seatrial.contracts.rejection import RefusedBy, Rejection, RejectionReason
from seatrial.contracts.terms import Liquidity
from seatrial.errors import InvalidMarketDataError
from seatrial.gate.draws import Draws
from seatrial_backtrader.stamps import exact, span, to_ns

if TYPE_CHECKING:
    from seatrial.contracts.events import OrderChange
    from seatrial.contracts.orders import Order
    from seatrial.gate.gate import ExecutionGate

__all__ = ["Book", "Desk", "Ticket", "Told"]

_BITS = 64
_TAKERS = frozenset({bt.Order.Market, bt.Order.Close, bt.Order.Stop, bt.Order.StopTrail})
_SUBMITTED, _ACCEPTED, _COMPLETED = bt.Order.Submitted, bt.Order.Accepted, bt.Order.Completed
_FILLS = frozenset({bt.Order.Partial, bt.Order.Completed})


class Book(Protocol):
    """What matches: Backtrader's own broker, asked without passing the gate again."""

    def part(self, ticket: Ticket) -> None:
        """Give an order that has arrived an object of the venue's own, where there are two ledgers."""
        ...

    def enter(self, ticket: Ticket) -> None:
        """Take an order as Backtrader would from a strategy."""
        ...

    def withdraw(self, ticket: Ticket) -> bool:
        """Cancel an order as Backtrader would for a strategy; return whether it did."""
        ...

    def release(self, tickets: Sequence[Ticket]) -> None:
        """Keep orders back no longer: they have arrived."""
        ...

    def announce(self, ticket: Ticket) -> None:
        """Tell the strategy that its order was submitted."""
        ...

    def is_group_dead(self, ticket: Ticket) -> bool:
        """Return whether the order's OCO group has ended."""
        ...

    def witness(self, order: Any) -> Told:
        """Return what the strategy is to learn of an order as it stands at the venue."""
        ...

    def closing(self, order: Order) -> Any:
        """Return a Backtrader order for one that the gate sends by itself."""
        ...


class Ticket(msgspec.Struct, eq=False):
    """One order under way or at work: the strategy's object, the venue's, and what the core knows it by.

    It asks for `left` units, and left at `sent` (UNIX ns UTC).
    """

    order: Any
    order_id: str
    symbol: str
    sent: int
    left: Decimal
    check: bool
    twin: Any = None
    arrived: int = 0
    fills: int = 0
    accepted: bool = False
    announced: bool = False
    entered: bool = False
    asked: Any = None
    """The object by which the strategy asked to cancel: perhaps a copy."""
    withdrawn: bool | None = None

    def __post_init__(self) -> None:
        """Begin with one object for all."""
        self.twin = self.asked = self.order
        self.arrived = self.sent


class Told(msgspec.Struct, eq=False):
    """What one report brings: an order as it stood, the cash that moved in currency, a feed with its position."""

    order: Any
    cash: float = 0.0
    held: tuple[Any, Any] | None = None
    before: tuple[Told, ...] = ()
    silent: bool = False
    """Whether the strategy is not notified, as Backtrader does not for a trigger."""


class Desk:
    """The gate's venue: holds what has arrived until its bar comes, and reports what Backtrader made of it."""

    def __init__(self, book: Book, theta: Decimal, draws: Draws) -> None:
        """Stand before `book`; where in a bar a fill happened is drawn by `draws`."""
        self.gate: ExecutionGate
        self.tickets: dict[int, Ticket] = {}
        """The orders that have not ended, by Backtrader's reference."""
        self.by_id: dict[str, Ticket] = {}
        self.waiting: list[tuple[int, tuple[str, ...], bool]] = []
        """What has arrived and waits for a bar: when, which orders, and whether it cancels them."""
        self.carry: list[Told] = []
        """What was told of orders that the core does not know, or has seen end."""
        self.turn = 0
        """The time of the strategy's turn: what arrives by then took no time."""
        self._book = book
        self._part, self._whole = theta.as_integer_ratio()
        self.bars: dict[Any, tuple[int, int]] = {}
        """When the present bars began and ended, as far as somebody has asked in this cycle."""
        self.pieces: dict[Any, tuple[int, int, int] | None] = {}
        """Feeds whose bars are shown while they grow: their bars so far, and when the latest piece began and ended."""
        self._draws = draws
        self._moment = 0
        self.doomed: list[str] = []
        """The orders that are to be cancelled as soon as Backtrader has looked at them."""
        self.answering: Ticket | None = None
        """The order that the strategy itself wants cancelled, while it waits for the answer."""
        self._asked: Ticket | None = None  # what is being cancelled because the strategy wants it

    # -- the gate's side -------------------------------------------------------------------------------------------

    def open(self, ticket: Ticket) -> None:
        """Know an order from now on."""
        self.tickets[ticket.order.ref] = self.by_id[ticket.order_id] = ticket

    def close(self, ticket: Ticket) -> None:
        """Forget an order of which nothing more can be said."""
        self.tickets.pop(ticket.order.ref, None)
        self.by_id.pop(ticket.order_id, None)

    def place(self, orders: tuple[Order, ...], now: int, native: object) -> None:  # noqa: ARG002 - the port's signature
        """Take orders that have arrived."""
        by_id = self.by_id
        first = by_id.get(orders[0].order_id)
        if first is None:
            [order] = orders
            made = self._book.closing(order)
            first = Ticket(made, order.order_id, order.symbol, order.created_at, order.quantity, check=True)
            self.open(first)
        if now > first.sent:
            self.waiting.append((now, tuple([order.order_id for order in orders]), False))
        else:
            self._enter([by_id[order.order_id] for order in orders if order.order_id in by_id], now)

    def cancel(self, order_id: str, now: int, native: object) -> None:  # noqa: ARG002 - as above
        """Take a cancel that has arrived."""
        ticket = self.by_id.get(order_id)
        if ticket is None:
            self._refuse_cancel(order_id, now, "it had ended")
        elif now <= self.turn:
            self._withdraw(ticket, now)
        else:
            self.waiting.append((now, (order_id,), True))

    def modify(self, order_id: str, change: OrderChange, now: int, native: object) -> None:  # noqa: ARG002 - as above
        """Refuse: Backtrader's orders cannot be changed."""
        problem = "Backtrader's orders cannot be changed; cancel it and send another"
        self.gate.modify_refused(order_id, now, _refusal(RejectionReason.UNSUPPORTED, problem))

    # -- the bar's side --------------------------------------------------------------------------------------------

    def begin(self) -> None:
        """Begin a cycle: a bar that has grown is new from where it had ended before."""
        self.bars.clear()
        for data, before in self.pieces.items():
            if not len(data.datetime):
                continue
            count, (start, end) = len(data), span(data)
            if before is not None and before[0] == count:
                start = before[2] if end > before[2] else before[1]
            self.bars[data] = start, end
            self.pieces[data] = count, start, end

    def before(self) -> None:
        """Let everything take part that arrived early enough in the present bar of its feed."""
        self._admit(None)

    def after(self, now: int) -> None:
        """Carry out the cancels that arrived while the bar was matched."""
        self._admit(now)

    def _admit(self, now: int | None) -> None:
        waiting, self.waiting = self.waiting, []
        for arrived, ids, cancels in waiting:
            tickets: list[Ticket] = []
            ready = now is None or (cancels and arrived <= now)
            for order_id in ids:
                ticket = self.by_id.get(order_id)
                if ticket is not None:
                    tickets.append(ticket)
                    ready = ready and (now is not None or arrived <= self._cutoff(ticket.twin.data))
            if not ready or (cancels and any(ids[0] in held for _, held, _ in self.waiting)):
                self.waiting.append((arrived, ids, cancels))
            elif not cancels:
                self._enter(tickets, arrived)
            elif tickets:
                self._withdraw(tickets[0], arrived)
            else:
                self._refuse_cancel(ids[0], arrived, "it had ended")

    def _cutoff(self, data: Any) -> int:
        """Return until when an order must have arrived to take part in a feed's present bar; -1 without a bar."""
        if not len(data.datetime):
            return -1
        start, end = self._bar(data)
        return start + (end - start) * self._part // self._whole

    def _bar(self, data: Any) -> tuple[int, int]:
        """Return when the present bar of a feed began and ended."""
        bar = self.bars.get(data)
        if bar is None:
            bar = self.bars[data] = span(data)
        return bar

    def _enter(self, tickets: Sequence[Ticket], now: int) -> None:
        self._book.release(tickets)
        for ticket in tickets:
            ticket.arrived = now
            self._book.part(ticket)
            if now > ticket.sent and self._book.is_group_dead(ticket):
                self.close(ticket)
                self._moment = now
                ended = _refusal(RejectionReason.GROUP_ENDED, "another order of its group had ended before it arrived")
                ticket.twin.cancel()
                self.gate.cancelled(ticket.order_id, now, ended, self._report(ticket.twin))
            else:
                self._moment = now
                ticket.entered = True
                self._book.enter(ticket)

    def _withdraw(self, ticket: Ticket, now: int) -> None:
        self._moment = now
        self._asked = ticket
        ticket.withdrawn = self._book.withdraw(ticket)
        self._asked = None
        if ticket.withdrawn:
            return
        late = ticket.arrived > ticket.sent or ticket is not self.answering  # the stock broker refuses only a strategy
        if late and ticket.order_id in self.by_id and not ticket.accepted:
            self.doomed.append(ticket.order_id)  # it is there, but Backtrader has not looked at it yet
        else:
            self._refuse_cancel(ticket.order_id, now, "Backtrader had not looked at it yet, or it had ended")

    def sweep(self) -> None:
        """Cancel what was to be cancelled before Backtrader had looked at it."""
        doomed, self.doomed = self.doomed, []
        for order_id in doomed:
            ticket = self.by_id.get(order_id)
            if ticket is None:
                self._refuse_cancel(order_id, self._moment, "it had ended")
            else:
                self._withdraw(ticket, self._moment)

    def _refuse_cancel(self, order_id: str, now: int, why: str) -> None:
        self.gate.cancel_refused(order_id, now, _refusal(RejectionReason.TOO_LATE_TO_CANCEL, why))

    # -- what Backtrader says --------------------------------------------------------------------------------------

    def hear(self, order: Any) -> None:
        """Report what has become of the venue's `order`; Backtrader calls with each new status and each fill."""
        ticket = self.tickets.get(order.ref)
        status = order.status
        if ticket is None:
            self.carry.append(self._book.witness(order))
        elif status == _SUBMITTED:
            self._book.announce(ticket)
        elif status == _ACCEPTED:
            if ticket.accepted:
                self.carry.append(self._book.witness(order))
                return
            ticket.accepted = True
            self.gate.accepted(ticket.order_id, ticket.arrived, self._report(order))
        elif status in _FILLS:
            self._filled(ticket, order)
        else:
            self._ended(ticket, order)

    def triggered(self, order: Any) -> None:
        """Report that a stop has turned into a limit without a fill."""
        ticket = self.tickets.get(order.ref)
        if ticket is None:
            told = self._book.witness(order)
            told.silent = True
            self.carry.append(told)
            return
        told = self._report(order)
        told.silent = True
        start, _ = self._span(ticket, order.data)
        self._moment = at = max(ticket.arrived, start)
        self.gate.triggered(ticket.order_id, at, exact(order.created.price), told)

    def _filled(self, ticket: Ticket, order: Any) -> None:
        told = self._report(order)
        bit = order.executed.exbits[-1]
        if not isfinite(bit.size):
            problem = f"the filler made a fill of {bit.size} units of it; fill the feed's gaps, or drop such bars"
            raise InvalidMarketDataError(ticket.symbol, "volume", problem)
        quantity = abs(exact(bit.size))
        done = order.status == _COMPLETED or quantity >= ticket.left  # else what is left is a rounding of floats
        if done:
            quantity = ticket.left
        ticket.left -= quantity
        ticket.fills += 1
        self._moment = at = self._match_time(ticket, order, bit)
        price, commission = self._paid(order, bit)
        if done:
            self.close(ticket)
        self.gate.filled(
            ticket.order_id,
            at,
            quantity,
            price,
            commission,
            is_partial=not done,
            liquidity=Liquidity.TAKER if order.exectype in _TAKERS else Liquidity.MAKER,
            native=told,
        )

    def _paid(self, order: Any, bit: Any) -> tuple[Decimal, Decimal]:  # noqa: ARG002 - who knows better asks for it
        """Return the price and the commission of a fill."""
        return exact(bit.price), exact(bit.comm)

    def _ended(self, ticket: Ticket, order: Any) -> None:
        told, status, at = self._report(order), order.status, max(self._moment, ticket.arrived)
        why: Rejection | None
        self.close(ticket)
        if status == bt.Order.Canceled:
            # Whoever ends with its group still waits for the answer to a cancel that is under way.
            asked = ticket is self._asked
            why = None if asked else _refusal(RejectionReason.GROUP_ENDED, "another order of its group has ended")
            self.gate.cancelled(ticket.order_id, at, why, told)
            return
        if status == bt.Order.Expired:
            start, end = self._span(ticket, order.data)
            self.gate.expired(ticket.order_id, max(ticket.arrived, min(_valid(order, start), end)), native=told)
            return
        if status == bt.Order.Margin:
            why = _refusal(RejectionReason.INSUFFICIENT_FUNDS, "the venue's cash does not pay for it")
        else:
            why = _refusal(RejectionReason.GROUP_ENDED, "its parent was not there, or had ended")
        if ticket.fills:
            self.gate.cancelled(ticket.order_id, at, why, told)
        else:
            self.gate.rejected(ticket.order_id, at, why, told)

    def _report(self, order: Any) -> Told:
        told = self._book.witness(order)
        if self.carry:
            told.before, self.carry = tuple(self.carry), []
        return told

    def _span(self, ticket: Ticket, data: Any) -> tuple[int, int]:
        """Return the present bar of a feed; before its first, where Backtrader shows the last one, the arrival."""
        return self._bar(data) if len(data.datetime) else (ticket.arrived, ticket.arrived)

    def _match_time(self, ticket: Ticket, order: Any, bit: Any) -> int:
        """Return when in its bar a fill happened: at the open, at the close, or at a moment drawn between the two."""
        data = order.data
        start, end = self._span(ticket, data)
        first = max(start, ticket.arrived)
        if first >= end:
            return first
        if order.exectype == bt.Order.Close:
            return end
        if order.exectype == bt.Order.Market or bit.price == data.open[0]:
            return first
        drawn = self._draws.bits(ticket.order_id, "match", ticket.fills)
        return first + (drawn * (end - first) >> _BITS)


def _refusal(reason: RejectionReason, message: str) -> Rejection:
    return Rejection(reason, message, RefusedBy.VENUE)


def _valid(order: Any, otherwise: int) -> int:
    try:
        return to_ns(order.valid)
    except ValueError:  # a number of days that Backtrader never resolved
        return otherwise

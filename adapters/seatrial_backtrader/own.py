"""The broker for sessions that run a Backtrader strategy: the drop-in broker, with exact times, prices, fees and cash.

The strategy sees Backtrader's ledger, in floats. What is reported, what rules read and what the record tells is kept
beside it in Decimal, from the same fills.
"""

from __future__ import annotations

from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, ClassVar

import backtrader as bt
from msgspec.structs import replace

from seatrial.contracts.market import Bar, Quote
from seatrial.contracts.terms import OrderSide
from seatrial.errors import InvalidConfigError
from seatrial_backtrader.broker import SeatrialBroker
from seatrial_backtrader.desk import Desk
from seatrial_backtrader.matching import Matcher, Venue
from seatrial_backtrader.naming import Names
from seatrial_backtrader.opening import open_gate

if TYPE_CHECKING:
    from collections.abc import Callable

    from seatrial.contracts.orders import Order
    from seatrial.gate.account import Account
    from seatrial.gate.gate import ExecutionGate
    from seatrial.gate.instruments import Instruments
    from seatrial.gate.observers import Observers
    from seatrial_backtrader.account import BrokerAccount
    from seatrial_backtrader.desk import Ticket
    from seatrial_backtrader.feed import Wheel
    from seatrial_backtrader.till import Bill, Till

__all__ = ["OwnBroker"]

_COSTS = ("setcommission", "addcommissioninfo", "set_slippage_perc", "set_slippage_fixed", "set_filler")

_TRAILS = frozenset({bt.Order.StopTrail, bt.Order.StopTrailLimit})
_NOISE = Decimal("0.000001")  # of a tick, which floats leave behind
_SLACK = 1e-6  # of what is paid: the exact account has said that the cash is there, to the last digit


class Paid(Matcher):
    """Backtrader's matching, at the till's prices and fees."""

    till: Till
    core_of: Any
    """Finds the core's order for one of Backtrader's."""
    bills: dict[int, Bill]

    def _execute(self, order: Any, ago: Any = None, price: Any = None, *rest: Any, **named: Any) -> Any:
        core: Order | None = None if ago is None else self.core_of(order)
        if core is None or price is None:
            return super()._execute(order, ago, price, *rest, **named)
        bill = self.till.bill(core, order, price)
        if bill is None:
            order.margin()
            self.notify(order)
            self._ococheck(order)
            self._bracketize(order, cancel=True)
            return None
        self.bills[order.ref] = bill
        scheme, before = self.getcommissioninfo(order.data), order.executed.size
        slack = _SLACK * (1.0 + float(bill.price * bill.quantity + abs(bill.fee)))
        scheme.tell(bill.fee, bill.quantity)
        self.cash += slack
        try:
            return super()._execute(order, ago, float(bill.price), *rest, **named)
        finally:
            self.cash -= slack
            scheme.forget()
            del self.bills[order.ref]
            if order.executed.size != before:
                self.till.book(core, bill)


class OwnVenue(Paid, Venue):
    """The far ledger of such a session."""


class OwnDesk(Desk):
    """The desk of such a session: it reports what the till took."""

    def _bill(self, order: Any) -> Bill | None:
        bills: dict[int, Bill] = getattr(self._book, "bills", {})
        return bills.get(order.ref)

    def _paid(self, order: Any, bit: Any) -> tuple[Decimal, Decimal]:
        bill = self._bill(order)
        return super()._paid(order, bit) if bill is None else (bill.price, bill.fee)

    def _match_time(self, ticket: Ticket, order: Any, bit: Any) -> int:
        bill = self._bill(order)
        return super()._match_time(ticket, order, bit if bill is None else SimpleNamespace(price=float(bill.matched)))


class _Named(Names):
    """The names of a session with one strategy."""

    strategy_id = "S"

    def strategy(self, owner: Any) -> str:  # noqa: ARG002 - there is one
        """Return the strategy's id."""
        return self.strategy_id


class OwnBroker(Paid, SeatrialBroker):
    """The drop-in broker under a session."""

    far_type: ClassVar[type[Venue]] = OwnVenue
    account: Account
    """The account as reported, exactly."""
    instruments: Instruments
    strategy_id = "S"
    wheel: Wheel

    def start(self) -> None:
        """Open the gate."""
        self.bills = {}
        self.core_of = self._core_of
        super().start()
        for name in _COSTS:
            setattr(self, name, _refusal(name))
        self._ruled = True  # the account is to be valued with every row

    def _deposit(self, amount: Decimal) -> None:
        super()._deposit(amount)
        self.till.deposit(amount)

    def _withhold(self, booked: Decimal) -> None:
        super()._withhold(booked)
        self.till.deposit(booked)

    def _stands(self) -> bool:
        return True

    def _rescale(self) -> None:
        """Keep the session's multipliers."""

    def _may_wait(self) -> bool:
        return False

    def _open(self) -> tuple[ExecutionGate, Desk, BrokerAccount, Observers]:
        self._names = _Named(self.cerebro.datas, ())
        self._names.strategy_id = self.strategy_id
        return open_gate(
            self,
            self.p,
            self._names,
            self._hear,
            account=self.account,
            instruments=self.instruments,
            desk_type=OwnDesk,
        )

    def _far_ledger(self) -> Any:
        venue: Any = super()._far_ledger()
        venue.till, venue.core_of, venue.bills = self.till, self.core_of, self.bills
        return venue

    def _write(self, desk: Desk, order: Any, strategy_id: str, now: int, *, check: bool) -> tuple[Ticket, Order]:
        """Return what the drop-in broker does; the stop that follows from a trail lies on the grid, off the market."""
        ticket, core = super()._write(desk, order, strategy_id, now, check=check)
        instrument = self.instruments.find(core.symbol)
        tick = None if instrument is None else instrument.tick_size
        if tick is None or core.stop_price is None or order.exectype not in _TRAILS:
            return ticket, core
        away = ROUND_CEILING if core.side is OrderSide.BUY else ROUND_FLOOR
        ticks = (core.stop_price / tick).quantize(_NOISE).to_integral_value(away)
        return ticket, replace(core, stop_price=ticks * tick) if ticks > 0 else core

    def _core_of(self, order: Any) -> Order | None:
        order_id = getattr(order, "order_id", None)
        if order_id is None or self.gate is None or order.exectype == bt.Order.Historical:
            return None
        return self.gate.get_order(order_id)

    def _now(self) -> int:
        rows = self.wheel.rows
        seen = 0 if self.gate is None else self.gate.now
        return max(seen, rows[-1].ts) if rows else seen

    def _mark(self, gate: ExecutionGate) -> None:
        for row in self.wheel.rows:
            if isinstance(row, Quote):  # none are claimed
                continue
            price = row.close if isinstance(row, Bar) else row.price
            gate.mark(row.symbol, price, row.ts)
            self.till.mark(row.symbol, price, row.ts)


def _refusal(name: str) -> Callable[..., None]:
    def refuse(*arguments: Any, **named: Any) -> None:
        given = (*arguments, *[f"{key}={value!r}" for key, value in named.items()])
        problem = "costs are the session's, not the strategy's; leave the call out, and set [costs]"
        raise InvalidConfigError(name, given, problem)

    return refuse

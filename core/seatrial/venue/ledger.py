"""The venue's own money: cash, positions, and what working orders hold of them.

Nothing here is known to the client until a report says so. A cash account and a margin account differ in what they
refuse; :func:`open_ledger` opens the one that was asked for.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from decimal import Decimal
from typing import TYPE_CHECKING

import msgspec

from seatrial.contracts.rejection import RefusedBy, Rejection, RejectionReason
from seatrial.contracts.venue import AccountType
from seatrial.gate.account import Account, AccountState
from seatrial.venue.reservations import Reservations, ReservationsState

if TYPE_CHECKING:
    from collections.abc import Callable

    from seatrial.contracts.venue import FeeModel, VenueConfig
    from seatrial.gate.instruments import Instruments
    from seatrial.venue.working import Working

__all__ = ["CashLedger", "Ledger", "LedgerState", "MarginLedger", "open_ledger"]

_ZERO = Decimal(0)
_CASH = ("", None)
"""The pool of cash; every other pool is one symbol, or one side of it."""


class LedgerState(msgspec.Struct, frozen=True):
    """A ledger as stored; `required` is the margin in all, `required_by` by symbol."""

    account: AccountState
    reservations: ReservationsState
    required: Decimal = _ZERO
    required_by: dict[str, Decimal] = msgspec.field(default_factory=dict[str, Decimal])


class Ledger(ABC):
    """One account at the venue: what it holds, what is set aside, and what it refuses."""

    __slots__ = ("_fees", "account", "book", "reservations")

    def __init__(self, account: Account, fees: FeeModel) -> None:
        """Start from `account`, with nothing set aside."""
        self.account = account
        self.reservations = Reservations()
        self._fees = fees
        self.book: Callable[[str, Decimal, Decimal, Decimal], object] = account.trade
        """Books a match of signed units; the caller renews or releases what the order holds."""

    @abstractmethod
    def refuse(self, working: Working, price: Decimal | None) -> Rejection | None:
        """Say why an order cannot be taken at `price`, or `None`; nothing is set aside yet.

        `price` is the order's own where it has one, else the market's; `None` where there is neither yet.
        """

    def bears(self, symbol: str, quantity: Decimal, value: Decimal, commission: Decimal, *, is_buy: bool) -> bool:  # noqa: ARG002 - a cash account looks at them
        """Say whether it can be told at a glance that a match of a new order is paid for; if not, it still may be."""
        return False

    @abstractmethod
    def refuse_fill(
        self, working: Working, quantity: Decimal, price: Decimal, *, value: Decimal, commission: Decimal
    ) -> Rejection | None:
        """Say why a match of `quantity` at `price`, worth `value` (currency), cannot be paid for, or `None`."""

    @abstractmethod
    def renew(self, working: Working, price: Decimal | None) -> None:
        """Set aside what is left of an order that was not refused; nothing is checked."""

    def release(self, working: Working) -> None:
        """Free whatever an order holds."""
        if self.reservations.totals:
            self.reservations.free(working.order_id)

    def mark(self, symbol: str, price: Decimal, timestamp: int) -> None:  # noqa: B027 - a cash account needs no marks
        """Value a symbol at `price`, where values matter."""

    def snapshot(self) -> LedgerState:
        """Return what the account holds and what is set aside."""
        return LedgerState(self.account.snapshot(), self.reservations.snapshot())

    def restore(self, state: LedgerState) -> None:
        """Become what `state` says."""
        self.account.restore(state.account)
        self.reservations.restore(state.reservations)


class CashLedger(Ledger):
    """No short sales and nothing bought beyond cash: resting buys hold their cash, resting sells their units."""

    __slots__ = ()

    def refuse(self, working: Working, price: Decimal | None) -> Rejection | None:
        """Refuse what others leave no cash or no units for."""
        reservations = self.reservations
        if working.is_buy:
            return self._refuse_cost(working, _ZERO if price is None else self._cost(working, price))
        quantity, symbol = working.remaining, working.symbol
        units, pool = self.account.position(symbol), (symbol, None)
        held = reservations.totals.get(pool)
        if quantity <= (units - held if held else units):  # enough even beside what the order itself may hold
            return None
        return self._refuse_short(
            quantity, units - reservations.beside(pool, working.group, working.order_id, quantity)
        )

    def bears(self, symbol: str, quantity: Decimal, value: Decimal, commission: Decimal, *, is_buy: bool) -> bool:
        """Compare with what nobody holds."""
        totals = self.reservations.totals
        if is_buy:
            cash, held = self.account.cash, totals.get(_CASH)
            return value + commission <= (cash - held if held else cash)
        units, held = self.account.position(symbol), totals.get((symbol, None))
        return quantity <= (units - held if held else units) and commission <= value

    def refuse_fill(
        self,
        working: Working,
        quantity: Decimal,
        price: Decimal,  # noqa: ARG002 - a margin account looks at it
        *,
        value: Decimal,
        commission: Decimal,
    ) -> Rejection | None:
        """Refuse what the cash at the time of the match does not pay for."""
        if working.is_buy:
            cost, held = value + commission, self.reservations.totals.get(_CASH)
            if held is None and cost <= self.account.cash:
                return None
            return self._refuse_cost(working, cost)
        refused = self._refuse_short(quantity, self.account.position(working.symbol))
        if refused is None and commission > value:
            return self._refuse_cost(working, commission - value)
        return refused

    def renew(self, working: Working, price: Decimal | None) -> None:
        """Hold the cash of a buy with its commission, the units of a sell."""
        if working.is_buy:
            cost = _ZERO if price is None else self._cost(working, price)
            self.reservations.hold(_CASH, working.group, working.order_id, cost)
        else:
            self.reservations.hold((working.symbol, None), working.group, working.order_id, working.remaining)

    def _cost(self, working: Working, price: Decimal) -> Decimal:
        quantity = working.remaining
        value = quantity * price
        if working.multiplier is not None:
            value *= working.multiplier
        if not working.filled:
            return value + self._fees.total(quantity, value)
        return value + self._fees.total(working.quantity, working.filled_value + value) - working.charged

    def _refuse_cost(self, working: Working, cost: Decimal) -> Rejection | None:
        cash, reservations = self.account.cash, self.reservations
        held = reservations.totals.get(_CASH)
        if cost <= (cash - held if held else cash):  # enough even beside what the order itself may hold
            return None
        free = cash - reservations.beside(_CASH, working.group, working.order_id, cost)
        return None if cost <= free else _short(f"{cost} is needed, {free} is free", cost, free)

    def _refuse_short(self, quantity: Decimal, free: Decimal) -> Rejection | None:
        if quantity <= free:
            return None
        return _short(f"a cash account sells only what it holds: {quantity} to sell, {free} free", quantity, free)


class MarginLedger(Ledger):
    """Short sales and leverage: positions and working orders at their worst, over leverage, may not exceed equity.

    What makes a symbol's worst case no larger is never refused.
    """

    __slots__ = ("_leverage", "_required", "_required_by")

    def __init__(self, account: Account, fees: FeeModel, leverage: Decimal) -> None:
        """Start from `account`, with nothing set aside; `leverage` is value per equity."""
        super().__init__(account, fees)
        self.book = self._book
        self._leverage = leverage
        self._required = _ZERO
        self._required_by: dict[str, Decimal] = {}

    def refuse(self, working: Working, price: Decimal | None) -> Rejection | None:
        """Refuse what makes the worst case worse than equity bears."""
        symbol = working.symbol
        before = self._required_by.get(symbol, _ZERO)
        pool = (symbol, working.is_buy)
        others = self.reservations.beside(pool, working.group, working.order_id, working.remaining)
        more = others + working.remaining - self.reservations.total(pool)
        after = self._margin(
            symbol, price, buys=more if working.is_buy else _ZERO, sells=_ZERO if working.is_buy else more
        )
        return self._refuse_beyond(self._required - before + after) if after > before else None

    def refuse_fill(
        self,
        working: Working,
        quantity: Decimal,
        price: Decimal,
        *,
        value: Decimal,  # noqa: ARG002 - a cash account looks at it
        commission: Decimal,
    ) -> Rejection | None:
        """Refuse what equity at the time of the match does not bear; a reduction always passes."""
        symbol, position = working.symbol, self.account.position(working.symbol)
        after = position + quantity if working.is_buy else position - quantity
        if abs(after) <= abs(position):
            return None
        mark = self.account.holding(symbol).mark or price
        before = self._required_by.get(symbol, _ZERO)
        multiplier = working.multiplier or 1
        own = max(abs(after) * mark * multiplier / self._leverage, before)
        change = (mark - price) * (after - position) * multiplier - commission
        return self._refuse_beyond(self._required - before + own, change)

    def renew(self, working: Working, price: Decimal | None) -> None:
        """Count what is left of an order on its side."""
        pool = (working.symbol, working.is_buy)
        self.reservations.hold(pool, working.group, working.order_id, working.remaining)
        self._require(working.symbol, price)

    def release(self, working: Working) -> None:
        """Count an order no longer."""
        super().release(working)
        self._require(working.symbol)

    def mark(self, symbol: str, price: Decimal, timestamp: int) -> None:
        """Value a symbol, and renew its margin."""
        self.account.mark(symbol, price, timestamp)
        if symbol in self._required_by:
            self._require(symbol)

    def snapshot(self) -> LedgerState:
        """Return what the account holds, what is set aside, and the margin."""
        return msgspec.structs.replace(super().snapshot(), required=self._required, required_by=dict(self._required_by))

    def restore(self, state: LedgerState) -> None:
        """Become what `state` says."""
        super().restore(state)
        self._required, self._required_by = state.required, dict(state.required_by)

    def _book(self, symbol: str, quantity: Decimal, price: Decimal, commission: Decimal) -> None:
        """Book a match, and renew the margin of its symbol."""
        self.account.trade(symbol, quantity, price, commission)
        self._require(symbol)

    def _refuse_beyond(self, required: Decimal, change: Decimal = _ZERO) -> Rejection | None:
        equity = self.account.equity + change
        if required <= equity:
            return None
        return _short(f"margin of {required} is needed, equity is {equity}", required, equity)

    def _margin(self, symbol: str, price: Decimal | None, *, buys: Decimal, sells: Decimal) -> Decimal:
        """Return the margin of a symbol with `buys` and `sells` more at work; zero while it has no price at all."""
        holding, total = self.account.holding(symbol), self.reservations.total
        value = holding.mark if holding.mark is not None else price
        if value is None:
            return _ZERO
        long = abs(holding.quantity + total((symbol, True)) + buys)
        short = abs(holding.quantity - total((symbol, False)) - sells)
        return max(long, short) * value * (holding.multiplier or 1) / self._leverage

    def _require(self, symbol: str, price: Decimal | None = None) -> None:
        """Renew the margin of one symbol."""
        required = self._margin(symbol, price, buys=_ZERO, sells=_ZERO)
        self._required += required - self._required_by.get(symbol, _ZERO)
        total = self.reservations.total
        if self.account.position(symbol) or total((symbol, True)) or total((symbol, False)):
            self._required_by[symbol] = required
        else:
            self._required_by.pop(symbol, None)


def open_ledger(cash: Decimal, config: VenueConfig, fees: FeeModel, instruments: Instruments) -> Ledger:
    """Open the account that `config` asks for, with `cash` (currency) and no position."""
    if config.account_type is AccountType.CASH:
        return CashLedger(Account(cash, instruments, valued=False), fees)
    return MarginLedger(Account(cash, instruments), fees, config.leverage)


def _short(message: str, value: Decimal, limit: Decimal) -> Rejection:
    return Rejection(RejectionReason.INSUFFICIENT_FUNDS, message, RefusedBy.VENUE, None, value, limit)

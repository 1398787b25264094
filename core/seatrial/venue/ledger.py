"""The venue's own money: cash, positions, and what working orders hold of them.

Nothing here is known to the client until a report says so. Working orders are counted at their worst: buys and sells
apart, and of an OCO group only its largest leg, since one fill ends the others.
"""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

from seatrial.contracts.rejection import RefusedBy, Rejection, RejectionReason
from seatrial.contracts.venue import AccountType
from seatrial.gate.account import Account

if TYPE_CHECKING:
    from seatrial.contracts.venue import VenueConfig
    from seatrial.gate.instruments import Instruments
    from seatrial.venue.working import Working

__all__ = ["Ledger", "Reservations"]

_ZERO = Decimal(0)
_CASH = ""
"""The pool of cash; every other pool is one side of one symbol."""


class Reservations:
    """Amounts set aside, by pool and order; legs of one group in one pool count as their largest."""

    __slots__ = ("_by_order", "_groups", "_totals")

    def __init__(self) -> None:
        """Start with nothing set aside."""
        self._totals: dict[object, Decimal] = {}
        self._by_order: dict[str, tuple[object, str | None, Decimal]] = {}
        self._groups: dict[tuple[object, str], dict[str, Decimal]] = {}

    def total(self, pool: object) -> Decimal:
        """Return what is set aside in `pool`."""
        return self._totals.get(pool, _ZERO)

    def without(self, pool: object, order_id: str) -> Decimal:
        """Return what is set aside in `pool` for others than this order (and its group)."""
        held = self._by_order.get(order_id)
        if held is None or held[0] != pool:
            return self.total(pool)
        _, group, amount = held
        if group is not None:
            amount = max(self._groups[pool, group].values())
        return self.total(pool) - amount

    def hold(self, pool: object, group: str | None, order_id: str, amount: Decimal) -> None:
        """Set `amount` aside for an order, instead of what it held before."""
        self.free(order_id)
        if amount <= _ZERO:
            return
        self._by_order[order_id] = (pool, group, amount)
        if group is None:
            self._add(pool, amount)
            return
        legs = self._groups.setdefault((pool, group), {})
        before = max(legs.values(), default=_ZERO)
        legs[order_id] = amount
        self._add(pool, max(before, amount) - before)

    def free(self, order_id: str) -> None:
        """Release whatever an order holds."""
        held = self._by_order.pop(order_id, None)
        if held is None:
            return
        pool, group, amount = held
        if group is None:
            self._add(pool, -amount)
            return
        legs = self._groups[pool, group]
        before = max(legs.values())
        del legs[order_id]
        after = max(legs.values(), default=_ZERO)
        if not legs:
            del self._groups[pool, group]
        self._add(pool, after - before)

    def pools(self) -> dict[object, Decimal]:
        """Return every pool that is not empty, with its total."""
        return dict(self._totals)

    def _add(self, pool: object, amount: Decimal) -> None:
        total = self._totals.get(pool, _ZERO) + amount
        if total:
            self._totals[pool] = total
        else:
            self._totals.pop(pool, None)


class Ledger:
    """Cash, positions and reservations at the venue, with the checks of a cash or a margin account."""

    __slots__ = ("_config", "_is_cash", "_required", "_required_by", "account", "reservations")

    def __init__(self, cash: Decimal, config: VenueConfig, instruments: Instruments) -> None:
        """Start with `cash` (currency) and no position."""
        self.account = Account(cash, instruments)
        self.reservations = Reservations()
        self._config = config
        self._is_cash = config.account_type is AccountType.CASH
        self._required = _ZERO
        self._required_by: dict[str, Decimal] = {}

    def mark(self, symbol: str, price: Decimal, timestamp: int) -> None:
        """Value a symbol; only margin needs it."""
        if not self._is_cash:
            self.account.mark(symbol, price, timestamp)
            if symbol in self._required_by:
                self._require(symbol)

    def admit(self, working: Working, price: Decimal | None) -> Rejection | None:
        """Set aside what an order may cost at `price`, or say why it cannot be.

        `price` is the order's own where it has one, else the market's; `None` where there is neither yet.
        """
        if self._is_cash:
            return self._admit_cash(working, price)
        pool = (working.symbol, working.is_buy)
        before = self._required_by.get(working.symbol, _ZERO)
        self.reservations.hold(pool, working.group, working.order_id, working.remaining)
        after = self._require(working.symbol, price)
        if after > before and self._required > self.account.equity:
            required, equity = self._required, self.account.equity
            self.release(working)
            return _short(f"margin of {required} is needed, equity is {equity}", required, equity)
        return None

    def renew(self, working: Working, price: Decimal | None) -> None:
        """Set aside what is left of an order that was admitted before; nothing is checked."""
        if not self._is_cash:
            self.reservations.hold((working.symbol, working.is_buy), working.group, working.order_id, working.remaining)
            self._require(working.symbol, price)
        elif working.is_buy:
            self.reservations.hold(_CASH, working.group, working.order_id, self._cost(working, price))
        else:
            self.reservations.hold(working.symbol, working.group, working.order_id, working.remaining)

    def release(self, working: Working) -> None:
        """Free whatever an order holds."""
        self.reservations.free(working.order_id)
        if not self._is_cash:
            self._require(working.symbol)

    def refuse_fill(self, working: Working, quantity: Decimal, price: Decimal, commission: Decimal) -> Rejection | None:
        """Say why a match of `quantity` at `price` cannot be paid for, or `None`."""
        symbol = working.symbol
        position = self.account.position(symbol)
        if self._is_cash:
            if not working.is_buy:
                return None if quantity <= position else self._no_short(quantity, position)
            cost = quantity * price * working.multiplier + commission
            free = self.account.cash - self.reservations.without(_CASH, working.order_id)
            return None if cost <= free else _short(f"{cost} is needed, {free} is free", cost, free)
        after = position + quantity if working.is_buy else position - quantity
        if abs(after) <= abs(position):
            return None
        holding = self.account.holding(symbol)
        own = max(abs(after), self._worst(symbol)) * price * holding.multiplier / self._config.leverage
        required = self._required - self._required_by.get(symbol, _ZERO) + own
        mark = price if holding.mark is None else holding.mark
        gain = (mark - price) * (after - position) * holding.multiplier - commission
        equity = self.account.equity + gain
        return (
            None if required <= equity else _short(f"margin {required} is needed, equity is {equity}", required, equity)
        )

    def book(self, working: Working, quantity: Decimal, price: Decimal, commission: Decimal) -> None:
        """Book a match; the caller renews or releases what the order holds."""
        self.account.trade(working.symbol, quantity if working.is_buy else -quantity, price, commission)
        if not self._is_cash:
            self._require(working.symbol)

    def _admit_cash(self, working: Working, price: Decimal | None) -> Rejection | None:
        reservations, order_id = self.reservations, working.order_id
        if working.is_buy:
            cost = self._cost(working, price)
            free = self.account.cash - self._others(_CASH, working, cost)
            if cost > free:
                return _short(f"{cost} is needed, {free} is free", cost, free)
            reservations.hold(_CASH, working.group, order_id, cost)
            return None
        free = self.account.position(working.symbol) - self._others(working.symbol, working, working.remaining)
        if working.remaining > free:
            return self._no_short(working.remaining, free)
        reservations.hold(working.symbol, working.group, order_id, working.remaining)
        return None

    def _cost(self, working: Working, price: Decimal | None) -> Decimal:
        if price is None:
            return _ZERO
        value = working.remaining * price * working.multiplier
        fee = self._config.fees.total(working.filled + working.remaining, working.filled_value + value)
        return value + fee - working.charged

    def _others(self, pool: object, working: Working, amount: Decimal) -> Decimal:
        """Return what others hold in `pool`, a group's other legs only as far as they hold more than `amount`."""
        reservations = self.reservations
        reservations.hold(pool, working.group, working.order_id, amount)
        others = reservations.total(pool) - amount
        reservations.free(working.order_id)
        return others

    def _no_short(self, quantity: Decimal, free: Decimal) -> Rejection:
        return _short(f"a cash account sells only what it holds: {quantity} to sell, {free} free", quantity, free)

    def _worst(self, symbol: str) -> Decimal:
        position = self.account.position(symbol)
        total = self.reservations.total
        return max(abs(position + total((symbol, True))), abs(position - total((symbol, False))))

    def _require(self, symbol: str, price: Decimal | None = None) -> Decimal:
        holding = self.account.holding(symbol)
        worst = self._worst(symbol)
        value = holding.mark if holding.mark is not None else price
        required = worst * value * holding.multiplier / self._config.leverage if value is not None else _ZERO
        self._required += required - self._required_by.get(symbol, _ZERO)
        if worst:
            self._required_by[symbol] = required
        else:
            self._required_by.pop(symbol, None)
        return required


def _short(message: str, value: Decimal, limit: Decimal) -> Rejection:
    return Rejection(RejectionReason.INSUFFICIENT_FUNDS, message, RefusedBy.VENUE, None, value, limit)

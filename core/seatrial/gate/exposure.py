"""What an account may come to if all its orders fill, kept up to date in O(1) per order, fill and mark.

Every order counts from its submit to its terminal report, for what the client has not been told was filled. Of an OCO
group the largest leg per side counts; an exit counts nothing while its entry works, then at most what the entry filled;
a modify under way counts the larger of old and new. An order with a price is valued at it, any other at the mark.
"""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, TypeAlias

import msgspec

from seatrial.contracts.events import ModifyRefused, OrderChange
from seatrial.contracts.terms import OrderSide, OrderType

if TYPE_CHECKING:
    from collections.abc import Iterable

    from seatrial.contracts.account import AccountView
    from seatrial.contracts.events import OrderEvent
    from seatrial.contracts.orders import Order
    from seatrial.gate.client import ClientView
    from seatrial.gate.instruments import Instruments

__all__ = ["Amounts", "Exposure", "ExposureState", "SideState", "Stake", "StakeState"]

_ZERO = Decimal(0)
_BUY = OrderSide.BUY
_NATIVE = OrderType.NATIVE


class Amounts(msgspec.Struct, frozen=True, gc=False, array_like=True):
    """What an order may still trade: units; the value of those with a price; the units of those without."""

    quantity: Decimal
    value: Decimal
    unpriced: Decimal


_NOTHING = Amounts(_ZERO, _ZERO, _ZERO)


class SideState(msgspec.Struct, frozen=True):
    """One side of a stake, as stored."""

    quantity: Decimal
    value: Decimal
    unpriced: Decimal


class StakeState(msgspec.Struct, frozen=True, omit_defaults=True):
    """A symbol's stake, as stored; `known` is what it last added to the totals: gross, long, short."""

    mark: Decimal | None
    marked_at: int
    buys: SideState
    sells: SideState
    known: tuple[Decimal, Decimal, Decimal] | None = None
    stale: bool = False


class ExposureState(msgspec.Struct, frozen=True):
    """Everything an :class:`Exposure` cannot derive from the orders; `totals` are gross, long and short."""

    stakes: dict[str, StakeState]
    changes: dict[str, tuple[OrderChange, ...]]
    totals: tuple[Decimal, Decimal, Decimal] | None


class _Side:
    """What all orders of one symbol and side may still trade; `mixed` groups have legs with and without a price."""

    __slots__ = ("groups", "mixed", "quantity", "unpriced", "value")

    def __init__(self) -> None:
        self.quantity = self.value = self.unpriced = _ZERO
        self.groups: dict[str, dict[str, Amounts]] = {}
        self.mixed: dict[str, Amounts] = {}

    def regroup(self, group: str, order_id: str, amounts: Amounts | None) -> None:
        """Set or drop one leg of a group; the group then counts as its largest."""
        legs = self.groups.setdefault(group, {})
        self._count(group, legs, -1)
        if amounts is None:
            legs.pop(order_id, None)
        else:
            legs[order_id] = amounts
        if legs:
            self._count(group, legs, 1)
        else:
            del self.groups[group]

    def _count(self, group: str, legs: dict[str, Amounts], sign: int) -> None:
        if not legs:
            return
        worst = Amounts(
            max([leg.quantity for leg in legs.values()]),
            max([leg.value for leg in legs.values()]),
            max([leg.unpriced for leg in legs.values()]),
        )
        self.quantity += sign * worst.quantity
        if not worst.unpriced or not worst.value:
            self.value += sign * worst.value
            self.unpriced += sign * worst.unpriced
        elif sign > 0:
            self.mixed[group] = worst
        else:
            del self.mixed[group]

    def value_at(self, mark: Decimal) -> Decimal:
        """Return the value with unpriced orders at `mark`."""
        value = self.value + self.unpriced * mark
        for worst in self.mixed.values():
            value += max(worst.value, worst.unpriced * mark)
        return value


class Stake:
    """One symbol: its mark, what works on either side, and what it last added to the totals.

    `ends` are the values between which the position may come to lie, once somebody has asked since they last changed.
    """

    __slots__ = ("buys", "ends", "known", "mark", "marked_at", "multiplier", "sells")

    def __init__(self, multiplier: Decimal) -> None:
        """Start unmarked, with nothing at work."""
        self.mark: Decimal | None = None
        self.marked_at = 0
        self.buys = _Side()
        self.sells = _Side()
        self.multiplier = None if multiplier == 1 else multiplier
        self.ends: tuple[Decimal, Decimal] | None = None
        self.known: tuple[Decimal, Decimal, Decimal] | None = None

    def measure(self, position: Decimal) -> tuple[Decimal, Decimal] | None:
        """Return the values between which `position` may come to lie; `None` where a price is missing."""
        mark, buys, sells = self.mark, self.buys, self.sells
        if mark is None:
            if position or buys.unpriced or buys.mixed or sells.unpriced or sells.mixed:
                return None
            long, short = buys.value, -sells.value
        else:
            held = position * mark
            long = held + (buys.value_at(mark) if buys.unpriced or buys.mixed else buys.value)
            short = held - (sells.value_at(mark) if sells.unpriced or sells.mixed else sells.value)
        multiplier = self.multiplier
        self.ends = ends = (long, short) if multiplier is None else (long * multiplier, short * multiplier)
        return ends


class _Entry:
    """An order that is no plain one: its group, what it counts for, and the changes nobody has answered yet."""

    __slots__ = ("amounts", "changes", "group", "side", "symbol")

    def __init__(self, symbol: str, side: _Side, group: str | None, amounts: Amounts) -> None:
        self.symbol = symbol
        self.side = side
        self.group = group
        self.amounts = amounts
        self.changes: list[OrderChange] = []


_Plain: TypeAlias = tuple[str, _Side, Decimal, Decimal | None]
"""An order without links, fills or changes: its symbol and side, its units, and their value where it has a price."""


class Exposure:
    """The worst case of one account."""

    __slots__ = (
        "_account",
        "_children",
        "_client",
        "_entries",
        "_instruments",
        "_totals",
        "_unknown",
        "stakes",
        "stale",
    )

    def __init__(self, client: ClientView, account: AccountView, instruments: Instruments) -> None:
        """Count every order of `client` that has not ended."""
        self._client = client
        self._account = account
        self._instruments = instruments
        self.stakes: dict[str, Stake] = {}
        """The symbols seen so far."""
        self.stale: set[str] = set()
        """The symbols whose share of the totals is out of date."""
        self._entries: dict[str, _Plain | _Entry] = {}
        self._children: dict[str, list[str]] = {}
        self._totals: tuple[Decimal, Decimal, Decimal] | None = None
        self._unknown: set[str] = set()  # symbols that are in no total, for want of a price
        for order in client.pending.values():
            self.add(order)

    def stake(self, symbol: str) -> Stake:
        """Return the record of one symbol, made when first asked for."""
        stake = self.stakes.get(symbol)
        if stake is None:
            known = self._instruments.find(symbol)
            stake = self.stakes[symbol] = Stake(Decimal(1) if known is None else known.multiplier)
        return stake

    # -- what happens ----------------------------------------------------------------------------------------------

    def mark(self, symbol: str, price: Decimal, timestamp: int) -> None:
        """The market shows `price` for `symbol`."""
        stake = self.stakes.get(symbol) or self.stake(symbol)
        stake.mark = price
        stake.marked_at = timestamp
        stake.ends = None
        self.stale.add(symbol)

    def trade(self, symbol: str, price: Decimal, timestamp: int) -> None:
        """A fill was reported; a first one is its own mark."""
        stake = self.stakes[symbol]
        stake.ends = None
        self.stale.add(symbol)
        if stake.mark is None:
            stake.mark, stake.marked_at = price, timestamp

    def touch(self, symbol: str) -> None:
        """A position changed by something else than a fill."""
        self.stake(symbol).ends = None
        self.stale.add(symbol)

    def add(self, order: Order) -> None:
        """Count an order that is about to leave."""
        symbol, order_id = order.symbol, order.order_id
        stake = self.stakes.get(symbol) or self.stake(symbol)
        side = stake.buys if order.side is _BUY else stake.sells
        if order.parent_id is not None or order.oco_id is not None or order.filled_quantity:
            self._entries[order_id] = entry = _Entry(symbol, side, order.oco_id, _NOTHING)
            if order.parent_id is not None:
                self._children.setdefault(order.parent_id, []).append(order_id)
            self._count(order, entry)
            return
        stake.ends = None
        self.stale.add(symbol)
        quantity, price = order.quantity, order.limit_price or order.stop_price
        side.quantity += quantity
        if price is None or order.order_type is _NATIVE:
            side.unpriced += quantity
            self._entries[order_id] = (symbol, side, quantity, None)
        else:
            value = quantity * price
            side.value += value
            self._entries[order_id] = (symbol, side, quantity, value)

    def drop(self, order_id: str) -> None:
        """Count an order no longer: it ended, or never left."""
        entry = self._entries.pop(order_id, None)
        if entry is None:
            return
        if type(entry) is tuple:
            symbol, side, quantity, value = entry
            side.quantity -= quantity
            if value is None:
                side.unpriced -= quantity
            else:
                side.value -= value
        else:
            symbol = self._discount(order_id, entry)  # type: ignore[arg-type]  # no tuple, so an entry
        self.stakes[symbol].ends = None
        self.stale.add(symbol)
        if self._children:
            for child_id in self._children.pop(order_id, ()):
                child, order = self._entry(child_id), self._client.pending.get(child_id)
                if child is not None and order is not None:
                    self._count(order, child)

    def amend(self, order: Order, change: OrderChange) -> None:
        """Count a modify that is about to leave."""
        entry = self._entry(order.order_id)
        if entry is not None:
            entry.changes.append(change)
            self._count(order, entry)

    def unamend(self, order: Order) -> None:
        """Take back the latest modify, which did not leave."""
        entry = self._entry(order.order_id)
        if entry is not None:
            entry.changes.pop()
            self._count(order, entry)

    def follow(self, order: Order, event: OrderEvent) -> None:
        """Take in what was reported of an order that goes on, `order` being what it then is."""
        entry = self._entry(order.order_id)
        if entry is not None:
            if entry.changes and (type(event) is ModifyRefused or getattr(event, "requested", False)):
                del entry.changes[0]
            self._count(order, entry)

    # -- what it comes to ------------------------------------------------------------------------------------------

    def reduces(self, order: Order) -> bool:
        """Return whether a counted order provably reduces: it cannot flip, even after all others of its side."""
        stake = self.stakes[order.symbol]
        position = self._account.position(order.symbol)
        if order.order_type is _NATIVE or (order.parent_id is not None and self._dormant(order.parent_id)):
            return False
        if order.side is _BUY:
            return position < 0 and position + stake.buys.quantity <= 0
        return position > 0 and position - stake.sells.quantity >= 0

    def totals(self) -> tuple[Decimal, Decimal, Decimal] | None:
        """Return gross, long and short exposure in currency; `None` where a price is missing."""
        stale, totals = self.stale, self._totals
        if totals is None:
            totals = self._totals = (_ZERO, _ZERO, _ZERO)
            stale.update(self.stakes, self._account.positions)
        if stale:
            gross, long, short = totals
            for symbol in sorted(stale):
                stake = self.stakes.get(symbol) or self.stake(symbol)
                ends = stake.ends or stake.measure(self._account.position(symbol))
                if stake.known is not None:
                    worst, most, least = stake.known
                    gross, long, short = gross - worst, long - most, short - least
                if ends is None:
                    stake.known = None
                    self._unknown.add(symbol)
                    continue
                most, least = ends
                worst = max(most, -least)
                stake.known = (worst, most, least)
                gross, long, short = gross + worst, long + most, short + least
                if self._unknown:
                    self._unknown.discard(symbol)
            stale.clear()
            self._totals = totals = (gross, long, short)
        return None if self._unknown else totals

    # -- inside ----------------------------------------------------------------------------------------------------

    def _entry(self, order_id: str) -> _Entry | None:
        """Return an order's entry, which it gets with its first fill or change; `None` for one that is not counted."""
        entry = self._entries.get(order_id)
        if isinstance(entry, tuple):
            symbol, side, quantity, value = entry
            amounts = Amounts(quantity, _ZERO, quantity) if value is None else Amounts(quantity, value, _ZERO)
            entry = self._entries[order_id] = _Entry(symbol, side, None, amounts)
        return entry

    def _dormant(self, parent_id: str) -> bool:
        return parent_id in self._client.pending or parent_id in self._entries

    def _count(self, order: Order, entry: _Entry) -> None:
        amounts = self._amounts(order, entry.changes)
        before, entry.amounts = entry.amounts, amounts
        side = entry.side
        if entry.group is not None:
            side.regroup(entry.group, order.order_id, amounts)
        else:
            side.quantity += amounts.quantity - before.quantity
            side.value += amounts.value - before.value
            side.unpriced += amounts.unpriced - before.unpriced
        self.stakes[entry.symbol].ends = None
        self.stale.add(entry.symbol)

    def _discount(self, order_id: str, entry: _Entry) -> str:
        side, amounts = entry.side, entry.amounts
        if entry.group is not None:
            side.regroup(entry.group, order_id, None)
        else:
            side.quantity -= amounts.quantity
            side.value -= amounts.value
            side.unpriced -= amounts.unpriced
        return entry.symbol

    def _amounts(self, order: Order, changes: Iterable[OrderChange]) -> Amounts:
        left = order.quantity
        limited = order.limit_price is not None
        price = order.limit_price if limited else order.stop_price
        if order.order_type is _NATIVE:
            price = None
        for change in changes:
            left = max(left, change.quantity or _ZERO)
            changed = change.limit_price if limited else change.stop_price
            if price is not None and changed is not None:
                price = max(price, changed)
        left -= order.filled_quantity
        if order.parent_id is not None:
            if self._dormant(order.parent_id):
                return _NOTHING
            parent = self._client.completed.get(order.parent_id)
            if parent is not None:
                left = max(min(left, parent.filled_quantity - order.filled_quantity), _ZERO)
        return Amounts(left, _ZERO, left) if price is None else Amounts(left, left * price, _ZERO)

    # -- state -----------------------------------------------------------------------------------------------------

    def snapshot(self) -> ExposureState:
        """Return what the orders do not tell."""
        stakes = {symbol: _stored(stake, stale=symbol in self.stale) for symbol, stake in self.stakes.items()}
        entries = self._entries.items()
        changes = {order_id: tuple(one.changes) for order_id, one in entries if isinstance(one, _Entry) and one.changes}
        return ExposureState(stakes, changes, self._totals)

    def restore(self, state: ExposureState) -> None:
        """Become what `state` says, the client's orders being back already."""
        self.stakes.clear()
        self._entries.clear()
        self._children.clear()
        for order in self._client.pending.values():
            self.add(order)
        for order_id, changes in state.changes.items():
            entry = self._entry(order_id)
            if entry is not None:
                entry.changes += changes
                self._count(self._client.pending[order_id], entry)
        for symbol, stored in state.stakes.items():
            stake = self.stake(symbol)
            stake.mark, stake.marked_at, stake.known = stored.mark, stored.marked_at, stored.known
            for side, amounts in ((stake.buys, stored.buys), (stake.sells, stored.sells)):
                side.quantity, side.value, side.unpriced = amounts.quantity, amounts.value, amounts.unpriced
        self._totals = state.totals
        self.stale = {symbol for symbol, stored in state.stakes.items() if stored.stale}
        if state.totals is not None:
            self._unknown = {symbol for symbol, stake in self.stakes.items() if stake.known is None} - self.stale


def _stored(stake: Stake, *, stale: bool) -> StakeState:
    buys, sells = stake.buys, stake.sells
    return StakeState(
        stake.mark,
        stake.marked_at,
        SideState(buys.quantity, buys.value, buys.unpriced),
        SideState(sells.quantity, sells.value, sells.unpriced),
        stake.known,
        stale,
    )

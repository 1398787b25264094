"""What an account may come to if all its orders fill, kept up to date in O(1) per order, fill and mark.

Every order counts from its submit to its terminal report, for what the client has not been told was filled. Of an OCO
group the largest leg per side counts; an exit counts nothing while its entry works, then at most what the entry filled;
a modify under way counts the larger of old and new. An order with a price is valued at it, any other at the mark.
"""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

import msgspec

from seatrial.contracts.events import ModifyRefused, OrderChange, OrderExecution, OrderReplaced
from seatrial.contracts.orders import TERMINAL
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
    known: tuple[Decimal | None, Decimal, Decimal] | None = None
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

    def value_at(self, mark: Decimal | None) -> Decimal | None:
        """Return the value with unpriced orders at `mark`; `None` where that is needed and missing."""
        if not self.unpriced and not self.mixed:
            return self.value
        if mark is None:
            return None
        value = self.value + self.unpriced * mark
        for worst in self.mixed.values():
            value += max(worst.value, worst.unpriced * mark)
        return value


class Stake:
    """One symbol: its mark, what works on either side, and what it last added to the totals."""

    __slots__ = ("buys", "known", "mark", "marked_at", "multiplier", "sells")

    def __init__(self, multiplier: Decimal) -> None:
        """Start unmarked, with nothing at work."""
        self.mark: Decimal | None = None
        self.marked_at = 0
        self.buys = _Side()
        self.sells = _Side()
        self.multiplier = None if multiplier == 1 else multiplier
        self.known: tuple[Decimal | None, Decimal, Decimal] | None = None

    def ends(self, position: Decimal) -> tuple[Decimal, Decimal] | None:
        """Return the values between which `position` may come to lie; `None` where a price is missing."""
        mark = self.mark
        buys, sells = self.buys.value_at(mark), self.sells.value_at(mark)
        if buys is None or sells is None:
            return None
        if not position:
            long, short = buys, -sells
        elif mark is None:
            return None
        else:
            held = position * mark
            long, short = held + buys, held - sells
        multiplier = self.multiplier
        return (long, short) if multiplier is None else (long * multiplier, short * multiplier)


class _Entry:
    """One order: where and for how much it counts, and the changes nobody has answered yet."""

    __slots__ = ("amounts", "changes", "group", "side", "stake", "symbol")

    def __init__(self, symbol: str, stake: Stake, side: _Side, group: str | None) -> None:
        self.symbol = symbol
        self.stake = stake
        self.side = side
        self.group = group
        self.amounts = _NOTHING
        self.changes: list[OrderChange] = []


class Exposure:
    """The worst case of one account."""

    __slots__ = ("_account", "_children", "_client", "_entries", "_instruments", "_stale", "_totals", "stakes")

    def __init__(self, client: ClientView, account: AccountView, instruments: Instruments) -> None:
        """Count every order of `client` that has not ended."""
        self._client = client
        self._account = account
        self._instruments = instruments
        self.stakes: dict[str, Stake] = {}
        """The symbols seen so far."""
        self._entries: dict[str, _Entry] = {}
        self._children: dict[str, list[str]] = {}
        self._stale: set[str] | None = None  # symbols whose share of the totals is out of date; None: no totals yet
        self._totals = (_ZERO, _ZERO, _ZERO)
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
        if self._stale is not None:
            self._stale.add(symbol)

    def add(self, order: Order) -> None:
        """Count an order that is about to leave."""
        symbol = order.symbol
        stake = self.stakes.get(symbol) or self.stake(symbol)
        side = stake.buys if order.side is _BUY else stake.sells
        entry = self._entries[order.order_id] = _Entry(symbol, stake, side, order.oco_id)
        if order.parent_id is not None:
            self._children.setdefault(order.parent_id, []).append(order.order_id)
        self._count(order, entry)

    def drop(self, order_id: str) -> None:
        """Count an order no longer: it ended, or never left."""
        entry = self._entries.pop(order_id, None)
        if entry is None:
            return
        side, amounts = entry.side, entry.amounts
        if entry.group is not None:
            side.regroup(entry.group, order_id, None)
        else:
            side.quantity -= amounts.quantity
            if amounts.unpriced:
                side.unpriced -= amounts.unpriced
            else:
                side.value -= amounts.value
        if self._stale is not None:
            self._stale.add(entry.symbol)
        if self._children:
            for child in self._children.pop(order_id, ()):
                if child in self._entries and child in self._client.pending:
                    self._count(self._client.pending[child], self._entries[child])

    def amend(self, order: Order, change: OrderChange) -> None:
        """Count a modify that is about to leave."""
        entry = self._entries.get(order.order_id)
        if entry is not None:
            entry.changes.append(change)
            self._count(order, entry)

    def unamend(self, order: Order) -> None:
        """Take back the latest modify, which did not leave."""
        entry = self._entries.get(order.order_id)
        if entry is not None:
            entry.changes.pop()
            self._count(order, entry)

    def follow(self, order: Order, event: OrderEvent) -> None:
        """Take in what was reported of an order, `order` being what it then is."""
        if order.status in TERMINAL:
            self.drop(order.order_id)
            return
        kind = type(event)
        if kind is not OrderExecution and kind is not OrderReplaced and kind is not ModifyRefused:
            return
        entry = self._entries.get(order.order_id)
        if entry is None:
            return
        if entry.changes and (kind is ModifyRefused or getattr(event, "requested", False)):
            del entry.changes[0]
        self._count(order, entry)

    def touch(self, symbol: str) -> None:
        """A position changed."""
        if self._stale is not None:
            self._stale.add(symbol)

    # -- what it comes to ------------------------------------------------------------------------------------------

    def reduces(self, order: Order) -> bool:
        """Return whether a counted order provably reduces: it cannot flip, even after all others of its side."""
        stake = self.stakes[order.symbol]
        position = self._account.position(order.symbol)
        if order.order_type is OrderType.NATIVE or (order.parent_id is not None and self._dormant(order.parent_id)):
            return False
        if order.side is _BUY:
            return position < 0 and position + stake.buys.quantity <= 0
        return position > 0 and position - stake.sells.quantity >= 0

    def totals(self) -> tuple[Decimal, Decimal, Decimal] | None:
        """Return gross, long and short exposure in currency; `None` where a price is missing."""
        stale = self._stale
        if stale is None:
            stale = self._stale = {*self.stakes, *self._account.positions}
        if stale:
            gross, long, short = self._totals
            for symbol in sorted(stale):
                stake = self.stake(symbol)
                if stake.known is not None and stake.known[0] is not None:
                    gross, long, short = gross - stake.known[0], long - stake.known[1], short - stake.known[2]
                ends = stake.ends(self._account.position(symbol))
                if ends is None:
                    stake.known = (None, _ZERO, _ZERO)
                else:
                    worst = max(abs(ends[0]), abs(ends[1]))
                    stake.known = (worst, *ends)
                    gross, long, short = gross + worst, long + ends[0], short + ends[1]
            stale.clear()
            self._totals = (gross, long, short)
        return self._totals

    # -- inside ----------------------------------------------------------------------------------------------------

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
        if self._stale is not None:
            self._stale.add(entry.symbol)

    def _amounts(self, order: Order, changes: Iterable[OrderChange]) -> Amounts:
        left = order.quantity
        limited = order.limit_price is not None
        price = order.limit_price if limited else order.stop_price
        if order.order_type is OrderType.NATIVE:
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
        stale = self._stale
        outdated = stale or set[str]()
        symbols = (*self.stakes, *sorted(outdated - self.stakes.keys()))
        stakes = {symbol: _stored(self.stake(symbol), stale=symbol in outdated) for symbol in symbols}
        changes = {order_id: tuple(entry.changes) for order_id, entry in self._entries.items() if entry.changes}
        return ExposureState(stakes, changes, None if stale is None else self._totals)

    def restore(self, state: ExposureState) -> None:
        """Become what `state` says, the client's orders being back already."""
        self.stakes.clear()
        self._entries.clear()
        self._children.clear()
        for order in self._client.pending.values():
            self.add(order)
        for order_id, changes in state.changes.items():
            entry = self._entries[order_id]
            entry.changes += changes
            self._count(self._client.pending[order_id], entry)
        for symbol, stored in state.stakes.items():
            stake = self.stake(symbol)
            stake.mark, stake.marked_at, stake.known = stored.mark, stored.marked_at, stored.known
            for side, amounts in ((stake.buys, stored.buys), (stake.sells, stored.sells)):
                side.quantity, side.value, side.unpriced = amounts.quantity, amounts.value, amounts.unpriced
        self._stale = None
        if state.totals is not None:
            self._totals = state.totals
            self._stale = {symbol for symbol, stored in state.stakes.items() if stored.stale}


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
